"""Who is notified besides the chat: Slack, Discord, Matrix, a mailbox and a status page; and what they have, for the
page's panels."""
# SPDX-License-Identifier: ISC
import http.server
import json
import threading

import stage  # noqa: F401  pylint: disable=unused-import    # it knows where the stand-ins are
from mail import MailServer, parse
from notified import DISCORD_PATH, KEYS, MATRIX_TOKEN, ROOM, SLACK_PATH, Notified

ALL = "*/*: question live failed rolled-back down restored"
# Where, as the page names it, and what it is notified of.
WHERE = {"slack": ("Slack", ALL), "discord": ("Discord", "*/staging: live failed rolled-back restored"),
         "matrix": ("Matrix", ALL), "mail": ("Mail to the CEO", "*/production: down restored"),
         "webhook": ("Status page (webhook)", "*/production: down restored")}


class Elsewhere:
    def __init__(self):
        self.peer, self.mail = Notified(), MailServer()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                said = json.dumps(outer.shown()).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.mail.close()
        self.peer.close()

    def settings(self):
        peer, what = self.peer.base, {where: words for where, (_, words) in WHERE.items()}
        return {
            "NOTIFY_SLACK_TO": "slack", "NOTIFY_SLACK_URL": peer + SLACK_PATH, "NOTIFY_SLACK_WHAT": what["slack"],
            "NOTIFY_DISCORD_TO": "discord", "NOTIFY_DISCORD_URL": peer + DISCORD_PATH,
            "NOTIFY_DISCORD_WHAT": what["discord"],
            "NOTIFY_MATRIX_TO": "matrix", "NOTIFY_MATRIX_URL": peer, "NOTIFY_MATRIX_SECRET": MATRIX_TOKEN,
            "NOTIFY_MATRIX_ROOM": ROOM, "NOTIFY_MATRIX_WHAT": what["matrix"],
            "NOTIFY_CEO_TO": "mail", "NOTIFY_CEO_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "NOTIFY_CEO_ADDRESS": "ceo@example.org", "NOTIFY_CEO_FROM": "deploybot@example.org",
            "NOTIFY_CEO_WHAT": what["mail"],
            "NOTIFY_STATUS_PAGE_TO": "webhook", "NOTIFY_STATUS_PAGE_URL": f"{peer}/hook",
            "NOTIFY_STATUS_PAGE_SECRET": KEYS[0], "NOTIFY_STATUS_PAGE_WHAT": what["webhook"]}

    def texts(self, where):
        """Of each message that it took, in order."""
        if where == "mail":
            return [parse(one).get_body(("plain",)).get_content() for one in list(self.mail.mails)]
        return [one.body["data"]["message"] if where == "webhook" else one.text for one in self.peer.of(where)]

    def shown(self):
        return [{"where": where, "name": name, "what": words, "down": where in self.peer.down,
                 "tries": self.peer.tries.count(where), "texts": self.texts(where)}
                for where, (name, words) in WHERE.items()]
