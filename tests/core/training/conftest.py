"""One thread: these networks are small, and threads waiting for each other cost more than they give."""

from __future__ import annotations

import torch

torch.set_num_threads(1)
