"""Filters that are kept are those that would have been made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from core.features.kept_filters import _NAME, keep_filters

CHROMA = """
import sys, numpy as np
from librosa.feature import chroma_cqt
sound = np.random.default_rng(1).normal(size=40000).astype(np.float32)
np.save(sys.argv[1], chroma_cqt(y=sound, sr=16000, hop_length=512, tuning=0.0))
"""


def test_the_chroma_is_the_same_as_without_keeping_bit_for_bit(tmp_path: Path) -> None:
    from librosa.feature import chroma_cqt

    keep_filters()
    sound = np.random.default_rng(1).normal(size=40000).astype(np.float32)
    kept = [chroma_cqt(y=sound, sr=16000, hop_length=512, tuning=0.0) for _ in range(2)]
    plain = tmp_path / "plain.npy"
    subprocess.run([sys.executable, "-c", CHROMA, str(plain)], check=True)
    for chroma in kept:
        np.testing.assert_array_equal(chroma, np.load(plain))


def test_librosa_still_has_the_function_that_is_made_quicker() -> None:
    from librosa.core import constantq

    keep_filters()
    assert getattr(constantq, _NAME).__module__ == keep_filters.__module__
