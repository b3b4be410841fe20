"""Goal: `hosts from-inventory` makes a hosts file of what ansible-inventory --list prints, or says what is wrong."""
# SPDX-License-Identifier: ISC
import json
import os
import pathlib
import shutil
import subprocess

import pytest

from runner_client import ROOT

PROGRAM = pathlib.Path(os.environ.get("DEPLOYBOT_BUILD") or os.path.join(ROOT, "build"), "deploybot")
INVENTORY = """[web]
web1 ansible_host=10.0.0.1
web2 ansible_host=10.0.0.2 ansible_port=2222
[kiosk]
kiosk[01:03].example.org
six ansible_host=2001:db8::1
again ansible_host=10.0.0.1
[fleet:children]
web
kiosk
"""
ALL = "# 6 hosts of the group {}\n10.0.0.1\t# again\nkiosk01.example.org\nkiosk02.example.org\nkiosk03.example.org\n" \
      "[2001:db8::1]\t# six\n10.0.0.2:2222\t# web2\n"


def run(*words):
    return subprocess.run([PROGRAM, "hosts", "from-inventory", *words], capture_output=True, encoding="utf-8",
                          check=False)


def listed(tmp_path, inventory):
    path = tmp_path / "list.json"
    path.write_text(json.dumps(inventory), encoding="utf-8")
    return path


def lists(tmp_path, hosts, **variables):
    return run(listed(tmp_path, {"_meta": {"hostvars": variables}, "all": {"children": ["ungrouped"]},
                                 "ungrouped": {"hosts": hosts}}))


def test_what_the_real_ansible_prints_becomes_a_hosts_file(tmp_path):
    ansible = shutil.which("ansible-inventory")
    if ansible is None:
        pytest.skip("NOT TESTED: ansible-inventory is not installed (Debian: apt-get install ansible-core)")
    (tmp_path / "hosts.ini").write_text(INVENTORY, encoding="ascii")
    with (tmp_path / "list.json").open("wb") as out:
        subprocess.run([ansible, "-i", tmp_path / "hosts.ini", "--list"], stdout=out, check=True,
                       env={**os.environ, "HOME": str(tmp_path), "ANSIBLE_LOCAL_TEMP": str(tmp_path)})
    made = run("--group", "fleet", tmp_path / "list.json")
    assert (made.returncode, made.stderr) == (0, "")
    assert sorted(made.stdout.splitlines()) == sorted(
        ALL.format("fleet").replace("\t# again", "\t# web1").splitlines())   # the first that is called so
    assert run("--group=web", tmp_path / "list.json").stdout == \
        "# 2 hosts of the group web\n10.0.0.1\t# web1\n10.0.0.2:2222\t# web2\n"


def test_a_host_is_what_its_variables_say(tmp_path):
    made = lists(tmp_path, ["b", "a", "c"], a={"ansible_host": "A.example.org", "ansible_port": "2222"}, b={})
    assert made.stdout == "# 3 hosts of the group all\nA.example.org:2222\t# a\nb\nc\n"
    groups = {"_meta": {"hostvars": {}}, "all": {"children": ["x", "gone"]}, "x": {"children": ["y"], "hosts": ["h1"]},
              "y": {"children": ["x"], "hosts": ["h2", "h1"]}}
    assert run(listed(tmp_path, groups)).stdout == "# 2 hosts of the group all\nh1\nh2\n"


@pytest.mark.parametrize("hosts, variables, said", [
    (["a"], {"a": {"ansible_host": "{{ lookup }}"}}, 'a is reached as "{{ lookup }}", which is no HOST or HOST:PORT'),
    (["a b"], {}, 'a b is reached as "a b"'),
    (["a"], {"a": {"ansible_port": 70000}}, "a: its ansible_port is no port"),
    (["a"], {"a": {"ansible_port": "ssh"}}, "a: its ansible_port is no port"),
    ([7], {}, "a host that is no text"),
    ([], {}, "the group all has no host"),
    ([f"h{i}" for i in range(1001)], {}, "more than 1000 hosts: name a group that has fewer"),
])
def test_what_is_no_host_is_said(tmp_path, hosts, variables, said):
    made = lists(tmp_path, hosts, **variables)
    assert made.returncode != 0 and made.stdout == "" and said in made.stderr


def test_what_is_no_inventory_is_said(tmp_path):
    (tmp_path / "hosts.ini").write_text(INVENTORY, encoding="ascii")
    assert "ansible-inventory -i INVENTORY --list" in run(tmp_path / "hosts.ini").stderr
    assert "is not what ansible-inventory --list prints" in run(listed(tmp_path, {"all": {}})).stderr
    assert 'there is no group "nono"' in run("--group", "nono", listed(tmp_path, {"_meta": {}, "all": {}})).stderr
    assert "/nowhere" in run("/nowhere").stderr
