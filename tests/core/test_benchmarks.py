"""What is measured against: the usual way really pads, asks and averages as it says, and learns the same."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import torch

from core.benchmarks import BENCHMARKS, mosi_like, plain
from core.data.batches import collate
from core.data.mmsa_pickle import read
from core.data.sources import Part, load
from core.model.label_generation import UnimodalLabels
from core.model.network import Network, load_tokenizer
from core.training.processes import Processes
from core.training.settings import DataSettings, Settings
from core.training.settings import load as load_settings


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return mosi_like.write(tmp_path / "d.pkl", 40, 12, aligned=False)


def _settings(tiny_text_encoder: Path) -> Settings:
    name = f"network.text_encoder={tiny_text_encoder}"
    return load_settings("mosi", [name, "training.device=cpu", "network.text_freeze=all"])


def test_made_up_data_has_the_shapes_of_the_field_and_says_its_true_lengths(data: Path) -> None:
    found = read(data, "words")
    assert [len(found[name]) for name in ("train", "valid", "test")] == [40, 12, 32]
    lengths = [len(sample.audio) for sample in found["train"]]
    assert min(lengths) < 60 < max(lengths) <= mosi_like.AUDIO_STEPS
    assert {sample.audio.shape[1] for sample in found["train"]} == {mosi_like.AUDIO_WIDTH}
    assert {sample.visual.shape[1] for sample in found["train"]} == {mosi_like.VISUAL_WIDTH}


def test_the_usual_way_pads_to_the_set_and_judges_what_the_trainers_way_judges(
    data: Path, tiny_text_encoder: Path
) -> None:
    settings = _settings(tiny_text_encoder)
    samples = list(load(DataSettings(), data).part("train").samples)
    tokenizer = load_tokenizer(settings.network)
    padded = plain.Padded(samples, tokenizer)
    few, other = padded.batch([3, 1]), padded.batch([0])
    assert few.text_ids is not None
    assert few.text_ids.shape == (2, plain.TOKENS)
    assert few.audio_btd is not None
    assert other.audio_btd is not None
    assert few.audio_btd.shape[1] == other.audio_btd.shape[1] == max(len(s.audio) for s in samples)
    network = settings.network.model_copy(update={"audio_input_width": 5, "visual_input_width": 20})
    torch.manual_seed(0)
    judge = Network(network).eval()
    with torch.inference_mode():
        ours = judge(collate([samples[3], samples[1]], tokenizer)).estimates["multimodal"]
        judge.audio_encoder.__class__ = judge.visual_encoder.__class__ = plain.PackedEncoder
        usual = judge(few).estimates["multimodal"]
    torch.testing.assert_close(usual, ours, rtol=1e-4, atol=1e-4)


def test_the_usual_way_learns_and_tells_every_epoch(data: Path, tiny_text_encoder: Path) -> None:
    told = plain.train(_settings(tiny_text_encoder), data, 2)
    assert len(told) == 2
    assert all(epoch["seconds"] > 0 and 0 < epoch["mae"] < 4 for epoch in told)


def test_sums_made_anew_are_the_sums_that_were_kept() -> None:
    torch.manual_seed(0)
    made = UnimodalLabels(torch.randn(30), dict.fromkeys(("multimodal", "text", "audio", "visual"), 4), 3.0)
    for epoch in (1, 2):
        made.update(epoch, torch.arange(20), {h: torch.randn(20, 4) for h in made.labels})
    kept = {head: sums.clone() for head, sums in made.sums.items()}
    made.add_up()
    for head, sums in made.sums.items():
        torch.testing.assert_close(sums, kept[head])


def test_every_measurement_names_a_function_that_is_there() -> None:
    for module, function in BENCHMARKS.values():
        assert callable(getattr(importlib.import_module(module), function))


def test_the_trainer_of_the_usual_way_makes_its_centres_anew(data: Path, tiny_text_encoder: Path) -> None:
    settings = _settings(tiny_text_encoder)
    found = load(DataSettings(), data)
    samples = list(found.part("train").samples)
    widths = {"audio_input_width": 5, "visual_input_width": 20}
    settings = settings.model_copy(update={"network": settings.network.model_copy(update=widths)})
    tokenizer = load_tokenizer(settings.network)
    trainer = plain.PlainTrainer(
        plain.Padded(samples, tokenizer), settings, Network(settings.network), tokenizer,
        Part(samples, [0] * len(samples)), found.sources, 3, Processes(settings.training),
    )  # fmt: skip
    bank = trainer.labels.bank
    bank.sums["text"] += 1e6  # an error that running sums would carry on
    trainer.step(1, 0, list(range(16)))
    assert bank.sums["text"].abs().max() < 1e4
