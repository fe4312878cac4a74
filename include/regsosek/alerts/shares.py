"""When a share of families is high: never by its percentage alone, for of few families any share is."""

from regsosek.alerts.thresholds import Thresholds


def many_quarantined(quarantined: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``quarantined`` of ``judged`` families are more than a few."""
    limit = limits.quality
    enough = judged >= limit.least_families and quarantined >= limit.attention_families
    return enough and quarantined * 100 > limit.attention_percent * judged


def too_many_quarantined(quarantined: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``quarantined`` of ``judged`` families are a critical share."""
    limit = limits.quality
    return quarantined >= limit.critical_families and quarantined * 100 > limit.critical_percent * judged


def too_many_off_frame(off_frame: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``off_frame`` of ``judged`` families, whose code leads to no sub-SLS, are a critical share."""
    limit = limits.code
    return off_frame >= limit.critical_families and off_frame * 100 >= limit.critical_percent * judged
