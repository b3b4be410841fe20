"""line.py - the way of one server to its PostgreSQL: it cuts a session at a chosen byte of what COMMIT is answered,
brings a COMMIT late, or carries nothing for a while."""
# SPDX-License-Identifier: ISC
import asyncio
import collections
import pathlib
import threading
import urllib.parse

COMMIT = b"P\0\0\0\x0e\0COMMIT\0\0\0"     # of libpq, in one packet with what was posted before
ANSWER = len(b"1\0\0\0\x042\0\0\0\x04n\0\0\0\x04C\0\0\0\x0bCOMMIT\0Z\0\0\0\x05I")
PIECE = 65536

# bytes: of its answer, which ends a packet, that come through; None: COMMIT is not sent, or so late, behind the cut.
Cut = collections.namedtuple("Cut", "bytes late_s", defaults=(None, None))


class Session:
    def __init__(self, line, reader, writer):
        self.line, self.reader, self.writer = line, reader, writer
        self.left = None            # bytes that come through before it is cut

    async def play(self):
        reader, writer = await asyncio.open_unix_connection(str(self.line.target))
        try:
            await asyncio.gather(self.there(writer), self.back(reader, writer))
        except ConnectionError:
            pass
        finally:
            self.writer.close()
            writer.close()

    async def there(self, writer):
        while data := await self.reader.read(PIECE):
            await self.line.carries.wait()
            cut = self.line.take() if COMMIT in data else None
            if cut is not None and cut.bytes is None:
                self.writer.close()
                if cut.late_s is None:
                    break
                await asyncio.sleep(cut.late_s)
            elif cut is not None:
                self.left = cut.bytes
            writer.write(data)
            await writer.drain()
        writer.close()

    async def back(self, reader, writer):
        while data := await reader.read(PIECE):
            await self.line.carries.wait()
            if self.left is not None:
                data = data[:max(0, len(data) - ANSWER + self.left)]
            if not self.writer.is_closing():
                self.writer.write(data)
                await self.writer.drain()
            if self.left is not None:
                writer.close()
                break
        self.writer.close()


class Line:
    def __init__(self, folder, url):
        """Beside what that URL names by its socket's folder; `url` is the same by way of it."""
        folder = pathlib.Path(folder)
        folder.mkdir()
        there = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["host"][0]
        self.url = url.replace(there, str(folder))
        self.target, self.path = pathlib.Path(there, ".s.PGSQL.5432"), folder / ".s.PGSQL.5432"
        self.cut, self.was_cut = None, threading.Event()
        self.loop, self.carries, is_there = asyncio.new_event_loop(), None, threading.Event()
        self.thread = threading.Thread(target=self.run, args=(is_there,), daemon=True)
        self.thread.start()
        is_there.wait()

    def run(self, is_there):
        async def serve():
            self.carries = asyncio.Event()
            self.carries.set()
            await asyncio.start_unix_server(lambda reader, writer: Session(self, reader, writer).play(), self.path)
            is_there.set()
        self.loop.run_until_complete(serve())
        self.loop.run_forever()

    def take(self):
        """What becomes of this COMMIT."""
        cut, self.cut = self.cut, None
        if cut is not None:
            self.was_cut.set()
        return cut

    def arm(self, cut):
        """The next COMMIT's."""
        self.was_cut.clear()
        self.cut = cut

    def carry(self, does):
        """While it does not, sessions stay open and nothing of them arrives; behind it all of that does."""
        self.loop.call_soon_threadsafe(self.carries.set if does else self.carries.clear)

    def close(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
