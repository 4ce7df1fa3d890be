"""Speech: when somebody speaks (silero, as faster-whisper carries it), and what is said (Whisper).

Only stretches with a voice are recognised, so that silence and music give no invented words. They are joined
to chunks of at most half a minute, which is what Whisper hears at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np

from core.errors import AssetError
from core.interrupt import interruptible
from core.media import SAMPLE_RATE
from core.types import Transcript, Word

MODELS = ("base", "tiny.en")
THREADS = 2
BEAM = 5
CHUNK_SECONDS = 28.0
PAUSE_SECONDS = 3.0
"""A longer silence starts a new chunk: Whisper invents words in long pauses."""
EDGE_SECONDS = 0.5
"""Sound kept on either side of a chunk: recognition suffers when the first sound is cut."""
SURE = 0.5
"""Probability from which a detected language is believed; below, PRESUMED is taken: a few mumbled words often
pass for a language that nobody speaks there."""
PRESUMED = "en"
PILED_UP = 3
"""Words in a row without length: the model repeats itself beyond the end of the sound."""

Segment = tuple[float, float]


def voice_activity(audio: np.ndarray) -> list[Segment]:
    """Where somebody speaks in (n,) sound at 16 kHz: (start, end) in seconds, in order, at most 28 s each."""
    if len(audio) == 0:
        return []
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    # Threshold 0.5, the model's usual one: at 0.35 music passes for speech; at 0.5 one acted sentence in a
    # hundred, a shouted one, is missed.
    options = VadOptions(
        min_speech_duration_ms=100,
        min_silence_duration_ms=300,
        speech_pad_ms=100,
        max_speech_duration_s=CHUNK_SECONDS,
    )
    found = get_speech_timestamps(audio.astype(np.float32, copy=False), options)
    return [(part["start"] / SAMPLE_RATE, min(part["end"], len(audio)) / SAMPLE_RATE) for part in found]


def align_typed(text: str, speech_segments: Sequence[Segment]) -> Transcript:
    """A typed transcript with word times: spread over the speech, each word by its number of letters.

    The times are estimates, so the probability is None; without any speech segment they are 0. Language: "".
    """
    words = text.split()
    ends = np.cumsum([len(word) + 1 for word in words])
    voiced = sum(end - start for start, end in speech_segments)
    marks = [0.0, *(ends / ends[-1] * voiced if words else ())]
    timed = [
        Word(word, _moment(speech_segments, start, True), _moment(speech_segments, end, False), None)
        for word, start, end in zip(words, marks, marks[1:], strict=False)
    ]
    return Transcript(" ".join(words), "", tuple(timed))


def _moment(segments: Sequence[Segment], voiced: float, later: bool) -> float:
    """The time at which that many seconds were spoken; on a pause, its end if `later`, else its start."""
    time = 0.0
    for start, end in segments:
        if voiced < end - start - 1e-9 or (not later and voiced <= end - start + 1e-9):
            return float(start + max(voiced, 0.0))
        voiced -= end - start
        time = end
    return float(time)


class Recogniser:
    """Turns speech into words with times; the model is loaded on first use and kept.

    model: "base" (many languages), "tiny.en" (English, about three times quicker), or a folder with a Whisper
    model in CTranslate2's form.
    """

    def __init__(self, model: str = "base") -> None:
        self.model = model

    @property
    def identity(self) -> str:
        """Names the model's content, for caches."""
        if self.model in MODELS:
            return self.model
        file = self._folder() / "model.bin"
        return f"{file.resolve()}:{file.stat().st_size}:{file.stat().st_mtime_ns}"

    def warm(self) -> None:
        """Loads the model (0.5 to 1 s), so that the first clip does not wait for it. Raises AssetError."""
        _load(self._folder())

    def transcribe(
        self,
        audio: np.ndarray,
        on_progress: Callable[[float], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
        speech: Sequence[Segment] | None = None,
    ) -> Transcript:
        """What is said in (n,) sound at 16 kHz; no text and no language where nobody speaks.

        on_progress gets fractions; `cancelled` is asked ten times a second, and Cancelled raised if it says
        so. speech: what `voice_activity` found, if that is known already. Raises AssetError.
        """
        words: list[Word] = []
        language = ""
        chunks = _chunks(voice_activity(audio) if speech is None else speech, len(audio) / SAMPLE_RATE)
        for number, (start, end) in enumerate(chunks):
            sound = audio[int(start * SAMPLE_RATE) : int(end * SAMPLE_RATE)]
            heard = interruptible(partial(self._recognise, sound, language or None), cancelled)
            language = language or heard.language
            words += [_shifted(word, start, end) for word in heard.words]
            if on_progress:
                on_progress((number + 1) / len(chunks))
        return Transcript(_joined(words), language if words else "", tuple(_stripped(words)))

    def _folder(self) -> Path:
        from core.assets import asset

        if self.model in MODELS:
            return asset(f"whisper-{self.model}")
        folder = Path(self.model)
        if not (folder / "model.bin").is_file():
            raise AssetError(
                f"{self.model}: no speech model", f"Choose {' or '.join(MODELS)}, or a CTranslate2 folder."
            )
        return folder

    def _recognise(self, sound: np.ndarray, language: str | None) -> Transcript:
        """Words of one chunk. Where the short window makes the model repeat itself, the full one is used."""
        model = _load(self._folder())
        model.short_window = True
        language = language or _language(model, sound)
        heard = _run(model, sound, language, short=True)
        return _run(model, sound, language, short=False) if _piled_up(heard.words) else heard


def _language(model, sound: np.ndarray) -> str:  # noqa: ANN001
    if not model.model.is_multilingual:
        return "en"
    detected, probability, _ = model.detect_language(sound)
    return detected if probability >= SURE else PRESUMED


def _run(model, sound: np.ndarray, language: str, short: bool) -> Transcript:  # noqa: ANN001
    model.short_window = short
    segments, _ = model.transcribe(
        sound,
        language=language,
        beam_size=BEAM,
        temperature=0.0,  # the fallback to higher ones is by chance: the same clip must give the same words
        word_timestamps=True,
        condition_on_previous_text=False,
    )
    words = tuple(
        Word(word.word, float(word.start), float(word.end), float(word.probability))
        for segment in segments
        for word in segment.words or ()
    )
    return Transcript("", language, words)


@cache
def _load(folder: Path):  # noqa: ANN202
    from core.whisper import ShortWindowWhisper

    try:
        return ShortWindowWhisper(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS)
    except (RuntimeError, ValueError, OSError) as error:
        raise AssetError(f"{folder}: {error}", "consonance assets verify") from error


def _chunks(speech: Sequence[Segment], duration: float) -> list[Segment]:
    """Speech joined over short pauses to stretches that Whisper hears at once, with a little edge."""
    joined: list[Segment] = []
    for start, end in speech:
        if joined and start - joined[-1][1] < PAUSE_SECONDS and end - joined[-1][0] <= CHUNK_SECONDS:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return [(max(start - EDGE_SECONDS, 0.0), min(end + EDGE_SECONDS, duration)) for start, end in joined]


def _piled_up(words: Sequence[Word]) -> bool:
    lengths = [word.end - word.start for word in words]
    runs = zip(*(lengths[shift:] for shift in range(PILED_UP)), strict=False)
    return any(max(run) < 0.01 for run in runs)


def _shifted(word: Word, offset: float, end: float) -> Word:
    return Word(word.text, min(word.start + offset, end), min(word.end + offset, end), word.probability)


def _joined(words: Iterable[Word]) -> str:
    """Whisper's words bring their spaces along; languages written without any have none."""
    return "".join(word.text for word in words).strip()


def _stripped(words: Iterable[Word]) -> list[Word]:
    return [Word(word.text.strip(), word.start, word.end, word.probability) for word in words]
