"""Measure the energy of a run with NVML's counter of the device.

`pip install '.[gpu]'` installs the Python binding of NVML. Without it, or if several processes share the
device, which has one counter for all of them, the energy is the run's seconds times the watts in the config.
"""

from __future__ import annotations

import contextlib
import math
from typing import Any

import torch


class Meter:
    """The energy counter of one device."""

    def __init__(self, device: torch.device) -> None:
        self.handle: Any = None
        self.last = 0
        if device.type != "cuda":
            return
        with contextlib.suppress(Exception):  # no binding, no driver, no permission, an old device
            import pynvml

            pynvml.nvmlInit()
            uuid = torch.cuda.get_device_properties(device).uuid
            handle = pynvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
            self.last = int(pynvml.nvmlDeviceGetTotalEnergyConsumption(handle))
            if len(pynvml.nvmlDeviceGetComputeRunningProcesses(handle)) <= 1:
                self.handle = handle

    def read(self) -> float | None:
        """Return the joules since the last reading; None if the device has no usable counter.

        If the counter fails during a run, return NaN, so that no part of the energy is taken for all of it.
        """
        if self.handle is None:
            return None
        before = self.last
        try:
            import pynvml

            self.last = int(pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        except Exception:  # the driver restarted, or the permission is gone
            return math.nan
        return (self.last - before) / 1000
