"""Means of what was seen since the last report and in the epoch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from core.training.processes import Processes


@dataclass(slots=True)
class Tally:
    """Means of what was seen in an epoch, by name."""

    sums: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        self.sums[name] = self.sums.get(name, 0.0) + value
        self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        return {name: total / self.counts[name] for name, total in self.sums.items()}

    def gather(self, processes: Processes) -> None:
        """The main process takes over the sums of all; counts are the same in each. Others begin at 0."""
        everywhere = processes.collected(self.sums)
        self.sums = {
            name: sum(sums.get(name, 0.0) for sums in everywhere) if processes.main else 0.0
            for name in self.counts
        }

    def state(self) -> dict[str, Any]:
        """Sums and counts (copies)."""
        return {"sums": dict(self.sums), "counts": dict(self.counts)}

    def like(self, state: dict[str, Any]) -> Tally:
        """One with these counts and sums of 0: what a process other than the main one goes on with."""
        return Tally(dict.fromkeys(state["counts"], 0.0), dict(state["counts"]))
