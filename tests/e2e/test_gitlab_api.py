"""Goal: doctor says of which projects GitLab's API is open to the token, and whether their webhooks are on; of each
trouble what to do."""
# SPDX-License-Identifier: ISC
import pytest

from gitlab_api import GitlabApi
from ops_aid import bare

TOKEN = "glpat-" + "4Kx9Qm2Rv7" * 2
PATH = "orchard/fruit/shop"
HOOK = {"id": 7, "url": "https://bot.example.org/forge/webhook/gitlab", "alert_status": "executable",
        "disabled_until": None, "push_events": True}


@pytest.fixture(name="api")
def _api():
    api = GitlabApi({TOKEN: [PATH]})
    api.hooks.append(dict(HOOK))
    yield api
    api.stop()


def said(folder, api, **more):
    given = {"GITHUB_REPOSITORY": "", "REPOSITORY_PATH": PATH, "GITLAB_URL": api.url, "GITLAB_API_TOKEN": TOKEN,
             "REPOSITORY_URL": str(folder), "WATCH_PIPELINES": "none", "GITHUB_WEBHOOK_SECRET": None, **more}
    found = bare(folder, **given).run("doctor").stdout
    assert TOKEN not in found, found
    return [line for line in found.splitlines() if " GitLab: " in line]


def test_a_project_whose_pipelines_can_be_read_and_whose_webhook_is_on(tmp_path, api):
    assert said(tmp_path, api) == [f"ok       GitLab: {PATH}: its pipelines can be read, and its webhook is on"]
    assert [path.rpartition("/")[2] for path, _ in api.calls] == ["self", "pipelines?per_page=1", "hooks?per_page=100"]


@pytest.mark.parametrize("secret, words", (("0123456789abcdef" * 2, "on"), ("", "off: no FORGE_WEBHOOK_SECRET")))
def test_what_was_understood_has_its_project(tmp_path, api, secret, words):
    given = {"GITHUB_REPOSITORY": "", "REPOSITORY_PATH": PATH, "GITLAB_URL": api.url, "GITLAB_API_TOKEN": TOKEN,
             "WATCH_PIPELINES": "none", "FORGE_WEBHOOK_SECRET": secret}
    shown = bare(tmp_path, **given).run("check-config").stdout
    assert f"gitlab:   {PATH}, /forge/webhook/gitlab {words}\n" in shown, shown


def test_the_path_is_that_of_its_url(tmp_path, api):
    line, = said(tmp_path, api, REPOSITORY_PATH=None, REPOSITORY_URL=f"https://127.0.0.1/{PATH}.git")
    assert line.startswith(f"ok       GitLab: {PATH}: ")


@pytest.mark.parametrize("is_now, until, words", (
    ("disabled", None, "its webhook is disabled: see"),
    ("temporarily_disabled", "2026-11-27T12:00:00Z", "is temporarily_disabled until 2026-11-27T12:00:00Z: see")))
def test_a_webhook_that_was_switched_off_is_an_error(tmp_path, api, is_now, until, words):
    api.hooks[0].update(alert_status=is_now, disabled_until=until)
    api.hooks.append({**HOOK, "url": "https://other.example.org/x"})
    line, = said(tmp_path, api)
    assert line.startswith(f"error    GitLab: {PATH}: its webhook is ") and words in line and "Recent events" in line


@pytest.mark.parametrize("url", ("https://ci.example.org/", "https://old.example.org/forge/webhook/gitlab"))
def test_a_project_without_a_webhook_of_ours_is_warned_of(tmp_path, api, url):
    api.hooks[0]["url"] = url
    line, = said(tmp_path, api, PUBLIC_URL="https://bot.example.org")
    assert line.startswith(f"warning  GitLab: {PATH}: no webhook there sends to /forge/webhook/gitlab: ")


def test_a_token_that_may_not_see_webhooks_reads_pipelines(tmp_path, api):
    api.troubles.append(("/hooks", 403))
    line, = said(tmp_path, api)
    assert line.startswith(f"ok       GitLab: {PATH}: its pipelines can be read; whether its webhook is on is not")
    assert "Maintainer" in line


@pytest.mark.parametrize("trouble, level, words", (
    (401, "error  ", "make another GITLAB_API_TOKEN there, with read_api"),
    (404, "error  ", "compare GITLAB_URL and REPOSITORY_PATH with its page"),
    (502, "warning", "ask again later")))
def test_each_trouble_says_what_to_do(tmp_path, api, trouble, level, words):
    api.troubles.extend((404 if trouble == 404 else None, trouble))
    line, = said(tmp_path, api)
    assert line.startswith(f"{level}  GitLab: {PATH}: its pipelines cannot be read (HTTP {trouble}") and words in line


def test_another_projects_token_is_no_token(tmp_path, api):
    line, = said(tmp_path, api, REPOSITORY_PATH="orchard/other")
    assert line.startswith("error    GitLab: orchard/other: its pipelines cannot be read (HTTP 404: 404 Project Not F")


@pytest.mark.parametrize("more, level, words", (
    ({"PIPELINE_RELEASE": ".gitlab-ci.yml ref=main"}, "error  ", "PIPELINE_<NAME>: make one with it there"),
    ({}, "warning", "REPORT_DEPLOYMENTS: make one with it there, or set that to false")))
def test_a_token_that_may_only_read_lacks_what_writes_need(tmp_path, api, more, level, words):
    api.readers.add(TOKEN)
    lines = said(tmp_path, api, **more)
    assert any(line.startswith(f'{level}  GitLab: {PATH}: GITLAB_API_TOKEN lacks the scope "api"') for line in lines)
    assert words in "".join(lines)


def test_a_token_that_only_reads_is_enough_where_nothing_is_written(tmp_path, api):
    api.readers.add(TOKEN)
    line, = said(tmp_path, api, REPORT_DEPLOYMENTS="false")
    assert line.startswith("ok       ")


def test_a_repository_elsewhere_is_not_asked_about(tmp_path, api):
    """The token of the main file is every application's."""
    assert said(tmp_path, api, REPOSITORY_URL=f"https://github.com/{PATH}.git") == [] and api.calls == []
