"""Goal: the first boot of a machine that Terraform makes leaves it as the documents say, and may be done again.

In a clean Debian root without a running systemd: a recording systemctl stands before the real one.
"""
# SPDX-License-Identifier: ISC
import json

import pytest

from infra_aid import Root, root_tar
from stage import ROOT

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + "B" * 43 + " deploybot"
REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
# Too long for nginx's own hash of names, as the addresses are that AWS gives.
DOMAIN = "ec2-203-0-113-25.eu-central-1.compute.example.org"
# There before: an AMI has them.  All others the script brings itself.
BASE = ("openssh-server", "systemd", "ca-certificates")
SYSTEMCTL = '#!/bin/sh\nprintf "%s\\n" "$*" >>/systemctl.log\n'
NO_SERVICES = "#!/bin/sh\nexit 101\n"


def put(root, name, text, mode=0o755):
    path = root.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def boot(root, role, check=True, **values):
    """As compute.tf joins it."""
    lines = ["#!/bin/bash", f"ROLE={role}", *(f"{name}='{value}'" for name, value in values.items())]
    script = (ROOT / "deploy/terraform/host.sh").read_text()
    put(root, "var/lib/cloud/instance/user-data.txt", "\n".join([*lines, script]), 0o600)
    return root.run("bash", "/var/lib/cloud/instance/user-data.txt", check=check)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    made = Root(tmp_path_factory.mktemp("aws") / "root", root_tar("aws-host", BASE))
    put(made, "usr/local/bin/systemctl", SYSTEMCTL)
    put(made, "usr/sbin/policy-rc.d", NO_SERVICES)
    put(made, "etc/resolv.conf", open("/etc/resolv.conf", encoding="ascii").read(), 0o644)
    (made.path / "run/sshd").mkdir(exist_ok=True)
    yield made
    made.remove()


def test_a_machine_of_no_role_is_not_made(root):
    done = boot(root, "other", check=False)
    assert (done.returncode, done.stdout) == (1, "host.sh: ROLE is neither app nor deploybot\n")


def test_what_fails_is_said_with_what_to_do(root):
    put(root, "etc/ssh/sshd_config.d/00-broken.conf", "Nonsense yes\n", 0o644)
    done = boot(root, "app", check=False, DEPLOY_PUBLIC_KEY=KEY, REGISTRY=REGISTRY)
    assert done.returncode != 0
    assert done.stdout.splitlines()[-1].endswith("when it is fixed: sudo bash /var/lib/cloud/instance/user-data.txt")
    (root.path / "etc/ssh/sshd_config.d/00-broken.conf").unlink()


# AWS's bucket cannot be reached here: a package of that name comes from whoever asks for that address, and no other.
BUCKET = """#!/bin/sh
for word; do last=$word; [ "$previous" != -o ] || out=$word; previous=$word; done
[ "$last" = https://amazon-ssm-eu-central-1.s3.eu-central-1.amazonaws.com/latest/debian_amd64/amazon-ssm-agent.deb ] || exit 22
mkdir -p /tmp/agent/DEBIAN
printf '%s\\n' 'Package: amazon-ssm-agent' 'Version: 3' 'Architecture: all' 'Maintainer: a <a@b>' 'Description: x' \\
    >/tmp/agent/DEBIAN/control
dpkg-deb -b /tmp/agent "$out" >/dev/null
"""


@pytest.mark.parametrize("time", ["first", "second"])
def test_staging_and_production_are_made_and_made_again(root, time):
    put(root, "usr/local/bin/curl", BUCKET)
    done = boot(root, "app", DEPLOY_PUBLIC_KEY=KEY, REGISTRY=REGISTRY, SESSIONS="eu-central-1",
                DOMAIN=DOMAIN, EMAIL="ops@example.org", APP_PORT="8001")
    assert done.stdout.splitlines()[-1] == "host.sh: ready", time
    assert {"reload ssh", "restart docker", "enable --now amazon-ssm-agent", "reload nginx",
            "enable --now deploybot-certificate.timer"} <= set((root.path / "systemctl.log").read_text().splitlines())


def test_nginx_stands_before_the_application_and_a_certificate_is_asked_for(root):
    root.run("nginx", "-t", "-q")
    root.run("visudo", "-c", "-f", "/etc/sudoers.d/deploybot")
    assert root.stat("/etc/nginx/deploybot/app.conf") == "644 deploy deploy"
    said = root.run("systemd-analyze", "verify", "deploybot-certificate.service", "deploybot-certificate.timer",
                    check=False).stdout
    assert "deploybot-certificate" not in said
    asks = root.run("grep", "certbot", "/etc/systemd/system/deploybot-certificate.service").stdout
    assert asks.split() == ("ExecStart=/usr/bin/certbot certonly --webroot -w /var/www/letsencrypt --cert-name app -d "
                            f"{DOMAIN} -n --agree-tos -m ops@example.org --deploy-hook \"systemctl reload "
                            "nginx\"").split()


def test_ssh_takes_keys_alone_and_two_users(root):
    said = root.run("/usr/sbin/sshd", "-T").stdout.splitlines()
    for line in ("passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin no",
                 "allowusers admin", "allowusers deploy", "x11forwarding no", "maxauthtries 3"):
        assert line in said


def test_deploy_has_its_key_docker_and_a_folder_and_no_password(root):
    assert "docker" in root.run("id", "-nG", "deploy").stdout.split()
    assert root.run("getent", "shadow", "deploy").stdout.split(":")[1] == "*"
    home = root.run("getent", "passwd", "deploy").stdout.split(":")[5]
    assert root.stat(f"{home}/.ssh") == "700 deploy deploy"
    assert root.stat(f"{home}/.ssh/authorized_keys") == "600 deploy deploy"
    assert root.run("cat", f"{home}/.ssh/authorized_keys").stdout == f"restrict {KEY}\n"
    assert root.stat("/srv/app") == "755 deploy deploy"


def test_docker_reads_its_settings_and_pulls_with_the_machines_role(root):
    # Debian's dockerd has no --validate: it would refuse a key that is no option of its own.
    options = root.run("dockerd", "--help").stdout
    for key in json.loads(root.run("cat", "/etc/docker/daemon.json").stdout):
        assert f"--{key.removesuffix('s')}" in options
    home = root.run("getent", "passwd", "deploy").stdout.split(":")[5]
    config = json.loads(root.run("cat", f"{home}/.docker/config.json").stdout)
    assert config == {"credHelpers": {REGISTRY: "ecr-login"}}
    root.run("sh", "-c", "command -v docker-credential-ecr-login")


def test_updates_come_by_themselves(root):
    said = root.run("apt-config", "dump", "APT::Periodic").stdout
    assert 'APT::Periodic::Unattended-Upgrade "1";' in said
