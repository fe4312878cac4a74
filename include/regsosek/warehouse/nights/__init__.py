"""The ledger: nights, deliveries, and what became of them."""
