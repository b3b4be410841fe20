"""Where the end-to-end tests find the stand-ins, the demo's stage and each other's aids."""
# SPDX-License-Identifier: ISC
import pathlib
import re
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: waits or starts much; `make test` leaves it to `make check-scripts`")
    config.addinivalue_line("markers", "first: ten seconds or more; workers begin with it, so that none ends with it")


def stays_together(path):
    """Whether a file's tests share something that one worker makes once."""
    return re.search(r'scope="(module|session)"', (HERE / pathlib.Path(path).name).read_text(encoding="utf-8"))


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


@pytest.fixture(scope="session")
def tools_folder(tmp_path_factory):
    """A PATH without the commands that have a stand-in."""
    from commands_aid import tools
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
