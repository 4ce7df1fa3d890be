"""The covariance picture of one clip: matrices, distance, and what they are held against.

The windows and the distance are in `windows.py`, the recordings to compare with in `reference.py`, the plain
sentences in `words.py`; this module is where the rest of the program finds them together.
"""

from __future__ import annotations

import numpy as np

from core.diagnostics.reference import Reference, build_reference
from core.diagnostics.windows import (
    FIXED_WINDOWS,
    Encoders,
    fixed_distance,
    paired_windows,
    represent,
    runs,
    shrunk_correlation,
)
from core.diagnostics.words import describe
from core.types import Alignment, ClipFeatures

__all__ = ["Reference", "build_reference", "describe", "measure"]


def measure(
    network: Encoders, features: ClipFeatures, reference: Reference | None = None
) -> tuple[Alignment | None, str]:
    """The alignment of one clip, or None with the reason in words.

    `reference`: real paired recordings of the same model; without it percentile and shuffled are None.
    """
    windows = paired_windows(features)
    if windows is None:
        lacking, other = ("voice", "face") if features.audio is None else ("face", "voice")
        return None, f"There is no {lacking} in the clip to compare with the {other}."
    if len(windows) < FIXED_WINDOWS:
        return None, (
            f"Voice and face are there together in {len(windows)} windows of one second; "
            f"{FIXED_WINDOWS} are needed for a comparison."
        )
    audio, visual = represent(network, windows)
    audio_runs = runs(audio)
    distance = fixed_distance(audio_runs, runs(visual))
    others = np.empty(0) if reference is None else reference.shuffled(audio_runs)
    return Alignment(
        distance=distance,
        windows=len(windows),
        percentile=None if reference is None else reference.percentile(distance),
        shuffled=float(others.mean()) if others.size else None,
        shuffled_range=_range(others) if others.size else None,
        reference={"name": "", "count": 0}
        if reference is None
        else {"name": reference.name, "count": len(reference)},
        audio=shrunk_correlation(audio).tolist(),
        visual=shrunk_correlation(visual).tolist(),
    ), ""


def _range(distances: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(distances, (0.05, 0.95))
    return float(low), float(high)
