"""hostile.py - campaign: hostile clients, scripts, names and words against the real programs.

Each theme is a file hostile_<theme>.py with play(hall); it is one trial.
"""
# SPDX-License-Identifier: ISC
import collections
import importlib
import os
import pathlib

from hostile_aid import Failure, Hall, is_at_rest   # first: it finds the rest
import campaign
import oracle

THEMES = ("framing", "bodies", "words", "secrets", "refs", "process", "slow")
SHORT = ("framing", "bodies", "words")      # ten seconds: part of make test


def ask_oracle(hall, theme):
    """What every campaign asks of rows and files, of each state that this theme has left."""
    build = pathlib.Path(os.environ["DEPLOYBOT_BUILD"])
    name = f"{theme}: states that the oracle has looked at"
    hall.wants(name)
    for database in sorted(hall.folder.glob("*/**/state/deploybot.db")):
        if database in hall.looked_at:
            continue
        hall.looked_at.add(database)
        oracle.look_at_folder(build, database.parent.parent, *([] if is_at_rest(database) else ["moving"]))
        hall.hit(name)


class Hostile(campaign.Kind):
    """Hostile clients, scripts, names, words and secrets, straight and through nginx."""

    name = "hostile"
    unreached_share = 0
    silent_s = 900      # a theme is one trial: thousands of names, each with a git of its own

    def options(self, parser):
        parser.add_argument("themes", nargs="*", metavar="THEME", help=" ".join(THEMES))
        parser.set_defaults(workers=1)      # a crowd measures what it is given: nothing else may go on

    def make_scene(self, folder, build):    # pylint: disable=method-hidden
        # What is started by the kits of the end-to-end tests is found by this.
        os.environ["DEPLOYBOT_BUILD"] = str(build)
        folder.mkdir()
        return Hall(folder, self.chosen.seed, self.chosen.short)

    def one(self, label):
        return label if label in THEMES else None

    def trials(self, dice):
        unknown = set(self.chosen.themes) - set(THEMES)
        if unknown:
            raise SystemExit(f"no such theme: {' '.join(unknown)}; there are: {' '.join(THEMES)}")
        return [(theme, theme) for theme in self.chosen.themes or (SHORT if self.chosen.short else THEMES)]

    def trial(self, scene, parameters):
        print(f"{parameters}:", flush=True)
        before, wanted = collections.Counter(scene.hits), set(scene.wanted)
        importlib.import_module(f"hostile_{parameters}").play(scene)
        ask_oracle(scene, parameters)
        missed = [line for line in scene.missed() if line.split(": ")[0] not in wanted]
        if missed:
            raise Failure("never met, or too seldom: " + "; ".join(missed))
        return collections.Counter(scene.hits) - before

    def end(self, scene):
        """A theme ends what it has started."""

    def replay(self, label):
        return super().replay(label) + (" SHORT=1" if self.chosen.short else "")


KIND = Hostile
