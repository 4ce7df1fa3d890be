"""What a resting text encoder makes of the words is computed once, and is what it would compute each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from core import paths
from core.data.batches import Sample, collate
from core.data.sources import DataSet, Part
from core.model import checkpoint
from core.model.network import Network, load_tokenizer
from core.training import loop, texts
from core.training.processes import Processes
from core.training.runs import Run
from core.training.settings import Settings, Source
from core.training.stand import Work
from core.training.step import Trainer


@pytest.fixture
def frozen(small_settings: Callable[..., Settings], tiny_text_encoder: Path) -> Settings:
    return small_settings(
        f"network.text_encoder={tiny_text_encoder}", "network.text_freeze=all", "labels.kind=human"
    )


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    """Words of very different length, one row without any; a voice beside them."""
    random, parts = np.random.default_rng(0), {}
    for name, count in (("train", 70), ("valid", 20), ("calibration", 20), ("test", 20)):
        rows = []
        for i in range(count):
            y = float(random.choice([-2.0, 2.0]))
            said = " ".join(["it was a", "very " * (i % 9), "good" if y > 0 else "bad", "film"])
            voice = random.standard_normal((3, 4)).astype(np.float32)
            rows.append(
                Sample(f"{i}", f"{i}", text=None if i == 5 else said, audio=voice, labels={"multimodal": y})
            )
        parts[name] = Part(rows, [0] * count)
    data = DataSet(parts, (Source(),))
    monkeypatch.setattr(loop, "load", lambda *_: data)
    return data


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache."""
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path / "cache"))
    return paths.cache() / "text-vectors"


def test_it_is_computed_once_for_all_runs_on_the_same_words(
    words: DataSet, frozen: Settings, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[int] = []
    encode = Network.encode_text

    def counted(network: Network, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        encoded.append(len(ids))
        return encode(network, ids, mask)

    monkeypatch.setattr(Network, "encode_text", counted)
    reports = []
    for name in ("one", "two"):
        encoded.clear()
        reports.append(loop.train(frozen, tmp_path, tmp_path / name))
        # What is judged once, at the end, is read as it is: calibration, valid and test.
        assert sum(encoded) == (69 + 19 if name == "one" else 0) + 3 * 19
    assert reports[0]["test"] == reports[1]["test"]
    assert len(list(cache.glob("*.npy"))) == 2
    assert list(cache.iterdir()) == list(cache.glob("*.npy"))


def test_it_is_what_the_encoder_would_compute_in_every_step(
    words: DataSet, frozen: Settings, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainers: list[Trainer] = []
    step = Trainer.step

    def keep(trainer: Trainer, epoch: int, number: int, rows: list[int]) -> None:
        trainers.append(trainer)
        step(trainer, epoch, number, rows)

    monkeypatch.setattr(Trainer, "step", keep)
    loop.train(frozen, tmp_path, tmp_path / "run")
    network, tokenizer = trainers[0].network.train(), trainers[0].tokenizer
    samples, raw = trainers[0].samples, words.part("train").samples
    rows = [0, 5, 8, 17, 60]
    with torch.no_grad():
        once = network.encode(collate([samples[i] for i in rows], tokenizer))["text"]
        anew = network.encode(collate([raw[i] for i in rows], tokenizer))["text"]
    torch.testing.assert_close(once, anew, atol=1e-6, rtol=1e-5)
    assert not once[1].any()
    assert not samples[0].text.flags.writeable  # it lies in a mapped file


def test_the_model_reads_words_as_ever(words: DataSet, frozen: Settings, tmp_path: Path, cache: Path) -> None:
    report = loop.train(frozen, tmp_path, tmp_path / "run")
    assert report["test"]["sources"]["test"]["metrics"]["multimodal"]["mae"]["count"] == 20
    assert checkpoint.load(tmp_path / "run").tokenizer is not None


def test_an_encoder_that_learns_is_never_read_from_the_cache(
    words: DataSet, frozen: Settings, tmp_path: Path, cache: Path
) -> None:
    changed = frozen.network.model_copy(update={"text_freeze": "embeddings"})
    loop.train(frozen.model_copy(update={"network": changed}), tmp_path, tmp_path / "run")
    assert not cache.exists()


def test_texts_are_put_in_place_of_their_own_only(words: DataSet) -> None:
    samples = words.part("valid").samples
    replaced = texts.with_texts(samples, [np.arange(i % 3) for i in range(len(samples))])
    assert [None if s.text is None else len(s.text) for s in replaced][:4] == [None, 1, 2, None]
    assert replaced[1].audio is samples[1].audio


def test_only_the_main_process_encodes_the_words(
    words: DataSet, frozen: Settings, tmp_path: Path, cache: Path
) -> None:
    processes = Processes(frozen.training)
    processes.rank = 1
    network = Network(frozen.network)
    work = Work(
        frozen, Run(tmp_path), words, load_tokenizer(frozen.network), processes, lambda step, share: None
    )
    with pytest.raises(FileNotFoundError):  # what the main process should have written
        texts.read(work, network)
    processes.rank = 0
    first, _ = texts.read(work, network)
    processes.rank = 1
    again, _ = texts.read(work, network)
    np.testing.assert_array_equal(first.samples[0].text, again.samples[0].text)
