"""Colours: one per head everywhere (Okabe-Ito, safe for colour-blind eyes), a dash and a marker beside it."""

from __future__ import annotations

from core.types import Head

HEAD_COLOURS: dict[Head, str] = {
    "multimodal": "#009E73",
    "text": "#0072B2",
    "audio": "#E69F00",
    "visual": "#CC79A7",
}
HEAD_MARKERS: dict[Head, str] = {"multimodal": "o", "text": "s", "audio": "t", "visual": "d"}
"""pyqtgraph symbols."""
