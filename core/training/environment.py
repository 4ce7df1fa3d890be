"""What a run was made with: the code and the machine. Light: versions are looked up, not imported."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

DISTRIBUTION = "consonance-msa"
_ROOT = Path(__file__).resolve().parents[2]


def code_version() -> str:
    """The program's version, with the commit where it runs from a checkout that git can name."""
    version = metadata.version(DISTRIBUTION)
    if not (_ROOT / ".git").exists():
        return version
    try:
        named = subprocess.run(
            ["git", "describe", "--always", "--dirty"], cwd=_ROOT, capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return version
    return f"{version}+{named.stdout.strip()}" if named.returncode == 0 else version


def environment(device: torch.device, processes: int) -> dict[str, Any]:
    """Versions and machine, for run.json."""
    import torch  # only whoever has a device asks, and has it already

    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "platform": platform.platform(),
        "cpu": _processor(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else str(device),
        "threads": torch.get_num_threads(),
        "processes": processes,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor())
