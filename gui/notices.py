"""What the banner says in each case: what happened, to which file, what was kept, what to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication

from gui.banner import Notice
from gui.engine_process import EngineEnd
from gui.file_finder import MEDIA
from gui.jobs import Job


def _tr(text: str, **values: object) -> str:
    return QCoreApplication.translate("notices", text).format(**values)


def engine_ended(end: EngineEnd, job: Job | None, again: Callable[[], object]) -> Notice:
    """The engine died; it is restarted, or no longer."""
    if job is None:
        what = _tr("The analysis engine stopped: {reason}.", reason=end.reason)
    else:
        name = Path(job.file).name
        what = _tr(
            "The analysis engine stopped while it analysed {name}: {reason}.", name=name, reason=end.reason
        )
    details = end.last_words or _tr("It left no last words.")
    if end.retry_in is None:
        kept = _tr(
            "It stopped five times within a minute and stays off. Your clips and finished results are kept."
        )
        return Notice(what, kept, details, ((_tr("Try again"), again),))
    return Notice(what, _tr("Your clips and finished results are kept. It is being restarted."), details)


def engine_failed(error: dict[str, Any], again: Callable[[], object]) -> Notice:
    """The engine runs but could not load what it needs."""
    remedy = error.get("remedy") or _tr("Your clips are kept.")
    what = error.get("message") or _tr("The analysis engine is not ready.")
    return Notice(str(what), str(remedy), str(error.get("details") or ""), ((_tr("Try again"), again),))


def engine_silent(seconds: float, job: Job | None, restart: Callable[[], object]) -> Notice:
    """The engine said nothing for a long time."""
    name = "" if job is None else Path(job.file).name
    return Notice(
        _tr(
            "The analysis engine has said nothing for {seconds:.0f} s about {name}.",
            seconds=seconds,
            name=name,
        ),
        _tr("A long clip may need this. You can go on waiting, or restart the engine; results are kept."),
        buttons=((_tr("Keep waiting"), lambda: None), (_tr("Restart the engine"), restart)),
    )


def clip_failed(path: Path, error: dict[str, Any], failures: int) -> Notice:
    """A clip could not be analysed. `failures`: how many since the banner was last closed."""
    message = str(error.get("message") or "")
    what = message if path.name in message else _tr("{name}: {message}", name=path.name, message=message)
    remedy = [str(error.get("remedy") or "")]
    if failures > 1:
        others = failures - 1
        remedy.append(
            _tr("{others} more could not be analysed; the list says why. The rest goes on.", others=others)
        )
    return Notice(what, " ".join(filter(None, remedy)), f"{path}\n{error.get('details') or ''}".strip())


def nothing_found(where: Sequence[Path]) -> Notice:
    """A folder holds no clips."""
    names = ", ".join(path.name for path in where)
    known = " ".join(sorted(suffix.lstrip(".") for suffix in MEDIA))
    return Notice(
        _tr("There are no clips in {names}.", names=names),
        _tr("Your list is as it was. Folders are searched for known kinds of files; others open one by one."),
        known,
    )


def not_playable(path: Path, message: str) -> Notice:
    """A clip cannot be played here."""
    return Notice(_tr("{name} cannot be played.", name=path.name), message, str(path))


def our_fault(error: BaseException, details: str) -> Notice:
    """The program itself is wrong somewhere."""
    return Notice(
        _tr("Something in the program went wrong: {error}.", error=error or type(error).__name__),
        _tr("Your clips and finished results are kept. Copy the details into a report."),
        details,
    )


def correction_not_kept(path: Path, problem: str) -> Notice:
    """The disk did not take corrected words."""
    return Notice(
        _tr("The corrected words of {name} are not on the disk yet.", name=path.name),
        _tr("They hold until the window closes, and are written with the next correction if the disk lets."),
        problem,
    )


def preferences_not_stored(file: str, problem: str) -> Notice:
    """The disk did not take the preferences."""
    return Notice(
        _tr("Your preferences could not be stored in {file}.", file=file),
        _tr("They hold until the window closes. Check that the folder can be written."),
        problem,
    )
