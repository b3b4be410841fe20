"""swallow.py FILE... - shell functions that may fail with a reason: called where that reason, or a signal, is lost.

A function that reaches fail() tells why on stderr: 2> behind its call swallows that.  One that reaches bounded() waits:
in $( ), <( ) or a pipe bash handles no signal meanwhile.  A line that has to says why: `# reason kept: …` above it."""
# SPDX-License-Identifier: ISC
import re
import sys

BEGINS = r"(?:^|[;&|!({]|\b(?:if|elif|while|until|then|else|do)\b|\$\(|\$\{ )\s*"
KEPT = "# reason kept: "


def without_words(line):
    """What is quoted is no command, but for what "$( )" has in it; a comment is none."""
    line = re.sub(r"'[^']*'", "''", re.sub(r"\\.", "", line))
    line = re.sub(r"(^|\s)#.*", "", line)
    line = re.sub(r"^\s*[^()]*\)(?=\s|$)", "", line) # of a case
    return re.sub(r'"([^"]*)"', lambda m: "".join(re.findall(r"\$\([^)]*\)", m[1])) or "_", line)


def statements(path):
    """(line, text, whether it says why it may) of each, with what was continued on further lines."""
    begin, text, kept, above = 0, "", False, False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.rstrip("\n")
            if not text:
                begin, kept = number, above
            text += line
            if text.endswith("\\") or re.search(r"(&&|\|\||\|)$", text):
                text = text.removesuffix("\\") + " "
                continue
            yield begin, without_words(text), kept
            above, text = text.strip().startswith(KEPT), ""


def functions(files):
    """{name: the text of its body}"""
    found, name = {}, None
    for path in files:
        for _, text, _ in statements(path):
            begins = re.match(r"(\w+)\(\) [{(]", text)
            name = begins[1] if begins else name
            found[name] = found.get(name, "") + "\n" + text
            if text == "}":
                name = None
    return found


def reaching(bodies, target):
    """Those from which that function may be called."""
    found, last = {target}, 0
    while len(found) != last:
        last = len(found)
        calls = re.compile(BEGINS + r"(?:" + "|".join(map(re.escape, found)) + r")(?=\s|$|[;)&|])", re.M)
        found |= {name for name, body in bodies.items() if name and calls.search(body)}
    return found


def main(files):
    bodies, bad = functions(files), 0
    name = {target: "(?:" + "|".join(sorted(map(re.escape, reaching(bodies, target)))) + ")"
            for target in ("fail", "bounded")}
    loses = re.compile(BEGINS + "(" + name["fail"] + r")(?=\s)[^;|&]*?(?:2>(?!&2)|&>|>&1)")
    block = re.compile(r"\{ ([^}]*)\}\s*(?:[<>][^;|&]*)?2>")
    waits = re.compile(r"(?:[$<]\(\s*(" + name["bounded"] + r")(?=[\s)])|" + BEGINS + "(" + name["bounded"]
                       + r")(?=\s)[^;|&)]*\|(?!\|)|(?<!\|)\|(?!\|)\s*(" + name["bounded"] + r")(?=[\s;&)]|$))")
    inside = re.compile(BEGINS + name["fail"] + r"(?=[\s;&|]|$)")
    for path in files:
        for number, text, kept in statements(path):
            lost = loses.search(text) or any(inside.search(found) for found in block.findall(text))
            held = waits.search(text)
            if kept or not (lost or held):
                continue
            bad = 1
            print(f"{path}:{number}: " + ("the reason of a failure is lost: redirect what the program says alone "
                                          "(silently, bounded)" if lost else
                                          "no signal is handled while it waits there: asked, or a file"))
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
