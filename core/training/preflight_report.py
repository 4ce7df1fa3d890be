"""What a preflight found, as the window, the command line and JSON tell it. Light: no torch.

None always means unknown, never nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong (error: the run would fail or be worthless), doubtful, or worth knowing.

    where: a setting's dotted name, or "data", "folder", "text". remedy: what to do; "" for a note.
    """

    code: str
    severity: Severity
    where: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Split:
    """One part of the data: its rows, its groups (videos or people), and labelled rows by head."""

    name: str
    rows: int
    groups: int
    labels: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Device:
    """Where the run would be computed. bfloat16: whether the device has it."""

    name: str
    detail: str = ""
    bfloat16: bool | None = None


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes that are needed and bytes that are free."""

    need: int | None = None
    free: int | None = None


@dataclass(frozen=True, slots=True)
class Time:
    """batch_s: seconds of one batch, forward and backward, from two timed ones; batches: an epoch's.

    epoch_s: with validation. run_s: of all epochs, unless the run ends early. runs: how many there are.
    """

    batch_s: float | None = None
    batches: int | None = None
    epoch_s: float | None = None
    run_s: float | None = None
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a preflight says. seconds: how long it took."""

    problems: Sequence[Problem] = ()
    splits: Sequence[Split] = ()
    device: Device | None = None
    text_encoder: str | None = None
    time: Time = Time()
    memory: Room = Room()
    device_memory: Room | None = None
    disk: Room = Room()
    seconds: float = 0.0

    @property
    def ready(self) -> bool:
        """Whether nothing that was found keeps the run from starting."""
        return not any(problem.severity == "error" for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        return {"ready": self.ready, **asdict(self)}


def from_json(tree: Mapping[str, Any]) -> Report:
    """The report of `to_json`, of this version of the program."""
    device, device_memory = tree["device"], tree["device_memory"]
    return Report(
        problems=[Problem(**problem) for problem in tree["problems"]],
        splits=[Split(**split) for split in tree["splits"]],
        device=None if device is None else Device(**device),
        text_encoder=tree["text_encoder"],
        time=Time(**tree["time"]),
        memory=Room(**tree["memory"]),
        device_memory=None if device_memory is None else Room(**device_memory),
        disk=Room(**tree["disk"]),
        seconds=tree["seconds"],
    )


def size(count: float) -> str:
    """Bytes in words: 12 MB, 3.4 GB."""
    if count < 1e9:
        return f"{max(1, round(count / 1e6)):,} MB"
    return f"{count / 1e9:,.1f} GB"


def seconds(value: float | None) -> str:
    """A duration as one says it: 4.2 s, 35 s, 12 min, 1.5 h; "unknown" for None."""
    if value is None:
        return "unknown"
    if value < 90:
        return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"
    return f"{value / 60:.0f} min" if value < 5400 else f"{value / 3600:.1f} h"
