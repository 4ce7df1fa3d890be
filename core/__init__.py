"""The science of Consonance, without a window: read, extract, predict, train."""

import os

# Pretrained files come through core.assets alone; no library may look for newer ones behind our back.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
