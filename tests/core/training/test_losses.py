"""The losses by hand, and the composites that the fusion learns from."""

import math

import pytest
import torch

from core.model.network import Network, Output
from core.training.composites import compose, composite_loss
from core.training.losses import Targets, alignment_weight, head_loss, judged_rows, nearest_class
from core.training.settings import AlignmentSettings, NetworkSettings
from core.types import HEADS, MODALITIES

NAN = math.nan


def output(present: dict[str, list[bool]], **logits: torch.Tensor) -> Output:
    """Two rows: every head says 1 of the first and -1 of the second."""
    return Output(
        estimates={head: torch.tensor([1.0, -1.0]) for head in HEADS},
        hidden={},
        logits=logits,
        encoded={},
        projected={},
        present={m: torch.tensor(present.get(m, [True, True])) for m in MODALITIES},
        together=torch.tensor([True, True]),
    )


def targets(share: tuple[float, float] = (1.0, 1.0), **labels: list[float]) -> Targets:
    ones = torch.ones(2)
    return Targets(
        {head: torch.tensor(labels.get(head, [NAN, NAN])) for head in HEADS},
        dict.fromkeys(HEADS, ones),
        torch.tensor(share),
    )


def head_losses(output: Output, targets: Targets) -> dict[str, torch.Tensor]:
    """Of each head that has rows at all, over these rows alone."""
    rows = {head: chosen for head, chosen in judged_rows(output, targets).items() if chosen.any()}
    return {
        head: head_loss(head, output, targets, chosen, int(chosen.sum())) for head, chosen in rows.items()
    }


def test_the_losses_of_parts_of_a_batch_add_up_to_that_of_the_whole() -> None:
    wanted = targets(text=[3.0, -4.0])
    chosen = judged_rows(output({}), wanted)["text"]
    whole = head_loss("text", output({}), wanted, chosen, 2)
    parts = [
        head_loss("text", output({}), wanted, chosen & torch.tensor(own), 2)
        for own in ([True, False], [False, True], [False, False])
    ]
    assert float(whole) == float(sum(parts)) == 2.5


def test_a_head_errs_by_the_mean_distance_to_its_labels() -> None:
    losses = head_losses(output({}), targets(multimodal=[2.0, -3.0], text=[1.0, 0.0]))
    assert {head: float(loss) for head, loss in losses.items()} == {"multimodal": 1.5, "text": 0.5}


def test_missing_modalities_and_labels_are_left_out_and_not_zero() -> None:
    losses = head_losses(
        output({"audio": [False, True], "visual": [False, False]}),
        targets(text=[NAN, 1.0], audio=[9.0, -1.5], visual=[1.0, 1.0]),
    )
    assert {head: float(loss) for head, loss in losses.items()} == {"text": 2.0, "audio": 0.5}


def test_a_row_counts_by_its_share() -> None:
    losses = head_losses(output({}), targets((3.0, 1.0), text=[2.0, -4.0]))
    assert float(losses["text"]) == pytest.approx((3 * 1 + 1 * 3) / 2)


def test_a_head_of_classes_has_the_cross_entropy_of_the_nearest_one() -> None:
    logits = torch.tensor([[0.0, 1.0, 2.0], [1.0, 0.0, 0.0]])
    losses = head_losses(output({}, audio=logits), targets(audio=[2.0, NAN]))
    assert float(losses["audio"]) == pytest.approx(math.log(1 + math.e + math.e**2) - 2, rel=1e-5)


def test_labels_belong_to_the_nearest_class_and_half_way_to_the_lower() -> None:
    labels = torch.tensor([-3.0, -2.0, -1.0, -0.9, 0.0, 1.0, 1.1, 3.0])
    assert nearest_class(labels).tolist() == [0, 0, 0, 1, 1, 1, 2, 2]


def test_the_weight_of_the_alignment_rises_over_the_warm_up() -> None:
    settings = AlignmentSettings(weight=0.4, warm_up_epochs=2)
    assert [alignment_weight(settings, epoch) for epoch in (1, 2, 3, 9)] == pytest.approx([0, 0.2, 0.4, 0.4])


def rows() -> tuple[dict[str, torch.Tensor], ...]:
    """Six rows of words, three of voices, two of faces; each representation is its own label."""
    labels = {
        "text": torch.tensor([-2.0, 0.0, 2.0, 1.0, -1.0, 0.2, *[NAN] * 5]),
        "audio": torch.tensor([*[NAN] * 6, -2.0, 0.0, 2.0, NAN, NAN]),
        "visual": torch.tensor([*[NAN] * 9, -2.0, 2.0]),
    }
    encoded = {
        m: x.nan_to_num(0.0)[:, None].repeat(1, {"text": 5, "audio": 16, "visual": 32}[m]).requires_grad_()
        for m, x in labels.items()
    }
    return encoded, {m: ~x.isnan() for m, x in labels.items()}, labels


def test_rows_that_are_labelled_alike_are_put_together() -> None:
    made = compose(*rows(), MODALITIES)
    assert made is not None
    words, voices = made.encoded["text"][:, 0], made.encoded["audio"][:, 0]
    assert torch.equal(made.labels, words)
    assert voices.tolist() == [-2, 0, 2, 2, -2, 0]
    assert all(made.present[m].all() for m in MODALITIES)


def test_without_words_a_composite_means_what_its_voice_and_face_mean_together() -> None:
    made = compose(*rows(), ("audio", "visual"))
    assert made is not None
    expected = (made.encoded["audio"][:, 0] + made.encoded["visual"][:, 0]) / 2
    assert torch.equal(made.labels, expected)
    assert not made.present["text"].any()
    assert (made.encoded["text"] == 0).all()


def test_of_a_composite_at_least_one_modality_stays() -> None:
    random = torch.Generator().manual_seed(3)
    always = compose(*rows(), MODALITIES, hide=1.0, random=random)
    often = compose(*rows(), MODALITIES, hide=0.6, random=random)
    for made in (always, often):
        assert made is not None
        assert torch.stack([*made.present.values()]).any(dim=0).all()
        assert made.labels.isfinite().all()


def test_the_fusion_learns_from_composites_and_the_encoders_do_not() -> None:
    torch.manual_seed(0)
    network = Network(NetworkSettings(text_encoder="", text_vector_width=6, text_width=5))
    encoded, present, labels = rows()
    loss = composite_loss(network, encoded, present, labels, 0.3, torch.Generator().manual_seed(0))
    assert loss is not None
    loss.backward()
    assert network.heads["multimodal"].last.weight.grad.abs().sum() > 0
    assert all(x.grad is None for x in encoded.values())


def test_one_modality_alone_makes_no_composites() -> None:
    encoded, present, labels = rows()
    labels = {**labels, "audio": torch.full((11,), NAN), "visual": torch.full((11,), NAN)}
    network = Network(NetworkSettings(text_encoder="", text_vector_width=6, text_width=5))
    assert composite_loss(network, encoded, present, labels, 0.0, torch.Generator()) is None
    assert compose(encoded, present, labels, ("audio", "visual")) is None
