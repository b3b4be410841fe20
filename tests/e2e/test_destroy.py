"""Goal: destroy.sh deletes what is ours in the order that AWS asks for, nothing else, and says what is left and why.

All of it on the stand-in of tests/peers/aws.py, which refuses what AWS refuses.
"""
# SPDX-License-Identifier: ISC
import copy
import os
import pathlib
import random
import re
import signal
import subprocess
import threading

import pytest

import aws
import destroy_aid
import terraform_policy
from destroy_aid import ACCOUNT, OIDC, SCRIPT, Destroyer, account, apply, entry, remains

HERE = pathlib.Path(__file__).resolve().parent
BUCKET = f"myapp-audit-{ACCOUNT}-us-east-1"
LAST = "run it again"


@pytest.fixture(scope="module")
def cloud():
    made = aws.Cloud()
    yield made
    made.close()


@pytest.fixture
def destroyer(cloud, tmp_path):
    return Destroyer(cloud, tmp_path, quick=True)


def changes(where):
    """The commands that change something, of those that were run."""
    return [words for words in where["log"] if not re.match("get-|describe-|list-|wait", words[1])]


def deleted(where):
    return [" ".join(words[:2]) for words in changes(where)]


# ---- all of it, none of it ----------------------------------------------------------------------

def test_after_DESTROY_nothing_of_ours_is_there_and_a_second_run_says_so(cloud, tmp_path):
    where = apply(account())
    destroyer = Destroyer(cloud, tmp_path)
    status, lines = destroyer.run(where, typed="DESTROY\n")
    assert (status, remains(where)) == (0, [])
    assert lines[1] == f"Account {ACCOUNT}, region us-east-1, project myapp, as arn:aws:iam::{ACCOUNT}:user/ops"
    assert "  registry myapp with 5 images" in lines and f"  audit log {BUCKET} with 5 entries" in lines
    assert lines[-1].startswith("All else of myapp in us-east-1 is deleted.")
    snapshots = [line for line in lines if line.startswith("stays: snapshot")]
    assert snapshots == 2 * [
        f"stays: snapshot snap-0a{day} of 2026-05-0{day}: --snapshots deletes it" for day in (1, 2, 3)]
    before = len(changes(where))
    status, lines = destroyer.run(where, typed="DESTROY\n")
    assert (status, len(changes(where))) == (0, before)
    assert lines[-1].startswith("Nothing else of myapp is in us-east-1")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("typed", ["", "\n", "destroy\n", "DESTROY \n", "yes\n", "DESTROYED\n"])
def test_without_the_word_nothing_is_deleted(destroyer, typed):
    where = apply(account())
    status, lines = destroyer.run(where, typed=typed)
    assert (status, changes(where)) == (1, [])
    assert lines[-2].endswith("Nothing was deleted.")
    assert lines[-1] == "destroy.sh: not confirmed: DESTROY was not typed"


def test_snapshots_go_when_they_are_asked_for(destroyer):
    where = apply(account())
    where["ec2"]["us-east-1"]["snapshots"]["snap-0a2"]["_image"] = "ami-0a"
    status, lines = destroyer.run(where, "--force", "--snapshots")
    assert (status, remains(where), list(where["ec2"]["us-east-1"]["snapshots"])) == (1, [], ["snap-0a2"])
    assert "  snapshot snap-0a2 of 2026-05-02T03:00:00+00:00: InvalidSnapshot.InUse: " \
        "The snapshot snap-0a2 is currently in use by ami-0a" in lines
    del where["ec2"]["us-east-1"]["snapshots"]["snap-0a2"]["_image"]
    status, lines = destroyer.run(where, "--force", "--snapshots")
    assert (status, where["ec2"]["us-east-1"]["snapshots"]) == (0, {})
    assert lines[-1].startswith("All of myapp in us-east-1 is deleted.")


def test_a_flow_log_that_aws_keeps_without_an_error_is_left(destroyer):
    where = apply(account())
    where["ec2"]["us-east-1"]["flow_logs"]["fl-0a"]["_refused"] = True
    status, lines = destroyer.run(where, "--force")
    assert status == 1 and "  flow log fl-0a: UnauthorizedOperation: You are not authorized" in lines


def test_force_asks_nothing(destroyer):
    where = apply(account())
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where)) == (0, [])
    assert not [line for line in lines if "Type" in line]


@pytest.mark.parametrize("options", [
    ["--forse"], ["-f"], ["now"], ["--region"], ["--region", "--force"], ["--region", "Ohio"],
    ["--region", "cn-north-1"],
    ["--region", "us-east-1; id"], ["--project", ""], ["--project", "*"], ["--project"]])
def test_options_that_are_not_there_are_refused(destroyer, options):
    where = apply(account())
    status, lines = destroyer.run(where, *options)
    assert (status, where["log"]) == (2, [])
    assert lines[-1].startswith("destroy.sh: ") and lines[-1].endswith("; --help says what there is")


def test_help_names_every_option(destroyer):
    status, lines = destroyer.run(account(), "--help")
    known = set(re.findall(r"^\t(--[a-z-]+)\)|^\t(--[a-z-]+) \|", SCRIPT.read_text(), re.M))
    options = {option for pair in known for option in pair if option} | {"--region"}
    assert status == 0 and len(options) == 7
    assert [option for option in options if option not in "\n".join(lines)] == []


# ---- the dry run --------------------------------------------------------------------------------

def dry_run(destroyer):
    """aws is a program here that would be noticed."""
    where = apply(account())
    status, lines = destroyer.run(where, "--dry-run")
    assert (status, where["log"]) == (0, [])
    return lines


def test_the_dry_run_asks_aws_nothing_and_prints_every_command(destroyer):
    lines = dry_run(destroyer)
    assert "\n".join(lines) + "\n" == (HERE / "destroy_dry_run.txt").read_text()
    done = subprocess.run(["bash", "-n"], input="\n".join(lines), text=True, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_dry_run_can_be_pasted_line_by_line_into_a_shell(destroyer):
    """An interactive bash, in which a ! that no = follows asks for an old command, also within double quotes."""
    lines = ["aws() { :; }", *dry_run(destroyer), "echo pasted all"]
    done = subprocess.run(["setsid", "bash", "--norc", "-i"], input="\n".join(lines), text=True, capture_output=True,
                          env={"PATH": "/usr/bin:/bin", "HISTFILE": "", "TERM": "dumb"}, cwd=destroyer.folder,
                          check=False)
    assert "event not found" not in done.stderr and done.stdout == "pasted all\n"


def test_the_dry_run_needs_no_aws(cloud, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("bash", "cat"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([SCRIPT, "--dry-run"], env={"PATH": str(tmp_path / "bin")}, text=True, capture_output=True,
                          check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (HERE / "destroy_dry_run.txt").read_text()


def test_what_is_run_is_what_the_dry_run_prints(destroyer):
    """Each command that ran is a line of the dry run with names put in, and each line has run."""
    printed = {}
    for line in dry_run(destroyer):
        match = re.search(r"\baws (.*?)(?: >\S+|\)|)(?:    # .*)?$", line)
        if match and not line.startswith("#"):
            words = re.findall(r'"[^"]*"|\S+', match[1].removesuffix(")"))
            parts = [re.escape(word.strip('"')) for word in words]
            pattern = " ".join(re.sub(r"\\\$[A-Z_]+", r"\\S+", part) for part in parts)
            printed[line] = re.compile(pattern.replace(r"file://\./versions\.json", r"file://\S+"))
    where = apply(account())
    assert destroyer.run(where, "--force")[0] == 0
    ran = [" ".join(words) for words in where["log"]]
    assert [words for words in ran if not any(pattern.fullmatch(words) for pattern in printed.values())] == []
    never = [line for line, pattern in printed.items() if not any(map(pattern.fullmatch, ran))]
    # deploybot's alone has an attached policy, and its policy alone older versions.
    assert [re.sub("--region.*|--policy.*", "", line).strip() for line in never] == [
        *(f"aws iam detach-role-policy --role-name myapp-{name}" for name in ("app", "deploy", "flow", "snapshots")),
        "aws iam delete-policy-version"]


# ---- what is not ours ---------------------------------------------------------------------------

def test_another_project_of_the_account_is_untouched(destroyer):
    alone = apply(account(), project="shop", mark="0b")
    where = apply(copy.deepcopy(alone))
    status, lines = destroyer.run(where, "--force")
    assert status == 0
    # The provider is the first project's, whose tags it carries.
    assert any(line.startswith("stays: GitHub's OIDC provider does not carry our tags") for line in lines)
    # AWS shows an ended machine for an hour.
    cloud = where["ec2"]["us-east-1"]["instances"]
    for name in [name for name in cloud if "0a" in name]:
        assert cloud.pop(name)["State"]["Name"] == "terminated"
    copies = where["ec2"]["us-east-1"]["snapshots"]
    for name in [name for name in copies if "0a" in name]:
        del copies[name]
    assert {**where, "log": []} == {**alone, "log": []}


def test_a_provider_that_others_use_stays(destroyer):
    where = apply(account())
    where["iam"]["roles"]["others"] = {"RoleName": "others", "Tags": [], "_attached": [], "_inline": [],
                                       "AssumeRolePolicyDocument": destroy_aid.trust()}
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where)) == (0, [OIDC, "others"])
    said = lines.count("stays: GitHub's OIDC provider: other roles use it: others")
    assert said == 2, "before the question, and at the end"
    assert lines[-1].startswith("All else of myapp in us-east-1 is deleted.")


def untag(items, maker):
    for item in items:
        key = "tags" if "tags" in item else "Tags"
        item[key] = [dict(tag, Value=maker) if tag["Key"] == "ManagedBy" else tag for tag in item.get(key, [])]


def test_what_has_our_names_but_another_maker_stays(destroyer):
    """A product's tag Project=myapp alone says nothing of who made it, nor does a name."""
    where = apply(account())
    untag([item for items in where["ec2"]["us-east-1"].values() for item in items.values()], "others")
    untag([item for items in where["iam"].values() for item in items.values()], "others")
    untag([*where["ecr"]["us-east-1"].values(), *where["s3"].values()], "others")
    for item in (where["dlm"]["us-east-1"]["policy-0a"], where["logs"]["us-east-1"]["/myapp/flow"]):
        item["Tags" if "Tags" in item else "tags"]["ManagedBy"] = "others"
    before = remains(where)
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where), changes(where)) == (0, before, [])
    assert "stays: role myapp-app does not carry our tags" in lines


def test_a_bucket_without_tags_and_one_of_somebody_else_stay(destroyer):
    where = apply(account())
    where["s3"][BUCKET]["tags"] = []
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where)) == (0, [f"s3 {BUCKET}"])
    assert f"stays: audit log {BUCKET} carries no tags of ours" in lines
    where["s3"][BUCKET]["foreign"] = True
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where)) == (1, [f"s3 {BUCKET}"])
    assert f"  audit log {BUCKET}: not looked at: AccessDenied: Access Denied" in lines


def test_the_wrong_region_deletes_nothing_of_the_right_one(destroyer):
    """Roles are of no region: without their tag a run for another region would take them from running machines."""
    where = apply(account())
    before = remains(where)
    status, lines = destroyer.run(where, "--force", "--region", "eu-central-1")
    assert (status, remains(where), changes(where)) == (1, before, [])
    advice = "run destroy.sh --project myapp --region us-east-1"
    assert f"  role myapp-app belongs to the region us-east-1: {advice}" in lines
    assert lines[-1].startswith("destroy.sh: 10 left")


def test_the_region_of_the_environment_is_taken(cloud, tmp_path):
    where = apply(account(), region="eu-central-1")
    cloud.accounts["region"] = where
    destroyer = Destroyer(cloud, tmp_path, quick=True)
    environment = {**destroyer.environment("region"), "AWS_DEFAULT_REGION": "eu-central-1"}
    done = subprocess.run([SCRIPT, "--force"], env=environment, text=True, capture_output=True, check=False)
    assert (done.returncode, remains(where)) == (0, [])


# ---- what AWS does not give back ----------------------------------------------------------------

def test_somebody_elses_interface_keeps_the_network_and_nothing_else(destroyer):
    where = apply(account())
    where["ec2"]["us-east-1"]["interfaces"] = {"eni-1": {"SubnetId": "subnet-0a1", "_groups": ["sg-0aapp"]}}
    status, lines = destroyer.run(where, "--force")
    assert status == 1
    kept = ["eni-1", "sg-0aapp", "sg-0abot", "sg-0adefault", "subnet-0a1", "rtb-0a", "rtb-0amain", "vpc-0a"]
    assert remains(where) == sorted(f"us-east-1/{name}" for name in kept)
    left = lines[lines.index(f"LEFT in us-east-1 of account {ACCOUNT}:"):]
    assert "  subnet subnet-0a1 10.20.16.0/20: DependencyViolation: The subnet 'subnet-0a1' has dependencies and " \
        "cannot be deleted." in left
    assert left[-1].startswith("destroy.sh: 5 left") and LAST in left[-1]
    where["ec2"]["us-east-1"]["interfaces"].clear()
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


def test_a_machine_whose_protection_is_not_lifted_stays_with_what_it_holds_and_the_others_go(destroyer):
    where = apply(account())
    where["ec2"]["us-east-1"]["instances"]["i-0a0"]["_protected"] = True
    where["trouble"] = [{"match": "modify-instance-attribute.* i-0a0 ", "kind": "denied", "for_ever": True}]
    status, lines = destroyer.run(where, "--force")
    states = {name: item["State"]["Name"] for name, item in where["ec2"]["us-east-1"]["instances"].items()}
    assert status == 1 and states["i-0a0"] == "running" and states["i-0a1"] != "running"
    assert any("disableApiTermination" in line for line in lines)
    where["trouble"] = []
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


def test_a_policy_that_somebody_has_is_named(destroyer):
    where = apply(account())
    arn = f"arn:aws:iam::{ACCOUNT}:policy/myapp-deploybot"
    where["iam"]["policies"][arn]["_users"] = ["bot"]
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where)) == (1, [arn])
    assert any(line.endswith(f"(who has it: aws iam list-entities-for-policy --policy-arn {arn})") for line in lines)


LATER = "2027-01-01T00:00:00+00:00"


def locked(mode, free=1300, held=1200):
    where = apply(account(page=1000))
    entries = [entry(number) for number in range(free)]
    entries += [entry(5000 + number, until="2026-06-02T00:00:00+00:00", mode=mode) for number in range(held)]
    entries[free + 7]["_until"] = LATER
    entries[free + 7]["LastModified"] = "2026-05-31T00:00:00+00:00"
    random.Random(5).shuffle(entries)
    where["s3"][BUCKET]["objects"] = entries
    return where


@pytest.mark.long
@pytest.mark.parametrize("mode", ["GOVERNANCE", "COMPLIANCE"])
def test_locked_entries_stay_and_it_is_said_until_when(destroyer, mode):
    where = locked(mode)
    status, lines = destroyer.run(where, "--force")
    assert (status, remains(where), len(where["s3"][BUCKET]["objects"])) == (1, [f"s3 {BUCKET}"], 1200)
    advice = ", or with --bypass-governance" if mode == "GOVERNANCE" else ""
    assert f"  audit log {BUCKET} with 2500 entries: Object Lock ({mode}) keeps 1200 entries, the last until " \
        f"{LATER}: run destroy.sh again then{advice}" in lines
    where["now"] = "2027-01-02T00:00:00+00:00"
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


@pytest.mark.long
def test_governance_is_bypassed_only_when_asked_and_allowed(destroyer):
    where = locked("GOVERNANCE")
    status, lines = destroyer.run(where, "--force", "--bypass-governance")
    assert (status, len(where["s3"][BUCKET]["objects"])) == (1, 1200), "who may not, may not"
    assert not any("or with --bypass-governance" in line for line in lines)
    where["may_bypass"] = True
    assert destroyer.run(where, "--force")[0] == 1
    assert len(where["s3"][BUCKET]["objects"]) == 1200
    assert destroyer.run(where, "--force", "--bypass-governance")[0] == 0
    assert remains(where) == []


def test_entries_with_odd_names_go_too(destroyer):
    where = apply(account())
    names = ['a "b"', "a'b", "tab\there", "line\nbreak", "ünï", "$(id)", "back\\slash", "None", "", " "]
    where["s3"][BUCKET]["objects"] = [entry(number, **{}) | {"Key": name} for number, name in enumerate(names)]
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


# ---- trouble ------------------------------------------------------------------------------------

KINDS = [{"kind": "denied", "for_ever": True}, {"kind": "denied"}, {"kind": "expired", "for_ever": True},
         {"kind": "throttled", "for_ever": True}, {"kind": "network", "for_ever": True}]


def two_projects():
    where = apply(apply(account()), project="shop", mark="0b")
    where["iam"]["roles"]["shop-deploy"]["AssumeRolePolicyDocument"] = destroy_aid.trust("ecs.amazonaws.com")
    return where


def check_trouble(destroyer, number, kind):
    where = two_projects()
    others = [name for name in remains(where) if "shop" in name or "0b" in name]
    where["trouble"] = [{"at": number, **kind}]
    status, lines = destroyer.run(where, "--force")
    mine = [name for name in remains(where) if name not in others]
    words = where["log"][number - 1] if len(where["log"]) >= number else None
    said = f"{kind} at call {number}: {words}\n" + "\n".join(lines)
    assert where.get("met"), f"call {number} was not reached: {said}"
    assert set(others) <= set(remains(where)), said
    assert status in (0, 1) and (status == 1 or not mine), said
    if status == 1:
        assert lines[-1].startswith("destroy.sh: ") and LAST in lines[-1], said
        # What is left has been named, except what could not be looked at, or goes with its VPC.
        unseen = "not looked at" in said or "Nothing was deleted." in said
        names = [name.split("/")[-1].split(" ")[-1] for name in mine if "default" not in name and "main" not in name]
        names = ["OIDC" if name in OIDC else name for name in names]
        assert unseen or [name for name in names if name not in said] == [], said
    where["trouble"] = []
    status, lines = destroyer.run(where, "--force")
    assert status == 0, said + "\n---- second run\n" + "\n".join(lines)
    assert remains(where) == others, said


@pytest.mark.long
@pytest.mark.parametrize("part", range(4))
def test_a_call_that_fails_anywhere_leaves_what_the_next_run_finishes(destroyer, part):
    """Every call of a whole run fails once, each in one of five ways (SWEEP=all: in each of them)."""
    where = two_projects()
    assert destroyer.run(where, "--force")[0] == 0
    calls = len(where["log"])
    assert calls > 60
    for number in range(1 + part, calls + 1, 4):
        chosen = KINDS if os.environ.get("SWEEP") == "all" else [KINDS[number % len(KINDS)]]
        for kind in chosen:
            check_trouble(destroyer, number, kind)


def test_what_is_throttled_for_a_while_is_tried_again_by_aws_itself(destroyer):
    where = apply(account())
    where["trouble"] = [{"match": ".", "kind": "throttled", "times": 9}]
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


@pytest.mark.long
def test_half_an_account_is_finished(destroyer):
    """Runs that ended by chance at any of their calls, one after the other; the seed is in the message."""
    for seed in range(4):
        chance, where = random.Random(seed), apply(account())
        for _ in range(3):
            where["trouble"] = [{"at": len(where["log"]) + chance.randint(20, 60), "kind": "network", "for_ever": True}]
            destroyer.run(where, "--force")
        where["trouble"] = []
        assert destroyer.run(where, "--force")[0] == 0, seed
        assert remains(where) == [], seed


def test_two_at_the_same_time_do_not_hinder_each_other(destroyer):
    where = apply(account())
    ends = []
    destroyer.cloud.accounts["both"] = where
    both = [destroyer.start("both", "--force") for _ in range(2)]
    for process in both:
        threading.Thread(target=lambda one=process: ends.append((one.wait(), one.stdout.read()))).start()
    for process in both:
        process.stdin.close()
        process.wait(timeout=120)
    assert remains(where) == []
    assert [process.returncode for process in both] == [0, 0], [process.stderr.read() for process in both]


@pytest.mark.parametrize("number", [12, 60])
def test_interrupted_it_says_so_and_the_next_run_finishes(cloud, tmp_path, number):
    destroyer, where = Destroyer(cloud, tmp_path), apply(account())
    cloud.accounts["stopped"] = where
    where["trouble"] = [{"at": number, "kind": "hangs"}]
    cloud.hanging.clear()
    process = destroyer.start("stopped", "--force")
    assert cloud.hanging.wait(timeout=120)
    os.killpg(process.pid, signal.SIGINT)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 130
    assert errors.splitlines()[-1] == "destroy.sh: interrupted; run it again: it goes on where it stopped"
    assert ("LEFT in us-east-1" in out) == (number > 35)
    assert not list(tmp_path.iterdir()), "its folder is gone"
    where["trouble"] = []
    assert destroyer.run(where, "--force")[0] == 0
    assert remains(where) == []


def test_interrupted_at_the_question_nothing_is_deleted(destroyer):
    where = apply(account())
    destroyer.cloud.accounts["asked"] = where
    process = destroyer.start("asked")
    shown = ""
    while not shown.endswith("Type DESTROY to delete them: "):
        more = process.stdout.read(1)
        assert more, shown
        shown += more
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=120)
    assert (process.returncode, changes(where)) == (130, [])
    assert errors.splitlines()[-1].startswith("destroy.sh: interrupted")


@pytest.mark.parametrize("kind,text", [
    ("expired", "AWS takes no credentials of yours for us-east-1"),
    ("credentials", "AWS takes no credentials of yours for us-east-1"),
    ("network", "AWS is not reached"), ("denied", "AWS does not say who you are"),
    ("throttled", "AWS does not say who you are")])
def test_trouble_at_the_door_ends_with_what_to_do(destroyer, kind, text):
    where = apply(account(trouble=[{"at": 1, "kind": kind}]))
    status, lines = destroyer.run(where, "--force")
    assert (status, len(where["log"])) == (1, 1)
    assert lines[-2] == "Nothing was deleted."
    assert lines[-1].startswith(f"destroy.sh: {text} (") and lines[-1].endswith("and run it again")


def test_without_aws_it_says_what_to_install(tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("bash", "mktemp", "rm", "dirname"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run([SCRIPT], env={"PATH": str(tmp_path / "bin")}, text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (1, "Nothing was deleted.\n")
    assert done.stderr == "destroy.sh: aws is not there: install it (Debian: apt-get install awscli) and run it again\n"


# ---- destroy.sh and terraform ------------------------------------------------------------------

def test_names_agree_with_those_that_terraform_gives():
    conf, script = terraform_policy.read(), SCRIPT.read_text()
    assert f"\nproject={conf.variables()['project']['default']}\n" in script
    assert f"\nregion={conf.variables()['region']['default']}\n" in script
    assert f"\nmaker={conf.kind('provider')[0][1].inside('default_tags')[0]['tags']['ManagedBy']}\n" in script
    for kind, names in (("aws_iam_role", "roles"), ("aws_iam_instance_profile", "profiles"),
                        ("aws_iam_policy", "policies")):
        made = [body["name"].strip('"').replace("${var.project}", "$project") for _, body in conf.resources(kind)]
        assert f"\n{names}=({' '.join(chr(34) + name + chr(34) for name in sorted(made))})\n" in script
    assert conf.resources("aws_cloudwatch_log_group")[0][1]["name"] == '"/${var.project}/flow"'
    assert "name=/$project/flow\n" in script
    assert conf.resources("aws_s3_bucket")[0][1]["bucket"] == \
        '"${var.project}-audit-${data.aws_caller_identity.me.account_id}-${var.region}"'


def test_every_kind_of_thing_that_terraform_makes_is_deleted_or_goes_with_another():
    """A resource that is added there without a thought of destroy.sh would stay for ever."""
    goes_with = {"aws_ecr_lifecycle_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment",
                 "aws_route_table_association", "aws_default_security_group", "aws_vpc_security_group_ingress_rule",
                 "aws_vpc_security_group_egress_rule"}
    by = {"aws_instance": "delete_machines", "aws_eip": "delete_address", "aws_security_group": "delete_group",
          "aws_subnet": "delete_subnet", "aws_route_table": "delete_table", "aws_internet_gateway": "delete_gateway",
          "aws_vpc": "delete_vpc", "aws_key_pair": "delete_key", "aws_iam_instance_profile": "delete_profile",
          "aws_iam_role": "delete_role", "aws_iam_policy": "delete_policy",
          "aws_iam_openid_connect_provider": "delete_oidc", "aws_flow_log": "delete_flow_log",
          "aws_cloudwatch_log_group": "delete_log_group", "aws_dlm_lifecycle_policy": "delete_snapshot_policy",
          "aws_ecr_repository": "delete_registry", "aws_s3_bucket": "delete_audit_log"}
    made = {labels[0] for labels, _ in terraform_policy.read().kind("resource")}
    assert {name for name in made - goes_with if not name.startswith("aws_s3_bucket_")} == set(by)
    assert [name for name in by.values() if f"\n{name}() " not in SCRIPT.read_text()] == []
