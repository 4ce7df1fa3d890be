"""What a run is about, apart from its settings: data, preset, name, folder, seeds, what is varied."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import (
    QComboBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from core import paths
from core.training.settings import Settings
from gui import new_run
from gui.background import Background
from gui.new_run import Origin
from gui.vary_field import VaryField
from gui.widgets.data_chooser import DataChooser
from gui.widgets.field_editors import large_type
from gui.widgets.problem_list import Line
from gui.widgets.tall_widget import TallWidget
from gui.widgets.value_text import list_text


class RunChoices(TallWidget):
    """`preset_chosen` (name, title): its settings are wanted. `seed_chosen`: the first seed is another.

    root: the folder that is proposed for runs.
    """

    changed = Signal()
    preset_chosen = Signal(str, str)
    seed_chosen = Signal(int)

    def __init__(self, background: Background, presets: dict[str, str], root: Path | None = None) -> None:
        super().__init__()
        self._root = root or paths.runs()
        self._background = background
        self._there: dict[Path, bool] = {}
        self._taken: list[str] = []
        self._named = False
        self._comparison: tuple[int, ...] = ()
        self.chooser = DataChooser()
        self.preset = QComboBox()
        self.preset.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.preset.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.preset.setMinimumContentsLength(8)
        for name, title in presets.items():
            self.preset.addItem(title, name)
        self.line = QLineEdit()
        self.place = QLineEdit(str(self._root))
        self.seed_line = QLineEdit()
        self._several = QPushButton()
        self._several.setAutoDefault(False)
        self.vary = VaryField()
        self._lay_out()
        self.chooser.changed.connect(self._data_changed)
        self.preset.activated.connect(self._preset_chosen)
        self.line.textEdited.connect(self._name_edited)
        self.place.textChanged.connect(self._place_changed)
        self.seed_line.textEdited.connect(self._seeds_edited)
        self._several.clicked.connect(self._take_several)
        self.vary.edited.connect(self.changed)
        self._place_changed()
        background.run(_recent(), self._offer)

    def _lay_out(self) -> None:
        look = QPushButton(self.tr("Folder…"))
        look.setAutoDefault(False)
        look.setAccessibleName(self.tr("Choose the folder of runs"))
        look.clicked.connect(self._ask_place)
        form = QFormLayout()
        wrap = QFormLayout.RowWrapPolicy
        form.setRowWrapPolicy(wrap.WrapAllRows if large_type(self) else wrap.WrapLongRows)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.ExpandingFieldsGrow)
        for label, control, row in (
            (self.tr("Data"), self.chooser.box, self.chooser),
            (self.tr("Preset"), self.preset, self.preset),
            (self.tr("Name"), self.line, self.line),
            (self.tr("In folder"), self.place, _beside(self.place, look)),
            (self.tr("Seeds"), self.seed_line, _beside(self.seed_line, self._several)),
            (self.tr("Vary"), self.vary.text, self.vary),
        ):
            control.setAccessibleName(label)
            form.addRow(label, row)
        self.below = QVBoxLayout()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 12, 0)
        layout.addLayout(form)
        layout.addLayout(self.below, 1)

    @property
    def data(self) -> Path | None:
        """The data, None while none is named or it is not there."""
        path = self.chooser.path
        return path if path is not None and self._there.get(path, False) else None

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.line.text().strip()

    @property
    def folder(self) -> Path:
        """Folder that the runs are put in."""
        return Path(self.place.text().strip() or self._root).expanduser()

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds; empty while what is typed is no list of seeds."""
        try:
            return new_run.seeds_of(self.seed_line.text())
        except ValueError:
            return ()

    def choose_data(self, path: Path) -> None:
        """Name the data."""
        self.chooser.choose(path)

    def choose_first_preset(self) -> None:
        """Ask for the settings of the preset that stands first."""
        self._preset_chosen()

    def take(self, origin: Origin) -> None:
        """Show where the settings come from, and take over what else comes with them."""
        if (place := self.preset.findText(origin.title)) < 0:
            self.preset.addItem(origin.title)
            place = self.preset.count() - 1
        self.preset.setCurrentIndex(place)
        training = origin.settings.training
        self.seed_line.setText(str(training.seed))
        self._comparison = training.seeds
        self._several.setText(self.tr("%1 seeds").replace("%1", str(len(training.seeds))))
        self._several.setToolTip(list_text(training.seeds))
        self._several.setVisible(len(training.seeds) > 1)
        if origin.data is not None:
            self.chooser.choose(origin.data)
        if origin.name:
            self.line.setText(new_run.free_name(origin.name, self._taken))
            self._named = True
        self._suggest()

    @property
    def count(self) -> int:
        """How many runs it makes; 1 while that cannot be said."""
        return max(1, len(self.vary.planned))

    def judge(self, settings: Settings | None) -> None:
        """Find what the runs would be with these settings; None: they make no sense."""
        self.vary.judge(settings, self.seeds)

    def problems(self) -> list[Line]:
        """What keeps a run from starting, as it was when last judged."""
        found = []
        path = self.chooser.path
        if path is None:
            found.append(Line("error", "data", self.tr("Data: choose what is learned from.")))
        elif self._there.get(path) is False:
            found.append(Line("error", "data", self.tr("Data: there is no %1").replace("%1", str(path))))
        if problem := new_run.name_problem(self.name):
            found.append(Line("error", "name", f"{self.tr('Name')}: {problem}"))
        try:
            new_run.seeds_of(self.seed_line.text())
        except ValueError as error:
            found.append(Line("error", "seeds", f"{self.tr('Seeds')}: {error}"))
        if self.vary.problem:
            found.append(Line("error", "vary", f"{self.tr('Vary')}: {self.vary.problem}"))
        names = [new_run.run_name(self.name, each) for each in self.vary.planned]
        if clash := [name for name in names if name in self._taken]:
            words = self.tr("Name: %1 is there already.").replace("%1", ", ".join(clash))
            found.append(Line("error", "name", words))
        return found

    def show_choice(self, where: str) -> bool:
        """Give the focus to what a problem is about; whether it is one of these."""
        controls = {
            "data": self.chooser,
            "name": self.line,
            "seeds": self.seed_line,
            "vary": self.vary,
            "folder": self.place,
        }
        if where not in controls:
            return False
        controls[where].setFocus()
        return True

    @Slot()
    def _data_changed(self) -> None:
        path = self.chooser.path
        if path is not None and path not in self._there:
            self._background.run(_is_there(path), self._looked)
        self._suggest()
        self.changed.emit()

    def _looked(self, found: tuple[Path, bool]) -> None:
        self._there[found[0]] = found[1]
        self.changed.emit()

    def _offer(self, found: tuple[list[Path], set[Path]]) -> None:
        self.chooser.offer(*found)

    @Slot()
    def _preset_chosen(self) -> None:
        if name := self.preset.currentData():
            self.preset_chosen.emit(name, self.preset.currentText())

    @Slot()
    def _name_edited(self) -> None:
        self._named = bool(self.name)
        self.changed.emit()

    def _suggest(self) -> None:
        """A name until somebody types one: the data's and the preset's."""
        if self._named:
            return
        path, preset = self.chooser.path, self.preset.currentData()
        words = [path.stem if path is not None else "", preset or ""]
        self.line.setText(new_run.free_name("-".join(dict.fromkeys(w for w in words if w)), self._taken))

    @Slot()
    def _place_changed(self) -> None:
        self._background.run(new_run.folders_in(self.folder), self._listed)

    def _listed(self, names: list[str]) -> None:
        self._taken = names
        self._suggest()
        self.changed.emit()

    @Slot()
    def _ask_place(self) -> None:
        name = QFileDialog.getExistingDirectory(self, self.tr("Folder of runs"), str(self.folder))
        if name:
            self.place.setText(name)

    @Slot()
    def _seeds_edited(self) -> None:
        if seeds := self.seeds:
            self.seed_chosen.emit(seeds[0])
        self.changed.emit()

    @Slot()
    def _take_several(self) -> None:
        self.seed_line.setText(list_text(self._comparison))
        self._seeds_edited()


def _beside(control: QWidget, button: QPushButton) -> QWidget:
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.addWidget(control, 1)
    layout.addWidget(button)
    return row


def _is_there(path: Path) -> Iterator[tuple[Path, bool]]:
    yield path, path.exists()


def _recent() -> Iterator[tuple[list[Path], set[Path]]]:
    recent = new_run.recent_data()
    yield recent, {path for path in recent if path.exists()}
