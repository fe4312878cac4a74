"""Decides which deliveries belong to a night, fetches them, and names the rules that judge them."""
