"""Events as rows: what a disk has changed inside one is told in words."""

from __future__ import annotations

import pytest

from cleanhub.core.errors import RunError
from cleanhub.register.events import Event


@pytest.mark.parametrize("column", ["before", "after"])
def test_an_event_with_damaged_content_is_no_traceback(column: str) -> None:
    row = dict.fromkeys(Event.__dataclass_fields__, "") | {"before": "{}", "after": '{"a":1}'}
    assert Event.of_row(row).after == {"a": 1}
    with pytest.raises(RunError, match=r"damaged .*use a backup"):
        Event.of_row({**row, column: '{"a":1 "b"}'})
