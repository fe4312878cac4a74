"""What is delivered: datasets, variables, types, code lists, keys, PII classes, manifests."""
