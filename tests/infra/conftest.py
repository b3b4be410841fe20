"""Where tests of packages, units and images find stand-ins and aids; what they build is kept in build/infra/."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo", HERE.parent / "e2e"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("infra_aid", "engine_aid")

import engine_aid  # noqa: E402


def pytest_runtest_setup(item):
    if os.geteuid() != 0:
        pytest.skip("needs root: chroots, containers and systemd hosts are made")


@pytest.fixture(scope="session")
def images():
    """deploybot's images, and those that compose needs beside them, are in build/infra/engine."""
    why = engine_aid.refused()
    if why:
        pytest.skip(why)
    with engine_aid.Engine(builds=True) as engine:
        engine_aid.build_all(engine)
