"""Goal: docker-compose.yml, brought up for real: from a chat and from a push to a live release through containers that
can reach no more than they need; restarts lose nothing."""
# SPDX-License-Identifier: ISC
import json
import re
import shutil
import socket
import ssl
import threading

import pytest

from compose_aid import NAME, PATIENCE_S, SERVER, Installation, ask
from engine_aid import HOST, WORLD, Engine
from stage import wait_until
from telegram_client import DEFAULT_TOKEN

OURS = ("server", "runner", "nginx", "prometheus", "alertmanager")
NETWORKS = {"server": {"proxy", "metrics", "server-out"}, "runner": {"runner-out"}, "nginx": {"front", "proxy"},
            "prometheus": {"metrics"}, "alertmanager": {"metrics", "alerts-out"}}


@pytest.fixture(scope="module")
def place(images, tmp_path_factory):
    with Engine() as engine, engine.world():
        made = Installation(engine, tmp_path_factory.mktemp("compose"))
        try:
            made.set_up()
            made.up()
            made.wait_well()
            yield made
        finally:
            made.end()


@pytest.fixture(autouse=True)
def at_rest(place):
    yield
    place.let_go()
    place.up()
    place.wait_well()
    wait_until(lambda: 'deploybot_environment_busy{environment="staging"} 0' in inside(
        place, "nginx", "curl", "--silent", "http://server:8080/metrics").stdout, PATIENCE_S, "rest")


def metric(place, query):
    """What Prometheus has of it; None before it has something."""
    said = place.engine.docker("exec", "deploybot_prometheus_1", "promtool", "query", "instant", "--format=json",
                               "http://127.0.0.1:9090", query)
    found = json.loads(said)
    return float(found[0]["value"][1]) if found else None


def inside(place, service, *words):
    return place.engine.try_docker("exec", f"deploybot_{service}_1", *words)


def test_a_word_in_the_chat_goes_live(place):
    """Telegram, through nginx and TLS, to the server, the runner, and back."""
    who = place.ada
    who.say("/deploy staging")
    who.hear("Live: staging")
    assert place.live() and place.health.times("shop") > 0


def test_a_signed_push_goes_live_and_a_forged_one_does_not(place):
    commit = place.push()
    wait_until(lambda: place.live() == commit, PATIENCE_S, "the pushed commit")
    status, _, _ = ask("POST", "/github/webhook", b"{}", {
        "Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "f",
        "X-Hub-Signature-256": "sha256=" + "0" * 64})
    assert status == 401


def test_the_server_knows_who_asked_nginx(place):
    """Else all callers were one, nginx, and wrong tokens of anybody would use up what everybody has."""
    ask("POST", "/github/webhook", b"{}", {"Content-Type": "application/json", "X-GitHub-Event": "ping",
                                          "X-GitHub-Delivery": "w", "X-Real-IP": "192.0.2.66"})

    def clients():
        return {json.loads(line).get("client") for line in (place.volume("audit") / "audit.log").read_text(
            "utf-8").splitlines() if '"webhook_rejected"' in line}
    wait_until(lambda: WORLD in clients(), PATIENCE_S, "the address outside")
    assert "192.0.2.66" not in clients()
    # Whoever comes past nginx says nothing of others: prometheus shares a network with the server.
    probe = ("exec 3<>/dev/tcp/server/8080; printf 'POST /telegram/webhook HTTP/1.1\\r\\nHost: x\\r\\n"
             "X-Real-IP: 192.0.2.67\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\n\\r\\n{}' >&3; "
             "head -n 1 <&3")
    said = inside(place, "prometheus", "timeout", "9", "bash", "-c", probe).stdout
    assert " 401 " in said or " 404 " in said, said
    wait_until(lambda: len(clients()) > 1 or " 404 " in said, PATIENCE_S, "that one's entry")
    assert "192.0.2.67" not in clients()


def test_nginx_lets_the_webhooks_in_and_nothing_else(place):
    for path in ("/metrics", "/healthz", "/readyz", "/", "/github/webhook/", "/api"):
        assert ask("GET", path)[0] == 404, path
    status, fields, _ = ask("GET", "/", plain=True)
    assert status == 301 and fields["Location"] == f"https://{NAME}/"
    (place.folder / "config" / "acme" / ".well-known" / "acme-challenge").mkdir(parents=True, exist_ok=True)
    place.put("config/acme/.well-known/acme-challenge/word", "proof")
    assert ask("GET", "/.well-known/acme-challenge/word", plain=True)[::2] == (200, b"proof")


def test_only_nginx_is_reached_from_outside(place):
    ports = {service: place.container(service)["HostConfig"]["PortBindings"] or {} for service in OURS}
    assert {service for service in OURS if ports[service]} == {"nginx"}
    assert {binding["HostPort"] for bound in ports["nginx"].values() for binding in bound} == {"80", "443"}


def test_each_is_in_the_networks_that_it_needs(place):
    for service, wanted in NETWORKS.items():
        found = place.container(service)["NetworkSettings"]["Networks"]
        assert {name.removeprefix("deploybot_") for name in found} == wanted, service
    addresses = {service: [network["IPAddress"] for network in
                           place.container(service)["NetworkSettings"]["Networks"].values()] for service in OURS}
    # By name and by address.
    for here, there in (("nginx", "runner"), ("nginx", "prometheus"), ("prometheus", "runner"), ("runner", "server")):
        assert inside(place, here, "timeout", "5", "getent", "hosts", there).returncode != 0, (here, there)
    for address in addresses["prometheus"] + addresses["runner"]:
        for port in (9090, 22):
            said = inside(place, "nginx", "curl", "--silent", "--max-time", "3", f"http://{address}:{port}/")
            assert said.returncode in (7, 28), (address, said)
    # Prometheus' network has no way out; the runner's has.
    probe = f"exec 3<>/dev/tcp/{WORLD}/{place.chat.base.rsplit(':', 1)[1]}"
    assert inside(place, "prometheus", "timeout", "5", "bash", "-c", probe).returncode != 0
    assert inside(place, "runner", "timeout", "5", "bash", "-c", probe).returncode == 0


def test_each_has_no_more_rights_than_it_needs(place):
    for service in OURS:
        found = place.container(service)
        host = found["HostConfig"]
        assert host["ReadonlyRootfs"] and host["CapDrop"] == ["ALL"] and not host["CapAdd"], service
        assert "no-new-privileges:true" in host["SecurityOpt"] and not host["Privileged"], service
        assert host["Memory"] > 0 and host["NanoCpus"] > 0 and host["PidsLimit"] > 0, service
        assert host["RestartPolicy"]["Name"] == "unless-stopped" and host["PidMode"] == "", service
        assert found["Config"]["User"] not in ("", "0", "root"), service
        assert "docker.sock" not in json.dumps(found["Mounts"]), service


def test_secrets_are_files_of_whom_they_concern(place):
    for service in OURS:
        known = json.dumps(place.container(service)["Config"]) + place.logs(service)
        for path in (place.folder / "secrets" / "server").iterdir():
            assert path.read_text(encoding="ascii").strip() not in known, (service, path.name)
    place.put("secrets/runner/deploy_key", "a key")
    place.prepare()
    assert inside(place, "runner", "cat", "/run/secrets/deploy_key").stdout == "a key"
    assert inside(place, "runner", "cat", "/run/secrets/telegram_bot_token").returncode != 0
    mounts = {mount["Source"] for mount in place.container("server")["Mounts"]}
    assert not [source for source in mounts if source.endswith(("secrets/runner", "secrets/tls", "/secrets"))]
    assert DEFAULT_TOKEN not in (place.folder / "config" / "deploybot.conf").read_text(encoding="utf-8")


def test_prometheus_sees_the_server_and_evaluates_the_alerts(place):
    wait_until(lambda: metric(place, 'up{job="deploybot"}') == 1, PATIENCE_S, "a scrape")
    wait_until(lambda: metric(place, "deploybot_runner_up") == 1, PATIENCE_S, "deploybot_runner_up")
    rules = inside(place, "prometheus", "promtool", "check", "rules", "/etc/prometheus/rules/alerts.yml")
    assert re.search(r"SUCCESS: [1-9]\d* rules found", rules.stdout)


@pytest.mark.parametrize("how", ["restart", "kill", "recreate"])
def test_a_server_that_ends_loses_no_deployment(place, how):
    place.hold()
    commit = place.push()
    place.begun("staging")
    if how == "restart":
        place.compose("restart", "server")
    elif how == "kill":
        place.compose("kill", "-s", "KILL", "server")
        place.up("server")
    else:
        place.compose("up", "--detach", "--no-build", "--force-recreate", "--no-deps", "server")
    place.let_go()
    wait_until(lambda: place.live() == commit, PATIENCE_S, "the commit that was under way")
    place.ada.hear("Live: staging", commit[:7], after=0)
    # nginx finds the new one, whatever its address is.
    wait_until(lambda: ask("POST", "/github/webhook", b"{}")[0] < 500, PATIENCE_S, "the way to the server")


def test_a_runner_that_is_stopped_ends_its_run_first(place):
    place.hold()
    commit = place.push()
    place.begun("staging")
    stop = threading.Thread(target=place.compose, args=("stop", "runner"))
    stop.start()
    wait_until(lambda: "draining: waiting for 1 runs" in place.logs("runner"), PATIENCE_S, "the runner's word")
    place.let_go()
    stop.join(PATIENCE_S)
    assert place.container("runner")["State"]["ExitCode"] == 0
    assert place.live() == commit
    place.up("runner")
    place.ada.hear("Live: staging", commit[:7], after=0)


def test_a_runner_that_is_killed_is_a_power_cut_for_its_run(place):
    """What had not released is recorded as lost, and tried again by itself; nothing stands still."""
    before = place.live()
    place.hold()
    commit = place.push()
    place.begun("staging")
    place.compose("kill", "runner")
    place.let_go()
    place.up("runner")
    wait_until(lambda: "is lost" in place.logs("server") or "LOST" in place.logs("server"), PATIENCE_S, "a lost run")
    assert place.live() in (before, commit)


def test_root_asks_the_server_in_its_container_and_says_as_which_role(place):
    def deploybot(*words, user="0"):
        return place.try_compose("exec", "-T", "--user", user, "server", "deploybot", *words)
    commit = place.commit("develop")["after"]
    done = deploybot("deploy", "staging", "--as", "admin", "--wait")
    assert done.returncode == 0 and "Live: staging" in done.stdout, done.stdout + done.stderr
    assert place.live() == commit
    assert "staging" in deploybot("status", "--as", "admin").stdout
    denied = deploybot("status", user=str(SERVER))
    assert denied.returncode != 0 and "scripts run as them" in denied.stderr, denied.stderr
    audit = (place.volume("audit") / "audit.log").read_text("utf-8")
    assert "local:root" in audit and '"high"' in audit


def test_doctor_finds_nothing_wrong(place):
    said = inside(place, "server", "deploybot", "doctor")
    assert said.returncode == 0 and " 0 errors" in said.stdout, said.stdout + said.stderr
    assert "runner: it answers at /run/deploybot-runner/runner.sock" in said.stdout


def test_without_a_runner_the_server_waits_and_says_so(place):
    place.compose("stop", "runner")
    wait_until(lambda: "start deploybot-runner" in place.logs("server"), PATIENCE_S, "the server's word")
    assert place.state("server") == "healthy"      # it takes what comes
    commit = place.push()
    place.up("runner")
    wait_until(lambda: place.live() == commit, PATIENCE_S, "what was ordered meanwhile")


def test_a_new_certificate_is_shown_after_a_signal(place):
    def shown():
        context = ssl.create_default_context(cafile=str(place.trusted))
        with socket.create_connection((HOST, 443), 30) as raw:
            with context.wrap_socket(raw, server_hostname=NAME) as connection:
                return connection.getpeercert(binary_form=True)
    before = shown()
    shutil.copytree(place.next_certificate, place.folder / "secrets" / "tls", dirs_exist_ok=True)
    assert place.prepare()[0] == 0
    place.compose("kill", "-s", "HUP", "nginx")
    wait_until(lambda: shown() != before, PATIENCE_S, "the new certificate")
    who = place.ada
    who.say("/whoami")
    who.hear("admin")


def test_down_and_up_again_keep_all(place):
    commit = place.push()
    wait_until(lambda: place.live() == commit, PATIENCE_S, "the pushed commit")
    place.ada.hear("Live: staging", commit[:7], after=0)
    place.down()
    assert not place.engine.docker("ps", "--all", "--quiet", "--filter=label=com.docker.compose.project=deploybot")
    place.up()
    place.wait_well()
    who = place.ada
    who.say("/status staging")
    who.hear(commit[:7])
    assert place.live() == commit
