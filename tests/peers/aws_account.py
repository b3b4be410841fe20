"""aws_account.py - an account of AWS as far as deploy/terraform fills it, and what AWS refuses to delete there.

Each function is one operation: it is given the account (a dict that JSON can hold), the region and the parameters, and
answers what AWS answers, or raises Refused with AWS's code and words.  Tags, states and references are the real ones'
in name and kind; addresses, prices and everything that does not hold something else are not here.
"""
# SPDX-License-Identifier: ISC
import json
import re

LIVE = ("pending", "running", "stopping", "stopped", "shutting-down")


class Refused(Exception):
    def __init__(self, code, text):
        super().__init__(code, text)
        self.code, self.text = code, text


def dependent(kind, name):
    return Refused("DependencyViolation", f"The {kind} '{name}' has dependencies and cannot be deleted.")


# ---- EC2 ----------------------------------------------------------------------------------------

MISSING = {"instances": "InvalidInstanceID.NotFound", "addresses": "InvalidAllocationID.NotFound",
           "volumes": "InvalidVolume.NotFound", "groups": "InvalidGroup.NotFound",
           "subnets": "InvalidSubnetID.NotFound", "tables": "InvalidRouteTableID.NotFound",
           "gateways": "InvalidInternetGatewayID.NotFound", "vpcs": "InvalidVpcID.NotFound",
           "keys": "InvalidKeyPair.NotFound", "flow_logs": "InvalidFlowLogId.NotFound",
           "snapshots": "InvalidSnapshot.NotFound"}
IDS = {"instances": "InstanceId", "addresses": "AllocationId", "volumes": "VolumeId", "groups": "GroupId",
       "subnets": "SubnetId", "tables": "RouteTableId", "gateways": "InternetGatewayId", "vpcs": "VpcId",
       "keys": "KeyPairId", "flow_logs": "FlowLogId", "snapshots": "SnapshotId"}
PREFIXES = {"instances": "i-", "addresses": "eipalloc-", "volumes": "vol-", "groups": "sg-", "subnets": "subnet-",
            "tables": "rtb-", "gateways": "igw-", "vpcs": "vpc-", "keys": "key-", "flow_logs": "fl-",
            "snapshots": "snap-"}


def ec2(account, region, kind):
    return account["ec2"].setdefault(region, {}).setdefault(kind, {})


def pick(account, region, kind, name):
    if not name.startswith(PREFIXES[kind]):
        raise Refused(MISSING[kind].replace("NotFound", "Malformed"), f"Invalid id: \"{name}\"")
    found = ec2(account, region, kind).get(name)
    if found is None:
        raise Refused(MISSING[kind], f"The ID '{name}' does not exist")
    return found


def matches(item, filters):
    for name, values in filters:
        if name.startswith("tag:"):
            tags = {tag["Key"]: tag["Value"] for tag in item.get("Tags", [])}
            if tags.get(name[4:]) not in values:
                return False
        elif name == "instance-state-name":
            if item["State"]["Name"] not in values:
                return False
        else:
            raise Refused("InvalidParameterValue", f"The filter '{name}' is invalid")
    return True


def parsed_filters(words):
    filters = []
    for word in words:
        match = re.fullmatch(r"Name=([^,]+),Values=(.+)", word)
        if not match:
            raise Refused(None, f"Error parsing parameter '--filters': {word}")
        filters.append((match[1], match[2].split(",")))
    return filters


def describe(kind):
    def answer(account, region, given):
        ids = given.get(f"--{DESCRIBE_IDS[kind]}", []) if kind in DESCRIBE_IDS else []
        chosen = [pick(account, region, kind, name) for name in ids] or list(ec2(account, region, kind).values())
        filters = parsed_filters(given.get("--filter" if kind == "flow_logs" else "--filters", []))
        found = [{key: value for key, value in item.items() if not key.startswith("_")}
                 for item in chosen if matches(item, filters)]
        return [{"Instances": [item]} for item in found] if kind == "instances" else found
    return answer


DESCRIBE_IDS = {"gateways": "internet-gateway-ids"}


def lift_protection(account, region, given):
    if "--no-disable-api-termination" not in given:
        raise Refused("InvalidParameterCombination", "No attributes specified.")
    machine = pick(account, region, "instances", given["--instance-id"])
    if machine["State"]["Name"] in ("shutting-down", "terminated"):
        raise Refused("IncorrectInstanceState", f"The instance '{machine['InstanceId']}' is not in a valid state.")
    machine["_protected"] = False


def terminate_instances(account, region, given):
    machines = [pick(account, region, "instances", name) for name in given["--instance-ids"]]
    for machine in machines:
        if machine.get("_protected"):
            raise Refused("OperationNotPermitted", f"The instance '{machine['InstanceId']}' may not be terminated. "
                          "Modify its 'disableApiTermination' instance attribute and try again.")
    for machine in machines:
        if machine["State"]["Name"] != "terminated":
            machine["State"] = {"Name": "shutting-down"}
    return {"TerminatingInstances": [{"InstanceId": machine["InstanceId"]} for machine in machines]}


def ended(account, region, machine):
    """What goes with a machine: its interface, the association of its address, its disk."""
    machine["State"] = {"Name": "terminated"}
    for address in ec2(account, region, "addresses").values():
        if address.get("InstanceId") == machine["InstanceId"]:
            del address["InstanceId"]
    for name, volume in list(ec2(account, region, "volumes").items()):
        if volume.get("_machine") == machine["InstanceId"]:
            del ec2(account, region, "volumes")[name]


def wait_terminated(account, region, given):
    for name in given["--instance-ids"]:
        machine = pick(account, region, "instances", name)
        if machine["State"]["Name"] in ("pending", "stopping"):
            raise Refused(None, "Waiter InstanceTerminated failed: Waiter encountered a terminal failure state: For "
                          "expression \"Reservations[].Instances[].State.Name\" we matched expected path: "
                          f"\"{machine['State']['Name']}\" at least once")
        if machine["State"]["Name"] not in ("shutting-down", "terminated"):
            raise Refused(None, "Waiter InstanceTerminated failed: Max attempts exceeded")
        ended(account, region, machine)


def release_address(account, region, given):
    name = given["--allocation-id"]
    if "InstanceId" in pick(account, region, "addresses", name):
        raise Refused("InvalidIPAddress.InUse", f"Address {name} is in use.")
    del ec2(account, region, "addresses")[name]


def delete_volume(account, region, given):
    volume = pick(account, region, "volumes", given["--volume-id"])
    if volume.get("_machine"):
        raise Refused("VolumeInUse", f"Volume {volume['VolumeId']} is currently attached to {volume['_machine']}")
    del ec2(account, region, "volumes")[volume["VolumeId"]]


def interfaces(account, region):
    """(subnet, groups) of what has an address inside: machines that live, and what others have put there."""
    for machine in ec2(account, region, "instances").values():
        if machine["State"]["Name"] in LIVE:
            yield machine["SubnetId"], machine["_groups"]
    for item in ec2(account, region, "interfaces").values():
        yield item["SubnetId"], item["_groups"]


def delete_group(account, region, given):
    group = pick(account, region, "groups", given["--group-id"])
    name = group["GroupId"]
    if group["GroupName"] == "default":
        raise Refused("CannotDelete", f"the specified group: \"{name}\" name: \"default\" cannot be deleted by a user")
    if any(name in groups for _, groups in interfaces(account, region)) or \
            any(name in other.get("_from", []) for key, other in ec2(account, region, "groups").items() if key != name):
        raise Refused("DependencyViolation", f"resource {name} has a dependent object")
    del ec2(account, region, "groups")[name]


def delete_subnet(account, region, given):
    name = pick(account, region, "subnets", given["--subnet-id"])["SubnetId"]
    if any(subnet == name for subnet, _ in interfaces(account, region)):
        raise dependent("subnet", name)
    del ec2(account, region, "subnets")[name]
    for table in ec2(account, region, "tables").values():
        table["Associations"] = [item for item in table["Associations"] if item.get("SubnetId") != name]


def delete_table(account, region, given):
    table = pick(account, region, "tables", given["--route-table-id"])
    if table["Associations"]:
        raise dependent("routeTable", table["RouteTableId"])
    del ec2(account, region, "tables")[table["RouteTableId"]]


def detach_gateway(account, region, given):
    gateway = pick(account, region, "gateways", given["--internet-gateway-id"])
    vpc = pick(account, region, "vpcs", given["--vpc-id"])["VpcId"]
    if vpc not in [item["VpcId"] for item in gateway["Attachments"]]:
        raise Refused("Gateway.NotAttached",
                      f"resource {gateway['InternetGatewayId']} is not attached to network {vpc}")
    here = [name for name, machine in ec2(account, region, "instances").items() if machine["VpcId"] == vpc]
    if any(address.get("InstanceId") in here for address in ec2(account, region, "addresses").values()):
        raise Refused("DependencyViolation", f"Network {vpc} has some mapped public address(es). Please unmap those "
                      "public address(es) before detaching the gateway.")
    gateway["Attachments"] = []


def delete_gateway(account, region, given):
    gateway = pick(account, region, "gateways", given["--internet-gateway-id"])
    if gateway["Attachments"]:
        raise dependent("internetGateway", gateway["InternetGatewayId"])
    del ec2(account, region, "gateways")[gateway["InternetGatewayId"]]


def delete_vpc(account, region, given):
    name = pick(account, region, "vpcs", given["--vpc-id"])["VpcId"]

    def mine(kind):
        return {key: item for key, item in ec2(account, region, kind).items() if item.get("VpcId") == name}
    attached = [item for gateway in ec2(account, region, "gateways").values() for item in gateway["Attachments"]]
    if mine("subnets") or name in [item["VpcId"] for item in attached] or \
            any(item["GroupName"] != "default" for item in mine("groups").values()) or \
            any(not any(part.get("Main") for part in item["Associations"]) for item in mine("tables").values()):
        raise dependent("vpc", name)
    for kind in ("groups", "tables"):
        for key in mine(kind):
            del ec2(account, region, kind)[key]
    del ec2(account, region, "vpcs")[name]


def delete_flow_logs(account, region, given):
    """What is not deleted is no error of the call."""
    unsuccessful = []
    for name in given["--flow-log-ids"]:
        item = ec2(account, region, "flow_logs").pop(name, None)
        if item is None or item.get("_refused"):
            code, text = ("UnauthorizedOperation", "You are not authorized") if item else \
                ("InvalidFlowLogId.NotFound", f"The ID '{name}' does not exist")
            unsuccessful.append({"ResourceId": name, "Error": {"Code": code, "Message": text}})
            if item:
                ec2(account, region, "flow_logs")[name] = item
    return {"Unsuccessful": unsuccessful}


def delete_snapshot(account, region, given):
    item = pick(account, region, "snapshots", given["--snapshot-id"])
    if item.get("_image"):
        raise Refused("InvalidSnapshot.InUse",
                      f"The snapshot {item['SnapshotId']} is currently in use by {item['_image']}")
    del ec2(account, region, "snapshots")[item["SnapshotId"]]


def delete_key(account, region, given):
    """It says so of a pair that is not there, too."""
    ec2(account, region, "keys").pop(given["--key-pair-id"], None)
    return {"Return": True, "KeyPairId": given["--key-pair-id"]}


# ---- IAM: one for all regions -------------------------------------------------------------------

def entity(account, kind, name, words):
    if name not in account["iam"][kind]:
        raise Refused("NoSuchEntity", words.format(name))
    return account["iam"][kind][name]


def role(account, name):
    return entity(account, "roles", name, "The role with name {} cannot be found.")


def profile(account, name):
    return entity(account, "profiles", name, "Instance Profile {} cannot be found.")


def policy(account, arn):
    if not re.fullmatch(r"arn:aws:iam::(aws|[0-9]{12}):policy/[\w+=,.@/-]+", arn):
        raise Refused("ValidationError", f"Invalid ARN: {arn}")
    return entity(account, "policies", arn, "Policy {} was not found.")


def shown(item):
    return {key: value for key, value in item.items() if not key.startswith("_")}


def get_role(account, _, given):
    return {"Role": shown(role(account, given["--role-name"]))}


def list_roles(account, _, given):
    roles = account["iam"]["roles"].values()
    return [{key: value for key, value in shown(item).items() if key != "Tags"} for item in roles]


def attached_policies(account, _, given):
    attached = role(account, given["--role-name"])["_attached"]
    return [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in attached]


def inline_policies(account, _, given):
    return list(role(account, given["--role-name"])["_inline"])


def detach_role_policy(account, _, given):
    attached = role(account, given["--role-name"])["_attached"]
    if given["--policy-arn"] not in attached:
        raise Refused("NoSuchEntity", f"Policy {given['--policy-arn']} was not found.")
    attached.remove(given["--policy-arn"])


def delete_role_policy(account, _, given):
    inline = role(account, given["--role-name"])["_inline"]
    if given["--policy-name"] not in inline:
        raise Refused("NoSuchEntity", f"The role policy with name {given['--policy-name']} cannot be found.")
    inline.remove(given["--policy-name"])


def delete_role(account, _, given):
    name = given["--role-name"]
    item = role(account, name)
    conflict = "Cannot delete entity, must {} first."
    if any(name in profile_item["_roles"] for profile_item in account["iam"]["profiles"].values()):
        raise Refused("DeleteConflict", conflict.format("remove roles from instance profile"))
    if item["_attached"]:
        raise Refused("DeleteConflict", conflict.format("detach all policies"))
    if item["_inline"]:
        raise Refused("DeleteConflict", conflict.format("delete policies"))
    del account["iam"]["roles"][name]


def get_profile(account, _, given):
    return {"InstanceProfile": shown(profile(account, given["--instance-profile-name"]))}


def remove_role(account, _, given):
    roles = profile(account, given["--instance-profile-name"])["_roles"]
    if given["--role-name"] not in roles:
        raise Refused("NoSuchEntity", f"The role with name {given['--role-name']} cannot be found.")
    roles.remove(given["--role-name"])


def delete_profile(account, _, given):
    name = given["--instance-profile-name"]
    if profile(account, name)["_roles"]:
        raise Refused("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first.")
    del account["iam"]["profiles"][name]


def get_policy(account, _, given):
    return {"Policy": shown(policy(account, given["--policy-arn"]))}


def policy_versions(account, _, given):
    return policy(account, given["--policy-arn"])["_versions"]


def delete_policy_version(account, _, given):
    versions = policy(account, given["--policy-arn"])["_versions"]
    found = [item for item in versions if item["VersionId"] == given["--version-id"]]
    if not found:
        raise Refused("NoSuchEntity", f"Policy version {given['--version-id']} was not found.")
    if found[0]["IsDefaultVersion"]:
        raise Refused("DeleteConflict", "Cannot delete the default version of a policy.")
    versions.remove(found[0])


def delete_policy(account, _, given):
    arn = given["--policy-arn"]
    item = policy(account, arn)
    if item["_users"] or any(arn in other["_attached"] for other in account["iam"]["roles"].values()):
        raise Refused("DeleteConflict", "Cannot delete a policy attached to entities.")
    if len(item["_versions"]) > 1:
        raise Refused("DeleteConflict", "This policy has more than one version. Before you delete a policy, you must "
                      "delete the policy's versions. The default version is deleted with the policy.")
    del account["iam"]["policies"][arn]


OIDC = "OpenIDConnect Provider not found for arn {}"


def get_oidc(account, _, given):
    return shown(entity(account, "oidc", given["--open-id-connect-provider-arn"], OIDC))


def delete_oidc(account, _, given):
    entity(account, "oidc", given["--open-id-connect-provider-arn"], OIDC)
    del account["iam"]["oidc"][given["--open-id-connect-provider-arn"]]


# ---- Data Lifecycle Manager, CloudWatch Logs: their tags are an object, and no list ---------------

def snapshot_policies(account, region, given):
    """Those that look for one of these tags."""
    wanted = dict(word.split("=", 1) for word in given.get("--target-tags", []))
    return {"Policies": [shown(item) for item in account["dlm"].get(region, {}).values()
                         if wanted.items() <= item["_target_tags"].items()]}


def delete_snapshot_policy(account, region, given):
    if account["dlm"].get(region, {}).pop(given["--policy-id"], None) is None:
        raise Refused("ResourceNotFoundException", f"Policy {given['--policy-id']} does not exist")


def log_group(account, region, name):
    found = account["logs"].get(region, {}).get(name)
    if found is None:
        raise Refused("ResourceNotFoundException", "The specified log group does not exist.")
    return found


def log_group_tags(account, region, given):
    match = re.fullmatch(r"arn:aws:logs:([a-z0-9-]+):([0-9]{12}):log-group:([\w./#-]+)", given["--resource-arn"])
    if not match or (match[1], match[2]) != (region, account["account"]):
        raise Refused("InvalidParameterException", "1 validation error detected: Value at 'resourceArn' failed")
    return {"tags": log_group(account, region, match[3])["tags"]}


def delete_log_group(account, region, given):
    log_group(account, region, given["--log-group-name"])
    del account["logs"][region][given["--log-group-name"]]


# ---- ECR ----------------------------------------------------------------------------------------

def repository(account, region, name):
    found = account["ecr"].get(region, {}).get(name)
    if found is None:
        raise Refused("RepositoryNotFoundException", f"The repository with name '{name}' does not exist in the "
                      f"registry with id '{account['account']}'")
    return found


def repository_tags(account, region, given):
    match = re.fullmatch(r"arn:aws:ecr:([a-z0-9-]+):([0-9]{12}):repository/([a-z0-9._/-]+)", given["--resource-arn"])
    if not match or (match[1], match[2]) != (region, account["account"]):
        raise Refused("InvalidParameterException", "Invalid parameter at 'resourceArn' failed to satisfy constraint")
    return {"tags": repository(account, region, match[3])["tags"]}


def list_images(account, region, given):
    return repository(account, region, given["--repository-name"])["images"]


def delete_repository(account, region, given):
    name = given["--repository-name"]
    if repository(account, region, name)["images"] and "--force" not in given:
        raise Refused("RepositoryNotEmptyException", f"The repository with name '{name}' in registry with id "
                      f"'{account['account']}' cannot be deleted because it still contains images")
    del account["ecr"][region][name]


# ---- S3 -----------------------------------------------------------------------------------------

def bucket(account, given):
    name = given["--bucket"]
    if name not in account["s3"]:
        raise Refused("NoSuchBucket", "The specified bucket does not exist")
    if account["s3"][name].get("foreign"):
        raise Refused("AccessDenied", "Access Denied")
    return account["s3"][name]


def bucket_tags(account, _, given):
    tags = bucket(account, given)["tags"]
    if not tags:
        raise Refused("NoSuchTagSet", "The TagSet does not exist")
    return {"TagSet": tags}


def object_versions(account, _, given):
    """(key of the answer, item), in the order of keys as S3 lists them."""
    objects = bucket(account, given)["objects"]
    return [("DeleteMarkers" if item.get("_marker") else "Versions", shown(item)) for item in objects]


def is_locked(account, item, bypass):
    if item.get("_until", "") <= account["now"]:
        return False
    return item["_mode"] == "COMPLIANCE" or not (bypass and account.get("may_bypass"))


def delete_objects(account, _, given):
    store = bucket(account, given)["objects"]
    try:
        with open(given["--delete"].removeprefix("file://"), encoding="utf-8") as file:
            wanted = json.load(file)
    except (OSError, ValueError) as wrong:
        raise Refused(None, f"Error parsing parameter '--delete': {wrong}") from wrong
    if not isinstance(wanted, dict) or set(wanted) - {"Objects", "Quiet"} or "Objects" not in wanted:
        raise Refused(None, "Parameter validation failed: Missing required parameter in Delete: \"Objects\"")
    if not 1 <= len(wanted["Objects"]) <= 1000:
        raise Refused("MalformedXML", "The XML you provided was not well-formed or did not validate against our "
                      "published schema")
    answer = {"Deleted": [], "Errors": []}
    for item in wanted["Objects"]:
        if set(item) != {"Key", "VersionId"}:
            raise Refused(None, f"the stand-in deletes versions alone, not {item}: that would only hide an object")
        found = [kept for kept in store if (kept["Key"], kept["VersionId"]) == (item["Key"], item["VersionId"])]
        if found and is_locked(account, found[0], "--bypass-governance-retention" in given):
            answer["Errors"].append({**item, "Code": "AccessDenied",
                                     "Message": "Access Denied because object protected by object lock."})
        else:
            store[:] = [kept for kept in store if kept not in found]
            answer["Deleted"].append(item)
    return {key: value for key, value in answer.items() if value}


def object_retention(account, _, given):
    found = [item for item in bucket(account, given)["objects"]
             if (item["Key"], item["VersionId"]) == (given["--key"], given["--version-id"])]
    if not found:
        raise Refused("NoSuchVersion", "The specified version does not exist.")
    if "_until" not in found[0]:
        raise Refused("NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
    return {"Retention": {"Mode": found[0]["_mode"], "RetainUntilDate": found[0]["_until"]}}


def delete_bucket(account, _, given):
    if bucket(account, given)["objects"]:
        raise Refused("BucketNotEmpty", "The bucket you tried to delete is not empty. You must delete all versions in "
                      "the bucket.")
    del account["s3"][given["--bucket"]]


def caller_identity(account, _, given):
    return {"UserId": "AIDAEXAMPLE", "Account": account["account"], "Arn": account["arn"]}
