"""`consonance app --live FILE`: capture, engine and window for real, drawn offscreen."""

from __future__ import annotations

import subprocess
from pathlib import Path

from core.workers import command


def test_a_file_played_as_if_live_is_drawn_with_its_estimates(
    assets: Path, sample_clip: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        command("app", "--live", str(sample_clip), "--screenshots", str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for theme in ("light", "dark"):
        assert (tmp_path / f"consonance-live-{theme}.png").stat().st_size > 50_000
