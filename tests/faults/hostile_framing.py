"""hostile_framing.py - heads that two readers could read differently: refused before a byte of the
body is read, the connection closed, nothing stored, and the next honest request is served."""
# SPDX-License-Identifier: ISC
import itertools

from hostile_aid import (NAME, PATHS, House, ask_once, body_of, exchange, healthz, honest_request, key_of,
                         must, proof)

REFUSED = {400}
# What nginx itself refuses; and what it makes unambiguous before it hands it on, which may be taken
# as nginx read it.  Directly all of them are refused.
NGINX = {0, 400, 401, 404, 405, 411, 413, 414, 415, 431, 501, 505}
TAKEN = {200}

HUNDRED_KB = "a" * 102_400
LINE = "POST {path} HTTP/1.1"

# name: (request line, fields behind the proof, how lines end, answers directly, answers by nginx)
ATTACKS = {
    "two lengths": (LINE, ["Content-Length: 4", "Content-Length: {n}"], REFUSED, NGINX),
    "the same length twice": (LINE, ["Content-Length: {n}", "Content-Length: {n}"], REFUSED, NGINX),
    "a list of lengths": (LINE, ["Content-Length: {n}, {n}"], REFUSED, NGINX),
    "a length and chunked": (LINE, ["Content-Length: {n}", "Transfer-Encoding: chunked"],
                             REFUSED, NGINX),
    "chunked and a length": (LINE, ["Transfer-Encoding: chunked", "Content-Length: {n}"],
                             REFUSED, NGINX),
    "chunked": (LINE, ["Transfer-Encoding: chunked"], REFUSED, NGINX | TAKEN),
    "an unknown encoding": (LINE, ["Transfer-Encoding: xchunked"], REFUSED, NGINX),
    "chunked, then identity": (LINE, ["Transfer-Encoding: chunked, identity"], REFUSED, NGINX),
    "identity": (LINE, ["Transfer-Encoding: identity", "Content-Length: {n}"], REFUSED,
                 NGINX | TAKEN),
    "an encoding with a tab": (LINE, ["Transfer-Encoding:\tchunked"], REFUSED, NGINX),
    "an encoding behind a form feed": (LINE, ["Transfer-Encoding: \x0cchunked"], REFUSED, NGINX),
    "a blank before the colon": (LINE, ["Content-Length : {n}"], REFUSED | {411}, NGINX),
    "a blank before an encoding's colon": (LINE, ["Content-Length: {n}",
                                                  "Transfer-Encoding : chunked"], REFUSED, NGINX),
    "a length with a plus": (LINE, ["Content-Length: +{n}"], REFUSED, NGINX),
    "a negative length": (LINE, ["Content-Length: -{n}"], REFUSED, NGINX),
    "a hexadecimal length": (LINE, ["Content-Length: 0x{n}"], REFUSED, NGINX),
    "a length of 2^64 - 1": (LINE, ["Content-Length: 18446744073709551615"], REFUSED | {413}, NGINX),
    "a length of 2^64 + {n}": (LINE, ["Content-Length: 18446744073709551{n}"], REFUSED | {413},
                               NGINX),
    "a length of 10^18": (LINE, ["Content-Length: 1000000000000000000"], {413}, NGINX),
    "an empty length": (LINE, ["Content-Length:"], REFUSED, NGINX),
    "a length with letters": (LINE, ["Content-Length: {n}abc"], REFUSED, NGINX),
    "no length": (LINE, [], {411}, NGINX),
    "a folded line": (LINE, ["Content-Length: {n}", "X-A: b\r\n c"], REFUSED, NGINX | TAKEN),
    "a folded length": (LINE, ["Content-Length:\r\n {n}"], {400, 411}, NGINX | TAKEN),
    "a folded first line": ("POST {path} HTTP/1.1\r\n X-A: b", ["Content-Length: {n}"], REFUSED,
                            NGINX | TAKEN),
    "a bare LF": (LINE, ["Content-Length: {n}\nX-A: b"], REFUSED, NGINX | TAKEN),
    "a bare LF before the end": (LINE, ["Content-Length: {n}\n"], REFUSED, NGINX | TAKEN),
    "a bare CR": (LINE, ["Content-Length: {n}", "X-A: b\rContent-Length: 0"], REFUSED, NGINX | TAKEN),
    "a NUL in a value": (LINE, ["Content-Length: {n}", "X-A: b\0c"], REFUSED, NGINX),
    "a NUL in a name": (LINE, ["Content-Length: {n}", "X\0A: b"], REFUSED, NGINX),
    "no name": (LINE, ["Content-Length: {n}", ": b"], REFUSED, NGINX | TAKEN),
    "no colon": (LINE, ["Content-Length: {n}", "Nothing"], REFUSED, NGINX | TAKEN),
    "a blank in a name": (LINE, ["Content-Length: {n}", "X A: b"], REFUSED, NGINX | TAKEN),
    "100 KB in one field": (LINE, ["Content-Length: {n}", "X-A: " + HUNDRED_KB],
                            {0, 413, 414, 431}, NGINX),
    "100 KB of one name": (LINE, ["Content-Length: {n}", HUNDRED_KB + ": b"], {0, 413, 414, 431},
                           NGINX),
    "100 KB of target": ("POST {path}?" + HUNDRED_KB + " HTTP/1.1", ["Content-Length: {n}"],
                         {0, 413, 414, 431}, NGINX),
    "1,000 fields": (LINE, ["Content-Length: {n}"] + [f"X-{i}: {i}" for i in range(1000)],
                     {0, 413, 431}, NGINX),
    "101 fields": (LINE, ["Content-Length: {n}"] + ["X: y"] * 101, {431}, NGINX | {431}),
    "an absolute URI": ("POST http://127.0.0.1{path} HTTP/1.1", ["Content-Length: {n}"],
                        {400, 404}, NGINX | TAKEN),
    "an absolute URI of another": ("POST http://evil.example{path} HTTP/1.1",
                                   ["Content-Length: {n}"], {400, 404}, NGINX | TAKEN),
    "CONNECT": ("CONNECT evil.example:443 HTTP/1.1", ["Content-Length: {n}"], {400, 404, 405}, NGINX),
    "an authority": ("POST evil.example:443 HTTP/1.1", ["Content-Length: {n}"], {400, 404}, NGINX),
    "dot segments": ("POST /x/..{path} HTTP/1.1", ["Content-Length: {n}"], {400, 404}, NGINX | TAKEN),
    "two slashes": ("POST /{path} HTTP/1.1", ["Content-Length: {n}"], {400, 404}, NGINX | TAKEN),
    "an escaped path": ("POST /%67ithub/webhook HTTP/1.1", ["Content-Length: {n}"], {400, 404},
                        NGINX | TAKEN),
    "two blanks": ("POST  {path} HTTP/1.1", ["Content-Length: {n}"], {400, 404}, NGINX | TAKEN),
    "a tab for a blank": ("POST\t{path} HTTP/1.1", ["Content-Length: {n}"], {400, 404, 405}, NGINX),
    "a NUL in the target": ("POST {path}\0x HTTP/1.1", ["Content-Length: {n}"], {400, 404}, NGINX),
    "a small method": ("post {path} HTTP/1.1", ["Content-Length: {n}"], {400, 405}, NGINX),
    "an unknown method": ("BREW {path} HTTP/1.1", ["Content-Length: {n}"], {400, 405}, NGINX),
    "HTTP/0.9": ("POST {path}", ["Content-Length: {n}"], {0, 400, 505}, NGINX),
    "HTTP/2.0": ("POST {path} HTTP/2.0", ["Content-Length: {n}"], {0, 400, 505}, NGINX),
    "HTTP/1.1 with more": ("POST {path} HTTP/1.1 x", ["Content-Length: {n}"], REFUSED, NGINX),
    "h2c": (LINE, ["Content-Length: 99999999999", "Connection: Upgrade, HTTP2-Settings",
                   "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"], {413}, NGINX),
    "a TLS hello": ("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", [], {0, 400}, NGINX),
    "a body where none is taken": ("GET /healthz HTTP/1.1", ["Content-Length: {n}"], {413, 400},
                                   NGINX),
}
# Not refused, and harmless: what makes them odd changes nothing.
ODD = {
    "Expect": (LINE, ["Expect: 100-continue"]),
    "an Expect that nobody knows": (LINE, ["Expect: everything"]),
    "HTTP/1.2": ("POST {path} HTTP/1.2", []),
    "an offer of h2c": (LINE, ["Upgrade: h2c", "HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA"]),
    "an offer of a web socket": (LINE, ["Upgrade: websocket", "Sec-WebSocket-Version: 13",
                                        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]),
    "another method in a field": (LINE, ["X-HTTP-Method-Override: DELETE",
                                         "X-Original-URL: /metrics"]),
}
# Each of them alone is refused; two or three of them together must be, too.
MUTATIONS = [(name, ATTACKS[name][1]) for name in (
    "two lengths", "the same length twice", "a list of lengths", "a length and chunked",
    "an unknown encoding", "a blank before the colon", "a length with a plus",
    "a negative length", "a hexadecimal length", "a folded line", "a bare LF", "a bare CR",
    "a NUL in a value", "a NUL in a name", "no colon", "a blank in a name")]

numbers = itertools.count(1)


class Attack:
    """One hostile head, its body, and an honest request that hides behind them."""

    def __init__(self, source, line, fields, shuffle=None):
        number = 1_000_000 + next(numbers)
        self.key = key_of(source, number)
        self.inner, self.inner_key = honest_request(source, 5_000_000 + number, "close")
        self.body = body_of(source, number)
        lines = [f"Host: {NAME}", *(f"{k}: {v}" for k, v in proof(source, self.body, number).items()),
                 *(field.replace("{n}", str(len(self.body))) for field in fields)]
        if shuffle:
            shuffle(lines)
        text = "\r\n".join([line.replace("{path}", PATHS[source]), *lines]) + "\r\n\r\n"
        self.head = text.encode("latin-1")


class Seen:
    """What was sent through one door, to be compared with what was stored."""

    def __init__(self, hall, house, door):
        self.hall, self.house, self.door = hall, house, door
        self.honest, self.hostile, self.hidden = set(), set(), set()

    def send(self, label, attack, request, right):
        """Directly: refused, closed, and nothing behind it read.  Through nginx: what hides has
        been seen by nginx as well, or by nobody."""
        if self.door.name == "directly":
            # libmicrohttpd 0.9.75 writes the head of its own refusals twice: one answer all the same.
            found = exchange(self.door, request)
            must(found.final in right and len(set(found.statuses)) <= 1 and found.is_closed,
                 f"{label}: {found}, not {sorted(right)}, closed")
            self.hostile.add(attack.key)
            self.hidden.add(attack.inner_key)
        else:
            found = exchange(self.door, request, last=b"HTTP/1.1 413 ")
            must(found.final in right, f"{label} through nginx: {found}, not {sorted(right)}")
            if len(found.statuses) < 2:
                self.hidden.add(attack.inner_key)
        self.hall.hit(f"refused {self.door.name}" if found.final not in TAKEN
                      else "made unambiguous by nginx")

    def serve(self, source):
        request, key = honest_request(source, 9_000_000 + next(numbers))
        status = ask_once(self.door, request)
        must(status == 200, f"the next honest {source} request {self.door.name}: {status}")
        self.honest.add(key)
        self.hall.hit("honest served between")

    def check(self):
        stored = self.house.stored()
        for what, keys in (("acknowledged and not stored", self.honest - stored),
                           ("refused and stored", self.hostile & stored),
                           ("SMUGGLED past a refusal", self.hidden & stored)):
            must(not keys, f"{what} {self.door.name}: {sorted(keys)[:3]}")


def named(hall, house):
    names = list(ATTACKS)
    if hall.is_short:
        names = hall.dice("framing names").sample(names, 8)
    for door in house.doors:
        seen = Seen(hall, house, door)
        for name, source in itertools.product(names, PATHS):
            line, fields, direct, by_nginx = ATTACKS[name]
            right = direct if door.name == "directly" else by_nginx
            forms = {"with what hides behind it": lambda a: a.head + a.inner,
                     "with its body too": lambda a: a.head + a.body + a.inner}
            if door.name == "directly":     # nginx may wait for the body
                forms["its head alone"] = lambda a: a.head
            for form, bytes_of in forms.items():
                attack = Attack(source, line, fields)
                seen.send(f"{name}, {source}, {form}", attack, bytes_of(attack), right)
            seen.serve(source)
        seen.check()


def odd(hall, house):
    for door, (name, (line, fields)), source in itertools.product(house.doors, ODD.items(), PATHS):
        attack = Attack(source, line, ["Connection: close", *fields, "Content-Length: {n}"])
        found = exchange(door, attack.head + attack.body)
        must(found.final in (200, 400, 417) and 101 not in found.statuses,
             f"{name} {door.name}: {found}")
        must((attack.key in house.stored()) == (found.final == 200), f"{name} {door.name}: {found}")
        hall.hit("odd, and harmless")


def combined(hall, house):
    """Two or three at once, in any order, among the true fields."""
    dice = hall.dice("framing combined")
    for door, count in zip(house.doors, (hall.size(8000, 60), hall.size(800, 10))):
        seen = Seen(hall, house, door)
        right = {400, 411} if door.name == "directly" else NGINX | TAKEN | {401}
        for turn in range(count):
            chosen = dice.sample(MUTATIONS, dice.choice((2, 2, 3)))
            source = dice.choice(list(PATHS))
            attack = Attack(source, LINE, [field for _, part in chosen for field in part],
                            dice.shuffle)
            seen.send(" + ".join(name for name, _ in chosen), attack,
                      attack.head + dice.choice((b"", attack.body, attack.body[:7])) + attack.inner,
                      right)
            hall.hit(f"combined {door.name}")
            if turn % 20 == 0:
                seen.serve(source)
        seen.check()


def play(hall):
    hall.wants("refused directly", "refused through nginx", "combined directly",
               "combined through nginx", "odd, and harmless", "honest served between", least=10)
    with House(hall, "framing") as house, healthz(house.bot) as asking:
        named(hall, house)
        odd(hall, house)
        combined(hall, house)
    hall.note(f"/healthz answered {asking.answered} times meanwhile, the longest wait "
              f"{asking.longest_s * 1000:.0f} ms")
