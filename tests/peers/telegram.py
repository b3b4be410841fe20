#!/usr/bin/python3
"""telegram.py - a strict stand-in for the Telegram Bot API server, with a chat page to look at.

    /bot<token>/<method>   the Bot API: refuses what the real server refuses, with its words
    /                      the chat page
    /sim/…                 what people do in the chats, for the page and for tests

Strict by default (https webhooks on 443, 80, 88, 8443, public addresses); --local behaves as the
real server's --local mode (http, any port, loopback). Listens on loopback only by default.
"""
# SPDX-License-Identifier: ISC
import argparse
import asyncio
import base64
import collections
import json
import pathlib
import re
import time
import urllib.parse

import aiohttp
from aiohttp import web

import mini_app
import peer_process
from telegram_api import Limits, Methods, integer
from telegram_webhook import Webhook
from telegram_world import Refused, World

DEFAULT_TOKEN = "7000000001:AAF-demo_token_of_the_stand-in_0123456789"
POLL_TIMEOUT_MAX_S = 50
BODY_BYTES_MAX = 60 << 20
ONLINE_S = 5
CALLS_KEPT = 20000
PAGE_POLICY = ("default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; "
               "base-uri 'none'; form-action 'self'")
PAGE = pathlib.Path(__file__).parent / "page"
EMOJI = pathlib.Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf")    # for a browser that has none
UNPLUGGED = 1 << 30     # calls
ADA, CARL, MALLORY, BEA = 424242001, 424242002, 424242003, 424242004
GROUP = -1001700000001
NOT_UTF8 = Refused(400, "Bad Request: strings must be encoded in UTF-8")
CONFLICT_WEBHOOK = ("Conflict: can't use getUpdates method while webhook is active; use "
                    "deleteWebhook to delete the webhook first")
CONFLICT_POLLER = ("Conflict: terminated by other getUpdates request; make sure that only one "
                   "bot instance is running")
CONFLICT_SET = "Conflict: terminated by setWebhook request"


def demo_world(world):
    """Who lives in the demo: two admins, a contractor for staging, a stranger, a team's group."""
    world.add_user(ADA, "Ada", "ada_ops", title="admin")
    world.add_user(CARL, "Carl", "carl_contractor", title="staging only")
    world.add_user(MALLORY, "Mallory", "mallory", title="stranger")
    world.add_user(BEA, "Bea", "bea", title="admin")
    world.add_chat(GROUP, "Release room", forum=True, members=(CARL, MALLORY, BEA), admins=(ADA,),
                   topics=("Staging", "Production"))


def decode(value):
    """A string parameter of the Bot API: UTF-8 without NUL."""
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise NOT_UTF8 from None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise NOT_UTF8 from None
    if "\0" in value:
        raise NOT_UTF8
    return value


def parse_form(raw):
    pairs = {}
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.partition(b"=")
            pairs[decode(urllib.parse.unquote_to_bytes(name.replace(b"+", b" ")))] = decode(
                urllib.parse.unquote_to_bytes(value.replace(b"+", b" ")))
    return pairs


def parse_json_body(raw):
    if not raw.strip():
        return {}
    try:
        value = json.loads(decode(raw))
    except (ValueError, RecursionError):
        raise Refused(400, "Bad Request: can't parse JSON object") from None
    if not isinstance(value, dict):
        raise Refused(400, "Bad Request: expected a JSON object")
    found = {}
    for name, item in value.items():
        if item is not None:
            text = item if isinstance(item, str) else json.dumps(item, ensure_ascii=False)
            found[decode(name)] = decode(text)
    return found


async def parse_multipart(request):
    found = {}
    async for part in await request.multipart():
        content = bytes(await part.read(decode=False))
        if part.filename is not None:
            found[part.name] = {"name": decode(part.filename), "content": content,
                                "type": part.headers.get("Content-Type",
                                                         "application/octet-stream")}
        else:
            found[part.name] = decode(content)
    return found


async def read_arguments(request):
    """The parameters of a Bot API request, wherever they stand."""
    arguments = parse_form(request.rel_url.raw_query_string.encode())
    if request.method == "POST":
        if request.content_type == "application/json":
            arguments.update(parse_json_body(await request.read()))
        elif request.content_type == "application/x-www-form-urlencoded":
            arguments.update(parse_form(await request.read()))
        elif request.content_type == "multipart/form-data":
            arguments.update(await parse_multipart(request))
    return arguments


class Server:
    def __init__(self, options):
        self.options = options
        self.started = time.time()
        self.world = World(options.token, options.username, options.name, options.speed)
        self.limits = Limits()
        if options.limits == "off":
            self.limits.configure(chat_rate=None, group_minute=None, overall=None)
        self.methods = Methods(self.world, self.limits)
        redirects = dict(parse_redirect(text) for text in options.resolve)
        self.webhook = Webhook(self.world, options.local, redirects, self.execute_quietly)
        self.faults = []
        self.calls = collections.deque(maxlen=CALLS_KEPT)
        self.executed = []
        self.poll = None
        self.last_poll = (None, float("-inf"))
        self.next_conflict = 0.0
        self.panel = None
        if options.world == "demo":
            demo_world(self.world)

    # --- the Bot API ---

    async def bot_api(self, request):
        match = re.fullmatch(r"bot([^/]*)/([A-Za-z0-9_]+)/?", request.match_info["tail"])
        if not match:
            return self.failure(Refused(404, "Not Found"))
        token, method = match.group(1), match.group(2)
        began = time.monotonic()
        call = {"method": method, "at": time.time(), "arguments": {}, "status": None}
        self.calls.append(call)
        try:
            self.check_token(token)
            arguments = await read_arguments(request)
            call["arguments"] = {k: v if isinstance(v, str) else f"<{len(v['content'])} bytes>"
                                 for k, v in arguments.items()}
            response = await self.with_faults(method.lower(), arguments, request)
        except Refused as refusal:
            call["description"] = refusal.description
            response = self.failure(refusal)
        except web.HTTPRequestEntityTooLarge:
            response = self.failure(Refused(413, "Request Entity Too Large"))
        call["status"] = response.status
        call["seconds"] = round(time.monotonic() - began, 4)
        if method.lower() != "getupdates":
            self.world.tell("call", method=method, status=response.status)
        return response

    def check_token(self, token):
        if not re.fullmatch(r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]{3,70}", token):
            raise Refused(404, "Not Found")
        if token != self.world.token or self.world.revoked:
            raise Refused(401, "Unauthorized")

    async def with_faults(self, method, arguments, request):
        """Runs a method, unless the next fault that was asked for hits it."""
        fault = next((f for f in self.faults if f["method"] in (method, "*")
                      and str(arguments.get("chat_id")) == str(f.get("chat_id", arguments.get("chat_id")))), None)
        if fault is None:
            return await self.run(method, arguments)
        fault["times"] -= 1
        if fault["times"] <= 0:
            self.faults.remove(fault)
        if fault.get("execute"):
            await self.run(method, arguments)
        if fault.get("hang"):
            await asyncio.sleep(fault["hang"])
        if fault.get("close"):
            request.transport.abort()
            return web.Response(status=499)
        if fault.get("raw") is not None:
            return web.Response(status=fault.get("status", 200), body=fault["raw"].encode(),
                                content_type=fault.get("content_type", "text/html"))
        if "status" not in fault:
            return await self.run(method, arguments)
        parameters = {k: fault[k] for k in ("retry_after", "migrate_to_chat_id") if k in fault}
        raise Refused(fault["status"], fault.get("description", "Internal Server Error"),
                      **parameters)

    async def run(self, method, arguments):
        if method == "getupdates":
            return self.success(await self.get_updates(arguments))
        if method in ("setwebhook", "deletewebhook"):
            return self.set_webhook(method, arguments)
        if method == "getwebhookinfo":
            info = self.webhook.info()
            info["allowed_updates"] = sorted(self.world.allowed_updates)
            return self.success(info)
        found = self.methods.find(method)
        if not found:
            raise Refused(404, "Not Found: method not found")
        return self.success(found(arguments))

    def execute_quietly(self, method, arguments):
        """A method in the body of a webhook's answer: nobody learns its result."""
        self.executed.append({"method": method, "arguments": arguments})
        found = self.methods.find(method)
        try:
            if found:
                found(arguments)
        except Refused:
            pass

    def set_webhook(self, method, arguments):
        if method == "setwebhook":
            changed, sentence = self.webhook.set(arguments)
        else:
            changed, sentence = self.webhook.delete(arguments)
        if method == "setwebhook" and arguments.get("url"):
            self.methods.update_allowed(arguments)
        if changed and arguments.get("drop_pending_updates", "").lower() in ("1", "true", "yes"):
            self.world.updates.clear()
        if changed and self.poll:
            self.poll.set_exception(Refused(409, CONFLICT_SET))
            self.poll = None
        return web.json_response({"ok": True, "result": True, "description": sentence})

    async def get_updates(self, arguments):
        if self.webhook.url:
            await self.conflict(CONFLICT_WEBHOOK)
        offset = integer(arguments, "offset")
        limit = integer(arguments, "limit", 100, 1, 100)
        timeout = integer(arguments, "timeout", 0, 0, POLL_TIMEOUT_MAX_S)
        self.methods.update_allowed(arguments)
        now = time.monotonic()
        before, at = self.last_poll
        if offset == before and timeout < 3 and now < at + 3:
            timeout = 3
        if offset == before and now < at + 0.5:
            limit = 1
        self.last_poll = (offset, now)
        if self.poll:
            self.poll.set_exception(Refused(409, CONFLICT_POLLER))
        self.poll = None
        self.forget_before(offset)
        found = self.pending(limit)
        if found or timeout == 0:
            return found
        return await self.wait_for_updates(limit, now + timeout)

    async def wait_for_updates(self, limit, deadline):
        ended = asyncio.get_running_loop().create_future()
        ended.add_done_callback(lambda future: future.cancelled() or future.exception())
        self.poll = ended
        try:
            while True:
                found = self.pending(limit)
                left = deadline - time.monotonic()
                if found or left <= 0:
                    return found
                changed = asyncio.ensure_future(self.world.changed.wait())
                await asyncio.wait({ended, changed}, timeout=left,
                                   return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                if ended.done():
                    await self.conflict(ended.exception().description)
        finally:
            if self.poll is ended:
                self.poll = None

    def forget_before(self, offset):
        updates = self.world.updates
        self.world.drop_expired()
        if offset < 0:
            offset = (sorted(updates)[offset:] or [0])[0]
        for update_id in [key for key in updates if key < offset]:
            del updates[update_id]

    def pending(self, limit):
        ids = sorted(self.world.updates)[:limit]
        return [self.world.updates[update_id]["json"] for update_id in ids]

    def online(self):
        """Does somebody listen for this bot's updates?"""
        if self.webhook.url:
            return self.webhook.error is None
        return self.poll is not None or time.monotonic() < self.last_poll[1] + ONLINE_S

    async def conflict(self, text):
        """409, delayed for three seconds when it comes again soon, as the service does."""
        now = time.monotonic()
        if now < self.next_conflict:
            await asyncio.sleep(3 / self.world.speed)
        else:
            self.next_conflict = now + 3 / self.world.speed
        raise Refused(409, text)

    @staticmethod
    def success(result):
        return web.json_response({"ok": True, "result": result},
                                 dumps=lambda v: json.dumps(v, ensure_ascii=False))

    @staticmethod
    def failure(refusal):
        answer = {"ok": False, "error_code": refusal.code, "description": refusal.description}
        headers = {}
        if refusal.parameters:
            answer["parameters"] = refusal.parameters
        if "retry_after" in refusal.parameters:
            headers["Retry-After"] = str(refusal.parameters["retry_after"])
        return web.json_response(answer, status=refusal.code, headers=headers)

    async def download(self, request):
        self.check_token(request.match_info["token"])
        return self.file_response(self.world.paths.get(request.match_info["path"]))

    def file_response(self, file_id):
        kept = self.world.files.get(file_id)
        if kept is None:
            raise web.HTTPNotFound()
        name = urllib.parse.quote(kept["name"])
        return web.Response(body=kept["content"], headers={
            "Content-Type": kept["mime_type"],
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}"})


# --- /sim: what the page and the tests do ---

class Simulation:
    """The control routes. Each action is a method; its JSON body gives the arguments."""

    def __init__(self, server):
        self.server = server
        self.world = server.world

    def routes(self):
        return [web.get("/sim/state", self.state), web.get("/sim/messages", self.messages),
                web.get("/sim/events", self.events), web.get("/sim/stream", self.stream),
                web.get("/sim/calls", self.calls), web.get("/sim/deliveries", self.deliveries),
                web.get("/sim/files/{file_id}", self.file),
                web.route("*", "/sim/panel/{tail:.*}", self.proxy_panel),
                web.route("*", "/sim/elsewhere/{tail:.*}", self.proxy_elsewhere),
                web.post("/sim/{action}", self.act)]

    async def act(self, request):
        if request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType()
        action = getattr(self, "act_" + request.match_info["action"].replace("-", "_"), None)
        if action is None:
            raise web.HTTPNotFound()
        try:
            result = action(**await request.json())
            if asyncio.iscoroutine(result):
                result = await result
        except Refused as refusal:
            return web.json_response({"error": refusal.description}, status=400)
        except (KeyError, TypeError, ValueError) as error:
            return web.json_response({"error": f"{type(error).__name__}: {error}"}, status=400)
        return web.json_response(result if result is not None else {})

    def act_users(self, user_id, first_name, username=None, is_bot=False, started=True,
                  title=None):
        return self.world.add_user(user_id, first_name, username, is_bot=is_bot,
                                   started=started, title=title)

    def act_chats(self, chat_id, title, kind="supergroup", forum=False, members=(), admins=(),
                  topics=(), bot="member"):
        chat = self.world.add_chat(chat_id, title, kind, forum, members, admins, topics, bot)
        return {"chat": chat, "topics": list(self.world.chats[chat_id]["topics"].values())}

    def act_topics(self, chat_id, name):
        return {"message_thread_id": self.world.add_topic(chat_id, name)}

    def act_delete_topic(self, chat_id, message_thread_id):
        del self.world.chats[chat_id]["topics"][message_thread_id]
        self.world.tell("topic", chat_id=chat_id, thread_id=message_thread_id)

    def act_say(self, user_id, chat_id, text, **options):
        return self.world.view(self.world.say(user_id, chat_id, text, **options))

    def act_send(self, user_id, chat_id, name, content, **options):
        return self.world.view(self.world.send(user_id, chat_id, name, base64.b64decode(content), **options))

    def act_web_app(self, user_id, start=None):
        """A person opens the Mini App of their chat's menu: the address, which says who they are."""
        if self.server.options.console_url is None or user_id not in self.world.menu_buttons:
            raise ValueError("no Mini App is served here")
        user = self.world.users[user_id]["user"]
        return {"url": "/console/" + mini_app.fragment(self.world.token, user, start)}

    def act_edit(self, user_id, chat_id, message_id, text):
        return self.world.view(self.world.user_edits(user_id, chat_id, message_id, text))

    def act_delete(self, chat_id, message_id):
        entry = self.world.chats[chat_id]
        self.world.delete(entry, entry["messages"][message_id])

    async def act_press(self, user_id, chat_id, message_id, button=None, data=None, wait=0,
                        inaccessible=False):
        """Presses the button with this text; or sends `data`, as a forged client could."""
        if data is None:
            data = self.button_data(chat_id, message_id, button)
        query_id = self.world.press(user_id, chat_id, message_id, data, inaccessible)
        deadline = time.monotonic() + wait
        while self.world.callbacks[query_id]["answer"] is None and time.monotonic() < deadline:
            await self.world.wait_for_events(len(self.world.events),
                                             deadline - time.monotonic())
        return {"query_id": query_id, "answer": self.world.callbacks[query_id]["answer"]}

    def button_data(self, chat_id, message_id, text):
        message = self.world.chats[chat_id]["messages"][message_id]["message"]
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        for button in (button for row in rows for button in row):
            if button["text"] == text and "callback_data" in button:
                return button["callback_data"]
        texts = [button["text"] for row in rows for button in row]
        raise ValueError(f"message {message_id} has no button {text!r}, only {texts}")

    def act_inject(self, kind, body, queue, life=86400, force=False):
        """Any update at all, also one the bot did not ask for when forced."""
        allowed = self.world.allowed_updates
        if force:
            self.world.allowed_updates = allowed | {kind}
        update_id = self.world.add_update(kind, body, queue, time.time() + life)
        self.world.allowed_updates = allowed
        return {"update_id": update_id}

    def act_repeat(self, update_id, kind, body, queue):
        """Delivers an update a second time under the id it had, as a lost answer would."""
        update = {"id": update_id, "queue": queue, "expires_at": time.time() + 86400,
                  "kind": kind, "json": {"update_id": update_id, kind: body}, "delay": 1,
                  "fails": 0, "next_at": 0.0}
        self.world.updates[update_id] = update
        self.world.on_update(update)

    def act_faults(self, method="*", times=1, **fault):
        self.server.faults.append({"method": method.lower(), "times": times, **fault})

    def act_clear_faults(self):
        self.server.faults.clear()

    def act_unplug(self, seconds=20):
        """For so long nobody answers the bot: each connection is closed."""
        fault = {"method": "*", "times": UNPLUGGED, "close": True}
        self.server.faults.append(fault)
        asyncio.get_running_loop().call_later(min(float(seconds), 600), self.plug_in, fault)

    def plug_in(self, fault):
        if fault in self.server.faults:
            self.server.faults.remove(fault)

    def act_limits(self, **values):
        self.server.limits.configure(**values)
        return self.server.limits.describe()

    def act_block(self, user_id, blocked=True):
        self.world.set_blocked(user_id, blocked)

    def act_bot_status(self, chat_id, by_user_id, status, may_pin=True):
        self.world.chats[chat_id]["bot_may_pin"] = may_pin
        self.world.set_bot_status(chat_id, by_user_id, status)

    def act_migrate(self, chat_id, new_id):
        return self.world.migrate(chat_id, new_id)

    def act_privacy(self, on):
        self.world.privacy = on

    def act_main_app(self, on):
        self.world.has_main_app = on

    def act_revoke(self, revoked=True):
        self.world.revoked = revoked

    # --- reading ---

    async def state(self, _):
        world = self.world
        return web.json_response({
            "started": self.server.started, "bot": world.bot, "seq": len(world.events),
            "users": [{**u["user"], "title": u["title"], "blocked": u["blocked"]}
                      for u in world.users.values()],
            "chats": [{**c["chat"], "members": sorted(c["members"]), "bot": c["bot"],
                       "admins": sorted(c["admins"]), "migrated_to": c["migrated_to"],
                       "pinned": c["pinned"], "menu_button": world.menu_buttons.get(c["chat"]["id"]),
                       "topics": list(c["topics"].values())} for c in world.chats.values()],
            "commands": world.commands, "webhook": self.server.webhook.info(),
            "pending": len(world.updates), "allowed_updates": sorted(world.allowed_updates),
            "limits": self.server.limits.describe(), "executed": self.server.executed,
            "polling": self.server.poll is not None, "online": self.server.online(),
            "panel": bool(self.server.options.panel_url),
            "elsewhere": bool(self.server.options.elsewhere_url)})

    async def messages(self, request):
        chat_id = int(request.query["chat"])
        if chat_id not in self.world.chats:
            raise web.HTTPNotFound()
        records = self.world.chats[chat_id]["messages"].values()
        history = "history" in request.query
        return web.json_response([
            {**self.world.view(record), **({"history": record["history"]} if history else {})}
            for record in records])

    async def events(self, request):
        found = await self.world.wait_for_events(int(request.query.get("after", 0)),
                                                 float(request.query.get("timeout", 0)))
        return web.json_response(found)

    async def stream(self, request):
        """Server-sent events for the page; a comment every few seconds shows we are there."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream",
                                               "Cache-Control": "no-store"})
        await response.prepare(request)
        after = int(request.headers.get("Last-Event-ID") or request.query.get("after", 0))
        try:
            while True:
                found = await self.world.wait_for_events(after, 5)
                text = "".join(f"id: {event['seq']}\ndata: {json.dumps(event)}\n\n"
                               for event in found)
                await response.write((text or ": still here\n\n").encode())
                after += len(found)
        except (ConnectionError, asyncio.CancelledError):
            return response

    async def calls(self, request):
        wanted = request.query.get("method", "").lower()
        return web.json_response([call for call in self.server.calls
                                  if not wanted or call["method"].lower() == wanted])

    async def deliveries(self, _):
        return web.json_response(self.server.webhook.deliveries)

    async def file(self, request):
        return self.server.file_response(request.match_info["file_id"])

    async def proxy_panel(self, request):
        return await self.proxy(request, self.server.options.panel_url)

    async def proxy_elsewhere(self, request):
        return await self.proxy(request, self.server.options.elsewhere_url)

    async def proxy(self, request, base):
        """What is beside the chat on the page belongs to another process: hand its requests on."""
        if not base:
            return web.json_response({"available": False}, status=404)
        if request.method == "POST" and request.content_type != "application/json":
            raise web.HTTPUnsupportedMediaType()
        url = f"{base.rstrip('/')}/{request.match_info['tail']}"
        if self.server.panel is None:
            timeout = aiohttp.ClientTimeout(total=30)
            self.server.panel = aiohttp.ClientSession(timeout=timeout)
        try:
            async with self.server.panel.request(
                    request.method, url, params=request.query, data=await request.read(),
                    headers={"Content-Type": request.content_type}) as answer:
                return web.Response(status=answer.status, body=await answer.read(),
                                    headers={"Content-Type": answer.headers.get(
                                        "Content-Type", "application/octet-stream")})
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            return web.json_response({"available": False, "error": str(error)}, status=502)


def parse_redirect(text):
    """`name:443=127.0.0.1:8443` → (("name", 443), ("127.0.0.1", 8443))"""
    source, _, target = text.partition("=")
    host, _, port = source.rpartition(":")
    host_to, _, port_to = target.rpartition(":")
    return (host, int(port)), (host_to, int(port_to))


async def page_file(request):
    name = request.match_info.get("name") or "index.html"
    path = EMOJI if name == "emoji.ttf" else PAGE / name
    if "/" in name or not path.is_file():
        raise web.HTTPNotFound()
    return web.FileResponse(path, headers={"Cache-Control": "no-cache",
                                           "Content-Security-Policy": PAGE_POLICY})


LOOPBACK_NAMES = {"127.0.0.1", "localhost", "::1"}


def own_names_only(host):
    """Refuses pages of other sites that reach us by a name of theirs (DNS rebinding)."""
    @web.middleware
    async def check(request, handler):
        name = urllib.parse.urlsplit(f"//{request.headers.get('Host', '')}").hostname
        ours = name in LOOPBACK_NAMES | {host}
        if not ours and not request.path.startswith(("/bot", "/file/bot")):
            raise web.HTTPMisdirectedRequest()
        return await handler(request)
    return check


def make_app(options):
    server = Server(options)
    app = web.Application(client_max_size=BODY_BYTES_MAX,
                          middlewares=[own_names_only(options.host)])
    app.add_routes(Simulation(server).routes())
    app.add_routes([
        web.get("/", page_file), web.get("/page/{name}", page_file),
        web.get("/file/bot{token:[^/]+}/{path:.+}", server.download),
        web.get("/{tail:bot.*}", server.bot_api), web.post("/{tail:bot.*}", server.bot_api)])

    window = mini_app.Window(options.console_url or "")
    if options.console_url:
        app.add_routes(window.routes())

    async def close(_):
        server.webhook.stop()
        await window.close()
        if server.panel:
            await server.panel.close()
    app.on_shutdown.append(close)
    return app


def parse_options(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    peer_process.add_arguments(parser)
    parser.add_argument("--token", default=DEFAULT_TOKEN)
    parser.add_argument("--username", default="deploy_demo_bot")
    parser.add_argument("--name", default="Deploy Bot")
    parser.add_argument("--local", action="store_true",
                        help="as the real server's --local: http, any port, loopback webhooks")
    parser.add_argument("--world", choices=("demo", "empty"), default="demo")
    parser.add_argument("--limits", choices=("on", "off"), default="on")
    parser.add_argument("--speed", type=float, default=1.0,
                        help="divides retry delays and the life of a button press")
    parser.add_argument("--resolve", action="append", default=[], metavar="NAME:PORT=HOST:PORT",
                        help="where a public webhook name is found, in strict mode")
    parser.add_argument("--panel-url", help="the repository panel of the page is asked here")
    parser.add_argument("--console-url", help="the bot's own server, whose /console/ is a Mini App")
    parser.add_argument("--elsewhere-url", help="what is notified besides the chat is asked here")
    return parser.parse_args(arguments)


async def main():
    options = parse_options()
    await peer_process.serve(make_app(options), "telegram stand-in", options.host, options.port,
                             options.port_file)


if __name__ == "__main__":
    peer_process.die_with_parent()
    asyncio.run(main())
