"""What a search varies: `key=low:high`, `key=low:high:log`, or `key=a,b,c`. Light: no torch, no optuna."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel

from core.errors import SettingsError
from core.training.settings import Settings, load


@dataclass(frozen=True, slots=True)
class Varied:
    """One setting that is varied: by its choices, else from `low` to `high`, both of them included."""

    key: str
    kind: Literal["float", "int", "choice"]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    choices: tuple[str, ...] = ()

    @property
    def ends(self) -> tuple[str, ...]:
        """The values that must be allowed for all of them to be."""
        return self.choices or (self.text(self.low), self.text(self.high))

    def text(self, value: Any) -> str:
        """A value as `--set` takes it."""
        return value if self.kind == "choice" else repr(int(value) if self.kind == "int" else float(value))


def parse(texts: Sequence[str], settings: str, overrides: Sequence[str] = ()) -> tuple[Varied, ...]:
    """What is to be varied, tried out on the settings at both ends. SettingsError lists every problem."""
    if not texts:
        raise SettingsError("A search needs something to vary.", "For example --vary alignment.weight=0:1.")
    found, problems = [], []
    for text in texts:
        try:
            varied = _parsed(text)
            for end in varied.ends:
                load(settings, [*overrides, f"{varied.key}={end}"])
            found.append(varied)
        except ValueError as error:
            problems.append(f"{text}: {error}")
        except SettingsError as error:
            problems.append(error.message)
    keys = [varied.key for varied in found]
    problems += [f"{key} is varied twice" for key in sorted(set(keys)) if keys.count(key) > 1]
    if problems:
        raise SettingsError("; ".join(dict.fromkeys(problems)), "Correct what is to be varied.")
    return tuple(found)


def listed(text: str) -> Varied:
    """A setting whose values are named one by one, `key=a,b,c`. ValueError says why it is none."""
    key, equals, values = (part.strip() for part in text.partition("="))
    if not key or not equals or not values:
        raise ValueError("expected key = a, b, c")
    if _is_range(values):
        raise ValueError("name the values one by one; only a search takes ranges")
    return Varied(key, "choice", choices=_choices(values))


def _is_range(values: str) -> bool:
    return ":" in values and "," not in values


def _choices(values: str) -> tuple[str, ...]:
    choices = tuple(dict.fromkeys(choice.strip() for choice in values.split(",") if choice.strip()))
    if len(choices) < 2:
        raise ValueError("one value is no choice: put what stays the same into the settings")
    return choices


def _parsed(text: str) -> Varied:
    key, equals, values = (part.strip() for part in text.partition("="))
    if not equals or not values:
        raise ValueError("expected key=low:high, key=low:high:log or key=a,b,c")
    if not _is_range(values):
        return Varied(key, "choice", choices=_choices(values))
    low, high, *scale = values.split(":")
    if scale not in ([], ["log"]):
        raise ValueError(f"{':'.join(scale)} is no scale: only log")
    kind = _number_kind(key)
    start, end = (int(x) if kind == "int" else float(x) for x in (low, high))
    if not start < end or (scale and start <= 0):
        raise ValueError("the first number must be below the second" + (", and above 0" if scale else ""))
    return Varied(key, kind, start, end, bool(scale))


def _number_kind(key: str) -> Literal["float", "int"]:
    """Whether a setting holds whole numbers; those that do not exist are found when they are tried out."""
    model: Any = Settings
    for part in key.split("."):
        known = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
        model = known[part].annotation if part in known else float
    if model not in (int, float):
        raise ValueError("holds no number: name its values, with commas between")
    return "int" if model is int else "float"
