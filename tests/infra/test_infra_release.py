"""Goal: what `make release` makes of a package is installed and upgraded by apt in clean Debians, 12 and 13, by the
commands of the page; nothing but the key has to be trusted."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import re
import shutil

import pytest

from infra_aid import BUILD_TIMEOUT_S, ROOT, Root, kept_deb, root_tar, run
from release_aid import Keys

NEWER = "99.0"


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    made = Keys(pathlib.Path(tmp_path_factory.mktemp("gpg")) / "home")
    yield made
    made.done()


def version_of(deb):
    """As `deploybot version` says it."""
    return re.sub(r"\+(\d+)\.", r"-\1-", run(["dpkg-deb", "-f", deb, "Version"]).stdout.strip())


def release(folder, keys, deb, *older):
    """make release of that package; the folder it worked in."""
    (folder / "deb").mkdir(parents=True, exist_ok=True)
    for path in (folder / "deb").iterdir():
        path.unlink()
    for path in (deb, deb.with_suffix(".buildinfo")):
        shutil.copy2(path, folder / "deb")
    run(["make", "release", f"BUILD={folder}", f"VERSION={version_of(deb)}", f"KEY={keys.ours}",
         f"OLDER={' '.join(str(path) for path in older)}"], BUILD_TIMEOUT_S, cwd=ROOT, env=keys.environment)
    return folder


def serve(root, folder):
    shutil.rmtree(root.path / "srv/apt", ignore_errors=True)
    shutil.copytree(folder / "apt", root.path / "srv/apt")


@pytest.mark.parametrize("suite", ["bookworm", "trixie"])
def test_apt_installs_and_upgrades_from_the_repository(suite, keys, tmp_path):
    deb, newer = kept_deb(), kept_deb(NEWER)
    folder = release(tmp_path / "build", keys, deb)
    tar = root_tar("clean") if suite == "bookworm" else root_tar(suite, ("apt",), suite)
    root = Root(tmp_path / "root", tar)
    try:
        (root.path / "etc/resolv.conf").write_text(pathlib.Path("/etc/resolv.conf").read_text("utf-8"), "utf-8")
        serve(root, folder)
        root.run("install", "-D", "-m", "0644", "/srv/apt/deploybot-archive-keyring.gpg",
                 "/usr/share/keyrings/deploybot-archive-keyring.gpg")
        page = (ROOT / "docs/INSTALLATION.md").read_text("utf-8")
        source = re.search(r"tee /etc/apt/sources.list.d/deploybot.sources .*\n((?:    .*\n)+?)    END", page)[1]
        (root.path / "etc/apt/sources.list.d/deploybot.sources").write_text(
            re.sub("(?m)^    ", "", source).replace("https://apt.example.org", "file:/srv/apt"), "ascii")
        root.run("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
        root.run("apt-get", "install", "-y", "--no-install-recommends", "deploybot")
        assert root.run("deploybot", "version").stdout == f"deploybot {version_of(deb)}\n"
        serve(root, release(tmp_path / "build", keys, newer, deb))
        root.run("apt-get", "-o", "APT::Update::Error-Mode=any", "update")
        root.run("apt-get", "upgrade", "-y")
        assert root.run("deploybot", "version").stdout == f"deploybot {NEWER}\n"
    finally:
        root.remove()


def test_a_release_has_an_sbom_of_each_package_with_the_libraries_it_was_built_with(keys, tmp_path):
    deb = kept_deb()
    made = release(tmp_path / "build", keys, deb) / "release"
    names = {path.name for path in made.iterdir()}
    assert names == {deb.name, f"{deb.stem}.spdx.json", "SHA256SUMS", "SHA256SUMS.asc", "deploybot-archive-keyring.gpg"}
    sbom = json.loads((made / f"{deb.stem}.spdx.json").read_text("utf-8"))
    needed = {found["relatedSpdxElement"].removeprefix("SPDXRef-Package-") for found in sbom["relationships"]
              if found["relationshipType"] == "DEPENDS_ON"}
    assert {"libcurl4", "libssl3", "libsqlite3-0", "libpq5", "libmicrohttpd12", "git"} <= needed
    versions = {package["name"]: package["versionInfo"] for package in sbom["packages"]}
    assert re.fullmatch(r"7\.8\d\.\d.*", versions["libcurl4"]) and versions["libssl3"].startswith("3.0.")
