"""The clip that comes with the program: plainly synthetic, small, and with something to see and hear."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from core import media
from core.features.vision import visual_features


def test_the_clip_says_that_it_is_synthetic(sample_clip: Path) -> None:
    assert sample_clip.stat().st_size < 1_000_000
    with av.open(str(sample_clip)) as container:
        assert "synthetic" in container.metadata["title"]
        assert "never said this" in container.metadata["comment"]


@pytest.mark.usefixtures("assets")
def test_its_face_is_found_throughout_and_moves(sample_clip: Path) -> None:
    features = visual_features(frame for _, frame in media.read_frames(sample_clip))
    assert len(features) > 90
    assert features[:, 55].all()
    mouth = features[:, 25]  # jawOpen
    assert np.ptp(mouth) > 0.2
    smile = features[:, 44]
    assert smile[-20:].mean() > smile[:20].mean() + 0.4
