from __future__ import annotations

import pytest

from pytest_images.errors import InvalidTemplate, LimitExceeded
from pytest_images.template.template import Template


def rendered(text: str, value: object = None) -> str:
    return Template.parse(text).render(value)


def test_a_template_is_filled_in_for_each_value() -> None:
    template = Template.parse("{{.Name}}:{{.Tag | upper}}")
    assert template.render({"Name": "app", "Tag": "a"}) == "app:A"
    assert template.render({"Name": "b", "Tag": "c"}) == "b:C"


def test_a_key_that_is_missing_shows_or_fails() -> None:
    template = Template.parse("{{.Name}}")
    assert template.render({}) == "<no value>"
    with pytest.raises(InvalidTemplate, match='map has no entry for key "Name"'):
        template.render({}, strict=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{range 100001}}{{end}}", None),
        ("{{range 400}}{{range 400}}{{end}}{{end}}", None),
        ("{{range .}}{{print $}}{{end}}", ["x" * 10_000] * 5000),
        ('{{$x := "ab"}}{{range 30}}{{$x = print $x $x}}{{end}}', None),
        ('{{range 20}}{{printf "%999999d" 1}}{{end}}', None),
        ('{{define "a"}}{{template "b"}}{{template "b"}}{{end}}'
         + "".join(f'{{{{define "{a}"}}}}{{{{template "{b}"}}}}{{{{template "{b}"}}}}{{{{end}}}}'
                   for a, b in zip("bcdefghijklmnopqrstuvw", "cdefghijklmnopqrstuvwx", strict=True))
         + '{{define "x"}}{{end}}{{template "a"}}', None),
    ],
)  # fmt: skip
def test_work_and_output_are_bounded(text: str, value: object) -> None:
    with pytest.raises(LimitExceeded):
        rendered(text, value)


@pytest.mark.parametrize("text", ["{{" + "(" * 1000, "{{if 1}}" * 1000, "{{if 1}}{{else " * 60])
def test_what_is_nested_too_deep_is_refused(text: str) -> None:
    with pytest.raises(InvalidTemplate):
        Template.parse(text)
