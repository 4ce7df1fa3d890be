"""Face: 128 numbers every 100 ms: 52 blendshapes, pitch, yaw, roll, 72 of its shape, presence.

YuNet finds the faces of a frame, also small and far ones; one of them is followed, the largest at first,
then whichever overlaps it most; MediaPipe's face landmarker sees only the crop around it. Each frame is
landmarked on its own (IMAGE mode): a still and a frame of a video then give the same numbers, and a second
person in the picture cannot take over.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from core.features.face_shape import face_shape
from core.features.native_log import without_chatter
from core.opencv import cv2
from core.paths import resources
from core.types import VISUAL_RATE, VISUAL_WIDTH

DETECTOR_SIDES = (320, 640)
"""Longest side in pixels of what the face finder sees; the second only where the first shows no face."""
DETECTOR_SCORE = 0.6
CROP = 2.0
"""Side of the crop in face sizes: the landmarker's own finder wants room around a face."""
CROP_PIXELS = 384
MEMORY = int(2 * VISUAL_RATE)
"""Frames (2 s) for which a lost face is remembered: one that turns up where it was is the same speaker."""


@dataclass(frozen=True, slots=True)
class Box:
    """A face in pixels of its frame."""

    left: float
    top: float
    width: float
    height: float

    @property
    def size(self) -> float:
        return max(self.width, self.height)

    def overlap(self, other: Box) -> float:
        """Intersection over union, in [0, 1]."""
        wide = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        high = min(self.top + self.height, other.top + other.height) - max(self.top, other.top)
        shared = max(wide, 0.0) * max(high, 0.0)
        return shared / max(self.width * self.height + other.width * other.height - shared, 1e-9)


class FaceReader:
    """Follows one speaker's face over the frames of one clip, in order; a new clip, a new reader."""

    def __init__(self) -> None:
        self._models = _models()
        self.most = 0
        """The most faces that were found in a frame so far; only where the one followed was not there."""
        self._last: Box | None = None
        self._unseen = 0
        self._frame: np.ndarray | None = None
        self._row = np.zeros(VISUAL_WIDTH, dtype=np.float32)

    def read(self, frame: np.ndarray) -> np.ndarray:
        """(128,) float32 of an (H, W, 3) uint8 RGB frame; zeros where it has no face.

        The very same array again (a picture that stands still) costs nothing.

        Columns: 52 blendshapes in [0, 1] in the landmarker's order; pitch, yaw, roll in radians (positive:
        chin down, turned to the picture's right, tilted counter-clockwise in it); 72 of
        `face_shape`; presence 1.
        """
        if frame is not self._frame:
            self._frame, self._row = frame, self._look(frame)
        return self._row

    def _look(self, frame: np.ndarray) -> np.ndarray:
        found = self._follow(frame) or self._find(frame)
        if found is None:
            self._unseen += 1
            if self._unseen > MEMORY:
                self._last = None
            return np.zeros(VISUAL_WIDTH, dtype=np.float32)
        row, self._last = found
        self._unseen = 0
        return row

    def _follow(self, frame: np.ndarray) -> tuple[np.ndarray, Box] | None:
        """The face where it just was: saves looking for it."""
        if self._last is None or self._unseen:
            return None
        return self._models.landmark(frame, self._last)

    def _find(self, frame: np.ndarray) -> tuple[np.ndarray, Box] | None:
        faces = sorted(self._models.detect(frame), key=self._preference, reverse=True)
        self.most = max(self.most, len(faces))
        for box in faces[:3]:
            if found := self._models.landmark(frame, box):
                return found
        return None

    def _preference(self, box: Box) -> tuple[float, float]:
        overlap = box.overlap(self._last) if self._last else 0.0
        return (overlap if overlap > 0.1 else 0.0, box.size)


def visual_features(frames: Iterable[np.ndarray]) -> np.ndarray:
    """Features of one clip's frames, (H, W, 3) uint8 RGB each, VISUAL_RATE a second, as (T, 128) float32."""
    reader = FaceReader()
    rows = [reader.read(frame) for frame in frames]
    return np.stack(rows) if rows else np.zeros((0, VISUAL_WIDTH), dtype=np.float32)


def still_features(path: Path) -> np.ndarray:
    """Features of one image file as (1, 128) float32. Raises MediaError where it is no image."""
    from core.media import read_frames

    return visual_features(frame for _, frame in read_frames(path))[:1]


def warm() -> None:
    """Loads both networks (about two seconds), so that the first clip does not wait for them."""
    FaceReader().read(np.zeros((64, 64, 3), dtype=np.uint8))


class _Models:
    """The two networks; stateless, shared by all readers of the process, one call at a time."""

    def __init__(self) -> None:
        from core.assets import asset

        self._lock = threading.Lock()
        model = resources() / "face_detection" / "face_detection_yunet_2023mar.onnx"
        self._detector = cv2().FaceDetectorYN.create(str(model), "", (320, 320), DETECTOR_SCORE)
        with without_chatter():
            self._landmarker = _landmarker(asset("face-landmarker"))
        # Its __del__ wants threads that are gone when the interpreter ends, and prints a traceback; without a
        # handle it does nothing, and the memory goes back with the process.
        atexit.register(setattr, self._landmarker, "_handle", None)

    def detect(self, frame: np.ndarray) -> list[Box]:
        """Faces of a frame, found at the smallest size that shows any."""
        for side in DETECTOR_SIDES:
            scale = min(1.0, side / max(frame.shape[:2]))
            if faces := self._detect(_shrink(frame, scale)):
                return [Box(*(value / scale for value in face[:4].tolist())) for face in faces]
            if scale == 1.0:
                break
        return []

    def _detect(self, frame: np.ndarray) -> list[np.ndarray]:
        with self._lock:
            self._detector.setInputSize((frame.shape[1], frame.shape[0]))
            _, faces = self._detector.detect(np.ascontiguousarray(frame[:, :, ::-1]))
        return [] if faces is None else list(faces)

    def landmark(self, frame: np.ndarray, face: Box) -> tuple[np.ndarray, Box] | None:
        """The features of that face and its exact place; None where the landmarker sees none, or another."""
        import mediapipe

        crop, left, top = _crop(frame, face)
        scale = min(1.0, CROP_PIXELS / max(crop.shape[:2]))
        picture = np.ascontiguousarray(_shrink(crop, scale))
        with self._lock:
            result = self._landmarker.detect(
                mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture)
            )
        if not result.face_blendshapes:
            return None
        height, width = crop.shape[:2]
        points = np.array([(p.x, p.y, p.z) for p in result.face_landmarks[0]]) * (width, height, width)
        (x, y, _), (right, bottom, _) = points.min(axis=0), points.max(axis=0)
        box = Box(left + x, top + y, right - x, bottom - y)
        return (_row(result, points), box) if box.overlap(face) > 0.2 else None


@cache
def _models() -> _Models:
    return _Models()


def _landmarker(model: Path) -> Any:
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(
        base_options=BaseOptions(model_asset_path=str(model)),
        output_face_blendshapes=True,
        output_facial_transformation_matrixes=True,
    )
    return vision.FaceLandmarker.create_from_options(options)


def _row(result: Any, points: np.ndarray) -> np.ndarray:
    matrix = result.facial_transformation_matrixes[0]
    rotation = matrix[:3, :3] / np.linalg.norm(matrix[:3, :3], axis=0)
    shapes = [shape.score for shape in result.face_blendshapes[0]]
    return np.array([*shapes, *_pose(rotation), *face_shape(points, rotation), 1.0], dtype=np.float32)


def _pose(rotation: np.ndarray) -> tuple[float, float, float]:
    """Pitch, yaw, roll in radians of a rotation from the face to the camera (x right, y up, z to it)."""
    pitch = np.arctan2(rotation[2, 1], rotation[2, 2])
    yaw = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(pitch), float(yaw), float(roll)


def _crop(frame: np.ndarray, face: Box) -> tuple[np.ndarray, int, int]:
    """A square around the face, cut off at the frame's edges, and where it starts (left, top)."""
    half = CROP * face.size / 2
    x, y = face.left + face.width / 2, face.top + face.height / 2
    left, top = max(int(x - half), 0), max(int(y - half), 0)
    return frame[top : max(int(y + half), top + 1), left : max(int(x + half), left + 1)], left, top


def _shrink(picture: np.ndarray, scale: float) -> np.ndarray:
    if scale >= 1.0:
        return picture
    height, width = picture.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    return cv2().resize(picture, size, interpolation=cv2().INTER_AREA)
