"""Goal: run in the background or by nohup, which ignore signals, tests start programs that handle them all the same."""
# SPDX-License-Identifier: ISC
import subprocess
import sys

ASK = """import signal
print([signal.getsignal(n) == signal.SIG_IGN for n in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)])"""


def test_what_a_test_starts_ignores_no_signal():
    assert subprocess.run([sys.executable, "-c", ASK], check=True, capture_output=True, text=True).stdout \
        == "[False, False, False]\n"


def test_so_it_is_where_the_tests_themselves_ignore_them():
    done = subprocess.run(
        ["/bin/sh", "-c", "trap '' HUP INT TERM; exec \"$@\"", "sh", sys.executable, "-m", "pytest", "-q",
         "-p", "no:cacheprovider", __file__, "-k", "ignores_no_signal"],
        check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
