"""Goal: each row of the settings' tables is read by somebody, printed by config-example, and held against its type by
hand as by the runner."""
# SPDX-License-Identifier: ISC
import collections
import functools
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from runner_client import PROGRAM, ROOT

ROOT = pathlib.Path(ROOT)
# What a side does not read, each with its reason.
READ_BY_NOBODY = {
    "TELEGRAM_API_ID: server": "people have it from other bots; check-config says that it is not needed",
    "TELEGRAM_API_HASH: server": "as TELEGRAM_API_ID",
    "GITHUB_BRANCH_<ENV>: runner": "of the list of marks alone, which has all rows that are not SERVER's",
    "<ENV>_WAVES: runner": "the same: what was shown of them is what runs",
    "<ENV>_FAILURES_MAX: runner": "the same",
    "<ENV>_WAVE_PAUSE: runner": "the same",
    "<ENV>_CANARY: runner": "the same",
}
# Lines that name a SHIPPING row and read no value that an environment could have for itself, each with its reason.
READ_FOR_ALL = {
    "static const enum setting ways[] = { SETTING_SSH_JUMP, SETTING_SSH_PROXY_COMMAND };":
        "asked of each member with settings_value_of() in the loop below",
    "command_or(settings_text(tx->settings, SETTING_NGINX_RELOAD_COMMAND), \"?\"));":
        "an action is done at a client, which is no environment's",
    "return spec == &settings_table[SETTING_SSH_KEY_PATH] ||": "the row, not its value",
}
ROW = re.compile(r'^(?:(?:SETTING|SHIPPING)\((?P<fixed>\w+)|'
                 r'FAMILY_SETTING\((?P<family>\w+), (?P<id>\w+), "(?P<name>[\w<>]+)"), '
                 r'.*, (?P<whose>SERVER|RUNNER|BOTH), (?:SERVER|SHARED|OWN|EACH),(?: "|$)', re.M)


def text_of(root, *patterns, without=()):
    return "\n".join(path.read_text("utf-8") for pattern in patterns for path in sorted(root.glob(pattern))
                     if path.is_file() and path.name not in without)


def unread(root):
    """The names of rows with the sides that do not read them, and the fields of the snapshot that nobody reads.  The
    server reads a row where it names it, but for the rules between settings; what settings_fields.c fills has to be
    read outside of the room.  The runner names what it reads, with its family; what it only hands to scripts (a
    family's in of_<family>), one of them has to read."""
    tables = text_of(root, "server/types/settings.def", "runner/settings.def")
    server = text_of(root, "server/**/*.c", "server/settings/settings_defaults.def", without=("settings_rules.c",))
    server = re.sub(r"!= &settings_table\[\w+\]", "", server)     # left out, not read
    rooms = [path.name for path in (root / "server").iterdir() if path.is_dir() and path.name != "settings"]
    outside = text_of(root, "server/*.[ch]", *(f"server/{room}/**/*.[ch]" for room in rooms), without=("settings.h",))
    rotated = text_of(root, "server/types/secret.h")
    runner, scripts = text_of(root, "runner/*.c"), text_of(root, "deploy/*.sh", "deploy/transports/**/*.sh")
    lists = re.compile(r"\*const (\w+)\[\] = \{(.*?)\};", re.S)
    handed, runner = dict(lists.findall(runner)), lists.sub("", runner)
    of_all = "".join(names for of, names in handed.items() if not of.startswith("of_"))
    by_name = set(re.findall(r"\b\w*SETTING_\w+", server))
    for row in ROW.finditer(tables):
        name, word = row["fixed"] or row["name"], row["fixed"] or row["id"]
        by_server = f"{row['family'] + '_' if row['family'] else ''}SETTING_{word}" in by_name or \
            re.search(rf'^FAMILY\(\w+, "[^"]*", {word},', tables, re.M) or \
            (word.endswith("_PREVIOUS") and f"ROW({word.removesuffix('_PREVIOUS')})" in rotated)
        given = handed.get(f"of_{row['family'].lower()}", "") if row["family"] else of_all
        by_script = f'"{word}"' in given and re.search(
            rf"(\$|\{{|!|check_bool )(CLIENT_)?{word}(_FILE)?\b|(setting_of|find_setting \w+) \S+ {word}\b|_{word}$",
            scripts, re.M)
        by_runner = by_script or (f'"{row["family"]}", "{word}"' if row["family"] else f'"{word}"') in runner
        sides = [side for side, is_read, other in (("server", by_server, "RUNNER"), ("runner", by_runner, "SERVER"))
                 if row["whose"] != other and not is_read]
        if sides:
            yield f"{name}: {' and '.join(sides)}"
    snapshot = (root / "server/types/settings.h").read_text("utf-8")
    for struct in ("settings", "settings_times", "environment_settings"):
        body = re.search(rf"^struct {struct} {{(.*?)^}};", snapshot, re.M | re.S)[1]
        body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
        for field in re.findall(r"(\w+)(?:\[\w+\])?;", body):
            if not re.search(rf"(->|\.){field}\b", outside):
                yield f"struct {struct}: {field}"


@functools.cache
def of_tree(found):
    """What the tree itself has, which is one test's to name: a changed copy is asked only for what its change did."""
    return frozenset(found(ROOT))


def test_every_setting_is_read_by_somebody():
    assert sorted(of_tree(unread)) == sorted(READ_BY_NOBODY)      # lists: each that is too many is named whole


def read_for_all(root):
    """The SHIPPING rows that the server reads without a look at what an environment has for itself.  The rules are
    asked of each environment anyway, and doctor says what is said for all."""
    tables = text_of(root, "server/types/settings.def", "runner/settings.def")
    server = "\n".join(path.read_text("utf-8") for path in sorted((root / "server").glob("**/*.c"))
                       if path.name != "settings_rules.c" and not path.name.startswith("doctor"))
    for line in READ_FOR_ALL:
        server = server.replace(line, "")
    named = collections.Counter(re.findall(r"\bSETTING_(\w+)", server))
    of_one = collections.Counter(re.findall(
        r"(?:settings_(?:text|is_given)_for\(|(?:settings_value_of|number_for)\((?![^,]+, NULL)|text_of\(of, |"
        r"settings_table\[)[^()]*\bSETTING_(\w+)", server))
    yield from (word for word in re.findall(r"^SHIPPING\((\w+)", tables, re.M) if named[word] != of_one[word])


def test_what_one_environment_may_have_for_itself_is_read_so():
    assert not of_tree(read_for_all)
    server = text_of(ROOT, "server/**/*.c")
    assert all(line in server for line in READ_FOR_ALL)


# Lines that read of the main file what an application may have for itself, each with its reason.
READ_OF_MAIN = {
    "const struct chat_address home = { .chat = tx->settings->telegram_chat_id };": "the audit's witness is of all",
    "return chat == tx->settings->telegram_chat_id &&": "behind the loop that asks each environment's own",
    "update->address.chat == row_chat_now(tx, tx->settings->telegram_chat_id) ?": "/whoami is of no environment",
    "if (settings->pin_status && settings->telegram_chat_id != 0)": "the applications' own follow",
    "begin(tx, row_chat_now(tx, settings->telegram_chat_id));": "the applications' own follow",
    "const char *zone = settings_text(tx->settings, SETTING_TIMEZONE);": "ends of roles and costs are the server's",
    "command_or(settings_text(tx->settings, SETTING_NGINX_RELOAD_COMMAND)": "clients are the server's",
    "ci_since + tx->settings->github.ci_wait_minutes * MINUTE_MS;": "CI_WAIT_MINUTES is the server's",
    "(int)tx->settings->github.ci_wait_minutes,": "CI_WAIT_MINUTES is the server's",
}


def read_of_main(root):
    """The fields that an application's file may fill, and that the store's side reads of the main file alone: what is
    of an environment is read of its snapshot, environment_settings.of."""
    scopes = dict(re.findall(r"^(?:SETTING|SHIPPING)\((\w+), .*, (?:SERVER|RUNNER|BOTH), (\w+),(?: \"|$)", text_of(
        root, "server/types/settings.def", "runner/settings.def"), re.M))
    filled = re.findall(r"s->(\w+) =[^;]*?\bSETTING_(\w+)", text_of(root, "server/settings/settings_fields.c"))
    rooms = [path.name for path in (root / "server").iterdir() if path.is_dir() and path.name != "settings"]
    server = text_of(root, *(f"server/{room}/**/*.c" for room in rooms))
    for line in READ_OF_MAIN:
        server = server.replace(line, "")
    # Under another name, to the end of that function.
    for found in re.finditer(r"\*(\w+) = tx->settings;(.*?)^}", server, re.M | re.S):
        server += re.sub(rf"\b{found[1]}\b", "tx->settings", found[2])
    yield from sorted(field for field, row in filled if scopes[row] != "SERVER" and
                      re.search(rf"\btx->settings->{field}\b", server))
    yield from sorted(row for row in re.findall(r"settings_\w+\(\s*tx->settings, SETTING_(\w+)", server)
                      if scopes[row] != "SERVER")


def test_what_an_application_may_have_for_itself_is_read_of_its_own_settings():
    assert not of_tree(read_of_main)
    assert all(line in text_of(ROOT, "server/**/*.c") for line in READ_OF_MAIN)


# How the repository is read is of an application, whatever its environments.
OF_NO_ENVIRONMENT = re.compile("GITHUB_REPOSITORY|REPOSITORY_.*|FETCH_TIMEOUT_SECONDS|ENVIRONMENTS|APPROVED_DIRECTORY")


def test_what_a_release_is_given_may_be_said_for_one_environment():
    """A new row of that kind is SHIPPING, not SETTING (runner/settings.def)."""
    handed = re.search(r"shipping_settings\[\] = \{(.*?)\};", text_of(ROOT, "runner/program_settings.c"), re.S)[1]
    rows = set(re.findall(r"^SHIPPING\((\w+)", text_of(ROOT, "runner/settings.def"), re.M))
    names = set(re.findall(r'"(\w+)"', handed))
    assert len(names) > 30
    assert {name for name in names if not OF_NO_ENVIRONMENT.fullmatch(name)} - rows == set()


@pytest.mark.parametrize("path, before, row", [
    pytest.param("runner/settings.def", "SETTING(GITHUB_REPOSITORY,",
     'SETTING(NEW_ONE, TEXT, NULL, OPEN, RUNNER, SHARED,\n    "New.")\n', marks=pytest.mark.long),
    ("server/types/settings.def", "SETTING(ADMIN_TELEGRAM_IDS,",
     'SETTING(NEW_ONE, TEXT, NULL, OPEN, SERVER, SHARED,\n    "New.")\n'),
    pytest.param("runner/settings.def", "FAMILY_SETTING(ENVIRONMENT, HOST,",
     'FAMILY_SETTING(ENVIRONMENT, NEW_ONE, "<ENV>_NEW_ONE", TEXT, NULL, OPEN, BOTH, OWN,\n    "New.")\n',
     marks=pytest.mark.long),
    ("server/types/settings.h", "	int run_logs_keep;", "	int new_one;\n")], ids=str)
def test_an_unread_row_is_named(tmp_path, path, before, row):
    """Also one that is only handed to scripts, or only noted in the rules."""
    for folder in ("server", "runner", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    changed = tmp_path / path
    changed.write_text(changed.read_text("utf-8").replace(before, row + before, 1), "utf-8")
    rules, program = tmp_path / "server/settings/checks/settings_rules.c", tmp_path / "runner/program_settings.c"
    rules.write_text(rules.read_text("utf-8") + "\n/* SETTING_NEW_ONE, ENVIRONMENT_SETTING_NEW_ONE */\n", "utf-8")
    program.write_text(program.read_text("utf-8").replace('"DEPLOY_TRANSPORT",', '"DEPLOY_TRANSPORT", "NEW_ONE",')
                       .replace('= { "HOST",', '= { "HOST", "NEW_ONE",'), "utf-8")
    new = set(unread(tmp_path)) - of_tree(unread)
    assert len(new) == 1 and re.search("NEW_ONE|new_one", new.pop())


@pytest.mark.parametrize("path, before, after, found, says", [
    ("runner/program_settings.c", '"COMPOSE_DIR", "PORT", NULL', '"COMPOSE_DIR", NULL', unread, "<ENV>_PORT: runner"),
    pytest.param("runner/program_settings.c", '"HOSTS_FILE", "COMPOSE_DIR"', '"HOSTS_FILE"', unread,
                 "<ENV>_COMPOSE_DIR: runner", marks=pytest.mark.long),
    pytest.param("runner/program_settings.c", '"DEPLOY_TIMEOUT_SECONDS", NULL', "NULL", unread,
                 "DEPLOY_TIMEOUT_SECONDS: runner", marks=pytest.mark.long),
    pytest.param("server/settings/settings_fields.c", "SETTING_DEPLOY_TIMEOUT_SECONDS",
                 "SETTING_SHUTDOWN_TIMEOUT_SECONDS", unread, "DEPLOY_TIMEOUT_SECONDS: server", marks=pytest.mark.long),
    ("server/settings/settings_fields.c", "number_for(s, in, SETTING_FAILURE_LOG_LINES)",
     "number_of(s, SETTING_FAILURE_LOG_LINES)", read_for_all, "FAILURE_LOG_LINES"),
    pytest.param("server/settings/settings_fields.c", "number_for(s, member, SETTING_HEALTH_CHECK_TIMEOUT)",
                 "number_for(s, NULL, SETTING_HEALTH_CHECK_TIMEOUT)", read_for_all,
                 "HEALTH_CHECK_TIMEOUT", marks=pytest.mark.long),
    pytest.param("server/decide/tell/decide_tell_facts.c", "settings_text_for(settings, SETTING_MIGRATE_COMMAND)",
                 "settings_text(tx->settings, SETTING_MIGRATE_COMMAND)", read_for_all, "MIGRATE_COMMAND",
                 marks=pytest.mark.long),
    ("server/decide/hold/decide_hold_change.c", "environment->of->telegram_chat_id", "tx->settings->telegram_chat_id",
     read_of_main, "telegram_chat_id"),
    ("server/decide/tell/decide_pin.c", "settings_of(tx->settings, name)->pin_status",
     "settings_text(tx->settings, SETTING_PIN_STATUS)", read_of_main, "PIN_STATUS")])
def test_a_row_that_one_side_or_one_environment_lost_is_named(tmp_path, path, before, after, found, says):
    for folder in ("server", "runner", "deploy"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    text = (tmp_path / path).read_text("utf-8")
    assert text.count(before) == 1
    (tmp_path / path).write_text(text.replace(before, after), "utf-8")
    assert set(found(tmp_path)) - of_tree(found) == {says}


def test_config_example_is_the_committed_file():
    done = subprocess.run([os.path.join(os.path.dirname(PROGRAM), "deploybot"), "config-example"], check=True,
                          capture_output=True, text=True)
    assert done.stdout == (ROOT / ".env.example").read_text("utf-8")


def check(path=None, **settings):
    done = subprocess.run([PROGRAM, "--check-settings", *(("--env-file", str(path)) if path else ())], check=False,
                          capture_output=True, text=True, env=settings)
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_the_runner_names_each_wrong_setting_with_what_is_expected(tmp_path):
    secret = tmp_path / "token"
    secret.write_text("hunter2\n")
    assert check() == (0, [])
    status, said = check(REGISTRY_URL="a;b", REPOSITORY_TOKEN_FILE=str(secret), ENVIRONMENTS="staging,eu-west",
                         EU_WEST_PORT="x", PRODUCTION_PORT="x", TELEGRAM_MODE="not the runner's")
    assert status == 78 and len(said) == 3, said
    assert said[0].startswith("REPOSITORY_TOKEN: is not a token of at least 16 bytes") and "hunter2" not in said[0]
    assert said[1].startswith('REGISTRY_URL: "a;b" is not HOST[:PORT][/path]')
    assert said[2] == 'EU_WEST_PORT: "x" is not a port, 1 to 65535'
    env = tmp_path / "env"
    env.write_text("KEEP_RELEASES=0\nAPP_PORTS=1,1\n")
    status, said = check(env, KEEP_RELEASES="1")
    assert (status, said) == (78, ['APP_PORTS: "1,1" is not two different ports, as 8001,8002'])
    assert check(tmp_path / "nowhere")[0] == 78
    status, said = check(ENVIRONMENTS="Staging")    # then nobody knows whose settings there are
    assert status == 78 and len(said) == 1 and said[0].startswith('ENVIRONMENTS: "Staging" is not the name')


@pytest.mark.parametrize("words", [("--listen", "/x"), ("--state", "/x"), ("--fd", "3"), ("--drain",), ("more",)])
def test_whoever_checks_does_nothing_else(words):
    done = subprocess.run([PROGRAM, "--check-settings", *words], check=False, capture_output=True, text=True)
    assert done.returncode == 64 and done.stderr.startswith("usage:")


def test_a_script_without_the_runner_says_so(bench):
    commit = bench.commit("one")
    for runner, place in (("/nowhere/deploybot-runner", "/nowhere/deploybot-runner"), (None, "in PATH")):
        status, said = bench.run("deploy.sh", "staging", commit, DEPLOYBOT_RUNNER=runner)
        assert status == 78 and place in said[-1] and "set DEPLOYBOT_RUNNER" in said[-1], said
    os.symlink(PROGRAM, bench.bin / "deploybot-runner")
    status, said = bench.run("deploy.sh", "staging", commit, DEPLOYBOT_RUNNER=None, STAGING_PORT="x")
    assert status == 78 and 'STAGING_PORT: "x" is not a port' in said[-1], said
    beside = bench.deploy.parent / "deploybot-runner"     # as it is installed
    beside.write_text("#!/bin/sh\necho \"SOME_SETTING: $*\"; exit 78\n")
    beside.chmod(0o755)
    status, said = bench.run("rollback.sh", "staging", commit, DEPLOYBOT_RUNNER=None)
    assert status == 78 and said[-1] == "rollback.sh: SOME_SETTING: --check-settings"
    status, said = bench.run("deploy.sh", "staging", commit, DEPLOYBOT_RUNNER=None, DEPLOYBOT_SETTINGS="checked")
    assert status == 0, said
