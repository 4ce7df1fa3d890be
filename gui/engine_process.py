"""The engine's process as the window sees it: started, listened to, restarted, ended. Never waited for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from time import monotonic

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, QTimer, Signal, Slot

from core.workers.protocol import Message, ProtocolError, encode
from gui.line_reader import LineReader

SLICE_S = 0.004
"""Longest time spent on the engine's lines before the window gets its turn."""
FIRST_RETRY_S = 0.5
RETRIES = 5
RETRY_WINDOW_S = 60.0
LAST_WORDS = 50
"""Lines of stderr kept for a report."""
FAREWELL_MS = 2000


class EngineState(Enum):
    """What the engine is doing, as far as the window knows (UNREADY: it runs but could not load)."""

    OFF = "off"
    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    RETRYING = "retrying"
    GIVEN_UP = "given up"


@dataclass(frozen=True, slots=True)
class EngineEnd:
    """Why the engine ended, its last words, and in how many seconds it is started again (None: not)."""

    reason: str
    last_words: str
    retry_in: float | None


class EngineProcess(QObject):
    """One engine over stdio. Ends when its stdin closes; ended by the window when it misbehaves."""

    received = Signal(object)
    """A message; as an object, for Qt would copy a dict deeply and sort its keys."""
    state_changed = Signal(object)
    ended = Signal(object)
    closed = Signal()
    fell_silent = Signal(float)

    def __init__(
        self,
        command: Callable[[], Sequence[str]],
        environment: Callable[[], dict[str, str]] = dict,
        silence_s: float = 30.0,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._command = command
        self._environment = environment
        self._process: QProcess | None = None
        self._reader = LineReader()
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._fault = ""
        self._deaths: deque[float] = deque(maxlen=RETRIES)
        self._closing = False
        self.state = EngineState.OFF
        self._retry = self._timer(self.start)
        self._silence = self._timer(self._say_silent)
        self._silence.setInterval(int(silence_s * 1000))
        self._more = self._timer(self._take_slice)
        self._farewell = self._timer(self.kill)

    def _timer(self, then: Callable[[], None]) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.timeout.connect(then)
        return timer

    @Slot()
    def start(self) -> None:
        """Start the engine unless it runs already; `state` tells when it is ready."""
        if self._process is not None or self._closing:
            return
        program, *arguments = self._command()
        process = QProcess(self)
        environment = QProcessEnvironment.systemEnvironment()
        for key, value in self._environment().items():
            environment.insert(key, value)
        process.setProcessEnvironment(environment)
        process.readyReadStandardOutput.connect(self._take_slice)
        process.readyReadStandardError.connect(self._take_last_words)
        process.finished.connect(self._finished)
        process.errorOccurred.connect(self._failed_to_start)
        self._process, self._reader, self._fault = process, LineReader(), ""
        self._last_words.clear()
        self._become(EngineState.STARTING)
        process.start(program, arguments)

    @property
    def process_id(self) -> int:
        """The engine's process id, 0 where none runs."""
        return 0 if self._process is None else int(self._process.processId())

    def send(self, message: Message) -> None:
        """Write one request (Qt buffers it; nothing waits)."""
        if self._process is not None:
            self._process.write(encode(message))

    def watch(self, on: bool) -> None:
        """Report silence from now on, or no longer."""
        if on:
            self._silence.start()
        else:
            self._silence.stop()

    def fail(self, reason: str) -> None:
        """End a misbehaving engine; it is reported and restarted like one that crashed."""
        self._fault = self._fault or reason
        self.kill()

    @Slot()
    def kill(self) -> None:
        """End the engine at once."""
        if self._process is not None:
            self._process.kill()

    def restart(self) -> None:
        """Start anew with today's settings; not counted as a failure."""
        self._deaths.clear()
        self._retry.stop()
        if self._process is None:
            self.start()
        else:
            self._fault = "restart"
            self._become(EngineState.STARTING)
            self._process.kill()

    def close(self) -> None:
        """End for good: close stdin, and kill after two seconds. `closed` tells when it is over."""
        self._closing = True
        self._retry.stop()
        self._silence.stop()
        if self._process is None:
            self.closed.emit()
            return
        self._process.closeWriteChannel()
        self._farewell.start(FAREWELL_MS)

    @Slot()
    def _take_slice(self) -> None:
        if self._process is None or self._fault or self._closing:
            return
        if self._silence.isActive():
            self._silence.start()
        try:
            self._reader.feed(bytes(self._process.readAllStandardOutput().data()))
            for message in self._reader.messages(SLICE_S):
                self._receive(message)
        except ProtocolError as error:
            self._last_words.append(str(error))
            self.fail(self.tr("it sent something that is no message"))
            return
        if self._reader.pending:
            self._more.start(0)

    def _receive(self, message: Message) -> None:
        if message.get("event") == "ready":
            self._become(EngineState.READY)
        elif message["id"] == 0 and message.get("event") == "failed":
            self._become(EngineState.UNREADY)
        self.received.emit(message)

    @Slot()
    def _take_last_words(self) -> None:
        if self._process is not None:
            text = bytes(self._process.readAllStandardError().data()[-20_000:]).decode(errors="replace")
            self._last_words.extend(text.splitlines())

    @Slot()
    def _say_silent(self) -> None:
        self.fell_silent.emit(self._silence.interval() / 1000)

    @Slot(QProcess.ProcessError)
    def _failed_to_start(self, error: QProcess.ProcessError) -> None:
        if error == QProcess.ProcessError.FailedToStart and self._process is not None:
            self._over(self.tr("it could not be started: %1").replace("%1", self._process.errorString()))

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._take_last_words()
        killed = status == QProcess.ExitStatus.CrashExit
        ended = self.tr("it was killed or crashed") if killed else self.tr("it ended with code %1")
        self._over(self._fault or ended.replace("%1", str(code)))

    def _over(self, reason: str) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.deleteLater()
        self._silence.stop()
        self._farewell.stop()
        if self._closing:
            self.closed.emit()
        elif reason == "restart":
            self._become(EngineState.OFF)
            self.start()
        else:
            self._report(reason)

    def _report(self, reason: str) -> None:
        self._deaths.append(monotonic())
        lately = sum(self._deaths[-1] - death < RETRY_WINDOW_S for death in self._deaths)
        delay = None if lately >= RETRIES else FIRST_RETRY_S * 2 ** (lately - 1)
        self._become(EngineState.GIVEN_UP if delay is None else EngineState.RETRYING)
        self.ended.emit(EngineEnd(reason, "\n".join(self._last_words), delay))
        if delay is not None:
            self._retry.start(int(delay * 1000))

    def _become(self, state: EngineState) -> None:
        self.state = state
        self.state_changed.emit(state)
