"""Coefficients of agreement against their published worked examples, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.annotation import agreement

NONE = np.nan
# Krippendorff 2011: four observers, twelve units.
KRIPPENDORFF = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
        [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
    ]
).T
# Fleiss 1971: how many of six psychiatrists gave each of 30 patients each of five diagnoses.
FLEISS = """00060 03003 01401 00006 03030 20400 00402 20310 20040 00006 10050 11040 03300 10050 02031
            00501 30012 51000 02040 10203 00006 01050 02013 20040 10041 05010 40002 02040 10500 00006"""
# Shrout and Fleiss 1979: six targets, four judges.
SHROUT = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)


@pytest.mark.parametrize(("level", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_that_of_krippendorffs_example(level: agreement.Level, alpha: float) -> None:
    assert agreement.krippendorff(KRIPPENDORFF, level) == pytest.approx(alpha, abs=5e-4)


def test_fleiss_kappa_is_that_of_his_example() -> None:
    rows = [[int(digit) for digit in row] for row in FLEISS.split()]
    assert np.sum(rows, axis=0).tolist() == [26, 26, 30, 55, 43]
    ratings = np.array([np.repeat(np.arange(5.0), row) for row in rows])
    assert agreement.fleiss(ratings) == pytest.approx(0.430, abs=5e-4)


def test_intraclass_correlations_are_those_of_shrout_and_fleiss() -> None:
    found = agreement.intraclass(SHROUT)
    published = {"ICC(1,1)": 0.17, "ICC(2,1)": 0.29, "ICC(3,1)": 0.71}
    published |= {"ICC(1,k)": 0.44, "ICC(2,k)": 0.62, "ICC(3,k)": 0.91}
    assert found == pytest.approx(published, abs=5e-3)


ratings_of_two = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=60)


@settings(max_examples=60, deadline=None)
@given(pairs=ratings_of_two, weighting=st.sampled_from(["none", "linear", "quadratic"]))
def test_cohens_kappa_is_that_of_scikit_learn(
    pairs: list[tuple[int, int]], weighting: agreement.Weighting
) -> None:
    from sklearn.metrics import cohen_kappa_score

    first, second = np.array(pairs, dtype=float).T
    ours = agreement.cohen(first, second, weighting)
    if len(set(first) | set(second)) < 2:
        assert np.isnan(ours)
        return
    levels, chosen = list(range(-3, 4)), None if weighting == "none" else weighting
    theirs = cohen_kappa_score(first.astype(int), second.astype(int), labels=levels, weights=chosen)
    assert ours == pytest.approx(theirs, abs=1e-9, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, NONE]), min_size=3, max_size=3), min_size=1),
    level=st.sampled_from(agreement.LEVELS),
    data=st.data(),
)
def test_a_weight_is_as_good_as_a_repeated_row(
    rows: list[list[float]], level: agreement.Level, data: st.DataObject
) -> None:
    x = np.array(rows)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(x), max_size=len(x))))
    repeated, weights = np.repeat(x, times, axis=0), times.astype(float)
    for coefficient in (
        lambda x, w: agreement.krippendorff(x, level, w),
        agreement.fleiss,
        lambda x, w: agreement.cohen(x[:, 0], x[:, 1], "linear", w),
        lambda x, w: agreement.intraclass(x, w)["ICC(2,1)"],
    ):
        plain = coefficient(repeated, None)
        assert coefficient(x, weights) == pytest.approx(plain, abs=1e-9, nan_ok=True)


def test_full_agreement_is_one_and_no_variation_is_undefined() -> None:
    alike = np.repeat([[1.0], [2.0], [-3.0]], 3, axis=1)
    for level in agreement.LEVELS:
        assert agreement.krippendorff(alike, level) == pytest.approx(1)
    assert agreement.fleiss(alike) == pytest.approx(1)
    assert agreement.intraclass(alike)["ICC(2,1)"] == pytest.approx(1)
    same = np.ones((4, 3))
    assert np.isnan(agreement.krippendorff(same, "ordinal"))
    assert np.isnan(agreement.fleiss(same))


def test_raters_without_a_clip_in_common_have_no_agreement() -> None:
    apart = np.array([[1.0, NONE], [NONE, 2.0]])
    figure = agreement.with_interval(apart, lambda x, w: agreement.krippendorff(x, "interval", w))
    assert np.isnan(figure.value)
    assert figure.clips == 0


def test_the_interval_covers_the_value_and_narrows_with_more_clips() -> None:
    random = np.random.default_rng(3)

    def figure(clips: int) -> agreement.Figure:
        truth = random.integers(-3, 4, clips)
        x = np.clip(truth[:, None] + random.integers(-1, 2, (clips, 3)), -3, 3).astype(float)
        return agreement.with_interval(x, lambda x, w: agreement.krippendorff(x, "interval", w), times=300)

    few, many = figure(30), figure(3000)
    assert few.low <= few.value <= few.high
    assert many.high - many.low < (few.high - few.low) / 3
    again = agreement.with_interval(KRIPPENDORFF, lambda x, w: agreement.krippendorff(x, "nominal", w))
    assert again == agreement.with_interval(
        KRIPPENDORFF, lambda x, w: agreement.krippendorff(x, "nominal", w)
    )
