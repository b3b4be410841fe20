"""cost.py - for pytest: the seconds of a processor that a test costs, with all that it starts, in its report.

Set-up and test count; what several tests share (a fixture of a module, of a session) and the end do not.  A control
group of its own counts for each process of pytest, where one may be made: anywhere else counts what was waited for.
"""
# SPDX-License-Identifier: ISC
import contextlib
import functools
import os
import pathlib

import pytest

PREFIX = "deploybot-tests-"
FILES = {"cpu.stat": lambda text: int(text.split()[1]) / 1e6,      # of version 2, its first line
         "cpuacct.usage": lambda text: int(text) / 1e9}            # of version 1


def folders():
    """The folder of the group that we are in, for each hierarchy that counts."""
    mounts = [line.split() for line in pathlib.Path("/proc/self/mounts").read_text("utf-8").splitlines()]
    for line in pathlib.Path("/proc/self/cgroup").read_text("utf-8").splitlines():
        _, controllers, path = line.split(":", 2)
        for _, mount, kind, options, *_ in mounts:
            if (kind == "cgroup2" and controllers == "") or (
                    kind == "cgroup" and "cpuacct" in controllers.split(",") and "cpuacct" in options.split(",")):
                yield pathlib.Path(mount + path)


def of_group(folder):
    """What reads the seconds of a group, or None: it counts none."""
    for name, value in FILES.items():
        if (folder / name).exists():
            return lambda: value((folder / name).read_text("ascii"))
    return None


def of_children():
    return sum(os.times()[:4])


def enter():
    """Moves this process to a group of its own; a function that says the seconds since some moment before."""
    for folder in folders():
        with contextlib.suppress(OSError):
            made = folder / f"{PREFIX}{os.getpid()}"
            made.mkdir()
            seconds = of_group(made)
            if seconds is not None:
                (made / "cgroup.procs").write_text(str(os.getpid()), "ascii")
                return seconds
            made.rmdir()
    return of_children


def sweep():
    """Leaves the group, and removes those of whoever has ended, but one where something still runs."""
    for folder in folders():
        with contextlib.suppress(OSError):
            if folder.name == f"{PREFIX}{os.getpid()}":
                folder = folder.parent
                (folder / "cgroup.procs").write_text(str(os.getpid()), "ascii")
                folder.joinpath(f"{PREFIX}{os.getpid()}").rmdir()
        for group in folder.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):
                if not pathlib.Path("/proc", group.name.removeprefix(PREFIX)).exists():
                    group.rmdir()


class Cost:
    def __init__(self):
        self.seconds = enter()
        self.began = self.shared = 0

    def begin(self):
        self.began, self.shared = self.seconds(), 0

    def since(self):
        return self.seconds() - self.began - self.shared


@functools.lru_cache
def cost():
    return Cost()


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef):
    if fixturedef.scope == "function":
        yield
        return
    before, shared = cost().seconds(), cost().shared
    yield
    cost().shared = shared + cost().seconds() - before


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_setup():
    cost().begin()
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_call(item):
    yield
    item.user_properties.append(("processor_s", f"{cost().since():.3f}"))


def pytest_unconfigure(config):
    if not hasattr(config, "workerinput"):
        sweep()
