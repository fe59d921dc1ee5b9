from __future__ import annotations

import dataclasses

import pytest

from pytest_images.dockerfile.expand import Expander
from pytest_images.dockerfile.heredoc import Heredoc
from pytest_images.dockerfile.instructions import Copy, Instruction, Run
from pytest_images.dockerfile.reading import read_trigger
from pytest_images.dockerfile.stages import parse
from pytest_images.errors import InvalidDockerfile

BY = Expander({"A": "x", "N": "80", "Q": "a b", "NONE": ""})


def instruction(text: str) -> Instruction:
    return parse(f"FROM alpine\n{text}\n").stages[0].instructions[0]


# The reference, "Environment replacement" and "ONBUILD"; BuildKit's instructions/commands.go
@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("ADD --chown=$A --chmod=$A $A /$A", "ADD --chown=x --chmod=x x /x"),
        ("ADD --checksum=$A $A /$A", "ADD --checksum=x x /x"),
        ("COPY --chown=$A --chmod=$A $A /$A", "COPY --chown=x --chmod=x x /x"),
        ('COPY ["$Q", "/$A"]', 'COPY ["a b", "/x"]'),
        ('ENV $A=1 B="$Q" C=\\$A D=$NOT', "ENV x=1 B=a\\ b C=\\$A D="),
        ('ENV A a "b"', 'ENV A a b'),
        ("EXPOSE $N 443/$NONE 1-3/udp 80", "EXPOSE 1/udp 2/udp 3/udp 443/tcp 80/tcp"),
        ('LABEL $A=$A "a b"="c"', "LABEL x=x a\\ b=c"),
        ("STOPSIGNAL $N", "STOPSIGNAL 80"),
        ("USER $A:$N", "USER x:80"),
        ("VOLUME /$A /$N", "VOLUME /x /80"),
        ("WORKDIR /$A", "WORKDIR /x"),
        ("RUN echo $A", "RUN echo $A"),
        ("CMD echo $A", "CMD echo $A"),
        ('ENTRYPOINT ["$A"]', 'ENTRYPOINT ["$A"]'),
        ('SHELL ["$A"]', 'SHELL ["$A"]'),
        ("HEALTHCHECK CMD $A", "HEALTHCHECK CMD $A"),
        ("ONBUILD COPY $A /$A", "ONBUILD COPY $A /$A"),
        ("COPY --exclude=$A a /a", "COPY --exclude=$A a /a"),
        ("MAINTAINER $A", "MAINTAINER $A"),
    ],
)  # fmt: skip
def test_an_instruction_is_expanded_where_docker_expands_it(text: str, same: str) -> None:
    expanded, expected = instruction(text).expand(BY), instruction(same)
    plain = {field.name: getattr(expanded, field.name) for field in dataclasses.fields(expanded)}
    for field in dataclasses.fields(expected):
        if field.name == "pairs":  # compared without their quotes and escapes
            expected = expected.expand(Expander({}))
        if field.name == "ports":
            plain["ports"] = tuple(sorted(plain["ports"]))
        if field.name != "place" and field.name not in ("expression",):
            value = getattr(expected, field.name)
            assert str(plain[field.name]).replace("\\$", "$") == str(value).replace("\\$", "$")


def test_what_can_not_be_expanded_is_an_error_at_its_line() -> None:
    for text in ("WORKDIR ${A", "COPY ${A:?no} /", "EXPOSE x$A", "VOLUME $NONE", "USER ${A#\\q}"):
        with pytest.raises(InvalidDockerfile) as caught:
            instruction(text).expand(Expander({"NONE": ""}))
        assert (caught.value.line, caught.value.text) == (2, text)


def test_a_base_is_expanded_and_may_not_become_blank() -> None:
    start = parse("FROM --platform=$P a:$V AS x\n").stages[0].start
    found = start.expand(Expander({"P": "linux/arm64", "V": "3"}))
    assert (found.base, found.platform, found.name) == ("a:3", "linux/arm64", "x")
    with pytest.raises(InvalidDockerfile, match=r"empty platform value from expression \$P"):
        start.expand(Expander({"V": "3"}))
    with pytest.raises(InvalidDockerfile, match=r"base name \(\$V\) should not be blank"):
        parse("FROM $V").stages[0].start.expand(Expander({}))


def test_a_here_document_of_copy_is_expanded_unless_its_name_is_quoted() -> None:
    copy = instruction("COPY <<-a <<'b' /d/\n\t\"$A\" \\$A\na\n$A\nb")
    assert isinstance(copy, Copy)
    assert copy.expand(BY).documents == (
        Heredoc("a", '"x" $A\n', expands=False),
        Heredoc("b", "$A\n", expands=False),
    )


def test_mounts_are_read_with_their_variables_when_these_are_known() -> None:
    run = instruction("RUN --mount=type=$T,target=/$A make")
    assert isinstance(run, Run)
    [mount] = run.mounts_of(Expander({"T": "tmpfs", "A": "x"}))
    assert (mount.type.value, mount.target) == ("tmpfs", "/x")
    with pytest.raises(InvalidDockerfile, match="type=ssh is not supported"):
        run.mounts_of(Expander({"T": "ssh"}))


@pytest.mark.parametrize(
    ("text", "script", "shell_text"),
    [
        ("RUN <<EOF\na\nEOF", "a\n", "<<EOF\na\nEOF"),
        ("RUN <<-EOF\n\ta\n\tEOF", "a\n", "<<-EOF\n\ta\nEOF"),
        ("RUN cat <<EOF\na\nEOF", None, "cat <<EOF\na\nEOF"),
        ("RUN <<A cat && <<B cat\na\nA\nb\nB", None, "<<A cat && <<B cat\na\nA\nb\nB"),
        ("RUN make", None, "make"),
    ],
)
def test_a_here_document_alone_is_the_script_and_others_are_for_the_shell(
    text: str, script: str | None, shell_text: str
) -> None:
    run = instruction(text)
    assert isinstance(run, Run)
    assert (run.script.text if run.script else None) == script
    assert run.shell_text == shell_text


def test_a_trigger_of_a_config_is_one_instruction_that_may_be_one() -> None:
    assert read_trigger("COPY . /src", "alpine") == instruction("COPY . /src")
    assert isinstance(read_trigger("RUN <<EOF\na\nEOF", "alpine"), Run)
    for text in ("", "RUN a\nRUN b", "FROM a", "ONBUILD RUN a", "MAINTAINER me", "WHAT"):
        with pytest.raises(InvalidDockerfile) as caught:
            read_trigger(text, "alpine")
        assert caught.value.source == "alpine"


def test_a_password_in_an_address_is_not_shown_with_the_instruction() -> None:
    add = instruction("ADD https://me:secret@example.test/a.git /a")
    assert add.source_line == "ADD https://example.test/a.git /a"


def test_a_password_in_an_address_is_not_shown_in_an_error() -> None:
    with pytest.raises(InvalidDockerfile) as caught:
        instruction("ADD --bad https://me:secret@example.test/a.git /a")
    assert "secret" not in str(caught.value)


def test_two_instructions_that_say_the_same_are_equal_wherever_they_stand() -> None:
    one, two = parse("FROM a\nRUN x\n\nRUN  x\n").stages[0].instructions
    assert one == two
    assert one.place != two.place
