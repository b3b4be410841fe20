"""Goal: an alert reaches people by a bot of its own, and a watchdog is called while all works."""
# SPDX-License-Identifier: ISC
import http.server
import json
import os
import pathlib
import platform
import re
import signal
import subprocess
import threading

import pytest

from monitoring_aid import PATIENCE_S, SHIPPED, Prometheus, rules_text, tool
from stage import ROOT, free_port, get, wait_until
from workflow_aid import parsed

TOKEN = "223456789:BBaaBBbbCCccDDddEEeeFFffGGggHHhhIIi"
CHAT = -1001234567890
FOUND = {"alert_bot_token": TOKEN, "alert_chat_id": str(CHAT),
         "alert_watchdog_url": "https://ring.example.org/a?b=c&d"}


def fill(folder, out, *more, **changes):
    """alertmanager.sh with these values; None: none."""
    folder.mkdir(exist_ok=True)
    for name, value in {**FOUND, **changes}.items():
        (folder / name).unlink(missing_ok=True)
        if value is not None:
            (folder / name).write_text(value + "\n", encoding="utf-8")
    return subprocess.run([SHIPPED / "alertmanager.sh", folder, out, *more], check=False, capture_output=True,
                          text=True, timeout=60, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


def test_its_configuration_has_the_values_is_private_and_is_taken_by_alertmanager(tmp_path):
    out = tmp_path / "alertmanager.yml"
    out.write_text("old", encoding="ascii")
    done = fill(tmp_path / "values", out)
    assert (done.returncode, done.stdout) == (0, f"alertmanager.sh: written: {out}\n"), done
    assert out.stat().st_mode & 0o777 == 0o640 and not list(tmp_path.glob("alertmanager.yml.*"))
    text = out.read_text(encoding="utf-8")
    telegram, watchdog = parsed(text)["receivers"]
    assert telegram["telegram_configs"][0]["bot_token"] == TOKEN
    assert telegram["telegram_configs"][0]["chat_id"] == CHAT
    assert telegram["telegram_configs"][0]["api_url"] == "https://api.telegram.org"
    assert watchdog["webhook_configs"][0]["url"] == FOUND["alert_watchdog_url"]
    assert not re.search("@[A-Z_]+@", text)
    assert f"</b> on {platform.node()}: " in telegram["telegram_configs"][0]["message"]     # two may have one chat
    found = subprocess.run([tool("amtool"), "check-config", out], check=False, capture_output=True, text=True,
                           timeout=60)
    assert found.returncode == 0 and "SUCCESS" in found.stdout, found


@pytest.mark.parametrize("changes, said", [
    ({"alert_bot_token": None}, "alert_bot_token is missing: the token of a bot for alerts alone, as @BotFather"),
    ({"alert_bot_token": f'{TOKEN}"\nx: "y'}, "alert_bot_token is not the token of a bot"),
    ({"telegram_bot_token": TOKEN}, "alert_bot_token is deploybot's own: make another bot at @BotFather"),
    ({"alert_chat_id": "@team"}, "alert_chat_id is not the id of the chat that alerts go to, as -1001234567890"),
    ({"alert_chat_id": "1001234567890"}, "a group's id without its minus: did you mean -1001234567890?"),
    ({"alert_watchdog_url": None}, "alert_watchdog_url is missing: an http:// or https:// address that rings"),
    ({"alert_watchdog_url": 'https://a"b'}, "alert_watchdog_url is not an http:// or https:// address"),
    ({"alert_api_url": "ftp://x"}, "alert_api_url is not the address of a Bot API server")])
def test_a_value_that_is_none_leaves_what_is_there(tmp_path, changes, said):
    out = tmp_path / "alertmanager.yml"
    out.write_text("old", encoding="ascii")
    done = fill(tmp_path / "values", out, **changes)
    assert done.returncode == 78 and said in done.stderr and TOKEN not in done.stderr, done
    assert out.read_text(encoding="ascii") == "old" and os.listdir(tmp_path).count("alertmanager.yml") == 1


@pytest.mark.parametrize("count", [1, 5, 6, 60])
@pytest.mark.parametrize("leads", [True, False])
def test_a_message_is_whole_however_many_alerts_are_in_it(tmp_path, count, leads):
    """Sick health URLs of one environment are alerts of one group; a link that leads nowhere is left out."""
    shipped = parsed((SHIPPED / "alertmanager.yml").read_text("utf-8"))
    message = shipped["receivers"][0]["telegram_configs"][0]["message"]
    rules = parsed(rules_text())["groups"][0]["rules"]
    rule = next(rule for rule in rules if rule["alert"] == "DeploybotEnvironmentUnhealthy")
    longest = max((rule["annotations"]["description"] for rule in rules), key=len)
    url = "https://app.example.org/health?" + "a=b&" * 200
    alerts = [{"status": "firing", "labels": {"severity": "critical"}, "annotations": {
        "summary": f"production is unhealthy: {n} {url} fails", "description": longest,
        "runbook_url": rule["annotations"]["runbook_url"].replace("your-org", "orchard" if leads else "your-org")}}
              for n in range(count)]
    (tmp_path / "data").write_text(json.dumps({"alerts": alerts, "status": "firing"}), encoding="utf-8")
    done = subprocess.run([tool("amtool"), "template", "render", "--template.type=html", f"--template.text={message}",
                           "--template.glob=/usr/share/prometheus/alertmanager/default.tmpl",
                           f"--template.data={tmp_path}/data"], capture_output=True, text=True, timeout=60, check=False)
    text = done.stdout
    assert done.returncode == 0 and len(text) <= 4096, (len(text), done.stderr)
    shown = min(count, 5)
    assert text.count("<b>critical</b>") == text.count("<b>") == text.count("</b>") == shown
    assert text.count("#deploybotenvironmentunhealthy") == (shown if leads else 0), text
    assert not re.search("\n *\n", text), text
    assert (f"5 of {count}" in text) == (count > 5), text


class Far:
    """Who is called from Alertmanager: [(path, body)]."""

    def __init__(self):
        self.calls = []
        self.refuses = False    # what the bot sends
        far = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                far.calls.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
                answer = b'{"ok":true,"result":{"message_id":1,"date":1,"chat":{"id":1,"type":"group"}}}'
                kicked = far.refuses and self.path != "/ring"
                if kicked:
                    answer = b'{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked"}'
                self.send_response(403 if kicked else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def texts(self):
        return [body["text"] for path, body in list(self.calls)
                if path == f"/bot{TOKEN}/sendMessage" and int(body["chat_id"]) == CHAT]


class Alertmanager:
    def __init__(self, folder, far):
        self.port = free_port()
        config = pathlib.Path(folder) / "alertmanager.yml"
        done = fill(pathlib.Path(folder) / "values", config, alert_api_url=far.url,
                    alert_watchdog_url=f"{far.url}/ring")
        assert done.returncode == 0, done
        text = config.read_text(encoding="utf-8")
        for pattern, value in ((r"group_wait: 30s", "group_wait: 0s"), (r"group_interval: \w+", "group_interval: 1s"),
                               (r"repeat_interval: \w+", "repeat_interval: 1s")):
            text, times = re.subn(pattern, value, text)
            assert times > 0, pattern
        config.write_text(text, encoding="utf-8")
        with open(pathlib.Path(folder) / "alertmanager.log", "wb") as log:
            self.process = subprocess.Popen(
                [tool("prometheus-alertmanager"), f"--config.file={config}", f"--storage.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", "--cluster.listen-address="],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def is_up(self):
        assert self.process.poll() is None
        return get(f"http://127.0.0.1:{self.port}/-/ready")[0] == 200

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(PATIENCE_S)


def look_by_amtool(alertmanager, prometheus):
    """As docs/OPERATIONS.md has it; and a silence of all alerts stops the watchdog, which none can silence unheard."""
    page = (ROOT / "docs" / "OPERATIONS.md").read_text("utf-8")
    typed = re.findall(r"(?m)^ {4}(amtool .*)$", page)
    assert [line.split()[2:] for line in typed] == [["alert", "query"], ["silence", "query"]]

    def amtool(*words):
        done = subprocess.run([tool("amtool"), typed[0].split()[1].replace("9093", str(alertmanager.port)), *words],
                              capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done
        return done.stdout
    assert "DeploybotDown" in amtool(*typed[0].split()[2:])
    silence = amtool("silence", "add", "alertname!=DeploybotWatchdog", "--comment=x", "--duration=4h").strip()
    assert silence in amtool(*typed[1].split()[2:])
    wait_until(lambda: not prometheus.firing(alertname="DeploybotWatchdog"), PATIENCE_S, "the end of the watchdog")
    amtool("silence", "expire", silence)
    wait_until(lambda: prometheus.firing(alertname="DeploybotWatchdog"), PATIENCE_S, "the watchdog again")


def inhibited(alertmanager):
    """Whom Alertmanager keeps to itself: (alertname, instance, environment)."""
    status, body = get(f"http://127.0.0.1:{alertmanager.port}/api/v2/alerts")
    assert status == 200, body
    return sorted(tuple(alert["labels"].get(name, "") for name in ("alertname", "instance", "environment"))
                  for alert in json.loads(body) if alert["status"]["inhibitedBy"])


def test_what_another_alert_says_better_is_not_said(tmp_path):
    tool("prometheus-alertmanager")
    far = Far()
    alertmanager = Alertmanager(tmp_path, far)
    failed, down = "DeploybotDeploymentFailed", "DeploybotEnvironmentDown"
    alerts = [(failed, "a", "production"), (down, "a", "production"), (failed, "a", "staging"),
              (failed, "b", "production"), ("DeploybotDown", "c", ""), (failed, "c", "production"),
              ("DeploybotWatchdog", "c", "")]
    try:
        wait_until(alertmanager.is_up, PATIENCE_S, "Alertmanager")
        done = subprocess.run(
            ["curl", "-sSf", "-H", "Content-Type: application/json", "-d",
             json.dumps([{"labels": dict(zip(("alertname", "instance", "environment"), alert))} for alert in alerts]),
             f"http://127.0.0.1:{alertmanager.port}/api/v2/alerts"], capture_output=True, check=False, timeout=60)
        assert done.returncode == 0, done
        wait_until(lambda: inhibited(alertmanager) == [(failed, "a", "production"), (failed, "c", "production")],
                   PATIENCE_S, "those that are inhibited")
    finally:
        alertmanager.stop()
        far.server.shutdown()


@pytest.mark.long
def test_an_alert_is_in_the_chat_and_the_watchdog_is_called(tmp_path):
    tool("prometheus")
    tool("prometheus-alertmanager")
    far = Far()
    alertmanager = Alertmanager(tmp_path, far)
    hurry = [(r"for: \d+[mhd]\n", "for: 1s\n"), (r"\[15m\]\)\) > 0", "[6s])) > 0"), (r"\[1d\]", "[3s]"),
             (r"offset 1d", "offset 3s")]
    prometheus = Prometheus(tmp_path, [f"127.0.0.1:{free_port()}"], hurry,
                            alertmanager.port)
    try:
        wait_until(alertmanager.is_up, PATIENCE_S, "Alertmanager")
        prometheus.start()
        text = wait_until(lambda: next(iter(far.texts()), None), PATIENCE_S, "the alert")
        assert text.startswith(f"🔥 <b>critical</b> on {platform.node()}: deploybot does not answer\n"), text
        assert "&#34;systemctl status deploybot&#34;" in text and "your-org" not in text
        assert "Watchdog" not in text
        wait_until(lambda: len([1 for path, _ in list(far.calls) if path == "/ring"]) >= 2, PATIENCE_S, "the watchdog")
        ring = next(body for path, body in far.calls if path == "/ring")
        assert {alert["labels"]["alertname"] for alert in ring["alerts"]} == {"DeploybotWatchdog"}
        assert not [body for path, body in far.calls if path not in ("/ring", f"/bot{TOKEN}/sendMessage")]
        # Who is kicked notifies nobody of it: then the calls stop, and who is behind that URL rings.
        far.refuses = True
        wait_until(lambda: not prometheus.firing(alertname="DeploybotWatchdog"), PATIENCE_S, "the end of the watchdog")
        far.refuses = False
        wait_until(lambda: prometheus.firing(alertname="DeploybotWatchdog"), PATIENCE_S, "the watchdog again")
        look_by_amtool(alertmanager, prometheus)
    finally:
        if prometheus.process is not None:
            prometheus.stop()
        alertmanager.stop()
        far.server.shutdown()
