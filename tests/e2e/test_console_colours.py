"""Goal: every text of the page is read on its ground, in light and in dark: 4.5 to 1 at least (WCAG AA)."""
# SPDX-License-Identifier: ISC
import re

import pytest

from stage import ROOT

CSS = (ROOT / "server" / "console" / "console.css").read_text("utf-8")
LIGHT, DARK = (dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
               for block in re.findall(r":root \{(.*?)\}", CSS, re.S)[:2])
GROUNDS = ("ground", "card")
PAIRS = [(text, ground) for text in ("text", "soft", "link", "wait") for ground in GROUNDS] + \
    [(kind, ground) for kind in ("good", "bad", "wait", "link", "soft") for ground in (f"{kind}-ground", "card")] + \
    [("card", "link"), ("card", "bad"), ("text", "soft-ground")]


def light_of(colour):
    """Relative luminance, as WCAG 2.1 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [LIGHT, {**LIGHT, **DARK}], ids=["light", "dark"])
@pytest.mark.parametrize("text,ground", PAIRS)
def test_a_text_stands_out_from_its_ground(scheme, text, ground):
    low, high = sorted((light_of(scheme[text]), light_of(scheme[ground])))
    assert (high + 0.05) / (low + 0.05) >= 4.5, (scheme[text], scheme[ground])


def test_no_colour_stands_outside_of_the_two_tables():
    rest = re.sub(r":root \{.*?\}", "", CSS, flags=re.S)
    assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgb", rest)
