"""How assets change technology, year by year."""
