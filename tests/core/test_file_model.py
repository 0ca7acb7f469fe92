"""What files are read into: strict, and described by the sentences under its fields."""

import pytest
from pydantic import ValidationError

from cleanhub.core.file_model import FileModel
from cleanhub.finance.case_model import Debt
from cleanhub.finance.figures import Figure
from cleanhub.policy.user_file import UserValue


@pytest.mark.parametrize("model", [Debt, Figure, UserValue])
def test_every_field_is_described_by_the_sentence_under_it(model: type[FileModel]) -> None:
    schema = model.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        for name, one in part["properties"].items():
            assert one.get("description", "").strip(), name


def test_a_description_is_that_of_the_source() -> None:
    schema = UserValue.model_json_schema()
    assert schema["properties"]["low"]["description"] == "Low end of the range."


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"item": "rate", "value": 1.0, "unit": "USD", "colour": "red"}, "colour"),
        ({"item": "rate", "value": float("nan"), "unit": "USD"}, "value"),
        ({"item": "rate", "value": "1.0", "unit": "USD"}, "value"),
    ],
)
def test_unknown_keys_gaps_and_numbers_in_quotes_are_refused(given: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        UserValue(**given)  # type: ignore[arg-type]
    assert [fault["loc"] for fault in caught.value.errors()] == [(where,)]


def test_what_was_read_stays_as_it_is() -> None:
    value = UserValue(item="rate", value=1.0, unit="USD")
    with pytest.raises(ValidationError):
        value.value = 2.0
