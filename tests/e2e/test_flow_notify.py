"""Goal: those of NOTIFY_<NAME>_TO are told what happened, in order and at least once, across kill -9 of both ends, and
a dead one holds back nobody."""
# SPDX-License-Identifier: ISC
import datetime
import email
import email.policy
import http.client
import ipaddress
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import sample_app
from flow_aid import PATIENCE_S, Scene, ended_well
from gate_aid import NODE, node_version
from mail import MailServer
from notified import DISCORD_PATH, KEYS, SLACK_PATH, Notified
from runner_client import ROOT
from stage import wait_until

MODULES = pathlib.Path(ROOT) / "build" / "npm" / "node_modules"
WEBHOOK = pathlib.Path(ROOT) / "tests" / "e2e" / "npm_webhook.mjs"
DOCS = pathlib.Path(ROOT) / "docs" / "notify" / "README.md"
KINDS = ("webhook", "slack", "discord", "matrix")


@pytest.fixture(name="scene", scope="module")
def _scene(tmp_path_factory):
    peer = Notified()
    made = Scene(tmp_path_factory.mktemp("notify"), settings={
        **peer.settings(), "STAGING_HEALTH_URL": None, "PRODUCTION_HEALTH_URL": None})
    made.peer = peer
    with made:
        yield made
        ended_well(made)
    made.peer.close()


@pytest.fixture(name="peer")
def _peer(scene):
    scene.peer.troubles.clear()
    yield afresh(scene)
    assert scene.peer.refused == [] and scene.peer.rings == []


def words(peer):
    return [one.text for one in peer.of("webhook")]


def told(peer, n, where=KINDS):
    """Each of those has taken so many by now."""
    wait_until(lambda: all(len(peer.of(kind)) >= n for kind in where), PATIENCE_S, f"{n} messages for each")
    return peer.of("webhook")


def afresh(scene):
    """The peer, which has taken nothing yet: what was to be sent before is sent, and does not come late."""
    wait_until(lambda: not scene.bot_rows("SELECT 1 FROM effect WHERE lane LIKE 'notify:%'"), PATIENCE_S, "empty lanes")
    scene.peer.taken.clear()
    return scene.peer


def again(scene):
    scene.peer = Notified(scene.peer.port)
    return scene.peer


def test_each_kind_is_told_that_it_is_live(scene, peer):
    commit = scene.commit("develop")["after"]
    scene.release("staging")
    said = told(peer, 1)[-1]
    assert said.text == "deployment.live" and len(said.key) == 32
    assert said.body["data"]["commit"] == commit and said.body["data"]["state"] == "live"
    assert said.body["data"]["message"].startswith("Live: staging") and said.body["data"]["shown"] is None
    for kind in KINDS[1:]:
        assert "Live: staging" in peer.of(kind)[-1].text and commit[:7] in peer.of(kind)[-1].text
    wait_until(lambda: scene.metric("deploybot_notifications_total", destination="slack", outcome="sent") >= 1,
               what="a count")


def test_a_question_is_told_without_a_way_to_answer(scene, peer):
    commit, who = scene.commit("main")["after"], scene.admin()
    who.say("/deploy production")
    asked = who.hear("Deploy to production?", commit[:7], buttons=("Deploy to",))
    said = told(peer, 1)[-1]
    assert said.text == "deployment.question" and said.body["data"]["shown"] is None
    who.press(asked, "Deploy to")
    who.hear("Live: production", commit[:7])
    told(peer, 2)
    assert words(peer) == ["deployment.question", "deployment.live"]


def test_a_rollback_by_a_person_and_what_restores(scene, peer):
    scene.commit("main")
    who = scene.admin()
    scene.release("production")
    who.say("/rollback production")
    who.press(who.hear("Roll back production?", buttons=("Roll back",)), "Roll back")
    who.hear("Rolled back: production")
    scene.commit("main")
    scene.release("production")
    told(peer, 6)
    assert words(peer) == [f"deployment.{word}" for word in (
        "question", "live", "question", "rolled-back", "question", "restored")]


def test_it_survives_kill_9_of_both_ends_with_one_key(scene, peer):
    peer.troubles["webhook"] = [503] * 1000
    commit = scene.commit("develop")["after"]
    scene.release("staging")
    wait_until(lambda: peer.tries.count("webhook") > 1, what="a try")
    rows = scene.bot_rows("SELECT json_extract(body, '$.key') FROM effect WHERE lane = 'notify:hook'")
    peer.close()
    scene.bot.kill()
    peer = again(scene)
    scene.start_bot()
    said = told(peer, 1, ("webhook",))
    assert [(one.key,) for one in said] == rows and said[0].body["data"]["commit"] == commit


def test_order_is_kept_and_a_dead_one_holds_back_nobody(scene):
    peer = afresh(scene)
    peer.troubles["slack"] = ["hang"] * 1000    # each try: the first may end before the third release does
    commits = []
    for _ in range(3):
        commits.append(scene.commit("develop")["after"])
        scene.release("staging")
    told(peer, 3, ("webhook", "discord", "matrix"))
    assert peer.of("slack") == []
    peer.close()                                # what hangs ends, and is tried again
    peer = again(scene)
    told(peer, 3, ("slack",))
    assert [[commit[:7] in one.text.split("\n", maxsplit=1)[0] for commit in commits].index(True)
            for one in peer.of("slack")] == [0, 1, 2]


def test_what_says_no_for_good_is_off_until_its_settings_change(scene):
    peer = scene.peer
    peer.troubles["slack"] = [(404, {}, "no_service")]
    scene.commit("develop")
    scene.release("staging")
    scene.ada.hear("Not notified any more: slack", "404: no_service", after=0)
    who = scene.admin()
    who.say("/status")
    who.hear("Not notified any more: slack")
    afresh(scene)
    scene.commit("develop")
    scene.release("staging")
    told(peer, 1, ("webhook", "discord", "matrix"))
    assert peer.of("slack") == []
    scene.bot.stop()
    scene.start_bot(NOTIFY_SLACK_WHAT="staging: live")
    scene.commit("develop")
    scene.release("staging")
    told(peer, 2, ("slack",))
    assert "Live: staging" in peer.of("slack")[0].text and peer.of("slack")[1].text == "2 more were not sent"


def test_a_subject_rings_nobody_and_is_shown_as_it_is(scene):
    peer, subject = afresh(scene), "*b* _i_ ~s~ `c` <!here> &lt;"
    scene.commit("develop")
    sample_app.write(scene.work, "note", subject)
    sample_app.commit(scene.work, "ada", subject)
    sample_app.git(scene.work, "push", "-q", "origin", "develop")
    scene.release("staging")
    told(peer, 1)
    for kind in KINDS[1:]:
        assert subject in peer.of(kind)[0].text, kind
    assert subject in peer.of("webhook")[0].body["data"]["message"]
    assert peer.rings == [] and peer.refused == []


def test_both_secrets_sign_while_one_is_rotated(scene):
    peer = afresh(scene)
    scene.bot.stop()
    scene.start_bot(NOTIFY_HOOK_SECRET=KEYS[1], NOTIFY_HOOK_SECRET_PREVIOUS=KEYS[0])
    scene.commit("develop")
    scene.release("staging")
    told(peer, 1)
    assert peer.signed[-1] == KEYS


@pytest.mark.skipif(node_version() < 20 or not (MODULES / "standardwebhooks").is_dir(),
                    reason="no node 20, or not in build/npm what tests/tools/npm names: tests/tools/lint.sh actions "
                           "installs it")
def test_the_specs_own_library_verifies_it(scene):
    """Signed with both secrets of a rotation, and with no third one; nor is another body."""
    headers, body = scene.peer.raw[-1]

    def verified(body):
        given = {"secrets": [*KEYS, KEYS[0][:-6] + "AAAAA="], "headers": headers, "body": body}
        done = subprocess.run([NODE, WEBHOOK, MODULES], input=json.dumps(given), capture_output=True, text=True,
                              timeout=60, check=False, env={})
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    said = verified(body)
    assert said[:2] == ["deployment.live"] * 2 and "No matching signature" in said[2], said
    assert all("No matching signature" in one for one in verified(body.replace("live", "down")))


def test_the_receiver_of_the_docs_takes_it(scene, tmp_path):
    """As it is printed: it prints what is new, once, and believes nobody without the secret."""
    text = DOCS.read_text(encoding="utf-8")
    program = text.partition("```python\n")[2].partition("```")[0]
    assert 10 < len(program.splitlines()) <= 25
    (tmp_path / "receiver.py").write_text(program, encoding="utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with subprocess.Popen([sys.executable, "-u", tmp_path / "receiver.py"], stdout=subprocess.PIPE, text=True,
                          env={"WEBHOOK_SECRET": KEYS[1], "PORT": str(port)}) as receiver:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, what="the receiver")
        before = dict(scene.bot.settings)
        scene.bot.settings.pop("NOTIFY_HOOK_SECRET_PREVIOUS", None)
        for secret, says in ((KEYS[1], "204 in "), (KEYS[0], "hook: 401")):
            scene.bot.settings.update(NOTIFY_HOOK_SECRET=secret, NOTIFY_HOOK_URL=f"http://127.0.0.1:{port}/")
            done = scene.bot.run("notify", "test", "hook")
            assert says in done.stdout + done.stderr
        scene.bot.settings.update(before)
        headers, body = scene.peer.raw[-1]
        for _ in range(2):
            assert post(port, headers, body) == 204
        assert post(port, headers, body.replace("live", "down")) == 401
        receiver.terminate()
        said = receiver.stdout.read().splitlines()
    assert len(said) == 2 and said[0].startswith("notify.test") and said[1].startswith("deployment.live staging"), said


def post(port, headers, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", "/", body, {name: value for name, value in headers.items() if name != "Host"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_the_command_line_tries_it(scene):
    done = scene.bot.run("notify", "test", "hook")
    assert done.returncode == 0 and done.stdout.startswith("204 in ") and done.stdout.endswith(" ms\n")
    assert scene.peer.of("webhook")[-1].text == "notify.test"
    scene.peer.troubles["slack"] = [(404, {}, "no_service")]
    done = scene.bot.run("notify", "test", "slack")
    assert done.returncode == 69 and "slack: 404: no_service" in done.stderr
    done = scene.bot.run("notify", "test", "nobody")
    assert done.returncode == 64 and "(status-page is NOTIFY_STATUS_PAGE_TO); there are: " in done.stderr
    assert " slack" in done.stderr


def test_a_removed_destination_leaves_nothing_waiting(scene):
    peer = scene.peer
    peer.troubles["discord"] = [500] * 1000
    scene.commit("develop")
    scene.release("staging")
    wait_until(lambda: scene.bot_rows("SELECT 1 FROM effect WHERE lane = 'notify:discord'"), what="one that waits")
    scene.bot.stop()
    scene.start_bot(**{name: None for name in peer.settings() if name.startswith("NOTIFY_DISCORD_")})
    wait_until(lambda: not scene.bot_rows("SELECT 1 FROM effect WHERE lane = 'notify:discord'"), what="an empty lane")


def doctor_says(scene, **changes):
    """Of who is notified alone; None: not set."""
    before = dict(scene.bot.settings)
    scene.bot.settings.update({name: value for name, value in changes.items() if value is not None})
    done = scene.bot.run("doctor")
    scene.bot.settings.clear()
    scene.bot.settings.update(before)
    return "".join(line + "\n" for line in done.stdout.splitlines() if "notif" in line)


def test_doctor_looks_at_each_without_a_message(scene):
    peer, mail = scene.peer, MailServer("right")
    tries = len(peer.tries)
    ceo = {"NOTIFY_CEO_TO": "mail", "NOTIFY_CEO_ADDRESS": "ceo@a.test", "NOTIFY_CEO_FROM": "bot@a.test",
           "NOTIFY_CEO_WHAT": "*/*: live", "NOTIFY_CEO_URL": f"smtp://bot:right@127.0.0.1:{mail.port}"}
    said = doctor_says(scene, **peer.settings(), **ceo)
    for name in ("hook", "slack", "discord", "matrix", "ceo"):
        assert f": {name} is there" in said, said
    assert len(peer.tries) == tries and not mail.mails
    peer.is_member = False
    said = doctor_says(scene, **{**peer.settings(), "NOTIFY_DISCORD_URL": peer.base + DISCORD_PATH + "x",
                                 "NOTIFY_SLACK_URL": "http://127.0.0.1:1/x"}, **{
        **ceo, "NOTIFY_CEO_URL": f"smtp://bot:wrong@127.0.0.1:{mail.port}"})
    assert "notify: matrix answers 403: " in said and "invite the account to its _ROOM" in said
    assert "notify: discord answers 404" in said
    assert "notify: slack is not reached" in said and "notify: ceo is not reached (Login denied)" in said
    assert "wrong" not in said and DISCORD_PATH not in said
    said = doctor_says(scene, **{**peer.settings(), "NOTIFY_MATRIX_SECRET": "syt_another_0123456789"})
    assert "notify: matrix answers 401" in said
    mail.close()


def test_doctor_says_who_is_off(scene):
    peer = scene.peer
    scene.bot.stop()
    scene.start_bot(**peer.settings())
    peer.troubles["slack"] = [410]
    scene.commit("develop")
    scene.release("staging")
    wait_until(lambda: scene.bot_rows("SELECT 1 FROM notify WHERE name = 'slack' AND off_since <> 0"), what="its end")
    assert "notify: slack is off (410)" in doctor_says(scene)


def test_check_config_shows_who_is_notified_and_no_secret(scene):
    done = scene.bot.run("check-config")
    place = f"127.0.0.1:{scene.peer.port}"
    said = " ".join(done.stdout.split())
    assert f"slack: slack, {place}, */*: question live failed" in said and f"hook: webhook, {place}," in said
    assert SLACK_PATH not in said and KEYS[0] not in said


def test_mail_is_one_message_with_one_id_though_the_answer_was_lost(scene):
    server = MailServer()
    server.cuts = 1
    scene.bot.stop()
    scene.start_bot(NOTIFY_CEO_TO="mail", NOTIFY_CEO_URL=f"smtp://127.0.0.1:{server.port}",
                    NOTIFY_CEO_ADDRESS="ceo@example.org", NOTIFY_CEO_FROM="deploybot@example.org",
                    NOTIFY_CEO_WHAT="*/*: live")
    scene.commit("develop")
    scene.release("staging")
    wait_until(lambda: len(server.mails) >= 2, what="the mail, twice")
    first, second = (email.message_from_bytes(one.content, policy=email.policy.default) for one in server.mails[:2])
    assert first["Message-ID"] == second["Message-ID"] and first["Message-ID"].endswith("@example.org>")
    assert server.mails[0].rcpt_tos == ["ceo@example.org"] and first["To"] == "ceo@example.org"
    assert str(first["Subject"]).startswith("Live: staging") and first["Auto-Submitted"] == "auto-generated"
    text = first.get_body(("plain",))
    assert text.get_content_charset() == "utf-8" and "Live: staging" in text.get_content()
    server.close()


def test_a_certificate_of_yesterday_gets_nothing(scene, tmp_path):
    """Nor does one that nobody has signed: this one is both."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()) \
        .serial_number(x509.random_serial_number()).not_valid_before(now - 3 * day).not_valid_after(now - day) \
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False) \
        .sign(key, hashes.SHA256())
    (tmp_path / "pem").write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    peer = Notified()
    peer.server.socket = context.wrap_socket(peer.server.socket, server_side=True)
    scene.bot.settings["NOTIFY_SLACK_URL"] = f"https://127.0.0.1:{peer.port}{SLACK_PATH}"
    done = scene.bot.run("notify", "test", "slack")
    assert done.returncode == 69 and "certificate" in done.stderr and not peer.tries
    peer.close()


def ours(server):
    return [one for one in server.mails if one.rcpt_tos == ["ceo@a.test"]]


@pytest.mark.skipif(shutil.which("smtpd", path="/usr/sbin") is None or os.geteuid() != 0,
                    reason="not run: no opensmtpd here (tests/tools/packages.sh infra has it: it replaces a mail "
                           "server that is there), or not as root")
def test_opensmtpd_takes_the_mail_and_hands_it_on(scene, tmp_path):
    server = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    conf = tmp_path / "smtpd.conf"
    conf.write_text(f'listen on 127.0.0.1 port {port}\naction "on" relay host smtp://127.0.0.1:{server.port}\n'
                    'match from any for any action "on"\n', encoding="ascii")
    conf.chmod(0o600)
    with subprocess.Popen(["/usr/sbin/smtpd", "-d", "-f", conf], stderr=subprocess.DEVNULL) as smtpd:
        wait_until(lambda: socket.socket().connect_ex(("127.0.0.1", port)) == 0, what="opensmtpd")
        before = dict(scene.bot.settings)
        scene.bot.settings.update(NOTIFY_CEO_TO="mail", NOTIFY_CEO_URL=f"smtp://127.0.0.1:{port}",
                                  NOTIFY_CEO_ADDRESS="ceo@a.test", NOTIFY_CEO_FROM="deploybot@b.test",
                                  NOTIFY_CEO_WHAT="*/*: live")
        done = scene.bot.run("notify", "test", "ceo")
        scene.bot.settings.clear()
        scene.bot.settings.update(before)
        assert done.returncode == 0 and done.stdout.startswith("250 in "), done.stderr
        wait_until(lambda: ours(server), what="the mail behind it")     # its queue may have had another one
        smtpd.terminate()
    server.close()
    mail = email.message_from_bytes(ours(server)[0].content, policy=email.policy.default)
    assert ours(server)[0].mail_from == "deploybot@b.test"
    assert len(mail.get_all("Message-ID")) == len(mail.get_all("Date")) == 1 and mail["Message-ID"].endswith("@b.test>")
    assert mail["Auto-Submitted"] == "auto-generated" and "opensmtpd" in str(mail["Received"]).lower()
    assert mail.get_body(("plain",)).get_content().strip() == "deploybot: a test message, nothing was deployed"
