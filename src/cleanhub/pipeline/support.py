"""Whom to support with what, within slots and money, so that the most tonnes come by a year.

What is offered and what each package adds: :mod:`cleanhub.pipeline.support_values`. The choice and its
bound: :mod:`cleanhub.pipeline.support_choice`. The chosen set is then simulated as a whole, on the draws it
was chosen on and on fresh ones: the programme adds up packages and pairs only, and a choice that looks best
on some draws looks a little worse on others (the winner's curse). What holds if support causes nothing, or
all that the sample shows, stands beside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cleanhub.core.errors import Fault, InputError
from cleanhub.pipeline.draws import draw, uniform
from cleanhub.pipeline.evaluate import evaluate
from cleanhub.pipeline.problem import FloatArray
from cleanhub.pipeline.simulate import Run
from cleanhub.pipeline.support_choice import Choice, choose
from cleanhub.pipeline.support_effects import Ground, Help, added, added_by_draw, ground_of, times_with
from cleanhub.pipeline.support_instruments import SHARED_INSTRUMENT, Instrument, Uplift
from cleanhub.pipeline.support_values import Offers, make_offers, problem_of

CHOSEN = (
    "id",
    "name",
    "kind",
    "instruments",
    "slot",
    "cost_usd",
    "cost_low_usd",
    "cost_high_usd",
    "paid_by",
    "alone_co2e_t",
    "last_co2e_t",
    "p_before",
    "p_after",
)
"""Columns of what is chosen."""


@dataclass(frozen=True)
class Limits:
    """Slots, the programme's and foundations' money and, where it is counted apart, public money [USD]."""

    slots: int
    budget: float
    public: float | None = None


@dataclass(frozen=True)
class Estimate:
    """Expected tonnes added [t CO2e] and the standard error that comes from the number of draws."""

    value: float
    error: float


@dataclass(frozen=True)
class SupportPlan:
    """A choice of support and what it brings.

    Attributes
    ----------
    by, limits, share, draws, seed
        What was asked for; ``share`` of the odds ratio is taken as caused.
    base
        Expected tonnes by the year without support [t CO2e].
    offers, choice
        What could be chosen, and what was; ``choice.value`` is the value stated.
    chosen
        A row for each package chosen, columns :data:`CHOSEN`: tonnes it adds alone and on top of all others,
        chance that the project decides (the link closes) by the year before and after.
    simulated, fresh
        The set as a whole on the draws it was chosen on, and on others.
    drawn
        The same if the share is drawn between its ends.
    uplifts
        For each share, by ``uplift``: ``chosen_co2e_t`` that this set adds, ``best_co2e_t`` that the best
        set for that share adds, ``packages`` in that set, ``in_common`` candidates of both, ``best``
        its candidates.
    notes
        What a reader must know.
    """

    by: int
    limits: Limits
    share: float
    draws: int
    seed: int
    base: float
    offers: Offers
    choice: Choice
    chosen: pd.DataFrame
    simulated: Estimate
    fresh: Estimate
    drawn: Estimate
    uplifts: pd.DataFrame
    notes: tuple[str, ...]

    @property
    def at_zero(self) -> float:
        """What the chosen set adds if support causes nothing: what money alone does [t CO2e]."""
        rows = self.uplifts.loc[self.uplifts["uplift"] == 0.0, "chosen_co2e_t"]
        return float(rows.iloc[0])


def plan_support(
    run: Run,
    instruments: Sequence[Instrument],
    uplift: Uplift,
    limits: Limits,
    share: float | None = None,
    by: int | None = None,
    weights: FloatArray | None = None,
) -> SupportPlan:
    """Choose what to support.

    Parameters
    ----------
    run
        The simulation without support.
    instruments, uplift
        See :mod:`cleanhub.pipeline.support_instruments`.
    share
        Share of the odds ratio taken as caused [1]; the middle of ``uplift`` by default.
    by
        Year to whose end tonnes count; the target year of the scenario by default.
    weights
        Weight of each project's tonnes, (P,); all 1 by default. Another aim than tonnes, as the benefit to
        those who live around, comes in here.

    Raises
    ------
    InputError
        For a year that is not in the plan.
    ValueError
        For slots or money below 0.
    """
    setting = run.world.setting
    by = setting.target_year if by is None else by
    if not setting.base <= by <= setting.last_year:
        allowed = f"{setting.base} to {setting.last_year}"
        raise InputError(
            "support", [Fault("support", None, "by", str(by), allowed, "the plan has no such year")]
        )
    share = uplift.points[1] if share is None else share
    ground = ground_of(run.world, run.times, uplift, share, by, weights)
    offers = make_offers(ground, instruments)
    choice = choose(problem_of(offers, limits.slots, limits.budget, limits.public))
    helps = [offers.packages[place].help for place in choice.picked]
    spread = ground.at(uplift.drawn(uniform(run.world.seed, "support uplift", run.world.draws)))
    return SupportPlan(
        by=by,
        limits=limits,
        share=share,
        draws=run.world.draws,
        seed=run.world.seed,
        base=float(ground.weights @ ground.times.tonnes.mean(axis=1)),
        offers=offers,
        choice=choice,
        chosen=_chosen(ground, offers, choice),
        simulated=_estimate(ground, helps),
        fresh=_estimate(_fresh(run, ground), helps),
        drawn=_estimate(spread, helps),
        uplifts=_uplifts(ground, instruments, limits, offers, choice),
        notes=offers.notes,
    )


def _estimate(ground: Ground, helps: Sequence[Help]) -> Estimate:
    more = added_by_draw(ground, helps)
    return Estimate(float(more.mean()), float(more.std() / np.sqrt(len(more))))


def _fresh(run: Run, ground: Ground) -> Ground:
    """The same pipeline in worlds that nothing was chosen on."""
    world = run.world
    other = draw(
        world.graph,
        world.projects,
        world.setting,
        world.draws,
        world.seed + 1,
        shift=run.calibration.shift,
        finance=world.finance,
    )
    by = ground.world.setting.target_year
    return ground_of(other, evaluate(other), ground.uplift, ground.share, by, ground.weights)


def _chosen(ground: Ground, offers: Offers, choice: Choice) -> pd.DataFrame:
    packages = [offers.packages[place] for place in choice.picked]
    helps = [one.help for one in packages]
    times = times_with(ground, helps)
    end = ground.world.setting.target_year + 1.0 - ground.world.setting.as_of
    whole = added(ground, helps)
    rows = []
    for place, package in enumerate(packages):
        candidate = offers.candidates[package.candidate]
        project = candidate.project >= 0
        at = candidate.project if project else candidate.node
        before, after = ((one.decided if project else one.time)[at] <= end for one in (ground.times, times))
        low, middle, high = package.cost
        rows.append(
            (
                candidate.id,
                candidate.name,
                "project" if project else "shared link",
                ";".join(package.instruments),
                package.slot,
                middle,
                low,
                high,
                ";".join(f"{payer} {paid:.0f}" for payer, paid in sorted(package.paid.items())),
                package.value,
                whole - added(ground, helps[:place] + helps[place + 1 :]),
                float(before.mean()),
                float(after.mean()),
            )
        )
    frame = pd.DataFrame(rows, columns=list(CHOSEN))
    return frame.sort_values(["last_co2e_t", "id"], ascending=[False, True], ignore_index=True)


def _uplifts(
    ground: Ground, instruments: Sequence[Instrument], limits: Limits, offers: Offers, choice: Choice
) -> pd.DataFrame:
    """The choice at other shares, and what would be chosen there."""
    helps = [offers.packages[place].help for place in choice.picked]
    ours = _supported(offers, choice)
    share = float(ground.share)
    rows = []
    for other in sorted({0.0, *ground.uplift.points, share}):
        there = ground.at(other)
        offered, best = offers, choice
        if other != share:
            offered = make_offers(there, instruments)
            best = choose(problem_of(offered, limits.slots, limits.budget, limits.public))
        theirs = _supported(offered, best)
        rows.append(
            {
                "uplift": other,
                "chosen_co2e_t": added(there, helps),
                "best_co2e_t": added(there, [offered.packages[place].help for place in best.picked]),
                "packages": len(best.picked),
                "in_common": len(ours & theirs),
                "best": ";".join(sorted(theirs)),
            }
        )
    return pd.DataFrame(rows)


def _supported(offers: Offers, choice: Choice) -> set[str]:
    return {offers.candidates[offers.packages[place].candidate].id for place in choice.picked}


def caveat(run: Run, instruments: Sequence[Instrument], uplift: Uplift, share: float) -> str:
    """What must stand beside every figure, in plain words."""
    lines = []
    for one in instruments:
        if not one.gates and one.name != SHARED_INSTRUMENT:
            supported = run.parameters.value("fid_supported")
            taken = float(np.exp(uplift.log_odds(one, share)))
            lines.append(
                f"{supported:.0%} of supported projects reached their decision against "
                f"{run.world.setting.ever:.0%} of proposed ones, but those supported were chosen, not drawn: "
                f"part of the difference may be that better projects were supported. Of an odds ratio of "
                f"{one.odds[2]:.2f}, {taken:.2f} is taken as caused here, on every gate that it helps."
            )
    lines.append("Odds, time saved and costs of instruments are assumed: replace them with your own.")
    return " ".join(lines)
