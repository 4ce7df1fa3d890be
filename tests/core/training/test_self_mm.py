"""The preset `mosi-self-mm` against the loop of Self-MM (arXiv 2102.04830), written down plainly once more.

Network, losses, labels and optimiser here are torch and nothing of ours; only the batches' rows and the
weights that it starts from are taken over. Dropout is 0, for no two programs draw the same masks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from core.data.batches import Sample
from core.data.sources import DataSet, Part
from core.training import loop
from core.training.settings import Settings, load, presets
from core.training.step import Trainer

EPOCHS, H = 5, 3.0
TOLERANCE = 1e-5
WIDTHS = {"M": 128, "T": 32, "A": 16, "V": 32}
OURS = {"M": "multimodal", "T": "text", "A": "audio", "V": "visual"}


class Head(nn.Module):
    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, width)
        self.last = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = torch.relu(self.first(x))
        return h, self.last(torch.relu(self.second(h))).squeeze(1)


class SelfMM(nn.Module):
    """Text vectors through a linear map in place of BERT."""

    def __init__(self) -> None:
        super().__init__()
        self.text = nn.Linear(6, 8)
        self.audio_lstm, self.audio = nn.LSTM(4, 16, batch_first=True), nn.Linear(16, 16)
        self.visual_lstm, self.visual = nn.LSTM(5, 32, batch_first=True), nn.Linear(32, 32)
        inputs = {"M": 8 + 16 + 32, "T": 8, "A": 16, "V": 32}
        self.heads = nn.ModuleDict({m: Head(inputs[m], WIDTHS[m]) for m in WIDTHS})

    def forward(self, rows: list[Sample]) -> dict[str, tuple[Tensor, Tensor]]:
        text = self.text(torch.stack([torch.from_numpy(s.text) for s in rows]))
        audio = self.audio(last_states(self.audio_lstm, [s.audio for s in rows]))
        visual = self.visual(last_states(self.visual_lstm, [s.visual for s in rows]))
        inputs = {"M": torch.cat([text, audio, visual], dim=1), "T": text, "A": audio, "V": visual}
        return {m: head(inputs[m]) for m, head in self.heads.items()}


def last_states(lstm: nn.LSTM, sequences: list[Any]) -> Tensor:
    return torch.cat([lstm(torch.from_numpy(x)[None])[1][0][0] for x in sequences])


class Bank:
    """Labels, features and centres of the training set, the centres computed over all of it each time."""

    def __init__(self, y: Tensor) -> None:
        self.labels = {m: y.clone() for m in WIDTHS}
        self.features = {m: torch.zeros(len(y), width) for m, width in WIDTHS.items()}
        self.centres: dict[str, tuple[Tensor, Tensor]] = {}

    def update(self, epoch: int, rows: list[int], found: dict[str, Tensor]) -> None:
        if epoch > 1:
            self.move(epoch, rows, found)
        for m in WIDTHS:
            self.features[m][rows] = found[m]
        for m in WIDTHS:
            y = self.labels[m]
            self.centres[m] = (self.features[m][y > 0].mean(dim=0), self.features[m][y < 0].mean(dim=0))

    def move(self, epoch: int, rows: list[int], found: dict[str, Tensor]) -> None:
        delta = {}
        for m, (positive, negative) in self.centres.items():
            d_p, d_n = (found[m] - positive).norm(dim=1), (found[m] - negative).norm(dim=1)
            delta[m] = (d_n - d_p) / (d_p + 1e-8)
        y_m = self.labels["M"][rows]
        for m in ("T", "A", "V"):
            ratio = delta[m] / (delta["M"] + 1e-8)
            new = (0.5 * ratio * y_m + 0.5 * (y_m + delta[m] - delta["M"])).clamp(-H, H)
            self.labels[m][rows] = (epoch - 1) / (epoch + 1) * self.labels[m][rows] + 2 / (epoch + 1) * new


def self_mm(model: SelfMM, samples: list[Sample], batches: dict[int, list[list[int]]]) -> Iterator[Any]:
    """Epoch after epoch, batch after batch: the loss of each. Afterwards the bank and the model."""
    y = torch.tensor([s.labels["multimodal"] for s in samples])
    bank = Bank(y)
    modules = [(model.audio_lstm, model.audio), (model.visual_lstm, model.visual), (model.heads,)]
    others = [[p for module in group for p in module.parameters()] for group in modules]
    optimiser = torch.optim.Adam(
        [{"params": [model.text.weight], "lr": 5e-5, "weight_decay": 1e-3},
         {"params": [model.text.bias], "lr": 5e-5, "weight_decay": 0.0}]
        + [{"params": group, "lr": rate, "weight_decay": 1e-3}
           for group, rate in zip(others, (5e-3, 5e-3, 1e-3), strict=True)]
    )  # fmt: skip
    for epoch, chosen in batches.items():
        left = 4
        for rows in chosen:
            if left == 4:
                optimiser.zero_grad()
            left -= 1
            found = model([samples[row] for row in rows])
            loss = torch.zeros(())
            for m, (_, estimate) in found.items():
                weight = 1.0 if m == "M" else torch.tanh((bank.labels[m][rows] - y[rows]).abs())
                loss = loss + (weight * (estimate - bank.labels[m][rows]).abs()).mean()
            loss.backward()
            bank.update(epoch, rows, {m: h.detach() for m, (h, _) in found.items()})
            if not left:
                optimiser.step()
                left = 4
            yield float(loss.detach())
    yield bank


def taken_over(model: SelfMM, weights: dict[str, Tensor]) -> None:
    """Start from the weights of the run."""
    names = {"text": "text_linear", "audio_lstm": "audio_encoder.lstm", "audio": "audio_encoder.linear",
             "visual_lstm": "visual_encoder.lstm", "visual": "visual_encoder.linear",
             **{f"heads.{m}": f"heads.{ours}" for m, ours in OURS.items()}}  # fmt: skip
    for name, own in names.items():
        prefix = f"{own}."
        part = {k.removeprefix(prefix): v for k, v in weights.items() if k.startswith(prefix)}
        model.get_submodule(name).load_state_dict(part)


@pytest.fixture
def recorded(
    small_data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Trainer, dict[str, Tensor], dict[int, list[list[int]]], list[float]]:
    """A run of the preset: its trainer, the weights it began with, the rows and the loss of each batch."""
    whole = [s for s in small_data.part("train").samples if s.text is not None and s.audio is not None]
    small_data.parts["train"] = Part(whole, [0] * len(whole))
    monkeypatch.setattr(loop, "load", lambda *_: small_data)
    seen: dict[str, Any] = {"batches": {}, "losses": []}
    step: Callable[..., None] = Trainer.step

    def record(trainer: Trainer, epoch: int, number: int, rows: list[int]) -> None:
        if not seen["losses"]:
            seen["weights"] = {k: v.clone() for k, v in trainer.network.state_dict().items()}
        before = trainer.tally.sums.get("loss", 0.0)
        step(trainer, epoch, number, rows)
        seen["trainer"] = trainer
        seen["batches"].setdefault(epoch, []).append(rows)
        seen["losses"].append(trainer.tally.sums["loss"] - before)

    monkeypatch.setattr(Trainer, "step", record)
    loop.train(preset(), tmp_path, tmp_path / "run")
    return seen["trainer"], seen["weights"], seen["batches"], seen["losses"]


def preset() -> Settings:
    return load(
        presets()["mosi-self-mm"],
        ["network.text_encoder=", "network.text_width=8", "training.batch_size=7", "training.device=cpu",
         "network.head_dropout={multimodal = 0, text = 0, audio = 0, visual = 0}",
         f"training.epochs={EPOCHS}"],
    )  # fmt: skip


def test_the_preset_takes_the_steps_of_the_public_loop(recorded: Any) -> None:
    trainer, weights, batches, losses = recorded
    assert list(batches) == list(range(1, EPOCHS + 1))
    assert len(batches[1]) % 4  # some batches are left over
    model = SelfMM()
    taken_over(model, weights)
    *theirs, bank = self_mm(model, list(trainer.samples), batches)

    np.testing.assert_allclose(losses, theirs, atol=TOLERANCE)
    ours = trainer.labels.bank
    for m, name in OURS.items():
        torch.testing.assert_close(ours.labels[name], bank.labels[m], atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(ours.representations[name], bank.features[m], atol=TOLERANCE, rtol=1e-4)
        for centre, other in zip(ours.centres[name], bank.centres[m], strict=True):
            torch.testing.assert_close(centre, other, atol=TOLERANCE, rtol=1e-4)
    assert (bank.labels["A"] - bank.labels["M"]).abs().max() > 0.05

    after = SelfMM()
    taken_over(after, trainer.network.state_dict())
    for mine, other in zip(after.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(mine, other, atol=TOLERANCE, rtol=1e-4)
