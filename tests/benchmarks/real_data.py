"""Real feature sets as samples: MOSI vectors, MMMO sequences, CH-SIMS labels with translated texts."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np

from core.data.batches import Sample, tokenised
from core.types import Head

LABELS: dict[str, Head] = {"y_M": "multimodal", "y_T": "text", "y_A": "audio", "y_V": "visual"}


def folder() -> Path:
    """Where the data sets lie: CONSONANCE_SHARED, or the folder beside the checkout."""
    beside = Path(__file__).resolve().parents[3] / "shared"
    return Path(os.environ.get("CONSONANCE_SHARED") or beside) / "data"


def mosi() -> list[Sample]:
    """1,447 utterances of 62 videos, one vector a modality; labels in [-3, 3]."""
    z = dict(np.load(folder() / "mosi" / "mosi_train.npz"))
    return [
        Sample(
            id=str(z["uid"][i]),
            group=str(z["video_id"][i]),
            text=z["text"][i],
            audio=z["audio"][i][None],
            visual=z["video"][i][None],
            labels={"multimodal": float(z["y"][i])},
        )
        for i in range(len(z["y"]))
    ]


def mmmo() -> list[Sample]:
    """260 film reviews, voice and face in 20 steps, no text; labels 1 … 5, here -2 … 2."""
    made = []
    for part in ("train", "valid"):
        z = dict(np.load(folder() / "mfn_sequences" / f"mmmo_{part}.npz"))
        made += [
            Sample(
                id=f"{part}-{i}",
                group=f"{part}-{i}",
                audio=_trimmed(z["audio"][i]),
                visual=_trimmed(z["video"][i]),
                labels={"multimodal": float(z["y"][i]) - 3},
            )
            for i in range(len(z["y"]))
        ]
    return made


def chsims(text_vectors: bool = True) -> dict[str, list[Sample]]:
    """CH-SIMS v1 by part: the translated text, as MiniLM's mean vector, and four labels in [-1, 1]."""
    parts = {}
    for part in ("train", "valid"):
        with (folder() / "chsims_v1" / f"chsims_v1_{part}.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        texts = _vectors([row["text_en"] for row in rows]) if text_vectors else [r["text_en"] for r in rows]
        parts[part] = [
            Sample(
                id=row["uid"],
                group=row["video_id"],
                text=text,
                labels={head: float(row[name]) for name, head in LABELS.items()},
            )
            for row, text in zip(rows, texts, strict=True)
        ]
    return parts


def _trimmed(x: np.ndarray) -> np.ndarray | None:
    """Without the zero padding at both ends; None where nothing is left."""
    steps = np.flatnonzero(np.any(x != 0, axis=1))
    return x[steps[0] : steps[-1] + 1] if len(steps) else None


def _vectors(texts: list[str]) -> list[np.ndarray]:
    import torch

    from core.data.batches import collate
    from core.model.network import Network, load_tokenizer
    from core.training.settings import NetworkSettings

    settings = NetworkSettings(text_freeze="all")
    tokenizer, network = load_tokenizer(settings), Network(settings).eval()
    samples = [tokenised(Sample(str(i), str(i), text=t), tokenizer) for i, t in enumerate(texts)]
    order = sorted(range(len(texts)), key=lambda i: len(samples[i].text))
    found: list[np.ndarray] = [np.empty(0)] * len(texts)
    with torch.inference_mode():
        for start in range(0, len(order), 64):
            rows = order[start : start + 64]
            batch = collate([samples[i] for i in rows], tokenizer)
            for i, vector in zip(rows, network.encode_text(batch.text_ids, batch.text_mask), strict=True):
                found[i] = vector.numpy()
    return found
