"""Name the array types of the fitting code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Values = Mapping[str, Any]
"""Parameter or variable values by name. Inside a law's function a parameter has shape (..., 1), a variable
shape (n,)."""
