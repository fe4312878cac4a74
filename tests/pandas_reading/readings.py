"""All readings, by rule id: importing this module registers them."""

from pandas_reading import codebook, housing, numbers, persons, place, programmes, repeats, roster, structure, visit
from pandas_reading.registry import READINGS

__all__ = ["READINGS"]

MODULES = (codebook, housing, numbers, persons, place, programmes, repeats, roster, structure, visit)
