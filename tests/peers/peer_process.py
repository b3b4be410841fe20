"""What each stand-in's process does alike: loopback port, port file, an end with its parent."""
# SPDX-License-Identifier: ISC
import asyncio
import ctypes
import os
import signal

from aiohttp import web

PR_SET_PDEATHSIG = 1


def die_with_parent():
    """SIGTERM when the process that started us is gone, however it went."""
    parent = os.getppid()
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(0)


def write_port_file(path, port):
    """Atomic, so that who waits for the file never reads half a number."""
    if path:
        with open(path + ".new", "w", encoding="ascii") as out:
            out.write(f"{port}\n")
        os.replace(path + ".new", path)


async def serve(app, name, host, port, port_file, tls=None):
    """Runs the application until SIGTERM or SIGINT; with `tls`, an SSLContext, by https."""
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, host, port, shutdown_timeout=0.2, ssl_context=tls)
    await site.start()
    chosen = site._server.sockets[0].getsockname()[1]
    write_port_file(port_file, chosen)
    print(f"{name}: http{'s' if tls else ''}://{host}:{chosen}/", flush=True)
    await stopped.wait()
    await runner.cleanup()


def add_arguments(parser):
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 chooses a free one")
    parser.add_argument("--port-file", help="the port is written here once it is open")
