"""What the core install of cleanhub consists of: its distributions, their weight, their licences.

Reads the installed metadata of the running interpreter; fetches nothing. ``make weigh`` prints the
table; the project's tests hold the weight and the licences to what docs promise.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
MEGABYTE = 1e6


def declared(root: Path = ROOT, extra: str | None = None) -> list[Requirement]:
    """The requirements that ``pyproject.toml`` declares for the core, or for one ``extra``."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] if extra is None else project["optional-dependencies"][extra]
    return [Requirement(line) for line in lines]


def closure(requirements: list[Requirement]) -> dict[str, Distribution]:
    """Every installed distribution that ``requirements`` bring in, by canonical name.

    Raises ``PackageNotFoundError`` when one of them is not installed.
    """
    found: dict[str, Distribution] = {}
    waiting = [(requirement, "") for requirement in requirements]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        found[name] = distribution(name)
        for wanted in ("", *sorted(requirement.extras)):
            if (name, wanted) not in seen:
                seen.add((name, wanted))
                waiting += [(Requirement(line), wanted) for line in found[name].requires or []]
    return found


def weight(dist: Distribution) -> int:
    """Bytes that ``dist`` put on disk, its compiled bytecode left out."""
    paths = (Path(str(file.locate())) for file in dist.files or [] if file.suffix != ".pyc")
    return sum(path.stat().st_size for path in paths if path.is_file())


def licence(dist: Distribution) -> str:
    """What ``dist`` says of its licence: expression, classifiers, first line of the free text.

    The free text is cut at its first line because some wheels paste whole licence files there,
    with those of the compilers' run-time libraries.
    """
    parts = list(_licence_parts(dist))
    return " | ".join(parts) if parts else "not stated"


def _licence_parts(dist: Distribution) -> Iterator[str]:
    if "License-Expression" in dist.metadata:
        yield dist.metadata["License-Expression"]
    for classifier in dist.metadata.get_all("Classifier", []):
        if classifier.startswith("License ::"):
            yield classifier.rsplit("::", 1)[-1].strip()
    text = dist.metadata["License"].strip() if "License" in dist.metadata else ""
    first = text.splitlines()[0].strip() if text else ""
    if re.search(r"[A-Za-z]", first):
        yield first


def main() -> int:
    """Print the core install, heaviest first, and its total."""
    try:
        core = closure(declared())
    except PackageNotFoundError as error:
        print(f"not installed: {error.name}; run 'make setup' first", file=sys.stderr)
        return 1
    weights = {name: weight(dist) / MEGABYTE for name, dist in core.items()}
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        print(f"{weights[name]:7.1f} MB  {name} {core[name].version}  ({licence(core[name])})")
    print(f"{sum(weights.values()):7.1f} MB  in {len(weights)} distributions, without bytecode")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
