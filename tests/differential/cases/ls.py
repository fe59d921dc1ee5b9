"""`ls`."""

from __future__ import annotations

from tests.differential.case import Case

_TWO = ("one as one:1", "two as two:2")
_ALL = (*_TWO, "three as team/three:3")

CASES = (
    Case("ls/nothing", ("ls",)),
    Case("ls/several-newest-first", ("ls",), _ALL),
    Case("ls/several-names-of-one", ("ls",), ("one as one:1 one:2 other:1",)),
    Case("ls/an-image-without-a-name", ("ls", "ls -a"), ("one", "two as two:2")),
    Case("ls/an-image-that-says-nothing", ("ls", "ls --no-trunc"), ("bare as bare:1",)),
    Case("ls/a-time-that-is-not-said", ("ls --format json",), ("bare as bare:1",), client=25),
    Case(
        "ls/images-of-odd-times",
        ("ls", "ls --format json", "ls --format '{{.CreatedAt}}, {{.CreatedSince}}'"),
        ("timeless as timeless:1", "ancient as ancient:1"),
        client=25,
    ),
    Case("ls/all", ("ls --all",), _TWO),
    Case("ls/quiet", ("ls -q", "ls --quiet"), _ALL),
    Case("ls/quiet-an-id-for-each-name", ("ls -q",), ("one as one:1 one:2",)),
    Case("ls/whole-ids", ("ls --no-trunc", "ls -q --no-trunc"), _ALL),
    Case("ls/digests-of-what-has-none", ("ls --digests",), _TWO),
    Case(
        "ls/digests-of-what-was-pulled",
        ("pull -q $registry/one:1", "ls --digests", "ls --digests --no-trunc"),
        served=("one as one:1",),
    ),
    Case(
        "ls/digests-of-what-was-pulled-and-tagged",
        ("pull -q $registry/one:1", "tag $one other:1", "ls --digests", "ls"),
        served=("one as one:1",),
    ),
    Case(
        "ls/a-name-by-digest-alone",
        ("pull -q $registry/one@$one_digest", "ls", "ls --digests", "ls -a"),
        served=("one as one:1",),
    ),
    Case("ls/a-repository", ("ls one",), _ALL),
    Case("ls/a-repository-and-tag", ("ls two:2", "ls two:1"), _ALL),
    Case("ls/a-repository-with-a-namespace", ("ls team/three", "ls three"), _ALL),
    Case("ls/a-repository-in-full", ("ls docker.io/library/one",), _ALL, differs=("full-names",)),
    Case("ls/a-pattern", ("ls 't*'", "ls '*/*'", "ls 'team/*:3'", "ls '*:2'"), _ALL),
    Case("ls/a-pattern-with-choices", ("ls '[ot]*'", "ls 'tw?'", "ls 'tw\\?'"), _ALL),
    Case("ls/a-bad-pattern", ("ls '['",), _TWO, errors=("bad pattern",)),
    Case("ls/two-repositories", ("ls one two",), _ALL, errors=("too many arguments",)),
    Case(
        "ls/filter-dangling",
        ("ls -f dangling=true", "ls -f dangling=false"),
        ("one", "two as two:2"),
    ),
    Case(
        "ls/filter-dangling-neither",
        ("ls -f dangling=maybe",),
        errors=("filter value",),
    ),
    Case(
        "ls/filter-label",
        (
            "ls -f label=team",
            "ls -f label=team=a",
            "ls -f label=team=c",
            "ls -f label=tier",
            "ls -f label=team -f label=tier=web",
        ),
        _ALL,
    ),
    Case("ls/filter-label-of-no-value", ("ls -f label=plain",), ("rich as rich:1",)),
    Case("ls/filter-before", ("ls -f before=two:2", "ls -f before=$two_short"), _ALL),
    Case("ls/filter-since", ("ls -f since=two:2", "ls -f since=$one"), _ALL),
    Case("ls/filter-before-and-since", ("ls -f before=team/three:3 -f since=one:1",), _ALL),
    Case("ls/filter-before-missing", ("ls -f before=missing",), errors=("no such image",)),
    Case(
        "ls/filter-reference",
        ("ls -f reference=one", "ls -f 'reference=*:2'", "ls -f 'reference=t*' -f reference=one"),
        _ALL,
    ),
    Case("ls/filter-reference-of-one-name", ("ls -f 'reference=*:2'",), ("one as one:1 one:2",)),
    Case("ls/filter-reference-and-an-argument", ("ls -f reference=one two",), _ALL),
    Case("ls/filter-unknown", ("ls -f colour=red",), errors=("unknown filter",)),
    Case("ls/filter-without-value", ("ls -f dangling",), errors=("filter format",)),
    Case("ls/filter-with-spaces", ("ls -f ' label = team=a '",), _ALL),
    Case("ls/format-table", ("ls --format table",), _TWO),
    Case("ls/format-json", ("ls --format json", "ls --format json --no-trunc"), _ALL, client=25),
    Case("ls/format-json-of-no-name", ("ls --format json",), ("one",), client=25),
    Case("ls/an-unknown-option", ("ls --colour",), errors=("unknown flag",)),
    Case("ls/flags-together", ("ls -aq",), _TWO),
    Case("ls/a-flag-that-is-false", ("ls -q=false --digests=0",), _TWO),
    Case("ls/aliases", ("list", "images", "ls"), _TWO),
)
