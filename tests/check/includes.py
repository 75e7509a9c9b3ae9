"""Holds every #include "attune/FOLDER/..." against the DEPENDS edges of src/attune/CMakeLists.txt."""

import pathlib
import re
import sys

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src" / "attune"


def edges():
    """Folder -> all folders it may include: itself and what its DEPENDS reach."""
    direct = {}
    for call in re.findall(r"^attune_library\((.*?)\)", (SOURCES / "CMakeLists.txt").read_text(), re.M | re.S):
        words = call.split()
        depends = []
        if "DEPENDS" in words:
            for word in words[words.index("DEPENDS") + 1 :]:
                if word in ("LINKS", "CATALOGUE", "TORCH"):
                    break
                depends.append(word)
        direct[words[0]] = depends
    reach = {}
    for folder, depends in direct.items():  # a folder stands below what it depends on: one pass is enough
        reach[folder] = {folder}.union(*(reach[other] for other in depends))
    return reach


def main():
    reach = edges()
    problems = []
    for path in sorted(SOURCES.rglob("*")):
        if path.suffix not in (".h", ".cpp"):
            continue
        folder = path.relative_to(SOURCES).parts[0]
        if folder not in reach:
            problems.append(f"{path}: no attune_library({folder} ...)")
            continue
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'#include "attune/([^/]+)/', line)
            if found and found[1] not in reach[folder] and path.name != "torch.h":
                problems.append(f"{path}:{number}: {folder} includes {found[1]}, which is not among its DEPENDS")
    print("\n".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
