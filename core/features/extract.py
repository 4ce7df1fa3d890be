"""One clip to its features: the one way that training, opening a clip and the live view go.

Voice and face come first, side by side on two cores, then the words, which take longest. Each of the three
is cached on its own: correcting the words costs neither voice nor face.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from core.features import cache
from core.features.audio import HOP, audio_features
from core.features.job import Job
from core.features.text import NO_SPEECH, recognised_words, typed_words
from core.features.vision import FaceReader
from core.interrupt import begin, finish
from core.media import SAMPLE_RATE, MediaInfo, probe, read_audio, read_frames
from core.speech import Recogniser, Segment, voice_activity
from core.types import MODALITIES, VISUAL_WIDTH, ClipFeatures, Modality, Transcript, Word

NO_SOUND, SILENT, NO_VOICE = "no sound", "silent", "no voice"
NO_PICTURE, NO_FACE = "no picture", "no face"
NOT_ASKED, NOT_YET = "not asked for", "words not there yet"

SILENCE = 1e-4
"""Peak of what counts as silent (-80 dB): compression of digital silence leaves less than that."""
LEAST_VOICE = 0.3
"""Seconds somebody must speak for the sound to count as a voice: music has no sentiment of a speaker."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is heard: features (T, 33), or None and the reason; where somebody speaks, in seconds."""

    features: np.ndarray | None
    speech: list[Segment]
    reason: str = ""


class Extractor:
    """Keeps the speech model from clip to clip. Any number of clips, one at a time."""

    def __init__(self, speech_model: str = "base") -> None:
        """speech_model: "base", "tiny.en" or a folder, see `core.speech.Recogniser`."""
        self._recogniser = Recogniser(speech_model)
        self._pruned = False

    def warm(self, words: bool = True) -> None:
        """Loads every model, so that the first clip is as quick as the second. Raises AssetError.

        words: False leaves out the recogniser of speech.
        """
        from core.features import audio, vision

        audio.warm()
        vision.warm()
        voice_activity(np.zeros(SAMPLE_RATE, dtype=np.float32))
        if words:
            self._recogniser.warm()

    def extract(
        self,
        path: Path | str,
        *,
        modalities: Sequence[Modality] = MODALITIES,
        transcript: str | None = None,
        on_progress: Callable[[str, float], None] | None = None,
        on_partial: Callable[[ClipFeatures], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> ClipFeatures:
        """The features of a clip; a modality that is None has its reason in `missing`.

        modalities: what is wanted; the rest is missing as "not asked for". transcript: typed words, which
        replace recognition. on_progress(step, fraction in [0, 1]), step one of decode, extract, transcribe.
        on_partial gets voice and face, once, if the words still have to be recognised. `cancelled` is asked,
        also from another thread, at least every half second. Raises MediaError, AssetError, Cancelled.
        """
        job = Job(Path(path), on_progress, cancelled)
        job.progress("decode", 0.0)
        with job.timed("decode"):
            info = probe(job.path)
            job.content = cache.content_hash(job.path, job.cancelled)
        job.progress("decode", 1.0)
        sound, features = _voice_and_face(job, info, modalities)
        if "text" in modalities:
            if transcript is None:
                features = self._recognised(job, features, sound, on_partial)
            else:
                features = _with_words(features, *typed_words(transcript, sound.speech, info.duration))
        self._keep_cache_small()
        return replace(features, seconds=dict(job.seconds))

    def _recognised(
        self,
        job: Job,
        features: ClipFeatures,
        sound: Sound,
        on_partial: Callable[[ClipFeatures], None] | None,
    ) -> ClipFeatures:
        if not sound.speech:
            return _with_words(features, None, NO_SOUND if sound.reason == NO_SOUND else NO_SPEECH)
        key = job.key("text-" + hashlib.sha256(self._recogniser.identity.encode()).hexdigest()[:16])
        if (stored := cache.load(key)) and (known := _transcript(stored[1])):
            return _with_words(features, known, "")
        if on_partial is not None:
            missing: dict[Modality, str] = {**features.missing, "text": NOT_YET}
            on_partial(replace(features, missing=missing, seconds=dict(job.seconds)))
        with job.timed("decode"):
            audio = job.audio if job.audio is not None else read_audio(job.path, job.cancelled)
        with job.timed("transcribe"):
            progress = partial(job.progress, "transcribe")
            words, reason = recognised_words(self._recogniser, audio, sound.speech, progress, job.cancelled)
        if words is not None:
            cache.save(key, {}, asdict(words))
        return _with_words(features, words, reason)

    def _keep_cache_small(self) -> None:
        """Once a process is enough, and nobody waits for it."""
        if not self._pruned:
            self._pruned = True
            begin(cache.prune)


def _voice_and_face(job: Job, info: MediaInfo, modalities: Sequence[Modality]) -> tuple[Sound, ClipFeatures]:
    hearing = begin(partial(_hear, job, info)) if {"audio", "text"} & set(modalities) else None
    visual, no_visual, faces = _see(job, info) if "visual" in modalities else (None, NOT_ASKED, 0)
    with job.timed("extract"):
        sound = finish(hearing, job.cancelled) if hearing else Sound(None, [], NOT_ASKED)
    job.progress("extract", 1.0)
    audio, no_audio = (sound.features, sound.reason) if "audio" in modalities else (None, NOT_ASKED)
    reasons: dict[Modality, str] = {"text": NOT_ASKED, "audio": no_audio, "visual": no_visual}
    return sound, ClipFeatures(
        duration=info.duration,
        audio=audio,
        voiced=None if audio is None else voiced_frames(sound.speech, len(audio)),
        visual=visual,
        missing={modality: reason for modality, reason in reasons.items() if reason},
        faces=faces,
    )


def _hear(job: Job, info: MediaInfo) -> Sound:
    """Voice features and voice activity, from the cache where it has them."""
    if not info.has_audio:
        return Sound(None, [], NO_SOUND)
    if stored := cache.load(job.key("audio")):
        arrays, meta = stored
        speech = [(float(start), float(end)) for start, end in arrays["speech"]]
        return Sound(arrays.get("features"), speech, meta["reason"])
    job.audio = read_audio(job.path, job.cancelled)
    sound = _understood(job.audio, job.cancelled)
    arrays = {"speech": np.array(sound.speech, dtype=np.float64).reshape(-1, 2)}
    if sound.features is not None:
        arrays["features"] = sound.features
    cache.save(job.key("audio"), arrays, {"reason": sound.reason})
    return sound


def _understood(audio: np.ndarray, cancelled: Callable[[], bool]) -> Sound:
    if len(audio) == 0:
        return Sound(None, [], NO_SOUND)
    if np.abs(audio).max() < SILENCE:
        return Sound(None, [], SILENT)
    speech = voice_activity(audio)
    if sum(end - start for start, end in speech) < LEAST_VOICE:
        return Sound(None, [], NO_VOICE)
    return Sound(audio_features(audio, cancelled), speech)


def _see(job: Job, info: MediaInfo) -> tuple[np.ndarray | None, str, int]:
    """Face features (T, 128) and "", or None and the reason; then the most faces seen (0: not known).

    From the cache where it has them; what it has from earlier days does not tell how many faces there were.
    """
    if not info.has_video:
        return None, NO_PICTURE, 0
    if stored := cache.load(job.key("visual")):
        rows, faces = stored[0]["features"], int(stored[1].get("faces", 0))
    else:
        rows, faces = _watched(job, info)
        cache.save(job.key("visual"), {"features": rows}, {"faces": faces})
    if not rows[:, -1].any():
        return None, NO_FACE if len(rows) else NO_PICTURE, 0
    return rows, "", faces


def _watched(job: Job, info: MediaInfo) -> tuple[np.ndarray, int]:
    """Face features (T, 128) of every picture, and the most faces that were found in one."""
    reader = FaceReader()
    rows = [np.zeros((0, VISUAL_WIDTH), dtype=np.float32)]
    following = partial(next, read_frames(job.path), None)
    coming = begin(following, "frames")
    while True:
        with job.timed("decode"):
            shown = finish(coming, job.cancelled)
        if shown is None:
            return np.concatenate(rows), reader.most
        job.check()
        coming = begin(following, "frames")  # decoded while this one is looked at
        with job.timed("extract"):
            rows.append(reader.read(shown[1])[None])
        job.progress("extract", min(shown[0] / info.duration, 1.0) if info.duration else 0.0)


def voiced_frames(speech: Sequence[Segment], frames: int) -> np.ndarray:
    """(frames,) bool: is the middle of that audio frame within a stretch of speech."""
    times = np.arange(frames) * HOP / SAMPLE_RATE
    voiced = np.zeros(frames, dtype=bool)
    for start, end in speech:
        voiced |= (times >= start) & (times < end)
    return voiced


def _with_words(features: ClipFeatures, words: Transcript | None, reason: str) -> ClipFeatures:
    missing: dict[Modality, str] = dict(features.missing)
    missing.pop("text", None)
    if words is None:
        missing["text"] = reason
    return replace(features, transcript=words, missing=missing)


def _transcript(stored: dict) -> Transcript | None:
    """A transcript from the cache's JSON; None where that is of another form."""
    try:
        return Transcript(stored["text"], stored["language"], tuple(Word(**word) for word in stored["words"]))
    except (KeyError, TypeError):
        return None
