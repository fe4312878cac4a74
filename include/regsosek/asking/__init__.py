"""Answers what operators ask about nights, deliveries, cases and figures. It changes nothing."""
