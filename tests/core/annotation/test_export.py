"""Ratings for other programs: they read back what was rated, and spreadsheets run nothing."""

from __future__ import annotations

import csv
import json
import re
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree as XML

import pytest

from core.annotation import acts, agreement_report, report_page
from core.annotation.acts import rate
from core.annotation.consensus import label
from core.annotation.elan import to_elan
from core.annotation.export import to_csv, to_json, to_label_folder
from core.annotation.spreadsheet import harmless
from core.annotation.store import NewClip, Store
from core.data import label_folder
from core.media import probe, read_audio


@pytest.fixture
def rated(tmp_path: Path, sample_clip: Path) -> Store:
    """Five clips: two whole files, two parts of one, and one of words alone; two raters."""
    media = tmp_path / "media"
    for name in ("film/1.mp4", "film/2.mp4", "long/talk.mp4"):
        (media / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sample_clip, media / name)
    store = Store.create(tmp_path / "project", name="A & B", seed=1, media=str(media))
    store.add(
        [
            NewClip("film/1", "film/1.mp4", "=HYPERLINK(0)", part="train"),
            NewClip("film/2", "film/2.mp4", "ganz, „gut“", part="valid"),
            NewClip("long/talk/001", "long/talk.mp4", "-- one", 1.0, 2.5),
            NewClip("long/talk/002", "long/talk.mp4", "two", 2.25, 4.0),
            NewClip("words", None, "words alone"),
        ]
    )
    ada, bo = (store.rater(name, create=True, lead=name == "=Bo").id for name in ("Ada", "=Bo"))
    for clip, first, second in ((1, 3, 1), (2, -2, -3), (3, 0, 0), (4, 1, -1)):
        rate(store, ada, clip, "multimodal", first)
        rate(store, bo, clip, "multimodal", second)
        rate(store, ada, clip, "text", first)
    rate(store, bo, 1, "audio", None)
    acts.flag(store, bo, 2)
    acts.note(store, ada, 2, "+1 to that\x0b")
    acts.settle(store, bo, 4, "multimodal", 0.5)
    return store


def test_a_table_tells_every_rating_and_no_cell_starts_a_formula(rated: Store, tmp_path: Path) -> None:
    assert to_csv(rated, tmp_path / "out" / "all.csv").clips == 5
    with (tmp_path / "out" / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["label"] for row in rows] == ["2", "-2.5", "0", "0.5", ""]
    assert rows[0]["multimodal: =Bo"] == "1"
    assert rows[0]["audio: =Bo"] == "cannot judge"
    assert rows[1]["flagged by"] == "'=Bo"
    assert rows[0]["text"] == "'=HYPERLINK(0)"
    number = re.compile(r"-?\d+(\.\d+)?(e-?\d+)?")
    cells = [cell for row in rows for cell in (*row, *row.values())]
    assert [c for c in cells if c.startswith(("=", "+", "-", "@", "\t")) and not number.fullmatch(c)] == []


@pytest.mark.parametrize("text", ["=1", "+1", "-1+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1"])
def test_formulas_become_text(text: str) -> None:
    assert harmless(text) == f"'{text}"
    assert harmless(f"a{text}") == f"a{text}"


def test_json_tells_every_rating(rated: Store, tmp_path: Path) -> None:
    to_json(rated, tmp_path / "all.json", "median")
    told = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))
    assert told["rule"] == "median"
    first = told["clips"][0]
    assert first["ratings"] == {
        "multimodal": {"Ada": 3.0, "=Bo": 1.0},
        "text": {"Ada": 3.0},
        "audio": {"=Bo": None},
    }
    assert first["labels"] == {"multimodal": 2.0, "text": 3.0}
    assert "store" not in told["project"], "an address may hold a password"


def test_one_raters_export_holds_nobody_elses(rated: Store, tmp_path: Path) -> None:
    to_json(rated, tmp_path / "one.json", only=["Ada"])
    text = (tmp_path / "one.json").read_text(encoding="utf-8")
    assert "=Bo" not in text
    assert json.loads(text)["clips"][0]["labels"]["multimodal"] == 3.0


@pytest.mark.parametrize(
    ("rule", "given", "final", "wanted"),
    [
        ("mean", {"a": 1.0, "b": 2.0, "c": None}, None, 1.5),
        ("median", {"a": 1.0, "b": 3.0, "c": 3.0}, None, 3.0),
        ("adjudicated", {"a": 1.0, "b": 3.0}, None, None),
        ("adjudicated", {"a": 2.0, "b": 2.0, "c": None}, None, 2.0),
        ("mean", {"a": 1.0}, -0.5, -0.5),
        ("mean", {"a": None}, None, None),
        ("adjudicated", {}, None, None),
    ],
)
def test_what_ratings_amount_to(
    rule: str, given: dict[str, float | None], final: float | None, wanted: float
) -> None:
    assert label(rule, given, final) == wanted  # ty: ignore[invalid-argument-type]


def test_a_label_folder_is_read_back_as_it_was_rated(rated: Store, tmp_path: Path) -> None:
    done = to_label_folder(rated, tmp_path / "set")
    assert done.left_out == [("words", "it has no multimodal label")]
    rows = {row.id: row for row in label_folder.read(tmp_path / "set")}
    assert {name: row.labels["multimodal"] for name, row in rows.items()} == {
        "film/1": 2.0,
        "film/2": -2.5,
        "long_talk/001": 0.0,
        "long_talk/002": 0.5,
    }
    assert rows["film/1"].labels == {"multimodal": 2.0, "text": 3.0}
    assert [rows[name].mode for name in rows] == ["train", "valid", "all", "all"]
    assert rows["film/1"].text.strip() == "=HYPERLINK(0)"
    assert rows["film/2"].text == "ganz, „gut“"
    for name, seconds in (("001", 1.5), ("002", 1.75)):
        cut = tmp_path / "set" / "Raw" / "long_talk" / f"{name}.mp4"
        info = probe(cut)
        assert info.duration == pytest.approx(seconds, abs=0.1)
        assert (info.width, info.height) == (
            probe(rated.media / "film/1.mp4").width,
            probe(rated.media / "film/1.mp4").height,
        )
        assert len(read_audio(cut)) / 16_000 == pytest.approx(seconds, abs=0.1)


def test_training_reads_a_label_folder_back_equal(rated: Store, tmp_path: Path, assets: Path) -> None:
    from core.data.sources import outline
    from core.training.settings import Settings

    to_label_folder(rated, tmp_path / "set")
    data, recordings = outline(Settings().data, tmp_path / "set")
    assert recordings is not None
    found = {s.id: (s.text, s.labels) for part in data.parts.values() for s in part.samples}
    assert found["film/2"] == ("ganz, „gut“", {"multimodal": -2.5, "text": -2.0})
    assert set(data.parts) == {"train", "valid", "all"}
    assert set(recordings) == set(found)


# The structure of EAF 3.0 as its documentation has it: children in order, and the attributes each must have.
_ORDER = {
    "ANNOTATION_DOCUMENT": [
        "LICENSE",
        "HEADER",
        "TIME_ORDER",
        "TIER",
        "LINGUISTIC_TYPE",
        "LOCALE",
        "CONSTRAINT",
    ],
    "HEADER": ["MEDIA_DESCRIPTOR", "LINKED_FILE_DESCRIPTOR", "PROPERTY"],
    "TIME_ORDER": ["TIME_SLOT"],
    "TIER": ["ANNOTATION"],
    "ANNOTATION": ["ALIGNABLE_ANNOTATION"],
    "ALIGNABLE_ANNOTATION": ["ANNOTATION_VALUE"],
}
_ATTRIBUTES = {
    "ANNOTATION_DOCUMENT": {"AUTHOR", "DATE", "VERSION"},
    "MEDIA_DESCRIPTOR": {"MEDIA_URL", "MIME_TYPE"},
    "TIME_SLOT": {"TIME_SLOT_ID"},
    "TIER": {"TIER_ID", "LINGUISTIC_TYPE_REF"},
    "ALIGNABLE_ANNOTATION": {"ANNOTATION_ID", "TIME_SLOT_REF1", "TIME_SLOT_REF2"},
    "LINGUISTIC_TYPE": {"LINGUISTIC_TYPE_ID"},
}


def assert_eaf(root: XML.Element) -> None:
    """What ELAN's schema asks for: order, attributes, unique names, references that lead somewhere."""
    for element in root.iter():
        allowed = _ORDER.get(element.tag, [])
        places = [allowed.index(child.tag) for child in element]
        assert places == sorted(places), element.tag
        assert _ATTRIBUTES.get(element.tag, set()) <= set(element.keys())
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "-1")) for slot in root.iter("TIME_SLOT")}
    assert list(slots.values()) == sorted(slots.values())
    tiers = [tier.get("TIER_ID") for tier in root.iter("TIER")]
    ids = [a.get("ANNOTATION_ID") for a in root.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(tiers)) == len(tiers)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", str(name)) for name in [*ids, *slots])
    kinds = {kind.get("LINGUISTIC_TYPE_ID") for kind in root.iter("LINGUISTIC_TYPE")}
    for tier in root.iter("TIER"):
        assert tier.get("LINGUISTIC_TYPE_REF") in kinds
        end = 0
        for a in tier.iter("ALIGNABLE_ANNOTATION"):
            begins, ends = slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")]
            assert end <= begins < ends, "annotations of a tier do not overlap"
            end = ends


def test_elan_files_hold_words_and_ratings_at_their_times(rated: Store, tmp_path: Path) -> None:
    done = to_elan(rated, tmp_path / "elan")
    assert [file.relative_to(tmp_path / "elan").as_posix() for file in done.files] == [
        "film/1.eaf",
        "film/2.eaf",
        "long/talk.eaf",
    ]
    assert done.left_out == [("words", "it has no recording")]
    for file in done.files:
        assert_eaf(XML.parse(file).getroot())
    root = XML.parse(tmp_path / "elan" / "long" / "talk.eaf").getroot()
    slots = {s.get("TIME_SLOT_ID"): int(s.get("TIME_VALUE", "")) for s in root.iter("TIME_SLOT")}
    said = {
        tier.get("TIER_ID"): [
            (slots[a.get("TIME_SLOT_REF1")], slots[a.get("TIME_SLOT_REF2")], a.findtext("ANNOTATION_VALUE"))
            for a in tier.iter("ALIGNABLE_ANNOTATION")
        ]
        for tier in root.iter("TIER")
    }
    assert said["text"] == [(1000, 2500, "-- one")]
    assert said["text 2"] == [(2250, 4000, "two")], "clips that overlap lie on two tiers"
    assert said["multimodal (=Bo)"] == [(1000, 2500, "0")]
    media = root.find("HEADER/MEDIA_DESCRIPTOR")
    assert media is not None
    assert (
        tmp_path / "elan" / "long" / str(media.get("RELATIVE_MEDIA_URL"))
    ).resolve() == rated.media / "long/talk.mp4"


class _Outline(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.asked: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.asked += [str(value) for name, value in attrs if name in ("src", "href")]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_report_is_one_file_that_loads_nothing(rated: Store) -> None:
    measured = [agreement_report.measure(rated, head, times=50) for head in ("multimodal", "audio")]
    html = report_page.page(rated.project, measured)
    outline = _Outline()
    outline.feed(html)
    assert outline.open == []
    assert outline.asked == []
    assert "A &amp; B" in html
    assert "<svg" in html
    assert "No clip was rated by two raters" in html


def test_agreement_tells_raters_pairs_and_the_worst_clips(rated: Store) -> None:
    one = agreement_report.measure(rated, "multimodal", times=50)
    assert one.rated == {"Ada": 4, "=Bo": 4}
    assert [(worst.name, worst.spread) for worst in one.worst] == [
        ("film/1", 2.0),
        ("long/talk/002", 2.0),
        ("film/2", 1.0),
    ]
    assert one.pairs[0].difference == pytest.approx(1.25)
    told = json.loads(json.dumps(one.to_json(), allow_nan=False))
    assert told["figures"]["alpha interval"]["clips"] == 4
    assert agreement_report.measure(rated, "visual").to_json()["figures"]["Fleiss kappa"]["value"] is None


def test_agreement_is_the_same_on_a_server(make: Callable[..., Store]) -> None:
    store = make()
    store.add([NewClip(f"f/{number}") for number in range(4)])
    for name, values in (("Ada", (1, 2, -3, 0)), ("Bo", (1, 1, -2, 0))):
        rater = store.rater(name, create=True).id
        for clip, value in enumerate(values, 1):
            rate(store, rater, clip, "text", value)
    one = agreement_report.measure(store, "text", times=20)
    assert one.figures["alpha interval"].value == pytest.approx(0.917, abs=0.03)
    assert [worst.name for worst in one.worst] == ["f/1", "f/2"]
