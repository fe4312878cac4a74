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


def many_codes(families: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``families`` of ``judged``, whose code leads to no sub-SLS, are more than slips of the pen."""
    limit = limits.code
    return families >= limit.attention_families and families * 100 >= limit.attention_percent * judged


def too_many_codes(families: int, judged: int, limits: Thresholds) -> bool:
    """Whether ``families`` of ``judged``, whose code leads to no sub-SLS, are a critical share."""
    limit = limits.code
    return families >= limit.critical_families and families * 100 >= limit.critical_percent * judged
