"""Goal: behind a proxy that is not nginx a blue/green release loses no request, with what docs/deploy-scripts.md says
to type: Caddy, which takes its configuration over a socket; one that refuses it keeps the earlier release."""
# SPDX-License-Identifier: ISC
import threading

import pytest

from stage import get, wait_until
from targets_aid import PATIENCE_S
from typed import type_blocks

DOCS = "Another proxy than nginx"
CADDY = {"NGINX_UPSTREAM_FILE": "/etc/caddy/deploybot/app.conf", "NGINX_RELOAD_COMMAND": "/usr/local/bin/reload-caddy"}
REQUESTS = 300


class People:
    """One after the other asks, each on a connection of its own; what was no good answer is kept."""

    def __init__(self, host):
        self.host = host
        self.asked = 0
        self.failed = []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.ask)

    def ask(self):
        while not self.over.is_set():
            status, body = get(f"http://{self.host.address}/health")
            self.asked += 1
            if status != 200:
                self.failed.append((status, body))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


@pytest.fixture
def host(bed):
    """h1 with Caddy in nginx's place."""
    made = bed.hosts["h1"]
    if made.try_run("command -v caddy").returncode != 0:
        pytest.skip("no caddy is installed there: BED=trixie has one")
    made.run("nginx -s quit; while pgrep -x nginx >/dev/null; do sleep 0.1; done")
    made.run("mkdir -p /etc/caddy; caddy start --config /etc/caddy/Caddyfile >/bed/caddy.log 2>&1")
    type_blocks(made, DOCS, "# /etc/caddy/Caddyfile", "#!/bin/sh\n# /usr/local/bin/reload-caddy", "install -d")
    yield made
    made.run("caddy stop; while pgrep -x caddy >/dev/null; do sleep 0.1; done; rm -rf /etc/caddy/deploybot; "
             "nginx >>/bed/nginx.log 2>&1")


def test_a_release_behind_caddy_loses_no_request_and_what_caddy_refuses_is_not_released(make_scene, host):
    scene = make_scene("bluegreen", hosts=["h1"], settings=CADDY)
    first = scene.release()
    with People(host) as people:
        scene.release()
        said = scene.attempt("/rollback production")
        assert "↩️ Rolled back: production" in said and first[:7] in said, said + scene.last_log()
        scene.all_run(first)
        wait_until(lambda: people.asked >= REQUESTS, PATIENCE_S, f"{REQUESTS} requests")
        host.run("echo 'nonsense {' >/etc/caddy/deploybot/other.caddy")
        scene.change()
        said = scene.attempt()
        assert 'reload-caddy" failed' in said and "Live: production" not in said, said + scene.last_log()
        assert scene.answers() == {"h1": first}
    print(f"proxy: {people.asked} requests, failed: {people.failed or 'none'}", flush=True)
    assert not people.failed
    host.run("rm /etc/caddy/deploybot/other.caddy")
    scene.release()
