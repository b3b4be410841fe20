"""Goal: old images go, on the target and in the registry; what any environment runs, ran before or is making stays; a
clean-up that fails is a warning."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib

import pytest

import commands_aid
from commands_aid import ECR, cleans, digest, goes_live
from copies_aid import once
from runner_client import wait_for


@once
def shipped(bench, text="one", environment="staging", **settings):
    commit, of = commands_aid.shipped(bench, text, environment, **settings)
    goes_live(bench, environment, commit)
    cleans(bench, environment, **settings)
    return commit, of


def deployed(bench, environment, commit, **settings):
    status, said = bench.run("deploy.sh", environment, commit, **settings)
    assert status == 0, said
    goes_live(bench, environment, commit)
    cleans(bench, environment, **settings)


def state_file(bench, environment, commit, image, previous, previous_image):
    (bench.state / "environments").mkdir(exist_ok=True)
    (bench.state / "environments" / f"{environment}.json").write_text(json.dumps({
        "environment": environment, "release": 9, "commit": commit, "image": image,
        "deployed_at": "2026-01-01T00:00:00Z",
        "previous": {"release": 8, "commit": previous, "image": previous_image}}, separators=(",", ":")) + "\n")


@pytest.mark.long
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
    # The transport is given what stays.
    assert set(bench.spied()[-1].split()[1:]) == {live[0][1], live[1][1], more[2][1], more[3][1]}
    # Also of what only a state file knows.
    state_file(bench, "production", live[0][0], live[0][1], "ef" * 20, "sha256:" + "ef" * 32)
    shipped(bench, "last", KEEP_RELEASES="2")
    assert "sha256:" + "ef" * 32 in bench.spied()[-1]


@pytest.mark.long
def test_what_waits_to_be_promoted_stays_while_its_source_goes_on(bench):
    _, waits = shipped(bench, "waits")
    (bench.state / "environments").mkdir(exist_ok=True)
    target = bench.state / "environments" / "production.json"
    target.write_text(json.dumps({"environment": "production", "promoted": [waits]}, separators=(",", ":")) + "\n")
    for i in range(6):
        shipped(bench, f"later {i}", KEEP_RELEASES="2")
    assert waits in bench.digests().values() and waits in bench.spied()[-1]
    target.unlink()
    shipped(bench, "last", KEEP_RELEASES="2")
    assert waits not in bench.digests().values() and waits not in bench.spied()[-1]


def applications(bench, **keep):
    """Files of applications with one repository and one image name; each keeps so many releases."""
    (bench.path / "apps").mkdir()
    for name, number in keep.items():
        (bench.path / "apps" / f"{name}.env").write_text(
            f"REPOSITORY_URL={bench.repository}\nREGISTRY_IMAGE=team/shop\nKEEP_RELEASES={number}\n")
    bench.environment.update(APPS_DIRECTORY=str(bench.path / "apps"))


@pytest.mark.long
def test_what_another_application_has_of_one_image_name_stays(bench):
    """How many it keeps is its own setting: what it took from there may not go because this one needs it no more."""
    applications(bench, shop=1, blog=5)
    commits = [bench.commit(f"shared {i}") for i in range(4)]
    for commit in commits[:2]:
        for name in ("shop", "blog"):
            deployed(bench, f"{name}/staging", commit)
    pushed = bench.state / "apps" / "blog.staging" / "images"
    assert [line.split()[4] for line in pushed.read_text().splitlines()] == ["found", "found"]
    for commit in commits[2:]:
        deployed(bench, "shop/staging", commit)
    assert set(bench.digests()) == set(commits), "of the third: what was live before stays"
    own = bench.commit("own"), bench.commit("last")
    for commit in own:
        deployed(bench, "shop/staging", commit)
    assert set(bench.digests()) == {*commits[:2], *own}, "its own old ones go"


@pytest.mark.long
def test_what_was_live_before_stays_however_long_ago_it_was(bench):
    first = shipped(bench, "first")
    for i in range(4):
        shipped(bench, f"tried {i}", KEEP_RELEASES="1", PREVIOUS_RELEASE=f"{first[0]}@{first[1]}")
        assert first[0] in bench.digests()


def test_two_commits_with_one_image_keep_it(bench):
    first = bench.commit("same")
    second = bench.commit("same")
    deployed(bench, "staging", first)
    deployed(bench, "staging", second)
    assert bench.digests()[first] == bench.digests()[second]
    deployed(bench, "staging", second, KEEP_RELEASES="1")
    assert second in bench.digests()


def test_images_that_ci_pushed_are_cis(bench):
    commits = []
    for i in range(3):
        commit = bench.commit(f"ci {i}")
        manifest = json.dumps({"schemaVersion": 2, "number": i})
        world = bench.world()
        world["registry"].setdefault(bench.image, {}).update({commit: manifest, digest(manifest): manifest})
        bench.change_world(**world)
        deployed(bench, "staging", commit, IMAGE_SOURCE="registry", KEEP_RELEASES="1")
        commits.append(commit)
    assert set(bench.digests()) == set(commits) and not [call for call in bench.calls("curl") if "DELETE" in call]


@pytest.mark.long
def test_a_registry_that_deletes_nothing_is_a_warning(bench):
    shipped(bench, "one")
    bench.change_world(answers={"DELETE": [405, {}, ""]})
    for i in range(2):
        shipped(bench, f"more {i}", KEEP_RELEASES="1")
    assert any("warning: the registry does not delete" in line and "405" in line for line in bench.said())
    assert not said_removed(bench)
    bench.change_world(answers={})
    shipped(bench, "last", KEEP_RELEASES="1")
    assert len(bench.digests()) == 2, "and what stayed is tried again: the last, and what ran before it"


@pytest.mark.long
def test_a_clean_up_that_hangs_is_a_warning(bench):
    """The release is up: to fail it now would roll it back."""
    shipped(bench, "one")
    shipped(bench, "two")
    bench.plan({"when": ["curl"], "hang": True, "after": 3})
    shipped(bench, "three", KEEP_RELEASES="1", REGISTRY_SECONDS="10", KILL_SECONDS="1")
    assert any("took longer than" in line for line in bench.said())
    assert "warning: the clean-up was not finished" in bench.said()[-1]
    bench.plan()
    shipped(bench, "four", KEEP_RELEASES="1")
    assert len(bench.digests()) == 2


@pytest.mark.long
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


@pytest.mark.long
def test_nothing_is_removed_while_another_environment_makes_its_image(bench):
    shipped(bench, "one")
    bench.plan({"when": ["docker", "build"], "hang": True})
    process = bench.start("deploy.sh", "production", bench.commit("slow"))
    bench.until_hangs()
    bench.plan()
    shipped(bench, "two", KEEP_RELEASES="1")
    shipped(bench, "three", KEEP_RELEASES="1")
    shipped(bench, "four", KEEP_RELEASES="1")
    assert len(bench.digests()) == 4 and any("the next deployment cleans up" in line for line in bench.said())
    bench.kill_session(process)
    assert bench.run("deploy.sh", "production", bench.commit("next"))[0] == 0    # and takes its private folders away


def waits_for_the_images(bench, process):
    for pid in bench.session(process):
        try:
            words = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if words[:3] == [b"flock", b"--shared", b"7"]:
            return True
    return False


@pytest.mark.long
def test_who_makes_an_image_waits_for_one_delete_at_most(bench):
    """The others are left to the next clean-up.  It had the lock for all of them, and deployments failed."""
    for text in ("one", "two", "three"):
        shipped(bench, text)
    deletes, go = bench.path / "deletes", bench.path / "go"
    bench.wrap("curl", f"""if [[ "$*" == *DELETE* ]]; then
	echo "$$" >>{deletes}
	until [[ -e {go} ]]; do sleep 0.1; done
fi""")
    goes_live(bench, "staging", commands_aid.shipped(bench, "four", PREVIOUS_RELEASE="")[0])
    removes = bench.start("drain.sh", "staging", KEEP_RELEASES="1")
    log = bench.log
    wait_for(deletes.exists, "the first delete", 60)
    makes = bench.start("deploy.sh", "production", bench.commit("five"), PREVIOUS_RELEASE="")
    wait_for(lambda: waits_for_the_images(bench, makes), "the wait for it", 60)
    go.touch()
    assert makes.wait(timeout=120) == 0, bench.said()
    assert removes.wait(timeout=120) == 0 and "the next deployment cleans up" in log.read_text()
    assert len(deletes.read_text().splitlines()) == 1
    shipped(bench, "six", KEEP_RELEASES="1", PREVIOUS_RELEASE="")
    assert len(bench.digests()) == 3, "what is live before it, what is live, and production's"


@pytest.mark.long
@pytest.mark.parametrize("name", ["apps/production/before", "apps/production/images", "environments/production.json"])
def test_a_file_that_cannot_be_read_keeps_all_images(bench, name):
    """A folder: root may read every file."""
    shipped(bench, "one")
    shipped(bench, "two")
    (bench.state / name).parent.mkdir(parents=True, exist_ok=True)
    (bench.state / name).mkdir()
    before = bench.digests()
    shipped(bench, "three", KEEP_RELEASES="1", PREVIOUS_RELEASE="")
    assert before.items() <= bench.digests().items() and not [s for s in bench.spied() if s.startswith("clean")][2:]
    assert any(f"{name} cannot be read, and may name an image that is needed: nothing old is removed" in line
               for line in bench.said())
    assert "warning: the clean-up was not finished" in bench.said()[-1]


@pytest.mark.long
def test_a_target_whose_clean_up_hangs_keeps_neither_the_release_nor_the_registry_waiting(bench):
    """Each has a deadline of its own: one was for nothing, and the run's own ended a release that was live."""
    for text in ("one", "two"):
        shipped(bench, text)
    (bench.stand / "clean.hang").touch()
    shipped(bench, "three", KEEP_RELEASES="1", PREVIOUS_RELEASE="", CLEAN_SECONDS="3", KILL_SECONDS="1")
    assert "warning: the clean-up was not finished; the next deployment continues it" in bench.said()
    assert len(bench.digests()) == 2, "what ran before, and what runs"


@pytest.mark.parametrize("keep", [1, pytest.param(3, marks=pytest.mark.long)])
def test_so_many_releases_that_were_live_are_kept_and_no_more(bench, keep):
    """The number itself, and that of before the last: what ran before counts as one of them."""
    live = [shipped(bench, f"live {i}", KEEP_RELEASES=str(keep), PREVIOUS_RELEASE="")[0] for i in range(keep + 2)]
    (bench.state / "apps" / "staging" / "before").write_text("\n")
    cleans_by_hand(bench, KEEP_RELEASES=str(keep))
    assert set(bench.digests()) == set(live[-keep:])


@pytest.mark.long
def test_what_a_rollback_brought_back_stays_however_long_ago_it_was_made(bench):
    """Regression: counted by when it was made, what a team had fled to went before what it had fled from."""
    first, fled = shipped(bench, "first")[0], [shipped(bench, f"fled {i}")[0] for i in range(3)]
    goes_live(bench, "staging", first)
    newer = [shipped(bench, f"newer {i}", KEEP_RELEASES="3", PREVIOUS_RELEASE="")[0] for i in range(2)]
    assert set(bench.digests()) == {first, fled[-1], *newer}


def cleans_by_hand(bench, **settings):
    status, said = bench.run("clean.sh", "staging", RUN_ID="", DEPLOYBOT_SETTINGS="checked", **settings)
    assert status == 0, said


def said_removed(bench):
    """Of what the server reads that nobody can roll back to it."""
    return {step.partition(" ")[2] for step in bench.steps() if step.startswith("removed ")}


@pytest.mark.long
def test_tries_that_failed_never_push_out_what_was_live(bench):
    """Regression: a try that never ran counted as a release, and six of them left nothing to roll back to."""
    live = [shipped(bench, f"live {i}", KEEP_RELEASES="2")[0] for i in range(2)]
    tried = [commands_aid.shipped(bench, f"tried {i}")[0] for i in range(4)]
    had = bench.digests()
    assert set(had) == {*live, *tried}, "nothing is removed before the health gate"
    last = shipped(bench, "good", KEEP_RELEASES="2", PREVIOUS_RELEASE="")[0]
    assert set(bench.digests()) == {live[1], *tried[-2:], last}
    assert said_removed(bench) == {had[commit][:39] for commit in (live[0], *tried[:2])}


@pytest.mark.long
def test_lines_of_before_count_as_live(bench):
    """Those that no server had marked as tries."""
    old = [commands_aid.shipped(bench, f"old {i}", RUN_ID="", DEPLOYBOT_SETTINGS="checked", KEEP_RELEASES="9")[0]
           for i in range(4)]
    file = bench.state / "apps" / "staging" / "images"
    assert "tried" not in file.read_text()
    shipped(bench, "new", KEEP_RELEASES="3", PREVIOUS_RELEASE="")
    assert set(bench.digests()) >= set(old[-2:]) and not set(bench.digests()) & set(old[:2])


@pytest.mark.long
def test_one_that_is_killed_harms_nothing_and_the_next_one_continues_it(bench):
    shipped(bench, "one")
    shipped(bench, "two")
    commit = commands_aid.shipped(bench, "three", KEEP_RELEASES="1", PREVIOUS_RELEASE="")[0]
    goes_live(bench, "staging", commit)
    bench.plan({"when": ["curl"], "hang": True, "after": 0})
    process = bench.start("drain.sh", "staging", KEEP_RELEASES="1", PREVIOUS_RELEASE="")
    bench.until_hangs()
    bench.plan()
    # Meanwhile the next one goes, and waits for nothing.
    status, said = bench.run("deploy.sh", "staging", bench.commit("four"), PREVIOUS_RELEASE="")
    assert status == 0, said
    bench.kill_session(process)
    assert len(bench.digests()) == 4
    goes_live(bench, "staging", git_head(bench))
    cleans(bench, "staging", KEEP_RELEASES="1", PREVIOUS_RELEASE="")
    assert set(bench.digests()) == {commit, git_head(bench)}, "what runs, and what ran before"
    assert not (bench.state / "apps" / "staging" / "clean").exists()


def git_head(bench):
    return commands_aid.git(bench.repository, "rev-parse", "HEAD")


@pytest.mark.long
def test_an_engine_that_hangs_does_not_end_the_clean_up(bench):
    shipped(bench, "one")
    bench.plan({"when": ["docker", "image", "rm"], "hang": True})
    for text in ("two", "three"):
        shipped(bench, text, KEEP_RELEASES="1", PREVIOUS_RELEASE="", DOCKER_SECONDS="2", KILL_SECONDS="1")
    assert len(bench.digests()) == 2 and os.path.exists(bench.stand / "hangs")
