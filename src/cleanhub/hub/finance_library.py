"""Library tables that projects are valued with: cost estimates, readiness, terms of capital and support."""

from __future__ import annotations

from cleanhub.core.tables import Column, Table
from cleanhub.hub.columns import HIGH, LOW, TRACE, UNIT, VALUE

DEPRECIATION = Table(
    "depreciation",
    "Tax depreciation: share of capital written off in each year of a recovery class.",
    (
        Column("recovery_years", "integer", "recovery class", unit="yr", minimum=1, maximum=50),
        Column("year", "integer", "year of operation", minimum=1, maximum=60),
        Column("share", "number", "share written off", unit="1", minimum=0, maximum=1),
        *TRACE,
    ),
    key=("recovery_years", "year"),
)

ESTIMATE_CLASSES = Table(
    "estimate_classes",
    "Classes of a capital cost estimate and how far the actual cost may lie from it.",
    (
        Column("estimate_class", "integer", "class, 1 best to 5", minimum=1, maximum=5),
        Column("name", "text", "use of the class in words"),
        Column("defined_low", "number", "project definition, least", unit="1", minimum=0, maximum=1),
        Column("defined_high", "number", "project definition, most", unit="1", minimum=0, maximum=1),
        Column("low_outer", "number", "furthest below the estimate", unit="1", minimum=-1, maximum=0),
        Column("low_inner", "number", "nearest low end of the range", unit="1", minimum=-1, maximum=0),
        Column("high_inner", "number", "nearest high end of the range", unit="1", minimum=0),
        Column("high_outer", "number", "furthest above the estimate", unit="1", minimum=0),
        Column("enough_for_fid", "yes_no", "yes: an investment decision may rest on it"),
        *TRACE,
    ),
    key=("estimate_class",),
)

CAPITAL_FACTORS = Table(
    "capital_factors",
    "Contingencies, owner's costs and as-spent multipliers of a capital estimate.",
    (
        Column("factor", "text", "what it is", codes="capital_factor"),
        Column("selector", "text", "state of the technology, class or years it is for", blank=True),
        LOW,
        VALUE,
        HIGH,
        UNIT,
        *TRACE,
    ),
    key=("factor", "selector"),
)

PIONEER_COEFFICIENTS = Table(
    "pioneer_coefficients",
    "Linear equations for cost growth and performance of pioneer process plants.",
    (
        Column("equation", "text", "equation", codes="pioneer_equation"),
        Column("term", "text", "variable, or constant"),
        Column("value", "number", "what one unit of the variable adds"),
        Column("minimum", "number", "least the variable may be", blank=True),
        Column("maximum", "number", "most the variable may be (empty: no limit)", blank=True),
        Column("unit", "text", "unit of the variable", unit_column=True),
        Column("meaning", "text", "meaning of the variable"),
        *TRACE,
    ),
    key=("equation", "term"),
)

READINESS_LEVELS = Table(
    "readiness_levels",
    "Levels of the readiness scales: technology, commercial, adoption.",
    (
        Column("scale", "text", "scale", codes="readiness_scale"),
        Column("level", "integer", "level, 1 least ready", minimum=1, maximum=9),
        Column("name", "text", "level in words, or the band it lies in"),
        Column("definition", "text", "what is true at this level"),
        *TRACE,
    ),
    key=("scale", "level"),
)

ARL_DIMENSIONS = Table(
    "arl_dimensions",
    "Dimensions of adoption readiness, each rated low, medium or high risk.",
    (
        Column("dimension", "text", "identifier"),
        Column("area", "text", "area of risk", codes="arl_area"),
        Column("name", "text", "name in words"),
        Column("question", "text", "what is asked"),
        *TRACE,
    ),
    key=("dimension",),
)

ARL_LOOKUP = Table(
    "arl_lookup",
    "Adoption readiness level by the number of dimensions at medium and at high risk.",
    (
        Column(
            "n_medium",
            "integer",
            "dimensions at medium risk; the last row holds for more",
            minimum=0,
            maximum=17,
        ),
        Column(
            "n_high", "integer", "dimensions at high risk; the last row holds for more", minimum=0, maximum=17
        ),
        Column("level", "integer", "adoption readiness level", minimum=1, maximum=9),
        *TRACE,
    ),
    key=("n_medium", "n_high"),
)

FID_CHECKLIST = Table(
    "fid_checklist",
    "What must be done before a final investment decision.",
    (
        Column("item", "text", "identifier"),
        Column("group", "text", "group", codes="fid_group"),
        Column("gate", "text", "gate of a project that it belongs to", blank=True, codes="gate"),
        Column("sequence", "integer", "order in which items are usually closed", minimum=1, maximum=999),
        Column("critical", "yes_no", "yes: on the critical path, no decision without it"),
        Column("name", "text", "name in words"),
        Column("done_when", "text", "what counts as done"),
        *TRACE,
    ),
    key=("item",),
)

CASE_DEFAULTS = Table(
    "case_defaults",
    "What reference cases in closed form rest on where they do not state it.",
    (
        Column("layout", "text", "layout of the case", codes="case_layout"),
        Column("input", "text", "input that the case leaves out"),
        VALUE,
        UNIT,
        *TRACE,
    ),
    key=("layout", "input"),
)

SUPPORT_TERMS = Table(
    "support_terms",
    "Terms of public support that is tried on a case which states none of the kind.",
    (
        Column("item", "text", "term"),
        VALUE,
        UNIT,
        *TRACE,
    ),
    key=("item",),
)
