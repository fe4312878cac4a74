"""The outbox: messages that are composed and wait, each with its dispatches, and the gate before it."""
