"""Freight: road network, drayage trips and truck-days, energy, charging sites and their grid."""
