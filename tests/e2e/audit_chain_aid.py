"""A chain of audit lines and a witness's objects of it, made without deploybot, as docs/audit.md says they are."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import pathlib
import subprocess

from stage import ROOT

PROGRAM = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve() / "deploybot"
SERVER = "deploybot-bot.example"


def hash_of(entry):
    text = json.dumps({k: v for k, v in entry.items() if k != "hash"}, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256((text + "\n").encode()).hexdigest()


def chained(entries):
    """Lines of these entries, numbered and hashed behind each other."""
    head, lines = "0" * 64, []
    for seq, entry in enumerate(entries, 1):
        entry = {**entry, "seq": seq, "prev": head}
        head = entry["hash"] = hash_of(entry)
        lines.append(json.dumps(entry, sort_keys=True, separators=(",", ":")) + "\n")
    return lines


def entries(n, per_day=8):
    return [{"action": "denied", "code": "denied", "commit": None, "deployment": None, "environment": "staging",
             "outcome": "denied", "principal": "telegram", "severity": "medium", "version": 2,
             "timestamp": f"2026-11-{1 + i // per_day:02}T07:{i % 60:02}:48.123Z", "user_id": f"telegram:{i + 1}"}
            for i in range(n)]


def head_of(line):
    return json.loads(line)["hash"][:16]


def objects(lines, size=5):
    """[(name, content)] of whole objects."""
    return [(f"{SERVER}/{i + 1}-{i + size}-{head_of(lines[i + size - 1])}.jsonl", "".join(lines[i:i + size]).encode())
            for i in range(0, len(lines) - size + 1, size)]


def run(folder, *arguments, env=None):
    """audit verify in an empty folder, on a machine that has no settings, no database and no server."""
    empty = folder / "empty"
    empty.mkdir(exist_ok=True)
    return subprocess.run([PROGRAM, "audit", "verify", *arguments], cwd=empty, capture_output=True, text=True,
                          check=False, timeout=60,
                          env={"PATH": "/usr/bin:/bin", "HOME": str(empty), "TMPDIR": str(folder), **(env or {})})
