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


def run(*command, **environment):
    return subprocess.run([str(word) for word in command], env={**{"PATH": os.environ["PATH"]}, **environment}, cwd="/",
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_file_is_what_the_program_prints(shell):
    made = (FOLDER / f"deploybot.{shell}").read_text(encoding="utf-8")
    assert made == run(PROGRAM, "completion", shell), \
        f"make it anew: build/deploybot completion {shell} >deploy/completion/deploybot.{shell}"


@pytest.mark.parametrize("words, wanted", [
    ("de", {"deploy"}), ("he", {"healthcheck", "help"}), ("", None), ("deploy --w", {"--wait"}),
    ("deploy st", {"staging"}), ("logs ", {"staging", "shop/production"}),
    ("log ", {"staging", "shop/production"}), ("log --w", {"--wait"}), ("answer ", {"staging", "shop/production"}),
    ("answer staging ", {"yes", "no"}), ("freeze a", {"all"}), ("unfreeze a", {"all"}), ("deploy a", set()),
    ("token ", {"add", "list", "revoke"}), ("secrets ", {"check", "fetch"}),
    ("token add ci --r", {"--role"}),
    ("deploy --r", {"--reason"}), ("serve --", {"--no-copy", "--restored", "--env-file"}),
    ("doctor --", {"--json", "--production", "--env-file"}), ("doctor st", {"staging"}),
    ("healthcheck --i", {"--instance"}), ("version --", {"--env-file"}), ("audit tail -", None),
    ("webhook ", {"set", "info", "delete"}), ("application ", {"list", "check", "adopt"}),
    ("policy ", {"explain", "report"}), ("2fa re", {"recover", "reset"}), ("completion f", {"fish"}),
    ("help aud", {"audit"}), ("backup copy", {"copy.db"}), ("audit verify --database copy", {"copy.db"}),
    ("--env-file copy", {"copy.db"})])
def test_bash_completes(tmp_path, words, wanted):
    asked = tmp_path / "deploybot"
    asked.write_text('#!/bin/sh\n[ "$*" = "completion environments" ] && printf "staging\\nshop/production\\n"\n')
    asked.chmod(0o755)
    script = (f'. {FOLDER}/deploybot.bash; COMP_WORDS=(deploybot "$@"); COMP_CWORD=$#; _deploybot; '
              'printf "%s\\n" "${COMPREPLY[@]}"')
    (tmp_path / "copy.db").touch()
    said = run("bash", "-c", f"cd {tmp_path}; {script}", "bash", *words.split(" "),
               PATH=f"{tmp_path}:{os.environ['PATH']}")
    found = {line for line in said.splitlines() if line}
    some = {"-n", "--severity"} if words else {"deploy", "serve", "logs"}
    assert found == wanted if wanted is not None else some <= found


@pytest.mark.parametrize("word", ["serve", "doctor", "check-config", "healthcheck"])
def test_an_option_that_is_completed_is_one_that_the_command_takes(word):
    """What refuses another one says which there are; help, of which completion is made, says the same."""
    refused = subprocess.run([PROGRAM, word, "--bogus"], cwd="/", capture_output=True, text=True, timeout=60,
                             check=False)
    taken = set(re.findall(r"\[(--[a-z-]+)", refused.stderr.rpartition("Usage:")[2]))
    helped = set(re.findall(r"--[a-z-]+", run(PROGRAM, "help", word))) - {"--env-file"}
    assert refused.returncode == 64 and taken == helped
    for shell in ("bash", "zsh", "fish"):
        made = (FOLDER / f"deploybot.{shell}").read_text("utf-8")
        lines = [line for line in made.splitlines() if re.search(rf"\s{word}\)|from {word}'", line)]
        for option in taken:
            assert any(re.search(rf"-l {option[2:]}$|{option}\b", line) for line in lines), (shell, option)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_command_of_the_chat_completes_the_options_of_its_help(shell):
    made = (FOLDER / f"deploybot.{shell}").read_text("utf-8")
    words = re.findall(r"^  ([a-z]+)", run(PROGRAM, "help").partition("Of the running server")[2], re.M)
    assert {"deploy", "rollback", "status"} <= set(words)
    for word in words:
        helped = set(re.findall(r"\[(--[a-z-]+)", run(PROGRAM, "help", word)))
        lines = [line for line in made.splitlines() if re.search(rf"\s{word}\)|from .*\b{word}\b.* -l ", line)]
        found = set(re.findall(r"--[a-z-]+", " ".join(lines)) +
                    [f"--{option}" for option in re.findall(r" -l ([a-z-]+)", " ".join(lines))])
        assert found - {"--json", "--as"} == helped - {"--json", "--as"}, word


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_option_of_audit_is_completed(shell):
    options = set(re.findall(r"--[a-z-]+", run(PROGRAM, "help", "audit"))) - {"--env-file"}
    assert {"--against", "--severity", "--anyway"} <= options
    made = (FOLDER / f"deploybot.{shell}").read_text("utf-8")
    lines = [line for line in made.splitlines() if re.search(r"\baudit\b", line)]
    for option in options:
        assert any(re.search(rf"-l {option[2:]}\b|{option}\b", line) for line in lines), option


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
