"""Numbers as a reader wants them: significant digits, thousands separators, honest units.

Every function takes plain floats and gives text; a missing value (``None`` or NaN) is an
en dash. Formatting never depends on the locale, so the same plan gives the same bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

MISSING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
NARROW_SPACE = "\N{NO-BREAK SPACE}"
_MASS = re.compile(r"^(k|M|G)?t(?: (CO2e|CO2))?(/yr)?( .*)?$")
_MASS_FACTOR = {"": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}
_MONEY = re.compile(r"^(k|M|million |billion )?(USD(?: of \d{4})?)(/yr)?$")
_MONEY_FACTOR = {"": 1.0, "k": 1e3, "M": 1e6, "million ": 1e6, "billion ": 1e9}
_STEPS = ((1e9, "billion"), (1e6, "million"))
_PRETTY = (
    ("CO2", "CO\N{SUBSCRIPT TWO}"),
    ("H2", "H\N{SUBSCRIPT TWO}"),
    ("NH3", "NH\N{SUBSCRIPT THREE}"),
    ("ug/m3", "\N{MICRO SIGN}g/m\N{SUPERSCRIPT THREE}"),
    ("m3", "m\N{SUPERSCRIPT THREE}"),
    ("m2", "m\N{SUPERSCRIPT TWO}"),
)


def is_missing(value: float | None) -> bool:
    """Whether ``value`` is ``None``, NaN or infinite."""
    return value is None or not math.isfinite(value)


def number(value: float | None, digits: int = 3) -> str:
    """``value`` with ``digits`` significant digits and thousands separators.

    Values of 1,000 and more are rounded to whole numbers of ``digits`` significant digits;
    below 0.0001 the form is ``4.5 x 10^-6``.
    """
    if value is None or not math.isfinite(value):
        return MISSING
    if value == 0:
        return "0"
    size = abs(value)
    if size < 1e-4:
        mantissa, exponent = f"{size:.{digits - 1}e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')} \N{MULTIPLICATION SIGN} 10^{MINUS}{abs(int(exponent))}"
        return MINUS + text if value < 0 else text
    decimals = digits - 1 - math.floor(math.log10(size))
    size = round(size, decimals)
    decimals = max(0, digits - 1 - math.floor(math.log10(size)))
    text = f"{size:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return MINUS + text if value < 0 else text


def count(value: float | None) -> str:
    """A count: a whole number with thousands separators."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{round(value):,}".replace("-", MINUS)


def percent(share: float | None) -> str:
    """A share of 1 as percent, without decimals from 10 % up."""
    if share is None or not math.isfinite(share):
        return MISSING
    return f"{number(100 * share, 2 if abs(share) < 0.995 else 3)}{NARROW_SPACE}%"


def year(value: float | None) -> str:
    """A calendar year, without separators."""
    return MISSING if value is None or not math.isfinite(value) else str(int(value))


def tonnes(value_t: float | None, digits: int = 3) -> str:
    """Tonnes as Mt, kt or t with the unit."""
    if value_t is None or not math.isfinite(value_t):
        return MISSING
    for step, unit in ((1e6, "Mt"), (1e3, "kt")):
        if abs(value_t) >= step * 0.9995:
            return f"{number(value_t / step, digits)}{NARROW_SPACE}{unit}"
    return f"{number(value_t, digits)}{NARROW_SPACE}t"


def money(value_usd: float | None, digits: int = 3) -> str:
    """USD as ``$1.25 billion``, ``$340 million`` or ``$12,000``."""
    if value_usd is None or not math.isfinite(value_usd):
        return MISSING
    sign = MINUS if value_usd < 0 else ""
    size = abs(value_usd)
    for step, word in _STEPS:
        if size >= step * 0.9995:
            return f"{sign}${number(size / step, digits)}{NARROW_SPACE}{word}"
    return f"{sign}${number(size, digits)}"


def pretty_unit(unit: str) -> str:
    """A unit as set in print: subscripts, and words for the bare ``1``."""
    if unit == "1":
        return ""
    for plain, fine in _PRETTY:
        unit = unit.replace(plain, fine)
    return unit.replace("/yr", " per year") if unit.endswith("/yr") else unit


def tonne_factor(unit: str) -> float | None:
    """What turns a value in ``unit`` into tonnes; ``None`` when ``unit`` is no mass of CO2."""
    found = _MASS.match(unit.strip())
    return _MASS_FACTOR[found.group(1) or ""] if found and not found.group(4) else None


@dataclass(frozen=True)
class Scale:
    """How one quantity and its range are shown: divided by ``divisor``, then ``unit``.

    ``currency`` is set for money only: ``USD of 2024``, or ``USD`` when no price year is said.
    """

    divisor: float
    prefix: str
    unit: str
    whole: bool = False
    currency: str = ""

    def show(self, value: float | None) -> str:
        """The number alone, with its currency sign."""
        if value is None or not math.isfinite(value):
            return MISSING
        scaled = value / self.divisor
        text = count(abs(scaled)) if self.whole else number(abs(scaled))
        return f"{MINUS if value < 0 else ''}{self.prefix}{text}"

    @property
    def long_unit(self) -> str:
        """The unit with its currency in words: ``billion USD of 2024 per year``."""
        words = self.unit.removesuffix("per year").strip()
        yearly = "per year" if self.unit.endswith("per year") and self.currency else ""
        return " ".join(filter(None, [words, self.currency, yearly])) if self.currency else self.unit

    def full(self, value: float | None) -> str:
        """The number with its unit."""
        shown = self.show(value)
        return shown if shown == MISSING or not self.unit else f"{shown}{NARROW_SPACE}{self.unit}"


def scale_for(values: Iterable[float | None], unit: str) -> Scale:
    """The scale that suits the largest of ``values``, all of one ``unit``.

    Masses become t, kt or Mt; money becomes $, $ million or $ billion; a dimensionless
    set of shares (all within 1, not all whole) becomes percent.
    """
    found = [abs(v) for v in values if v is not None and math.isfinite(v)]
    top = max(found, default=0.0)
    mass = _MASS.match(unit.strip())
    if mass:
        own = _MASS_FACTOR[mass.group(1) or ""]
        tail = pretty_unit(mass.group(2) or "") + (" per year" if mass.group(3) else "")
        tail = f"{tail.strip()}{mass.group(4) or ''}".strip()
        for step, word in ((1e6, "Mt"), (1e3, "kt")):
            if top * own >= step * 0.9995:
                return Scale(step / own, "", f"{word} {tail}".strip())
        return Scale(1 / own, "", f"t {tail}".strip())
    money_unit = _MONEY.match(unit.strip())
    if money_unit:
        own = _MONEY_FACTOR[money_unit.group(1) or ""]
        yearly = "per year" if money_unit.group(3) else ""
        for step, word in _STEPS:
            if top * own >= step * 0.9995:
                shown = f"{word} {yearly}".strip()
                return Scale(step / own, "$", shown, currency=money_unit.group(2))
        return Scale(1 / own, "$", yearly, currency=money_unit.group(2))
    if unit in ("%", "percent"):
        return Scale(1, "", "%")
    if unit == "1" and found and top <= 1 and any(v != round(v) for v in found):
        return Scale(0.01, "", "%")
    whole = bool(found) and all(v == round(v) for v in found) and top < 1e6
    return Scale(1, "", pretty_unit(unit), whole)
