"""Data is converted once, stays on disk, and is the same samples as before."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.benchmarks import data as measured
from core.benchmarks.synthetic import Shape
from core.data import store
from core.data.batches import BucketSampler, Sample, collate, feature_widths, has, length_key, row_index
from core.data.columns import NO_TEXT, VECTOR
from core.data.mmsa_pickle import read
from core.data.parts import DataSet
from core.data.rows import Looked, Rows
from core.data.sources import converted, load, standardisation
from core.errors import DataError
from core.training.data_settings import DataSettings
from core.training.loop import train
from core.training.settings import load as settings
from core.types import EXTRACTOR_VERSION, HEADS, MODALITIES

SMALL = Shape({"train": 40, "valid": 12, "test": 9}, (1, 9, 4), (1, 7, 3), text_vectors=6)
"""What `pickled` writes."""

Pickled = Callable[..., Path]


@pytest.fixture
def path(own_cache: Path, pickled: Pickled) -> Path:
    return pickled()


@pytest.fixture
def data(path: Path) -> DataSet:
    return load(DataSettings(), path)


def same(a: Sample, b: Sample) -> bool:
    arrays = all(
        np.array_equal(getattr(a, m), getattr(b, m)) for m in ("audio", "visual") if has(a, m) or has(b, m)
    )
    return arrays and (a.id, a.group, a.labels, a.together) == (b.id, b.group, b.labels, b.together)


def test_samples_on_disk_are_those_of_the_file(path: Path, data: DataSet) -> None:
    direct = read(path)
    assert {name: len(part) for name, part in data.parts.items()} == SMALL.rows
    for name, part in data.parts.items():
        assert isinstance(part.samples, Rows)
        assert all(same(a, b) for a, b in zip(part.samples, direct[name], strict=True))


def test_a_batch_of_them_is_bit_for_bit_the_same(path: Path, data: DataSet) -> None:
    rows = [3, 17, 5, 30]
    stored = collate([data.part("train").samples[i] for i in rows], None, rows)
    direct = collate([read(path)["train"][i] for i in rows], None, rows)
    for name in ("text_vectors", "audio_btd", "visual_btd", "audio_length"):
        assert np.array_equal(getattr(stored, name).numpy(), getattr(direct, name).numpy()), name


def test_the_index_says_what_the_samples_would(path: Path, data: DataSet) -> None:
    part = data.part("train").samples
    ready, looked_up = row_index(part), row_index(list(part))
    assert np.array_equal(ready.lengths, looked_up.lengths)
    assert np.array_equal(ready.labels, looked_up.labels, equal_nan=True)
    assert ready.lengths[4].tolist() == list(length_key(part[4]))
    assert ready.has("audio").all()
    assert ready.label("multimodal")[2] == part[2].labels["multimodal"]
    assert feature_widths(part) == {"text": 6, "audio": 4, "visual": 3}


def test_batches_are_planned_the_same_from_the_index_as_from_keys(data: DataSet) -> None:
    part = data.part("train").samples
    by_index = list(BucketSampler(row_index(part).lengths, 8, seed=1, pool=2).epoch(3))
    assert by_index == list(BucketSampler([length_key(s) for s in part], 8, seed=1, pool=2).epoch(3))


def test_it_is_converted_once_and_found_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert converted(DataSettings(), path) is None
    first = load(DataSettings(), path)
    monkeypatch.setattr(store.Writer, "add", None)  # whoever converted again would need it
    again = load(DataSettings(), path)
    assert again.fingerprint == first.fingerprint
    assert converted(DataSettings(), path) is not None


def test_other_content_and_other_settings_have_another_fingerprint(
    path: Path, tmp_path: Path, pickled: Pickled
) -> None:
    first = load(DataSettings(), path).fingerprint
    assert load(DataSettings(text="vectors"), path).fingerprint != first
    assert load(DataSettings(scheme="sims"), path).fingerprint == first
    moved = tmp_path / "elsewhere.pkl"
    path.rename(moved)
    assert load(DataSettings(), moved).fingerprint == first
    pickled(SMALL.times(2))
    assert load(DataSettings(), path).fingerprint != first


def test_modalities_that_are_not_used_are_missing(path: Path) -> None:
    data = load(DataSettings(modalities=("text", "visual")), path)
    part = data.part("train").samples
    assert part[0].audio is None
    assert not row_index(part).has("audio").any()
    assert set(data.features) == {"text", "visual"}
    assert "left out as the settings say: audio" in data.notes


def test_features_say_where_they_come_from(path: Path, pickled: Pickled) -> None:
    assert set(load(DataSettings(), path).features.values()) == {"foreign"}
    words = load(DataSettings(), pickled(words=True))
    assert words.features == {
        "text": f"extractor:{EXTRACTOR_VERSION}",
        "audio": "foreign",
        "visual": "foreign",
    }
    assert words.part("test").samples[0].text == "said in test0$_$0"


def test_a_conversion_that_fails_leaves_nothing_behind(path: Path, tmp_path: Path) -> None:
    def fail(writer: store.Writer) -> dict[str, Any]:
        writer.add(Sample("a", "a", audio=np.ones((2, 3))), "train")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.convert("f" * 32, fail)
    assert list(store.root().iterdir()) == []


def test_what_a_killed_conversion_left_is_swept_away(path: Path) -> None:
    for name, age in (("old", store.ABANDONED_SECONDS + 10), ("young", 0)):
        folder = store.root() / f".{name}-x"
        folder.mkdir(parents=True)
        os.utime(folder, (time.time() - age,) * 2)
    load(DataSettings(), path)
    assert {folder.name for folder in store.root().glob(".*-*")} == {".young-x"}


def test_of_two_that_convert_the_same_the_slower_takes_what_the_quicker_made(
    path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = store.root() / data.fingerprint
    quicker = place.rename(store.root() / "quicker")
    looks, find = [], store.find

    def look(fingerprint: str) -> store.Stored | None:
        """The other process finishes right after this one has looked for the last time."""
        found = find(fingerprint)
        looks.append(found)
        if len(looks) == 2:
            quicker.rename(place)
        return found

    monkeypatch.setattr(store, "find", look)
    files = {p.name: p.stat().st_ino for p in quicker.iterdir()}
    again = load(DataSettings(), path)
    assert looks[:2] == [None, None]
    assert {p.name: p.stat().st_ino for p in place.iterdir()} == files
    assert len(again.part("train")) == len(data.part("train"))
    assert [p.name for p in store.root().glob(".*")] == []


def test_a_disk_that_takes_no_more_is_told_and_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store.Writer, "close", full)
    with pytest.raises(DataError, match="No space left") as error:
        load(DataSettings(), path)
    assert "CONSONANCE_CACHE" in error.value.remedy
    assert not list(store.root().glob(".*-*"))


def test_statistics_are_those_of_all_frames_and_kept(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    part = data.part("train").samples
    frames = np.concatenate([s.audio for s in part]).astype(np.float64)
    mean, deviation = standardisation(part, "audio")
    assert np.allclose(mean, frames.mean(axis=0), rtol=1e-12)
    assert np.allclose(deviation, frames.std(axis=0), rtol=1e-12)
    assert standardisation(part.showing(("text",))[:0], "audio") is None
    monkeypatch.setattr(Rows, "__iter__", None)  # whoever went over the samples again would need it
    again = standardisation(part, "audio")
    assert np.array_equal(again[0], mean)
    assert np.array_equal(again[1], deviation)


def test_reading_rows_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Shape({"train": 30}, (1, 4, 3), (1, 4, 2))
    monkeypatch.setattr(measured, "ALIGNED", small)
    monkeypatch.setattr(measured, "UNALIGNED", small)
    before = os.environ.get("CONSONANCE_CACHE")
    figures = measured.data(Path())
    assert [row["data"] for row in figures["microseconds_a_row"]] == ["aligned"] * 2 + ["unaligned"] * 2
    assert all(row["rows"] > 0 and row["Parquet rows"] > 0 for row in figures["microseconds_a_row"])
    assert os.environ.get("CONSONANCE_CACHE") == before


def test_a_run_trains_on_rows_on_disk(path: Path, tmp_path: Path) -> None:
    made = settings("mosi", ["network.text_encoder=", "training.epochs=1", "training.device=cpu"])
    report = train(made, path, tmp_path / "run")
    assert report["rows"] == {"data": SMALL.rows}


def test_a_damaged_store_is_made_again(path: Path, data: DataSet) -> None:
    (store.root() / data.fingerprint / store.INDEX).write_bytes(b"torn")
    again = load(DataSettings(), path)
    assert len(again.part("train")) == 40


def test_many_chunks_and_files_read_like_one(
    path: Path, data: DataSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "CHUNK_ROWS", 7)
    monkeypatch.setattr(store, "SHARD_BYTES", 2000)
    pieces = load(DataSettings(text="vectors"), path)
    assert len(list((store.root() / pieces.fingerprint).glob("sequences-*"))) > 2
    for a, b in zip(pieces.part("train").samples, data.part("train").samples, strict=True):
        assert same(a, b)
        assert np.array_equal(a.text, b.text)


def test_pages_are_given_back_and_read_again(data: DataSet, monkeypatch: pytest.MonkeyPatch) -> None:
    part = data.part("train").samples
    kept = part[0].audio
    before = kept.copy()
    part.table.release()
    assert np.array_equal(kept, before)


def test_rows_are_chosen_without_reading_them(data: DataSet) -> None:
    part = data.part("train")
    chosen = part.take([5, 2, 9])
    assert [s.id for s in chosen.samples] == [part.samples[i].id for i in (5, 2, 9)]
    assert [s.id for s in part.samples[2:4]] == [part.samples[i].id for i in (2, 3)]
    assert part.samples[-1].id == part.samples[len(part) - 1].id
    assert chosen.samples.take([2])[0].id == part.samples[9].id
    assert len(part.of(0)) == 40
    assert len(part.of(1)) == 0


def test_texts_can_be_looked_up_in_mapped_vectors(data: DataSet) -> None:
    part = data.part("test").samples
    vectors = np.arange(8, dtype=np.float32).reshape(2, 4)
    rows = part.with_texts(Looked(vectors, np.array([1, -1, 0, *[1] * 6])))
    assert rows[0].text.tolist() == [4, 5, 6, 7]
    assert rows[1].text is None
    assert row_index(rows).lengths[:3, 0].tolist() == [4, 0, 4]
    assert rows.take([2])[0].text.base is not None, "a view, not a copy"
    assert np.array_equal(rows[0].audio, part[0].audio)
    assert rows.text_kinds[:2].tolist() == [VECTOR, NO_TEXT]


rows = st.lists(
    st.tuples(
        st.text(max_size=6) | st.none() | st.lists(st.integers(0, 99), max_size=4),
        st.integers(0, 3),
        st.integers(0, 2),
        st.none() | st.floats(-3, 3),
        st.booleans(),
    ),
    min_size=1,
    max_size=9,
)


@given(rows)
@hypothesis_settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_samples_come_back_as_they_went(own_cache: Path, made: list[tuple[Any, ...]]) -> None:
    given_samples = [
        Sample(
            f"id {number}",
            f"g{number % 2}",
            np.array(text, dtype=np.int64) if isinstance(text, list) else text,
            np.full((audio, 2), number, np.float32),
            np.full((visual, 3), -number, np.float32),
            {} if y is None else {"multimodal": y, "visual": -y},
            together,
        )
        for number, (text, audio, visual, y, together) in enumerate(made)
    ]

    def fill(writer: store.Writer) -> dict[str, Any]:
        for one in given_samples:
            writer.add(one, "valid", source=len(one.audio))
        return {"features": {}}

    name = f"made-{uuid.uuid4().hex}"
    stored = store.convert(name, fill)
    back = Rows(stored.table)
    assert stored.rows("valid").tolist() == list(range(len(made)))
    assert np.array_equal(row_index(back).lengths, row_index(given_samples).lengths)
    for a, b in zip(back, given_samples, strict=True):
        assert same(a, b)
        if has(b, "text"):
            assert np.array_equal(a.text, b.text)
        else:
            assert not has(a, "text")


def test_features_of_another_width_in_one_data_set_are_refused(path: Path) -> None:
    def fill(writer: store.Writer) -> dict[str, Any]:
        writer.add(Sample("a", "a", audio=np.ones((2, 3))), "train")
        writer.add(Sample("b", "b", audio=np.ones((2, 4))), "train")
        return {}

    with pytest.raises(DataError, match="b: 4 audio features, but 3"):
        store.convert("f" * 32, fill)


def test_every_head_and_modality_has_its_column() -> None:
    names = set(store._INDEX_SCHEMA.names)
    assert names >= {f"label_{head}" for head in HEADS} | {f"length_{m}" for m in MODALITIES}
