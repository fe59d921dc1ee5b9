"""Policies: plugins that wrap a question or watch a verb, and so hold for every engine."""
