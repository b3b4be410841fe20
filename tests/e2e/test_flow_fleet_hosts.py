"""Goal: what is live comes to the hosts that failed alone, and /status and doctor ask each host at its own health URL,
by the real server, runner and scripts.  Only what a host would do is a stand-in."""
# SPDX-License-Identifier: ISC
import http.server
import threading

import pytest

from fleet import own_build, settings_of
from flow_aid import ANY, ended_well
from test_flow_waves import Fleet

ONE, TWO, OTHER = "127.0.0.1", "127.0.0.2", "127.0.0.3"


class Health(http.server.BaseHTTPRequestHandler):
    bad = set()

    def do_GET(self):
        self.send_response(503 if self.headers["Host"].split(":")[0] in self.bad else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    folder = tmp_path_factory.mktemp("fleet")
    with http.server.ThreadingHTTPServer(("0.0.0.0", 0), Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = Fleet(folder / "scene", settings={
            **settings_of((ONE, TWO, OTHER), "1, 100%"), "STAGING_FAILURES_MAX": "1",
            "STAGING_HEALTH_URL": f"http://{{host}}:{server.server_port}/healthz"}, build=own_build(folder / "build"))
        yield made
        ended_well(made)
        server.shutdown()


def live(scene, hosts):
    commit, who = scene.commit("develop")["after"], scene.admin()
    who.say("/deploy staging")
    who.hear("Live: staging", commit[:7], f"live on {hosts} of 3 hosts", confirms=ANY)
    return commit


def test_what_is_live_comes_to_the_host_that_failed_and_to_no_other(scene):
    before = live(scene, 3)
    scene.mark(f"fails-{OTHER}:22").touch()
    commit, who = live(scene, 2), scene.admin()
    assert (scene.runs_on(ONE), scene.runs_on(OTHER)) == (commit, before)
    scene.mark(f"fails-{OTHER}:22").unlink()
    switched = len(scene.switched(commit))
    who.say("/deploy staging failed")
    who.press(who.hear("1 host: " + OTHER, f"release {commit[:7]}, which is live"), "Deploy")
    who.hear("Live: staging", commit[:7], "on 1 more host, 3 of 3 run it")
    assert scene.runs_on(OTHER) == commit
    assert scene.switched(commit)[switched:] == [f"{OTHER}:22"]
    who.say("/deploy staging failed")
    who.hear("each host that is known runs what is live")


def test_status_and_doctor_say_on_how_many_hosts_it_is_healthy(scene):
    live(scene, 3)
    who = scene.admin()
    who.say("/status staging")
    who.hear("staging", "healthy on 3 of 3")
    Health.bad = {OTHER}
    who.say("/status staging")
    who.hear("staging", f"healthy on 2 of 3 ({OTHER}: 503)")
    said = scene.bot.run("doctor").stdout
    assert f"is live and healthy on 2 of 3 ({OTHER}: 503)" in said, said
    Health.bad = set()
    said = scene.bot.run("doctor").stdout
    assert "is healthy on 3 of 3" in said, said
