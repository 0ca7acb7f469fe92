"""Words for codes: sectors, stages, roles, tables. A code without an entry is spelt out."""

from __future__ import annotations

_SECTORS = {
    "oil_gas": "Oil and gas",
    "pulp_paper": "Pulp and paper",
    "other_industry": "Other industry",
    "power_imports": "Power imports",
    "light_vehicles": "Cars and light vehicles",
    "transport_other": "Other transport",
    "co2_storage": "CO\N{SUBSCRIPT TWO} storage",
    "cdr": "CO\N{SUBSCRIPT TWO} removal",
    "cross_sector": "Several sectors",
    "minerals": "Other minerals",
    "institution": "Public institutions",
    "fuels": "Renewable fuels",
}
_STAGES = {
    "pre_feed": "Pre-FEED",
    "feed": "FEED",
    "fid": "FID taken",
    "construction": "In construction",
}
_KINDS = {
    "port": "Ports",
    "terminal": "Marine terminals",
    "airport": "Airports",
    "rail_yard": "Rail yards",
    "substation": "Substations",
    "grid_zone": "Grid zones",
    "co2_storage": "CO\N{SUBSCRIPT TWO} stores",
    "hydrogen": "Hydrogen networks",
    "fuel_terminal": "Fuel terminals",
    "depot": "Charging depots",
}
_COSTS = {
    "capital": "Capital",
    "fixed_opex": "Fixed operating cost",
    "variable_opex": "Variable operating cost",
    "energy": "Energy and feedstock",
    "carbon": "Carbon price",
    "co2_transport_storage": "CO\N{SUBSCRIPT TWO} transport and storage",
    "credits": "Credits received",
}
_SITES = {"depot": "Private depot", "shared": "Shared depot", "public": "Public site"}
_PAYERS = {
    "site_owner": "Owners of the sites",
    "utility": "The utility and its customers",
    "public": "Grants and vouchers",
}
_CHARGING_ITEMS = {
    "sites": "Land, civil works and connection",
    "plugs": "Chargers and their installation",
    "grid": "Works at substations and feeders",
}
_ACTORS = {
    "lender": "Lenders and investors",
    "utility": "Utility",
    "port": "Port authority",
    "city": "City or county",
    "state_agency": "State agencies",
    "federal_agency": "Federal agencies",
    "legislature": "Legislature",
    "trucking_firm": "Trucking firms",
    "supplier": "Suppliers",
    "buyer": "Buyers",
    "store_operator": "Operator of CO\N{SUBSCRIPT TWO} transport or storage",
    "community": "Community organisations",
}
_BARRIERS = {
    "permitting": "Permitting: permits, connections and sites",
    "foak_capital": "First-of-a-kind risk that capital does not carry",
    "policy": "Policy that is fragmented, ends or is missing",
    "other": "None of the three",
}
_GATES = {
    "permit": "Permits",
    "co2_transport_storage": "CO\N{SUBSCRIPT TWO} transport and storage",
    "epc": "Construction contract",
    "community": "Community agreement",
    "technology": "Performance of the technology",
    "policy_deadline": "Date of a policy",
}
_LINKS = {
    "store": "CO\N{SUBSCRIPT TWO} store",
    "pipe": "CO\N{SUBSCRIPT TWO} pipe",
    "hydrogen": "Hydrogen supply",
    "substation": "Room at a substation",
    "charging": "Chargers",
    "port_power": "Power at the port",
    "corridor_fuel": "Fuel for a ship corridor",
    "policy": "Policy in force",
}
_UPPER = {
    "ccs": "CCS",
    "co2": "CO\N{SUBSCRIPT TWO}",
    "co2e": "CO\N{SUBSCRIPT TWO}e",
    "smr": "SMR",
    "atr": "ATR",
    "dac": "DAC",
    "eaf": "EAF",
    "dri": "DRI",
    "h2": "H\N{SUBSCRIPT TWO}",
    "bev": "battery electric",
    "fcev": "fuel cell",
    "lc3": "LC3",
    "fid": "FID",
    "ngcc": "NGCC",
    "saf": "SAF",
    "ze": "zero-emission",
    "epc": "EPC",
    "foak": "first-of-a-kind",
}


def words(code: str) -> str:
    """A code as words: ``cement_kiln_ccs`` becomes ``Cement kiln CCS``."""
    parts = [_UPPER.get(part.lower(), part) for part in code.replace("-", "_").split("_") if part]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def sector(code: str) -> str:
    """A sector in words."""
    return _SECTORS.get(code) or words(code)


def region(code: str) -> str:
    """A region in words: ``north-america`` becomes ``North America``, ``cis`` ``CIS``."""
    if len(code) <= 3:
        return code.upper()
    return " ".join(part[:1].upper() + part[1:] for part in code.replace("_", "-").split("-") if part)


def stage(code: str) -> str:
    """A project stage in words."""
    return _STAGES.get(code) or words(code)


def infrastructure(code: str) -> str:
    """A kind of infrastructure in words, plural."""
    return _KINDS.get(code) or words(code)


def charging_site(code: str) -> str:
    """A kind of charging site in words."""
    return _SITES.get(code) or words(code)


def payer(code: str) -> str:
    """Who pays for charging, in words."""
    return _PAYERS.get(code) or words(code)


def charging_item(code: str) -> str:
    """An item of the capital of charging in words."""
    return _CHARGING_ITEMS.get(code) or words(code)


def cost_item(code: str) -> str:
    """A cost item in words."""
    return _COSTS.get(code) or words(code)


def actor(code: str) -> str:
    """Who can close a link, in words."""
    return _ACTORS.get(code) or words(code)


def barrier(code: str) -> str:
    """A barrier in words."""
    return _BARRIERS.get(code) or words(code)


def gate(code: str) -> str:
    """A gate of a project in words."""
    return _GATES.get(code) or words(code)


def said(text: str) -> str:
    """A description as a sentence begins: a capital letter, and CO2 with its subscript."""
    fine = subscripts(text)
    return fine[:1].upper() + fine[1:]


def subscripts(text: str) -> str:
    """``text`` with CO2 set as in print."""
    return text.replace("CO2", "CO\N{SUBSCRIPT TWO}")


def link(code: str) -> str:
    """A kind of link in words."""
    return _LINKS.get(code) or words(code)
