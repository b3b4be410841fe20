"""Goal: what is answered is looked at before it is taken; what is wrong, or fails later, is named and asked anew."""
# SPDX-License-Identifier: ISC
import getpass
import subprocess

import pytest

from commands_aid import DEPLOY
from setup_aid import NOWHERE, PROGRAM
from setup_aid import bench, chat, taken  # noqa: F401  pylint: disable=unused-import
from stage import ROOT


# ---- what is asked -------------------------------------------------------------------------------

@pytest.mark.long
def test_beside_applications_of_their_own_files_the_registry_is_asked_for(bench):
    """Regression: with a settings file that is new it was not, and "the same command" ended there each time."""
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    program = PROGRAM.removesuffix("-runner")
    status, said = bench.run_setup(program, "--env-file", bench.conf, "application", "adopt", "shop")
    assert status == 0, said
    bench.know_admin()
    bench.forget_calls()
    lines = bench.conf.read_text("utf-8").splitlines(keepends=True)
    bench.conf.write_text("".join(line for line in lines if not line.startswith(("STAGING_", "REGISTRY_IMAGE="))))
    status, said = bench.type_lines(["", "registry", bench.registry, "-"])
    assert status == 0 and "==> doctor shop/staging" in said and "all is there" in said, said
    asked = [call[-1] for call in bench.calls("curl")]
    assert any(url.endswith(f"/v2/team/shop/manifests/{'0' * 40}") for url in asked), asked
    settings = bench.settings()
    assert settings["REGISTRY_URL"] == bench.registry and "REGISTRY_IMAGE" not in settings, said


# ---- what is refused -----------------------------------------------------------------------------

@pytest.mark.parametrize("wrong, name, value", [
    ({0: "/nowhere/shop.git"}, "SETUP_REPOSITORY", "/nowhere/shop.git"),
    pytest.param({3: NOWHERE}, "REGISTRY_URL", NOWHERE, marks=pytest.mark.long),
    ({5: "127.0.0.1:1", 6: "-\n-"}, "STAGING_HOST", "127.0.0.1:1"),    # and no jump host
    pytest.param({5: "127.0.0.1:1", 6: "-\nops@localhost:1"}, "SSH_JUMP", "ops@localhost:1", marks=pytest.mark.long),
    pytest.param({8: getpass.getuser()}, "SETUP_LOGIN", getpass.getuser(), marks=pytest.mark.long),
    pytest.param({9: "no"}, "STAGING_HOST", "", marks=pytest.mark.long)])
def test_an_answer_that_fails_later_is_asked_anew_and_named(bench, wrong, name, value):
    """Regression: the next try took it again and failed again, and --anew alone asked for it, with all the rest."""
    bench.know_admin()
    before = bench.files()
    lines = [wrong.get(i, line) for i, line in enumerate(bench.lines())]
    if name == "SETUP_LOGIN":
        (bench.home / "no-sudo").touch()
    _, said = bench.type_lines(lines)
    assert bench.files() == before, said
    status, said = bench.type_lines([])
    value = value or lines[5]
    assert status == 64 and f"\n{name}  " in said and f"{name}: {value}, as answered before" not in said, said
    assert f"\n  {value} was answered before, and did not work\n  [{value}] > " in said, said


TOGETHER = f"""set -uo pipefail; . {DEPLOY}/common.sh; . {DEPLOY}/setup/ask.sh; . {DEPLOY}/setup/settings.sh
draft=$1 application=$2 said=$3
look_at_candidate() {{ printf '%s\n' "$said"; return 1; }}
drafted=([REGISTRY_URL]=a [IMAGE_SOURCE]=build [STAGING_HOST]=h1)
check_all && echo taken
refused=(); [[ ! -f $draft/refused ]] || read_answers refused "$draft/refused"
echo "asked anew: $(printf '%s\n' "${{!refused[@]}}" | sort | xargs)"
"""


@pytest.mark.parametrize("application, said, last", [
    ("", "error    IMAGE_SOURCE: no", "asked anew: IMAGE_SOURCE STAGING_HOST"),
    ("", "error    STAGING_COMPOSE_DIR: shared", "asked anew: STAGING_HOST"),
    ("web", "error    web: IMAGE_SOURCE: no", "asked anew: IMAGE_SOURCE STAGING_HOST"),
    ("web", "error    shop: IMAGE_SOURCE: no", "taken\nasked anew: ")])
def test_answers_that_do_not_go_together_are_asked_anew(tmp_path, application, said, last):
    done = subprocess.run(["bash", "-c", TOGETHER, "x", tmp_path, application, said],
                          check=False, timeout=60, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert done.stdout == f"{last}\n", done.stdout


def test_anew_forgets_answers_and_keeps_the_key_that_hosts_may_have(bench):
    bench.know_admin()
    bench.type_lines(bench.lines()[:-1])
    key = bench.folder / "setup/deploy_key"
    made = key.read_bytes()
    status, said = bench.type_lines([], "--anew")
    assert status == 64 and "\nSETUP_REPOSITORY  " in said and key.read_bytes() == made, said
    assert sorted(path.name for path in key.parent.iterdir()) == ["confirmed", "deploy_key", "deploy_key.pub",
                                                                  "known_hosts"]


@pytest.mark.parametrize("changes, status, words", [
    ({"TELEGRAM_BOT_TOKEN": "7000000002:AAF-a_token_that_nobody_gave_0123456789"}, 78, "@BotFather"),
    ({"SETUP_HOST_KEYS": "SHA256:AAAA"}, 78, "is not among them"),
    pytest.param({"SETUP_HOST_KEYS": "yes"}, 78, "is not among them", marks=pytest.mark.long),
    ({"API_SERVER_PORT": None, "SETUP_HEALTH": "8080/health"}, 78,
     "127.0.0.1 is this machine, whose port 8080 is deploybot's own (API_SERVER_PORT)"),
    pytest.param({"STAGING_HOST": "127.0.0.1:1"}, 69, "shows no ssh key at port 1", marks=pytest.mark.long),
    ({"STAGING_HOST": "h 1"}, 78, "STAGING_HOST"),
    ({"STAGING_HOTS": "127.0.0.1"}, 78, "STAGING_HOTS is no setting: did you mean STAGING_HOST?"),
    ({"SETUP_REPOSITORY": "/nowhere/shop.git"}, 69, "git cannot read /nowhere/shop.git"),
    ({"WEBHOOK_API_SECRET": "x" * 40}, 78, "WEBHOOK_API_SECRET_FILE"),
    ({"HEALTH_CHECK_RETRIES": "never"}, 78, "HEALTH_CHECK_RETRIES")])
def test_a_wrong_answer_is_named_and_nothing_is_changed(bench, changes, status, words):
    done, said = bench.setup("--answers", bench.answers(**changes))
    assert done == status and words in said and bench.files() == {}, said
    assert " line " not in said and "warning:  " not in said and ": error " not in said, said
    assert "HEALTH" in words or bench.sshd.connections() == 0


def test_answers_that_others_may_read_are_not_read(bench):
    path = bench.answers()
    path.chmod(0o640)
    status, said = bench.setup("--answers", path)
    assert status == 78 and "chmod 600" in said and bench.files() == {}, said


# ---- repository and registry ---------------------------------------------------------------------

REPOSITORY = f""". {DEPLOY}/common.sh; for part in questions settings around; do . {DEPLOY}/setup/$part.sh; done
check_setting() {{ want[$1]=$said; }}; conf_there=/nowhere repository_there=$2 application='' said=$1
check_repository SETUP_REPOSITORY || exit; echo "${{want[GITHUB_REPOSITORY]-}} ${{want[REPOSITORY_URL]-}}"
want[GITHUB_WEBHOOK_SECRET_FILE]=github want[FORGE_WEBHOOK_SECRET_FILE]=forge; say_forge bot.example.org"""


def check_repository(typed, there=""):
    done = subprocess.run(["bash", "-c", REPOSITORY, "setup", typed, there], check=False, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.mark.parametrize("typed", [
    "orchard/shop", "orchard/shop.git", "https://github.com/orchard/shop", "https://github.com/orchard/shop.git",
    "https://github.com/orchard/shop/", "github.com/orchard/shop", "http://www.github.com/orchard/shop.git/"])
def test_a_pasted_address_of_github_is_owner_and_name(typed):
    """Regression: git asked for shop.git.git, or webhooks named the address and the secret of another forge."""
    for there in ("", "orchard/shop.git"):
        status, said = check_repository(typed, there)
        assert status == 0 and said.startswith("orchard/shop \n"), said
        assert "https://bot.example.org/github/webhook" in said and "sudo cat github\n" in said, said


@pytest.mark.parametrize("typed, path", [
    ("git@github.com:orchard/shop.git", "github/webhook"), ("https://gitlab.example.org/a/b/shop.git", "forge/webhook"),
    ("https://github.example.org/orchard/shop", "forge/webhook"), ("/srv/shop.git", "forge/webhook"),
    ("git@git.example.org:shop.git", "forge/webhook")])
def test_another_address_stays_as_it_is_typed(typed, path):
    status, said = check_repository(typed)
    assert status == 0 and said.startswith(f" {typed}\n") and f"https://bot.example.org/{path}" in said, said


def test_one_word_is_no_repository():
    said = "warning: SETUP_REPOSITORY: OWNER/NAME of a repository at GitHub, or a URL\n"
    assert check_repository("shop") == (1, said)


def test_a_repository_by_ssh_says_what_ssh_said_and_which_settings_it_needs(bench):
    """Regression: "and the repository exists" alone, of a token that nobody had been asked for."""
    url = f"git@127.0.0.1:{bench.path}/shop.git"
    status, said = bench.setup("--answers", bench.answers(SETUP_REPOSITORY=url))
    warning, end = said.splitlines()[-2:]
    assert status == 69 and warning.startswith(f"warning: SETUP_REPOSITORY: git cannot read {url}: "), said
    assert "fatal: Could not read from remote repository." in warning and "the repository exists" not in warning, said
    assert "by ssh it needs REPOSITORY_KEY_PATH" in end and f"set both in {bench.path}/answers" in end, said
    assert bench.files() == {}


def test_a_registry_that_is_not_reached_is_said_with_curls_reason(tmp_path):
    """Regression: "see curl's output in the log", of which there is none; http:// was named nowhere."""
    script = f"""set -euo pipefail; here={DEPLOY}; . "$here/common.sh"
for part in questions settings; do . "$here/setup/$part.sh"; done
act=setup draft=$1 conf_there=/nowhere application='' secret_file=
want[REGISTRY_URL]=127.0.0.1:1 want[REGISTRY_IMAGE]=team/shop; check_registry_answers REGISTRY_URL"""
    given = {"PATH": "/usr/bin:/bin", "DEPLOYBOT_RUNNER": PROGRAM}
    done = subprocess.run(["bash", "-c", script, "setup", tmp_path], check=False, capture_output=True, text=True,
                          timeout=60, env=given)
    assert done.returncode == 1 and ": the registry 127.0.0.1:1 cannot be reached: curl: (7) " in done.stderr, done
    assert done.stderr.endswith("the name, its port, and http:// before it where it has no TLS?\n"), done.stderr


@pytest.mark.parametrize("registry, repository, image", [
    ("ghcr.io", "Orchard/Shop", "orchard/shop"), ("https://ghcr.io/", "https://github.com/Orchard/shop.git", "orchard/shop"),
    ("registry.gitlab.com", "git@gitlab.com:team/sub/shop.git", "team/sub/shop"),
    ("ghcr.io/orchard", "orchard/Shop", "shop"),
    ("registry.example.org:5000", "ssh://git@git.example.org/team/shop.git", "shop"),
    ("10.1.2.3", "/srv/shop.git", "shop"),
    ("docker.io", "https://git.example.org/team/shop/", "team/shop")])
def test_an_image_is_called_as_its_registry_has_them(registry, repository, image):
    words = ["bash", "-c", f". {DEPLOY}/setup/questions.sh; image_name_of \"$1\" \"$2\"; echo \"$said\"", "bash"]
    done = subprocess.run([*words, registry, repository], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == f"{image}\n"


@pytest.mark.parametrize("registry, named", [("ghcr.io", ""), ("registry.example.org", "web")])
def test_another_applications_image_is_called_too_as_its_registry_has_them(taken, registry, named):
    """Regression: at ghcr.io it was looked for as ghcr.io/web, which is nobody's."""
    text = taken.conf.read_text("utf-8").replace(f"REGISTRY_URL={taken.registry}\n", f"REGISTRY_URL={registry}\n")
    taken.conf.write_text(text)
    status, said = taken.type_lines(["shop", str(taken.repository)], "app", "web")
    named = named or str(taken.repository).lstrip("/").lower()
    assert status == 64 and f"\n  Images are looked for as {registry}/{named}:COMMIT" in said, said


def test_a_login_at_the_registry_is_taken_from_the_file_with_its_password(bench):
    """Regression: the bot's token was looked at while the settings had the one without the other."""
    bench.take_over()
    with open(bench.conf, "a", encoding="utf-8") as conf:      # as a package has it
        conf.write(f"REGISTRY_PASSWORD_FILE={bench.folder}/secrets/runner/registry_password\n")
    status, said = bench.setup("--answers", bench.answers(REGISTRY_USER="ada"))
    assert status == 78 and "REGISTRY_USER, and no REGISTRY_PASSWORD" in said.splitlines()[-1], said
    login = {"REGISTRY_USER": "ada", "REGISTRY_PASSWORD": "of-the-registry"}
    status, said = bench.setup("--answers", bench.answers(**login, STAGING_HOST="127.0.0.1:1"))
    assert status == 69 and "shows no ssh key at port 1" in said and "is not taken" not in said, said


# ---- where each environment runs -----------------------------------------------------------------

def test_where_production_was_nowhere_yet_it_is_asked_for_again_and_host_says_how(taken):
    """Two environments on one host are said to have one port there, too."""
    before = taken.files()
    for environment, words in (("production", "deploybot-setup, typed again, asks where production runs"),
                               ("eu", "write eu into its ENVIRONMENTS, behind the others; then deploybot-setup")):
        status, said = taken.setup("host", environment)
        assert status == 78 and words in said.splitlines()[-1] and taken.files() == before, said
    with open(taken.conf, "a", encoding="utf-8") as conf:
        conf.write(f"PRODUCTION_COMPOSE_DIR={taken.path}/production\n")
    before = taken.files()
    lines = taken.lines()
    host = lines.index(f"127.0.0.1:{taken.port_2}")
    typed = [lines[0], "", *lines[2:host], "", lines[host], ""]     # the token, and staging's host, are there
    status, said = taken.type_lines(typed)
    assert "\nPRODUCTION_HOST  Where does production run? - for nowhere yet\n" in said, said
    assert "PRODUCTION_HEALTH_URL: http://127.0.0.1:8080/health is staging's too" in said, said
    assert status == 64 and "\nSETUP_LOGIN  " in said and taken.files() == before, said
    assert taken.sshd.connections() == 0


@pytest.mark.long
def test_an_environment_with_a_transport_of_its_own_stays_when_set_up_is_typed_again(taken):
    """Regression: it was asked for a host, and Enter, or --answers without one, took it out of ENVIRONMENTS."""
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text}PRODUCTION_DEPLOY_TRANSPORT=local\nPRODUCTION_PORT=8090\n"
                          "PRODUCTION_HEALTH_URL=http://127.0.0.1:8090/health\n")
    before = taken.files()
    lines = taken.lines()
    typed = [lines[0], "", *lines[2:lines.index(f"127.0.0.1:{taken.port_2}")], ""]
    status, said = taken.type_lines(typed)
    assert status == 64 and "\nSETUP_LOGIN  " in said and taken.files() == before, said
    assert "Where does production run?" not in said and "production is released by local: it stays" in said, said
    assert "\nSETUP_HEALTH  " not in said and "\nSTAGING_HEALTH_URL stays as it is: http://127.0.0.1:8080/health\n" in said
    answers = taken.answers(PRODUCTION_HOST=None, API_SERVER_PORT=None, ADMIN_TELEGRAM_IDS=None)
    _, said = taken.setup("--answers", answers)
    assert "\nwritten: " in said and "==> doctor production" in said and "goes out of ENVIRONMENTS" not in said, said
    assert taken.settings()["ENVIRONMENTS"] == "staging,production", said
    assert "#PRODUCTION_HOST" not in taken.conf.read_text("utf-8")


ENVIRONMENTS = f"""set -euo pipefail; shopt -s extglob; . {DEPLOY}/common.sh
for part in ask questions health settings; do . {DEPLOY}/setup/$part.sh; done
draft=$1 conf=$1/main target=$1/main conf_there=$1/main application='' answers='' untouched=''
look_at_candidate() {{ :; }}
getent() {{ [[ $2 == h[0-9] ]]; }}
timeout() {{ "${{@:3}}"; }}
if [[ -e $1/web.env ]]; then target=$1/web.env conf_there=$1/web.env application=web; fi
if [[ -e $1/answers ]]; then answers=$1/answers; read_answers given "$answers"; fi
take_given; ask_environments; echo "all: ${{environments[*]}} by ssh: ${{by_ssh[*]-}}"
echo "written: ${{want[ENVIRONMENTS]-as it was}}"
"""
BOTH = "ENVIRONMENTS='staging, production'\nSTAGING_HOST=h1\n"


def ask_environments(folder, typed, **files):
    for name, text in files.items():
        (folder / {"app": "web.env"}.get(name, name)).write_text(text)
    done = subprocess.run(["bash", "-c", ENVIRONMENTS, "deploybot-setup", folder], input=typed, check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


@pytest.mark.parametrize("way, named", [
    ("PRODUCTION_DEPLOY_TRANSPORT=kubernetes\n", "kubernetes"), ("PRODUCTION_USE_KUBERNETES=Yes\n", "kubernetes"),
    ("PRODUCTION_DEPLOY_TRANSPORT=systemd\nPRODUCTION_HOST=h2\n", "systemd"),
    ("PRODUCTION_DEPLOY_SCRIPT=/srv/ship\n", "/srv/ship"),
    ("DEPLOY_TRANSPORT=local\nSTAGING_DEPLOY_TRANSPORT=ssh\n", "local")])
@pytest.mark.parametrize("application", [False, True])
def test_who_is_not_asked_for_a_host_stays(tmp_path, way, named, application):
    files = {"main": way, "app": BOTH} if application else {"main": BOTH + way}
    if "_HOST" in way and application:
        files = {"main": "", "app": BOTH + way}
    for given in ({}, {"answers": "IMAGE_SOURCE=registry\n"}):
        status, said = ask_environments(tmp_path, "\n", **files, **given)
        assert status == 0 and "PRODUCTION_HOST" not in said, said
        assert f"production is released by {named}: it stays" in said, said
        assert "all: staging production by ssh: staging\nwritten: staging,production\n" in said, said


@pytest.mark.parametrize("typed, answers, status, words", [
    ("\n\n", None, 64, "production is in ENVIRONMENTS: a host is needed, or - takes it out"),
    ("\n-\n", None, 0, "production goes out of ENVIRONMENTS, as answered"),
    ("\nh2\n", None, 0, "all: staging production by ssh: staging production"),
    ("", "IMAGE_SOURCE=registry\n", 78, "has no PRODUCTION_HOST"),
    ("", "PRODUCTION_HOST=\n", 0, "production goes out of ENVIRONMENTS, as answered"),
    ("", "ENVIRONMENTS=staging\n", 0, "production goes out of ENVIRONMENTS, as answered")])
def test_an_environment_goes_by_an_answer_alone_and_that_is_said(tmp_path, typed, answers, status, words):
    done, said = ask_environments(tmp_path, typed, main=BOTH, **({"answers": answers} if answers else {}))
    assert done == status and words in said, said
    assert ("written: staging\n" in said) == ("goes out" in words), said


@pytest.mark.parametrize("main, typed, answers, status, words", [
    ("", "nosuch.example.org\n", None, 64, "STAGING_HOST: nosuch.example.org has no address here."),
    ("", "nosuch.example.org\nnosuch.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("", "h1\n8080\n", None, 64, "PRODUCTION_HOST: 8080 has no address here."),
    ("SSH_JUMP=ops@h1\n", "inside.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("SSH_PROXY_COMMAND='tunnel %h %p'\n", "inside.example.org\n\n", None, 0, "by ssh: staging\n"),
    ("", "", "STAGING_HOST=nosuch.example.org\n", 78, "nosuch.example.org has no address here.")])
def test_a_name_without_an_address_is_asked_again_unless_a_jump_host_may_know_it(
        tmp_path, main, typed, answers, status, words):
    """Regression: it was taken, the way through another host was asked, and much later whether it is up."""
    done, said = ask_environments(tmp_path, typed, main=main, **({"answers": answers} if answers else {}))
    assert done == status and words in said, said
    assert ("has no address" in said) == ("no address" in words or typed.count("nosuch") == 2), said


def test_a_name_that_was_meant_for_staging_is_not_taken_at_once_for_production(tmp_path):
    status, said = ask_environments(tmp_path, "nosuch.example.org\n" * 3, main="")
    assert status == 64 and "PRODUCTION_HOST: nosuch.example.org has no address here." in said, said


JUMPS = ENVIRONMENTS.partition("take_given;")[0] + """environment=staging
can_reach() { return 1; }
hosts=(h2) ports=(22); ask_jump; echo "through ${want[SSH_JUMP]}"
"""


@pytest.mark.parametrize("typed, through", [("8080\nops@h1\n", "ops@h1"), ("ops@nosuch:22\n\n-\n", ""),
                                            ("ops@h1:2222\n", "ops@h1:2222")])
def test_a_jump_host_without_an_address_is_asked_again(tmp_path, typed, through):
    (tmp_path / "main").touch()
    done = subprocess.run(["bash", "-c", JUMPS, "deploybot-setup", tmp_path], input=typed, check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said = done.stdout
    assert done.returncode == 0 and said.endswith(f"through {through}\n"), said
    assert ("has no address here: USER@HOST" in said) == ("2222" not in typed), said


@pytest.mark.parametrize("main, typed, written", [
    ("", "h1\n\n", "staging"), ("ENVIRONMENTS=staging\nSTAGING_HOST=h1\n", "\n\n", "staging"),
    ("ENVIRONMENTS=staging\nSTAGING_DEPLOY_TRANSPORT=local\n", "\n", "staging"),
    ("ENVIRONMENTS=staging\nDEPLOY_TRANSPORT=local\n", "", "as it was"),
    ("DEPLOY_TRANSPORT=kubernetes\n", "", "as it was")])
def test_who_was_never_there_needs_no_host_yet(tmp_path, main, typed, written):
    status, said = ask_environments(tmp_path, typed, main=main)
    assert status == 0 and said.endswith(f"written: {written}\n") and "goes out" not in said, said


# ---- health URLs ---------------------------------------------------------------------------------

KEEPS = ENVIRONMENTS.partition("take_given;")[0] + """by_ssh=(staging production)
if keep_health; then echo "not asked, the port of $health"; else echo asked; fi
"""
HEALTH_OF_BOTH = "STAGING_HEALTH_URL=http://h1:8080/health\nPRODUCTION_HEALTH_URL=https://[::1]:9090/up\n"


@pytest.mark.parametrize("main, answers, words, warned", [
    ("", "", "asked\n", 0), ("STAGING_HEALTH_URL=http://h1:8080/health\n", "", "asked\n", 0),
    ("STAGING_HEALTH_URL=http://h1/\nPRODUCTION_SMOKE_URL=http://127.0.0.1:1/\n", "", "asked\n", 0),
    (HEALTH_OF_BOTH, "", "not asked, the port of 8080/\n", 0),
    (HEALTH_OF_BOTH + "SSH_JUMP=ops@h3\n", "SETUP_HEALTH=8080/health\n", "not asked, the port of 8080/\n", 1),
    (HEALTH_OF_BOTH, "SETUP_HEALTH=9090/ready\n", "STAGING_HEALTH_URL stays as it is: http://h1:8080/health\n", 2),
    ("STAGING_HEALTH_URL=http://h1/\nPRODUCTION_HEALTH_URL=http://h2/\n", "", "not asked, the port of 8080/health\n", 0),
    ("SSH_JUMP=ops@h3\nSTAGING_SMOKE_URL=http://127.0.0.1:8081/\nPRODUCTION_HEALTH_URL=http://h2/\n", "",
     "STAGING_SMOKE_URL stays as it is: http://127.0.0.1:8081/\n", 0)])
def test_where_each_has_a_health_url_none_is_asked_for(tmp_path, main, answers, words, warned):
    """Regression: one was asked for, taken, and not used."""
    for name, text in (("main", main), ("answers", answers)):
        (tmp_path / name).write_text(text)
    (tmp_path / "answers").chmod(0o600)
    done = subprocess.run(["bash", "-c", KEEPS, "deploybot-setup", tmp_path], check=False, timeout=60, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0 and words in done.stdout, done.stdout
    assert done.stdout.count("stays as it is: change it in") == warned, done.stdout


OFFERED = KEEPS.partition("by_ssh=")[0] + """unset -f getent timeout
hosts=(h1 fd00::7 127.0.0.1) application=$2 folder=$1 target=$1/web.env; offer_health
echo "$said"; said=$3; taken check_health SETUP_HEALTH; take_health "$said"; echo "$health|$inside"
"""


@pytest.mark.parametrize("main, application, offered", [
    ("API_SERVER_PORT=8079\n", "web", "8080/health"),
    ("API_SERVER_PORT=8079\nSTAGING_HEALTH_URL=http://h2:8080/\n", "web", "8080/health"),
    ("API_SERVER_PORT=8079\nSTAGING_HEALTH_URL=http://h2:1/,http://h1:8080/health\n", "web", "8081:8080/health"),
    ("API_SERVER_PORT=8081\nSTAGING_HEALTH_URL=http://[fd00::7]:8080/\n", "web", "8082:8080/health"),
    ("API_SERVER_PORT=8079\nSTAGING_HEALTH_URL=http://h1:8080/health\n", "", "8080/health"), ("", "", "8081:8080/health")])
def test_a_port_that_is_taken_on_a_host_is_not_offered_and_the_container_keeps_its_own(tmp_path, main, application,
                                                                                       offered):
    """Regression: with 8081 the host's port led to 8081 of a container that listens on 8080."""
    for name, text in (("main", main), ("answers", "")):
        (tmp_path / name).write_text(text)
    (tmp_path / "answers").chmod(0o600)
    for typed, taken in ((offered, f"{offered.partition(':')[0].partition('/')[0]}/health|8080"),
                         ("9/up?a=b", "9/up?a=b|9"), ("9:70000/", "warning: SETUP_HEALTH: "), ("9:/", "warning: ")):
        done = subprocess.run(["bash", "-c", OFFERED, "deploybot-setup", tmp_path, application, typed], check=False,
                              timeout=60, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        first, second = done.stdout.splitlines()[:2]
        assert first == offered and second.startswith(taken), done.stdout


def test_a_health_url_that_another_application_has_is_warned_of(tmp_path):
    """Regression: it was offered again, and the gate of one was passed by the other."""
    (tmp_path / "apps").mkdir()
    for name, text in (("main", "STAGING_HEALTH_URL=http://h/main\n"),
                       ("apps/web.env", "STAGING_HEALTH_URL=http://h/web\n"),
                       ("apps/shop.env", "EU_WEST_HEALTH_URL='http://h/a,http://h/shop'\n")):
        (tmp_path / name).write_text(text)
    script = """set -euo pipefail
. "$1/deploy/setup/settings.sh"; . "$1/deploy/setup/health.sh"
name_of() { printf "%s_%s" "${1^^}" "$2"; }; value_of() { said=$mine; }; warn() { echo "$1"; }
read_value() { said=${1//\\'}; }
folder=$2 conf=$2/main application=web target=$2/apps/web.env environments=(staging)
for mine in http://h/web http://h/shop http://h/main; do warn_of_shared_health; done
application='' target=$conf; warn_of_shared_health"""
    done = subprocess.run(["/bin/bash", "-c", script, "x", ROOT, tmp_path], check=False, timeout=60, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert [line.partition(" too: ")[0] for line in done.stdout.splitlines()] == [
        "STAGING_HEALTH_URL: http://h/shop is shop/eu-west's", "STAGING_HEALTH_URL: http://h/main is staging's"], done.stdout
