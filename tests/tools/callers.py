#!/usr/bin/python3
"""callers.py OBJECTS [SOURCES] - exported functions and data of the rooms of rooms.py that no other object of the
product refers to, as nm sees it in OBJECTS (build/obj): whatever only its own file uses is static, and whatever
only tests use goes, or is a seam of the list below, with its reason.
"""
# SPDX-License-Identifier: ISC
import collections
import pathlib
import re
import subprocess
import sys

from rooms import ROOMS

DEFINED = set("TDBRV")

# What tests need and the product has no other way to.  One that got a caller, or is gone, goes from here too.
SEAMS = {
    "pure functions that are tested or fuzzed by themselves; their own file calls them": (
        "doctor_http_date", "doctor_renews_standalone", "doctor_url_trouble", "health_watch_judge", "settings_diff",
        "fs_check_judge", "chat_ordinal", "state_watch_look",
        "state_watch_free_share", "workflow_line_matches"),
    "the rules of whose turn it is: a test walks them": ("turn_rules", "turn_rule_count"),
    "the rule table: tests walk each cell of it, and docs/ is drawn from it": (
        "deploy_rules", "deploy_rule_count", "supervisor_rules", "supervisor_rule_count"),
    "what an end offers: a test presses each": ("decide_tell_offers",),
    "the text of each migration: a test holds its digest": ("store_schema_sql",),
    "a public vector is kept with its derived key alone": ("telegram_init_data_check_key",),
    "a loop of tests turns once and looks": ("loop_run_once",),
    "the rule table of a run, walked and drawn too": ("run_rules", "run_rule_count"),
    "a log that is caught, while stderr stays the test's own": ("log_to",),
}


def symbols(paths):
    """(path, letter, name) of each symbol of these objects, but what a sanitizer adds."""
    listed = subprocess.run(["nm", "-AP", *paths], check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines():
        path, name, letter = line.split()[:3]
        if not name.startswith("__odr_asan."):
            yield pathlib.Path(path.removesuffix(":")), letter, name


def source_of(path, objects):
    return path.relative_to(objects).with_suffix(".c")


def uses_itself(sources, source, name):
    """Is it named in its own file more often than where it is defined?"""
    code = re.sub(r"/\*.*?\*/", "", (sources / source).read_text(encoding="utf-8"), flags=re.S)
    return len(re.findall(rf"\b{name}\b", code)) > 1


def findings(objects, sources, seams):
    defined, wanted = {}, collections.defaultdict(int)
    found = sorted(path for room in ROOMS for path in (objects / room).rglob("*.o")
                   if (sources / source_of(path, objects)).exists())
    if not found:
        return [f"{objects}: no objects; build first"]
    # Of a sanitized build deploybot-unpack alone is plain.
    main = objects / "plain/runner/main_unpack.o"
    for path, letter, name in symbols(found + [main] * main.exists()):
        if letter == "U":
            wanted[name] += 1
        elif letter in DEFINED and name != "main":
            defined[name] = source_of(path, objects)
    allowed = {name for names in seams.values() for name in names}
    said = []
    for name, source in sorted(defined.items(), key=lambda item: (item[1], item[0])):
        if wanted[name] == 0 and name not in allowed:
            what = "only its own file uses it: make it static" if uses_itself(sources, source, name) else \
                "nobody in the product uses it: delete it"
            said.append(f"{source}: {name}: {what}")
    for name in sorted(allowed):
        if name not in defined or wanted[name] > 0:
            said.append(f"tests/tools/callers.py: {name}: {'has a caller' if name in defined else 'is gone'}: "
                        "take it off the list")
    return said


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    said = findings(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2] if len(sys.argv) == 3 else "."), SEAMS)
    print("\n".join(said), end="\n" if said else "")
    sys.exit(1 if said else 0)


if __name__ == "__main__":
    main()
