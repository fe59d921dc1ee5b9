"""Container images for tox environments: pulled and built once, before their commands."""
