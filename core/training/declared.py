"""How a setting is declared: once, with type, range, unit, default and the help shown under it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """Settings never change once made, and know no other names than their own."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def setting(
    default: Any, title: str, description: str, unit: str = "", basic: bool = False, **limits: Any
) -> Any:
    """One declared setting; `unit` and `basic` (shown at once, not under "Advanced") go to the form beside
    pydantic's own schema."""
    told: dict[str, Any] = {"title": title, "description": description, **limits}
    if unit or basic:
        told["json_schema_extra"] = {"unit": unit, "basic": basic}
    return Field(default_factory=default, **told) if callable(default) else Field(default, **told)
