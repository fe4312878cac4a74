"""What nights brought, and what their rows violate."""
