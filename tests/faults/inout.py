"""inout.py - fails every read, write, flush, open, socket, fork and wait of the three flows once, some for a while.

make check-io (a module called io would be Python's own): each place from which deploybot, its runner and its supervisors
call the kernel fails once, with an error that the kernel gives there; then whole classes fail until they are healed.
After each: no crash, no leak, nothing acknowledged that is not stored, the truth in the chat, no restart but after a
stop on purpose.
IO=all: each place with each of its errors, in each flow; about two hours.
"""
# SPDX-License-Identifier: ISC
import collections
import os

import site_trial    # first: it finds the rest
import campaign
import fault_page
from flows import FLOWS
from oracle import Broken

# What the kernel may say: (class, call or kind) -> errors.  The first that fits.
ERRORS = {
    ("read", "file"): ("EIO", "EINTR", "short"),
    ("read", "stream"): ("ECONNRESET", "EINTR", "EAGAIN", "short"),
    ("read", "packet"): ("ECONNRESET", "EINTR", "EAGAIN"),
    ("read", "pipe"): ("EINTR", "EAGAIN", "EIO"),
    ("read", "other"): ("EINTR", "EAGAIN"),
    ("write", "file"): ("ENOSPC", "EIO", "short", "EDQUOT"),
    ("write", "stream"): ("ECONNRESET", "EPIPE", "EAGAIN", "EINTR", "short", "ENOBUFS"),
    ("write", "packet"): ("ENOBUFS", "EINTR", "EAGAIN", "ENOMEM"),
    ("write", "pipe"): ("EINTR", "EPIPE"),
    ("write", "other"): (),     # an eventfd: the kernel always takes its 8 bytes
    ("flush", ""): ("EIO", "ENOSPC"),
    ("open", "lock"): ("ENOLCK", "EINTR"),
    ("open", "rename"): ("EIO", "ENOSPC"),
    ("open", "renameat"): ("EIO", "ENOSPC"),
    ("open", "renameat2"): ("EIO", "ENOSPC"),
    ("open", "unlink"): ("EIO", "EROFS"),
    ("open", "unlinkat"): ("EIO", "EROFS"),
    ("open", "mkdir"): ("ENOSPC", "EIO"),
    ("open", "mkdirat"): ("ENOSPC", "EIO"),
    ("open", "ftruncate"): ("EIO", "ENOSPC"),
    ("open", "ftruncate64"): ("EIO", "ENOSPC"),
    ("open", "fallocate"): ("ENOSPC", "EIO"),
    ("open", "posix_fallocate"): ("ENOSPC", "EIO"),
    ("open", ""): ("EMFILE", "ENFILE", "EIO", "ENOMEM"),
    ("socket", "accept"): ("EMFILE", "ENFILE", "ECONNABORTED", "ENOMEM"),
    ("socket", "accept4"): ("EMFILE", "ENFILE", "ECONNABORTED", "ENOMEM", "EINTR"),
    ("net", "connect"): ("EADDRNOTAVAIL", "EAGAIN", "ECONNREFUSED", "ENETUNREACH"),
    ("net", "bind"): ("ENOSPC", "EADDRINUSE"),
    ("net", "listen"): ("EADDRINUSE",),
    ("net", "setsockopt"): ("ENOMEM", "ENOBUFS"),
    ("net", "epoll_ctl"): ("ENOMEM", "ENOSPC"),
    ("socket", "dup2"): ("EBUSY", "EINTR"),
    ("socket", "dup3"): ("EBUSY", "EINTR"),
    ("socket", ""): ("EMFILE", "ENFILE", "ENOMEM"),
    ("fork", "execve"): ("ENOENT", "EACCES", "ENOEXEC", "E2BIG", "ETXTBSY"),
    ("fork", ""): ("EAGAIN", "ENOMEM"),
    ("wait", ""): ("EINTR",),
}
CLASSES = tuple(group for group in fault_page.CLASSES if group != "malloc")    # that is oom.py's
# Whole classes that fail until they are healed, three seconds later: (class, role, error, path).
LASTING = (
    ("write", "server", "ENOSPC", "/state/"), ("flush", "server", "ENOSPC", "/state/"),
    ("write", "supervisor", "ENOSPC", "/runs/"), ("write", "runner", "ENOSPC", "/runs/"),
    ("open", "server", "EMFILE", ""), ("open", "runner", "EMFILE", ""), ("open", "supervisor", "ENFILE", ""),
    ("socket", "server", "EMFILE", ""), ("socket", "runner", "EMFILE", ""), ("socket", "supervisor", "ENFILE", ""),
    ("fork", "server", "EAGAIN", ""), ("fork", "runner", "EAGAIN", ""), ("fork", "supervisor", "EAGAIN", ""),
    ("read", "server", "EIO", "/runs/"), ("read", "server", "EIO", "/state/deploybot.db"),
    ("wait", "server", "EINTR", ""),
)
# What was broken once.
KNOWN = (
    "push/nth/write.server.packet.1./ENOBUFS",      # the runner's greeting: an assert ended the server
    "push/nth/open.server..2.deploybot.db/ENFILE",  # SQLite opened to read, and nothing was ever decided
    "push/nth/open.runner..2.runs/ENFILE",          # the runner gave a wrong setting as its reason, and all ended
    "push/lasting/accept.server./EMFILE",           # clients waited, and a core was used to refuse them
)
SHORT_TRIALS = 2
BUSY_SHARE = 0.5    # of a core: whoever waits for descriptors uses less


def errors_of(site):
    for key in ((site.group, site.call), (site.group, site.kind), (site.group, "")):
        if key in ERRORS:
            return ERRORS[key]
    return ERRORS[(site.group, "other")]


def make_trials(found, chance, want_all):
    """A trial for each place, with an error by lot; or all of them."""
    trials = []
    for key, site in sorted(found.sites.items()):
        if site.group not in CLASSES:
            continue
        places = sorted(found.where[key])
        if not errors_of(site):
            continue
        if want_all:
            chosen = [(place, error) for place in places for error in errors_of(site)]
        else:
            chosen = [(chance.choice(places), chance.choice(errors_of(site)))]
            if site.group == "flush":
                chosen = [(chosen[0][0], error) for error in errors_of(site)]
        trials += [site_trial.label_of(*place, site, error) for place, error in chosen]
    lasting = [f"{chance.choice(sorted(FLOWS))}/lasting/{group}.{role}.{path.replace('/', ':')}/{error}"
               for group, role, error, path in LASTING]
    return [*KNOWN, *shuffled(lasting, chance), *shuffled(trials, chance)]


def shuffled(labels, chance):
    chance.shuffle(labels)
    return labels


def trial(scene, label):
    if "/nth/" in label:
        return nth(scene, label)
    if "/lasting/accept" in label:
        return site_trial.play(scene, "push", "flow", lambda page: None, within=without_descriptors)
    if "/lasting/" in label:
        return lasting(scene, label)
    flow, phase, site, error = site_trial.read_label(label)
    stops = site_trial.EX_IOERR if site.group == "flush" and site.role == "server" else None
    # A send whose answer is lost is sent again: Telegram has no key for it.
    twice = 1 if site.kind == "stream" or site.group in ("socket", "net", "wait") else 0
    return site_trial.play(scene, flow, phase, lambda page: page.arm_site(site, error), may_stop=stops,
                           lost_runs=1 if site.role in ("runner", "supervisor", "main_process") else 0, kills=twice)


def nth(scene, label):
    """The n-th call of a class fails, in a start: independent of where it stands in the source."""
    flow, _, where, error = label.split("/", 3)
    group, role, kind, n, path = where.split(".", 4)
    return site_trial.play(
        scene, flow, "start", lambda page: page.arm_rule(group, role, error, n=int(n), kind=kind,
                                                         path=path.replace(":", "/")), lost_runs=1, kills=1)


def lasting(scene, label):
    flow, _, where, error = label.split("/")
    group, role, path = where.split(".", 2)
    return site_trial.play(
        scene, flow, "flow", lambda page: page.arm_rule(group, role, error, count=1 << 63,
                                                        path=path.replace(":", "/")),
        may_stop=site_trial.EX_IOERR if group == "flush" else None, lost_runs=1, kills=3, persistent=True)


def without_descriptors(trial):
    """FAULTS S13: clients wait, and no descriptor is left to take them.  It must not turn round and round."""
    page, scene = trial.page, trial.scene
    scene.bot.metrics()     # so that its place is known
    accepts = [s for s in page.sites() if s.call.startswith("accept") and s.role == "server"]
    for site in accepts:
        page.arm_site(site, "EMFILE", count=1 << 31)
    waiting = threading_client(scene)
    share = site_trial.cpu_share_while(scene.bot.process.pid, 2, lambda: False)
    hit = sum(s.hits for s in page.sites())
    page.heal()
    waiting()
    if not hit:
        raise Broken("a_fault_is_reached", "accept was not called")
    if share > BUSY_SHARE:
        raise Broken("without_descriptors_it_waits", f"{share:.0%} of a core, {hit} calls refused")
    return trial.play()


def threading_client(scene):
    """Clients that wait to be taken; what they get is theirs to report."""
    import socket
    clients = [socket.create_connection(("127.0.0.1", scene.bot.port), 30) for _ in range(8)]
    for client in clients:
        client.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

    def finish():
        for client in clients:
            client.settimeout(60)
            if not client.recv(64).startswith(b"HTTP/1.1 200"):
                raise Broken("who_waited_is_answered", "no 200 once there were descriptors")
            client.close()
    return finish


def tell_sites(found):
    known = collections.Counter(
        f"{site.group} in {site.role}" for site in found.sites.values() if site.group in CLASSES)
    for name, n in sorted(known.items()):
        print(f"  {n:5} places: {name}")


class Sites(campaign.Kind):     # pylint: disable=abstract-method
    """What oom.py has too: a look finds places that call, and a class of them is hit in every process that has one."""

    workers = 2
    classes = ()

    def __init__(self):
        super().__init__()
        self.found = None

    def look(self):
        self.found = site_trial.look(self.chosen.build, ("production",) if self.chosen.short else tuple(FLOWS))
        return self.found

    def one(self, label):
        return label if "/" in label else None

    def must_hit(self, trials):
        if self.chosen.short or self.chosen.only:
            return ()
        return {f"{site.group} in {site.role}" for site in self.found.sites.values() if site.group in self.classes}

    def hit(self, result):
        """A class in a process, whatever came of it."""
        return {name.split(":")[0] for name in result.hits}

    def aim_again(self, name, trials):
        group, role = name.split(" in ")
        return [one for one in trials if f"/{role}." in one[0] and (group == "malloc" or f".{group}." in one[0])]


class InOut(Sites):
    """Each read, write, flush, open, socket, fork and wait of the three flows fails once, some for a while."""

    name = "io"
    classes = CLASSES

    def trials(self, dice):
        labels = make_trials(self.look(), dice, os.environ.get("IO") == "all")
        tell_sites(self.found)
        if self.chosen.short:
            labels = list(KNOWN) + [one for one in labels if "/flow/" in one][:SHORT_TRIALS]
        return [(one, one) for one in labels]

    trial = staticmethod(trial)


KIND = InOut
