"""The Live page: switches, sources and the camera | curves, utterances, the covariance of voice and face.

Wiring only: the session holds the switches and talks to the capture process and the engine, the widgets draw
what they tell. What needs the library of plots is put in by `fill`, when the page is first shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QToolButton, QVBoxLayout, QWidget

from gui.live_session import LiveSession, Recording, Source
from gui.live_source import SourceChooser
from gui.live_words import busy_words, missing_words, picture_words, source_words
from gui.panes import Panes
from gui.widgets.level_meter import LevelMeter
from gui.widgets.live_preview import LivePreview
from gui.widgets.utterance_list import clock

SWITCHES = ("live-preview", "live-inference", "live-record")
"""Ids of the actions that have a button."""


class LivePage(QWidget):
    """One page, two columns. `changed`: what can be done may be something else now."""

    changed = Signal()

    def __init__(self, session: LiveSession, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.panel: Any = None
        self.presenting = False
        self._state: dict[str, Any] = {}
        self.preview, self.meter, self.sources = LivePreview(), LevelMeter(), SourceChooser()
        self.words = QLabel(wordWrap=True, alignment=Qt.AlignmentFlag.AlignTop)
        self.words.setAccessibleName(self.tr("What is said"))
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.status = QLabel(wordWrap=True)
        self.status.setAccessibleName(self.tr("How it stands"))
        self.problem = QLabel(objectName="problem", wordWrap=True)
        self.recording = QLabel(wordWrap=True)
        self.privacy = QLabel(objectName="muted", wordWrap=True)
        self.privacy.setText(
            self.tr("Pictures, sound and words stay on this machine; nothing is kept unless you record.")
        )
        self._switches = QHBoxLayout()
        self._consent = self._consent_bar()
        self._room = QFrame(objectName="card")
        self.splitters = {"live": Panes(Qt.Orientation.Horizontal, (46, 54))}
        self._lay_out()
        self._wire()
        self._draw()

    def _lay_out(self) -> None:
        left = QFrame(objectName="card")
        column = QVBoxLayout(left)
        column.setContentsMargins(10, 8, 10, 8)
        column.addLayout(self._switches)
        column.addWidget(self.sources)
        column.addWidget(self._consent)
        column.addWidget(self.preview, 1)
        column.addWidget(self.words)
        column.addWidget(self.meter)
        for label in (self.status, self.problem, self.recording, self.privacy):
            column.addWidget(label)
        self.words.setMinimumHeight(3 * self.fontMetrics().lineSpacing())
        self.splitters["live"].add(left, self._room)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 4)
        layout.addWidget(self.splitters["live"])

    def _consent_bar(self) -> QFrame:
        bar = QFrame(objectName="banner")
        row = QHBoxLayout(bar)
        told = QLabel(
            self.tr("A recording keeps faces and voices. Has everybody who is seen or heard agreed to it?"),
            wordWrap=True,
        )
        self.agree, self.refuse = QPushButton(self.tr("They agree: record")), QPushButton(self.tr("Not now"))
        row.addWidget(told, 1)
        row.addWidget(self.agree)
        row.addWidget(self.refuse)
        return bar

    def _wire(self) -> None:
        session = self.session
        session.changed.connect(self._draw)
        session.opened.connect(self._opened)
        session.told.connect(self._take)
        session.level.connect(self.meter.set_level)
        session.progress.connect(self._progress)
        session.devices.connect(self.sources.set_devices)
        self.sources.chosen.connect(self._choose)
        self.sources.suggested.connect(session.choose)
        self.sources.again.clicked.connect(session.play_again)
        self.agree.clicked.connect(session.consent)
        self.refuse.clicked.connect(session.stop_recording)

    def add_actions(self, of: Mapping[str, QAction]) -> None:
        """Take over the actions that the page has buttons for."""
        for name in SWITCHES:
            action = of[name]
            button = QToolButton()
            button.setDefaultAction(action)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setAccessibleName(action.text())
            key = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            button.setToolTip(f"{action.text()} ({key})")
            self._switches.addWidget(button)
        self._switches.addStretch(1)

    def fill(self) -> None:
        """Put in the plots, whose library takes a while to load."""
        if self.panel is not None:
            return
        from gui.live_panel import LivePanel

        self.panel = LivePanel()
        self.splitters["live"].swap(1, self.panel)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for devices, and put in what is heavy."""
        super().showEvent(event)
        self.fill()
        self.session.look_for_devices()

    def play_file(self, source: Source) -> None:
        """Play a file as if it were live, with preview and inference on."""
        self.sources.show_file(source.name)
        self.session.preview = self.session.inference = True
        self.session.choose(source)

    def set_presenting(self, presenting: bool) -> None:
        """For a room: camera, words and curves in large type, and nothing else."""
        self.presenting = presenting
        self.fill()
        self.panel.set_presenting(presenting)
        for widget in (self.sources, self.privacy, self.meter):
            widget.setVisible(not presenting)
        self.words.setStyleSheet("font-size: 28px;" if presenting else "")
        self.words.setMinimumHeight((4 if presenting else 3) * self.words.fontMetrics().lineSpacing())
        self._draw()

    @Slot(object)
    def _choose(self, source: Source) -> None:
        self.session.preview = self.session.preview or source.any
        self.session.choose(source)

    @Slot(object, object)
    def _opened(self, pictures: str | None, _sound: str | None) -> None:
        self.preview.attach(pictures if self.session.preview else None)
        self._state = {}
        self.words.clear()
        if _sound is None:
            self.meter.clear()

    @Slot(object)
    def _take(self, message: Mapping[str, Any]) -> None:
        event = message["event"]
        if event == "words":
            self.words.setText(f"{message['text']} …")
        elif event == "utterance":
            self._say((message["answer"].get("transcript") or {}).get("text", ""))
        elif event == "state":
            self._show_state(message)
        if self.panel is not None:
            self.panel.take(message)

    def _say(self, text: str) -> None:
        self.words.setText(f"“{text}”" if text else "")

    def _show_state(self, state: Mapping[str, Any]) -> None:
        before, self._state = self._state, dict(state)
        if self.session.ended:
            self.status.setText(self.tr("The file has ended"))
            return
        told = [
            missing_words(state["missing"]) or self.tr("face and voice there"),
            self.tr("{n:.0f} pictures a second").format(n=self.preview.fps) if self.preview.attached else "",
            busy_words(state, before),
        ]
        self.status.setText(" · ".join(part for part in told if part))

    @Slot(object)
    def _progress(self, progress: Mapping[str, Any]) -> None:
        parts = [
            self.tr("Recording {time}").format(time=clock(progress["seconds"])),
            f"{progress['bytes'] / 1e6:.1f} MB",
            self.tr("{n} pictures dropped").format(n=progress["dropped"]),
        ]
        if progress.get("left_s") is not None:
            parts.append(self.tr("room for {time}").format(time=clock(progress["left_s"])))
        self.recording.setText(" · ".join(parts))

    @Slot()
    def _draw(self) -> None:
        session = self.session
        wanted = self.session.preview
        if not wanted and self.preview.attached:
            self.preview.attach(None)
        elif wanted and not self.preview.attached and session.pictures:
            self.preview.attach(session.pictures)
        self.preview.set_words(picture_words(session.states, wanted, session.source.any, session.rehearsing))
        self.preview.set_recording(
            session.counting if session.recording is Recording.COUNTING else 0,
            session.recording is Recording.ON,
        )
        self._consent.setVisible(session.recording is Recording.ASKING)
        self.sources.again.setVisible(session.ended and not session.rehearsing)
        self.problem.setText(source_words(session.states))
        self.problem.setVisible(bool(self.problem.text()))
        self.recording.setVisible(session.recording in (Recording.ON, Recording.FINISHING))
        if not session.inference:
            self.status.setText(self.tr("Inference is off") if session.open else "")
        elif not self._state:
            self.status.setText(self.tr("Getting ready to watch and listen…"))
        self.changed.emit()
