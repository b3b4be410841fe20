"""Goal: git questions are answered without executing anything, whatever a repository's people have called things."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import subprocess

import pytest

from runner_client import PROGRAM, is_alive, wait_for
from shipping_aid import DEPLOY, ShippingBench, git, good_app, lines


@pytest.fixture
def bench(tmp_path):
    made = ShippingBench(tmp_path)
    yield made
    made.done()


# ---- branches and commits ------------------------------------------------------------------------

def test_a_branch_is_answered_with_its_newest_commit_and_what_lies_between(bench):
    base = bench.repository.commit("First")
    bench.repository.commit("Second, with <b>markup</b> & $(id)")
    head = bench.repository.commit("Third")
    answer = bench.shipper().ask("commits", branch="main", base=base)
    said = dict(lines(answer))
    assert answer["status"] == 0 and answer.body.endswith(b"\nend\n")
    assert (said["ref"], said["kind"], said["commit"]) == ("main", "branch", head)
    assert (said["author"], said["subject"]) == ("Ann Example", "Third")
    assert said["at"].isdigit() and said["branch_commit"] == head
    assert said["tree"] == git(bench.repository.path, "rev-parse", "HEAD^{tree}").strip()
    assert (said["in_branch"], said["base"], said["forced"], said["count"]) == ("1", base, "0", "2")
    changes = [value for key, value in lines(answer) if key == "change"]
    assert changes[0] == f"{head} Ann Example\tThird"
    assert changes[1].endswith("\tSecond, with <b>markup</b> & $(id)") and len(changes) == 2


def test_a_merge_is_called_by_the_newest_that_it_brings(bench):
    """What goes to production is a merge nearly always: "Merge branch 'develop'" says nothing of it."""
    path, runner = bench.repository.path, bench.shipper()
    bench.repository.commit("First")
    git(path, "checkout", "-q", "-b", "develop")
    for subject in ("Sell pears", "Sell plums", "Sell apples"):
        bench.repository.commit(subject)
    git(path, "checkout", "-q", "main")
    git(path, "merge", "-q", "--no-ff", "--no-edit", "develop")
    said = dict(lines(runner.ask("commits", branch="main")))
    assert (said["subject"], said["commit"]) == ("Sell apples +2", git(path, "rev-parse", "HEAD").strip())
    git(path, "checkout", "-q", "develop")
    bench.repository.commit("Sell figs")
    git(path, "checkout", "-q", "main")
    git(path, "merge", "-q", "--no-ff", "--no-edit", "develop")
    assert dict(lines(runner.ask("commits", branch="main")))["subject"] == "Sell figs"
    git(path, "commit", "-q", "--allow-empty", "-m", "Last")
    assert dict(lines(runner.ask("commits", branch="main")))["subject"] == "Last"


def test_of_the_blocked_commits_those_in_its_history_are_named(bench):
    first, second, head = (bench.repository.commit(subject) for subject in ("First", "Second", "Third"))
    git(bench.repository.path, "checkout", "-q", "-b", "other", first)
    side = bench.repository.commit("Aside")
    runner = bench.shipper()
    answer = runner.ask("commits", ref="main", branch="main", base=first,
                        blocked=" ".join([side, second, "f" * 40, "1" * 12, head]))
    assert answer["status"] == 0 and answer.body.endswith(b"\nend\n")
    assert [value for key, value in lines(answer) if key == "contains"] == [second, head]
    asked = [first] * 15 + [side]
    answer = runner.ask("commits", ref="other", blocked=" ".join(asked))
    assert [value for key, value in lines(answer) if key == "contains"] == asked
    assert not [key for key, _ in lines(runner.ask("commits", ref="main")) if key == "contains"]


def barriers(runner, ref, base):
    """What git says of rolling back past these commits."""
    return [(key, value) for key, value in lines(runner.ask("commits", ref=ref, base=base))
            if key in ("barrier", "no_history")]


@pytest.mark.long
def test_the_newest_word_against_a_rollback_past_it_is_said(bench):
    path = bench.repository.path
    first = bench.repository.commit("First")
    drops = bench.repository.commit("Drop", **{"DOTdeploybot__no-rollback": "drops column price\n"})
    after = bench.repository.commit("After")
    (path / ".deploybot" / "no-rollback").write_text("\n  drops\ttable \x1b[31morders\r\n second line\n" + "é" * 5000)
    again = bench.repository.commit("Again")
    git(path, "rm", "-q", "-r", ".deploybot")
    removed = bench.repository.commit("Removed")
    runner = bench.shipper()
    assert barriers(runner, drops, first) == barriers(runner, after, first) == [("barrier", "drops column price ")]
    assert barriers(runner, after, drops) == barriers(runner, first, first) == []
    (_, said), = barriers(runner, removed, first)
    assert said.startswith("   drops table [31morders") and len(said.encode()) <= 1201, said
    assert barriers(runner, removed, again) == [], "removing it is none"
    assert barriers(runner, first, removed) == []
    (_, whole), = barriers(runner, again, "")
    assert whole == said and barriers(runner, removed, "") == [], "where nothing is live all commits are new"


def past(runner, ref, base):
    """What git says that these commits' deployment would go back past."""
    return [value.split(" ", 1) for key, value in lines(runner.ask("commits", ref=ref, base=base)) if key == "past"]


def test_what_a_step_back_goes_past_is_said_newest_first_and_not_of_what_was_rebased(bench):
    path = bench.repository.path
    first = bench.repository.commit("First")
    drops = bench.repository.commit("Drop", **{"DOTdeploybot__no-rollback": "drops column price"})
    between = bench.repository.commit("Between")
    (path / ".deploybot" / "no-rollback").write_text("drops table orders")
    again = bench.repository.commit("Again")
    git(path, "checkout", "-q", "-b", "beside", first)
    beside = bench.repository.commit("Beside it", x="x")
    git(path, "cherry-pick", drops)
    rebased = git(path, "rev-parse", "HEAD")
    runner = bench.shipper()
    everything = [[again, "drops table orders"], [drops, "drops column price"]]
    assert past(runner, first, again) == past(runner, beside, again) == everything
    assert past(runner, between, again) == past(runner, rebased, again) == everything[:1]
    assert past(runner, again, first) == past(runner, again, again) == past(runner, again, "") == []


def test_a_word_against_a_rollback_is_found_on_each_side_of_a_merge_and_only_there(bench):
    path = bench.repository.path
    first = bench.repository.commit("First")
    git(path, "checkout", "-q", "-b", "side")
    side = bench.repository.commit("Side", **{"DOTdeploybot__no-rollback": "from aside\n"})
    git(path, "rm", "-q", "-r", ".deploybot")
    bench.repository.commit("Taken out")
    git(path, "checkout", "-q", "main")
    bench.repository.commit("Main", x="x")
    git(path, "merge", "-q", "--no-edit", "side")
    merged = git(path, "rev-parse", "HEAD")
    git(path, "checkout", "-q", "-b", "from-side", side)
    git(path, "merge", "-q", "--no-edit", "main~1")     # it brings nothing that is new to `side`
    onto = git(path, "rev-parse", "HEAD")
    git(path, "checkout", "-q", "-b", "folder", first)
    (path / ".deploybot").mkdir()
    (path / ".deploybot" / "no-rollback").mkdir()
    (path / ".deploybot" / "no-rollback" / "x").write_text("no file")
    folder = bench.repository.commit("A folder of that name")
    (path / ".deploybot" / "no-rollback" / "x").unlink()
    (path / ".deploybot" / "no-rollback").rmdir()
    (path / ".deploybot" / "no-rollback").write_text("")
    empty = bench.repository.commit("Without a word")
    runner = bench.shipper()
    assert barriers(runner, merged, first) == [("barrier", "from aside ")]
    assert barriers(runner, onto, side) == [] and barriers(runner, folder, first) == []
    assert barriers(runner, empty, folder) == [("barrier", "")]


def test_without_a_common_history_nobody_knows_what_can_be_rolled_back_past(bench):
    first = bench.repository.commit("First")
    git(bench.repository.path, "checkout", "-q", "--orphan", "other")
    other = bench.repository.commit("Other", **{"DOTdeploybot__no-rollback": "drops all"})
    runner = bench.shipper()
    assert barriers(runner, other, first) == barriers(runner, first, "f" * 40) == [("no_history", "1")]


def test_a_tag_and_a_commit_are_answered_and_whether_they_are_in_the_branch(bench):
    first = bench.repository.commit("First")
    git(bench.repository.path, "tag", "-a", "v1", "-m", "one")
    git(bench.repository.path, "checkout", "-q", "-b", "other")
    side = bench.repository.commit("Aside")
    runner = bench.shipper()
    said = dict(lines(runner.ask("commits", ref="v1", branch="main")))
    assert (said["kind"], said["commit"], said["in_branch"]) == ("tag", first, "1")
    for ref in (side, side[:7], side[:12].upper()):
        said = dict(lines(runner.ask("commits", ref=ref, branch="main")))
        assert (said["kind"], said["commit"], said["in_branch"]) == ("commit", side, "0")
    said = dict(lines(runner.ask("commits", ref="other", base=first)))
    assert (said["kind"], said["in_branch"], said["count"]) == ("branch", "0", "1")


def test_a_rewritten_branch_is_forced_and_at_most_ten_commits_are_shown(bench):
    bench.repository.commit("Root")
    old = bench.repository.commit("Old")
    git(bench.repository.path, "branch", "keep", old)
    git(bench.repository.path, "reset", "-q", "--hard", "HEAD^")
    for i in range(12):
        bench.repository.commit(f"New {i}")
    answer = bench.shipper().ask("commits", branch="main", base=old)
    said = dict(lines(answer))
    assert (said["forced"], said["count"]) == ("1", "12")
    assert len([key for key, _ in lines(answer) if key == "change"]) == 10


def commit_literally(folder, head):
    """A commit above HEAD with these lines behind its parent, as any program may have written them."""
    text = f"tree {git(folder, 'write-tree')}\nparent {git(folder, 'rev-parse', 'HEAD')}\n".encode() + head
    done = subprocess.run(["git", "hash-object", "--literally", "-t", "commit", "-w", "--stdin"], cwd=folder,
                          input=text, capture_output=True, check=True)
    commit = done.stdout.decode().strip()
    git(folder, "update-ref", "refs/heads/main", commit)
    return commit


@pytest.mark.long
@pytest.mark.parametrize("odd", [
    b"author  <a@b.c> 1 +0000\ncommitter Bo <b@b.c> 1 +0000\n\nNobody wrote it\n",
    b"author A <a@b.c> 1 +0000\ncommitter Bo <b@b.c> 253402300800 +0000\n\nIn the year 10000\n",
    b"author A <a@b.c> 1 +0000\ncommitter Bo <b@b.c> 1 +0000\n\n" + "\u200b".encode() * 22000 + b"\n",
    b"author " + b"A" * 70000 + b" <a@b.c> 1 +0000\ncommitter Bo <b@b.c> 1 +0000\n\nBy a long name\n"],
    ids=["no author", "year 10000", "zero width", "long author"])
def test_an_odd_commit_neither_hides_itself_nor_those_beside_it(bench, odd):
    base = bench.repository.commit("First")
    strange = commit_literally(bench.repository.path, odd)
    runner = bench.shipper()
    answer = runner.ask("commits", branch="main", base=base)
    said = dict(lines(answer))
    assert answer["status"] == 0 and (said["commit"], said["count"]) == (strange, "1")
    head = bench.repository.commit("Third")
    answer = runner.ask("commits", branch="main", base=base)
    assert answer["status"] == 0 and answer.body.endswith(b"\nend\n") and len(answer.body) < 4096
    said = dict(lines(answer))
    assert (said["commit"], said["in_branch"], said["forced"], said["count"]) == (head, "1", "0", "2")
    changes = [value.split(" ")[0] for key, value in lines(answer) if key == "change"]
    assert changes == [head, strange]


@pytest.mark.parametrize("ref", ["devlop", "--upload-pack=x", "-x", "a..b", "HEAD~1", "main^", "a b", "0123456",
                                 "$(touch x)", "main@{0}", ":/x"])
def test_what_is_no_ref_is_refused_with_what_is_possible(bench, ref):
    bench.repository.commit("First")
    git(bench.repository.path, "tag", "v1")
    answer = bench.shipper().ask("commits", ref=ref, branch="main")
    assert answer["status"] == 64 and answer.body.endswith(b"\nend\n")
    said = lines(answer)
    assert said[0][0] == "error"
    assert ("possible", "branch main") in said and ("possible", "tag v1") in said


def test_all_digits_are_that_commit_whatever_a_branch_or_tag_is_called(bench):
    wanted = good_app(bench, "Wanted")
    other = bench.repository.commit("Other")
    for ref in (f"refs/heads/{wanted}", f"refs/tags/{wanted}", f"refs/heads/{'0' * 40}"):
        git(bench.repository.path, "update-ref", ref, other)
    runner = bench.shipper()
    for ref in (wanted, wanted.upper()):
        answer = runner.ask("commits", ref=ref, branch="main")
        said = dict(lines(answer))
        assert (said["kind"], said["commit"], said["subject"]) == ("commit", wanted, "Wanted")
        assert b"warning" not in answer.body
    assert runner.ask("commits", ref="0" * 40, branch="main")["status"] == 64
    git(bench.repository.path, "update-ref", "refs/heads/main", wanted)    # it is shipped under its name, too
    assert bench.ship(runner, wanted)["status"] == 0 and bench.page()["commit"] == wanted


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_digits_that_a_branch_or_tag_is_called_too_are_ambiguous_and_each_is_named_in_full(bench, kind):
    wanted = bench.repository.commit("Wanted")
    other = bench.repository.commit("Other")
    short = wanted[:8]
    git(bench.repository.path, kind, short, other)
    git(bench.repository.path, kind, "deadbeefdeadbeef", other)
    runner = bench.shipper()
    answer = runner.ask("commits", ref=short, branch="main")
    said = lines(answer)
    assert answer["status"] == 64 and answer.body.endswith(b"\nend\n")
    assert said == [("error", f"{short} is ambiguous: type all digits of the one you mean"),
                    ("possible", f"commit {other}\t{kind} {short}: Other"), ("possible", f"commit {wanted}\tWanted")]
    # One that is no commit's name, and the environment's own branch, are what they are called.
    said = dict(lines(runner.ask("commits", ref="deadbeefdeadbeef", branch="main")))
    assert (said["kind"], said["commit"]) == (kind, other)
    if kind == "branch":
        assert dict(lines(runner.ask("commits", branch=short)))["commit"] == other


def test_digits_of_two_commits_are_ambiguous(bench):
    base = bench.repository.commit("First")
    tree = git(bench.repository.path, "rev-parse", "HEAD^{tree}")
    seen, twins = {}, None
    for number in range(60000):    # one in 7 digits is expected after 20,000 of them
        text = (f"tree {tree}\nparent {base}\nauthor A <a@b.c> {number} +0000\n"
                "committer A <a@b.c> 1 +0000\n\nTwin\n").encode()
        name = hashlib.sha1(b"commit %d\0" % len(text) + text).hexdigest()
        if name[:7] in seen:
            twins = (seen[name[:7]], text)
            break
        seen[name[:7]] = text
    names = [subprocess.run(["git", "hash-object", "-t", "commit", "-w", "--stdin"], cwd=bench.repository.path,
                            input=text, capture_output=True, check=True).stdout.decode().strip() for text in twins]
    for name in names:
        git(bench.repository.path, "branch", f"twin/{name}", name)
    answer = bench.shipper().ask("commits", ref=names[0][:7], branch="main")
    assert answer["status"] == 64
    meant = [value for key, value in lines(answer) if key == "possible"]
    assert meant == [f"commit {name}\tTwin" for name in sorted(names)]


def test_at_most_ten_possible_refs_are_listed(bench):
    bench.repository.commit("First")
    for i in range(20):
        git(bench.repository.path, "branch", f"b{i}")
    answer = bench.shipper().ask("commits", ref="nothing")
    assert len([key for key, _ in lines(answer) if key == "possible"]) == 10


def test_a_branch_whose_name_is_an_option_executes_nothing(bench):
    """FAULTS finding 4: fetching such a branch by name executed a program."""
    evil = bench.path / "evil"
    evil.write_text(f"#!/bin/sh\necho x >{bench.marks}/evil\n")
    evil.chmod(0o755)
    head = bench.repository.commit("First")
    name = f"--upload-pack={evil}"
    git(bench.repository.path, "update-ref", f"refs/heads/{name}", head)
    marks = str(bench.marks).replace("/", "@")
    git(bench.repository.path, "update-ref", "refs/heads/x;touch${IFS}" + marks + "`id`", head)
    runner = bench.shipper()
    assert runner.ask("commits", ref=name, branch="main")["status"] == 64
    answer = runner.ask("commits", branch=name)
    assert answer["status"] == 64
    assert runner.ask("commits", ref="main", branch=name)["status"] == 0
    assert ("head", f"{head} {name}") in lines(runner.ask("heads", branches=f"main {name}"))
    assert not bench.has_mark("evil") and os.listdir(bench.marks) == []


def test_heads_are_exact_names(bench):
    head = bench.repository.commit("First")
    git(bench.repository.path, "branch", "release/main")
    git(bench.repository.path, "branch", "refs/heads/main2")
    answer = bench.shipper().ask("heads", branches="main develop main2")
    assert answer["status"] == 0 and lines(answer) == [("head", f"{head} main")]


# ---- the way to a repository ---------------------------------------------------------------------

def test_a_repository_that_is_not_there_is_unreachable_with_gits_words(bench):
    runner = bench.runner(REPOSITORY_URL=str(bench.path / "nowhere"))
    for question in ({"question": "commits", "branch": "main"}, {"question": "heads", "branches": "main"}):
        answer = runner.ask(**question)
        assert answer["status"] == 69
        # Not git's last line, which is "and the repository exists."
        assert dict(lines(answer))["error"].startswith("fatal: ") and "nowhere" in dict(lines(answer))["error"]
        assert "advised" not in dict(lines(answer))


def test_a_repository_of_another_user_comes_with_advice(bench):
    if os.geteuid() != 0:
        pytest.skip("nobody else can give a folder away")
    bench.repository.commit("First")
    subprocess.run(["chown", "-R", "65534:65534", bench.repository.path], check=True)
    for question in ({"question": "commits", "branch": "main"}, {"question": "heads", "branches": "main"}):
        answer = bench.runner(REPOSITORY_URL=str(bench.repository.path)).ask(**question)
        assert answer["status"] == 69
        error = dict(lines(answer))["error"]
        assert "dubious ownership" in error and "; chown -R root that folder" in error, error
        assert dict(lines(answer))["advised"] == "1"


def test_a_host_that_is_not_resolved_comes_with_advice(bench):
    answer = bench.runner(REPOSITORY_URL="https://nowhere.invalid/team/shop.git").ask("heads", branches="main")
    error = dict(lines(answer))["error"]
    assert answer["status"] == 69 and "resolve host" in error and error.endswith("(/etc/resolv.conf)?"), error
    assert dict(lines(answer))["advised"] == "1"


@pytest.mark.parametrize("url", ["ext::sh -c id", "-oProxyCommand=id", "ssh://-oProxyCommand=id/x", "file:///etc",
                                 "http://example.org/x", "relative/path", "user@-host:x"])
def test_only_https_ssh_and_absolute_paths_are_fetched(bench, url):
    answer = bench.runner(REPOSITORY_URL=url).ask("heads", branches="main")
    assert answer["status"] == 78 and "REPOSITORY_URL: is not https://" in answer["text"]


def test_a_mirror_left_unusable_is_made_anew(bench):
    head = bench.repository.commit("First")
    runner = bench.shipper()
    assert runner.ask("commits", branch="main")["status"] == 0
    mirror, = [path for path in (bench.state / "git").iterdir() if path.is_dir()]
    (mirror / "packed-refs.lock").write_text("left by a git that was killed")
    assert runner.ask("commits", branch="main")["status"] == 0
    (mirror / "config").write_text("[broken")
    for path in (mirror / "objects").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(b"garbage")
    bench.repository.commit("Second")
    answer = runner.ask("commits", branch="main", base=head)
    assert answer["status"] == 0 and dict(lines(answer))["subject"] == "Second"


def test_a_mirror_whose_new_pack_lost_its_bytes_with_the_power_is_made_anew(bench):
    bench.repository.commit("First")
    runner = bench.shipper()
    assert runner.ask("commits", branch="main")["status"] == 0
    mirror, = [path for path in (bench.state / "git").iterdir() if path.is_dir()]
    before = set((mirror / "objects/pack").glob("*.pack"))
    first = (mirror / "refs/heads/main").read_text()
    bench.repository.commit("Second")
    assert runner.ask("commits", branch="main")["status"] == 0
    (mirror / "refs/heads/main").write_text(first)
    new, = set((mirror / "objects/pack").glob("*.pack")) - before
    new.chmod(0o644)
    new.write_bytes(b"")
    answer = runner.ask("commits", branch="main")
    assert answer["status"] == 0 and dict(lines(answer))["subject"] == "Second"


def test_hooks_and_configuration_of_a_user_are_not_used(bench):
    bench.repository.commit("First")
    (bench.state / ".gitconfig").write_text(
        f"[core]\n\thooksPath = {bench.path}/hooks\n[url \"/nowhere\"]\n\tinsteadOf = /\n")
    assert bench.shipper().ask("commits", branch="main")["status"] == 0


def told_token(bench, host, path="", protocol="https"):
    """What git, with our askpass.sh, would send there."""
    secret = bench.path / "token"
    secret.write_text("ghp_0123456789abcdefghij\n")
    done = subprocess.run(
        ["git", "-c", "credential.helper=", "-c", "credential.useHttpPath=true", "credential", "fill"],
        capture_output=True, text=True, check=False, input=f"protocol={protocol}\nhost={host}\npath={path}\n\n", env={
            "PATH": os.environ["PATH"], "HOME": str(bench.path), "GIT_TERMINAL_PROMPT": "0",
            "GIT_TOKEN_HOST": "https://example.org:8443", "GIT_ASKPASS": os.path.join(DEPLOY, "askpass.sh"),
            "REPOSITORY_TOKEN_FILE": str(secret)})
    return done.stdout + done.stderr


def test_a_token_reaches_git_and_nobody_elses_eyes(bench):
    assert "username=x-access-token\npassword=ghp_0123456789abcdefghij\n" in told_token(bench, "example.org:8443")
    assert "password=ghp_" in told_token(bench, "example.org:8443", "team/shop.git")


@pytest.mark.parametrize("host,path,protocol", [
    ("evil.org", "", "https"), ("example.org", "", "https"), ("example.org:8443.evil.org", "", "https"),
    ("evil.org", "@example.org:8443", "https"), ("evil.org", "'@example.org:8443'", "https"),
    ("example.org:8443", "", "http")])
def test_a_token_is_told_to_the_host_of_the_repository_alone(bench, host, path, protocol):
    """A redirect, or the URL of a submodule, may have led git to another one."""
    said = told_token(bench, host, path, protocol)
    assert "ghp_" not in said and "askpass.sh: no token for " in said, said


@pytest.mark.parametrize("key", ["/a key's path", "/schl\u00fcssel/key", "/\u00fc'; touch reached; #", "/a\\'b\\",
                                 "/&/'$(id)'"])
def test_ssh_asks_nobody_and_trusts_only_known_hosts(bench, key):
    """The path goes through /bin/sh, here in the locale C, as whoever calls a script by hand may have it."""
    folder = bench.path / "bin"
    folder.mkdir()
    (folder / "ssh").write_text(f"#!/bin/bash\nprintf '%s\\n' \"$@\" >{bench.marks}/ssh\necho refused >&2; exit 255\n")
    (folder / "ssh").chmod(0o755)
    done = subprocess.run(
        [os.path.join(DEPLOY, "commits.sh"), "heads", "main"], cwd=bench.path, capture_output=True, text=True,
        check=False, env={
            "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
            "DEPLOYBOT_RUNNER": PROGRAM, "REPOSITORY_URL": "git@example.org:acme/shop.git",
            "REPOSITORY_KEY_PATH": key, "LC_ALL": "C",
            "REPOSITORY_KNOWN_HOSTS": "/known $(id)"})
    asked = (bench.marks / "ssh").read_text().splitlines()
    assert done.returncode == 69 and done.stdout.startswith("error ")
    assert asked[:2] == ["-F", "none"] and "-oBatchMode=yes" in asked and "-oStrictHostKeyChecking=yes" in asked
    assert asked[asked.index("-i") + 1] == key and "-oUserKnownHostsFile=/known $(id)" in asked


# ---- a question's own end ------------------------------------------------------------------------

def asker(bench, text):
    """A runner whose commits.sh is this."""
    folder = bench.path / "scripts"
    folder.mkdir()
    for name in ("commits.sh", "deploy.sh"):
        (folder / name).write_text(f"#!/bin/bash\nMARKS={bench.marks}\n{text}")
        (folder / name).chmod(0o755)
    return bench.runner(arguments=["--scripts", str(folder)])


def test_an_answer_of_64_kb_arrives_and_a_longer_one_fails(bench):
    runner = asker(bench, 'head -c "$(cat $MARKS/size)" /dev/zero | tr "\\0" x')
    (bench.marks / "size").write_text("65536\n")
    answer = runner.ask("heads", branches="main")
    assert answer["status"] == 0 and answer.body == b"x" * 65536
    (bench.marks / "size").write_text("65537\n")
    answer = runner.ask("heads", branches="main")
    assert answer["status"] == 69 and "64 KB" in answer["text"] and answer.body == b""


def test_a_question_ends_with_its_server(bench):
    runner = asker(bench, "trap '' TERM; echo $$ >$MARKS/pid; while :; do sleep 0.05; done")
    runner.send("ask", id=1, question="heads", branches="main")
    pid = int(bench.mark("pid"))
    runner.stop()
    wait_for(lambda: not is_alive(pid), "end of the question")


def test_what_a_question_left_behind_is_ended(bench):
    runner = asker(bench, "setsid sleep 1000 & echo $! >$MARKS/pid; echo end")
    assert runner.ask("heads", branches="main").body == b"end\n"
    assert not is_alive(int(bench.mark("pid")))


def test_questions_run_side_by_side_and_the_seventeenth_that_waits_is_told_so(bench):
    runner = asker(bench, ': >"$MARKS/asked.$2"; until [[ -e $MARKS/on ]]; do sleep 0.01; done; echo end')
    for number in range(1, 35):
        runner.send("ask", id=number, question="heads", branches=f"b{number}")
    refused = [runner.until("answer") for _ in range(2)]
    assert [(answer["id"], answer["status"]) for answer in refused] == [(33, 75), (34, 75)]
    wait_for(lambda: len(list(bench.marks.glob("asked.*"))) == 16, "those that run")
    assert {path.name for path in bench.marks.glob("asked.*")} == {f"asked.b{n}" for n in range(1, 17)}
    (bench.marks / "on").write_text("x\n")
    assert sorted(runner.until("answer")["id"] for _ in range(32)) == list(range(1, 33))
