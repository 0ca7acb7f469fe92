"""What every command shares: the two consoles, tables and JSON on them, the usual options, groups."""

from __future__ import annotations

import datetime as dt
import json
import math
import sys
import textwrap
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from typer.core import TyperGroup

from cleanhub.core.errors import FaultList, InputError, RunError
from cleanhub.core.whole_file import write_file

if TYPE_CHECKING:
    import pandas as pd

out = Console(soft_wrap=False)
err = Console(stderr=True, soft_wrap=True, highlight=False)

HubArgument = Annotated[str, typer.Argument(help="a bundled hub's name, or the folder of a hub package")]
ScenarioOption = Annotated[
    str | None,
    typer.Option("--scenario", "-s", help="a scenario of the hub, or a YAML file (default: the hub's own)"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="print JSON for machines")]


class GroupWithDefault(TyperGroup):
    """A group whose first word need not be a command: what follows then goes to ``default``.

    ``pipeline california`` is ``pipeline run california``.
    """

    default: ClassVar[str]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the default command before words that name none and are no slip of the pen for one."""
        word = args[0] if args else ""
        slip = get_close_matches(word, self.commands, n=1, cutoff=0.8) and not Path(word).exists()
        if word and word not in self.commands and word not in ctx.help_option_names and not slip:
            args = [self.default, *args]
        return super().parse_args(ctx, args)


def day_of(option: str, text: str | None, doing: str) -> dt.date | None:
    """The day that ``option`` gives as YYYY-MM-DD; ``InputError`` of ``doing`` for anything else."""
    if text is None:
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        faults = FaultList()
        faults.add(option, what="not a day", found=text, allowed="YYYY-MM-DD")
        raise InputError(doing, faults.faults) from None


def say(text: str) -> None:
    """Print a line of plain words: no markup, nothing coloured, and not broken by the width of the window."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def indented(text: str, indent: int = 4, hang: int = 0) -> str:
    """``text`` wrapped to the terminal, ``indent`` columns in, later lines ``hang`` more."""
    return textwrap.fill(
        text,
        max(out.width, 40),
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent + hang),
        break_on_hyphens=False,
        break_long_words=False,
    )


def print_json(data: Any) -> None:
    """Write ``data`` as JSON to standard output."""
    sys.stdout.write(json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False, default=str) + "\n")


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a frame as mappings; what is missing becomes ``None``."""
    rows: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=15))
    return rows


class _Drawn(Progress):
    """A progress bar that is drawn whenever it is told something new."""

    def update(self, task_id: TaskID, **told: Any) -> None:
        super().update(task_id, **{"refresh": True, **told})


def progress_bar(quiet: bool) -> Progress:
    """A progress bar on standard error, drawn anew at each update; none where nobody watches.

    No thread draws it: one process may then work beside another (:mod:`cleanhub.core.aside`).
    """
    return _Drawn(
        TextColumn("{task.description:<20}"),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        console=err,
        transient=True,
        auto_refresh=False,
        disable=quiet or not err.is_terminal,
    )


def print_frame(title: str, frame: pd.DataFrame, most: int) -> None:
    """Print the first ``most`` rows of a frame as a table."""
    if frame.empty:
        return
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in frame.columns:
        number = str(frame[name].dtype).startswith("float")
        table.add_column(name, justify="right" if number else "left", overflow="fold")
    for _, row in frame.head(most).iterrows():
        table.add_row(*(_cell(value) for value in row))
    out.print()
    out.print(table, highlight=False, markup=False)
    if len(frame) > most:
        out.print(f"({len(frame) - most} more rows; --json lists all)", style="dim", highlight=False)


def write_csv(frame: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, whole or not at all. Raises ``RunError`` where it cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RunError(f"{path.parent} cannot be written: {error.strerror or error}") from error
    write_file(path, str(frame.to_csv(index=False, lineterminator="\n")))


def _cell(value: object) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:,.6g}"
    return "" if value is None else escape(str(value))
