"""Whatever raters do in whatever order, every table says what the history says."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from core.annotation import acts, columns
from core.annotation.rebuild import differences, rebuild
from core.annotation.schema import ratings
from core.annotation.store import NewClip, Store

CLIPS = st.integers(1, 3)
WHO = st.integers(1, 2)
PASSES = st.sampled_from(["text", "audio"])


class Raters(RuleBasedStateMachine):
    """Two raters and three clips, beside a plain list of what each did."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.store = Store.create(self.folder / "project", seed=1)
        self.store.add([NewClip(f"film/{number}") for number in range(3)])
        self.store.rater("Ada", create=True)
        self.store.rater("Bo", create=True, lead=True)
        self.done: dict[int, list[tuple[int, str, float | None]]] = {1: [], 2: []}
        self.undone: dict[int, list[tuple[int, str, float | None]]] = {1: [], 2: []}

    @rule(who=WHO, clip=CLIPS, modality=PASSES, value=st.none() | st.integers(-3, 3))
    def rate(self, who: int, clip: int, modality: str, value: int | None) -> None:
        given = None if value is None else float(value)
        acts.rate(self.store, who, clip, modality, given)
        self.done[who].append((clip, f"rating:{modality}", given))
        self.undone[who].clear()

    @rule(who=WHO, clip=CLIPS, on=st.booleans())
    def flag(self, who: int, clip: int, on: bool) -> None:
        acts.flag(self.store, who, clip, on)
        self.done[who].append((clip, "flag", float(on)))
        self.undone[who].clear()

    @rule(who=WHO, clip=CLIPS, text=st.text(max_size=5).filter(lambda text: "\0" not in text))
    def correct(self, who: int, clip: int, text: str) -> None:
        acts.correct(self.store, who, clip, text)
        self.done[who].append((clip, "text", None))
        self.undone[who].clear()

    @precondition(lambda self: any(self.done.values()))
    @rule(who=WHO)
    def undo(self, who: int) -> None:
        told = acts.undo(self.store, who)
        assert (told is None) == (not self.done[who])
        if told is not None:
            self.undone[who].append(self.done[who].pop())
            assert told.clip == self.undone[who][-1][0]

    @rule(who=WHO)
    def redo(self, who: int) -> None:
        told = acts.redo(self.store, who)
        assert (told is None) == (not self.undone[who])
        if told is not None:
            self.done[who].append(self.undone[who].pop())

    @invariant()
    def the_ratings_are_those_last_given(self) -> None:
        wanted = {}
        for who, did in self.done.items():
            wanted |= {(who, clip, slot): x for clip, slot, x in did if slot.startswith("rating")}
        with self.store.database.read() as connection:
            rows = connection.execute(sa.select(ratings))
            found = {(row.rater_id, row.clip_id, f"rating:{row.modality}"): row.value for row in rows}
        assert found == wanted

    def teardown(self) -> None:
        assert differences(self.store) == []
        self.store.close()
        shutil.rmtree(self.folder)


TestRaters = Raters.TestCase
TestRaters.settings = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


def test_a_store_that_somebody_wrote_in_is_mended(store: Store) -> None:
    ada = store.rater("Ada", create=True)
    acts.rate(store, ada.id, 2, "text", 1.0)
    acts.note(store, ada.id, 2, "hm")
    with store.database.write() as connection:
        connection.execute(ratings.delete())
        columns.put(connection, "mean", "text", 0, 5, 3.0)
    assert differences(store) == ["ratings", "column_blocks"]
    rebuild(store)
    assert differences(store) == []
    with store.database.read() as connection:
        assert [row.value for row in connection.execute(sa.select(ratings))] == [1.0]
