"""A hub may bring technologies of its own; what is wrong with them is listed at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from cleanhub.core.errors import InputError
from cleanhub.hub.new import new_hub
from cleanhub.hub.package import check_hub, load_hub
from cleanhub.hub.scenario import load_scenario
from cleanhub.pathways.engine import run_pathway

TECHNOLOGY = (
    "technology,name,sector,product,product_unit,classification,built_on,default_for_sector,earliest_year,"
    "investment_cycle,trl,source_id,confidence,note\n"
    "plasma_kiln,Plasma kiln,cement,clinker,t,end_state,,no,2027,5,6,example,assumed,\n"
)
PARAMETERS = (
    "technology,parameter,carrier,low,value,high,unit,currency_year,source_id,confidence,note\n"
    "plasma_kiln,direct_emissions,,0,0.05,0.1,t/t,,example,assumed,\n"
    "plasma_kiln,capex,,1,2,3,USD/(t/yr),2024,example,assumed,\n"
    "plasma_kiln,input,electricity,0.01,0.02,0.03,MWh/t,,example,assumed,\n"
    "plasma_kiln,lifetime,,20,{life},40,yr,,example,assumed,\n"
)
SWITCH = (
    "from_technology,to_technology,kind,source_id,confidence,note\n"
    "cement_dry_kiln,{to},rebuild,example,assumed,\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    new_hub("mine", tmp_path)
    return tmp_path / "mine"


def write(folder: Path, life: str = "25", to: str = "plasma_kiln", parameters: str = PARAMETERS) -> None:
    (folder / "technologies.csv").write_text(TECHNOLOGY)
    (folder / "technology_parameters.csv").write_text(parameters.replace("{life}", life))
    (folder / "switches.csv").write_text(SWITCH.replace("{to}", to))


def test_a_technology_of_the_hub_is_taken_where_it_pays_and_the_library_stays_as_it_was(folder: Path) -> None:
    write(folder)
    hub = load_hub(folder)
    path = run_pathway(hub, load_scenario("baseline", hub))
    taken = {path.tech.names[k] for k in path.walked.run[:, -1] if k >= 0}
    assert taken == {"plasma_kiln"}
    assert "plasma_kiln" not in set(load_hub("california").library.tables["technologies"]["technology"])


def test_every_fault_of_the_added_rows_is_listed_at_once(folder: Path) -> None:
    write(folder, life="-5", to="fusion_kiln")
    (folder / "technologies.csv").write_text(
        TECHNOLOGY + "empty_kiln,Empty,cement,clinker,t,end_state,,no,2027,5,6,example,assumed,\n"
    )
    faults = [fault.line() for fault in check_hub(folder).faults]
    for piece in (
        "switches.csv, row 2, column to_technology",
        "fusion_kiln",
        "technology has no inputs, costs or emissions",
        "empty_kiln",
        "lifetime",
        "-5",
    ):
        assert any(piece in fault for fault in faults), (piece, faults)
    with pytest.raises(InputError):
        load_hub(folder)


def test_a_row_the_library_has_is_a_duplicate(folder: Path) -> None:
    (folder / "switches.csv").write_text(SWITCH.replace("{to}", "cement_clay").replace("rebuild", "retrofit"))
    (fault,) = check_hub(folder).faults
    assert "duplicate from_technology + to_technology" in fault.line()


def test_limits_that_nobody_can_meet_are_refused(folder: Path) -> None:
    head = (
        "limit,quantity,sector,product,technology,carrier,region,period,kind,hard,year,low,value,high,unit,"
    )
    rows = "{name},production,cement,clinker,,,,,{kind},yes,{year},,{value},,t/yr,example,assumed,\n"
    text = head + "source_id,confidence,note\n"
    for name, kind, value in (("most", "cap", 100), ("least", "floor", 200)):
        for year in (2022, 2050):
            text += rows.format(name=name, kind=kind, year=year, value=value)
    (folder / "limits.csv").write_text(text)
    write(folder, life="-5")
    with pytest.raises(InputError) as caught:
        load_hub(folder)
    found = str(caught.value)
    assert "limits least and most cannot both be met; found 2022: at least 200, at most 100 t/yr" in found
    assert "lifetime; found -5" in found, "all of it in one list"
