"""hostile_bodies.py - bodies and proofs: too big, too deep, doubled, broken, forged, replayed; each
gets the answer that its rule names, costs bounded memory, and changes nothing."""
# SPDX-License-Identifier: ISC
import itertools
import json

from hostile_aid import (NAME, PATHS, House, body_of, exchange, healthz, high_water_kb, honest_request,
                         is_sanitized, key_of, must, proof, push_body, update_body)
from ops_aid import github_headers, metric, sign, telegram_headers
from stage import GITHUB_SECRET, WEBHOOK_SECRET

MB = 1 << 20
BIGGEST = {"github": 26 * MB, "telegram": MB}
MEMORY_KB = 160 * 1024      # 64 MB of bodies, one at 26 MB being read, and the program itself
numbers = itertools.count(1)


def fill(begin, piece, end, size):
    """As long as can be, in this shape."""
    return begin + piece * ((size - len(begin) - len(end)) // len(piece)) + end


# What no reader of JSON may take, as large as a body may be; the push in them is true but for that.
SHAPES = {
    "a depth bomb of lists": lambda push, size: fill(b"", b"[", b"", size),
    "a closed depth bomb": lambda push, size: b"[" * (size // 2) + b"]" * (size // 2),
    "a depth bomb of objects": lambda push, size: fill(b"", b'{"a":', b"", size),
    "a bomb in what nobody reads": lambda push, size: fill(
        push[:-1] + b',"commits_url":', b"[", b"", size),
    "a key a million times": lambda push, size: fill(push[:-1], b',"zen":1', b"}", size),
    "the ref twice": lambda push, size: push[:-1] + b',"ref":"a","ref":"b"}',
    "broken UTF-8 at the end": lambda push, size: fill(push[:-1] + b',"x":"', b"a", b'\xff"}', size),
    "overlong UTF-8": lambda push, size: push[:-1] + b',"x":"\xc0\xaf"}',
    "a surrogate in UTF-8": lambda push, size: push[:-1] + b',"x":"\xed\xa0\x80"}',
    "half a surrogate": lambda push, size: push[:-1] + b',"x":"\\ud800"}',
    "a NUL": lambda push, size: push[:-1] + b',"x":"\x00"}',
    "an escaped NUL in the ref": lambda push, size: push.replace(b"nobodys", b"nobodys\\u0000x"),
    "a line feed in a string": lambda push, size: push[:-1] + b',"x":"a\nb"}',
    "26 million digits": lambda push, size: fill(push[:-1] + b',"x":', b"9", b"e}", size),
    "blanks alone": lambda push, size: b" " * size,
    "something behind it": lambda push, size: push + b"{}",
    "a byte order mark": lambda push, size: b"\xef\xbb\xbf" + push,
    "UTF-16": lambda push, size: push.decode().encode("utf-16"),
    "half of it": lambda push, size: push[:len(push) // 2],
    "nothing": lambda push, size: b"",
}
# Text that is no Unicode is replaced where it comes in (lib/json_mend.h): somebody else than the sender wrote it.
MENDED = {"broken UTF-8 at the end", "overlong UTF-8", "a surrogate in UTF-8", "half a surrogate", "a NUL",
          "an escaped NUL in the ref"}


def post(door, source, body, fields, more=""):
    lines = "".join(f"{k}: {v}\r\n" for k, v in fields.items())
    head = (f"POST {PATHS[source]} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n{lines}{more}"
            f"Content-Length: {len(body)}\r\n\r\n").encode("latin-1")
    return exchange(door, head + body, timeout=60)


def shapes(hall, house):
    names = list(SHAPES)
    if hall.is_short:
        names = hall.dice("bodies").sample(names, 6)
    commands = 0
    for (turn, name), source in itertools.product(enumerate(names), PATHS):
        if name == "an escaped NUL in the ref" and source == "telegram":
            continue    # it has none
        number = 1_000_000 + next(numbers)
        size = min(BIGGEST[source], MB if hall.is_short else 26 * MB)
        body = SHAPES[name](body_of(source, number), size)
        door = house.doors[turn % 2]
        found = post(door, source, body, proof(source, body, number))
        # A broken update is acknowledged, or it would come again for a day; it is audited instead.
        is_mended = name in MENDED
        # An update of a megabyte is not read.
        commands += is_mended and source == "telegram" and len(body) < MB // 2
        right = 400 if source == "github" and not is_mended else 200
        must(found.final == right, f"{source}, {name} {door.name}: {found}, not {right}")
        # An update's id is noted where it can be read, so that its copies are known.
        must(source == "telegram" or (key_of(source, number) in house.stored()) == is_mended, f"{name}: stored, or not")
        hall.hit("broken bodies")
    acted = metric(house.bot, "deploybot_commands_total")
    must(acted == commands, f"{acted} updates were acted on, not the {commands} whose text is replaced")
    must(house.bot.audit(outcome="denied"), "broken updates are audited")
    peak = high_water_kb(house.bot.process.pid)
    if not is_sanitized():
        must(peak < MEMORY_KB, f"{peak} kB of memory")
    hall.note(f"broken bodies of up to {size // MB} MB cost at most {peak // 1024} MB in all")


def forged_proofs(body):
    """Header lines that do not prove that this body is GitHub's."""
    right = sign(body)
    digest = right.partition("=")[2]
    return {
        "none": "", "empty": "X-Hub-Signature-256: \r\n",
        "no name of a hash": f"X-Hub-Signature-256: {digest}\r\n",
        "upper case": f"X-Hub-Signature-256: sha256={digest.upper()}\r\n",
        "an upper case name": f"X-Hub-Signature-256: SHA256={digest}\r\n",
        "SHA-1's name": f"X-Hub-Signature-256: sha1={digest}\r\n",
        "SHA-1's field": f"X-Hub-Signature: sha1={digest[:40]}\r\n",
        "one digit short": f"X-Hub-Signature-256: {right[:-1]}\r\n",
        "one digit more": f"X-Hub-Signature-256: {right}0\r\n",
        "the first digit": f"X-Hub-Signature-256: sha256={flip(digest[0])}{digest[1:]}\r\n",
        "the last digit": f"X-Hub-Signature-256: sha256={digest[:-1]}{flip(digest[-1])}\r\n",
        "zeros": f"X-Hub-Signature-256: sha256={'0' * 64}\r\n",
        "a blank inside": f"X-Hub-Signature-256: sha256= {digest}\r\n",
        "quotes": f'X-Hub-Signature-256: "{right}"\r\n',
        "a list": f"X-Hub-Signature-256: {right}, {right}\r\n",
        "right, then wrong": f"X-Hub-Signature-256: {right}\r\nX-Hub-Signature-256: sha256={'0' * 64}\r\n",
        "wrong, then right": f"X-Hub-Signature-256: sha256={'0' * 64}\r\nX-Hub-Signature-256: {right}\r\n",
        "right twice": f"X-Hub-Signature-256: {right}\r\nX-Hub-Signature-256: {right}\r\n",
        "another secret": f"X-Hub-Signature-256: {sign(body, GITHUB_SECRET + 'x')}\r\n",
        "half the secret": f"X-Hub-Signature-256: {sign(body, GITHUB_SECRET[:20])}\r\n",
        "an empty secret": f"X-Hub-Signature-256: {sign(body, '')}\r\n",
        "of what was parsed": f"X-Hub-Signature-256: {sign(json.dumps(json.loads(body)).encode() + b' ')}\r\n",
    }


def flip(digit):
    return "0" if digit != "0" else "1"


def forged(hall, house):
    for door in house.doors:
        for name, lines in forged_proofs(push_body(1)).items():
            number = 2_000_000 + next(numbers)
            body = push_body(number)
            lines = forged_proofs(body)[name]
            fields = {k: v for k, v in github_headers(body, guid=f"g{number}").items()
                      if k != "X-Hub-Signature-256"}
            found = post(door, "github", body, fields, lines)
            must(found.final in (400, 401) and found.raw.endswith(b"\r\n\r\n"),
                 f"a signature, {name} {door.name}: {found}")
            must(key_of("github", number) not in house.stored(), f"a signature, {name}: stored")
            hall.hit("forged signatures")
        for name, given in {"none": None, "empty": "", "prefix": WEBHOOK_SECRET[:-1], "more":
                            WEBHOOK_SECRET + "x", "case": WEBHOOK_SECRET.upper(),
                            "two": f"{WEBHOOK_SECRET}, {WEBHOOK_SECRET}"}.items():
            number = 2_000_000 + next(numbers)
            fields = {k: v for k, v in telegram_headers().items() if "Secret" not in k}
            if given is not None:
                fields["X-Telegram-Bot-Api-Secret-Token"] = given
            found = post(door, "telegram", update_body(number), fields)
            must(found.final == 401, f"Telegram's secret, {name} {door.name}: {found}")
            must(key_of("telegram", number) not in house.stored(), f"the secret, {name}: stored")
            hall.hit("forged secrets")


def replays(hall, house):
    """One signed body under many ids, and one id with many bodies: taken once."""
    number = 3_000_000 + next(numbers)
    body = push_body(number)
    before = len(house.stored())
    for turn in range(hall.size(200, 20)):
        found = post(house.doors[turn % 2], "github", body,
                     github_headers(body, guid=f"g{number}" if turn % 3 == 0 else f"r{number}-{turn}"))
        must(found.final in (200, 202), f"a replay: {found}")
        hall.hit("replays")
    must(len(house.stored()) == before + 1, f"a replayed body was taken {len(house.stored()) - before} times")


def mutated(hall, house):
    """Bytes of a true body changed, then signed: stored if and only if that was said."""
    dice = hall.dice("bodies mutated")
    for _ in range(hall.size(3000, 100)):
        source = dice.choice(list(PATHS))
        number = 4_000_000 + next(numbers)
        body = bytearray(body_of(source, number))
        for _ in range(dice.randrange(1, 4)):
            at = dice.randrange(len(body))
            act = dice.randrange(3)
            if act == 0:
                body[at] = dice.randrange(256)
            elif act == 1:
                del body[at:at + dice.randrange(1, 9)]
            else:
                body[at:at] = dice.choice((b"\\u0000", b"\xff", b"{", b'"', b"1e999", b"\x00", b","))
            if not body:
                break
        body = bytes(body)
        found = post(house.doors[0], source, body, proof(source, body, number))
        must(found.final in (200, 202, 400), f"{found} for {body!r}")
        if source == "github":
            is_stored = key_of(source, number) in house.stored()
            must(is_stored == (found.final == 200), f"{found} and stored: {is_stored}: {body!r}")
        hall.hit("mutated bodies")


def play(hall):
    hall.wants("broken bodies", "forged signatures", "forged secrets", "replays", "mutated bodies",
               least=5)
    with House(hall, "bodies", TELEGRAM_CHAT_ID="424242001") as house, healthz(house.bot) as asking:
        shapes(hall, house)
        forged(hall, house)
        replays(hall, house)
        mutated(hall, house)
        request, key = honest_request("github", 9_900_000)
        must(exchange(house.doors[1], request, last=b"\r\n\r\n").final == 200 and key in house.stored(),
             "the next honest request is served")
    hall.note(f"/healthz answered {asking.answered} times meanwhile, the longest wait "
              f"{asking.longest_s * 1000:.0f} ms")
