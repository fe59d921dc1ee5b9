"""JSON for a runtime to read, written without the module of that name.

That imports what parses JSON, too, and takes longer than the rest of the confined process.
"""

from __future__ import annotations


def json_text(value: object) -> str:
    r"""Return *value* (dict, list, tuple, str, int, bool) as JSON in ASCII.

    >>> json_text({"args": ["é"], "terminal": False})
    '{"args":["\\u00e9"],"terminal":false}'
    """
    if isinstance(value, dict):
        pairs = (f"{_quoted(str(name))}:{json_text(each)}" for name, each in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list | tuple):
        return f"[{','.join(map(json_text, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(character: str) -> str:
    if character.isascii() and character.isprintable() and character not in '"\\':
        return character
    raw = character.encode("utf-16-be", "surrogatepass")  # two halves beyond 16 bits
    return "".join(f"\\u{raw[i : i + 2].hex()}" for i in range(0, len(raw), 2))
