"""Goal: how much runs at once, how often and for how much somebody asks is bounded; who is refused knows until when,
and stop, status and rollback are heard all the same."""
# SPDX-License-Identifier: ISC
import re
import time

import pytest

from flow_aid import Applications, Scripts, ended_well
from stage import wait_until
from telegram_client import GROUP, text_of

BURST = 20          # commands of somebody with a role at once, whatever ROLE_RATE_LIMIT says
STRANGERS = 424_260_000
LIMITS = ("RUNS_MAX", "APPLICATION_RUNS_MAX", "COST_LIMIT_PER_USER", "ROLE_RATE_LIMIT", "RATE_LIMIT_BURST",
          "RATE_LIMIT_REQUESTS", "RATE_LIMIT_WINDOW")
ALL = [f"{application}/{environment}" for application in ("shop", "blog") for environment in ("staging", "production")]
# A deployment waits for a word of the test, after it has said that it began.
HELD = ('here="$here/${1/\\//.}"; echo "==> build"; touch "$here.up"\n'
        'until [ -e "$here.go" ]; do sleep 0.05; done\necho "==> release"; echo "$2" >"$here.live"')


class Limited(Applications):
    """Two applications whose deployments begin, and go on when the test says so."""

    def __init__(self, folder):
        self.scripts = Scripts(folder / "scripts")
        self.scripts.write("deploy.sh", HELD)
        self.scripts.write("rollback.sh", 'echo "==> release"; echo "$2" >"$here/${1/\\//.}.live"')
        super().__init__(folder, settings={**self.scripts.settings(), "STAGING_HEALTH_URL": None,
                                           "PRODUCTION_HEALTH_URL": None, "TELEGRAM_CHAT_ID": str(GROUP)})

    def write(self, application, **settings):
        super().write(application, PRODUCTION_HOST=f"{application}.example.net", PRODUCTION_CONFIRM="false",
                      **settings)

    def limited(self, **limits):
        """A server with these limits, and the defaults of all others."""
        self.bot.stop()
        self.start_bot(**{**dict.fromkeys(LIMITS), **limits})

    def begin(self, environment):
        """Somebody's deployment of a new commit, that its script has begun."""
        who = self.ask(environment)
        self.scripts.wait_for(f"{environment.replace('/', '.')}.up")
        return who

    def ask(self, environment):
        self.commit("main" if environment.endswith("production") else "develop")
        who = self.admin()
        who.say(f"/deploy {environment}")
        return who

    def go_on(self, *environments):
        for environment in environments:
            self.scripts.touch(f"{environment.replace('/', '.')}.go")

    def hold_all(self):
        self.scripts.clear(*(f"{name.replace('/', '.')}.{mark}" for name in ALL for mark in ("go", "up")))

    def order(self, since):
        """What began and what went live, as the audit has it."""
        return [(e["action"], e["environment"]) for e in self.audit()[since:]
                if e["action"] in ("deploy_started", "deploy_success")]


@pytest.fixture(scope="module", name="scene")
def fixture_scene(tmp_path_factory):
    made = Limited(tmp_path_factory.mktemp("limits"))
    yield made
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    yield
    scene.go_on(*ALL)
    for environment in ALL:
        scene.wait_free(environment.rpartition("/")[2])
    scene.hold_all()


def two_releases(scene, environment):
    scene.go_on(environment)
    for _ in range(2):
        scene.ask(environment).hear(f"Live: {environment}")
    scene.hold_all()


def roll_back(who, environment):
    who.say(f"/rollback {environment}")
    who.press(who.hear(f"Roll back {environment}?"), "Roll")
    who.hear(f"Rolled back: {environment}", without=("?",))


def test_the_second_application_waits_for_the_only_slot_and_goes_on_by_itself(scene):
    scene.limited(RUNS_MAX="1")
    two_releases(scene, "blog/production")
    since = len(scene.audit())
    first = scene.begin("shop/staging")
    second = scene.ask("blog/staging")
    second.hear("blog/staging", "waits: as many deployments are in progress as may be")
    first.say("/queue")
    first.hear("blog/staging", "waits: 1 of 1 deployments in progress")
    roll_back(scene.admin(), "blog/production")     # a person's needs no slot
    assert scene.order(since) == [("deploy_started", "shop/staging")] and not scene.scripts.live("blog.staging")
    scene.go_on("shop/staging", "blog/staging")
    first.hear("Live: shop/staging")
    second.hear("Live: blog/staging")
    assert scene.order(since) == [(action, environment) for environment in ("shop/staging", "blog/staging")
                                  for action in ("deploy_started", "deploy_success")]


def test_one_application_leaves_slots_to_the_others(scene):
    scene.limited(APPLICATION_RUNS_MAX="1")
    since = len(scene.audit())
    first = scene.begin("shop/staging")
    second = scene.ask("shop/production")
    second.hear("shop/production", "waits: as many deployments are in progress as may be")
    second.say("/queue shop")
    second.hear("shop/production", "waits: 1 of 1 deployments of its application in progress")
    scene.go_on("blog/staging", "shop/production")
    scene.ask("blog/staging").hear("Live: blog/staging")
    assert scene.order(since) == [("deploy_started", "shop/staging"), ("deploy_started", "blog/staging"),
                                  ("deploy_success", "blog/staging")]
    scene.go_on("shop/staging")
    first.hear("Live: shop/staging")
    second.hear("Live: shop/production")


def test_who_has_used_up_a_day_is_told_the_hour_of_room_and_still_stops_and_rolls_back(scene):
    scene.limited(COST_LIMIT_PER_USER="1")
    two_releases(scene, "shop/staging")
    scene.go_on("blog/staging")
    who = scene.ask("blog/staging")
    who.hear("Live: blog/staging")
    who.say("/deploy blog/staging")
    paid = scene.audit(action="deploy_requested", user_id=f"telegram:{who.number}")[0]
    # What was paid in an hour counts until 24 hours behind its end.
    room = (int(re.search(r"T(\d\d):", paid["timestamp"]).group(1)) + 1) % 24
    who.hear(f"Limit used up: deploy: you may start 1 in 24 hours; there is room again at {room:02d}:00 UTC.")
    assert len(scene.audit(action="denied", reason="COST_LIMIT_PER_USER", user_id=f"telegram:{who.number}")) == 1
    scene.hold_all()
    other = scene.begin("blog/staging")     # whose own day has room
    who.say("/status blog/staging")
    who.hear("blog/staging", "⏳ in progress")
    who.say("/cancel blog/staging")
    who.hear("⏳ Stopping: blog/staging")
    other.hear("blog/staging still runs")
    roll_back(who, "shop/staging")
    who.say("/deploy blog/staging")
    who.hear("Limit used up: deploy: you may start 1 in 24 hours")


def stranger(scene, number):
    scene.chat.act("users", user_id=STRANGERS + number, first_name="Eve", username=f"eve_{number}")
    return scene.person(STRANGERS + number)


def looked_at(scene):
    """How often strangers were denied something, as an entry or counted."""
    return len(scene.audit(action="denied")) + scene.bot.counted()


def denials(scene, chat):
    return [text for text in map(text_of, scene.admin().messages(chat)) if "you have no role here" in text]


def test_a_group_in_which_strangers_write_answers_its_own_people(scene):
    scene.limited(RATE_LIMIT_BURST="2", RATE_LIMIT_REQUESTS="1", RATE_LIMIT_WINDOW="3600")
    before = looked_at(scene)
    for number in range(6):
        stranger(scene, number).say("/status", chat=GROUP)
    who = scene.admin()
    who.say("/status shop/staging", chat=GROUP)     # behind theirs: what they get they have
    who.hear("shop/staging", chat=GROUP)
    assert len(denials(scene, GROUP)) == 2
    assert looked_at(scene) == before + 6


def test_a_stranger_who_writes_too_often_is_not_even_told_their_id(scene):
    scene.limited(RATE_LIMIT_BURST="2", RATE_LIMIT_REQUESTS="1", RATE_LIMIT_WINDOW="3600")
    eve, before = stranger(scene, 7), looked_at(scene)
    for word in ("/status", "/history", "/whoami"):
        eve.say(word)
    wait_until(lambda: looked_at(scene) == before + 3, 10, "each is an entry, or counted")
    eve.hear("you have no role here", after=0)
    assert [text for text in map(text_of, eve.messages()) if "Too many" in text or "Telegram id" in text] == []


@pytest.mark.long
def test_whoever_types_too_fast_is_told_once_a_minute_and_stops_all_the_same(scene):
    scene.limited(ROLE_RATE_LIMIT="1")
    two_releases(scene, "blog/staging")
    running = scene.begin("shop/staging")
    who, began = scene.admin(), time.monotonic()
    for _ in range(BURST + 5):
        who.say("/help")
    who.hear("⛔ Too many commands: again in 60 s.", after=0)
    for line, answer in (("/status shop/staging", "⏳ in progress"),
                         ("/lock blog/staging 1h", "🔒 Locked: blog/staging by @admin_"),
                         ("/unlock blog/staging", "Unlocked: blog/staging"),
                         ("/unfreeze all", "Not frozen: all environments"),
                         ("/cancel shop/staging", "⏳ Stopping: shop/staging")):
        who.say(line)
        who.hear(answer)
    running.hear("shop/staging", "was changed", without=("▸",))
    roll_back(who, "blog/staging")
    who.say("/help")
    who.say("/status shop/staging")
    who.hear("shop/staging")
    minutes = int((time.monotonic() - began) / 60) + 1
    said = list(map(text_of, who.messages()))
    assert 1 <= len([text for text in said if "Too many commands" in text]) <= minutes
    assert BURST <= len([text for text in said if "/deploy" in text and "/rollback" in text]) < BURST + minutes
