"""The Review page: clips | video, transcript and timeline | estimates and the covariance of voice and face.

Wiring only: the session knows the clips, the widgets draw what it says and tell what the user wants.
The two that need heavy libraries (video, timeline) are put in by `fill`, after the first paint.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from core.types import MODALITIES
from gui.clip_list import Clip, ClipState
from gui.clip_panel import ClipPanel
from gui.panes import Panes
from gui.player import Player
from gui.session import Answer, Session
from gui.transport import Transport
from gui.widgets.covariance_view import CovarianceView
from gui.widgets.sentiment_plot import SentimentPlot
from gui.widgets.transcript_view import TranscriptView

_YIELDING = (QAbstractButton, QComboBox)
"""Controls that use bare keys of their own: while one has focus, Space and Return are its."""


class ReviewPage(QWidget):
    """One page, three columns, no logic but wiring."""

    filled = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.player = Player(self)
        self._drawn_duration = -1.0
        self.clips = ClipPanel(session.clips)
        self.video: Any = _empty()
        self.timeline: Any = _empty()
        self.transcript = TranscriptView()
        self.estimates = SentimentPlot()
        self.notes = QLabel(objectName="muted", wordWrap=True, visible=False)
        self.covariance = CovarianceView()
        self.transport = Transport(self.player)
        # The shares fit 1280 x 800 and grow with the window.
        self.splitters = {
            "page": Panes(Qt.Orientation.Horizontal, (18, 48, 34)),
            "middle": Panes(Qt.Orientation.Vertical, (44, 14, 42)),
            "right": Panes(Qt.Orientation.Vertical, (35, 65)),
        }
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        page, middle, right = self.splitters.values()
        below = QFrame(objectName="card")
        self._below = QVBoxLayout(below)
        self._below.setContentsMargins(8, 6, 8, 6)
        self._below.addWidget(self.timeline, 1)
        self._below.addWidget(self.transport)
        middle.add(self.video, _card(self.transcript), below)
        estimate = _card(self.estimates, self.tr("Estimate"), self.notes)
        right.add(estimate, _card(self.covariance, self.tr("Voice and face")))
        page.add(self.clips, middle, right)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(4, 4, 8, 4)
        layout.addWidget(page)

    def _wire(self) -> None:
        self.clips.chosen.connect(self.session.show)
        self.session.leaving.connect(self.finish_typing)
        self.session.shown.connect(self._show_clip)
        self.session.answered.connect(self._refresh)
        self.transcript.word_clicked.connect(self.player.seek)
        self.transcript.corrected.connect(self._corrected)
        self.player.moved.connect(self.transcript.set_position)

    def fill(self) -> None:
        """Put in the video and the timeline, whose libraries take a while to load."""
        from gui.widgets.timeline import Timeline
        from gui.widgets.video_view import VideoView

        video, timeline = VideoView(), Timeline()
        self.splitters["middle"].swap(0, video)
        self._below.replaceWidget(self.timeline, timeline)
        self.timeline.deleteLater()
        self.video, self.timeline = video, timeline
        timeline.seek_requested.connect(self.player.seek)
        timeline.loop_requested.connect(self.player.select)
        self.player.moved.connect(timeline.set_position)
        self.player.changed.connect(self._fit_timeline)
        self.player.changed.connect(self._show_loop)
        self._order_tabs()
        self.player.attach(video)
        self._draw(self.session.current)
        self.filled.emit()

    @property
    def full(self) -> bool:
        """Whether `fill` has run."""
        return hasattr(self.timeline, "set_curve")

    @property
    def can_correct(self) -> bool:
        """Whether there is a transcript to correct, or a course of time in which words could be said."""
        clip = self.session.current
        return (
            clip is not None
            and clip.state is ClipState.DONE
            and not _still(self.session.answer(clip).analysis)
        )

    def _order_tabs(self) -> None:
        """Tab goes as the eye does; what was put in last would come last otherwise."""
        parts = (self.clips, self.video, self.transcript, self.timeline, self.transport)
        stops = [stop for part in (*parts, self.estimates, self.covariance) for stop in _stops(part)]
        for before, after in pairwise(stops):
            QWidget.setTabOrder(before, after)

    def correct_transcript(self) -> None:
        """Let the user type."""
        self.transcript.begin_edit()

    @Slot()
    def finish_typing(self) -> None:
        """Keep a correction that is being typed: it belongs to the clip shown and to no other."""
        self.transcript.finish_edit()

    def shut_down(self) -> None:
        """Keep what was typed, end the video's threads."""
        self.finish_typing()
        self.session.save()
        self.player.shut_down()

    def watch_keys_of(self, widget: QWidget) -> None:
        """Let controls under `widget` keep Space and Return for themselves."""
        for control in widget.findChildren(QWidget):
            if isinstance(control, _YIELDING):
                control.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Claim a bare key for the focused control before the page's shortcuts see it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            keys = (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if event.key() in keys and event.modifiers() == Qt.KeyboardModifier.NoModifier:
                event.accept()
                return True
        return super().eventFilter(watched, event)

    def event(self, event: QEvent) -> bool:
        """Notice that K goes down, whose shortcut hides the key from the page."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            self.player.held |= event.key() == Qt.Key.Key_K and not event.modifiers()
        return super().event(event)

    def keyReleaseEvent(self, event: QKeyEvent) -> None:
        """K let go: J and L play again."""
        if event.key() == Qt.Key.Key_K and not event.isAutoRepeat():
            self.player.held = False
        super().keyReleaseEvent(event)

    @Slot(object)
    def _show_clip(self, clip: Clip | None) -> None:
        self.player.open(None if clip is None else clip.path)
        self.clips.select(clip)
        self._draw(clip)

    @Slot(object)
    def _refresh(self, clip: Clip) -> None:
        if clip is self.session.current:
            self._draw(clip)

    @Slot(str)
    def _corrected(self, text: str) -> None:
        if self.session.current is not None:
            self.session.correct(self.session.current, text)

    def _draw(self, clip: Clip | None) -> None:
        answer = Answer() if clip is None else self.session.answer(clip)
        self._draw_words(clip, answer)
        self._draw_estimates(clip, answer)
        if self.full:
            self.timeline.set_message(self._no_course(clip, answer))
            self._draw_timeline(answer)

    def _draw_words(self, clip: Clip | None, answer: Answer) -> None:
        if self.transcript.editing():
            return
        analysis = answer.analysis
        if clip is None:
            self.transcript.set_message(self.tr("The words of a clip appear here"))
        elif clip.state is ClipState.FAILED:
            self.transcript.set_message(clip.why)
        elif clip.typed is not None and clip.state is not ClipState.DONE:
            self.transcript.set_transcript({"text": clip.typed, "language": clip.language, "words": []})
        elif analysis is None or answer.partial:
            self._draw_waiting(clip)
        elif _still(analysis):
            self.transcript.set_message(self.tr("A still picture has no words"))
        else:
            said, why = analysis.get("transcript"), _missing(analysis).get("text", "")
            # Typed words come without a language; it is that of the words which they correct.
            language = said and (said["language"] or clip.language)
            self.transcript.set_transcript(said and {**said, "language": language}, why)

    def _draw_waiting(self, clip: Clip) -> None:
        if clip.state is ClipState.ANALYSING:
            self.transcript.set_busy()
        elif clip.state is ClipState.CANCELLED:
            self.transcript.set_message(self.tr("Not analysed. F5 analyses this clip."))
        else:
            self.transcript.set_message(self.tr("Waiting to be analysed"))

    def _draw_estimates(self, clip: Clip | None, answer: Answer) -> None:
        analysis = answer.analysis
        notes = (analysis or {}).get("notes") or []
        self.notes.setText(" ".join(notes))
        self.notes.setVisible(bool(notes))
        if analysis is None:
            self.estimates.set_estimates(None, (-3.0, 3.0), [])
            self.covariance.set_alignment(None, None, self._no_alignment(clip))
            return
        missing = list(analysis.get("missing") or [])
        if answer.partial and not any(row["modality"] == "text" for row in missing):
            missing.append({"modality": "text", "reason": self.tr("words not there yet")})
        self.estimates.set_estimates(analysis["estimates"], analysis["scale"], missing)
        self.covariance.set_alignment(
            analysis.get("alignment"), analysis.get("covariance"), analysis.get("alignment_reason") or ""
        )

    def _no_alignment(self, clip: Clip | None) -> str:
        if clip is None or clip.state not in (ClipState.FAILED, ClipState.CANCELLED):
            return self.tr("The alignment of voice and face appears here")
        return self.tr("This clip has not been analysed")

    def _no_course(self, clip: Clip | None, answer: Answer) -> str:
        """Why there may be nothing over time."""
        if clip is None:
            return self.tr("Open a clip to see it over time")
        if clip.state is ClipState.FAILED:
            return self.tr("This clip could not be read")
        if clip.state is ClipState.DONE and _still(answer.analysis):
            return self.tr("A still picture has no course over time")
        return self.tr("The course over time appears here")

    def _draw_timeline(self, answer: Answer) -> None:
        analysis, shape = answer.analysis or {}, answer.waveform or {}
        self._fit_timeline()
        self.timeline.set_waveform(shape.get("peaks"))
        self.timeline.set_speech(shape.get("speech"))
        transcript = analysis.get("transcript") or {}
        self.timeline.set_words(transcript.get("words"))
        self.timeline.set_curve(analysis.get("curve"), analysis.get("scale") or (-3.0, 3.0))

    @Slot()
    def _show_loop(self) -> None:
        self.timeline.set_loop(self.player.selection)

    @Slot()
    def _fit_timeline(self) -> None:
        """Give the timeline the clip's length, once: doing so shows the whole clip again."""
        clip = self.session.current
        analysis = (self.session.answer(clip).analysis if clip else None) or {}
        duration = float(analysis.get("duration") or self.player.duration)
        if self.full and duration != self._drawn_duration:
            self._drawn_duration = duration
            self.timeline.set_duration(duration)


def _missing(analysis: dict[str, Any]) -> dict[str, str]:
    reasons = {row["modality"]: row["reason"] for row in analysis.get("missing") or []}
    return {name: reasons[name] for name in MODALITIES if name in reasons}


def _still(analysis: dict[str, Any] | None) -> bool:
    """Whether this is the answer to a picture, which has no course over time."""
    return analysis is not None and not analysis.get("duration")


def _stops(part: QWidget) -> list[QWidget]:
    """Where Tab can stop in a part of the page, in the order in which it was built."""
    within = [part, *part.findChildren(QWidget)]
    return [widget for widget in within if widget.focusPolicy() & Qt.FocusPolicy.TabFocus]


def _empty() -> QFrame:
    return QFrame(objectName="card")


def _card(widget: QWidget, title: str = "", below: QWidget | None = None) -> QFrame:
    card = QFrame(objectName="card")
    layout = QVBoxLayout(card)
    layout.setContentsMargins(10, 8, 10, 8)
    if title:
        layout.addWidget(QLabel(title, objectName="heading"))
    layout.addWidget(widget, 1)
    if below is not None:
        layout.addWidget(below)
    return card
