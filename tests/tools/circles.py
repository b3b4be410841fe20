#!/usr/bin/python3
"""circles.py BUILD [ROOT] - no two files of the product call each other, not by way of others either.

Asks the objects of BUILD (nm): a file needs another when it names a symbol of it.  A circle is files of which each
needs each, however far round.  They are one file that was cut in pieces, or one of them has something that belongs
further down.  What is called through a pointer that was handed over (a callback, a table of functions) is no need.
"""
# SPDX-License-Identifier: ISC
import pathlib
import subprocess
import sys

from rooms import ROOMS

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What the path of each file of a circle begins with, and why it may stay.  One that is gone has its row taken out.
ALLOWED = {
    "server/effects/perform": "perform.c is the table of performers, and what they report their results through",
}


def objects(build, root):
    """Path of the source without its suffix → its object; of sources that are there still."""
    found = {}
    for room in ROOMS:
        for path in sorted((build / "obj" / room).rglob("*.o")):
            name = path.relative_to(build / "obj").with_suffix("")
            if (root / name).with_suffix(".c").is_file():
                found[str(name)] = path
    return found


def needs(found):
    """File → {file that it needs: the symbols}."""
    by_path = {str(path): name for name, path in found.items()}
    listed = subprocess.run(["nm", "-A", "-g", "--format=posix", *by_path], capture_output=True, text=True,
                            check=True).stdout
    owner, wanted = {}, []
    for line in listed.splitlines():
        path, rest = line.split(": ", 1)
        symbol, kind = rest.split()[:2]
        if kind == "U":
            wanted.append((by_path[path], symbol))
        elif symbol != "main":
            owner[symbol] = by_path[path]
    graph = {name: {} for name in found}
    for name, symbol in wanted:
        if owner.get(symbol, name) != name:
            graph[name].setdefault(owner[symbol], set()).add(symbol)
    return graph


def reach(graph, start):
    seen, todo = set(), [start]
    while todo:
        for other in graph[todo.pop()]:
            if other not in seen:
                seen.add(other)
                todo.append(other)
    return seen


def circles(graph):
    """Each as a sorted list of its files."""
    reached = {name: reach(graph, name) for name in graph}
    found = {tuple(sorted(other for other in reached[name] if name in reached[other]))
             for name in graph if name in reached[name]}
    return sorted(list(circle) for circle in found)


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    root = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else ROOT
    found = objects(build, root)
    if not found:
        sys.exit(f"circles: {build} has no objects: make all first")
    graph = needs(found)
    problems, unseen = 0, set(ALLOWED) if root == ROOT else set()
    for circle in circles(graph):
        allowed = [start for start in ALLOWED if all(name.startswith(start) for name in circle)]
        unseen.difference_update(allowed)
        if allowed:
            continue
        problems += 1
        print(f"{circle[0]}.c: calls in a circle with {', '.join(name + '.c' for name in circle[1:])}")
        for name in circle:
            for other in sorted(set(graph[name]) & set(circle)):
                print(f"    {name}.c needs {other}.c: {', '.join(sorted(graph[name][other]))}")
    for start in sorted(unseen):
        problems += 1
        print(f"tests/tools/circles.py: this circle is gone, take it out of ALLOWED: {start}")
    print(f"circles: {len(found)} files, {problems} problems")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
