#!/usr/bin/python3
"""hostile.py [--short] [THEME...] - hostile clients, scripts, names and words against the real programs.

Each theme is a file hostile_<theme>.py with play(hall).  SEED=n plays the same again.  Prints what was
done and how often each fault was really met; one that was never met fails the campaign.
"""
# SPDX-License-Identifier: ISC
import argparse
import importlib
import os
import pathlib
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback

from hostile_aid import Failure, Hall, is_at_rest   # first: it finds the rest
import oracle

THEMES = ("framing", "bodies", "words", "secrets", "refs", "process", "slow")
SHORT = ("framing", "bodies", "words")      # ten seconds: part of make test


def play(hall, theme):
    """True when every promise held."""
    print(f"{theme}:", flush=True)
    began, before, wanted = time.monotonic(), dict(hall.hits), set(hall.wanted)
    try:
        importlib.import_module(f"hostile_{theme}").play(hall)
        ask_oracle(hall, theme)
        missed = [line for line in hall.missed() if line.split(": ")[0] not in wanted]
        if missed:
            raise Failure("never met, or too seldom: " + "; ".join(missed))
        is_good = True
    except Exception as error:
        is_good = False
        text = str(error) if isinstance(error, Failure) else traceback.format_exc()
        print(f"    BROKEN: {text}", flush=True)
    for name, count in hall.hits.items():
        if count > before.get(name, 0):
            print(f"    {count - before.get(name, 0):6d}  {name}")
    print(f"    {'held' if is_good else 'FAILED'} in {time.monotonic() - began:.1f} s", flush=True)
    return is_good


def ask_oracle(hall, theme):
    """What every campaign asks of rows and files, of each state that this theme has left."""
    build = pathlib.Path(os.environ["DEPLOYBOT_BUILD"])
    name = f"{theme}: states that the oracle has looked at"
    hall.wants(name)
    for database in sorted(hall.folder.glob("*/**/state/deploybot.db")):
        if database in hall.looked_at:
            continue
        hall.looked_at.add(database)
        oracle.look_at_folder(build, database.parent.parent, *([] if is_at_rest(database) else ["moving"]))
        hall.hit(name)


def options():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("themes", nargs="*", metavar="THEME", help=" ".join(THEMES))
    parser.add_argument("--short", action="store_true", help="a small sample, as part of make test")
    parser.add_argument("--build", default=os.environ.get("DEPLOYBOT_BUILD", "build"), help="where the programs are")
    parser.add_argument("--keep", help="where what is left of failures is kept")
    chosen = parser.parse_args()
    unknown = [word for word in chosen.themes if word not in THEMES]
    if unknown:
        parser.error(f"no such theme: {' '.join(unknown)}; there are: {' '.join(THEMES)}")
    # What is started by the kits of the end-to-end tests is found by these.
    os.environ["DEPLOYBOT_BUILD"] = os.path.abspath(chosen.build)
    return chosen


def main():
    given = options()
    is_short = given.short
    chosen = given.themes or list(SHORT if is_short else THEMES)
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    print(f"SEED={seed}", flush=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))     # what was started is ended on the way out
    folder = tempfile.mkdtemp(prefix="hostile-", dir=given.keep)
    failed = []
    try:
        hall = Hall(folder, seed, is_short)
        failed = [theme for theme in chosen if not play(hall, theme)]
    finally:
        if failed:
            print(f"what was left: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for theme in failed:
        print(f"again: make check-hostile SEED={seed} WHAT={theme}{' SHORT=1' if is_short else ''}")
    print(f"hostile: {len(chosen) - len(failed)} of {len(chosen)} themes held")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
