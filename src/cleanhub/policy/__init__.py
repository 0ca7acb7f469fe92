"""Dated rules: who is eligible, what a policy pays or asks, what it excludes, and until when."""
