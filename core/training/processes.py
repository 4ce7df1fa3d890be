"""The processes that train one network together: one, or as many as torchrun starts; and their devices.

Every process has the whole data, the whole network and the whole label bank, and learns from every n-th row
of a batch. What belongs to the batch is made of all its rows: counts that means are divided by, projections
that covariances are taken of, representations that labels are generated from. Gradients are summed once a
step, not once a batch. With one process nothing is sent and nothing is copied.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from core.errors import SettingsError
from core.training.settings import TrainingSettings

STARTED = "WORLD_SIZE"
"""What torchrun tells each process that it starts: their number."""


class Processes:
    """rank: which of `count` processes this is. device: where its network lives. bfloat16: it computes so."""

    def __init__(self, training: TrainingSettings) -> None:
        """Join the others, where torchrun started any. Raises SettingsError for a device that is not here."""
        self.rank, self.count, found = 0, 1, _best()
        if STARTED in os.environ:
            state = _state(training.device)
            self.rank, self.count, found = state.process_index, state.num_processes, state.device
        self.device = _device(training.device, found)
        self.bfloat16 = training.precision == "bfloat16" and _has_bfloat16(self.device)

    @property
    def main(self) -> bool:
        """Whether this process is the one that writes and decides."""
        return self.rank == 0

    @property
    def several(self) -> bool:
        return self.count > 1

    def own(self, rows: Sequence[int]) -> list[int]:
        """The rows of a batch that this process learns from; none where there are fewer than processes."""
        return list(rows[self.rank :: self.count])

    def gather(self, rows: Tensor) -> Tensor:
        """Rows (n, …) of this process -> those of all, in the batch's order. Gradients flow to its own only.

        That is enough: each process differentiates by its own rows, and the gradients are summed.
        """
        if not self.several:
            return rows
        parts = self._parts(rows)
        places = [torch.arange(len(part)) * self.count + rank for rank, part in enumerate(parts)]
        order = torch.argsort(torch.cat(places))  # undoes `own`
        return torch.cat(parts)[order.to(rows.device)]

    def gather_some(self, rows: Tensor) -> Tensor:
        """As `gather`, for rows picked out of the batch: process after process."""
        return torch.cat(self._parts(rows)) if self.several else rows

    def _parts(self, rows: Tensor) -> list[Tensor]:
        """Every process's rows; one's own keep their gradient."""
        sizes = [torch.zeros(1, dtype=torch.int64, device=self.device) for _ in range(self.count)]
        dist.all_gather(sizes, torch.tensor([len(rows)], device=self.device))
        longest = max(int(size) for size in sizes)
        sent = rows.detach().to(self.device, torch.uint8 if rows.dtype == torch.bool else rows.dtype)
        padded = sent.new_zeros((longest, *sent.shape[1:]))
        padded[: len(sent)] = sent
        received = [torch.empty_like(padded) for _ in range(self.count)]
        dist.all_gather(received, padded)
        parts = [part[: int(size)].to(rows) for part, size in zip(received, sizes, strict=True)]
        parts[self.rank] = rows
        return parts

    def total(self, values: Sequence[float]) -> list[float]:
        """The sums over all processes of some numbers."""
        if not self.several:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        return sums.tolist()

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Every parameter's gradient becomes the sum over the processes; in some of them it may have none."""
        if not self.several:
            return
        there = self.total([float(p.grad is not None) for p in parameters])
        chosen = [p for p, known in zip(parameters, there, strict=True) if known]
        if not chosen:
            return
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).flatten() for p in chosen])
        dist.all_reduce(flat)
        for parameter, part in zip(chosen, flat.split([p.numel() for p in chosen]), strict=True):
            parameter.grad = part.view_as(parameter).clone()

    def agreed(self, value: Any) -> Any:
        """The main process's value, in all of them."""
        if not self.several:
            return value
        held = [value]
        dist.broadcast_object_list(held, src=0)
        return held[0]

    def collected(self, value: Any) -> list[Any]:
        """Every process's value, in all of them."""
        if not self.several:
            return [value]
        held: list[Any] = [None] * self.count
        dist.all_gather_object(held, value)
        return held

    def wait(self) -> None:
        """Until all are here."""
        if self.several:
            dist.barrier()


def _state(device: str) -> Any:
    from accelerate import PartialState  # a second to import

    # Without an accelerator accelerate joins processes only if it is told that the CPU is meant.
    state = PartialState(cpu=device == "cpu" or not torch.accelerator.is_available())
    started = int(os.environ[STARTED])
    if started != state.num_processes:
        raise SettingsError(
            f"training.device: {device}: torchrun started {started} processes, but they cannot work together "
            "on it.",
            "Use as many as there are devices of that kind, or training.device=cpu.",
        )
    return state


def _best() -> torch.device:
    """What this machine computes fastest on."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return found or torch.device("cpu")


def _device(wanted: str, found: torch.device) -> torch.device:
    """The device that the settings want; `found`: what there is."""
    if wanted == "auto":
        return found
    try:
        device = torch.device(wanted)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError) as error:
        raise SettingsError(f"training.device: {wanted}: {error}", "auto takes what is here.") from error
    return found if device.index is None and device.type == found.type else device


def _has_bfloat16(device: torch.device) -> bool:
    return device.type != "cuda" or torch.cuda.is_bf16_supported()
