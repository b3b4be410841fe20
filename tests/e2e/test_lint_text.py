"""Goal: what a script sees in a text, it says with its line; what is right, it lets pass."""
# SPDX-License-Identifier: ISC
import os
import shutil
import subprocess
import sys

import pytest

from stage import ROOT

sys.path.insert(0, os.path.join(ROOT, "tests", "tools"))
import lint_text

LONG = "a sentence " * 12
REFUSED = "a split literal"


def lint(tmp_path, name, body):
    """What lint_text.py says of a C file with those lines at its end; they begin at its line 4."""
    head = f"/* {name.rpartition('/')[2]} - a part.  Side: any. */\n/* SPDX-License-Identifier: ISC */\n\n"
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text(head + body, "utf-8")
    return subprocess.run([sys.executable, os.path.join(ROOT, "tests", "tools", "lint_text.py"), name], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False).stdout.splitlines()


@pytest.mark.parametrize("body,line", [
    ('\tsay("what cannot be "\n\t    "found");\n', 4),
    ('\tsay(1,\n\t    "a line\\n"\n\t    "what cannot be "\n\t    "found");\n', 6),
    ('#define SAID "what cannot be " \\\n\t"found"\n', 4)])
def test_a_sentence_that_is_broken_over_lines_is_refused(tmp_path, body, line):
    said, = lint(tmp_path, "lib/part.c", body)
    assert said.startswith(f"lib/part.c:{line}: {REFUSED}")


@pytest.mark.parametrize("body", [
    '\tsay("one\\n"\n\t    "two\\n");\n', '\tdb("), state TEXT,"\n\t   " author TEXT");\n',
    '\tdb("SELECT id FROM run"\n\t   " WHERE id = $1");\n',
    '\tsay("run %" PRId64\n\t    " ended");\n', '\tsay("one",\n\t    "two");\n',
    "\tchar mark = '\"';\n\tchar end = '\"';\n",
    f'\tsay(1,\n\t    "{LONG}",\n\t    text);\n'])
def test_lines_of_output_clauses_of_sql_and_one_long_literal_are_not(tmp_path, body):
    assert lint(tmp_path, "lib/part.c", body) == []


def test_only_a_literal_may_be_longer_than_a_line(tmp_path):
    assert "at most 100" in lint(tmp_path, "lib/part.c", f'\tsay("{LONG}");\n')[0]
    assert "at most 100" in lint(tmp_path, "lib/part.c", f'\t/* {LONG} */\n')[0]


@pytest.mark.parametrize("name", ["lib/part.c", "server/part.h", "tests/part.py", "deploy/part.sh"])
def test_a_file_has_at_most_700_lines(tmp_path, name):
    said = lint(tmp_path, name, "\n" * 698)
    assert [line for line in said if "at most 700" in line] == [
        f"{name}:1: 701 lines, at most 700: it is more than one job, split it by sense"]
    assert not [line for line in lint(tmp_path, name, "\n" * 697) if "at most 700" in line]


def test_what_may_be_longer_is_named_and_comes_off_the_list_when_it_is_short(tmp_path):
    name = "server/store/store_schema.c"
    assert not [line for line in lint(tmp_path, name, "\n" * 900) if "lines" in line]
    assert f"{name}:1: 10 lines: it is long no more, take it off MAY_BE_LONG" in lint(tmp_path, name, "\n" * 7)


def test_a_first_line_that_stands_in_the_table_is_taken_from_there(tmp_path):
    said, = lint(tmp_path, "server/part.c", '\tsay("⛔ Not done: %s", what);\n')
    assert said.startswith("server/part.c:4: a row of first.def")
    assert not lint(tmp_path, "server/part.c", '\t/* "⛔ Not done: staging" */\n\tsay("⛔ /audit: how many?");\n')


def test_a_header_without_pragma_once_is_refused(tmp_path):
    guarded = "#ifndef PART_H\n#define PART_H\n#endif\n"
    assert any("#pragma once" in said for said in lint(tmp_path, "lib/part.h", guarded))
    assert not lint(tmp_path, "lib/part.h", "#pragma once\n")


KEYS = ["deploy/terraform/web.pem", "tls.key", "old/id_ed25519", "id_rsa.pub", "store.p12", "deploy_key",
        "my_deploy_key", ".env", "apps/shop.env", "kubeconfig", ".netrc", "secrets/server/telegram_bot_token"]


@pytest.mark.parametrize("name", KEYS)
def test_a_key_by_its_name_is_refused_and_git_does_not_take_it(tmp_path, name):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("x\n", "utf-8")
    done = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "tools", "lint_text.py"), name], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and f"{name}:1: a key or a file of secrets" in done.stdout
    shutil.copy(os.path.join(ROOT, ".gitignore"), tmp_path)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True, timeout=60)
    assert subprocess.run(["git", "check-ignore", "-q", name], cwd=tmp_path, timeout=60, check=False).returncode == 0


def test_what_only_speaks_of_keys_is_let_pass(tmp_path):
    for name in ("tests/tools/npm/known_secrets", ".env.example", "lib/keyed.c", "deploy/github/secrets.baseline",
                 "deploy/github/secret/action.yml"):
        assert not lint_text.KEY_FILE.search(name), name


@pytest.mark.parametrize("body, line", [
    ('mapfile -t lines < <(ls)\nwait "$!" || exit 1\n', 2),
    ('say() {\n\tread -r word < <(ls) || true\n\tif wait "$!"; then\n\t\ttrue\n\tfi\n}\n', 3),
    ('mapfile -t lines < <(ls)\nsleep 1 &\nwait "$!"\n', None), ('tee >(cat) </dev/null\nwait "$!"\n', None),
    ('say() {\n\tread -r word < <(ls)\n}\nsleep 1 & wait "$!"\n', None)])
def test_the_end_of_a_process_substitution_is_not_waited_for(tmp_path, body, line):
    """Regression: one run of 400 by hand ended so, with status 78 and no reason."""
    (tmp_path / "deploy").mkdir()
    head = "#!/bin/bash\n# part.sh - a part.\n# SPDX-License-Identifier: ISC\n"
    (tmp_path / "deploy" / "part.sh").write_text(head + body)
    said = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "tools", "lint_text.py"), "deploy/part.sh"],
                          cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
                          check=False).stdout
    assert said == "" if line is None else said.startswith(f'deploy/part.sh:{line + 3}: no wait "$!" behind < <( ): ')


@pytest.mark.parametrize("folder, is_found", [("ssh-host", True), ("ssh", False)])
def test_what_a_host_runs_needs_no_bash_of_later(tmp_path, folder, is_found):
    """Regression: where bash is 4.2, as docs promise, each migration was said to be cut."""
    (tmp_path / "deploy" / folder).mkdir(parents=True)
    name = f"deploy/{folder}/part.sh"
    (tmp_path / name).write_text("# part.sh - a part.\n# SPDX-License-Identifier: ISC\nnow=$EPOCHSECONDS\n")
    said = subprocess.run([sys.executable, os.path.join(ROOT, "tests", "tools", "lint_text.py"), name], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False).stdout
    assert ("bash 4.2" in said) == is_found, said


@pytest.mark.parametrize("name,line", [
    ("console.js", "main.innerHTML = text;"), ("console.js", "a.insertAdjacentHTML('beforeend', b);"),
    ("console.js", "eval(text);"), ("console.js", "setTimeout('go()', 1);"),
    ("console.js", "node.style.width = '1px';"),
    ("console.js", "node.setAttribute(\"style\", text);"), ("console.js", "node.onclick = go;"),
    ("console.js", "node.setAttribute('onclick', text);"), ("console.js", "localStorage.setItem('a', token);"),
    ("index.html", "<p style=\"color: red\">"), ("index.html", "<p onclick='go()'>"),
    ("index.html", "<style>p {}</style>"),
    ("index.html", "<script>go()</script>"), ("index.html", "<a href=\"javascript:go()\">"),
    ("icon.svg", "<svg onload=\"go()\">")])
def test_a_page_in_which_a_text_could_become_code_is_refused(tmp_path, name, line):
    said = [one for one in lint(tmp_path, f"server/console/{name}", line + "\n")
            if one.startswith(f"server/console/{name}:4: ")]
    assert said and not lint(tmp_path, f"tests/peers/{name}", line + "\n")


def test_the_page_that_there_is_passes():
    for path in lint_text.ROOT.glob("server/console/*"):
        found = lint_text.Findings()
        lint_text.check_page(path, path.read_text("utf-8").split("\n"), found)
        assert not found.bad, path


def test_a_page_may_have_scripts_of_its_own_and_listeners(tmp_path):
    body = "node.addEventListener('click', go);\nnode.textContent = text;\n"
    assert not lint(tmp_path, "server/console/console.js", body)
    assert not lint(tmp_path, "server/console/index.html", '<script src="/console/console.js" defer></script>\n')
