"""The fusions have one contract: shapes, masks, rows that know nothing of each other, gradients."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from core.model.fusion import FUSIONS
from core.types import MODALITIES, Modality

WIDTHS: dict[Modality, int] = {"text": 5, "audio": 3, "visual": 4}
EVERY = pytest.mark.parametrize("name", FUSIONS)


def _fusion(name: str) -> nn.Module:
    torch.manual_seed(0)
    return FUSIONS[name](WIDTHS)


def _rows(seed: int, rows: int) -> tuple[dict[Modality, Tensor], dict[Modality, Tensor]]:
    random = torch.Generator().manual_seed(seed)
    encoded = {m: torch.randn(rows, WIDTHS[m], generator=random) for m in MODALITIES}
    present = {m: torch.rand(rows, generator=random) < 0.6 for m in MODALITIES}
    return encoded, present


@EVERY
def test_a_row_is_as_wide_as_the_fusion_says(name: str) -> None:
    fusion = _fusion(name)
    assert fusion(*_rows(1, 7)).shape == (7, fusion.width)


@EVERY
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000), filler=st.sampled_from([1e6, float("inf"), float("nan")]))
def test_what_stands_in_place_of_a_missing_modality_has_no_influence(
    name: str, seed: int, filler: float
) -> None:
    fusion = _fusion(name)
    encoded, present = _rows(seed, 6)
    other = {m: torch.where(present[m][:, None], encoded[m], filler) for m in MODALITIES}
    assert torch.equal(fusion(encoded, present), fusion(other, present))


@EVERY
@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 1000))
def test_the_order_of_the_rows_changes_nothing_but_their_order(name: str, seed: int) -> None:
    fusion = _fusion(name)
    encoded, present = _rows(seed, 6)
    order = torch.randperm(6, generator=torch.Generator().manual_seed(seed))
    turned = fusion({m: x[order] for m, x in encoded.items()}, {m: p[order] for m, p in present.items()})
    torch.testing.assert_close(turned, fusion(encoded, present)[order])


@EVERY
def test_a_row_without_any_modality_is_zeros_and_has_finite_gradients(name: str) -> None:
    fusion = _fusion(name)
    encoded = {m: x.requires_grad_() for m, x in _rows(2, 3)[0].items()}
    fused = fusion(encoded, {m: torch.tensor([False, True, False]) for m in MODALITIES})
    fused.square().sum().backward()
    assert (fused[[0, 2]] == 0).all()
    assert (fused[1] != 0).any()
    assert all(p.grad.isfinite().all() for p in (*fusion.parameters(), *encoded.values()))


@EVERY
def test_gradients_reach_the_modalities_that_are_there_and_no_others(name: str) -> None:
    fusion = _fusion(name)
    encoded, _ = _rows(3, 4)
    encoded = {m: x.requires_grad_() for m, x in encoded.items()}
    present = {"text": torch.ones(4, dtype=torch.bool), "audio": torch.arange(4) < 2}
    fusion(encoded, present | {"visual": torch.zeros(4, dtype=torch.bool)}).square().sum().backward()
    assert (encoded["text"].grad != 0).any(dim=1).all()
    assert (encoded["audio"].grad != 0).any(dim=1).tolist() == [True, True, False, False]
    assert (encoded["visual"].grad == 0).all()


@pytest.mark.parametrize("name", ["attention", "graph"])
def test_a_modality_is_changed_by_the_others_and_alone_stays_what_it_is(name: str) -> None:
    fusion = _fusion(name)
    encoded, _ = _rows(4, 2)
    text = {m: torch.tensor([m == "text", True]) for m in MODALITIES}
    both = {m: x[[0, 0]] for m, x in encoded.items()}
    alone, joined = fusion(both, text)
    width = fusion.width // 3
    mapped = fusion.tokens.maps["text"](encoded["text"][0])
    torch.testing.assert_close(alone[:width], mapped)
    assert not torch.allclose(joined[:width], mapped)


def test_attention_weighs_the_others_by_hand() -> None:
    fusion = _fusion("attention")
    encoded, _ = _rows(5, 1)
    present = {m: torch.tensor([m != "visual"]) for m in MODALITIES}
    fused = fusion(encoded, present)[0]
    text, audio = (fusion.tokens.maps[m](encoded[m][0]) for m in ("text", "audio"))
    heard = fusion.out(fusion.value(fusion.norm(audio)))  # with one other, all attention is on it
    torch.testing.assert_close(fused[: len(text)], text + heard)
