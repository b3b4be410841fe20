"""Goal: each entry of the audit log is confirmed by a bucket outside, whatever that or the server does meanwhile."""
# SPDX-License-Identifier: ISC
import datetime
import http.server
import json
import pathlib
import re
import threading

import pytest

from crash_aid import telegram_update
from flow_aid import Scene, Scripts, ended_well
from imds import ROLES, Imds, own_network
from namespace_aid import need
from ops_aid import ADA, bare, check_stop, post_telegram
from s3 import S3, WRITER
from stage import wait_until

NAME = re.compile(r"deploybot-[A-Za-z0-9.-]+/(\d+)-(\d+)-([0-9a-f]{16})\.jsonl")
PATIENCE_S = 40


@pytest.fixture(name="peer")
def _peer():
    peer = S3()
    yield peer
    peer.close()


@pytest.fixture(name="scene")
def _scene(tmp_path, peer):
    made = Scene(tmp_path, settings={**Scripts(tmp_path / "scripts").settings(), "STAGING_HEALTH_URL": None,
                                     "PRODUCTION_HEALTH_URL": None, **peer.settings()})
    yield made
    ended_well(made)


def logged(scene):
    return pathlib.Path(scene.bot.settings["AUDIT_LOG_PATH"]).read_bytes()


def confirmed(scene, peer, n=1):
    """At least so many entries are outside, and what is there is what is here."""
    def all_confirmed():
        lines = peer.lines()
        pending = scene.metric("deploybot_audit_witness_pending")
        return lines if len(lines) >= n and pending == len(logged(scene).splitlines()) - len(lines) else None
    lines = wait_until(all_confirmed, PATIENCE_S)
    assert logged(scene).startswith(b"".join(lines))
    return lines


def locked(scene, environment="staging"):
    """Something to be audited; how many entries there are then."""
    who = scene.admin()
    who.say(f"/lock {environment} 1h because")
    who.hear("🔒")
    who.say(f"/unlock {environment}")
    who.hear("Unlocked")
    return len(logged(scene).splitlines())


def restart(scene):
    """What waits is tried at once then, and not in a minute."""
    scene.bot.stop()
    scene.bot.start()


def test_an_entry_is_confirmed_outside(scene, peer):
    scene.admin().say("/lock staging 1h because")
    confirmed(scene, peer)
    for version in peer.versions:
        first, last, head = NAME.fullmatch(version.key).groups()
        lines = version.body.splitlines()
        assert f'"seq":{first},'.encode() in lines[0] and f'"seq":{last},'.encode() in lines[-1]
        assert f'"hash":"{head}'.encode() in lines[-1]
    assert [status for _, _, status in peer.calls] == [200] * len(peer.versions)


def test_what_waited_through_an_outage_and_a_restart_goes_out_in_its_order(scene, peer):
    locked(scene)
    first = len(confirmed(scene, peer))
    peer.troubles = ["503"]
    restart(scene)
    n = locked(scene)
    wait_until(lambda: not peer.troubles, PATIENCE_S)
    assert len(peer.lines()) == first and scene.metric("deploybot_audit_witness_waiting_since_timestamp_seconds") > 0
    restart(scene)
    confirmed(scene, peer, n)
    names = [NAME.fullmatch(version.key).groups() for version in peer.versions]
    assert [int(name[0]) for name in names] == [1, *(int(name[1]) + 1 for name in names[:-1])]


def test_an_object_whose_answer_was_lost_with_the_server_is_confirmed_and_there_once(scene, peer):
    locked(scene)
    confirmed(scene, peer)
    n = locked(scene)
    peer.troubles = ["held"]
    restart(scene)
    wait_until(lambda: len(peer.lines()) >= n, PATIENCE_S)
    stored = len(peer.versions)
    scene.bot.kill()
    peer.release.set()
    scene.bot.start()
    confirmed(scene, peer, n)
    assert [status for method, key, status in peer.calls if key == peer.versions[stored - 1].key] == [200, 412]
    assert len({version.key for version in peer.versions}) == len(peer.versions)
    assert "not confirmed" not in scene.bot.log()


@pytest.mark.parametrize("trouble", ["lost", "other", *(
    pytest.param(other, marks=pytest.mark.long) for other in ("403", "409", "error", "bare", "versionless", "gone"))])
def test_what_does_not_prove_it_confirms_nothing_and_is_tried_again(scene, peer, trouble):
    locked(scene)
    stored = len(confirmed(scene, peer))
    peer.troubles = [trouble]
    n = locked(scene)
    restart(scene)
    wait_until(lambda: "witness has not confirmed" in scene.bot.log(), PATIENCE_S)
    assert scene.metric("deploybot_audit_witness_pending") >= n - stored
    restart(scene)
    confirmed(scene, peer, n)
    assert len({version.key for version in peer.versions}) == len(peer.versions)


class Role:
    """What a container of AWS asks for its role's keys: with the token from a file, and nobody else."""

    def __init__(self, folder):
        self.asked = []
        self.token = folder / "token"
        self.token.write_text("the-token-of-the-pod\n", encoding="ascii")
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Authorization")))
                expires = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=6)
                body = json.dumps({"AccessKeyId": WRITER[0], "SecretAccessKey": WRITER[1], "Token": "of/the+session==",
                                   "Expiration": expires.strftime("%Y-%m-%dT%H:%M:%SZ")}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def settings(self):
        base = f"http://127.0.0.1:{self.server.server_address[1]}"
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{base}/v1/credentials",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(self.token),
                "AUDIT_S3_ACCESS_KEY_ID": None, "AUDIT_S3_SECRET_ACCESS_KEY": None}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_the_role_of_a_container_signs_with_its_session(tmp_path, peer):
    role = Role(tmp_path)
    peer.tokens[WRITER[0]] = "of/the+session=="
    scene = Scene(tmp_path, settings={**Scripts(tmp_path / "scripts").settings(), "STAGING_HEALTH_URL": None,
                                      "PRODUCTION_HEALTH_URL": None, **peer.settings(), **role.settings()})
    try:
        locked(scene)
        confirmed(scene, peer)
        assert role.asked == [("/v1/credentials", "the-token-of-the-pod")]
        assert "of/the+session" not in scene.bot.log() and WRITER[1] not in scene.bot.log()
    finally:
        ended_well(scene)
        role.close()


def audited(bot, number, text):
    """What an admin types, and makes an entry of."""
    assert post_telegram(bot, json.dumps(telegram_update(ADA, number, text)).encode()).status == 200
    wait_until(lambda: len(bot.audit()) >= number, PATIENCE_S, f"{number} entries")


def play_role_of_a_machine(folder):
    peer, imds = S3(), Imds("deploybot-audit", *WRITER, "of/the+machine==")
    peer.tokens[WRITER[0]] = "of/the+machine=="
    settings = peer.settings() | {"AUDIT_S3_ACCESS_KEY_ID": None, "AUDIT_S3_SECRET_ACCESS_KEY": None}
    bot = bare(folder, **settings).start()
    try:
        audited(bot, 1, "/lock staging 1h")
        wait_until(peer.lines, PATIENCE_S, "an entry at the witness")
        asked = [("PUT", "/latest/api/token", 200), ("GET", ROLES, 200), ("GET", ROLES + "deploybot-audit", 200)]
        assert imds.calls == asked
        check_stop(bot)
        imds.role = None
        bot.start()
        audited(bot, 2, "/unlock staging")
        check_stop(bot)     # what waits at a start is tried at once
        bot.start()
        wait_until(lambda: "no keys of the machine's role: HTTP 404" in bot.log(), PATIENCE_S, "why not")
        assert not [call for call in peer.calls if call[2] != 200]
        assert not any(secret in bot.log() for secret in ("of/the+machine", WRITER[1], *imds.tokens))
        check_stop(bot)
    finally:
        bot.kill()
        imds.close()
        peer.close()


def test_the_role_of_a_machine_signs_with_keys_that_the_metadatas_second_version_has(tmp_path):
    need("unshare", "--net")
    own_network(lambda: play_role_of_a_machine(tmp_path))
