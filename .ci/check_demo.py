#!/usr/bin/env python3
"""Judges what `heirloom demo --json` printed: the seed's tenants and counts, and that everything held."""

import json
import sys
from pathlib import Path

EXPECTED = {"agents-team": 1805, "hongming": 144, "chloe-dong": 1, "reno-stars": 102}


def main():
    result = json.loads(Path(sys.argv[1]).read_text())
    tenants = {tenant["name"]: tenant for tenant in result["tenants"]}
    failed = []
    for name, rows in EXPECTED.items():
        if tenants.get(name, {}).get("source_rows") != rows:
            failed.append(f"{name}: {rows} source rows expected, got {tenants.get(name)}")
    for name, tenant in tenants.items():
        if tenant["migrated"] + tenant["rejected"] + tenant["skipped"] != tenant["source_rows"]:
            failed.append(f"{name}: the counts do not add up: {tenant}")
        if tenant["rerun_written"] != 0 or not tenant["verified"] or not tenant["tamper_found"]:
            failed.append(f"{name}: something did not hold: {tenant}")
    if tenants.get("agents-team", {}).get("explained") != 2:
        failed.append("agents-team: the two live memories were not explained")
    if not Path(result["report"]).is_file():
        failed.append(f"no evidence at {result['report']}")
    for problem in failed:
        print(f"FAILED {problem}")
    print(f"{len(EXPECTED) + 2 * len(tenants) + 2 - len(failed)} passed, {len(failed)} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
