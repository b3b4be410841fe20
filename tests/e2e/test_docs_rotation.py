"""Goal: what docs/OPERATIONS.md says of changing a secret does that for each, and a second typing harms nothing;
its searches of the audit log find what they look for, and an export without names is proven as one with them."""
# SPDX-License-Identifier: ISC
import hashlib
import re
import subprocess
import textwrap
import uuid

import pytest

from docs_aid import PAGE, Typist, blocks_of
from ops_aid import bare_settings, check_stop, github_headers, lines_of, request, sign, wait_audit
from stage import GITHUB_SECRET, ROOT, WEBHOOK_SECRET, Deploybot, wait_until

WEBHOOKS = {"GITHUB_WEBHOOK_SECRET": GITHUB_SECRET, "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "FORGE_WEBHOOK_SECRET": "forge-secret-0123456789abcdef0123",
            "WEBHOOK_API_SECRET": "api-secret-0123456789abcdef012345",
            "AUTH_TOKEN_SECRET": "token-secret-0123456789abcdef0123",
            "HOOK_B2_SECRET": "hook-secret-0123456789abcdef01234"}
TOTP = "0" * 62 + "11"
WITNESS = ("AKIAIOSFODNN7OLDKEY0", "old-half-0123456789abcdef")


class Bot(Deploybot):
    """A server whose settings stand in /etc/deploybot and its secrets in files, as the package has it."""

    def __init__(self, folder, typist):
        self.typist = typist
        self.witness = {"AUDIT_S3_BUCKET": "orchard", "AUDIT_S3_REGION": "eu-central-1",
                        "AUDIT_S3_ENDPOINT": "https://127.0.0.1:9", "AUDIT_S3_ACCESS_KEY_ID": WITNESS[0]}
        files = {**WEBHOOKS, "CLOUDFLARE_API_TOKEN": "old-token-0123456789abcdef0123456789abcd",
                 "AUDIT_S3_SECRET_ACCESS_KEY": WITNESS[1]}
        named = {f"{name}_FILE": typist.keep(name.lower(), value) for name, value in files.items()}
        named["TOTP_KEY_FILE"] = typist.keep("totp_key", TOTP)
        settings = bare_settings(folder, GITHUB_WEBHOOK_SECRET=None, TELEGRAM_WEBHOOK_SECRET=None,
                                 ENABLE_API_SERVER="true", ENABLE_TOKEN_AUTH="true", HOOK_B2_STARTS="deploy:staging",
                                 REPOSITORY_PATH="orchard/shop", **self.witness, **named)
        super().__init__(folder, settings)
        typist.conf.write_text(lines_of(self.settings)[:-1], "utf-8")      # whose last line has no end
        typist.conf.chmod(0o600)
        self.given, self.arguments = {}, ("--env-file", str(typist.conf), "serve")

    def read_anew(self, act):
        """What the log says of it."""
        before = len(self.log())
        said = act()
        wait_until(lambda: re.search("settings (not )?changed|no changes", self.log()[before:]), 20, "a reload")
        return said, self.log()[before:]

    def opens(self, name, value):
        body = b'{"zen":"x"}'
        path, fields = {
            "GITHUB_WEBHOOK_SECRET": ("/github/webhook", github_headers(body, "ping", str(uuid.uuid4()))),
            "TELEGRAM_WEBHOOK_SECRET": ("/telegram/webhook", {"X-Telegram-Bot-Api-Secret-Token": value}),
            "FORGE_WEBHOOK_SECRET": ("/forge/webhook/gitlab", {"X-Gitlab-Token": value,
                                                              "X-Gitlab-Event-UUID": str(uuid.uuid4())}),
            "HOOK_B2_SECRET": ("/hooks/b2", {"Authorization": f"Bearer {value}"})}[name]
        fields |= {"Content-Type": "application/json"}
        if "X-Hub-Signature-256" in fields:
            fields["X-Hub-Signature-256"] = sign(body, value)
        return request(self, "POST", path, body, fields).status != 401


def test_what_was_there_before_a_restore_is_kept_however_often_it_is_typed(tmp_path):
    """And where the copy is none, nothing is moved."""
    bot = Deploybot(tmp_path, bare_settings(tmp_path))
    bot.start()
    check_stop(bot)
    state, copy = tmp_path / "state", tmp_path / "copy.db"
    assert bot.run("backup", str(copy)).returncode == 0
    typist = Typist(tmp_path, bot.build)
    typist.conf.write_text(lines_of(bot.settings), "utf-8")
    typist.conf.chmod(0o600)
    block = re.search(r"(?m)^((?: {4}.*\n)* {4}sudo deploybot restore COPY\n(?: {4}.*\n)*)", PAGE)[1]

    typed = textwrap.dedent(block).replace("sudo -u deploybot deploybot audit verify\n", "")

    def restore(what):
        return typist.type(typed, check=False, COPY=str(what), **{"sudo deploybot": "deploybot"})

    for times in (1, 2, 3):
        (tmp_path / "audit.log").write_text(f"until {times}\n", "ascii")
        said = restore(copy)
        assert "ok: " in said and "checked" in said, said
        away = sorted(state.glob("before-*"))
        assert len(away) == times and all((one / "deploybot.db").exists() for one in away), said
        assert (tmp_path / away[-1].name / "audit.log").read_text("ascii") == f"until {times}\n"
    (tmp_path / "none").write_text("no database\n" * 100, "ascii")
    kept = (state / "deploybot.db").read_bytes()
    assert "error: nothing was restored" in restore(tmp_path / "none")
    assert (state / "deploybot.db").read_bytes() == kept and len(list(state.glob("before-*"))) == 3
    started = (tmp_path / "systemctl").read_text("ascii")
    assert started.count("stop ") == 4 and started.count("start ") == 3, "a refusal ends what is typed in one"


@pytest.fixture(scope="module", name="bot")
def fixture_bot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rotation")
    typist = Typist(folder)
    made = Bot(folder, typist)
    typist.build = made.build
    made.start()
    yield made
    check_stop(made)


@pytest.mark.parametrize("name", sorted(WEBHOOKS))
def test_a_webhooks_secret_is_changed_alone_and_both_values_open_until_the_old_one_goes(bot, name):
    change, _, clean = blocks_of("The webhook secrets")
    typist, file = bot.typist, bot.typist.server / name.lower()
    settings = typist.conf.read_text("utf-8")
    others = {path: path.read_text("ascii") for path in typist.server.iterdir() if path != file}
    _, log = bot.read_anew(lambda: typist.type(change, GITHUB_WEBHOOK_SECRET=name))
    assert f"{name}_PREVIOUS" in log and "settings not changed" not in log and "restart" not in log, log
    fresh = file.read_text("ascii").strip()
    assert fresh != WEBHOOKS[name] and re.fullmatch("[0-9a-f]{64}", fresh)
    assert file.stat().st_mode & 0o777 == 0o600
    added = f"{name}_PREVIOUS_FILE={file}_previous"
    assert typist.conf.read_text("utf-8").splitlines() == [*settings.splitlines(), added]
    said = typist.type(change, GITHUB_WEBHOOK_SECRET=name)
    assert "not cleaned up" in said and file.read_text("ascii").strip() == fresh
    if name not in ("AUTH_TOKEN_SECRET", "WEBHOOK_API_SECRET"):
        assert bot.opens(name, fresh) and bot.opens(name, WEBHOOKS[name])
    _, log = bot.read_anew(lambda: typist.type(clean, GITHUB_WEBHOOK_SECRET=name))
    assert f"{name}_PREVIOUS" in log and "settings not changed" not in log, log
    assert typist.conf.read_text("utf-8").splitlines() == settings.splitlines()
    assert {path: path.read_text("ascii") for path in typist.server.iterdir() if path != file} == others
    if name not in ("AUTH_TOKEN_SECRET", "WEBHOOK_API_SECRET"):
        assert bot.opens(name, fresh) and not bot.opens(name, WEBHOOKS[name])


def test_a_secret_of_an_applications_file_is_changed_there(tmp_path):
    change, _, clean = blocks_of("The webhook secrets")
    typist = Typist(tmp_path)
    (tmp_path / "deploybot.pid").write_text("0")
    (tmp_path / "bin" / "systemctl").write_text("#!/bin/bash\n")
    (tmp_path / "bin" / "deploybot").write_text("#!/bin/bash\n")
    theirs = f"HOOK_B2_SECRET_PREVIOUS_FILE={typist.keep('theirs_previous', 'theirs')}\n"
    typist.conf.write_text(theirs, "ascii")
    file = typist.keep("shop_hook_b2", "shop's")
    shop = typist.etc / "apps" / "shop.env"
    shop.write_text(f"HOOK_B2_SECRET_FILE={file}\nREPOSITORY_PATH=orchard/shop\n", "ascii")
    before = shop.read_text("ascii")
    instead = {"name=GITHUB_WEBHOOK_SECRET": "name=HOOK_B2_SECRET", "deploybot.conf": "apps/shop.env"}
    typist.type(change, **instead)
    assert shop.read_text("ascii") == before + f"HOOK_B2_SECRET_PREVIOUS_FILE={file}_previous\n"
    assert (typist.server / "shop_hook_b2_previous").read_text("ascii") == "shop's\n" != file.read_text("ascii")
    typist.type(clean, **instead)
    assert shop.read_text("ascii") == before and typist.conf.read_text("ascii") == theirs
    assert sorted(path.name for path in typist.server.iterdir()) == ["shop_hook_b2", "theirs_previous"]


@pytest.mark.parametrize("line", ["", "GITHUB_WEBHOOK_SECRET_FILE=/nowhere/secret\n", "GITHUB_WEBHOOK_SECRET=inline\n"])
def test_a_secret_that_is_in_no_file_is_left_as_it_is_and_that_is_said(tmp_path, line):
    typist = Typist(tmp_path)
    typist.conf.write_text(f"#\n{line}", "ascii")
    assert "nothing was changed" in typist.type(blocks_of("The webhook secrets")[0])
    assert typist.conf.read_text("ascii") == f"#\n{line}" and not list(typist.server.iterdir())
    assert not (tmp_path / "systemctl").exists()


def test_the_witnesss_id_and_its_secret_change_at_once(bot):
    """One reload takes both over, and the old file goes when the new one works."""
    change, clean = blocks_of("The witness's key")
    fresh = "new-half-fedcba9876543210"
    typist = bot.typist
    old = typist.server / "audit_s3_secret_access_key"
    said, log = bot.read_anew(lambda: typist.type(
        change, clean, stdin=fresh + "\n", **{"127.0.0.1:8080": f"127.0.0.1:{bot.port}"}))
    assert re.search("settings changed: .*AUDIT_S3_ACCESS_KEY_ID.*AUDIT_S3_SECRET_ACCESS_KEY", log), log
    assert "restart" not in log and "deploybot_audit_witness_pending" in said
    text = typist.conf.read_text("utf-8")
    file = re.search("(?m)^AUDIT_S3_SECRET_ACCESS_KEY_FILE=(.*)", text)[1]
    assert "AUDIT_S3_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE\n" in text and file.endswith("/audit_s3_AKIAIOSFODNN7EXAMPLE")
    with open(file, encoding="ascii") as there:
        assert there.read() == fresh + "\n"
    assert not old.exists() and fresh not in bot.log()


def test_cloudflares_token_is_taken_over_without_a_restart(bot):
    block, = blocks_of("A token that is pasted")
    _, log = bot.read_anew(lambda: bot.typist.type(
        block, stdin="new-token-0123456789abcdef0123456789abcd\n", REPOSITORY_TOKEN="CLOUDFLARE_API_TOKEN"))
    assert "settings changed: CLOUDFLARE_API_TOKEN" in log and "restart" not in log, log


def test_the_key_of_second_factors_has_the_old_one_on_its_second_line_until_that_goes(bot):
    """Typed twice before the restart the key that all is encrypted with is not lost."""
    change, clean = blocks_of("The key of second factors")
    file = bot.typist.server / "totp_key"
    instead = {"sudo -u deploybot deploybot doctor": "true"}      # which asks who is not there
    bot.typist.type(change, **instead)
    fresh, old = file.read_text("ascii").splitlines()
    assert old == TOTP and re.fullmatch("[0-9a-f]{64}", fresh) and fresh != old
    assert "has two keys already" in bot.typist.type(change, **instead)
    assert file.read_text("ascii") == f"{fresh}\n{old}\n" and file.stat().st_mode & 0o777 == 0o600
    bot.typist.type(clean)
    assert file.read_text("ascii") == f"{fresh}\n"
    assert (bot.folder / "systemctl").read_text("ascii").endswith("restart deploybot\n" * 2)


def test_the_repositorys_key_is_put_where_its_setting_says(tmp_path):
    make, _, _, place, *_ = blocks_of("A key by hand")
    typist = Typist(tmp_path)
    file = typist.runner / "git_key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    typist.conf.write_text(f"REPOSITORY_KEY_PATH={file}\n", "ascii")
    public = typist.type(make, "cat new_key.pub", place, SSH_KEY_PATH="REPOSITORY_KEY_PATH").strip()
    shown = subprocess.run(["ssh-keygen", "-y", "-f", file], capture_output=True, text=True, check=True).stdout.strip()
    assert public.splitlines()[-1] == shown and not (tmp_path / "home" / "new_key").exists()


def test_an_export_is_the_one_that_was_printed_and_nothing_in_it_is_other_than_it_was(bot):
    body = b'{"zen":"x"}'
    request(bot, "POST", "/github/webhook", body, {**github_headers(body, "ping"), "X-Hub-Signature-256": "sha256=1"})
    wait_audit(bot, code="webhook_rejected")
    folder = bot.folder / "export"
    said = bot.typist.type(f"deploybot audit export {folder}")
    assert hashlib.sha256((folder / "SHA256SUMS").read_bytes()).hexdigest() in said

    def status():
        return subprocess.run([folder / "verify.sh"], cwd=folder, capture_output=True, check=False).returncode

    assert status() == 0
    text = (folder / "entries.jsonl").read_text("utf-8")
    (folder / "entries.jsonl").write_text(text.replace('"denied"', '"daring"', 1), "utf-8")
    assert status() != 0
    (folder / "entries.jsonl").unlink()
    assert status() != 0


HOST = """# of the team
restrict ssh-ed25519 {deploy} deploybot-2026-01-01
restrict,command="/usr/local/lib/deploybot/act-on-host.sh --only restart-web unit=web.service" ssh-ed25519 {client} acme
ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAB/+= ada@home
"""


@pytest.mark.parametrize("which", ["deploy", "client"])
def test_a_hosts_line_gets_its_new_key_with_its_options_and_no_other_line_is_touched(tmp_path, which):
    """Both keys and somebody's own on one host; typed twice, and where the old key is not at all, nothing is lost."""
    add, *_, remove = [text for text in blocks_of("A key by hand") if "authorized_keys" in text]
    typist, home = Typist(tmp_path), tmp_path / "home"
    public = {}
    for name in ("deploy", "client", "new"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}-2026",
                        "-f", home / f"{name}_key"], check=True)
        public[name] = (home / f"{name}_key.pub").read_text("ascii").split()[1]
    (home / f"{which}_key.pub").rename(home / "old_key.pub")
    there = HOST.format(**public)
    file = tmp_path / "authorized_keys"
    file.write_text(there, "ascii")
    old = next(line for line in there.splitlines() if public[which] in line)
    fresh = old.rpartition("ssh-ed25519")[0] + f"ssh-ed25519 {public['new']} new-2026"
    instead = {"~deploy/.ssh/authorized_keys": str(file)}
    typist.type(add, **instead)
    assert file.read_text("ascii") == there.replace(old, f"{old}\n{fresh}")
    typist.type(remove, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)
    typist.type(add, check=False, **instead)
    typist.type(remove, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)
    (home / "old_key.pub").unlink()
    typist.type(remove, check=False, **instead)
    assert file.read_text("ascii") == there.replace(old, fresh)


def test_each_search_of_the_runbooks_is_a_command_that_there_is(bot):
    """And none reads the newest file alone, which begins anew with each day."""
    body = b'{"zen":"x"}'
    assert request(bot, "POST", "/github/webhook", body, {
        **github_headers(body, "ping"), "X-Hub-Signature-256": "sha256=" + "1" * 64}).status == 401
    wait_audit(bot, code="webhook_rejected")
    found = re.findall(r"(?m)^ {4}(sudo -u deploybot deploybot audit (?:search|tail).*)$", PAGE)
    shown = "".join(bot.typist.type(command) for command in found)
    assert len(found) >= 4 and '"reason":"signature"' in shown, shown
    for page in (PAGE, (ROOT / "deploy/monitoring/alerts.yml").read_text("utf-8")):
        assert not re.findall(r"(?:grep|tail|less|cat)[^\n`]*audit\.log(?!\*)", re.sub("journalctl.*", "", page))
