"""Numbers and texts of all clips in blocks of 1,024: a million clips are filtered by reading a few megabytes.

A column is float32 by clip id; NaN where there is nothing. Columns follow from the other tables and are
written with them:

| kind | modality | owner | value |
|---|---|---|---|
| rating | each | rater | the rating, infinity for "cannot judge" |
| mean, spread | each | 0 | mean and range over raters, range from two on |
| estimate, doubt | each | 0 | the model's estimate, width of its interval |
| settled | each | 0 | what adjudication settled |
| flag, assigned | "" | rater | 1 |
| flags | "" | 0 | number of raters that flagged it |
| seen | "" | a model | 1 where it has looked at the clip |
| missing, gone | "" | 0 | 1 where the file is missing, the recording was deleted |
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from core.annotation.database import insert_new, upsert
from core.annotation.schema import column_blocks, text_blocks

BLOCK = 1024
CANNOT = float("inf")
_AT_ONCE = 3
_DENSE = 64
"""Places in a block from which on the rest is looked for everywhere too."""
_NEW_LINE = ord("\n")


def column(connection: Connection, kind: str, modality: str, owner: int, size: int) -> np.ndarray:
    """(size,) float32: the column by clip id; index 0 is nobody's."""
    values = np.full(-(-max(size, 1) // BLOCK) * BLOCK, np.nan, dtype=np.float32)
    table = column_blocks
    found = connection.execute(
        sa.select(table.c.block, table.c.data).where(
            table.c.kind == kind, table.c.modality == modality, table.c.owner == owner
        )
    )
    for block, data in found:
        if (place := block * BLOCK) < len(values):  # a block that came after `size` was asked for
            values[place : place + BLOCK] = np.frombuffer(data, dtype="<f4")
    return values[:size]


def put(connection: Connection, kind: str, modality: str, owner: int, clip: int, value: float) -> None:
    """Set one value of a column."""
    put_many(connection, kind, modality, owner, np.array([clip]), np.array([value]))


def put_many(
    connection: Connection, kind: str, modality: str, owner: int, clips: np.ndarray, values: np.ndarray
) -> None:
    """Set the values (n,) of clips (n,). Waits for whoever else writes these blocks."""
    table, blocks = column_blocks, clips // BLOCK
    for block in np.unique(blocks):
        key = {"kind": kind, "modality": modality, "owner": int(owner), "block": int(block)}
        data, here = np.frombuffer(_held(connection, key), dtype="<f4").copy(), blocks == block
        data[clips[here] % BLOCK] = values[here]
        connection.execute(table.update().where(*_is(key)).values(data=data.tobytes()))


def _held(connection: Connection, key: dict[str, Any]) -> bytes:
    """A block, made where it is not there, and kept from other writers until the transaction ends."""
    wanted = sa.select(column_blocks.c.data).where(*_is(key)).with_for_update()
    if (data := connection.scalar(wanted)) is None:
        insert_new(connection, column_blocks, [key | {"data": np.full(BLOCK, np.nan, dtype="<f4").tobytes()}])
        data = connection.execute(wanted).scalar_one()
    return data


def _is(key: dict[str, Any]) -> list[sa.ColumnElement[bool]]:
    return [column_blocks.c[name] == value for name, value in key.items()]


def lock(connection: Connection, kind: str, modality: str, owner: int, clip: int) -> None:
    """Keep others from this value's block until the transaction ends; SQLite's writers are alone anyway."""
    if connection.dialect.name == "postgresql":
        _held(connection, {"kind": kind, "modality": modality, "owner": owner, "block": clip // BLOCK})


def folded(text: str) -> str:
    """Text as it is searched: case folded, in one line."""
    return " ".join(text.casefold().split())


def put_texts(connection: Connection, rows: Sequence[tuple[int, str, str]]) -> None:
    """Set the searched names and texts of clips: (id, name, text)."""
    by_block: dict[int, list[tuple[int, str, str]]] = {}
    for row in rows:
        by_block.setdefault(row[0] // BLOCK, []).append(row)
    table = text_blocks
    for block, changed in by_block.items():
        insert_new(connection, table, [{"block": block, "names": _EMPTY, "texts": _EMPTY}])
        where = table.c.block == block
        names, texts = connection.execute(
            sa.select(table.c.names, table.c.texts).where(where).with_for_update()
        ).one()
        names, texts = bytes(names).split(b"\n"), bytes(texts).split(b"\n")
        for clip, name, text in changed:
            names[clip % BLOCK] = folded(name).encode()
            texts[clip % BLOCK] = folded(text).encode()
        upsert(connection, table, {"block": block, "names": b"\n".join(names), "texts": b"\n".join(texts)})


_EMPTY = b"\n" * (BLOCK - 1)


def matching(connection: Connection, text: str, size: int, *, names_only: bool) -> np.ndarray:
    """(size,) bool by clip id: whether the name, or the text too, holds `text`, whatever the case."""
    found = np.zeros(size, dtype=bool)
    wanted, table = folded(text).encode(), text_blocks
    if not wanted:
        found[1:] = True
        return found
    read = [table.c.names] if names_only else [table.c.names, table.c.texts]
    for block, *columns in connection.execute(sa.select(table.c.block, *read)):
        for lines in columns:
            hits = block * BLOCK + _rows_with(bytes(lines), wanted)
            found[hits[hits < size]] = True
    return found


def _rows_with(lines: bytes, wanted: bytes) -> np.ndarray:
    """Numbers of the lines that hold `wanted`, in order.

    Its last letters are looked for everywhere at once; what is before them, where there are few places, only
    there.
    """
    letters, before = np.frombuffer(lines, dtype=np.uint8), max(len(wanted) - _AT_ONCE, 0)
    begins = _everywhere(letters, wanted, range(before, len(wanted)))
    places = np.flatnonzero(begins)
    few = len(places) <= _DENSE
    if few and before:
        places = np.array([place for place in places if lines.startswith(wanted, place)], dtype=np.int64)
    if not len(places):
        return places
    ends = np.flatnonzero(letters == _NEW_LINE)
    if few:
        return np.unique(np.searchsorted(ends, places))
    begins &= _everywhere(letters, wanted, range(before))
    return np.flatnonzero(np.logical_or.reduceat(begins, np.append(0, ends + 1)))


def _everywhere(letters: np.ndarray, wanted: bytes, shifts: Iterable[int]) -> np.ndarray:
    """(n + 1,) bool: where `wanted` may begin, going by its letters at these shifts."""
    width = max(len(letters) - len(wanted) + 1, 0)
    same = np.zeros(len(letters) + 1, dtype=bool)
    same[:width] = True
    for shift in shifts:
        same[:width] &= letters[shift : shift + width] == wanted[shift]
    return same
