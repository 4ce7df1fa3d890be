"""From what was dropped to a list of clips."""

from __future__ import annotations

from pathlib import Path

from gui.file_finder import BATCH, existing, find


def names(batches: list[list[Path]]) -> list[str]:
    return [path.name for batch in batches for path in batch]


def test_a_folder_gives_its_media_in_natural_order(tmp_path: Path) -> None:
    for name in ("clip 10.mp4", "clip 9.MP4", "notes.txt", ".hidden.mp4", "b/c.wav", "b/.git/x.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert names(list(find([tmp_path]))) == ["clip 9.MP4", "clip 10.mp4", "c.wav"]


def test_a_file_named_directly_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    assert names(list(find([tmp_path / "no-suffix", tmp_path / "gone.mp4"]))) == ["no-suffix", "gone.mp4"]


def test_a_link_back_to_its_own_folder_does_not_go_round_for_ever(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    (tmp_path / "again").symlink_to(tmp_path)
    assert names(list(find([tmp_path]))) == ["a.mp4"]


def test_many_files_come_in_batches(tmp_path: Path) -> None:
    paths = [tmp_path / f"{n}.mp4" for n in range(BATCH + 1)]
    assert [len(batch) for batch in find(paths)] == [BATCH, 1]


def test_a_folder_without_clips_says_so_with_one_empty_batch(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert list(find([tmp_path])) == [[]]


def test_existing_tells_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    assert existing([tmp_path / "a", tmp_path / "b"]) == {tmp_path / "a"}
