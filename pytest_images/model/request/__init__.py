"""One request value a verb: every option of `docker image VERB` that changes what is done.

What only changes what is shown (``--quiet``, ``--no-trunc``, ``--format``) belongs to the
command line. Each value has a module of its own, so that a command loads only its own.
"""
