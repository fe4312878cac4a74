"""Where: regions, sub-SLS frame, officers, calendar, time zones, code systems."""
