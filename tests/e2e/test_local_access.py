"""Goal: who is let in over LOCAL_SOCKET is what the kernel says and the settings name, and nobody else: not the users
that scripts run as, not who cannot be told apart; and nothing that anybody sends there harms the server."""
# SPDX-License-Identifier: ISC
import json
import os
import signal
import socket
import subprocess

import pytest

from crash_aid import STEADY
from flow_aid import PATIENCE_S
from local_aid import MAY, NOBODY, PERSON, ROLE, UNKNOWN, LocalScene
from service_aid import RUNNER, SERVER
from stage import get, wait_until

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")

UNMAPPED = "your user is not known here: see LOCAL_<USER>_IS"
RUNS_SCRIPTS = "the server's user and the runner's are not let in: scripts run as them; ask as your own user"


@pytest.fixture(scope="module")
def scene():
    made = LocalScene()
    yield made
    made.close()


@pytest.mark.parametrize("user, words", [
    (UNKNOWN, UNMAPPED), (4242, UNMAPPED), (RUNNER, RUNS_SCRIPTS), (SERVER, RUNS_SCRIPTS),
    (NOBODY, "cannot be distinguished"), ("root", "--as ROLE")])
def test_who_is_not_let_in_reads_why_and_stands_in_the_log_once(scene, user, words):
    for path in ("/v1/status", "/v1/history", "/v1/work/1", "/v1/log/1/0"):
        status, answer = scene.ask(user, "GET", path)
        assert status == 403 and words in answer["said"], (path, answer)
    assert scene.ask(user, "POST", "/v1/command/deploy", {"arguments": ["staging"]})[0] == 403
    assert scene.ask(user, "POST", "/v1/answer/1", {"answer": "yes"})[0] == 403
    assert scene.bot.log().count(f"user {uid_of(user)} is not let in") == 1
    assert words in scene.run(user, "status", wanted=77)


def test_who_is_not_let_in_stands_in_the_audit_as_strangers_do(scene):
    for user in (UNKNOWN, RUNNER, NOBODY, "root"):
        assert scene.ask(user, "GET", "/v1/status")[0] == 403
    entries = [e for e in scene.audit(action="denied") if e["user_id"] == "local"]
    assert {e["client"] for e in entries} >= {f"user {RUNNER}", f"user {uid_of(NOBODY)}", "user 0"}, entries
    assert len({e["reason"] for e in entries}) == len(entries) >= 4, "the first of each reason; the rest is counted"


def test_many_users_fill_neither_log_nor_audit(scene):
    for uid in range(5000, 5030):
        assert scene.ask(uid, "GET", "/v1/status")[0] == 403
    lines = [line for line in scene.bot.log().splitlines() if "is not let in" in line and "user 50" in line]
    assert len(lines) < 15, lines
    assert len([e for e in scene.audit(action="denied") if e["user_id"] == "local"]) < 10


def test_what_was_refused_is_counted_over_a_stop(scene):
    def counted():
        """How often somebody was refused, by the database: entries, and rows that become one within an hour."""
        entries = sum(int(e["count"]) for e in scene.audit(action="denied") if e["user_id"] == "local")
        return entries + scene.bot_rows("SELECT coalesce(sum(n), 0) FROM stranger WHERE source = 'local'")[0][0]

    scene.bot.stop()
    before = counted()
    scene.start_bot()
    for user in (UNKNOWN, "root", UNKNOWN, UNKNOWN, "root"):
        assert scene.ask(user, "GET", "/v1/status")[0] == 403
    scene.bot.stop()
    assert counted() == before + 5
    scene.start_bot()


def uid_of(user):
    if isinstance(user, int):
        return user
    return int(subprocess.check_output(["id", "-u", user], text=True))


def test_a_script_of_a_run_is_not_let_in(scene):
    scene.scripts.deploy(f'LOCAL_SOCKET={scene.socket} {scene.folder}/lib/deploybot deploy production 2>&1 || '
                         'echo "it ended with $?"; ' + STEADY)
    said = scene.run(ROLE, "deploy", "staging", "--wait")
    assert RUNS_SCRIPTS in said and "it ended with 77" in said
    assert scene.audit(environment="production") == []


def test_the_role_of_root_is_checked(scene):
    assert scene.ask("root", "GET", "/v1/status", headers=["Deploybot-Role: admin"])[0] == 200
    for role in ("king", "Admin", "", "admin, staging"):
        assert scene.ask("root", "GET", "/v1/status", headers=[f"Deploybot-Role: {role}"])[0] == 403, role
    twice = ["Deploybot-Role: admin", "Deploybot-Role: staging"]
    assert scene.ask("root", "GET", "/v1/status", headers=twice)[0] == 403


def test_what_somebody_may_not_see_is_not_there(scene):
    scene.scripts.deploy(STEADY)
    scene.commit("develop")
    number = scene.json(ROLE, "deploy", "staging", "--wait")["work"]
    assert scene.ask(PERSON, "GET", "/v1/work/424242") == (404, {"said": "There is no work of that number.",
                                                                 "work": None,
                                                                 "is_to_be_answered": False, "asked_until": None,
                                                                 "asked_as": None})
    assert scene.ask(PERSON, "GET", f"/v1/work/{number}")[1]["state"] == "live"


def test_there_is_nothing_but_v1_and_v1_is_nowhere_else(scene):
    assert scene.ask(PERSON, "GET", "/healthz")[0] == 200      # in which sandbox it lives, for doctor
    for path in ("/", "/metrics", "/telegram/webhook", "/github/webhook", "/v1", "/v2/status",
                 "/v1/statusx"):
        assert scene.ask(PERSON, "GET", path)[0] == 404, path
    assert scene.ask(PERSON, "POST", "/v1/status", {})[0] == 405
    assert scene.ask(PERSON, "GET", "/v1/command/deploy")[0] == 405
    assert get(scene.bot.base + "/v1/status")[0] == 404


@pytest.mark.parametrize("body", [
    b"", b"null", b"1", b'"deploy"', b"[]", b"{", b'{"arguments"', b'{"arguments": "staging"}', b'{"arguments": {}}',
    b'{"arguments": [1]}', b'{"arguments": [null]}', b'{"arguments": [["staging"]]}', b'{"arguments": [""]}',
    b'{"arguments": ["a b"]}', b'{"arguments": ["a\\n/deploy"]}', b'{"arguments": ["a\\u0000"]}',
    b'{"arguments": ["\xff"]}',
    b'{"arguments": ["a"], "more": 1}', b'{"arguments": ["a"], "arguments": ["b"]}', b'{"Arguments": []}',
    b'{"arguments": ' + b"[" * 200 + b"]" * 200 + b"}", b'{"arguments": [' + b'"a",' * 64 + b'"a"]}',
    b'{"arguments": ["' + b"a" * 9000 + b'"]}', b'{"arguments": ["staging"]} x', b"\xef\xbb\xbf{}", b"\0" * 64])
def test_json_of_a_wrong_kind_is_refused_with_what_is_right(scene, body):
    status, answer = scene.ask(PERSON, "POST", "/v1/command/deploy", body)
    assert status in (400, 411, 429), answer
    if status == 400:
        assert "expected" in answer["said"] or "longer" in answer["said"]
    assert scene.audit(action="deploy_requested", environment="production") == []


def test_other_requests_of_a_wrong_kind(scene):
    for path in ("/v1/work/0", "/v1/work/x", "/v1/work/-1", "/v1/work/1/2", "/v1/work/99999999999999999999",
                 "/v1/work", "/v1/log/1", "/v1/log/1/x", "/v1/log/1/-1", "/v1/status/UPPER", "/v1/status/a/b/c",
                 "/v1/status/%2e%2e"):
        assert scene.ask(PERSON, "GET", path)[0] == 400, path
    for word in ("", "De", "../x", "deploy/x", "x" * 40):
        assert scene.ask(ROLE, "POST", f"/v1/command/{word}", {"arguments": []})[0] == 400, word
    assert scene.ask(ROLE, "POST", "/v1/command/nothing", {"arguments": []})[0] == 409
    assert scene.ask(ROLE, "POST", "/v1/answer/1", {"answer": "maybe"})[0] == 400
    assert scene.ask(ROLE, "POST", "/v1/answer/1", {"answer": True})[0] == 400
    large = b'{"arguments": ["' + b"a" * 20000 + b'"]}'
    assert scene.ask(ROLE, "POST", "/v1/command/deploy", large)[0] == 413
    assert scene.ask(ROLE, "POST", "/v1/command/deploy", b"a=b", ["Content-Type: text/plain"])[0] == 415


def connected(scene, n):
    made = []
    for _ in range(n):
        one = socket.socket(socket.AF_UNIX)
        one.settimeout(PATIENCE_S)
        one.connect(str(scene.socket))
        made.append(one)
    return made


def test_of_64_connections_of_one_user_four_stay(scene):
    request = b"GET /v1/status HTTP/1.1\r\nHost: l\r\nDeploybot-Role: admin\r\n\r\n"
    made = connected(scene, 64)
    for one in made:
        try:
            one.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass
    served = [answered(one) for one in made]
    assert served.count(True) == 4
    fifth = scene.run("root", "status", "--as", "admin", wanted=75)
    assert "you have 4 connections open, which is the most" in fifth, fifth
    lines = [line for line in scene.bot.log().splitlines() if "no place for user" in line]
    assert len(lines) == 1 and "user 0: their connections are all taken" in lines[0] and "0 (4)" in lines[0], lines
    assert scene.run(ROLE, "status") != "", "others have places of their own"
    for one in made:
        one.close()
    wait_until(lambda: scene.ask("root", "GET", "/v1/status", headers=["Deploybot-Role: admin"])[0] == 200,
               PATIENCE_S, "a place again")


def test_users_who_are_not_let_in_leave_places_for_those_who_are(scene):
    """As many silent connections as there are places, and more, of users whom no setting names."""
    hold = subprocess.Popen(
        ["/usr/bin/python3", "-c", HOLD_MANY, str(scene.socket)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert hold.stdout.readline() == "connected\n"
        for _ in range(5):
            assert scene.run(ROLE, "status") != ""
        hold.stdin.write("\n")
        hold.stdin.flush()
        assert int(hold.stdout.readline()) <= 8, "connections of others that stay"
    finally:
        hold.kill()
        hold.wait()


# Connects as 60 users, one after another, and says how many are open still when it is asked.
HOLD_MANY = """import os, socket, sys
made = []
for uid in range(6000, 6060):
    os.seteuid(uid)
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(20)
    s.connect(sys.argv[1])
    os.seteuid(0)
    made.append(s)
print("connected", flush=True)
sys.stdin.readline()
def is_open(s):
    s.setblocking(False)
    try:
        while s.recv(4096):
            pass
        return False
    except BlockingIOError:
        return True
    except OSError:
        return False
print(sum(map(is_open, made)), flush=True)
"""


def answered(one):
    try:
        return one.recv(12) == b"HTTP/1.1 200"
    except ConnectionResetError:
        return False


def test_a_socket_that_is_not_read_holds_up_nobody(scene):
    request = b"GET /v1/history HTTP/1.1\r\nHost: l\r\nDeploybot-Role: admin\r\n\r\n"
    made = connected(scene, 4)
    for one in made:
        one.setblocking(False)
        try:
            while True:
                one.send(request)
        except BlockingIOError:
            pass
        except (BrokenPipeError, ConnectionResetError):
            pass
    for _ in range(10):
        assert json.loads(scene.run(ROLE, "status", "--json"))["environments"]
    assert get(scene.bot.base + "/healthz")[0] == 200
    for one in made:
        one.close()


def test_a_user_who_asks_too_often_is_slowed_down_alone(scene):
    statuses = set()
    request = b"GET /v1/work/1 HTTP/1.1\r\nHost: l\r\nDeploybot-Role: admin\r\n\r\n"
    with connected(scene, 1)[0] as one:
        for _ in range(2000):
            one.sendall(request)
            answer = one.recv(65536)
            statuses.update(answer.split()[1:2])
            if not answer or b"429" in statuses:
                break
    assert b"429" in statuses
    assert scene.run(ROLE, "status") != ""


def test_where_it_cannot_listen_it_starts_and_says_so(scene):
    scene.bot.stop()
    scene.start_bot(LOCAL_SOCKET="/proc/nowhere.sock")
    assert "LOCAL_SOCKET: the command line cannot reach us: listen on unix:/proc/nowhere.sock" in scene.bot.log()
    said = scene.run(PERSON, "status", wanted=69)
    assert f"nobody listens on {scene.socket}" in said and "set LOCAL_SOCKET" in said
    scene.bot.stop()
    scene.start_bot(LOCAL_SOCKET=str(scene.socket))
    assert scene.run(PERSON, "status") != ""
    assert oct(os.stat(scene.socket).st_mode & 0o777) == "0o666"


def check_config(scene, tmp_path, *users, applications=(), **settings):
    """What check-config says where these are all users of the machine."""
    passwd = tmp_path / "passwd"
    passwd.write_text("".join(f"{name}:x:{uid}:{uid}::/:/bin/sh\n" for name, uid in users), encoding="ascii")
    (tmp_path / "apps").mkdir()
    for name, text in applications:
        (tmp_path / "apps" / f"{name}.env").write_text(text, encoding="ascii")
    environment = {**scene.bot.environment(), "APPS_DIRECTORY": str(tmp_path / "apps"), **settings}
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f'mount --bind {passwd} /etc/passwd && exec "$0" check-config',
         str(scene.folder / "lib" / "deploybot")], env=environment, cwd="/", stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    return done.stdout + done.stderr


def test_two_users_that_fold_to_one_name_are_not_let_in_and_stop_nobody(scene, tmp_path):
    said = check_config(scene, tmp_path, ("root", 0), ("john.doe", 1001), ("john_doe", 1002), LOCAL_JOHN_DOE_IS="42")
    assert "warning  LOCAL_JOHN_DOE_IS: two users of this machine are meant, john.doe and john_doe: neither" in said
    assert "The settings are wrong" not in said


@pytest.mark.long
def test_who_gets_the_number_of_a_user_that_is_gone_is_nobody(tmp_path):
    """And who comes to fold to a name that is let in, takes it from both."""
    users = tmp_path / "passwd"
    rest = "".join(line for line in open("/etc/passwd", encoding="utf-8") if not line.startswith("eye"))
    users.write_text(rest + "eye.x:x:4301:4301::/:/bin/sh\n", encoding="utf-8")
    tmp_path.chmod(0o755)
    made = LocalScene(settings={"LOCAL_EYE_X_IS": MAY["LOCAL_GAMES_IS"]})
    try:
        made.bot.stop()
        made.bot.wrapper = ["unshare", "-m", "sh", "-c", f'mount --bind {users} /etc/passwd && exec "$@"', "sh",
                            *made.bot.wrapper]
        made.bot.start()
        assert made.ask(4301, "GET", "/v1/status")[0] == 200
        for left, who in (("eye.x:x:4301:4301::/:/bin/sh\neye-x:x:4302:4302::/:/bin/sh\n", None),
                          ("eye-x:x:4302:4302::/:/bin/sh\n", 4302), ("other:x:4302:4302::/:/bin/sh\n", None)):
            users.write_text(rest + left, encoding="utf-8")
            if "eye.x" in left:   # a half-written file lets nobody in either
                wait_until(lambda: "two users of this machine are meant" in made.bot.log(), PATIENCE_S, "both are read")
            wait_until(lambda who=who: {u for u in (4301, 4302) if made.ask(u, "GET", "/v1/status")[0] == 200} ==
                       ({who} if who else set()), PATIENCE_S, "the users of now")
    finally:
        made.close()


# A directory of users elsewhere, as LDAP is one: lists them never, and answers when nobody holds it.
DIRECTORY = """#include <nss.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
enum nss_status _nss_elsewhere_setpwent(int stayopen)
{
	(void)stayopen;
	for (;;)
		pause();
}
enum nss_status _nss_elsewhere_getpwnam_r(const char *name, struct passwd *ret, char *buf, size_t size, int *failed)
{
	char line[64] = "";
	FILE *users = fopen("FOLDER/users", "r");
	(void)failed;
	while (access("FOLDER/held", F_OK) == 0)
		poll(NULL, 0, 50);
	if (users == NULL || fgets(line, sizeof(line), users) == NULL)
		return NSS_STATUS_NOTFOUND;
	fclose(users);
	line[strcspn(line, "\\n")] = 0;
	if (strcmp(name, line) != 0)
		return NSS_STATUS_NOTFOUND;
	snprintf(buf, size, "%s", name);
	*ret = (struct passwd){ .pw_name = buf, .pw_passwd = "", .pw_uid = 4401, .pw_gid = 4401, .pw_gecos = "",
		.pw_dir = "", .pw_shell = "" };
	return NSS_STATUS_SUCCESS;
}
"""


@pytest.mark.long
def test_a_user_of_a_directory_elsewhere_is_found_and_it_holds_up_nobody():
    """Who comes there later too, without SIGHUP; and while it does not answer, all goes on, a reload too."""
    made = LocalScene(settings={"LOCAL_FAR_A_WAY_IS": MAY["LOCAL_GAMES_IS"]})
    there = made.sockets        # where all may read
    try:
        (there / "directory.c").write_text(DIRECTORY.replace("FOLDER", str(there)), encoding="ascii")
        subprocess.run(["cc", "-shared", "-fPIC", "-o", there / "libnss_elsewhere.so.2", there / "directory.c"],
                       check=True)
        (there / "nsswitch.conf").write_text("passwd: files elsewhere\n", encoding="ascii")
        made.bot.stop()
        made.bot.wrapper = ["unshare", "-m", "sh", "-c",
                            f'mount --bind {there}/nsswitch.conf /etc/nsswitch.conf && exec "$@"', "sh",
                            *made.bot.wrapper, "env", f"LD_LIBRARY_PATH={there}"]
        made.bot.start()
        assert "LOCAL_FAR_A_WAY_IS: there is no such user" in made.bot.log()
        made.bot.process.send_signal(signal.SIGHUP)
        wait_until(lambda: "settings reloaded: no changes" in made.bot.log(), PATIENCE_S, "a look that finds nobody")
        (there / "users").write_text("far.a_way\n", encoding="ascii")     # the look of that reload may see it
        wait_until(lambda: made.ask(4401, "GET", "/v1/status")[0] == 200, PATIENCE_S, "who came later")
        (there / "held").touch()
        for _ in range(2):
            before = made.bot.log().count("settings reloaded: no changes")
            made.bot.process.send_signal(signal.SIGHUP)
            wait_until(lambda before=before: made.bot.log().count("settings reloaded: no changes") > before,
                       PATIENCE_S, "a reload")
            assert made.ask(4401, "GET", "/v1/status")[0] == 200
        (there / "users").unlink()
        (there / "held").unlink()
        made.bot.process.send_signal(signal.SIGHUP)
        wait_until(lambda: made.ask(4401, "GET", "/v1/status")[0] == 403, PATIENCE_S, "who is gone")
    finally:
        made.close()


def test_one_user_in_either_spelling_is_found(scene, tmp_path):
    said = check_config(scene, tmp_path, ("root", 0), ("john.doe", 1001), LOCAL_JOHN_DOE_IS=MAY["LOCAL_GAMES_IS"])
    assert "LOCAL_JOHN_DOE_IS" not in said


def test_users_are_the_servers_and_no_applications(scene, tmp_path):
    said = check_config(scene, tmp_path, ("root", 0), ("ada", 1001), applications=[
        ("shop", "GITHUB_REPOSITORY=acme/shop\nLOCAL_ADA_IS=42\n")])
    assert "LOCAL_ADA_IS: is one of the whole server: it stands in the settings file" in said


@pytest.mark.long
def test_policy_explain_knows_users_of_the_machine(scene):
    def explain(who, *more):
        done = scene.as_server("policy", "explain", who, *more)
        return done.returncode, done.stdout + done.stderr
    assert explain("local:www-data", "deploy", "staging")[0] == 0
    status, said = explain("local:www-data", "deploy", "production")
    assert status == 1 and "no: local:www-data may not deploy production" in said
    assert "telegram:" in explain("local:games", "deploy", "production")[1]
    assert "no LOCAL_<USER>_IS names" in explain("local:backup", "deploy", "staging")[1]
    assert "local:www-data staging" in scene.as_server("policy", "report").stdout
