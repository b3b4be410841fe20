"""vault_store.py - of the stand-in for Vault: tokens, leases and secrets, and what each request does with them."""
# SPDX-License-Identifier: ISC
import collections
import dataclasses
import re
import secrets
import threading
import time
import uuid

from vault_policy import (CAPABILITIES, DEFAULT, WRAPPING, Refused, clean, fits_glob, read_policy, rule_of, seconds,
                          stamp, word)

DEFAULT_S = MOST_S = 768 * 3600         # default_lease_ttl and max_lease_ttl of a server that nobody configured
ROLE = {"allowed_entity_aliases": [], "allowed_policies": [], "allowed_policies_glob": [], "disallowed_policies": [],
        "disallowed_policies_glob": [], "explicit_max_ttl": 0, "orphan": False, "path_suffix": "", "period": 0,
        "renewable": True, "token_explicit_max_ttl": 0, "token_no_default_policy": False, "token_num_uses": 0,
        "token_period": 0, "token_type": "default-service"}
WRONG_WRAPS = {"another ttl": {"ttl": 86400}, "another creation_path": {"creation_path": "auth/token/create/another"}}

Wrapped = collections.namedtuple("Wrapped", "ttl path made answer")


@dataclasses.dataclass
class Token:
    id: str
    accessor: str
    policies: list
    path: str
    made: float
    parent: str = ""            # the id of another one; "": an orphan
    ttl: int = 0                # as it was made
    end: float = None           # None: never
    explicit_max: int = 0
    most: int = 0               # token_max_ttl of an AppRole
    period: int = 0
    uses: int = 0               # that are left; 0: any number
    renewable: bool = True
    meta: dict = None
    display_name: str = "token"
    role: str = ""
    renewed: float = None
    wraps: Wrapped = None


@dataclasses.dataclass
class Lease:
    id: str
    token: str
    made: float
    ttl: int
    most: int
    end: float
    user: str
    renewed: float = None


@dataclasses.dataclass
class Asked:
    """A request, as its handler sees it: what is done, the path without /v1/, members of the body or of the query."""
    does: str
    path: str
    body: dict
    wrap_s: int
    given: str                  # the token of its header
    token: Token = None


class Store:
    """`tokens` and `leases` by id, `users` of databases that exist now, `mounts`: of secrets."""

    def __init__(self, root=None, runs=False):
        self.namespace, self.is_openbao = "", False
        self.started, self.passed, self.began = int(time.time()), 0, time.monotonic() if runs else None
        self.tokens, self.leases, self.users, self.mounts = {}, {}, {}, {}
        self.policies, self.policy_texts = {}, {}
        self.policy("default", DEFAULT)
        self.policy("response-wrapping", WRAPPING)
        self.roles, self.approles = {}, {}
        self.trouble, self.lock = None, threading.RLock()
        self.root = self.make(["root"], "auth/token/root", id=root or self.new_id(), display_name="root",
                              renewable=False).id

    # --- its time ---

    @property
    def now(self):
        return self.started + self.passed + (time.monotonic() - self.began if self.began is not None else 0)

    def left(self, end):
        return 0 if end is None else int(end - self.now)

    def advance(self, passed_s):
        with self.lock:
            self.passed += passed_s
            self.end_what_is_over()

    def end_what_is_over(self):
        for token in [one for one in self.tokens.values() if one.end is not None and one.end <= self.now]:
            self.revoke(token)
        for lease in [one for one in self.leases.values() if one.end <= self.now]:
            self.revoke_lease(lease)

    def revoke(self, token):
        """It, its leases and its children."""
        if self.tokens.pop(token.id, None) is None:
            return
        for lease in [one for one in self.leases.values() if one.token == token.id]:
            self.revoke_lease(lease)
        for child in [one for one in self.tokens.values() if one.parent == token.id]:
            self.revoke(child)

    def revoke_lease(self, lease):
        self.leases.pop(lease.id, None)
        self.users.pop(lease.user, None)

    # --- what tests set up ---

    def policy(self, name, text):
        self.policies[name] = read_policy(text)
        self.policy_texts[name] = text

    def role(self, name, **fields):
        """A token role; its fields as the API has them."""
        assert set(fields) <= set(ROLE), fields
        self.roles[name] = {"name": name, **ROLE, **fields}

    def approle(self, name, policies, role_id=None, secret_id=None, **limits):
        """Its role_id and secret_id.  `limits`: ttl, max_ttl, num_uses of its tokens; secret_uses, secret_ttl."""
        assert set(limits) <= {"ttl", "max_ttl", "num_uses", "secret_uses", "secret_ttl"}, limits
        role_id, secret_id = role_id or str(uuid.uuid4()), secret_id or str(uuid.uuid4())
        end = self.now + limits["secret_ttl"] if limits.get("secret_ttl") else None
        self.approles[role_id] = {"name": name, "policies": policies, **limits,
                                  "secrets": {secret_id: [limits.get("secret_uses", 0), end]}}
        return role_id, secret_id

    def kv1(self, mount, path, data):
        self.mounts.setdefault(mount, ("kv1", {}))[1][path] = data

    def kv2(self, mount, path, data):
        """A new version of it."""
        self.mounts.setdefault(mount, ("kv2", {}))[1].setdefault(path, []).append(
            {"data": data, "made": self.now, "deleted": None, "destroyed": False})

    def delete(self, mount, path, version=0, destroy=False):
        """A version of a secret of kv 2; 0: the newest."""
        found = self.mounts[mount][1][path][version - 1]
        found["deleted"], found["destroyed"] = self.now, destroy
        found["data"] = None if destroy else found["data"]

    def creds(self, mount, role, ttl=3600, max_ttl=86400):
        self.mounts.setdefault(mount, ("creds", {}))[1][role] = (ttl, max_ttl)

    def lends(self, paths, role="deploybot-lend", role_id=None, secret_id=None):
        """What deploybot needs to lend secrets, {a secret's name: the path that its readers ask for}: its own role_id
        and secret_id."""
        for name, path in paths.items():
            self.policy(f"deploybot-secret-{name}", f'path "{path}" {{ capabilities = ["read"] }}')
        self.role(role, orphan=True, allowed_policies_glob=["deploybot-secret-*"], token_no_default_policy=True)
        self.policy("deploybot", f"""
            path "auth/token/create/{role}" {{ capabilities = ["update"] }}
            path "auth/token/roles/{role}" {{ capabilities = ["read"] }}
            path "auth/token/lookup-accessor" {{ capabilities = ["update"] }}
            path "auth/token/revoke-accessor" {{ capabilities = ["update"] }}
            path "sys/capabilities-accessor" {{ capabilities = ["update"] }}
            path "sys/mounts/+" {{ capabilities = ["read"] }}
            """ + "".join(f'path "{path}" {{ capabilities = ["read"] }}\n' for path in sorted(set(paths.values()))))
        return self.approle("deploybot", ["deploybot"], role_id, secret_id, ttl=3600)

    def fill(self, world):
        """A server of a demo: {"kv1", "kv2": {"MOUNT:PATH": {…}}, "creds": {"MOUNT:ROLE": TTL}, "lends": {…}}."""
        for kind in ("kv1", "kv2", "creds"):
            for name, value in world.get(kind, {}).items():
                getattr(self, kind)(*name.split(":", 1), value)
        return self.lends(world.get("lends", {}), role_id=world.get("role_id"), secret_id=world.get("secret_id"))

    # --- tokens ---

    def new_id(self):
        return f"s.{word(24)}" if self.is_openbao else "hvs.CAESI" + secrets.token_urlsafe(64)

    def make(self, policies, path, **fields):
        end = ".nSpc1" if self.namespace else ""
        token = Token(**{"id": self.new_id() + end, "accessor": word(24) + end, "policies": policies, "path": path,
                         "made": self.now, **fields})
        self.tokens[token.id] = token
        return token

    def lasts(self, wanted, token):
        """How long from now, and what is said of it (framework.CalculateTTL)."""
        ttl = token.period or wanted or DEFAULT_S
        most = MOST_S if token.period else min(filter(None, (MOST_S, token.most)))
        if token.explicit_max:
            most = min(most, token.explicit_max)
        left = int((token.made if not token.period or token.explicit_max else self.now) + most - self.now)
        said = [f'TTL of "{ttl}s" exceeded the effective max_ttl of "{left}s"; TTL value is capped accordingly']
        return (left, said) if ttl > left else (ttl, [])

    def may(self, token, path):
        if "root" in token.policies:
            return {"capabilities": CAPABILITIES - {"deny"}}
        return rule_of([self.policies.get(name, {}) for name in token.policies], path)

    def auth_of(self, token):
        return {"client_token": token.id, "accessor": token.accessor, "policies": token.policies,
                "token_policies": token.policies, "metadata": token.meta, "entity_id": "", "token_type": "service",
                "lease_duration": self.left(token.end), "renewable": token.renewable,
                "orphan": not token.parent, "mfa_requirement": None, "num_uses": token.uses}

    def told_of(self, token):
        found = {"id": token.id, "accessor": token.accessor, "policies": token.policies, "path": token.path,
                 "meta": token.meta, "display_name": token.display_name, "num_uses": token.uses,
                 "orphan": not token.parent, "creation_time": int(token.made), "creation_ttl": token.ttl,
                 "expire_time": stamp(token.end), "ttl": self.left(token.end),
                 "explicit_max_ttl": token.explicit_max, "entity_id": "", "type": "service",
                 "renewable": token.renewable, "issue_time": stamp(token.made)}
        more = {"role": token.role, "period": token.period, "namespace_path": self.namespace and f"{self.namespace}/",
                "last_renewal": stamp(token.renewed), "last_renewal_time": token.renewed and int(token.renewed)}
        return {**found, **{name: value for name, value in more.items() if value}}

    def create(self, asked, role=None):
        body, parent = asked.body, asked.token
        if parent.uses:
            raise Refused(400, "restricted use token cannot generate child tokens")
        if role and role not in self.roles:
            raise Refused(400, f"unknown role {role}")
        rules, is_sudo = self.roles.get(role, ROLE), "sudo" in self.may(parent, asked.path)["capabilities"]
        if body.get("type", "service") not in ("", "service"):
            raise Refused(400, "invalid 'token_type' value")
        if body.get("num_uses", 0) < 0:
            raise Refused(400, "number of uses cannot be negative")
        for name, what in (("id", "specify token id"), ("period", "create periodic token"),
                           ("no_parent", "create orphan token")):
            if body.get(name) and not is_sudo and not (role and name == "no_parent"):
                raise Refused(400, f"root or sudo privileges required to {what}")
        policies, warnings = self.policies_of(body, role and rules, parent, is_sudo), []
        limits = {}
        for name, of_role in (("explicit_max_ttl", "token_explicit_max_ttl"), ("period", "token_period")):
            both = [one for one in (seconds(body.get(name) or 0, name), rules[of_role]) if one]
            limits[name] = min(both, default=0)
            if len(both) == 2:
                warnings.append(f"{name} specified both during creation call and in role; using the lesser value of "
                                f"{limits[name]} seconds")
        uses = [one for one in (body.get("num_uses"), rules["token_num_uses"]) if one]
        is_orphan = rules["orphan"] if role else body.get("no_parent") or asked.path.endswith("/create-orphan")
        path = "/".join(filter(None, (asked.path, rules["path_suffix"])))
        token = self.make(policies, path, parent="" if is_orphan else parent.id, role=role or "",
                          explicit_max=limits["explicit_max_ttl"], period=limits["period"], meta=body.get("meta"),
                          uses=min(uses, default=0), renewable=body.get("renewable", True) and rules["renewable"],
                          display_name=re.sub("[^a-zA-Z0-9-]", "-", f"token-{body['display_name']}").rstrip("-")
                          if body.get("display_name") else "token", **({"id": body["id"]} if body.get("id") else {}))
        wanted = seconds(body.get("ttl") or 0, "ttl")
        if wanted or policies != ["root"] or token.period or token.explicit_max:
            token.ttl, more = self.lasts(wanted, token)
            token.end, warnings = self.now + token.ttl, warnings + more
        token.renewable = token.renewable and token.end is not None
        warnings += [f'Policy "{name}" does not exist' for name in policies if name not in {*self.policies, "root"}]
        return {"auth": self.auth_of(token), "warnings": warnings or None}

    @staticmethod
    def policies_of(body, rules, parent, is_sudo):
        """resolveTokenPolicies of token_store.go"""
        asked, no_default = body.get("policies", []), body.get("no_default_policy", False)
        lists = {name: rules[name] for name in ROLE if "allowed_policies" in name} if rules else {}
        if any(lists.values()):
            default = not (no_default or rules["token_no_default_policy"] or "default" in lists["disallowed_policies"]
                           or fits_glob(lists["disallowed_policies_glob"], "default"))
            found, allowed = clean(asked, default) if asked else [], clean(lists["allowed_policies"], default)
            if lists["allowed_policies"] or lists["allowed_policies_glob"]:
                found = found or allowed
                if any(one not in allowed and not fits_glob(lists["allowed_policies_glob"], one) for one in found):
                    raise Refused(400, f"token policies ({found}) must be subset of the role's allowed policies "
                                       f"({allowed}) or glob policies ({lists['allowed_policies_glob']})")
            found = found or clean(parent.policies, default)
            for one in found:
                if one in lists["disallowed_policies"] or fits_glob(lists["disallowed_policies_glob"], one):
                    raise Refused(400, f'token policy "{one}" is disallowed by this role')
        elif not asked:
            found = clean(parent.policies)
        elif not is_sudo and set(clean(asked)) - set(parent.policies):
            raise Refused(400, "child policies must be subset of parent")
        else:
            found = clean(asked, not no_default and (is_sudo or "default" in parent.policies))
        if "response-wrapping" in found:
            raise Refused(400, 'cannot assign policy "response-wrapping"')
        if "root" in found and "root" not in parent.policies:
            raise Refused(400, "root tokens may not be created without parent token being root")
        return [one for one in found if one != "default"] if no_default else found

    def login(self, asked):
        role_id, secret_id = (asked.body.get(name, "").strip() for name in ("role_id", "secret_id"))
        if not role_id or not secret_id:
            raise Refused(400, f"missing {'secret_id' if role_id else 'role_id'}")
        role = self.approles.get(role_id)
        uses, end = role["secrets"].get(secret_id, (None, None)) if role else (None, None)
        if uses is None or (end is not None and end <= self.now):
            raise Refused(400, "invalid role or secret ID")
        if uses == 1:
            del role["secrets"][secret_id]
        elif uses:
            role["secrets"][secret_id][0] -= 1
        token = self.make(clean(role["policies"], True), asked.path, display_name="approle",
                          most=role.get("max_ttl", 0), uses=role.get("num_uses", 0), meta={"role_name": role["name"]})
        token.ttl, warnings = self.lasts(role.get("ttl", 0), token)
        token.end = self.now + token.ttl
        return {"auth": self.auth_of(token), "warnings": warnings or None}

    def renew(self, asked, token=None):
        token = token or self.tokens.get(asked.body.get("token", ""))
        if token is None:
            raise Refused(400, "token not found")
        if not token.renewable:
            raise Refused(400, "lease is not renewable")
        ttl, warnings = self.lasts(seconds(asked.body.get("increment") or 0, "increment") or token.ttl, token)
        token.end, token.renewed = self.now + ttl, self.now
        return {"auth": self.auth_of(token), "warnings": warnings or None}

    def renew_self(self, asked):
        return self.renew(asked, asked.token)

    def revoke_self(self, asked):
        self.revoke(asked.token)

    def look_up(self, asked):
        token = self.tokens.get(asked.body.get("token") or asked.given)
        if token is None:
            raise Refused(403, "bad token")
        return {"data": self.told_of(token)}

    def by_accessor(self, asked):
        accessor = asked.body.get("accessor")
        if not accessor:
            raise Refused(400, "missing accessor")
        return next((one for one in self.tokens.values() if one.accessor == accessor), None)

    def look_up_accessor(self, asked):
        token = self.by_accessor(asked)
        if token is None:
            raise Refused(400, "invalid accessor")
        return {"data": {**self.told_of(token), "id": ""}}

    def revoke_accessor(self, asked):
        token = self.by_accessor(asked)
        if token is None:
            return {"warnings": ["No token found with this accessor"]}
        return self.revoke(token)

    def revoke_given(self, asked):
        if not asked.body.get("token"):
            raise Refused(400, "missing token ID")
        token = self.tokens.get(asked.body["token"])
        return self.revoke(token) if token else None

    def read_role(self, asked, role):
        if role not in self.roles:
            raise Refused(404)
        return {"data": {name: value for name, value in self.roles[role].items() if name != "token_num_uses" or value}}

    def read_mount(self, _, mount):
        """handleReadMount(): a path within a mount is of that mount; one that is of none is no 404."""
        found = max((one for one in self.mounts if f"{mount}/".startswith(f"{one}/")), key=len, default=None)
        if found is None:
            raise Refused(400, f"No secret engine mount at {mount}/")
        kind = self.mounts[found][0]
        options = {"version": kind[-1]} if kind.startswith("kv") else None
        return {"data": {"type": kind.replace("creds", "database").rstrip("12"), "options": options, "local": False,
                         "description": "", "accessor": f"{kind}_4a8f", "seal_wrap": False}}

    def list_roles(self, _):
        return self.listed(self.roles)

    def list_accessors(self, _):
        return self.listed([one.accessor for one in self.tokens.values()])

    def envelope(self, path):
        mount = {"auth": path.split("/")[1], "sys": "system"}.get(path.split("/")[0]) or next(
            (kind.replace("creds", "database").rstrip("12") for one, (kind, _) in self.mounts.items()
             if path.startswith(f"{one}/")), "")
        return {"request_id": str(uuid.uuid4()), "lease_id": "", "renewable": False, "lease_duration": 0, "data": None,
                "wrap_info": None, "warnings": None, "auth": None, **({} if self.is_openbao else {"mount_type": mount})}

    @staticmethod
    def listed(keys):
        if not keys:
            raise Refused(404)
        return {"data": {"keys": sorted(keys)}}

    # --- wrapping ---

    def wrap(self, asked, answer):
        ttl, path = asked.wrap_s, asked.path
        other = self.trouble if isinstance(self.trouble, dict) else WRONG_WRAPS.get(self.trouble, {})
        ttl, path = other.get("ttl", ttl), other.get("creation_path", path)
        token = self.make(["response-wrapping"], path, uses=1, ttl=ttl, explicit_max=ttl, end=self.now + ttl,
                          renewable=False, wraps=Wrapped(ttl, path, self.now, answer))
        info = {"token": token.id, "accessor": token.accessor, "ttl": ttl, "creation_time": stamp(self.now),
                "creation_path": path}
        if answer["auth"]:
            info["wrapped_accessor"] = answer["auth"]["accessor"]
        info = {name: value for name, value in {**info, **other}.items() if value is not None}
        return {**self.envelope(asked.path), "request_id": "", "wrap_info": info}

    def wrapping_token(self, asked):
        given = asked.body.get("token") or asked.given
        if not given:
            raise Refused(403, "error validating wrapping token: token is empty")
        token = self.tokens.get(given)
        if token is None or token.wraps is None:
            raise Refused(400, "wrapping token is not valid or does not exist")
        return token

    def look_up_wrapping(self, asked):
        wraps = self.wrapping_token(asked).wraps
        return {"data": {"creation_ttl": wraps.ttl, "creation_time": stamp(wraps.made), "creation_path": wraps.path}}

    def unwrap(self, asked):
        """One's own token, or that of the body: of both at once the value is lost."""
        given = asked.body.get("token")
        token = self.tokens[given] if given else asked.token
        self.revoke(token)
        if given == asked.given:
            raise Refused(500, "error decrementing wrapping token's use-count: invalid token entry provided for use "
                               "count decrementing")
        return {**token.wraps.answer, "whole": True}

    @staticmethod
    def wrap_given(asked):
        if not asked.wrap_s:
            raise Refused(400, "endpoint requires response wrapping to be used")
        return {"data": asked.body}

    # --- leases ---

    def lease_of(self, asked):
        if not asked.body.get("lease_id"):
            raise Refused(400, "lease_id must be specified")
        return self.leases.get(asked.body["lease_id"])

    def look_up_lease(self, asked):
        lease = self.lease_of(asked)
        if lease is None:
            raise Refused(400, "invalid lease")
        return {"data": {"id": lease.id, "issue_time": stamp(lease.made), "expire_time": stamp(lease.end),
                         "last_renewal": stamp(lease.renewed), "renewable": True, "ttl": self.left(lease.end),
                         "path": lease.id.rpartition("/")[0]}}

    def renew_lease(self, asked):
        """`increment` counts from now, and is cut at max_ttl."""
        lease = self.lease_of(asked)
        if lease is None:
            raise Refused(400, "lease not found")
        wanted = seconds(asked.body.get("increment") or 0, "increment") or lease.ttl
        lease.end, lease.renewed = min(self.now + wanted, lease.made + lease.most), self.now
        return {"lease_id": lease.id, "renewable": True, "lease_duration": self.left(lease.end)}

    def revoke_given_lease(self, asked):
        lease = self.lease_of(asked)
        if lease:
            self.revoke_lease(lease)
        return None if asked.body.get("sync") else {"status": 202}

    def list_leases(self, asked, prefix):
        return self.listed({one.removeprefix(prefix).split("/")[0] for one in self.leases if one.startswith(prefix)})

    def capabilities(self, asked, token=None):
        """handleCapabilities(): `capabilities` is there of a single path alone."""
        token, paths = token or asked.token, asked.body.get("paths", ())
        if not paths:
            raise Refused(400, "paths must be supplied")
        found = {path: ["root"] if "root" in token.policies else
                 sorted(self.may(token, path)["capabilities"]) or ["deny"] for path in paths}
        return {"data": {**found, **({"capabilities": found[paths[0]]} if len(paths) == 1 else {})}}

    def capabilities_of(self, asked):
        """handleCapabilitiesAccessor(): of the token itself, also while it is wrapped."""
        token = self.by_accessor(asked)
        if token is None:
            raise Refused(400, "invalid accessor")
        return self.capabilities(asked, token)

    # --- secrets ---

    def secret(self, asked):
        mount = max((one for one in self.mounts if asked.path.startswith(f"{one}/")), key=len, default=None)
        if mount is None:
            raise Refused(404, f'no handler for route "{asked.path}". route entry not found.')
        kind, kept = self.mounts[mount]
        rest = asked.path.removeprefix(f"{mount}/")
        if kind == "creds":
            return self.make_user(asked, mount, rest, kept)
        if kind == "kv2":
            return self.read_versions(asked, rest, kept)
        if asked.does == "list":
            return self.list_names(kept, rest)
        if rest not in kept:
            raise Refused(404)
        return {"data": kept[rest], "lease_duration": DEFAULT_S}

    def list_names(self, kept, prefix):
        rests = [name.removeprefix(prefix) for name in kept if name.startswith(prefix)]
        return self.listed({one.split("/")[0] + ("/" if "/" in one else "") for one in rests})

    def read_versions(self, asked, rest, kept):
        part, _, path = rest.partition("/")
        if part == "metadata" and asked.does == "list":
            return self.list_names(kept, path)
        if part not in ("data", "metadata") or not path or asked.does == "list":
            return {"status": 404, "warnings": [
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints "
                "to use. If using the Vault CLI, use 'vault kv get' for this operation."]}
        versions = kept.get(path, ())
        asked_for = asked.body.get("version") or "0"
        if not asked_for.isdecimal():
            raise Refused(400, 'error converting input for field "version"')
        number = int(asked_for) or len(versions)
        if not 0 < number <= len(versions):
            raise Refused(404)
        told = [{"created_time": stamp(one["made"]), "deletion_time": stamp(one["deleted"]) or "",
                 "destroyed": one["destroyed"]} for one in versions]
        if part == "metadata":
            return {"data": {"cas_required": False, "created_time": told[0]["created_time"], "custom_metadata": None,
                             "current_version": len(versions), "delete_version_after": "0s", "max_versions": 0,
                             "oldest_version": 0, "updated_time": told[-1]["created_time"],
                             "versions": {str(at): one for at, one in enumerate(told, 1)}}}
        version = versions[number - 1]
        metadata = {**told[number - 1], "custom_metadata": None, "version": number}
        if version["deleted"] is not None:
            return {"status": 404, "data": {"data": None, "metadata": metadata}}
        return {"data": {"data": version["data"], "metadata": metadata}}

    def make_user(self, asked, mount, rest, roles):
        part, _, name = rest.partition("/")
        if part != "creds" or not name or asked.does == "list":
            raise Refused(404, "1 error occurred:\n\t* unsupported path\n\n")
        if name not in roles:
            raise Refused(400, f"unknown role: {name}")
        ttl, most = roles[name]
        user = f"v-{asked.token.display_name[:8]}-{name[:8]}-{word(20)}-{int(self.now)}"
        lease = Lease(f"{mount}/creds/{name}/{word(24)}", asked.token.id, self.now, ttl, most,
                      self.now + min(ttl, most), user)
        self.leases[lease.id], self.users[user] = lease, lease.id
        return {"lease_id": lease.id, "renewable": True, "lease_duration": self.left(lease.end),
                "data": {"username": user, "password": word(20)}}
