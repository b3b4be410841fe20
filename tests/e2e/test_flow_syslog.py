"""Goal: a syslog server over TLS gets each entry of the audit at least once, whatever it or deploybot does meanwhile; a
doubled one is known by its number, and nobody who cannot prove their name gets any."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import shutil
import subprocess

import pytest

from flow_aid import Scene, Scripts, ended_well
from peers.syslog_tls import Certificates, Refused, SyslogTls, cut_frame, parse
from stage import free_port, wait_until

PATIENCE_S = 60
RSYSLOGD = shutil.which("rsyslogd") or shutil.which("rsyslogd", path="/usr/sbin")
GOOD = b'<110>1 2026-11-20T07:10:48.123Z host deploybot - login [deploybot@32473 seq="7" user_id="a\\]b"] {"seq":7}'


@pytest.fixture(name="certificates", scope="module")
def _certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("logs") / "own")


@pytest.fixture(name="peer", scope="module")
def _peer(certificates):
    made = SyslogTls(certificates)
    yield made
    made.close()
    assert not made.refused


@pytest.fixture(name="scene", scope="module")
def _scene(tmp_path_factory, peer):
    """One for all of them: what it has audited grows."""
    folder = tmp_path_factory.mktemp("scene")
    made = Scene(folder, settings={**Scripts(folder / "scripts").settings(), "STAGING_HEALTH_URL": None,
                                   "PRODUCTION_HEALTH_URL": None, **peer.settings()})
    yield made
    ended_well(made)


def logged(scene):
    path = pathlib.Path(scene.bot.settings["AUDIT_LOG_PATH"])
    return path.read_bytes().splitlines() if path.exists() else []


def locked(scene):
    """Something to be audited."""
    who = scene.admin()
    who.say('/lock staging 1h because "it" is \\ [odd]')
    who.hear("🔒")
    who.say("/unlock staging")
    who.hear("Unlocked")


def all_there(scene, peer):
    """Each line is there, as it stands in the log; a doubled one is the same; the newest number of all is the last."""
    def is_there():
        return set(peer.lines()) == set(logged(scene)) and waiting(scene) == 0
    wait_until(is_there, PATIENCE_S, "all entries at the syslog server")
    kept = {}
    for entry, raw in zip(peer.received, peer.raw):
        assert json.loads(entry.line)["seq"] == int(entry.params["seq"])
        assert kept.setdefault(entry.params["seq"], raw) == raw
    assert [int(seq) for seq in kept] == list(range(1, len(logged(scene)) + 1))
    return len(peer.received) - len(kept)


def waiting(scene):
    return scene.metric("deploybot_audit_forward_pending", to="syslog")


def restart(scene, **changes):
    """What waits is tried at once then; what the log says from here on."""
    scene.bot.stop()
    since = len(scene.bot.log())
    scene.start_bot(**changes)
    return lambda: scene.bot.log()[since:]


def test_each_line_arrives_once_with_its_fields_beside_it(scene, peer):
    locked(scene)
    assert all_there(scene, peer) == 0
    entry = next(x for x in peer.received if x.code == "lock_begun")
    fields = json.loads(entry.line)
    assert (entry.severity, entry.app, entry.process, entry.at) == (6, "deploybot", "-", fields["timestamp"])
    for name in ("user_id", "environment", "outcome", "severity", "code"):
        assert entry.params[name] == fields[name]
    assert scene.metric("deploybot_audit_forward_waiting_since_timestamp_seconds", to="syslog") == 0


@pytest.mark.parametrize("trouble, said, doubled", [
    ("reset", "the syslog server: ", 0), ("cut", "the syslog server: ", 1), ("early", "the syslog server: ", 0),
    ("talks", "it says more than a receiver has to say", 1), ("bare", "without TLS's close", 1),
    ("swallowed", "without TLS's close", 0)])
def test_what_was_not_read_for_certain_comes_again(scene, peer, trouble, said, doubled):
    before = all_there(scene, peer)
    peer.troubles = [trouble]
    log = restart(scene)
    locked(scene)
    wait_until(lambda: not peer.troubles and ("has not got entries" in log() or waiting(scene) == 0), PATIENCE_S)
    told = next((x for x in log().splitlines() if "has not got entries" in x), "")
    assert said in told and "tried again until it has" in told
    assert (all_there(scene, peer) > before) == bool(doubled)
    wait_until(lambda: "gets entries again" in log(), PATIENCE_S)


def test_a_server_that_is_away_gets_all_of_it_when_it_is_back(scene, peer):
    doubled = all_there(scene, peer)
    before = len(peer.received)
    peer.troubles = ["reset"] * 100
    log = restart(scene)
    locked(scene)
    wait_until(lambda: "has not got entries" in log(), PATIENCE_S)
    locked(scene)
    assert len(peer.received) == before
    wait_until(lambda: waiting(scene) == len(logged(scene)) - before + doubled, PATIENCE_S)
    assert scene.metric("deploybot_audit_forward_waiting_since_timestamp_seconds", to="syslog") > 0
    peer.troubles = []
    restart(scene)
    assert all_there(scene, peer) == doubled


def test_a_killed_deploybot_sends_what_it_does_not_know_to_be_read_once_more(scene, peer):
    all_there(scene, peer)
    before = len(peer.received)
    peer.troubles = ["held"]
    locked(scene)
    wait_until(lambda: len(peer.received) > before, PATIENCE_S)
    held = peer.received[before].params["seq"]
    scene.bot.kill()
    peer.release.set()
    scene.bot.start()
    all_there(scene, peer)
    assert len([x for x in peer.received if x.params["seq"] == held]) == 2


def test_a_server_that_does_not_prove_its_name_gets_nothing(scene, tmp_path, certificates):
    peer = SyslogTls(Certificates(tmp_path / "other", "DNS:other.example"))
    try:
        log = restart(scene, **peer.settings())
        wait_until(lambda: "its certificate is not accepted: hostname mismatch" in log(), PATIENCE_S)
        log = restart(scene, AUDIT_SYSLOG_CA=str(certificates.ca))
        wait_until(lambda: "its certificate is not accepted: unable to get local issuer" in log(), PATIENCE_S)
        assert not peer.received and waiting(scene) == len(logged(scene))
        asked = scene.bot.run("doctor").stdout
        assert "its certificate is not accepted" in asked and "docs/audit.md#collectors" in asked
    finally:
        peer.close()


def test_a_server_that_asks_for_a_certificate_is_shown_ours_and_refuses_who_has_none(scene, certificates):
    peer = SyslogTls(certificates, wants_client=True)
    try:
        log = restart(scene, **peer.settings())
        wait_until(lambda: "alert certificate required" in log(), PATIENCE_S)
        assert not peer.received
        assert "alert certificate required" in scene.bot.run("doctor").stdout
        restart(scene, AUDIT_SYSLOG_CERTIFICATE=str(certificates.folder / "client.pem"),
                AUDIT_SYSLOG_KEY=str(certificates.folder / "client.key"))
        assert all_there(scene, peer) == 0
        assert f"the syslog server localhost:{peer.port} has proven its name" in scene.bot.run("doctor").stdout
    finally:
        peer.close()


class Rsyslog:
    """The real one, which takes nobody but the client's certificate."""

    CONFIG = """
global(workDirectory="{folder}" maxMessageSize="32k" defaultNetstreamDriver="ossl"
       defaultNetstreamDriverCAFile="{keys}/ca.pem"
       defaultNetstreamDriverCertFile="{keys}/server.pem" defaultNetstreamDriverKeyFile="{keys}/server.key")
module(load="imtcp" streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="x509/name"
       permittedPeer=["client"])
template(name="audit" type="string" string="%msg%\\n")
template(name="head" type="string" string="%pri% %app-name% %msgid% %structured-data%\\n")
input(type="imtcp" port="{port}" address="127.0.0.1" ruleset="audit")
ruleset(name="audit") {{
    action(type="omfile" file="{folder}/audit" template="audit" asyncWriting="off" ioBufferSize="1" flushOnTXEnd="on")
    action(type="omfile" file="{folder}/head" template="head") }}
"""

    def __init__(self, folder, certificates):
        self.folder, self.port = folder, free_port()
        (folder / "conf").write_text(
            self.CONFIG.format(folder=folder, keys=certificates.folder, port=self.port), encoding="ascii")
        self.process = None
        self.start()

    def start(self):
        with open(self.folder / "own", "ab") as own:
            self.process = subprocess.Popen([RSYSLOGD, "-n", "-f", self.folder / "conf", "-i", self.folder / "pid"],
                                            stdout=own, stderr=own)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def lines(self, name="audit"):
        path = self.folder / name
        return path.read_bytes().splitlines() if path.exists() else []


@pytest.mark.skipif(RSYSLOGD is None, reason="rsyslog is not installed (packages rsyslog, rsyslog-openssl)")
def test_rsyslog_has_each_line_also_when_it_was_killed_and_takes_nobody_elses(scene, tmp_path, certificates):
    rsyslog = Rsyslog(tmp_path, certificates)

    def sent_by(folder, name):
        return restart(scene, AUDIT_SYSLOG_SERVER=f"localhost:{rsyslog.port}", AUDIT_SYSLOG_CA=str(certificates.ca),
                       AUDIT_SYSLOG_CERTIFICATE=str(folder / f"{name}.pem"),
                       AUDIT_SYSLOG_KEY=str(folder / f"{name}.key"))
    try:
        for folder, name in ((certificates.folder, "server"), (Certificates(tmp_path / "other").folder, "client")):
            log = sent_by(folder, name)
            wait_until(lambda log=log: "has not got entries" in log(), PATIENCE_S)
            assert not rsyslog.lines() and waiting(scene) == len(logged(scene))
        sent_by(certificates.folder, "client")
        wait_until(lambda: set(rsyslog.lines()) == set(logged(scene)) and waiting(scene) == 0, PATIENCE_S)
        rsyslog.kill()
        locked(scene)
        rsyslog.start()
        wait_until(lambda: set(rsyslog.lines()) == set(logged(scene)) and waiting(scene) == 0, PATIENCE_S)
        assert b"110 deploybot lock_begun [deploybot@32473 seq=" in b"\n".join(rsyslog.lines("head"))
    finally:
        rsyslog.kill()


@pytest.mark.parametrize("message", [
    b"<0110>" + GOOD[5:], b"<192>" + GOOD[5:], b"<14>" + GOOD[5:], GOOD.replace(b">1 ", b">2 "),
    GOOD.replace(b"T07", b" 07"), GOOD.replace(b"48.123Z", b"48.1234567Z"), GOOD.replace(b"host", b"h\xc3\xb6st"),
    GOOD.replace(b"login", b"x" * 33), GOOD.replace(b"a\\]b", b"a]b"), GOOD.replace(b"a\\]b", b'a"b'),
    GOOD.replace(b"a\\]b", b"a\\b"), GOOD.replace(b"a\\]b", b"a\xffb"), GOOD.replace(b"a\\]b", b"a\nb"),
    GOOD.replace(b"@32473", b""), GOOD.replace(b"] {", b"]{"), GOOD.replace(b"] {", b"] \xef\xbb\xbf{"),
    GOOD.replace(b'[deploybot@32473 seq="7" user_id="a\\]b"]', b"-")])
def test_the_stand_in_refuses_what_is_no_message(message):
    assert parse(GOOD).params["user_id"] == "a]b"
    with pytest.raises(Refused):
        parse(message)


@pytest.mark.parametrize("data", [b"07 <1>1", b" 7", b"x7 ", b"-1 ", b"9999999 x", b"40000 " + b"x" * 10])
def test_the_stand_in_refuses_a_length_that_is_none(data):
    assert cut_frame(b"3 abc4 defg") == (b"abc", b"4 defg") and cut_frame(b"3 ab") is None
    with pytest.raises(Refused):
        cut_frame(data)
