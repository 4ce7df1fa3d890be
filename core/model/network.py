"""The whole network: text, voice and face, each encoded, each judged, and judged together.

After arXiv 2305.08473, section 3 (encoders and heads as in Self-MM, arXiv 2102.04830). Per utterance

    F_t = text encoder;  F_a, F_v = linear(dropout(LSTM over the true length))
    h_s = ReLU(W1 dropout(F_s) + b1),  y_s = W3 ReLU(W2 h_s + b2) + b3,   s in multimodal, text, audio, visual
    F_m = fusion of F_t, F_a, F_v;  Z_s = linear maps to a common width, for the covariance alignment
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from core.data.batches import Batch
from core.model.fusion import FUSIONS
from core.types import CLASS_VALUES, HEADS, MODALITIES, Head, Modality

if TYPE_CHECKING:
    from core.training.settings import NetworkSettings


STEPS = 8
"""Sequences are padded to a multiple of so many frames, so that they come in few lengths."""


@dataclass(frozen=True, slots=True)
class Output:
    """What the network says of a batch of B rows. Values of a missing modality mean nothing: see `present`.

    estimates[head]: (B,). hidden[head]: (B, w), the h_s. logits[head]: (B, 3), of heads that judge classes.
    encoded[modality]: (B, F), zeros where missing. together: (B,) bool, as in the batch.
    projected[modality]: (B, d), for the modalities that are aligned.
    """

    estimates: dict[Head, Tensor]
    hidden: dict[Head, Tensor]
    logits: dict[Head, Tensor]
    encoded: dict[Modality, Tensor]
    projected: dict[Modality, Tensor]
    present: dict[Modality, Tensor]
    together: Tensor

    def pair(self, first: Modality, second: Modality) -> tuple[Tensor, Tensor]:
        """The (n, d) projections of the n rows that hold both modalities of one recording."""
        both = self.present[first] & self.present[second] & self.together
        return self.projected[first][both], self.projected[second][both]

    @property
    def aligned(self) -> tuple[Tensor, Tensor]:
        """(Z_a, Z_v) of the rows with both a voice and a face."""
        return self.pair("audio", "visual")


class SequenceEncoder(nn.Module):
    """One-layer LSTM over the true length, read out, dropout, linear. Standardises its features first.

    With the readout `features` there is no LSTM: what is read is the mean and the deviation of the features
    over time, which is all that a small set of speakers teaches reliably.
    The standardisation (mean and scale of the training data) is part of the weights: buffers `mean`, `scale`.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, input_width: int, lstm_width: int, width: int, dropout: float, readout: str) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(input_width))
        self.register_buffer("scale", torch.ones(input_width))
        self.lstm = None if readout == "features" else nn.LSTM(input_width, lstm_width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(2 * input_width if self.lstm is None else lstm_width, width)
        self.readout = readout

    def standardise_by(self, mean: Tensor, std: Tensor) -> None:
        """Set the standardisation; features that never vary are left at their distance from the mean."""
        self.mean.copy_(mean)
        self.scale.copy_(torch.where(std > 1e-6, std, 1.0))

    def forward(self, x_btd: Tensor, length: Tensor) -> Tensor:
        """(B, T, d) and (B,) lengths >= 1 -> (B, width). What is beyond the length has no influence."""
        x_btd = (x_btd - self.mean) / self.scale
        read = _statistics(x_btd, length) if self.lstm is None else self._states(self.lstm, x_btd, length)
        return self.linear(self.dropout(read))

    def _states(self, lstm: nn.LSTM, x_btd: Tensor, length: Tensor) -> Tensor:
        # Padded, not packed: padding comes after what is read and a packed LSTM is ten times slower on a CPU.
        # In whole STEPS, for what is prepared for each shape stays in memory.
        x_btd = nn.functional.pad(x_btd, (0, 0, 0, -x_btd.shape[1] % STEPS))
        states_btd, _ = lstm(x_btd)
        length = length.to(states_btd.device)
        if self.readout == "last":
            return states_btd[torch.arange(len(states_btd), device=length.device), length - 1]
        return torch.where(_inside(x_btd, length), states_btd, 0.0).sum(dim=1) / length[:, None]


def _inside(x_btd: Tensor, length: Tensor) -> Tensor:
    """(B, T, 1) bool: before the end of its row."""
    return (torch.arange(x_btd.shape[1], device=x_btd.device)[None, :] < length[:, None])[:, :, None]


def _statistics(x_btd: Tensor, length: Tensor) -> Tensor:
    """Mean and standard deviation over the true length: (B, T, d) -> (B, 2 d)."""
    length = length.to(x_btd.device)
    frames, inside = length[:, None], _inside(x_btd, length)
    mean = torch.where(inside, x_btd, 0.0).sum(dim=1) / frames
    variance = torch.where(inside, x_btd - mean[:, None], 0.0).square().sum(dim=1) / frames
    return torch.cat([mean, variance.sqrt()], dim=1)


class SentimentHead(nn.Module):
    """From a representation F to `h` (what label generation looks at) and the estimate.

    With `classes` it judges negative, neutral and positive, and the estimate is the expected value of
    CLASS_VALUES: in between where the evidence is torn, while the likeliest class stays readable.
    """

    values: Tensor

    def __init__(self, input_width: int, width: int, dropout: float, layers: int, classes: bool) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.first = nn.Linear(input_width, width)
        self.second = nn.Linear(width, width) if layers == 3 else None
        self.last = nn.Linear(width, len(CLASS_VALUES) if classes else 1)
        self.classes = classes
        self.register_buffer("values", torch.tensor(CLASS_VALUES), persistent=False)

    def forward(self, encoded: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """(B, F) -> h (B, w), estimate (B,), logits (B, 3) or None."""
        hidden = torch.relu(self.first(self.dropout(encoded)))
        deeper = hidden if self.second is None else torch.relu(self.second(hidden))
        judged = self.last(deeper)
        if not self.classes:
            return hidden, judged.squeeze(-1), None
        return hidden, (judged.softmax(dim=-1) * self.values).sum(dim=-1), judged


class Network(nn.Module):
    """The model of a run. `settings` builds it; `forward` reads a `Batch`."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        if not settings.audio_input_width or not settings.visual_input_width:
            raise ValueError(
                "an input width of 0 stands for the data's: settle it with settings.fitted first"
            )
        self.settings = settings
        if settings.text_encoder:
            self.text_encoder = load_text_encoder(settings)
            text_width = self.text_encoder.config.hidden_size
        else:
            self.text_encoder = None
            self.text_linear = nn.Linear(settings.text_vector_width, settings.text_width)
            text_width = settings.text_width
        self.audio_encoder = SequenceEncoder(
            settings.audio_input_width,
            settings.audio_lstm_width,
            settings.audio_width,
            settings.lstm_dropout,
            settings.readout,
        )
        self.visual_encoder = SequenceEncoder(
            settings.visual_input_width,
            settings.visual_lstm_width,
            settings.visual_width,
            settings.lstm_dropout,
            settings.readout,
        )
        self.widths: dict[Modality, int] = {
            "text": text_width,
            "audio": settings.audio_width,
            "visual": settings.visual_width,
        }
        self.fusion = FUSIONS[settings.fusion](self.widths)
        self.heads = nn.ModuleDict({head: self._head(head) for head in HEADS})
        self.alignment = nn.ModuleDict({m: self._alignment_map(m) for m in aligned_modalities(settings)})

    def _head(self, head: Head) -> SentimentHead:
        s = self.settings
        width = self.fusion.width if head == "multimodal" else self.widths[head]
        return SentimentHead(
            width,
            getattr(s.head_widths, head),
            getattr(s.head_dropout, head),
            s.head_layers,
            head in s.class_heads,
        )

    def _alignment_map(self, modality: Modality) -> nn.Linear:
        s = self.settings
        width = self.widths[modality] if s.aligned_from == "encoded" else getattr(s.head_widths, modality)
        return nn.Linear(width, s.aligned_width)

    def train(self, mode: bool = True) -> Network:
        """As torch's, but a wholly frozen text encoder keeps its dropout off."""
        super().train(mode)
        if self.text_encoder is not None and self.settings.text_freeze == "all":
            self.text_encoder.eval()
        return self

    def encode_text(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Token ids and their mask, (n, L) each -> F_t (n, hidden size of the encoder)."""
        if self.text_encoder is None:
            raise ValueError("this network reads text vectors, not tokens")
        states = self.text_encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        if self.settings.text_readout == "first":
            return states[:, 0]
        weights = mask.to(states.dtype)[:, :, None]
        return (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)

    def encode_text_vectors(self, vectors: Tensor) -> Tensor:
        """Mean text vectors (n, d) -> F_t (n, text_width).

        Of a frozen text encoder the vectors are its own F_t, computed once: they go through as they are.
        """
        if self.text_encoder is None:
            return self.text_linear(vectors)
        if self.settings.text_freeze == "all" and vectors.shape[1] == self.widths["text"]:
            return vectors
        raise ValueError("this network reads tokens, not text vectors")

    def encode_audio(self, audio_btd: Tensor, length: Tensor) -> Tensor:
        """Audio features (n, T, d) and lengths (n,) -> F_a (n, audio_width)."""
        return self.audio_encoder(audio_btd, length)

    def encode_visual(self, visual_btd: Tensor, length: Tensor) -> Tensor:
        """Visual features (n, T, d) and lengths (n,) -> F_v (n, visual_width)."""
        return self.visual_encoder(visual_btd, length)

    def encode(self, batch: Batch) -> dict[Modality, Tensor]:
        """Every modality of the batch: (B, F), zeros in the rows that lack it."""
        found: dict[Modality, Tensor | None] = dict.fromkeys(MODALITIES)
        if batch.text_ids is not None and batch.text_mask is not None:
            found["text"] = self.encode_text(batch.text_ids, batch.text_mask)
        elif batch.text_vectors is not None:
            found["text"] = self.encode_text_vectors(batch.text_vectors)
        if batch.audio_btd is not None and batch.audio_length is not None:
            found["audio"] = self.encode_audio(batch.audio_btd, batch.audio_length)
        if batch.visual_btd is not None and batch.visual_length is not None:
            found["visual"] = self.encode_visual(batch.visual_btd, batch.visual_length)
        return {m: self._spread(found[m], batch.present[m], self.widths[m]) for m in MODALITIES}

    def _spread(self, rows: Tensor | None, present: Tensor, width: int) -> Tensor:
        """Rows of the present samples -> (B, width) with zeros elsewhere."""
        dtype = self.audio_encoder.mean.dtype if rows is None else rows.dtype
        full = torch.zeros(len(present), width, dtype=dtype, device=present.device)
        return full if rows is None else full.index_put((present.nonzero().squeeze(1),), rows)

    def fuse(
        self, encoded: Mapping[Modality, Tensor], present: Mapping[Modality, Tensor]
    ) -> tuple[Tensor, Tensor]:
        """Encoded modalities (B, F) and which are present (B,) -> h_m (B, w), multimodal estimate (B,)."""
        hidden, estimate, _ = self.heads["multimodal"](self.fusion(encoded, present))
        return hidden, estimate

    def align_audio(self, encoded: Tensor) -> Tensor:
        """F_a (n, audio_width) -> Z_a (n, d)."""
        return self._align("audio", encoded)

    def align_visual(self, encoded: Tensor) -> Tensor:
        """F_v (n, visual_width) -> Z_v (n, d)."""
        return self._align("visual", encoded)

    def _align(self, modality: Modality, encoded: Tensor, hidden: Tensor | None = None) -> Tensor:
        if self.settings.aligned_from == "encoded":
            return self.alignment[modality](encoded)
        return self.alignment[modality](self.heads[modality](encoded)[0] if hidden is None else hidden)

    def forward(self, batch: Batch) -> Output:
        """Judge a batch; see `Output`."""
        encoded = self.encode(batch)
        judged = {m: self.heads[m](encoded[m]) for m in MODALITIES}
        fused = self.fuse(encoded, batch.present)
        return Output(
            estimates={"multimodal": fused[1], **{m: judged[m][1] for m in MODALITIES}},
            hidden={"multimodal": fused[0], **{m: judged[m][0] for m in MODALITIES}},
            logits={m: logits for m in MODALITIES if (logits := judged[m][2]) is not None},
            encoded=encoded,
            projected={
                m: self._align(m, encoded[m], judged[m][0]) for m in aligned_modalities(self.settings)
            },
            present=batch.present,
            together=batch.together,
        )

    @property
    def word_embedding(self) -> nn.Embedding | None:
        """The text encoder's table of words; None without an encoder."""
        return None if self.text_encoder is None else self.text_encoder.get_input_embeddings()

    def groups(self) -> dict[str, list[tuple[str, nn.Parameter]]]:
        """Trainable parameters by the settings' groups: text, audio, visual, other."""
        groups: dict[str, list[tuple[str, nn.Parameter]]] = {m: [] for m in (*MODALITIES, "other")}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                owner = name.split("_")[0]
                groups[owner if owner in groups else "other"].append((name, parameter))
        return groups


def aligned_modalities(settings: NetworkSettings) -> list[Modality]:
    """Modalities that take part in at least one aligned pair."""
    named = {modality for pair in settings.aligned_pairs for modality in pair.split("-")}
    return [m for m in MODALITIES if m in named]


def text_encoder_folder(name: str) -> Path:
    """Folder of the text encoder that the settings name: a folder as it is, else an asset."""
    if Path(name).is_dir():
        return Path(name)
    from core.assets import asset  # only here: a folder needs no assets

    return asset(name)


def load_tokenizer(settings: NetworkSettings) -> Any:
    """The text encoder's own tokenizer; None for a network that reads text vectors."""
    if not settings.text_encoder:
        return None
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(text_encoder_folder(settings.text_encoder), local_files_only=True)


def load_text_encoder(settings: NetworkSettings) -> Any:
    """The pretrained text encoder, its frozen part without gradients, its unused pooler left out."""
    from transformers import AutoModel
    from transformers.utils import logging

    logging.disable_progress_bar()  # a command's standard error is its own
    folder = text_encoder_folder(settings.text_encoder)
    encoder: Any = AutoModel.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    if getattr(encoder, "pooler", None) is not None:
        encoder.pooler = None
    frozen = {"none": [], "embeddings": [encoder.embeddings], "all": [encoder]}
    for module in frozen[settings.text_freeze]:
        module.requires_grad_(False)
    return encoder
