"""The world behind the Telegram stand-in: people, chats, messages, and the updates a bot gets.

Plain data and rules, no sockets: which message becomes an update for the bot, which never does
(its own, other bots', what privacy mode hides, what is a day old), in which queue it waits.
"""
# SPDX-License-Identifier: ISC
import asyncio
import hashlib
import pathlib
import re
import time

from telegram_html import utf16_length

DEFAULT_UPDATES = {
    "message", "edited_message", "channel_post", "edited_channel_post", "inline_query",
    "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query", "poll",
    "poll_answer", "my_chat_member", "chat_join_request", "chat_boost", "removed_chat_boost",
}
KNOWN_UPDATES = DEFAULT_UPDATES | {"chat_member", "message_reaction", "message_reaction_count"}
MESSAGE_LIFE_S = 86400
CALLBACK_LIFE_S = 150
ANONYMOUS_ADMIN = {"id": 1087968824, "is_bot": True, "first_name": "Group",
                   "username": "GroupAnonymousBot"}
CHANNEL_BOT = {"id": 136817688, "is_bot": True, "first_name": "Channel",
               "username": "Channel_Bot"}
TOPIC_COLOURS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)
AUTOMATIC = re.compile(
    r"(?P<url>https?://[^\s<>]+)|(?<![\w/])(?P<bot_command>/[a-zA-Z0-9_]{1,32}(?:@\w{3,32})?)"
    r"|(?<!\w)(?P<mention>@[a-zA-Z]\w{3,31})", re.ASCII)


class Refused(Exception):
    """An answer of the Bot API that is not ok."""

    def __init__(self, code, description, **parameters):
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


def bad_request(text):
    return Refused(400, f"Bad Request: {text}")


def automatic_entities(text, taken=()):
    """The entities the service finds by itself: commands, mentions, links."""
    found = []
    for match in AUTOMATIC.finditer(text):
        offset = utf16_length(text[:match.start()])
        length = utf16_length(match.group())
        inside = any(e["offset"] < offset + length and offset < e["offset"] + e["length"]
                     for e in taken if e["type"] in ("code", "pre", "text_link"))
        if not inside:
            found.append({"offset": offset, "length": length, "type": match.lastgroup})
    return found


class World:
    """All state. Every change is sent to `events`, which the page and the tests follow."""

    def __init__(self, token, username="deploy_demo_bot", name="Deploy Bot", speed=1.0):
        self.token = token
        self.bot = {"id": int(token.split(":")[0]), "is_bot": True, "first_name": name,
                    "username": username}
        self.speed = speed
        self.privacy = True
        self.has_main_app = False
        self.revoked = False
        self.users = {}
        self.chats = {}
        self.paths = {}      # file_path of getFile: file_id
        self.files = {}
        self.commands = {}
        self.menu_buttons = {}  # by chat
        self.callbacks = {}
        self.updates = {}
        self.allowed_updates = set(DEFAULT_UPDATES)
        self.next_update_id = 738_110_001
        self.next_callback = 4_382_914_077_153_201
        self.next_shared_message_id = 1
        self.events = []
        self.changed = asyncio.Event()
        self.on_update = lambda update: None

    # --- what happened, for the page and the tests ---

    def tell(self, kind, **data):
        self.events.append({"seq": len(self.events) + 1, "at": time.time(), "kind": kind, **data})
        self.changed.set()
        self.changed = asyncio.Event()

    async def wait_for_events(self, after, timeout):
        """Events later than `after`; waits until there is one or the time is over."""
        deadline = asyncio.get_running_loop().time() + timeout
        while len(self.events) <= after:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return []
            try:
                await asyncio.wait_for(self.changed.wait(), left)
            except asyncio.TimeoutError:
                return []
        return self.events[max(after, 0):]

    # --- people and chats ---

    def add_user(self, user_id, first_name, username=None, language="en", is_bot=False,
                 started=True, title=None):
        user = {"id": user_id, "is_bot": is_bot, "first_name": first_name}
        if username:
            user["username"] = username
        if not is_bot:
            user["language_code"] = language
        self.users[user_id] = {"user": user, "title": title or "", "blocked": False}
        if not is_bot:
            chat = {"id": user_id, "first_name": first_name, "type": "private"}
            if username:
                chat["username"] = username
            self.chats[user_id] = self.new_chat(chat, members={user_id}, started=started)
        self.tell("user", user=user)
        return user

    @staticmethod
    def new_chat(chat, members, started=True):
        return {"chat": chat, "members": set(members), "admins": set(), "bot": "member",
                "started": started, "topics": {}, "messages": {}, "next_message_id": 2,
                "migrated_to": None, "pinned": [], "bot_may_pin": True}

    def add_chat(self, chat_id, title, kind="supergroup", forum=False, members=(), admins=(),
                 topics=(), bot="member"):
        chat = {"id": chat_id, "title": title, "type": kind}
        if forum:
            chat["is_forum"] = True
        entry = self.new_chat(chat, members)
        entry["admins"] = set(admins)
        entry["members"] |= entry["admins"]
        entry["bot"] = bot
        self.chats[chat_id] = entry
        for topic in topics:
            self.add_topic(chat_id, topic)
        self.tell("chat", chat=chat)
        return chat

    def add_topic(self, chat_id, name, thread_id=None):
        entry = self.chats[chat_id]
        thread_id = thread_id or self.take_message_id(entry)
        colour = TOPIC_COLOURS[len(entry["topics"]) % len(TOPIC_COLOURS)]
        entry["topics"][thread_id] = {"message_thread_id": thread_id, "name": name,
                                      "icon_color": colour}
        self.tell("topic", chat_id=chat_id, thread_id=thread_id)
        return thread_id

    def find_chat(self, identifier):
        """The chat a request names, or the refusal of the service."""
        text = str(identifier).strip() if identifier is not None else ""
        if not text:
            raise bad_request("chat_id is empty")
        if text.startswith("@"):
            for entry in self.chats.values():
                if entry["chat"].get("username", "").lower() == text[1:].lower():
                    if entry["chat"]["type"] != "private":
                        return entry
            raise bad_request("chat not found")
        if not re.fullmatch(r"-?[0-9]{1,18}", text) or int(text) not in self.chats:
            raise bad_request("chat not found")
        return self.chats[int(text)]

    def check_may_write(self, entry):
        chat = entry["chat"]
        if entry["migrated_to"]:
            raise Refused(400, "Bad Request: group chat was upgraded to a supergroup chat",
                          migrate_to_chat_id=entry["migrated_to"])
        if chat["type"] == "private":
            if self.users[chat["id"]]["blocked"]:
                raise Refused(403, "Forbidden: bot was blocked by the user")
            if not entry["started"]:
                raise bad_request("chat not found")
        elif entry["bot"] == "kicked":
            raise Refused(403, f"Forbidden: bot was kicked from the {chat['type']} chat")
        elif entry["bot"] == "left":
            raise Refused(403, f"Forbidden: bot is not a member of the {chat['type']} chat")

    # --- messages ---

    def take_message_id(self, entry):
        if entry["chat"]["type"] in ("supergroup", "channel"):
            entry["next_message_id"] += 1
            return entry["next_message_id"] - 1
        self.next_shared_message_id += 1
        return self.next_shared_message_id - 1

    def store(self, entry, message, silent=False):
        """Puts a message into its chat and reports it. Returns the record."""
        message = {"message_id": self.take_message_id(entry), **message}
        message["chat"] = dict(entry["chat"])
        message.setdefault("date", int(time.time()))
        record = {"message": message, "history": [], "deleted": False, "at": time.time(), "silent": silent,
                  "thread_id": message.get("message_thread_id")}
        entry["messages"][message["message_id"]] = record
        self.tell("message", **self.view(record))
        return record

    def edit(self, entry, record, changes):
        message = record["message"]
        record["history"].append({"at": record.get("edited_at", record["at"]),
                                  "text": message.get("text"),
                                  "entities": message.get("entities", []),
                                  "reply_markup": message.get("reply_markup")})
        for key, value in changes.items():
            if value in (None, []):
                message.pop(key, None)
            else:
                message[key] = value
        message["edit_date"] = int(time.time())
        record["edited_at"] = time.time()
        self.tell("edit", **self.view(record))

    def may_pin(self, entry):
        return entry["chat"]["type"] == "private" or (entry["bot"] == "administrator" and entry["bot_may_pin"])

    def pin(self, entry, record, silent):
        """The service message about it comes to the bot too, although the bot has pinned."""
        number = record["message"]["message_id"]
        if number in entry["pinned"]:
            return
        entry["pinned"].insert(0, number)
        told = self.store(entry, {"from": dict(self.bot), "pinned_message": self.quoted(entry, number)},
                          silent or entry["chat"]["type"] == "private")
        self.add_update("message", told["message"], queue=entry["chat"]["id"],
                        expires_at=time.time() + MESSAGE_LIFE_S)

    def unpin(self, entry, record):
        entry["pinned"].remove(record["message"]["message_id"])
        self.tell("unpin", chat_id=entry["chat"]["id"], message_id=record["message"]["message_id"])

    def delete(self, entry, record):
        record["deleted"] = True
        if record["message"]["message_id"] in entry["pinned"]:
            entry["pinned"].remove(record["message"]["message_id"])
        self.tell("delete", chat_id=entry["chat"]["id"],
                  message_id=record["message"]["message_id"])

    def view(self, record):
        """A record as the page and the tests see it."""
        message = record["message"]
        return {"chat_id": message["chat"]["id"], "message_id": message["message_id"],
                "outgoing": message.get("from", {}).get("id") == self.bot["id"],
                "deleted": record["deleted"], "silent": record["silent"], "at_first": record["at"],
                "edits": len(record["history"]), "thread_id": record["thread_id"],
                "message": copy_json(message)}

    def find_message(self, entry, message_id):
        record = entry["messages"].get(message_id)
        return None if record is None or record["deleted"] else record

    # --- what people do ---

    def say(self, user_id, chat_id, text, thread_id=None, reply_to=None, date=None, extra=None,
            anonymous=False, as_channel=None):
        """A person writes. `extra` adds fields (forward_origin, via_bot, photo, …)."""
        user = self.users[user_id]["user"]
        entry = self.chats[chat_id]
        self.start_if_private(entry, user_id)
        message = {"from": dict(user)}
        if anonymous:
            message.update({"from": dict(ANONYMOUS_ADMIN), "sender_chat": dict(entry["chat"])})
        if as_channel:
            message.update({"from": dict(CHANNEL_BOT), "sender_chat": dict(as_channel)})
        if date is not None:
            message["date"] = date
        if thread_id:
            message.update({"message_thread_id": thread_id, "is_topic_message": True})
        if reply_to:
            message["reply_to_message"] = self.quoted(entry, reply_to)
        if text:
            message["text"] = text
            entities = automatic_entities(text)
            if entities:
                message["entities"] = entities
        message.update(extra or {})
        if entry["chat"]["type"] == "channel":
            message.pop("from", None)
            message["sender_chat"] = dict(entry["chat"])
        record = self.store(entry, message)
        kind = "channel_post" if entry["chat"]["type"] == "channel" else "message"
        self.offer(entry, record, user_id, kind)
        return record

    def start_if_private(self, entry, user_id):
        if entry["chat"]["type"] != "private" or not self.users.get(user_id):
            return
        entry["started"] = True
        if self.users[user_id]["blocked"]:
            self.set_blocked(user_id, False)

    def quoted(self, entry, message_id):
        record = self.find_message(entry, message_id)
        if record is None:
            raise bad_request("message to be replied not found")
        return {k: v for k, v in record["message"].items() if k != "reply_to_message"}

    def user_edits(self, user_id, chat_id, message_id, text):
        entry = self.chats[chat_id]
        record = entry["messages"][message_id]
        self.edit(entry, record, {"text": text, "entities": automatic_entities(text)})
        kind = ("edited_channel_post" if entry["chat"]["type"] == "channel"
                else "edited_message")
        self.offer(entry, record, user_id, kind)
        return record

    def offer(self, entry, record, user_id, kind):
        """Makes an update of a message if the bot is to see it."""
        message = record["message"]
        sender = self.users.get(user_id, {}).get("user", {})
        if sender.get("id") == self.bot["id"] or sender.get("is_bot"):
            return
        if message["date"] <= time.time() - MESSAGE_LIFE_S or entry["bot"] in ("left", "kicked"):
            return
        if entry["chat"]["type"] in ("group", "supergroup") and not self.bot_sees(entry, message):
            return
        self.add_update(kind, message, queue=entry["chat"]["id"],
                        expires_at=message["date"] + MESSAGE_LIFE_S)

    def bot_sees(self, entry, message):
        """Privacy mode: commands meant for us or for nobody, and replies to us."""
        if not self.privacy or entry["bot"] == "administrator":
            return True
        if message.get("reply_to_message", {}).get("from", {}).get("id") == self.bot["id"]:
            return True
        if message.get("via_bot", {}).get("id") == self.bot["id"]:
            return True
        for entity in message.get("entities", []):
            if entity["type"] == "bot_command" and entity["offset"] == 0:
                command = message["text"][:entity["length"]]
                _, _, addressee = command.partition("@")
                return not addressee or addressee.lower() == self.bot["username"].lower()
        return not any(key in message for key in ("text", "caption"))

    def press(self, user_id, chat_id, message_id, data, inaccessible=False):
        """A person presses a button (or a forged client sends `data`). Returns the query's id."""
        entry = self.chats[chat_id]
        record = entry["messages"][message_id]
        query_id = str(self.next_callback)
        self.next_callback += 7919
        message = record["message"]
        if inaccessible or record["deleted"]:
            message = {"chat": message["chat"], "message_id": message_id, "date": 0}
        query = {"id": query_id, "from": dict(self.users[user_id]["user"]), "message": message,
                 "chat_instance": str(-(10**18) - chat_id), "data": data}
        self.callbacks[query_id] = {"at": time.monotonic(), "answer": None, "user_id": user_id}
        self.tell("press", query_id=query_id, user_id=user_id, chat_id=chat_id,
                  message_id=message_id)
        self.add_update("callback_query", query, queue=user_id + (3 << 33),
                        expires_at=time.time() + CALLBACK_LIFE_S / self.speed)
        return query_id

    def answer_callback(self, query_id, text, alert):
        entry = self.callbacks.get(query_id)
        late = "query is too old and response timeout expired or query ID is invalid"
        if entry is None or entry["answer"] is not None:
            raise bad_request(late)
        if time.monotonic() - entry["at"] > CALLBACK_LIFE_S / self.speed:
            raise bad_request(late)
        if len(text) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        entry["answer"] = {"text": text, "show_alert": alert, "at": time.time()}
        self.tell("answer", query_id=query_id, user_id=entry["user_id"], text=text, alert=alert)

    def set_blocked(self, user_id, blocked):
        self.users[user_id]["blocked"] = blocked
        entry = self.chats[user_id]
        states = ("member", "kicked") if blocked else ("kicked", "member")
        self.member_changed(entry, self.users[user_id]["user"], *states)
        self.tell("block", user_id=user_id, blocked=blocked)

    def set_bot_status(self, chat_id, by_user_id, status):
        entry = self.chats[chat_id]
        before, entry["bot"] = entry["bot"], status
        by = self.bot if by_user_id == self.bot["id"] else self.users[by_user_id]["user"]
        self.member_changed(entry, by, before, status)

    def member_changed(self, entry, by, before, after):
        change = {"chat": dict(entry["chat"]), "from": dict(by), "date": int(time.time()),
                  "old_chat_member": {"user": dict(self.bot), "status": before},
                  "new_chat_member": {"user": dict(self.bot), "status": after}}
        self.add_update("my_chat_member", change, queue=entry["chat"]["id"] + (5 << 33),
                        expires_at=time.time() + MESSAGE_LIFE_S)

    def migrate(self, chat_id, new_id):
        """A basic group becomes a supergroup with another id."""
        old = self.chats[chat_id]
        chat = {**old["chat"], "id": new_id, "type": "supergroup"}
        self.chats[new_id] = self.new_chat(chat, old["members"])
        self.chats[new_id]["admins"] = set(old["admins"])
        old["migrated_to"] = new_id
        admin = sorted(old["admins"] or old["members"])[0]
        sender = {"from": dict(self.users[admin]["user"])}
        for entry, field in ((old, {"migrate_to_chat_id": new_id}),
                             (self.chats[new_id], {"migrate_from_chat_id": chat_id})):
            record = self.store(entry, {**sender, **field})
            self.add_update("message", record["message"], queue=entry["chat"]["id"],
                            expires_at=time.time() + MESSAGE_LIFE_S)
        return chat

    # --- updates ---

    def add_update(self, kind, body, queue, expires_at):
        """Queues an update unless the bot did not ask for this kind. Returns its id or None."""
        if kind not in self.allowed_updates:
            return None
        update_id = self.next_update_id
        self.next_update_id += 1
        # A copy: what was sent does not change when the message is edited later.
        update = {"id": update_id, "queue": queue, "expires_at": expires_at, "kind": kind,
                  "json": {"update_id": update_id, kind: copy_json(body)}, "delay": 1,
                  "fails": 0, "next_at": 0.0}
        self.updates[update_id] = update
        self.changed.set()
        self.changed = asyncio.Event()
        self.on_update(update)
        return update_id

    def drop_expired(self):
        now = time.time()
        for update_id in [k for k, u in self.updates.items() if u["expires_at"] <= now]:
            del self.updates[update_id]

    def path_of(self, file_id):
        """Where it is downloaded from, which nobody can guess from its id; as it was asked to be, else of this file."""
        kept = self.files[file_id]
        if "path" not in kept:
            kept["path"] = f"documents/file_{len(self.paths)}{pathlib.PurePath(kept['name']).suffix}"
        self.paths[kept["path"]] = file_id
        return kept["path"]

    def send(self, user_id, chat_id, name, content, caption="", path=None, size=None, extra=None):
        """A person sends a file.  path: the file_path that getFile is to say of it; size: what the message says."""
        document = self.keep_file(name, "application/octet-stream", content)
        if path is not None:
            self.files[document["file_id"]]["path"] = path
        if size is not None:
            document["file_size"] = size
        said = {"document": document, **({"caption": caption} if caption else {}), **(extra or {})}
        return self.say(user_id, chat_id, "", extra={key: value for key, value in said.items() if value is not None})

    def keep_file(self, name, mime_type, content):
        digest = hashlib.sha256(f"{len(self.files)}{name}".encode()).hexdigest()
        file_id = f"BQACAgI{digest[:48]}"
        self.files[file_id] = {"name": name, "mime_type": mime_type, "content": content}
        return {"file_name": name, "mime_type": mime_type, "file_id": file_id,
                "file_unique_id": f"AgAD{digest[48:60]}", "file_size": len(content)}


def copy_json(value):
    if isinstance(value, dict):
        return {key: copy_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [copy_json(item) for item in value]
    return value
