"""Goal: a playbook of Ansible's is run as it was shown, its recap is the message, and nothing typed reaches it."""
# SPDX-License-Identifier: ISC
import os
import pathlib
import shutil
import signal

import pytest

from flow_aid import Scene, ended_well, is_alive
from stage import wait_until
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
    "wrong": ("- hosts: all\n  gather_facts: false\n  tasks:\n  - fail: {msg: no}\n"
              "    when: inventory_hostname == 'web2'\n"),
    "slow": ("- hosts: web1\n  gather_facts: false\n  tasks:\n"
             "  - shell: 'echo $$ >{{ playbook_dir }}/../up; exec sleep 600'\n"),
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
        "ANSIBLE_FOLDER": str(folder.path), "PLAYBOOK_RESTART": "site.yml tags=restart",
        "PLAYBOOK_WRONG": "wrong.yml", "PLAYBOOK_SLOW": "slow.yml"})
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


def begin(scene, name):
    """Asks for it, and confirms."""
    who = scene.admin()
    who.say(f"/do run-playbook acme {name}")
    who.press(who.hear(f"❓ Run this? client/acme run-playbook {name}"), "run-playbook")
    return who


def begin_slow(scene):
    """The program of its task, once that runs."""
    up = scene.place / "up"
    up.unlink(missing_ok=True)
    who = begin(scene, "slow")
    wait_until(lambda: up.exists() and up.read_text().strip())
    return who, int(up.read_text())


def test_one_that_fails_on_a_host_has_failed_with_its_recap(scene):
    who = begin(scene, "wrong")
    said = text_of(who.hear("❌ Failed: client/acme run-playbook wrong"))
    assert "exit 2" in said and "3 hosts: 0 changed, 1 failed (web2: failed)" in said, said
    assert "not known" not in said, said


@pytest.mark.long
def test_of_one_that_is_stopped_it_is_not_known_what_it_did(scene):
    who, task = begin_slow(scene)
    who.press(who.hear("⏳ Running client/acme run-playbook slow", buttons=("Stop",)), "Stop")
    said = text_of(who.hear("⛔ Stopped: client/acme run-playbook slow"))
    assert "it is not known what the playbook did" in said, said
    assert not is_alive(task)


@pytest.mark.long
def test_of_one_that_is_killed_it_is_not_known_what_it_did(scene):
    who, task = begin_slow(scene)
    os.kill(player(scene.ansible.path), signal.SIGKILL)
    said = text_of(who.hear("❌ Failed: client/acme run-playbook slow"))
    assert "ansible-playbook ended with 137; it is not known what the playbook did" in said, said
    wait_until(lambda: not is_alive(task))


def player(folder):
    """The first process of ansible-playbook's, whose parent is none."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
            found[int(path.name)] = (int((path / "stat").read_text().rsplit(")", 1)[1].split()[1]), words)
        except OSError:
            continue
    slow = f"{folder}/slow.yml".encode()
    ours = {pid for pid, (_, words) in found.items()
            if slow in words and any(word.endswith(b"/ansible-playbook") for word in words[:2])}
    return next(pid for pid in ours if found[pid][0] not in ours)


def test_which_there_are_is_said_and_what_is_typed_is_a_name_alone(scene):
    who = scene.admin()
    for words in ("", " nothing", " {{x}}", " ../site.yml", " a%b"):
        who.say(f"/do preview-playbook acme{words}")
        who.hear("⛔ Not done: client/acme preview-playbook", "which playbook? There are restart, wrong, slow",
                 buttons=("restart",))


def test_a_folder_that_cannot_be_bound_is_refused_before_anybody_is_asked(scene):
    who = scene.admin()
    link = scene.ansible.path / "link"
    link.symlink_to("/etc/passwd")
    who.say("/do run-playbook acme restart")
    who.hear("client/acme run-playbook restart", "ANSIBLE_FOLDER: link is a link, or no file")
    link.unlink()
