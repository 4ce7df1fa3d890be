"""The left side of Training: new run, filter, runs with their state, what to compare."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import (
    QAbstractItemModel,
    QDate,
    QEvent,
    QItemSelectionModel,
    QLocale,
    QModelIndex,
    QPointF,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPalette, QPen, QPolygonF
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListView,
    QPushButton,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from gui.clip_list import Index
from gui.run_list import Run, RunModel
from gui.theme import DARK, LIGHT

_TICK = 20
"""Pixels of the tick box's column."""


class RunListPanel(QWidget):
    """Shows a RunModel; `chosen` tells which run is to be shown (None: none)."""

    chosen = Signal(object)
    compare_wanted = Signal()
    new_wanted = Signal()

    def __init__(self, model: RunModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._shown = ""
        self.new = QPushButton(self.tr("New run…"))
        self.new.clicked.connect(self.new_wanted)
        self.filter = QLineEdit(placeholderText=self.tr("Filter runs…"), clearButtonEnabled=True)
        self.filter.setAccessibleName(self.tr("Filter runs by name, data or state"))
        self.filter.textChanged.connect(self._filter_changed)
        self.view = QListView(uniformItemSizes=True)
        self.view.setAccessibleName(self.tr("Runs"))
        self.view.setModel(model)
        self.view.setItemDelegate(_RunPainter(self.view))
        self.view.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.view.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.view.selectionModel().currentChanged.connect(self._current_changed)
        self.compare = QPushButton()
        self.compare.clicked.connect(self.compare_wanted)
        self.count = QLabel(objectName="muted")
        self.count.setAccessibleName(self.tr("How many runs there are"))
        self._lay_out()
        model.ticks_changed.connect(self._ticks_changed)
        for signal in (model.dataChanged, model.rowsInserted, model.rowsRemoved, model.modelReset):
            signal.connect(self._show_count)
        self._ticks_changed()
        self._show_count()

    def _lay_out(self) -> None:
        self._layout = QVBoxLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        for widget in (self.new, self.filter, self.view):
            self._layout.addWidget(widget)
        foot = QHBoxLayout()
        foot.addWidget(self.count, 1)
        foot.addWidget(self.compare)
        self._layout.addLayout(foot)

    def select(self, folder: str) -> bool:
        """Make a run the current one; whether it is on the list."""
        row = self._model.row_of(folder)
        if row < 0:
            return False
        index = self._model.index(row)
        self.view.selectionModel().setCurrentIndex(index, QItemSelectionModel.SelectionFlag.ClearAndSelect)
        self.view.scrollTo(index)
        return True

    def go(self, by: int) -> None:
        """Move `by` rows down, staying within the list."""
        row = self.view.currentIndex().row() + by
        if 0 <= row < self._model.rowCount():
            self.select(self._model.at(row).folder)

    def tick_current(self) -> None:
        """Tick the current run for a comparison, or untick it."""
        index = self.view.currentIndex()
        if index.isValid():
            ticked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
            state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
            self._model.setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def focus_filter(self) -> None:
        """Let the user type a filter."""
        self.filter.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filter.selectAll()

    @Slot(str)
    def _filter_changed(self, text: str) -> None:
        shown = self._shown
        self._model.set_filter(text)
        self.select(shown)

    @Slot(QModelIndex, QModelIndex)
    def _current_changed(self, current: QModelIndex, previous: QModelIndex) -> None:
        if current.isValid():
            run: Run = current.data(RunModel.RunRole)
            self._shown = run.folder
            self.chosen.emit(run)

    @Slot()
    def _ticks_changed(self) -> None:
        count = len(self._model.ticked)
        self.compare.setText(self.tr("Compare {count}").format(count=count) if count else self.tr("Compare"))
        self.compare.setEnabled(count >= 2)
        self.compare.setToolTip("" if count >= 2 else self.tr("Tick two or more runs to compare them"))

    @Slot()
    def _show_count(self) -> None:
        total, live = len(self._model.runs), sum(run.live for run in self._model.runs.values())
        words = self.tr("{total} runs").format(total=total) if total != 1 else self.tr("1 run")
        if live:
            words += " · " + self.tr("{live} running").format(live=live)
        self.count.setText(words if total else self.tr("No runs yet"))


class _RunPainter(QStyledItemDelegate):
    """Two lines a run: mark, name and best figure; then the state in words and when it began."""

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(120, 2 * option.fontMetrics.height() + 12)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        run: Run = index.data(RunModel.RunRole)
        palette, metrics = option.palette, option.fontMetrics
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        if selected:
            painter.fillRect(option.rect, palette.highlight())
        text = palette.color(QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text)
        muted = text if selected else palette.color(QPalette.ColorRole.PlaceholderText)
        self._draw_tick(painter, option, run)
        box = option.rect.adjusted(8 + _TICK, 5, -10, -5)
        draw_state(
            painter,
            QPointF(box.left() + 6, box.top() + metrics.height() / 2),
            run.state,
            text if selected else _state_colour(run.state, palette),
        )
        top = QRect(box.left() + 20, box.top(), box.width() - 20, metrics.height())
        painter.setPen(text)
        self._draw_pair(painter, top, run.title, _figure(run.best), option)
        painter.setPen(muted)
        below = QRect(top.left(), top.bottom() + 3, top.width(), metrics.height())
        self._draw_pair(painter, below, run.state_words, _when(run.created), option)

    def _draw_pair(
        self, painter: QPainter, box: QRect, left: str, right: str, option: QStyleOptionViewItem
    ) -> None:
        metrics = option.fontMetrics
        painter.drawText(box, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, right)
        room = box.width() - (metrics.horizontalAdvance(right) + 8 if right else 0)
        painter.drawText(
            box, Qt.AlignmentFlag.AlignVCenter, metrics.elidedText(left, Qt.TextElideMode.ElideRight, room)
        )

    def _draw_tick(self, painter: QPainter, option: QStyleOptionViewItem, run: Run) -> None:
        palette = option.palette
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.PlaceholderText
        box = QRectF(option.rect.left() + 9.5, option.rect.center().y() - 6.5, 13, 13)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(palette.color(role), 1.2))
        painter.drawRoundedRect(box, 2.5, 2.5)
        if run.ticked:
            painter.setPen(QPen(palette.color(role), 1.8))
            points = (QPointF(3, 6.5), QPointF(5.5, 9.5), QPointF(10.5, 3.5))
            painter.drawPolyline(QPolygonF([box.topLeft() + point for point in points]))
        painter.restore()

    def editorEvent(
        self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index
    ) -> bool:
        """A click on the tick's column ticks, and so does Space; the row itself is chosen elsewhere."""
        clicked = isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseButtonRelease
        if clicked and event.position().x() > option.rect.left() + 8 + _TICK:
            return False
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if not clicked and not (pressed and event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Select)):
            return False
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked
        state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
        return model.setData(index, state, Qt.ItemDataRole.CheckStateRole)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}".replace("-", "−")  # noqa: RUF001 - a true minus


def _when(created: float) -> str:
    """When a run began: the time today, the date before."""
    if not created:
        return ""
    moment = datetime.fromtimestamp(created)
    if moment.date() == datetime.now().date():
        return moment.strftime("%H:%M")
    return QLocale().toString(QDate(moment.year, moment.month, moment.day), "d MMM")


def _state_colour(state: str, palette: QPalette) -> QColor:
    colours = DARK if palette.color(QPalette.ColorRole.Base).lightnessF() < 0.5 else LIGHT
    named = {"finished": colours.good, "failed": colours.bad, "running": colours.focus}
    return QColor(named.get(state, colours.muted))


def draw_state(painter: QPainter, at: QPointF, state: str, ink: QColor) -> None:
    """A shape a state, so that colour is never alone.

    Running: triangle; finished: tick; failed: cross; stopped: square; interrupted: two bars; discarded: dash;
    waiting: ring; starting and stopping: half a disc.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ink, 1.8))
    lines, filled = _SHAPES.get(state, _SHAPES["interrupted"])
    for line in lines:
        shape = QPolygonF([at + QPointF(x, y) for x, y in line])
        if filled:
            painter.setBrush(ink)
            painter.drawPolygon(shape)
        else:
            painter.drawPolyline(shape)
    if state in ("waiting", "starting", "stopping"):
        painter.drawEllipse(at, 4.5, 4.5)
        if state != "waiting":
            painter.setBrush(ink)
            painter.drawPie(QRectF(at.x() - 4.5, at.y() - 4.5, 9, 9), -90 * 16, 180 * 16)
    painter.restore()


_Shape = tuple[tuple[tuple[tuple[float, float], ...], ...], bool]
_SHAPES: dict[str, _Shape] = {
    "running": ((((-3.5, -5), (-3.5, 5), (5, 0)),), True),
    "finished": ((((-5, 0), (-1.5, 4), (5, -4.5)),), False),
    "failed": ((((-4, -4), (4, 4)), ((-4, 4), (4, -4))), False),
    "stopped": ((((-4, -4), (4, -4), (4, 4), (-4, 4)),), True),
    "interrupted": ((((-2.5, -4.5), (-2.5, 4.5)), ((2.5, -4.5), (2.5, 4.5))), False),
    "discarded": ((((-4, 0), (4, 0)),), False),
    "waiting": ((), False),
    "starting": ((), False),
    "stopping": ((), False),
}
