"""Face features on real faces: found, followed, turned, absent."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.features.vision import FaceReader, still_features, visual_features
from core.media import read_frames
from core.types import VISUAL_WIDTH

pytestmark = pytest.mark.usefixtures("assets")

SHAPES, PITCH, YAW, ROLL, POINTS, PRESENCE = slice(0, 52), 52, 53, 54, slice(55, 127), 127


@pytest.fixture(scope="module")
def face(shared_data: Path) -> np.ndarray:
    return next(read_frames(shared_data / "clips" / "ravdess_01-01-01-01-02-01-05.mp4"))[1]


@pytest.fixture(scope="module")
def other_face(shared_data: Path) -> np.ndarray:
    return next(read_frames(shared_data / "clips" / "hdtf_WDA_AlexandriaOcasioCortez_000.mp4"))[1]


def shrunk(picture: np.ndarray, height: int) -> np.ndarray:
    from core.opencv import cv2

    width = round(picture.shape[1] * height / picture.shape[0])
    return cv2().resize(picture, (width, height), interpolation=cv2().INTER_AREA)


def side_by_side(*pictures: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(np.hstack(pictures))


@pytest.mark.parametrize(
    ("clip", "with_face"),
    [("grid_bbaf2n.mpg", 30), ("pyfeat_single_face.mp4", 24), ("pyfeat_noface_face.mov", 24)],
)
def test_the_face_is_found_whenever_it_is_shown(shared_data: Path, clip: str, with_face: int) -> None:
    rows = visual_features(frame for _, frame in read_frames(shared_data / "clips" / clip))
    assert rows.dtype == np.float32
    assert rows.shape[1] == VISUAL_WIDTH
    assert abs(rows[:, PRESENCE].sum() - with_face) <= 1
    assert set(np.unique(rows[:, PRESENCE])) <= {0.0, 1.0}
    assert rows[:, SHAPES].min() >= 0
    assert rows[:, SHAPES].max() <= 1
    assert not rows[rows[:, PRESENCE] == 0].any()


@pytest.mark.parametrize(
    "name", ["single_face.jpg", "multi_face.jpg", "Image_with_alpha.png", "45-m7-di-ph.jpg"]
)
def test_a_still_is_one_row(shared_data: Path, name: str) -> None:
    row = still_features(shared_data / "clips" / f"pyfeat_{name}")
    assert row.shape == (1, VISUAL_WIDTH)
    assert row[0, PRESENCE] == 1


def test_a_drawing_has_no_face(shared_data: Path) -> None:
    assert not still_features(shared_data / "clips" / "pyfeat_free-mountain-vector-01.jpg").any()


def test_no_frames_give_no_rows() -> None:
    assert visual_features([]).shape == (0, VISUAL_WIDTH)


def test_a_head_turned_to_the_left_of_the_picture_has_a_negative_yaw(shared_data: Path) -> None:
    row = still_features(shared_data / "clips" / "pyfeat_45-m7-di-ph.jpg")[0]
    assert -60 < np.degrees(row[YAW]) < -25


def test_a_mirrored_face_turns_the_other_way(shared_data: Path) -> None:
    _, picture = next(read_frames(shared_data / "clips" / "pyfeat_45-m7-di-ph.jpg"))
    mirrored = FaceReader().read(np.ascontiguousarray(picture[:, ::-1]))
    assert 25 < np.degrees(mirrored[YAW]) < 60


def test_a_tilted_picture_tilts_the_head(face: np.ndarray) -> None:
    from core.opencv import cv2

    height, width = face.shape[:2]
    turn = cv2().getRotationMatrix2D((width / 2, height / 2), 15, 1)  # counter-clockwise
    tilted = FaceReader().read(cv2().warpAffine(face, turn, (width, height)))
    upright = FaceReader().read(face)
    assert np.degrees(tilted[ROLL] - upright[ROLL]) == pytest.approx(15, abs=3)


def test_a_picture_half_the_size_shows_the_same_shape(face: np.ndarray) -> None:
    large, small = FaceReader().read(face), FaceReader().read(shrunk(face, face.shape[0] // 2))
    np.testing.assert_allclose(small[POINTS], large[POINTS], atol=0.03)


def test_a_mirrored_picture_shows_the_same_shape(face: np.ndarray) -> None:
    mirrored = FaceReader().read(np.ascontiguousarray(face[:, ::-1]))
    np.testing.assert_allclose(mirrored[POINTS], FaceReader().read(face)[POINTS], atol=0.05)


def test_a_smile_shows_in_the_blendshapes(shared_data: Path) -> None:
    rows = visual_features(
        frame for _, frame in read_frames(shared_data / "clips" / "pyfeat_single_face.mp4")
    )
    smile = rows[:, [44, 45]].mean(axis=1)  # mouthSmileLeft, mouthSmileRight
    assert smile[-5:].mean() > smile[:5].mean() + 0.2


def test_a_small_face_in_a_large_picture_is_found(face: np.ndarray) -> None:
    wide = np.zeros((720, 1280, 3), dtype=np.uint8)
    small = shrunk(face, 110)
    wide[300:410, 900 : 900 + small.shape[1]] = small
    assert FaceReader().read(wide)[PRESENCE] == 1


def test_the_larger_of_two_faces_is_followed(face: np.ndarray, other_face: np.ndarray) -> None:
    large, small = shrunk(other_face, 400), shrunk(face, 400)
    alone = FaceReader().read(large)
    both = FaceReader().read(side_by_side(small, large))
    np.testing.assert_allclose(both[SHAPES], alone[SHAPES], atol=0.1)


def test_the_speaker_stays_the_same_when_another_face_grows_larger(
    face: np.ndarray, other_face: np.ndarray
) -> None:
    reader = FaceReader()
    speaker = shrunk(face, 300)
    alone = reader.read(side_by_side(speaker, np.zeros((300, 500, 3), dtype=np.uint8)))
    larger = shrunk(other_face, 300)
    joined = reader.read(side_by_side(speaker, larger, np.zeros((300, 200, 3), dtype=np.uint8)))
    np.testing.assert_allclose(joined[SHAPES], alone[SHAPES], atol=0.1)


def test_a_speaker_hidden_for_a_moment_is_found_again_where_they_were(
    face: np.ndarray, other_face: np.ndarray
) -> None:
    reader = FaceReader()
    speaker, larger = shrunk(face, 300), shrunk(other_face, 300)
    together = side_by_side(speaker, np.zeros((300, 300, 3), dtype=np.uint8))
    alone = reader.read(together)
    reader.read(np.zeros_like(together))
    again = reader.read(side_by_side(speaker, larger))
    np.testing.assert_allclose(again[SHAPES], alone[SHAPES], atol=0.1)


def test_loading_the_networks_prints_nothing_and_leaves_the_environment_alone() -> None:
    script = (
        "import os; before = dict(os.environ)\n"
        "from core.features import vision; vision.warm()\n"
        "keep = vision._models()\n"
        "changed = {name for name in {*before, *os.environ} if before.get(name) != os.environ.get(name)}\n"
        "assert not {name for name in changed if name.startswith(('QT_', 'LD_'))}, changed\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=dict(os.environ), check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_what_is_no_chatter_still_reaches_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    from core.features.native_log import without_chatter

    with without_chatter():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nE0000 the model is broken\n")
    assert capfd.readouterr().err == "E0000 the model is broken\n"
