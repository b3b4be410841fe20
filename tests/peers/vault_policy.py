"""vault_policy.py - of the stand-in for Vault: policies in HCL, and which of their rules counts; durations, refusals"""
# SPDX-License-Identifier: ISC
import datetime
import json
import re
import secrets
import string

UNITS = {"h": 3600, "m": 60, "s": 1, "d": 86400}
CAPABILITIES = {"create", "read", "update", "patch", "delete", "list", "sudo", "deny"}
# Of the policy `default`, what there is here; and what a wrapping token may.
DEFAULT = """
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/capabilities-self" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }
path "sys/leases/lookup" { capabilities = ["update"] }
path "sys/wrapping/wrap" { capabilities = ["update"] }
path "sys/wrapping/lookup" { capabilities = ["update"] }
path "sys/wrapping/unwrap" { capabilities = ["update"] }
"""
WRAPPING = 'path "sys/wrapping/unwrap" { capabilities = ["update"] }'


class Refused(Exception):
    def __init__(self, status, *errors, **headers):
        super().__init__(*errors)
        self.status, self.errors = status, errors
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def seconds(value, name="duration"):
    """As Vault takes it: 60, "60", "90s", "1h30m"."""
    text = str(value)
    if isinstance(value, bool) or not re.fullmatch(r"-?\d+|(\d+[smhd])+", text):
        raise Refused(400, f'error converting input for field "{name}": invalid duration {value!r}')
    found = sum(int(count) * UNITS[unit] for count, unit in re.findall(r"(\d+)([smhd])", text)) or (
        int(text) if text.lstrip("-").isdecimal() else 0)
    if found < 0:
        raise Refused(400, f"{name} must be positive")
    return found


def stamp(at):
    if at is None:
        return None
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc).isoformat().replace("+00:00", "Z")


def word(size):
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(size))


def fits_glob(globs, name):
    """strutil.StrListContainsGlob: a star at the beginning, at the end, or both."""
    return any(re.fullmatch(".*".join(re.escape(part) for part in glob.split("*")), name) for glob in globs)


def clean(policies, with_default=False):
    """policyutil.SanitizePolicies"""
    found = {name.strip().lower() for name in policies if name.strip()}
    return ["root"] if "root" in found else sorted(found | ({"default"} if with_default else set()))


def read_policy(text):
    """{a path: what may be done there} of a policy in HCL; ValueError, where Vault would not take it."""
    block = r'path\s+"([^"]+)"\s*{([^}]*)}'
    text = re.sub(r"(?m)#.*$", "", text)
    rules = {}
    for path, inside in re.findall(block, text):
        found = dict(re.findall(r'(\w+)\s*=\s*(\[[^]]*\]|"[^"]*")', inside))
        words = json.loads(re.sub(r",\s*]", "]", found.pop("capabilities", "[]")))
        limits = {name: seconds(json.loads(found.pop(name))) for name in ("min_wrapping_ttl", "max_wrapping_ttl")
                  if name in found}
        if found or not words or set(words) - CAPABILITIES or re.sub(r'\w+\s*=\s*(\[[^]]*\]|"[^"]*")|\s', "", inside):
            raise ValueError(f"policy: path {path!r}: {inside.strip()}")
        rules[path] = {"capabilities": set(words), **limits}
    if re.sub(block, "", text).strip() or not rules:
        raise ValueError(f"policy: {text}")
    return rules


def rank(pattern):
    """Of several patterns that fit, the greatest counts (docs/concepts/policies, priority matching)."""
    wild = min(at for at in (pattern.find("+"), pattern.find("*"), 1 << 20) if at >= 0)
    return wild, not pattern.endswith("*"), -pattern.count("+"), len(pattern), pattern


def pattern_fits(pattern, path):
    words = "/".join("[^/]+" if one == "+" else re.escape(one) for one in pattern.removesuffix("*").split("/"))
    return re.fullmatch(words + (".*" if pattern.endswith("*") else ""), path) is not None


def rule_of(policies, path):
    """The rule that counts for that path, of several policies."""
    rules = {}
    for policy in policies:
        for pattern, rule in policy.items():
            found = rules.setdefault(pattern, {**rule, "capabilities": set()})
            found["capabilities"] |= rule["capabilities"]
    fit = [one for one in rules if one == path or pattern_fits(one, path)]
    best = rules[path if path in rules else max(fit, key=rank)] if fit else {"capabilities": set()}
    return {**best, "capabilities": set()} if "deny" in best["capabilities"] else best
