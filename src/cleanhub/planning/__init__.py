"""Runs the rooms in order, keeps their tables, scores the plan and compares plans."""
