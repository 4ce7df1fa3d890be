"""What a rater sees: their own order, what a filter lets through, nothing that a blind project hides."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import asdict

import numpy as np
import pytest
import sqlalchemy as sa

from core.annotation import acts
from core.annotation.acts import rate
from core.annotation.errors import BlindError
from core.annotation.estimates import put, todo
from core.annotation.order import shuffled
from core.annotation.schema import events
from core.annotation.store import NewClip, Rater, Store
from core.annotation.view import Filter, View
from core.types import HEADS, Estimate

Make = Callable[..., Store]

ODD = "Zyzzyva"


def test_each_rater_has_an_order_of_their_own_which_stays(store: Store, ada: Rater, bo: Rater) -> None:
    first, second = View(store, ada.id, "text").select(), View(store, bo.id, "text").select()
    assert sorted(first) == sorted(second) == list(range(1, 13))
    assert first.tolist() != second.tolist()
    assert View(store, ada.id, "audio").select().tolist() == first.tolist()
    # Frozen: another order would change what half-done projects show.
    assert shuffled(8, 7, 1).tolist() == FROZEN


FROZEN = [6, 7, 4, 2, 8, 5, 3, 1]


def test_clips_that_come_later_leave_the_order_of_the_others() -> None:
    few, more = shuffled(100, 3, 2), shuffled(150, 3, 2)
    assert more[more <= 100].tolist() == few.tolist()


def test_an_order_is_shuffled_evenly() -> None:
    places = np.array([np.flatnonzero(shuffled(50, seed, 1) == 1)[0] for seed in range(400)])
    assert 20 < places.mean() < 30
    neighbours = np.abs(np.diff(shuffled(10_000, 5, 1)))
    assert (neighbours == 1).sum() < 15


def test_unshuffled_projects_go_in_order(make: Make) -> None:
    store = make(shuffled=False)
    store.add([NewClip(f"film/{number}") for number in range(5)])
    view = View(store, store.rater("Ada", create=True).id, "text")
    assert view.select().tolist() == [1, 2, 3, 4, 5]
    assert [view.next(None), view.next(1), view.next(5)] == [1, 2, None]


def test_filters_take_text_state_score_and_disagreement_together(make: Make) -> None:
    store = make(blind=False, shuffled=False)
    store.add([NewClip(f"film/{number}", text=f"word{number % 3}") for number in range(1, 13)])
    ada, bo = (store.rater(name, create=True) for name in ("Ada", "Bo"))
    for clip, value in ((1, -3), (2, -1), (3, 2), (4, 3)):
        rate(store, ada.id, clip, "text", value)
        rate(store, bo.id, clip, "text", 2)
    rate(store, ada.id, 5, "text", None)
    acts.flag(store, bo.id, 7)
    view = View(store, ada.id, "text")

    def found(**chosen: object) -> list[int]:
        return view.select(Filter(**chosen)).tolist()  # ty: ignore[invalid-argument-type]

    assert found(text="WORD1") == [1, 4, 7, 10]
    assert found(state="rated") == [1, 2, 3, 4]
    assert found(state="cannot") == [5]
    assert found(state="unrated", text="word1") == [7, 10]
    assert found(state="flagged") == [7]
    assert found(score=(2, 3)) == [3, 4]
    assert found(score=(-0.5, 0.5), score_of="mean") == [1, 2]
    assert found(disagreement=(3, 6)) == [1, 2]
    assert found(text="nowhere") == []


def test_the_next_clip_is_the_next_the_next_unrated_or_the_most_doubtful(make: Make) -> None:
    store = make(blind=False)
    store.add([NewClip(f"film/{number}", f"{number}.mp4") for number in range(6)])
    ada, bo = (store.rater(name, create=True) for name in ("Ada", "Bo"))
    view = View(store, ada.id, "text")
    order = view.select().tolist()
    rate(store, ada.id, order[1], "text", 1)
    assert view.next(order[0]) == order[1]
    assert view.next(order[0], "unrated") == order[2]
    assert view.next(order[5], "unrated") == order[0], "from the start again"
    put(store, order[3], {"text": Estimate(0.0, -2.0, 2.0)}, "model")
    put(store, order[4], {"text": Estimate(1.0, 0.9, 1.1)}, "model")
    assert view.next(order[0], "uncertain") == order[3]
    rate(store, bo.id, order[4], "text", -3)
    assert view.next(order[0], "model") == order[4]
    assert set(todo(store, "model")) == set(order) - {order[3], order[4]}
    put(store, order[5], {}, "model")
    assert order[5] not in todo(store, "model"), "it was looked at, though nothing was found"
    assert len(todo(store, "another model", limit=4)) == 4
    for clip in order:
        rate(store, ada.id, clip, "text", 0)
    assert view.next(order[0], "unrated") is None
    assert view.next(order[5]) is None


def test_a_rater_goes_on_where_they_left(store: Store, ada: Rater) -> None:
    view = View(store, ada.id, "text")
    assert view.left_at() is None
    rate(store, ada.id, 4, "text", 1)
    rate(store, ada.id, 2, "text", None)
    rate(store, ada.id, 9, "audio", 1)
    assert View(store, ada.id, "text").left_at() == 2
    assert (view.progress().rated, view.progress().cannot, view.progress().clips) == (1, 1, 12)


def test_who_has_clips_assigned_sees_these_alone(store: Store, ada: Rater) -> None:
    store.assign(ada.id, [2, 3, 5])
    view = View(store, ada.id, "text")
    assert sorted(view.select()) == [2, 3, 5]
    assert view.progress().clips == 3


def test_words_are_hidden_in_the_passes_of_voice_and_face(store: Store, ada: Rater) -> None:
    for modality in ("audio", "visual"):
        view = View(store, ada.id, modality)
        assert view.rows([1])[0].text is None
        assert view.select(Filter(text="words of")).tolist() == []
        assert len(view.select(Filter(text="film0"))) == 4
    assert View(store, ada.id, "text").rows([1])[0].text == "words of clip 0"


def test_a_page_is_in_the_order_that_was_asked_for(store: Store, ada: Rater) -> None:
    assert [row.id for row in View(store, ada.id, "text").rows([7, 2, 99, 5])] == [7, 2, 5]


@pytest.fixture
def odd(store: Store, ada: Rater) -> Rater:
    """Another rater and a model whose names and values nobody else has."""
    other = store.rater(ODD, create=True, lead=True)
    for modality in HEADS:
        rate(store, other.id, 3, modality, -3)
    put(store, 3, dict.fromkeys(HEADS, Estimate(-2.718, -2.9, 1.618)), ODD)
    acts.flag(store, other.id, 3)
    acts.note(store, other.id, 3, f"note by {ODD}")
    acts.settle(store, other.id, 3, "text", 2.5)
    return other


def test_a_blind_rater_sees_nothing_of_others_nor_of_the_model(store: Store, ada: Rater, odd: Rater) -> None:
    rate(store, ada.id, 3, "text", 1.0)
    for modality in HEADS:
        view = View(store, ada.id, modality)
        told = repr([asdict(row) for row in view.rows(range(1, 13))]) + repr(view.progress())
        for secret in (ODD, "-3", "-2.718", "1.618", "2.5", "-2.9"):
            assert secret not in told
        assert all(not row.flagged and row.note == "" for row in view.rows(range(1, 13)))


def test_a_blind_rater_cannot_find_out_by_filters_or_orders(store: Store, ada: Rater, odd: Rater) -> None:
    view = View(store, ada.id, "text")
    asked = [
        Filter(score=(-3, 3), score_of="mean"),
        Filter(score=(-3, 3), score_of="estimate"),
        Filter(disagreement=(0, 6)),
        Filter(disagreement=(0, 6), disagreement_of="model"),
    ]
    for chosen in asked:
        with pytest.raises(BlindError):
            view.select(chosen)
    for how in ("uncertain", "raters", "model"):
        with pytest.raises(BlindError):
            view.next(None, how)
    assert view.select(Filter(state="flagged")).tolist() == []
    assert view.select(Filter(disagreement=(0, 6), disagreement_of="modalities")).tolist() == [], "only own"


def test_unblinding_shows_everything_and_is_in_the_history(store: Store, ada: Rater, odd: Rater) -> None:
    view = View(store, ada.id, "text")
    store.unblind(ada.id, by=odd.id)
    view.refresh()
    row = view.rows([3])[0]
    assert row.others == {ODD: -3.0}
    assert row.settled == 2.5
    assert row.estimate == Estimate(-2.718, -2.9, 1.618)
    assert view.select(Filter(disagreement=(0, 6), disagreement_of="model")).tolist() == [3]
    assert View(store, odd.id, "text").blind, "the other rater stays blind"
    with store.database.read() as connection:
        logged = connection.execute(sa.select(events).where(events.c.kind == "unblind")).one()
    assert (logged.rater_id, logged.value) == (odd.id, ada.id)


def test_a_project_that_is_not_blind_hides_nothing(make: Make) -> None:
    store = make(blind=False)
    store.add([NewClip("film/1")])
    ada, bo = (store.rater(name, create=True) for name in ("Ada", "Bo"))
    rate(store, bo.id, 1, "text", -2)
    assert View(store, ada.id, "text").rows([1])[0].others == {"Bo": -2.0}


def test_letters_are_found_whatever_their_number(make: Make) -> None:
    store = make(shuffled=False)
    said = ["aaaa" * 40, "b", "", "今天天气", "ab ba", "äÖ", "xaab", "1234567"] * 160
    store.add([NewClip(f"f/{n}x", text=text) for n, text in enumerate(said)])
    view = View(store, store.rater("Ada", create=True).id, "text")
    for wanted in (
        "a",
        "aa",
        "aaaa",
        "天气",
        "气",
        "ba",
        "ÄÖ",
        "ab  BA",
        "xaab",
        "f/7x",
        "x",
        "a" * 170,
        "34567",
    ):
        plain = [
            n for n, t in enumerate(said, 1) if _plain(wanted) in _plain(t) or _plain(wanted) in f"f/{n - 1}x"
        ]
        assert view.select(Filter(text=wanted)).tolist() == plain, wanted
    with pytest.raises(StopIteration):
        next(itertools.compress(view.select(Filter(text="q")), itertools.repeat(True)))


def _plain(text: str) -> str:
    return " ".join(text.casefold().split())


def test_a_lead_settles_the_widest_disagreement_first(make: Callable[..., Store]) -> None:
    store = make(blind=False)
    store.add([NewClip(f"film/{number}") for number in range(4)])
    ada, bo = (store.rater(name, create=True, lead=name == "Bo").id for name in ("Ada", "Bo"))
    for clip, first, second in ((1, 1, 2), (2, -3, 3), (3, 0, 0), (4, 1, 3)):
        rate(store, ada, clip, "text", first)
        rate(store, bo, clip, "text", second)
    view = View(store, bo, "text")
    assert view.to_settle().tolist() == [2, 4, 1]
    acts.settle(store, bo, 2, "text", 0.0)
    assert view.to_settle().tolist() == [4, 1]
