"""Revisions of cases: recognised, loaded, and which of them is current."""
