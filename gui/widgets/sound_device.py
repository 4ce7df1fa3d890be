"""Whether there is anything to hear sound from. Light: Qt's multimedia is loaded only where there may be."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import qInstallMessageHandler

if TYPE_CHECKING:
    from PySide6.QtMultimedia import QAudioDevice


def sound_system() -> bool:
    """Whether this machine can have an audio device at all (Linux: a card, or a sound server's socket).

    Where none runs, Qt's is not even loaded: it complains aloud about every part it misses.
    """
    if sys.platform != "linux":
        return True
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    sockets = [Path(runtime, name) for name in ("pulse/native", "pipewire-0")] if runtime else []
    known = os.environ.get("PULSE_SERVER") or os.environ.get("PULSE_RUNTIME_PATH")
    return bool(known) or Path("/dev/snd/timer").exists() or any(s.exists() for s in sockets)


def output_device() -> QAudioDevice | None:
    """The default output; None where there is none. What is plugged in later is found by asking again."""
    if not sound_system():
        return None
    previous = qInstallMessageHandler(lambda *_: None)
    try:
        from PySide6.QtMultimedia import QMediaDevices

        device = QMediaDevices.defaultAudioOutput()
        return None if device.isNull() else device
    finally:
        qInstallMessageHandler(previous)
