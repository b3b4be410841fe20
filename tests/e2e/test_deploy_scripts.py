"""Goal: the transport local ships, serves and rolls back a real application, under the real runner and by hand; a
script of one's own, as docs have it, does so too."""
# SPDX-License-Identifier: ISC
import os
import subprocess

import pytest

from runner_client import PROGRAM, ROOT, wait_for
from shipping_aid import DEPLOY, ShippingBench, good_app

COMMIT = "1a2b3c4d" * 5
BAD_ARGUMENTS = [
    [], ["staging", COMMIT, "x"], ["Staging", COMMIT], ["../x", COMMIT], ["moon", COMMIT], ["-staging", COMMIT],
    ["staging\n", COMMIT], ["", COMMIT], ["staging", ""], ["staging", "main"], ["staging", "--help"],
    ["staging", COMMIT[:39]], ["staging", COMMIT + "a"], ["staging", COMMIT[:7]], ["staging", COMMIT.upper()],
    ["staging", COMMIT + "\n"], ["staging", COMMIT[:39] + "g"], ["staging", "-" + COMMIT[:39]],
    ["staging", COMMIT + "@sha256:12"], ["staging", COMMIT + "@sha256:" + "A" * 64], ["staging", COMMIT + ";id"]]


@pytest.fixture
def bench(tmp_path):
    made = ShippingBench(tmp_path)
    yield made
    made.done()


# ---- transport local -----------------------------------------------------------------------------

def test_local_deploys_serves_and_takes_back(bench):
    first = good_app(bench, "one")
    second = bench.repository.commit("Two", page="two", **{
        "DOTdeploybot__build": "#!/bin/sh\necho building $COMMIT\necho built >>page\n"})
    runner = bench.shipper()
    record = bench.ship(runner, first)
    assert record["status"] == 0 and record.names == ["preflight", "checkout", "git fetch", "build", "release",
                                                           "clean-later"]
    assert bench.page()["commit"] == first
    assert b"No such file" not in runner.log(1)
    record = bench.ship(runner, second, previous=first)
    assert record["status"] == 0 and record["released"] and not record["no_rollback"]
    page = bench.page()
    assert page["page"] == "twobuilt\n" and page["commit"] == second
    of_its_own_shell = {"PWD", "SHLVL", "_", "LC_CTYPE"}
    assert set(page["env"]) - of_its_own_shell == {
        "APPLICATION", "COMMIT", "ENVIRONMENT", "HOME", "LANG", "PATH", "PORT"}
    assert f"building {second}".encode() in runner.log(2)
    assert os.readlink(bench.app / "current") == f"releases/2-{second}"
    record = bench.ship(runner, first, program="rollback")
    assert record["status"] == 0 and record.names == ["preflight", "release"]
    assert bench.page()["page"] == "one" and os.readlink(bench.app / "current") == f"releases/1-{first}"


def test_the_application_outlives_server_runner_and_supervisor(bench):
    first = good_app(bench, "one")
    runner = bench.shipper()
    bench.ship(runner, first)
    runner.kill()
    wait_for(lambda: not bench.supervisors(), "end of the supervisor: the application holds nothing of it")
    assert bench.page()["page"] == "one"
    pid = bench.app_pid()
    with open(f"/proc/{pid}/environ", encoding="utf-8") as text:
        assert "RUN_ID" not in text.read()
    assert os.readlink(f"/proc/{pid}/fd/1") == str(bench.app / "app.log")
    assert len(os.listdir(f"/proc/{pid}/fd")) <= 5
    with open(f"/proc/{pid}/status", encoding="utf-8") as text:
        assert "SigIgn:\t0000000001001000" in text.read()  # python's own PIPE and XFSZ


def test_a_build_that_fails_touches_nothing(bench):
    first = good_app(bench, "one")
    bad = bench.repository.commit("Bad", **{"DOTdeploybot__build": "#!/bin/sh\necho no; exit 3\n"})
    runner = bench.shipper()
    bench.ship(runner, first)
    pid = bench.app_pid()
    record = bench.ship(runner, bad, previous=first)
    assert record["status"] == 65 and not record["released"]
    assert bench.app_pid() == pid and bench.page()["page"] == "one"
    record = bench.ship(runner, bad, program="rollback")
    assert record["status"] == 64 and not record["released"] and bench.page()["page"] == "one"


def test_an_application_that_dies_at_once_is_refused_by_the_target(bench):
    first = good_app(bench, "one")
    bad = bench.repository.commit("Bad", **{"DOTdeploybot__run": "#!/bin/sh\necho cannot start >&2; exit 1\n"})
    runner = bench.shipper()
    bench.ship(runner, first)
    record = bench.ship(runner, bad, previous=first)
    assert record["status"] == 70 and record["released"] and b"\n|app| cannot start\n" in runner.log(2)
    assert bench.ship(runner, first, program="rollback")["status"] == 0
    assert bench.page()["page"] == "one"


def test_a_previous_release_that_is_gone_is_said_before_the_target_is_touched(bench):
    first = good_app(bench, "one")
    second = good_app(bench, "two")
    runner = bench.shipper()
    bench.ship(runner, first)
    subprocess.run(["rm", "-r", str(bench.app / "releases" / f"1-{first}")], check=True)
    record = bench.ship(runner, second, previous=first)
    assert record["status"] == 0 and record["no_rollback"]
    assert record.names[-3:] == ["no-rollback", "release", "clean-later"]
    record = bench.ship(runner, first, program="rollback")
    assert record["status"] == 64 and b"no longer kept here" in runner.log(3)
    assert bench.page()["page"] == "two"


@pytest.mark.long
def test_what_is_removed_is_said_however_much_it_is(bench):
    """Regression: of more than 64 steps the rest was removed unsaid, and still offered as a rollback."""
    runner = bench.shipper()
    one = good_app(bench, "one")
    bench.ship(runner, one)
    old = {f"{i + 1:032x}" for i in range(70)}
    for commit in old:
        (bench.app / "releases" / f"0-{commit}{commit[:8]}").mkdir()
    told = set()
    for _ in range(2):
        record = bench.ship(runner, one, program="drain")
        told |= {name.removeprefix("removed ") for name in record.names if name.startswith("removed ")}
        left = {path.name[2:34] for path in (bench.app / "releases").glob("0-*")}
        assert old - left == told, "each that is gone was said"
        bench.ship(runner, one)
    assert len(left) <= 5


@pytest.mark.long
def test_five_releases_are_kept_and_always_the_previous(bench):
    commits = [good_app(bench, f"page {i}") for i in range(8)]
    runner = bench.shipper()
    for commit in commits:
        bench.ship(runner, commit, previous=commits[0] if commit != commits[0] else None)
    record = bench.ship(runner, commits[-1], program="drain")    # behind the health gate, by the last one
    assert {name for name in record.names if "removed" in name} == {f"removed {commits[i][:32]}" for i in (1, 2)}
    folders = {path.name for path in (bench.app / "releases").iterdir() if path.is_dir()}
    assert folders == {f"{i + 1}-{commits[i]}" for i in (0, 3, 4, 5, 6, 7)}
    assert bench.page()["page"] == "page 7"


def test_a_stale_pid_file_stops_nobody(bench):
    first = good_app(bench, "one")
    bystander = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        bench.app.mkdir(parents=True)
        (bench.app / "app.pid").write_text(f"{bystander.pid} 1 {'0' * 36}\n")
        assert bench.ship(bench.shipper(), first)["status"] == 0
        assert bystander.poll() is None and bench.page()["page"] == "one"
    finally:
        bystander.kill()
        bystander.wait()


def test_a_commit_that_is_not_there_and_a_missing_port_are_bad_input(bench):
    good_app(bench, "one")
    runner = bench.shipper()
    assert bench.ship(runner, "01" * 20)["status"] == 64
    runner = bench.runner(DEPLOY_TRANSPORT="local", REPOSITORY_URL=str(bench.repository.path))
    assert bench.ship(runner, "01" * 20)["status"] == 64
    assert b"STAGING_PORT" in runner.log(2)


def test_a_transport_that_is_not_there_names_those_that_are(bench):
    for name in ("ssh-host", "carrier-pigeon"):     # ../common is no setting at all
        runner = bench.runner(DEPLOY_TRANSPORT=name)
        record = bench.ship(runner, "01" * 20)
        assert record["status"] == 78 and not record["released"]
        assert b"there are:" in runner.log(bench.run_id) and b" local" in runner.log(bench.run_id)


@pytest.mark.parametrize("arguments", BAD_ARGUMENTS, ids=str)
@pytest.mark.parametrize("script", ["deploy.sh", "rollback.sh"])
def test_the_scripts_check_everything_by_hand_too(bench, script, arguments):
    done = subprocess.run([os.path.join(DEPLOY, script), *arguments], capture_output=True, text=True, check=False,
                          env={"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(bench.state),
                               "DEPLOYBOT_RUNNER": PROGRAM, "DEPLOY_TRANSPORT": "local"})
    assert done.returncode == 64 and done.stderr and os.listdir(bench.state) == []


def deploy(bench, commit, **of_run):
    env = {"PATH": os.environ["PATH"], "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
           "DEPLOYBOT_RUNNER": PROGRAM, "DEPLOY_TRANSPORT": "local", "STAGING_PORT": str(bench.port),
           "REPOSITORY_URL": str(bench.repository.path), **of_run}
    done = subprocess.run([os.path.join(DEPLOY, "deploy.sh"), "staging", commit], env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=60)
    return done.returncode, done.stdout


def test_deploy_works_by_hand(bench):
    first = good_app(bench, "one")
    status, said = deploy(bench, first)
    assert status == 0, said
    assert bench.page()["page"] == "one"


def test_behind_a_later_run_an_earlier_one_of_the_same_installation_does_nothing(bench):
    first, second = good_app(bench, "one"), good_app(bench, "two")

    def deploys(commit, run, deployment, installation=16 * "a1"):
        return deploy(bench, commit, RUN_ID=f"{run}-{32 * '0'}", INSTALLATION_ID=installation,
                      DEPLOYBOT_SETTINGS="checked", DEPLOYMENT_ID=deployment)
    status, said = deploys(first, 12, "1")
    assert status == 0, said
    status, said = deploys(second, 11, "2")
    assert status == 75 and said.endswith("a later run was here: run 11 is over for staging since run 12 has begun, "
                                          "and does nothing more\n"), said
    assert bench.page()["page"] == "one" and (bench.app / "last-run").read_text() == f"{16 * 'a1'} 12\n"
    status, said = deploys(second, 2, "3", 16 * "b2")
    assert status == 0 and bench.page()["page"] == "two", said
    (bench.app / "last-run").write_text("")     # after a power cut
    status, said = deploys(first, 10 ** 15, "4", 16 * "b2")     # the highest that is given
    assert status == 0 and bench.page()["page"] == "one", said
    status, said = deploys(second, 10 ** 15 - 1, "5", 16 * "b2")
    assert status == 75 and bench.page()["page"] == "one", said


@pytest.mark.parametrize("end, status", [("exit 0", 64), ("exit 1", 78)])
def test_settings_that_came_by_half_are_none(tmp_path, end, status):
    """They are whole where the program has ended well: 64 is of a word that is read behind them."""
    runner = tmp_path / "runner"
    runner.write_text(f"""#!/bin/bash
[[ $1 == --settings ]] || exit 0
printf 'DEPLOY_TRANSPORT=local\\0'
{end}
""")
    runner.chmod(0o755)
    env = {"PATH": os.environ["PATH"], "STATE_DIRECTORY": str(tmp_path), "DEPLOYBOT_RUNNER": str(runner)}
    done = subprocess.run([os.path.join(DEPLOY, "deploy.sh"), "staging", "no-commit"], env=env,
                          capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    assert ("--settings staging failed" in done.stderr) == (status == 78), done.stderr


# ---- the script in deploy/own/ -------------------------------------------------------------------

class Stand:
    """The scripts of deploy/own/, with an ssh that writes down what it was asked."""

    def __init__(self, path):
        self.path = path
        (path / "bin").mkdir()
        self.scripts = [open(os.path.join(ROOT, "deploy", "own", name), encoding="utf-8").read()
                        for name in ("deploy", "rollback")]
        ssh = path / "bin" / "ssh"
        ssh.write_text(f"#!/bin/bash\nprintf '%s\\n' \"$*\" >>{path}/asked\n"
                       f"[[ ! -e {path}/fails || \"$*\" != *\"$(cat {path}/fails)\"* ]]\n")
        ssh.chmod(0o755)

    def run(self, number, *arguments, fails=None, previous=""):
        script = self.path / f"script{number}"
        script.write_text(self.scripts[number])
        script.chmod(0o755)
        (self.path / "asked").write_text("")
        if fails:
            (self.path / "fails").write_text(fails)
        done = subprocess.run(
            [str(script), *arguments], capture_output=True, text=True, check=False, env={
                "PATH": f"{self.path}/bin:{os.environ['PATH']}", "DEPLOY_USER": "deploy",
                "SSH_KEY_PATH": "/keys/deploy", "STAGING_HOST": "staging.example.org", "REF": "$(id)",
                "REGISTRY_URL": "registry.example.org", "REGISTRY_IMAGE": "shop", "PREVIOUS_RELEASE": previous})
        return done.returncode, done.stdout.splitlines(), (self.path / "asked").read_text().splitlines()


def test_the_script_in_docs_ships_with_ssh_and_compose(tmp_path):
    stand = Stand(tmp_path)
    assert len(stand.scripts[0].splitlines()) <= 10
    prefix = "-oBatchMode=yes -i /keys/deploy deploy@staging.example.org "
    status, said, asked = stand.run(0, "staging", "1a2b3c4", previous="9f8e7d6")
    assert (status, said) == (0, ["==> pull", "==> release"])
    assert asked == [prefix + "docker pull --quiet registry.example.org/shop:1a2b3c4",
                     prefix + "docker image inspect registry.example.org/shop:9f8e7d6",
                     prefix + "cd /srv/app && IMAGE=registry.example.org/shop:1a2b3c4 "
                     "docker compose up --detach --wait"]
    status, said, asked = stand.run(1, "staging", "9f8e7d6")
    assert (status, said, len(asked)) == (0, ["==> release"], 1)


@pytest.mark.parametrize("fails,status,said", [
    ("pull", 66, ["==> pull"]), ("image inspect", 0, ["==> pull", "==> no-rollback", "==> release"]),
    ("compose up", 70, ["==> pull", "==> release"])])
def test_the_script_in_docs_says_how_far_it_came(tmp_path, fails, status, said):
    assert Stand(tmp_path).run(0, "staging", "1a2b3c4", previous="9f8e7d6", fails=fails)[:2] == (status, said)


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("arguments", [
    [], ["staging"], ["staging", "main"], ["staging", "1a2b3c4;id"], ["-x", "1a2b3c4"]])
def test_the_scripts_in_docs_send_nothing_unchecked_to_the_other_shell(tmp_path, number, arguments):
    status, said, asked = Stand(tmp_path).run(number, *arguments)
    assert (status, said, asked) == (64, [], [])
