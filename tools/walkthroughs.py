"""Runs the walkthroughs and writes what their commands print, as ``make docs`` does.

Without arguments all pages of docs/walkthroughs; with arguments those named::

    python tools/walkthroughs.py analyst developer
"""

from __future__ import annotations

import sys
from pathlib import Path

from readme_tour import tour

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "walkthroughs"
PAGES = sorted(FOLDER.glob("*.md"))


def walked(path: Path) -> str:
    """The text of a walkthrough with the output of its commands made anew, in an empty folder."""
    return tour(path.read_text(encoding="utf-8"), path.name)


def main() -> int:
    """Run the pages named on the command line, or all; write those whose outputs changed."""
    names = sys.argv[1:]
    unknown = [name for name in names if name not in {path.stem for path in PAGES}]
    if unknown:
        print(f"no such walkthrough: {', '.join(unknown)}", file=sys.stderr)
        return 2
    for path in PAGES:
        if names and path.stem not in names:
            continue
        old, new = path.read_text(encoding="utf-8"), walked(path)
        if old != new:
            path.write_text(new, encoding="utf-8")
        print(f"{'unchanged' if old == new else 'written'}: {path.stem}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
