"""What the real engine is too old for: rules of the current command line, each with its source.

Restated from its documentation and from what its tests and its engine's expect; the client's own
help is read by test_help.py.
"""

from __future__ import annotations

from dataclasses import dataclass

_CLI = "docker/cli, docs/reference/commandline"
_TREE = "docker/cli, cli/command/image/tree_test.go and its golden files"
_ENGINE = "moby/moby"
_API = f"{_ENGINE}, docs/api, GET /images/json, filters"

# ID of both images of the index, and what is below each name in a tree.
_TREE_OF_BOTH = """\
IMAGE               ID             DISK USAGE   CONTENT SIZE
app:1               $both_amd64          1kB         SIZE
├─ linux/amd64      $both_amd64          1kB         SIZE
└─ linux/arm64/v8   $both_arm64          1kB         SIZE

"""


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, who says so, and steps with what must be printed; None: anything.

    ``error: GIST`` is the error that a step must end in.
    """

    rule: str
    source: str
    steps: tuple[tuple[str, str | None], ...]
    files: tuple[str, ...] = ("both as app:1",)
    served: tuple[str, ...] = ()


_ARM = "inspect -f '{{.Os}}/{{.Architecture}}' app:1"
_PULLED = ("pull -q --all-platforms $registry/app:1", None)
_NO_PLATFORM = "error: no such platform <linux/s390x>"
_NO_ARM = "error: no such platform <linux/arm64/v8>"

ROWS = (
    Row(
        "load --platform",
        f"{_CLI}/image_load.md: load only the given platform variant",
        (
            ("load --platform linux/arm64 -i both.tar", "Loaded image: app:1\n"),
            (_ARM, "linux/arm64\n"),
        ),
    ),
    Row(
        "load --platform",
        f"{_ENGINE}, integration/image/save_test.go: one that is not in the archive is an error",
        (("load --platform linux/s390x -i both.tar", _NO_PLATFORM), ("ls -q", "")),
    ),
    Row(
        "save --platform",
        f"{_CLI}/image_save.md: save only the given platform variant",
        (
            _PULLED,
            ("save --platform linux/arm64 -o arm.tar $registry/app:1", ""),
            ("rm -f $registry/app:1", None),
            ("load -q -i arm.tar", None),
            ("inspect -f {{.Architecture}} $registry/app:1", "arm64\n"),
        ),
        served=("both as app:1",),
    ),
    Row(
        "save --platform",
        f"{_ENGINE}, integration/image/save_test.go: one that is not here is an error",
        (
            _PULLED,
            ("save --platform linux/s390x -o out.tar $registry/app:1", _NO_PLATFORM),
        ),
        served=("both as app:1",),
    ),
    Row(
        "save layout",
        f"{_CLI}/image_save.md: the full multi-platform image, if no platform is named",
        (
            _PULLED,
            ("save -o out.tar $registry/app:1", ""),
            ("rm -f $registry/app:1", None),
            ("load -q --platform linux/arm64 -i out.tar", None),
            ("inspect -f {{.Architecture}} $registry/app:1", "arm64\n"),
        ),
        served=("both as app:1",),
    ),
    Row(
        "inspect --platform",
        f"{_CLI}/image_inspect.md: inspect a specific platform of the multi-platform image",
        (
            _PULLED,
            ("inspect --platform linux/arm64 -f {{.Architecture}} $registry/app:1", "arm64\n"),
            ("inspect --platform linux/amd64 -f {{.Architecture}} $registry/app:1", "amd64\n"),
            ("inspect --platform linux/s390x -f {{.Id}} $registry/app:1", _NO_PLATFORM),
        ),
        served=("both as app:1",),
    ),
    Row(
        "history --platform",
        f"{_CLI}/image_history.md: show history for the given platform",
        (
            _PULLED,
            ("history --platform linux/arm64 -q $registry/app:1", "$both_arm64\n"),
            ("history --platform linux/amd64 -q $registry/app:1", "$both_amd64\n"),
            ("history --platform linux/s390x -q $registry/app:1", _NO_PLATFORM),
        ),
        served=("both as app:1",),
    ),
    Row(
        "rm --platform",
        f"{_CLI}/image_rm.md: remove specific platforms, by force, and say their manifests",
        (
            ("pull -q --all-platforms $registry/app:1", None),
            ("rm --force --platform linux/s390x $registry/app:1", _NO_PLATFORM),
            ("rm --platform linux/arm64 $registry/app:1", "error: a platform without force"),
            ("rm --force --platform linux/arm64 $registry/app:1", "Deleted: $both_arm64_digest\n"),
            ("inspect --platform linux/arm64 $registry/app:1", _NO_ARM),
            ("rm --force --platform linux/amd64 $registry/app:1", None),
            ("ls -aq", ""),
        ),
        served=("both as app:1",),
    ),
    Row(
        "push --platform",
        f"{_CLI}/image_push.md: push a platform-specific manifest as a single-platform image",
        (
            _PULLED,
            ("tag $registry/app:1 $registry/b:1", ""),
            ("push -q --platform linux/arm64 $registry/b:1", "$registry/b:1\n"),
            ("rm -f $registry/app:1 $registry/b:1", None),
            ("pull -q --platform linux/arm64 $registry/b:1", None),
            ("inspect -f {{.Descriptor.digest}} $registry/b:1", "$both_arm64_digest\n"),
            (
                "pull --platform linux/amd64 $registry/b:1",
                "error: no such platform <linux/amd64>",
            ),
        ),
        served=("both as app:1",),
    ),
    Row(
        "ls --tree",
        f"{_TREE}: the platforms below the name, the last with another line before it",
        (
            ("load -q --platform linux/amd64,linux/arm64 -i both.tar", None),
            ("ls --tree", _TREE_OF_BOTH),
        ),
    ),
    Row(
        "ls filter until",
        f"{_API}: until=<timestamp>",
        (
            ("load -q -i one.tar", None),
            ("load -q -i two.tar", None),
            ("ls --filter until=2020-06-01 --format {{.Repository}}", "one\n"),
            ("ls --filter until=24h -q", "$two_short\n$one_short\n"),
            ("ls --filter until=soon", "error: filter value"),
        ),
        files=("one as one:1", "two as two:1"),
    ),
    Row(
        "ls filter label!",
        f"{_ENGINE}, daemon/images: the filters that a list accepts",
        (
            ("load -q -i one.tar", None),
            ("load -q -i two.tar", None),
            ("ls --filter label!=team --format {{.Repository}}", "one\n"),
            ("ls --filter label!=team=b -q", "$two_short\n$one_short\n"),
        ),
        files=("one as one:1", "two as two:1"),
    ),
)
