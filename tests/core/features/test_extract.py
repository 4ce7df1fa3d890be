"""From a clip to its features: every real file, what is missing and why, cancel, cache."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from core import paths
from core.errors import Cancelled, MediaError
from core.features import cache
from core.features.extract import Extractor
from core.types import AUDIO_WIDTH, VISUAL_WIDTH, ClipFeatures

pytestmark = pytest.mark.usefixtures("assets")

HAPPY = "ravdess_01-01-03-01-01-02-05.mp4"
MISSING = {
    "cremad_1001_DFA_SAD_XX_audioonly.mp4": {"visual": "no picture"},
    "cremad_1001_DFA_SAD_XX_blackpicture.mp4": {"visual": "no face"},
    "pyfeat_no_face.mp4": {"text": "no speech", "audio": "no voice", "visual": "no face"},
    "pyfeat_single_face.mp4": {"text": "no speech", "audio": "no voice"},
    "ravdess_02-01-03-01-01-02-05.mp4": {"text": "no speech", "audio": "silent"},
    "pyfeat_single_face.jpg": {"text": "no sound", "audio": "no sound"},
    "pyfeat_free-mountain-vector-01.jpg": {"text": "no sound", "audio": "no sound", "visual": "no face"},
}


@pytest.fixture(scope="module")
def extractor() -> Extractor:
    return Extractor("tiny.en")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, assets: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "assets").symlink_to(assets, target_is_directory=True)
    monkeypatch.setenv("CONSONANCE_CACHE", str(folder))
    return folder


@pytest.fixture
def grid(shared_data: Path) -> Path:
    return shared_data / "clips" / "grid_lbax4n.mpg"


def entries() -> list[Path]:
    return sorted((paths.cache() / "features").glob("*/*.npz"))


def assert_same(one: ClipFeatures, other: ClipFeatures) -> None:
    np.testing.assert_array_equal(one.audio, other.audio)
    np.testing.assert_array_equal(one.voiced, other.voiced)
    np.testing.assert_array_equal(one.visual, other.visual)
    assert (one.transcript, one.missing, one.duration) == (other.transcript, other.missing, other.duration)


@pytest.mark.parametrize("name", MISSING)
def test_what_is_missing_has_its_reason(extractor: Extractor, shared_data: Path, name: str) -> None:
    features = extractor.extract(shared_data / "clips" / name)
    assert features.missing == MISSING[name]
    assert (features.transcript is None) == ("text" in features.missing)
    assert (features.audio is None) == ("audio" in features.missing)
    assert (features.visual is None) == ("visual" in features.missing)


@dataclass
class Story:
    """One extraction and all that it told on the way."""

    features: ClipFeatures
    parts: list[ClipFeatures]
    told: list[tuple[str, float]]


@pytest.fixture(scope="module")
def story(extractor: Extractor, shared_data: Path, assets: Path) -> Story:
    parts: list[ClipFeatures] = []
    told: list[tuple[str, float]] = []
    clip = shared_data / "clips" / HAPPY
    features = extractor.extract(
        clip, on_progress=lambda step, fraction: told.append((step, fraction)), on_partial=parts.append
    )
    return Story(features, parts, told)


def test_a_speaking_face_gives_all_three(story: Story) -> None:
    features = story.features
    assert features.duration == pytest.approx(3.24, abs=0.01)
    assert features.audio.shape == (102, AUDIO_WIDTH)
    assert features.visual.shape == (33, VISUAL_WIDTH)
    assert features.voiced.shape == (102,)
    assert 1.0 < features.voiced.sum() / 31.25 < 2.0
    assert "talking by the door" in features.transcript.text
    assert features.missing == {}


def test_voice_and_face_come_before_the_words(story: Story) -> None:
    (part,) = story.parts
    assert part.transcript is None
    assert part.missing == {"text": "words not there yet"}
    np.testing.assert_array_equal(part.visual, story.features.visual)


def test_progress_runs_through_the_steps_and_each_took_its_time(story: Story) -> None:
    steps = list(dict.fromkeys(step for step, _ in story.told))
    assert steps == ["decode", "extract", "transcribe"]
    for step in steps:
        fractions = [fraction for name, fraction in story.told if name == step]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1.0
        assert story.features.seconds[step] > 0


def test_a_second_time_comes_from_the_cache_by_the_content_alone(
    extractor: Extractor, grid: Path, tmp_path: Path
) -> None:
    first = extractor.extract(grid)
    kept = entries()
    copy = tmp_path / "another name.mpg"
    copy.write_bytes(grid.read_bytes())
    again = extractor.extract(copy, on_partial=lambda part: pytest.fail("nothing to wait for"))
    assert_same(first, again)
    assert again.seconds["transcribe"] == 0.0
    assert entries() == kept


@pytest.mark.parametrize(("name", "least", "most"), [("multi", 2, 9), ("single", 1, 1)])
def test_how_many_faces_were_seen_is_told_also_from_the_cache(
    extractor: Extractor, shared_data: Path, name: str, least: int, most: int
) -> None:
    clip = shared_data / "clips" / f"pyfeat_{name}_face.jpg"
    first, again = (extractor.extract(clip, modalities=("visual",)) for _ in range(2))
    assert least <= first.faces <= most
    assert again.faces == first.faces


def test_damaged_entries_are_computed_again(extractor: Extractor, grid: Path) -> None:
    first = extractor.extract(grid)
    for number, entry in enumerate(entries()):
        content = entry.read_bytes()
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 255]) + content[middle + 1 :]
        entry.write_bytes([flipped, b"", content[:100]][number % 3])
    assert_same(first, extractor.extract(grid))


def test_typed_words_replace_recognition_and_cost_nothing_else(extractor: Extractor, grid: Path) -> None:
    extractor.extract(grid, modalities=("audio", "visual"))
    typed = extractor.extract(
        grid, transcript="I am so happy", on_partial=lambda part: pytest.fail("at once")
    )
    assert typed.transcript.text == "I am so happy"
    assert 0.2 < typed.transcript.words[0].start < typed.transcript.words[-1].end < 3.0
    assert typed.seconds["transcribe"] == 0.0
    assert "text" not in typed.missing


def test_typed_words_stand_also_where_nobody_speaks(extractor: Extractor, shared_data: Path) -> None:
    silent = shared_data / "clips" / "ravdess_02-01-03-01-01-02-05.mp4"
    features = extractor.extract(silent, transcript="kids are talking")
    assert features.missing == {"audio": "silent"}
    assert features.transcript.words[-1].end == pytest.approx(features.duration)
    assert extractor.extract(silent, transcript=" ").missing["text"] == "no speech"


@pytest.mark.parametrize("wanted", ["text", "audio", "visual"])
def test_only_what_is_asked_for_is_given(extractor: Extractor, grid: Path, wanted: str) -> None:
    features = extractor.extract(grid, modalities=(wanted,))
    assert set(features.missing) == {"text", "audio", "visual"} - {wanted}
    assert set(features.missing.values()) == {"not asked for"}


@pytest.mark.parametrize("step", ["decode", "extract"])
def test_cancelling_ends_it_before_the_next_step(extractor: Extractor, grid: Path, step: str) -> None:
    told: list[str] = []
    with pytest.raises(Cancelled):
        extractor.extract(grid, on_progress=lambda name, _: told.append(name), cancelled=lambda: step in told)
    assert told[-1] == step


def test_cancelling_does_not_wait_for_the_words(extractor: Extractor, grid: Path) -> None:
    parts: list[ClipFeatures] = []
    with pytest.raises(Cancelled):
        extractor.extract(grid, on_partial=parts.append, cancelled=lambda: bool(parts))
    assert "at" in extractor.extract(grid).transcript.text  # and the next one is as ever


def test_what_cannot_be_read_is_an_error_with_its_name(extractor: Extractor, tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"not a film")
    with pytest.raises(MediaError, match=r"broken\.mp4"):
        extractor.extract(broken)


def test_a_cache_that_cannot_be_written_costs_no_answer(
    extractor: Extractor, grid: Path, empty_cache: Path
) -> None:
    (empty_cache / "features").write_text("in the way")
    assert extractor.extract(grid, modalities=("audio",)).audio is not None


def test_pruning_deletes_what_was_not_used_for_longest() -> None:
    for number in range(4):
        cache.save(f"{number}{number}-1-audio", {"rows": np.zeros(1000)}, {})
        os.utime(entries()[-1], (number, number))
    size = entries()[0].stat().st_size
    cache.load("00-1-audio")  # used again just now
    assert cache.prune(max_bytes=2 * size) == 2 * size
    assert [entry.stem[:2] for entry in entries()] == ["00", "33"]


def test_forgetting_a_recording_leaves_none_of_its_features(extractor: Extractor, grid: Path) -> None:
    extractor.extract(grid, modalities=("audio", "visual"))
    cache.forget(cache.content_hash(grid))
    assert entries() == []
