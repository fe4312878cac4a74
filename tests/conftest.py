"""What every tier shares: the made-up families of ``tests/support/deliveries/families.py`` are importable by name."""

import os
import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

# How long an example takes says more of the machine than of the code: no law fails by the clock.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
settings.register_profile("long", deadline=None, max_examples=1000)
settings.register_profile("short", deadline=None, max_examples=10)


def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: each waits for its servers, or for another process, by turns."""
    cores = os.cpu_count() or 1
    return cores + cores // 2
