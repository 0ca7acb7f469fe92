"""Three points of an uncertain time as a distribution: drawn, and what is left of it after a while.

The points are the tenth percentile, the median and the ninetieth. On each side of the median the variable is
lognormal; a side that would begin at 0 or below is normal instead, cut off at 0.
"""

from __future__ import annotations

import math

import numpy as np

from cleanhub.pipeline.problem import FloatArray

Z90 = 1.2815515655446004
"""Standard normal variable at its ninetieth percentile."""
_POINTS = np.array([-Z90, 0.0, Z90])


def spread(z: FloatArray, low: float, middle: float, high: float) -> FloatArray:
    """The variable of these three points at standard normal numbers ``z``, of the same shape."""
    upper, lower = np.maximum(z, 0.0) / Z90, np.maximum(-z, 0.0) / Z90
    above = middle * (high / middle) ** upper if middle > 0.0 else middle + (high - middle) * upper
    if low > 0.0:
        below = middle * (low / middle) ** lower
    else:
        below = np.maximum(middle - (middle - low) * lower, 0.0)
    return np.asarray(np.where(z > 0.0, above, below))


def left_after(age: float, low: float, middle: float, high: float) -> tuple[float, float, float]:
    """Tenth percentile, median and ninetieth of what is left of a time after ``age`` years, all in years.

    The time ``T`` has not ended yet, so what is left is distributed as ``T - age`` given ``T > age``. Its
    median is not the median less ``age``: whoever has waited long has learnt that this one is slow. With
    the survival ``S`` the time that a share ``q`` of the cases is left behind is where ``S = q S(age)``.
    Where no time as long as ``age`` was thought possible, nothing is left.
    """
    if age <= 0.0:
        return low, middle, high
    from scipy.special import log_ndtr, ndtri_exp  # slow to import, and few times have begun

    waited = _normal_at(age, low, middle, high)
    if waited == math.inf:
        return 0.0, 0.0, 0.0
    z = -ndtri_exp(log_ndtr(-_POINTS) + log_ndtr(-waited))  # by logarithms: it may have waited for long
    quick, half, slow = np.maximum(spread(z, low, middle, high) - age, 0.0)
    return float(quick), float(half), float(slow)


def _normal_at(time: float, low: float, middle: float, high: float) -> float:
    """The normal number at which :func:`spread` reaches a time; infinity where it never exceeds it."""
    if time >= middle:
        if high <= middle:
            return math.inf
        share = math.log(time / middle) / math.log(high / middle) if middle > 0.0 else time / high
        return share * Z90
    if low >= middle:
        return -math.inf
    share = math.log(time / middle) / math.log(low / middle) if low > 0.0 else (middle - time) / middle
    return -share * Z90
