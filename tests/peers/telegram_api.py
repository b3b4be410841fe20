"""The Bot API's methods on the stand-in's world: checks, limits and errors as the real service.

Each method takes the request's parameters (all strings, as the service sees them) and returns
what stands in "result", or raises Refused. Error texts are those of tdlib/telegram-bot-api.
"""
# SPDX-License-Identifier: ISC
import collections
import json
import math
import re
import time

import telegram_html
from telegram_html import utf16_length
from telegram_world import (DEFAULT_UPDATES, KNOWN_UPDATES, Refused, automatic_entities,
                            bad_request)

TEXT_MAX = 4096
CAPTION_MAX = 1024
TEXT_BYTES_MAX = 1 << 15
DOCUMENT_BYTES_MAX = 50 * 1000 * 1000
BUTTONS_MAX = 100
OWN_DELETE_MAX_S = 48 * 3600
SCOPES = {"default", "all_private_chats", "all_group_chats", "all_chat_administrators", "chat",
          "chat_administrators", "chat_member"}


class Limits:
    """Telegram's flood limits: per chat, per group and minute, overall. None switches one off."""

    def __init__(self, chat_rate=1.0, chat_burst=5, group_minute=20, overall=30):
        self.configure(chat_rate=chat_rate, chat_burst=chat_burst, group_minute=group_minute,
                       overall=overall)
        self.refused = 0

    def configure(self, **values):
        for name, value in values.items():
            if name not in ("chat_rate", "chat_burst", "group_minute", "overall"):
                raise ValueError(f"no limit is called {name}")
            setattr(self, name, value)
        self.buckets = {}
        self.sent = collections.defaultdict(collections.deque)

    def describe(self):
        return {"chat_rate": self.chat_rate, "chat_burst": self.chat_burst,
                "group_minute": self.group_minute, "overall": self.overall,
                "refused": self.refused}

    def take(self, chat):
        """Counts one message to a chat; raises 429 with the seconds to wait."""
        now = time.monotonic()
        waits = [self.bucket_wait(chat["id"], now), self.window_wait("all", self.overall, 1, now)]
        if chat["type"] in ("group", "supergroup"):
            waits.append(self.window_wait(chat["id"], self.group_minute, 60, now))
        wait = max(waits)
        if wait > 0:
            self.refused += 1
            seconds = max(1, math.ceil(wait))
            raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        if self.chat_rate:
            tokens, _ = self.buckets[chat["id"]]
            self.buckets[chat["id"]] = (tokens - 1, now)
        for key in ("all", chat["id"]):
            self.sent[key].append(now)

    def bucket_wait(self, key, now):
        if not self.chat_rate:
            return 0
        tokens, at = self.buckets.get(key, (self.chat_burst, now))
        tokens = min(self.chat_burst, tokens + (now - at) * self.chat_rate)
        self.buckets[key] = (tokens, now)
        return 0 if tokens >= 1 else (1 - tokens) / self.chat_rate

    def window_wait(self, key, most, seconds, now):
        sent = self.sent[key]
        while sent and sent[0] <= now - seconds:
            sent.popleft()
        if not most or len(sent) < most:
            return 0
        return sent[-most] + seconds - now


def integer(arguments, name, default=0, low=None, high=None):
    match = re.match(r"\s*(-?[0-9]+)", str(arguments.get(name, "")))
    value = int(match.group(1)) if match else default
    if low is not None:
        value = max(value, low)
    return value if high is None else min(value, high)


def boolean(arguments, name):
    return str(arguments.get(name, "")).lower() in ("1", "true", "yes")


def parse_json(text, error):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise bad_request(error) from None


def trim(text, entities):
    """Cuts white space at both ends, as the service does, and moves the entities with it."""
    stripped = text.strip()
    if stripped == text:
        return text, entities
    lead = utf16_length(text[:len(text) - len(text.lstrip())])
    length = utf16_length(stripped)
    kept = []
    for entity in entities:
        start = max(entity["offset"] - lead, 0)
        end = min(entity["offset"] - lead + entity["length"], length)
        if end > start:
            kept.append({**entity, "offset": start, "length": end - start})
    return stripped, kept


def formatted(arguments, field, most, too_long):
    """The text of a request with its entities, checked."""
    text = arguments.get(field, "")
    if len(text.encode("utf-8", "surrogatepass")) > TEXT_BYTES_MAX:
        raise bad_request("text is too long")
    mode = arguments.get("parse_mode", "").lower()
    entities = []
    if mode == "html":
        try:
            text, entities = telegram_html.parse(text)
        except telegram_html.ParseError as error:
            raise bad_request(f"can't parse entities: {error}") from None
    elif mode in ("markdown", "markdownv2"):
        raise Refused(501, f"Not Implemented: the stand-in has no parse_mode {mode}")
    elif mode not in ("", "none"):
        raise bad_request("unsupported parse_mode")
    text, entities = trim(text, entities)
    if utf16_length(text) > most:
        raise bad_request(too_long)
    entities = entities + automatic_entities(text, entities)
    entities.sort(key=lambda e: (e["offset"], -e["length"]))
    return text, entities


def check_button(button):
    prefix = "can't parse inline keyboard button: "
    if not isinstance(button, dict):
        raise bad_request(prefix + "InlineKeyboardButton must be an Object")
    if "text" not in button:
        raise bad_request(prefix + "Can't find field \"text\"")
    if not isinstance(button["text"], str):
        raise bad_request(prefix + 'Field "text" must be of type String')
    if not button["text"].strip():
        raise bad_request("BUTTON_TEXT_INVALID")
    kept = {"text": button["text"]}
    if button.get("url"):
        check_url(button["url"])
        return {**kept, "url": button["url"]}
    if "web_app" in button:
        return {**kept, "web_app": {"url": web_app_url(button["web_app"], "inline keyboard button Web App URL")}}
    if button.get("callback_data"):
        data = button["callback_data"]
        if not isinstance(data, str):
            raise bad_request(prefix + 'Field "callback_data" must be of type String')
        if len(data.encode()) > 64:
            raise bad_request("BUTTON_DATA_INVALID")
        return {**kept, "callback_data": data}
    if "copy_text" in button:
        copied = button["copy_text"]
        if not isinstance(copied, dict) or not isinstance(copied.get("text"), str):
            raise bad_request(prefix + "Can't find field \"text\"")
        if not 1 <= utf16_length(copied["text"]) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")
        return {**kept, "copy_text": {"text": copied["text"]}}
    raise bad_request(prefix + "Text buttons are unallowed in the inline keyboard")


def check_url(url):
    host = re.match(r"(?i)(?:https?|tg)://([^/:?#]+)", str(url))
    if not host or host.group(1).lower() == "localhost":
        raise bad_request(f"inline keyboard button URL '{url}' is invalid: Wrong HTTP URL")


def web_app_url(app, called):
    """Of a WebAppInfo: Telegram takes https alone."""
    if not isinstance(app, dict) or not isinstance(app.get("url"), str):
        raise bad_request("can't parse WebAppInfo: Can't find field \"url\"")
    if not app["url"].lower().startswith("https://"):
        raise bad_request(f"{called} '{app['url']}' is invalid: Only HTTPS links are allowed")
    check_url(app["url"])
    return app["url"]


def reply_markup(arguments, chat):
    """The inline keyboard of a request, or None. Other keyboards are accepted and not kept."""
    text = arguments.get("reply_markup", "")
    if not text:
        return None
    markup = parse_json(text, "can't parse reply keyboard markup JSON object")
    if not isinstance(markup, dict):
        raise bad_request("object expected as reply markup")
    rows = markup.get("inline_keyboard")
    if rows is None:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise bad_request('field "inline_keyboard" of the InlineKeyboardMarkup must be '
                          "an Array of Arrays")
    rows = [[check_button(button) for button in row] for row in rows]
    if chat["type"] != "private" and any("web_app" in button for row in rows for button in row):
        raise bad_request("BUTTON_TYPE_INVALID")
    if sum(map(len, rows)) > BUTTONS_MAX:
        raise bad_request("reply markup is too long")
    rows = [row for row in rows if row]
    return {"inline_keyboard": rows} if rows else None


class Methods:
    """One coroutine-free function for each method; server methods (webhook) live elsewhere."""

    def __init__(self, world, limits):
        self.world = world
        self.limits = limits

    def find(self, method):
        return getattr(self, "do_" + method.lower(), None)

    def send(self, arguments, content):
        """What all sends share: the chat, the topic, the reply, the keyboard, the limits."""
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        message = {"from": dict(self.world.bot), **self.thread(entry, arguments)}
        markup = reply_markup(arguments, entry["chat"])
        reply_to = self.reply_to(arguments)
        if reply_to:
            message["reply_to_message"] = self.reply(entry, *reply_to)
            if message["reply_to_message"] is None:
                del message["reply_to_message"]
        silent = boolean(arguments, "disable_notification")
        self.limits.take(entry["chat"])
        message.update(content)
        if markup:
            message["reply_markup"] = markup
        return self.world.store(entry, message, silent)["message"]

    @staticmethod
    def thread(entry, arguments):
        thread_id = integer(arguments, "message_thread_id")
        if thread_id == 0:
            return {}
        if thread_id not in entry["topics"]:
            raise bad_request("message thread not found")
        return {"message_thread_id": thread_id, "is_topic_message": True}

    @staticmethod
    def reply_to(arguments):
        if arguments.get("reply_parameters"):
            value = parse_json(arguments["reply_parameters"],
                               "can't parse reply parameters JSON object")
            if not isinstance(value, dict):
                raise bad_request("object expected as reply parameters")
            return value.get("message_id"), value.get("allow_sending_without_reply", False)
        if arguments.get("reply_to_message_id"):
            return (integer(arguments, "reply_to_message_id"),
                    boolean(arguments, "allow_sending_without_reply"))
        return None

    def reply(self, entry, message_id, may_be_missing):
        if self.world.find_message(entry, message_id) is None and may_be_missing:
            return None
        return self.world.quoted(entry, message_id)

    def own_message(self, arguments, missing):
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        record = self.world.find_message(entry, integer(arguments, "message_id"))
        if record is None:
            raise bad_request(missing)
        return entry, record

    # --- the methods ---

    def do_getme(self, _):
        return {**self.world.bot, "can_join_groups": True,
                "can_read_all_group_messages": not self.world.privacy,
                "supports_inline_queries": False, "can_connect_to_business": False,
                "has_main_web_app": self.world.has_main_app}

    def do_sendmessage(self, arguments):
        text, entities = formatted(arguments, "text", TEXT_MAX, "message is too long")
        if not text:
            raise bad_request("message text is empty")
        content = {"text": text}
        if entities:
            content["entities"] = entities
        return self.send(arguments, content)

    def do_senddocument(self, arguments):
        uploaded = arguments.get("document")
        if isinstance(uploaded, str) and uploaded.startswith("attach://"):
            uploaded = arguments.get(uploaded[len("attach://"):])
        if not uploaded:
            raise bad_request("there is no document in the request")
        caption, entities = formatted(arguments, "caption", CAPTION_MAX,
                                      "message caption is too long")
        if isinstance(uploaded, str):
            document = self.known_document(uploaded)
        else:
            if len(uploaded["content"]) > DOCUMENT_BYTES_MAX:
                raise Refused(413, "Request Entity Too Large")
            if not uploaded["content"]:
                raise bad_request("file must be non-empty")
            document = self.world.keep_file(uploaded["name"], uploaded["type"],
                                            uploaded["content"])
        content = {"document": document}
        if caption:
            content["caption"] = caption
        if entities:
            content["caption_entities"] = entities
        return self.send(arguments, content)

    def known_document(self, file_id):
        if re.match(r"(?i)https?://", file_id):
            raise bad_request("failed to get HTTP URL content")
        if file_id not in self.world.files:
            raise bad_request("wrong file identifier/HTTP URL specified")
        kept = self.world.files[file_id]
        return {"file_name": kept["name"], "mime_type": kept["mime_type"], "file_id": file_id,
                "file_unique_id": file_id[-12:], "file_size": len(kept["content"])}

    def do_editmessagetext(self, arguments):
        text, entities = formatted(arguments, "text", TEXT_MAX, "MESSAGE_TOO_LONG")
        if not text:
            raise bad_request("message text is empty")
        self.require_message_id(arguments)
        entry, record = self.own_message(arguments, "message to edit not found")
        return self.apply_edit(entry, record, {"text": text, "entities": entities,
                                               "reply_markup": reply_markup(arguments, entry["chat"])})

    def do_editmessagereplymarkup(self, arguments):
        self.require_message_id(arguments)
        entry, record = self.own_message(arguments, "message to edit not found")
        return self.apply_edit(entry, record, {"reply_markup": reply_markup(arguments, entry["chat"])})

    @staticmethod
    def require_message_id(arguments):
        if not arguments.get("message_id"):
            raise bad_request("message identifier is not specified")

    def apply_edit(self, entry, record, changes):
        message = record["message"]
        if message.get("from", {}).get("id") != self.world.bot["id"]:
            raise bad_request("message can't be edited")
        if "text" in changes and "text" not in message:
            raise bad_request("there is no text in the message to edit")
        self.limits.take(entry["chat"])
        if all((message.get(key) or None) == (value or None) for key, value in changes.items()):
            raise bad_request("message is not modified: specified new message content and reply "
                              "markup are exactly the same as a current content and reply markup "
                              "of the message")
        self.world.edit(entry, record, changes)
        return message

    def do_deletemessage(self, arguments):
        if not str(arguments.get("chat_id", "")).strip():
            raise bad_request("chat identifier is not specified")
        self.require_message_id(arguments)
        entry, record = self.own_message(arguments, "message to delete not found")
        message = record["message"]
        own = message.get("from", {}).get("id") == self.world.bot["id"]
        foreign_group = entry["chat"]["type"] != "private" and entry["bot"] != "administrator"
        if message["date"] < time.time() - OWN_DELETE_MAX_S or (not own and foreign_group):
            raise bad_request("message can't be deleted")
        self.world.delete(entry, record)
        return True

    def to_pin(self, arguments, missing):
        """What both share: whose rights are asked about, of which message (0: the newest that is pinned)."""
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        number = integer(arguments, "message_id")
        if number == 0 and entry["pinned"]:
            number = entry["pinned"][0]
        record = self.world.find_message(entry, number)
        if record is None:
            raise bad_request(missing)
        if not self.world.may_pin(entry):
            raise bad_request("not enough rights to manage pinned messages in the chat")
        return entry, record

    def do_pinchatmessage(self, arguments):
        self.require_message_id(arguments)
        entry, record = self.to_pin(arguments, "message to pin not found")
        if not any(key in record["message"] for key in ("text", "document", "photo")):
            raise bad_request("a service message can't be pinned")
        self.limits.take(entry["chat"])
        self.world.pin(entry, record, boolean(arguments, "disable_notification"))
        return True

    def do_unpinchatmessage(self, arguments):
        entry, record = self.to_pin(arguments, "message to unpin not found")
        if record["message"]["message_id"] not in entry["pinned"]:
            raise bad_request("message to unpin not found")
        self.world.unpin(entry, record)
        return True

    def do_answercallbackquery(self, arguments):
        self.world.answer_callback(str(arguments.get("callback_query_id", "")),
                                   arguments.get("text", ""), boolean(arguments, "show_alert"))
        return True

    def do_sendchataction(self, arguments):
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        self.world.tell("action", chat_id=entry["chat"]["id"],
                        action=arguments.get("action", ""))
        return True

    def do_setmycommands(self, arguments):
        scope = self.scope(arguments)
        commands = parse_json(arguments.get("commands") or "[]",
                              "can't parse commands JSON object")
        if not isinstance(commands, list):
            raise bad_request("expected an Array of BotCommand")
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        kept = [self.check_command(command) for command in commands]
        self.world.commands[scope] = kept
        self.world.tell("commands", scope=scope)
        return True

    @staticmethod
    def check_command(command):
        if not isinstance(command, dict):
            raise bad_request("can't parse BotCommand: expected an Object")
        for name in ("command", "description"):
            if name not in command:
                raise bad_request(f"can't parse BotCommand: Can't find field \"{name}\"")
        word = str(command["command"]).lstrip("/")
        if not re.fullmatch(r"[a-z0-9_]{1,32}", word):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= utf16_length(str(command["description"])) <= 256:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        return {"command": word, "description": str(command["description"])}

    def scope(self, arguments):
        """The scope and language of a command list as one string: default, chat:42, …"""
        value = {"type": "default"}
        if arguments.get("scope"):
            value = parse_json(arguments["scope"], "can't parse BotCommandScope JSON object")
        prefix = "can't parse BotCommandScope: "
        if not isinstance(value, dict):
            raise bad_request(prefix + "BotCommandScope must be an Object")
        kind = value.get("type")
        if kind not in SCOPES:
            raise bad_request(prefix + "Unsupported type specified")
        name = kind
        if kind in ("chat", "chat_administrators", "chat_member"):
            if not value.get("chat_id"):
                raise bad_request(prefix + "Empty chat_id specified")
            name += f":{self.world.find_chat(value['chat_id'])['chat']['id']}"
        if kind == "chat_member":
            name += f":{value.get('user_id')}"
        language = arguments.get("language_code", "")
        return f"{name}/{language}" if language else name

    def do_setchatmenubutton(self, arguments):
        chat = self.world.find_chat(arguments.get("chat_id"))["chat"]
        if chat["type"] != "private":
            raise bad_request("chat not found")
        button = arguments.get("menu_button", {"type": "default"})
        if isinstance(button, str):
            button = parse_json(button, "can't parse menu button JSON object")
        if button.get("type") not in ("commands", "default", "web_app"):
            raise bad_request("MenuButton has unsupported type")
        if button["type"] == "web_app":
            if not str(button.get("text", "")).strip():
                raise bad_request("can't parse menu button: Can't find field \"text\"")
            web_app_url(button.get("web_app"), "menu button Web App URL")
        self.world.menu_buttons[chat["id"]] = button
        self.world.tell("chat", chat_id=chat["id"])
        return True

    def do_getchatmenubutton(self, arguments):
        chat = self.world.find_chat(arguments.get("chat_id"))["chat"]
        return self.world.menu_buttons.get(chat["id"], {"type": "default"})

    def do_getmycommands(self, arguments):
        return self.world.commands.get(self.scope(arguments), [])

    def do_deletemycommands(self, arguments):
        self.world.commands.pop(self.scope(arguments), None)
        return True

    def do_getchat(self, arguments):
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        return {**entry["chat"], "accent_color_id": 0, "max_reaction_count": 11,
                "accepted_gift_types": {"unlimited_gifts": False, "limited_gifts": False,
                                        "unique_gifts": False, "premium_subscription": False}}

    def do_leavechat(self, arguments):
        entry = self.world.find_chat(arguments.get("chat_id"))
        self.world.check_may_write(entry)
        if entry["chat"]["type"] == "private":
            raise bad_request("chat not found")
        self.world.set_bot_status(entry["chat"]["id"], self.world.bot["id"], "left")
        return True

    def do_getchatmember(self, arguments):
        entry = self.world.find_chat(arguments.get("chat_id"))
        user_id = integer(arguments, "user_id")
        if user_id == self.world.bot["id"]:
            return {"user": dict(self.world.bot), "status": entry["bot"]}
        if user_id not in self.world.users:
            raise bad_request("user not found" if user_id > 0 else "invalid user_id specified")
        status = ("administrator" if user_id in entry["admins"]
                  else "member" if user_id in entry["members"] else "left")
        return {"user": dict(self.world.users[user_id]["user"]), "status": status}

    def do_getfile(self, arguments):
        file_id = arguments.get("file_id", "")
        if file_id not in self.world.files:
            raise bad_request("wrong file_id or the file is temporarily unavailable")
        kept = self.world.files[file_id]
        if len(kept["content"]) > 20 << 20:
            raise bad_request("file is too big")
        return {"file_id": file_id, "file_unique_id": file_id[-12:],
                "file_size": len(kept["content"]), "file_path": self.world.path_of(file_id)}

    def update_allowed(self, arguments):
        """Keeps the list of wanted updates: omitted or malformed keeps the old, empty resets."""
        if "allowed_updates" not in arguments:
            return
        try:
            names = json.loads(arguments["allowed_updates"])
        except ValueError:
            return
        if not isinstance(names, list):
            return
        known = {str(name).lower() for name in names} & KNOWN_UPDATES
        self.world.allowed_updates = known or set(DEFAULT_UPDATES)
