"""Goal: what the docs point to is there: links and anchors, settings, make's targets, files; and each block of commands
in INSTALLATION.md says whether it is run by a test (tests/infra/test_infra_installation.py)."""
# SPDX-License-Identifier: ISC
import functools
import json
import pathlib
import re
import subprocess
import sys

import pytest
import yaml

from stage import ROOT

sys.path[:0] = [str(ROOT / "tests" / "infra"), str(ROOT / "tests" / "tools")]
import catalogue  # noqa: E402  pylint: disable=wrong-import-position
import circles  # noqa: E402  pylint: disable=wrong-import-position
import half_wired  # noqa: E402  pylint: disable=wrong-import-position
import layers  # noqa: E402  pylint: disable=wrong-import-position
import lint_text  # noqa: E402  pylint: disable=wrong-import-position
import run_tests  # noqa: E402  pylint: disable=wrong-import-position
from page_aid import blocks  # noqa: E402  pylint: disable=wrong-import-position

BINARY = {".png", ".svg"}
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
# In a name of ours there is an underscore; what has none (PATH, HEAD) is not ours.
NAME = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
MAKE = re.compile(r"(?m)^ *(?:sudo )?make(?: -C \w+)?(?: [A-Z]+=\S*)* ([a-z][a-z-]*)")
FOLDERS = {"deploy", "docs", "lib", "nginx", "runner", "server", "tests", ".github"}
SUFFIXES = {".c", ".h", ".def", ".py", ".sh", ".md", ".yml", ".conf", ".js", ".json", ".lua", ".tf", ".mk"}
# Of whoever writes a test, or a transport of his own.
EXAMPLES = {"NOTIFY_SLACK_URL_FILE", "SOPS_AGE_KEY_FILE", "MY_FAULT", "STAGING_FOLDER"}
# Of a name that stands in the source: NAME_COMMAND of a key, the journal's fields of the entry's.
MADE = {"REPOSITORY_KEY_COMMAND", "DEPLOYBOT_SEQ", "DEPLOYBOT_VIOLATION_TYPE"}


def tracked():
    """Files that are in git, or would be; all where there is no repository, or where it knows none of them."""
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "--cached", "--others", "--exclude-standard"],
                          capture_output=True, text=True, check=False)
    names = done.stdout.splitlines() or [
        str(path.relative_to(ROOT)) for path in ROOT.rglob("*") if "build" not in path.relative_to(ROOT).parts]
    return [name for name in names if (ROOT / name).is_file()]


FILES = tracked()
PAGES = [name for name in FILES if name.endswith(".md") and not name.startswith("tests/fuzz/")]


def text_of(name):
    return (ROOT / name).read_text("utf-8")


def without_code(text):
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", text)
    return re.sub(r"(?m)^(?: {4,}|\t).*$", "", text)


def anchors(name):
    """As GitHub makes them of headings."""
    found = set()
    for heading in re.findall(r"(?m)^#+ +(.+?) *$", without_code(text_of(name))):
        heading = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()
        base = re.sub(r"[^\w\- ]", "", heading).replace(" ", "-")
        number = 0
        while (made := base if number == 0 else f"{base}-{number}") in found:
            number += 1
        found.add(made)
    return found


def code_of(name):
    """What stands in backticks, and in blocks."""
    text = text_of(name)
    blocks_of = re.findall(r"(?ms)^ *```.*?^ *```$", text) + re.findall(r"(?m)^ {4,}\S.*$", text)
    return CODE.findall(text) + blocks_of


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    wrong = []
    for found in LINK.finditer(re.sub(r"`[^`\n]*`", "", without_code(text_of(page)))):
        target, _, anchor = (found[1] or found[2]).partition("#")
        if re.match(r"\w+:", target):
            continue
        there = (ROOT / page).parent.joinpath(target).resolve() if target else ROOT / page
        if not there.exists():
            wrong.append(f"{found[0]}: no such file")
        elif anchor and anchor not in anchors(there.relative_to(ROOT)):
            wrong.append(f"{found[0]}: no such heading")
    assert not wrong, wrong


@pytest.mark.parametrize("page", PAGES)
def test_names_in_capitals_are_names_of_something(page):
    """A setting, a variable of make, compose, Terraform or a workflow: it stands in a file that is no prose."""
    said = {name for code in code_of(page) for name in NAME.findall(code)}
    unknown = said - known_names() - EXAMPLES - MADE
    missing = sorted(name for name in unknown if of_environment(name) not in known_names())
    assert not missing, missing


def of_environment(name):
    """STAGING_SSH_KEY_PATH is SSH_KEY_PATH of an environment."""
    return re.sub("^(STAGING|PRODUCTION|EU_WEST)_", "", name)


@functools.cache
def known_names():
    return {name for path in FILES if not path.endswith(".md") and path != "tests/e2e/test_docs.py" and
            pathlib.PurePath(path).suffix not in BINARY
            for name in NAME.findall((ROOT / path).read_text("utf-8", "replace"))}


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_exist(page):
    makefiles = text_of("Makefile") + text_of("deploy/install.mk")
    targets = {word for line in re.findall(r"(?m)^([a-z][a-z -]*):(?!=)", makefiles) for word in line.split()}
    said = {word for code in code_of(page) for word in MAKE.findall(code)}
    said -= {"it"}      # `fix it: install -d ...` is something that a program says
    assert said <= targets, said - targets


@pytest.mark.parametrize("page", PAGES)
def test_files_that_are_named_exist(page):
    """Only where a whole path of the tree is meant: one that begins with one of its folders."""
    missing = []
    for code in CODE.findall(text_of(page)):
        path = pathlib.PurePath(code.split()[0].split(":")[0] if code.strip() else "")
        if path.parts and path.parts[0] in FOLDERS and path.suffix in SUFFIXES and not \
                re.search(r"[*<>{}…$]|NAME", code):
            if not (ROOT / path).exists() and not (ROOT / "server" / path).exists():
                missing.append(str(path))
    assert not missing, missing


SUB_ROOMS = sorted(path for room in ("decide", "cli", "settings") for path in (ROOT / "server" / room).iterdir()
                   if path.is_dir() and list(path.glob("*.c")))


@pytest.mark.parametrize("room", SUB_ROOMS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_the_page_of_a_sub_room_says_its_rule_and_names_what_is_there(room):
    page = (room / "README.md").read_text("utf-8")
    assert "**The one rule**" in page and len(page.splitlines()) < 40
    if room.parent.name == "decide":
        assert "- **Rows**: " in page and "- **Events**: " in page
    sources = {path.name: path.read_text("utf-8") for path in (ROOT / "server").rglob("*.[chd]*") if path.is_file()}
    rows = page.split("- **Rows**", 1)[-1].split("- **Events**")[0]
    for word in re.findall(r"`([a-z0-9_.]+(?:\(\))?)`", page):
        if word.endswith("()"):
            headers = [text for name, text in sources.items() if name.endswith(".h")]
            assert any(re.search(rf"\b{word[:-2]}\(", text) for text in headers), word
        elif re.search(r"\.(?:[ch]|def)$", word):
            assert word in sources, word
        elif f"`{word}`" in rows and rows != page:
            assert all(re.search(rf"\b{part}\b", sources["store_schema.c"]) for part in word.split(".")), word


def test_what_a_newcomer_reads_first_stays_short():
    """The words that are not everybody's, and how it is tested."""
    architecture = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    glossary = architecture.split("## Glossary", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"(?m)^\| ([^|-]+) \| .* \|$", glossary)
    words = [word for row in rows[1:] for word in re.split(r",\s*", row)]     # behind its head
    assert 10 < len(words) <= 22 and len(set(words)) == len(words), words
    assert len(architecture.splitlines()) <= 350
    assert len((ROOT / "docs/TESTING.md").read_text(encoding="utf-8").splitlines()) <= 250


NEWCOMERS = ["docs/ARCHITECTURE.md", "docs/TESTING.md", "tests/sim/README.md",
             *(page for page in PAGES if page.startswith("docs/walks/"))]


@functools.cache
def sources():
    return "\n".join(text_of(name) for name in FILES if re.match(r"(?:deploy|judge|lib|runner|server|tests)/", name) and
                     name.endswith((".c", ".h", ".def", ".sh", ".py")))


@pytest.mark.parametrize("page", NEWCOMERS)
def test_a_function_that_a_newcomer_is_led_to_exists(page):
    said = {name for code in CODE.findall(text_of(page)) for name in re.findall(r"\b([a-z]\w+)\(", code)}
    assert not [name for name in said if not any(f"{before}{name}(" in sources() for before in "\n\t *(")]


def test_the_architecture_names_what_the_checks_know():
    """Sides, the one circle, sub-rooms, scripts of deploy/, and which kinds of things are half wired."""
    text = text_of("docs/ARCHITECTURE.md")
    rooms = text.partition("## The rooms")[2].partition("\n## ")[0]
    assert set(re.search(r"names its side \(([^)]*)\)", text)[1].replace("`", "").split(", ")) == layers.SIDES
    glossary = next(row for row in text.splitlines() if row.startswith("| side, crossing |"))
    assert not [side for side in layers.SIDES if f"`{side}`" not in glossary]
    assert not [path for path in circles.ALLOWED if f"`{path}*`" not in rooms]
    decide = rooms.partition("      decide/ ")[2].partition("      commands/ ")[0]
    there = {room.name for room in SUB_ROOMS if room.parent.name == "decide"}
    assert there <= set(re.findall(r"\w+", decide)), there
    assert not [path.name for path in (ROOT / "deploy").glob("*.sh") if path.name not in rooms]
    kinds = {piece.thing for piece in half_wired.PIECES} - {"argument", "executor"}     # an action of /do has both
    row = next(row for row in text_of("docs/TESTING.md").splitlines() if row.startswith("| `make check-half-wired` |"))
    assert "nine kinds" in text and len(kinds) == 9 and not [kind for kind in kinds if kind not in row], kinds


def test_limits_of_style_and_cost_are_those_that_are_checked():
    said = text_of("CONTRIBUTING.md")
    for suffix, name in ((".c", "in C"), (".def", "in `.def`, Python and JavaScript"), (".sh", "in shell"),
                         (".md", "in pages")):
        assert re.search(rf"\b{lint_text.WIDTHS[suffix]}(?: columns)? {re.escape(name)}", said), suffix
    assert {lint_text.WIDTHS[suffix] for suffix in (".def", ".py", ".js")} == {120}
    times = {10: "ten times", 40: "forty times"}
    assert f"above {times[run_tests.REFUSED]} it has failed, unless" in run_tests.__doc__.replace("\n", " ")
    assert f"above {times[run_tests.LONG]} the mean" in text_of("docs/TESTING.md").replace("\n", " ")
    assert f"above {times[run_tests.REFUSED]} it refuses" in text_of("docs/TESTING.md").replace("\n", " ")


def test_the_set_up_asks_as_many_questions_as_the_pages_say():
    """Each `ask` of what `deploybot-setup` asks, but for where Telegram, its link or the hosts are not reached."""
    asked = [name for file in ("questions", "health", "hosts")
             for name in re.findall(r'(?m)^\t*ask(?:_secret)? "?(\$?\w+)', text_of(f"deploy/setup/{file}.sh"))]
    detours = {"TELEGRAM_PROXY", "ADMIN_TELEGRAM_IDS", "SSH_JUMP"}
    assert detours < set(asked) and asked.count("$setting") == 2      # staging, production
    assert len(asked) - len(detours) == 13, asked
    for page, words in (("README.md", "at most thirteen questions"), ("docs/BENEFITS.md", "at most 13 questions"),
                        ("docs/INSTALLATION.md", "at most thirteen questions")):
        assert words in " ".join(text_of(page).split()) and "welve questions" not in text_of(page), page


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / ".github/ISSUE_TEMPLATE").iterdir()))
def test_each_form_for_an_issue_is_one_as_github_takes_it(name):
    """One that is none is not offered, and nothing says so."""
    form = yaml.safe_load(text_of(f".github/ISSUE_TEMPLATE/{name}"))
    assert set(form) == {"name", "description", "body"}
    asked = [part for part in form["body"] if part["type"] != "markdown"]
    assert all(part["type"] == "textarea" and part["attributes"]["label"] for part in asked), asked
    assert len({part["id"] for part in asked}) == len(asked) and any("validations" in part for part in asked)


# As people type them; the page writes back-off.
FIELD = ("RPO", "RTO", "back-off", "dead letter", "poison message", "least privilege", "retention", "idempotent",
         "rate limit", "quarantine", "graceful shutdown", "disaster recovery", "compatibility promise")


@pytest.mark.parametrize("word", FIELD)
def test_a_word_of_the_field_leads_to_its_section(word):
    """The table on top of the runbook has it, and a section that it leads to says it too."""
    text = text_of("docs/OPERATIONS.md")
    row = next(row for row in text.partition("\n## ")[0].splitlines() if re.match(rf"\| [^|]*\b{word}\b", row))
    parts = {re.sub(r"[^\w\- ]", "", part.partition("\n")[0].lower()).replace(" ", "-"): part
             for part in re.split(r"(?m)^##+ ", text)}
    said = [parts[anchor] for anchor in re.findall(r"\]\(#([\w-]+)\)", row)]
    assert any(re.search(rf"(?i){word}".replace(" ", r"[\s-]"), part) for part in said), row
    assert "(backoff)" in text


def test_the_limits_have_their_settings_and_what_is_never_refused():
    """The section of rate limits against settings.def and commands.def."""
    section = text_of("docs/OPERATIONS.md").partition("\n## Rate limits and overload\n")[2].partition("\n## ")[0]
    settings = re.findall(r"(?m)^SETTING\((\w*RATE_LIMIT\w*|COST_LIMIT\w*),", text_of("server/types/settings.def"))
    always = re.findall(r"(?m)^COMMAND\((\w+), .*\bALWAYS\b", text_of("server/commands/commands.def"))
    assert len(settings) == 5 and len(always) > 4
    assert not [name for name in settings if f"`{name}`" not in section]
    never = re.search(r"(?s)With a role these are never refused.*?\.\n", section)[0]
    assert sorted(re.findall(r"`/(\w+)`", never)) == sorted(always)


def test_each_command_of_the_installation_is_run_or_says_why_not():
    found = blocks("INSTALLATION.md")
    assert len([block for block in found if block.is_run]) > len(found) / 2


def test_each_command_of_the_runbooks_that_are_walked_is_run_or_says_why_not():
    """tests/infra/walk_installation.py reads these sections, and stops at a block without a mark."""
    sections = re.search(r"(?m)^SECTIONS = (\(.*\))$", text_of("tests/infra/walk_installation.py"))[1]
    found = [block for page in ("OPERATIONS.md", "SECURITY-OPERATIONS.md")
             for block in blocks(page, re.findall('"([^"]+)"', sections))]
    assert len([block for block in found if block.is_run]) > 10


def test_settings_of_the_installation_stand_in_the_file_that_is_installed():
    """`run: machine, settings` is typed over the lines that are there."""
    there = re.findall(r"(?m)^#?([A-Z_]+)=", text_of(".env.example"))
    for block in blocks("INSTALLATION.md"):
        if "settings" in block.options:
            for line in block.text.splitlines():
                name = line.partition("=")[0]
                assert there.count(name.removesuffix("_FILE")) == 1, name


def test_the_reference_has_each_command_as_it_is_typed():
    """Its table "Commands" against commands.def, both ways."""
    there = re.findall(r'(?m)^COMMAND\(\w+, .*?"(/[^"]+)"', text_of("server/commands/commands.def"))
    table = re.search(r"(?s)\| command \| does \| who \|\n(.*?)\n\n", text_of("docs/REFERENCE.md"))[1]
    said = [usage for row in table.splitlines()[1:] for usage in CODE.findall(row.split("|")[1])]
    assert sorted(said) == sorted(there)


def test_the_reference_names_each_setting_that_there_is_under_its_name():
    table = re.search(r"(?s)\| setting \| for \|\n(.*?)\n\n", text_of("docs/REFERENCE.md"))[1]
    there = set(re.findall(r"(?m)^#?([A-Z_]+)=", text_of(".env.example")))
    said = {name for row in table.splitlines() for name in NAME.findall(row.split("|")[1])}
    missing = {name for name in said - there if of_environment(name).removesuffix("_FILE") not in there}
    assert not missing, missing


def cells_of(page, before):
    """The first table behind those words: its head, and its rows by their first cell."""
    lines = text_of(page).partition(before)[2].partition("\n|")[2].partition("\n\n")[0].splitlines()
    head, _, *rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]
    return head, {row[0]: dict(zip(head[1:], row[1:])) for row in rows}


def test_the_readme_is_short_and_compares_as_the_page_with_the_sources_does():
    """What stands on its first screen of others, word for word in docs/BENEFITS.md; what it leads to is there."""
    assert len(text_of("README.md").splitlines()) <= 130
    head, rows = cells_of("README.md", "# deploybot\n")
    names = dict(zip(head[1:], ["adnanh/webhook", "kamal", "GitHub Actions with environments", "deploybot"]))
    _, there = cells_of("docs/BENEFITS.md", "## Beside what you may use today\n")
    assert len(rows) >= 5
    for said, row in rows.items():
        for column, name in names.items():
            assert row[column] == re.sub(r" \(\[how\].*?\)\)$", "", there[said][name]), (said, name)


def test_the_table_of_actions_has_each_with_what_it_needs():
    """docs/actions.md against action.def and the needs of settings_clients.c."""
    there = dict(re.findall(r'(?m)^ACTION\("([a-z-]+)", (\w+),', text_of("server/types/action.def")))
    table = re.search(r"(?s)\| action \| does \| settings \|.*?\n(.*?)\n\n", text_of("docs/actions.md"))[1]
    rows = {CODE.findall(row)[0]: row for row in table.splitlines()[1:]}
    assert sorted(rows) == sorted(there)
    for what, setting in re.findall(r"\{ ACTION_(\w+), CLIENT_SETTING_(\w+) \}",
                                    text_of("server/settings/checks/settings_clients.c")):
        name = next(name for name in there if there[name] == what)
        assert f"CLIENT_<ID>_{setting}" in rows[name] or "the same" in rows[name], name


SECRET = re.compile(r"\w+_(?:KEY|KEY_PATH|KEY_FILE|TOKEN|PASSWORD|SECRETS?|HASH|CERTIFICATE|PROXY)(?:_PREVIOUS)?"
                    "|KUBECONFIG")


def credentials():
    """What opens something: settings, by their names or because .env.example says so, and files that are none."""
    lines = text_of(".env.example")
    found = set(re.findall(r"(?m)^# A secret; (\w+(?:<NAME>_\w+)?)_FILE", lines))
    found |= {name for name in re.findall(r"(?m)^#?([A-Z][A-Z_0-9]+)=", lines) if SECRET.fullmatch(name)}
    found |= set(re.findall(r"(?m)^read_value (\w+_token) ", text_of("deploy/monitoring/alertmanager.sh")))
    found |= set(re.findall(r"/run/secrets/(\w+_password)", text_of("docker-compose.yml")))
    found |= {name for path in FILES if re.fullmatch(r"(server|runner)/.*\.c", path)
              for name in re.findall(r'(?m)^#define \w+ "/([\w-]+\.key)"', text_of(path))}
    found.discard("TRUSTED_PROXY")      # an address
    found = {re.sub("^REGISTRY_[A-Z]+_PASSWORD", "REGISTRY_<NAME>_PASSWORD", name) if
             name != "REGISTRY_PULL_PASSWORD" else name for name in found}
    found = {re.sub("^HOOK_[A-Z_]+_SECRET", "HOOK_<NAME>_SECRET", name) for name in found}
    found = {re.sub("^WORKFLOW_[A-Z]+_KEY", "WORKFLOW_<NAME>_KEY", name) for name in found}
    found = {re.sub("^NOTIFY_[A-Z_]+_(URL|SECRET)", r"NOTIFY_<NAME>_\1", name) for name in found}
    return {re.sub("^CLIENT_[A-Z]+_", "CLIENT_<ID>_", name) for name in found}


def test_each_secret_stands_where_it_is_said_how_it_is_changed():
    """docs/SECURITY-OPERATIONS.md against all that opens something, by its name or because a file says so."""
    there = credentials()
    table = re.search(r"(?s)\| credential \| opens \|.*?\n(.*?)\n\n", text_of("docs/SECURITY-OPERATIONS.md"))[1]
    said = {name for row in table.splitlines() for name in CODE.findall(row.split("|")[1])}
    previous = {name for name in there if name.endswith("_PREVIOUS")}
    assert len(there) > 25 and len(previous) > 5
    assert {"TELEGRAM_PROXY", "BUILD_SECRETS", "alert_bot_token", "admin_password",
            "secret-marks.key"} <= there
    assert not there - said - previous
    how = {name for row in table.splitlines() for name in CODE.findall(row.split("|")[4])}
    assert not previous - how, "each secret with two values is changed by them"


def test_where_it_is_said_how_a_secret_is_changed_there_are_commands():
    """Each row of the table leads to a section with a block, or has its command or where it is done itself."""
    table = re.search(r"(?s)\| credential \| opens \|.*?\n(.*?)\n\n", text_of("docs/SECURITY-OPERATIONS.md"))[1]
    for row in table.splitlines()[1:]:
        links = re.findall(r"\]\(([\w-]+\.md)?#([\w-]+)\)", row.split("|")[4])
        for page, anchor in links:
            parts = re.split(r"(?m)^##+ ", text_of(f"docs/{page or 'SECURITY-OPERATIONS.md'}"))
            section = next(part for part in parts if re.sub(
                r"[^\w\- ]", "", part.partition("\n")[0].lower()).replace(" ", "-") == anchor)
            assert re.search(r"(?m)^ {4}\S", section), f"{page}#{anchor} has no command"
        assert links or re.search("`|the first one deleted|my.telegram.org|a new file", row.split("|")[4]), row


def test_each_block_of_the_rotation_is_typed_by_the_test_that_it_names():
    section = text_of("docs/SECURITY-OPERATIONS.md").partition("\n## Rotation\n")[2].partition("\n## ")[0]
    for part in section.split("\n### ")[1:]:
        for name in re.findall(r"<!-- not run: tests/e2e/(\w+\.py) types it -->", part):
            assert f'"{part.partition(chr(10))[0]}"' in text_of(f"tests/e2e/{name}"), (part.partition("\n")[0], name)


def test_each_place_that_the_server_connects_to_stands_in_the_docs():
    """docs/SECURITY-OPERATIONS.md against outbound.def, both ways."""
    there = re.findall(r'(?m)^OUTBOUND\(\w+, "(\w+)"', text_of("server/types/outbound.def"))
    table = re.search(r"(?s)\| word \| what \|.*?\n(.*?)\n\n", text_of("docs/SECURITY-OPERATIONS.md"))[1]
    assert [word for row in table.splitlines()[1:] for word in CODE.findall(row.split("|")[1])] == there


def test_the_policy_of_an_auditor_has_what_is_said_that_it_needs_and_no_more():
    text = text_of("docs/audit.md")
    statements = json.loads(re.search(r'(?s)```json\n(\{"Version".*?)```', text)[1])["Statement"]
    bucket, objects = ([action] if isinstance(action := one["Action"], str) else action for one in statements)
    said = re.search(r"(?s)they need (.*?), and no\s+more", text)[1]
    assert sorted(bucket + objects) == sorted(re.findall(r"`(s3:\w+)`", said))
    assert [one["Resource"] for one in statements] == ["arn:aws:s3:::BUCKET", "arn:aws:s3:::BUCKET/*"]
    assert bucket == ["s3:ListBucketVersions"] and {one["Effect"] for one in statements} == {"Allow"}


# --- who holds which secret ---

def secrets_of(name):
    """The settings of that file that are secret, as the names of the files they stand in."""
    found = re.findall(r"(?m)^(?:SETTING|SHIPPING)\((\w+), \w+, \w+, SECRET,", text_of(name))
    return {setting.lower() for setting in found     # one that nobody needs, and what is there while another is changed
            if setting != "TELEGRAM_API_HASH" and not setting.endswith("_PREVIOUS")}


def test_each_secret_is_said_to_be_read_by_the_program_that_reads_it():
    """docs/SECURITY-OPERATIONS.md, "Each credential"; docs/INSTALLATION.md has each file in that program's folder."""
    table = re.search(r"(?s)\| credential \| opens \|.*?\n(.*?)\n\n", text_of("docs/SECURITY-OPERATIONS.md"))[1]
    readers = {name: row.split("|")[3].split()[1] for row in table.splitlines()[1:]
               for name in CODE.findall(row.split("|")[1]) if row.split("|")[3].startswith(" the ")}
    secrets = {"server": secrets_of("server/types/settings.def") | {"totp_key"},     # a path of its own
               "runner": secrets_of("runner/settings.def") | {"deploy_key"}}         # SSH_KEY_PATH
    called = {"totp_key": "TOTP_KEY_FILE", "deploy_key": "SSH_KEY_PATH"}
    for side, names in secrets.items():
        assert len(names) > 3
        for name in names:
            assert readers[called.get(name, name.upper())].rstrip(",;") == side, name
    table = re.findall(r"`(server|runner)/(\w+)`", text_of("docs/INSTALLATION.md"))
    assert len(table) >= 8
    for side, name in table:
        assert name in secrets[side] | {"known_hosts"}, name


@pytest.mark.parametrize("promise", ["policy.c::every_role_may", "audit_chain.c::any_byte_of",
                                     "flow_roles.py::a_stranger_in_private"])
def test_each_promise_of_security_names_a_test_that_exists(promise):
    """The check of `make lint` passes, and sees a promise that lost its tests, or whose test has gone."""
    makefile, text = text_of("Makefile"), text_of("SECURITY.md")
    assert not [*catalogue.check_promises(text), *catalogue.check(text, makefile)]
    line = next(x for x in text.splitlines() if f"`{promise}" in x)
    assert list(catalogue.check_promises(text.replace(line, re.sub("`[^`]*`", "none", line))))
    gone = text.replace(promise, promise.replace("::", "::nobody_says_that_"))
    assert [x for x in catalogue.check(gone, makefile) if x.startswith("0 tests are called nobody_says_that_")]


def test_a_promise_keeps_a_test_that_make_test_runs():
    """The check of `make lint` passes, and sees a promise whose test is `long`, and one that has none."""
    promises = text_of("docs/TESTING.md").partition("\n| promise |")[2].partition("\n\n")[0]
    kept, long = "runner.py::an_id_has_one_supervisor", "make.py::tests_have_the_same_names_in_all_workers"
    assert not list(catalogue.check_kept(promises))
    assert list(catalogue.check_kept(promises.replace(kept, long))) == [
        "promise 2: tests_have_the_same_names_in_all_workers is marked `long`"]
    assert list(catalogue.check_kept(promises.replace(f"`{kept}`", ""))) == [
        "promise 2: no test of `make test` is named"]
    assert list(catalogue.check_kept(promises.partition("\n| 9 ")[0])) == ["the promises are not 1 to 9"]
