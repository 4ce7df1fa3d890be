"""What an alignment means, in plain sentences. Light: no tensors."""

from __future__ import annotations

from core.types import Alignment

_ALIKE = 0.1
"""A distance within this part of the shuffled one is called no different from it."""


def describe(alignment: Alignment) -> str:
    """One or two sentences on distance, shuffled faces and percentile, for the covariance panel."""
    first = (
        f"Over {alignment.windows} windows of one second the patterns of voice and face "
        f"lie {alignment.distance:.4f} apart (0: the same pattern)"
    )
    return f"{first}{_against_others(alignment)}. {_among_recordings(alignment)}"


def _against_others(alignment: Alignment) -> str:
    if alignment.shuffled is None:
        return ""
    ratio = alignment.distance / alignment.shuffled if alignment.shuffled > 0 else 1.0
    if ratio < 1 - _ALIKE:
        verdict = "so it fits its own face better"
    elif ratio > 1 + _ALIKE:
        verdict = "so it fits its own face worse"
    else:
        verdict = "so it fits its own face no better"
    return f"; this voice against other people's faces gives {alignment.shuffled:.4f}, {verdict}"


def _among_recordings(alignment: Alignment) -> str:
    name, count = alignment.reference["name"], alignment.reference["count"]
    if not count:
        return "The model carries no reference recordings to compare with."
    if alignment.percentile is None:
        return (
            f"No percentile is given: the reference ({name}) has {count} recordings, "
            f"too few to rank a clip among them."
        )
    return f"Of the {count} reference recordings ({name}), {alignment.percentile:.0f} % lie closer together."
