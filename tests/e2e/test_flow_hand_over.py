"""Goal: root and the server's own user alone end a server that leads, whoever else reaches its socket."""
# SPDX-License-Identifier: ISC
import pytest

from local_aid import PERSON, ROLE_ADMIN, UNKNOWN, LocalScene
from postgresql_aid import PostgreSQL
from stage import get, wait_until


@pytest.fixture(scope="module", name="scene")
def make_scene():
    database = PostgreSQL()
    made = LocalScene(settings={"DATABASE_URL": database.url, "SERVER_NAME": "server-a"})
    yield made
    made.close()
    database.close()


@pytest.mark.parametrize("user", [PERSON, ROLE_ADMIN, UNKNOWN])
def test_who_may_deploy_may_not_end_the_server(scene, user):
    status, answer = scene.ask(user, "POST", "/hand-over", {})
    assert status == 403 and answer["said"].startswith("only root"), answer
    assert scene.bot.process.poll() is None and "\ndeploybot_is_leader 1\n" in scene.bot.metrics()


def test_there_is_no_such_way_over_the_network(scene):
    assert get(scene.bot.base + "/hand-over")[0] == 404


def test_root_may(scene):
    status, _ = scene.ask("root", "POST", "/hand-over", {})
    assert status == 202
    assert wait_until(lambda: scene.bot.process.poll() is not None, 30, "its end")
    assert scene.bot.process.returncode == 75
    scene.start_bot()       # it leads again: there is no other
    wait_until(lambda: "\ndeploybot_is_leader 1\n" in scene.bot.metrics(), 30, "a leader")
