"""An account of AWS as terraform leaves it, and destroy.sh on it, with the stand-in for aws as the only one on PATH."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import signal
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "deploy" / "terraform" / "destroy.sh"
COMMANDS = ROOT / "tests" / "peers" / "aws_command"
ACCOUNT = "123456789012"
OIDC = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
NOW = "2026-06-01T00:00:00+00:00"


def tags(project, region, maker="deploybot-terraform", **more):
    return [{"Key": key, "Value": value} for key, value in
            {"Project": project, "ManagedBy": maker, "Region": region, **more}.items()]


def account(**more):
    """An account with nothing in it.  A page has two entries: whoever reads one page reads too little."""
    return {"account": ACCOUNT, "arn": f"arn:aws:iam::{ACCOUNT}:user/ops", "region": "us-east-1", "now": NOW, "page": 2,
            "log": [], "trouble": [], "ec2": {}, "iam": {"roles": {}, "profiles": {}, "policies": {}, "oidc": {}},
            "ecr": {}, "s3": {}, "dlm": {}, "logs": {}, **more}


def trust(service=None):
    principal = {"Service": service} if service else {"Federated": OIDC}
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal}]}


def apply_network(cloud, project, region, mark, ours):
    vpc = f"vpc-{mark}"
    cloud["vpcs"][vpc] = {"VpcId": vpc, "CidrBlock": "10.20.0.0/16", "Tags": ours}
    cloud["gateways"][f"igw-{mark}"] = {
        "InternetGatewayId": f"igw-{mark}", "Attachments": [{"VpcId": vpc, "State": "available"}], "Tags": ours}
    links = []
    for number in range(2):
        name = f"subnet-{mark}{number}"
        cidr = f"10.20.{16 * number}.0/20"
        cloud["subnets"][name] = {"SubnetId": name, "VpcId": vpc, "CidrBlock": cidr, "Tags": ours}
        links.append({"RouteTableAssociationId": f"rtbassoc-{mark}{number}", "SubnetId": name})
    cloud["tables"][f"rtb-{mark}"] = {"RouteTableId": f"rtb-{mark}", "VpcId": vpc, "Associations": links, "Tags": ours}
    cloud["tables"][f"rtb-{mark}main"] = {
        "RouteTableId": f"rtb-{mark}main", "VpcId": vpc, "Associations": [{"Main": True}], "Tags": []}
    # terraform tags the default group too, and nobody can delete it
    cloud["groups"][f"sg-{mark}default"] = {
        "GroupId": f"sg-{mark}default", "GroupName": "default", "VpcId": vpc, "Tags": ours}
    # Listed first, the group that another one's rule names: it cannot go first.
    cloud["groups"][f"sg-{mark}bot"] = {
        "GroupId": f"sg-{mark}bot", "GroupName": f"{project}-deploybot", "VpcId": vpc, "Tags": ours}
    cloud["groups"][f"sg-{mark}app"] = {"GroupId": f"sg-{mark}app", "GroupName": f"{project}-app", "VpcId": vpc,
                                        "_from": [f"sg-{mark}bot"], "Tags": ours}


def apply_machines(cloud, project, region, mark):
    for number, name in enumerate(("staging", "production", "deploybot")):
        machine = f"i-{mark}{number}"
        cloud["instances"][machine] = {
            "InstanceId": machine, "State": {"Name": "running"}, "SubnetId": f"subnet-{mark}{number % 2}",
            "VpcId": f"vpc-{mark}", "_protected": name == "production",
            "_groups": [f"sg-{mark}{'bot' if number == 2 else 'app'}"],
            "Tags": tags(project, region, Name=f"{project}-{name}")}
        cloud["addresses"][f"eipalloc-{mark}{number}"] = {
            "AllocationId": f"eipalloc-{mark}{number}", "PublicIp": f"198.51.100.{number + 1}", "InstanceId": machine,
            "Tags": tags(project, region)}
        cloud["volumes"][f"vol-{mark}{number}"] = {
            "VolumeId": f"vol-{mark}{number}", "_machine": machine, "Tags": tags(project, region)}


def apply_rights(iam, project, region):
    def ours():
        return tags(project, region)
    arn = f"arn:aws:iam::{ACCOUNT}:policy/{project}-deploybot"
    for name, attached, inline in (("app", [], ["pull", "sessions"]), ("deploy", [], ["push"]),
                                   ("deploybot", [arn], ["sessions"]), ("flow", [], ["write"]),
                                   ("snapshots", [], ["copy"])):
        iam["roles"][f"{project}-{name}"] = {
            "RoleName": f"{project}-{name}", "Tags": ours(), "_attached": attached, "_inline": inline,
            "AssumeRolePolicyDocument": trust(None if name == "deploy" else "ec2.amazonaws.com")}
    for name in ("app", "deploybot"):
        iam["profiles"][f"{project}-{name}"] = {
            "InstanceProfileName": f"{project}-{name}", "Tags": ours(), "_roles": [f"{project}-{name}"]}
    iam["policies"][arn] = {"Arn": arn, "Tags": ours(), "_users": [], "_versions": [
        {"VersionId": f"v{number}", "IsDefaultVersion": number == 4} for number in range(1, 5)]}
    people = f"arn:aws:iam::{ACCOUNT}:policy/{project}-people"
    iam["policies"][people] = {"Arn": people, "Tags": ours(), "_users": [],
                               "_versions": [{"VersionId": "v1", "IsDefaultVersion": True}]}
    iam["oidc"].setdefault(OIDC, {"Url": "token.actions.githubusercontent.com", "Tags": ours()})


def apply_copies_and_logs(where, project, region, mark):
    ours = {tag["Key"]: tag["Value"] for tag in tags(project, region)}
    where["dlm"].setdefault(region, {})[f"policy-{mark}"] = {
        "PolicyId": f"policy-{mark}", "State": "ENABLED", "Tags": ours, "_target_tags": {"Snapshots": project}}
    where["logs"].setdefault(region, {})[f"/{project}/flow"] = {"tags": ours}
    cloud = where["ec2"][region]
    cloud["flow_logs"][f"fl-{mark}"] = {"FlowLogId": f"fl-{mark}", "Tags": tags(project, region)}
    for day in range(1, 4):
        name = f"snap-{mark}{day}"
        cloud["snapshots"][name] = {"SnapshotId": name, "StartTime": f"2026-05-0{day}T03:00:00+00:00",
                                    "Tags": tags(project, region, Snapshots=project)}


def entry(number, until=None, mode="GOVERNANCE", **more):
    lock = {"_until": until, "_mode": mode} if until else {}
    return {"Key": f"host/2026-05-{number % 28 + 1:02d} log {number:05d}", "VersionId": f"v{number:05d}",
            "LastModified": f"2026-05-{number % 28 + 1:02d}T00:00:00+00:00", **lock, **more}


def apply(where, project="myapp", region="us-east-1", mark="0a"):
    """What `terraform apply` makes with deploybot_instance = true, and some days of use."""
    cloud = where["ec2"].setdefault(region, {})
    for kind in ("instances", "addresses", "volumes", "groups", "subnets", "tables", "gateways", "vpcs", "keys",
                 "interfaces", "flow_logs", "snapshots"):
        cloud.setdefault(kind, {})
    apply_network(cloud, project, region, mark, tags(project, region))
    apply_machines(cloud, project, region, mark)
    cloud["keys"][f"key-{mark}"] = {"KeyPairId": f"key-{mark}", "KeyName": project, "Tags": tags(project, region)}
    apply_rights(where["iam"], project, region)
    apply_copies_and_logs(where, project, region, mark)
    where["ecr"].setdefault(region, {})[project] = {
        "tags": tags(project, region), "images": [{"imageDigest": f"sha256:{number:064x}"} for number in range(5)]}
    where["s3"][f"{project}-audit-{ACCOUNT}-{region}"] = {
        "region": region, "tags": tags(project, region),
        "objects": [entry(number) for number in range(4)] + [{**entry(9), "_marker": True}]}
    return where


def remains(where):
    """The names of all that is there; what nobody can delete (ended machines) is not, nor are snapshots."""
    found = [f"{region}/{name}" for region, kinds in where["ec2"].items()
             for kind, items in kinds.items() if kind != "snapshots"
             for name, item in items.items() if item.get("State", {}).get("Name") != "terminated"]
    found += [name for items in where["iam"].values() for name in items]
    for kind in ("dlm", "logs"):
        found += [f"{region}/{name}" for region, items in where[kind].items() for name in items]
    found += [f"ecr {region}/{name}" for region, items in where["ecr"].items() for name in items]
    return sorted(found + [f"s3 {name}" for name in where["s3"]])


class Destroyer:
    """Runs destroy.sh on accounts of a cloud.  Quick: aws is a function there, not a program that has to start."""
    def __init__(self, cloud, folder, quick=False):
        self.cloud, self.folder, self.quick = cloud, folder, quick

    def environment(self, name, path=None):
        return {"PATH": f"{path or COMMANDS}:/usr/bin:/bin", "TMPDIR": str(self.folder), "LC_ALL": "C.UTF-8",
                **({"BASH_ENV": str(COMMANDS / "aws")} if self.quick else {}), **self.cloud.environment(name)}

    def start(self, name, *options, **more):
        return subprocess.Popen([SCRIPT, *options], env=self.environment(name), cwd=self.folder, text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True, **more)

    def run(self, where, *options, typed=None, name="account"):
        """(status, lines of both outputs); the account is the cloud's by that name from now on."""
        self.cloud.accounts[name] = where
        process = self.start(name, *options)
        try:
            out, errors = process.communicate(typed or "", timeout=120)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, (out + errors).splitlines()
