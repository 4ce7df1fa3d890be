"""Intervals cover what they promise on rows like those they were made from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.inference.calibration import coverage, half_width


def test_the_half_width_is_the_corrected_quantile_of_the_errors() -> None:
    errors = np.arange(1.0, 10.0)  # nine rows: the ceil(10 * 0.8) = 8th smallest
    assert half_width(errors, np.zeros(9), level=0.8) == 8.0


def test_too_few_rows_give_no_interval() -> None:
    assert half_width([1.0, 2.0, 3.0], [0.0, 0.0, 0.0], level=0.8) is None
    assert half_width([], []) is None


def test_rows_without_a_label_or_an_estimate_are_left_out() -> None:
    estimates = [*np.arange(1.0, 10.0), math.nan, 5.0]
    labels = [*np.zeros(9), 0.0, math.nan]
    assert half_width(estimates, labels, level=0.8) == 8.0


def test_new_rows_are_covered_as_promised() -> None:
    random = np.random.default_rng(1)
    width = half_width(random.standard_normal(2000), np.zeros(2000))
    assert width is not None
    assert coverage(random.standard_normal(20000), np.zeros(20000), width) == pytest.approx(0.8, abs=0.03)


def test_coverage_of_no_rows_is_undefined() -> None:
    assert math.isnan(coverage([], [], 1.0))


@given(
    st.lists(st.floats(-10, 10), min_size=4, max_size=60),
    st.floats(0.05, 0.95),
)
def test_an_interval_covers_its_own_rows_at_least_as_promised(errors: list[float], level: float) -> None:
    width = half_width(errors, np.zeros(len(errors)), level)
    if width is None:
        assert len(errors) < level / (1 - level) + 1e-6
    else:
        assert coverage(errors, np.zeros(len(errors)), width) >= level - 1e-9
