"""The method against its parents and alternatives on real data (command: docs/experiments-training.md).

Every seed cuts the groups (videos) into five folds anew; each fold is scored by a network that never saw its
groups, whose best epoch was chosen on further groups, neither learned from nor scored. So a row has one
estimate a seed. Intervals (95 %) are of a bootstrap over groups, of the error averaged over the seeds;
differences are paired. Nothing here was tuned on what is scored.
"""

from __future__ import annotations

import argparse
import copy
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from real_data import mmmo, mosi

from core.data.batches import Sample, feature_widths, has
from core.data.sources import Part
from core.data.statistics import standardisation
from core.model.network import Network
from core.training.evaluate import judge
from core.training.plan import Plan
from core.training.processes import Processes
from core.training.settings import Settings, Source, fitted
from core.training.step import Trainer
from core.types import MODALITIES

FOLDS, WATCHED, RESAMPLES = 5, 0.15, 2000
ONCE = {group: 1e-3 for group in (*MODALITIES, "other")}
BASE: dict[str, Any] = {
    "network": {"text_encoder": "", "text_width": 64, "audio_input_width": 0, "visual_input_width": 0},
    "training": {"epochs": 40, "patience": 6, "batch_size": 32, "accumulate": 1, "learning_rate": ONCE},
}
METHODS: dict[str, dict[str, Any]] = {
    "method": {},
    "no alignment (Self-MM)": {"alignment": {"weight": 0.0}},
    "no label generation": {"labels": {"kind": "none"}},
    "neither": {"labels": {"kind": "none"}, "alignment": {"weight": 0.0}},
    "alignment of correlations": {"alignment": {"form": "correlation"}},
    "fusion by attention": {"network": {"fusion": "attention"}},
    "fusion by graph": {"network": {"fusion": "graph"}},
    "labels of a teacher": {"labels": {"kind": "teacher"}},
    "adversarial": {"labels": {"kind": "adversarial"}},
}
PARENTS = ("method", "no alignment (Self-MM)", "no label generation")
Predictor = Callable[[int, list[Sample], list[Sample], list[Sample]], np.ndarray]
"""Seed, rows to learn from, rows to watch, rows to score -> estimates of the last."""


def settings_of(seed: int, limit: float, changes: dict[str, Any]) -> Settings:
    """BASE with the changes of a method laid over it."""
    tree = copy.deepcopy(BASE)
    tree["training"]["seed"] = seed
    tree["labels"] = {"limit": limit}
    for section, values in changes.items():
        tree.setdefault(section, {}).update(values)
    return Settings.model_validate(tree)


def fit(
    settings: Settings, learned: list[Sample], watched: list[Sample], head: str = "multimodal"
) -> tuple[Network, Trainer]:
    """The network of the epoch with the smallest error of a head on the watched rows."""
    settings = fitted(settings, feature_widths(learned))
    torch.manual_seed(settings.training.seed)
    network = Network(settings.network)
    for modality, encoder in (("audio", network.audio_encoder), ("visual", network.visual_encoder)):
        if known := standardisation(learned, modality):
            encoder.standardise_by(*(torch.from_numpy(x).float() for x in known))
    plan = Plan(learned, settings.training)
    part, processes = Part(learned, [0] * len(learned)), Processes(settings.training)
    trainer = Trainer(settings, network, None, part, (Source(),), len(plan), processes)
    best, kept, since = np.inf, copy.deepcopy(network.state_dict()), 0
    for epoch in range(1, settings.training.epochs + 1):
        for number, rows in enumerate(plan.epoch(epoch)):
            trainer.step(epoch, number, rows)
        estimates, labels = judge(network, None, watched, 0).labelled(head)
        error, since = np.abs(estimates - labels).mean(), since + 1
        if error < best:
            best, kept, since = error, copy.deepcopy(network.state_dict()), 0
        if since >= settings.training.patience:
            break
    network.load_state_dict(kept)
    return network, trainer


def network(limit: float, changes: dict[str, Any], *parts: Any) -> np.ndarray:
    """One method's estimates, by the fusion head."""
    seed, learned, watched, scored = parts
    found, _ = fit(settings_of(seed, limit, changes), learned, watched)
    return judge(found, None, scored, 0).estimates["multimodal"]


def late_fusion(limit: float, *parts: Any) -> np.ndarray:
    """Each modality judges alone (all have the multimodal label); least squares of what they say."""
    seed, learned, watched, scored = parts
    changes = {"labels": {"kind": "human"}, "alignment": {"weight": 0.0}}
    alone = {
        m: fit(settings_of(seed, limit, changes), _only(learned, m), _only(watched, m), m)[0]
        for m in MODALITIES
        if any(has(s, m) for s in learned)
    }

    def said(rows: list[Sample]) -> np.ndarray:
        heads = [judge(alone[m], None, _only(rows, m), 0).estimates[m] for m in alone]
        return np.column_stack([np.ones(len(rows)), *(np.nan_to_num(h) for h in heads)])

    truth = np.array([s.labels["multimodal"] for s in watched])
    weights, *_ = np.linalg.lstsq(said(watched), truth, rcond=None)
    return said(scored) @ weights


def _only(rows: list[Sample], modality: str) -> list[Sample]:
    gone = {m: None for m in MODALITIES if m != modality}
    return [replace(s, **gone, labels={modality: s.labels["multimodal"]}) for s in rows]


def ridge(*parts: Any) -> np.ndarray:
    """Standardised means and deviations over time, one ridge; its strength by leaving one out in training."""
    from sklearn.linear_model import RidgeCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    _, learned, watched, scored = parts
    model = make_pipeline(StandardScaler(), RidgeCV(np.logspace(0, 5, 16)))
    known = learned + watched
    widths = feature_widths(known)
    model.fit(_flat(known, widths), [s.labels["multimodal"] for s in known])
    return model.predict(_flat(scored, widths))


def median(*parts: Any) -> np.ndarray:
    """The median label of what is learned from."""
    _, learned, _, scored = parts
    return np.full(len(scored), np.median([s.labels["multimodal"] for s in learned]))


def _flat(rows: list[Sample], widths: dict[Any, int]) -> np.ndarray:
    def one(sample: Sample) -> np.ndarray:
        found = []
        for m, width in widths.items():
            x = np.atleast_2d(getattr(sample, m)) if has(sample, m) else np.zeros((1, width))
            found += [x.mean(axis=0), x.std(axis=0)] if len(x) > 1 or m != "text" else [x[0]]
        return np.concatenate(found)

    return np.stack([one(s) for s in rows])


def crossed(rows: list[Sample], seed: int, predict: Predictor) -> np.ndarray:
    """An estimate of every row by a model that never saw its group."""
    groups = np.array([s.group for s in rows])
    names = np.random.default_rng(seed).permutation(np.unique(groups))
    made = np.full(len(rows), np.nan)
    for fold in range(FOLDS):
        scored = np.isin(groups, names[fold::FOLDS])
        rest = names[~np.isin(names, names[fold::FOLDS])]
        watched = np.isin(groups, rest[: round(WATCHED * len(rest))])
        parts = [[rows[i] for i in np.flatnonzero(p)] for p in (~scored & ~watched, watched, scored)]
        made[scored] = predict(seed, *parts)
    return made


def interval(values: np.ndarray, groups: np.ndarray) -> tuple[float, float, float]:
    """Mean of (N,) values and its 95 % interval by a bootstrap over groups."""
    _, code = np.unique(groups, return_inverse=True)
    sums, counts = np.bincount(code, values), np.bincount(code)
    drawn = np.random.default_rng(0).integers(len(sums), size=(RESAMPLES, len(sums)))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return float(values.mean()), *(float(q) for q in np.quantile(means, (0.025, 0.975)))


def compare(rows: list[Sample], limit: float, seeds: Sequence[int], only: Sequence[str], out: Path) -> None:
    """Every predictor over every seed; the table is written after each of them."""
    ours: dict[str, Predictor] = {n: partial(network, limit, c) for n, c in METHODS.items()}
    others: dict[str, Predictor] = {"ridge": ridge, "train median": median}
    others["late fusion"] = partial(late_fusion, limit)
    predictors = {name: ours[name] for name in PARENTS} | others | ours
    estimates: dict[str, np.ndarray] = {}
    for name, predict in predictors.items():
        if only and name not in only:
            continue
        started = time.monotonic()
        estimates[name] = np.stack([crossed(rows, seed, predict) for seed in seeds])
        found = table(rows, estimates)
        out.write_text(json.dumps({"rows": len(rows), "seeds": list(seeds), "table": found}, indent=1))
        _told(f"{name}: {found[name]['mae'][0]:.4f} ({time.monotonic() - started:.0f} s)")


def table(rows: list[Sample], estimates: dict[str, np.ndarray]) -> dict[str, Any]:
    """By predictor, from its (seeds, N) estimates: error, interval, and the first one's difference to it."""
    truth = np.array([s.labels["multimodal"] for s in rows])
    groups = np.array([s.group for s in rows])
    errors = {name: np.abs(e - truth).mean(axis=0) for name, e in estimates.items()}
    first = next(iter(errors.values()))
    return {
        name: {
            "mae": interval(errors[name], groups),
            "by_seed": np.abs(e - truth).mean(axis=1).round(4).tolist(),
            "corr": float(np.mean([np.corrcoef(x, truth)[0, 1] for x in e])),
            "acc2_non0": float(np.mean(((e > 0) == (truth > 0))[:, truth != 0])),
            "first_minus_this": interval(first - errors[name], groups),
        }
        for name, e in estimates.items()
    }


def _told(text: str) -> None:
    sys.stderr.write(text + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", choices=["mosi", "mmmo"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    rows, limit = (mosi(), 3.0) if asked.data == "mosi" else (mmmo(), 2.0)
    compare(rows, limit, range(1111, 1111 + asked.seeds), asked.only, asked.out)


if __name__ == "__main__":
    main()
