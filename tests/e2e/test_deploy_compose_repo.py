"""Goal: with COMPOSE_SOURCE=repo the compose file of the released commit is what runs; one that reaches beyond its
containers is refused before anything changes, by what compose makes of it; a rollback brings its own; a kill leaves one
whole release."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import re
import shlex
import shutil
import socket
import subprocess
import tempfile

import pytest

from commands_aid import DEPLOY, cleans, git, goes_live
from runner_client import PROGRAM
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest

COMPOSE_PROGRAM = os.environ.get("COMPOSE_PROGRAM", "/usr/bin/docker-compose")
REPO = {"COMPOSE_SOURCE": "repo", "COMPOSE_REPO_TRUSTED": "true"}
WORKER = "  worker:\n    image: ${DEPLOY_IMAGE}\n"
APP = "services:\n  app:\n    image: ${DEPLOY_IMAGE}\n"


def use_repository(bench):
    """The host has no compose file of its own."""
    bench.environment |= REPO
    (bench.app / "docker-compose.yml").unlink()
    return bench


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(use_repository(SshBench(tmp_path, tools_folder, "v2")))


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(use_repository(BlueGreenBench(tmp_path, tools_folder, "v2")))


def release(bench, compose, path="docker-compose.yml"):
    """A commit with that compose file, and its image: (commit, digest)."""
    file = bench.repository / path
    file.parent.mkdir(exist_ok=True)
    if isinstance(compose, bytes):
        file.write_bytes(compose)
    elif compose is not None:
        file.write_text(compose, encoding="utf-8")
    bench.number += 1
    return bench.release(f"release {bench.number}")


def shipped(bench, compose, **settings):
    commit, digest = release(bench, compose)
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 0, "\n".join(said)
    return commit, digest


def kept(bench):
    return sorted(file.name for file in bench.app.glob(".deploybot.compose.*"))


def name_of(compose):
    return f".deploybot.compose.{hashlib.sha256(compose.encode()).hexdigest()}.yml"


def in_force(bench):
    found = re.findall(r"^COMPOSE_FILE=(.*)$", (bench.app / ".env").read_text(), re.M)
    return found[0] if found else None


def parts(bench):
    return {box["labels"]["service"]: box["of"].partition("@")[2] for box in bench.engine()["containers"]
            if box["status"] == "running"}


# ---- which file --------------------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.first
def test_a_push_that_changes_the_file_changes_what_runs_and_a_rollback_brings_the_old_one(bench):
    first, digest = shipped(bench, COMPOSE)
    assert parts(bench) == {"app": digest} and in_force(bench) == name_of(COMPOSE)
    said = bench.said()
    assert any(f"the compose file {first[:12]}:docker-compose.yml, sha256 " in line for line in said), said
    assert (bench.app / name_of(COMPOSE)).read_text() == COMPOSE
    more = COMPOSE + WORKER + "  cache:\n    image: redis:7\n"
    second, newer = shipped(bench, more)
    assert parts(bench) == {"app": newer, "worker": newer} and in_force(bench) == name_of(more)
    said = bench.said()     # .env named the former file, which has no such service
    assert any(line.endswith(f": cache (there, once its compose file is there: cd {bench.app} && COMPOSE_FILE="
                             f"{name_of(more)} docker compose up -d cache)") for line in said), said
    # Also where the commit is nowhere any more.
    for mirror in (bench.state / "git").glob("*.git"):
        subprocess.run(["rm", "-rf", mirror], check=True)
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0, "\n".join(said)
    assert in_force(bench) == name_of(COMPOSE) and parts(bench)["app"] == digest
    assert any(line.endswith("no release replaces them: worker (write image: ${DEPLOY_IMAGE} in the compose file in "
                             f"{bench.app} there, or stop them)") for line in said), said
    status, said = bench.run("rollback.sh", "staging", f"{second}@{newer}")
    assert status == 0 and parts(bench) == {"app": newer, "worker": newer}, said


@pytest.mark.long
def test_a_file_that_ran_is_gone_back_to_whatever_is_refused_by_now(bench):
    first, digest = shipped(bench, COMPOSE)
    second, newer = shipped(bench, COMPOSE + WORKER)
    refused = COMPOSE.replace("  app:\n", '  app:\n    labels: {x: "one\n      two"}\n', 1)
    kept = bench.app / name_of(refused)
    kept.write_text(refused)
    notes = bench.app / ".deploybot.compose"
    notes.write_text(f"{first}@{digest} {kept.name.split('.')[-2]}\n{second}@{newer} "
                     f"{name_of(COMPOSE + WORKER).split('.')[-2]}\n")
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0 and in_force(bench) == kept.name, "\n".join(said)
    # In a deployment it is judged.
    commit, _ = release(bench, refused)
    status, said = bench.run("deploy.sh", "staging", commit, IMAGE_SOURCE="registry")
    assert status == 70 and "quot" in said[-1], said


@pytest.mark.long
def test_the_file_may_lie_deeper_and_be_told_for_one_environment(bench):
    commit, digest = release(bench, COMPOSE, "deploy/prod.yaml")
    status, said = bench.run("deploy.sh", "staging", commit, STAGING_COMPOSE_REPO_FILE="deploy/prod.yaml",
                             IMAGE_SOURCE="registry")
    assert status == 0 and parts(bench) == {"app": digest}, said
    assert any(f"{commit[:12]}:deploy/prod.yaml" in line for line in said)


@pytest.mark.long
def test_what_a_question_and_a_job_look_at_is_the_file_in_force(bench):
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 0 and any("no release has brought its compose file here yet" in line for line in said), said
    assert bench.run("target.sh", "staging", "current")[0] == 0
    commit, digest = shipped(bench, COMPOSE)
    assert bench.run("target.sh", "staging", "current")[1][-1] == f"{commit}@{digest}"
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="bin/job")
    assert status == 0, "\n".join(said)
    (bench.app / name_of(COMPOSE)).write_text(COMPOSE + WORKER)
    status, said = bench.run("run-job.sh", "staging", f"{commit}@{digest}", JOB_COMMAND="bin/job")
    assert status == 70 and said[-1].endswith("was changed: deploy again"), said
    assert bench.run("deploy.sh", "staging", commit)[0] == 0
    assert (bench.app / name_of(COMPOSE)).read_text() == COMPOSE


@pytest.mark.long
def test_back_to_the_host_and_from_there_again(bench):
    """A release that came with the host's file is rolled back to with it, and .env names none then."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + WORKER)
    (bench.app / ".env").write_text("MINE=1\n")
    one, digest = shipped(bench, None, COMPOSE_SOURCE="host")
    assert not kept(bench) and in_force(bench) is None
    shipped(bench, COMPOSE)
    assert in_force(bench) == name_of(COMPOSE)
    status, said = bench.run("rollback.sh", "staging", f"{one}@{digest}")
    assert status == 0 and in_force(bench) is None and parts(bench) == {"app": digest, "worker": digest}, said
    shipped(bench, COMPOSE)
    _, newest = shipped(bench, COMPOSE, COMPOSE_SOURCE="host")
    assert in_force(bench) is None and parts(bench) == {"app": newest, "worker": newest}
    assert (bench.app / ".env").read_text().startswith("MINE=1\n")


@pytest.mark.long
def test_files_of_releases_that_are_not_kept_go(bench):
    files = [COMPOSE + f"    labels:\n      n: \"{n}\"\n" for n in range(4)]
    for text in files:
        commit = shipped(bench, text, PREVIOUS_RELEASE="")[0]
        goes_live(bench, "staging", commit)
    cleans(bench, "staging", KEEP_RELEASES="2")
    assert kept(bench) == sorted(name_of(text) for text in files[-2:])
    assert len((bench.app / ".deploybot.compose").read_text().splitlines()) == 2


# ---- what is refused ---------------------------------------------------------------------------


def refused(bench, status, words, **settings):
    commit = git(bench.repository, "rev-parse", "HEAD")
    got, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert got == status and words in said[-1], said
    assert "release" not in bench.steps() and not bench.engine()["containers"]
    assert not kept(bench) and not (bench.app / ".env").exists()


def test_it_is_refused_unless_the_repository_is_trusted(bench):
    release(bench, COMPOSE)
    for value in ("false", None):
        refused(bench, 78, "If that is meant, set COMPOSE_REPO_TRUSTED=true", COMPOSE_REPO_TRUSTED=value)


def test_without_a_repository_preflight_says_so(bench):
    """With CI's images too, nothing else would ask for one."""
    status, said = bench.run("target.sh", "staging", "preflight", IMAGE_SOURCE="registry", REPOSITORY_URL=None)
    assert status == 78 and "set GITHUB_REPOSITORY or REPOSITORY_URL" in said[-1], said


@pytest.mark.long
def test_a_file_that_is_missing_too_large_or_no_file_is_refused(bench):
    release(bench, None)
    refused(bench, 64, "the repository has no docker-compose.yml of")
    release(bench, "#" * 65536 + "\n" + COMPOSE)
    refused(bench, 64, "and a compose file may have 1 to 65536")
    release(bench, "")
    refused(bench, 64, "has 0 bytes")
    (bench.repository / "docker-compose.yml").unlink()
    os.symlink("/etc/passwd", bench.repository / "docker-compose.yml")
    release(bench, None)
    refused(bench, 64, "is a symbolic link, which may lead out of the repository")
    (bench.repository / "docker-compose.yml").unlink()
    release(bench, COMPOSE, "docker-compose.yml/x")
    refused(bench, 64, "docker-compose.yml of")


def test_an_env_that_names_another_file_is_not_overruled(bench):
    (bench.app / ".env").write_text("COMPOSE_FILE=prod/compose.yaml\n")
    commit, _ = release(bench, COMPOSE)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("a release brings its own: remove that line"), said


@pytest.fixture
def real(bench):
    """What the file means is said by a real compose; containers are the stand-in's."""
    if not os.access(COMPOSE_PROGRAM, os.X_OK):
        pytest.skip("docker-compose is not installed")
    is_old = b"version 1" in subprocess.run([COMPOSE_PROGRAM, "version"], capture_output=True, check=True).stdout
    name = "docker-compose" if is_old else "docker"
    bench.change_engine(compose="v1" if is_old else "v2")
    link, aside = bench.host_bin / name, bench.path / "aside"
    aside.mkdir()
    link.rename(aside / name)
    link.write_text(
        "#!/bin/bash\n[[ \" $* \" != *' --verbose '* ]] || { echo com.docker.compose.project=app >&2; exit; }\n"
        f"[[ ${{!#}} == config ]] || exec {aside / name} \"$@\"\n[[ $1 != compose ]] || shift\n"
        f"exec {COMPOSE_PROGRAM} \"$@\"\n")
    link.chmod(0o755)
    return bench


def service(text):
    return APP + "".join(f"    {line}\n" for line in text.splitlines())


# (the file; a word of what is said; what allows it).  What the judge says of all others: tests/fixtures/judge.txt.
# By itself, by where a path of it leads, by the text alone.
REACHES = [(service("privileged: true"), "service app: privileged reaches beyond", "privileged")]
LEADS = [
    (service("volumes: [\"/var/run/docker.sock:/s\"]"), "/var/run/docker.sock is not below", "bind:/run/docker.sock"),
    (service("volumes: [\"./leads-out:/s\"]"), "is not below", None),
    (service("volumes: [\"./.env:/s\"]"), "is not below", None),
    (service("volumes: [\"./other/conf:/s\"]"), "or in the folder of another environment", None),
    (service("volumes: [\"./around:/s\"]"), "or in the folder of another environment", None),
    (service("volumes: [\"./d:/d\", \"./d/s:/s:ro\"]"), "/d/s lies in ", None),
    (service("volumes: [\"./l/s:/s:ro\", \"./d:/d\"]"), "/l/s lies in ", None),
    (service("volumes: [\"./d:/d\"]\nenv_file: d/x.env"), "/d/x.env lies in ", None),
    ("version: \"3.7\"\n" + service("volumes: [\"./d:/d\"]\nsecrets: [s]") + "secrets:\n  s:\n    file: ./d/x.env\n",
     "/d/x.env lies in ", None),
    ("version: \"3.7\"\n" + APP + "    secrets: [s]\nsecrets:\n  s:\n    file: /etc/shadow\n",
     "secret s: /etc/shadow is not below", None),
]
READS = [
    (service("env_file: leads-out/passwd"), "line 4, env_file: ", None),
    (service("command: \"${TERM:+a}\""), "has no TERM, and a commit's file takes no other variables", None)]
SAYS = [
    (service("env_file: ${X-/etc/passwd}"), "env_file names plain paths", None),
    ("services: [\n", "it is no YAML", None),
]


def is_refused_and_allowed_by_name(bench, rows):
    os.symlink("/etc", bench.app / "leads-out")
    for folder in ("d", "other", "around/one"):
        (bench.app / folder).mkdir(parents=True)
    os.symlink("d", bench.app / "l")
    (bench.app / "d/x.env").write_text("A=1\n")
    for folder in ("other", "around/one"):
        (bench.app / folder / ".deploybot.lock").write_text("")
    for text, words, allowed in rows:
        release(bench, text)
        refused(bench, 70, words, COMPOSE_ALLOW="nothing devices bind:/nowhere")
        assert ":docker-compose.yml: " in bench.said()[-1] and "build" not in bench.steps()
        if allowed is not None:
            status, said = bench.run("deploy.sh", "staging", git(bench.repository, "rev-parse", "HEAD"),
                                     COMPOSE_ALLOW=f"nothing {allowed} bind:/nowhere")
            assert status == 0, "\n".join(said)
            bench.change_engine(containers=[])
            for file in (*bench.app.glob(".deploybot*"), bench.app / ".env"):
                file.unlink()


@pytest.mark.long
def test_what_reaches_beyond_its_containers_is_refused_and_allowed_by_name(real):
    is_refused_and_allowed_by_name(real, REACHES)


@pytest.mark.long
def test_where_a_path_leads_is_seen_on_the_host(real):
    is_refused_and_allowed_by_name(real, LEADS)


def test_where_an_env_file_leads_is_seen_before_compose_reads_it(bench):
    is_refused_and_allowed_by_name(bench, READS)


def test_a_text_that_is_refused_goes_to_no_host(bench):
    is_refused_and_allowed_by_name(bench, SAYS)
    assert not any(" check " in " ".join(call) for call in bench.ssh_calls())


def test_without_the_judge_nothing_is_released(bench):
    alone = bench.path / "deploybot-runner"
    shutil.copy(PROGRAM, alone)
    release(bench, COMPOSE)
    refused(bench, 78, "no program deploybot-judge is beside", DEPLOYBOT_RUNNER=str(alone))


def test_with_hooks_the_judge_stands_beside_the_program_of_the_process_that_is_bound_to_them(bench, tmp_path):
    state = tmp_path / "bound"
    state.mkdir()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, subprocess.Popen([PROGRAM, "--fd", str(theirs.fileno()), "--state", state],
                                        pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL) as runner:
        try:
            shipped(bench, COMPOSE, DEPLOYBOT_RUNNER=f"/proc/{runner.pid}/exe")
        finally:
            runner.kill()


def test_what_did_not_come_whole_from_a_host_is_not_judged(bench):
    """The beginning of what compose makes of a file may be harmless."""
    bench.on_host("base64", '[[ $* != "-w 0" ]] || { /usr/bin/base64 -w 0 | head -c 40; exit; }')
    release(bench, COMPOSE)
    refused(bench, 70, "what compose makes of the compose file there did not come whole")


@pytest.mark.long
def test_a_commit_whose_file_ran_is_gone_back_to_though_the_judge_refuses_it(bench):
    """With that commit in the mirror too: a host takes what ran there as it is."""
    odd = service("labels: {x: \"one\n  two\"}")
    commit, digest = release(bench, odd)
    refused(bench, 70, "a text in quotes that goes on in the next line")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 70 and "never ran here" in said[-1], said
    (bench.app / name_of(odd)).write_text(odd)
    (bench.app / ".deploybot.compose").write_text(f"{commit}@{digest} {name_of(odd).split('.')[-2]}\n")
    (bench.app / ".deploybot.releases").write_text(f"{commit}@{digest}\n")
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{digest}")
    assert status == 0 and in_force(bench) == name_of(odd), "\n".join(said)
    assert any("is taken only where it ran already: line 4: a text in quotes" in line for line in said), said


@pytest.mark.long
def test_what_a_file_says_for_other_variables_than_preflights_is_refused_too(real):
    """What it is brought up with decides: a port that is not set, as with recreate."""
    release(real, service('volumes: ["./x/${DEPLOY_PORT:-../../..}:/s"]'))
    commit = git(real.repository, "rev-parse", "HEAD")
    status, said = real.run("deploy.sh", "staging", commit)
    assert status == 70 and "/s is not" not in said[-1] and "is not below" in said[-1], "\n".join(said)
    assert "pull" in real.steps() and "release" not in real.steps() and not real.engine()["containers"]
    assert not (real.app / ".env").exists()


@pytest.mark.long
def test_what_people_write_is_taken(real):
    (real.app / "a.env").write_text("A=1\n")
    (real.app / "b.env").write_text("B=1\n")
    text = ("version: \"3.7\"\nx-base: &base\n  image: ${DEPLOY_IMAGE}\n  restart: always\n  env_file:\n    - a.env\n"
            "    - \"b.env\"   # more\nservices:\n  app:\n    <<: *base\n    env_file: ./a.env\n"
            "    ports:\n      - \"8080:8080\"\n"
            "    volumes:\n      - ./data:/d\n      - media:/m:ro\n      - /anonymous\n"
            "      - type: tmpfs\n        target: /t\n"
            "    security_opt: [\"no-new-privileges:true\"]\n    privileged: false\n    cap_drop: [ALL]\n    build: .\n"
            "    healthcheck:\n      test: [\"CMD\", \"true\"]\n    command: [\"sh\", \"-c\", \"include this; a b\"]\n"
            "    secrets: [s]\n    networks: [default, out]\n"
            "  worker:\n    <<: *base\n    depends_on: [app]\n  database:\n    image: postgres:15\n"
            "networks:\n  out:\n    driver: bridge\nvolumes:\n  media: {}\nsecrets:\n  s:\n    file: ./a.env\n")
    commented = text.replace("  env_file: ", "  # env_file: /etc/passwd\n    env_file: ")
    for form in (text.replace("\n", "\r\n"), commented):
        commit, _ = release(real, form)
        # The stand-in brings up no such file.
        said = real.run("deploy.sh", "staging", commit, COMPOSE_ALLOW="build")[1]
        assert any("a release replaces app (the main service), worker" in line for line in said), said
        assert "release" in real.steps(), said


def test_what_is_brought_up_is_in_the_project_that_preflight_has_found(tmp_path):
    """Regression: a file's name may be another one for other variables, and what ran in that project was replaced."""
    host = f"{DEPLOY}/transports/ssh-host"
    compose = tmp_path / "compose"
    compose.write_text("#!/bin/bash\nname=${COMPOSE_PROJECT_NAME:-${DEPLOY_PORT:-shop-production}}\n"
                       "[[ $1 == config ]] || echo \"$name $1\"\n"
                       "[[ $1 != config ]] || printf 'name: %s\\nservices:\\n  app:\\n    image: x\\n' \"$name\"\n")
    compose.chmod(0o755)
    script = ('host=h dir=$PWD; for part in base containers up file paths services recreate acts; do\n'
              f'. {host}/$part.sh; done\n'
              'compose=("$1") compose_file=.deploybot.compose.x.yml strategy=recreate service=app migrator=app\n'
              "image=i project='' names=() externals='' frame='' up_image='' offered='' source=repo act=migrate\n"
              'told=no migration=m seconds=9\n'
              'private=$PWD job=(x) loose=; declare -A field=()\n'
              'image_id() { :; }; wait_for_migration() { :; }; begins() { :; }; end_container() { :; }\n'
              'serving() { echo 1 2 3 4 5 6 7 i; }\n'
              'words=$(compose_config); read_config "$words"; run_compose 9 "" up; act_migrate; run_job')
    done = subprocess.run(["/bin/bash", "-euc", script, "x", str(compose)], check=False, timeout=60, cwd=tmp_path,
                          capture_output=True, text=True)
    assert done.stdout.splitlines() == ["64999 up", "64999 run", "64999 run"], done


HOST = f"{DEPLOY}/transports/ssh-host"
NOBODY = ("--reuid", "65534", "--regid", "65534", "--clear-groups")
PARTS = f'for part in base containers up file kept paths services recreate; do . {HOST}/$part.sh; done\n'


def on_a_host(folder, script):
    """The parts of a host's program, with what `main` has; compose notes the variables that it gets."""
    compose = folder / "compose"
    compose.write_text('#!/bin/bash\necho "$COMPOSE_FILE|$COMPOSE_PROFILES|$DEPLOY_IMAGE|$COMPOSE_PROJECT_NAME '
                       '${*: -1}" >>noted\n')
    compose.chmod(0o755)
    begin = ("host=h me=m dir=$PWD act=switch strategy=recreate service=app others=(worker) project=app told=no\n"
             "image=shop@sha256:new up_image='' compose_file='' from_folder=() offered='' in_force='' renew=no\n"
             "with_release='' chosen='' release='' paths='' env_words=() origin=x allow='' named_file='' surveyed=''\n"
             "the_file='the file'\n"
             'compose=("$PWD/compose"); image_id() { return 1; }; states() { echo "1 2 3 4 5 6 7 worker"; }\n'
             "ran_before() { echo 1 n worker 2 i; }\n")
    (folder / "noted").write_text("")
    done = subprocess.run(["/bin/bash", "-euc", PARTS + begin + script], check=False, timeout=60, cwd=folder,
                          capture_output=True, text=True)
    return done.returncode, (folder / "noted").read_text().splitlines(), done.stdout + done.stderr


def test_what_is_put_back_gets_the_variables_that_were_judged(tmp_path):
    """Regression: it got no COMPOSE_PROFILES, and a path of the file was another one for that."""
    file = tmp_path / name_of(APP)
    file.write_text(APP)
    (tmp_path / ".env").write_text(f"COMPOSE_FILE={file.name}\nDEPLOY_IMAGE=shop@sha256:old\n")
    judged = on_a_host(tmp_path, f"compose_file={file.name} image=shop@sha256:old; real_config ''")[1]
    assert judged == [f"{file.name}|*|shop@sha256:old|app config"]
    back = "make_anew app shop@sha256:old shop@sha256:old; image_now=shop@sha256:old; reconcile_others"
    status, noted, said = on_a_host(tmp_path, back)
    assert status == 0 and noted == [judged[0].replace("config", name) for name in ("app", "worker")], said
    # Of one that was changed nothing is started.
    file.write_text(APP + WORKER)
    status, noted, said = on_a_host(tmp_path, back)
    assert status == 0 and not noted and "was changed: nothing is started with it" in said, said
    # The host's own gets nothing of it.
    (tmp_path / ".env").write_text("DEPLOY_IMAGE=shop@sha256:old\n")
    assert on_a_host(tmp_path, back)[1] == ["||shop@sha256:old|app app", "||shop@sha256:old|app worker"]


@pytest.mark.long
def test_a_host_that_puts_a_release_back_gives_compose_what_was_judged(bench):
    """The container of before is gone by then: it is made anew, of the file and with the variables of its release."""
    ups = bench.path / "ups"
    bench.on_host("docker", f'[[ " $* " != *" up "* ]] || echo "$COMPOSE_PROFILES|$COMPOSE_FILE|$DEPLOY_IMAGE" >>{ups}')
    _, one = shipped(bench, COMPOSE)
    newer = COMPOSE + "    labels:\n      a: b\n"
    commit, two = release(bench, newer)
    bench.change_engine(ends={f"app {bench.image}@{two}": 3})
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "the earlier release runs again" in said[-1], "\n".join(said)
    before = f"*|{name_of(COMPOSE)}|{bench.image}@{one}"
    assert ups.read_text().splitlines() == [before, f"*|{name_of(newer)}|{bench.image}@{two}", before]
    assert parts(bench) == {"app": one} and in_force(bench) == name_of(COMPOSE)


def test_of_two_releases_of_one_image_what_runs_keeps_its_file(tmp_path):
    """And a file that was refused is none that comes back by its image."""
    image = f"shop@sha256:{'a' * 64}"
    ran, other = (hashlib.sha256(text.encode()).hexdigest() for text in (APP, APP + WORKER))
    (tmp_path / name_of(APP)).write_text(APP)
    (tmp_path / name_of(APP + WORKER)).write_text(APP + WORKER)
    (tmp_path / ".deploybot.compose").write_text(f"{'1' * 40}@{image[5:]} {ran}\n{'2' * 40}@{image[5:]} {other}\n")
    words = f'find_env_words_of {image}; echo "${{env_words[*]}}"'
    assert on_a_host(tmp_path, words)[2] == f"COMPOSE_FILE={name_of(APP + WORKER)}\n"
    (tmp_path / f".deploybot.compose.{other}.unjudged").write_text("")
    assert on_a_host(tmp_path, words)[2] == f"COMPOSE_FILE={name_of(APP)}\n"
    (tmp_path / f".deploybot.compose.{other}.unjudged").unlink()
    (tmp_path / ".env").write_text(f"COMPOSE_FILE={name_of(APP)}\nDEPLOY_IMAGE={image}\n")
    assert on_a_host(tmp_path, words)[2] == f"COMPOSE_FILE={name_of(APP)}\n"


@pytest.mark.long
def test_what_runs_may_not_write_above_what_the_next_release_mounts(real):
    """Between the look and the start it could put a link there, and the next file says nothing of it."""
    (real.app / "d/s").mkdir(parents=True)
    shipped(real, APP)
    box, = real.engine()["containers"]
    commit, digest = release(real, service('volumes: ["./d/s:/s"]'))
    real.change_engine(containers=[box | {"written": [f"{real.app}/d"]}])
    status, said = real.run("deploy.sh", "staging", commit)
    assert status == 70 and f"s lies in {real.app}/d, which what is there of the release before may write" in said[-1]
    assert "release" not in real.steps()
    real.change_engine(containers=[box | {"written": [f"{real.app}/d/s", "/nowhere"]}])
    assert real.run("deploy.sh", "staging", commit)[0] == 0 and parts(real) == {"app": digest}


def test_env_that_leads_where_the_application_writes_is_refused(tmp_path):
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf/env").write_text("A=1\n")
    os.symlink("conf/env", tmp_path / ".env")
    for path, mode, wanted in (("conf", "", 70), ("conf/env", "", 70), ("conf", "\tro", 0), ("data", "", 0)):
        listed = f"service app\t{tmp_path}/{path}{mode}\nline 3\t$A\n"
        status, _, said = on_a_host(tmp_path, f"paths=$(base64 -w 0 <<<{shlex.quote(listed)}); why=''; "
                                    "trap 'echo \"$why\"' EXIT; check_paths")
        assert status == wanted and (status == 0 or "would be written by the application" in said), (path, said)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
def test_a_project_whose_folder_cannot_be_seen_is_not_taken_for_moved():
    """Whoever may not look into a folder above it sees none."""
    with open(f"{HOST}/services.sh", encoding="utf-8") as file:
        text = re.search(r"^is_gone\(\) \{.*?^\}\n", file.read(), re.M | re.S)[0]
    with tempfile.TemporaryDirectory(dir="/tmp") as path:
        os.chmod(path, 0o755)
        for folder, mode, gone in (("seen", 0o755, 1), ("hidden/app", 0o700, 1), ("moved/app", 0o755, 0)):
            os.mkdir(f"{path}/{folder.partition('/')[0]}")
            os.chmod(f"{path}/{folder.partition('/')[0]}", mode)
            done = subprocess.run(["setpriv", *NOBODY, "bash", "-c", f"{text}is_gone {path}/{folder}"], check=False)
            assert done.returncode == gone, folder


@pytest.mark.long
def test_a_file_that_was_refused_behind_the_pull_has_not_run(real):
    """Regression: it was noted with the pull, and a rollback to it took it as it was."""
    commit, digest = release(real, service('volumes: ["./x/${DEPLOY_PORT:-../../..}:/s"]'))
    assert real.run("deploy.sh", "staging", commit)[0] == 70 and "pull" in real.steps()
    for mirror in (None, *(real.state / "git").glob("*.git")):
        if mirror is not None:
            shutil.rmtree(mirror)
        real.forget_calls()
        status, said = real.run("rollback.sh", "staging", f"{commit}@{digest}")
        assert status == 70 and "release" not in real.steps() and not real.engine()["containers"], "\n".join(said)
    # What was judged has run.
    first, one = shipped(real, APP)
    shipped(real, APP + WORKER)
    assert not list(real.app.glob(f".deploybot.compose.{name_of(APP).split('.')[3]}.unjudged"))
    for mirror in (real.state / "git").glob("*.git"):
        shutil.rmtree(mirror)
    status, said = real.run("rollback.sh", "staging", f"{first}@{one}")
    assert status == 0 and in_force(real) == name_of(APP), "\n".join(said)


# ---- blue/green, killed ------------------------------------------------------------------------


@pytest.mark.long
def test_with_bluegreen_each_of_the_two_has_its_own_file(pair):
    two = COMPOSE + PORTS + WORKER
    first, one = shipped(pair, COMPOSE + PORTS)
    assert in_force(pair) == name_of(COMPOSE + PORTS) and pair.serves() == one
    _, other = shipped(pair, two)
    assert in_force(pair) == name_of(two) and pair.serves() == other and parts(pair)["worker"] == other
    status, said = pair.run("rollback.sh", "staging", f"{first}@{one}")
    assert status == 0 and in_force(pair) == name_of(COMPOSE + PORTS) and pair.serves() == one, "\n".join(said)
    # Where the new file's worker does not come up, nginx, .env and its file are as they were.
    commit, third = release(pair, two + "    labels:\n      a: b\n")
    pair.change_engine(ends={f"worker {pair.image}@{third}": 3})
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 70 and "the earlier release serves still" in said[-1], "\n".join(said)
    assert in_force(pair) == name_of(COMPOSE + PORTS) and pair.serves() == one


@pytest.mark.long
def test_what_was_made_of_the_hosts_file_is_not_taken_for_the_commits(pair):
    """And a worker of that file that fails, behind the image that serves, is put back, with the file of before."""
    (pair.app / "docker-compose.yml").write_text(COMPOSE + PORTS + WORKER)
    breaks = "    labels:\n      breaks: it\n"
    commit, digest = release(pair, COMPOSE + "    labels:\n      of: commit\n" + PORTS + WORKER)
    status, said = pair.run("deploy.sh", "staging", commit, COMPOSE_SOURCE="host")
    assert status == 0, said
    broken = pair.repository / "broken.yml"
    broken.write_text(COMPOSE + PORTS + WORKER + breaks)
    git(pair.repository, "add", "-A")
    status, said = pair.run("deploy.sh", "staging", commit)
    web, = [box for box in pair.engine()["containers"] if box["port" if "port" in box else "id"] == pair.file_says()]
    assert status == 0 and "of: commit" in web["made"], said
    # The same image with another file.
    other, newest = release(pair, COMPOSE + "    labels:\n      of: commit\n" + PORTS + WORKER + breaks)
    pair.change_engine(fails="breaks: it", registry=[*pair.engine()["registry"], f"{pair.image}@{newest}"])
    status, said = pair.run("deploy.sh", "staging", other)
    assert status == 70 and "the earlier release serves still" in said[-1], said
    assert pair.serves() == digest and parts(pair)["worker"] == digest
    (pair.app / "docker-compose.yml").write_text(COMPOSE + "    labels:\n      of: commit\n" + PORTS + WORKER + breaks)
    pair.run("drain.sh", "staging", DEPLOYMENT_ID=None)
    before = {box["id"] for box in pair.engine()["containers"] if "port" in box}
    status, said = pair.run("deploy.sh", "staging", commit, COMPOSE_SOURCE="host")
    assert status == 70 and "worker ended with status 3" in said[-1] and "serves still" in said[-1], said
    assert any("serves already on port" in line for line in said), said
    assert {box["id"] for box in pair.engine()["containers"] if "port" in box} == before
    assert pair.serves() == digest and parts(pair) == {"app": digest, "worker": digest}
    assert in_force(pair) and not (pair.app / ".deploybot.before").exists()


@pytest.mark.long
@pytest.mark.parametrize("when, after", [
    (["compose", "config"], 1), (["docker", "pull"], 0), (["compose", "up"], 0), ("halts", 0)])
def test_a_host_that_was_killed_at_any_step_is_brought_to_one_whole_release(bench, when, after):
    """Judged, pulled, being replaced, replaced by half: .env names one image and the file that it came with."""
    first, one = shipped(bench, COMPOSE)
    second, two = release(bench, COMPOSE + WORKER)
    if when == "halts":
        bench.change_engine(halts=True)
    else:
        bench.host_plan({"when": when, "after": after, "hang": True})
    process = bench.start("deploy.sh", "staging", second)
    hung = bench.until_host_hangs()
    bench.kill_host(hung)
    assert process.wait(timeout=120) == 70
    bench.host_plan()
    is_new = in_force(bench) == name_of(COMPOSE + WORKER)
    assert is_new == (when == "halts" or "up" in when)
    assert is_new == (two in (bench.app / ".env").read_text()) and is_new == (bench.app / ".deploybot.before").exists()
    status, said = bench.run("rollback.sh", "staging", f"{first}@{one}")
    assert status == 0 and parts(bench) == {"app": one} and in_force(bench) == name_of(COMPOSE), "\n".join(said)
    assert bench.run("deploy.sh", "staging", second)[0] == 0
    assert parts(bench) == {"app": two, "worker": two} and in_force(bench) == name_of(COMPOSE + WORKER)


@pytest.mark.long
@pytest.mark.parametrize("when", [["compose", "-p"], ["nginx"], ["compose", "up"]])
def test_with_bluegreen_too(pair, when):
    """Being started; written for nginx and not read; switched, the others being replaced."""
    _, one = shipped(pair, COMPOSE + PORTS)
    commit, two = release(pair, COMPOSE + PORTS + WORKER)
    pair.host_plan({"when": when + [f"app-{port}" for port in pair.ports if not pair.port_of(one) == [port]] + ["up"]
                    if when[-1] == "-p" else when, "hang": True})
    process = pair.start("deploy.sh", "staging", commit)
    hung = pair.until_host_hangs()
    pair.kill_host(hung)
    assert process.wait(timeout=120) == 70
    pair.host_plan()
    assert pair.serves() == (two if when == ["compose", "up"] else one)
    status, said = pair.run("deploy.sh", "staging", commit)
    assert status == 0 and pair.serves() == two and in_force(pair) == name_of(COMPOSE + PORTS + WORKER), "\n".join(said)
    assert parts(pair)["worker"] == two and not (pair.app / ".deploybot.before").exists()
