"""The worker of `core.data.extraction`: a path in, features into the cache, a line about it out."""

from __future__ import annotations

import json
from pathlib import Path

from core.commands.console import json_lines
from core.errors import UserError
from core.features.extract import Extractor
from core.workers.stdio import input_lines


def serve() -> None:
    """Read clips one after the other until standard input closes. The first answer says that it is ready."""
    with json_lines() as write:
        extractor = Extractor()
        write({"ready": True})
        for line in input_lines():
            try:
                extractor.extract(Path(json.loads(line)), modalities=("audio", "visual"))
            except UserError as error:
                write({"error": error.message, "kind": error.kind, "remedy": error.remedy})
            else:
                write({"error": None})
