"""Goal: an archive that somebody sends is asked about, goes live and is rolled back as a commit is; a bad one is
refused in one sentence, and nothing of it stays.  Over LOCAL_SOCKET; Telegram's in test_flow_upload_chat."""
# SPDX-License-Identifier: ISC
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
import zipfile

import pytest

from flow_aid import FIRST_ADMIN, PATIENCE_S, Scene, ended_well
from service_aid import as_user
from stage import ROOT, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

ROLE = "www-data"
# Each may send three archives in an hour, and is an admin.
PEOPLE = ("games", "man", "lp", "mail", "news", "proxy", "backup", "list")
PERSON = PEOPLE[0]
PROGRAM = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build") / "deploybot"


class UploadScene(Scene):
    """One user has the server; users of the machine send archives."""

    def __init__(self, folder, **settings):
        self.sockets = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-upload-"))
        self.sockets.chmod(0o755)
        super().__init__(folder, settings={
            "STAGING_UPLOADS": "true", "LOCAL_SOCKET": str(self.sockets / "local.sock"),
            **{f"LOCAL_{name.upper()}_IS": str(FIRST_ADMIN + i) for i, name in enumerate(PEOPLE)},
            "LOCAL_WWW_DATA_IS": "role staging", **settings})
        self.sent = 3

    def sender(self):
        """Who may send one more."""
        self.sent += 1
        return PEOPLE[(self.sent - 1) // 3]

    def close(self):
        ended_well(self)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def command(self, user, *arguments):
        program = self.sockets / "deploybot"
        if not program.exists():
            shutil.copy(PROGRAM, program)
        return [*as_user(user, 65534), str(program), *map(str, arguments)]

    def run(self, user, *arguments, wanted=0, typed=""):
        done = subprocess.run(
            self.command(user, *arguments), cwd="/", input=typed, capture_output=True, text=True, check=False,
            env={"PATH": "/usr/bin:/bin", "LOCAL_SOCKET": str(self.sockets / "local.sock")}, timeout=PATIENCE_S * 2)
        assert done.returncode == wanted, (done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def site(self, note, name="site.tar.gz"):
        """The application as an archive, with a note that makes it another one."""
        whole = subprocess.run(["git", "-C", str(self.work), "archive", "--prefix=site/", "develop"],
                               capture_output=True, check=True).stdout
        files = {"note.txt": note.encode()}
        with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
            files.update({entry.name.removeprefix("site/"): (entry.mode, tar.extractfile(entry).read())
                          for entry in tar if entry.isfile()})
        return self.pack(files, name)

    def pack(self, files, name="site.tar.gz"):
        """Names and contents as an archive; (mode, content) of what is to be executable."""
        path = self.sockets / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
                for file, content in files.items():
                    mode, content = content if isinstance(content, tuple) else (0o644, content)
                    info = zipfile.ZipInfo(file)
                    info.compress_type = zipfile.ZIP_DEFLATED
                    info.external_attr = (0o100000 | mode) << 16
                    made.writestr(info, content)
        else:
            with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as made:
                for file, content in files.items():
                    mode, content = content if isinstance(content, tuple) else (0o644, content)
                    info = tarfile.TarInfo(file)
                    info.mode, info.size = mode, len(content)
                    made.addfile(info, io.BytesIO(content))
        path.chmod(0o644)
        return path

    def uploads(self):
        folder = self.folder / "state" / "uploads"
        return {path.name for path in folder.iterdir()}

    def trees(self):
        folder = self.folder / "state" / "approved"
        return {path.name for path in folder.iterdir() if path.is_dir()} if folder.exists() else set()


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = UploadScene(tmp_path_factory.mktemp("upload"))
    yield made
    made.close()


def send(scene, path, user=PERSON):
    """The number of its question, and what that says; of PERSON three of them."""
    said = scene.run(user, "upload", "staging", path, wanted=4)
    return re.search(r"deploybot answer (\d+) yes", said)[1], said


def deploy(scene, path, user=PERSON):
    number, said = send(scene, path, user)
    shown = re.search(r"yes ([0-9a-f]{32})", said)
    scene.run(user, "answer", number, "yes", *([shown[1]] if shown else []), "--wait")
    return number


def test_a_good_archive_is_asked_about_and_goes_live(scene):
    path = scene.site("first")
    number, said = send(scene, path)
    print(said)
    assert "not from git" in said and "files" in said and "site.tar.gz" in said
    assert scene.uploads() == {digest(path)}
    scene.run(PERSON, "answer", number, "yes", "--wait")
    assert scene.runs("staging") == digest(path)


def test_a_second_one_goes_live_and_is_rolled_back(scene):
    first, second = scene.runs("staging"), scene.site("second")
    deploy(scene, second)
    assert scene.runs("staging") == digest(second) != first
    assert scene.uploads() == scene.trees() == {first, digest(second)}, "both may be rolled back to"
    number = re.search(r"deploybot answer (\d+) yes", scene.run(PERSON, "rollback", "staging", wanted=4))[1]
    scene.run(PERSON, "answer", number, "yes", "--wait")
    assert scene.runs("staging") == first
    said = scene.run(PERSON, "history", "staging")
    assert f"upload {first[:12]}" in said and f"upload {digest(second)[:12]}" in said


def test_the_audit_and_the_team_say_what_it_was(scene):
    entries = [entry for entry in scene.audit(environment="staging") if entry["action"] == "deploy_success"]
    assert {entry["commit"] for entry in entries} == scene.uploads()


BAD = {
    "traversal": ({"../../.ssh/authorized_keys": b"x"}, "archive_traversal"),
    "secret": ({"index.html": b"x", ".env": b"TOKEN=1"}, "secret_file"),
    "name": ({"$(reboot).txt": b"x"}, "archive_name"),
    "bomb": ({"zeros": b"\0" * 50_000_000}, "archive_bomb"),
}


@pytest.mark.parametrize("ends", ["tar.gz", "zip"])
@pytest.mark.parametrize("what", sorted(BAD))
def test_a_bad_one_is_refused_in_one_sentence_and_nothing_stays(scene, what, ends):
    files, violation = BAD[what]
    before, live = (scene.uploads(), scene.trees()), scene.runs("staging")
    scene.bot_rows("SELECT 1")
    said = scene.run(scene.sender(), "upload", "staging", scene.pack(files, f"bad.{ends}"), wanted=2)
    assert "refused" in said, said
    print(said)
    wait_until(lambda: (scene.uploads(), scene.trees()) == before, PATIENCE_S, "the archive to be removed")
    assert scene.runs("staging") == live
    entry = scene.audit(environment="staging")[-1]
    found = [e for e in scene.audit(environment="staging") if e["action"] == "upload_refused"]
    assert found and found[-1]["violation_type"] == violation, (entry, found)


def test_who_has_no_grant_for_it_is_refused_and_nothing_stays(scene):
    before = scene.uploads()
    path = scene.pack({"large": os.urandom(19 << 20)}, "theirs.tar")
    said = scene.run(ROLE, "upload", "staging", path, wanted=77)
    assert "an archive needs the grant upload" in said, said
    assert scene.uploads() == before, "nothing of it is taken"


def test_where_the_settings_take_none_it_is_refused(scene):
    before = scene.uploads()
    said = scene.run(scene.sender(), "upload", "production", scene.site("live"), wanted=1)
    assert "PRODUCTION_UPLOADS=true" in said, said
    wait_until(lambda: scene.uploads() == before, PATIENCE_S, "the archive to be removed")


def test_a_fourth_within_an_hour_is_refused(scene):
    before, user = scene.uploads(), PEOPLE[-1]
    for i in range(3):
        number, _ = send(scene, scene.site(f"try {i}"), user)
        scene.run(user, "answer", number, "no")
    said = scene.run(user, "upload", "staging", scene.site("try 4"), wanted=1)
    assert "three archives within an hour" in said, said
    assert len(scene.uploads() - before) == 3, "what was sent stays for UPLOAD_KEEP_DAYS, what was refused goes"


@pytest.mark.parametrize("begins", [b"Rar!\x1a\x07\0", b"7z\xbc\xaf\x27\x1c"], ids=["rar", "7z"])
def test_of_what_is_no_archive_it_is_said_how_one_is_made(scene, begins):
    path, before = scene.sockets / "site.zip", scene.uploads()
    path.write_bytes(begins + bytes(600))
    said = scene.run(scene.sender(), "upload", "staging", path, wanted=2)
    assert "it is no .zip, .tar or .tar.gz: make one of its folder with tar -czf site.tar.gz -C FOLDER ." in said, said
    wait_until(lambda: scene.uploads() == before, PATIENCE_S, "the archive to be removed")


@pytest.mark.parametrize("size", [0, (20 << 20) + 4])
def test_what_is_empty_or_too_large_is_not_sent(scene, size):
    path = scene.sockets / "size.zip"
    path.write_bytes(bytes(size))
    path.chmod(0o644)
    before = scene.uploads()
    said = subprocess.run(scene.command(PERSON, "upload", "staging", path), cwd="/", capture_output=True, text=True,
                          env={"LOCAL_SOCKET": str(scene.sockets / "local.sock")}, check=False)
    assert said.returncode in (64, 65) and "expected 1 byte to 20 MB" in said.stderr, said
    assert scene.uploads() == before
