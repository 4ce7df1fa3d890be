"""What a pydantic field says of itself, in words: its range, its unit, its default."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from PySide6.QtCore import QCoreApplication

from gui.widgets.value_text import list_text, number_text, table_text, word_text


def _tr(text: str) -> str:
    return QCoreApplication.translate("field_facts", text)


def extra(field: FieldInfo, key: str) -> Any:
    """What is declared beside pydantic's own schema."""
    return field.json_schema_extra.get(key) if isinstance(field.json_schema_extra, dict) else None


def unit(field: FieldInfo) -> str:
    """Unit of the value, "" where it has none."""
    return str(extra(field, "unit") or "")


def nested(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a field that is one."""
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def item_model(field: FieldInfo) -> type[BaseModel] | None:
    """The model of the items of a field that is a tuple of models."""
    if get_origin(field.annotation) is not tuple:
        return None
    kind = get_args(field.annotation)[0]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def limits(field: FieldInfo) -> str:
    """The range that a number may have: "1 to 4096", "more than 0", "0 to less than 1"; "" without one."""
    found = {
        name: getattr(item, name)
        for item in field.metadata
        for name in ("ge", "gt", "le", "lt")
        if getattr(item, name, None) is not None
    }
    low = number_text(found["ge"]) if "ge" in found else ""
    if "gt" in found:
        low = _tr("more than %1").replace("%1", number_text(found["gt"]))
    high = number_text(found["le"]) if "le" in found else ""
    if "lt" in found:
        high = _tr("less than %1").replace("%1", number_text(found["lt"]))
    if low and high:
        return _tr("%1 to %2").replace("%1", low).replace("%2", high)
    if low:
        return low if "gt" in found else _tr("%1 or more").replace("%1", low)
    return high if "lt" in found or not high else _tr("at most %1").replace("%1", high)


def shown(value: Any) -> str:
    """A value in one line, as it is typed."""
    if isinstance(value, bool):
        return _tr("on") if value else _tr("off")
    if isinstance(value, BaseModel):
        return list_text(getattr(value, name) for name in type(value).model_fields)
    if isinstance(value, dict):
        return table_text(value).replace("\n", "; ") or _tr("none")
    if isinstance(value, tuple):
        if value and isinstance(value[0], BaseModel):
            return _tr("%1 entries").replace("%1", str(len(value)))
        return list_text(value) or _tr("none")
    if value is None or value == "":
        return _tr("empty")
    return word_text(value) if not isinstance(value, str) else value


def facts(field: FieldInfo) -> str:
    """Range and default in one line."""
    parts = []
    if span := limits(field):
        parts.append(span)
    if nested(field) is None and item_model(field) is None:
        default = shown(field.get_default(call_default_factory=True))
        parts.append(_tr("default %1").replace("%1", default))
    return ", ".join(parts)


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal; empty for anything else."""
    return get_args(annotation) if get_origin(annotation) is Literal else ()
