#!/usr/bin/python3
"""lint_text.py FILE... - what a script can see in a text: first lines, banned calls, widths, paths.

Prints `file:line: what is wrong` and exits 1 when there was any; what is only long is a warning.
"""
# SPDX-License-Identifier: ISC
import pathlib
import re
import sys

from rooms import ROOMS

TAB = 8
LONG_FILE = 700
# Longer than that, each with its reason; one that is short by now comes off the list.
TO_BE_SPLIT = "older than the limit"
MAY_BE_LONG = {"server/store/store_schema.c": "SQL that databases have run: it is added to, and never rewritten"} | \
    dict.fromkeys((
        "tests/sim/sim_check.c", "tests/sim/sim_inside.h", "tests/sim/sim_run.c"), TO_BE_SPLIT)
LONG_FUNCTION = 100
# C has 100 columns; what is read less closely may have some more.
WIDTHS = {".c": 100, ".h": 100, ".def": 120, ".py": 120, ".js": 120, ".sh": 132, ".md": 140}
HEAD_WIDTH = 120    # a file's first line says its job and its side: it is never broken
# Rows of tables, addresses, and lists of packages cannot be broken.
NO_WIDTH = re.compile(r"^\|.*\|$|data:image|https?://|^\t\[\w+\]=\"|^\t[A-Z]+\(\".*\) \\$|^\t(?:RULE\(|/\*   from )")
LITERAL = r'"(?:\\.|[^"\\\n])*"'
# In C a literal is one, so that what is said is found by what it says: its line may be as long as it is.  What is
# printed as lines has each on one of its own, and SQL its clauses.
ONE_LITERAL = re.compile(rf"\s*(?:return )?{LITERAL}[ ,;)}}]*")
SPLIT = re.compile(rf"/\*.*?\*/|'(?:\\.|[^'\\\n])+'|({LITERAL}(?:[ \t]*\\?\n[ \t]*{LITERAL})+)|{LITERAL}", re.S)
SQL = re.compile(r'"\s*\(?(?:SELECT|INSERT|UPDATE|DELETE|CREATE|WITH|PRAGMA|ALTER|DROP|FROM|WHERE|AND|OR|NOT|JOIN|LEFT|'
                 r'ORDER|VALUES|COALESCE|CASE|EXISTS)\b|"\(?\w+(?: =|, \w+, \w+,)|"\), \w+ AS \(|"[^"]*\$\d|'
                 r'[\s\S]*\b(?:TEXT|INTEGER|BLOB|NOT NULL|CREATE TABLE|CREATE (?:UNIQUE )?INDEX)\b')
ROOT = pathlib.Path(__file__).resolve().parents[2]
FIRST_LINES = tuple(re.findall(r'(?m)^FIRST\(\w+, *\w+, *\w+, *"([^"]*\w: )"',
                               (ROOT / "server/chat/first.def").read_text(encoding="utf-8")))

BANNED = {
    "sprintf": "snprintf, or buf_addf",
    "vsprintf": "vsnprintf",
    "strcpy": "text_copy",
    "strncpy": "text_copy",
    "strcat": "buf_adds",
    "strncat": "buf_adds",
    "strtok": "strchr, or strsep on a copy",
    "atoi": "strtol with its end checked, or text_to_size",
    "atol": "strtol with its end checked, or text_to_size",
    "atoll": "strtol with its end checked, or text_to_size",
    "atof": "strtod with its end checked",
    "gets": "fgets with its size",
    "system": "the runner's table of programs",
    "popen": "the runner's table of programs",
    "rand": "crypto_random",
    "srand": "crypto_random",
    "random": "crypto_random",
    "localtime": "text_time, or gmtime_r",
    "gmtime": "text_time, or gmtime_r",
    "ctime": "text_time",
    "asctime": "text_time",
    "strerror": "err_errno, or strerrordesc_np",
    "mktemp": "mkstemp",
    "tmpnam": "mkstemp",
    "alloca": "a buffer with a cap",
}
# What is a key or a file of secrets by its name; .gitignore has the same.  By what stands in it: `lint.sh secrets`.
KEY_FILE = re.compile(r"(?:^|/)(?:[^/]*\.(?:pem|key|p12|pfx|jks|keystore|kdbx)|id_(?:rsa|dsa|ecdsa|ed25519)[^/]*|"
                      r"[^/]*deploy_key|kubeconfig|\.env|[^/]+\.env|\.netrc|\.pgpass|(?<!^deploy/github/)secrets?/.+)$")
BARE_RETURN = re.compile(r"^[^#]*(?<![\w\"$#])return(?=\s*($|;|\}|#))")
BACKGROUND = re.compile(r"(?<![&<>])&\s*(?:#.*)?$|^}$")
BANNED_CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
# lib/mem.h ends the program instead. What may be refused: what a supervisor does behind its gate, numbers, and what an
# archive needs of the 256 MB that its unpacker has.
MEMORY_CALL = re.compile(r"(?<![\w.>])((?:m|c|re)alloc|reallocarray|strn?dup|v?asprintf)\s*\(")
MAY_BE_REFUSED = {"lib/mem.c", "runner/connections.c", "runner/process.c", "runner/main_unpack.c",
                  "runner/unpack_tree.c"}
SLEEP_C = re.compile(r"(?<![\w.>])(?:u|nano)?sleep\s*\(")
SLEEP_PY = re.compile(r"(?<![\w.])(?:time\.)?sleep\(")
# Where a wait is the thing itself: the one helper that polls, a kill at a moment that was drawn by lot,
# the pace of who drips bytes and of a sender among others, and what a benchmark measures.
MAY_SLEEP = {"tests/demo/stage.py", "tests/e2e/test_http_load.py", "tests/faults/adopt.py", "tests/faults/soak.py",
             "tests/tools/jwt_attacks.py"}
MAY_SLEEP_UNDER = ("tests/bench/",)
SEEDS = "tests/fuzz/corpus/"    # input of parsers: bytes, not text
# What is compared byte by byte, stopping at the first that differs, shows how far it was right.
SECRET = re.compile(r"\b(?:mem|str|strn)cmp\s*\([^;]*(?:secret|token|signature|hmac|password)", re.I)
NOT_SECRET = re.compile(r"/\* public \*/")    # beside a comparison that only sounds like one
# A sentence is for people: it is reworded and translated, and nothing is decided by it.  A fact has a field.
COMPARED = r"\b(?:strn?cmp|strn?casecmp|str(?:case)?str|text_(?:same_ci|starts|starts_ci|ends))\s*\("
COMPARED_CALL = re.compile(COMPARED)
PART_OF = r"\b(?:strn(?:case)?cmp|str(?:case)?str|text_(?:starts|starts_ci|ends))\s*\("
# ... which a macro may be called, in a header or above: all that only sounds like one has a reason below.
SENTENCE_MACRO = re.compile(r'(?m)^#define (\w+)[ \t]+(?:\\\n\s*)?[^\n(]*"[^"\n]*[A-Za-z] [A-Za-z][^"\n]*"')
HEADERS_MACROS = [name for room in ROOMS
                  for path in sorted((ROOT / room).rglob("*.h"))
                  for name in SENTENCE_MACRO.findall(path.read_text(encoding="utf-8"))]


def sentence_in(text):
    """What finds a line of that file in which a sentence, or a part of a text made for people, is compared."""
    macros = "".join(rf"|\b{name}\b" for name in HEADERS_MACROS + SENTENCE_MACRO.findall(text))
    return re.compile(
        rf'{COMPARED}[^;?]*(?:(?:->|\.)(?:detail|note|description)\b|"[^"]*[A-Za-z] [A-Za-z][^"]*"{macros})|'
        rf"{PART_OF}[^;?]*(?:(?:->|\.)(?:reason|why)\b|\b(?:err|line|lines\[\w+\])(?:->|\.)text\b)")


MAY_READ_SENTENCES = {
    "lib/http_server.c": "libmicrohttpd has no other word of it",
    "lib/setting.c": "the last line of PEM",
    "runner/cgroup.c": "the kernel's format",
    "runner/supervisor_limits.c": "names of steps of deploy/git.sh and act.sh",
    "server/runs/run_translate.c": "how scripts say that a host is unknown: docs/fleets",
    "server/chat/chat_deployment_emergency.c": "a word on disk: test_words_on_disk",
    "server/chat/chat_deployment_nag.c": "what is over is left out of its own text",
    "server/chat/chat_deployment_parts.c": "a word on disk: test_words_on_disk",
    "server/chat/chat_deployment_ring.c": "a word on disk: test_words_on_disk",
    "server/chat/chat_deployment_run.c": "a word on disk: test_words_on_disk",
    "server/chat/chat_deployment_shown.c": "a word on disk: test_words_on_disk",
    "server/clients/forge_api_answer.c": "GitHub's message: some of its secondary limits have no header",
    "server/decide/tell/decide_pin.c": "only whether the same is sent again",
    "server/decide/git/decide_push.c": "git first: an effect's word on disk",
    "server/effects/perform_git_query.c": "the name of a step of deploy/git.sh",
    "server/effects/probe_check.c": "only what is shown is made shorter",
    "server/telegram/telegram_poll.c": "Telegram's description: two conflicts have one code",
    "server/telegram/telegram_send_judge.c": "Telegram's description: all its refusals have one code",
}
# In what server/console/ sends to a browser.
PAGE = pathlib.PurePath("server/console")
PAGE_BANNED = {
    re.compile(r"(?:inner|outer)HTML|insertAdjacentHTML|document\.write|srcdoc|DOMParser|createContextualFragment"):
        "text is never markup: textContent, append()",
    re.compile(r"\beval\(|\bnew Function\b|set(?:Timeout|Interval)\(\s*[\"'`]|javascript:|<script(?![^>]* src=)"):
        "text is never code: a script is a file of ours",
    re.compile(r"<style\b|\bstyle\s*=|\.style\b|[\"'`]style[\"'`]|\bcssText\b"):
        "no style attributes: a class of console.css",
    re.compile(r"[\s<\"']on[a-z]+\s*=\s*[\"'{]|\.on[a-z]+\s*=[^=]|[\"'`]on[a-z]+[\"'`]"):
        "no inline handlers: addEventListener",
    re.compile(r"\blocalStorage\b|\bdocument\.cookie\b"): "a session is in sessionStorage alone, gone with its tab",
}
SIDE = re.compile(r"Side: (any|pure|store|loop|start|runner|agent)\. \*/$")
PLACE = re.compile(r"(?<![\w.])/(?:work|home|Users|root)/")
LATER = re.compile(r"\b(?:TODO|FIXME|HACK)\b")
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)


def blank(match):
    """As many lines and columns, but empty."""
    return re.sub(r"[^\n]", " ", match.group(0))


def code_of(text):
    """C without its comments and strings, everything else where it was."""
    pattern = re.compile(STRING.pattern + "|" + COMMENT.pattern, re.S)
    return pattern.sub(blank, text)


class Findings:
    def __init__(self):
        self.bad = 0

    def say(self, path, line, what):
        print(f"{path}:{line}: {what}")
        self.bad += 1

    @staticmethod
    def warn(path, line, what):
        print(f"  warning: {path}:{line}: {what}")


def check_lines(path, lines, found):
    width = WIDTHS.get(path.suffix)
    for number, line in enumerate(lines, 1):
        if line != line.rstrip():
            found.say(path, number, "blanks at the end of the line")
        size = len(line.expandtabs(TAB))
        most = HEAD_WIDTH if number == 1 else width
        if width and size > most and not NO_WIDTH.search(line) and \
                not (path.suffix == ".c" and ONE_LITERAL.fullmatch(line)):
            found.say(path, number, f"{size} columns, at most {most}")
        if PLACE.search(line) and "lint_text" not in path.name:
            found.say(path, number, "a path of one machine")
        if LATER.search(line) and "lint_text" not in path.name:
            found.say(path, number, "a note of what is not done: do it, or say it in docs/")
    if lines and not lines[-1]:
        found.say(path, len(lines), "an empty line at the end")


def check_head(path, lines, found):
    """The first line says the file's job, the second (or one soon after) its licence."""
    if not any("SPDX-License-Identifier: ISC" in line for line in lines[:12]):
        found.say(path, 1, "no SPDX-License-Identifier: ISC near the top")
    if path.suffix not in (".c", ".h"):
        return
    head = lines[0] if lines else ""
    begin = f"/* {path.name} - "
    is_goal = path.name.startswith("test_") and head.startswith("/* Goal: ")
    if not head.startswith(begin) and not is_goal:
        found.say(path, 1, f"the first line begins with `{begin}` and says its job")
    if path.suffix == ".h" and "#pragma once" not in lines:
        found.say(path, 1, "a header guards itself with #pragma once")
    # The sentence may need a second line.
    if path.parts[0] != "tests" and not any(SIDE.search(line) for line in lines[:3]):
        found.say(path, 1, "the first comment ends with its side: `Side: pure. */`")


def check_c(path, text, found):
    code, sentence = code_of(text), sentence_in(text)
    is_test = path.parts[0] == "tests"
    for number, (line, whole) in enumerate(zip(code.split("\n"), text.split("\n")), 1):
        for match in BANNED_CALL.finditer(line):
            found.say(path, number, f"{match[1]} is banned: {BANNED[match[1]]}")
        if not is_test and MEMORY_CALL.search(line) and path.as_posix() not in MAY_BE_REFUSED:
            found.say(path, number, "memory that may be refused: lib/mem.h")
        if is_test and SLEEP_C.search(line):
            found.say(path, number, "no sleep in tests: wait for what is to happen")
        if sentence.search(COMMENT.sub(blank, whole)) and COMPARED_CALL.search(line) and not is_test and \
                path.as_posix() not in MAY_READ_SENTENCES:
            found.say(path, number, "a decision is read out of a sentence: it wants a field of its own")
        if SECRET.search(line) and not is_test and not NOT_SECRET.search(whole):
            found.say(path, number, "a secret is compared with crypto_same, in constant time")


def check_literals(path, text, found):
    """A sentence that is broken over lines is found by nobody who has read it in the log."""
    if path.parts[0] not in ROOMS:
        return
    text = re.sub("^#include.*", "", text, flags=re.M)
    for match in SPLIT.finditer(text):
        if match[1] is None or SQL.match(match[1]):
            continue
        place = match.start()
        for literal in re.findall(LITERAL, match[1])[:-1]:
            place = text.index(literal, place) + len(literal)
            if not literal.endswith('\\n"'):
                found.say(path, text.count("\n", 0, place) + 1, "a split literal: join it with the next, however long")


def check_first_lines(path, text, found):
    """What begins as a row of the table is taken from there: another wording there leaves nothing behind."""
    if path.parts[0] != "server":
        return
    for match in SPLIT.finditer(text):
        if match[0].startswith('"') and match[0][1:].startswith(FIRST_LINES):
            found.say(path, text.count("\n", 0, match.start()) + 1, "a row of first.def: use its FIRST_")


def check_functions(path, lines, found):
    """A function begins with a line `{` and ends with a line `}`: the style sees to that."""
    begun = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            begun = number
        elif line == "}" and begun:
            if number - begun > LONG_FUNCTION:
                found.warn(path, begun, f"a function of {number - begun - 1} lines")
            begun = None


def check_python(path, lines, found):
    if path.parts[0] != "tests" or path.as_posix() in MAY_SLEEP or \
            path.as_posix().startswith(MAY_SLEEP_UNDER):
        return
    for number, line in enumerate(lines, 1):
        if SLEEP_PY.search(STRING.sub('""', line)):
            found.say(path, number, "no sleep in tests: wait_until() of tests/demo/stage.py")


def check_page(path, lines, found):
    """A page that approves has no way by which a text becomes code; its CSP would refuse most of these, one by one, in
    front of a person."""
    for number, line in enumerate(lines, 1):
        for pattern, instead in PAGE_BANNED.items():
            if pattern.search(line):
                found.say(path, number, instead)


def check_script(path, lines, found):
    """In a trap a bare `return` gives back what was true before the trap: a container was not removed for that.  And
    bash loses the end of what stands in <( ) now and then: `wait` said that it had failed, though all had come."""
    is_read_from = False
    for number, line in enumerate(lines, 1):
        is_read_from = (is_read_from or "< <(" in line) and not BACKGROUND.search(line)
        if is_read_from and 'wait "$!"' in line:
            found.say(path, number, 'no wait "$!" behind < <( ): have a last word printed, and look for that')
        if path.parts[0] == "deploy" and BARE_RETURN.search(line):
            found.say(path, number, 'return says what: 0, 1 or "$?"')
        if path.parent.name.endswith("-host") and "EPOCH" in line:
            found.say(path, number, "a host may have bash 4.2, which has no EPOCHSECONDS: printf '%(%s)T' -1")


def check_length(path, lines, found):
    is_long, may = len(lines) > LONG_FILE, path.as_posix() in MAY_BE_LONG
    if is_long and not may:
        found.say(path, 1, f"{len(lines)} lines, at most {LONG_FILE}: it is more than one job, split it by sense")
    if may and not is_long:
        found.say(path, 1, f"{len(lines)} lines: it is long no more, take it off MAY_BE_LONG")


def check(name, found):
    path = pathlib.Path(name)
    if KEY_FILE.search(name):
        found.say(path, 1, "a key or a file of secrets, by its name: no place for it is in a repository")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as wrong:
        found.say(path, 1, f"not UTF-8 (byte {wrong.start})")
        return
    lines = text.split("\n")
    if lines[-1] != "":
        found.say(path, len(lines), "no line break at the end of the file")
    else:
        lines.pop()
    check_lines(path, lines, found)
    if path.suffix in (".c", ".h", ".py", ".sh", ".def"):
        check_head(path, lines, found)
    if path.suffix in (".c", ".h"):
        check_c(path, text, found)
        check_literals(path, text, found)
        check_first_lines(path, text, found)
        check_functions(path, lines, found)
    if path.parent == PAGE:
        check_page(path, lines, found)
    if path.suffix == ".sh":
        check_script(path, lines, found)
    if path.suffix == ".py":
        check_python(path, lines, found)
    if path.suffix in (".c", ".h", ".py", ".sh"):
        check_length(path, lines, found)


def main():
    found = Findings()
    for name in sys.argv[1:]:
        if not name.startswith(SEEDS):
            check(name, found)
    sys.exit(1 if found.bad else 0)


if __name__ == "__main__":
    main()
