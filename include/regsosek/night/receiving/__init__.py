"""Receives a province's night: each delivery fetched, staged, judged, recognised, loaded and made visible."""
