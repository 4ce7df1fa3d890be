"""What a run learns from, as settings: one dataset file, or a list of tables."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from core.training.declared import Section
from core.training.declared import setting as _setting
from core.types import Head, Modality


class Columns(Section):
    """Names of the columns of a table; empty: it has none."""

    id: str = _setting("", "Id", "Name of the row; empty: its number.")
    text: str = _setting("", "Text", "What was said.")
    file: str = _setting("", "File", "Clip, sound file or picture, relative to the media folder.")
    label: str = _setting("", "Label", "Score, or name of a class.")
    group: str = _setting("", "Group", "Video or person: never split between training and validation.")
    label_text: str = _setting("", "Text label", "Human label of the text alone.")
    label_audio: str = _setting("", "Voice label", "Human label of the sound alone.")
    label_visual: str = _setting("", "Face label", "Human label of the silent picture.")


class Source(Section):
    """One table of samples among those a run is trained on."""

    path: str = _setting("", "Table", "CSV file, relative to the data folder.")
    split: Literal["train", "valid", "calibration", "test"] = _setting(
        "train", "Split", "What its rows are for."
    )
    columns: Columns = _setting(Columns, "Columns", "Which column holds what.")
    media_root: str = _setting("", "Media folder", "Relative to the data folder.")
    heads: tuple[Head, ...] = _setting(("multimodal",), "Heads", "Heads that the label column trains.")
    class_values: dict[str, float] = _setting(
        dict, "Values of the classes", "Place on the scale of each class name; other names are no label."
    )
    where: dict[str, tuple[str, ...]] = _setting(
        dict, "Only rows where", "Column to the values that are let in."
    )
    windows: bool = _setting(
        False,
        "As windows",
        "Cut its recordings into windows of a second with voice and face, for the alignment alone.",
    )
    weight: float = _setting(1.0, "Weight", "Of its rows in the losses.", ge=0, le=100)
    balanced: bool = _setting(
        False, "Balanced", "Every value of its label counts alike, however many rows have it."
    )
    valid_share: float = _setting(
        0.0, "Validation share", "Share of its groups kept for validation.", ge=0, lt=1
    )
    calibration_share: float = _setting(
        0.0, "Calibration share", "Share of its groups kept for calibrating intervals.", ge=0, lt=1
    )
    test_share: float = _setting(
        0.0, "Test share", "Share of its groups kept for the final score.", ge=0, lt=1
    )
    limit: int = _setting(0, "Most rows", "0: all.", "rows", ge=0)


class DataSettings(Section):
    """What is learned from."""

    name: str = _setting("", "Name", "Name of the model that is made.", basic=True)
    scheme: Literal["mosi", "sims"] = _setting(
        "mosi", "Metrics", "Scoring convention of the field.", basic=True
    )
    scale: tuple[float, float] = _setting((-3.0, 3.0), "Scale", "Lowest and highest label.", basic=True)
    languages: tuple[str, ...] = _setting(
        ("en",), "Languages", "ISO 639-1 codes of the transcripts.", basic=True
    )
    text: Literal["auto", "words", "tokens", "vectors"] = _setting(
        "auto", "Text of a dataset file", "Words, stored token ids, or precomputed vectors.", basic=True
    )
    max_tokens: int = _setting(128, "Longest text", "Longer ones are cut.", "tokens", ge=4, le=4096)
    modalities: tuple[Modality, ...] = _setting(
        ("text", "audio", "visual"), "Modalities", "Those of the data that are used; others are left out."
    )
    calibration_share: float = _setting(
        0.1,
        "Calibration share",
        "Where the data has no part to calibrate intervals on, so much of its training part is kept for it, "
        "by whole videos or people; 0: none, and no intervals.",
        ge=0,
        le=0.5,
    )
    sources: tuple[Source, ...] = _setting((), "Sources", "Tables of samples, where there are several.")

    @field_validator("scale")
    @classmethod
    def _rises(cls, scale: tuple[float, float]) -> tuple[float, float]:
        if not scale[0] < scale[1]:
            raise ValueError(f"the lowest label {scale[0]} is not below the highest {scale[1]}")
        return scale
