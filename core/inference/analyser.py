"""A clip to its analysis: extract, predict. What the command line and the engine both drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from core.errors import UserError
from core.features.extract import Extractor
from core.inference.predictor import Predictor
from core.interrupt import finish
from core.model.checkpoint import describe, load
from core.model.chosen import dropped
from core.types import AUDIO_WIDTH, MODALITIES, VISUAL_WIDTH, Analysis, ClipFeatures, Modality, Transcript


class Analyser:
    """Loads a checkpoint and the recogniser once; then `analyse` for any number of clips, one at a time.

    The network is loaded in the background, while the first clip is already read.
    """

    def __init__(self, model: str = "starter", speech: str = "base") -> None:
        """model: `starter` or a checkpoint's folder; speech: a recogniser's name or folder.

        Raises ModelError where there is no such model; what else is wrong with it is told by `analyse`.
        """
        meta = describe(model)
        self.model = {"name": meta.name, "version": meta.version}
        self.scale = meta.scale
        self._checkpoint = model
        self._background = ThreadPoolExecutor(max_workers=1, thread_name_prefix="model")
        self._loading = self._load()
        self._extractor = Extractor(speech)

    def _load(self) -> Future[Predictor]:
        return self._background.submit(lambda: Predictor(load(self._checkpoint), dropped(self._checkpoint)))

    def _predictor(self, cancelled: Callable[[], bool] | None = None) -> Predictor:
        """The predictor, once it is loaded. An error of the user's world may have gone by the next try."""
        try:
            return finish(self._loading, cancelled)
        except UserError:
            self._loading = self._load()
            raise

    def analyse(
        self,
        file: str,
        *,
        modalities: Sequence[Modality] = MODALITIES,
        transcript: str | None = None,
        on_progress: Callable[[str, float], None] | None = None,
        on_partial: Callable[[Analysis], None] | None = None,
        cancelled: Callable[[], bool] | None = None,
    ) -> Analysis:
        """The answer to one clip. Raises MediaError, ModelError, AssetError; Cancelled if that is wished.

        on_progress(step, fraction in [0, 1]), step in decode, transcribe, extract, predict;
        on_partial(analysis) once the picture and the sound are understood and the words not yet.
        """
        report = on_progress or _ignored
        report("decode", 0.0)

        def predict(features: ClipFeatures) -> Analysis:
            return self._predictor(cancelled).predict(features, file)

        features = self._extractor.extract(
            Path(file),
            modalities=modalities,
            transcript=transcript,
            on_progress=report,
            on_partial=None if on_partial is None else lambda part: on_partial(predict(part)),
            cancelled=cancelled,
        )
        report("predict", 0.0)
        analysis = predict(features)
        report("predict", 1.0)
        return analysis

    def predictor(self) -> Predictor:
        """The predictor, once it is loaded. Raises ModelError, AssetError."""
        return self._predictor()

    def warm(self, words: bool = True) -> None:
        """Load everything, and run the network once: its first pass is the slowest by far.

        words: False leaves out the recogniser of speech.
        """
        self._extractor.warm(words)
        self._predictor().predict(
            ClipFeatures(
                duration=3.0,
                transcript=Transcript("warm", ""),
                audio=np.zeros((94, AUDIO_WIDTH), np.float32),
                voiced=np.ones(94, dtype=bool),
                visual=np.ones((30, VISUAL_WIDTH), np.float32),
            ),
            "",
        )


def _ignored(step: str, fraction: float) -> None:
    """Progress that nobody asked for."""
