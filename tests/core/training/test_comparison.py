"""Runs beside each other: what differs, means over seeds, the paired test."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.training.comparison import Compared, compare, differing, paired, sign_flip_p, spread


def run(name: str, seed: int, mae: float | None, **values: object) -> Compared:
    told = {"training.seed": seed, "training.epochs": 50, "alignment.weight": 0.1}
    return Compared(f"/runs/{name}-{seed}", name, seed, {**told, **values}, "data", {"mae": mae})


def test_only_settings_that_differ_are_told() -> None:
    runs = [run("a", 1, 0.9), run("b", 1, 0.8, **{"alignment.weight": 0.0})]
    assert differing(runs) == {"alignment.weight": [0.1, 0.0]}


def test_a_setting_that_one_run_does_not_have_differs() -> None:
    assert differing([run("a", 1, 0.9), run("b", 1, 0.8, new=True)]) == {"new": [None, True]}


def test_runs_that_differ_in_their_seed_are_one_group() -> None:
    told = compare([run("a", seed, 0.9 + seed / 100) for seed in (1, 2, 3)] + [run("b", 1, 0.7, x=1)])
    assert [group["seeds"] for group in told["groups"]] == [[1, 2, 3], [1]]
    assert told["groups"][0]["figures"]["mae"]["mean"] == pytest.approx(0.92)
    assert told["groups"][0]["figures"]["mae"]["sd"] == pytest.approx(0.01)


def test_runs_on_other_data_are_another_group() -> None:
    other = Compared("/runs/c", "c", 1, run("a", 1, 0).settings, "other data")
    assert len(compare([run("a", 1, 0.9), other])["groups"]) == 2


def test_what_is_undefined_says_why() -> None:
    assert spread([0.5]).sd is None
    assert "more seeds" in spread([0.5]).why
    assert spread([None, None]).mean is None
    assert "no run" in spread([None]).why
    assert "1 of 3" in spread([0.5, 0.6, None]).why
    assert "share no seed" in paired({1: 0.5}, {2: 0.5}).why
    assert paired({1: 0.5}, {1: 0.4}).p is None


def test_few_pairs_say_how_small_p_can_be() -> None:
    five = {seed: 0.9 for seed in range(5)}
    found = paired(five, {seed: 0.8 for seed in range(5)})
    assert found.p == pytest.approx(2 / 2**5)
    assert "0.0625" in found.why


def test_a_seed_that_is_there_twice_is_not_silently_dropped() -> None:
    told = compare([run("a", 1, 0.9), run("a", 1, 0.8), run("b", 1, 0.7, x=1)])
    assert "twice" in told["tests"][0]["figures"]["mae"]["why"]


def test_the_test_pairs_by_seed_whatever_the_order() -> None:
    runs = [run("a", s, s / 10) for s in (1, 2, 3)] + [run("b", s, s / 10 + 0.05, x=1) for s in (3, 1, 2)]
    found = compare(runs)["tests"][0]["figures"]["mae"]
    assert found["difference"] == pytest.approx(-0.05)
    assert found["p"] == pytest.approx(0.25)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(-50, 50), min_size=2, max_size=8))
def test_exact_p_is_scipys(differences: list[int]) -> None:
    from scipy.stats import permutation_test

    def mean(x: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.mean(x, axis=axis)

    theirs = permutation_test(
        (np.array(differences, dtype=float),),
        mean,
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    # scipy doubles the smaller tail, which is ours as signs are symmetric.
    assert sign_flip_p(differences) == pytest.approx(theirs.pvalue)


def test_many_pairs_are_sampled_close_to_the_exact_p() -> None:
    differences = list(np.random.default_rng(3).normal(0.4, 1.0, 20))
    signs = 1 - 2 * ((np.arange(2**20)[:, None] >> np.arange(20)) & 1)
    exact = (np.abs(signs @ np.array(differences)) >= abs(sum(differences)) - 1e-9).mean()
    assert sign_flip_p(differences) == pytest.approx(exact, abs=0.01)


def test_figures_of_different_data_are_not_paired() -> None:
    here = [run("a", seed, 0.9) for seed in (1, 2)]
    there = [
        Compared(f"/runs/c-{seed}", "c", seed, run("a", seed, 0).settings, "other", {"mae": 0.6})
        for seed in (1, 2)
    ]
    told = compare([*here, *there])["tests"][0]["figures"]["mae"]
    assert told["p"] is None
    assert "data differ" in told["why"]
