"""Clips to features in parallel worker processes, one clip each at a time.

What a worker makes goes into the features' cache by the clip's content, so work that was interrupted goes on
where it stopped. Where a worker dies another takes its place and tries the clip once more; if it dies of it
too, the clip is given up and reported.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from core.errors import AssetError, DataError
from core.workers import command, cores

LIMIT_SECONDS = 1800.0
"""A clip that takes longer is given up."""
POLL_SECONDS = 0.2
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LAST_WORDS = 300
"""Characters that a dead worker is quoted with."""


def extract_all(
    files: Sequence[Path],
    progress: Callable[[float], None],
    workers: int = 0,
    arguments: Sequence[str] = ("extractor",),
) -> dict[Path, str]:
    """Extract voice and face of clips into the cache; the reason for each that could not be read.

    progress gets the share that is done, at least every second; what it raises ends the work and its
    processes. workers: 0 is one fewer than there are cores. arguments: the hidden subcommand of a worker.
    Raises AssetError where a pretrained file is missing, DataError where workers cannot even start.
    """
    if not files:
        return {}
    count = min(len(files), workers or max(1, cores() - 1))
    pool = _Pool(list(files), [_Worker(command(*arguments)) for _ in range(count)])
    try:
        return pool.run(progress)
    finally:
        pool.end()


class _Start(Exception):
    """A worker died before it was ready."""


@dataclass(slots=True)
class _Worker:
    """One process at a time; a thread of this process waits for its answers."""

    line: list[str]
    process: subprocess.Popen[bytes] | None = None
    errors: IO[bytes] = field(default_factory=tempfile.TemporaryFile)
    since: float = 0.0
    """When the clip at hand was begun; 0 between clips."""
    late: bool = False
    over: bool = False
    """No process is wanted any more."""

    def read(self, file: Path) -> dict[str, Any]:
        """Have a clip read: {"error": None}, or what is wrong with it, or how the worker died of it."""
        if self.process is None:
            self._start()
        process = self.process
        assert process is not None
        assert process.stdin is not None
        self.since, self.late = time.monotonic(), False
        try:
            process.stdin.write(json.dumps(os.fspath(file)).encode() + b"\n")
            process.stdin.flush()
            return self._answer(process) or {"error": self._died(), "again": not self.late}
        except OSError:
            return {"error": self._died(), "again": not self.late}
        finally:
            self.since = 0.0

    def _start(self) -> None:
        """A new process; returns once it is ready. Raises _Start with its last words if it never is."""
        self.errors.seek(0)
        self.errors.truncate()
        alone = dict.fromkeys(THREADS, "1")
        self.process = subprocess.Popen(
            self.line,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            env={**os.environ, **alone},
        )
        if self.over:  # asked to end while this one began
            self.process.kill()
        if self._answer(self.process) is None:
            raise _Start(self._died())

    def _answer(self, process: subprocess.Popen[bytes]) -> dict[str, Any] | None:
        """The next line it says; None once it says no more."""
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            return json.loads(line) if line.endswith(b"\n") else None
        except ValueError:
            return None

    def _died(self) -> str:
        """Why the process is no more, in words; the next clip gets a new one."""
        process, self.process = self.process, None
        assert process is not None
        process.kill()
        code = process.wait()
        _close(process)
        if self.late:
            return f"took longer than {LIMIT_SECONDS / 60:.0f} minutes: given up"
        if code < 0:
            return f"its reader was ended by the system (signal {-code}), perhaps for want of memory"
        self.errors.seek(0)
        words = self.errors.read().decode(errors="replace").strip()[-LAST_WORDS:]
        return f"its reader ended (exit code {code}){': ' + words if words else ''}"

    def kill(self) -> None:
        """End the process now, whoever waits for it; another thread may call this."""
        if (process := self.process) is not None:
            process.kill()

    def end(self) -> None:
        """After its thread is done: leave nothing open."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            _close(self.process)
        self.errors.close()


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except OSError:  # what was still to be written to a dead process
                continue


class _Pool:
    """Clips to do, and a thread for each worker that takes the next one."""

    def __init__(self, files: list[Path], workers: list[_Worker]) -> None:
        self.files, self.workers = files, workers
        self.todo: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for file in files:
            self.todo.put(file)
        self.done: queue.SimpleQueue[tuple[Path, dict[str, Any]]] = queue.SimpleQueue()
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self._serve, args=(worker,)) for worker in workers]

    def run(self, progress: Callable[[float], None]) -> dict[Path, str]:
        """Every clip's answer; those with an error."""
        for thread in self.threads:
            thread.start()
        failed: dict[Path, str] = {}
        answered = 0
        while answered < len(self.files):
            progress(answered / len(self.files))
            self._give_up_late_ones()
            try:
                file, answer = self.done.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            answered += 1
            _raise_if_general(answer)
            if answer["error"]:
                failed[file] = str(answer["error"])
        progress(1.0)
        return failed

    def end(self) -> None:
        """No more clips; processes that are at one are ended."""
        self.ended.set()
        for worker in self.workers:
            worker.over = True
            worker.kill()
        for thread in self.threads:
            if thread.ident is not None:
                thread.join()
        for worker in self.workers:
            worker.end()

    def _serve(self, worker: _Worker) -> None:
        while not self.ended.is_set():
            try:
                file = self.todo.get_nowait()
            except queue.Empty:
                return
            try:
                answer = worker.read(file)
                if answer.get("again") and not self.ended.is_set():  # it may not have been the clip's fault
                    answer = worker.read(file)
            except (_Start, OSError) as error:
                answer = {"error": str(error), "kind": "start"}
            self.done.put((file, answer))

    def _give_up_late_ones(self) -> None:
        for worker in self.workers:
            if worker.since and time.monotonic() - worker.since > LIMIT_SECONDS:
                worker.late = True
                worker.kill()


def _raise_if_general(answer: dict[str, Any]) -> None:
    """What is no fault of a clip ends everything."""
    if answer.get("kind") == AssetError.kind:
        raise AssetError(answer["error"], answer.get("remedy", ""))
    if answer.get("kind") == "start":
        raise DataError(
            f"no clip can be read: {answer['error']}", "Try `consonance extract` with one of them."
        )
