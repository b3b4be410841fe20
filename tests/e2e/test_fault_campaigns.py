"""Goal: a small sample of each fault campaign finds nothing (the whole ones are `make check-<name>`), and the driver
reports the truth about what failed and what was never reached."""
# SPDX-License-Identifier: ISC
import argparse
import pathlib
import subprocess
import sys

import pytest

from stage import ROOT, crash_build

sys.path[:0] = [str(ROOT / "tests/faults")]
import campaign
import canary
import hostile_secrets

# Campaigns that offer --short: some ten seconds of two cores that do nothing else.
CAMPAIGNS = ["crash", "adopt", "hostile", "power", "io", "oom"]
TIMEOUT_S = 600


@pytest.mark.long
@pytest.mark.first
@pytest.mark.parametrize("name", CAMPAIGNS)
def test_a_sample_of_the_campaign_breaks_nothing(name, tmp_path):
    done = subprocess.run(["/usr/bin/python3", str(ROOT / "tests" / "faults" / "campaign.py"), name, "--short",
                           "--build", str(crash_build()), "--keep", str(tmp_path)],
                          capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


def test_each_secret_of_the_settings_has_a_canary_in_the_campaign():
    wanted = canary.secret_settings()
    assert len(wanted) > 18 and wanted <= set(hostile_secrets.PLANTED), wanted - set(hostile_secrets.PLANTED)


# ---- the driver ----------------------------------------------------------------------------------


class Nothing:
    """A scene without a deploybot."""

    def __init__(self, folder, build):
        self.folder = pathlib.Path(folder)

    def end_all(self):
        pass

    close = end_all


class Luck(campaign.Kind):
    """Its trials hit what they aim at from the given time on."""

    name = "luck"
    make_scene = Nothing

    def __init__(self, folder, reached_at, breaks=()):
        super().__init__()
        self.chosen = argparse.Namespace(seed=7, only="", short=False, workers=2, build=str(folder), keep=str(folder))
        self.folder, self.reached_at, self.breaks = folder, reached_at, breaks

    def trials(self, dice):
        return [(f"at/{name}", name) for name in ("gate", "go")]

    def trial(self, scene, parameters):
        if parameters in self.breaks:
            raise AssertionError(f"{parameters} broke")
        times = self.folder / parameters
        with times.open("a", encoding="ascii") as file:
            file.write(".")
        return [parameters] if parameters == "go" or len(times.read_text()) >= self.reached_at else ()

    def end(self, scene):
        pass

    def aims(self, label, parameters):
        return [parameters]


def play(kind, capfd):
    """Status of the whole campaign, and what it said."""
    trials = campaign.plan(kind)
    result = campaign.run(kind, trials)
    campaign.reach(kind, trials, result)
    with pytest.raises(SystemExit) as end:
        campaign.finish(kind, trials, result)
    return end.value.code, capfd.readouterr().out


@pytest.mark.parametrize("reached_at,status,plays", [(1, 0, 1), (2, 0, 2), (4, 0, 4), (5, 1, 4)])
def test_what_must_be_hit_is_aimed_at_again_a_few_times(tmp_path, capfd, reached_at, status, plays):
    ended, said = play(Luck(tmp_path, reached_at), capfd)
    assert ended == status
    assert len((tmp_path / "gate").read_text()) == plays and (tmp_path / "go").read_text() == "."
    assert said.count("not reached: gate, at/gate; aimed at again") == plays - 1
    assert ("NEVER gate" in said) == (status == 1)
    assert [campaign.is_idle(argparse.Namespace(unreached_share=0.1, chosen=argparse.Namespace(short=short)),
                             argparse.Namespace(unhit=["gate"], played=3)) for short in (False, True)] == [True, False]


def test_a_failure_is_told_with_the_command_that_replays_it(tmp_path, capfd):
    ended, said = play(Luck(tmp_path, 1, breaks=("gate",)), capfd)
    assert ended == 1 and "gate broke" in said
    assert "FAILED at/gate: make check-luck SEED=7 ONLY='at/gate'" in said


def test_a_first_passage_is_aimed_at_where_a_later_one_did_not_come_again():
    import crash
    kind = crash.Crash()
    trials = [(f"recovery/reconcile_killed:{n}/thrice", ("recovery", "reconcile_killed", n, "thrice")) for n in (2, 3)]
    name = "thrice runner reconcile_killed"
    assert kind.must_hit(trials) == {name}
    assert kind.aim_again(name, trials) == [("recovery/reconcile_killed:1/thrice",
                                             ("recovery", "reconcile_killed", 1, "thrice"))]


def test_every_kind_reads_the_labels_that_it_says_are_replayed():
    import importlib
    labels = {"crash": "push/go_due:2/late", "crash-sweep": "push/server/write:3", "io": "push/flow/a.b.c.d.e/EIO",
              "power": "push write audit.log 2 sectors 1", "oom": "push/flow/server.1/ENOMEM", "hostile": "words"}
    for name, module in campaign.KINDS.items():
        kind = importlib.import_module(module).KIND()
        assert kind.name == name
        assert (kind.one(labels.get(name, "")) is not None) == (name in labels)
        assert kind.one("push/") is None or name in ("io", "oom")
