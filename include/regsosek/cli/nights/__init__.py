"""Commands about nights, deliveries, figures and releases."""
