"""What the Live page says of how things stand: plain sentences, pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import QCoreApplication

BUSY = 0.8
"""Seconds behind from which on the machine is said to be busy."""
_REASONS = {
    "no face": "no face",
    "no voice": "nobody speaks",
    "no sound": "no sound",
    "silent": "silence",
    "no picture": "no picture",
}


def _tr(text: str, **values: object) -> str:
    return QCoreApplication.translate("live", text).format(**values)


def missing_words(missing: Mapping[str, str]) -> str:
    """Why voice or face give no estimate; "" while both do."""
    told = [_tr(_REASONS.get(missing[m], missing[m])) for m in ("visual", "audio") if m in missing]
    return " · ".join(dict.fromkeys(told))


def busy_words(state: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    """Whether the machine keeps up; `before`: the state before this one."""
    dropped = state["windows_dropped"] - before.get("windows_dropped", 0)
    if dropped:
        return _tr("machine busy: {n} windows left out", n=dropped)
    if state["behind"] > BUSY:
        return _tr("machine busy: {s:.1f} s behind", s=state["behind"])
    return ""


def source_words(states: Mapping[str, Mapping[str, Any]]) -> str:
    """What is wrong with camera and microphone, and what to do; "" while nothing is."""
    told = []
    for state in states.values():
        if state.get("reason"):
            told.append(f"{state['reason']} {state.get('remedy') or ''}".strip())
    return "\n".join(dict.fromkeys(told))


def picture_words(
    states: Mapping[str, Mapping[str, Any]], wanted: bool, chosen: bool, rehearsing: bool = False
) -> str:
    """What stands in place of the picture, or over one that no longer moves; "" while one comes."""
    if not chosen:
        return _tr("Choose a camera, or play a file as if it were live")
    if not wanted:
        return _tr("Preview is off")
    if rehearsing:
        return _tr("Getting ready…")
    camera = states.get("camera")
    if camera is None:
        return _tr("No camera")
    state = camera["state"]
    if state == "running":
        return ""
    if state in ("opening", "ended", "closed"):
        return {"opening": _tr("Opening…"), "ended": _tr("The file has ended")}.get(state, "")
    return f"{camera.get('reason', '')}\n{camera.get('remedy', '')}".strip()
