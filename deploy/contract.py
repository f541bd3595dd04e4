"""Write the contract's JSON Schemas to schemas/json/: `python -m deploy.contract`.

With `--release` they also become the baseline that later ones must not break.
"""

import sys
from pathlib import Path

from schemas.contract import files

ROOT = Path(__file__).parents[1]
CURRENT = ROOT / "schemas" / "json"
BASELINE = ROOT / "tests" / "schemas" / "baseline"


def write(folder: Path) -> None:
    """Make `folder` hold the schemas of today and no others."""
    made = files()
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.json"):
        if left.name not in made:
            left.unlink()
    for name, text in made.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(CURRENT)
    if "--release" in sys.argv[1:]:
        write(BASELINE)
