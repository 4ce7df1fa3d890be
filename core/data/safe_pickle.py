"""Read a pickle that may be hostile: NumPy arrays and plain containers, nothing else.

A pickle is a program that may call anything it can name. Here the only names it finds are a few functions
of our own that rebuild arrays from plain bytes; whatever else it asks for ends the reading. Files of Python 2
and of NumPy 1 and 2 are understood.
"""

from __future__ import annotations

import math
import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from core.errors import DataError

_KINDS = "biufSUO"
"""Kinds of element let in: numbers, text, and references to what this file itself holds."""


def load(path: str | Path) -> Any:
    """What the pickle at `path` holds, as dict, list, tuple, set, str, bytes, numbers and arrays.

    Raises DataError, naming the file, for one that cannot be read, is damaged, or asks for anything else.
    Arrays come as a subclass: `np.asarray` gives plain ones.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                raise DataError(
                    f"{path}: a zip archive (.npz?), not a pickle",
                    "Load it with NumPy in a script and save its arrays without objects.",
                )
            file.seek(0)
            _check_memo(file, path)
            file.seek(0)
            return _Reader(file, path).load()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}") from error
    except _DAMAGE as error:
        raise DataError(f"{path}: not a pickle, or damaged: {error}") from error


_DAMAGE = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,  # with UnicodeDecodeError
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    MemoryError,
    RecursionError,
    ImportError,
)
"""What the unpickler raises on bytes that make no sense."""


_PUTS = {"PUT", "BINPUT", "LONG_BINPUT"}
_OPERATIONS = {operation.code.encode("latin1"): operation for operation in pickletools.opcodes}
_LENGTH_BYTES = {
    pickletools.TAKEN_FROM_ARGUMENT1: 1,
    pickletools.TAKEN_FROM_ARGUMENT4: 4,
    pickletools.TAKEN_FROM_ARGUMENT4U: 4,
    pickletools.TAKEN_FROM_ARGUMENT8U: 8,
}


def _check_memo(file: BinaryIO, path: Path) -> None:
    """Refuse places in the memo that no honest file gets to: the unpickler makes room up to the highest.

    Every place is filled by an operation of its own, so none lies beyond their number. What makes no sense is
    left for the unpickler to name: it reads no further than this does.
    """
    seen = 0
    while operation := _OPERATIONS.get(file.read(1)):
        seen += 1
        if operation.name == "STOP":
            return
        argument = _argument(file, operation)
        if operation.name in _PUTS:
            place = int(argument) if operation.name == "PUT" else int.from_bytes(argument, "little")
            if place > seen:
                raise DataError(f"{path}: damaged, or made to exhaust memory: place {place} of its memo")


def _argument(file: BinaryIO, operation: pickletools.OpcodeInfo) -> bytes:
    """Read what follows an operation; of what has a length only that, the rest is passed over."""
    if operation.arg is None:
        return b""
    size = operation.arg.n
    if size >= 0:
        return file.read(size)
    if size in _LENGTH_BYTES:
        length = file.read(_LENGTH_BYTES[size])
        file.seek(min(int.from_bytes(length, "little"), 2**40), 1)
        return length
    if operation.arg is pickletools.stringnl_noescape_pair:
        file.readline()
    return file.readline()


class _Reader(pickle.Unpickler):
    def __init__(self, file: Any, path: Path) -> None:
        super().__init__(file, encoding="latin1")  # the only encoding that keeps Python 2's bytes whole
        self.path = path

    def find_class(self, module: str, name: str) -> Any:
        plain_module = module.replace("numpy._core", "numpy.core").replace("__builtin__", "builtins")
        if (plain_module, name) not in _ADMITTED:
            raise DataError(
                f"{self.path}: asks to run {module}.{name}; refused, and nothing was run",
                "A dataset needs arrays and plain containers only: save it again with those.",
            )
        return _ADMITTED[plain_module, name]


class _Admitted:
    """A callable that the file can call but not alter (a pickle may set attributes of what it holds)."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError("it tries to alter the reader")


class _DType:
    """An element type as the file states it; made real, and checked, where an array uses it."""

    __slots__ = ("_order", "_spec")

    def __init__(self, spec: Any) -> None:
        self._spec, self._order = spec, "|"

    def __setstate__(self, state: Any) -> None:
        _version, self._order, subarray, fields, *_ = state
        if subarray is not None or fields is not None:
            raise pickle.UnpicklingError("arrays of records are not read")

    def real(self) -> np.dtype:
        if not isinstance(self._spec, str) or self._order not in ("<", ">", "=", "|"):
            raise pickle.UnpicklingError(f"element type {self._spec!r} is not read")
        dtype = np.dtype(self._spec)
        if dtype.kind not in _KINDS or dtype.fields is not None:
            raise pickle.UnpicklingError(f"element type {self._spec!r} is not read")
        return dtype if self._order == "|" else dtype.newbyteorder(self._order)


class _Array(np.ndarray):
    """An array under reconstruction; checks what it is given before NumPy's C code sees it."""

    def __setstate__(self, state: Any) -> None:
        version, shape, dtype, fortran, data = state
        dtype, size = _real(dtype), math.prod(shape)
        expected = size if dtype.hasobject else size * dtype.itemsize
        if isinstance(data, list) != dtype.hasobject or len(data) != expected:
            raise pickle.UnpicklingError(f"an array of shape {shape} comes with {len(data)} of {expected}")
        super().__setstate__((version, shape, dtype, fortran, data))


def _real(dtype: Any) -> np.dtype:
    if not isinstance(dtype, _DType):
        raise pickle.UnpicklingError("an array without an element type")
    return dtype.real()


def _reconstruct(_kind: Any, _shape: Any, _typecode: Any) -> np.ndarray:
    return _Array((0,), np.int8)


def _from_buffer(data: Any, dtype: Any, shape: Any, order: str, axes: Any = None) -> np.ndarray:
    array = np.frombuffer(data, dtype=_real(dtype))
    if order == "K" and axes is not None:  # NumPy 2.3: stored in the order of its strides
        return array.reshape(shape).transpose(axes)
    return array.reshape(shape, order=order if order in ("C", "F") else "C")


def _scalar(dtype: Any, data: Any = b"") -> Any:
    element = _real(dtype)
    raw = data.encode("latin1") if isinstance(data, str) else data
    return np.frombuffer(raw, dtype=element, count=1)[0] if element.itemsize else element.type()


def _dtype(spec: Any, *_align_copy: Any) -> _DType:
    return _DType(spec)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):  # how Python 3 writes bytes into a pickle that Python 2 reads
        raise pickle.UnpicklingError(f"bytes in the encoding {encoding!r}")
    return text.encode("latin1")


def _bytes(data: Any = b"", *encoding: Any) -> bytes:
    return _encode(data, *encoding) if isinstance(data, str) else memoryview(data).tobytes()


_ADMITTED: dict[tuple[str, str], _Admitted] = {
    ("numpy.core.multiarray", "_reconstruct"): _Admitted(_reconstruct),
    ("numpy.core.multiarray", "scalar"): _Admitted(_scalar),
    ("numpy.core.numeric", "_frombuffer"): _Admitted(_from_buffer),
    ("numpy", "ndarray"): _Admitted(_reconstruct),
    ("numpy", "dtype"): _Admitted(_dtype),
    ("_codecs", "encode"): _Admitted(_encode),
    ("builtins", "bytes"): _Admitted(_bytes),
    ("builtins", "bytearray"): _Admitted(_bytes),
    ("builtins", "set"): _Admitted(lambda items=(): set(items)),
    ("builtins", "frozenset"): _Admitted(lambda items=(): frozenset(items)),
    ("builtins", "list"): _Admitted(lambda items=(): list(items)),
    ("builtins", "dict"): _Admitted(lambda items=(): dict(items)),
    ("collections", "OrderedDict"): _Admitted(lambda items=(): dict(items)),
}
