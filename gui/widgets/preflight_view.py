"""What a preflight found: the data by part, the device, and time, memory and disk that a run will need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from core.training.preflight_report import Report, Room, Split, seconds, size
from gui.widgets.field_editors import large_type


class PreflightView(QFrame):
    """`asked`: look (again); `cancelled`: look no longer. The last report stays while a new one is made."""

    asked = Signal()
    cancelled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        self.setAccessibleName(self.tr("Before the start"))
        self._steps = {
            "device": self.tr("looking at the device"),
            "data": self.tr("reading the data"),
            "batches": self.tr("timing two batches"),
            "disk": self.tr("looking at the disk"),
        }
        self._bar = QProgressBar(textVisible=False)
        self._bar.setRange(0, 100)
        self._bar.setFixedHeight(5)
        self._bar.setAccessibleName(self.tr("Progress of the check"))
        self._state = QLabel(objectName="muted")
        self._again, self._cancel = QPushButton(self.tr("Check again")), QPushButton(self.tr("Cancel check"))
        self._again.clicked.connect(self.asked)
        self._cancel.clicked.connect(self.cancelled)
        self.values: dict[str, QLabel] = {}
        self._grid = QGridLayout()
        self._lay_out()
        self.wait(self.tr("Choose data, and it is looked at."))

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(QLabel(self.tr("Before the start"), objectName="heading"), 1)
        for button in (self._again, self._cancel):
            button.setAutoDefault(False)
            head.addWidget(button)
        self._state.setWordWrap(True)
        self._grid.setColumnStretch(1, 1)
        self._grid.setVerticalSpacing(6)
        rows = (
            ("data", self.tr("Data")),
            ("device", self.tr("Device")),
            ("text", self.tr("Text encoder")),
            ("time", self.tr("Time")),
            ("memory", self.tr("Memory")),
            ("disk", self.tr("Disk")),
            ("notes", self.tr("Notes")),
        )
        for number, (name, words) in enumerate(rows):
            value = self.values[name] = QLabel()
            value.setWordWrap(True)
            value.setTextFormat(Qt.TextFormat.RichText if name == "data" else Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setAccessibleName(words)
            self._grid.addWidget(QLabel(words, objectName="muted"), 2 * number, 0, Qt.AlignmentFlag.AlignTop)
            if large_type(self):
                self._grid.addWidget(value, 2 * number + 1, 0, 1, 2)
            else:
                self._grid.addWidget(value, 2 * number, 1)
        layout = QVBoxLayout(self)
        layout.addLayout(head)
        layout.addWidget(self._bar)
        layout.addWidget(self._state)
        self._found = QWidget()
        self._found.setLayout(self._grid)
        self._grid.setContentsMargins(0, 4, 0, 0)
        self._found.hide()
        layout.addWidget(self._found)
        layout.addStretch(1)

    def wait(self, why: str) -> None:
        """Nothing is looked at; say why."""
        self._say(why, running=False)
        self._again.setEnabled(False)

    @Slot(str, float)
    def progress(self, step: str, share: float) -> None:
        """It is being looked at."""
        words = self._steps.get(step, step)
        self._bar.setValue(round(100 * share))
        self._say(words[:1].upper() + words[1:] + "…", running=True)

    def stop(self, why: str) -> None:
        """It is no longer looked at; say why."""
        self._say(why, running=False)

    def show_report(self, report: Report) -> None:
        """Show what was found."""
        device = report.device
        told = {
            "data": self._data(report.splits),
            "device": self.tr("not there") if device is None else f"{device.name}  {device.detail}".strip(),
            "text": report.text_encoder or self.tr("not there"),
            "time": self._time(report),
            "memory": self._room(report.memory),
            "disk": self._room(report.disk),
            "notes": "\n".join(p.message for p in report.problems if p.severity == "note"),
        }
        if device is not None:
            has = {True: self.tr("has bfloat16"), False: self.tr("no bfloat16")}
            told["device"] += f", {has[device.bfloat16]}" if device.bfloat16 is not None else ""
        if report.device_memory is not None:
            told["memory"] += "\n" + self.tr("on the card: %1").replace(
                "%1", self._room(report.device_memory)
            )
        self._found.show()
        for name, text in told.items():
            self.values[name].setText(text)
        self._say(self.tr("Looked at in %1.").replace("%1", seconds(report.seconds)), running=False)

    def _say(self, words: str, running: bool) -> None:
        self._state.setText(words)
        self._bar.setVisible(running)
        self._cancel.setVisible(running)
        self._again.setVisible(not running)
        self._again.setEnabled(True)

    def _data(self, splits: Sequence[Split]) -> str:
        """A table of the parts that have rows."""
        if not splits:
            return self.tr("unknown")
        heads = ("", self.tr("rows"), self.tr("groups"), self.tr("labels of"))
        lines = [
            (split.name, f"{split.rows:,}", f"{split.groups:,}", self._labels(split.labels, split.rows))
            for split in splits
            if split.rows
        ]
        sides = ("left", "right", "right", "left")
        rows = "".join(
            "<tr>"
            + "".join(
                f'<td align="{s}">{escape(c)}&nbsp;&nbsp;&nbsp;</td>'
                for s, c in zip(sides, cells, strict=True)
            )
            for cells in (heads, *lines)
        )
        return f"<table cellspacing=0 cellpadding=0>{rows}</table>"

    def _labels(self, labels: Mapping[str, int], rows: int) -> str:
        if not labels:
            return self.tr("nothing")
        return ", ".join(head if count == rows else f"{head} {count:,}" for head, count in labels.items())

    def _time(self, report: Report) -> str:
        time = report.time
        if time.run_s is None:
            return self.tr("unknown")
        words = self.tr("at most %1, %2 an epoch")
        told = words.replace("%1", seconds(time.run_s * time.runs)).replace("%2", seconds(time.epoch_s))
        return told + (self.tr(", %1 runs").replace("%1", str(time.runs)) if time.runs > 1 else "")

    def _room(self, room: Room) -> str:
        unknown = self.tr("unknown")
        need = unknown if room.need is None else size(room.need)
        free = unknown if room.free is None else size(room.free)
        return self.tr("about %1 of %2 free").replace("%1", need).replace("%2", free)
