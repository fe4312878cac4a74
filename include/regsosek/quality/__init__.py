"""Rules: suites, Great Expectations, row-level reasons, the split of a delivery."""
