"""What an alignment means, in plain sentences. Light: no tensors."""

from __future__ import annotations

from core.types import Alignment

ENOUGH_WINDOWS = 16
"""Windows overlap by three quarters: fewer are too little to tell one's own face from another."""


def describe(alignment: Alignment) -> str:
    """One or two sentences on distance, shuffled faces and percentile, for the covariance panel."""
    first = (
        f"Over {alignment.windows} windows of one second the patterns of voice and face "
        f"lie {alignment.distance:.4f} apart (0: the same pattern)"
    )
    return f"{first}{_against_others(alignment)}. {_among_recordings(alignment)}"


def _against_others(alignment: Alignment) -> str:
    if alignment.shuffled is None or alignment.shuffled_range is None:
        return ""
    low, high = alignment.shuffled_range
    others = (
        f"; this voice against other people's faces gives {alignment.shuffled:.4f} "
        f"(nine in ten from {low:.4f} to {high:.4f})"
    )
    if alignment.windows < ENOUGH_WINDOWS:
        return f"{others}, but the clip is too short to say whether its own face fits better"
    if alignment.distance < low:
        return f"{others}, so it fits its own face better"
    if alignment.distance > high:
        return f"{others}, so it fits its own face worse"
    return f"{others}, so no difference can be told"


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
