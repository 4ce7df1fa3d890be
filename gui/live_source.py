"""What to watch: a camera and a microphone of this machine, one on the network, or a file as if live."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QComboBox, QFileDialog, QGridLayout, QLabel, QLineEdit, QPushButton, QWidget

from gui.file_finder import MEDIA
from gui.live_session import Source

_NONE, _ADDRESS, _FILE = "none", "address", "file"


class SourceChooser(QWidget):
    """`chosen` tells a Source; `file_chosen` a file, of which somebody has to see what is in it."""

    chosen = Signal(object)
    file_chosen = Signal(object)
    suggested = Signal(object)
    """A Source that is there and was used last, or the first; nobody has chosen it yet."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._file = ""
        self._before = ("", "")
        self._settled = False
        self.camera, self.microphone = QComboBox(), QComboBox()
        self.camera.setAccessibleName(self.tr("Camera"))
        self.microphone.setAccessibleName(self.tr("Microphone"))
        for box in (self.camera, self.microphone):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            box.setMinimumContentsLength(14)
        self.address = QLineEdit(placeholderText="http://… or rtsp://…")
        self.address.setAccessibleName(self.tr("Address of the network camera"))
        self.again = QPushButton(self.tr("Play again"))
        self._problem = QLabel(objectName="muted", wordWrap=True)
        self._lay_out()
        self.set_devices({"cameras": [], "microphones": [], "problem": None})
        self._problem.hide()
        self.camera.activated.connect(self._camera_chosen)
        self.microphone.activated.connect(self._tell)
        self.address.returnPressed.connect(self._tell)
        self.again.hide()

    def _lay_out(self) -> None:
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        camera, microphone = QLabel(self.tr("Camera")), QLabel(self.tr("Microphone"))
        camera.setBuddy(self.camera)
        microphone.setBuddy(self.microphone)
        for place, widget in enumerate((camera, self.camera, microphone, self.microphone, self.again)):
            layout.addWidget(widget, 0, place)
        layout.setColumnStretch(1, 1)
        layout.setColumnStretch(3, 1)
        layout.addWidget(self.address, 1, 0, 1, 5)
        layout.addWidget(self._problem, 2, 0, 1, 5)
        self.address.hide()

    def set_devices(self, found: Mapping[str, Any]) -> None:
        """{"cameras": [{"index", "name"}], "microphones": [{"name"}], "problem"}; what is chosen stays."""
        cameras = [(str(camera["name"]), str(camera["index"])) for camera in found["cameras"]]
        cameras += [
            (self.tr("Network camera…"), _ADDRESS),
            (self._file or self.tr("File as if live…"), _FILE),
        ]
        microphones = [(str(m["name"]), str(m["name"])) for m in found["microphones"]]
        if microphones:
            microphones.insert(0, (self.tr("System's choice"), "default"))
        _fill(self.camera, [(self.tr("No camera"), _NONE), *cameras])
        _fill(self.microphone, [(self.tr("No microphone"), _NONE), *microphones])
        problem = found.get("problem") or {}
        told = f"{problem.get('message', '')} {problem.get('remedy', '')}".strip()
        if not told and not found["cameras"] and not found["microphones"]:
            told = self.tr("Neither a camera nor a microphone was found: plug one in, or play a file.")
        self._problem.setText(told)
        self._problem.setVisible(bool(told) and not self._file)
        if not self._settled and (found["cameras"] or found["microphones"]):
            self._suggest()

    def remember(self, camera: str, microphone: str) -> None:
        """Names of those that were used last."""
        self._before = (camera, microphone)

    def _suggest(self) -> None:
        self._settled = True
        for box, name in zip((self.camera, self.microphone), self._before, strict=True):
            known = box.findText(name) if name else -1
            first = 1 if box.count() > 1 and box.itemData(1) not in (_ADDRESS, _FILE) else 0
            box.setCurrentIndex(known if known >= 0 else first)
        self.suggested.emit(self.source())

    def show_file(self, name: str) -> None:
        """Show that a file is played."""
        self._settled = True
        self._file = name
        self._problem.hide()
        place = self.camera.findData(_FILE)
        self.camera.setItemText(place, name)
        self.camera.setCurrentIndex(place)
        self.microphone.setEnabled(False)

    def _forget_file(self) -> None:
        """Something else is chosen."""
        self._file = ""
        self.camera.setItemText(self.camera.findData(_FILE), self.tr("File as if live…"))
        self._problem.setVisible(bool(self._problem.text()))

    def source(self) -> Source:
        """What is chosen here, but for a file."""
        camera, microphone = self.camera.currentData(), self.microphone.currentData()
        which = {_NONE: None, _FILE: None, _ADDRESS: self.address.text().strip() or None}.get(camera, camera)
        name = self.camera.currentText() if which else self.microphone.currentText()
        return Source(which, None if microphone == _NONE else microphone, name)

    @Slot()
    def _camera_chosen(self) -> None:
        kind = self.camera.currentData()
        self.address.setVisible(kind == _ADDRESS)
        self.microphone.setEnabled(kind != _FILE)
        if kind == _FILE:
            self._ask_file()
            return
        self._forget_file()
        if kind == _ADDRESS:
            self.address.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._tell()

    @Slot()
    def _tell(self) -> None:
        self._settled = True
        self.chosen.emit(self.source())

    def _ask_file(self) -> None:
        known = " ".join(f"*{suffix}" for suffix in sorted(MEDIA))
        filters = f"{self.tr('Clips')} ({known});;{self.tr('All files')} (*)"
        name, _kind = QFileDialog.getOpenFileName(
            self, self.tr("Play a file as if it were live"), "", filters
        )
        if name:
            self.file_chosen.emit(Path(name))


def _fill(box: QComboBox, entries: list[tuple[str, str]]) -> None:
    before = box.currentData()
    box.clear()
    for text, data in entries:
        box.addItem(text, data)
    box.setCurrentIndex(max(0, box.findData(before)))
