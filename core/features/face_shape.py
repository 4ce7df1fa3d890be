"""The shape of a face as numbers: where its key points lie, the head turned to the front.

Blendshapes say which muscles seem to move; the points say what the face looks like, the same on every size
of picture and for every turn of the head. Right and left halves are averaged: sentiment shows in both.
"""

from __future__ import annotations

import numpy as np

PAIRS = (
    *((61, 291), (84, 314), (40, 270), (37, 267), (78, 308), (87, 317), (81, 311)),  # lips
    *((33, 263), (133, 362), (145, 374), (159, 386)),  # eyes: outer, inner, lower, upper
    *((46, 276), (52, 282), (55, 285), (105, 334), (107, 336)),  # brows
    *((205, 425), (50, 280), (129, 358), (172, 397)),  # cheeks, wings of the nose, jaw
)
"""The same point on the right and on the left of the face, in the landmarker's numbering."""
MIDDLE = (0, 17, 13, 14, 152, 168)
"""Points of the middle: upper and lower lip outside and inside, chin, root of the nose."""
EYES = (33, 263)

WIDTH = 3 * len(PAIRS) + 2 * len(MIDDLE)


def face_shape(points: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """(72,) float32 from the landmarks of one face, in distances between the outer corners of the eyes.

    points: (478, 3) in pixels, x to the right, y down, z away from the camera, as the landmarker gives them;
    rotation: (3, 3), from the face to the camera (x right, y up, z to the camera). For each pair: half the
    distance between the two, mean height, mean depth; then height and depth of each point of the middle;
    all seen from between the eyes.
    """
    frontal = (points * (1, -1, -1)) @ rotation
    right, left = frontal[list(EYES)]
    frontal = (frontal - (right + left) / 2) / np.linalg.norm(left - right)
    rights, lefts = (frontal[list(side)] for side in zip(*PAIRS, strict=True))
    pairs = np.column_stack([(lefts - rights)[:, 0] / 2, (lefts + rights)[:, 1:] / 2])
    return np.concatenate([pairs.ravel(), frontal[list(MIDDLE), 1:].ravel()]).astype(np.float32)
