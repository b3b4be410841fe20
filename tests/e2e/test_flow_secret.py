"""Goal: what Vault makes for a job is had once, by that job alone, and ends at Vault whatever happens; and no text of
it is in anything that the server writes."""
# SPDX-License-Identifier: ISC
import concurrent.futures

import pytest

from flow_aid import PATIENCE_S, ended_well
from secret_aid import CREATE, REVOKE, VALUE, Job, Lending
from stage import wait_until
from telegram_client import GROUP, buttons_of

MOST_S = 900            # SECRET_WAIT's default


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    made = Lending(tmp_path_factory.mktemp("lending"))
    yield made
    ended_well(made)
    made.check_kept()


@pytest.fixture(name="later")
def _later(tmp_path):
    """One whose clocks are moved."""
    made = Lending(tmp_path / "later")
    yield made
    ended_well(made)
    made.check_kept()


def test_what_was_approved_is_had_once_by_the_job_that_asked_and_given_back(scene):
    job, other = Job(scene).wants("db-migrate"), Job(scene)
    status, said = job.looks()
    assert status == 202 and "token" not in said and not job.was_made()
    scene.admin().press(job.message("db-migrate", buttons=("Approve", "Reject")), "Approve")
    job.is_kept()
    other.loan = job.loan
    assert other.looks()[0] == 404 and job.looks(run_attempt="2")[0] == 404 and other.gives_back() == 404
    token = job.fetches()
    child = job.unwraps(token)
    assert scene.at_vault("/v1/sys/wrapping/unwrap", token, {})[0] == 400, "it is good for once"
    status, said = scene.at_vault("/v1/secret/data/django/database", child)
    assert (status, said["data"]["data"]) == (200, {"password": VALUE})
    assert scene.at_vault("/v1/database/creds/stripe", child)[0] == 403, "nor is it for anything else"
    made = job.child()
    assert (made.policies, made.parent, made.renewable, made.ttl) == (["deploybot-secret-db-migrate"], "", False, 600)
    assert job.gives_back() == 202
    job.is_over()
    assert scene.at_vault("/v1/secret/data/django/database", child)[0] == 403
    audited = job.audited()
    assert [code for code in audited if code.startswith("secret_")] == [
        "secret_requested", "secret_lent", "secret_revoked"]
    assert audited["secret_lent"]["user_id"] == f"workflow:{job.workflow}"


def test_what_needs_no_yes_ends_with_its_job(scene):
    job, beside = Job(scene), Job(scene)
    child, other = job.has(), beside.has()
    status, said = scene.at_vault("/v1/database/creds/stripe", child)
    assert status == 200 and said["data"]["username"] in scene.vault.users
    assert job.job_ends() == 200
    job.is_over()
    assert scene.at_vault("/v1/database/creds/stripe", child)[0] == 403
    assert said["data"]["username"] not in scene.vault.users, "what it was given for the database ends, too"
    assert scene.at_vault("/v1/database/creds/stripe", other)[0] == 200, "another job's is its own"
    assert beside.gives_back() == 202


def test_of_many_that_fetch_it_at_once_one_has_it(scene):
    job = Job(scene).wants("stripe").is_kept()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: job.looks(), range(16)))
    assert sorted(status for status, _ in answers) == [200] + 15 * [410]
    assert len([said for _, said in answers if "token" in said]) == 1
    job.is_over()
    assert job.gives_back() == 202


def test_what_is_fetched_twice_is_revoked(scene):
    job = Job(scene)
    child = job.has()
    status, said = job.looks()
    assert status == 410 and "given before" in said["said"] and "token" not in said
    job.is_over()
    assert scene.at_vault("/v1/database/creds/stripe", child)[0] == 403
    by = f"by workflow:{job.workflow}"
    scene.person(0).hear("❌ Was lent: production", "fetched twice; revoked", by, chat=GROUP, after=0)
    assert "secret_unwrap_failed" in job.audited() and job.looks()[0] == 410 and job.gives_back() == 202


def test_the_same_job_that_asks_again_has_asked_once(scene):
    job = Job(scene).wants("db-migrate")
    number = job.loan
    assert job.wants("db-migrate").loan == number
    asked = job.message("db-migrate", buttons=("Approve", "Reject"))
    assert job.gives_back() == 202
    job.is_refused(403, "CANCELLED")
    wait_until(lambda: not buttons_of(scene.chat.message(asked)), PATIENCE_S, "that nobody is asked any longer")
    assert job.ask("/v1/secret/nothing")[0] == 403


def test_what_vault_makes_for_a_job_that_needs_it_no_longer_is_revoked(scene):
    for end in (Job.gives_back, Job.job_ends):
        scene.vault.let_go.clear()
        scene.vault.troubles.append((CREATE, "late"))
        job = Job(scene).wants("stripe")
        wait_until(job.was_made, PATIENCE_S, "what Vault has made")
        assert end(job) in (200, 202)
        job.is_refused(403, "its job ")
        scene.vault.let_go.set()
        job.is_over()


def test_people_take_it_back_by_command_and_by_button(scene):
    who = scene.admin()
    job = Job(scene)
    job.has()
    who.say(f"/revoke {job.loan}")
    who.hear(f"#{job.loan} stripe of workflow:{job.workflow} is being revoked at Vault")
    job.is_over()
    who.say(f"/revoke {job.loan}")
    who.hear(f"#{job.loan} stripe of workflow:{job.workflow} is over")
    job = Job(scene)
    job.has()
    assert "is being revoked" in who.press(job.message("Lent: production", buttons=("Revoke",)), "Revoke")
    job.is_over()
    job.message("Revoked: production")


def test_a_vault_that_is_sealed_holds_up_nothing_else_and_lends_when_it_is_not(later):
    later.vault.state = "sealed"
    job = Job(later).wants("stripe")
    later.wait_asked(CREATE)
    commit = later.commit("develop")["after"]
    assert job.ask("/v1/push", sha=commit)[0] == 202
    later.ada.hear("Live: staging", commit[:7], chat=GROUP, after=0)
    later.ada.say("/status")
    later.ada.hear("staging")
    assert job.looks()[0] == 202
    job.message("Waiting for Vault: production", "Vault is sealed")
    later.vault.state = "active"
    job.unwraps(job.fetches())
    # It is revoked, too, once Vault answers again.
    later.vault.state = "sealed"
    assert job.gives_back() == 202
    later.wait_asked(REVOKE)
    assert job.child() is not None and job.phase() == "ending"
    job.message("Revoking: production", "Vault is sealed; tried again until")
    later.vault.state = "active"
    job.is_over()


def test_a_vault_that_stays_sealed_fails_it_with_its_reason(later):
    later.vault.state = "sealed"
    job = Job(later).wants("stripe")
    later.wait_asked(CREATE)
    wait_until(lambda: job.row() == ("asked", 1), PATIENCE_S, "that it is to be asked again")
    later.pass_time(MOST_S)
    job.is_refused(410, "Vault is sealed")
    job.message("Not lent: production", "Vault is sealed")
    assert not job.was_made()


def test_what_nobody_fetches_is_revoked_within_two_minutes(later):
    job = Job(later).wants("stripe").is_kept()
    later.pass_time(116)
    job.is_over()
    job.is_refused(410, "did not fetch it within two minutes")


def test_approvals_that_do_not_come_refuse_it(later):
    job = Job(later).wants("db-migrate")
    job.message("db-migrate", buttons=("Approve",))
    later.pass_time(MOST_S - 60)
    assert job.looks()[0] == 202
    later.pass_time(61)
    job.is_refused(403, "is not lent")
    assert not job.was_made()


def test_what_was_kept_by_a_server_that_is_killed_is_revoked_and_asked_for_again(scene):
    job = Job(scene).wants("stripe").is_kept()
    scene.bot.kill()
    scene.bot.start()
    job.is_over()
    job.is_refused(410, "ask again")
    assert "secret_lost" in job.audited()
    Job(scene).has()


def test_what_was_being_revoked_or_made_by_a_server_that_is_killed(scene):
    job = Job(scene)
    job.has()
    scene.vault.state = "sealed"
    assert job.gives_back() == 202
    scene.wait_asked(REVOKE)
    scene.bot.kill()
    scene.vault.state = "active"
    scene.vault.let_go.clear()
    scene.vault.troubles.append((CREATE, "late"))
    scene.bot.start()
    job.is_over()
    job = Job(scene).wants("stripe")
    wait_until(job.was_made, PATIENCE_S, "what Vault has made")
    scene.bot.kill()
    scene.vault.let_go.set()
    scene.bot.start()
    job.is_refused(410, "was restarted while Vault made it")
    assert "secret_lost" in job.audited()


@pytest.mark.parametrize("what", ("no wrap_info", "another creation_path", "another ttl", {"ttl": 300},
                                  {"creation_path": CREATE.removeprefix("/v1/")[:-5]}))
def test_what_was_made_otherwise_is_given_to_nobody_and_revoked(scene, what):
    scene.vault.troubles.append((CREATE, what))
    job = Job(scene).wants("stripe")
    job.is_refused(409, "wrap_info")
    job.is_over()


def test_nothing_that_vault_has_made_is_in_what_the_server_writes(scene):
    job, over = Job(scene), Job(scene)
    job.has()
    over.has()
    assert over.gives_back() == 202
    over.is_over()
    made = scene.bot.run("backup", str(scene.folder / "backup.db"))
    assert made.returncode == 0, made.stderr
    assert scene.check_kept() > 10
    known = [where for where, text in scene.written() if job.child().accessor.encode() in text]
    assert known and all(".db" in where for where in known), "by it what is open is revoked: it is in rows alone"
