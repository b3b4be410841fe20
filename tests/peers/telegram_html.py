"""Parses Telegram's HTML parse mode as the Bot API does, with its error texts.

Offsets in errors are bytes, offsets in entities are UTF-16 units, as in the real service. It is
stricter in two places, because the real service forgives silently there and shows something else
than was meant: an ampersand that begins no known entity, and formatting inside <code> or <pre>
(which is dropped).
"""
# SPDX-License-Identifier: ISC
import re

KINDS = {
    "b": "bold", "strong": "bold", "i": "italic", "em": "italic",
    "u": "underline", "ins": "underline", "s": "strikethrough", "strike": "strikethrough",
    "del": "strikethrough", "tg-spoiler": "spoiler", "span": "spoiler", "code": "code",
    "pre": "pre", "a": "text_link", "blockquote": "blockquote", "tg-emoji": "custom_emoji",
}
NAMED = {b"lt": "<", b"gt": ">", b"amp": "&", b"quot": '"'}
SPACE = b" \t\r\n\0\x0b"
ATTRIBUTE_WITHOUT_VALUE = {("blockquote", "expandable")}
ENTITY = re.compile(rb"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([a-zA-Z]+));?")


class ParseError(Exception):
    """What the service says after "can't parse entities: "."""


def utf16_length(text):
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def decode_entity(source, at):
    """Returns (character, next position) of the entity at `at`."""
    match = ENTITY.match(source, at)
    if not match:
        raise ParseError(f"Unescaped character '&' at byte offset {at}")
    hexadecimal, decimal, name = match.groups()
    if name is not None:
        if name not in NAMED:
            raise ParseError(f'Unsupported entity "&{name.decode()};" at byte offset {at}')
        return NAMED[name], match.end()
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if code == 0 or code >= 0x10FFFF or match.end() - at > 11:
        raise ParseError(f"Unsupported numeric entity at byte offset {at}")
    return chr(code), match.end()


class Parser:
    def __init__(self, text):
        self.source = text.encode("utf-8", "surrogatepass")
        self.at = 0
        self.plain = []
        self.length = 0
        self.open = []
        self.entities = []

    def parse(self):
        while self.at < len(self.source):
            byte = self.source[self.at:self.at + 1]
            if byte == b"&":
                character, self.at = decode_entity(self.source, self.at)
                self.put(character)
            elif byte == b"<":
                self.tag()
            else:
                self.run_of_text()
        if self.open:
            raise ParseError("Can't find end tag corresponding to start tag "
                             f"\"{self.open[-1]['tag']}\"")
        plain = "".join(self.plain)
        try:
            plain.encode("utf-8")
        except UnicodeEncodeError:
            raise ParseError("Text contains invalid Unicode characters after decoding HTML "
                             "entities, check for unmatched surrogate code units") from None
        self.entities.sort(key=lambda e: (e["offset"], -e["length"]))
        return plain, self.entities

    def put(self, text):
        self.plain.append(text)
        self.length += utf16_length(text)

    def run_of_text(self):
        end = self.at
        while end < len(self.source) and self.source[end] not in b"&<":
            end += 1
        self.put(self.source[self.at:end].decode("utf-8", "surrogatepass"))
        self.at = end

    def skip_spaces(self):
        while self.at < len(self.source) and self.source[self.at] in SPACE:
            self.at += 1

    def word(self, stops):
        start = self.at
        while self.at < len(self.source) and self.source[self.at] not in SPACE + stops:
            self.at += 1
        return self.source[start:self.at].decode("utf-8", "replace").lower()

    def peek(self):
        return self.source[self.at:self.at + 1]

    def tag(self):
        begin = self.at
        self.at += 1
        if self.peek() == b"/":
            self.at += 1
            self.end_tag(begin)
        else:
            self.start_tag(begin)

    def start_tag(self, begin):
        name = self.word(b">")
        if not self.peek():
            raise ParseError(f"Unclosed start tag at byte offset {begin}")
        if name not in KINDS:
            raise ParseError(f'Unsupported start tag "{name}" at byte offset {begin}')
        attributes = self.attributes(name, begin)
        if name == "span" and attributes.get("class") != "tg-spoiler":
            raise ParseError(f'Tag "span" must have class "tg-spoiler" at byte offset {begin}')
        self.refuse_nesting_in_code(name, begin)
        self.open.append({"tag": name, "offset": self.length, "attributes": attributes,
                          "begin": len(self.plain)})

    def refuse_nesting_in_code(self, name, begin):
        outer = [entry["tag"] for entry in self.open]
        if outer[-1:] == ["pre"] and name == "code":
            return
        if "code" in outer or "pre" in outer:
            raise ParseError(f'Tag "{name}" can\'t be nested in "{outer[-1]}" '
                             f"at byte offset {begin}")

    def attributes(self, tag, begin):
        found = {}
        while True:
            self.skip_spaces()
            if self.peek() == b">":
                self.at += 1
                return found
            name = self.word(b"=>")
            if not name:
                raise ParseError(f'Empty attribute name in the tag "{tag}" '
                                 f"at byte offset {begin}")
            if (tag, name) in ATTRIBUTE_WITHOUT_VALUE and self.peek() != b"=":
                found[name] = ""
                continue
            self.skip_spaces()
            if self.peek() != b"=":
                raise ParseError("Expected equal sign in declaration of an attribute of the tag "
                                 f'"{tag}" at byte offset {begin}')
            self.at += 1
            self.skip_spaces()
            found[name] = self.attribute_value(tag, begin)

    def attribute_value(self, tag, begin):
        if not self.peek():
            raise ParseError(f'Unclosed start tag "{tag}" at byte offset {begin}')
        if self.peek() not in (b"'", b'"'):
            start = self.at
            value = self.word(b">")
            if not re.fullmatch(r"[a-z0-9.-]*", value):
                raise ParseError(f"Unexpected end of name token at byte offset {start}")
            return value
        quote = self.peek()
        self.at += 1
        value = []
        while self.peek() not in (quote, b""):
            if self.peek() == b"&":
                character, self.at = decode_entity(self.source, self.at)
                value.append(character.encode("utf-8", "surrogatepass"))
            else:
                value.append(self.peek())
                self.at += 1
        self.at += 1
        if self.at >= len(self.source):
            raise ParseError(f"Unclosed start tag at byte offset {begin}")
        return b"".join(value).decode("utf-8", "replace")

    def end_tag(self, begin):
        if not self.open:
            raise ParseError(f"Unexpected end tag at byte offset {begin}")
        name = self.word(b">")
        self.skip_spaces()
        if self.peek() != b">":
            raise ParseError(f"Unclosed end tag at byte offset {begin}")
        self.at += 1
        entry = self.open[-1]
        if name and name != entry["tag"]:
            raise ParseError(f"Unmatched end tag at byte offset {begin}, expected "
                             f"\"</{entry['tag']}>\", found \"</{name}>\"")
        self.open.pop()
        self.close(entry)

    def close(self, entry):
        length = self.length - entry["offset"]
        if length == 0:
            return
        entity = {"offset": entry["offset"], "length": length, "type": KINDS[entry["tag"]]}
        if entry["tag"] == "blockquote" and "expandable" in entry["attributes"]:
            entity["type"] = "expandable_blockquote"
        if entry["tag"] == "a":
            url = entry["attributes"].get("href") or "".join(self.plain[entry["begin"]:])
            if not re.match(r"(?i)(https?|tg|ton|mailto|tel)://?\S+|[\w-]+(\.[\w-]+)+", url):
                return
            entity["url"] = url
        if entry["tag"] == "code" and self.open and self.open[-1]["tag"] == "pre":
            language = entry["attributes"].get("class", "")
            if language.startswith("language-"):
                self.open[-1]["language"] = language[len("language-"):]
            return
        if "language" in entry:
            entity["language"] = entry["language"]
        self.entities.append(entity)


def parse(text):
    """Returns (plain text, entities); raises ParseError with the service's sentence."""
    return Parser(text).parse()
