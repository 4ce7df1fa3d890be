"""Review through the window, on a scripted engine: what a person opens, sees, corrects and takes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent, QImage
from pytestqt.qtbot import QtBot

from gui import engine_process
from gui.clip_list import Clip, ClipState
from gui.main_window import MainWindow

OpenWindow = Callable[..., MainWindow]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_process, "FIRST_RETRY_S", 0.01)


@pytest.fixture
def clips(tmp_path: Path, sample_clip: Path) -> Callable[..., list[Path]]:
    """Copies of the sample clip under the names asked for."""

    def make(*names: str) -> list[Path]:
        for name in names:
            (tmp_path / name).write_bytes(sample_clip.read_bytes())
        return [tmp_path / name for name in names]

    return make


def clip_of(window: MainWindow, name: str) -> Clip:
    return next(clip for clip in window.review.session.clips.clips if clip.path.name == name)


def wait_for(qtbot: QtBot, window: MainWindow, state: ClipState, count: int) -> None:
    qtbot.waitUntil(lambda: window.review.session.clips.counts()[state] == count, timeout=8000)


def test_an_empty_start_shows_the_sample_analysed_and_three_things_to_do(
    qtbot: QtBot, open_window: OpenWindow
) -> None:
    window = open_window()
    window.open_sample()
    wait_for(qtbot, window, ClipState.DONE, 1)
    assert window.review.session.current.sample
    assert window.review.estimates.value_text("multimodal").startswith("−0.8")  # noqa: RUF001
    assert "no face" in window.review.estimates.value_text("visual")
    assert window.start_card.isVisible()


def test_own_clips_take_the_place_of_the_sample(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_sample()
    window.open_paths(clips("one.mp4", "two.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 2)
    assert [clip.path.name for clip in window.review.session.clips.clips] == ["one.mp4", "two.mp4"]
    assert window.review.session.current.path.name == "one.mp4"
    assert not window.start_card.isVisible()


def test_files_and_folders_can_be_dropped_on_the_window(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(clips("one.mp4", "two.mp4")[0].parent))])
    drop = QDropEvent(
        QPointF(600, 300),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    window.dropEvent(drop)
    wait_for(qtbot, window, ClipState.DONE, 2)


def test_a_folder_without_clips_is_said_and_the_list_stays(
    qtbot: QtBot, open_window: OpenWindow, tmp_path: Path
) -> None:
    window = open_window()
    window.open_sample()
    (tmp_path / "empty").mkdir()
    window.open_paths([tmp_path / "empty"])
    qtbot.waitUntil(lambda: "There are no clips in empty." in window.banner.text)
    assert window.review.session.current.sample
    assert window.start_card.isVisible()


def test_the_same_file_opened_twice_is_one_clip(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    one, two = clips("one.mp4", "two.mp4")
    window.open_paths([one, two, one])
    wait_for(qtbot, window, ClipState.DONE, 2)
    window.open_paths([two])
    qtbot.waitUntil(lambda: window.review.session.current.path == two)
    assert len(window.review.session.clips.clips) == 2


def test_a_clip_that_fails_says_why_in_one_banner_and_the_others_go_on(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("bad 1.mp4", "bad 2.mp4", "good.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 1)
    assert clip_of(window, "bad 1.mp4").state is ClipState.FAILED
    assert "holds no sound and no picture" in clip_of(window, "bad 1.mp4").words
    assert "bad 2.mp4 holds no sound and no picture" in window.banner.text
    assert "1 more could not be analysed" in window.banner.text
    assert "Open another file." in window.banner.text


def test_audio_and_visual_are_drawn_before_the_words_are_there(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("slow.mp4"))
    qtbot.waitUntil(lambda: window.review.estimates.value_text("audio").startswith("+0.4"))
    assert "words not there yet" in window.review.estimates.value_text("text")
    window.jobs.cancel_all()
    wait_for(qtbot, window, ClipState.CANCELLED, 1)


def test_a_correction_is_estimated_again_and_can_be_taken_back(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 1)
    clip = window.review.session.current
    window.review.transcript.corrected.emit("it worked wonderfully in the end")
    qtbot.waitUntil(lambda: clip.state is ClipState.DONE and clip.value > 0)
    assert clip.words == "done · words corrected"
    window.actions_by_id.of["undo"].trigger()
    qtbot.waitUntil(lambda: clip.state is ClipState.DONE and clip.value < 0)
    assert clip.typed is None
    window.actions_by_id.of["redo"].trigger()
    qtbot.waitUntil(lambda: clip.state is ClipState.DONE and clip.value > 0)


def test_a_late_answer_to_an_old_question_is_dropped(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("slow.mp4"))
    wait_for(qtbot, window, ClipState.ANALYSING, 1)
    clip = window.review.session.current
    old = clip.job
    window.review.session.retype(clip, "other words")
    window.jobs.done.emit(old, {"estimates": {"multimodal": {"value": 3.0}}})
    assert (clip.value, clip.job > old) == (None, True)


def test_the_clip_chosen_overtakes_the_one_being_analysed(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("slow.mp4", "a.mp4", "b.mp4"))
    wait_for(qtbot, window, ClipState.ANALYSING, 1)
    window.review.session.show(clip_of(window, "b.mp4"))
    qtbot.waitUntil(lambda: clip_of(window, "b.mp4").state is ClipState.DONE)
    assert clip_of(window, "a.mp4").state is ClipState.WAITING
    assert clip_of(window, "slow.mp4").state in (ClipState.WAITING, ClipState.ANALYSING)


def test_a_crash_is_told_calmly_and_the_clip_is_done_after_all(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window("crash")
    window.open_paths(clips("one.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 1)
    assert "stopped while it analysed one.mp4: it ended with code 3" in window.banner.text
    assert "finished results are kept" in window.banner.text


def test_an_engine_that_keeps_dying_is_left_off_with_a_way_to_try_again(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window("no-start")
    window.open_paths(clips("one.mp4"))
    qtbot.waitUntil(lambda: "stays off" in window.banner.text)
    assert clip_of(window, "one.mp4").state is ClipState.WAITING
    assert [label for label, _ in window.banner.notice.buttons] == ["Try again"]


def test_a_silent_engine_is_asked_about_and_can_be_restarted_from_the_banner(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window("hang", silence_s=0.2)
    window.open_paths(clips("one.mp4"))
    qtbot.waitUntil(lambda: "has said nothing" in window.banner.text)
    before = window.engine.process_id
    choices = dict(window.banner.notice.buttons)
    choices["Restart the engine"]()
    qtbot.waitUntil(lambda: window.engine.process_id not in (0, before))
    window.jobs.cancel_all()


def test_the_notice_of_silence_goes_when_the_answer_comes(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.jobs.engine_silent.emit(30.0)
    assert "has said nothing" in window.banner.text
    window.open_paths(clips("one.mp4"))
    qtbot.waitUntil(lambda: window.banner.text == "")


def test_arrows_move_through_the_clips_and_stay_in_the_list(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4", "two.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 2)
    shown = []
    for id in ("next-clip", "next-clip", "previous-clip", "previous-clip"):
        window.actions_by_id.of[id].trigger()
        shown.append(window.review.session.current.path.name)
    assert shown == ["two.mp4", "two.mp4", "one.mp4", "one.mp4"]


def test_a_clip_taken_off_the_list_leaves_its_neighbour_shown(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4", "two.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 2)
    window.actions_by_id.of["close-clip"].trigger()
    assert window.review.session.current.path.name == "two.mp4"
    window.actions_by_id.of["close-clip"].trigger()
    assert window.review.session.current is None
    assert not window.actions_by_id.of["play"].isEnabled()


def test_a_clip_taken_off_the_list_comes_back_where_it_was_by_undo(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4", "two.mp4", "bad.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 2)
    wait_for(qtbot, window, ClipState.FAILED, 1)
    session, of = window.review.session, window.actions_by_id.of
    listed = [clip.path.name for clip in session.clips.clips]
    for _ in listed:
        of["close-clip"].trigger()
    assert session.clips.clips == []
    for shown in reversed(("one.mp4", "two.mp4", "bad.mp4")):
        of["undo"].trigger()
        assert session.current.path.name == shown
    assert [clip.path.name for clip in session.clips.clips] == listed
    assert session.clips.counts()[ClipState.DONE] == 2, "nothing is analysed again"
    assert window.review.estimates.value_text("multimodal").startswith("−0.8")  # noqa: RUF001
    of["redo"].trigger()
    assert session.current.path.name == "two.mp4"


def test_a_waiting_clip_that_comes_back_is_analysed(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("slow.mp4", "two.mp4"))
    wait_for(qtbot, window, ClipState.ANALYSING, 1)
    window.review.session.show(clip_of(window, "two.mp4"))
    window.actions_by_id.of["close-clip"].trigger()
    window.actions_by_id.of["undo"].trigger()
    wait_for(qtbot, window, ClipState.DONE, 1)
    assert clip_of(window, "two.mp4").state is ClipState.DONE
    window.jobs.cancel_all()


def test_a_clip_that_comes_back_to_another_model_is_analysed_by_it(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4", "two.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 2)
    one = clip_of(window, "one.mp4")
    before = one.job
    window.actions_by_id.of["close-clip"].trigger()
    window.review.session.analyse_all_again()
    window.actions_by_id.of["undo"].trigger()
    assert (one.state, one.job > before) == (ClipState.WAITING, True)
    wait_for(qtbot, window, ClipState.DONE, 2)


def test_recent_files_are_kept_and_the_missing_ones_greyed(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    here, gone = clips("here.mp4", "gone.mp4")
    window.open_paths([here])
    window.open_paths([gone])
    wait_for(qtbot, window, ClipState.DONE, 2)
    gone.unlink()
    window.recent.aboutToShow.emit()
    entries = window.recent.actions()
    qtbot.waitUntil(lambda: [entry.isEnabled() for entry in entries[:2]] == [False, True])


def test_another_speech_model_answers_every_clip_again(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 1)
    before = window.engine.process_id
    window.use_preferences(window.preferences.changed(speech_model="tiny.en"))
    assert clip_of(window, "one.mp4").state is ClipState.WAITING
    wait_for(qtbot, window, ClipState.DONE, 1)
    assert window.engine.process_id != before


def test_while_k_is_held_j_and_l_go_frame_by_frame(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4"))
    qtbot.waitUntil(lambda: window.review.full and window.review.player.ready)
    video, player = window.review.video, window.review.player
    player.seek(1.0)
    qtbot.waitUntil(lambda: abs(player.position - 1.0) < 0.05)
    before = player.position
    video.setFocus()
    qtbot.keyPress(video, Qt.Key.Key_K)
    qtbot.keyClick(video, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: player.position != before and not player.playing)
    assert 0 < player.position - before < 0.2
    qtbot.keyClick(video, Qt.Key.Key_J)
    qtbot.waitUntil(lambda: player.position == before)
    qtbot.keyRelease(video, Qt.Key.Key_K)
    qtbot.keyClick(video, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: player.playing)


def test_the_step_of_shift_and_arrows_is_a_preference(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4"))
    qtbot.waitUntil(lambda: window.review.full and window.review.player.ready)
    window.use_preferences(window.preferences.changed(step_seconds=2.0))
    window.review.video.setFocus()
    qtbot.keyClick(window.review.video, Qt.Key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: abs(window.review.player.position - 2.0) < 0.1)


def test_tab_goes_through_the_page_as_the_eye_does(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]]
) -> None:
    window = open_window()
    window.open_paths(clips("one.mp4"))
    wait_for(qtbot, window, ClipState.DONE, 1)
    page = window.review
    parts = [page.clips, page.video, page.transcript, page.timeline, page.transport]
    parts += [page.estimates, page.covariance]
    page.clips.focus_filter()
    visited = []
    for _ in range(60):
        now = window.focusWidget()
        place = next((i for i, part in enumerate(parts) if part is now or part.isAncestorOf(now)), None)
        if place is None:
            break
        visited.append(place)
        qtbot.keyClick(now, Qt.Key.Key_Tab)
    assert visited == sorted(visited)
    assert set(visited) == set(range(len(parts)))


def test_a_still_and_a_clip_that_cannot_be_read_say_why_there_is_no_course_over_time(
    qtbot: QtBot, open_window: OpenWindow, clips: Callable[..., list[Path]], tmp_path: Path
) -> None:
    window = open_window()
    said = window.review.timeline._message.text
    assert said() == "Open a clip to see it over time"
    picture = QImage(64, 48, QImage.Format.Format_RGB32)
    picture.fill(0)
    picture.save(str(tmp_path / "still.png"))
    (tmp_path / "bad.mp4").write_bytes(b"no film")
    window.open_paths([tmp_path / "still.png", tmp_path / "bad.mp4"])
    wait_for(qtbot, window, ClipState.DONE, 1)
    wait_for(qtbot, window, ClipState.FAILED, 1)
    assert said() == "A still picture has no course over time"
    window.review.session.show(clip_of(window, "bad.mp4"))
    assert said() == "This clip could not be read"
    assert window.review.timeline._message.isVisible()
