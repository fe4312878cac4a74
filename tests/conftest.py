"""What every tier shares: the made-up families of ``tests/delivered.py`` are importable by name."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

settings.register_profile("long", max_examples=1000)
