"""A whole network, small enough for tests, with the shape of one that reads clips."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.types import EXTRACTOR_VERSION

# Two threads on two busy cores wait for each other most of the time.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def make_checkpoint(tiny_text_encoder: Path) -> Callable[..., Any]:
    """Makes a checkpoint of random weights, for tests alone; keywords replace what its meta states."""
    from core.model.checkpoint import Checkpoint, Meta
    from core.model.network import Network, load_tokenizer
    from core.training.settings import NetworkSettings

    def make(network: dict[str, Any] | None = None, reference: Any = None, **meta: Any) -> Any:
        settings = NetworkSettings(**{"text_encoder": str(tiny_text_encoder), **(network or {})})
        torch.manual_seed(1)
        stated = {
            "name": "tiny",
            "version": "1",
            "scale": (-3.0, 3.0),
            "languages": ("en",),
            "extractor_version": EXTRACTOR_VERSION,
            "calibration": {
                "level": 0.8,
                "text": 0.5,
                "audio": 1.0,
                "multimodal": {"text+audio+visual": 0.4, "audio+visual": 0.7},
            },
            **meta,
        }
        return Checkpoint(Network(settings), load_tokenizer(settings), Meta(**stated), reference)

    return make
