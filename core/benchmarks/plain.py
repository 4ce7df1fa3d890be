"""The same network trained the way it usually is, to measure against: nothing here is used elsewhere.

Rows in any order; text padded to 50 tokens and everything else to the longest of the set; LSTMs over packed
sequences; a text encoder that rests is asked again in every epoch; centres are means over the whole set after
every batch. The losses, the optimiser and the arithmetic are the trainer's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_padded_sequence

from core.data.batches import Batch, Sample, collate, feature_widths, tokenised
from core.data.sources import Part, load
from core.model.label_sources import GeneratedLabels
from core.model.network import Network, SequenceEncoder, load_tokenizer
from core.training.processes import Processes
from core.training.settings import Settings, fitted
from core.training.step import Trainer
from core.training.word_gradient import WordGradient
from core.types import HEADS

TOKENS = 50


class Padded:
    """A part as tensors, every row as long as the longest."""

    def __init__(self, samples: Sequence[Sample], tokenizer: Any) -> None:
        texts = [tokenised(sample, tokenizer, TOKENS) for sample in samples]
        whole = collate(texts, tokenizer, max_tokens=TOKENS)
        assert whole.text_ids is not None
        assert whole.text_mask is not None
        self.ids, self.mask = _widened(whole.text_ids, TOKENS), _widened(whole.text_mask, TOKENS)
        self.whole = whole

    def batch(self, rows: list[int]) -> Batch:
        """These rows, padded as the whole set is."""
        whole, chosen = self.whole, torch.tensor(rows)
        assert whole.audio_btd is not None
        assert whole.audio_length is not None
        assert whole.visual_btd is not None
        assert whole.visual_length is not None
        return Batch(
            index=chosen,
            present={m: there[chosen] for m, there in whole.present.items()},
            together=whole.together[chosen],
            labels={head: labels[chosen] for head, labels in whole.labels.items()},
            text_ids=self.ids[chosen],
            text_mask=self.mask[chosen],
            audio_btd=whole.audio_btd[chosen],
            audio_length=whole.audio_length[chosen],
            visual_btd=whole.visual_btd[chosen],
            visual_length=whole.visual_length[chosen],
        )


class PackedEncoder(SequenceEncoder):
    """Runs over true lengths by packing, as the field's code does."""

    def _states(self, lstm: torch.nn.LSTM, x_btd: Tensor, length: Tensor) -> Tensor:
        packed = pack_padded_sequence(x_btd, length.cpu(), batch_first=True, enforce_sorted=False)
        _, (last, _) = lstm(packed)
        return last[-1]


def _widened(x_bl: Tensor, width: int) -> Tensor:
    return torch.nn.functional.pad(x_bl, (0, width - x_bl.shape[1]))


class PlainTrainer(Trainer):
    """The trainer on padded batches, with centres made anew after every one of them."""

    def __init__(self, padded: Padded, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.padded = padded
        self.optimiser = torch.optim.AdamW(self._groups)  # torch's own choice of implementation
        self._words = WordGradient(None)
        if (words := self.network.word_embedding) is not None:
            words.sparse = False

    def _batch(self, rows: list[int]) -> Batch:
        return self.padded.batch(rows)

    def step(self, epoch: int, number: int, rows: list[int]) -> None:
        super().step(epoch, number, rows)
        if isinstance(self.labels, GeneratedLabels):
            self.labels.bank.add_up()


def train(settings: Settings, data: Path, epochs: int) -> list[dict[str, float]]:
    """Train for some epochs; of each its seconds and the validation figures, `mae` and `loss`."""
    trainer, valid = _built(settings, data)
    watched, told = Padded(valid, trainer.tokenizer), []
    for epoch in range(1, epochs + 1):
        started = perf_counter()
        for number, rows in enumerate(_batches(trainer, epoch)):
            trainer.step(epoch, number, rows)
        told.append({**_figures(trainer.network, watched), "seconds": perf_counter() - started})
    return told


def steps(settings: Settings, data: Path) -> Callable[[], int]:
    """What takes one step after another, of epoch 2, and gives the number of its samples."""
    trainer, _ = _built(settings, data)
    endless = (batch for epoch in itertools.count(1) for batch in enumerate(_batches(trainer, epoch)))

    def step() -> int:
        number, rows = next(endless)
        trainer.step(2, number, rows)
        return len(rows)

    return step


def _built(settings: Settings, data: Path) -> tuple[PlainTrainer, list[Sample]]:
    """A trainer on the training part, and the rows of the validation part."""
    found = load(settings.data, data)
    train, valid = (list(found.part(name).samples) for name in ("train", "valid"))
    settings = fitted(settings, feature_widths(train))
    torch.manual_seed(settings.training.seed)
    tokenizer, network = load_tokenizer(settings.network), Network(settings.network)
    for encoder in (network.audio_encoder, network.visual_encoder):
        encoder.__class__ = PackedEncoder  # the same weights
    part, processes = Part(train, [0] * len(train)), Processes(settings.training)
    padded, batches = Padded(train, tokenizer), -(-len(train) // settings.training.batch_size)
    return PlainTrainer(padded, settings, network, tokenizer, part, found.sources, batches, processes), valid


def _batches(trainer: PlainTrainer, epoch: int) -> Iterator[list[int]]:
    """Rows in any order."""
    size = trainer.settings.training.batch_size
    order = np.random.default_rng(epoch).permutation(len(trainer.samples)).tolist()
    for first in range(0, len(order), size):
        yield order[first : first + size]


@torch.inference_mode()
def _figures(network: Network, valid: Padded) -> dict[str, float]:
    """Mean absolute errors on the validation part, as the trainer tells them."""
    network.eval()
    rows = len(valid.ids)
    said = [network(valid.batch(list(range(i, min(i + 64, rows))))).estimates for i in range(0, rows, 64)]
    errors = []
    for head in HEADS:
        known = ~valid.whole.labels[head].isnan()
        if known.any():
            estimates = torch.cat([part[head] for part in said])
            errors.append(float((estimates - valid.whole.labels[head])[known].abs().mean()))
    return {"mae": errors[0], "loss": sum(errors)}
