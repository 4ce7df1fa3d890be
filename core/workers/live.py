"""The engine's job that watches a camera and a microphone; both are held by the capture process."""

from __future__ import annotations

from contextlib import ExitStack

from core.capture.rings import Pictures, Sounds
from core.inference.analyser import Analyser
from core.inference.streaming import Live
from core.speech import Recogniser
from core.workers.jobs import Job, Jobs, LiveRequest


def watch(analyser: Analyser, job: Job, request: LiveRequest, jobs: Jobs) -> None:
    """Tell what is seen and heard until the job is cancelled. Raises RingError, ModelError, AssetError."""
    with ExitStack() as stack:
        pictures = sounds = None
        if request.pictures is not None:
            pictures = Pictures.attach(request.pictures)
            stack.callback(pictures.close)
        if request.sound is not None:
            sounds = Sounds.attach(request.sound)
            stack.callback(sounds.close)
        recogniser = Recogniser(request.speech)
        analyser.warm(words=False)
        recogniser.warm()
        live = Live(analyser.predictor(), recogniser, pictures, sounds, _tell(jobs, job))
        live.run(job.stopped)


def _tell(jobs: Jobs, job: Job):  # noqa: ANN202 - a function of any fields
    return lambda event, **fields: jobs.tell(job, event, **fields)
