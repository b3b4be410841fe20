"""Goal: an installation with a history becomes one application of several: it is adopted in the middle of its work, and
goes on under its new name with all that it was; another one beside it is removed, added again and renamed."""
# SPDX-License-Identifier: ISC
import re

import pytest

from flow_aid import ANY, PATIENCE_S, Scene, ended_well
from stage import Deploybot, free_port, wait_until
from telegram_client import text_of

# What says where it stands and listens comes with the process, all else stands in its file.
OF_PROCESS = ("API_SERVER_PORT", "STATE_DIRECTORY", "AUDIT_LOG_PATH")


class Installation(Scene):
    """A scene whose settings stand in a file, as an administrator has them."""

    def start(self):
        self.start_peers()
        given = self.settings()
        self.file = self.folder / ".env"
        self.write(self.file, {name: value for name, value in given.items() if name not in OF_PROCESS})
        self.bot = Deploybot(self.folder, {name: given[name] for name in OF_PROCESS}, self.build)
        self.bot.start()
        return self

    @staticmethod
    def write(path, settings):
        fresh = path.with_suffix(".new")
        fresh.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
        fresh.chmod(0o600)
        fresh.replace(path)

    def application(self, name, **settings):
        """Writes the file of one with ports of its own, known as its environments."""
        ports = {environment: self.ports.setdefault(f"{name}/{environment}", free_port())
                 for environment in ("staging", "production")}
        given = {f"{of.upper()}_PORT": port for of, port in ports.items()}
        self.write(self.folder / "apps" / f"{name}.env", {"REPOSITORY_URL": self.repository, **given, **settings})

    def folders(self):
        return {path.name for path in (self.folder / "state" / "apps").iterdir() if not path.is_symlink()}

    def deploys(self, environment, ref=""):
        """Who asked for it, and the commit that runs there then."""
        commit = ref or self.commit()["after"]
        who = self.admin()
        who.say(f"/deploy {environment} {commit}")
        who.hear(f"Live: {environment}")
        assert self.runs(environment) == commit
        return commit

    def begins(self, environment):
        """A commit whose build is held."""
        commit = self.commit()["after"]
        who = self.admin()
        who.say(f"/deploy {environment} {commit}")
        return who, commit, who.hear(environment, "building", buttons=("Stop",))

    def rolls_back(self, environment, number, commit):
        who = self.admin()
        who.say(f"/rollback {environment} {number}")
        who.press(who.hear("Roll ", f"{environment}?"), "Roll ")    # back, or forward
        who.hear("Rolled ", f": {environment}", commit[:7])
        assert self.runs(environment) == commit
        self.idle()

    def idle(self):
        wait_until(lambda: self.bot_rows("SELECT count(*) FROM work WHERE ended_at = 0") == [(0,)], PATIENCE_S,
                   "the end of all work")

    def verify(self):
        done = self.bot.run("audit", "verify")
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    made = Installation(tmp_path_factory.mktemp("rename"))
    yield made
    made.let_go()
    ended_well(made)


@pytest.mark.long
def test_an_installation_is_adopted_in_the_middle_of_its_work(scene):
    first, second = scene.deploys("staging"), scene.deploys("staging")
    scene.rolls_back("staging", 1, first)
    kept = scene.head("main")
    scene.release("production")
    bad = scene.commit("main")["after"]
    scene.release("production")
    scene.rolls_back("production", 1, kept)         # which blocks the other
    scene.make_builds_wait()
    scene.hold()
    running, third, _ = scene.begins("staging")
    waiting, fourth = scene.admin(), scene.commit()["after"]
    waiting.say(f"/deploy staging {fourth}")
    waiting.hear("Queued: 1st in staging")
    done = scene.bot.run("application", "adopt", "shop")
    assert done.returncode == 0, done.stderr
    scene.ports |= {f"shop/{name}": scene.ports[name] for name in ("staging", "production")}
    scene.wait_for_audit(action="settings_reloaded")
    late = scene.admin()
    late.say("/deploy shop/staging")
    late.hear("work under the old name has not ended yet")
    assert scene.runs("staging") == first
    scene.let_go()
    running.hear("Live: staging")
    waiting.hear("Live: shop/staging", confirms=ANY)     # what it was confirmed for is not so any more
    assert scene.runs("shop/staging") == fourth and scene.folders() == {"shop.staging", "production"}
    assert not list((scene.folder / "state/apps").glob("staging"))      # nor a link that leads there
    renamed = scene.audit(action="environment_renamed")
    assert sorted((entry["environment"], entry["outcome"]) for entry in renamed) == [
        ("shop/production", "ok"), ("shop/staging", "ok")], renamed
    scene.rolls_back("shop/staging", 1, first)      # of before, and of the very moment
    scene.rolls_back("shop/staging", 4, third)
    who = scene.admin()
    who.say("/status shop/production")
    who.hear("shop/production", f"blocked: {bad[:7]} rolled back by")
    scene.rolls_back("shop/production", 2, bad)
    assert scene.folders() == {"shop.staging", "shop.production"}
    who = scene.admin()
    who.say("/history shop/staging")
    newest = who.hear("shop/staging", fourth[:7], buttons=("2/2 ▶",))
    who.press(newest, "2/2 ▶")
    text = text_of(newest) + text_of(who.hear("shop/staging", first[:7], buttons=("◀ 1/2",)))
    assert all(commit[:7] in text for commit in (first, second, third, fourth)), text
    assert scene.state_file("staging") is None and scene.state_file("shop.staging")["commit"] == third
    busy = [line for line in scene.bot.metrics().splitlines() if line.startswith("deploybot_environment_busy{")]
    assert busy and all('application="shop"' in line for line in busy), busy
    scene.verify()


@pytest.mark.long
def test_another_one_beside_it_is_removed_while_it_deploys_and_added_again(scene):
    scene.application("web")
    wait_until(lambda: "web: new" in str(scene.audit(action="settings_reloaded")), PATIENCE_S, "the new one")
    before = scene.runs("shop/staging")
    live = scene.deploys("web/staging")
    scene.hold()
    _, commit, _ = scene.begins("web/staging")
    (scene.folder / "apps" / "web.env").unlink()
    wait_until(lambda: "web: removed" in str(scene.audit(action="settings_reloaded")), PATIENCE_S, "its removal")
    scene.let_go()
    scene.idle()
    states = scene.bot_rows("SELECT state FROM work WHERE environment = 'web/staging' ORDER BY id")
    assert states == [("LIVE",), ("LIVE",)] and scene.runs("web/staging") == commit
    assert scene.runs("shop/staging") == before
    who = scene.admin()
    who.say("/deploy web/staging")
    who.hear("web", without=("runs",))
    scene.application("web")
    wait_until(lambda: str(scene.audit(action="settings_reloaded")).count("web: new") == 2, PATIENCE_S, "it once more")
    scene.rolls_back("web/staging", 1, live)
    scene.verify()


@pytest.mark.long
def test_it_is_renamed_and_goes_back_to_what_it_was(scene):
    was = [commit for commit, in scene.bot_rows(
        "SELECT commit_id FROM release WHERE environment = 'web/staging' ORDER BY id")]
    old = scene.ports
    scene.ports = {**old, **{f"site/{name}": old[f"web/{name}"] for name in ("staging", "production")}}
    scene.application("site", RENAMED_FROM="web")
    wait_until(lambda: "site: new" in str(scene.audit(action="settings_reloaded")), PATIENCE_S, "both")
    assert re.search(r"RENAMED_FROM: web\.env is there still", scene.bot.run("check-config").stderr)
    assert re.search(r"(?m)^site: .*with errors", scene.bot.run("application", "list").stdout)
    assert scene.audit(action="environment_renamed", environment="site/staging") == []
    (scene.folder / "apps" / "web.env").unlink()
    scene.wait_for_audit(action="environment_renamed", environment="site/staging", outcome="ok")
    commit = scene.deploys("site/staging")
    assert scene.folders() == {"shop.staging", "shop.production", "site.staging"}
    assert commit != was[0]
    scene.rolls_back("site/staging", 1, was[0])
    scene.verify()
