"""Goal: whoever runs code in the server starts no program, reaches no other process and writes nowhere else, in each
form of installation; what it starts by its own helper is not in the sandbox; where it cannot be had, that is said."""
# SPDX-License-Identifier: ISC
import ctypes
import errno
import os
import signal
import socket
import subprocess
import sys

import pytest

from crash_aid import program_of
from ops_aid import bare_settings, check_stop
from runner_client import children_of, runner_of
from stage import ROOT, Deploybot, is_instrumented, wait_until

SIGSYS = 31
ALLOW, ERRNO, EQUAL = 0x7fff0000, 0x00050000, 4     # of <seccomp.h>
# A program under which calls are refused, as by a service manager or an engine of containers.
UNDER = f"""import ctypes, os, sys
lib = ctypes.CDLL("libseccomp.so.2", use_errno=True)
lib.seccomp_init.restype = ctypes.c_void_p
lib.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p]
lib.seccomp_load.argtypes = [ctypes.c_void_p]
made = lib.seccomp_init({ALLOW})
class Compared(ctypes.Structure):
    _fields_ = [("arg", ctypes.c_uint), ("how", ctypes.c_int), ("a", ctypes.c_uint64), ("b", ctypes.c_uint64)]
for asked in sys.argv[2].split(","):
    name, _, first = asked.partition("=")
    call = lib.seccomp_syscall_resolve_name(name.encode())
    only = ctypes.byref(Compared(0, {EQUAL}, int(first), 0)) if first else None
    assert lib.seccomp_rule_add_array(made, {ERRNO} | int(sys.argv[1]), call, bool(first), only) == 0, name
assert lib.seccomp_load(made) == 0
os.execv(sys.argv[3], sys.argv[3:])
"""


@pytest.fixture(scope="module", name="shim")
def fixture_shim(tmp_path_factory):
    made = tmp_path_factory.mktemp("owned") / "owned.so"
    subprocess.run(["cc", "-D_GNU_SOURCE", "-shared", "-fPIC", "-O1", "-o", str(made), ROOT / "tests/tools/owned.c"],
                   check=True)
    return made


def made(folder, wrapper=(), **settings):
    bot = Deploybot(folder, bare_settings(folder, LOCAL_SOCKET=str(folder / "state/local.sock"), **settings),
                    wrapper=wrapper)
    if is_instrumented(bot.build / "deploybot"):
        pytest.skip("sanitizers do at a process's end what the sandbox kills it for")
    return bot


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as text:
        return dict(line.rstrip("\n").split(":\t", 1) for line in text if ":\t" in line)


def under(number, *calls):
    return [sys.executable, "-c", UNDER, str(number), ",".join(calls)]


def doctor(bot):
    return [line for line in (bot.run("doctor").stdout + bot.run("doctor").stderr).splitlines() if "sandbox" in line]


def has_landlock():
    libc = ctypes.CDLL(None, use_errno=True)
    return libc.syscall(444, None, 0, 1) > 0


class Owned:
    """A server in which somebody runs code."""

    def __init__(self, folder, shim, **settings):
        self.order = folder / "state" / "order"
        self.bot = made(folder, wrapper=["env", f"LD_PRELOAD={shim}", f"OWNED_ORDER={self.order}"], **settings).start()

    def do(self, order):
        """None: it was killed for it; else the errno that it got."""
        done = self.order.with_name("order.done")
        done.unlink(missing_ok=True)
        self.order.write_text(order + "\n", encoding="utf-8")
        self.bot.process.send_signal(signal.SIGUSR2)

        def ended():
            return self.bot.process.poll() is not None or (done.exists() and done.read_text("ascii").endswith("\n"))
        wait_until(ended, what=f"the end of {order}")
        return None if self.bot.process.poll() is not None else int(done.read_text("ascii"))


@pytest.mark.parametrize("order", ["spawn id >{0}/said", "exec id >{0}/said", "ptrace 1", "packet 0"])
def test_an_owned_server_is_killed_at_what_it_never_does(tmp_path, shim, order):
    owned = Owned(tmp_path, shim)
    runner = runner_of(owned.bot.process.pid)
    assert owned.do(order.format(tmp_path / "state")) is None
    assert owned.bot.process.returncode == -SIGSYS and not (tmp_path / "state/said").exists()
    wait_until(lambda: not os.path.exists(f"/proc/{runner}"), what="the runner's end")
    check_stop(Deploybot(tmp_path, owned.bot.settings).start())     # as its manager does


def test_an_owned_server_writes_in_its_folders_alone_and_still_has_the_network(tmp_path, shim):
    (tmp_path / "audit").mkdir()
    owned = Owned(tmp_path, shim, AUDIT_LOG_PATH=str(tmp_path / "audit/audit.log"))
    other = subprocess.Popen(["sleep", "600"])
    try:
        assert owned.do(f"write {tmp_path}/state/inside") == 0
        assert owned.do("read /etc/passwd") == 0
        assert owned.do(f"connect {owned.bot.port}") == 0       # SECURITY.md says so
        if has_landlock():
            os.mkdir(tmp_path / "beside")
            assert owned.do(f"write {tmp_path}/beside/file") == errno.EACCES
            assert owned.do(f"write /proc/{other.pid}/mem") == errno.EACCES
            assert owned.do("write /etc/cron.d/deploybot") == errno.EACCES
        assert not (tmp_path / "beside/file").exists()
    finally:
        other.kill()
        other.wait()
    check_stop(owned.bot)


def test_without_it_the_same_orders_are_carried_out_and_each_hour_is_warned_of_it(tmp_path, shim):
    owned = Owned(tmp_path, shim, SANDBOX="off")
    assert owned.do(f"spawn touch {tmp_path}/beside") == 0 and (tmp_path / "beside").exists()
    assert owned.bot.log().count("SANDBOX=off: whoever runs code in this server can start programs") == 1
    said = doctor(owned.bot)
    assert len(said) == 1 and "warning" in said[0] and "sandbox: off (SANDBOX=off)" in said[0], said
    check_stop(owned.bot)


def test_doctor_says_what_the_running_server_has_and_children_have_none_of_it(tmp_path):
    bot = made(tmp_path).start()
    said = doctor(bot)
    status = status_of(bot.process.pid)
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    starter = children_of(bot.process.pid)[0]
    runner = runner_of(bot.process.pid)
    for pid in (starter, runner):
        assert status_of(pid)["Seccomp"] == status_of(os.getpid())["Seccomp"], pid
    assert program_of(runner).endswith("deploybot-runner")
    if has_landlock():
        assert len(said) == 1 and "sandbox: seccomp: on; Landlock ABI " in said[0], said
        assert said[0].endswith("writes below 2 folders"), said
    check_stop(bot)
    assert not os.path.exists(f"/proc/{starter}")


def test_a_starter_that_was_killed_ends_the_server_and_the_next_start_has_another(tmp_path):
    bot = made(tmp_path).start()
    os.kill(children_of(bot.process.pid)[0], signal.SIGKILL)
    assert bot.process.wait(60) == 74
    assert "the runner cannot work: the process that starts deploybot-runner was killed" in bot.log()
    check_stop(bot.start())


@pytest.mark.parametrize("calls", ["seccomp,prctl=22", "landlock_create_ruleset"])
def test_a_server_whose_sandbox_is_refused_does_not_start_and_says_how_it_would(tmp_path, calls):
    if calls.startswith("landlock") and not has_landlock():
        pytest.skip("this kernel has no Landlock")
    bot = made(tmp_path, wrapper=under(errno.EPERM, *calls.split(","))).start(wait=False)
    assert bot.process.wait(60) == 78
    assert "cannot start: cannot load the sandbox: " in bot.log() and "; SANDBOX=off starts without it" in bot.log()
    bot.settings["SANDBOX"] = "off"
    check_stop(bot.start())


def test_a_kernel_without_landlock_is_warned_of_and_seccomp_stays(tmp_path):
    bot = made(tmp_path, wrapper=under(errno.ENOSYS, "landlock_create_ruleset")).start()
    assert "this kernel has no Landlock" in bot.log()
    assert "sandbox: seccomp: on; no Landlock in this kernel" in doctor(bot)[0]
    assert status_of(bot.process.pid)["Seccomp"] == "2"
    check_stop(bot)


def test_the_folder_of_a_socket_of_ours_may_be_written_and_no_other(tmp_path):
    """LISTEN_ADDRESS as a path, AUDIT_LOG_PATH and LOCAL_SOCKET in folders of their own: all three are made."""
    for name in ("http", "local", "audit"):
        (tmp_path / name).mkdir()
    bot = made(tmp_path, LISTEN_ADDRESS=str(tmp_path / "http/sock"), AUDIT_LOG_PATH=str(tmp_path / "audit/audit.log"))
    bot.settings["LOCAL_SOCKET"] = str(tmp_path / "local/sock")
    bot.start(wait=False)

    def answers():
        with socket.socket(socket.AF_UNIX) as caller:
            try:
                caller.connect(str(tmp_path / "http/sock"))
            except OSError:
                return False
            caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            return caller.recv(12) == b"HTTP/1.1 200"
    wait_until(answers, what="HTTP")
    wait_until(lambda: (tmp_path / "audit/audit.log").exists() and (tmp_path / "local/sock").exists(), what="both")
    if has_landlock():
        assert doctor(bot)[0].endswith("writes below 4 folders")
    check_stop(bot)
