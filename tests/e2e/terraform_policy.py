"""What deploy/terraform must hold: rules over its parsed text, each given a Configuration and saying what is wrong."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re

import hcl_aid
from hcl_aid import Call, Raw, texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOLDER = ROOT / "deploy" / "terraform"
WORLD = ("0.0.0.0/0", "::/0")
RULES = {}
# What may stand on all resources, and why.
STAR_RESOURCES = {
    "ecr:GetAuthorizationToken": "a password is for the whole registry: AWS knows no resource for it",
    **dict.fromkeys(("ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel",
                     "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel",
                     "ssmmessages:OpenDataChannel"), "an agent speaks of its own machine: AWS knows no resource"),
    **dict.fromkeys(("ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"),
                    "looking: AWS knows no resource for it")}
ME = "${data.aws_caller_identity.me.account_id}"
# The patterns there are, and the tag that what is on them must carry; None: what is new carries none yet.
STAR_STRINGS = {
    '"${aws_s3_bucket.audit.arn}/*"': None,                                         # new entries of the audit log
    '"arn:aws:ssm:${var.region}:' + ME + ':session/$${aws:userid}-*"': None,        # who began it
    '"arn:aws:logs:${var.region}:' + ME + ':log-group:/${var.project}/flow:*"': None,   # its streams
    '"arn:aws:ec2:${var.region}:' + ME + ':volume/*"': "aws:ResourceTag/Snapshots",
    '"arn:aws:ec2:${var.region}::snapshot/*"': "aws:ResourceTag/Snapshots"}
# What makes something: it has no tags before.
MAKES = {"ec2:CreateSnapshot", "ec2:CreateTags"}
SESSION_DOCUMENTS = {
    '"arn:aws:ssm:${var.region}::document/AWS-StartSSHSession"',
    '"arn:aws:ssm:${var.region}:' + ME + ':document/SSM-SessionManagerRunShell"'}
ELSEWHERE = "var.deploybot_instance ? null : coalesce(var.deploybot_cidr, var.admin_cidr)"
SECRET = re.compile(r"(?:AKIA|ASIA)[0-9A-Z]{16}|PRIVATE KEY|gh[pousr]_[A-Za-z0-9]{20}|\d{8,10}:[A-Za-z0-9_-]{35}")
WORDS = re.compile(r'"(?:\\.|[^"\\])*"')
REFERENCE = re.compile(
    r"(?<![\w.\"])(var|local|data|each|count|path|aws_\w+)((?:\[[^\]]*\])?\.\w+(?:\.\w+|\[[^\]]*\])*)")


class Configuration:
    def __init__(self, files):
        self.files = files
        self.blocks = [block for text in files.values() for block in hcl_aid.parse(text).blocks]

    def kind(self, name):
        return [(labels, body) for kind, labels, body in self.blocks if kind == name]

    def resources(self, *types):
        return [(".".join(labels), body) for labels, body in self.kind("resource") if not types or labels[0] in types]

    def documents(self):
        return {labels[1]: body for labels, body in self.kind("data") if labels[0] == "aws_iam_policy_document"}

    def variables(self):
        return {labels[0]: body for labels, body in self.kind("variable")}

    def locals(self):
        return {name: value for _, body in self.kind("locals") for name, value in body.items()}


def read():
    return Configuration({path.name: path.read_text() for path in sorted(FOLDER.glob("*.tf"))})


def rule(check):
    RULES[check.__name__] = check
    return check


def complaints(configuration):
    """(rule, what is wrong), of all rules."""
    return [(name, text) for name, check in RULES.items() for text in check(configuration)]


def one(body, kind):
    """The one block of that kind, or an empty one: then everything that is asked of it is missing."""
    found = body.inside(kind)
    return found[0] if len(found) == 1 else hcl_aid.Block()


def sole(conf, kind):
    """The one resource of that kind, or an empty block, as above."""
    found = conf.resources(kind)
    return found[0][1] if len(found) == 1 else hcl_aid.Block()


@rule
def versions_are_pinned(conf):
    (_, body), = conf.kind("terraform")
    if not re.fullmatch(r"~> 1\.\d+", str(body.get("required_version"))):
        yield "required_version is not ~> 1.N"
    for name, wanted in one(body, "required_providers").items():
        if not re.fullmatch(r"~> \d+\.\d+\.\d+", str(wanted.get("version"))) or wanted.get("source") != "hashicorp/aws":
            yield f"the provider {name} is not pinned to one minor version of hashicorp/aws"
    used = {labels[0].split("_")[0] for labels, _ in conf.kind("resource") + conf.kind("data")}
    for name in used - set(one(body, "required_providers")):
        yield f"the provider {name} is used and not named"


@rule
def everything_carries_our_tags(conf):
    providers = conf.kind("provider")
    tags = one(providers[0][1], "default_tags").get("tags", {}) if len(providers) == 1 else {}
    if tags != {"Project": "var.project", "ManagedBy": "deploybot-terraform", "Region": "var.region"}:
        yield "default_tags are not the three that destroy.sh asks for"
    for name, body in conf.resources():
        for tag in ("Project", "ManagedBy", "Region"):
            if tag in (body.get("tags") or {}):
                yield f"{name} has a tag {tag} of its own"
        if "provider" in body:
            yield f"{name} has a provider of its own, and that has no tags of ours"


@rule
def ssh_is_open_to_one_address(conf):
    for name, body in conf.resources("aws_security_group", "aws_default_security_group"):
        if body.inside("ingress") or "ingress" in body or body.inside("egress") or "egress" in body:
            yield f"{name} has rules inside: they are resources of their own, which this policy reads"
    for name, _ in conf.resources("aws_security_group_rule", "aws_network_acl", "aws_default_network_acl"):
        yield f"{name}: only aws_vpc_security_group_ingress_rule opens a port"
    for name, body in conf.resources("aws_vpc_security_group_ingress_rule"):
        sources = {key: body[key] for key in body if key.startswith(("cidr", "referenced", "prefix"))}
        if len(sources) != 1 or "prefix_list_id" in sources:
            yield f"{name} is open to {sources}"
        if body.get("ip_protocol") != "tcp":
            yield f"{name} opens other protocols than tcp"
        if body.get("from_port") != body.get("to_port"):
            yield f"{name} opens a range of ports"
        source = next(iter(sources.values()), None)
        known = source in (Raw("var.admin_cidr"), Raw("local.deploybot_elsewhere"))
        if "referenced_security_group_id" in sources or known:
            continue
        each = str(body.get("for_each"))
        plain = re.fullmatch(r"(?:var\.deploybot_instance \? )?\{ http = 80, https = 443 \}(?: : \{\})?", each) or \
            body.get("for_each") == {"http": 80, "https": 443}
        if source in WORLD and plain and body.get("from_port") == "each.value":
            continue
        yield f"{name} opens port {body.get('from_port')} to {source}"
    if str(conf.locals().get("deploybot_elsewhere")) != ELSEWHERE:
        yield "local.deploybot_elsewhere is another address than deploybot's"
    for name in ("admin_cidr", "deploybot_cidr"):
        address = conf.variables().get(name, hcl_aid.Block())
        check = " ".join(str(item.get("condition")) for item in address.inside("validation"))
        if address.get("default", "") is not None or "/32$" not in check or "cidrnetmask" not in check:
            yield f"{name} has a default, or is not held to one address"


@rule
def machines_are_closed_boxes(conf):
    machines = conf.resources("aws_instance")
    if len(machines) != 2:
        yield "there are the application's machines and deploybot's, and no others"
    for name, body in machines:
        meta, disk = one(body, "metadata_options"), one(body, "root_block_device")
        if meta.get("http_tokens") != "required" or meta.get("http_put_response_hop_limit") != 1:
            yield f"{name}: IMDSv2 is not required, or containers reach it"
        if disk.get("encrypted") is not True or disk.get("volume_type") != "gp3":
            yield f"{name}: the disk is not an encrypted gp3"
        if disk.get("delete_on_termination") is not True:
            yield f"{name}: the disk outlives the machine, and destroy.sh"
        if "iam_instance_profile" not in body:
            yield f"{name} has no role of its own"
        if not {"ami", "user_data"} <= set(one(body, "lifecycle").get("ignore_changes", [])):
            yield f"{name} is replaced when Debian publishes an image"
        if body.inside("provisioner") or body.inside("connection"):
            yield f"{name} has a provisioner: it would need a key here"
        protected = 'each.key == "production" && var.protect_production' if name == "aws_instance.app" else False
        if str(body.get("disable_api_termination")) != str(protected):
            yield f"{name}: production alone is protected against a click, and nothing against destroy.sh"
    staging = next((body for name, body in machines if name == "aws_instance.app"), {})
    if staging.get("for_each") != {"staging": 0, "production": 1}:
        yield "staging and production are not there"
    for labels, body in conf.kind("data"):
        if labels[0] == "aws_ami" and body.get("owners") != ["136693071363"]:
            yield "the image is not Debian's own"


@rule
def images_are_kept_and_never_changed(conf):
    for name, body in conf.resources("aws_ecr_repository"):
        if body.get("image_tag_mutability") != "IMMUTABLE":
            yield f"{name}: a tag can become another image"
        if one(body, "image_scanning_configuration").get("scan_on_push") is not True:
            yield f"{name} is not scanned"
        if body.get("force_delete"):
            yield f"{name}: `terraform destroy` would take the images unasked"
        if body.get("name") != "var.project":
            yield f"{name}: destroy.sh looks for it by the project's name"
    policies = conf.resources("aws_ecr_lifecycle_policy")
    if len(policies) != 1 or not isinstance(policies[0][1].get("policy"), Call):
        yield "there is no lifecycle policy that can be read"
        return
    selections = [item["selection"] for item in policies[0][1]["policy"].arguments[0]["rules"]]
    untagged = [item for item in selections if item["tagStatus"] == "untagged"]
    others = [item for item in selections if item["tagStatus"] != "untagged"]
    if len(untagged) != 1 or untagged[0]["countType"] != "sinceImagePushed":
        yield "untagged images stay for ever, or not for some days"
    for item in others:
        if (item["countType"], item["countNumber"]) != ("imageCountMoreThan", "var.keep_images"):
            yield "images of commits go by another count than keep_images"
    keep = conf.variables().get("keep_images", hcl_aid.Block())
    if keep.get("default", 0) < 100 or "var.keep_images >= 100" not in str(one(keep, "validation").get("condition")):
        yield "keep_images may be so small that production has nothing to go back to"


def too_much(statement):
    """What an allowing statement allows beyond what is named."""
    actions, resources = statement.get("actions"), list(texts([statement.get("resources", [])]))
    if {"not_actions", "not_resources"} & set(statement) or statement.inside("not_principals"):
        yield "allows everything but something"
    for part in texts([actions]):
        if "*" in part:
            yield f"allows actions by a pattern: {part}"
    if "*" in resources and set(actions or []) - set(STAR_RESOURCES):
        yield f"allows {actions} on everything"
    held = {item.get("variable") for item in statement.inside("condition") if item.get("test") == "StringEquals"}
    for part in resources:
        if "*" not in re.sub(r"aws_\w+\.\w+\[\*\]\.arn", "", part) or part == "*":
            continue
        tag = STAR_STRINGS.get(part, "")
        new = set(actions or []) <= MAKES and "snapshot" in part
        if tag == "" or (tag and tag not in held and not new):
            yield f"allows something on a pattern: {part}"
    for principal in statement.inside("principals"):
        if "*" in list(texts(principal)):
            yield "trusts everybody"


@rule
def rights_are_the_fewest(conf):
    for name, body in conf.documents().items():
        for statement in body.inside("statement"):
            if statement.get("effect", "Allow") != "Deny":
                yield from (f"{name} {text}" for text in too_much(statement))
    for name, value in conf.locals().items():
        for part in texts([value]):
            if any("*" in word for word in WORDS.findall(part)) or (not isinstance(part, Raw) and "*" in part):
                yield f"local.{name} has a pattern in it: {part}"
    for name, body in conf.resources():
        if name.startswith(("aws_iam_user", "aws_iam_access_key", "aws_iam_group")):
            yield f"{name}: no users and no keys that last"
        if name.startswith("aws_iam_") and any(":aws:policy/" in text for text in texts(body)):
            yield f"{name}: policies of AWS grow without being asked"
        policy = body.get("policy", body.get("assume_role_policy"))
        if name.startswith(("aws_iam_", "aws_s3_bucket_policy")) and policy is not None and \
                not re.fullmatch(r"data\.aws_iam_policy_document\.\w+\.json", str(policy)):
            yield f"{name}: its policy is no document that can be read here"


@rule
def people_come_by_sessions(conf):
    documents = conf.documents()
    agent = documents.get("sessions", hcl_aid.Block()).inside("statement")
    if len(agent) != 1 or any(not action.startswith("ssmmessages:") and action != "ssm:UpdateInstanceInformation"
                              for action in texts(agent[0].get("actions", []))):
        yield "the agent on a machine takes more than sessions"
    for item in documents.get("people", hcl_aid.Block()).inside("statement"):
        named = [part for part in texts(item.get("resources")) if "document/" in part]
        checked = one(item, "condition").get("variable") == "ssm:SessionDocumentAccessCheck"
        if "ssm:StartSession" in item.get("actions", []) and not (
                checked and SESSION_DOCUMENTS == set(re.findall(r'"arn:aws:ssm:[^"]*"', " ".join(named)))):
            yield "people may run other documents than a shell and ssh"
    for name in ("app_ssh", "deploybot_ssh"):
        opened = dict(conf.resources("aws_vpc_security_group_ingress_rule")).get(
            f"aws_vpc_security_group_ingress_rule.{name}", {})
        if "var.admin_cidr" not in str(opened.get("count")):
            yield f"{name}: port 22 is open to people who have sessions"


@rule
def traffic_is_logged_and_disks_are_copied(conf):
    flow = sole(conf, "aws_flow_log")
    if (flow.get("vpc_id"), flow.get("traffic_type")) != ("aws_vpc.main.id", "ALL"):
        yield "not all of the VPC's traffic is logged"
    if sole(conf, "aws_cloudwatch_log_group").get("retention_in_days") != "var.flow_log_days":
        yield "the flow log is kept for ever"
    details = one(sole(conf, "aws_dlm_lifecycle_policy"), "policy_details")
    plan = one(details, "schedule")
    if sole(conf, "aws_dlm_lifecycle_policy").get("state") != "ENABLED" or plan.get("copy_tags") is not True or \
            details.get("target_tags") != {"Snapshots": "var.project"}:
        yield "snapshots are not made, or destroy.sh does not find them"
    if one(plan, "retain_rule").get("count") != "var.snapshot_days":
        yield "snapshots are kept for ever"
    tagged = {name: one(body, "root_block_device").get("tags") for name, body in conf.resources("aws_instance")}
    if 'each.key == "production" ? { Snapshots = var.project }' not in str(tagged.get("aws_instance.app")) or \
            tagged.get("aws_instance.deploybot") != {"Snapshots": "var.project"}:
        yield "production's disk, or deploybot's, is not among those that are copied"
    for name in ("flow_assumes", "snapshots_assumes"):
        for item in conf.documents().get(name, hcl_aid.Block()).inside("statement"):
            if one(item, "condition").get("variable") != "aws:SourceAccount":
                yield f"{name}: a service may use the role for another account"


@rule
def the_registry_is_whose_who_builds(conf):
    for statement in conf.documents().get("deploybot", hcl_aid.Block()).inside("statement"):
        for part in texts([statement.get("actions")]):
            if re.search(r"BatchDelete|PutImage", re.sub(r"var\.deploybot_builds \? .*", "", part)):
                yield "deploybot changes the registry where CI builds"


@rule
def github_shows_its_branch(conf):
    trusting = {name: body for name, body in conf.documents().items()
                if any("oidc" in text or "Federated" in text for text in texts(body))}
    if set(trusting) != {"github_assumes"}:
        yield f"other roles are open to OIDC: {sorted(trusting)}"
    for statement in trusting.get("github_assumes", hcl_aid.Block()).inside("statement"):
        asked = {item.get("variable", "").rpartition(":")[2]: (item.get("test"), item.get("values"))
                 for item in statement.inside("condition")}
        if asked.get("aud") != ("StringEquals", ["sts.amazonaws.com"]):
            yield "the audience is not held to sts.amazonaws.com"
        if asked.get("sub") != ("StringEquals", "local.github_subjects"):
            yield "the subject is not held to the branches, word for word"
        if statement.get("actions") != ["sts:AssumeRoleWithWebIdentity"]:
            yield "more than assuming the role"
    subjects = str(getattr(conf.locals().get("github_subjects"), "text", ""))
    for word in WORDS.findall(subjects):
        if not re.match(r'"repo:\$\{var\.github_repository\}:(ref:refs/heads/|environment:)\$\{name\}"$', word):
            yield f"a subject that is no branch and no environment of the repository: {word}"
    if "var.github_branches" not in subjects:
        yield "the branches are not among the subjects"
    for name, body in conf.resources("aws_iam_openid_connect_provider"):
        if body.get("client_id_list") != ["sts.amazonaws.com"] or \
                body.get("url") != "https://token.actions.githubusercontent.com":
            yield f"{name} is not GitHub's, for sts"


@rule
def the_audit_log_is_locked(conf):
    bucket = sole(conf, "aws_s3_bucket")
    if bucket.get("object_lock_enabled") is not True or bucket.get("force_destroy") is not False:
        yield "the bucket has no Object Lock, or terraform would empty it"
    if one(sole(conf, "aws_s3_bucket_versioning"), "versioning_configuration").get("status") != "Enabled":
        yield "without versions there is no lock"
    kept = one(one(sole(conf, "aws_s3_bucket_object_lock_configuration"), "rule"), "default_retention")
    if (kept.get("mode"), kept.get("days")) != ("var.audit_lock_mode", "var.audit_lock_days"):
        yield "what comes in is not locked for the days that are set"
    if conf.variables().get("audit_lock_mode", {}).get("default") != "GOVERNANCE":
        yield "audit_lock_mode begins with what nobody can take back"
    sealed = one(one(sole(conf, "aws_s3_bucket_server_side_encryption_configuration"), "rule"),
                 "apply_server_side_encryption_by_default")
    if sealed.get("sse_algorithm") not in ("AES256", "aws:kms"):
        yield "the bucket is not encrypted"
    for name in ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"):
        if sole(conf, "aws_s3_bucket_public_access_block").get(name) is not True:
            yield f"{name} is not set"
    denied = [item for item in conf.documents().get("audit", hcl_aid.Block()).inside("statement")
              if item.get("effect") == "Deny" and one(item, "condition").get("variable") == "aws:SecureTransport"
              and one(item, "condition").get("values") == ["false"] and len(item.get("resources", [])) == 2]
    if not denied or sole(conf, "aws_s3_bucket_policy").get("policy") != "data.aws_iam_policy_document.audit.json":
        yield "the bucket answers without TLS"
    if any(item.inside("expiration") for item in sole(conf, "aws_s3_bucket_lifecycle_configuration").inside("rule")):
        yield "entries of the audit log expire"


@rule
def outputs_are_there(conf):
    outputs = {labels[0]: body for labels, body in conf.kind("output")}
    for name in ("ecr_registry", "deploy_role_arn", "staging_ip", "production_ip"):
        if name not in outputs:
            yield f"no output {name}"
    for name, body in outputs.items():
        if not body.get("description") or "value" not in body:
            yield f"the output {name} is not described"


@rule
def variables_are_described_checked_and_used(conf):
    used = set(re.findall(r"(?<![\w.])var\.(\w+)", "\n".join(
        text for name, text in conf.files.items() if name != "variables.tf")))
    for name, body in conf.variables().items():
        if not body.get("description") or "type" not in body:
            yield f"{name} has no description or no type"
        if body.get("type") != "bool" and not body.inside("validation"):
            yield f"{name} is not checked"
        for check in body.inside("validation"):
            if len(str(check.get("error_message", ""))) < 30 or name not in str(check["error_message"]):
                yield f"{name}: its message does not say what is wanted"
        if name not in used:
            yield f"{name} is used nowhere"


@rule
def there_is_no_secret(conf):
    for name, text in conf.files.items():
        if SECRET.search(text):
            yield f"{name} has a secret in it"
    for _, body in conf.kind("provider"):
        for key in {"access_key", "secret_key", "token", "shared_credentials_files"} & set(body):
            yield f"the provider is told {key} in a file"
    for name, body in conf.variables().items():
        if re.search("password|secret|token", name):
            yield f"{name}: a secret would be in the state file"


def check_block(where, body, known):
    names = {name.rstrip("!"): inside for name, inside in known.items()}
    for name in [*body, *(kind for kind, _, _ in body.blocks)]:
        if name not in names and name not in ("count", "for_each", "lifecycle", "depends_on", "provider"):
            yield f"{where} knows no {name}"
    for name in known:
        if name.endswith("!") and name[:-1] not in body and not body.inside(name[:-1]):
            yield f"{where} lacks {name[:-1]}"
    for kind, _, inner in body.blocks:
        if kind == "lifecycle":
            continue
        if isinstance(names.get(kind), dict):
            yield from check_block(f"{where}.{kind}", inner, names[kind])
        elif kind in names:
            yield f"{where}: {kind} is no block"
    for name in body:
        if isinstance(names.get(name), dict):
            yield f"{where}: {name} is a block"


@rule
def the_provider_knows_every_name(conf):
    known = json.loads((ROOT / "tests/e2e/aws_provider.json").read_text())
    for kind, prefix in (("resource", ""), ("data", "data.")):
        for labels, body in conf.kind(kind):
            if prefix + labels[0] not in known:
                yield f"{labels[0]} is not in aws_provider.json"
            else:
                yield from check_block(f"{prefix}{'.'.join(labels)}", body, known[prefix + labels[0]]["arguments"])
    for _, body in conf.kind("provider"):
        yield from check_block("provider", body, known["provider"]["arguments"])
    for where, path in references(conf):
        kind = path[0] if path[0] != "data" else ".".join(path[:2])
        rest = path[2:] if path[0] != "data" else path[3:]
        if kind.removeprefix("data.").startswith("aws_") and rest and kind in known:
            names = {name.rstrip("!") for name in known[kind]["arguments"]} | set(known[kind]["attributes"]) | {"id"}
            if rest[0] not in names:
                yield f"{where}: {kind} has no attribute {rest[0]}"


def references(conf):
    """Each name that an expression asks for, as the words between its dots."""
    for kind, labels, body in conf.blocks:
        for text in texts(body):
            if not isinstance(text, Raw):
                continue
            inner = " ".join(re.findall(r"\$\{(.*?)\}", text)) if text.startswith('"') else text
            for match in REFERENCE.finditer(inner):
                yield f"{kind} {'.'.join(labels)}", re.sub(r"\[[^\]]*\]", "", match[1] + match[2]).split(".")


@rule
def every_reference_leads_somewhere(conf):
    there = {"var": set(conf.variables()), "local": set(conf.locals())}
    made = {labels[0] + "." + labels[1] for labels, _ in conf.kind("resource")}
    asked = {labels[0] + "." + labels[1] for labels, _ in conf.kind("data")}
    for where, path in references(conf):
        if path[0] in there and path[1] not in there[path[0]]:
            yield f"{where}: there is no {path[0]}.{path[1]}"
        if path[0].startswith("aws_") and ".".join(path[:2]) not in made:
            yield f"{where}: there is no {'.'.join(path[:2])}"
        if path[0] == "data" and ".".join(path[1:3]) not in asked:
            yield f"{where}: there is no data.{'.'.join(path[1:3])}"
