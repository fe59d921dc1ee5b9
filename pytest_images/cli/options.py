"""Options as Docker's command line reads them (spf13/pflag), declared in a few words.

Ours because argparse costs a tenth of what a whole `ls` may take, and reads differently:
``--quiet=false``, ``-aq``, ``-f=key=value``, options between and after arguments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
PROGRAM = "pytest-images"
FORMAT_HELP = """\
Format output using a custom template:
'table':            Print output in table format with column headers (default)
'table TEMPLATE':   Print output in table format using the given Go template
'json':             Print in JSON format
'TEMPLATE':         Print output using the given Go template"""


class Option:
    """One option. *kind* is what its value is called in the help; "" makes it a flag."""

    __slots__ = ("help", "kind", "name", "repeats", "short")

    def __init__(
        self, name: str, help: str, *, short: str = "", kind: str = "", repeats: bool = False
    ) -> None:
        self.name, self.help, self.short, self.kind = name, help, short, kind
        self.repeats = repeats

    @property
    def shown(self) -> str:
        """The option as an error names it: ``-q, --quiet``."""
        return f"-{self.short}, --{self.name}" if self.short else f"--{self.name}"


class Command:
    """One command: what follows its name, how many arguments it takes, its options."""

    __slots__ = ("arguments", "least", "most", "name", "options")

    def __init__(
        self,
        name: str,
        arguments: str,
        options: Sequence[Option] = (),
        *,
        least: int = 0,
        most: int | None = None,
    ) -> None:
        self.name, self.arguments, self.options = name, arguments, tuple(options)
        self.least, self.most = least, most

    @property
    def full(self) -> str:
        """The command with the program's name, as it is typed."""
        return f"{PROGRAM} {self.name}".rstrip()

    @property
    def usage(self) -> str:
        """How the command is typed, in one line."""
        return " ".join(filter(None, (self.full, "[OPTIONS]" * bool(self.options), self.arguments)))


class Parsed:
    """What was typed: options by name and the arguments between them."""

    __slots__ = ("_values", "arguments", "wants_help")

    def __init__(self) -> None:
        self._values: dict[str, list[str | bool]] = {}
        self.arguments: list[str] = []
        self.wants_help = False

    def add(self, option: Option, value: str | bool) -> None:
        """Take one value of an option; the last counts, unless the option repeats."""
        self._values.setdefault(option.name, []).append(value)

    def flag(self, name: str) -> bool:
        """Whether the flag *name* was set."""
        return bool(self._values.get(name, (False,))[-1])

    def has(self, name: str) -> bool:
        """Whether the option *name* was given at all."""
        return name in self._values

    def text(self, name: str, default: str = "") -> str:
        """The last value of the option *name*."""
        return str(self._values.get(name, (default,))[-1])

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of the option *name*, in order."""
        return tuple(map(str, self._values.get(name, ())))


class UsageError(Exception):
    """The command line cannot be read; *code* is the exit status Docker ends with."""

    def __init__(self, message: str, command: Command | None = None, code: int = 125) -> None:
        from pytest_images.errors import shown

        super().__init__(message)
        self.message, self.command, self.code = shown(message), command, code


def parse(command: Command, words: Sequence[str], *, interspersed: bool = True) -> Parsed:
    """Read *words* as options and arguments of *command*.

    Without *interspersed* the first argument ends the options: what follows is left as it
    is, for the command it names. Raises UsageError.
    """
    reading = _Reading(command, list(words))
    while reading.words:
        word = reading.words.pop(0)
        if word == "--":
            reading.parsed.arguments += reading.words
            break
        if word.startswith("--"):
            reading.long(word)
        elif word.startswith("-") and word != "-":
            reading.shorts(word[1:])
        else:
            reading.parsed.arguments.append(word)
            if not interspersed:
                reading.parsed.arguments += reading.words
                break
    return reading.parsed


def check_arguments(command: Command, count: int) -> None:
    """Raise UsageError (exit status 1) unless *command* takes *count* arguments."""
    if command.least <= count and (command.most is None or count <= command.most):
        return
    if command.most == 0:
        wanted = "accepts no arguments"
    elif command.least == command.most:
        wanted = f"requires {_arguments(command.least)}"
    elif count < command.least:
        wanted = f"requires at least {_arguments(command.least)}"
    else:
        wanted = f"requires at most {_arguments(command.most or 0)}"
    raise UsageError(f"{PROGRAM}: '{command.full}' {wanted}", command, 1)


def _arguments(count: int) -> str:
    return f"{count} argument" + "s" * (count != 1)


class _Reading:
    """The state of `parse`: what is left to read, what was read."""

    def __init__(self, command: Command, words: list[str]) -> None:
        self.command, self.words, self.parsed = command, words, Parsed()
        self.longs = {option.name: option for option in command.options}

    def long(self, word: str) -> None:
        name, equals, value = word[2:].partition("=")
        if not name or name.startswith("-"):
            raise UsageError(f"bad flag syntax: {word}", self.command)
        option = self.longs.get(name)
        if option is None and name == "help":
            self._help(value if equals else "true")
        elif option is None:
            raise UsageError(f"unknown flag: --{name}", self.command)
        elif equals:
            self._take(option, value)
        elif option.kind:
            self._take(option, self._next(f"flag needs an argument: --{name}"))
        else:
            self.parsed.add(option, True)

    def shorts(self, letters: str) -> None:
        while letters:
            letter, rest = letters[0], letters[1:]
            option = next((o for o in self.command.options if o.short == letter), None)
            if option is None and letter == "h":
                self._help("true")
            elif option is None:
                message = f"unknown shorthand flag: '{letter}' in -{letters}"
                raise UsageError(message, self.command)
            elif len(rest) > 1 and rest[0] == "=":
                self._take(option, rest[1:])
                return
            elif option.kind:
                missing = f"flag needs an argument: '{letter}' in -{letters}"
                self._take(option, rest or self._next(missing))
                return
            else:
                self.parsed.add(option, True)
            letters = rest

    def _next(self, missing: str) -> str:
        if not self.words:
            raise UsageError(missing, self.command)
        return self.words.pop(0)

    def _help(self, value: str) -> None:
        self.parsed.wants_help = value in _TRUE

    def _take(self, option: Option, value: str) -> None:
        if option.kind:
            self.parsed.add(option, value)
        elif value in _TRUE or value in _FALSE:
            self.parsed.add(option, value in _TRUE)
        else:
            reason = "it is neither true nor false"
            raise invalid_value(self.command, option, value, reason)


def invalid_value(command: Command, option: Option, value: str, reason: str) -> UsageError:
    """Return the error of an option whose *value* cannot be used."""
    message = f'invalid argument "{value}" for "{option.shown}" flag: {reason}'
    return UsageError(message, command)
