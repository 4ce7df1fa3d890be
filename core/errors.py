"""Two kinds of errors: the user's world (below), and ours (any other exception: a bug, with a traceback)."""

from __future__ import annotations

import traceback


class UserError(Exception):
    """Something outside the program is wrong: a file, a device, the disk, a setting.

    The message names the file and what happened; `remedy` says what to do next. Shown as they are.
    """

    kind = "user"

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def to_json(self) -> dict[str, str]:
        return {"kind": self.kind, "message": self.message, "remedy": self.remedy}


class MediaError(UserError):
    """A clip cannot be read."""

    kind = "media"


class AssetError(UserError):
    """A pretrained file is absent, or not the one it should be."""

    kind = "asset"


class ModelError(UserError):
    """A checkpoint cannot be used."""

    kind = "model"


class DataError(UserError):
    """A data set cannot be read."""

    kind = "data"


class SettingsError(UserError):
    """Settings that do not hold together; the message lists every problem."""

    kind = "settings"


class Cancelled(Exception):
    """The user asked to stop; raised at the next safe point."""


FAULT = "This is a fault of the program. Copy the details into a report."


def fault(error: Exception) -> dict[str, str]:
    """The JSON of an error that is ours, not the user's; to be called while it is handled."""
    return {
        "kind": "internal",
        "message": f"{type(error).__name__}: {error}",
        "remedy": FAULT,
        "details": traceback.format_exc(),
    }
