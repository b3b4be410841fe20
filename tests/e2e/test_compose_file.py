"""Goal: docker-compose.yml and Dockerfile promise what deploy/compose/README.md says of them: who is reached, who has
which rights and secrets, and that every variable is described.  They are brought up for real by `make check-infra`."""
# SPDX-License-Identifier: ISC
import ipaddress
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time

import pytest

from runner_client import PROGRAM
from stage import ROOT, WEBHOOK_SECRET, free_port
from telegram_client import ADA, DEFAULT_TOKEN
from workflow_aid import parsed

COMPOSE = ROOT / "deploy" / "compose"
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE = parsed(TEXT)
SERVICES = FILE["services"]
DOCKERFILE = re.sub(r"\\\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
OURS = {"server", "runner"}
ONE_OF_TWO = {"SERVER_NAME": "server-a", "PRIVATE_ADDRESS": "10.0.0.11", "OTHER_ADDRESS": "10.0.0.12"}
NETWORKS = {"server": {"proxy", "metrics", "server-out"}, "runner": {"runner-out"}, "nginx": {"front", "proxy"},
            "prometheus": {"metrics"}, "alertmanager": {"metrics", "alerts-out"},
            "grafana": {"metrics"}, "dashboards": {"front", "metrics"}}


def stages():
    """The instructions of each stage of the Dockerfile."""
    found = {}
    for part in re.split(r"^(?=FROM )", DOCKERFILE, flags=re.M)[1:]:
        found[re.match(r"FROM \S+ AS (\S+)", part).group(1)] = part
    return found


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_few_rights_and_limits(name):
    service = SERVICES[name]
    assert service["read_only"] is True and service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"] and "privileged" not in service
    assert service["restart"] == "unless-stopped"
    assert service["mem_limit"] and service["cpus"] > 0 and service["pids_limit"] > 0
    assert service["logging"]["options"]["max-size"]
    assert name in OURS or re.fullmatch(r"[1-9]\d*:[1-9]\d*", service["user"])
    assert "docker.sock" not in json.dumps(service)


APT = {
    "apt-get": '[[ $1 != download ]] || touch "$2_1.0+dfsg_amd64.deb"',
    "apt-cache": '[[ $* == "show docker-cli" && $RELEASE == trixie ]]',
    # From Debian 13 on docker.io has the engine alone.
    "dpkg-deb": 'mkdir -p "$3/usr/bin"; client=docker.io; [[ $RELEASE != trixie ]] || client=docker-cli\n'
                '[[ $2 != "$client"_* ]] || echo "$2" >"$3/usr/bin/docker"',
}


@pytest.mark.parametrize("release, package", [("bookworm", "docker.io"), ("trixie", "docker-cli")])
def test_the_runners_image_gets_dockers_client_from_the_package_that_has_it(tmp_path, release, package):
    command = re.search(r"(?m)^RUN (if .*WITH_DOCKER.*)$", stages()["runner-files"])[1]
    lists = tmp_path / "lists"
    lists.mkdir()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    for name, text in APT.items():
        (bin_folder / name).write_text(f"#!/bin/bash\n{text}\n")
        (bin_folder / name).chmod(0o755)
    done = subprocess.run(["/bin/sh", "-c", command.replace("/var/lib/apt/lists", str(lists))], cwd=tmp_path,
                          env={"PATH": f"{bin_folder}:/usr/bin:/bin", "WITH_DOCKER": "1", "RELEASE": release},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "root/usr/bin/docker").read_text() == f"{package}_1.0+dfsg_amd64.deb\n"
    assert not list(tmp_path.glob("*.deb")) and not (tmp_path / "all").exists()


def test_only_nginx_has_ports():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert set(ports) == {"nginx", "dashboards"}
    assert [re.sub(r".*:", "", port) for port in ports["nginx"]] == ["8080", "8443"]
    # Another nginx, on loopback alone, and only when it is asked for.
    assert all(port.startswith("127.0.0.1:") for port in ports["dashboards"])
    assert SERVICES["dashboards"]["profiles"] == SERVICES["grafana"]["profiles"] == ["dashboards"]
    assert not [name for name, service in SERVICES.items() if "network_mode" in service or "extra_hosts" in service]


def test_networks_join_only_who_must_talk():
    assert {name: set(service["networks"]) for name, service in SERVICES.items()} == NETWORKS
    assert {name for name, network in FILE["networks"].items() if network.get("internal")} == {"proxy", "metrics"}
    assert not [name for name in SERVICES if name != "runner" and "runner-out" in NETWORKS[name]]


@pytest.mark.parametrize("numbers", ["10.255.255", "192.168.7"])
def test_the_server_believes_nginx_alone_at_an_address_that_nobody_else_gets(numbers):
    def filled(value):
        return value.replace("${PROXY_NETWORK:-10.255.255}", numbers)
    address = filled(SERVICES["nginx"]["networks"]["proxy"]["ipv4_address"])
    assert filled(SERVICES["server"]["environment"]["TRUSTED_PROXY"]) == address
    pool, = FILE["networks"]["proxy"]["ipam"]["config"]
    network, others = (ipaddress.ip_network(filled(pool[name])) for name in ("subnet", "ip_range"))
    assert ipaddress.ip_address(address) in network and others.subnet_of(network)
    assert ipaddress.ip_address(address) not in others and address not in (str(network[0]), str(network[-1]))
    assert NETWORKS["server"] & NETWORKS["nginx"] == {"proxy"}, "it comes by that one"


def test_secrets_are_files_of_one_service_each():
    words = re.compile("TOKEN|SECRET|PASSWORD|KEY")
    for name, service in SERVICES.items():
        for variable in service.get("environment", {}):
            assert not words.search(variable) or variable.endswith("_FILE"), (name, variable)
        assert "env_file" not in service
    mounted = {}
    for name, service in SERVICES.items():
        for mount in service["volumes"]:
            if "SECRETS_DIR" in mount.get("source", ""):
                assert mount["read_only"] is True and mount["type"] == "bind"
                mounted.setdefault(mount["source"].rsplit("/", 1)[1], []).append(name)
    assert mounted == {"server": ["server"], "runner": ["runner"], "tls": ["nginx"], "grafana": ["grafana"],
                       "alertmanager": ["alertmanager"]}
    assert not re.search(r"^(ENV|ARG) .*(TOKEN|SECRET|PASSWORD|KEY)", DOCKERFILE, re.M)


def test_what_is_mounted_from_the_host_is_not_written():
    for name, service in SERVICES.items():
        for mount in service["volumes"]:
            assert mount["type"] == "volume" or mount["read_only"] is True, (name, mount)
            if mount["type"] == "volume":
                assert mount["source"] in FILE["volumes"]


def test_images_of_others_are_pinned_and_each_image_is_a_variable():
    for name, service in SERVICES.items():
        image = service["image"]
        assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-.+\}", image), name
        assert name in OURS or re.search(r"@sha256:[0-9a-f]{64}\}$", image), name
    assert "ARG BASE_IMAGE=debian:12-slim\n" in DOCKERFILE and "debian:12-slim@sha256:" in DOCKERFILE


def test_every_variable_is_described_and_none_that_is_gone():
    files = TEXT + "".join((COMPOSE / name).read_text(encoding="utf-8") for name in ("engine.yml", "servers.yml"))
    used = set(re.findall(r"\$\{([A-Z_]+)", files))
    readme = (COMPOSE / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("## Variables"):readme.index("## Building")]
    described = set(re.findall(r"`([A-Z_]{4,})`", "".join(line.split("|")[1] for line in table.splitlines()
                                                          if line.startswith("| `"))))
    assert described | {"DOCKER_GID"} == used


def test_no_variable_stands_in_the_default_of_another():
    """docker-compose 1.29 ends a variable at the first brace."""
    assert not re.search(r"\$\{[^}]*\$", TEXT + "".join(
        (COMPOSE / name).read_text(encoding="utf-8") for name in ("engine.yml", "servers.yml")))


def test_a_service_waits_for_whom_it_needs_and_says_how_it_is():
    waits = {name: sorted(service.get("depends_on", {})) for name, service in SERVICES.items()}
    assert waits == {"server": ["runner"], "runner": [], "nginx": ["server"], "prometheus": ["server"],
                     "alertmanager": [],
                     "grafana": ["prometheus"], "dashboards": ["grafana"]}
    for name, service in SERVICES.items():
        if name in OURS:
            assert re.search(r"^HEALTHCHECK .*CMD \[\"/usr/lib/deploybot/", stages()[name], re.M)
        elif name != "dashboards":
            assert service["healthcheck"]["test"][0] == "CMD"
    # A runner that is stopped has longer than a deployment and its rollback may last.
    assert SERVICES["runner"]["stop_grace_period"] == "${RUNNER_GRACE:-30m}"


def test_grafana_finds_its_dashboard_and_its_prometheus():
    """Its image cannot be had here: the files that it is given fit each other and the other services."""
    mounts = {mount["target"]: mount["source"] for mount in SERVICES["grafana"]["volumes"]}
    provisioning = ROOT / mounts["/etc/grafana/provisioning"]
    provider = parsed((provisioning / "dashboards" / "deploybot.yml").read_text("utf-8"))["providers"][0]
    dashboard = ROOT / mounts[provider["options"]["path"]] / "releases.json"
    source = parsed((provisioning / "datasources" / "deploybot.yml").read_text("utf-8"))["datasources"][0]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in SERVICES
    shown = json.loads(dashboard.read_text("utf-8"))
    assert [(v["type"], v["query"]) for v in shown["templating"]["list"] if v["name"] == "datasource"] == [
        ("datasource", source["type"])]
    assert "proxy_pass http://$grafana" in (COMPOSE / "dashboards.conf").read_text("utf-8")


@pytest.mark.parametrize("name, user", [("server", "10001:10001"), ("runner", "10002")])
def test_both_images_are_run_by_nobody_special(name, user):
    stage = stages()[name]
    assert re.findall(r"^USER (.*)$", stage, re.M) == [user]
    for word in ("ENTRYPOINT", "CMD"):
        assert re.search(rf"^{word} \[\"", stage, re.M), f"{word} is no list"
    for label in ("title", "description", "licenses", "version", "revision", "source"):
        assert f"org.opencontainers.image.{label}=" in stage
    if name == "server":
        assert stage.startswith("FROM scratch AS server") and not re.search("^RUN ", stage, re.M)


def test_what_is_built_in_the_image_is_what_is_built_here():
    script = (ROOT / "tests" / "tools" / "packages.sh").read_text(encoding="utf-8")
    group = re.search(r'\[build\]="([^"]*)"', script).group(1).replace("\\\n", "").split()
    command = re.search(r"apt-get install --yes --no-install-recommends\s+([^&]*)&&", stages()["build"]).group(1)
    assert sorted(command.split()) == sorted([*group, "ca-certificates", "tzdata"])     # for the server's image
    owners = (ROOT / "deploy" / "systemd" / "tmpfiles.conf").read_text(encoding="utf-8")
    for folder, mode in re.findall(r"^d /(var/lib/deploybot\S*|run/deploybot-runner) (\d+)", owners, re.M):
        if not folder.startswith(("var/lib/deploybot-runner", "var/lib/deploybot-remote-runner")):
            assert re.search(rf"install -d -m {mode} [^&]*\b{folder}\b", DOCKERFILE), folder


def test_the_command_lines_socket_has_a_folder_of_the_servers_user():
    """Its root file system is read only; everybody in the container may enter the folder."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    server = text[text.index("\n  server:"):text.index("\n  runner:")]
    assert re.search(r'"/run/deploybot:[^"]*mode=0755,uid=10001,gid=10001"', server)


def test_the_settings_to_begin_with_are_settings(tmp_path):
    text = (COMPOSE / "deploybot.conf").read_text(encoding="utf-8")
    text = re.sub(r"^#([A-Z_]+=)", r"\1", text, flags=re.M)        # also what is shown in a comment
    text = re.sub(r"^(STAGING_TELEGRAM_IDS|TELEGRAM_CHAT_ID|ADMIN_TELEGRAM_IDS)=.*", rf"\1={ADA}", text, flags=re.M)
    examples = {"GITHUB_REPOSITORY": "orchard/shop", "REGISTRY_URL": "registry.example.com", "REGISTRY_IMAGE": "shop",
                "REGISTRY_USER": "ci", "STAGING_HOST": "s.example.com", "PRODUCTION_HOST": "p.example.com",
                "STAGING_HEALTH_URL": "http://s.example.com/", "PRODUCTION_HEALTH_URL": "http://p.example.com/"}
    for name, value in examples.items():
        text, count = re.subn(rf"^{name}=$", f"{name}={value}", text, flags=re.M)
        assert count == 1, name
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in re.findall(r"/run/secrets/(\w+)", text):
        value = {"telegram_bot_token": DEFAULT_TOKEN, "totp_key": "0f" * 32}.get(name, WEBHOOK_SECRET)
        (secrets / name).write_text(value + "\n", encoding="ascii")
        (secrets / name).chmod(0o600)
    (tmp_path / "conf").write_text(text.replace("/run/secrets", str(secrets)), encoding="utf-8")
    (tmp_path / "conf").chmod(0o600)
    build = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve()
    done = subprocess.run([str(build / "deploybot"), "--env-file", str(tmp_path / "conf"), "check-config"],
                          env={"PATH": "/usr/bin:/bin", "STATE_DIRECTORY": str(tmp_path), "LISTEN_ADDRESS": "0.0.0.0",
                               "TRUSTED_PROXY": "10.255.255.250",
                               "API_SERVER_PORT": str(free_port()),
                               "AUDIT_LOG_PATH": str(tmp_path / "audit.log"),
                               **{name: os.environ[name] for name in ("ASAN_OPTIONS",) if name in os.environ}},
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "no such setting" not in done.stdout + done.stderr and "unknown" not in done.stdout + done.stderr


# --- nginx.sh ---

def start_nginx(folder, name="deploybot.example.org", change=lambda text: text,
                certificates=("fullchain.pem", "privkey.pem"), **more):
    """nginx.sh with its folders below ours; (exit status, last line, the configuration)."""
    etc = folder / "etc"
    shutil.copytree(ROOT / "nginx", etc / "nginx")
    conf = etc / "nginx" / "nginx.conf"
    conf.write_text(change(conf.read_text(encoding="utf-8")), encoding="utf-8")
    (etc / "tls").mkdir()
    for certificate in certificates:
        (etc / "tls" / certificate).write_text("", encoding="ascii")
    script = (COMPOSE / "nginx.sh").read_text(encoding="utf-8")
    script = script.replace("config=/tmp/", f"config={folder}/").replace("/etc/deploybot/", f"{etc}/")
    script = script.replace("certificates=/etc/deploybot", f"certificates={etc}")
    (folder / "nginx.sh").write_text(script, encoding="utf-8")
    (folder / "nginx").write_text("#!/bin/sh\n", encoding="ascii")      # the real one: make check-infra
    (folder / "nginx").chmod(0o755)
    done = subprocess.run(["sh", str(folder / "nginx.sh")], capture_output=True, text=True, timeout=60, check=False,
                          env={"PATH": f"{folder}:/usr/bin:/bin", "DEPLOYBOT_HOSTNAME": name, **more})
    made = folder / "nginx.conf"
    return done.returncode, done.stderr.strip(), made.read_text(encoding="utf-8") if made.exists() else ""


def test_nginx_is_the_one_configuration_fitted_to_a_container(tmp_path):
    status, said, made = start_nginx(tmp_path)
    assert (status, said) == (0, "")
    assert set(re.findall(r"^\s*listen ([^; ]+)", made, re.M)) == {"8080", "8443"}
    assert set(re.findall(r"^\s*server_name (\S+);", made, re.M)) == {"_", "deploybot.example.org"}
    assert made.count("proxy_pass http://$deploybot;") == 7 and "proxy_pass http://deploybot;" not in made
    assert "resolver 127.0.0.11" in made and not re.search(r"^user ", made, re.M)
    # "auto" is a worker for each processor of the host, of which some have more than there may be processes.
    workers = int(re.search(r"^worker_processes (\S+);", made, re.M).group(1))
    assert workers + 8 < SERVICES["nginx"]["pids_limit"]
    shipped = (ROOT / "nginx" / "nginx.conf").read_text(encoding="utf-8")
    kept = [line for line in shipped.splitlines() if "add_header" in line or "limit_conn" in line or "ssl_" in line]
    assert kept and not [line for line in kept if line not in made.splitlines()]


def test_nginx_asks_two_servers_one_after_the_other(tmp_path):
    status, said, made = start_nginx(tmp_path, SERVERS="10.255.255.251:8080 10.0.0.12:8080")
    assert (status, said) == (0, "")
    upstream = re.search(r"^\tupstream deploybot \{\n(.*?)^\t\}", made, re.M | re.S)[1]
    asked = [word for line in upstream.splitlines() if "#" not in line for word in line.strip().split("; ")]
    assert asked == ["server 10.255.255.251:8080 max_fails=0", "server 10.0.0.12:8080 max_fails=0;"]
    assert made.count("proxy_pass http://deploybot;") == 7 and "$deploybot" not in made
    assert re.findall(r"^\s*proxy_connect_timeout (\S+);", made, re.M) == ["1s"]


@pytest.mark.parametrize("line", ["user ", "pid ", "error_log ", "\taccess_log ", "\t\tlisten 80 ", "# --- END"])
def test_an_nginx_conf_that_it_does_not_know_is_not_used(tmp_path, line):
    def without(text):
        found = [one for one in text.splitlines(keepends=True) if not one.lstrip("\t").startswith(line.lstrip("\t"))]
        return "".join(found).replace("\t\tlisten 80;", "")
    status, said, _ = start_nginx(tmp_path, change=without)
    assert status == 78 and "change deploy/compose/nginx.sh too" in said


@pytest.mark.parametrize("options, words", [
    ({"name": ""}, "DEPLOYBOT_HOSTNAME is no host name: ''; set it in .env"),
    ({"name": "a b;"}, "DEPLOYBOT_HOSTNAME is no host name: 'a b;'"),
    ({"SERVERS": "10.0.0.11:8080;}"}, "SERVERS are no addresses: '10.0.0.11:8080;}'"),
    ({"certificates": ("privkey.pem",)}, "there is no fullchain.pem that user 101 may read: put it into secrets/tls"),
    ({"certificates": ("fullchain.pem",)}, "there is no privkey.pem that user 101 may read")])
def test_what_nginx_misses_is_said_in_the_last_line(tmp_path, options, words):
    status, said, _ = start_nginx(tmp_path, **options)
    assert status == 78 and words in said.splitlines()[-1]


def test_whoever_builds_as_the_pages_say_has_the_trees_version():
    pages = ("docs/INSTALLATION.md", "docs/OPERATIONS.md")
    lines = [line for page in pages for line in (ROOT / page).read_text("utf-8").splitlines()
             if re.search(r"docker-compose (build|up --detach --build)", line)]
    assert len(lines) == 3
    assert all('DEPLOYBOT_VERSION="$(lib/version.sh)" docker-compose' in line for line in lines), lines
    text = (COMPOSE / "README.md").read_text("utf-8")
    assert text.index('export DEPLOYBOT_VERSION="$(lib/version.sh)"') < text.index("    docker-compose build")


# --- prepare.sh ---

def prepare(folder, *words, **more):
    done = subprocess.run([str(folder / "deploy" / "compose" / "prepare.sh"), *words], capture_output=True, text=True,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **more}, timeout=60, check=False)
    return done.returncode, done.stdout


def copy_checkout(folder):
    shutil.copytree(COMPOSE, folder / "deploy" / "compose")
    shutil.copytree(ROOT / "deploy" / "monitoring", folder / "deploy" / "monitoring")
    return folder


@pytest.fixture
def checkout(tmp_path):
    return copy_checkout(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="we are root")
def test_files_are_given_away_by_root_alone(checkout):
    assert prepare(checkout)[0] == 77


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files are given to other users")
def test_prepare_says_what_is_missing_until_nothing_is(checkout):
    status, said = prepare(checkout)
    assert status == 1 and "8 missing: put them there, then run this again" in said
    for word in ("DEPLOYBOT_HOSTNAME in .env", "ADMIN_TELEGRAM_IDS in config/deploybot.conf",
                 "secrets/server/telegram_bot_token is missing: the bot's token from @BotFather",
                 "secrets/tls/fullchain.pem", "secrets/tls/privkey.pem", "secrets/alertmanager/alert_bot_token",
                 "secrets/alertmanager/alert_chat_id", "secrets/alertmanager/alert_watchdog_url"):
        assert word in said
    conf = checkout / "config" / "deploybot.conf"
    text = conf.read_text(encoding="utf-8").replace("ADMIN_TELEGRAM_IDS=", "ADMIN_TELEGRAM_IDS=1")
    conf.write_text(text.replace("#STAGING_HOST=", "STAGING_HOST=s.example.com"), encoding="utf-8")
    (checkout / ".env").write_text("DEPLOYBOT_HOSTNAME=deploybot.example.org\n", encoding="ascii")
    for name in ("server/telegram_bot_token", "tls/fullchain.pem", "tls/privkey.pem", "runner/deploy_key"):
        (checkout / "secrets" / name).write_text("x", encoding="ascii")
    for name, text in (("bot_token", DEFAULT_TOKEN), ("chat_id", "-5"), ("watchdog_url", "https://a.example.org/")):
        (checkout / "secrets" / "alertmanager" / f"alert_{name}").write_text(text, encoding="ascii")
    (checkout / "secrets" / "server" / "telegram_bot_token").write_text(DEFAULT_TOKEN, encoding="ascii")
    assert "alertmanager.yml is missing: alert_bot_token is deploybot's own: make another bot" in prepare(checkout)[1]
    (checkout / "secrets" / "server" / "telegram_bot_token").write_text("x", encoding="ascii")
    (checkout / "secrets" / "runner" / "known_hosts").touch()
    status, said = prepare(checkout)
    assert status == 1 and "known_hosts is missing" in said and "1 missing" in said     # an empty one is none
    (checkout / "secrets" / "runner" / "known_hosts").write_text("x", encoding="ascii")
    assert prepare(checkout) == (0, "prepare.sh: nothing is missing: docker-compose up --detach\n")
    for wrong in ("10.255.255.240/28", "10.255", "10.255.255.", "fd00"):
        status, said = prepare(checkout, PROXY_NETWORK=wrong)
        assert status == 1 and f"PROXY_NETWORK in .env is {wrong}: write the first three numbers" in said, said
    assert prepare(checkout, PROXY_NETWORK="192.168.7")[0] == 0
    status, said = prepare(checkout, SERVER_NAME="server-a")
    assert status == 1 and "secrets/server/database_url is missing: the URL of PostgreSQL" in said, said

    def owner(path):
        found = (checkout / path).stat()
        return oct(found.st_mode & 0o7777), found.st_uid, found.st_gid
    assert owner("config/deploybot.conf") == ("0o640", 0, 10001)
    assert owner("secrets/server") == ("0o700", 10001, 10001)
    assert owner("secrets/server/telegram_bot_token") == ("0o600", 10001, 10001)
    assert owner("secrets/runner/deploy_key") == ("0o600", 10002, 10002)
    assert owner("secrets/tls/privkey.pem") == ("0o640", 0, 101)
    assert owner("secrets/alertmanager/alertmanager.yml") == ("0o600", 65534, 65534)
    assert owner("secrets") == ("0o711", 0, 0)
    assert "s.example.com" in conf.read_text(encoding="utf-8")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files are given to other users")
def test_without_a_domain_a_token_and_an_id_are_enough(checkout):
    status, said = prepare(checkout, "--polling")
    assert status == 1 and "2 missing" in said and "tls" not in said and "HOSTNAME" not in said, said
    (checkout / ".env").unlink()
    conf = checkout / "config" / "deploybot.conf"
    conf.write_text(conf.read_text("utf-8").replace("ADMIN_TELEGRAM_IDS=", "ADMIN_TELEGRAM_IDS=1"), encoding="utf-8")
    (checkout / "secrets" / "server" / "telegram_bot_token").write_text("x", encoding="ascii")
    (checkout / ".env").write_text("HTTP_PORT=81", encoding="ascii")     # no line end
    for _ in range(2):
        assert prepare(checkout, "--polling") == (
            0, "prepare.sh: nothing is missing: docker-compose up --detach server runner\n")
    assert (checkout / ".env").read_text("ascii") == "HTTP_PORT=81\nDEPLOYBOT_HOSTNAME=polling.invalid\n"
    assert prepare(checkout, "polling")[0] == 64


def test_the_settings_that_are_named_for_a_start_without_a_domain_are_enough(tmp_path):
    said = (ROOT / "docs/INSTALLATION.md").read_text("utf-8").partition("**Without a domain**")[2]
    said = said.partition("known_hosts")[0]
    names = re.findall(r"`([A-Z_]+)(?:=\w+)?`", said)
    assert len(names) >= 5 and "`ENVIRONMENTS=staging`" in said
    (tmp_path / "token").write_text(DEFAULT_TOKEN, encoding="ascii")
    (tmp_path / "token").chmod(0o600)
    values = {"GITHUB_REPOSITORY": "orchard/shop", "REGISTRY_URL": "ghcr.io", "REGISTRY_IMAGE": "orchard/shop",
              "STAGING_HOST": "10.0.0.5", "STAGING_HEALTH_URL": "http://10.0.0.5:8080/health",
              "ENVIRONMENTS": "staging"}
    assert set(names) == set(values)
    text = (COMPOSE / "deploybot.conf").read_text("utf-8")
    text = text.replace("ADMIN_TELEGRAM_IDS=\n", f"ADMIN_TELEGRAM_IDS={ADA}\n")
    text = text.replace("=/run/secrets/telegram_bot_token", f"={tmp_path}/token")
    text += "".join(f"{name}={value}\n" for name, value in values.items())
    (tmp_path / "conf").write_text(text, encoding="utf-8")
    done = subprocess.run([pathlib.Path(PROGRAM).parent / "deploybot", "--env-file", tmp_path / "conf", "check-config"],
                          env={"RUNNER_SOCKET": "/run/deploybot-runner/runner.sock"}, capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files are given to other users")
def test_grafana_never_starts_with_the_password_that_everybody_knows(checkout):
    """Without the file its image starts all the same, as admin with the password admin."""
    path = checkout / "secrets" / "grafana" / "admin_password"
    assert f"made {path.relative_to(checkout)}" in prepare(checkout)[1]
    drawn = path.read_text(encoding="ascii").strip()
    assert len(drawn) >= 24 and (path.stat().st_mode & 0o777, path.stat().st_uid) == (0o600, 472)
    assert "admin_password" not in prepare(checkout)[1] and path.read_text(encoding="ascii").strip() == drawn
    path.write_text("", encoding="ascii")
    prepare(checkout)
    assert path.read_text(encoding="ascii").strip() not in ("", drawn)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: files are given to other users")
@pytest.mark.parametrize("quote", ["", '"'])
def test_the_folders_that_docker_compose_is_told_in_env_are_those_that_are_prepared(checkout, quote):
    """sudo takes the environment away: .env is where they stand."""
    lines = [f"{name}={quote}{value}{quote}" for name, value in (
        ("SECRETS_DIR", "./elsewhere/secrets"), ("CONFIG_DIR", "./conf"), ("ACME_DIR", f"{checkout}/acme"))]
    (checkout / ".env").write_text("\n".join(lines) + "\n", encoding="ascii")
    status, said = prepare(checkout)
    assert status == 1 and "elsewhere/secrets/server/telegram_bot_token is missing" in said
    assert (checkout / "conf" / "deploybot.conf").exists() and (checkout / "acme").is_dir()
    assert not (checkout / "secrets").exists() and not (checkout / "config").exists()
    # What stands in the environment comes first, as docker-compose has it.
    assert "other/server/telegram_bot_token is missing" in prepare(checkout, SECRETS_DIR="other")[1]
    (checkout / ".env").write_text("CONFIG_DIR=./conf\n", encoding="ascii")
    prepare(checkout)
    assert (checkout / "config" / "acme").is_dir(), "docker-compose.yml's default is not below CONFIG_DIR"


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
def test_docker_compose_takes_the_file(tmp_path):
    def config(*words, quiet=("-q",), **more):
        return subprocess.run(["docker-compose", "--file", ROOT / "docker-compose.yml", *words, "config", *quiet],
                              capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path,
                              env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), **more})
    named = {"DEPLOYBOT_HOSTNAME": "a.example.org"}
    assert config("--profile", "dashboards", **named).returncode == 0
    for more in ("engine.yml", "restored.yml"):
        assert config("--file", str(COMPOSE / more), **named, DOCKER_GID="1").returncode == 0
    two = ("--file", str(COMPOSE / "servers.yml"))
    for missing in ONE_OF_TWO:
        done = config(*two, **named, **{name: value for name, value in ONE_OF_TWO.items() if name != missing})
        assert done.returncode != 0 and "is not set - " in done.stderr, done
    done = config(*two, **named, **ONE_OF_TWO, quiet=())
    assert done.returncode == 0, done.stderr
    made = parsed(done.stdout)["services"]
    assert set(made["server"]["networks"]) == NETWORKS["server"] and set(made["nginx"]["networks"]) == NETWORKS["nginx"]
    ours = made["server"]["networks"]["proxy"]["ipv4_address"]
    assert [re.sub("/tcp$", "", port) for port in made["server"]["ports"]] == ["10.0.0.11:8080:8080"]
    environment = made["server"]["environment"]
    assert (environment["SERVER_NAME"], environment["DATABASE_URL_FILE"]) == ("server-a", "/run/secrets/database_url")
    assert environment["TRUSTED_PROXY"] == made["nginx"]["networks"]["proxy"]["ipv4_address"] + ",10.0.0.12"
    assert made["nginx"]["environment"]["SERVERS"] == f"{ours}:8080 10.0.0.12:8080"
    assert made["nginx"]["environment"]["DEPLOYBOT_HOSTNAME"] == named["DEPLOYBOT_HOSTNAME"]
    assert not [name for name in made if "postgres" in json.dumps(made[name]["image"])]
    done = config()
    assert done.returncode != 0 and "write the name that Telegram and GitHub call into .env" in done.stderr


# --- nightly.sh ---

# What the containers are here: their users without a capability, their folder, a deploybot that copies a file.
ENGINE = """#!/bin/bash
root=%s state=$root/state
case ${0##*/} in
docker) [[ $1 == cp && $2 == id-of-server:/var/lib/deploybot/* ]] && exec cp -- "$state/${2##*/}" "$3"; exit 9 ;;
esac
files=
while [[ $1 == -f ]]; do [[ -s $2 ]] || exit 9; files+=" $2"; shift 2; done
case $1 in ps) echo id-of-server; exit ;; stop | up) echo "$1$files ${*: -2}" >>"$root/orders"; exit ;;
exec | run) shift ;; *) exit 9 ;; esac
user= entry=()
while [[ $1 == -* ]]; do
	case $1 in
	-T | --rm | --no-deps) ;;
	--user) user=${2%%:*}; shift ;;
	--entrypoint) entry=("$2"); shift ;;
	*) exit 9 ;;
	esac
	shift
done
case $1 in server) user=${user:-10001} ;; runner) user=${user:-10002} ;; *) exit 9 ;; esac
shift; set -- "${entry[@]}" "${@//\\/var\\/log\\/deploybot/$root/audit}"
words=("${@//\\/var\\/lib\\/deploybot/$state}")
case $1 in /usr/lib/deploybot/*) echo "${words[*]}" >>"$root/calls"; words=("$root/program" "${words[@]}") ;; esac
exec setpriv --reuid "$user" --regid "$user" --groups 10001 --inh-caps=-all --bounding-set=-all "${words[@]}"
"""
OF_A_CONTAINER = """#!/bin/bash
case "$*" in
*--preflight\\ %s*) echo "no such host"; exit 78 ;;
*/timestamp.sh\\ *) [[ $(id -u) == 10001 && ! -e $0.down ]] ;;
*\\ backup\\ *) umask 077; echo copy >"${@: -1}" ;;
esac
"""


@pytest.fixture
def night():
    """A checkout whose containers run; its folder of the state as Dockerfile makes it.  Not below pytest's folder,
    which is closed to other users anew whenever somebody starts another pytest."""
    with tempfile.TemporaryDirectory(prefix="deploybot-night-") as folder:
        made = copy_checkout(pathlib.Path(folder))
        made.chmod(0o711)
        (made / "bin").mkdir()
        for name in ("docker", "docker-compose"):
            (made / "bin" / name).write_text(ENGINE % made, encoding="ascii")
            (made / "bin" / name).chmod(0o755)
        subprocess.run(["install", "-d", "-m", "1770", "-o", "0", "-g", "10001", made / "state"], check=True,
                       timeout=60)
        prepare(made)
        conf = made / "config" / "deploybot.conf"
        text = conf.read_text("utf-8") + "  GITHUB_REPOSITORY=a/b\nexport ENVIRONMENTS='staging, eu'\n"
        conf.write_text(text, encoding="utf-8")
        (made / "config" / "apps").mkdir()
        (made / "config" / "apps" / "web.env").write_text("ENVIRONMENTS=production\n", encoding="ascii")
        yield made


def nightly(folder, missing="nobody"):
    """(status, what it says)."""
    (folder / "program").write_text(OF_A_CONTAINER % missing, encoding="ascii")
    (folder / "program").chmod(0o755)
    done = subprocess.run([folder / "deploy/compose/nightly.sh"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, env={"PATH": f"{folder}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, timeout=60,
                          check=False)
    return done.returncode, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_each_night_a_backup_is_taken_out_of_the_containers_and_every_target_is_looked_at(night):
    (night / "backups").mkdir()
    for name, days in (("old.db", 16), ("new.db", 3)):
        (night / "backups" / name).touch()
        os.utime(night / "backups" / name, (time.time() - days * 86400,) * 2)
    status, said = nightly(night)
    assert status == 0 and "all is there" in said, said
    kept = sorted(path.name for path in (night / "backups").iterdir())
    assert len(kept) == 2 and "new.db" in kept
    made = next(night / "backups" / name for name in kept if name != "new.db")
    assert made.read_text("ascii") == "copy\n" and made.stat().st_mode & 0o777 == 0o600 and made.stat().st_uid == 0
    assert sorted(path.name for path in (night / "state").iterdir()) == ["check.begun", "check.passed"]
    calls = (night / "calls").read_text("utf-8")
    assert " doctor\n" in calls, calls
    assert re.findall(r"--preflight (\S+)", calls) == ["staging", "eu", "web/production"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_a_look_that_finds_something_missing_does_not_pass_and_the_backup_is_made_all_the_same(night):
    status, said = nightly(night, missing="eu")
    assert status == 1 and "no such host" in said and "see above" in said.splitlines()[-1], said
    assert [path.name for path in (night / "state").iterdir()] == ["check.begun"]
    assert len(list((night / "backups").iterdir())) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_where_an_authority_is_named_the_audit_log_is_stamped_each_night_by_the_servers_user(night):
    shutil.copy(ROOT / "docker-compose.yml", night)
    (night / "config" / "timestamp.conf").touch()
    status, said = nightly(night)
    words = "/usr/lib/deploybot/deploy/timestamp.sh /etc/deploybot/timestamp.conf"
    assert status == 0 and (night / "calls").read_text("utf-8").splitlines().count(words) == 1, said
    (night / "program.down").touch()
    status, said = nightly(night)
    assert status == 1 and "a day of the audit log has no timestamp: see above" in said.splitlines()[-1], said
    assert (night / "calls").read_text("utf-8").splitlines().count(words) == 2


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_a_look_does_not_pass_where_no_backup_gets_out_of_the_containers(night):
    """Regression: with a full disk of the host there was no backup, and no alert."""
    (night / "bin/docker").write_text("#!/bin/sh\nexit 1\n", encoding="ascii")
    status, said = nightly(night)
    assert status == 1 and "no backup was made: see above" in said and "preflight of eu" in said, said
    assert [path.name for path in (night / "state").iterdir()] == ["check.begun"]
    assert not list((night / "backups").iterdir())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_what_is_said_to_be_typed_restores_a_backup_for_the_servers_user_however_often(night):
    """With no capability: who may move and write what is what the folders' owners and modes say."""
    subprocess.run(["install", "-d", "-m", "0750", "-o", "10001", "-g", "10001", night / "audit"], check=True,
                   timeout=60)
    for path in (night / "state/deploybot.db", night / "state/deploybot.db.v4"):
        path.write_text("of now", encoding="ascii")
        os.chown(path, 10001, 10001)
    shutil.copy(ROOT / "docker-compose.yml", night)
    (night / "bin/date").write_text("#!/bin/sh\nexec cat /proc/sys/kernel/random/uuid\n", encoding="ascii")
    (night / "bin/date").chmod(0o755)
    readme = (COMPOSE / "README.md").read_text("utf-8").partition("## Restoring")[2].partition("\n## ")[0]
    typed = re.search("^    sudo (sh -e <<'END'\n(?:    .*\n)*?    END\n)", readme, re.M)[1].replace("\n    ", "\n")
    made = night / "state/deploybot.db"

    def restore(copy):
        return subprocess.run(["bash", "-c", typed.replace("copy=COPY", f"copy={copy}")], cwd=night, timeout=60,
                              env={"PATH": f"{night}/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True,
                              text=True, check=False)
    for name, before in (("one", "of now"), ("two", "one")):
        (night / name).write_text(name, encoding="ascii")
        for path in (night / "state/deploybot.db-wal", night / "audit/audit.log"):
            path.write_text(f"until {name}", encoding="ascii")
            os.chown(path, 10001, 10001)
        done = restore(name)
        assert done.returncode == 0, done
        assert (made.read_text("ascii"), made.stat().st_uid, made.stat().st_mode & 0o777) == (name, 10001, 0o600)
        (away,) = [path.parent for path in night.glob("state/before-*/deploybot.db") if path.read_text() == before]
        assert (away / "deploybot.db-wal").read_text() == f"until {name}"
        assert (night / "audit" / away.name / "audit.log").read_text() == f"until {name}"
        assert sorted(path.name for path in away.parent.glob("deploybot*")) == ["deploybot.db", "deploybot.db.v4"]
        assert sorted(path.name for path in away.iterdir()) == ["deploybot.db", "deploybot.db-wal"]
    orders = (night / "orders").read_text()
    assert orders.splitlines()[-1] == "up docker-compose.yml deploy/compose/restored.yml --no-deps server"
    assert restore("three").returncode != 0 and made.read_text("ascii") == "two"
    assert (night / "orders").read_text() == orders
    there = parsed((ROOT / "docker-compose.yml").read_text("utf-8"))["services"]["server"]
    for_once = parsed((COMPOSE / "restored.yml").read_text("utf-8"))["services"]
    assert for_once["runner"]["volumes"][0] in there["volumes"]
    assert for_once["server"]["command"] == [*json.loads(re.search(r"^CMD (.*)$", stages()["server"], re.M)[1]),
                                             "--restored"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: containers' users")
def test_what_is_said_to_be_typed_gives_the_second_machine_the_firsts_key(night):
    """On one machine here, whose key is taken away in between."""
    readme = (COMPOSE / "README.md").read_text("utf-8").partition("## Two machines")[2].partition("\n## ")[0]
    taken, given = re.findall(r"^    sudo (docker-compose run .* sh runner -ec \\\n.*)$", readme, re.M)
    key = night / "state/secret-marks.key"
    key.write_bytes(b"\0\r\n\xff" * 8)
    os.chown(key, 10001, 10001)
    key.chmod(0o600)
    for typed in (taken, given):
        subprocess.run(["sh", "-c", typed], cwd=night, timeout=60, check=True,
                       env={"PATH": f"{night}/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
        if typed == taken:
            key.unlink()
    assert key.read_bytes() == b"\0\r\n\xff" * 8
    assert (key.stat().st_uid, key.stat().st_gid, key.stat().st_mode & 0o777) == (10001, 10001, 0o600)


def test_the_line_for_cron_calls_what_there_is():
    readme = (COMPOSE / "README.md").read_text("utf-8")
    line = re.search(r"^    17 3 \* \* \* root /opt/deploybot/(\S+) 2>&1 \| logger", readme, re.M)
    assert os.access(ROOT / line[1], os.X_OK)
