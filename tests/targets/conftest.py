"""One bed for the whole session; each test's deploybot and hosts begin fresh.  Where no bed can be made, tests skip."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo", HERE.parent / "e2e"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

pytest.register_assert_rewrite("targets_aid")

from bed import Bed  # noqa: E402
from targets_aid import TargetScene  # noqa: E402


@pytest.fixture(scope="session")
def bed(tmp_path_factory):
    if "BED_CGROUP" not in os.environ:
        pytest.skip(os.environ.get("BED_REFUSED") or "machines are made by `make check-targets`")
    made = Bed(tmp_path_factory.mktemp("bed"))
    with made:
        yield made


@pytest.fixture
def make_scene(bed, tmp_path):
    """make_scene(strategy, hosts, settings): a TargetScene that is stopped in the end."""
    made = []

    def make(*arguments, **options):
        made.append(TargetScene(bed, tmp_path / f"scene{len(made)}", *arguments, **options))
        return made[-1]

    yield make
    bed.door.behave()
    for scene in made:
        scene.stop()
