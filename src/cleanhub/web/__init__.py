"""The web pages of a saved plan and its read-only JSON: ``cleanhub serve``.

Pages are whole without JavaScript; scripts add charts, the map, and sorting. Nothing here
computes: every number is one of the plan's tables, and no request goes anywhere else.
"""
