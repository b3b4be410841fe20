"""Goal: on a real systemd host the package's units hold what they promise: nobody is refused while deploybot is
restarted, a deployment goes on whatever is restarted, hangs are ended, each process can reach only what is its own, and
what is wrong is said by `systemctl status`. The tests follow one machine's life, in this order."""
# SPDX-License-Identifier: ISC
import os
import re
import signal
import threading

import pytest

import sample_app
from host_aid import BASE, PATIENCE_S, SHOP, UNITS, Host
from infra_aid import kept_deb
from stage import get, wait_until
from telegram_client import ADA

NEWER = "99.0"
SERVER, RUNNER = "deploybot.service", "deploybot-runner.service"
TIMERS = ("deploybot-backup.timer", "deploybot-check.timer")


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    folder = tmp_path_factory.mktemp("host")
    with Host(folder, kept_deb()) as made:
        yield made


def last_words(host, unit=SERVER):
    """What the program said last in its newest start, as `systemctl status` shows it (without the manager's own)."""
    said = host.machine.run("journalctl", "-o", "cat", "--no-pager", "-t", unit.removesuffix(".service"), "-n",
                            "3").stdout
    words = said.strip().splitlines()[-1].split("cannot start: ")[-1]
    wait_until(lambda: words[:60] in host.machine.status(unit), PATIENCE_S, f"in the status: {words}")
    return words


def refuse(host, unit=SERVER):
    """Is started, does not come up, and is not tried for ever."""
    host.machine.run("systemctl", "stop", SERVER, RUNNER)     # the server's start brings the runner
    host.machine.run("systemctl", "reset-failed")
    host.machine.run("systemctl", "start", unit, check=False)
    wait_until(lambda: host.machine.show(unit, "ActiveState") in ("failed", "activating"), PATIENCE_S, "its end")
    words = last_words(host, unit)
    state = host.machine.show(unit, "ActiveState", "SubState", "ExecMainStatus")
    return words, state


# ---- before it is configured, and where something is missing ---------------------------------------

def test_without_its_settings_it_says_where_they_are_to_be(host):
    host.machine.sh("mv /etc/deploybot/deploybot.conf /etc/deploybot/away")
    try:
        words, state = refuse(host)
        assert "/etc/deploybot/deploybot.conf" in words, words
        assert state["ActiveState"] == "failed", "a setting that is missing does not come by trying"
        words, state = refuse(host, RUNNER)
        assert "/etc/deploybot/deploybot.conf" in words, words
        assert state["ActiveState"] == "failed"
    finally:
        host.machine.sh("mv /etc/deploybot/away /etc/deploybot/deploybot.conf")


def test_without_a_secrets_file_it_says_which(host):
    words, state = refuse(host)
    assert state["ActiveState"] == "failed" and state["ExecMainStatus"] == "78", words
    assert "/etc/deploybot/secrets/server/telegram_bot_token" in host.machine.status(SERVER), words


def test_a_secret_of_another_user_is_said_to_be_one(host):
    host.configure()
    host.machine.run("chown", "root:", "/etc/deploybot/secrets/server/telegram_bot_token")
    words, state = refuse(host)
    assert "telegram_bot_token" in host.machine.status(SERVER), words
    assert state["ActiveState"] == "failed"
    host.machine.run("chown", "deploybot:", "/etc/deploybot/secrets/server/telegram_bot_token")


def test_a_state_folder_that_cannot_be_written_is_named(host):
    host.machine.sh("mount --bind /var/lib/deploybot /var/lib/deploybot; mount -o remount,ro,bind /var/lib/deploybot")
    try:
        words, _ = refuse(host)
        assert "/var/lib/deploybot" in words and "ead-only" in words, words
    finally:
        host.machine.run("umount", "/var/lib/deploybot")


def test_a_full_state_folder_is_said_to_be_full(host):
    host.machine.sh("mount -t tmpfs -o size=64k,mode=1770,gid=$(id -g deploybot) full /var/lib/deploybot; "
                    "head -c 1m /dev/zero >/var/lib/deploybot/much || true")
    try:
        words, _ = refuse(host)
        assert "/var/lib/deploybot" in words and re.search("full|No space|space", words), words
    finally:
        host.machine.run("umount", "/var/lib/deploybot")


def test_a_runner_without_its_folders_says_how_to_make_them(host):
    host.machine.sh("rmdir /var/lib/deploybot/runs && mkdir /var/lib/deploybot/runs")
    try:
        words, _ = refuse(host, RUNNER)
        assert "/var/lib/deploybot/runs" in words and "install -d" in words, words
    finally:
        host.machine.run("systemd-tmpfiles", "--create", "deploybot.conf")


# ---- it runs ---------------------------------------------------------------------------------------

def test_configured_it_runs_and_a_deployment_goes_live(host):
    host.start()
    assert host.machine.show(SERVER, "SubState") == "running"
    host.make_builds_wait()
    host.deploy()
    assert host.app()[0] == 200
    for unit, user in ((SERVER, "deploybot"), (RUNNER, "deploybot-runner")):
        assert host.machine.run("stat", "-c", "%U", f"/proc/{host.machine.main_pid(unit)}").stdout.strip() == user


@pytest.mark.parametrize("script", [
    "echo x >/var/lib/deploybot/runs/x", "echo x >/etc/deploybot/deploybot.conf", "echo x >/usr/x", "echo x >/etc/x",
    "cat /etc/deploybot/secrets/runner/deploy_key", "ls /var/lib/deploybot/git", "ls /var/lib/deploybot-runner",
    "rm -r /var/lib/deploybot/git", "mv /var/lib/deploybot/git /var/lib/deploybot/x", "ls ~ada", "echo x >/run/x",
    "echo x >/run/deploybot-runner/x", "echo x >/sys/kernel/mm/ksm/run", "cat /proc/1/environ", "chown 0 /tmp",
    "unshare --user true"])
def test_the_server_cannot(host, script):
    host.put_secret("runner/deploy_key", "the runner's alone")
    host.machine.sh("id ada >/dev/null 2>&1 || useradd --create-home ada")
    well, said = host.look(SERVER, script)
    assert not well, said


def test_the_server_can_do_what_it_has_to(host):
    well, said = host.look(SERVER, "set -e; cd /etc/deploybot; cat deploybot.conf secrets/server/* >/dev/null\n"
                           "touch /var/lib/deploybot/x /var/lib/deploybot/environments/x /var/log/deploybot/x /tmp/x; "
                           "rm /var/lib/deploybot/x /var/lib/deploybot/environments/x /var/log/deploybot/x; "
                           "cat /var/lib/deploybot/runs/*/log >/dev/null")
    assert well, said


def test_the_server_executes_nothing(host):
    """Not even what is there: the mounts of its process say so."""
    pid = host.machine.main_pid(SERVER)
    done = host.machine.run("nsenter", "-t", str(pid), "-m", "/bin/ls", check=False)
    assert done.returncode == 126 and "ermission denied" in done.stdout, done.stdout
    status = host.machine.run("cat", f"/proc/{pid}/status").stdout
    filters = int(re.search(r"^Seccomp_filters:\s(\d+)$", status, re.MULTILINE).group(1))
    assert re.search(r"^Seccomp:\s2$", status, re.MULTILINE) and filters > 1, "the unit's, and its own"
    said = host.machine.sh("deploybot --env-file /etc/deploybot/deploybot.conf doctor 2>&1 | grep -i sandbox")
    assert "sandbox: seccomp: on; Landlock ABI " in said and "writes below " in said, said


@pytest.mark.parametrize("script", [
    "cat /etc/deploybot/secrets/server/telegram_bot_token", "cat /var/lib/deploybot/deploybot.db",
    "echo x >/var/lib/deploybot/x", "echo x >/var/lib/deploybot/environments/x", "ls /var/log/deploybot",
    "echo x >/etc/deploybot/deploybot.conf", "echo x >/usr/x", "ls ~ada", "setpriv --reuid 0 true",
    "mount -t tmpfs x /mnt", "echo x >/run/x", "mknod /tmp/y c 1 3", "unshare --user true"])
def test_the_runner_cannot(host, script):
    well, said = host.look(RUNNER, script)
    assert not well, said


def test_the_runner_can_do_what_it_has_to(host):
    well, said = host.look(RUNNER, "set -e; cd /etc/deploybot; cat deploybot.conf secrets/runner/* >/dev/null\n"
                           "cat /var/lib/deploybot/environments/*.json >/dev/null; cd /var/lib/deploybot\n"
                           "touch runs/x git/x apps/x approved/x ~/x /tmp/x /var/tmp/x /dev/shm/x\n"
                           "rm runs/x git/x apps/x approved/x ~/x /tmp/x /dev/shm/x; git --version; ssh -V; id")
    assert well, said


def test_the_runner_has_a_tmp_of_its_own_that_outlives_it(host):
    assert host.look(RUNNER, "echo kept >/tmp/x")[0]
    assert not host.machine.root.exists("/tmp/x")
    host.machine.run("systemctl", "restart", RUNNER)
    assert host.look(RUNNER, "cat /tmp/x") == (True, "kept\n")


def test_its_own_commands_work_as_its_user(host):
    """As the package says after its installation, and as the manual does."""
    for words in (("check-config",), ("audit", "verify"), ("healthcheck",)):
        host.machine.run("runuser", "-u", "deploybot", "--", "deploybot", *words)
    said = host.machine.run("runuser", "-u", "deploybot", "--", "deploybot", "doctor", check=False).stdout
    assert " 0 errors" in said, said


@pytest.fixture
def drop_in(host):
    """drop_in(unit, text): until the test is over."""
    made = []

    def make(unit, text):
        folder = f"/etc/systemd/system/{unit}.d"
        made.append(folder)
        host.machine.run("mkdir", "-p", folder)
        host.machine.run("bash", "-c", f"cat >{folder}/test.conf", stdin=text)
        host.machine.run("systemctl", "daemon-reload")

    yield make
    for folder in made:
        host.machine.run("rm", "-r", folder)
    host.machine.sh("systemctl daemon-reload; systemctl stop deploybot.service; systemctl restart deploybot.socket; "
                    "systemctl start deploybot.service")
    host.wait_ready()


def test_a_secret_may_come_as_a_credential(host, drop_in):
    """As the unit's comment says."""
    conf, secret = "/etc/deploybot/deploybot.conf", "/etc/deploybot/secrets/server/telegram_bot_token"
    host.machine.sh(f"install -m 0600 {secret} /etc/credential && mv {secret} {secret}.away")
    drop_in(SERVER, "[Service]\nLoadCredential=telegram_bot_token:/etc/credential\n")
    host.machine.sh(f"sed -i 's|{secret}$|/run/credentials/{SERVER}/telegram_bot_token|' {conf}")
    try:
        host.machine.run("systemctl", "restart", SERVER)
        host.wait_ready()
        assert host.deploy()
    finally:
        host.machine.sh(f"mv {secret}.away {secret}; "
                        f"sed -i 's|/run/credentials/{SERVER}/telegram_bot_token$|{secret}|' {conf}")


def test_the_door_may_be_a_unix_socket(host, drop_in):
    """As the socket unit's comment says; nginx would be the user."""
    drop_in("deploybot.socket",
            "[Socket]\nListenStream=\nListenStream=/run/deploybot/http.sock\nSocketUser=www-data\n")
    host.machine.sh("systemctl stop deploybot.service; systemctl restart deploybot.socket; "
                    "systemctl start deploybot.service")
    ask = ("curl", "-s", "--unix-socket", "/run/deploybot/http.sock", "http://bot/readyz")
    assert host.machine.run("runuser", "-u", "www-data", "--", *ask, check=False).returncode == 0
    assert host.machine.run("runuser", "-u", "ada", "--", *ask, check=False).returncode != 0


# ---- users of the machine ----------------------------------------------------------------------------

@pytest.fixture
def ada(host):
    """A user of the machine, whom the settings name; bob is one whom they do not."""
    host.machine.sh("for user in ada bob; do id $user >/dev/null 2>&1 || useradd --create-home $user; done; "
                    f"sed -i 's|^#LOCAL_ADA_IS=.*|LOCAL_ADA_IS={ADA}|' /etc/deploybot/deploybot.conf; "
                    "systemctl reload deploybot")
    wait_until(lambda: host.machine.as_user("ada", "deploybot status", check=False).returncode == 0, PATIENCE_S,
               "the settings")
    return lambda command, user="ada": host.machine.as_user(user, f"deploybot {command}", check=False)


def test_users_of_the_machine_are_known_by_the_sockets_unit(host, ada):
    sample_app.change(host.work, "develop", "good")
    done = ada("deploy staging --wait")
    assert done.returncode == 0 and "Live: staging" in done.stdout, done.stdout
    assert '"principal":"local:ada"' in host.machine.sh("cat /var/log/deploybot/audit.log")
    assert "your user is not known here: see LOCAL_<USER>_IS" in ada("status", "bob").stdout
    assert "scripts run as them" in ada("status", "deploybot-runner").stdout
    assert host.machine.run("deploybot", "status", "--as", "admin").returncode == 0
    assert "--as" in host.machine.run("deploybot", "status", check=False).stdout


def test_whoever_finds_the_server_stopped_starts_it(host, ada):
    host.machine.run("systemctl", "stop", SERVER)
    assert ada("status").returncode == 0
    host.wait_ready()


def test_private_users_are_why_nobody_is_known(host, ada, drop_in):
    drop_in(SERVER, "[Service]\nPrivateUsers=yes\n")
    host.machine.run("systemctl", "restart", SERVER)
    host.wait_ready()
    assert "of another user namespace" in ada("status").stdout


# ---- restarts --------------------------------------------------------------------------------------

class Stream:
    """Pushes, one connection each, from a few senders, until it is stopped."""

    def __init__(self, host, senders=4):
        self.host, self.stopped = host, threading.Event()
        self.threads = [threading.Thread(target=self.send, args=(n,)) for n in range(senders)]

    def send(self, sender):
        number = 0
        while not self.stopped.is_set():
            number += 1
            self.host.github.push(f"topic-{sender}", f"{sender:08x}{number:032x}")

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def count(self):
        return len(self.host.github.deliveries)


def test_nobody_is_refused_and_nothing_is_lost_while_it_is_restarted(host):
    host.github.deliveries.clear()
    with Stream(host) as stream:
        for _ in range(5):
            before, pid = stream.count(), host.machine.main_pid(SERVER)
            wait_until(lambda: stream.count() > before + 20, PATIENCE_S, "the stream")     # pylint: disable=W0640
            host.machine.run("systemctl", "restart", SERVER)
            assert host.machine.main_pid(SERVER) != pid
    wrong = [(entry["status"], entry["error"]) for entry in host.github.deliveries
             if entry["error"] or entry["status"] != 200]
    assert not wrong, f"{len(wrong)} of {stream.count()}: {wrong[:5]}"
    stored = [row[0] for row in host.database("SELECT id FROM inbox WHERE source LIKE '%git%'")]
    for entry in host.github.deliveries:
        assert stored.count(entry["guid"]) == 1, f"{entry['guid']} is stored {stored.count(entry['guid'])} times"
    assert len(host.github.deliveries) > 100


def restart(*units):
    return lambda host: host.machine.run("systemctl", "restart", *units)


def kill(unit):
    def kill_it(host):
        host.machine.run("systemctl", "kill", "-s", "KILL", "--kill-whom=main", unit)
    return kill_it


@pytest.mark.parametrize("what", [restart(SERVER), restart(RUNNER), restart(SERVER, RUNNER), kill(SERVER),
                                  kill(RUNNER)],
                         ids=["restart server", "restart runner", "restart both", "kill server", "kill runner"])
def test_a_deployment_goes_on_and_ends_live(host, what):
    with host.held_deployment() as mark:
        building = host.builds()
        pids = {unit: host.machine.main_pid(unit) for unit in (SERVER, RUNNER)}
        what(host)
        wait_until(lambda: all(host.machine.main_pid(unit) for unit in pids), PATIENCE_S, "both again")
        assert {unit: host.machine.main_pid(unit) for unit in pids} != pids
        host.wait_ready()
        assert host.builds() == building, "another build, or none"
    host.wait_live(mark)
    assert host.app()[0] == 200


def test_a_server_that_hangs_is_started_again(host):
    pid = host.machine.main_pid(SERVER)
    os.kill(host.machine.outside_pid(pid), signal.SIGSTOP)
    wait_until(lambda: host.machine.main_pid(SERVER) not in (0, pid), PATIENCE_S, "the watchdog")
    host.wait_ready()
    assert "watchdog" in host.machine.journal(SERVER).lower()


def test_a_reload_reads_settings_and_the_process_stays(host):
    pid = host.machine.main_pid(SERVER)
    host.machine.run("systemctl", "reload", SERVER)
    assert host.machine.main_pid(SERVER) == pid


# ---- the package's life ----------------------------------------------------------------------------

def test_an_upgrade_in_the_middle_of_a_deployment_is_not_noticed(host):
    newer = host.machine.give(kept_deb(NEWER), "newer.deb")
    with host.held_deployment() as mark:
        building = host.builds()
        pids = {unit: host.machine.main_pid(unit) for unit in (SERVER, RUNNER)}
        host.github.deliveries.clear()
        host.machine.run("systemctl", "enable", "--now", *TIMERS)
        with Stream(host, 2) as stream:
            wait_until(lambda: stream.count() > 20, PATIENCE_S, "the stream")
            host.machine.run("dpkg", "-i", newer, timeout=300)
        wrong = [(entry["status"], entry["error"], entry["answer"]) for entry in host.github.deliveries
                 if entry["status"] != 200]
        assert not wrong, f"{len(wrong)} of {len(host.github.deliveries)}: {wrong[:5]}"
        assert host.machine.active(*TIMERS) == ["active"] * len(TIMERS)
        for unit, pid in pids.items():
            assert host.machine.main_pid(unit) not in (0, pid), f"{unit} was not restarted"
        host.wait_ready()
        assert f'version="{NEWER}"' in get(BASE + "/metrics")[1]
        assert host.builds() == building
    host.wait_live(mark)


def test_stopped_with_its_socket_nothing_starts_it_again_and_started_so_all_is_there(host):
    """Regression: deploybot-local.socket stayed, and the next `deploybot status` started the server again."""
    host.machine.run("systemctl", "stop", SERVER, "deploybot.socket")
    assert host.machine.run("deploybot", "status", check=False).returncode != 0
    sockets = ("deploybot.socket", "deploybot-local.socket")
    assert host.machine.active(SERVER, *sockets) == ["inactive"] * 3
    host.machine.run("systemctl", "start", "deploybot.socket", SERVER)
    host.wait_ready()
    assert host.machine.active(SERVER, *sockets) == ["active"] * 3


def test_removed_all_is_stopped_and_the_application_goes_on(host):
    host.machine.run("dpkg", "-r", "deploybot", timeout=300)
    assert "active" not in host.machine.active(*UNITS, *TIMERS)
    assert get(BASE + "/healthz")[0] == 0
    assert host.app()[0] == 200, f"its release in {SHOP} is not ours to end"


def test_installed_again_what_is_enabled_runs_again(host):
    """Regression: the sockets and the timers stayed stopped until the next boot: no backup, in silence."""
    host.machine.run("dpkg", "-i", host.machine.give(kept_deb(NEWER), "again.deb"), timeout=300)
    host.wait_ready()
    assert host.machine.active(*UNITS, *TIMERS) == ["active"] * len(UNITS + TIMERS)


def test_installed_from_source_it_does_the_same(tmp_path):
    """Below /usr/local, by `make install`; then taken away again."""
    with Host(tmp_path) as host:
        host.configure()
        host.start()
        assert "/usr/local/lib/deploybot/deploybot " in host.machine.show(SERVER, "ExecStart")
        host.deploy()
        assert host.app()[0] == 200
        assert host.machine.run("/usr/local/bin/deploybot", "healthcheck", check=False).returncode == 0
