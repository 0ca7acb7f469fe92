"""The ground floor: errors, units, money, typed tables, files, a memory of steps; no domain knowledge."""
