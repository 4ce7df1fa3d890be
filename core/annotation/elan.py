"""Files of ELAN (.eaf), one a recording: a tier of what is said, and one for each rater and modality.

Follows the structure of EAF 3.0 as the Max Planck Institute documents it. The times of clips that overlap
cannot lie on one tier, whose annotations may not: such clips get tiers of their own.
"""

from __future__ import annotations

import mimetypes
import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree as XML

from core.annotation.consensus import Judged, judged
from core.annotation.export import Exported, written
from core.annotation.project import Consensus
from core.annotation.store import Store

SCHEMA = "http://www.mpi.nl/tools/elan/EAFv3.0.xsd"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML file may hold."""
Values = tuple[float, float, str]


def to_elan(
    store: Store, folder: Path, rule: Consensus | None = None, only: Sequence[str] | None = None
) -> Exported:
    """Write an .eaf for each file that clips lie in. Clips without a file, or whose length is unknown, are
    left out.

    The length of a clip that is a whole file is read from it. Raises DataError, StoreError.
    """
    done = Exported()
    by_file: dict[str, list[tuple[Judged, float, float]]] = {}
    for clip in judged(store, rule, only):
        if clip.path is None:
            done.left_out.append((clip.name, "it has no recording"))
        elif (span := _span(clip, store.media)) is None:
            done.left_out.append((clip.name, f"how long {clip.path} is cannot be read"))
        else:
            by_file.setdefault(clip.path, []).append((clip, *span))
    for path, clips in by_file.items():
        file = folder / f"{path.rpartition('.')[0] or path}.eaf"
        text = document(store.media / path, clips, folder=file.parent)
        if text is None:
            done.left_out += [(clip.name, "nothing was said about it") for clip, _, _ in clips]
            continue
        written(file, text)
        done.files.append(file)
        done.clips += len(clips)
    return done


def document(media: Path, clips: Sequence[tuple[Judged, float, float]], folder: Path) -> str | None:
    """The .eaf of one recording, to lie in `folder`: clips with their start and end in seconds.

    None where there is nothing to write about them.
    """
    if not (tiers := list(_tiers(clips))):
        return None
    root = XML.Element(
        "ANNOTATION_DOCUMENT",
        {
            "AUTHOR": "Consonance",
            "DATE": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
            "FORMAT": "3.0",
            "VERSION": "3.0",
            f"{{{_XSI}}}noNamespaceSchemaLocation": SCHEMA,
        },
    )
    head = XML.SubElement(root, "HEADER", {"MEDIA_FILE": "", "TIME_UNITS": "milliseconds"})
    mime = mimetypes.guess_type(media.name)[0] or "unknown"
    link = {"MEDIA_URL": media.resolve().as_uri(), "MIME_TYPE": mime}
    link["RELATIVE_MEDIA_URL"] = _relative(media, folder)
    XML.SubElement(head, "MEDIA_DESCRIPTOR", link)
    slots = XML.SubElement(root, "TIME_ORDER")
    moments = sorted({_ms(t) for _, values in tiers for start, end, _ in values for t in (start, end)})
    for number, moment in enumerate(moments, 1):
        slot = {"TIME_SLOT_ID": f"ts{number}", "TIME_VALUE": str(moment)}
        XML.SubElement(slots, "TIME_SLOT", slot)
    slot_of = {moment: f"ts{number}" for number, moment in enumerate(moments, 1)}
    last = 0
    for name, values in tiers:
        last = _tier(root, name, values, slot_of, last)
    used = {"NAME": "lastUsedAnnotationId"}
    XML.SubElement(head, "PROPERTY", used).text = str(last)
    kind = {"LINGUISTIC_TYPE_ID": "default-lt", "TIME_ALIGNABLE": "true", "GRAPHIC_REFERENCES": "false"}
    XML.SubElement(root, "LINGUISTIC_TYPE", kind)
    XML.register_namespace("xsi", _XSI)
    XML.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + XML.tostring(root, encoding="unicode") + "\n"


def _tier(root: XML.Element, name: str, values: Sequence[Values], slot_of: dict[int, str], last: int) -> int:
    """Add a tier; annotations are numbered on from `last`. Returns the last number."""
    tier = XML.SubElement(root, "TIER", {"LINGUISTIC_TYPE_REF": "default-lt", "TIER_ID": _clean(name)})
    for number, (start, end, text) in enumerate(values, last + 1):
        about = {"ANNOTATION_ID": f"a{number}"}
        about |= {"TIME_SLOT_REF1": slot_of[_ms(start)], "TIME_SLOT_REF2": slot_of[_ms(end)]}
        annotation = XML.SubElement(XML.SubElement(tier, "ANNOTATION"), "ALIGNABLE_ANNOTATION", about)
        XML.SubElement(annotation, "ANNOTATION_VALUE").text = _clean(text)
    return last + len(values)


def _tiers(clips: Sequence[tuple[Judged, float, float]]) -> Iterator[tuple[str, list[Values]]]:
    """Names of tiers and what lies on them, without overlaps."""
    raters = sorted({(head, who) for clip, _, _ in clips for head, by in clip.ratings.items() for who in by})
    heads = sorted({head for clip, _, _ in clips for head in clip.labels})
    columns: list[tuple[str, Callable[[Judged], str | None]]] = [("text", lambda clip: clip.text or None)]
    columns += [(f"{head} (label)", lambda clip, h=head: _shown(clip.labels.get(h))) for head in heads]
    columns += [
        (f"{head} ({who})", lambda clip, h=head, w=who: _rated(clip.ratings.get(h, {}), w))
        for head, who in raters
    ]
    columns.append(("notes", lambda clip: "; ".join(f"{who}: {n}" for who, n in clip.notes.items()) or None))
    for name, text_of in columns:
        values = [(s, e, text) for clip, s, e in clips if (text := text_of(clip)) is not None]
        for number, layer in enumerate(_layers(values), 1):
            yield name if number == 1 else f"{name} {number}", layer


def _layers(values: Sequence[Values]) -> list[list[Values]]:
    layers: list[list[Values]] = []
    for value in sorted(values):
        free = next((layer for layer in layers if _ms(layer[-1][1]) <= _ms(value[0])), None)
        if free is None:
            layers.append([value])
        else:
            free.append(value)
    return layers


def _span(clip: Judged, root: Path) -> tuple[float, float] | None:
    start, end = clip.start or 0.0, clip.end
    if end is None:
        end = _length(root / (clip.path or ""))
    return None if end is None or _ms(end) <= _ms(start) else (start, end)


def _length(file: Path) -> float | None:
    from core.errors import MediaError
    from core.media import probe

    try:
        return probe(file).duration
    except MediaError:
        return None


def _relative(media: Path, folder: Path) -> str:
    """The way from the .eaf to the recording; its address where they lie on different drives."""
    try:
        way = os.path.relpath(media.resolve(), folder.resolve())
    except ValueError:
        return media.resolve().as_uri()
    return Path(way).as_posix() if way.startswith("..") else f"./{Path(way).as_posix()}"


def _ms(seconds: float) -> int:
    return round(1000 * seconds)


def _shown(value: float | None) -> str | None:
    return None if value is None else f"{value:g}"


def _rated(by: dict[str, float | None], who: str) -> str | None:
    if who not in by:
        return None
    return "cannot judge" if by[who] is None else _shown(by[who])


def _clean(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text)
