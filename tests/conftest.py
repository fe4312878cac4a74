"""What every tier shares: the made-up families of ``tests/delivered.py`` are importable by name."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
