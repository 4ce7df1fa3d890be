"""OpenCV, imported without its side effects on the process.

On import, cv2 points QT_QPA_* at the Qt it brings along and puts its own folder into LD_LIBRARY_PATH. A Qt
window of ours, or a program that we start, would then load the wrong libraries (docs/adr/0005-one-opencv.md).
"""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType

THREADS = 2


@cache
def cv2() -> ModuleType:
    """The cv2 module; the environment is afterwards what it was before."""
    before = dict(os.environ)
    import cv2 as module

    for name in set(os.environ) - set(before):
        del os.environ[name]
    for name, value in before.items():
        if os.environ.get(name) != value:
            os.environ[name] = value
    module.setNumThreads(THREADS)
    module.utils.logging.setLogLevel(module.utils.logging.LOG_LEVEL_ERROR)
    return module
