"""Run folders as training writes them, made in a moment: for whatever reads or shows runs."""

from __future__ import annotations

import json
import math
import os
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from core.training.run_state import RunState, State, write_state
from core.training.settings import Settings, dump, load

HEADS = ("multimodal", "text", "audio", "visual")
MODALITIES = HEADS[1:]
BATCHES, STEPS_AN_EPOCH = 80, 4


def write_run(
    folder: Path,
    state: State = "finished",
    epochs: int = 12,
    seed: int = 1111,
    name: str = "mosi",
    overrides: tuple[str, ...] = (),
    quality: float = 0.0,
    nulls: tuple[int, ...] = (),
) -> Path:
    """A run that has come `epochs` epochs far, of 20. quality: taken off its errors; nulls: epochs without a
    loss of the text.

    One that is "running" is worked on by this process; one that is "interrupted" by one that is gone.
    """
    settings = load("mosi", (f"training.seed={seed}", "training.epochs=20", *overrides))
    folder.mkdir(parents=True)
    (folder / "settings.toml").write_text(dump(settings), encoding="utf-8")
    (folder / "run.json").write_text(json.dumps(_about(folder, name, seed)), encoding="utf-8")
    lines = list(_events(settings, epochs, random.Random(seed), quality, nulls))
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        for number, line in enumerate(lines):
            file.write(json.dumps({"v": 1, "seq": number, "t": 1.8e9 + number, **line}) + "\n")
    best = _best(epochs)
    found = RunState(
        state="running" if state == "interrupted" else state,
        pid=2**22 - 3 if state == "interrupted" else os.getpid(),
        started=psutil.Process().create_time(),
        epoch=epochs,
        epochs=20,
        step=epochs * BATCHES,
        share=epochs / 20,
        best={"epoch": best, "figure": valid_mae(best, quality), "monitor": "mae"},
        left_s=95.0 if state == "running" else None,
    )
    write_state(folder, _ended(found, state))
    (folder / "stdout.log").write_text("reading data\ntraining\n", encoding="utf-8")
    if state == "finished":
        (folder / "report.json").write_text(json.dumps(report(epochs, quality, seed)), encoding="utf-8")
    return folder


def _ended(state: RunState, words: State) -> RunState:
    if words == "failed":
        error = {"message": "The disk is full: checkpoints/best.", "remedy": "Free 40 MB, then resume."}
        return replace(state, error=error)
    if words == "finished":
        return replace(state, reason="no better epoch in 8", share=1.0)
    return replace(state, reason="stopped by the user" if words == "stopped" else None)


def _best(epochs: int) -> int:
    return max(1, min(epochs, 9))


def valid_mae(epoch: int, quality: float = 0.0) -> float:
    """The validation error of an epoch: falls to epoch 9, then rises a little."""
    return round(0.94 + 0.6 * math.exp(-epoch / 2.5) + 0.004 * max(0, epoch - 9) ** 1.5 - quality, 4)


def _about(folder: Path, name: str, seed: int) -> dict[str, Any]:
    return {
        "v": 1,
        "id": folder.name,
        "name": name,
        "data": f"/data/{name}.pkl",
        "fingerprint": "5f3a",
        "seed": seed,
        "created": f"2026-11-2{seed % 5}T10:1{seed % 10}:00+00:00",
        "environment": {"python": "3.11.7", "torch": "2.13.0", "device": "cpu", "threads": 1},
    }


def _events(
    settings: Settings, epochs: int, chance: random.Random, quality: float, nulls: tuple[int, ...]
) -> Iterator[dict[str, Any]]:
    yield {"kind": "segment", "number": 1, "step": 0, "epoch": 0, "pid": 1}
    yield {"kind": "data", "rows": {"mosi.pkl": {"train": 1284, "valid": 229}}, "notes": []}
    yield {"kind": "start", "rows": 1284, "batches": BATCHES, "epochs": settings.training.epochs}
    for epoch in range(1, epochs + 1):
        for part in range(1, STEPS_AN_EPOCH + 1):
            at = epoch - 1 + part / STEPS_AN_EPOCH
            step = _step(at, chance, quality)
            if epoch in nulls:
                step["loss_text"] = None
            yield {
                "kind": "step",
                "epoch": epoch,
                "batch": part * BATCHES // STEPS_AN_EPOCH,
                "step": round(at * BATCHES),
                "share": at / settings.training.epochs,
                **step,
            }
        yield _epoch(epoch, quality)


def _step(at: float, chance: random.Random, quality: float) -> dict[str, Any]:
    falls = math.exp(-at / 3)
    losses = {
        f"loss_{head}": round(0.35 + 0.1 * i + 1.1 * falls + chance.gauss(0, 0.05) - quality, 4)
        for i, head in enumerate(HEADS)
    }
    weights = {f"weight_{m}": round(0.3 + 0.1 * i * (1 - falls), 4) for i, m in enumerate(MODALITIES)}
    return {
        **losses,
        **weights,
        "alignment": round(0.002 + 0.02 * falls + abs(chance.gauss(0, 0.0006)), 6),
        "alignment_relative": round(0.3 + 0.6 * falls + chance.gauss(0, 0.02), 4),
        "samples_s": round(412 + chance.gauss(0, 9), 1),
        "rss_mb": round(640 + 2 * at, 1),
        "rate": 1e-3,
    }


def _epoch(epoch: int, quality: float) -> dict[str, Any]:
    mae = valid_mae(epoch, quality)
    labels = {
        m: {
            "spread": 1.2 + 0.05 * i * epoch,
            "norm": 1.0,
            "skipped": 0,
            "drift": 0.4 * math.exp(-epoch / (4 + i)),
        }
        for i, m in enumerate(MODALITIES)
    }
    valid = {"mae": mae, "loss": 1.4 * mae, **{f"mae_{h}": mae + 0.08 * i for i, h in enumerate(HEADS)}}
    return {
        "kind": "epoch",
        "epoch": epoch,
        "best": _best(epoch),
        "valid": valid,
        "labels": labels,
        "seconds": 3.1,
    }


def report(epochs: int, quality: float, seed: int) -> dict[str, Any]:
    """report.json of a finished run."""
    chance = random.Random(seed)

    def figure(value: float) -> dict[str, Any]:
        at = value + chance.gauss(0, 0.01)
        return {"value": at, "low": at - 0.04, "high": at + 0.04, "count": 229}

    metrics = {
        head: {
            "mae": figure(0.95 + 0.2 * i - quality),
            "corr": figure(0.65 - 0.1 * i + quality),
            "acc2_non0": figure(0.79 - 0.05 * i + quality),
            "acc7": figure(0.33 - 0.02 * i),
        }
        for i, head in enumerate(HEADS)
    }
    return {
        "best_epoch": _best(epochs),
        "epochs": epochs,
        "ended": "no better epoch in 8",
        "rows": {"mosi.pkl": {"train": 1284, "valid": 229, "calibration": 120, "test": 229}},
        "notes": ["12 rows are in two splits"],
        "calibration": {"level": 0.8, "text": 1.31, "audio": 2.0, "multimodal": {"text+audio+visual": 1.24}},
        "test": {
            "sources": {
                "test": {
                    "rows": 229,
                    "groups": 31,
                    "scheme": "mosi",
                    "metrics": metrics,
                    "coverage": {"multimodal": {"value": 0.79, "level": 0.8, "count": 229}},
                }
            }
        },
    }


def write_long_run(folder: Path, events: int = 200_000) -> Path:
    """A run whose events file holds so many steps."""
    write_run(folder, epochs=1)
    chance, each = random.Random(1), 2000
    block = [_step(12 * k / each, chance, 0.0) for k in range(each)]
    with (folder / "events.jsonl").open("w", encoding="utf-8") as file:
        start = {"kind": "start", "rows": 100, "batches": each, "epochs": 1000}
        file.write(json.dumps({"v": 1, "seq": 0, "t": 0.0, **start}) + "\n")
        for number in range(events):
            epoch, batch = divmod(number, each)
            told = {"v": 1, "seq": number + 1, "t": 1.8e9 + number, "kind": "step", "epoch": epoch + 1}
            told |= {"batch": batch + 1, "step": number, "share": number / events}
            file.write(json.dumps({**told, **block[batch]}) + "\n")
    return folder


def write_model(run: Path, foreign: tuple[str, ...] = ()) -> Path:
    """What a run's finished model says of itself. foreign: modalities learned from features of the data."""
    from core.model.chosen import OWN

    (run / "model").mkdir()
    told = {
        "name": "mosi",
        "version": "1",
        "scale": [-3, 3],
        "features": {m: "foreign" if m in foreign else OWN for m in MODALITIES},
        "network": {"text_encoder": "text-encoder"},
        "trained": {"rows": {"mosi.pkl": {"train": 1284, "test": 229}}, "epoch": 9},
        "calibration": {"level": 0.8, "multimodal": {"text": 1.0}},
    }
    (run / "model" / "model.json").write_text(json.dumps(told), encoding="utf-8")
    return run
