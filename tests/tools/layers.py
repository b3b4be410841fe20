#!/usr/bin/python3
"""layers.py - holds every #include against the rooms and sides of docs/ARCHITECTURE.md.

A room includes only rooms to its left; rooms of one rank do not include each other; nothing
crosses the wall between the store's side and the loop's.  A file includes only its own side,
`pure` and `any`; `start` includes all.  A file's name occurs once.  Each third-party header has
one module.  A header that only some files may include is called *_inside.h, and only they do.
"""
# SPDX-License-Identifier: ISC
import collections
import pathlib
import re
import sys

from rooms import ROOMS

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Left to right: rooms of one rank stand in one set.
RANKS = [{"lib"}, {"runner-protocol"}, {"types"}, {"settings"}, {"deployment", "policy"}, {"chat"}]
STORE_SIDE = [{"store"}, {"decide"}, {"commands"}, {"handlers"}]
LOOP_SIDE = [{"telegram", "forges", "notify"}, {"clients", "runs"}, {"effects", "routes"}]
RIGHT = [{"cli", "serve"}, {"main"}]
SIDES = {"any", "pure", "store", "loop", "start", "runner", "agent"}
MAY = {side: {side, "pure", "any"} for side in SIDES}
MAY["start"] = SIDES
MAY["pure"] = {"pure", "any"}
MAY["any"] = {"any", "pure"}
# Said once each: main rooms name store/ for its types only through start files.
THIRD_PARTY = {"ev.h": "loop", "microhttpd.h": ("http_server", "http_request"), "curl/curl.h": "http_client",
               "jansson.h": "json", "sqlite3.h": "db", "zlib.h": "run_log",
               "liboath/oath.h": "totp", "qrencode.h": "qr", "expat.h": "xml",
               "systemd/sd-daemon.h": "serve", "yaml.h": "judge_yaml",
               "archive.h": "unpack", "archive_entry.h": "unpack", "seccomp.h": ("sandbox", "unpack_confine"),
               "systemd/sd-bus.h": "systemd", "systemd/sd-journal.h": "journal"}
OPENSSL = ("crypto", "link_tls")
# A private header by another name: the name itself, or a first line that keeps others out.
PRIVATE_NAME = re.compile(r"_(?:parts?|priv|private|internals?|impl|detail|local)\.h$")
PRIVATE_WORDS = re.compile(r"\balone\b|\bnobody else\b", re.I)
INSIDE = "_inside.h"
# The only parts of the runner that others know.
PROTOCOL = {"packet.h", "protocol.h", "settings.def"}


def room_of(path):
    parts = path.relative_to(ROOT).parts
    if parts[0] == "lib":
        return "lib"
    if parts[0] in ("runner", "judge", "agent", "link"):
        return parts[0]
    if len(parts) == 2:
        return "main" if parts[1] == "main.c" else "serve"
    return parts[1]


def rank(room):
    """(position, side of the wall) of a room; None for rooms with rules of their own."""
    for i, rooms in enumerate(RANKS):
        if room in rooms:
            return i, None
    base = len(RANKS)
    for i, rooms in enumerate(STORE_SIDE):
        if room in rooms:
            return base + i, "store"
    for i, rooms in enumerate(LOOP_SIDE):
        if room in rooms:
            return base + i, "loop"
    base += max(len(STORE_SIDE), len(LOOP_SIDE))
    for i, rooms in enumerate(RIGHT):
        if room in rooms:
            return base + i, None
    raise ValueError(f"no room is called {room}: give it its place in tests/tools/layers.py")


def may_include(room, other):
    if other in (room, "lib"):
        return True
    if room in ("runner", "judge", "agent", "link"):
        return room in ("agent", "link") and other == "runner"  # PROTOCOL alone; see check_include
    if other in ("judge", "agent", "link"):
        return False
    if other == "runner":
        return room != "lib"    # PROTOCOL alone; see check_include
    at, wall = rank(room)
    other_at, other_wall = rank(other)
    if wall and other_wall and wall != other_wall:
        return False
    return other_at < at


def side_of(path):
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    found = re.search(r"Side: (\w+)\. \*/$", first)
    return found.group(1) if found else None


def check_include(path, line, target, problems):
    name = target.split("/")[-1]
    found = [ROOT / target, ROOT / "server" / target]
    found = [p for p in found if p.is_file()]
    where = f"{path.relative_to(ROOT)}:{line}"
    if "/" not in target and room_of(path) not in ("serve", "main"):
        problems.append(f"{where}: \"{target}\" names no room")
        return
    if not found:
        problems.append(f"{where}: there is no {target}")
        return
    room, other = room_of(path), room_of(found[0])
    if other == "runner" and room != "runner" and name not in PROTOCOL:
        problems.append(f"{where}: of the runner only {', '.join(sorted(PROTOCOL))} may be included")
    elif not may_include(room, other):
        problems.append(f"{where}: {room} may not include {other} ({target})")
    if found[0].suffix == ".def":
        return
    mine, theirs = side_of(path), side_of(found[0])
    if mine and theirs and theirs not in MAY[mine]:
        problems.append(f"{where}: side {mine} includes side {theirs} ({target})")


def check_third_party(path, line, target, problems):
    owner = THIRD_PARTY.get(target, OPENSSL if target.startswith("openssl/") else None)
    if owner and not path.stem.startswith(owner):
        problems.append(f"{path.relative_to(ROOT)}:{line}: <{target}> belongs to {owner}")


def check_private_name(path, problems):
    """A header that is for some files alone says so in its name."""
    if path.suffix != ".h" or path.name.endswith(INSIDE):
        return
    first = path.read_text(encoding="utf-8").split("\n", 1)[0]
    if PRIVATE_NAME.search(path.name) or PRIVATE_WORDS.search(first):
        problems.append(f"{path.relative_to(ROOT)}:1: a private header is called *{INSIDE}")


def check_inside(path, line, target, problems):
    """foo_inside.h is for files foo*.[ch] beside it, for the room foo with its sub-rooms, or whom it names."""
    if not target.endswith(INSIDE):
        return
    name = pathlib.PurePath(target).name
    owner = name.removesuffix(INSIDE)
    header = path.parent / name
    room = next((folder for folder in path.parents if folder.name == owner and (folder / name).is_file()), None)
    if room or (header.is_file() and (
            path.name.startswith(owner) or path.name in header.read_text(encoding="utf-8").split("\n", 1)[0])):
        return
    problems.append(f"{path.relative_to(ROOT)}:{line}: {target} is for {owner}*.[ch] alone")


def main():
    problems = []
    names = collections.defaultdict(list)
    files = [p for top in ROOMS
             for p in sorted((ROOT / top).rglob("*.[ch]"))]
    for path in files:
        names[path.name].append(path)
        side = side_of(path)
        if side not in SIDES:
            problems.append(f"{path.relative_to(ROOT)}:1: the first line does not end with its side")
        check_private_name(path, problems)
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            own = re.match(r'\s*#\s*include\s+"([^"]+)"', text)
            foreign = re.match(r"\s*#\s*include\s+<([^>]+)>", text)
            if own:
                check_include(path, number, own.group(1), problems)
                check_inside(path, number, own.group(1), problems)
            elif foreign:
                check_third_party(path, number, foreign.group(1), problems)
    for name, paths in names.items():
        if len(paths) > 1 and name not in ("main.c", "settings.def"):
            problems.append(f"{name} stands in {len(paths)} rooms: "
                            + ", ".join(str(p.relative_to(ROOT)) for p in paths))
    for problem in problems:
        print(problem)
    print(f"layers: {len(files)} files, {len(problems)} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
