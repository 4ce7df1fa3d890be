"""The one table of actions. Menus, shortcuts, the command palette and the shortcut sheet are made from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence

from gui import icons
from gui.action import Action
from gui.action import mark as _N
from gui.live_actions import LIVE_ACTIONS
from gui.run_actions import RUN_ACTIONS

if TYPE_CHECKING:
    from gui.main_window import MainWindow

MENUS = ("File", "Edit", "Clip", "Playback", "Live", "Run", "View", "Help")


def _clip(window: MainWindow) -> bool:
    return window.review.session.current is not None


def _plays(window: MainWindow) -> bool:
    return window.review.player.ready


def _corrected(window: MainWindow) -> bool:
    clip = window.review.session.current
    return clip is not None and clip.typed is not None


def _recognised(window: MainWindow) -> None:
    session = window.review.session
    if session.current is not None:
        session.correct(session.current, None)


def _busy(window: MainWindow) -> bool:
    return window.jobs.running is not None or bool(window.jobs.waiting)


def _undo(window: MainWindow) -> None:
    window.review.finish_typing()  # it is a deed of its own, and the last one
    window.undo_stack.undo()


def _sheet(
    id: str, text: str, keys: tuple[str, ...], does: Callable[[MainWindow], object], **more: Any
) -> Action:
    """An action of playback: of the Review page, while a clip can be played."""
    options: dict[str, Any] = {"when": _plays, "scope": "review"} | more
    return Action(id, text, "Playback", keys, does, **options)


ACTIONS: tuple[Action, ...] = (
    Action("open", _N("actions", "Open clips…"), "File", ("Ctrl+O",), lambda w: w.ask_files(), icon="open"),
    Action(
        "open-folder",
        _N("actions", "Open folder…"),
        "File",
        ("Ctrl+Shift+O",),
        lambda w: w.ask_folder(),
        icon="folder",
    ),
    Action(
        "sample",
        _N("actions", "Open the sample clip"),
        "File",
        (),
        lambda w: w.open_sample(),
        starts_group=True,
    ),
    Action(
        "preferences",
        _N("actions", "Preferences…"),
        "File",
        ("Ctrl+,",),
        lambda w: w.ask_preferences(),
        icon="settings",
        starts_group=True,
    ),
    Action("quit", _N("actions", "Quit"), "File", ("Ctrl+Q",), lambda w: w.close(), starts_group=True),
    Action(
        "undo",
        _N("actions", "Undo"),
        "Edit",
        ("Ctrl+Z",),
        _undo,
        when=lambda w: w.undo_stack.canUndo(),
    ),
    Action(
        "redo",
        _N("actions", "Redo"),
        "Edit",
        ("Ctrl+Shift+Z", "Ctrl+Y"),
        lambda w: w.undo_stack.redo(),
        when=lambda w: w.undo_stack.canRedo(),
    ),
    Action(
        "correct",
        _N("actions", "Correct the transcript"),
        "Edit",
        ("Ctrl+T",),
        lambda w: w.review.correct_transcript(),
        when=lambda w: w.review.can_correct,
        icon="edit",
        starts_group=True,
    ),
    Action(
        "recognised-words",
        _N("actions", "Back to the recognised words"),
        "Edit",
        (),
        _recognised,
        when=_corrected,
    ),
    Action(
        "filter",
        _N("actions", "Filter the list"),
        "Edit",
        ("Ctrl+F",),
        lambda w: w.focus_filter(),
        icon="search",
    ),
    Action(
        "next-clip",
        _N("actions", "Next clip"),
        "Clip",
        ("Down", "D"),
        lambda w: w.review.clips.go(1),
        when=_clip,
        scope="review",
    ),
    Action(
        "previous-clip",
        _N("actions", "Previous clip"),
        "Clip",
        ("Up", "A"),
        lambda w: w.review.clips.go(-1),
        when=_clip,
        scope="review",
    ),
    Action(
        "analyse-again",
        _N("actions", "Analyse this clip again"),
        "Clip",
        ("F5",),
        lambda w: w.review.session.analyse_again(),
        when=_clip,
        icon="again",
        starts_group=True,
    ),
    Action(
        "close-clip",
        _N("actions", "Take this clip off the list"),
        "Clip",
        ("Ctrl+W",),
        lambda w: w.review.session.remove_current(),
        when=_clip,
    ),
    Action(
        "cancel",
        _N("actions", "Cancel the running analysis"),
        "Clip",
        ("Ctrl+.",),
        lambda w: w.jobs.cancel_running(),
        when=lambda w: w.jobs.running is not None,
        starts_group=True,
    ),
    Action(
        "cancel-all",
        _N("actions", "Cancel all analyses"),
        "Clip",
        ("Ctrl+Shift+.",),
        lambda w: w.jobs.cancel_all(),
        when=_busy,
    ),
    _sheet(
        "play",
        _N("actions", "Play or pause"),
        ("Space", "K"),
        lambda w: w.review.player.toggle(),
        on=lambda w: w.review.player.playing,
        icon="play",
    ),
    _sheet(
        "play-anywhere",
        _N("actions", "Play or pause, also while typing"),
        ("Ctrl+Space",),
        lambda w: w.review.player.toggle(),
        scope="window",
    ),
    _sheet(
        "back-faster",
        _N("actions", "Play back, again for faster"),
        ("J",),
        lambda w: w.review.player.shuttle(-1),
    ),
    _sheet(
        "forward-faster",
        _N("actions", "Play on, again for faster"),
        ("L",),
        lambda w: w.review.player.shuttle(1),
    ),
    _sheet(
        "back-slow",
        _N("actions", "Play back at half speed"),
        ("Shift+J",),
        lambda w: w.review.player.crawl(-1),
    ),
    _sheet(
        "forward-slow",
        _N("actions", "Play on at half speed"),
        ("Shift+L",),
        lambda w: w.review.player.crawl(1),
    ),
    _sheet("replay", _N("actions", "Play from the start"), ("R",), lambda w: w.review.player.replay()),
    _sheet(
        "frame-back",
        _N("actions", "One frame back"),
        ("Left", ","),
        lambda w: w.review.player.step(-1),
        icon="step-back",
        starts_group=True,
    ),
    _sheet(
        "frame-forward",
        _N("actions", "One frame on"),
        ("Right", "."),
        lambda w: w.review.player.step(1),
        icon="step-forward",
    ),
    _sheet(
        "jump-back",
        _N("actions", "One step back"),
        ("Shift+Left",),
        lambda w: w.review.player.jump(-w.preferences.step_seconds),
    ),
    _sheet(
        "jump-forward",
        _N("actions", "One step on"),
        ("Shift+Right",),
        lambda w: w.review.player.jump(w.preferences.step_seconds),
    ),
    _sheet(
        "slower",
        _N("actions", "Slower"),
        ("[",),
        lambda w: w.review.player.change_speed(-1),
        icon="minus",
        starts_group=True,
    ),
    _sheet("faster", _N("actions", "Faster"), ("]",), lambda w: w.review.player.change_speed(1), icon="plus"),
    _sheet("normal-speed", _N("actions", "Normal speed"), ("=",), lambda w: w.review.player.change_speed(0)),
    _sheet(
        "loop",
        _N("actions", "Loop"),
        ("Ctrl+/",),
        lambda w: w.review.player.toggle_loop(),
        on=lambda w: w.review.player.looping,
        scope="window",
        icon="loop",
        starts_group=True,
    ),
    _sheet(
        "loop-start",
        _N("actions", "Loop from here"),
        ("I",),
        lambda w: w.review.player.start_loop(),
    ),
    _sheet(
        "loop-end",
        _N("actions", "Loop up to here"),
        ("O",),
        lambda w: w.review.player.end_loop(),
    ),
    _sheet(
        "mute",
        _N("actions", "Mute"),
        ("M",),
        lambda w: w.review.player.toggle_muted(),
        on=lambda w: w.review.player.muted,
        icon="sound",
    ),
    *LIVE_ACTIONS,
    *RUN_ACTIONS,
    Action("review", _N("actions", "Review"), "View", ("Ctrl+1",), lambda w: w.show_page(0), icon="review"),
    Action("live", _N("actions", "Live"), "View", ("Ctrl+2",), lambda w: w.show_page(1), icon="live"),
    Action(
        "training",
        _N("actions", "Training"),
        "View",
        ("Ctrl+3",),
        lambda w: w.show_page(2),
        icon="training",
    ),
    Action(
        "palette",
        _N("actions", "Find an action…"),
        "View",
        ("Ctrl+K",),
        lambda w: w.show_palette(),
        icon="search",
    ),
    Action(
        "light",
        _N("actions", "Light theme"),
        "View",
        (),
        lambda w: w.choose_theme("light"),
        on=lambda w: w.preferences.theme == "light",
        starts_group=True,
    ),
    Action(
        "dark",
        _N("actions", "Dark theme"),
        "View",
        (),
        lambda w: w.choose_theme("dark"),
        on=lambda w: w.preferences.theme == "dark",
    ),
    Action(
        "system",
        _N("actions", "Theme of the system"),
        "View",
        (),
        lambda w: w.choose_theme("system"),
        on=lambda w: w.preferences.theme == "system",
    ),
    Action(
        "full-screen",
        _N("actions", "Full screen; in Live the presenter's view"),
        "View",
        ("F11",),
        lambda w: w.toggle_full_screen(),
        on=lambda w: w.isFullScreen(),
        starts_group=True,
    ),
    Action(
        "shortcuts",
        _N("actions", "Keyboard shortcuts"),
        "Help",
        ("F1", "?"),
        lambda w: w.show_shortcuts(),
        icon="keyboard",
    ),
    Action(
        "restart-engine",
        _N("actions", "Restart the analysis engine"),
        "Help",
        (),
        lambda w: w.jobs.restart(),
        starts_group=True,
    ),
)


class ActionSet:
    """The table's QActions of one window, by id."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.table = ACTIONS
        self.of: dict[str, QAction] = {action.id: self._made(action) for action in self.table}

    def _made(self, action: Action) -> QAction:
        made = QAction(action.words, self._window)
        made.setObjectName(action.id)
        made.setShortcuts([QKeySequence(key) for key in action.keys])
        made.setCheckable(action.on is not None)
        made.setAutoRepeat(action.on is None)  # a switch held down would flicker
        if action.icon:
            icons.bind(made, action.icon)
        made.triggered.connect(lambda: self.run(action))
        pages = {"review": self._window.review, "live": self._window.live.page}
        if action.scope in pages:
            made.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            pages[action.scope].addAction(made)
        else:
            made.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
            self._window.addAction(made)
        return made

    def run(self, action: Action) -> None:
        """Do it if it can be done now, then look again at what can."""
        if action.when(self._window):
            action.does(self._window)
        self.refresh()

    def refresh(self) -> None:
        """Set enabled and checked from the table's conditions."""
        for action in self.table:
            made = self.of[action.id]
            made.setEnabled(action.when(self._window))
            if action.on is not None:
                made.setChecked(action.on(self._window))

    @staticmethod
    def menu_words(name: str) -> str:
        """A menu's name in the user's language."""
        return QCoreApplication.translate("menus", name)

    def fill_menus(self) -> None:
        """Make the menu bar."""
        for name in MENUS:
            menu = self._window.menuBar().addMenu(f"&{self.menu_words(name)}")
            menu.setObjectName(name)
            for action in self.table:
                if action.menu == name:
                    if action.starts_group:
                        menu.addSeparator()
                    menu.addAction(self.of[action.id])


def key_words(keys: tuple[str, ...]) -> str:
    """Shortcuts as this system writes them."""
    return "   ".join(QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) for key in keys)
