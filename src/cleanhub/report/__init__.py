"""The report room: one plan becomes one self-contained, printable HTML file.

:func:`cleanhub.report.write.write_report` is the only public entry. Nothing here computes
results: it reads the declared tables of a plan and shows them with unit, year and source.
"""
