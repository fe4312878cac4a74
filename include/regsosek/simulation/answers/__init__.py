"""The answers of simulated families."""
