"""Energy of class 8 drayage trucks: road load at the wheels, battery and diesel, battery state along a tour.

A leg is driven at one mean speed. Its road load is rolling resistance, air drag, climbing and braking:

    rolling   m g c_r (1 - k (T - 25 C))
    drag      rho(T) / 2  C_d A  v^2 (1 + s max(0, 1 - v / v_c))    v mean, v_c cruising speed
    climbing  m g (rise - (1 - b) fall) / distance                  b share of a descent that is braked
    braking   m_r i exp(-v / v_s)                                   stop and go, by mean speed

A battery truck takes what the wheels need through its drivetrain, gets back a share of what is
braked, and feeds cabin, battery conditioning and other auxiliaries as long as it is under way. A
diesel truck burns by a Willans line: (power at the crankshaft + friction) / indicated efficiency.
Every figure is a row of ``freight_parameters``; constants of physics alone stand in code.

References
----------
.. [1] Gillespie, Fundamentals of Vehicle Dynamics, SAE, 1992 (road load).
.. [2] Guzzella and Sciarretta, Vehicle Propulsion Systems, Springer, 2013 (Willans line).
.. [3] EPA, Greenhouse Gas Emissions Model (GEM), 40 CFR 1037 (tractor drag areas and tyres).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cleanhub.core.errors import FaultList
from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.problem import LOADS, TruckDays
from cleanhub.hub.package import Hub

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

GRAVITY = 9.80665
AIR_PRESSURE, AIR_CONSTANT = 101_325.0, 287.05
JOULES_PER_KWH = 3.6e6
TYRE_REFERENCE = 298.15
SLOWEST, FASTEST = 1.0, 130.0


@dataclass(frozen=True)
class Truck:
    """A tractor with its four loads, in the order of :data:`~cleanhub.freight.problem.LOADS`.

    ``mass`` (4,) gross combination mass [t], ``drag_area`` (4,) [m2], ``rolling`` [-] at 25 C and its
    ``rolling_slope`` [1/K], ``rotating`` mass of turning parts as a share [-], ``cruise`` [km/h],
    ``speed_spread`` [-], ``braking`` at walking pace [kWh/(t km)] and its ``braking_scale`` [km/h],
    ``descent_braked`` [-], ``drivetrain`` efficiency [-], ``auxiliary`` [kW],
    ``cabin`` and ``conditioning`` [kW/K] away from ``comfort`` [K].
    """

    mass: FloatArray
    drag_area: FloatArray
    rolling: float
    rolling_slope: float
    rotating: float
    cruise: float
    speed_spread: float
    braking: float
    braking_scale: float
    descent_braked: float
    drivetrain: float
    auxiliary: float
    cabin: float
    conditioning: float
    comfort: float


def read_truck(figures: Figures, kind: str = "battery") -> Truck:
    """The ``battery`` or ``diesel`` tractor of the figures. Raises ``InputError`` for a missing row."""
    mass = figures.items("truck_mass", "t")
    tractor = figures.value("truck_mass", f"tractor_{kind}", "t")
    empty = mass["chassis"] + mass["container"]
    pulled = {"loaded": empty + mass["cargo"], "empty": empty, "chassis": mass["chassis"], "bobtail": 0.0}
    drag = {load: figures.value("drag_area", load, "m2") for load in LOADS}
    electric = kind == "battery"
    return Truck(
        mass=np.array([tractor + pulled[load] for load in LOADS]),
        drag_area=np.array([drag[load] for load in LOADS]),
        rolling=figures.value("rolling_resistance"),
        rolling_slope=figures.value("rolling_resistance_slope", "", "1/K"),
        rotating=figures.value("rotating_mass"),
        cruise=figures.value("cruise_speed", "", "km/h"),
        speed_spread=figures.value("speed_spread"),
        braking=figures.value("braking_intensity", "", "kWh/(t km)"),
        braking_scale=figures.value("braking_speed_scale", "", "km/h"),
        descent_braked=figures.value("descent_braked"),
        drivetrain=figures.value("drivetrain_efficiency", kind),
        auxiliary=figures.value("auxiliary_power", kind, "kW"),
        cabin=figures.value("cabin_power", kind, "kW/K"),
        conditioning=figures.value("conditioning_power", "", "kW/K") if electric else 0.0,
        comfort=figures.value("comfort_temperature", "", "K"),
    )


@dataclass(frozen=True)
class WheelEnergy:
    """Per km at the wheels, each of the legs' shape [kWh/km].

    ``driven`` is what the drivetrain must give, ``braked`` what the brakes and the motor must take.
    """

    driven: FloatArray
    braked: FloatArray


def road_load(
    truck: Truck,
    load: IntArray,
    speed: FloatArray,
    rise: FloatArray | float = 0.0,
    fall: FloatArray | float = 0.0,
    temperature: float = TYRE_REFERENCE,
) -> WheelEnergy:
    """Energy at the wheels of a combination at a mean speed [1]_.

    Parameters
    ----------
    truck
        The tractor.
    load
        Position in :data:`~cleanhub.freight.problem.LOADS`, shape (L,).
    speed
        Mean speed under way [km/h], shape (L,); taken between 1 and 130.
    rise, fall
        Metres climbed and descended per km [m/km], shape (L,) or one number.
    temperature
        Of the air [K].

    Returns
    -------
    WheelEnergy
        Shape (L,). On steep descents ``driven`` is 0, never negative.
    """
    v = np.clip(np.asarray(speed, dtype=np.float64), SLOWEST, FASTEST)
    mass = truck.mass[load] * 1000.0
    tyre = truck.rolling * (1.0 - truck.rolling_slope * (temperature - TYRE_REFERENCE))
    density = AIR_PRESSURE / (AIR_CONSTANT * temperature)
    uneven = 1.0 + truck.speed_spread * np.maximum(0.0, 1.0 - v / truck.cruise)
    drag = 0.5 * density * truck.drag_area[load] * (v / 3.6) ** 2 * uneven
    newtons = factor("kWh/(t km)", "N/kg")
    stopping = mass * (1.0 + truck.rotating) * truck.braking * newtons * np.exp(-v / truck.braking_scale)
    weight = mass * GRAVITY / 1000.0
    downhill = weight * truck.descent_braked * np.asarray(fall)
    climbing = weight * (np.asarray(rise) - (1.0 - truck.descent_braked) * np.asarray(fall))
    driven = np.maximum(mass * GRAVITY * tyre + drag + stopping + climbing, 0.0)
    to_kwh = 1000.0 / JOULES_PER_KWH
    return WheelEnergy(driven * to_kwh, (stopping + downhill) * to_kwh)


def auxiliary_power(truck: Truck, temperature: float) -> float:
    """Power of cabin, battery conditioning and the rest while under way [kW]."""
    away = abs(temperature - truck.comfort)
    return truck.auxiliary + (truck.cabin + truck.conditioning) * away


def battery_per_km(
    truck: Truck, wheels: WheelEnergy, speed: FloatArray, regeneration: float, temperature: float
) -> FloatArray:
    """Energy out of the battery, shape of ``wheels`` [kWh/km]; negative on long descents.

    ``regeneration`` is the share of the braking energy that the motor takes [-]; it goes back
    through the drivetrain.
    """
    v = np.clip(np.asarray(speed, dtype=np.float64), SLOWEST, FASTEST)
    back = wheels.braked * regeneration * truck.drivetrain
    return np.asarray(wheels.driven / truck.drivetrain - back + auxiliary_power(truck, temperature) / v)


def diesel_per_km(
    truck: Truck,
    wheels: WheelEnergy,
    speed: FloatArray,
    friction: float,
    indicated: float,
    temperature: float,
) -> FloatArray:
    """Heat of the fuel by a Willans line [2]_, shape of ``wheels`` [kWh/km].

    ``friction`` is the mean power lost in the engine [kW], ``indicated`` its indicated efficiency
    [-].
    """
    v = np.clip(np.asarray(speed, dtype=np.float64), SLOWEST, FASTEST)
    turned = wheels.driven / truck.drivetrain + auxiliary_power(truck, temperature) / v
    return np.asarray((turned + friction / v) / indicated, dtype=np.float64)


@dataclass(frozen=True)
class _Legs:
    """Legs as the road load sees them, each shape (L,)."""

    load: IntArray
    km: FloatArray
    speed: FloatArray
    rise: FloatArray
    fall: FloatArray


def leg_energy(
    truck_days: TruckDays,
    figures: Figures,
    *,
    rise_m: FloatArray | None = None,
    fall_m: FloatArray | None = None,
    temperature: float | None = None,
    at_plug: bool = True,
) -> FloatArray:
    """Energy of each leg and of the stop after it, shape (L,) [kWh].

    Parameters
    ----------
    truck_days
        Legs with distance, time, load and the hours spent at their end.
    figures
        Figures of trucks.
    rise_m, fall_m
        Metres climbed and descended on each leg, shape (L,); level roads if not given.
    temperature
        Of the air [K]; the row ``ambient_temperature`` if not given.
    at_plug
        Charging losses included; else what leaves the battery.

    Returns
    -------
    FloatArray
        Shape (L,). May be negative for a leg that mostly descends.

    Raises
    ------
    InputError
        For a missing row, or legs whose distance, time or load cannot be.
    """
    truck, legs = read_truck(figures, "battery"), _legs(truck_days, rise_m, fall_m)
    air = figures.value("ambient_temperature", "", "K") if temperature is None else temperature
    wheels = road_load(truck, legs.load, legs.speed, legs.rise, legs.fall, air)
    per_km = battery_per_km(truck, wheels, legs.speed, figures.value("regeneration"), air)
    standing = figures.value("standing_power", "battery", "kW") * stop_hours(truck_days)
    out = per_km * legs.km + standing
    return out / figures.value("charging_efficiency") if at_plug else out


def stop_hours(truck_days: TruckDays) -> FloatArray:
    """Hours that a truck stands switched on after each leg, (L,); the rest after the last leg is none."""
    out = truck_days.leg_dwell.astype(np.float64, copy=True)
    out[np.flatnonzero(np.diff(truck_days.leg_group, append=-1) != 0)] = 0.0
    return out


def group_energy(truck_days: TruckDays, figures: Figures, temperature: float | None = None) -> FloatArray:
    """Energy of a truck-day of each group at the plug, shape (G,) [kWh]."""
    return _by_group(truck_days, leg_energy(truck_days, figures, temperature=temperature))


def leg_diesel(
    truck_days: TruckDays,
    figures: Figures,
    *,
    rise_m: FloatArray | None = None,
    fall_m: FloatArray | None = None,
    temperature: float | None = None,
) -> FloatArray:
    """Diesel of each leg and of idling in the stop after it, shape (L,) [gal].

    Arguments as :func:`leg_energy`.
    """
    truck, legs = read_truck(figures, "diesel"), _legs(truck_days, rise_m, fall_m)
    air = figures.value("ambient_temperature", "", "K") if temperature is None else temperature
    wheels = road_load(truck, legs.load, legs.speed, legs.rise, legs.fall, air)
    friction, indicated = figures.value("engine_friction", "", "kW"), figures.value("engine_efficiency")
    heat = diesel_per_km(truck, wheels, legs.speed, friction, indicated, air) * legs.km
    idling = figures.value("idle_fuel", "", "gal/h") * figures.value("idle_share") * stop_hours(truck_days)
    return np.asarray(heat / figures.value("diesel_heat", "", "kWh/gal") + idling, dtype=np.float64)


def group_diesel(truck_days: TruckDays, figures: Figures) -> FloatArray:
    """Diesel of a truck-day of each group, shape (G,) [gal]."""
    return _by_group(truck_days, leg_diesel(truck_days, figures))


def group_co2e(truck_days: TruckDays, hub: Hub, figures: Figures) -> FloatArray:
    """Tonnes that a diesel truck-day of each group emits, shape (G,) [t CO2e].

    The emission factor is that of the carrier ``diesel`` of the library.
    """
    carriers = hub.library.tables["carriers"]
    row = carriers[carriers["carrier"] == "diesel"].iloc[0]
    per_gallon = float(row["emission_factor_t"]) / factor(str(row["unit"]), "gal")
    return group_diesel(truck_days, figures) * per_gallon


def leg_diesel_pm(truck_days: TruckDays, figures: Figures) -> FloatArray:
    """Diesel exhaust particles of each leg, shape (L,) [kg]: the fleet's mean rate per mile."""
    return truck_days.leg_km * figures.value("diesel_pm", "", "kg/km")


# ---------------------------------------------------------------- battery and range


def usable_battery(figures: Figures, years: IntArray) -> FloatArray:
    """What a truck bought in each year can use of its battery, shape (T,) [kWh at the battery].

    Size of the year (rows ``battery_size`` by year, straight lines between them) times the
    usable share, which keeps a reserve, times the capacity left as a mean over its life.
    """
    sizes = figures.items("battery_size", "kWh")
    at = np.array([float(year) for year in sizes])
    size = np.interp(np.asarray(years, dtype=np.float64), at, np.array(list(sizes.values())))
    return np.asarray(size * figures.value("usable_share") * figures.value("capacity_left"))


def battery_at_plug(figures: Figures, years: IntArray) -> FloatArray:
    """:func:`usable_battery` as energy at the plug that fills it, shape (T,) [kWh].

    Comparable with :func:`group_energy`, and what ``SitingProblem.battery_kwh`` holds.
    """
    return usable_battery(figures, years) / figures.value("charging_efficiency")


def range_km(figures: Figures, years: IntArray, kwh_per_km: float) -> FloatArray:
    """Distance on one charge in each year, shape (T,) [km], at ``kwh_per_km`` at the battery."""
    return usable_battery(figures, years) / kwh_per_km


def leg_places(truck_days: TruckDays) -> IntArray:
    """Place of each leg in its truck-day, shape (L,), the first 0. Legs are sorted by group."""
    count = np.bincount(truck_days.leg_group, minlength=len(truck_days.trucks))
    first = np.cumsum(count) - count
    return np.asarray(np.arange(len(truck_days.leg_group)) - first[truck_days.leg_group], dtype=np.int64)


def _by_group(truck_days: TruckDays, values: FloatArray) -> FloatArray:
    count = len(truck_days.trucks)
    return np.asarray(np.bincount(truck_days.leg_group, weights=values, minlength=count), dtype=np.float64)


def _legs(truck_days: TruckDays, rise_m: FloatArray | None, fall_m: FloatArray | None) -> _Legs:
    km, hours = truck_days.leg_km, truck_days.leg_hours
    faults = FaultList()
    wrong = {
        "distance is not a number of 0 km or more": ~np.isfinite(km) | (km < 0),
        "time under way is not above 0": ~np.isfinite(hours) | ((hours <= 0) & (km > 0)),
        "load is unknown": (truck_days.leg_load < 0) | (truck_days.leg_load >= len(LOADS)),
        "stop is shorter than 0 h": ~(truck_days.leg_dwell >= 0),
    }
    for what, where in wrong.items():
        for leg in np.flatnonzero(where)[:20]:
            group = int(truck_days.leg_group[leg])
            faults.add("truck-days", int(leg), "leg", what=what, found=f"leg {leg} of group {group}")
    faults.raise_if_any("truck-days")
    far = np.maximum(km, 1e-9)
    speed = np.where(km > 0, km / np.where(hours > 0, hours, 1.0), FASTEST)
    rise = np.zeros(len(km)) if rise_m is None else np.asarray(rise_m) / far
    fall = np.zeros(len(km)) if fall_m is None else np.asarray(fall_m) / far
    return _Legs(truck_days.leg_load, km, speed, rise, fall)
