"""The tables of a store.

`events` is the truth: a row is added for everything a rater does, undoing included, and none is ever changed.
All other tables about ratings (`acts`, `ratings`, `flags`, `notes`, `settled`, `column_blocks`) say what
follows from it now, are written in the same transaction, and can be made again from it
(`core.annotation.rebuild`).

Ids of clips are dense, from 1: a clip's place in `column_blocks` follows from its id.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 2
"""Raised with each migration of `core.annotation.migrations`."""

metadata = MetaData()
_Id = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite numbers rows by itself only in a column called INTEGER."""

schema_version = Table(
    "schema_version",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
)
raters = Table(
    "raters",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", String(200), nullable=False, unique=True),
    Column("kind", String(10), nullable=False),  # person, or labels that an import brought
    Column("lead", Boolean, nullable=False),
    Column("colour", String(20), nullable=False),
    Column("created", Double, nullable=False),
    Column("unblinded", Double),  # when; the act itself is an event
)
clips = Table(
    "clips",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("name", String(500), nullable=False, unique=True),  # video/clip
    Column("video", String(400), nullable=False),
    Column("path", Text),  # below the media root, with forward slashes; null: text only
    Column("start", Double),  # seconds in the file, as adjusted; null: all of it
    Column("end", Double),
    Column("imported_start", Double),
    Column("imported_end", Double),
    Column("part", String(10), nullable=False),  # train, valid, test, all
    Column("text", Text, nullable=False),  # as corrected
    Column("imported_text", Text, nullable=False),
    Column("missing", Boolean, nullable=False),  # its file was not found
)
Index("clips_by_path", clips.c.path)
assignments = Table(
    "assignments",
    metadata,
    Column("rater_id", ForeignKey("raters.id"), primary_key=True),
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
)
events = Table(
    "events",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("token", String(36), nullable=False, unique=True),  # the same act sent twice is one act
    Column("at", Double, nullable=False),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("clip_id", ForeignKey("clips.id")),
    Column("modality", String(12)),
    Column("kind", String(12), nullable=False),
    Column("value", Double),
    Column("text", Text),
    Column("target", ForeignKey("events.id")),  # of undo and redo
    sqlite_autoincrement=True,  # a number is never given twice
)
Index("events_of_clip", events.c.clip_id, events.c.id)
acts = Table(
    "acts",
    metadata,
    Column("event_id", ForeignKey("events.id"), primary_key=True, autoincrement=False),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("clip_id", ForeignKey("clips.id"), nullable=False),
    Column("slot", String(20), nullable=False),  # what it sets: rating:text, flag, note, …
    Column("status", String(8), nullable=False),  # done, undone, dropped
)
Index("acts_of_rater", acts.c.rater_id, acts.c.status, acts.c.event_id)
Index("acts_of_slot", acts.c.clip_id, acts.c.slot, acts.c.status, acts.c.event_id)
ratings = Table(
    "ratings",
    metadata,
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
    Column("modality", String(12), primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), primary_key=True),
    Column("value", Double),  # null: cannot judge
    Column("at", Double, nullable=False),
    Column("event_id", ForeignKey("events.id"), nullable=False),
    sqlite_with_rowid=False,
)
flags = Table(
    "flags",
    metadata,
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), primary_key=True),
    Column("at", Double, nullable=False),
)
notes = Table(
    "notes",
    metadata,
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), primary_key=True),
    Column("text", Text, nullable=False),
    Column("at", Double, nullable=False),
)
settled = Table(
    "settled",
    metadata,
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
    Column("modality", String(12), primary_key=True),
    Column("rater_id", ForeignKey("raters.id"), nullable=False),
    Column("value", Double, nullable=False),
    Column("at", Double, nullable=False),
)
estimates = Table(
    "estimates",
    metadata,
    Column("clip_id", ForeignKey("clips.id"), primary_key=True),
    Column("modality", String(12), primary_key=True),
    Column("value", Double, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("model", String(200), nullable=False),
    Column("at", Double, nullable=False),
)
column_blocks = Table(
    "column_blocks",
    metadata,
    Column("kind", String(12), primary_key=True),
    Column("modality", String(12), primary_key=True),  # "" where it is of no modality
    Column("owner", BigInteger, primary_key=True, autoincrement=False),  # a rater, 0: of nobody
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("data", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
text_blocks = Table(
    "text_blocks",
    metadata,
    Column("block", Integer, primary_key=True, autoincrement=False),
    Column("names", LargeBinary, nullable=False),
    Column("texts", LargeBinary, nullable=False),
)
