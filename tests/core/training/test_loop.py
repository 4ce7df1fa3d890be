"""Training as the paper has it, on a small fully labelled set, and on the real MOSI vectors."""

import json
from pathlib import Path

import numpy as np
import pytest

from core.data.batches import Sample
from core.data.sources import DataSet, Part
from core.errors import DataError, UserError
from core.model import checkpoint
from core.training import loop
from core.training.evaluate import evaluate, judge
from core.training.metrics import score
from core.training.run_state import read_state
from core.training.runs import Run, create
from core.training.settings import Settings, Source, load, presets
from core.training.step import Trainer

WIDTHS = {"text_encoder": "", "text_vector_width": 6, "audio_input_width": 4, "visual_input_width": 5}


def settings(tmp: Path, *overrides: str) -> Settings:
    path = tmp / "settings.toml"
    path.write_text(
        """
        [network]
        text_encoder = ""
        text_vector_width = 6
        text_width = 8
        audio_input_width = 4
        visual_input_width = 5
        [training]
        epochs = 6
        patience = 3
        batch_size = 16
        accumulate = 2
        device = "cpu"
        threads = 1
        learning_rate = { text = 5e-3, audio = 5e-3, visual = 5e-3, other = 5e-3 }
        [data]
        name = "small"
        """
    )
    return load(path, overrides)


def samples(count: int, seed: int) -> list[Sample]:
    """Utterances whose three modalities each carry the label, the text best."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(count):
        y = float(random.uniform(-3, 3))
        length = int(random.integers(3, 9))
        made.append(
            Sample(
                id=f"{seed}-{i}",
                group=f"{seed}-{i // 4}",
                text=(y * np.linspace(-1, 1, 6) + 0.3 * random.standard_normal(6)).astype(np.float32),
                audio=(0.5 * y + random.standard_normal((length, 4))).astype(np.float32),
                visual=(0.5 * y + random.standard_normal((length, 5))).astype(np.float32),
                labels={"multimodal": y},
            )
        )
    return made


def whole(name: str, rows: list[Sample]) -> dict[str, Part]:
    return {name: Part(rows, [0] * len(rows))}


@pytest.fixture
def data(monkeypatch: pytest.MonkeyPatch) -> DataSet:
    parts = {
        **whole("train", samples(160, 1)),
        **whole("valid", samples(40, 2)),
        **whole("calibration", samples(120, 3)),
        **whole("test", samples(60, 4)),
    }
    found = DataSet(parts, (Source(),))
    monkeypatch.setattr(loop, "load", lambda *_: found)
    return found


def test_a_fully_labelled_set_is_learned_with_generated_labels(data: DataSet, tmp_path: Path) -> None:
    report = loop.train(settings(tmp_path), tmp_path, tmp_path / "run")

    metrics = report["test"]["sources"]["test"]["metrics"]["multimodal"]
    assert metrics["corr"]["value"] > 0.9
    assert metrics["corr"]["count"] == 60
    epochs = [event for event in Run(tmp_path / "run").events()[0] if event["kind"] == "epoch"]
    assert epochs[0]["labels"]["audio"]["spread"] == pytest.approx(
        np.std([s.labels["multimodal"] for s in data.part("train").samples]), rel=1e-3
    )
    assert epochs[-1]["labels"]["audio"]["spread"] != epochs[0]["labels"]["audio"]["spread"]
    assert all(event["train"]["alignment"] > 0 for event in epochs)


def test_single_modalities_get_no_gradient_while_their_labels_equal_the_given_one(
    data: DataSet, tmp_path: Path
) -> None:
    loop.train(settings(tmp_path, "training.epochs=1"), tmp_path, tmp_path / "run")

    (epoch,) = [event for event in Run(tmp_path / "run").events()[0] if event["kind"] == "epoch"]
    assert epoch["train"]["loss_audio"] == 0
    assert epoch["train"]["loss_multimodal"] > 0


def test_a_run_gives_the_same_numbers_again(data: DataSet, tmp_path: Path) -> None:
    made = settings(tmp_path, "training.epochs=2")
    reports = [loop.train(made, tmp_path, tmp_path / name) for name in ("a", "b")]
    assert reports[0]["test"] == reports[1]["test"]


def test_the_finished_model_is_calibrated_for_every_set_of_modalities(data: DataSet, tmp_path: Path) -> None:
    report = loop.train(settings(tmp_path), tmp_path, tmp_path / "run")

    model = checkpoint.load(tmp_path / "run")
    widths = model.meta.calibration["multimodal"]
    assert set(widths) == {
        "text", "audio", "visual", "text+audio", "text+visual", "audio+visual", "text+audio+visual",
    }  # fmt: skip
    assert widths["text+audio+visual"] <= widths["audio"]
    found = report["test"]["sources"]["test"]["coverage"]["multimodal"]
    assert found["count"] == 60
    assert found["value"] == pytest.approx(0.8, abs=0.15)


def test_training_stops_when_it_no_longer_gets_better(data: DataSet, tmp_path: Path) -> None:
    hopeless = settings(
        tmp_path,
        "training.learning_rate={text = 0, audio = 0, visual = 0, other = 0}",
        "training.patience=2",
    )
    report = loop.train(hopeless, tmp_path, tmp_path / "run")
    assert (report["best_epoch"], report["epochs"], report["ended"]) == (1, 3, "no better epoch in 2")


def test_a_stop_file_ends_the_run_and_keeps_its_best(data: DataSet, tmp_path: Path) -> None:
    run = tmp_path / "run"

    def stop_in_second_epoch(step: str, share: float) -> None:
        if step == "training" and share > 0.2:
            (run / "stop").touch()

    report = loop.train(settings(tmp_path), tmp_path, run, stop_in_second_epoch)
    assert (report["ended"], report["epochs"]) == ("stopped by the user", 2)
    checkpoint.load(run)


def test_a_run_that_diverges_fails_in_words_and_keeps_its_best(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = Trainer.step

    def diverging(self: Trainer, epoch: int, number: int, rows: list[int]) -> None:
        if epoch == 2:
            next(self.network.parameters()).data.fill_(np.nan)
        step(self, epoch, number, rows)

    monkeypatch.setattr(Trainer, "step", diverging)
    with pytest.raises(UserError, match="no number any more in epoch 2") as error:
        loop.train(settings(tmp_path), tmp_path, tmp_path / "run")
    assert "Lower the learning rate" in error.value.remedy
    assert read_state(tmp_path / "run").state == "failed"
    kept = checkpoint.load(tmp_path / "run").network
    assert all(p.isfinite().all() for p in kept.parameters())


def test_an_epoch_whose_estimates_are_no_numbers_is_never_the_best(
    data: DataSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    move = Trainer._move

    def diverging(self: Trainer) -> None:
        move(self)  # after the loss of the epoch's last batch, which is still a number
        if self.steps == len(data.part("train")) / 16 / 2:
            for parameter in self.network.parameters():
                parameter.data.fill_(np.nan)

    monkeypatch.setattr(Trainer, "_move", diverging)
    with pytest.raises(UserError, match="no number any more in epoch 1"):
        loop.train(settings(tmp_path), tmp_path, tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints" / "best").exists()


def test_two_parts_of_one_table_are_scored_apart_and_composites_on_the_settings_scheme(
    data: DataSet, tmp_path: Path
) -> None:
    for part in data.parts.values():
        part.sources = [row % 2 for row in range(len(part))]
        for sample in part.samples:
            sample.labels.update(dict.fromkeys(("text", "audio", "visual"), sample.labels["multimodal"]))
    data.sources = (Source(path="t.csv"), Source(path="t.csv"))
    made = settings(tmp_path, "training.epochs=1", "data.scheme=sims", "labels.kind=human")
    test = loop.train(made, tmp_path, tmp_path / "run")["test"]
    assert {name: source["rows"] for name, source in test["sources"].items()} == {
        "t.csv": 30,
        "t.csv (source 2)": 30,
    }
    metrics = test["sources"]["t.csv"]["metrics"]["multimodal"]
    assert test["composites"]["audio+visual"]["metrics"].keys() == metrics.keys()


def test_a_run_never_writes_into_another_runs_folder(data: DataSet, tmp_path: Path) -> None:
    made = settings(tmp_path, "training.epochs=1")
    loop.train(made, tmp_path, tmp_path / "run")
    with pytest.raises(DataError, match="holds a run already"):
        loop.train(made, tmp_path, tmp_path / "run")


def test_data_without_labels_is_refused_before_training(data: DataSet, tmp_path: Path) -> None:
    data.parts["train"] = Part([Sample("1", "1", text=np.ones(6, np.float32))], [0])
    with pytest.raises(DataError, match="no labelled rows"):
        loop.train(settings(tmp_path), tmp_path, tmp_path / "run")


def test_the_run_folder_holds_all_settings_and_a_report_that_is_json(data: DataSet, tmp_path: Path) -> None:
    made = settings(tmp_path, "training.epochs=1")
    report = loop.train(made, tmp_path, tmp_path / "run")
    assert load(tmp_path / "run" / "settings.toml") == made
    stored = json.loads((tmp_path / "run" / "report.json").read_text())
    assert stored["best_epoch"] == report["best_epoch"]


def test_a_plain_table_of_texts_is_cut_into_parts_and_learned(
    tiny_text_encoder: Path, tmp_path: Path
) -> None:
    lines = [f"it was a {word} film,{y}" for word, y in (("good", 2), ("bad", -2)) for _ in range(60)]
    (tmp_path / "t.csv").write_text("\n".join(["text,y", *lines]))
    made = settings(tmp_path, f"network.text_encoder={tiny_text_encoder}", "labels.kind=human")
    report = loop.train(made, tmp_path / "t.csv", tmp_path / "run")
    assert report["rows"] == {"data": {"train": 84, "valid": 12, "calibration": 12, "test": 12}}
    assert "no parts of its own" in report["notes"][-1]
    assert report["test"]["sources"]["test"]["metrics"]["text"]["mae"]["value"] < 1
    assert len(evaluate(tmp_path / "run", tmp_path / "t.csv")["metrics"]) == 2


def test_averaged_weights_are_what_is_kept(data: DataSet, tmp_path: Path) -> None:
    plain = loop.train(settings(tmp_path, "training.epochs=2"), tmp_path, tmp_path / "plain")
    mean = loop.train(
        settings(tmp_path, "training.epochs=2", "training.average=0.99"), tmp_path, tmp_path / "mean"
    )
    assert plain["test"] != mean["test"]


@pytest.mark.parametrize("kind", ["human", "none"])
def test_other_kinds_of_unimodal_labels_train_too(kind: str, data: DataSet, tmp_path: Path) -> None:
    for part in data.parts.values():
        for sample in part.samples:
            sample.labels.update(text=sample.labels["multimodal"])  # type: ignore[attr-defined]
    report = loop.train(settings(tmp_path, f"labels.kind={kind}"), tmp_path, tmp_path / "run")
    metrics = report["test"]["sources"]["test"]["metrics"]
    assert metrics["multimodal"]["corr"]["value"] > 0.9
    assert (metrics["text"]["corr"]["value"] > 0.9) == (kind == "human")


def test_mosi_vectors_train_as_the_paper_does(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = _mosi(shared_data / "mosi" / "mosi_train.npz")
    monkeypatch.setattr(loop, "load", lambda *_: found)
    made = load(
        presets()["mosi"],
        ["network.text_encoder=", "network.text_vector_width=100", "network.audio_input_width=73",
         "network.visual_input_width=100", "training.epochs=6", "training.device=cpu"],
    )  # fmt: skip
    loop.train(made, tmp_path, tmp_path / "run")

    model = checkpoint.load(tmp_path / "run")
    judged = judge(model.network, None, found.part("valid").samples, 128)
    got = score(*judged.labelled("multimodal"), "mosi")
    assert got["corr"] > 0.45
    assert got["acc2_non0"] > 0.65


def _mosi(path: Path) -> DataSet:
    """The vectors as samples of one step; the last twelve videos are the validation part."""
    with np.load(path, allow_pickle=False) as arrays:
        columns = {name: arrays[name] for name in ("uid", "video_id", "text", "audio", "video", "y")}
    rows = [
        Sample(str(u), str(v), text=t, audio=a[None], visual=x[None], labels={"multimodal": float(y)})
        for u, v, t, a, x, y in zip(*columns.values(), strict=True)
    ]
    held = set(sorted({row.group for row in rows})[-12:])
    return DataSet(
        {
            **whole("train", [row for row in rows if row.group not in held]),
            **whole("valid", [row for row in rows if row.group in held]),
        },
        (Source(),),
    )


def test_without_a_weight_the_alignment_is_told_all_the_same(data: DataSet, tmp_path: Path) -> None:
    loop.train(settings(tmp_path, "training.epochs=1", "alignment.weight=0"), tmp_path, tmp_path / "run")
    [epoch] = [event for event in Run(tmp_path / "run").events()[0] if event["kind"] == "epoch"]
    assert epoch["train"]["alignment"] > 0
    assert epoch["train"]["alignment_relative"] > 0


@pytest.mark.parametrize(("folder", "name"), [("strong", "strong"), ("strong/seed-1111", "strong")])
def test_a_run_is_called_as_its_folder_is(tmp_path: Path, folder: str, name: str) -> None:
    assert create(tmp_path / folder, load("mosi")).about["name"] == name
