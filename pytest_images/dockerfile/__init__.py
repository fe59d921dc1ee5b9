"""Dockerfiles: from text to instructions, with everything that the text alone decides.

The phases, a module each, none of which touches a file, the network or the clock:

==================  ============================================================================
`lines`             bytes to logical lines: directives, comments, continuation, here-documents
`words`             a line to its keyword, flags and arguments; JSON form or words
`reading`           one line to one frozen value of `instructions`
`stages`            a whole file: `parse` gives a `Dockerfile` of stages, in order, with warnings
`expand`            ``$name`` and ``${name:-…}``: an `Expander` over the variables of a moment
`arguments`         which variables there are: ARG, ENV, build arguments, platforms, proxies
`ignore`            ``.dockerignore``: which paths of a context do not exist
==================  ============================================================================

A builder does this with them::

    dockerfile = parse(text, "Dockerfile")
    target = dockerfile.target("app")                 # raises when there is no such stage
    outside = global_arguments(dockerfile, given)     # the ARGs before the first FROM
    base = Expander(outside, dockerfile.escape).word(target.base)
    scope = Scope(outside, given, dockerfile.escape)  # one a stage; `inherited()` for FROM stage
    for instruction in target.instructions:
        instruction = instruction.expand(scope.expander)
        match instruction:
            case Env(pairs=pairs): ...

Whatever is wrong is an `InvalidDockerfile` that names file, line and the line itself;
``instruction.place.error("why")`` makes one for what only the builder can find out.

Follows the Dockerfile reference and BuildKit's front end (parser, shell, instructions).
"""
