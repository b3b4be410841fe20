"""How the Bot API server delivers updates to a webhook: queues, order, retries, expiry.

One queue for each chat and one for each person who presses buttons; only the head of a queue is
sent, so an update that is refused holds back all behind it until it succeeds or expires. The
delays are those of WebhookActor.cpp: at once after the first failure, then 2, 4, 8 … seconds up
to 60–120, or what Retry-After says; `speed` divides them.
"""
# SPDX-License-Identifier: ISC
import asyncio
import ipaddress
import json
import random
import re
import socket
import ssl
import time
import urllib.parse

import aiohttp
from aiohttp.abc import AbstractResolver

from telegram_world import Refused, bad_request

PORTS = (443, 80, 88, 8443)
RESEND_MAX_S = 60
READ_TIMEOUT_S = 60
RETRY_AFTER_MAX_S = 3600
ANSWER_BYTES_MAX = 1 << 20


class Resolver(AbstractResolver):
    """Sends what goes to a public name to the loopback port a test named for it."""

    def __init__(self, redirects):
        self.redirects = redirects

    async def resolve(self, host, port=0, family=socket.AF_INET):
        host_to, port_to = self.redirects.get((host, port), (host, port))
        address = socket.gethostbyname(host_to)
        return [{"hostname": host, "host": address, "port": port_to, "family": socket.AF_INET,
                 "proto": 0, "flags": socket.AI_NUMERICHOST}]

    async def close(self):
        pass


class Webhook:
    def __init__(self, world, local, redirects, execute):
        self.world = world
        self.local = local
        self.redirects = redirects
        self.execute = execute
        self.url = ""
        self.secret = ""
        self.max_connections = 40
        self.ip_address = ""
        self.certificate = None
        self.error = None
        self.tasks = {}
        self.deliveries = []
        self.set_at = None
        self.session = None
        self.room = None
        world.on_update = self.wake

    # --- setWebhook and its kin ---

    def check_url(self, url, ip_address):
        """Returns the URL as it is used, or refuses it as the service would."""
        if "://" not in url:
            url = "https://" + url
        parts = urllib.parse.urlsplit(url)
        try:
            port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise bad_request("invalid webhook URL specified") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise bad_request("invalid webhook URL specified")
        if self.local:
            return url
        if parts.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if port not in PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 "
                              "or 8443")
        if (parts.hostname, port) not in self.redirects:
            self.check_address(ip_address or self.look_up(parts.hostname))
        return url

    @staticmethod
    def look_up(host):
        try:
            return socket.gethostbyname(host)
        except OSError as error:
            raise bad_request("bad webhook: Failed to resolve host: "
                              f"{error.strerror or error}") from None

    @staticmethod
    def check_address(text):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            raise bad_request("bad webhook: Invalid IP address specified") from None
        if address.version != 4:
            raise bad_request("bad webhook: IPv6-only addresses are not allowed")
        if not address.is_global:
            raise bad_request(f"bad webhook: IP address {address} is reserved")

    def set(self, arguments):
        """setWebhook with its checks. Returns (changed, sentence)."""
        url = arguments.get("url", "")
        if not url:
            return self.delete(arguments)
        now = time.monotonic()
        if self.set_at is not None and now - self.set_at < 1 / self.world.speed:
            raise Refused(429, "Too Many Requests: retry after 1", retry_after=1)
        self.set_at = now
        secret = arguments.get("secret_token", "")
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad_request("secret token contains unallowed characters")
        ip_address = arguments.get("ip_address", "")
        url = self.check_url(url, ip_address)
        certificate = arguments.get("certificate")
        if isinstance(certificate, dict) and len(certificate["content"]) > 3 << 20:
            raise bad_request("certificate size is too big "
                              f"({len(certificate['content'])} bytes)")
        most = 100000 if self.local else 100
        connections = min(max(int(arguments.get("max_connections") or 40), 1), most)
        wanted = (url, secret, connections, ip_address)
        if (wanted == (self.url, self.secret, self.max_connections, self.ip_address)
                and not certificate and not self.certificate):
            return False, "Webhook is already set"
        self.stop()
        self.url, self.secret, self.max_connections, self.ip_address = wanted
        self.certificate = certificate["content"] if isinstance(certificate, dict) else None
        self.error = None
        self.start()
        return True, "Webhook was set"

    def delete(self, _):
        if not self.url:
            return False, "Webhook is already deleted"
        self.stop()
        self.url, self.secret, self.ip_address, self.error = "", "", "", None
        self.certificate = None
        return True, "Webhook was deleted"

    def info(self):
        known = {"url": self.url, "has_custom_certificate": self.certificate is not None,
                 "pending_update_count": len(self.world.updates)}
        if self.url:
            known["max_connections"] = self.max_connections
            known["ip_address"] = self.ip_address or "127.0.0.1"
        if self.error:
            known["last_error_date"], known["last_error_message"] = self.error
        return known

    # --- delivery ---

    def start(self):
        context = None
        if self.url.startswith("https:"):
            context = ssl.create_default_context()
            if self.certificate:
                context = ssl.create_default_context(cadata=self.certificate.decode("ascii"))
        connector = aiohttp.TCPConnector(resolver=Resolver(self.redirects), ssl=context,
                                         limit=self.max_connections)
        timeout = aiohttp.ClientTimeout(total=READ_TIMEOUT_S / self.world.speed)
        self.session = aiohttp.ClientSession(
            connector=connector, timeout=timeout, auto_decompress=True,
            skip_auto_headers=("User-Agent", "Accept"), cookie_jar=aiohttp.DummyCookieJar())
        self.room = asyncio.Semaphore(self.max_connections)
        for update in list(self.world.updates.values()):
            self.wake(update)

    def stop(self):
        for task in self.tasks.values():
            task.cancel()
        self.tasks = {}
        if self.session:
            asyncio.get_running_loop().create_task(self.session.close())
            self.session = None

    def wake(self, update):
        queue = update["queue"]
        if self.url and self.session and queue not in self.tasks:
            task = asyncio.get_running_loop().create_task(self.run_queue(queue))
            self.tasks[queue] = task

    def head(self, queue):
        self.world.drop_expired()
        ids = [key for key, update in self.world.updates.items() if update["queue"] == queue]
        return self.world.updates[min(ids)] if ids else None

    async def run_queue(self, queue):
        """Delivers one queue, head first, until it is empty."""
        while True:
            update = self.head(queue)
            if update is None:
                self.tasks.pop(queue, None)
                return
            wait = update["next_at"] - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
                continue
            async with self.room:
                error, retry_after = await self.deliver(update)
            if error is None:
                self.world.updates.pop(update["id"], None)
            else:
                self.error = (int(time.time()), error)
                self.put_off(update, retry_after)

    async def deliver(self, update):
        """One attempt. Returns (error or None, seconds of Retry-After)."""
        headers = {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"}
        if self.secret:
            headers["X-Telegram-Bot-Api-Secret-Token"] = self.secret
        entry = {"update_id": update["id"], "queue": update["queue"], "at": time.time(),
                 "attempt": update["fails"] + 1, "status": None, "body": "", "error": None}
        self.deliveries.append(entry)
        began = time.monotonic()
        retry_after = 0
        try:
            body = json.dumps(update["json"], ensure_ascii=False).encode()
            async with self.session.post(self.url, data=body, headers=headers,
                                         allow_redirects=False) as answer:
                content = await answer.content.read(ANSWER_BYTES_MAX)
                entry["status"] = answer.status
                entry["body"] = content.decode("utf-8", "replace")
                if 200 <= answer.status <= 299:
                    self.execute_answer(answer, content)
                else:
                    entry["error"] = ("Wrong response from the webhook: "
                                      f"{answer.status} {answer.reason}")
                    after = answer.headers.get("Retry-After", "")
                    retry_after = int(after) if after.isdigit() else 0
        except asyncio.TimeoutError:
            entry["error"] = "Read timeout expired"
        except aiohttp.ClientConnectorCertificateError:
            entry["error"] = ("SSL error {error:0A000086:SSL routines::certificate verify "
                              "failed}")
        except aiohttp.ClientConnectorError as error:
            entry["error"] = error.os_error.strerror or "Connection refused"
        except (aiohttp.ClientError, OSError):
            entry["error"] = "Webhook connection closed"
        entry["seconds"] = round(time.monotonic() - began, 4)
        self.world.tell("delivery", **entry)
        return entry["error"], min(retry_after, RETRY_AFTER_MAX_S)

    def put_off(self, update, retry_after):
        wait = retry_after
        if retry_after == 0 and update["fails"] > 0:
            most = random.randint(RESEND_MAX_S, RESEND_MAX_S * 2)
            update["delay"] = wait = min(most, update["delay"] * 2)
        wait /= self.world.speed
        if time.time() + wait > update["expires_at"]:
            self.world.updates.pop(update["id"], None)
            return
        update["fails"] += 1
        update["next_at"] = time.monotonic() + wait

    def execute_answer(self, answer, content):
        """A body with "method" is a request of the bot, as in the real service."""
        kind = answer.content_type
        arguments = {}
        try:
            if kind == "application/json" and content:
                value = json.loads(content)
                arguments = value if isinstance(value, dict) else {}
            elif kind == "application/x-www-form-urlencoded":
                arguments = dict(urllib.parse.parse_qsl(content.decode()))
        except ValueError:
            return
        method = str(arguments.pop("method", "")).lower()
        refused = ("deletewebhook", "setwebhook", "close", "logout")
        if method and method not in refused and not method.startswith("get"):
            self.execute(method, {key: value if isinstance(value, str) else json.dumps(value)
                                  for key, value in arguments.items()})
