"""Voice: 33 numbers every 32 ms: zero-crossing rate, 20 MFCC, 12 CQT chroma (the field's usual set).

Every frame depends on about a second of sound around it and on nothing else, so a clip cut out of a longer
recording, a block of an hour and the live stream all give the same numbers: levels are absolute (no
normalisation by the loudest frame of the file) and the tuning is fixed instead of estimated from the file.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from core.errors import Cancelled
from core.features.kept_filters import keep_filters
from core.media import SAMPLE_RATE
from core.types import AUDIO_WIDTH

HOP = 512
WINDOW = 2048
MFCC = 20
MARGIN = 32
"""Frames of context on either side of a block (1.02 s): the longest CQT filter is 0.51 s, and its transform
wants two seconds at least."""
BLOCK = 1875
"""Frames computed at a time (60 s), so that an hour of sound costs the memory of a minute."""
FLOOR = 1e-8
"""Mel power counted as silence: what the rounding to 16 bits alone gives (-80 dB), so that digital silence
and a quiet room lie close together instead of 20 dB apart."""


def audio_features(audio: np.ndarray, cancelled: Callable[[], bool] | None = None) -> np.ndarray:
    """Features of (n,) float sound at 16 kHz in [-1, 1] as (1 + n // 512, 33) float32, all finite.

    Frame k is centred on sample 512 k; beyond the ends the sound counts as silence. Columns: 0 zero-crossing
    rate in [0, 1]; 1-20 MFCC of the log mel spectrum (128 bands, dB, orthonormal DCT); 21-32 chroma from C
    in [0, 1], the strongest of a frame is 1. No sample at all gives one frame of silence. Raises
    Cancelled; `cancelled` is asked once a block.
    """
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32), nan=0.0, posinf=1.0, neginf=-1.0)
    frames = 1 + len(audio) // HOP
    features = np.empty((frames, AUDIO_WIDTH), dtype=np.float32)
    for first in range(0, frames, BLOCK):
        if cancelled is not None and cancelled():
            raise Cancelled
        count = min(BLOCK, frames - first)
        sound = _stretch(audio, (first - MARGIN) * HOP, (first + count + MARGIN) * HOP)
        features[first : first + count] = _block(sound)[MARGIN : MARGIN + count]
    return features


def warm() -> None:
    """Loads librosa and its filters (about a second), so that the first clip does not wait for them."""
    audio_features(np.zeros(SAMPLE_RATE, dtype=np.float32))


def _stretch(audio: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Samples start..stop of the sound, zeros where it has none."""
    inside = audio[max(start, 0) : min(stop, len(audio))]
    return np.pad(inside, (max(-start, 0), stop - max(start, 0) - len(inside)))


def _block(sound: np.ndarray) -> np.ndarray:
    """(1 + n // HOP, 33) of a stretch of at least 2.1 s."""
    from librosa.feature import chroma_cqt

    keep_filters()
    chroma = chroma_cqt(y=sound, sr=SAMPLE_RATE, hop_length=HOP, tuning=0.0)
    return np.column_stack([_zero_crossing_rate(sound), _mfcc(sound).T, chroma.T])


def _mfcc(sound: np.ndarray) -> np.ndarray:
    from librosa import power_to_db
    from librosa.feature import melspectrogram, mfcc

    mel = melspectrogram(y=sound, sr=SAMPLE_RATE, n_fft=WINDOW, hop_length=HOP)
    return mfcc(S=power_to_db(mel, amin=FLOOR, top_db=None), n_mfcc=MFCC)


def _zero_crossing_rate(sound: np.ndarray) -> np.ndarray:
    """As librosa's, which compiles for three seconds on its first call."""
    negative = np.pad(sound, WINDOW // 2) < -1e-10
    crossed = np.concatenate([[0], np.cumsum(negative[1:] != negative[:-1])])
    starts = np.arange(0, len(sound) + 1, HOP)
    return (crossed[starts + WINDOW - 1] - crossed[starts]) / WINDOW
