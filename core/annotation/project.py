"""A project is a folder: `project.toml`, the store beside it, and the media it names.

consonance annotations init FOLDER
"""

from __future__ import annotations

import secrets
import tomllib
from pathlib import Path
from typing import Any, Literal

import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from core.annotation.errors import ProjectError
from core.files import write_whole
from core.types import HEADS, Head

FILE = "project.toml"
STORE = "annotations.sqlite"
VERSION = 1
LEVELS: dict[float, tuple[int, ...]] = {3.0: (7,), 1.0: (3, 5, 11)}
"""Levels that a scale may have, by its upper end."""

Consensus = Literal["mean", "median", "adjudicated"]


class Project(BaseModel):
    """What holds for all raters of a project."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = VERSION
    name: str = Field(min_length=1, description="Shown in the window's title and in reports.")
    scale: tuple[float, float] = Field((-3.0, 3.0), description="[-3, 3] or [-1, 1].")
    levels: int = Field(7, description="7 on [-3, 3]; 3, 5 or 11 on [-1, 1]: values that one key each gives.")
    blind: bool = Field(True, description="Raters see neither each other's ratings nor the model's.")
    passes: tuple[Head, ...] = Field(HEADS, min_length=1, description="What is rated, in this order.")
    media: str = Field("media", description="Root of the media: a path, or one relative to this folder.")
    store: str = Field(STORE, description="File of the store in this folder, or a postgresql:// address.")
    seed: int = Field(ge=0, lt=2**63, description="Decides each rater's own order of clips.")
    shuffled: bool = Field(True, description="Each rater meets the clips in an order of their own.")
    consensus: Consensus = Field("mean", description="How ratings become the label of a clip.")

    @field_validator("passes")
    @classmethod
    def _each_once(cls, passes: tuple[Head, ...]) -> tuple[Head, ...]:
        if len(set(passes)) < len(passes):
            raise ValueError("a pass is named twice")
        return passes

    @model_validator(mode="after")
    def _scale_with_levels(self) -> Project:
        low, high = self.scale
        if low != -high or high not in LEVELS:
            raise ValueError("the scale is neither [-3, 3] nor [-1, 1]")
        if self.levels not in LEVELS[high]:
            allowed = ", ".join(map(str, LEVELS[high]))
            raise ValueError(f"a scale of [{low:g}, {high:g}] has {allowed} levels, not {self.levels}")
        return self

    @property
    def values(self) -> tuple[float, ...]:
        """The values that a rating may have, from negative to positive."""
        low, high = self.scale
        return tuple(round(low + (high - low) * k / (self.levels - 1), 6) for k in range(self.levels))


def create(folder: Path, **settings: Any) -> Project:
    """Make a project folder and write its settings. ProjectError where there is one, or if they are wrong."""
    if (folder / FILE).exists():
        raise ProjectError(f"{folder} is a project already.", "Open it, or name another folder.")
    if "scale" in settings and "levels" not in settings:
        settings["levels"] = LEVELS.get(float(settings["scale"][1]), (7,))[-1]
    project = _checked({"seed": secrets.randbits(32), "name": folder.resolve().name, **settings}, folder)
    folder.mkdir(parents=True, exist_ok=True)
    save(folder, project)
    return project


def save(folder: Path, project: Project) -> None:
    """Write a project's settings, whole or not at all."""
    write_whole(folder / FILE, tomlkit.dumps(project.model_dump(mode="json")))


def read(folder: Path) -> Project:
    """The settings of a project folder. Raises ProjectError that names every problem."""
    try:
        settings = tomllib.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ProjectError(
            f"{folder} is no annotation project: it has no {FILE}.",
            "`consonance annotations init` makes one.",
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectError(f"{folder / FILE} cannot be read: {error}") from error
    if isinstance(version := settings.get("version"), int) and version > VERSION:
        raise ProjectError(
            f"{folder / FILE} was written by a newer version of the program.", "Update this program."
        )
    return _checked(settings, folder)


def media_root(folder: Path, project: Project) -> Path:
    """The folder that all paths of clips are relative to and stay in."""
    return folder / project.media  # an absolute one replaces the folder


def _checked(settings: dict[str, Any], folder: Path) -> Project:
    try:
        return Project.model_validate(settings)
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise ProjectError(f"{folder / FILE}: {told}") from error
