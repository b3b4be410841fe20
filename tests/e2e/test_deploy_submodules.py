"""Goal: who may push reads no repository that deploybot's key or token reads and they do not: a submodule is fetched
from what REPOSITORY_SUBMODULES_FROM names, or from where a login leads that is their application's alone."""
# SPDX-License-Identifier: ISC
import hashlib
import http.server
import os
import ssl
import subprocess
import threading

import pytest

from commands_aid import DEPLOY, git, make_library
from runner_client import PROGRAM

TOKEN = "ghp_0123456789abcdefghij"
SHA = "1" * 40
# What stands in .gitmodules is read as deploy.sh reads it; printed is what would be fetched.
FIND = """set -euo pipefail
here=$1 act=deploy app=$PWD mirror=$2 repository=$3 git_options=() lay_out_umask=077
. "$here/common.sh"; . "$here/git.sh"; . "$here/source.sh"
find_submodule HEAD lib
printf '%s\\n' "$url"
"""


def add_submodule(folder, url, head=SHA, path="lib"):
    """A commit of that repository in which PATH is another one's."""
    (folder / ".gitmodules").write_text(f'[submodule "l"]\n\tpath = {path}\n\turl = "{url}"\n')
    git(folder, "add", ".gitmodules")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{head},{path}")
    git(folder, "commit", "-q", "-m", "With a submodule")
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture(name="found")
def found_fixture(tmp_path):
    """What would be fetched for a URL in .gitmodules; or why nothing is."""
    def found(repository, url, allowed="", **settings):
        folder = tmp_path / f"repository-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        git(folder, "init", "-q", "-b", "main")
        add_submodule(folder, url)
        done = subprocess.run(
            ["bash", "-c", FIND, "find", DEPLOY, str(folder / ".git"), repository], cwd=folder, check=False,
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"], "HOME": str(folder), "REPOSITORY_SUBMODULES": "fetch",
                 "REPOSITORY_SUBMODULES_FROM": allowed, **settings})
        assert done.returncode in (0, 65), done.stderr
        return done.stdout.strip() or done.stderr.strip().splitlines()[-1]
    return found


HTTPS, SSH, SCP = ("https://git.example.org/team/shop.git", "ssh://git@git.example.org:2222/team/shop.git",
                   "git@git.example.org:team/shop.git")


@pytest.mark.parametrize("repository, url, allowed, fetched", [
    (HTTPS, "../lib.git", "/team/lib", "https://git.example.org/team/lib.git"),
    (HTTPS, "../lib", "team/lib.git", "https://git.example.org/team/lib"),
    (HTTPS, "../../libs/deep/one.git", "/other, /libs/", "https://git.example.org/libs/deep/one.git"),
    (HTTPS, "https://ci@Git.Example.Org:443/team/lib/", "/", "https://git.example.org/team/lib"),
    (HTTPS, "../a%20b.git", "/team/a%20b", "https://git.example.org/team/a%20b.git"),
    (SSH, "git@git.example.org:team/lib", "/team/lib", "none"),     # port 22 is another server
    (SSH, "ssh://git@git.example.org:2222/team/lib", "/team/lib", "ssh://git@git.example.org:2222/team/lib"),
    # One form goes to a folder of that user and the other to one of the machine, where that is no forge.
    (SCP, "ssh://git@git.example.org:22/team/lib", "/team/lib", "git@git.example.org:team/lib"),
    (SCP, "../lib", "/team/lib", "git@git.example.org:team/lib"),
    (SCP, "git@git.example.org:/team/lib", "team/", "git@git.example.org:team/lib")])
def test_what_is_named_is_fetched_from_where_the_repository_is(found, repository, url, allowed, fetched):
    said = found(repository, url, allowed)
    assert said == fetched if fetched != "none" else "only what begins with " in said, said


ATTACKS = [
    ("../private.git", "/team/lib"), ("../private.git", "/team/lib.git,/libs/"), ("../private", "/team/private2"),
    ("../lib-private", "/team/lib"), ("../Lib", "/team/lib"), ("../lib.git.git", "/team/lib"),
    ("../lib/.git", "/team/lib"), ("../libs/../private", "/team/libs/"), ("../libs/./../private", "/team/libs/"),
    ("../libs/%2e%2e/private", "/team/libs/"), ("../libs%2f..%2fprivate", "/team/libs/"),
    ("../libs/..;/private", "/team/libs/"), ("../libs//private", "/team/libs/"),
    ("../libs/..%00/private", "/team/libs/"),
    ("../libs", "/team/libs/"), ("../../../../team/private", "/team/lib"), ("./private", "/team/lib"),
    ("../../team/lib/../private", "/team/lib"), ("https://git.example.org/team/private", "/team/lib"),
    ("https://git.example.org:443/team/private", "/team/lib"), ("https://git.example.org:8443/team/lib", "/team/lib"),
    ("https://git.example.org:0443/team/lib", "/team/lib"), ("http://git.example.org/team/lib", "/team/lib"),
    ("https://git.example.org./team/lib", "/team/lib"), ("https://git.example.org.evil.example/team/lib", "/team/lib"),
    ("https://git.example.org@evil.example/team/lib", "/team/lib"),
    ("https://a:b@git.example.org/team/lib", "/team/lib"),
    ("ssh://git@git.example.org/team/lib", "/team/lib"), ("git@git.example.org:team/lib", "/team/lib"),
    ("/srv/git/team/lib", "/team/lib"), ("file:///team/lib", "/team/lib"), ("../lib", ",,"),
    ("../lib", "https://git.example.org/team/lib")]


@pytest.mark.parametrize("url, allowed", ATTACKS)
@pytest.mark.parametrize("login", ["own", "shared"])
def test_nothing_else_is_fetched_however_it_is_spelt(found, url, allowed, login):
    said = found(HTTPS, url, allowed, REPOSITORY_LOGIN=login)
    assert "the submodule lib comes from " in said, said


@pytest.mark.parametrize("url", [
    "ssh://root@git.example.org:2222/team/lib", "ssh://git.example.org:2222/team/lib", "root@git.example.org:team/lib",
    "ssh://git@git.example.org:2222/~root/lib", "ssh://git@git.example.org:2222/team/%6cib", "../-oProxyCommand=x"])
def test_another_user_of_ssh_is_somebody_else(found, url):
    assert "the submodule lib comes from " in found(SSH, url, "/team/lib")


def test_on_this_machine_it_is_where_a_path_leads_to_that_counts(found, tmp_path):
    for name in ("libs", "private.git", "shop"):
        (tmp_path / "git" / name).mkdir(parents=True)
    (tmp_path / "git" / "libs" / "innocent").symlink_to(tmp_path / "git" / "private.git")
    (tmp_path / "link").symlink_to(tmp_path / "git")
    here = str(tmp_path / "git")
    for url in ("../private.git", "../libs/innocent", "../libs/../private.git", f"{here}/private.git", "/etc"):
        assert "comes from" in found(f"{here}/shop", url, f"{here}/libs/"), url
    assert found(f"{here}/shop", "../libs/innocent", f"{here}/private") == f"{here}/private.git"
    assert found(f"{here}/shop", "../libs/one", f"{tmp_path}/link/libs/") == f"{here}/libs/one"
    assert found(f"{tmp_path}/link/shop", "../libs/one", f"{here}/libs/one.git") == f"{here}/libs/one"


def test_who_is_refused_is_told_the_line_to_write(found):
    """Within the 200 bytes that a chat shows."""
    write = "write REPOSITORY_SUBMODULES_FROM=/team/private in apps/shop.env"
    for login in ("shared", ""):
        said = found(HTTPS, "../private.git", APPLICATION="shop", REPOSITORY_LOGIN=login)
        assert write in said[:200], said
    said = found(HTTPS, "../private.git", "/team/lib", APPLICATION="shop")
    assert "/team/private: if " in said and "add it to REPOSITORY_SUBMODULES_FROM in apps/shop.env" in said[:200], said
    assert found(HTTPS, "../private.git", APPLICATION="shop", REPOSITORY_LOGIN="own").endswith("/team/private.git")


# ---- whose login it is ---------------------------------------------------------------------------


def login(folder, environment, **settings):
    """As the runner hands it to a script that somebody starts by hand; and to those that it starts itself."""
    done = subprocess.run([PROGRAM, "--settings", environment], check=True, capture_output=True, text=True,
                          env={"PATH": os.environ["PATH"], "REPOSITORY_SUBMODULES": "fetch",
                               "APPS_DIRECTORY": str(folder), **settings})
    said = dict(word.partition("=")[::2] for word in done.stdout.split("\0"))
    return said["REPOSITORY_LOGIN"]


def test_a_login_is_an_applications_own_where_no_other_one_has_it(tmp_path):
    apps, key = tmp_path / "apps", tmp_path / "key"
    apps.mkdir()
    secret = tmp_path / "token"
    secret.write_text(f"{TOKEN}\n")

    def write(name, *lines):
        (apps / f"{name}.env").write_text("".join(f"{line}\n" for line in lines))

    main = {"REPOSITORY_TOKEN": TOKEN, "REPOSITORY_URL": HTTPS}
    assert login(apps, "staging", **main) == "own", "there is no other application"
    assert login(apps, "staging", REPOSITORY_URL=HTTPS) == "shared", "nothing is set for it"
    write("shop", f"REPOSITORY_URL={HTTPS}")
    assert login(apps, "staging", **main) == "shared"
    assert login(apps, "shop/staging", **main) == "shared", "the main file's is everybody's"
    write("shop", f"REPOSITORY_URL={HTTPS}", f"REPOSITORY_TOKEN={TOKEN}")
    assert login(apps, "shop/staging", **main) == "own"
    write("blog", f"REPOSITORY_URL={HTTPS}", "REPOSITORY_TOKEN=ghp_another0123456789")
    assert login(apps, "shop/staging") == "own"
    write("blog", f"REPOSITORY_URL={HTTPS}", f"REPOSITORY_TOKEN_FILE={secret}")
    both = login(apps, "shop/staging"), login(apps, "blog/staging")
    assert both == ("shared", "shared"), "one organization's token in two files"
    write("blog", "a line that says nothing")
    assert login(apps, "shop/staging") == "own", "what cannot be read ships nothing"
    write("shop", f"REPOSITORY_URL={tmp_path}", f"REPOSITORY_TOKEN={TOKEN}")
    assert login(apps, "shop/staging") == "shared", "a path is read by whoever runs here"
    write("shop", f"REPOSITORY_URL={SCP}", f"REPOSITORY_TOKEN={TOKEN}")
    assert login(apps, "shop/staging") == "shared", "ssh takes no token"
    write("shop", f"REPOSITORY_URL={SCP}", f"REPOSITORY_KEY_PATH={key}")
    write("blog", f"REPOSITORY_URL={SCP}", f"REPOSITORY_KEY_PATH={tmp_path}/other")
    assert login(apps, "shop/staging") == "own"
    write("blog", f"REPOSITORY_URL={SCP}", f"REPOSITORY_KEY_PATH={key}")
    assert login(apps, "shop/staging") == "shared"
    assert login(apps, "shop/staging", REPOSITORY_SUBMODULES="warn") == ""


# ---- deployments ---------------------------------------------------------------------------------


def built(bench, commit, **settings):
    """The status of a deployment, its last line, and the files of the submodule in what was built."""
    (bench.hooks / "pre-build").mkdir(exist_ok=True)
    bench.hook("pre-build", "look", 'ls lib* >"$STAND/spy.files" 2>/dev/null || true')
    status, said = bench.run("deploy.sh", "staging", commit, REPOSITORY_SUBMODULES="fetch", BUILD_AGAIN="true",
                             **settings)
    files = bench.stand / "spy.files"
    return status, said[-1], files.read_text().split() if files.exists() else []


def shop(bench, url, head):
    (bench.repository / "Dockerfile").write_text("FROM scratch\n")
    git(bench.repository, "add", "Dockerfile")
    return add_submodule(bench.repository, url, head)


def mirrors(bench):
    return len(list((bench.state / "git").glob("*.git")))


def test_whoever_may_push_reads_no_other_repository_of_the_machine(bench):
    """The attack that worked: a gitlink to a commit of ../private.git, whose files came into the image."""
    head = make_library(bench.path / "private.git")
    commit = shop(bench, "../private.git", head)
    private = f"{bench.path}/private"
    for allowed in (None, str(bench.path / "lib"), f"{bench.path}/libs/"):
        status, said, files = built(bench, commit, REPOSITORY_SUBMODULES_FROM=allowed)
        assert status == 65 and f"comes from {private}" in said and not files and mirrors(bench) == 1, said
    assert f"write REPOSITORY_SUBMODULES_FROM={private} in .env" in built(bench, commit)[1]
    assert built(bench, commit, REPOSITORY_SUBMODULES_FROM=private)[::2] == (0, ["part"])


def test_a_submodule_in_a_submodule_is_asked_about_too(bench):
    library = bench.path / "lib"
    make_library(library)
    head = add_submodule(library, "../private.git", make_library(bench.path / "private.git"), "lib-inner")
    commit = shop(bench, "../lib", head)
    named = str(library)
    status, said, _ = built(bench, commit, REPOSITORY_SUBMODULES_FROM=named)
    assert status == 65 and "the submodule lib-inner comes from " in said and mirrors(bench) == 2, said
    assert built(bench, commit, REPOSITORY_SUBMODULES_FROM=f"{named},{bench.path}/private.git")[0] == 0


def test_a_mirror_that_is_there_lets_nobody_in(bench):
    """Another commit, or another application, had it fetched when it was named."""
    commit = shop(bench, "../private.git", make_library(bench.path / "private.git"))
    assert built(bench, commit, REPOSITORY_SUBMODULES_FROM=f"{bench.path}/private")[0] == 0
    assert mirrors(bench) == 2 and built(bench, commit, REPOSITORY_SUBMODULES_FROM="/lib")[0] == 65


class Redirects(http.server.BaseHTTPRequestHandler):
    """A server of repositories that were renamed: it leads from one to another, and notes whom it was asked for."""
    asked: list = []

    def do_GET(self):   # pylint: disable=invalid-name; http.server calls it so
        Redirects.asked.append(self.path.partition("/info")[0])
        self.send_response(301 if self.path.startswith("/team/lib") else 404)
        self.send_header("Location", self.path.replace("/team/lib", "/team/private"))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ; nobody reads it
        pass


@pytest.fixture(name="renamed")
def renamed_fixture(tmp_path):
    """Its host, and the certificate that git is to trust."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                    str(key), "-out", str(certificate)], check=True, capture_output=True)
    Redirects.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Redirects)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}", str(certificate)
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_leads_to_no_repository_that_was_not_named(bench, renamed):
    host, certificate = renamed
    url = f"https://{host}/team/shop.git"
    commit = shop(bench, "../lib", SHA)
    mirror = bench.state / "git" / f"{hashlib.sha256(url.encode()).hexdigest()[:16]}.git"
    git(bench.path, "clone", "-q", "--mirror", str(bench.repository), str(mirror))
    status, said, _ = built(bench, commit, REPOSITORY_URL=url, GIT_SSL_CAINFO=certificate,
                            REPOSITORY_SUBMODULES_FROM="/team/lib")
    assert status == 69 and "the submodule lib cannot be fetched" in said and "a redirect is not followed" in said, said
    assert Redirects.asked and set(Redirects.asked) == {"/team/lib"}, Redirects.asked


def test_who_looks_before_it_is_told_where_the_login_is_others(bench):
    said = "\n".join(bench.run("target.sh", "staging", "preflight", REPOSITORY_SUBMODULES="fetch")[1])
    assert "==> warning a commit with submodules is refused: git's login " in said, said
    for settings in ({"REPOSITORY_SUBMODULES": "warn"},
                     {"REPOSITORY_SUBMODULES": "fetch", "REPOSITORY_SUBMODULES_FROM": "/a"},
                     {"REPOSITORY_SUBMODULES": "fetch", "IMAGE_SOURCE": "registry"}):
        assert "==> warning" not in "\n".join(bench.run("target.sh", "staging", "preflight", **settings)[1]), settings
