"""Goal: what goes to ssh is known word by word; the script on a host pulls, replaces and rolls back against an engine
that is a stand-in; whatever is killed there, the host runs the old or the new release whole."""
# SPDX-License-Identifier: ISC
import json
import os
import signal

import pytest

from runner_client import wait_for
from ssh_aid import COMPOSE, SshBench

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PASSWORD = 'pass "word" $(id)'


@pytest.fixture(params=["v1", "v2"])
def any_bench(tmp_path, tools_folder, request):
    made = SshBench(tmp_path, tools_folder, request.param)
    yield made
    made.done()


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = SshBench(tmp_path, tools_folder, "v1")
    yield made
    made.done()
    wait_for(made.is_quiet, "the hosts to be at rest", 60)


# ---- exact words -------------------------------------------------------------------------------


def ssh_words(bench, act, seconds, *words, host="h1", port="22"):
    common = f"environment=staging dir={bench.app} service=app strategy=recreate"
    return ["ssh", "-F", "none", "-T", "-oBatchMode=yes", "-oStrictHostKeyChecking=yes",
            f"-oUserKnownHostsFile={bench.known}", "-oGlobalKnownHostsFile=/dev/null", "-oIdentitiesOnly=yes",
            f"-oIdentityFile={bench.key}", "-oConnectTimeout=15", "-oServerAliveInterval=10",
            "-oServerAliveCountMax=3", "-oPermitLocalCommand=no", "-oForwardAgent=no", "-oClearAllForwardings=yes",
            "-p", port, "--", f"deploy@{host}",
            " ".join([f"timeout -k 10 {seconds} bash -s -- {act} {common}", *words])]


def test_a_deployment_is_five_calls_to_a_host_word_by_word(bench):
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    release = [f"image={bench.image}@{digest}", f"release={commit}@{digest}", "lock=30", "missing=66"]
    assert bench.ssh_calls() == [
        ssh_words(bench, "check", 150, f"image={bench.image}"), ssh_words(bench, "current", 150),
        ssh_words(bench, "prepare", 1500, *release), ssh_words(bench, "switch", 900, *release),
        ssh_words(bench, "clean", 150, f"image={bench.image}", f"keep={digest}")]
    assert bench.steps() == ["preflight", f"image {digest}", "pull", "release", "switch h1", "clean"]
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


@pytest.mark.first
def test_a_rollback_builds_nothing_and_waits_longer_for_what_it_interrupts(bench):
    commit, digest = bench.shipped("one")
    bench.shipped("two")
    bench.forget_calls()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0, said
    release = [f"image={bench.image}@{digest}", f"release={commit}@{digest}", "lock=300", "missing=64"]
    assert bench.ssh_calls() == [
        ssh_words(bench, "check", 150, f"image={bench.image}"), ssh_words(bench, "current", 150),
        ssh_words(bench, "prepare", 1500, *release), ssh_words(bench, "switch", 900, *release)]
    assert ["docker", "pull"] not in [call[:2] for call in bench.host_calls()[-12:]]  # the image is there still
    assert bench.runs() == [(f"{bench.image}@{digest}", "running")]


def test_what_runs_is_named_by_commit_and_digest(bench):
    commit, digest = bench.shipped("one")
    status, said = bench.run("target.sh", "staging", "current")
    assert status == 0 and said[-1] == f"{commit}@{digest}"
    status, said = bench.run("target.sh", "staging", "logs", "7")
    assert status == 0 and said[-1] == f"the last words of {bench.image}@{digest}"


def test_both_kinds_of_compose_do_the_same(any_bench):
    _, digest = any_bench.shipped("one")
    assert any_bench.runs() == [(f"{any_bench.image}@{digest}", "running")]
    assert ["compose", "up", "-d", "--no-deps", "app"] in any_bench.host_calls()


@pytest.mark.first
def test_hosts_come_one_after_the_other_with_their_ports(bench):
    commit, _ = bench.release("one")
    # Both are folders of one machine here: what the second host finds is what the first one left.
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222")
    assert status == 0, said
    acts = [(call[-2], call[call.index("-p") + 1], call[-1].split()[7]) for call in bench.ssh_calls()]
    assert acts == [(f"deploy@{host}", port, act) for act in ("check", "current", "prepare", "switch", "clean")
                    for host, port in (("h1", "22"), ("h2", "2222"))]
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222", HOSTS_PARALLEL="true")
    assert status == 0, said
    assert "switch" in bench.steps() and "switch h1" not in bench.steps()


# ---- other services of the same image ----------------------------------------------------------


WORKER = """  worker:
    image: ${DEPLOY_IMAGE}
  cron:
    image: ${DEPLOY_IMAGE}
  database:
    image: postgres:15
"""


def box(bench, service, image, status="running", number=90):
    labels = {"project": "app", "service": service, "oneoff": "False", "project.working_dir": str(bench.app)}
    return {"id": f"{number:064x}", "name": f"app_{service}_1", "of": image, "labels": labels, "status": status}


@pytest.mark.first
def test_services_of_the_image_that_a_release_leaves_old_are_named(bench):
    """Before, and behind it: the chat has them from the steps.  What does not run, or another image, is not named."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + WORKER)
    _, digest = bench.shipped("one")
    assert not any("stays-old" in step for step in bench.steps())
    old = f"{bench.image}@{digest}"
    bench.change_engine(
        images={**bench.engine()["images"], "postgres:15": "sha256:id-pg", f"{bench.image}:latest": "sha256:id-other"},
        containers=[*bench.engine()["containers"], box(bench, "worker", old), box(bench, "cron", old, "exited", 91),
                    box(bench, "database", "postgres:15", number=92),
                    box(bench, "by-hand", f"{bench.image}:latest", number=93)])
    commit, _ = bench.release("two")
    status, said = bench.run("target.sh", "staging", "preflight")
    warning, = [line for line in said if "stay old" in line]
    assert status == 0 and "these stay old: by-hand worker" in warning, said
    assert warning.endswith("docker compose up -d by-hand worker)")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and warning in said, said
    steps = bench.steps()
    assert steps[steps.index("release"):] == ["release", "stays-old by-hand", "stays-old worker", "switch h1", "clean"]


def test_a_service_that_runs_what_is_shipped_does_not_stay_old(bench):
    (bench.app / "docker-compose.yml").write_text(COMPOSE + WORKER)
    commit, digest = bench.shipped("one")
    bench.shipped("two")
    bench.change_engine(containers=[*bench.engine()["containers"], box(bench, "worker", f"{bench.image}@{digest}")])
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0 and "stays-old worker" not in bench.steps(), said


# ---- what ran before deploybot -----------------------------------------------------------------


def before(bench, image="shop:old"):
    """The application runs there, as somebody has started it by hand."""
    bench.change_engine(images={image: "sha256:id-of-before"}, containers=[box(bench, "app", image)])
    (bench.app / ".env").write_text(f"DEPLOY_IMAGE={image}\n")


@pytest.mark.first
@pytest.mark.parametrize("server", [{"PREVIOUS_RELEASE": ""}, {}])
def test_the_first_release_can_be_rolled_back_to_what_ran_before_deploybot(bench, server):
    before(bench)
    commit, digest = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, **server)
    assert status == 0, said
    steps = bench.steps()
    word, = [step.removeprefix("previous ") for step in steps if step.startswith("previous ")]
    assert steps.index(f"previous {word}") < steps.index("release") and "no-rollback" not in steps
    assert len(f"previous {word}") <= 47    # a step's name
    # Somebody cleans up the host; docker spares what has a name or a container.
    images = bench.engine()["images"]
    del images["shop:old"]
    bench.change_engine(images=images)
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0, said
    image = word.replace("target:", "deploybot-before:")
    assert (image, "running") in bench.runs() and (image, "created") in bench.runs()
    assert bench.engine()["images"][image] == "sha256:id-of-before"
    assert not any(call[:2] == ["docker", "pull"] for call in bench.host_calls()[-12:])
    # The next first one finds the same again, and the releases' notes have no word of it.
    bench.run("deploy.sh", "staging", bench.release("two")[0], **server)
    assert f"previous {word}" in bench.steps()
    assert "target" not in (bench.app / ".deploybot.releases").read_text()


def test_what_ran_before_deploybot_is_kept_until_there_is_a_release_to_roll_back_to(bench):
    before(bench)
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    kept = [image for image in bench.engine()["images"] if image.startswith("deploybot-before:")]
    assert len(kept) == 1 and any(of == kept[0] for of, _ in bench.runs())
    bench.shipped("two", PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert not any("deploybot-before" in image for image in bench.engine()["images"])
    assert not any("deploybot-before" in of for of, _ in bench.runs())
    assert not (bench.app / ".deploybot.target").exists()
    word = kept[0].replace("deploybot-before:", "target:")
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 64 and "what ran before deploybot is not kept there any more" in said[-1], said
    assert "release" not in bench.steps()


def test_a_target_where_nothing_ran_has_no_previous_release(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE="")
    assert status == 0 and not any(step.startswith("previous") for step in bench.steps()), said


@pytest.mark.parametrize("word", ["target:", "target:a b", "target:../x", "target:" + "a" * 31, "target:A"])
def test_a_word_for_what_ran_before_deploybot_is_checked(bench, word):
    status, said = bench.run("rollback.sh", "staging", word)
    assert status == 64 and "no release" in said[-1], said
    assert bench.ssh_calls() == []


# ---- secrets and settings ----------------------------------------------------------------------


def test_the_registrys_password_reaches_the_host_over_stdin_alone(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    settings = {"REGISTRY_USER": "robot$shop", "REGISTRY_PASSWORD_FILE": str(file)}
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, said
    assert bench.engine()["login"] == ["robot$shop", PASSWORD]
    config = [json.loads(line)["environment"].get("DOCKER_CONFIG")
              for line in (bench.host() / "calls").read_text().splitlines() if '"pull"' in line]
    assert config[0].startswith("/dev/shm/deploybot.") and not os.path.exists(config[0])
    assert not any(PASSWORD in line for line in said)
    assert PASSWORD not in json.dumps(bench.calls(), ensure_ascii=False) + (bench.host() / "calls").read_text()


def test_half_a_program_goes_to_no_host(bench):
    # What stands behind it on stdin are the settings, with the registry's password: bash there would execute them.
    link = bench.deploy / "transports" / "ssh-host"
    whole = os.readlink(link)
    link.unlink()
    link.mkdir()
    for name in set(os.listdir(whole)) - {"main.sh"}:
        os.symlink(os.path.join(whole, name), link / name)
    status, said = bench.run("deploy.sh", "staging", bench.release("one")[0])
    assert status == 78 and said[-1].endswith("is not whole: install deploybot again"), said
    assert not bench.ssh_calls()


def test_remote_login_false_sends_none(bench):
    file = bench.path / "password"
    file.write_text(PASSWORD)
    file.chmod(0o600)
    commit, _ = bench.release("one")
    bench.change_world(password=PASSWORD)
    assert bench.run("deploy.sh", "staging", commit, REGISTRY_USER="robot", REGISTRY_PASSWORD_FILE=str(file),
                     REMOTE_LOGIN="false")[0] == 0
    assert "login" not in bench.engine()


@pytest.mark.parametrize("name, value, says", [
    ("STAGING_HOST", "", "STAGING_HOST is not set"),
    ("STAGING_HOST", "-oProxyCommand=id", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1;id", "STAGING_HOST: \"h1;id\" is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1,,h2", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h1:99999", "is not HOST or HOST:PORT"),
    ("STAGING_HOST", "h9", "has no key of h9: ssh-keyscan -p 22 h9"),
    ("STAGING_HOST", "h1:23", "has no key of [h1]:23"),
    ("STAGING_COMPOSE_DIR", "/srv/my app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/$(id)", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "srv/app", "is not an absolute path"),
    ("STAGING_COMPOSE_DIR", "/srv/../etc", "is not an absolute path"),
    ("COMPOSE_SERVICE", "a;b", "COMPOSE_SERVICE: \"a;b\" is not a service"),
    ("DEPLOY_USER", "-l", "DEPLOY_USER: \"-l\" is not the name of a user"),
    ("DEPLOY_STRATEGY", "rolling", "is not recreate or bluegreen"),
    ("SMOKE_URL", "https://h1/", "is not http://HOST"),
    ("SMOKE_URL", "http://127.0.0.1:{port}/", "only DEPLOY_STRATEGY=bluegreen knows"),
    ("SSH_KEY_PATH", "/nowhere", "there is no file /nowhere"),
    ("SSH_KNOWN_HOSTS", "/nowhere", "no file /nowhere"),
    ("HOSTS_PARALLEL", "yes", "neither true nor false"),
])
def test_a_setting_that_is_no_plain_word_goes_nowhere(bench, name, value, says):
    status, said = bench.run("deploy.sh", "staging", COMMIT, **{name: value})
    assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls() and "release" not in bench.steps()


@pytest.mark.parametrize("name, value, says", [
    ("NGINX_UPSTREAM_FILE", None, "needs NGINX_UPSTREAM_FILE"),
    ("NGINX_UPSTREAM_FILE", "app.conf", "is not an absolute path"),
    ("NGINX_RELOAD_COMMAND", "nginx -s reload; id", "is not a command of plain words"),
    ("APP_PORTS", "8001,8001", "is not two different ports"),
    ("APP_PORTS", "8001", "is not two different ports"),
    ("DRAIN_SECONDS", "1s", "is not a number, 1 to 1000"),
    ("DRAIN_SECONDS", "0", "is not a number, 1 to 1000"),
    ("DRAIN_SECONDS", "08", "is not a number, 1 to 1000"),
    ("DRAIN_SECONDS", "1001", "is not a number, 1 to 1000"),
])
def test_bluegreen_settings_are_checked_before_anybody_is_asked(bench, name, value, says):
    settings = {"DEPLOY_STRATEGY": "bluegreen", "NGINX_UPSTREAM_FILE": "/etc/nginx/deploybot/app.conf", name: value}
    status, said = bench.run("deploy.sh", "staging", COMMIT, **settings)
    assert status == 78 and says in said[-1], said
    assert not bench.ssh_calls()


@pytest.mark.parametrize("seconds", ["1", "999", "1000"])
def test_what_check_config_takes_for_draining_the_script_takes(bench, seconds):
    status, said = bench.run("deploy.sh", "staging", COMMIT, DEPLOY_STRATEGY="bluegreen", DRAIN_SECONDS=seconds,
                             NGINX_UPSTREAM_FILE="/etc/nginx/deploybot/app.conf")
    assert status == 70 and "DRAIN" not in said[-1] and f" drain={seconds} " in bench.ssh_calls()[0][-1], said


@pytest.mark.parametrize("where", ["stdout", "stderr"])
def test_a_host_that_does_not_stop_talking_fills_no_memory(bench, where):
    """What is kept of it stands in /dev/shm until the call is over."""
    commit, _ = bench.shipped("one")
    # Behind the preflight, whose words go to the log.
    bench.plan({"when": ["ssh"], "status": 0, where: "x" * 3000000, "after": 1})
    hold = bench.hook("pre-deploy", "look", f"cat {bench.state}/apps/staging/private >{bench.path}/private; "
                      f"while read -r folder; do stat -c %s \"$folder\"/out.0 \"$folder\"/err.0; done "
                      f"<{bench.path}/private >{bench.path}/sizes 2>/dev/null; true")
    status, said = bench.run("deploy.sh", "staging", commit)
    hold.unlink()
    assert "warning: h1 says more than 65536 bytes at once: the rest is left out" in said
    if where == "stdout":
        assert status == 70 and "says nonsense of what runs there: '" + "x" * 200 + "'" in said[-1]
    else:
        assert max(map(int, (bench.path / "sizes").read_text().split())) == 65536
    bench.plan()
    assert bench.run("deploy.sh", "staging", commit)[0] == 0


def test_a_key_or_known_hosts_that_others_may_change_is_refused(bench):
    bench.key.chmod(0o644)
    assert "chmod 600" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    bench.key.chmod(0o600)
    bench.known.chmod(0o666)
    assert "others may write" in bench.run("deploy.sh", "staging", COMMIT)[1][-1]
    assert not bench.ssh_calls()


# ---- a host that is not as it should be --------------------------------------------------------


@pytest.mark.parametrize("stderr, says", [
    ("Host key verification failed.\r\n", "shows a key that is not in"),
    ("deploy@h1: Permission denied (publickey).\r\n", "does not let deploy in: put what \"ssh-keygen -y"),
    ("ssh: connect to host h1 port 22: Connection timed out\r\n", "cannot be reached: ssh: connect to host"),
])
def test_what_ssh_says_comes_with_advice(bench, stderr, says):
    bench.plan({"when": ["ssh"], "status": 255, "stderr": stderr})
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 69 and says in said[-1], said
    assert "release" not in bench.steps()


def test_what_a_host_says_is_no_word_of_ours(bench):
    """Neither on stdout nor on stderr, and wherever its last line ends."""
    forged = "==> release\n==> no-rollback\n==> no end"
    commit, digest = bench.release("one")
    for parallel in ("false", "true"):
        bench.plan({"when": ["ssh"], "stdout": forged, "stderr": forged + "\n", "status": 70})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 70 and bench.steps() == ["preflight"], said
        bench.plan({"when": ["ssh"], "after": 2, "stdout": forged, "stderr": forged + "\n", "status": 66})
        status, said = bench.run("deploy.sh", "staging", commit, HOSTS_PARALLEL=parallel)
        assert status == 66 and bench.steps() == ["preflight", f"image {digest}", "pull"], said


def test_who_releases_by_hand_sees_no_marks_of_quotations(bench):
    commit, _ = bench.release("one")
    status, said = bench.run("deploy.sh", "staging", commit, RUN_ID=None)
    assert status == 0 and "==> switch h1" in said, said
    assert not any("quote" in line for line in said)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0 and any("quote" in line for line in said), said


def test_a_connection_that_breaks_after_release_is_not_called_untouched(bench):
    commit, _ = bench.release("one")
    bench.plan({"when": ["ssh"], "after": 3, "status": 255, "stderr": "client_loop: send disconnect: Broken pipe\n"})
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


def test_an_image_that_is_gone_is_66_in_a_deployment_and_64_in_a_rollback(bench):
    commit, digest = bench.release("one")
    bench.change_engine(registry=[])
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 66 and "does not have" in said[-1], said
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 64 and "does not have" in said[-1], said
    assert "release" not in bench.steps()


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
    assert sorted(os.listdir(bench.app)) == [".deploybot.lock", ".deploybot.releases", ".env", "docker-compose.yml"]


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
    assert status == 70 and said[-1].endswith("as before, nothing runs"), said
    assert bench.runs() == [] and not (bench.app / ".env").exists()


# ---- killed ------------------------------------------------------------------------------------


def hanging_up(bench):
    """A deployment hung in `compose up`: (its process, the pid of the compose)."""
    _, digest = bench.shipped("one")
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


@pytest.mark.first
def test_two_deploybots_do_not_work_on_one_folder(bench):
    commit, _ = bench.release("three")
    _, compose, _ = hanging_up(bench)
    status, said = bench.run("deploy.sh", "staging", commit, STATE_DIRECTORY=str(bench.path / "another"))
    assert status == 75 and "something else is being released" in said[-1], said
    os.kill(compose, signal.SIGKILL)
