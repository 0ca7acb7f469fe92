"""The sections of the report, one module each: ``build(context) -> Section``.

A section reads rows of the plan through :class:`~cleanhub.report.context.Context`, and
copes with any of them being empty.
"""
