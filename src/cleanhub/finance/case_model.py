"""What a project case may state: the layout of the YAML that a developer copies and edits.

Every field says what it is, in which unit; a number may be bare or a mapping with range,
unit, price year, source and confidence (:mod:`cleanhub.finance.figures`). Money is in the
case's price year unless a figure says otherwise and grows with inflation; ``escalation`` is
on top of inflation. Named groups (revenue, inputs, costs, support) are mappings, so that a
case can change or drop (``null``) one entry of the archetype it is based on.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cleanhub.core.file_model import FileModel
from cleanhub.finance.figures import Figure, Stated, measured

Share: Any = measured("1", 0.0, 1.0)
Rate: Any = measured("1/yr", 0.0, 1.0, "high")
Growth: Any = measured("1/yr", -0.5, 0.5)
NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=NAME)]
Shares = tuple[Annotated[float, Field(ge=0, le=1)], ...]


class Project(FileModel):
    """The project as the law and its neighbours see it."""

    sector: str
    """Sector (codelist)."""
    technology: str = ""
    """Technology of the library, where one fits."""
    jurisdictions: tuple[str, ...] = ()
    """Where its laws come from (codelist jurisdiction)."""
    stage: str = "concept"
    """Stage (codelist)."""
    construction_begins: dt.date | None = None
    """Day that construction begins in the sense of the tax code; none: the spending years before service."""
    in_service: dt.date
    """Day that it is placed in service."""
    facts: dict[str, float | bool | str | dt.date] = {}
    """What policies ask (codelist policy_fact)."""


class Production(FileModel):
    """What it makes."""

    product: str
    """Product (codelist)."""
    unit: str
    """Unit the product is counted in."""
    capacity: measured("{unit}/yr", 0.0, bad="low")  # type: ignore[valid-type]
    """Yearly capacity."""
    utilisation: measured("1", 0.0, 1.0, "low") = Figure(value=0.9)  # type: ignore[valid-type]
    """Share of capacity made in a year, once it runs as designed."""
    ramp_up: Shares = ()
    """Share of that in the first years."""
    life: int = Field(20, ge=1, le=60)
    """Years of operation."""
    degradation: measured("1/yr", 0.0, 0.2, "high") = Figure(value=0.0)  # type: ignore[valid-type]
    """Loss of output each year."""
    by_products: dict[str, Stated] = {}
    """Per unit of product: what policies or buyers count besides the product (codelist policy_quantity)."""
    capacity_from: dict[str, Stated] = {}
    """Yearly capacity per unit of another published measure (codelist product), as ``MWh/yr/MWh``."""
    bought: dict[str, Stated] = {}
    """Counted once, when service begins (codelist policy_quantity): vehicles of a fleet."""
    policy_product: str = ""
    """Code of codelist policy_quantity that the product itself is, where policies pay for it."""


class Pioneer(FileModel):
    """Inputs of the pioneer-plant method (Rand R-2569): how much of the plant is new."""

    unproven_share: float = Field(ge=0, le=100)
    """Per cent of the capital in steps not used commercially before."""
    impurities: float = Field(0.0, ge=0, le=5)
    """Trouble with impurities, 0 to 5."""
    complexity: float = Field(ge=1, le=30)
    """Number of process blocks in a row."""
    inclusiveness: float = Field(50.0, ge=0, le=100)
    """Per cent of land, start-up and working capital already in the estimate."""
    project_definition: float = Field(ge=2, le=8)
    """2 (best defined) to 8 (screening)."""
    new_steps: float = Field(0.0, ge=0, le=10)
    """Steps not used commercially before."""
    balances: float = Field(50.0, ge=0, le=100)
    """Per cent of heat and mass balances from commercial plants."""
    waste: float = Field(0.0, ge=0, le=5)
    """Trouble with waste, 0 to 5."""
    solids: bool = False
    """Whether it handles solids."""


class LearningBlock(FileModel):
    """A block of capital that becomes cheaper as more are built."""

    share: float = Field(gt=0, le=1)
    """Share of the capital."""
    rate: float = Field(ge=0, lt=1)
    """Cost cut at each doubling."""
    units_before: float = Field(gt=0)
    """Units built when the estimate was made."""
    units_by_then: float = Field(gt=0)
    """Units built when this one is."""


class Replacement(FileModel):
    """Equipment that is renewed."""

    share: measured("1", 0.0, 1.0, "high")  # type: ignore[valid-type]
    """Cost, as a share of the capital."""
    every: int = Field(ge=1, le=40)
    """Years between renewals."""


class Capital(FileModel):
    """What it costs to build."""

    cost: measured("USD", 0.0, bad="high")  # type: ignore[valid-type]
    """Cost as estimated; what it holds says ``scope``. May be stated per unit of yearly capacity."""
    scope: Literal["bare_erected", "total_plant", "total_overnight"] = "total_overnight"
    """Bare erected, total plant (with contingencies) or total overnight cost (with owner's cost)."""
    engineering_fee: Share = Figure(value=0.0)
    """Engineering and construction fee, on bare erected cost."""
    process_contingency: Share = Figure(value=0.0)
    """On bare erected cost."""
    project_contingency: Share = Figure(value=0.0)
    """On bare erected cost, fee and process contingency."""
    owners_cost: Share = Figure(value=0.0)
    """On total plant cost."""
    estimate_class: int | None = Field(None, ge=1, le=5)
    """Class of the estimate (AACE 18R-97); gives the range where the cost states none."""
    cost_growth: measured("1", 0.2, 10.0, "high") | None = None  # type: ignore[valid-type]
    """Actual over estimated cost that is expected; none: from ``pioneer``, or 1."""
    pioneer: Pioneer | None = None
    """How new the plant is; gives cost growth and early output where those are not stated."""
    learning: dict[str, LearningBlock] = {}
    """Blocks that become cheaper, for later plants of the kind; what they leave of 1 does not."""
    spending: Shares = (0.2, 0.4, 0.4)
    """Share spent in each year of construction."""
    escalation: Growth = Figure(value=0.0)
    """Yearly growth of the cost above inflation until it is spent."""
    replacements: dict[str, Replacement] = {}
    """Equipment that is renewed."""
    scale_exponent: float | None = Field(None, ge=0.3, le=1.2)
    """Power of capacity that the cost follows, for a plant of another size; none: the library's."""
    salvage: Share = Figure(value=0.0)
    """Left at the end of life, as a share of the capital in money of its day."""

    @model_validator(mode="after")
    def _whole(self) -> Capital:
        if abs(sum(self.spending) - 1.0) > 1e-9:
            raise ValueError(f"spending adds up to 1; found {sum(self.spending):g}")
        if sum(block.share for block in self.learning.values()) > 1.0 + 1e-9:
            raise ValueError("shares of learning add up to 1 at most")
        if self.cost_growth is not None and self.pioneer is not None:
            raise ValueError("cost_growth or pioneer, not both: they are the same cause")
        return self


class Input(FileModel):
    """Something the plant uses."""

    use: Stated
    """Use per unit of product; its unit says of what (``kg/kg``, ``MWh/t``)."""
    price: Stated
    """Price; its unit says per what (``USD/t``)."""
    escalation: Growth = Figure(value=0.0)
    """Yearly growth above inflation."""
    carrier: str = ""
    """Carrier of the library, where it is one."""


class Cost(FileModel):
    """A running cost; the parts that are stated add up."""

    fixed: measured("USD/yr", bad="high") | None = None  # type: ignore[valid-type]
    """Every year."""
    variable: measured("USD/{unit}", bad="high") | None = None  # type: ignore[valid-type]
    """Per unit of product."""
    share_of_capital: measured("1/yr", 0.0, 1.0, "high") | None = None  # type: ignore[valid-type]
    """Every year, of the capital at today's money."""
    escalation: Growth = Figure(value=0.0)
    """Yearly growth above inflation."""

    @model_validator(mode="after")
    def _some(self) -> Cost:
        if self.fixed is None and self.variable is None and self.share_of_capital is None:
            raise ValueError("fixed, variable or share_of_capital")
        return self


class Revenue(FileModel):
    """A stream of sales."""

    quantity: str = "product"
    """``product`` or one of by_products."""
    price: Stated
    """Price; its unit says per what (``USD/kg``)."""
    share: Share = Figure(value=1.0)
    """Share of that quantity sold this way."""
    first_year: int = Field(1, ge=1, le=60)
    """First operating year."""
    last_year: int = Field(60, ge=1, le=60)
    """Last operating year."""
    escalation: Growth = Figure(value=0.0)
    """Yearly growth above inflation (or, without indexation, at all)."""
    indexed: bool = True
    """Whether the price follows inflation from the price year on."""
    contracted: bool = False
    """Whether a buyer is bound: lenders count contracted sales only."""

    @model_validator(mode="after")
    def _in_order(self) -> Revenue:
        if self.first_year > self.last_year:
            raise ValueError("first_year <= last_year")
        return self


class Policies(FileModel):
    """What it asks of policies."""

    claims: tuple[str, ...] = ()
    """Policies it asks for, first first; empty: the best combination that law allows."""
    without: tuple[str, ...] = ()
    """Policies it does not ask for."""


class Tax(FileModel):
    """Tax books. Rates that are not stated come from the policy tables of its jurisdictions."""

    federal_rate: measured("1", 0.0, 0.99, "high") | None = None  # type: ignore[valid-type]
    """Federal (or only) income tax rate."""
    state_rate: measured("1", 0.0, 0.99, "high") | None = None  # type: ignore[valid-type]
    """State income tax rate; deducted from federal income."""
    federal_class: int = Field(7, ge=3, le=50)
    """Recovery class of federal depreciation, years."""
    state_class: int | None = Field(None, ge=3, le=50)
    """Recovery class of state depreciation; none: the federal class."""
    bonus: measured("1", 0.0, 1.0) | None = None  # type: ignore[valid-type]
    """Share written off at once in the federal book; none: from the policy tables."""
    losses: Literal["carried_forward", "used_at_once"] = "carried_forward"
    """Whether losses wait for profits of the project or an owner uses them in the year."""


class WorkingCapital(FileModel):
    """Days of working capital."""

    receivable_days: float = Field(0.0, ge=0, le=365)
    """Days until customers pay."""
    payable_days: float = Field(0.0, ge=0, le=365)
    """Days until suppliers are paid."""
    inventory_days: float = Field(0.0, ge=0, le=365)
    """Days of operating cost in stock."""


class Reserves(FileModel):
    """Reserve accounts."""

    debt_service_months: float = Field(6.0, ge=0, le=24)
    """Debt service reserve, months of the next year's service."""
    maintenance_years: int = Field(0, ge=0, le=10)
    """Years over which a renewal is set aside before it falls due."""
    interest: Rate = Figure(value=0.0)
    """Interest that reserves earn."""


class Debt(FileModel):
    """Senior debt."""

    kind: Literal["sculpted", "level", "mini_perm", "none"] = "sculpted"
    """Service in a fixed ratio to cash flow; the same every year; sculpted but refinanced; no debt."""
    rate: measured("1/yr", 0.0, 0.5, "high") = Figure(value=0.07)  # type: ignore[valid-type]
    """Interest rate."""
    tenor: int = Field(15, ge=1, le=40)
    """Years of repayment (mini-perm: years until it is refinanced)."""
    cover_ratio: measured("1", 1.0, 10.0, "high") = Figure(value=1.4)  # type: ignore[valid-type]
    """Cash flow over debt service that lenders ask."""
    gearing_cap: Share = Figure(value=0.7)
    """Most debt, as a share of all uses of funds."""
    fee: Share = Figure(value=0.0)
    """Paid at close, share of the debt."""
    amortisation: int | None = Field(None, ge=1, le=40)
    """Mini-perm: years over which it would be repaid."""
    refinance_rate: measured("1/yr", 0.0, 0.5, "high") | None = None  # type: ignore[valid-type]
    """Mini-perm: rate after the tenor."""
    refinance_fee: Share = Figure(value=0.0)
    """Mini-perm: paid when refinanced, share of the balance."""
    cash_flow: Literal["after_tax", "pre_tax"] = "after_tax"
    """Cash flow that carries the debt."""
    sized_on: Literal["lender", "sponsor"] = "lender"
    """Whose reading of the case decides how much is lent."""


class Grant(FileModel):
    """Money that is not paid back."""

    amount: measured("USD", 0.0) | None = None  # type: ignore[valid-type]
    """Amount in money of the day."""
    share: measured("1", 0.0, 1.0) | None = None  # type: ignore[valid-type]
    """Or a share of the capital."""
    taxable: bool = False
    """Whether it is income; if not, it cuts what can be depreciated."""
    public: bool = True
    """Whether the public pays it."""


class SoftLoan(FileModel):
    """A loan behind the senior debt: concessional, or first to bear losses."""

    amount: measured("USD", 0.0) | None = None  # type: ignore[valid-type]
    """Balance when service begins, money of the day."""
    share: measured("1", 0.0, 1.0) | None = None  # type: ignore[valid-type]
    """Or a share of the capital."""
    rate: measured("1/yr", 0.0, 0.5, "high") = Figure(value=0.02)  # type: ignore[valid-type]
    """Interest rate."""
    tenor: int = Field(20, ge=1, le=60)
    """Years until it is repaid."""
    grace: int = Field(0, ge=0, le=20)
    """Years of interest only."""
    first_loss_cover_ratio: float | None = Field(None, ge=1, le=10)
    """Cover ratio that senior lenders accept because this tranche bears losses first."""
    public: bool = True
    """Whether the public lends it."""


class Guarantee(FileModel):
    """A guarantee on the senior debt."""

    share: measured("1", 0.0, 1.0)  # type: ignore[valid-type]
    """Share of the debt guaranteed."""
    rate_cut: measured("1/yr", 0.0, 0.2)  # type: ignore[valid-type]
    """Cut of the interest rate on that share."""
    fee: measured("1/yr", 0.0, 0.2) = Figure(value=0.0)  # type: ignore[valid-type]
    """Yearly fee on the balance guaranteed."""
    cover_ratio: float | None = Field(None, ge=1, le=10)
    """Cover ratio that lenders accept with it; none: no change."""
    default_rate: measured("1/yr", 0.0, 1.0) = Figure(value=0.03)  # type: ignore[valid-type]
    """Yearly probability of default, for what it costs the public."""
    recovery: measured("1", 0.0, 1.0) = Figure(value=0.5)  # type: ignore[valid-type]
    """Share recovered after default."""


class Support(FileModel):
    """Public and philanthropic money in the capital structure."""

    grants: dict[str, Grant] = {}
    """Grants by name."""
    loans: dict[str, SoftLoan] = {}
    """Concessional and first-loss loans by name."""
    guarantee: Guarantee | None = None
    """Guarantee on the senior debt."""


class Returns(FileModel):
    """What owners ask."""

    equity: measured("1/yr", 0.0, 1.0, "high") = Figure(value=0.12)  # type: ignore[valid-type]
    """Nominal after-tax return on equity that owners ask."""
    project: measured("1/yr", 0.0, 1.0, "high") = Figure(value=0.08)  # type: ignore[valid-type]
    """Nominal discount rate of the project before financing."""
    public: measured("1/yr", 0.0, 1.0) = Figure(value=0.03)  # type: ignore[valid-type]
    """Nominal rate at which public cost is discounted."""


class Reference(FileModel):
    """What the product would otherwise be."""

    price: Stated | None = None
    """Price of the conventional product; its unit says per what."""
    emissions_avoided: Stated | None = None
    """Tonnes CO2e avoided per unit of product."""


class Lender(FileModel):
    """How lenders read the case (P90)."""

    bad_ends: tuple[str, ...] = ("production.utilisation", "capital.cost", "capital.cost_growth")
    """Figures that are taken at the bad end of their range."""
    merchant_share: float = Field(0.0, ge=0, le=1)
    """Share of sales without a contract that lenders count."""
    market_credits: Literal["none", "low", "value"] = "low"
    """How credits with a market price are counted."""


class ChecklistItem(FileModel):
    """State of one item of the checklist for the final investment decision."""

    status: Literal["done", "under_way", "not_started", "not_needed"]
    """How far it is."""
    evidence: str = ""
    """Document that shows it."""
    owner: str = ""
    """Who carries it."""
    date: dt.date | None = None
    """When it is due, or was done."""


class Readiness(FileModel):
    """How ready the project is."""

    trl: int | None = Field(None, ge=1, le=9)
    """Technology readiness level."""
    crl: int | None = Field(None, ge=1, le=6)
    """Commercial readiness level (ARENA)."""
    adoption: dict[str, Literal["low", "medium", "high", "not_applicable"]] = {}
    """Risk in each of DOE's 17 adoption dimensions."""
    checklist: dict[str, ChecklistItem] = {}
    """Items of the checklist."""


class Correlation(FileModel):
    """Two figures that move together in draws."""

    between: tuple[str, str]
    """Paths of the two figures."""
    value: float = Field(ge=-0.99, le=0.99)
    """Correlation of their standard normal draws."""


class Case(FileModel):
    """A project case."""

    name: Name
    """Short name."""
    title: str = Field(min_length=1, max_length=200)
    """Title for readers."""
    description: str = ""
    """What it is, and what to change first."""
    based_on: str | None = None
    """Archetype that fills what is not stated here."""
    private: bool = True
    """Whether it stays out of plans and shared tables."""
    price_year: int = Field(2024, ge=2000, le=2025)
    """Price year of money."""
    inflation: measured("1/yr", -0.1, 0.5) = Figure(value=0.02)  # type: ignore[valid-type]
    """Yearly inflation of what follows it."""
    project: Project
    production: Production
    capital: Capital
    inputs: dict[Name, Input] = {}
    costs: dict[Name, Cost] = {}
    revenue: dict[Name, Revenue] = {}
    policies: Policies = Policies()
    tax: Tax = Tax()
    working_capital: WorkingCapital = WorkingCapital()
    reserves: Reserves = Reserves()
    debt: Debt = Debt()
    support: Support = Support()
    returns: Returns = Returns()
    reference: Reference = Reference()
    lender: Lender = Lender()
    correlations: tuple[Correlation, ...] = ()
    readiness: Readiness = Readiness()
