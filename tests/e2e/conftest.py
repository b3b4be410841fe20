"""Where the end-to-end tests find the stand-ins, the demo's stage and each other's aids."""
# SPDX-License-Identifier: ISC
import gc
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo", HERE.parent / "tools"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import cost  # noqa: E402  pylint: disable=wrong-import-position
import leaked  # noqa: E402  pylint: disable=wrong-import-position
import nursery  # noqa: E402  pylint: disable=wrong-import-position
import telegram_client  # noqa: E402  pylint: disable=wrong-import-position
from runner_client import SLOW, all_processes  # noqa: E402  pylint: disable=wrong-import-position

# Of a test, of what is made for it and of its end: for what hangs, and names it.
TEST_LIMIT_S = 150 * max(2, int(SLOW))
LONG_TEST_LIMIT_S = 3600
UNTIL = float(os.environ.get("DEPLOYBOT_TESTS_UNTIL", "inf"))       # what has not begun by then is skipped, and said
LEAKED = 70                 # a status of its own: run_tests.py runs nothing once more then
MUST_COME_S = 5             # who waits that long waits for what must come


def be_patient():
    """Whatever waits for a process or a peer is as patient as DEPLOYBOT_SLOW says, wherever its limit stands."""
    def stretched(really, where):
        def waits(*words, **options):
            words = list(words)
            given = words[where] if len(words) > where else options.get("timeout")
            if given is not None and given >= MUST_COME_S:
                if len(words) > where:
                    words[where] *= SLOW
                else:
                    options["timeout"] *= SLOW
            return really(*words, **options)
        return waits
    subprocess.Popen.wait = stretched(subprocess.Popen.wait, 1)
    subprocess.Popen.communicate = stretched(subprocess.Popen.communicate, 2)
    socket.socket.settimeout = stretched(socket.socket.settimeout, 1)


be_patient()
telegram_client.start_process = nursery.start      # hundreds are started


def pytest_configure(config):
    config.pluginmanager.register(cost)
    config.inicfg["empty_parameter_set_mark"] = "fail_at_collect"    # walks that find no row
    config.addinivalue_line("markers", "long: a second of a processor, or waits; `make test` leaves it to check-long")
    config.addinivalue_line("markers", "first: ten seconds or more; workers begin with it, so that none ends with it")


def stays_together(path):
    """Whether a file's tests share something that one worker makes once."""
    return re.search(r'scope="(module|session)"', (HERE / pathlib.Path(path).name).read_text(encoding="utf-8"))


def pytest_collection(session):
    """What is collected stays to the end: whoever looks through it for garbage looks in vain."""
    gc.disable()


def pytest_collection_finish(session):
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(config, items):
    """Workers begin with what takes long; single tests fill what is left at the end."""
    if hasattr(config, "workerinput"):
        whole = {path: bool(stays_together(path)) for path in {item.path for item in items}}
        items.sort(key=lambda item: 0 if item.get_closest_marker("first") else 1 if whole[item.path] else 2)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """A worker gets a whole file only where its tests stay together, and else one test after another."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):      # pylint: disable=abstract-method
        def _split_scope(self, nodeid):
            path = nodeid.split("::", 1)[0]
            if path not in whole:
                whole[path] = stays_together(path)
            return path if whole[path] else nodeid

    whole = {}
    return Scheduling(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    """When all workers have ended: of no test a secret stands in what is left of it."""
    if hasattr(session.config, "workerinput"):
        return
    found = leaked.search(session.config._tmp_path_factory.getbasetemp())      # pylint: disable=protected-access
    for line in found:
        print(f"\na secret is left in {line}")
    if found:
        session.exitstatus = LEAKED


def ends_in_time(item, what):
    """Fails what hangs, with the processes that it waits for: without a name, nobody finds it.  Where execnet has begun
    a worker's tests in another thread than the first, no signal can be caught: the limit of the whole run is all."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    limit = LONG_TEST_LIMIT_S if item.get_closest_marker("long") else TEST_LIMIT_S

    def late(*_):
        pytest.fail(f"{what} did not end within {limit} s; what ran then:\n{all_processes()}")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(limit)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_setup(item):
    if time.time() > UNTIL:
        pytest.skip("not begun within TEST_SECONDS")
    yield from ends_in_time(item, "what is made for the test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item):
    yield from ends_in_time(item, "the test")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_teardown(item):
    yield from ends_in_time(item, "the end of the test")


@pytest.fixture(scope="session")
def tools_folder(tmp_path_factory):
    """A PATH without the commands that have a stand-in."""
    from commands_aid import CommandBench, tools
    base = tmp_path_factory.getbasetemp()
    CommandBench.copies = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "copies"
    CommandBench.copies.mkdir(exist_ok=True)
    return tools(tmp_path_factory.mktemp("commands") / "tools")


@pytest.fixture
def bench(tmp_path, tools_folder):
    """deploy.sh beside a PATH of stand-ins; who needs hosts, a cluster or the runner has a bench of his own."""
    from commands_aid import CommandBench, private_folders
    made = CommandBench(tmp_path, tools_folder)
    yield made
    killed = made.done()
    left = private_folders(made)
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    assert killed or not left
