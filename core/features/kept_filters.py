"""Keeps the filters of librosa's constant-Q transform, which makes them anew at every call.

For the three seconds that Live looks at twice a second, making them takes three times as long as the rest.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

_NAME = "__vqt_filter_fft"
"""The function of librosa.core.constantq that makes them: a pure one, of small arguments."""


@cache
def keep_filters() -> None:
    """Let librosa remember its filters; where it has no such function any more, nothing changes."""
    from librosa.core import constantq

    make = getattr(constantq, _NAME, None)
    if make is not None:
        setattr(constantq, _NAME, _remembering(make))


def _remembering(make: Any) -> Any:
    known: dict[Any, tuple[Any, int, np.ndarray]] = {}

    def filters(*arguments: Any, **options: Any) -> tuple[Any, int, np.ndarray]:
        key = tuple(_hashable(value) for value in (*arguments, *sorted(options.items())))
        if key not in known:
            known[key] = make(*arguments, **options)
        basis, length, lengths = known[key]
        return basis.copy(), length, lengths  # a copy: the caller scales it in place

    return filters


def _hashable(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.shape, value.tobytes()
    if isinstance(value, tuple):
        return tuple(_hashable(part) for part in value)
    return value
