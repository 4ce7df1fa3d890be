"""The network: shapes, true lengths, missing modalities, readouts, frozen parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from core.data.batches import Batch, Sample, collate
from core.model.network import Network, Output, load_tokenizer
from core.training.settings import HeadWidths, NetworkSettings
from core.types import AUDIO_WIDTH, HEADS, MODALITIES, VISUAL_WIDTH

VECTORS = NetworkSettings(text_encoder="", text_vector_width=6, text_width=5)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def _sample(random: np.random.Generator, *modalities: str, together: bool = True) -> Sample:
    made = {
        "text": random.normal(size=(4, 6)),
        "audio": random.normal(size=(random.integers(2, 9), AUDIO_WIDTH)),
        "visual": random.normal(size=(random.integers(2, 9), VISUAL_WIDTH)),
    }
    return Sample("id", "group", **{m: made[m] for m in modalities}, together=together)


def _network(settings: NetworkSettings = VECTORS) -> Network:
    torch.manual_seed(0)
    return Network(settings).eval()


def _answers(network: Network, *samples: Sample) -> Output:
    return network(collate(samples, None))


def test_every_head_judges_every_row_with_the_widths_of_the_settings(random: np.random.Generator) -> None:
    network = _network()
    output = _answers(network, _sample(random, *MODALITIES), _sample(random, "text"))
    widths = HeadWidths()
    for head in HEADS:
        assert output.estimates[head].shape == (2,)
        assert output.hidden[head].shape == (2, getattr(widths, head))
        assert (output.hidden[head] >= 0).all()
    assert {m: x.shape[1] for m, x in output.encoded.items()} == {"text": 5, "audio": 16, "visual": 32}


def test_the_head_is_that_of_the_public_code(random: np.random.Generator) -> None:
    network = _network()
    output = _answers(network, _sample(random, *MODALITIES))
    fused = torch.cat([output.encoded[m] for m in MODALITIES], dim=1)
    head = network.heads["multimodal"]
    hidden = torch.relu(fused @ head.first.weight.T + head.first.bias)
    deeper = torch.relu(hidden @ head.second.weight.T + head.second.bias)
    assert torch.allclose(output.hidden["multimodal"], hidden, atol=1e-6)
    assert torch.allclose(
        output.estimates["multimodal"], (deeper @ head.last.weight.T + head.last.bias)[:, 0]
    )


def test_a_head_of_two_layers_judges_from_what_label_generation_sees(random: np.random.Generator) -> None:
    network = _network(VECTORS.model_copy(update={"head_layers": 2}))
    output = _answers(network, _sample(random, *MODALITIES))
    last = network.heads["audio"].last
    assert torch.allclose(output.estimates["audio"], last(output.hidden["audio"])[:, 0])


@pytest.mark.parametrize("readout", ["last", "mean", "features"])
def test_a_row_gets_the_same_answer_in_any_company(random: np.random.Generator, readout: str) -> None:
    network = _network(VECTORS.model_copy(update={"readout": readout}))
    samples = [_sample(random, *MODALITIES) for _ in range(4)]
    together = _answers(network, *samples)
    for i, sample in enumerate(samples):
        alone = _answers(network, sample)
        for head in HEADS:
            assert torch.allclose(alone.estimates[head][0], together.estimates[head][i], atol=1e-6)


def test_without_an_lstm_the_mean_and_the_deviation_of_the_features_are_read() -> None:
    encoder = _network(VECTORS.model_copy(update={"readout": "features"})).audio_encoder
    btd, length = torch.randn(2, 9, AUDIO_WIDTH), torch.tensor([9, 1])
    found = encoder(btd, length)
    for row, frames in ((0, btd[0]), (1, btd[1, :1])):
        read = torch.cat([frames.mean(0), frames.std(0, correction=0)])
        assert torch.allclose(found[row], encoder.linear(read), atol=1e-6)
    assert not any("lstm" in name for name in encoder.state_dict())


def test_a_head_of_classes_judges_their_expected_value(random: np.random.Generator) -> None:
    network = _network(VECTORS.model_copy(update={"class_heads": ("audio",)}))
    output = _answers(network, _sample(random, *MODALITIES), _sample(random, "audio"))
    assert set(output.logits) == {"audio"}
    negative, _, positive = output.logits["audio"].softmax(dim=1).T
    assert torch.allclose(output.estimates["audio"], 2 * positive - 2 * negative, atol=1e-6)
    assert not any(name.endswith("values") for name in network.state_dict())


@pytest.mark.parametrize("readout", ["last", "mean", "features"])
def test_what_lies_beyond_the_length_has_no_influence(readout: str) -> None:
    encoder = _network(VECTORS.model_copy(update={"readout": readout})).audio_encoder
    btd, length = torch.randn(2, 9, AUDIO_WIDTH), torch.tensor([9, 4])
    spoiled = btd.clone()
    spoiled[1, 4:] = float("nan")
    assert torch.equal(encoder(btd, length), encoder(spoiled, length))


def test_a_missing_modality_is_zeros_and_leaves_the_others_as_they_were(random: np.random.Generator) -> None:
    network = _network()
    whole = _sample(random, *MODALITIES)
    batch = collate([whole, whole], None).without("audio", torch.tensor([False, True]))
    output = network(batch)
    assert (output.encoded["audio"][1] == 0).all()
    assert (output.encoded["audio"][0] != 0).any()
    for modality in ("text", "visual"):
        assert torch.allclose(*output.estimates[modality], atol=1e-6)
    assert output.estimates["multimodal"][0] != output.estimates["multimodal"][1]
    _, refused = network.fuse({**output.encoded, "audio": torch.full((2, 16), 9.0)}, batch.present)
    assert torch.allclose(refused[1], output.estimates["multimodal"][1], atol=1e-6)


def test_a_batch_where_nobody_has_a_face_still_trains(random: np.random.Generator) -> None:
    network = _network().train()
    output = _answers(network, _sample(random, "text", "audio"), _sample(random, "text"))
    output.estimates["multimodal"].sum().backward()
    assert network.audio_encoder.linear.weight.grad.abs().sum() > 0
    assert network.visual_encoder.linear.weight.grad is None


def test_only_rows_recorded_with_voice_and_face_are_aligned(random: np.random.Generator) -> None:
    network = _network()
    samples = [
        _sample(random, *MODALITIES),
        _sample(random, "audio"),
        _sample(random, "audio", "visual"),
        _sample(random, "audio", "visual", together=False),
    ]
    output = _answers(network, *samples)
    z_a, z_v = output.aligned
    assert z_a.shape == z_v.shape == (2, 32)
    assert torch.allclose(z_a, network.align_audio(output.encoded["audio"][[0, 2]]), atol=1e-6)
    assert torch.allclose(z_v, network.align_visual(output.encoded["visual"][[0, 2]]), atol=1e-6)


def test_further_pairs_and_the_heads_representations_can_be_aligned(random: np.random.Generator) -> None:
    settings = VECTORS.model_copy(
        update={"aligned_from": "hidden", "aligned_pairs": ("audio-visual", "text-audio"), "aligned_width": 7}
    )
    network = _network(settings)
    output = _answers(network, _sample(random, *MODALITIES), _sample(random, "text", "audio"))
    z_t, z_a = output.pair("text", "audio")
    assert z_t.shape == z_a.shape == (2, 7)
    assert torch.allclose(network.align_audio(output.encoded["audio"]), output.projected["audio"], atol=1e-6)


def test_features_are_standardised_by_what_was_set_and_constant_ones_only_shifted(
    random: np.random.Generator,
) -> None:
    network = _network()
    btd, length = torch.randn(1, 5, AUDIO_WIDTH), torch.tensor([5])
    plain = network.encode_audio(btd, length)
    std = torch.full((AUDIO_WIDTH,), 3.0)
    std[0] = 0.0
    network.audio_encoder.standardise_by(torch.full((AUDIO_WIDTH,), 2.0), std)
    assert torch.allclose(
        network.encode_audio(torch.where(std > 0, btd * std, btd) + 2, length), plain, atol=1e-5
    )
    assert {"audio_encoder.mean", "audio_encoder.scale"} <= network.state_dict().keys()


def test_parameters_fall_into_the_groups_of_the_settings() -> None:
    network = _network()
    groups = {g: [name for name, _ in members] for g, members in network.groups().items()}
    assert all(name.startswith(f"{g}_") for g in MODALITIES for name in groups[g])
    assert all(name.startswith(("heads.", "alignment.")) for name in groups["other"])
    assert sum(map(len, groups.values())) == len(list(network.parameters()))


def test_a_network_of_vectors_refuses_tokens(random: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="reads text vectors"):
        _network().encode_text(torch.ones(1, 3), torch.ones(1, 3))
    assert load_tokenizer(VECTORS) is None


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT-like folder, small and with random weights: enough for what is tested here."""
    from transformers import BertConfig, BertModel

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("bert")
    config = BertConfig(
        vocab_size=50, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16
    )
    BertModel(config).save_pretrained(folder)
    return folder


def _token_batch() -> Batch:
    ids = [np.array([2, 7, 9, 3]), np.array([2, 5, 3])]
    return collate([Sample(str(i), "g", text=x) for i, x in enumerate(ids)], None)


@pytest.mark.parametrize("readout", ["mean", "first"])
def test_text_is_read_out_as_the_setting_says(bert: Path, readout: str) -> None:
    network = _network(NetworkSettings(text_encoder=str(bert), text_readout=readout))
    batch = _token_batch()
    with torch.no_grad():
        states = network.text_encoder(batch.text_ids, batch.text_mask).last_hidden_state
        found = network(batch).encoded["text"]
    expected = {"mean": [states[0].mean(0), states[1, :3].mean(0)], "first": [states[0, 0], states[1, 0]]}
    assert torch.allclose(found, torch.stack(expected[readout]), atol=1e-6)


def test_a_frozen_text_encoder_does_not_learn_and_keeps_its_dropout_off(bert: Path) -> None:
    network = _network(NetworkSettings(text_encoder=str(bert), text_freeze="all")).train()
    assert not network.text_encoder.training
    assert network.heads["text"].training
    assert network.groups()["text"] == []


def test_frozen_embeddings_leave_the_layers_free(bert: Path) -> None:
    groups = _network(NetworkSettings(text_encoder=str(bert), text_freeze="embeddings")).groups()
    names = [name for name, _ in groups["text"]]
    assert names
    assert not any("embeddings" in name for name in names)


def test_the_pooler_nobody_reads_is_left_out(bert: Path) -> None:
    assert not any(
        "pooler" in name for name in _network(NetworkSettings(text_encoder=str(bert))).state_dict()
    )


def test_a_network_of_tokens_refuses_vectors(bert: Path) -> None:
    with pytest.raises(ValueError, match="reads tokens"):
        _network(NetworkSettings(text_encoder=str(bert))).encode_text_vectors(torch.zeros(1, 8))


def test_an_encoder_whose_weights_could_run_code_is_not_loaded(bert: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes((bert / "config.json").read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")
    with pytest.raises(OSError, match="safetensors"):
        _network(NetworkSettings(text_encoder=str(tmp_path)))


def test_the_shipped_encoder_reads_words(assets: Path) -> None:
    settings = NetworkSettings()
    network, tokenizer = _network(settings), load_tokenizer(settings)
    texts = ["I loved it.", "It was a long and rather dull film."]
    with torch.no_grad():
        output = network(collate([Sample("a", "g", text=t) for t in texts], tokenizer))
    assert output.encoded["text"].shape == (2, 384)
    assert output.encoded["text"].isfinite().all()


def test_gradients_reach_every_part(random: np.random.Generator, bert: Path) -> None:
    network = _network(NetworkSettings(text_encoder=str(bert))).train()
    audio, visual = torch.randn(3, AUDIO_WIDTH).numpy(), torch.randn(2, VISUAL_WIDTH).numpy()
    samples = [Sample(str(i), "g", np.array([2, 4 + i, 3]), audio * i, visual + i) for i in range(3)]
    output = _answers(network, *samples)
    z_a, z_v = output.aligned
    loss: Tensor = sum(e.abs().sum() for e in output.estimates.values()) + (z_a - z_v).square().sum()
    loss.backward()
    assert not [name for name, p in network.named_parameters() if p.grad is None]
