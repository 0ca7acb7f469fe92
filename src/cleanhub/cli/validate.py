"""Commands that lay our figures beside those of others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cleanhub.cli.output import JsonOption, print_frame, print_json

validate_app = typer.Typer(help="Check the model against results of others.", no_args_is_help=True)


@validate_app.command("finance")
def validate_finance(
    file: Annotated[Path, typer.Argument(help="JSON file of cases, with or without results")],
    as_json: JsonOption = False,
) -> None:
    """Run finance reference cases: ours, theirs and the difference."""
    import pandas as pd

    from cleanhub.finance.checks import check_finance
    from cleanhub.hub.library import load_library

    rows = check_finance(file, load_library())
    if as_json:
        print_json(rows)
        return
    print_frame(f"Finance cases of {file.name}", pd.DataFrame(rows), 200)
