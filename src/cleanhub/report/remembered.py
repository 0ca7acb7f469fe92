"""The report of a plan that was reported before, from the memory of steps: no figure is drawn again.

:mod:`cleanhub.report.write` makes the report; here its files are remembered by the content they were made
of. What the report looks like is imported only where one is made.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from cleanhub.core.memory import remembered

if TYPE_CHECKING:
    from cleanhub.report.contract import PlanLike


def write_remembered(plan: PlanLike, folder: Path) -> None:
    """What :func:`cleanhub.report.write.write_report` writes for ``plan``, into an existing ``folder``.

    Raises ``RunError`` for a plan without its hub and ``OSError`` when the folder cannot be written.
    """
    files = _made(plan) if plan.hub is None else remembered("report", _read_by(plan), lambda: _made(plan))
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _read_by(plan: PlanLike) -> tuple[Any, ...]:
    """Everything of a plan that its report can show."""
    hub = plan.hub
    assert hub is not None  # for the type checker: the caller has seen to it
    own = {name: value for name, value in vars(plan).items() if name not in ("hub", "timings", "recalled")}
    return own, hub.meta, hub.tables, getattr(hub, "library", None), hub.counties_geojson()


def _made(plan: PlanLike) -> dict[str, bytes]:
    """The files of the report by name."""
    from cleanhub.report.write import write_report

    with TemporaryDirectory(prefix="cleanhub-report-") as folder:
        write_report(plan, Path(folder))
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}
