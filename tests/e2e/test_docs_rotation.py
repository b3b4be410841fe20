"""Goal: what docs/OPERATIONS.md says of changing a secret does that, for each secret, and a second typing harms nothing."""
# SPDX-License-Identifier: ISC
import subprocess

import pytest

from docs_aid import Typist, blocks_of

HOST = """# of the team
restrict ssh-ed25519 {deploy} deploybot-2026-01-01
restrict,command="/usr/local/lib/deploybot/act-on-host.sh --only restart-web unit=web.service" ssh-ed25519 {client} acme
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB/+= ada@home
"""


@pytest.mark.parametrize("heading, user, which", [("The deploy key", "deploy", "deploy"), ("A client's key", "web", "client")])
def test_a_hosts_line_gets_its_new_key_with_its_options_and_no_other_line_is_touched(tmp_path, heading, user, which):
    """Both keys and somebody's own on one host; typed twice, and where the old key is not at all, nothing is lost."""
    add, *_, remove = [text for text in blocks_of(heading) if "authorized_keys" in text]
    typist, home = Typist(tmp_path), tmp_path / "home"
    public = {}
    for name in ("deploy", "client", "new"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}-2026", "-f", home / f"{name}_key"],
                       check=True)
        public[name] = (home / f"{name}_key.pub").read_text("ascii").split()[1]
    (home / f"{which}_key.pub").rename(home / "old_key.pub")
    there = HOST.format(**public)
    file = tmp_path / "authorized_keys"
    file.write_text(there, "ascii")
    old = next(line for line in there.splitlines() if public[which] in line)
    fresh = old.rpartition("ssh-ed25519")[0] + f"ssh-ed25519 {public['new']} new-2026"
    instead = {f"~{user}/.ssh/authorized_keys": str(file)}
    typist.type(add, **instead)
    assert file.read_text("ascii") == there.replace(old, f"{old}\n{fresh}")
    typist.type(remove, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)
    typist.type(add, check=False, **instead)
    typist.type(remove, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)
    (home / "old_key.pub").unlink()
    typist.type(remove, check=False, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)
