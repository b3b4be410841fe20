"""Goal: a real Prometheus scrapes an application whose errors are turned up: what bakes there is rolled back."""
# SPDX-License-Identifier: ISC
import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest

from flow_aid import ANY, Scene, ended_well
from stage import free_port, wait_until

BAKE_S = 180
CONFIG = """global:
  scrape_interval: 1s
scrape_configs:
  - job_name: staging
    static_configs:
      - targets: ["127.0.0.1:%d"]
"""
RATE = "sum(rate(shop_%s_total{job={environment}}[15s]))"

pytestmark = pytest.mark.skipif(shutil.which("prometheus") is None, reason="there is no prometheus here")


class Shop:
    """Serves a hundred requests between two scrapes, so many of which fail."""

    def __init__(self):
        self.requests = self.errors = self.failing = 0
        shop = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                shop.requests += 100
                shop.errors += shop.failing
                body = "".join(f"# TYPE shop_{name}_total counter\nshop_{name}_total {value}\n" for name, value in (
                    ("requests", shop.requests), ("errors", shop.errors))).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(name="shop")
def _shop():
    shop = Shop()
    yield shop
    shop.close()


@contextlib.contextmanager
def prometheus_of(folder, shop):
    """Its URL."""
    port = free_port()
    (folder / "prometheus.yml").write_text(CONFIG % shop.server.server_address[1], encoding="ascii")
    with subprocess.Popen(["prometheus", f"--config.file={folder / 'prometheus.yml'}",
                           f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
                           "--log.level=warn"]) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


@pytest.fixture(name="prometheus")
def _prometheus(tmp_path, shop):
    with prometheus_of(tmp_path, shop) as url:
        yield url


def settings_of(prometheus):
    """A bake of a minute that looks at the rate of errors."""
    return {"PROMETHEUS_URL": prometheus, "STAGING_BAKE": "1m", "STAGING_BAKE_PRESENT": "up{job={environment}} == 1",
            "STAGING_BAKE_QUERY": f"errors: {RATE % 'errors'} / {RATE % 'requests'} > 1%"}


def wait_for_rate(prometheus):
    """Until there is what a release is compared with."""
    rate = (RATE % "requests").replace("{environment}", '"staging"')
    wait_until(lambda: [value for value in asks(prometheus, rate) or [] if value > 0], 60, "a rate")


def asks(url, query):
    """The values of that query now; None: it does not answer."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?" + urllib.parse.urlencode({"query": query})) as answer:
            return [float(one["value"][1]) for one in json.load(answer)["data"]["result"]]
    except OSError:
        return None


def test_errors_that_are_turned_up_roll_it_back(tmp_path_factory, prometheus, shop):
    scene = Scene(tmp_path_factory.mktemp("bake"), settings=settings_of(prometheus))
    try:
        before = scene.commit("develop")["after"]
        who = scene.admin()
        who.say("/deploy staging")
        who.press(who.hear("Baking: staging", before[:7], confirms=ANY), "Live now")
        who.hear("Live: staging", before[:7])
        wait_for_rate(prometheus)
        commit = scene.commit("develop")["after"]
        who.say("/deploy staging")
        who.hear("Baking: staging", commit[:7], confirms=ANY)
        shop.failing = 5
        who.hear("Rolled back: staging", "errors 5 % > 1 %, before 0 %", commit[:7], timeout=BAKE_S)
        assert scene.runs("staging") == before == scene.state_file("staging")["commit"]
    finally:
        ended_well(scene)
