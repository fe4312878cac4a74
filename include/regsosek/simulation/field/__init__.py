"""The simulated field: frame, officers, calendar, what goes wrong there."""
