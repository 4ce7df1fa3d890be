"""Jobs on a real child process that behaves, crashes, babbles, floods or falls silent on cue."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from gui import engine_process, jobs
from gui.engine_process import EngineState
from gui.jobs import Jobs

MakeJobs = Callable[..., Jobs]


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_process, "FIRST_RETRY_S", 0.01)


def test_an_analysis_comes_in_parts_under_its_id(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made, heard = make_jobs(), []
    made.waveform.connect(lambda id, _: heard.append(("waveform", id)))
    made.partial.connect(lambda id, _: heard.append(("partial", id)))
    with qtbot.waitSignal(made.done) as done:
        id = made.analyse("clip.mp4")
    assert [*heard, ("done", done.args[0])] == [("waveform", id), ("partial", id), ("done", id)]
    assert made.model["name"] == "fake"


def test_jobs_run_in_order_and_a_hurried_one_goes_first(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made, ended = make_jobs(), []
    made.done.connect(lambda id, _: ended.append(id))
    first, second, third = (made.analyse(f"{n}.mp4") for n in range(3))
    made.hurry(third)
    qtbot.waitUntil(lambda: len(ended) == 3)
    assert ended == [third, first, second]


def test_a_waiting_job_and_a_running_one_can_be_cancelled(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made, cancelled = make_jobs(), []
    made.cancelled.connect(cancelled.append)
    running, waiting = made.analyse("slow.mp4"), made.analyse("next.mp4")
    qtbot.waitUntil(lambda: made.running is not None and made.running.step == "transcribe")
    made.cancel(waiting)
    assert cancelled == [waiting]
    made.cancel(running)
    qtbot.waitUntil(lambda: cancelled == [waiting, running])
    assert made.running is None


def test_an_engine_deaf_to_cancel_is_ended_and_the_next_job_runs(
    qtbot: QtBot, make_jobs: MakeJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "CANCEL_GRACE_S", 0.05)
    made = make_jobs("deaf")
    slow = made.analyse("slow.mp4")
    qtbot.waitUntil(lambda: made.running is not None)
    with qtbot.waitSignals([made.cancelled, made.done]):
        made.cancel(slow)
        made.analyse("next.mp4")


@pytest.mark.parametrize("fault", ["crash", "garbage", "flood"])
def test_a_broken_engine_is_reported_restarted_and_its_job_done_after_all(
    qtbot: QtBot, make_jobs: MakeJobs, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gui.line_reader.LINE_LIMIT", 400_000)
    made, ends = make_jobs(fault), []
    made.engine_ended.connect(lambda end, job: ends.append((end, job.id)))
    with qtbot.waitSignal(made.done, timeout=10_000):
        id = made.analyse("clip.mp4")
    [(end, job)] = ends
    assert job == id
    assert "last words about clip.mp4" in end.last_words
    assert made.engine.state is EngineState.READY


def test_a_job_that_ends_the_engine_twice_fails_with_last_words(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made = make_jobs("crash-always")
    with qtbot.waitSignal(made.failed) as failed:
        made.analyse("killer.mp4")
    assert "twice" in failed.args[1]["message"]
    assert "last words about killer.mp4" in failed.args[1]["details"]


def test_five_deaths_in_a_minute_are_enough_until_asked_again(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made, ends = make_jobs("no-start"), []
    made.engine_ended.connect(lambda end, job: ends.append(end.retry_in))
    made.analyse("clip.mp4")
    qtbot.waitUntil(lambda: made.engine.state is EngineState.GIVEN_UP)
    assert ends == pytest.approx([0.01, 0.02, 0.04, 0.08, None])
    assert len(made.waiting) == 1
    with qtbot.waitSignal(made.engine_ended):
        made.restart()


def test_a_program_that_does_not_exist_is_reported_the_same_way(qtbot: QtBot) -> None:
    engine = engine_process.EngineProcess(lambda: ["/no/such/program"])
    with qtbot.waitSignal(engine.ended) as ended:
        engine.start()
    assert "could not be started" in ended.args[0].reason
    engine.close()


def test_a_silent_engine_is_told_and_can_be_restarted(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made = make_jobs("hang", silence_s=0.1)
    with qtbot.waitSignal(made.engine_silent):
        id = made.analyse("clip.mp4")
    before = made.engine.process_id
    made.restart()
    qtbot.waitUntil(lambda: made.running is not None and made.engine.process_id not in (0, before))
    assert made.running.id == id


def test_an_engine_that_cannot_load_keeps_the_jobs_waiting(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made = make_jobs("unready")
    with qtbot.waitSignal(made.engine_failed) as failed:
        made.analyse("clip.mp4")
    assert "consonance assets fetch" in failed.args[0]["remedy"]
    assert made.engine.state is EngineState.UNREADY
    assert len(made.waiting) == 1


def test_time_left_is_told_once_there_is_something_to_judge_by(qtbot: QtBot, make_jobs: MakeJobs) -> None:
    made = make_jobs()
    made.analyse("slow.mp4")
    assert made.seconds_left() is None
    qtbot.waitUntil(lambda: made.running is not None and made.running.step == "transcribe")
    assert 0 < made.done_share() < 1
    assert made.seconds_left() > 0
