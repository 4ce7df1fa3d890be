"""How voice and face vary together within one clip: windows, shrunk covariances, their distance.

The rows are time: the aligned representations `Z_a`, `Z_v` of 1 s windows every 0.25 s, where a voice and a
face are both present. With as few rows as a clip has, a plain covariance is mostly noise, so each is shrunk
(Ledoit and Wolf 2004) and brought to correlation form: the distance then speaks of the pattern, not of how
lively a clip is, and it is the distance of the very matrices that are shown.

A distance falls with the number of rows behind it. So distances are only ever compared at the same number:
the mean over runs of FIXED_WINDOWS windows in a row, which keeps the overlap of the windows the same too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch.nn.utils.rnn import pad_sequence

from core.types import AUDIO_RATE, PRESENCE, VISUAL_RATE, ClipFeatures

WINDOW = 1.0
STEP = 0.25
"""Seconds of one window, and from one window to the next."""

FIXED_WINDOWS = 8
"""Rows behind every distance that is compared; a clip with fewer has no answer."""

RUNS = 64
"""At most so many runs of FIXED_WINDOWS rows are averaged."""

PRESENT = 0.5
"""Part of a window in which the voice, and the face, must be there."""


class Encoders(Protocol):
    """What is needed of a network: its two encoders and their maps to the common width d."""

    def encode_audio(self, audio_btd: torch.Tensor, length: torch.Tensor) -> torch.Tensor: ...

    def encode_visual(self, visual_btd: torch.Tensor, length: torch.Tensor) -> torch.Tensor: ...

    def align_audio(self, encoded: torch.Tensor) -> torch.Tensor: ...

    def align_visual(self, encoded: torch.Tensor) -> torch.Tensor: ...


@dataclass(frozen=True, slots=True)
class PairedWindows:
    """The windows of one clip with voice and face: n of (T_a, 33), their voiced frames; (n, T_v, 128)."""

    audio: list[np.ndarray]
    visual: np.ndarray

    def __len__(self) -> int:
        return len(self.audio)


def paired_windows(features: ClipFeatures) -> PairedWindows | None:
    """The 1 s windows of a clip in which voice and face are both present; None without sound or picture."""
    if features.audio is None or features.visual is None or features.voiced is None:
        return None
    audio_frames, visual_frames = round(WINDOW * AUDIO_RATE), round(WINDOW * VISUAL_RATE)
    # Neither rate divides every length: the frame that rounding may have dropped at the end is forgiven.
    seconds = min((len(features.audio) + 1) / AUDIO_RATE, (len(features.visual) + 0.5) / VISUAL_RATE)
    audio, visual = [], []
    for number in range(max(0, int((seconds - WINDOW) / STEP + 1e-6) + 1)):
        heard = _stretch(number * STEP * AUDIO_RATE, audio_frames, len(features.audio))
        seen = _stretch(number * STEP * VISUAL_RATE, visual_frames, len(features.visual))
        voice, face = features.voiced[heard], features.visual[seen, PRESENCE] > 0
        if voice.mean() >= PRESENT and face.mean() >= PRESENT:
            audio.append(features.audio[heard][voice])
            visual.append(features.visual[seen])
    if not audio:
        return PairedWindows(
            [],
            np.empty((0, visual_frames, features.visual.shape[1]), np.float32),
        )
    return PairedWindows(audio, np.stack(visual))


def _stretch(start: float, frames: int, total: int) -> slice:
    """`frames` frames from about `start`, moved back by the one that rounding may have put past the end."""
    first = min(round(start), total - frames)
    return slice(first, first + frames)


@torch.inference_mode()
def represent(network: Encoders, windows: PairedWindows) -> tuple[np.ndarray, np.ndarray]:
    """`Z_a`, `Z_v`, each (n, d) float64, of the windows of one clip."""
    voices = [torch.from_numpy(voice) for voice in windows.audio]
    audio_btd, length = pad_sequence(voices, batch_first=True), torch.tensor([len(v) for v in voices])
    visual_btd = torch.from_numpy(windows.visual)
    z_audio = network.align_audio(network.encode_audio(audio_btd, length))
    z_visual = network.align_visual(
        network.encode_visual(visual_btd, torch.full((len(visual_btd),), visual_btd.shape[1]))
    )
    return z_audio.double().numpy(), z_visual.double().numpy()


def shrunk_correlations(rows: np.ndarray) -> np.ndarray:
    """Correlation form (k, d, d) of the Ledoit-Wolf covariances of k sets of rows (k, n, d), at once.

    A set in which nothing varies gives the identity. (scikit-learn has the same estimate, one set at a time,
    which a test holds this one against; a clip needs a hundred, and people wait.)
    """
    _, count, width = rows.shape
    centred = rows - rows.mean(axis=1, keepdims=True)
    plain = np.swapaxes(centred, 1, 2) @ centred / count
    mean_variance = np.trace(plain, axis1=1, axis2=2) / width
    squared = np.square(plain).sum(axis=(1, 2))
    # Both over d: how far the plain estimate lies from a multiple of the identity, and how uncertain it is.
    distance = squared / width - mean_variance**2
    fourth = np.square(np.square(centred).sum(axis=2)).sum(axis=1) / count
    noise = np.minimum((fourth - squared) / (count * width), distance)
    shrinkage = np.divide(noise, distance, out=np.zeros_like(noise), where=distance > 0)[:, None, None]
    covariance = (1 - shrinkage) * plain + shrinkage * mean_variance[:, None, None] * np.eye(width)
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    # Shrinkage puts the mean variance on the diagonal, so it is zero only where every column is constant.
    scale = np.where(deviation > 0, deviation, 1.0)
    return np.where(
        deviation.min(axis=1, keepdims=True)[:, :, None] > 0,
        covariance / (scale[:, :, None] * scale[:, None, :]),
        np.eye(width),
    )


def shrunk_correlation(rows: np.ndarray) -> np.ndarray:
    """`shrunk_correlations` (d, d) of one set of rows (n, d)."""
    return shrunk_correlations(rows[None])[0]


def matrix_distance(first: np.ndarray, second: np.ndarray) -> float:
    """`|C_a - C_v|_F^2 / (4 d^2)` of two (d, d) matrices: the alignment loss's formula."""
    width = first.shape[0]
    return float(np.square(first - second).sum() / (4 * width * width))


def runs(rows: np.ndarray) -> np.ndarray:
    """Correlations (k, d, d) of k ≤ RUNS runs of FIXED_WINDOWS rows, spread evenly over rows (n, d)."""
    last = len(rows) - FIXED_WINDOWS
    starts = np.unique(np.linspace(0, last, min(RUNS, last + 1)).round().astype(int))
    return shrunk_correlations(rows[starts[:, None] + np.arange(FIXED_WINDOWS)])


def fixed_distance(audio_runs: np.ndarray, visual_runs: np.ndarray) -> float:
    """Mean distance of a clip's own voice and face over its runs (k, d, d), which lie at the same times."""
    return float(run_distances(audio_runs, visual_runs).mean())


def run_distances(audio_runs: np.ndarray, visual_runs: np.ndarray) -> np.ndarray:
    """(k,) distances of runs (k, d, d), pair by pair."""
    return np.array([matrix_distance(a, v) for a, v in zip(audio_runs, visual_runs, strict=True)])
