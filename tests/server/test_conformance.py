"""The behaviours that the OCI conformance suite asks for, restated: one story a category.

Follows conformance/ of the distribution-spec (pull, push, content discovery, content
management); each step is a request, the statuses that are right, and the headers that must be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_images.model.digest import Digest
from pytest_images.testing import samples

if TYPE_CHECKING:
    from pytest_images.server.registry import Registry
    from tests.server.talk import Client

SAMPLE = samples.image("conformance", layers=2)
INDEX = samples.index(SAMPLE, samples.image("conformance", platform="linux/arm64"))
LAYER = SAMPLE.layers[0]
LAYER_DIGEST = Digest.of(LAYER)
MANIFEST = SAMPLE.manifest
CONFIG = SAMPLE.config
ABSENT = Digest.of(b"there is no such content")
NAME = "conformance/tests"
FIRST, SECOND = LAYER[:500], LAYER[500:]


@dataclass(frozen=True, slots=True)
class Step:
    """A request and what must come of it. ``{upload}`` is the location of the last answer."""

    method: str
    path: str
    statuses: tuple[int, ...]
    body: bytes = b""
    send: dict[str, str] = field(default_factory=dict)
    headers: tuple[str, ...] = ()
    gives: bytes | None = None


MANIFEST_TYPE = {"Content-Type": MANIFEST.media_type}
CHUNK = {"Content-Type": "application/octet-stream"}
UPLOADS = f"/v2/{NAME}/blobs/uploads/"
TAGS = f"/v2/{NAME}/tags/list"

PULL = [
    Step("HEAD", f"/v2/{NAME}/blobs/{ABSENT}", (404,)),
    Step("HEAD", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (200,), headers=("Docker-Content-Digest",)),
    Step("GET", f"/v2/{NAME}/blobs/{ABSENT}", (404,)),
    Step("GET", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (200,), gives=LAYER),
    Step("GET", f"/v2/{NAME}/blobs/sha256:{'x' * 64}", (400,)),
    Step("HEAD", f"/v2/{NAME}/manifests/.INVALID_MANIFEST_NAME", (404,)),
    Step("HEAD", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (200,), headers=("Content-Length",)),
    Step("HEAD", f"/v2/{NAME}/manifests/tagtest0", (200,), headers=("Docker-Content-Digest",)),
    Step("GET", f"/v2/{NAME}/manifests/.INVALID_MANIFEST_NAME", (404,)),
    Step("GET", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (200,), gives=MANIFEST.raw),
    Step("GET", f"/v2/{NAME}/manifests/tagtest0", (200,), gives=MANIFEST.raw),
    Step("GET", f"/v2/{NAME}/manifests/index", (200,), gives=INDEX.index.raw),
    Step("GET", "/v2/no/such/repository/manifests/1", (404,)),
]
PUSH = [
    Step("POST", UPLOADS, (202,), send={"Content-Length": "0"}, headers=("Location",)),
    Step("PATCH", "{upload}", (202,), LAYER, CHUNK, ("Location", "Range")),
    Step("PUT", f"{{upload}}?digest={LAYER_DIGEST}", (201,), headers=("Location",)),
    Step("HEAD", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (200,)),
    Step("POST", f"{UPLOADS}?digest={CONFIG.id}", (201, 202), CONFIG.raw, CHUNK, ("Location",)),
    Step("GET", f"/v2/{NAME}/blobs/{CONFIG.id}", (200,), gives=CONFIG.raw),
    # in chunks, the second out of order first
    Step("POST", UPLOADS, (202,), headers=("Location",)),
    Step("PATCH", "{upload}", (416,), SECOND, {"Content-Range": f"500-{len(LAYER) - 1}"}),
    Step("PATCH", "{upload}", (202,), FIRST, {"Content-Range": "0-499"}, ("Range",)),
    Step("PATCH", "{upload}", (416,), FIRST, {"Content-Range": "0-499"}),
    Step("GET", "{upload}", (204,), headers=("Location", "Range")),
    Step("PATCH", "{upload}", (202,), SECOND, {"Content-Range": f"500-{len(LAYER) - 1}"}),
    Step("PUT", f"{{upload}}?digest={LAYER_DIGEST}", (201,), headers=("Location",)),
    Step("GET", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (200,), gives=LAYER),
    # abandoned
    Step("POST", UPLOADS, (202,), headers=("Location",)),
    Step("DELETE", "{upload}", (204,)),
    Step("GET", "{upload}", (404,)),
    # mounted
    Step("POST", f"/v2/other/blobs/uploads/?mount={LAYER_DIGEST}&from={NAME}", (201,)),
    Step("GET", f"/v2/other/blobs/{LAYER_DIGEST}", (200,), gives=LAYER),
    Step("POST", f"/v2/other/blobs/uploads/?mount={ABSENT}&from={NAME}", (202,)),
    Step("POST", f"/v2/third/blobs/uploads/?mount={LAYER_DIGEST}", (201, 202)),
    # manifests
    Step("PUT", f"/v2/{NAME}/manifests/early", (400, 404), MANIFEST.raw, MANIFEST_TYPE),
    Step("POST", f"{UPLOADS}?digest={Digest.of(SAMPLE.layers[1])}", (201,), SAMPLE.layers[1]),
    Step("PUT", f"/v2/{NAME}/manifests/t0", (201,), MANIFEST.raw, MANIFEST_TYPE, ("Location",)),
    Step("PUT", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (201,), MANIFEST.raw, MANIFEST_TYPE),
    Step("GET", f"/v2/{NAME}/manifests/t0", (200,), gives=MANIFEST.raw),
    Step("PUT", f"/v2/{NAME}/manifests/{ABSENT}", (400,), MANIFEST.raw, MANIFEST_TYPE),
]
DISCOVERY = [
    Step("GET", TAGS, (200,), gives=b'"tags": ["index", "tagtest0", "tagtest1", "tagtest2"]'),
    Step("GET", f"{TAGS}?n=2", (200,), headers=("Link",), gives=b'["index", "tagtest0"]'),
    Step("GET", f"{TAGS}?n=2&last=index", (200,), gives=b'["tagtest0", "tagtest1"]'),
    Step("GET", f"{TAGS}?n=0", (200,), gives=b'"tags": []'),
    Step("GET", f"{TAGS}?n=4", (200,), gives=b'"tagtest2"]'),
    # A registry without referrers says so with 404; clients then use their tag schema.
    Step("GET", f"/v2/{NAME}/referrers/{MANIFEST.digest}", (404,)),
]
MANAGEMENT = [
    Step("DELETE", f"/v2/{NAME}/manifests/tagtest0", (202,)),
    Step("GET", f"/v2/{NAME}/manifests/tagtest0", (404,)),
    Step("GET", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (200,)),
    Step("DELETE", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (202,)),
    Step("GET", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (404,)),
    Step("DELETE", f"/v2/{NAME}/manifests/{MANIFEST.digest}", (404,)),
    Step("GET", TAGS, (200,), gives=b'"tags": ["index"]'),
    Step("DELETE", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (202,)),
    Step("GET", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (404,)),
    Step("DELETE", f"/v2/{NAME}/blobs/{LAYER_DIGEST}", (404,)),
]


def prepare(client: Client) -> None:
    """Have the index and three tags, as the suite's own set-up does."""
    client.push_index(INDEX, "index", NAME)
    for tag in ("tagtest0", "tagtest1", "tagtest2"):
        assert client.put_manifest(MANIFEST.raw, MANIFEST.media_type, tag, NAME).status == 201


def take(client: Client, steps: list[Step]) -> None:
    """Do the steps in order, each as the specification wants it."""
    upload = ""
    for number, step in enumerate(steps):
        path = step.path.replace("{upload}", upload)
        answer = client.ask(step.method, path, step.body or None, step.send)
        assert answer.status in step.statuses, (number, step)
        for name in step.headers:
            assert answer.headers[name], (number, step)
        if step.gives is not None:
            assert step.gives in answer.body, (number, step)
        if answer.status == 202 and answer.headers["Location"]:
            upload = answer.location()


@pytest.mark.parametrize(
    ("steps", "prepared"),
    [(PULL, True), (PUSH, False), (DISCOVERY, True), (MANAGEMENT, True)],
    ids=["pull", "push", "content-discovery", "content-management"],
)
def test_a_category_of_the_conformance_suite(
    registry: Registry, client: Client, steps: list[Step], prepared: bool
) -> None:
    if prepared:
        prepare(client)
    take(client, steps)
    assert all(request.status < 500 for request in registry.requests)


def test_every_error_has_a_code_of_the_specification(client: Client) -> None:
    """Codes of the specification, and Docker's one for a bad page number."""
    known = {"BLOB_UNKNOWN", "NAME_INVALID", "DIGEST_INVALID", "MANIFEST_UNKNOWN", "NAME_UNKNOWN"}
    for path in (
        f"blobs/{ABSENT}",
        "manifests/absent",
        "tags/list",
        "blobs/sha256:x",
        "blobs/uploads/x",
    ):
        answer = client.ask("GET", f"/v2/{NAME}/{path}")
        assert answer.code in known | {"BLOB_UPLOAD_UNKNOWN"}
    assert client.ask("GET", "/v2/UPPER/tags/list").code == "NAME_INVALID"
