"""Takes known chatter of native libraries off stderr and lets everything else through."""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager

_CHATTER = re.compile(rb"^(WARNING: Logging before InitGoogle|INFO: Created TensorFlow Lite|[IW]\d{4} )")


@contextmanager
def without_chatter() -> Generator[None]:
    """While inside, stderr's file descriptor is collected; on leaving, what is no chatter is written to it.

    MediaPipe logs from C++ and heeds no level set from Python. Errors (lines starting with E or F),
    tracebacks and other threads' lines are kept, only later.
    """
    sys.stderr.flush()
    real = os.dup(2)
    with tempfile.TemporaryFile() as collected:
        os.dup2(collected.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(real, 2)
            collected.seek(0)
            for line in collected:
                if not _CHATTER.match(line):
                    os.write(2, line)
            os.close(real)
