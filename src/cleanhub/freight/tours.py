"""Truck-days: trips packed into shifts, base -> terminal -> customer -> terminal ... -> base.

1. Trips become whole visits by systematic sampling, so that no pair of places is off by more than one.
2. Each visit gets a base: near the port, or within reach of its customer (``home_near_port_share``). After a
   part of visits the truck goes on to another cluster nearby, to fetch an empty box or a chassis
   (``extra_stop_share``).
3. The visits of a base, alike in distance (``load_mix``), fill shifts one after another until the next would
   break the length of the shift (``shift_length``), the driving or the duty limit.
4. A visit that no shift can hold is a sleeper trip: one truck-day out to the customer, where the truck
   parks, and one back.
5. ``second_shift_share`` of trucks run a day shift and a night shift from the same base.
6. Clock times follow: start of the shift, time under way by hour of departure, dwell at each stop.

Every draw comes from one seeded generator. Letters in shapes: V visits, S shifts, L legs, G truck-days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanhub.core.errors import Fault, InputError
from cleanhub.core.units import factor
from cleanhub.freight.figures import Figures
from cleanhub.freight.network import Between
from cleanhub.freight.problem import (
    LOADS,
    MOST_TRIPS,
    BoolArray,
    FloatArray,
    IntArray,
    Trips,
    TruckDays,
    Zones,
)
from cleanhub.freight.roads import day_profile
from cleanhub.freight.travel_time import DayProfile, mean_minutes, minutes_under_way
from cleanhub.freight.truck_day_groups import group_truck_days
from cleanhub.freight.visits import Visits, draw_visits

DAY = 24.0
SHORTEST_GAP = 0.5
"""Hours between two shifts of a truck at least."""


@dataclass(frozen=True)
class Shifts:
    """Shifts (S,): visits ``first`` to ``last`` (exclusive), expected ``hours``, ``sleeper`` trip or no."""

    first: IntArray
    last: IntArray
    hours: FloatArray
    sleeper: BoolArray


def build_truck_days(
    trips: Trips, zones: Zones, between: Between, figures: Figures, seed: int = 0, item: str = ""
) -> TruckDays:
    """Truck-days of a working day in at most ``truck_day_groups`` (its ``item``) groups of like ones.

    ``between`` holds distance [km] and free-flow time [min] between all zones, (Z, Z). Trucks and distance
    add up to those of :func:`truck_day_sample`.
    """
    sample = truck_day_sample(trips, zones, between, figures, seed)
    return group_truck_days(sample, zones, round(figures.value("truck_day_groups", item)))[0]


def truck_day_sample(
    trips: Trips, zones: Zones, between: Between, figures: Figures, seed: int = 0
) -> TruckDays:
    """Truck-days one by one: a row for each, all of one weight. Arguments as :func:`build_truck_days`.

    Raises :class:`~cleanhub.core.errors.InputError` for more trips than ``MOST_TRIPS``.
    """
    total = float(trips.per_day.sum())
    if total <= 0:
        return no_truck_days()
    if not total <= MOST_TRIPS:
        allowed = f"at most {MOST_TRIPS:,} in all"
        raise InputError(
            "trips", [Fault("trips", None, "trips_per_day", f"{total:,.4g}", allowed, "too many")]
        )
    draw = np.random.default_rng(seed)
    profile = day_profile(figures)
    hours = mean_minutes(between.minutes, profile) / 60
    visits = draw_visits(trips, zones, between.km, figures, draw)
    shifts = fill_shifts(visits, hours, figures, draw)
    return _Days(visits, shifts, between, figures, profile, draw).truck_days()


# ---------------------------------------------------------------- shifts


def fill_shifts(visits: Visits, hours: FloatArray, figures: Figures, draw: np.random.Generator) -> Shifts:
    """Next-fit packing of visits into shifts, base by base.

    ``hours`` (Z, Z) is the expected time under way. Shift lengths are drawn from a triangle
    (``shift_length``); a single visit may take up to the duty and driving limits and beyond them
    becomes a sleeper trip.
    """
    there, back = hours[visits.terminal, visits.customer], hours[visits.stop, visits.home]
    there = there + np.where(visits.stop != visits.customer, hours[visits.customer, visits.stop], 0.0)
    out = hours[visits.home, visits.terminal]
    count = len(there)
    same = np.append(visits.home[1:] == visits.home[:-1], False)
    onward = np.where(same, hours[visits.stop, np.roll(visits.terminal, -1)], 0.0)
    service = visits.terminal_dwell + there + visits.customer_dwell + visits.stop_dwell
    start = np.concatenate([[0.0], np.cumsum(service + onward)[:-1]])  # clock at the terminal of each
    driven = np.concatenate([[0.0], np.cumsum(there + onward)[:-1]])
    ends = {"shortest": 0.0, "usual": 0.0, "longest": 0.0}
    ends = {name: figures.value("shift_length", name, "h") for name in ends}
    length = draw.triangular(
        ends["shortest"], ends["usual"], max(ends["longest"], ends["usual"] + 1e-9), count
    )
    duty, driving = figures.value("duty_limit", unit="h"), figures.value("driving_limit", unit="h")
    length = np.minimum(length, duty)
    done = np.maximum.accumulate(start + service + back)
    home_by_drive = np.maximum.accumulate(driven + there + back)
    by_time = np.searchsorted(done, start - out + length, side="right")
    by_drive = np.searchsorted(home_by_drive, driven - out + driving, side="right")
    base_end = np.searchsorted(visits.home, visits.home, side="right")
    after = np.clip(np.minimum(by_time, by_drive), np.arange(1, count + 1), base_end)
    alone = out + service + back
    sleeper = (alone > duty) | (out + there + back > driving)
    # A sleeper trip stands alone: no shift runs into one, and it holds no other visit.
    coming = np.append(np.flatnonzero(sleeper), count)
    blocked = coming[np.searchsorted(coming, np.arange(count), side="left")]
    after = np.where(sleeper, np.arange(1, count + 1), np.minimum(after, np.maximum(blocked, 0)))
    first = _chain(after)
    last = after[first]
    spent = start[last - 1] + service[last - 1] + back[last - 1] - start[first] + out[first]
    return Shifts(first, last, spent, sleeper[first])


def _chain(after: IntArray) -> IntArray:
    """Starts of shifts when the one that starts at i ends before ``after[i]``."""
    jump, at, found = after.tolist(), 0, []
    while at < len(jump):
        found.append(at)
        at = jump[at]
    return np.array(found, dtype=np.int64)


# ---------------------------------------------------------------- truck-days


@dataclass(frozen=True)
class _Legs:
    """Legs of shifts, (L,): ``order`` counts 3 a visit, the way home is last; ``dwell`` [h] at their end."""

    shift: IntArray
    order: IntArray
    start: IntArray
    end: IntArray
    load: IntArray
    dwell: FloatArray

    def take(self, order: IntArray) -> _Legs:
        """The legs in another order."""
        return _Legs(*(values[order] for values in vars(self).values()))


class _Days:
    """Puts shifts on the clock and into truck-days."""

    def __init__(
        self,
        visits: Visits,
        shifts: Shifts,
        between: Between,
        figures: Figures,
        profile: DayProfile,
        draw: np.random.Generator,
    ) -> None:
        self.visits, self.shifts, self.between = visits, shifts, between
        self.figures, self.profile, self.draw = figures, profile, draw

    def truck_days(self) -> TruckDays:
        """All truck-days: of one shift, of two, and sleeper trips out and back."""
        leg = self._legs()
        shift_truck, second, shifts = self._trucks()
        asleep = self.shifts.sleeper[leg.shift]
        truck = shift_truck[leg.shift] + (asleep & (leg.order == 3))
        home = np.zeros(len(shifts), dtype=np.int64)
        home[truck] = self.visits.home[self.shifts.first][leg.shift]
        out = asleep & (leg.order == 1)
        home[truck[out]] = leg.end[out]  # outbound sleepers park at their customer
        order = np.lexsort((leg.order, second[leg.shift], truck))
        leg, truck = leg.take(order), truck[order]
        start, hours, dwell = self._clock(truck, second[leg.shift], leg, shifts)
        return TruckDays(
            trucks=np.full(len(shifts), self.visits.each),
            home=home,
            shifts=shifts,
            leg_group=truck,
            leg_from=leg.start,
            leg_to=leg.end,
            leg_load=leg.load,
            leg_km=self.between.km[leg.start, leg.end],
            leg_hours=hours,
            leg_start=np.mod(start, DAY),
            leg_dwell=dwell,
        )

    def _legs(self) -> _Legs:
        """Legs of all shifts: to the terminal, the customer, the extra stop if any, and at last home."""
        v, s = self.visits, self.shifts
        count = s.last - s.first
        shift_of = np.repeat(np.arange(len(count)), count)
        nth = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
        # Whoever sleeps at the customer goes straight home in the morning.
        stop = np.where(s.sleeper[shift_of], v.customer, v.stop)
        extra = np.flatnonzero(stop != v.customer)
        before = np.where(nth == 0, v.home, np.roll(stop, 1))
        last = s.last - 1
        load = self._loads(len(v.terminal))
        free = [
            self.draw.choice(np.arange(1, len(LOADS)), n, p=self._unloaded()) for n in (len(extra), len(last))
        ]
        return _Legs(
            shift=np.concatenate([shift_of, shift_of, shift_of[extra], np.arange(len(count))]),
            order=np.concatenate([3 * nth, 3 * nth + 1, 3 * nth[extra] + 2, 3 * count]),
            start=np.concatenate([before, v.terminal, v.customer[extra], stop[last]]),
            end=np.concatenate([v.terminal, v.customer, stop[extra], v.home[last]]),
            load=np.concatenate([*load, *free]),
            dwell=np.concatenate(
                [v.terminal_dwell, v.customer_dwell, v.stop_dwell[extra], np.zeros(len(count))]
            ),
        )

    def _unloaded(self) -> FloatArray:
        """Chances of an empty box, a bare chassis or none on a leg without load."""
        share = np.array([self.figures.value("leg_load_share", load) for load in LOADS[1:]])
        return share / share.sum() if share.sum() > 0 else np.array([0.0, 0.0, 1.0])

    def _loads(self, count: int) -> tuple[IntArray, IntArray]:
        """Loads of the legs to and from the terminal of each visit.

        Loaded trips are a share of all trips through the gate, two a visit; they leave the terminal
        first (imports), and only what exceeds one a visit comes in.
        """
        share = {load: self.figures.value("leg_load_share", load) for load in LOADS}
        gate = 2 * share["loaded"] / max(sum(share.values()), 1e-300)
        unloaded = self._unloaded()
        legs = []
        for chance in (max(gate - 1, 0.0), min(gate, 1.0)):
            other = self.draw.choice(np.arange(1, len(LOADS)), count, p=unloaded)
            legs.append(np.where(self.draw.random(count) < chance, 0, other))
        return legs[0], legs[1]

    def _trucks(self) -> tuple[IntArray, IntArray, IntArray]:
        """Truck-day of each shift (S,), 1 for second shifts else 0 (S,), shifts of each truck-day (G,).

        Sleeper trips take two truck-days, the second right behind the first.
        """
        s = self.shifts
        second = self._paired()
        leads = np.ones(len(s.first), dtype=bool)
        leads[second[second >= 0]] = False
        size = np.where(leads, np.where(s.sleeper, 2, 1), 0)
        begin = np.cumsum(size) - size
        truck = begin.copy()
        has = np.flatnonzero(second >= 0)
        truck[second[has]] = begin[has]
        shifts = np.ones(int(size.sum()), dtype=np.int64)
        shifts[begin[has]] = 2
        return truck, (~leads).astype(np.int64), shifts

    def _paired(self) -> IntArray:
        """The second shift of each shift (-1: none), from the same base, such that both fit in a day."""
        s = self.shifts
        share = self.figures.value("second_shift_share")
        second = np.full(len(s.first), -1, dtype=np.int64)
        day, night = (self.figures.value("shift_start", item, "h") for item in ("day", "night"))
        room = min(night - day, day + DAY - night) - 2 * self.figures.value("shift_start_spread", unit="h")
        able = np.flatnonzero(~s.sleeper & (s.hours <= room))
        sleepers = 2 * int(s.sleeper.sum())
        pairs = round(share * (len(s.first) - s.sleeper.sum() + sleepers) / (1 + share))
        if not len(able) or pairs <= 0:
            return second
        home = self.visits.home[s.first[able]]
        able = able[np.lexsort((self.draw.random(len(able)), home))]
        home = self.visits.home[s.first[able]]
        rank = np.arange(len(able)) - np.searchsorted(home, home)
        leads = np.flatnonzero((rank % 2 == 0) & np.append(home[1:] == home[:-1], False))
        leads = self.draw.permutation(leads)[:pairs]
        second[able[leads]] = able[leads + 1]
        return second

    def _clock(
        self, truck: IntArray, second: IntArray, leg: _Legs, shifts: IntArray
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Departure (counted on past midnight), hours under way and dwell of each leg, (L,).

        The truck rests at its base from the last leg to the same hour of the next day's start.
        """
        begin, later = self._shift_starts(shifts)
        free = self.between.minutes[leg.start, leg.end]
        start, hours = np.zeros(len(truck)), np.zeros(len(truck))
        place = np.arange(len(truck)) - np.searchsorted(truck, truck)
        resumes = (second == 1) & np.append(True, second[:-1] == 0)
        clock = begin.copy()
        for nth in range(int(place.max(initial=-1)) + 1):
            here = np.flatnonzero(place == nth)
            who = truck[here]
            anew = who[resumes[here]]
            clock[anew] = np.maximum(clock[anew] + SHORTEST_GAP, later[anew])
            start[here] = clock[who]
            hours[here] = minutes_under_way(free[here], start[here], self.profile.slowdown) / 60
            clock[who] += hours[here] + leg.dwell[here]
        end = start + hours
        final = np.append(truck[1:] != truck[:-1], True)
        before_second = np.append(resumes[1:], False)
        dwell = np.where(before_second, np.append(start[1:], 0.0) - end, leg.dwell)
        rest = begin[truck] + DAY - end
        return start, hours, np.where(final, np.maximum(rest, 0.0), dwell)

    def _shift_starts(self, shifts: IntArray) -> tuple[FloatArray, FloatArray]:
        """Start of the first and of the second shift of each truck-day, (G,) [h].

        Second shifts run at night; so many single shifts do that ``night_share`` of all shifts is met.
        """
        day, night = (self.figures.value("shift_start", item, "h") for item in ("day", "night"))
        spread = self.figures.value("shift_start_spread", unit="h")
        double = shifts == 2
        single = int((~double).sum())
        wanted = self.figures.value("night_share") * float(shifts.sum()) - float(double.sum())
        by_night = ~double & (self.draw.random(len(shifts)) < wanted / max(single, 1))
        jitter = self.draw.normal(0.0, spread, (2, len(shifts)))
        first = np.where(by_night, night, day) + jitter[0]
        return np.mod(first, DAY), np.maximum(night + jitter[1], first + SHORTEST_GAP)


def no_truck_days() -> TruckDays:
    """Truck-days of a hub without trips."""
    number, whole = np.zeros(0), np.zeros(0, dtype=np.int64)
    return TruckDays(number, whole, whole, whole, whole, whole, whole, number, number, number, number)


def truck_day_miles(days: TruckDays) -> tuple[FloatArray, FloatArray]:
    """Distance [mi] of each truck-day or group, and how many there are of it, ascending by distance."""
    miles = days.km / factor("mi", "km")
    order = np.argsort(miles, kind="stable")
    return miles[order], days.trucks[order]
