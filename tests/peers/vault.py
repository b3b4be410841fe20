# SPDX-License-Identifier: ISC
"""vault.py - a stand-in for HashiCorp Vault and OpenBao, as their API's pages have it (developer.hashicorp.com/vault).

Tokens, roles, policies, AppRole, response wrapping, kv 1 and 2, database/creds, leases, health; a time of its own.
Refuses what Vault refuses: no, an unknown or an ended token, what no policy covers, what a token's role does not
allow, a token that is used up, a wrapping token that was used or has ended, another method, a body that is no JSON
object; and what Vault only warns of or passes over: an unknown parameter, a GET with a body.  Nothing ends but by
advance(); a token's leases and children end with it, unless they are orphans.  `troubles`: (the end of a path,
what goes wrong with the next such request):

    a number    that status;  "quota"    429 with Retry-After;  "html"    200 and a page;  "huge"    20 MB of JSON
    "redirect"    307 to `elsewhere`;  "gone"    not carried out, no answer
    of what was carried out: "away"    no answer;  "half"    half of one;  "late"    one, once `let_go` is set
    "no wrap_info"    it is answered unwrapped;  "another ttl", "another creation_path", or a dict    of wrap_info
"""
import argparse
import collections
import contextlib
import http.server
import json
import re
import signal
import ssl
import threading
import urllib.parse
import uuid

import vault_store
from vault_policy import Refused, seconds

BODY_LIMIT = 32 << 20
VERSION = "1.17.6"
TIME = (str, int)
CREATE = {"id": str, "policies": list, "meta": dict, "no_parent": bool, "no_default_policy": bool, "renewable": bool,
          "ttl": TIME, "type": str, "explicit_max_ttl": TIME, "display_name": str, "num_uses": int, "period": TIME}
# The path, what is done there, by which method of Store, and the parameters that it takes; None: any.
ROUTES = (
    ("auth/token/create(?:-orphan|/(?P<role>[^/]+))?", "update", "create", CREATE),
    ("auth/token/lookup-self", "read", "look_up", {}),
    ("auth/token/lookup", "read update", "look_up", {"token": str}),
    ("auth/token/lookup-accessor", "update", "look_up_accessor", {"accessor": str}),
    ("auth/token/renew-self", "update", "renew_self", {"increment": TIME}),
    ("auth/token/renew", "update", "renew", {"token": str, "increment": TIME}),
    ("auth/token/revoke-self", "update", "revoke_self", {}),
    ("auth/token/revoke", "update", "revoke_given", {"token": str}),
    ("auth/token/revoke-accessor", "update", "revoke_accessor", {"accessor": str}),
    ("auth/token/accessors/", "list", "list_accessors", {}),
    ("auth/token/roles/", "list", "list_roles", {}),
    ("auth/token/roles/(?P<role>[^/]+)", "read", "read_role", {}),
    ("auth/approle/login", "update", "login", {"role_id": str, "secret_id": str}),
    ("sys/wrapping/lookup", "read update", "look_up_wrapping", {"token": str}),
    ("sys/wrapping/unwrap", "update", "unwrap", {"token": str}),
    ("sys/wrapping/wrap", "update", "wrap_given", None),
    ("sys/leases/lookup", "update", "look_up_lease", {"lease_id": str}),
    ("sys/leases/lookup/(?P<prefix>.+)", "list", "list_leases", {}),
    ("sys/leases/renew", "update", "renew_lease", {"lease_id": str, "increment": TIME}),
    ("sys/leases/revoke", "update", "revoke_given_lease", {"lease_id": str, "sync": bool}),
    ("sys/mounts/(?P<mount>.+)", "read", "read_mount", {}),
    ("sys/capabilities-self", "update", "capabilities", {"paths": list}),
    ("sys/capabilities-accessor", "update", "capabilities_of", {"accessor": str, "paths": list}))
# What needs sudo, and what needs no token.
ROOT = re.compile("auth/token/accessors/?|sys/leases/lookup/.*")
OPEN = {"sys/wrapping/lookup", "auth/approle/login"}
# What sys/health answers in a state, and the parameter by which another status is asked for.
HEALTH = {"active": (200, "activecode"), "standby": (429, "standbycode"), "sealed": (503, "sealedcode"),
          "performance standby": (473, "performancestandbycode"), "dr secondary": (472, "drsecondarycode"),
          "uninitialized": (501, "uninitcode")}
SAID = {403: "1 error occurred:\n\t* permission denied\n\n", 405: "1 error occurred:\n\t* unsupported operation\n\n",
        412: "required index state not present", 429: 'request path "{}": rate limit quota exceeded',
        500: "internal error", 503: "Vault is sealed"}
PAGE = b"<html><body>sign in</body></html>"
BAD_TOKEN = "2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"

Call = collections.namedtuple("Call", "method path status headers body")


class Vault(vault_store.Store):
    """`calls`: what was asked.  `state`: a key of HEALTH.  `namespace`: where all of it lives.  `is_openbao`: it makes
    short tokens.  `needs_request_header`: as an agent with require_request_header.  `runs`: its time passes as ours."""

    def __init__(self, root=None, certificate=None, address=("127.0.0.1", 0), runs=False):
        super().__init__(root, runs)
        self.state, self.needs_request_header = "active", False
        self.calls, self.troubles, self.let_go = [], [], threading.Event()
        self.elsewhere = "https://vault-2.example:8200"         # where the active node is, and "redirect" points
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.answer(self)

            do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_LIST = do_GET

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(address, Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.url = f"http://{address[0]}:{self.port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
            self.url = f"https://localhost:{self.port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()

    # --- a request ---

    def carry_out(self, asked):
        """Status and body."""
        if asked.does in ("create", "update") and asked.path.endswith("/"):
            raise Refused(400, "cannot write to a path ending in '/'")
        if asked.path == "sys/wrapping/unwrap":
            self.wrapping_token(asked)
        if asked.path not in OPEN:
            self.enter(asked)
        is_last = asked.token is not None and asked.token.uses == 1
        if asked.token is not None and asked.token.uses > 1:
            asked.token.uses -= 1
        try:
            self.check_policy(asked)
            found = self.route(asked)
        finally:
            if is_last:
                self.revoke(asked.token)
        if found is None:
            return 204, None
        status, whole = found.pop("status", 200), found.pop("whole", False)
        if is_last and found.get("lease_id") and not whole:
            raise Refused(400, "Secret cannot be returned; token had one use left, so leased credentials were "
                               "immediately revoked.")
        body = None if status == 202 else {**({} if whole else self.envelope(asked.path)), **found}
        if asked.wrap_s and status == 200 and self.trouble != "no wrap_info" and not whole:
            body = self.wrap(asked, body)
        return status, body

    def enter(self, asked):
        if not asked.given:
            raise Refused(403, "permission denied")
        asked.token = self.tokens.get(asked.given)
        if asked.token is None:
            raise Refused(403, BAD_TOKEN)

    def check_policy(self, asked):
        if asked.path in OPEN:
            return
        rule = self.may(asked.token, asked.path)
        if asked.does == "list" and not rule["capabilities"]:
            rule = self.may(asked.token, asked.path.rstrip("/"))
        needs = {asked.does} | ({"sudo"} if ROOT.fullmatch(asked.path) else set())
        least, most = rule.get("min_wrapping_ttl", 0), rule.get("max_wrapping_ttl", asked.wrap_s)
        wants_wrapping = rule.keys() & {"min_wrapping_ttl", "max_wrapping_ttl"}
        if not needs <= rule["capabilities"] or (wants_wrapping and not max(least, 1) <= asked.wrap_s <= most):
            raise Refused(403, SAID[403])

    def route(self, asked):
        for path, does, act, known in ROUTES:
            match = re.fullmatch(path, asked.path)
            if match and asked.does not in does.split():
                raise Refused(405, SAID[405])
            if match:
                if known is not None:       # null is as good as nothing
                    asked.body = {name: value for name, value in asked.body.items() if value is not None}
                    self.check_parameters(asked.body, known)
                return getattr(self, act)(asked, **match.groupdict())
        if asked.path.startswith(("sys/", "auth/")):
            raise Refused(404, "1 error occurred:\n\t* unsupported path\n\n")
        if asked.does not in ("read", "list"):
            raise Refused(405, SAID[405])
        self.check_parameters(asked.body, {"version": str} if asked.does == "read" else {})
        return self.secret(asked)

    @staticmethod
    def check_parameters(body, known):
        for name, value in body.items():
            if name not in known:
                raise Refused(400, f"{name}: no such parameter (Vault would only warn)")
            is_right = isinstance(value, known[name]) and not (isinstance(value, bool) and known[name] is not bool)
            if name in ("policies", "paths"):
                is_right = is_right and all(isinstance(one, str) for one in value)
            if name == "meta":
                is_right = is_right and all(isinstance(one, str) for one in value.values())
            if not is_right:
                raise Refused(400, f'error converting input for field "{name}"')

    def read_request(self, request, data):
        """Asked, of what a request is; Refused, where Vault does not read it."""
        path, _, query = request.path.partition("?")
        path = urllib.parse.unquote(path)
        if not path.startswith("/v1/") or path.endswith("."):
            raise Refused(404)
        if "/../" in path or "//" in path:
            raise Refused(400, "relative paths not supported")
        headers = request.headers
        if self.needs_request_header and headers.get_all("X-Vault-Request") != ["true"]:
            raise Refused(412, 'missing "X-Vault-Request" header')
        path, query = path.removeprefix("/v1/"), dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
        does = {"GET": "read", "HEAD": "read", "POST": "update", "PUT": "update", "LIST": "list",
                "DELETE": "delete"}.get(request.command)
        if does is None:
            raise Refused(405)
        if does == "read" and query.pop("list", "") in ("true", "1"):
            does = "list"
        path += "/" if does == "list" and not path.endswith("/") else ""
        bearer = next((one.removeprefix("Bearer ").strip() for one in headers.get_all("Authorization", ())
                       if one.startswith("Bearer ")), "")
        wrap_s = seconds(headers["X-Vault-Wrap-TTL"], "X-Vault-Wrap-TTL") if headers.get("X-Vault-Wrap-TTL") else 0
        body = self.read_body(data) if does == "update" else query
        if (data and does != "update") or (query and does == "update"):
            raise Refused(400, f"a {request.command} with {'a body' if data else 'a query'} (Vault would pass it over)")
        path = self.in_namespace(headers.get("X-Vault-Namespace", ""), path)
        return vault_store.Asked(does, path, body, wrap_s, headers.get("X-Vault-Token") or bearer)

    @staticmethod
    def read_body(data):
        try:
            body = json.loads(data) if data else {}
        except ValueError as wrong:
            raise Refused(400, f"error parsing JSON: {wrong}") from None
        if not isinstance(body, dict):
            raise Refused(400, "error parsing JSON: json: cannot unmarshal into Go value of type map[string]any")
        return body

    def in_namespace(self, header, path):
        """The path below the namespace, which stands in the header, before the path, or half here and half there."""
        if header and path == "sys/health":
            raise Refused(400, "operation unavailable in namespaces")
        whole = f"{header.strip('/')}/{path}".removeprefix("/")
        if path in ("sys/health", "sys/seal-status") or (not header and path.startswith("sys/wrapping/")):
            return path
        if self.namespace and whole.startswith(f"{self.namespace}/"):
            return whole.removeprefix(f"{self.namespace}/")
        if header.strip("/"):
            raise Refused(404, "namespace not found")
        if self.namespace:
            raise Refused(403, SAID[403])
        return path

    # --- its health ---

    def health(self, query):
        status, name = HEALTH[self.state]
        is_fine = {"standby": "standbyok", "performance standby": "perfstandbyok"}.get(self.state)
        if is_fine and query.get(is_fine) in ("", "1", "true"):
            status, name = HEALTH["active"]
        if not query.get(name, "1").isdecimal():
            raise Refused(400)
        is_sealed = self.state in ("sealed", "uninitialized")
        cluster = {} if is_sealed else {"cluster_name": "vault-cluster-stand-in", "cluster_id": str(uuid.UUID(int=1))}
        return int(query.get(name, status)), {
            "initialized": self.state != "uninitialized", "sealed": is_sealed, "standby": "standby" in self.state,
            "performance_standby": self.state == "performance standby", "replication_performance_mode": "disabled",
            "replication_dr_mode": "secondary" if self.state == "dr secondary" else "disabled",
            "server_time_utc": int(self.now), "version": VERSION, **cluster}

    def seal_status(self):
        _, told = self.health({})
        return 200, {"type": "shamir", "initialized": told["initialized"], "sealed": told["sealed"], "t": 3, "n": 5,
                     "progress": 0, "nonce": "", "version": VERSION, "build_date": "2024-09-25T09:20:17Z",
                     "migration": False, "recovery_seal": False, "storage_type": "raft",
                     **{name: told[name] for name in ("cluster_name", "cluster_id") if name in told}}

    # --- over HTTP ---

    def decide(self, request, data):
        self.go_wrong(request)
        asked = self.read_request(request, data)
        if asked.path in ("sys/health", "sys/seal-status"):
            if asked.does != "read" or (request.command == "HEAD" and asked.path != "sys/health"):
                raise Refused(405)
            return self.health(asked.body) if asked.path == "sys/health" else self.seal_status()
        if self.state in ("sealed", "uninitialized"):
            raise Refused(503, SAID[503])
        if self.state == "standby":
            raise Refused(307, Location=self.elsewhere + request.path)
        if self.state == "dr secondary":
            raise Refused(400, "path disabled in replication DR secondary mode")
        self.end_what_is_over()
        return self.carry_out(asked)

    def go_wrong(self, request):
        path = request.path.partition("?")[0]
        at = next((at for at, (end, _) in enumerate(self.troubles) if path.endswith(end)), None)
        self.trouble = what = self.troubles.pop(at)[1] if at is not None else None
        if what == "redirect":
            raise Refused(307, Location=self.elsewhere + request.path)
        if what == "quota" or isinstance(what, int):
            status = 429 if what == "quota" else what
            raise Refused(status, SAID.get(status, f"status {status}").format(path.removeprefix("/v1/")),
                          **({"Retry_After": "7"} if what == "quota" else {}))
        if what in ("html", "huge", "gone"):
            raise Refused(200)

    def answer(self, request):
        length = int(request.headers.get("Content-Length") or 0)
        data = request.rfile.read(min(length, BODY_LIMIT))
        with self.lock:
            self.trouble, headers = None, {}
            try:
                if length > BODY_LIMIT:
                    request.close_connection = True
                    raise Refused(413, "http: request body too large")
                status, body = self.decide(request, data)
                text = b"" if body is None else json.dumps(body).encode() + b"\n"
            except Refused as refused:
                status, headers = refused.status, refused.headers
                text = b"" if status == 307 else json.dumps({"errors": refused.errors}).encode() + b"\n"
            trouble = self.trouble
            self.calls.append(Call(request.command, request.path, status, dict(request.headers), data.decode("latin1")))
        if trouble in ("html", "huge"):
            text = PAGE if trouble == "html" else b'{"data":{"x":"' + b"x" * (20 << 20) + b'"}}'
        if trouble == "late":
            self.let_go.wait(60)
        self.send(request, status, text, headers, trouble)

    def send(self, request, status, text, headers, trouble):
        if trouble in ("away", "gone", "half"):
            request.close_connection = True
        if trouble in ("away", "gone"):
            return
        with contextlib.suppress(OSError):      # whoever asked has had enough
            request.send_response(status)
            request.send_header("Cache-Control", "no-store")
            if text:
                request.send_header("Content-Type", "text/html" if trouble == "html" else "application/json")
            for name, value in headers.items():
                request.send_header(name, value)
            if status != 204:
                request.send_header("Content-Length", str(len(text)))
            request.end_headers()
            if request.command != "HEAD":
                request.wfile.write(text[:len(text) // 2] if trouble == "half" else text)


def main():
    import peer_process
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    peer_process.add_arguments(parser)
    parser.add_argument("--root-token", help="the root token's id; without it a random one")
    parser.add_argument("--world", help="a file of JSON: what Vault.fill() takes")
    options = parser.parse_args()
    peer_process.die_with_parent()
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT))
    vault = Vault(options.root_token, address=(options.host, options.port), runs=True)
    if options.world:
        with open(options.world, encoding="utf-8") as world:
            vault.fill(json.load(world))
    peer_process.write_port_file(options.port_file, vault.port)
    print(f"vault stand-in: {vault.url}/", flush=True)
    signal.sigwait((signal.SIGTERM, signal.SIGINT))
    vault.stop()


if __name__ == "__main__":
    main()
