"""Erased and limited cases: what is left of them, and how their rows are found and emptied."""
