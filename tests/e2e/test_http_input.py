"""Goal: whatever is sent to the two webhooks gets the answer that the rules for bad input name, the
answer is empty, and nothing of it is acted on."""
# SPDX-License-Identifier: ISC
import json
import re

import pytest

from crash_aid import telegram_update
from ops_aid import (GITHUB_SECRET, bare, check_stop, connect, github_headers,
                     metric, post_github, post_telegram, receive, request, send_raw, sign,
                     telegram_headers, wait_audit)
from stage import wait_until
from telegram_client import ADA

MB = 1 << 20
PING = b'{"zen":"Keep it logically awesome.","repository":{"full_name":"orchard/shop"}}'


@pytest.fixture(scope="module")
def bot(tmp_path_factory):
    made = bare(tmp_path_factory.mktemp("http")).start()
    yield made
    check_stop(made)


@pytest.mark.parametrize("path, headers", [
    ("/telegram/webhook", {}),
    ("/telegram/webhook", {"X-Telegram-Bot-Api-Secret-Token": "wrong"}),
    ("/telegram/webhook", {"X-Telegram-Bot-Api-Secret-Token": ""}),
    ("/github/webhook", {}),
    ("/github/webhook", {"X-Hub-Signature-256": "sha256=" + "0" * 64}),
    ("/github/webhook", {"X-Hub-Signature-256": sign(PING)[:-1]}),
    ("/github/webhook", {"X-Hub-Signature-256": sign(PING) + "0"}),
    ("/github/webhook", {"X-Hub-Signature-256": sign(PING).replace("sha256=", "sha1=")}),
    ("/github/webhook", {"X-Hub-Signature": sign(PING)}),
    ("/github/webhook", {"X-Hub-Signature-256": sign(PING, GITHUB_SECRET + "x")}),
    ("/github/webhook", {"X-Hub-Signature-256": sign(PING + b" ")})])
def test_a_wrong_or_missing_proof_is_401_with_an_empty_body(bot, path, headers):
    found = request(bot, "POST", path, PING, {"Content-Type": "application/json",
                                              "X-GitHub-Event": "ping", "X-GitHub-Delivery": "1",
                                              **headers})
    assert found.status == 401 and found.body == b"", found
    assert "server" not in found.headers


def test_a_right_signature_is_taken_in_json_and_in_a_form(bot):
    assert post_github(bot, PING, event="ping", guid="a1").status == 200
    form = b"payload=" + PING.replace(b'"', b"%22").replace(b" ", b"+")
    assert post_github(bot, form, event="ping", guid="a2",
                       Content_Type="application/x-www-form-urlencoded").status == 200


def test_only_post_is_answered_with_more_than_405(bot):
    for path in ("/telegram/webhook", "/github/webhook"):
        for method in ("GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"):
            found = request(bot, method, path)
            assert found.status == 405 and set(found.headers["allow"].split(", ")) <= {"POST", "GET"}, (method, found)
    assert request(bot, "POST", "/metrics").status == 405
    assert request(bot, "GET", "/nothing").status == 404
    assert request(bot, "POST", "/github/webhook/").status == 415      # as for each application, there or not
    for nobody in ("", "shop", "shop/", "/", "%2e"):
        found = request(bot, "POST", f"/github/webhook/{nobody}", PING, {"Content-Type": "application/json"})
        assert found.status == 404, (nobody, found)


def test_who_asks_which_server_it_is_where_telegram_delivers_is_told_and_so_is_the_machine(bot):
    found = request(bot, "GET", "/telegram/webhook", b"", {"Deploybot-Instance": "?"})
    assert found.status == 200 and re.fullmatch(rb"deploybot [0-9a-f]{32}\n", found.body), found
    done = bot.run("healthcheck", "--instance")
    assert (done.returncode, done.stdout) == (0, found.body.decode())


@pytest.mark.parametrize("path, limit", [("/telegram/webhook", MB), ("/github/webhook", 26 * MB)])
def test_what_is_too_big_is_413_before_a_byte_of_it_is_read(bot, path, limit):
    for size in (limit + 1, 10 ** 12, 10 ** 18):
        fields = "".join(f"{k}: {v}\r\n" for k, v in
                         {**telegram_headers(), **github_headers(b"")}.items())
        found = send_raw(bot, f"POST {path} HTTP/1.1\r\nHost: x\r\n{fields}"
                              f"Content-Length: {size}\r\n\r\n".encode())
        assert found.status == 413, (size, found)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data",
                                  "application/jsonx", "", None])
def test_another_content_type_is_415(bot, kind):
    assert post_github(bot, PING, event="ping", guid="t", Content_Type=kind).status == 415
    assert post_telegram(bot, b"{}", Content_Type=kind).status == 415


def test_a_form_is_no_update(bot):
    assert post_telegram(bot, b"payload=1",
                         Content_Type="application/x-www-form-urlencoded").status == 415


@pytest.mark.parametrize("body", [
    b"", b"{", b"[1,", b"nonsense", PING + b"x", b'"text"', b"[]", b"null",
    b'{"ref":"refs/heads/develop","after":"\\u0000"}', b'{"ref":"a\x00b"}',
    b'{"ref":"\xff\xfe"}', b'{"ref":"\xc0\xaf"}', b'{"ref":"\\ud800"}',
    b"[" * 100_000, b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b'{"ref":"refs/heads/develop","ref":"refs/heads/main"}'],
    ids=lambda body: repr(body[:24]))
def test_a_signed_delivery_that_is_no_sound_json_is_400(bot, body):
    found = post_github(bot, body, guid=f"bad-{len(body)}-{hash(body) & 0xffff}")
    assert found.status == 400 and found.body == b"", found


@pytest.mark.parametrize("body", [
    b"", b"{", b"nonsense", b"[]", b"{}", b'{"update_id":"1"}', b'{"update_id":1,"update_id":2}',
    b'{"update_id":7,"message":{"text":"\xff"}}', b'{"update_id":8,"message":"\\u0000"}',
    b"[" * 100_000], ids=lambda body: repr(body[:24]))
def test_a_broken_update_is_200_and_audited_or_it_would_come_for_a_day(bot, body):
    before = len(bot.audit(outcome="denied", reason="unreadable")) + bot.counted()
    assert post_telegram(bot, body).status == 200
    wait_until(lambda: len(bot.audit(outcome="denied", reason="unreadable")) + bot.counted() == before + 1,
               10, "it is an entry, or counted")


@pytest.mark.parametrize("fields", [
    "Content-Length: 2\r\nContent-Length: 2\r\n",
    "Content-Length: 2\r\nContent-Length: 3\r\n",
    "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
    "Transfer-Encoding: chunked\r\n", "Transfer-Encoding: xchunked\r\n",
    "Transfer-Encoding: chunked, identity\r\n", "Content-Length : 2\r\n",
    "Content-Length: +2\r\n", "Content-Length: -2\r\n", "Content-Length: 0x2\r\n",
    "Content-Length: 2, 2\r\n", "Content-Length: 18446744073709551615\r\n",
    "Content-Length: 2\r\nX: a\r\n b\r\n", "Content-Length: 2\r\nX: a\0b\r\n"],
    ids=lambda text: re.sub(r"\W+", "_", text)[:40])
def test_two_ways_to_read_a_length_are_refused_and_the_connection_closed(bot, fields):
    proof = "".join(f"{k}: {v}\r\n" for k, v in telegram_headers().items())
    with connect(bot) as conn:
        conn.sendall(f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\n{proof}{fields}\r\n{{}}"
                     .encode("latin-1"))
        found = receive(conn)
        assert found.status in (0, 400, 411, 413), found
        try:
            assert conn.recv(1) == b"", "it is closed: nobody may go on behind it"
        except ConnectionError:
            pass


def test_no_length_is_411(bot):
    found = request(bot, "POST", "/github/webhook", headers=github_headers(b""), length=False)
    assert found.status == 411, found


def test_a_head_that_never_ends_in_size_is_refused(bot):
    assert send_raw(bot, b"POST /github/webhook HTTP/1.1\r\nHost: x\r\nX: "
                    + b"a" * 200_000 + b"\r\n\r\n").status in (0, 413, 414, 431)
    assert request(bot, "GET", "/" + "a" * 100_000).status in (0, 404, 414)
    assert request(bot, "GET", "/healthz").status == 200


def test_refusals_are_audited_once_a_minute_with_their_number(bot):
    """The first at once, with the count 1; what came since waits for its minute."""
    before = {source: len(bot.audit(action="webhook_rejected", user_id=source))
              for source in ("telegram", "github")}
    for _ in range(20):
        request(bot, "POST", "/github/webhook", b"{}", {"Content-Type": "application/json"})
        request(bot, "POST", "/telegram/webhook", b"{}", {"Content-Type": "application/json"})
    for source in ("telegram", "github"):
        found = wait_audit(bot, 1, action="webhook_rejected", user_id=source)
        assert len(found) <= max(before[source], 1) + 1, found
        assert found[0]["count"] == "1" and found[0]["reason"]
        assert metric(bot, "deploybot_webhook_requests_total", source=source, code="401") >= 20


def test_a_refusal_is_audited_with_the_address_that_a_proxy_on_this_machine_tells(tmp_path):
    bot = bare(tmp_path).start()
    for source, address in (("github", "203.0.113.9"), ("telegram", "2001:db8::7")):
        request(bot, "POST", f"/{source}/webhook", b"{}",
                {"Content-Type": "application/json", "X-Real-IP": address})
        assert wait_audit(bot, 1, user_id=source)[0]["client"] == address
    check_stop(bot)


def test_deliveries_that_are_not_for_us_are_202_and_change_nothing(bot):
    other = b'{"ref":"refs/heads/develop","after":"%s","repository":{"full_name":"a/b"}}' % (b"1" * 40)
    assert post_github(bot, other, guid="r1").status == 202
    assert post_github(bot, b'{"action":"opened","repository":{"full_name":"orchard/shop"}}',
                       event="issues", guid="r2").status == 202
    assert bot.audit(action="deploy_requested") == []


def test_without_a_secret_the_route_is_404(tmp_path):
    bot = bare(tmp_path, GITHUB_WEBHOOK_SECRET=None).start()
    assert post_github(bot, PING, event="ping").status == 404
    check_stop(bot)


def test_a_redelivery_and_a_copy_under_another_id_are_noticed(bot):
    body = b'{"action":"x","repository":{"full_name":"orchard/shop"}}'
    for guid in ("d1", "d1", "d2"):
        assert post_github(bot, body, event="issues", guid=guid).status in (200, 202)


def test_an_update_is_stored_and_its_copy_acknowledged(bot):
    body = json.dumps(telegram_update(ADA, 77_001, "/whoami")).encode()
    count = metric(bot, "deploybot_commands_total", command="whoami")
    assert post_telegram(bot, body).status == 200
    assert post_telegram(bot, body).status == 200
    assert metric(bot, "deploybot_commands_total", command="whoami") == count + 1


def test_pipelined_requests_are_answered_in_their_order(bot):
    with connect(bot) as conn:
        conn.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
                     b"GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        raw = b""
        while piece := conn.recv(65536):
            raw += piece
    assert re.findall(rb"HTTP/1.1 (\d+)", raw) == [b"200", b"404"]


def test_a_client_that_goes_away_early_harms_nobody(bot):
    for cut in (1, 30, 100, 300):
        body = json.dumps(telegram_update(ADA, 78_000 + cut, "/whoami")).encode()
        head = "".join(f"{k}: {v}\r\n" for k, v in telegram_headers().items())
        whole = (f"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\n{head}"
                 f"Content-Length: {len(body)}\r\n\r\n").encode() + body
        with connect(bot) as conn:
            conn.sendall(whole[:cut])
    assert request(bot, "GET", "/healthz").status == 200
