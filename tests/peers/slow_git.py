#!/usr/bin/python3 -IS
"""slow_git.py - a strict stand-in for ssh to a git server whose line is as slow as a file says.

It stands in PATH as `ssh`; SLOW_GIT is a folder with the file `pace`, which is looked at all the time:
    N        bytes a second
    0        nothing at all, and the connection stays
    cut      the connection ends in the middle
Only `git-upload-pack 'PATH'` is carried out, of a repository below SLOW_GIT/..; each call is a line of `calls`.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import select
import subprocess
import sys
import threading

PIECE_S = 0.02
AT_ONCE = 1 << 20
FREE = 1000     # the greeting and the negotiation are small, and pass


def refuse(text):
    print(f"slow_git: {text}", file=sys.stderr)
    sys.exit(255)


def pump(source, target):
    """What the client says goes on as it comes."""
    while True:
        piece = os.read(source, AT_ONCE)
        if not piece:
            break
        try:
            os.write(target, piece)
        except OSError:
            break
    os.close(target)


def send(piece):
    while piece:
        piece = piece[os.write(1, piece):]


def throttle(source, folder, allowed=FREE):
    while True:
        pace = (folder / "pace").read_text(encoding="ascii").strip() or "0"
        if allowed < 1:
            if pace == "cut":
                return
            select.select([], [], [], PIECE_S)      # the line is that slow
            allowed += int(pace) * PIECE_S
            continue
        piece = os.read(source, max(1, min(AT_ONCE, int(allowed))))
        if not piece:
            return
        send(piece)
        allowed -= len(piece)


def main():
    folder = pathlib.Path(os.environ["SLOW_GIT"])
    words = [word for word in sys.argv[1:] if not word.startswith("-o")]
    if words[:2] != ["-F", "none"]:
        refuse("wants -F none, so that nobody's configuration counts")
    wanted = re.fullmatch(r"git-upload-pack '(/[\w./-]+)'", sys.argv[-1])
    if wanted is None or not pathlib.Path(wanted.group(1)).resolve().is_relative_to(folder.resolve().parent):
        refuse(f"no command for here: {sys.argv[-1]}")
    with (folder / "calls").open("a", encoding="utf-8") as calls:
        calls.write(wanted.group(1) + "\n")
    server = subprocess.Popen(["git-upload-pack", wanted.group(1)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    threading.Thread(target=pump, args=(0, server.stdin.fileno()), daemon=True).start()
    throttle(server.stdout.fileno(), folder)
    server.kill()
    os._exit(0)     # the thread may wait for a client for ever


main()
