"""Samples, and the batches the network reads.

A batch of B rows keeps of each modality only the rows that have it ("compact"), so a missing modality costs
nothing and is never confused with silence. Tensor names carry their shape: `audio_btd` is
(batch, time, width).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from core.types import HEADS, MODALITIES, Head, Modality

MAX_TOKENS = 256
"""Longest text in tokens; what is longer is cut at the end."""


class Tokenizer(Protocol):
    """What is used of a transformers tokenizer."""

    pad_token_id: Any

    def __call__(self, text: Any, **options: Any) -> Mapping[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One utterance. A modality that is None, or of length 0, is missing.

    text: words; or token ids (L,) of an integer type; or vectors (L, d) or (d,) of a float type.
    audio, visual: (T, width) float. group: what must not be split (a video, a person).
    labels: on the data's scale; a head without a label is absent or NaN.
    together: False where the modalities were put together from different recordings: such a row may
    train the fusion head, never the alignment.
    """

    id: str
    group: str
    text: str | np.ndarray | None = None
    audio: np.ndarray | None = None
    visual: np.ndarray | None = None
    labels: Mapping[Head, float] = field(default_factory=dict)
    together: bool = True


@dataclass(frozen=True, slots=True)
class Batch:
    """B samples as tensors; those of a modality hold only the rows where `present[modality]` is true.

    index: (B,) position of each row in the set it came from. together: (B,) bool.
    labels[head]: (B,), NaN where there is none.
    text_ids, text_mask: (n_t, L) int64, or text_vectors: (n_t, d); audio_btd: (n_a, T, d) zero-padded at the
    end, audio_length: (n_a,) int64, on the CPU; the same for visual.
    """

    index: Tensor
    present: dict[Modality, Tensor]
    together: Tensor
    labels: dict[Head, Tensor]
    text_ids: Tensor | None = None
    text_mask: Tensor | None = None
    text_vectors: Tensor | None = None
    audio_btd: Tensor | None = None
    audio_length: Tensor | None = None
    visual_btd: Tensor | None = None
    visual_length: Tensor | None = None

    def __len__(self) -> int:
        return len(self.index)

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on `device`; lengths and `index` stay on the CPU, where they are read."""
        stay = {"index", "audio_length", "visual_length"}
        return replace(
            self,
            **{f.name: _moved(getattr(self, f.name), device) for f in fields(self) if f.name not in stay},
        )

    def without(self, modality: Modality, rows: Tensor) -> Batch:
        """The batch with `modality` hidden where the (B,) bool `rows` is true (modality dropout)."""
        was = self.present[modality]
        keep = ~rows.to(was.device)[was]
        names = [f.name for f in fields(self) if f.name.startswith(f"{modality}_")]
        changed: dict[str, Any] = {
            name: None if not keep.any() else value[keep.to(value.device)]
            for name in names
            if (value := getattr(self, name)) is not None
        }
        return replace(self, present={**self.present, modality: was & ~rows.to(was.device)}, **changed)


def _moved(value: Any, device: torch.device | str) -> Any:
    if isinstance(value, dict):
        return {key: _moved(item, device) for key, item in value.items()}
    return value.to(device) if isinstance(value, Tensor) else value


def has(sample: Sample, modality: Modality) -> bool:
    """Whether the sample has the modality at all; empty text and sequences of length 0 count as missing."""
    value = getattr(sample, modality)
    return value is not None and len(value.strip() if isinstance(value, str) else value) > 0


def tokenised(sample: Sample, tokenizer: Tokenizer, max_tokens: int = MAX_TOKENS) -> Sample:
    """The sample with its words replaced by token ids, so that epochs do not tokenise again."""
    if not isinstance(sample.text, str) or not sample.text.strip():
        return sample
    ids = tokenizer(sample.text, truncation=True, max_length=max_tokens)["input_ids"]
    return replace(sample, text=np.asarray(ids, dtype=np.int64))


def collate(
    samples: Sequence[Sample],
    tokenizer: Tokenizer | None,
    index: Sequence[int] | None = None,
    max_tokens: int = MAX_TOKENS,
) -> Batch:
    """Make a batch. `tokenizer` may be None where no sample has words or token ids.

    Raises ValueError for words without a tokenizer, and for words and vectors mixed in one batch.
    """
    texts = [tokenised(s, tokenizer, max_tokens) if tokenizer else s for s in samples]
    audio = [s.audio for s in samples if has(s, "audio")]
    visual = [s.visual for s in samples if has(s, "visual")]
    return Batch(
        index=torch.as_tensor(range(len(samples)) if index is None else index, dtype=torch.int64),
        present={m: torch.tensor([has(s, m) for s in samples], dtype=torch.bool) for m in MODALITIES},
        together=torch.tensor([s.together for s in samples], dtype=torch.bool),
        labels={h: torch.tensor([float(s.labels.get(h, np.nan)) for s in samples]) for h in HEADS},
        **_text([s.text for s in texts if has(s, "text")], tokenizer, max_tokens),
        **_sequence("audio", audio),
        **_sequence("visual", visual),
    )


def _text(texts: list[Any], tokenizer: Tokenizer | None, max_tokens: int) -> dict[str, Tensor]:
    if not texts:
        return {}
    if any(isinstance(text, str) for text in texts):
        raise ValueError("words need a tokenizer: this network reads precomputed text vectors")
    kinds = {np.asarray(text).dtype.kind in "iu" for text in texts}
    if len(kinds) > 1:
        raise ValueError("a batch mixes words with precomputed text vectors")
    if kinds == {False}:
        means = [x if np.ndim(x) == 1 else np.mean(x, axis=0, dtype=np.float64) for x in texts]
        return {"text_vectors": torch.from_numpy(np.stack(means).astype(np.float32))}
    lengths = [min(len(ids), max_tokens) for ids in texts]
    pad = getattr(tokenizer, "pad_token_id", None) or 0
    text_ids = torch.full((len(texts), max(lengths)), pad, dtype=torch.int64)
    for row, (ids, length) in enumerate(zip(texts, lengths, strict=True)):
        text_ids[row, :length] = torch.as_tensor(np.asarray(ids[:length], dtype=np.int64))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    return {"text_ids": text_ids, "text_mask": mask.to(torch.int64)}


def _sequence(name: str, sequences: list[Any]) -> dict[str, Tensor]:
    if not sequences:
        return {}
    lengths = [len(x) for x in sequences]
    btd = np.zeros((len(sequences), max(lengths), sequences[0].shape[1]), dtype=np.float32)
    for row, x in enumerate(sequences):
        btd[row, : len(x)] = x
    return {f"{name}_btd": torch.from_numpy(btd), f"{name}_length": torch.tensor(lengths)}


@dataclass(frozen=True, slots=True)
class RowIndex:
    """What is known of N samples without reading their sequences.

    lengths: (N, 3) int, columns as in MODALITIES, 0 where missing: steps, tokens, or characters of words.
    labels: (N, 4) float64, columns as in HEADS, NaN where there is none.
    """

    lengths: np.ndarray
    labels: np.ndarray

    def has(self, modality: Modality) -> np.ndarray:
        """(N,) bool."""
        return self.lengths[:, MODALITIES.index(modality)] > 0

    def label(self, head: Head) -> np.ndarray:
        """(N,) float64, NaN = none."""
        return self.labels[:, HEADS.index(head)]


def row_index(samples: Sequence[Sample]) -> RowIndex:
    """The index of any samples; those that stay on disk have one ready."""
    ready = getattr(samples, "row_index", None)
    if isinstance(ready, RowIndex):
        return ready
    lengths = np.array([length_key(s) for s in samples], dtype=np.int32).reshape(-1, len(MODALITIES))
    labels = [[float(s.labels.get(head, np.nan)) for head in HEADS] for s in samples]
    return RowIndex(lengths, np.array(labels, dtype=np.float64).reshape(-1, len(HEADS)))


def feature_widths(samples: Iterable[Sample]) -> dict[Modality, int]:
    """Width of each modality's features, by the first sample that has it; of text if it is vectors."""
    widths: dict[Modality, int] = {}
    for sample in samples:
        for modality in MODALITIES:
            value = getattr(sample, modality)
            if (
                modality not in widths
                and isinstance(value, np.ndarray)
                and value.dtype.kind == "f"
                and len(value)
            ):
                widths[modality] = value.shape[-1]
    return widths


def length_key(sample: Sample) -> tuple[int, int, int]:
    """Sorts samples of like cost together: text (its encoder dominates), then audio, then visual.

    Words are measured in characters, tokenised text in tokens: sort either kind, not a mix.
    """
    text, audio, visual = (len(getattr(sample, m)) if has(sample, m) else 0 for m in MODALITIES)
    return text, audio, visual


class BucketSampler:
    """Batches of indices of similar length, in another order each epoch.

    The order depends on (seed, epoch) only, so a resumed run sees what an uninterrupted one would have seen.
    Rows are shuffled, sorted by `keys` inside pools of `pool` batches, cut into batches, and these shuffled.
    """

    def __init__(self, keys: Sequence[Any] | np.ndarray, batch_size: int, seed: int, pool: int = 32) -> None:
        """keys: what to sort by, one a row; or an array (N, k), its first column counting most."""
        keys = np.asarray(keys)
        self.keys = keys[:, None] if keys.ndim == 1 else keys
        self.batch_size, self.seed, self.pool = batch_size, seed, pool

    def __len__(self) -> int:
        return -(-len(self.keys) // self.batch_size)

    def epoch(self, number: int) -> Iterator[list[int]]:
        """Batches of epoch `number`; each row once, the smaller left-over batch among them."""
        random = np.random.default_rng((self.seed, number))
        order = random.permutation(len(self.keys))
        span = self.pool * self.batch_size
        batches: list[list[int]] = []
        for start in range(0, len(order), span):
            pool = order[start : start + span]
            rows = pool[np.lexsort(self.keys[pool].T[::-1])].tolist()
            batches += [rows[i : i + self.batch_size] for i in range(0, len(rows), self.batch_size)]
        yield from (batches[i] for i in random.permutation(len(batches)))
