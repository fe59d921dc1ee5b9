"""The default answers to the questions that hooks ask: plugins like any other."""
