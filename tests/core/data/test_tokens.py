"""Words become token ids once, whether samples lie in memory or on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data import tokens
from core.data.batches import Sample, row_index
from core.data.rows import Rows
from core.data.store import Writer, convert
from core.data.tokens import all_tokenised


class Letters:
    """A tokenizer: [1, letters, 2], cut like the real ones."""

    pad_token_id = 0

    def __call__(self, text: Any, **options: Any) -> dict[str, Any]:
        if isinstance(text, str):
            return {"input_ids": [1, *map(ord, text[: options["max_length"] - 2]), 2]}
        return {"input_ids": [self(one, **options)["input_ids"] for one in text]}


SAMPLES = [
    Sample("a", "g", text="some words"),
    Sample("b", "g", audio=np.ones((3, 2), np.float32)),
    Sample("c", "g", text="  "),
    Sample("d", "g", text=np.array([5, 6, 7])),
    Sample("e", "g", text="é", labels={"text": 1.0}),
]


def stored(samples: Sequence[Sample], name: str) -> Rows:
    def fill(writer: Writer) -> dict[str, Any]:
        for sample in samples:
            writer.add(sample, "train")
        return {"features": {}}

    return Rows(convert(name, fill).table)


def test_rows_on_disk_and_samples_in_memory_get_the_same_ids(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path))
    monkeypatch.setattr(tokens, "BLOCK", 2)
    rows = all_tokenised(stored(SAMPLES, "a"), Letters(), 6)
    plain = all_tokenised(SAMPLES, Letters(), 6)
    assert isinstance(rows, Rows)
    for a, b in zip(rows, plain, strict=True):
        assert a.id == b.id
        if b.id in "ade":
            assert a.text.tolist() == list(b.text)
        else:
            assert a.text is None
    assert row_index(rows).lengths[:, 0].tolist() == [6, 0, 0, 3, 3]
    assert rows.take([4])[0].text.tolist() == [1, 233, 2]


def test_text_vectors_and_data_without_a_tokenizer_stay_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path))
    rows = stored([Sample("v", "g", text=np.ones((2, 3), np.float32))], "v")
    assert all_tokenised(rows, None, 6) is rows
    assert all_tokenised(rows, Letters(), 6)[0].text.tolist() == [1, 1, 1]
