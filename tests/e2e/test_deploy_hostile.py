"""Goal: who may push to the repository executes nothing on deploybot's machine by it, gets nobody's login, forges no
step, hides no word against a rollback and fills neither memory nor disk: each test plays an attack with real git."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import socket
import subprocess
import sys

import pytest

from commands_aid import DEPLOY, git, make_library

SHA = "1" * 40


def commit_all(bench, text):
    git(bench.repository, "add", "-A")
    git(bench.repository, "commit", "-q", "-m", text)
    return git(bench.repository, "rev-parse", "HEAD")


# ---- a commit that is a repository ---------------------------------------------------------------


def commit_a_repository(bench):
    """A commit whose files are those of a bare repository: its missing object is fetched by a program that it names."""
    (bench.repository / "HEAD").write_text(SHA + "\n")
    for folder in ("objects", "refs"):
        (bench.repository / folder).mkdir()
        (bench.repository / folder / "keep").write_text("")
    (bench.repository / "config").write_text(
        "[core]\n\trepositoryformatversion = 1\n\tworktree = .\n[extensions]\n\tpartialClone = origin\n"
        f"[remote \"origin\"]\n\tpromisor = true\n\turl = {bench.repository}\n"
        f"\tuploadpack = env >{bench.path}/executed; git-upload-pack\n")
    (bench.repository / "Dockerfile").write_text("FROM scratch\n")
    return commit_all(bench, "A repository")


def has_executed(bench):
    return (bench.path / "executed").exists()


def token_file(bench):
    file = bench.path / "token"
    file.write_text("ghp_0123456789abcdefghij\n")
    file.chmod(0o600)
    return str(file)


def test_a_commit_that_is_a_bare_repository_executes_nothing_where_it_is_built(bench):
    bench.change_world(client="28.2.2", buildx=True)
    commit = commit_a_repository(bench)
    status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_TOKEN_FILE=token_file(bench))
    assert status == 0 and not has_executed(bench), said
    build, = [record for record in bench.records() if record.get("words", [])[:1] == ["build"]]
    assert not {"GIT_ASKPASS", "GIT_SSH_COMMAND", "REPOSITORY_TOKEN_FILE"} & set(build["environment"])


def test_a_commit_that_is_a_bare_repository_executes_nothing_where_a_hook_asks_git(bench):
    commit = commit_a_repository(bench)
    bench.hook("pre-build", "describe", 'git show --format=%H HEAD --quiet -- || env >"$STAND/spy"')
    status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_TOKEN_FILE=token_file(bench))
    assert status == 0 and not has_executed(bench), said
    names = {line.split("=")[0] for line in bench.spied()}
    assert "HOOK" in names and not {"GIT_ASKPASS", "GIT_SSH_COMMAND", "REPOSITORY_TOKEN_FILE"} & names


def test_the_attack_executes_where_nothing_is_against_it(bench):
    """Or the tests above would prove nothing."""
    commit = commit_a_repository(bench)
    folder = bench.path / "laid-out"
    subprocess.run(["git", "worktree", "add", "-q", str(folder), commit], cwd=bench.repository, check=True)
    (folder / ".git").unlink()
    environment = {name: value for name, value in bench.environment.items() if not name.startswith("GIT_")}
    subprocess.run(["git", "show", "--format=%H", "HEAD", "--quiet", "--"], cwd=folder, check=False,
                   capture_output=True, env={**environment, "PATH": os.environ["PATH"]})
    assert has_executed(bench)


# ---- a word against a rollback that others hide --------------------------------------------------


def barriers(bench, ref, base, **settings):
    """What commits.sh, by hand, says of rolling back past these commits."""
    done = subprocess.run([os.path.join(DEPLOY, "commits.sh"), "commits", ref, "main", base], capture_output=True,
                          text=True, check=False, env={**bench.environment, "DEPLOY_TRANSPORT": "local", **settings})
    assert done.stdout.endswith("\nend\n"), done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if line.split()[0] in ("barrier", "no_history")]


def commit_a_barrier(bench):
    base = bench.commit("base")
    (bench.repository / ".deploybot").mkdir()
    (bench.repository / ".deploybot" / "no-rollback").write_text("drops column price\n")
    return base, bench.commit("drop")


@pytest.mark.long
def test_a_word_against_a_rollback_is_found_below_any_number_of_merges(bench):
    """Each of them differs from its second parent in that file, so that git lists it."""
    base, head = commit_a_barrier(bench)
    tree = git(bench.repository, "rev-parse", f"{head}^{{tree}}")
    for number in range(501):
        head = git(bench.repository, "commit-tree", tree, "-p", head, "-p", base, "-m", str(number))
    git(bench.repository, "update-ref", "refs/heads/main", head)
    assert barriers(bench, "main", base) == ["barrier drops column price "]


def test_a_look_for_words_against_a_rollback_that_is_cut_counts_as_one(bench):
    base, _ = commit_a_barrier(bench)
    slow = bench.bin / "git"
    slow.write_text("#!/bin/bash\nfor word; do [[ $word != --full-history ]] || exec sleep 1000; done\n"
                    'exec /usr/bin/git "$@"\n')
    slow.chmod(0o755)
    said, = barriers(bench, "main", base, TOUCHES_SECONDS="1")
    assert said == "barrier git did not look through all new commits for .deploybot/no-rollback (status 124)"


def test_a_look_of_the_scripts_that_is_cut_counts_as_one_and_ends_no_deployment(bench):
    """Regression: it ended with 75 behind the migration."""
    base, drop = commit_a_barrier(bench)
    cut = "commits within 1 s (.deploybot/no-rollback)"
    here = bench.path / "slow"
    here.mkdir()
    (here / "commits.sh").write_text("#!/bin/bash\nexec sleep 1000\n")
    (here / "commits.sh").chmod(0o755)
    asks = f"here={here} PREVIOUS_RELEASE={base}"
    assert looked_for(bench, drop, asks, BARRIER_SECONDS="1") == [
        f"nothing is rolled back by itself: git did not look through all {cut}", "barred yes"]


def looked_for(bench, commit, variables, **settings):
    """What find_barrier makes of them, with the mirror as it is."""
    script = (f'set -euo pipefail; here={DEPLOY}; . "$here/act.sh"; check_run\n'
              f"act=deploy app={bench.path} environment=staging commit={commit} PREVIOUS_RELEASE=\n"
              f'{variables}\nfind_barrier; echo "barred $barred"')
    done = subprocess.run(["/bin/bash", "-c", script], capture_output=True, text=True, check=False, timeout=60,
                          cwd=bench.path, env={**bench.environment, "DEPLOY_TRANSPORT": "local", **settings})
    return done.stdout.splitlines()


def test_a_word_against_a_rollback_is_looked_for_behind_each_release_that_some_host_runs(bench):
    """Regression: a release that had failed on the second host came to the third one behind none, at the second try."""
    base, drop = commit_a_barrier(bench)
    after = bench.commit("after")
    barriers(bench, "main", base)
    digest = "@sha256:" + "a" * 64
    barred = ["nothing is rolled back by itself: drops column price (.deploybot/no-rollback)", "barred yes"]
    known = f"before={drop}{digest} PREVIOUS_RELEASE={drop}{digest}\n"
    assert looked_for(bench, after, known) == ["barred no"]
    assert looked_for(bench, after, f"before={drop}{digest} PREVIOUS_RELEASE={base}{digest}") == barred
    for transport, runs in {
            "ssh": f"ssh_interrupted=() ssh_runs=({drop}{digest} {base}{digest}); transport_current >/dev/null 2>&1",
            "systemd": f"ssh_folder=.; echo runs releases/1-{drop} >out.0; echo runs releases/0-{base} >out.1\n"
                       "ssh_all() { :; }; transport_current >/dev/null 2>&1",
            "kubernetes": "kubernetes_main=a kubernetes_workloads=(b) part_uid=1 part_ours=('containers a b')\n"
                          "declare -A kubernetes_{uids,former,container,patches}; kubernetes_part_patch() { :; }\n"
                          "kubernetes_ask_parts() { :; }; kubernetes_take_main() { :; }\n"
                          f"kubernetes_look_at() {{ [[ $1 == b ]] && part_release={base}{digest} || part_release=; }}\n"
                          "kubernetes_note_parts target:x"}.items():
        sources = f'. "$here/transports/{transport}.sh"; kubernetes_take_before() {{ :; }}; ssh_hosts=(h1 h2)\n'
        assert looked_for(bench, after, known + sources + runs) == barred, transport


def test_the_first_release_has_its_word_against_a_rollback_too(bench):
    commit_a_barrier(bench)
    assert barriers(bench, "main", "") == ["barrier drops column price "]


# ---- submodules whose names and URLs are chosen --------------------------------------------------


def commit_a_submodule(bench, url, path="vendor/lib", head=SHA):
    """A commit with a folder that is another repository's."""
    text = url.replace("\\", "\\\\").replace("\n", "\\n")
    text = f'[submodule "l"]\n\tpath = {path}\n\turl = "{text}"\n'
    (bench.repository / ".gitmodules").write_text(text if url else "")
    (bench.repository / "Dockerfile").write_text("FROM scratch\n")
    git(bench.repository, "add", ".gitmodules", "Dockerfile")
    git(bench.repository, "update-index", "--add", "--cacheinfo", f"160000,{head},{path}")
    git(bench.repository, "commit", "-q", "-m", "With a submodule")
    return git(bench.repository, "rev-parse", "HEAD")


def mirrors(bench):
    return list((bench.state / "git").glob("*.git"))


def as_mirror(bench, url):
    """The repository, as if it had been fetched from there."""
    name = hashlib.sha256(url.encode()).hexdigest()[:16]
    git(bench.path, "clone", "-q", "--mirror", str(bench.repository), str(bench.state / "git" / f"{name}.git"))
    return {"REPOSITORY_URL": url, "REPOSITORY_TOKEN_FILE": token_file(bench), "REPOSITORY_SUBMODULES": "fetch"}


@pytest.mark.parametrize("url", [
    "https://{evil}?@git.example.org/x", "https://{evil}#@git.example.org/x", "https://{evil}\\@git.example.org/x",
    "https://a@{evil}@git.example.org/x", "https://{evil}%2f@git.example.org/x", "https://{evil} @git.example.org/x",
    "https://{evil}\n@git.example.org/x", "https://git.example.org/x\n==> release"])
def test_the_url_of_a_submodule_leads_to_no_other_host(bench, url):
    """git, curl and our own look at it would each read another host in it."""
    with socket.create_server(("127.0.0.1", 0)) as evil:
        commit = commit_a_submodule(bench, url.replace("{evil}", f"127.0.0.1:{evil.getsockname()[1]}"))
        status, said = bench.run("deploy.sh", "staging", commit, **as_mirror(bench, "https://git.example.org/shop.git"))
        assert status == 65 and "the submodule vendor/lib comes from " in said[-1] and "write it as " in said[-1], said
        evil.setblocking(False)
        with pytest.raises(BlockingIOError):
            evil.accept()
    assert len(mirrors(bench)) == 1 and "release" not in bench.steps()


@pytest.mark.parametrize("path", ["a\n==> release\n==> no-rollback\nb", "a\r\x1b[2K\n==> migrated"])
def test_the_name_of_a_submodule_forges_no_step(bench, path):
    commit = commit_a_submodule(bench, "", path)
    status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_SUBMODULES="fetch")
    assert status == 65 and "has no URL in .gitmodules" in said[-1] and "a " in said[-1], said
    assert not {"release", "no-rollback", "migrated"} & set(bench.steps())
    assert "\x1b" not in bench.log.read_text()


@pytest.mark.long
def test_no_more_mirrors_of_submodules_stay_than_may(bench):
    for number in range(3):
        name = f"library-{number}"
        commit = commit_a_submodule(bench, f"../{name}", head=make_library(bench.path / name))
        status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_SUBMODULES="fetch",
                                 REPOSITORY_SUBMODULES_FROM=f"{bench.path}/", SUBMODULE_MIRRORS="2")
        assert status == 0, said
        assert len(mirrors(bench)) == min(number + 2, 3), "the repository's own, and two"
    assert bench.run("deploy.sh", "staging", bench.commit("again"), BUILD_AGAIN="true")[0] == 0, "its own is there"


def test_a_commit_with_too_many_submodules_is_refused(bench):
    commit_a_submodule(bench, "../one")
    commit = commit_a_submodule(bench, "../one", "vendor/two")
    status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_SUBMODULES="fetch", CHECKOUT_SUBMODULES="1")
    assert status == 65 and "more than 1 submodules (CHECKOUT_SUBMODULES)" in said[-1], said
    assert len(mirrors(bench)) == 1


# ---- a few objects that are many files -----------------------------------------------------------


def make_tree(bench, *entries):
    text = "".join(f"{mode} {kind} {name}\t{path}\n" for mode, kind, name, path in entries)
    return subprocess.run(["git", "mktree", "--missing"], cwd=bench.repository, input=text, check=True, text=True,
                          capture_output=True).stdout.strip()


def commit_a_bomb(bench, tree, levels):
    """Folders in folders, each as often as its level says."""
    for times in levels:
        tree = make_tree(bench, *(("040000", "tree", tree, f"f{number}") for number in range(times)))
    commit = git(bench.repository, "commit-tree", tree, "-m", "Many files")
    git(bench.repository, "update-ref", "refs/heads/main", commit)
    return commit


@pytest.mark.long
def test_a_million_submodules_need_no_memory_where_a_query_names_them(bench):
    bench.commit("one")
    leaf = make_tree(bench, *(("160000", "commit", SHA, f"s{number}") for number in range(10)))
    commit_a_bomb(bench, leaf, (10, 10, 10, 10, 8))
    asked = subprocess.run(
        [sys.executable, "-c", "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True); "
         "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
         os.path.join(DEPLOY, "commits.sh"), "commits", "", "main", ""], check=True, capture_output=True, text=True,
        env={**bench.environment, "DEPLOY_TRANSPORT": "local", "DEPLOYBOT_SETTINGS": "checked"}).stdout.splitlines()
    said = "missing 800000 submodules (f0/f0/f0/f0/f0/s0, f0/f0/f0/f0/f0/s1, f0/f0/f0/f0/f0/s2, …)"
    assert said in asked and int(asked[-1]) < 60000, asked[-1]


@pytest.mark.parametrize("levels", [(10, 10, 10), (10,) * 15], ids=["files", "folders alone"])
def test_a_commit_of_too_many_files_is_not_laid_out(bench, levels):
    bench.commit("one")
    blob = git(bench.repository, "rev-parse", "HEAD:Dockerfile")
    leaf = make_tree(bench, ("100644", "blob", blob, "Dockerfile")) if len(levels) < 10 else make_tree(bench)
    commit = commit_a_bomb(bench, leaf, levels)
    status, said = bench.run("deploy.sh", "staging", commit, CHECKOUT_ENTRIES="1000")
    assert status == 65 and "has more than 1000 files and folders (CHECKOUT_ENTRIES)" in said[-1], said
    assert not (bench.state / "apps" / "staging" / "build").exists()


def test_a_commit_of_too_many_bytes_is_not_laid_out(bench):
    (bench.repository / "large").write_text("x" * 600)
    (bench.repository / "again").write_text("x" * 600)
    status, said = bench.run("deploy.sh", "staging", bench.commit("large"), CHECKOUT_BYTES="1000")
    assert status == 65 and "have more than 1000 bytes (CHECKOUT_BYTES)" in said[-1], said
    assert bench.run("deploy.sh", "staging", bench.commit("large"), CHECKOUT_BYTES="2000")[0] == 0


def test_a_push_of_too_many_bytes_is_not_fetched(bench):
    commit = bench.commit("one")
    assert bench.run("deploy.sh", "staging", commit)[0] == 0
    (bench.repository / "large").write_text(os.urandom(300000).hex())
    large = bench.commit("large")
    status, said = bench.run("deploy.sh", "staging", large, FETCH_BYTES="100000")
    assert status == 69, said
    assert "fatal: git fetch brings more than 100000 bytes at once (FETCH_BYTES)" in [line.strip() for line in said]
    assert not [name for _, _, names in os.walk(bench.state / "git") for name in names if name.startswith("tmp_")]
    assert bench.run("deploy.sh", "staging", commit, FETCH_BYTES="100000")[0] == 0     # the mirror is as good as it was
    assert bench.run("deploy.sh", "staging", large)[0] == 0


def test_what_was_laid_out_does_not_stay_when_the_build_fails(bench):
    bench.hook("pre-build", "check", "exit 1")
    assert bench.run("deploy.sh", "staging", bench.commit("one"))[0] == 65
    assert not (bench.state / "apps" / "staging" / "build").exists()


@pytest.mark.long
def test_a_commit_that_is_large_in_memory_alone_is_refused_by_a_query(bench):
    bench.commit("one")
    message = bench.path / "message"
    with open(message, "wb") as file:
        for _ in range(200):
            file.write(b"x" * 1000000)
    tree = git(bench.repository, "rev-parse", "HEAD^{tree}")
    head = git(bench.repository, "commit-tree", tree, "-F", str(message))
    git(bench.repository, "update-ref", "refs/heads/main", head)
    environment = {**bench.environment, "DEPLOY_TRANSPORT": "local", "QUERY_KIB": "200000"}
    asked = subprocess.run([os.path.join(DEPLOY, "commits.sh"), "commits", "", "main", ""], check=False,
                           capture_output=True, text=True, env=environment)
    assert asked.returncode == 64 and "\nerror git cannot read the commit " in asked.stdout, asked.stdout[-300:]
