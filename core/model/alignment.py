"""The covariance alignment of two modalities (arXiv 2305.08473; its form is Deep CORAL's, arXiv 1607.01719).

    C(X) = (X - mean)^T (X - mean) / (n - 1),    L = ||C(Z_a) - C(Z_v)||_F^2 / (4 d^2)

The rows of Z_a and Z_v are samples (or moments of one clip), the columns a common space of width d. Always in
float32 or better, also under mixed precision; centred first, for the algebraically equal form that subtracts
afterwards loses a third of its value in float32 when features lie far from zero.
"""

from __future__ import annotations

import torch
from torch import Tensor


def covariance(x: Tensor) -> Tensor:
    """Covariance of the columns of `x` (n, d), unbiased -> (d, d), float32 (float64 for float64).

    Raises ValueError below two rows, where it is undefined, and for anything but a matrix.
    """
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"a covariance needs a matrix of at least two rows, not {tuple(x.shape)}")
    with torch.autocast(x.device.type, enabled=False):
        centred = _centred(x)
        return centred.T @ centred / (len(x) - 1)


def correlation(x: Tensor) -> Tensor:
    """Covariance of the standardised columns of `x` (n, d) -> (d, d); 0 for a column that does not vary."""
    if x.ndim != 2 or len(x) < 2:
        raise ValueError(f"a correlation needs a matrix of at least two rows, not {tuple(x.shape)}")
    with torch.autocast(x.device.type, enabled=False):
        centred = _centred(x)
        variance = centred.square().mean(dim=0)
        # What a constant column is off by after rounding is no variation.
        rounding = torch.finfo(centred.dtype).eps * x.detach().abs().amax(dim=0).to(centred.dtype)
        varies = variance > rounding.square() + torch.finfo(centred.dtype).tiny
        # The inner `where` keeps the square root's infinite slope at 0 out of the gradient.
        scale = torch.where(varies, torch.where(varies, variance, 1.0).rsqrt(), 0.0)
        standard = centred * scale
        return standard.T @ standard / len(x)


def covariance_distance(audio: Tensor, visual: Tensor) -> Tensor:
    """L_align of two representations (n, d) of one width; their n may differ -> scalar.

    Compare only distances at equal n: their bias falls as n grows.
    """
    return _distance(covariance(audio), covariance(visual))


def correlation_distance(audio: Tensor, visual: Tensor) -> Tensor:
    """The same between correlations: shrinking both representations does not lower it."""
    return _distance(correlation(audio), correlation(visual))


def relative_distance(audio: Tensor, visual: Tensor) -> Tensor:
    """||C_a - C_v||^2 / (||C_a||^2 + ||C_v||^2), between 0 and 1; 0 where neither varies.

    Tells alignment from the trivial solution: covariances that merely shrink leave it as it is.
    """
    a, v = covariance(audio), covariance(visual)
    norms = a.square().sum() + v.square().sum()
    return (a - v).square().sum() / norms.clamp(min=torch.finfo(norms.dtype).tiny)


DISTANCES = {"covariance": covariance_distance, "correlation": correlation_distance}
"""By the setting `alignment.form`."""


def _centred(x: Tensor) -> Tensor:
    x = x if x.dtype == torch.float64 else x.float()
    # Twice: the first mean is itself rounded, by much where the features lie far from zero.
    x = x - x.mean(dim=0)
    return x - x.mean(dim=0)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    if a.shape != b.shape:
        raise ValueError(f"representations of different widths: {len(a)} and {len(b)}")
    return (a - b).square().sum() / (4 * len(a) ** 2)
