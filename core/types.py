"""The few values that flow through Consonance: clip -> features -> estimate -> what is drawn.

Light on purpose (NumPy only): the window imports this module too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Modality = Literal["text", "audio", "visual"]
Head = Literal["multimodal", "text", "audio", "visual"]

MODALITIES: tuple[Modality, ...] = ("text", "audio", "visual")
HEADS: tuple[Head, ...] = ("multimodal", *MODALITIES)

CLASS_VALUES = (-2.0, 0.0, 2.0)
"""Where negative, neutral and positive lie on a scale of -3 to 3, for data that has classes only."""

EXTRACTOR_VERSION = 2
"""Raised whenever `core.features` gives other numbers for the same clip; stored with every model."""

AUDIO_RATE = 31.25
"""Audio feature frames a second: 16 kHz sound, 512 samples a step."""
AUDIO_WIDTH = 33
"""1 zero-crossing rate, 20 MFCC, 12 CQT chroma, in this order."""

VISUAL_RATE = 10.0
"""Visual feature frames a second, on the clip's own clock."""
VISUAL_WIDTH = 128
"""52 blendshapes in [0, 1]; pitch, yaw, roll in radians; 72 of the face's shape, in distances between the
eyes; presence (1: a face was found, 0: the rest is 0)."""
SHAPE = slice(55, 127)
"""The columns of the visual features that tell the face's shape."""
PRESENCE = -1
"""The column of the visual features that says whether a face was found: the last."""


@dataclass(frozen=True, slots=True)
class Word:
    """One spoken word; `start` and `end` in seconds from the start of the clip.

    probability: the recogniser's, in [0, 1]; None for a typed word, whose times are estimated.
    """

    text: str
    start: float
    end: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said; `language` is an ISO 639-1 code, or "" for a typed transcript of unknown language."""

    text: str
    language: str
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class ClipFeatures:
    """Everything a model sees of one clip. A modality that is None has its reason in `missing`.

    audio: (T_a, AUDIO_WIDTH) float32 at AUDIO_RATE; voiced: (T_a,) bool, voice activity on the same frames.
    visual: (T_v, VISUAL_WIDTH) float32 at VISUAL_RATE. duration in seconds (0.0 for a still image).
    """

    duration: float
    transcript: Transcript | None = None
    audio: np.ndarray | None = None
    voiced: np.ndarray | None = None
    visual: np.ndarray | None = None
    missing: dict[Modality, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    """Wall time of the steps "decode", "transcribe", "extract"."""
    faces: int = 0
    """The most faces that were found in a frame, where all were looked for; 0: none, or not known."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A sentiment on the model's scale with its calibrated interval (None where it is not calibrated)."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Curve:
    """Estimates over time: at `time[i]` seconds that of the 3 s ending there; None where missing."""

    time: list[float]
    values: dict[Head, list[float | None]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well voice and face agree in one clip.

    distance: covariance distance of the two representations over `windows` windows of 1 s (method: docs).
    audio, visual: (d, d) shrunk correlation matrices of the same windows.
    percentile: in [0, 100] among the reference's recordings, None below 30 of them.
    shuffled: the same distance of this voice against other recordings' faces, None without a reference.
    shuffled_range: between which distances nine tenths of those lie that `shuffled` is the mean of.
    """

    distance: float
    windows: int
    percentile: float | None
    shuffled: float | None
    reference: dict[str, str | int]
    audio: list[list[float]]
    visual: list[list[float]]
    shuffled_range: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Analysis:
    """One clip's answer: what `consonance analyse --json` prints and the Review page draws."""

    file: str
    duration: float
    transcript: Transcript | None
    estimates: dict[Head, Estimate | None]
    curve: Curve
    alignment: Alignment | None
    alignment_reason: str
    """Why `alignment` is None, in words; "" where it is not."""
    missing: dict[Modality, str]
    model: dict[str, str]
    scale: tuple[float, float]
    seconds: dict[str, float]
    faces: int = 0
    """As of the features."""
