"""Goal: what a release hands out is checked by the commands that are documented for it: apt takes the repository by its
key and nothing that was changed behind it, sums and signature hold, and the SBOM names what is in a file."""
# SPDX-License-Identifier: ISC
import gzip
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest

from release_aid import Keys, run
from runner_client import ROOT

RELEASE = pathlib.Path(ROOT) / "deploy" / "release"
ARCHITECTURE = subprocess.run(["dpkg", "--print-architecture"], stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()
DATE = "1790000000"


def make_deb(folder, version, architecture=ARCHITECTURE):
    """A package of our name with one file in it, and its buildinfo."""
    tree = folder / f"tree-{version}-{architecture}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(
        f"Package: deploybot\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Nobody <n@example.org>\n"
        "Depends: libc6 (>= 2.34), git, curl | wget, systemd | systemd-standalone-tmpfiles\n"
        "Description: of a test\n", "ascii")
    (tree / "it").write_text(version, "ascii")
    deb = folder / f"deploybot_{version}_{architecture}.deb"
    run(["dpkg-deb", "--root-owner-group", "-Zgzip", "--build", tree, deb])
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    deb.with_suffix(".buildinfo").write_text(
        f"Format: 1.0\nSource: deploybot\nVersion: {version}\nChecksums-Sha256:\n {digest} 1 {deb.name}\n"
        "Installed-Build-Depends:\n gcc (= 4:12.2.0-3),\n libc6 (= 2.36-9+deb12u10),\n"
        " systemd:any (= 252.39-1~deb12u1)\n", "ascii")
    return deb


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    # A socket's path is short.
    made = Keys(pathlib.Path(tmp_path_factory.mktemp("gpg", numbered=True)) / "home")
    yield made
    made.done()


@pytest.fixture(scope="module")
def repository(tmp_path_factory, keys):
    folder = tmp_path_factory.mktemp("apt")
    debs = [make_deb(folder, version) for version in ("1.0", "1.1")] + [make_deb(folder, "1.1", "mips64el")]
    run([RELEASE / "apt.sh", folder / "apt", keys.ours, *debs], env=keys.environment)
    return folder / "apt"


class Apt:
    """The real apt with folders, sources and a dpkg database of its own: this machine's are not read, not changed."""

    def __init__(self, folder, repository, keyring=None):
        for name in ("state/lists/partial", "cache/archives/partial", "etc/sources.list.d", "etc/preferences.d"):
            (folder / name).mkdir(parents=True)
        self.folder = folder
        (folder / "status").write_text("", "ascii")
        keyring = keyring or repository / "deploybot-archive-keyring.gpg"
        (folder / "etc" / "sources.list.d" / "deploybot.sources").write_text(
            f"Types: deb\nURIs: file:{repository}\nSuites: stable\nComponents: main\nSigned-By: {keyring}\n", "ascii")
        self.options = [word for option in (
            f"Dir::State={folder}/state", f"Dir::State::status={folder}/status", f"Dir::Cache={folder}/cache",
            f"Dir::Etc={folder}/etc", "Dir::Etc::sourcelist=/dev/null", "APT::Sandbox::User=root",
            f"APT::Architecture={ARCHITECTURE}", f"APT::Architectures={ARCHITECTURE}",
            "Acquire::Check-Date=true", "Acquire::Check-Valid-Until=true",      # whatever this machine says
            "Acquire::Languages=none") for word in ("-o", option)]

    def run(self, program, *words, check=True, days=0):
        """days: from now, as apt sees the clock."""
        clock = ["faketime", "-f", f"+{days}d"] if days else []
        return run([*clock, program, *self.options, *words], check, cwd=self.folder,
                   env={**os.environ, "LC_ALL": "C.UTF-8"})

    def update(self, days=0):
        """What is wrong with a repository is an error here, not a warning."""
        return self.run("apt-get", "-o", "APT::Update::Error-Mode=any", "update", check=False, days=days)


def copy_of(repository, folder):
    run(["cp", "-r", repository, folder])
    return folder


def test_apt_takes_the_repository_by_its_key_and_finds_the_newest(repository, tmp_path):
    apt = Apt(tmp_path / "apt", repository)
    done = apt.update()
    assert done.returncode == 0, done.stdout
    said = apt.run("apt-cache", "policy", "deploybot").stdout
    assert "Candidate: 1.1" in said and " 1.0 500" in said, said
    apt.run("apt-get", "download", "deploybot=1.0")
    deb, = (tmp_path / "apt").glob("deploybot_*.deb")
    assert deb.read_bytes() == (repository / "pool" / f"deploybot_1.0_{ARCHITECTURE}.deb").read_bytes()


def test_the_repository_has_both_architectures_and_its_key(repository):
    for name in (ARCHITECTURE, "mips64el"):
        text = (repository / "dists" / "stable" / "main" / f"binary-{name}" / "Packages").read_bytes()
        assert gzip.decompress(
            (repository / "dists" / "stable" / "main" / f"binary-{name}" / "Packages.gz").read_bytes()) == text
        assert set(re.findall(rb"Architecture: (\S+)", text)) == {name.encode()}
    assert f"Architectures: {ARCHITECTURE} mips64el" in (repository / "dists/stable/Release").read_text("ascii")
    run(["gpgv", "--keyring", repository / "deploybot-archive-keyring.gpg", "dists/stable/Release.gpg",
         "dists/stable/Release"], cwd=repository)


@pytest.mark.parametrize("change", ["index", "release", "signature", "key"])
def test_apt_takes_nothing_that_was_changed(repository, keys, tmp_path, change):
    changed = copy_of(repository, tmp_path / "changed")
    keyring = tmp_path / "key.gpg"
    keyring.write_bytes((repository / "deploybot-archive-keyring.gpg").read_bytes())
    if change == "index":
        for path in (changed / "dists").rglob("Packages"):
            path.write_text(path.read_text("ascii").replace("Version: 1.1", "Version: 9.1"), "ascii")
            path.with_suffix(".gz").write_bytes(gzip.compress(path.read_bytes()))
    elif change == "release":
        path = changed / "dists/stable/InRelease"
        path.write_text(path.read_text("ascii").replace("Label: deploybot", "Label: deploybox"), "ascii")
    elif change == "signature":
        for name in ("InRelease", "Release.gpg"):
            (changed / "dists/stable" / name).unlink()
    else:
        keyring.unlink()
        keys.gpg("--export", "--output", keyring, keys.other)
    apt = Apt(tmp_path / "apt", changed, keyring)
    assert apt.update().returncode != 0
    assert "Candidate" not in apt.run("apt-cache", "policy", "deploybot", check=False).stdout


def test_apt_goes_back_to_no_older_release_and_has_an_end_of_it_where_its_owner_sets_one(repository, keys, tmp_path):
    """There is no Valid-Until: what holds without one, and what whoever wants one writes into their sources."""
    assert "Valid-Until" not in (repository / "dists/stable/Release").read_text("ascii")
    newer = tmp_path / "newer"
    run(["faketime", "-f", "+1d", RELEASE / "apt.sh", newer, keys.ours,
         make_deb(tmp_path / "deb", "1.2")], env=keys.environment)
    place = copy_of(repository, tmp_path / "served")
    apt = Apt(tmp_path / "apt", place)
    for served, found in ((repository, "1.1"), (newer, "1.2"), (repository, "1.2")):
        run(["rm", "-r", place])
        copy_of(served, place)
        done = apt.update(days=2)
        said = apt.run("apt-cache", "policy", "deploybot").stdout
        assert f"Candidate: {found}" in said, (done.stdout, said)
    source = tmp_path / "apt/etc/sources.list.d/deploybot.sources"
    source.write_text(source.read_text("ascii") + f"Valid-Until-Max: {5 * 86400}\n", "ascii")
    run(["rm", "-r", place])
    copy_of(newer, place)
    done = apt.update(days=5)
    assert done.returncode == 0, done.stdout
    done = apt.update(days=7)
    assert done.returncode != 0 and "expired" in done.stdout, done.stdout


def test_apt_takes_no_package_that_was_changed(repository, tmp_path):
    changed = copy_of(repository, tmp_path / "changed")
    apt = Apt(tmp_path / "apt", changed)
    assert apt.update().returncode == 0
    deb = changed / "pool" / f"deploybot_1.1_{ARCHITECTURE}.deb"
    deb.write_bytes(deb.read_bytes()[:-1] + b"!")
    done = apt.run("apt-get", "download", "deploybot", check=False)
    assert done.returncode != 0 and "Hash Sum mismatch" in done.stdout, done.stdout


@pytest.mark.parametrize("what, says", [
    ("twice", "is given twice"), ("another", "is no package"), ("there", "is there already"), ("key", "usage: apt.sh")])
def test_a_repository_is_made_of_our_packages_in_a_new_folder(keys, tmp_path, what, says):
    deb = make_deb(tmp_path, "1.0")
    folder, key, debs = tmp_path / "apt", keys.ours, [deb]
    if what == "twice":
        debs.append(deb)
    elif what == "another":
        debs.append(tmp_path / "other.deb")
        debs[-1].write_text("x", "ascii")
    elif what == "there":
        folder.mkdir()
    else:
        key = "ours@example.org"
    done = run([RELEASE / "apt.sh", folder, key, *debs], check=False, env=keys.environment)
    assert done.returncode == 1 and says in done.stdout, done.stdout


def test_sums_and_signature_hold_until_a_file_is_changed(keys, tmp_path):
    (tmp_path / "a.deb").write_text("one", "ascii")
    (tmp_path / "a.spdx.json").write_text("{}", "ascii")
    for _ in range(2):      # a second time it is the same
        run([RELEASE / "sums.sh", tmp_path, keys.ours], env=keys.environment)
    verify, check = documented()
    assert run(verify, cwd=tmp_path) and run(check, cwd=tmp_path)
    names = {line.split()[1] for line in (tmp_path / "SHA256SUMS").read_text("ascii").splitlines()}
    assert names == {"a.deb", "a.spdx.json", "deploybot-archive-keyring.gpg"}
    (tmp_path / "a.deb").write_text("two", "ascii")
    assert run(check, cwd=tmp_path, check=False).returncode == 1
    with open(tmp_path / "SHA256SUMS", "a", encoding="ascii") as sums:
        sums.write(f"{'0' * 64}  b.deb\n")
    assert run(verify, cwd=tmp_path, check=False).returncode == 1


def test_make_release_makes_all_of_it_of_the_packages_that_were_built(keys, tmp_path):
    older = make_deb(tmp_path, "1.0")
    (tmp_path / "build/deb").mkdir(parents=True)
    deb = make_deb(tmp_path / "build/deb", "1.1")
    (tmp_path / "of.image.spdx.json").write_text("{}", "ascii")
    words = ["make", "--no-print-directory", "release", "VERSION=1.1", f"BUILD={tmp_path}/build", f"OLDER={older}",
             f"SBOMS={tmp_path}/of.image.spdx.json"]
    done = run(words, check=False, cwd=ROOT, env=keys.environment)
    assert done.returncode == 2 and "KEY= names the key that signs" in done.stdout, done.stdout
    run([*words, f"KEY={keys.ours}"], cwd=ROOT, env=keys.environment)
    made = tmp_path / "build/release"
    assert {path.name for path in made.iterdir()} == {
        deb.name, f"{deb.stem}.spdx.json", "of.image.spdx.json", "SHA256SUMS", "SHA256SUMS.asc",
        "deploybot-archive-keyring.gpg"}
    for command in documented():
        run(command, cwd=made)
    assert {path.name for path in (tmp_path / "build/apt/pool").iterdir()} == {deb.name, older.name}


@pytest.mark.parametrize("tree, package", [
    ("1.1-1-g0123456789", "1.1"), ("1.1", "1.1+1.g0123456789"), ("1.1-2-g0123456789", "1.1+1.g0123456789")])
def test_a_package_of_another_commit_is_not_signed(keys, tmp_path, tree, package):
    """It was left there by an earlier `make deb`; beside one of this commit too."""
    (tmp_path / "build/deb").mkdir(parents=True)
    make_deb(tmp_path / "build/deb", tree.replace("-", "+", 1).replace("-", "."), "arm64")
    deb = make_deb(tmp_path / "build/deb", package)
    (tmp_path / "build/release").mkdir()
    (tmp_path / "build/release/of the last one").touch()
    done = run(["make", "--no-print-directory", "release", f"VERSION={tree}", f"BUILD={tmp_path}/build",
                f"KEY={keys.ours}"], check=False, cwd=ROOT, env=keys.environment)
    assert done.returncode == 2 and f"{deb} is of {package}, and this tree is " in done.stdout, done.stdout
    assert "make deb first" in done.stdout and f"(lib/version.sh: {tree})" in done.stdout
    assert [path.name for path in (tmp_path / "build/release").iterdir()] == ["of the last one"]


MAKE = """#!/bin/sh
echo "$1" >>calls
mkdir -p build/release build/apt
"""


@pytest.mark.parametrize("package, calls", [("0.2.0", ["release"]), ("0.2.0+1.g0123456789", ["deb", "release"]),
                                            ("0.1.0", ["deb", "release"])])
def test_a_release_with_a_throw_away_key_is_of_this_tree(tmp_path, package, calls):
    tree = tmp_path / "t"
    for name in ("tests/tools/release_throw_away.sh", "lib/version.sh"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((pathlib.Path(ROOT) / name).read_bytes())
        (tree / name).chmod(0o755)
    (tree / "CHANGES.md").write_text("# Changes\n\n## 0.2.0 - 2026-11-22\n", "ascii")
    (tree / "build/deb").mkdir(parents=True)
    (tree / f"build/deb/deploybot_{package}_{ARCHITECTURE}.deb").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/make").write_text(MAKE, "ascii")
    (tmp_path / "bin/make").chmod(0o755)
    run([tree / "tests/tools/release_throw_away.sh"],
        env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert (tree / "calls").read_text("ascii").split() == calls


def documented():
    """The two commands of the page, as they are typed."""
    page = (pathlib.Path(ROOT) / "docs" / "INSTALLATION.md").read_text("utf-8")
    return [re.search(rf"(?m)^    ({name} .*)$", page)[1].split() for name in ("gpgv", "sha256sum")]


# ---- SBOM ----------------------------------------------------------------------------------------


def sbom(*words, check=True, date=DATE):
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    if date:
        environment["SOURCE_DATE_EPOCH"] = date
    done = run(["/usr/bin/python3", RELEASE / "sbom.py", *words], check, env=environment)
    return json.loads(done.stdout) if check else done


def look(document):
    """What SPDX 2.3 wants of every document; {name: (version, purl, relation)}."""
    assert document["spdxVersion"] == "SPDX-2.3" and document["dataLicense"] == "CC0-1.0"
    assert document["creationInfo"]["created"] == "2026-09-21T14:13:20Z"
    ids = [package["SPDXID"] for package in document["packages"]]
    assert len(set(ids)) == len(ids) and all(re.fullmatch("SPDXRef-[A-Za-z0-9.-]+", name) for name in ids)
    relation = {}
    for found in document["relationships"]:
        assert {found["spdxElementId"], found["relatedSpdxElement"]} <= {"SPDXRef-DOCUMENT", *ids}
        ends = {found["spdxElementId"], found["relatedSpdxElement"]} - {"SPDXRef-Package", "SPDXRef-DOCUMENT"}
        relation[ends.pop() if ends else "SPDXRef-Package"] = found["relationshipType"]
    assert set(relation) == set(ids) and relation["SPDXRef-Package"] == "DESCRIBES"
    return {package["name"]: (package["versionInfo"], package["externalRefs"][0]["referenceLocator"],
                              relation[package["SPDXID"]]) for package in document["packages"]}


def test_the_sbom_of_a_package_names_what_it_needs_and_what_built_it(tmp_path):
    deb = make_deb(tmp_path, "1.1")
    made = sbom("deb", deb, deb.with_suffix(".buildinfo"))
    assert made == sbom("deb", deb, deb.with_suffix(".buildinfo")), "the same bytes again"
    arch = f"arch={ARCHITECTURE}&distro=debian-12"
    assert look(made) == {
        "deploybot": ("1.1", f"pkg:deb/deploybot/deploybot@1.1?arch={ARCHITECTURE}", "DESCRIBES"),
        "libc6": ("2.36-9+deb12u10", f"pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?{arch}", "DEPENDS_ON"),
        "systemd": ("252.39-1~deb12u1", f"pkg:deb/debian/systemd@252.39-1~deb12u1?{arch}", "DEPENDS_ON"),
        "curl": ("NOASSERTION", "pkg:deb/debian/curl", "DEPENDS_ON"),
        "git": ("NOASSERTION", "pkg:deb/debian/git", "DEPENDS_ON"),
        "gcc": ("4:12.2.0-3", f"pkg:deb/debian/gcc@4%3A12.2.0-3?{arch}", "BUILD_DEPENDENCY_OF")}
    assert made["packages"][0]["checksums"][0]["checksumValue"] == hashlib.sha256(deb.read_bytes()).hexdigest()


def test_the_sbom_of_an_image_names_its_packages_by_source(tmp_path):
    folder = tmp_path / "var/lib/dpkg/status.d"
    folder.mkdir(parents=True)
    (folder / "libssl3").write_text(
        "Package: libssl3\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl (3.0.17-1)\n"
        "Version: 3.0.17-1~deb12u2\nDescription: x\n long\n .\n", "ascii")
    (folder / "libssl3.md5sums").write_text("junk", "ascii")
    (tmp_path / "var/lib/dpkg/status").write_text(
        "Package: git\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:2.39.5-0\n\n"
        "Package: vim\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 2\n", "ascii")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('ID=debian\nVERSION_ID="12"\n', "ascii")
    words = ("image", tmp_path, "ghcr.io/team/deploybot-server", "1.1", f"sha256:{'1' * 64}")
    made = sbom(*words)
    assert look(made) == {
        "ghcr.io/team/deploybot-server": (
            "1.1", f"pkg:oci/deploybot-server@sha256%3A{'1' * 64}?repository_url=ghcr.io/team/deploybot-server",
            "DESCRIBES"),
        "git": ("1:2.39.5-0", "pkg:deb/debian/git@1%3A2.39.5-0?arch=amd64&distro=debian-12", "CONTAINS"),
        "libssl3": ("3.0.17-1~deb12u2", "pkg:deb/debian/libssl3@3.0.17-1~deb12u2?arch=amd64&distro=debian-12",
                    "CONTAINS")}
    assert made["packages"][2]["sourceInfo"] == "built from the source package openssl"
    (folder / "libssl3").unlink()
    (tmp_path / "var/lib/dpkg/status").unlink()
    done = sbom(*words, check=False)
    assert done.returncode == 1 and "names no package" in done.stdout


DOCKER = """#!/bin/bash
echo "$*" >>"$STAND/calls"
case $1 in
create) echo 0123abc ;;
export) cd "$STAND/root" && tar -cf - * ;;
esac
"""


def test_the_sbom_of_an_image_is_read_out_of_it_and_leaves_nothing_behind(tmp_path):
    for name, text in (("var/lib/dpkg/status", "Package: git\nStatus: install ok installed\nArchitecture: amd64\n"
                        "Version: 1:2.39.5-0\n"), ("usr/lib/os-release", "ID=debian\nVERSION_ID=12\n"),
                       ("usr/bin/git", "x"), ("var/lib/dpkg/info/git.list", "/usr/bin/git\n")):
        (tmp_path / "root" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "root" / name).write_text(text, "ascii")
    (tmp_path / "root/etc").mkdir()
    (tmp_path / "root/etc/os-release").symlink_to("../usr/lib/os-release")
    (tmp_path / "docker").write_text(DOCKER, "ascii")
    (tmp_path / "docker").chmod(0o755)
    (tmp_path / "tmp").mkdir()
    environment = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}", "STAND": str(tmp_path),
                   "TMPDIR": str(tmp_path / "tmp"), "SOURCE_DATE_EPOCH": DATE}
    image = f"ghcr.io/team/deploybot-runner@sha256:{'2' * 64}"
    found = look(json.loads(run([RELEASE / "image-sbom.sh", image, "1.1"], env=environment).stdout))
    assert set(found) == {"ghcr.io/team/deploybot-runner", "git"} and found["git"][0] == "1:2.39.5-0"
    assert (tmp_path / "calls").read_text("ascii").splitlines() == [f"create {image}", "export 0123abc", "rm 0123abc"]
    assert not list((tmp_path / "tmp").iterdir())


def test_an_sbom_is_of_the_file_that_was_built_and_has_a_time(tmp_path):
    deb = make_deb(tmp_path, "1.1")
    other = make_deb(tmp_path, "1.2").with_suffix(".buildinfo")
    done = sbom("deb", deb, other, check=False)
    assert done.returncode == 1 and "is not that of" in done.stdout
    done = sbom("deb", deb, deb.with_suffix(".buildinfo"), check=False, date="")
    assert done.returncode == 1 and "SOURCE_DATE_EPOCH is not set" in done.stdout


# ---- the tag -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag, heading, says", [
    ("v1.1", "## 1.1 - 2026-11-22", None), ("v1.2", "## 1.1 - 2026-11-22", 'begins with "## 1.1 - 2026-11-22"'),
    ("v1.1", "## Unreleased", 'begins with "## Unreleased"'), ("v1.1-rc1", "## 1.1 - 2026-11-22", "usage"),
    ("v1.1", "## 1.1 - 2026-11-22\n", "this tree is 1.1-1-g")])
def test_a_release_is_of_one_tag_one_tree_and_one_heading(tmp_path, tag, heading, says):
    for name in ("deploy/release/notes.sh", "lib/version.sh"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((pathlib.Path(ROOT) / name).read_bytes())
        (tmp_path / name).chmod(0o755)
    (tmp_path / "CHANGES.md").write_text(
        f"# Changes\n\n{heading}\n\n### Added\n\n- This.\n\n## 1.0 - 2026-01-01\n\nOld.\n")
    git = ["git", "-C", tmp_path, "-c", "user.name=n", "-c", "user.email=n@example.org"]
    run([*git, "init", "-q"])
    run([*git, "add", "."])
    run([*git, "commit", "-q", "-m", "release"])
    run([*git, "tag", "-a", tag, "-m", "release"])
    if heading.endswith("\n"):
        run([*git, "commit", "-q", "--allow-empty", "-m", "later"])
    done = run([tmp_path / "deploy/release/notes.sh", tag], check=False)
    if says is None:
        assert (done.returncode, done.stdout) == (0, "### Added\n\n- This.\n\n")
    else:
        assert done.returncode == 1 and says in done.stdout, done.stdout


@pytest.fixture
def older(keys, tmp_path):
    """An earlier release, as it was signed."""
    folder = tmp_path / "v1.0"
    folder.mkdir()
    made = make_deb(tmp_path, "1.0")
    made.rename(folder / made.name)
    run([RELEASE / "sums.sh", folder, keys.ours], env=keys.environment)
    return folder


def test_a_package_of_an_earlier_release_is_taken_as_it_was_signed(keys, older):
    done = run([RELEASE / "older.sh", keys.ours, older], env=keys.environment)
    assert done.stdout.split() == [str(older / f"deploybot_1.0_{ARCHITECTURE}.deb")]


@pytest.mark.parametrize("what, says", [
    ("another's", "is no package of that release"), ("changed", "is not what was signed"),
    ("a stranger's key", "is not signed by"), ("no signature", "is not signed by"),
    ("renamed", "is no package of that release")])
def test_a_package_that_was_put_to_an_earlier_release_is_not_signed_again(keys, older, tmp_path, what, says):
    deb = older / f"deploybot_1.0_{ARCHITECTURE}.deb"
    if what == "another's":
        new = make_deb(tmp_path, "99.0")
        new.rename(older / new.name)
    if what == "changed":
        deb.write_bytes(deb.read_bytes() + b"\n")
    if what == "a stranger's key":
        run([RELEASE / "sums.sh", older, keys.other], env=keys.environment)
    if what == "no signature":
        (older / "SHA256SUMS.asc").unlink()
    if what == "renamed":
        new = make_deb(tmp_path, "99.0")
        new.replace(deb)
        run([RELEASE / "sums.sh", older, keys.ours], env=keys.environment)
    done = run([RELEASE / "older.sh", keys.ours, older], False, env=keys.environment)
    assert done.returncode == 1 and says in done.stdout


GH = """#!/bin/bash
set -eu
case "$1 $2" in
"secret set") cat >"$STAND/secret" ;;
"release download") cp -r "$STAND/$3" "$5" ;;
"release upload") for file in "${@:5}"; do [[ $4 == --clobber && -f $file ]] && cp "$file" "$STAND/$3/"; done ;;
esac
"""


@pytest.fixture
def at_github(keys, tmp_path):
    """v0.2.0 as GitHub has it, signed by the first key; a keyring of before; a folder that looks like the tree."""
    stand, tree = tmp_path / "github", tmp_path / "tree"
    for folder in (stand / "v0.2.0", tree, tmp_path / "bin", tmp_path / "tmp"):
        folder.mkdir(parents=True)
    make_deb(tmp_path / "new", "0.2.0").rename(stand / f"v0.2.0/deploybot_0.2.0_{ARCHITECTURE}.deb")
    (stand / "v0.2.0/deploybot.spdx.json").write_text("{}", "ascii")
    run([RELEASE / "sums.sh", stand / "v0.2.0", keys.ours], env=keys.environment)
    keys.gpg("--export", "--output", tmp_path / "before.gpg", keys.ours)
    (tree / "deploy").symlink_to(RELEASE.parent)
    (tmp_path / "bin/gh").write_text(GH, "ascii")
    (tmp_path / "bin/gh").chmod(0o755)
    return stand


def change_key(tmp_path, stand):
    text = (pathlib.Path(ROOT) / "CONTRIBUTING.md").read_text("utf-8").partition("**A new key.**")[2]
    commands = re.search(r"(?:^    .+\n)+", text, re.M)[0]
    keyring = "/usr/share/keyrings/deploybot-archive-keyring.gpg"
    assert keyring in commands and "for tag in v0.2.0; do" in commands
    return run(["bash", "-c", commands.replace(keyring, str(tmp_path / "before.gpg"))], cwd=tmp_path / "tree",
               check=False, env={**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}", "STAND": str(stand)})


def test_a_new_key_signs_earlier_releases_as_contributing_says(keys, at_github, tmp_path, tmp_path_factory):
    """Then the workflow's own steps take its secret, and put the earlier packages into the next repository."""
    deb = at_github / f"v0.2.0/deploybot_0.2.0_{ARCHITECTURE}.deb"
    done = change_key(tmp_path, at_github)
    assert done.returncode == 0, done.stdout
    made = Keys.__new__(Keys)
    # A name as short as that of a socket has to be.
    made.environment = {**os.environ, "GNUPGHOME": str(tmp_path_factory.mktemp("gpg"))}
    made.gpg("--import", at_github / "secret")
    new, = re.findall(r"(?m)^fpr:+([0-9A-F]{40}):", made.gpg("--with-colons", "--list-secret-keys"))
    for command in documented():
        run(command, cwd=at_github / "v0.2.0")
    done = run([RELEASE / "older.sh", new, at_github / "v0.2.0"], env=made.environment)
    assert done.stdout.split() == [str(deb)]
    assert run([RELEASE / "older.sh", keys.ours, at_github / "v0.2.0"], False, env=keys.environment).returncode == 1
    run([RELEASE / "apt.sh", tmp_path / "apt", new, deb], env=made.environment)
    both = tmp_path / "both.gpg"
    both.write_bytes((tmp_path / "before.gpg").read_bytes() +
                     (tmp_path / "apt/deploybot-archive-keyring.gpg").read_bytes())
    for name, keyring, takes in (("old", tmp_path / "before.gpg", False), ("both", both, True)):
        done = Apt(tmp_path / name, tmp_path / "apt", keyring).update()
        assert (done.returncode == 0) == takes, (name, done.stdout)
    made.done()


@pytest.mark.parametrize("what", ["package", "signature"])
def test_a_new_key_signs_no_release_that_somebody_has_changed(keys, at_github, tmp_path, what):
    if what == "package":
        deb, = (at_github / "v0.2.0").glob("*.deb")
        deb.write_bytes(deb.read_bytes() + b"\n")
    else:
        run([RELEASE / "sums.sh", at_github / "v0.2.0", keys.other], env=keys.environment)
    before = (at_github / "v0.2.0/SHA256SUMS.asc").read_bytes()
    change_key(tmp_path, at_github)
    assert (at_github / "v0.2.0/SHA256SUMS.asc").read_bytes() == before
    assert (tmp_path / "tree/v0.2.0/SHA256SUMS.asc").read_bytes() == before
