"""Goal: a host that a real systemd has booted, with a real sshd and nothing but what docs/deploy-scripts.md says to
type: releases, rollbacks and migrations, by sudo and as a user's own units; what does not start is not left so."""
# SPDX-License-Identifier: ISC
import os
import re

import pytest

import sample_app
from stage import ROOT, get, wait_until
from systemd_machine import ADDRESS, PATIENCE_S, SystemdMachine
from targets_aid import ChatScene
from telegram_client import CARL
from typed import block, type_blocks

DOCS = "The transport systemd: services without containers"
HEALTH = f"http://{ADDRESS}:8080/health"
BUILD = r"""#!/bin/sh
set -eu
cd "$(dirname "$0")/.."
mkdir bin
sed -i 's/"127.0.0.1"/""/' app.py
printf '#!/bin/sh\nexport COMMIT=%s PORT=8080\nexec python3 app.py\n' "$COMMIT" >bin/shop
chmod 755 bin/shop
"""
MIGRATE = """#!/bin/sh
echo "$(id -un) $COMMIT $ENVIRONMENT" >>/srv/shop/migrations
%s
"""


class SystemdScene(ChatScene):
    """A deploybot whose production is s1's units."""

    def __init__(self, machine, folder, **settings):
        self.machine = machine
        self.manager = "system"
        super().__init__(folder, start=False, settings={
            "ADMIN_COMMAND_RATE": None, "DEPLOY_TRANSPORT": "systemd", "SYSTEMD_UNITS": "shop.service",
            "SSH_KEY_PATH": str(machine.key), "SSH_KNOWN_HOSTS": str(machine.known_hosts), "PRODUCTION_HOST": ADDRESS,
            "PRODUCTION_HEALTH_URL": HEALTH, "SMOKE_URL": "http://127.0.0.1:8080/health", **settings})
        self.write(**{".deploybot/build": BUILD})
        self.start()

    def write(self, **files):
        sample_app.check_out(self.work, "main")
        for name, text in files.items():
            sample_app.write(self.work, name, text, executable=True)
        sample_app.commit(self.work, "ada", "What a service needs")
        sample_app.git(self.work, "push", "-q", "origin", "main")

    def all_run(self, commit):
        assert f'"commit": "{commit}"' in get(HEALTH)[1]
        assert self.machine.run("readlink /srv/app/current").endswith(f"-{commit}")

    def preflight(self):
        done = self.by_hand("target.sh", "production", "preflight")
        return done.returncode, done.stdout

    def is_taken_back(self, live):
        """A release that ends at once: what chat says of it, when what ran before runs again."""
        bad = self.change("crash")
        said = self.attempt()
        assert f"production is NOT running {bad[:7]}; it runs {live[:7]} again" in said, said + self.last_log()
        self.all_run(live)


@pytest.fixture
def machine(tmp_path):
    if "BED_CGROUP" not in os.environ:
        pytest.skip(os.environ.get("BED_REFUSED") or "machines are made by `make check-targets`")
    if os.environ["BED_ROOT"] == "/":
        pytest.skip("a system that is to be booted is a Debian of its own: BED=trixie")
    made = SystemdMachine(tmp_path)
    try:
        yield made.boot()
    finally:
        made.switch_off()


@pytest.fixture
def make_scene(machine, tmp_path):
    made = []

    def make(**settings):
        made.append(SystemdScene(machine, tmp_path / f"scene{len(made)}", **settings))
        return made[-1]

    yield make
    for scene in made:
        scene.stop()


def prepare(machine):
    """All that docs/deploy-scripts.md says of a machine's own services."""
    type_blocks(machine, DOCS, "useradd --create-home", "# /etc/systemd/system/shop.service",
                "# /etc/sudoers.d/deploybot", "useradd --system")


def test_what_the_docs_say_is_enough_and_preflight_says_what_is_missing(machine, make_scene):
    scene = make_scene()
    for blocks, says in ((("useradd --create-home",), "there is no unit shop.service"),
                         (("# /etc/systemd/system/shop.service",), "sudo"),
                         (("# /etc/sudoers.d/deploybot",), "warning: nothing starts shop.service after a reboot"),
                         (("useradd --system",), "h1, MB are free")):
        type_blocks(machine, DOCS, *blocks)
        status, said = scene.preflight()
        assert (status == 0) == ("warning" in says or "free" in says) and says.removeprefix("h1, ") in said, said
    assert "warning" not in said
    scene.release()


def test_what_does_not_start_is_rolled_back_however_often_it_was_started(machine, make_scene):
    prepare(machine)
    # Whoever does not reset this may start it no third time.
    machine.run("install -d /etc/systemd/system/shop.service.d; printf '[Unit]\n"
                "StartLimitBurst=2\nStartLimitIntervalSec=1h\n' >/etc/systemd/system/shop.service.d/limit.conf; "
                "systemctl daemon-reload")
    scene = make_scene()
    first = scene.release()
    second = scene.release()
    scene.is_taken_back(second)
    logs = scene.logs()
    assert any("No module named 'fastprices'" in log and "shop.service ended" in log for log in logs), logs
    scene.is_taken_back(second)
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
    scene.all_run(first)
    assert machine.run("systemctl show shop.service --property=User --value") == "shop"


def test_a_contractor_restarts_a_service_and_may_do_nothing_else(machine, make_scene):
    """What tests/e2e/test_stories.py tells with a stand-in for systemctl."""
    prepare(machine)
    scene = make_scene(CLIENTS="acme", CLIENT_ACME_HOST=f"deploy@{ADDRESS}", CLIENT_ACME_ENVIRONMENT="production",
                       CLIENT_ACME_ACTIONS="restart-web", CLIENT_ACME_WEB_UNIT="shop.service",
                       ROLE_CONTRACTOR_IDS=str(CARL), ROLE_CONTRACTOR_MAY="do.restart-web:client/acme",
                       STAGING_TELEGRAM_IDS=None)
    live = scene.release()
    actions = (ROOT / "docs" / "actions.md").read_text(encoding="utf-8")
    line = re.search(r"`(deploy ALL=.root. NOPASSWD: /usr/bin/systemctl [^`]*)`", actions)[1]
    before = machine.run("systemctl show shop.service --property=MainPID --value")
    carl = scene.carl
    carl.say("/deploy production")
    carl.hear('No "production"')
    carl.say("/do restart-web acme")
    carl.press(carl.hear("Run this? client/acme restart-web"), "restart-web")
    carl.hear("Failed: client/acme restart-web", "could not be restarted")
    machine.run(f"echo '{line.replace('web.service', 'shop.service')}' >>/etc/sudoers.d/deploybot")
    carl.say("/do restart-web acme")
    carl.press(carl.hear("Run this? client/acme restart-web"), "restart-web")
    carl.hear("Done: client/acme restart-web", "shop.service is running")
    assert machine.run("systemctl show shop.service --property=MainPID --value") != before
    wait_until(lambda: live in get(HEALTH)[1], PATIENCE_S, "the release that was live")


def test_units_of_a_user_run_on_when_that_user_is_gone(machine, make_scene):
    type_blocks(machine, DOCS, "useradd --create-home", "loginctl enable-linger",
                "# ~deploy/.config/systemd/user/shop.service")
    machine.ssh(block(DOCS, "systemctl --user"))
    scene = make_scene(SYSTEMD_SCOPE="user")
    first = scene.release()
    assert "warning" not in scene.last_log(), scene.last_log()
    second = scene.release()
    scene.is_taken_back(second)
    said = scene.attempt("/rollback production")
    assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
    wait_until(lambda: "deploy" not in machine.run("loginctl --no-legend list-sessions | grep -v manager || true"),
               PATIENCE_S, "the end of deploy's logins")
    scene.all_run(first)
    assert machine.run("stat -c %U /proc/$(pgrep -x python3)") == "deploy"


def test_a_migration_runs_once_as_the_units_user_and_is_ended_with_its_time(machine, make_scene):
    prepare(machine)
    machine.run(f"printf '%s\\n' '{block(DOCS, 'deploy ALL=(shop)')}' >>/etc/sudoers.d/deploybot; "
                "install -d -o shop /srv/shop")
    scene = make_scene(MIGRATE_COMMAND="tools/migrate", MIGRATE_TIMEOUT_SECONDS="10")
    scene.write(**{"tools/migrate": MIGRATE % ""})
    first = scene.release()
    assert machine.run("cat /srv/shop/migrations") == f"shop {first} production"
    scene.write(**{"tools/migrate": MIGRATE % "exec sleep 3600"})
    bad = scene.change()
    said = scene.attempt()
    assert f"interrupted and stopped; {first[:7]} still serves; the database may be half migrated" in said, said
    assert "took longer than 10 s" in said
    assert machine.run("tail -n 1 /srv/shop/migrations") == f"shop {bad} production"
    assert machine.try_run("pgrep -x sleep").returncode == 1
    scene.all_run(first)
    # Whatever held its lock is gone.
    scene.write(**{"tools/migrate": MIGRATE % ""})
    scene.release()
