"""All readings, by rule id: importing this module registers them."""

from pandas_reading import codebook, housing, place, programmes, repeats, roster, structure, visit
from pandas_reading.registry import READINGS

__all__ = ["READINGS", "codebook", "housing", "place", "programmes", "repeats", "roster", "structure", "visit"]
