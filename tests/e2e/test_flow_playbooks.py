"""Goal: a playbook of Ansible's is run as it was shown, its recap is the message, and nothing typed reaches it."""
# SPDX-License-Identifier: ISC
import pathlib
import shutil

import pytest

from flow_aid import Scene, ended_well
from telegram_client import text_of

assert shutil.which("ansible-playbook") is not None, "ansible-core is missing: tests/tools/packages.sh test"

INVENTORY = """
[acme]
web1 ansible_connection=local
web2 ansible_connection=local
web3 ansible_connection=local
[acme:vars]
ansible_python_interpreter=/usr/bin/python3
"""
PLAYS = {
    "site": ("- hosts: all\n  gather_facts: false\n  tasks:\n"
             "  - copy:\n      content: '{{ deploybot_work }} {{ deploybot_client }}'\n"
             "      dest: '{{ playbook_dir }}/../made.{{ inventory_hostname }}'\n"
             "    when: inventory_hostname != 'web3'\n    tags: [restart]\n"
             "  - fail:\n      msg: not wanted\n    tags: [other]\n"),
}


class Folder:
    """ANSIBLE_FOLDER."""

    def __init__(self, path):
        self.path = path
        path.mkdir()
        (path / "inventory").write_text(INVENTORY)
        for name, text in PLAYS.items():
            (path / f"{name}.yml").write_text(text)


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    place = tmp_path_factory.mktemp("playbooks")
    folder = Folder(place / "ansible")
    made = Scene(place, settings={
        "CLIENTS": "acme", "CLIENT_ACME_HOST": "web.acme.example",
        "CLIENT_ACME_ACTIONS": "run-playbook,preview-playbook",
        "ANSIBLE_FOLDER": str(folder.path), "PLAYBOOK_RESTART": "site.yml tags=restart"})
    made.place, made.ansible = place, folder
    yield made
    ended_well(made)


def test_a_playbook_is_asked_about_and_its_recap_is_the_message(scene):
    who = scene.admin()
    who.say("/do run-playbook acme restart")
    who.press(who.hear("❓ Run this? client/acme run-playbook restart",
                       "play site.yml tags=restart on acme of the inventory"), "run-playbook")
    said = text_of(who.hear("✅ Done: client/acme run-playbook restart"))
    assert "3 hosts: 2 changed" in said, said
    assert pathlib.Path(scene.place, "made.web1").read_text().endswith(" acme")


def test_another_folder_than_was_shown_is_asked_about_anew(scene):
    who = scene.admin()
    who.say("/do run-playbook acme restart")
    question = who.hear("❓ Run this? client/acme run-playbook restart")
    (scene.ansible.path / "more.yml").write_text("- hosts: []\n")
    who.press(question, "run-playbook")
    anew = who.hear("the settings changed since it was approved: ANSIBLE_FOLDER/files")
    who.press(anew, "run-playbook")
    who.hear("✅ Done: client/acme run-playbook restart", "3 hosts: ")


def test_which_there_are_is_said_and_what_is_typed_is_a_name_alone(scene):
    who = scene.admin()
    for words in ("", " nothing", " {{x}}", " ../site.yml", " a%b"):
        who.say(f"/do preview-playbook acme{words}")
        who.hear("⛔ Not done: client/acme preview-playbook", "which playbook? There are restart", buttons=("restart",))


def test_a_folder_that_cannot_be_bound_is_refused_before_anybody_is_asked(scene):
    who = scene.admin()
    link = scene.ansible.path / "link"
    link.symlink_to("/etc/passwd")
    who.say("/do run-playbook acme restart")
    who.hear("client/acme run-playbook restart", "ANSIBLE_FOLDER: link is a link, or no file")
    link.unlink()
