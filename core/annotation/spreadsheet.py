"""Tables for people's spreadsheets: text that a spreadsheet would take for a formula is none any more."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001


def harmless(text: str) -> str:
    """Text with an apostrophe before it where it would start a formula."""
    return f"'{text}" if text.startswith(_STARTS) else text


def table(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A CSV text. Numbers are written so that they are read back equal; None is an empty cell."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([harmless(name) for name in header])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return file.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() else repr(value)
    return harmless(value) if isinstance(value, str) else str(value)
