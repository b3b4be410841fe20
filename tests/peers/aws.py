"""aws.py - a strict stand-in for the aws command: what destroy.sh asks of it, on accounts that are kept in memory.

Its words are read as the real command reads them (unknown and missing options end with 252), --query is the real
JMESPath, answers come in pages, and --output text applies the query to each page for itself, as the real one does.
aws_command/aws is the command; it comes here over loopback, so that a call costs milliseconds and not half a second.
What an account holds and refuses is in aws_account.py; trouble is planned by an account's `trouble`: a list of
{"at": n or "match": regular expression of the words, "kind": a key of TROUBLE, "for_ever": true, "times": n}.
"""
# SPDX-License-Identifier: ISC
import json
import re
import shlex
import socketserver
import threading

import jmespath

import aws_account as does
from aws_account import Refused

TEXT, LIST, FLAG = "text", "list", "flag"
EC2_DESCRIBE = {"--filters": LIST}


class Operation:
    """name: AWS's own; answers: the key that a list is answered under, and whether it comes in pages."""
    def __init__(self, name, act, options=None, required=(), answers=None, paged=True):
        self.name, self.act, self.options, self.required = name, act, options or {}, required
        self.answers, self.paged = answers, paged


def plain(name, act, *required, answers=None, **more):
    options = {option: TEXT for option in required} | {"--" + key.replace("_", "-"): kind for key, kind in more.items()}
    return Operation(name, act, options, required, answers)


OPERATIONS = {
    "sts get-caller-identity": plain("GetCallerIdentity", does.caller_identity),
    "ec2 describe-instances":
        Operation("DescribeInstances", does.describe("instances"), EC2_DESCRIBE, (), "Reservations"),
    "ec2 describe-addresses":
        Operation("DescribeAddresses", does.describe("addresses"), EC2_DESCRIBE, (), "Addresses", False),
    "ec2 describe-volumes": Operation("DescribeVolumes", does.describe("volumes"), EC2_DESCRIBE, (), "Volumes"),
    "ec2 describe-security-groups":
        Operation("DescribeSecurityGroups", does.describe("groups"), EC2_DESCRIBE, (), "SecurityGroups"),
    "ec2 describe-subnets": Operation("DescribeSubnets", does.describe("subnets"), EC2_DESCRIBE, (), "Subnets"),
    "ec2 describe-route-tables":
        Operation("DescribeRouteTables", does.describe("tables"), EC2_DESCRIBE, (), "RouteTables"),
    "ec2 describe-internet-gateways": Operation("DescribeInternetGateways", does.describe("gateways"), {
        **EC2_DESCRIBE, "--internet-gateway-ids": LIST}, (), "InternetGateways"),
    "ec2 describe-vpcs": Operation("DescribeVpcs", does.describe("vpcs"), EC2_DESCRIBE, (), "Vpcs"),
    "ec2 describe-key-pairs": Operation("DescribeKeyPairs", does.describe("keys"), EC2_DESCRIBE, (), "KeyPairs", False),
    "ec2 describe-flow-logs": Operation(
        "DescribeFlowLogs", does.describe("flow_logs"), {"--filter": LIST}, (), "FlowLogs"),
    "ec2 delete-flow-logs": Operation(
        "DeleteFlowLogs", does.delete_flow_logs, {"--flow-log-ids": LIST}, ("--flow-log-ids",)),
    "ec2 describe-snapshots": Operation(
        "DescribeSnapshots", does.describe("snapshots"), {**EC2_DESCRIBE, "--owner-ids": LIST}, (), "Snapshots"),
    "ec2 delete-snapshot": plain("DeleteSnapshot", does.delete_snapshot, "--snapshot-id"),
    "dlm get-lifecycle-policies":
        Operation("GetLifecyclePolicies", does.snapshot_policies, {"--target-tags": LIST}),
    "dlm delete-lifecycle-policy": plain("DeleteLifecyclePolicy", does.delete_snapshot_policy, "--policy-id"),
    "logs list-tags-for-resource": plain("ListTagsForResource", does.log_group_tags, "--resource-arn"),
    "logs delete-log-group": plain("DeleteLogGroup", does.delete_log_group, "--log-group-name"),
    "ec2 modify-instance-attribute":
        plain("ModifyInstanceAttribute", does.lift_protection, "--instance-id", no_disable_api_termination=FLAG),
    "ec2 terminate-instances":
        Operation("TerminateInstances", does.terminate_instances, {"--instance-ids": LIST}, ("--instance-ids",)),
    "ec2 wait instance-terminated": Operation("DescribeInstances", does.wait_terminated, {"--instance-ids": LIST}),
    "ec2 release-address": plain("ReleaseAddress", does.release_address, "--allocation-id"),
    "ec2 delete-volume": plain("DeleteVolume", does.delete_volume, "--volume-id"),
    "ec2 delete-security-group": plain("DeleteSecurityGroup", does.delete_group, "--group-id"),
    "ec2 delete-subnet": plain("DeleteSubnet", does.delete_subnet, "--subnet-id"),
    "ec2 delete-route-table": plain("DeleteRouteTable", does.delete_table, "--route-table-id"),
    "ec2 detach-internet-gateway":
        plain("DetachInternetGateway", does.detach_gateway, "--internet-gateway-id", "--vpc-id"),
    "ec2 delete-internet-gateway": plain("DeleteInternetGateway", does.delete_gateway, "--internet-gateway-id"),
    "ec2 delete-vpc": plain("DeleteVpc", does.delete_vpc, "--vpc-id"),
    "ec2 delete-key-pair": plain("DeleteKeyPair", does.delete_key, "--key-pair-id"),
    "iam get-role": plain("GetRole", does.get_role, "--role-name"),
    "iam list-roles": plain("ListRoles", does.list_roles, answers="Roles"),
    "iam list-attached-role-policies":
        plain("ListAttachedRolePolicies", does.attached_policies, "--role-name", answers="AttachedPolicies"),
    "iam list-role-policies": plain("ListRolePolicies", does.inline_policies, "--role-name", answers="PolicyNames"),
    "iam detach-role-policy": plain("DetachRolePolicy", does.detach_role_policy, "--role-name", "--policy-arn"),
    "iam delete-role-policy": plain("DeleteRolePolicy", does.delete_role_policy, "--role-name", "--policy-name"),
    "iam delete-role": plain("DeleteRole", does.delete_role, "--role-name"),
    "iam get-instance-profile": plain("GetInstanceProfile", does.get_profile, "--instance-profile-name"),
    "iam remove-role-from-instance-profile":
        plain("RemoveRoleFromInstanceProfile", does.remove_role, "--instance-profile-name", "--role-name"),
    "iam delete-instance-profile": plain("DeleteInstanceProfile", does.delete_profile, "--instance-profile-name"),
    "iam get-policy": plain("GetPolicy", does.get_policy, "--policy-arn"),
    "iam list-policy-versions": plain("ListPolicyVersions", does.policy_versions, "--policy-arn", answers="Versions"),
    "iam delete-policy-version":
        plain("DeletePolicyVersion", does.delete_policy_version, "--policy-arn", "--version-id"),
    "iam delete-policy": plain("DeletePolicy", does.delete_policy, "--policy-arn"),
    "iam get-open-id-connect-provider":
        plain("GetOpenIDConnectProvider", does.get_oidc, "--open-id-connect-provider-arn"),
    "iam delete-open-id-connect-provider":
        plain("DeleteOpenIDConnectProvider", does.delete_oidc, "--open-id-connect-provider-arn"),
    "ecr list-tags-for-resource": plain("ListTagsForResource", does.repository_tags, "--resource-arn"),
    "ecr list-images": plain("ListImages", does.list_images, "--repository-name", answers="imageIds"),
    "ecr delete-repository": plain("DeleteRepository", does.delete_repository, "--repository-name", force=FLAG),
    "s3api get-bucket-tagging": plain("GetBucketTagging", does.bucket_tags, "--bucket"),
    "s3api list-object-versions": plain("ListObjectVersions", does.object_versions, "--bucket", answers="Versions"),
    "s3api delete-objects":
        plain("DeleteObjects", does.delete_objects, "--bucket", "--delete", bypass_governance_retention=FLAG),
    "s3api get-object-retention":
        plain("GetObjectRetention", does.object_retention, "--bucket", "--key", version_id=TEXT),
    "s3api delete-bucket": plain("DeleteBucket", does.delete_bucket, "--bucket"),
}
GLOBAL = {"--region": TEXT, "--query": TEXT, "--output": TEXT}
# Each service says the same in words of its own.
CODES = {
    "denied": {"ec2": "UnauthorizedOperation", "ecr": "AccessDeniedException", "": "AccessDenied"},
    "expired": {"ec2": "RequestExpired", "ecr": "ExpiredTokenException", "": "ExpiredToken"},
    "throttled": {"ec2": "RequestLimitExceeded", "ecr": "ThrottlingException", "s3api": "SlowDown", "": "Throttling"}}


# ---- words in ------------------------------------------------------------------------------------

def usage(text):
    return Refused(252, f"\nusage: aws [options] <command> <subcommand> [parameters]\n\naws: error: {text}")


def parse(words):
    for size in (3, 2):
        if " ".join(words[:size]) in OPERATIONS:
            name, rest = " ".join(words[:size]), list(words[size:])
            break
    else:
        raise usage(f"argument operation: Invalid choice: {words[:3]}")
    known, given = {**OPERATIONS[name].options, **GLOBAL}, {}
    while rest:
        word = rest.pop(0)
        if word not in known:
            raise Refused(252, f"\nUnknown options: {', '.join([word, *rest])}")
        if word in given:
            raise usage(f"{word} twice: the real one takes the last and says nothing")
        values = []
        while rest and not rest[0].startswith("--"):
            values.append(rest.pop(0))
        if (len(values) != 1 if known[word] == TEXT else bool(values) != (known[word] == LIST)):
            raise usage(f"argument {word}: expected {known[word]}, not {values}")
        given[word] = values[0] if known[word] == TEXT else values
    missing = [option for option in OPERATIONS[name].required if option not in given]
    if missing:
        raise usage(f"the following arguments are required: {', '.join(missing)}")
    if given.get("--output", "json") not in ("json", "text"):
        raise usage(f"argument --output: Invalid choice: {given['--output']}")
    return name, given


# ---- answers out ---------------------------------------------------------------------------------

def text_lines(item, name=None, keys=None):
    """The lines of --output text; `name` is the key above, `keys` what every row of a list of objects has."""
    if isinstance(item, list):
        yield from text_of_list(item, name)
    elif isinstance(item, dict):
        plain_keys = keys if keys is not None else sorted(
            key for key, value in item.items() if not isinstance(value, (dict, list)))
        if plain_keys:
            yield "\t".join([*([name.upper()] if name else []), *(str(item.get(key, "")) for key in plain_keys)])
        for key in sorted(set(item) - set(plain_keys)):
            yield from text_lines(item[key], key)
    else:
        yield str(item)


def text_of_list(items, name):
    if any(isinstance(item, dict) for item in items):
        keys = sorted({key for item in items for key, value in item.items() if not isinstance(value, (dict, list))})
        for item in items:
            yield from text_lines(item, name, keys)
        return
    rows = [item for item in items if isinstance(item, list)]
    flat = [str(item) for item in items if not isinstance(item, list)]
    if flat and name:
        yield from (f"{name.upper()}\t{item}" for item in flat)
    elif flat:
        yield "\t".join(flat)
    for row in rows:
        yield from text_lines(row, name)


def pages(operation, found, size):
    """An answer, or the pages that it comes in."""
    if operation.answers is None:
        return [found]
    size = size if operation.paged else max(len(found), 1)
    parts = [found[at:at + size] for at in range(0, len(found), size)] or [[]]
    if operation.name != "ListObjectVersions":
        return [{operation.answers: part} for part in parts]
    # S3 leaves out what there is none of on a page.
    return [{kind: [item for of, item in part if of == kind] or None for kind in ("Versions", "DeleteMarkers")}
            for part in parts]


def whole(parts):
    joined = {}
    for part in parts:
        for key, value in part.items():
            if isinstance(value, list):
                joined.setdefault(key, []).extend(value)
    return joined


def printed(parts, given):
    query = jmespath.compile(given["--query"]) if "--query" in given else None
    if given.get("--output", "json") == "json":
        answer = {key: value for key, value in parts[0].items() if value is not None}
        if len(parts) > 1:
            answer = whole(parts)
        return json.dumps(query.search(answer) if query else answer, indent=4) + "\n"
    lines = []
    for part in parts:
        lines += text_lines(query.search(part) if query else part)
    return "".join(line + "\n" for line in lines)


# ---- trouble -------------------------------------------------------------------------------------

class Hangs(Exception):
    pass


def refuse(kind, service, operation, account, attempts):
    code = CODES.get(kind, {}).get(service, CODES.get(kind, {}).get("", ""))
    if kind == "denied":
        raise Refused(code, f"User: {account['arn']} is not authorized to perform: {service}:{operation}")
    if kind == "expired":
        raise Refused(code, "The security token included in the request is expired")
    if kind == "throttled":
        raise Refused(code, f"Rate exceeded (reached max retries: {attempts - 1})")
    if kind == "network":
        raise Refused(None, f"Could not connect to the endpoint URL: \"https://{service}.us-east-1.amazonaws.com/\"")
    if kind == "credentials":
        raise Refused(253, "Unable to locate credentials. You can configure credentials by running \"aws configure\".")
    raise Hangs


def meet_trouble(account, words, operation, attempts):
    """What was planned for this call; what is for ever stays with these words, or, without rights, with all."""
    count, line = len(account["log"]), shlex.join(words)
    for plan in account["trouble"]:
        met = plan.get("at") == count or plan.get("_line") == line or \
            ("match" in plan and re.search(plan["match"], line)) or \
            (plan.get("_line") and plan["kind"] in ("expired", "network", "credentials"))
        if not met or (plan["kind"] == "throttled" and plan.get("times", 99) < attempts):
            continue
        account["met"] = account.get("met", 0) + 1
        if plan.get("for_ever"):
            plan["_line"] = line
        refuse(plan["kind"], words[0], operation.name, account, attempts)


def run(account, words, attempts):
    """(status, words on stderr, words on stdout)"""
    account["log"].append(list(words))
    try:
        name, given = parse(words)
        operation = OPERATIONS[name]
        meet_trouble(account, words, operation, attempts)
        found = operation.act(account, given.get("--region", account["region"]), given)
        if found is None:
            return 0, "", ""
        return 0, "", printed(pages(operation, found, account["page"]), given)
    except Refused as refused:
        if isinstance(refused.code, int):
            return refused.code, refused.text + "\n", ""
        if refused.code is None:
            return 255, "\n" + refused.text + "\n", ""
        retries = re.search(r" (\(reached max retries: \d+\))$", refused.text)
        text = refused.text.removesuffix(retries[0]) if retries else refused.text
        if words[1] == "wait":
            return 255, f"\nWaiter InstanceTerminated failed: An error occurred ({refused.code}): {text}\n", ""
        again = f" {retries[1]}" if retries else ""
        where = f"when calling the {operation.name} operation{again}"
        return 254, f"\nAn error occurred ({refused.code}) {where}: {text}\n", ""


# ---- the server that the command asks ------------------------------------------------------------

class Handler(socketserver.StreamRequestHandler):
    def word(self):
        text = bytearray()
        while (byte := self.rfile.read(1)) not in (b"\0", b""):
            text += byte
        return text.decode()

    def handle(self):
        count = int(self.word())
        name, attempts, *words = [self.word() for _ in range(count)]
        cloud = self.server.cloud
        try:
            with cloud.lock:
                status, errors, answers = run(cloud.accounts[name], words, int(attempts or 4))
        except Hangs:
            cloud.hanging.set()
            self.rfile.read(1)      # until the command is gone
            return
        errors, answers = errors.encode(), answers.encode()
        self.wfile.write(b"%d %d %d\n" % (status, len(errors), len(answers)) + errors + answers)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    request_queue_size = 64


class Cloud:
    """Accounts by name, and a door for the command; `environment` leads it there."""
    def __init__(self):
        self.accounts, self.lock, self.hanging = {}, threading.Lock(), threading.Event()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.cloud = self
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def environment(self, name):
        return {"AWS_STAND_IN_PORT": str(self.server.server_address[1]), "AWS_STAND_IN_ACCOUNT": name}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
