"""What the window and the engine say to each other: one JSON object a line over stdio, version 1.

Requests (window -> engine), each with an id of the sender's:
    {"v": 1, "id": 7, "do": "analyse", "file": "...", "transcript": null | "...", "modalities": ["text", ...]}
    {"v": 1, "id": 8, "do": "cancel", "job": 7}
    {"v": 1, "id": 9, "do": "live", "pictures": NAME | null, "sound": NAME | null, "speech": "tiny.en"}
        NAME: of a ring of core.capture.rings, as the capture process tells it
Events (engine -> window), each with the id of the request it answers (0: the engine itself):
    {"v": 1, "id": 0, "event": "ready", "model": {"name", "version"}, "scale": [low, high]}
    {"v": 1, "id": 0, "event": "failed", "error": {...}}     could not load; tried again with the next job
    {"v": 1, "id": 0, "event": "error", "error": {...}}      a line that is no request; nothing was begun
    {"v": 1, "id": 7, "event": "progress", "step": "decode|transcribe|extract|predict", "fraction": 0..1}
    {"v": 1, "id": 7, "event": "waveform", "peaks": [...], "speech": [[start, end], ...]}
        peaks: the loudest sample of each of at most 2000 equal stretches of the clip, 0..1; speech in seconds
    {"v": 1, "id": 7, "event": "partial", "analysis": {...}}      audio and visual, before the words are there
    {"v": 1, "id": 7, "event": "done", "analysis": {...}}         ends the job, as do the next two
    {"v": 1, "id": 7, "event": "failed", "error": {...}}
    {"v": 1, "id": 7, "event": "cancelled"}
    {"v": 1, "id": 9, "event": "started" | "curve" | "state" | "words" | "utterance" | "alignment", ...}
        of a live job, as core.inference.streaming tells them; it goes on until it is cancelled
An error is {"kind", "message", "remedy", "details"}: kind "internal" is a fault of the program, with the
traceback in details; "protocol" a request that cannot be obeyed; the others are those of core.errors. A job
that is cancelled says nothing more. Unknown fields are ignored, malformed lines are errors.
`analysis` is the JSON of `consonance analyse --json` plus "covariance": {"audio": d x d, "visual": d x d} or
null, "alignment_reason" (why there is none), and in its "alignment" the "meaning" of the figures, in words.
The engine ends when its stdin closes.
"""

from __future__ import annotations

import json
from typing import Any

VERSION = 1

Message = dict[str, Any]


class ProtocolError(Exception):
    """A line that is no message of this protocol: a bug, or a foreign program on the pipe."""


def encode(message: Message) -> bytes:
    """One message as a line. Non-finite numbers are refused: JSON has none."""
    return json.dumps({"v": VERSION, **message}, allow_nan=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message of one line. Raises ProtocolError if it is not an object of this version with an id."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:  # the latter: brackets nested without end
        raise ProtocolError(f"not JSON: {line[:200]!r}") from error
    if not isinstance(message, dict) or message.get("v") != VERSION or type(message.get("id")) is not int:
        raise ProtocolError(f"not a version {VERSION} message with an id: {line[:200]!r}")
    return message
