"""hostile_words.py - escapes, direction marks, markup and forged lines wherever others choose the words: output,
steps, commit messages, authors, people's names, arguments: shown as plain text, and never as more."""
# SPDX-License-Identifier: ISC
import json
import re
import subprocess

import sample_app
from hostile_aid import IN_PROGRESS, PATIENCE_S, check_log, must
from crash_aid import CrashScene
from flow_aid import FIRST_ADMIN
from hostile_text import check_line, check_text
from telegram_client import MALLORY, text_of

ODD = ("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "\x1bP+q\x1b\\",
       "\x1b[2J\x1b[H", "\x9b31m", "\x9d0;t\x9c", "\x07\x08\x0b\x0c", "\x00", "\x7f", "\u202etxet\u202c",
       "\u2066a\u2069",
       "\u200e\u200f\u061c", "a\u200bb\u2060c\ufeffd", "\u2028\u2029", "\U000e0041\U000e0042", "\r\nERROR forged",
       "\n2026-01-01T00:00:00.000Z error   forged", "<b>bold</b>", "<a href=\"http://evil.example\">x</a>",
       "</code></b>",
       "<tg-spoiler>x</tg-spoiler>", "&lt;b&gt; &amp; &#60;b&#62;", "*bold* _it_ `code` [x](http://evil.example)",
       "**b** ||spoiler|| ~~s~~ > q", "tg://user?id=1", "@everybody", "/deploy production", "\ud83d\ude80",
       "e\u0301" * 30,
       "\u0e33" * 40, "\U0001f468\u200d\U0001f469\u200d\U0001f467", '"}],"x":"', "'; DROP TABLE deployment; --",
       "%n%s%s",
       "{{7*7}}", "${jndi:ldap://evil}", "\\x1b[31m", "\\u202e", "a" * 3000, "\u4e2d" * 1500)
FORGED_STEPS = ("==> release", "==> no-rollback", "==> ")


def encode(text):
    """Bytes of a text; lone surrogates too, as a program might write them."""
    return text.encode("utf-8", "surrogatepass")


def said_by_a_script(dice, path):
    """A file that a script prints: the words, each alone, cut and mixed, and bytes that are no UTF-8."""
    pieces = []
    for _ in range(60):
        pieces.append(encode("".join(dice.sample(ODD, dice.choice((1, 2, 3))))) + dice.choice((b"\n", b"\r", b" ")))
        pieces.append(bytes(dice.randrange(256) for _ in range(dice.randrange(40))) + b"\n")
    pieces += [b"==> " + encode(word) + b"\n" for word in ODD if "\n" not in word]
    path.write_bytes(b"".join(pieces))


def for_git(text):
    """Without what git refuses in any text, and never blank."""
    kept = "".join(c for c in text if c != "\0" and not "\ud800" <= c <= "\udfff")
    return kept if kept.strip() else f"x{kept}"


def commit_with(scene, author, subject):
    """A commit whose author and message are these."""
    sample_app.check_out(scene.work, "develop")
    name = re.sub(r"[\n\0<>]", " ", author).strip()
    if not re.search(r"[^\0-\x20.,:;<>\"\\']", name):
        name += "x"     # git refuses a name of nothing but what it strips
    subprocess.run(["git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-q", "--allow-empty", "--no-verify",
                    f"--author={name} <x@example.org>", "--cleanup=verbatim", "-F", "-"],
                   cwd=scene.work, input=encode(subject), check=True, capture_output=True)
    sample_app.git(scene.work, "push", "-q", "origin", "develop")


def links_of(view):
    return [e for e in view["message"].get("entities", []) if e["type"] in ("text_link", "text_mention", "url")]


def look(scene, hall):
    """Everything that people and programs read."""
    for person in [FIRST_ADMIN + n for n in range(scene.next_admin)] + [MALLORY]:
        for view in scene.chat.messages(person):
            if not view["outgoing"]:
                continue
            hall.hit("messages looked at")
            check_text(text_of(view), "the chat")
            must(not [e for e in links_of(view) if "evil" in json.dumps(e)], f"a link of others: {view['message']}")
            if "document" in view["message"]:
                check_text(scene.chat.file(view).decode("utf-8"), "a log document")
                check_text(view["message"]["document"]["file_name"], "a file's name")
    for line in scene.bot.log().rstrip("\n").split("\n"):
        check_line(line, "the log")
    raw = (scene.folder / "audit.log").read_text(encoding="utf-8")
    for line in raw.rstrip("\n").split("\n"):
        must(isinstance(json.loads(line), dict), f"an audit line: {line!r}")
        check_text(line, "the audit log")
        hall.hit("audit lines looked at")
    for line in scene.bot.metrics().rstrip("\n").split("\n"):
        must(re.fullmatch(r"#.*|\w+(\{([a-z_]+=\"([^\"\\]|\\.)*\",?)*\})? -?[0-9.eE+-]+(nan|inf)?", line),
             f"a metric: {line!r}")
        check_text(line, "metrics")
    for name in ("staging", "production"):
        state = scene.folder / "state" / "environments" / f"{name}.json"
        if state.exists():
            check_text(json.dumps(json.loads(state.read_text()), ensure_ascii=False), "a state file")


def deploy(hall, scene, dice, words):
    """One deployment around these words: its commit, its author, who asks, and what is printed."""
    author, subject, person = words
    said_by_a_script(dice, scene.scripts.folder / "words")
    ends_well = dice.random() < 0.6
    scene.scripts.deploy('cat "$here/words"; echo "==> release"; echo "$2" >"$here/$1.live"\n'
                         f'tail -c 300 "$here/words"; exit {0 if ends_well else 3}')
    if "commits" not in hall.hits or dice.random() < 0.9:
        commit_with(scene, for_git(author), for_git(subject))
        hall.hit("commits")
    else:
        scene.commit()
    who = scene.admin()
    scene.chat.act("users", user_id=who.number, first_name=person.replace("\0", "")[:60] or "x", username="a_b")
    who.say("/deploy staging")
    said = who.hear("staging", without=IN_PROGRESS, timeout=2 * PATIENCE_S)
    scene.wait_free()
    if dice.random() < 0.5 and any("Log" in label for row in
                                   said["message"].get("reply_markup", {}).get("inline_keyboard", [])
                                   for label in [b["text"] for b in row]):
        who.press(said, "Log")
        who.hear("Log of staging")
        hall.hit("logs as documents")
    hall.hit("deployments")


def arguments(hall, scene, dice):
    """Said to the bot by somebody with a role, and by somebody without."""
    for word in dice.sample(ODD, hall.size(len(ODD), 6)):
        if any("\ud800" <= c <= "\udfff" for c in word):
            continue
        for text in (f"/deploy {word[:1000]}", f"/{word[:30]}", f"/history {word[:1000]}"):
            who = scene.admin() if scene.next_admin < 36 else scene.ada
            who.say(text)
            scene.mallory.say(text)
            hall.hit("arguments")


def play(hall):
    hall.wants("deployments", "commits", "arguments", "messages looked at", "audit lines looked at")
    dice = hall.dice("words")
    scene = CrashScene(hall.room("words"), settings={"LOG_LEVEL": "DEBUG", "STAGING_HEALTH_URL": None})
    try:
        for _ in range(hall.size(16, 2)):
            deploy(hall, scene, dice, [dice.choice(ODD) + dice.choice(ODD) for _ in range(3)])
        arguments(hall, scene, dice)
        who = scene.admin()
        who.say("/history staging")
        who.hear("staging")
        scene.scripts.reset()
        scene.commit()
        scene.release()
        look(scene, hall)
        must(scene.bot.run("audit", "verify").returncode == 0, "the audit")
    finally:
        status = scene.stop()
        scene.health.close()
    must(status == 0, f"deploybot ended with {status}:\n{scene.bot.log()[-3000:]}")
    check_log(scene.bot.log())
