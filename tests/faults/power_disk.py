"""power_disk.py - what a disk could hold when the power goes: replays the journal of power.c.

    disk = Disk(folder, ["state", "audit.log"], backup)     # what stands there now is flushed
    disk.read(page)                                         # what programs did since
    disk.image(target, Damage("sectors", seed))             # one of the disks that may be found afterwards
"""
# SPDX-License-Identifier: ISC
#
# The model is POSIX at its strictest.  Bytes are safe once their file was flushed, a name once its folder
# was (not its file), and each may survive without the other; only a rename within a folder happens whole.
# Of what was not flushed anything may survive, in any order, in sectors of 512 bytes.  A file may have
# grown without its bytes having come: then it reads as zeros there.  What a shared mapping holds may have
# been written back page by page.  File systems promise more than this; nobody may rely on it.
import collections
import mmap
import os
import pathlib
import random
import re
import shutil
import stat
import struct
import typing

KINDS = ("write", "size", "flush", "create", "folder", "unlink", "rename", "link", "map", "told")
PAGE_HEAD = struct.Struct("=8Q168s")     # struct power_page
RECORD = struct.Struct("=IIQQIHHiI")    # struct record
MAGIC = 0x3152455754554f50
SECTOR, PAGE = 512, 4096
# Written by git and shells, which the journal does not see: each file that changed may be whole, empty or gone.
UNSEEN = ("git", "apps")


class Record(typing.NamedTuple):
    kind: str
    pid: int
    inode: int
    offset: int
    name: str
    other: str
    data: bytes


class Page:
    """The shared memory in which power.c notes everything."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.unlink(missing_ok=True)
        self.map = None

    def arm(self, kind, pattern, cut_at):
        """Before the programs start: the journal is empty, and behind which record the power goes (0: none)."""
        self.path.write_bytes(PAGE_HEAD.pack(MAGIC, 0, cut_at, 0, 0, 0, 0, KINDS.index(kind), pattern.encode()))

    def head(self):
        with open(self.path, "rb") as file:
            return PAGE_HEAD.unpack(file.read(PAGE_HEAD.size))

    @property
    def count(self):
        return self.head()[1]

    @property
    def is_cut(self):
        return self.head()[3] != 0

    def cut_now(self):
        """The power goes, wherever the programs are."""
        with open(self.path, "r+b") as file, mmap.mmap(file.fileno(), PAGE_HEAD.size) as view:
            view[24:32] = struct.pack("=Q", 1)

    def records(self):
        """Every record that is whole, in its order."""
        _, _, _, _, used, is_full, *_ = self.head()
        if is_full:
            raise RuntimeError("the journal of power.c is full: make JOURNAL_BYTES larger")
        with open(self.path, "rb") as file:
            file.seek(PAGE_HEAD.size)
            journal = file.read(used)
        at, found = 0, []
        while at < len(journal):
            length, kind, inode, offset, size, name, other, pid, _ = RECORD.unpack_from(journal, at)
            if length == 0:
                break       # it was being written when all stood still
            start = at + RECORD.size
            data = start + name + other
            found.append(Record(KINDS[kind], pid, inode, offset, journal[start:start + name - 1].decode(),
                                journal[start + name:data - 1].decode(), journal[data:data + size]))
            at += length
        return found, at == used

    def is_whole(self):
        """Nobody is in the middle of a record."""
        return self.records()[1]


class File:
    """A file's flushed bytes, and what was written to it since."""

    def __init__(self, inode, mode=0o600, data=b""):
        self.inode = inode
        self.mode = mode
        self.safe = bytearray(data)
        self.pending = []       # (number, offset, bytes), or (number, size, None): a new size
        self.is_mapped = False

    def flush(self):
        for _, offset, data in self.pending:
            put(self.safe, offset, data)
        self.pending = []


class Folder:
    """Its names as programs see them, and as they are flushed."""

    def __init__(self, mode=0o700):
        self.mode = mode
        self.names = {}
        self.safe = {}
        self.pending = []       # Change


class Change:
    """A change of names, that lasts as a whole or not at all."""

    def __init__(self, number, *steps):
        self.number = number
        self.steps = steps      # (folder, name, what is there then or None)
        self.is_safe = False
        for folder, name, entry in steps:
            folder.pending.append(self)
            if entry is None:
                folder.names.pop(name, None)
            else:
                folder.names[name] = entry

    def apply(self, names_of):
        for folder, name, entry in self.steps:
            if entry is None:
                names_of(folder).pop(name, None)
            else:
                names_of(folder)[name] = entry


def put(data, offset, piece):
    """Writes into a bytearray, or gives it a new size."""
    if piece is None:
        del data[offset:]
        data.extend(bytes(offset - len(data)))
        return
    if len(data) < offset:
        data.extend(bytes(offset - len(data)))
    data[offset:offset + len(piece)] = piece


class Damage:
    """What survives of that which was not flushed.

    lost     nothing
    kept     everything: as after kill -9
    prefix   what came before some moment; what was on its way then is torn
    files    of some files and folders everything, of others nothing
    sectors  each sector and each name by lot
    """

    MODES = ("lost", "prefix", "files", "sectors")

    def __init__(self, mode, seed=0):
        self.mode = mode
        self.draw = random.Random(f"{mode} {seed}")
        self.share = self.draw.choice((0.1, 0.5, 0.9))
        self.sector = self.draw.choice((SECTOR, PAGE))
        self.until = 0
        self.of_object = {}
        self.writes_lost = self.writes_torn = self.names_lost = self.maps_lost = 0

    def begin(self, numbers):
        numbers = sorted(numbers)
        # What was on its way when the power went is most often the newest.
        self.until = self.draw.choice((numbers[-1], self.draw.choice(numbers))) if numbers else 0

    def survives(self, number, thing):
        """Does a whole change?  None: only a part of it."""
        if self.mode in ("lost", "kept"):
            return self.mode == "kept"
        if self.mode == "prefix":
            return None if number == self.until else number < self.until
        if self.mode == "files":
            key = id(thing)
            if key not in self.of_object:
                self.of_object[key] = self.draw.random() < 0.5
            return self.of_object[key]
        return None

    def name_survives(self, change):
        """Names are not torn."""
        is_kept = self.survives(change.number, change.steps[0][0])
        if is_kept is None:
            is_kept = self.draw.random() < self.share
        self.names_lost += not is_kept
        return is_kept

    def content(self, file):
        """What is found in a file."""
        data = bytearray(file.safe)
        size = 0
        for number, offset, piece in file.pending:
            is_kept = self.survives(number, file)
            end = offset + len(piece or b"")
            if is_kept is None and piece is not None:
                self.put_sectors(data, offset, piece)
                size = max(size, end)
            elif is_kept or (is_kept is None and self.draw.random() < self.share):
                put(data, offset, piece)
                size = 0 if piece is None else size
            else:
                self.writes_lost += 1
        if size > len(data) and self.draw.random() < 0.5:
            put(data, size, None)       # it grew, and its bytes did not come
        return bytes(data)

    def put_sectors(self, data, offset, piece):
        kept = lost = 0
        at, until = 0, self.draw.randrange(len(piece) + 1)
        while at < len(piece):
            n = min(self.sector - (offset + at) % self.sector, len(piece) - at)
            if at + n <= until if self.mode == "prefix" else self.draw.random() < self.share:
                put(data, offset + at, piece[at:at + n])
                kept += 1
            else:
                lost += 1
            at += n
        self.writes_torn += kept > 0 and lost > 0
        self.writes_lost += kept == 0

    def mapped(self, safe, seen):
        """Of what stood in memory (seen) each page may have been written, or not."""
        if self.mode == "kept":
            return seen
        found = bytearray(seen if len(seen) == len(safe) or self.draw.random() < 0.5 else safe)
        for at in range(0, len(found), SECTOR):
            source = seen if self.mode != "lost" and self.draw.random() < self.share else safe
            found[at:at + SECTOR] = source[at:at + SECTOR].ljust(min(SECTOR, len(found) - at), b"\0")
        self.maps_lost += bytes(found) != seen
        return bytes(found)

    def unseen(self):
        """Of a file that a shell or git wrote: "whole", "empty" or "gone"."""
        if self.mode in ("lost", "kept"):
            return "gone" if self.mode == "lost" else "whole"
        return self.draw.choice(("whole", "whole", "empty", "gone"))

    def hits(self):
        counts = {"writes lost": self.writes_lost, "writes torn": self.writes_torn,
                  "names lost": self.names_lost, "mapped pages lost": self.maps_lost}
        return [name for name, n in counts.items() if n > 0]


class Disk:
    """The watched part of a folder."""

    def __init__(self, folder, names, backup=None):
        self.folder = pathlib.Path(folder)
        self.backup = pathlib.Path(backup or self.folder / "nothing")
        self.root = Folder()
        self.number = 0
        self.watched = names
        self.classes = collections.Counter()    # see class_of()
        self.runs = {}          # pid: whose exit record it wrote last
        for name in names:
            if (self.folder / name).exists():
                self.root.names[name] = self.root.safe[name] = self.take(self.folder / name)

    def take(self, path):
        """What stands there now is flushed."""
        st = os.lstat(path)
        if stat.S_ISREG(st.st_mode):
            return File(st.st_ino, stat.S_IMODE(st.st_mode), path.read_bytes())
        folder = Folder(stat.S_IMODE(st.st_mode))
        for entry in sorted(os.listdir(path)):
            mode = os.lstat(path / entry).st_mode
            if (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) and not self.is_unseen(path / entry):
                folder.names[entry] = folder.safe[entry] = self.take(path / entry)
        return folder

    def is_unseen(self, path):
        return path.parent == self.folder / "state" and path.name in UNSEEN

    # --- what was done ---

    def read(self, page, on_told=None):
        """Replays the journal; on_told(disk, packet, pid) is called where a packet was sent."""
        for record in page.records()[0]:
            self.number += 1
            self.classes[self.class_of(record)] += 1
            path = pathlib.Path(record.name)
            if record.kind == "told":
                if on_told is not None:
                    on_told(self, record.data, record.pid)
            elif not any(self.is_unseen(one) for one in (path, *path.parents)):
                if path.name == "exit":
                    self.runs[record.pid] = path.parent.name
                getattr(self, "on_" + record.kind)(path, record)

    def class_of(self, record):
        """Its kind, and the pattern of its path."""
        name = record.name.removeprefix(f"{self.folder}/")
        name = "." if name == str(self.folder) else name
        name = re.sub(r"/runs/\d+", "/runs/[0-9]*", name)
        return record.kind, re.sub(r"\.json\.\w{6}$", ".json.??????", name)

    def find(self, path):
        """The object at a path as programs see it; None where there is none."""
        at = self.root
        for part in path.relative_to(self.folder).parts:
            at = at.names.get(part) if isinstance(at, Folder) else None
        return at

    def parent(self, path):
        folder = self.find(path.parent)
        if folder is None:      # made by something that the journal does not see
            folder = Folder()
            Change(self.number, (self.parent(path.parent), path.parent.name, folder))
        return folder

    def file(self, path, inode, mode=0o600):
        found = self.find(path)
        if not isinstance(found, File) or found.inode != inode:
            found = File(inode, mode)
            Change(self.number, (self.parent(path), path.name, found))
        return found

    def on_create(self, path, record):
        Change(self.number, (self.parent(path), path.name, File(record.inode, stat.S_IMODE(record.offset))))

    def on_folder(self, path, record):
        Change(self.number, (self.parent(path), path.name, Folder(stat.S_IMODE(record.offset))))

    def on_write(self, path, record):
        self.file(path, record.inode).pending.append((self.number, record.offset, record.data))

    def on_size(self, path, record):
        self.file(path, record.inode).pending.append((self.number, record.offset, None))

    def on_map(self, path, record):
        self.file(path, record.inode).is_mapped = True

    def on_flush(self, path, record):
        found = self.find(path)
        if not isinstance(found, Folder):
            self.file(path, record.inode).flush()
            return
        for change in found.pending:
            if not change.is_safe:
                change.is_safe = True
                change.apply(lambda folder: folder.safe)
        found.pending = []

    def on_unlink(self, path, _):
        if self.find(path) is not None:
            Change(self.number, (self.parent(path), path.name, None))

    def on_rename(self, path, record):
        moved, target = self.find(path), pathlib.Path(record.other)
        if moved is not None:
            Change(self.number, (self.parent(path), path.name, None), (self.parent(target), target.name, moved))

    def on_link(self, path, record):
        target = pathlib.Path(record.other)
        if self.find(path) is not None:
            Change(self.number, (self.parent(target), target.name, self.find(path)))

    # --- what is found ---

    def everything(self):
        """Every folder and file that is there or was, before or after what is not flushed."""
        found, waiting = {}, [self.root]
        while waiting:
            thing = waiting.pop()
            if id(thing) in found:
                continue
            found[id(thing)] = thing
            if isinstance(thing, Folder):
                waiting += [*thing.names.values(), *thing.safe.values()]
                waiting += [entry for change in thing.pending for _, _, entry in change.steps if entry is not None]
        return list(found.values())

    def image(self, target, damage, is_whole=True):
        """Writes one of the disks that may be found (not whole: without what the journal does not see).
        Returns what was lost: Damage.hits()."""
        target = pathlib.Path(target)
        things = self.everything()
        changes = {id(change): change for thing in things if isinstance(thing, Folder)
                   for change in thing.pending if not change.is_safe}
        numbers = [change.number for change in changes.values()]
        numbers += [entry[0] for thing in things if isinstance(thing, File) for entry in thing.pending]
        damage.begin(numbers)
        names = {id(thing): dict(thing.safe) for thing in things if isinstance(thing, Folder)}
        for change in sorted(changes.values(), key=lambda one: one.number):
            if damage.name_survives(change):
                change.apply(lambda folder: names[id(folder)])
        target.mkdir(parents=True)
        for name, entry in names[id(self.root)].items():
            self.write(target / name, entry, names, damage, self.folder / name)
        if is_whole and (target / "state").is_dir():
            for name in UNSEEN:
                self.copy_unseen(name, target / "state" / name, damage)
        return damage.hits()

    def write(self, path, entry, names, damage, seen):
        if isinstance(entry, File):
            content = damage.content(entry)
            if entry.is_mapped:
                content = damage.mapped(content, read_or(seen, content))
            path.write_bytes(content)
            path.chmod(entry.mode)
            return
        path.mkdir()
        for name, inner in names[id(entry)].items():
            self.write(path / name, inner, names, damage, seen / name)
        path.chmod(entry.mode)

    def copy_unseen(self, name, target, damage):
        """A file that is as it was before has stood there long enough."""
        now, before = self.folder / "state" / name, self.backup / "state" / name
        for folder, folders, files in os.walk(now):
            inner = pathlib.Path(folder).relative_to(now)
            (target / inner).mkdir(exist_ok=True)
            for entry in files + [one for one in folders if (pathlib.Path(folder) / one).is_symlink()]:
                source, old = pathlib.Path(folder) / entry, before / inner / entry
                fate = "whole" if is_same(source, old) else damage.unseen()
                if fate == "gone" and old.exists():
                    source, fate = old, "whole"
                if fate == "whole":
                    shutil.copy2(source, target / inner / entry, follow_symlinks=False)
                elif fate == "empty" and not source.is_symlink():
                    (target / inner / entry).touch()


def read_or(path, otherwise):
    try:
        return path.read_bytes()
    except OSError:
        return otherwise


def is_same(one, other):
    try:
        a, b = os.lstat(one), os.lstat(other)
    except OSError:
        return False
    return (a.st_size, a.st_mtime_ns) == (b.st_size, b.st_mtime_ns)
