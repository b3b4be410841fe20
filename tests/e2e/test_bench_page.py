"""Goal: the figures of docs/PERFORMANCE.md are those of a run, which says where it was."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))

import bench  # noqa: E402  pylint: disable=wrong-import-position

PAGE = pathlib.Path(ROOT, "docs", "PERFORMANCE.md").read_text("utf-8")


def test_the_page_has_one_place_for_the_figures_and_they_name_commit_and_machine():
    assert PAGE.count(bench.FIGURES[0]) == PAGE.count(bench.FIGURES[1]) == 1
    figures = PAGE.split(bench.FIGURES[0])[1].split(bench.FIGURES[1])[0]
    assert re.match(r"Commit [0-9a-f]{7,}(?:-dirty)?, 20\d\d-\d\d-\d\d, ", figures), figures[:100]
    assert not re.search(r"[ |]/[a-z]+/\S*/build/", figures), "a path of the machine it ran on"


def test_a_run_replaces_its_figures_and_nothing_else(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    bench.write_page(page, "Commit 0123456.\n")
    before, behind = PAGE.split(bench.FIGURES[0])[0], PAGE.split(bench.FIGURES[1])[1]
    assert page.read_text("utf-8") == before + bench.FIGURES[0] + "Commit 0123456.\n" + bench.FIGURES[1] + behind


def test_a_page_without_that_place_is_left_as_it_is(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("figures\n", "utf-8")
    with pytest.raises(ValueError):
        bench.write_page(page, "Commit 0123456.\n")
    assert page.read_text("utf-8") == "figures\n"


def test_where_it_was_measured_is_said_as_the_page_wants_it():
    assert re.match(r"Commit \S+, 20\d\d-\d\d-\d\d, \d+ cores of .+, Linux [0-9.]+\.$", bench.where())
