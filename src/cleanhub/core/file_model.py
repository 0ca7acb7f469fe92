"""The model of what a user writes in a file: unknown keys, NaN and numbers in quotes are refused.

The sentence under each field is its description in the JSON Schema. It is read from the source when a schema
is asked for: pydantic would read it whenever the module is imported, which takes longer than the rest.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class FileModel(BaseModel):
    """Base of every model of a file; its fields are read-only."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The schema, with the description of every field."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for kind in cls.__mro__:
            for name, text in _sentences(kind.__module__).get(kind.__qualname__, {}).items():
                if name in properties:
                    properties[name].setdefault("description", text)
        return schema


@cache
def _sentences(module: str) -> Mapping[str, Mapping[str, str]]:
    """The text under each field by class and field, for the classes of a module of this package."""
    if not module.startswith("cleanhub."):
        return {}
    body = ast.parse(inspect.getsource(sys.modules[module])).body
    return {one.name: _under_fields(one) for one in body if isinstance(one, ast.ClassDef)}


def _under_fields(owner: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, text in zip(owner.body, owner.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(text.value.value)
    return found
