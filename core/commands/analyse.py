"""`consonance analyse`: estimates of clips, for people as tables, for programs as one JSON object a line."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from core.commands.console import FAILED, OK, Steps, errors, json_lines, show_error
from core.commands.extract import clips_below
from core.diagnostics.words import describe
from core.errors import DataError, UserError
from core.inference.analyser import Analyser
from core.inference.answer import notes, to_json
from core.types import HEADS, Analysis, Estimate, Head, Modality
from core.workers import torch_threads

Show = Callable[[Analysis], None]
ShowFailure = Callable[[str, UserError], None]


def analyse(
    files: Sequence[str],
    *,
    as_json: bool,
    transcript: str | None,
    modalities: Sequence[Modality],
    model: str,
    speech: str,
) -> int:
    """Analyse each file, and each clip of a folder, and show it as soon as it is done; the exit code."""
    torch.set_num_threads(torch_threads())
    analyser = Analyser(model, speech)

    def each(show: Show, show_failure: ShowFailure) -> int:
        code = OK
        with Steps() as steps:
            for file, problem in _clips(files):
                report = steps.begin(file)
                try:
                    if problem is not None:
                        raise problem
                    analysis = analyser.analyse(
                        file, modalities=modalities, transcript=transcript, on_progress=report
                    )
                except UserError as error:
                    failure = error
                except Exception as error:  # noqa: BLE001 - a fault in one clip leaves the others their answer
                    with steps.aside():
                        errors().print(traceback.format_exc(), markup=False)
                    failure = _Fault(f"{type(error).__name__}: {error}")
                else:
                    with steps.aside():
                        show(analysis)
                    continue
                code = FAILED
                with steps.aside():
                    show_failure(file, failure)
        return code

    if not as_json:
        console = Console(highlight=False)
        return each(lambda analysis: show_table(console, analysis), lambda file, e: show_error(e, file))
    with json_lines() as write:
        return each(
            lambda analysis: write(to_json(analysis)), lambda file, error: write(failure_json(file, error))
        )


def _clips(files: Sequence[str]) -> Iterator[tuple[str, UserError | None]]:
    """Each file, and in place of a folder its clips, or the folder with the reason why there are none."""
    for file in files:
        if not Path(file).is_dir():
            yield file, None
            continue
        try:
            found = clips_below(Path(file))
        except DataError as error:
            yield file, error
        else:
            yield from ((str(path), None) for path in found)


class _Fault(UserError):
    """A fault of the program, as it is told beside the errors of the user's world."""

    kind = "internal"


def failure_json(file: str, error: UserError) -> dict[str, Any]:
    """The object in place of an answer; its error has a "remedy" where there is one."""
    return {"file": file, "error": {name: said for name, said in error.to_json().items() if said}}


def show_table(console: Console, analysis: Analysis) -> None:
    """One clip for a person: the estimates on the scale, what was said, what is missing and why."""
    low, high = analysis.scale
    table = Table(
        title=f"{analysis.file}  ({analysis.duration:.1f} s)", title_justify="left", title_style="bold"
    )
    for column in ("", "estimate", "interval"):
        table.add_column(column, justify="left" if not column else "right")
    table.add_column(f"{low:+g} … {high:+g}", no_wrap=True)
    for head in HEADS:
        table.add_row(*_row(head, analysis))
    console.print(table)
    if analysis.transcript is not None:
        said = f"“{analysis.transcript.text.strip()}”  ({analysis.transcript.language or 'typed'})"
        console.print(said, markup=False)
    for note in notes(analysis):
        console.print(note, markup=False)
    aligned = describe(analysis.alignment) if analysis.alignment else analysis.alignment_reason
    console.print(f"Voice and face: {aligned}", markup=False)
    spent = ", ".join(f"{step} {seconds:.2f} s" for step, seconds in analysis.seconds.items())
    model = f"{analysis.model['name']} {analysis.model['version']}"
    console.print(f"Model {model}; {spent}\n", style="dim", markup=False)


def _row(head: Head, analysis: Analysis) -> tuple[str, str, str, str]:
    estimate = analysis.estimates[head]
    if estimate is None:
        reason = "nothing to judge" if head == "multimodal" else analysis.missing.get(head, "")
        return head, "missing", "", reason
    interval = "" if estimate.low is None else f"{estimate.low:+.2f} … {estimate.high:+.2f}"
    return head, f"{estimate.value:+.2f}", interval, _bar(estimate, analysis.scale)


def _bar(estimate: Estimate, scale: tuple[float, float], width: int = 31) -> str:
    """The estimate as a dot on the scale, its interval as a line, zero as a bar."""
    low, high = scale

    def place(value: float) -> int:
        return round((value - low) / (high - low) * (width - 1))

    cells = ["·"] * width
    if estimate.low is not None and estimate.high is not None:
        first, last = place(estimate.low), place(estimate.high)
        cells[first : last + 1] = ["─"] * (last - first + 1)
    if low < 0 < high:
        cells[place(0)] = "│"
    cells[place(estimate.value)] = "●"
    return "".join(cells)
