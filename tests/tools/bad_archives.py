#!/usr/bin/python3
"""bad_archives.py --seed N --count N --into DIR - hostile archives from a seed, each through the real deploybot-unpack.

Each comes from a class below, with a few good files, in a format and with names that the seed chooses, and must be
taken or refused for the reason that stands there.  Whatever becomes of it, nothing lies outside its folder, and in it
nothing but plain files and folders of mode 0644 and 0755; the folder of one that is refused is removed, as the runner
does.  Prints how many there were of each reason; exit status 1, and the first ones, where one is not as it must be.
"""
# SPDX-License-Identifier: ISC
import argparse
import bz2
import collections
import gzip
import hashlib
import io
import lzma
import os
import pathlib
import random
import shutil
import signal
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build") / "deploybot-unpack"
MODES = {0o644, 0o755}
TAKEN = "taken"
SECONDS = 60
CLASSES = []    # (name, reasons, maker)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def bad(*reasons):
    """One of these is its violation, or TAKEN; the maker's name is the class's."""
    def note(maker):
        CLASSES.append((maker.__name__, set(reasons), maker))
        return maker
    return note


class Archive:
    """Entries in a format that the seed chooses, or that a class needs."""

    def __init__(self, rng, kind=None):
        self.rng = rng
        self.kind = kind or rng.choice(["tar", "tgz", "zip"])
        self.entries = []       # (name, content, changes of its TarInfo or ZipInfo)
        self.top = rng.choice(["", "", "site/"])
        for _ in range(rng.randrange(3)):
            self.add(self.word() + rng.choice([".html", ".css", "", ".js"]), rng.randbytes(rng.randrange(300)))

    def word(self):
        return "".join(self.rng.choices(LETTERS, k=8))

    def add(self, name, content=b"x", **changes):
        self.entries.append((self.top + name if "top" not in changes else name, content,
                             {key: value for key, value in changes.items() if key != "top"}))
        return self

    def bytes(self):
        out = io.BytesIO()
        (self.to_zip if self.kind == "zip" else self.to_tar)(out)
        return gzip.compress(out.getvalue(), mtime=0) if self.kind == "tgz" else out.getvalue()

    def to_tar(self, out):
        form = self.rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
        with tarfile.open(fileobj=out, mode="w", format=form, errors="surrogateescape") as tar:
            for name, content, changes in self.entries:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                info.mode = 0o644
                for key in changes.keys() & {"type", "linkname", "mode", "mtime", "devmajor", "devminor"}:
                    setattr(info, key, changes[key])
                tar.addfile(info, io.BytesIO(content))

    def to_zip(self, out):
        with zipfile.ZipFile(out, "w", self.rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as packed:
            for name, content, changes in self.entries:
                info = zipfile.ZipInfo("placeholder")
                info.filename = name        # the constructor cuts at NUL
                mode = changes.get("mode", 0o644) | changes.get("kind", stat.S_IFREG)
                info.external_attr = mode << 16
                info.create_system = changes.get("system", 3)
                packed.writestr(info, content, compress_type=changes.get("compress", packed.compression))


# --- the kinds of entries, and of archives ---------------------------------------------------------------------------

@bad("archive_type")
def link(rng):
    archive = Archive(rng)
    target = rng.choice(["/etc", "../..", "index.html", "/proc/self/environ"]).encode()
    if archive.kind == "zip":
        return archive.add("link", target, kind=stat.S_IFLNK).bytes()
    return archive.add("link", b"", type=tarfile.SYMTYPE, linkname=target.decode()).bytes()


@bad("archive_type")
def link_and_file_behind_it(rng):
    archive = Archive(rng, rng.choice(["tar", "tgz"]))
    archive.add("there", b"", type=tarfile.SYMTYPE, linkname=rng.choice(["/tmp", "../../.."]))
    return archive.add("there/owned", b"owned").bytes()


@bad("archive_type")
def hard_link(rng):
    archive = Archive(rng, rng.choice(["tar", "tgz"])).add("first", b"1")
    return archive.add("second", rng.choice([b"", b"2"]), type=tarfile.LNKTYPE,
                       linkname=rng.choice(["first", "/etc/passwd"])).bytes()


@bad("archive_type")
def device_or_pipe(rng):
    kind = rng.choice([tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
    return Archive(rng, rng.choice(["tar", "tgz"])).add("node", b"", type=kind, devmajor=1, devminor=3).bytes()


@bad("archive_type")
def device_in_a_zip(rng):
    kind = rng.choice([stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK])
    return Archive(rng, "zip").add("node", b"", kind=kind).bytes()


@bad(TAKEN)
def pipe_in_a_zip(rng):
    """Info-ZIP packs its standard input so: to libarchive it is a plain file, and is written as one."""
    return Archive(rng, "zip").add("node", b"", kind=stat.S_IFIFO).bytes()


@bad("archive_type")
def another_kind_by_its_magic(rng):
    magic = rng.choice([b"Rar!\x1a\x07\x00", b"Rar!\x1a\x07\x01\x00", b"7z\xbc\xaf\x27\x1c", b"\x28\xb5\x2f\xfd",
                        b"BZh9", b"!<arch>\n", b"070701", b"#mtree\n", b"xar!", b"MSCF", b"<html>", b"LRZI"])
    return magic + rng.randbytes(rng.randrange(4000))


@bad("archive_type")
def tar_in_another_compression(rng):
    plain = Archive(rng, "tar").add("index.html").bytes()
    return rng.choice([lzma.compress, bz2.compress])(plain)


@bad("archive_type")
def gz_in_gz(rng):
    packed = Archive(rng, "tgz").add("index.html").bytes()
    for _ in range(rng.randrange(1, 4)):
        packed = gzip.compress(packed)
    return packed


@bad("archive_type")
def zip_in_gz(rng):
    return gzip.compress(Archive(rng, "zip").add("index.html").bytes())


@bad("archive_type")
def lone_gz(rng):
    return gzip.compress(rng.randbytes(rng.randrange(1, 3000)))


@bad("archive_type", "archive_broken")
def noise(rng):
    return rng.choice([b"", b"PK\3\4", b"\x1f\x8b", b"\x1f\x8b\x08\x00", b"PK"]) + rng.randbytes(rng.randrange(3000))


@bad("archive_type", "archive_broken")
def nothing(_):
    return b""


# --- ways out --------------------------------------------------------------------------------------------------------

WAYS_OUT = ["../owned", "../../.ssh/authorized_keys", "a/../../owned", "a/..", "..", "a/b/../../../c",
            "/etc/cron.d/owned", "/tmp/owned", "//owned", "./../owned", "a/./../../owned", "../" * 40 + "tmp/owned"]


@bad("archive_traversal")
def way_out(rng):
    return Archive(rng).add(rng.choice(WAYS_OUT), b"owned", top=False).bytes()


@bad("archive_traversal")
def folder_that_leads_out(rng):
    archive = Archive(rng)
    name = rng.choice(["../out/", "a/../../out/", "/out/"])
    if archive.kind == "zip":
        return archive.add(name, b"", kind=stat.S_IFDIR, mode=0o755, top=False).bytes()
    return archive.add(name, b"", type=tarfile.DIRTYPE, mode=0o755, top=False).bytes()


@bad("archive_traversal")
def way_out_in_a_pax_header(rng):
    archive = Archive(rng, "tar")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo(archive.word())
        info.pax_headers = {"path": rng.choice(WAYS_OUT)}
        tar.addfile(info)
    return out.getvalue()


@bad("archive_traversal")
def way_out_in_a_long_name(rng):
    name = "a/" * 80 + "../" * 90 + "owned"
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        tar.addfile(tarfile.TarInfo(name))
    return rng.choice([bytes, gzip.compress])(out.getvalue())


@bad("archive_traversal", "archive_name")
def backslashes_of_dos(rng):
    return Archive(rng, "zip").add(rng.choice(["a\\..\\..\\owned", "..\\owned", "\\owned"]), b"owned", system=0,
                                   top=False).bytes()


# --- too much --------------------------------------------------------------------------------------------------------

@bad("archive_bomb")
def zeros(rng):
    archive = Archive(rng, rng.choice(["tgz", "zip"]))
    return archive.add("zeros", bytes(rng.choice([1, 10, 50]) << 20), compress=zipfile.ZIP_DEFLATED).bytes()


@bad("archive_bomb")
def zeros_that_say_they_are_few(rng):
    """The sizes in both headers of a zip are made small; its data is not."""
    archive = Archive(rng, "zip")
    archive.entries.clear()
    size = 5 << 20
    packed = bytearray(archive.add("zeros", bytes(size), compress=zipfile.ZIP_DEFLATED).bytes())
    at = packed.find(struct.pack("<L", size))
    while at >= 0:
        packed[at:at + 4] = struct.pack("<L", 10)
        at = packed.find(struct.pack("<L", size))
    return bytes(packed)


CLASSES[-1][1].add("archive_broken")        # libarchive itself stops where the data is longer than it was said to be


@bad("archive_bomb")
def entries_over_one_piece_of_data(rng):
    """Many central entries that name one local header, each with 1 MB of noise in it."""
    data = rng.randbytes(1 << 10) * 64
    packer = zlib.compressobj(9, 8, -15)
    deflated = packer.compress(data) + packer.flush()
    crc = zlib.crc32(data)
    name = b"kernel"
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 20, 0, 8, 0, 0, crc, len(deflated), len(data), len(name), 0)
    local += name + deflated
    central = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x314, 20, 0, 8, 0, 0, crc, len(deflated), len(data), 9, 0, 0, 0, 0,
                    0o100644 << 16, 0) + b"copy%05d" % number for number in range(3000))
    return local + central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 3000, 3000, len(central), len(local), 0)


CLASSES[-1][1].add(TAKEN)       # libarchive has one entry for each local header


@bad("archive_bomb")
def many_entries(rng):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for number in range(20001):
            tar.addfile(tarfile.TarInfo(f"{rng.randrange(10)}/{number}"))
    return gzip.compress(out.getvalue(), 1)


@bad("archive_bomb")
def many_folders_of_few_entries(rng):
    archive = Archive(rng, "tgz")
    for number in range(800):
        archive.add("/".join(f"{number}{letter}" for letter in LETTERS), b"")
    return archive.bytes()


@bad("archive_bomb")
def deep(rng):
    return Archive(rng).add("/".join(rng.choices(LETTERS, k=rng.randrange(33, 60)))).bytes()


@bad("archive_bomb")
def long_name(rng):
    return Archive(rng).add("n" * rng.randrange(256, 900)).bytes()


@bad("archive_bomb")
def long_path(rng):
    return Archive(rng).add("/".join(["n" * 200] * rng.randrange(6, 12))).bytes()


@bad("archive_bomb", "archive_broken")
def size_that_is_said(rng):
    info = tarfile.TarInfo("large")
    info.size = rng.choice([513 << 20, 1 << 33, 1 << 40, (1 << 63) - 1])
    return info.tobuf(rng.choice([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])) + bytes(1024)


@bad("archive_bomb")
def hole_of_a_terabyte(rng):
    size = rng.choice([1 << 40, 1 << 31, (1 << 62)])
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("sparse")
        info.size = 5
        info.pax_headers = {"GNU.sparse.name": "sparse", "GNU.sparse.size": str(size), "GNU.sparse.numblocks": "1",
                            "GNU.sparse.map": f"{size - 5},5"}
        tar.addfile(info, io.BytesIO(b"hello"))
    return out.getvalue()


@bad("archive_bomb", "archive_broken")
def zip64_that_says_a_terabyte(rng):
    name, size = b"large", rng.choice([1 << 40, (1 << 63) - 1, (1 << 64) - 1])
    more = struct.pack("<2H2Q", 1, 16, size, 4)
    local = struct.pack("<4s5H3L2H", b"PK\3\4", 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(more))
    local += name + more + b"data"
    central = struct.pack("<4s6H3L5H2L", b"PK\1\2", 0x32D, 45, 0, 0, 0, 0, 0, 0xFFFFFFFF, 0xFFFFFFFF, len(name),
                          len(more), 0, 0, 0, 0o100644 << 16, 0) + name + more
    return local + central + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(central), len(local), 0)


# --- names -----------------------------------------------------------------------------------------------------------

NAMES = ["new\nline", "carriage\rreturn", "escape\x1b[2J", "tab\there", "delete\x7f", "override\u202egnp.exe",
         "mark\u200fhere", "isolate\u2066x", "nothing\u200bhere", "bom\ufeffhere", "a;b", "a;rm -rf", "a&&b",
         "$(reboot)", "a$(id).html", "back\\slash", "-rf", "--help", "folder/-x", "dot.", "blank ", "folder./file",
         "folder /file", ".git/config", ".GIT/hooks/post-checkout", "sub/.git/HEAD", ".git", "a//b",
         "line\u2028separator", "\x01\x02"]


@bad("archive_name")
def odd_name(rng):
    archive = Archive(rng)
    name = rng.choice(NAMES)
    if archive.kind == "zip" and "\\" in name:
        archive.kind = "tar"
    return archive.add(name).bytes()


@bad("archive_name")
def name_of_other_bytes(rng):
    name = rng.choice([b"caf\xe9", b"\xff\xfe", b"over\xc0\xafslash", b"sur\xed\xa0\x80", b"cut\xe2\x82",
                       b"\xf4\x90\x80\x80"])
    header = bytearray(tarfile.TarInfo("placeholder").tobuf(tarfile.USTAR_FORMAT))
    header[:100] = name.ljust(100, b"\0")
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header[:512])
    return rng.choice([bytes, gzip.compress])(bytes(header) + bytes(1024))


@bad("archive_name")
def zip_of_another_charset(rng):
    packed = Archive(rng, "zip").add("XXXX.html").bytes()
    return packed.replace(b"XXXX", rng.choice([b"caf\x82", b"\xe9\xe9\xe9\xe9", b"\x93\xfa\x96\x7b"]))


@bad("archive_name", "archive_broken")
def pax_of_another_charset(rng):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("name")
        info.pax_headers = {"hdrcharset": rng.choice(["BINARY", "ISO-IR 8859 1 1998", "nonsense"]), "path": "caf\udce9"}
        tar.addfile(info)
    return out.getvalue()


@bad("archive_name")
def twice(rng):
    one, two = rng.choice([("index.html", "index.html"), ("index.html", "INDEX.html"), ("Über", "über"),
                           ("a/x", "A/y"), ("a", "a/b"), ("a/b", "a"), ("K", "\u212a")])
    return Archive(rng).add(one).add(two, b"other").bytes()


@bad("archive_name")
def file_and_folder(rng):
    archive = Archive(rng)
    folder = {"kind": stat.S_IFDIR} if archive.kind == "zip" else {"type": tarfile.DIRTYPE}
    names = [("a", {}), ("a/", folder)]
    rng.shuffle(names)
    for name, changes in names:
        archive.add(name, b"", **changes)
    return archive.bytes()


@bad("archive_name", TAKEN)
def name_with_a_nul(rng):
    """libarchive ends a name there, and what it gives is what is checked and written."""
    return Archive(rng, "zip").add("XXXX.html").bytes().replace(b"XXXX", rng.choice([b"ab\0c", b"\0abc", b"abc\0"]))


@bad("archive_name", TAKEN)
def two_names_of_one_entry(rng):
    """Central directory and local header differ: the local one is checked and written."""
    packed = Archive(rng, "zip").add("XXXX.html").bytes()
    at = packed.rfind(b"XXXX")
    return packed[:at] + rng.choice([b"YYYY", b"../x", b"a;b;"]) + packed[at + 4:]


@bad("archive_traversal", "archive_name")
def local_name_that_leads_out(rng):
    packed = Archive(rng, "zip").add("XXXX.html", top=False).bytes()
    at = packed.find(b"XXXX")
    return packed[:at] + rng.choice([b"../x", b"/xyz", b"a/..", b"a;b;"]) + packed[at + 4:]


CLASSES[-1][1].update({TAKEN})      # "a/...html" has a harmless name


# --- secrets ---------------------------------------------------------------------------------------------------------

@bad("secret_file")
def secret_by_its_name(rng):
    return Archive(rng).add(rng.choice([".env", ".env.production", ".ENV", "app/.env.local", ".ssh/config",
                                        "home/.ssh/x", "id_rsa", "keys/id_ed25519", "id_dsa", "id_ecdsa"]),
                            b"A=b").bytes()


@bad("secret_file")
def secret_by_its_content(rng):
    key = b"-----BEGIN %sPRIVATE KEY-----\nMIIE\n" % rng.choice([b"", b"RSA ", b"EC ", b"OPENSSH ", b"ENCRYPTED "])
    name, content = rng.choice([
        ("tls.pem", rng.randbytes(rng.randrange(60000)) + key), ("tls.key", key), ("deep/TLS.KEY", key),
        (".npmrc", b"//registry.npmjs.org/:_authToken=npm_x\n"), (".netrc", b"machine x login y password z\n"),
        (".dockercfg", b'{"x": {"auth": "eA=="}}')])
    return Archive(rng).add(name, content).bytes()


# --- broken ----------------------------------------------------------------------------------------------------------

@bad("archive_broken", "archive_type")
def cut(rng):
    archive = Archive(rng)
    archive.add("noise", rng.randbytes(4000))
    packed = archive.bytes()
    return packed[:rng.randrange(20, max(len(packed) - 3000, 100))]


@bad("archive_broken")
def encrypted(rng):
    archive = Archive(rng, "zip")
    archive.entries.clear()
    packed = bytearray(archive.add("index.html", b"secret").bytes())
    packed[6] |= 1
    packed[packed.find(b"PK\1\2") + 8] |= 1
    return bytes(packed)


@bad("archive_broken")
def other_content_than_its_sum(rng):
    content = rng.randbytes(100)
    packed = Archive(rng, "zip").add("data", content, compress=zipfile.ZIP_STORED).bytes()
    return packed.replace(content, bytes(100))


@bad("archive_broken")
def fewer_bytes_than_it_says(rng):
    archive = Archive(rng, "zip")
    archive.entries.clear()
    packed = bytearray(archive.add("data", b"x" * 77, compress=zipfile.ZIP_DEFLATED).bytes())
    packed[22] = packed[packed.find(b"PK\1\2") + 24] = 99
    return bytes(packed)


@bad("archive_broken")
def another_method_in_a_zip(rng):
    archive = Archive(rng, "zip")
    archive.entries.clear()
    packed = bytearray(archive.add("data", rng.randbytes(100), compress=zipfile.ZIP_STORED).bytes())
    method = rng.choice([6, 13, 97, 99])
    packed[8] = method
    packed[packed.find(b"PK\1\2") + 10] = method
    return bytes(packed)


@bad("archive_broken", "archive_type")
def wrong_checksum(rng):
    header = bytearray(tarfile.TarInfo("index.html").tobuf(tarfile.GNU_FORMAT))
    header[rng.randrange(100)] ^= 1 << rng.randrange(7)
    return bytes(header) + bytes(1024)


@bad("archive_broken", "archive_type")
def no_file_in_it(rng):
    out = io.BytesIO()
    if rng.random() < 0.5:
        with tarfile.open(fileobj=out, mode="w") as tar:
            for name in rng.sample(["a", "b", "c"], k=rng.randrange(3)):
                info = tarfile.TarInfo(name)
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
    else:
        zipfile.ZipFile(out, "w").close()
    return out.getvalue()


@bad("archive_type", "archive_bomb", "archive_traversal", "archive_name", "secret_file", "archive_broken", TAKEN)
def changed_bits(rng):
    packed = bytearray(Archive(rng).add("a/b", rng.randbytes(500)).add("c", b"text" * 50).bytes())
    for _ in range(rng.randrange(1, 20)):
        packed[rng.randrange(len(packed))] ^= 1 << rng.randrange(8)
    return bytes(packed)


# --- good ------------------------------------------------------------------------------------------------------------

@bad(TAKEN)
def good(rng):
    return Archive(rng).add("index.html", b"<h1>hello</h1>").add("css/é.css", b"a{}").bytes()


@bad(TAKEN)
def odd_modes_and_times(rng):
    archive = Archive(rng, rng.choice(["tar", "tgz"]))
    for mode in (0, 0o4755, 0o2777, 0o7777, 0o1644, 0o600):
        archive.add(f"mode{mode}", b"x", mode=mode, mtime=rng.choice([0, -10**9, 1200000000000, 2**33, 1]))
    archive.add("folder", b"", type=tarfile.DIRTYPE, mode=rng.choice([0, 0o7777]))
    return archive.bytes()


@bad(TAKEN)
def good_that_looks_bad(rng):
    archive = Archive(rng)
    for name in rng.sample([".env.example", ".gitignore", ".github/workflows/x.yml", "a..b", "...x", "a$b", "a&b",
                            "(x)", "env", "日本語.html", "id_rsa.pub", "a" * 255, "/".join(LETTERS)], k=4):
        archive.add(name)
    archive.add("cert.pem", b"-----BEGIN CERTIFICATE-----\n").add(".npmrc", b"registry=https://registry.npmjs.org/\n")
    return archive.bytes()


@bad(TAKEN)
def of_a_mac(rng):
    return Archive(rng, "zip").add("index.html").add("__MACOSX/._index.html", b"more", top=False).bytes()


@bad(TAKEN)
def archive_in_an_archive(rng):
    return Archive(rng).add("inner.zip", Archive(rng, "zip").add("../x", top=False).bytes()).bytes()


@bad(TAKEN)
def sparse(rng):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        info = tarfile.TarInfo("sparse")
        info.size = 5
        info.pax_headers = {"GNU.sparse.name": "sparse", "GNU.sparse.size": "100000", "GNU.sparse.numblocks": "1",
                            "GNU.sparse.map": rng.choice(["99995,5", "0,5", "4096,5"])}
        tar.addfile(info, io.BytesIO(b"hello"))
    return out.getvalue()


@bad(TAKEN)
def zip64(rng):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, packed.open(zipfile.ZipInfo("index.html"), "w", force_zip64=True) as file:
        file.write(rng.randbytes(100))
    return out.getvalue()


# --- each through the program ----------------------------------------------------------------------------------------

def tree_of(folder):
    """The digest that the unpacker is to have made, and what must not be there."""
    lines, wrong = [], []
    for path in sorted(folder.rglob("*")):
        mode = path.lstat().st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)) or stat.S_IMODE(mode) not in MODES or \
                (stat.S_ISDIR(mode) and stat.S_IMODE(mode) != 0o755):
            wrong.append(f"{path.relative_to(folder)} has mode {mode:o}")
        elif stat.S_ISREG(mode):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            lines.append(os.fsencode(f"{stat.S_IMODE(mode):04o} {digest} {path.relative_to(folder)}\n"))
    return hashlib.sha256(b"".join(sorted(lines))).hexdigest(), wrong


def unpack(packed, folder):
    """(exit status, {key: value}) of the program."""
    folder.mkdir(mode=0o700)
    with open(folder.with_suffix(".bin"), "wb+") as archive:
        archive.write(packed)
        archive.seek(0)
        there = os.open(folder, os.O_PATH | os.O_DIRECTORY)
        done = subprocess.run(
            ["sh", "-c", f'exec "$0" 3</proc/self/fd/{there}', str(PROGRAM)], stdin=archive, capture_output=True,
            check=False, env={"UPLOAD_SHA256": hashlib.sha256(packed).hexdigest()}, pass_fds=[there], timeout=SECONDS)
        os.close(there)
    os.unlink(folder.with_suffix(".bin"))
    said = dict(line.partition(" ")[::2] for line in done.stdout.decode(errors="replace").splitlines())
    return done.returncode, said


def look_at(packed, reasons, folder):
    """(what became of it, what is wrong with that)"""
    status, said = unpack(packed, folder)
    digest, wrong = tree_of(folder)
    if status < 0 or status > 128:
        return "killed", wrong + [f"{signal.Signals(-status if status < 0 else status - 128).name}"]
    became = TAKEN if status == 0 else said.get("violation", f"status {status}")
    if became not in reasons:
        wrong.append(f"{became}, and not {' or '.join(sorted(reasons))}: {said.get('error', '')}")
    if status == 0 and said.get("tree") != digest:
        wrong.append("its digest is not that of its files")
    if status != 0 and (not said["error"].isprintable() or list(said) != ["error", "violation", "end"]):
        wrong.append(f"its sentence cannot be shown: {said}")
    if status != 0:
        shutil.rmtree(folder)
    return became, wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--into", type=pathlib.Path, required=True)
    parser.add_argument("--only", help="a class by its name")
    given = parser.parse_args()
    given.into.mkdir(mode=0o700, parents=True, exist_ok=True)
    around = sorted(given.into.resolve().parent.iterdir())
    classes = [row for row in CLASSES if given.only in (None, row[0])]
    counts, failures = collections.Counter(), []
    for number in range(given.count):
        name, reasons, maker = classes[number % len(classes)]
        packed = maker(random.Random(f"{given.seed} {number} {name}"))
        became, wrong = look_at(packed, reasons, given.into / f"{given.seed}-{number}")
        counts[became] += 1
        failures += [f"{number} {name}: {text}" for text in wrong]
    if sorted(given.into.resolve().parent.iterdir()) != around:
        failures.append("something is beside the folder that was not there before")
    for became, count in sorted(counts.items()):
        print(f"{count:6} {became}")
    for text in failures[:20]:
        print(text)
    print(f"{given.count} archives of {len(classes)} classes, seed {given.seed}: {len(failures)} not as they must be")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
