"""A state comes back as it was; a damaged one is passed over or refused, and nothing in it is executed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import DataError
from core.training import randomness, snapshot

LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**130), 2**130),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
    st.lists(st.integers(-5, 5), max_size=3).map(lambda values: torch.tensor(values, dtype=torch.float64)),
)
NAMES = st.text(max_size=4).filter(lambda key: not key.startswith("$"))
KEYS = st.one_of(NAMES, st.integers(0, 9))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other and type(one) is type(other)


@settings(max_examples=40, deadline=None)
@given(
    state=st.dictionaries(st.text(min_size=1, max_size=4).filter(lambda k: k[0] != "$"), TREES, max_size=3)
)
def test_any_state_comes_back_as_it_was(
    state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("snapshot") / "last"
    snapshot.save(folder, state)
    assert same(state, snapshot.load(folder))


def test_nothing_is_loaded_where_nothing_was_saved(tmp_path: Path) -> None:
    assert snapshot.load(tmp_path / "last", tmp_path / "previous") is None


@pytest.mark.parametrize("name", ["state.json", "tensors.safetensors"])
def test_a_damaged_state_is_refused_with_its_name(name: str, tmp_path: Path) -> None:
    snapshot.save(tmp_path / "last", {"x": torch.arange(4.0)})
    (tmp_path / "last" / name).write_bytes(b"{}")
    with pytest.raises(DataError, match="No checkpoint can be read"):
        snapshot.load(tmp_path / "last")


def test_random_numbers_go_on_where_they_were(tmp_path: Path) -> None:
    snapshot.save(tmp_path / "last", randomness.states())
    before = random.random(), np.random.rand(), torch.rand(3)
    found = snapshot.load(tmp_path / "last")
    assert found is not None
    randomness.restore(found)
    after = random.random(), np.random.rand(), torch.rand(3)
    assert before[:2] == after[:2]
    assert torch.equal(before[2], after[2])
