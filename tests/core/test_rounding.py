"""The same rounding on every machine: set before numpy is loaded, and the user's own setting stands."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cleanhub.core.rounding import LOOPS, SETTING, settle

SKYLAKE = "processor\t: 0\nflags\t\t: fpu sse2 avx2 avx512f avx512dq\n"


@pytest.mark.parametrize(
    ("told", "set_by_user", "expected"),
    [(SKYLAKE, "", LOOPS), (SKYLAKE, "FMA3", "FMA3"), ("flags: fpu sse2 avx2\n", "", None), (None, "", None)],
)
def test_only_machines_with_the_loops_lose_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: str | None, set_by_user: str, expected: str | None
) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    monkeypatch.delitem(sys.modules, "numpy")
    if set_by_user:
        monkeypatch.setenv(SETTING, set_by_user)
    about = tmp_path / "cpuinfo"
    if told is not None:
        about.write_text(told)
    settle(str(about))
    assert os.environ.get(SETTING) == expected


def test_nothing_is_set_once_numpy_is_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SETTING, raising=False)
    (tmp_path / "cpuinfo").write_text(SKYLAKE)
    settle(str(tmp_path / "cpuinfo"))
    assert SETTING not in os.environ


def test_exp_and_log_round_alike_with_and_without_the_loops() -> None:
    script = (
        "import cleanhub, numpy as np; x = np.linspace(0.001, 9.0, 20_001); "
        "print((np.exp(x).sum(), np.log(x).sum(), (x**1.7).sum(), np.tan(x).sum(), (x @ x)).__repr__())"
    )
    found = set()
    for setting in ("", "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"):
        environment = {key: value for key, value in os.environ.items() if key != SETTING}
        if setting:
            environment[SETTING] = setting
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", script],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
