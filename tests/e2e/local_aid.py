"""local_aid.py - a server whose LOCAL_SOCKET users of this machine reach, each as themselves."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import shutil
import subprocess
import tempfile

from flow_aid import FIRST_ADMIN, PATIENCE_S
from service_aid import RUNNER, SERVER, ServiceScene, as_user, give

# Sends what stands on stdin, and prints all that comes until the other end closes.
ASK = """import socket, sys
s = socket.socket(socket.AF_UNIX)
s.settimeout(60)
s.connect(sys.argv[1])
s.sendall(sys.stdin.buffer.read())
while piece := s.recv(65536):
    sys.stdout.buffer.write(piece)
"""

# Users that every Debian has, and what the settings make of them.
PERSON, ROLE, ROLE_ADMIN, UNKNOWN, NOBODY = "games", "www-data", "man", "backup", "nobody"
MAY = {"LOCAL_GAMES_IS": str(FIRST_ADMIN), "LOCAL_WWW_DATA_IS": "role staging", "LOCAL_MAN_IS": "role admin"}


class LocalScene(ServiceScene):
    """As two users; nothing of it can be seen by one alone, who would be the server's own."""

    def __init__(self, settings=None, **options):
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-local-"))
        self.socket = self.sockets / "local.sock"
        give(self.sockets, SERVER, SERVER, 0o755)
        super().__init__(settings={"LOCAL_SOCKET": str(self.socket), **MAY, **(settings or {})}, **options)

    def close(self):
        super().close()
        shutil.rmtree(self.sockets, ignore_errors=True)

    def commit(self, branch="develop", kind="good"):
        """git takes no repository of another user: it is ours as long as we push."""
        subprocess.run(["chown", "-R", "0", str(self.repository)], check=True)
        made = super().commit(branch, kind)
        subprocess.run(["chown", "-R", str(RUNNER), str(self.repository)], check=True)
        return made

    def wrapper(self, user):
        """user: a name, or a number of whom no file knows."""
        if user == "root":
            return []
        return as_user(user, 65534)

    def command(self, user, *arguments):
        return [*self.wrapper(user), str(self.folder / "lib" / "deploybot"), *map(str, arguments)]

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", "LOCAL_SOCKET": str(self.socket)}

    def run(self, user, *arguments, wanted=0, typed="", timeout=PATIENCE_S * 2):
        """What it printed, where it ended as is wanted."""
        done = subprocess.run(self.command(user, *arguments), cwd="/", env=self.environment(), capture_output=True,
                              input=typed, text=True, timeout=timeout, check=False)
        assert wanted in (None, done.returncode), (done.returncode, done.stdout, done.stderr)
        return done.stdout if not wanted else done.stderr

    def json(self, user, *arguments, **options):
        return json.loads(self.run(user, *arguments, "--json", **options))

    def start_command(self, user, *arguments):
        """One that goes on, with a pipe to each of its streams."""
        return subprocess.Popen(self.command(user, *arguments), cwd="/", env=self.environment(), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def ask_raw(self, user, request):
        """The bytes that come back for these."""
        done = subprocess.run([*self.wrapper(user), "/usr/bin/python3", "-c", ASK, str(self.socket)], input=request,
                              cwd="/", env=self.environment(), capture_output=True, timeout=PATIENCE_S * 2, check=False)
        assert done.returncode == 0 or b"ResetError" in done.stderr or b"BrokenPipe" in done.stderr, done.stderr
        return done.stdout

    def ask(self, user, method, path, body=None, headers=()):
        """(status, JSON) of /v1."""
        lines = [f"{method} {path} HTTP/1.1", "Host: local", "Connection: close", *headers]
        if body is not None:
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
            lines += [f"Content-Length: {len(body)}"]
            if not any(line.startswith("Content-Type") for line in lines):
                lines += ["Content-Type: application/json"]
        answer = self.ask_raw(user, "\r\n".join([*lines, "", ""]).encode() + (body or b""))
        head, _, rest = answer.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(rest) if rest else None

    def lift_blocks(self, environment="staging"):
        """Makes the newest commit live, confirmed: what a test's end has blocked asks the next one nothing."""
        self.scripts.reset(environment)
        asking = self.start_command(PERSON, "deploy", environment, "--wait")
        asked = next(found for line in asking.stderr if (found := re.search(r"deploybot answer (\d+) yes", line)))
        self.run(PERSON, "answer", asked[1], "yes", "--no-wait")
        _, err = asking.communicate(timeout=PATIENCE_S)
        assert asking.returncode == 0, err

    def work_of(self, number, user=PERSON):
        status, found = self.ask(user, "GET", f"/v1/work/{number}")
        assert status == 200, found
        return found
