"""`import`."""

from __future__ import annotations

from tests.differential.case import Case

SETTINGS = (
    "inspect -f '{{json .Config.Cmd}} {{json .Config.Entrypoint}} {{json .Config.Env}} "
    "{{json .Config.Labels}} {{json .Config.OnBuild}} {{json .Config.Volumes}} "
    "{{.Config.WorkingDir}} {{.Config.User}}' app:1"
)


def change(name: str, *changes: str) -> Case:
    """One import with changes, and the settings that they make."""
    words = " ".join(f"-c '{text}'" for text in changes)
    return Case(f"import/{name}", (f"import {words} root.tar app:1", SETTINGS))


def refused(name: str, change: str, *errors: str) -> Case:
    return Case(f"import/{name}", (f"import -c '{change}' root.tar", "ls"), errors=errors)


CASES = (
    Case("import/a-file", ("import root.tar app:1", "ls", "history --no-trunc app:1")),
    Case("import/standard-input", ("import - app:1 < root.tar", "ls", "history app:1")),
    Case("import/without-a-name", ("import root.tar", "ls")),
    Case("import/with-a-default-tag", ("import root.tar app", "ls")),
    Case("import/a-third-argument", ("import root.tar app:1 more", "ls")),
    Case(
        "import/a-name-that-moves",
        ("import root.tar app:1", "import root.gz app:1", "ls app", "ls -f dangling=true"),
    ),
    Case("import/gzip", ("import root.gz app:1", "inspect -f '{{json .RootFS}}' app:1")),
    Case("import/xz", ("import root.xz app:1", "inspect -f '{{json .RootFS}}' app:1")),
    Case("import/bzip2", ("import root.bz2 app:1", "inspect -f '{{json .RootFS}}' app:1")),
    Case("import/nothing", ("import empty.tar app:1", "inspect -f '{{json .RootFS}}' app:1")),
    Case("import/a-message", ("import -m 'by hand' root.tar app:1", "history app:1")),
    Case("import/a-message-in-full", ("import --message=x root.tar app:1", "history app:1")),
    Case(
        "import/a-platform",
        ("import --platform linux/amd64 root.tar app:1", "inspect -f {{.Os}} app:1"),
    ),
    change("commands", 'CMD ["a","b"]', "ENTRYPOINT run it"),
    change("a-command-in-capitals-or-not", "cmd x"),
    change("a-command-without-words", "CMD"),
    change("an-entrypoint-without-words", "ENTRYPOINT"),
    change("variables-that-see-each-other", 'ENV A=1 B="x y"', "ENV C=$A D=$PATH"),
    change("labels", "LABEL a=b c=d"),
    change("folders", "WORKDIR b", "WORKDIR ../c", "VOLUME /x /y"),
    change("a-user", "USER 1:2"),
    change("a-user-who-is-not-there", "USER $A"),
    change("triggers", "ONBUILD RUN x", "ONBUILD MAKE all"),
    change("lines-in-one", "VOLUME /x\nCMD y \\\n z"),
    Case(
        "import/ports-and-health",
        (
            "import --change 'EXPOSE 80 90-91/udp' --change 'HEALTHCHECK --interval=5s CMD a' "
            "root.tar app:1",
            "inspect -f '{{json .Config.ExposedPorts}} {{json .Config.Healthcheck}}' app:1",
        ),
    ),
    Case(
        "import/a-signal",
        ("import -c 'STOPSIGNAL 9' root.tar app:1",),
        differs=("newer-import",),
    ),
    Case(
        "import/another-architecture",
        ("import --platform linux/arm64 root.tar app:1", "inspect -f {{.Architecture}} app:1"),
        differs=("newer-import",),
    ),
    refused("a-run", "RUN x", "not a change"),
    refused("an-unknown-instruction", "WHAT", "not a change"),
    refused("an-empty-change", "", "no instructions"),
    refused("a-comment", "# x", "no instructions"),
    refused("a-variable-without-value", "ENV A", "instruction"),
    refused("a-folder-without-name", "WORKDIR", "instruction"),
    refused("a-port-that-is-none", "EXPOSE x", "instruction"),
    refused("a-trigger-that-is-none", "ONBUILD FROM x", "instruction"),
    Case("import/something-else", ("import text.tar", "ls"), errors=("not an archive",)),
    Case("import/a-missing-file", ("import missing.tar",), errors=("no such file",)),
    Case("import/a-bad-name", ("import root.tar App:1", "ls"), errors=("invalid reference",)),
    Case(
        "import/to-a-digest",
        ("import root.tar app@sha256:$one_hex", "ls"),
        errors=("import to a digest",),
    ),
    Case(
        "import/a-bad-platform",
        ("import --platform a/b/c/d root.tar", "ls"),
        errors=("bad platform",),
    ),
    Case(
        "import/nobody-there",
        ("import http://127.0.0.1:1/root.tar", "ls"),
        errors=("unreachable",),
    ),
    Case("import/no-argument", ("import",), errors=("number of arguments",)),
    Case("import/an-unknown-option", ("import --fast x",), errors=("unknown flag",)),
)
