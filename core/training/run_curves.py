"""The events of a run as columns that can be drawn: read as the file grows, smoothed, thinned to what a
screen shows.

Light on purpose (no torch). A run of 200,000 events is read here, in the process that reads for the window,
so that the window itself never parses more than the few hundred points that it draws.
"""

from __future__ import annotations

import base64
import json
import os
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.training.runs import EVENTS

SLICE_BYTES = 2_000_000
"""Read at once at most, so that the first points of a long run are seen before its last are read."""
SMOOTHED_SHARE, LEAST_SMOOTHED = 0.02, 5
"""The bold curve is the mean over this share of the points so far, and over so many at least."""
MOST_GAPS = 200
STEP_NAMES = frozenset({"v", "seq", "t", "kind", "epoch", "batch", "step", "share"})
"""What a step says of itself; everything else it says is drawn over it."""


@dataclass(slots=True)
class Column:
    """One figure over the course of a run: x in epochs, y NaN where the run wrote null."""

    x: array = field(default_factory=lambda: array("d"))
    y: array = field(default_factory=lambda: array("f"))

    def add(self, x: float, y: Any) -> None:
        """Append a point, in place of those at `x` or after it; what is no number is a gap."""
        if self.x and x <= self.x[-1]:
            self.cut(x)
        self.x.append(x)
        self.y.append(y if isinstance(y, (int, float)) else float("nan"))

    def extend(self, xs: list[float], ys: list[Any]) -> None:
        """Append points that rise in x and lie behind the last one."""
        if self.x and xs[0] <= self.x[-1]:
            self.cut(xs[0])
        self.x.extend(xs)
        try:
            self.y.extend(ys)
        except TypeError:
            del self.y[len(self.x) - len(xs) :]
            self.y.extend(y if isinstance(y, (int, float)) else float("nan") for y in ys)

    def cut(self, x: float) -> None:
        """Forget the points at `x` and after it."""
        while self.x and self.x[-1] >= x:
            self.x.pop()
            self.y.pop()

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Copies as (n,) float64 and (n,) float32."""
        return np.array(self.x, dtype=np.float64), np.array(self.y, dtype=np.float32)


class Curves:
    """The columns of one run folder, by name: `loss_text`, `alignment`, `valid.mae`, `labels.text.drift`…

    A resumed run goes on from its last checkpoint: what it repeats takes the place of what it said before.
    """

    def __init__(self, folder: Path) -> None:
        self._file = EventFile(folder / EVENTS)
        self._forget()

    def _forget(self) -> None:
        self.columns: dict[str, Column] = {}
        self.segments: list[float] = []
        self.warnings: list[str] = []
        self.best: float | None = None
        self.epoch_seconds: float | None = None
        self.events = 0
        self._seq = -1
        self._batches = 0
        self._base = self._at = 0.0
        self._resumed = False

    def more(self, limit: int = SLICE_BYTES) -> bool:
        """Read what was written since, at most `limit` bytes; whether there was anything."""
        lines, anew = self._file.lines(limit)
        if anew:
            self._forget()
        steps: list[dict[str, Any]] = []
        for event in _decoded(lines):
            if self._repeats(event):
                return True
            self.events += 1
            if event.get("kind") == "step":
                steps.append(event)
                continue
            self._steps(steps)
            steps = []
            self._take(event)
        self._steps(steps)
        return anew or bool(lines)

    def _take(self, event: dict[str, Any]) -> None:
        match event.get("kind"):
            case "epoch":
                self._epoch(event)
            case "start":
                self._batches = int(_number(event.get("batches")) or 0)
            case "segment":
                self._resumed = (_number(event.get("number")) or 1) > 1
            case "fitted":
                self._base = self._at  # another stage counts its epochs from one again
            case "warning":
                self.warnings.append(str(event.get("message") or event.get("code") or ""))

    def _repeats(self, event: dict[str, Any]) -> bool:
        """Whether this was said before: a resume has cut the file behind our back. Then all is read anew."""
        seq = event.get("seq")
        if not isinstance(seq, int):
            return False
        if seq <= self._seq:
            self._file.start_over()
            self._forget()
            return True
        self._seq = seq
        return False

    @property
    def unread(self) -> bool:
        """Whether the last call of `more` left something for the next."""
        return self._file.unread

    def _steps(self, events: list[dict[str, Any]]) -> None:
        """Take step events in a row: alike ones by the column, for a long run has hundreds of thousands."""
        if events and not self._alike_steps(events):
            for event in events:
                at = self._move_to(self._place(event))
                for name in event.keys() - STEP_NAMES:
                    self._column(name).add(at, event[name])

    def _alike_steps(self, events: list[dict[str, Any]]) -> bool:
        """Take steps that go on from here and all say the same figures; False, and nothing done, if not."""
        size, names = len(events[0]), events[0].keys() - STEP_NAMES
        if self._resumed or not self._batches or any(len(event) != size for event in events):
            return False
        try:
            epochs = np.array([event["epoch"] for event in events], dtype=np.float64)
            batches = np.array([event["batch"] for event in events], dtype=np.float64)
            values = {name: [event[name] for event in events] for name in names}
        except (KeyError, TypeError, ValueError):
            return False
        places = self._base + epochs - 1 + np.minimum(1.0, batches / self._batches)
        if places[0] < self._at or (np.diff(places) <= 0).any():
            return False
        xs = places.tolist()
        for name, ys in values.items():
            self._column(name).extend(xs, ys)
        self._at = xs[-1]
        return True

    def _place(self, event: dict[str, Any]) -> float:
        """Where a step lies, in epochs over all stages."""
        batch, epoch = event.get("batch"), event.get("epoch")
        done = batch / self._batches if self._batches and isinstance(batch, (int, float)) else 0.5
        return self._base + (epoch if isinstance(epoch, (int, float)) else 1) - 1 + min(1.0, done)

    def _epoch(self, event: dict[str, Any]) -> None:
        at = self._move_to(self._base + (_number(event.get("epoch")) or 0))
        judged = {name: event[name] for name in ("valid", "labels") if isinstance(event.get(name), dict)}
        for name, value in _flat(judged):
            self._column(name).add(at, value)
        for name, value in _flat({"train": event.get("train") or {}}):
            self._add_mean(name.removeprefix("train."), at, value)
        if best := _number(event.get("best")):
            self.best = self._base + best
        self.epoch_seconds = _number(event.get("seconds")) or self.epoch_seconds

    def _add_mean(self, name: str, at: float, value: Any) -> None:
        """Of epochs too short for an event of a step, the epoch's mean is the point."""
        column = self._column(name)
        if not column.x or column.x[-1] <= at - 1:
            column.add(at, value)

    def _move_to(self, at: float) -> float:
        """Go on at `at`; where the run has been there before, what it says now counts."""
        if at < self._at:
            for column in self.columns.values():
                column.cut(at)
        if self._resumed:
            self.segments.append(min(self._at, at))
            self._resumed = False
        self._at = at
        return at

    def _column(self, name: str) -> Column:
        if name not in self.columns:
            self.columns[name] = Column()
        return self.columns[name]


class EventFile:
    """A growing file of lines, read in pieces; a torn last line waits until it is whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._within = False
        self.unread = False
        self._identity: tuple[int, int] | None = None

    def lines(self, limit: int) -> tuple[list[bytes], bool]:
        """The next whole lines within `limit` bytes, and whether this is another file than before."""
        try:
            with self._path.open("rb") as file:
                anew = self._is_another(os.fstat(file.fileno())) or not self._after_a_line(file)
                if anew:
                    self._offset = 0
                file.seek(self._offset)
                block = file.read(limit)
        except OSError:
            return [], False
        self.unread = len(block) == limit
        end = block.rfind(b"\n") + 1
        self._within = not end and len(block) == limit
        if self._within:
            end = limit  # one line longer than any event: not ours, passed over in pieces
        self._offset += end
        return block[:end].splitlines(), anew

    def _is_another(self, found: os.stat_result) -> bool:
        identity, before = (found.st_dev, found.st_ino), self._identity
        self._identity = identity
        return before is not None and (identity != before or found.st_size < self._offset)

    def _after_a_line(self, file: BinaryIO) -> bool:
        """Whether a line ends where we stopped; if none does any more, the file was cut and grew again."""
        if not self._offset or self._within:
            return True
        file.seek(self._offset - 1)
        return file.read(1) == b"\n"

    def start_over(self) -> None:
        """Read from the first line again."""
        self._offset, self._within, self.unread = 0, False, True


def _decoded(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    """The objects of lines; a line that is none is passed over. All at once, which is twice as fast."""
    try:
        events = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        events = [event for line in lines if (event := _decoded_alone(line)) is not None]
    yield from (event for event in events if isinstance(event, dict))


def _decoded_alone(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) else None


def _flat(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted names and values of a tree."""
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def smoothed(y: np.ndarray) -> np.ndarray:
    """The mean of the finite points among the last ones, (n,): see SMOOTHED_SHARE; NaN where none is."""
    window = max(LEAST_SMOOTHED, int(SMOOTHED_SHARE * len(y)))
    known = np.isfinite(y)
    sums = np.concatenate(([0.0], np.cumsum(np.where(known, y, 0.0), dtype=np.float64)))
    counts = np.concatenate(([0], np.cumsum(known)))
    ends = np.arange(1, len(y) + 1)
    starts = np.maximum(0, ends - window)
    held = counts[ends] - counts[starts]
    means = (sums[ends] - sums[starts]) / np.maximum(held, 1)
    return np.where(known & (held > 0), means, np.nan)


def thinned(x: np.ndarray, y: np.ndarray, points: int) -> tuple[np.ndarray, np.ndarray]:
    """At most `points` of n points, lowest and highest of each stretch, so that no peak is lost.

    A stretch without a finite point stays as one NaN: a gap.
    """
    if len(x) <= points:
        return x, y
    size = -(-len(x) // (points // 2))
    whole = -(-len(x) // size) * size
    padded_x = np.concatenate((x, np.full(whole - len(x), x[-1]))).reshape(-1, size)
    padded_y = np.concatenate((y, np.full(whole - len(y), np.nan))).reshape(-1, size)
    lost = np.isnan(padded_y)
    low = np.where(lost, np.inf, padded_y).argmin(axis=1)
    high = np.where(lost, -np.inf, padded_y).argmax(axis=1)
    places = np.sort(np.stack([low, high], axis=1), axis=1)
    rows = np.arange(len(places))[:, None]
    few_x, few_y = padded_x[rows, places].ravel(), padded_y[rows, places].ravel()
    # The last point is where a run stands now.
    return np.append(few_x, x[-1]), np.append(few_y, y[-1])


def packed(values: np.ndarray) -> str:
    """Numbers as text for a message: base64 of little-endian float32, which costs the reader no parsing."""
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def unpacked(text: str) -> np.ndarray:
    """The numbers of `packed`, (n,) float32."""
    return np.frombuffer(base64.b64decode(text), dtype="<f4")


def drawn(column: Column, points: int, smooth: bool = True) -> dict[str, Any]:
    """A column for the window: raw and smoothed points, packed, its gaps and its last finite value.

    What is judged once an epoch is no noise to be smoothed: without `smooth` the points are the bold curve.
    """
    x, y = column.arrays()
    lost = x[np.isnan(y)]
    raw_x, raw_y = thinned(x, y, points) if smooth else (x[:0], y[:0])
    calm_x, calm_y = thinned(x, smoothed(y), points // 2) if smooth else thinned(x, y, points)
    known = y[np.isfinite(y)]
    return {
        "x": packed(raw_x),
        "y": packed(raw_y),
        "smooth_x": packed(calm_x),
        "smooth_y": packed(calm_y),
        "gaps": packed(lost[:: max(1, len(lost) // MOST_GAPS)]),
        "last": float(known[-1]) if len(known) else None,
    }
