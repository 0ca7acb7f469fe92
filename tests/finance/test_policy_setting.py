"""The bridge from a case to the policies: what they are told, and what they cannot count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cleanhub.core.errors import InputError
from cleanhub.finance.cases import case_of, load_archetype
from cleanhub.finance.policy_setting import applicant_of
from cleanhub.hub.library import Library
from cleanhub.policy.book import load_book


def test_quantities_are_told_in_the_unit_of_policies(library: Library) -> None:
    loaded = load_archetype("heat-pump", library)
    told = applicant_of(loaded, load_book(library))
    per_mwh = loaded.figures["production.by_products.emissions_avoided"].value
    made = told.quantities["emissions_avoided"]
    assert (made > 0).all()
    data = {**loaded.data, "production": {**loaded.data["production"], "by_products": {}}}
    by_product = {"value": per_mwh * 1000, "unit": "kg/MWh", "confidence": "derived", "source": "test"}
    data["production"]["by_products"] = {"emissions_avoided": by_product}
    again = applicant_of(case_of(data, library), load_book(library))
    assert again.quantities["emissions_avoided"] == pytest.approx(made, rel=1e-12)


def test_a_quantity_in_another_dimension_is_refused_by_its_path(library: Library) -> None:
    loaded = load_archetype("heat-pump", library)
    path = "production.by_products.emissions_avoided"
    bare = replace(loaded.figures[path], unit="1/MWh")
    with pytest.raises(
        InputError, match=rf"column {path}: policies count another; found 1/MWh; allowed a unit of t"
    ):
        applicant_of(replace(loaded, figures={**loaded.figures, path: bare}), load_book(library))
