"""One view of a case as formulas, from quantities to cash flow before debt and tax.

The lines follow :mod:`cleanhub.finance.build` and the first part of
:mod:`cleanhub.finance.engine`; names in formulas are cells of the input sheets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cleanhub.finance.case_figures import PRODUCT
from cleanhub.finance.case_value import View
from cleanhub.report.finance.sheets import Grid, Line, summed
from cleanhub.report.finance.workbook_inputs import Inputs, PolicyInputs, Yearly


@dataclass(frozen=True)
class Operations:
    """Cells of a view that debt, tax and results hang on."""

    period: Line
    inflation: Line
    made: Line
    spending: Line
    renewals: Line | None
    revenue: Line
    cost: Line
    exempt: Line
    set_aside: Line
    change: Line
    counted: Line
    operating: Line
    credit: Line | None
    grants: Line
    soft_draws: Line
    soft_building: Line
    soft_service: Line
    salvage: str
    federal: Line
    state: Line
    federal_schedule: Line
    state_schedule: Line


class ViewSheet:
    """The sheet of one view while its first part is written."""

    def __init__(self, grid: Grid, inputs: Inputs, yearly: Yearly, view: View) -> None:
        self.grid, self.inputs, self.yearly, self.view = grid, inputs, yearly, view
        self.reading, self.case = view.reading, view.reading.case
        self.lender = view.reading.lender
        self.life = view.reading.life

    def v(self, path: str) -> str:
        """Cell of an input in this view."""
        return self.inputs.ref(path, self.lender)

    # ------------------------------------------------------------ time and capital

    def time(self) -> None:
        """Years and growth of money."""
        grid, yearly = self.grid, self.yearly
        self.period = grid.line("operating year", "", yearly.period.at, "all", style="year")
        grid.line("calendar year", "", yearly.calendar.at, "all", style="year")
        grid.freeze()
        day = self.v("project.in_service")
        start = f"(YEAR({day})+(MONTH({day})-1)/12-({self.v('price_year')}+0.5))"
        grid.heading("growth of money")
        self.elapsed = grid.line(
            "years since the middle of the price year",
            "years",
            lambda k: f"{start}+{self.period.at(k)}-0.5",
            "all",
            style="factor",
        )
        self.inflation = grid.line(
            "growth of money since the price year",
            "1",
            lambda k: f"(1+{self.v('inflation')})^{self.elapsed.at(k)}",
            "all",
            style="factor",
        )

    def grown(self, path: str, k: int) -> str:
        """Inflation and an escalation in year ``k``."""
        return f"{self.inflation.at(k)}*(1+{self.v(path)})^{self.elapsed.at(k)}"

    def capital(self) -> None:
        """Overnight capital, spending by year, renewals."""
        grid, v, capital = self.grid, self.v, self.case.capital
        grid.heading("capital")
        cost = v("capital.cost")
        if "/" in self.reading.loaded.figures["capital.cost"].unit:
            cost += f"*{v('production.capacity')}"
        if capital.scope == "bare_erected":
            fee, process, project = (
                v(f"capital.{name}")
                for name in ("engineering_fee", "process_contingency", "project_contingency")
            )
            cost = f"{cost}*(1+{fee}+{process})*(1+{project})"
        if capital.scope != "total_overnight":
            cost = f"{cost}*(1+{v('capital.owners_cost')})"
        estimate = grid.single("capital as estimated, overnight", "USD", cost)
        growth = self._cost_growth()
        learned = self._learned()
        self.real = grid.single(
            "capital as expected, overnight, money of the price year",
            "USD",
            f"{estimate}*{growth}*{learned}",
            known=float(np.ravel(self.reading.real_capital)[0]),
        )
        self.spending = grid.line(
            "capital as spent",
            "USD",
            lambda k: f"{self.real}*{self.yearly.spending.at(k)}*{self.grown('capital.escalation', k)}",
            "build",
            total=True,
            strong=True,
            known=self.reading.spending[:, 0],
        )
        self.renewals: Line | None = None
        if capital.replacements:
            lines = [self._renewal(name) for name in capital.replacements]
            self.renewals = grid.line(
                "renewals", "USD", lambda k: summed([one.at(k) for one in lines]), strong=True, total=True
            )

    def _cost_growth(self) -> str:
        grid, v = self.grid, self.v
        stated = v("capital.cost_growth") if self.inputs.has("capital.cost_growth") else "1"
        if self.case.capital.pioneer is None:
            return stated
        terms = {
            "unproven_share": "percent_new",
            "impurities": "impurities",
            "complexity": "complexity",
            "inclusiveness": "inclusiveness",
            "project_definition": "project_definition",
        }
        parts = [
            f"{v(f'capital.pioneer.{ours}')}*{v(f'rand.cost_growth.{term}')}" for ours, term in terms.items()
        ]
        over = f"{v('rand.cost_growth.constant')}+{'+'.join(parts)}"
        return grid.single(
            "actual over estimated capital, pioneer plant", "1", f"{stated}/({over})", "factor"
        )

    def _learned(self) -> str:
        blocks = list(self.case.capital.learning)
        if not blocks:
            return "1"
        rest, kept = [], []
        for name in blocks:
            place = f"capital.learning.{name}"
            share, rate = self.v(f"{place}.share"), self.v(f"{place}.rate")
            before, then = self.v(f"{place}.units_before"), self.v(f"{place}.units_by_then")
            rest.append(f"-{share}")
            kept.append(f"{share}*({then}/{before})^(LN(1-{rate})/LN(2))")
        return self.grid.single(
            "what learning leaves of the capital", "1", f"1{''.join(rest)}+{'+'.join(kept)}", "factor"
        )

    def _renewal(self, name: str) -> Line:
        place = f"capital.replacements.{name}"
        return self.grid.line(
            f"renewal: {name}",
            "USD",
            lambda k: (
                f"IF(AND(MOD({self.period.at(k)},{self.v(f'{place}.every')})=0,{self.period.at(k)}<{self.life}),"
                f"{self.v(f'{place}.share')}*{self.real}*{self.inflation.at(k)},0)"
            ),
        )

    # ------------------------------------------------------------ output, sales, policies, costs

    def output(self) -> None:
        """Product and what is counted besides."""
        grid, v = self.grid, self.v
        unit = self.case.production.unit
        grid.heading("output")
        self.made = grid.line(
            f"{self.case.production.product} made",
            unit,
            lambda k: (
                f"{v('production.capacity')}*{v('production.utilisation')}*{self.yearly.ramp.at(k)}"
                f"*(1-{v('production.degradation')})^({self.period.at(k)}-1)"
            ),
            style="number",
            strong=True,
            known=self.reading.made[:, 0],
        )
        self.quantities = {PRODUCT: self.made}
        for name in self.case.production.by_products:
            self.quantities[name] = grid.line(
                name,
                self.reading.loaded.unit_of(name),
                lambda k, name=name: f"{self.made.at(k)}*{v(f'production.by_products.{name}')}",  # type: ignore[misc]
                style="number",
            )
        for name in self.case.production.bought:
            self.quantities[name] = grid.line(
                f"{name} bought",
                "1",
                lambda k, name=name: v(f"production.bought.{name}") if k == 1 else "0",  # type: ignore[misc]
                style="number",
            )

    def sales(self) -> None:
        """Prices and sales by stream."""
        grid, known = self.grid, self.reading.sales_lines()
        grid.heading("sales")
        self.sold: dict[str, Line] = {}
        for name, stream in self.case.revenue.items():
            place = f"revenue.{name}"
            price = grid.line(
                f"price: {name}",
                "USD/unit",
                lambda k, place=place: (  # type: ignore[misc]
                    f"{self.v(f'{place}.price')}*IF({self.v(f'{place}.indexed')}=1,"
                    f"{self.grown(f'{place}.escalation', k)},"
                    f"(1+{self.v(f'{place}.escalation')})^({self.period.at(k)}-1))"
                ),
                style="number",
            )
            amount = self.quantities[stream.quantity]
            self.sold[name] = grid.line(
                f"sales: {name}",
                "USD",
                lambda k, place=place, price=price, amount=amount: (  # type: ignore[misc]
                    f"{amount.at(k)}*{price.at(k)}*IF(AND({self.period.at(k)}>={self.v(f'{place}.first_year')},"
                    f"{self.period.at(k)}<={self.v(f'{place}.last_year')}),{self.v(f'{place}.share')},0)"
                ),
                known=known[name][0][:, 0],
            )

    def policies(self) -> None:
        """Cash of policies: quantity x rate, delayed, at the price credits are sold for."""
        grid = self.grid
        if self.yearly.policies:
            grid.heading("policies")
        self.paid: dict[str, Line] = {}
        self.once: dict[str, str] = {}
        for given in self.yearly.policies:
            self._policy(given)

    def _policy(self, given: PolicyInputs) -> None:
        grid, policy = self.grid, given.answer.policy
        place = f"policies.{policy}"
        amount = self.quantities[given.quantity]

        def rate(k: int) -> str:
            if not self.lender or given.answer.bankable:
                return given.rate.at(k)
            market = self.v("lender.market_credits")
            return f'IF({market}="none",0,IF({market}="low",{given.low.at(k)},{given.rate.at(k)}))'

        earned = grid.line(
            f"{policy}: earned",
            "USD",
            lambda k: f"{amount.at(k)}*{self.v(f'{place}.quantity_factor')}*{rate(k)}",
        )
        once = "0"
        if self.inputs.has(f"{place}.once"):
            share = given.answer.quantity in ("", "capital")
            scale = f"*{self.spending.total}" if share else ""
            once = grid.single(
                f"{policy}: once",
                "USD",
                f"{self.v(f'{place}.once')}{scale}*{self.v(f'{place}.transfer_price')}",
            )
            self.once[policy] = once
        lag = self.v(f"{place}.lag_years")
        delayed = grid.line(f"{policy}: due in cash", "USD", lambda k: self._delayed(earned, lag, k))
        known = self.reading.policy_lines()[policy]
        cash = known.yearly[:, 0].copy()
        cash[0] += known.once[0]
        self.paid[policy] = grid.line(
            f"{policy}: cash",
            "USD",
            lambda k: f"{delayed.at(k)}*{self.v(f'{place}.transfer_price')}" + (f"+{once}" if k == 1 else ""),
            strong=True,
            known=cash,
        )

    def _delayed(self, earned: Line, lag: str, k: int) -> str:
        """Earnings moved by the lag: whole years by year, parts of a year by their share."""
        years = self.period.part("ops")
        if k == self.life:  # what is still owed comes with the last year
            before = Line(self.grid.book, self.grid.sheet, self.grid.row, "ops")
            came = f"-SUM({before.between(1, k - 1)})" if k > 1 else ""
            return f"SUM({earned.part()}){came}"
        apart = f"ABS({self.period.at(k)}-{years}-{lag})"
        return f"SUMPRODUCT(({apart}<1)*(1-{apart})*{earned.part()})"

    def income(self) -> None:
        """Taxed and untaxed income, and what lenders count of both."""
        grid = self.grid
        grid.heading("income")
        kinds: dict[str, list[str]] = {"taxable": [], "tax_credit": [], "exempt": []}
        for given in self.yearly.policies:
            kind = given.answer.tax_character
            kinds[kind if kind in kinds else "exempt"].append(given.answer.policy)
        sold = list(self.sold.values())
        taxed = [*sold, *(self.paid[name] for name in kinds["taxable"])]
        free = [self.paid[name] for name in kinds["exempt"]]
        self.revenue = grid.line(
            "income that is taxed",
            "USD",
            lambda k: summed([one.at(k) for one in taxed]),
            strong=True,
            total=True,
        )
        self.exempt = grid.line(
            "income that is not taxed", "USD", lambda k: summed([one.at(k) for one in free]), total=True
        )
        self.credit = None
        if kinds["tax_credit"]:
            used = [self.paid[name] for name in kinds["tax_credit"]]
            self.credit = grid.line(
                "credits used against tax", "USD", lambda k: summed([one.at(k) for one in used])
            )
        if not self.lender:
            self.bankable = self.revenue
            self.exempt_bankable = self.exempt
            return
        merchant = self.v("lender.merchant_share")

        def bound(name: str, k: int) -> str:
            contracted = self.v(f"revenue.{name}.contracted")
            return f"{self.sold[name].at(k)}*IF({contracted}=1,1,{merchant})"

        def counted(name: str, k: int) -> str:
            bankable, market = self.v(f"policies.{name}.bankable"), self.v("lender.market_credits")
            return f'{self.paid[name].at(k)}*IF(OR({bankable}=1,{market}<>"none"),1,0)'

        self.bankable = grid.line(
            "of it, what lenders count",
            "USD",
            lambda k: summed(
                [*(bound(name, k) for name in self.sold), *(counted(name, k) for name in kinds["taxable"])]
            ),
            total=True,
        )
        self.exempt_bankable = grid.line(
            "of income not taxed, what lenders count",
            "USD",
            lambda k: summed([counted(name, k) for name in kinds["exempt"]]),
            total=True,
        )

    def costs(self) -> None:
        """Running costs by line, working capital, money put by for renewals."""
        grid, v, case = self.grid, self.v, self.case
        grid.heading("costs")
        known = self.reading.cost_lines()
        lines: dict[str, Line] = {}
        for name in case.inputs:
            place = f"inputs.{name}"
            lines[name] = grid.line(
                f"input: {name}",
                "USD",
                lambda k, place=place: (  # type: ignore[misc]
                    f"{self.made.at(k)}*{v(f'{place}.use')}*{v(f'{place}.price')}"
                    f"*{self.grown(f'{place}.escalation', k)}"
                ),
                known=known[name][:, 0],
            )
        for name in case.costs:
            own = f"{name} (cost)" if name in lines else name
            lines[own] = grid.line(
                f"cost: {name}",
                "USD",
                lambda k, name=name: self._cost(name, k),  # type: ignore[misc]
                known=known[own][:, 0],
            )
        self.cost = grid.line(
            "running costs",
            "USD",
            lambda k: summed([one.at(k) for one in lines.values()]),
            strong=True,
            total=True,
        )
        years = f"MAX({v('reserves.maintenance_years')},1)"

        def put_by(k: int) -> str:
            if self.renewals is None:
                return "0"
            later = self.period.part("ops")
            spread = f"(({later}+{years}-ABS({later}-{years}))/2)"  # years put by: no more than there were
            within = f"({later}>={self.period.at(k)})*({later}<{self.period.at(k)}+{years})"
            return f"SUMPRODUCT({within}*{self.renewals.part()}/{spread})"

        self.set_aside = grid.line("set aside for renewals", "USD", put_by)
        days = {name: v(f"working_capital.{name}_days") for name in ("receivable", "payable", "inventory")}

        def balance(k: int) -> str:
            if k == self.life:
                return "0"
            own = f"{self.cost.at(k)}*({days['inventory']}-{days['payable']})"
            return f"({self.revenue.at(k)}*{days['receivable']}+{own})/365"

        working = grid.line("working capital at year's end", "USD", balance)
        self.change = grid.line(
            "change of working capital", "USD", lambda k: f"{working.at(k)}-{working.at(k - 1)}"
        )

    def _cost(self, name: str, k: int) -> str:
        place, parts = f"costs.{name}", []
        if self.inputs.has(f"{place}.fixed"):
            parts.append(self.v(f"{place}.fixed"))
        if self.inputs.has(f"{place}.share_of_capital"):
            parts.append(f"{self.v(f'{place}.share_of_capital')}*{self.real}")
        if self.inputs.has(f"{place}.variable"):
            parts.append(f"{self.made.at(k)}*{self.v(f'{place}.variable')}")
        return f"({summed(parts)})*{self.grown(f'{place}.escalation', k)}"

    # ------------------------------------------------------------ support and tax books before debt

    def _amount(self, place: str) -> str:
        if self.inputs.has(f"{place}.amount"):
            return self.v(f"{place}.amount")
        return f"{self.v(f'{place}.share')}*{self.spending.total}"

    def support(self) -> None:
        """Grants, and loans behind the senior debt."""
        grid, given = self.grid, self.case.support
        grid.heading("grants and loans behind the senior debt")
        grants = {
            name: grid.single(f"grant: {name}", "USD", self._amount(f"support.grants.{name}"))
            for name in given.grants
        }
        self.taxed_grants = summed([grants[name] for name, one in given.grants.items() if one.taxable])
        self.basis_grants = [grants[name] for name, one in given.grants.items() if not one.taxable]
        self.grants = grid.line(
            "grants paid",
            "USD",
            lambda k: f"({summed(list(grants.values()))})*{self.yearly.spending.at(k)}",
            "build",
            total=True,
        )
        draws: list[Line] = []
        building: list[Line] = []
        service: list[Line] = []
        interest: list[Line] = []
        for name in given.loans:
            one = self._soft(name)
            for group, line in zip((draws, building, service, interest), one, strict=True):
                group.append(line)

        def total(label: str, lines: list[Line], span: str) -> Line:
            return grid.line(
                label,
                "USD",
                lambda k: summed([one.at(k) for one in lines]),
                "build" if span == "build" else "ops",
                total=True,
            )

        self.soft_draws = total("loans behind it: drawn", draws, "build")
        self.soft_building = total("loans behind it: interest added", building, "build")
        self.soft_service = total("loans behind it: service", service, "ops")
        self.soft_interest = total("loans behind it: interest", interest, "ops")

    def _soft(self, name: str) -> tuple[Line, Line, Line, Line]:
        grid, place = self.grid, f"support.loans.{name}"
        rate, grace = self.v(f"{place}.rate"), self.v(f"{place}.grace")
        tenor = f"MIN({self.v(f'{place}.tenor')},{self.life})"
        amount = grid.single(f"{name}: balance when service begins", "USD", self._amount(place))
        periods = self.period.part("build")
        worth = grid.single(
            f"{name}: a dollar drawn with the spending, when service begins",
            "1",
            f"SUMPRODUCT({self.spending.part()}*(1+{rate})^(-{periods}))/{self.spending.total}",
            "factor",
        )
        drawn = grid.line(
            f"{name}: drawn",
            "USD",
            lambda k: f"{self.spending.at(k)}/{self.spending.total}*{amount}/{worth}",
            "build",
        )
        row = grid.row
        owed = Line(grid.book, grid.sheet, row + 1, "build")
        building = grid.line(f"{name}: interest added", "USD", lambda k: f"{owed.at(k - 1)}*{rate}", "build")
        grid.line(
            f"{name}: balance in construction",
            "USD",
            lambda k: f"{owed.at(k - 1)}+{building.at(k)}+{drawn.at(k)}",
            "build",
        )
        left = f"MAX({tenor}-{grace},1)"
        payment = grid.single(
            f"{name}: level service after grace",
            "USD",
            f"{amount}/IF({rate}=0,{left},(1-(1+{rate})^-{left})/IF({rate}=0,1,{rate}))",
        )
        balance = Line(grid.book, grid.sheet, grid.row + 2, "ops")

        def opening(k: int) -> str:
            return amount if k == 1 else balance.at(k - 1)

        interest = grid.line(
            f"{name}: interest",
            "USD",
            lambda k: f"IF({self.period.at(k)}<={tenor},{opening(k)}*{rate},0)",
        )
        service = grid.line(
            f"{name}: service",
            "USD",
            lambda k: (
                f"IF({self.period.at(k)}>{tenor},0,IF({self.period.at(k)}={tenor},{opening(k)}+{interest.at(k)},"
                f"IF({self.period.at(k)}<={grace},{interest.at(k)},{payment})))"
            ),
        )
        grid.line(f"{name}: balance", "USD", lambda k: f"{opening(k)}+{interest.at(k)}-{service.at(k)}")
        return drawn, building, service, interest

    def books(self) -> Operations:
        """Cash flow that lenders count, and both tax books before the senior debt."""
        grid, v = self.grid, self.v
        grid.heading("cash flow before tax, and both tax books before the senior debt")
        counted = grid.line(
            "cash flow before tax that carries the debt",
            "USD",
            lambda k: (
                f"{self.bankable.at(k)}+{self.exempt_bankable.at(k)}-{self.cost.at(k)}-{self.set_aside.at(k)}"
                f"-{self.change.at(k)}"
            ),
            strong=True,
        )
        operating = grid.line(
            "taxed income less running costs", "USD", lambda k: f"{self.revenue.at(k)}-{self.cost.at(k)}"
        )
        salvage = grid.single("salvage", "USD", f"{v('capital.salvage')}*{self.spending.total}")
        bonus = v("tax.bonus")

        def schedule(table: Line, share: str, label: str) -> Line:
            at_once = f"{share}*" if share else ""
            kept = f"(1-{share})*" if share else ""

            def written(k: int) -> str:
                if k < self.life or self.life == 1:
                    first = f"{at_once}1+" if share and k == 1 else ""
                    if self.life == 1:
                        return f"{first}{kept}{table.total}"
                    return f"{first}{kept}{table.at(k)}"
                before = Line(grid.book, grid.sheet, grid.row, "ops").between(1, k - 1)
                return f"{share + '+' if share else ''}{kept}{table.total}-SUM({before})"

            return grid.line(label, "share", written, style="factor")

        federal = schedule(self.yearly.federal, bonus, "written off, federal book")
        state = schedule(self.yearly.state, "", "written off, state book")
        renewed: Line | None = None
        if self.renewals is not None:
            renewals = self.renewals
            renewed = grid.line(
                "depreciation of renewals",
                "USD",
                lambda k: f"SUMPRODUCT({self.yearly.renewals[k - 1].part()},{renewals.part()})",
            )

        def income(k: int) -> str:
            text = f"{operating.at(k)}-{self.soft_interest.at(k)}"
            text += f"-{renewed.at(k)}" if renewed else ""
            text += f"+{self.taxed_grants}" if k == 1 else ""
            return text + (f"+{salvage}" if k == self.life else "")

        before = grid.line("income before depreciation of the plant", "USD", income)
        cut, state_cut = self._basis_cuts()
        basis = f"({self.spending.total}+{self.soft_building.total})"
        fed = grid.line(
            "federal income before the senior debt",
            "USD",
            lambda k: f"{before.at(k)}-{federal.at(k)}*({basis}-({cut}))",
        )
        own = grid.line(
            "state income before the senior debt",
            "USD",
            lambda k: f"{before.at(k)}-{state.at(k)}*({basis}-({state_cut}))",
        )
        return Operations(
            self.period, self.inflation, self.made, self.spending, self.renewals, self.revenue, self.cost,
            self.exempt, self.set_aside, self.change, counted, operating, self.credit, self.grants,
            self.soft_draws, self.soft_building, self.soft_service, salvage, fed, own, federal, state,
        )  # fmt: skip

    def _basis_cuts(self) -> tuple[str, str]:
        """What grants and credits take from the depreciable basis, federal and state."""
        cut, state_cut = list(self.basis_grants), list(self.basis_grants)
        for given in self.yearly.policies:
            policy = given.answer.policy
            once = self.once.get(policy)
            if given.answer.instrument == "investment_credit":
                if once is not None:
                    cut.append(f"0.5*{once}/{self.v(f'policies.{policy}.transfer_price')}")
            elif given.answer.tax_character == "tax_free":
                cut.append(f"SUM({self.paid[policy].part()})")
                state_cut.append(cut[-1])
        return summed(cut), summed(state_cut)


def write_operations(grid: Grid, inputs: Inputs, yearly: Yearly, view: View) -> Operations:
    """Write the first part of a view's sheet."""
    sheet = ViewSheet(grid, inputs, yearly, view)
    for step in (
        sheet.time, sheet.capital, sheet.output, sheet.sales, sheet.policies, sheet.income, sheet.costs,
        sheet.support,
    ):  # fmt: skip
        step()
    return sheet.books()
