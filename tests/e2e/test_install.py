"""Goal: `make install` puts a whole and working tree below DESTDIR, and `make uninstall` takes it away; the units are
what they say they are; the manuals name every setting, command and option there is."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import stat
import subprocess

import pytest

from namespace_aid import MOUNTS, need
from stage import ROOT

BUILD = os.environ.get("DEPLOYBOT_BUILD") or str(ROOT / "build")
UNITS = ("deploybot.service", "deploybot-runner.service", "deploybot.socket", "deploybot-local.socket",
         "deploybot-secrets.service", "deploybot-secrets.timer", "deploybot-backup.service", "deploybot-backup.timer",
         "deploybot-check.service", "deploybot-check.timer", "deploybot-timestamp.service", "deploybot-timestamp.timer",
         "deploybot-agent.service", "deploybot-remote-runner.service", "deploybot-link.service",
         "deploybot-link-agent.service", "deploybot-link-runner.service")
REMOTE = "deploybot-remote-runner.service"
LINKS = UNITS[-4:]
SERVER_EXPOSURE_MAX = 2.0
THERE = (
    "usr/bin/deploybot", "usr/sbin/deploybot-setup",
    "usr/lib/deploybot/deploybot", "usr/lib/deploybot/deploybot-runner", "usr/lib/deploybot/deploybot-remote-runner",
    "usr/lib/deploybot/deploy/deploy.sh", "usr/lib/deploybot/deploy/transports/ssh.sh",
    "usr/lib/systemd/system/deploybot.service", "usr/lib/systemd/system/deploybot.socket",
    "usr/lib/systemd/system/deploybot-runner.service", "usr/lib/systemd/system/deploybot-local.socket",
    "usr/lib/systemd/system/deploybot-secrets.service", "usr/lib/systemd/system/deploybot-secrets.timer",
    "usr/lib/systemd/system/deploybot-timestamp.timer", "usr/lib/deploybot/deploy/timestamp.sh",
    "usr/lib/sysusers.d/deploybot.conf", "usr/lib/sysusers.d/deploybot-agent.conf",
    "usr/lib/deploybot/deploybot-agent", "usr/lib/systemd/system/deploybot-agent.service",
    "usr/lib/deploybot/deploybot-link", "usr/lib/systemd/system/deploybot-link.service",
    "usr/lib/systemd/system/deploybot-link-agent.service", "usr/share/man/man8/deploybot-link.8",
    "usr/lib/systemd/system/deploybot-remote-runner.service", "usr/lib/systemd/system/deploybot-link-runner.service",
    "usr/share/polkit-1/rules.d/50-deploybot-agent.rules", "usr/share/man/man8/deploybot-agent.8",
    "usr/share/doc/deploybot/examples/agent/agent.conf",
    "usr/share/doc/deploybot/examples/agent/units/deploybot-do-restart-web.service",
    "usr/share/doc/deploybot/examples/agent/units/deploybot-do-release@.service",
    "usr/lib/deploybot/deploy/release-on-host.sh", "usr/lib/deploybot/deploy/transports/agent.sh",
    "usr/lib/tmpfiles.d/deploybot.conf", "usr/share/man/man8/deploybot.8", "usr/share/man/man8/deploybot-runner.8",
    "usr/share/man/man8/deploybot-setup.8", "usr/share/bash-completion/completions/deploybot-setup",
    "usr/share/zsh/vendor-completions/_deploybot-setup", "usr/share/fish/vendor_completions.d/deploybot-setup.fish",
    "usr/share/man/man5/deploybot.conf.5", "usr/share/doc/deploybot/README.md",
    "usr/share/doc/deploybot/examples/deploybot.conf", "usr/share/doc/deploybot/examples/nginx/nginx.conf",
    "usr/share/doc/deploybot/examples/github/ci-cd.yml", "usr/share/doc/deploybot/examples/github/secrets.baseline",
    "usr/share/doc/deploybot/walks/runs.md", "usr/share/doc/deploybot/examples/kubernetes/role.yaml",
    "usr/share/doc/deploybot/examples/own/verify-image",
    "usr/share/doc/deploybot/examples/github/gate/action.yml", "usr/share/doc/deploybot/examples/github/gate/main.js",
    "usr/share/doc/deploybot/examples/github/secret/action.yml",
    "usr/share/doc/deploybot/examples/github/secret/post.js", "usr/share/doc/deploybot/examples/gitlab/secret.yml",
    "usr/share/doc/deploybot/examples/github/ghcr.yml", "usr/share/doc/deploybot/examples/monitoring/alertmanager.sh",
    "etc/deploybot/deploybot.conf", "etc/logrotate.d/deploybot",
)


def make(*words):
    """What a make above us was given is none of this one's; the programs are those that are tested."""
    done = subprocess.run(["make", "--no-print-directory", f"BUILD={BUILD}", "INSTALL_NEEDS=", *words], cwd=ROOT,
                          env={"PATH": os.environ["PATH"]}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("install") / "root"
    make("install", f"DESTDIR={folder}", "PREFIX=/usr")
    return folder


def run(*words):
    return subprocess.run([str(word) for word in words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=120, check=False)


def needs(program):
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir())


# ---- the tree --------------------------------------------------------------------------------------

def test_all_is_there_and_nobody_else_may_write_it(tree):
    for name in THERE:
        assert (tree / name).exists(), name
    for path in tree.rglob("*"):
        assert path.is_symlink() or not path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH), path


def test_the_programs_start_and_the_runner_finds_its_scripts(tree):
    assert run(tree / "usr/bin/deploybot", "version").stdout.startswith("deploybot ")
    for name in ("deploy.sh", "rollback.sh", "commits.sh", "target.sh"):
        path = tree / "usr/lib/deploybot/deploy" / name
        assert os.access(path, os.X_OK), path
    ours = {str(path.relative_to(ROOT / "deploy")) for part in ("setup", "transports") for path in
            (ROOT / "deploy" / part).rglob("*.sh")}
    ours |= {path.name for path in (ROOT / "deploy").glob("*.sh")}
    ours |= {f"ansible/{path.name}" for path in (ROOT / "deploy" / "ansible").glob("*.py")}
    assert set(files(tree / "usr/lib/deploybot/deploy")) == ours


def test_the_set_up_starts_from_where_it_is_installed_and_its_manual_names_its_words(tree, tmp_path):
    said = run(tree / "usr/sbin/deploybot-setup", "--help").stdout
    words = set(re.findall(r"--([a-z-]+)|\b([a-z]+)\b(?= NAME| \[APP/\]ENV| \||\])", said))
    text = page(tree, "man8/deploybot-setup.8").replace("\\", "")
    assert len(words) == 10, said
    for option, command in words:
        assert re.search(rf"^\.It (Fl -{option}|Cm {command})\b", text, re.M), (option, command)
    found = run(tree / "usr/sbin/deploybot-setup", "--folder", tmp_path, "check")     # the programs too
    assert found.returncode == 78 and f"there is no {tmp_path}/deploybot.conf" in found.stdout, found.stdout


def test_settings_that_were_changed_are_kept(tree):
    conf = tree / "etc/deploybot/deploybot.conf"
    before = conf.read_text("utf-8")
    conf.write_text("ADMIN_TELEGRAM_IDS=1\n", "utf-8")
    assert "kept: " in make("install", f"DESTDIR={tree}", "PREFIX=/usr")
    assert conf.read_text("utf-8") == "ADMIN_TELEGRAM_IDS=1\n"
    conf.write_text(before, "utf-8")


def test_another_prefix_is_everywhere(tmp_path):
    make("install", f"DESTDIR={tmp_path}", "PREFIX=/opt/bot")
    for unit in UNITS[:2]:
        text = (tmp_path / "opt/bot/lib/systemd/system" / unit).read_text("utf-8")
        assert "ExecStart=/opt/bot/lib/deploybot/deploybot" in text and "/usr/lib/deploybot" not in text
    assert not (tmp_path / "usr").exists()


@pytest.mark.long
def test_uninstall_and_upgrade_leave_what_is_the_administrators(tmp_path):
    """Regression: an upgrade from source deleted hooks and transports, and releases went on without them."""
    make("install", f"DESTDIR={tmp_path}")
    folder = tmp_path / "usr/local/lib/deploybot"
    own = [folder / "deploy" / name for name in ("hooks.d/pre-start/secrets", "transports/mine.sh")]
    for path in own:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine\n", "utf-8")
    former = folder / "deploy/setup/of-the-version-before.sh"
    former.write_text("", "utf-8")
    with open(folder / "scripts", "a", encoding="utf-8") as file:
        file.write("setup/of-the-version-before.sh\n")
    make("install", f"DESTDIR={tmp_path}")
    assert not former.exists() and [path.read_text("utf-8") for path in own] == ["mine\n"] * 2
    said = make("uninstall", f"DESTDIR={tmp_path}")
    left = [str(path.relative_to(tmp_path)) for path in own]
    assert files(tmp_path) == sorted(["etc/deploybot/deploybot.conf", *left])
    assert "left: /etc/deploybot" in said and f"left, as they are yours:\n{folder}/deploy/" in said


def test_an_upgrade_behind_which_the_server_does_not_run_says_so(tmp_path):
    """Regression: apt said "Could not execute systemctl" and that all is well."""
    need(*MOUNTS)
    systemctl = tmp_path / "systemctl"
    systemctl.write_text('#!/bin/sh\n[ "$*" = "--quiet is-failed deploybot.service deploybot-runner.service" ] && '
                         '[ -e "${0%/*}/failed" ]\n')
    systemctl.chmod(0o755)

    def configure(before):
        script = f"{before} && PATH={tmp_path}:$PATH && exec sh {ROOT}/deploy/debian/postinst configure 1.0"
        return run(*MOUNTS, "sh", "-c", f"mount -t tmpfs none /run && {script}")
    runs = configure("mkdir -p /run/systemd/system")
    (tmp_path / "failed").touch()
    fails, has_no_systemd = configure("mkdir -p /run/systemd/system"), configure("true")
    assert [done.returncode for done in (runs, fails, has_no_systemd)] == [0, 0, 0], fails
    assert runs.stdout == has_no_systemd.stdout == "" and "DOES NOT RUN" in fails.stdout, fails
    assert "sudo -u deploybot deploybot check-config" in fails.stdout, fails


# ---- settings --------------------------------------------------------------------------------------

def settings_of_tables():
    """Their names, read in another way than settings.awk does; ENV stands for an environment."""
    text = "".join((ROOT / name).read_text("utf-8") for name in ("runner/settings.def", "server/types/settings.def"))
    names = set(re.findall(r"^(?:SETTING|SHIPPING)\((\w+)", text, re.M))
    return names | {name.replace("<", "").replace(">", "") for name in
                    re.findall(r'^FAMILY_SETTING\(\w+, \w+, "([\w<>]+)"', text, re.M)}


# What stands in .env.example as one of each family.
MEMBERS = (("^ENV_", "STAGING_"), ("_ENV$", "_STAGING"), ("^ROLE_NAME_", "ROLE_CONTRACTOR_"),
           ("^LOCAL_USER_", "LOCAL_ADA_"), ("^CLIENT_ID_", "CLIENT_ACME_"), ("^JOB_NAME$", "JOB_MIGRATE"),
           ("^HOOK_NAME_", "HOOK_BUILD_DONE_"), ("^WORKFLOW_NAME_", "WORKFLOW_DEPLOY_"),
           ("^PIPELINE_NAME$", "PIPELINE_RELEASE"), ("^SECRET_NAME_", "SECRET_DB_MIGRATE_"),
           ("^REGISTRY_NAME_", "REGISTRY_BASE_"), ("^NOTIFY_NAME_", "NOTIFY_STATUS_PAGE_"),
           ("^PERSON_ID_", "PERSON_111_"),
           ("^PLAYBOOK_NAME$", "PLAYBOOK_RESTART"))


def test_the_settings_file_has_every_setting_and_no_secret(tree):
    text = (tree / "etc/deploybot/deploybot.conf").read_text("utf-8")
    names = set(re.findall(r"^#?([A-Z0-9_]+)=", text, re.M))
    for name in settings_of_tables():
        for member, example in MEMBERS:
            name = re.sub(member, example, name)
        assert name in names or f"{name}_FILE" in names, name
    assert "may name a file" not in text
    secrets = re.findall(r'^(?:SETTING|SHIPPING)\((\w+), \w+, [^\n]*, SECRET,', "".join(
        (ROOT / name).read_text("utf-8") for name in ("runner/settings.def", "server/types/settings.def")), re.M)
    assert len(secrets) >= 5
    for name in secrets:
        assert re.search(rf"^#?{name}_FILE=/etc/deploybot/secrets/(server|runner)/\w+$", text, re.M), name
        assert not re.search(rf"^#?{name}=", text, re.M), name


def test_the_settings_file_needs_only_what_it_says_is_required(tree, tmp_path):
    token = tmp_path / "token"
    token.write_text("7000000001:AAF-demo_token_of_the_stand-in_0123456789", "ascii")
    token.chmod(0o600)
    text = (tree / "etc/deploybot/deploybot.conf").read_text("utf-8")
    conf = tmp_path / "deploybot.conf"
    conf.write_text(re.sub(r"(?m)^TELEGRAM_BOT_TOKEN_FILE=.*", f"TELEGRAM_BOT_TOKEN_FILE={token}", text), "utf-8")
    conf.chmod(0o600)
    check = ("usr/bin/deploybot", "--env-file", conf, "check-config")
    said = run(tree / check[0], *check[1:])
    assert said.returncode == 78 and "ADMIN_TELEGRAM_IDS" in said.stdout, said.stdout
    conf.write_text(conf.read_text("utf-8").replace("\nADMIN_TELEGRAM_IDS=\n", "\nADMIN_TELEGRAM_IDS=424242001\n")
                    .replace("\n#GITHUB_REPOSITORY=\n", "\nGITHUB_REPOSITORY=orchard/shop\n"), "utf-8")
    said = run(tree / check[0], *check[1:])
    assert said.returncode == 78 and "no release can reach staging" in said.stdout, said.stdout  # it would start
    for name, value in (("REGISTRY_URL", "registry.example.org"), ("STAGING_HOST", "h1"), ("PRODUCTION_HOST", "h2"),
                        ("API_SERVER_PORT", "1")):
        conf.write_text(re.sub(f"(?m)^#?{name}=.*", f"{name}={value}", conf.read_text("utf-8")), "utf-8")
    said = run(tree / check[0], *check[1:])
    assert said.returncode == 0, said.stdout


# ---- manuals ---------------------------------------------------------------------------------------

def page(tree, name):
    return (tree / "usr/share/man" / name).read_text("utf-8")


def test_the_manuals_are_well_formed(tree):
    needs("mandoc")
    for name in ("man8/deploybot.8", "man8/deploybot-runner.8", "man8/deploybot-setup.8", "man8/deploybot-link.8",
                 "man5/deploybot.conf.5"):
        done = run("mandoc", "-Tlint", "-W", "warning", tree / "usr/share/man" / name)
        assert done.returncode == 0 and not done.stdout, done.stdout


def test_deploybot_conf_5_names_every_setting_once(tree):
    items = re.findall(r"^\.It (?:Va|Ar) (.+)$", page(tree, "man5/deploybot.conf.5"), re.M)
    names = [item.replace(" Ns Va ", "").replace(" Ns Ar ", "") for item in items]
    assert sorted(names) == sorted(settings_of_tables())


def test_the_runners_manual_names_every_option(tree):
    text = page(tree, "man8/deploybot-runner.8").replace("\\", "")
    said = run(tree / "usr/lib/deploybot/deploybot-runner").stdout
    options = set(re.findall(r"--([a-z-]+)", said))
    assert {"listen", "state"} <= options
    for word in options:
        assert re.search(rf"^\.(It )?Fl -{word}\b", text, re.M), word


def test_a_setting_that_no_manual_could_describe_ends_the_build(tmp_path):
    """Of a type without words, or in the table and not in .env.example."""
    for kind in ("NEW_TYPE", "TEXT"):
        table = tmp_path / "more.def"
        table.write_text(f'SETTING(NEW_ONE, {kind}, NULL, OPEN, SERVER, "New.")\n', "utf-8")
        done = run("awk", "-f", ROOT / "deploy/man/settings.awk", ROOT / "lib/setting.def",
                   ROOT / "runner/settings.def", ROOT / "server/types/settings.def", table, ROOT / ".env.example")
        assert done.returncode == 1 and "NEW_ONE" in done.stdout, done.stdout[-500:]


# ---- units -----------------------------------------------------------------------------------------

def exposure(unit):
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
    return float(re.search(r"Overall exposure level for \S+: ([0-9.]+) ", said)[1])


def test_the_units_are_verified(tree, tmp_path):
    needs("systemd-analyze")
    for unit in UNITS:
        text = (tree / "usr/lib/systemd/system" / unit).read_text("utf-8")
        (tmp_path / unit).write_text(text.replace("/usr/lib/deploybot/", f"{tree}/usr/lib/deploybot/"), "utf-8")
    done = run("env", f"SYSTEMD_UNIT_PATH={tmp_path}:", "systemd-analyze", "verify", "--man=no",
               *(tmp_path / unit for unit in UNITS))
    about_ours = [line for line in done.stdout.splitlines() if "deploybot" in line]
    assert done.returncode == 0 and not about_ours, done.stdout


def test_what_the_server_is_exposed_to_is_little_and_both_say_how_much(tree):
    needs("systemd-analyze")
    for unit in (*UNITS[:2], *LINKS):
        path = tree / "usr/lib/systemd/system" / unit
        said = re.search(r"security --offline=true`: ([0-9]\.[0-9])", path.read_text("utf-8"))
        assert float(said[1]) == exposure(path), unit
    assert exposure(tree / "usr/lib/systemd/system/deploybot.service") <= SERVER_EXPOSURE_MAX


def test_the_server_sees_who_connects_and_the_command_lines_socket_is_named(tree):
    """In a user namespace of its own every peer would be 65534, whom it lets in never."""
    units = tree / "usr/lib/systemd/system"
    assert not re.search("^PrivateUsers=", (units / "deploybot.service").read_text("utf-8"), re.M)
    local = (units / "deploybot-local.socket").read_text("utf-8")
    for line in ("ListenStream=/run/deploybot/local.sock", "FileDescriptorName=local", "SocketMode=0666",
                 "Service=deploybot.service"):
        assert re.search(f"^{line}$", local, re.M), line


@pytest.mark.parametrize("unit", (*UNITS[:2], REMOTE))
@pytest.mark.parametrize("status, goes_on", [(0, True), (75, False), (78, True)])
def test_secrets_by_command_are_waited_for_and_wrong_settings_end_the_program_itself(tree, unit, status, goes_on):
    """RestartPreventExitStatus= is of the program alone: what fails before it is tried again for ever."""
    text = (tree / "usr/lib/systemd/system" / unit).read_text("utf-8")
    script = re.search('^ExecStartPre=[+]/bin/sh -c "(.+)"$', text, re.MULTILINE)[1].replace("$$", "$")
    script = re.sub("^/usr/lib/deploybot/deploybot .* secrets fetch", f"(exit {status})", script)
    assert (subprocess.run(["sh", "-c", script], timeout=60, check=False).returncode == 0) == goes_on


def test_folders_of_the_units_are_made_by_tmpfiles(tree):
    """A folder that a unit names and nobody makes is one that it starts without."""
    made = {line.split()[1] for line in (tree / "usr/lib/tmpfiles.d/deploybot.conf").read_text("utf-8").splitlines()
            if line.startswith("d ")}
    # By `secrets fetch`, before each start: tmpfiles makes nothing of root's in a folder of another user.
    made |= {"/run/deploybot/secrets", "/run/deploybot/secrets/server", "/run/deploybot/secrets/runner"}
    for unit in (*UNITS[:2], REMOTE, "deploybot-backup.service", "deploybot-check.service"):
        text = (tree / "usr/lib/systemd/system" / unit).read_text("utf-8")
        for words in re.findall(r"^(?:ReadWritePaths|ReadOnlyPaths|BindPaths|InaccessiblePaths)=(.+)$", text, re.M):
            for word in words.split():
                name = word.lstrip("-").split(":")[0]
                assert name in made, f"{unit}: {name}"
    assert pathlib.PurePath("/run/deploybot-runner").as_posix() in made


def test_the_agents_unit_has_what_it_may_start_loaded_and_outlasts_it():
    """Lists and times that stand in more than one place."""
    unit, rule = ((ROOT / "deploy" / name).read_text("utf-8") for name in
                  ("systemd/deploybot-agent.service", "agent/50-deploybot-agent.rules"))
    names = sorted(re.findall(r'C\("([a-z-]+)"', (ROOT / "agent/manifest.h").read_text("utf-8")))
    loaded = " ".join(re.findall("(?m)^PropagatesReloadTo=(.*)$", unit)).split(" ")
    assert loaded == [f"deploybot-do-{name}.service" for name in sorted((*names, "release@0"))]
    assert names == re.findall('"([a-z-]+)"', re.search(r"var units = \[(.*)\]", rule)[1])
    samples = list((ROOT / "deploy/agent/units").glob("*.service"))
    assert len(samples) == len(loaded)
    for sample in samples:
        text = sample.read_text("utf-8")
        start, stop = (re.search(f"(?m)^{name}=([0-9]+)$", text) for name in ("TimeoutStartSec", "TimeoutStopSec"))
        assert int(start[1]) + int(stop[1] if stop else 90) < int(re.search("(?m)^TimeoutStopSec=(.*)$", unit)[1])
