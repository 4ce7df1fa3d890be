"""Gathering the gradient of words only where it is not zero changes nothing about it."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from core.training.word_gradient import WordGradient

BATCHES = (torch.tensor([[1, 2, 2], [5, 0, 0]]), torch.tensor([[2, 7, 0]]), torch.tensor([[1, 1, 1]]))


def table() -> nn.Embedding:
    torch.manual_seed(0)
    return nn.Embedding(9, 4, padding_idx=0)


def backward(embedding: nn.Embedding, ids: torch.Tensor) -> None:
    embedding(ids).sin().sum().backward()


def test_the_sum_over_batches_is_the_dense_gradient() -> None:
    dense, sparse = table(), table()
    words = WordGradient(sparse)
    for ids in BATCHES:
        backward(dense, ids)
        backward(sparse, ids)
        words.collect()
    words.hand_over()
    torch.testing.assert_close(sparse.weight.grad, dense.weight.grad)


def test_after_the_weights_have_moved_nothing_is_left() -> None:
    embedding = table()
    words = WordGradient(embedding)
    backward(embedding, BATCHES[0])
    words.collect()
    words.hand_over()
    words.forget()
    assert embedding.weight.grad is None
    assert words.held() == []
    words.hand_over()
    assert embedding.weight.grad is None


def test_what_a_checkpoint_held_goes_on_to_the_same_bits() -> None:
    straight, resumed = table(), table()
    one, two = WordGradient(straight), WordGradient(resumed)
    for ids in BATCHES:
        backward(straight, ids)
        one.collect()
    resumed_first = WordGradient(other := table())
    for ids in BATCHES[:2]:
        backward(other, ids)
        resumed_first.collect()
    [(_, held)] = resumed_first.held()
    resumed.weight.grad = held.clone()
    two.collect()
    backward(resumed, BATCHES[2])
    two.collect()
    [(_, ours)], [(_, theirs)] = two.held(), one.held()
    assert torch.equal(ours, theirs)


@pytest.mark.parametrize("embedding", [None, table().requires_grad_(False)])
def test_words_that_do_not_learn_are_left_alone(embedding: nn.Embedding | None) -> None:
    words = WordGradient(embedding)
    words.collect()
    words.hand_over()
    words.forget()
    assert words.held() == []
    assert embedding is None or not embedding.sparse
