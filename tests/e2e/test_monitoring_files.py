"""Goal: what ships in deploy/monitoring is sound before anybody loads it: rules by promtool's unit tests,
the dashboard as Grafana reads it, and every name that is spoken of is there."""
# SPDX-License-Identifier: ISC
import itertools
import json
import re

import pytest

from monitoring_aid import (BOARDS, SHIPPED, alert_names, expressions, metric_names, promtool, queries,
                            rules_text)
from stage import ROOT

OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text(encoding="utf-8")
ALERTS = """DeploybotDown DeploybotRestarting DeploybotAgentGone
DeploybotAgentCertificate DeploybotRunnerDown DeploybotNotReceiving DeploybotDeploymentFailed
DeploybotEnvironmentDown DeploybotHostLeftOut DeploybotRolledBack DeploybotEnvironmentBusyTooLong
DeploybotEnvironmentUnhealthy DeploybotWebhooksRejected DeploybotPollFailing DeploybotGithubMissing
DeploybotVaultDown DeploybotOpaDown DeploybotSettingsRefused DeploybotMessagesStuck
DeploybotAuditExportFailing DeploybotAuditCut DeploybotAuditWithoutWitness
DeploybotDiskFull DeploybotBackupOld DeploybotCheckFailed DeploybotNoLeader DeploybotTwoLeaders DeploybotStandbyMissing
DeploybotClockWrong
DeploybotSecretOld DeploybotPreviousSecretUsed DeploybotCertificateExpiring DeploybotWatchdog""".split()
ALWAYS = {"DeploybotWatchdog"}
PANELS = [panel for board in BOARDS.values() for panel in board["panels"]]
CHARTS = [panel for panel in PANELS if panel["type"] != "row"]
BUILT_IN = {"__range", "__range_s", "__interval", "__rate_interval", "__value"}
EACH_BOARD = pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)


def our_metrics():
    source = (ROOT / "server" / "routes" / "metric_set.def").read_text(encoding="utf-8")
    process = (ROOT / "server" / "routes" / "metric_process.c").read_text(encoding="utf-8")
    return (set(re.findall(r'"(deploybot_[a-z_]+)"', source))
            | set(re.findall(r"\b(process_[a-z_]+)\b", process)))


# --- rules ---

def test_promtool_accepts_rules_and_configuration():
    for words in (("check", "rules", "alerts.yml"), ("check", "config", "prometheus.yml")):
        found = promtool(*words)
        assert found.returncode == 0 and "FAILED" not in found.stdout + found.stderr, found


@pytest.mark.long
def test_each_alert_fires_when_it_must_and_not_else():
    for file in sorted(path.name for path in SHIPPED.glob("*_test.yml")):
        found = promtool("test", "rules", file)
        assert found.returncode == 0, found.stdout + found.stderr


def test_the_alerts_are_those_that_were_promised_and_each_has_unit_tests():
    assert set(alert_names()) == set(ALERTS)
    tests = "".join(file.read_text(encoding="utf-8") for file in SHIPPED.glob("*_test.yml"))
    for name in ALERTS:
        assert re.search(rf"alertname: {name}\n +exp_alerts:\n", tests), f"{name} never fires in a test"
        assert name in ALWAYS or re.search(rf"alertname: {name}, exp_alerts: \[\]", tests), \
            f"{name} is never silent in a test"


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_it_is_what_it_is_and_what_to_do(name):
    for block in re.split(r"(?m)^ +- alert: ", rules_text())[1:]:
        if block.split()[0] != name:
            continue
        assert re.search(r"severity: ('\{\{ if match .* \$labels.environment|critical$|warning$|none$)", block, re.M)
        if not re.search(r"annotations: \*\w+$", block, re.M):
            for part in ("summary", "description", "runbook_url"):
                assert f"          {part}: " in block, part
            assert f"docs/OPERATIONS.md#{name.lower()}\n" in block
    assert re.search(rf"(?m)^### {name}$", OPERATIONS), "no section in docs/OPERATIONS.md"


def test_what_operations_tells_people_to_say_are_commands_that_there_are():
    words = set(re.findall(r"COMMAND\((\w+),", (ROOT / "server/commands/commands.def").read_text(encoding="utf-8")))
    said = set(re.findall(r"(?:[`\"]|^    )/([a-z]+)(?= [a-z]|[`\"])", OPERATIONS + rules_text(), re.M))
    assert said >= {"status", "history", "rollback", "cancel", "deploy"}
    others = {"healthz", "readyz", "metrics", "hooks", "revoke", "deletebot"}  # our addresses, @BotFather's words
    assert said - others <= words, said - words


def test_a_backup_that_hangs_has_failed_before_the_nightly_check_looks():
    """Regression: it was activating still, which is no failure."""
    units = {name: (ROOT / "deploy/systemd" / name).read_text("utf-8")
             for name in ("deploybot-backup.timer", "deploybot-backup.service", "deploybot-check.timer")}

    def minute(name):
        hour, minute = re.search(r"^OnCalendar=\*-\*-\* (\d\d):(\d\d):00$", units[name], re.M).groups()
        return int(hour) * 60 + int(minute)
    late = int(re.search(r"^RandomizedDelaySec=(\d+)m$", units["deploybot-backup.timer"], re.M)[1])
    takes = int(re.search(r"^TimeoutStartSec=(\d+)h$", units["deploybot-backup.service"], re.M)[1]) * 60
    assert minute("deploybot-check.timer") \
        > minute("deploybot-backup.timer") + late + takes


# --- names ---

@pytest.mark.parametrize("text", [rules_text(), " ".join(q[2] for q in queries())], ids=["rules", "dashboards"])
def test_every_metric_that_is_asked_for_is_one_of_ours(text):
    if text == rules_text():
        text = " ".join(expression for _, expression in expressions())
    asked = metric_names(text)
    assert len(asked) >= 10
    assert asked <= our_metrics(), f"not ours: {asked - our_metrics()}"


def test_what_is_made_for_alerts_and_dashboards_is_used_by_them():
    asked = metric_names(" ".join([q[2] for q in queries()] + [e for _, e in expressions()]))
    ours = {name for name in our_metrics() if name.startswith("deploybot_")}
    assert ours <= asked, f"nobody looks at {ours - asked}"


def test_each_row_of_the_metrics_is_fed_by_something():
    """test_metric_set.c feeds those without labels itself."""
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "server").rglob("*.c"))
    rows = re.findall(r'^METRIC\("\w+", \w+, (\w+),',
                      (ROOT / "server/routes/metric_set.def").read_text(encoding="utf-8"), re.M)
    assert len(rows) >= 40
    assert set(rows) <= set(re.findall(r"\bMETRIC_(\w+)", source))


def test_what_is_asked_for_its_increase_is_at_zero_before_it_counts():
    """test_metric_set.c sees that of each counter and histogram of the table but of those that it names."""
    kinds = dict(re.findall(r'^METRIC\("(\w+)", (\w+),',
                            (ROOT / "server/routes/metric_set.def").read_text(encoding="utf-8"), re.M))
    unit = (ROOT / "tests/unit/test_metric_set.c").read_text(encoding="utf-8")
    from_nowhere = set(re.findall(r'^\t"(\w+)",$', re.search(r"from_nowhere\[\] = \{(.*?)\};", unit, re.S)[1], re.M))
    asked = {}
    for whose, texts in (("alerts", [e for _, e in expressions()]), ("panels", [q[2] for q in queries()])):
        text = " ".join(texts)
        names = metric_names(" ".join(re.findall(r"\b(?:increase|rate|irate|delta|resets)\(([^)]*)", text)))
        asked[whose] = {re.sub("_(bucket|count|sum)$", "", name) for name in names if name.startswith("deploybot_")}
    assert len(asked["alerts"]) >= 3 and len(asked["panels"]) >= 8
    assert {kinds[name] for name in asked["alerts"] | asked["panels"]} == {"COUNTER", "HISTOGRAM"}
    assert not asked["alerts"] & from_nowhere, "the first event after a start would raise no alert"
    assert from_nowhere <= asked["panels"], "nobody asks: it needs no reason"


# --- the dashboards ---

@EACH_BOARD
def test_a_dashboard_is_read_by_grafana_10_and_later(board):
    assert board["schemaVersion"] == 38, "10.0's; later ones migrate it themselves"
    assert board["uid"] and board["title"] and "id" not in board and "__inputs" not in board
    kinds = {"row", "stat", "timeseries", "table", "state-timeline"}
    assert {panel["type"] for panel in board["panels"]} <= kinds, "core panels only: no plugin is needed"


def test_each_dashboard_leads_to_the_other():
    releases, operations = BOARDS["releases"], BOARDS["operations"]
    for board, other in ((releases, operations), (operations, releases)):
        assert f"/d/{other['uid']}" in [link["url"] for link in board["links"]]


@EACH_BOARD
def test_ids_are_unique_and_nothing_lies_on_something_else(board):
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    titles = [panel["title"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)
    cells = {}
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] >= 0 and at["w"] > 0 and at["h"] > 0 and at["x"] + at["w"] <= 24, panel["title"]
        for cell in itertools.product(range(at["x"], at["x"] + at["w"]), range(at["y"], at["y"] + at["h"])):
            assert cell not in cells, f"{panel['title']} lies on {cells[cell]}"
            cells[cell] = panel["title"]


@pytest.mark.parametrize("panel", CHARTS, ids=[panel["title"] for panel in CHARTS])
def test_a_panel_explains_itself_and_each_of_its_queries_has_a_name(panel):
    assert len(panel["description"]) > 10
    assert panel["targets"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)
    for target in panel["targets"]:
        assert target["expr"].strip() and target["legendFormat"]
        assert target["datasource"] == panel["datasource"]
        assert target["instant"] != target["range"]
    defaults = panel["fieldConfig"]["defaults"]
    assert defaults["thresholds"]["steps"][0]["value"] is None
    numbers = [step["value"] for step in defaults["thresholds"]["steps"][1:]]
    assert numbers == sorted(numbers)
    if panel["type"] in ("stat", "timeseries"):
        assert defaults["unit"]


@EACH_BOARD
def test_every_variable_that_is_used_is_defined_and_the_other_way_round(board):
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps({**board, "templating": None})))
    assert used - BUILT_IN - {"datasource"} <= defined, used - defined
    assert defined <= used, defined - used


def test_links_lead_to_sections_that_there_are():
    links = [link["url"] for panel in PANELS for link in panel.get("links", [])]
    anchors = {link.removeprefix("${docs}#") for link in links}
    assert anchors == {name.lower() for name in set(ALERTS) - ALWAYS}, "each alert is reached from a panel"
    for board in BOARDS.values():
        docs = next(v for v in board["templating"]["list"] if v["name"] == "docs")
        assert f"runbook_url: {docs['query']}#" in rules_text(), "the same document as the alerts'"


def test_health_and_deployments_are_not_one_picture():
    """What failed to be released has changed nothing: red there is no reason to get up."""
    health = [panel["title"] for panel in CHARTS if "deploybot_health_up" in json.dumps(panel)]
    assert health == ["Health", "Healthy"]
    for panel in CHARTS:
        if panel["title"] in health:
            assert metric_names(panel["targets"][0]["expr"]) == {"deploybot_health_up"} and not panel["targets"][1:]


def test_what_is_live_is_named_as_people_do():
    table = next(panel for panel in CHARTS if panel["title"] == "Environments")
    assert "by (environment, commit, subject, by)" in table["targets"][0]["expr"]
    shown = table["transformations"][1]["options"]["renameByName"]
    assert (shown["subject"], shown["by"]) == ("Subject", "Released by")
    assert "${repository}/commit/${__value.raw}" in json.dumps(table["fieldConfig"])


def test_there_is_a_place_for_two_queries_of_ones_own():
    board = BOARDS["releases"]
    fields = [v["name"] for v in board["templating"]["list"] if v["type"] == "textbox" and v["name"].startswith("own_")]
    shown = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(fields) == 2 and all(shown.count("$" + name) == 1 for name in fields)
    assert not any("$own_" in json.dumps(panel) for panel in BOARDS["operations"]["panels"])


def test_no_figure_is_called_what_it_is_not():
    """From a failure to the next release is no time to restore: an automatic rollback restores, and is neither."""
    assert "restore" not in json.dumps([[panel["title"], panel.get("description")] for panel in PANELS]).lower()


def test_each_outcome_of_a_deployment_has_a_colour():
    flow = (ROOT / "server/deployment/deploy_flow.h").read_text(encoding="utf-8")
    final = {word.lower() for word in re.findall(r"S\((\w+), .*FINAL\)", flow)} - {"done"}    # an action's end
    panel = next(p for p in PANELS if p["title"] == "Deployments by outcome")
    assert {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]} == final


def test_grafana_is_told_where_prometheus_and_the_dashboards_are():
    folder = SHIPPED / "grafana" / "provisioning"
    source = (folder / "datasources" / "deploybot.yml").read_text(encoding="utf-8")
    boards = (folder / "dashboards" / "deploybot.yml").read_text(encoding="utf-8")
    assert "url: http://prometheus:9090\n" in source and "uid: prometheus\n" in source
    assert "path: /var/lib/grafana/dashboards\n" in boards
    for text in (source, boards):
        assert "apiVersion: 1\n" in text
