"""Streams beside K: completion side by side, gaps between them, verified lists, appointments, photo coverage."""
