"""Goal: whoever has a valid token is let in at once, whatever others send who have none: from the same address, from
all addresses, behind a proxy, after a restart and while the key is changed."""
# SPDX-License-Identifier: ISC
import http.client
import os
import urllib.parse

import pytest

from flow_aid import PATIENCE_S
from local_aid import ROLE_ADMIN
from test_flow_tokens import SECRET, TokenScene

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

PROXY, OTHER = "127.0.0.2", "127.0.0.3"      # both are this machine, and only one is named
NEXT = "next-key-of-tokens-that-is-long-enough-77"


def wrong(i):
    return f"deploybot_{i:064x}"


def ask(scene, token, client=None, peer="127.0.0.1", **headers):
    """The status of one request: from that address of this machine, which says that `client` asks (None: nothing)."""
    conn = http.client.HTTPConnection("127.0.0.1", urllib.parse.urlsplit(scene.bot.base).port, timeout=PATIENCE_S,
                                      source_address=(peer, 0))
    try:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        conn.request("GET", "/v1/status", headers=headers | ({"X-Real-IP": client} if client else {}))
        return conn.getresponse().status
    finally:
        conn.close()


def flood(scene, count, **how):
    """How often 401 and 429 were the answer to so many wrong tokens."""
    said = [ask(scene, wrong(i), **how) for i in range(count)]
    assert set(said) <= {401, 429}, said
    return said.count(401), said.count(429)


def noted(scene, *reasons):
    """How many tries were recorded with such a reason: entries, and rows that become one within an hour."""
    entries = sum(int(e.get("count", 1)) for e in scene.audit(action="token_refused") if e["reason"] in reasons)
    likes = " OR ".join(f"input = 'api: {reason}'" for reason in reasons)
    return entries + scene.bot_rows(f"SELECT coalesce(sum(n), 0) FROM stranger WHERE {likes}")[0][0]


@pytest.fixture(scope="module")
def scene():
    made = TokenScene()
    yield made
    made.close()


def test_a_token_that_was_not_used_since_the_start_does_not_wait_behind_wrong_ones(scene):
    """Nor behind those of its own address, which is the proxy's where that is not told."""
    token, second = scene.token("patient"), scene.token("second")
    scene.bot.stop()
    before = noted(scene, "an unknown token", "too many tries")
    scene.start_bot()
    refused = flood(scene, 30)
    assert refused[1] >= 15, refused
    for i in range(12):
        assert ask(scene, wrong(100 + i)) in (401, 429)
        assert ask(scene, token) == 200, i
    assert ask(scene, second) == 200
    scene.bot.stop()
    assert noted(scene, "an unknown token", "too many tries") == before + 42, "each try is counted"
    scene.start_bot()


def test_nor_behind_those_of_all_addresses_together(scene):
    token = scene.token("among-all")
    scene.bot.stop()
    scene.start_bot()
    said = [ask(scene, wrong(i), client=f"198.51.{i // 200}.{i % 200 + 1}") for i in range(300)]
    assert said.count(429) > 50, "all together have a limit"
    assert [ask(scene, token, client=f"203.0.113.{i + 1}") for i in range(12)] == [200] * 12


def test_addresses_of_one_network_of_ipv6_are_one(scene):
    token = scene.token("six")
    said = [ask(scene, wrong(i), client=f"2001:db8:7:7:{i:x}:{i * 31:x}::1") for i in range(40)]
    assert said.count(429) >= 25, said
    assert ask(scene, token, client="2001:db8:7:7::9") == 200


def test_a_token_that_was_revoked_floods_nobody(scene):
    """Somebody has it who should not, and sends it again and again."""
    token, lost = scene.token("kept"), scene.token("lost")
    assert ask(scene, lost) == 200
    scene.run(ROLE_ADMIN, "token", "revoke", "lost")
    scene.bot.stop()        # all addresses together have a limit, which the tests above have used up
    scene.start_bot()
    said = [ask(scene, lost, client="192.0.2.99") for _ in range(40)]
    assert said[0] == 401 and said.count(429) >= 25, said
    assert ask(scene, token, client="192.0.2.99") == 200


def test_what_is_no_token_at_all_floods_nobody(scene):
    token = scene.token("plain")
    for header in ("Bearer " + "a" * 4000, "Bearer deploybot_", "bearer " + wrong(1), "Basic Zm9vOmJh", "Bearer \t"):
        said = [ask(scene, None, client="192.0.2.77", Authorization=header) for _ in range(8)]
        assert set(said) <= {401, 429}, (header, said)
    assert ask(scene, token, client="192.0.2.77") == 200


def test_while_the_key_is_changed_a_token_of_before_does_not_wait_either(scene):
    token = scene.token("of-before")
    scene.bot.stop()
    scene.start_bot(AUTH_TOKEN_SECRET=NEXT, AUTH_TOKEN_SECRET_PREVIOUS=SECRET)
    try:
        after = scene.token("of-now")
        flood(scene, 30)
        assert [ask(scene, t) for t in (token, after, token)] == [200] * 3
    finally:
        scene.bot.stop()
        scene.start_bot(AUTH_TOKEN_SECRET=SECRET, AUTH_TOKEN_SECRET_PREVIOUS="")


def test_only_the_proxy_that_is_named_says_who_asks():
    scene = TokenScene(TRUSTED_PROXY=f"{PROXY}, 10.9.8.0/24")
    try:
        token = scene.token("behind")
        # Whoever comes past the proxy is one address, whatever they write.
        said = [ask(scene, wrong(i), client=f"198.51.100.{i + 1}", peer=OTHER) for i in range(40)]
        assert said.count(429) >= 25, said
        assert scene.wait_for_audit(action="token_refused", reason="an unknown token")[0]["client"] == OTHER
        # And costs those behind it nothing, whose addresses it tells.
        assert [ask(scene, wrong(i), client="198.51.100.1", peer=PROXY) for i in range(5)] == [401] * 5
        assert ask(scene, token, client="198.51.100.1", peer=PROXY) == 200
        assert ask(scene, token, peer=OTHER) == 200
    finally:
        scene.close()
