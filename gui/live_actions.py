"""The part of the table of actions that is about Live."""

from __future__ import annotations

from gui.action import Action
from gui.action import mark as _N

LIVE_ACTIONS: tuple[Action, ...] = (
    Action(
        "live-preview",
        _N("actions", "Preview"),
        "Live",
        ("P",),
        lambda w: w.live.toggle_preview(),
        when=lambda w: w.live.can_watch,
        on=lambda w: w.live.session.preview,
        scope="live",
        icon="preview",
    ),
    Action(
        "live-inference",
        _N("actions", "Inference"),
        "Live",
        ("I",),
        lambda w: w.live.toggle_inference(),
        when=lambda w: w.live.can_watch,
        on=lambda w: w.live.session.inference,
        scope="live",
        icon="inference",
    ),
    Action(
        "live-record",
        _N("actions", "Record"),
        "Live",
        ("Ctrl+R",),
        lambda w: w.live.session.record(),
        when=lambda w: w.live.can_watch,
        on=lambda w: w.live.recording,
        scope="live",
        icon="record",
    ),
)
