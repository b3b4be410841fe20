#!/usr/bin/python3
"""shape.py [--list | --lower] - the measures of the house: what is above one stands in shape.txt, with its reason.

A header has at most ten functions, a function at most 50 lines and five parameters, a struct at most 40 members.
A comment is a sentence of its own: none begins or ends with "...", and no row allows that.  What is above a measure and
not in shape.txt is refused, and so is a row whose number is too high or that is for nothing.
--list prints what is above as rows without reasons; --lower lowers and removes rows, and never raises or adds one.
"""
# SPDX-License-Identifier: ISC
import pathlib
import re
import sys

from rooms import ROOMS

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).with_suffix(".txt")
MOST = {"functions": 10, "lines": 50, "parameters": 5, "members": 40}

TEXT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
DOTS = re.compile(r"/\*[\s*]*(?:…|\.\.\.)|(?:…|\.\.\.)[\s*]*\*/")
HEAD = re.compile(r"^(\w+)(?=\()", re.M)
STRUCT = re.compile(r"^(?:static |const )*(?:struct|union) (\w+)\s\{\n(.*?)^\}", re.M | re.S)
LONE_MACRO = re.compile(r"\A\s*[A-Z]\w*\([^;]*?\)\s*\n")
DECLARED = re.compile(r"\b([a-z]\w*)\((?!\*)")


def without(pattern, source):
    """What matches is gone, its ends of lines are not."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", "", found[0]) or " ", source)


def end_of(code, at, opens, closes):
    """Behind the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(code)):
        depth += (code[place] in opens) - (code[place] in closes)
        if depth == 0:
            return place + 1
    return len(code)


def arguments(text):
    """Of "(A, B[x, y])": A and B[x, y]."""
    found, depth = [""], 0
    for character in text[1:-1]:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [word.strip() for word in found]


def functions_of(code):
    """Name, parameters and lines of each definition.  One that a macro makes is its first argument, without parameters;
    "..." is no parameter."""
    for head in HEAD.finditer(code):
        close = end_of(code, head.end(), "(", ")")
        body = re.compile(r"\s*\n\{\n(.*?)^\}", re.M | re.S).match(code, close)
        if body:
            words = arguments(code[head.end():close])
            if head[1].isupper():
                yield words[0], 0, body[1].count("\n")
            else:
                yield head[1], sum(word not in ("void", "...") for word in words), body[1].count("\n")


def declared_in(code):
    """The functions that a header has, also those with a body."""
    flat, at = "", 0
    while (brace := code.find("{", at)) >= 0:
        flat += code[at:brace] + ("\0;" if code[:brace].rstrip().endswith(")") else "\0")
        at = end_of(code, brace, "{", "}")
    names = set()
    for text in (flat + code[at:]).split(";"):
        while macro := LONE_MACRO.match(text):
            text = text[macro.end():]
        if not re.match(r"\s*(?:typedef|enum \w* ?\0|struct \w+ ?\0|static_assert|_Static_assert)", text):
            names.update(found[1] for found in [DECLARED.search(text)] if found)
    return names


def members_of(body):
    """Names that are declared there, also in what has no name of its own."""
    count = 0
    for text in re.sub(r"[{}]", ";", re.sub(r"enum[^;{]*\{[^}]*\}", "enum", body)).split(";"):
        text, more = re.subn(r"[(\[][^()\[\]]*[)\]]", "", text)
        while more:
            text, more = re.subn(r"[(\[][^()\[\]]*[)\]]", "", text)
        if text.strip() and not re.fullmatch(r"\s*(?:struct|union)\b\s*\w*\s*", text):
            count += 1 + text.count(",")
    return count


def findings(name, source):
    """(kind, file, name, number) of all that has a measure."""
    code = without(DIRECTIVE, without(TEXT, source))
    for struct in STRUCT.finditer(code):
        yield "members", name, struct[1], members_of(struct[2])
    for function, parameters, lines in functions_of(code):
        yield "parameters", name, function, parameters
        yield "lines", name, function, lines
    if name.endswith(".h"):
        yield "functions", name, "-", len(declared_in(code))


def read_list():
    """The lines of shape.txt, and of each row (kind, file, name) its line and number."""
    lines, rows = LIST.read_text(encoding="utf-8").splitlines(), {}
    for at, line in enumerate(lines):
        if line and not line.startswith("#"):
            kind, name, what, number, reason = (line.split(None, 4) + [""] * 5)[:5]
            if kind not in MOST or not number.isdigit() or not reason or (kind, name, what) in rows:
                sys.exit(f"{LIST.name}:{at + 1}: not KIND FILE NAME NUMBER REASON, once: {line}")
            rows[kind, name, what] = at, int(number)
    return lines, rows


def lower(counts):
    lines, rows = read_list()
    for row, (at, number) in rows.items():
        count = counts.get(row, 0)
        if count <= MOST[row[0]]:
            lines[at] = None
        elif count < number:
            lines[at] = " ".join((*row, str(count), lines[at].split(None, 4)[4]))
    LIST.write_text("".join(f"{line}\n" for line in lines if line is not None), encoding="utf-8")


def main():
    files = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*"))
             if path.suffix in (".c", ".h", ".def")]
    counts, bad = {}, []
    for path in files:
        name, source = str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        bad += [f'{name}:{source.count(chr(10), 0, dots.start()) + 1}: a comment that begins or ends with "..."'
                for dots in DOTS.finditer(source)]
        for kind, _, what, count in findings(name, source):
            counts[kind, name, what] = max(count, counts.get((kind, name, what), 0))
    if "--list" in sys.argv:
        print("".join(f"{' '.join(row)} {count}\n" for row, count in counts.items() if count > MOST[row[0]]), end="")
        return 0
    if "--lower" in sys.argv:
        lower(counts)
    rows = read_list()[1]
    for row, count in counts.items():
        kind, name, what = row
        most = rows.pop(row)[1] if row in rows and count > MOST[kind] else MOST[kind]
        if count != most and count > MOST[kind]:
            bad.append(f"{name}: {'' if what == '-' else what + ': '}{count} {kind}, " + (
                f"at most {most}, but for what {LIST.name} has with its reason" if count > most else
                f"and {LIST.name} says {most}: --lower"))
    bad += [f"{' '.join(row)}: {LIST.name}:{at + 1} is for nothing: --lower" for row, (at, _) in rows.items()]
    print("".join(f"{line}\n" for line in bad) + f"shape: {len(files)} files, {len(bad)} problems")
    return len(bad) > 0


if __name__ == "__main__":
    sys.exit(main())
