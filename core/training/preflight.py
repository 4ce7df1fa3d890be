"""Before a run starts: what is wrong, what it will need, how long it will take. Everything at once.

Facts come from looking, and from a few batches really learned from; what cannot be found out is None. Only a
cancelled preflight raises.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import torch

from core import assets
from core.data.parts import DataSet
from core.errors import Cancelled, UserError
from core.training import preflight_data
from core.training.preflight_report import Device, Problem, Report, Room, Time, size
from core.training.preflight_trial import Trial, try_out
from core.training.processes import Processes
from core.training.settings import Settings

Progress = Callable[[str, float], None]
"""Called with what is being done and the share of it that is done, in [0, 1]."""

TIGHT = 0.9
"""Share of the free memory from which a run may be in trouble."""


def preflight(
    settings: Settings,
    data: Path,
    folder: Path,
    runs: int = 1,
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Report:
    """Look at everything that a run of these settings on this data needs.

    folder: where the run's folder would be made. runs: how many of them, one after the other.
    Raises Cancelled.
    """
    begun = time.monotonic()
    progress = _obedient(on_progress or (lambda step, share: None), cancelled or (lambda: False))
    progress("device", 0.0)
    problems: list[Problem] = []
    device = _device(settings, problems)
    encoder = _text_encoder(settings, problems)
    progress("data", 0.05)
    found, there = _read(settings, data, problems, progress)
    trial = None
    splits = preflight_data.splits(found) if found is not None else []
    if found is not None:
        problems += preflight_data.doubts(settings, splits)
        if not there:
            problems.append(_unread())
        elif settings.training.words_first:
            problems.append(_in_stages())
        elif len(found.part("train")) and not _hopeless(problems):
            progress("batches", 0.7)
            trial = _tried(settings, found, problems)
    progress("disk", 0.95)
    memory = _memory(trial, problems)
    return Report(
        problems=problems,
        splits=splits,
        device=device,
        text_encoder=encoder,
        time=_time(settings, trial, runs),
        memory=memory,
        device_memory=_device_memory(trial, problems),
        disk=_disk(trial, folder, runs, problems),
        seconds=round(time.monotonic() - begun, 2),
    )


def _obedient(progress: Progress, cancelled: Callable[[], bool]) -> Progress:
    def told(step: str, share: float) -> None:
        if cancelled():
            raise Cancelled
        progress(step, share)

    return told


def _hopeless(problems: list[Problem]) -> bool:
    """Whether trying a batch would only say again what is known already."""
    tried = ("training.device", "network.text_encoder", "text")
    return any(problem.severity == "error" and problem.where in tried for problem in problems)


def _read(
    settings: Settings, path: Path, problems: list[Problem], progress: Progress
) -> tuple[DataSet | None, bool]:
    try:
        data, there, found = preflight_data.read(
            settings, path, lambda step, share: progress("data", 0.05 + 0.65 * share)
        )
        problems += found
        return data, there
    except UserError as error:
        problems.append(Problem("data-unreadable", "error", "data", error.message, error.remedy))
    except OSError as error:
        told = f"{path} cannot be read: {error.strerror or error}"
        problems.append(Problem("data-unreadable", "error", "data", told, "Choose a file that can."))
    return None, False


def _unread() -> Problem:
    return Problem(
        "features-absent",
        "note",
        "data",
        "The features of these recordings are not computed yet; the run begins with that.",
        "How long it takes, and what memory it needs, is unknown until then.",
    )


def _in_stages() -> Problem:
    told = "Time and memory of a run that learns words first are not estimated."
    return Problem("not-estimated", "note", "training.words_first", told)


def _device(settings: Settings, problems: list[Problem]) -> Device | None:
    """The device, None where there is none of that name."""
    name = settings.training.device
    try:
        device = Processes(settings.training).device
        torch.empty(1, device=device)
    except UserError as error:
        problems.append(_no_device(name, error.message.partition(": ")[2]))
        return None
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        problems.append(_no_device(name, str(error)))
        return None
    found = Device(str(device), _detail(device), _bfloat16(device))
    if settings.training.precision == "bfloat16" and found.bfloat16 is False:
        told = f"{found.name} has no bfloat16 of its own: it would be slower, not faster."
        problems.append(Problem("precision", "warning", "training.precision", told, "Choose float32."))
    return found


def _no_device(name: str, why: str) -> Problem:
    message = f"There is no device {name} here ({why.splitlines()[0].rstrip('.')})."
    if name.startswith("cuda") and shutil.which("nvidia-smi") is None:
        message += " No NVIDIA tool is installed either, so whether there is such a card is unknown."
    return Problem("device", "error", "training.device", message, "Choose auto or cpu.")


def _detail(device: torch.device) -> str:
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{torch.get_num_threads()} threads" if device.type == "cpu" else ""


def _bfloat16(device: torch.device) -> bool | None:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(asked()) if device.type == "cpu" and asked is not None else None


def _text_encoder(settings: Settings, problems: list[Problem]) -> str | None:
    """Where the text encoder is; None where it is not."""
    name = settings.network.text_encoder
    if not name or "text" not in settings.data.modalities:
        return "none"
    if Path(name).is_dir():
        if (Path(name) / "config.json").is_file():
            return name
        told = f"{name} holds no config.json: no text encoder."
        problems.append(Problem("text-encoder", "error", "network.text_encoder", told, _ENCODERS))
        return None
    if name in assets.known():
        (state,) = assets.status([name])
        if state.state == "present":
            return f"{name} ({state.title})"
        told = f"The text encoder {name} is {state.state}: {state.problem}."
        remedy = "Run: consonance assets fetch"
        problems.append(Problem("text-encoder", "error", "network.text_encoder", told, remedy))
        return None
    told = f"There is no text encoder {name} here: it does not come with this program."
    problems.append(Problem("text-encoder", "error", "network.text_encoder", told, _ENCODERS))
    return None


_ENCODERS = (
    "Name the folder that you keep it in; or text-encoder, the MiniLM that comes with the program (English);"
    " or leave it empty to read the text vectors of a dataset file."
)


def _tried(settings: Settings, data: DataSet, problems: list[Problem]) -> Trial | None:
    try:
        return try_out(settings, data)
    except UserError as error:
        problems += _settings_problems(error)
    except MemoryError:
        problems.append(_out_of_memory())
    except torch.OutOfMemoryError:
        problems.append(_out_of_memory())
    except (RuntimeError, ValueError, OSError) as error:
        told = f"A batch could not be learned from: {str(error).splitlines()[0] if str(error) else error!r}"
        remedy = "Look at the widths in the settings and at the data."
        problems.append(Problem("trial", "error", "data", told, remedy))
    return None


def _out_of_memory() -> Problem:
    return Problem(
        "memory", "error", "training.batch_size", "A batch does not fit into memory.", "Choose a smaller one."
    )


_NEXT_SETTING = re.compile(r"; (?=(?:network|training|labels|alignment|data)\.)")


def _settings_problems(error: UserError) -> Iterator[Problem]:
    """A problem for each setting that a message names, as `fitted` writes them."""
    for told in _NEXT_SETTING.split(error.message):
        where, colon, rest = told.partition(": ")
        named = bool(colon) and where.startswith(("network.", "training.", "data.", "labels."))
        yield Problem(error.kind, "error", where if named else "data", rest if named else told, error.remedy)


def _time(settings: Settings, trial: Trial | None, runs: int) -> Time:
    if trial is None:
        return Time(runs=runs)
    epoch = trial.batch_s * trial.batches + trial.valid_s
    run = trial.first_s + epoch * settings.training.epochs
    if settings.training.minutes:
        run = min(run, settings.training.minutes * 60)
    return Time(round(trial.batch_s, 5), trial.batches, round(epoch, 5), round(run, 3), runs)


def _memory(trial: Trial | None, problems: list[Problem]) -> Room:
    free = psutil.virtual_memory().available + psutil.Process().memory_info().rss
    need = None if trial is None else trial.memory
    if need is not None and need > TIGHT * free:
        told = f"It needs about {size(need)} of memory; {size(free)} are free."
        remedy = "Close other programs, or choose a smaller batch."
        problems.append(Problem("memory", "warning", "training.batch_size", told, remedy))
    return Room(need, free)


def _device_memory(trial: Trial | None, problems: list[Problem]) -> Room | None:
    if trial is None or trial.device_memory is None:
        return None
    free, _total = torch.cuda.mem_get_info()
    free += trial.device_memory
    if trial.device_memory > TIGHT * free:
        told = f"It needs about {size(trial.device_memory)} on the card; {size(free)} are free."
        problems.append(Problem("memory", "warning", "training.batch_size", told, "Choose a smaller batch."))
    return Room(trial.device_memory, free)


def _disk(trial: Trial | None, folder: Path, runs: int, problems: list[Problem]) -> Room:
    need = None if trial is None else trial.files * runs
    there = next((parent for parent in (folder, *folder.absolute().parents) if parent.exists()), None)
    try:
        free = None if there is None else shutil.disk_usage(there).free
    except OSError:
        free = None
    if need is not None and free is not None and need > free:
        told = f"{folder}: {runs} runs need about {size(need)} of disk, {size(free)} are free."
        remedy = "Make room, or choose another folder."
        problems.append(Problem("disk", "error", "folder", told, remedy))
    return Room(need, free)
