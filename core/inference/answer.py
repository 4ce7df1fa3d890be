"""The JSON of one analysis: what `consonance analyse --json` prints and the engine sends to the window."""

from __future__ import annotations

import math
from typing import Any

from core.diagnostics.words import describe
from core.types import Alignment, Analysis, Estimate, Transcript


def to_json(analysis: Analysis) -> dict[str, Any]:
    """The object of one clip, in the order a person reads it. Every number is finite or None."""
    return {
        "file": analysis.file,
        "duration": _number(analysis.duration, 3),
        "transcript": _transcript(analysis.transcript),
        "estimates": {head: _estimate(estimate) for head, estimate in analysis.estimates.items()},
        "curve": {
            "time": analysis.curve.time,
            **{head: [_number(value) for value in values] for head, values in analysis.curve.values.items()},
        },
        "alignment": _alignment(analysis.alignment),
        "missing": [
            {"modality": modality, "reason": reason} for modality, reason in analysis.missing.items()
        ],
        "model": analysis.model,
        "scale": list(analysis.scale),
        "seconds": {step: _number(seconds, 3) for step, seconds in analysis.seconds.items()},
        **({"notes": said} if (said := notes(analysis)) else {}),
    }


def notes(analysis: Analysis) -> list[str]:
    """What to know of the estimates besides what is missing, in sentences; mostly nothing."""
    if analysis.faces < 2 or analysis.estimates["visual"] is None:
        return []
    return [f"{analysis.faces} faces were seen at once; one of them is judged, at first the largest."]


def to_window_json(analysis: Analysis) -> dict[str, Any]:
    """`to_json` and what the covariance panel shows besides: the two matrices, and what the figures mean."""
    return {**to_json(analysis), **alignment_json(analysis.alignment, analysis.alignment_reason)}


def alignment_json(alignment: Alignment | None, reason: str) -> dict[str, Any]:
    """What the covariance panel shows: "alignment", "covariance", "alignment_reason"."""
    if alignment is None:
        return {"alignment": None, "covariance": None, "alignment_reason": reason}
    figures = {**(_alignment(alignment) or {}), "meaning": describe(alignment)}
    matrices = {"audio": _matrix(alignment.audio), "visual": _matrix(alignment.visual)}
    return {"alignment": figures, "covariance": matrices, "alignment_reason": ""}


def _transcript(transcript: Transcript | None) -> dict[str, Any] | None:
    if transcript is None:
        return None
    return {
        "text": transcript.text,
        "language": transcript.language,
        "words": [
            {
                "text": word.text,
                "start": _number(word.start, 3),
                "end": _number(word.end, 3),
                "probability": _number(word.probability),
            }
            for word in transcript.words
        ],
    }


def _estimate(estimate: Estimate | None) -> dict[str, float | None] | None:
    if estimate is None:
        return None
    return {"value": _number(estimate.value), "low": _number(estimate.low), "high": _number(estimate.high)}


def _alignment(alignment: Alignment | None) -> dict[str, Any] | None:
    if alignment is None:
        return None
    return {
        "distance": _number(alignment.distance, 6),
        "percentile": _number(alignment.percentile, 1),
        "windows": alignment.windows,
        "shuffled": _number(alignment.shuffled, 6),
        "reference": alignment.reference,
    }


def _matrix(rows: list[list[float]]) -> list[list[float | None]]:
    return [[_number(value, 3) for value in row] for row in rows]


def _number(value: float | None, digits: int = 4) -> float | None:
    """Rounded for reading; JSON has no NaN and no infinity, so those are null."""
    return round(float(value), digits) if value is not None and math.isfinite(value) else None
