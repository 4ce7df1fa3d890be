"""The camera as it is now, out of shared memory; with a countdown over it while one runs."""

from __future__ import annotations

from collections import deque
from time import perf_counter
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Slot
from PySide6.QtGui import QColor, QHideEvent, QImage, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from gui.widgets.video_paint import paint_video

_EVERY_MS = 16
_COUNTED = 60


class LivePreview(QWidget):
    """`attach` a ring of `core.capture.rings` by its name; None lets go of it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ring: Any = None
        self._pixels: Any = None
        self._image: QImage | None = None
        self._number = self._last = 0
        self._taken = 0.0
        self._words = self.tr("No camera")
        self._count = 0
        self._recording = False
        self._times: deque[float] = deque(maxlen=_COUNTED)
        self.painted = 0
        """Pictures painted since this was set to 0."""
        self.delay = 0.0
        """Seconds from the moment the picture was taken to its painting."""
        self._timer = QTimer(self, interval=_EVERY_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._look)
        self.setAccessibleName(self.tr("Camera"))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    @property
    def attached(self) -> bool:
        return self._ring is not None

    @property
    def shown(self) -> int:
        """Number of the picture shown."""
        return self._number

    @property
    def fps(self) -> float:
        """Pictures shown a second, of late; 0 while there is none."""
        if len(self._times) < 2 or perf_counter() - self._times[-1] > 1:
            return 0.0
        return (len(self._times) - 1) / (self._times[-1] - self._times[0])

    def attach(self, name: str | None) -> None:
        """Show the pictures of this ring from now on."""
        self.detach()
        if name is None:
            return
        from core.capture.rings import Pictures, RingError

        try:
            self._ring = Pictures.attach(name)
        except RingError as error:
            self.set_words(error.message)
            return
        if self.isVisible():
            self._timer.start()

    def detach(self) -> None:
        """Let go of the ring and show no picture."""
        self._timer.stop()
        ring, self._ring = self._ring, None
        self._image = self._pixels = None
        self._number = 0
        self._times.clear()
        if ring is not None:
            ring.close()
        self.update()

    def set_words(self, words: str) -> None:
        """What is said where there is no picture, or over one that no longer moves."""
        if words != self._words:
            self._words = words
            self.setAccessibleDescription(words)
            self.update()

    def set_recording(self, count: int, recording: bool) -> None:
        """Seconds of a countdown (0: none); whether it records."""
        if (count, recording) != (self._count, self._recording):
            self._count, self._recording = count, recording
            self.update()

    def sizeHint(self) -> QSize:
        """A small picture."""
        return QSize(480, 300)

    def minimumSizeHint(self) -> QSize:
        """As small as a face can be seen in."""
        return QSize(200, 120)

    def showEvent(self, event: QShowEvent) -> None:
        """Look at the ring while somebody sees it."""
        super().showEvent(event)
        if self._ring is not None:
            self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The picture, what is to be said, the countdown, the red point."""
        self.painted += self._number != self._last
        self._last = self._number
        if self._taken:
            self.delay = perf_counter() - self._taken
            self._taken = 0.0
        paint_video(self, self._image, "" if self._image else self._words, sound_only=False)
        if self._image is not None and self._words:
            self._paint_words()
        if self._count or self._recording:
            self._paint_recording()

    @Slot()
    def _look(self) -> None:
        seen = self._ring.copy_latest(after=self._number)
        if seen is None:
            return
        height, width = seen.image.shape[:2]
        self._pixels, self._number = seen.image, seen.number
        self._image = QImage(seen.image.data, width, height, 3 * width, QImage.Format.Format_RGB888)
        self._times.append(perf_counter())
        self._taken = seen.stamp
        self.update()

    def _paint_words(self) -> None:
        """Over a picture that no longer moves."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(0, 0, 0, 150))
        painter.setPen(QColor("white"))
        room = QRectF(self.rect()).adjusted(16, 16, -16, -16)
        painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._words)

    def _paint_recording(self) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._count:
            font = painter.font()
            font.setPixelSize(max(24, self.height() // 3))
            painter.setFont(font)
            painter.fillRect(self.rect(), QColor(0, 0, 0, 90))
            painter.setPen(QColor("white"))
            painter.drawText(QRectF(self.rect()), Qt.AlignmentFlag.AlignCenter, str(self._count))
        else:
            painter.setPen(QColor("white"))
            painter.setBrush(QColor("#E5342B"))
            painter.drawEllipse(QRectF(12, 12, 16, 16))
