"""Goal: usual mistakes are said before the first deployment, each in the words of tests/fixtures/mistakes.txt."""
# SPDX-License-Identifier: ISC
import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess

import pytest

from ssh_aid import Sshd
from stage import ROOT, Deploybot, free_port

TABLE = ROOT / "tests" / "fixtures" / "mistakes.txt"
LEVELS = ("error ", "warning ")
CUT_LEAST = 200     # bytes of a line of doctor's that is cut


def read_table():
    """[[title, words of the command, settings, answers]] of the table."""
    found = []
    for line in TABLE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("== "):
            found.append([line[3:], ["check-config"], [], []])
        elif line.startswith("$ "):
            found[-1][1] = line[2:].split()
        elif line.startswith("> "):
            found[-1][3].append(line[2:])
        else:
            found[-1][2].append(line)
    return found


class Beginner:
    """Somebody's first settings, in which nothing is wrong yet, and a port that this process has."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        (self.folder / "state").mkdir(mode=0o700)
        self.program = Deploybot(folder, {"API_SERVER_PORT": "1"}).build / "deploybot"
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.port = self.taken.getsockname()[1]
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / "key"], check=True)
        self.host = free_port()
        os.mkdir(self.folder / "sshd")
        self.sshd = Sshd(self.folder / "sshd", [("127.0.0.1", self.host, {})])
        another = (self.folder / "key.pub").read_text(encoding="ascii").rsplit(" ", 1)[0]
        (self.folder / "known").write_text("".join(f"{place} {another}\n" for place in (
            "staging.invalid", f"[127.0.0.1]:{self.host}")), encoding="ascii")
        self.base = {
            "TELEGRAM_BOT_TOKEN": "123456789:AAaaBBbbCCccDDddEEeeFFffGGggHHhhIIi", "ADMIN_TELEGRAM_IDS": "111",
            "GITHUB_REPOSITORY": "acme/shop", "REGISTRY_URL": "registry.example.org", "STAGING_HOST": "a.example.org",
            "PRODUCTION_HOST": "b.example.org", "LISTEN_ADDRESS": f"{folder}/http.sock",
            "STATE_DIRECTORY": f"{folder}/state", "AUDIT_LOG_PATH": f"{folder}/audit.log",
            "TELEGRAM_API_BASE": "http://127.0.0.1:9", "SSH_KEY_PATH": f"{folder}/key",
            "SSH_KNOWN_HOSTS": f"{folder}/known", "IMAGE_SOURCE": "registry"}

    def filled(self, text):
        comm = pathlib.Path("/proc/self/comm").read_text(encoding="utf-8").strip()
        for name, value in (("program", self.program.name), ("port", self.port), ("folder", self.folder),
                            ("host", self.host), ("pid", os.getpid()), ("comm", comm)):
            text = text.replace("{" + name + "}", str(value))
        return text

    def ask(self, words, lines):
        """What the program answers to it: (status, its lines that are warnings, errors, or of the command line)."""
        settings = dict(self.base)
        file = []
        for line in map(self.filled, lines):
            name, _, _ = line.partition("=")
            settings.pop(name.lstrip("-"), None)
            if not line.startswith("-"):
                file.append(line)
        file = [f"{name}={value}" for name, value in settings.items()] + file
        (self.folder / "env").write_text("\n".join(file) + "\n", encoding="utf-8")
        (self.folder / "env").chmod(0o600)
        done = subprocess.run([self.program, "--env-file", "env", *words], check=False, timeout=90, cwd=self.folder,
                              capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
        said = [line for line in (done.stdout + done.stderr).splitlines()
                if line.startswith((*LEVELS, "target.sh: ")) or ": there is no " in line]
        return done.returncode, said

    def done(self):
        self.taken.close()
        self.sshd.done()


def is_answered(wanted, said):
    """{*} stands for what a resolver or another program says.  A line may be cut: a test's folder has any length."""
    def is_it(line, found):
        if found.endswith("…") and not line.endswith("…"):
            return len(found) > CUT_LEAST and line.startswith(found[:-1])
        return re.fullmatch(re.escape(line).replace(r"\{\*\}", ".+"), found)

    return len(wanted) == len(said) and all(is_it(line, found) for line, found in zip(wanted, said))


@pytest.fixture(name="beginner")
def fixture_beginner(tmp_path):
    made = Beginner(tmp_path)
    yield made
    made.done()


@pytest.mark.long
def test_usual_mistakes_are_answered_in_the_words_of_the_table(beginner):
    table = read_table()
    assert len(table) >= 30 and len({title for title, *_ in table}) == len(table)
    assert beginner.ask(["check-config"], []) == (0, [])     # so each answer is of its mistake
    by_doctor = beginner.ask(["doctor"], [])[1]
    wrong = []
    for title, words, lines, wanted in table:
        status, said = beginner.ask(words, lines)
        if words == ["doctor"]:
            said = [line for line in said if line not in by_doctor]
        wanted = [beginner.filled(line) for line in wanted]
        if not is_answered(wanted, said) or not wanted or status == (0 if wanted[-1].startswith("error") else -1):
            wrong.append("\n".join([f"== {title} ({status})", *(f"> {line}" for line in said)]))
    assert not wrong, "\n".join(wrong)


def test_the_recipe_for_connections_that_stay_open_is_accepted_as_it_stands(beginner):
    files = {name: (ROOT / "deploy" / "own" / f"{name}.env.example").read_text(encoding="utf-8")
             for name in ("shop-ws", "shop")}
    (beginner.folder / "apps").mkdir()
    for name, text in files.items():
        (beginner.folder / "apps" / f"{name}.env").write_text(text, encoding="utf-8")
        (beginner.folder / "apps" / f"{name}.env").chmod(0o600)
    own = ["-GITHUB_REPOSITORY", "-STAGING_HOST", "-PRODUCTION_HOST"]
    assert beginner.ask(["check-config"], own) == (0, [])
    wrong = files["shop"].replace("{port}", "8001")
    (beginner.folder / "apps" / "shop.env").write_text(wrong, encoding="utf-8")
    status, said = beginner.ask(["check-config"], own)
    assert status == 78 and [line for line in said if "shop: SMOKE_URL: has no {port}" in line] == said, said


def read_terminal(beginner, **variables):
    """What check-config of a port in use prints on a terminal."""
    beginner.ask(["check-config"], ["STAGING_HELTH_URL=https://x.example.org", "API_SERVER_PORT=x"])
    ours, theirs = os.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        process = subprocess.Popen([beginner.program, "--env-file", "env", "check-config"], cwd=beginner.folder,
                                   stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
                                   env={"PATH": os.environ["PATH"], "TERM": "xterm", **variables})
        os.close(theirs)
        text = b""
        with contextlib.suppress(OSError):      # EIO: nobody has the other end any more
            while part := terminal.read(4096):
                text += part
        assert process.wait(timeout=60) == 78
    return text.decode()


def test_a_terminal_has_colours_and_the_error_behind_the_warning(beginner):
    said = read_terminal(beginner)
    warning, error = "\033[33mwarning \033[0m STAGING_HELTH_URL", "\033[1;31merror   \033[0m API_SERVER_PORT"
    assert said.index(warning) < said.index(error)
    for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        said = read_terminal(beginner, **variables)
        assert "\033" not in said and said.index("warning  ") < said.index("error    ")


def test_programs_read_findings_as_json(beginner):
    status, _ = beginner.ask(["check-config"], ["GITHUB_BRANCH_STAGING=refs/heads/x"])
    done = subprocess.run([beginner.program, "--env-file", "env", "check-config", "--json"], check=False, timeout=60,
                          cwd=beginner.folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    found = json.loads(done.stdout)
    assert (status, done.returncode, done.stderr) == (78, 78, "")
    assert (found["ok"], found["file"], found["error_count"], found["warning_count"]) == (False, "env", 1, 0)
    assert [(x["level"], x["subject"]) for x in found["findings"]] == [("error", "settings")]
    assert "did you mean x?" in found["findings"][0]["text"] and done.stdout.count("\n") == 1
    done = subprocess.run([beginner.program, "--env-file", "env", "doctor", "--json"], check=False, timeout=60,
                          cwd=beginner.folder, capture_output=True, text=True, env={"PATH": os.environ["PATH"]})
    found = json.loads(done.stdout)
    assert done.returncode == 1 and {"settings", "telegram", "targets"} <= {x["subject"] for x in found["findings"]}
    assert found["ok_count"] + found["note_count"] + found["warning_count"] + found["error_count"] == \
        len(found["findings"])
