"""What things cost: technologies per unit, trucks per mile, projects per tonne."""
