"""Goal: the command line speaks to the server of this machine and to nobody who would pass for it, and prints nothing
that a terminal obeys, whatever answers."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import pytest

from flow_aid import PATIENCE_S
from service_aid import as_user
from stage import ROOT, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

OWNER, OTHER = "games", "backup"

# Answers each connection with the file's bytes, and notes the first line of what was asked.
LISTEN = """import os, socket, sys
path, answer, asked = sys.argv[1:]
s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen()
os.chmod(path, 0o666)
while True:
    c = s.accept()[0]
    line = c.recv(65536)
    if line:
        open(asked, "ab").write(line.split(b"\\r")[0] + b"\\n")
    try:
        c.sendall(open(answer, "rb").read())
    except OSError:
        pass        # it left without asking
    c.close()
"""


class Place:
    """A folder for each of two users, and programs that listen there."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-client-"))
        self.folder.chmod(0o755)
        build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build")
        self.program = shutil.copy(build / "deploybot", self.folder / "deploybot")
        self.listening = []
        for user in (OWNER, OTHER):
            self.of(user).mkdir()
            shutil.chown(self.of(user), user)
        self.answer({"environments": []})

    def of(self, user):
        return self.folder / user

    def answer(self, answer):
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        (self.folder / "answer").write_bytes(b"HTTP/1.1 200 OK\r\n\r\n" + body)

    def listen(self, user, folder=None):
        path = (folder or self.of(user)) / "local.sock"
        self.listening.append(subprocess.Popen(
            [*as_user(user, 65534), sys.executable if user == "root" else "/usr/bin/python3", "-c", LISTEN, path,
             self.folder / "answer", self.of(user if user != "root" else OWNER) / "asked"], cwd="/"))
        wait_until(path.exists, PATIENCE_S, "a socket")
        wait_until(lambda: path.stat().st_mode & 0o777 == 0o666, PATIENCE_S, "a socket for all")
        return path

    def asked(self, user):
        path = self.of(user) / "asked"
        return path.read_text("ascii") if path.exists() else ""

    def run(self, *arguments, user="root", cwd="/", **environment):
        """Where no installation is: what this machine may have in /etc is not seen."""
        hide = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /run && if test -d /etc/deploybot; then '
                'mount -t tmpfs none /etc/deploybot; fi; cd "$0" && exec "$@"', str(cwd)]
        before = [] if user == "root" else as_user(user, 65534)
        done = subprocess.run([*hide, *before, str(self.program), *map(str, arguments)], cwd="/",
                              env={"PATH": "/usr/bin:/bin", **environment}, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=PATIENCE_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def close(self):
        for process in self.listening:
            process.kill()
            process.wait()
        shutil.rmtree(self.folder)


@pytest.fixture
def place():
    made = Place()
    yield made
    made.close()


def test_a_file_in_somebodys_folder_sends_nobody_to_their_socket(place):
    there = place.of(OTHER)
    socket = place.listen(OTHER)
    (there / ".env").write_text(f"LOCAL_SOCKET={socket}\n", encoding="ascii")
    shutil.chown(there / ".env", OTHER)
    status, _, said = place.run("status", "--as", "admin", cwd=there)
    assert status == 69 and "nobody listens on /run/deploybot/local.sock" in said
    link = place.of(OWNER) / ".env"
    mine = place.folder / "mine"
    mine.write_text(f"LOCAL_SOCKET={socket}\n", encoding="ascii")
    link.symlink_to(mine)
    os.lchown(link, 5, 5)
    assert place.run("status", "--as", "admin", cwd=place.of(OWNER))[0] == 69, "a link is whose it is"
    assert place.asked(OTHER) == ""
    assert place.run("status", cwd=there, user=OTHER)[0] == 0, "their own is their own"
    assert place.run("--env-file", ".env", "status", cwd=there)[0] == 0, "it was named"
    assert place.asked(OTHER).count("GET /v1/status") == 2


def test_root_takes_no_settings_that_somebody_else_may_write(place):
    """Regression: `deploybot doctor ENV`, typed in a user's folder, ran its SSH_PROXY_COMMAND as root."""
    there, ran = place.of(OTHER), place.folder / "ran"
    file = there / ".env"
    file.write_text(f"DEPLOY_TRANSPORT=ssh\nSTAGING_HOST=h1\nSSH_PROXY_COMMAND=/usr/bin/touch {ran}\n")
    shutil.chown(file, OTHER)

    def takes(*words):
        status, out, said = place.run(*words, cwd=there)
        is_refused = status == 78 and "root takes no settings that somebody else may write: " in said
        assert is_refused or "root takes no settings" not in out + said
        return not is_refused
    every = (("doctor", "staging"), ("check-config",), ("secrets", "check"), ("backup", "x"), ("audit", "tail"),
             ("--env-file", file, "check-config"), ("--env-file", "../backup/.env", "doctor"), ())
    assert not any(takes(*words) for words in every) and not ran.exists()
    assert takes("version") and takes("completion", "bash")
    for owner, mode, folder_owner, folder_mode, wanted in (
            ("root", 0o644, OTHER, 0o755, False), ("root", 0o644, "root", 0o777, False),
            ("root", 0o664, "root", 0o755, False), (OTHER, 0o644, "root", 0o755, False),
            ("root", 0o644, "root", 0o755, True)):
        shutil.chown(file, owner)
        file.chmod(mode)
        shutil.chown(there, folder_owner)
        there.chmod(folder_mode)
        assert takes("check-config") == wanted, (owner, mode, folder_owner, folder_mode)
    # A link is whose it is, and so is what it leads to.
    file.rename(place.folder / "mine")
    file.symlink_to(place.folder / "mine")
    assert takes("check-config")
    os.lchown(file, 5, 5)
    assert not takes("check-config")
    assert "root takes" not in place.run("check-config", cwd=there, user=OTHER)[2]


def test_who_listens_in_a_folder_of_others_is_told_nothing(place):
    place.folder.chmod(0o1777)
    socket = place.listen(OTHER, place.folder)
    status, _, said = place.run("deploy", "production", LOCAL_SOCKET=str(socket))
    assert status == 69 and "who listens there is neither root, nor you" in said
    assert place.asked(OTHER) == ""
    assert place.run("status", user=OTHER, LOCAL_SOCKET=str(socket))[0] == 0


def test_a_file_that_is_named_is_there(place):
    status, _, said = place.run("--env-file", "/nowhere/x.conf", "status")
    assert status == 66 and "/nowhere/x.conf" in said
    closed = place.of(OWNER) / ".env"
    closed.write_text("LOCAL_SOCKET=/x\n", encoding="ascii")
    closed.chmod(0o600)
    status, _, said = place.run("status", user=OTHER, cwd=place.of(OWNER))
    assert status == 69 and ".env cannot be read by you, so the default socket was asked" in said


def test_what_a_terminal_obeys_is_not_printed(place):
    place.answer(b'{"said": "a\\u001b]0;x\\u0007b\\rc\\u009b\\bd\\ne\\tf \xc2\x9bg \\u202eh \\\\u001b", "work": null}')
    socket = place.listen(OWNER)
    for more in ((), ("--json",)):
        status, out, _ = place.run("unlock", "staging", *more, LOCAL_SOCKET=str(socket))
        assert status == 0
        assert not set(out) & {"\x1b", "\x07", "\r", "\x9b", "\x08", "\u202e"}
        said = json.loads(out)["said"] if more else out.rstrip("\n")
        assert said == "a]0;xbcd\ne\tf g h \\u001b"
