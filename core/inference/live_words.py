"""Utterances into words, in a thread of its own: those that have ended first, then the one that goes on."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from core.capture.items import now
from core.features.text import recognised_words
from core.inference.utterances import Utterance
from core.speech import EDGE_SECONDS, Recogniser
from core.types import Transcript, Word

SWIFT = 0.5
"""Seconds that recognising an utterance may have taken last time, for one that goes on to be tried too."""
EVERY = 1.0
"""Seconds that an utterance must have grown before it is tried again."""
WAITING = 3
"""Utterances that may wait; of a longer queue the oldest is judged without its words."""

Done = Callable[[Utterance, Transcript | None, str], None]
Partly = Callable[[Utterance, str], None]


@dataclass(frozen=True, slots=True)
class _Task:
    utterance: Utterance
    sound: np.ndarray
    start: float
    over: bool


class LiveWords:
    """done(utterance, words or None, reason), partly(utterance, text): called from the thread.

    Times of words are seconds of the stream.
    """

    def __init__(self, recogniser: Recogniser, done: Done, partly: Partly) -> None:
        self._recogniser, self._done, self._partly = recogniser, done, partly
        self._tasks: deque[_Task] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._cost = 0.0
        self._tried = (0, 0.0)
        self._thread = threading.Thread(target=self._run, name="live-words", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, utterance: Utterance, sound: Callable[[float, float], np.ndarray]) -> None:
        """Recognise an utterance that has ended. sound: samples at 16 kHz between two moments."""
        with self._changed:
            self._tasks = deque(task for task in self._tasks if task.over)
            self._tasks.append(self._task(utterance, sound, over=True))
            self._changed.notify()

    def offer(self, utterance: Utterance, sound: Callable[[float, float], np.ndarray]) -> None:
        """Recognise what there is of one that goes on, if there is time for it."""
        number, end = self._tried
        grown = utterance.end - (end if number == utterance.number else utterance.start)
        with self._changed:
            if self._tasks or self._cost > SWIFT or grown < EVERY:
                return
            self._tried = (utterance.number, utterance.end)
            self._tasks.append(self._task(utterance, sound, over=False))
            self._changed.notify()

    def close(self, patience: float) -> None:
        """Finish what waits, as far as there is time for it."""
        with self._changed:
            self._closed = True
            if patience <= 0:
                self._tasks.clear()
            self._changed.notify()
        self._thread.join(patience)

    def _task(self, utterance: Utterance, sound: Callable[[float, float], np.ndarray], over: bool) -> _Task:
        start = max(0.0, utterance.start - EDGE_SECONDS)
        return _Task(utterance, sound(start, utterance.end + EDGE_SECONDS), start, over)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._tasks and not self._closed:
                    self._changed.wait()
                if not self._tasks:
                    return
                task = self._tasks.popleft()
                hurried = task.over and len(self._tasks) >= WAITING
            if hurried:
                self._done(task.utterance, None, "too busy")
            else:
                self._recognise(task)

    def _recognise(self, task: _Task) -> None:
        began = now()
        speech = [(start - task.start, end - task.start) for start, end in task.utterance.speech]
        words, reason = recognised_words(self._recogniser, task.sound, speech)
        self._cost = now() - began
        if task.over:
            self._done(task.utterance, words and _moved(words, task.start), reason)
        elif words is not None:
            self._partly(task.utterance, words.text)


def _moved(words: Transcript, by: float) -> Transcript:
    moved = tuple(Word(w.text, w.start + by, w.end + by, w.probability) for w in words.words)
    return replace(words, words=moved)
