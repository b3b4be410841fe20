"""Goal: the stand-in for aws is as strict as AWS, and the real aws takes every command that destroy.sh gives."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import shutil
import subprocess

import pytest

import aws
from destroy_aid import ACCOUNT, SCRIPT, Destroyer, account, apply, entry, remains

HERE = pathlib.Path(__file__).resolve().parent
BUCKET = f"myapp-audit-{ACCOUNT}-us-east-1"
LATER = "2027-01-01T00:00:00+00:00"


@pytest.mark.parametrize("line,code", [
    ("ec2 delete-subnet --subnet-id subnet-0a0", "DependencyViolation"),
    ("ec2 delete-vpc --vpc-id vpc-0a", "DependencyViolation"),
    ("ec2 delete-security-group --group-id sg-0aapp", "DependencyViolation"),
    ("ec2 delete-security-group --group-id sg-0abot", "DependencyViolation"),
    ("ec2 delete-security-group --group-id sg-0adefault", "CannotDelete"),
    ("ec2 delete-route-table --route-table-id rtb-0a", "DependencyViolation"),
    ("ec2 detach-internet-gateway --internet-gateway-id igw-0a --vpc-id vpc-0a", "DependencyViolation"),
    ("ec2 delete-internet-gateway --internet-gateway-id igw-0a", "DependencyViolation"),
    ("ec2 release-address --allocation-id eipalloc-0a0", "InvalidIPAddress.InUse"),
    ("ec2 delete-volume --volume-id vol-0a0", "VolumeInUse"),
    ("ec2 delete-vpc --vpc-id vpc-0c", "InvalidVpcID.NotFound"),
    ("ec2 delete-vpc --vpc-id subnet-0a0", "InvalidVpcID.Malformed"),
    ("ec2 terminate-instances --instance-ids i-0a0 i-0c", "InvalidInstanceID.NotFound"),
    ("ec2 describe-vpcs --filters Name=tags,Values=myapp", "InvalidParameterValue"),
    ("iam delete-role --role-name myapp-app", "DeleteConflict"),
    ("iam delete-role --role-name nobody", "NoSuchEntity"),
    ("iam delete-instance-profile --instance-profile-name myapp-app", "DeleteConflict"),
    (f"iam delete-policy --policy-arn arn:aws:iam::{ACCOUNT}:policy/myapp-deploybot", "DeleteConflict"),
    (f"iam delete-policy-version --version-id v4 --policy-arn arn:aws:iam::{ACCOUNT}:policy/myapp-deploybot",
     "DeleteConflict"),
    ("ecr delete-repository --region us-east-1 --repository-name myapp", "RepositoryNotEmptyException"),
    (f"s3api delete-bucket --bucket {BUCKET}", "BucketNotEmpty"),
    ("s3api get-bucket-tagging --bucket nobody", "NoSuchBucket"),
    ("ec2 delete-vpc", 252), ("ec2 delete-vpc --vpc vpc-0a", 252), ("ec2 delete-vpc --vpc-id", 252),
    ("ec2 delete-vpcs --vpc-id vpc-0a", 252), ("ec2 delete-vpc --vpc-id vpc-0a --force", 252),
    ("iam get-role --role-name a b", 252), ("ecr delete-repository --repository-name myapp --force yes", 252),
    ("ec2 describe-vpcs --output lines", 252), ("ec2 wait instance-terminated --instance-ids i-0a0", 255)])
def test_the_stand_in_refuses(line, code):
    where = apply(account())
    before = remains(where)
    status, errors, answers = aws.run(where, line.split(), 4)
    assert (answers, remains(where)) == ("", before)
    if isinstance(code, int):
        assert status == code
    else:
        assert status == 254 and f"An error occurred ({code}) when calling the " in errors


def test_the_stand_in_answers_page_by_page():
    where = apply(account())
    line = ["ec2", "describe-addresses", "--query", "length(Addresses)", "--output", "text"]
    assert aws.run(where, line, 4) == (0, "", "3\n")
    line = ["ec2", "describe-instances", "--query", "length(Reservations)", "--output", "text"]
    assert aws.run(where, line, 4) == (0, "", "2\n1\n")
    line = ["s3api", "list-object-versions", "--bucket", BUCKET, "--query", "DeleteMarkers[].[Key]", "--output", "text"]
    assert aws.run(where, line, 4)[2].splitlines()[:2] == ["None", "None"]
    line = ["s3api", "list-object-versions", "--bucket", BUCKET, "--query", "length(Versions)"]
    assert aws.run(where, line, 4) == (0, "", "4\n")


def python_of_the_real_aws():
    """The interpreter that the installed aws is run by, where it is a script of Python."""
    found = shutil.which("aws")
    if found and shutil.which("pyenv") and "shims" in found:
        done = subprocess.run(["pyenv", "which", "aws"], text=True, capture_output=True, check=False)
        found = done.stdout.strip() or None
    if not found:
        return None
    first = pathlib.Path(found).read_bytes()[:200].split(b"\n")[0].decode(errors="replace")
    match = re.fullmatch(r"#! ?(/\S*python[0-9.]*)(?: .*)?", first)
    return match[1] if match else None


@pytest.mark.long
def test_the_real_aws_takes_every_command_and_refuses_in_words_that_are_understood(tmp_path):
    """Each command goes through the real one, to a server on loopback that refuses it in the service's own format."""
    python = python_of_the_real_aws()
    if not python:
        pytest.skip("no aws on PATH that is a script of Python: Debian's awscli would be")
    where = apply(account())
    where["s3"][BUCKET]["objects"].append(entry(77, until=LATER))
    cloud = aws.Cloud()
    Destroyer(cloud, tmp_path, quick=True).run(where, "--force")
    cloud.close()
    (tmp_path / "versions.json").write_text('{"Objects": [{"Key": "a", "VersionId": "b"}]}')
    commands = {" ".join(words[:3]): words for words in where["log"]}
    commands["waiter"] = ["ec2", "wait", "instance-terminated", "--region", "us-east-1", "--instance-ids", "i-0a0"]
    sent = [[f"file://{tmp_path}/versions.json" if word.startswith("file:") else word for word in words]
            for words in commands.values()]
    done = subprocess.run([python, str(HERE / "aws_real.py")], input=json.dumps(sent), text=True, capture_output=True,
                          env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    refusal = re.search(r"^refusal='(.*)'$", SCRIPT.read_text(), re.M)[1]
    answers = json.loads(done.stdout)
    assert len(answers) == len(sent) > 35
    for words, (status, errors) in zip(sent, answers):
        match = re.search(refusal, errors.strip())
        assert status != 0 and match and match[1] == "ProbeRefused", (words, errors)
