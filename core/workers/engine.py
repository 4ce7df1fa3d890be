"""The engine: one warm process that answers the window's requests, one clip at a time.

Two threads. The main one reads requests, so that a cancel is obeyed at once; the other loads the model and
works. When standard input closes the process ends, whatever it was doing: nothing it holds is worth
waiting for (files are written aside and renamed).
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from typing import Any

from core.errors import Cancelled, UserError, fault
from core.workers import torch_threads
from core.workers.jobs import Job, Jobs, LiveRequest, Request, live_request_of, request_of
from core.workers.protocol import Message, ProtocolError, decode
from core.workers.stdio import Output, input_lines

_LAST_WORDS = 0.3
"""Seconds that events already queued get when standard input closes."""

_LULL = 0.3
"""Seconds without a first job after which the engine warms up; a job does not wait for that."""


def serve(model: str = "starter", speech: str = "base") -> None:
    """Answer requests until standard input closes; does not return.

    model: `starter` or a checkpoint's folder; speech: a recogniser's name or folder.
    """
    output = Output()
    # Ctrl+C in the terminal that the window was started from reaches both; the window decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _step_back()
    jobs = Jobs(output.send)
    worker = Worker(jobs, output, model, speech)
    threading.Thread(target=worker.run, name="engine-work", daemon=True).start()
    for line in input_lines():
        receive(line, jobs, output)
    output.close(_LAST_WORDS)
    # A plain return would wait for native code in the other thread.
    os._exit(0)


def receive(line: bytes, jobs: Jobs, output: Output) -> None:
    """Obey one line. What cannot be understood is answered, and the next line is read."""
    try:
        message = decode(line)
    except ProtocolError as error:
        output.send({"id": 0, "event": "error", "error": _protocol_error(error)})
        return
    try:
        _obey(message, jobs)
    except ProtocolError as error:
        jobs.refuse(message["id"], _protocol_error(error))


def _obey(message: Message, jobs: Jobs) -> None:
    match message.get("do"):
        case "analyse":
            jobs.submit(message["id"], request_of(message))
        case "live":
            jobs.submit(message["id"], live_request_of(message))
        case "cancel" if isinstance(message.get("job"), int):
            jobs.cancel(message["job"])
        case _:
            raise ProtocolError("do: analyse, live, or cancel with a job, is needed")


def _protocol_error(error: ProtocolError) -> dict[str, str]:
    return {"kind": "protocol", "message": str(error), "remedy": "", "details": ""}


def _step_back() -> None:
    """Let the window go first where both want the processor."""
    import psutil

    process = psutil.Process()
    process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if psutil.WINDOWS else 5)


class Worker:
    """Prepares what an analysis needs, then takes jobs from the queue for ever."""

    def __init__(self, jobs: Jobs, output: Output, model: str, speech: str) -> None:
        self._jobs, self._output = jobs, output
        self._model, self._speech = model, speech
        self._analyser: Any = None

    def run(self) -> None:
        """The thread. A failed start is told, and tried again with the next job: its cause may be gone."""
        self._tell(self._guarded(self._begin))
        first = self._jobs.next(timeout=_LULL)
        if first is None:
            self._tell(self._guarded(self._warm))
        else:
            self._do(first)
        while (job := self._jobs.next()) is not None:
            self._do(job)

    def _begin(self) -> None:
        """Say ready as soon as there is a model; it loads while the first clip is already read."""
        if self._analyser is not None:
            return
        import torch

        torch.set_num_threads(torch_threads())
        from core.inference.analyser import Analyser

        self._analyser = Analyser(self._model, self._speech)
        ready = {"model": self._analyser.model, "scale": list(self._analyser.scale)}
        self._output.send({"id": 0, "event": "ready", **ready})

    def _warm(self) -> None:
        if self._analyser is not None:
            self._analyser.warm()

    def _tell(self, failure: dict[str, str] | None) -> None:
        if failure is not None:
            self._output.send({"id": 0, "event": "failed", "error": failure})

    def _do(self, job: Job) -> None:
        failure = self._guarded(self._work, job)
        if failure is None:
            self._jobs.end(job, "cancelled")  # only if it ended early; otherwise this is nothing new
        else:
            self._jobs.end(job, "failed", error=failure)

    def _work(self, job: Job) -> None:
        self._begin()
        if isinstance(job.request, LiveRequest):
            from core.workers.live import watch

            watch(self._analyser, job, job.request, self._jobs)
        else:
            self._analyse(job, job.request)

    def _analyse(self, job: Job, request: Request) -> None:
        from core.inference.answer import to_window_json
        from core.workers.waveform import waveform

        # From the sound alone, so that the time line has something to show before anything is computed.
        shape = waveform(request.file, job.stopped.is_set)
        if shape is not None:
            self._jobs.tell(job, "waveform", **shape)
        analysis = self._analyser.analyse(
            request.file,
            modalities=request.modalities,
            transcript=request.transcript,
            on_progress=lambda step, fraction: self._jobs.tell(job, "progress", step=step, fraction=fraction),
            on_partial=lambda partial: self._jobs.tell(job, "partial", analysis=to_window_json(partial)),
            cancelled=job.stopped.is_set,
        )
        self._jobs.end(job, "done", analysis=to_window_json(analysis))

    def _guarded(self, work: Any, *arguments: Any) -> dict[str, str] | None:
        """Do `work`; the JSON of its error, None where it went well or was cancelled."""
        try:
            work(*arguments)
        except Cancelled:
            return None
        except UserError as error:
            return {**error.to_json(), "details": ""}
        except Exception as error:
            logging.getLogger(__name__).exception("a job failed")
            return fault(error)
        return None
