#!/usr/bin/python3
"""chat_texts.py FOLDER FILE - every message that the unit tests make the chat say, as one page of a phone's width.

FOLDER is what tests/tools/run_tests.py has kept.  Messages that differ by numbers, commits and names of people alone
stand there once, one of each kind in front and the others folded.  The page begins with what a lock screen shows of
each kind: its first forty characters.
"""
# SPDX-License-Identifier: ISC
import collections
import html
import json
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST = 40     # what a lock screen shows
NAME = re.compile(r"\b(staging|production|qa|demo|client/\w+|\w+/\w+)\b")
# What rings and is about a person, who then stands there, or is the one who reads it.
ABOUT_PERSON = re.compile(r"🔐|⏳ (Access ends|Your role)")
PERSON = re.compile(r"telegram:\d+|@\w+|2FA reset of \d+|Your role \w+|Token (made|blocked|revoked): \w+"
                    r"|(Agent|Runner) (code made|enrolled|moved|revoked|changed): [a-z0-9]"
                    r"|Two hosts have one key: [a-z0-9]"
                    r"|\d agents? changed: [a-z0-9]")
ABOUT_SERVER = re.compile(r"🔥 Audit log cut off|🔐 This database was restored from a backup"  # there is one
                          r"|❌ Settings without effect: "
                          r"|(❌ CI failed|✅ CI green again): \S+ ")      # of a repository's branch
ELSEWHERE = re.compile(r"\S+ [\w ]+: all (environments|of \w+)")     # a lock or freeze has
# What is on record is no news of what runs.
IN_DOUBT = re.compile(r"\b([Mm]ay be|is) DOWN\b|\b[Ww]hat runs in \S+ is not known")
AS_IF_KNOWN = re.compile(r"\bstill runs\b|\bstill serves\b|\nreplaces ")
# What says how things stand, asks about a command, or is about a person, is no outcome of a row's.
STANDING = re.compile(
    r"(\S+ )?\S+( runs | has no release| is DOWN| may be DOWN|$"
    r"|: (in progress|nothing is in|not known|renamed|not in the|another commit answers|unhealthy"
    r"|\d+ of \d+ (health URLs|run )))"
    r"|Here: /|❓ /|\S+: /|❓ client/|🔐 Right|⏳ (Access|Your|[a-z])|No \"|Did you|I don't"
    r"|\S .+ by \S.*, [\w ]+ \d\d:\d\d$"   # a line of /pipelines
    r"|⚪ No release yet: |There is|Too much|You may|You see|Your |Usage|🔐 (Access|Log|Not|You|Token)|⛔ /")


def rows(programs):
    """Beginnings in the table as they stand there; of one that is a sign alone the target is next."""
    begins = re.findall(r'^FIRST\(\w+, *\w+, *(\w+), *"([^"]*?)"',
                        (ROOT / "server/chat/first.def").read_text("utf-8"), re.M)
    return re.compile("|".join(re.escape(row) if re.search(r"\w", row) else row + NAME.pattern
                               for of, row in begins if re.fullmatch(programs, of)))


ROW = rows(r"\w+")
WORK = rows(r"[DRA]+")
SIGNS = tuple(re.findall(r'^SIGN\("(.+?)"', (ROOT / "server/chat/sign.def").read_text("utf-8"), re.M))
STATUS = ("🟢 ", "🔴 ", "⚪ ", "🩺 ", "⚠️ ")     # how one environment stands: a line of /status
TAGS = {"\1": "b", "\2": "code", "\3": "pre", "\4": "i", "\5": "blockquote"}
VARIES = (r"\b[0-9a-f]{7,64}\b", r"@\w+", r"\d+", r"\b(staging|production|blog/\w+|shop/\w+)\b",
          r"\b(ms|s|min|h|d)\b")
STYLE = """body{max-width:390px;margin:0 auto;display:block;height:auto;overflow:visible}
h1,h2{font-size:16px;margin:24px 12px 4px}ol{font-size:13px;margin:0 12px;padding-left:34px}
.row{margin:8px 12px}.bubble{max-width:100%}blockquote{max-height:4.2em;overflow:hidden}
small{opacity:.6;display:block;margin:10px 12px 0}"""


def said(folder):
    """What each program has made the chat say, in its order."""
    return [{"program": path.name, **json.loads(line)} for path in sorted(folder.iterdir())
            for line in path.read_text("utf-8").splitlines()]


def plain(text):
    return re.sub("[\1-\5]", "", text)


def shape(message):
    """The same for messages that need to be read once."""
    key = plain(message["text"]) + "\n" + "|".join(message["buttons"])
    for pattern in VARIES:
        key = re.sub(pattern, "#", key)
    return key


def kind(message):
    """How it is headed: its outcome, or the command that it answers."""
    first = plain(message["text"]).partition("\n")[0]
    outcome = re.match(r"(?:[^\w/\"].{0,3} ?)?[A-Z][\w, ]{1,22}?(?=:| staging| production|$)", first)
    if outcome:
        return outcome[0].strip()
    return message["program"].removeprefix("test_").replace("_", " ")


def marked(text):
    """HTML of marked text: a mark is switched on and off by the same character."""
    is_open, out = set(), []
    for part in re.split("([\1-\5])", text):
        if part not in TAGS:
            out.append(html.escape(part))
            continue
        out.append(f"<{'/' if part in is_open else ''}{TAGS[part]}>")
        is_open ^= {part}
    return "".join(out)


def bubble(message):
    keys = "".join(f'<div class="keyboard-row"><button class="key">{html.escape(label)}</button></div>'
                   for label in message["buttons"])
    sound = "rings" if message["rings"] else "silent"
    return (f'<small>{message["program"]}, {sound}</small><div class="row theirs"><div class="bubble">'
            f'<div class="body">{marked(message["text"])}</div></div><div class="keyboard">{keys}</div></div>')


def page(kinds):
    """One of each kind, in a table of how they begin and as they look; all others of it are folded behind that one."""
    style = (ROOT / "tests/peers/page/chat.css").read_text("utf-8") + STYLE
    parts = [f'<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=390">'
             f"<title>Texts of the chat</title><style>{style}</style>"
             f"<h1>{len(kinds)} kinds, by their first forty characters</h1><ol>"]
    parts += [f'<li><a href="#{number}">{html.escape(plain(found[0]["text"]).partition(chr(10))[0][:FIRST])}</a>'
              f" ({len(found)})</li>" for number, (name, found) in enumerate(sorted(kinds.items()))]
    parts.append("</ol>")
    for number, (name, found) in enumerate(sorted(kinds.items())):
        parts.append(f'<h2 id="{number}">{html.escape(name)}</h2>' + bubble(found[0]))
        if len(found) > 1:
            more = "".join(map(bubble, found[1:]))
            parts.append(f"<details><summary>{len(found) - 1} more</summary>{more}</details>")
    return "".join(parts)


def hides_where(message):
    """A lock screen shows no target of it: of whatever rings, and of a work's messages that do not."""
    first = plain(message["text"]).partition("\n")[0]
    is_said = NAME.search(first[:FIRST]) or ELSEWHERE.match(first) or ABOUT_SERVER.match(first) or (
        ABOUT_PERSON.match(first) and PERSON.search(first[:FIRST]))
    return (message["rings"] or WORK.match(first)) and not is_said


def begins_as_no_row(message):
    """Its outcome does not stand in the table, in front of where."""
    first = plain(message["text"]).partition("\n")[0]
    return NAME.search(first) and not STANDING.match(first) and not ROW.match(first)


def begins_with_another_sign(message):
    """One of the eleven, a light of /status, or a word."""
    text = plain(message["text"])
    return text and not text[0].isascii() and not text.startswith((*(f"{sign} " for sign in SIGNS), *STATUS))


def knows_too_much(message):
    """It says that something is in doubt, and what runs as if that were known."""
    text = plain(message["text"])
    return IN_DOUBT.search(text) and AS_IF_KNOWN.search(text)


def misleading(folder):
    """What is untrue or says nothing: a line for each first line, with what is wrong."""
    rules = ((hides_where, "a lock screen does not say where"), (knows_too_much, "in doubt, and said as if known"),
             (begins_as_no_row, "begins as no row of first.def"),
             (begins_with_another_sign, "begins with no sign of sign.def"))
    return sorted({f"{wrong}: {plain(message['text']).partition(chr(10))[0]}" for message in said(folder)
                   for rule, wrong in rules if rule(message)})


def main():
    folder, target = map(pathlib.Path, sys.argv[1:])
    kinds, seen = collections.defaultdict(list), set()
    for message in said(folder):
        if shape(message) not in seen:
            seen.add(shape(message))
            kinds[kind(message)].append(message)
    target.write_text(page(kinds), encoding="utf-8")
    print(f"{target}: {len(seen)} texts of {len(kinds)} kinds")


if __name__ == "__main__":
    main()
