"""Layers: the tar stream and its compression, read within limits and never unpacked blindly."""
