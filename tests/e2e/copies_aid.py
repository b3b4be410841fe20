"""copies_aid.py - what a release does to a bench is done once; a bench that is alike in all files gets a copy of that.

`@once` stands before what changes nothing but files: the first call carries it out, on a bench whose files say the same
but for its own paths, keys and ports, and keeps what it wrote; others write that, with theirs.  All workers share it.
"""
# SPDX-License-Identifier: ISC
import fcntl
import functools
import hashlib
import os
import pickle
import re
import shutil
import stat

MARK = b"\xff\xfe%d\xff"        # stands in a copy for the n-th word that a bench has for itself


class Words:
    """What differs between two benches that are alike."""

    def __init__(self, bench):
        words = sorted(map(os.fsencode, bench.own_words()), key=len, reverse=True)
        self.marks = {word: MARK % at for at, word in enumerate(words)}
        # A port is a number of its own, not the digits of another or of a sum.
        each = (rb"(?<![0-9A-Za-z])%s(?![0-9A-Za-z])" % word if word.isdigit() else re.escape(word) for word in words)
        self.find = re.compile(b"|".join(each))
        self.words = words

    def take_out(self, data):
        return self.find.sub(lambda found: self.marks[found[0]], data)

    def put_in(self, data):
        return re.sub(rb"\xff\xfe(\d+)\xff", lambda found: self.words[int(found[1])], data)


def look(path, words):
    """{name: (kind, mode, content)} of all that is below a folder; None where that is no matter of files alone."""
    found = {}
    for folder, folders, files in os.walk(path):
        for name in folders + files:
            full = os.path.join(folder, name)
            of = os.lstat(full)
            if stat.S_ISLNK(of.st_mode):
                kind, content = "link", words.take_out(os.fsencode(os.readlink(full)))
            elif stat.S_ISREG(of.st_mode):
                with open(full, "rb") as file:
                    kind, content = "file", words.take_out(file.read())
            elif stat.S_ISDIR(of.st_mode):
                kind, content = "folder", b""
            else:
                return None
            found[os.path.relpath(full, path)] = kind, stat.S_IMODE(of.st_mode), content
    return found


def can_be_copied(found):
    """A path within a commit is part of its sum."""
    return not any(b"\xff\xfe" in content for name, (_, _, content) in found.items()
                   if name.startswith("repository/") and not name.startswith("repository/.git/"))


def write(path, name, entry, words, at):
    kind, mode, content = entry
    full = os.path.join(path, name)
    if os.path.lexists(full) and (kind != "folder" or not os.path.isdir(full) or os.path.islink(full)):
        remove(full)
    if kind == "link":
        os.symlink(words.put_in(content), os.fsencode(full))
        return
    if kind == "folder":
        os.makedirs(full, exist_ok=True)
    else:
        with open(full, "wb") as file:
            file.write(words.put_in(content))
        os.utime(full, ns=(at, at))
    os.chmod(full, mode)


def remove(full):
    if os.path.isdir(full) and not os.path.islink(full):
        shutil.rmtree(full)
    elif os.path.lexists(full):
        os.unlink(full)


def keep(bench, words, before, file, result):
    after = look(bench.path, words)
    if after is None or not can_be_copied(after):
        return
    changed = [(name, entry, os.lstat(bench.path / name).st_mtime_ns) for name, entry in sorted(after.items())
               if before.get(name) != entry]
    kept = result, bench.number, changed, sorted(set(before) - set(after))
    with open(f"{file}.new", "wb") as new:
        pickle.dump(kept, new)
    os.rename(f"{file}.new", file)


def copy(bench, words, file):
    with open(file, "rb") as kept:
        result, bench.number, changed, gone = pickle.load(kept)
    for name in gone:
        remove(bench.path / name)
    for name, entry, at in changed:
        write(bench.path, name, entry, words, at)
    bench.log = bench.path / f"log.{bench.number}"
    return result


def name_of(bench, act, asked, words, before):
    """What the copy depends on, as a name."""
    of_act = (type(bench).__qualname__, act.__module__, act.__qualname__)   # two files have a `shipped`
    of = hashlib.sha256(words.take_out(
        repr((of_act, asked, bench.number, sorted(bench.environment.items()))).encode()))
    for name, (kind, mode, content) in sorted(before.items()):
        of.update(f"{name} {kind} {mode} {len(content)}\n".encode() + content)
    return of.hexdigest()


def once(act):
    @functools.wraps(act)
    def acts(bench, *asked, **settings):
        words = Words(bench) if bench.copies is not None and not bench.lives() else None
        before = words and look(bench.path, words)
        if not before or not can_be_copied(before):
            return act(bench, *asked, **settings)
        file = bench.copies / name_of(bench, act, (asked, sorted(settings.items())), words, before)
        with open(f"{file}.lock", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                result = act(bench, *asked, **settings)
                if not bench.lives():
                    keep(bench, words, before, file, result)
                return result
        return copy(bench, words, file)
    return acts
