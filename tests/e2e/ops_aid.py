"""What the tests of operations and of HTTP share: a deploybot alone, without a chat or a repository,
and requests sent byte by byte."""
# SPDX-License-Identifier: ISC
import atexit
import hashlib
import hmac
import os
import pathlib
import re
import socket
import time

from stage import GITHUB_SECRET, WEBHOOK_SECRET, Deploybot, free_port, wait_until
from telegram_client import ADA, DEFAULT_TOKEN

WAIT_S = 20
NOBODY = "http://127.0.0.1:9"       # a port on which nobody listens


def bare_settings(folder, **more):
    """Enough to start in webhook mode, with nobody around."""
    folder = pathlib.Path(folder)
    port = free_port()
    found = {
        "TELEGRAM_BOT_TOKEN": DEFAULT_TOKEN, "TELEGRAM_API_BASE": NOBODY,
        "ADMIN_TELEGRAM_IDS": str(ADA), "TELEGRAM_MODE": "webhook",
        "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram/webhook",
        "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET, "GITHUB_WEBHOOK_SECRET": GITHUB_SECRET,
        "GITHUB_REPOSITORY": "orchard/shop", "REPOSITORY_URL": str(folder / "nowhere.git"),
        "DEPLOY_TRANSPORT": "local", "STAGING_PORT": "8001", "PRODUCTION_PORT": "8002",
        "STATE_DIRECTORY": str(folder / "state"),
        "AUDIT_LOG_PATH": str(folder / "audit.log"), "API_SERVER_PORT": str(port)}
    found.update(more)
    return {name: value for name, value in found.items() if value is not None}


def write_env(folder, text, mode=0o600, name=".env"):
    path = folder / name
    fresh = folder / (name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(mode)
    fresh.replace(path)
    return path


def lines_of(settings):
    return "".join(f"{k}={v}\n" for k, v in settings.items())


STARTED = []


def bare(folder, wrapper=(), **more):
    STARTED.append(Deploybot(folder, bare_settings(folder, **more), wrapper=wrapper))
    return STARTED[-1]


@atexit.register
def stop_what_failed_tests_left():
    for bot in STARTED:
        if bot.process is not None and bot.process.poll() is None:
            bot.kill()


def is_sanitized(bot):
    """A sanitizer's shadow memory makes sizes meaningless."""
    return b"__asan_init" in (bot.build / "deploybot").read_bytes()


def processes_in(folder):
    """What runs there: its folder is there, or a word of its command line is."""
    found = []
    for process in pathlib.Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().decode("utf-8", "replace")
            if os.readlink(process / "cwd").startswith(str(folder)) or str(folder) in words:
                found.append(words.replace("\0", " "))
        except OSError:
            continue    # no process, one that is gone, or nobody's business
    return found


def check_stop(bot, wanted=0):
    status = bot.stop()
    log = bot.log()
    assert status == wanted, f"ended with {status}:\n{log[-4000:]}"
    for word in ("AddressSanitizer", "runtime error:", "LeakSanitizer", "Assertion"):
        assert word not in log, log[-8000:]


def sign(body, secret=GITHUB_SECRET):
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class Answer:
    def __init__(self, raw):
        head, _, self.body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        self.raw = raw
        self.status = int(lines[0].split()[1]) if lines[0].startswith("HTTP/1.") else 0
        self.headers = {k.lower(): v.strip() for k, _, v in (x.partition(":") for x in lines[1:])}

    def __repr__(self):
        return f"Answer({self.raw[:300]!r})"


def connect(bot, timeout=WAIT_S):
    return socket.create_connection(("127.0.0.1", bot.port), timeout)


def receive(conn, has_body=True):
    """One answer, or what came until the other end closed."""
    raw = b""
    while True:
        try:
            piece = conn.recv(65536)
        except ConnectionError:
            break
        if not piece:
            break
        raw += piece
        head, end, body = raw.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
        if end and length and (not has_body or len(body) >= int(length.group(1))):
            break
    return Answer(raw)


def send_raw(bot, request, has_body=True):
    """Sends these bytes; what is answered.  Status 0: the connection was closed without a word."""
    with connect(bot) as conn:
        try:
            conn.sendall(request)
        except ConnectionError:
            pass    # refused before it was read whole
        return receive(conn, has_body)


def request(bot, method, path, body=b"", headers=None, length=True):
    fields = {"Host": "localhost", **(headers or {})}
    if length and method not in ("GET", "HEAD"):
        fields.setdefault("Content-Length", str(len(body)))
    head = "".join(f"{k}: {v}\r\n" for k, v in fields.items() if v is not None)
    return send_raw(bot, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body,
                    has_body=method != "HEAD")


def github_headers(body, event="push", guid="0", **more):
    return {"Content-Type": "application/json", "X-GitHub-Event": event,
            "X-GitHub-Delivery": guid, "X-Hub-Signature-256": sign(body),
            **{k.replace("_", "-"): v for k, v in more.items()}}


def telegram_headers(**more):
    return {"Content-Type": "application/json",
            "X-Telegram-Bot-Api-Secret-Token": WEBHOOK_SECRET,
            **{k.replace("_", "-"): v for k, v in more.items()}}


def post_github(bot, body, **headers):
    return request(bot, "POST", "/github/webhook", body, github_headers(body, **headers))


def post_telegram(bot, body, **headers):
    return request(bot, "POST", "/telegram/webhook", body, telegram_headers(**headers))


def wait_audit(bot, n=1, **wanted):
    return wait_until(lambda: len(bot.audit(**wanted)) >= n and bot.audit(**wanted),
                      WAIT_S, f"{n} audit entries {wanted}")


def metric(bot, name, **labels):
    total = 0.0
    for line in bot.metrics().splitlines():
        match = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if match and match.group(1) == name and all(
                f'{k}="{v}"' in (match.group(2) or "") for k, v in labels.items()):
            total += float(match.group(3))
    return total


def resident_kb(pid, what="VmRSS"):
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(re.search(rf"^{what}:\s+(\d+)", status, re.M).group(1))


def elapsed(since):
    return time.monotonic() - since
