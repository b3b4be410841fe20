# deploybot_recap.py - writes what ansible-playbook did on each host to $DEPLOYBOT_RECAP, for deploy/play.sh.
# SPDX-License-Identifier: ISC
"""A callback of ansible-playbook's: NAME CHANGED UNREACHABLE FAILED, a line for each host."""
import os

from ansible.plugins.callback import CallbackBase  # pylint: disable=import-error

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
                out.write(f"{host} {its['changed']} {its['unreachable']} {its['failures']}\n")
        os.rename(path + ".new", path)
