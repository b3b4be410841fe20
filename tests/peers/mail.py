"""mail.py - a mail server, of aiosmtpd: that refuses who speaks SMTP wrongly, and we a mail that lacks a field."""
# SPDX-License-Identifier: ISC
import email
import email.policy
import socket

from aiosmtpd.controller import Controller      # Debian: python3-aiosmtpd
from aiosmtpd.smtp import AuthResult

FIELDS = ("From", "To", "Date", "Message-ID", "Subject")


def parse(envelope):
    return email.message_from_bytes(envelope.content, policy=email.policy.default)


class MailServer:
    """`mails` has each envelope that was taken.  `cuts`: so many times the connection ends where 250 is due.  password:
    whose logins it takes."""

    def __init__(self, password=None):
        self.mails, self.refused, self.cuts, outer = [], [], 0, self

        class Handler:
            async def handle_DATA(self, server, _, envelope):
                missing = [name for name in FIELDS if len(parse(envelope).get_all(name, [])) != 1]
                if missing:
                    outer.refused.append(missing)
                    return f"550 5.7.1 not exactly one of {', '.join(missing)}"
                outer.mails.append(envelope)
                if outer.cuts > 0:
                    outer.cuts -= 1
                    server.transport.abort()
                return "250 OK"

        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        by_password = {} if password is None else {
            "auth_required": True, "auth_require_tls": False, "authenticator":
                lambda *given: AuthResult(success=given[-1].password == password.encode(), handled=False)}
        self.controller = Controller(Handler(), hostname="127.0.0.1", port=self.port, **by_password)
        self.controller.start()

    def close(self):
        self.controller.stop()
