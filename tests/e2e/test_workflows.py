"""Goal: the workflows are what their head says: nothing unpinned, no right too many, no word of others in a command;
they go as far as was asked, build what was pushed, and name what is missing."""
# SPDX-License-Identifier: ISC
import datetime
import json
import os
import re
import subprocess

import pytest

from runner_client import ROOT
from commands.recorder import records_in
from workflow_aid import (CI_CD, ECR, GHCR, ID_TOKENS, SECRETS, SETTINGS, Workbench, every_workflow, read, shell_steps,
                          text_of)

SECRET = re.compile(r"\$\{\{ secrets\.(\w+)")
ATTEST = "actions/attest-build-provenance"
RELEASE = ".github/workflows/release.yml"
PUSH = "https://bot.example.org/v1/push"
TOKENS = ID_TOKENS["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=https://bot.example.org"
JWT = "eyJh-_.eyJp-_.c2ln-_"


@pytest.fixture
def ci(tmp_path, tools_folder):
    made = Workbench(tmp_path, tools_folder)
    yield made
    made.done()


# ---- the text ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", every_workflow())
def test_every_action_is_pinned_by_its_commit_with_the_version_beside_it(name):
    for line in re.findall(r"^[ -]*uses: *(.*)", text_of(name), re.M):
        assert re.fullmatch(
            r"\./\.github/workflows/[a-z-]+\.yml|[\w.-]+(/[\w.-]+){1,2}@[0-9a-f]{40} # v[0-9.]+", line), line


@pytest.mark.parametrize("name", every_workflow())
def test_no_job_has_a_right_that_it_does_not_use(name):
    workflow = read(name)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    for job in workflow["jobs"].values():
        uses = [step.get("uses", "").partition("@")[0] for step in job.get("steps", [])]
        scripts = "\n".join(step.get("run", "") for step in job.get("steps", []))
        rights = {**workflow["permissions"], **job.get("permissions", {})}
        needs = {"contents": "write" if "gh release create" in scripts else "read"}
        if {"aws-actions/configure-aws-credentials", ATTEST, "actions/deploy-pages"} & set(uses) or \
                "$ACTIONS_ID_TOKEN_REQUEST_URL" in scripts:
            needs["id-token"] = "write"
        if ATTEST in uses:
            needs["attestations"] = "write"
        if name == GHCR or "docker login --username \"$GITHUB_ACTOR\"" in scripts:
            needs["packages"] = "write"
        if "actions/deploy-pages" in uses:
            needs["pages"] = "write"
        assert set(rights.items()) <= set(needs.items()) and set(needs) - {"contents"} <= set(rights)
        for step in job.get("steps", []):
            if step.get("uses", "").startswith("actions/checkout"):
                assert step["with"]["persist-credentials"] is False
        assert "timeout-minutes" in job or job["uses"].startswith("./")


@pytest.mark.parametrize("name", every_workflow())
def test_nobodys_words_are_pasted_into_a_script(name):
    assert "pull_request_target" not in read(name)[True] and "workflow_run" not in read(name)[True]
    for job, step, script in shell_steps(name):
        # A matrix is written in the file itself.
        assert set(re.findall(r"\$\{\{(.*?)\}\}", script)) <= {" matrix.target "}, (job, step)


def test_secrets_reach_only_the_steps_that_need_them_and_each_is_looked_for_first():
    named = set()
    for name, job in read(CI_CD)["jobs"].items():
        assert "secrets." not in json.dumps({**job, "steps": []}), name
        used = set(SECRET.findall(json.dumps(job.get("steps", []))))
        named |= used
        if used:
            assert job["steps"][0]["name"] == SETTINGS
            looked = set(re.findall(r"need \"?([A-Z_${}^]+)", job["steps"][0]["run"]))
            looked |= {f"{e}_HOST" for e in ("STAGING", "PRODUCTION") if "${ENVIRONMENT^^}_HOST" in looked}
            assert used <= looked, name
    head = text_of(CI_CD).partition("name: ci-cd")[0]
    table = re.findall(r"^#   ([A-Z_]+)  +(?:all|ci|deploybot)  ", head, re.M)
    assert len(table) == 9 and set(table) == named == set(SECRETS)
    assert not [name for name in table if name.startswith("GITHUB_")], "GitHub takes no such name"


def test_what_speaks_for_github_is_no_secret_but_a_token_of_one_job():
    """Any branch's workflow reads the repository's secrets: it could name somebody else as who pushed."""
    jobs = read(CI_CD)["jobs"]
    assert [job for job in jobs if "ACTIONS_ID_TOKEN" in json.dumps(jobs[job])] == ["tell"]
    assert jobs["tell"]["permissions"] == {"id-token": "write"}
    assert set(SECRET.findall(json.dumps(jobs["tell"]))) == {"DEPLOYBOT_URL"}
    assert "DEPLOYBOT_WEBHOOK_SECRET" not in text_of(CI_CD)
    assert not [step for step in jobs["tell"]["steps"] if "uses" in step], "nobody else's code beside the token"


def test_what_terraform_is_asked_for_is_what_it_puts_out():
    text = text_of(CI_CD).replace("${ENVIRONMENT}", "staging")
    with open(os.path.join(ROOT, "deploy", "terraform", "outputs.tf"), encoding="utf-8") as file:
        there = set(re.findall(r'^output "(\w+)"', file.read(), re.M))
    asked = set(re.findall(r"terraform output -raw (\w+)", text))
    assert len(asked) == 5 and asked <= there


def test_a_deployment_in_progress_is_never_cancelled_by_the_next():
    workflow = read(CI_CD)
    assert workflow["jobs"]["deploy"]["concurrency"] == {
        "group": "deploy-${{ needs.plan.outputs.environment }}", "cancel-in-progress": False}
    assert workflow["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"
    assert workflow["jobs"]["deploy"]["environment"] == "${{ needs.plan.outputs.environment }}", "the gate"


def test_shellcheck_has_nothing_to_say_of_any_step(tmp_path):
    names = []
    for name in every_workflow():
        for number, (job, _, script) in enumerate(shell_steps(name)):
            names.append(tmp_path / f"{name.replace('/', '.')}.{job}.{number}.sh")
            names[-1].write_text("#!/bin/bash\nset -eo pipefail\n" + script.replace("${{ matrix.target }}", "target"))
    done = subprocess.run(["shellcheck", "-e", "SC2015,SC2317", *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_baseline_that_is_copied_knows_no_secret_yet():
    baseline = json.loads(text_of("deploy/github/secrets.baseline"))
    assert len(baseline["plugins_used"]) > 20 and baseline["results"] == {}
    assert {"path": "detect_secrets.filters.common.is_baseline_file", "filename": ".secrets.baseline"} in \
        baseline["filters_used"], "the name that it is copied to"


def test_what_is_copied_calls_only_what_is_copied_with_it():
    """In your repository all of them stand in .github/workflows/."""
    called = re.findall(r"uses: \./\.github/workflows/(.*)", text_of(CI_CD))
    there = {name.rpartition("/")[2] for name in every_workflow() if name.startswith("deploy/github/")}
    assert called == ["test.yml"] and there == {"ci-cd.yml", "ghcr.yml", "test.yml"}
    page = text_of("docs/INSTALLATION.md")
    for name in (*sorted(there), "secrets.baseline"):
        assert f"deploy/github/{name}" in page, name


def test_ours_runs_the_tests_and_lint_for_every_push_and_each_campaign_by_night():
    ours = read(".github/workflows/test.yml")
    assert {"push", "pull_request"} <= set(ours[True])
    assert ours["jobs"]["test"]["strategy"]["matrix"]["target"] == ["test smoke", "lint"]
    nightly = read(".github/workflows/nightly.yml")
    assert "schedule" in nightly[True]
    named = {word.split()[0] for word in nightly["jobs"]["nightly"]["strategy"]["matrix"]["target"]}
    targets = set(re.findall(r"^((?:check-[\w-]+ ?)+):", text_of("Makefile"), re.M))
    targets = {word for words in targets for word in words.split()}
    targets.remove("check-distribution")    # of every push
    assert len(targets) > 10 and named - {"analyze", "cover", "mutate", "fuzz", "soak"} == targets
    for name, its in ((".github/workflows/test.yml", "test"), (".github/workflows/nightly.yml", "nightly")):
        assert [script for job, _, script in shell_steps(name) if job == its][-1] == "make ${{ matrix.target }}"


def test_a_release_publishes_what_was_built_twice_scanned_and_checked_and_signs_it_alone():
    jobs = read(RELEASE)["jobs"]
    assert read(RELEASE)[True] == {"push": {"tags": ["v[0-9]*"]}}
    assert {job: needs if isinstance(needs, list) else [needs] for job, needs in
            ((job, body["needs"]) for job, body in jobs.items() if "needs" in body)} == {
                "package": ["notes"], "image": ["notes"], "images": ["package", "image"],
                "publish": ["package", "image", "images"], "apt": ["publish"]}
    order = {job: "\n".join(step.get("run", step.get("uses", "")) for step in body["steps"])
             for job, body in jobs.items()}
    assert order["package"].index("make deb") < order["package"].index("reproduce.sh") < \
        order["package"].index("upload-artifact")
    assert order["image"].index("trivy image") < order["image"].index("docker push")
    assert order["publish"].index("make release") < order["publish"].index(ATTEST) < \
        order["publish"].index("gh release create")
    for name in re.findall(r"deploy/release/[a-z-]+\.sh", "\n".join(order.values())):
        assert os.access(os.path.join(ROOT, name), os.X_OK), name
    # Nothing leaves before somebody has looked.
    looked_at = {"image": "release", "images": "release", "publish": "release", "apt": "github-pages"}
    for job, body in jobs.items():
        assert ("${{ secrets.RELEASE_SIGNING_KEY }}" in json.dumps(body)) == (job == "publish") and (
            body.get("environment") == looked_at.get(job)), job
    # An environment that is missing comes to be without anybody who looks: it lacks the secret.
    gate = jobs["image"]["steps"][0]
    assert gate["env"] == {"HAS_KEY": "${{ secrets.RELEASE_SIGNING_KEY != '' }}"}
    assert [subprocess.run(["bash", "-c", gate["run"]], env={"HAS_KEY": has}, stdout=subprocess.PIPE,
                           check=False).returncode for has in ("true", "false", "")] == [0, 1, 1]
    architectures = [entry["architecture"] for entry in jobs["package"]["strategy"]["matrix"]["include"]]
    assert architectures == ["amd64", "arm64"]
    assert jobs["image"]["strategy"] == jobs["package"]["strategy"]


def test_every_push_is_built_on_three_systems_and_as_images_that_are_scanned():
    jobs = read(".github/workflows/test.yml")["jobs"]
    assert jobs["distribution"]["strategy"]["matrix"]["system"] == ["debian:12", "debian:13", "ubuntu:24.04"]
    assert jobs["distribution"]["steps"][-1]["run"] == "make check-distribution"
    said = [script for job, _, script in shell_steps(".github/workflows/test.yml") if job == "images"]
    assert said[0].startswith("make images")
    scan = "trivy image --scanners vuln --severity CRITICAL --ignorefile .trivyignore.yaml --exit-code 1 "
    assert scan in said[1] and any(scan in script for _, _, script in shell_steps(RELEASE))


def test_a_critical_weakness_without_a_fix_fails_but_where_it_is_listed_until_a_day():
    """Regression: what had no fix was passed over for ever, and by everybody."""
    for name in every_workflow():
        assert "--ignore-unfixed" not in text_of(name), name
    listed = read(".trivyignore.yaml")
    assert list(listed) == ["vulnerabilities"]
    for entry in listed["vulnerabilities"]:
        assert set(entry) == {"id", "expired_at", "statement"} and re.fullmatch(r"CVE-\d{4}-\d+", entry["id"]), entry
        assert isinstance(entry["expired_at"], datetime.date) and len(entry["statement"]) > 20, entry


def test_dependabot_looks_after_actions_bases_and_what_lint_takes():
    updates = read(".github/dependabot.yml")["updates"]
    assert {update["package-ecosystem"] for update in updates} == {"github-actions", "docker", "docker-compose", "npm"}
    images = re.findall(r"^    image: \$\{\w+:-(.*)\}$", text_of("docker-compose.yml"), re.M)
    pinned = [image for image in images if not image.startswith("deploybot-")]
    assert len(pinned) == 5     # with the tag that it follows; a digest alone would follow latest
    assert all(re.fullmatch(r"[a-z/-]+:v?[0-9][a-z0-9.-]+@sha256:[0-9a-f]{64}", image) for image in pinned), pinned
    for update in updates:
        for folder in update.get("directories", [update.get("directory")]):
            assert os.path.isdir(ROOT + folder) and update["schedule"]["interval"] == "weekly", folder


# ---- how far a run goes --------------------------------------------------------------------------


@pytest.mark.parametrize("mode,event,branch,out", [
    ("deploybot", "push", "main", ("deploybot", "production")), ("ci", "push", "develop", ("ci", "staging")),
    ("build", "push", "main", ("build", "production")), ("ci", "pull_request", "main", ("", "")),
    ("ci", "push", "feature/develop", ("", "")), ("", "push", "main", ("", "production"))])
def test_a_push_goes_as_far_as_the_mode_says_and_a_pull_request_is_tested(ci, mode, event, branch, out):
    ci.context["vars"]["DEPLOYBOT_MODE"] = mode
    ci.more = {"GITHUB_EVENT_NAME": event, "GITHUB_REF": f"refs/heads/{branch}"}
    assert ci.job("plan")[0] == 0, ci.said
    assert ci.outputs("plan") == {"mode": out[0], "environment": out[1]}
    assert bool(ci.said) == (mode == ""), "a fork is told why nothing more happens"


def test_a_mode_that_is_none_is_refused(ci):
    ci.context["vars"]["DEPLOYBOT_MODE"] = "yes"
    assert ci.job("plan")[0] == 1 and "none of deploybot, build and ci" in ci.said[-1]


@pytest.mark.parametrize("job,environment", [
    ("build", "staging"), ("tell", "staging"), ("deploy", "staging"), ("deploy", "production"), ("notify", "staging")])
def test_every_secret_that_is_missing_is_named_with_where_it_comes_from(ci, job, environment):
    ci.plan("ci", environment)
    ci.context["vars"] = {}
    steps = json.dumps(read(CI_CD)["jobs"][job]["steps"])
    wanted = set(SECRET.findall(steps))
    wanted -= {"staging": {"PRODUCTION_HOST"}, "production": {"STAGING_HOST"}}[environment]
    assert wanted
    for name in wanted:
        ci.context["secrets"] = {**SECRETS, name: ""}
        status, ran = ci.job(job)
        assert status == 1 and ran == [SETTINGS] and name in ci.said[-1], (name, ci.said)
        assert any(line.startswith(f"::error::{name} is not set. It comes from: ") for line in ci.said), ci.said
    ci.context["secrets"] = {}
    assert ci.job(job)[0] == 1 and all(name in ci.said[-1] for name in wanted)
    assert not list(ci.temp.iterdir()) and not ci.calls("docker") + ci.calls("curl")


# ---- secrets scan --------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict,status,text", [
    (0, 0, None), (3, 0, "stand elsewhere"), (1, 1, "looks like a secret"), (2, 1, "looks like a secret")])
def test_the_scan_asks_of_every_file_and_fails_on_what_the_baseline_does_not_know(ci, verdict, status, text):
    package = ci.work / "detect-secrets" / "detect_secrets"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "pre_commit_hook.py").write_text(
        f"import sys; open('asked', 'w').write(repr(sys.argv[1:])); sys.exit({verdict})")
    (ci.bin / "sudo").write_text("#!/bin/bash\n")       # installs two modules where they are missing
    (ci.bin / "sudo").chmod(0o755)
    assert ci.job("scan")[0] == 1 and "no .secrets.baseline" in ci.said[-1]
    subprocess.run("git init -q && touch .secrets.baseline 'a b' --  -c && git add -- .secrets.baseline 'a b' -c",
                   shell=True, cwd=ci.work, check=True)
    assert ci.job("scan")[0] == status, ci.said
    assert (ci.work / "asked").read_text() == repr(
        ["--no-verify", "--baseline", ".secrets.baseline", "--", "-c", ".secrets.baseline", "a b"])
    assert text is None or text in ci.said[-1]


# ---- build ---------------------------------------------------------------------------------------


@pytest.fixture
def building(ci):
    ci.plan("deploybot", "staging")
    ci.context["vars"] = {"ECR_REPOSITORY": "team/shop"}
    ci.image = f"{ECR}/team/shop"
    ci.world(images={}, registry={}, here={}, password="twelve-hours", client="28.2.2", buildx=True)
    (ci.work / "Dockerfile").write_text("FROM scratch\n")
    return ci


STEPS = [SETTINGS, "Is it there already?", "Build",
         "No critical weakness that .trivyignore.yaml does not list", "Push"]


def test_an_image_is_built_scanned_and_pushed_under_its_commit_and_no_login_stays(building):
    assert building.job("build") == (0, STEPS), building.said
    assert building.outputs("settings") == {"region": "eu-west-1"}
    tag = f"{building.image}:{building.commit}"
    assert building.calls("docker") == [
        ["buildx", "create", "--driver", "docker-container", "--use"],
        ["build", "--load", "--pull", "--file", "Dockerfile", "--build-arg", f"COMMIT={building.commit}",
         "--label", f"org.opencontainers.image.revision={building.commit}", "--tag", tag,
         "--cache-to", f"type=local,dest={building.temp}/layers.new,mode=max", "."],
        ["login", "--username", "AWS", "--password-stdin", ECR], ["push", tag]]
    assert building.commit in building.world()["registry"][building.image]
    assert os.listdir(building.temp) == ["layers"], "docker's configuration is gone"
    # A run that is repeated finds it there: tags are immutable.
    (building.stand / "calls").unlink()
    assert building.job("build") == (0, STEPS[:2]) and not building.calls("docker")


@pytest.mark.parametrize("findings,text", [(["CVE-2026-1"], "Trivy found")])
def test_a_critical_weakness_is_not_pushed(building, findings, text):
    building.world(critical=findings)
    assert building.job("build") == (1, STEPS[:4]) and text in building.said[-1]
    assert f"{building.image}:{building.commit} CRITICAL CVE-2026-1" in building.said
    assert building.world()["registry"] == {}


@pytest.mark.parametrize("lines, says", [
    ("    expired_at: 2999-01-01\n", None), ("    expired_at: 2020-01-01\n", "Trivy found"),
    ("", "an entry without a line expired_at"),
    ("    expired_at: 2999-01-01\n    paths:\n      - usr/bin/a\n      - usr/bin/b\n", None),
    ("    expired_at: 2999-01-01\n  - statement: why\n    id: CVE-2026-2\n", "an entry without a line expired_at")])
def test_one_that_is_listed_passes_until_its_day(building, lines, says):
    building.world(critical=["CVE-2026-1"])
    (building.work / ".trivyignore.yaml").write_text(
        f"vulnerabilities:\n  - id: CVE-2026-1\n{lines}    statement: why\n")
    status, ran = building.job("build")
    assert (status == 0) == (says is None) and ran == (STEPS if says is None else STEPS[:4]), building.said
    assert says is None or says in building.said[-1], building.said


@pytest.mark.parametrize("text", [
    "vulnerabilities:\n  - statement: why\n    id: CVE-2026-1\n", "vulnerabilities: [{id: CVE-2026-1}]\n",
    "vulnerabilities:\n  -\n    id: CVE-2026-1\n",
    "vulnerabilities:\n- {id: CVE-2026-1}\n- expired_at: 2999-01-01\n  id: CVE-2026-2\n"])
def test_an_entry_without_a_day_is_not_taken_however_it_is_written(building, text):
    building.world(critical=["CVE-2026-1"])
    (building.work / ".trivyignore.yaml").write_text(text)
    assert building.job("build") == (1, STEPS[:4]) and "without a line expired_at" in building.said[-1], building.said


@pytest.mark.parametrize("plan,step", [
    (["aws", "ecr", "batch-get-image"], 1), (["docker", "build"], 2), (["trivy"], 3),
    (["aws", "ecr", "get-login-password"], 4), (["docker", "login"], 4), (["docker", "push"], 4)], ids=str)
def test_what_fails_while_building_fails_the_job_and_leaves_no_login(building, plan, step):
    (building.stand / "plan").write_text(json.dumps([{"when": plan, "status": 9, "stderr": "refused"}]))
    status, ran = building.job("build")
    assert status != 0 and ran == STEPS[:step + 1] and set(os.listdir(building.temp)) <= {"layers"}
    assert building.world()["registry"] == {}


@pytest.mark.parametrize("registry_says, builds", [
    ("echo '{}'", False), ("echo 'manifest unknown'; exit 1", True), ("echo 'no such manifest: x'; exit 1", True),
    ("echo 'net/http: TLS handshake timeout'; exit 1", None), ("echo 'unknown: internal error'; exit 1", None),
    ("echo 'x509: certificate signed by unknown authority'; exit 1", None),
    ("echo 'lookup ghcr.io: host not found'; exit 1", None)])
def test_an_image_at_githubs_registry_is_built_once_for_each_commit(ci, registry_says, builds):
    """Regression: a second branch with the commit pushed another image under its tag, which no approval had seen."""
    assert read(GHCR)["concurrency"] == {"group": "image-${{ github.sha }}", "cancel-in-progress": False}
    ci.workflow = GHCR
    (ci.bin / "docker").unlink()
    (ci.bin / "docker").write_text(f"""#!/bin/bash
        echo $1 >>{ci.path}/did
        case $1 in
        manifest) {registry_says} ;;
        build) mkdir {ci.temp}/layers.new ;;
        image) echo ghcr.io/orchard/shop@sha256:1 ;;
        esac""")
    (ci.bin / "docker").chmod(0o755)
    status, _ = ci.job("image")
    did = (ci.path / "did").read_text().split()
    assert did == ["login", "manifest", *("buildx build push image login push".split() if builds else [])], ci.said
    assert (status == 0) == (builds is not None) and ("Run this again" in "".join(ci.said)) == (builds is None), ci.said


@pytest.mark.parametrize("registry", ["ghcr.io/acme", f"{ECR}/shop", f"https://{ECR}", f"{ECR};id"])
def test_a_registry_that_is_none_of_ecrs_is_said(building, registry):
    building.context["secrets"]["ECR_REGISTRY"] = registry
    assert building.job("build") == (1, STEPS[:1]) and "ECR_REGISTRY is no" in building.said[-1]


@pytest.fixture
def at_ghcr(ci):
    ci.workflow = GHCR
    ci.more = {"GITHUB_REPOSITORY": "Orchard/Shop"}
    ci.context["github"]["event"] = {"repository": {"visibility": "public"}}
    ci.world(images={}, registry={}, here={}, password="ghs-of-this-job", client="28.2.2", buildx=True)
    (ci.work / "Dockerfile").write_text("FROM scratch\n")
    (ci.bin / "cosign").write_text(f"""#!/bin/bash
        cat {ci.stand}/world >{ci.path}/world-at-signing
        echo "$*" >>{ci.path}/signed""")
    (ci.bin / "cosign").chmod(0o755)
    return ci


def test_githubs_own_registry_gets_the_image_of_the_commit_in_small_letters(at_ghcr):
    ci = at_ghcr
    assert ci.job("image")[0] == 0, ci.said
    assert ci.commit in ci.world()["registry"]["ghcr.io/orchard/shop"]
    assert "ghs-of-this-job" not in json.dumps(ci.calls("docker"))
    (ci.stand / "calls").unlink()
    ci.used.clear()
    assert ci.job("image")[0] == 0 and "is there already" in ci.said[-1], ci.said
    assert [call[0] for call in ci.calls("docker")] == ["login", "manifest"]
    assert ci.used == ["actions/checkout", "actions/cache/restore"]


@pytest.mark.parametrize("visibility, variable, is_signed", [
    ("public", "", True), ("private", "", False), ("private", "yes", True), ("internal", "no", False)])
def test_an_image_is_signed_before_it_has_the_name_that_deploybot_waits_for(at_ghcr, visibility, variable, is_signed):
    """And of a repository that is not public nothing is in a public log without its owner's word."""
    ci, name = at_ghcr, "ghcr.io/orchard/shop"
    ci.context["github"]["event"]["repository"]["visibility"] = visibility
    ci.context["vars"]["SIGN_IMAGES"] = variable
    assert ci.job("image")[0] == 0, ci.said
    assert (ATTEST in ci.used, "sigstore/cosign-installer" in ci.used) == (visibility == "public", is_signed)
    assert (ci.path / "signed").exists() == is_signed
    digest, = (key for key in ci.world()["registry"][name] if key.startswith("sha256:"))
    assert set(ci.world()["registry"][name]) == {digest, "unsigned", ci.commit}
    if is_signed:
        assert (ci.path / "signed").read_text() == f"sign --yes {name}@{digest}\n"
        assert set(json.loads((ci.path / "world-at-signing").read_text())["registry"][name]) == {digest, "unsigned"}


def test_an_image_that_could_not_be_signed_has_no_name(at_ghcr):
    (at_ghcr.bin / "cosign").write_text("#!/bin/bash\nexit 1\n")
    assert at_ghcr.job("image")[0] == 1
    assert at_ghcr.commit not in at_ghcr.world()["registry"]["ghcr.io/orchard/shop"]


@pytest.mark.parametrize("bench, job", [("at_ghcr", "image"), ("building", "build")])
def test_the_layers_of_an_earlier_build_are_used_and_never_come_from_the_registry(request, bench, job):
    """Whoever may push there could put a layer of theirs into what is signed."""
    ci = request.getfixturevalue(bench)
    layers = ci.temp / "layers"
    for is_there in (False, True):
        ci.world(images={}, registry={})
        assert ci.job(job)[0] == 0, ci.said
        build = [call for call in ci.calls("docker") if call[0] == "build"][-1]
        assert [word for word in build if "type=" in word] == [
            *([f"type=local,src={layers}"] if is_there else []), f"type=local,dest={layers}.new,mode=max"]
        assert os.listdir(layers) == ["index.json"], "those of now, and none before"
        (layers / "old").touch()
    cached = [step["with"]["path"] for step in read(ci.workflow)["jobs"][job]["steps"]
              if step.get("uses", "").startswith("actions/cache/")]
    assert cached == ["${{ runner.temp }}/layers"] * 2


# ---- notifying deploybot -------------------------------------------------------------------------


@pytest.fixture
def telling(ci):
    ci.plan("deploybot", "staging")
    ci.world(sites={TOKENS: [[200, json.dumps({"value": JWT})]],
                    PUSH: [[202, '{"said": "c0ffee0 is looked for: staging"}']]})
    return ci


def test_deploybot_is_told_by_a_token_that_stands_in_no_argument(telling):
    assert telling.job("tell")[0] == 0, telling.said
    asked, told = telling.calls("curl")
    assert (asked[-1], told[-1]) == (TOKENS, PUSH) and told[told.index("--data-binary") + 1] == "{}"
    sent = [record["stdin"] for record in records_in(telling.stand / "calls") if "stdin" in record]
    assert sent == [f'header = "Authorization: Bearer {bearer}"\n'
                    for bearer in (ID_TOKENS["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], JWT)]
    for secret in (ID_TOKENS["ACTIONS_ID_TOKEN_REQUEST_TOKEN"], JWT):
        assert secret not in json.dumps(asked + told)
    assert [line for line in telling.said if JWT in line] == [f"::add-mask::{JWT}"]
    assert telling.said[-1] == f"deploybot was notified of {telling.commit}: c0ffee0 is looked for: staging"


@pytest.mark.parametrize("answer,body,text", [
    (401, '{"said": "JWT: aud is not https://b.example.org alone"}', "no token of this job: JWT: aud is not"),
    (401, "", "look at ENABLE_API_SERVER and PUBLIC_URL there"),
    (403, '{"said": "this job is of no workflow here: x"}', "of no workflow here: x. Then run this again"),
    (403, '{"said": "No environment here that workflow:x may deploy follows main of o/r."}',
     "follows main of o/r. (its grant: WORKFLOW_<NAME>_MAY=deploy:ENVIRONMENT). Then run this again"),
    (404, "<html>", "nothing is served at /v1 there: ENABLE_API_SERVER=true"), (0, "", "nobody answers"),
    (409, '{"said": "\\"ref\\" is x"}', 'HTTP 409: "ref" is x'), (500, "", "HTTP 500")])
def test_what_deploybot_answers_is_explained(telling, answer, body, text):
    telling.world(sites={**telling.world()["sites"], PUSH: [[answer, body]]})
    assert telling.job("tell")[0] == 1 and text in telling.said[-1] and "/deploy in the chat" in telling.said[-1]


def test_what_deploybot_says_is_no_command_of_the_workflow(telling):
    said = "x" * 390 + "\n::stop-commands::y\n##[add-mask]z 100%0Aq" + "x" * 999
    telling.world(sites={**telling.world()["sites"], PUSH: [[202, json.dumps({"said": said})]]})
    assert telling.job("tell")[0] == 0 and len(telling.said) == 2 and len(telling.said[-1]) < 500
    said = "##[add-mask]z 100%0A::warning::q"
    telling.world(sites={**telling.world()["sites"], PUSH: [[409, json.dumps({"said": said})]]})
    assert telling.job("tell")[0] == 1 and "## [add-mask]z 100%250A::warning::q" in telling.said[-1], telling.said


@pytest.mark.parametrize("status,body", [
    (200, "{}"), (200, '{"value": "a.b"}'), (200, '{"value": "a.b.c\\nd"}'), (403, "")])
def test_without_a_token_of_github_nothing_is_sent(telling, status, body):
    telling.world(sites={TOKENS: [[status, body]]})
    assert telling.job("tell")[0] == 1 and "`permissions: id-token: write`" in telling.said[-1], telling.said
    assert len(telling.calls("curl")) == 1


@pytest.mark.parametrize("url", [
    "http://bot.example.org", "https://bot.example.org/github", "file:///etc/passwd", "https://a b"])
def test_an_address_that_is_none_is_refused_before_anything_is_sent(telling, url):
    telling.context["secrets"]["DEPLOYBOT_URL"] = url
    assert telling.job("tell")[0] == 1 and "DEPLOYBOT_URL is no https://" in telling.said[-1] and not telling.calls("curl")


def test_the_bench_is_as_strict_as_the_commands(ci):
    """A test of the tests: what the stand-ins do not know, they refuse."""
    done = subprocess.run([ci.bin / "trivy", "image", "--exit-code", "1", "--no-such", "x"], capture_output=True,
                          text=True, env={"STAND": str(ci.stand), "PATH": os.environ["PATH"]}, check=False)
    assert done.returncode == 1 and "unknown flag" in done.stderr
