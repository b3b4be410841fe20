"""Goal: the package is what Debian expects, two builds of it are the same bytes, and in a clean Debian without a
running systemd it is installed, upgraded, removed and purged; what people made their own survives."""
# SPDX-License-Identifier: ISC
import re

import pytest

from infra_aid import Root, build_deb, kept_deb, root_tar, run

NEWER = "99.0"
FOLDERS = {
    "/etc/deploybot": "755 root root",
    "/etc/deploybot/deploybot.conf": "640 root deploybot",
    "/etc/deploybot/secrets/server": "700 deploybot deploybot",
    "/etc/deploybot/secrets/runner": "700 deploybot-runner deploybot-runner",
    "/var/lib/deploybot": "1770 root deploybot",
    "/var/lib/deploybot/environments": "2750 deploybot deploybot",
    "/var/lib/deploybot/runs": "2750 deploybot-runner deploybot",
    "/var/lib/deploybot/git": "700 deploybot-runner deploybot-runner",
    "/var/lib/deploybot/apps": "700 deploybot-runner deploybot-runner",
    "/var/lib/deploybot/approved": "700 deploybot-runner deploybot-runner",
    "/var/lib/deploybot-runner": "700 deploybot-runner deploybot-runner",
    "/var/log/deploybot": "2750 deploybot adm",
    "/var/backups/deploybot": "700 deploybot deploybot",
}


@pytest.fixture(scope="module")
def deb():
    return kept_deb()


@pytest.fixture(scope="module")
def newer():
    return kept_deb(NEWER)


@pytest.fixture(scope="module")
def root(tmp_path_factory, deb):
    """The package is in it; the tests follow its life, in this order."""
    made = Root(tmp_path_factory.mktemp("deb") / "root", root_tar("clean"))
    made.said = made.install(deb)
    yield made
    made.remove()


def test_lintian_finds_nothing(deb):
    done = run(["lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                *deb.parent.glob("*.changes")], check=False)
    assert done.returncode == 0, done.stdout


def test_two_builds_are_the_same_bytes(deb, tmp_path):
    """Another folder, another time, another umask, language and time zone."""
    other = build_deb(tmp_path / "a longer and quite another folder".replace(" ", "-"), umask=0o077, LC_ALL="C.UTF-8",
                      LANG="de_DE.UTF-8", TZ="Pacific/Kiritimati")
    assert other.read_bytes() == deb.read_bytes(), run(["bash", "-c", 'diff <(dpkg-deb -c "$0") <(dpkg-deb -c "$1")',
                                                        deb, other], check=False).stdout


def test_an_installation_has_users_folders_and_says_what_to_do(root):
    for name, wanted in FOLDERS.items():
        assert root.stat(name) == wanted, name
    assert root.run("id", "-Gn", "deploybot-runner").stdout.split() == ["deploybot-runner", "deploybot"]
    assert root.run("id", "-Gn", "deploybot").stdout.split() == ["deploybot", "deploybot-link"]
    assert set(root.run("id", "-Gn", "deploybot-link").stdout.split()) == {"deploybot-link", "deploybot-agent"}
    assert "systemctl enable --now deploybot.socket deploybot-local.socket deploybot-runner deploybot" in root.said
    assert "/etc/deploybot/secrets/server/telegram_bot_token" in root.said


def test_its_docs_are_read_without_unpacking_them(deb):
    """Regression: messages name OPERATIONS.md, and what was there was OPERATIONS.md.gz."""
    names = run(["dpkg-deb", "-c", deb]).stdout
    assert "/usr/share/doc/deploybot/OPERATIONS.md\n" in names and ".md.gz" not in names


def test_no_engine_and_no_web_server_come_with_it(deb):
    """apt takes Recommends too: a dockerd that is root, and an nginx on every address's port 80."""
    assert run(["dpkg-deb", "-f", deb, "Recommends"]).stdout.strip() == ""
    assert not {"docker.io", "nginx"} & set(re.findall(r"[a-z0-9.+-]+", run(["dpkg-deb", "-f", deb, "Depends"]).stdout))


def test_the_programs_find_their_libraries_and_their_scripts(root, deb):
    version = run(["dpkg-deb", "-f", deb, "Version"]).stdout.strip()
    version = re.sub(r"\+(\d+)\.", r"-\1-", version)
    assert root.run("deploybot", "version").stdout == f"deploybot {version}\n"
    assert root.run("/usr/lib/deploybot/deploy/deploy.sh", "staging", "x", check=False).returncode == 64


def test_the_nightly_backup_and_check_are_there_and_off(root):
    for unit in ("deploybot-backup.service", "deploybot-backup.timer", "deploybot-check.service",
                 "deploybot-check.timer", "deploybot-timestamp.service", "deploybot-timestamp.timer"):
        assert root.exists(f"/lib/systemd/system/{unit}"), unit


def test_nothing_is_enabled_before_it_is_configured(root):
    found = root.run("find", "/etc/systemd/system", "-name", "*deploybot*").stdout
    assert found == "", found


def test_settings_without_a_token_say_where_it_goes(root):
    done = root.run("runuser", "-u", "deploybot", "--", "deploybot", "--env-file", "/etc/deploybot/deploybot.conf",
                    "check-config", check=False)
    assert done.returncode == 78
    assert "/etc/deploybot/secrets/server/telegram_bot_token" in done.stdout


def fill(root):
    """What an administrator and a running deploybot leave."""
    root.run("bash", "-ec", """
        sed -i 's/^ADMIN_TELEGRAM_IDS=$/ADMIN_TELEGRAM_IDS=424242001/' /etc/deploybot/deploybot.conf
        printf 7000000001:AAF-demo_token_of_the_stand-in_0123456789 >/etc/deploybot/secrets/server/telegram_bot_token
        chown deploybot: /etc/deploybot/secrets/server/telegram_bot_token
        chmod 0600 /etc/deploybot/secrets/server/telegram_bot_token
        cd /var/lib/deploybot
        touch deploybot.db deploybot.db-wal reserve under-way environments/staging.json /var/log/deploybot/audit.log
        mkdir -p runs/7 git/x.git apps/staging/releases apps/production /etc/deploybot/apps
        echo GITHUB_WEBHOOK_SECRET=abc >/etc/deploybot/apps/web.env
        ln -s releases/1 apps/staging/current
        touch apps/production/lock""")


def test_an_upgrade_keeps_settings_secrets_and_state(root, newer):
    fill(root)
    said = root.install(newer)
    assert root.run("deploybot", "version").stdout == f"deploybot {NEWER}\n"
    assert "ADMIN_TELEGRAM_IDS=424242001" in root.run("cat", "/etc/deploybot/deploybot.conf").stdout
    assert root.stat("/etc/deploybot/deploybot.conf") == FOLDERS["/etc/deploybot/deploybot.conf"]
    assert root.exists("/etc/deploybot/secrets/server/telegram_bot_token")
    assert root.exists("/var/lib/deploybot/runs/7")
    assert "waits for its settings" not in said


def test_no_upgrade_asks_about_the_settings(root):
    """Everybody changes them: as a conffile each new setting would be a question, and an upgrade that waits for it."""
    assert "deploybot.conf" not in root.run("dpkg-query", "-W", "-f", "${Conffiles}", "deploybot").stdout
    fresh = root.path / "usr/share/deploybot/deploybot.conf"
    fresh.write_text(fresh.read_text("utf-8") + "# A setting that is new.\n", "utf-8")
    root.run("/var/lib/dpkg/info/deploybot.postinst", "configure", "0.0")
    assert "ADMIN_TELEGRAM_IDS=424242001" in root.run("cat", "/etc/deploybot/deploybot.conf").stdout


def test_a_downgrade_is_an_upgrade_back(root, deb):
    root.install(deb)
    assert NEWER not in root.run("deploybot", "version").stdout


def test_its_log_rotation_leaves_the_audit_log_alone(root):
    """Files that StandardOutput=append: makes are root's; they are rotated, and lie where only root makes files."""
    root.run("bash", "-ec", "cd /var/log; for i in {1..100}; do echo $i; done | tee deploybot.log deploybot-runner.log "
             ">deploybot/audit.log; chown deploybot:adm deploybot/*.log")
    if root.run("which", "logrotate", check=False).returncode != 0:
        root.run("apt-get", "install", "-y", "--no-install-recommends", "logrotate")
    root.run("logrotate", "--force", "/etc/logrotate.d/deploybot")
    assert root.exists("/var/log/deploybot.log.1") and root.exists("/var/log/deploybot-runner.log.1")
    assert root.stat("/var/log") == "755 root root"
    assert not root.exists("/var/log/deploybot/audit.log.1")
    assert len((root.path / "var/log/deploybot/audit.log").read_text("ascii").splitlines()) == 100


def test_removed_it_leaves_settings_secrets_and_state(root):
    root.run("apt-get", "remove", "-y", "deploybot")
    assert not root.exists("/usr/lib/deploybot") and not root.exists("/usr/bin/deploybot")
    for name in ("/etc/deploybot/deploybot.conf", "/etc/deploybot/secrets/server/telegram_bot_token",
                 "/var/lib/deploybot/deploybot.db", "/var/lib/deploybot/runs/7", "/var/log/deploybot/audit.log"):
        assert root.exists(name), name


def test_installed_again_it_is_what_it_was(root, deb):
    root.install(deb)
    assert "ADMIN_TELEGRAM_IDS=424242001" in root.run("cat", "/etc/deploybot/deploybot.conf").stdout
    for name, wanted in FOLDERS.items():
        assert root.stat(name) == wanted, name


def test_purged_it_leaves_the_audit_trail_and_what_may_run_and_says_so(root):
    said = root.run("apt-get", "purge", "-y", "deploybot").stdout
    left = root.run("find", "/var/lib/deploybot", "/var/log/deploybot", "-mindepth", "1", "-printf",
                    "%P\n").stdout.split()
    assert sorted(left) == sorted(["deploybot.db", "deploybot.db-wal", "apps", "apps/staging", "apps/staging/current",
                                   "apps/staging/releases", "audit.log"]), left
    assert not list((root.path / "var/log").glob("deploybot*.log*"))
    assert root.run("find", "/etc/deploybot", "-type", "f").stdout == "/etc/deploybot/apps/web.env\n"
    assert "left: /etc/deploybot: apps: settings of applications may hold secrets" in said, said
    for name in ("/var/lib/deploybot-runner", "/usr/lib/deploybot", "/etc/logrotate.d/deploybot",
                 "/var/backups/deploybot", "/usr/share/doc/deploybot"):
        assert not root.exists(name), name
    assert re.search("left: /var/lib/deploybot: the audit trail, backups, and releases", said), said
    assert "left: /var/log/deploybot" in said and "left: the users" in said
    packages = root.run("dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n").stdout
    assert "deploybot" not in packages
