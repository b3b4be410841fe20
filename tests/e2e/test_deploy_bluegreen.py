"""Goal: blue/green over ssh, with a real nginx: releases take turns at two ports, nobody who asks meanwhile is refused;
whatever fails or is killed, nginx points at a release that runs, and the next attempt works."""
# SPDX-License-Identifier: ISC
import http.server
import os
import re
import signal
import subprocess
import threading

import pytest

from runner_client import PROGRAM, ROOT, wait_for
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, People, deploy, drain, is_whole, left_running, until_at_rest
from stage import free_port, get

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder))


# ---- without trouble ---------------------------------------------------------------------------


def test_a_release_is_started_beside_what_serves_and_switched_to(bench):
    _, one = bench.shipped("one")
    assert bench.steps() == [
        "preflight", f"image {one}", "pull", "start", "release", "switch h1", "drain-later", "clean-later"]
    assert bench.port_of(one) == [bench.ports[1]]   # the file named the other one, where nothing ran
    is_whole(bench, one)


@pytest.mark.long
def test_releases_take_turns_at_the_ports_and_nobody_is_refused(bench):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    with People(bench) as people:
        deploy(bench, commit)
    assert bench.port_of(two) == [bench.ports[0]]
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got


@pytest.mark.long
def test_the_first_release_is_rolled_back_to_what_ran_before_deploybot(bench):
    """Somebody has started it in that folder, without a port of ours."""
    labels = {"project": "app", "service": "app", "oneoff": "False", "project.working_dir": str(bench.app)}
    box = {"id": "9" * 64, "name": "app_app_1", "of": "shop:old", "labels": labels, "status": "running"}
    bench.change_engine(images={"shop:old": "sha256:id-of-before"}, containers=[box],
                        health={"sha256:id-of-before": "healthy"})
    commit, digest = bench.shipped("one", PREVIOUS_RELEASE="")
    word, = [step.removeprefix("previous ") for step in bench.steps() if step.startswith("previous ")]
    assert bench.serves() == digest
    status, said = bench.run("rollback.sh", "staging", word, PREVIOUS_RELEASE=f"{commit}@{digest}")
    assert status == 0, said
    assert bench.ask()[1] == word.replace("target:", "deploybot-before:")


@pytest.mark.long
def test_a_release_that_serves_already_is_neither_started_nor_reloaded(bench):
    commit, digest = bench.shipped("one")
    (bench.host() / "calls").unlink()
    assert any("serves already on port" in line for line in deploy(bench, commit))
    assert not [call for call in bench.host_calls() if call[0] == "nginx" or "up" in call]
    is_whole(bench, digest)


@pytest.mark.long
@pytest.mark.parametrize("name", ["app.env", ".env"])
def test_with_a_changed_env_file_the_image_that_serves_is_started_anew(bench, name):
    """And a rollback to what runs still takes it as it is: settings are not rolled back.  In .env our own lines change
    with each release."""
    (bench.app / "docker-compose.yml").write_text(COMPOSE + f"    env_file: {name}\n" + PORTS)
    file = bench.app / name
    file.write_text("A=1\n")
    commit, one = bench.shipped("one")
    (port,) = bench.port_of(one)
    assert any("serves already on port" in line for line in deploy(bench, commit))
    file.write_text(file.read_text().replace("A=1", "A=2"))
    with People(bench) as people:
        deploy(bench, commit)
    assert bench.file_says() != port and set(people.got) == {one}
    is_whole(bench, one)
    box, = bench.engine()["containers"]
    assert "A: 2" in box["made"]
    assert any("serves already on port" in line for line in deploy(bench, commit))
    file.write_text(file.read_text().replace("A=2", "A=3"))
    status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
    assert status == 0 and any("serves already on port" in line for line in said), said
    is_whole(bench, one)


@pytest.mark.long
def test_two_kinds_of_compose_name_the_projects_alike(tmp_path, tools_folder):
    made = BlueGreenBench(tmp_path, tools_folder, "v2")
    try:
        _, digest = made.shipped("one")
        is_whole(made, digest)
        assert made.engine()["containers"][0]["labels"]["project"] == f"app-{made.ports[1]}"
    finally:
        made.done()


@pytest.mark.long
def test_two_environments_do_not_lead_one_nginx(bench):
    """Whatever the settings say: the file on the host names whose it is, and the other's release touches nothing."""
    bench.shipped("one")
    assert bench.upstream.read_text().endswith("; # deploybot: staging\n")
    before = bench.upstream.read_text(), bench.engine()["containers"]
    other = bench.path / "production"
    other.mkdir()
    (other / "docker-compose.yml").write_text((bench.app / "docker-compose.yml").read_text())
    bench.environment |= {"PRODUCTION_HOST": "h1", "PRODUCTION_COMPOSE_DIR": str(other)}
    commit, _ = bench.release("two")
    for program in (("deploy.sh", "production", commit), ("target.sh", "production", "preflight")):
        status, said = bench.run(*program)
        assert status == 78 and "is staging's, not production's" in said[-1], said
    assert "release" not in bench.steps()
    assert (bench.upstream.read_text(), bench.engine()["containers"]) == before
    deploy(bench, commit)  # whose it is goes on
    drain(bench)
    bench.upstream.write_text(bench.upstream.read_text().partition(";")[0] + ";\n")
    status, said = bench.run("target.sh", "production", "preflight")
    assert status == 0, said  # nobody's again


def beside(bench):
    """Production on staging's host, with all that is its own; both behind the one nginx.  Where it answers."""
    other, upstream, port = bench.path / "production", bench.upstream.with_name("production.conf"), free_port()
    ports = free_port(), free_port()
    other.mkdir()
    (other / "docker-compose.yml").write_text((bench.app / "docker-compose.yml").read_text())
    upstream.write_text(f"server 127.0.0.1:{ports[0]};\n")
    key = bench.path / "key.production"
    key.write_bytes(bench.key.read_bytes())
    key.chmod(0o600)
    bench.configure(f"include {bench.upstream}; }} upstream two {{ include {upstream}; }} server {{ "
                    f"listen 127.0.0.1:{port}; location / {{ proxy_pass http://two; }}")
    bench.environment |= {
        "STAGING_NGINX_UPSTREAM_FILE": bench.environment.pop("NGINX_UPSTREAM_FILE"),
        "STAGING_APP_PORTS": bench.environment.pop("APP_PORTS"), "PRODUCTION_HOST": "h1",
        "PRODUCTION_COMPOSE_DIR": str(other), "PRODUCTION_NGINX_UPSTREAM_FILE": str(upstream),
        "PRODUCTION_APP_PORTS": f"{ports[0]},{ports[1]}", "PRODUCTION_SSH_KEY_PATH": str(key),
        "PRODUCTION_DEPLOY_USER": "carrier"}
    os.kill(bench.nginx.pid, signal.SIGHUP)
    wait_for(lambda: get(f"http://127.0.0.1:{port}/")[0] != 0, "nginx to listen there too", 60)
    return port


@pytest.mark.long
def test_two_environments_on_one_host_are_shipped_each_with_its_own(bench):
    """One file of settings loads with both, and no release of one touches what serves the other."""
    port = beside(bench)
    settings = bench.path / "settings.env"
    token = "123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789"
    settings.write_text(f"TELEGRAM_BOT_TOKEN={token}\nADMIN_TELEGRAM_IDS=11\n" + "".join(
        f"{name}={value}\n" for name, value in bench.environment.items()
        if name not in ("PATH", "HOME", "LANG", "STAND", "RUN_ID", "DEPLOYBOT_RUNNER")))
    done = subprocess.run([PROGRAM.removesuffix("-runner"), "check-config", "--env-file", settings], text=True,
                          capture_output=True, check=False, env={"PATH": os.environ["PATH"]})
    assert "shares" not in done.stdout + done.stderr and "error" not in done.stderr, done.stderr
    serves = {"staging": bench.serves, "production": lambda: get(f"http://127.0.0.1:{port}/")[1].partition("@")[2]}
    live = {}
    for text, name in (("one", "staging"), ("two", "production"), ("three", "staging"), ("four", "production")):
        commit, digest = bench.release(text)
        status, said = bench.run("deploy.sh", name, commit)
        assert status == 0, said
        live[name] = digest
        assert {key: serves[key]() for key in live} == live
        words = {word for call in bench.ssh_calls() for word in call if re.match("-oIdentityFile=|.*@h1$", word)}
        assert words == ({"deploy@h1", f"-oIdentityFile={bench.key}"} if name == "staging" else
                         {"carrier@h1", f"-oIdentityFile={bench.path}/key.production"})
    for name, digest in live.items():   # beside what drains
        assert str(*bench.port_of(digest)) in bench.environment[f"{name.upper()}_APP_PORTS"].split(",")
    assert bench.upstream.read_text().endswith("; # deploybot: staging\n")
    assert bench.upstream.with_name("production.conf").read_text().endswith("; # deploybot: production\n")


@pytest.mark.long
def test_an_applications_environment_has_its_nginx_by_both_names(bench):
    """Read back whole: with half a name it would keep itself out, or let another one's environment in."""
    own = ("REPOSITORY_URL", "REGISTRY_IMAGE", "NGINX_UPSTREAM_FILE", "APP_PORTS", "SMOKE_URL", "STAGING_HOST",
           "STAGING_COMPOSE_DIR")
    (bench.path / "apps").mkdir()
    (bench.path / "apps" / "shop.env").write_text(
        "".join(f"{name}={bench.environment[name]}\n" for name in own if name in bench.environment))
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    for text in ("one", "two"):
        commit, digest = bench.release(text)
        status, said = bench.run("deploy.sh", "shop/staging", commit)
        assert status == 0, said
        assert bench.serves() == digest and bench.upstream.read_text().endswith("; # deploybot: shop/staging\n")
    status, said = bench.run("target.sh", "staging", "preflight")
    assert status == 78 and "is shop/staging's, not staging's" in said[-1], said


@pytest.mark.long
def test_a_renamed_environment_keeps_its_nginx(bench):
    """What names it by its former name is its own, and nobody else's."""
    bench.shipped("one")
    (bench.path / "apps").mkdir()
    own = ("REPOSITORY_URL", "REGISTRY_IMAGE", "NGINX_UPSTREAM_FILE", "APP_PORTS", "SMOKE_URL", "STAGING_HOST",
           "STAGING_COMPOSE_DIR")
    text = "".join(f"{name}={bench.environment[name]}\n" for name in own if name in bench.environment)
    (bench.path / "apps" / "shop.env").write_text(text + "RENAMED_FROM=web\n")
    bench.environment["APPS_DIRECTORY"] = str(bench.path / "apps")
    commit, digest = bench.release("two")
    status, said = bench.run("deploy.sh", "shop/staging", commit)
    assert status == 78 and "is staging's, not shop/staging's" in said[-1], said
    (bench.path / "apps" / "shop.env").write_text(text + "RENAMED_FROM=.\n")
    (bench.state / "apps/shop.staging").rename(bench.path / "of-the-try")
    status, said = bench.run("deploy.sh", "shop/staging", commit)
    assert status == 0, said
    assert bench.serves() == digest and bench.upstream.read_text().endswith("; # deploybot: shop/staging\n")


# ---- a release or an nginx that is not as it should be -----------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("how, says", [
    ("sick", "health check fails"), ("broken", "ended with status 7")])
def test_a_release_that_is_not_well_touches_nothing(bench, how, says):
    _, one = bench.shipped("one")
    before = bench.engine()["containers"]
    commit, two = bench.release("two")
    if how == "sick":
        bench.set_health(two, "unhealthy")
    else:
        bench.change_engine(broken=["sha256:id-of-" + two[-8:]])
    with People(bench) as people:
        status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and says in said[-1] and "release" not in bench.steps(), said
    # Before `==> release` too the application's words have the mark that keeps them from a group.
    words = [line for line in said if "the last words of" in line]
    assert words and all(line.startswith("|app| ") for line in words), said
    assert bench.engine()["containers"] == before and set(people.got) <= {one}
    is_whole(bench, one)


def test_a_smoke_url_without_its_port_does_not_speak_for_the_new_release(tmp_path):
    """Regression: nginx answered there, with the release before, and a new one was good that listened nowhere."""
    script = (f'. {ROOT}/deploy/transports/ssh-host/base.sh; set +e; said=; for smoke_url in "" "http://127.0.0.1:$1/" '
              '"http://127.0.0.1:{port}/"; do for port in "$1" "$2" ""; do answers "$port"; printf "%s " "$?"; done; done')
    with http.server.HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        done = subprocess.run(["/bin/bash", "-c", script, "x", str(server.server_port), str(free_port())], check=False,
                              timeout=60, cwd=tmp_path, capture_output=True, text=True)
        server.shutdown()
        thread.join()
    assert done.stdout.split() == ["0", "1", "0", "0", "1", "0", "0", "1", "1"], done


class Answers(http.server.BaseHTTPRequestHandler):
    def do_GET(self):   # pylint: disable=invalid-name
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


UNTAKEN = """if [[ -e %s/untaken ]]; then
	# A new one has its name a moment later.
	workers() { /usr/bin/pgrep -P "$(<%s/nginx.pid)" -f '^nginx: worker process$'; }
	before=$(workers)
	(exec -a nginx %s "$@")
	while [[ $(workers) == "$before" ]]; do sleep 0.05; done
	exit 1
fi"""


@pytest.mark.long
@pytest.mark.parametrize("is_taken, says", [
    (False, "; the earlier release serves still"),
    (True, "; nginx was asked to lead to port {} again, and did not say that it does: "
           "which release serves is not known")])
def test_of_a_second_reload_that_fails_nobody_says_more_than_was_seen(bench, is_taken, says):
    """Regression: "serves still" was said of an nginx that had begun to lead to the new port."""
    bench.shipped("one")
    port = bench.file_says()
    commit, _ = bench.release("two")
    if is_taken:
        real = os.readlink(bench.host_bin / "nginx")
        bench.on_host("nginx", UNTAKEN % (bench.path, bench.host(), real))
        (bench.path / "untaken").touch()
    else:
        (bench.host() / "nginx.refuses").write_text("server")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith(says.format(port)) and bench.file_says() == port, said


@pytest.mark.long
def test_what_serves_again_and_does_not_answer_is_said_so(bench):
    """Regression: that its container runs was called "serves"."""
    bench.shipped("one")
    port = bench.file_says()
    commit, _ = bench.release("two")
    (bench.host() / "nginx.refuses").write_text(f"127.0.0.1:{port ^ bench.ports[0] ^ bench.ports[1]}")
    pid = next(box["pid"] for box in bench.engine()["containers"] if box.get("port") == port)
    os.kill(pid, signal.SIGSTOP)
    try:
        status, said = bench.run("deploy.sh", "staging", commit)
    finally:
        os.kill(pid, signal.SIGCONT)
    assert status == 70 and said[-1].endswith(
        f"; nginx leads to port {port} again, where the earlier release runs and does not answer "
        f"(http://127.0.0.1:{port}/ does not answer)"), said


@pytest.mark.long
def test_a_reload_that_fails_points_back(bench):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    (bench.host() / "nginx.refuses").write_text(f"127.0.0.1:{bench.ports[0]}")
    with People(bench) as people:
        status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and "[emerg] something is wrong" in said[-1] and "serves still" in said[-1], said
    is_whole(bench, one)
    assert set(people.got) <= {one}
    (bench.host() / "nginx.refuses").unlink()
    deploy(bench, commit)
    is_whole(bench, two)


def needs_a_root_that_is_mounted():
    """Whose root is no mount, as in a chroot, does not learn which file another process means: none is refused."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        if "/" not in [line.split()[4] for line in mounts]:
            pytest.skip("this root is no mount: what nginx reads cannot be told")


@pytest.mark.long
def test_an_nginx_that_does_not_read_the_file_is_refused_with_nothing_touched(bench):
    needs_a_root_that_is_mounted()
    bench.configure(f"server 127.0.0.1:{bench.ports[0]};")
    commit, one = bench.release("one")
    for _ in range(2):
        status, said = bench.run("deploy.sh", "staging", commit)
        assert status == 70 and f"nginx does not read {bench.upstream}: include it inside upstream" in said[-1], said
        assert "release" not in bench.steps() and not bench.runs() and bench.file_says() == bench.ports[0]
    bench.configure(f"include {bench.upstream};")
    deploy(bench, commit)
    is_whole(bench, one)


@pytest.mark.long
def test_an_nginx_that_reads_the_file_no_more_keeps_the_container_it_uses(bench):
    needs_a_root_that_is_mounted()
    _, one = bench.shipped("one")
    bench.configure(f"server 127.0.0.1:{bench.ports[1]};")
    commit, two = bench.release("two")
    with People(bench) as people:
        for _ in range(2):
            status, said = bench.run("deploy.sh", "staging", commit)
            assert status == 70 and "nginx does not read" in said[-1], said
    assert set(people.got) <= {one} and bench.file_says() == bench.ports[1]
    bench.configure(f"include {bench.upstream};")
    deploy(bench, commit)
    is_whole(bench, two)


def without(text):
    return lambda bench: (bench.app / "docker-compose.yml").write_text(text)


@pytest.mark.long
@pytest.mark.parametrize("spoil, says", [
    (without(COMPOSE), "below ports this line is missing"),
    (lambda bench: bench.upstream.unlink(), "make it with the line \"server 127.0.0.1:"),
    (lambda bench: bench.upstream.write_text("server 127.0.0.1:80;\n"), "says neither server 127.0.0.1:"),
    (lambda bench: bench.environment.update(NGINX_RELOAD_COMMAND="reload-it"), "the program reload-it is missing"),
])
def test_a_host_that_is_not_ready_for_it_is_told_what_is_missing(bench, spoil, says):
    spoil(bench)
    status, said = bench.run("deploy.sh", "staging", COMMIT)
    assert status == 70 and says in said[-1], said
    assert "start" not in bench.steps() and "build" not in bench.steps()


# ---- ended, killed -----------------------------------------------------------------------------


def hook_that_hangs(bench):
    """Between the start of the new container and the switch."""
    return bench.hook("pre-deploy", "10-hang", f"echo $$ >{bench.path}/hook.pid; exec sleep 600")


def interrupted(bench, moment, commit, old):
    """A deployment hung at this moment; (its process, what hangs on the host)."""
    if moment == "new started, not switched":
        hook = hook_that_hangs(bench)
        process = bench.start("deploy.sh", "staging", commit)
        wait_for((bench.path / "hook.pid").exists, "the hook to run", 60)
        hook.unlink()
        return process, []
    bench.host_plan({"when": {
        "starting": ["compose", "-p", f"app-{bench.ports[0]}", "up"],
        "file written, not reloaded": ["nginx"],
        "draining": ["compose", "-p", f"app-{old}", "rm"]}[moment], "hang": True})
    if moment == "draining":
        deploy(bench, commit)
        process = bench.start("drain.sh", "staging", DEPLOYMENT_ID=None)
    else:
        process = bench.start("deploy.sh", "staging", commit)
    return process, [bench.until_host_hangs()]


@pytest.mark.long
@pytest.mark.parametrize("moment, after", [
    ("starting", "the same again"), ("new started, not switched", "the same again"),
    ("new started, not switched", "another"), ("file written, not reloaded", "the same again"),
    ("file written, not reloaded", "a rollback"), ("draining", "another"),
    ("draining", "a rollback")])
def test_after_a_host_was_cut_off_in_the_middle_whatever_comes_next_works(bench, moment, after):
    commit, one = bench.shipped("one")
    another, three = bench.release("three") if after == "another" else (None, None)
    wanted, two = bench.release("two")
    (port,) = bench.port_of(one)
    with People(bench) as people:
        process, hangs = interrupted(bench, moment, wanted, port)
        bench.kill_session(process)
        bench.kill_host(*hangs)
        bench.host_plan()
        (bench.host() / "calls").unlink()
        if after == "a rollback":
            status, said = bench.run("rollback.sh", "staging", f"{commit}@{one}")
            assert status == 0, said
        else:
            deploy(bench, wanted if after == "the same again" else another)
    is_whole(bench, {"the same again": two, "a rollback": one, "another": three}[after])
    assert set(people.got) <= {one, two, three}, people.got
    if moment not in ("starting", "draining") and after != "another":  # what drains, its stop has begun
        assert not [call for call in bench.host_calls() if "up" in call], "what runs still is only switched to"


def fails_before_it_begins(bench, commit, words):
    """What is amiss is named, and left as it is."""
    before = bench.upstream.read_text(), bench.serves()
    hook = bench.hook("pre-start", "10-no", "exit 1")
    status, said = bench.run("deploy.sh", "staging", commit)
    hook.unlink()
    assert status == 64 and "release" not in bench.steps() and any(words in line for line in said), said
    assert (bench.upstream.read_text(), bench.serves()) == before


@pytest.mark.long
def test_a_switch_that_nginx_has_not_read_is_left_so_until_a_release_begins(bench):
    _, one = bench.shipped("one")
    drain(bench)
    commit, two = bench.release("two")
    process, hangs = interrupted(bench, "file written, not reloaded", commit, 0)
    bench.kill_session(process)
    bench.kill_host(*hangs)
    bench.host_plan()
    assert bench.serves() == one and bench.port_of(two) == [bench.file_says()]
    fails_before_it_begins(bench, commit, "warning: a switch of nginx was interrupted here, and nothing has put")
    assert bench.serves() == one
    deploy(bench, commit)
    assert bench.steps().index("release") < bench.steps().index("start")
    is_whole(bench, two)


@pytest.mark.long
def test_where_nginx_leads_to_what_has_ended_the_next_release_leads_it_away_as_it_begins(bench):
    bench.environment |= {"DRAIN_SECONDS": "86400"}
    _, (_, two), client = left_running(bench)
    (port,) = bench.port_of(two)
    boxes = bench.engine()["containers"]
    for box in boxes:
        if box["of"].endswith(two):
            os.kill(box.pop("pid"), signal.SIGKILL)
            box["status"] = "exited"
    bench.change_engine(containers=boxes)
    commit, three = bench.release("three")
    fails_before_it_begins(bench, commit, f"warning: nginx leads to port {port} here, where nothing runs, and")
    bench.environment |= {"DRAIN_SECONDS": "1"}
    deploy(bench, commit)
    client.socket.close()
    assert bench.serves() == three and not bench.port_of(two)


@pytest.mark.long
@pytest.mark.parametrize("moment", ["while it starts", "before the switch"])
def test_a_deployment_that_is_ended_before_the_switch_takes_the_new_one_away(bench, moment):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    if moment == "while it starts":
        bench.set_health(two, "starting")
        process = bench.start("deploy.sh", "staging", commit)
        wait_for(lambda: bench.port_of(two), "the new one to start", 60)
    else:
        process, _ = interrupted(bench, "new started, not switched", commit, 0)
    with People(bench) as people:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) not in (0, 70)
        wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert set(people.got) <= {one} and "release" not in bench.steps()
    is_whole(bench, one)


@pytest.mark.long
@pytest.mark.parametrize("step", ["pull", "start", "release", "switch h1", "clean-later"])
def test_a_script_killed_at_any_step_leaves_a_whole_release(bench, step):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    with People(bench) as people:
        process = bench.start("deploy.sh", "staging", commit)
        wait_for(lambda: step in bench.steps(), f"the step {step}", 60)
        bench.kill_session(process)
        deploy(bench, commit)
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got


@pytest.mark.long
@pytest.mark.parametrize("who", ["worker", "guard"])
def test_whichever_of_the_two_on_the_host_is_killed_in_a_switch_one_release_serves(bench, who):
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    with People(bench) as people:
        process, (hangs,) = interrupted(bench, "file written, not reloaded", commit, bench.port_of(one)[0])
        guard, worker = bench.host_processes()[:2]
        os.kill(worker if who == "worker" else guard, signal.SIGKILL)
        bench.host_plan()
        os.kill(hangs, signal.SIGKILL)
        assert process.wait(timeout=120) == 70
        wait_for(bench.is_quiet, "the host to be at rest", 60)
        assert bench.port_of(bench.serves()) == [bench.file_says()]
        deploy(bench, commit)
    is_whole(bench, two)
    assert set(people.got) <= {one, two}, people.got


# ---- ended before the switch -------------------------------------------------------------------


@pytest.mark.long
@pytest.mark.parametrize("parallel", ["false", "true"])
def test_a_deployment_that_is_ended_while_it_starts_leaves_none_on_the_hosts_that_have_started(bench, parallel):
    _, one = bench.shipped("one")
    drain(bench)
    commit, two = bench.release("two")
    there, started = bench.path / "there", bench.path / "started"
    bench.wrap("ssh", f"""if [[ "$*" == *@h2*" start "* ]]; then touch {there}; exec sleep 1000; fi
if [[ "$*" == *@h2* ]]; then cat >/dev/null & exit 0; fi
if [[ "$*" == *" start "* ]]; then (exec -a ssh "$real" "$@") && touch {started}; exit; fi""")
    process = bench.start("deploy.sh", "staging", commit, STAGING_HOST="h1,h2:2222", HOSTS_PARALLEL=parallel)
    wait_for(lambda: there.exists() and started.exists() or process.poll() is not None, "both hosts", 60)
    assert bench.port_of(two) != []
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143, bench.said()
    assert bench.said()[-1] == "deploy.sh: ended by a signal"
    wait_for(bench.is_quiet, "the host to be at rest", 60)
    assert bench.port_of(two) == [] and bench.serves() == one, bench.said()
    assert "release" not in bench.steps()


def three_hosts_of_which(bench, act):
    """h1 is the host; h2 and h3 do nothing, and of the switch h2 says what `act` does; what goes to them is noted."""
    key = bench.known.read_text().partition(" ")[2].splitlines()[0]
    bench.known.write_text(bench.known.read_text() + f"h3 {key}\n")
    bench.wrap("ssh", f"""if [[ "$*" == *@h[23]*"bash -s -- "* ]]; then
    for word; do :; done
    word=${{word#*-- }}; echo "${{*: -2:1}} ${{word%% *}}" >>{bench.path}/got
    cat >/dev/null & reader=$!
    [[ "$*" != *@h2*" switch "* ]] || {{ {act}; }}
    kill "$reader"; exit 0
fi
[[ "$*" != *@h[23]* ]] || {{ cat >/dev/null & exit 0; }}""")
    return {"STAGING_HOST": "h1,h2:2222,h3"}


def got_by(bench, act):
    return [line.split()[0] for line in (bench.path / "got").read_text().splitlines() if line.split()[1] == act]


@pytest.mark.long
def test_what_was_started_for_a_release_that_failed_on_a_host_is_ended_on_those_behind_it(bench):
    """Regression: it ran on there, unsaid, until the next release."""
    _, one = bench.shipped("one")
    commit, two = bench.release("two")
    hosts = three_hosts_of_which(bench, "kill $reader; echo no room >&2; exit 70")
    status, said = bench.run("deploy.sh", "staging", commit, **hosts)
    assert status == 70 and said[-1].startswith("deploy.sh: h2: no room; switched to the new release on h1"), said
    assert got_by(bench, "switch") == ["deploy@h2"] and sorted(got_by(bench, "tidy")) == ["deploy@h2", "deploy@h3"]
    assert bench.serves() == two and bench.port_of(one)     # which drains


@pytest.mark.long
def test_who_ends_a_release_that_has_begun_is_told_what_is_left(bench):
    one, old = bench.shipped("one")
    commit, two = bench.release("two")
    hosts = three_hosts_of_which(bench, f"touch {bench.path}/there; exec sleep 1000")
    process = bench.start("deploy.sh", "staging", commit, **hosts, PREVIOUS_RELEASE=f"{one}@{old}", RUN_ID=None)
    wait_for((bench.path / "there").exists, "the switch on h2", 60)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    assert bench.said()[-1] == (
        "deploy.sh: ended by a signal; the release had begun: it runs on h1; what runs on h2 is not known: a switch "
        f"that loses us is finished there, or rolled back: deploy/deploy.sh staging {commit}@{two} goes on with it, "
        f"deploy/rollback.sh staging {one}@{old} rolls it back")
    assert got_by(bench, "tidy") == ["deploy@h3"] and bench.serves() == two


@pytest.mark.long
def test_what_failed_stands_last_whatever_the_clean_up_says(bench):
    bench.shipped("one")
    drain(bench)
    commit, _ = bench.release("two")
    bench.hook("pre-deploy", "10-no", "exit 3")
    bench.wrap("ssh", '[[ "$*" != *" tidy "* ]] || { echo "ssh: Connection refused" >>"$2"; exit 255; }')
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 64 and any("==> warning h1 cannot be reached" in line for line in said), said
    reason = "deploy.sh: the hook pre-deploy/10-no failed with status 3, so nothing was changed: "
    reason += "its last lines are in the log"
    assert said[-1] == reason and said.count(reason) == 2
