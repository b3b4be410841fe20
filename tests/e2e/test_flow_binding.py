"""Goal: what runs is what was shown: settings and hooks that change between a question and its run are asked about
anew, a push goes by those of now, and a secret's value is nobody's business."""
# SPDX-License-Identifier: ISC
import re

import pytest

from flow_aid import Scripts, ended_well
from stage import wait_until
from telegram_client import text_of
from test_flow_application import Applications

CHANGED = "the settings changed since it was approved: "
WAIT_S = 40


class Bound(Applications):
    """Of the two applications the shop asks first, and has a hook and a secret of its own."""

    found = None

    def settings(self):
        """As they were written at the start: whoever asks for them again writes none."""
        self.found = self.found or super().settings()
        return self.found

    def write(self, application, **settings):
        if application == "shop":
            settings = {"STAGING_CONFIRM": "true", "HOOKS_DIRECTORY": self.folder / "hooks",
                        "REGISTRY_PASSWORD_FILE": self.secret("one", "first"), "REGISTRY_USER": "ann", **settings}
        super().write(application, **settings)

    def secret(self, name, value):
        """Replaced as a whole: what is read at any moment is one value or the other."""
        file = self.folder / f"secret-{name}"
        fresh = file.with_suffix(".fresh")
        fresh.write_text(value)
        fresh.chmod(0o600)
        return fresh.replace(file)

    def write_and_wait(self, name, **settings):
        """Until the server goes by them: a change of the file of a secret may be read, and said, before that."""
        before = len(self.bot.log())
        self.write("shop", **settings)
        wait_until(lambda: re.search(f"settings changed: .*{name}", self.bot.log()[before:]), WAIT_S, name)

    def hook(self, text):
        folder = self.folder / "hooks" / "pre-deploy"
        folder.mkdir(parents=True, exist_ok=True)
        fresh = folder.parent / "fresh"
        fresh.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        fresh.chmod(0o755)
        fresh.replace(folder / "10-migrate")

    def ask(self, who):
        self.commit()
        who.say("/deploy shop/staging")
        return who.hear("Deploy to shop/staging?", buttons=("Deploy to",))

    def live(self):
        return self.scripts.live("shop.staging")


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("binding")
    scripts = Scripts(folder / "scripts")
    for name in ("deploy.sh", "rollback.sh"):
        scripts.write(name, 'echo "==> release"; while [ -e "$here/hold" ]; do sleep 0.05; done; '
                            'echo "$2" >"$here/${1/\\//.}.live"')
    made = Bound(folder, settings={**scripts.settings(), "STAGING_HEALTH_URL": None, "RUNS_MAX": "1"})
    made.scripts = scripts
    made.hook("true")
    yield made
    scripts.clear("hold")
    ended_well(made)


def expect_anew(scene, who, question, names):
    """The press starts nothing; the question stands again with what differs, and its answer counts."""
    before = scene.live()
    who.press(question, "Deploy to")
    anew = who.hear(CHANGED + names, buttons=("Deploy to",))
    assert scene.live() == before
    who.press(anew, "Deploy to")
    who.hear("Live: shop/staging")
    assert scene.live() == scene.head("develop") != before


def test_what_is_as_it_was_shown_runs(scene):
    who = scene.admin()
    question = scene.ask(who)
    who.press(question, "Deploy to")
    who.hear("Live: shop/staging")
    assert scene.live() == scene.head("develop")
    [(binding, order)] = scene.bot_rows("SELECT binding, binding_list FROM work ORDER BY id DESC LIMIT 1")
    assert len(binding) == 64 and "pre-deploy/10-migrate=" in order and "STAGING_HOST=" in order


def test_a_hook_edited_between_the_question_and_the_press_is_asked_about(scene):
    who = scene.admin()
    question = scene.ask(who)
    scene.hook("rm -rf ./data")
    expect_anew(scene, who, question, "pre-deploy/10-migrate")


def test_a_setting_edited_between_the_question_and_the_press_is_asked_about(scene):
    who = scene.admin()
    question = scene.ask(who)
    scene.write("shop", STAGING_HOST="elsewhere.example.org")
    expect_anew(scene, who, question, "STAGING_HOST")


def test_another_file_of_a_secret_is_asked_about_and_another_value_is_not(scene):
    who = scene.admin()
    question = scene.ask(who)
    scene.write("shop", STAGING_HOST="elsewhere.example.org", REGISTRY_PASSWORD_FILE=scene.secret("two", "first"))
    expect_anew(scene, who, question, "REGISTRY_PASSWORD")
    question = scene.ask(who)
    scene.secret("two", "second")
    who.press(question, "Deploy to")
    who.hear("Live: shop/staging", scene.head("develop")[:7])
    assert scene.live() == scene.head("develop")


def hold_blog(scene):
    """The one run that there may be at once."""
    scene.scripts.touch("hold")
    scene.commit()
    holder = scene.admin()
    holder.say("/deploy blog/staging")
    scene.wait_busy("blog/staging")
    return holder


def let_blog_go(scene, holder):
    scene.scripts.clear("hold")
    holder.hear("Live: blog/staging")


def test_a_hook_replaced_between_the_answer_and_the_start_begins_nothing(scene):
    """It was confirmed and queued; the runner finds the other one when it has the order."""
    holder = hold_blog(scene)
    who = scene.admin()
    who.press(scene.ask(who), "Deploy to")
    who.hear("Queued", "shop/staging")
    before = scene.live()
    scene.hook("echo replaced")
    let_blog_go(scene, holder)
    anew = who.hear(CHANGED + "pre-deploy/10-migrate", buttons=("Deploy to",))
    assert scene.live() == before
    [entry] = scene.audit(action="deploy_requested", outcome="settings changed")
    assert entry["reason"] == "pre-deploy/10-migrate" and len(entry["binding"]) == 64
    who.press(anew, "Deploy to")
    who.hear("Live: shop/staging")
    assert scene.live() == scene.head("develop") != before


def test_what_nobody_was_asked_about_goes_by_the_settings_of_its_start(scene):
    """And says so; it is not dropped."""
    scene.write_and_wait("STAGING_CONFIRM", STAGING_CONFIRM="false")
    holder = hold_blog(scene)
    who = scene.admin()
    who.say("/deploy shop/staging")
    who.hear("Queued", "shop/staging")
    scene.hook("echo once more")
    let_blog_go(scene, holder)
    heard = who.hear("Live: shop/staging")
    assert "the settings changed (pre-deploy/10-migrate): it goes by those of now" in text_of(heard)
    assert scene.live() == scene.head("develop")


def test_a_rollback_is_bound_too(scene):
    who = scene.admin()
    who.say("/rollback shop/staging")
    question = who.hear("Roll back shop/staging?", buttons=("Roll back",))
    scene.hook("echo for the rollback")
    who.press(question, "Roll back")
    anew = who.hear(CHANGED + "pre-deploy/10-migrate", buttons=("Roll back",))
    assert scene.live() == scene.head("develop")
    who.press(anew, "Roll back")
    who.hear("↩️ Rolled back: shop/staging")
    assert scene.live() == scene.state_file("shop.staging")["commit"] != scene.head("develop")


def test_a_job_is_asked_about_anew_where_its_words_or_its_environment_changed(scene):
    """Between its answer and its start, by name; what then runs is what the second answer was for."""
    job = {"JOB_SHOW": "bin/one", "STAGING_CONFIRM": "true"}
    scene.write_and_wait("JOB_SHOW", **job)
    holder = hold_blog(scene)
    who = scene.admin()
    who.say("/do run-job shop/staging show")
    who.press(who.hear("Run this? shop/staging run-job show", buttons=("run-job",)), "run-job")
    who.hear("Queued", "shop/staging")
    scene.write_and_wait("JOB_SHOW", **{**job, "JOB_SHOW": "bin/two"})
    let_blog_go(scene, holder)
    anew = who.hear("the settings of shop/staging changed: JOB_SHOW", buttons=("run-job",))
    scene.write("shop", **{**job, "JOB_SHOW": "bin/two", "STAGING_COMPOSE_DIR": "/srv/other"})
    who.press(anew, "run-job")      # the server may not have read it yet: the runner has
    anew = who.hear("the settings changed since it was approved: STAGING_COMPOSE_DIR", buttons=("run-job",))
    who.press(anew, "Not now")
