"""Goal: numbers that users read in the docs, and who may give which command, are those of the code."""
# SPDX-License-Identifier: ISC
import re

import pytest

from stage import ROOT

WORDS = {word: number for number, word in enumerate("no one two three four five six seven eight nine ten".split())}
MINUTES = 60_000

# A constant, in which unit it is said, the page, and the sentence with {} in the number's place.
LIMITS = [
    ("commands/command_logs.c LINES", 1, "REFERENCE", "what the application itself logged last, {} lines or"),
    ("commands/command_logs.c LINES", 1, "OPERATIONS", "`/logs ENV [lines]`, {} or up to"),
    ("commands/command_logs.c LINES_MOST", 1, "OPERATIONS", "or up to {} of them, as far"),
    ("commands/command_audit.c USUAL", 1, "REFERENCE", "the newest entries of the audit log, {} or up to"),
    ("commands/command_audit.c MOST", 1, "REFERENCE", "or up to {}, in private"),
    ("commands/command_history.c SHOWN_OF_ONE", 1, "REFERENCE", "the latest deployments, {} on a page"),
    ("commands/command_rollback.c OFFERED", 1, "REFERENCE", "**Older…** lists the {} newest"),
    ("commands/command_choose.c LOOK_MS", MINUTES, "REFERENCE", "for each, for {} minutes, for whoever"),
    ("commands/commands.c PREFIX_LEAST", 1, "REFERENCE", "first letters are enough, {} at least"),
    ("commands/command_deploy.c OPEN_REQUESTS_MAX", 1, "OPERATIONS", "| {} open requests,"),
    ("commands/command_deploy.c GIT_QUERIES_MAX", 1, "OPERATIONS", "open requests, {} that git has not answered"),
    ("store/row_queue.h ROW_QUEUE_MOST", 1, "OPERATIONS", "at most {} in an environment and"),
    ("store/row_queue.h ROW_QUEUE_PERSONS", 1, "OPERATIONS", "and {} places for one person"),
    ("decide/work/decide_deployment.h DECIDE_QUEUE_QUESTION_MS", MINUTES, "OPERATIONS", "asked anew, for {} min"),
    ("decide/decide_limit.c ROLE_BURST", 1, "OPERATIONS", "| a person with a role | {} commands at once"),
    ("decide/decide_limit.c ROLE_BURST", 1, "OPERATIONS", "a second, and starts {}, then"),
    ("decide/factor/decide_enrol.c RECOVERY_CODES", 1, "OPERATIONS", "keep the {} recovery codes"),
    ("decide/factor/decide_factor.c FAILURES_MAX", 1, "OPERATIONS", "after {} the factor is closed"),
    ("decide/factor/decide_factor.c RESET_MS", MINUTES, "OPERATIONS", "the notice, or after {} minutes"),
    ("decide/who/decide_login.c TRIES", 1, "walks/limits", "`/login` with a wrong token | {} in an hour"),
    ("decide/tell/decide_pin.c LOOK_MS", MINUTES, "OPERATIONS", "and each {} minutes, when the health"),
    ("serve_listen.h SERVE_LOCAL_OF_USER", 1, "OPERATIONS", "{} connections of a user,"),
    ("serve_listen.h SERVE_LOCAL_CONNECTIONS", 1, "OPERATIONS", "connections of a user, {} in all"),
    ("serve_listen.h SERVE_LOCAL_OF_USER", 1, "OPERATIONS", "`you have {} connections open`"),
    ("types/limits.h LIMIT_EVENTS", 1, "OPERATIONS", "{} that wait for a decision"),
    ("types/limits.h LIMIT_CONNECTIONS", 1, "OPERATIONS", "that wait for a decision, {} connections"),
    ("types/limits.h LIMIT_UPDATES", 1, "walks/limits", "above it unreadable, undecoded; {} of them"),
    ("telegram/telegram_pace.h TELEGRAM_PACE_MINUTE", 1, "OPERATIONS", "in a chat, {} a minute in a group"),
    ("types/hook.h HOOK_VALUE_MAX", 1, "OPERATIONS", "one word of at most {} bytes"),
    ("lib/window.h WINDOWS_MAX", 1, "OPERATIONS", "both included; up to {}, commas between"),
]


def constant(where):
    """The value of `FILE NAME`: a product of numbers, and of names of the same file."""
    path, name = where.split()
    text = (ROOT / ("" if path.startswith("lib/") else "server") / path).read_text("utf-8")
    value = re.search(rf"(?m)^#define {name}\s+(.*?)\s*(?:/\*.*)?$", text)[1]
    product = 1
    for factor in re.sub(r"INT64_C\((\d+)\)|[()]", r"\1", value).split("*"):
        product *= int(factor) if factor.strip().isdigit() else constant(f"{path} {factor.strip()}")
    return product


@pytest.mark.parametrize("where, unit, page, sentence", LIMITS, ids=[row[0].split()[1] for row in LIMITS])
def test_a_number_that_users_read_is_that_of_the_code(where, unit, page, sentence):
    text = re.sub(r"\s+", " ", (ROOT / "docs" / f"{page}.md").read_text("utf-8"))
    before, after = (re.escape(part) for part in sentence.split("{}"))
    said = re.findall(rf"{before}(\w+|\d[\d,]*){after}", text)
    assert said, sentence
    numbers = {WORDS[word] if word in WORDS else 50 if word == "fifty" else int(word.replace(",", "")) for word in said}
    assert numbers == {constant(where) // unit}, (where, said)


# --- who may give a command ---


def policy():
    """What docs/policy.md has, which test_policy_drawing draws from the code: {action: who is granted it}."""
    rows = re.findall(r"(?m)^\| ([a-z0-9]+) \| (\w+|\\\*) \| \w+ \| [^|]+ \| ([^|]*)\| ([^|]*)\| ([^|]*)\| ([^|]*)\|$",
                      (ROOT / "docs/policy.md").read_text("utf-8"))
    return {action: (by, *("yes" in cell for cell in (admin, staging, allowed)))
            for action, by, admin, staging, _, allowed in rows}


def test_the_reference_says_who_may_give_each_command():
    """The column `who` against commands.def and the grants of the built-in roles."""
    header, commands, page = ((ROOT / name).read_text("utf-8") for name in (
        "server/types/policy_action.h", "server/commands/commands.def", "docs/REFERENCE.md"))
    kinds = dict(re.findall(r'\bACTION\([\s\\]*(\w+),[\s\\]*"(\w+)"', header))
    wanted = dict(re.findall(r"(?m)^COMMAND\((\w+),\s*(\w+),", commands))
    table = re.search(r"(?s)\| command \| does \| who \|\n\|.*?\n(.*?)\n\n", page)[1]
    grants, seen = policy(), set()
    for row in table.splitlines():
        usage, _, who = (cell.strip() for cell in row.strip("|").rsplit("|", 2))
        for word in re.findall(r"`/(\w+)", usage.split(" | ")[0]):
            action = kinds[wanted[word]]
            by, admin, staging, allowed = grants[action]
            seen.add(word)
            if by == "anyone":
                assert re.match("everybody|whoever has a token", who), (word, who)
            elif by == "known":
                assert who == "whoever has a role", (word, who)
            elif who != "whoever may see that environment's history":
                said = (who.startswith("admins"), "staging" in who, "ALLOWED_USERS" in who)
                assert said == (admin, staging, allowed), (word, who)
                named = re.findall(r"has `(\w+)`", who.split(";")[0])
                assert named in ([], [action]), (word, who)
    assert seen == set(wanted)
