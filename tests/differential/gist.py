"""Errors of both sides, reduced to what they say: ``no such image: app:1``."""

from __future__ import annotations

import re

# Gist, and a pattern of every wording either side has for it; a group is what it is about.
GISTS = (
    ("import to a digest", r"cannot import digest reference"),
    ("template", r"template parsing error: (.*)$"),
    ("template", r"^(template: .*)$"),
    (
        "invalid reference",
        r"invalid reference format|^Error: invalid reference \"|cannot specify 64-byte hex",
    ),
    ("no such image", r"no such image: (\S+?)[:,]?(?:\s|$)"),
    ("no such image", r"(?:manifest for|tag does not exist:) (\S+?)(?: not found: .*)?$"),
    ("no such image", r"repository (\S+) not found: name unknown"),
    ("no such image", r"An image does not exist locally with the tag: (\S+)$"),
    ("no such image", r"reference does not exist"),
    ("a name like an ID", r"ambiguous tag using digest algorithm as name"),
    ("ambiguous", r"ambiguous"),
    ("several repositories", r"unable to delete (\S+) \(must be forced\) - image is referenced"),
    ("filter value", r"invalid filter '([^'=]+)(?:=.*|': expected .*)"),
    ("filter value", r"failed to parse value as time|expected a date, seconds since 1970"),
    ("unknown filter", r"invalid filter '([^'=]+)'"),
    ("filter format", r"bad format of filter"),
    ("bad pattern", r"syntax error in pattern"),
    ("no such platform", r"no (?:matching )?manifest for (?:platform )?(\S+?)[;,]? "),
    ("a platform without force", r"all images referencing this variant\. Use .{1,2}-force to"),
    (
        "bad platform",
        r"cannot parse platform specifier|invalid platform|unknown operating system or arch",
    ),
    ("unknown flag", r"unknown flag: (\S+)"),
    ("unknown flag", r"unknown shorthand flag: (.*)$"),
    ("flag value", r'invalid argument "(.*?)" for "(.*?)" flag'),
    ("flag needs a value", r"flag needs an argument: (.*)$"),
    ("number of arguments", r"['\"] requires (?:at least |exactly )?\d arguments?"),
    ("too many arguments", r"['\"] (?:requires at most \d arguments?|accepts no arguments)"),
    ("unreachable", r"connection refused"),
    ("not a change", r"(\w+) is not a valid change command"),
    ("no instructions", r"file with no instructions"),
    ("instruction", r"([A-Z]+ (?:requires|must have) .*? arguments?)"),
    ("instruction", r"invalid (containerPort: \w+)"),
    ("instruction", r"(isn't allowed as an ONBUILD trigger)"),
    (
        "not an archive",
        r"invalid tar header|docker-import-\d+/\S+: no such file|invalid archive|invalid layer",
    ),
    ("no such file", r'directory "([^/"]+)" does not exist'),
    ("no such file", r"([^\s/]+)(?:/\S+)?: no such file or directory"),
    ("is a folder", r"cannot write to a directory"),
    ("a tag with --all-tags", r"tag can't be used with --all-tags/-a"),
    ("push of a digest", r"cannot push a digest reference"),
    ("tag of a digest", r"refusing to create a tag with a digest|a tag cannot be given a digest"),
)


def gists(text: str, program: str) -> list[str]:
    """Return what the errors in *text* (standard error) say, line by line.

    Lines that say what to do next, and the usage after a wrong option, are left out.
    """
    return [_gist(line) for line in _lines(text, program)]


def kind(gist: str) -> str:
    """Return the gist without what it is about."""
    return gist.partition(" <")[0]


def _lines(text: str, program: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    if program == "pytest-images":
        told = [line for line in lines if line.startswith("Error: ")]
        return told or lines[:1]
    if any(line.startswith(("Usage: ", "See '")) for line in lines):
        return lines[:1]
    return lines


def _gist(line: str) -> str:
    for name, pattern in GISTS:
        if found := re.search(pattern, line, re.IGNORECASE):
            about = ", ".join(re.sub(":latest$", "", text) for text in found.groups() if text)
            return f"{name} <{about}>" if about else name
    return line
