"""Values: what the hooks exchange. Frozen, checked when made, without I/O, clock or environment."""
