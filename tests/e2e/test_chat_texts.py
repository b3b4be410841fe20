"""Goal: what a unit test makes the chat say is read: what rings says where, and nothing in doubt is said to run."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tools"))

import chat_texts   # noqa: E402  pylint: disable=wrong-import-position,import-error


def misleading(folder, text, rings):
    line = json.dumps({"rings": rings, "text": text, "buttons": []})
    (folder / "test_x").write_text(line + "\n", encoding="utf-8")
    return chat_texts.misleading(folder)


@pytest.mark.parametrize("text, rings, wrong", (
    ("❌ Failed: \1staging\1", True, None),
    ("🔒 Locked: \1shop/staging\1 by @ada", False, None),
    ("🆕 A head that no list has: \1staging\1", False, "no row"),
    ("🆕 A sign that no list has", False, "no sign"), ("A word", False, None), ("🔴 \1staging\1: unhealthy", False, None),
    ("🔒 \1staging\1: locked by @ada", False, "no row"),
    ("🟢 \1staging\1 runs 1a2b3c4", False, None),
    ("❓ /deploy \1staging\1: of which application?", False, None),
    ("⛔ Stopped: by somebody who has a very long name: staging", False, "where"),
    ("🔐 telegram:22: second factor reset", True, None),
    ("🔐 A second factor was reset, it is that of telegram:22", True, "where"),
    ("⛔ Stopped: staging\nstaging still runs 1a2b3c4", True, None),
    ("🔥 May be DOWN: staging\nstaging still runs 1a2b3c4", True, "in doubt"),
    ("❓ Deploy to staging?\nWhat runs in staging is not known\nreplaces 1a2b3c4", True, "in doubt"),
))
def test_what_misleads_is_found(tmp_path, text, rings, wrong):
    found = misleading(tmp_path, text, rings)
    assert [] == found if wrong is None else any(wrong in line for line in found), found


def test_the_page_shows_one_of_each_kind_and_folds_the_rest():
    told = [{"program": "test_x", "text": f"✅ Live: {name}", "buttons": [], "rings": False}
            for name in ("staging", "production")]
    shown, _, folded = chat_texts.page({"✅ Live": told}).partition("<details>")
    assert "Live: staging" in shown and "Live: production" not in shown
    assert "Live: production" in folded
