"""What ships in deploy/monitoring, as data; and a real Prometheus that reads it, in a hurry."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import urllib.parse

import pytest

from stage import ROOT, free_port, get, wait_until

SHIPPED = ROOT / "deploy" / "monitoring"
PATIENCE_S = 90
NAME = re.compile(r"\b(?:deploybot|process)_[a-z_]+\b")


def rules_text():
    return (SHIPPED / "alerts.yml").read_text(encoding="utf-8")


def alert_names():
    return re.findall(r"^ +- alert: (\w+)$", rules_text(), re.M)


def expressions():
    """(alert, expression) of each rule; what is folded is one line."""
    found = []
    for block in re.split(r"(?m)^ +- alert: ", rules_text())[1:]:
        name = block.split()[0]
        text = re.search(r"(?ms)^        expr: (.*?)^        (?:for|labels):", block).group(1)
        found.append((name, " ".join(text.removeprefix(">-").split())))
    return found


BOARDS = {name: json.loads((SHIPPED / "dashboards" / f"{name}.json").read_text(encoding="utf-8"))
          for name in ("releases", "operations")}


def queries():
    """(panel, reference, expression) of everything that the dashboards ask Prometheus."""
    found = []
    for board in BOARDS.values():
        found += [(panel["title"], target["refId"], as_set(board, target["expr"]))
                  for panel in board["panels"] for target in panel.get("targets", [])]
        found += [(f"annotation {a['name']}", "", a["expr"]) for a in board["annotations"]["list"] if "expr" in a]
    return found


def as_set(board, expression):
    """With the queries that a team may replace by its own."""
    for variable in board["templating"]["list"]:
        if variable["name"].startswith("own_"):
            expression = expression.replace("$" + variable["name"], variable["query"])
    return expression


def metric_names(text):
    """Names of metrics in a text of PromQL, without what a histogram puts behind its own."""
    text = re.sub(r'"[^"]*"', '""', text)
    return {re.sub(r"(?<=_seconds)_(bucket|sum|count)$", "", name) for name in NAME.findall(text)}


def filled_in(expression, span="5m", seconds=300):
    """As Grafana would ask it, with everything chosen."""
    for name, value in ((":1m]", ":5s]"), ("$__rate_interval", "1m"), ("$__interval", span),
                        ("$__range_s", str(seconds)), ("$__range", span), ("$environment", ".*"), ("$instance", ".*")):
        expression = expression.replace(name, value)
    assert "$" not in expression, expression
    return expression


def tool(program):
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed (package prometheus)")
    return found


def promtool(*words, cwd=SHIPPED):
    # Its garbage is looked for less often: a tenth of what it takes.
    return subprocess.run([tool("promtool"), *words], cwd=cwd, capture_output=True, text=True,
                          timeout=300, check=False, env={**os.environ, "GOGC": "400"})


class Prometheus:
    """The shipped configuration with other targets, second by second; changes: (pattern, replacement)
    pairs for the rules, each of which must be found; alertmanager: its port (9: nobody's)."""

    def __init__(self, folder, targets, changes=(), alertmanager=9):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        config = (SHIPPED / "prometheus.yml").read_text(encoding="utf-8")
        config, times = re.subn(r"15s", "1s", config)
        assert times == 2
        listed = ", ".join(f'"{target}"' for target in targets)
        config, times = re.subn(r'targets: \["127\.0\.0\.1:8080"\]', f"targets: [{listed}]", config)
        assert times == 1
        config, times = re.subn(r"127\.0\.0\.1:9093", f"127.0.0.1:{alertmanager}", config)
        assert times == 2       # who is notified, and whether it could
        config = config.replace("127.0.0.1:9090", f"127.0.0.1:{self.port}")
        rules = rules_text()
        for pattern, value in changes:
            rules, times = re.subn(pattern, value, rules)
            assert times > 0, pattern
        (self.folder / "prometheus.yml").write_text(config, encoding="utf-8")
        (self.folder / "alerts.yml").write_text(rules, encoding="utf-8")
        self.process = None

    def start(self):
        with open(self.folder / "prometheus.log", "ab") as log:
            self.process = subprocess.Popen(
                [tool("prometheus"), f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 "--rules.alert.resend-delay=1s"],      # what was sent before it knew to whom is lost
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

        def is_up():
            assert self.process.poll() is None, (self.folder / "prometheus.log").read_text(encoding="utf-8")
            return get(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200
        wait_until(is_up, PATIENCE_S, "Prometheus")
        return self

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)

    def api(self, path, **words):
        status, body = get(f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(words)}", 30)
        assert status in (200, 400, 422), body
        return json.loads(body)

    def query(self, expression):
        """[(labels, value)]; AssertionError when Prometheus refuses the expression."""
        found = self.api("query", query=expression)
        assert found["status"] == "success", (expression, found)
        return [(x["metric"], float(x["value"][1])) for x in found["data"]["result"]]

    def firing(self, **labels):
        """{alert: its labels} of those that fire and have these labels."""
        return {a["labels"]["alertname"]: a["labels"] for a in self.api("alerts")["data"]["alerts"]
                if a["state"] == "firing" and all(a["labels"].get(k) == v for k, v in labels.items())}
