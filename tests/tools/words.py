#!/usr/bin/python3
"""words.py [FILE...] - what users read says things in the field's words: one word for one thing.

Looks at string literals of the product's C, at texts of scripts, at nginx/, monitoring, manuals, .env.example and
docs; prints `file:line: "phrase": say ...` and exits 1 when there was any.  Without FILEs it takes all that git knows.
"""
# SPDX-License-Identifier: ISC
import pathlib
import re
import subprocess
import sys

from rooms import ROOMS

IS = r"(?:is|are|was|were|be|been|being|isn't|aren't)"

# regular expression (a blank is any white space, also a line's end) → what to say instead
WORDS = {
    r"told twice to stop": "second signal: exiting at once",
    r"(?:un)?told|tells?|telling|tells? of": "notify, notified, report, sent, say",
    r"(?:taken?|takes|taking|took|goes|go|going|went|gone) (?:it |them |that |this )?back|"
    r"(?:no )?way back":
        "roll back, rolled back, previous release, no release to roll back to",
    r"all is well": "ok",
    r"is it well": "health",
    rf"(?:{IS}|not|looks?|stays?) (?:not |all )?well(?! known)|sick|ill": "healthy, unhealthy",
    r"under ?way": "in progress, running",
    r"wait(?:s|ed|ing)? (?:for )?(?:its|their|his|your|a|the) turn": "queued",
    r"(?<!lock is )(?<!locks are )held(?! by the lock)": "blocked (a commit), kept; a lock is held",
    r"superseded by": "replaced by a newer commit",
    r"asked by": "requested by",
    r"found in git": "found by polling",
    r"script's word|word of the script": "no health check configured: success means the script exited with 0",
    r"asks? Telegram|Telegram is asked|asking Telegram": "polls Telegram for updates; calls Telegram",
    r"(?:un)?heard|hears?|hearing|deaf": "received, not received, receiving updates",
    r"keepers?": "supervisor",
    r"(?:puts?|putting|set|laid) (?:it |them )?aside": "quarantined (an event), moved away (a file)",
    r"(?:goes|go|going|went) on without us": "left running; will be re-attached at the next start",
    r"(?:un)?settle[sd]?|settling": "reconcile, reconciled",
    r"signs? of life": "heartbeat",
    r"mend(?:s|ed|ing)?|(?:makes?|made|puts?) (?:it |them |that |all )?right": "fix, fixed",
    r"(?:is|are|was|were|be|nothing|not|nowhere) (?:not )?to be had": "not available",
    rf"{IS} (?:not )?away|while (?:it|the runner) {IS} away": "disconnected",
    r"gone with its container": "this directory is not persistent",
    r"failed to keep what was written|did not keep what was written": "fsync failed",
    r"(?:one|that|which|who) (?:hangs|dies)": "hung, crashed",
    r"(?:newer|older) than (?:we|us|ours)": "newer version, older version",
    rf"{IS} nobody(?:'s)?": "who or what it is, without a negation",
}

# (file, regular expression of the line, the reason): what is right where it stands.
ALLOWED = (
    ("deploy/github/ci-cd.yml", r"needs: \[plan, test, scan, build, tell, deploy\]", "the name of a job"),
    ("server/chat/chat_deployment_question.c", r"Go back to %", "no rollback: an older commit is deployed"),
    ("server/store/store_batch.c", r"\.outcome = \"put aside\"", "a word in the audit log since 0.1.0"),
)

BLANK = "\0"
LITERAL = r'"(?:\\.|[^"\\\n])*"'
C_TOKEN = re.compile(rf"/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\\n])+'|^[ \t]*#[ \t]*include[^\n]*|(?P<prose>{LITERAL})",
                     re.S | re.M)
SH_TOKEN = re.compile(r"(?:(?<=\s)|^)#[^\n]*|<<-?(['\"]?)(?P<end>\w+)\1(?P<doc>.*?\n)[ \t]*(?P=end)$|\\.|"
                      r"(?P<prose>'[^']*'|\"(?:\\.|[^\"\\])*\")", re.S | re.M)
SQL = re.compile(r'"\s*\(?(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|PRAGMA|ALTER|DROP|FROM|WHERE|AND|OR|NOT|JOIN|LEFT|'
                 r'ORDER|GROUP|VALUES|SET|COALESCE|CASE|EXISTS|ON CONFLICT)\b|"[^"]*\$\d|'
                 r'[\s\S]*\b(?:TEXT|INTEGER|BLOB|NOT NULL)\b')
ONE_WORD = re.compile(r"[\"']\W*\w*\W*[\"']")
JSON_KEY = re.compile(r'\\?"\w+\\?"[ \t]*:')
# In docs and manuals: one word of code is a name; an address is what it is.
CODE_WORD = re.compile(r"`[^`\s]+`|\\f[BI][^\s\\]+\\f[RP]|\]\([^)\s]*\)|https?://\S+|<!--.*?-->", re.S)
PROMETHEUS = re.compile(r"^[ \t]*-?[ \t]*\"?(?:expr|alertname|alert|record|series|values)\"?:[^\n]*", re.M)
CAPITALS = re.compile(r"\b[A-Z][A-Z_]+\b")      # in docs: an act or a state of a rule table
YAML_KEY = re.compile(r"^[ \t]*(?:- )?[\w-]+:(?=[ \n])", re.M)
MARKS = re.compile(r"^[ \t]*(?:#+|>|\.\\\"|\.[A-Z]{2,}|[-*])(?=[ \t]|$)", re.M)
DOCS = {".md", ".8"}
SCRIPTS = {".sh", ".awk"}
# Users read comments of these, too.
WHOLE = (".env.example", "nginx/*", "deploy/compose/*", "deploy/github/*.yml", "deploy/gitlab/*.yml", "deploy/hosts/*",
         "deploy/kubernetes/*", "deploy/monitoring/*", "deploy/own/*", "deploy/systemd/*")


def blank(text):
    return re.sub(r"[^\n]", BLANK, text)


def hide(pattern, text):
    """The text without what matches, everything else where it was."""
    return pattern.sub(lambda match: blank(match.group(0)), text)


def only_prose(token, text, is_prose):
    """The text of which only literals are left that are sentences, everything else blank."""
    kept, end = [], 0
    for match in token.finditer(text):
        literal = match["prose"] or match.groupdict().get("doc")
        if literal is None or not is_prose(literal):
            continue
        begin = match.start("prose") if match["prose"] else match.start("doc")
        kept += [blank(text[end:begin]), literal]
        end = begin + len(literal)
    return "".join(kept) + blank(text[end:])


def is_sentence(literal):
    return not ONE_WORD.fullmatch(literal) and not SQL.match(literal)


def newest_section(text):
    """CHANGES.md: what was released stays as it was said."""
    headings = [match.start() for match in re.finditer(r"^## ", text, re.M)]
    return text[:headings[1]] + blank(text[headings[1]:]) if len(headings) > 1 else text


def prose(path, text):
    """What users read of a file, on its lines; None: nothing of it is for users."""
    room, name = path.parts[0], path.name
    if path.suffix in (".c", ".h", ".def") and room in ROOMS:
        return hide(JSON_KEY, only_prose(C_TOKEN, text, is_sentence))
    if name == "CHANGES.md":
        text = newest_section(text)
    if path.suffix in DOCS:
        return re.sub(MARKS, lambda match: " " * len(match[0]), hide(CAPITALS, hide(CODE_WORD, text)))
    if path.suffix in SCRIPTS and room == "deploy":
        return only_prose(SH_TOKEN, text, lambda literal: not ONE_WORD.fullmatch(literal)) # $1 is no SQL here
    if any(path.match(files) for files in WHOLE):
        return re.sub(MARKS, lambda match: " " * len(match[0]), hide(YAML_KEY, hide(PROMETHEUS, hide(JSON_KEY, text))))
    return None


TABLE = [(re.compile(r"(?<![\w/.$-])(?:" + words.replace(" ", r"\s+").replace(r"<!lock\s+is\s+", "<!lock is ")
                     .replace(r"<!locks\s+are\s+", "<!locks are ") + r")(?![\w/=(]|-\w)", re.I), say)
         for words, say in WORDS.items()]


def findings(path, text, allowed, used):
    """(line, phrase, what to say), a place once; what is allowed is noted in used."""
    seen, lines = prose(path, text), text.split("\n")
    if seen is None:
        return []
    found, taken = [], set()
    for words, say in TABLE:
        for match in words.finditer(seen):
            line = seen.count("\n", 0, match.start()) + 1
            reason = next((row for row in allowed if path.match(row[0]) and re.search(row[1], lines[line - 1])), None)
            if reason:
                used.add(reason)
            elif taken.isdisjoint(range(*match.span())):
                found.append((line, re.sub(r"\s+", " ", match[0]), say))
            taken.update(range(*match.span()))
    return sorted(found)


def tracked():
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], check=True,
                            capture_output=True, text=True).stdout
    return [pathlib.Path(name) for name in sorted(set(listed.splitlines())) if pathlib.Path(name).is_file()]


def main(named):
    used, bad = set(), 0
    for path in [pathlib.Path(name) for name in named] or tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        for line, phrase, say in findings(path, text, ALLOWED, used):
            print(f'{path}:{line}: "{phrase}": say: {say}')
            bad += 1
    for row in () if named else [row for row in ALLOWED if row not in used]:
        print(f"tests/tools/words.py: {row[0]}: {row[1]}: is not there any more: take it off ALLOWED")
        bad += 1
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
