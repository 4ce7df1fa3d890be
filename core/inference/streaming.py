"""Live: what voice, face and words say at every moment, from rings that somebody fills.

Three threads: `run` hears, the sight watches ten times a second, the words are written down. Features,
model and windows are those of a clip that is opened (`core.features`, `Predictor`); what differs is only that
the newest second of sound does not know yet what follows it.

What is told, by tell(event, **fields):
    started    {"origin", "model", "scale", "window", "step", "band"}
    curve      {"time": […], "multimodal": […], "text": […], "audio": […], "visual": […]}: points that
               are new, or that take the place of those told before at the same times
    state      {"time", "face", "voice", "missing": {modality: reason}, "behind", "windows_dropped",
               "pictures_missed"}
    words      {"utterance", "text"}: of the one that goes on
    utterance  {"number", "start", "end", "answer"}: one that has ended, judged as a whole; answer: as of
               `consonance analyse --json`, its times since the start of the utterance
    alignment  {"time", "alignment", "covariance", "alignment_reason"}: of the last minute
All times are seconds since `origin`, a moment of the capture clock, but for those of an answer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from core.capture.items import now
from core.capture.rings import Pictures, Sounds
from core.inference.answer import alignment_json, to_json
from core.inference.live_features import LiveFeatures
from core.inference.live_words import LiveWords
from core.inference.predictor import Predictor
from core.inference.spans import WINDOW
from core.inference.utterances import Utterance, Utterances
from core.speech import Recogniser
from core.types import HEADS, Head, Transcript

STEP = 0.5
"""Seconds from one window to the next, as in the curve of a clip."""
MOST = 4
"""Windows that are caught up with after a delay; of a longer one only the newest are judged."""
MINUTE = 60.0
ALIGN_EVERY = 2.0
_POLL = 0.02
_PATIENCE = 20.0
"""Seconds that the last utterance may take when a stream has ended by itself."""

Tell = Callable[..., None]


class Live:
    """One stream. tell(event, **fields) is called from several threads."""

    def __init__(
        self,
        predictor: Predictor,
        recogniser: Recogniser,
        pictures: Pictures | None,
        sounds: Sounds | None,
        tell: Tell,
    ) -> None:
        self._predictor, self._tell = predictor, tell
        self._features = LiveFeatures(pictures, sounds)
        self._words = LiveWords(recogniser, self._judge, self._go_on)
        self._utterances = Utterances()
        self._told = self._aligned = 0.0
        self._dropped = 0

    def run(self, stopped: threading.Event, ended: Callable[[], bool] = lambda: False) -> None:
        """Tell until stopped; or until `ended` says that nothing more comes, and all of it is judged."""
        while not self._features.begin():
            if ended() or stopped.wait(_POLL):
                return
        self._begin()
        closing = threading.Event()
        sight = self._features.sight
        watcher = None
        if sight is not None:
            watcher = threading.Thread(target=sight.run, args=(closing,), name="live-sight", daemon=True)
            watcher.start()
        self._words.start()
        over = False
        try:
            while not over and not stopped.wait(_POLL):
                over = ended()
                self._features.hear()
                if over or self._features.covered >= self._told + STEP:
                    self._step(over)
        finally:
            closing.set()
            self._words.close(_PATIENCE if over else 0.0)
            if watcher is not None:
                watcher.join()

    def _begin(self) -> None:
        self._tell(
            "started",
            origin=self._features.origin,
            model=self._predictor.model,
            scale=list(self._predictor.scale),
            window=WINDOW,
            step=STEP,
            band=self._predictor.band(),
        )

    def _step(self, last: bool) -> None:
        self._features.understand()
        newest = int(self._features.covered / STEP + 1e-6)
        first = round(self._told / STEP) + 1
        self._dropped += max(0, newest - first + 1 - MOST)
        self._tell_curve([STEP * n for n in range(max(first, newest - MOST + 1), newest + 1)])
        self._told = max(self._told, STEP * newest)
        self._tell_state()
        self._cut(last)
        if self._told - self._aligned >= ALIGN_EVERY or last:
            self._aligned = self._told
            self._align()

    def _tell_curve(self, times: list[float]) -> None:
        if not times:
            return
        start, features = self._features.before(times[-1], times[-1] - times[0] + WINDOW)
        gone = {time for time in times if self._features.face_gone(time)}
        points: dict[float, dict[Head, float | None]] = {}
        for shown, part in (
            (features, [time for time in times if time not in gone]),
            (replace(features, visual=None), sorted(gone)),
        ):
            curve = self._predictor.windows(shown, [time - start for time in part])
            for number, time in enumerate(part):
                points[time] = {head: _rounded(curve.values[head][number]) for head in HEADS}
        curves = {head: [points[time][head] for time in times] for head in HEADS}
        self._tell("curve", time=[round(time, 3) for time in times], **curves)

    def _tell_state(self) -> None:
        sight, speech = self._features.sight, self._features.speech
        self._tell(
            "state",
            time=round(self._told, 3),
            face=sight is not None and sight.face,
            voice=bool(speech) and speech[-1][1] > self._told - STEP,
            missing=self._features.reasons(self._told),
            behind=round(max(0.0, now() - self._features.origin - self._told), 3),
            windows_dropped=self._dropped,
            pictures_missed=0 if sight is None else sight.missed,
        )

    def _cut(self, last: bool) -> None:
        speech = self._features.speech
        for utterance in self._utterances.ended(speech, self._told, last):
            self._words.put(utterance, self._features.samples)
        if (current := self._utterances.going_on(speech)) is not None:
            self._words.offer(current, self._features.samples)

    def _align(self) -> None:
        _start, features = self._features.before(self._told, MINUTE)
        alignment, reason = self._predictor.alignment(features)
        self._tell("alignment", time=round(self._told, 3), **alignment_json(alignment, reason))

    def _go_on(self, utterance: Utterance, text: str) -> None:
        self._tell("words", utterance=utterance.number, text=text)

    def _judge(self, utterance: Utterance, words: Transcript | None, reason: str) -> None:
        """An utterance's words are known: judge it as a clip, and the windows that hold its words anew."""
        if words is not None:
            self._features.know(words.words)
        features = self._features.utterance(utterance, words, reason)
        answer = to_json(self._predictor.predict(features, ""))
        start, end = round(utterance.start, 3), round(utterance.end, 3)
        self._tell("utterance", number=utterance.number, start=start, end=end, answer=answer)
        if words is not None:
            grid = np.arange(int(utterance.start / STEP) + 1, int(self._told / STEP + 1e-6) + 1) * STEP
            self._tell_curve([float(time) for time in grid if time <= utterance.end + WINDOW])


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
