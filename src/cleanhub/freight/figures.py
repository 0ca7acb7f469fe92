"""Figures of freight by name: the hub's own where it has them, else the library's."""

from __future__ import annotations

from cleanhub.hub.package import Hub
from cleanhub.hub.parameters import End, Parameters

__all__ = ["End", "Figures"]


class Figures(Parameters):
    """Rows of ``freight_parameters`` of a hub and of the library, converted to the unit asked for.

    ``end`` picks the central value or an end of the range; ``price_year`` is that of money.
    """

    def __init__(self, hub: Hub, end: End = "value", price_year: int = 2024) -> None:
        super().__init__(hub, "freight_parameters", end, price_year)
