"""Samples into batches: compact modalities, padding, hiding, buckets."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.data.batches import BucketSampler, Sample, collate, feature_widths, has, length_key, tokenised
from core.types import HEADS


class Letters:
    """A tokenizer: [1, letters, 2], cut like the real ones."""

    pad_token_id = 9

    def __call__(self, text: Any, **options: Any) -> dict[str, list[int]]:
        assert options["truncation"]
        letters = [100 + ord(letter) for letter in text]
        return {"input_ids": [1, *letters[: options["max_length"] - 2], 2]}


def _sample(name: str, **values: Any) -> Sample:
    return Sample(name, "g", **values)


def _batch(samples: list[Sample], tokenizer: Letters | None = None, **options: Any) -> Any:
    """A batch whose tensors are known to be there."""
    return collate(samples, tokenizer, **options)


def test_a_modality_holds_only_the_rows_that_have_it() -> None:
    samples = [
        _sample("a", text="hi", audio=np.ones((3, 2))),
        _sample("b", visual=np.ones((1, 4)), labels={"visual": 1.5}),
        _sample("c", text="hello", audio=np.full((5, 2), 2.0), labels={"multimodal": -1.0, "text": np.nan}),
    ]
    batch = _batch(samples, Letters(), index=[7, 5, 3])
    assert len(batch) == 3
    assert batch.index.tolist() == [7, 5, 3]
    assert {m: p.tolist() for m, p in batch.present.items()} == {
        "text": [True, False, True],
        "audio": [True, False, True],
        "visual": [False, True, False],
    }
    assert batch.text_ids.tolist()[0][:5] == [1, 204, 205, 2, 9]
    assert batch.text_mask.sum(1).tolist() == [4, 7]
    assert batch.audio_btd.shape == (2, 5, 2)
    assert batch.audio_length.tolist() == [3, 5]
    assert (batch.audio_btd[0, 3:] == 0).all()
    assert batch.visual_btd.shape == (1, 1, 4)
    known = {h: torch.where(batch.labels[h].isnan(), 99, batch.labels[h]).tolist() for h in HEADS}
    assert known == {
        "multimodal": [99, 99, -1],
        "text": [99, 99, 99],
        "audio": [99, 99, 99],
        "visual": [99, 1.5, 99],
    }


@pytest.mark.parametrize("empty", [None, "", "  "])
def test_empty_text_is_missing(empty: str | None) -> None:
    assert not has(_sample("a", text=empty), "text")


def test_a_sequence_of_length_zero_is_missing() -> None:
    batch = _batch([_sample("a", audio=np.zeros((0, 3)))])
    assert not batch.present["audio"].any()
    assert batch.audio_btd is None


def test_vectors_are_averaged_over_time() -> None:
    batch = _batch(
        [_sample("a", text=np.array([[1.0, 2.0], [3.0, 4.0]])), _sample("b", text=np.array([5.0, 6.0]))], None
    )
    assert batch.text_vectors.tolist() == [[2, 3], [5, 6]]
    assert batch.text_ids is None


def test_token_ids_stand_beside_words_and_are_cut_alike() -> None:
    batch = _batch([_sample("a", text="abcdef"), _sample("b", text=np.arange(20))], Letters(), max_tokens=5)
    assert batch.text_ids.shape == (2, 5)
    assert batch.text_ids[1].tolist() == [0, 1, 2, 3, 4]


def test_words_without_a_tokenizer_and_mixed_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="need a tokenizer"):
        _batch([_sample("a", text="words")])
    with pytest.raises(ValueError, match="mixes"):
        _batch([_sample("a", text=np.arange(3)), _sample("b", text=np.ones(3))])


def test_tokenising_ahead_gives_the_same_batch() -> None:
    sample = _sample("a", text="some words")
    ahead = tokenised(sample, Letters(), 6)
    assert torch.equal(
        _batch([sample], Letters(), max_tokens=6).text_ids,
        _batch([ahead], Letters(), max_tokens=6).text_ids,
    )
    assert tokenised(_sample("b"), Letters()).text is None


def test_hiding_a_modality_takes_its_rows_out() -> None:
    samples = [_sample(str(i), audio=np.full((i + 1, 1), float(i)), text="x") for i in range(3)] + [
        _sample("n", text="x")
    ]
    batch = _batch(samples, Letters())
    hidden = batch.without("audio", torch.tensor([True, False, False, True]))
    assert hidden.present["audio"].tolist() == [False, True, True, False]
    assert hidden.audio_length.tolist() == [2, 3]
    assert hidden.audio_btd[:, 0, 0].tolist() == [1, 2]
    assert torch.equal(hidden.text_ids, batch.text_ids)
    assert hidden.without("audio", torch.ones(4, dtype=torch.bool)).audio_btd is None
    assert batch.present["audio"].tolist() == [True, True, True, False]


def test_a_batch_moves_all_but_lengths_and_index() -> None:
    moved = _batch([_sample("a", audio=np.ones((2, 3)), labels={"audio": 1.0})]).to("meta")
    assert moved.audio_btd.device.type == moved.labels["audio"].device.type == "meta"
    assert moved.present["audio"].device.type == moved.together.device.type == "meta"
    assert moved.audio_length.device.type == moved.index.device.type == "cpu"


@given(st.integers(0, 300), st.integers(1, 40), st.integers(0, 1000), st.integers(1, 5))
@settings(max_examples=40, deadline=None)
def test_every_row_comes_once_an_epoch(rows: int, batch: int, seed: int, pool: int) -> None:
    sampler = BucketSampler([i % 13 for i in range(rows)], batch, seed, pool)
    batches = list(sampler.epoch(1))
    assert sorted(i for b in batches for i in b) == list(range(rows))
    assert len(batches) == len(sampler)
    assert all(len(b) <= batch for b in batches)


def test_an_epoch_can_be_repeated_and_the_next_differs() -> None:
    sampler = BucketSampler(list(range(100)), 8, seed=3)
    assert list(sampler.epoch(2)) == list(BucketSampler(list(range(100)), 8, seed=3).epoch(2))
    assert list(sampler.epoch(2)) != list(sampler.epoch(3))


def test_buckets_spare_most_of_the_padding() -> None:
    lengths = np.random.default_rng(0).integers(1, 200, 2000).tolist()

    def padding(batches: list[list[int]]) -> int:
        return sum(max(lengths[i] for i in b) * len(b) - sum(lengths[i] for i in b) for b in batches)

    bucketed = list(BucketSampler(lengths, 16, seed=0).epoch(1))
    assert padding(bucketed) < 0.15 * padding(list(BucketSampler([0] * 2000, 16, seed=0).epoch(1)))


def test_the_cost_of_a_sample_starts_with_its_text() -> None:
    sample = _sample("a", text="abc", audio=np.ones((7, 2)))
    assert length_key(sample) == (3, 7, 0)


def test_feature_widths_are_those_of_the_first_sample_that_has_them() -> None:
    samples = [
        _sample("a", text="words"),
        _sample("b", audio=np.ones((0, 3))),
        _sample("c", audio=np.ones((2, 4))),
    ]
    assert feature_widths(samples) == {"audio": 4}
    assert feature_widths([_sample("d", text=np.ones(7))]) == {"text": 7}
    assert feature_widths([_sample("e", text=np.arange(7))]) == {}
