"""Shares, pace and status of regions, from counts and denominators."""
