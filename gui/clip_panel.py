"""The left side of Review: filter, clips, count, and on an empty start three things to do."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, QPointF, QRect, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QKeyEvent, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QListView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui.clip_list import Clip, ClipModel, ClipState, Index
from gui.widgets.sentiment_plot import signed

_END_LETTERS = 5
"""Of a name too long: often a number, by which clips of one recording differ."""
_SHORTEST = 3
"""Letters; with no more than these all of them are of the start."""


class ClipPanel(QWidget):
    """Shows a ClipModel; `chosen` tells which clip is to be shown."""

    chosen = Signal(object)

    def __init__(self, model: ClipModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown: Clip | None = None
        self._filter = _Filter(placeholderText=self.tr("Filter clips…"), clearButtonEnabled=True)
        self._filter.setAccessibleName(self.tr("Filter clips by name or state"))
        self._filter.textChanged.connect(self._filter_changed)
        self._filter.returnPressed.connect(self._to_first_hit)
        self._filter.left.connect(self._leave_filter)
        self.view = QListView(uniformItemSizes=True)
        self.view.setAccessibleName(self.tr("Clips"))
        self.view.setModel(model)
        self.view.setItemDelegate(_ClipPainter(self.view))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self._count = QLabel(objectName="muted")
        self._count.setAccessibleName(self.tr("How many clips are done"))
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self._filter, self.view, self._count):
            self._layout.addWidget(widget)
        self._soon = QTimer(self, singleShot=True, interval=100)
        self._soon.timeout.connect(self._show_count)
        for signal in (model.dataChanged, model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._soon.start)

    def add_card(self, card: QWidget) -> None:
        """Put a card under the list."""
        self._layout.insertWidget(2, card)

    def focus_filter(self) -> None:
        """Let the user type a filter."""
        self._filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._filter.selectAll()

    def select(self, clip: Clip | None) -> None:
        """Make `clip` the current row, now or, if the filter hides it, when the filter lets it through."""
        self._shown = clip
        row = -1 if clip is None else self._model.row_of(clip)
        if row < 0:
            self.view.selectionModel().clear()
            return
        index = self._model.index(row)
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)

    def go(self, by: int) -> None:
        """Move `by` rows down, staying within the list."""
        row = self.view.currentIndex().row() + by
        if 0 <= row < self._model.rowCount():
            self.select(self._model.at(row))

    @Slot(str)
    def _filter_changed(self, text: str) -> None:
        self._model.set_filter(text)
        self.select(self._shown)

    @Slot()
    def _to_first_hit(self) -> None:
        if self._model.rowCount():
            self.select(self._model.at(0))
            self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot()
    def _leave_filter(self) -> None:
        self._filter.clear()
        self.view.setFocus(Qt.FocusReason.OtherFocusReason)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            self._shown = current.data(ClipModel.ClipRole)
            self.chosen.emit(current.data(ClipModel.ClipRole))

    @Slot()
    def _show_count(self) -> None:
        counts = self._model.counts()
        total = len(self._model.clips)
        parts = [self.tr("{done} of {total} done").format(done=counts[ClipState.DONE], total=total)]
        if counts[ClipState.FAILED]:
            parts.append(self.tr("{n} failed").format(n=counts[ClipState.FAILED]))
        self._count.setText(" · ".join(parts) if total else self.tr("No clips yet"))


class _Filter(QLineEdit):
    """A line that is left by Esc."""

    left = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)


class _ClipPainter(QStyledItemDelegate):
    """Two lines a clip: name and estimate, then the state with a mark of its own shape."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, 2 * option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        clip: Clip = index.data(ClipModel.ClipRole)
        palette, box = option.palette, option.rect.adjusted(8, 5, -10, -5)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, palette.highlight())
        text = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        muted = text if selected else palette.color(QPalette.ColorRole.PlaceholderText)
        metrics = option.fontMetrics
        top = QRect(box.left() + 18, box.top(), box.width() - 18, metrics.height())
        painter.setPen(text)
        if clip.value is not None:
            value = signed(clip.value)
            painter.drawText(top, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, value)
            top.setRight(top.right() - metrics.horizontalAdvance(value) - 8)
        name = shortened(clip.path.name, top.width(), metrics.horizontalAdvance)
        painter.drawText(top, Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(muted)
        below = QRect(box.left() + 18, top.bottom() + 3, box.width() - 18, metrics.height())
        state = metrics.elidedText(clip.words, Qt.TextElideMode.ElideRight, below.width())
        painter.drawText(below, Qt.AlignmentFlag.AlignVCenter, state)
        _draw_mark(painter, QPointF(box.left() + 5, box.top() + metrics.height() / 2), clip.state, text)


def shortened(name: str, room: float, width: Callable[[str], float]) -> str:
    """A file's name in `room` pixels: its start, a few letters of its end, and its whole ending."""
    if width(name) <= room:
        return name
    stem, ending = Path(name).stem, Path(name).suffix

    def short(kept: int) -> str:
        last = min(kept // 3, _END_LETTERS) if kept > _SHORTEST else 0
        return f"{stem[: kept - last]}…{stem[len(stem) - last :]}{ending}"

    return short(bisect_right(range(1, len(stem)), room, key=lambda kept: width(short(kept))))


def _draw_mark(painter: QPainter, at: QPointF, state: ClipState, ink: QColor) -> None:
    """Waiting: ring; analysing: half disc; done: disc; failed: cross; cancelled: dash."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.6))
    if state in (ClipState.DONE, ClipState.WAITING, ClipState.ANALYSING):
        if state is ClipState.DONE:
            painter.setBrush(ink)
        painter.drawEllipse(at, 4.5, 4.5)
        if state is ClipState.ANALYSING:
            painter.setBrush(ink)
            painter.drawPie(QRect(int(at.x() - 4.5), int(at.y() - 4.5), 9, 9), -90 * 16, 180 * 16)
    elif state is ClipState.FAILED:
        painter.drawPolyline(QPolygonF([at + QPointF(-4, -4), at + QPointF(4, 4)]))
        painter.drawPolyline(QPolygonF([at + QPointF(-4, 4), at + QPointF(4, -4)]))
    else:
        painter.drawPolyline(QPolygonF([at + QPointF(-4, 0), at + QPointF(4, 0)]))
    painter.restore()
