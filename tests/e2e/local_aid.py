"""local_aid.py - a server whose LOCAL_SOCKET users of this machine reach, each as themselves."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import subprocess
import tempfile

from flow_aid import FIRST_ADMIN, PATIENCE_S
from service_aid import RUNNER, SERVER, ServiceScene, as_user, give

# Users that every Debian has, and what the settings make of them.
PERSON, ROLE, UNKNOWN, NOBODY = "games", "www-data", "backup", "nobody"
MAY = {"LOCAL_GAMES_IS": str(FIRST_ADMIN), "LOCAL_WWW_DATA_IS": "role staging"}


class LocalScene(ServiceScene):
    """As two users; nothing of it can be seen by one alone, who would be the server's own."""

    def __init__(self, settings=None, **options):
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-local-"))
        self.socket = self.sockets / "local.sock"
        give(self.sockets, SERVER, SERVER, 0o755)
        super().__init__(settings={"LOCAL_SOCKET": str(self.socket), **MAY, **(settings or {})}, **options)

    def wrapper(self, user):
        """user: a name, or a number of whom no file knows."""
        if user == "root":
            return []
        return as_user(user, 65534)

    def command(self, user, *arguments):
        return [*self.wrapper(user), str(self.folder / "lib" / "deploybot"), *map(str, arguments)]

    def environment(self):
        return {"PATH": "/usr/bin:/bin", "HOME": "/", "LANG": "C.UTF-8", "LOCAL_SOCKET": str(self.socket)}

    def run(self, user, *arguments, wanted=0, timeout=PATIENCE_S * 2):
        """What it printed, where it ended as is wanted."""
        done = subprocess.run(self.command(user, *arguments), cwd="/", env=self.environment(), capture_output=True,
                              stdin=subprocess.DEVNULL, text=True, timeout=timeout, check=False)
        assert done.returncode == wanted, (done.returncode, done.stdout, done.stderr)
        return done.stdout if wanted == 0 else done.stderr

    def json(self, user, *arguments, **options):
        return json.loads(self.run(user, *arguments, "--json", **options))

    def start_command(self, user, *arguments):
        """One that goes on, with a pipe to each of its streams."""
        return subprocess.Popen(self.command(user, *arguments), cwd="/", env=self.environment(), text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
