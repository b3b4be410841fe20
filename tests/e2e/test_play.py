"""Goal: play.sh runs a playbook with an environment of its own, says its recap, takes nothing for a word of ours."""
# SPDX-License-Identifier: ISC
import os
import shutil
import subprocess

import pytest

from runner_client import ROOT

assert shutil.which("ansible-playbook") is not None, "ansible-core is missing: tests/tools/packages.sh test"

INVENTORY = """[acme]
web1 ansible_connection=local
web2 ansible_connection=local
web3 ansible_connection=local
[acme:vars]
ansible_python_interpreter=/usr/bin/python3
"""


def play(hosts, *tasks, more=""):
    return f"- hosts: {hosts}\n  gather_facts: false\n{more}  tasks:\n" + "".join(f"  - {task}\n" for task in tasks)


TOUCH = ("copy: {content: '{{ deploybot_work }} {{ deploybot_client }}', "
         "dest: '{{ playbook_dir }}/../{{ inventory_hostname }}'}")


@pytest.fixture
def bench(tmp_path):
    class Bench:
        """ANSIBLE_FOLDER and who runs play.sh."""
        folder = tmp_path / "ansible"

        def run(self, text=None, action="run-playbook", **settings):
            if text is not None:
                (self.folder / "site.yml").write_text(text)
            environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LANG": "C.UTF-8",
                           "DEPLOYBOT_SETTINGS": "checked", "STATE_DIRECTORY": str(tmp_path / "state"),
                           "ANSIBLE_FOLDER": str(self.folder), "CLIENT_HOST": "web.acme.example", "CLIENT_ID": "acme",
                           "DEPLOYMENT_ID": "12", "PLAYBOOK": "site.yml", **settings}
            done = subprocess.run([os.path.join(ROOT, "deploy", "play.sh"), "client/acme", action], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  check=False, timeout=300)
            return done.returncode, done.stdout, done.stdout.splitlines()[-1]

        def made(self):
            return sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("web"))

        def stand_in(self, words):
            """For ansible-playbook; the settings with which it is the one that is found."""
            (tmp_path / "bin").mkdir(exist_ok=True)
            program = tmp_path / "bin" / "ansible-playbook"
            program.write_text("#!/bin/bash\n" + words)
            program.chmod(0o755)
            return {"PATH": f"{program.parent}:{os.environ['PATH']}"}

    (tmp_path / "ansible").mkdir()
    (tmp_path / "ansible" / "inventory").write_text(INVENTORY)
    return Bench()


def test_the_recap_is_the_last_line_and_variables_are_text(bench):
    status, said, last = bench.run(play("all", TOUCH))
    assert (status, last) == (0, "3 hosts: 3 changed"), said
    assert (bench.folder.parent / "web1").read_text() == "12 acme"
    status, said, last = bench.run(CLIENT_LIMIT="web*:!web3")
    assert (status, last) == (0, "2 hosts: 0 changed"), said


def test_a_preview_changes_nothing_and_says_would(bench):
    status, said, last = bench.run(play("all", TOUCH), "preview-playbook")
    assert (status, last, bench.made()) == (0, "3 hosts: 3 would be changed", []), said


def test_one_of_three_hosts_fails_or_cannot_be_reached(bench):
    status, said, last = bench.run(play("all", TOUCH, "fail: {msg: no}\n    when: inventory_hostname == 'web2'"))
    assert (status, last) == (2, "3 hosts: 2 changed, 1 failed (web2: failed)"), said
    (bench.folder / "inventory").write_text(INVENTORY.replace(
        "web3 ansible_connection=local", "web3 ansible_host=127.0.0.1 ansible_port=1"))
    status, said, last = bench.run(play("all", TOUCH))
    assert (status, last) == (4, "3 hosts: 0 changed, 1 failed (web3: unreachable)"), said


def test_what_never_begins_is_no_success(bench):
    for text, words, limit in (("- hosts: [\n", "no recap: the log says more", "acme"),
                               (play("db", TOUCH), "no host of acme is in a play of site.yml", "acme"),
                               (play("all", TOUCH), "no recap: the log says more", "nobody")):
        status, said, last = bench.run(text, CLIENT_LIMIT=limit)
        assert status != 0 and words in last and not bench.made(), said


def test_only_1_to_8_is_a_failure_whose_work_is_known(bench):
    (bench.folder / "site.yml").write_text(play("all", TOUCH))
    for words, wanted, text in (
            ("exit 8", 8, "ansible-playbook ended with 8 and no recap: the log says more"),
            ('echo "1 0 1 web2" >"$DEPLOYBOT_RECAP"; exit 1', 1, "1 host: 0 changed, 1 failed (web2: failed)"),
            ('echo "1 0 1 web2" >"$DEPLOYBOT_RECAP"; exit 9', 70, "with 9; it is not known what the playbook did"),
            ("exit 250", 70, "ended with 250; it is not known what the playbook did"),
            ("kill -KILL $$", 70, "ended with 137; it is not known what the playbook did"),
            ("kill -TERM $$", 70, "ended with 143; it is not known what the playbook did")):
        status, said, last = bench.run(**bench.stand_in(words))
        assert status == wanted and text in last, (words, status, said)


def test_a_name_that_a_host_has_chosen_is_no_number_of_the_recap(bench, tmp_path):
    name = f"x 0 words[$(touch${{IFS}}{tmp_path}/web9)] 0 0"
    status, said, last = bench.run(
        play("web1", f"add_host: {{name: '{name}', groups: [added], ansible_connection: local}}") +
        play("added", "fail: {msg: no}"), CLIENT_LIMIT="all")
    assert (status, bench.made()) == (2, []), said
    assert last.startswith("2 hosts: 1 changed, 1 failed (x 0 words[$(touch${IFS}") and last.endswith(": failed)"), said


def test_nobody_is_waited_for_by_a_pause(bench):
    status, said, last = bench.run(play("web1", "pause: {prompt: Sure?}", TOUCH))
    assert (status, last) == (0, "1 host: 1 changed") and "not interactive" in said, said


def test_a_playbook_that_asks_gets_no_answer_and_one_that_hangs_is_ended(bench):
    unsure = "fail: {msg: 'nobody said so'}\n    when: sure | default('', true) != 'yes'"
    status, said, _ = bench.run(play("web1", unsure,
                                     more="  vars_prompt:\n  - {name: sure, prompt: Sure?}\n"))
    assert status == 2, said
    status, said, last = bench.run(play("web1", "command: sleep 300"), ACT_SECONDS="8", KILL_SECONDS="2")
    assert status == 75 and "took longer than 8 s; it is not known what the playbook did" in last, said


def test_only_plain_words_reach_it(bench):
    (bench.folder / "site.yml").write_text(play("all", TOUCH))
    for name in ("site.yml\nx", "si%te.yml", "{{ lookup('pipe','touch web9') }}.yml", "a" * 4096 + ".yml",
                 "../site.yml", "site.yml --diff", "site.yml tags={{x}}", "site.yml -e@x", ""):
        status, said, last = bench.run(PLAYBOOK=name)
        assert status == 78 and not bench.made(), (name, said, last)
    for name, value in (("CLIENT_LIMIT", "@/etc/passwd"), ("CLIENT_LIMIT", "{{x}}"), ("CLIENT_ID", '"}'),
                        ("DEPLOYMENT_ID", "{{ 1 }}"), ("ANSIBLE_FOLDER", "/a b")):
        status, said, _ = bench.run(**{name: value})
        assert status in (64, 78) and not bench.made(), (name, said)


def test_no_configuration_of_others_counts_and_the_vault_opens_by_file(bench, tmp_path):
    (tmp_path / ".ansible.cfg").write_text("[defaults]\nhost_key_checking = False\nstdout_callback = minimal\n")
    (bench.folder / "ansible.cfg").write_text("[defaults]\nhost_key_checking = False\n")
    password = tmp_path / "password"
    password.write_text("orange-marmalade\n")
    password.chmod(0o600)
    (bench.folder / "group_vars").mkdir()
    secret = bench.folder / "group_vars" / "acme.yml"
    secret.write_text("word: opened\n")
    subprocess.run(["ansible-vault", "encrypt", "--vault-password-file", password, secret], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    words = ("word", "lookup('config', 'HOST_KEY_CHECKING')", "lookup('env', 'STATE_DIRECTORY')")
    status, said, _ = bench.run(
        play("web1", "debug: {msg: \"" + " ".join(f"{{{{ {word} }}}}" for word in words) + ".\"}"),
        ANSIBLE_VAULT_PASSWORD_FILE=str(password), ANSIBLE_HOST_KEY_CHECKING="False")
    assert status == 0 and "opened True ." in said, said
    assert not list((tmp_path / "state").rglob("private*"))   # of folders that are left a name stands there


def test_a_playbook_knows_its_run_and_an_earlier_one_plays_nothing(bench):
    text = play("web1", "copy: {content: '{{ deploybot_run }} {{ deploybot_installation }}', "
                        "dest: '{{ playbook_dir }}/../{{ inventory_hostname }}'}")
    ours, theirs = 16 * "a1", 16 * "b2"
    for number, installation, expected in ((12, ours, 0), (11, ours, 75), (12, ours, 0), (2, theirs, 0)):
        status, said, last = bench.run(text, RUN_ID=f"{number}-{32 * '0'}", INSTALLATION_ID=installation)
        assert status == expected, said
        if expected == 0:
            assert (bench.folder.parent / "web1").read_text() == f"{number} {installation}"
        else:
            assert last.endswith("a later run was here: run 11 is over for client/acme since run 12 has begun, and "
                                 "does nothing more"), said
