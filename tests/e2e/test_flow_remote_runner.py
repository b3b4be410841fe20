"""Goal: an environment of a remote runner is deployed there: asked of, ordered, followed and ended over deploybot-link,
and of what is disconnected nothing is guessed.  Drives the real programs."""
# SPDX-License-Identifier: ISC
import os
import re
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from agents_aid import DEPLOYBOT, Agents
from crash_aid import HOLD, STEADY
from flow_aid import OWN
from local_aid import PERSON
from runner_client import wait_for
from service_aid import RUNNER, SERVER, RunnerService, give

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

NAME = "build-1"


class Remote:
    """A machine with deploybot-remote-runner and deploybot-link of its own."""

    def __init__(self, agents):
        self.agents, scene = agents, agents.scene
        self.folder = agents.folder / NAME
        for name in ("", "state", "run"):
            (self.folder / name).mkdir()
            give(self.folder / name, RUNNER, SERVER, 0o755)
        program = scene.folder / "lib" / "deploybot-remote-runner"
        shutil.copy(DEPLOYBOT.parent / program.name, program)
        public = load_pem_private_key((agents.ca / "order.key").read_bytes(), None).public_key()
        keys = public.public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
        orders = self.folder / "runner.conf"
        orders.write_text(f"RUNNER_NAME={NAME}\nORDER_KEYS={keys}\n")
        self.service = RunnerService(program, self.folder, self.folder / "run" / "runner.sock", self.folder / "state",
                                     scene.runner_environment())
        self.service.start("--orders", str(orders))
        agents.scene.run(PERSON, "runner", "enrol", NAME, agents.key(NAME, NAME, "runner"))
        self.connect()

    def connect(self):
        self.link = self.agents.start_host(NAME, "runner", RUNNER_SOCKET=self.service.socket,
                                           STATE_DIRECTORY=self.service.state)

    def runs(self):
        return sorted(int(path.name) for path in (self.service.state / "runs").glob("[0-9]*"))

    def close(self):
        if self.service.process.poll() is None:
            self.service.stop()


@pytest.fixture(scope="module", name="agents")
def make_agents():
    made = Agents(RUNNERS=f"{NAME},build-2", STAGING_RUNNER=NAME, RUNS_MAX="1", PRODUCTION_CONFIRM="false")
    made.remote = Remote(made)
    made.peers.append(made.remote)
    yield made
    made.close()


@pytest.fixture(name="ada")
def make_ada(agents):
    return agents.admin()


def listed(agents):
    return agents.scene.run(PERSON, "runner", "list")


def test_what_is_deployed_there_runs_there(agents, ada):
    wait_for(lambda: "connected, " in listed(agents), "it")
    ada.say("/deploy staging")
    ada.hear("✅ Live: staging")
    runs = agents.remote.runs()
    assert runs and not (agents.scene.folder / "state" / "runs" / str(runs[-1])).exists()
    assert agents.scene.bot_rows(f"SELECT runner FROM run WHERE id = {runs[-1]}") == [(NAME,)]


def test_a_failure_there_shows_the_end_of_its_log_and_all_of_it_comes_from_there(agents, ada):
    agents.scene.scripts.deploy('for i in $(seq 20000); do echo "line $i of many"; done; echo it burns; exit 3')
    ada.say("/deploy staging")
    said = ada.hear("❌ Failed: staging", "it burns")
    assert not (agents.scene.folder / "state" / "runs" / str(agents.remote.runs()[-1])).exists()
    ada.press(said, "Log")
    sent = agents.scene.chat.file(ada.hear("Log of staging")).decode()
    assert "it burns" in sent and all(f"line {i} of many\n" in sent for i in (1, 9999, 20000))
    printed = agents.scene.run(PERSON, "log", "staging")
    assert "line 1 of many\n" in printed and printed.count(" of many\n") == 20000 and "it burns" in printed
    agents.scene.lift_blocks()


def test_what_it_prints_there_is_seen_while_it_goes_on(agents, ada):
    agents.scene.commit()
    agents.scene.scripts.deploy(f'echo compiling 7 of 9; {HOLD}; {STEADY}')
    agents.scene.hold_script()
    ada.begin("staging")
    agents.scene.wait_held()
    ada.hear("compiling 7 of 9")
    assert "compiling 7 of 9\n" in agents.scene.run(PERSON, "log", "staging")
    disconnect(agents)
    assert f"the runner {NAME} " in agents.scene.run(PERSON, "log", "staging", wanted=75)
    agents.remote.connect()
    agents.scene.go_on()
    ada.hear("✅ Live: staging")


def start_held(agents, person, environment="staging"):
    """A run that waits in its script."""
    agents.scene.commit("main" if environment == "production" else "develop")
    agents.scene.scripts.deploy(f"{HOLD}; {STEADY}", environment)
    agents.scene.hold_script(environment)
    person.begin(environment)
    agents.scene.wait_held(environment)


def disconnect(agents):
    agents.remote.link.kill()
    wait_for(lambda: "disconnected" in listed(agents), "its being away")


def test_a_run_goes_on_while_its_runner_and_then_its_server_is_gone_and_ends_once(agents, ada):
    start_held(agents, ada)
    run = agents.remote.runs()[-1]
    disconnect(agents)
    ada.hear("staging", f"its runner {NAME} is disconnected since")
    ada.say("/status staging")
    ada.hear("staging", f"its runner {NAME} is disconnected since")
    agents.scene.bot.kill()
    agents.scene.go_on()
    agents.scene.start_bot()
    assert agents.scene.is_busy("staging")                  # of it nothing is known
    agents.remote.connect()
    ada.hear("✅ Live: staging")
    assert agents.remote.runs()[-1] == run


def test_what_waits_for_a_runner_keeps_its_place_and_starts_when_it_is_there(agents, ada):
    start_held(agents, ada, "production")
    agents.scene.commit()
    ada.say("/deploy staging")
    ada.hear("as many deployments are in progress as may be")
    runs = agents.remote.runs()
    disconnect(agents)
    wait_for(lambda: agents.scene.bot_rows(f"SELECT 1 FROM runner WHERE name = '{NAME}'"), "the row of who is gone")
    agents.scene.go_on("production")
    ada.hear(f"waits: its runner {NAME} is disconnected since")
    ada.say("/queue staging")
    ada.hear(f"waits for the runner {NAME}")
    ada.say("/deploy staging")
    ada.hear("⛔ Not deployed: staging", f"the runner {NAME} has been disconnected for")
    agents.remote.connect()
    ada.hear("✅ Live: staging")
    assert len(agents.remote.runs()) == len(runs) + 1


def doctor(agents, *words):
    return agents.scene.bot.run("doctor", *words)


def test_doctor_says_how_each_runner_is_and_nothing_of_what_is_there(agents):
    wait_for(lambda: "connected, " in listed(agents), "it")
    said = doctor(agents).stdout
    assert re.search(rf"^ok +{NAME}: connected, .*\n", said, re.M), said
    assert re.search(r"^error +build-2: is not enrolled: deploybot runner enrol build-2", said, re.M), said
    elsewhere = f"staging is at the runner {NAME}, which is not looked at from here"
    assert re.search(rf"^note +{elsewhere}", said, re.M) and not re.search(r"^\w+ +staging: (?!http)", said, re.M), said
    one = doctor(agents, "staging")
    assert one.returncode == 0 and one.stderr.startswith(elsewhere), one
    assert re.fullmatch(rf"ok +{NAME}: connected, .*\n", one.stdout), one
    assert "which is not looked at" not in doctor(agents, "production").stderr
    before = dict(agents.scene.bot.settings)
    for name in ("RUNNER_SOCKET", "DEPLOY_SCRIPT"):         # with a runner as its child the server looks at files
        del agents.scene.bot.settings[name]
    for runner in ("local", NAME):                          # keys of what is there are there, and its transport
        agents.scene.bot.settings.update(PRODUCTION_RUNNER=runner, SSH_KEY_PATH="/none/key", STAGING_SSH_KEY_PATH="/x",
                                         DEPLOY_TRANSPORT="theirs")
        said = doctor(agents).stdout
        assert "STAGING_SSH" not in said
        for what in (" SSH_KEY_PATH: no key is at", 'there is no transport "theirs"'):
            assert (what in said) == (runner == "local"), (what, said)
    agents.scene.bot.settings = before
    (agents.scene.folder / "unread.env").write_text(f"STAGING_RUNNER={NAME}\nTELEGRAM_BOT_TOKEN_FILE=/none\n")
    unread = subprocess.run([DEPLOYBOT, "--env-file", agents.scene.folder / "unread.env", "doctor", "staging"], cwd="/",
                            env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60, check=False)
    assert unread.returncode == 77 and unread.stderr.startswith(elsewhere), unread
    disconnect(agents)
    assert re.search(rf"^error +{NAME}: disconnected since ", doctor(agents).stdout, re.M)
    agents.remote.connect()
    wait_for(lambda: "connected, " in listed(agents), "it")


def write(path, settings):
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()), encoding="utf-8")
    give(path, 0, SERVER, 0o640)


def bundle(agents, *words):
    return subprocess.run([DEPLOYBOT, "--env-file", agents.scene.folder / "deploybot.conf", "settings", "bundle",
                           *words], cwd="/", env={"PATH": os.environ["PATH"]}, capture_output=True, timeout=60,
                          check=False)


def test_with_the_bundle_of_its_settings_it_deploys_and_with_another_line_it_is_named(agents, ada):
    """The server's settings stand in files now, of two applications, and the runner has what the command prints."""
    scene, remote = agents.scene, agents.remote
    apps, etc, secret = scene.folder / "apps", remote.folder / "etc", agents.folder / "registry_password"
    scene.bot.stop()
    write(secret, {"not-to-be": "seen"})
    give(secret, RUNNER, RUNNER, 0o600)
    own = {name: value for name, value in scene.bot.settings.items() if OWN.match(name)}
    write(scene.folder / "deploybot.conf", {
        **{name: value for name, value in scene.bot.settings.items() if name not in own},
        "REGISTRY_USER": "hubert", "REGISTRY_PASSWORD_FILE": secret, "KEEP_RELEASES": "'7' # and no more",
        "TRANSPORT_ZONE": '"a \\"b\\" \\$c"', "REGISTRY_HUB_URL": "docker.io", "PRODUCTION_DEPLOY_USER": "paul"})
    apps.mkdir()
    write(apps / "shop.env", {**own, "STAGING_DEPLOY_USER": "sue", "JOB_MIGRATE": "bin/migrate", "REGISTRIES": "hub"})
    write(apps / "blog.env", {**own, "STAGING_RUNNER": "build-2"})
    done = bundle(agents, NAME)
    assert done.returncode == 0, done.stderr
    etc.mkdir()
    subprocess.run(["tar", "-xC", etc], input=done.stdout, check=True, umask=0o077)
    assert sorted(path.name for path in etc.rglob("*") if path.is_file()) == ["deploybot.conf", "shop.env"]
    text = "".join(path.read_text("utf-8") for path in etc.rglob("*") if path.is_file())
    names = {line.split("=")[0] for line in text.splitlines()}
    assert {"TRANSPORT_ZONE", "STAGING_DEPLOY_USER", "JOB_MIGRATE", "REGISTRY_HUB_URL"} <= names
    assert not {name for name in names if re.match("PRODUCTION_|LINK_|RUNNERS|TELEGRAM_|LOCAL_|APPS_|.*_RUNNER", name)}
    assert scene.bot.settings["TELEGRAM_BOT_TOKEN"] not in text and "seen" not in text
    for path in etc.rglob("*"):
        assert oct(path.stat().st_mode) == ("0o40750" if path.is_dir() else "0o100640")
        os.chown(path, 0, SERVER)
    remote.service.stop()
    remote.service.environment = {"PATH": os.environ["PATH"], "HOME": "/"}
    remote.service.start("--orders", remote.folder / "runner.conf", "--env-file", etc / "deploybot.conf")
    scene.bot.given, scene.bot.arguments = {}, ("--env-file", scene.folder / "deploybot.conf", "serve")
    scene.bot.start()
    (scene.folder / "scripts" / "shop").mkdir()
    scene.scripts.deploy(STEADY + '; echo "zone=$TRANSPORT_ZONE keep=$KEEP_RELEASES by=$DEPLOY_USER"',
                         "shop/staging")
    give(scene.folder / "scripts" / "shop", RUNNER, RUNNER, 0o755)
    wait_for(lambda: "connected, " in listed(agents), "it")
    ada.say("/deploy shop/staging")
    ada.hear("✅ Live: shop/staging")
    log = (remote.service.state / "runs" / str(remote.runs()[-1]) / "log").read_text("utf-8")
    assert 'zone=a "b" $c keep=7 by=sue' in log
    with open(etc / "apps" / "shop.env", "a", encoding="utf-8") as file:
        file.write("KEEP_RELEASES=2\n")
    ada.say("/deploy shop/staging")
    ada.hear("shop/staging", f"{NAME} has other settings (KEEP_RELEASES)")
    ada.say("/deploy blog/staging")
    ada.hear("⛔ Not deployed: blog/staging", "the runner build-2 is not enrolled")


def test_a_bundle_is_of_a_runner_that_there_is_and_has_no_secret(agents):
    for name in ("build-3", "local"):
        done = bundle(agents, name)
        assert (done.returncode, done.stdout) == (66, b""), done
        assert f'"{name}" is none of RUNNERS ({NAME},build-2)' in done.stderr.decode()
    with open(agents.scene.folder / "apps" / "shop.env", "a", encoding="utf-8") as file:
        file.write("STAGING_REGISTRY_PASSWORD=hunter2hunter2\n")
    done = bundle(agents, NAME)
    assert (done.returncode, done.stdout) == (78, b""), done
    assert b"STAGING_REGISTRY_PASSWORD (" in done.stderr and b"hunter2" not in done.stderr
