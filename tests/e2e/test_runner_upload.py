"""Goal: an archive of the server's becomes a tree of the runner's, whole or not at all: what deploybot-unpack is given,
what is left when it refuses or dies, where trees may lie, and hostile archives.  Drives the real programs."""
# SPDX-License-Identifier: ISC
import hashlib
import io
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile

import pytest

from runner_client import PROGRAM, ROOT, Bench, wait_for

UNPACK = pathlib.Path(PROGRAM).with_name("deploybot-unpack")


@pytest.fixture(name="bench")
def make_bench(tmp_path):
    made = Bench(tmp_path)
    (made.state / "uploads").mkdir()
    made.approved = made.state / "approved"
    yield made
    made.done()


def packed(files, **changes):
    """A .tar.gz; changes: of each entry."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in changes.items():
                setattr(info, key, value)
            tar.addfile(info, io.BytesIO(content))
    return out.getvalue()


def send(bench, content):
    """As the server stores it; its name."""
    name = hashlib.sha256(content).hexdigest()
    (bench.state / "uploads" / name).write_bytes(content)
    return name


def lines(answer):
    return dict(line.partition(" ")[::2] for line in answer.body.decode().splitlines())


def with_unpack(bench, text):
    """The runner in a folder of its own, with a script for deploybot-unpack beside it."""
    folder = bench.path / "programs"
    folder.mkdir(exist_ok=True)
    shutil.copy(PROGRAM, folder)
    bench.program = folder / "deploybot-runner"
    bench.script(text, "programs/deploybot-unpack")
    return bench.runner(arguments=("--scripts", str(pathlib.Path(ROOT, "deploy"))))


def left(bench):
    return sorted(path.name for path in bench.approved.iterdir()) if bench.approved.exists() else []


def test_an_archive_becomes_a_tree_with_its_digest(bench):
    files = {"site/index.html": b"<h1>hello</h1>", "site/css/a.css": b"a{}",
             "site/.deploybot/no-rollback": b"drops prices\n\nx",
             "site/big.psd": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"}
    name = send(bench, packed(files, mode=0o644))
    answer = bench.runner().ask("unpack", ref=name)
    tree = bench.approved / name
    wanted = sorted(f"0644 {hashlib.sha256(content).hexdigest()} {path.removeprefix('site/')}\n"
                    for path, content in files.items())
    assert answer["status"] == 0 and answer.body.endswith(b"\nend\n")
    assert lines(answer) == {
        "kind": "upload", "commit": name, "tree": hashlib.sha256("".join(wanted).encode()).hexdigest(),
        "in_branch": "0", "forced": "0", "count": "0", "files": "4", "bytes": str(sum(map(len, files.values()))),
        "barrier": "drops prices", "missing": "1 of Git LFS, only pointers are there (big.psd)", "end": ""}
    assert {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()} == \
        {path.removeprefix("site/"): content for path, content in files.items()}
    assert left(bench) == [name, f"{name}.answer"] and tree.stat().st_mode & 0o777 == 0o700


def test_what_a_mac_packs_beside_a_folder_is_left_out(bench):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in ("site/", "site/index.html", "site/caf\u00e9.css", "__MACOSX/site/._index.html",
                     "site/.DS_Store", "site/._index.html", "._site"):
            archive.writestr(name, b"" if name.endswith("/") else b"x")
    name = send(bench, out.getvalue())
    answer = bench.runner().ask("unpack", ref=name)
    assert answer["status"] == 0 and lines(answer)["files"] == "2"
    assert sorted(path.name for path in (bench.approved / name).iterdir()) == ["caf\u00e9.css", "index.html"]


@pytest.mark.parametrize("mode, kept", [(0o7777, 0o755), (0, 0o644), (0o4711, 0o755), (0o666, 0o644)])
@pytest.mark.parametrize("at, low, high", [(1200000000000, 1.7e9, 1e10), (-5, 0, 0), (1234567890, 1.23e9, 1.24e9)])
def test_a_mode_is_644_or_755_and_a_time_is_one(bench, mode, kept, at, low, high):
    name = send(bench, packed({"run": b"x"}, mode=mode, mtime=at))
    assert bench.runner().ask("unpack", ref=name)["status"] == 0
    there = (bench.approved / name / "run").stat()
    assert there.st_mode & 0o7777 == kept and low <= there.st_mtime <= high


def test_one_that_is_there_is_not_unpacked_again(bench):
    name = send(bench, packed({"index.html": b"x"}))
    runner = bench.runner()
    first = runner.ask("unpack", ref=name)
    before = (bench.approved / name / "index.html").stat()
    again = runner.ask("unpack", ref=name)
    assert (again["status"], again.body) == (0, first.body)
    assert (bench.approved / name / "index.html").stat() == before
    (bench.approved / f"{name}.answer").unlink()    # as when the power went in between
    assert runner.ask("unpack", ref=name).body == first.body
    assert (bench.approved / name / "index.html").stat().st_ino != before.st_ino or \
        (bench.approved / name / "index.html").stat().st_ctime_ns != before.st_ctime_ns


def test_a_tree_that_is_gone_is_made_again(bench):
    name = send(bench, packed({"index.html": b"x"}))
    runner = bench.runner()
    assert runner.ask("unpack", ref=name)["status"] == 0
    shutil.rmtree(bench.approved / name)
    assert runner.ask("unpack", ref=name)["status"] == 0 and (bench.approved / name / "index.html").read_bytes() == b"x"


def test_what_a_crash_left_half_done_is_removed(bench):
    name = send(bench, packed({"index.html": b"x"}))
    for folder in (f"{name}.part", name):
        (bench.approved / folder / "deep" / "down").mkdir(parents=True)
        (bench.approved / folder / "deep" / "old").write_text("half")
    bench.approved.chmod(0o700)
    assert bench.runner().ask("unpack", ref=name)["status"] == 0
    assert [path.name for path in (bench.approved / name).iterdir()] == ["index.html"]
    assert left(bench) == [name, f"{name}.answer"]


@pytest.mark.parametrize("files, violation, said", [
    ({"a": b"x", "../../.ssh/authorized_keys": b"x"}, "archive_traversal", '"../../.ssh/authorized_keys" leads out'),
    ({"a": b"x", "zeros": bytes(50 << 20)}, "archive_bomb", '"zeros" is too large'),
    ({"a": b"x", ".env": b"A=b"}, "secret_file", '".env" is where secrets are kept'),
    ({"a": b"x", "$(id)": b"x"}, "archive_name", '"$(id)" has a backslash, ;, && or $( in its name')])
def test_of_one_that_is_refused_nothing_stays(bench, files, violation, said):
    answer = bench.runner().ask("unpack", ref=send(bench, packed(files)))
    assert answer["status"] == 65 and lines(answer)["violation"] == violation
    assert lines(answer)["error"].startswith(said) and left(bench) == []


def test_one_with_a_password_is_said_to_be_so(bench):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("plan.txt", b"secret")
    content = bytearray(out.getvalue())
    content[6] |= 1
    content[content.find(b"PK\1\2") + 8] |= 1
    answer = bench.runner().ask("unpack", ref=send(bench, bytes(content)))
    assert lines(answer)["error"] == '"plan.txt" is encrypted: pack it without a password' and left(bench) == []


def test_a_hard_link_with_data_is_a_link(bench):
    content = packed({"a": b"x", "b": b"y"}, type=tarfile.LNKTYPE, linkname="c")
    answer = bench.runner().ask("unpack", ref=send(bench, content))
    assert lines(answer)["violation"] == "archive_type" and left(bench) == []


def test_the_bytes_are_those_that_were_ordered(bench):
    name = send(bench, packed({"index.html": b"x"}))
    (bench.state / "uploads" / name).write_bytes(packed({"index.html": b"y"}))
    answer = bench.runner().ask("unpack", ref=name)
    assert answer["status"] == 74 and "not the one that was sent" in lines(answer)["error"] and left(bench) == []


@pytest.mark.parametrize("make", ["missing", "link", "pipe", "folder", "large"])
def test_an_archive_is_a_plain_file_of_20_mb_at_most(bench, make):
    name = "ab" * 32
    path = bench.state / "uploads" / name
    if make == "link":
        path.symlink_to("/etc/passwd")
    elif make == "pipe":
        os.mkfifo(path)
    elif make == "folder":
        path.mkdir()
    elif make == "large":
        path.write_bytes(b"x")
        os.truncate(path, (20 << 20) + 1)
    answer = bench.runner().ask("unpack", ref=name)
    assert answer["status"] == 78 and "the archive that was sent" in answer["text"] and left(bench) == []


@pytest.mark.parametrize("ref", ["main", "AB" * 32, "ab" * 31, "../" + "ab" * 32])
def test_what_is_no_digest_is_no_archive(bench, ref):
    assert bench.runner().ask("unpack", ref=ref)["status"] != 0
    assert left(bench) == []


def test_it_is_given_two_descriptors_and_a_digest(bench):
    runner = with_unpack(bench, 'tr "\\0" "\\n" </proc/$$/environ >"$MARKS/environ"; echo "$# $0" >"$MARKS/args"\n'
                                'ls -l /proc/$$/fd >"$MARKS/ls"\n'
                                'echo "kind upload"; echo end')
    name = send(bench, b"an archive")
    assert runner.ask("unpack", ref=name)["status"] == 0
    given = [line for line in (bench.marks / "environ").read_text().splitlines() if line]
    assert given == [f"UPLOAD_SHA256={name}"]
    assert (bench.marks / "args").read_text().split() == ["0", str(bench.path / "programs/deploybot-unpack")]
    fds = dict(re.findall(r"(\d+) -> (.*)", (bench.marks / "ls").read_text()))
    assert fds["0"] == str(bench.state / "uploads" / name) and fds["3"] == str(bench.approved / f"{name}.part")
    assert fds["1"].startswith("pipe:") and fds["1"] == fds["2"]
    assert set(fds) <= {"0", "1", "2", "3", "255"}      # 255: bash's own script


@pytest.mark.parametrize("end, status, said", [
    ("kill -SEGV $$", 65, "violation archive_broken"), ("kill -SYS $$", 65, "violation archive_broken"),
    ("ulimit -St 1; while :; do :; done", 65, "violation archive_bomb"), ("kill -KILL $$", 65, "was killed: send it"),
    ("exit 78", 78, ""), ("sleep 100 & exit 3", 3, "")])
def test_whatever_ends_it_nothing_stays(bench, end, status, said):
    runner = with_unpack(bench, f"cd /proc/self/fd/3/; mkdir -p a/b; echo x >a/b/c; echo error it was bad; {end}")
    answer = runner.ask("unpack", ref=send(bench, b"an archive"))
    assert answer["status"] == status and said in answer.body.decode() and left(bench) == []


def test_one_is_unpacked_at_a_time_and_git_is_asked_beside_it(bench):
    runner = with_unpack(bench, 'echo "begin $UPLOAD_SHA256" >>"$MARKS/log"; read -r _ <"$MARKS/../gate"\n'
                                'echo end >>"$MARKS/log"; echo end')
    names = [send(bench, text) for text in (b"one", b"two")]
    os.mkfifo(bench.path / "gate")
    for number, name in enumerate(names, 101):
        runner.send("ask", id=number, question="unpack", ref=name)
    wait_for((bench.marks / "log").exists, "the first one")
    runner.send("ask", id=103, question="settings", environment="staging")
    answered = runner.until("answer")
    assert (answered["id"], (bench.marks / "log").read_text()) == (103, f"begin {names[0]}\n")
    for number in (101, 102):
        (bench.path / "gate").write_text("\n")
        assert runner.until("answer")["id"] == number
    assert (bench.marks / "log").read_text() == "".join(f"begin {name}\nend\n" for name in names)


@pytest.mark.parametrize("path, said", [
    ("/", "a folder of its own"), ("/etc", "a folder of its own"), ("/home", "a folder of its own"),
    ("/var", "a folder of its own"), ("/usr", "a folder of its own"), ("{0}/link", "without a link on the way"),
    ("{0}/link/below", "without a link on the way"), ("{0}/open", "is not the runner's alone"),
    ("{0}/shared/below", "may be written by others"), ("{0}/none", "No such file")])
def test_where_trees_may_not_lie(bench, path, said):
    (bench.path / "real" / "below").mkdir(parents=True, mode=0o700)
    (bench.path / "link").symlink_to("real")
    (bench.path / "open").mkdir(mode=0o755)
    (bench.path / "shared" / "below").mkdir(parents=True, mode=0o700)
    (bench.path / "shared").chmod(0o777)
    name = send(bench, packed({"a": b"x"}))
    answer = bench.runner(APPROVED_DIRECTORY=path.format(bench.path)).ask("unpack", ref=name)
    assert answer["status"] == 78 and said in answer["text"], answer
    assert not list((bench.path / "real" / "below").iterdir())


def test_it_is_looked_at_before_each_order(bench):
    runner = bench.runner()
    assert runner.ask("unpack", ref=send(bench, packed({"a": b"x"})))["status"] == 0
    bench.approved.chmod(0o750)
    assert runner.ask("unpack", ref=send(bench, packed({"a": b"y"})))["status"] == 78


def test_where_others_could_have_written_no_upload_is_deployed(bench):
    runner = bench.runner("exit 0")
    fields = {"argument": "cd" * 32, "source": "upload", "tree": "ab" * 32}
    assert runner.order(1, **fields).kind == "started"
    bench.approved.chmod(0o750)
    refused = runner.order(2, **fields)
    assert refused.kind == "refused" and "APPROVED_DIRECTORY" in refused["text"]


def test_a_tree_goes_with_its_archive_and_no_other(bench):
    names = [send(bench, packed({"index.html": text})) for text in (b"a", b"b")]
    runner = bench.runner(MIRROR_MAINTENANCE_SECONDS="24")      # it looks every second
    for name in names:
        assert runner.ask("unpack", ref=name)["status"] == 0
    for name in ("mine", f"{names[0]}.part"):
        (bench.approved / name).mkdir()
    (bench.state / "uploads" / names[0]).unlink()
    wait_for(lambda: left(bench) == sorted(["mine", names[1], f"{names[1]}.answer"]), "the tree's end")


def test_where_no_archives_can_be_seen_no_tree_goes(bench):
    name = send(bench, packed({"index.html": b"a"}))
    runner = bench.runner()
    assert runner.ask("unpack", ref=name)["status"] == 0
    (bench.state / "uploads").rename(bench.state / "elsewhere")
    assert runner.ask("maintain")["status"] == 0 and left(bench) == [name, f"{name}.answer"]


def test_before_another_is_unpacked_what_has_no_archive_goes(bench):
    names = [send(bench, packed({"index.html": text})) for text in (b"a", b"b")]
    runner = bench.runner()
    assert runner.ask("unpack", ref=names[0])["status"] == 0
    (bench.state / "uploads" / names[0]).unlink()
    assert runner.ask("unpack", ref=names[1])["status"] == 0
    assert left(bench) == [names[1], f"{names[1]}.answer"]


def test_hostile_archives_are_refused_and_leave_nothing(tmp_path):
    done = subprocess.run([sys.executable, "-W", "ignore", ROOT + "/tests/tools/bad_archives.py", "--seed", "7",
                           "--count", "168", "--into", str(tmp_path / "in")], capture_output=True, text=True,
                          check=False, env={**os.environ, "DEPLOYBOT_BUILD": str(UNPACK.parent)})
    assert done.returncode == 0, done.stdout + done.stderr
    assert not [path for path in (tmp_path / "in").rglob("*") if not path.is_file() and not path.is_dir()]
