"""Checks a delivery before it is sent, for its producer."""
