#!/usr/bin/python3
"""by_value.py OBJECTS [SOURCES] - no struct of more than 1 KB is an argument, a result, or copied into a local of lib/,
server/ or runner/: it goes by pointer, and a function fills the one that its caller has.

Sizes, arguments and results are read from what the compiler has written for debuggers into OBJECTS (build/obj, built
with -g); a copy is seen in SOURCES: a local of such a type that is given a value which is not written out in { }.
"""
# SPDX-License-Identifier: ISC
import concurrent.futures
import pathlib
import re
import subprocess
import sys

ROOMS = ("lib", "server", "runner")
MOST = 1024

ENTRY = re.compile(r" <(\d+)><([0-9a-f]+)>: Abbrev Number: \d+ \(DW_TAG_(structure_type|union_type|typedef|const_type|"
                   r"volatile_type|subprogram|subroutine_type|formal_parameter)\)\n((?:    <.*\n)*)")
DEBUGGED = re.compile(r"DW_AT_producer .* -g[23]?(?: |$)", re.M)  # -g1 has no types
NAME = re.compile(r"DW_AT_name +: (?:\(.*?\): )?(\w+)")
SIZE = re.compile(r"DW_AT_byte_size +: (\d+)")
TYPE = re.compile(r"DW_AT_type +: <0x([0-9a-f]+)>")
TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
BODY = re.compile(r"^(\w+)\([^\n]*\n(?:[^\n{]+\n)*?\{\n(.*?)^\}", re.M | re.S)


def found(pattern, text):
    match = pattern.search(text)
    return match and match[1]


class Unit:
    """The types and functions of one object."""

    def __init__(self, text):
        self.types, self.functions = {}, []
        for level, at, tag, facts in ENTRY.findall(text):
            if tag == "formal_parameter":
                if level == "2" and self.functions:
                    self.functions[-1][2].append(found(TYPE, facts))
            elif tag in ("subprogram", "subroutine_type"):
                self.functions.append((found(NAME, facts) or "a pointer to a function", found(TYPE, facts), []))
            else:
                self.types[at] = (tag, found(NAME, facts), int(found(SIZE, facts) or 0), found(TYPE, facts))

    def large(self, at):
        """Its name and size where a type is such a struct, also by a name that a typedef gives; else None."""
        while at in self.types:
            tag, name, size, of = self.types[at]
            if tag in ("structure_type", "union_type"):
                return (name or "without a name", size) if size > MOST else None
            at = of
        return None

    def findings(self):
        for name, result, parameters in self.functions:
            for what, at in [("returns", result)] + [("takes", at) for at in parameters]:
                large = self.large(at)
                if large:
                    yield f"{name} {what} struct {large[0]} by value: {large[1]} bytes"

    def names(self):
        """The structs that are too large to be copied."""
        return {name for tag, name, size, _ in self.types.values() if tag == "structure_type" and name and size > MOST}


def copies(source, names):
    """Line and struct of each local that is a copy."""
    code = TEXT.sub(lambda text: re.sub(r"[^\n]", " ", text[0]), source)
    declared = re.compile(rf"\bstruct ({'|'.join(sorted(names))})\s+([^;{{}}()]*?(?:=|;))") if names else None
    for function in BODY.finditer(code) if names else ():
        at, body, locals_of = function.start(2), function[2], {}
        for struct in declared.finditer(body):
            for local in re.findall(r"(?<![*\w])(?<!\*const )(\w+)(?:\[[^\]]*\])?\s*(?=[,;=])", struct[2]):
                locals_of[local] = struct[1]
        for local, name in locals_of.items():
            given_by = rf"(?<![\w.>*&]){local}(?:\[[^\]\n]*\])?\s*=(?!=|\s*(?:\{{|\(struct \w+\)))"
            for given in re.finditer(given_by, body):
                yield code.count("\n", 0, at + given.start()) + 1, name


def read(path, source):
    text = subprocess.run(["readelf", "--debug-dump=info", "--dwarf-depth=3", path], check=True, capture_output=True,
                          text=True, errors="replace").stdout
    if not DEBUGGED.search(text):
        return [f"{path}: nothing for debuggers: build it with -g"]
    unit = Unit(text)
    return list(unit.findings()) + [
        f"{source}:{line}: a local is a copy of a struct {name}" for line, name in copies(
            source.read_text(encoding="utf-8"), unit.names())]


def main():
    objects = pathlib.Path(sys.argv[1])
    sources = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    paths = sorted(path for room in ROOMS for path in (objects / room).rglob("*.o")
                   if (sources / path.relative_to(objects)).with_suffix(".c").exists())
    with concurrent.futures.ProcessPoolExecutor() as pool:
        lists = list(pool.map(read, paths, [(sources / path.relative_to(objects)).with_suffix(".c") for path in paths],
                              chunksize=8))
    bad = sorted({line for lines in lists for line in lines}) if paths else [f"{objects}: no objects; build first"]
    print("".join(f"{line}\n" for line in bad) + f"by value: {len(paths)} objects, {len(bad)} problems")
    return len(bad) > 0


if __name__ == "__main__":
    sys.exit(main())
