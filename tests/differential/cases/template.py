"""Templates of `--format`: fields, functions and the language, each with Docker's words."""

from __future__ import annotations

from tests.differential.case import Case

_RICH = ("rich as rich:1",)
_TWO = ("one as one:1", "two as team/two:2")
_BAD = ("template",)


def _inspect(*templates: str) -> tuple[str, ...]:
    return tuple(f"inspect -f '{template}' rich:1" for template in templates)


def _ls(*templates: str) -> tuple[str, ...]:
    return tuple(f"ls --format '{template}'" for template in templates)


CASES = (
    Case(
        "template/fields-of-ls",
        _ls(
            "{{.ID}} {{.Repository}} {{.Tag}} {{.Digest}}",
            "{{.CreatedSince}} {{.CreatedAt}} {{.Size}} {{.VirtualSize}}",
            "{{.Containers}} {{.SharedSize}} {{.UniqueSize}}",
            "{{json .}}",
            "{{json .Repository}}",
        ),
        _TWO,
    ),
    Case(
        "template/digests-of-ls",
        (
            "pull -q $registry/one:1",
            "ls --format {{.Digest}}",
            "ls --format '{{.Repository}} {{.Digest}}'",
            "ls --digests --format '{{.Repository}} {{.Digest}}'",
            "ls --digests --format 'table {{.Repository}}'",
            "ls --format 'table {{.Digest}}'",
        ),
        served=("one as one:1",),
    ),
    Case(
        "template/tables-of-ls",
        _ls(
            "table {{.ID}}\\t{{.Repository}}\\t{{.Tag}}",
            "table {{.CreatedSince}}\t{{.CreatedAt}}\t{{.Size}}\t{{.VirtualSize}}",
            "table {{.Containers}}\\t{{.SharedSize}}\\t{{.UniqueSize}}\\t{{.Digest}}",
            'table {{upper .Repository}} {{.Tag | printf "%8s"}}',
            "table {{truncate .ID 4}}\\t{{title .Repository}}\\t{{lower .Tag}}",
            "table {{json .Tag}}\\t{{pad .Tag 2 2}}|",
            "table",
            "table ",
            "raw",
        ),
        _TWO,
    ),
    Case(
        "template/ls-with-other-options",
        (
            "ls -q --format {{.Tag}}",
            "ls -q --format table",
            "ls -q --format json",
            "ls --no-trunc --format {{.ID}}",
            "ls --no-trunc -q --format raw",
            "ls --digests --format raw",
            "ls -a --format '{{.ID}}\\n{{.Tag}}\\t|'",
            "ls --format ''",
            "ls --format ' {{.ID}} '",
        ),
        _TWO,
        client=25,
    ),
    Case("template/ls-of-nothing", _ls("{{.ID}}", "table {{.ID}}", "json", "{{.Foo}}")),
    Case(
        "template/fields-of-history",
        (
            "history --format '{{.ID}} {{.CreatedSince}} {{.CreatedAt}} {{.Size}}' rich:1",
            "history --format '{{.CreatedBy}}|{{.Comment}}' rich:1",
            "history --no-trunc --format '{{.ID}} {{.CreatedBy}}' rich:1",
            "history --format '{{json .}}' rich:1",
            "history -H=false --format '{{.CreatedSince}} {{.CreatedAt}} {{.Size}}' rich:1",
            "history --format 'table {{.ID}}\\t{{.CreatedBy}}\\t{{.Size}}\\t{{.Comment}}' rich:1",
            "history --format 'table {{.CreatedSince}}\\t{{.CreatedAt}}' rich:1",
            "history -q --format '{{.Size}}' rich:1",
            "history -q --format table rich:1",
        ),
        _RICH,
    ),
    Case(
        "template/fields-of-inspect",
        _inspect(
            "{{.Id}}",
            "{{.ID}}",
            "{{.RepoTags}} {{.RepoDigests}} {{.Parent}} {{.Comment}}",
            "{{.Created}} {{.Author}} {{.Architecture}} {{.Os}} {{.Variant}}",
            "{{.Size}} {{.RootFS}} {{.RootFS.Type}} {{.RootFS.Layers}}",
            "{{.Metadata.LastTagTime}}",
            "{{.Config.User}} {{.Config.Env}} {{.Config.Cmd}} {{.Config.Entrypoint}}",
            "{{.Config.Labels}} {{.Config.ExposedPorts}} {{.Config.Volumes}}",
            "{{.Config.WorkingDir}} {{.Config.StopSignal}} {{.Config.OnBuild}} {{.Config.Shell}}",
            "{{.Config.Healthcheck}} {{.Config.Healthcheck.Test}}",
            "{{.Config.Healthcheck.Interval}}",
            "{{json .Config.Labels}} {{json .RootFS}} {{json .RepoTags}} {{json .Size}}",
            "{{json .Config.Healthcheck}} {{json .Metadata}}",
        ),
        _RICH,
        client=25,
    ),
    Case(
        "template/inspect-of-several",
        (
            "inspect -f {{.RepoTags}} one:1 team/two:2",
            "inspect --format {{.Id}} one:1 missing $two",
            "inspect -f '{{.Config.Cmd}}|' one:1 one:1",
            "inspect -f '' one:1 --format {{.Os}}",
        ),
        _TWO,
        errors=("no such image",),
    ),
    Case(
        "template/choices",
        _inspect(
            '{{if eq .Os "linux"}}yes{{else}}no{{end}}',
            '{{if eq .Os "windows"}}w{{else if eq .Os "linux"}}l{{else}}?{{end}}',
            "{{if .Config.User}}user{{end}}{{if .Parent}}parent{{else}}none{{end}}",
            "{{if and .Os .Author}}both{{end}} {{if or .Parent .Os}}one{{end}}",
            "{{if not .Parent}}no parent{{end}}",
            "{{with .Config.User}}as {{.}}{{end}}",
            "{{with .Parent}}{{.}}{{else}}orphan{{end}}",
            "{{with $$x := .Os}}{{$$x}}{{end}}",
        ),
        _RICH,
    ),
    Case(
        "template/rounds",
        _inspect(
            "{{range .Config.Env}}[{{.}}]{{end}}",
            "{{range $$i, $$e := .Config.Env}}{{$$i}}={{$$e}};{{end}}",
            "{{range $$k, $$v := .Config.Labels}}{{$$k}}={{$$v}};{{end}}",
            "{{range .Config.ExposedPorts}}{{.}}{{end}}",
            "{{range $$p, $$_ := .Config.ExposedPorts}}{{$$p}} {{end}}",
            "{{range .RepoDigests}}x{{else}}none{{end}}",
            "{{range .Config.Env}}{{.}}{{break}}{{end}}",
            '{{range .Config.Env}}{{if eq . "EMPTY="}}{{continue}}{{end}}{{.}} {{end}}',
            "{{range $$i, $$l := .RootFS.Layers}}{{if $$i}}, {{end}}{{slice $$l 0 10}}{{end}}",
        ),
        _RICH,
    ),
    Case(
        "template/variables-pieces-and-spaces",
        _inspect(
            "{{$$id := .Id}}{{$$id}}",
            '{{$$n := "a"}}{{$$n = "b"}}{{$$n}}',
            "a  {{- .Os -}}  b",
            "{{/* nothing */}}{{.Os}}",
            "{{- /* nothing */ -}} {{.Os}}",
            '{{define "t"}}<{{.}}>{{end}}{{template "t" .Os}}',
            '{{block "b" .Config}}{{.User}}{{end}}',
            '{{(index .Config.Env 0)}} {{(printf "%s" .Os) | len}}',
            '{{.Os | upper | printf "%q"}}',
            "{{$$.Os}}{{with .Config}} {{$$.Os}}{{end}}",
            "{{true}} {{false}} {{1}} {{1.5}} {{0x10}} {{`raw`}}",
            "plain text",
        ),
        _RICH,
    ),
    Case(
        "template/comparisons",
        _inspect(
            '{{eq .Os "a" "linux"}} {{ne .Os "linux"}}',
            "{{lt 1 2}} {{le 2 2}} {{gt .Size 10}} {{ge .Size 2000}}",
            '{{lt "a" "b"}} {{eq 1.5 1.5}} {{eq true true}}',
            "{{and 1 0 2}} {{or 0 3 4}} {{not 0}} {{not .Os}}",
            "{{len .Os}} {{len .Config.Env}} {{len .Config.Labels}}",
        ),
        _RICH,
    ),
    Case(
        "template/elements",
        _inspect(
            '{{index .Config.Env 1}} {{index .Config.Labels "plain"}}|',
            '{{index .Config.Labels "org.example.team"}} {{index .Config.Labels "missing"}}|',
            "{{slice .Os 1 3}} {{slice .Config.Env 1}} {{slice .Config.Env 0 1}}",
            "{{.Config.Labels.plain}}|{{.Config.Labels.missing}}|",
        ),
        _RICH,
    ),
    Case(
        "template/texts",
        _inspect(
            '{{print "a" 1 2 "b" "c"}} {{print .Os .Size}}',
            "{{println .Os .Size}}",
            '{{printf "%s %q %v %d %5d|%-5d|%05d" .Os .Os .Size .Size 7 7 7}}',
            '{{printf "%x %X %t %.2f %8.3f %e %T %T" .Os .Os true 1.5 2.25 1.5 .Os .Size}}',
            '{{printf "%v %+v %#v" .Config.Env .Config.Env .Config.Env}}',
            '{{printf "%c %U %o %b %%" 65 65 8 5}}',
            '{{printf "%d" .Os}} {{printf "%s"}} {{printf "x" 1}}',
            '{{html "<a>"}} {{js "it\\"s"}} {{urlquery "a b&c"}}',
            '{{upper "aB"}} {{lower "aB"}} {{title "hello there"}}',
            '{{join .Config.Env ","}} {{split "a,b" ","}} {{join (split "a,b" ",") "+"}}',
            '{{pad "x" 2 3}}| {{truncate "abcdef" 3}} {{truncate "ab" 5}}',
        ),
        _RICH,
    ),
    Case(
        "template/errors-of-reading",
        _inspect(
            "{{.Os",
            "{{if .Os}}",
            "{{end}}",
            "{{nothing .Os}}",
            "{{.Os}",
            "{{range}}x{{end}}",
            "{{$$x}}",
            '{{"open}}',
            "{{else}}",
            "{{break}}",
            "{{.Os | }}",
            "{{1 2}}",
        ),
        _RICH,
        errors=_BAD,
    ),
    Case(
        "template/errors-of-running",
        _inspect(
            "{{.Missing}}",
            "{{.Config.Missing}}",
            "{{.Os.Field}}",
            "{{index .Config.Env 9}}",
            "{{index .Os}} {{index .Size 1}}",
            "{{slice .Os 4 9}}",
            '{{template "missing"}}',
            "{{len 3}}",
            "{{lt 1 .Os}}",
            "{{upper 1}}",
            "{{call .Os}}",
            "{{upper}}",
            "{{json}}",
            "{{range 1.5}}x{{end}}",
            '{{eq .Config.Env "a"}}',
        ),
        _RICH,
        errors=_BAD,
        client=25,
    ),
    Case(
        "template/errors-of-lists",
        (
            *_ls("{{.Foo}}", "{{.ID", "{{.ID.Foo}}", "table {{.Foo}}", "{{index . 0}}"),
            "history --format {{.Foo}} one:1",
            "history --format {{.ID one:1",
            "history --format 'table {{.Foo}}' one:1",
        ),
        _TWO,
        errors=_BAD,
    ),
)
