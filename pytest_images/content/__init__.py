"""Bytes by digest and what is recorded about them: `store.Store` is the way in."""
