"""Goal: doctor says on which repositories GitHub's API is open to the App or the token, and of each trouble what to do;
a stand-in that holds all against GitHub's own description answers."""
# SPDX-License-Identifier: ISC
import http.client
import json
import time

import jwt
import pytest

from github_api import APP_ID, DESCRIPTION, Api, sample, wrong
from ops_aid import bare

TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
APPLICATION = "GITHUB_REPOSITORY={}\nREPOSITORY_URL=/nowhere/{}.git\nENVIRONMENTS=staging\nSTAGING_PORT={}\n"


@pytest.fixture(name="api")
def _api():
    api = Api({"octo": {"id": 7, "repositories": ["octo/shop", "octo/web"],
                        "permissions": {"metadata": "read", "actions": "write"}},
               "other": {"id": 8, "repositories": ["other/blog"], "permissions": {"metadata": "read"}}},
              {TOKEN: {"repositories": ["octo/shop"], "permissions": {"metadata": "read"}}})
    yield api
    api.stop()


def made(folder, api, by_app=True, **more):
    """A bot of three repositories."""
    (folder / "apps").mkdir(parents=True)
    for port, (name, repository) in enumerate((("web", "octo/web"), ("blog", "other/blog"))):
        (folder / "apps" / f"{name}.env").write_text(APPLICATION.format(repository, name, 9100 + port), "utf-8")
    key = folder / "app.pem"
    key.write_text(api.pem, encoding="ascii")
    key.chmod(0o600)
    given = {"GITHUB_APP_ID": str(APP_ID), "GITHUB_APP_KEY_FILE": str(key)} if by_app else {"GITHUB_API_TOKEN": TOKEN}
    return bare(folder, GITHUB_REPOSITORY="octo/shop", ENVIRONMENTS="staging", PRODUCTION_PORT=None,
                APPS_DIRECTORY=str(folder / "apps"), **{
                    "GITHUB_WEBHOOK_SECRET": None, "GITHUB_API_URL": api.url, "WATCH_PIPELINES": "none",
                    "REPORT_DEPLOYMENTS": "false", **given, **more})


def said(bot):
    """Of GitHub's API, and of nothing else."""
    found = bot.run("doctor")
    assert "ghs_" not in found.stdout and TOKEN not in found.stdout and "PRIVATE" not in found.stdout, found.stdout
    return sorted(line for line in found.stdout.splitlines() if " GitHub: " in line and "pushes" not in line)


def lacks(repository, detail):
    return (f'error    GitHub: {repository}: every call lacks "Metadata: read" ({detail}): give it, and this '
            "repository, to the App or token at GitHub, and accept it where the App is installed")


def no_token(repository, detail, what="on the App's page at GitHub, Install App, and choose this repository"):
    return f"error    GitHub: {repository}: the App gets no token there ({detail}): {what}"


def test_an_app_is_tried_on_each_repository(tmp_path, api):
    assert said(made(tmp_path, api)) == [f"ok       GitHub: App {APP_ID} on 3 of 3 repositories"]
    names = ("octo/shop", "octo/web", "other/blog")
    assert sorted(one for one in api.calls if one[0] == "GET") == sorted(
        ("GET", f"/repos/{name}{behind}", 200) for name in names for behind in ("", "/installation"))
    assert sorted(api.made) == [("octo", ["octo/shop", "octo/web"], {"metadata": "read"}),
                                ("other", ["other/blog"], {"metadata": "read"})], "one each, for what is in use alone"


def test_a_token_is_tried_on_each_repository(tmp_path, api):
    assert said(made(tmp_path, api, by_app=False)) == [
        lacks("octo/web", "HTTP 404: Not Found"), lacks("other/blog", "HTTP 404: Not Found"),
        'warning  GitHub: GITHUB_API_TOKEN on 1 of 3 repositories; every call lacks "Metadata: read"']


def test_where_nothing_is_set_nothing_is_asked(tmp_path, api):
    assert not said(bare(tmp_path, GITHUB_API_URL=api.url, GITHUB_WEBHOOK_SECRET=None)) and not api.calls


def test_where_jobs_report_no_push_is_missed(tmp_path):
    given = {"GITHUB_WEBHOOK_SECRET": None, "POLL_REPOSITORY_SECONDS": "0"}
    assert "warning  GitHub: no push is ever found: " in bare(tmp_path, **given).run("doctor").stdout
    given |= {"WORKFLOW_CI_MAY": "deploy:staging", "ENABLE_API_SERVER": "true", "PUBLIC_URL": "https://bot.example.org",
              "WORKFLOW_CI_IS": "github 456789 ci-cd.yml@refs/heads/main"}
    found = bare(tmp_path, **given).run("doctor").stdout
    assert "ok       GitHub: no push is looked for: " in found and "ever found" not in found, found


def test_a_repository_without_the_app_is_named(tmp_path, api):
    del api.installations["other"]
    assert said(made(tmp_path, api)) == [no_token("other/blog", "HTTP 404: Not Found"),
                                         f"warning  GitHub: App {APP_ID} on 2 of 3 repositories"]


def test_a_permission_that_is_missing_is_named(tmp_path, api):
    api.installations["octo"]["permissions"] = {"actions": "write"}
    detail = "HTTP 403: Resource not accessible by integration"
    assert said(made(tmp_path, api)) == [
        lacks("octo/shop", detail), lacks("octo/web", detail),
        f'warning  GitHub: App {APP_ID} on 1 of 3 repositories; every call lacks "Metadata: read"']


@pytest.mark.parametrize("name, value", (("WATCH_PIPELINES", "*"), ("REPORT_DEPLOYMENTS", "true")))
def test_what_only_says_more_is_no_error(tmp_path, api, name, value):
    summed, *lines = [line for line in said(made(tmp_path, api, **{name: value})) if "no event of" not in line]
    assert summed.startswith(f"ok       GitHub: App {APP_ID} on 3 of 3 repositories; {name} lacks "), summed
    assert lines and all(line.startswith("warning  GitHub: ") and f"{name} lacks" in line for line in lines), lines


def test_where_no_event_comes_that_is_said(tmp_path, api):
    lines = said(made(tmp_path, api, WATCH_PIPELINES="*"))
    assert any(line.startswith("warning  GitHub: no event of octo/shop comes: set GITHUB_APP_WEBHOOK_SECRET or ")
               for line in lines), lines
    heard = said(made(tmp_path / "other", api, WATCH_PIPELINES="*", GITHUB_WEBHOOK_SECRET="0123456789abcdef" * 2))
    assert "no event" not in "\n".join(heard), heard


def test_a_suspended_installation_is_named(tmp_path, api):
    api.installations["other"]["suspended"] = True
    assert no_token("other/blog", "the App's installation there is suspended", "at GitHub, Settings > Applications > "
                    "Configure, Unsuspend it") in said(made(tmp_path, api))


def test_an_id_of_no_app_is_said_once_for_each_repository(tmp_path, api):
    lines = said(made(tmp_path, api, GITHUB_APP_ID="999", STAGING_REQUIRE_CI="ci.yml"))
    what = "compare GITHUB_APP_ID with the App ID on its page at GitHub"
    assert lines[:-1] == [no_token(name, "HTTP 404: Integration not found", what)
                          for name in ("octo/shop", "octo/web", "other/blog")], lines


def test_what_begins_runs_may_write(tmp_path, api):
    more = {"WATCH_PIPELINES": "none", "STAGING_REQUIRE_CI": "ci.yml", "PIPELINE_RELEASE": "release.yml ref=main"}
    api.workflows["ci.yml"] = {"inputs": (), "branches": ("main",)}
    for one in api.installations.values():
        one["permissions"] = {"metadata": "read", "actions": "read"}
    found = said(made(tmp_path, api, **more))
    assert len(found) == 2 and found[0].startswith(
        'error    GitHub: octo/shop: PIPELINE_<NAME> lacks "Actions: write" (its installation has less): '), found
    assert found[1].endswith(' on 2 of 3 repositories; PIPELINE_<NAME> lacks "Actions: write"'), found


def test_a_workflow_that_is_not_there_is_named_before_a_deployment_waits_for_it(tmp_path, api):
    for one in api.installations.values():
        one["permissions"] = {"metadata": "read", "actions": "read", "checks": "read"}
    api.workflows["ci.yml"] = {"inputs": (), "branches": ("main",)}
    found = said(made(tmp_path, api, STAGING_REQUIRE_CI="ci.yml, lnit.yml", WATCH_PIPELINES="ci.yml,.gitlab-ci.yml"))
    wrong = [line for line in found if "knows no workflow" in line]
    assert [line.partition(": correct ")[0] for line in wrong] == [
        f"error    GitHub: {name}: it knows no workflow .github/workflows/lnit.yml (HTTP 404: Not Found)"
        for name in ("octo/shop", "octo/web", "other/blog")], found
    assert any(f"App {APP_ID} on 0 of 3 repositories" in line for line in found), found


def test_an_environment_that_asks_the_app_and_is_none_here_is_named(tmp_path, api):
    for one in api.installations.values():
        one["permissions"] = {"metadata": "read", "actions": "write", "deployments": "write"}
    api.rules = {"Staging": [APP_ID], "live": [APP_ID], "qa/eu 1": [7, APP_ID], "preview": [7], "free": []}
    given = {"GITHUB_APP_WEBHOOK_SECRET": "0123456789abcdef" * 2, "STAGING_GITHUB_ENVIRONMENT": "Live"}
    *named, summed = sorted(said(made(tmp_path, api, **given)), key=lambda line: "3 of 3" in line)
    assert summed == f"ok       GitHub: App {APP_ID} on 3 of 3 repositories"
    assert sorted(named) == sorted(
        f"warning  GitHub: {repository}: the rule of its environment {name} asks the App, and nobody answers: set "
        "<ENV>_GITHUB_ENVIRONMENT to it, or take the rule away there"
        for repository, mapped in (("octo/shop", "live"), ("octo/web", "Staging"), ("other/blog", "Staging"))
        for name in ("Staging", "live", "qa/eu 1") if name != mapped)


def test_where_environments_are_not_to_be_seen_that_is_said(tmp_path, api):
    for one in api.installations.values():
        one["permissions"] = {"metadata": "read", "deployments": "write"}
    lines = said(made(tmp_path, api, GITHUB_APP_WEBHOOK_SECRET="0123456789abcdef" * 2))
    assert [line.startswith("warning  GitHub: ") for line in lines] == [False] + 6 * [True], lines
    assert lines[0].endswith("; doctor's look at the App's protection rules lacks \"Actions: read\"; "
                             'Stop of a gate lacks "Actions: write"'), lines


def test_whether_a_token_may_write_is_not_known(tmp_path, api):
    api.people[TOKEN]["permissions"] = {"metadata": "read", "actions": "read"}
    *_, summed = said(made(tmp_path, api, by_app=False, PIPELINE_RELEASE="release.yml ref=main"))
    assert summed.endswith('; whether PIPELINE_<NAME> has "Actions: write" is not known'), summed


def test_a_key_of_another_app_is_named(tmp_path, api):
    other = Api()
    try:
        lines = said(made(tmp_path, other, GITHUB_API_URL=api.url))
    finally:
        other.stop()
    assert len(lines) == 4 and len([call for call in api.calls if call[2] == 401]) == 1, "it is asked once"
    assert lines[0].startswith("error    GitHub: octo/shop: GITHUB_APP_KEY is refused (HTTP 401: A JSON web token")
    assert lines[0].endswith("compare GITHUB_APP_ID with the App's page, make a new key there")


TROUBLES = {
    401: ("error", "the token is refused (HTTP 401: Unauthorized): make another one at GitHub"),
    403: ("error", lacks("octo/shop", "HTTP 403: Forbidden")),
    404: ("error", lacks("octo/shop", "HTTP 404: Not Found")),
    409: ("warning", "(HTTP 409: Conflict): ask again later"),
    422: ("warning", "(HTTP 422: Unprocessable Entity): ask again later"),
    "429": ("warning", "(HTTP 429: You have exceeded a secondary rate limit): ask again later"),
    "limit": ("warning", "(HTTP 403: API rate limit exceeded for installation ID 7.): ask again later"),
    "secondary": ("warning", "(HTTP 403: You have exceeded a secondary rate limit.): ask again later"),
    502: ("warning", "(HTTP 502: Bad Gateway): ask again later"),
    "html": ("warning", "(HTTP 503: <html>): ask again later"),
    "half": ("warning", "(Transferred a partial file): ask again later"),
    "torn": ("warning", "(HTTP 200 with half a body: it is no JSON): ask again later"),
    "huge": ("warning", "(the answer is larger than 1048576 bytes): ask again later"),
    "away": ("warning", "(Server returned nothing (no headers, no data)): ask again later"),
    "moved": ("error", "it has another name or owner now (HTTP 301: Moved Permanently): set GITHUB_REPOSITORY to that"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_trouble_is_told_apart(tmp_path, api, trouble):
    level, words = TROUBLES[trouble]
    bot = bare(tmp_path, GITHUB_REPOSITORY="octo/shop", GITHUB_API_URL=api.url, GITHUB_API_TOKEN=TOKEN,
               GITHUB_WEBHOOK_SECRET=None, WATCH_PIPELINES="none", REPORT_DEPLOYMENTS="false")
    api.troubles.append(("/octo/shop", trouble))
    summed, line = sorted(said(bot), key=lambda line: "octo/shop" in line)
    assert line.startswith(f"{level:<9}GitHub: octo/shop: ") and line.endswith(words), line
    assert summed.startswith("warning  GitHub: GITHUB_API_TOKEN on 0 of 1 repository"), summed
    assert len(api.calls) == 1, "one call, one try; no redirect is followed"


# --- settings ---

def test_what_cannot_be_used_is_refused_before_anybody_asks(tmp_path, api):
    bot = made(tmp_path, api, GITHUB_APP_KEY_FILE=str(tmp_path / "other"))
    (tmp_path / "other").write_text(api.pem.replace("RSA ", ""), encoding="ascii")
    assert "GITHUB_APP_KEY: no private RSA key" in bot.run("check-config").stderr
    (tmp_path / "other").write_text("not a key", encoding="ascii")
    assert "GITHUB_APP_KEY: is not a private key in PEM" in bot.run("check-config").stderr
    (tmp_path / "other").write_text(api.pem, encoding="ascii")
    assert "GITHUB_APP" not in bot.run("check-config").stderr


def test_what_the_main_file_has_does_not_go_to_an_address_of_an_applications_own(tmp_path, api):
    elsewhere = Api(people={"another-token-0123456789": {"repositories": ["octo/web"],
                                                         "permissions": {"metadata": "read"}}})
    try:
        bot = made(tmp_path, api, GITHUB_API_TOKEN=TOKEN)
        file = tmp_path / "apps" / "web.env"
        own = APPLICATION.format("octo/web", "web", 9100) + f"GITHUB_API_URL={elsewhere.url}\n"
        file.write_text(own, encoding="utf-8")
        checked = bot.run("check-config")
        assert "web: GITHUB_API_URL: an address of this application's own, which does not get the main file's " \
            "GITHUB_API_TOKEN: set one here too" in checked.stdout + checked.stderr
        said(bot)
        assert not elsewhere.calls
        file.write_text(own + "GITHUB_API_TOKEN=another-token-0123456789\n", encoding="utf-8")
        assert f"ok       GitHub: App {APP_ID} on 3 of 3 repositories" in said(bot)
        assert elsewhere.calls == [("GET", "/repos/octo/web", 200)]
    finally:
        elsewhere.stop()


# --- the stand-in ---

def ask(api, path, method="GET", body=None, token=TOKEN, **headers):
    host = api.url.removeprefix("http://")
    sent = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28", "User-Agent": "test",
            "Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(method, path, body, {name: value for name, value in sent.items() if value})
        answer = connection.getresponse()
        text = answer.read()
        return answer.status, json.loads(text or "{}"), dict(answer.getheaders())
    finally:
        connection.close()


def app_token(api, key=None, **changed):
    claims = {"iat": int(time.time()) - 60, "exp": int(time.time()) + 540, "iss": str(APP_ID), **changed}
    return jwt.encode(claims, key or api.pem, algorithm="RS256")


def test_the_stand_in_refuses_what_github_refuses(api):
    good = ask(api, "/repos/octo/shop")
    assert good[0] == 200 and good[1]["full_name"] == "octo/shop"
    assert ask(api, "/repos/octo/shop", If_None_Match=good[2]["ETag"])[0] == 304
    assert ask(api, "/repos/octo/shop", User_Agent=None)[0] == 403
    assert ask(api, "/repos/octo/shop", X_GitHub_Api_Version="2026-03-10")[0] == 400
    assert ask(api, "/repos/octo/shop", Accept=None)[0] == 400
    assert ask(api, "/repos/octo/shop", token="x" * 20)[0] == 401
    assert ask(api, "/repos/octo/other")[0] == 404
    assert ask(api, "/repos/octo/shop/nothing")[0] == 404
    assert ask(api, "/repos/octo/shop/actions/runs?per_page=x")[0] == 422
    assert ask(api, "/repos/octo/shop/actions/runs?colour=red")[0] == 422
    assert ask(api, "/repos/octo/shop/actions/runs")[0] == 403, "a permission is missing"
    assert ask(api, "/app")[0] == 401, "it is the App's alone"


def test_the_stand_in_takes_an_apps_jwt_as_github_does(api):
    other = Api()
    other.stop()
    assert ask(api, "/app", token=app_token(api))[1]["id"] == APP_ID
    assert ask(api, "/app", token=app_token(api, iss="1"))[0] == 404
    assert ask(api, "/app", token=app_token(api, exp=2 ** 31))[0] == 401
    assert ask(api, "/app", token=app_token(api, exp=1))[0] == 401
    assert ask(api, "/app", token=app_token(api, key=other.pem))[0] == 401
    assert ask(api, "/repos/octo/shop", token=app_token(api))[0] == 403, "it has no repositories"
    tokens = "/app/installations/7/access_tokens"
    for body, status in (({}, 201), ({"permissions": {"actions": "read"}, "repositories": ["web"]}, 201),
                         ({"permissions": {"checks": "read"}}, 422), ({"repositories": ["else"]}, 422),
                         ({"permissions": {"actions": "all"}}, 422), ({"colour": "red"}, 422), ([], 422)):
        assert ask(api, tokens, "POST", json.dumps(body), token=app_token(api))[0] == status, body
    token = api.made and next(token for token, one in api.tokens.items() if one["repositories"] == ["octo/web"])
    assert token.startswith(f"ghs_{APP_ID}_eyJ") and token.count(".") == 2 and 300 < len(token) < 1024
    assert ask(api, "/repos/octo/web/actions/runs", token=token)[0] == 200
    assert ask(api, "/repos/octo/shop/actions/runs", token=token)[0] == 404, "it was narrowed"
    assert ask(api, "/repos/octo/web/actions/runs/1/cancel", "POST", token=token)[0] == 403, "to reading"


def test_what_the_stand_in_answers_fits_the_description():
    assert len(DESCRIPTION["paths"]) >= 21
    for path, operations in DESCRIPTION["paths"].items():
        for operation in operations.values():
            for schema in operation.get("answers", {}).values():
                assert wrong(sample(schema), schema, "answer") is None, path
