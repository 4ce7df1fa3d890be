"""A model is used on clips only with what it learned from this program's own features."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.errors import ModelError
from core.inference.predictor import DROPPED, UNKNOWN, Predictor
from core.model import checkpoint, chosen
from core.model.checkpoint import Meta
from core.model.network import Network
from core.training.settings import NetworkSettings
from core.types import AUDIO_WIDTH, EXTRACTOR_VERSION, VISUAL_WIDTH, ClipFeatures, Transcript

OWN = f"extractor:{EXTRACTOR_VERSION}"


@pytest.fixture
def made(tiny_text_encoder: Path, tmp_path: Path) -> Any:
    """A function that saves a run's model of these features, voices of that width; it gives the folder."""

    def make(
        features: dict[str, str] | None = None,
        audio: int = AUDIO_WIDTH,
        encoder: str = str(tiny_text_encoder),
    ) -> Path:
        settings = NetworkSettings(text_encoder=encoder, text_vector_width=6, audio_input_width=audio)
        network = Network(settings)
        known = {"text": OWN, "audio": OWN, "visual": OWN} | (features or {})
        checkpoint.save(tmp_path / "run" / "model", network, Meta(name="m", version="1", features=known))
        return tmp_path / "run"

    return make


def clip() -> ClipFeatures:
    return ClipFeatures(
        duration=2.0,
        transcript=Transcript("it was good", ""),
        audio=np.ones((60, AUDIO_WIDTH), np.float32),
        voiced=np.ones(60, dtype=bool),
        visual=np.ones((20, VISUAL_WIDTH), np.float32),
    )


def test_a_model_of_our_features_is_used_whole(made: Any) -> None:
    folder = made()
    assert chosen.usable(folder) is None
    assert Predictor(checkpoint.load(folder)).predict(clip(), "c").missing == {}


def test_a_foreign_modality_is_named_and_the_model_refused(made: Any) -> None:
    folder = made({"audio": "foreign"}, audio=74)
    assert chosen.usable(folder) == "It learned the voice from features that came with its data."
    with pytest.raises(ModelError, match="cannot read clips"):
        Predictor(checkpoint.load(folder))


def test_who_agrees_to_leave_it_out_uses_the_rest(made: Any) -> None:
    folder = made({"audio": "foreign"}, audio=74)
    chosen.agree(folder, ["audio"])
    assert chosen.usable(folder) is None
    answer = Predictor(checkpoint.load(folder), chosen.dropped(folder)).predict(clip(), "c")
    assert answer.missing == {"audio": DROPPED}
    assert answer.estimates["audio"] is None
    assert answer.estimates["multimodal"] is not None
    chosen.agree(folder, [])
    assert chosen.dropped(folder) == ()


def test_a_modality_it_was_never_shown_is_not_asked_for(made: Any) -> None:
    answer = Predictor(checkpoint.load(made({"visual": "absent"}))).predict(clip(), "c")
    assert answer.missing == {"visual": UNKNOWN}


def test_features_of_another_version_are_foreign(made: Any) -> None:
    why = chosen.usable(made({"visual": "extractor:0"}))
    assert why is not None
    assert why.startswith("It learned the face from features of version 0;")


def test_text_vectors_are_foreign_whatever_the_model_says(made: Any) -> None:
    assert chosen.usable(made(encoder="")) == "It learned the words from features that came with its data."


def test_nothing_is_used_where_everything_is_left_out(made: Any) -> None:
    folder = made()
    chosen.agree(folder, ["text", "audio", "visual"])
    assert chosen.usable(folder) == "Nothing is left that it can judge."


def test_a_run_without_a_finished_model_says_so(tmp_path: Path) -> None:
    assert chosen.usable(tmp_path) == "This run has no finished model."


def test_the_agreement_is_of_that_model_wherever_it_lies(made: Any, tmp_path: Path) -> None:
    folder = made()
    chosen.agree(folder, ["text"])
    moved = folder.rename(tmp_path / "other")
    assert chosen.dropped(moved) == ("text",)
    assert chosen.dropped(folder) == ()


def test_a_model_trained_anew_in_the_same_folder_is_asked_about_anew(made: Any) -> None:
    chosen.agree(made({"audio": "foreign"}, audio=74), ["audio"])
    folder = made({"audio": "foreign"}, audio=74)
    assert chosen.dropped(folder) == ()
    assert chosen.usable(folder) == "It learned the voice from features that came with its data."


def test_nothing_is_agreed_of_a_folder_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no model"):
        chosen.agree(tmp_path, ["text"])
