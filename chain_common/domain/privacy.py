"""What may leave a data owner's machine, and after which precautions.

``update`` accepts :class:`NoisedStatistics` and nothing else, so the type shows that the rows' statistics
went through this module before a lender's weights were looked at.
"""

from __future__ import annotations

import math
import struct
from dataclasses import InitVar, dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from chain_common.domain.statistics import Statistics
from chain_common.errors import BadInput, RuleBroken

NO_NOISE_WARNING: Final = "Without noise a dishonest lender can read all your statistics in one round."
"""What a data owner acknowledges before statistics are released without noise."""

_PERMIT: Final = object()
_HEADER: Final = struct.Struct(">4sHIdd")
_MAGIC: Final = b"chNS"
_MAX_WEIGHTS: Final = 1024


class NoiseNotWaived(RuleBroken):
    """Statistics were to be released without noise and the data owner has not agreed to that."""

    def __init__(self) -> None:
        super().__init__(
            "The update would carry no noise.",
            expected=NO_NOISE_WARNING,
            do="Acknowledge this to contribute anyway.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class NoisedStatistics:
    """Statistics that may meet a lender's weights.

    Made by :func:`release_without_noise`, or read back by :meth:`from_bytes` from what such a release had
    stored; the constructor refuses everyone else.

    Parameters
    ----------
    gram
        ``A``, float64 (n_weights, n_weights), symmetric, read-only; scaled as in
        :class:`~chain_common.domain.statistics.Statistics`.
    moment
        ``b``, float64 (n_weights,), read-only.
    n_rows
        Rows behind them, at least 1.
    noise_scale
        Standard deviation of the noise of one entry of ``A``; 0 without noise.
    epsilon
        Privacy budget spent; infinite without noise.
    """

    gram: NDArray[np.float64]
    moment: NDArray[np.float64]
    n_rows: int
    noise_scale: float
    epsilon: float
    permit: InitVar[object] = None

    def __post_init__(self, permit: object) -> None:
        if permit is not _PERMIT:
            raise TypeError("statistics are released by chain_common.domain.privacy only")

    @property
    def n_weights(self) -> int:
        """Number of weights with the intercept."""
        return len(self.moment)

    def __repr__(self) -> str:
        return (
            f"NoisedStatistics(n_rows={self.n_rows}, n_weights={self.n_weights}, "
            f"noise_scale={self.noise_scale}, epsilon={self.epsilon}, <secret>)"
        )

    def to_bytes(self) -> bytes:
        """Encode for the own vault: upper triangle of ``gram``, ``moment``, all float64 big-endian."""
        header = _HEADER.pack(_MAGIC, self.n_weights, self.n_rows, self.noise_scale, self.epsilon)
        triangle = self.gram[np.triu_indices(self.n_weights)]
        return header + triangle.astype(">f8").tobytes() + self.moment.astype(">f8").tobytes()

    @classmethod
    def from_bytes(cls, blob: bytes) -> NoisedStatistics:
        """Read back what :meth:`to_bytes` wrote.

        Raises
        ------
        BadInput
            If the bytes are of another kind or length, or hold a number out of range.
        """
        problem = BadInput("The stored statistics cannot be read.", do="Start the contribution again from the file.")
        if len(blob) < _HEADER.size:
            raise problem
        magic, n_weights, n_rows, noise_scale, epsilon = _HEADER.unpack_from(blob)
        n_triangle = n_weights * (n_weights + 1) // 2
        if magic != _MAGIC or not 1 <= n_weights <= _MAX_WEIGHTS or n_rows < 1:
            raise problem
        if len(blob) != _HEADER.size + 8 * (n_triangle + n_weights) or not noise_scale >= 0 or not epsilon > 0:
            raise problem
        numbers = np.frombuffer(blob, dtype=">f8", offset=_HEADER.size).astype(np.float64)
        if not np.isfinite(numbers).all():
            raise problem
        gram = np.zeros((n_weights, n_weights))
        gram[np.triu_indices(n_weights)] = numbers[:n_triangle]
        gram = np.triu(gram) + np.triu(gram, 1).T
        return _released(gram, numbers[n_triangle:], n_rows, noise_scale, epsilon)


def _released(
    gram: NDArray[np.float64], moment: NDArray[np.float64], n_rows: int, noise_scale: float, epsilon: float
) -> NoisedStatistics:
    gram, moment = gram.copy(), moment.copy()
    for array in (gram, moment):
        array.setflags(write=False)
    return NoisedStatistics(gram, moment, n_rows, noise_scale, epsilon, permit=_PERMIT)


def release_without_noise(statistics: Statistics, *, acknowledged: bool) -> NoisedStatistics:
    """Release statistics as they are.

    Parameters
    ----------
    acknowledged
        The data owner has read :data:`NO_NOISE_WARNING` and agrees.

    Raises
    ------
    NoiseNotWaived
        If it has not.
    """
    if acknowledged is not True:
        raise NoiseNotWaived
    return _released(statistics.gram, statistics.moment, statistics.n_rows, noise_scale=0.0, epsilon=math.inf)
