"""Planted defects and their labels."""
