"""One rounding on every x86-64 machine, so that a plan makes the same choices on all of them.

The loops that numpy keeps for AVX-512 give other last digits of exp, log and powers than its others, and
among equal choices of charging sites a last digit decides. They are switched off before numpy is loaded. With
them off, plans under other kernels of OpenBLAS had the same choices and figures; last digits still differ.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

LOOPS = "X86_V4 AVX512_ICL AVX512_SPR"
"""Those loops by the names of numpy 2.4; of names that it does not know, another version makes nothing."""
SETTING = "NPY_DISABLE_CPU_FEATURES"
_ABOUT = "/proc/cpuinfo"
_FIRST_PROCESSOR = 8192


def settle(about: str = _ABOUT) -> None:
    """Switch the loops off where the machine has them, unless the user has set something else.

    ``about`` describes the processors as Linux does; where it is not there nothing is done, nor where numpy
    is loaded already: it would have no effect.
    """
    if "numpy" in sys.modules:
        return
    try:
        with Path(about).open(encoding="ascii", errors="replace") as told:
            has = "avx512f" in told.read(_FIRST_PROCESSOR).split()
    except OSError:
        return
    if has:
        os.environ.setdefault(SETTING, LOOPS)
