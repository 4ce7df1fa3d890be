"""Values of settings as they are typed: numbers, lists `a, b`, and tables `key = a, b`, one line a key.

What is written can be read back exactly. A word that would be taken for something else is quoted as in JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

_BARE = re.compile(r'[^\s,="\\](?:[^,="\\]*[^\s,="\\])?')
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_WORD = re.compile(r'[^,="]*')


def number_text(value: float) -> str:
    """The shortest text that is this number again: 3, 0.1, 5e-05."""
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return str(int(value))
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def word_text(value: Any) -> str:
    """One item of a list: a number or a word, quoted where it must be."""
    if isinstance(value, (int, float)):
        return number_text(value)
    return value if value.isprintable() and _BARE.fullmatch(value) else json.dumps(value)


def list_text(values: Iterable[Any]) -> str:
    """Items with commas between."""
    return ", ".join(word_text(value) for value in values)


def list_of(text: str) -> list[str]:
    """The items of `list_text`; nothing between commas is no item. ValueError for a text that is no list."""
    items, place = [], 0
    while place < len(text):
        word, place = _word(text, place)
        if text[place : place + 1] not in ("", ","):
            raise ValueError(f"{text[place:]}: unexpected; quote it as in JSON")
        if word is not None:
            items.append(word)
        place += 1
    return items


def table_text(values: Mapping[str, Any]) -> str:
    """One line a key: `key = value`, or `key = value, value`."""
    return "\n".join(
        f"{word_text(key)} = {list_text(value) if isinstance(value, (list, tuple)) else word_text(value)}"
        for key, value in values.items()
    )


def table_of(text: str, lists: bool) -> dict[str, Any]:
    """What `table_text` wrote; values are lists, or single words. ValueError for a text that is no table."""
    found: dict[str, Any] = {}
    for line in text.split("\n"):
        if not line.strip():
            continue
        key, values = _key(line)
        if not lists and len(values) != 1:
            raise ValueError(f"{key} needs one value after =")
        found[key] = values if lists else values[0]
    return found


def _key(line: str) -> tuple[str, list[str]]:
    key, end = _word(line, 0)
    if line[end : end + 1] != "=":
        raise ValueError(f"{line.strip()}: write key = value")
    return key or "", list_of(line[end + 1 :])


def _word(text: str, place: int) -> tuple[str | None, int]:
    """The word that begins at a place, None for nothing, and the place after it."""
    while text[place : place + 1].isspace():
        place += 1
    if quoted := _QUOTED.match(text, place):
        end = quoted.end()
        while text[end : end + 1].isspace():
            end += 1
        return json.loads(quoted[0]), end
    bare = _WORD.match(text, place)
    assert bare is not None
    return bare[0].strip() or None, bare.end()
