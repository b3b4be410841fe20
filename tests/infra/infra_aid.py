"""Packages that are built, clean Debian roots, and machines with a real systemd: what the tests in here share.

What takes long is made once and kept in build/infra/: roots until somebody removes them, packages until a source of
theirs changes.
"""
# SPDX-License-Identifier: ISC
import contextlib
import hashlib
import os
import pathlib
import shutil
import subprocess
import sys

from stage import ROOT

KEPT = ROOT / "build" / "infra"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What make deb copies.
SOURCES = ("Makefile", "CHANGES.md", "LICENSE", "README.md", "SECURITY.md", ".env.example", "lib", "judge", "agent",
           "link", "runner", "server", "deploy", "nginx", "docs")
# The suite is the one that docs and packages.sh are written for.
SUITE = "bookworm"
HOST_PACKAGES = ("systemd", "systemd-sysv", "dbus", "git", "openssh-client", "ca-certificates", "python3", "curl",
                 "logrotate", "libcurl4", "libev4", "libjansson4", "libmicrohttpd12", "libsqlite3-0", "liboath0",
                 "libqrencode4", "libpq5", "libexpat1", "libyaml-0-2", "libarchive13")
BUILD_TIMEOUT_S = 1200
INSTALL_TIMEOUT_S = 600


def say(text):
    """Progress, also when pytest keeps what is printed."""
    print(f"  infra: {text}", file=sys.__stderr__, flush=True)


def run(command, timeout=300, check=True, **options):
    """Text in, text out; what was printed stands in the failure."""
    if "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", timeout=timeout, check=False, **options)
    assert not check or done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout[-6000:]}"
    return done


def clean_environment(**more):
    """Of the environment only what reaches a package mirror, so that nothing of ours decides what is built."""
    kept = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}
    return {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8", **kept, **more}


# ---- packages ------------------------------------------------------------------------------------

def source_files():
    """Ours, as `git ls-files` has them where there is a repository; else all."""
    done = run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard", "--", *SOURCES],
               check=False)
    if done.returncode == 0:
        names = done.stdout.splitlines()
    else:
        names = [str(path.relative_to(ROOT)) for name in SOURCES for path in
                 ([ROOT / name] if (ROOT / name).is_file() else (ROOT / name).rglob("*"))]
    return sorted({name for name in names if (ROOT / name).is_file()})


def sources_key():
    digest = hashlib.sha256()
    for name in source_files():
        digest.update(name.encode() + b"\0" + (ROOT / name).read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def copy_sources(folder):
    """The tree as a tarball would hold it: times kept, no repository."""
    for name in source_files() + ["tests/tools/packages.sh"]:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)


def build_deb(folder, version=None, umask=0o022, **environment):
    """`make deb` in a copy of the tree in `folder`; the path of the package."""
    say(f"make deb {version or ''} in {folder}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    copy_sources(folder)
    words = ["make", "deb"] + ([f"VERSION={version}"] if version else [])
    run(words, BUILD_TIMEOUT_S, cwd=folder, umask=umask, env=clean_environment(**environment))
    found = [path for path in (folder / "build" / "deb").glob("deploybot_*.deb")]
    assert len(found) == 1, found
    return found[0]


def kept_deb(version=None):
    """As build_deb, but only when a source has changed since."""
    kept = KEPT / "deb" / f"{sources_key()}-{version or 'now'}"
    for path in kept.glob("deploybot_*.deb"):
        return path
    with contextlib.ExitStack() as stack:
        folder = KEPT / "build" / (version or "now")
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        made = build_deb(folder, version)
        for old in (KEPT / "deb").glob(f"*-{version or 'now'}"):
            shutil.rmtree(old)
        kept.mkdir(parents=True)
        for path in made.parent.glob("deploybot*.*"):
            shutil.copy2(path, kept)
    return kept / made.name


# ---- roots ---------------------------------------------------------------------------------------

def root_tar(name, packages=(), suite=SUITE):
    """A minimal Debian as a tar archive, made once."""
    path = KEPT / f"root-{name}.tar"
    key = KEPT / f"root-{name}.packages"
    wanted = " ".join(packages)
    if path.exists() and key.exists() and key.read_text(encoding="ascii") == wanted:
        return path
    say(f"mmdebstrap: a root with {wanted or 'nothing more'}")
    KEPT.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.tar")
    part.unlink(missing_ok=True)
    # The lists stay, so that apt can install in it.
    run([ROOT / "tests" / "tools" / "debian_root.sh", "--variant=minbase", "--skip=cleanup/apt/lists",
         *([f"--include={','.join(packages)}"] if packages else []), suite, part], INSTALL_TIMEOUT_S,
        env=clean_environment())
    part.rename(path)
    key.write_text(wanted, encoding="ascii")
    return path


class Root:
    """A Debian root in a folder, into which commands go by chroot: no systemd runs there."""

    def __init__(self, folder, tar):
        self.path = pathlib.Path(folder)
        self.path.mkdir(parents=True)
        run(["tar", "-C", self.path, "--numeric-owner", "-xf", tar])

    # Own mounts and processes: nothing of it is left, whatever happens.
    ENTER = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && exec chroot "$@"'

    def run(self, *command, timeout=INSTALL_TIMEOUT_S, check=True, **environment):
        return run(["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "bash", "-c",
                    self.ENTER, "-", self.path, *command], timeout, check,
                   env=clean_environment(DEBIAN_FRONTEND="noninteractive", **environment))

    def give(self, source, name):
        """A file of ours in its /opt: a machine that boots has another /tmp."""
        shutil.copy(source, self.path / "opt" / name)
        return f"/opt/{name}"

    def install(self, deb):
        """With what it depends on."""
        (self.path / "etc" / "resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text("utf-8"), "utf-8")
        return self.run("apt-get", "install", "-y", "--no-install-recommends", "--allow-downgrades",
                        self.give(deb, "it.deb")).stdout

    def stat(self, name):
        """(mode, owner, group) by the root's own names."""
        words = self.run("stat", "-c", "%a %U %G", name).stdout.split()
        return " ".join(words)

    def exists(self, name):
        return os.path.lexists(self.path / name.lstrip("/"))

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)
