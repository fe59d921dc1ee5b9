"""Archives put together file by file, so that they can be wrong."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from pytest_images.model.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping

Link = tuple[bytes, str]  # tarfile's type of the member, and where it leads


def packed(files: Mapping[str, bytes | Link], *more: tuple[str, bytes | Link]) -> bytes:
    """A tar of *files*, then *more* (which may repeat a name)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, content in (*files.items(), *more):
            member = tarfile.TarInfo(name)
            if isinstance(content, tuple):
                member.type, member.linkname = content
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes | Link]:
    """The files of an archive, to change some and pack them again."""
    files: dict[str, bytes | Link] = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:
            data = tar.extractfile(member)
            files[member.name] = data.read() if data else (member.type, member.linkname)
    return files


def dump(document: object) -> bytes:
    return json.dumps(document).encode()


def path_of(content: bytes) -> str:
    return f"blobs/sha256/{Digest.of(content).encoded}"


def described(content: bytes, media_type: str, **more: Any) -> dict[str, Any]:
    digest = str(Digest.of(content))
    return {"mediaType": media_type, "digest": digest, "size": len(content), **more}
