"""resident.py FOLDER - the programs of the stand-ins, loaded once: a call costs a fork, and not a start of Python.

FOLDER/commands/ has a command for each file that is executable here, all of them caller.c.  That is the process which
is seen, signalled, killed and waited for; a child of ours works for it, with its words, environment, folder and first
three files, and dies with it: the kernel sends SIGKILL when the caller's socket closes.  What hangs or becomes another
program does so over there.  Ends with its own standard input.
"""
# SPDX-License-Identifier: ISC
# pylint: disable=unused-import; what the programs import when they need it is there already
import base64
import contextlib
import fcntl
import gc
import hashlib
import json
import os
import pathlib
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import docker_client  # noqa: E402  pylint: disable=wrong-import-position
import engine  # noqa: E402  pylint: disable=wrong-import-position
import recorder  # noqa: E402  pylint: disable=wrong-import-position

PACKET = 1 << 16
FILES = 4
STATUS_UNWRITTEN = 120


class Caller(recorder.Caller):
    """The process that was called, at the other end of the connection."""

    def __init__(self, connection, pid):
        self.connection, self.number = connection, pid

    def pid(self):
        return self.number

    def hang(self, file, deaf):
        self.answer(b"H%c" % deaf + os.fsencode(file) + b"\0")

    def become(self, path, words, environment, leads=False, alone=False):
        variables = [f"{key}={value}" for key, value in environment.items()]
        texts = [path, str(len(words)), *words, *variables]
        self.answer(b"X%c" % (leads + 2 * alone) + b"".join(os.fsencode(text) + b"\0" for text in texts))

    def answer(self, said):
        """Its last word: from then on nothing here has a file of the caller's."""
        os.chdir("/")
        os.closerange(0, 3)
        tell(self.connection, said)
        os._exit(0)


def tell(connection, said):
    """Who is not there any more need not hear it."""
    with contextlib.suppress(OSError):
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)


def receive(connection):
    """(the caller's texts, its files)."""
    text, files, _, _ = socket.recv_fds(connection, PACKET, FILES, socket.MSG_CMSG_CLOEXEC)
    while more := connection.recv(PACKET):
        text += more
    return [os.fsdecode(part) for part in text.split(b"\0")[:-1]], files


def die_with(connection):
    """The caller sent all that it had to: what comes now is its end."""
    fcntl.fcntl(connection, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(connection, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(connection, fcntl.F_SETFL, fcntl.fcntl(connection, fcntl.F_GETFL) | os.O_ASYNC)
    poll = select.poll()
    poll.register(connection, 0)
    if poll.poll(0):
        os._exit(0)


def become_it(texts, files):
    """This process is as the caller is, in what counts; (its pid, which of our commands it was)."""
    called, pid, mask, file_size, count, *texts = texts
    words, variables = texts[:int(count)], texts[int(count):]
    os.fchdir(files[3])
    for number, file in enumerate(files[:3]):
        os.dup2(file, number)
    os.umask(int(mask))
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(file_size), most))
    os.environ.clear()
    os.environ.update(variable.split("=", 1) for variable in variables if "=" in variable)
    sys.argv = [os.path.join(os.path.dirname(called), os.path.basename(words[0])), *words[1:]]
    return int(pid), called.partition("/commands/")[2]


def status_of(code):
    """As Python ends with it."""
    if code is not None and not isinstance(code, int):
        print(code, file=sys.stderr)
        code = 1
    try:
        sys.stdout.flush()
    except OSError:
        return STATUS_UNWRITTEN
    return (code or 0) & 0xff


def work(connection, programs):
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    texts, files = receive(connection)
    if len(files) != FILES:
        os._exit(0)     # it is gone
    die_with(connection)
    pid, name = become_it(texts, files)
    os.closerange(3, connection.fileno())
    os.closerange(connection.fileno() + 1, recorder.FILES_MAX)
    recorder.caller = Caller(connection, pid)
    try:
        # pylint: disable-next=exec-used
        exec(programs[name], {"__name__": "__main__", "__file__": os.path.join(HERE, name)})
        code = 0
    except SystemExit as ended:
        code = ended.code
    except BaseException:   # pylint: disable=broad-exception-caught; as Python says it
        traceback.print_exc()
        code = 1
    recorder.caller.answer(b"E%c" % status_of(code))


def reap(working):
    """Those that were killed said nothing: their caller ends as they did."""
    while working:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        connection = working.pop(pid)
        if os.WIFSIGNALED(status):
            tell(connection, b"S%c" % os.WTERMSIG(status))
        connection.close()


def load(folder):
    """{name below commands/: its program}, each of which can be called."""
    programs = {}
    for where in ("", "host"):
        os.mkdir(os.path.join(folder, "commands", where))
        for name in os.listdir(os.path.join(HERE, where)):
            path = os.path.join(where, name)
            if os.path.isfile(os.path.join(HERE, path)) and os.access(os.path.join(HERE, path), os.X_OK):
                programs[path] = compile(recorder.read(os.path.join(HERE, path)), path, "exec")
                os.link(os.path.join(folder, "caller"), os.path.join(folder, "commands", path))
    return programs


def main():
    folder = sys.argv[1]
    programs = load(folder)
    ended, wake = socket.socketpair()
    wake.setblocking(False)
    ended.setblocking(False)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.join(folder, "socket"))
    listener.listen(512)
    print("ready", flush=True)
    gc.collect()
    gc.freeze()
    working = {}
    while True:
        ready, _, _ = select.select([0, listener, ended], [], [])
        if 0 in ready:
            shutil.rmtree(folder)
            return
        if ended in ready:
            ended.recv(PACKET)
            reap(working)
        if listener in ready:
            connection, _ = listener.accept()
            pid = os.fork()
            if pid == 0:
                work(connection, programs)
            working[pid] = connection


main()
