"""Pickles: arrays and containers come back, anything else is refused by name before it runs."""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import re
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from core.data.safe_pickle import load
from core.errors import DataError


def _written(folder: Path, content: bytes) -> Path:
    path = folder / "data.pkl"
    path.write_bytes(content)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pickles")


def _same(a: Any, b: Any) -> bool:
    if isinstance(b, np.ndarray):
        a = np.asarray(a)
        native = b.dtype.newbyteorder("=")  # as NumPy itself reads other byte orders
        return a.dtype.newbyteorder("=") == native and a.shape == b.shape and _same(a.tolist(), b.tolist())
    if isinstance(b, dict):
        return list(a) == list(b) and all(_same(a[key], b[key]) for key in b)
    if isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(_same, a, b))
    return a == b or (a != a and b != b)


arrays = hnp.arrays(
    st.sampled_from([np.dtype(t) for t in ("f4", "f8", ">f8", "i8", "u1", "?", "U5", "S3", "f2")]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | arrays,
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(values, st.integers(0, 5))
@settings(max_examples=80, deadline=None)
def test_arrays_and_containers_come_back_as_they_were(folder: Path, value: Any, protocol: int) -> None:
    assert _same(load(_written(folder, pickle.dumps(value, protocol))), value)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "value",
    [
        np.float32(1.5),
        np.int64(-3),
        np.str_("ä"),
        np.array(["a", "längere"], dtype=object),
        np.array([["a", 1, None], [np.float64(2), "b", ()]], dtype=object),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(24).reshape(2, 3, 4).transpose(1, 0, 2),
        np.arange(10)[::2],
        OrderedDict(a=1, b=[2]),
        {1, 2},
        frozenset({3}),
        bytearray(b"ab\xff"),
    ],
)
def test_special_kinds_come_back_in_every_protocol(folder: Path, value: Any, protocol: int) -> None:
    assert _same(load(_written(folder, pickle.dumps(value, protocol))), value)


def test_names_of_the_older_numpy_are_understood(folder: Path) -> None:
    content = pickle.dumps(np.arange(3.0), 2).replace(b"numpy._core", b"numpy.core")
    assert b"numpy.core" in content
    assert _same(load(_written(folder, content)), np.arange(3.0))


class Calls:
    """Pickles as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def _leave_mark(path: str) -> None:
    Path(path).touch()


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    ("hostile", "name"),
    [
        (Calls(os.system, "touch {mark}"), r"(posix|nt)\.system"),
        (Calls(eval, "open({mark!r}, 'w')"), r"(builtins|__builtin__)\.eval"),
        (Calls(getattr, "a", "upper"), r"(builtins|__builtin__)\.getattr"),
        (Calls(np.load, "{mark}"), r"numpy\.load"),
        (Calls(io.StringIO, "{mark}"), r"_?io\.StringIO"),
        (Path("x"), r"pathlib\.PosixPath"),
        (len, r"(builtins|__builtin__)\.len"),
    ],
)
def test_a_call_is_refused_by_name_and_nothing_runs(
    tmp_path: Path, hostile: Any, name: str, protocol: int
) -> None:
    mark = tmp_path / "mark"
    if isinstance(hostile, Calls):
        function, arguments = hostile.call
        hostile = Calls(function, *(a.format(mark=str(mark)) for a in arguments))
    path = _written(tmp_path, pickle.dumps({"train": [1, hostile]}, protocol))
    with pytest.raises(DataError, match=rf"{re.escape(str(path))}: asks to run {name}"):
        load(path)
    assert not mark.exists()


def test_a_call_inside_an_array_of_objects_is_refused_too(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    array = np.array([Calls(os.system, f"touch {mark}")], dtype=object)
    with pytest.raises(DataError, match="system"):
        load(_written(tmp_path, pickle.dumps(array)))
    assert not mark.exists()


def test_what_the_file_may_call_it_cannot_alter(tmp_path: Path) -> None:
    # numpy.dtype itself is given a state: {"_call": "owned"}.
    content = b"cnumpy\ndtype\n}V_call\nVowned\nsb."
    with pytest.raises(DataError, match="alter the reader"):
        load(_written(tmp_path, content))
    assert _same(load(_written(tmp_path, pickle.dumps(np.arange(2)))), np.arange(2))


RECORDS = np.zeros(2, dtype=[("a", "f4"), ("b", "O")])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps(RECORDS, 2), "records|not read"),
        (pickle.dumps(np.zeros(2, dtype="M8[s]"), 2), "not read"),
        (pickle.dumps(np.arange(400.0), 2)[:-200], "damaged"),
        (pickle.dumps(np.arange(4.0), 2).replace(b"K\x04\x85", b"K\x05\x85"), "32 of 40"),
        (pickle.dumps(np.arange(4.0), 2).replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85"), "damaged"),
        (b"", "damaged"),
        (b"\x80", "damaged"),
        (b"not a pickle at all", "damaged"),
        (b"PK\x03\x04 and so on", "zip archive"),
        (b"\x80\x04Pid\n.", "damaged"),
        (b"\x82\x01.", "damaged"),
        (b"\x80\x04Nr\xff\xff\xff\x7f.", "exhaust memory"),
        (b"\x80\x04Nq\xff.", "exhaust memory"),
        (b"Np2147483647\n.", "exhaust memory"),
    ],
)
def test_damaged_and_unusual_files_say_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = _written(tmp_path, content)
    with pytest.raises(DataError, match=reason) as error:
        load(path)
    assert str(path) in error.value.message


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="No such file"):
        load(tmp_path / "none.pkl")


GOOD = pickle.dumps({"train": {"id": ["a"], "audio": np.ones((2, 3)), "x": np.array(["s"], dtype=object)}}, 4)


# Without the opcode of byte arrays: for one of absurd length Python 3.11 itself prints a SystemError, though
# the reading ends in the MemoryError it should.
BYTES = st.integers(0, 255).filter(lambda byte: byte != pickle.BYTEARRAY8[0])


@given(st.lists(st.tuples(st.integers(0, len(GOOD) - 1), BYTES), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_altered_bytes_give_an_answer_or_a_data_error(folder: Path, edits: list[tuple[int, int]]) -> None:
    content = bytearray(GOOD)
    for place, byte in edits:
        content[place] = byte
    path = _written(folder, bytes(content))
    with contextlib.suppress(DataError):
        load(path)


@pytest.mark.parametrize("protocol", range(6))
def test_an_honest_memo_of_many_places_is_let_in(tmp_path: Path, protocol: int) -> None:
    held = {"id": [f"video${i}" for i in range(300)], "x": np.ones((2, 3)), "n": [2**70, -1.5, "a\nb"]}
    found = load(_written(tmp_path, pickle.dumps([held, held], protocol)))
    assert found[0]["id"] == held["id"]
    assert found[1]["n"] == held["n"]
    assert np.array_equal(found[0]["x"], held["x"])
