"""What is known of the last minute of a live stream, as the features of clips cut out of it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np

from core.capture.items import now
from core.capture.rings import Pictures, Sounds
from core.features.extract import NO_FACE, NO_PICTURE, NO_SOUND, NO_VOICE, SILENCE, SILENT, voiced_frames
from core.features.text import NO_SPEECH
from core.inference.live_sight import LiveSight
from core.inference.live_sound import LiveSound
from core.inference.spans import ENOUGH, WINDOW
from core.inference.utterances import Utterance
from core.speech import Segment
from core.types import AUDIO_RATE, PRESENCE, VISUAL_RATE, ClipFeatures, Modality, Transcript, Word

LOST = 0.6
"""Seconds without sound after which the picture is no longer held up by it."""
GONE = 0.4
"""Seconds without a face after which the face is missing."""
GRID = 0.8
"""Seconds: a whole number of frames of the sound and of the picture."""


class LiveFeatures:
    """Sound, sight and words of one stream; may be asked from any thread."""

    def __init__(self, pictures: Pictures | None, sounds: Sounds | None) -> None:
        self.origin = 0.0
        """The moment of the capture clock that is time 0, once it has begun."""
        self.sight: LiveSight | None = None
        self._lock = threading.Lock()
        self._pictures, self._ring = pictures, sounds
        self._sound: LiveSound | None = None
        self._words: list[Word] = []
        self._fresh = not any(ring.written for ring in (pictures, sounds) if ring is not None)
        self._next = 0 if sounds is None else sounds.written
        self._heard = 0.0

    def begin(self) -> bool:
        """Begin now, or with the first that comes into rings that were empty; False if nothing has come."""
        stamps = [] if self._fresh else [now()]
        if self._fresh and self._pictures is not None and (seen := self._pictures.copy_latest()):
            stamps.append(seen.stamp)
        if self._fresh and self._ring is not None and self._ring.written:
            stamps.append(self._ring.read(self._next, most=1).stamp)
        if not stamps:
            return False
        self.origin, self._heard = min(stamps), now()
        self._sound = None if self._ring is None else LiveSound(self.origin)
        self.sight = None if self._pictures is None else LiveSight(self._pictures, self.origin)
        return True

    def hear(self) -> None:
        """Take in the sound that has come."""
        if self._ring is None or self._sound is None:
            return
        heard = self._ring.read(self._next)
        if len(heard.samples):
            self._next, self._heard = heard.after, now()
            with self._lock:
                self._sound.add(heard)

    def understand(self) -> None:
        """Bring the features up to what was heard."""
        if self._sound is not None:
            with self._lock:
                self._sound.understand()

    @property
    def hearing(self) -> bool:
        """Whether a microphone gives sound."""
        return self._sound is not None and now() - self._heard < LOST

    @property
    def covered(self) -> float:
        """Seconds up to which everything has come that is still to be expected."""
        ends = [now() - self.origin]
        if self._sound is not None and self.hearing:
            ends.append(self._sound.end)
        if self.sight is not None and not self.sight.stale:
            ends.append(self.sight.end)
        return min(ends)

    @property
    def speech(self) -> list[Segment]:
        """Where somebody spoke in the last minute."""
        with self._lock:
            return [] if self._sound is None else list(self._sound.speech)

    def samples(self, start: float, end: float) -> np.ndarray:
        """(n,) sound at 16 kHz between two moments."""
        with self._lock:
            return np.zeros(0, np.float32) if self._sound is None else self._sound.samples(start, end)

    def know(self, words: tuple[Word, ...]) -> None:
        """Remember what was said, at times of the stream."""
        oldest = self.oldest
        self._words = [word for word in self._words if word.end > oldest] + list(words)

    @property
    def oldest(self) -> float:
        """Seconds from which on everything is remembered: a multiple of GRID."""
        with self._lock:
            starts = [0.0]
            starts += [] if self._sound is None else [self._sound.oldest]
            starts += [] if self.sight is None else [self.sight.oldest]
            return max(starts)

    def before(self, end: float, seconds: float) -> tuple[float, ClipFeatures]:
        """At least so many seconds that end there, or what is remembered of them; and where they start."""
        start = max(GRID * int(max(0.0, end - seconds) / GRID + 1e-6), self.oldest)
        return start, self.clip(start, end)

    def clip(self, start: float, end: float) -> ClipFeatures:
        """A stretch of the stream as if it were a clip."""
        audio, voiced = self._audio(start, end)
        visual = self._visual(start, end)
        words = self._said(start, end)
        missing: dict[Modality, str] = {}
        if words is None:
            missing["text"] = NO_SPEECH
        if audio is None:
            missing["audio"] = NO_SOUND
        elif voiced is not None and not voiced.any():
            peak = np.abs(self.samples(start, end)).max(initial=0.0)
            missing["audio"] = NO_VOICE if peak > SILENCE else SILENT
            audio = voiced = None
        if visual is None:
            missing["visual"] = NO_PICTURE
        elif not visual[:, PRESENCE].any():
            missing["visual"] = NO_FACE
            visual = None
        return ClipFeatures(end - start, words, audio, voiced, visual, missing)

    def face_gone(self, time: float) -> bool:
        """Whether no face has been seen for GONE seconds before a moment.

        A clip that is opened judges the face of a window as long as it holds enough of one; whoever watches
        live wants to see at once that somebody has left.
        """
        if self.sight is None:
            return True
        rows = self.sight.rows(round((time - GONE) * VISUAL_RATE), round(time * VISUAL_RATE))
        return not (len(rows) and rows[:, PRESENCE].any())

    def utterance(self, utterance: Utterance, words: Transcript | None, reason: str) -> ClipFeatures:
        """An utterance as a clip with its words, or the reason why there are none."""
        start = utterance.start
        features = self.clip(start, utterance.end)
        missing: dict[Modality, str] = {m: why for m, why in features.missing.items() if m != "text"}
        if words is None:
            return replace(features, transcript=None, missing={"text": reason, **missing})
        moved = tuple(Word(w.text, w.start - start, w.end - start, w.probability) for w in words.words)
        return replace(features, transcript=replace(words, words=moved), missing=missing)

    def _audio(self, start: float, end: float) -> tuple[np.ndarray | None, np.ndarray | None]:
        if self._sound is None:
            return None, None
        first = round(start * AUDIO_RATE)
        with self._lock:
            frames = self._sound.frames(first, round(end * AUDIO_RATE))
            speech = [(begin - start, over - start) for begin, over in self._sound.speech]
        return (frames, voiced_frames(speech, len(frames))) if len(frames) else (None, None)

    def _visual(self, start: float, end: float) -> np.ndarray | None:
        if self.sight is None:
            return None
        rows = self.sight.rows(round(start * VISUAL_RATE), round(end * VISUAL_RATE))
        return rows if len(rows) else None

    def _said(self, start: float, end: float) -> Transcript | None:
        said = [w for w in self._words if start < (w.start + w.end) / 2 <= end]
        moved = tuple(Word(w.text, w.start - start, w.end - start, w.probability) for w in said)
        return Transcript(" ".join(w.text for w in moved), "", moved) if moved else None

    def reasons(self, end: float) -> dict[Modality, str]:
        """Why there is no estimate of a modality from the window that ends at a moment."""
        features = self.clip(max(0.0, end - WINDOW), end)
        reasons = dict(features.missing)
        if "visual" not in reasons and self.face_gone(end):
            reasons["visual"] = NO_PICTURE if self.sight is None or self.sight.stale else NO_FACE
        if features.voiced is not None:
            enough = np.count_nonzero(features.voiced) >= ENOUGH * AUDIO_RATE
            reasons |= {} if enough else {"audio": NO_VOICE if self.hearing else NO_SOUND}
        return reasons
