"""Goal: what a target and STATE_DIRECTORY have under an application's former name is found under its new one."""
# SPDX-License-Identifier: ISC
import fcntl
import os
import pathlib
import re
import subprocess

import pytest

from crash_aid import is_alive
from shipping_aid import APP, ShippingBench
from stage import ROOT, wait_until
from test_runner_application import by_hand
from upgrade_aid import RELEASED, need_its_machine


class Renamed(ShippingBench):
    """An installation with two releases in staging, and the files that rename it."""

    def __init__(self, path):
        super().__init__(path)
        self.main = path / "deploybot.conf"
        self.main.write_text("DEPLOY_TRANSPORT=local\n")
        (path / "apps").mkdir()
        self.own = {"REPOSITORY_URL": self.repository.path, "STAGING_PORT": self.port}
        self.main.write_text("DEPLOY_TRANSPORT=local\n" + self.words(self.own))
        self.server = self.runner(arguments=["--env-file", str(self.main)])
        self.commits = [self.repository.commit(page, DOTdeploybot__run=APP, page=page) for page in ("one", "two")]

    @staticmethod
    def words(settings):
        return "".join(f"{name}={value}\n" for name, value in settings.items())

    def ship_both(self):
        for commit in self.commits:
            assert self.ship(self.server, commit)["status"] == 0

    def rename(self, name, former):
        self.main.write_text("DEPLOY_TRANSPORT=local\n")
        (self.path / "apps" / f"{former}.env").unlink(missing_ok=True)
        (self.path / "apps" / f"{name}.env").write_text(self.words({**self.own, "RENAMED_FROM": former}))
        self.app = self.state / "apps" / f"{name}.staging"

    def folders(self):
        return sorted(os.listdir(self.state / "apps"))


@pytest.fixture(name="bench")
def fixture_bench(tmp_path):
    made = Renamed(tmp_path)
    yield made
    for name in made.folders():
        made.app = made.state / "apps" / name
        made.done()


@pytest.mark.long
def test_a_release_from_before_is_rolled_back_to_under_the_new_name(bench):
    bench.ship_both()
    old = bench.app_pid()
    bench.rename("shop", ".")
    record = bench.ship(bench.server, bench.commits[0], program="rollback", application="shop")
    assert record["status"] == 0, bench.server.log(bench.run_id)
    page = bench.page()
    assert page["commit"] == bench.commits[0] and bench.app_pid() != old and not is_alive(old)
    assert bench.folders() == ["shop.staging"]
    assert "what was kept of staging is of shop/staging from now on" in bench.server.log(bench.run_id).decode()
    bench.rename("store", "shop")
    fresh = bench.repository.commit("three", DOTdeploybot__run=APP, page="three")
    assert bench.ship(bench.server, fresh, application="store")["status"] == 0
    assert bench.page()["commit"] == fresh and bench.folders() == ["store.staging"]
    assert bench.ship(bench.server, bench.commits[1], program="rollback", application="store")["status"] == 0
    assert bench.page()["commit"] == bench.commits[1]


@pytest.mark.long
def test_who_only_asks_moves_nothing_from_under_what_runs(bench):
    """The application that runs may know its folder by the old path; so it is there until another one runs."""
    bench.ship_both()
    bench.rename("shop", ".")
    for _ in range(2):
        done = by_hand(bench, "target.sh", "shop/staging", "current")
        assert done.returncode == 0 and done.stdout.splitlines()[-1] == bench.commits[1], done.stderr
    assert bench.folders() == ["shop.staging", "staging"] and (bench.state / "apps/staging").is_symlink()
    assert bench.page()["commit"] == bench.commits[1]
    assert bench.ship(bench.server, bench.commits[1], application="shop")["status"] == 0
    assert bench.folders() == ["shop.staging"]


def test_a_new_application_of_the_former_name_has_nothing_of_it(bench):
    bench.ship_both()
    bench.rename("shop", ".")
    assert by_hand(bench, "target.sh", "shop/staging", "current").returncode == 0
    bench.rename("store", "shop")
    assert by_hand(bench, "target.sh", "store/staging", "current").returncode == 0
    (bench.path / "apps/shop.env").write_text(bench.words(bench.own))
    done = by_hand(bench, "target.sh", "shop/staging", "current")
    assert done.returncode == 0 and bench.commits[1] not in done.stdout, done.stderr
    assert not (bench.state / "apps/shop.staging").is_symlink()
    # ... and takes nothing either, as long as both files are there
    (bench.path / "apps/cart.env").write_text(bench.words({**bench.own, "RENAMED_FROM": "shop"}))
    assert by_hand(bench, "target.sh", "cart/staging", "current").returncode == 0
    assert {"cart.staging", "shop.staging"} <= set(bench.folders())
    assert not (bench.state / "apps/shop.staging").is_symlink()


def test_nothing_is_moved_while_somebody_works_there(bench):
    bench.ship_both()
    bench.rename("shop", ".")
    with open(bench.state / "apps/staging/lock", "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = bench.ship(bench.server, bench.commits[0], program="rollback", application="shop")
        assert record["status"] == 75 and bench.folders() == ["staging"]
        assert "under its former name staging: wait for it" in bench.server.log(bench.run_id).decode()
    assert bench.ship(bench.server, bench.commits[0], program="rollback", application="shop")["status"] == 0


def test_what_a_question_left_under_the_new_name_makes_room_and_releases_do_not(bench):
    bench.ship_both()
    bench.rename("shop", ".")
    new = bench.state / "apps/shop.staging"
    (new / "releases").mkdir(parents=True)
    (new / "ask.lock").touch()
    assert by_hand(bench, "target.sh", "shop/staging", "current").stdout.splitlines()[-1] == bench.commits[1]
    (bench.state / "apps/staging").unlink()
    new.rename(bench.state / "apps/staging")
    (new / "releases/1-a").mkdir(parents=True)
    done = by_hand(bench, "target.sh", "shop/staging", "current")
    assert done.returncode == 78 and "have both something: keep the one" in done.stderr
    (new / "releases/1-a").rmdir()


@pytest.mark.parametrize("word", ["mv", "ln"])
@pytest.mark.parametrize("when", [pytest.param("before", marks=pytest.mark.long), "behind"])
def test_whoever_is_killed_in_between_is_gone_on_from(bench, word, when):
    bench.ship_both()
    bench.rename("shop", ".")
    shims = bench.path / "shims"
    shims.mkdir()
    act = f'/bin/{word} "$@"; ' if when == "behind" else ""
    (shims / word).write_text(f"#!/bin/bash\n{act}kill -KILL $PPID\n")
    (shims / word).chmod(0o755)
    done = by_hand(bench, "target.sh", "shop/staging", "current", PATH=f"{shims}:{os.environ['PATH']}")
    assert done.returncode == -9
    assert by_hand(bench, "target.sh", "shop/staging", "current").stdout.splitlines()[-1] == bench.commits[1]
    record = bench.ship(bench.server, bench.commits[0], program="rollback", application="shop")
    assert record["status"] == 0 and bench.page()["commit"] == bench.commits[0]
    wait_until(lambda: bench.folders() == ["shop.staging"], 5, "one folder")


def of_the_downgrade(bench):
    """The commands of docs/OPERATIONS.md, as one user, in this STATE_DIRECTORY."""
    text = pathlib.Path(ROOT, "docs/OPERATIONS.md").read_text(encoding="utf-8")
    block = text.partition("test_runner_renamed.py plays this way -->\n")[2].partition("\n\n")[0]
    commands = re.sub(r"sudo (-u \S+ )?", "", block).replace("/var/lib/deploybot", str(bench.state))
    subprocess.run(["/bin/sh", "-ec", commands], check=True)


@pytest.mark.long
def test_a_program_from_before_applications_goes_on_with_what_was_adopted(bench):
    need_its_machine()
    subprocess.run(["tar", "xJf", os.path.join(ROOT, f"tests/fixtures/{RELEASED[-1]}/fixture.tar.xz"),
                    "-C", str(bench.path), "./bin", "./deploy"], check=True)

    def by_hand_of_then(program, commit):
        return by_hand(bench, str(bench.path / "deploy" / program), "staging", commit, STAGING_PORT=str(bench.port),
                       REPOSITORY_URL=str(bench.repository.path),
                       DEPLOYBOT_RUNNER=str(bench.path / "bin/deploybot-runner"))
    bench.ship_both()
    bench.rename("shop", ".")
    assert bench.ship(bench.server, bench.commits[1], application="shop")["status"] == 0
    environments = bench.state / "environments"
    environments.mkdir(exist_ok=True)
    (environments / "shop.staging.json").touch()
    assert bench.folders() == ["shop.staging"]
    of_the_downgrade(bench)
    assert bench.folders() == ["staging"] and not list(environments.glob("shop.*"))
    for program, commit in (("rollback.sh", bench.commits[0]), ("deploy.sh", bench.commits[1])):
        done = by_hand_of_then(program, commit)
        assert done.returncode == 0 and bench.page()["commit"] == commit, done.stdout + done.stderr


def test_the_link_that_a_question_left_is_replaced_at_the_downgrade(bench):
    bench.ship_both()
    bench.rename("shop", ".")
    assert by_hand(bench, "target.sh", "shop/staging", "current").returncode == 0
    assert (bench.state / "apps/staging").is_symlink()
    of_the_downgrade(bench)
    assert bench.folders() == ["staging"] and not (bench.state / "apps/staging").is_symlink()
