#!/usr/bin/python3
"""canaries.py FOLDER - searches FOLDER/artefacts for each secret of FOLDER/canaries.secret: exit status 1 where one is
found, with the place; 2 where there is nothing to search.

canaries.secret has {"canaries": {name: secret}, "may": [[of names, of artefacts]]}, two patterns for what has to be
somewhere.  A secret is looked for as it is, URL-encoded, in hex, reversed, and in base64 at each of its three
alignments.  It is never printed.  tests/e2e/test_canaries.py collects, and so does `make canaries`.
"""
# SPDX-License-Identifier: ISC
import base64
import json
import pathlib
import re
import sys
import urllib.parse

# Files of megabytes are looked at in pieces that overlap.
PIECE, OVERLAP = 1 << 24, 1 << 13
SHORTEST = 12
PLACES_SHOWN = 3


def shapes(secret):
    """The bytes that give a secret away: each as programs write it by accident."""
    raw = secret.encode()
    found = {raw, raw.hex().encode(), raw.hex().upper().encode(), urllib.parse.quote(secret, safe="").encode(),
             urllib.parse.quote(secret, safe="").lower().encode(), raw[::-1]}
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            text = encode(b"\0" * before + raw).rstrip(b"=")
            # The first and the last digits depend on what stands around.
            found.add(text[(0, 2, 3)[before]:-2])
    return {shape for shape in found if len(shape) >= SHORTEST}


def pieces(path):
    """(where it begins, bytes), each beginning with the end of the one before."""
    with open(path, "rb") as source:
        at, before = 0, b""
        while piece := source.read(PIECE):
            yield at - len(before), before + piece
            at, before = at + len(piece), (before + piece)[-OVERLAP:]


def places(path, wanted):
    """{name: [each byte of the file where it stands]}, of {name: shapes}."""
    found = {}
    for begin, data in pieces(path):
        for name, some in wanted.items():
            for shape in some:
                at = data.find(shape)
                while at >= 0:
                    found.setdefault(name, set()).add(begin + at)
                    at = data.find(shape, at + 1)
    return {name: sorted(where) for name, where in found.items()}


def search(folder):
    """(canaries, artefacts, [(name, artefact, places)])"""
    told = json.loads((folder / "canaries.secret").read_text("utf-8"))
    wanted = {name: shapes(secret) for name, secret in told["canaries"].items()}
    short = [name for name, some in wanted.items() if not some]
    if short:
        sys.exit(f"canaries: too short to be known again: {', '.join(short)}")
    looked = sorted(path for path in (folder / "artefacts").rglob("*") if path.is_file())
    found = []
    for path in looked:
        artefact = str(path.relative_to(folder / "artefacts"))
        there = places(path, {name: some for name, some in wanted.items()
                              if not any(re.fullmatch(of, name) and re.fullmatch(where, artefact)
                                         for of, where in told.get("may", ()))})
        found += [(name, artefact, where) for name, where in there.items()]
    return len(wanted), len(looked), found


def main():
    if len(sys.argv) != 2:
        print(__doc__.split("\n\n", maxsplit=1)[0], file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    if not (folder / "canaries.secret").is_file():
        print(f"canaries: {folder} has no canaries.secret: make canaries", file=sys.stderr)
        return 2
    canaries, artefacts, found = search(folder)
    for name, artefact, where in found:
        shown = ", ".join(map(str, where[:PLACES_SHOWN])) + (" …" if len(where) > PLACES_SHOWN else "")
        print(f"canaries: {name} stands in {artefact}, at byte {shown}")
    print(f"{len({name for name, _, _ in found})} of {canaries} canaries in {artefacts} artefacts")
    if not canaries or not artefacts:
        return 2
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
