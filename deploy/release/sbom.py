#!/usr/bin/python3
"""sbom.py deb DEB BUILDINFO | image ROOT NAME VERSION DIGEST - an SPDX 2.3 document of a release's file, on stdout.

What is in it is dpkg's word, not a scanner's guess.  Of a package: what it depends on, in the versions that it was
built with, and what built it.  Of an image, whose files lie in ROOT: each package of var/lib/dpkg (status, and status.d
of an image without a package manager).  The same input gives the same bytes; SOURCE_DATE_EPOCH is its time.
"""
# SPDX-License-Identifier: ISC
import datetime
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
from urllib.parse import quote

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
NAME = re.compile(r"[a-z0-9][a-z0-9+.-]+")
WITH_VERSION = re.compile(r"([a-z0-9][a-z0-9+.-]+)(?::[a-z0-9]+)? \(= ([0-9A-Za-z.+~:-]+)\)")


def fail(text):
    sys.exit(f"sbom.py: {text}")


def read(path):
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return fail(f"{path} cannot be read: {error}")


def paragraphs(text):
    """Of a file as dpkg writes them: the fields of each paragraph."""
    for part in re.split(r"\n\s*\n", text):
        found = re.findall(r"(?m)^([A-Za-z0-9-]+):[ \t]*(.*(?:\n[ \t].*)*)", part)
        if found:
            yield dict(found)


def installed(root):
    """{name: (version, architecture, source)} of an image's packages."""
    folder = root / "var" / "lib" / "dpkg"
    files = [folder / "status"] + sorted((folder / "status.d").glob("*"))
    found = {}
    for path in files:
        if not path.is_file() or path.name.endswith(".md5sums"):
            continue
        for fields in paragraphs(read(path)):
            if "Status" in fields and not fields["Status"].endswith(" installed"):
                continue
            if not {"Package", "Version", "Architecture"} <= set(fields):
                fail(f"{path}: a paragraph is no installed package: {sorted(fields)}")
            source = fields.get("Source", fields["Package"]).partition(" ")[0]
            found[fields["Package"]] = fields["Version"], fields["Architecture"], source
    return found or fail(f"{folder} names no package: is {root} the root of an image?")


def distribution(root):
    for name in ("etc/os-release", "usr/lib/os-release"):
        if (root / name).is_file():
            found = dict(re.findall(r'(?m)^(ID|VERSION_ID)="?([a-z0-9.]+)"?$', read(root / name)))
            if len(found) == 2:
                return found["ID"], f"{found['ID']}-{found['VERSION_ID']}"
    return fail(f"{root} has no os-release with ID and VERSION_ID")


def element(name, version, purl, **more):
    return {"name": name, "SPDXID": "SPDXRef-Package-" + re.sub("[^A-Za-z0-9.-]", "-", name), "versionInfo": version,
            "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
            "licenseDeclared": "NOASSERTION", "copyrightText": "NOASSERTION", "supplier": "NOASSERTION",
            "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                              "referenceLocator": purl}],
            **more}


def purl_of(vendor, name, version, qualifiers):
    return f"pkg:deb/{vendor}/{quote(name, safe='')}@{quote(version, safe='')}?{qualifiers}"


def document(main, parts):
    """parts: [(element, relation of it and main)]."""
    main = {**main, "SPDXID": "SPDXRef-Package", "licenseDeclared": "ISC"}
    related = [{"spdxElementId": "SPDXRef-DOCUMENT", "relationshipType": "DESCRIBES",
                "relatedSpdxElement": "SPDXRef-Package"}]
    for part, relation in parts:
        ends = ("SPDXRef-Package", part["SPDXID"])
        first, second = reversed(ends) if relation == "BUILD_DEPENDENCY_OF" else ends
        related.append({"spdxElementId": first, "relationshipType": relation, "relatedSpdxElement": second})
    packages = [main] + [part for part, _ in parts]
    if len({package["SPDXID"] for package in packages}) != len(packages):
        fail("two packages would have one name")
    mark = hashlib.sha256(json.dumps(packages, sort_keys=True).encode()).hexdigest()
    when = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not re.fullmatch("[0-9]{1,11}", when):
        fail("SOURCE_DATE_EPOCH is not set: seconds since 1970, as `git log -1 --format=%ct` prints them")
    created = datetime.datetime.fromtimestamp(int(when), datetime.timezone.utc)
    return {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
            "name": f"{main['name']} {main['versionInfo']}",
            "documentNamespace": f"https://spdx.org/spdxdocs/{quote(main['name'], safe='')}-{mark}",
            "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"), "creators": ["Tool: deploybot-sbom"]},
            "packages": packages, "relationships": related}


def of_deb(deb, buildinfo):
    said = subprocess.run(["dpkg-deb", "--field", deb, "Package", "Version", "Architecture", "Depends"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if said.returncode != 0:
        fail(said.stderr.strip())
    fields = next(paragraphs(said.stdout))
    built = next(paragraphs(read(pathlib.Path(buildinfo))))
    version, architecture = fields["Version"], fields["Architecture"]
    digest = hashlib.sha256(pathlib.Path(deb).read_bytes()).hexdigest()
    if digest not in built.get("Checksums-Sha256", ""):
        fail(f"{buildinfo} is not that of {deb}: its sum is not in it")
    there = dict(WITH_VERSION.findall(built.get("Installed-Build-Depends", "")))
    if not there:
        fail(f"{buildinfo} has no Installed-Build-Depends")
    # Of alternatives the first that was there; what was not there has the version that whoever installs it has.
    needs = set()
    for entry in fields["Depends"].split(","):
        names = [NAME.match(word.strip()).group() for word in entry.split("|")]
        needs.add(next((name for name in names if name in there), names[0]))
    qualifiers = f"arch={architecture}&distro=debian-12"
    parts = []
    for name in sorted(needs) + sorted(set(there) - needs):
        its = there.get(name)
        purl = purl_of("debian", name, its, qualifiers) if its else f"pkg:deb/debian/{name}"
        parts.append((element(name, its or "NOASSERTION", purl),
                      "DEPENDS_ON" if name in needs else "BUILD_DEPENDENCY_OF"))
    purl = purl_of("deploybot", fields["Package"], version, f"arch={architecture}")
    return document(element(fields["Package"], version, purl, packageFileName=os.path.basename(deb),
                            checksums=[{"algorithm": "SHA256", "checksumValue": digest}]), parts)


def of_image(root, name, version, digest):
    if not DIGEST.fullmatch(digest):
        fail(f"no digest: {digest}")
    vendor, distro = distribution(pathlib.Path(root))
    parts = [(element(package, its, purl_of(vendor, package, its, f"arch={architecture}&distro={distro}"),
                      sourceInfo=f"built from the source package {source}"), "CONTAINS")
             for package, (its, architecture, source) in sorted(installed(pathlib.Path(root)).items())]
    return document(element(name, version, f"pkg:oci/{name.rpartition('/')[2]}@{quote(digest, safe='')}?"
                            f"repository_url={quote(name, safe='/')}",
                            checksums=[{"algorithm": "SHA256", "checksumValue": digest[7:]}]), parts)


def main(words):
    if words[:1] == ["deb"] and len(words) == 3:
        made = of_deb(*words[1:])
    elif words[:1] == ["image"] and len(words) == 5:
        made = of_image(*words[1:])
    else:
        fail("usage: sbom.py deb DEB BUILDINFO | image ROOT NAME VERSION DIGEST")
    json.dump(made, sys.stdout, indent=1, ensure_ascii=False)
    print()


main(sys.argv[1:])
