"""Looks at the nights from outside: warehouse, object store, mail and scheduler as they are, not as anybody says.

By hand: it runs as one command without a cluster, where Alertmanager would be one more server to watch.
"""
