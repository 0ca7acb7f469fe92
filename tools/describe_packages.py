"""Write the declared table schemas into the datapackage.json of every bundled hub.

Run it after a change of ``cleanhub.hub.schema``; a test fails while they differ.
"""

from __future__ import annotations

import json

from cleanhub.core.tables import data_package_schema
from cleanhub.hub.package import BUNDLED
from cleanhub.hub.scenario import json_schema
from cleanhub.hub.schema import PACKAGE_TABLES


def main() -> None:
    """Refresh every bundled package and the JSON Schema of scenarios."""
    for path in sorted(BUNDLED.glob("*/datapackage.json")):
        meta = json.loads(path.read_text(encoding="utf-8"))
        for resource in meta["resources"]:
            if resource["name"] in PACKAGE_TABLES:
                resource["schema"] = data_package_schema(PACKAGE_TABLES[resource["name"]])
        path.write_text(json.dumps(meta, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"described {path.parent.name}")
    target = BUNDLED.parent / "library" / "scenario.schema.json"
    target.write_text(json.dumps(json_schema(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
