"""The terminal: results on standard output, all else on standard error, progress only where someone looks."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from core.errors import UserError

OK, FAILED, INTERRUPTED = 0, 1, 130
"""Exit codes; 2, wrong usage, is typer's."""


def errors() -> Console:
    """The console on standard error."""
    return Console(stderr=True, highlight=False)


def show_error(error: UserError, about: str = "") -> None:
    """Message and remedy; never a traceback."""
    console = errors()
    where = f"{about}: " if about and about not in error.message else ""
    console.print(f"[bold red]error[/] {_plain(where + error.message)}", soft_wrap=True)
    if error.remedy:
        console.print(f"      {_plain(error.remedy)}", soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


@contextmanager
def json_lines() -> Generator[Callable[[dict[str, Any]], None]]:
    """A function that writes one object a line to standard output, which nothing else can write to meanwhile.

    Native libraries print to descriptor 1 as they please; for as long as this lasts that is standard error.
    """
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        with os.fdopen(kept, "wb", buffering=0, closefd=False) as output:

            def write(message: dict[str, Any]) -> None:
                line = json.dumps(message, allow_nan=False, ensure_ascii=False)
                output.write(line.encode("utf-8", "surrogateescape") + b"\n")

            yield write
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class Steps:
    """Progress of work in named steps; nothing is drawn unless standard error is a terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            console=errors(),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Steps:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextmanager
    def aside(self) -> Generator[None]:
        """Take the bar away while something is printed, which may share its terminal."""
        self._progress.stop()
        yield
        self._progress.start()

    def begin(self, title: str, total: float = 1.0) -> Callable[[str, float], None]:
        """Start a new bar in place of the last; returns what to call with a step and how much is done."""
        if self._task is not None:
            self._progress.remove_task(self._task)
        task = self._task = self._progress.add_task(_plain(title), total=total)

        def show(step: str, done: float) -> None:
            self._progress.update(task, description=_plain(f"{title}  {step}"), completed=done)

        return show
