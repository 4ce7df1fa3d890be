"""Generated unimodal labels, against the formula written again here in float64 and over all rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.model.label_generation import UnimodalLabels
from core.types import HEADS, MODALITIES

WIDTHS = {"multimodal": 4, "text": 3, "audio": 2, "visual": 5}


@dataclass
class Naive:
    """Steps 1 to 3 row by row in NumPy, with every centre from a pass over all rows."""

    y_m: np.ndarray
    limit: float
    zero_is_positive: bool = False
    labels: dict[str, np.ndarray] = field(init=False)
    h: dict[str, np.ndarray] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = {head: self.y_m.copy() for head in HEADS}
        self.h = {head: np.zeros((len(self.y_m), WIDTHS[head])) for head in HEADS}
        self.centres = {head: self.centre(head) for head in HEADS}

    def centre(self, head: str) -> tuple[np.ndarray, np.ndarray]:
        y = self.labels[head]
        positive = y >= 0 if self.zero_is_positive else y > 0
        members = self.h[head][positive], self.h[head][y < 0]
        return tuple(m.mean(axis=0) if len(m) else np.full(WIDTHS[head], np.nan) for m in members)

    def delta(self, head: str, h: np.ndarray) -> float:
        to_positive, to_negative = (np.sqrt(((h - c) ** 2).sum()) for c in self.centres[head])
        return (to_negative - to_positive) / (to_positive + 1e-8)

    def update(self, epoch: int, index: np.ndarray, h: dict[str, np.ndarray]) -> None:
        for b, i in enumerate(index):
            for s in MODALITIES if epoch > 1 else ():
                d_s, d_m = self.delta(s, h[s][b]), self.delta("multimodal", h["multimodal"][b])
                y_m = self.y_m[i]
                fresh = 0.5 * d_s / (d_m + 1e-8) * y_m + 0.5 * (y_m + d_s - d_m)
                if np.isnan(fresh):
                    continue
                fresh = min(max(fresh, -self.limit), self.limit)
                self.labels[s][i] = (epoch - 1) / (epoch + 1) * self.labels[s][i] + 2 / (epoch + 1) * fresh
        for head in HEADS:
            self.h[head][index] = h[head]
        self.centres = {head: self.centre(head) for head in HEADS}


def _batch(random: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    return {head: random.normal(1, 1, (rows, width)) for head, width in WIDTHS.items()}


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {head: torch.from_numpy(x) for head, x in arrays.items()}


def _epochs(random: np.random.Generator, rows: int, batch: int, epochs: int) -> list[tuple[int, np.ndarray]]:
    return [
        (epoch, order[start : start + batch])
        for epoch in range(1, epochs + 1)
        for order in [random.permutation(rows)]
        for start in range(0, rows, batch)
    ]


@given(st.integers(0, 2**31 - 1), st.sampled_from([1.0, 3.0]), st.booleans())
@settings(max_examples=20, deadline=None)
def test_labels_and_centres_are_those_of_the_formula(seed: int, limit: float, zero_is_positive: bool) -> None:
    random = np.random.default_rng(seed)
    y = random.integers(-3, 4, 23) * limit / 3
    y[:2] = limit, -limit  # both classes have members
    ours = UnimodalLabels(torch.from_numpy(y), WIDTHS, limit, zero_is_positive)
    naive = Naive(y, limit, zero_is_positive)
    for epoch, index in _epochs(random, len(y), 6, 4):
        h = _batch(random, len(index))
        ours.update(epoch, torch.from_numpy(index), _tensors(h))
        naive.update(epoch, index, h)
        for head in HEADS:
            assert np.allclose(ours.labels[head], naive.labels[head], rtol=1e-7, atol=1e-9)
            for a, b in zip(ours.centres[head], naive.centres[head], strict=True):
                assert np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)


def test_the_first_epoch_moves_no_label_and_weighs_nothing() -> None:
    y = torch.tensor([2.0, -1.0, 0.0, 3.0])
    labels = UnimodalLabels(y, WIDTHS, 3)
    labels.update(1, torch.arange(4), _tensors(_batch(np.random.default_rng(0), 4)))
    for modality in MODALITIES:
        assert torch.equal(labels.labels[modality], y)
        assert (labels.weights(modality, torch.arange(4)) == 0).all()
    assert (labels.weights("multimodal", torch.tensor([1, 3])) == 1).all()


def test_the_second_epoch_keeps_a_third_and_weighs_by_the_difference() -> None:
    y = torch.tensor([2.0, -1.0])
    labels = UnimodalLabels(y, dict.fromkeys(HEADS, 1), 3)
    ends = {head: torch.tensor([[1.0], [0.0]]) for head in HEADS}
    labels.update(1, torch.arange(2), ends)
    # The text looks like the negative centre (delta -1), the fusion lies two thirds towards the positive (1).
    h = {head: torch.full((1, 1), 2 / 3) for head in HEADS} | {"text": torch.zeros(1, 1)}
    labels.update(2, torch.tensor([0]), h)
    fresh = 0.5 * -1 / 1 * 2 + 0.5 * (2 - 1 - 1)
    expected = 1 / 3 * 2 + 2 / 3 * fresh
    assert labels.labels["text"][0].item() == pytest.approx(expected, abs=1e-5)
    assert labels.labels["audio"][0].item() == pytest.approx(2.0, abs=1e-5)
    assert labels.labels["text"][1] == -1
    weight = labels.weights("text", torch.tensor([0])).item()
    assert weight == pytest.approx(np.tanh(abs(expected - 2)), abs=1e-5)


def test_rows_not_seen_yet_count_as_zeros() -> None:
    labels = UnimodalLabels(torch.tensor([1.0, 1.0, -1.0]), WIDTHS, 3)
    labels.update(1, torch.tensor([0]), {head: torch.ones(1, width) for head, width in WIDTHS.items()})
    positive, negative = labels.centres["text"]
    assert torch.equal(positive, torch.full((3,), 0.5))
    assert torch.equal(negative, torch.zeros(3))


def test_a_class_without_members_leaves_labels_as_they_are_and_says_so() -> None:
    random = np.random.default_rng(1)
    y = torch.tensor([1.0, 2.0, 0.0])
    labels = UnimodalLabels(y, WIDTHS, 3)
    for epoch in (1, 2, 3):
        labels.update(epoch, torch.arange(3), _tensors(_batch(random, 3)))
    for modality in MODALITIES:
        assert torch.equal(labels.labels[modality], y)
        assert labels.diagnostics()[modality]["skipped"] == 6


def test_a_class_that_loses_its_last_member_has_no_centre_and_later_labels_stay() -> None:
    labels = UnimodalLabels(torch.tensor([1.0, -1.0]), dict.fromkeys(HEADS, 1), 3)
    labels.update(1, torch.arange(2), {head: torch.tensor([[0.3], [0.1]]) for head in HEADS})
    # The negative row looks more positive to each modality than to the fusion: its labels cross zero.
    h = {head: torch.tensor([[0.299]]) for head in HEADS} | {"multimodal": torch.tensor([[0.26]])}
    labels.update(2, torch.tensor([1]), h)
    before = {m: labels.labels[m].clone() for m in MODALITIES}
    assert (before["text"] > 0).all()
    assert labels.centres["text"][1].isnan().all()
    labels.update(2, torch.tensor([0]), {head: torch.tensor([[0.2]]) for head in HEADS})
    assert all(torch.equal(labels.labels[m], before[m]) for m in MODALITIES)


def test_rows_without_a_label_stay_out() -> None:
    random = np.random.default_rng(3)
    y = torch.tensor([1.0, float("nan"), -2.0, 0.5])
    with_gap, without = UnimodalLabels(y, WIDTHS, 3), UnimodalLabels(y[[0, 2, 3]], WIDTHS, 3)
    for epoch in (1, 2, 3):
        h = _batch(random, 4)
        with_gap.update(epoch, torch.arange(4), _tensors(h))
        without.update(epoch, torch.arange(3), _tensors({k: v[[0, 2, 3]] for k, v in h.items()}))
    for head in HEADS:
        assert torch.allclose(with_gap.labels[head][[0, 2, 3]], without.labels[head])
        assert with_gap.labels[head][1].isnan()
        assert with_gap.weights(head, torch.tensor([1])) == 0


def test_rows_without_a_modality_keep_its_label_and_stay_out_of_its_centres() -> None:
    random = np.random.default_rng(4)
    y = torch.tensor([1.0, -1.0, 2.0, -2.0])
    has_audio = torch.tensor([True, True, False, True])
    stated = UnimodalLabels(y, WIDTHS, 3, present={"audio": has_audio})
    per_batch = UnimodalLabels(y, WIDTHS, 3)
    for epoch in (1, 2):
        h = _tensors(_batch(random, 4))
        stated.update(epoch, torch.arange(4), h)
        per_batch.update(epoch, torch.arange(4), h, present={"audio": has_audio})
    for labels in (stated, per_batch):
        assert labels.labels["audio"][2] == 2
        assert labels.labels["text"][2] != 2
    assert torch.equal(stated.centres["audio"][0], stated.representations["audio"][0])
    assert torch.equal(per_batch.centres["audio"][0], per_batch.representations["audio"][0] / 2)


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_a_row_named_twice_counts_once_by_its_last_place(seed: int) -> None:
    random = np.random.default_rng(seed)
    y = torch.from_numpy(random.choice([-1.0, 1.0], 8))
    twice, once = UnimodalLabels(y, WIDTHS, 3), UnimodalLabels(y, WIDTHS, 3)
    for epoch in (1, 2):
        index = random.integers(0, 8, 12)
        h = _batch(random, 12)
        last = {int(row): place for place, row in enumerate(index)}
        places = list(last.values())
        twice.update(epoch, torch.from_numpy(index), _tensors(h))
        once.update(epoch, torch.from_numpy(index[places]), _tensors({k: v[places] for k, v in h.items()}))
    for head in HEADS:
        assert torch.allclose(twice.labels[head], once.labels[head])
        for a, b in zip(twice.centres[head], once.centres[head], strict=True):
            assert torch.allclose(a, b, equal_nan=True)


def test_labels_stay_within_the_limit() -> None:
    random = np.random.default_rng(5)
    labels = UnimodalLabels(torch.from_numpy(random.uniform(-1, 1, 40)), WIDTHS, 1.0)
    for epoch, index in _epochs(random, 40, 8, 5):
        labels.update(epoch, torch.from_numpy(index), _tensors(_batch(random, len(index))))
    for modality in MODALITIES:
        assert labels.labels[modality].abs().max() <= 1


def test_a_representation_that_is_not_finite_is_left_out() -> None:
    random = np.random.default_rng(6)
    labels = UnimodalLabels(torch.tensor([1.0, -1.0]), WIDTHS, 3)
    h = _tensors(_batch(random, 2))
    h["text"][0] = float("nan")
    labels.update(1, torch.arange(2), h)
    assert all(c.isfinite().all() for centres in labels.centres.values() for c in centres)


def test_the_scaled_distance_is_the_square_over_the_root_of_the_width() -> None:
    y = torch.tensor([1.0, -1.0])
    labels = UnimodalLabels(y, dict.fromkeys(HEADS, 4), 3, distance="scaled")
    labels.update(1, torch.arange(2), {head: torch.tensor([[1.0] * 4, [0.0] * 4]) for head in HEADS})
    delta = labels._delta("text", torch.full((1, 4), 0.75))
    to_positive, to_negative = 4 * 0.25**2 / 2, 4 * 0.75**2 / 2
    assert delta.item() == pytest.approx((to_negative - to_positive) / to_positive)


def test_a_restored_state_goes_on_with_the_very_same_numbers() -> None:
    random = np.random.default_rng(7)
    y = torch.from_numpy(random.choice([-1.0, 0.0, 1.0], 20)).float()
    steps = [(e, torch.from_numpy(i), _tensors(_batch(random, len(i)))) for e, i in _epochs(random, 20, 6, 4)]
    whole, resumed = UnimodalLabels(y, WIDTHS, 3), UnimodalLabels(y, WIDTHS, 3)
    for step in steps[:9]:
        whole.update(*step)
    resumed.load_state_dict(whole.state_dict())
    for step in steps[9:]:
        whole.update(*step)
        resumed.update(*step)
    for head in HEADS:
        assert torch.equal(whole.labels[head], resumed.labels[head])
        assert all(map(torch.equal, whole.centres[head], resumed.centres[head]))


def test_a_state_does_not_change_after_it_was_taken() -> None:
    labels = UnimodalLabels(torch.tensor([1.0, -1.0]), WIDTHS, 3)
    state = labels.state_dict()
    labels.update(1, torch.arange(2), {head: torch.ones(2, width) for head, width in WIDTHS.items()})
    assert (state["representations"]["text"] == 0).all()


def test_a_state_of_another_training_set_is_refused() -> None:
    state = UnimodalLabels(torch.zeros(3), WIDTHS, 3).state_dict()
    with pytest.raises(ValueError, match="labels of multimodal"):
        UnimodalLabels(torch.zeros(4), WIDTHS, 3).load_state_dict(state)


@pytest.mark.parametrize(
    ("epoch", "row", "error"), [(0, 0, ValueError), (1, 3, IndexError), (1, -1, IndexError)]
)
def test_epochs_below_one_and_rows_that_do_not_exist_are_refused(
    epoch: int, row: int, error: type[Exception]
) -> None:
    labels = UnimodalLabels(torch.zeros(3), WIDTHS, 3)
    with pytest.raises(error):
        labels.update(epoch, torch.tensor([row]), {h: torch.zeros(1, w) for h, w in WIDTHS.items()})


def test_whole_number_labels_become_floats() -> None:
    assert UnimodalLabels(torch.tensor([1, -1]), WIDTHS, 3).labels["text"].dtype == torch.float32


def test_a_modality_that_no_row_has_is_left_out_of_the_diagnostics() -> None:
    present = {m: torch.full((3,), m != "audio") for m in MODALITIES}
    labels = UnimodalLabels(torch.tensor([1.0, -1.0, 0.5]), WIDTHS, 3.0, present=present)
    assert set(labels.diagnostics()) == {"text", "visual"}
