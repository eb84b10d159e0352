"""Find starts of E + A N^-α + B D^-β by variable projection, which searches only the exponents α and β.

In logarithms, E + A′ + B′ = const is a curved valley, and from one start in eight Newton needs a hundred
steps along it. Variable projection (Golub & Pereyra 1973, with Kaufman's Jacobian) has no such valley: the
floor and the amplitudes are linear and follow from the exponents by least squares.
"""

from __future__ import annotations

import numpy as np

from scaling.fitting.arrays import Array
from scaling.fitting.estimation.coordinates import Coordinates


def _project(x: Array, z: Array, y: Array, alpha: Array, beta: Array) -> tuple[Array, Array, Array, Array]:
    """Return columns (K, n, 3) of relative E, A, B terms, their coefficients (K, 3), residuals (K, n) and the
    inverse Gram matrix."""
    columns = np.empty((len(alpha), len(y), 3))
    columns[:, :, 0] = 1 / y
    columns[:, :, 1] = np.exp(-alpha[:, None] * x) / y
    columns[:, :, 2] = np.exp(-beta[:, None] * z) / y
    gram = np.swapaxes(columns, 1, 2) @ columns
    # Exponents near zero make columns collinear; a tiny ridge keeps the inverse and moves nothing that is
    # determined.
    diagonal = np.einsum("kii->ki", gram)
    inverse = np.linalg.inv(gram + (1e-10 * diagonal)[:, :, None] * np.eye(3))
    solved = (inverse @ columns.sum(axis=1)[..., None])[..., 0]
    return columns, solved, (columns @ solved[..., None])[..., 0] - 1, inverse


@np.errstate(all="ignore")
def projected(
    x: Array, z: Array, y: Array, coordinates: Coordinates, u: Array, *, iterations: int = 15
) -> Array:
    """Return starts (K, 5) at a local optimum of relative squares, from the exponents of u (K, 5).

    x and z (n,) are the centred logarithms of N and D, y (n,) the losses. A negative term is replaced by a
    hundredth of the loss. All five parameters must be free and centred; else u is returned unchanged.
    """
    plain = coordinates.names == coordinates.law.names and not coordinates.log.any()
    if not plain or not (coordinates.shift[1, 3] and coordinates.shift[2, 4]):
        return u
    powers = u[:, 3:].copy()
    damping = np.full(len(u), 1e-2)
    columns, solved, residual, inverse = _project(x, z, y, powers[:, 0], powers[:, 1])
    value = (residual**2).sum(-1)
    for _ in range(iterations):
        slopes = np.stack(
            [-columns[:, :, 1] * x * solved[:, 1, None], -columns[:, :, 2] * z * solved[:, 2, None]],
            axis=-1,
        )
        slopes -= columns @ (inverse @ (np.swapaxes(columns, 1, 2) @ slopes))
        gram = np.swapaxes(slopes, 1, 2) @ slopes
        right = np.einsum("knp,kn->kp", slopes, residual)
        diagonal = np.einsum("kii->ki", gram) + 1e-12 * np.einsum("kii->k", gram)[:, None] + 1e-300
        matrix = gram + (damping[:, None] * diagonal)[:, :, None] * np.eye(2)
        step = -np.linalg.solve(matrix, right[..., None])[..., 0]
        trial = np.clip(powers + np.clip(step, -0.3, 0.3), 0.01, 3.0)
        new = _project(x, z, y, trial[:, 0], trial[:, 1])
        reached = (new[2] ** 2).sum(-1)
        better = reached < value
        powers[better], value[better] = trial[better], reached[better]
        for old, fresh in zip((columns, solved, residual, inverse), new, strict=True):
            old[better] = fresh[better]
        damping = np.where(better, damping * 0.2, damping * 8)
        if np.abs(step)[better].max(initial=0.0) < 1e-7:
            break
    terms = np.maximum(solved, 0.01 * float(np.median(y))) / coordinates.scale[:3]
    made = np.concatenate([terms, powers], axis=1)
    return np.where(np.isfinite(made), np.clip(made, coordinates.lower, coordinates.upper), u)
