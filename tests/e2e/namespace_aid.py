"""namespace_aid.py - whether a test may make namespaces here: in a chroot, or without rights, the kernel refuses."""
# SPDX-License-Identifier: ISC
import functools
import os
import subprocess

import pytest

# A mount namespace, as root or as root of a user namespace of one's own.
MOUNTS = ("unshare", "--mount", *(("--map-root-user",) if os.geteuid() else ()))


@functools.cache
def _refused(words):
    return subprocess.run([*words, "true"], capture_output=True, text=True, check=False).stderr.strip()


def need(*words):
    """Skips the test where `unshare ...`, with these words, does nothing but fail."""
    why = _refused(words)
    if why:
        pytest.skip(f"no such namespace may be made here: {why}")
