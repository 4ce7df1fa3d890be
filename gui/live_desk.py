"""What Live needs of the window: the capture process, recordings that become clips, the presenter's view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QStandardPaths, Qt, Slot

from core.errors import UserError
from core.workers import command
from gui.banner import Notice
from gui.engine_process import EngineEnd, EngineProcess
from gui.live_session import LiveSession, Recording, Source, file_source
from gui.pages.live import LivePage

if TYPE_CHECKING:
    from gui.main_window import MainWindow


class LiveDesk(QObject):
    """Belongs to one window; owns its Live page."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.capture = EngineProcess(lambda: command("capture"), parent=self)
        self.session = LiveSession(self.capture, window.jobs, self._folder)
        self.page = LivePage(self.session)
        self.page.sources.file_chosen.connect(self.play)
        self.page.sources.chosen.connect(self._remember)
        chosen = window.preferences
        self.page.sources.remember(chosen.live_camera, chosen.live_microphone)
        self.session.recorded.connect(self._recorded)
        self.session.recovered.connect(self._recovered)
        self.session.failed.connect(self._failed)
        self.capture.ended.connect(self._ended)

    def play(self, file: Path) -> None:
        """Play a file as if it were live."""
        self._window.background.run(_looked_into(file), self._looked)

    @property
    def can_watch(self) -> bool:
        """Whether there is something to switch on."""
        return self.session.source.any

    def toggle_preview(self) -> None:
        self.session.set_preview(not self.session.preview)

    def toggle_inference(self) -> None:
        self.session.set_inference(not self.session.inference)

    @property
    def recording(self) -> bool:
        """Whether the Record switch is on."""
        return self.session.recording is not Recording.OFF

    def present(self) -> None:
        """The presenter's view over the whole screen, and back."""
        presenting = not self.page.presenting
        window = self._window
        self.page.set_presenting(presenting)
        for part in (window.rail, window.strip, window.menuBar()):
            part.setVisible(not presenting)
        full = Qt.WindowState.WindowFullScreen
        state = window.windowState()
        window.setWindowState(state | full if presenting else state & ~full)

    def close(self) -> None:
        """End capture: a recording is finished by it."""
        self.page.preview.detach()
        self.capture.close()

    @Slot(object)
    def _remember(self, source: Source) -> None:
        """Offer the same camera and microphone first the next time."""
        sources = self.page.sources
        names = {
            "live_camera": sources.camera.currentText() if source.camera else "",
            "live_microphone": sources.microphone.currentText() if source.microphone else "",
        }
        self._window.use_preferences(self._window.preferences.changed(**names))

    def _folder(self) -> Path:
        """Where recordings are put."""
        chosen = self._window.preferences.recordings_folder
        if chosen:
            return Path(chosen)
        films = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.MoviesLocation)
        return Path(films or Path.home()) / "Consonance"

    def _looked(self, found: Any) -> None:
        if isinstance(found, UserError):
            self._failed(found.to_json())
        else:
            self.page.play_file(found)

    @Slot(str, object)
    def _recorded(self, file: str, progress: Mapping[str, Any]) -> None:
        """A recording is a clip in Review at once."""
        self._window.review.session.add([Path(file)])
        what = self.tr("Recorded {seconds:.0f} s: {name}").format(
            seconds=progress["seconds"], name=Path(file).name
        )
        kept = str(progress.get("reason") or self.tr("It is in {folder}.").format(folder=Path(file).parent))
        self._window.banner.tell(
            Notice(what, kept, buttons=((self.tr("Show in Review"), lambda: self._window.show_page(0)),))
        )

    @Slot(object)
    def _recovered(self, recordings: Sequence[Mapping[str, Any]]) -> None:
        """What an earlier recording, broken off, had left behind is a clip now."""
        found = [Path(of["file"]) for of in recordings if of.get("file")]
        if not found:
            return
        self._window.review.session.add(found)
        what = self.tr("{n} recordings that had been broken off were recovered.").format(n=len(found))
        self._window.banner.tell(Notice(what, self.tr("They are in Review now.")))

    @Slot(object)
    def _failed(self, error: Mapping[str, Any]) -> None:
        what = str(error.get("message") or self.tr("Something went wrong with Live."))
        details = str(error.get("details") or "")
        self._window.banner.tell(Notice(what, str(error.get("remedy") or ""), details))

    @Slot(object)
    def _ended(self, end: EngineEnd) -> None:
        what = self.tr("The process that holds camera and microphone stopped: {reason}.")
        kept = self.tr("A recording is kept up to the last second. It is being restarted.")
        if end.retry_in is None:
            kept = self.tr("A recording is kept up to the last second. Start the program again.")
        self._window.banner.tell(Notice(what.format(reason=end.reason), kept, end.last_words))


def _looked_into(file: Path) -> Iterator[Any]:
    """What a file has to offer as a source, or the error that says why nothing."""
    from core.media import probe

    try:
        info = probe(file)
    except UserError as error:
        yield error
    else:
        yield file_source(file, info.has_video, info.has_audio)
