"""A preflight that answers at once, as its argument says: good, faulty, dies, silent."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

PROBLEMS = [
    {
        "code": "label-out-of-range",
        "severity": "error",
        "where": "data.scale",
        "message": "train: 2 labels are beyond the scale.",
        "remedy": "Mend them.",
    },
    {"code": "data-note", "severity": "note", "where": "data", "message": "Cut.", "remedy": ""},
]


def report(faulty: bool) -> dict[str, Any]:
    labels = {"multimodal": 1284}
    return {
        "ready": not faulty,
        "problems": PROBLEMS if faulty else [],
        "splits": [{"name": "train", "rows": 1284, "groups": 52, "labels": labels}],
        "device": {"name": "cpu", "detail": "1 threads", "bfloat16": None},
        "text_encoder": "text-encoder (MiniLM)",
        "time": {"batch_s": 0.1, "batches": 80, "epoch_s": 9.0, "run_s": 450.0, "runs": 1},
        "memory": {"need": None, "free": 8_000_000_000},
        "device_memory": None,
        "disk": {"need": 400_000_000, "free": 90_000_000_000},
        "seconds": 1.5,
    }


def say(number: int, event: str, **values: Any) -> None:
    sys.stdout.write(json.dumps({"v": 1, "id": number, "event": event, **values}) + "\n")
    sys.stdout.flush()


def main(behaviour: str) -> None:
    say(0, "ready")
    for line in sys.stdin:
        message = json.loads(line)
        if message["do"] != "preflight":
            continue
        say(message["id"], "progress", step="data", fraction=0.5)
        if behaviour == "dies":
            sys.stderr.write("out of luck\n")
            sys.stderr.flush()
            os._exit(3)
        if behaviour != "silent":
            say(message["id"], "done", report=report(behaviour == "faulty"))


main(sys.argv[1])
