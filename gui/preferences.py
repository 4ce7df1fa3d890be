"""What the user chose, kept in one small file: only what differs from the defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core import paths
from gui.storage import read_json, write_json

BUILT_IN_MODELS = ("base", "tiny.en")


class Preferences(BaseModel):
    """Immutable; `changed` makes the next one."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    theme: Literal["system", "light", "dark"] = Field(
        "system", title="Theme", description="Light, dark, or whatever the system uses."
    )
    step_seconds: float = Field(
        1.0,
        ge=0.1,
        le=60,
        title="Step",
        description="Seconds that Shift with an arrow key goes back or on in a clip.",
    )
    speech_model: str = Field(
        "base",
        title="Speech model",
        description="Writes down what is said: base (any language), tiny.en (English, faster), or a "
        "CTranslate2 folder.",
    )
    model_folder: str = Field(
        "starter",
        title="Sentiment model",
        description="The model that came with the program (starter), or the folder of one you trained.",
    )
    runs_folder: str = Field(
        "",
        title="Folder of runs",
        description="Where training runs are kept and looked for; empty: beside the user's other data.",
    )

    recordings_folder: str = Field(
        "",
        title="Folder of recordings",
        description="Where Live puts what it records; empty: in the user's films.",
    )

    live_camera: str = Field(
        "", title="Camera", description="The one that Live offers first: the one used last."
    )
    live_microphone: str = Field(
        "", title="Microphone", description="The one that Live offers first: the one used last."
    )

    def changed(self, **values: Any) -> Preferences:
        """A copy with `values`, validated."""
        return Preferences.model_validate({**self.model_dump(), **values})


def file() -> Path:
    """Where preferences are kept."""
    return paths.settings() / "preferences.json"


def load() -> Preferences:
    """The stored preferences; a value that no longer makes sense falls back to its default."""
    stored = read_json(file())
    try:
        return Preferences.model_validate(stored)
    except ValidationError as error:
        bad = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
        return Preferences.model_validate({key: stored[key] for key in stored if key not in bad})


def save(preferences: Preferences) -> None:
    """Write what differs from the defaults; keys of other versions stay. Raises OSError."""
    known = set(Preferences.model_fields)
    kept = {key: value for key, value in read_json(file()).items() if key not in known}
    write_json(file(), kept | preferences.model_dump(exclude_defaults=True))
