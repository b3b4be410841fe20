"""leaked.py FOLDER... - names each file below in which a secret of the tests stands: exit status 1.

Looked at is what the server writes and people are given: logs, audit, database, state files, exports, reports, chat
texts.  What a script printed (runs/ID/log), settings and the stand-ins' own files have secrets on purpose.  A secret is
looked for as it stands; its other shapes, the chat, /proc and metrics are for tests/faults/canary.py.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import sys

# Those of tests/demo/stage.py, and whatever is called a canary.
SECRET = re.compile(rb"AAF-demo_token_of_the_stand-in|github-webhook-secret-0123456789abcdef|"
                    rb"telegram-webhook-secret_0123456789abcdef|"
                    rb"canary(?:[-_]of[-_]|Of[A-Z]|-repository-|0of0|0123456789abcdef)")
WRITTEN = re.compile(r"(\.log(\.\d+)?|\.db(-wal)?|\.json|\.jsonl|\.csv|\.html|\.xml|\.txt)$")
OTHERS = {"git", "repository", "scripts", "apps"}      # folders of the tests' own, and mirrors of theirs


def search(*folders):
    """["FILE: b'the first bytes of a secret'"]"""
    found = []
    for folder in folders:
        for root, inside, files in os.walk(folder):
            inside[:] = [name for name in inside if name not in OTHERS]
            for path in (pathlib.Path(root) / name for name in files if WRITTEN.search(name)):
                try:
                    secret = None if path.is_symlink() or not path.is_file() else SECRET.search(path.read_bytes())
                except OSError:
                    continue        # it has just gone, or is a test's that nobody may read
                if secret:
                    found.append(f"{path}: {secret[0][:16]!r}")
    return found


if __name__ == "__main__":
    FOUND = search(*sys.argv[1:])
    print("\n".join(FOUND))
    sys.exit(1 if FOUND else 0)
