"""Looks at the nights from outside: warehouse, object store, mail and scheduler as they are, not as anybody says."""
