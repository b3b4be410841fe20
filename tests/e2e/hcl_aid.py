"""Reads Terraform's language as far as policies need it: blocks, literals, lists, objects, calls; the rest stays text.

Not here: heredocs (there are none, and one is refused), templates with %{…}, evaluation.
"""
# SPDX-License-Identifier: ISC
import re

TOKEN = re.compile(r"""
    (?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/) | (?P<newline>\n) | (?P<blank>[ \t\r]+) |
    (?P<heredoc><<-?[A-Za-z]) | (?P<number>\d+(?:\.\d+)?) | (?P<word>[A-Za-z_][A-Za-z0-9_-]*) | (?P<quote>") |
    (?P<sign>=>|==|!=|<=|>=|&&|\|\||\.\.\.|[-+*/%<>!?:.,=(){}\[\]])""", re.S | re.X)
OPENS = {"(": ")", "[": "]", "{": "}"}


class Bad(Exception):
    pass


class Raw(str):
    """An expression that is not a literal, as it stands in the file."""


class Call:
    """name(arguments), and nothing behind it."""
    def __init__(self, name, arguments, text):
        self.name, self.arguments, self.text = name, arguments, text

    def __repr__(self):
        return f"{self.name}({self.arguments})"


class Block(dict):
    """Attributes by name; blocks inside as a list of (type, labels, Block)."""
    def __init__(self):
        super().__init__()
        self.blocks = []

    def inside(self, kind):
        return [body for name, _, body in self.blocks if name == kind]


def string_end(text, at):
    """Where the string that begins at `at` ends: a template in it may hold strings again."""
    at += 1
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] == '"':
            return at + 1
        elif text.startswith("${", at) and not text.startswith("$${", at - 1):
            depth, at = 1, at + 2
            while depth:
                if text[at] == '"':
                    at = string_end(text, at)
                    continue
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
        elif text[at] == "\n":
            break
        else:
            at += 1
    raise Bad(f"a string without an end: {text[at - 40:at]!r}")


def tokens(text):
    """(kind, text, begin, end); comments and blanks are left out."""
    at, found = 0, []
    while at < len(text):
        match = TOKEN.match(text, at)
        if not match or match.lastgroup == "heredoc":
            raise Bad(f"not understood, line {text.count(chr(10), 0, at) + 1}: {text[at:at + 30]!r}")
        kind, end = match.lastgroup, match.end()
        if kind == "quote":
            kind, end = "string", string_end(text, at)
        if kind not in ("comment", "blank"):
            found.append((kind, text[at:end], at, end))
        at = end
    return found


class Parser:
    def __init__(self, text):
        self.text, self.list, self.at = text, [*tokens(text), ("end", "", len(text), len(text))], 0

    def peek(self):
        return self.list[self.at]

    def take(self, *wanted):
        token = self.list[self.at]
        if wanted and token[1] not in wanted and token[0] not in wanted:
            line = self.text.count("\n", 0, token[2]) + 1
            raise Bad(f"line {line}: {token[1]!r}, expected {' or '.join(wanted)}")
        self.at += 1
        return token

    def newlines(self):
        while self.peek()[0] == "newline":
            self.at += 1

    def body(self, last):
        block = Block()
        while True:
            self.newlines()
            if last in self.peek()[:2]:
                self.at += 1
                return block
            name = self.take("word")[1]
            if self.peek()[1] == "=":
                self.at += 1
                if name in block:
                    raise Bad(f"{name} is set twice")
                block[name] = self.expression()
                continue
            labels = []
            while self.peek()[0] in ("word", "string"):
                labels.append(self.take()[1].strip('"'))
            self.take("{")
            block.blocks.append((name, labels, self.body("}")))

    def slice(self):
        """The tokens of one expression: up to a newline, a comma or a closing bracket that is not its own."""
        begin, closing = self.at, []
        while True:
            kind, word, _, _ = self.peek()
            if kind == "end" and closing:
                raise Bad(f"{closing[-1]} is missing at the end")
            if kind == "end" or (not closing and (kind == "newline" or word in (",", ")", "]", "}"))):
                break
            if closing and word == closing[-1]:
                closing.pop()
            elif word in OPENS and kind == "sign":
                closing.append(OPENS[word])
            elif word in OPENS.values() and kind == "sign":
                raise Bad(f"{word} closes nothing")
            self.at += 1
        return self.list[begin:self.at]

    def expression(self):
        self_list = self.slice()
        if not self_list:
            raise Bad(f"an empty expression before {self.peek()[1]!r}")
        return value(self.text, self_list)


def parser_of(text, found):
    inner = Parser.__new__(Parser)
    inner.text, inner.at = text, 0
    end = found[-1][3] if found else 0
    inner.list = [*found, ("end", "", end, end)]
    return inner


def elements(text, found):
    """What stands between commas."""
    inner, values = parser_of(text, found), []
    inner.newlines()
    while inner.peek()[0] != "end":
        values.append(inner.expression())
        inner.newlines()
        if inner.peek()[0] != "end":
            inner.take(",")
            inner.newlines()
    return values


def pairs(text, found):
    inner, values = parser_of(text, found), {}
    inner.newlines()
    while inner.peek()[0] != "end":
        kind, key, _, _ = inner.take("word", "string")
        inner.take("=", ":")
        values[key.strip('"') if kind == "string" else key] = inner.expression()
        while inner.peek()[0] == "newline" or inner.peek()[1] == ",":
            inner.at += 1
    return values


def is_whole(found):
    """Whether the first bracket of these tokens is closed by the last of them."""
    depth = 0
    for place, (kind, word, _, _) in enumerate(found):
        if kind == "sign":
            depth += (word in OPENS) - (word in OPENS.values())
        if depth == 0:
            return place == len(found) - 1
    return False


def unquoted(word):
    plain = word[1:-1]
    if "${" in plain or "%{" in plain:
        return Raw(word)
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), plain).replace("$${", "${")


LITERALS = {"true": True, "false": False, "null": None}


def scalar(kind, word, raw):
    if kind == "string":
        return unquoted(word)
    if kind == "number":
        return float(word) if "." in word else int(word)
    return LITERALS.get(word, raw)


def value(text, found):
    raw = Raw(text[found[0][2]:found[-1][3]])
    kind, word, _, _ = found[0]
    if len(found) == 1:
        return scalar(kind, word, raw)
    inner = [token for token in found[1:-1] if token[0] != "newline"]
    if kind == "word" and found[1][1] == "(" and is_whole(found[1:]):
        return Call(word, elements(text, found[2:-1]), raw)
    if word not in ("[", "{") or not is_whole(found) or (inner and inner[0][1] == "for"):
        return raw
    return elements(text, found[1:-1]) if word == "[" else pairs(text, found[1:-1])


def parse(text):
    return Parser(text).body("end")


def texts(part):
    """Every expression and string below a value or a block, as text."""
    if isinstance(part, Block):
        for inner in [*part.values(), *(body for _, _, body in part.blocks)]:
            yield from texts(inner)
    elif isinstance(part, dict):
        for inner in part.values():
            yield from texts(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from texts(inner)
    elif isinstance(part, Call):
        yield part.text
    elif isinstance(part, str):
        yield part
