"""The Training page, drawn offscreen: a long run opened and redrawn, a real run followed from its start."""

from __future__ import annotations

import json
import math
import random
import tempfile
from pathlib import Path
from typing import Any

from core.benchmarks import mosi_like
from core.benchmarks.window import open_window
from core.training.run_state import RunState, write_state
from core.training.settings import dump, load

EVENTS = 200_000
EPOCH = 2000
ROWS = 2000
HEADS = ("multimodal", "text", "audio", "visual")
QUICK = (
    "network.text_freeze=all",
    "training.epochs=1000",
    "training.patience=1000",
    "data.calibration_share=0.1",
)
"""Over the preset: epochs of a few seconds, without end."""


def training_page(clip: Path) -> dict[str, Any]:
    """Seconds until a run of 200,000 events is drawn, milliseconds of a redraw, seconds from the start of a
    run to its first point, gaps of the event loop: idle, and while the run trains and pages are switched."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        settings = folder / "settings.toml"
        settings.write_text(dump(load("mosi", QUICK)), encoding="utf-8")
        data = mosi_like.write(folder / "made-up.pkl", ROWS, 200, aligned=True)
        long = write_long(folder / "long")
        run = {"settings": str(settings), "data": str(data), "folder": str(folder / "runs" / "made-up")}
        told = open_window(
            CONSONANCE_BENCH="training-page",
            CONSONANCE_BENCH_LONG=str(long),
            CONSONANCE_BENCH_RUN=json.dumps(run),
            CONSONANCE_RUNS=str(folder / "runs"),
        )
    figures = json.loads(told["said"])
    idle, busy = figures["idle_ms"]["p99"], figures["training_ms"]["p99"]
    return {**figures, "ratio_p99": busy / idle if idle else 0.0}


def write_long(folder: Path, events: int = EVENTS) -> Path:
    """A finished run with so many steps in its events."""
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(dump(load("mosi")), encoding="utf-8")
    write_state(folder, RunState(state="finished", epochs=events // EPOCH, reason="all epochs done"))
    chance = random.Random(1)
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        start = {"v": 1, "seq": 0, "t": 0.0, "kind": "start", "batches": EPOCH, "epochs": events // EPOCH}
        file.write(json.dumps(start) + "\n")
        for number in range(events):
            file.write(json.dumps(_step(number, number / events, chance)) + "\n")
    return folder


def _step(number: int, share: float, chance: random.Random) -> dict[str, Any]:
    epoch, batch = divmod(number, EPOCH)
    falls = math.exp(-4 * share)
    noisy = {f"loss_{head}": round(0.4 + falls + chance.gauss(0, 0.2), 5) for head in HEADS}
    weights = {f"weight_{head}": round(0.3 + chance.gauss(0, 0.02), 5) for head in HEADS[1:]}
    told = {
        "v": 1,
        "seq": number + 1,
        "t": float(number),
        "kind": "step",
        "epoch": epoch + 1,
        "batch": batch + 1,
    }
    figures = {
        "alignment": round(0.01 * falls + chance.random() / 500, 6),
        "alignment_relative": 0.5,
        "rate": 1e-3,
    }
    machine = {"samples_s": round(chance.gauss(400, 9), 1), "rss_mb": 600.0}
    return {**told, "step": number, "share": share, **noisy, **weights, **figures, **machine}
