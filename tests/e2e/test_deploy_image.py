"""Goal: what deploy.sh and rollback.sh say to docker, aws and curl is known word by word; no password is where others
look; no registry is believed; what cannot be meant or fails is said with what to do."""
# SPDX-License-Identifier: ISC
import json
import os
import re

import pytest

from commands_aid import ECR, PASSWORD, digest, password_file, private_folders, shipped

MANIFESTS = "Accept: " + ", ".join(f"application/vnd.{kind}+json" for kind in (
    "oci.image.index.v1", "oci.image.manifest.v1", "docker.distribution.manifest.list.v2",
    "docker.distribution.manifest.v2"))


def curl(reference, method="GET", host="https://registry.example.org", name="team/shop"):
    return ["curl", "--disable", "--config", "-", "--silent", "--show-error", "--proto", "=http,https",
            "--connect-timeout", "15", "--max-time", "60", "--max-filesize", "4194304", "--dump-header", "PRIVATE/head",
            "--output", "PRIVATE/body", "--write-out", "%{http_code}", "--request", method, "--header", MANIFESTS, "--",
            f"{host}/v2/{name}/manifests/{reference}"]


VERSION = ["docker", "version", "--format", "{{.Client.Version}} {{.Server.Os}}/{{.Server.Arch}} "
           "{{range .Server.Components}}{{.Name}},{{end}}"]
BUILDX = ["docker", "buildx", "version"]


def built(bench):
    """What docker was asked to do, beside what it is."""
    return [call[1] for call in bench.calls("docker") if call[1] not in ("version", "buildx", "info")]


def plain(calls):
    """With the names of private folders, which are new each time, as PRIVATE."""
    return [[re.sub(r"/dev/shm/deploybot\.\d+\.\d+", "PRIVATE", word) for word in call] for call in calls]


# ---- exact words -------------------------------------------------------------------------------


def test_build_push_and_ship_word_by_word(bench):
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 0, said
    work, tag = f"{bench.state}/apps/staging/build", f"{bench.image}:{commit}"
    assert plain(bench.calls()) == [
        VERSION, BUILDX,
        curl(commit),
        ["docker", "build", "--pull", "--build-arg", "BUILDKIT_INLINE_CACHE=1", "--file", f"{work}/Dockerfile",
         "--build-arg", f"COMMIT={commit}", "--label", f"org.opencontainers.image.revision={commit}",
         "--tag", tag, work],
        ["docker", "push", tag],
        ["docker", "image", "inspect", "--format", '{{join .RepoDigests "\\n"}}', tag],
        curl(commit)]
    digest = bench.digests()[commit]
    assert bench.steps() == ["preflight", "checkout", "git fetch", "build", "push", f"image {digest}", "release",
                             "clean-later"]
    # By digest, never by a tag, which may point elsewhere tomorrow.
    assert bench.spied() == ["preflight", f"pull {bench.image}@{digest}", f"ship {commit}@{digest}"]
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


def test_ecr_word_by_word(bench):
    bench.change_world(password="twelve-hours")
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, REGISTRY_URL=ECR)
    assert status == 0, said
    calls = plain(bench.calls())
    assert calls[2] == ["aws", "ecr", "get-login-password", "--region", "eu-west-1"]
    assert calls[3] == curl(commit, host=f"https://{ECR}")
    assert ["docker", "login", "--username", "AWS", "--password-stdin", ECR] == calls[4]
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


@pytest.mark.parametrize("realm, settings", [
    ("https://auth.example.org/token", {"REGISTRY_REALMS": "id.example.org:8443,auth.example.org"}),
    pytest.param("https://registry.example.org:8443/token", {}, marks=pytest.mark.long)])
def test_a_registry_that_wants_a_token_gets_one(bench, realm, settings):
    bench.change_world(bearer=realm)
    shipped(bench, **password_file(bench), **settings)
    asked = [record["words"][-1] for record in bench.records() if record.get("name") == "curl"]
    assert asked[1] == f"{realm}?service=registry.example.org&scope=repository:team/shop:pull"
    read = [record.get("stdin") for record in bench.records()]
    assert 'header = "Authorization: Bearer token.of-the_realm=="\n' in read


@pytest.mark.parametrize("realm", ["auth.example.org", "registry.example.org.evil.example", "registry.example.organ",
                                   "evil.example/registry.example.org", "example.org"])
def test_no_password_goes_where_the_registry_alone_says(bench, realm):
    bench.change_world(bearer=f"https://{realm}/token")
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench), REGISTRY_REALMS="a.example.org")
    host = realm.partition("/")[0]
    assert status == 66, said
    assert f"wants our login sent to {host}, which gets it only where REGISTRY_REALMS names it" in said[-1]
    assert not [call for call in bench.calls() if "token?" in call[-1]]


def test_no_password_goes_to_a_token_server_in_clear(bench):
    bench.change_world(bearer="http://auth.example.org/token")
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", commit, **password_file(bench))
    assert status == 66 and "HTTP 401" in said[-1]
    assert not [call for call in bench.calls() if "auth.example.org" in call[-1]]


@pytest.mark.long
@pytest.mark.parametrize("url,image,api", [
    ("127.0.0.1:5000", "127.0.0.1:5000/team/shop", "http://127.0.0.1:5000/v2/team/shop/"),
    ("localhost:5000", "localhost:5000/team/shop", "http://localhost:5000/v2/team/shop/"),
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
    assert bench.steps() == ["preflight", f"image {digest}", "release", "clean-later"]
    status, said = bench.run("deploy.sh", "production", bench.commit("two"), IMAGE_SOURCE="registry")
    assert status == 66 and "CI has not pushed" in said[-1] and "IMAGE_SOURCE=build" in said[-1]


@pytest.mark.long
def test_an_image_that_is_there_is_not_built_again_unless_that_is_wanted(bench):
    commit, _ = shipped(bench)
    bench.forget_calls()
    assert bench.run("deploy.sh", "production", commit)[0] == 0
    assert built(bench) == []
    assert bench.run("deploy.sh", "production", commit, BUILD_AGAIN="true")[0] == 0
    assert built(bench)[:2] == ["build", "push"]


# ---- the image that somebody approved ---------------------------------------------------------


def push_again(bench, commit):
    """Somebody's other image under the same tag; its digest."""
    registry = bench.world()["registry"]
    registry[bench.image][commit] = manifest = '{"schemaVersion": 2, "of": "somebody else"}'
    registry[bench.image][digest(manifest)] = manifest
    bench.change_world(registry=registry)
    return digest(manifest)


@pytest.mark.parametrize("source", ["registry", "build"])
def test_the_image_that_was_approved_is_shipped_and_no_other(bench, source):
    commit, approved = shipped(bench)
    (bench.stand / "target").unlink()
    status, said = bench.run("deploy.sh", "production", f"{commit}@{approved}", IMAGE_SOURCE=source)
    assert status == 0 and bench.target() == f"{commit}@{approved}", said
    (bench.stand / "target").unlink()
    other = push_again(bench, commit)
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "production", f"{commit}@{approved}", IMAGE_SOURCE=source)
    assert status == 66 and bench.target() == "" and "release" not in bench.steps()
    assert f"another image of {commit[:12]} ({other[:19]}) than the one that was approved ({approved[:19]})" in said[-1]
    bench.change_world(registry={})
    status, said = bench.run("deploy.sh", "production", f"{commit}@{approved}", IMAGE_SOURCE=source)
    assert status == 66 and bench.target() == "" and not built(bench)   # what is built is another one
    assert said[-1].endswith(
        f"no longer has the image of {commit[:12]} that was approved ({approved[:19]}), so nothing was changed: deploy "
        f"{commit[:12]} again, and what it is made of then is asked for anew")


@pytest.mark.parametrize("source", ["registry", "build"])
def test_what_is_promoted_is_asked_for_by_its_digest_whatever_its_tag_is_by_now(bench, source):
    commit, live = shipped(bench)
    (bench.stand / "target").unlink()
    push_again(bench, commit)
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "production", f"{commit}@{live}", IMAGE_SOURCE=source, PROMOTED="true")
    assert status == 0 and bench.target() == f"{commit}@{live}", said
    assert built(bench) == [] and curl(live) in plain(bench.calls()) and curl(commit) not in plain(bench.calls())
    noted = (bench.state / "apps" / "production" / "images").read_text().split()
    assert noted[1:3] == [commit, live] and noted[4] == "found"


def test_a_promoted_image_that_is_gone_stops_it_before_anything_is_changed(bench):
    commit, live = shipped(bench)
    (bench.stand / "target").unlink()
    push_again(bench, commit)
    registry = bench.world()["registry"]
    del registry[bench.image][live]
    bench.change_world(registry=registry)
    status, said = bench.run("deploy.sh", "production", f"{commit}@{live}", PROMOTED="true")
    assert status == 66 and bench.target() == "" and "release" not in bench.steps()
    assert f"no longer has the image of {commit[:12]} that its source runs ({live[:19]}), so nothing" in said[-1]


def test_an_approved_image_that_is_gone_is_not_waited_for_where_ci_builds_none(bench):
    commit = bench.commit("one")
    status, said = bench.run("deploy.sh", "staging", f"{commit}@sha256:{'1' * 64}", IMAGE_WAIT_SECONDS="900")
    assert status == 66 and "wait for CI's image" not in bench.steps() and "IMAGE_SOURCE" not in said[-1], said


@pytest.mark.long
def test_an_image_that_was_not_pushed_from_here_is_not_shipped_but_built_anew(bench):
    """Regression: what a host with a login had pushed as a commit of staging's was production's next release."""
    commit, ours = shipped(bench)
    (bench.stand / "target").unlink()
    theirs = push_again(bench, commit)
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "production", commit)
    assert status == 0 and built(bench)[:2] == ["build", "push"], said
    assert theirs not in bench.target() and theirs not in "\n".join(bench.spied())
    assert f"has an image of {commit[:12]} ({theirs[:19]}) that was not pushed from here" in "\n".join(said)
    # One that we never made, and what is noted of another commit, are no different; ours is found again.
    other = bench.commit("two")
    theirs = push_again(bench, other)
    note = bench.state / "apps" / "staging" / "images"
    note.write_text(note.read_text() + f"9 {commit} {theirs} 2026-01-01T00:00:00Z pushed\n"
                    f"9 {other} {theirs} 2026-01-01T00:00:00Z found\n")
    assert bench.run("deploy.sh", "production", other)[0] == 0 and theirs not in bench.target() and ours
    bench.forget_calls()
    assert bench.run("deploy.sh", "staging", other)[0] == 0 and not built(bench)


def test_no_rollback_by_a_commit_alone_to_an_image_that_was_not_pushed_from_here(bench):
    commit = bench.commit("one")
    bench.change_world(registry={bench.image: {}})
    push_again(bench, commit)
    status, said = bench.run("rollback.sh", "production", commit)
    assert status == 64 and "release" not in bench.steps(), said


@pytest.mark.parametrize("word", ["@sha256:abc", "@", "@latest"])
def test_a_commit_with_anything_but_a_digest_behind_it_is_none(bench, word):
    status, said = bench.run("deploy.sh", "staging", bench.commit("one") + word)
    assert status == 64 and "no release" in said[-1] and not bench.calls()


def asked(bench, commit, **settings):
    """The line of git's answer about its image, as a question for it gets it."""
    status, said = bench.run("commits.sh", "commits", commit, "main", "", "", "", ENVIRONMENT="staging", **settings)
    assert status == 0 and said[-1] == "end", said
    return [line for line in said if line.startswith("image ")]


@pytest.mark.long
def test_a_question_knows_the_image_of_its_commit(bench):
    commit, pushed = shipped(bench)
    secret = password_file(bench)
    bench.forget_calls()
    assert asked(bench, commit, IMAGE_SOURCE="registry", **secret) == [f"image {pushed}"]
    assert not bench.calls("docker") and not private_folders(bench)
    assert asked(bench, bench.commit("two"), IMAGE_SOURCE="registry", **secret) == ["image none"]
    assert asked(bench, commit, IMAGE_SOURCE="registry", REGISTRY_URL=None) == ["image unknown"]
    assert asked(bench, commit, IMAGE_SOURCE="registry") == ["image unknown"]     # without a login
    assert asked(bench, commit) == ["image build"]
    assert not asked(bench, commit, DEPLOY_TRANSPORT="local")
    assert not asked(bench, commit, DEPLOY_SCRIPT="/srv/deploy.sh")
    assert bench.spied() == []


@pytest.mark.long
def test_a_registry_that_hangs_does_not_keep_a_question(bench):
    commit, _ = shipped(bench)
    bench.plan({"when": ["curl"], "hang": True})
    text = (bench.deploy / "commits.sh").read_text().replace("IMAGE_SECONDS=12", "IMAGE_SECONDS=1")
    (bench.deploy / "commits.sh").unlink()
    (bench.deploy / "commits.sh").write_text(text)
    (bench.deploy / "commits.sh").chmod(0o755)
    assert asked(bench, commit, IMAGE_SOURCE="registry") == ["image unknown"]
    assert not private_folders(bench)


@pytest.mark.long
def test_by_hand_the_registry_says_which_image_it_has(bench):
    commit, pushed = shipped(bench)
    status, said = bench.run("target.sh", "staging", "image", commit)
    assert (status, said) == (0, [pushed])
    status, said = bench.run("target.sh", "staging", "image", "ab" * 20)
    assert status == 64 and "has no image team/shop of abababababab" in said[-1]
    for words in (["image"], ["image", "main"], ["current", "5"]):
        status, said = bench.run("target.sh", "staging", *words)
        assert status == 64, said


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


def test_a_rollback_by_hand_stops_before_a_barrier(bench):
    """Regression: nothing was asked, warned or printed."""
    one, digest = shipped(bench, "one")
    (bench.repository / ".deploybot").mkdir()
    (bench.repository / ".deploybot" / "no-rollback").write_text("drops column price\n")
    two, _ = shipped(bench, "two")
    to = f"{one}@{digest}"
    (bench.state / "apps" / "staging" / "migrated").write_text(f"ran {two} 2026-01-02\n")
    status, said = bench.run("rollback.sh", "staging", to, RUN_ID=None)
    says = f"warning: a rollback to {one[:12]} goes past {two[:12]}: drops column price (.deploybot/no-rollback)"
    assert status == 64 and says in said and "release" not in bench.steps(), said
    says = f"warning: the migration of {two[:12]} ran (2026-01-02): a rollback does not undo it, "
    assert f"{says}the database stays as it is" in said, said
    status, said = bench.run("rollback.sh", "staging", to, RUN_ID=None, REPOSITORY_URL=str(bench.path / "other"))
    assert status == 0 and any("lies between was not looked at" in line for line in said), said
    assert bench.run("deploy.sh", "staging", two)[0] == 0
    for words, settings in (([to, "--past"], {"RUN_ID": None}), ([to], {}), ([to], {"RUN_ID": None})):
        status, said = bench.run("rollback.sh", "staging", *words, **settings)
        assert status == 0 and "goes past" not in "\n".join(said) and "looked at" not in "\n".join(said), said


@pytest.mark.long
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


@pytest.mark.long
def test_a_registry_that_is_down_does_not_stop_a_rollback(bench):
    first, digest = shipped(bench, "one")
    shipped(bench, "two")
    bench.plan({"when": ["curl"], "status": 7, "stderr": "curl: (7) refused\n"})
    status, said = bench.run("rollback.sh", "staging", f"{first}@{digest}")
    assert status == 0 and any("warning" in line for line in said) and bench.target() == f"{first}@{digest}"


@pytest.mark.long
def test_what_cannot_be_gone_back_to_is_said_before_the_release(bench):
    first, digest = shipped(bench, "one")
    kept = bench.world()["registry"]
    commit = bench.commit("two")
    bench.change_world(registry={})
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE=f"{first}@{digest}")
    assert status == 0 and bench.steps()[-3:] == ["no-rollback", "release", "clean-later"], said
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
    ({"BUILD_NO_CACHE": "perhaps"}, 78, "BUILD_NO_CACHE"),
    ({"REGISTRY_USER": "a:b"}, 78, "REGISTRY_USER"),
    ({"IMAGE_SOURCE": "both"}, 78, "IMAGE_SOURCE"),
    ({"KEEP_RELEASES": "0"}, 78, "KEEP_RELEASES: \"0\" is not a number, 1 to 1000"),
    ({"DEPLOYMENT_ID": "1;id"}, 64, "DEPLOYMENT_ID"),
    ({"PREVIOUS_RELEASE": "main"}, 64, "no release"),
    ({"DEPLOY_TRANSPORT": "pigeon"}, 78, "there are: local spy"),
    ({"DEPLOY_TRANSPORT": "../x"}, 78, "DEPLOY_TRANSPORT"),
    ({"REPOSITORY_URL": "/nowhere"}, 69, "REPOSITORY_URL"),
    ({"HOOKS_DIRECTORY": "hooks"}, 78, "HOOKS_DIRECTORY"),
    ({"HOOKS_DIRECTORY": "/nowhere/hooks"}, 78, "/nowhere")], ids=str)
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
    assert not built(bench)


@pytest.mark.parametrize("plan,status,text", [
    ({"when": ["docker", "build"], "status": 1, "stderr": "no space left\n"}, 65, "docker build failed with status 1"),
    ({"when": ["docker", "login"], "status": 1, "stderr": "unauthorized\n"}, 66, "refuses the login of robot"),
    pytest.param({"when": ["docker", "push"], "status": 1, "stderr": "denied\n"}, 66, "did not take team/shop",
                 marks=pytest.mark.long),
    pytest.param({"when": ["docker", "image"], "status": 1}, 66, "docker does not know", marks=pytest.mark.long),
    ({"when": ["curl"], "status": 6, "stderr": "curl: (6) no such host\n"}, 66, "cannot be reached"),
    pytest.param({"when": ["curl"], "status": 28, "stderr": "curl: (28) timeout\n"}, 75, "took longer than 60 s",
                 marks=pytest.mark.long),
    pytest.param({"when": ["curl"], "status": 0, "stdout": "teapot"}, 66, "cannot be reached",
                 marks=pytest.mark.long)], ids=str)
def test_a_command_that_fails_is_said_with_what_to_do(bench, plan, status, text):
    bench.plan(plan)
    got, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_AGAIN_SECONDS="0",
                          **password_file(bench))
    assert (got, text in said[-1]) == (status, True), said
    assert "release" not in bench.steps() and bench.target() == ""
    (bench.stand / "plan").unlink()
    shipped(bench, "two", **password_file(bench))


GOOD = '{"schemaVersion": 2}'


@pytest.mark.parametrize("answer,text", [
    ([200, {}, "<html>Please log in</html>"], "nonsense"),
    pytest.param([200, {"Docker-Content-Digest": "sha256:12"}, GOOD], "nonsense", marks=pytest.mark.long),
    ([200, {"Docker-Content-Digest": "sha256:" + "0" * 64}, GOOD], "nonsense"),
    ([200, {"Docker-Content-Digest": digest("x")}, "x"], "nonsense"),
    pytest.param([200, {}, ""], "nonsense", marks=pytest.mark.long),
    ([301, {"Location": "https://evil.example.org/"}, ""], "HTTP 301"),
    ([401, {}, ""], "REGISTRY_USER"), ([403, {}, ""], "REGISTRY_USER"),
    pytest.param([429, {}, ""], "HTTP 429", marks=pytest.mark.long),
    pytest.param([500, {}, "oops"], "HTTP 500", marks=pytest.mark.long)], ids=str)
def test_a_registry_that_talks_nonsense_is_not_believed(bench, answer, text):
    bench.change_world(answers={"GET": answer})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), REGISTRY_AGAIN_SECONDS="0")
    assert status == 66 and text in said[-1], said
    assert not built(bench) and bench.target() == ""


def test_a_registry_that_has_another_image_than_was_pushed_is_not_believed(bench):
    bench.plan({"when": ["docker", "image", "inspect"], "status": 0, "stdout": f"{bench.image}@{digest('other')}\n"})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "another image" in said[-1] and bench.target() == ""


def test_a_registry_that_lost_what_was_pushed_is_not_believed(bench):
    bench.change_world(answers={"GET": [404, {}, ""]})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "does not have what was pushed" in said[-1]


@pytest.mark.long
def test_a_registry_that_does_not_stop_talking_is_cut_off(bench):
    """curl knows how long an answer is only when that is said before."""
    bench.change_world(answers={"GET": [200, {}, "x" * 9000000]})
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"))
    assert status == 66 and "more than 4194304 bytes" in said[-1], said
    assert "release" not in bench.steps()
