"""What a provincial office must know in the morning: conditions, digests, outbox, channels."""
