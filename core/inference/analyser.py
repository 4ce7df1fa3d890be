"""A clip to its analysis: extract, predict. What the command line and the engine both drive."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from core.features.extract import Extractor
from core.inference.predictor import Predictor
from core.model.checkpoint import load
from core.types import AUDIO_WIDTH, MODALITIES, VISUAL_WIDTH, Analysis, ClipFeatures, Modality, Transcript


class Analyser:
    """Loads a checkpoint and the recogniser once; then `analyse` for any number of clips, one at a time."""

    def __init__(self, model: str = "starter", speech: str = "base") -> None:
        """model: `starter` or a checkpoint's folder; speech: a recogniser's name or folder.

        Raises ModelError, AssetError.
        """
        self._predictor = Predictor(load(model))
        self._extractor = Extractor(speech)
        self.model = self._predictor.model
        self.scale = self._predictor.scale

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
        """The answer to one clip. MediaError where it cannot be read, Cancelled where `cancelled` says so.

        on_progress(step, fraction in [0, 1]), step in decode, transcribe, extract, predict;
        on_partial(analysis) once the picture and the sound are understood and the words not yet.
        """
        predict = self._predictor.predict
        features = self._extractor.extract(
            Path(file),
            modalities=modalities,
            transcript=transcript,
            on_progress=on_progress,
            on_partial=None if on_partial is None else lambda part: on_partial(predict(part, file)),
            cancelled=cancelled,
        )
        if on_progress is not None:
            on_progress("predict", 0.0)
        analysis = predict(features, file)
        if on_progress is not None:
            on_progress("predict", 1.0)
        return analysis

    def warm(self) -> None:
        """Run the network once on nothing in particular: its first pass is the slowest by far."""
        self._predictor.predict(
            ClipFeatures(
                duration=3.0,
                transcript=Transcript("warm", ""),
                audio=np.zeros((94, AUDIO_WIDTH), np.float32),
                voiced=np.ones(94, dtype=bool),
                visual=np.ones((30, VISUAL_WIDTH), np.float32),
            ),
            "",
        )
