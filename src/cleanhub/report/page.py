"""Pages from templates: the report and the blueprint are filled in here, those of the web likewise."""

from __future__ import annotations

import marshal
from collections.abc import MutableMapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from cleanhub.core.memory import remembered
from cleanhub.report import charts
from cleanhub.report.blocks import Table, Text


def page(template: str, **values: Any) -> str:
    """The text of ``template`` with ``values`` put in, as HTML; a name without a value is an error."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return environment()


def environment(*rooms: str) -> Environment:
    """What fills in the templates of ``rooms`` (packages) and then of this one, whose blocks they may use."""
    loaders = [_Compiled(room, "templates") for room in (*rooms, "cleanhub.report")]
    found = Environment(
        loader=ChoiceLoader(loaders),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals.update(swatch=charts.swatch, table_rows=table_rows)
    return found


def table_rows(table: Table) -> Markup:
    """The rows of ``table``, one a line: most of a page is cells, and a template is slow at them."""
    marks = [f'<td class="{head.style}">' if head.style else "<td>" for head in table.head]
    return Markup("".join(f"<tr>{_cells(marks, row)}</tr>\n" for row in table.rows))


def _cells(marks: Sequence[str], row: Sequence[Text]) -> str:
    return "".join(f"{mark}{escape(cell)}</td>" for mark, cell in zip(marks, row, strict=True))


def own_file(name: str) -> Markup:
    """A file of this room, put in unescaped: it holds no data."""
    return Markup((files("cleanhub.report") / "templates" / name).read_text(encoding="utf-8"))


class _Compiled(PackageLoader):
    """Templates whose compiled code is remembered: compiling takes longer than filling them in."""

    def load(
        self,
        environment: Environment,
        name: str,
        globals: MutableMapping[str, Any] | None = None,  # noqa: A002 - what jinja2 calls it
    ) -> Template:
        source, path, _ = self.get_source(environment, name)
        code = remembered(
            "template", (name, source, path), lambda: marshal.dumps(environment.compile(source, name, path))
        )
        return environment.template_class.from_code(
            environment, marshal.loads(code), {} if globals is None else globals
        )
