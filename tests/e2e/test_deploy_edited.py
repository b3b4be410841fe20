"""Goal: what somebody edits in a compose file on a host keeps no rollback from bringing back what ran: the release's
own
file is kept there, and the edited one stays where it is."""
# SPDX-License-Identifier: ISC
import pytest

from services_aid import OTHERS, all_run, ends, parts
from ssh_aid import COMPOSE, PORTS, BlueGreenBench, SshBench, until_at_rest

WORSE = "    command: worse\n"
KEPT = ("==> warning h1: its compose file was edited since release %.7s: the rollback uses the one that the release "
        "was made with; yours is left as it is")


@pytest.fixture(params=["v2", pytest.param("v1", marks=pytest.mark.long)])
def any_bench(tmp_path, tools_folder, request):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, request.param), COMPOSE + OTHERS)


@pytest.fixture
def bench(tmp_path, tools_folder):
    yield from until_at_rest(SshBench(tmp_path, tools_folder, "v2"), COMPOSE + OTHERS)


@pytest.fixture
def pair(tmp_path, tools_folder):
    yield from until_at_rest(BlueGreenBench(tmp_path, tools_folder, "v2"), COMPOSE + PORTS + OTHERS)


def edit(bench, name="docker-compose.yml"):  # pylint: disable=redefined-outer-name
    """By hand: what runs with this ends with a status, as the stand-in does with it."""
    file = bench.app / name
    file.write_text(file.read_text().replace("    image: ${DEPLOY_IMAGE}\n", "    image: ${DEPLOY_IMAGE}\n" + WORSE, 1))
    return file.read_text()


def made_with(bench, service="app"):  # pylint: disable=redefined-outer-name
    box, = [box for box in bench.engine()["containers"] if box["labels"]["service"] == service]
    return box["made"], box["labels"]["project.working_dir"]


def edited(said):
    return [line for line in said if "edited since" in line]


def kept(bench):  # pylint: disable=redefined-outer-name
    return sorted(file.name for file in bench.app.glob(".deploybot.with.*"))


@pytest.mark.long
def test_a_rollback_takes_the_file_that_its_release_was_made_with(any_bench):
    """Regression: the edited one, with which nothing answered, was used for the rollback too, which left nothing."""
    old, one = any_bench.shipped("one")
    made = made_with(any_bench)
    text = edit(any_bench)
    any_bench.shipped("two")
    assert WORSE in made_with(any_bench)[0]
    status, said = any_bench.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 0 and edited(said) == [KEPT % old], said
    assert made_with(any_bench) == made and parts(any_bench) == all_run(one, "app", "worker", "scheduler")
    assert (any_bench.app / "docker-compose.yml").read_text() == text
    # What is live was made with another one, and the next release takes the host's.
    _, said = any_bench.run("target.sh", "staging", "preflight")
    assert edited(said) == [f"==> warning h1: its compose file was edited since release {old[:7]} was made, which runs:"
                            " app (is that meant? The next release brings it)"], said
    any_bench.shipped("three")
    assert WORSE in made_with(any_bench)[0]


@pytest.mark.long
def test_by_its_commit_alone_too(bench):
    old, _ = bench.shipped("one")
    made = made_with(bench)
    edit(bench)
    bench.shipped("two")
    status, said = bench.run("rollback.sh", "staging", old)
    assert status == 0 and edited(said) == [KEPT % old] and made_with(bench) == made, said


@pytest.mark.long
def test_nothing_is_said_where_nothing_was_edited(bench):
    (old, one), _ = bench.shipped("one"), bench.shipped("two")
    assert not edited(bench.run("target.sh", "staging", "preflight")[1])
    file = bench.app / "docker-compose.yml"
    file.write_text("# a word of ours\n" + file.read_text())
    assert not edited(bench.run("target.sh", "staging", "preflight")[1])
    file.write_text(COMPOSE + OTHERS)
    status, said = bench.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 0 and not edited(said), said
    assert not any("--project-directory" in call for call in bench.host_calls() if "up" in call)


@pytest.mark.long
def test_without_a_kept_one_a_rollback_takes_the_hosts(bench):
    (old, one), _ = bench.shipped("one"), bench.shipped("two")
    for folder in bench.app.glob(".deploybot.with.*"):
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    edit(bench)
    status, said = bench.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 0 and not edited(said) and WORSE in made_with(bench)[0], said


@pytest.mark.long
@pytest.mark.parametrize("names", [["docker-compose.yml", "docker-compose.override.yml"],
                                   ["prod/compose.yaml", "prod/more.yaml"]])
def test_of_several_files_each_is_kept_and_their_folder_is_as_it_was(bench, names):
    (bench.app / "docker-compose.yml").unlink()
    (bench.app / "prod").mkdir()
    for name, text in zip(names, (COMPOSE, "services:\n" + OTHERS)):
        (bench.app / name).write_text(text)
    if "/" in names[0]:
        (bench.app / ".env").write_text(f"COMPOSE_FILE={':'.join(names)}\nCOMPOSE_PROJECT_NAME=app\n")
    old, one = bench.shipped("one")
    made = [made_with(bench), made_with(bench, "worker")]
    edit(bench, names[1])
    bench.shipped("two")
    assert WORSE in made_with(bench, "worker")[0]
    status, said = bench.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 0 and edited(said) == [KEPT % old], said
    assert [made_with(bench), made_with(bench, "worker")] == made


@pytest.mark.long
def test_what_is_kept_is_its_users_alone_and_of_releases_that_are_kept(bench):
    _, one = bench.shipped("one")
    folder, = bench.app.glob(".deploybot.with.*")
    assert folder.name == f".deploybot.with.{one.removeprefix('sha256:')}"
    assert [file.stat().st_mode & 0o777 for file in (folder, folder / "of", folder / "1.yml")] == [0o700, 0o600, 0o600]
    assert (folder / "1.yml").read_text() == COMPOSE + OTHERS
    for text in ("two", "three"):
        bench.shipped(text)
    status, said = bench.run("clean.sh", "staging", KEEP_RELEASES="1")
    releases = [line.partition(":")[2] for line in (bench.app / ".deploybot.releases").read_text().splitlines()]
    assert status == 0 and kept(bench) == sorted(f".deploybot.with.{digest}" for digest in releases), said


@pytest.mark.long
def test_a_release_that_did_not_come_up_keeps_nothing(bench):
    bench.shipped("one")
    before = kept(bench)
    commit, two = bench.release("two")
    ends(bench, "app", two, 3)
    assert bench.run("deploy.sh", "staging", commit)[0] == 70
    assert [name for name in kept(bench) if not name.endswith(".new")] == before


@pytest.mark.long
def test_what_a_host_puts_back_by_itself_is_made_as_it_was(bench):
    """Regression: the edited file was used for that too: it could not be restored."""
    old, one = bench.shipped("one")
    made = made_with(bench)
    bench.change_engine(fails=WORSE.strip())
    edit(bench)
    commit, _ = bench.release("two")
    status, said = bench.run("deploy.sh", "staging", commit)
    assert status == 70 and said[-1].endswith("; the earlier release runs again"), said
    assert ("==> warning h1: its compose file was edited since release "
            f"{old[:7]}: what comes back there does so with the one that it was made with; "
            "yours is left as it is") in said
    assert made_with(bench) == made and parts(bench)["app"] == (one, "running")


@pytest.mark.long
def test_bluegreen_keeps_it_too(pair):
    old, one = pair.shipped("one")
    made = made_with(pair)
    edit(pair)
    pair.shipped("two")
    pair.shipped("three")
    status, said = pair.run("rollback.sh", "staging", f"{old}@{one}")
    assert status == 0 and edited(said) == [KEPT % old], said
    assert pair.serves() == one and WORSE not in made[0]
    assert not any(WORSE in box["made"] for box in pair.engine()["containers"] if box["of"].endswith(one))


def test_a_full_disk_keeps_no_release_from_coming_up(bench):
    (bench.app / ".deploybot.with.new").write_text("no folder\n")
    bench.on_host("mkdir", '[[ $* != *.deploybot.with.new* ]] || exit 1')
    _, one = bench.shipped("one")
    assert parts(bench)["app"] == (one, "running") and not kept(bench)
