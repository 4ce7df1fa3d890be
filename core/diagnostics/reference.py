"""Real paired recordings that a clip's alignment is held against; kept beside a checkpoint's weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from core.diagnostics.windows import (
    FIXED_WINDOWS,
    RUNS,
    Encoders,
    fixed_distance,
    paired_windows,
    represent,
    run_distances,
    runs,
    shrunk_correlations,
)
from core.errors import ModelError
from core.types import ClipFeatures

FILE = "reference.safetensors"

MINIMUM_RECORDINGS = 30
"""A percentile among fewer recordings would say more than is known."""

_SEED = 2305


@dataclass(frozen=True, slots=True)
class Reference:
    """Recordings of people whose voice and face belong together, seen through one model.

    name: what the recordings are. distances: (recordings,) each at FIXED_WINDOWS rows.
    visual: `Z_v` (windows, d) of all recordings, one after the other; counts: (recordings,) windows of each.
    """

    name: str
    distances: np.ndarray
    visual: np.ndarray
    counts: np.ndarray

    def __len__(self) -> int:
        return len(self.distances)

    def percentile(self, distance: float) -> float | None:
        """Where `distance` lies among the recordings, in [0, 100] (ties count half); None if they are few."""
        if len(self) < MINIMUM_RECORDINGS:
            return None
        below = np.count_nonzero(self.distances < distance)
        ties = np.count_nonzero(self.distances == distance)
        return float(100 * (below + ties / 2) / len(self))

    def shuffled(self, audio_runs: np.ndarray) -> np.ndarray:
        """Distances (RUNS,) of a voice (k runs of d by d) to these recordings' faces, drawn by a fixed seed.

        Empty where there is no recording.
        """
        if not len(self):
            return np.empty(0)
        draw = np.random.default_rng(_SEED)
        recordings = draw.integers(len(self), size=RUNS)
        ends = np.cumsum(self.counts)
        starts = (ends - self.counts)[recordings]
        starts = starts + draw.integers(self.counts[recordings] - FIXED_WINDOWS + 1)
        faces = shrunk_correlations(self.visual[starts[:, None] + np.arange(FIXED_WINDOWS)])
        return run_distances(audio_runs[draw.integers(len(audio_runs), size=RUNS)], faces)

    def save(self, folder: Path) -> None:
        """Write FILE into a checkpoint's folder."""
        from safetensors.numpy import save_file

        tensors = {
            "distances": self.distances.astype(np.float32),
            "visual": self.visual.astype(np.float32),
            "counts": self.counts.astype(np.int64),
        }
        partial = folder / f"{FILE}.part"
        save_file(tensors, partial, metadata={"name": self.name})
        partial.replace(folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Reference | None:
        """The reference in a checkpoint's folder, None where it has none. ModelError where it is damaged."""
        from safetensors import SafetensorError, safe_open

        path = folder / FILE
        if not path.is_file():
            return None
        try:
            with safe_open(path, framework="np") as file:
                name = (file.metadata() or {}).get("name", "")
                tensors = {key: file.get_tensor(key) for key in ("distances", "visual", "counts")}
        except (OSError, SafetensorError) as error:
            raise ModelError(
                f"{path} is not a reference that can be read: {error}", "Install the model again."
            ) from error
        reference = cls(
            name, tensors["distances"].astype(float), tensors["visual"].astype(float), tensors["counts"]
        )
        reference._check(path)
        return reference

    def _check(self, path: Path) -> None:
        shapes_fit = self.visual.ndim == 2 and self.distances.shape == self.counts.shape
        if (
            not shapes_fit
            or (self.counts < FIXED_WINDOWS).any()
            or self.counts.sum() != len(self.visual)
            or not np.isfinite(self.visual).all()
        ):
            raise ModelError(f"{path} holds arrays that do not fit together.", "Install the model again.")


def build_reference(network: Encoders, recordings: Iterable[ClipFeatures], name: str) -> Reference:
    """The reference of real paired recordings; those with too few windows of voice and face are left out.

    Never give it samples whose voice and face were matched by label only.
    """
    distances, visual, counts = [], [], []
    for features in recordings:
        windows = paired_windows(features)
        if windows is None or len(windows) < FIXED_WINDOWS:
            continue
        z_audio, z_visual = represent(network, windows)
        distances.append(fixed_distance(runs(z_audio), runs(z_visual)))
        visual.append(z_visual)
        counts.append(len(z_visual))
    return Reference(
        name,
        np.array(distances, dtype=float),
        np.concatenate(visual) if visual else np.empty((0, 0)),
        np.array(counts, dtype=np.int64),
    )
