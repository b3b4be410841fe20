"""fault_page.py - the page of libfault.so: what was called and from where, and what is to fail.

    page = Page(folder / "fault.page")
    scene.launch(environment=page.environment(build))
    page.arm_site(site, "ENOSPC")           # or page.arm_rule("write", "server", "EIO", n)
    …
    page.heal()
"""
# SPDX-License-Identifier: ISC
import errno
import mmap
import os
import pathlib
import re
import struct
import subprocess
from dataclasses import dataclass


def words_of(table):
    """The words of a table of fault.h, in its order: #define TABLE(X) X(word) X(word)"""
    text = (pathlib.Path(__file__).parent / "fault.h").read_text("utf-8").replace("\\\n", " ")
    return tuple(re.findall(r"\b[A-Z]\((\w+)\)", re.search(rf"^#define {table}\(\w\)(.*)$", text, re.M).group(1)))


LEAKS_OF_OTHERS = pathlib.Path(__file__).parents[1] / "tools" / "lsan.supp"

CLASSES = words_of("FAULT_CLASSES")
ROLES = words_of("FAULT_ROLES")
KINDS = words_of("FAULT_KINDS")

# As struct fault_page and struct fault_site of fault.h.
ARMED, SITES_ON, RULE, PATH, CALLS = 8, 12, 16, 64, 192
HITS = CALLS + 8 * len(ROLES) * len(CLASSES)
LOST = HITS + 8 * len(ROLES) * len(CLASSES)
MODULES = LOST + 24
SITES = MODULES + 64 * 64
SITE_COUNT, SITE_SIZE, MODULE_COUNT, MODULE_SIZE = 32768, 128, 64, 64
SIZE = SITES + SITE_COUNT * SITE_SIZE
SITE = struct.Struct("<QIBBBBQIIiI16s9Q")
FAIL = 24       # of a site: fail, skip, error, hits


@dataclass(frozen=True)
class Site:
    """Where calls come from.  The key is the same in every run of one build."""
    key: int
    role: str
    kind: str       # of what its descriptor is
    group: str      # its class
    call: str
    calls: int
    hits: int
    frames: tuple
    place: int      # in the page

    def label(self):
        return f"{self.role}.{self.group}.{self.call}.{self.key:016x}"


class Page:
    """A file that is mapped here and in every process of a trial."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.path.unlink(missing_ok=True)
        with open(self.path, "x+b") as file:
            file.truncate(SIZE)
            self.memory = mmap.mmap(file.fileno(), SIZE)

    def close(self):
        self.memory.close()
        self.path.unlink(missing_ok=True)

    def environment(self, build, sanitizer_log=None, sites=True):
        """What deploybot is started with; it hands this to its runner, and no script gets it."""
        options = "verify_asan_link_order=0:allocator_may_return_null=1"
        found = {"LD_PRELOAD": str(pathlib.Path(build) / "faults" / "libfault.so"),
                 "FAULT_PAGE": str(self.path), "ASAN_OPTIONS": options, "UBSAN_OPTIONS": "print_stacktrace=1",
                 "LSAN_OPTIONS": f"suppressions={LEAKS_OF_OTHERS}:print_suppressions=0"}
        if sites:
            found["FAULT_SITES"] = "1"
        if sanitizer_log is not None:
            found["ASAN_OPTIONS"] += f":log_path={sanitizer_log}"
            found["UBSAN_OPTIONS"] += f":log_path={sanitizer_log}"
        return found

    # --- what is to fail ---

    def number(self, at):
        return struct.unpack_from("<I", self.memory, at)[0]

    def write(self, at, form, *values):
        struct.pack_into("<" + form, self.memory, at, *values)

    def heal(self):
        """Nothing fails any more."""
        self.write(ARMED, "I", 0)

    def arm(self):
        self.write(ARMED, "I", 1)

    def arm_site(self, site, error, count=1, skip=0):
        """The next calls from there fail.  The site is one of this page, or of another with the same key."""
        place = self.find(site.key)
        if place is None:
            place = self.put(site)
        self.write(place + FAIL, "IIi", count, skip, number_of(error))
        self.arm()

    def arm_rule(self, group, role, error, n=1, count=1, path="", kind=""):
        """The n-th call from now on of this class and process, and `count` in all."""
        self.heal()
        self.write(RULE, "IIiIQQQQ", CLASSES.index(group), 1 << ROLES.index(role), number_of(error),
                   1 << KINDS.index(kind) if kind else 0, n - 1, count, 0, 0)
        self.memory[PATH:PATH + 128] = path.encode().ljust(128, b"\0")
        self.arm()

    # --- what was called ---

    def rule_hits(self):
        return struct.unpack_from("<Q", self.memory, RULE + 40)[0]

    def totals(self, at):
        found = struct.unpack_from(f"<{len(ROLES) * len(CLASSES)}Q", self.memory, at)
        return {(role, group): found[r * len(CLASSES) + c]
                for r, role in enumerate(ROLES) for c, group in enumerate(CLASSES)}

    def calls(self):
        return self.totals(CALLS)

    def hits(self):
        return self.totals(HITS)

    def find(self, key):
        for i in range(SITE_COUNT):
            place = SITES + (key + i) % SITE_COUNT * SITE_SIZE
            found = struct.unpack_from("<Q", self.memory, place)[0]
            if found == key:
                return place
            if found == 0:
                return None
        return None

    def put(self, site):
        """As libfault.so would when it meets it: before its program is started."""
        for i in range(SITE_COUNT):
            place = SITES + (site.key + i) % SITE_COUNT * SITE_SIZE
            if struct.unpack_from("<Q", self.memory, place)[0] == 0:
                self.memory[place:place + SITE_SIZE] = SITE.pack(
                    site.key, 1, CLASSES.index(site.group), ROLES.index(site.role), KINDS.index(site.kind),
                    len(site.frames), 0, 0, 0, 0, 0, site.call.encode(),
                    *site.frames, *[0] * (9 - len(site.frames)))
                return place
        raise RuntimeError("the page is full")

    def sites(self):
        """Those that were met, or armed, until now."""
        if struct.unpack_from("<Q", self.memory, LOST)[0]:
            raise RuntimeError("more sites than the page has room for: FAULT_SITES of fault.h")
        found = []
        for place in range(SITES, SIZE, SITE_SIZE):
            if self.memory[place:place + 8] == b"\0" * 8 or not self.number(place + 8):
                continue
            (key, _, group, role, kind, count, calls, _, _, _, hits, call, *frames) = SITE.unpack_from(
                self.memory, place)
            found.append(Site(key, ROLES[role], KINDS[kind], CLASSES[group], call.rstrip(b"\0").decode(),
                              calls, hits, tuple(frames[:count]), place))
        return found

    def describe(self, site, build):
        """Its frames, with the names that addr2line knows."""
        names = {}
        for i in range(MODULE_COUNT):
            place = MODULES + i * MODULE_SIZE
            names[struct.unpack_from("<Q", self.memory, place + 56)[0]] = (
                self.memory[place:place + 56].rstrip(b"\0").decode())
        lines = [f"{site.label()}: {site.calls} calls, {site.hits} failed"]
        for frame in site.frames:
            name, offset = names.get(frame >> 48, "?"), (frame & 0xffffffffffff) - 1
            text = f"{name}+{offset:#x}"
            if (pathlib.Path(build) / name).is_file():
                done = subprocess.run(["addr2line", "-fse", str(pathlib.Path(build) / name), hex(offset)],
                                      capture_output=True, text=True, check=False)
                text = " ".join(done.stdout.split()) or text
            lines.append(f"    {text}")
        return "\n".join(lines)


def number_of(error):
    return 0 if error == "short" else getattr(errno, error)


def is_sanitized(build):
    return b"__asan_init" in (pathlib.Path(build) / "deploybot").read_bytes()


def complaints(folder):
    """What sanitizers wrote below `sanitizer_log`, of whatever process."""
    found = []
    for path in sorted(pathlib.Path(folder).glob("sanitizer.*")):
        found.append(path.read_text("utf-8", "replace"))
        os.unlink(path)
    return "\n".join(found)
