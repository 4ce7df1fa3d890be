"""What can go wrong around a store. Where trying again may help, `retry` is true and nothing was lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import UserError

if TYPE_CHECKING:
    from core.annotation.acts import Act


class StoreError(UserError):
    """A store cannot do what it is asked for now.

    `act` is what a rater did and is not stored: give it to `core.annotation.acts.perform` again. Should it
    have been stored after all, that is seen, and it is not stored twice.
    """

    kind = "store"
    retry = False
    act: Act | None = None


class StoreBusy(StoreError):
    """Another program is writing, for longer than was waited."""

    retry = True


class StoreFull(StoreError):
    """There is no room left on the disk."""

    retry = True


class StoreReadOnly(StoreError):
    """The store, its folder or its disk may not be written to."""

    retry = True


class StoreUnreachable(StoreError):
    """The store cannot be opened or read: gone, on a disk with errors, or a server that does not answer."""

    retry = True


class StoreDamaged(StoreError):
    """The file is no store, or is broken."""


class StoreTooNew(StoreError):
    """A newer version of the program wrote this store."""


class ProjectError(StoreError):
    """The folder is no project, or its settings do not hold together."""


class RatingError(StoreError):
    """A rating that the project does not allow: off the scale, an unknown clip or rater."""


class BlindError(StoreError):
    """Asked for what a blind rater may not see."""
