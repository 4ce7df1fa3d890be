"""Speech cut into utterances: stretches of voice between pauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.features.extract import LEAST_VOICE
from core.speech import Segment

PAUSE = 0.5
"""Seconds of silence that end an utterance."""
LONGEST = 20.0
"""Seconds after which an utterance is cut where it was least interrupted: one has to see something."""


@dataclass(frozen=True, slots=True)
class Utterance:
    """One utterance; start and end in seconds of the stream. number: 1, 2, …; while it goes on, too."""

    number: int
    start: float
    end: float
    speech: tuple[Segment, ...]


class Utterances:
    """Gives out utterances as they end.

    >>> cutter = Utterances()
    >>> cutter.ended([(1.0, 2.0), (2.2, 3.0)], now=3.2)
    []
    >>> [(u.number, u.start, u.end) for u in cutter.ended([(1.0, 2.0), (2.2, 3.0)], now=3.6)]
    [(1, 1.0, 3.0)]
    >>> cutter.ended([(1.0, 2.0), (2.2, 3.0)], now=4.0)
    []
    """

    def __init__(self) -> None:
        self._after = 0.0
        self._number = 1

    def ended(self, speech: Sequence[Segment], now: float, last: bool = False) -> list[Utterance]:
        """Those that have ended since this was asked before; `last`: whatever is left ends now."""
        found = []
        for group in self._groups(speech):
            cut = group if last or now - group[-1][1] >= PAUSE else _cut(group, now)
            if cut:
                self._after = cut[-1][1]
                if sum(end - start for start, end in cut) >= LEAST_VOICE:
                    found.append(self._made(cut))
                    self._number += 1
            if cut != group:
                break
        return found

    def going_on(self, speech: Sequence[Segment]) -> Utterance | None:
        """The one that has not ended yet; None while nobody speaks."""
        groups = self._groups(speech)
        return self._made(groups[-1]) if groups else None

    def _made(self, group: Sequence[Segment]) -> Utterance:
        return Utterance(self._number, group[0][0], group[-1][1], tuple(group))

    def _groups(self, speech: Sequence[Segment]) -> list[list[Segment]]:
        """What was not given out yet, parted at pauses."""
        groups: list[list[Segment]] = []
        for start, end in speech:
            if end <= self._after:
                continue
            part = (max(start, self._after), end)
            if groups and part[0] - groups[-1][-1][1] < PAUSE:
                groups[-1].append(part)
            else:
                groups.append([part])
        return groups


def _cut(group: list[Segment], now: float) -> list[Segment]:
    """The part of an all too long utterance that ends now: up to its widest gap, or all of it."""
    if now - group[0][0] < LONGEST:
        return []
    if len(group) == 1:
        return group
    gaps = [after[0] - before[1] for before, after in pairwise(group)]
    return group[: gaps.index(max(gaps)) + 1]
