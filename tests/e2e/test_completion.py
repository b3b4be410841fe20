"""Goal: what shells complete is what the programs have: deploybot's files are made by it, bash completes with them."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import subprocess

import pytest

from stage import ROOT

PROGRAM = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build").resolve() / "deploybot"
FOLDER = ROOT / "deploy" / "completion"
OURS = ROOT / "server/cli/completion"


def run(*command, **environment):
    return subprocess.run([str(word) for word in command], env={**{"PATH": os.environ["PATH"]}, **environment}, cwd="/",
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_file_is_what_the_program_prints(shell):
    assert (OURS / f"deploybot.{shell}").read_text(encoding="utf-8") == run(PROGRAM, "completion", shell)


@pytest.mark.parametrize("words, wanted", [
    ("dep", {"deploy"}), ("he", {"healthcheck", "help"}), ("", None), ("deploy --w", {"--wait"}),
    ("deploy a", set()), ("freeze a", {"all"}), ("unfreeze a", {"all"}),
    ("answer staging ", {"yes", "no", "live", "pause", "resume", "leave", "rollback"}),
    ("token ", {"add", "list", "revoke"}), ("secrets ", {"check", "fetch"}), ("token add ci --r", {"--role"}),
    ("secret ", {"get", "list"}), ("settings ", {"bundle"}),
    ("deploy --r", {"--reason"}),
    ("serve --", {"--no-copy", "--restored", "--rewound", "--moved-back", "--env-file", "--help"}),
    ("doctor --", {"--json", "--production", "--env-file", "--help"}), ("version --", {"--env-file", "--help"}),
    ("audit tail -", {"-n", "--format", "--database", "--log", "--env-file", "--help"}), ("--v", {"--version"}),
    ("help secrets ", {"check", "fetch"}), ("audit search --code lock_b", {"lock_begun"}),
    ("audit --env-file x tail --format ", {"text", "json", "csv"}), ("audit search --severity hi", {"high"}),
    ("webhook ", {"set", "info", "delete"}), ("application ", {"list", "check", "adopt"}),
    ("policy ", {"explain", "report"}), ("2fa re", {"recover", "reset"}), ("completion f", {"fish"}),
    ("help aud", {"audit"}), ("backup copy", {"copy.db"}), ("audit verify --database copy", {"copy.db"}),
    ("--env-file copy", {"copy.db"}), ("nosuch ", set())])
def test_bash_completes(tmp_path, words, wanted):
    (tmp_path / "deploybot").symlink_to(PROGRAM)
    script = (f'. {OURS}/deploybot.bash; COMP_WORDS=(deploybot "$@"); COMP_CWORD=$#; _deploybot; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    (tmp_path / "copy.db").touch()
    said = run("bash", "-c", f"cd {tmp_path}; {script}", "bash", *words.split(" "),
               PATH=f"{tmp_path}:{os.environ['PATH']}")
    found = {line for line in said.splitlines() if line}
    assert found == (found | {"deploy", "serve", "logs"} if wanted is None else wanted)


def rows(kind):
    """The columns of cli.def, as they stand there."""
    table = (ROOT / "server/cli/cli.def").read_text("utf-8")
    return [re.split(r",\s*", row) for row in re.findall(rf"^(?:{kind})\((.*?)\)$", table, re.M | re.S)]


def test_each_option_has_a_reader_and_stands_in_the_manual():
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "server").glob("**/*.c"))
    manual = (ROOT / "deploy/man/deploybot.8").read_text("utf-8").replace("\\", "")
    found = rows("OPTION")
    assert len(found) > 25
    for name, option, *_ in found:
        reader = "many" if name in ("AGAINST", "APPROVED_BY") else rf"OPTION_{name}\b"
        assert re.search(rf"(?:value\[|\{{ ){reader}" if reader != "many" else "cli->many", sources), name
        assert re.search(rf"\bFl {option.strip(chr(34))[1:]}(?![a-z-])", manual), option


def bodies():
    """Each function of the command line, as its text: {(file, name): body}; file None: for all files."""
    found = {}
    for path in (ROOT / "server/cli").glob("**/*.c"):
        for head, name, body in re.findall(r"(?ms)^([^\n]*)\n(\w+)\([^;{]*?\)\n\{\n(.*?)^\}", path.read_text("utf-8")):
            found[path, name] = (path, body)
            if "static" not in head:
                found[None, name] = (path, body)
    return found


CALLED = r"(?<!struct )\b\w+"       # by its name, or handed to another


def reached(name, functions):
    """The texts of what that function may call, itself too."""
    seen, due = set(), [functions[None, name]]
    while due:
        path, body = due.pop()
        if (path, body) not in seen:
            seen.add((path, body))
            called = (functions.get((path, word)) or functions.get((None, word)) for word in re.findall(CALLED, body))
            due += [function for function in called if function]
    return "".join(body for _, body in seen)


def given(options, groups):
    """The options of a row: O_VIEW | O(WAIT)."""
    for name, text in groups:
        options = options.replace(name, text)
    return set(re.findall(r"\bO\((\w+)\)", options))


READ = {"AGAINST": r"->many\b", "APPROVED_BY": r"->many\b",
        "WAIT": r"->wait\b", "NO_WAIT": r"->wait\b", "JSON": r"\bis_json\b|OPTION_JSON\b"}


def unread(table):
    """(function, option) of cli.def where nothing that the form runs looks at it: it would be taken in silence."""
    functions = bodies()
    groups = re.findall(r"(?m)^#define (O_[A-Z]+)\s+\((.*)\)$", table)[::-1]      # those that name others first
    _, asks = functions[None, "cli_server_run"]
    for kind, row in re.findall(r"(?ms)^(FORM|ASK)\((.*?)\)$", table):
        function, options = re.findall(r'^"[^"]*", "[^"]*", (\w+), ([^,]+),', row)[0]
        if function in ("kinds", "serve"):      # serve is of another room
            continue
        text = reached(f"cli_{function}", functions)
        for option in given(options, groups):
            wanted = READ.get(option, rf"\bOPTION_{option}\b")
            if not re.search(wanted, text + (asks if kind == "ASK" and option == "AS" else "")):
                yield function, option


def test_each_option_of_a_form_is_looked_at_by_what_it_runs():
    """One of another form of the word would be taken, and would seem to have counted."""
    table = (ROOT / "server/cli/cli.def").read_text("utf-8")
    assert not list(unread(table))
    for row, more, wrong in (("audit_tail, ", "O(BOT) | ", "BOT"), ("secrets_check, ", "O(USERS) | ", "USERS"),
                             ("token_list, ", "O(EXPIRES) | ", "EXPIRES"), ("status, ", "O(WAIT) | ", "WAIT")):
        assert list(unread(table.replace(row, row + more))) == [(row[:-2], wrong)]


def test_each_form_stands_in_the_manual():
    manual = (ROOT / "deploy/man/deploybot.8").read_text("utf-8").replace("\\", "")
    forms = [row for row in rows("FORM|ASK") if "HIDDEN" not in row and "kinds" not in row]
    assert len(forms) > 25
    for word, kind, *_ in forms:
        named = " Cm ".join(part.strip('"') for part in (word, kind) if part != '""')
        assert re.search(rf"^\.It Cm {named}\b", manual, re.M), named


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_setup_completes_each_word_of_its_usage(shell):
    usage = re.search(r'USAGE="usage: deploybot-setup ([^"]+)"', (ROOT / "deploy" / "setup.sh").read_text("utf-8"))[1]
    wanted = set(re.findall(r"--[a-z-]+|\b[a-z]{3,}\b", usage.replace("\\\n", " ")))
    assert {"--answers", "webhooks", "check"} <= wanted
    made = (FOLDER / f"deploybot-setup.{shell}").read_text("utf-8")
    for word in wanted:
        option = rf"-l {word[2:]}\b|{word}\b" if word.startswith("--") else rf"\b{word}\b"
        assert re.search(option, made), word


def test_the_help_of_setup_has_a_line_for_each_form():
    said = run("bash", ROOT / "deploy" / "setup.sh", "--help")
    for word in re.findall(r"(?:\[|\| )([a-z]+)", said.splitlines()[0]):
        assert re.search(rf"^  deploybot-setup \[OPTION\.\.\.\] {word}\b.* - ", said, re.MULTILINE), (word, said)
