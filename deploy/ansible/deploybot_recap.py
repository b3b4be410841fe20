# deploybot_recap.py - writes what ansible-playbook did on each host to $DEPLOYBOT_RECAP, for deploy/play.sh.
# SPDX-License-Identifier: ISC
"""A callback of ansible-playbook's: CHANGED UNREACHABLE FAILED NAME, a line for each host.

The name stands last: inventories and add_host take one of any bytes, which a host may have chosen."""
import os

from ansible.plugins.callback import CallbackBase  # pylint: disable=import-error

NAME_MAX = 60
DOCUMENTATION = """
    name: deploybot_recap
    type: aggregate
    short_description: the recap as a file
    description: [the recap as a file]
"""


class CallbackModule(CallbackBase):
    """Whole or not there: a run that is killed has none."""
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "deploybot_recap"

    def v2_playbook_on_stats(self, stats):
        """All plays have ended."""
        path = os.environ["DEPLOYBOT_RECAP"]
        with open(path + ".new", "w", encoding="utf-8") as out:
            for host in sorted(stats.processed):
                its = stats.summarize(host)
                name = "".join(c if c.isascii() and c.isprintable() else "?" for c in host)[:NAME_MAX]
                out.write(f"{its['changed']} {its['unreachable']} {its['failures']} {name}\n")
        os.rename(path + ".new", path)
