"""One clip closely: its history, what others changed, cutting it in two, deleting its recording."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.annotation import acts, migrations
from core.annotation.acts import rate, undo
from core.annotation.consensus import judged
from core.annotation.detail import changed, history, split
from core.annotation.erase import erase
from core.annotation.errors import RatingError
from core.annotation.estimates import put
from core.annotation.rebuild import differences
from core.annotation.store import NewClip, Rater, Store
from core.annotation.view import Filter, View
from core.types import Estimate


def test_a_clips_history_tells_what_is_in_force_and_what_was_undone(
    store: Store, ada: Rater, bo: Rater
) -> None:
    rate(store, ada.id, 2, "text", 1.0)
    undo(store, ada.id)
    rate(store, ada.id, 2, "text", 2.0)
    rate(store, bo.id, 2, "text", -3.0)
    view = View(store, ada.id, "text")
    assert [(e.rater, e.value, e.status) for e in history(view, 2)] == [
        ("Ada", 1.0, "dropped"),
        ("Ada", 2.0, "done"),
    ]
    store.unblind(ada.id, by=bo.id)
    view.refresh()
    assert [e.rater for e in history(view, 2)] == ["Ada", "Ada", "Bo"]


def test_a_window_learns_which_clips_others_changed(store: Store, ada: Rater) -> None:
    latest, _ = changed(store, 0)
    rate(store, ada.id, 4, "text", 1.0)
    acts.flag(store, ada.id, 7)
    now, clips = changed(store, latest)
    assert clips == {4, 7}
    assert changed(store, now) == (now, set())


def test_a_clip_is_cut_in_two(store: Store, ada: Rater) -> None:
    made = split(store, ada.id, 1, 2.0, end=5.0)
    again = split(store, ada.id, 1, 1.0)
    first, second, third = View(store, ada.id, "text").rows([1, made, again])
    assert (first.start, first.end) == (0.0, 1.0)
    assert (second.name, second.path, second.start, second.end) == (
        "film0/0000-2",
        "film0/0000.mp4",
        2.0,
        5.0,
    )
    assert (third.name, third.start, third.end) == ("film0/0000-3", 1.0, 2.0)
    assert differences(store) == []
    with pytest.raises(RatingError, match="not inside"):
        split(store, ada.id, 1, 9.0)


def test_a_deleted_recording_leaves_nothing_behind(make: Callable[..., Store], tmp_path: Path) -> None:
    store = make(media=str(tmp_path), blind=False)
    secret = "Abrakadabra"
    (tmp_path / "x.mp4").write_bytes(b"clip")
    store.add([NewClip("keep/1", "keep.mp4", "stays"), NewClip(f"{secret}/1", "x.mp4", f"said {secret}")])
    ada = store.rater("Ada", create=True).id
    for clip in (1, 2):
        rate(store, ada, clip, "text", 3.0)
        put(store, clip, {"text": Estimate(1.0, 0.0, 2.0)}, "model")
    acts.note(store, ada, 2, f"about {secret}")
    undo(store, ada)
    acts.correct(store, ada, 2, f"truly {secret}")
    migrations.backup(store.database, "daily")
    assert erase(store, "x.mp4") == 1
    assert not (tmp_path / "x.mp4").exists()
    view = View(store, ada, "text")
    assert view.select().tolist() == [1]
    assert view.select(Filter(text=secret)).tolist() == []
    assert view.rows([1])[0].value == 3.0
    assert [clip.name for clip in judged(store)] == ["keep/1"]
    assert differences(store) == []
    store.close()
    for file in store.folder.rglob("*.sqlite*"):
        content = file.read_bytes().lower()
        assert secret.lower().encode() not in content, file.name
    assert erase(store, "x.mp4") == 0
