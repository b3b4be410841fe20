"""Goal: the stand-in for Vault takes what other people's clients send and answers what they read; it refuses what Vault
refuses; what has a time ends by the stand-in's clock, and not before."""
# SPDX-License-Identifier: ISC
import http.client
import json
import pathlib
import subprocess

import pytest

import telegram_client
from gate_aid import NODE, node_version
from runner_client import ROOT
from vault import Vault
from vault_policy import read_policy

MODULES = pathlib.Path(ROOT) / "build" / "npm" / "node_modules"
SCRIPT = pathlib.Path(ROOT) / "tests" / "e2e" / "npm_vault.mjs"
PROGRAM = pathlib.Path(ROOT) / "tests" / "peers" / "vault.py"
LEND = "auth/token/create/deploybot-lend"
DATABASE = {"policies": ["deploybot-secret-database"], "explicit_max_ttl": "15m", "renewable": False}
DENIED = "1 error occurred:\n\t* permission denied\n\n"
BAD_WRAP = "wrapping token is not valid or does not exist"


def fill(vault):
    vault.kv1("kv", "app/config", {"debug": "no"})
    vault.kv2("secret", "django/database", {"password": "first"})
    vault.kv2("secret", "django/database", {"password": "second"})
    vault.kv2("secret", "another", {"password": "another's"})
    vault.creds("database", "shop", ttl=3600, max_ttl=7200)
    return vault.lends({"database": "secret/data/django/database", "shop": "database/creds/shop",
                        "config": "kv/app/config"})


@pytest.fixture
def vault():
    made = Vault()
    made.ids = fill(made)
    yield made
    made.stop()


def send(vault, method, path, body=None, token=None, **headers):
    """Status, headers and body of the answer."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if token:
        sent["X-Vault-Token"] = token
    text = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
    connection = http.client.HTTPConnection("127.0.0.1", vault.port, timeout=30)
    try:
        connection.request(method, f"/v1/{path}", text, sent)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def ask(*words, **named):
    """Status and answer: of JSON that is an object, or None."""
    status, _, data = send(*words, **named)
    return status, json.loads(data) if data.startswith(b"{") else None


def log_in(vault):
    role_id, secret_id = vault.ids
    status, answer = ask(vault, "POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id})
    assert status == 200
    return answer["auth"]["client_token"]


def lend(vault, token=None, body=None, wrap="120"):
    return ask(vault, "POST", LEND, body or DATABASE, token or log_in(vault), X_Vault_Wrap_TTL=wrap)[1]["wrap_info"]


def errors(answer):
    return " ".join(answer["errors"])


# ---- other people's code -------------------------------------------------------------------------


def check_story(vault, said):
    """What a client was answered from its login to the last revocation."""
    assert said["health"]["sealed"] is False and said["seal"]["t"] == 3
    assert said["wrong"] == "400 invalid role or secret ID"
    assert said["login"]["lease_duration"] == 3600 and said["login"]["policies"] == ["default", "deploybot"]
    assert said["self"]["ttl"] == 3600 and said["self"]["meta"] == {"role_name": "deploybot"}
    assert said["renewed"]["lease_duration"] == 600 and said["renewed"]["renewable"] is True
    assert said["kv1"] == {"debug": "no"} and said["first"]["data"] == {"password": "first"}
    assert said["kv2"]["data"] == {"password": "second"} and said["kv2"]["metadata"]["version"] == 2
    assert said["denied"] == f"403 {DENIED}"
    lent = said["lent"]
    assert lent["wrap_info"]["ttl"] == 120 and lent["wrap_info"]["creation_path"] == LEND
    assert lent["wrap_info"]["wrapped_accessor"] == lent["auth"]["accessor"]
    assert lent["looked"]["creation_path"] == LEND and lent["looked"]["creation_ttl"] == 120
    assert lent["auth"]["policies"] == ["deploybot-secret-database"] and lent["auth"]["orphan"] is True
    assert lent["auth"]["lease_duration"] == 900 and lent["auth"]["renewable"] is False
    assert lent["again"] == f"400 {BAD_WRAP}" and "must be subset of the role's allowed policies" in said["too_much"]
    assert said["read"]["data"] == {"password": "second"} and said["no_default"] == f"403 {DENIED}"
    assert said["creds"]["lease_id"].startswith("database/creds/shop/") and said["creds"]["renewable"] is True
    assert said["accessor"]["id"] == "" and said["accessor"]["role"] == "deploybot-lend" and said["lease"] == 60
    assert said["revoked_twice"] == ["No token found with this accessor"]
    assert said["ended"] == "400 lease not found" and said["gone"] == "400 invalid accessor"
    assert not vault.users and not vault.leases, "they died with their token"


def by_hvac(vault):
    import hvac             # here, for each worker collects this file
    said, own = {}, hvac.Client(vault.url)

    def refused(act, *words, **named):
        try:
            act(*words, **named)
            return "taken"
        except hvac.exceptions.VaultError as wrong:
            status = {"InvalidRequest": 400, "Forbidden": 403}[type(wrong).__name__]
            return f"{status} {wrong.errors[0]}"

    def lend(policy):
        # auth.token.create() forgets wrap_ttl where there is a role.
        made = own.write(LEND, policies=[policy], explicit_max_ttl="15m", renewable=False, meta={"work": "12"},
                         wrap_ttl="2m")["wrap_info"]
        looked = hvac.Client(vault.url).write("sys/wrapping/lookup", token=made["token"])["data"]
        auth = hvac.Client(vault.url, made["token"]).sys.unwrap()["auth"]
        again = refused(hvac.Client(vault.url, made["token"]).sys.unwrap)
        return {"wrap_info": made, "looked": looked, "auth": auth, "again": again}

    said["health"] = own.sys.read_health_status(method="GET")
    assert own.sys.read_health_status().status_code == 200
    said["seal"] = own.sys.read_seal_status()
    said["wrong"] = refused(own.auth.approle.login, vault.ids[0], "another")
    said["login"] = own.auth.approle.login(*vault.ids)["auth"]
    said["self"] = own.auth.token.lookup_self()["data"]
    said["renewed"] = own.auth.token.renew_self(increment="10m")["auth"]
    said["kv1"] = own.secrets.kv.v1.read_secret("app/config", mount_point="kv")["data"]
    said["kv2"] = own.secrets.kv.v2.read_secret_version("django/database")["data"]
    said["first"] = own.secrets.kv.v2.read_secret_version("django/database", version=1)["data"]
    said["denied"] = refused(own.secrets.kv.v2.read_secret_version, "another")
    said["lent"], said["too_much"] = lend("deploybot-secret-database"), refused(lend, "deploybot")
    lent = hvac.Client(vault.url, said["lent"]["auth"]["client_token"])
    said["read"] = lent.secrets.kv.v2.read_secret_version("django/database")["data"]
    said["no_default"] = refused(lent.auth.token.lookup_self)
    shop = lend("deploybot-secret-shop")
    said["creds"] = hvac.Client(vault.url, shop["auth"]["client_token"]).secrets.database.generate_credentials("shop")
    assert list(vault.users) == [said["creds"]["data"]["username"]]
    accessor = shop["wrap_info"]["wrapped_accessor"]
    said["accessor"] = own.auth.token.lookup_accessor(accessor)["data"]
    said["lease"] = own.sys.renew_lease(said["creds"]["lease_id"], increment=60)["lease_duration"]
    assert own.sys.read_lease(said["creds"]["lease_id"])["data"]["ttl"] == 60
    assert own.auth.token.revoke_accessor(accessor).status_code == 204
    said["revoked_twice"] = own.auth.token.revoke_accessor(accessor)["warnings"]
    said["ended"] = refused(own.sys.renew_lease, said["creds"]["lease_id"])
    said["gone"] = refused(own.auth.token.lookup_accessor, accessor)
    return said


def test_hvac_lends_reads_and_revokes(vault):
    check_story(vault, by_hvac(vault))


@pytest.mark.skipif(node_version() < 20 or not (MODULES / "node-vault").is_dir(),
                    reason="no node 20, or not in build/npm what tests/tools/npm names: tests/tools/lint.sh actions "
                           "installs it")
def test_node_vault_lends_reads_and_revokes(vault):
    given = {"url": vault.url, "role_id": vault.ids[0], "secret_id": vault.ids[1]}
    done = subprocess.run([NODE, SCRIPT, MODULES], input=json.dumps(given), capture_output=True, text=True, timeout=60,
                          check=False, env={})
    assert done.returncode == 0, done.stderr
    check_story(vault, json.loads(done.stdout))


def test_hvac_reads_a_role_lists_accessors_and_knows_a_sealed_server(vault):
    import hvac
    root = hvac.Client(vault.url, vault.root)
    role = root.auth.token.read_role("deploybot-lend")["data"]
    assert role["orphan"] is True and role["allowed_policies_glob"] == ["deploybot-secret-*"]
    assert role["token_no_default_policy"] is True and "token_num_uses" not in role
    assert root.auth.token.list_roles()["data"]["keys"] == ["deploybot-lend"]
    log_in(vault)
    assert len(root.auth.token.list_accessors()["data"]["keys"]) == 2
    vault.state = "sealed"
    assert root.sys.is_sealed() and root.sys.read_health_status().status_code == 503
    with pytest.raises(hvac.exceptions.VaultDown, match="Vault is sealed"):
        root.auth.token.lookup_self()


# ---- what it refuses -----------------------------------------------------------------------------


@pytest.mark.parametrize("who, method, path, body, status, said", [
    ("nobody", "GET", "auth/token/lookup-self", None, 403, "permission denied"),
    ("stranger", "GET", "auth/token/lookup-self", None, 403, "* invalid token"),
    ("stranger", "GET", "secret/data/django/database", None, 403, "* invalid token"),
    ("own", "GET", "secret/data/another", None, 403, DENIED),
    ("own", "GET", "secret/data/django/databases", None, 403, DENIED),
    ("own", "GET", "secret/django/database", None, 403, DENIED),
    ("own", "LIST", "auth/token/accessors", None, 403, DENIED),
    ("own", "POST", "auth/token/create", {}, 403, DENIED),
    ("own", "POST", "auth/token/create/another", {}, 403, DENIED),
    ("own", "POST", "secret/data/django/database", {"data": {}}, 403, DENIED),
    ("root", "POST", "auth/token/create/another", {}, 400, "unknown role another"),
    ("root", "GET", "auth/token/roles/another", None, 404, ""),
    ("root", "GET", LEND, None, 405, "unsupported operation"),
    ("root", "PATCH", LEND, None, 405, ""),
    ("root", "POST", LEND + "/", {}, 400, "cannot write to a path ending in '/'"),
    ("root", "GET", "nowhere/x", None, 404, "no handler for route"),
    ("root", "GET", "sys/nowhere", None, 404, "unsupported path"),
    ("root", "GET", "secret/data/../another", None, 400, "relative"),
    ("root", "GET", "kv/app/config.", None, 404, ""),
    ("root", "GET", "kv/app", None, 404, ""),
    ("root", "GET", "kv/app/config?version=1", {}, 400, "a body"),
    ("root", "GET", "database/creds/another", None, 400, "unknown role: another"),
    ("own", "POST", LEND, b"{", 400, "error parsing JSON"),
    ("own", "POST", LEND, b"[]", 400, "error parsing JSON"),
    ("own", "POST", LEND, {**DATABASE, "explicit_maxttl": 1}, 400, "no such parameter"),
    ("own", "POST", LEND, {**DATABASE, "policies": "deploybot-secret-database"}, 400, 'field "policies"'),
    ("own", "POST", LEND, {**DATABASE, "meta": {"work": 12}}, 400, 'field "meta"'),
    ("own", "POST", LEND, {**DATABASE, "renewable": "no"}, 400, 'field "renewable"'),
    ("own", "POST", LEND, {**DATABASE, "explicit_max_ttl": "soon"}, 400, 'field "explicit_max_ttl"'),
    ("own", "POST", LEND, {**DATABASE, "explicit_max_ttl": -1}, 400, "must be positive"),
    ("own", "POST", LEND, {**DATABASE, "period": "1h"}, 400, "create periodic token"),
    ("own", "POST", LEND, {**DATABASE, "id": "mine"}, 400, "specify token id"),
    ("own", "POST", LEND, {**DATABASE, "num_uses": -1}, 400, "cannot be negative"),
    ("own", "POST", LEND, {**DATABASE, "type": "batch"}, 400, "token_type"),
    ("own", "POST", LEND, {**DATABASE, "policies": ["deploybot-secret-database", "root"]}, 400, "must be subset"),
    ("own", "POST", LEND, {**DATABASE, "policies": ["default"]}, 400, "must be subset"),
    ("own", "POST", "auth/token/revoke-accessor", {}, 400, "missing accessor"),
    ("own", "POST", "auth/token/lookup-accessor", {"accessor": "another"}, 400, "invalid accessor"),
    ("own", "POST", "sys/wrapping/unwrap", {"token": "another"}, 400, BAD_WRAP),
    ("own", "POST", "sys/wrapping/unwrap", {}, 400, BAD_WRAP),
    ("own", "POST", "sys/wrapping/wrap", {"a": "b"}, 400, "requires response wrapping"),
    ("own", "POST", "sys/leases/lookup", {"lease_id": "another"}, 400, "invalid lease"),
    ("nobody", "POST", "sys/wrapping/unwrap", {}, 403, "token is empty"),
    ("nobody", "POST", "sys/wrapping/lookup", {"token": "another"}, 400, BAD_WRAP),
    ("nobody", "POST", "auth/approle/login", {"secret_id": "x"}, 400, "missing role_id"),
    ("nobody", "POST", "auth/approle/login", {"role_id": "x"}, 400, "missing secret_id"),
    ("nobody", "POST", "auth/approle/login", {"role_id": "x", "secret_id": "x"}, 400, "invalid role or secret ID"),
    ("nobody", "GET", "auth/approle/login", None, 405, "unsupported operation"),
    ("nobody", "POST", "sys/health", {}, 405, ""), ("nobody", "HEAD", "sys/seal-status", None, 405, "")])
def test_it_refuses(vault, who, method, path, body, status, said):
    token = {"nobody": None, "root": vault.root, "stranger": "hvs.stranger", "own": log_in(vault)}[who]
    before = len(vault.tokens)
    found, answer = ask(vault, method, path, body, token)
    assert found == status and (method == "HEAD" or said in errors(answer)), answer
    assert len(vault.tokens) == before and not vault.users and vault.calls[-1].status == status


@pytest.mark.parametrize("wrap", ["soon", "-5"])
def test_a_wrap_ttl_that_is_none_is_refused(vault, wrap):
    assert ask(vault, "POST", LEND, DATABASE, log_in(vault), X_Vault_Wrap_TTL=wrap)[0] == 400


def test_a_token_is_also_taken_as_bearer_and_an_agent_wants_its_header(vault):
    assert ask(vault, "GET", "auth/token/lookup-self", Authorization=f"Bearer {vault.root}")[0] == 200
    vault.needs_request_header = True
    assert ask(vault, "GET", "sys/health") == (412, {"errors": ['missing "X-Vault-Request" header']})
    assert ask(vault, "GET", "sys/health", X_Vault_Request="true")[0] == 200


def test_a_role_limits_what_is_made_by_it(vault):
    vault.role("strict", allowed_policies=["a"], disallowed_policies_glob=["deploy*"], token_explicit_max_ttl=60,
               token_num_uses=3, renewable=False, path_suffix="v1")
    body = {"explicit_max_ttl": "1h", "num_uses": 5}
    status, answer = ask(vault, "POST", "auth/token/create/strict", body, vault.root)
    auth = answer["auth"]
    assert status == 200 and auth["policies"] == ["a", "default"] and auth["orphan"] is False
    assert (auth["lease_duration"], auth["num_uses"], auth["renewable"]) == (60, 3, False)
    assert "lesser value of 60 seconds" in answer["warnings"][0]
    assert answer["warnings"][-1] == 'Policy "a" does not exist'
    assert vault.tokens[auth["client_token"]].path == "auth/token/create/strict/v1"
    vault.role("any", disallowed_policies_glob=["deploy*"])
    status, answer = ask(vault, "POST", "auth/token/create/any", {"policies": ["deploybot"]}, vault.root)
    assert status == 400 and "disallowed by this role" in errors(answer)


def test_a_child_has_no_policy_that_its_parent_has_not(vault):
    vault.policy("makers", 'path "auth/token/create" { capabilities = ["update"] }')
    parent = ask(vault, "POST", "auth/token/create", {"policies": ["makers"]}, vault.root)[1]["auth"]["client_token"]
    status, answer = ask(vault, "POST", "auth/token/create", {"policies": ["deploybot"]}, parent)
    assert (status, errors(answer)) == (400, "child policies must be subset of parent")
    status, answer = ask(vault, "POST", "auth/token/create", {"no_parent": True}, parent)
    assert status == 400 and "create orphan token" in errors(answer)
    status, answer = ask(vault, "POST", "auth/token/create", {}, parent)
    assert answer["auth"]["policies"] == ["default", "makers"] and answer["auth"]["orphan"] is False


def test_a_token_of_two_uses_makes_no_children_and_is_used_up(vault):
    made = ask(vault, "POST", "auth/token/create", {"num_uses": 2, "policies": ["deploybot"]}, vault.root)[1]["auth"]
    status, answer = ask(vault, "POST", LEND, DATABASE, made["client_token"])
    assert status == 400 and "restricted use token" in errors(answer)
    assert ask(vault, "GET", "secret/data/another", None, made["client_token"])[0] == 403, "a use, too"
    assert ask(vault, "GET", "secret/data/django/database", None, made["client_token"])[0] == 403
    assert made["client_token"] not in vault.tokens
    once = ask(vault, "POST", "auth/token/create", {"num_uses": 1, "policies": ["deploybot"]}, vault.root)[1]["auth"]
    status, answer = ask(vault, "GET", "database/creds/shop", None, once["client_token"])
    assert status == 400 and "leased credentials were immediately revoked" in errors(answer) and not vault.users


@pytest.mark.parametrize("rules, path, may", [
    ('path "a/*" { capabilities = ["read"] } path "a/b" { capabilities = ["deny"] }', "a/b", set()),
    ('path "a/*" { capabilities = ["read"] } path "a/b" { capabilities = ["deny"] }', "a/c", {"read"}),
    ('path "a/*" { capabilities = ["read"] } path "a/b*" { capabilities = ["list"] }', "a/bc", {"list"}),
    ('path "a/+/c" { capabilities = ["read"] } path "a/b/*" { capabilities = ["list"] }', "a/b/c", {"list"}),
    ('path "a/+/c" { capabilities = ["read"] }', "a/b/d/c", set()),
    ('path "a/+/c*" { capabilities = ["list"] } path "a/+/cd*" { capabilities = ["read"] }', "a/b/cde", {"read"}),
    ('path "a/+/c*" { capabilities = ["list"] } path "a/+/c" { capabilities = ["read"] }', "a/b/c", {"read"}),
    ('path "a/+/+/d*" { capabilities = ["list"] } path "a/+/c*" { capabilities = ["read"] }', "a/b/c/d", {"read"}),
    ('path "a/+/c" { capabilities = ["read"], }', "a/b/c", None), ('path "a" { capabilities = ["reed"] }', "a", None),
    ('path "a" { policy = "read" }', "a", None), ("", "a", None),
    ('path "a" { capabilities = ["read"] } rest', "a", None)])
def test_of_several_rules_the_most_exact_counts_and_a_wrong_policy_is_none(vault, rules, path, may):
    if may is None:
        with pytest.raises(ValueError):
            read_policy(rules)
        return
    vault.policy("here", rules)
    token = vault.make(["here"], "auth/token/create")
    assert vault.may(token, path)["capabilities"] == may


def test_accessors_are_listed_by_whom_has_sudo(vault):
    for words, status in (('"list"', 403), ('"list", "sudo"', 200)):
        vault.policy("lists", f'path "auth/token/accessors" {{ capabilities = [{words}] }}')
        token = vault.make(["lists"], "auth/token/create")
        assert ask(vault, "LIST", "auth/token/accessors", None, token.id)[0] == status


def test_no_role_makes_root_of_another(vault):
    vault.role("deploybot-lend", allowed_policies_glob=["*"])
    status, answer = ask(vault, "POST", LEND, {"policies": ["root"]}, log_in(vault))
    assert status == 400 and "without parent token being root" in errors(answer)


def test_a_policy_may_ask_for_wrapping(vault):
    vault.policy("wrapped", f"""path "{LEND}" {{
        capabilities = ["update"]
        min_wrapping_ttl = "30s"    # and no less
        max_wrapping_ttl = "2m"
    }}""")
    token = ask(vault, "POST", "auth/token/create", {"policies": ["wrapped"]}, vault.root)[1]["auth"]["client_token"]
    for wrap, status in (("0", 403), ("29", 403), ("30", 200), ("2m", 200), ("121s", 403)):
        assert ask(vault, "POST", LEND, DATABASE, token, X_Vault_Wrap_TTL=wrap)[0] == status, wrap
    assert ask(vault, "POST", LEND, DATABASE, token)[0] == 403


# ---- wrapping ------------------------------------------------------------------------------------


def test_a_wrapping_token_is_used_once_by_itself_or_by_somebody_else(vault):
    first, second, both, none = (lend(vault)["token"] for _ in range(4))
    assert ask(vault, "GET", "sys/wrapping/lookup", None, first)[1]["data"]["creation_path"] == LEND
    assert ask(vault, "POST", "sys/wrapping/lookup", {"token": first})[0] == 200, "as often as one likes"
    status, answer = ask(vault, "POST", "sys/wrapping/unwrap", {"token": first}, log_in(vault))
    assert status == 200 and answer["auth"]["policies"] == DATABASE["policies"] and answer["wrap_info"] is None
    assert ask(vault, "POST", "sys/wrapping/lookup", {"token": first})[0] == 400
    assert ask(vault, "POST", "sys/wrapping/unwrap", {"token": second})[0] == 403, "a token of one's own is missing"
    assert ask(vault, "POST", "sys/wrapping/unwrap", None, second)[0] == 200
    assert ask(vault, "POST", "sys/wrapping/unwrap", {"token": both}, both)[0] == 500, "used twice at once: it is lost"
    assert ask(vault, "POST", "sys/wrapping/unwrap", None, both)[0] == 400
    assert ask(vault, "GET", "auth/token/lookup-self", None, none)[0] == 403, "it is for nothing else"
    assert ask(vault, "POST", "sys/wrapping/unwrap", None, none)[0] == 400, "and that was its use"


def test_what_wraps_no_token_has_no_wrapped_accessor(vault):
    status, answer = ask(vault, "GET", "database/creds/shop", None, log_in(vault), X_Vault_Wrap_TTL="60")
    info = answer["wrap_info"]
    assert status == 200 and "wrapped_accessor" not in info and info["creation_path"] == "database/creds/shop"
    assert answer["lease_id"] == "" and answer["data"] is None
    inside = ask(vault, "POST", "sys/wrapping/unwrap", None, info["token"])[1]
    assert inside["lease_id"] in vault.leases and inside["data"]["username"] in vault.users
    answer = ask(vault, "POST", "sys/wrapping/wrap", {"a": "b"}, vault.root, X_Vault_Wrap_TTL="60")[1]
    assert answer["wrap_info"]["creation_path"] == "sys/wrapping/wrap"


# ---- its time ------------------------------------------------------------------------------------


def test_a_wrapping_token_ends_by_its_ttl_and_what_it_wrapped_lives_on(vault):
    info = lend(vault)
    vault.advance(119)
    assert ask(vault, "POST", "sys/wrapping/lookup", {"token": info["token"]})[0] == 200
    vault.advance(1)
    assert ask(vault, "POST", "sys/wrapping/lookup", {"token": info["token"]})[0] == 400
    body = {"accessor": info["wrapped_accessor"]}
    status, answer = ask(vault, "POST", "auth/token/lookup-accessor", body, vault.root)
    assert status == 200 and answer["data"]["ttl"] == 780
    vault.advance(780)
    assert ask(vault, "POST", "auth/token/lookup-accessor", body, vault.root)[0] == 400


def test_children_and_leases_end_with_their_token_and_an_orphan_lives_on(vault):
    own = log_in(vault)
    auth = ask(vault, "POST", LEND, {**DATABASE, "explicit_max_ttl": "3h", "policies": ["deploybot-secret-shop"]}, own)
    orphan = auth[1]["auth"]["client_token"]
    vault.role("bound", allowed_policies_glob=["deploybot-secret-*"])
    vault.policy("deploybot", 'path "auth/token/create/bound" { capabilities = ["update"] }')
    auth = ask(vault, "POST", "auth/token/create/bound", {"policies": ["deploybot-secret-shop"], "ttl": "3h"}, own)
    child = auth[1]["auth"]["client_token"]
    users = [ask(vault, "GET", "database/creds/shop", None, one)[1]["data"]["username"] for one in (orphan, child)]
    assert list(vault.users) == users
    vault.advance(3600 - 1)
    assert list(vault.users) == users and ask(vault, "GET", "auth/token/lookup-self", None, own)[0] == 200
    vault.advance(1)
    assert ask(vault, "GET", "auth/token/lookup-self", None, own)[0] == 403
    assert orphan in vault.tokens and child not in vault.tokens
    assert not vault.users, "the orphan's lease had an hour, too"
    assert ask(vault, "GET", "database/creds/shop", None, orphan)[0] == 200
    vault.advance(7200)
    assert orphan not in vault.tokens and not vault.users and not vault.leases


def test_what_is_renewed_lives_on_up_to_its_maximum(vault):
    role_id, secret_id = vault.approle("short", ["deploybot"], ttl=100, max_ttl=250)
    status, answer = ask(vault, "POST", "auth/approle/login", {"role_id": role_id, "secret_id": secret_id})
    own = answer["auth"]["client_token"]
    lease = ask(vault, "GET", "database/creds/shop", None, own)[1]["lease_id"]
    left = []
    for _ in range(3):
        vault.advance(90)
        status, answer = ask(vault, "POST", "auth/token/renew-self", {}, own)
        left.append((status, answer["auth"]["lease_duration"] if status == 200 else errors(answer)))
    assert left[:2] == [(200, 100), (200, 70)] and left[2][0] == 403, "it had ended, with its lease"
    assert lease not in vault.leases
    info = lend(vault)
    child = ask(vault, "POST", "sys/wrapping/unwrap", None, info["token"])[1]["auth"]["client_token"]
    status, answer = ask(vault, "POST", "auth/token/renew", {"token": child}, vault.root)
    assert (status, errors(answer)) == (400, "lease is not renewable")
    lease = ask(vault, "GET", "database/creds/shop", None, vault.root)[1]["lease_id"]
    for passed, wanted, gets in ((0, 5000, 5000), (4000, 5000, 3200), (0, 60, 60)):
        vault.advance(passed)
        body = {"lease_id": lease, "increment": wanted}
        assert ask(vault, "PUT", "sys/leases/renew", body, vault.root)[1]["lease_duration"] == gets
    assert ask(vault, "LIST", "sys/leases/lookup/database/creds/shop", None, vault.root)[0] == 200
    assert ask(vault, "PUT", "sys/leases/revoke", {"lease_id": lease}, vault.root) == (202, None) and not vault.users


def test_one_that_runs_ends_what_is_over_before_it_answers():
    running = Vault(runs=True)
    running.ids = fill(running)
    own = log_in(running)
    assert ask(running, "GET", "auth/token/lookup-self", None, own)[1]["data"]["ttl"] in range(3590, 3601)
    running.began -= 3600
    assert ask(running, "GET", "auth/token/lookup-self", None, own)[0] == 403
    running.stop()


def test_a_secret_id_ends_by_uses_and_by_time(vault):
    for limits, passed in (({"secret_uses": 1}, 0), ({"secret_ttl": 60}, 60)):
        role_id, secret_id = vault.approle("once", ["deploybot"], **limits)
        body = {"role_id": role_id, "secret_id": secret_id}
        assert ask(vault, "POST", "auth/approle/login", body)[0] == 200
        vault.advance(passed)
        assert ask(vault, "POST", "auth/approle/login", body)[0] == 400


# ---- secrets of kv 2 -----------------------------------------------------------------------------


def test_a_deleted_version_is_404_with_a_body_and_an_absent_one_without(vault):
    vault.delete("secret", "django/database")
    status, answer = ask(vault, "GET", "secret/data/django/database", None, vault.root)
    assert status == 404 and answer["data"]["data"] is None and "errors" not in answer
    assert answer["data"]["metadata"]["deletion_time"].endswith("Z") and answer["data"]["metadata"]["version"] == 2
    vault.delete("secret", "django/database", destroy=True)
    status, answer = ask(vault, "GET", "secret/data/django/database", None, vault.root)
    assert answer["data"]["metadata"]["destroyed"] is True
    assert ask(vault, "GET", "secret/data/django/database?version=1", None, vault.root)[0] == 200
    for path in ("secret/data/django/database?version=3", "secret/data/nothing"):
        assert ask(vault, "GET", path, None, vault.root) == (404, {"errors": []})
    assert ask(vault, "GET", "secret/data/django/database?version=x", None, vault.root)[0] == 400
    status, answer = ask(vault, "GET", "secret/django/database", None, vault.root)
    assert status == 404 and answer["warnings"][0].startswith("Invalid path for a versioned K/V secrets engine")
    assert ask(vault, "GET", "secret/metadata/django/database", None, vault.root)[1]["data"]["current_version"] == 2
    assert ask(vault, "LIST", "secret/metadata", None, vault.root)[1]["data"]["keys"] == ["another", "django/"]
    assert ask(vault, "GET", "kv?list=true", None, vault.root)[1]["data"]["keys"] == ["app/"]


def test_a_mount_is_told_to_whose_policy_lets_it(vault):
    token = log_in(vault)
    for path, told in (("sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}),
                       ("sys/mounts/kv", {"type": "kv", "options": {"version": "1"}}),
                       ("sys/mounts/database", {"type": "database", "options": None})):
        status, answer = ask(vault, "GET", path, token=token)
        assert status == 200 and told.items() <= answer["data"].items(), answer
        assert ask(vault, "POST", path, {}, vault.root)[0] == 405
    status, answer = ask(vault, "GET", "sys/mounts/none", token=token)
    assert (status, answer["errors"]) == (400, ["No secret engine mount at none/"])
    vault.policy("deploybot", 'path "auth/token/lookup-self" { capabilities = ["read"] }')
    assert ask(vault, "GET", "sys/mounts/secret", token=token)[0] == 403


def test_what_a_token_may_is_told(vault):
    body = {"paths": ["secret/data/django/database", LEND, "secret/data/another"]}
    data = ask(vault, "POST", "sys/capabilities-self", body, log_in(vault))[1]["data"]
    assert data == dict(zip(body["paths"], (["read"], ["update"], ["deny"])))
    body = {"paths": [LEND]}
    data = ask(vault, "POST", "sys/capabilities-self", body, vault.root)[1]["data"]
    assert data == {LEND: ["root"], "capabilities": ["root"]}


def test_what_another_token_may_is_told_by_its_accessor_to_whose_policy_lets_it(vault):
    def told(token, **body):
        return ask(vault, "POST", "sys/capabilities-accessor", body, token)

    own, path = log_in(vault), "secret/data/django/database"
    lent = lend(vault, own)["wrapped_accessor"]
    status, answer = told(own, accessor=lent, paths=[path])
    assert status == 200 and answer["data"] == {path: ["read"], "capabilities": ["read"]}
    data = told(own, accessor=lent, paths=[path, LEND])[1]["data"]
    assert data == {path: ["read"], LEND: ["deny"]}, "of that token, not of whose asks"
    vault.policies.pop("deploybot-secret-database")
    assert told(own, accessor=lent, paths=[path])[1]["data"][path] == ["deny"], "a policy that is not there"
    for body, said in (({"accessor": "none", "paths": [path]}, "invalid accessor"),
                       ({"paths": [path]}, "missing accessor"), ({"accessor": lent}, "paths must be supplied")):
        assert told(own, **body) == (400, {"errors": [said]})
    vault.policy("deploybot", 'path "sys/capabilities-self" { capabilities = ["update"] }')
    assert told(own, accessor=lent, paths=[path])[0] == 403


# ---- its states, namespaces, troubles ------------------------------------------------------------


@pytest.mark.parametrize("state, status, other", [
    ("active", 200, 200), ("standby", 429, 307), ("performance standby", 473, 200), ("dr secondary", 472, 400),
    ("sealed", 503, 503), ("uninitialized", 501, 503)])
def test_each_state_has_its_status(vault, state, status, other):
    vault.state = state
    found, answer = ask(vault, "GET", "sys/health")
    assert found == status and answer["standby"] == ("standby" in state) and answer["sealed"] == (other == 503)
    assert ask(vault, "HEAD", "sys/health") == (status, None)
    fine = 200 if "standby" in state else status
    assert ask(vault, "GET", "sys/health?standbyok=true&perfstandbyok=true")[0] == fine
    assert ask(vault, "GET", "sys/health?sealedcode=299&uninitcode=299")[0] == (299 if other == 503 else status)
    assert ask(vault, "GET", "sys/seal-status")[1]["sealed"] == (other == 503)
    assert ask(vault, "GET", "auth/token/lookup-self", None, vault.root)[0] == other


def test_what_lives_in_a_namespace_is_found_there_alone(vault):
    vault.namespace = "team/shop"
    role_id, secret_id = vault.ids
    body, path = {"role_id": role_id, "secret_id": secret_id}, "auth/approle/login"
    assert ask(vault, "POST", path, body)[0] == 403
    assert ask(vault, "POST", path, body, X_Vault_Namespace="another") == (404, {"errors": ["namespace not found"]})
    assert ask(vault, "POST", f"team/shop/{path}", body)[0] == 200
    assert ask(vault, "POST", f"shop/{path}", body, X_Vault_Namespace="/team/")[0] == 200
    status, answer = ask(vault, "POST", path, body, X_Vault_Namespace="team/shop/")
    token = answer["auth"]["client_token"]
    assert ask(vault, "GET", "auth/token/lookup-self", None, token)[0] == 403
    here = {"X_Vault_Wrap_TTL": "60", "X_Vault_Namespace": "team/shop"}
    info = ask(vault, "POST", LEND, DATABASE, token, **here)[1]["wrap_info"]
    assert info["creation_path"] == LEND and "." in info["wrapped_accessor"]
    assert ask(vault, "POST", "sys/wrapping/unwrap", None, info["token"])[0] == 200, "a wrapping token is good anywhere"
    status, answer = ask(vault, "GET", "sys/health", X_Vault_Namespace="team/shop")
    assert (status, errors(answer)) == (400, "operation unavailable in namespaces")
    assert ask(vault, "GET", "sys/health")[0] == 200


def test_openbao_makes_short_tokens(vault):
    assert len(log_in(vault)) > 90 and log_in(vault).startswith("hvs.")
    vault.is_openbao = True
    assert len(log_in(vault)) == 26 and log_in(vault).startswith("s.")


@pytest.mark.parametrize("what, status, said", [
    (403, 403, DENIED), (412, 412, "required index state not present"), (500, 500, "internal error"),
    ("quota", 429, f'request path "{LEND}": rate limit quota exceeded'), (472, 472, "status 472"),
    (503, 503, "Vault is sealed")])
def test_trouble_of_a_status_happens_once_and_nothing_is_carried_out(vault, what, status, said):
    own = log_in(vault)
    vault.troubles = [("nowhere", 500), (LEND, what)]
    assert ask(vault, "GET", "auth/token/lookup-self", None, own)[0] == 200
    before = len(vault.tokens)
    found, answer = ask(vault, "POST", LEND, DATABASE, own)
    assert (found, errors(answer)) == (status, said) and len(vault.tokens) == before
    assert ask(vault, "POST", LEND, DATABASE, own)[0] == 200 and vault.troubles == [("nowhere", 500)]


def test_where_to_go_and_when_to_come_again_is_said(vault):
    vault.troubles = [("lookup-self", "quota"), ("lookup-self", 429), ("lookup-self", "redirect")]
    assert send(vault, "GET", "auth/token/lookup-self")[1]["Retry-After"] == "7"
    assert send(vault, "GET", "auth/token/lookup-self")[1]["Retry-After"] is None, "it is sent where that is configured"
    elsewhere = "https://vault-2.example:8200/v1/auth/token/lookup-self"
    assert send(vault, "GET", "auth/token/lookup-self")[1]["Location"] == elsewhere
    vault.state = "standby"
    status, headers, data = send(vault, "GET", "auth/token/lookup-self", None, vault.root)
    assert (status, headers["Location"], data) == (307, elsewhere, b"")


@pytest.mark.parametrize("what, is_done", [("away", True), ("half", True), ("gone", False)])
def test_trouble_without_a_whole_answer(vault, what, is_done):
    own = log_in(vault)
    before = len(vault.tokens)
    vault.troubles = [(LEND, what)]
    with pytest.raises(http.client.HTTPException if what == "half" else ConnectionError):
        ask(vault, "POST", LEND, DATABASE, own)
    assert len(vault.tokens) == before + is_done


def test_trouble_of_another_answer(vault):
    own, other = log_in(vault), {"wrapped_accessor": None}
    vault.troubles = [(LEND, what) for what in ("another ttl", "another creation_path", other, "html", "redirect")]
    assert lend(vault, own)["ttl"] == 86400
    info = lend(vault, own)
    assert info["creation_path"].startswith("auth/token/create/") and info["creation_path"] != LEND
    assert "wrapped_accessor" not in lend(vault, own)
    assert ask(vault, "POST", LEND, DATABASE, own) == (200, None)
    assert ask(vault, "POST", LEND, DATABASE, own) == (307, None)
    vault.troubles = [(LEND, "no wrap_info"), ("lookup-self", "huge"), ("lookup-self", "late")]
    answer = ask(vault, "POST", LEND, DATABASE, own, X_Vault_Wrap_TTL="60")[1]
    assert answer["wrap_info"] is None and answer["auth"]["client_token"] in vault.tokens
    assert len(ask(vault, "GET", "auth/token/lookup-self", None, own)[1]["data"]["x"]) == 20 << 20
    vault.let_go.set()
    assert ask(vault, "GET", "auth/token/lookup-self", None, own)[0] == 200


def test_as_a_program_it_serves_the_world_of_a_file(tmp_path):
    world = {"kv2": {"secret:django/database": {"password": "made-up"}}, "kv1": {"kv:a": {"b": "c"}},
             "creds": {"database:shop": 60}, "lends": {"database": "secret/data/django/database"},
             "role_id": "demo", "secret_id": "demo-secret"}
    (tmp_path / "world.json").write_text(json.dumps(world), "utf-8")
    words = ["--root-token", "root", "--world", str(tmp_path / "world.json"), "--port-file", str(tmp_path / "port")]
    with subprocess.Popen(["/usr/bin/python3", PROGRAM, *words], stdout=subprocess.PIPE, text=True) as process:
        there = type("There", (), {"ids": ("demo", "demo-secret")})
        there.port = telegram_client.read_port(process, tmp_path / "port")
        own = log_in(there)
        data = ask(there, "GET", "secret/data/django/database", None, own)[1]["data"]
        assert data["data"] == {"password": "made-up"} and lend(there, own)["ttl"] == 120
        assert ask(there, "GET", "database/creds/shop", None, "root")[1]["lease_duration"] in (59, 60)
        process.terminate()
        assert process.wait(30) == 0 and process.stdout.read() == f"vault stand-in: http://127.0.0.1:{there.port}/\n"
