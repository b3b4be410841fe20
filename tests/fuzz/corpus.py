#!/usr/bin/python3
"""corpus.py - the seeds of a fuzz harness: one text file, corpus/<what>, and what unpacks it and adds to it.

A line is one input: its name and, behind a blank, its bytes, with \\\\, \\n, \\r, \\t and \\xHH for what is not
printable ASCII (and for a blank at the end).  Lines stand in the order of their names; replay.c reads the same.

    corpus.py add WHAT FILE...    these files become seeds; what is there already is not added twice
    corpus.py unpack WHAT DIR     a file for each seed, named as it
"""
# SPDX-License-Identifier: ISC
import hashlib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
SHORT = {0x5C: "\\\\", 0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}
LONG = {text: byte for byte, text in SHORT.items()}
NAME = re.compile(r"[A-Za-z0-9_.-]+")
PIECE = re.compile(r"\\[\\nrt]|\\x[0-9a-f]{2}|[ -\[\]-~]")


def escape(data):
    text = "".join(SHORT.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in data)
    return text[:-1] + "\\x20" if text.endswith(" ") else text


def unescape(text):
    pieces = PIECE.findall(text)
    if "".join(pieces) != text:
        raise ValueError(f"not what escape() writes: {text[:60]}")
    return bytes(LONG[piece] if piece in LONG else int(piece[2:], 16) if len(piece) > 1 else ord(piece)
                 for piece in pieces)


def path_of(what):
    return HERE / "corpus" / what


def names():
    return sorted(path.name for path in (HERE / "corpus").iterdir())


def load(what):
    """{name: bytes}; refuses a name that is there twice."""
    seeds = {}
    for line in path_of(what).read_text(encoding="ascii").splitlines():
        name, _, text = line.partition(" ")
        if not NAME.fullmatch(name) or name in seeds:
            raise ValueError(f"{path_of(what)}: a name that is none, or there twice: {name!r}")
        seeds[name] = unescape(text)
    return seeds


def save(what, seeds):
    lines = [f"{name} {escape(data)}".rstrip(" ") for name, data in sorted(seeds.items())]
    path_of(what).write_text("".join(line + "\n" for line in lines), encoding="ascii")


def unpack(what, directory):
    directory.mkdir(parents=True, exist_ok=True)
    for name, data in load(what).items():
        (directory / name).write_bytes(data)


def add(what, files):
    """How many were new.  A file named by libFuzzer is called found_<digest>."""
    seeds = load(what)
    known, before = set(seeds.values()), len(seeds)
    for file in files:
        data = file.read_bytes()
        is_hash = re.fullmatch(r"[0-9a-f]{40}", file.name)
        name = f"found_{hashlib.sha1(data).hexdigest()[:12]}" if is_hash else file.name
        if data in known:
            continue
        if name in seeds or not NAME.fullmatch(name):
            raise ValueError(f"{file}: give it a name that no seed of {what} has")
        seeds[name] = data
        known.add(data)
    save(what, seeds)
    return len(seeds) - before


if __name__ == "__main__":
    verb, subject, *paths = sys.argv[1:]
    if verb == "unpack":
        unpack(subject, pathlib.Path(paths[0]))
    elif verb == "add":
        print(f"{add(subject, [pathlib.Path(path) for path in paths])} new seeds in {path_of(subject)}")
    else:
        sys.exit(__doc__)
