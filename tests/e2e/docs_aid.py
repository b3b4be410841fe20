"""docs_aid.py - types the blocks of docs/OPERATIONS.md and docs/SECURITY-OPERATIONS.md in a folder that stands for the
machine: its /etc/deploybot is there, sudo and install change no user, systemctl signals the server of the test."""
# SPDX-License-Identifier: ISC
import os
import re
import subprocess
import textwrap

from stage import ROOT

PAGE = "".join((ROOT / "docs" / name).read_text("utf-8") for name in ("OPERATIONS.md", "SECURITY-OPERATIONS.md"))
MARK = re.compile(r"(?m)^<!-- (?:not )?run: .*-->\n((?: {4}.*\n|\n)+)")
PROGRAMS = {
    "sudo": 'while [[ $1 == -* ]]; do [[ $1 != -u ]] || shift; shift; done\nexec "$@"\n',
    "install": 'words=()\nwhile (($#)); do [[ $1 == -[og] ]] && shift 2 && continue; words+=("$1"); shift; done\n'
               'exec /usr/bin/install "${words[@]}"\n',
    "systemctl": 'echo "$*" >>"$FOLDER/systemctl"\n[[ $1 != reload ]] || kill -HUP "$(<"$FOLDER/deploybot.pid")"\n',
    "deploybot": 'exec "$BUILD/deploybot" --env-file "$FOLDER/etc/deploybot.conf" "$@"\n'}


def blocks_of(heading):
    """What is typed in a section of the page (### ...)."""
    section = re.search(rf"(?ms)^### {re.escape(heading)}\n(.*?)(?=^##|\Z)", PAGE)[1]
    found = [textwrap.dedent(text).strip() for text in MARK.findall(section)]
    assert found, f"nothing is typed in {heading}"
    return found


class Typist:
    """A folder as /etc/deploybot, in it secrets/server and apps."""

    def __init__(self, folder, build="/nowhere"):
        self.folder, self.build = folder, build
        self.etc = folder / "etc"
        self.server, self.runner = self.etc / "secrets/server", self.etc / "secrets/runner"
        for made in (self.server, self.runner, self.etc / "apps", folder / "bin", folder / "home"):
            made.mkdir(parents=True, mode=0o700)
        for name, words in PROGRAMS.items():
            (folder / "bin" / name).write_text("#!/bin/bash\n" + words)
            (folder / "bin" / name).chmod(0o755)
        self.conf = self.etc / "deploybot.conf"

    def keep(self, name, value, side="server"):
        """A secret in its file, the path of which is returned."""
        path = self.etc / "secrets" / side / name
        path.write_text(value + "\n", "ascii")
        path.chmod(0o600)
        return path

    def type(self, *texts, stdin="", check=True, **instead):
        """Blocks, one after the other in one shell, with other words where the page has an example's."""
        text = "\n".join(texts).replace("/etc/deploybot", str(self.etc))
        for old, new in instead.items():
            assert old in text, f"{old} is not typed in {text}"
            text = text.replace(old, new)
        done = subprocess.run(
            ["bash", "-c", "set -eo pipefail\n" + text], cwd=self.folder / "home", input=stdin, text=True, check=False,
            capture_output=True, timeout=120, env={
                "PATH": f"{self.folder}/bin:/usr/bin:/bin:/usr/sbin", "HOME": str(self.folder / "home"),
                "FOLDER": str(self.folder), "BUILD": str(self.build), "LC_ALL": "C.UTF-8",
                **{name: os.environ[name] for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")
                   if name in os.environ}})
        assert not check or done.returncode == 0, f"{text}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr
