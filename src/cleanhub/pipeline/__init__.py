"""Stage-gate simulation of projects: what reaches its decision, and which link stands in the way."""
