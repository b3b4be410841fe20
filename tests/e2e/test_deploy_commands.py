"""Goal: what deploy.sh and rollback.sh say to docker, aws and curl is known word by word; no password is where
others look; every command has a deadline; what stops them at any moment leaves nothing for the next to stumble over."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import re
import shutil
import signal
import socket

import pytest

from commands_aid import CommandBench, tools
from runner_client import ROOT, is_alive, wait_for

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
PASSWORD = 'pass "word" \\ of $(id) ü'
MANIFESTS = "Accept: " + ", ".join(f"application/vnd.{kind}+json" for kind in (
    "oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2",
    "docker.distribution.manifest.v2"))


@pytest.fixture(scope="session")
def tools_folder(tmp_path_factory):
    return tools(tmp_path_factory.mktemp("commands") / "tools")


@pytest.fixture
def bench(tmp_path, tools_folder):
    made = CommandBench(tmp_path, tools_folder)
    yield made
    killed = made.done()
    left = private_folders(made)
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    assert killed or not left


def private_folders(bench):
    """What a run noted as its private folders and did not take away."""
    notes = [bench.state / "apps" / name / "private" for name in ("staging", "production")]
    return [folder for note in notes if note.exists() for folder in note.read_text().split()]


def curl(reference, method="GET", host="https://registry.example.org", name="team/shop"):
    return ["curl", "--disable", "--config", "-", "--silent", "--show-error", "--proto", "=http,https",
            "--connect-timeout", "15", "--max-time", "60", "--max-filesize", "4194304", "--dump-header", "PRIVATE/head",
            "--output", "PRIVATE/body", "--write-out", "%{http_code}", "--request", method, "--header", MANIFESTS, "--",
            f"{host}/v2/{name}/manifests/{reference}"]


def plain(calls):
    """With the names of private folders, which are new each time, as PRIVATE."""
    return [[re.sub(r"/dev/shm/deploybot\.\d+\.\d+", "PRIVATE", word) for word in call] for call in calls]


def shipped(bench, text="one", environment="staging", **settings):
    """Deploys a new commit; (commit, digest)."""
    commit = bench.commit(text)
    status, said = bench.run("deploy.sh", environment, commit, **settings)
    assert status == 0, said
    return commit, bench.target().partition("@")[2]


def password_file(bench, mode=0o600):
    file = bench.path / "password"
    file.write_text(PASSWORD + "\n")
    file.chmod(mode)
    bench.change_world(password=PASSWORD)
    return {"REGISTRY_USER": "robot", "REGISTRY_PASSWORD_FILE": str(file)}


# ---- exact words -------------------------------------------------------------------------------


def test_build_push_and_ship_word_by_word(bench):
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    work, tag = f"{bench.state}/apps/staging/build", f"{bench.image}:{commit}"
    assert plain(bench.calls()) == [
        curl(commit),
        ["docker", "build", "--no-cache", "--pull=false", "--file", f"{work}/Dockerfile",
         "--build-arg", f"COMMIT={commit}", "--label", f"org.opencontainers.image.revision={commit}",
         "--tag", tag, work],
        ["docker", "push", tag],
        ["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', tag],
        curl(commit)]
    digest = bench.digests()[commit]
    assert bench.steps() == ["preflight", "checkout", "clone", "build", "push", f"image {digest}", "release", "clean"]
    # By digest, never by a tag, which may point elsewhere tomorrow.
    assert bench.spied() == ["preflight", f"pull {bench.image}@{digest}", f"ship {commit}@{digest}", f"clean {digest}"]
    assert not os.path.exists(work)
    noted = (bench.state / "apps" / "staging" / "images").read_text().split()
    assert noted[:3] == ["1", commit, digest] and noted[4] == "pushed"


def test_the_work_tree_that_is_built_is_exactly_the_commit_and_readable_inside(bench):
    commit = bench.commit("one")
    bench.commit("two")
    assert bench.run("deploy.sh", "staging", commit)[0] == 0
    image, = bench.world()["images"].values()
    assert image["context"] == "Dockerfile 100644 FROM scratch\n# one\n\n"  # COPY keeps the mode
    assert image["labels"] == [f"org.opencontainers.image.revision={commit}"]


def test_with_the_cache_buildkit_builds(bench):
    shipped(bench, BUILD_NO_CACHE="false", DOCKER_HOST="unix:///run/d.sock")
    build, = [record for record in bench.records() if record.get("words", [])[:1] == ["build"]]
    assert "--no-cache" not in build["words"] and build["environment"]["DOCKER_BUILDKIT"] == "1"
    assert build["environment"]["DOCKER_HOST"] == "unix:///run/d.sock"


def test_ecr_word_by_word(bench):
    bench.change_world(password="twelve-hours")
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, REGISTRY_URL=ECR)
    assert status == 0, said
    calls = plain(bench.calls())
    assert calls[0] == ["aws", "ecr", "get-login-password", "--region", "eu-west-1"]
    assert calls[1] == curl(commit, host=f"https://{ECR}")
    assert ["docker", "login", "--username", "AWS", "--password-stdin", ECR] == calls[3]
    assert [record["stdin"] for record in bench.records() if "stdin" in record] == [
        'user = "AWS:twelve-hours"\n', "twelve-hours", 'user = "AWS:twelve-hours"\n']


def test_another_registrys_login_is_on_stdin_and_nowhere_else(bench):
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench))
    assert status == 0, said
    login, = [call for call in bench.calls() if call[:2] == ["docker", "login"]]
    assert login == ["docker", "login", "--username", "robot", "--password-stdin", "registry.example.org"]
    assert PASSWORD in [record.get("stdin") for record in bench.records()]
    for record in bench.records():
        assert PASSWORD not in json.dumps([record.get("words"), record.get("environment")], ensure_ascii=False)
    assert PASSWORD not in bench.log.read_text()
    for folder, _, names in os.walk(bench.state):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                assert PASSWORD.encode() not in file.read(), name


def test_docker_has_a_configuration_of_its_own_that_is_gone_afterwards(bench):
    shipped(bench, **password_file(bench))
    folders = {record["environment"]["DOCKER_CONFIG"] for record in bench.records() if record.get("name") == "docker"}
    folder, = folders       # the stand-in refuses one that is not 0700
    assert folder.startswith("/dev/shm/deploybot.") and not os.path.exists(folder)


def test_a_registry_that_wants_a_token_gets_one(bench):
    bench.change_world(bearer="https://auth.example.org/token")
    shipped(bench, **password_file(bench))
    asked = [record["words"][-1] for record in bench.records() if record.get("name") == "curl"]
    assert asked[1] == "https://auth.example.org/token?service=registry.example.org&scope=repository:team/shop:pull"
    read = [record.get("stdin") for record in bench.records()]
    assert 'header = "Authorization: Bearer token.of-the_realm=="\n' in read


def test_no_password_goes_to_a_token_server_in_clear(bench):
    bench.change_world(bearer="http://auth.example.org/token")
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench))
    assert status == 66 and "HTTP 401" in said[-1]
    assert not [call for call in bench.calls() if "auth.example.org" in call[-1]]


@pytest.mark.parametrize("url,image,api", [
    ("127.0.0.1:5000", "127.0.0.1:5000/team/shop", "http://127.0.0.1:5000/v2/team/shop/"),
    ("localhost:5000/", "localhost:5000/team/shop", "http://localhost:5000/v2/team/shop/"),
    ("http://10.0.0.9:5000", "10.0.0.9:5000/team/shop", "http://10.0.0.9:5000/v2/team/shop/"),
    ("https://ghcr.io/acme", "ghcr.io/acme/team/shop", "https://ghcr.io/v2/acme/team/shop/"),
    ("docker.io", "docker.io/team/shop", "https://registry-1.docker.io/v2/team/shop/")])
def test_where_a_registry_is(bench, url, image, api):
    bench.plan({"when": ["curl"], "status": 7, "stderr": "curl: (7) refused\n"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_URL=url)
    assert status == 66 and "cannot be reached" in said[-1]
    assert bench.calls("curl")[0][-1].startswith(api)
    (bench.stand / "plan").unlink()
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), REGISTRY_URL=url)
    assert status == 0 and f"pull {image}@sha256:" in "\n".join(bench.spied()), said


def test_what_ci_has_pushed_is_used(bench):
    commit, digest = shipped(bench)
    (bench.stand / "target").unlink()
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "production", commit, IMAGE_SOURCE="registry")
    assert status == 0, said
    assert plain(bench.calls()) == [curl(commit)] and bench.target() == f"{commit}@{digest}"
    assert bench.steps() == ["preflight", f"image {digest}", "release", "clean"]
    status, said = bench.run("deploy.sh", "production", bench.commit("two"), IMAGE_SOURCE="registry")
    assert status == 66 and "CI has not pushed" in said[-1] and "IMAGE_SOURCE=build" in said[-1]


def test_an_image_that_is_there_is_not_built_again_unless_that_is_wanted(bench):
    commit, _ = shipped(bench)
    bench.forget_calls()
    assert bench.run("deploy.sh", "production", commit)[0] == 0
    assert not bench.calls("docker")
    assert bench.run("deploy.sh", "production", commit, BUILD_AGAIN="true")[0] == 0
    assert [call[1] for call in bench.calls("docker")][:2] == ["build", "push"]


# ---- rollback ----------------------------------------------------------------------------------


def test_a_rollback_builds_nothing_and_sees_that_the_image_is_there_first(bench):
    first, digest = shipped(bench, "one")
    second, _ = shipped(bench, "two")
    bench.forget_calls()
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0, said
    assert plain(bench.calls()) == [curl(digest)] and bench.steps() == ["preflight", "release"]
    assert bench.spied() == ["preflight", f"rollback {first}@{digest}"]
    # By the commit alone: its digest was noted when it was shipped.
    assert bench.run("rollback.sh", "staging", second)[0] == 0
    assert bench.target() == f"{second}@{bench.digests()[second]}"


def test_a_rollback_by_hand_takes_the_state_files_previous_release(bench):
    first, digest = shipped(bench, "one")
    second, other = shipped(bench, "two")
    status, said = bench.run("rollback.sh", "staging")
    assert status == 64 and "environments/staging.json" in said[-1]
    (bench.state / "environments").mkdir()
    state = {"environment": "staging", "release": 2, "commit": second, "image": other,
             "deployed_at": "2026-01-01T00:00:00Z", "previous": None}
    file = bench.state / "environments" / "staging.json"
    file.write_text(json.dumps(state, separators=(",", ":")) + "\n")
    status, said = bench.run("rollback.sh", "staging")
    assert status == 64 and "no previous" in said[-1]
    for image in (digest, None):
        state["previous"] = {"release": 1, "commit": first, "image": image}
        file.write_text(json.dumps(state, separators=(",", ":")) + "\n")
        status, said = bench.run("rollback.sh", "staging")
        assert status == 0 and bench.target() == f"{first}@{digest}"
        assert any(line.startswith("the release that was live before: " + first) for line in said)


def test_a_rollback_to_an_image_that_is_gone_touches_nothing(bench):
    first, digest = shipped(bench, "one")
    shipped(bench, "two")
    bench.change_world(registry={})
    before = bench.target()
    for release in (f"{first}@{digest}", first, "ab" * 20):
        status, said = bench.run("rollback.sh", "staging", release)
        assert status == 64 and "not there any more" in said[-1] and "release" not in bench.steps()
    assert bench.target() == before


def test_a_registry_that_is_down_does_not_stop_a_rollback(bench):
    first, digest = shipped(bench, "one")
    shipped(bench, "two")
    bench.plan({"when": ["curl"], "status": 7, "stderr": "curl: (7) refused\n"})
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0 and any("warning" in line for line in said) and bench.target() == f"{first}@{digest}"


def test_what_cannot_be_gone_back_to_is_said_before_the_release(bench):
    first, digest = shipped(bench, "one")
    kept = bench.world()["registry"]
    commit = bench.commit("two")
    bench.change_world(registry={})
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE=f"{first}@{digest}")
    assert status == 0 and bench.steps()[-3:] == ["no-rollback", "release", "clean"], said
    bench.change_world(registry=kept)
    assert bench.run("deploy.sh", "staging", bench.commit("three"), PREVIOUS_RELEASE=f"{first}@{digest}")[0] == 0
    assert "no-rollback" not in bench.steps()


# ---- bad input and bad weather -----------------------------------------------------------------


@pytest.mark.parametrize("settings,status,text", [
    ({"REGISTRY_URL": None}, 78, "REGISTRY_URL is not set"),
    ({"REGISTRY_URL": "registry.example.org;id"}, 78, "REGISTRY_URL"),
    ({"REGISTRY_URL": "-oProxy"}, 78, "REGISTRY_URL"),
    ({"REGISTRY_IMAGE": "shop:latest"}, 78, "REGISTRY_IMAGE"),
    ({"REGISTRY_IMAGE": "../shop"}, 78, "REGISTRY_IMAGE"),
    ({"REGISTRY_USER": "robot"}, 78, "REGISTRY_PASSWORD"),
    ({"REGISTRY_USER": "robot", "REGISTRY_PASSWORD_FILE": "/nowhere"}, 78, "/nowhere"),
    ({"DOCKERFILE": "/etc/passwd"}, 78, "DOCKERFILE"),
    ({"DOCKERFILE": "a/../../x"}, 78, "DOCKERFILE"),
    ({"DOCKERFILE": "elsewhere"}, 65, "no elsewhere at"),
    ({"BUILD_NO_CACHE": "yes"}, 78, "BUILD_NO_CACHE"),
    ({"IMAGE_SOURCE": "both"}, 78, "IMAGE_SOURCE"),
    ({"KEEP_RELEASES": "0"}, 64, "KEEP_RELEASES"),
    ({"DEPLOYMENT_ID": "1;id"}, 64, "DEPLOYMENT_ID"),
    ({"PREVIOUS_RELEASE": "main"}, 64, "no release"),
    ({"DEPLOY_TRANSPORT": "pigeon"}, 78, "there are: local spy"),
    ({"REPOSITORY_URL": "/nowhere"}, 69, "REPOSITORY_URL"),
    ({"HOOKS_DIRECTORY": "hooks"}, 78, "HOOKS_DIRECTORY"),
    ({"HOOKS_DIRECTORY": "/nowhere"}, 78, "/nowhere")], ids=str)
def test_a_setting_that_cannot_be_meant_stops_before_anything_is_touched(bench, settings, status, text):
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"), **settings)
    assert (got, text in said[-1], "release" in bench.steps()) == (status, True, False), said
    assert bench.target() == ""


@pytest.mark.parametrize("tool,settings", [("docker", {}), ("curl", {}), ("aws", {"REGISTRY_URL": ECR})])
def test_a_missing_program_is_named_with_its_package(bench, tool, settings):
    commit = bench.commit("one")
    (bench.bin / tool).unlink()
    status, said = bench.run("deploy.sh", "staging", commit, **settings)
    assert status == 78 and f"the program {tool} is missing" in said[-1] and "apt-get install" in said[-1]


def test_a_password_that_others_may_read_is_refused(bench):
    commit = bench.commit("one")
    for mode in (0o604, 0o640, 0o644):
        status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench, mode))
        assert status == 78 and "chmod 600" in said[-1] and not bench.calls()
    if os.geteuid() != 0:
        return
    for mode, good in ((0o604, 78), (0o640, 0)):     # somebody else's, shared with our group: a mounted secret
        settings = password_file(bench, mode)
        os.chown(settings["REGISTRY_PASSWORD_FILE"], 1234, -1)
        assert bench.run("deploy.sh", "staging", commit, **settings)[0] == good


def test_the_runners_password_is_a_file_in_memory(bench):
    memory = os.memfd_create("secret")   # whose mode says 0777, and which only our own processes can open
    os.write(memory, PASSWORD.encode())
    bench.change_world(password=PASSWORD)
    shipped(bench, REGISTRY_USER="robot", REGISTRY_PASSWORD_FILE=f"/proc/{os.getpid()}/fd/{memory}")
    os.close(memory)


def test_a_commit_that_is_not_in_the_repository_is_bad_input(bench):
    bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", "ab" * 20)
    assert status == 64 and "is not in the repository" in said[-1]
    assert not bench.calls("docker")


@pytest.mark.parametrize("plan,status,text", [
    ({"when": ["docker", "build"], "status": 1, "stderr": "no space left\n"}, 65, "docker build failed with status 1"),
    ({"when": ["docker", "login"], "status": 1, "stderr": "unauthorized\n"}, 66, "refuses the login of robot"),
    ({"when": ["docker", "push"], "status": 1, "stderr": "denied\n"}, 66, "did not take team/shop"),
    ({"when": ["docker", "image"], "status": 1}, 66, "docker does not know"),
    ({"when": ["curl"], "status": 6, "stderr": "curl: (6) no such host\n"}, 66, "cannot be reached"),
    ({"when": ["curl"], "status": 28, "stderr": "curl: (28) timeout\n"}, 75, "took longer than 60 s"),
    ({"when": ["curl"], "status": 0, "stdout": "teapot"}, 66, "cannot be reached")], ids=str)
def test_a_command_that_fails_is_said_with_what_to_do(bench, plan, status, text):
    bench.plan(plan)
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"), **password_file(bench))
    assert (got, text in said[-1]) == (status, True), said
    assert "release" not in bench.steps() and bench.target() == ""
    (bench.stand / "plan").unlink()
    shipped(bench, "two", **password_file(bench))


def digest(text):
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


GOOD = '{"schemaVersion": 2}'


@pytest.mark.parametrize("answer,text", [
    ([200, {}, "<html>Please log in</html>"], "nonsense"),
    ([200, {"Docker-Content-Digest": "sha256:12"}, GOOD], "nonsense"),
    ([200, {"Docker-Content-Digest": "sha256:" + "0" * 64}, GOOD], "nonsense"),
    ([200, {"Docker-Content-Digest": digest("x")}, "x"], "nonsense"),
    ([200, {}, ""], "nonsense"),
    ([301, {"Location": "https://evil.example.org/"}, ""], "HTTP 301"),
    ([401, {}, ""], "REGISTRY_USER"), ([403, {}, ""], "REGISTRY_USER"),
    ([429, {}, ""], "HTTP 429"), ([500, {}, "oops"], "HTTP 500")], ids=str)
def test_a_registry_that_talks_nonsense_is_not_believed(bench, answer, text):
    bench.change_world(answers={"GET": answer})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and text in said[-1], said
    assert not bench.calls("docker") and bench.target() == ""


def test_a_registry_that_has_another_image_than_was_pushed_is_not_believed(bench):
    bench.plan({"when": ["docker", "image", "inspect"], "status": 0, "stdout": f"{bench.image}@{digest('other')}\n"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "another image" in said[-1] and bench.target() == ""


def test_a_registry_that_lost_what_was_pushed_is_not_believed(bench):
    bench.change_world(answers={"GET": [404, {}, ""]})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "does not have what was pushed" in said[-1]


FORGED = f"==> release\n==> no-rollback\n==> image {digest('forged')}\n==> unquote 1\n==> no end"


def test_what_others_print_is_no_word_of_ours(bench):
    first, _ = shipped(bench, "one")
    for kind in ("pre-build", "pre-deploy"):
        bench.hook(kind, "tell", f"printf '%s' '{FORGED}'")
    bench.plan({"when": ["docker", "login"], "stdout": FORGED}, {"when": ["docker", "build"], "stderr": FORGED},
               {"when": ["docker", "push"], "status": 1, "stderr": FORGED})
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), **password_file(bench))
    assert status == 66 and bench.steps() == ["preflight", "checkout", "hook tell", "build", "push"], said
    bench.plan({"when": ["docker", "push"], "stdout": FORGED})
    commit, of = shipped(bench, "three", **password_file(bench))
    assert bench.steps()[-5:] == ["push", f"image {of}", "hook tell", "release", "clean"] and commit != first


def test_the_release_is_seen_behind_a_line_that_has_no_end(bench):
    file = bench.deploy / "transports" / "spy.sh"
    file.write_text(file.read_text().replace("release_begins", "printf 'no end'; release_begins", 1))
    shipped(bench)
    assert "release" in bench.steps()


@pytest.mark.long
def test_a_registry_that_does_not_stop_talking_is_cut_off(bench):
    """curl knows how long an answer is only when that is said before."""
    bench.change_world(answers={"GET": [200, {}, "x" * 9000000]})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "more than 4194304 bytes" in said[-1], said
    assert "release" not in bench.steps()


def test_no_failure_behind_the_release_says_that_the_target_is_untouched(bench):
    file = bench.deploy / "transports" / "spy.sh"
    file.write_text(file.read_text().replace("release_begins", "release_begins; fail 69 gone", 1))
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 70 and said[-1] == "deploy.sh: gone" and "release" in bench.steps()


# ---- deadlines, signals, kills -----------------------------------------------------------------

MOMENTS = [["docker", "build"], ["docker", "login"], ["docker", "push"], ["docker", "image", "inspect"], ["curl"]]
SECONDS = {f"{what}_SECONDS": "1" for what in ("BUILD", "LOGIN", "PUSH", "DOCKER", "REGISTRY", "KILL")}


@pytest.mark.long
@pytest.mark.parametrize("when", MOMENTS, ids=" ".join)
def test_a_command_that_hangs_is_ended_even_when_it_is_deaf(bench, when):
    bench.plan({"when": when, "hang": True, "deaf": True})
    process = bench.start("deploy.sh", "staging", bench.commit("one"), **password_file(bench), **SECONDS)
    pid = bench.until_hangs()
    assert process.wait(timeout=60) == 75 and "took longer than" in bench.said()[-1], bench.said()
    wait_for(lambda: not is_alive(pid) and not bench.session(process), "end of the deaf one")


@pytest.mark.long
def test_aws_that_hangs_is_ended(bench):
    bench.plan({"when": ["aws"], "hang": True})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_URL=ECR, **SECONDS)
    assert status == 75 and "aws ecr get-login-password took longer than 1 s" in said[-1]


SIGNALS = [*((signal.SIGTERM, when) for when in (*MOMENTS, ["spy", "ship"], ["hook"])),
           (signal.SIGINT, ["docker", "push"]), (signal.SIGHUP, ["spy", "ship"])]


@pytest.mark.long
@pytest.mark.parametrize("number,when", SIGNALS, ids=str)
def test_a_signal_ends_everything_at_once_and_cleans_up(bench, number, when):
    process = start_that_hangs(bench, when)
    config = [record["environment"]["DOCKER_CONFIG"] for record in bench.records() if "environment" in record][-1]
    assert os.path.exists(config)
    os.kill(process.pid, number)     # to the script alone, as by hand
    assert process.wait(timeout=60) == 128 + number and "ended by a signal" in bench.said()[-1]
    wait_for(lambda: not bench.session(process), "end of what the script started")
    assert not os.path.exists(config) and not private_folders(bench)
    let_go(bench)
    shipped(bench, "after")


def start_that_hangs(bench, when):
    """A deployment that is at a moment, and stays there."""
    settings = password_file(bench)
    bench.environment.update(settings)
    commit = bench.commit("one")
    if when[0] == "hook":
        bench.hook("pre-deploy", "slow", f"echo $$ >{bench.stand}/hangs; exec sleep 600")
    elif when[0] == "spy":
        (bench.stand / f"{when[1]}.hang").touch()
    else:
        bench.plan({"when": when, "hang": True})
    process = bench.start("deploy.sh", "staging", commit)
    if when[0] == "spy":
        wait_for(lambda: any(line.startswith(when[1]) for line in bench.spied()), "the transport's turn")
        wait_for(lambda: len(bench.session(process)) > 1, "what it hangs in")
    else:
        bench.until_hangs()
    return process


def let_go(bench):
    for file in (*bench.stand.glob("*.hang"), bench.stand / "plan", bench.stand / "hangs",
                 bench.hooks / "pre-deploy" / "slow"):
        file.unlink(missing_ok=True)


@pytest.mark.long
@pytest.mark.parametrize("when", [["spy", "preflight"], *MOMENTS, ["hook"], ["spy", "pull"], ["spy", "ship"],
                                  ["spy", "clean"]], ids=" ".join)
def test_killed_at_any_step_the_next_attempt_works(bench, when):
    process = start_that_hangs(bench, when)
    folders = private_folders(bench)
    assert folders or when == ["spy", "preflight"]
    bench.kill_session(process)
    assert all(os.path.exists(folder) for folder in folders)
    let_go(bench)
    commit, digest = shipped(bench, "after")
    assert bench.target() == f"{commit}@{digest}"
    assert not any(os.path.exists(folder) for folder in folders), "the next run removes what the killed one left"
    left = set(os.listdir(bench.state / "apps" / "staging"))
    assert left == {"lock", "before", "images"}, left


def test_a_lock_that_a_killed_git_left_is_in_nobodys_way(bench):
    (bench.state / "apps" / "staging").mkdir(parents=True)
    (bench.state / "apps" / "staging" / "build.index.lock").touch()
    shipped(bench, "one")


def test_a_commit_that_cannot_be_laid_out_is_said_with_what_to_do(bench):
    commit = bench.commit("one")
    (bench.bin / "git").write_text("""#!/bin/bash
[[ " $* " != *" checkout-index "* ]] || { echo "error: unable to write file: No space left on device" >&2; exit 128; }
exec /usr/bin/git "$@"
""")
    (bench.bin / "git").chmod(0o755)
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 65 and "is there room on that disk" in said[-1] and not bench.calls("docker")


def test_what_a_killed_run_left_in_memory_goes_first(bench):
    process = start_that_hangs(bench, ["docker", "push"])
    folders = private_folders(bench)
    bench.kill_session(process)
    let_go(bench)
    (bench.stand / "preflight.hang").touch()
    bench.start("deploy.sh", "staging", bench.commit("two"))
    wait_for(lambda: not any(os.path.exists(folder) for folder in folders), "end of the password that was left")


def test_a_script_that_dies_alone_keeps_others_out_until_what_it_started_ends(bench):
    process = start_that_hangs(bench, ["docker", "push"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"))
    assert status == 75 and "deployment 1, process" in said[-1]
    bench.kill_session(process)
    let_go(bench)
    shipped(bench, "three")


def test_a_second_run_is_told_who_is_first_and_another_environment_goes_on(bench):
    process = start_that_hangs(bench, ["spy", "ship"])
    for script in ("deploy.sh", "rollback.sh"):
        status, said = bench.run(script, "staging", bench.commit("two"))
        assert status == 75 and f"deployment 1, process {process.pid}, since 20" in said[-1]
    assert bench.run("target.sh", "staging", "current")[0] == 0    # who only asks need not wait
    (bench.stand / "ship.hang").unlink()
    assert bench.run("deploy.sh", "production", bench.commit("three"))[0] == 0
    assert process.poll() is None


# ---- hooks -------------------------------------------------------------------------------------

TELL = ('printf "%s\\n" "$HOOK ${0##*/} $ENVIRONMENT $COMMIT $RELEASE $IMAGE $PREVIOUS_RELEASE $REF $DEPLOYMENT_ID '
        '$HOSTS $PWD" >>"$STAND/spy"')


def test_hooks_run_in_their_order_with_what_they_need(bench):
    first, digest = shipped(bench, "one")
    bench.forget_calls()
    for kind in ("pre-build", "pre-deploy", "post-deploy", "post-rollback"):
        for name in ("20-second", "10-first", "Z", "a"):
            bench.hook(kind, name, TELL)
        bench.hook(kind, "README", mode=0o644)
    commit = bench.commit("two")
    status, said = bench.run("deploy.sh", "staging", commit, REF="main $(id)", STAGING_HOST="a.example.org",
                             PREVIOUS_RELEASE=f"{first}@{digest}")
    assert status == 0, said
    order = ["10-first", "20-second", "Z", "a"]
    new = bench.digests()[commit]
    release = f"{commit}@{new} {bench.image}@{new} {first}@{digest} main $(id) 2 a.example.org /"
    work = f"{commit}  {first}@{digest} main $(id) 2 a.example.org {bench.state}/apps/staging/build"
    assert bench.spied() == [
        "preflight", *[f"pre-build {name} staging {commit} {work}" for name in order],
        f"pull {bench.image}@{new}", *[f"pre-deploy {name} staging {commit} {release}" for name in order],
        f"ship {commit}@{new}", *[f"post-deploy {name} staging {commit} {release}" for name in order],
        f"clean {digest} {new}"]
    steps = bench.steps()
    assert [step for step in steps if step.startswith("hook")] == [f"hook {name}" for name in order] * 3
    assert steps.index("release") == len(steps) - 6
    bench.forget_calls()
    assert bench.run("rollback.sh", "staging", f"{first}@{digest}")[0] == 0
    assert [line.split()[:2] for line in bench.spied()] == [
        ["preflight"], ["rollback", f"{first}@{digest}"], *[["post-rollback", name] for name in order]]


@pytest.mark.parametrize("kind,status,released", [
    ("pre-build", 65, False), ("pre-deploy", 64, False), ("post-deploy", 70, True)])
def test_a_hook_that_fails_stops_the_deployment(bench, kind, status, released):
    bench.hook(kind, "10-check", "echo not today; exit 3")
    bench.hook(kind, "20-never", 'echo never >>"$STAND/spy"')
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert got == status and "status 3" in said[-1] and "not today" in said
    assert ("release" in bench.steps(), bench.target() != "", "never" in bench.spied()) == (released, released, False)


def test_a_hook_that_fails_after_a_rollback_is_said(bench):
    first, _ = shipped(bench, "one")
    bench.hook("post-rollback", "tell", "exit 1")
    status, said = bench.run("rollback.sh", "staging", first)
    assert status == 70 and "the earlier release runs" in said[-1]


@pytest.mark.long
def test_a_hook_that_hangs_is_ended(bench):
    bench.hook("pre-deploy", "slow", "trap '' TERM; while :; do sleep 1; done")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), HOOK_SECONDS="1", KILL_SECONDS="1")
    assert status == 75 and "the hook pre-deploy/slow took longer than 1 s" in said[-1] and bench.target() == ""


@pytest.mark.parametrize("what", ["file", "folder", "above", "owner"])
def test_a_hook_that_others_may_write_is_refused(bench, what):
    hook = bench.hook("post-deploy", "smoke", 'echo ran >>"$STAND/spy"')
    if what == "owner":
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(hook, 1234, -1)
    else:
        {"file": hook, "folder": hook.parent, "above": bench.hooks}[what].chmod(0o777)
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 78 and "others may write" in said[-1] and "ran" not in bench.spied() and not bench.calls("docker")


def test_a_hook_that_comes_between_is_looked_at_too(bench):
    bench.hook("pre-build", "plant", f"mkdir -m 0777 {bench.hooks}/post-deploy; cd {bench.hooks}/post-deploy; "
               "printf '#!/bin/bash\necho ran >>\"$STAND/spy\"\n' >planted; chmod 0777 planted . ")
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 78 and "others may write" in said[-1] and "ran" not in bench.spied()


# ---- clean-up ----------------------------------------------------------------------------------


def state_file(bench, environment, commit, image, previous, previous_image):
    (bench.state / "environments").mkdir(exist_ok=True)
    (bench.state / "environments" / f"{environment}.json").write_text(json.dumps({
        "environment": environment, "release": 9, "commit": commit, "image": image,
        "deployed_at": "2026-01-01T00:00:00Z",
        "previous": {"release": 8, "commit": previous, "image": previous_image}}, separators=(",", ":")) + "\n")


def test_old_images_go_and_what_any_environment_may_need_stays(bench):
    live = [shipped(bench, f"live {i}") for i in range(3)]
    # Production runs the first and ran the second, by its state file; of the third it knows the commit alone.
    state_file(bench, "production", live[0][0], live[0][1], live[1][0], None)
    more = [shipped(bench, f"more {i}", KEEP_RELEASES="2") for i in range(4)]
    kept = set(bench.digests())
    assert kept == {live[0][0], live[1][0], more[2][0], more[3][0]}
    deleted = [call[-1].rsplit("/", 1)[1] for call in bench.calls("curl") if "DELETE" in call]
    assert deleted == [live[2][1], more[0][1], more[1][1]]
    assert ["docker", "image", "rm", f"{bench.image}:{live[2][0]}"] in bench.calls("docker")
    assert f"removed {bench.image}@{more[1][1]}" in bench.said()
    noted = [line.split()[1] for line in (bench.state / "apps" / "staging" / "images").read_text().splitlines()]
    assert noted == [live[0][0], live[1][0], more[2][0], more[3][0]]
    # The transport is told what stays.
    assert set(bench.spied()[-1].split()[1:]) == {live[0][1], live[1][1], more[2][1], more[3][1]}
    # Also of what only a state file knows.
    state_file(bench, "production", live[0][0], live[0][1], "ef" * 20, "sha256:" + "ef" * 32)
    shipped(bench, "last", KEEP_RELEASES="2")
    assert "sha256:" + "ef" * 32 in bench.spied()[-1]


def test_what_was_live_before_stays_however_long_ago_it_was(bench):
    first = shipped(bench, "first")
    for i in range(4):
        shipped(bench, f"tried {i}", KEEP_RELEASES="1", PREVIOUS_RELEASE=f"{first[0]}@{first[1]}")
        assert first[0] in bench.digests()


def test_two_commits_with_one_image_keep_it(bench):
    first = bench.commit("same")
    second = bench.commit("same")
    assert bench.run("deploy.sh", "staging", first)[0] == 0 and bench.run("deploy.sh", "staging", second)[0] == 0
    assert bench.digests()[first] == bench.digests()[second]
    assert bench.run("deploy.sh", "staging", second, KEEP_RELEASES="1")[0] == 0
    assert second in bench.digests()


def test_images_that_ci_pushed_are_cis(bench):
    commits = []
    for i in range(3):
        commit = bench.commit(f"ci {i}")
        manifest = json.dumps({"schemaVersion": 2, "number": i})
        world = bench.world()
        world["registry"].setdefault(bench.image, {}).update({commit: manifest, digest(manifest): manifest})
        bench.change_world(**world)
        assert bench.run("deploy.sh", "staging", commit, IMAGE_SOURCE="registry", KEEP_RELEASES="1")[0] == 0
        commits.append(commit)
    assert set(bench.digests()) == set(commits) and not [call for call in bench.calls("curl") if "DELETE" in call]


def test_a_registry_that_deletes_nothing_is_a_warning(bench):
    shipped(bench, "one")
    bench.change_world(answers={"DELETE": [405, {}, ""]})
    for i in range(2):
        shipped(bench, f"more {i}", KEEP_RELEASES="1")
    assert any("warning: the registry does not delete" in line and "405" in line for line in bench.said())
    bench.change_world(answers={})
    shipped(bench, "last", KEEP_RELEASES="1")
    assert len(bench.digests()) == 2, "and what stayed is tried again: the last, and what ran before it"


@pytest.mark.long
def test_a_clean_up_that_hangs_is_a_warning(bench):
    """The release is up: to fail it now would take it back."""
    shipped(bench, "one")
    shipped(bench, "two")
    bench.plan({"when": ["curl"], "hang": True, "after": 3})
    shipped(bench, "three", KEEP_RELEASES="1", REGISTRY_SECONDS="10", KILL_SECONDS="1")
    assert any("took longer than" in line for line in bench.said())
    assert "warning: the clean-up was not finished" in bench.said()[-1]
    bench.plan()
    shipped(bench, "four", KEEP_RELEASES="1")
    assert len(bench.digests()) == 2


def test_ecr_deletes_by_digest_and_its_failures_are_warnings(bench):
    settings = {"REGISTRY_URL": ECR, "KEEP_RELEASES": "1"}
    bench.image = f"{ECR}/team/shop"
    one, of = shipped(bench, "one", **settings)
    shipped(bench, "two", **settings)
    bench.plan({"when": ["aws", "ecr", "batch-delete-image"], "status": 0, "stdout": "ImageReferencedByManifestList\n"})
    shipped(bench, "three", **settings)
    assert any("warning: ECR does not delete" in line and "ManifestList" in line for line in bench.said())
    bench.plan()
    shipped(bench, "four", **settings)
    call = [call for call in bench.calls("aws") if call[2] == "batch-delete-image"][-2]
    assert call == ["aws", "ecr", "batch-delete-image", "--region", "eu-west-1", "--registry-id", "123456789012",
                    "--repository-name", "team/shop", "--image-ids", f"imageDigest={of}",
                    "--query", "failures[].failureCode", "--output", "text"]
    assert one not in bench.digests()


def test_nothing_is_removed_while_another_environment_makes_its_image(bench):
    shipped(bench, "one")
    bench.plan({"when": ["docker", "build"], "hang": True})
    process = bench.start("deploy.sh", "production", bench.commit("slow"))
    bench.until_hangs()
    bench.plan()
    shipped(bench, "two", KEEP_RELEASES="1")
    shipped(bench, "three", KEEP_RELEASES="1")
    assert len(bench.digests()) == 3 and any("the next deployment cleans up" in line for line in bench.said())
    bench.kill_session(process)
    assert bench.run("deploy.sh", "production", bench.commit("next"))[0] == 0    # and takes its private folders away


# ---- transports --------------------------------------------------------------------------------


@pytest.mark.parametrize("change,status,text", [
    (("transport_current", "spy_current"), 78, "has no function transport_current"),
    (("transport_needs=image", ""), 78, "neither transport_needs=image nor"),
    (("release_begins", ":"), 78, "never says release_begins"),
    (("release_begins", "release_begins; release_begins"), 78, "begins twice"),
    (('cat "$STAND/target"', "echo main"), 0, "")], ids=str)
def test_a_transport_that_does_not_keep_to_its_contract_is_told_so(bench, change, status, text):
    file = bench.deploy / "transports" / "spy.sh"
    file.write_text(file.read_text().replace(*change))
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert (got, text in said[-1]) == (status, True), said
    if not status:
        got, said = bench.run("deploy.sh", "staging", bench.commit("two"))
        assert got == 64 and "no release: 'main'" in said[-1]


@pytest.fixture
def one(bench):
    """The transport of docs/transports.md, and something that listens where its container would."""
    with open(os.path.join(ROOT, "docs", "transports.md"), encoding="utf-8") as text:
        example, = (block.split("```")[0] for block in text.read().split("```bash\n")[1:])
    (bench.deploy / "transports" / "one.sh").write_text(example)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bench.port = listener.getsockname()[1]
        bench.environment.update(DEPLOY_TRANSPORT="one", STAGING_PORT=str(bench.port))
        bench.listener = listener
        yield bench


def test_the_transport_in_docs_deploys_and_takes_back(one):
    first = one.commit("one")
    assert one.run("deploy.sh", "staging", first)[0] == 0
    digest = one.digests()[first]
    name = f"{one.image}@{digest}"
    assert [call for call in one.calls("docker") if call[1] not in ("build", "push", "image")] == [
        ["docker", "info"],
        ["docker", "ps", "--filter", "name=^one-staging$", "--format", '{{.Label "deploybot.release"}}'],
        ["docker", "pull", "--quiet", name],
        ["docker", "rm", "--force", "one-staging"],
        ["docker", "run", "--detach", "--restart", "unless-stopped", "--name", "one-staging",
         "--label", f"deploybot.release={first}@{digest}", "--publish", f"127.0.0.1:{one.port}:8080", name]]
    second = one.commit("two")
    assert one.run("deploy.sh", "staging", second)[0] == 0 and f"runs now: {first}@{digest}" in one.said()
    assert one.run("target.sh", "staging", "current") == (
        0, ["==> preflight", f"{second}@{one.digests()[second]}"])
    assert one.run("rollback.sh", "staging", first)[0] == 0 and one.steps() == ["preflight", "release"]
    assert one.world()["containers"]["one-staging"]["image"] == name
    assert one.run("target.sh", "staging", "logs", "5")[1][-1] == "the last words of the application"
    assert one.run("target.sh", "staging", "preflight")[1][-1] == "all is there"


@pytest.mark.parametrize("plan,status,text", [
    (["docker", "info"], 69, "DOCKER_HOST"), (["docker", "ps"], 69, "DOCKER_HOST"),
    (["docker", "pull"], 66, "cannot be pulled"), (["docker", "run"], 70, "cannot be started")], ids=str)
def test_the_transport_in_docs_says_what_went_wrong(one, plan, status, text):
    one.plan({"when": plan, "status": 1})
    got, said = one.run("deploy.sh", "staging", one.commit("one"))
    assert (got, text in said[-1], "release" in one.steps()) == (status, True, status == 70)


@pytest.mark.parametrize("words", [
    [], ["staging"], ["staging", "destroy"], ["staging", "logs", "many"], ["staging", "current", "3"],
    ["moon", "current"], ["staging", "logs", "1", "2"]], ids=str)
def test_target_checks_its_words(bench, words):
    assert bench.run("target.sh", *words)[0] == 64
