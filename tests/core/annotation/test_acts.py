"""Rating, undoing, flags, notes, corrections: what is in force, and what the history keeps."""

from __future__ import annotations

import numpy as np
import pytest
import sqlalchemy as sa

from core.annotation import acts, columns
from core.annotation.acts import Act, perform, rate, redo, undo
from core.annotation.errors import RatingError
from core.annotation.schema import clips, events, ratings
from core.annotation.store import Rater, Store


def current(store: Store) -> dict[tuple[int, str, int], float | None]:
    with store.database.read() as connection:
        found = connection.execute(sa.select(ratings))
        return {(row.clip_id, row.modality, row.rater_id): row.value for row in found}


def column(store: Store, kind: str, modality: str, owner: int) -> list[float]:
    with store.database.read() as connection:
        return columns.column(connection, kind, modality, owner, 13)[1:].tolist()


def history(store: Store) -> list[str]:
    with store.database.read() as connection:
        return list(connection.scalars(sa.select(events.c.kind).order_by(events.c.id)))


def text(store: Store, clip: int) -> str:
    with store.database.read() as connection:
        return connection.scalar(sa.select(clips.c.text).where(clips.c.id == clip)) or ""


def test_a_rating_is_there_when_the_function_returns(store: Store, ada: Rater) -> None:
    done = rate(store, ada.id, 3, "text", 2.0)
    assert current(store) == {(3, "text", ada.id): 2.0}
    assert (done.clip, done.modality, done.value, done.before) == (3, "text", 2.0, None)


def test_cannot_judge_is_a_rating_without_a_value(store: Store, ada: Rater) -> None:
    rate(store, ada.id, 3, "audio", None)
    assert current(store) == {(3, "audio", ada.id): None}
    assert column(store, "rating", "audio", ada.id)[2] == columns.CANNOT
    assert np.isnan(column(store, "mean", "audio", 0)[2])


def test_undo_goes_back_over_clips_and_redo_forward_again(store: Store, ada: Rater) -> None:
    rate(store, ada.id, 1, "text", 1.0)
    rate(store, ada.id, 2, "text", 2.0)
    rate(store, ada.id, 1, "text", -1.0)
    assert [done.clip for done in (undo(store, ada.id), undo(store, ada.id)) if done] == [1, 2]
    assert current(store) == {(1, "text", ada.id): 1.0}
    again = redo(store, ada.id)
    assert again is not None
    assert (again.clip, again.value) == (2, 2.0)
    assert current(store) == {(1, "text", ada.id): 1.0, (2, "text", ada.id): 2.0}
    assert history(store) == ["rate"] * 3 + ["undo"] * 2 + ["redo"]


def test_a_new_act_ends_what_could_be_redone(store: Store, ada: Rater) -> None:
    rate(store, ada.id, 1, "text", 1.0)
    undo(store, ada.id)
    rate(store, ada.id, 2, "text", 2.0)
    assert redo(store, ada.id) is None
    assert current(store) == {(2, "text", ada.id): 2.0}


def test_undo_takes_back_nothing_of_another_rater(store: Store, ada: Rater, bo: Rater) -> None:
    rate(store, bo.id, 1, "text", 1.0)
    assert undo(store, ada.id) is None
    assert current(store) == {(1, "text", bo.id): 1.0}


def test_mean_and_range_follow_the_ratings_in_force(store: Store, ada: Rater, bo: Rater) -> None:
    rate(store, ada.id, 5, "visual", -1.0)
    assert np.isnan(column(store, "spread", "visual", 0)[4])
    rate(store, bo.id, 5, "visual", 2.0)
    assert column(store, "mean", "visual", 0)[4] == 0.5
    assert column(store, "spread", "visual", 0)[4] == 3.0
    undo(store, bo.id)
    assert column(store, "mean", "visual", 0)[4] == -1.0
    assert np.isnan(column(store, "spread", "visual", 0)[4])


def test_flags_notes_and_corrections_are_undone_like_ratings(store: Store, ada: Rater) -> None:
    acts.flag(store, ada.id, 4)
    acts.note(store, ada.id, 4, "mumbled")
    acts.correct(store, ada.id, 4, "other words")
    assert text(store, 4) == "other words"
    assert column(store, "flags", "", 0)[3] == 1
    for _ in range(3):
        undo(store, ada.id)
    assert text(store, 4) == "words of clip 3"
    assert np.isnan(column(store, "flags", "", 0)[3])


def test_corrected_words_are_found_and_the_old_ones_not(store: Store, ada: Rater) -> None:
    acts.correct(store, ada.id, 4, "Grüße aus Köln")

    def found(wanted: str) -> list[int]:
        with store.database.read() as connection:
            return np.flatnonzero(columns.matching(connection, wanted, 13, names_only=False)).tolist()

    assert found("GRÜSSE AUS") == [4]
    assert found("clip 3") == []
    assert found("film1/") == [5, 6, 7, 8]


def test_edges_are_moved_and_moved_back(store: Store, ada: Rater) -> None:
    acts.adjust(store, ada.id, 2, 0.1, 1 / 3)

    def span() -> tuple[float | None, ...]:
        with store.database.read() as connection:
            return tuple(
                connection.execute(sa.select(clips.c.start, clips.c.end).where(clips.c.id == 2)).one()
            )

    assert span() == (0.1, 1 / 3)
    undo(store, ada.id)
    assert span() == (None, None)
    with pytest.raises(RatingError, match="from 2 to 1"):
        acts.adjust(store, ada.id, 2, 2, 1)


def test_only_a_lead_settles(store: Store, ada: Rater, bo: Rater) -> None:
    with pytest.raises(RatingError, match="lead"):
        acts.settle(store, ada.id, 1, "text", 0.0)
    acts.settle(store, bo.id, 1, "text", 0.25)
    assert column(store, "settled", "text", 0)[0] == 0.25
    undo(store, bo.id)
    assert np.isnan(column(store, "settled", "text", 0)[0])


def test_the_same_act_sent_twice_is_one_act(store: Store, ada: Rater) -> None:
    act = Act(ada.id, "rate", 1, "text", 3.0)
    first, again = perform(store, act), perform(store, act)
    assert first.event == again.event
    assert history(store) == ["rate"]


def test_what_was_in_force_before_is_told(store: Store, ada: Rater) -> None:
    first = rate(store, ada.id, 1, "text", 1.0)
    assert rate(store, ada.id, 1, "text", 2.0).before == first.event


@pytest.mark.parametrize(
    ("clip", "modality", "value", "told"),
    [
        (1, "text", 4.0, "not on the scale"),
        (1, "text", float("nan"), "not on the scale"),
        (1, "text", 0.5, "no level"),
        (99, "text", 1.0, "no clip number 99"),
        (1, "smell", 1.0, "no pass"),
    ],
)
def test_what_the_project_does_not_allow_is_refused(
    store: Store, ada: Rater, clip: int, modality: str, value: float, told: str
) -> None:
    with pytest.raises(RatingError, match=told):
        rate(store, ada.id, clip, modality, value)  # ty: ignore[invalid-argument-type]
    assert history(store) == []


def test_an_unknown_rater_is_refused(store: Store) -> None:
    with pytest.raises(RatingError, match="no rater number 9"):
        rate(store, 9, 1, "text", 1.0)
