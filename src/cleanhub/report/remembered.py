"""The report of a plan that was reported before, from the memory of steps: no figure is drawn again.

:mod:`cleanhub.report.write` makes the report; here its files are remembered by the content they were made
of. What the report looks like is imported only where one is made.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cleanhub.core.memory import remembered

if TYPE_CHECKING:
    from cleanhub.report.contract import PlanLike


def write_remembered(plan: PlanLike, folder: Path, inputs: str = "") -> None:
    """What :func:`cleanhub.report.write.write_report` writes for ``plan``, into an existing ``folder``.

    ``inputs`` is the fingerprint of all that the plan, as it is, was made from; without it the report is
    made and not remembered. Raises ``RunError`` for a plan without its hub and ``OSError`` when the folder
    cannot be written.
    """
    key = (inputs, plan.id, dict(plan.versions))
    files = remembered("report", key, lambda: _made(plan)) if inputs else _made(plan)
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _made(plan: PlanLike) -> dict[str, bytes]:
    """The files of the report by name."""
    from cleanhub.report.write import write_report

    with TemporaryDirectory(prefix="cleanhub-report-") as folder:
        write_report(plan, Path(folder))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
