"""Reads what conditions rest on from the warehouse, and keeps conditions and operator actions there."""
