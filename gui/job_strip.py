"""The strip at the foot of the window: what runs, its step in words, progress, time left, cancel."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QWidget

from gui.engine_process import EngineState
from gui.jobs import Jobs


class JobStrip(QFrame):
    """Follows `jobs`; draws at most ten times a second however fast progress comes."""

    model_asked = Signal()
    """The user wants to know more about the model."""

    def __init__(self, jobs: Jobs, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("strip")
        self.setAccessibleName(self.tr("Running analysis"))
        self._jobs = jobs
        self._words = QLabel()
        self._words.setAccessibleName(self.tr("What runs"))
        self._bar = QProgressBar(textVisible=False, maximum=1000)
        self._bar.setAccessibleName(self.tr("Progress"))
        self._bar.setFixedSize(180, 6)
        self._waiting, self._model = QLabel(objectName="muted"), QToolButton(objectName="muted")
        self._model.setToolTip(self.tr("What the model in use was trained on"))
        self._model.setAccessibleName(self.tr("About the model in use"))
        self._model.clicked.connect(self.model_asked)
        self._cancel = QPushButton(self.tr("Cancel"))
        self._cancel.setAccessibleName(self.tr("Cancel the running analysis"))
        self._cancel.clicked.connect(jobs.cancel_running)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 2, 12, 4)
        layout.setSpacing(12)
        for widget in (self._words, self._bar, self._waiting):
            layout.addWidget(widget)
        layout.addStretch(1)
        layout.addWidget(self._model)
        layout.addWidget(self._cancel)
        self.setFixedHeight(36)
        self._soon = QTimer(self, singleShot=True, interval=100)
        self._soon.timeout.connect(self._draw)
        self._tick = QTimer(self, interval=1000)
        self._tick.timeout.connect(self._draw)
        jobs.changed.connect(self._changed)
        self._draw()

    @property
    def text(self) -> str:
        """What it says."""
        return self._words.text()

    @Slot()
    def _changed(self) -> None:
        if not self._soon.isActive():
            self._soon.start()

    @Slot()
    def _draw(self) -> None:
        running = self._jobs.running is not None
        self._words.setText(self._running_words() if running else self._idle_words())
        job = self._jobs.running
        self._bar.setVisible(job is not None and job.live is None)
        self._bar.setValue(int(1000 * self._jobs.done_share()))
        self._cancel.setVisible(running)
        self._cancel.setEnabled(self._jobs.running is not None and not self._jobs.running.cancelling)
        count = len(self._jobs.waiting)
        waiting = self.tr("{count} more waiting") if running else self.tr("{count} waiting")
        self._waiting.setText(waiting.format(count=count) if count else "")
        self._model.setText(self._model_words())
        self._model.setVisible(bool(self._model.text()))
        if running != self._tick.isActive():
            self._tick.start() if running else self._tick.stop()

    def _running_words(self) -> str:
        job = self._jobs.running
        if job is None:
            return ""
        name = Path(job.file).name
        if job.cancelling:
            return self.tr("Stopping {name}…").format(name=name)
        if job.live is not None:
            return self.tr("Live: {name}").format(name=job.file)
        parts = [self.tr("Analysing {name}").format(name=name)]
        if job.step:
            percent = round(100 * job.fractions.get(job.step, 0.0))
            parts.append(f"{self._step_words(job.step)} {percent} %")
        left = self._jobs.seconds_left()
        if left is not None:
            parts.append(self.tr("{seconds} s left").format(seconds=max(1, round(left))))
        return " · ".join(parts)

    def _step_words(self, step: str) -> str:
        words = {
            "decode": self.tr("reading the file"),
            "extract": self.tr("voice and face"),
            "transcribe": self.tr("writing down the words"),
            "predict": self.tr("estimating"),
        }
        return words.get(step, step)

    def _idle_words(self) -> str:
        words = {
            EngineState.OFF: "",
            EngineState.STARTING: self.tr("Starting the analysis engine…"),
            EngineState.READY: self.tr("Ready"),
            EngineState.UNREADY: self.tr("The analysis engine is not ready"),
            EngineState.RETRYING: self.tr("Restarting the analysis engine…"),
            EngineState.GIVEN_UP: self.tr("The analysis engine is off"),
        }
        return words[self._jobs.engine.state]

    def _model_words(self) -> str:
        model = self._jobs.model
        if not model:
            return ""
        return self.tr("Model {name} {version}").format(
            name=model.get("name", ""), version=model.get("version", "")
        )
