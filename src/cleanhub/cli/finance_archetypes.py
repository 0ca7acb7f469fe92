"""The command on archetypes of cases: list them, print one, copy one to begin a case of your own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

from cleanhub.cli.output import JsonOption, out, print_json
from cleanhub.core.errors import FaultList, InputError
from cleanhub.core.whole_file import write_file

_NAME = re.compile(r"^name: .*$", re.MULTILINE)
_NOT_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def add_archetypes_command(app: typer.Typer) -> None:
    """Add the command of this module to ``app``."""
    app.command("archetypes")(archetypes_command)


def archetypes_command(
    name: Annotated[str | None, typer.Argument(help="the one to print or copy (default: list them)")] = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", "-o", help="copy it to this new file, as a case of your own")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the archetypes of cases, print one, or copy one to begin a case of your own."""
    if name is None:
        if out_file is not None:
            faults = FaultList()
            faults.add("--out", what="copies one archetype", found=out_file, allowed="archetypes NAME --out")
            raise InputError("finance archetypes", faults.faults)
        _list(as_json)
    elif out_file is None:
        _print(name, as_json)
    else:
        _copy(name, out_file, as_json)


def _list(as_json: bool) -> None:
    from cleanhub.core.yaml_file import parse_yaml
    from cleanhub.finance.cases import archetype_path, list_archetypes

    rows = []
    for one in list_archetypes():
        parsed = parse_yaml(archetype_path(one), FaultList())
        data: dict[str, Any] = parsed.data if parsed else {}
        rows.append(
            {
                "name": one,
                "title": data.get("title", ""),
                "sector": data.get("project", {}).get("sector", ""),
                "product": data.get("production", {}).get("product", ""),
            }
        )
    if as_json:
        print_json(rows)
        return
    for row in rows:
        line = f"{row['name']:<26}{row['sector']:<16}{row['product']:<18}{row['title']}"
        out.print(line, highlight=False, markup=False, soft_wrap=True)
    out.print("\nnext: cleanhub finance archetypes NAME --out my-project.yaml", highlight=False)


def _print(name: str, as_json: bool) -> None:
    text = _text(name)
    if as_json:
        print_json({"name": name, "yaml": text})
    else:
        out.print(text.rstrip("\n"), highlight=False, markup=False, soft_wrap=True)


def _copy(name: str, file: Path, as_json: bool) -> None:
    """Write the archetype as a case named after the file and based on it: what is left unchanged shows."""
    own = _NOT_A_NAME.sub("-", file.stem).strip("._-")[:80] or "my-project"
    text = _NAME.sub(f"name: {own}\nbased_on: {name}", _text(name), count=1)
    if file.exists():
        faults = FaultList()
        faults.add(str(file), what="is there already", allowed="a new file")
        raise InputError("finance archetypes", faults.faults)
    write_file(file, text)
    if as_json:
        print_json({"name": own, "based_on": name, "file": str(file)})
        return
    out.print(
        f"{file}: a case named {own}, every figure still that of {name}\n"
        f"next: edit it, then cleanhub finance {file}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


def _text(name: str) -> str:
    from cleanhub.finance.cases import archetype_path

    return archetype_path(name).read_text(encoding="utf-8")
