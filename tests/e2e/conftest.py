"""Where the end-to-end tests find the stand-ins, the demo's stage and each other's aids."""
# SPDX-License-Identifier: ISC
import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: waits or starts much; `make test` leaves it to `make check-scripts`")


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
