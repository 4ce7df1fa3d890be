"""The words of a run, prepared once: as token ids, or, where the text encoder rests, as it encodes them."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from core import paths
from core.data.batches import Sample, collate, has, tokenised
from core.data.rows import Looked, Rows, ragged
from core.data.sources import Part
from core.model.checkpoint import encoder_sha256
from core.model.network import Network
from core.training.stand import Work

ROWS = 64
"""Texts encoded at once."""


def read(work: Work, network: Network) -> tuple[Part, Sequence[Sample]]:
    """The training part, and the samples of the validation part, with their words prepared."""
    part, valid = work.found.part("train"), work.found.part("valid").samples
    if work.tokenizer is None:
        return part, valid
    resting = work.settings.network.text_freeze == "all"
    made = []
    for samples in (part.samples, valid):
        tokens = _tokens(work, samples)
        made.append(with_texts(samples, _encoded(work, network, tokens) if resting else tokens))
    return Part(made[0], part.sources), made[1]


def _tokens(work: Work, samples: Sequence[Sample]) -> list[np.ndarray]:
    """Token ids of each sample, none for a missing text."""
    limit = work.settings.data.max_tokens
    none = np.empty(0, dtype=np.int64)
    made = (tokenised(s, work.tokenizer, limit).text if has(s, "text") else none for s in texts_of(samples))
    return [np.asarray(ids) for ids in made]


def texts_of(samples: Sequence[Sample]) -> Sequence[Sample]:
    """The samples with their texts alone: reading these of a set on disk touches no sequence."""
    return samples.showing(("text",)) if isinstance(samples, Rows) else samples


def with_texts(samples: Sequence[Sample], texts: Sequence[np.ndarray] | Looked) -> Sequence[Sample]:
    """The samples with these texts in place of their own; an empty one is a missing text."""
    if isinstance(samples, Rows):
        return samples.with_texts(texts if isinstance(texts, Looked) else ragged(iter(texts)))
    made = (texts[row] for row in range(len(texts)))
    return [
        replace(sample, text=text if len(text) else None) for sample, text in zip(samples, made, strict=True)
    ]


def _encoded(work: Work, network: Network, tokens: Sequence[np.ndarray]) -> Looked:
    """F_t of each text, (F_t,) float32 on disk, kept by what they are made of and with; empty for none.

    The encoder rests and its dropout is off, so this is what every epoch would compute again.
    """
    there = [row for row, ids in enumerate(tokens) if len(ids)]
    file = _place(work, [tokens[row] for row in there])
    if work.processes.main and not file.exists():
        _write(file, _encode(work, network, [tokens[row] for row in there]))
    work.processes.wait()  # the others read what the main process has encoded
    places = np.full(len(tokens), -1)
    places[there] = np.arange(len(there))
    return Looked(np.load(file, mmap_mode="r", allow_pickle=False), places)


def _place(work: Work, tokens: Sequence[np.ndarray]) -> Path:
    settings = work.settings.network
    digest = hashlib.sha256()
    digest.update(f"{encoder_sha256(settings)} {settings.text_readout} {torch.__version__}".encode())
    for ids in tokens:
        digest.update(len(ids).to_bytes(4, "little") + ids.astype(np.int64).tobytes())
    return paths.cache() / "text-vectors" / f"{digest.hexdigest()}.npy"


@torch.inference_mode()
def _encode(work: Work, network: Network, tokens: Sequence[np.ndarray]) -> np.ndarray:
    """(n, F_t) float32, texts of like length together."""
    network.eval()
    vectors = np.zeros((len(tokens), network.widths["text"]), dtype=np.float32)
    order = np.argsort([len(ids) for ids in tokens], kind="stable")
    for first in range(0, len(order), ROWS):
        rows = order[first : first + ROWS]
        samples = [Sample("", "", text=tokens[row]) for row in rows]
        batch = collate(samples, work.tokenizer, max_tokens=work.settings.data.max_tokens)
        batch = batch.to(work.processes.device)
        assert batch.text_ids is not None
        assert batch.text_mask is not None
        vectors[rows] = network.encode_text(batch.text_ids, batch.text_mask).float().cpu().numpy()
        work.progress("encoding the words", first / len(order))
    return vectors


def _write(file: Path, vectors: np.ndarray) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, part = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as opened:
            np.save(opened, vectors, allow_pickle=False)
        Path(part).replace(file)
    finally:
        Path(part).unlink(missing_ok=True)
