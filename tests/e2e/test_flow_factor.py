"""Goal: with REQUIRE_OTP a deployment waits for the code of who asks, typed on a pad in private or on the terminal;
a second factor is made on the machine, and each of its codes opens one thing once."""
# SPDX-License-Identifier: ISC
import base64
import hmac
import os
import pty
import re
import select
import struct
import subprocess
import time
import urllib.parse

import pytest

import qr_aid
from flow_aid import FIRST_ADMIN, PATIENCE_S
from local_aid import PERSON, ROLE_ADMIN, LocalScene
from service_aid import SERVER, give
from stage import wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


def code_of(secret, step):
    """RFC 6238, by other hands than ours."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", step), "sha1")
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at:at + 4], 'big') & 0x7fffffff) % 10**6:06}"


class FactorScene(LocalScene):
    """With a key file that only the server's user reads."""

    def __init__(self, **options):
        self.step = 0
        self.secret, self.recovery = None, []
        self.key = f"/tmp/deploybot-factor-{os.getpid()}.key"
        with open(self.key, "w", encoding="ascii") as file:
            file.write(os.urandom(32).hex() + "\n")
        give(self.key, SERVER, SERVER, 0o600)
        super().__init__(settings={"TOTP_KEY_FILE": self.key, "REQUIRE_OTP": "deploy:*", "TOTP_ENROL": "chat"},
                         **options)

    def close(self):
        super().close()
        os.unlink(self.key)

    def enrol(self, person):
        """What the command line shows: (secret, recovery codes)."""
        told = self.start_command(ROLE_ADMIN, "2fa", "add", person)
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
        self.secret, self.recovery = secret, re.findall(r"^  ((?:[A-Z2-7]{4}-){3}[A-Z2-7]{4})$", said, re.M)
        return secret, list(self.recovery)

    def code(self, secret):
        """One that was not used: the step behind this one counts too."""
        step = int(time.time()) // 30
        if step + 1 <= self.step:
            wait_until(lambda: int(time.time()) // 30 >= self.step, 40, "the next step")
            step = int(time.time()) // 30
        self.step = max(step, self.step + 1)
        return code_of(secret, self.step)


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
    who.hear("Code taken: staging deploy")
    who.hear("Live: staging")
    scene.wait_free()
    database = (scene.folder / "state" / "deploybot.db").read_bytes()
    assert secret.encode() not in database and base64.b32decode(secret) not in database
    assert not any(code.encode() in database for code in recovery)


def test_a_recovery_code_is_taken_on_the_machine_once(scene):
    if not scene.recovery:
        scene.enrol(FIRST_ADMIN)
    code, who = scene.recovery.pop(), scene.admin()
    recover = (ROLE_ADMIN, "2fa", "recover", FIRST_ADMIN)
    assert "Recovery code taken" in scene.run(*recover, typed=code.lower().replace("-", " ") + "\n")
    who.hear("Recovery code used", f"telegram:{FIRST_ADMIN}", "9 left")
    assert "was used already" in scene.run(*recover, typed=code + "\n", wanted=1)
    assert "expected 16 letters" in scene.run(*recover, typed="ABCD\n", wanted=65)


def test_a_second_factor_is_made_in_the_chat_and_somebody_else_confirms_it(scene):
    who, other = scene.admin(), scene.admin()
    other.say("/start")
    other.hear("I deploy releases")
    who.say("/2fa")
    picture = who.hear("Scan this with your authenticator app")
    shown = urllib.parse.urlsplit(qr_aid.read(scene.chat.file(picture)))
    asked = urllib.parse.parse_qs(shown.query)
    assert (shown.scheme, shown.netloc) == ("otpauth", "totp")
    assert urllib.parse.unquote(shown.path).endswith(f":telegram:{who.number}")
    secret = asked["secret"][0]
    who.say("/2fa confirm 12345")
    who.hear("Not confirmed: that is not its code")
    scene.step = 0
    who.say(f"/2fa confirm {scene.code(secret)}")
    who.hear("Right", "another admin")
    asks = other.hear("Second factor to confirm", f"telegram:{who.number}", buttons=("Confirm",))
    wait_until(lambda: scene.chat.message(picture)["deleted"], PATIENCE_S, "the picture is deleted")
    who.say("/deploy staging")
    who.hear("staging deploy", "you have no second factor")
    assert other.press(asks, "Confirm") == "Confirmed."
    who.hear("Second factor", "has one now", f"telegram:{who.number}")
    who.say("/deploy staging")
    pad = who.hear("Code for staging deploy", buttons=("1", "0"))
    for digit in scene.code(secret):
        who.press(pad, digit)
    who.hear("Code taken: staging deploy")
    scene.wait_free()
    database = (scene.folder / "state" / "deploybot.db").read_bytes()
    assert secret.encode() not in database and base64.b32decode(secret) not in database


def read_until(terminal, words):
    seen = b""
    while words not in seen:
        assert select.select([terminal], [], [], PATIENCE_S)[0], seen
        seen += os.read(terminal, 4096)
    return seen


def test_a_terminal_asks_for_the_code_and_without_one_nothing_is_done(scene):
    secret = scene.secret or scene.enrol(FIRST_ADMIN)[0]
    told = scene.run(PERSON, "deploy", "staging", wanted=77)
    assert "staging deploy needs a code of your second factor: run it in a terminal" in told
    ours, theirs = pty.openpty()
    sitting = subprocess.Popen(scene.command(PERSON, "deploy", "staging", "--no-wait"), cwd="/",
                               env=scene.environment(), stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    read_until(ours, b"Code of your second factor: ")
    os.write(ours, scene.code(secret).encode() + b"\n")
    read_until(ours, b"follow it with")
    assert sitting.wait(PATIENCE_S) == 0
    os.close(ours)
    scene.wait_free()
