"""docs/adding/family.md shows a family as it is in the sources."""

import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    source = (ROOT / "src" / "attune" / "model" / "families" / "qwen3.cpp").read_text()
    page = (ROOT / "docs" / "adding" / "family.md").read_text()
    if f"```cpp\n{source}```\n" in page:
        sys.exit(0)
    print("the code in docs/adding/family.md is not src/attune/model/families/qwen3.cpp")
    sys.exit(1)
