"""What every test stands on: a home and a cache of its own, no network, no screen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# Before anything imports Qt or a model library; child processes inherit them.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session", autouse=True)
def fresh_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Settings and caches in a temporary folder; of the user's cache only the pretrained files are seen."""
    from core import paths

    home = tmp_path_factory.mktemp("home")
    real, cache = paths.cache() / "assets", home / "cache"
    cache.mkdir()
    real.mkdir(parents=True, exist_ok=True)
    (cache / "assets").symlink_to(real, target_is_directory=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CONSONANCE_HOME", str(home / "settings"))
        patch.setenv("CONSONANCE_CACHE", str(cache))
        patch.delenv("CONSONANCE_ASSETS", raising=False)
        yield home


@pytest.fixture(scope="session")
def assets(fresh_home: Path) -> Path:
    """The folder of the pretrained files, all of them verified."""
    from core import assets, paths

    absent = [f"{status.name}: {status.problem}" for status in assets.status() if status.state != "present"]
    if absent:
        pytest.fail("run `make assets` first\n" + "\n".join(absent))
    return paths.cache() / "assets"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets and clips, which is not part of the repository."""
    folder = Path(os.environ.get("CONSONANCE_SHARED") or ROOT.parent / "shared") / "data"
    if not folder.is_dir():
        pytest.skip("no folder of real data here (CONSONANCE_SHARED names one)")
    return folder


@pytest.fixture(scope="session")
def sample_clip() -> Path:
    """The synthetic clip of the program: 9.5 s of one speaker, 25 frames a second, with sound."""
    return ROOT / "resources" / "samples" / "synthetic-speaker.mp4"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands on real data, so that the end of the run can say how much of it ran."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.user_properties.append(("real data", True))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line: tests on real data that ran, and that were skipped because there is none."""

    def count(outcome: str) -> int:
        reports = terminalreporter.stats.get(outcome, ())
        return sum(("real data", True) in report.user_properties for report in reports)

    terminalreporter.write_line(
        f"tests on real data: {count('passed') + count('failed')} ran, {count('skipped')} did not"
    )
