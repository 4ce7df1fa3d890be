"""The engine watches what the capture process holds: until it is told to stop, whatever happens there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.capture.items import Picture
from core.capture.rings import Pictures, Sounds
from core.capture.session import Choice, Session
from core.workers.jobs import LiveRequest, live_request_of
from core.workers.protocol import ProtocolError


@pytest.fixture(scope="module")
def engine(engine_class: type, assets: Path) -> Iterator[Any]:
    engine = engine_class("--speech", "tiny.en")
    engine.event("ready", 0)
    yield engine
    engine.kill()


@pytest.fixture
def rings(sample_clip: Path) -> Iterator[dict[str, str]]:
    """The sample, playing into shared memory."""
    pictures, sounds = Pictures.create(), Sounds.create()
    session = Session(Choice(str(sample_clip), str(sample_clip)), lambda name, status: None)
    session.listen(lambda item: (pictures if isinstance(item, Picture) else sounds).write(item))
    session.start()
    yield {"pictures": pictures.name, "sound": sounds.name}
    session.close()
    pictures.close()
    sounds.close()


def test_a_live_job_tells_curves_until_it_is_cancelled(engine: Any, rings: dict[str, str]) -> None:
    engine.send(id=1, do="live", **rings)
    started = engine.event("started", 1)
    assert started["scale"] == [-3.0, 3.0]
    assert started["origin"] > 0
    curve = engine.event("curve", 1)
    assert len(curve["time"]) == len(curve["multimodal"])
    assert engine.event("state", 1)["windows_dropped"] >= 0
    engine.send(id=2, do="cancel", job=1)
    assert engine.end_of(1)["event"] == "cancelled"


def test_the_engine_answers_for_clips_again_after_it(engine: Any, sample_clip: Path) -> None:
    engine.send(id=3, do="analyse", file=str(sample_clip), modalities=["visual"])
    assert engine.end_of(3)["event"] == "done"


def test_rings_that_are_gone_are_a_failure_with_a_reason(engine: Any) -> None:
    engine.send(id=4, do="live", pictures="nothing-of-that-name", sound=None)
    failed = engine.end_of(4)
    assert failed["event"] == "failed"
    assert failed["error"]["kind"] == "capture"


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ({"pictures": None, "sound": None}, "pictures or sound"),
        ({"pictures": 3, "sound": None}, "pictures, sound"),
        ({"pictures": "a", "speech": ""}, "speech"),
    ],
)
def test_a_live_request_that_cannot_be_obeyed_names_what_is_wrong(message: dict, named: str) -> None:
    with pytest.raises(ProtocolError, match=named):
        live_request_of(message)


def test_a_live_request_needs_one_of_the_two() -> None:
    assert live_request_of({"sound": "s"}) == LiveRequest(None, "s", "tiny.en")
