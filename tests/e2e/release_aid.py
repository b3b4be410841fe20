"""release_aid.py - keys that sign a release, in a keyring of their own; commands whose output stands in the failure."""
# SPDX-License-Identifier: ISC
import os
import re
import subprocess


def run(words, check=True, **options):
    done = subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False, **options)
    assert not check or done.returncode == 0, done.stdout
    return done


class Keys:
    """Two keys without a passphrase: the project's and somebody else's.  done() ends gpg's agent."""

    def __init__(self, folder):
        self.home = folder
        self.home.mkdir(mode=0o700)
        self.environment = {**os.environ, "GNUPGHOME": str(folder)}
        self.ours, self.other = self.make("ours@example.org"), self.make("other@example.org")

    def gpg(self, *words):
        return run(["gpg", "--batch", *words], env=self.environment).stdout

    def make(self, who):
        self.gpg("--quick-generate-key", "--passphrase", "", who, "ed25519", "sign", "never")
        return re.search(r"(?m)^fpr:+([0-9A-F]{40}):", self.gpg("--with-colons", "--list-keys", who))[1]

    def done(self):
        run(["gpgconf", "--kill", "all"], env=self.environment)
