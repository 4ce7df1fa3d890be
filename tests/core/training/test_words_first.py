"""Training on mixed sources, words first: texts, voices and faces of different people end in one model."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.batches import Sample
from core.data.sources import DataSet, Part
from core.model import checkpoint
from core.training import loop
from core.training.evaluate import judge
from core.training.runs import Run
from core.training.settings import Settings, Source, load

SOURCES = (
    Source(path="words.csv", heads=("text",)),
    Source(path="voices.csv", heads=("audio",), class_values={"neg": -2, "neu": 0, "pos": 2}, balanced=True),
    Source(path="faces.csv", heads=("visual",), class_values={"neg": -2, "neu": 0, "pos": 2}),
)


def part(count: int, seed: int) -> Part:
    """So many rows of each source; one of voices and faces is recorded together, without a label."""
    random = np.random.default_rng(seed)
    made = Part()
    for i in range(count):
        value, group = float(i % 3 - 1) * 2, f"{seed}-{i}"
        word = ("bad", "film", "good")[i % 3]
        made.add([Sample(f"t{i}", group, text=f"it was {word}", labels={"text": value})], 0)
        voice = (value + random.standard_normal((int(random.integers(3, 8)), 4))).astype(np.float32)
        made.add([Sample(f"a{i}", group, audio=voice, labels={"audio": value})], 1)
        face = (value / 4 + 0.1 * random.standard_normal((1, 5))).astype(np.float32)
        made.add([Sample(f"v{i}", group, visual=face, labels={"visual": value})], 2)
        if i < 6:
            made.add([Sample(f"b{i}", group, audio=voice, visual=np.repeat(face, 3, axis=0))], 1)
    return made


def settings(folder: Path, encoder: Path) -> Settings:
    path = folder / "settings.toml"
    path.write_text(
        f"""
        [network]
        text_encoder = '{encoder}'
        text_readout = "mean"
        text_freeze = "embeddings"
        readout = "features"
        audio_input_width = 4
        visual_input_width = 5
        class_heads = ["audio", "visual"]
        [training]
        words_first = true
        epochs = 8
        epochs_beside = 8
        batch_size = 8
        batch_beside = 8
        accumulate = 1
        patience = 8
        vary = true
        composites = true
        modality_dropout = 0.3
        device = "cpu"
        threads = 1
        learning_rate = {{ text = 1e-2, audio = 1e-2, visual = 1e-2, other = 1e-2 }}
        [labels]
        kind = "human"
        [alignment]
        weight = 0.1
        [data]
        name = "mixed"
        """
    )
    return load(path)


@pytest.fixture(scope="module")
def trained(tiny_text_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Run, DataSet]:
    folder = tmp_path_factory.mktemp("words-first")
    names = ("train", "valid", "calibration", "test")
    data = DataSet({name: part(36, seed) for seed, name in enumerate(names)}, SOURCES)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "load", lambda *_: data)
        report = loop.train(settings(folder, tiny_text_encoder), folder, folder / "run")
    return report, Run(folder / "run"), data


def test_every_branch_learns_its_own_labels(trained: tuple[dict, Run, DataSet]) -> None:
    report, _, _ = trained
    scores = {name: found["metrics"] for name, found in report["test"]["sources"].items()}
    assert scores["words.csv"]["text"]["corr"]["value"] > 0.9
    assert scores["voices.csv"]["audio"]["uar"]["value"] > 0.6
    assert scores["faces.csv"]["visual"]["uar"]["value"] > 0.6
    assert report["test"]["composites"]["text+audio+visual"]["metrics"]["corr"]["value"] > 0.8


def test_the_finished_model_is_loaded_with_all_its_intervals(trained: tuple[dict, Run, DataSet]) -> None:
    _, run, data = trained
    model = checkpoint.load(run.folder)
    assert model.meta.calibration.keys() >= {"level", "text", "audio", "visual", "multimodal"}
    assert len(model.meta.calibration["multimodal"]) == 7
    judged = judge(model.network, model.tokenizer, data.part("test").samples, model.meta.max_tokens)
    assert set(judged.decisions["audio"][judged.known("audio")]) <= {-2.0, 0.0, 2.0}


def test_what_the_words_taught_the_text_encoder_stays(trained: tuple[dict, Run, DataSet]) -> None:
    report, run, _ = trained
    words, model = (checkpoint.load(folder).network.state_dict() for folder in (run.words, run.model))
    encoder = [name for name in words if name.startswith("text_encoder.")]
    assert encoder
    assert all(torch.equal(words[name], model[name]) for name in encoder)
    assert not torch.equal(words["audio_encoder.linear.weight"], model["audio_encoder.linear.weight"])
    assert report["words"]["best_epoch"] >= 1
    assert [event["kind"] for event in run.events()[0]].count("fitted") == 2
