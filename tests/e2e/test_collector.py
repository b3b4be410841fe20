"""Goal: with the lines of docs/audit.md a syslog-ng brings each entry of the audit log over TLS to a collector at least
once, whatever is killed meanwhile and while files are turned; nobody who cannot prove their name gets any."""
# SPDX-License-Identifier: ISC
import json
import os
import random
import re
import shutil
import subprocess
import textwrap

import pytest

from flow_aid import Scene, Scripts, ended_well
from peers.syslog_tls import Certificates, Refused, SyslogTls, parse
from stage import wait_until

PATIENCE_S = 60
SYSLOG_NG = shutil.which("syslog-ng") or shutil.which("syslog-ng", path="/usr/sbin")
GOOD = (b'<110>1 2026-11-20T07:10:48.123Z host deploybot - login [deploybot@32473 seq="7"] '
        b'{"seq":7,"timestamp":"2026-11-20T07:10:48.123Z"}')


@pytest.fixture(name="certificates", scope="module")
def _certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("logs") / "own")


@pytest.fixture(name="peer")
def _peer(certificates):
    made = SyslogTls(certificates, wants_client=True)
    yield made
    made.close()
    assert not made.refused


def lines_of_the_docs():
    """The file that docs/audit.md has copied."""
    with open("docs/audit.md", encoding="utf-8") as page:
        return textwrap.dedent(re.search(r"(?m)^    source s_deploybot \{\n(?:(?:    .*)?\n)*", page.read())[0])


class SyslogNg:
    """With the lines of the docs, where only host, port and paths are others."""

    def __init__(self, folder, log, peer, certificates, by="client"):
        self.folder, self.process = folder, None
        for name in ("spool", "own"):
            (folder / name).mkdir()
        text = lines_of_the_docs()
        for was, now in (("logs.example.com", "localhost"), ("6514", str(peer.port)),
                         ("/var/log/deploybot", str(log.parent)), ("/var/lib/syslog-ng", str(folder / "spool")),
                         ("/etc/syslog-ng/logs-ca.pem", str(certificates.ca)),
                         ("/etc/syslog-ng/bot.pem", str(peer.certificates.folder / f"{by}.pem")),
                         ("/etc/syslog-ng/bot.key", str(peer.certificates.folder / f"{by}.key"))):
            assert text.count(was) == 1, was
            text = text.replace(was, now)
        (folder / "conf").write_text("@version: 3.38\n" + text, "utf-8")
        self.start()

    def start(self):
        own = self.folder / "own"
        with open(own / "said", "ab") as said:
            self.process = subprocess.Popen(
                [SYSLOG_NG, "-F", "--no-caps", "-f", self.folder / "conf", "-R", own / "persist", "-p", own / "pid",
                 "-c", own / "control"], stdout=said, stderr=said)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def said(self):
        return (self.folder / "own" / "said").read_text("utf-8")


def entry(seq, choose):
    return json.dumps({"action": "x", "code": "login", "detail": "y" * choose.randint(10, 400), "seq": seq,
                       "severity": "info", "timestamp": f"2026-11-20T07:10:48.{seq % 1000:03}Z"}, sort_keys=True,
                      separators=(",", ":"))


class Log:
    """Written and turned as by the server: a full file becomes audit.log.FIRST."""

    def __init__(self, folder, choose):
        folder.mkdir()
        self.path, self.choose, self.lines, self.first = folder / "audit.log", choose, [], 1

    def write(self, n):
        with open(self.path, "ab") as file:
            for _ in range(n):
                self.lines.append(entry(len(self.lines) + 1, self.choose).encode())
                file.write(self.lines[-1] + b"\n")

    def turn(self):
        if self.first <= len(self.lines):
            self.path.rename(f"{self.path}.{self.first}")
            self.first = len(self.lines) + 1


def all_there(peer, lines):
    """Each is there as it stands in the log, one that comes again is the same; its header has its number and time."""
    def missing():
        return sorted(json.loads(line)["seq"] for line in set(lines) - {found.line for found in list(peer.received)})
    try:
        wait_until(lambda: not missing(), PATIENCE_S, "all entries at the collector")
    except TimeoutError as error:
        raise AssertionError(f"missing: {missing()}; connections that broke: {peer.failed}") from error
    assert {found.line for found in peer.received} == set(lines)
    for found in peer.received:
        fields = json.loads(found.line)
        assert (found.params["seq"], found.at, found.code) == (
            str(fields["seq"]), fields["timestamp"], fields["code"])


@pytest.mark.parametrize("kills", [4, pytest.param(60, marks=pytest.mark.long)])
def test_no_entry_is_missing_behind_kills_and_turned_files(tmp_path, peer, certificates, kills):
    seed = int(os.environ.get("SEED") or random.randrange(1 << 30))
    print(f"SEED={seed}")
    choose = random.Random(seed)
    log = Log(tmp_path / "log", choose)
    (tmp_path / "log" / "audit.log.2026-11-20.tsr").write_bytes(b"\x30\x82\x01\n\x00\xffstamp\n{half\n")    # no entry
    log.write(20)
    sender = SyslogNg(tmp_path, log.path, peer, certificates)
    try:
        for _ in range(kills):
            before = len(peer.received)
            wanted = choose.randint(1, 40)      # it is killed in the middle of them
            log.write(choose.randint(40, 120))
            wait_until(lambda least=before + wanted: len(peer.received) >= least, PATIENCE_S, "some of them")
            if choose.random() < 0.5:
                log.turn()
            sender.kill()
            log.write(choose.randint(0, 20))
            if choose.random() < 0.5:
                log.turn()
            sender.start()
        log.write(1)
        all_there(peer, log.lines)
        assert not re.search("(?i)warning|clamp|reject|error", re.sub(r"(?m)^.*(?:Syslog connection|peer).*$", "",
                                                                      sender.said())), sender.said()
    finally:
        sender.kill()


def test_the_entries_of_a_server_arrive(tmp_path, peer, certificates):
    scene = Scene(tmp_path / "scene", settings={**Scripts(tmp_path / "scripts").settings(), "STAGING_HEALTH_URL": None,
                                                "PRODUCTION_HEALTH_URL": None})
    log = tmp_path / "scene" / "audit.log"
    (tmp_path / "sender").mkdir()
    try:
        who = scene.admin()
        who.say('/lock staging 1h because "it" is \\ [odd]')
        who.hear("🔒")
        scene.bot.stop()
        sender = SyslogNg(tmp_path / "sender", log, peer, certificates)
        try:
            all_there(peer, log.read_bytes().splitlines())
        finally:
            sender.kill()
        scene.bot.start()
    finally:
        ended_well(scene)


def test_who_does_not_prove_their_name_gets_nothing(tmp_path, certificates):
    for number, (made, by) in enumerate(((Certificates(tmp_path / "another", "DNS:other.example"), "client"),
                                         (certificates, "client"))):
        peer = SyslogTls(made, wants_client=True)
        folder = tmp_path / str(number)
        folder.mkdir()
        log = Log(folder / "log", random.Random(1))
        log.write(3)
        own = Certificates(tmp_path / "authority") if made is certificates else made
        sender = SyslogNg(folder, log.path, peer, own, by)
        try:
            wait_until(lambda peer=peer: peer.failed, PATIENCE_S, "a refusal")
            assert not peer.received
        finally:
            sender.kill()
            peer.close()


@pytest.mark.parametrize("message", [
    b"<0110>" + GOOD[5:], b"<192>" + GOOD[5:], b"<14>" + GOOD[5:], GOOD.replace(b">1 ", b">2 "),
    GOOD.replace(b"T07:10:48.123Z host", b" 07:10:48.123Z host"), GOOD.replace(b"login", b"x" * 33),
    GOOD.replace(b"@32473", b""), GOOD.replace(b"] {", b"]{"), GOOD.replace(b'[deploybot@32473 seq="7"]', b"-")])
def test_the_stand_in_refuses_what_is_no_message(message):
    assert parse(GOOD).params["seq"] == "7"
    with pytest.raises(Refused):
        parse(message)
