"""systemd_aid.py - a host that is a folder, whose units systemd.sh restarts; systemctl is a stand-in."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib

from commands_aid import DEPLOY, stand_in
from copies_aid import once
from runner_client import wait_for
from ssh_aid import SshBench

WORDS = ("--no-block restart", "--no-block stop", "reset-failed")
SUDOERS = [f"root systemctl {words} shop.service" for words in WORDS]
WORKS = "#!/bin/bash\necho $BECAME at $COMMIT of $ENVIRONMENT in ${PWD##*/}\nexit $1\n"
PROGRAMS = ("systemctl", "journalctl", "sudo", "id", "loginctl")


class SystemdBench(SshBench):
    """h1 runs shop.service and, where a test asks for it, others; all run the file `app` of the release."""

    def __init__(self, path, tools_folder):
        super().__init__(path, tools_folder, "v1")
        for name in ("systemd.sh", "systemd-host"):
            os.symlink(os.path.join(DEPLOY, "transports", name), self.deploy / "transports" / name)
        for name in PROGRAMS:
            os.symlink(stand_in(f"host/{name}"), self.host_bin / name)
        (self.app / "docker-compose.yml").unlink()
        self.environment |= {"DEPLOY_TRANSPORT": "systemd", "SYSTEMD_UNITS": "shop.service",
                             "SYSTEMD_DIR": str(self.app), "SYSTEMD_STEADY_SECONDS": "1", "REGISTRY_URL": None}
        self.become("root")
        self.sudoers()
        (self.host() / "units").write_text(json.dumps({"scope": "system", "sudo": False}))
        self.unit("shop.service")

    # ---- the host

    def become(self, *words):
        (self.host() / "user").write_text(" ".join(words))

    def sudoers(self, *rules):
        (self.host() / "sudoers").write_text("".join(f"{rule}\n" for rule in rules))

    def units(self):
        return json.loads((self.host() / "units").read_text())

    def change_units(self, **fields):
        (self.host() / "units").write_text(json.dumps({**self.units(), **fields}))

    def unit(self, name, **properties):
        now = self.units().get(name) or {
            "LoadState": "loaded", "ActiveState": "inactive", "SubState": "dead", "MainPID": "0", "InvocationID": "",
            "NRestarts": "0", "Result": "success", "ExecMainStatus": "0", "Type": "simple", "RemainAfterExit": "no",
            "UnitFileState": "enabled", "NeedDaemonReload": "no", "User": "root",
            "WorkingDirectory": f"{self.app}/current",
            "ExecStart": f"{{ path={self.app}/current/app ; argv[]={self.app}/current/app ; ignore_errors=no }}"}
        self.change_units(**{name: {**now, **properties}})

    def runs(self, name="shop.service"):
        """(how the unit is, the commit that it runs)."""
        unit = self.units()[name]
        return unit["ActiveState"], unit.get("runs", "-").partition("-")[2]

    def link(self):
        return os.readlink(self.app / "current") if (self.app / "current").is_symlink() else ""

    def releases(self):
        folder = self.app / "releases"
        return sorted(os.listdir(folder), key=lambda name: int(name.partition("-")[0])) if folder.exists() else []

    def left(self):
        """What is there besides releases, the link and what deploybot keeps."""
        return sorted(set(os.listdir(self.app)) - {"releases", "current", ".deploybot.lock", ".deploybot.work",
                                                       ".deploybot.first"})

    def orders(self):
        """What systemd was told, without questions."""
        return [call[1:] for call in self.host_calls() if call[0] == "systemctl" and "--no-pager" not in call]

    def forget_orders(self):
        (self.host() / "calls").unlink(missing_ok=True)

    # ---- releases

    def commit_app(self, fate="up", build="", **files):
        """A commit whose application does this when it is started."""
        for name, text in {"app": fate, **files}.items():
            (self.repository / name).write_text(text)
        recipe = self.repository / ".deploybot" / "build"
        recipe.parent.mkdir(exist_ok=True)
        recipe.write_text(f"#!/bin/bash\nset -e\n{build}\n")
        recipe.chmod(0o755)
        self.number += 1
        return self.commit(f"{fate} {self.number}")

    @once
    def shipped_app(self, fate="up", **settings):
        commit = self.commit_app(fate)
        status, said = self.run("deploy.sh", "staging", commit, **settings)
        assert status == 0, said
        return commit

    def current(self):
        status, said = self.run("target.sh", "staging", "current")
        assert status == 0, said
        return said[-1] if len(said[-1]) == 40 else ""

    def at_rest(self):
        wait_for(self.is_quiet, "the host to be at rest", 60)
        assert not (pathlib.Path(self.app) / ".deploybot.before").exists()


def job(bench, commit, words, **settings):
    return bench.run("run-job.sh", "staging", commit, JOB_COMMAND=words, **settings)


def run_as_shop(bench):
    bench.become("deploy", "deploy adm")
    bench.unit("shop.service", User="shop")
    bench.sudoers(*SUDOERS, "shop ALL")
