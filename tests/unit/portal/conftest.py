"""Makes the made-up night and the reader of pages importable beside the tests of this room."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
