"""Goal: with REQUIRE_OTP a deployment waits for the code of who asks, typed on a pad in private or on the terminal;
a second factor is made on the machine, and each of its codes opens one thing once."""
# SPDX-License-Identifier: ISC
import base64
import json
import os
import pty
import re
import select
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

import authenticator
from authenticator import code_of
from flow_aid import FIRST_ADMIN, PATIENCE_S
from local_aid import PERSON, ROLE_ADMIN, LocalScene
from service_aid import SERVER, give
from stage import wait_until
from telegram_client import text_of

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


PAGE = {"CONSOLE": "true", "ENABLE_API_SERVER": "true", "PUBLIC_URL": "https://bot.example.org",
        "AUTH_TOKEN_SECRET": "of-the-factors-7Qd2Zk9Lw4Xs-of-the-factors"}


class FactorScene(LocalScene):
    """With a key file that only the server's user reads."""

    def __init__(self, **options):
        self.steps = {}     # of each secret the last that was used
        self.secret, self.recovery = None, []
        self.key = f"/tmp/deploybot-factor-{os.getpid()}.key"
        with open(self.key, "w", encoding="ascii") as file:
            file.write(os.urandom(32).hex() + "\n")
        give(self.key, SERVER, SERVER, 0o600)
        super().__init__(settings={"TOTP_KEY_FILE": self.key, "REQUIRE_OTP": "deploy:*", **PAGE}, **options)

    def close(self):
        super().close()
        os.unlink(self.key)

    def enrol(self, person):
        """What the command line shows: (secret, recovery codes)."""
        told = self.start_command("root", "2fa", "add", person, "--as", "admin")
        shown = ""
        while "shows now" not in shown:
            piece = told.stderr.read(1)
            assert piece, f"it ended before it asked for the first code:\n{shown}{told.stdout.read()}"
            shown += piece
        secret = re.search(r"6 digits\):\s+([A-Z2-7 ]+)\n", shown).group(1).replace(" ", "")
        told.stdin.write(self.code(secret) + "\n")
        told.stdin.close()
        said, errors = told.stdout.read(), told.stderr.read()
        assert told.wait(PATIENCE_S) == 0, (said, errors)
        recovery = re.findall(r"^  ((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})$", said, re.M)
        if person == FIRST_ADMIN:
            self.secret, self.recovery = secret, recovery
        return secret, list(recovery)

    def own(self):
        """The secret of FIRST_ADMIN, who is PERSON on the machine."""
        return self.secret or self.enrol(FIRST_ADMIN)[0]

    def code(self, secret):
        """One that was not used: the step behind this one counts too."""
        used = self.steps.get(secret, 0)
        if int(time.time()) // 30 + 1 <= used:
            wait_until(lambda: int(time.time()) // 30 >= used, 40, "the next step")
        self.steps[secret] = max(int(time.time()) // 30, used + 1)
        return code_of(secret, self.steps[secret])


@pytest.fixture(scope="module")
def scene():
    made = FactorScene()
    yield made
    made.close()


def test_a_code_on_the_pad_lets_a_deployment_go_on(scene):
    who = scene.admin()      # whom LOCAL_GAMES_IS names
    who.say("/deploy staging")
    who.hear("staging deploy", "you have no second factor")
    secret, recovery = scene.enrol(FIRST_ADMIN)
    assert len(secret) == 32 and len(set(recovery)) == 10
    who.hear("Second factor", f"telegram:{FIRST_ADMIN}")
    who.say("/deploy staging")
    pad = who.hear("Code for staging deploy", buttons=("1", "0"))
    for digit in scene.code(secret):
        who.press(pad, digit)
    who.hear("Code accepted: staging deploy")
    who.hear("Live: staging")
    scene.wait_free()
    database = (scene.folder / "state" / "deploybot.db").read_bytes()
    assert secret.encode() not in database and base64.b32decode(secret) not in database
    assert not any(code.encode() in database for code in recovery)


def test_a_recovery_code_is_taken_on_the_machine_once(scene):
    scene.own()
    code, who = scene.recovery.pop(), scene.admin()
    who.say("/whoami")
    who.hear("Your Telegram id is")
    recover = ("root", "2fa", "recover", FIRST_ADMIN, "--as", "admin")
    assert "Recovery code taken" in scene.run(*recover, typed=code.lower().replace("-", " ") + "\n")
    who.hear("Recovery code used", f"telegram:{FIRST_ADMIN}", "9 left")
    assert "was used already" in scene.run(*recover, typed=code + "\n", wanted=1)
    assert "expected 16 letters" in scene.run(*recover, typed="ABCD\n", wanted=65)


def post(scene, path, body, token=None):
    """(status, JSON)."""
    asked = urllib.request.Request(scene.bot.base + path, json.dumps(body).encode(), {
        "Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as answer:
        return answer.code, json.load(answer)


def test_a_second_factor_is_begun_in_the_chat_shown_by_the_page_and_confirmed_by_somebody_else(scene):
    who, other = scene.admin(), scene.admin()
    other.say("/start")
    other.hear("I deploy releases")
    confirmer, _ = scene.enrol(other.number)
    who.say("/2fa")
    begun = who.hear("Second factor begun: the console shows")["message"]
    assert begun["reply_markup"]["inline_keyboard"][0][0]["web_app"] == {"url": "https://bot.example.org/console/"}
    who.say("/console")
    login = re.search(r"#code=([0-9a-f]{32})", text_of(who.hear("Open the console"))).group(1)
    status, opened = post(scene, "/v1/session/open", {"code": login})
    assert status == 200, opened
    assert post(scene, "/v1/factor", {})[0] == 401
    status, answer = post(scene, "/v1/factor", {}, opened["token"])
    assert status == 200 and post(scene, "/v1/factor", {}, opened["token"])[0] == 404, answer
    assert authenticator.read(answer["qr"]) == answer["uri"]
    shown = urllib.parse.urlsplit(answer["uri"])
    asked = urllib.parse.parse_qs(shown.query)
    assert (shown.scheme, shown.netloc) == ("otpauth", "totp")
    assert urllib.parse.unquote(shown.path).endswith(f":telegram:{who.number}")
    secret = asked["secret"][0]
    assert re.fullmatch("([A-Z2-7]{4} ){7}[A-Z2-7]{4}", answer["secret"]), answer
    assert answer["secret"].replace(" ", "") == secret
    who.say("/2fa confirm 12345")
    who.hear("Not confirmed: that is not its code")
    who.say(f"/2fa confirm {scene.code(secret)}")
    who.hear("Code accepted", "another admin")
    asks = other.hear("Second factor to confirm", f"telegram:{who.number}", buttons=("Confirm their second factor",))
    who.say("/deploy staging")
    who.hear("staging deploy", "you have no second factor")
    other.press(asks, "Confirm")
    pad = other.hear("Code for 2FA of telegram", buttons=("1", "0"))
    for digit in scene.code(confirmer):
        other.press(pad, digit)
    who.hear("Second factor", "has one, confirmed", f"telegram:{who.number}")
    who.say("/deploy staging")
    pad = who.hear("Code for staging deploy", buttons=("1", "0"))
    for digit in scene.code(secret):
        who.press(pad, digit)
    who.hear("Code accepted: staging deploy")
    scene.wait_free()
    database = (scene.folder / "state" / "deploybot.db").read_bytes()
    assert secret.encode() not in database and base64.b32decode(secret) not in database
    assert answer["secret"].encode() not in database
    assert secret not in scene.bot.log() and answer["secret"] not in scene.bot.log()
    assert not any(secret in text_of(view) for view in scene.chat.messages(who.number))


def read_until(terminal, words):
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], PATIENCE_S)[0], seen
        seen += os.read(terminal, 4096)
    return seen


def test_a_terminal_asks_for_the_code_and_without_one_nothing_is_done(scene):
    secret = scene.own()
    told = scene.run(PERSON, "deploy", "staging", wanted=77)
    assert "staging deploy needs a code of your second factor: run it in a terminal" in told
    type_code(scene, scene.code(secret), b"follow it with", "deploy", "staging", "--no-wait")
    scene.wait_free()


def type_code(scene, code, until, *arguments, wanted=0):
    """On a terminal, where a code is asked for; what it says after that."""
    ours, theirs = pty.openpty()
    sitting = subprocess.Popen(scene.command(PERSON, *arguments), cwd="/", env=scene.environment(), stdin=theirs,
                               stdout=theirs, stderr=theirs)
    os.close(theirs)
    read_until(ours, b"Code of your second factor: ")
    os.write(ours, code.encode() + b"\n")
    said = read_until(ours, until)
    assert sitting.wait(PATIENCE_S) == wanted
    os.close(ours)
    return said.decode()


def test_an_account_without_the_telephone_passes_no_code(scene):
    """An ssh key of an admin's account resets no factor, shows no recovery codes and makes no other factor."""
    secret, me, other = scene.own(), FIRST_ADMIN, FIRST_ADMIN + 30
    for word in ("reset", "codes"):
        told = scene.run(PERSON, "2fa", word, me, wanted=77)
        assert f"2FA {word} of {me} needs a code of your second factor" in told
    status, answer = scene.ask(PERSON, "POST", "/v1/2fa/add", {"person": me})
    assert status == 409 and "secret" not in answer and "has a second factor" in answer["said"]
    for word, more in (("add", {}), ("codes", {}), ("reset", {}), ("confirm", {"first": "123456"})):
        status, answer = scene.ask(PERSON, "POST", f"/v1/2fa/{word}", {"person": other, **more})
        assert status == 428 or (word != "add" and status == 409), (word, answer)
        assert "secret" not in answer and "recovery" not in answer
        status, answer = scene.ask(ROLE_ADMIN, "POST", f"/v1/2fa/{word}", {"person": other, **more})
        assert status == 403 and "a role is no person: root does it" in answer["said"]
    assert not scene.audit(action="factor_reset") and not scene.audit(action="factor_codes")
    told = scene.run(PERSON, "deploy", "staging", wanted=77)
    assert "needs a code" in told
    # With the telephone, each for a code of its own.
    assert "Recovery codes" in type_code(scene, scene.code(secret), b"telephone is not", "2fa", "codes", me)
    scene.wait_for_audit(action="factor_codes")
    code = scene.code(secret)
    type_code(scene, code, b"Reset: it ends", "2fa", "reset", me)
    # What they would be asked for from now on others make.
    wait_until(lambda: scene.ask(PERSON, "POST", "/v1/2fa/add", {"person": me})[0] == 403, PATIENCE_S, "it has ended")
    _, answer = scene.ask(PERSON, "POST", "/v1/2fa/add", {"person": me})
    assert "nobody does that for themselves without a code: root does it" in answer["said"] and "secret" not in answer
    scene.secret, scene.recovery = None, []
