from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from pytest_images.server import pages
from pytest_images.testing import samples

if TYPE_CHECKING:
    from tests.server.talk import Client

SAMPLE = samples.image("one")
TAGS = ["1", "1.0", "A", "B", "_x", "a", "latest"]


@pytest.fixture
def tagged(client: Client) -> Client:
    for tag in reversed(TAGS):
        client.push(SAMPLE, tag)
    return client


def follow(client: Client, path: str, key: str) -> list[list[str]]:
    """Read all pages by their links."""
    found = []
    while path:
        answer = client.ask("GET", path)
        found.append(answer.json()[key])
        link = re.fullmatch(r'<(/[^>]+)>; rel="next"', answer.headers["Link"] or "")
        path = link[1] if link else ""
    return found


def test_tags_come_in_ascii_order(tagged: Client) -> None:
    answer = tagged.ask("GET", "/v2/app/tags/list")
    assert answer.json() == {"name": "app", "tags": TAGS}
    assert answer.headers["Link"] is None


@pytest.mark.parametrize(
    ("query", "tags"),
    [("n=2", TAGS[:2]), ("n=0", []), ("last=A", TAGS[3:]), ("n=2&last=a", ["latest"]),
     ("n=2&last=AA", TAGS[3:5]), ("last=latest", []), ("last=%2F..%2F", TAGS)],
)  # fmt: skip
def test_a_page_of_tags(tagged: Client, query: str, tags: list[str]) -> None:
    assert tagged.ask("GET", f"/v2/app/tags/list?{query}").json()["tags"] == tags


def test_links_lead_through_all_tags(tagged: Client) -> None:
    assert follow(tagged, "/v2/app/tags/list?n=3", "tags") == [TAGS[:3], TAGS[3:6], TAGS[6:]]


def test_a_page_has_its_limit_whatever_is_asked(
    tagged: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "PAGE_LIMIT", 4)
    assert follow(tagged, "/v2/app/tags/list?n=1000000", "tags") == [TAGS[:4], TAGS[4:]]
    assert follow(tagged, "/v2/app/tags/list", "tags") == [TAGS[:4], TAGS[4:]]


def test_an_unknown_repository_has_no_list(client: Client) -> None:
    answer = client.ask("GET", "/v2/nowhere/tags/list")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")


def test_a_repository_of_blobs_alone_has_an_empty_list(client: Client) -> None:
    client.push_blob(b"alone")
    assert client.ask("GET", "/v2/app/tags/list").json()["tags"] == []
    assert client.ask("GET", "/v2/_catalog").json() == {"repositories": []}


def test_the_catalog_is_in_order_and_has_pages(client: Client) -> None:
    names = ["a", "a-b", "a.b", "a/b", "a/b/c", "b/c", "tags/list"]
    for name in names[::-1]:
        client.push(SAMPLE, repository=name)
    assert client.ask("GET", "/v2/_catalog").json() == {"repositories": names}
    assert follow(client, "/v2/_catalog?n=3", "repositories") == [names[:3], names[3:6], names[6:]]


def test_a_repository_whose_last_manifest_is_gone_is_gone(client: Client) -> None:
    digest = client.push(SAMPLE)
    client.ask("DELETE", f"/v2/app/manifests/{digest}")
    assert client.ask("GET", "/v2/_catalog").json() == {"repositories": []}
