"""``python proofs/checker FILE``: the checker by itself, on a machine that has nothing but Python."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from checker import main  # type: ignore[import-not-found]

sys.exit(main(sys.argv[1:]))
