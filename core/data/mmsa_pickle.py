"""Feature files in the layout of MMSA, the field's common toolbox, read without trusting them.

{train, valid, test} of dicts of N rows: `raw_text`, `id` (`video$_$clip`), `text` (N, L, d), `text_bert`
(N, 3, L: ids, mask, segments, stored as float), `audio` and `vision` (N, T, d), `audio_lengths`,
`vision_lengths`, `regression_labels`, and in CH-SIMS `regression_labels_T`, `_A`, `_V`. Files in the wild
differ from this: what was mended or left out is counted in `Dataset.oddities`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from core.data.batches import Sample
from core.data.safe_pickle import load
from core.errors import DataError
from core.types import Head

_SPLITS = {"train": "train", "valid": "valid", "val": "valid", "dev": "valid", "test": "test"}
_VECTORS = ("text", "language")
_AUDIO = ("audio", "acoustic")
_VISUAL = ("vision", "visual", "video")
_LABELS: dict[Head, tuple[str, ...]] = {
    "multimodal": ("regression_labels", "labels", "label"),
    "text": ("regression_labels_T",),
    "audio": ("regression_labels_A",),
    "visual": ("regression_labels_V",),
}
_FEATURES = (*_VECTORS, "raw_text", "text_bert", *_AUDIO, *_VISUAL)

TextKind = Literal["auto", "words", "tokens", "vectors"]


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in the file that is not as it should be: where, how many rows, and what was done."""

    part: str
    field: str
    count: int
    message: str
    code: str = ""
    """A short name of what it is, for programs."""

    def __str__(self) -> str:
        return f"{self.part}: {self.field}: {self.count} {self.message}"


class Dataset(dict[str, list[Sample]]):
    """Samples by part ("train", "valid", "test"; "all" for a file of one part), and what was odd in them."""

    def __init__(self) -> None:
        super().__init__()
        self.oddities: list[Oddity] = []


def read(path: str | Path, text: TextKind = "auto") -> Dataset:
    """Read a feature file into samples.

    text: what to take as the text: words, stored token ids, or vectors; "auto": the first of these it holds.
    Non-finite features become 0, sequences of length 0 or all zeros become missing, padding is taken off at
    either end; all of it is counted. A NaN label is no label.
    Raises DataError for a pickle that asks for more than arrays and containers, and for one without such
    parts, naming every problem.
    """
    dataset = Dataset()
    for name, sample in stream(Path(path), text, dataset.oddities):
        dataset.setdefault(name, []).append(sample)
    return dataset


def stream(path: Path, text: TextKind, oddities: list[Oddity]) -> Iterator[tuple[str, Sample]]:
    """As `read`, sample by sample with the name of its part; a part is let go when the next one begins.

    The pickle itself lies in memory whole. Oddities are added to the list. Once there is a problem no more
    samples come, but all parts are looked at before it is raised.
    """
    problems: list[str] = []
    parts = _parts(load(path), path)
    for name in list(parts):
        reader = _Part(name, parts.pop(name), oddities)
        found = reader.problems()
        if not found:
            try:
                samples = reader.samples(text)
            except (ValueError, TypeError) as error:  # NumPy's for values that are no numbers, and ours
                found = [f"{name}: {error}"]
        problems += found
        if not problems:
            yield from ((name, sample) for sample in samples)
    if problems:
        raise DataError(f"{path}: " + "; ".join(problems))


def _parts(tree: Any, path: Path) -> dict[str, Mapping[str, Any]]:
    """Its parts by their usual names."""
    if isinstance(tree, dict):
        found = {k: v for k, v in tree.items() if isinstance(v, dict)}
        parts: dict[str, Mapping[str, Any]] = {_SPLITS[k]: v for k, v in found.items() if k in _SPLITS}
        if parts:
            return parts
        if any(key in tree for key in _FEATURES):
            return {"all": dict(tree)}
    raise DataError(
        f"{path}: no parts train, valid, test with features in it, but {_described(tree)}. {_guess(tree)}",
        "Save it as a dict of parts, each a dict with raw_text, text, audio, vision and regression_labels.",
    )


def _guess(tree: Any) -> str:
    """What such a file is likely to be, and why it is not read."""
    items = list(tree.values() if isinstance(tree, dict) else tree if isinstance(tree, (list, tuple)) else ())
    arrays = [item for item in items if isinstance(item, np.ndarray)]
    if any(array.ndim == 3 and array.dtype.kind == "f" for array in arrays):
        return (
            "It looks like sequences and labels without names: it does not say which modality they are, "
            "whether the labels are scores or classes, and what of them is padding."
        )
    if any(isinstance(item, np.ndarray) and item.dtype.kind == "f" and item.ndim > 1 for item in items):
        return "It holds arrays, but not under the names of features."
    return "It holds no features: numbers of rows, times or names alone teach nothing."


def _described(value: Any, deep: bool = True) -> str:
    """What a value is, in a few words, for the message that says it is not what was expected."""
    if isinstance(value, np.ndarray):
        return f"an array {' x '.join(map(str, value.shape))} of {value.dtype}"
    if isinstance(value, dict):
        some = ", ".join(repr(key) for key in list(value)[:4])
        return f"a dict of {len(value)} entries ({some}, …)" if deep else f"a dict of {len(value)}"
    if isinstance(value, (list, tuple)):
        inside = ", ".join(_described(item, deep=False) for item in value[:4])
        kind = type(value).__name__
        return f"a {kind} of {len(value)} ({inside}, …)" if deep else f"a {kind} of {len(value)}"
    return f"a {type(value).__name__}"


class _Part:
    """One part of the file on its way to samples."""

    def __init__(self, name: str, columns: Mapping[str, Any], oddities: list[Oddity]) -> None:
        self.name, self.columns, self.oddities = name, columns, oddities

    def problems(self) -> list[str]:
        """Why no samples can be made of it: columns of different lengths, or of the wrong kind."""
        known = {*_FEATURES, "id", *(key for keys in _LABELS.values() for key in keys)}
        lengths = {key: _length(self.columns[key]) for key in sorted(known & self.columns.keys())}
        found = [
            f"{self.name}.{key} is {_described(self.columns[key])}" for key, n in lengths.items() if n < 0
        ]
        if len({n for n in lengths.values() if n >= 0}) > 1:
            told = ", ".join(f"{key} {n}" for key, n in lengths.items())
            found.append(f"{self.name}: columns of different lengths ({told})")
        for key in (*_AUDIO, *_VISUAL, "text_bert"):
            column = self.columns.get(key)
            if isinstance(column, np.ndarray) and column.dtype.kind not in "iufO":
                found.append(f"{self.name}.{key} holds no numbers but {column.dtype}")
        return found

    def samples(self, text: TextKind) -> list[Sample]:
        """The samples of the part; called once `problems` has none."""
        labels = {head: self._labels(head) for head in _LABELS}
        tokens = self._tokens()
        texts = self._texts(text, tokens)
        audio = self._sequences(_AUDIO, "audio_lengths")
        visual = self._sequences(_VISUAL, "vision_lengths")
        columns: list[Sequence[Any] | None] = [texts, audio, visual]
        n = max(len(column) for column in (*columns, *labels.values()) if column is not None)
        ids = self._ids(n)
        return [
            Sample(
                id=ids[i],
                group=_group(ids[i]),
                text=None if texts is None else texts[i],
                audio=None if audio is None else audio[i],
                visual=None if visual is None else visual[i],
                labels={h: float(y[i]) for h, y in labels.items() if y is not None and not np.isnan(y[i])},
            )
            for i in range(n)
        ]

    def _column(self, names: Sequence[str]) -> Any:
        return next((self.columns[name] for name in names if name in self.columns), None)

    def _note(self, code: str, field: str, count: int, message: str) -> None:
        if count:
            self.oddities.append(Oddity(self.name, field, int(count), message, code))

    def _ids(self, n: int) -> list[str]:
        column = self._column(("id",))
        if column is None:
            self._note(
                "no-id", "id", n, "rows without an id: numbered; rows of one video cannot be kept together"
            )
            return [f"{self.name}-{i}" for i in range(n)]
        return [_word(item) for item in column]

    def _labels(self, head: Head) -> np.ndarray | None:
        column = self._column(_LABELS[head])
        if column is None:
            if head == "multimodal":
                self._note("no-labels", "regression_labels", 1, "column is absent: no labels")
            return None
        labels = np.asarray(column, dtype=np.float64)
        if labels.ndim > 1:  # sentiment comes first, emotions after it
            labels = labels.reshape(len(labels), -1)[:, 0]
        lost = ~np.isfinite(labels)
        self._note(
            "label-not-finite", _LABELS[head][0], lost.sum(), "labels are not finite: rows without a label"
        )
        known = labels[~lost]
        if len(known) and _unusual(known):
            span = f"{known.min():.3g} to {known.max():.3g}"
            self._note(
                "label-scale",
                _LABELS[head][0],
                len(known),
                f"labels lie in {span}: not the usual [-3, 3] or [-1, 1]",
            )
        return np.where(lost, np.nan, labels)

    def _tokens(self) -> list[np.ndarray] | None:
        """Token ids of each row without padding."""
        column = self._column(("text_bert",))
        if column is None:
            return None
        stored = np.asarray(column)
        if stored.ndim != 3 or stored.shape[1] < 2:
            raise ValueError(f"text_bert is {_described(stored)}, not rows of ids, mask and segments")
        ids, mask = stored[:, 0], stored[:, 1] > 0.5
        if not np.isfinite(ids).all() or (ids < 0).any() or (ids != np.round(ids)).any():
            raise ValueError("text_bert holds token ids that are no whole numbers of 0 or more")
        return [row[keep].astype(np.int64) for row, keep in zip(ids, mask, strict=True)]

    def _texts(self, kind: TextKind, tokens: list[np.ndarray] | None) -> Sequence[Any] | None:
        vectors = self._column(_VECTORS)
        words = self._column(("raw_text",))
        if words is None and vectors is not None and np.asarray(vectors).dtype.kind in "US":
            words, vectors = vectors, None  # some files name their words so
        wanted = {
            "words": None if words is None else [_word(item) for item in words],
            "tokens": tokens,
            "vectors": self._vectors(vectors) if kind in ("auto", "vectors") else None,
        }
        order = ("words", "tokens", "vectors") if kind == "auto" else (kind,)
        texts = next((wanted[name] for name in order if wanted[name] is not None), None)
        if texts is None and kind != "auto":
            self._note("no-text", "text", 1, f"column is absent: the file holds no {kind}")
        elif texts is not None:
            self._note("empty-text", "text", sum(len(t) == 0 for t in texts), "rows without text: missing")
        return texts

    def _vectors(self, column: Any) -> list[Any] | None:
        """Text vectors without padding (not always zeros: by the tokens' mask, where there is one)."""
        if column is None:
            return None
        stored, vectors = self._column(("text_bert",)), np.asarray(column)
        if stored is not None and vectors.ndim == 3 and vectors.shape[1] == np.shape(stored)[2]:
            column = [x[mask > 0.5] for x, mask in zip(vectors, np.asarray(stored)[:, 1], strict=True)]
        return [x if x is not None else () for x in self._trimmed("text", column, None)]

    def _sequences(self, names: Sequence[str], lengths_name: str) -> list[np.ndarray | None] | None:
        column = self._column(names)
        if column is None:
            return None
        lengths = self._column((lengths_name,))
        if lengths is None and len(column) and np.ndim(column[0]) > 1:
            message = "rows without stated lengths (an aligned file): padding judged by their zeros"
            self._note("no-lengths", names[0], len(column), message)
        if lengths is not None and len(lengths) != len(column):
            raise ValueError(f"{lengths_name} has {len(lengths)} entries for {len(column)} rows")
        return self._trimmed(names[0], column, lengths)

    def _trimmed(self, field: str, column: Any, lengths: Any) -> list[np.ndarray | None]:
        counts = dict.fromkeys(_MENDED, 0)
        rows: list[np.ndarray | None] = []
        width = np.shape(column[0])[-1] if len(column) else 0
        for i in range(len(column)):
            x = np.atleast_2d(np.asarray(column[i], dtype=np.float32))
            if x.ndim != 2 or x.shape[1] != width:
                raise ValueError(f"{field}, row {i}, is {_described(x)}, not steps of {width} features")
            length = None if lengths is None else int(np.ravel(lengths[i])[0])
            x, mended = _true_part(x, length)
            rows.append(x)
            for what in mended:
                counts[what] += 1
        for what, message in _MENDED.items():
            self._note(what, field, counts[what], message)
        return rows


_MENDED = {
    "non-finite": "rows hold NaN or infinite values: taken as 0",
    "length-0": "rows of length 0: missing",
    "all-zero": "rows are all zeros: missing",
    "padded-left": "rows are padded at the start",
    "length-misfit": "rows do not fit their stated length: padding judged by their zeros",
}


def _true_part(x: np.ndarray, length: int | None) -> tuple[np.ndarray | None, set[str]]:
    """A padded sequence (T, d) and its stated length -> its true part, if any, and what was mended."""
    mended: set[str] = set()
    if not np.isfinite(x).all():
        x = np.nan_to_num(x, nan=0.0, posinf=0.0, neginf=0.0)
        mended.add("non-finite")
    if length == 0 or x.size == 0:
        return None, mended | {"length-0"}
    filled = np.flatnonzero(x.any(axis=1))
    if not len(filled):
        return None, mended | {"all-zero"}
    first, last = int(filled[0]), int(filled[-1])
    if length is None:
        return x[first : last + 1], mended | ({"padded-left"} if first and last == len(x) - 1 else set())
    if last < length <= len(x):
        return x[:length], mended
    if len(x) - first <= length <= len(x):
        return x[len(x) - length :], mended | {"padded-left"}
    return x[first : last + 1], mended | {"length-misfit"}


def _length(column: Any) -> int:
    """Rows of a column, -1 for what is none."""
    if isinstance(column, np.ndarray):
        return len(column) if column.ndim else -1
    return len(column) if isinstance(column, (list, tuple)) else -1


def _unusual(labels: np.ndarray) -> bool:
    """Labels beyond [-3, 3], or many that fill less than half of the scale they seem to be on."""
    largest = np.abs(labels).max()
    width = 2.0 if largest <= 1 else 6.0
    return bool(largest > 3 or (len(labels) >= 20 and np.ptp(labels) < width / 2))


def _word(item: Any) -> str:
    if isinstance(item, bytes):
        return item.decode("utf-8", errors="replace")
    if isinstance(
        item, (list, tuple, np.ndarray)
    ):  # [video, start, end] in some files, a token a cell in others
        return "_".join(_word(part) for part in np.ravel(np.asarray(item, dtype=object)))
    if isinstance(item, (float, np.floating)) and float(item).is_integer():
        return str(int(item))  # a column of numbers that went through a table
    return str(item)


def _group(identity: str) -> str:
    """The video of `video$_$clip`, `video[clip]` or `video_clip`; another id stands for itself."""
    if "$_$" in identity:
        return identity.split("$_$")[0]
    found = re.fullmatch(r"(.+?)(?:\[\d+\]|_\d+)", identity)
    return found[1] if found else identity
