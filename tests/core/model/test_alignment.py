"""The covariance alignment: what it is, what leaves it as it is, and where it is undefined."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from core.model import alignment

WIDTH = 5


def _matrix(seed: int, rows: int, width: int = WIDTH) -> Tensor:
    return torch.randn(rows, width, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _rotation(seed: int, width: int = WIDTH) -> Tensor:
    return torch.linalg.qr(_matrix(seed, width, width)).Q


seeds = st.integers(0, 2**31 - 1)
rows = st.integers(2, 40)


@given(seeds, rows)
@settings(max_examples=25, deadline=None)
def test_the_covariance_is_numpys(seed: int, n: int) -> None:
    x = _matrix(seed, n)
    assert np.allclose(alignment.covariance(x), np.cov(x.numpy(), rowvar=False), rtol=1e-12, atol=1e-12)


def test_the_distance_by_hand() -> None:
    audio = torch.tensor([[0.0, 0.0], [2.0, 2.0]])  # covariance [[2, 2], [2, 2]]
    visual = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])  # covariance [[1, 0], [0, 0]]
    assert alignment.covariance_distance(audio, visual).item() == pytest.approx((1 + 3 * 4) / (4 * 2**2))


@given(seeds, rows, rows)
@settings(max_examples=25, deadline=None)
def test_shifting_permuting_and_rotating_both_change_nothing_and_the_two_are_alike(
    seed: int, n_a: int, n_v: int
) -> None:
    audio, visual = _matrix(seed, n_a), _matrix(seed + 1, n_v)
    rotation = _rotation(seed + 2)
    order = torch.randperm(n_a, generator=torch.Generator().manual_seed(seed))
    distance = alignment.covariance_distance(audio, visual)
    for other in (
        alignment.covariance_distance(audio + 7.0, visual - torch.arange(WIDTH)),
        alignment.covariance_distance(audio[order], visual),
        alignment.covariance_distance(audio @ rotation, visual @ rotation),
        alignment.covariance_distance(visual, audio),
    ):
        assert torch.allclose(other, distance, rtol=1e-9, atol=1e-12)
    assert distance >= 0
    assert alignment.covariance_distance(audio, audio) == 0


@given(seeds, rows, rows)
@settings(max_examples=15, deadline=None)
def test_the_gradient_has_its_closed_form(seed: int, n_a: int, n_v: int) -> None:
    audio = _matrix(seed, n_a).requires_grad_()
    visual = _matrix(seed + 1, n_v)
    alignment.covariance_distance(audio, visual).backward()
    difference = alignment.covariance(audio) - alignment.covariance(visual)
    expected = (audio - audio.mean(0)) @ difference / (WIDTH**2 * (n_a - 1))
    assert torch.allclose(audio.grad, expected.detach(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    "distance", [alignment.covariance_distance, alignment.correlation_distance, alignment.relative_distance]
)
def test_gradients_agree_with_finite_differences(distance: object) -> None:
    audio, visual = _matrix(1, 6, 3).requires_grad_(), _matrix(2, 4, 3).requires_grad_()
    assert torch.autograd.gradcheck(distance, (audio, visual))


def test_features_far_from_zero_keep_their_precision_in_single() -> None:
    audio, visual = _matrix(3, 64), 2 * _matrix(4, 64)
    exact = alignment.covariance_distance(audio, visual)
    far = alignment.covariance_distance((audio + 1000).float(), (visual - 1000).float())
    assert far.item() == pytest.approx(exact.item(), rel=1e-3)


def test_mixed_precision_computes_it_in_single() -> None:
    audio, visual = _matrix(5, 16).float(), _matrix(6, 16).float()
    expected = alignment.covariance_distance(audio, visual)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mixed = alignment.covariance_distance(audio, visual)
        halves = alignment.covariance(audio.bfloat16())
    assert mixed.dtype == halves.dtype == torch.float32
    assert mixed == expected


@pytest.mark.parametrize("x", [torch.zeros(1, 4), torch.zeros(0, 4), torch.zeros(4)])
def test_fewer_than_two_rows_have_no_covariance(x: Tensor) -> None:
    with pytest.raises(ValueError, match="at least two rows"):
        alignment.covariance(x)
    with pytest.raises(ValueError, match="at least two rows"):
        alignment.correlation(x)


def test_widths_that_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="different widths"):
        alignment.covariance_distance(torch.zeros(4, 1), torch.zeros(4, 2))


def test_shrinking_both_lowers_the_plain_distance_only() -> None:
    audio, visual = _matrix(7, 30), _matrix(8, 30)
    plain, correlation, relative = (
        [distance(s * audio, s * visual).item() for s in (1.0, 0.1)]
        for distance in (
            alignment.covariance_distance,
            alignment.correlation_distance,
            alignment.relative_distance,
        )
    )
    assert plain[1] == pytest.approx(1e-4 * plain[0])
    assert correlation[1] == pytest.approx(correlation[0])
    assert relative[1] == pytest.approx(relative[0])
    assert 0 < relative[0] <= 1


def test_the_correlation_is_numpys_and_a_constant_column_correlates_with_nothing() -> None:
    x = _matrix(9, 20)
    assert np.allclose(alignment.correlation(x), np.corrcoef(x.numpy(), rowvar=False))
    x[:, 2] = 4.0
    x.requires_grad_()
    correlation = alignment.correlation(x)
    assert (correlation[2] == 0).all()
    correlation.sum().backward()
    assert x.grad.isfinite().all()


def test_a_constant_column_far_from_zero_does_not_vary_by_rounding() -> None:
    x = _matrix(10, 300).float()
    x[:, 1] = 1000.1
    assert (alignment.correlation(x)[1] == 0).all()


def test_the_relative_distance_of_constants_is_zero() -> None:
    assert alignment.relative_distance(torch.ones(4, 3), torch.ones(4, 3)) == 0
