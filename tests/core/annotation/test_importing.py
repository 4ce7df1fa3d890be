"""Bringing clips and labels in: from every layout, what is missing listed, nothing from outside."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from core.annotation.acts import rate
from core.annotation.importing import bring_in, missing, relink
from core.annotation.rebuild import differences
from core.annotation.schema import clips, ratings
from core.annotation.store import Store
from core.annotation.view import Filter, View
from core.errors import DataError


@pytest.fixture
def empty(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "project", seed=1, blind=False)


def listed(store: Store) -> list[tuple[str, str | None, bool]]:
    with store.database.read() as connection:
        rows = connection.execute(sa.select(clips).order_by(clips.c.id))
        return [(row.name, row.path, bool(row.missing)) for row in rows]


def values(store: Store) -> dict[tuple[str, str], float | None]:
    chosen = sa.select(clips.c.name, ratings.c.modality, ratings.c.value).join_from(ratings, clips)
    with store.database.read() as connection:
        return {(name, modality): value for name, modality, value in connection.execute(chosen)}


def files(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"clip")
    return folder


def test_a_folder_of_clips_becomes_the_media_root_in_the_order_that_people_count(
    empty: Store, tmp_path: Path
) -> None:
    folder = files(tmp_path / "clips", "b/clip 10.mp4", "b/clip 2.mp4", "a/x.MOV", "a/notes.txt", "a/x.wav")
    report = bring_in(empty, folder)
    assert listed(empty) == [
        ("a/x", "a/x.MOV", False),
        ("a/x.wav", "a/x.wav", False),
        ("b/clip 2", "b/clip 2.mp4", False),
        ("b/clip 10", "b/clip 10.mp4", False),
    ]
    assert (report.added, report.known, report.labels) == (4, 0, 0)
    assert empty.media == folder
    assert Store.open(empty.folder).media == folder


def test_importing_again_adds_only_what_is_new(empty: Store, tmp_path: Path) -> None:
    folder = files(tmp_path / "clips", "1.mp4")
    bring_in(empty, folder)
    files(folder, "0.mp4")
    report = bring_in(empty, folder)
    assert (report.added, report.known) == (1, 1)
    assert [name for name, _, _ in listed(empty)] == ["1", "0"]


def labelled(folder: Path, *lines: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    header = "video_id,clip_id,text,label,label_T,label_A,label_V,annotation,mode"
    (folder / "label.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return folder


def test_a_label_folder_brings_labels_as_ratings_and_lists_what_is_missing(
    empty: Store, tmp_path: Path
) -> None:
    folder = files(tmp_path / "set", "Raw/film/1.mp4")
    labelled(folder, "film,1,good,1.5,1,,,,train", "film,2,bad,-2,,-1,,,test")
    report = bring_in(empty, folder)
    assert report.missing == [("film/2", "Raw/film/2.mp4")]
    assert report.labels == 4
    assert values(empty) == {
        ("film/1", "multimodal"): 1.5,
        ("film/1", "text"): 1.0,
        ("film/2", "multimodal"): -2.0,
        ("film/2", "audio"): -1.0,
    }
    assert [name for _, name, _ in missing(empty)] == ["film/2"]
    assert differences(empty) == []
    again = bring_in(empty, folder)
    assert (again.added, again.labels) == (0, 0)


def test_a_label_that_changed_replaces_its_own_and_stays_in_the_history(empty: Store, tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", "film,1,good,1,,,,,train")
    bring_in(empty, folder)
    labelled(tmp_path / "set", "film,1,good,2,,,,,train")
    assert bring_in(empty, folder).labels == 1
    assert values(empty) == {("film/1", "multimodal"): 2.0}
    assert differences(empty) == []


@pytest.mark.parametrize("clip", ["../../../outside", "../../secret/1"])
def test_a_path_that_leaves_the_root_refuses_the_whole_import(
    empty: Store, tmp_path: Path, clip: str
) -> None:
    folder = labelled(tmp_path / "set", "film,1,fine,1,,,,,", f"film,{clip},evil,1,,,,,")
    with pytest.raises(DataError, match=r"line 3.*leads out"):
        bring_in(empty, folder)
    assert empty.count() == 0


def test_a_link_that_leaves_the_root_is_refused(empty: Store, tmp_path: Path) -> None:
    files(tmp_path / "elsewhere", "1.mp4")
    folder = labelled(tmp_path / "set", "film,1,evil,1,,,,,")
    (folder / "Raw").mkdir()
    (folder / "Raw" / "film").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    with pytest.raises(DataError, match="leads out"):
        bring_in(empty, folder)


def test_clips_outside_the_media_root_are_refused_with_what_to_do(empty: Store, tmp_path: Path) -> None:
    bring_in(empty, files(tmp_path / "clips", "1.mp4"))
    with pytest.raises(DataError, match="does not lie in the project's media root") as caught:
        bring_in(empty, files(tmp_path / "others", "2.mp4"))
    assert "media" in caught.value.remedy


def test_labels_off_the_scale_are_told_together(empty: Store, tmp_path: Path) -> None:
    folder = labelled(tmp_path / "set", "f,1,a,3.5,,,,,", "f,2,b,1,,,-9,,", "f,3,c,x,,,,,")
    with pytest.raises(DataError, match="line 4"):
        bring_in(empty, folder)
    labelled(tmp_path / "set", "f,1,a,3.5,,,,,", "f,2,b,1,,,-9,,")
    with pytest.raises(DataError, match=r"f/1: multimodal 3\.5; f/2: visual -9"):
        bring_in(empty, folder)
    assert empty.count() == 0


def test_a_feature_file_brings_words_and_labels_and_no_features(empty: Store, tmp_path: Path) -> None:
    part = {
        "id": np.array(["film$_$1", "film$_$2"]),
        "raw_text": np.array(["good", "bad"]),
        "regression_labels": np.array([1.0, np.nan]),
        "regression_labels_T": np.array([2.0, -1.0]),
        "audio": np.zeros((2, 3, 4)),
    }
    path = tmp_path / "set.pkl"
    path.write_bytes(pickle.dumps({"train": part, "test": part | {"id": np.array(["other_7", "x"])}}))
    report = bring_in(empty, path)
    assert report.added == 4
    assert [name for name, _, _ in listed(empty)] == ["film/1", "film/2", "other/7", "x"]
    assert values(empty)["film/2", "text"] == -1.0
    assert ("film/2", "multimodal") not in values(empty)


def test_a_hostile_pickle_runs_nothing(empty: Store, tmp_path: Path) -> None:
    path = tmp_path / "set.pkl"
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path / "run").encode() + b"'\ntR.")
    with pytest.raises(DataError, match="refused"):
        bring_in(empty, path)
    assert not (tmp_path / "run").exists()


def test_ch_sims_comes_in_with_all_four_labels(shared_data: Path, tmp_path: Path) -> None:
    store = Store.create(tmp_path / "project", scale=(-1.0, 1.0), blind=False)
    report = bring_in(store, shared_data / "chsims_v2" / "chsims_v2_valid.csv")
    assert (report.added, report.labels) == (647, 4 * 647)
    rater = store.rater("Ada", create=True)
    found = View(store, rater.id, "text").select(Filter(text="不"))
    assert 50 < len(found) < 400
    store.close()


@pytest.mark.parametrize("name", ["chsims_v1/chsims_v1_train.csv", "chsims_v2/chsims_v2_train.csv"])
def test_every_ch_sims_table_is_read(shared_data: Path, tmp_path: Path, name: str) -> None:
    with Store.create(tmp_path / "project", scale=(-1.0, 1.0)) as store:
        report = bring_in(store, shared_data / name)
        assert report.added in (1368, 2722)
        assert report.labels == 4 * report.added


def test_moved_files_are_found_by_name_and_folder(empty: Store, tmp_path: Path) -> None:
    root = files(tmp_path / "media", "a/1.mp4", "b/1.mp4", "b/2.mp4")
    bring_in(empty, root)
    ada = empty.rater("Ada", create=True)
    rate(empty, ada.id, 1, "text", 2.0)
    for name in ("a", "b"):
        (root / "moved" / name).parent.mkdir(exist_ok=True)
        (root / name).rename(root / "moved" / name)
    told = relink(empty)
    assert (told.found, len(told.missing)) == (0, 3)
    assert View(empty, ada.id, "text").select(Filter(state="missing")).size == 3
    told = relink(empty, root / "moved")
    assert (told.found, told.missing, told.doubtful) == (3, [], [])
    assert [path for _, path, _ in listed(empty)] == ["moved/a/1.mp4", "moved/b/1.mp4", "moved/b/2.mp4"]
    assert View(empty, ada.id, "text").rows([1])[0].value == 2.0, "ratings stay with their clips"
    assert differences(empty) == []


def test_a_file_that_fits_twice_is_left_to_a_person(empty: Store, tmp_path: Path) -> None:
    root = files(tmp_path / "media", "1.mp4")
    bring_in(empty, root)
    (root / "1.mp4").unlink()
    files(root, "x/1.mp4", "y/1.mp4")
    told = relink(empty, root)
    assert told.doubtful == ["1.mp4"]
    assert told.missing == [("1", "1.mp4")]


def test_a_project_whose_media_moved_takes_a_new_root(empty: Store, tmp_path: Path) -> None:
    root = files(tmp_path / "media", "a/1.mp4")
    bring_in(empty, root)
    root.rename(tmp_path / "elsewhere")
    assert relink(empty).missing == [("a/1", "a/1.mp4")]
    assert relink(empty, media=tmp_path / "elsewhere").missing == []
    with Store.open(empty.folder) as opened:
        assert opened.media == tmp_path / "elsewhere"


def test_what_is_not_there_or_holds_nothing_is_told(empty: Store, tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    (tmp_path / "odd.docx").write_bytes(b"")
    for path, told in (("absent", "not there"), ("nothing", "no clips"), ("odd.docx", "not read")):
        with pytest.raises(DataError, match=told):
            bring_in(empty, tmp_path / path)
