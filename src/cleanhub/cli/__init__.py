"""The command line: one thin function per command, one module per group of commands.

Every command takes ``--json`` where a machine might read it. Exit codes: 0 done, 1 failed,
2 bad input.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys

import typer

from cleanhub.cli.assumptions import add_assumptions_command
from cleanhub.cli.commitments import commitments_app
from cleanhub.cli.figures import add_figures_command
from cleanhub.cli.finance import finance_app
from cleanhub.cli.freight import freight_app
from cleanhub.cli.hub import hub_app
from cleanhub.cli.output import err, out, print_json
from cleanhub.cli.pathways import add_pathways_command
from cleanhub.cli.pipeline import pipeline_app
from cleanhub.cli.plan import add_plan_commands
from cleanhub.cli.policy import policy_app
from cleanhub.cli.register import add_register_commands
from cleanhub.cli.serve import add_serve_command
from cleanhub.cli.validate import validate_app
from cleanhub.core.errors import CleanhubError, InputError

__all__ = ["app", "main", "out"]

app = typer.Typer(
    name="cleanhub",
    help="Plan a clean industrial hub: which plants, trucks, ships and chargers change, when, "
    "who pays, what still stands in the way, and who breathes better for it.",
    epilog="Every command answers to --help. Exit codes: 0 done, 1 failed, 2 bad input, which is one message "
    "that lists every fault. With --json results and faults come as JSON.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
add_plan_commands(app)
add_assumptions_command(app)
add_figures_command(app)
add_pathways_command(app)
add_serve_command(app)
add_register_commands(app)
app.add_typer(commitments_app, name="commitments")
app.add_typer(finance_app, name="finance")
app.add_typer(freight_app, name="freight")
app.add_typer(hub_app, name="hub")
app.add_typer(pipeline_app, name="pipeline")
app.add_typer(policy_app, name="policy")
app.add_typer(validate_app, name="validate")


def main() -> None:
    """Run the command line; faults and failures become one message and an exit code."""
    gc.set_threshold(100_000, 50, 50)  # tables make many objects and few cycles: look for those less often
    atexit.register(_leave)
    try:
        code = app(prog_name=app.info.name, standalone_mode=False)
        sys.exit(code if isinstance(code, int) else 0)
    except CleanhubError as error:
        _fail(error)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        err.print("stopped")
        sys.exit(1)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        err.print(
            f"failed: {error.strerror or error}{f': {error.filename}' if error.filename else ''}",
            markup=False,
        )
        sys.exit(1)
    except Exception as error:
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            asked = getattr(getattr(error, "ctx", None), "command_path", app.info.name)
            err.print(f"{error.format_message()}\nTry: {asked} --help", markup=False)
            sys.exit(2)
        raise


def _leave() -> None:
    """Look for no cycles at the end: that takes longer than leaving. duckdb complains where none are."""
    if "duckdb" not in sys.modules:
        gc.freeze()


def _fail(error: CleanhubError) -> None:
    if "--json" in sys.argv and isinstance(error, InputError):
        print_json({"error": error.what, "faults": [fault.as_dict() for fault in error.faults]})
    else:
        err.print(str(error), markup=False)
    sys.exit(error.exit_code)
