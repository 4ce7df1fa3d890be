"""Every source of unimodal labels keeps one contract; each does what its name says."""

from __future__ import annotations

import io
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from core.data.batches import Batch, Sample, collate
from core.model.adversary import Adversary, reverse_gradient
from core.model.label_sources import LABEL_SOURCES, GivenLabels, label_source
from core.model.label_teacher import Teacher
from core.model.network import Network
from core.training.settings import LabelSettings, NetworkSettings, Settings
from core.types import HEADS, MODALITIES

NETWORK = NetworkSettings(
    text_encoder="", text_vector_width=6, text_width=5, audio_input_width=4, visual_input_width=3
)
KINDS = tuple(LABEL_SOURCES)
EVERY = pytest.mark.parametrize("kind", KINDS)


def _samples(rows: int = 12) -> list[Sample]:
    """The first half is whole; then rows lack their voice, their multimodal label, or every label."""
    random = np.random.default_rng(0)
    made = []
    for i in range(rows):
        labels = {"multimodal": float(random.uniform(-3, 3)), "text": 1.5}
        if i % 4 == 2 and i >= rows // 2:
            labels = {"text": -2.0}
        if i % 4 == 3 and i >= rows // 2:
            labels = {}
        made.append(
            Sample(
                id=str(i),
                group=str(i),
                text=random.normal(size=6).astype(np.float32),
                audio=None if i == 5 else random.normal(size=(3, 4)).astype(np.float32),
                visual=random.normal(size=(2, 3)).astype(np.float32),
                labels=labels,
            )
        )
    return made


def _settings(kind: str, **labels: Any) -> Settings:
    return Settings(network=NETWORK, labels=LabelSettings(kind=kind, **labels))


def _source(kind: str, samples: list[Sample], **labels: Any) -> GivenLabels:
    torch.manual_seed(0)
    return label_source(_settings(kind, **labels), Network(NETWORK).eval(), samples)


def _batch(samples: list[Sample], rows: list[int] | None = None) -> Batch:
    rows = list(range(len(samples))) if rows is None else rows
    return collate([samples[row] for row in rows], None, rows)


def _see(source: GivenLabels, batch: Batch, *epochs: int) -> None:
    """As the trainer does: forward, the source's loss backward, update."""
    for epoch in epochs:
        output = source.network(batch)
        loss = source.loss(output)
        if loss is not None:
            loss.backward()
        source.update(epoch, batch, output)


def _moved(network: Network) -> None:
    """Weights as if something had been learned."""
    random = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter += 0.3 * torch.randn(parameter.shape, generator=random)


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_equal(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(_equal, one, other))
    if isinstance(one, Tensor):
        return torch.allclose(one, other, rtol=0, atol=0, equal_nan=True)
    return one == other


@EVERY
def test_labels_and_weights_are_one_a_row_and_head(kind: str) -> None:
    samples = _samples()
    source = _source(kind, samples)
    _see(source, _batch(samples), 1, 2)
    labels, weights = source.targets(_batch(samples, [3, 0, 7, 11]))
    assert all(labels[head].shape == weights[head].shape == (4,) for head in HEADS)
    assert all((weights[head] >= 0).all() and weights[head].isfinite().all() for head in HEADS)


@EVERY
def test_the_order_of_a_batch_is_nothing_to_a_source(kind: str) -> None:
    samples, order = _samples(), [5, 2, 11, 0, 8, 7, 1, 3, 10, 4, 9, 6]
    straight, turned = _source(kind, samples), _source(kind, samples)
    _see(straight, _batch(samples), 1, 2, 3)
    _see(turned, _batch(samples, order), 1, 2, 3)
    for one, other in zip(straight.targets(_batch(samples)), turned.targets(_batch(samples)), strict=True):
        for head in HEADS:
            torch.testing.assert_close(one[head], other[head], equal_nan=True, rtol=1e-4, atol=1e-4)


@EVERY
def test_a_restored_source_goes_on_with_the_very_same_numbers(kind: str) -> None:
    samples = _samples()
    whole = _source(kind, samples)
    _see(whole, _batch(samples), 1)
    _moved(whole.network)
    _see(whole, _batch(samples), 1, 2)
    kept = io.BytesIO()
    torch.save(whole.state_dict(), kept)
    kept.seek(0)
    resumed = _source(kind, samples)
    resumed.network.load_state_dict(whole.network.state_dict())
    resumed.load_state_dict(torch.load(kept, weights_only=True))
    for source in (whole, resumed):
        source.network.zero_grad()
        _see(source, _batch(samples, [1, 6, 7, 10]), 2, 3)
    assert _equal(whole.state_dict(), resumed.state_dict())
    assert whole.diagnostics() == resumed.diagnostics()


@pytest.mark.parametrize("kind", ["generated", "teacher", "adversarial"])
def test_a_state_does_not_change_after_it_was_taken(kind: str) -> None:
    samples = _samples()
    source = _source(kind, samples)
    _see(source, _batch(samples), 1)
    state = source.state_dict()
    before = io.BytesIO()
    torch.save(state, before)
    _moved(source.network)
    _see(source, _batch(samples), 2)
    before.seek(0)
    assert _equal(state, torch.load(before, weights_only=True))


@pytest.mark.parametrize("kind", ["generated", "human", "teacher", "adversarial"])
def test_a_row_without_a_multimodal_label_keeps_the_label_of_its_words(kind: str) -> None:
    samples = _samples()
    source = _source(kind, samples)
    _see(source, _batch(samples), 1, 2)
    labels, weights = source.targets(_batch(samples, [6, 10]))
    assert labels["text"].tolist() == [-2.0, -2.0]
    assert weights["text"].tolist() == [1.0, 1.0]
    assert labels["multimodal"].isnan().all()


@EVERY
def test_a_row_without_any_label_gets_none(kind: str) -> None:
    samples = _samples()
    source = _source(kind, samples)
    _see(source, _batch(samples), 1, 2)
    labels, _ = source.targets(_batch(samples, [11]))
    assert all(labels[head].isnan().all() for head in HEADS)


def test_without_unimodal_labels_only_the_fusion_is_told() -> None:
    labels, _ = _source("none", _samples()).targets(_batch(_samples(), [0, 1]))
    assert labels["multimodal"].isfinite().all()
    assert all(labels[m].isnan().all() for m in MODALITIES)


def test_a_teacher_tells_every_modality_the_given_label_first_and_moves_half_way_to_its_own_word() -> None:
    samples = _samples()
    source = _source("teacher", samples)
    batch = _batch(samples, [0, 5])
    _see(source, batch, 1)
    y = batch.labels["multimodal"]
    assert all(torch.equal(source.targets(batch)[0][m], y) for m in MODALITIES)
    _see(source, batch, 2)
    said = source.teacher.estimates(batch)
    labels, weights = source.targets(batch)
    torch.testing.assert_close(labels["text"], y / 3 + 2 / 3 * (y + said["text"]) / 2)
    assert labels["audio"][1] == y[1]  # it has no voice: nothing is said of it
    assert (weights["text"] == 1).all()


def test_a_teacher_follows_slowly_and_never_learns_itself() -> None:
    network = Network(NETWORK)
    teacher = Teacher(network, torch.zeros(2), 3.0, decay=0.99)
    teacher.steps = 10_000
    before = teacher.network.text_linear.weight.clone()
    _moved(network)
    teacher.follow(network)
    torch.testing.assert_close(
        teacher.network.text_linear.weight, 0.99 * before + 0.01 * network.text_linear.weight
    )
    assert not any(p.requires_grad for p in teacher.network.parameters())
    with pytest.raises(ValueError, match="another training set"):
        Teacher(network, torch.zeros(3), 3.0, 0.99).load_state_dict(teacher.state_dict())


def test_the_reversed_gradient_is_the_negative_one() -> None:
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(y, x)
    y.square().sum().backward()
    assert torch.equal(x.grad, torch.tensor([-1.0, -2.0]))


def test_a_discriminator_learns_to_tell_what_can_be_told_and_reaches_only_rows_that_are_there() -> None:
    torch.manual_seed(0)
    adversary = Adversary({"text": 4, "audio": 3, "visual": 5}, weight=1.0, seed=0)
    hidden = {m: 3.0 * i + torch.rand(20, w) for i, (m, w) in enumerate({"text": 4, "audio": 3}.items())}
    hidden = {m: x.requires_grad_() for m, x in (hidden | {"visual": torch.full((20, 5), math.nan)}).items()}
    present = {m: torch.arange(20) < (0 if m == "visual" else 15) for m in MODALITIES}
    losses = []
    for _ in range(200):
        loss = adversary.loss(hidden, present)
        loss.backward()
        adversary.learn(1)
        losses.append(loss.item())
    assert losses[-1] < 0.2 < losses[0]
    assert adversary.diagnostics()["audio"]["told_apart"] > 0.8
    assert "visual" not in adversary.diagnostics()
    assert (hidden["text"].grad[15:] == 0).all()
    assert (hidden["text"].grad[:15] != 0).any()


def test_with_one_modality_there_is_nothing_to_tell_apart() -> None:
    samples = [replace(s, audio=None, visual=None) for s in _samples()]
    source = _source("adversarial", samples)
    assert source.loss(source.network(_batch(samples))) is None
    _see(source, _batch(samples), 1)
    assert source.diagnostics() == {}
