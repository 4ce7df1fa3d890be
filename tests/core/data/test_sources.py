"""Tables, label folders and dataset files become samples by part; what is wrong is told at once."""

import csv
import wave
from pathlib import Path

import numpy as np
import pytest

from core.data import label_folder
from core.data.sources import DataSet, for_training, load, outline
from core.errors import DataError
from core.training.data_settings import Columns, DataSettings, Source


def written(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def texts(path: Path, count: int = 100) -> Path:
    return written(
        path,
        [{"id": i, "video": f"v{i // 5}", "text": f"said {i}", "y": (i % 7) - 3} for i in range(count)],
    )


SOURCE = Source(
    path="t.csv", columns=Columns(id="id", text="text", label="y", group="video"), heads=("text",)
)


def mixed(root: Path, *sources: Source) -> DataSet:
    return load(DataSettings(sources=sources), root)


def test_shares_are_cut_by_whole_groups(tmp_path: Path) -> None:
    texts(tmp_path / "t.csv")
    shared = SOURCE.model_copy(update={"test_share": 0.2, "calibration_share": 0.1})
    data = mixed(tmp_path, shared)
    groups = {name: {s.group for s in part.samples} for name, part in data.parts.items()}
    assert {name: len(part) for name, part in data.parts.items()} == {
        "train": 70,
        "valid": 0,
        "calibration": 10,
        "test": 20,
    }
    assert not groups["train"] & groups["test"]
    assert not groups["train"] & groups["calibration"]
    assert not groups["test"] & groups["calibration"]


def test_the_same_groups_are_kept_apart_whatever_the_order_of_the_rows(tmp_path: Path) -> None:
    first = texts(tmp_path / "t.csv")
    lines = first.read_text().splitlines()
    (tmp_path / "u.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]))
    shared = SOURCE.model_copy(update={"test_share": 0.2})
    a = mixed(tmp_path, shared)
    b = mixed(tmp_path, shared.model_copy(update={"path": "u.csv"}))
    assert {s.group for s in a.part("test").samples} == {s.group for s in b.part("test").samples}


def test_classes_take_their_place_on_the_scale_and_others_are_no_label(tmp_path: Path) -> None:
    written(tmp_path / "t.csv", [{"t": "a", "c": "pos"}, {"t": "b", "c": "neg"}, {"t": "c", "c": ""}])
    source = Source(
        path="t.csv",
        columns=Columns(text="t", label="c"),
        heads=("text",),
        class_values={"pos": 2, "neg": -2},
    )
    assert [s.labels for s in mixed(tmp_path, source).part("train").samples] == [
        {"text": 2.0},
        {"text": -2.0},
    ]


def test_only_rows_that_are_asked_for_are_let_in(tmp_path: Path) -> None:
    texts(tmp_path / "t.csv")
    data = mixed(tmp_path, SOURCE.model_copy(update={"where": {"video": ("v1", "v2")}, "limit": 7}))
    assert [s.group for s in data.part("train").samples] == ["v1"] * 5 + ["v2"] * 2


def test_the_problems_of_all_sources_are_told_together(tmp_path: Path) -> None:
    written(tmp_path / "t.csv", [{"id": 1, "video": "v", "text": "a", "y": "much"}])
    lacking = SOURCE.model_copy(update={"path": "none.csv"})
    with pytest.raises(DataError, match=r"line 2.*none\.csv"):
        mixed(tmp_path, SOURCE, lacking)


@pytest.mark.parametrize("path", ["../t.csv", "/etc/passwd"])
def test_a_source_never_leaves_the_data_folder(path: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="leads out of"):
        mixed(tmp_path, SOURCE.model_copy(update={"path": path}))


def test_a_recording_named_outside_the_folder_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "t.csv", [{"f": "../secret.wav", "y": 1}])
    source = Source(path="t.csv", columns=Columns(file="f", label="y"), heads=("audio",))
    with pytest.raises(DataError, match="leads out of"):
        mixed(tmp_path, source)


def test_copies_and_files_that_cannot_be_read_are_left_out_and_noted(assets: Path, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(-9000, 9000, 16000).astype("<i2").tobytes()
    for name in ("first.wav", "again.wav"):
        with wave.open(str(tmp_path / name), "wb") as file:
            file.setparams((1, 2, 16000, 0, "NONE", ""))
            file.writeframes(noise)
    (tmp_path / "broken.wav").write_bytes(b"no sound at all")
    names = ("first.wav", "again.wav", "broken.wav")
    written(tmp_path / "t.csv", [{"f": name, "y": 1} for name in names])
    data = mixed(tmp_path, Source(path="t.csv", columns=Columns(file="f", label="y"), heads=("audio",)))
    assert len(data.notes) == 2
    assert "again.wav is a copy of another file" in data.notes[0]
    assert "broken.wav" in data.notes[1]


def noise(path: Path, seed: int) -> str:
    """A second of noise, another for each seed; the name of the file."""
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes(np.random.default_rng(seed).integers(-9000, 9000, 16000).astype("<i2").tobytes())
    return path.name


def test_a_check_and_a_run_cut_alike_whatever_cannot_be_read(assets: Path, tmp_path: Path) -> None:
    rows = [{"f": noise(tmp_path / f"{n}.wav", n), "said": "well", "y": 1} for n in range(8)]
    for broken in ("1.wav", "4.wav", "6.wav"):
        (tmp_path / broken).write_bytes(b"no sound at all")
    written(tmp_path / "t.csv", rows)
    columns = Columns(id="f", file="f", text="said", label="y")
    source = Source(path="t.csv", columns=columns, valid_share=0.25, test_share=0.25)
    settings = DataSettings(sources=(source,))
    told, _ = outline(settings, tmp_path)
    read = load(settings, tmp_path)
    part_of = {sample.id: name for name, part in told.parts.items() for sample in part.samples}
    found = {sample.id: name for name, part in read.parts.items() for sample in part.samples}
    assert len(found) == 5
    assert found == {id: part_of[id] for id in found}


def test_a_copy_in_another_source_is_left_out_but_the_same_file_may_be_used_twice(
    assets: Path, tmp_path: Path
) -> None:
    noise(tmp_path / "a.wav", 1)
    noise(tmp_path / "copy of a.wav", 1)
    written(tmp_path / "one.csv", [{"f": "a.wav", "said": "well", "y": 1}])
    written(tmp_path / "two.csv", [{"f": n, "said": "well", "y": 1} for n in ("copy of a.wav", "a.wav")])
    columns = Columns(id="f", file="f", text="said", label="y")
    sources = [Source(path=f"{n}.csv", columns=columns) for n in ("one", "two")]
    data = load(DataSettings(sources=tuple(sources)), tmp_path)
    assert [sample.id for sample in data.part("train").samples] == ["a.wav", "a.wav"]
    assert data.notes == ["two.csv: copy of a.wav is a copy of another file: left out"]


def test_a_table_of_texts_is_words_alone(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [{"text": "NA", "y": 1.5}, {"text": "fine", "y": ""}])
    first, second = load(DataSettings(), path).part("all").samples
    assert (first.text, first.audio, first.visual) == ("NA", None, None)
    assert first.labels == {"multimodal": 1.5, "text": 1.5}
    assert second.labels == {}


def test_a_table_of_texts_needs_its_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [{"text": "a", "score": 1}])
    with pytest.raises(DataError, match="no column y"):
        load(DataSettings(), path)


def test_a_table_without_parts_gets_them_for_training_by_whole_groups(tmp_path: Path) -> None:
    rows = [{"text": f"said {i}", "y": i % 3 - 1, "video_id": f"v{i // 5}"} for i in range(100)]
    read = load(DataSettings(), written(tmp_path / "t.csv", rows))
    assert list(read.parts) == ["all"]
    data = for_training(read)
    assert {name: len(part) for name, part in data.parts.items()} == {
        "train": 70,
        "valid": 10,
        "calibration": 10,
        "test": 10,
    }
    groups = [s.group for part in data.parts.values() for s in {s.group: s for s in part.samples}.values()]
    assert len(groups) == len(set(groups)), "no group lies in two parts"
    assert "train 70, valid 10" in data.notes[-1]
    assert for_training(data) is data


def folder(root: Path, **row: object) -> Path:
    known = {"video_id": "01", "clip_id": "0001", "text": "hi", "label": 0.4, "label_T": "", "mode": "train"}
    (root / "Raw" / "01").mkdir(parents=True)
    (root / "Raw" / "01" / "0001.mp4").touch()
    written(root / "label.csv", [{**known, **row}])
    return root


def test_a_label_folder_keeps_ids_as_they_are_written(tmp_path: Path) -> None:
    (row,) = label_folder.read(folder(tmp_path, label_T=-0.2))
    assert (row.id, row.group, row.mode) == ("01/0001", "01", "train")
    assert row.labels == {"multimodal": 0.4, "text": -0.2}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"clip_id": "../../label"}, "leads out of"),
        ({"video_id": "/etc"}, "leads out of"),
        ({"clip_id": "0002"}, "no file Raw/01/0002.mp4"),
        ({"label": "=1+1"}, "could not convert"),
        ({"label": "inf"}, "is no label"),
        ({"mode": "holdout"}, "none of train, valid, test"),
    ],
)
def test_a_hostile_or_broken_label_folder_is_refused(
    row: dict[str, str], message: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=message):
        label_folder.read(folder(tmp_path, **row))


def test_windows_hold_voice_and_face_and_only_those_of_train_are_a_reference(
    assets: Path, sample_clip: Path, tmp_path: Path
) -> None:
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(sample_clip.read_bytes() + name.encode())  # not copies of each other
    written(tmp_path / "t.csv", [{"f": name} for name in ("a.mp4", "b.mp4", "c.mp4")])
    source = Source(path="t.csv", columns=Columns(id="f", file="f"), windows=True, test_share=0.3)
    data = mixed(tmp_path, source)
    train, test = data.part("train").samples, data.part("test").samples
    assert len(train) == 2 * len(test) > 0
    assert {sample.labels == {} and sample.together for sample in train} == {True}
    assert {len(sample.visual) for sample in train} == {10}
    assert all(0 < len(sample.audio) <= 31 for sample in train)
    assert list(data.recordings.groups) == sorted({sample.group for sample in train})
    assert data.recordings[0].audio.shape[1] == train[0].audio.shape[1]
    assert data.recordings[0].voiced.dtype == bool


def test_pictures_are_samples_of_one_frame(assets: Path, shared_data: Path) -> None:
    columns = Columns(id="file", file="file", label="valence", group="person")
    source = Source(
        path="faces/labels.csv",
        columns=columns,
        media_root="faces/images",
        heads=("visual",),
        class_values={"neg": -2, "neu": 0, "pos": 2},
        limit=4,
    )
    part = mixed(shared_data, source).part("train").samples
    assert [len(sample.visual) for sample in part] == [1] * len(part)
    assert {sample.audio is None and sample.text is None for sample in part} == {True}
    assert all(set(sample.labels) == {"visual"} for sample in part)


def test_a_label_folder_skips_bad_clips_and_says_why(assets: Path, sample_clip: Path, tmp_path: Path) -> None:
    videos = tmp_path / "Raw" / "v"
    videos.mkdir(parents=True)
    (videos / "good.mp4").write_bytes(sample_clip.read_bytes())
    (videos / "bad.mp4").write_bytes(sample_clip.read_bytes()[:2000])
    rows = [
        {"video_id": "v", "clip_id": clip, "text": clip, "label": 1, "mode": "train"}
        for clip in ("good", "bad", "gone")
    ]
    written(tmp_path / "label.csv", rows)
    steps: set[str] = set()
    data = load(DataSettings(), tmp_path, lambda step, share: steps.add(step))
    (sample,) = data.part("train").samples
    assert (sample.id, sample.text, sample.labels) == ("v/good", "good", {"multimodal": 1.0})
    assert sample.visual is not None
    told = "\n".join(map(str, data.notes))
    assert "label.csv, line 4: no file Raw/v/gone.mp4: left out" in told
    assert "bad.mp4" in told
    assert "extracting voice and face" in steps
    assert len(data.recordings) == 1


def test_a_calibration_part_is_cut_from_train_by_whole_groups(tmp_path: Path) -> None:
    rows = [
        {"text": f"said {i}", "y": i % 3 - 1, "video_id": f"v{i // 5}", "mode": mode}
        for i, mode in enumerate(["train"] * 100 + ["valid"] * 20 + ["test"] * 20)
    ]
    path = written(tmp_path / "t.csv", rows)
    data = for_training(load(DataSettings(), path))
    assert {k: len(p) for k, p in data.parts.items()} == {
        "train": 90,
        "valid": 20,
        "calibration": 10,
        "test": 20,
    }
    assert not set(data.part("train").groups) & set(data.part("calibration").groups)
    assert (
        for_training(load(DataSettings(), path)).part("calibration").groups == data.part("calibration").groups
    )
    assert "cut from train by whole groups: train 90" in data.notes[-1]
    assert for_training(data) is data
    none = load(DataSettings(calibration_share=0), path)
    assert for_training(none) is none


def test_few_groups_are_not_cut_for_calibration(tmp_path: Path) -> None:
    rows = [{"text": f"s {i}", "y": 1, "video_id": f"v{i % 2}", "mode": "train"} for i in range(20)]
    data = for_training(load(DataSettings(), written(tmp_path / "t.csv", rows)))
    assert len(data.part("calibration")) == 0
    assert "only 2 groups" in data.notes[-1]


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_data_without_parts_and_of_few_groups_is_trained_on_whole(groups: int, tmp_path: Path) -> None:
    rows = [{"text": f"s {i}", "y": 1, "video_id": f"v{i % groups}"} for i in range(20)]
    data = for_training(load(DataSettings(), written(tmp_path / "t.csv", rows)))
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 20}
    assert f"only {groups} groups" in data.notes[-1]


def test_five_groups_without_parts_leave_some_to_train_on(tmp_path: Path) -> None:
    rows = [{"text": f"s {i}", "y": 1, "video_id": f"v{i % 5}"} for i in range(20)]
    data = for_training(load(DataSettings(), written(tmp_path / "t.csv", rows)))
    assert len(set(data.part("train").groups)) == 2


def test_rows_of_no_part_beside_others_are_counted_in_a_note(tmp_path: Path) -> None:
    modes = ["train"] * 10 + [""] * 3 + ["valid"] * 4
    rows = [{"text": f"s {i}", "y": 1, "video_id": f"v{i % 2}", "mode": mode} for i, mode in enumerate(modes)]
    data = for_training(load(DataSettings(), written(tmp_path / "t.csv", rows)))
    assert {name: len(part) for name, part in data.parts.items()} == {"train": 10, "valid": 4}
    assert any("3 rows are of no part" in note for note in data.notes)


def test_human_labels_of_single_modalities_are_read_from_a_plain_table(tmp_path: Path) -> None:
    row = {"uid": "a", "video_id": "v", "text": "好", "y_M": 0.2, "y_T": -0.4, "y_A": 1, "y_V": ""}
    (sample,) = load(DataSettings(), written(tmp_path / "t.csv", [row])).part("all").samples
    assert (sample.id, sample.group, sample.text) == ("a", "v", "好")
    assert sample.labels == {"multimodal": 0.2, "text": -0.4, "audio": 1.0}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsx", "files of the kind .xlsx are not read"),
        ("none.csv", "is not there"),
        ("t.npz", "zip archive"),
    ],
)
def test_other_files_are_refused_in_words(name: str, message: str, tmp_path: Path) -> None:
    if not name.startswith("none"):
        np.savez(tmp_path / "made.npz", x=np.ones(3))
        (tmp_path / "made.npz").rename(tmp_path / name)
    with pytest.raises(DataError, match=message):
        load(DataSettings(), tmp_path / name)


def test_another_table_is_told_what_it_has_and_what_to_do(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", [{"text": "a", "emotion": "joy"}])
    with pytest.raises(DataError, match="no column y beside text; it has text, emotion") as error:
        load(DataSettings(), path)
    assert "data.sources" in error.value.remedy
