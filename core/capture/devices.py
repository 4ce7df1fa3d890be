"""Which cameras and microphones there are, and noticing that they have changed."""

from __future__ import annotations

import json
import subprocess
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.capture import cameras, microphones
from core.capture.items import CaptureError

_SOUND_CARDS = Path("/proc/asound/cards")
_CHILD_SECONDS = 10.0


def listed() -> dict[str, Any]:
    """{"cameras": [{index, name}], "microphones": [{name, rate, channels, preferred}], "problem"}.

    problem: the JSON of the CaptureError for which there are no microphones, or None. As this process sees
    them: while a microphone is open, PortAudio goes on showing what there was when it was opened.
    """
    found: list[dict[str, Any]] = []
    problem = None
    try:
        found = [asdict(known) for known in microphones.list_microphones()]
    except CaptureError as error:
        problem = error.to_json()
    return {
        "cameras": [asdict(known) for known in cameras.list_cameras()],
        "microphones": found,
        "problem": problem,
    }


def listed_anew() -> dict[str, Any]:
    """The same; asks another process where a microphone is open. May take half a second."""
    from core.workers import command

    if not microphones.in_use():
        return listed()
    try:
        done = subprocess.run(
            command("record", "--list", "--json"),
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_CHILD_SECONDS,
            check=True,
        )
        return json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return listed()


class Watch:
    """Notices at next to no cost that something was plugged in or out.

    Linux only: elsewhere, and for what only a sound server knows, somebody has to ask.
    """

    def __init__(self, cards: Path = _SOUND_CARDS, video: Path = cameras.SYSTEM) -> None:
        self._cards, self._video = cards, video
        self._before = self._seen()

    def changed(self) -> bool:
        """Whether it is different from the last time that this was asked."""
        before, self._before = self._before, self._seen()
        return before != self._before

    def _seen(self) -> tuple[object, ...]:
        try:
            cards = self._cards.read_bytes()
        except OSError:
            cards = b""
        return cards, tuple(cameras.list_cameras(self._video)) if self._video.is_dir() else ()
