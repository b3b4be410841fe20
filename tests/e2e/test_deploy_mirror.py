"""Goal: the mirror is packed once a day when nothing else is to be done, keeps what was released, and stands in
nobody's way; what a commit needs beside itself is named, refused or fetched."""
# SPDX-License-Identifier: ISC
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

import pytest

from commands_aid import make_library
from runner_client import PROGRAM, is_alive, wait_for
from shipping_aid import DEPLOY, ShippingBench, git, good_app, lines

OLD = time.time() - 100 * 86400
SLOW_GIT = """
for word; do
    if [[ $word == gc && $* == *--prune* ]]; then
        for last in "$STATE_DIRECTORY"/git/*.git; do echo half >"$last/objects/pack/tmp_pack_1"; done
        trap 'echo ended >$MARKS/term; exit 143' TERM
        sleep 1000 &
        echo "$$" >$MARKS/gc
        wait
    fi
done
exec /usr/bin/git "$@"
"""


@pytest.fixture
def bench(tmp_path):
    made = ShippingBench(tmp_path)
    made.by_hand = []
    yield made
    for process in made.by_hand:
        process.terminate()
        process.wait(10)
    made.done()


def mirror_of(bench):
    mirror, = (bench.state / "git").glob("*.git")
    return mirror


def pieces(bench):
    """Of how many packs, and objects in none, the mirror consists."""
    said = dict(line.split(": ") for line in git(mirror_of(bench), "count-objects", "-v").splitlines())
    return int(said["count"]) + int(said["packs"])


def maintain(bench, **env):
    return subprocess.run([os.path.join(DEPLOY, "commits.sh"), "maintain"], capture_output=True, text=True, check=False,
                          env=by_hand(bench) | env)


def knows(bench, commit):
    done = subprocess.run(["git", "cat-file", "-e", commit], cwd=mirror_of(bench), capture_output=True, check=False)
    return done.returncode == 0


def test_the_mirror_is_packed_when_nothing_else_is_to_be_done_and_once_a_day(bench):
    bench.repository.commit("First", page="1")
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="20000")    # later than this test
    assert runner.ask("commits", branch="main")["status"] == 0
    bench.repository.commit("Next", page="n")
    assert runner.ask("commits", branch="main")["status"] == 0
    assert pieces(bench) > 1
    runner.stop()
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="24")    # it looks every second
    wait_for(lambda: pieces(bench) == 1, "the mirror in one pack")
    stamp = mirror_of(bench).with_suffix(".packed")
    wait_for(stamp.exists, "its day noted")
    runner.stop()
    bench.repository.commit("Second", page="2")
    runner = bench.shipper(MIRROR_MAINTENANCE_SECONDS="86400")
    assert runner.ask("commits", branch="main")["status"] == 0
    assert maintain(bench).stdout == "end\n" and pieces(bench) > 1    # not yet
    os.utime(stamp, (OLD, OLD))
    assert maintain(bench, MIRROR_MAINTENANCE_SECONDS="0").returncode == 0 and pieces(bench) > 1    # never
    assert maintain(bench).stdout == "end\n" and pieces(bench) == 1


def test_what_was_released_is_kept_when_its_branch_was_moved_away(bench):
    base = good_app(bench, "base")
    released = good_app(bench, "released")
    runner = bench.shipper()
    assert bench.ship(runner, released)["status"] == 0
    git(bench.repository.path, "reset", "-q", "--hard", base)
    before = good_app(bench, "released before they were kept")
    assert runner.ask("commits", branch="main")["status"] == 0
    (bench.state / "environments").mkdir(exist_ok=True)
    (bench.state / "environments" / "production.json").write_text(json.dumps({"current": {"commit": before}}))
    git(bench.repository.path, "reset", "-q", "--hard", base)
    never = good_app(bench, "never released")
    assert runner.ask("commits", branch="main")["status"] == 0
    git(bench.repository.path, "reset", "-q", "--hard", base)
    assert runner.ask("commits", branch="main")["status"] == 0
    runner.stop()
    for path in (mirror_of(bench) / "objects").rglob("*"):
        os.utime(path, (OLD, OLD))
    assert maintain(bench).returncode == 0
    assert [knows(bench, commit) for commit in (released, before, never)] == [True, True, False]
    assert dict(lines(bench.shipper().ask("commits", ref=released[:12], branch="main")))["commit"] == released


def slow_scripts(bench):
    """A folder of scripts whose packing never ends by itself."""
    scripts, stand_in = bench.path / "deploy", bench.path / "bin"
    shutil.copytree(DEPLOY, scripts)
    stand_in.mkdir()
    (stand_in / "git").write_text(f"#!/bin/bash\nMARKS={bench.marks}\n{SLOW_GIT}")
    (stand_in / "git").chmod(0o755)
    text = (scripts / "commits.sh").read_text()
    text = text.replace("set -euo pipefail\n", f"set -euo pipefail\nPATH={stand_in}:$PATH\n", 1)
    (scripts / "commits.sh").write_text(text)
    return scripts


def slow_runner(bench):
    """One that has begun to pack."""
    runner = bench.runner(arguments=["--scripts", str(slow_scripts(bench))], REPOSITORY_URL=str(bench.repository.path),
                          DEPLOY_TRANSPORT="local", STAGING_PORT=str(bench.port), MIRROR_MAINTENANCE_SECONDS="24")
    assert runner.ask("commits", branch="main")["status"] == 0
    return runner, int(bench.mark("gc"))


@pytest.mark.parametrize("what", ["query", "run"])
def test_packing_ends_when_a_query_or_a_run_comes_and_leaves_nothing_half_done(bench, what):
    head = good_app(bench, "First")
    runner, packing = slow_runner(bench)
    half = mirror_of(bench) / "objects/pack/tmp_pack_1"
    assert half.exists()
    heads = lines(runner.ask("heads", branches="main"))    # that one needs no mirror
    assert heads[0] == ("head", f"{head} main") and is_alive(packing) and half.exists()
    if what == "query":
        assert dict(lines(runner.ask("commits", branch="main")))["commit"] == head
    else:
        assert bench.ship(runner, head)["status"] == 0
    wait_for(lambda: not half.exists() and not is_alive(packing), "end of the packing")
    assert bench.mark("term") == "ended"    # it could remove what it had begun
    assert not mirror_of(bench).with_suffix(".packed").exists()    # it is still to be done
    assert git(mirror_of(bench), "rev-parse", "main") == head


def by_hand(bench):
    return {"PATH": os.environ["PATH"], "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
            "DEPLOYBOT_RUNNER": PROGRAM, "REPOSITORY_URL": str(bench.repository.path)}


def slow_maintenance(bench):
    """Started by hand: no runner ends it."""
    maintenance = subprocess.Popen([str(slow_scripts(bench) / "commits.sh"), "maintain"], stdout=subprocess.DEVNULL,
                                   env=by_hand(bench))
    bench.by_hand.append(maintenance)
    return maintenance, int(bench.mark("gc"))


def test_packing_gives_way_to_a_script_by_hand(bench):
    head = good_app(bench, "First")
    assert bench.shipper().ask("commits", branch="main")["status"] == 0
    maintenance, packing = slow_maintenance(bench)
    answer = subprocess.run([os.path.join(DEPLOY, "commits.sh"), "commits", "", "main", ""], capture_output=True,
                            text=True, check=False, timeout=30, env=by_hand(bench))
    assert answer.returncode == 0 and f"commit {head}\n" in answer.stdout
    assert maintenance.wait(10) == 0 and not is_alive(packing)
    assert not mirror_of(bench).with_suffix(".packed").exists()    # it is still to be done


def test_packing_that_is_ended_removes_what_it_left_half_done(bench):
    good_app(bench, "First")
    assert bench.shipper().ask("commits", branch="main")["status"] == 0
    maintenance, packing = slow_maintenance(bench)
    half = mirror_of(bench) / "objects/pack/tmp_pack_1"
    assert half.exists()
    maintenance.terminate()
    assert maintenance.wait(10) == 143
    assert not half.exists() and not is_alive(packing)


def test_packing_ends_with_its_runner(bench):
    good_app(bench, "First")
    runner, packing = slow_runner(bench)
    runner.stop()
    wait_for(lambda: not is_alive(packing), "end of the packing")


def test_what_the_mirror_takes_is_said_with_each_answer(bench):
    bench.repository.commit("First", page="x" * 100000)
    runner = bench.shipper()
    assert "mirror" not in dict(lines(runner.ask("heads", branches="main")))    # there is none yet
    first = int(dict(lines(runner.ask("commits", branch="main")))["mirror"])
    (pathlib.Path(mirror_of(bench)) / "objects/pack/tmp_pack_1").write_bytes(b"x" * 500000)
    assert int(dict(lines(runner.ask("heads", branches="main")))["mirror"]) >= first + 500000
    assert int(dict(lines(runner.ask("commits", branch="main")))["mirror"]) < first + 500000    # its leftovers are gone


# ---- submodules and LFS ------------------------------------------------------------------------


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"


def add_submodule(bench, url=None, name="library", path="vendor/lib"):
    """An application with another repository in it; that one's commit."""
    head = make_library(bench.path / name)
    (bench.repository.path / ".gitmodules").write_text(
        f'[submodule "l"]\n\tpath = {path}\n\turl = {url or f"../{name}"}\n')
    git(bench.repository.path, "update-index", "--add", "--cacheinfo", f"160000,{head},{path}")
    git(bench.repository.path, "add", ".gitmodules")
    return head


def app_with(bench):
    """A commit of what is in the index and of an application that runs."""
    for name, text in ((".deploybot/run", (bench.repository.path / ".deploybot/run").read_text()), ("page", "odd")):
        (bench.repository.path / name).write_text(text)
        git(bench.repository.path, "add", name)
    git(bench.repository.path, "commit", "-q", "-m", "With what lies elsewhere")
    return git(bench.repository.path, "rev-parse", "HEAD")


def missing(runner, **question):
    return dict(lines(runner.ask("commits", branch="main", **question))).get("missing")


def folder_of(bench, commit):
    found, = [path for path in (bench.app / "releases").glob(f"*-{commit}") if path.is_dir()]
    return found


def test_a_submodule_is_named_and_its_release_goes_well_without_it(bench):
    good_app(bench, "plain")
    runner = bench.shipper()
    assert missing(runner) is None
    add_submodule(bench)
    head = app_with(bench)
    assert missing(runner) == "1 submodule (vendor/lib)"
    assert bench.ship(runner, head)["status"] == 0 and bench.page()["commit"] == head
    assert b"warning: shipped without 1 submodule (vendor/lib)" in runner.log(bench.run_id)
    assert not (folder_of(bench, head) / "vendor/lib/part").exists()


def test_what_is_not_built_here_misses_nothing(bench):
    good_app(bench, "plain")
    add_submodule(bench)
    app_with(bench)
    runner = bench.runner(DEPLOY_TRANSPORT="ssh", IMAGE_SOURCE="registry", REPOSITORY_URL=str(bench.repository.path))
    assert missing(runner) is None
    own = bench.runner(script="exit 0", DEPLOY_TRANSPORT="local", REPOSITORY_URL=str(bench.repository.path))
    assert missing(own) is None
    built = bench.runner(DEPLOY_TRANSPORT="ssh", IMAGE_SOURCE="build", REPOSITORY_URL=str(bench.repository.path))
    assert missing(built) == "1 submodule (vendor/lib)"


def test_a_submodule_is_refused_before_anything_is_touched(bench):
    first = good_app(bench, "plain")
    runner = bench.shipper(REPOSITORY_SUBMODULES="refuse")
    assert bench.ship(runner, first)["status"] == 0
    add_submodule(bench)
    head = app_with(bench)
    assert missing(runner) == "1 submodule (vendor/lib); refused (REPOSITORY_SUBMODULES)"
    end = bench.ship(runner, head)
    assert end["status"] == 65 and not end["released"] and bench.page()["commit"] == first
    assert (b"would be shipped without 1 submodule (vendor/lib): REPOSITORY_SUBMODULES is refuse"
            in runner.log(bench.run_id))


def test_submodules_are_fetched_from_beside_the_repository_those_of_theirs_too(bench):
    good_app(bench, "plain")
    add_submodule(bench)
    inner = add_submodule(bench, name="inner", path="deep/er")
    library = bench.path / "library"
    (library / ".gitmodules").write_text('[submodule "x"]\n\tpath = deep/er\n\turl = ../inner\n')
    git(library, "update-index", "--add", "--cacheinfo", f"160000,{inner},deep/er")
    git(library, "add", ".gitmodules")
    git(library, "commit", "-q", "-m", "Another in it")
    git(bench.repository.path, "rm", "-q", "--cached", "deep/er")
    (bench.repository.path / ".gitmodules").write_text('[submodule "l"]\n\tpath = vendor/lib\n\turl = ../library\n')
    git(bench.repository.path, "update-index", "--cacheinfo", f"160000,{git(library, 'rev-parse', 'HEAD')},vendor/lib")
    git(bench.repository.path, "add", ".gitmodules")
    head = app_with(bench)
    runner = bench.shipper(REPOSITORY_SUBMODULES="fetch",
                           REPOSITORY_SUBMODULES_FROM=f"{bench.path}/library,{bench.path}/inner")
    assert missing(runner) is None
    assert bench.ship(runner, head)["status"] == 0 and bench.page()["commit"] == head
    assert (folder_of(bench, head) / "vendor/lib/part").read_text() == "a part\n"
    assert (folder_of(bench, head) / "vendor/lib/deep/er/part").read_text() == "a part\n"
    assert len(list((bench.state / "git").glob("*.git"))) == 3


@pytest.mark.parametrize("url", ["https://elsewhere.example.org/x.git", "/etc", "-c", *(
    pytest.param(url, marks=pytest.mark.long) for url in (
        "../../x", "ext::sh -c id", "git@elsewhere:x", "file:///etc"))])
def test_a_submodule_from_elsewhere_gets_neither_key_nor_token(bench, url):
    good_app(bench, "plain")
    add_submodule(bench, url=url)
    head = app_with(bench)
    runner = bench.shipper(REPOSITORY_SUBMODULES="fetch")
    assert bench.ship(runner, head)["status"] == 65
    assert b"the submodule vendor/lib comes from " in runner.log(bench.run_id)


@pytest.mark.parametrize("folder", ["", "Bücher"])
def test_lfs_pointers_are_named_and_nothing_else_is_taken_for_one(bench, folder):
    repository = bench.repository.path
    good_app(bench, "plain")
    text = POINTER.format("0" * 64, 12)
    for name in ("a.png", "b.png", "two words.png", "d.png"):
        (repository / name).write_text(text)
    (repository / "notes").write_text("about\n" + text)
    (repository / "real.png").write_bytes(b"\x89PNG" + bytes(200))
    git(repository, "add", "-A")
    head = app_with(bench)
    runner = bench.shipper()
    assert missing(runner) is None    # no attribute says that they are more than files
    (repository / folder).mkdir(exist_ok=True)
    (repository / folder / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    git(repository, "add", "-A")
    head = app_with(bench)
    assert missing(runner) == "4 LFS files (a.png, b.png, d.png, …)"
    assert bench.ship(runner, head)["status"] == 0 and bench.page()["commit"] == head
    runner.stop()
    runner = bench.shipper(REPOSITORY_LFS="refuse")
    assert bench.ship(runner, head)["status"] == 65


def test_lfs_files_are_fetched(bench):
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    repository = bench.repository.path
    good_app(bench, "plain")
    content = b"a picture\n" * 20
    name = hashlib.sha256(content).hexdigest()
    kept = repository / ".git/lfs/objects" / name[:2] / name[2:4]
    kept.mkdir(parents=True)
    (kept / name).write_bytes(content)
    (repository / ".gitattributes").write_text("*.png filter=lfs diff=lfs merge=lfs -text\n")
    (repository / ".lfsconfig").write_text("[lfs]\n\turl = https://elsewhere.example.org/lfs\n")    # not asked
    (repository / "a.png").write_text(POINTER.format(name, len(content)))
    git(repository, "add", "-A")
    head = app_with(bench)
    runner = bench.shipper(REPOSITORY_LFS="fetch")
    assert missing(runner) is None
    assert bench.ship(runner, head)["status"] == 0 and bench.page()["commit"] == head
    assert (folder_of(bench, head) / "a.png").read_bytes() == content


# --- PATHS ---------------------------------------------------------------------------------------

TOUCHES = [    # PATHS, the file that changes (a folder before __), touches
    ("src/**", "src__a", "1"),
    ("src/**", "docs__a", "0"),
    pytest.param("src/**,docs/*", "docs__a", "1", marks=pytest.mark.long),
    pytest.param("src/** , docs/*", "docs__a", "1", marks=pytest.mark.long),
    ("!docs/**", "docs__a", "0"),
    pytest.param("!docs/**", "src__a", "1", marks=pytest.mark.long),
    pytest.param("src/**,!src/*.md", "src__aDOTmd", "0", marks=pytest.mark.long),
    ("src/**,!src/*.md", "src__a", "1"),
    ("*", "src__a", "0"),               # of the first level alone
    pytest.param("Dockerfile", "Dockerfile", "1", marks=pytest.mark.long),
    pytest.param("src", "src__a", "1", marks=pytest.mark.long),
    (":x", "src__a", "0"),              # a name, no magic
    pytest.param("-x,--,--cached", "src__a", "0", marks=pytest.mark.long),
    ("$(touch hacked),`id`;*", "src__a", "0"),
    pytest.param("[", "src__a", "0", marks=pytest.mark.long),
    ("**/**/**/**/**/**/a*b*c*d*e*f*g", "src__a", "0"),
]


@pytest.fixture(scope="module")
def paths_bench(tmp_path_factory):
    made = ShippingBench(tmp_path_factory.mktemp("paths"))
    made.asking = made.shipper()
    yield made
    made.done()


@pytest.mark.parametrize("paths,changes,touches", TOUCHES)
def test_git_says_whether_any_of_the_paths_has_changed_and_never_which(paths_bench, paths, changes, touches):
    base = paths_bench.repository.commit("Base")
    paths_bench.repository.commit("Next", **{changes: f"{paths} {touches}"})
    answer = paths_bench.asking.ask("commits", branch="main", base=base, paths=paths)
    assert dict(lines(answer))["touches"] == touches
    assert changes.replace("__", "/").replace("DOT", ".").encode() not in answer.body


@pytest.mark.long
def test_what_git_cannot_compare_counts_as_touched(paths_bench):
    repository, runner = paths_bench.repository, paths_bench.asking
    base = repository.commit("Base", docs__a="0")
    repository.commit("Next", docs__a="1")
    said = dict(lines(runner.ask("commits", branch="main", base="", paths="src/**")))
    assert said["touches"] == "1"                                           # nothing is live
    said = dict(lines(runner.ask("commits", branch="main", base="0" * 40, paths="src/**")))
    assert said["touches"] == "1"                                           # not of this repository
    git(repository.path, "checkout", "-q", "-B", "forced", base)
    other = repository.commit("Other", docs__a="2")
    said = dict(lines(runner.ask("commits", ref="main", branch="main", base=other, paths="src/**")))
    assert (said["forced"], said["touches"]) == ("1", "1")
    git(repository.path, "checkout", "-q", "main")
    said = dict(lines(runner.ask("commits", branch="main", base=base, paths="../src")))
    assert said["touches"] == "1"                                           # git refuses it
    assert "touches" not in dict(lines(runner.ask("commits", branch="main", base=base)))
