"""Decides which conditions a night meets, how each lives on, and which are notified: values alone, no SQL, no text."""
