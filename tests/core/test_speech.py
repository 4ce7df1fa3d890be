"""When somebody speaks and what is said, on clips whose words are known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import AssetError, Cancelled
from core.media import SAMPLE_RATE, read_audio
from core.speech import CHUNK_SECONDS, Recogniser, align_typed, voice_activity

HAPPY = "ravdess_01-01-03-01-01-02-05.mp4"


@pytest.fixture(scope="module")
def spoken(shared_data: Path) -> np.ndarray:
    return read_audio(shared_data / "clips" / HAPPY)


@pytest.fixture(scope="module")
def quick(assets: Path) -> Recogniser:
    return Recogniser("tiny.en")


def words_of(text: str) -> list[str]:
    return text.lower().strip(" .!?").split()


def test_voice_activity_is_where_the_sentence_is(spoken: np.ndarray) -> None:
    ((start, end),) = voice_activity(spoken)
    assert 0.5 < start < 1.2
    assert 2.0 < end < 2.8


@pytest.mark.parametrize("name", ["pyfeat_no_face.mp4", "pyfeat_single_face.mp4"])
def test_music_and_a_quiet_room_are_no_speech(shared_data: Path, name: str) -> None:
    assert voice_activity(read_audio(shared_data / "clips" / name)) == []


@pytest.mark.parametrize("samples", [0, 1, 100, 16000])
def test_silence_of_any_length_is_no_speech(samples: int) -> None:
    assert voice_activity(np.zeros(samples, dtype=np.float32)) == []


def test_a_sentence_is_recognised_with_its_words_in_order(quick: Recogniser, spoken: np.ndarray) -> None:
    fractions: list[float] = []
    heard = quick.transcribe(spoken, fractions.append)
    assert words_of(heard.text) == ["kids", "are", "talking", "by", "the", "door"]
    assert heard.language == "en"
    assert [word.text for word in heard.words][:2] == ["Kids", "are"]
    times = [time for word in heard.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert 0.4 < times[0] < times[-1] < len(spoken) / SAMPLE_RATE
    assert all(0 <= word.probability <= 1 for word in heard.words)
    assert fractions[-1] == 1.0


def test_the_same_sound_gives_the_same_words(quick: Recogniser, spoken: np.ndarray) -> None:
    assert quick.transcribe(spoken) == quick.transcribe(spoken)


def test_silence_gives_no_words_and_needs_no_model() -> None:
    heard = Recogniser("nowhere").transcribe(np.zeros(SAMPLE_RATE, dtype=np.float32))
    assert (heard.text, heard.language, heard.words) == ("", "", ())


def test_long_pauses_part_the_recognition_and_keep_the_times(quick: Recogniser, spoken: np.ndarray) -> None:
    pause = np.zeros(20 * SAMPLE_RATE, dtype=np.float32)
    heard = quick.transcribe(np.concatenate([spoken, pause, spoken]))
    assert words_of(heard.text).count("kids") == 2
    later = len(spoken) / SAMPLE_RATE + 20
    again = [word for word in heard.words if word.text == "Kids"][1]
    assert again.start == pytest.approx(heard.words[0].start + later, abs=0.15)


def test_speech_without_a_pause_is_cut_to_what_the_model_hears_at_once(spoken: np.ndarray) -> None:
    ((start, end),) = voice_activity(spoken)
    sentence = spoken[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
    stretches = voice_activity(np.tile(sentence, 40))
    assert max(end - start for start, end in stretches) <= CHUNK_SECONDS


def test_many_languages_are_known_to_the_base_model(assets: Path, spoken: np.ndarray) -> None:
    heard = Recogniser("base").transcribe(spoken)
    assert heard.language == "en"
    assert words_of(heard.text) == ["kids", "are", "talking", "by", "the", "door"]


def test_a_language_that_is_only_guessed_is_presumed_to_be_english(assets: Path, shared_data: Path) -> None:
    mumbled = read_audio(shared_data / "clips" / "grid_bbaf2n.mpg")
    assert Recogniser("base").transcribe(mumbled).language == "en"


def test_recognition_stops_when_asked(quick: Recogniser, spoken: np.ndarray) -> None:
    with pytest.raises(Cancelled):
        quick.transcribe(spoken, cancelled=lambda: True)


def test_an_unknown_model_says_which_there_are(spoken: np.ndarray) -> None:
    with pytest.raises(AssetError, match="huge") as raised:
        Recogniser("huge").transcribe(spoken)
    assert "tiny.en" in raised.value.remedy


def test_a_broken_model_folder_is_an_error_of_the_users_world(tmp_path: Path, spoken: np.ndarray) -> None:
    (tmp_path / "model.bin").write_bytes(b"no model")
    with pytest.raises(AssetError, match=tmp_path.name):
        Recogniser(str(tmp_path)).transcribe(spoken)


def test_a_folder_with_a_model_is_taken(assets: Path, spoken: np.ndarray) -> None:
    folder = Recogniser(str(assets / "whisper-tiny.en"))
    assert "kids" in words_of(folder.transcribe(spoken).text)
    assert folder.identity != Recogniser("tiny.en").identity


def test_typed_words_are_spread_over_the_speech_by_their_letters() -> None:
    typed = align_typed("well  I am\nhappy", [(1.0, 2.0), (5.0, 6.0)])
    assert typed.text == "well I am happy"
    assert typed.language == ""
    assert {word.probability for word in typed.words} == {None}
    first, last = typed.words[0], typed.words[-1]
    assert (first.start, first.end) == (1.0, pytest.approx(1 + 2 * 5 / 16))
    assert (last.start, last.end) == (pytest.approx(5 + 2 * 2 / 16), 6.0)


def test_typed_words_without_any_speech_are_at_the_start() -> None:
    assert {(word.start, word.end) for word in align_typed("a b", []).words} == {(0.0, 0.0)}
    assert align_typed(" ", [(0.0, 1.0)]).words == ()


@given(
    st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=1, max_size=30),
    st.lists(st.floats(0.01, 10.0), min_size=2, max_size=12).map(lambda steps: np.cumsum(steps).tolist()),
)
def test_typed_words_keep_their_order_and_stay_within_the_speech(
    words: list[str], edges: list[float]
) -> None:
    speech = list(zip(edges[::2], edges[1::2], strict=False))
    typed = align_typed(" ".join(words), speech)
    times = [time for word in typed.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert speech[0][0] - 1e-6 <= times[0]
    assert times[-1] <= speech[-1][1] + 1e-6
