"""Files and folders are there whole, before or after, wherever a writer is killed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.files import standing, whole_folder, write_whole


class Killed(BaseException):
    """In place of a kill: nothing that follows is done."""


def write(folder: Path, text: str) -> None:
    with whole_folder(folder) as part:
        (part / "one").write_text(text)
        (part / "two").write_text(text)


def read(folder: Path) -> str:
    one, two = ((standing(folder) / name).read_text() for name in ("one", "two"))
    assert one == two
    return one


@pytest.mark.parametrize("point", range(1, 9))
def test_a_reader_finds_the_old_or_the_new_whole_folder(point: int, tmp_path: Path) -> None:
    folder = tmp_path / "it"
    write(folder, "old")
    passed = 0

    def dying(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal passed
            passed += 1
            if passed >= point:
                raise Killed
            return function(*arguments, **named)

        return call

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "rename"), (shutil, "rmtree")):
            patch.setattr(owner, name, dying(getattr(owner, name)))
        with pytest.raises(Killed):
            write(folder, "new")
    assert read(folder) in ("old", "new")
    write(folder, "newest")
    assert read(folder) == "newest"
    assert folder.exists()


def test_the_folder_before_is_kept_under_its_own_name(tmp_path: Path) -> None:
    folder, before = tmp_path / "last", tmp_path / "previous"
    for text in ("1", "2", "3"):
        with whole_folder(folder, keep=before) as part:
            (part / "it").write_text(text)
    assert (folder / "it").read_text() == "3"
    assert (before / "it").read_text() == "2"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_could_not_be_filled_leaves_the_old_one(tmp_path: Path) -> None:
    write(tmp_path / "it", "old")
    with pytest.raises(ValueError, match="no room"), whole_folder(tmp_path / "it"):
        raise ValueError("no room")
    assert read(tmp_path / "it") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


def test_a_text_that_could_not_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", "old")
    with pytest.raises(UnicodeEncodeError):
        write_whole(tmp_path / "f", "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["f"]
    assert (tmp_path / "f").read_text() == "old"


def test_a_text_file_is_replaced_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "f", "old")
    write_whole(tmp_path / "f", "new", durable=False)
    assert (tmp_path / "f").read_text() == "new"
    assert len(list(tmp_path.iterdir())) == 1
