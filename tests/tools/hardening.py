#!/usr/bin/python3
"""hardening.py BUILD - what the programs of that build are protected by, as readelf sees it; exit 1 without.

FORTIFY, the stack protector and the rest are asked for by the Makefile, and lost without a word by one wrong flag.
"""
# SPDX-License-Identifier: ISC
import pathlib
import platform
import re
import subprocess
import sys

LIBC = {"libc.so.6"}
# In a sanitized build others come with it: this is for the programs that are installed.
PROGRAMS = {
    "deploybot": LIBC | {"libev.so.4", "libmicrohttpd.so.12", "libcurl.so.4", "libjansson.so.4", "libsqlite3.so.0",
                         "libcrypto.so.3", "libsystemd.so.0", "libz.so.1", "liboath.so.0", "libqrencode.so.4",
                         "libexpat.so.1", "libpq.so.5", "libseccomp.so.2"},
    "deploybot-runner": LIBC,
    "deploybot-remote-runner": LIBC | {"libcrypto.so.3"},
    "deploybot-judge": LIBC | {"libyaml-0.so.2"},
    "deploybot-unpack": LIBC | {"libarchive.so.13", "libseccomp.so.2"},
    "deploybot-agent": LIBC | {"libsystemd.so.0", "libcrypto.so.3"},
    "deploybot-link": LIBC | {"libssl.so.3", "libcrypto.so.3"},
}
FORTIFIED_MIN = {"deploybot": 8, "deploybot-runner": 4, "deploybot-judge": 3,   # different functions
                 "deploybot-remote-runner": 4, "deploybot-agent": 4, "deploybot-link": 4,
                 "deploybot-unpack": 3}
LANDINGS_MIN = 50       # without -fcf-protection there are two


def tell(tool, *options):
    return subprocess.run([tool, *options], text=True, capture_output=True, check=True).stdout


def look_at(path, needed):
    """(what must be so, whether it is so)"""
    header = tell("readelf", "-hW", path)
    segments = tell("readelf", "-lW", path)
    dynamic = tell("readelf", "-dW", path)
    symbols = set(re.findall(r"UND +([\w]+)", tell("readelf", "--dyn-syms", "-W", path)))
    flags = re.findall(r"^ +(LOAD|GNU_STACK) .* ([R ][W ][E ]) 0x", segments, re.MULTILINE)
    stack = [bits for kind, bits in flags if kind == "GNU_STACK"]
    libraries = set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))
    fortified = {name for name in symbols if re.fullmatch(r"__\w+_chk", name)}
    yield "it runs at any address", "DYN (" in header and re.search(r"FLAGS_1.*\bPIE\b", dynamic)
    yield "what is relocated is read-only", "GNU_RELRO" in segments
    yield "all is bound at the start", re.search(r"FLAGS_1.*\bNOW\b", dynamic)
    yield "no segment can be written and executed", flags and not any("W" in bits and "E" in bits for _, bits in flags)
    yield "the stack is not executable", stack == ["RW "]
    yield "no code is relocated", "TEXTREL" not in dynamic
    yield "no library is looked for elsewhere", "RPATH" not in dynamic and "RUNPATH" not in dynamic
    yield f"no library but {' '.join(sorted(needed))} (there: {' '.join(sorted(libraries))})", libraries <= needed
    yield "functions guard their stack", "__stack_chk_fail" in symbols
    yield (f"calls of libc are fortified (there: {len(fortified)})", len(fortified) >= FORTIFIED_MIN[path.name])
    if platform.machine() == "x86_64":
        code = tell("objdump", "-d", path)
        # By the code itself: the note of the whole says nothing where libc's start files have none.
        landings = code.count("\tendbr64")
        yield f"indirect jumps land where one may (there: {landings} places)", landings >= LANDINGS_MIN
        yield "large frames touch each page of the stack", re.search(r"\bor[qbl]? +\$0x0,\(%rsp\)", code)


def main():
    build = pathlib.Path(sys.argv[1])
    checks = bad = 0
    for name, needed in PROGRAMS.items():
        for what, is_so in look_at(build / name, needed):
            checks += 1
            if not is_so:
                bad += 1
                print(f"{build / name}: NOT SO: {what}")
    print(f"hardening: {checks} checks, {bad} problems")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
