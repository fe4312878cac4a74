"""Sends what is due in the outbox, and reads what mail servers report of it later."""
