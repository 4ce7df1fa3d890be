"""Clips made for the tests: what is shown and heard in them is known exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

TICKS = 1000
WORDS = ["[PAD]", "[UNK]", "good", "bad", "it", "was", "film", "the", "a", "very"]


@pytest.fixture
def make_clip(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes a clip and gives its path.

    times: when each picture comes, in seconds; picture k is grey of brightness 20 k + 10 with a white left
    quarter. tone: seconds of a 440 Hz tone beside them. rotation: degrees the player shall turn it by.
    """

    def make(
        name: str = "made.mp4",
        times: Sequence[float] = (),
        size: tuple[int, int] = (64, 48),
        tone: float = 0.0,
        rotation: int = 0,
    ) -> Path:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            film = _film(container, size, rotation) if times else None
            track = container.add_stream("aac", rate=48000, layout="mono") if tone else None
            for number, time in enumerate(times):
                frame = av.VideoFrame.from_ndarray(_picture(number, size), format="rgb24")
                frame.pts, frame.time_base = round(time * TICKS), Fraction(1, TICKS)
                container.mux(film.encode(frame))
            if film:
                container.mux(film.encode(None))
            if track:
                _write_tone(container, track, tone)
        return path

    return make


def _film(container: av.container.OutputContainer, size: tuple[int, int], rotation: int) -> av.VideoStream:
    film = container.add_stream("mpeg4", rate=TICKS)
    film.width, film.height, film.pix_fmt = *size, "yuv420p"
    film.time_base = film.codec_context.time_base = Fraction(1, TICKS)
    film.codec_context.gop_size = 5
    film.bit_rate = 4_000_000
    if rotation:
        film.set_display_rotation(rotation)
    return film


def _picture(number: int, size: tuple[int, int]) -> np.ndarray:
    picture = np.full((size[1], size[0], 3), 20 * number + 10, dtype=np.uint8)
    picture[:, : size[0] // 4] = 255
    return picture


def _write_tone(container: av.container.OutputContainer, track: av.AudioStream, seconds: float) -> None:
    moments = np.arange(round(seconds * 48000)) / 48000
    samples = (0.5 * np.sin(2 * np.pi * 440 * moments)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts = 48000, 0
    container.mux(track.encode(frame))
    container.mux(track.encode(None))


@pytest.fixture(scope="session")
def tiny_text_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a two-layer text encoder that knows ten words."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("text-encoder")
    known = {word: number for number, word in enumerate(WORDS)}
    words = Tokenizer(models.WordLevel(known, unk_token="[UNK]"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]")
    tokenizer.save_pretrained(folder)
    torch.manual_seed(0)
    BertModel(
        BertConfig(
            vocab_size=len(WORDS),
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=16,
        )
    ).save_pretrained(folder)
    return folder
