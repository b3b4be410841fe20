"""Goal: a small sample of each fault campaign finds nothing; the whole ones are `make check-<name>`."""
# SPDX-License-Identifier: ISC
import os
import subprocess

import pytest

from stage import ROOT

# Campaigns that offer --short: some ten seconds of two cores that do nothing else.
CAMPAIGNS = ["crash", "adopt", "hostile", "power", "inout", "oom"]
TIMEOUT_S = 600


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sample_of_the_campaign_breaks_nothing(name, tmp_path):
    build = os.environ.get("DEPLOYBOT_BUILD") or str(ROOT / "build")
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tests" / "faults" / f"{name}.py"), "--short",
                           "--build", build, "--keep", str(tmp_path)],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
