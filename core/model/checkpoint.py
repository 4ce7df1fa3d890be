"""A trained model as a folder: safetensors and model.json, never a pickle.

Of a pretrained text encoder only the tensors that training changed are kept, in half precision; the rest
comes from the encoder's own file, which model.json names by its SHA-256. `load` gives back a whole network or
raises ModelError: a weight that is nowhere to be found is never left at random.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from core.diagnostics.reference import FILE as REFERENCE
from core.diagnostics.reference import Reference
from core.errors import ModelError
from core.files import whole_folder
from core.model.chosen import META as META
from core.model.chosen import locate as locate
from core.model.network import Network, load_text_encoder, load_tokenizer, text_encoder_folder
from core.training.settings import NetworkSettings
from core.types import EXTRACTOR_VERSION

WEIGHTS = "weights.safetensors"
ENCODER = "text_encoder."
"""Prefix of the text encoder's tensors in a network's state."""

AGAIN = "Install the model again, or train it again."


class Meta(BaseModel):
    """What a model says of itself. Frozen: a changed model is another model."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    name: str
    version: str
    scale: tuple[float, float] = (-3.0, 3.0)
    languages: tuple[str, ...] = ("en",)
    extractor_version: int = EXTRACTOR_VERSION
    features: dict[str, str] = Field(default_factory=dict)
    """By modality "extractor:<version>", or "foreign" where the training data brought its own; {}: own."""
    max_tokens: int = 128
    calibration: dict[str, Any] = Field(default_factory=dict)
    """level; half width of the interval of each head, of the multimodal one for each set of modalities."""
    data: dict[str, Any] = Field(default_factory=dict)
    """The data settings of one data set, as it was read; {} for a model of several sources."""
    fingerprint: str = ""
    """Of that data set: the same data is judged by the parts that the run cut."""
    trained: dict[str, Any] = Field(default_factory=dict)
    """Rows of each source by split, epochs, seed, date: what the model card is written from."""


class _Stored(Meta):
    """model.json: the meta and what is needed to put the network together again."""

    network: NetworkSettings
    encoder_sha256: str = ""
    files: dict[str, str]
    """SHA-256 of every other file of the folder."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A network with its tokenizer, what it says of itself, and the recordings its alignment is held against.

    `tokenizer` is None for a network of text vectors; `reference` where none was built.
    """

    network: Network
    tokenizer: Any
    meta: Meta
    reference: Reference | None = None


def save(folder: Path, network: Network, meta: Meta, reference: Reference | None = None) -> None:
    """Write a model folder, whole or not at all; one of that name is replaced.

    Other files in the folder (a model card) are not kept: copy them there afterwards.
    """
    with whole_folder(folder) as part:
        save_file(_changed(network), part / WEIGHTS)
        if reference is not None:
            reference.save(part)
        stored = _Stored(
            **meta.model_dump(),
            network=network.settings,
            encoder_sha256=encoder_sha256(network.settings),
            files={path.name: _sha256(path) for path in sorted(part.iterdir())},
        )
        (part / META).write_text(stored.model_dump_json(indent=1) + "\n", encoding="utf-8")
        _share(part)


def load(model: str | Path = "starter") -> Checkpoint:
    """The model of a folder, of a run (its finished model, else its best checkpoint), or the `starter`.

    Raises ModelError for what is absent, altered or incomplete, AssetError where its text encoder is absent.
    """
    folder = locate(model)
    stored = _stored(folder)
    _check_files(folder, stored)
    try:
        network = Network(stored.network)
        if encoder_sha256(stored.network) != stored.encoder_sha256:
            raise ModelError(f"{folder}: trained on another text encoder than the one here.", AGAIN)
        _put_weights(network, load_file(folder / WEIGHTS))
    except (SafetensorError, RuntimeError, OSError, ValueError) as error:
        raise ModelError(f"{folder} cannot be used: {error}", AGAIN) from error
    return Checkpoint(network.eval(), load_tokenizer(stored.network), _meta(stored), Reference.load(folder))


def describe(model: str | Path = "starter") -> Meta:
    """What a model says of itself, without the time that loading it takes. Raises ModelError."""
    return _meta(_stored(locate(model)))


def _meta(stored: _Stored) -> Meta:
    return Meta(**stored.model_dump(include=set(Meta.model_fields)))


def _changed(network: Network) -> dict[str, Tensor]:
    """What a file must hold: everything outside the text encoder, and of it what is not as published."""
    published = _published(network)
    kept = {}
    for name, tensor in network.state_dict().items():
        if name not in published:
            kept[name] = tensor.detach().cpu().contiguous()
        elif not torch.equal(tensor.cpu(), published[name]):
            kept[name] = tensor.detach().cpu().to(torch.float16).contiguous()
    return kept


def _published(network: Network) -> dict[str, Tensor]:
    """The text encoder's tensors as its own file has them, under the network's names."""
    if network.text_encoder is None:
        return {}
    # Of an encoder that rests nothing has changed, and reading it again takes as long as a short epoch.
    own = network.text_encoder
    fresh = own if network.settings.text_freeze == "all" else load_text_encoder(network.settings)
    return {ENCODER + name: tensor.cpu() for name, tensor in fresh.state_dict().items()}


def _put_weights(network: Network, weights: dict[str, Tensor]) -> None:
    known = network.state_dict()
    if strange := sorted(set(weights) - set(known)):
        raise ModelError(f"The weights hold a tensor “{strange[0]}” that the network does not have.", AGAIN)
    lacking = [name for name in known if name not in weights and not name.startswith(ENCODER)]
    if lacking:
        raise ModelError(f"The weights lack “{lacking[0]}”.", AGAIN)
    if broken := [name for name, tensor in weights.items() if not torch.isfinite(tensor).all()]:
        raise ModelError(f"The weights of “{broken[0]}” are not finite.", AGAIN)
    network.load_state_dict(weights, strict=False)


def _stored(folder: Path) -> _Stored:
    try:
        return _Stored.model_validate_json((folder / META).read_text(encoding="utf-8"))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"]) or "the file"
        raise ModelError(f"{folder / META}: {name}: {first['msg']}", AGAIN) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{folder / META} cannot be read: {error}", AGAIN) from error


def _check_files(folder: Path, stored: _Stored) -> None:
    if WEIGHTS not in stored.files:
        raise ModelError(f"{folder / META} names no weights.", AGAIN)
    if REFERENCE not in stored.files and (folder / REFERENCE).exists():
        raise ModelError(f"{folder / REFERENCE} does not belong to this model.", AGAIN)
    for name, sha256 in stored.files.items():
        path = folder / Path(name).name
        if not path.is_file():
            raise ModelError(f"{path} is missing.", AGAIN)
        if _sha256(path) != sha256:
            raise ModelError(f"{path} was altered: it is not the file this model was saved with.", AGAIN)


def encoder_sha256(settings: NetworkSettings) -> str:
    """SHA-256 of the text encoder's own weights; "" for a network of text vectors."""
    if not settings.text_encoder:
        return ""
    file = text_encoder_folder(settings.text_encoder) / "model.safetensors"
    now = file.stat()
    return _sha256_of(file, now.st_mtime_ns, now.st_size)


@cache
def _sha256_of(path: Path, changed: int, size: int) -> str:
    """Of a large file that is asked for at every checkpoint, until the file changes."""
    return _sha256(path)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _share(part: Path) -> None:
    """Let be read by whom the umask lets read: temporary folders and safetensors are their owner's alone."""
    mode = (part / META).stat().st_mode & 0o666
    for path in part.iterdir():
        path.chmod(mode)
    part.chmod(mode | (mode & 0o444) >> 2 | 0o700)
