"""pipeline_aid.py - a run that is begun from the chat, at whichever forge."""
# SPDX-License-Identifier: ISC
from telegram_client import text_of

RELEASE = "/do run-pipeline production release 1.4.2-RC1"


def begins(scene, text=RELEASE):
    """Asked for and confirmed by somebody; who, and the question."""
    who = scene.admin()
    who.say(text)
    asked = who.hear("❓ Run? production ")
    who.press(asked, "🔧 Run ")
    return who, text_of(asked)
