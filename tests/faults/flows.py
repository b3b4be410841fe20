"""flows.py - the three flows that every campaign plays: what people and GitHub do, whatever becomes of the bot.

    who = FLOWS["production"].play(scene)   # never raises because the bot is dead, slow or refuses
    FLOWS["production"].settle(scene, who)  # the fault is gone: what a user would try again, until all is at rest
"""
# SPDX-License-Identifier: ISC
from scene import ENVIRONMENTS, Broken, wait_until  # first: it finds the rest
from crash_aid import texts
from flow_aid import PATIENCE_S, buttons_of, text_of

SETTLE_S = 90
PLAY_S = 45     # a bot that says nothing for so long is as good as dead


class Flow:
    """One deployment, from what asks for it to its end."""

    name = ""
    environment = "staging"
    webhook = True      # how Telegram brings what is written
    settings = {}

    def prepare(self, scene):
        """Nothing runs, staging and production have a release, and a newer commit is there."""
        scene.fresh(webhook=self.webhook, **self.settings)

    def play(self, scene):
        """The user's part.  Returns whom it was, at the flow's end or the bot's."""
        self.ask(scene)
        self.follow(scene, PLAY_S, lambda: scene.is_dead())     # pylint: disable=unnecessary-lambda
        return scene.who

    def settle(self, scene, who):
        """As a user who sees that it hangs would; raises Broken when it never comes to rest."""
        self.ask_again(scene)
        self.follow(scene, SETTLE_S, lambda: False)
        if not scene.has_ended():
            raise Broken("everything_ends", f"no end of what {who.number} asked for{texts(who)}")
        self.ask_once_too_often(scene)
        for environment in ENVIRONMENTS:
            in_time(lambda: not self.is_busy(scene, environment), f"{environment} stays busy")
        in_time(lambda: is_told(scene), "something is still to be said, run or asked")
        note_telegram(scene)

    def follow(self, scene, patience_s, is_over):
        """Answers what is asked, until the end is reported, is_over(), or nobody has the patience."""
        def look():
            if is_over() or (scene.has_ended() and is_told(scene)):
                return True
            self.answer(scene)
            return False
        try:
            wait_until(look, patience_s)
        except TimeoutError:
            pass    # settle() says what is missing

    @staticmethod
    def is_busy(scene, environment):
        return scene.rows("SELECT 1 FROM work WHERE environment = ? AND ended_at = 0", environment)

    # --- what differs ---

    def ask(self, scene):
        raise NotImplementedError

    def ask_again(self, scene):
        """What is sent once more by whoever was answered no, or nothing."""

    def ask_once_too_often(self, scene):
        """What comes twice though it was taken: nothing may come of it."""

    def answer(self, scene):
        """A question that stands is answered."""


class Production(Flow):
    """/deploy production: git is asked, a person confirms, the script, health, live."""

    name = "production"
    environment = "production"
    expected = {"LIVE"}

    def ask(self, scene):
        scene.pressed = set()
        scene.say("/deploy production")

    def answer(self, scene):
        """As long as the question stands; the button of an end that failed asks for another one."""
        for view in scene.who.messages():
            if text_of(view).startswith("❓"):
                scene.press_once(view, next((b for b in buttons_of(view) if "Deploy to" in b), None))


class Unhealthy(Flow):
    """/deploy staging of a commit that never gets well: health fails, what ran before comes back."""

    name = "unhealthy"
    webhook = False     # this one is polled
    expected = {"ROLLED_BACK"}
    settings = {"HEALTH_CHECK_RETRIES": "1"}

    def prepare(self, scene):
        super().prepare(scene)
        scene.bad = {scene.new["staging"]}

    def ask(self, scene):
        scene.say("/deploy staging")


class Push(Flow):
    """GitHub delivers a signed push: staging is deployed, and the team is notified."""

    name = "push"
    expected = {"LIVE"}

    def ask(self, scene):
        scene.delivery = scene.hub.push("develop", scene.new["staging"], scene.old["staging"])
        note_github(scene, scene.delivery)

    def ask_again(self, scene):
        """GitHub repeats nothing by itself; a person does, what was not taken, and nothing else."""
        if scene.delivery["status"] is None or scene.delivery["status"] >= 300:
            in_time(lambda: self.redeliver(scene), "a delivery is not taken")

    def ask_once_too_often(self, scene):
        in_time(lambda: self.redeliver(scene), "a delivery is not taken again")

    @staticmethod
    def redeliver(scene):
        again = scene.hub.redeliver(scene.delivery["guid"])
        note_github(scene, again)
        return again["status"] is not None and again["status"] < 300


def in_time(condition, what):
    try:
        wait_until(condition, SETTLE_S)
    except TimeoutError:
        raise Broken("everything_ends", what) from None


def note_github(scene, entry):
    if entry["status"] is not None and 200 <= entry["status"] < 300:
        scene.acknowledged.append(("github", entry["guid"]))


def note_telegram(scene):
    """What Telegram's webhook was answered 200 for, since the trial began."""
    for entry in scene.chat.deliveries()[scene.first_delivery:]:
        if entry["status"] is not None and 200 <= entry["status"] < 300:
            scene.acknowledged.append(("telegram", str(entry["update_id"])))


def is_told(scene):
    """Nothing is left to do but what waits for its hour, and Telegram has brought everything."""
    return scene.chat.state()["pending"] == 0 and not scene.rows(
        "SELECT 1 FROM effect WHERE kind <> 'wait' OR subject <> 0")


def text_in(who):
    return [text_of(view) for view in who.messages()]


FLOWS = {flow.name: flow for flow in (Production(), Unhealthy(), Push())}
__all__ = ["FLOWS", "Flow", "PATIENCE_S"]
