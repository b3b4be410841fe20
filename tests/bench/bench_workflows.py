"""bench_workflows.py - a workflow's run until the chat says how it ended, and what two hundred applications that are
watched cost in memory."""
# SPDX-License-Identifier: ISC
import contextlib
import statistics
import time

import kit
from github import GitHub, workflow_run
from github_api import Api
from stage import write_application

EVENTS, APPLICATIONS = 20, 200
PACE_S = 1.5  # a message is edited once a second at most
TOKEN = "github_pat_" + "4Kx9Qm2Rv7" * 5
P99_MS, MEMORY_MB = 1000, 1.5


@contextlib.contextmanager
def watching(bench, name, repositories, is_on=True):
    """A stage whose applications (of the main file where there is one alone) have their runs reported."""
    needs = {"metadata": "read", "actions": "read", "repository_hooks": "write"}
    with contextlib.closing(ApiUntil(people={TOKEN: {"repositories": repositories, "permissions": needs}})) as api:
        stage = kit.Stage(bench.new_folder(name), deliver=True, start=False, settings={
            "PRODUCTION_HEALTH_URL": None, "STAGING_HEALTH_URL": None, "GITHUB_API_URL": api.url,
            "GITHUB_API_TOKEN": TOKEN if is_on else None, "GITHUB_REPOSITORY": repositories[0]})
        stage.extra["PUBLIC_URL"] = f"http://127.0.0.1:{stage.http_port}"
        if len(repositories) > 1:
            stage.extra["APPS_DIRECTORY"] = str(stage.folder / "apps")
        for one in repositories[1:]:
            write_application(stage.folder / "apps", one.partition("/")[2], {"GITHUB_REPOSITORY": one})
        api.hooks = {number: GitHub(f"http://127.0.0.1:{stage.http_port}/github/webhook", kit.GITHUB_SECRET, one)
                     for number, one in enumerate(repositories, 501)}
        with stage.start():
            if is_on:
                kit.wait_until(lambda: api.looks() >= len(repositories), 120, "a look at each webhook")
            yield stage, api.hooks[501]


class ApiUntil(Api):
    close = Api.stop

    def looks(self):
        return sum("/deliveries?" in path for _, path, _ in self.calls)


def ends(hook, repository, number, conclusion):
    run = workflow_run(repository, "ci.yml", f"{number:040x}", number=number, conclusion=conclusion)
    answer = hook.deliver("workflow_run", {"action": "completed", "workflow_run": run, "repository": run["repository"]})
    if answer["status"] != 200:
        raise RuntimeError(f"a run was answered {answer['status']}")


def memory_of(bench, is_on):
    """Private MB of a server with so many applications; where they are watched, one run of each is red."""
    repositories = [f"octo/a{number:03}" for number in range(APPLICATIONS)]
    with watching(bench, f"watched-{is_on}", repositories, is_on) as (stage, hook):
        for number, repository in enumerate(repositories, 1):
            if is_on:
                ends(hook, repository, number, "failure")
        time.sleep(3)
        return kit.memory_mb(stage.bot.process.pid)[1]


def measure_workflows(bench):
    times = []
    with watching(bench, "watch", ["octo/shop"]) as (stage, hook):
        for number in range(1, EVENTS + 1):
            time.sleep(PACE_S)
            before = len(stage.chat.calls("sendmessage") + stage.chat.calls("editmessagetext"))
            began = time.time()
            ends(hook, "octo/shop", number, "failure")

            def said(before=before):
                calls = stage.chat.calls("sendmessage") + stage.chat.calls("editmessagetext")
                return len(calls) > before and max(call["at"] for call in calls)
            times.append((kit.wait_until(said, 20, "what the chat says") - began) * 1000)
    worst = max(times)
    bench.row(f"from a run's event to the chat's message or edit: p50, the worst of {EVENTS}",
              f"{statistics.median(times):.0f}, {worst:.0f} ms", f"p99 < {P99_MS} ms", worst < P99_MS)
    plain, watched = memory_of(bench, False), memory_of(bench, True)
    bench.row(f"memory of {APPLICATIONS} applications that are watched, each with a run that is red",
              f"{watched - plain:.2f} MB more than {plain:.1f}", f"≤ {MEMORY_MB} MB", watched - plain <= MEMORY_MB)
