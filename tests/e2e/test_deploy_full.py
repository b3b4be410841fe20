"""Goal: a host whose disk is full has each file of deploybot's whole, the old or the new one; what cannot be written is
known before anything changes, and half a line of an earlier version swallows no other."""
# SPDX-License-Identifier: ISC
import subprocess

import pytest

from commands_aid import cleans
from runner_client import ROOT
from ssh_aid import COMPOSE, BlueGreenBench, SshBench, until_at_rest
from test_deploy_compose_repo import REPO, in_force, name_of, release, shipped

LIMIT = 1024    # of fill_disk()


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"))


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"))


def env_of_almost(bench, *lines):
    """An .env that has room, but not for what a release writes into it."""
    text = "".join(f"{line}\n" for line in lines)
    text = f"MINE={'x' * (LIMIT - 4 - len(text) - 6)}\n{text}"
    assert len(text) == LIMIT - 4
    (bench.app / ".env").write_text(text)
    return text


def left_over(bench):
    return [file.name for file in bench.app.iterdir() if file.name.endswith(".deploybot")]


# ---- .env --------------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("strategy", ["recreate", "bluegreen"])
def test_an_env_that_has_no_room_is_known_before_anything_is_replaced_and_stays_whole(strategy, request):
    """Regression: with COMPOSE_FILE taken out the last line was written, so all were: .env ended in the middle."""
    bench = request.getfixturevalue("bench" if strategy == "recreate" else "pair")
    compose = (bench.app / "docker-compose.yml").read_text()
    _, first = shipped(bench, compose, **REPO)
    led_to = strategy == "bluegreen" and bench.file_says()
    text = env_of_almost(bench, f"COMPOSE_FILE={name_of(compose)}")
    before = bench.engine()["containers"]
    commit, digest = release(bench, compose)
    bench.fill_disk("switch")
    status, said = bench.run("deploy.sh", "staging", commit, COMPOSE_SOURCE="host")
    assert status == 70 and f"{bench.app}/.env cannot be written" in said[-1], said
    assert (bench.app / ".env").read_text() == text and not left_over(bench)
    if strategy == "recreate":
        assert bench.engine()["containers"] == before
    else:
        assert bench.serves() == first and bench.file_says() == led_to
    assert not (bench.app / ".deploybot.before").exists()
    bench.empty_disk()
    assert bench.run("deploy.sh", "staging", commit, COMPOSE_SOURCE="host")[0] == 0
    now = (bench.app / ".env").read_text()
    assert now.startswith(text.splitlines()[0]) and f"@{digest}\n" in now and in_force(bench) is None


@pytest.mark.long
def test_an_env_that_cannot_be_replaced_takes_no_release_down(pair):
    """Regression: behind the switch it was a failure, for which the new release was ended while nginx led to it."""
    shipped(pair, (pair.app / "docker-compose.yml").read_text())
    pair.on_host("mv", '[[ ${*: -1} != */.env && ${*: -1} != .env ]] || exit 1')
    _, digest = shipped(pair, (pair.app / "docker-compose.yml").read_text())
    assert pair.serves() == digest and any("/.env could not be replaced" in line for line in pair.said())
    assert not left_over(pair)


@pytest.mark.long
def test_where_nothing_starts_with_it_a_release_goes_live_and_says_that_env_is_the_old_one(pair):
    text = env_of_almost(pair)
    commit, digest = pair.release("one")
    pair.fill_disk("switch")
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 0 and pair.serves() == digest, said
    assert any(f"warning: {pair.app}/.env could not be written" in line for line in said), said
    assert (pair.app / ".env").read_text() == text and not left_over(pair)


RESTORED = """
set -euo pipefail
for part in base containers recreate; do . "$1/deploy/transports/ssh-host/$part.sh"; done
cd "$2"
mkdir .deploybot.before
echo of-before >.deploybot.before/env
: >.deploybot.before/containers
cp() { echo half >"${@: -1}"; return 1; }
echo "$3" >.env
restore_before
cat .env
"""


@pytest.mark.parametrize("now", ["of-before", "of-the-release"])
def test_what_ran_before_has_its_env_back_without_room_for_a_copy(tmp_path, now):
    done = subprocess.run(["/bin/bash", "-c", RESTORED, "x", ROOT, tmp_path, now], check=False, timeout=60,
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "of-before\n"), done
    assert not [file for file in tmp_path.iterdir() if file.name == ".env.deploybot"]


TOUCHED = """
set -euo pipefail
trap '' XFSZ
. "$1/deploy/transports/ssh-host/base.sh"
. "$1/deploy/transports/systemd-host/switch.sh"
cd "$2"
mkdir .deploybot.before
echo web.service >.deploybot.before/touched
order() { echo "$*"; }
dir=$PWD
ulimit -f 0
restart web.service
restart worker.service && exit 1
echo "$said"
"""


def test_a_unit_that_was_restarted_is_brought_back_without_room_for_a_note(tmp_path):
    """Regression: it was noted once more, which a full disk refused, so the unit was not brought back."""
    done = subprocess.run(["/bin/bash", "-c", TOUCHED, "x", ROOT, tmp_path], check=False, timeout=60,
                          capture_output=True, text=True)
    said = done.stdout.splitlines()
    assert done.returncode == 0 and said[:2] == ["reset-failed web.service", "--no-block restart web.service"], done
    assert len(said) == 3 and said[2].startswith(f"{tmp_path} cannot be written: "), done
    assert (tmp_path / ".deploybot.before" / "touched").read_text() == "web.service\n"


# ---- notes -------------------------------------------------------------------------------------


def notes(count):
    return "".join(f"{number:040x}@sha256:{number:064x} {number:064x}\n" for number in range(count))


CUT = "c" * 40 + "@sha256:" + "c" * 64 + " " + "d" * 30


@pytest.mark.long
@pytest.mark.parametrize("how", ["cut before", "full", "swallowed before"])
def test_half_a_note_takes_no_other_releases_compose_file_from_it(bench, how):
    """Regression: the next note was added to it, and a rollback to that release took the host's file without a word."""
    shipped(bench, COMPOSE, **REPO)
    file = bench.app / ".deploybot.compose"
    if how == "full":
        file.write_text(notes(5))
        commit, _ = release(bench, COMPOSE)
        bench.fill_disk("pull")
        status, said = bench.run("deploy.sh", "staging", commit, **REPO)
        assert status == 70 and f"{file} cannot be written" in said[-1], said
        assert file.read_text() == notes(5) and not left_over(bench) and "release" not in bench.steps()
        bench.empty_disk()
    elif how == "cut before":
        file.write_text(notes(1) + CUT)
    second = COMPOSE + "  worker:\n    image: ${DEPLOY_IMAGE}\n"
    commit, digest = shipped(bench, second, **REPO)
    if how == "swallowed before":
        file.write_text(CUT + file.read_text().splitlines()[-1] + "\n")
    shipped(bench, None, COMPOSE_SOURCE="host")
    assert in_force(bench) is None
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}", **REPO)
    assert status == 0 and in_force(bench) == name_of(second), said


@pytest.mark.long
def test_a_release_that_cannot_be_noted_is_shipped_and_no_other_is_lost_with_it(bench):
    file = bench.app / ".deploybot.releases"
    before = [f"{number:040x}@sha256:{number:064x}" for number in range(9)]
    file.write_text("".join(f"{line}\n" for line in before) + before[0][:4])
    commit, digest = bench.release("one")
    bench.fill_disk("pull")
    assert bench.run("deploy.sh", "staging", commit, KEEP_RELEASES="20")[0] == 0
    bench.empty_disk()
    assert f"{commit}@{digest}" not in file.read_text()
    file.write_text(file.read_text()[-5:])
    commit, digest = bench.shipped("two")
    cleans(bench, "staging")
    assert file.read_text() == f"{commit}@{digest}\n"   # and the half line is gone
    assert not any("could not be removed" in line for line in bench.said()), bench.said()


@pytest.mark.long
def test_what_ran_before_deploybot_is_noted_whole_or_the_release_does_not_begin(bench):
    bench.by_hand()
    file = bench.app / ".deploybot.target"
    text = "".join(f"before-{number:04}\n" for number in range(85)) + "w"
    assert len(text) == LIMIT - 3
    file.write_text(text)
    commit, _ = bench.release("one")
    bench.fill_disk("pull")
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    assert status == 70 and f"{file} cannot be written" in said[-1] and file.read_text() == text, said
    assert [box for box in bench.runs() if box[1] == "running"] == [("shop:old", "running")] and not left_over(bench)
    bench.empty_disk()
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    word, = [step.partition(":")[2] for step in bench.steps() if step.startswith("previous target:")]
    assert status == 0 and word in file.read_text().splitlines(), said
