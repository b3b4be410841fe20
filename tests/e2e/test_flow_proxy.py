"""Goal: Telegram is reached through TELEGRAM_PROXY and in no other way, names are looked up by the
proxy, and nothing but Telegram goes through it."""
# SPDX-License-Identifier: ISC
import socket
import struct
import threading

import pytest

from stage import Stage
from telegram_client import ADA

NAME = "telegram.invalid"       # no resolver knows it: only the proxy can
CONNECTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"


class Proxy:
    """An http and SOCKS5 proxy that knows one name, and notes what it was asked for."""

    def __init__(self, port):
        self.port = port            # where NAME stands
        self.asked = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        first = client.recv(1, socket.MSG_PEEK)
        if first == b"\x05":
            self.greet_socks(client)
        with client, socket.create_connection(("127.0.0.1", self.port)) as server:
            threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
            self.pump(client, server, first != b"\x05")

    def greet_socks(self, client):
        methods = client.recv(2)[1]
        client.recv(methods)
        client.sendall(b"\x05\x00")
        _, _, _, kind, size = client.recv(5)
        assert kind == 3, "a name was asked for, not an address"
        name = client.recv(size).decode()
        self.asked.add(f"{name}:{struct.unpack('>H', client.recv(2))[0]}")
        client.sendall(CONNECTED)

    def pump(self, source, sink, is_http=False):
        try:
            while piece := source.recv(65536):
                if is_http and b" http://" in piece.split(b"\r\n", 1)[0]:
                    before, rest = piece.split(b" http://", 1)
                    host, path = rest.split(b"/", 1)
                    self.asked.add(host.decode())
                    piece = before + b" /" + path
                sink.sendall(piece)
        except OSError:
            pass
        finally:
            try:
                sink.shutdown(socket.SHUT_WR)
            except OSError:
                pass


@pytest.mark.parametrize("scheme", ["socks5h", pytest.param("http", marks=pytest.mark.long)])
def test_telegram_and_nothing_else_goes_through_its_proxy(tmp_path, scheme):
    stage = Stage(tmp_path, start=False)
    proxies = []
    plain = stage.settings

    def settings():
        proxies.append(Proxy(int(stage.chat.base.rsplit(":", 1)[1])))
        return plain() | {"TELEGRAM_PROXY": f"{scheme}://{proxies[0].address}",
                          "TELEGRAM_API_BASE": f"http://{NAME}:8081"}

    stage.settings = settings
    with stage.start():
        mark = stage.chat.mark()
        stage.chat.say(ADA, ADA, "/deploy staging")
        stage.chat.wait_for_text("Live: staging", timeout=60, chat_id=ADA, after=mark)
        assert proxies[0].asked == {f"{NAME}:8081"}
    proxies[0].listener.close()
