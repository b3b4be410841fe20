"""Goal: what deploy/terraform makes in AWS is what the policy says, and each rule of the policy sees its breach.

No provider can be downloaded where these tests run, so `terraform validate` is not: arguments are checked against
those that the provider publishes (aws_provider.json), the variables' checks are run by terraform itself.
"""
# SPDX-License-Identifier: ISC
import json
import os
import shutil
import subprocess

import pytest

import hcl_aid
import terraform_policy
from stage import free_port
from terraform_policy import FOLDER, ROOT

TERRAFORM = shutil.which("terraform")
needs_terraform = pytest.mark.skipif(not TERRAFORM, reason="terraform is not on PATH; it is no package of Debian's")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43
GOOD = {"admin_cidr": "203.0.113.7/32", "admin_public_key": KEY + " you@example.org",
        "deploy_public_key": KEY.replace("BB", "CC") + " deploybot", "github_repository": "owner/name"}

# rule, file, what stands there, what the breach puts there
BREACHES = [
    ("versions_are_pinned", "versions.tf", '"~> 6.25.0"', '">= 6.0"'),
    ("versions_are_pinned", "versions.tf", '"~> 1.9"', '">= 0.12"'),
    ("versions_are_pinned", "compute.tf", 'resource "aws_key_pair"', 'resource "tls_private_key"'),
    ("everything_carries_our_tags", "main.tf", "Region    = var.region", "Area = var.region"),
    ("everything_carries_our_tags", "network.tf", "tags = { Name = var.project }", 'tags = { Project = "other" }'),
    ("ssh_is_open_to_one_address", "network.tf", "cidr_ipv4         = var.admin_cidr", 'cidr_ipv4 = "0.0.0.0/0"'),
    ("ssh_is_open_to_one_address", "network.tf", "cidr_ipv4         = var.admin_cidr", 'cidr_ipv6 = "::/0"'),
    ("ssh_is_open_to_one_address", "network.tf", "{ http = 80, https = 443 }", "{ http = 80, https = 443, ssh = 22 }"),
    ("ssh_is_open_to_one_address", "network.tf", "to_port           = each.value", "to_port = 65535"),
    ("ssh_is_open_to_one_address", "network.tf", 'ip_protocol       = "tcp"', 'ip_protocol = "-1"'),
    ("ssh_is_open_to_one_address", "network.tf", 'description = "Staging and production of ${var.project}"',
     'ingress {\n from_port = 22\n }'),
    ("ssh_is_open_to_one_address", "network.tf", "coalesce(var.deploybot_cidr, var.admin_cidr)", '"0.0.0.0/0"'),
    ("ssh_is_open_to_one_address", "variables.tf", r'var.deploybot_cidr == null || try(can(regex("^[0-9.]+/32$"',
     'true || try(can(regex("x"'),
    ("machines_are_closed_boxes", "compute.tf", "&& var.protect_production", "&& false"),
    ("the_registry_is_whose_who_builds", "iam.tf", "concat(local.pull, var.deploybot_builds",
     'concat(local.pull, ["ecr:BatchDeleteImage"], var.deploybot_builds'),
    ("ssh_is_open_to_one_address", "variables.tf", r"^[0-9.]+/32$", r"^[0-9.]+/[0-9]+$"),
    ("machines_are_closed_boxes", "compute.tf", 'http_tokens                 = "required"', 'http_tokens = "optional"'),
    ("machines_are_closed_boxes", "compute.tf", "http_put_response_hop_limit = 1", "http_put_response_hop_limit = 2"),
    ("machines_are_closed_boxes", "compute.tf", "encrypted             = true", "encrypted = false"),
    ("machines_are_closed_boxes", "compute.tf", "ignore_changes = [ami, user_data]", "ignore_changes = [user_data]"),
    ("machines_are_closed_boxes", "compute.tf", "{ staging = 0, production = 1 }", "{ production = 1 }"),
    ("machines_are_closed_boxes", "compute.tf", '["136693071363"]', '["self", "099720109477"]'),
    ("images_are_kept_and_never_changed", "registry.tf", '"IMMUTABLE"', '"MUTABLE"'),
    ("images_are_kept_and_never_changed", "registry.tf", "scan_on_push = true", "scan_on_push = false"),
    ("images_are_kept_and_never_changed", "registry.tf", "var.keep_images", "3"),
    ("images_are_kept_and_never_changed", "registry.tf", '"sinceImagePushed"', '"imageCountMoreThan"'),
    ("images_are_kept_and_never_changed", "variables.tf", "var.keep_images >= 100", "var.keep_images >= 1"),
    ("rights_are_the_fewest", "iam.tf", '"ecr:BatchGetImage",', '"ecr:*",'),
    ("rights_are_the_fewest", "iam.tf", "resources = [aws_ecr_repository.app.arn]", 'resources = ["*"]'),
    ("rights_are_the_fewest", "iam.tf", 'actions   = ["s3:PutObject"]', 'actions = ["s3:*"]'),
    ("rights_are_the_fewest", "iam.tf", 'actions   = ["s3:PutObject"]', 'not_actions = ["s3:GetObject"]'),
    ("rights_are_the_fewest", "iam.tf", '"${aws_s3_bucket.audit.arn}/*"', '"arn:aws:s3:::*/*"'),
    ("rights_are_the_fewest", "iam.tf", '["ec2.amazonaws.com"]', '["*"]'),
    ("rights_are_the_fewest", "iam.tf", 'actions   = ["ec2:CreateSnapshot", "ec2:CreateTags"]',
     'actions = ["ec2:CreateSnapshot", "ec2:ModifySnapshotAttribute"]'),
    ("rights_are_the_fewest", "iam.tf", 'variable = "aws:ResourceTag/Snapshots"', 'variable = "aws:ResourceTag/Name"'),
    ("rights_are_the_fewest", "iam.tf", ":log-group:/${var.project}/flow:*", ":log-group:*"),
    ("rights_are_the_fewest", "iam.tf", "session/$${aws:userid}-*", "session/*"),
    ("people_come_by_sessions", "iam.tf", '"ssm:UpdateInstanceInformation",', '"ssm:SendCommand",'),
    ("people_come_by_sessions", "iam.tf", "document/AWS-StartSSHSession", "document/AWS-RunShellScript"),
    ("people_come_by_sessions", "iam.tf", '"ssm:SessionDocumentAccessCheck"', '"aws:SecureTransport"'),
    ("people_come_by_sessions", "network.tf", "count = var.admin_cidr == null ? 0 : 1", "count = 1"),
    ("traffic_is_logged_and_disks_are_copied", "network.tf", '"ALL"', '"REJECT"'),
    ("traffic_is_logged_and_disks_are_copied", "network.tf", "retention_in_days = var.flow_log_days", ""),
    ("traffic_is_logged_and_disks_are_copied", "compute.tf", "copy_tags = true", "copy_tags = false"),
    ("traffic_is_logged_and_disks_are_copied", "compute.tf", "count = var.snapshot_days\n", "count = 1\n"),
    ("traffic_is_logged_and_disks_are_copied", "compute.tf", 'each.key == "production" ? { Snap',
     'each.key == "staging" ? { Snap'),
    ("traffic_is_logged_and_disks_are_copied", "compute.tf", "= { Snapshots = var.project }\n  }",
     "= { Other = var.project }\n  }"),
    ("traffic_is_logged_and_disks_are_copied", "iam.tf", '"aws:SourceAccount"', '"aws:SourceArn"'),
    ("rights_are_the_fewest", "iam.tf", "policy_arn = aws_iam_policy.deploybot.arn",
     'policy_arn = "arn:aws:iam::aws:policy/AdministratorAccess"'),
    ("rights_are_the_fewest", "iam.tf", "policy = data.aws_iam_policy_document.deploy.json", "policy = jsonencode({})"),
    ("github_shows_its_branch", "iam.tf", "values   = local.github_subjects", 'values = ["repo:owner/name:main"]'),
    ("github_shows_its_branch", "iam.tf", ':ref:refs/heads/${name}"', ':ref:refs/heads/*"'),
    ("github_shows_its_branch", "iam.tf", 'values   = ["sts.amazonaws.com"]', 'values = ["other"]'),
    ("github_shows_its_branch", "iam.tf", 'variable = "token.actions.githubusercontent.com:sub"',
     'variable = "token.actions.githubusercontent.com:actor"'),
    ("github_shows_its_branch", "iam.tf", 'client_id_list = ["sts.amazonaws.com"]', 'client_id_list = ["me"]'),
    ("the_audit_log_is_locked", "audit.tf", "object_lock_enabled = true", "object_lock_enabled = false"),
    ("the_audit_log_is_locked", "audit.tf", "force_destroy       = false", "force_destroy = true"),
    ("the_audit_log_is_locked", "audit.tf", 'status = "Enabled"', 'status = "Suspended"'),
    ("the_audit_log_is_locked", "audit.tf", "days = var.audit_lock_days", "days = 1"),
    ("the_audit_log_is_locked", "audit.tf", "restrict_public_buckets = true", "restrict_public_buckets = false"),
    ("the_audit_log_is_locked", "audit.tf", '"aws:SecureTransport"', '"aws:SourceIp"'),
    ("the_audit_log_is_locked", "audit.tf", '"AES256"', '"none"'),
    ("the_audit_log_is_locked", "audit.tf", "filter {}", "filter {}\n expiration {\n days = 1\n }"),
    ("the_audit_log_is_locked", "variables.tf", 'default     = "GOVERNANCE"', 'default = "COMPLIANCE"'),
    ("outputs_are_there", "outputs.tf", 'output "staging_ip"', 'output "staging_address"'),
    ("outputs_are_there", "outputs.tf", 'description = "REGISTRY_IMAGE."', ""),
    ("variables_are_described_checked_and_used", "variables.tf", 'description = "The region of AWS."', ""),
    ("variables_are_described_checked_and_used", "variables.tf",
     'error_message = "root_volume_gb is a whole number from 10 to 16384."', 'error_message = "wrong"'),
    ("variables_are_described_checked_and_used", "compute.tf", "var.instance_type", '"t3.small"'),
    ("there_is_no_secret", "main.tf", "region = var.region", 'region = var.region\n access_key = "from a file"'),
    ("there_is_no_secret", "main.tf", "# Credentials", "# AKIA" + "A" * 16),
    ("there_is_no_secret", "variables.tf", 'variable "deploybot_builds"', 'variable "registry_password"'),
    ("the_provider_knows_every_name", "compute.tf", "user_data = join", "userdata = join"),
    ("the_provider_knows_every_name", "compute.tf", "metadata_options {", "metadata_option {"),
    ("the_provider_knows_every_name", "compute.tf", 'volume_type           = "gp3"', 'volume_kind = "gp3"'),
    ("the_provider_knows_every_name", "network.tf", 'ip_protocol       = "-1"', ""),
    ("the_provider_knows_every_name", "outputs.tf", "public_ip", "public_address"),
    ("every_reference_leads_somewhere", "network.tf", "gateway_id = aws_internet_gateway.main.id",
     "gateway_id = aws_internet_gateway.other.id"),
    ("every_reference_leads_somewhere", "outputs.tf", "var.region", "var.regions"),
    ("every_reference_leads_somewhere", "compute.tf", "local.host_script,", "local.host_text,"),
]


def test_the_configuration_holds_every_rule():
    assert terraform_policy.complaints(terraform_policy.read()) == []


@pytest.mark.parametrize("name,file,there,breach", BREACHES, ids=[f"{n}-{i}" for i, (n, *_) in enumerate(BREACHES)])
def test_a_breach_is_seen_by_its_rule(name, file, there, breach):
    files = dict(terraform_policy.read().files)
    assert there in files[file], f"{file} has no {there} any more: the breach breaks nothing"
    files[file] = files[file].replace(there, breach, 1)
    seen = {rule for rule, _ in terraform_policy.complaints(terraform_policy.Configuration(files))}
    assert name in seen


def test_every_rule_has_a_breach():
    assert {name for name, *_ in BREACHES} == set(terraform_policy.RULES)


@pytest.mark.parametrize("text", ["a = <<END\nx\nEND\n", 'a = "x\n', "a = [1, 2\n", "a = )\n", "a = 1\na = 2\n",
                                  "a {\n", "= 1\n", "a =\n"])
def test_the_parser_refuses_what_it_does_not_understand(text):
    with pytest.raises(hcl_aid.Bad):
        hcl_aid.parse(text)


def test_the_example_of_values_names_variables_and_gives_all_that_must_be_given():
    conf = terraform_policy.read()
    given = hcl_aid.parse((FOLDER / "terraform.tfvars.example").read_text())
    needed = {name for name, body in conf.variables().items() if "default" not in body}
    assert needed == set(GOOD) - {"admin_cidr"}
    assert needed <= set(given) <= set(conf.variables())


def test_the_example_of_a_state_elsewhere_is_encrypted_and_locked():
    body, = (body for kind, _, body in hcl_aid.parse((FOLDER / "backend.tf.example").read_text()).blocks)
    backend, = body.inside("backend")
    assert backend["encrypt"] is True and backend["use_lockfile"] is True and "access_key" not in backend


# ---- what terraform itself says ----

def terraform(folder, *words, **more):
    environment = {**os.environ, "TF_CLI_CONFIG_FILE": "/dev/null", "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1",
                   "TF_DATA_DIR": str(folder / ".terraform") if folder != FOLDER else os.devnull}
    return subprocess.run([TERRAFORM, *words], cwd=folder, env=environment, text=True, capture_output=True,
                          stdin=subprocess.DEVNULL, timeout=120, check=False, **more)


@needs_terraform
def test_terraform_finds_the_files_formatted():
    done = terraform(FOLDER, "fmt", "-check", "-diff", "-recursive")
    assert (done.returncode, done.stdout) == (0, "")


BAD = [("project", "-shop"), ("project", "a" * 21), ("project", "Shop"), ("project", "a--b"), ("region", "Frankfurt"),
       ("region", "eu-central-1a"), ("region", "cn-north-1"), ("region", "us-gov-west-1"),
       ("admin_cidr", "0.0.0.0/0"), ("admin_cidr", "0.0.0.0/32"),
       ("admin_cidr", "203.0.113.0/24"), ("admin_cidr", "203.0.113.7"), ("admin_cidr", "2001:db8::1/128"),
       ("admin_cidr", "203.0.113.700/32"),
       ("admin_cidr", ""),
       ("deploybot_cidr", "0.0.0.0/0"), ("deploybot_cidr", "198.51.100.0/24"), ("deploybot_cidr", ""),
       ("admin_public_key", "-----BEGIN OPENSSH PRIVATE KEY-----"),
       ("admin_public_key", "ecdsa-sha2-nistp256 AAAAE2VjZHNh"), ("admin_public_key", KEY + " you'; rm -rf '"),
       ("deploy_public_key", ""), ("github_repository", "https://github.com/o/n"),
       ("github_repository", "owner/*"), ("github_repository", "owner@12/name"), ("github_repository", "owner@12/*"),
       ("github_branches", []), ("github_branches", ["release/*"]),
       ("github_branches", ["refs/heads/main"]), ("github_environments", ["*"]), ("instance_type", "t4g.small"),
       ("instance_type", "small"), ("root_volume_gb", 5), ("root_volume_gb", 20.5), ("ami_id", "debian"),
       ("vpc_cidr", "10.0.0.0/28"), ("vpc_cidr", "8.8.0.0/16"), ("health_port", 22), ("health_port", 70000),
       ("keep_images", 5), ("audit_lock_mode", "governance"), ("audit_lock_days", 0),
       ("flow_log_days", 10), ("flow_log_days", -1), ("snapshot_days", 366), ("snapshot_days", 1.5),
       ("domains", {"prod": "shop.example.org"}), ("domains", {"production": "shop.example.org; rm"}),
       ("domains", {"production": "https://shop.example.org"}), ("certificate_email", "ops"),
       ("certificate_email", "a'; id;'@example.org"), ("app_port", 80), ("app_port", 8001.5)]


def refused(folder, calls):
    """What terraform says of each call of variables.tf as a module."""
    (folder / "variables").mkdir()
    shutil.copy(FOLDER / "variables.tf", folder / "variables")
    (folder / "main.tf.json").write_text(json.dumps(
        {"module": {name: {"source": "./variables", **values} for name, values in calls.items()}}, indent=1))
    assert terraform(folder, "init", "-backend=false", "-input=false").returncode == 0
    said = [json.loads(line) for line in terraform(folder, "plan", "-input=false", "-json").stdout.splitlines()]
    errors = {}
    for line in said:
        if line["@level"] == "error":
            where = line["diagnostic"]["snippet"]["context"].removeprefix("module.")
            errors.setdefault(where, []).append(line["diagnostic"]["detail"])
    return errors


@pytest.mark.long
@needs_terraform
def test_terraform_says_of_each_bad_value_what_is_wanted(tmp_path):
    """variables.tf stands alone in a module, which is called once for each bad value, and with good ones."""
    good = [{}, {"health_port": None, "ami_id": "ami-0123456789abcdef0"}, {"github_environments": ["production"]},
            {"github_repository": "owner@12/name@345"},     # what GitHub says of repositories since July 2026
            {"admin_cidr": None, "deploybot_cidr": "198.51.100.9/32"}, {"admin_cidr": None, "deploybot_instance": True},
            {"domains": {"production": "shop.example.org"}, "certificate_email": "ops@example.org"},
            {"sessions": False}, {"flow_log_days": 0, "snapshot_days": 0}]
    calls = {f"bad_{place}": {**GOOD, name: value} for place, (name, value) in enumerate(BAD)}
    calls |= {f"good_{place}": {**GOOD, **more} for place, more in enumerate(good)}
    errors = refused(tmp_path, calls)
    assert [name for name in calls if (name in errors) != name.startswith("bad")] == []
    for place, (name, _) in enumerate(BAD):
        assert any(detail.startswith(name) for detail in errors[f"bad_{place}"]), errors[f"bad_{place}"]


@needs_terraform
def test_terraform_refuses_one_key_for_both(tmp_path):
    calls = {"same": {**GOOD, "deploy_public_key": GOOD["admin_public_key"] + "2"}, "two": GOOD}
    errors = refused(tmp_path, calls)
    assert list(errors) == ["same"] and errors["same"][0].startswith("deploy_public_key is admin_public_key")


@needs_terraform
def test_terraform_refuses_what_nobody_would_come_into(tmp_path):
    calls = {"post": {**GOOD, "domains": {"staging": "s.example.org"}, "certificate_email": ""},
             "bot": {**GOOD, "admin_cidr": None, "deploybot_cidr": None},
             "people": {**GOOD, "admin_cidr": None, "deploybot_instance": True, "sessions": False}}
    errors = refused(tmp_path, calls)
    assert set(errors) == {"bot", "people", "post"} and errors["post"][0].startswith("certificate_email is needed")
    assert errors["bot"][0].startswith("deploybot_cidr is needed")
    assert errors["people"][0].startswith("sessions = false")


def evaluated(folder, expressions, **values):
    """What terraform makes of expressions of ours that need nothing of AWS."""
    shutil.copy(FOLDER / "variables.tf", folder)
    (folder / "values.auto.tfvars.json").write_text(json.dumps({**GOOD, **values}))
    (folder / "outputs.tf").write_text("".join(
        f'output "{name}" {{\n  value = {text}\n}}\n' for name, text in expressions.items()))
    assert terraform(folder, "init", "-backend=false", "-input=false").returncode == 0
    applied = terraform(folder, "apply", "-auto-approve", "-input=false", "-state=made")
    assert applied.returncode == 0, applied.stderr
    said = json.loads(terraform(folder, "output", "-json", "-state=made").stdout)
    return {name: item["value"] for name, item in said.items()}


@needs_terraform
@pytest.mark.parametrize("machine,port,more,wanted", [
    (False, 8080, {}, {"app_health": 1, "app_ssh_deploybot": 0, "app_from_deploybot": {}, "deploybot_web": {}}),
    pytest.param(False, 8080, {"deploybot_cidr": "198.51.100.9/32"}, {"app_health": 1, "app_ssh_deploybot": 1},
                 marks=pytest.mark.long),
    pytest.param(False, 8080, {"deploybot_cidr": GOOD["admin_cidr"]}, {"app_health": 1, "app_ssh_deploybot": 0},
                 marks=pytest.mark.long),
    pytest.param(False, None, {}, {"app_health": 0, "app_ssh": 1, "app_from_deploybot": {}, "deploybot_web": {}},
                 marks=pytest.mark.long),
    (False, 8080, {"admin_cidr": None, "deploybot_cidr": "198.51.100.9/32"}, {"app_ssh": 0, "app_ssh_deploybot": 1}),
    pytest.param(True, None, {"admin_cidr": None}, {"app_ssh": 0, "app_ssh_deploybot": 0, "deploybot_ssh": 0},
                 marks=pytest.mark.long),
    pytest.param(True, 8080, {},
                 {"app_health": 0, "app_ssh_deploybot": 0, "app_from_deploybot": {"ssh": 22, "health": 8080}},
                 marks=pytest.mark.long),
    pytest.param(True, None, {}, {"app_health": 0, "app_from_deploybot": {"ssh": 22},
                      "deploybot_web": {"http": 80, "https": 443}}, marks=pytest.mark.long)])
def test_terraform_opens_the_ports_that_the_choice_needs(tmp_path, machine, port, more, wanted):
    counts = {name.split(".")[1]: body.get("count", body.get("for_each"))
              for name, body in terraform_policy.read().resources("aws_vpc_security_group_ingress_rule")}
    counts = {name: text.replace("local.deploybot_elsewhere", f"({terraform_policy.ELSEWHERE})")
              for name, text in counts.items() if isinstance(text, hcl_aid.Raw)}
    made = evaluated(tmp_path, counts, deploybot_instance=machine, health_port=port, **more)
    assert {name: made[name] for name in wanted} == wanted


@needs_terraform
def test_terraform_makes_of_the_subjects_and_the_rules_for_images_what_is_meant(tmp_path):
    conf = terraform_policy.read()
    made = evaluated(tmp_path, {
        "subjects": conf.locals()["github_subjects"].text,
        "images": conf.resources("aws_ecr_lifecycle_policy")[0][1]["policy"].text,
        "networks": "[for n in range(2) : cidrsubnet(var.vpc_cidr, 4, n)]"}, github_environments=["production"])
    assert made["subjects"] == ["repo:owner/name:ref:refs/heads/develop", "repo:owner/name:ref:refs/heads/main",
                                "repo:owner/name:environment:production"]
    assert made["networks"] == ["10.20.0.0/20", "10.20.16.0/20"]
    rules = json.loads(made["images"])["rules"]
    assert [(r["rulePriority"], r["selection"]["tagStatus"], r["selection"]["countNumber"]) for r in rules] == \
        [(1, "untagged", 7), (2, "tagged", 500)]


@needs_terraform
def test_terraform_validates_as_far_as_it_gets(tmp_path):
    """With the provider there it validates all; without it says that nothing but the provider is missing."""
    for path in FOLDER.glob("*"):
        if path.suffix in (".tf", ".sh"):
            shutil.copy(path, tmp_path)
    done = terraform(tmp_path, "init", "-backend=false", "-input=false")
    if done.returncode != 0:
        assert "Failed to query available provider packages" in done.stderr
        assert "hashicorp/aws" in done.stderr
        pytest.skip("the provider hashicorp/aws cannot be downloaded here: `terraform validate` did not run")
    done = terraform(tmp_path, "validate", "-no-color")
    assert done.returncode == 0, done.stderr


LONG = ".".join(["a" * 63] * 3 + ["b" * 57, "org"])


@pytest.mark.parametrize("domain", ["shop.example.org", LONG], ids=["short", "long"])
@pytest.mark.parametrize("tls", ["", "tls"])
def test_nginx_takes_the_site_of_the_first_boot(tmp_path, tls, domain):
    """A real nginx, with a certificate where Let's Encrypt would put one, and a site beside it as Debian's is."""
    assert len(LONG) == 253
    script = (FOLDER / "host.sh").read_text()
    function = script[script.index("site() {"):script.index("\n}\n", script.index("site() {")) + 3]
    (tmp_path / "app.conf").write_text("server 127.0.0.1:8001;\n")
    made = subprocess.run(["bash", "-euc", f"DOMAIN={domain}\n{function}\nsite {tmp_path} {tls}"], text=True,
                          capture_output=True, check=True).stdout
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=shop.example.org", "-keyout", tmp_path / "privkey.pem",
                    "-out", tmp_path / "fullchain.pem"], capture_output=True, check=True)
    made += "server { listen 80 default_server; server_name _; }\n"
    for port in ("80", "443"):
        made = made.replace(f"listen {port}", f"listen 127.0.0.1:{free_port()}")
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid; error_log {tmp_path}/error; events {{}}\nhttp {{ access_log off;\n"
        + made.replace("/etc/letsencrypt/live/app", str(tmp_path)) + "}\n")
    done = subprocess.run(["/usr/sbin/nginx", "-t", "-q", "-p", tmp_path, "-c", tmp_path / "nginx.conf"], text=True,
                          capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("proxy_pass http://app;" in made, "return 503" in made) == (bool(tls), not tls)
    assert tls == "" or "return 301 https://$host$request_uri;" in made and "Upgrade $http_upgrade;" in made


NO_NGINX = """install() { shift; while [[ $1 == -* ]]; do shift 2; done; mkdir -p "$@"; }
chown() { :; }
nginx() { echo refused; return 1; }
systemctl() { echo "systemctl $*"; }
"""


def test_a_first_boot_whose_nginx_takes_no_configuration_says_so_and_never_that_all_is_done(tmp_path):
    """Regression: behind `nginx -t &&` neither `set -e` nor the trap was asked, and its last line was "ready"."""
    script = (FOLDER / "host.sh").read_text()
    text = script[:script.index("[[ ${ROLE:-}")] + NO_NGINX + script[script.index("# ---- nginx before"):]
    for place in ("/etc/", "/var/www/", "/usr/local/share/"):
        text = text.replace(place, f"{tmp_path}{place}")
    for folder in ("sudoers.d", "nginx/conf.d", "systemd/system"):
        (tmp_path / "etc" / folder).mkdir(parents=True)
    done = subprocess.run(["bash", "-c", text], text=True, capture_output=True, check=False, env={
        "PATH": os.environ["PATH"], "ROLE": "app", "DOMAIN": "shop.example.org", "EMAIL": "a@example.org",
        "APP_PORT": "8001"})
    said = done.stdout.splitlines()
    assert done.returncode != 0 and said[0] == "refused" and said[1].startswith("host.sh: FAILED at line "), done
    assert len(said) == 2, done


def test_the_first_boot_of_a_machine_is_a_script_that_shellcheck_passes():
    done = subprocess.run(["shellcheck", str(FOLDER / "host.sh")], text=True, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert (ROOT / "deploy/terraform/host.sh").stat().st_size < 12000, "user_data has room for 16 KB"
