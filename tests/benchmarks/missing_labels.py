"""Unimodal labels on CH-SIMS, where people gave them, and what rows without a multimodal label are worth.

Text only: nothing else of CH-SIMS is here. Learned from the train part, of whose films every seventh is
watched for the best epoch; scored on the valid part. `labels` compares the sources of unimodal labels;
`missing` takes the multimodal label from most train rows and leaves these out, keeps their text label, or
keeps them bare.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from alternatives import fit, interval, settings_of
from real_data import chsims

from core.data.batches import Sample
from core.model.label_sources import GeneratedLabels, TeacherLabels
from core.training.evaluate import judge

KINDS = ("generated", "human", "none", "teacher", "adversarial")
KNOWN = 0.1
"""Share of the train rows that keep their multimodal label in `missing`."""


def parts() -> tuple[list[Sample], list[Sample], list[Sample]]:
    """Rows to learn from, to watch, to score."""
    found = chsims()
    watched = [zlib.crc32(s.group.encode()) % 7 == 0 for s in found["train"]]
    learned = [s for s, apart in zip(found["train"], watched, strict=True) if not apart]
    return learned, [s for s, apart in zip(found["train"], watched, strict=True) if apart], found["valid"]


def errors(kind: str, seed: int, learned: list[Sample], watched: list[Sample], scored: list[Sample]) -> Any:
    """Absolute errors (N,) of the fusion and of the text head against people's labels; the trainer."""
    settings = settings_of(seed, 1.0, {"labels": {"kind": kind}, "alignment": {"weight": 0.0}})
    network, trainer = fit(settings, learned, watched)
    judged = judge(network, None, scored, 0)
    return *(np.abs(judged.estimates[h] - judged.labels[h]) for h in ("multimodal", "text")), trainer


def labels(seeds: Sequence[int]) -> dict[str, Any]:
    """By source of labels: errors of two heads, and how near the made text labels are to people's."""
    learned, watched, scored = parts()
    groups = np.array([s.group for s in scored])
    given = np.array([[s.labels[h] for h in ("multimodal", "text")] for s in learned]).T
    found: dict[str, Any] = {"the multimodal label itself": {"made": _near(given[0], given[1])}}
    for kind in KINDS:
        runs = [errors(kind, seed, _without_text_label(kind, learned), watched, scored) for seed in seeds]
        found[kind] = {
            "mae": interval(np.mean([run[0] for run in runs], axis=0), groups),
            "mae_text": interval(np.mean([run[1] for run in runs], axis=0), groups),
        }
        made = [m for run in runs if (m := _made(run[2].labels)) is not None]
        if made:
            found[kind]["made"] = np.mean([_near(m, given[1]) for m in made], axis=0).tolist()
    return found


def _without_text_label(kind: str, rows: list[Sample]) -> list[Sample]:
    """Only "human" may learn from what people said of the text."""
    if kind == "human":
        return rows
    return [replace(s, labels={"multimodal": s.labels["multimodal"]}) for s in rows]


def _made(source: Any) -> np.ndarray | None:
    if isinstance(source, GeneratedLabels):
        return source.bank.labels["text"].numpy()
    return source.teacher.labels["text"].numpy() if isinstance(source, TeacherLabels) else None


def _near(labels: np.ndarray, people: np.ndarray) -> list[float]:
    """Correlation and mean absolute error."""
    return [float(np.corrcoef(labels, people)[0, 1]), float(np.abs(labels - people).mean())]


def missing(seeds: Sequence[int]) -> dict[str, Any]:
    """What rows without a multimodal label add; differences are to leaving them out, paired by row."""
    learned, watched, scored = parts()
    groups = np.array([s.group for s in scored])
    ways: dict[str, tuple[str, Callable[[Sample], dict | None]]] = {
        "left out": ("human", lambda s: None),
        "text label kept": ("human", lambda s: {"text": s.labels["text"]}),
        "text label kept, generated": ("generated", lambda s: {"text": s.labels["text"]}),
        "left out, with a teacher": ("teacher", lambda s: None),
        "bare, with a teacher": ("teacher", lambda s: {}),
        "every label kept": ("human", lambda s: dict(s.labels)),
    }
    found: dict[str, Any] = {}
    first: Any = None
    for name, (kind, keep) in ways.items():
        runs = []
        for seed in seeds:
            known = np.random.default_rng(seed).random(len(learned)) < KNOWN
            rows = [s if k else _labelled(s, keep(s)) for s, k in zip(learned, known, strict=True)]
            runs.append(errors(kind, seed, [s for s in rows if s is not None], watched, scored)[:2])
        mean = np.mean(runs, axis=0)
        first = mean if first is None else first
        found[name] = {
            head: {"mae": interval(mean[i], groups), "minus_left_out": interval(mean[i] - first[i], groups)}
            for i, head in enumerate(("multimodal", "text"))
        }
    return found


def _labelled(sample: Sample, labels: dict | None) -> Sample | None:
    return None if labels is None else replace(sample, labels=labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    seeds = range(1111, 1111 + asked.seeds)
    found: dict[str, Any] = {"labels": labels(seeds)}
    asked.out.write_text(json.dumps(found, indent=1))
    found["missing"] = missing(seeds)
    asked.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
