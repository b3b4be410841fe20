"""Goal: deploybot ca makes an authority out of files of root, which OpenSSL takes as one, and writes over nothing."""
# SPDX-License-Identifier: ISC
import hashlib
import re
import stat
import subprocess

import pytest

from stage import Deploybot

MADE = ("ca.key", "ca.crt", "order.key", "link.key", "link.crt")
NEXT = ("next-ca.key", "next-ca.crt", "both-ca.crt", "next-link.key", "next-link.crt")


def openssl(*words, text=None):
    done = subprocess.run(["openssl", *map(str, words)], input=text, capture_output=True, text=True, timeout=30,
                          check=False)
    return done.stdout + done.stderr


@pytest.fixture(name="bot")
def fixture_bot(tmp_path):
    return Deploybot(tmp_path, {"API_SERVER_PORT": "1"})


def new_request(folder, *more):
    """An agent's key and its request, by OpenSSL."""
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", folder / "agent.key")
    openssl("req", "-new", "-key", folder / "agent.key", "-subj", "/CN=whoever", "-out", folder / "agent.csr", *more)
    return folder / "agent.csr"


def test_an_authority_is_made_once_and_its_keys_are_roots(bot, tmp_path):
    folder = tmp_path / "ca"
    done = bot.run("ca", "init", str(folder), "--years", "3")
    assert done.returncode == 0, done.stderr
    for name in ("LINK_ADDRESS", "LINK_CA_FILE", "LINK_CERTIFICATE_FILE", "LINK_CA_KEY_FILE", "LINK_ORDER_KEY_FILE"):
        assert f"  {name}=" in done.stdout
    assert sorted(x.name for x in folder.iterdir()) == sorted(MADE)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in MADE:
        assert stat.S_IMODE((folder / name).stat().st_mode) == (0o600 if name.endswith(".key") else 0o644), name
    assert "OK" in openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", folder / "ca.crt",
                           folder / "link.crt")
    assert "ED25519" in openssl("pkey", "-in", folder / "order.key", "-noout", "-text")
    assert "CA:TRUE, pathlen:0" in openssl("x509", "-in", folder / "ca.crt", "-noout", "-text")
    before = {x.name: x.read_bytes() for x in folder.iterdir()}
    (folder / "ca.key").unlink()
    again = bot.run("ca", "init", str(folder))
    assert again.returncode != 0 and "ca.crt is there already: nothing was written" in again.stderr
    assert {x.name: x.read_bytes() for x in folder.iterdir()} == {k: v for k, v in before.items() if k != "ca.key"}
    for years in ("0", "31", "x"):
        assert bot.run("ca", "init", str(tmp_path / "other"), "--years", years).returncode == 64
    assert not (tmp_path / "other").exists()


def test_of_a_request_its_key_alone_is_signed(bot, tmp_path):
    folder = tmp_path / "ca"
    assert bot.run("ca", "init", str(folder)).returncode == 0
    request = new_request(tmp_path, "-addext", "subjectAltName=URI:deploybot:server,DNS:other", "-addext",
                          "basicConstraints=CA:TRUE")
    done = bot.run("ca", "sign", str(folder), "agent/acme", str(request))
    assert done.returncode == 0, done.stderr
    public = subprocess.run(["openssl", "pkey", "-in", tmp_path / "agent.key", "-pubout", "-outform", "DER"],
                            capture_output=True, check=True).stdout
    assert f"the SHA-256 {hashlib.sha256(public).hexdigest()}" in done.stderr
    (tmp_path / "agent.crt").write_text(done.stdout, encoding="ascii")
    for purpose, verdict in (("sslclient", True), ("sslserver", False)):
        said = openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", folder / "ca.crt",
                       tmp_path / "agent.crt")
        assert ("agent.crt: OK" in said) == verdict, said
    shown = openssl("x509", "-in", tmp_path / "agent.crt", "-noout", "-text")
    assert re.findall(r"(?:URI|DNS):\S+", shown) == ["URI:deploybot:agent/acme"]
    assert "CA:FALSE" in shown and "CA:TRUE" not in shown and "whoever" not in shown
    assert "TLS Web Client Authentication" in shown and "TLS Web Server Authentication" not in shown
    assert openssl("x509", "-in", tmp_path / "agent.crt", "-noout", "-pubkey") == \
        openssl("pkey", "-in", tmp_path / "agent.key", "-pubout")
    assert openssl("x509", "-in", tmp_path / "agent.crt", "-noout", "-checkend", str(364 * 86400)) \
        == "Certificate will not expire\n"
    assert openssl("x509", "-in", tmp_path / "agent.crt", "-noout", "-checkend", str(366 * 86400)) \
        == "Certificate will expire\n"
    second = bot.run("ca", "sign", str(folder), "server", str(request)).stdout
    assert "TLS Web Server Authentication" in openssl("x509", "-noout", "-text", text=second)
    for identity in ("agent/", "acme", "agent/acme,URI:deploybot:server", "admin/acme"):
        refused = bot.run("ca", "sign", str(folder), identity, str(request))
        assert refused.returncode != 0 and refused.stdout == "" and "no identity" in refused.stderr
    request.write_text("\n" * 4000 + request.read_text(encoding="ascii"), encoding="ascii")
    refused = bot.run("ca", "sign", str(folder), "agent/acme", str(request))
    assert refused.returncode != 0 and "more than 4096 bytes" in refused.stderr


def test_another_authority_is_made_beside_the_first(bot, tmp_path):
    folder = tmp_path / "ca"
    assert bot.run("ca", "init", str(folder)).returncode == 0
    request = new_request(tmp_path)
    (tmp_path / "agent.crt").write_text(bot.run("ca", "sign", str(folder), "agent/acme", str(request)).stdout,
                                        encoding="ascii")
    done = bot.run("ca", "rotate", str(folder))
    assert done.returncode == 0, done.stderr
    assert sorted(x.name for x in folder.iterdir()) == sorted(MADE + NEXT)
    assert bot.run("ca", "rotate", str(folder)).returncode != 0
    for trusted, certificate, verdict in (
            ("both-ca.crt", tmp_path / "agent.crt", True), ("both-ca.crt", folder / "next-link.crt", True),
            ("both-ca.crt", folder / "link.crt", True), ("next-ca.crt", tmp_path / "agent.crt", False),
            ("next-ca.crt", folder / "link.crt", False), ("ca.crt", folder / "next-link.crt", False)):
        said = openssl("verify", "-CAfile", folder / trusted, certificate)
        assert (": OK" in said) == verdict, (trusted, certificate, said)
