"""A model folder gives back the same network, or says what is wrong with it."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from core.data.batches import Sample, collate
from core.errors import ModelError
from core.model import checkpoint
from core.model.checkpoint import Meta
from core.model.network import Network
from core.training.settings import NetworkSettings

VECTORS = NetworkSettings(
    text_encoder="", text_vector_width=6, text_width=8, audio_input_width=4, visual_input_width=5
)
META = Meta(name="small", version="3", calibration={"level": 0.8, "text": 1.5, "multimodal": {"text": 1.2}})


@pytest.fixture
def network() -> Network:
    torch.manual_seed(1)
    return Network(VECTORS).eval()


@pytest.fixture
def folder(network: Network, tmp_path: Path) -> Path:
    checkpoint.save(tmp_path / "model", network, META)
    return tmp_path / "model"


def batch() -> object:
    random = np.random.default_rng(0)
    audio, visual = random.standard_normal((7, 4)), random.standard_normal((5, 5))
    return collate([Sample("1", "1", text=np.ones(6, np.float32), audio=audio, visual=visual)], None)


def sealed(folder: Path) -> None:
    """Write the hash of the weights as they are now: what a careful forger would do."""
    meta = json.loads((folder / "model.json").read_text())
    meta["files"]["weights.safetensors"] = checkpoint._sha256(folder / "weights.safetensors")
    (folder / "model.json").write_text(json.dumps(meta))


def test_a_saved_network_answers_the_same_after_loading(network: Network, folder: Path) -> None:
    loaded = checkpoint.load(folder)
    with torch.inference_mode():
        before, after = network(batch()), loaded.network(batch())
    assert all(torch.equal(before.estimates[head], after.estimates[head]) for head in before.estimates)
    assert loaded.meta == META
    assert loaded.reference is None


def test_a_flipped_byte_of_the_weights_is_refused(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(ModelError, match="altered"):
        checkpoint.load(folder)


def test_a_network_is_never_completed_with_random_weights(folder: Path) -> None:
    weights = load_file(folder / "weights.safetensors")
    del weights["heads.text.last.weight"]
    save_file(weights, folder / "weights.safetensors")
    sealed(folder)
    with pytest.raises(ModelError, match=r"lack “heads\.text\.last\.weight”"):
        checkpoint.load(folder)


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("of another network", torch.ones(2)),
        ("heads.text.last.bias", torch.tensor([float("nan")])),
        ("heads.text.last.bias", torch.ones(3)),
    ],
)
def test_weights_that_do_not_fit_are_refused(name: str, tensor: torch.Tensor, folder: Path) -> None:
    save_file({**load_file(folder / "weights.safetensors"), name: tensor}, folder / "weights.safetensors")
    sealed(folder)
    with pytest.raises(ModelError):
        checkpoint.load(folder)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"format": 2}', '{"format": 1, "name": "x"}'])
def test_a_model_json_of_another_form_is_refused(content: str, folder: Path) -> None:
    (folder / "model.json").write_text(content)
    with pytest.raises(ModelError, match=r"model\.json"):
        checkpoint.load(folder)


def test_missing_weights_and_stray_references_are_named(folder: Path) -> None:
    (folder / "reference.safetensors").write_bytes(b"from elsewhere")
    with pytest.raises(ModelError, match="does not belong"):
        checkpoint.load(folder)
    (folder / "reference.safetensors").unlink()
    (folder / "weights.safetensors").unlink()
    with pytest.raises(ModelError, match="is missing"):
        checkpoint.load(folder)


def test_where_there_is_no_model_the_message_names_the_place(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        checkpoint.load(tmp_path / "nowhere")


def test_saving_replaces_a_model_whole_and_leaves_nothing_else(network: Network, folder: Path) -> None:
    checkpoint.save(folder, network, META.model_copy(update={"version": "4"}))
    assert checkpoint.load(folder).meta.version == "4"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_model_can_be_read_by_whom_the_umask_lets(network: Network, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        checkpoint.save(tmp_path / "model", network, META)
    finally:
        os.umask(before)
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / "model").iterdir()} == {0o644}


def test_a_save_that_fails_leaves_the_old_model(
    network: Network, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        checkpoint.save(folder, network, META.model_copy(update={"version": "4"}))
    assert checkpoint.load(folder).meta.version == "3"
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_run_answers_with_its_finished_model_before_its_best_checkpoint(
    network: Network, tmp_path: Path
) -> None:
    checkpoint.save(tmp_path / "checkpoints" / "best", network, META)
    assert checkpoint.locate(tmp_path) == tmp_path / "checkpoints" / "best"
    checkpoint.save(tmp_path / "model", network, META)
    assert checkpoint.locate(tmp_path) == tmp_path / "model"


def test_of_a_text_encoder_only_what_changed_is_kept_in_half_precision(assets: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    network = Network(NetworkSettings(text_freeze="embeddings"))
    changed = "encoder.layer.0.output.dense.weight"
    with torch.no_grad():
        network.text_encoder.get_parameter(changed).mul_(1.01)
    checkpoint.save(tmp_path / "model", network, META)

    kept = load_file(tmp_path / "model" / "weights.safetensors")
    assert [name for name in kept if name.startswith("text_encoder.")] == [f"text_encoder.{changed}"]
    assert kept[f"text_encoder.{changed}"].dtype == torch.float16
    loaded = checkpoint.load(tmp_path / "model")
    expected = network.text_encoder.get_parameter(changed).half().float()
    assert torch.equal(loaded.network.text_encoder.get_parameter(changed), expected)


def test_a_model_of_another_text_encoder_is_refused(assets: Path, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "model", Network(NetworkSettings(text_freeze="all")), META)
    meta = json.loads((tmp_path / "model" / "model.json").read_text())
    meta["encoder_sha256"] = "0" * 64
    (tmp_path / "model" / "model.json").write_text(json.dumps(meta))
    with pytest.raises(ModelError, match="another text encoder"):
        checkpoint.load(tmp_path / "model")
