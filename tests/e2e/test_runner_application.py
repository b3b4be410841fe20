"""Goal: an order of an application is carried out with that application's settings and nobody else's, under names of
its own on disk; a file that others may write, or whose name is none, is not read."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import subprocess

import pytest

from runner_client import PROGRAM, ROOT, Bench
from shipping_aid import APP, ShippingBench
from stage import free_port

DEPLOY = os.path.join(ROOT, "deploy")
SCRIPT = 'echo "arguments=$*"; env'


class Applications(Bench):
    """A main file, and files of applications beside it."""

    def __init__(self, path):
        super().__init__(path)
        self.main = path / "deploybot.conf"
        self.apps = path / "apps"
        self.apps.mkdir()
        self.main.write_text("")

    def write(self, name, **settings):
        file = self.main if name == "" else self.apps / f"{name}.env"
        file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return file

    def given(self, runner, run=1, **order):
        """The variables of a script, and its arguments."""
        assert runner.start(run, **order).exit()["status"] == 0
        return dict(line.split("=", 1) for line in runner.log(run).decode().splitlines() if "=" in line)


@pytest.fixture
def bench(tmp_path):
    made = Applications(tmp_path)
    yield made
    made.done()


@pytest.fixture
def shipping(tmp_path):
    made = ShippingBench(tmp_path)
    yield made
    for name in ("shop.staging", "blog.staging"):
        made.app = made.state / "apps" / name
        ShippingBench.done(made)


def test_shared_settings_are_inherited_and_own_ones_never(bench):
    """The main file's hosts and names would have one application shipped over another."""
    bench.write("", REGISTRY_URL="registry.main", KEEP_RELEASES="7", DEPLOY_USER="main", REGISTRY_IMAGE="main",
                STAGING_HOST="main.example.org", APP_PORTS="1,2", KUBE_NAMESPACE="main", ENVIRONMENTS="staging,qa",
                TRANSPORT_ZONE="main", STAGING_TRANSPORT_FOLDER="/main", TRANSPORT_KEY="main")
    bench.write("shop", DEPLOY_USER="shop", STAGING_PORT="8081", ENVIRONMENTS="staging", TRANSPORT_ZONE="shop")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)], DEPLOY_USER="process", KEEP_RELEASES="9",
                          STAGING_HOST="process.example.org", DOCKERFILE="Process", TRANSPORT_KEY="process")
    given = bench.given(runner, application="shop")
    assert given["arguments"] == "shop/staging 1a2b3c4d5e6f"
    assert (given["APPLICATION"], given["ENVIRONMENT"], given["ENVIRONMENTS"]) == ("shop", "staging", "staging")
    assert (given["DEPLOY_USER"], given["KEEP_RELEASES"]) == ("shop", "9")    # its file, then the process, then main
    assert (given["REGISTRY_URL"], given["DOCKERFILE"]) == ("registry.main", "Process")
    assert (given["REGISTRY_IMAGE"], given["STAGING_COMPOSE_DIR"]) == ("shop", "/srv/shop")    # defaults with its name
    assert (given["STAGING_PORT"], given["KUBE_NAMESPACE"]) == ("8081", "default")
    assert not {"STAGING_HOST", "APP_PORTS", "STAGING_TRANSPORT_FOLDER"} & set(given)
    assert (given["TRANSPORT_ZONE"], given["TRANSPORT_KEY"]) == ("shop", "process")


def test_without_an_application_all_is_as_it_was(bench):
    bench.write("", STAGING_HOST="main.example.org", DEPLOY_USER="main")
    bench.write("shop", STAGING_HOST="shop.example.org", DEPLOY_USER="shop")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)], DEPLOY_USER="process")
    given = bench.given(runner)
    assert (given["arguments"], given["APPLICATION"], given["ENVIRONMENT"]) == ("staging 1a2b3c4d5e6f", "", "staging")
    assert (given["STAGING_HOST"], given["DEPLOY_USER"]) == ("main.example.org", "process")
    assert (given["REGISTRY_IMAGE"], given["STAGING_COMPOSE_DIR"], given["APP_PORTS"]) == (
        "myapp", "/srv/app", "8001,8002")


def test_a_secret_is_looked_for_where_its_setting_is(bench):
    """The application's file wins with either form; of each the value is kept out of the log."""
    token = bench.path / "token"
    token.write_text("ghp_of_the_shop_0123456789\n")
    bench.write("", REPOSITORY_TOKEN="ghp_of_the_main_0123456789")
    bench.write("shop", REPOSITORY_TOKEN_FILE=token)
    bench.write("blog", REPOSITORY_TOKEN="ghp_of_the_blog_0123456789")
    bench.write("wiki")
    runner = bench.runner('rev "$REPOSITORY_TOKEN_FILE"; cat "$REPOSITORY_TOKEN_FILE"; echo; '
                          'echo "from=$REPOSITORY_CREDENTIALS"', arguments=["--env-file", str(bench.main)])
    for run, (name, source) in enumerate((("shop", str(token)), ("blog", "blog"), ("wiki", ""), ("", "")), start=1):
        runner.start(run, application=name).exit()
        text = runner.log(run).decode()
        of = name if name in ("shop", "blog") else "main"
        assert f"ghp_of_the_{of}_0123456789"[::-1] in text and f"of_the_{of}" not in text
        assert f"from={source}\n" in text


@pytest.mark.parametrize("name", ["../shop", "Shop", "shop.env", "a" * 21, "-shop", "shop/x", "1shop"])
def test_what_is_no_name_of_an_application_reaches_no_path(bench, name):
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    said = runner.order(1, application=name)
    assert (said.kind, said["why"], said["text"]) == ("refused", "invalid", "run: bad application")
    assert not os.path.exists(runner.folder(1))
    answer = runner.ask("commits", application=name, ref="main")
    assert answer["status"] == 64 and "bad application" in answer["text"]


def test_an_application_without_a_file_has_no_run(bench):
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    said = runner.order(1, application="shop")
    assert (said["why"], said["text"]) == ("failed", "shop.env is not there: was the application removed?")
    bench.write("shop", KEEP_RELEASES="many")
    assert runner.order(1, application="shop")["text"].startswith('KEEP_RELEASES: "many" is not a number')


def test_a_file_that_others_may_write_is_not_read(bench):
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    file = bench.write("shop")
    file.chmod(0o664)
    assert f"others may write {file} (mode 0664)" in runner.order(1, application="shop")["text"]
    file.chmod(0o640)
    bench.apps.chmod(0o777)
    assert f"others may write {bench.apps} (mode 0777)" in runner.order(1, application="shop")["text"]
    bench.apps.chmod(0o755)
    (bench.path / "elsewhere").write_text("")
    (bench.apps / "blog.env").symlink_to(bench.path / "elsewhere")
    assert "blog.env: Too many levels of symbolic links" in runner.order(1, application="blog")["text"]
    bench.given(runner, application="shop")


def test_the_folder_may_be_another_one(bench):
    other = bench.path / "other"
    other.mkdir()
    (other / "shop.env").write_text("DEPLOY_USER=other\n")
    bench.write("", APPS_DIRECTORY=other)
    bench.write("shop", DEPLOY_USER="beside")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    assert bench.given(runner, application="shop")["DEPLOY_USER"] == "other"


def test_check_settings_names_each_application_with_a_mistake(bench):
    bench.write("", KEEP_RELEASES="5")
    bench.write("shop", KEEP_RELEASES="many", STAGING_PORT="high")
    bench.write("blog", KEEP_RELEASES="3")
    (bench.apps / "Notes.env").write_text("KEEP_RELEASES=none\n")
    command = [PROGRAM, "--check-settings", "--env-file", str(bench.main)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 78 and done.stderr.splitlines() == [
        'application shop: KEEP_RELEASES: "many" is not a number, 1 to 1000',
        'application shop: STAGING_PORT: "high" is not a port, 1 to 65535']
    bench.write("shop")
    assert subprocess.run(command, check=False).returncode == 0


def digest(text, digits=None):
    return hashlib.sha256(str(text).encode()).hexdigest()[:digits]


def listed(**settings):
    return " ".join(f"{name}={digest(value, 16)}" for name, value in settings.items())


def test_an_order_of_other_settings_is_refused_with_the_list_of_ours(bench):
    """Nothing has begun and nothing is left: the same run may be ordered again, with the settings of now."""
    bench.write("", REGISTRY_URL="registry.main", DEPLOY_USER="main", ENVIRONMENTS="qa", APPS_DIRECTORY=bench.apps)
    bench.write("shop", DEPLOY_USER="shop", STAGING_PORT="8081", PRODUCTION_PORT="8082")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)], KEEP_RELEASES="9")
    asked = listed(REGISTRY_URL="registry.main", DEPLOY_USER="shop", STAGING_PORT="8080")
    said = runner.order(1, application="shop", fingerprint=digest(asked))
    found = said["settings"]
    assert (said["why"], said["text"]) == ("changed", "the settings changed since it was shown")
    words = found.split(" ")
    assert " ".join(words[:3]) == listed(REGISTRY_URL="registry.main", DEPLOY_USER="shop", STAGING_PORT="8081")
    assert all("/" in word for word in words[3:]) and f"environment/KEEP_RELEASES={digest(9, 16)}" in words
    assert not os.path.exists(runner.folder(1))
    bench.given(runner, application="shop", fingerprint=digest(found))
    bench.write("", REGISTRY_URL="registry.other")
    assert runner.order(2, application="shop", fingerprint=digest(found))["why"] == "changed"
    bench.given(runner, run=2, application="shop")    # who says none takes any
    assert runner.order(3, application="shop", fingerprint="abc")["text"] == "run: bad fingerprint"


def hooks_of(folder):
    return subprocess.run([PROGRAM, "--hooks", str(folder)], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.strip()


def test_a_run_that_is_bound_knows_the_hooks_of_that_moment(bench):
    """And the program that looks at them again, which may be another file by then."""
    hooks = bench.path / "hooks"
    bench.write("", APPS_DIRECTORY=bench.apps)
    bench.write("shop", HOOKS_DIRECTORY=hooks)
    hook(hooks, "pre-deploy", "10-one", "#!/bin/sh\n")
    script = f'{SCRIPT}; "${{DEPLOYBOT_RUNNER:-true}}" --hooks {hooks}'
    runner = bench.runner(script, arguments=["--env-file", str(bench.main)])
    asked = runner.ask("settings", application="shop", environment="staging")
    given = bench.given(runner, application="shop", fingerprint=asked["fingerprint"])
    said = hooks_of(hooks)
    assert given["HOOKS_BOUND"] == said and len(said.split(" ")) == 6
    assert runner.log(1).decode().splitlines().count(said) == 1
    hook(hooks, "pre-deploy", "10-one", "#!/bin/sh\necho other\n")
    assert hooks_of(hooks) != said
    assert "HOOKS_BOUND" not in bench.given(runner, run=2, application="shop")


def test_who_asks_for_a_commit_may_ask_the_registry_for_its_image(bench):
    """Only then, and only where CI pushes: nobody else is given its password."""
    scripts = bench.path / "asking"
    scripts.mkdir()
    for name in ("commits.sh", "deploy.sh"):
        (scripts / name).write_text("#!/bin/sh\nenv; cat $REGISTRY_PASSWORD_FILE\n")
        (scripts / name).chmod(0o755)
    password = bench.path / "password"
    password.write_text("a-long-password-0123")
    password.chmod(0o600)
    bench.write("", APPS_DIRECTORY=bench.apps, REGISTRY_URL="registry.main", REGISTRY_USER="ann",
                REGISTRY_PASSWORD_FILE=password)
    bench.write("shop", IMAGE_SOURCE="registry", RENAMED_FROM="store", DEPLOY_TIMEOUT_SECONDS="900")
    bench.write("blog")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main), "--scripts", str(scripts)])

    def given(question, application, **fields):
        said = runner.ask(question, application=application, **fields).body.decode().splitlines()
        return dict(line.split("=", 1) for line in said if "=" in line), said[-1]

    found, last = given("commits", "shop", environment="staging", ref="main")
    assert found["ENVIRONMENT"] == "staging" and found["REGISTRY_URL"] == "registry.main"
    assert found["RENAMED_FROM"] == "store" and "a-long" not in last and last
    for said, _ in (given("commits", "blog", environment="staging", ref="main"),
                    given("heads", "shop", branches="main")):
        assert not [name for name in said if name.startswith("REGISTRY") or name == "ENVIRONMENT"], said
    password.unlink()   # git's answer is one all the same
    found, _ = given("commits", "shop", environment="staging", ref="main")
    assert "ENVIRONMENT" not in found


def applications(bench, **own):
    """shop and blog, each with a repository's branch and a port of its own; the arguments of a runner."""
    (bench.path / "apps").mkdir(exist_ok=True)
    (bench.path / "deploybot.conf").write_text("DEPLOY_TRANSPORT=local\n")
    ports = {}
    for name in ("shop", "blog"):
        ports[name] = free_port()
        settings = {"REPOSITORY_URL": bench.repository.path, "STAGING_PORT": ports[name], **own.get(name, {})}
        (bench.path / "apps" / f"{name}.env").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    return ports, ["--env-file", str(bench.path / "deploybot.conf")]


def test_two_applications_and_their_environments_of_one_name_live_beside_each_other(shipping):
    ports, arguments = applications(shipping)
    runner = shipping.runner(arguments=arguments, STAGING_PORT=str(shipping.port), DEPLOY_TRANSPORT="local",
                             REPOSITORY_URL=str(shipping.repository.path))
    commits = {name: shipping.repository.commit(f"of {name}", DOTdeploybot__run=APP, page=name)
               for name in ("", "shop", "blog")}
    for name, commit in commits.items():
        assert shipping.ship(runner, commit, application=name)["status"] == 0, runner.log(shipping.run_id)
    for name, commit in commits.items():
        shipping.port = ports.get(name, shipping.port)
        page = shipping.page()
        assert page["commit"] == commit and {"APPLICATION", "ENVIRONMENT"} <= set(page["env"])
    assert sorted(os.listdir(shipping.state / "apps")) == ["blog.staging", "shop.staging", "staging"]
    assert (shipping.state / "apps/shop.staging/before").exists()


def by_hand(bench, *command, **env):
    return subprocess.run(
        [os.path.join(DEPLOY, command[0]), *command[1:]], capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(bench.path), "STATE_DIRECTORY": str(bench.state),
             "DEPLOYBOT_RUNNER": PROGRAM, "APPS_DIRECTORY": str(bench.path / "apps"), "DEPLOY_TRANSPORT": "local",
             **env})


def test_by_hand_an_application_is_shipped_with_its_own_file(shipping):
    """What the shell has of another one's is not taken: it would be shipped there."""
    ports, _ = applications(shipping)
    commit = shipping.repository.commit("one", DOTdeploybot__run=APP, page="one")
    done = by_hand(shipping, "deploy.sh", "shop/staging", commit, STAGING_PORT=str(shipping.port),
                   REPOSITORY_URL="/main", ENVIRONMENTS="production")
    assert done.returncode == 0, done.stderr
    shipping.port = ports["shop"]
    assert shipping.page()["commit"] == commit and (shipping.state / "apps/shop.staging/current").exists()
    assert by_hand(shipping, "target.sh", "shop/staging", "current").stdout.splitlines()[-1] == commit
    done = by_hand(shipping, "target.sh", "shop/qa", "current")
    assert done.returncode == 64 and "unknown environment: shop/qa (there are: staging,production)" in done.stderr
    done = by_hand(shipping, "rollback.sh", "shop/staging")
    assert f"there is no {shipping.state}/environments/shop.staging.json" in done.stderr


def test_by_hand_what_its_file_lacks_is_not_another_ones(shipping):
    applications(shipping)
    (shipping.path / "apps" / "blog.env").write_text(f"STAGING_PORT={free_port()}\n")
    commit = shipping.repository.commit("one", DOTdeploybot__run=APP, page="one")
    done = by_hand(shipping, "deploy.sh", "blog/staging", commit, REPOSITORY_URL=str(shipping.repository.path))
    assert done.returncode == 78 and "neither REPOSITORY_URL nor GITHUB_REPOSITORY is set" in done.stderr


@pytest.mark.parametrize("name", [
    "../staging", "shop/../staging", "shop/staging/x", "/staging", "shop/", "Shop/staging", "shop//staging",
    "shop.staging", "shop/staging\n", "$(id)/staging", "a" * 21 + "/staging"])
def test_by_hand_what_is_no_name_reaches_no_path(shipping, name):
    applications(shipping)
    done = by_hand(shipping, "deploy.sh", name, "1" * 40)
    assert done.returncode == 64 and "no name of an environment" in done.stderr
    assert not (shipping.state / "apps").exists()


def test_by_hand_a_mistake_in_the_applications_file_is_named(shipping):
    applications(shipping, shop={"KEEP_RELEASES": "many"})
    done = by_hand(shipping, "deploy.sh", "shop/staging", "1" * 40)
    assert done.returncode == 78 and 'KEEP_RELEASES: "many" is not a number' in done.stderr
    done = by_hand(shipping, "deploy.sh", "wiki/staging", "1" * 40)
    assert done.returncode == 78 and "wiki.env is not there: was the application removed?" in done.stderr


def test_the_target_is_asked_by_its_applications_settings(shipping):
    """`deploybot doctor shop/staging` asks so."""
    _, arguments = applications(shipping)
    command = [PROGRAM, "--preflight", "shop/staging", "--state", str(shipping.state), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "all is there", done.stderr
    command[2] = "shop/../staging"
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 78 and "APPLICATION/ENVIRONMENT" in done.stderr


def test_no_application_reads_anothers_mirror(shipping):
    """One repository, three ways to fetch it: whoever has no token must not find what a token was needed for."""
    token = shipping.path / "token"
    token.write_text("ghp_0123456789abcdef0123\n")
    _, arguments = applications(shipping, shop={"REPOSITORY_TOKEN_FILE": token})
    shipping.repository.commit("one")
    runner = shipping.runner(arguments=arguments, REPOSITORY_URL=str(shipping.repository.path))
    mirrors = []
    for name in ("", "shop", "blog", "shop"):
        answer = runner.ask("commits", application=name, ref="main")
        assert answer["status"] == 0, answer
        mirrors.append(sorted(path.name for path in (shipping.state / "git").glob("*.git")))
    assert [len(found) for found in mirrors] == [1, 2, 3, 3]


def test_mirrors_are_packed_where_only_applications_have_a_repository(shipping):
    _, arguments = applications(shipping)
    shipping.repository.commit("one")
    runner = shipping.runner(arguments=arguments)
    assert runner.ask("commits", application="shop", ref="main")["status"] == 0
    assert runner.ask("maintain")["status"] == 0
    assert len(list((shipping.state / "git").glob("*.packed"))) == 1


def test_many_applications_are_deployed_at_once(bench):
    """Of 80 runs each has its supervisor, and the end of each is seen."""
    names = [f"app-{n}" for n in range(80)]
    for name in names:
        bench.write(name)
    runner = bench.runner("exit 3", arguments=["--env-file", str(bench.main)])
    for run, name in enumerate(names, start=1):
        assert runner.order(run, application=name).kind == "started"
    for run in range(1, len(names) + 1):
        assert runner.supervisor(run).go().exit()["status"] == 3


def list_of(runner, **fields):
    """What would ship staging of the shop, by name."""
    said = runner.ask("settings", application="shop", environment="staging", **fields)
    assert said["status"] == 0 and said["fingerprint"] == digest(said["settings"]), said
    return dict(word.split("=") for word in str(said["settings"]).split(" "))


def hook(folder, kind, name, text, mode=0o755):
    (folder / kind).mkdir(parents=True, exist_ok=True)
    file = folder / kind / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    file.chmod(mode)
    return file


def test_the_list_has_each_hook_that_would_be_run_by_its_bytes(bench):
    hooks = bench.path / "hooks"
    bench.write("", APPS_DIRECTORY=bench.apps)
    bench.write("shop", STAGING_PORT="8081", HOOKS_DIRECTORY=hooks)
    hook(hooks, "pre-deploy", "10-migrate", "#!/bin/sh\n")
    hook(hooks, "post-deploy", "b", "b")
    hook(hooks, "post-deploy", "a", "a")
    hook(hooks, "post-deploy", "README", "not executable", mode=0o644)
    hook(hooks, "post-deploy", ".hidden", "no hook")
    hook(hooks, "sometime", "x", "of no kind")
    hook(hooks, "pre-build", "odd name=1", "odd")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    found = list_of(runner)
    assert {name: mark for name, mark in found.items() if name.split("/")[0].startswith(("pre-", "post-"))} == {
        f"pre-build/odd~{digest('odd name=1', 16)}": digest("odd", 16),
        "pre-deploy/10-migrate": digest("#!/bin/sh\n", 16),
        "post-deploy/a": digest("a", 16), "post-deploy/b": digest("b", 16)}
    assert "sometime/x" not in found and "/" not in list(found)[0]
    hook(hooks, "pre-deploy", "10-migrate", "#!/bin/bash\n")
    assert [name for name, mark in list_of(runner).items() if found[name] != mark] == ["pre-deploy/10-migrate"]


def test_a_hook_that_is_too_large_to_read_is_known_by_its_inode(bench):
    """One that was put in its place is another one, whatever its size and date."""
    hooks = bench.path / "hooks"
    bench.write("", APPS_DIRECTORY=bench.apps)
    bench.write("shop", HOOKS_DIRECTORY=hooks)
    file = hook(hooks, "pre-deploy", "large", bytes(9 << 20))
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    found = list_of(runner)["pre-deploy/large"]
    assert found.startswith("large-") and list_of(runner)["pre-deploy/large"] == found
    before = file.stat()
    other = hook(hooks, "pre-deploy", "other", b"x" * (9 << 20))
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert list_of(runner)["pre-deploy/large"] not in (found, None)


def test_so_many_hooks_that_the_list_has_no_room_are_one_mark(bench):
    hooks = bench.path / "hooks"
    bench.write("", APPS_DIRECTORY=bench.apps)
    bench.write("shop", HOOKS_DIRECTORY=hooks)
    for number in range(300):
        hook(hooks, "post-deploy", f"{number:03d}-" + "n" * 60, str(number))
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    found = list_of(runner)
    assert "more/hooks" in found and len(" ".join(found)) < 8192
    hook(hooks, "post-deploy", "299-" + "n" * 60, "another")
    changed = list_of(runner)
    assert [name for name, mark in changed.items() if found[name] != mark] == ["more/hooks"]


def test_settings_of_a_transport_and_ones_own_script_are_in_the_list(bench):
    verify = bench.path / "verify"
    verify.write_text("#!/bin/sh\n", "ascii")
    bench.write("", APPS_DIRECTORY=bench.apps, TRANSPORT_ZONE="main", VERIFY_COMMAND=verify)
    bench.write("shop", STAGING_TRANSPORT_FOLDER="/srv", PRODUCTION_TRANSPORT_FOLDER="/other")
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    found = list_of(runner)
    assert found["transport/TRANSPORT_ZONE"] == digest("main", 16)
    assert found["transport/STAGING_TRANSPORT_FOLDER"] == digest("/srv", 16)
    assert "transport/PRODUCTION_TRANSPORT_FOLDER" not in found
    assert "script/DEPLOY_SCRIPT" in found
    verify.write_text("#!/bin/sh\nexit 0\n", "ascii")
    changed = list_of(runner)
    assert [name for name, mark in changed.items() if found[name] != mark] == ["script/VERIFY_COMMAND"]


def test_settings_that_cannot_be_read_are_no_list(bench):
    bench.write("", APPS_DIRECTORY=bench.apps)
    runner = bench.runner(SCRIPT, arguments=["--env-file", str(bench.main)])
    said = runner.ask("settings", application="shop", environment="staging")
    assert (said["status"], said["text"]) == (78, "shop.env is not there: was the application removed?")
    assert said["fingerprint"] == 0 and said["settings"] == 0
