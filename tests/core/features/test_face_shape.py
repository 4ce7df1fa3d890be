"""The shape of a face: the same however large, wherever, and however turned it is in the picture."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.features.face_shape import EYES, MIDDLE, PAIRS, WIDTH, face_shape

TO_CAMERA = np.array([1, -1, -1])  # pixels go down and away, the camera's axes up and towards it

offsets = arrays(np.float64, (478, 3), elements=st.floats(-1, 1))
angles = st.tuples(*[st.floats(-0.8, 0.8)] * 3)


def face(offset: np.ndarray) -> np.ndarray:
    """Points of a face that looks into the camera, in pixels, its eyes 100 apart."""
    points = 30 * offset
    points[EYES[0]], points[EYES[1]] = (-50, 0, 0), (50, 0, 0)
    return points


@given(offsets, angles, st.floats(0.1, 10), arrays(np.float64, 3, elements=st.floats(-500, 500)))
def test_size_place_and_turn_of_the_head_change_nothing(
    offset: np.ndarray, angle: tuple[float, float, float], size: float, place: np.ndarray
) -> None:
    frontal = face(offset)
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("zyx", angle).as_matrix()
    seen = size * ((frontal * TO_CAMERA) @ turn.T) * TO_CAMERA + place
    np.testing.assert_allclose(face_shape(seen, turn), face_shape(frontal, np.eye(3)), atol=1e-4)


@given(offsets)
def test_a_mirrored_face_has_the_same_shape(offset: np.ndarray) -> None:
    points = face(offset)
    mirrored = points.copy()
    for right, left in PAIRS:
        mirrored[[right, left]] = points[[left, right]]
    mirrored[:, 0] *= -1
    np.testing.assert_allclose(face_shape(mirrored, np.eye(3)), face_shape(points, np.eye(3)), atol=1e-5)


def test_a_wider_mouth_shows_in_its_own_number_alone() -> None:
    points = face(np.random.default_rng(0).uniform(-1, 1, (478, 3)))
    before = face_shape(points, np.eye(3))
    right, left = PAIRS[0]  # the corners of the mouth
    points[right, 0] -= 10
    points[left, 0] += 10
    changed = face_shape(points, np.eye(3)) - before
    np.testing.assert_allclose(changed, np.eye(WIDTH)[0] * 0.1, atol=1e-6)


def test_no_point_counts_twice() -> None:
    named = [point for pair in PAIRS for point in pair] + list(MIDDLE)
    assert len(named) == len(set(named))
    assert WIDTH == 72
