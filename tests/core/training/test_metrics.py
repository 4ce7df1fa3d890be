"""The field's metrics, against scikit-learn and SciPy, and by hand where conventions matter."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.metrics import bootstrap, score

MOSI = ("mae", "corr", "acc2_has0", "f1_has0", "acc2_non0", "f1_non0", "acc5", "acc7")
SIMS = ("mae", "corr", "acc2", "acc3", "acc5", "f1")


def _mosi_by_scikit_learn(p: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from scipy.stats import pearsonr
    from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error

    rows = y != 0

    def rounded(limit: int) -> float:
        return accuracy_score(*(np.round(np.clip(x, -limit, limit)).astype(int) for x in (y, p)))

    return {
        "mae": mean_absolute_error(y, p),
        "corr": pearsonr(y, p).statistic,
        "acc2_has0": accuracy_score(y >= 0, p >= 0),
        "f1_has0": f1_score(y >= 0, p >= 0, average="weighted"),
        "acc2_non0": accuracy_score(y[rows] > 0, p[rows] > 0),
        "f1_non0": f1_score(y[rows] > 0, p[rows] > 0, average="weighted"),
        "acc5": rounded(2),
        "acc7": rounded(3),
    }


def _sims_by_scikit_learn(p: np.ndarray, y: np.ndarray) -> dict[str, float]:
    from scipy.stats import pearsonr
    from sklearn.metrics import accuracy_score, f1_score, mean_absolute_error

    p, y = np.clip(p, -1, 1), np.clip(y, -1, 1)

    def binned(inner: list[float]) -> float:
        edges = [-1.01, *inner, 1.01]
        return accuracy_score(*([next(k for k in range(9) if v <= edges[k + 1]) for v in x] for x in (y, p)))

    return {
        "mae": mean_absolute_error(y, p),
        "corr": pearsonr(y, p).statistic,
        "acc2": accuracy_score(y > 0, p > 0),
        "f1": f1_score(y > 0, p > 0, average="weighted"),
        "acc3": binned([-0.1, 0.1]),
        "acc5": binned([-0.7, -0.1, 0.1, 0.7]),
    }


@given(st.integers(0, 2**31 - 1), st.integers(8, 60))
@settings(max_examples=25, deadline=None)
@pytest.mark.parametrize(
    ("scheme", "step", "reference"),
    [("mosi", 1 / 3, _mosi_by_scikit_learn), ("sims", 0.2, _sims_by_scikit_learn)],
)
def test_the_metrics_are_scikit_learns(
    scheme: str, step: float, reference: Callable[..., dict[str, float]], seed: int, n: int
) -> None:
    random = np.random.default_rng(seed)
    top = 3 if scheme == "mosi" else 1
    y = random.integers(-round(top / step), round(top / step) + 1, n) * step
    y[:2] = -top, top
    p = np.where(random.random(n) < 0.3, np.round(y * 2) / 2, y + random.normal(0, top / 2, n))
    p[0] = y[0] + 0.01
    expected = reference(p, y)
    assert score(p, y, scheme) == pytest.approx(expected, abs=1e-9)


def test_halves_round_to_the_even_number() -> None:
    y = [2.0, 2.0, 0.0, 0.0, -2.0, 1.0]
    p = [1.5, 2.5, 0.5, -0.5, -2.5, 1.4999]
    assert score(p, y, "mosi")["acc7"] == 1.0


def test_seven_classes_clip_at_three_and_five_at_two() -> None:
    figures = score([9.0, -2.6], [3.0, -2.0], "mosi")
    assert figures["acc7"] == 0.5
    assert figures["acc5"] == 1.0
    assert figures["mae"] == pytest.approx(3.3)  # of what was predicted, unclipped


def test_zero_is_positive_with_zeros_and_left_out_without() -> None:
    figures = score([0.0, -0.1, 0.2], [0.0, 0.0, 1.0], "mosi")
    assert figures["acc2_has0"] == pytest.approx(2 / 3)
    assert figures["acc2_non0"] == 1.0


def test_a_prediction_of_zero_is_no_positive_where_zeros_are_left_out() -> None:
    assert score([0.0, 1.0], [1.0, 1.0], "mosi")["acc2_non0"] == 0.5


def test_sims_clips_both_sides_for_the_error_too() -> None:
    assert score([5.0, -1.0], [1.0, -3.0], "sims")["mae"] == 0.0


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_sims_edges_belong_to_the_lower_bin_in_either_precision(kind: type) -> None:
    edges = np.array([-0.7, -0.1, 0.0, 0.1, 0.7], dtype=kind)
    below = np.array([-0.8, -0.2, -0.05, 0.05, 0.6], dtype=kind)
    figures = score(below, edges, "sims")
    assert figures["acc5"] == 1.0
    assert figures["acc2"] == pytest.approx(1.0)
    assert score(edges + kind(0.02), edges, "sims")["acc5"] == pytest.approx(1 / 5)


@pytest.mark.parametrize(("scheme", "names"), [("mosi", MOSI), ("sims", SIMS)])
def test_constant_predictions_have_no_correlation_and_all_else(scheme: str, names: tuple[str, ...]) -> None:
    figures = score(np.full(7, 0.1), np.linspace(-1, 1, 7), scheme)
    assert set(figures) == set(names)
    assert [name for name, value in figures.items() if math.isnan(value)] == ["corr"]


def test_labels_that_are_all_zero_leave_the_figures_without_zeros_undefined() -> None:
    figures = score([0.5, -0.5], [0.0, 0.0], "mosi")
    assert math.isnan(figures["acc2_non0"])
    assert math.isnan(figures["f1_non0"])
    assert figures["acc2_has0"] == 0.5


@pytest.mark.parametrize("scheme", ["mosi", "sims", "classes"])
@pytest.mark.parametrize(
    ("p", "y"), [([], []), ([1.0, math.nan], [1.0, -1.0]), ([math.inf, 1.0], [1.0, 2.0])]
)
def test_no_rows_and_predictions_that_are_not_numbers_leave_everything_undefined(
    scheme: str, p: list[float], y: list[float]
) -> None:
    assert all(math.isnan(value) for value in score(p, y, scheme).values())


def test_rows_without_a_label_are_left_out() -> None:
    assert score([1.0, 9.0, 2.0], [1.5, math.nan, 1.0], "mosi") == score([1.0, 2.0], [1.5, 1.0], "mosi")


def test_unknown_schemes_and_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="known: mosi, sims, classes"):
        score([1.0], [1.0], "imdb")
    with pytest.raises(ValueError, match="1 predictions for 2 labels"):
        score([1.0], [1.0, 2.0], "mosi")


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=25, deadline=None)
def test_the_figures_for_classes_are_scikit_learns(seed: int) -> None:
    from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

    random = np.random.default_rng(seed)
    y = np.r_[-2, 0, 2, random.choice([-2, 0, 2], 30)].astype(float)
    p = np.round(y / 2 + random.normal(0, 1.5, len(y)), 1)  # with ties
    predicted = np.where(p >= 1, 2.0, np.where(p < -1, -2.0, 0.0))
    signed = y != 0
    expected = {
        "uar": balanced_accuracy_score(y, predicted),
        "auc": roc_auc_score(y[signed] > 0, p[signed]),
        "accuracy": accuracy_score(y, predicted),
    }
    assert score(p, y, "classes") == pytest.approx(expected)


@pytest.mark.parametrize("scheme", ["mosi", "sims", "classes"])
def test_intervals_surround_the_figures_and_count_what_is_behind_them(scheme: str) -> None:
    random = np.random.default_rng(0)
    y = random.choice([-2.0, 0.0, 1.0, 2.0], 200)
    p = y + random.normal(0, 1, 200)
    intervals = bootstrap(p, y, scheme, rounds=300)
    assert {name: i.value for name, i in intervals.items()} == score(p, y, scheme)
    assert all(i.low <= i.value <= i.high for i in intervals.values())
    if scheme == "mosi":
        assert intervals["acc2_non0"].count == int((y != 0).sum())
        assert intervals["mae"].count == 200


def test_a_bootstrap_resamples_as_a_plain_loop_would() -> None:
    random = np.random.default_rng(1)
    y, p = random.normal(0, 1, 60), random.normal(0, 1, 60)
    drawn = np.random.default_rng(5).integers(60, size=(200, 60))
    figures = [score(p[rows], y[rows], "mosi") for rows in drawn]
    intervals = bootstrap(p, y, "mosi", rounds=200, level=0.8, seed=5)
    for name in MOSI:
        expected = np.quantile([f[name] for f in figures], [0.1, 0.9])
        assert [intervals[name].low, intervals[name].high] == pytest.approx(list(expected), abs=1e-9)


def test_a_bootstrap_is_repeatable_and_depends_on_its_seed() -> None:
    random = np.random.default_rng(2)
    y, p = random.normal(0, 1, 50), random.normal(0, 1, 50)
    assert bootstrap(p, y, "mosi", rounds=50, seed=1) == bootstrap(p, y, "mosi", rounds=50, seed=1)
    assert bootstrap(p, y, "mosi", rounds=50, seed=1) != bootstrap(p, y, "mosi", rounds=50, seed=2)


def test_intervals_of_what_is_undefined_are_undefined() -> None:
    for p, y in (([], []), ([0.3] * 5, [1.0, 2.0, 0.0, -1.0, 1.0])):
        interval = bootstrap(p, y, "mosi", rounds=20)["corr"]
        assert math.isnan(interval.value)
        assert math.isnan(interval.low)
        assert math.isnan(interval.high)


def test_a_thousand_resamples_of_a_large_split_take_little_memory_at_a_time() -> None:
    import tracemalloc

    random = np.random.default_rng(3)
    y = random.normal(0, 1, 50_000)
    tracemalloc.start()
    bootstrap(y + 1, y, "mosi", rounds=100)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 400e6


def test_classes_that_were_decided_for_count_in_place_of_the_nearest() -> None:
    estimates, labels = [0.4, -1.2, 0.9, -0.2], [2.0, -2.0, 2.0, 0.0]
    nearest = bootstrap(estimates, labels, "classes", rounds=20)
    decided = bootstrap(estimates, labels, "classes", decisions=[2.0, -2.0, 2.0, 0.0], rounds=20)
    assert (nearest["accuracy"].value, decided["accuracy"].value) == (0.5, 1.0)
    assert decided["auc"] == nearest["auc"], "ranks are those of the estimates"


def test_decisions_are_left_out_together_with_their_unlabelled_rows() -> None:
    found = bootstrap(
        [0.1, 0.2, 0.3], [2.0, float("nan"), -2.0], "classes", decisions=[2.0, 0.0, -2.0], rounds=5
    )
    assert (found["accuracy"].value, found["accuracy"].count) == (1.0, 2)


def test_rows_of_one_video_are_drawn_together_so_that_intervals_are_wider() -> None:
    random = np.random.default_rng(0)
    video = np.repeat(np.arange(12), 20)
    y = random.uniform(-3, 3, 240)
    p = y + random.normal(0, 1, 12)[video] + 0.1 * random.normal(0, 1, 240)
    rows = bootstrap(p, y, "mosi", rounds=300)["mae"]
    videos = bootstrap(p, y, "mosi", rounds=300, groups=video.astype(str).tolist())["mae"]
    assert rows.value == videos.value
    assert videos.high - videos.low > 2 * (rows.high - rows.low)


def test_every_row_a_group_of_its_own_is_the_plain_bootstrap() -> None:
    p, y = np.random.default_rng(0).uniform(-3, 3, (2, 40))
    names = [f"{i:02d}" for i in range(40)]
    assert bootstrap(p, y, "mosi", rounds=50, groups=names) == bootstrap(p, y, "mosi", rounds=50)


def test_one_video_alone_gives_no_interval() -> None:
    p, y = np.random.default_rng(0).uniform(-3, 3, (2, 40))
    interval = bootstrap(p, y, "mosi", rounds=50, groups=["v"] * 40)["mae"]
    assert np.isfinite(interval.value)
    assert np.isnan(interval.low)
