"""Counts of cases by region, day and night, and what a night changed of them."""
