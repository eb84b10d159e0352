"""Energy as the device counts it: NVML's total since the driver was loaded, read before and after.

`pip install '.[gpu]'` brings NVML's own binding. Without it, or where several processes share the device
(whose total cannot be told apart), the energy of a run is its seconds times the watts in the config.
"""

from __future__ import annotations

import contextlib
from typing import Any

import torch


class Meter:
    """What one accelerator has used since it was last read."""

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
        """Return the joules since the last reading; None where nothing is counted."""
        if self.handle is None:
            return None
        import pynvml

        before, self.last = self.last, int(pynvml.nvmlDeviceGetTotalEnergyConsumption(self.handle))
        return (self.last - before) / 1000
