"""Clips are read by workers side by side; one that fails, hangs or dies costs one clip."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from core.data import extraction
from core.data.extraction import extract_all
from core.errors import AssetError, Cancelled, DataError

WORKER = """
import json, os, signal, sys
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    name = os.path.basename(json.loads(line))
    if name.startswith("killed"):
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("once") and not os.path.exists(name):
        open(name, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    if name.startswith("crash"):
        sys.exit("the library gave up on " + name)
    if name.startswith("hang"):
        import time
        time.sleep(600)
    kind = "asset" if name.startswith("asset") else "media"
    error = "not a clip: " + name if name.startswith(("bad", "asset")) else None
    print(json.dumps({"error": error, "kind": kind}), flush=True)
"""


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stands in for the extractor: what happens to a clip is in its name."""
    monkeypatch.setattr(extraction, "command", lambda *_: [sys.executable, "-c", WORKER])


def files(*names: str) -> list[Path]:
    return [Path("clips") / name for name in names]


@pytest.mark.usefixtures("worker")
def test_clips_that_fail_are_told_and_the_others_go_on() -> None:
    shares: list[float] = []
    failed = extract_all(files("a", "bad", "killed", "b", "crash", "c"), shares.append, workers=2)
    told = {path.name: reason for path, reason in failed.items()}
    assert set(told) == {"bad", "killed", "crash"}
    assert told["bad"] == "not a clip: bad"
    assert "ended by the system (signal 9)" in told["killed"]
    assert told["crash"].endswith("exit code 1): the library gave up on crash")
    assert shares[0] == 0
    assert shares[-1] == 1
    assert shares == sorted(shares)


@pytest.mark.usefixtures("worker")
def test_a_clip_whose_reader_was_killed_by_chance_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert extract_all(files("a", "once", "b"), lambda share: None, workers=1) == {}
    assert (tmp_path / "once").exists()


@pytest.mark.usefixtures("worker")
def test_no_clips_need_no_worker() -> None:
    assert extract_all([], lambda share: None) == {}


@pytest.mark.usefixtures("worker")
def test_a_missing_pretrained_file_ends_it_all() -> None:
    with pytest.raises(AssetError, match="asset"):
        extract_all(files("a", "asset", "b"), lambda share: None, workers=1)


@pytest.mark.usefixtures("worker")
def test_a_cancel_ends_the_processes_at_once() -> None:
    def cancel(share: float) -> None:
        if share > 0:
            raise Cancelled

    before = threading.active_count()
    with pytest.raises(Cancelled):
        extract_all(files("a", "hang", "hang"), cancel, workers=2)
    assert threading.active_count() == before


@pytest.mark.usefixtures("worker")
def test_a_clip_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "LIMIT_SECONDS", 0.3)
    failed = extract_all(files("hang", "a"), lambda share: None, workers=1)
    assert [path.name for path in failed] == ["hang"]
    assert "given up" in failed[Path("clips/hang")]


def test_workers_that_cannot_start_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        extraction, "command", lambda *_: [sys.executable, "-c", "raise SystemExit('no cv2')"]
    )
    with pytest.raises(DataError, match=r"no clip can be read: .*no cv2"):
        extract_all(files("a"), lambda share: None)
