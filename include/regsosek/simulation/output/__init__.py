"""Simulated files and where they go."""
