"""Answers of the predictor on features made here: what is there, what is missing, and when."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from core.errors import ModelError
from core.inference.answer import to_json, to_window_json
from core.inference.predictor import Predictor
from core.inference.spans import ending_at, moments, whole
from core.types import (
    AUDIO_RATE,
    AUDIO_WIDTH,
    HEADS,
    MODALITIES,
    VISUAL_RATE,
    VISUAL_WIDTH,
    ClipFeatures,
    Estimate,
    Transcript,
    Word,
)

Make = Callable[..., Any]


def clip(seconds: float = 6.0, words: str = "it was a very good film", language: str = "en") -> ClipFeatures:
    draw = np.random.default_rng(5)
    spoken = words.split()
    each = seconds / max(1, len(spoken))
    timed = tuple(Word(word, i * each, (i + 1) * each, 0.9) for i, word in enumerate(spoken))
    audio = draw.normal(size=(int(seconds * AUDIO_RATE), AUDIO_WIDTH)).astype(np.float32)
    visual = draw.random((int(seconds * VISUAL_RATE), VISUAL_WIDTH)).astype(np.float32)
    visual[:, -1] = 1
    return ClipFeatures(
        duration=seconds,
        transcript=Transcript(words, language, timed),
        audio=audio,
        voiced=np.ones(len(audio), dtype=bool),
        visual=visual,
        seconds={"decode": 0.1, "transcribe": 0.2, "extract": 0.3},
    )


@pytest.fixture(scope="module")
def predictor(make_checkpoint: Make) -> Predictor:
    return Predictor(make_checkpoint())


def test_a_whole_clip_has_every_estimate_its_curve_and_the_alignment(predictor: Predictor) -> None:
    analysis = predictor.predict(clip(), "a.mp4")
    assert set(analysis.estimates) == set(HEADS)
    assert all(analysis.estimates.values())
    assert analysis.curve.time == [0.5 * number for number in range(1, 13)]
    assert analysis.alignment is not None
    assert analysis.missing == {}
    assert analysis.seconds["predict"] > 0


def test_intervals_are_the_calibrated_half_widths_of_what_is_present(predictor: Predictor) -> None:
    def half_width(analysis: Any, head: str) -> float:
        estimate = analysis.estimates[head]
        return (estimate.high - estimate.low) / 2

    everything = predictor.predict(clip(), "")
    assert half_width(everything, "text") == pytest.approx(0.5)
    assert half_width(everything, "multimodal") == pytest.approx(0.4)
    assert everything.estimates["visual"].low is None, "the face of this model is not calibrated"
    silent = predictor.predict(dataclasses.replace(clip(), transcript=None), "")
    assert half_width(silent, "multimodal") == pytest.approx(0.7)
    wordless = predictor.predict(dataclasses.replace(clip(), visual=None), "")
    assert wordless.estimates["multimodal"].low is None, "no calibration for text and voice alone"


@pytest.mark.parametrize("lost", MODALITIES)
def test_a_missing_modality_has_its_reason_and_no_number_anywhere(predictor: Predictor, lost: str) -> None:
    features = clip()
    gone = {"transcript" if lost == "text" else lost: None, "missing": {lost: "a reason"}}
    analysis = predictor.predict(dataclasses.replace(features, **gone), "")
    assert analysis.missing == {lost: "a reason"}
    assert analysis.estimates[lost] is None
    assert analysis.curve.values[lost] == [None] * 12
    assert analysis.estimates["multimodal"] is not None


def test_a_clip_without_anything_to_judge_has_no_estimate_but_an_answer(predictor: Predictor) -> None:
    analysis = predictor.predict(ClipFeatures(duration=2.0), "")
    assert not any(analysis.estimates.values())
    assert set(analysis.missing) == set(MODALITIES)
    assert analysis.alignment is None
    assert analysis.alignment_reason


def test_a_language_that_the_model_does_not_know_makes_text_missing_but_is_shown(
    predictor: Predictor,
) -> None:
    analysis = predictor.predict(clip(language="de"), "")
    assert analysis.missing == {"text": "language"}
    assert analysis.estimates["text"] is None
    assert set(analysis.curve.values["text"]) == {None}
    assert analysis.transcript is not None


def test_a_typed_transcript_needs_no_language(predictor: Predictor) -> None:
    assert predictor.predict(clip(language=""), "").estimates["text"] is not None


def test_the_curve_at_a_moment_is_the_estimate_of_the_three_seconds_before_it(predictor: Predictor) -> None:
    features = clip(seconds=6.0)
    features.voiced[70:90] = False
    heard = slice(round(2 * AUDIO_RATE), round(5 * AUDIO_RATE))
    at = predictor.predict(features, "").curve.time.index(5.0)
    curve = predictor.predict(features, "").curve
    cut = dataclasses.replace(
        features,
        duration=3.0,
        transcript=Transcript("a very good", "en"),  # the words whose middle lies in 2 s … 5 s
        audio=features.audio[heard],
        voiced=features.voiced[heard],
        visual=features.visual[20:50],
    )
    alone = predictor.predict(cut, "").estimates
    for head in HEADS:
        assert curve.values[head][at] == pytest.approx(alone[head].value, abs=1e-5)


def test_the_curve_has_gaps_where_nobody_speaks_and_no_face_is_seen(predictor: Predictor) -> None:
    features = clip(seconds=8.0)
    features.voiced[: round(4 * AUDIO_RATE)] = False
    features.visual[-40:, -1] = 0
    curve = predictor.predict(features, "").curve
    heard = [value is not None for value in curve.values["audio"]]
    seen = [value is not None for value in curve.values["visual"]]
    assert heard == [moment > 4.2 for moment in curve.time]
    assert seen == [moment < 6.8 for moment in curve.time]


def test_only_frames_with_a_voice_are_judged() -> None:
    features = clip(seconds=4.0)
    features.voiced[20:80] = False
    heard = features.audio[features.voiced]
    np.testing.assert_array_equal(whole(features).audio, heard)
    np.testing.assert_array_equal(ending_at(features, 1.5).audio, features.audio[:20])
    unknown = dataclasses.replace(features, voiced=None)
    assert len(ending_at(unknown, 1.0).audio) == round(AUDIO_RATE)


def test_a_clip_in_which_nobody_speaks_has_no_estimate_of_the_voice(predictor: Predictor) -> None:
    features = clip()
    features.voiced[:] = False
    analysis = predictor.predict(features, "")
    assert analysis.estimates["audio"] is None
    assert analysis.estimates["multimodal"] is not None


def test_a_window_needs_a_word_or_a_third_of_a_second_of_voice_or_face() -> None:
    features = clip(seconds=4.0, words="good")
    features.voiced[:] = False
    features.visual[:, -1] = 0
    sample = ending_at(features, 1.5)
    assert (sample.text, sample.audio, sample.visual) == (None, None, None)
    features.voiced[:10] = True
    features.visual[:3, -1] = 1
    sample = ending_at(features, 2.5)
    assert sample.text == "good"
    assert sample.audio is not None
    assert sample.visual is not None


@pytest.mark.parametrize(("seconds", "count"), [(0.0, 0), (0.4, 0), (0.5, 1), (3.2, 6), (60.0, 120)])
def test_a_curve_has_a_moment_each_half_second(seconds: float, count: int) -> None:
    assert len(moments(seconds)) == count


def test_a_still_is_a_face_without_a_curve(predictor: Predictor) -> None:
    still = ClipFeatures(
        duration=0.0,
        visual=clip().visual[:1],
        missing={"text": "no sound", "audio": "no sound"},
    )
    analysis = predictor.predict(still, "face.jpg")
    assert analysis.estimates["visual"] is not None
    assert analysis.curve.time == []
    assert to_json(analysis)["missing"][0] == {"modality": "text", "reason": "no sound"}


def test_estimates_and_intervals_stay_on_the_scale(make_checkpoint: Make) -> None:
    checkpoint = make_checkpoint()
    with torch.no_grad():
        checkpoint.network.heads["text"].last.bias += 100
    analysis = Predictor(checkpoint).predict(clip(), "")
    estimate = analysis.estimates["text"]
    assert (estimate.value, estimate.low, estimate.high) == (3.0, 3.0, 3.0)
    assert set(analysis.curve.values["text"]) == {3.0}


def test_features_of_another_version_are_refused(make_checkpoint: Make) -> None:
    with pytest.raises(ModelError, match="version 99"):
        Predictor(make_checkpoint(extractor_version=99))


def test_a_model_of_a_data_sets_own_features_is_refused(make_checkpoint: Make) -> None:
    with pytest.raises(ModelError, match="own features"):
        Predictor(make_checkpoint(network={"audio_input_width": 5}))


def test_the_json_has_exactly_the_documented_keys_and_only_finite_numbers(predictor: Predictor) -> None:
    answer = to_json(predictor.predict(clip(), "a.mp4"))
    keys = "file duration transcript estimates curve alignment missing model scale seconds"
    assert list(answer) == keys.split()
    assert list(answer["estimates"]) == list(HEADS)
    assert list(answer["estimates"]["multimodal"]) == ["value", "low", "high"]
    assert list(answer["curve"]) == ["time", *HEADS]
    assert {"distance", "percentile", "windows", "reference"} <= set(answer["alignment"])
    assert list(answer["transcript"]) == ["text", "language", "words"]
    assert list(answer["transcript"]["words"][0]) == ["text", "start", "end", "probability"]
    assert list(answer["seconds"]) == ["decode", "transcribe", "extract", "predict"]
    json.dumps(answer, allow_nan=False)


def test_of_several_faces_the_json_notes_that_one_is_judged(predictor: Predictor) -> None:
    answer = to_json(predictor.predict(dataclasses.replace(clip(), faces=3), "a.mp4"))
    assert answer["notes"] == ["3 faces were seen at once; one of them is judged, at first the largest."]
    faceless = dataclasses.replace(clip(), faces=3, visual=None)
    assert "notes" not in to_json(predictor.predict(faceless, "a.mp4"))


def test_the_window_also_gets_the_matrices_and_what_they_mean(predictor: Predictor) -> None:
    answer = to_window_json(predictor.predict(clip(), "a.mp4"))
    width = len(answer["covariance"]["audio"])
    assert all(len(row) == width for row in answer["covariance"]["visual"])
    assert "windows of one second" in answer["alignment"]["meaning"]
    assert answer["alignment_reason"] == ""
    short = to_window_json(predictor.predict(clip(seconds=1.0), "a.mp4"))
    assert short["covariance"] is None
    assert "8 are needed" in short["alignment_reason"]


def test_a_number_that_is_not_finite_is_null_in_the_json(predictor: Predictor) -> None:
    analysis = predictor.predict(clip(), "")
    broken = dataclasses.replace(analysis, estimates={**analysis.estimates, "text": Estimate(float("nan"))})
    assert to_json(broken)["estimates"]["text"] == {"value": None, "low": None, "high": None}
