"""Feature files of the field: the usual layout, the ways files differ from it, and real awkward ones."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from core.data.batches import collate
from core.data.mmsa_pickle import Dataset, _true_part, read
from core.errors import DataError


def _part(rows: int = 3, **columns: Any) -> dict[str, Any]:
    """A part in the usual layout: true lengths 2, 4, 5 of 5 steps, padded with zeros at the end."""
    random = np.random.default_rng(rows)
    lengths = [2, 4, 5][:rows]
    mask = np.arange(5) < np.array(lengths)[:, None]
    ids = np.where(mask, random.integers(1, 90, (rows, 5)), 0)
    sequences = {
        name: random.normal(size=(rows, 5, d)) * mask[:, :, None] for name, d in (("audio", 4), ("vision", 3))
    }
    return {
        "raw_text": np.array(["one", "two words", "three"][:rows]),
        "id": [f"video{i // 2}$_${i}" for i in range(rows)],
        "text": random.normal(size=(rows, 5, 6)).astype(np.float32),
        "text_bert": np.stack([ids, mask, np.zeros_like(ids)], axis=1).astype(np.float32),
        **sequences,
        "audio_lengths": lengths,
        "vision_lengths": np.array(lengths),
        "annotations": ["Positive"] * rows,
        "regression_labels": np.array([1.0, -2.0, 0.4][:rows]),
    } | columns


def _read(folder: Path, tree: Any, **options: Any) -> Dataset:
    path = folder / "features.pkl"
    path.write_bytes(pickle.dumps(tree))
    return read(path, **options)


def _told(dataset: Dataset) -> str:
    return "\n".join(map(str, dataset.oddities))


def test_the_usual_layout_becomes_samples_without_padding(tmp_path: Path) -> None:
    part = _part()
    dataset = _read(tmp_path, {"train": part, "valid": _part(2), "test": _part(1)})
    assert {name: len(samples) for name, samples in dataset.items()} == {"train": 3, "valid": 2, "test": 1}
    assert dataset.oddities == []
    sample = dataset["train"][1]
    assert (sample.id, sample.group, sample.text) == ("video0$_$1", "video0", "two words")
    assert sample.labels == {"multimodal": -2.0}
    assert np.array_equal(sample.audio, part["audio"][1, :4].astype(np.float32))
    assert np.array_equal(sample.visual, part["vision"][1, :4].astype(np.float32))
    assert type(sample.audio) is np.ndarray


def test_texts_can_be_token_ids_or_vectors_as_long_as_the_tokens(tmp_path: Path) -> None:
    part = _part()
    ids = _read(tmp_path, {"train": part}, text="tokens")["train"][1].text
    assert ids.dtype == np.int64
    assert ids.tolist() == part["text_bert"][1, 0, :4].astype(int).tolist()
    vectors = _read(tmp_path, {"train": part}, text="vectors")["train"][1].text
    assert np.array_equal(vectors, part["text"][1, :4])


def test_samples_go_straight_into_a_batch(tmp_path: Path) -> None:
    batch = collate(_read(tmp_path, {"train": _part()}, text="vectors")["train"], None)
    assert batch.audio_length.tolist() == [2, 4, 5]
    assert batch.text_vectors.shape == (3, 6)


def test_human_labels_of_single_modalities_are_read(tmp_path: Path) -> None:
    labels = {f"regression_labels_{m}": np.array([0.2, -0.4, 1.0]) for m in "TAV"}
    labels["regression_labels_V"][0] = np.nan
    samples = _read(tmp_path, {"train": _part(**labels)})["train"]
    assert samples[1].labels == {"multimodal": -2.0, "text": -0.4, "audio": -0.4, "visual": -0.4}
    assert "visual" not in samples[0].labels


def test_an_aligned_file_without_lengths_loses_its_zero_edges(tmp_path: Path) -> None:
    part = _part()
    del part["audio_lengths"], part["vision_lengths"]
    part["vision"][2, 2] = 0  # a step without a face inside the sequence stays
    samples = _read(tmp_path, {"train": part})["train"]
    assert [len(s.audio) for s in samples] == [2, 4, 5]
    assert len(samples[2].visual) == 5


def test_a_file_without_lengths_is_told_to_be_aligned(tmp_path: Path) -> None:
    part = _part()
    del part["audio_lengths"]
    assert "train: audio: 3 rows without stated lengths (an aligned file)" in _told(
        _read(tmp_path, {"train": part})
    )


def test_ids_that_became_numbers_read_like_the_names_they_were(tmp_path: Path) -> None:
    samples = _read(tmp_path, {"train": _part(id=np.array([7.0, 8.0, 9.5]))})["train"]
    assert [sample.id for sample in samples] == ["7", "8", "9.5"]


@pytest.mark.parametrize("with_lengths", [True, False])
def test_padding_at_the_start_is_taken_off_and_counted(tmp_path: Path, with_lengths: bool) -> None:
    part = _part()
    part["audio"] = np.stack(
        [np.roll(x, 5 - n, axis=0) for x, n in zip(part["audio"], (2, 4, 5), strict=True)]
    )
    if not with_lengths:
        del part["audio_lengths"]
    dataset = _read(tmp_path, {"train": part})
    assert [len(s.audio) for s in dataset["train"]] == [2, 4, 5]
    assert np.array_equal(dataset["train"][0].audio, part["audio"][0, 3:].astype(np.float32))
    assert "train: audio: 2 rows are padded at the start" in _told(dataset)


def test_values_that_are_not_finite_become_zero_and_are_counted(tmp_path: Path) -> None:
    part = _part()
    part["audio"][0, 0, 1], part["audio"][2, 3, 0] = -np.inf, np.nan
    dataset = _read(tmp_path, {"train": part})
    assert all(np.isfinite(s.audio).all() for s in dataset["train"])
    assert dataset["train"][0].audio[0, 1] == 0
    assert "train: audio: 2 rows hold NaN or infinite values" in _told(dataset)


def test_lengths_of_zero_and_sequences_of_zeros_are_missing(tmp_path: Path) -> None:
    part = _part(audio_lengths=[0, 4, 5])
    part["vision"][1] = 0
    dataset = _read(tmp_path, {"train": part})
    assert dataset["train"][0].audio is None
    assert dataset["train"][1].visual is None
    assert "audio: 1 rows of length 0: missing" in _told(dataset)
    assert "vision: 1 rows are all zeros: missing" in _told(dataset)


def test_lengths_that_do_not_fit_are_judged_by_the_zeros(tmp_path: Path) -> None:
    dataset = _read(tmp_path, {"train": _part(audio_lengths=[2, 9, 3])})
    assert [len(s.audio) for s in dataset["train"]] == [2, 4, 5]
    assert "audio: 2 rows do not fit their stated length" in _told(dataset)


def test_labels_that_are_not_finite_are_no_labels(tmp_path: Path) -> None:
    dataset = _read(tmp_path, {"train": _part(regression_labels=np.array([1.0, np.nan, np.inf]))})
    assert [s.labels for s in dataset["train"]] == [{"multimodal": 1.0}, {}, {}]
    assert "2 labels are not finite" in _told(dataset)


def test_labels_on_another_scale_are_pointed_out(tmp_path: Path) -> None:
    assert "1 to 7: not the usual" in _told(
        _read(tmp_path, {"train": _part(regression_labels=[1.0, 5.0, 7.0])})
    )


def test_a_file_of_one_part_with_other_names_is_read_as_all(tmp_path: Path) -> None:
    tree = {
        "language": np.ones((2, 5)),
        "acoustic": np.ones((2, 3)),
        "labels": np.array([[1.0, 0.0], [2.0, 9.0]]),
    }
    dataset = _read(tmp_path, tree)
    assert [s.labels["multimodal"] for s in dataset["all"]] == [1.0, 2.0]
    assert dataset["all"][0].audio.shape == (1, 3)
    assert [s.id for s in dataset["all"]] == ["all-0", "all-1"]
    assert "2 rows without an id" in _told(dataset)


@pytest.mark.parametrize(
    ("identity", "group"),
    [("abc$_$3", "abc"), ("-a_b_12", "-a_b"), ("xyz[4]", "xyz"), ("03bSnISJMiM", "03bSnISJMiM")],
)
def test_clips_of_one_video_share_a_group(tmp_path: Path, identity: str, group: str) -> None:
    assert _read(tmp_path, {"train": _part(1, id=[identity])})["train"][0].group == group


def test_every_problem_is_told_with_the_part_it_is_in(tmp_path: Path) -> None:
    tree = {
        "train": _part(id=["a"]),
        "valid": _part(text_bert=np.full((3, 3, 5), 0.5)),
        "test": _part(audio=np.array([["a"] * 5] * 3)),
    }
    with pytest.raises(DataError) as error:
        _read(tmp_path, tree, text="tokens")
    told = error.value.message
    assert "features.pkl: train: columns of different lengths" in told
    assert "valid: text_bert holds token ids that are no whole numbers" in told
    assert "test.audio holds no numbers" in told


@pytest.mark.parametrize(
    "columns",
    [
        {"text_bert": np.ones((3, 5))},
        {"audio": [np.ones((2, 4)), np.ones((2, 5)), np.ones((2, 4))]},
        {"audio": [["a"], ["b"], ["c"]]},
        {"audio_lengths": [1, 2]},
        {"vision": 5.0},
        {"regression_labels": ["good", "bad", "ugly"]},
    ],
)
def test_columns_that_make_no_sense_are_data_errors(tmp_path: Path, columns: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=r"features\.pkl: train"):
        _read(tmp_path, {"train": _part(**columns)})


@given(st.integers(1, 8), st.integers(0, 5), st.integers(0, 5), st.booleans(), st.integers(0, 9))
@hypothesis_settings(max_examples=60, deadline=None)
def test_what_is_between_the_padding_is_what_is_read(
    steps: int, before: int, after: int, stated: bool, seed: int
) -> None:
    inside = np.random.default_rng(seed).uniform(1, 2, (steps, 3)).astype(np.float32)
    inside[1:-1:2] = 0  # steps without a face are no padding
    padded = np.pad(inside, ((before, after), (0, 0)))
    one_sided = not before or not after
    found, mended = _true_part(padded, steps if stated and one_sided else None)
    assert np.array_equal(found, inside)
    assert ("padded-left" in mended) == (before > 0 and not after)


@given(st.integers(-3, 12), st.integers(0, 6), st.booleans())
@hypothesis_settings(max_examples=60, deadline=None)
def test_any_stated_length_gives_finite_steps_or_none(length: int, steps: int, dirty: bool) -> None:
    x = np.ones((steps, 2), np.float32)
    if dirty and steps:
        x[0, 0] = -np.inf
    found, mended = _true_part(x, length)
    assert found is None or (0 < len(found) <= steps and np.isfinite(found).all())
    assert ("non-finite" in mended) == bool(dirty and steps)


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch executed",)


def test_a_file_that_asks_for_more_than_arrays_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"features\.pkl: asks to run (posix|nt)\.system"):
        _read(tmp_path, {"train": _part(annotations=Hostile())})
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("iemocap_label_4way.npz", "zip archive"),
        ("mosei_segment_times_train.pkl", "a dict of 16327 entries"),
        ("mosi_audio_train_python2.pickle", r"a tuple of 4 \(an array 62 x 63 x 73"),
        ("mustard_split_indices_python2.p", "a list of 5"),
    ],
)
def test_real_files_without_samples_say_what_they_hold(shared_data: Path, name: str, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        read(shared_data / "hostile" / name)


def test_a_real_file_of_averaged_labels_and_infinite_sound_is_read_with_its_oddities(
    shared_data: Path,
) -> None:
    dataset = read(shared_data / "hostile" / "mosei_neg_inf_audio_numpy2.pkl")
    assert len(dataset["all"]) == 264
    assert all(np.isfinite(s.audio).all() for s in dataset["all"])
    told = _told(dataset)
    assert "195 rows hold NaN or infinite values" in told
    assert "not the usual [-3, 3]" in told
