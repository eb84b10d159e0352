"""Measure the energy of a run with NVML's counter of the device.

`pip install '.[gpu]'` installs the Python binding of NVML. Without it, or if several processes share the
device, which has one counter for all of them, the energy is the run's seconds times the watts in the config.
"""

from __future__ import annotations

import contextlib
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
        """Return the joules since the last reading; None if the device has no usable counter."""
        if self.handle is None:
            return None
        import pynvml

        before, self.last = self.last, int(pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        return (self.last - before) / 1000
