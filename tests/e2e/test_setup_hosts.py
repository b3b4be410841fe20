"""Goal: a host lets in the key of its own environment alone, and is ready before anything is written."""
# SPDX-License-Identifier: ISC
import getpass
import subprocess

import pytest

from commands_aid import DEPLOY
from setup_aid import bench, chat, taken  # noqa: F401  pylint: disable=unused-import


# ---- who is let in -------------------------------------------------------------------------------

BLOCK_BEGINS = 'if [ "$(id -u)" = 0 ]; then '


@pytest.mark.parametrize("who, has_sudo", [("0", False), ("0", True), ("1000", True)])
def test_the_block_to_paste_works_as_root_without_sudo(tmp_path, who, has_sudo):
    """Regression: a Debian that was installed with a root password has no sudo."""
    (tmp_path / "setup").mkdir()
    (tmp_path / "setup/prepare-host.sh").write_text('prepare_host() { echo "$user $dir $port ${BY_SUDO:-as is}"; }\n')
    words = [f". {DEPLOY}/setup/hosts.sh; here=$1 deploy_user=deploy public_key='ssh-ed25519 AA' health=8080/health",
             "print_block h1 /srv/app"]
    printed = subprocess.run(["bash", "-c", "; ".join(words), "bash", tmp_path], capture_output=True, text=True,
                             timeout=60, check=True).stdout
    binaries = tmp_path / "bin"
    binaries.mkdir()
    for name, text in {"id": f"echo {who}", "sudo": 'BY_SUDO=sudo exec "$@"', "cat": 'exec /usr/bin/cat "$@"'}.items():
        if name != "sudo" or has_sudo:
            (binaries / name).write_text(f"#!/bin/bash\n{text}\n")
            (binaries / name).chmod(0o755)
    (binaries / "bash").symlink_to("/bin/bash")
    for shell in ("/bin/sh", "/bin/bash"):
        pasted = subprocess.run([shell], input=printed[printed.index(BLOCK_BEGINS):], env={"PATH": str(binaries)},
                                check=False, capture_output=True, text=True, timeout=60)
        by = "as is" if who == "0" else "sudo"
        assert pasted.returncode == 0 and pasted.stdout == f"deploy /srv/app 8080 {by}\n", pasted


def test_what_another_deploybot_has_on_a_host_is_named_where_our_key_is_new(tmp_path):
    """Regression: neither its key nor its releases were said; the first message of ours said "was target:"."""
    stubs = f"""at={tmp_path} dir={tmp_path}/app user=deploy; mkdir -p "$dir"
getent() {{ echo "x:x:1:1::$at:/bin/bash"; }}; runuser() {{ while [[ $1 != -- ]]; do shift; done; shift; "$@"; }}
. {DEPLOY}/setup/prepare-host.sh; key='ssh-ed25519 {{}}'; prepare_key"""

    def prepare(key):
        return subprocess.run(["bash", "-c", stubs.replace("{}", key)], check=True, capture_output=True, text=True,
                              timeout=60).stdout.splitlines()
    assert prepare("ours") == ["done: the key of deploybot"]
    assert prepare("ours") == ["kept: the key of deploybot"]
    (tmp_path / "app/.deploybot.releases").touch()
    assert prepare("ours") == ["kept: the key of deploybot"]
    another, releases, done = prepare("fresh")
    assert another.startswith(f"note: {tmp_path}/.ssh/authorized_keys has another key of a deploybot: "), another
    assert releases.startswith(f"note: {tmp_path}/app has releases of another deploybot, or of an earlier "), releases
    assert done == "done: the key of deploybot"


@pytest.mark.long
def test_a_host_that_lets_nobody_in_gets_a_block_to_paste(bench):
    """As sudo there asks for a password that nobody types."""
    (bench.home / "no-sudo").touch()
    status, said = bench.setup("--answers", bench.answers())
    assert status == 69 and "does not let" in said.splitlines()[-1] and bench.files() == {}, said
    block = said[said.index(BLOCK_BEGINS):said.rindex("\nDEPLOYBOT\n") + len("\nDEPLOYBOT\n")]
    path = {"PATH": (bench.stand / "host.path").read_text(), "STAND": str(bench.host("h2")), "PASTED": "yes"}
    (bench.host_bin / "sudo").unlink()     # at the console, as root
    pasted = subprocess.run(["bash", "-c", block], env=path, capture_output=True, text=True, timeout=60, check=False)
    assert pasted.returncode == 0 and pasted.stdout.endswith("prepared\n"), pasted
    status, said = bench.setup("--answers", bench.answers(SETUP_LOGIN=""))
    assert status == 0 and "lets" in said, said


@pytest.mark.long
def test_hosts_of_a_private_network_are_prepared_through_another_one(bench):
    bench.through_jump()
    jump = f"{getpass.getuser()}@127.0.0.1:{bench.jump_port}"
    prints = f"{bench.fingerprint(bench.jump)},{bench.fingerprint()}"
    status, said = bench.setup("--answers", bench.answers(SSH_JUMP=jump, SETUP_HOST_KEYS=bench.fingerprint()))
    assert status == 78 and f"{bench.fingerprint(bench.jump)} is not among them" in said and bench.files() == {}, said
    assert bench.jump.connections() == 0
    status, said = bench.setup("--answers", bench.answers(SSH_JUMP=jump, SETUP_HOST_KEYS=prints))
    assert status == 0 and "all is there" in said, said
    settings = bench.settings()
    assert settings["SSH_JUMP"] == jump and settings["STAGING_SMOKE_URL"] == "http://127.0.0.1:8080/health"
    assert "STAGING_HEALTH_URL" not in settings
    known = (bench.folder / "secrets/runner/known_hosts").read_text()
    assert f"[127.0.0.1]:{bench.jump_port} " in known and f"[127.0.0.1]:{bench.port_2} " in known
    keys = (bench.home / ".ssh/authorized_keys").read_text().splitlines()
    assert len(keys) == 2 and keys[1].startswith("restrict,port-forwarding ssh-ed25519 ")


def test_who_sits_there_is_asked_through_which_host_one_that_is_not_reached_is(bench):
    """Where nobody sits there it is as it was; to neither has a byte gone by then."""
    bench.know_admin()
    jump = f"ops@127.0.0.1:{bench.jump_port}"
    lines = bench.lines()
    host = lines.index(f"127.0.0.1:{bench.port_2}")
    typed = [*lines[:host], "127.0.0.1:1", "-", "ops@h1;id", jump]
    status, said = bench.type_lines(typed)
    assert status == 64 and "127.0.0.1 is not reached from here: through which host?" in said, said
    refused = said[said.index("through which host?"):said.index("\nSETUP_HEALTH  ")]
    assert "\nwarning: SSH_JUMP: " in refused and " line " not in refused, said
    assert f"SSH_JUMP='{jump}'\n" in (bench.folder / "setup/answers").read_text()
    assert bench.jump.connections() == bench.sshd.connections() == 0


PREPARED = f"""set -euo pipefail; . {DEPLOY}/common.sh; . {DEPLOY}/setup/ask.sh; . {DEPLOY}/setup/hosts.sh
draft=$1 login=$2 lets_in=$3 answers=file untouched='' deploy_user=deploy key=k known=k public_key=k health=8080/health
prepare_through() {{ echo "as $login"; [[ $login == root ]] && mkdir -p -- "$draft/srv"; }}
ssh_to() {{ [[ $lets_in == yes ]] || return 255; bash -c "${{@: -1}}"; }}
print_block() {{ echo "the block"; }}
[[ $4 == no ]] || mkdir -p "$1/srv"
prepare h1 22 "$1/srv"
"""


@pytest.mark.parametrize("login, lets_in, has_folder, status, words", [
    ("root", "yes", "no", 0, "as root\n"), ("root", "no", "no", 69, "does not let deploy in with deploybot's key"),
    ("gone", "yes", "yes", 0, "h1: it lets deploy in already"), ("gone", "yes", "no", 69, "h1 has no folder"),
    ("", "yes", "yes", 0, "h1: it lets deploy in already"), ("", "yes", "no", 69, "h1 has no folder"),
    ("", "no", "yes", 69, "does not let deploy in with deploybot's key")])
def test_a_host_is_ready_where_deploybots_key_opens_it_and_the_folder_is_there(
        tmp_path, login, lets_in, has_folder, status, words):
    """Regression: whose login is not let in any more was asked for it though all was there; and with none a host
    without the folder passed, until doctor."""
    done = subprocess.run(["bash", "-c", PREPARED, "x", tmp_path, login, lets_in, has_folder], check=False, timeout=60,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == status and words in done.stdout, done.stdout
    assert ("the block" in done.stdout) == (status != 0), done.stdout


# ---- its key -------------------------------------------------------------------------------------

def test_a_host_that_shows_another_key_than_before_is_no_question(bench):
    place = f"[127.0.0.1]:{bench.port_2}"
    secrets = bench.folder / "secrets/runner"
    secrets.mkdir(parents=True)
    another = bench.key.with_name("key.pub").read_text().split()[:2]
    (secrets / "known_hosts").write_text(f"{place} {' '.join(another)}\n")
    before = bench.files()
    status, said = bench.setup("--answers", bench.answers())
    assert status == 70 and f"anew: ssh-keygen -R '{place}' -f {secrets}/known_hosts, and begin again." in said, said
    assert bench.sshd.connections() == 0 and bench.files() == before


@pytest.mark.parametrize("confirmed, words", [
    ("known_hosts", "anew: sudo -u runner ssh-keygen -R 'h1' -f {}/known_hosts, and begin again."),
    ("confirmed", "another key than was confirmed before: is somebody in between? "
     "If the host was made anew: begin again with --anew.")])
def test_a_key_that_has_changed_is_taken_out_by_who_reads_the_file(tmp_path, confirmed, words):
    """Regression: typed with sudo, ssh-keygen -R left a file that the runner could not read; at first there is none."""
    public = {}
    for name in ("old", "new"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        public[name] = " ".join((tmp_path / f"{name}.pub").read_text().split()[:2])
    for name in (confirmed, "known"):
        (tmp_path / name).write_text(f"h1 {public['old']}\n")
    script = f""". {DEPLOY}/common.sh; . {DEPLOY}/setup/hosts.sh; new=$2 draft=$1 jump='' untouched=''
known_final=$1/known_hosts known=$1/known runner_user=runner; scan_key() {{ echo "h1 $new"; }}; look_at_key h1 22"""
    done = subprocess.run(["bash", "-c", script, "setup", tmp_path, public["new"]], text=True, check=False,
                          capture_output=True, timeout=60)
    assert done.returncode == 70 and words.format(tmp_path) in done.stderr, done.stderr
    assert ("ssh-keygen" in done.stderr) == (confirmed == "known_hosts"), done.stderr


# ---- our key -------------------------------------------------------------------------------------

WAYS_IN = f"""set -euo pipefail; shopt -s extglob; . {DEPLOY}/common.sh
for part in ask questions health settings hosts; do . {DEPLOY}/setup/$part.sh; done
draft=$1 conf=$1/main target=$1/main conf_there=$1/main application='' answers='' untouched='' runner_user=me
key_final=$1/shared known=$1/known by_ssh=(staging production qa) health=8080/health
look_at_candidate() {{ :; }}
if [[ -e $1/web.env ]]; then target=$1/web.env conf_there=$1/web.env application=web; fi
find_key
for one in staging production; do
    find_way_in $one
    echo "$one: $deploy_user ${{key#"$1/"}} ${{public_key##* }} $through"
done
confirm_keys() {{ echo "asked at once: $deploy_user ${{key##*/}} ${{1:-direct}}: ${{hosts[*]}}"; }}
confirm_keys_of_all
for one in staging production; do set_health "$one"; done >/dev/null
echo "health: ${{want[STAGING_SMOKE_URL]-}} ${{want[PRODUCTION_SMOKE_URL]-}}"
"""
HOSTS_OF_THREE = "STAGING_HOST=h1\nPRODUCTION_HOST=h2,h3\nQA_HOST=h4\n"


@pytest.fixture(name="ways_in")
def make_ways_in(tmp_path):
    """Calls with settings; what is said then, by its first words, and the keys' public halves by name."""
    public = {}
    for name in ("shared", "staging_key", "production_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / name], check=True)
        public[name] = (tmp_path / f"{name}.pub").read_text().split()[1]

    def call(**files):
        for name, text in files.items():
            (tmp_path / {"app": "web.env"}.get(name, name)).write_text(text.replace("%", f"{tmp_path}/"))
        done = subprocess.run(["bash", "-c", WAYS_IN, "deploybot-setup", tmp_path], check=False, timeout=60, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout, public
    return call


OWN_KEYS = "STAGING_SSH_KEY_PATH=%staging_key\nPRODUCTION_SSH_KEY_PATH=%production_key\n"


@pytest.mark.parametrize("files, staging, production", [
    ({"main": HOSTS_OF_THREE}, "deploy shared ", "deploy shared "),
    ({"main": HOSTS_OF_THREE + OWN_KEYS}, "deploy staging_key ", "deploy production_key "),
    ({"main": HOSTS_OF_THREE + OWN_KEYS + "SSH_KEY_PATH=%shared\nPRODUCTION_DEPLOY_USER=ops\n"},
     "deploy staging_key ", "ops production_key "),
    ({"main": OWN_KEYS + "PRODUCTION_DEPLOY_USER=ops\n",
      "app": HOSTS_OF_THREE + "SSH_KEY_PATH=%shared\nDEPLOY_USER=web\n"}, "web shared ", "web shared "),
    ({"main": OWN_KEYS, "app": HOSTS_OF_THREE}, "deploy staging_key ", "deploy production_key ")])
def test_a_host_gets_the_key_of_its_own_environment(ways_in, files, staging, production):
    """Regression: each host got the one that SSH_KEY_PATH names, and staging's opened production."""
    status, said, public = ways_in(**files)
    assert status == 0, said
    for line, words in (("staging", staging), ("production", production)):
        assert f"{line}: {words}{public[words.split()[1]]} \n" in said, said
    assert "asked at once: deploy shared direct: h1 h2 h3 h4\n" in said or "asked at once" in said, said


def test_each_environment_is_asked_about_by_its_own_way(ways_in):
    """A key that goes through a jump host is needed there; who has no jump host gets a health URL."""
    own = "PRODUCTION_SSH_JUMP=ops@gate\nPRODUCTION_DEPLOY_USER=x\n"
    status, said, public = ways_in(main=HOSTS_OF_THREE + OWN_KEYS + own)
    assert status == 0 and f"production: x production_key {public['production_key']} ops@gate\n" in said, said
    assert said.count("asked at once") == 2 and "x production_key ops@gate: h2 h3\n" in said, said
    assert "staging_key direct: h1 h4\nasked" in said and "health:  http://127.0.0.1:8080/health\n" in said, said
    status, said, _ = ways_in(main=HOSTS_OF_THREE + OWN_KEYS + "SSH_JUMP=ops@gate\n")
    assert [line.split(" ", 3)[3] for line in said.splitlines() if "asked" in line] == [
        "deploy staging_key ops@gate: h1", "deploy production_key ops@gate: h2 h3", "deploy shared ops@gate: h4"], said


def test_a_key_that_is_named_and_not_there_is_no_reason_to_take_another_one(ways_in):
    status, said, _ = ways_in(main=HOSTS_OF_THREE + "PRODUCTION_SSH_KEY_PATH=%none\n")
    assert status == 78 and "PRODUCTION_SSH_KEY_PATH: the key of production, " in said, said
    assert "\nproduction: " not in said and "ssh-keygen -q -t ed25519" in said.splitlines()[-1], said


# ---- one more ------------------------------------------------------------------------------------

FOLDER = f"""dir=$1/app user=deploy port=8081 inside=8080 addresses=$2
install() {{ mkdir -p "$dir"; }}; runuser() {{ while [[ $1 != -- ]]; do shift; done; shift; "$@"; }}
hostname() {{ echo "10.0.0.5 fd00::7 172.17.0.1"; }}
. {DEPLOY}/setup/prepare-host.sh; prepare_folder"""


@pytest.mark.parametrize("addresses, own", [
    ("192.0.2.9 10.0.0.5", "10.0.0.5"), ("fd00::7", "[fd00::7]"), ("127.0.0.1", "127.0.0.1"), ("192.0.2.9", ""),
    ("", "")])
def test_the_compose_file_leads_to_the_containers_port_and_who_reaches_it_is_said(tmp_path, addresses, own):
    """Regression: "8081:8081", where nothing listens in the container; that docker passes ufw by was said nowhere."""
    words = ["bash", "-c", FOLDER, "x", tmp_path, addresses]
    done = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()
    file = tmp_path / "app/docker-compose.yml"
    assert '\n    ports:\n      - "8081:8080"\n' in file.read_text("utf-8")
    assert f"done: wrote {file}: port 8081 of this host leads to port 8080 of the container" in done, done
    assert sum("reaches port 8081 now, in clear text and past ufw" in line for line in done) == 1, done
    typed = [line.partition(": sed ")[2] for line in done if ": sed " in line]
    assert len(typed) == (1 if own else 0), done
    if own:
        subprocess.run(["sh", "-c", f"sed {typed[0]}"], check=True, timeout=60)
        assert f'\n    ports:\n      - "{own}:8081:8080"\n' in file.read_text("utf-8")
    assert subprocess.run(words, check=True, capture_output=True, text=True, timeout=60).stdout == f"kept: {file}\n"


@pytest.mark.parametrize("text, inside", [
    ('services:\n  app:\n    ports:\n      - "8081:8080"\n', "8080"), ("ports:\n- 10.0.0.5:81:3000/tcp\n", "3000"),
    ("    ports: ['8081:80']\n", ""), ('- "[fd00::7]:8081:9000"\n', "9000"), ("- ./a:/b\n- TIME=12:30\n", ""),
    ("", "")])
def test_another_host_gets_the_containers_port_that_the_first_one_publishes(tmp_path, text, inside):
    (tmp_path / "docker-compose.yml").write_text(text)
    script = f""". {DEPLOY}/setup/hosts.sh; inside= deploy_user=deploy key=k; ssh_to() {{ bash -c "${{@: -1}}"; }}
learn_inside h1 22 "$1"; echo "$inside"; inside=7; learn_inside h1 22 "$1"; echo "$inside" """
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script, "x", tmp_path], check=True, capture_output=True,
                          text=True, timeout=60)
    assert done.stdout == f"{inside}\n7\n", done


@pytest.mark.long
def test_one_more_application_and_one_more_host(bench):
    status, said = bench.setup("--answers", bench.answers())
    assert status == 0, said
    web = {"SETUP_FIRST_NAME": "shop", "ADMIN_TELEGRAM_IDS": None, "TELEGRAM_BOT_TOKEN": None, "IMAGE_SOURCE": None,
           "TELEGRAM_API_BASE": None, "REGISTRY_URL": None, "REGISTRY_IMAGE": "team/web", "REGISTRY_USER": None,
           "DEPLOY_USER": None, "API_SERVER_PORT": None}
    before = bench.files()
    status, said = bench.setup("--answers", bench.answers(**web), "app", "web")     # to the folder of the first one
    assert status == 78 and bench.files() == before, said
    (bench.path / "web").mkdir()
    (bench.path / "web/docker-compose.yml").write_text((bench.app / "docker-compose.yml").read_text())
    web["STAGING_COMPOSE_DIR"] = str(bench.path / "web")
    status, said = bench.setup("--answers", bench.answers(**web), "app", "web")
    assert status == 0 and "/deploy web/staging" in said, said
    assert bench.settings(bench.folder / "apps/web.env")["STAGING_HEALTH_URL"] == "http://127.0.0.1:8081/health", said
    apps = bench.folder / "apps"
    assert sorted(path.name for path in apps.iterdir()) == ["shop.env", "web.env"]
    assert "STAGING_HOST" not in bench.settings() and bench.settings(apps / "shop.env")["STAGING_HOST"]
    assert bench.settings(apps / "web.env")["REGISTRY_IMAGE"] == "team/web"
    more = bench.path / "more"
    more.write_text(f"SETUP_HOST=[::1]:{bench.port}\nSETUP_LOGIN={getpass.getuser()}\n"
                    f"SETUP_HOST_KEYS={bench.fingerprint()}\n")
    more.chmod(0o600)
    status, said = bench.setup("--answers", more, "host", "web/staging")
    assert status == 0 and "all is there" in said, said
    settings = bench.settings(apps / "web.env")
    assert settings["STAGING_HOST"] == f"127.0.0.1:{bench.port_2},[::1]:{bench.port}"
    assert settings["STAGING_HEALTH_URL"] == "http://127.0.0.1:8081/health,http://[::1]:8081/health"


def test_the_host_that_was_typed_for_staging_is_not_productions(taken):
    """Regression: all environments had one draft, and production got what an interrupted try had for staging."""
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text}PRODUCTION_HOST=localhost:{taken.port_2}\n"
                          "PRODUCTION_HEALTH_URL=http://localhost:8081/health\n")
    before, typed = taken.files(), f"[::1]:{taken.port}"
    status, said = taken.type_lines([typed], "host", "staging")
    assert status == 64 and "\nSETUP_LOGIN  " in said, said
    status, said = taken.type_lines([], "host", "production")
    assert status == 64 and "\nSETUP_HOST  Which host does production get?" in said and typed not in said, said
    status, said = taken.type_lines([], "host", "staging")
    assert status == 64 and f"SETUP_HOST: {typed}, as answered before" in said and taken.files() == before, said


@pytest.mark.parametrize("port, is_free", [("8080", False), ("8081", True)])
def test_a_host_whose_port_is_taken_is_no_new_one(taken, port, is_free):
    """Regression: it was written, then doctor said that no release can go there; another's answer was its health."""
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text}PRODUCTION_HOST=localhost:{taken.port_2}\n"
                          f"PRODUCTION_HEALTH_URL=http://[::1]:{port}/up\n")
    before = taken.files()
    status, said = taken.type_lines([f"[::1]:{taken.port}"], "host", "staging")
    assert status == (64 if is_free else 78) and ("[::1]:8080 is production's already" in said) != is_free, said
    assert ("\nSETUP_LOGIN  " in said) == is_free and taken.files() == before, said
    if not is_free:
        assert "was answered before, and did not work" in taken.type_lines([], "host", "staging")[1]


FREE = f"""set -euo pipefail; . {DEPLOY}/common.sh; . {DEPLOY}/setup/ask.sh; . {DEPLOY}/setup/settings.sh
. {DEPLOY}/setup/questions.sh; . {DEPLOY}/setup/health.sh; hostname() {{ echo 10.0.0.5; }}; hosts=(10.0.0.5)
conf=$1/main folder=$1 target=$1/apps/web.env conf_there=$target application=web untouched='' answers=''
need_free_port "http://10.0.0.5:$2/" STAGING_HEALTH_URL; echo free"""


@pytest.mark.parametrize("port, words", [
    ("8080", "port 8080 is deploybot's own"), ("81", "is shop/eu-west's already"),
    ("82", "is web/production's already"), ("83", "free\n")])
def test_a_port_may_be_deploybots_another_applications_or_another_environments(tmp_path, port, words):
    (tmp_path / "apps").mkdir()
    (tmp_path / "main").touch()
    (tmp_path / "apps/shop.env").write_text("EU_WEST_HEALTH_URL=http://h1:83/,http://10.0.0.5:81/a\n")
    (tmp_path / "apps/web.env").write_text("STAGING_HEALTH_URL=http://10.0.0.5:83/\n"
                                           "PRODUCTION_HEALTH_URL=https://10.0.0.5:82/\n")
    done = subprocess.run(["bash", "-c", FREE, "setup", tmp_path, port], check=False, timeout=60, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert words in done.stdout and done.returncode == (0 if port == "83" else 78), done.stdout


@pytest.mark.long
def test_a_new_host_of_production_lets_in_productions_own_key_and_not_stagings(taken):
    """Regression: it let in the one of SSH_KEY_PATH."""
    public = {}
    for name in ("staging_key", "production_key"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", taken.path / name], check=True)
        public[name] = (taken.path / f"{name}.pub").read_text().split()[1]
    with open(taken.sshd.path / "authorized", "a", encoding="utf-8") as authorized:     # on the first host
        authorized.write(f"ssh-ed25519 {public['production_key']}\n")
    text = taken.conf.read_text("utf-8").replace("ENVIRONMENTS=staging\n", "ENVIRONMENTS=staging,production\n")
    taken.conf.write_text(f"{text.replace(str(taken.key), str(taken.path / 'staging_key'))}"
                          f"PRODUCTION_HOST=127.0.0.1:{taken.port_2}\nPRODUCTION_COMPOSE_DIR={taken.path}/production\n"
                          f"PRODUCTION_HEALTH_URL=http://127.0.0.1:8081/health\n"
                          f"PRODUCTION_SSH_KEY_PATH={taken.path / 'production_key'}\n")
    answers = taken.path / "answers"
    answers.write_text(f"SETUP_HOST=[::1]:{taken.port}\nSETUP_LOGIN={getpass.getuser()}\n"
                       f"SETUP_HOST_KEYS={taken.fingerprint()}\n")
    answers.chmod(0o600)
    _, said = taken.setup("--answers", answers, "host", "production")
    assert "\nwritten: " in said and taken.settings()["PRODUCTION_HOST"].endswith(f",[::1]:{taken.port}"), said
    keys = (taken.home / ".ssh/authorized_keys").read_text()
    assert public["production_key"] in keys and public["staging_key"] not in keys, keys
