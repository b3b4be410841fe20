"""mini_app.py - what Telegram does of a Mini App: signs who has opened it, and shows it in a window of its own, where
frame-ancestors names web.telegram.org: here that is the chat page."""
# SPDX-License-Identifier: ISC
import asyncio
import hmac
import json
import re
import time
import urllib.parse

import aiohttp
from aiohttp import web

ASKED = ("Authorization", "Content-Type", "If-None-Match", "Prefer")
ANSWERED = ("Cache-Control", "Content-Encoding", "Content-Security-Policy", "Content-Type", "ETag", "Retry-After")


def init_data(token, user, **more):
    """The string tgWebAppData: signed with the bot's token, as the page's server must find it."""
    pairs = {"query_id": "AAE", "auth_date": str(int(time.time())), **more, "user": json.dumps(user)}
    secret = hmac.new(b"WebAppData", token.encode(), "sha256").digest()
    checked = "\n".join(f"{name}={pairs[name]}" for name in sorted(pairs))
    pairs["hash"] = hmac.new(secret, checked.encode(), "sha256").hexdigest()
    return urllib.parse.urlencode(pairs, quote_via=urllib.parse.quote)


def fragment(token, user, start=None):
    """Behind the # of the address that is opened."""
    more = {"start_param": start} if start else {}
    return "#" + urllib.parse.urlencode({"tgWebAppData": init_data(token, user, **more), "tgWebAppVersion": "8.0",
                                         "tgWebAppPlatform": "ios"}, quote_via=urllib.parse.quote)


class Window:
    """The bot's server behind its public address, of which /console/ and /v1/ are reached through us."""

    def __init__(self, base):
        self.base, self.session = base.rstrip("/"), None

    def routes(self):
        return [web.route("*", "/console/{tail:.*}", self.hand_on), web.route("*", "/v1/{tail:.*}", self.hand_on)]

    async def hand_on(self, request):
        if self.session is None:
            self.session = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=30))
        headers = {name: request.headers[name] for name in ASKED if name in request.headers}
        try:
            async with self.session.request(request.method, self.base + request.path, data=await request.read(),
                                            headers=headers) as answer:
                kept = {name: answer.headers[name] for name in ANSWERED if name in answer.headers}
                if policy := kept.get("Content-Security-Policy"):
                    kept["Content-Security-Policy"] = re.sub("frame-ancestors [^;]*", "frame-ancestors 'self'", policy)
                return web.Response(status=answer.status, body=await answer.read(), headers=kept)
        except (aiohttp.ClientError, asyncio.TimeoutError):
            return web.Response(status=502)

    async def close(self):
        if self.session is not None:
            await self.session.close()
