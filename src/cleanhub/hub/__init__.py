"""What a hub is: its package format, codelists, library, scenarios, loading and checking."""
