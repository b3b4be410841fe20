"""Goal: a secret of a test that is left in what the server wrote is found at the end of all tests (leaked.py)."""
# SPDX-License-Identifier: ISC
import re
import subprocess
import sys

import pytest

import leaked
from stage import GITHUB_SECRET, ROOT, WEBHOOK_SECRET
from telegram_client import DEFAULT_TOKEN

CANARY = re.compile(r"[\"']((?:\d+:)?[\w-]*canary(?=[\w'-]*\d)[\w'-]{16,})[\"']")


def canaries():
    """As they stand in the tests."""
    texts = (path.read_text("utf-8") for folder in ("e2e", "faults") for path in (ROOT / "tests" / folder).glob("*.py"))
    return sorted({found for text in texts for found in CANARY.findall(text)})


@pytest.mark.parametrize("name", ["deploybot.log", "audit.log.17", "deploybot.db", "deploybot.db-wal", "staging.json"])
def test_each_secret_is_found_in_what_the_server_writes(tmp_path, name):
    secrets = [DEFAULT_TOKEN, GITHUB_SECRET, WEBHOOK_SECRET, *canaries()]
    assert len(secrets) > 15
    file = tmp_path / "state" / name
    file.parent.mkdir()
    for secret in secrets:
        file.write_bytes(b"before " + secret.encode() + b" behind")
        found = leaked.search(tmp_path)
        assert len(found) == 1 and str(file) in found[0] and secret not in found[0], secret
    file.unlink()


def test_what_has_secrets_on_purpose_is_left_alone(tmp_path):
    for name in ("scripts/spy.log", "env", "runs/1/log"):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(DEFAULT_TOKEN, "utf-8")
    assert not leaked.search(tmp_path)


def test_a_run_that_leaves_one_says_where_and_fails(tmp_path):
    (tmp_path / "test_it.py").write_text(
        f"def test_it(tmp_path):\n    (tmp_path / 'deploybot.log').write_text({GITHUB_SECRET!r})\n", "utf-8")
    (tmp_path / "conftest.py").write_text(
        (ROOT / "tests/e2e/conftest.py").read_text("utf-8").replace(
            "pathlib.Path(__file__).resolve().parent", f"pathlib.Path({str(ROOT / 'tests' / 'e2e')!r})"), "utf-8")
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                           f"--basetemp={tmp_path / 'out'}", str(tmp_path / "test_it.py")],
                          capture_output=True, text=True, check=False, cwd=tmp_path)
    left = tmp_path / "out" / "test_it0" / "deploybot.log"
    assert (done.returncode, f"a secret is left in {left}: " in done.stdout) == (70, True), done.stdout + done.stderr
    left.unlink()
