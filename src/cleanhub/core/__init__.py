"""The ground floor: errors, units, money and typed tables. No domain knowledge lives here."""
