from __future__ import annotations

import pytest
from requests.exceptions import ConnectionError as RequestsConnectionError
from urllib3.exceptions import MaxRetryError, ProtocolError, ReadTimeoutError

from pytest_images.errors import ImageNotFound, ImagesError, Unreachable, UnsafeAddress
from pytest_images.http.address import Address
from pytest_images.http.failures import failure_of

ADDRESS = Address.parse("https://r.example/")


def test_the_innermost_reason_is_told() -> None:
    inner = ConnectionRefusedError(111, "Connection refused")
    error = RequestsConnectionError(MaxRetryError(None, "/", inner))  # type: ignore[arg-type]  # no pool
    assert (
        str(failure_of(error, ADDRESS))
        == "https://r.example: cannot be reached: Connection refused"
    )


def test_a_timeout_is_called_one() -> None:
    error = ReadTimeoutError(None, "/", "Read timed out.")  # type: ignore[arg-type]  # no pool
    error.__cause__ = TimeoutError("only 3 bytes in 30 s")
    assert "timed out: only 3 bytes" in str(failure_of(error, ADDRESS))


def test_our_own_error_comes_through_without_the_frames_it_passed() -> None:
    ours = UnsafeAddress("a", "b", "c")
    found = failure_of(RequestsConnectionError(ProtocolError("aborted", ours)), ADDRESS)
    assert found is ours
    assert found.__traceback__ is None


def test_what_the_caller_was_handling_is_not_the_failure() -> None:
    try:
        raise ImageNotFound("before")
    except ImagesError:
        try:
            raise RequestsConnectionError("now")
        except RequestsConnectionError as error:
            assert type(failure_of(error, ADDRESS)) is Unreachable


@pytest.mark.parametrize("error", [ValueError("odd"), OSError(5, "I/O error"), TimeoutError()])
def test_every_fault_has_a_reason(error: Exception) -> None:
    assert isinstance(failure_of(error, ADDRESS), Unreachable)
