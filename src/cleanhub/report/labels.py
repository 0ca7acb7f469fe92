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
