"""How fast it is, beside the tools people have."""
