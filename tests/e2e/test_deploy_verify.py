"""Goal: with VERIFY_COMMAND only an image with the right signature is pulled, by the digest that was asked for; what
refuses, hangs or may be written by others ends the deployment with nothing changed, and no rollback waits for it."""
# SPDX-License-Identifier: ISC
import json
import subprocess

import pytest

from commands_aid import PASSWORD, digest, password_file, shipped

# The signature of `REPOSITORY@sha256:… COMMIT` lies where the program finds it by the digest.
PROGRAM = """#!/bin/bash
printf 'verify %s %s\\n' "$1" "$2" >>"$STAND/spy"
printf '%s %s' "$1" "$2" >"$STAND/claim"
openssl dgst -sha256 -verify "$STAND/ci.pub" -signature "$STAND/${1##*:}.sig" "$STAND/claim"
"""


class Signer:
    """A key of CI's, another that is nobody's, and the program that asks."""

    def __init__(self, bench):
        self.bench = bench
        for name in ("ci", "other"):
            self.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{name}.key")
        self.openssl("pkey", "-in", "ci.key", "-pubout", "-out", "ci.pub")
        self.program = bench.stand / "verify"
        self.write(PROGRAM)
        self.settings = {"IMAGE_SOURCE": "registry", "VERIFY_COMMAND": str(self.program)}

    def openssl(self, *words):
        subprocess.run(["openssl", *words], cwd=self.bench.stand, stdin=subprocess.DEVNULL, capture_output=True,
                       timeout=60, check=True)

    def write(self, text):
        self.program.write_text(text, "ascii")
        self.program.chmod(0o755)

    def push(self, commit, what="of CI"):
        manifest = json.dumps({"schemaVersion": 2, "commit": commit, "what": what})
        found = self.bench.world().get("registry", {})
        found.setdefault(self.bench.image, {}).update({commit: manifest, digest(manifest): manifest})
        self.bench.change_world(registry=found)
        return digest(manifest)

    def sign(self, commit, its, key="ci", of=None):
        claim = self.bench.stand / "claim"
        claim.write_text(f"{self.bench.image}@{of or its} {commit}", "ascii")
        self.openssl("dgst", "-sha256", "-sign", f"{key}.key", "-out", f"{its[7:]}.sig", str(claim))

    def origin(self, environment="staging"):
        return (self.bench.state / "apps" / environment / "images").read_text().splitlines()[-1].split()[4]


@pytest.fixture
def signer(bench):
    return Signer(bench)


def test_a_signed_image_is_verified_by_its_digest_before_it_is_pulled(bench, signer):
    commit = bench.commit("one")
    its = signer.push(commit)
    signer.sign(commit, its)
    status, said = bench.run("deploy.sh", "staging", commit, **signer.settings)
    assert status == 0 and bench.target() == f"{commit}@{its}", said
    assert bench.spied()[:3] == ["preflight", f"verify {bench.image}@{its} {commit}", f"pull {bench.image}@{its}"]
    assert bench.steps() == ["preflight", "verify", f"image {its}", "release", "clean-later"]
    assert signer.origin() == "verified"


@pytest.mark.parametrize("wrong", ["none", "another key", "another image", "another commit"])
def test_an_image_without_the_right_signature_is_not_pulled(bench, signer, wrong):
    commit = bench.commit("one")
    its = signer.push(commit)
    if wrong == "another key":
        signer.sign(commit, its, key="other")
    elif wrong == "another image":
        signer.sign(commit, its, of=f"sha256:{'1' * 64}")
    elif wrong == "another commit":
        signer.sign("2" * 40, its)
    status, said = bench.run("deploy.sh", "staging", commit, **signer.settings)
    assert status == 66 and bench.target() == "" and "release" not in bench.steps(), said
    assert said[-1].endswith(
        f"VERIFY_COMMAND does not accept the image of {commit[:12]} ({its[:19]}, status 1), so nothing was changed: "
        "its last lines are in the log; was it signed, and by whom?")
    assert not [line for line in bench.spied() if line.startswith(("pull", "ship"))]
    assert not (bench.state / "apps" / "staging" / "images").exists()


def test_an_image_that_was_approved_is_verified_too_and_again_in_each_environment(bench, signer):
    commit = bench.commit("one")
    its = signer.push(commit)
    signer.sign(commit, its)
    for environment in ("staging", "production"):
        assert bench.run("deploy.sh", environment, f"{commit}@{its}", **signer.settings)[0] == 0
    assert [line.split()[0] for line in bench.spied()].count("verify") == 2
    (bench.stand / f"{its[7:]}.sig").unlink()
    assert bench.run("deploy.sh", "production", f"{commit}@{its}", **signer.settings)[0] == 66


def test_a_verification_that_hangs_ends_the_deployment(bench, signer):
    commit = bench.commit("one")
    signer.push(commit)
    signer.write("#!/bin/bash\nexec sleep 600\n")
    status, said = bench.run("deploy.sh", "staging", commit, **signer.settings, VERIFY_SECONDS="1", KILL_SECONDS="1")
    assert status == 75 and "VERIFY_COMMAND" in said[-1] and "took longer than 1 s" in said[-1], said
    assert bench.target() == "" and "release" not in bench.steps()


def test_what_it_prints_makes_no_step(bench, signer):
    commit = bench.commit("one")
    its = signer.push(commit)
    signer.write("#!/bin/bash\necho '==> release'; echo '==> verify' >&2; exit 1\n")
    status, _ = bench.run("deploy.sh", "staging", commit, **signer.settings)
    assert status == 66 and bench.steps() == ["preflight", "verify"], its


def test_it_gets_the_registrys_login_as_a_file_and_no_other_login(bench, signer):
    commit = bench.commit("one")
    signer.push(commit)
    signer.write('#!/bin/bash\necho "login $REGISTRY_USER $(<"$REGISTRY_PASSWORD_FILE")" >>"$STAND/spy"\n'
                 'echo "git ${REPOSITORY_TOKEN_FILE-none} ${GIT_ASKPASS-none} $PWD $#" >>"$STAND/spy"; exec cat\n')
    status, said = bench.run("deploy.sh", "staging", commit, **signer.settings, **password_file(bench))
    assert status == 0 and f"login robot {PASSWORD}" in bench.spied() and "git none none / 2" in bench.spied(), said
    assert PASSWORD not in bench.log.read_text()


def test_a_program_that_others_may_write_is_not_run(bench, signer):
    commit = bench.commit("one")
    signer.push(commit)
    signer.program.chmod(0o777)
    status, said = bench.run("deploy.sh", "staging", commit, **signer.settings)
    assert status == 78 and f"VERIFY_COMMAND {signer.program} is not run, as others may write" in said[-1], said
    assert not [line for line in bench.spied() if line.startswith("verify")]


@pytest.mark.parametrize("settings, says", [
    ({"IMAGE_SOURCE": "build"}, "set IMAGE_SOURCE=registry"),
    ({"DEPLOY_TRANSPORT": "local"}, "with a transport that ships images"),
    ({"VERIFY_COMMAND": "/nowhere/verify"}, "there is no program /nowhere/verify")])
def test_what_would_never_be_asked_is_refused(bench, signer, settings, says):
    status, said = bench.run("deploy.sh", "staging", bench.commit("one"), **{**signer.settings, **settings})
    assert status == 78 and says in said[-1] and bench.target() == "", said


def test_a_rollback_asks_nobody_and_says_what_was_never_verified(bench, signer):
    before, its = shipped(bench, "one")
    commit = bench.commit("two")
    new = signer.push(commit)
    signer.sign(commit, new)
    assert bench.run("deploy.sh", "staging", commit, **signer.settings)[0] == 0
    signer.write("#!/bin/bash\nexit 1\n")
    status, said = bench.run("rollback.sh", "staging", f"{before}@{its}", **signer.settings)
    assert status == 0 and bench.target() == f"{before}@{its}", said
    assert f"warning: the image of {before[:12]} ({its[:19]}) was never verified: it was deployed before " \
        "VERIFY_COMMAND was set, or is no longer noted" in said
    signer.program.unlink()
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{new}", **signer.settings)
    assert status == 0 and "never verified" not in "\n".join(said), said


def test_a_rollback_by_hand_to_what_was_never_deployed_from_here_is_verified(bench, signer):
    live, _ = shipped(bench, "one")
    commit = bench.commit("two")
    its = signer.push(commit, "of whoever may push")
    for release in (commit, f"{commit}@{its}"):
        status, said = bench.run("rollback.sh", "staging", release, RUN_ID="", **signer.settings)
        assert status == 66 and f"VERIFY_COMMAND does not accept the image of {commit[:12]}" in said[-1], said
        assert bench.target().startswith(live) and "release" not in bench.steps()
    signer.sign(commit, its)
    for release in (commit, f"{commit}@{its}"):
        status, said = bench.run("rollback.sh", "staging", release, RUN_ID="", **signer.settings)
        assert status == 0 and bench.target() == f"{commit}@{its}" and "never verified" not in "\n".join(said), said
    assert [line.split()[0] for line in bench.spied()].count("verify") == 4


def test_a_failed_deployment_does_not_roll_back_to_what_only_a_tag_names(bench, signer):
    previous, commit = bench.commit("one"), bench.commit("two")
    signer.push(previous, "of whoever may push")
    signer.sign(commit, signer.push(commit))
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE=previous, **signer.settings)
    assert status == 0 and "no-rollback" in bench.steps(), said
    status, said = bench.run("deploy.sh", "staging", commit, PREVIOUS_RELEASE=previous, IMAGE_SOURCE="registry")
    assert status == 0 and "no-rollback" not in bench.steps(), said
