"""The model's estimates beside the ratings: written by batch analysis, seen by those who may (`view`)."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import sqlalchemy as sa

from core.annotation import columns
from core.annotation.database import upsert
from core.annotation.schema import clips, estimates
from core.annotation.store import Store
from core.types import Estimate, Head


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


def todo(store: Store, model: str, limit: int = 1_000) -> list[int]:
    """Clips with a file that this model has not estimated yet, in order: what an interrupted analysis goes
    on with.

    A clip of which the model found no modality has no estimate and comes again: remember it while analysing.
    """
    done = sa.exists().where(estimates.c.clip_id == clips.c.id, estimates.c.model == model)
    chosen = (
        sa.select(clips.c.id)
        .where(clips.c.path.is_not(None), ~clips.c.missing, ~done)
        .order_by(clips.c.id)
        .limit(limit)
    )
    with store.database.read() as connection:
        return list(connection.scalars(chosen))
