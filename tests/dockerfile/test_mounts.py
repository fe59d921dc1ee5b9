"""`--mount` as a table (reference, "RUN --mount"; BuildKit's commands_runmount.go)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_images.dockerfile.malformed import Malformed
from pytest_images.dockerfile.mounts import Mount, MountType, Sharing, parse_mount

BIND, CACHE, TMPFS, SECRET = MountType


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("target=/a", Mount(BIND, target="/a")),
        ("type=bind,from=b,src=/s,dst=/d", Mount(BIND, "b", "/s", "/d")),
        ("type=BIND,source=/s,destination=/d,rw", Mount(BIND, "", "/s", "/d", is_read_only=False)),
        ("target=/a,readwrite=false", Mount(BIND, target="/a")),
        ("target=/a,ro=0", Mount(BIND, target="/a", is_read_only=False)),
        ("target=/a,rw,ro", Mount(BIND, target="/a", is_read_only=True)),
        ("type=cache,target=/c", Mount(CACHE, target="/c", is_read_only=False)),
        ("type=cache,target=/c,ro", Mount(CACHE, target="/c")),
        (
            "type=cache,id=i,target=/c,sharing=LOCKED,mode=0755,uid=1000,gid=0",
            Mount(CACHE, "", "", "/c", False, 0, "i", Sharing.LOCKED, mode=0o755, uid=1000, gid=0),
        ),
        (
            "type=tmpfs,target=/t,size=1.5k",
            Mount(TMPFS, target="/t", is_read_only=False, size=1536),
        ),
        ("type=tmpfs,target=/t,size=64MiB", Mount(TMPFS, "", "", "/t", False, 64 << 20)),
        ("type=tmpfs,target=/t,size=100", Mount(TMPFS, "", "", "/t", False, 100)),
        ("type=secret,id=s", Mount(SECRET, id="s")),
        ("type=secret,id=s,required", Mount(SECRET, id="s", is_required=True)),
        ("type=secret,id=s,required=false", Mount(SECRET, id="s")),
        ("type=secret,id=s,env=V", Mount(SECRET, id="s", environment="V")),
        ("type=secret,id=s,env=", Mount(SECRET, id="s", environment="")),
        ("type=secret,target=/run/x,mode=0444", Mount(SECRET, target="/run/x", mode=0o444)),
        ('type=cache,"target=/a,b"', Mount(CACHE, target="/a,b", is_read_only=False)),
    ],
)
def test_a_mount_is_read(text: str, expected: Mount) -> None:
    assert parse_mount(text, str) == expected


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("type=ssh", "type=ssh is not supported"),
        ("type=volume,target=/a", 'unsupported mount type "volume"'),
        ("type=cache,target=/a,sharing=public", 'unsupported sharing value "public"'),
        ("target=/a,bind-propagation=shared", "unexpected key 'bind-propagation'"),
        ("target=/a,suid", "invalid field 'suid'"),
        ("target", "must be a key=value pair"),
        ("target=/a,ro=maybe", "invalid value for readonly"),
        ("target=/a,size=1", "unexpected key 'size' for mount type 'bind'"),
        ("target=/a,required", "unexpected key 'required' for mount type 'bind'"),
        ("target=/a,uid=1", 'uid not allowed for "bind" type mounts'),
        ("type=tmpfs,target=/a,size=many", "invalid value for size"),
        ("type=cache,target=/a,mode=9", "invalid value 9 for mode"),
        ("type=cache,target=/a,uid=-1", "invalid value -1 for uid"),
        ("type=cache,target=/a,gid=4294967296", "for gid"),
        ("type=secret", "one of source, target required"),
        ("type=secret,id=a,source=b", "both source and id can't be set"),
        ("type=secret,id=a,from=b", "should not have a from"),
        ("type=secret,id=a,sharing=shared", "should not define sharing"),
        ("target=/a,sharing=shared", "invalid cache sharing"),
        ('target="/a', "not a list of key=value"),
    ],
)
def test_a_mount_that_means_nothing_is_refused(text: str, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        parse_mount(text, str)


PIECES = ["type=", "bind", "cache", ",", "target=", "/a", "ro", "=", '"', "size=", "1k", "é", "\0"]


@given(st.lists(st.sampled_from(PIECES)))
def test_any_text_is_a_mount_or_refused(pieces: list[str]) -> None:
    try:
        parse_mount("".join(pieces), str)
    except Malformed as problem:
        assert str(problem)
