"""Erases and limits cases on request, in archive and warehouse."""
