"""The covariance picture of one clip, against matrices made here."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.diagnostics.covariance import Reference, build_reference, describe, measure
from core.diagnostics.reference import FILE
from core.diagnostics.windows import (
    FIXED_WINDOWS,
    fixed_distance,
    matrix_distance,
    paired_windows,
    represent,
    runs,
    shrunk_correlation,
    shrunk_correlations,
)
from core.errors import ModelError
from core.types import AUDIO_RATE, AUDIO_WIDTH, VISUAL_RATE, VISUAL_WIDTH, Alignment, ClipFeatures

WIDTH = 6


class MeansOfFeatures:
    """Encoders whose answer is known: the mean of the first features over the window."""

    def encode_audio(self, audio_btd: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        return audio_btd.sum(dim=1) / length[:, None]

    def encode_visual(self, visual_btd: torch.Tensor, length: torch.Tensor) -> torch.Tensor:
        return visual_btd.mean(dim=1)

    def align_audio(self, encoded: torch.Tensor) -> torch.Tensor:
        return encoded[:, :WIDTH]

    def align_visual(self, encoded: torch.Tensor) -> torch.Tensor:
        return encoded[:, :WIDTH]


def clip(seconds: float, seed: int = 0) -> ClipFeatures:
    draw = np.random.default_rng(seed)
    audio = draw.normal(size=(round(seconds * AUDIO_RATE), AUDIO_WIDTH)).astype(np.float32)
    visual = draw.normal(size=(round(seconds * VISUAL_RATE), VISUAL_WIDTH)).astype(np.float32)
    visual[:, -1] = 1
    return ClipFeatures(duration=seconds, audio=audio, voiced=np.ones(len(audio), dtype=bool), visual=visual)


@pytest.mark.parametrize(("seconds", "count"), [(0.5, 0), (1, 1), (2.75, 8), (5, 17)])
def test_a_clip_has_a_window_each_quarter_second(seconds: float, count: int) -> None:
    windows = paired_windows(clip(seconds))
    assert windows is not None
    assert len(windows) == count
    assert {voice.shape for voice in windows.audio} <= {(31, AUDIO_WIDTH)}
    assert windows.visual.shape[1:] == (10, VISUAL_WIDTH)


def test_windows_without_voice_or_without_face_are_left_out() -> None:
    features = clip(6)
    features.voiced[: round(2 * AUDIO_RATE)] = False
    features.visual[-20:, -1] = 0
    windows = paired_windows(features)
    assert windows is not None
    assert 0 < len(windows) < 17
    first = np.flatnonzero((windows.audio[0] == features.audio[:, None]).all(-1).any(-1))[0]
    assert first / AUDIO_RATE == pytest.approx(2, abs=0.05), "the voice of the first window begins here"
    assert len(windows.audio[0]) == pytest.approx(AUDIO_RATE / 2, abs=2), "its silent half is not read"
    assert len(windows.audio[-1]) == 31
    z_audio, _ = represent(MeansOfFeatures(), windows)
    np.testing.assert_allclose(z_audio[0], windows.audio[0].mean(axis=0)[:WIDTH], atol=1e-6)


def test_too_few_windows_give_no_alignment_but_a_reason_with_the_numbers() -> None:
    alignment, reason = measure(MeansOfFeatures(), clip(2.5))
    assert alignment is None
    assert "7 windows" in reason
    assert "8 are needed" in reason


def test_a_clip_without_a_face_says_so() -> None:
    alignment, reason = measure(MeansOfFeatures(), dataclasses.replace(clip(5), visual=None))
    assert alignment is None
    assert reason == "There is no face in the clip to compare with the voice."


def test_the_same_rows_are_no_distance_apart_and_independent_ones_are() -> None:
    draw = np.random.default_rng(1)
    rows = draw.normal(size=(20, WIDTH)) @ draw.normal(size=(WIDTH, WIDTH))
    assert fixed_distance(runs(rows), runs(rows)) == 0
    assert fixed_distance(runs(rows), runs(draw.normal(size=(20, WIDTH)))) > 0


@given(scale=st.floats(1e-3, 1e3), offset=st.floats(-1e3, 1e3), seed=st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_the_shown_matrix_does_not_depend_on_loudness_or_offset(
    scale: float, offset: float, seed: int
) -> None:
    rows = np.random.default_rng(seed).normal(size=(12, WIDTH))
    expected = shrunk_correlation(rows)
    np.testing.assert_allclose(shrunk_correlation(rows * scale + offset), expected, atol=1e-6)
    np.testing.assert_allclose(np.diagonal(expected), 1)
    assert np.linalg.eigvalsh(expected).min() > 0


@given(count=st.integers(4, 30), width=st.integers(1, 12), seed=st.integers(0, 999))
@settings(max_examples=30, deadline=None)
def test_the_shrunk_covariance_is_that_of_scikit_learn(count: int, width: int, seed: int) -> None:
    from sklearn.covariance import ledoit_wolf

    draw = np.random.default_rng(seed)
    sets = draw.normal(size=(3, count, width)) @ draw.normal(size=(width, width)) + draw.normal(size=width)
    for rows, found in zip(sets, shrunk_correlations(sets), strict=True):
        covariance, _ = ledoit_wolf(rows)
        deviation = np.sqrt(np.diagonal(covariance))
        np.testing.assert_allclose(found, covariance / np.outer(deviation, deviation), atol=1e-9)


def test_rows_that_never_change_give_the_identity_not_nan() -> None:
    np.testing.assert_array_equal(shrunk_correlation(np.full((9, 4), 3.0)), np.eye(4))


def test_the_distance_is_the_formula_of_the_alignment_loss() -> None:
    draw = np.random.default_rng(2)
    first, second = draw.normal(size=(2, 3, 3))
    by_hand = sum((first[i, j] - second[i, j]) ** 2 for i in range(3) for j in range(3)) / (4 * 9)
    assert matrix_distance(first, second) == pytest.approx(by_hand)


def test_a_long_clip_is_compared_at_the_same_number_of_windows_as_a_short_one() -> None:
    """At all its rows a long clip of the same two patterns would lie elsewhere than a short one."""
    draw = np.random.default_rng(3)
    mixing = draw.normal(size=(2, WIDTH, WIDTH))
    long = draw.normal(size=(2, 400, WIDTH)) @ mixing
    pieces = [long[:, start : start + FIXED_WINDOWS] for start in range(0, 400, FIXED_WINDOWS)]
    short = np.mean([fixed_distance(runs(a), runs(v)) for a, v in pieces])
    whole = matrix_distance(*(shrunk_correlation(rows) for rows in long))
    compared = fixed_distance(*(runs(rows) for rows in long))
    assert compared == pytest.approx(short, rel=0.25)
    assert abs(whole - short) > abs(compared - short)


def test_a_reference_leaves_out_recordings_too_short_and_gives_no_percentile_below_thirty() -> None:
    reference = build_reference(MeansOfFeatures(), [clip(5, 1), clip(2, 2), clip(4, 3)], "two people")
    alignment, _ = measure(MeansOfFeatures(), clip(5, 9), reference)
    assert alignment is not None
    assert alignment.reference == {"name": "two people", "count": 2}
    assert alignment.percentile is None
    assert alignment.shuffled is not None
    assert alignment.shuffled > 0


def test_the_shuffled_distance_is_the_same_each_time() -> None:
    reference = build_reference(MeansOfFeatures(), [clip(5, 1), clip(4, 3)], "two")
    first, second = (measure(MeansOfFeatures(), clip(5, 9), reference)[0] for _ in range(2))
    assert first == second


def ranked(distances: list[float]) -> Reference:
    count = len(distances)
    return Reference(
        "made up", np.array(distances), np.zeros((count * 8, 2)), np.full(count, 8, dtype=np.int64)
    )


def test_the_percentile_counts_the_recordings_below_and_half_the_ties() -> None:
    reference = ranked([*range(29), 28.0])
    assert reference.percentile(-1) == 0
    assert reference.percentile(99) == 100
    assert reference.percentile(28.0) == pytest.approx(100 * 29 / 30)


def test_a_reference_comes_back_from_its_folder(tmp_path: Path) -> None:
    reference = build_reference(MeansOfFeatures(), [clip(5, 1), clip(4, 3)], "two — in a folder")
    reference.save(tmp_path)
    again = Reference.load(tmp_path)
    assert again is not None
    assert again.name == reference.name
    np.testing.assert_allclose(again.visual, reference.visual, rtol=1e-6)
    np.testing.assert_allclose(again.distances, reference.distances, rtol=1e-6)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_no_reference_is_none_and_a_damaged_one_is_a_model_error(tmp_path: Path) -> None:
    assert Reference.load(tmp_path) is None
    (tmp_path / FILE).write_bytes(b"\xff" * 40)
    with pytest.raises(ModelError, match=r"reference\.safetensors"):
        Reference.load(tmp_path)


def alignment(
    distance: float, percentile: float | None, shuffled: float | None, count: int, windows: int = 16
) -> Alignment:
    spread = None if shuffled is None else (0.6 * shuffled, 1.4 * shuffled)
    reference: dict[str, str | int] = {"name": "GRID", "count": count}
    return Alignment(distance, windows, percentile, shuffled, reference, [[1.0]], [[1.0]], spread)


@pytest.mark.parametrize(
    ("distance", "verdict"),
    [(0.5, "face better"), (0.8, "no difference"), (1.3, "no difference"), (1.5, "face worse")],
)
def test_the_words_claim_a_difference_only_outside_the_spread_of_shuffled_faces(
    distance: float, verdict: str
) -> None:
    assert verdict in describe(alignment(distance, None, 1.0, 16))


def test_of_a_short_clip_the_words_claim_nothing_however_far_it_lies() -> None:
    for distance in (0.01, 9.0):
        told = describe(alignment(distance, None, 1.0, 16, windows=15))
        assert "too short to say" in told
        assert "so it fits" not in told


def test_the_spread_of_shuffled_distances_lies_around_their_mean() -> None:
    reference = build_reference(MeansOfFeatures(), [clip(5, 1), clip(4, 3)], "two")
    alignment, _ = measure(MeansOfFeatures(), clip(5, 9), reference)
    assert alignment is not None
    assert alignment.shuffled_range is not None
    low, high = alignment.shuffled_range
    assert 0 < low < alignment.shuffled < high


def test_the_words_say_why_there_is_no_percentile_and_what_one_means() -> None:
    assert "16 recordings" in describe(alignment(0.1, None, 0.1, 16))
    assert "62 %" in describe(alignment(0.1, 62.0, 0.1, 40))
    assert "no reference" in describe(alignment(0.1, None, None, 0))
