"""Goal: an upload is built and shipped by the steps of a commit, out of its own tree and of that alone: one that was
changed is refused before anything is built, and git is never asked about it."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import socket
import urllib.request

import pytest

from commands_aid import shipped

NAME = hashlib.sha256(b"site.zip").hexdigest()
OTHER = hashlib.sha256(b"other.zip").hexdigest()


def line(path, text, mode="0644"):
    return f"{mode} {hashlib.sha256(text.encode()).hexdigest()} {path}\n"


def tree_of(files, executable=()):
    """The definition of deploy/approved.sh, by other means."""
    lines = sorted(line(path, text, "0755" if path in executable else "0644") for path, text in files.items())
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def approve(bench, files, name=NAME, executable=(), folder=None):
    """What the unpacker leaves; the digest of its tree."""
    root = (folder or bench.state / "approved") / name
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if path in executable else 0o644)
    return tree_of(files, executable)


def upload(tree, **settings):
    return {"SOURCE": "upload", "TREE": tree, **settings}


SITE = {"Dockerfile": "FROM scratch\n", "index.html": "<h1>Hello</h1>\n", "b/a b.txt": "x\n", "b.txt": "y\n",
        "ä/é": "z\n", "run": "#!/bin/sh\n"}


def asked_git(bench, name=NAME):
    return [call for call in bench.calls("git") if any(name in word for word in call)]


@pytest.fixture(name="spied")
def spied_fixture(bench):
    """A git that notes what it is asked."""
    (bench.bin / "git").write_text(f'#!/bin/bash\nprintf "%s\\n" "$*" >>{bench.stand}/git\nexec /usr/bin/git "$@"\n')
    (bench.bin / "git").chmod(0o755)
    return bench


def git_calls(bench):
    file = bench.stand / "git"
    return file.read_text().splitlines() if file.exists() else []


def test_an_upload_is_built_by_the_steps_of_a_commit(spied):
    tree = approve(spied, SITE, executable=("run",))
    status, said = spied.run("deploy.sh", "staging", NAME, **upload(tree), PREVIOUS_RELEASE="")
    assert status == 0, said
    assert spied.steps() == ["preflight", "checkout", "build", "push", f"image {spied.digests()[NAME]}", "release",
                             "clean-later"]
    build, = [record for record in spied.records() if record.get("words", [])[:1] == ["build"]]
    assert f"COMMIT={NAME}" in build["words"]
    assert spied.target() == f"{NAME}@{spied.digests()[NAME]}"
    assert not git_calls(spied), "git knows nothing of it"


def test_the_modes_of_the_tree_are_those_of_a_checkout(bench):
    tree = approve(bench, SITE, executable=("run",))
    seen = bench.path / "seen"
    bench.hook("pre-build", "look", f'find . -printf "%m %P\\n" | sort >{seen}; printf "%s\\n" "$SOURCE" >>{seen}')
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree))
    assert status == 0, said
    found = seen.read_text().splitlines()
    assert {"644 index.html", "755 run", "755 b", "644 b/a b.txt", "upload"} < set(found), found


@pytest.mark.parametrize("change", ["byte", "mode", "more", "less", "link", "fifo", "name"])
def test_a_tree_that_was_changed_is_refused_before_it_is_built(bench, change):
    first, _ = shipped(bench)
    tree, root = approve(bench, SITE), bench.state / "approved" / NAME
    if change == "byte":
        (root / "index.html").write_text("<h1>Hallo</h1>\n")
    elif change == "mode":
        (root / "index.html").chmod(0o755)
    elif change == "more":
        (root / "b" / "more").write_text("")
    elif change == "less":
        (root / "b.txt").unlink()
    elif change == "link":
        (root / "b.txt").unlink()
        os.symlink("/etc/passwd", root / "b.txt")
    elif change == "fifo":
        os.mkfifo(root / "pipe")
    else:
        (root / "b.txt").rename(root / "c.txt")
    bench.forget_calls()
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree))
    assert status == 65, said
    assert f"the tree of upload {NAME[:12]} is not the one that was shown ({tree[:12]}), so nothing was changed" \
        in said[-1], said
    assert bench.steps() == ["preflight", "checkout"] and bench.target().startswith(first)
    assert not [call for call in bench.calls("docker") if call[1] in ("build", "push")]


RUN = '#!/bin/sh\nexec python3 -m http.server "$PORT" --bind 127.0.0.1 --directory built\n'


def test_a_transport_that_builds_here_starts_the_uploads_own_files(bench):
    files = {".deploybot/build": '#!/bin/sh\nmkdir built && printf "%s" "$SOURCE" >built/index.html\n',
             ".deploybot/run": RUN}
    tree = approve(bench, files, executable=tuple(files))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"DEPLOY_TRANSPORT": "local", "STAGING_PORT": str(port)}
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree), **own)
    assert status == 0 and bench.steps()[:3] == ["preflight", "checkout", "build"], said
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
        assert answer.read() == b"upload"
    (bench.state / "approved" / NAME / ".deploybot" / "build").write_text("#!/bin/sh\nexit 1\n")
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree), **own)
    assert status == 65 and "is not the one that was shown" in said[-1], said


def test_a_tree_that_is_gone_is_asked_for(bench):
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree_of(SITE)))
    assert status == 64 and said[-1].endswith(f"has no tree of upload {NAME[:12]}: send the archive again"), said
    folder = bench.state / "approved"
    folder.mkdir()
    os.symlink(bench.repository, folder / NAME)
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree_of(SITE)))
    assert status == 64 and "has no tree of upload" in said[-1], said


def test_approved_directory_says_where_the_trees_are(bench):
    folder = bench.path / "elsewhere"
    tree = approve(bench, SITE, folder=folder)
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree, APPROVED_DIRECTORY=str(folder)))
    assert status == 0, said


@pytest.mark.parametrize("settings,status,text", [
    ({"TREE": None}, 64, "TREE is to be the digest"), ({"TREE": "abc"}, 64, "TREE is to be the digest"),
    ({"SOURCE": "svn"}, 64, "SOURCE is neither git nor upload"),
    ({"IMAGE_SOURCE": "registry", "IMAGE_WAIT_SECONDS": "0"}, 78, "IMAGE_SOURCE is registry")], ids=str)
def test_what_an_upload_cannot_be_is_refused(bench, settings, status, text):
    tree = approve(bench, SITE)
    got, said = bench.run("deploy.sh", "staging", NAME, **{**upload(tree), **settings})
    assert (got, bench.target()) == (status, "") and text in said[-1], said
    assert "build" not in bench.steps()


def test_40_digits_are_no_archive(bench):
    status, said = bench.run("deploy.sh", "staging", "a" * 40, **upload(tree_of(SITE)))
    assert status == 64 and "no SHA-256 of an archive" in said[-1], said


def test_there_and_back_between_uploads_and_commits(spied):
    """A rollback to an upload, and from one to a commit: git is asked about commits alone."""
    first, _ = shipped(spied)
    tree = approve(spied, SITE)
    status, said = spied.run("deploy.sh", "staging", NAME, **upload(tree), PREVIOUS_RELEASE=first)
    assert status == 0, said
    live = spied.target()
    status, said = spied.run("deploy.sh", "staging", spied.commit("two"), PREVIOUS_RELEASE=live)
    assert status == 0 and "no-rollback" not in spied.steps(), said
    assert "nothing is rolled back by itself" not in "\n".join(said), "an upload is no base"
    back = spied.target()
    status, said = spied.run("rollback.sh", "staging", live, SOURCE="upload", PREVIOUS_RELEASE=back)
    assert status == 0 and spied.target() == live, said
    status, said = spied.run("rollback.sh", "staging", back, PREVIOUS_RELEASE=live)
    assert status == 0 and spied.target() == back, said
    assert git_calls(spied) and not [call for call in git_calls(spied) if NAME in call]


def test_by_hand_a_rollback_to_an_upload_asks_git_nothing(spied):
    tree = approve(spied, SITE)
    assert spied.run("deploy.sh", "staging", NAME, **upload(tree), RUN_ID=None)[0] == 0
    live = spied.target()
    shipped(spied)
    before = len(git_calls(spied))
    status, said = spied.run("rollback.sh", "staging", live, RUN_ID=None)
    assert status == 0 and spied.target() == live, said
    assert any("was not looked at" in text for text in said), said
    assert len(git_calls(spied)) == before


def test_a_barrier_of_the_archive_counts(bench):
    first, _ = shipped(bench)
    tree = approve(bench, {**SITE, ".deploybot/no-rollback": "drops column price\n"})
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree), PREVIOUS_RELEASE=first)
    assert status == 0, said
    assert "nothing is rolled back by itself: drops column price (.deploybot/no-rollback)" in said


def test_an_upload_that_lacks_its_dockerfile_says_so(bench):
    tree = approve(bench, {"index.html": "x\n"})
    status, said = bench.run("deploy.sh", "staging", NAME, **upload(tree))
    assert status == 65 and f"the archive has no Dockerfile at {NAME[:12]}" in said[-1], said


def test_a_commits_files_are_from_git_whatever_lies_in_the_folder(bench):
    commit = bench.commit("one")
    approve(bench, {"Dockerfile": "FROM evil\n"}, name=commit)
    status, said = bench.run("deploy.sh", "staging", commit, TREE=tree_of({"Dockerfile": "FROM evil\n"}))
    assert status == 0 and "git fetch" in bench.steps(), said


def test_another_upload_is_another_release(bench):
    trees = [approve(bench, {**SITE, "index.html": text}, name=name) for text, name in (("1\n", NAME), ("2\n", OTHER))]
    for name, tree in zip((NAME, OTHER), trees):
        assert bench.run("deploy.sh", "staging", name, **upload(tree))[0] == 0
        assert bench.target().startswith(name)
    status, said = bench.run("deploy.sh", "staging", OTHER, **upload(trees[0]), BUILD_AGAIN="true")
    assert status == 65 and "is not the one that was shown" in said[-1], said
