"""A real child process that speaks the engine's protocol by script, to play faults the real one must not.

Usage: fake_engine.py BEHAVIOUR [COUNTER]. The file COUNTER counts the starts, so that a fault can be the
first's alone. A clip whose name holds "bad" fails; one that holds "slow" waits for a cancel.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any


def say(**message: Any) -> None:
    sys.stdout.write(json.dumps({"v": 1, **message}) + "\n")
    sys.stdout.flush()


def analysis(file: str, transcript: str | None, words: bool = True) -> dict[str, Any]:
    """An answer in the engine's form; a typed transcript moves the estimate."""
    text = transcript if transcript is not None else "we all thought it would never work"
    spoken, sure = text.split(), 0.9 if transcript is None else None
    step = 4.6 / max(1, len(spoken))
    time = [0.5 * k for k in range(1, 11)]
    value = -0.8 if transcript is None else min(3.0, 0.1 * len(text))
    curve = {"time": time, "multimodal": [math.sin(t) for t in time], "text": [None] * 10}
    curve |= {"audio": [0.5 * math.cos(t) for t in time], "visual": [0.2 * t for t in time]}
    matrix = [[1.0 if i == j else 0.6 * math.sin(i * j) for j in range(32)] for i in range(32)]
    estimate = {"value": value, "low": value - 0.9, "high": value + 0.9}
    return {
        "file": file,
        "duration": 0.0 if file.endswith(".png") else 5.0,
        "transcript": {
            "text": text,
            "language": "en" if transcript is None else "",
            "words": [
                {"text": w, "start": 0.2 + i * step, "end": 0.2 + (i + 0.9) * step, "probability": sure}
                for i, w in enumerate(spoken)
            ],
        }
        if words
        else None,
        "estimates": {
            "multimodal": estimate,
            "text": estimate if words else None,
            "audio": {"value": 0.4, "low": -0.8, "high": 1.6},
            "visual": None,
        },
        "curve": curve,
        "alignment": {
            "distance": 0.12,
            "percentile": 62.0,
            "windows": 17,
            "shuffled": 0.19,
            "reference": {"name": "starter", "count": 34},
        },
        "alignment_reason": "",
        "covariance": {"audio": matrix, "visual": [row[::-1] for row in matrix[::-1]]},
        "missing": [{"modality": "visual", "reason": "no face"}],
        "model": {"name": "fake", "version": "1"},
        "scale": [-3.0, 3.0],
        "seconds": {"decode": 0.1, "transcribe": 0.5, "extract": 0.3, "predict": 0.05},
    }


def answer(request: dict[str, Any]) -> None:
    """One clip from waveform to done."""
    job, file = request["id"], request["file"]
    peaks = [abs(math.sin(k / 40)) * (0.3 + 0.7 * abs(math.sin(k / 7))) for k in range(1000)]
    say(id=job, event="waveform", peaks=peaks, speech=[[0.2, 2.4], [2.7, 4.8]])
    say(id=job, event="progress", step="decode", fraction=1.0)
    if "bad" in Path(file).name:
        error = {
            "kind": "media",
            "message": f"{Path(file).name} holds no sound and no picture",
            "remedy": "Open another file.",
            "details": "invalid data",
        }
        say(id=job, event="failed", error=error)
        return
    say(id=job, event="progress", step="extract", fraction=1.0)
    say(id=job, event="partial", analysis=analysis(file, None, words=False))
    say(id=job, event="progress", step="transcribe", fraction=0.4)
    if "slow" not in Path(file).name:
        say(id=job, event="done", analysis=analysis(file, request["transcript"]))


def watch(job: int) -> None:
    """A stream: four windows, a state, an utterance, an alignment; then silence until it is cancelled."""
    whole = analysis("", None)
    band = {"low": 0.01, "high": 0.03, "name": "fake", "count": 6}
    scale, fields = [-3.0, 3.0], {"alignment", "covariance", "alignment_reason"}
    say(
        id=job,
        event="started",
        origin=0.0,
        scale=scale,
        window=3.0,
        step=0.5,
        band=band,
        model=whole["model"],
    )
    times = [0.5, 1.0, 1.5, 2.0]
    waves = {head: [math.sin(t + n) for t in times] for n, head in enumerate(("multimodal", "audio"))}
    say(id=job, event="curve", time=times, **waves, text=[None] * 4, visual=[None] * 4)
    say(
        id=job,
        event="state",
        time=2.0,
        face=False,
        voice=True,
        missing={"visual": "no face"},
        behind=0.1,
        windows_dropped=0,
        pictures_missed=0,
    )
    say(id=job, event="words", utterance=1, text="we all thought")
    say(id=job, event="utterance", number=1, start=0.5, end=2.0, answer=whole)
    say(id=job, event="alignment", time=2.0, **{key: whole[key] for key in fields})


def fault(behaviour: str, file: str) -> None:
    """What goes wrong while a clip is analysed."""
    sys.stderr.write(f"last words about {Path(file).name}\n")
    sys.stderr.flush()
    if behaviour in ("crash", "crash-always"):
        sys.exit(3)
    if behaviour == "garbage":
        sys.stdout.write("no message at all\n")
    elif behaviour == "flood":
        while True:
            sys.stdout.write("x" * 65536)
    elif behaviour == "endless":
        sys.stdout.write('{"v": 1, "id": 1, "event": "progress"')
    sys.stdout.flush()


def main() -> None:
    behaviour = sys.argv[1]
    counter = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    starts = 1 + (int(counter.read_text()) if counter and counter.exists() else 0)
    if counter:
        counter.write_text(str(starts))
    if behaviour == "no-start":
        sys.exit("cannot load")
    if behaviour == "unready":
        error = {
            "kind": "asset",
            "message": "The text encoder is not here.",
            "remedy": "Run consonance assets fetch.",
        }
        say(id=0, event="failed", error=error)
    else:
        say(id=0, event="ready", model={"name": "fake", "version": "1"}, scale=[-3.0, 3.0])
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "cancel":
            if behaviour != "deaf":
                say(id=request["job"], event="cancelled")
        elif request["do"] == "live":
            watch(request["id"])
        elif (
            behaviour in ("crash", "garbage", "flood", "endless") and starts == 1
        ) or behaviour == "crash-always":
            fault(behaviour, request["file"])
        elif behaviour != "hang":
            answer(request)


if __name__ == "__main__":
    main()
