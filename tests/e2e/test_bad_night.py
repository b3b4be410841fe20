"""Goal: whoever is woken by a bad night reads first lines alone, on a lock screen, and is not misled by one of them.

tests/fixtures/bad-night.txt is what was read and found good; GOLDEN=write makes it anew."""
# SPDX-License-Identifier: ISC
import os

import pytest

from night import BUILD_SECONDS, FIRST, SETTINGS, Night
from stage import ROOT, Stage

pytestmark = pytest.mark.long      # an approval and a reminder take a minute each

GOLDEN = ROOT / "tests" / "fixtures" / "bad-night.txt"
WHERE = ("staging", "production")


@pytest.fixture(name="night", scope="module")
def _night(tmp_path_factory):
    with Stage(tmp_path_factory.mktemp("night") / "stage", BUILD_SECONDS, settings=SETTINGS) as stage:
        yield Night(stage)


@pytest.mark.first
@pytest.mark.parametrize("part", Night.PARTS)
def test_it_happens(night, part):
    getattr(night, part)()


def test_the_lock_screen_shows_what_was_read_and_found_good(night):
    text = "\n".join(night.lock_screen()) + "\n"
    if os.environ.get("GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_each_line_says_where_and_only_what_somebody_must_know_rings(night):
    lines = [line for line in night.lock_screen() if not line.startswith("#")]
    for line in lines:
        assert any(name in line for name in WHERE) and len(line) <= FIRST + 2, line
    rings = {line.split()[1] for line in lines if line.startswith("🔔")}
    assert rings == {"❌", "❓", "🔥"}
    assert not rings & {line.split()[1] for line in lines if line.startswith("·")}, "a sign rings, or is silent"
