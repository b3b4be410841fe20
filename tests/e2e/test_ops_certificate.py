"""Goal: until when our certificate is good is a metric, whoever signed it and however old it is."""
# SPDX-License-Identifier: ISC
import signal
import time

import pytest

from ops_aid import WAIT_S, bare, check_stop, metric
from stage import WEBHOOK_SECRET, free_port, wait_until
from telegram_client import DEFAULT_TOKEN
from tls_aid import TlsServer, make_certificate

EXPIRY = "deploybot_tls_expiry_timestamp_seconds"
UP = "deploybot_tls_probe_up"
IN_A_YEAR = int(time.time()) + 86400 * 365
A_WEEK_AGO = int(time.time()) - 86400 * 7


def start(folder, port, **more):
    url = f"https://localhost:{port}/telegram/webhook"
    return bare(folder / "bot", TELEGRAM_WEBHOOK_URL=url, **more)


def probed(bot):
    wait_until(lambda: f"\n{UP} " in bot.metrics(), WAIT_S, "a look at the certificate")
    return metric(bot, UP)


@pytest.fixture(autouse=True)
def folder_of_the_bot(tmp_path):
    (tmp_path / "bot").mkdir()


@pytest.mark.parametrize("expires", [IN_A_YEAR, A_WEEK_AGO], ids=["in a year", "a week ago"])
def test_the_date_of_a_certificate_that_nobody_signed_is_read(tmp_path, expires):
    """An expired one above all: with it, Telegram has stopped to deliver."""
    server = TlsServer(make_certificate(tmp_path / "tls", expires))
    bot = start(tmp_path, server.port).start()
    try:
        assert probed(bot) == 1
        assert metric(bot, EXPIRY) == expires
        assert server.asked[0].startswith(b"HEAD / HTTP/1.1\r\n")
        assert WEBHOOK_SECRET.encode() not in b"".join(server.asked)
        assert b"/telegram" not in b"".join(server.asked)
    finally:
        server.stop()
        check_stop(bot)


def test_nobody_there_is_told_and_no_date_is_made_up(tmp_path):
    bot = start(tmp_path, free_port()).start()
    assert probed(bot) == 0
    assert EXPIRY + " " not in bot.metrics()
    check_stop(bot)


def test_a_reload_looks_at_once_and_sees_the_new_certificate(tmp_path):
    """A certificate was renewed: whoever reloads need not wait an hour.  No kept session, whose
    certificate is the old one, is shown."""
    server = TlsServer(make_certificate(tmp_path / "old", A_WEEK_AGO))
    env = tmp_path / "bot" / ".env"
    env.write_text("RUN_LOGS_KEEP=40\n", encoding="ascii")
    bot = start(tmp_path, server.port).start()
    try:
        assert probed(bot) == 1 and metric(bot, EXPIRY) == A_WEEK_AGO
        server.show(make_certificate(tmp_path / "new", IN_A_YEAR))
        env.write_text("RUN_LOGS_KEEP=41\n", encoding="ascii")
        bot.process.send_signal(signal.SIGHUP)
        wait_until(lambda: metric(bot, EXPIRY) == IN_A_YEAR, WAIT_S, "the new date")
    finally:
        server.stop()
        check_stop(bot)


def test_a_server_that_says_nothing_behind_the_handshake_does_not_hold_up_the_end(tmp_path):
    server = TlsServer(make_certificate(tmp_path / "tls", IN_A_YEAR), silent=True)
    bot = start(tmp_path, server.port).start()
    try:
        wait_until(lambda: server.asked, WAIT_S, "the question")
        check_stop(bot)
    finally:
        server.stop()


def test_polling_or_plain_http_has_no_certificate_to_look_at(tmp_path):
    """Absent is not 0: no alert for what is not there."""
    bot = bare(tmp_path / "bot").start()
    found = bot.metrics()
    assert "deploybot_messages_waiting_since_timestamp_seconds 0\n" in found
    assert f"\n{UP}" not in found and f"\n{EXPIRY}" not in found
    check_stop(bot)


def test_who_cannot_prove_to_be_telegram_is_sent_nothing(tmp_path):
    """The bot's token is in the path of each call: a certificate that nobody vouches for ends it before that."""
    server = TlsServer(make_certificate(tmp_path / "tls", IN_A_YEAR))
    bot = bare(tmp_path / "bot", TELEGRAM_API_BASE=f"https://localhost:{server.port}").start()
    try:
        wait_until(lambda: server.asked or "getWebhookInfo" in bot.log(), WAIT_S, "a call of the Bot API")
        assert not server.asked and "SSL peer certificate" in bot.log()
    finally:
        server.stop()
        check_stop(bot)
    assert DEFAULT_TOKEN not in bot.log()
