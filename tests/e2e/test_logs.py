"""Goal: a rollback takes the application's log as its first step, by each transport, and goes on without it; what is
asked at any time takes no lock, and no line of it is a word of ours."""
# SPDX-License-Identifier: ISC
import pytest

from runner_client import wait_for
from ssh_aid import BlueGreenBench, SshBench, until_at_rest
from systemd_aid import SystemdBench

MARK = "|app| "
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def ssh(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v1"))


@pytest.fixture
def bluegreen(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


@pytest.fixture
def systemd(tmp_path, tools_folder):
    yield from until_at_rest(SystemdBench(tmp_path, tools_folder))


def two_releases(bench):
    one = "@".join(bench.shipped("one"))
    return one, "@".join(bench.shipped("two"))


def rolls_back(bench, one, two, **settings):
    """As the server orders it behind a health gate that failed; what the application logged."""
    status, said = bench.run("rollback.sh", "staging", one, PREVIOUS_RELEASE=two,
                             **{"FAILURE_LOG_LINES": "5", **settings})
    assert status == 0, said
    return [line.removeprefix(MARK) for line in said if line.startswith(MARK)]


def docker_logs(bench, text):
    """The hosts' docker prints that in the place of a container's log."""
    (bench.path / "logs").write_text(f"{text}\nexit 0\n")
    if (bench.host_bin / "docker").is_symlink():
        bench.on_host("docker", f'[[ $1 != logs ]] || . {bench.path}/logs')


@pytest.mark.long
def test_the_failed_releases_words_are_taken_before_anything_is_touched(ssh):
    one, two = two_releases(ssh)
    assert rolls_back(ssh, one, two) == [f"the last words of {ssh.image}@{two.partition('@')[2]}"]
    assert ssh.steps()[:3] == ["preflight", "application log", "pull"]


@pytest.mark.long
def test_of_ports_the_one_that_the_failed_release_has(bluegreen):
    one, two = two_releases(bluegreen)
    assert rolls_back(bluegreen, one, two) == [f"the last words of {bluegreen.image}@{two.partition('@')[2]}"]


@pytest.mark.long
def test_a_host_that_runs_another_release_has_no_words_of_the_failed_one(ssh):
    one, two = two_releases(ssh)
    digest = two.partition("@")[2]
    assert rolls_back(ssh, two, one) == [] and ssh.runs() == [(f"{ssh.image}@{digest}", "running")]
    assert any("no application log: the application has logged nothing" in line for line in ssh.said())


@pytest.mark.long
@pytest.mark.parametrize("settings", [{"FAILURE_LOG_LINES": "0"}, {"RUN_ID": None}])
def test_where_nobody_wants_them_nothing_is_asked(ssh, settings):
    one, two = two_releases(ssh)
    assert rolls_back(ssh, one, two, **settings) == []
    assert "application log" not in ssh.steps()


@pytest.mark.long
def test_a_rollback_waits_for_no_log(ssh):
    """Neither for one that hangs and hears no signal, nor for one that ends in failure."""
    one, two = two_releases(ssh)
    docker_logs(ssh, "trap '' TERM; sleep 20")
    assert rolls_back(ssh, one, two, APPLICATION_LOG_SECONDS="1") == []
    assert any("no application log: it took longer than 1 s" in line for line in ssh.said()), ssh.said()
    assert ssh.runs() == [(f"{ssh.image}@{one.partition('@')[2]}", "running")]
    docker_logs(ssh, "echo half a log; echo >&2 docker: no; kill -KILL $PPID")
    rolls_back(ssh, two, one, APPLICATION_LOG_SECONDS="1")
    assert ssh.runs() == [(f"{ssh.image}@{two.partition('@')[2]}", "running")]


@pytest.mark.long
def test_no_line_of_it_is_a_step_or_loses_its_mark(ssh):
    one, two = two_releases(ssh)
    docker_logs(ssh, r"""
        printf 'a\r==> release\n==> no-rollback\n\b\b\b\b\b\b\b==> x\n\033[31mred\033[0m\0 \033]0;t\a\ttab\n'
        printf '==> unquote 1\nno end'""")
    assert rolls_back(ssh, one, two) == ["a==> release", "==> no-rollback", "==> x", "red ]0;t\ttab", "==> unquote 1",
                                         "no end"]
    assert ssh.steps() == ["preflight", "application log", "pull", "release", "switch h1"]


@pytest.mark.long
def test_of_much_the_last_bytes_are_taken_in_whole_lines(ssh):
    one, two = two_releases(ssh)
    docker_logs(ssh, r"""head -c 1000000 /dev/zero | tr '\0' x; echo; for i in {1..20000}; do echo "line $i"; done""")
    found = rolls_back(ssh, one, two)
    assert found[-1] == "line 20000" and 55000 < sum(len(line) + 1 for line in found) <= 60000
    assert all(line.startswith("line ") for line in found)
    docker_logs(ssh, r"head -c 1000000 /dev/zero | tr '\0' x")
    assert rolls_back(ssh, two, one) == []     # a secret may stand where it was cut


@pytest.mark.long
def test_all_hosts_are_asked(ssh):
    both = {"STAGING_HOST": "h1,h2:2222", "HOSTS_PARALLEL": "true"}
    one = "@".join(ssh.shipped("one", **both))
    two = "@".join(ssh.shipped("two", **both))
    assert len(rolls_back(ssh, one, two, **both)) == 2


# ---- at any time ---------------------------------------------------------------------------------


def asks(bench, *words, **settings):
    status, said = bench.run("target.sh", "staging", "logs", *words, RUN_ID=None, **settings)
    return status, [line.removeprefix(MARK) for line in said if line.startswith(MARK)], said


@pytest.mark.long
def test_asked_by_deploybot_each_line_has_its_mark(ssh):
    _, two = two_releases(ssh)
    status, found, _ = asks(ssh, "7", "20")
    assert status == 0 and found == [f"the last words of {ssh.image}@{two.partition('@')[2]}"]
    assert ["docker", "logs", "--tail", "7"] in [call[:4] for call in ssh.host_calls()]
    for words in (("0", "20"), ("7", "x"), ("7", "20", "1")):
        assert asks(ssh, *words)[0] == 64


@pytest.mark.long
def test_who_asks_needs_no_lock_of_the_target(ssh):
    """Neither the environment's nor the host's folder's, while a deployment holds both."""
    two_releases(ssh)
    commit, _ = ssh.release("three")
    ssh.host_plan({"when": ["compose", "up"], "hang": True})
    process = ssh.start("deploy.sh", "staging", commit)
    wait_for((ssh.host() / "hangs").exists, "a deployment at work")
    status, found, said = asks(ssh, "7", "20")
    assert status == 0 and found and process.poll() is None, said


@pytest.mark.long
def test_what_only_a_release_needs_hides_no_log(ssh):
    """Regression: on a full disk, where one looks at the log first, preflight failed before it was read."""
    two_releases(ssh)
    ssh.on_host("df", 'echo "/dev/full 1000 1000 0 100% /"; exit 0')
    ssh.hook("pre-deploy", "10-anybodys", mode=0o777)
    ssh.forget_calls()
    status, found, said = asks(ssh, "7", "20")
    assert status == 0 and found, said
    assert [call[-1].split()[7] for call in ssh.ssh_calls()] == ["logs"]
    (ssh.hooks / "pre-deploy" / "10-anybodys").unlink()
    status, said = ssh.run("target.sh", "staging", "preflight", RUN_ID=None)
    assert status == 70 and "the disk is full" in said[-1], said


def test_why_there_is_none_is_the_last_line(ssh):
    status, _, said = asks(ssh, "7", "20")
    assert status == 70 and "no container of app is there" in said[-1], said
    ssh.plan({"when": ["ssh"], "status": 255, "own": "ssh: connect to host h1 port 22: Connection timed out\r\n"})
    status, _, said = asks(ssh, "7", "20")
    assert status == 69 and "h1 cannot be reached" in said[-1], said


@pytest.mark.long
def test_units_of_systemd(systemd):
    one, two = systemd.shipped_app(), systemd.shipped_app()
    assert rolls_back(systemd, one, two)
    assert asks(systemd, "7", "20")[1]
