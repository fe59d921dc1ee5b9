from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from dataclasses import asdict, astuple, replace

import pytest

from pytest_images.model.endpoint import Credentials
from pytest_images.model.request.build import BuildRequest
from pytest_images.model.secret import Secret

TEXT = "canary-4f1c"
SECRET = Secret(TEXT)
CREDENTIALS = Credentials("ada", SECRET, Secret(TEXT))


@pytest.mark.parametrize(
    "shown",
    [
        repr(SECRET),
        str(SECRET),
        f"{SECRET}",
        f"{SECRET!r:>20}",
        "%s %r" % (SECRET, SECRET),  # noqa: UP031 - this way of formatting is the case
        repr([SECRET]),
        pprint.pformat({"a": SECRET}),
        repr(CREDENTIALS),
        repr(asdict(CREDENTIALS)),
        repr(astuple(CREDENTIALS)),
        repr(replace(CREDENTIALS, username="bob")),
        repr(BuildRequest("context", secrets={"token": SECRET})),
        repr(pickle.dumps(CREDENTIALS)),
        repr(pickle.dumps(SECRET, protocol=0)),
        repr(SECRET.__reduce_ex__(4)),
        repr(SECRET.__getstate__()),  # type: ignore[func-returns-value]  # that it has none is the case
    ],
    ids=range(16),
)
def test_no_way_of_showing_it_shows_the_text(shown: str) -> None:
    assert TEXT not in shown


def test_neither_a_log_line_nor_a_traceback_with_locals_shows_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logging.getLogger("x").error("with %s and %r", SECRET, CREDENTIALS)
    try:
        raise RuntimeError(SECRET)
    except RuntimeError as error:
        found = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert TEXT not in caplog.text + "".join(found.format())


def test_pytest_shows_it_neither_as_a_local_nor_in_a_comparison(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        from pytest_images.model.endpoint import Credentials
        from pytest_images.model.secret import Secret

        def secret_of(parts):
            return Secret("-".join(parts))

        def test_it():
            one = Credentials("ada", secret_of({TEXT.split("-")}))
            assert one == Credentials("ada", Secret("other"))
        """
    )
    result = pytester.runpytest_inprocess("-vv", "-l", "-p", "no:images", "-p", "no:randomly")
    result.assert_outcomes(failed=1)
    result.stdout.no_fnmatch_line(f"*{TEXT}*")


def test_json_does_not_take_it() -> None:
    with pytest.raises(TypeError):
        json.dumps({"password": SECRET})


def test_another_process_gets_an_empty_one() -> None:
    assert pickle.loads(pickle.dumps(SECRET)) == Secret()


def test_a_copy_in_this_process_keeps_the_text() -> None:
    assert copy.deepcopy(CREDENTIALS).password.reveal() == TEXT
    assert copy.copy(SECRET) is SECRET


def test_it_compares_hashes_and_does_not_change() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a") != "a"
    with pytest.raises(AttributeError, match="cannot be changed"):
        SECRET._text = ""
    with pytest.raises(AttributeError, match="cannot be changed"):
        del SECRET._text


def test_an_empty_one_says_so() -> None:
    assert not Secret()
    assert repr(Secret()) == "Secret()"
