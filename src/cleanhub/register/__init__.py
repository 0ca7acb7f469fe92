"""The shared record of projects, gates, evidence, people, promises and what was asked and answered."""
