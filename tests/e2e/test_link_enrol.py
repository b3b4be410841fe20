"""Goal: a host enrols by a code of `deploybot agent enrol`, once, with a key that is made there; by no other way."""
# SPDX-License-Identifier: ISC
import contextlib
import hmac
import os
import re
import socket
import ssl
import subprocess
import threading

import pytest

from agents_aid import Agents
from link_aid import PATIENCE_S, PROGRAM, Host, Link, frame, hello
from local_aid import PERSON, ROLE
from runner_client import wait_for
from telegram_client import ADA

NO_CODE = (b"no no code that is open for that: enrol NAME, of deploybot agent or runner on the server, "
           b"makes a new one\n")
BROKEN = {
    "none": (frame(0, b""), "a frame of 0 bytes"),
    "long": (frame(0, b"a" * 4097), "a frame of 4097 bytes"),
    "long_in_part": (frame(0, b"a" * 4097)[:4000], "a frame of 4097 bytes"),
    "other_channel": (frame(1, b"agent x\n"), "or one of channel 1"),
    "huge": (b"\xff" * 8, "a frame of 4294967295 bytes"),
}

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")


class Enrolments(Agents):
    """The same, where the authority is online."""

    def __init__(self):
        super().__init__({"LINK_CA_KEY_FILE": "ca.key"})

    def line(self, name, word="enrol", role="agent"):
        """The words of the line that is pasted, behind the program's name."""
        said = self.scene.run(PERSON, role, word, name)
        assert said.count("\n") == 1
        sudo, program, *words = said.split()
        assert (sudo, program) == ("sudo", "/usr/lib/deploybot/deploybot-link"), said
        assert words[:3] == ["enrol", role, self.address]
        return words

    def code(self, name):
        return self.line(name)[3]

    def enrol(self, words, folder):
        return subprocess.run([PROGRAM, *words, folder], capture_output=True, text=True, timeout=60, check=False)

    def start_enrolled(self, folder, use="agent", **where):
        """The host's link, by what was written there."""
        text = (folder / "link.conf").read_text("ascii")
        settings = dict(line.split("=", 1) for line in text.splitlines())
        link = Link(use, **{**settings, "RUNNER_SOCKET": self.folder / "none.sock", "STATE_DIRECTORY": self.folder,
                            "LINK_RECONNECT_S": 1, "LINK_RENEWED_FILE": folder / "renewed.pem", **where})
        self.links.append(link)
        return link


class Enroller(Host):
    """A host that enrols, and sends what it likes."""

    def __init__(self, agents, protocol="deploybot-enrol/1"):   # pylint: disable=super-init-not-called
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_alpn_protocols([protocol])
        host, port = agents.address.split(":")
        self.sock = context.wrap_socket(socket.create_connection((host, int(port)), timeout=PATIENCE_S))

    def ask(self, packet):
        """What it is answered."""
        self.send(frame(0, packet))
        channel, answer = self.next()
        assert channel == 0
        self.sock.close()
        return answer


def mac(key, side, text=b""):
    return hmac.digest(key.encode(), side + b"\0" + text, "sha256").hex()


def shown(code, text, role="agent"):
    """What a host sends that has this code, and this request."""
    return f"{role} {mac(code, b'id')} {mac(mac(code, b'secret'), b'ask', text)}\n".encode() + text


def request(folder, *key):
    """A request for a certificate, and its key."""
    subprocess.run(["openssl", "req", "-new", "-newkey", *key, "-noenc", "-subj", "/CN=x", "-keyout", "x.key", "-out",
                    "x.csr"], cwd=folder, check=True, capture_output=True)
    return (folder / "x.csr").read_bytes()


def p256(folder):
    return request(folder, "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Enrolments()
    made.serve.log("deploybot is connected")
    yield made
    made.close()



@pytest.fixture(autouse=True)
def fresh_minute(agents):
    """Of ten tries in a minute none is gone: the count is the process's."""
    agents.scene.bot.kill()
    agents.scene.start_bot()
    agents.serve.log("deploybot is connected", count=len(agents.serve.found("info", "deploybot is disconnected")) + 1)


def test_the_line_that_is_pasted_enrols_the_host(agents, tmp_path):
    words, host = agents.line("acme"), tmp_path / "host"
    done = agents.enrol(words, host)
    assert done.returncode == 0, done
    units = "deploybot-agent deploybot-link-agent"      # what runs already begins anew, by the new key
    assert done.stdout.splitlines()[-1].strip() == f"systemctl enable {units} && systemctl restart {units}"
    assert {file.name for file in host.iterdir()} == {"link.key", "link.crt", "ca.crt", "link.conf", "agent.conf"}
    assert (host / "link.key").stat().st_mode & 0o777 == 0o600
    assert re.fullmatch(r"AGENT_NAME=acme\nORDER_KEYS=[0-9a-f]{64}\n", (host / "agent.conf").read_text("ascii"))
    agents.start_enrolled(host)
    agents.serve.log("agent/acme is connected")
    assert re.match(r"acme  .*, certificate until .*; key [0-9a-f]{64}, since .* by .*\n", agents.agent("list"))
    days = subprocess.run(["openssl", "x509", "-in", host / "link.crt", "-noout", "-checkend", str(30 * 86400 - 600)],
                          check=False, capture_output=True)
    assert days.returncode == 0 and subprocess.run(["openssl", "x509", "-in", host / "link.crt", "-noout", "-checkend",
                                                    str(30 * 86400)], check=False, capture_output=True).returncode == 1


def test_a_remote_runner_enrols_by_a_line_of_its_own_and_is_none_of_the_agents(agents, tmp_path):
    words, host = agents.line("build-1", role="runner"), tmp_path / "host"
    done = agents.enrol(words, host)
    assert done.returncode == 0, done
    units = "deploybot-remote-runner deploybot-link-runner"
    assert done.stdout.splitlines()[-1].strip() == f"systemctl enable {units} && systemctl restart {units}"
    assert {file.name for file in host.iterdir()} == {"link.key", "link.crt", "ca.crt", "link.conf", "runner.conf"}
    assert re.fullmatch(r"RUNNER_NAME=build-1\nORDER_KEYS=[0-9a-f]{64}\n", (host / "runner.conf").read_text("ascii"))
    agents.start_enrolled(host, "runner")
    agents.serve.log("runner/build-1 is connected")
    listed = agents.scene.run(PERSON, "runner", "list")
    assert re.fullmatch(r"build-1  .*, certificate until .*; key [0-9a-f]{64}, since .* by .*\n", listed)
    assert "build-1" not in agents.agent("list")
    assert "revoked: it is disconnected" in agents.scene.run(PERSON, "runner", "revoke", "build-1").lower()
    agents.serve.log("runner/build-1 is disconnected")


@pytest.mark.skipif(os.geteuid() != 0, reason="the file of keys is root's")
def test_a_remote_runner_is_sent_by_the_server_what_is_live_elsewhere(agents, tmp_path):
    words, host, state, place = agents.line("build-2", role="runner"), tmp_path / "host", tmp_path / "state", \
        agents.folder / "far"
    assert agents.enrol(words, host).returncode == 0
    for folder in (state, place):
        folder.mkdir()
    with subprocess.Popen([str(PROGRAM).replace("deploybot-link", "deploybot-remote-runner"), "--listen",
                           place / "r.sock", "--state", state, "--orders", host / "runner.conf"],
                          stdin=subprocess.DEVNULL) as runner:
        try:
            wait_for((place / "r.sock").exists, "the runner")
            agents.start_enrolled(host, "runner", RUNNER_SOCKET=place / "r.sock", STATE_DIRECTORY=state)
            wait_for((state / "environments" / "number").exists, "what is live")
            assert "build-2  connected, " in agents.scene.run(PERSON, "runner", "list")
        finally:
            runner.kill()
    assert os.listdir(state / "environments") == ["number"]     # nothing is


def test_a_code_of_a_runner_is_none_of_an_agent(agents, tmp_path):
    words = agents.line("mixed", role="runner")
    done = agents.enrol([words[0], "agent", *words[2:]], tmp_path / "host")
    assert done.returncode != 0 and "no code that is open" in done.stderr
    assert agents.enrol(words, tmp_path / "host").returncode == 0


def as_installed(folder, users, words):
    """The line as it is pasted: /etc, of that process alone, is this folder with these users."""
    folder.mkdir(exist_ok=True)
    (folder / "passwd").write_text("root:x:0:0::/root:/bin/sh\n" + users, encoding="ascii")
    return subprocess.run(["unshare", "-m", "sh", "-c", 'mount --bind "$1" /etc && shift && exec "$@"', "sh", folder,
                           PROGRAM, *words], capture_output=True, text=True, timeout=60, check=False)


def test_the_key_is_that_users_by_whom_the_unit_runs(agents, tmp_path):
    words, etc = agents.line("installed"), tmp_path / "etc"
    done = as_installed(etc, "", words)
    assert done.returncode != 0 and "there is no user deploybot-link" in done.stderr
    key = (etc / "deploybot-agent" / "link.key").read_bytes()
    done = as_installed(etc, "deploybot-link:x:4711:4712::/:/bin/sh\n", words)
    assert done.returncode == 0, done
    file = etc / "deploybot-agent" / "link.key"
    assert file.read_bytes() == key
    assert (file.stat().st_uid, file.stat().st_gid, file.stat().st_mode & 0o777) == (4711, 4712, 0o600)
    assert (etc / "deploybot-agent" / "agent.conf").stat().st_uid == 0
    assert "LINK_KEY_FILE=/etc/deploybot-agent/link.key\n" in (etc / "deploybot-agent/link.conf").read_text("ascii")


def test_a_host_that_has_enrolled_is_not_written_over(agents, tmp_path):
    words, host = agents.line("once"), tmp_path / "host"
    assert agents.enrol(words, host).returncode == 0
    before = {file.name: file.read_bytes() for file in host.iterdir()}
    done = agents.enrol(agents.line("again"), host)
    assert done.returncode != 0 and "this host has enrolled" in done.stderr
    assert {file.name: file.read_bytes() for file in host.iterdir()} == before


def test_what_has_failed_is_typed_again_and_uses_the_key_that_is_there(agents, tmp_path):
    """Also where the server had enrolled it, and was killed before its answer was there."""
    words, host = agents.line("twice"), tmp_path / "host"
    assert agents.enrol(words[:3] + ["00000-00000-00000-00000", words[4]], host).returncode != 0
    key = (host / "link.key").read_bytes()
    subprocess.run(["openssl", "req", "-new", "-key", host / "link.key", "-subj", "/CN=x", "-out", tmp_path / "x.csr"],
                   check=True, capture_output=True)
    Enroller(agents).send(frame(0, shown(words[3], (tmp_path / "x.csr").read_bytes())))
    wait_for(lambda: re.search("^twice  .*; key", agents.agent("list"), re.M), "a key")
    agents.scene.bot.kill()
    agents.scene.start_bot()
    agents.serve.log("deploybot is connected", count=len(agents.serve.found("info", "deploybot is disconnected")) + 1)
    done = agents.enrol(words, host)
    assert done.returncode == 0, done
    assert (host / "link.key").read_bytes() == key
    agents.start_enrolled(host)
    agents.serve.log("agent/twice is connected")
    other = agents.enrol(words, tmp_path / "other")
    assert other.returncode != 0 and "no code that is open" in other.stderr


def test_another_server_is_sent_nothing(agents, tmp_path):
    words = agents.line("careful")
    done = agents.enrol(words[:4] + ["0" * 64], tmp_path / "host")
    assert done.returncode != 0 and "another one, or the line is not whole: nothing was sent to it" in done.stderr
    assert agents.enrol(words, tmp_path / "host").returncode == 0


def test_what_is_guessed_is_refused_and_seen(agents, tmp_path):
    text = p256(tmp_path)
    assert Enroller(agents).ask(shown("00000-00000-00000-00000", text)) == NO_CODE
    for packet in (b"a", b"\0" * 4096, b"agent \n" + text, b"agent a\0b c\n" + text):
        assert Enroller(agents).ask(packet) == NO_CODE
    code = agents.code("role")
    assert Enroller(agents).ask(shown(code, text, "runner")) == NO_CODE
    assert Enroller(agents).ask(shown(code, text)[:-1]) == NO_CODE
    assert Enroller(agents).ask(shown(code, text)).startswith(b"yes ")


def test_a_request_for_another_kind_of_key_or_by_another_key_is_refused(agents, tmp_path):
    code = agents.code("kinds")
    for key in (("rsa:2048",), ("ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"), ("ed25519",)):
        assert b"another key than P-256" in Enroller(agents).ask(shown(code, request(tmp_path, *key)))
    good = p256(tmp_path)
    bad = bytearray(ssl.PEM_cert_to_DER_cert(good.decode().replace("CERTIFICATE REQUEST", "CERTIFICATE")))
    bad[-3] ^= 1                                            # in its signature
    bad = ssl.DER_cert_to_PEM_cert(bytes(bad)).replace("CERTIFICATE", "CERTIFICATE REQUEST").encode()
    assert b"not signed by the key" in Enroller(agents).ask(shown(code, bad))
    assert b"no request" in Enroller(agents).ask(shown(code, b""))
    assert Enroller(agents).ask(shown(code, good)).startswith(b"yes ")


@pytest.mark.parametrize("what", BROKEN)
def test_a_packet_that_breaks_the_rules_ends_the_connection(agents, what):
    sent, why = BROKEN[what]
    host = Enroller(agents)
    host.send(sent)
    assert not host.ends()
    agents.serve.log(why)


def test_half_a_packet_and_silence_and_more_than_one_packet_end(agents):
    half, two = Enroller(agents), Enroller(agents)
    half.send(frame(0, b"agent x\n")[:10])
    two.send(frame(0, b"agent x\n") + frame(0, b"agent x\n"))
    assert not two.ends()
    agents.serve.log("more than one packet of who enrols")
    assert not half.ends()
    agents.serve.log("no handshake and hello within 10 s")


def test_who_enrols_is_no_host_and_another_protocol_needs_a_certificate(agents):
    host = Enroller(agents)
    host.send(hello("agent/acme"))
    assert host.next() == (0, NO_CODE)
    other = Enroller(agents, "deploybot-enrol/2")
    assert not other.ends()
    agents.serve.log("peer did not return a certificate")


def test_ten_tries_in_a_minute(agents, tmp_path):
    for _ in range(10):
        assert Enroller(agents).ask(b"agent x\n") == NO_CODE
    done = agents.enrol(agents.line("late"), tmp_path)
    assert done.returncode != 0 and "ten hosts have tried to enrol within a minute" in done.stderr


def test_while_deploybot_is_disconnected_it_is_said(agents, tmp_path):
    words = agents.line("away")
    agents.scene.bot.kill()
    agents.serve.log("info", "deploybot is disconnected", count=len(agents.serve.found("deploybot is connected")))
    done = agents.enrol(words, tmp_path)
    assert done.returncode != 0 and "deploybot is disconnected from its link" in done.stderr
    agents.scene.start_bot()


def test_it_is_for_admins_who_are_notified(agents):
    assert "admin" in agents.refused("enrol", "mine", user=ROLE)
    ada = agents.scene.person(ADA)
    ada.say("/whoami")                                      # a bot writes to nobody who has not written to it
    agents.line("seen")
    ada.hear("Agent code made: seen enrols by it")


@pytest.mark.parametrize("name", ["a\nb", "a/b", "..", "Acme", "a" * 58])
def test_a_name_is_one(agents, name):
    assert "name" in agents.refused("enrol", name)


def test_no_remote_runner_is_called_as_the_one_of_the_server_is(agents):
    assert "of a runner not local" in agents.scene.run(PERSON, "runner", "enrol", "local", wanted=64)
    assert "local" not in agents.scene.run(PERSON, "runner", "list")
    assert agents.line("local")[1] == "agent"                # an agent may be


@pytest.mark.parametrize("use, file", [
    ("serve", "deploybot/link.conf"), ("agent", "deploybot-agent/link.conf"), ("runner", "deploybot-runner/link.conf")])
def test_without_a_file_each_use_reads_its_own(tmp_path, use, file):
    done = as_installed(tmp_path / "etc", "", [use, "--check"])
    assert done.returncode != 0 and f"/etc/{file}: No such file" in done.stderr, done


@pytest.mark.parametrize("words", [
    (), ("agent",), ("agent", "a:1", "b"), ("server", "a:1", "b", "c"), ("agent", "a:1", "b", "c", "d", "e")])
def test_other_words_are_its_usage(words):
    done = subprocess.run([PROGRAM, "enrol", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 64 and "usage: deploybot-link" in done.stderr


@pytest.mark.parametrize("server", ["nobody", ":9443", "a b:1", "127.0.0.1:1"])
def test_where_nobody_listens_nothing_is_left_but_the_key(server, tmp_path):
    done = subprocess.run([PROGRAM, "enrol", "agent", server, "code", "0" * 64, tmp_path], capture_output=True,
                          text=True, timeout=60, check=False)
    assert done.returncode != 0 and done.stderr.startswith("deploybot-link: ")
    assert [file.name for file in tmp_path.iterdir()] == ["link.key"]


def lie(agents, answer):
    """(HOST:PORT, a thread) of link's key without link: it answers once, with that."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(agents.ca / "link.crt", agents.ca / "link.key")
    context.set_alpn_protocols(["deploybot-enrol/1"])
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, context.wrap_socket(listener.accept()[0], server_side=True) as peer:
            peer.recv(1 << 16)
            peer.sendall(answer)
    thread = threading.Thread(target=serve)
    thread.start()
    return f"127.0.0.1:{listener.getsockname()[1]}", thread


@pytest.mark.parametrize("answer, said", [
    (b"", "closed by the peer"), (b"\0" * 8, "a frame of 0 bytes"), (frame(0, b"yes 00\n")[:9], "closed by the peer"),
    (frame(0, b"no \x1b[2J"), "the server refuses it: [2J"), (frame(0, b"no"), "the server refuses it: "),
    (frame(0, b"yes"), "is not by who has made the code"), (frame(0, b"yes 00"), "is not by who has made the code"),
    (frame(0, b"yes 00 00\nCRT"), "is not by who has made the code"),
    (b"x\nCRT", "the server's answer is none"), (b"00\n", "the server's answer is none"),
    (b"00", "the server's answer is none"), (b"00\nCRT", "a certificate of another key")])
def test_what_is_no_answer_is_not_written(agents, tmp_path, answer, said):
    """Of one who has link's key, and of one who knows the code besides."""
    words, other = agents.line("liar"), (agents.ca / "link.crt").read_bytes()
    if said.startswith(("the server's", "a certificate")):
        answer = answer.replace(b"CRT", other + other)
        answer = frame(0, b"yes " + mac(mac(words[3], b"secret"), b"yes", answer).encode() + b" " + answer)
    server, thread = lie(agents, answer)
    done = agents.enrol(["enrol", "agent", server, words[3], words[4]], tmp_path)
    thread.join()
    assert done.returncode != 0 and said in done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["link.key"]


def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(agents, tmp_path):
    words, answer = agents.line("slow"), iter(frame(0, b"a" * 4096))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(agents.ca / "link.crt", agents.ca / "link.key")
    context.set_alpn_protocols(["deploybot-enrol/1"])
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = f"127.0.0.1:{listener.getsockname()[1]}"
        with subprocess.Popen([PROGRAM, "enrol", "agent", server, *words[3:], tmp_path], stderr=subprocess.PIPE,
                              text=True) as host:
            with context.wrap_socket(listener.accept()[0], server_side=True) as peer:
                peer.settimeout(0.1)
                while host.poll() is None:
                    with contextlib.suppress(OSError):
                        peer.send(bytes([next(answer)]))
                        peer.recv(1 << 16)
            assert "no handshake and hello within 10 s" in host.stderr.read()
    assert host.returncode != 0


def test_an_answer_of_link_alone_has_limits(agents):
    """Who owns link sends what it likes as a request, and gets no more than a no."""
    with agents.stand_in() as link:
        for said in (b"enrol", b"enrol x y\nagent", b"enrol 1\nagent", b"enrol -1 y\nagent",
                     b"enrol 1 y\n" + b"a" * 4097, b"enrol 1 y"):
            link.send(b"link 0\n" + said)
        link.send(b"link 0\nenrol 8 " + b"y" * 5000 + b"\nagent x\n")
        # Who was revoked in a test before is cut anew.
        answer = next(word for word in iter(link.next, None) if not word.startswith(b"link 0\ncut "))
        assert answer == b"link 0\nenrolled 8\n" + NO_CODE
        for request_number in range(9, 30):
            link.send(f"link 0\nenrol {request_number} y\nagent x\n".encode())
        answers = [link.next() for _ in range(9, 30)]
        assert sum(b"ten hosts have tried" in answer for answer in answers) >= 11
