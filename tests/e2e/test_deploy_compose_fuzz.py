"""Goal: whatever people write into a compose file, preflight finds exactly the services that a release replaces, and
refuses what it cannot: generated files, read by the real docker-compose, beside a reading of the test's own."""
# SPDX-License-Identifier: ISC
import json
import os
import random
import subprocess

import pytest

from ssh_aid import BlueGreenBench, SshBench

COMPOSE_PROGRAM = os.environ.get("COMPOSE_PROGRAM", "/usr/bin/docker-compose")     # or one of version 2
FILES = int(os.environ.get("FUZZ_FILES", "6"))
IMAGE = "${DEPLOY_IMAGE}"
NAMES = ("app", "worker", "scheduler", "web-2", "x_y", "a.b", "on", "services", "image", "123", "volumes", "null")
# Texts that look like what the other side of a parser would look for.
HOSTILE = ("a\n    image: deploybot.invalid/probe:1\n  evil:\n    restart: \"no\"", "services:\n  app:", "x: y # z",
           "- ports:", "    depends_on:", "'\"", "\\", "ä ☃ \U0001f600", " lead and trail ", "long " * 40, "{{.}}",
           "*alias", "&id001", "")


def service(rng, name):
    """What one may say, as a dictionary."""
    made = {"image": rng.choice((IMAGE, IMAGE, IMAGE, "postgres:15", "shop:${TAG-1}", "${DEPLOY_IMAGE:-shop:1}"))}
    for key, values in {
            "restart": ("always", "no", "unless-stopped", "on-failure"), "profiles": (["jobs"], ["a", "b"]),
            "environment": ({"A": rng.choice(HOSTILE), "image": rng.choice(HOSTILE)}, ["B=" + rng.choice(HOSTILE)]),
            "command": (["sh", "-c", rng.choice(HOSTILE)],), "container_name": (f"shop-{rng.random()}",),
            "labels": ({"image": IMAGE, "restart": "no"},), "hostname": ("image",),
            "volumes": (["data:/data"], ["/srv/x:/x:ro", "ext:/y"], ["/anonymous"], ["./here:/z", "data:/d:ro"]),
            "ports": (["8080"], ["127.0.0.1:9090:9090/udp"], ["3000-3001:3000-3001"], ["[::1]:81:81"])}.items():
        if rng.random() < 0.25:
            made[key] = rng.choice(values)
    if name == "app":
        made["ports"] = [*made.get("ports", []), "127.0.0.1:${DEPLOY_PORT}:8080"]
        made["image"] = rng.choice((IMAGE, IMAGE, IMAGE, IMAGE, "shop:1"))
    return made


def document(rng):
    names = ["app", *rng.sample(NAMES[1:], rng.randint(0, 5))]
    rng.shuffle(names)
    made = {"services": {name: service(rng, name) for name in names},
            "volumes": {"data": {}, "ext": {"external": True}}}
    for number, name in enumerate(names):
        if number and rng.random() < 0.25:   # no circles: compose refuses them
            other = rng.choice(names[:number])
            made["services"][name] |= rng.choice((
                {"depends_on": [other]}, {"depends_on": {other: {"condition": "service_started"}}},
                {"links": [f"{other}:it"]}, {"network_mode": f"service:{other}"}, {"pid": "host"}))
    return made


# What looks like it has the image, and does not.
FIRST = {"services": {"app": {"image": IMAGE, "ports": ["127.0.0.1:${DEPLOY_PORT}:8080"]}, "database": {
    "image": "postgres:15", "labels": {"image": IMAGE}, "environment": {"image": IMAGE, "A": HOSTILE[0]},
    "command": ["image: " + IMAGE, HOSTILE[0]]}}}


def is_ours(entry):
    return entry["image"].startswith("${DEPLOY_IMAGE")


def needs(entry):
    return {*entry.get("depends_on", ()), *(link.split(":")[0] for link in entry.get("links", ())),
            entry.get("network_mode", "").partition("service:")[2]} - {""}


def expected(made, strategy):
    """(the others, in any order; a word of the refusal, or none)"""
    services = made["services"]
    app = services["app"]
    others = {name for name, entry in services.items() if name != "app" and is_ours(entry) and "profiles" not in entry
              and entry.get("restart") != "no"}
    if not is_ours(app):
        return others, "this line is missing"
    if strategy == "recreate":
        return others, None
    fixed = [port for port in app["ports"] if ":" in port and "DEPLOY_PORT" not in port]
    for found, says in (("container_name" in app, "remove container_name"), (fixed, "only one can have the port"),
                        (any(each.startswith("data:") for each in app.get("volumes", ())), "a volume data of its own"),
                        (needs(app), "not find"),
                        (any("app" in needs(entry) for entry in services.values()), "not find it")):
        if found:
            return others, says
    return others, None


@pytest.fixture(params=["recreate", "bluegreen"])
def bench(tmp_path, tools_folder, request):
    made = (SshBench if request.param == "recreate" else BlueGreenBench)(tmp_path, tools_folder, "v1")
    made.strategy = request.param
    link = made.host_bin / "docker-compose"
    link.unlink()
    # What it asks docker for its project's name is asked of the stand-in: no engine runs here.
    link.write_text(f"#!/bin/bash\n[[ $1 != --verbose ]] || {{ echo com.docker.compose.project=app >&2; exit; }}\n"
                    f"exec {COMPOSE_PROGRAM} \"$@\"\n")
    link.chmod(0o755)
    yield made
    made.done()


@pytest.mark.long
@pytest.mark.first
@pytest.mark.skipif(not os.access(COMPOSE_PROGRAM, os.X_OK), reason="docker-compose is not installed")
def test_preflight_finds_what_a_release_replaces_in_whatever_people_write(bench):
    seed = int(os.environ.get("FUZZ_SEED", random.SystemRandom().randrange(1 << 30)))
    print(f"FUZZ_SEED={seed}")
    rng = random.Random(f"{seed} {bench.strategy}")
    for made in (FIRST, *(document(rng) for _ in range(FILES))):
        text = json.dumps(made, ensure_ascii=False, indent=rng.choice((None, 2)))     # which is YAML too
        (bench.app / "docker-compose.yml").write_text(text, encoding="utf-8")
        others, refusal = expected(made, bench.strategy)
        status, said = bench.run("target.sh", "staging", "preflight")
        shown = "\n".join([text, *said])
        if refusal is not None:
            assert status == 70 and refusal in said[-1], shown
            continue
        assert status == 0, shown
        line, = [line for line in said if "a release replaces app (the main service)" in line]
        found = line.partition("(the main service)")[2].partition("; left alone")[0].split(", ")
        assert sorted(found) == sorted(["", *others]), shown


def test_the_program_is_what_it_is_taken_for():
    """Where it is there at all."""
    if os.access(COMPOSE_PROGRAM, os.X_OK):
        assert "version" in subprocess.run([COMPOSE_PROGRAM, "version"], capture_output=True, text=True, check=True,
                                           timeout=60).stdout
