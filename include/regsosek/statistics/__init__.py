"""Completion and pace, from the log of cases up the tree of regions."""
