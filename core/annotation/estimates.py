"""The model's estimates beside the ratings: written by batch analysis, seen by those who may (`view`)."""

from __future__ import annotations

import time
import zlib
from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa

from core.annotation import columns
from core.annotation.database import upsert
from core.annotation.schema import clips, estimates
from core.annotation.store import Store, last_clip
from core.types import Estimate, Head

SEEN = "seen"
"""The column of clips that a model has looked at."""
_CHUNK = 5_000


def put(store: Store, clip: int, made: Mapping[Head, Estimate | None], model: str) -> None:
    """Keep a model's estimates of a clip, on the project's scale, in place of earlier ones."""
    with store.database.write() as connection:
        for head in store.project.passes:
            estimate = made.get(head)
            value = width = np.nan
            if estimate is None:
                gone = (estimates.c.clip_id == clip, estimates.c.modality == head)
                connection.execute(estimates.delete().where(*gone))
            else:
                value = estimate.value
                if estimate.low is not None and estimate.high is not None:
                    width = estimate.high - estimate.low
                key = {"clip_id": clip, "modality": head}
                given = {"value": value, "low": estimate.low, "high": estimate.high}
                upsert(connection, estimates, {**key, **given, "model": model, "at": time.time()})
            columns.put(connection, "estimate", head, 0, clip, value)
            columns.put(connection, "doubt", head, 0, clip, width)
        columns.put(connection, SEEN, "", _owner(model), clip, 1.0)


def todo(store: Store, model: str, limit: int = 1_000) -> list[int]:
    """Clips with a file that this model has not looked at, in order: with these an analysis goes on.

    Looked at are those that were `put`, also where the model found nothing to estimate.
    """
    found: list[int] = []
    with store.database.read() as connection:
        size = last_clip(connection) + 1
        left = np.flatnonzero(np.isnan(columns.column(connection, SEEN, "", _owner(model), size)))[1:]
        for begin in range(0, len(left), _CHUNK):
            among = [int(clip) for clip in left[begin : begin + _CHUNK]]
            there = (clips.c.id.in_(among), clips.c.path.is_not(None), ~clips.c.missing)
            found += connection.scalars(sa.select(clips.c.id).where(*there).order_by(clips.c.id))
            if len(found) >= limit:
                break
    return found[:limit]


def _owner(model: str) -> int:
    """The number under which it is kept what a model has looked at."""
    return zlib.crc32(model.encode())
