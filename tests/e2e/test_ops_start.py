"""Goal: what a newcomer types first works, or says in one breath what is missing: make run's starter
with a token and an id alone, and the packages before it."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

import pytest

from ops_aid import WAIT_S
from stage import ROOT, free_port, is_instrumented, wait_until
from telegram_client import ADA, DEFAULT_TOKEN, Telegram, text_of

RUN = ROOT / "tests" / "demo" / "run.py"
PACKAGES = ROOT / "tests" / "tools" / "packages.sh"


def starter(folder, *words, **settings):
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8",
                   "DEPLOYBOT_FOLDER": str(folder),
                   **{k: os.environ[k] for k in ("ASAN_OPTIONS", "UBSAN_OPTIONS") if k in os.environ},
                   **settings}
    if is_instrumented(ROOT / os.environ.get("DEPLOYBOT_BUILD", "build") / "deploybot"):
        environment["SANDBOX"] = "off"
    if "DEPLOYBOT_BUILD" in os.environ:     # which may be said from where we stand, and / is another place
        environment["DEPLOYBOT_BUILD"] = os.path.abspath(os.environ["DEPLOYBOT_BUILD"])
    log = open(folder / "run.log", "ab")    # pylint: disable=consider-using-with
    return subprocess.Popen(["/usr/bin/python3", str(RUN), *words], cwd="/", env=environment,
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                            start_new_session=True)


def log_of(folder):
    return (folder / "run.log").read_text(encoding="utf-8")


@pytest.mark.parametrize("given", [{}, {"TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN},
                                   {"ADMIN_TELEGRAM_IDS": str(ADA)}])
def test_without_token_or_id_it_says_where_to_get_them_and_ends_with_78(tmp_path, given):
    assert starter(tmp_path, **given).wait(WAIT_S) == 78
    said = log_of(tmp_path)
    for name, source in (("TELEGRAM_BOT_TOKEN", "@BotFather"), ("ADMIN_TELEGRAM_IDS", "/whoami")):
        assert (name in said.splitlines()[0]) == (name not in given)
        assert source in said
    assert not (tmp_path / "var").exists(), "nothing was made"


def end(process, folder):
    process.send_signal(signal.SIGTERM)
    assert process.wait(WAIT_S) == 0, log_of(folder)
    for words in (folder / "var" / "state" / "apps").glob("*/*pid*"):
        pid = words.read_text(encoding="ascii").split()[0]
        try:
            if os.readlink(f"/proc/{pid}/cwd").startswith(str(folder)):
                os.killpg(int(pid), signal.SIGKILL)
        except OSError:
            pass


def test_with_a_token_and_an_id_alone_it_deploys_one_of_the_two_sample_applications(tmp_path):
    """The stand-in is Telegram; all else is what a newcomer has."""
    (tmp_path / ".env").write_text(f"TELEGRAM_BOT_TOKEN={DEFAULT_TOKEN}\nADMIN_TELEGRAM_IDS={ADA}\n",
                                   encoding="ascii")
    (tmp_path / ".env").chmod(0o600)
    with Telegram.start("--local", "--limits", "off") as chat:
        process = starter(tmp_path, TELEGRAM_API_BASE=chat.base, API_SERVER_PORT=str(free_port()))
        try:
            wait_until(lambda: process.poll() is not None or chat.state()["online"], WAIT_S, "a poll")
            assert process.poll() is None, log_of(tmp_path)
            mark = chat.mark()
            chat.say(ADA, ADA, "/deploy cider/staging")
            final = chat.wait_for_message(lambda v: "Live: cider/staging" in text_of(v), 60, chat_id=ADA,
                                          after=mark)
            assert "No health check" not in text_of(final)
        finally:
            end(process, tmp_path)
    var = tmp_path / "var"
    assert (var / "audit.log").exists() and (var / "state" / "environments" / "cider.staging.json").exists()
    assert var.stat().st_mode & 0o777 == 0o700
    for name in ("shop", "cider"):
        assert f"sample application {name}: " in log_of(tmp_path)


def test_a_subcommand_runs_under_the_same_settings(tmp_path):
    process = starter(tmp_path, "check-config", TELEGRAM_BOT_TOKEN=DEFAULT_TOKEN,
                      ADMIN_TELEGRAM_IDS=str(ADA), API_SERVER_PORT=str(free_port()))
    assert process.wait(WAIT_S) == 0, log_of(tmp_path)
    assert str(tmp_path / "var" / "state") in log_of(tmp_path)


def test_an_application_of_ones_own_takes_the_place_of_the_samples_and_becomes_one_of_two(tmp_path):
    """It stands in .env, then in a file of its own beside another one's."""
    (tmp_path / ".env").write_text(
        f"TELEGRAM_BOT_TOKEN={DEFAULT_TOKEN}\nADMIN_TELEGRAM_IDS={ADA}\nREPOSITORY_URL={tmp_path}/shop.git\n"
        "STAGING_PORT=9003\nPRODUCTION_PORT=9004\n", encoding="ascii")
    (tmp_path / ".env").chmod(0o600)
    port = str(free_port())
    assert starter(tmp_path, "check-config", API_SERVER_PORT=port).wait(WAIT_S) == 0, log_of(tmp_path)
    assert not (tmp_path / "var" / "apps").exists() and "cider" not in log_of(tmp_path)
    assert starter(tmp_path, "application", "adopt", "shop", API_SERVER_PORT=port).wait(WAIT_S) == 0, log_of(tmp_path)
    assert "REPOSITORY_URL=" in (tmp_path / "apps" / "shop.env").read_text(encoding="utf-8")
    (tmp_path / "apps" / "web.env").write_text(
        f"REPOSITORY_URL={tmp_path}/web.git\nSTAGING_PORT=9001\nPRODUCTION_PORT=9002\n", encoding="ascii")
    for words in (("check-config",), ("application", "check")):
        assert starter(tmp_path, *words, API_SERVER_PORT=port).wait(WAIT_S) == 0, log_of(tmp_path)
    assert "  web/staging: " in log_of(tmp_path) and "cider" not in log_of(tmp_path)


# --- packages ---

def tools(folder, **scripts):
    """A PATH of our own: what bash needs, and stand-ins."""
    for name in ("bash", "mktemp", "tail", "rm", "cat", "env", "dpkg"):
        (folder / name).symlink_to(shutil.which(name))
    for name, words in scripts.items():
        path = folder / name.replace("_", "-")
        path.write_text(f"#!/bin/bash\n{words}\n", encoding="ascii")
        path.chmod(0o755)
    return str(folder)


# What dpkg-query says of a package that is there: its version when asked for that, else its state.
HAS_ALL = 'case "$*" in *Version*) echo 7.88.1-10+deb12u14;; *) echo installed;; esac'


def packages(folder, *groups, as_nobody=False):
    command = ["/bin/bash", str(PACKAGES), *groups]
    if as_nobody and os.geteuid() == 0:
        command = [shutil.which("setpriv"), "--reuid", "65534", "--regid", "65534", "--clear-groups",
                   *command]
    return subprocess.run(command, env={"PATH": folder, "HOME": "/"}, text=True, cwd="/",
                          stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60)


@pytest.fixture
def place():
    """A folder that anybody may read; pytest's own are their user's alone."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="packages-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def can_be_read_by_anybody(path):
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents) if p.is_dir())


@pytest.fixture
def anybody():
    """Tests that give up root need the tree to be readable without it."""
    if os.geteuid() == 0 and not (can_be_read_by_anybody(PACKAGES.parent)
                                  and PACKAGES.stat().st_mode & 0o004):
        pytest.skip("the tree cannot be read by an ordinary user")


def test_packages_that_are_there_cost_no_word(place):
    found = packages(tools(place, dpkg_query=HAS_ALL, apt_get="exit 99"), "build", "demo")
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")


@pytest.mark.usefixtures("anybody")
def test_without_root_and_sudo_the_exact_command_is_printed_and_nothing_else_is_done(place):
    place.chmod(0o777)
    path = tools(place, apt_get='echo ran >"${0%/*}/ran"; exit 99',
                 dpkg_query='case "$*" in *libev-dev*|*python3-aiohttp*) exit 1;; esac; ' + HAS_ALL)
    found = packages(path, "build", "demo", as_nobody=True)
    assert found.returncode == 1, found
    line = next(x.strip() for x in found.stderr.splitlines() if "apt-get" in x)
    assert line.startswith("sudo apt-get update && sudo apt-get")
    assert line.endswith("install -y --no-install-recommends libev-dev python3-aiohttp")
    assert "DPkg::Lock::Timeout" in line
    assert not (place / "ran").exists()


def test_an_old_curl_is_named_before_the_compiler_meets_it(place):
    old = HAS_ALL.replace("7.88.1-10+deb12u14", "7.81.0-1ubuntu1")
    found = packages(tools(place, dpkg_query=old, apt_get="exit 99"), "build")
    assert found.returncode == 1
    assert "libcurl4-openssl-dev is 7.81.0-1ubuntu1; needed: 7.87 or later" in found.stderr


def test_as_root_only_what_is_missing_is_installed(place):
    if os.geteuid() != 0:
        pytest.skip("needs root, or it would ask for it")
    path = tools(place, apt_get=f'echo "$*" >>"{place}/calls"',
                 dpkg_query='case "$*" in *jansson*) exit 1;; esac; ' + HAS_ALL)
    found = packages(path, "build")
    assert found.returncode == 0, found
    calls = (place / "calls").read_text(encoding="ascii").splitlines()
    assert [c.split()[-1] for c in calls] == ["update", "libjansson-dev"]
    assert "installing 1 missing" in found.stderr.splitlines()[0]


def test_a_failed_installation_is_said_with_its_last_lines(place):
    if os.geteuid() != 0:
        pytest.skip("needs root, or it would ask for it")
    path = tools(place, apt_get='echo "E: nothing of that name"; exit 100', dpkg_query="exit 1")
    found = packages(path, "build")
    assert found.returncode == 1 and "E: nothing of that name" in found.stderr


def test_another_distribution_is_told_what_was_looked_for(place):
    missing = packages(tools(place, pkg_config='case "$*" in *jansson*) exit 1;; esac; echo 99'),
                       "build")
    assert missing.returncode == 1, missing
    for name in ("libmicrohttpd", "libcurl", "jansson: none", "sqlite3", "libcrypto", "libsystemd",
                 "zlib", "2.14"):
        assert name in missing.stderr, name


def test_another_distribution_with_all_of_it_goes_on(place):
    if not pathlib.Path("/usr/include/ev.h").exists():
        pytest.skip("libev's header is not installed here")
    found = packages(tools(place, pkg_config="echo 99"), "build", "demo")
    assert found.returncode == 0 and "going on" in found.stderr, found
