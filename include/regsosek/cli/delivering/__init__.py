"""Commands for producers of deliveries, and the simulation of them."""
