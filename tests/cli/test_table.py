from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pytest_images.cli.table import table

HEADER = ("REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE")
CELLS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def test_no_rows_give_the_header_as_docker_sets_it() -> None:
    assert table(HEADER, []) == "REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n"


def test_columns_are_as_wide_as_their_longest_cell_and_three() -> None:
    row = ("hello-world", "latest", "07b26f090c77", "3 hours ago", "10.1kB")
    assert table(HEADER, [row]) == (
        "REPOSITORY    TAG       IMAGE ID       CREATED       SIZE\n"
        "hello-world   latest    07b26f090c77   3 hours ago   10.1kB\n"
    )


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=8))
def test_every_cell_can_be_read_back(rows: list[tuple[str, str, str]]) -> None:
    lines = table(("A", "B", "C"), rows).splitlines()
    assert [tuple(line.split()) for line in lines] == [("A", "B", "C"), *rows]
