"""Fuzzing of what reads delivered bytes: inputs that nobody writes on purpose, and what must hold for every one."""
