"""Goal: what a host, its docker or ssh does wrong is named, and whatever is killed there, the host runs the old or the
new release whole."""
# SPDX-License-Identifier: ISC
import os
import shutil
import signal
import subprocess

import pytest

from commands_aid import DEPLOY, cleans, password_file
from runner_client import ROOT, wait_for
from ssh_aid import COMPOSE, SshBench, until_at_rest

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


# ---- a host that is not as it should be --------------------------------------------------------


@pytest.mark.parametrize("stderr, says", [
    ("Host key verification failed.\r\n",
     "h1 shows an unknown key: is somebody in between? If the host's is new: ssh-keyscan -p 22 h1, compare, put it "
     "into /"),
    ("@@@@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r\n",
     "h1 shows ANOTHER key: is somebody in between? If the host's was changed: ssh-keyscan -p 22 h1, compare, replace "
     "its line in /"),
    ("deploy@h1: Permission denied (publickey).\r\n",
     "h1 does not let deploy in: add to ~deploy/.ssh/authorized_keys there what \"ssh-keygen -y -f /"),
    ("ssh: connect to host h1 port 22: Connection timed out\r\n", "cannot be reached: ssh: connect to host"),
])
def test_what_ssh_says_comes_with_advice(bench, stderr, says):
    """Regression: behind the long path of known_hosts the chat cut off what to do."""
    bench.plan({"when": ["ssh"], "status": 255, "own": stderr})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 69 and says in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.parametrize("hosts, is_said", [("h1,h2:2222", True), ("h1", False)])
def test_a_rollback_that_a_dead_host_keeps_away_says_the_way_out(bench, hosts, is_said):
    """What serves on the others is bad, and a reason alone helps nobody."""
    bench.plan({"when": ["ssh"], "status": 255, "own": "ssh: connect to host h1 port 22: Connection timed out\r\n"})
    status, said = bench.run("rollback.sh", "staging", COMMIT, STAGING_HOST=hosts)
    ways = [line for line in said if line.startswith("==> warning ") and "take it out of STAGING_HOST" in line]
    assert status == 69 and len(ways) == is_said, said


@pytest.mark.long
def test_a_rollback_goes_on_without_a_host_that_is_named_and_dead_alone(bench):
    """One that answers again is rolled back too; where none is left there is nothing to do."""
    hosts = {"STAGING_HOST": "h1,h2:2222"}
    old, digest = bench.shipped("old", **hosts)
    new, bad = bench.shipped("new", **hosts)
    bench.host("h2").rename(bench.stand / "hosts" / "gone")
    status, said = bench.run("rollback.sh", "staging", old, **hosts)
    assert status == 69 and "unreachable h2" in bench.steps() and "unreachable h1" not in bench.steps(), said
    status, said = bench.run("deploy.sh", "staging", new, WITHOUT_HOSTS="h2", **hosts)
    assert status == 69 and "unreachable h2" not in bench.steps(), said     # of rollbacks alone
    status, said = bench.run("rollback.sh", "staging", old, WITHOUT_HOSTS="h2,h9", **hosts)
    assert status == 0, said
    assert bench.steps().index("unreachable h2") < bench.steps().index("release")
    assert (bench.state / "apps" / "staging" / "hosts").read_text() == "h1 22\nh2 2222\n"     # it runs on
    (bench.stand / "hosts" / "gone").rename(bench.host("h2"))
    assert bench.runs("h1") == [(f"{bench.image}@{digest}", "running")]
    assert bench.runs("h2") == [(f"{bench.image}@{bad}", "running")]
    status, said = bench.run("rollback.sh", "staging", old, WITHOUT_HOSTS="h2", **hosts)
    assert status == 0 and "unreachable h2" not in bench.steps(), said
    assert bench.runs("h2") == [(f"{bench.image}@{digest}", "running")]
    for name in ("h1", "h2"):
        bench.host(name).rename(bench.stand / "hosts" / f"gone-{name}")
    status, said = bench.run("rollback.sh", "staging", new, WITHOUT_HOSTS="h1,h2", **hosts)
    assert status == 69 and "no host of staging answers" in said[-1], said
    for name in ("h1", "h2"):
        (bench.stand / "hosts" / f"gone-{name}").rename(bench.host(name))


@pytest.mark.parametrize("stderr, is_said", [
    ("ssh: connect to host h2 port 22: Connection timed out\r\n", True),
    ("Host key verification failed.\r\n", False),
    ("deploy@h2: Permission denied (publickey).\r\n", False),
])
def test_only_a_host_that_gives_no_answer_is_offered_to_be_left_out(bench, stderr, is_said):
    """Somebody in between would be one too."""
    bench.plan({"when": ["ssh"], "status": 255, "own": stderr, "times": 1})
    status, said = bench.run("rollback.sh", "staging", COMMIT, STAGING_HOST="h1,h2:2222", HOSTS_PARALLEL="1")
    assert status == 69 and ("unreachable h1" in bench.steps()) == is_said, said


def test_our_own_deadline_is_no_lack_of_memory(bench):
    """Regression: timeout kills a guard that needs longer than 10 s to put things in order, with KILL's status."""
    bench.plan({"when": ["ssh"], "status": 137})
    status, said = bench.run("deploy.sh", "staging", COMMIT, SSH_ASK_SECONDS="0")     # it is over at once
    assert status == 75 and said[-1] == "deploy.sh: h1: out of time", said
    bench.plan({"when": ["ssh"], "status": 137})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70, said
    assert said[-1].startswith("deploy.sh: h1: deploybot's process there was killed (status 137); "), said


def test_who_was_killed_is_said_with_its_last_line_whole_and_without_a_guess(bench):
    """Regression: docker was gone with the host, and the chat read "is memory short there (", cut."""
    words = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?"
    bench.plan({"when": ["ssh"], "status": 255, "stderr": f"{words}\n"})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70, said
    assert said[-1] == (f"deploy.sh: h1: deploybot's process there was killed; its last line: {words}; what it had "
                        "begun is put in order by its guard, if that lives, or by the next release or rollback")


NO_SESSION = (
    "@@@@@\r\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\nHost key verification failed.\r",
    "ssh: connect to host h1 port 22: Connection refused",
    "ssh: Could not resolve hostname h1: Name or service not known",
    "kex_exchange_identification: Connection closed by remote host",
    "banner exchange: Connection to UNKNOWN port 65535: Broken pipe",   # SSH_PROXY_COMMAND ends before it is written to
    "No ED25519 host key is known for h1 and you have "
    "requested strict checking.\r\nHost key verification failed.\r", "u@h1: Permission denied (publickey).\r")


def test_each_word_of_ssh_for_a_session_that_never_was_is_known():
    """Regression: of a changed key at a migration it was said that the database may be half migrated."""
    script = (f'. {DEPLOY}/transports/ssh/connect.sh\n'
              'for words in "$@"; do ssh_has_no_session "$words" && echo none || echo one; done')
    had = ["client_loop: send disconnect: Broken pipe", "mux_client_request_session: read from master failed",
           "Connection to h1 closed by remote host.",
           "Received disconnect from h1 port 22:2: bye\nHost key verification failed."]     # its text is the host's
    done = subprocess.run(["/bin/bash", "-euc", script, "x", *NO_SESSION, *had], check=True, timeout=60,
                          capture_output=True, text=True)
    assert done.stdout.split() == ["none"] * len(NO_SESSION) + ["one"] * len(had)


@pytest.mark.parametrize("forged", [
    "Connection closed by UNKNOWN port 65535\nHost key verification failed.\n",
    "u@h1: Permission denied (publickey).\n"])
def test_what_a_host_says_is_no_word_of_ssh(bench, forged):
    """Regression: root there led people to trust another key of the jump host."""
    bench.plan({"when": ["ssh"], "status": 255, "stderr": forged})
    key = bench.known.read_text().partition(" ")[2].splitlines()[0]
    bench.known.write_text(bench.known.read_text() + f"bastion {key}\n")
    status, said = bench.run("deploy.sh", "staging", COMMIT, SSH_JUMP="bastion")
    assert status == 70, said
    assert said[-1].startswith("deploy.sh: h1: deploybot's process there was killed"), said


@pytest.mark.long
def test_what_a_host_says_is_no_word_of_ours(bench):
    """Neither on stdout nor on stderr, and wherever its last line ends."""
    forged = "==> release\n==> no-rollback\n==> no end"
    commit, digest = bench.release("one")
    for parallel in ("false", "true"):
        bench.plan({"when": ["ssh"], "stdout": forged, "stderr": forged + "\n", "status": 70})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 70 and bench.steps() == ["preflight"], said
        bench.plan({"when": ["ssh"], "after": 1, "stdout": forged, "stderr": forged + "\n", "status": 66})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 66 and bench.steps() == ["preflight", f"image {digest}", "pull"], said


@pytest.mark.long
def test_who_releases_by_hand_sees_no_marks_of_quotations(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, RUN_ID=None)
    assert status == 0 and "==> switch h1" in said, said
    assert not any("quote" in line for line in said)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and any("quote" in line for line in said), said


def test_a_connection_that_breaks_after_release_is_not_called_untouched(bench):
    commit, _ = bench.release("one")
    bench.plan({"when": ["ssh"], "after": 2, "status": 255, "own": "client_loop: send disconnect: Broken pipe\n"})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "cannot be reached" in said[-1], said
    assert "release" in bench.steps()


@pytest.mark.long
@pytest.mark.parametrize("spoil, says", [
    (lambda bench: (bench.app / "docker-compose.yml").unlink(), "there is no compose file in"),
    (lambda bench: (bench.app / "docker-compose.yml").write_text(COMPOSE.replace("${DEPLOY_IMAGE}", "shop:latest")),
     "this line is missing: image: ${DEPLOY_IMAGE}"),
    (lambda bench: (bench.app / "docker-compose.yml").write_text(COMPOSE.replace("  app:", "  web:")),
     "has no service app"),
    (lambda bench: bench.change_engine(denied=True), "may not use docker there: usermod -aG docker"),
    (lambda bench: (bench.app / "docker-compose.yml").rename(bench.app.with_name("gone")) and bench.app.rmdir(),
     "there is no folder"),
])
def test_a_host_that_is_not_ready_is_told_what_is_missing(bench, spoil, says):
    spoil(bench)
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70 and says in said[-1], said
    assert "release" not in bench.steps() and "build" not in bench.steps()


@pytest.mark.long
def test_the_first_compose_is_refused_beside_an_engine_that_it_cannot_replace_on(bench):
    """It stopped the service, and died with ContainerConfig before there was another."""
    _, one = bench.shipped("one")
    commit, _ = bench.release("two")
    for docker, wanted in (("26.1.5 1.45", 70), ("29.0.0 1.52", 70), ("25.0.5 1.44", 0)):
        bench.change_engine(docker=docker)
        status, said = bench.run("deploy.sh", "staging", commit)
        assert status == wanted, said
        if wanted != 0:
            assert "docker-compose 1.29.2 cannot replace a container of docker " + docker.split()[0] in said[-1]
            assert bench.steps() == ["preflight"] and bench.runs() == [(f"{bench.image}@{one}", "running")]
    bench.change_engine(docker="26.1.5 1.45", compose="v2")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0, said


@pytest.mark.long
def test_an_image_that_is_gone_is_66_in_a_deployment_and_64_in_a_rollback(bench):
    commit, digest = bench.release("one")
    bench.change_engine(registry=[])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 66 and "does not have" in said[-1], said
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 64 and "does not have" in said[-1], said
    assert "release" not in bench.steps()


@pytest.mark.long
def test_a_registry_that_is_not_trusted_there_is_not_called_empty(bench):
    commit, digest = bench.release("one")
    for words, says in (
            ("tls: failed to verify certificate: x509: certificate signed by unknown authority", "does not trust"),
            ('error getting credentials: exec: "docker-x": executable file not found in $PATH', "cannot be pulled")):
        bench.host_plan({"when": ["docker", "pull"], "status": 1, "stderr": words + "\n"})
        for script, release in (("deploy.sh", commit), ("rollback.sh", f"{commit}@{digest}")):
            status, said = bench.run(script, "staging", release)
            assert status == 66 and says in said[-1], said


@pytest.mark.long
@pytest.mark.parametrize("act,words", [
    ("login", "Error response from daemon: login attempt failed with status: 503 Service Unavailable"),
    ("pull", "toomanyrequests: You have reached your pull rate limit."),
    ("pull", "Get https://r/v2/: net/http: request canceled (Client.Timeout exceeded while awaiting headers)")], ids=str)
def test_a_registry_that_is_busy_is_asked_again_on_the_host(bench, act, words):
    bench.host_plan({"when": ["docker", act], "status": 1, "stderr": words + "\n", "times": 1})
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench))
    assert status == 0, said
    assert any(line.endswith(f": registry.example.org is busy, asked again in 1 s: {words}") for line in said), said


@pytest.mark.long
def test_what_docker_had_to_start_again_long_ago_is_no_new_failure(bench):
    """The second host of a rollback may run that release still, and did so through a crash or two."""
    commit, digest = bench.shipped("one")
    box, = bench.engine()["containers"]
    bench.change_engine(containers=[{**box, "restarts": 2}])
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0 and not (bench.app / ".deploybot.before").exists(), said


# ---- rolling back ------------------------------------------------------------------------------


def test_of_env_only_our_line_changes(bench):
    file = bench.app / ".env"
    file.write_text("# ours\nDEBUG=1\nDEPLOY_IMAGE=x\n DEPLOY_IMAGE=y\nDEPLOY_IMAGES=z\nLAST=no newline")
    file.chmod(0o640)
    _, digest = bench.shipped("one")
    assert file.read_text() == ("# ours\nDEBUG=1\nDEPLOY_IMAGES=z\nLAST=no newline\n"
                                f"DEPLOY_IMAGE={bench.image}@{digest}\n")
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(os.listdir(bench.app)) == [".deploybot.first", ".deploybot.lock", ".deploybot.releases",
                                             f".deploybot.with.{digest[7:]}", ".env", "docker-compose.yml"]


def test_a_compose_that_fails_half_way_leaves_the_old_release_running(bench):
    _, digest = bench.shipped("one")
    env = (bench.app / ".env").read_text()
    commit, other = bench.release("two")
    before = bench.engine()["containers"]
    bench.change_engine(refuses=f"{bench.image}@{other}")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("no space left on device; the earlier release runs again"), said
    assert bench.engine()["containers"] == before and bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert (bench.app / ".env").read_text() == env and not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_behind_a_barrier_the_host_brings_no_earlier_release_back(bench):
    """Regression: chat said that what is up was left, and the earlier release ran on the newer database."""
    _, old = bench.shipped("one")
    bench.forbid()
    commit, new = bench.release("two")
    bench.change_engine(broken=["sha256:id-of-" + new[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "ended with status 7" in said[-1], said
    assert "; not rolled back (.deploybot/no-rollback); " in said[-1], said
    assert "nothing is rolled back by itself: drops column price (.deploybot/no-rollback)" in said, said
    assert f"{bench.image}@{old}" not in [image for image, _ in bench.runs()], bench.runs()
    assert not (bench.app / ".deploybot.before").exists() and new in (bench.app / ".env").read_text()


@pytest.mark.long
@pytest.mark.parametrize("reason", ["drops column price", "git does not say what lies between: fatal: "])
def test_a_barrier_is_seen_where_the_mirror_did_not_have_the_commit(bench, reason):
    """Regression: of an image that CI had made nothing was fetched by hand, and no barrier was found."""
    _, old = bench.shipped("one")
    bench.forbid()
    commit, new = bench.release("two")
    shutil.rmtree(bench.state / "git")
    if reason.startswith("git"):
        bench.repository.rename(bench.path / "away")
    bench.change_engine(broken=["sha256:id-of-" + new[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and f"nothing is rolled back by itself: {reason}" in "\n".join(said), said
    assert f"{bench.image}@{old}" not in [image for image, _ in bench.runs()], bench.runs()


@pytest.mark.parametrize("strategy, now", [("bluegreen", "new"), ("recreate", "new"), ("recreate", "")])
@pytest.mark.parametrize("barrier", [True, False])
def test_what_an_interrupted_release_comes_back_to_is_what_is_up_behind_a_barrier(tmp_path, strategy, now, barrier):
    """Regression: the release before was named as what runs once that is put in order, and it stays down."""
    before = tmp_path / ".deploybot.before"
    before.mkdir()
    (before / "port").write_text("8001\n")
    (before / "containers").write_text("old\n")
    if barrier:
        (before / "barrier").touch()
    script = (f"set -euo pipefail; cd {ROOT}/deploy/transports/ssh-host; . ./acts.sh; . ./recreate.sh; cd {tmp_path}\n"
              f"strategy={strategy} now={now}; running() {{ echo old; }}; only_up() {{ echo \"$1\"; }}\n"
              "name_release() { echo \"$id\"; }; say() { :; }; name_interrupted")
    done = subprocess.run(["/bin/bash", "-c", script], check=False, timeout=60, capture_output=True, text=True)
    comes_back = now if barrier or (strategy, now) == ("recreate", "new") else "old"
    assert (done.returncode, done.stdout) == (0, f"interrupted {comes_back}\n"), done


@pytest.mark.long
def test_a_release_that_does_not_stay_up_is_rolled_back(bench):
    _, digest = bench.shipped("one")
    commit, other = bench.release("two")
    bench.change_engine(broken=["sha256:id-of-" + other[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "ended with status 7" in said[-1] and "earlier release runs again" in said[-1], said
    assert any("the last words of" in line for line in said)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.long
def test_the_first_release_that_fails_leaves_nothing(bench):
    commit, other = bench.release("one")
    bench.change_engine(broken=["sha256:id-of-" + other[-8:]])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("; as before, no container of app runs in the compose project app"), said
    assert bench.runs() == [] and not (bench.app / ".env").exists() and bench.steps()[-1] == "nothing-runs"


# ---- docker does not answer --------------------------------------------------------------------


def deaf_while_noting(bench, times):
    """So often docker does not say what the containers are, while that is noted before the switch."""
    bench.on_host("docker", f"""
        if [[ $1 == inspect && "$*" == *RestartCount* && -e {bench.path}/switches && ! -e .deploybot.before ]] &&
            printf x >>{bench.path}/asked && (($(stat -c %s {bench.path}/asked) <= {times})); then
            echo "Error response from daemon: context deadline exceeded" >&2
            exit 1
        fi""")


@pytest.mark.long
def test_a_service_has_as_long_to_start_as_the_environment_says(bench):
    bench.shipped("one")
    commit, two = bench.release("two")
    bench.change_engine(health={"sha256:id-of-" + two[-8:]: "starting"})
    status, said = bench.run("deploy.sh", "staging", commit, START_SECONDS="1")
    assert status == 70 and "after 1 s: " in said[-1] and "its health starting" in said[-1], said
    status, said = bench.run("deploy.sh", "staging", commit, START_SECONDS="soon")
    assert status == 78 and "START_SECONDS" in said[-1], said


@pytest.mark.parametrize("words, says", [
    ("[[ $1 == info || $1 == version ]]", "h1: docker does not answer: "),
    pytest.param("[[ $1 == ps ]]", "h1: docker does not say what runs; ", marks=pytest.mark.long)])
def test_a_docker_that_does_not_answer_is_as_a_host_that_does_not(bench, words, says):
    """Chat says of 69 that what runs is not known, and of 70 that the live release still does."""
    commit, _ = bench.release("one")
    bench.on_host("docker", f"""
        if {words}; then
            echo "Cannot connect to the Docker daemon" >&2
            exit 1
        fi""")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 69 and says in said[-1] and "release" not in bench.steps(), said


@pytest.mark.long
@pytest.mark.parametrize("times, says", [
    (1, "; the earlier release runs again"), (9, "docker does not say what runs; the release was not begun there")])
def test_what_docker_does_not_say_once_is_asked_again_and_then_nothing_is_touched(bench, times, says):
    """It read as "nothing ran": the earlier release was removed when the new one did not come up."""
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    bench.change_engine(health={"sha256:id-of-" + two[-8:]: "unhealthy"})
    bench.hook("pre-deploy", "10-mark", f"touch {bench.path}/switches")
    deaf_while_noting(bench, times)
    (bench.host() / "calls").unlink()
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and says in said[-1] and (bench.path / "asked").exists(), said
    assert bench.runs() == [(f"{bench.image}@{one}", "running")]
    assert any("up" in call for call in bench.host_calls()) == (times == 1)
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_an_image_of_which_docker_says_nothing_is_not_forgotten(bench):
    bench.environment["KEEP_RELEASES"] = "1"
    commit, one = bench.shipped("one")
    bench.on_host("docker", f"""
        if [[ "$*" == "image inspect "*{one} || "$*" == "image rm "*{one} ]]; then
            echo "Error response from daemon: context deadline exceeded" >&2
            exit 1
        fi""")
    for text in ("two", "three"):
        bench.shipped(text, PREVIOUS_RELEASE="")
    said = cleans(bench, "staging")
    assert any(line.endswith(f"the image of {commit[:12]} could not be removed: Error response from daemon: context "
                             "deadline exceeded") for line in said), said
    assert f"{commit}@{one}" in (bench.app / ".deploybot.releases").read_text()


# ---- killed ------------------------------------------------------------------------------------


HALF = ("containers", "env", "no-env")


@pytest.mark.long
@pytest.mark.parametrize("runs", [True, False])
@pytest.mark.parametrize("env", ["SECRET=keep me\n", None])
def test_a_note_of_what_ran_that_is_removed_in_part_is_none(bench, env, runs):
    """Cut there, no further release was possible, or .env was removed."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + COMPOSE.partition("\n")[2].replace("app:", "worker:"))
    if env:
        (bench.app / ".env").write_text(env)
    bench.shipped("one")
    commit, _ = bench.release("two")
    bench.on_host("rm", f"""
        if [[ ${{*: -1}} == .deploybot.before* && -e ${{*: -1}}/port && ! -e {bench.host()}/hangs ]]; then
            for name in {" ".join(HALF)}; do /usr/bin/rm -f "${{*: -1}}/$name"; done
            echo $$ >{bench.host()}/hangs
            exec sleep 1000
        fi""")
    process = bench.start("deploy.sh", "staging", commit)
    bench.kill_host(bench.until_host_hangs())
    assert process.wait(timeout=120) == 70
    if not runs:
        bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])
    (bench.host_bin / "rm").unlink()
    third, three = bench.release("three")
    status, said = bench.run("deploy.sh", "staging", third)
    assert status == 0 and bench.runs() == [(f"{bench.image}@{three}", "running")] * 2, said
    assert (bench.app / ".env").read_text() == (env or "") + f"DEPLOY_IMAGE={bench.image}@{three}\n"
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_half_a_note_that_an_earlier_version_left_is_none(bench):
    (bench.app / ".env").write_text("SECRET=keep me\n")
    bench.shipped("one")
    (bench.app / ".deploybot.before").mkdir()
    (bench.app / ".deploybot.before" / "port").write_text("\n")
    bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])
    _, two = bench.shipped("two")
    assert not any("was interrupted here" in line for line in bench.said())
    assert bench.runs() == [(f"{bench.image}@{two}", "running")]
    assert (bench.app / ".env").read_text() == f"SECRET=keep me\nDEPLOY_IMAGE={bench.image}@{two}\n"


def hanging_up(bench, barrier=None):
    """A deployment hung in `compose up`: (its process, the pid of the compose)."""
    _, digest = bench.shipped("one")
    if barrier:
        bench.forbid(barrier)
    commit, _ = bench.release("two")
    bench.host_plan({"when": ["compose", "up"], "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    file = bench.host() / "hangs"
    pid = int(wait_for(lambda: file.exists() and file.read_text(), "compose to hang", 60))
    return process, pid, digest


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard"])
def test_whichever_of_the_two_on_the_host_is_killed_the_old_release_runs(bench, who):
    process, compose, digest = hanging_up(bench)
    guard, worker = [pid for pid in bench.host_processes() if pid != compose][:2]
    os.kill(worker if who == "worker" else guard, signal.SIGKILL)
    os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_behind_a_barrier_a_killed_host_brings_no_earlier_release_back_either(bench):
    process, compose, digest = hanging_up(bench, "drops column price")
    worker = [pid for pid in bench.host_processes() if pid != compose][1]
    os.kill(worker, signal.SIGKILL)
    os.kill(compose, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    said = bench.said()
    assert said[-1].endswith("; not rolled back (.deploybot/no-rollback); up is: app (earlier)"), said
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")], "compose had not come so far"
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_when_all_on_the_host_are_killed_the_next_release_puts_it_right(bench):
    process, compose, digest = hanging_up(bench)
    for pid in [*bench.host_processes(), compose]:
        os.kill(pid, signal.SIGKILL)
    assert process.wait(timeout=120) == 70
    assert (bench.app / ".deploybot.before").exists()
    bench.host_plan()
    status, said = bench.run("rollback.sh", "staging", next(
        line for line in (bench.app / ".deploybot.releases").read_text().splitlines() if line.endswith(digest)))
    assert status == 0, said
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
def test_what_is_said_to_run_again_outlasts_a_stop_that_nobody_waits_for_any_more(bench):
    """Regression: all was killed while dockerd stopped it (up to 30 min); it was rolled back to, then gone."""
    process, compose, digest = hanging_up(bench)
    bench.kill_host(compose)
    assert process.wait(timeout=120) == 70
    said = bench.said()[-1]
    assert "what runs on h1 is not known" in said or "was killed" in said, said
    bench.host_plan()
    process = bench.start("rollback.sh", "staging", next(
        line for line in (bench.app / ".deploybot.releases").read_text().splitlines() if line.endswith(digest)))
    looks = "it may have begun to stop what runs: that is looked at for 13 s, and started again where it ends"
    wait_for(lambda: process.poll() is not None or any(looks in line for line in bench.said()), "the look", 60)
    assert process.poll() is None, bench.said()
    bench.change_engine(containers=[{**box, "status": "exited"} for box in bench.engine()["containers"]])   # KILL
    assert process.wait(timeout=120) == 0, bench.said()
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("after, status, runs", [
    ("rollback", 0, "old"), ("deploy", 0, "new"), ("deploy of what the registry lost", 66, "old")])
def test_when_all_are_killed_while_nothing_runs_the_next_act_brings_one_up(bench, after, status, runs):
    commit, digest = bench.shipped("one")
    wanted, other = bench.release("two")
    bench.change_engine(halts=True)
    process = bench.start("deploy.sh", "staging", wanted)
    compose = bench.until_host_hangs()
    bench.kill_host(compose)
    assert process.wait(timeout=120) == 70
    assert [status for _, status in bench.runs()] == ["exited"] and (bench.app / ".deploybot.before").exists()
    if after == "rollback":
        found, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    else:
        if after != "deploy":
            bench.change_engine(registry=[], images={
                name: number for name, number in bench.engine()["images"].items() if name.endswith(digest)})
        found, said = bench.run("deploy.sh", "staging", wanted)
    assert found == status, said
    assert any("warning: an earlier release was interrupted here" in line for line in said), said
    if status == 66:    # it has not begun, so it has changed nothing
        assert [status for _, status in bench.runs()] == ["exited"]
        assert not any(line.startswith("ran before this: ") for line in said)
        assert bench.run("rollback.sh", "staging", f"{commit}@{digest}")[0] == 0
    assert bench.runs() == [(f"{bench.image}@{digest if runs == 'old' else other}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_when_we_are_gone_the_host_takes_back_and_a_rollback_waits_for_it(bench, number):
    process, compose, digest = hanging_up(bench)
    os.kill(process.pid, number)
    wait_for(lambda: process.poll() is not None, "deploy.sh to end", 60)
    assert not bench.is_quiet()     # compose is never cut short by us
    bench.host_plan()
    os.kill(compose, signal.SIGKILL)
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]
    assert not (bench.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.first
def test_two_deploybots_do_not_work_on_one_folder(bench):
    commit, _ = bench.release("three")
    _, compose, _ = hanging_up(bench)
    transport = bench.deploy / "transports" / "ssh"
    files = transport.resolve()
    transport.unlink()      # a link: what it leads to stays as it is
    shutil.copytree(files, transport)
    text = (transport / "calls.sh").read_text()
    assert "SSH_LOCK_SECONDS=30 " in text
    (transport / "calls.sh").write_text(text.replace("SSH_LOCK_SECONDS=30 ", "SSH_LOCK_SECONDS=3 "))
    status, said = bench.run("deploy.sh", "staging", commit, STATE_DIRECTORY=str(bench.path / "another"))
    assert status == 75 and "something else is being released" in said[-1], said
    os.kill(compose, signal.SIGKILL)
