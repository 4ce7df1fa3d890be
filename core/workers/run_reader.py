"""Reads run folders for the window: which runs there are, their curves, settings, reports and logs.

The window never parses a run's events; it is sent columns of a few hundred points. Requests, one JSON object
a line as in `core.workers.protocol`, each with an id:
    {"id": 1, "do": "list", "root": "...", "also": ["..."]}     the runs there, those named, those known from
        elsewhere and those that wait; and from then on what changes
    {"id": 2, "do": "follow", "folders": ["..."], "points": 800, "shown": "..." | null}
        the curves of some runs and the details of one, and from then on what changes in them
    {"id": 3, "do": "compare", "folders": ["..."]}
Events, each with the id of the latest request of its kind:
    {"id": 0, "event": "ready"}
    {"id": 1, "event": "runs", "changed": [summary, ...], "gone": ["..."], "whole": nothing more for now}
    {"id": 2, "event": "curves", "folder", "columns": {name: {"x", "y", "smooth_x", "smooth_y", "gaps",
        "last"}}, "best", "segments", "epoch_seconds", "events", "reading": more is to come at once}
    {"id": 2, "event": "details", "folder", and of "settings", "report", "usable", "log", "warnings" the new}
    {"id": 3, "event": "comparison", ...}     see `core.training.comparison.compare`
    {"id": 0, "event": "failed", "error": {...}}
Ends when its stdin closes.
"""

from __future__ import annotations

import logging
import queue
import threading
import traceback
from pathlib import Path
from time import monotonic
from typing import Any

from core.training import known_runs, run_reading
from core.training.comparison import compare
from core.training.run_curves import Curves, drawn
from core.workers import run_queue
from core.workers.protocol import Message, ProtocolError, decode, encode
from core.workers.stdio import Output, input_lines

LOOK_S = 0.2
"""Between two looks at the followed runs: an event is drawn well within a second."""
LIST_S = 1.0
"""Between two looks for runs."""
BATCH = 40
"""Runs told of in one message at most."""
FEWEST, MOST = 100, 4000
"""Points of a column that may be asked for."""


class Listing:
    """Finds runs and tells what has changed since it told last."""

    def __init__(self, request: Message) -> None:
        self.id: int = request["id"]
        self._root = Path(str(request.get("root") or "."))
        self._also = [Path(name) for name in request.get("also") or [] if isinstance(name, str)]
        self._told: dict[Path, dict[str, Any]] = {}
        self._stamps: dict[Path, tuple[float, ...]] = {}
        self._whole = False
        self.due = 0.0

    def look(self, output: Output) -> None:
        """Send the runs that are new, different or gone."""
        also = (*self._also, *known_runs.known())
        found = run_reading.find(self._root, also)
        waiting = {entry.folder: entry for entry in run_queue.waiting(self._root)}
        there = {*found, *waiting}
        gone = [folder for folder in self._told if folder not in there]
        for folder in gone:
            del self._told[folder], self._stamps[folder]
        changed = [told for folder in found if (told := self._news(folder)) is not None]
        changed += [
            told
            for folder, entry in waiting.items()
            if folder not in found and (told := self._news_of_waiting(entry)) is not None
        ]
        batches = [changed[i : i + BATCH] for i in range(0, len(changed), BATCH)] or [[]]
        for number, batch in enumerate(batches):
            last = number == len(batches) - 1
            if batch or (last and (gone or not self._whole)):
                names = [str(folder) for folder in gone] if last else []
                output.send({"id": self.id, "event": "runs", "changed": batch, "gone": names, "whole": last})
        self._whole = True
        self.due = monotonic() + LIST_S

    def _news(self, folder: Path) -> dict[str, Any] | None:
        """The summary of a run if it is not what was told; of one that runs also without a new file."""
        before, stamp = self._told.get(folder), run_reading.stamp(folder)
        if before is not None and stamp == self._stamps[folder] and before["state"] not in _MOVING:
            return None
        try:
            told = run_reading.summary(folder)
            encode(told)
        except (ValueError, TypeError, AttributeError, LookupError, ArithmeticError, RecursionError) as error:
            logging.getLogger(__name__).exception("%s cannot be read", folder)
            told = _unreadable(folder, error)
        self._told[folder], self._stamps[folder] = told, stamp
        return told if told != before else None

    def _news_of_waiting(self, entry: run_queue.Waiting) -> dict[str, Any] | None:
        """The summary of a run that has not begun, if it was not told yet."""
        told = {
            "folder": str(entry.folder),
            "name": entry.folder.name,
            "data": str(entry.data),
            "state": "failed" if entry.why else "waiting",
            "error": {"message": entry.why, "remedy": ""} if entry.why else None,
            "created": run_reading.changed(entry.entry),
            "entry": str(entry.entry),
        }
        if self._told.get(entry.folder) == told:
            return None
        self._told[entry.folder], self._stamps[entry.folder] = told, ()
        return told


def _unreadable(folder: Path, error: Exception) -> dict[str, Any]:
    """What the list shows of a run whose files say what no run says; the other runs are listed as ever."""
    told = {"message": f"This run's files cannot be read: {error}", "remedy": "Look at them, or discard it."}
    return {
        "folder": str(folder),
        "name": folder.name,
        "data": "",
        "state": "failed",
        "error": told,
        "created": run_reading.changed(folder),
    }


_MOVING = ("starting", "running", "stopping")


class Following:
    """The curves of some runs and the details of one of them. `known`: curves that were read before."""

    def __init__(self, request: Message, known: dict[str, Curves]) -> None:
        self.id: int = request["id"]
        points = request.get("points")
        self._points = min(MOST, max(FEWEST, points if isinstance(points, int) else FEWEST))
        names = [name for name in request.get("folders") or [] if isinstance(name, str)]
        self.curves = {name: known.get(name) or Curves(Path(name)) for name in names}
        self._sent: dict[str, int] = {}
        shown = request.get("shown")
        self._details = Details(self.id, Path(shown)) if isinstance(shown, str) else None

    def look(self, output: Output) -> bool:
        """Send what is new; whether a long file still has more to read."""
        unfinished = False
        for name, curves in self.curves.items():
            new = curves.more()
            unfinished = unfinished or curves.unread
            if name not in self._sent or (new and self._worth_a_picture(name, curves)):
                output.send(self._told(name, curves))
                self._sent[name] = curves.events
        if self._details is not None:
            curves = self.curves.get(str(self._details.folder))
            self._details.look(output, curves.warnings if curves else [])
        return unfinished

    def _worth_a_picture(self, name: str, curves: Curves) -> bool:
        """Of a long file, each fourfold piece on the way to its end."""
        return not curves.unread or curves.events > 4 * self._sent[name]

    def _told(self, name: str, curves: Curves) -> Message:
        return {
            "id": self.id,
            "event": "curves",
            "folder": name,
            "columns": {
                key: drawn(column, self._points, smooth="." not in key)
                for key, column in curves.columns.items()
            },
            "best": curves.best,
            "segments": curves.segments,
            "epoch_seconds": curves.epoch_seconds,
            "events": curves.events,
            "reading": curves.unread,
        }


class Details:
    """Settings, report, logs and fitness for use of one run; each is told when its files have changed."""

    def __init__(self, id: int, folder: Path) -> None:
        self.id, self.folder = id, folder
        self._stamps: dict[str, Any] = {}

    def look(self, output: Output, warnings: list[str]) -> None:
        """Send the parts that are new."""
        news = {
            part: read()
            for part, stamp, read in (
                ("settings", self._stamp("settings.toml", "run.json"), self._settings),
                ("report", self._stamp("report.json"), lambda: run_reading.report(self.folder)),
                ("usable", self._stamp("report.json", "model"), lambda: run_reading.usable(self.folder)),
                ("log", self._stamp("stdout.log", "stderr.log"), lambda: run_reading.log_tail(self.folder)),
                ("warnings", len(warnings), lambda: warnings),
            )
            if self._differs(part, stamp)
        }
        if news:
            output.send({"id": self.id, "event": "details", "folder": str(self.folder), **news})

    def _settings(self) -> dict[str, Any]:
        told = run_reading.read_json(self.folder / "run.json")
        return {**run_reading.settings_table(self.folder), "run": told}

    def _stamp(self, *names: str) -> tuple[float, ...]:
        return tuple(run_reading.changed(self.folder / name) for name in names)

    def _differs(self, part: str, stamp: Any) -> bool:
        if self._stamps.get(part) == stamp:
            return False
        self._stamps[part] = stamp
        return True


class Reader:
    """Obeys requests as they come and looks at the disk in between."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._listing: Listing | None = None
        self._following: Following | None = None
        self._failure: dict[str, str] = {}

    def run(self, requests: queue.SimpleQueue[bytes | None]) -> None:
        """Until None comes."""
        wait = LOOK_S
        while True:
            try:
                line = requests.get(timeout=wait)
                if line is None:
                    return
                self._guarded(self._obey, line)
            except queue.Empty:
                pass
            wait = 0.001 if self._guarded(self._look) else LOOK_S

    def _guarded(self, work: Any, *arguments: Any) -> Any:
        """A fault is told and reading goes on: the next look may find the disk in a better state."""
        try:
            return work(*arguments)
        except ProtocolError as error:
            failure = {"kind": "protocol", "message": str(error), "remedy": "", "details": ""}
        except Exception as error:
            logging.getLogger(__name__).exception("a look at the runs failed")
            failure = {
                "kind": "internal",
                "message": f"A run could not be read: {error}",
                "remedy": "The runs themselves go on. Copy the details into a report.",
                "details": traceback.format_exc(),
            }
        if failure != self._failure:  # the same fault at every look is told once
            self._failure = failure
            self._output.send({"id": 0, "event": "failed", "error": failure})
        return None

    def _obey(self, line: bytes) -> None:
        request = decode(line)
        match request.get("do"):
            case "list":
                self._listing = Listing(request)
            case "follow":
                known = self._following.curves if self._following else {}
                self._following = Following(request, known)
            case "compare":
                folders = [Path(name) for name in request.get("folders") or []]
                told = compare([run_reading.compared(folder) for folder in folders])
                told["settings"] = [
                    {
                        "title": run_reading.titles().get(name, name),
                        "values": [*map(run_reading.shown, values)],
                    }
                    for name, values in told["settings"].items()
                ]
                self._output.send({"id": request["id"], "event": "comparison", **told})
            case _:
                raise ProtocolError("do: list, follow or compare is needed")

    def _look(self) -> bool:
        """One look; whether the next is to follow at once."""
        if self._listing is not None and monotonic() >= self._listing.due:
            self._listing.look(self._output)
        return self._following is not None and self._following.look(self._output)


def serve() -> None:
    """The process: until standard input closes."""
    output = Output()
    requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    reader = threading.Thread(target=Reader(output).run, args=(requests,), name="run-reader")
    reader.start()
    output.send({"id": 0, "event": "ready"})
    for line in input_lines():
        requests.put(line)
    requests.put(None)
    reader.join()
    output.close(timeout=1.0)
