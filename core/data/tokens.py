"""Words to token ids once for all epochs; of samples on disk only the ids are held, not the samples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from core.data.batches import Sample, Tokenizer, tokenised
from core.data.columns import TOKENS, VECTOR, WORDS
from core.data.rows import Rows, ragged

BLOCK = 1024
"""Texts given to a tokenizer at once: the fast ones work them side by side."""


def all_tokenised(
    samples: Sequence[Sample], tokenizer: Tokenizer | None, max_tokens: int
) -> Sequence[Sample]:
    """The samples with token ids, `max_tokens` at most, for words; as they are without a tokenizer."""
    if tokenizer is None:
        return samples
    if isinstance(samples, Rows) and not (samples.text_kinds == WORDS).any():
        return samples
    if not isinstance(samples, Rows) or (samples.text_kinds == VECTOR).any():
        return [tokenised(sample, tokenizer, max_tokens) for sample in samples]
    return samples.with_texts(ragged(_ids(samples, tokenizer, max_tokens)))


def _ids(samples: Rows, tokenizer: Tokenizer, max_tokens: int) -> Iterator[np.ndarray]:
    """Token ids of each row, none where it has no text; int32."""
    nothing = np.empty(0, np.int32)
    for start in range(0, len(samples), BLOCK):
        rows = range(start, min(start + BLOCK, len(samples)))
        kinds = samples.text_kinds[start : rows.stop]
        words = [str(samples.text(row)) for row, kind in zip(rows, kinds, strict=True) if kind == WORDS]
        made = iter(_encoded(words, tokenizer, max_tokens))
        for row, kind in zip(rows, kinds, strict=True):
            if kind == WORDS:
                yield next(made)
            else:
                yield np.asarray(samples.text(row), np.int32) if kind == TOKENS else nothing


def _encoded(words: list[str], tokenizer: Tokenizer, max_tokens: int) -> list[np.ndarray]:
    if not words:
        return []
    found = tokenizer(words, truncation=True, max_length=max_tokens)["input_ids"]
    return [np.asarray(ids, np.int32) for ids in found]
