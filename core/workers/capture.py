"""The capture process: it alone holds the camera and the microphone, and writes the recording.

    {"v": 1, "id": 1, "do": "devices"}
    {"v": 1, "id": 2, "do": "open", "camera": WHICH | null, "microphone": WHICH | null,
                      "width": 640, "height": 480, "fps": 30}           WHICH: see core.capture.session.Choice
    {"v": 1, "id": 3, "do": "close"}
    {"v": 1, "id": 4, "do": "record", "file": "….mp4"}
    {"v": 1, "id": 5, "do": "pause" | "resume" | "stop"}
    {"v": 1, "id": 6, "do": "recover", "folder": "…"}
are answered, with the id of the request, by one of
    {"event": "devices", "cameras": […], "microphones": […], "problem"}  of core.capture.devices
    {"event": "opened", "pictures": NAME | null, "sound": NAME | null}   rings of core.capture.rings
    {"event": "closed"}
    {"event": "recording", "file": "…", "since": SECONDS, "streams": ["pictures", "sound"]}
        since: of the capture clock; streams: what the file has, for a device may not have come in time
    {"event": "paused"} {"event": "resumed"} {"event": "recorded", …}    the last: core.recorder.Progress
    {"event": "recovered", "recordings": [{"file", "seconds", "reason"}]}
    {"event": "failed", "error": {…}}                                    as the engine tells errors
With id 0 it tells by itself
    {"event": "ready"}                                                   once
    {"event": "status", "source": "camera" | "microphone", "state", "reason", "remedy", "obtained"}
    {"event": "level", "rms", "peak", "clipped", "signal"}               15 times a second, while open
    {"event": "progress", …}                                             4 times a second, while recording
    {"event": "devices", …}                                              when something was plugged in or out
A recording that ends by itself is seen in "progress", phase "failed"; "stop" is to be said all the same.
When standard input closes the process finishes the file, lets go of the devices and ends, within a second.
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from core.errors import UserError, fault
from core.workers.protocol import Message, ProtocolError, decode
from core.workers.stdio import Output, input_lines

_TICK = 1 / 15
"""Seconds between two levels."""
_PROGRESS, _DEVICES = 4, 15
"""Ticks between two reports of a recording, and two looks for devices."""
_WAIT = 6.0
"""Seconds that devices get to give something, when a recording is to begin."""
_SMALL = 100 * 2**20
"""Bytes that can be copied into an MP4 file before a second has passed; more is left to the next start."""
_LAST_WORDS = 0.1


def serve() -> None:
    """Obey until standard input closes; does not return."""
    output = Output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C reaches the window too, which decides
    desk = Desk(output.send)
    output.send({"id": 0, "event": "ready"})
    for run in (desk.work, desk.tick):
        threading.Thread(target=run, name=f"capture-{run.__name__}", daemon=True).start()
    for line in input_lines():
        receive(line, desk, output.send)
    desk.end()
    output.close(_LAST_WORDS)
    os._exit(0)  # a plain return would wait for drivers that hang


def receive(line: bytes, desk: Desk, send: Callable[[Message], None]) -> None:
    """Take one line. What cannot be understood is answered, and the next line is read."""
    number = 0
    try:
        message = decode(line)
        number = message["id"]
        if message.get("do") not in DOINGS:
            raise ProtocolError(f"do: one of {', '.join(DOINGS)} is needed")
        desk.put(message)
    except ProtocolError as error:
        told = {"kind": "protocol", "message": str(error), "remedy": "", "details": ""}
        send({"id": number, "event": "failed", "error": told})


class Desk:
    """What is open, what is recorded. Requests are obeyed one by one, in the thread that runs `work`."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        from core.capture.session import Session

        self._send = send
        self._requests: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._session: Session | None = None
        self._rings: _Rings | None = None
        self._ended = threading.Event()

    def put(self, message: Message) -> None:
        """Queue a request."""
        self._requests.put(message)

    def work(self) -> None:
        """The thread that obeys."""
        while not self._ended.is_set():
            message = self._requests.get()
            failure = _guarded(lambda message=message: self._obey(message))
            if failure is not None:
                self._send({"id": message["id"], "event": "failed", "error": failure})

    def tick(self) -> None:
        """The thread that tells how things stand, some times a second."""
        from core.capture.devices import Watch, listed_anew

        watch, count = Watch(), 0
        while not self._ended.wait(_TICK):
            count += 1
            if (session := self._session) is not None:
                session.check()
                if "microphone" in session.sources:
                    self._tell("level", **asdict(session.meter.read()))
                if session.recorder is not None and count % _PROGRESS == 0:
                    self._tell("progress", **session.progress().to_json())
            if count % _DEVICES == 0 and watch.changed():
                self._tell("devices", **listed_anew())

    def end(self) -> None:
        """Finish the file and let go of everything, in less than a second."""
        self._ended.set()
        if (session := self._session) is not None:
            if (recorder := session.recorder) is not None:
                small = recorder.progress().bytes < _SMALL
                recorder.stop(make_mp4=small, tail=0.1, timeout=0.7)
            session.close(0.1)
        if self._rings is not None:
            self._rings.close()

    def _obey(self, message: Message) -> None:
        answer = DOINGS[message["do"]](self, message)
        self._send({"id": message["id"], **answer})

    def _tell(self, event: str, **values: Any) -> None:
        self._send({"id": 0, "event": event, **values})

    def devices(self, message: Message) -> Message:
        from core.capture.devices import listed_anew

        return {"event": "devices", **listed_anew()}

    def open(self, message: Message) -> Message:
        from core.capture.session import Session

        choice = choice_of(message)
        self.close(message)
        rings = self._rings = self._rings or _Rings()
        session = Session(choice, lambda name, status: self._tell("status", source=name, **status.to_json()))
        session.listen(rings.writer())
        self._session = session
        session.start()
        names = rings.pictures.name, rings.sound.name
        return {
            "event": "opened",
            "pictures": names[0] if choice.camera is not None else None,
            "sound": names[1] if choice.microphone is not None else None,
        }

    def close(self, message: Message) -> Message:
        if (session := self._session) is not None:
            if session.recorder is not None:
                session.recorder.stop()
            session.close()
            self._session = None
        return {"event": "closed"}

    def record(self, message: Message) -> Message:
        session = self._opened()
        if session.recorder is not None:
            raise ProtocolError("a recording is under way")
        file = _path(message, "file")
        session.wait(_WAIT, lambda: not self._requests.empty() or self._ended.is_set())
        recorder = session.record(file)
        told = {"since": recorder.start, "streams": list(recorder.streams)}
        return {"event": "recording", "file": str(file), **told}

    def pause(self, message: Message) -> Message:
        self._recorder().pause()
        return {"event": "paused"}

    def resume(self, message: Message) -> Message:
        self._recorder().resume()
        return {"event": "resumed"}

    def stop(self, message: Message) -> Message:
        self._recorder().stop()
        session = self._opened()
        progress = session.progress()
        session.recorder = None
        return {"event": "recorded", **progress.to_json()}

    def recover(self, message: Message) -> Message:
        from core.recorder import recover

        found = recover(_path(message, "folder"))
        return {"event": "recovered", "recordings": [of.to_json() for of in found]}

    def _opened(self) -> Any:
        if self._session is None:
            raise ProtocolError("nothing is open")
        return self._session

    def _recorder(self) -> Any:
        if self._session is None or self._session.recorder is None:
            raise ProtocolError("nothing is recorded")
        return self._session.recorder


DOINGS: dict[str, Callable[[Desk, Message], Message]] = {
    "devices": Desk.devices,
    "open": Desk.open,
    "close": Desk.close,
    "record": Desk.record,
    "pause": Desk.pause,
    "resume": Desk.resume,
    "stop": Desk.stop,
    "recover": Desk.recover,
}


class _Rings:
    """The shared memory of this process, made with the first thing that is opened."""

    def __init__(self) -> None:
        from core.capture.rings import Pictures, Sounds

        self.pictures, self.sound = Pictures.create(), Sounds.create()
        self._lock = threading.Lock()
        self._turn = 0

    def writer(self) -> Callable[[Any], None]:
        """A listener that writes what it hears, until another one is asked for: a driver may wake up late."""
        from core.capture.items import Picture

        with self._lock:
            self._turn += 1
            turn = self._turn

        def write(item: Any) -> None:
            if turn == self._turn:
                (self.pictures if isinstance(item, Picture) else self.sound).write(item)

        return write

    def close(self) -> None:
        self.writer()
        for ring in (self.pictures, self.sound):
            ring.close()


def choice_of(message: Message) -> Any:
    """What a message wants opened. ProtocolError names the field that is wrong."""
    from core.capture.cameras import Wish
    from core.capture.session import Choice

    which = [message.get(name) for name in ("camera", "microphone")]
    if any(text is not None and (not isinstance(text, str) or not text) for text in which):
        raise ProtocolError("camera, microphone: text or null is needed")
    sizes = [message.get(name, default) for name, default in (("width", 640), ("height", 480), ("fps", 30))]
    if not all(isinstance(size, int | float) and 1 <= size <= 10_000 for size in sizes):
        raise ProtocolError("width, height, fps: numbers are needed")
    return Choice(*which, Wish(int(sizes[0]), int(sizes[1]), float(sizes[2])))


def _path(message: Message, name: str) -> Path:
    text = message.get(name)
    if not isinstance(text, str) or not text:
        raise ProtocolError(f"{name}: a path is needed")
    return Path(text)


def _guarded(work: Callable[[], None]) -> dict[str, str] | None:
    """Do `work`; the JSON of its error, None where it went well."""
    try:
        work()
    except ProtocolError as error:
        return {"kind": "protocol", "message": str(error), "remedy": "", "details": ""}
    except UserError as error:
        return {**error.to_json(), "details": ""}
    except Exception as error:
        logging.getLogger(__name__).exception("a request failed")
        return fault(error)
    return None
