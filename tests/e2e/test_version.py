"""Goal: the version moves with every commit, is the same wherever it is said, and a release is made as CONTRIBUTING.md
says."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from stage import ROOT

BUILD = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or ROOT / "build")
CHANGES = "# Changes\n\n## Unreleased\n\n### Added\n\n- More.\n\n## 0.1.0 - 2026-01-02\n\n### Added\n\n- All.\n"
RELEASE = CHANGES.replace("## Unreleased\n\n### Added\n\n- More.\n\n", "")
SOURCES = ("Makefile", "lib", "runner", "server", "deploy", "nginx", "docs", "tests/tools", "CHANGES.md", "LICENSE",
           "README.md", "SECURITY.md", ".env.example")
NAMED = re.compile(r"' \\\n\t*'(\S+)' \"")     # the package's version, in what make says it would do
LATER = "0.2.0-14-g0123456789"


def run(where, *words, check=True, **more):
    """What it prints, with no configuration and no environment of ours."""
    done = subprocess.run([str(word) for word in words], cwd=where, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=300, check=False, env={
                              "PATH": os.environ["PATH"], "HOME": os.environ["HOME"], "GIT_CONFIG_NOSYSTEM": "1",
                              "GIT_CONFIG_GLOBAL": "/dev/null", **more})
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


def git(where, *words):
    return run(where, "git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "protocol.file.allow=always",
               *words)


def commit(tree, changes=None, name="note"):
    if changes is not None:
        (tree / "CHANGES.md").write_text(changes, "utf-8")
    (tree / name).write_text((tree / name).read_text() + "\n" if (tree / name).exists() else "\n")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "more")
    return git(tree, "rev-parse", "--short=10", "HEAD")


def version(tree):
    return run(tree, "sh", "lib/version.sh")


def package(tree, *words):
    """The package's version, as `make deb` would write it into Debian's changelog."""
    said = run(tree, "make", "-n", "deb", *words)
    return NAMED.search(said)[1]


@pytest.fixture
def tree(tmp_path):
    """A repository before its first release, without tags."""
    tree = tmp_path / "tree"
    (tree / "lib").mkdir(parents=True)
    shutil.copy(ROOT / "lib" / "version.sh", tree / "lib")
    git(tree, "init", "-q", "-b", "main")
    commit(tree, "# Changes\n")
    return tree


def test_without_tags_commits_are_counted_since_the_one_that_released(tree):
    commit(tree, RELEASE)
    assert version(tree) == "0.1.0"
    found = [version(tree)]
    for changes in (None, CHANGES, CHANGES.replace("- More.", "- Much more.")):
        head = commit(tree, changes)
        found.append(version(tree))
        assert found[-1] == f"0.1.0-{len(found) - 1}-g{head}"
    released = CHANGES.replace("## Unreleased", "## 0.2.0 - 2026-02-03")
    (tree / "CHANGES.md").write_text(released, "utf-8")
    assert version(tree) == f"0.2.0-0-g{head}", "it is no release before it is committed"
    commit(tree, released)
    assert version(tree) == "0.2.0"


def test_with_tags_they_count(tree):
    commit(tree, RELEASE)
    commit(tree, CHANGES)
    git(tree, "tag", "-a", "v0.1.0", "-m", "0.1.0")
    git(tree, "tag", "staging-of-today")
    assert version(tree) == "0.1.0"
    head = commit(tree)
    assert version(tree) == f"0.1.0-1-g{head}"


@pytest.mark.parametrize("odd", ["v9';touch${IFS}reached;echo'", "v9$(id)", "v9`id`", 'v9";#', "v9/x", "v9|id",
                                 "v9\u202e"])
def test_a_tag_that_is_no_version_counts_for_nothing(tree, odd):
    """Whoever may push a tag runs nothing where the next one calls make."""
    commit(tree, RELEASE)
    git(tree, "tag", "v0.1.0")
    head = commit(tree)
    git(tree, "tag", odd)
    assert version(tree) == f"0.1.0-1-g{head}"


def test_a_variable_for_the_shells_cd_leads_nowhere_else(tree, tmp_path):
    commit(tree, RELEASE)
    (tmp_path / "else" / "lib").mkdir(parents=True)
    assert run(tree, "sh", "lib/version.sh", CDPATH=str(tmp_path / "else")) == "0.1.0"


def test_a_shallow_clone_says_what_it_knows(tree, tmp_path):
    commit(tree, RELEASE)
    head = commit(tree, CHANGES)
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tree}", "shallow")
    assert version(tmp_path / "shallow") == f"0.1.0-0-g{head}"
    git(tree, "tag", "v0.2.0")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{tree}", "tagged")
    assert version(tmp_path / "tagged") == "0.2.0"


@pytest.mark.parametrize("changes,wanted", [(RELEASE, "0.1.0"), (CHANGES, "0.1.0-0-unreleased"), ("# Changes\n", "0")])
def test_a_tarball_says_what_changes_says_also_inside_a_repository_of_another(tree, tmp_path, changes, wanted):
    commit(tree, changes)
    git(tree, "archive", "-o", tmp_path / "it.tar", "HEAD")
    for folder in (tmp_path / "plain", tree / "vendor"):
        folder.mkdir()
        run(folder, "tar", "-xf", tmp_path / "it.tar")
        assert version(folder) == wanted


@pytest.mark.long
def test_dpkg_orders_what_is_between_two_releases():
    rising = ["0.1.0", "0.1.0-0-unreleased", "0.1.0-9-gffffffffff", "0.1.0-14-g0123456789", "0.1.1", "0.2.0"]
    rising = [package(ROOT, f"VERSION={name}") for name in rising]
    assert rising[3] == "0.1.0+14.g0123456789"
    for older, newer in zip(rising, rising[1:]):
        run(ROOT, "dpkg", "--compare-versions", older, "lt", newer)


@pytest.mark.long
def test_whatever_says_the_version_says_the_same_and_one_object_is_compiled_for_it(tmp_path):
    """In a copy of the build that is tested, which is as new as that one but for its version."""
    build, root = tmp_path / "build", tmp_path / "root"
    for name in ("obj/lib", "obj/server", "obj/runner", "obj/judge", "obj/agent", "obj/link"):
        shutil.copytree(BUILD / name, build / name)
    for path in [BUILD / "flags", BUILD / "version", *BUILD.glob("lib*.a")]:
        shutil.copy2(path, build)
    compiler, _, flags = (build / "flags").read_text("utf-8").rstrip("\n").partition(" ")
    words = [f"BUILD={build}", f"CC={compiler}", f"ALL_CFLAGS={flags}",
             "LDFLAGS=" + " ".join(re.findall(r"-fsanitize=\S+|--coverage", flags))]
    if "-DDEPLOYBOT_CRASH_POINTS" in flags:
        words += ["CRASH_POINTS=1"]
    words += [f"VERSION={(build / 'version').read_text('utf-8').strip()}"]
    stale = re.findall(r"^\S+: (.*target '\S+\.o'.*)", run(ROOT, "make", "-n", "--trace", *words, "all"), re.M)
    assert not stale, f"the copy is older than its sources, or of other flags: {stale[:3]}"     # it takes minutes
    run(ROOT, "make", *words, "all")
    words += [f"VERSION={LATER}"]
    said = run(ROOT, "make", *words, "install", f"DESTDIR={root}", "PREFIX=/usr")
    assert re.findall("CC +(.*)", said) == ["lib/version.c"], said
    assert run(root, root / "usr/bin/deploybot", "version") == f"deploybot {LATER}"
    for name in ("man8/deploybot.8", "man8/deploybot-runner.8", "man5/deploybot.conf.5"):
        assert f"\n.Os deploybot {LATER}\n" in (root / "usr/share/man" / name).read_text("utf-8"), name
    assert "CC " not in run(ROOT, "make", *words, "all"), "the same version compiles nothing"
    images = run(ROOT, "make", "-n", "images", *words)
    assert f"--build-arg VERSION={LATER} " in images and f"--tag deploybot-$target:{LATER} " in images
    assert package(ROOT, *words) == "0.2.0+14.g0123456789"


def test_docker_build_has_the_version_as_an_argument_or_takes_what_changes_says():
    text = (ROOT / "Dockerfile").read_text("utf-8").partition("FROM scratch AS server")[0]
    assert "\nARG VERSION=unknown\nRUN make " in text
    words = re.search(r"^RUN make .*?(\$\(\[.*?\)) &&", text, re.M)[1]
    for given, said in ((LATER, f"VERSION={LATER}"), ("unknown", "")):
        assert run(ROOT, "sh", "-c", f"echo {words}", VERSION=given) == said


@pytest.mark.parametrize("ours", ["0.2.0", LATER, "0.2.0-0-unreleased"])
def test_the_package_is_built_with_the_version_it_was_named_after(tmp_path, ours):
    name = package(ROOT, f"VERSION={ours}")
    rules = (ROOT / "deploy/debian/rules").read_text("utf-8").replace("include /usr/share/dpkg/pkg-info.mk", "")
    (tmp_path / "rules").write_text(rules + "\nsay-it: ; @echo '$(version)'\n", "utf-8")
    assert run(tmp_path, "make", "-f", "rules", f"DEB_VERSION_UPSTREAM={name}", "say-it") == ours
    assert "$(MAKE) BUILD=build VERSION=$(version) " in rules


def release_commands():
    """What CONTRIBUTING.md types for a release, line after line."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## A release\n")[2]
    block = re.search(r"(?:^ {7}.+\n)+", text, re.M)[0]
    return [line.partition("  # ")[0].strip() for line in block.splitlines()]


def test_a_release_is_looked_at_before_its_tag_is_pushed_for_good():
    commands = release_commands()
    assert commands[0] == "release=0.2.0" and commands[-1] == "git push --follow-tags"
    assert [command for command in commands if command.startswith(("make", "deploy", "tests"))] == [
        "make deb", 'deploy/release/notes.sh "v$release"',
        'deploy/release/reproduce.sh build/deb/deploybot_"$release"_*.deb', "tests/tools/release_throw_away.sh"]


@pytest.mark.parametrize("page, asks", [
    ("tests/fixtures/README.md", "a release adds a folder"), ("docs/TESTING.md", "before a release"),
    ("docs/TESTING.md", "`make nightly`"), ("SECURITY.md", "SECURITY_CONTACT"),
    ("deploy/debian/control", "deploybot@packages.invalid")])
def test_what_other_pages_ask_of_a_release_stands_in_its_chapter(page, asks):
    """Once an address is filled in, its row goes."""
    chapter = (ROOT / "CONTRIBUTING.md").read_text("utf-8").partition("## A release\n")[2]
    assert asks in (ROOT / page).read_text("utf-8")
    assert {"a release adds a folder": "`tests/fixtures/$release/`",
            "before a release": "`make soak MINUTES=60`"}.get(asks, asks) in chapter


@pytest.mark.long
def test_a_release_is_made_as_contributing_says(tmp_path):
    """Command after command, in a clone with an origin of its own; the package is only named, not compiled."""
    commands = release_commands()
    of_package = re.compile("deploy/release/reproduce.sh|tests/tools/release_throw_away.sh")    # they want a package
    assert sum(bool(of_package.match(command)) for command in commands) == 2
    commands = [command for command in commands if not of_package.match(command)]
    tree = tmp_path / "tree"
    tree.mkdir()
    for name in SOURCES:
        (tree / name).parent.mkdir(exist_ok=True)
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, tree / name)
    git(tmp_path, "init", "-q", "--bare", "-b", "main", "origin.git")
    git(tree, "init", "-q", "-b", "main")
    git(tree, "remote", "add", "origin", tmp_path / "origin.git")
    commit(tree, CHANGES)
    git(tree, "push", "-q", "-u", "origin", "main")
    script = "\n".join("MAKEFLAGS=n make deb" if line == "make deb" else line for line in commands)
    said = run(tree, "bash", "-e", "-c", script, GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@example.org",
               GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@example.org")
    assert NAMED.search(said)[1] == "0.2.0", said
    assert "- More." in said.splitlines(), "its notes"
    assert version(tree) == "0.2.0"
    changes = (tree / "CHANGES.md").read_text("utf-8")
    assert re.search(r"^## (.+)", changes, re.M)[1] == "0.2.0 - " + run(tree, "date", "+%F")
    assert "Unreleased" not in changes
    assert git(tmp_path / "origin.git", "describe", "--tags", "main") == "v0.2.0"
    git(tree, "archive", "-o", tmp_path / "it.tar", "v0.2.0")
    run(tmp_path, "tar", "-xf", "it.tar", "--one-top-level=tarball")
    assert version(tmp_path / "tarball") == "0.2.0", "also without git"


def test_changes_has_releases_newest_first_in_the_usual_sections():
    text = (ROOT / "CHANGES.md").read_text("utf-8")
    heads = re.findall(r"^## (.+)", text, re.M)
    assert all(re.fullmatch(r"\d+\.\d+\.\d+ - \d{4}-\d\d-\d\d", head) for head in heads if head != "Unreleased")
    assert "Unreleased" not in heads[1:]
    numbers = [[int(part) for part in head.split(" ")[0].split(".")] for head in heads if head != "Unreleased"]
    assert numbers and numbers == sorted(numbers, reverse=True)
    for release in re.split(r"^## .+\n", text, flags=re.M)[1:]:
        sections = re.findall(r"^### (.+)", release, re.M)
        usual = sections[1:] if sections[0] == "Upgrade" else sections     # what has to be read comes first
        assert usual and set(usual) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
        assert len(sections) == len(set(sections)) and release.strip().startswith("### ")
