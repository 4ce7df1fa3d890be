"""The gradient of the word embeddings, gathered only where it is not zero.

A batch holds a few hundred of thirty thousand words. As a dense tensor the gradient would be filled with
zeros and added up whole, 46 MB for a small encoder, at every batch: a tenth of a step's time.
"""

from __future__ import annotations

import torch
from torch import nn


class WordGradient:
    """Adds up the gradients of the words that batches hold, until the weights move.

    Nothing to do without word embeddings that learn.
    """

    def __init__(self, embedding: nn.Embedding | None) -> None:
        self._weight: torch.Tensor | None = None
        self._empty = True
        if embedding is not None and embedding.weight.requires_grad:
            embedding.sparse = True
            self._weight, self._sum = embedding.weight, torch.zeros_like(embedding.weight)

    @torch.no_grad()
    def collect(self) -> None:
        """Take over the gradient that a batch, or a checkpoint, left with the weight."""
        if self._weight is None or (gradient := self._weight.grad) is None:
            return
        if gradient.is_sparse:
            self._sum.index_add_(0, gradient._indices()[0], gradient._values())
        else:
            self._sum.copy_(gradient)
        self._weight.grad, self._empty = None, False

    def hand_over(self) -> None:
        """Give the sum to the weight, for the optimiser."""
        if self._weight is not None and not self._empty:
            self._weight.grad = self._sum

    def held(self) -> list[tuple[torch.Tensor, torch.Tensor]]:
        """The weight and the sum, for a checkpoint; nothing where nothing was collected."""
        return [] if self._weight is None or self._empty else [(self._weight, self._sum)]

    def forget(self) -> None:
        """Begin anew, after the weights have moved."""
        if self._weight is not None and not self._empty:
            self._weight.grad = None
            self._sum.zero_()
            self._empty = True
