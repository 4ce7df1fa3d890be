"""From the features of one clip to its answer: estimates with intervals, their curve, the alignment.

Whatever a person reads is on the model's own scale and within it: a rating beyond the ends of the scale does
not exist, so estimates and intervals are cut there, which moves none of them away from a true rating.
(Metrics of `consonance evaluate` are of the raw outputs, as is the custom of the field.)
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from core.data.batches import Sample, collate, has
from core.diagnostics.covariance import measure
from core.errors import ModelError
from core.inference.spans import ending_at, moments, whole
from core.model.chosen import ABSENT, foreign
from core.types import (
    AUDIO_WIDTH,
    EXTRACTOR_VERSION,
    HEADS,
    MODALITIES,
    VISUAL_WIDTH,
    Alignment,
    Analysis,
    ClipFeatures,
    Curve,
    Estimate,
    Head,
    Modality,
)

if TYPE_CHECKING:
    from core.model.checkpoint import Checkpoint

_ROWS = 128
"""Windows judged at once; bounds the memory that an hour-long clip takes."""

DROPPED, UNKNOWN = "left out of this model", "not known to this model"
"""The reasons when a model is used without a modality."""
NO_LANGUAGE = "language"
"""The reason when the words are of a language that the model was not trained on."""


class Predictor:
    """Answers with one checkpoint. Build it once; `predict` for each clip."""

    def __init__(self, checkpoint: Checkpoint, dropped: Sequence[Modality] = ()) -> None:
        """dropped: modalities that are left out, as somebody agreed to; see `core.model.chosen`.

        ModelError if the checkpoint learned another one from other features than this program extracts.
        """
        self._network = checkpoint.network.eval()
        self._tokenizer = checkpoint.tokenizer
        self._reference = checkpoint.reference
        meta = checkpoint.meta
        features = meta.features
        self._unused: dict[Modality, str] = dict.fromkeys(dropped, DROPPED)
        self._unused |= {m: UNKNOWN for m in MODALITIES if features.get(m) == ABSENT}
        _check(checkpoint, self._unused)
        self._languages = meta.languages
        self._max_tokens = meta.max_tokens
        self._calibration = meta.calibration
        self.scale: tuple[float, float] = meta.scale
        self.model = {"name": meta.name, "version": meta.version}

    def predict(self, features: ClipFeatures, file: str) -> Analysis:
        """The analysis of a clip. Heads whose modality is missing are None, with the reason in `missing`."""
        started = time.perf_counter()
        missing = self._missing(features)
        judged = _without(features, missing)
        estimates = self._estimates(whole(judged))
        curve = self._points(judged, moments(features.duration))
        alignment, reason = self._alignment(judged)
        return Analysis(
            file=file,
            duration=features.duration,
            transcript=features.transcript,
            estimates=estimates,
            curve=curve,
            alignment=alignment,
            alignment_reason=reason,
            missing=missing,
            model=self.model,
            scale=self.scale,
            seconds={
                **dict.fromkeys(("decode", "transcribe", "extract"), 0.0),
                **features.seconds,
                "predict": time.perf_counter() - started,
            },
            faces=features.faces,
        )

    def windows(self, features: ClipFeatures, times: Sequence[float]) -> Curve:
        """The points of a curve at these times, in seconds from the start of the features."""
        return self._points(_without(features, self._missing(features)), list(times))

    def alignment(self, features: ClipFeatures) -> tuple[Alignment | None, str]:
        """The alignment of voice and face, or None with the reason in words."""
        return self._alignment(_without(features, self._unused))

    def band(self, low: float = 0.1, high: float = 0.9) -> dict[str, Any] | None:
        """Between which distances voice and face of the reference's recordings lie; None without them."""
        if self._reference is None or not len(self._reference):
            return None
        ends = np.quantile(self._reference.distances, (low, high))
        return {
            "low": float(ends[0]),
            "high": float(ends[1]),
            "name": self._reference.name,
            "count": len(self._reference),
        }

    def _missing(self, features: ClipFeatures) -> dict[Modality, str]:
        """Every modality there is no estimate from, with the reason; "not there" if extraction gave none."""
        sample = whole(features)
        missing: dict[Modality, str] = {
            modality: features.missing.get(modality, "not there")
            for modality in MODALITIES
            if not has(sample, modality)
        }
        missing |= {m: why for m, why in self._unused.items() if m not in missing}
        language = features.transcript.language if features.transcript else ""
        # A typed transcript has no language: whoever typed it is believed.
        if "text" not in missing and language and language not in self._languages:
            missing["text"] = NO_LANGUAGE
        return missing

    def _estimates(self, sample: Sample) -> dict[Head, Estimate | None]:
        values = self._judge([sample])[0]
        there = [modality for modality in MODALITIES if has(sample, modality)]
        widths: dict[Head, float | None] = {
            modality: self._calibration.get(modality) for modality in MODALITIES
        }
        widths["multimodal"] = self._calibration.get("multimodal", {}).get("+".join(there))
        return {head: self._with_interval(values[head], widths[head]) for head in HEADS}

    def _with_interval(self, value: float | None, half_width: float | None) -> Estimate | None:
        """The estimate with its interval of calibrated half width; without one it has no interval."""
        if value is None:
            return None
        if half_width is None:
            return Estimate(self._cut(value))
        return Estimate(self._cut(value), self._cut(value - half_width), self._cut(value + half_width))

    def _cut(self, value: float) -> float:
        low, high = self.scale
        return min(max(value, low), high)

    def _points(self, features: ClipFeatures, times: list[float]) -> Curve:
        judged = self._judge([ending_at(features, moment) for moment in times])
        return Curve(
            time=times,
            values={
                head: [None if (value := row[head]) is None else self._cut(value) for row in judged]
                for head in HEADS
            },
        )

    @torch.inference_mode()
    def _judge(self, samples: Sequence[Sample]) -> list[dict[Head, float | None]]:
        """Raw outputs of every head for each sample; None where the head's modality is missing."""
        judged: list[dict[Head, float | None]] = []
        for first in range(0, len(samples), _ROWS):
            rows = samples[first : first + _ROWS]
            output = self._network(collate(rows, self._tokenizer, max_tokens=self._max_tokens))
            values = {head: output.estimates[head].tolist() for head in HEADS}
            for number, sample in enumerate(rows):
                there: dict[Head, bool] = {modality: has(sample, modality) for modality in MODALITIES}
                there["multimodal"] = any(there.values())
                judged.append({head: values[head][number] if there[head] else None for head in HEADS})
        return judged

    def _alignment(self, features: ClipFeatures) -> tuple[Alignment | None, str]:
        if not {"audio", "visual"} <= set(self._network.alignment):
            return None, "This model was trained without aligning voice and face."
        return measure(self._network, features, self._reference)


def _without(features: ClipFeatures, modalities: Collection[Modality]) -> ClipFeatures:
    """The features without those of some modalities."""
    return dataclasses.replace(
        features,
        transcript=None if "text" in modalities else features.transcript,
        audio=None if "audio" in modalities else features.audio,
        visual=None if "visual" in modalities else features.visual,
    )


def _check(checkpoint: Checkpoint, unused: Collection[Modality]) -> None:
    """ModelError unless the checkpoint reads what `core.features` of this version gives, but for `unused`."""
    meta, network = checkpoint.meta, checkpoint.network.settings
    told = meta.model_dump() | {"network": network.model_dump()}
    strange = [why for m, why in foreign(told).items() if m not in unused]
    if meta.extractor_version != EXTRACTOR_VERSION and strange:
        raise ModelError(
            f"The model “{meta.name}” was trained on features of version {meta.extractor_version}; "
            f"this program extracts version {EXTRACTOR_VERSION}.",
            "Train it again, or use the version of the program it came with.",
        )
    own = {"audio": network.audio_input_width, "visual": network.visual_input_width}
    ours = {"audio": AUDIO_WIDTH, "visual": VISUAL_WIDTH}
    if strange or any(own[m] != ours[m] for m in own if m not in unused):
        raise ModelError(
            f"The model “{meta.name}” was trained on a data set's own features and cannot read clips.",
            "Choose the starter, or a model trained on clips.",
        )
