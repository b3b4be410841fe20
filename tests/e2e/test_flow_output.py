"""Goal: a script may print anything: what people see of it is readable, true, and holds no secret;
without steps, without a health URL and without an end in time the chat still says what is."""
# SPDX-License-Identifier: ISC
import gzip

import pytest

from flow_aid import Scene, Scripts, ended_well, is_alive
from stage import GITHUB_SECRET
from telegram_client import DEFAULT_TOKEN, buttons_of, text_of

GITHUB_TOKEN = "ghp_" + "a1B2c3D4e5" * 4
WAIT = 'until [ -e "$here/go" ]; do sleep 0.05; done\n'
RELEASE = 'echo "==> release"; echo "$2" >"$here/$1.live"\n'
PASSWORD = "correct horse; battery staple"       # shapeless, and the runner's alone
REPOSITORY_TOKEN = "a-canary-of-no-shape-0815-at-all"
PRIVATE_KEY = "-----BEGIN OPENSSH PRIVATE KEY-----"


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    scripts = Scripts(folder / "scripts")
    made = Scene(folder, settings={**scripts.settings(), "STAGING_HEALTH_URL": None,
                                   "REGISTRY_USER": "ci", "REGISTRY_PASSWORD": PASSWORD,
                                   "REPOSITORY_TOKEN": REPOSITORY_TOKEN,
                                   "PRODUCTION_HEALTH_URL": None, "DEPLOY_TIMEOUT_SECONDS": "8"})
    made.scripts = scripts
    yield made
    scripts.touch("go")
    ended_well(made)


@pytest.fixture(autouse=True)
def fresh(scene):
    scene.scripts.reset()
    scene.scripts.clear("go")
    yield
    scene.scripts.touch("go")
    scene.wait_free()


def begin(scene, words):
    scene.commit()
    scene.scripts.deploy(words)
    who = scene.admin()
    who.say("/deploy staging")
    return who


def log_of(scene, who, view):
    """The document that the Log button sends: (name, bytes)."""
    who.since = scene.chat.mark()
    who.press(view, "Log")
    document = who.hear("Log of staging")
    return document["message"]["document"]["file_name"], scene.chat.file(document)


def test_without_a_health_url_every_message_says_so(scene):
    who = begin(scene, RELEASE)
    who.hear("Live: staging", "No health check configured: success means the script exited with 0.")
    who.say("/status staging")
    who.hear("⚪ staging", "no health check configured")
    live = scene.scripts.live()
    who = begin(scene, RELEASE + "exit 1")
    who.hear(f"it runs {live[:7]} again", "No health check configured: success means the script exited with 0.")


def test_without_a_health_url_a_rollback_says_so_too(scene):
    scene.release()
    who = scene.admin()
    who.say("/rollback staging")
    who.press(who.hear("Roll back staging?"), "Roll back")
    who.hear("Rolled back: staging", "No health check configured")


def test_a_script_that_prints_nothing_is_shown_by_its_clock_alone(scene):
    who = begin(scene, WAIT)
    shown = who.hear("⏳ Deploying staging", buttons=("Stop",))
    assert "▸" not in text_of(shown) and "✓" not in text_of(shown)
    scene.scripts.touch("go")
    assert "✓" not in text_of(who.hear("Live: staging"))


def test_escape_sequences_bidi_and_markup_are_shown_as_plain_text(scene):
    who = begin(scene, r"""
printf 'colour \033[31mred\033[0m and \033]0;title\007 bell\007\n'
printf 'bidi \342\200\256txet\342\200\254 zero\342\200\213width\n'
printf 'broken \377\376 utf8\n'
printf '<b>bold</b> &amp; <a href="https://evil.example">x</a> \001\002\n'
printf 'progress 1%%\rprogress 100%%\n'
printf '==> \033[1mfancy <i>step</i>\033[0m\n'
""" + WAIT)
    said = text_of(who.hear("colour red and", "progress 100%"))
    assert "bidi txet zerowidth" in said and "<b>bold</b> &amp; <a href=" in said
    assert "progress 1%" not in said and "<i>step</i>" in said
    for bad in ("\x1b", "\x07", "\u202e", "\u200b", "title", "\x01", "[1m", "[0m"):
        assert bad not in said, repr(bad)
    scene.scripts.touch("go")
    final = who.hear("Live: staging")
    log = log_of(scene, who, final)[1].decode()
    assert "colour red and" in log and "<b>bold</b> &amp;" in log and "\x1b" not in log
    assert "\u202e" not in log and "\x07" not in log


def test_secrets_are_shown_nowhere(scene):
    # Cut by an escape sequence, too: what is clean is redacted afterwards.
    words = f"""
echo "token {DEFAULT_TOKEN} end"
echo "hub {GITHUB_TOKEN} end"
printf 'split {GITHUB_TOKEN[:9]}\\033[0m{GITHUB_TOKEN[9:]} end\\n'
echo "shared {GITHUB_SECRET} end"
echo "{PRIVATE_KEY}"; echo "b3BlbnNzaC1rZXktdjEAAAAA"; echo "-----END OPENSSH PRIVATE KEY-----"
echo "AKIAIOSFODNN7EXAMPLE done"
echo "==> {GITHUB_TOKEN}"
"""
    who = begin(scene, words + WAIT)
    shown = who.hear("hub ***", "done")
    scene.scripts.touch("go")
    final = who.hear("Live: staging")
    name, log = log_of(scene, who, final)
    everything = text_of(shown) + text_of(final) + log.decode() + scene.bot.log() + str(
        scene.audit()) + "".join(text_of(m) for m in scene.ada.messages())
    for secret in (DEFAULT_TOKEN, GITHUB_TOKEN, GITHUB_SECRET, "b3BlbnNzaC1rZXk",
                   "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in everything, secret
    assert name.endswith(".log") and "token *** end" in log.decode()
    assert "split *** end" in log.decode()


def test_the_runners_secrets_are_shown_nowhere(scene):
    """The server's own runner, whose user could read the log: it holds none either, and no step does."""
    who = begin(scene, r"""
token=$(cat "$REPOSITORY_TOKEN_FILE"); password=$(cat "$REGISTRY_PASSWORD_FILE")
for secret in "$token" "$password"; do
  echo "plain $secret end"
  echo "==> $secret"
  echo "==> 0123456789012345678901234567890 $secret"
  printf '==> split %s\033[1;31m%s\033[0m\n' "${secret:0:9}" "${secret:9}"
  printf 'split %s\033[0m%s end\n' "${secret:0:9}" "${secret:9}"
  echo "coded $(printf %s "$secret" | base64) end"
done
""" + WAIT)
    shown = who.hear("split *** end", "coded ***")
    scene.scripts.touch("go")
    final = who.hear("Live: staging")
    _, log = log_of(scene, who, final)
    who.say("/status")
    who.hear("production")
    runs = (scene.bot.folder / "state" / "runs").glob("*/*")
    kept = b"".join(path.read_bytes() for path in runs if path.is_file())
    rows = b"".join(path.read_bytes() for path in (scene.bot.folder / "state").glob("deploybot.db*"))
    everything = (text_of(shown) + text_of(final) + scene.bot.log() + str(scene.audit())
                  + "".join(text_of(m) for m in scene.ada.messages())).encode() + log + rows
    assert b"plain *** end" in kept
    for secret in (PASSWORD, REPOSITORY_TOKEN):
        assert secret.encode() not in everything + kept, secret
        assert secret[:12].encode() not in everything, secret    # nor the half of one
        assert secret[9:].encode() not in everything, secret


def test_the_failing_scripts_last_line_holds_no_secret(scene):
    who = begin(scene, f'echo "cannot log in with {GITHUB_TOKEN}" >&2; exit 65')
    said = text_of(who.hear("nothing was changed"))
    assert "cannot log in with ***" in said and GITHUB_TOKEN not in said
    assert GITHUB_TOKEN not in str(scene.audit()) + scene.bot.log()


def test_a_log_above_a_megabyte_comes_compressed(scene):
    who = begin(scene, RELEASE + 'for ((i = 0; i < 21000; i++)); do echo "line $i of a long build '
                '0123456789012345678901234567890123456789012345678901234567890123456789"; done\n'
                f'echo "last {GITHUB_TOKEN}"')
    final = who.hear("Live: staging")
    name, content = log_of(scene, who, final)
    assert name.endswith(".log.gz") and len(content) < 1 << 20
    log = gzip.decompress(content).decode()
    assert len(log) > 2_000_000 and "line 0 of a" in log and "line 20999 of a" in log
    assert log.endswith("last ***\n") and GITHUB_TOKEN not in log


def test_a_line_without_an_end_and_very_much_output_hold_nobody_up(scene):
    who = begin(scene, RELEASE + "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo over")
    who.hear("Live: staging")


def test_messages_stay_below_telegrams_limit(scene):
    steps = "".join(f'echo "==> step number {i} {"y" * 150}"\n' for i in range(64))
    who = begin(scene, steps + "for i in {1..200}; do echo \"<&> 🚀 $i\"; done\n" + WAIT + RELEASE)
    shown = who.hear("⏳ Deploying staging", "✓ 56 steps", "step number 63")
    scene.scripts.touch("go")
    final = who.hear("Live: staging")
    for view in (shown, final):
        assert len(text_of(view).encode("utf-16-le")) // 2 <= 4096
        assert buttons_of(view)


def test_a_script_that_hangs_is_ended_in_time_and_rolled_back(scene):
    live = scene.scripts.live()
    who = begin(scene, RELEASE + WAIT)
    said = text_of(who.hear(f"it runs {live[:7]} again"))
    assert "timed out: killed by signal 15" in said
    assert scene.scripts.live() == live


def test_a_script_that_hangs_before_the_release_touched_nothing(scene):
    live = scene.scripts.live()
    who = begin(scene, 'echo "==> build"\n' + WAIT)
    who.hear("nothing was changed", f"staging still runs {live[:7]}")


def test_a_script_that_ignores_term_is_killed_with_all_that_it_started(scene):
    live = scene.scripts.live()
    who = begin(scene, 'trap "" TERM\necho $$ >"$here/pid"\n'
                       "setsid bash -c 'trap \"\" TERM; while :; do sleep 1; done' &\n"
                       'echo $! >"$here/child"\n' + RELEASE + WAIT)
    who.hear(f"it runs {live[:7]} again", timeout=60)
    for name in ("pid", "child"):
        assert not is_alive((scene.scripts.folder / name).read_text().strip()), name
    assert scene.scripts.live() == live


def test_two_environments_deploy_at_the_same_time(scene):
    both = RELEASE + 'touch "$here/up.$1"\n' + WAIT
    scene.scripts.deploy(both)
    scene.scripts.deploy(both, "production")
    scene.commit()
    one, two = scene.admin(), scene.admin()
    two.say("/deploy production")
    question = two.hear("Deploy to production?")
    one.begin()
    two.press(question, "Deploy to")
    one.hear("Deploying staging")       # it may ask first: it contains what another test broke
    scene.scripts.wait_for("up.staging")
    scene.scripts.wait_for("up.production")
    assert scene.is_busy("staging") and scene.is_busy("production")
    scene.scripts.touch("go")
    one.hear("Live: staging")
    two.hear("Live: production")
    scene.wait_free("production")


def test_a_script_gets_no_secret_of_the_servers_and_a_small_environment(scene):
    who = begin(scene, 'env | sort >"$here/env"; echo "args $*" >>"$here/env"\n'
                       'ls -l /proc/self/fd | grep -c socket: >"$here/sockets" || true\n' + RELEASE)
    who.hear("Live: staging")
    seen = (scene.scripts.folder / "env").read_text()
    names = {line.partition("=")[0] for line in seen.splitlines() if "=" in line}
    for word in (DEFAULT_TOKEN, GITHUB_SECRET, "TELEGRAM", "WEBHOOK", "ADMIN"):
        assert word not in seen
    assert {"PATH", "DEPLOYMENT_ID", "PREVIOUS_RELEASE", "REF", "STATE_DIRECTORY"} <= names
    assert f"args staging {scene.head('develop')}" in seen
    assert (scene.scripts.folder / "sockets").read_text().strip() == "0"
