"""Goal: applications are files: added, changed, broken and removed while the server runs, each for
itself; the only one of before becomes one of many by a command."""
# SPDX-License-Identifier: ISC
import json
import os
import re
import shutil
import signal
import subprocess

import pytest

from ops_aid import WAIT_S, bare_settings, check_stop, request, wait_audit
from stage import Deploybot, wait_until

SHOP = """GITHUB_REPOSITORY=orchard/{name}
REPOSITORY_URL=/nowhere/{name}.git
DEPLOY_TRANSPORT=local
STAGING_PORT={port}1
PRODUCTION_PORT={port}2
"""


def put(folder, name, text, mode=0o600):
    path = folder / "apps" / name
    path.parent.mkdir(mode=0o755, exist_ok=True)
    path.with_suffix(".new").write_text(text, encoding="utf-8")
    path.with_suffix(".new").chmod(mode)
    path.with_suffix(".new").replace(path)
    return path


def main_file(folder, settings):
    path = folder / ".env"
    path.write_text("".join(f"{k}={v}\n" for k, v in settings.items()), encoding="utf-8")
    path.chmod(0o600)


@pytest.fixture
def bot(tmp_path):
    settings = bare_settings(tmp_path)
    main_file(tmp_path, settings)
    made = Deploybot(tmp_path, {"API_SERVER_PORT": settings["API_SERVER_PORT"]})
    made.in_file = settings
    yield made
    if made.process is not None and made.process.poll() is None:
        made.kill()


def start(bot):
    bot.start()
    bot.settings = {**bot.in_file, **bot.settings}      # where the audit is


def reloaded(bot, n):
    return wait_audit(bot, n, action="settings_reloaded")[n - 1]


def listed(bot):
    return bot.run("application", "list").stdout


def test_the_only_application_becomes_one_of_two(bot):
    found = bot.run("application", "adopt", "shop")
    assert found.returncode == 0 and "apps/shop.env" in found.stdout, found
    shop = (bot.folder / "apps/shop.env").read_text(encoding="utf-8")
    main = (bot.folder / ".env").read_text(encoding="utf-8")
    for line in ("GITHUB_REPOSITORY=orchard/shop", "STAGING_PORT=8001", "RENAMED_FROM=.",
                 "STAGING_COMPOSE_DIR=/srv/app", "REGISTRY_IMAGE=myapp"):
        assert line in shop.splitlines(), shop
    for name in ("GITHUB_REPOSITORY", "STAGING_PORT", "PRODUCTION_PORT", "REPOSITORY_URL"):
        assert name not in main
    for name in ("TELEGRAM_BOT_TOKEN", "GITHUB_WEBHOOK_SECRET", "DEPLOY_TRANSPORT"):
        assert name in main and name not in shop
    found = bot.run("check-config")
    assert found.returncode == 0 and "  shop/staging: " in found.stdout, found
    put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    assert ("shop: orchard/shop, staging production, /github/webhook\n"
            "web: orchard/web, staging production, /github/webhook\n") == listed(bot)
    assert bot.run("application", "check", "web").returncode == 0
    start(bot)
    assert request(bot, "GET", "/healthz").status == 200
    check_stop(bot)


def test_check_config_says_when_each_freeze_begins_and_ends(bot):
    main_file(bot.folder, dict(bot.in_file, TIMEZONE="Europe/Berlin",
                               STAGING_FREEZE="2001-01-01..2001-01-02, 2002-01-01..2998-12-31",
                               PRODUCTION_FREEZE="2999-07-01..2999-07-02 America/New_York"))
    found = bot.run("check-config")
    assert found.returncode == 0, found
    assert re.search(r"  staging: .*\n    freeze: now, until [A-Z][a-z]{2} 2999-01-01 00:00 \(Europe/Berlin\)\n"
                     r"  production: .*\n    freeze: next begins [A-Z][a-z]{2} 2999-07-01 06:00, "
                     r"ends [A-Z][a-z]{2} 2999-07-03 06:00 \(Europe/Berlin\)\n", found.stdout), found.stdout
    assert "warning  STAGING_FREEZE: \"2001-01-01..2001-01-02\" is past and freezes nothing" in found.stderr
    main_file(bot.folder, dict(bot.in_file, STAGING_FREEZE="Fri 16:00-Mon 08:00, Sat 8:00-Frei 9:00"))
    found = bot.run("check-config")
    assert found.returncode == 78 and ("STAGING_FREEZE: \"Sat 8:00-Frei 9:00\": Frei is no day of the week (Mon to "
                                       "Sun), as in Fri 16:00-Mon 08:00") in found.stderr, found


def test_adopt_goes_on_where_a_crash_left_it(bot):
    before = (bot.folder / ".env").read_bytes()
    assert bot.run("application", "adopt", "shop").returncode == 0
    after = (bot.folder / ".env").read_bytes()
    shop = (bot.folder / "apps/shop.env").read_bytes()
    (bot.folder / ".env").write_bytes(before)       # as it is between the two files
    found = bot.run("check-config")
    assert found.returncode == 78 and "deploybot application adopt NAME" in found.stderr, found
    bot.start()                                     # named, and no start fails for it
    check_stop(bot)
    assert bot.run("application", "adopt", "shop").returncode == 0
    assert (bot.folder / ".env").read_bytes() == after
    assert (bot.folder / "apps/shop.env").read_bytes() == shop


def test_adopt_overwrites_nothing_and_names_what_the_environment_gives(bot):
    put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    found = bot.run("application", "adopt", "web")
    assert found.returncode == 75 and "is there already" in found.stderr, found
    for name in ("My.Shop", "client"):      # client/ID in a grant
        assert bot.run("application", "adopt", name).returncode == 64
    found = Deploybot(bot.folder, {"API_SERVER_PORT": "1", "STAGING_HOST": "h1"}).run("application", "adopt", "shop")
    assert found.returncode == 0 and "  STAGING_HOST\n" in found.stdout, found
    assert 'STAGING_HOST="h1"' in (bot.folder / "apps/shop.env").read_text(encoding="utf-8")
    bot.folder.joinpath("apps/shop.env").write_text(
        "RENAMED_FROM=.\nSTAGING_PORT=7\nGITHUB_REPOSITORY=orchard/shop\n", encoding="utf-8")
    main_file(bot.folder, bot.in_file)
    found = bot.run("application", "adopt", "shop")
    assert found.returncode == 75, found
    assert "differs  STAGING_PORT\n" in found.stderr, found
    assert "error: apps/shop.env is there already and differs: correct one of both\n" in found.stderr, found
    assert "GITHUB_REPOSITORY" not in found.stderr and "STAGING_PORT=8001" in (bot.folder / ".env").read_text("utf-8")
    if os.geteuid() == 0:
        assert (bot.folder / "apps/shop.env").stat().st_uid == (bot.folder / ".env").stat().st_uid


def test_a_second_adopt_says_what_a_new_application_is(bot):
    assert "  application list|check|adopt\n" in bot.run("help").stdout
    assert "settings moved to " in bot.run("application", "adopt", "shop").stdout
    found = bot.run("application", "adopt", "shop")
    assert found.returncode != 0 and "error: nothing to adopt: " in found.stderr, found
    with open(bot.folder / ".env", "a", encoding="utf-8") as file:
        file.write("STAGING_PORT=8001\n")
    found = bot.run("application", "adopt", "blog")
    assert found.returncode == 75 and found.stderr.startswith("error: that was done as shop: "), found
    assert not (bot.folder / "apps/blog.env").exists()
    assert bot.run("application", "adopt", "shop").returncode == 0


def test_without_a_settings_file_it_says_so(tmp_path):
    bot = Deploybot(tmp_path, {"API_SERVER_PORT": "1"})
    found = bot.run("application", "adopt", "shop")
    assert found.returncode == 66 and "no settings file to take them from (file: none)" in found.stderr, found
    assert "TELEGRAM_BOT_TOKEN" not in found.stderr
    found = bot.run("application", "list")
    assert found.returncode == 78 and "(file: none; --env-file FILE names one)" in found.stderr, found


@pytest.mark.long
def test_doctor_asks_each_repository_once(bot):
    bot.run("application", "adopt", "shop")
    repository = bot.folder / "all.git"
    git = ("git", "-c", "user.name=x", "-c", "user.email=x@example.org")
    subprocess.run([*git, "init", "-q", "-b", "main", repository], check=True)
    subprocess.run([*git, "-C", repository, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    for name, port in (("blog", "910"), ("web", "900")):
        text = SHOP.format(name=name, port=port)
        put(bot.folder, f"{name}.env", text.replace(f"/nowhere/{name}.git", str(repository)))
    put(bot.folder, "lone.env", SHOP.format(name="lone", port="920"))
    (bot.folder / "state").mkdir(mode=0o700, exist_ok=True)
    lines = [x for x in bot.run("doctor").stdout.splitlines() if " git: " in x]
    assert lines.count(f"ok       git: blog: {repository} answers") == 1, lines
    assert not [x for x in lines if "git: web: " in x], lines       # it is the same
    assert [x for x in lines if x.startswith("error    git: lone: ")], lines
    assert [x for x in lines if x.startswith("warning  git: web/staging has no branch develop")], lines
    for i in range(20):
        put(bot.folder, f"x{i}.env", SHOP.format(name=f"x{i}", port=f"4{i:02}"))
    lines = [x for x in bot.run("doctor").stdout.splitlines() if " git: " in x]
    assert "ok       git: 1 of 23 repositories answer" in lines, lines
    assert len([x for x in lines if x.startswith("error    git: x")]) == 20, lines


def test_an_administrator_asks_who_may_and_what_is_found(bot):
    for name in ("GITHUB_WEBHOOK_SECRET", "POLL_REPOSITORY_SECONDS"):
        bot.in_file.pop(name, None)
    main_file(bot.folder, bot.in_file)
    bot.run("application", "adopt", "shop")
    admin = bot.in_file["ADMIN_TELEGRAM_IDS"].split(",")[0]
    asked = ("policy", "explain", admin, "deploy")
    found = bot.run(*asked, "staging")
    assert found.returncode == 0 and " may deploy shop/staging: admin" in found.stdout, found
    assert "github:   the repositories of the applications, " in bot.run("check-config").stdout
    assert "git is asked for pushes every " in bot.run("doctor").stdout
    put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    found = bot.run(*asked, "staging")
    assert found.returncode == 64, found
    assert found.stderr == 'error: 2 applications have "staging": say which, as web/staging\n', found
    found = bot.run("doctor", "staging")
    assert found.returncode == 64, found
    assert found.stderr == 'error: 2 applications have "staging": say which, as web/staging\n', found
    found = bot.run(*asked, "web/qa")
    assert found.stderr == 'error: there is no environment "web/qa": deploybot application list\n', found


@pytest.mark.long
def test_files_are_added_changed_broken_and_removed_while_it_runs(bot):
    bot.run("application", "adopt", "shop")
    start(bot)
    path = put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    entry = reloaded(bot, 1)
    assert "web: new" in json.dumps(entry) and '"applications": "web"' in json.dumps(entry), entry
    put(bot.folder, "web.env", SHOP.format(name="web", port="900") + "KEEP_RELEASES=many\n")
    entry = reloaded(bot, 2)
    assert "web.env: KEEP_RELEASES" in json.dumps(entry), entry
    assert any("web.env: KEEP_RELEASES" in x and "stays as it was" in x for x in bot.log().splitlines())
    put(bot.folder, "web.env", SHOP.format(name="web", port="900") + "KEEP_RELEASES=9\n")
    entry = reloaded(bot, 3)
    assert "settings: web.env: not refused any more" in bot.log()
    assert "web: KEEP_RELEASES" in json.dumps(entry), entry
    path.unlink()
    entry = reloaded(bot, 4)
    assert "web: removed" in json.dumps(entry), entry
    shutil.move(bot.folder / "apps", bot.folder / "elsewhere")
    wait_until(lambda: "all applications stay as they are" in bot.log(), WAIT_S, "the folder's error")
    assert len(bot.audit(action="settings_reloaded")) == 4
    check_stop(bot)


@pytest.mark.long
def test_a_removed_file_takes_neither_reload_nor_start_down(bot):
    bot.run("application", "adopt", "shop")
    path = put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    with (bot.folder / ".env").open("a", encoding="utf-8") as main:
        main.write('ROLE_CONTRACTOR_IDS=50\nROLE_CONTRACTOR_MAY="deploy:web/*, status:shop/*"\n')
    start(bot)
    path.unlink()
    entry = reloaded(bot, 1)
    assert "web: removed" in json.dumps(entry), entry
    said = "ROLE_CONTRACTOR_MAY: deploy:web/*: there is no application web"
    assert [x for x in bot.log().splitlines() if "warning" in x and "settings: " + said in x], bot.log()
    put(bot.folder, "shop.env", (bot.folder / "apps/shop.env").read_text(encoding="utf-8") + "STAGING_PROT=1\n")
    reloaded(bot, 2)
    assert "settings: shop.env: STAGING_PROT: is no setting; did you mean STAGING_PORT?" in bot.log()
    with (bot.folder / ".env").open("a", encoding="utf-8") as main:
        main.write("ROLE_TYPO_IDS=51\nROLE_TYPO_MAY=deploy:shpo/*\n")
    entry = reloaded(bot, 3)
    assert "ROLE_TYPO_MAY: deploy:shpo/*: there is no application shpo" in json.dumps(entry), entry
    check_stop(bot)
    found = bot.run("check-config")             # nothing of it was ever live: no file says that it was there
    assert found.returncode == 78 and f"error    {said}" in found.stderr, found
    start(bot)
    assert request(bot, "GET", "/healthz").status == 200
    check_stop(bot)
    state = bot.folder / "state/environments"
    state.mkdir(exist_ok=True)
    (state / "web.staging.json").write_text("{}", encoding="utf-8")
    assert f"warning  {said}" in bot.run("check-config").stderr


def test_doctor_names_a_file_whose_secret_anybody_may_read(bot):
    bot.in_file.pop("GITHUB_WEBHOOK_SECRET")
    main_file(bot.folder, bot.in_file)
    bot.run("application", "adopt", "shop")
    secret = "GITHUB_WEBHOOK_SECRET=a secret of the web, 0123456789abcdef\n"
    web = SHOP.format(name="web", port="900")
    for text, mode, is_named in ((web, 0o644, False), (web + secret, 0o600, False), (web + secret, 0o644, True)):
        put(bot.folder, "web.env", text, mode)
        found = bot.run("doctor").stdout
        assert bool(re.search(r"warning  .*apps/web\.env.*: chmod o= it", found)) == is_named, found
    assert "GITHUB_WEBHOOK_SECRET stands in web.env: put it " in bot.run("doctor", "--production").stdout


def test_the_audit_of_a_wrong_signature_names_the_application(bot):
    bot.run("application", "adopt", "shop")
    secret = "GITHUB_WEBHOOK_SECRET=a secret of the web, 0123456789abcdef\n"
    put(bot.folder, "web.env", SHOP.format(name="web", port="900") + secret)
    start(bot)
    headers = {"Content-Type": "application/json", "X-GitHub-Event": "push", "X-GitHub-Delivery": "1",
               "X-Hub-Signature-256": "sha256=" + "0" * 64}
    assert request(bot, "POST", "/github/webhook/web", body=b"{}", headers=headers).status == 401
    assert wait_audit(bot, 1, action="webhook_rejected", reason="signature", application="web")


def test_what_a_reload_finds_wrong_is_logged_once(bot):
    bot.run("application", "adopt", "shop")
    put(bot.folder, "web.env", SHOP.format(name="web", port="900"))
    start(bot)
    bot.given = {"API_SERVER_PORT": bot.settings["API_SERVER_PORT"]}
    main = (bot.folder / ".env").read_text(encoding="utf-8")

    def puts(text, *words):
        n = len(bot.audit(action="settings_reloaded"))
        before = len(bot.log())
        put(bot.folder, "web.env", text)
        bot.process.send_signal(signal.SIGHUP)      # it would look by itself, every few seconds
        reloaded(bot, n + 1)
        for line in words:
            wait_until(lambda said=line: said in bot.log()[before:], what=line)
            assert bot.log()[before:].count(line) == 1, bot.log()[before:]
        return bot.log()[before:]
    web = SHOP.format(name="web", port="900")
    puts(web.replace("STAGING_PORT=9001\n", ""), "settings: web: STAGING_PORT: is not set")
    found = bot.run("application", "list")
    assert found.returncode == 78, found
    assert "production, /github/webhook (with errors: deploybot application check web)" in found.stdout, found
    assert bot.run("application", "check").returncode == 78
    puts(web.replace("9001", "8001"), " shares ")
    assert " shares " not in puts(web.replace("9001", "8001") + "KEEP_RELEASES=9\n")
    puts(web)
    assert bot.run("application", "list").returncode == 0
    # Regression: what is said of the one file was left out of what is said of the other.
    puts(web + "FROBNICATE=1\n", "settings: web.env: FROBNICATE: is no setting")
    # Regression: of a refused file too, on another line of it.
    assert "FROBNICATE" not in puts("KEEP_RELEASES=none\n" + web + "FROBNICATE=1\n", "web.env: KEEP_RELEASES")
    puts(web + "FROBNICATE=1\n")
    (bot.folder / ".env").write_text(main + "FROBNICATE=1\n", encoding="utf-8")
    wait_until(lambda: "settings: FROBNICATE: is no setting" in bot.log(), WAIT_S, "the main file's")
    assert bot.log().count("web.env: FROBNICATE") == 1 and "web: FROBNICATE" not in bot.log(), bot.log()
    (bot.folder / ".env").write_text(main, encoding="utf-8")
    puts(web)
    (bot.folder / ".env").write_text(main + "KEEP_RELEASES=many\n", encoding="utf-8")
    wait_until(lambda: "settings not changed: KEEP_RELEASES" in bot.log(), WAIT_S, "its refusal")
    (bot.folder / ".env").write_text(main, encoding="utf-8")
    wait_until(lambda: "settings are valid again" in bot.log(), WAIT_S, "its end")
    check_stop(bot)


def test_a_server_starts_beside_files_that_are_wrong(bot):
    bot.run("application", "adopt", "shop")
    put(bot.folder, "web.env", "GITHUB_REPOSITORY=\"half")
    put(bot.folder, "open.env", SHOP.format(name="open", port="900"), mode=0o666)
    put(bot.folder, "Upper.env", SHOP.format(name="upper", port="910"))
    found = bot.run("check-config")
    assert found.returncode == 78, found
    for words in ("web: ", "apps/open.env: others may write it (mode 0666)", "apps/Upper.env: capitals"):
        assert words in found.stderr, found.stderr
    assert bot.run("application", "check", "shop").returncode == 78     # the folder's own trouble
    for words in ("shop: orchard/shop", "refused: web.env: ", "refused: open.env: "):
        assert words in listed(bot)
    start(bot)
    assert request(bot, "GET", "/healthz").status == 200
    check_stop(bot)
