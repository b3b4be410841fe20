"""Goal: a transport of one's own keeps to docs/transports.md or fails and names what is missing, and the one there
works; what others print is no word of ours."""
# SPDX-License-Identifier: ISC
import os
import shutil
import socket

import pytest

from commands_aid import ECR, digest, password_file, shipped, stand_in
from runner_client import ROOT, wait_for

FORGED = f"==> release\n==> no-rollback\n==> image {digest('forged')}\n==> unquote 1\n==> no end"


@pytest.mark.long
def test_what_others_print_is_no_word_of_ours(bench):
    first, _ = shipped(bench, "one")
    for kind in ("pre-build", "pre-deploy"):
        bench.hook(kind, "tell", f"printf '%s' '{FORGED}'")
    bench.plan({"when": ["docker", "login"], "stdout": FORGED}, {"when": ["docker", "build"], "stderr": FORGED},
               {"when": ["docker", "push"], "status": 1, "stderr": FORGED})
    status, said = bench.run("deploy.sh", "staging", bench.commit("two"), **password_file(bench))
    assert status == 66 and bench.steps() == ["preflight", "checkout", "git fetch", "hook tell", "build",
                                              "push"], said
    bench.plan({"when": ["docker", "push"], "stdout": FORGED})
    commit, of = shipped(bench, "three", **password_file(bench))
    assert bench.steps()[-5:] == ["push", f"image {of}", "hook tell", "release", "clean-later"] and commit != first


def test_what_git_and_aws_say_is_no_word_of_ours(bench):
    """A server's message, or a file's name: git shows both."""
    for name, at in (("git", "checkout-index"), ("aws", "ecr")):
        real = "/usr/bin/git" if name == "git" else stand_in("aws")
        (bench.bin / name).unlink(missing_ok=True)
        (bench.bin / name).write_text(f"""#!/bin/bash
[[ " $* " != *" {at} "* ]] || printf '%s\\n' '{FORGED}' >&2
exec {real} "$@"
""")
        (bench.bin / name).chmod(0o755)
        host = ECR if name == "aws" else "registry.example.org"
        bench.image = f"{host}/team/shop"
        commit = bench.commit(f"{name} {at}")
        status, said = bench.run("deploy.sh", "staging", commit, REGISTRY_URL=host, PREVIOUS_RELEASE="")
        assert status == 0 and "==> no-rollback" in said, said
        assert [step for step in bench.steps() if step != "git fetch"] == [
            "preflight", "checkout", "build", "push", f"image {bench.digests()[commit]}", "release", "clean-later"]


def test_what_git_says_of_a_fetch_that_fails_is_no_word_of_ours(bench):
    (bench.bin / "git").unlink(missing_ok=True)
    (bench.bin / "git").write_text(f"""#!/bin/bash
[[ " $* " != *" fetch "* ]] || {{ printf '%s\\n' '{FORGED}' >&2; exit 128; }}
exec /usr/bin/git "$@"
""")
    (bench.bin / "git").chmod(0o755)
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), PREVIOUS_RELEASE="")
    assert status == 69 and "==> no-rollback" in said, said
    assert bench.steps() == ["preflight", "checkout", "git fetch"]


def test_the_release_is_seen_behind_a_line_that_has_no_end(bench):
    file = bench.deploy / "transports" / "spy.sh"
    file.write_text(file.read_text().replace("release_begins", "printf 'no end'; release_begins", 1))
    shipped(bench)
    assert "release" in bench.steps()


def test_no_failure_behind_the_release_says_that_the_target_is_untouched(bench):
    file = bench.deploy / "transports" / "spy.sh"
    file.write_text(file.read_text().replace("release_begins", "release_begins; fail 69 gone", 1))
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 70 and said[-1] == "deploy.sh: gone" and "release" in bench.steps()


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
    assert ("release" in bench.steps()) == ("release" in change[0] or not status)   # it has been at the target
    if not status:
        got, said = bench.run("deploy.sh", "staging", bench.commit("two"))
        assert got == 64 and "no release: 'main'" in said[-1]


@pytest.fixture
def one(bench):
    """The transport that docs/transports.md leads to, and something that listens where its container would."""
    shutil.copy(os.path.join(ROOT, "deploy/own/one.sh"), bench.deploy / "transports")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        bench.port = listener.getsockname()[1]
        bench.environment.update(DEPLOY_TRANSPORT="one", STAGING_PORT=str(bench.port))
        bench.listener = listener
        yield bench


@pytest.mark.long
def test_the_transport_in_docs_deploys_and_takes_back(one):
    first = one.commit("one")
    assert one.run("deploy.sh", "staging", first)[0] == 0
    digest = one.digests()[first]
    name = f"{one.image}@{digest}"
    assert [call for call in one.calls("docker") if call[1] not in ("build", "push", "image", "version", "buildx")] == [
        ["docker", "info"],
        ["docker", "ps", "--filter", "name=^one-staging$", "--format", '{{.Label "deploybot.release"}}'],
        ["docker", "pull", "--quiet", name],
        ["docker", "rm", "--force", "one-staging"],
        ["docker", "run", "--detach", "--restart", "unless-stopped", "--name", "one-staging",
         "--label", f"deploybot.release={first}@{digest}", "--publish", f"127.0.0.1:{one.port}:8080", name]]
    second = one.commit("two")
    assert one.run("deploy.sh", "staging", second)[0] == 0 and f"ran before this: {first}@{digest}" in one.said()
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


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("words", [("target.sh", "production", "current"), ("rollback.sh", "production"),
                                   ("deploy.sh", "production", "a" * 40)], ids=" ".join)
def test_by_hand_as_another_user_than_the_runner_nothing_is_made_that_it_could_not_write(bench, words):
    apps = bench.state / "apps"
    apps.mkdir(exist_ok=True)
    os.chown(apps, 1, 1)
    status, said = bench.run(*words)
    sentence = f"{apps} belongs to daemon, and this runs as root: run it as daemon"
    assert status == 78 and said[-1].endswith(sentence), said
    assert not list(apps.iterdir())


@pytest.mark.parametrize("words", [
    [], ["staging"], ["staging", "destroy"], ["staging", "logs", "many"], ["staging", "current", "3"],
    ["moon", "current"], ["staging", "logs", "1", "x"],
    ["staging", "logs", "1", "2", "3"]], ids=str)
def test_target_checks_its_words(bench, words):
    assert bench.run("target.sh", *words)[0] == 64


def test_a_reason_is_said_once_where_nothing_is_said_behind_it(bench):
    status, said = bench.run("deploy.sh", "staging", "a" * 40)
    assert status == 64 and sum("is not in the repository" in line for line in said) == 1, said


# ---- a transport of one's own ------------------------------------------------------------------


def own(bench, **functions):
    """spy.sh with other functions, or more; as nomad."""
    text = (bench.deploy / "transports" / "spy.sh").read_text()
    text += "".join(f"{name}() {{ {body}; }}\n" for name, body in functions.items())
    (bench.deploy / "transports" / "nomad.sh").write_text(text)
    bench.environment["DEPLOY_TRANSPORT"] = "nomad"


def test_what_runs_is_known_without_a_newline_behind_it(bench):
    own(bench, transport_current='[[ ! -e $STAND/target ]] || printf %s "$(<"$STAND/target")"')
    commit, of = shipped(bench, "one")
    shipped(bench, "two")
    assert f"ran before this: {commit}@{of}" in bench.said()


@pytest.mark.parametrize("name", ["transport_drian", "transport_befor", "transport_end_migrations"])
def test_a_function_that_is_misspelt_is_refused(bench, name):
    own(bench, **{name: "echo never"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 78 and f"nomad.sh has a function {name}, which nobody calls: is it misspelt?" in said[-1], said
    assert bench.steps() == []


MIGRATES = {"transport_migrate": ":", "transport_await_migration": ":", "transport_end_migration": ":"}


@pytest.mark.parametrize("functions, says", [
    ({"transport_migrate": ":"}, "a function transport_migrate and no transport_"),
    ({"transport_migrate": ":", "transport_await_migration": ":"},
     "a function transport_await_migration and no transport_end_migration"),
    ({"transport_migrate": ":", "transport_end_migration": ":"},
     "a function transport_end_migration and no transport_await_migration"),
    ({"transport_end_migration": ":"}, "a function transport_end_migration and no transport_"),
    ({"nomad_leaves": "[[ -n $x ]] || drain_later"}, "says drain_later and has no function transport_drain")],
    ids=range(5))
def test_half_of_what_belongs_together_is_refused_before_anything_else(bench, functions, says):
    """Regression: a migration that was cut was called stopped, and what was replaced ran for ever."""
    own(bench, **functions)
    for words in (("deploy.sh", "staging", bench.commit("one")), ("target.sh", "staging", "preflight"),
                  ("drain.sh", "staging")):
        status, said = bench.run(*words)
        assert status == 78 and says in said[-1] and bench.steps() == [] and not (bench.stand / "spy").exists(), said


@pytest.mark.parametrize("ends, says", [(":", "migrate-stopped"), ("false", None)], ids=["stopped", "at work"])
def test_a_cut_migration_is_stopped_where_the_transport_has_seen_that(bench, ends, says):
    own(bench, **MIGRATES | {"transport_migrate": "fail 70 cut", "transport_end_migration": ends})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), MIGRATE_COMMAND="bin/migrate")
    assert status == 70 and bench.steps()[-1] == (says or "migrate") and "release" not in bench.steps(), said


def test_a_drain_is_called_alone(bench):
    own(bench, transport_drain='spy drain "$1"', transport_preflight="fail 70 never")
    status, said = bench.run("drain.sh", "staging", DEPLOYMENT_ID="7")
    assert status == 0 and bench.spied() == ["drain 7"], said


def test_a_question_for_what_ran_before_deploybot_is_ended_with_the_run(bench):
    own(bench, transport_before='touch "$STAND/asks"; limited 600 "a question" sleep 600; printf word')
    process = bench.start("deploy.sh", "staging", bench.commit("one"), PREVIOUS_RELEASE="", KILL_SECONDS="1")
    wait_for((bench.stand / "asks").exists, "the question", 60)
    process.terminate()
    assert process.wait(timeout=60) == 143, bench.said()
    own(bench, transport_before="printf word")
    assert bench.run("deploy.sh", "staging", bench.commit("two"), PREVIOUS_RELEASE="")[0] == 0
    assert "previous target:word" in bench.steps()
