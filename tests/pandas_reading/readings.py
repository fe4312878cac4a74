"""All readings, by rule id: importing this module registers them."""

from pandas_reading import codebook, place, roster, structure
from pandas_reading.registry import READINGS

__all__ = ["READINGS", "codebook", "place", "roster", "structure"]
