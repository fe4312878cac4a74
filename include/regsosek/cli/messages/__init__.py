"""Commands about conditions and messages."""
