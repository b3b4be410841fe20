"""An archive by phone: a designer sends two sites, rolls back, and six archives that are refused, a sentence each.
Played without a person; afterwards nothing lies outside the folder of archives."""
# SPDX-License-Identifier: ISC
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import zipfile

from stage import Stage, wait_until
from story import STEP_TIMEOUT_S, Story, brief
from telegram_client import ADA, BEA, CARL, buttons_of, text_of

NAMES = {ADA: "Ada", BEA: "Bea", CARL: "Carl"}
MB = 1024 * 1024
LINK = 0o120777 << 16


def packed(files):
    """Names and contents as a zip; a mode where one is no plain file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            mode, content = content if isinstance(content, tuple) else (0o100644 << 16, content)
            entry = zipfile.ZipInfo(name)
            entry.external_attr, entry.compress_type = mode, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return made.getvalue()


# Six that a colleague makes in ten minutes: what it is, and what the sentence about it says.
BAD = (
    ("../../.ssh/authorized_keys", {"../../.ssh/authorized_keys": b"ssh-ed25519 AAAA"}, "leads out of"),
    ("a link to /etc", {"index.html": b"x", "etc": (LINK, b"/etc")}, "etc"),
    ("50 MB of zeros", {"zeros": bytes(50 * MB)}, "is too large"),
    ("a file .env", {"index.html": b"x", ".env": b"TOKEN=1"}, "is where secrets are kept"),
    ("a name with $(reboot)", {"$(reboot).html": b"x"}, "$( in its name"),
    ("two names that differ in case alone", {"Index.html": b"x", "index.html": b"y"}, "twice"),
)


class Uploads(Story):
    def read(self, who, *words, after, button=""):
        view = self.chat.wait_for_message(
            lambda m: all(word in text_of(m) for word in words)
            and (not button or any(button in label for label in buttons_of(m))),
            STEP_TIMEOUT_S, chat_id=who, after=after)
        self.tell(f"      to {NAMES[who]}: {brief(text_of(view))}")
        return view

    def press(self, who, view, button):
        label = next(label for label in buttons_of(self.chat.message(view)) if button in label)
        self.tell(f"{NAMES[who]} presses {label}")
        self.chat.press(who, self.chat.message(view), label)

    def site(self, note):
        """The application, as somebody who has no git packs it."""
        whole = subprocess.run(["git", "-C", str(self.stage.work), "archive", "develop"], capture_output=True,
                               check=True).stdout
        files = {"site/note.txt": note.encode()}
        with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
            files.update({"site/" + entry.name: ((0o100000 | entry.mode) << 16, tar.extractfile(entry).read())
                          for entry in tar if entry.isfile()})
        return packed(files)

    def send(self, who, content, what):
        self.tell(f"{NAMES[who]} sends {what}, with /deploy staging under it")
        after = self.chat.mark()
        self.chat.send(who, who, "site.zip", content, caption="/deploy staging")
        return after

    def goes_live(self, note):
        content = self.site(note)
        after = self.send(ADA, content, f"site.zip ({note})")
        asked = self.read(ADA, "Deploy to staging?", " files, ", "as it was sent, not from git", after=after,
                          button="Deploy")
        self.press(ADA, asked, "Deploy")
        self.read(ADA, "Live: staging", after=after)
        self.must(self.runs("staging") == hashlib.sha256(content).hexdigest(), f"staging serves what was sent ({note})")

    def good_ones(self):
        self.tell("--- a designer without git")
        self.goes_live("the first")
        first = self.runs("staging")
        self.goes_live("the second")
        after = self.chat.mark()
        self.chat.say(ADA, ADA, "/rollback staging")
        self.press(ADA, self.read(ADA, "Roll back staging?", after=after, button="Roll back"), "Roll back")
        wait_until(lambda: self.runs("staging") == first, STEP_TIMEOUT_S, "the rollback")
        self.must(True, "rolled back to the first, as ever")

    def bad_ones(self):
        self.tell("--- six bad ones, a sentence each")
        before = sorted(os.listdir(self.stage.folder / "state" / "uploads"))
        for i, (what, files, says) in enumerate(BAD):
            who = (BEA, CARL)[i // 3]       # a person sends three in an hour
            after = self.send(who, packed(files), what)
            self.read(who, "Not deployed: staging", says, after=after)
        kinds = [entry["violation_type"] for entry in self.stage.bot.audit(action="upload_refused")]
        self.must(len(kinds) == len(BAD), "the audit has a violation of each: " + ", ".join(sorted(set(kinds))))
        wait_until(lambda: sorted(os.listdir(self.stage.folder / "state" / "uploads")) == before, STEP_TIMEOUT_S,
                   "the archives to be removed")
        trees = self.stage.folder / "state" / "approved"
        odd = [path for path in trees.rglob("*") if path.is_symlink() or not (path.is_file() or path.is_dir())]
        self.must(not odd and len([path for path in trees.iterdir() if path.is_dir()]) == len(before),
                  "nothing of them stays, and of the good ones plain files and folders alone")


def play(folder):
    """0: all of it happened."""
    settings = {"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA},{CARL}", "STAGING_UPLOADS": "true"}
    with Stage(folder, telegram=("--local",), settings=settings) as stage:
        story = Uploads(stage)
        try:
            story.good_ones()
            story.bad_ones()
        except (AssertionError, TimeoutError, RuntimeError, StopIteration) as problem:
            print(f"the story broke off: {problem}", file=sys.stderr)
            print("--- deploybot's log ---\n" + stage.bot.log()[-6000:], file=sys.stderr)
            return 1
        story.tell("all of it happened")
        return 0
