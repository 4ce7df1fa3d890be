"""The process that trains one run: what `core.workers.training` starts."""

from __future__ import annotations

import sys
from pathlib import Path


def serve(folder: Path) -> int:
    """Train what the folder asks for. Returns the exit code; the folder tells why."""
    from core.errors import Cancelled, UserError
    from core.training.loop import carry_on

    try:
        carry_on(folder)
    except Cancelled:
        return 0  # discarded
    except UserError as error:
        sys.stderr.write(f"{error.message} {error.remedy}\n")
        return 1
    return 0
