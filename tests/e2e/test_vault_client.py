"""Goal: the server asks Vault with a token that it keeps alive, or gets by AppRole; metrics, log and doctor say how it
stands; and no token, secret id or accessor is in what the server writes."""
# SPDX-License-Identifier: ISC
import re
import signal

import pytest

from ops_aid import WAIT_S, bare, check_stop, metric, request, write_env
from stage import wait_until
from test_ops_clock import LIBRARY, faked
from vault import VERSION, Vault

HOUR, DAY = 3600, 86400
UP, TTL = "deploybot_vault_up", "deploybot_vault_token_ttl_seconds"
LOGIN, LOOK, RENEW = "/v1/auth/approle/login", "/v1/auth/token/lookup-self", "/v1/auth/token/renew-self"


class Recorded(Vault):
    """`made`: each token that there ever was.  `sent`: how many answers."""

    def __init__(self):
        self.made, self.sent = [], 0
        super().__init__()

    def make(self, *words, **fields):
        with self.lock:
            self.made.append(super().make(*words, **fields))
            return self.made[-1]

    def send(self, *words):
        super().send(*words)
        with self.lock:
            self.sent += 1

    def own(self, ttl=HOUR, **fields):
        return self.make(["default"], "auth/token/create", ttl=ttl, end=self.now + ttl, **fields)


class Scene:
    """A Vault and a server whose clocks go on together, as pass_time() says, and the server's by itself."""

    def __init__(self, folder):
        assert LIBRARY is not None, "libfaketime is missing: tests/tools/packages.sh test"
        self.folder, self.clock, self.ahead_s = folder, folder / "clock", 0
        self.vault, self.bot, self.secret_ids = Recorded(), None, []
        self.clock.write_text("+0\n", encoding="ascii")

    def start(self, **settings):
        self.bot = bare(self.folder, VAULT_ADDR=self.vault.url, LOG_LEVEL="DEBUG", **settings).use_file()
        self.bot.given = {name: value for name, value in faked(self.clock).items() if name != "DONT_FAKE_MONOTONIC"}
        self.bot.start()

    def start_by_token(self, token=None, **settings):
        self.start(VAULT_TOKEN_FILE=write_env(self.folder, (token or self.vault.own()).id, name="vault_token"),
                   **settings)

    def start_by_role(self, **limits):
        role_id, secret_id = self.vault.approle("deploybot", ["default"], **{"ttl": HOUR, **limits})
        self.secret_ids.append(secret_id)
        self.start(VAULT_ROLE_ID=role_id, VAULT_SECRET_ID_FILE=write_env(self.folder, secret_id, name="secret_id"))

    def pass_time(self, seconds):
        """While nothing is asked: who waits for an answer meanwhile waits too long."""
        wait_until(lambda: self.vault.sent == len(self.vault.calls) and (
            self.vault.calls[-1].path != LOGIN or self.vault.calls[-1].status != 200), WAIT_S, "rest")
        self.vault.advance(seconds)
        self.ahead_s += seconds
        self.clock.write_text(f"+{self.ahead_s}\n", encoding="ascii")

    def asked(self, path, status=200):
        return len([one for one in self.vault.calls if (one.path, one.status) == (path, status)])

    def pass_until(self, seconds, path, status=200):
        n = self.asked(path, status)
        self.pass_time(seconds)
        wait_until(lambda: self.asked(path, status) > n, WAIT_S, path)

    def wait_up(self, wanted=1):
        wait_until(lambda: f"\n{UP} {wanted}\n" in self.bot.metrics(), WAIT_S, f"{UP} {wanted}")

    def wait_good(self, left_s):
        """A token that lives that long, give or take what has passed by itself."""
        self.wait_up()
        wait_until(lambda: left_s - 60 < metric(self.bot, TTL) <= left_s, WAIT_S, f"a life of {left_s} s")

    def doctor(self):
        said = self.bot.run("doctor").stdout
        self.check_kept(said.encode())
        return [line for line in said.splitlines() if " Vault: " in line]

    def check_kept(self, text):
        for secret in [*self.secret_ids, *(word for one in self.vault.made for word in (one.id, one.accessor))]:
            assert secret.encode() not in text, "a token, a secret id or an accessor"

    def close(self):
        if self.bot is not None and self.bot.process is not None:
            check_stop(self.bot)
            written = [self.bot.log_path, self.folder / "audit.log", *(self.folder / "state").rglob("*")]
            self.check_kept(b"".join(path.read_bytes() for path in written if path.is_file()))
        self.vault.stop()


@pytest.fixture(name="scene")
def _scene(tmp_path):
    made = Scene(tmp_path)
    yield made
    made.close()


def test_a_token_is_renewed_at_two_thirds_of_its_life_for_as_long_as_the_server_runs(scene):
    token = scene.vault.own(period=HOUR)
    scene.start_by_token(token)
    scene.wait_good(HOUR)
    scene.pass_until(2000, LOOK)
    scene.wait_good(HOUR - 2000)
    assert not scene.asked(RENEW), "two thirds have not passed"
    for seconds in (401, 2401, 2401):
        scene.pass_until(seconds, RENEW)
        scene.wait_good(HOUR)
    assert token.id in scene.vault.tokens and token.end == scene.vault.now + HOUR, "though it was made for one hour"
    assert metric(scene.bot, UP) == 1 and {one.headers.get("X-Vault-Token") for one in scene.vault.calls} == {token.id}


def test_a_token_that_was_revoked_is_said_and_the_next_one_in_its_file_holds(scene):
    token = scene.vault.own()
    scene.start_by_token(token)
    scene.wait_up()
    with scene.vault.lock:
        scene.vault.revoke(token)
    scene.pass_until(61, LOOK, 403)
    scene.wait_up(0)
    assert metric(scene.bot, TTL) == 0
    assert "warning Vault: auth/token/lookup-self: HTTP 403: " in scene.bot.log()
    write_env(scene.folder, scene.vault.own().id, name="vault_token")
    scene.bot.process.send_signal(signal.SIGHUP)
    scene.wait_good(HOUR)


def test_a_token_that_cannot_be_renewed_any_more_is_said_once_and_doctor_leaves_it_alone(scene):
    token = scene.vault.own(ttl=DAY, renewable=False)
    scene.start_by_token(token)
    scene.wait_up()
    assert scene.doctor() == [
        f"ok       Vault: {VERSION}, unsealed, token ends in 1 d",
        "warning  Vault: VAULT_TOKEN cannot be renewed and ends in 1 d: put a periodic one there, or a VAULT_ROLE_ID"]
    for _ in range(2):
        scene.pass_until(61, LOOK)
    scene.wait_up()      # an answer that the clock has overtaken is asked for again
    said = "warning Vault: VAULT_TOKEN cannot be renewed any more and ends in "
    assert scene.bot.log().count(said) == 1 and token.id in scene.vault.tokens


def test_by_approle_a_login_takes_the_place_of_what_was_revoked_or_has_ended(scene):
    scene.start_by_role(max_ttl=2 * HOUR)
    scene.wait_good(HOUR)
    with scene.vault.lock:
        scene.vault.revoke(scene.vault.made[-1])
    for seconds in (61, 2 * HOUR):      # the second as after a machine's sleep: nothing could renew it
        before = scene.vault.made[-1].id
        scene.pass_until(seconds, LOGIN)
        scene.wait_good(HOUR)
        assert before not in scene.vault.tokens and scene.vault.made[-1].id in scene.vault.tokens
    assert "warning Vault" not in scene.bot.log()


def test_a_login_is_renewed_until_vault_allows_no_more_and_then_replaced(scene):
    scene.start_by_role(max_ttl=5000)
    scene.wait_up()
    for seconds, path, left_s in ((2401, RENEW, 2599), (1740, RENEW, 859), (580, LOGIN, HOUR)):
        scene.pass_until(seconds, path)
        scene.wait_good(left_s)
    assert scene.vault.made[-1].id in scene.vault.tokens


@pytest.mark.parametrize("way", (Scene.start_by_role, Scene.start_by_token))
def test_a_vault_that_is_sealed_is_said_once_stops_nothing_and_comes_back(scene, way):
    scene.vault.state, path = "sealed", LOGIN if way is Scene.start_by_role else LOOK
    way(scene)
    wait_until(lambda: "warning Vault: auth/" in scene.bot.log(), WAIT_S, "that it is sealed")
    scene.wait_up(0)
    assert request(scene.bot, "GET", "/readyz").status == 200
    assert scene.doctor() == [f"error    Vault: 127.0.0.1:{scene.vault.port} is sealed, and answers nothing: who has "
                              "its keys unseals it: vault operator unseal"]
    for _ in range(2):
        scene.pass_until(61, path, 503)
    lines = re.findall(r"warning Vault: .*", scene.bot.log())
    assert len(lines) == 1 and "HTTP 503: Vault is sealed; deploybot doctor" in lines[0], lines
    scene.vault.state = "active"
    scene.pass_until(61, path)
    scene.wait_up()
    assert "info    Vault: our token is good" in scene.bot.log()


def test_doctor_says_version_and_how_long_the_token_lives_and_leaves_no_token(scene):
    scene.start_by_role()
    scene.wait_up()
    there = set(scene.vault.tokens)
    assert scene.doctor() == [f"ok       Vault: {VERSION}, unsealed, token ends in 1 h"]
    assert scene.asked(LOGIN) == 2 and set(scene.vault.tokens) == there


# What doctor asks of each secret.
READS_SECRETS = """
path "auth/token/create/deploybot-lend" { capabilities = ["update"] }
path "auth/token/revoke-accessor" { capabilities = ["update"] }
path "sys/capabilities-accessor" { capabilities = ["update"] }
path "sys/mounts/secret" { capabilities = ["read"] }
"""
ASKS = 'path "sys/capabilities-accessor" { capabilities = ["update"] }\n'
READS_ROLE = 'path "auth/token/roles/deploybot-lend" { capabilities = ["read"] }'
LENT = {"SECRET_DB_MIGRATE_PATH": "kv2 secret django/database", "SECRET_DB_MIGRATE_FOR": "production",
        "SECRET_DB_MIGRATE_TTL": "1h"}
GOOD_ROLE = {"orphan": True, "allowed_policies_glob": ["deploybot-secret-*"], "token_no_default_policy": True,
             "token_explicit_max_ttl": HOUR}


def test_doctor_asks_vault_what_is_lent_may_and_leaves_no_token(scene):
    """In the store of Vault is afterwards what was there before: when all is good, when the question is refused, and
    without a role, when nothing is made."""
    scene.vault.kv2("secret", "django/database", {"password": "none"})
    scene.vault.policy("deploybot-secret-db-migrate", 'path "secret/data/*" { capabilities = ["read"] }')
    scene.vault.role("deploybot-lend", **GOOD_ROLE)
    scene.start_by_token(scene.vault.make(["default", "reader"], "auth/token/create", ttl=HOUR,
                                          end=scene.vault.now + HOUR), **LENT)
    scene.wait_up()
    there, asks = dict(scene.vault.tokens), READS_SECRETS.replace(ASKS, "")
    for own, role, said, made in ((READS_SECRETS, True, "mounts are right", 2), (asks, True, ASKS.strip(), 2),
                                  (READS_SECRETS, False, "no role deploybot-lend is there", 0)):
        scene.vault.policy("reader", READS_ROLE + own)
        if not role:
            scene.vault.roles.clear()
        before = len(scene.vault.made)
        assert any(said in line for line in scene.doctor()), said
        lent = scene.vault.made[before:]
        assert len(lent) == made and scene.vault.tokens == there, "the token, and what it was wrapped in"
        assert all(one.end - one.made <= 60 for one in lent), "of a doctor that was ended"
    assert not [one for one in scene.vault.calls if one.path.startswith(("/v1/secret/", "/v1/sys/wrapping/"))]


def test_doctor_compares_the_role_that_lends_with_what_is_needed(scene):
    """Each as Vault answers it: one that is hidden, none, a good one, and one of which all differs."""
    scene.start_by_token(scene.vault.make(["default", "reader"], "auth/token/create", ttl=HOUR,
                                          end=scene.vault.now + HOUR), **LENT)
    scene.wait_up()
    good = f"ok       Vault: {VERSION}, unsealed, token ends in "
    first, second, *unknown = scene.doctor()
    assert first.startswith(good) and second.endswith(f"; for that it needs: {READS_ROLE}"), (first, second)
    assert second.startswith("note     Vault: our own policy may not read role deploybot-lend, ")
    assert len(unknown) == 2, unknown
    for line in unknown:
        assert "nothing is lent (HTTP 403" in line if line.startswith("error ") else "is not known" in line, line
    scene.vault.policy("reader", READS_ROLE + READS_SECRETS)
    scene.vault.kv2("secret", "django/database", {"password": "none"})
    scene.vault.policy("deploybot-secret-db-migrate", 'path "secret/data/*" { capabilities = ["read"] }')
    first, second = scene.doctor()
    assert first.startswith(good) and second.startswith(
        "error    Vault: no role deploybot-lend is there (VAULT_TOKEN_ROLE), and nothing is lent: vault write "
        "auth/token/roles/deploybot-lend allowed_policies_glob='deploybot-secret-*' orphan=true "), (first, second)
    scene.vault.role("deploybot-lend", **GOOD_ROLE)
    only, = scene.doctor()
    assert only.startswith(good) and only.endswith(
        "; role deploybot-lend: orphan, deploybot-secret-* alone; 1 secret: policies and mounts are right"), only
    scene.vault.role("deploybot-lend", allowed_policies=["default"], token_type="batch", token_period=60,
                     token_explicit_max_ttl=60)
    first, *rest = scene.doctor()
    assert first.startswith(good) and " role " not in first
    form = r"(\S+) +Vault: role deploybot-lend: (\w+) .*: vault write auth/token/roles/deploybot-lend (\S+)$"
    found = [re.match(form, line).groups() for line in rest]
    assert sorted(found) == [
        ("error", "allowed_policies", "allowed_policies=''"),
        ("error", "allowed_policies_glob", "allowed_policies_glob='deploybot-secret-*'"),
        ("error", "orphan", "orphan=true"), ("error", "token_type", "token_type=service"),
        ("warning", "token_explicit_max_ttl", "token_explicit_max_ttl=3600s"),
        ("warning", "token_no_default_policy", "token_no_default_policy=true"),
        ("warning", "token_period", "token_period=0")], found
