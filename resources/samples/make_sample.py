"""Make the sample clip: a portrait that speaks a few synthesised sentences, from free material only.

    python resources/samples/make_sample.py [OUTPUT.mp4]

Face: the portrait of astronaut Eileen Collins, a NASA photograph in the public domain, as `astronaut.png` in
the scikit-image wheel. Speech: Flite's voice "slt". Both are fetched or run here; see README.md beside this.
The face is moved by its own landmarks: the jaw follows the loudness of the speech in the band of the first
formant, the width of the mouth that of the second, brows and mouth corners go from worried to glad.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import wave
import zipfile
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np

from core.assets import asset

FPS = 25
SIZE = 512
CROP = (106, 6, 248)
"""Left, top and side of the square around the head, in pixels of the portrait."""

SENTENCES = (
    ("This morning was terrible, and I felt awful.", {"int_f0_target_mean": 150, "duration_stretch": 1.03}),
    ("Then my friends came to help me.", {"int_f0_target_mean": 170, "duration_stretch": 0.95}),
    (
        "Now everything is wonderful, and I am so happy!",
        {"int_f0_target_mean": 205, "int_f0_target_stddev": 32, "duration_stretch": 0.94},
    ),
)
"""What is said, with Flite's settings: pitch in Hz, its spread, slowness."""

COMMENT = (
    "Synthetic: a still portrait (NASA, public domain) moved by software, with synthesised speech. "
    "The person shown never said this."
)

# Landmark numbers of the MediaPipe face mesh, corner to corner.
INNER_UPPER = [78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308]
INNER_LOWER = [78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308]
OUTER_UPPER = [61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291]
OUTER_LOWER = [61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291]
BROWS = ([107, 66, 105, 63, 70, 55, 65, 52, 53, 46], [336, 296, 334, 293, 300, 285, 295, 282, 283, 276])
LIDS = (
    ([246, 161, 160, 159, 158, 157, 173], [7, 163, 144, 145, 153, 154, 155], [247, 30, 29, 27, 28, 56, 190]),
    (
        [466, 388, 387, 386, 385, 384, 398],
        [249, 390, 373, 374, 380, 381, 382],
        [467, 260, 259, 257, 258, 286, 414],
    ),
)
"""Per eye: upper lid, lower lid, the fold above."""
IRIS_FROM = 468
CHIN, FOREHEAD, JAW = 152, 10, (234, 454)


@dataclass(frozen=True, slots=True)
class Pose:
    """One frame of the performance."""

    jaw: float
    """0 closed … 1 wide open."""
    width: float
    """-1 rounded lips … 1 spread."""
    smile: float
    """0 corners down, lips closed … 1 as in the portrait."""
    brow: float
    """-1 drawn down and together … 1 raised."""
    blink: float
    """0 open … 1 shut."""
    turn: tuple[float, float, float]
    """Pitch, yaw, roll of the head in radians."""


def main() -> None:
    output = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("synthetic-speaker.mp4"))
    with tempfile.TemporaryDirectory() as folder:
        sound, rate = speak(Path(folder))
        face = Face(portrait(Path(folder)))
    poses = perform(sound, rate)
    write(output, [caption(face.render(pose)) for pose in poses], sound, rate)


def portrait(folder: Path) -> np.ndarray:
    """(SIZE, SIZE, 3) uint8 RGB: the head of astronaut.png, enlarged."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), "scikit-image"], check=True)
    with zipfile.ZipFile(next(folder.glob("scikit_image*.whl"))) as wheel:
        encoded = np.frombuffer(wheel.read("skimage/data/astronaut.png"), np.uint8)
    left, top, side = CROP
    image = cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB)[top : top + side, left : left + side]
    return cv2.resize(image, (SIZE, SIZE), interpolation=cv2.INTER_LANCZOS4)


def speak(folder: Path) -> tuple[np.ndarray, int]:
    """(n,) float32 in [-1, 1] and its rate in Hz: the sentences with a breath before, between and after."""
    pieces, rate = [], 16000
    for number, (text, settings) in enumerate(SENTENCES):
        path = folder / f"{number}.wav"
        options = [part for name, value in settings.items() for part in ("--setf", f"{name}={value}")]
        subprocess.run(["flite", "-voice", "slt", *options, "-t", text, "-o", str(path)], check=True)
        with wave.open(str(path)) as stream:
            rate = stream.getframerate()
            pieces.append(np.frombuffer(stream.readframes(stream.getnframes()), np.int16) / 32768)
        pieces.append(np.zeros(int(rate * 0.12)))
    sound = np.concatenate([np.zeros(int(rate * 0.3)), *pieces, np.zeros(int(rate * 0.25))])
    return (sound * 0.7 / np.abs(sound).max()).astype(np.float32), rate


def perform(sound: np.ndarray, rate: int) -> list[Pose]:
    """One pose a frame: mouth from the sound, the mood from the time, the rest from slow waves."""
    frames = int(len(sound) / rate * FPS)
    first, second = _band(sound, rate, 250, 1000, frames), _band(sound, rate, 1400, 3000, frames)
    poses = []
    for index in range(frames):
        t = index / FPS
        mood = _ramp(t, 2.6, 5.6)  # from the first sentence to the last
        blink = max(1 - abs(t - when) / 0.12 for when in (0.9, 2.9, 4.4, 6.6, 8.0))
        pitch = 0.05 * np.sin(1.9 * t) + 0.05 * (1 - mood) - 0.03 * first[index]
        turn = (pitch, 0.08 * np.sin(1.1 * t + 0.5), 0.04 * np.sin(0.8 * t) * (1 + mood))
        poses.append(
            Pose(
                jaw=float(first[index]),
                width=float(second[index] - 0.5 * first[index]),
                smile=mood * (1 - 0.25 * float(first[index])),
                brow=2 * mood - 1 + 0.3 * float(first[index]),
                blink=float(np.clip(blink, 0, 1)),
                turn=turn,
            )
        )
    return poses


def _band(sound: np.ndarray, rate: int, low: float, high: float, frames: int) -> np.ndarray:
    """(frames,) loudness of a band of frequencies around each frame, in [0, 1], smoothed over three."""
    window = 2 * rate // FPS
    padded = np.pad(sound, (window // 2, window))
    starts = (np.arange(frames) * rate / FPS).astype(int)
    spectra = np.abs(np.fft.rfft(np.stack([padded[s : s + window] for s in starts]) * np.hanning(window)))
    hertz = np.fft.rfftfreq(window, 1 / rate)
    loudness = np.sqrt((spectra[:, (hertz >= low) & (hertz < high)] ** 2).sum(axis=1))
    loudness = np.clip(loudness / np.quantile(loudness, 0.97), 0, 1) ** 0.7
    return np.convolve(np.pad(loudness, 1, mode="edge"), [0.25, 0.5, 0.25], mode="valid")


def _ramp(x: float, start: float, end: float) -> float:
    u = float(np.clip((x - start) / (end - start), 0, 1))
    return u * u * (3 - 2 * u)


class Face:
    """The portrait with its landmarks; `render` moves them and carries the picture along."""

    def __init__(self, image: np.ndarray) -> None:
        self.image = image
        self.mesh = _landmarks(image)[:IRIS_FROM]
        flat = self.mesh[:, :2]
        self.mouth_width = float(np.linalg.norm(flat[61] - flat[291]))
        self.height = float(np.linalg.norm(flat[FOREHEAD] - flat[CHIN]))
        self.gap = flat[INNER_LOWER] - flat[INNER_UPPER]
        centre = flat.mean(axis=0)
        angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        self.hair = centre + circle * self.height * np.array([0.78, 0.95])
        edge = np.linspace(0, SIZE - 1, 9)
        sides = [(x, y) for x in edge for y in edge if x in (edge[0], edge[-1]) or y in (edge[0], edge[-1])]
        self.border = np.array(sides)

    def render(self, pose: Pose) -> np.ndarray:
        """(SIZE, SIZE, 3) uint8 RGB: the portrait in this pose."""
        from scipy.interpolate import LinearNDInterpolator

        moved = self._turned(self._expression(pose), pose.turn)
        hair = self.hair + 0.6 * (moved - self.mesh)[[FOREHEAD, *JAW], :2].mean(axis=0)
        target = np.concatenate([moved[:, :2], hair, self.border])
        source = np.concatenate([self.mesh[:, :2], self.hair, self.border])
        grid = np.stack(np.meshgrid(np.arange(SIZE), np.arange(SIZE)), axis=-1)
        lookup = LinearNDInterpolator(target, source)(grid).astype(np.float32)
        lookup = cv2.GaussianBlur(lookup, (0, 0), 1.2)  # rounds the creases along the edges of the mesh
        frame = cv2.remap(self.image, lookup, None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        return self._mouth(frame, moved[:, :2])

    def _expression(self, pose: Pose) -> np.ndarray:
        """(468, 3) landmarks of the expression, the head held still."""
        flat = self.mesh[:, :2]
        move = np.zeros_like(flat)
        sad = 1 - pose.smile
        for corner, inward in ((61, 1.0), (291, -1.0)):
            shift = np.array([inward * (0.15 * sad - 0.05 * pose.width), 0.21 * sad]) * self.mouth_width
            move += _near(flat, flat[corner], 0.42 * self.mouth_width) * shift
        self._close_lips(move, sad)
        self._open_jaw(move, 0.085 * self.height * pose.jaw)
        for brow, inward in zip(BROWS, (1.0, -1.0), strict=True):
            down = 0.035 * self.height * -pose.brow
            inner = 0.012 * self.height * inward * max(-pose.brow, 0)
            distance = np.linalg.norm(flat[:, None] - flat[brow][None], axis=2).min(axis=1)
            weight = np.exp(-((distance / (0.05 * self.height)) ** 2))[:, None]
            move += weight * np.array([inner, down])
        for upper, lower, fold in LIDS:
            drop = (flat[lower] + move[lower] - flat[upper] - move[upper]) * pose.blink
            move[upper] += 0.95 * drop
            move[fold] += 0.5 * drop
        moved = self.mesh.copy()
        moved[:, :2] += move
        return moved

    def _close_lips(self, move: np.ndarray, sad: float) -> None:
        """Bring the lips, apart in the portrait's smile, together; those of a glad face stay parted."""
        shut = 0.3 + 0.75 * sad
        move[INNER_UPPER] += 0.5 * shut * self.gap
        move[OUTER_UPPER] += 0.4 * shut * self.gap
        move[INNER_LOWER[1:-1]] -= 0.5 * shut * self.gap[1:-1]
        move[OUTER_LOWER[1:-1]] -= 0.4 * shut * self.gap[1:-1]

    def _open_jaw(self, move: np.ndarray, drop: float) -> None:
        """Lower everything below the mouth by up to `drop` pixels, most in the middle."""
        flat = self.mesh[:, :2]
        middle = flat[INNER_LOWER].mean(axis=0)
        sideways = np.exp(-(((flat[:, 0] - middle[0]) / (0.75 * self.mouth_width)) ** 2))
        below = np.clip((flat[:, 1] - middle[1]) / (0.12 * self.height), 0, 1)
        below[[*INNER_LOWER[1:-1], *OUTER_LOWER[1:-1]]] = 1
        below[[*INNER_UPPER[1:-1], *OUTER_UPPER[1:-1]]] = -0.08
        move[:, 1] += drop * below * sideways
        narrow = 0.12 * drop * np.sign(middle[0] - flat[:, 0])
        move[[61, 78, 291, 308], 0] += narrow[[61, 78, 291, 308]]

    def _turned(self, points: np.ndarray, turn: tuple[float, float, float]) -> np.ndarray:
        """Landmarks after turning the head about a point behind the nose, seen from the front."""
        rotation, _ = cv2.Rodrigues(np.array(turn))
        pivot = self.mesh.mean(axis=0) + np.array([0, 0.35 * self.height, 0.25 * self.height])
        return (points - pivot) @ rotation.T + pivot

    def _mouth(self, frame: np.ndarray, moved: np.ndarray) -> np.ndarray:
        """Paint what is between the lips: the dark, and the upper teeth moving with the upper lip."""
        opening = _filled(np.concatenate([moved[INNER_UPPER], moved[INNER_LOWER[::-1]]]), 1.2)
        flat = self.mesh[:, :2]
        ends = [INNER_UPPER[0], INNER_UPPER[5], INNER_UPPER[-1]]
        carry = cv2.getAffineTransform(flat[ends].astype(np.float32), moved[ends].astype(np.float32))
        shown = _filled(np.concatenate([flat[INNER_UPPER], flat[INNER_LOWER[::-1]]]), 2.0)
        shown = cv2.warpAffine(shown, carry, (SIZE, SIZE))[..., None]
        teeth = cv2.warpAffine(self.image, carry, (SIZE, SIZE), flags=cv2.INTER_CUBIC)
        inside = np.array([58, 22, 24]) * (1 - shown) + teeth * shown * 0.92
        mixed = frame * (1 - opening[..., None]) + inside * opening[..., None]
        return np.clip(mixed, 0, 255).astype(np.uint8)


def _landmarks(image: np.ndarray) -> np.ndarray:
    """(478, 3) landmarks in pixels, z towards the back of the head."""
    import mediapipe as mp
    from mediapipe.tasks.python import BaseOptions, vision

    options = vision.FaceLandmarkerOptions(BaseOptions(model_asset_path=str(asset("face-landmarker"))))
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        found = landmarker.detect(mp.Image(mp.ImageFormat.SRGB, np.ascontiguousarray(image)))
    return np.array([(p.x, p.y, p.z) for p in found.face_landmarks[0]]) * SIZE


def _near(points: np.ndarray, centre: np.ndarray, width: float) -> np.ndarray:
    return np.exp(-(((points - centre) ** 2).sum(axis=1) / width**2))[:, None]


def _filled(polygon: np.ndarray, blur: float) -> np.ndarray:
    mask = np.zeros((SIZE, SIZE), np.float32)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 1.0, cv2.LINE_8, 4)
    return cv2.GaussianBlur(mask, (0, 0), blur)


def caption(frame: np.ndarray) -> np.ndarray:
    """The frame with the word that keeps anyone from taking it for real."""
    for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        place, font = (10, SIZE - 12), cv2.FONT_HERSHEY_SIMPLEX
        cv2.putText(frame, "synthetic", place, font, 0.55, colour, thickness, cv2.LINE_AA)
    return frame


def write(path: Path, frames: list[np.ndarray], sound: np.ndarray, rate: int) -> None:
    """H.264 and AAC in MP4, a key frame each second, index first."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as output:
        output.metadata.update(title="Consonance sample (synthetic)", comment=COMMENT)
        video = output.add_stream("libx264", rate=FPS, options={"crf": "21", "g": str(FPS)})
        video.width = video.height = SIZE
        video.pix_fmt = "yuv420p"
        audio = output.add_stream("aac", rate=48000, layout="mono", bit_rate=64000)
        for frame in frames:
            output.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        output.mux(video.encode())
        resampler = av.AudioResampler("fltp", "mono", 48000, frame_size=1024)
        wave_in = av.AudioFrame.from_ndarray(sound[None], format="flt", layout="mono")
        wave_in.sample_rate, wave_in.time_base, wave_in.pts = rate, Fraction(1, rate), 0
        for piece in [*resampler.resample(wave_in), *resampler.resample(None), None]:
            output.mux(audio.encode(piece))


if __name__ == "__main__":
    main()
