"""Explains a published figure: what it is made of, and what changed it since."""
