"""Goal: what deploybot-setup makes of an nginx, a Prometheus and an Alertmanager works, and takes nothing from what was
there: the parts of deploy/setup one by one, with real programs, beside the whole in test_setup.py."""
# SPDX-License-Identifier: ISC
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from commands_aid import DEPLOY
from monitoring_aid import SHIPPED, tool
from namespace_aid import MOUNTS, need
from runner_client import PROGRAM
from stage import ROOT
from tls_aid import make_certificate

DEBIANS = '# Set the command-line arguments to pass to the server.\nARGS=""\n'
NGINX = pathlib.Path(ROOT, "nginx")
SOURCED = f"""set -euo pipefail; umask 077; here={DEPLOY}; . {DEPLOY}/common.sh
for part in ask questions settings around start alerts; do . {DEPLOY}/setup/$part.sh; done
"""


def call(script, *words, path=None):
    """(status, what it said) of a script behind the parts of setup."""
    env = {"PATH": path or "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}
    done = subprocess.run(["bash", "-c", SOURCED + script, "deploybot-setup", *map(str, words)], env=env, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                          check=False)
    return done.returncode, done.stdout


# ---- nginx -----------------------------------------------------------------------------------------

DEBIANS_OWN = 'is_untouched() { [[ $(<"$1") == debian ]]; }; sites_of_others "$1/nginx" "$1/html"'


@pytest.mark.parametrize("files, found", [
    ({}, ""), ({"html/index.nginx-debian.html": ""}, ""), ({"nginx/conf.d/README": ""}, ""),
    ({"nginx/sites-enabled/shop": ""}, "nginx/sites-enabled/shop "),
    ({"nginx/conf.d/shop.conf": ""}, "nginx/conf.d/shop.conf "),
    ({"html/index.html": "our site"}, "html/index.html "),
    ({"nginx/sites-available/default": "ours"}, "nginx/sites-enabled/default ")])
def test_a_site_that_nginx_serves_is_seen_and_debians_own_page_is_none(tmp_path, files, found):
    for folder in ("nginx/conf.d", "nginx/sites-available", "nginx/sites-enabled", "html"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "nginx/sites-enabled/default").symlink_to(tmp_path / "nginx/sites-available/default")
    for name, text in {"nginx/sites-available/default": "debian", **files}.items():
        (tmp_path / name).write_text(text)
    assert call(DEBIANS_OWN, tmp_path) == (0, found and f"{tmp_path}/{found}")


# In an /etc of its own; nginx itself says whether it takes the configuration.
OWN_ETC = """PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc &&
mount -t tmpfs none /var/www && mount -t tmpfs none /run && mount -t tmpfs none /var/log/nginx || exit 77
live=/etc/letsencrypt/live/bot.example.org; mkdir -p "$live" && cp "$1/tls/cert.pem" "$live/fullchain.pem" &&
cp "$1/tls/key.pem" "$live/privkey.pem"
look() { "$@" 2>&1; echo "status $?"; md5sum </etc/nginx/nginx.conf; ls /etc/nginx; }
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an /etc of its own")
def test_nginx_is_taken_only_where_nobody_else_uses_it_and_what_it_had_is_kept(tmp_path):
    """Regression: at a second name our own configuration was "your own"."""
    need(*MOUNTS)
    tool("nginx")
    make_certificate(tmp_path / "tls", int(time.time()) + 86400)
    (tmp_path / "draft").mkdir()
    (tmp_path / "conf").write_text("API_SERVER_PORT=9091\n")
    door = f"""{SOURCED}
systemctl() {{ echo "systemctl $*"; }}
untouched='nothing here was changed' draft=$1/draft conf_there=$1/conf
open_door bot.example.org; call() {{ said=000; }}; look_at_door bot.example.org"""
    # First with a site of somebody's, then without.
    script = OWN_ETC + """echo "server { listen 81; server_name shop.example.org; }" >/etc/nginx/conf.d/shop.conf
look bash -c "$2" deploybot-setup "$1"; rm /etc/nginx/conf.d/shop.conf; echo ----
look bash -c "$2" deploybot-setup "$1"
grep -E '^\\s+server [0-9]' /etc/nginx/nginx.conf
cmp /etc/nginx/nginx.conf.before-deploybot "$1/before" && echo kept; echo ----
cp -r "$live" "${live%/*}/new.example.org"; look bash -c "${2//bot.example/new.example}" deploybot-setup "$1"
grep -c 'server_name new.example.org;' /etc/nginx/nginx.conf; sed -i 's/30s/31s/' /etc/nginx/nginx.conf
cp -r "$live" "${live%/*}/own.example.org"; look bash -c "${2//bot.example/own.example}" deploybot-setup "$1"
"""
    before = pathlib.Path("/etc/nginx/nginx.conf").read_bytes()
    (tmp_path / "before").write_bytes(before)
    done = subprocess.run([*MOUNTS, "bash", "-c", script, "bash", tmp_path, door], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    shutil.rmtree(tmp_path / "etc")
    first, second, other = done.stdout.split("----\n")
    other, _, edited = other.partition("\n2\n")
    assert "nginx.conf is from the example now" in other and "your own" not in other, other
    assert "/etc/nginx/nginx.conf is your own: add own.example.org to it" in edited, edited
    assert "other sites, which our configuration does not read: /etc/nginx/conf.d/shop.conf." in first, first
    assert "status 78" in first and "nothing here was changed" in first, first
    assert hashlib.md5(before).hexdigest() in first, first
    assert "systemctl restart nginx" in second and "kept" in second and "status 69" in second, second
    assert "nginx.conf.before-deploybot is what it had" in second and "nothing here was changed" not in second, second
    assert "server 127.0.0.1:9091;" in second and "server 127.0.0.1:8080;" not in second, second


@pytest.mark.parametrize("address", ["127.0.0.1:8080", "[::1]:9091", "unix:/run/deploybot/http.sock"])
def test_an_nginx_conf_of_ours_is_known_by_what_nobody_but_us_has_changed(tmp_path, address):
    examples = shutil.copytree(NGINX, tmp_path / "examples")
    now = (examples / "nginx.conf").read_text("utf-8")
    asked = 'examples=$1/examples; is_nginx_shipped "$1/made"'
    script = f'examples=$1/examples; print_nginx bot.example.org "$2" >"$1/made"; {asked}'
    assert call(script, tmp_path, address) == (0, "")
    made = (tmp_path / "made").read_text("utf-8")
    assert f"server {address};" in made and "deploybot.example.com" not in made
    (examples / "nginx.conf").write_text(now + "# newer\n", encoding="utf-8")
    assert call(asked, tmp_path)[0] == 1
    (examples / "shipped").write_text(f"{hashlib.sha256(now.encode()).hexdigest()}  nginx.conf\n", encoding="ascii")
    assert call(asked, tmp_path)[0] == 0
    (tmp_path / "made").write_text(made.replace("keepalive_timeout 30s", "keepalive_timeout 31s"), encoding="utf-8")
    assert call(asked, tmp_path)[0] == 1


RENEWS = """
systemctl() { echo "systemctl $*"; }
find_examples() { examples=$where/examples; }
untouched='nothing here was changed' where=$1 draft=$1/draft conf_there=$1/conf starts=$2
open_door bot.example.org; renew_through_nginx bot.example.org"""
# As certbot has it: what it was told is in that file where it has succeeded.
CERTBOT = """#!/bin/bash
echo "certbot $*"; umask; [[ ! -e $CERTBOT_FAILS ]] || { echo "Some challenges have failed." >&2; exit 1; }
sed -i 's/^authenticator = .*/authenticator = webroot/' /etc/letsencrypt/renewal/bot.example.org.conf
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an /etc of its own")
def test_what_is_typed_again_renews_nginx_and_the_certificate_is_renewed_through_it(tmp_path):
    """Regression: nginx.conf stayed as an older version had it, and certbot went on to want port 80 for itself."""
    need(*MOUNTS)
    tool("nginx")
    make_certificate(tmp_path / "tls", int(time.time()) + 86400)
    examples = shutil.copytree(NGINX, tmp_path / "examples")
    older = (examples / "nginx.conf").read_bytes()
    with open(examples / "shipped", "a", encoding="ascii") as shipped:
        shipped.write(f"{hashlib.sha256(older).hexdigest()}  nginx.conf\n")
    (tmp_path / "draft").mkdir()
    (tmp_path / "conf").touch()
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/certbot").write_text(CERTBOT.replace("$CERTBOT_FAILS", f"{tmp_path}/fails"))
    (tmp_path / "bin/certbot").chmod(0o755)
    script = OWN_ETC + """PATH=$1/bin:$PATH; mkdir -p /etc/letsencrypt/renewal
renewal=/etc/letsencrypt/renewal/bot.example.org.conf; echo "authenticator = standalone" >"$renewal"
door() { bash -c "$2" deploybot-setup "$1" "${@:3}" 2>&1; echo "status $?"; echo ----; }
door "$1" "$2" no
touch "$1/fails"; door "$1" "$2" yes; rm "$1/fails"
echo "# newer" >>"$1/examples/nginx.conf"; door "$1" "$2" yes
cat "$renewal"; sed s/deploybot.example.com/bot.example.org/ "$1/older" |
	cmp /etc/nginx/nginx.conf.before-deploybot - && echo kept
tail -n 1 /etc/nginx/nginx.conf; door "$1" "$2" yes
sed -i 's/keepalive_timeout 30s/keepalive_timeout 31s/' /etc/nginx/nginx.conf; door "$1" "$2" yes; ls /etc/nginx
"""
    (tmp_path / "older").write_bytes(older)
    done = subprocess.run([*MOUNTS, "bash", "-c", script, "bash", tmp_path, SOURCED + RENEWS], stdin=subprocess.DEVNULL,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    shutil.rmtree(tmp_path / "etc")
    first, failed, renewed, again, edited, files = done.stdout.split("----\n")
    typed = "  certbot renew --cert-name bot.example.org --force-renewal --webroot --webroot-path /var/www/letsencrypt "
    assert "systemctl restart nginx" in first and "status 0" in first, first
    assert "will NOT be renewed" in first and first.splitlines()[-2].startswith(typed), first
    assert "is in its configuration already" in failed and "Some challenges have failed." in failed, failed
    assert "will NOT be renewed" in failed and failed.splitlines()[-2].startswith(typed), failed
    assert "is from the example of this version now" in renewed and "systemctl reload nginx" in renewed, renewed
    assert "NOT be renewed" not in renewed and "renewed through nginx from now on" in renewed, renewed
    assert again.startswith("authenticator = webroot\nkept\n# newer\n"), again
    assert "is in its configuration already" in again and "certbot" not in again, again
    assert "was edited or is your own, and stays as it is\n  what this version has: diff -u " in edited, edited
    assert f"diff -u /etc/nginx/nginx.conf {examples}/nginx.conf\n" in edited, edited
    assert "nginx.conf.before-deploybot.~1~" in files and "systemctl" not in edited, files


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an /etc of its own")
def test_a_certificate_that_certbot_makes_room_for_stays_as_it_is(tmp_path):
    """Regression: it was renewed anew through nginx, or said not to be renewed at all."""
    need(*MOUNTS)
    script = """cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc || exit 77
mkdir -p /etc/letsencrypt/renewal /etc/letsencrypt/renewal-hooks/pre
judge() {
	printf 'authenticator = standalone\\n%s\\n' "$1" >/etc/letsencrypt/renewal/a.conf
	if bash -c "$judged" setup; then echo yes; else echo no; fi
}
judged=$2; judge; judge 'http01_port = 80'; judge '# pre_hook = a'
judge 'http01_port = 8888'; judge 'pre_hook = systemctl stop nginx'; touch /etc/letsencrypt/renewal-hooks/pre/a; judge
"""
    done = subprocess.run([*MOUNTS, "bash", "-c", script, "bash", tmp_path, SOURCED + "renews_standalone a"],
                          stdin=subprocess.DEVNULL, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, check=False)
    shutil.rmtree(tmp_path / "etc", ignore_errors=True)
    assert done.stdout.split() == ["yes"] * 3 + ["no"] * 3, done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an /etc and a port 80 of its own")
def test_doctor_says_that_certbot_cannot_renew_while_nginx_has_its_port(tmp_path):
    need(*MOUNTS, "--net")
    (tmp_path / "conf").write_text(
        "TELEGRAM_WEBHOOK_URL=https://bot.example.org:8443/telegram/webhook\nTELEGRAM_API_BASE=http://127.0.0.1:9\n"
        "TELEGRAM_BOT_TOKEN=7000000002:AAF-deploybots_own_bot_0123456789\nADMIN_TELEGRAM_IDS=1\n"
        f"TELEGRAM_WEBHOOK_SECRET={'d8' * 32}\nGITHUB_REPOSITORY=orchard/shop\nREGISTRY_URL=10.1.2.3\n"
        f"ENVIRONMENTS=staging\nSTAGING_HOST=h1\nSTATE_DIRECTORY={tmp_path}\nAUDIT_LOG_PATH={tmp_path}/audit.log\n")
    script = """cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc || exit 77
mkdir -p /etc/letsencrypt/renewal; ip link set lo up
doctor() { "$2" --env-file "$1/conf" doctor 2>&1; echo ----; }
echo "authenticator = standalone" >/etc/letsencrypt/renewal/bot.example.org.conf
doctor "$@"
python3 -m http.server 80 --bind 0.0.0.0 >/dev/null 2>&1 & process=$!
until curl --silent --output /dev/null http://127.0.0.1/; do kill -0 "$process" || exit; done
doctor "$@"
mkdir -p /etc/letsencrypt/renewal-hooks/pre; touch /etc/letsencrypt/renewal-hooks/pre/nginx
doctor "$@"; rm /etc/letsencrypt/renewal-hooks/pre/nginx
echo "authenticator = webroot" >/etc/letsencrypt/renewal/bot.example.org.conf
doctor "$@"; kill "$process"
"""
    program = os.path.join(os.path.dirname(PROGRAM), "deploybot")
    done = subprocess.run([*MOUNTS, "--net", "bash", "-c", script, "bash", tmp_path, program], stdin=subprocess.DEVNULL,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    shutil.rmtree(tmp_path / "etc", ignore_errors=True)
    free, taken, hooked, through, _ = done.stdout.split("----\n")
    said = "certificate: certbot will not renew it: /etc/letsencrypt/renewal/bot.example.org.conf says standalone"
    assert said in taken and "deploybot-setup webhooks bot.example.org" in taken, done.stdout
    assert "Telegram" in free and said not in free + hooked + through, done.stdout


# What systemctl is called with, where it says that deploybot is as $2 says.
START = """cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc && mount -t tmpfs none /run &&
  mkdir -p /run/systemd/system || exit 77
play() {
	bash -c "$2" deploybot-setup "$1" "$3" 2>&1
	find /etc/systemd/system/deploybot.socket.d -type f -exec grep -h ^Listen {} +
	echo ----
}
touch "$1/conf"; play "$1" "$2" inactive; printf "$3" >"$1/conf"; play "$1" "$2" inactive; play "$1" "$2" active
printf "LISTEN_ADDRESS=::\n" >"$1/conf"; play "$1" "$2" active; rm "$1/conf"; touch "$1/conf"; play "$1" "$2" active
"""
PLAYED = """
systemctl() { [[ $1 != is-active ]] || { [[ $is == active ]]; return; }; echo "systemctl $*"; }
folder=/etc/deploybot FOLDER_INSTALLED=$folder conf_there=$1/conf is=$2 starts=yes changed=no application=; start"""
UNITS = "deploybot.socket deploybot-local.socket deploybot-runner.service deploybot.service"
ALL = f"{UNITS} deploybot-backup.timer deploybot-check.timer"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: an /etc and a /run of its own")
@pytest.mark.parametrize("settings, stream", [
    ("API_SERVER_PORT=9091\n", "127.0.0.1:9091"), ("LISTEN_ADDRESS=10.0.0.7\nAPI_SERVER_PORT=81\n", "10.0.0.7:81"),
    ("LISTEN_ADDRESS=0.0.0.0\n", "0.0.0.0:8080"), ("LISTEN_ADDRESS=/run/d.sock\n", "/run/d.sock")])
def test_the_socket_unit_listens_where_the_settings_say_and_backups_are_on_from_the_start(tmp_path, settings, stream):
    """Regression: a port of the settings was ignored in silence, and no backup was made before `alerts`; at another
    port systemd refused the socket, as the server ran, and both sockets were gone."""
    need(*MOUNTS)
    done = subprocess.run([*MOUNTS, "bash", "-c", START, "bash", tmp_path, SOURCED + PLAYED, settings], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=120,
                          check=False)
    shutil.rmtree(tmp_path / "etc", ignore_errors=True)
    begun, moved, again, other, back, _ = done.stdout.split("----\n")
    restarted = "systemctl daemon-reload\n\nrestarting deploybot, and its socket\n" \
        f"systemctl stop {UNITS}\nsystemctl start {UNITS}\n"
    assert begun == f"\nstarting deploybot\nsystemctl enable --now {ALL}\n", begun
    assert f"systemctl daemon-reload\n\nstarting deploybot\nsystemctl enable --now {ALL}\n" in moved, moved
    assert moved.endswith(f"\nListenStream=\nListenStream={stream}\n"), moved
    assert again == f"\ndeploybot runs already, with these settings\nListenStream=\nListenStream={stream}\n", again
    assert restarted in other and other.endswith("\nListenStream=[::]:8080\n"), other
    assert back == restarted, back


# Answers whoever asks; the folder is another user's.
SERVER = """import os, socket
os.mkdir("/run/deploybot"); os.chown("/run/deploybot", 65534, 65534)
with socket.socket(socket.AF_UNIX) as listening:
    listening.bind("/run/deploybot/new"); listening.listen()
    os.rename("/run/deploybot/new", "/run/deploybot/local.sock")
    while True:
        with listening.accept()[0] as asking:
            asking.recv(4096)
            asking.sendall(b"HTTP/1.1 403 No\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{}")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a /run of its own")
def test_doctor_as_root_finds_the_socket_of_the_server_that_runs(tmp_path):
    """Regression: "no socket", as the folder is the server's and not root's."""
    need(*MOUNTS)
    (tmp_path / "conf").write_text(
        "TELEGRAM_API_BASE=http://127.0.0.1:9\nTELEGRAM_BOT_TOKEN=7000000002:AAF-deploybots_own_bot_0123456789\n"
        "ADMIN_TELEGRAM_IDS=1\nGITHUB_REPOSITORY=orchard/shop\nREGISTRY_URL=10.1.2.3\n"
        f"ENVIRONMENTS=staging\nSTAGING_HOST=h1\nSTATE_DIRECTORY={tmp_path}\nAUDIT_LOG_PATH={tmp_path}/audit.log\n")
    (tmp_path / "server").write_text(SERVER)
    script = """mount -t tmpfs none /run || exit 77
doctor() { "$2" --env-file "$1/conf" doctor 2>&1 | grep -F 'command line: '; }
doctor "$@"; python3 "$1/server" & process=$!
until [[ -S /run/deploybot/local.sock ]]; do kill -0 "$process" || exit; done
doctor "$@"; kill "$process"; wait "$process"; doctor "$@"
"""
    program = os.path.join(os.path.dirname(PROGRAM), "deploybot")
    done = subprocess.run([*MOUNTS, "bash", "-c", script, "bash", tmp_path, program], stdin=subprocess.DEVNULL,
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, check=False)
    nowhere, runs, over = (line for line in done.stdout.splitlines() if "command line: " in line)
    assert nowhere.startswith("note ") and "no socket: LOCAL_SOCKET is not set" in nowhere, done.stdout
    assert runs.startswith("ok ") and runs.endswith("the server answers on /run/deploybot/local.sock"), done.stdout
    assert over.startswith("warning ") and "nobody listens" in over, done.stdout


# ---- what Debian's units start them with -----------------------------------------------------------

def keep(folder, own_prometheus="no"):
    return call('own_prometheus=$2; keep_to_this_machine "$1"', folder, own_prometheus)


@pytest.mark.parametrize("before, after", [
    (DEBIANS, '# Set the command-line arguments to pass to the server.\nARGS="{}"\n'), (None, 'ARGS="{}"\n'),
    ('ARGS="--a=b \\\n  --c"\n', 'ARGS="{} --a=b \\\n  --c"\n'), ("ARGS='--a \"b\"'\n", "ARGS='{} --a \"b\"'\n"),
    ("ARGS=--a --b\n", 'ARGS="{} --a --b"\n'), ("ARGS=\n", 'ARGS="{}"\n'),
    ('ARGS="--web.listen-address=:1"\nARGS="--a"\n', 'ARGS="--web.listen-address=:1"\nARGS="{} --a"\n'),
    ('#ARGS="--web.listen-address=:1"\nX=y', '#ARGS="--web.listen-address=:1"\nX=y\nARGS="{}"\n')])
def test_options_are_put_before_those_that_are_there_which_stay(tmp_path, before, after):
    file = tmp_path / "default"
    if before is not None:
        file.write_text(before)
        file.chmod(0o640)
    for _ in range(2):      # the second time it changes nothing
        status, said = call('set_arguments "$1" --cluster.listen-address= --web.listen-address=127.0.0.1:9', file)
        assert status == 0 and file.read_text() == after.format(
            "--cluster.listen-address= --web.listen-address=127.0.0.1:9"), said
    assert file.stat().st_mode & 0o777 == (0o644 if before is None else 0o640) and os.listdir(tmp_path) == ["default"]


def test_an_address_of_the_admins_own_stays_and_is_said_to_need_no_login(tmp_path):
    (tmp_path / "prometheus").write_text('ARGS="--web.listen-address=10.0.0.7:9090 --log.level=warn"\n')
    (tmp_path / "prometheus-alertmanager").write_text(DEBIANS)
    status, said = keep(tmp_path)
    assert status == 0 and "whoever reaches it needs no login" in said, said
    assert (tmp_path / "prometheus").read_text() == 'ARGS="--web.listen-address=10.0.0.7:9090 --log.level=warn"\n'
    assert 'ARGS="--cluster.listen-address= --web.listen-address=127.0.0.1:9093"\n' in \
        (tmp_path / "prometheus-alertmanager").read_text()
    (tmp_path / "prometheus").write_text(DEBIANS)
    status, said = keep(tmp_path)
    assert status == 0 and "login" not in said, said


def test_what_debian_recommends_beside_prometheus_is_named_where_everybody_reaches_it(tmp_path):
    exporter = tmp_path / "prometheus-node-exporter"
    assert "9100" not in keep(tmp_path)[1]
    exporter.write_text('ARGS=""\n')
    status, said = keep(tmp_path)
    assert status == 0 and "everybody at port 9100" in said and "apt-get purge" in said, said
    exporter.write_text('ARGS="--web.listen-address=127.0.0.1:9100"\n')
    status, said = keep(tmp_path)
    assert status == 0 and "9100" not in said, said
    exporter.write_text('ARGS="--web.listen-address=0.0.0.0:9100"\n')
    assert "everybody at port 9100" in keep(tmp_path)[1]
    texts = (pathlib.Path(ROOT, name).read_text("utf-8") for name in ("docs/INSTALLATION.md", "deploy/setup/alerts.sh"))
    text = "".join(texts)
    installed = re.findall(r"apt-get install [^\n;`]*prometheus[^\n;`]*", text)
    assert len(installed) == 4 and all("--no-install-recommends" in line for line in installed), installed


def test_a_prometheus_of_the_admins_own_is_left_to_whom_it_answers(tmp_path):
    for name in ("prometheus", "prometheus-alertmanager"):
        (tmp_path / name).write_text(DEBIANS)
    status, said = keep(tmp_path, "yes")
    assert status == 0 and (tmp_path / "prometheus").read_text() == DEBIANS and "9090 may be open" in said, said


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a network of its own")
def test_alertmanager_starts_on_a_machine_without_a_private_address_and_listens_on_loopback_alone(tmp_path):
    """With ARGS as Debian's it ends: what listens for others of its kind looks for an address to name itself by."""
    need("unshare", "--net")
    tool("prometheus-alertmanager")
    (tmp_path / "prometheus-alertmanager").write_text(DEBIANS)
    assert keep(tmp_path)[0] == 0
    (tmp_path / "am.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    script = """ip link set lo up; ip address add 5.9.8.7/32 dev lo; . "$1/prometheus-alertmanager"
prometheus-alertmanager --config.file="$1/am.yml" --storage.path="$1/data" $ARGS >"$1/log" 2>&1 & process=$!
until curl --silent --max-time 9 http://127.0.0.1:9093/-/ready; do kill -0 "$process" || exit; done; echo
ss -Hltun | awk '{ print $5 }'; kill "$process"; wait "$process" || true"""
    done = subprocess.run(["unshare", "--net", "bash", "-c", script, "bash", tmp_path], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.stdout.split() == ["OK", "127.0.0.1:9093"], done.stdout + done.stderr + (tmp_path / "log").read_text()


# ---- rules and configurations ----------------------------------------------------------------------

INSTALL = """runbooks=${runbooks-}; conf_there=$1/conf; values=$1/values draft=$1/draft
examples=$1/examples own_prometheus=no stayed=
mkdir -p "$values" "$draft" "$1/etc"
install_rules "$1/etc"; echo "own_prometheus=$own_prometheus"
"""


@pytest.fixture
def rules(tmp_path):
    """The package's files, as a first installation has put them in place."""
    shutil.copytree(SHIPPED, tmp_path / "examples")
    assert call(INSTALL, tmp_path) == (0, "own_prometheus=no\n")
    for name in ("alerts.yml", "prometheus.yml"):
        assert (tmp_path / "etc" / name).read_bytes() == (SHIPPED / name).read_bytes()
    return tmp_path


def upgrade(folder):
    """Another version of the package's."""
    for name in ("alerts.yml", "prometheus.yml"):
        path = folder / "examples" / name
        path.write_text(path.read_text("utf-8") + "# newer\n", encoding="utf-8")


@pytest.mark.parametrize("settings, address", [
    ("", "127.0.0.1:8080"), ("API_SERVER_PORT=9091\n", "127.0.0.1:9091"),
    ("LISTEN_ADDRESS=0.0.0.0\n", "127.0.0.1:8080"),
    ("LISTEN_ADDRESS=10.0.0.7\nAPI_SERVER_PORT=81\n", "10.0.0.7:81"), ("LISTEN_ADDRESS=::\n", "[::1]:8080"),
    ("LISTEN_ADDRESS=fd00::7\n", "[fd00::7]:8080"), ("LISTEN_ADDRESS=/run/d.sock\n", "unix:/run/d.sock")])
def test_nginx_and_prometheus_ask_where_the_server_listens(rules, settings, address):
    (rules / "conf").write_text(settings)
    assert call('conf_there=$1; own_address; echo "$said"', rules / "conf") == (0, address + "\n")
    status, said = call(INSTALL, rules)
    made = (rules / "etc/prometheus.yml").read_text("utf-8")
    asked = re.findall(r"job_name: deploybot\n.*\n +- targets: \[\"(.*)\"\]", made)
    assert status == 0 and asked == ["127.0.0.1:8080" if address.startswith("unix") else address]
    assert ("asks no socket in a file" in said) == address.startswith("unix"), said


RUNBOOKS = """untouched='nothing here was changed' draft=$1/draft values=$1/values
secret_file=/dev/null conf_there=$1/conf
check_alert_chat() { true; }; check_watchdog() { true; }
given=([ALERT_CHAT_ID]=-5 [ALERT_WATCHDOG_URL]=http://127.0.0.1/ring)
[[ -z ${2+said} ]] || given[ALERT_RUNBOOKS_URL]=$2
answers=$1/answers; ask_alerts "$1/etc"; """


def links(folder):
    return set(re.findall(r"(https?://\S+)/OPERATIONS\.md#", (folder / "etc/alerts.yml").read_text("utf-8")))


def test_where_the_links_of_alerts_lead_is_asked_once_and_nowhere_is_said(rules):
    """Regression: they led to a page that is nowhere, in each message at night."""
    nowhere = {"https://github.com/your-org/deploybot/blob/main/docs"}
    tell = 'examples=/usr/share/doc/deploybot/examples/monitoring; say_where_links_lead "$1/etc/alerts.yml"'
    words = ()
    for typed, lead in (("-", nowhere), ("", nowhere), ("https://git.example.org/ops/docs/OPERATIONS.md", None),
                        (None, None), ("https://git.example.org/ops/docs/", None), ("-", nowhere)):
        words = () if typed is None else (typed,)       # once answered it is the default
        assert call(RUNBOOKS + INSTALL, rules, *words) == (0, "own_prometheus=no\n"), typed
        assert links(rules) == (lead or {"https://git.example.org/ops/docs"}), typed
        status, said = call(tell, rules)
        assert (status, bool(said)) == (0, bool(lead)), said
        assert not lead or "stands in /usr/share/doc/deploybot/OPERATIONS.md, below the name of each" in said, said
    status, said = call(RUNBOOKS, rules, 'https://a"b')
    assert status == 78 and "ALERT_RUNBOOKS_URL: it is no http:// or https:// address" in said, said


def test_rules_that_nobody_has_edited_are_renewed(rules):
    upgrade(rules)
    assert call(INSTALL, rules) == (0, "own_prometheus=no\n")
    assert all((rules / "etc" / name).read_text("utf-8").endswith("# newer\n")
               for name in ("alerts.yml", "prometheus.yml"))


def test_rules_as_any_earlier_version_came_with_them_are_renewed_and_their_links_lead_where_they_did(rules):
    """Regression: what was set up by hand, or before anything was noted, counted as edited."""
    (rules / "values/installed").unlink()
    (rules / "conf").write_text("LISTEN_ADDRESS=10.0.0.7\n")
    lines = []
    for name, old, new in (("alerts.yml", "https://github.com/your-org/deploybot/blob/main", "https://g.example.org/x"),
                           ("prometheus.yml", "127.0.0.1:8080", "10.0.0.7:8080")):
        text = (SHIPPED / name).read_text("utf-8").replace("15s", "14s").replace("> 2400", "> 2300")
        lines.append(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n")
        text = "".join(line.replace(old, new, 1) for line in text.splitlines(True))
        (rules / "etc" / name).write_text(text, encoding="utf-8")
    (rules / "examples/shipped").write_text("".join(lines), encoding="ascii")
    for _ in range(2):
        found = call(f'find_runbooks "$1/etc/alerts.yml"; runbooks=$said; {INSTALL}', rules)
        assert found == (0, "own_prometheus=no\n")
        alerts, asked = ((rules / "etc" / name).read_text("utf-8") for name in ("alerts.yml", "prometheus.yml"))
        assert "> 2400" in alerts and links(rules) == {"https://g.example.org/x/docs"}
        assert "15s" in asked and '"10.0.0.7:8080"' in asked


@pytest.mark.parametrize("folder, names", [(SHIPPED, ("alerts.yml", "prometheus.yml")), (NGINX, ("nginx.conf",))])
def test_every_earlier_version_of_what_is_renewed_is_listed(folder, names):
    """As far as git has them here; without git there is nothing to compare with."""
    listed = (folder / "shipped").read_text("ascii").splitlines()
    assert len(listed) == len(set(listed)) > 4

    def git(*words):
        return subprocess.run(["git", "-C", folder, *words], capture_output=True, timeout=60, check=False).stdout
    for name in names:
        for commit in git("log", "--first-parent", "--format=%H", "--", name).decode().split():
            text = git("show", f"{commit}:./{name}")
            line = f"{hashlib.sha256(text).hexdigest()}  {name}"
            assert not text or text == (folder / name).read_bytes() or line in listed, \
                f"{commit} shipped another {name}: add to {folder}/shipped the line {line}"


@pytest.mark.parametrize("noted", [True, False])
def test_rules_that_were_edited_stay_and_it_is_said_where_the_new_ones_are(rules, noted):
    """Also where nothing was noted, as by an older version."""
    if not noted:
        (rules / "values/installed").unlink()
    edited = (SHIPPED / "alerts.yml").read_text("utf-8").replace("your-org", "orchard").replace("> 2400)", "> 7200)")
    (rules / "etc/alerts.yml").write_text(edited, encoding="utf-8")
    own = (SHIPPED / "prometheus.yml").read_text("utf-8").replace("15s", "30s")
    (rules / "etc/prometheus.yml").write_text(own, encoding="utf-8")
    upgrade(rules)
    for _ in range(2):
        status, said = call(INSTALL, rules)
        assert status == 0 and f"diff -u {rules}/etc/alerts.yml {rules}/examples/alerts.yml" in said, said
        assert "own_prometheus=yes" in said and "is your own" not in said, said
        assert (rules / "etc/alerts.yml").read_text("utf-8") == edited
        assert (rules / "etc/prometheus.yml").read_text("utf-8") == own


@pytest.mark.parametrize("changes, lacks", [
    ((("rule_files:\n  - alerts.yml\n", ""),), "alerts.yml in rule_files"),
    ((("- alerts.yml", "- rules/*.yml"),), ""), ((("- alerts.yml", "- other.yml"),), "alerts.yml in rule_files"),
    ((("alerting:", "#alerting:"), ("  alertmanagers:", "#  alertmanagers:")), "alerting"),
    ((("job_name: deploybot", "job_name: deploybot-2"), ("  alertmanagers:", "#")), "the job deploybot, alerting"),
    ((("job_name: alertmanager", "job_name: am"),), "the job alertmanager")])
def test_each_thing_that_ones_own_prometheus_lacks_is_said(rules, changes, lacks):
    text = (SHIPPED / "prometheus.yml").read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (rules / "etc/prometheus.yml").write_text("# ours\n" + text, encoding="utf-8")
    status, said = call(INSTALL, rules)
    assert status == 0 and said.endswith((f"it has not: {lacks}\n" if lacks else "") + "own_prometheus=yes\n"), said


RECEIVERS = """values=$1/values draft=$1/draft examples=$1/examples
check_ours; install_receivers "$1/etc/alertmanager.yml"
"""


def test_an_alertmanager_that_was_edited_is_kept_beside_the_new_one_each_time(rules):
    """Regression: one with our first line was replaced without a word."""
    for name, value in (("bot_token", "7000000003:AAF-the_second_bot_for_alerts_0123456789"), ("chat_id", "-5"),
                        ("watchdog_url", "http://127.0.0.1/ring")):
        (rules / f"values/alert_{name}").write_text(value)
    (rules / "bin").mkdir()
    (rules / "bin/amtool").write_text(f"#!/bin/sh\n[ ! -e {rules}/refuses ] || {{ echo failed: x; exit 1; }}\n")
    (rules / "bin/amtool").chmod(0o755)
    path = f"{rules}/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    file = rules / "etc/alertmanager.yml"
    assert "before-deploybot" not in call(RECEIVERS, rules, path=path)[1]
    ours = file.read_bytes()
    (rules / "values/alert_chat_id").write_text("-6")
    assert "before-deploybot" not in call(RECEIVERS, rules, path=path)[1] and file.read_bytes() != ours
    for edit in ("one", "two"):
        file.write_text(file.read_text("utf-8") + f"# {edit}\n", encoding="utf-8")
        (rules / "refuses").touch()
        status, said = call(RECEIVERS, rules, path=path)
        assert status == 78 and "failed: x" in said and f"# {edit}" in file.read_text("utf-8"), said
        (rules / "refuses").unlink()
        status, said = call(RECEIVERS, rules, path=path)
        assert status == 0 and f"diff -u {file}.before-deploybot {file}\n" in said, said
    kept = sorted(path.read_text("utf-8").splitlines()[-1] for path in file.parent.glob("*.before-deploybot*"))
    assert kept == ["# one", "# two"] and "# two" not in file.read_text("utf-8")


CHAIN = """draft=$1 missed=$2
call() {
	said=200; echo '"value": "name":"watchdog"' >"$draft/said"
	[[ "$*" != *$missed* ]] || { said=000; echo >"$draft/said"; }
}
ask_alert_chain 127.0.0.1:9090 10.0.0.7:9093; echo "$missing"
"""


@pytest.mark.parametrize("missed, words", [
    ("10.0.0.7:9093/-/ready", "Alertmanager does not answer"), ("9090/-/ready", "Prometheus does not answer"),
    ('up{job="deploybot"}', "does not reach deploybot"), ('up{job="alertmanager"}', "does not reach Alertmanager"),
    ("api/v2/alerts", "has no DeploybotWatchdog"), ("nothing", "")])
def test_alerts_are_not_said_to_arrive_before_the_watchdog_is_at_alertmanager(tmp_path, missed, words):
    status, said = call(CHAIN, tmp_path, missed)
    assert status == 0 and (words in said if words else said == "\n"), said


@pytest.mark.parametrize("args, address", [
    (None, "127.0.0.1:9090"), ("", "127.0.0.1:9090"), ("--log.level=info", "127.0.0.1:9090"),
    ("--web.listen-address=10.0.0.7:81 --log.level=info", "10.0.0.7:81"), ("--web.listen-address :81", "127.0.0.1:81"),
    ("--a=1 --web.listen-address=0.0.0.0:9090", "127.0.0.1:9090"), ("--web.listen-address=[::]:81", "[::1]:81"),
    ("--a=1 \\\n\t--web.listen-address=[fd00::7]:81", "[fd00::7]:81"), ("--web.listen-address=$WHERE", ""),
    ("--web.config.file=/etc/tls.yml", ""), ("--web.external-url=https://a.example.org/prometheus", "")])
def test_prometheus_is_asked_where_its_options_say_or_it_is_said_that_nobody_looked(tmp_path, args, address):
    """Regression: an address of the admin's own was asked at 127.0.0.1:9090, which failed after three minutes."""
    if args is not None:
        (tmp_path / "prometheus").write_text(f'# ARGS="--web.listen-address=1.2.3.4:5"\nARGS="{args}"\n')
    assert call('listens_at "$1" 127.0.0.1:9090; echo "$said"', tmp_path / "prometheus") == (0, address + "\n")
    if not address:
        (tmp_path / "prometheus-alertmanager").write_text(DEBIANS)
        assert call('until_alerts_arrive "$1" || echo unknown', tmp_path) == (0, "unknown\n")


ANSWERS = """import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0))); self.do_GET()
    def do_GET(self):
        said = b'deploybot_runner_up 1\\n' if self.path == "/metrics" else b'{"ok":true,"result":{}}'
        self.send_response(200); self.send_header("Content-Length", str(len(said))); self.end_headers()
        self.wfile.write(said)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8080), Handler).serve_forever()
"""
# deploybot, Telegram and who rings are one server; systemctl starts what Debian's units would.
WHOLE = """PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin; cp -a /etc "$1/etc" && mount --bind "$1/etc" /etc &&
mount -t tmpfs none /run && mkdir -p /run/systemd/system && mount -t tmpfs none /var/lib/prometheus &&
ip link set lo up && systemd-sysusers "$2/systemd/sysusers.conf" &&
install -m 0640 -g deploybot -D "$1/conf" /etc/deploybot/deploybot.conf &&
systemd-tmpfiles --create --prefix=/etc/deploybot "$2/systemd/tmpfiles.conf" || exit 77
mkdir "$1/bin"; cat >"$1/bin/systemctl" <<'END'
#!/bin/bash
echo "systemctl $*"
[[ $1 == restart ]] || exit 0
for name in "${@:2}"; do
	. "/etc/default/$name"; file=/etc/prometheus/prometheus.yml
	[[ $name == prometheus ]] || file=/etc/prometheus/alertmanager.yml
	(cd /var/lib/prometheus; exec "$name" --config.file="$file" $ARGS) </dev/null >"${0%/*}/$name.log" 2>&1 9<&- &
	echo "$!" >>"${0%/*}/pids"
done
END
chmod +x "$1/bin/systemctl"; PATH=$1/bin:$PATH
python3 "$1/answers.py" & echo "$!" >"$1/bin/pids"
until curl --silent --output /dev/null http://127.0.0.1:8080/; do kill -0 "$!" || exit; done
"$2/setup.sh" --answers "$1/answers" alerts; echo "status $?"; ss -Hltun | awk '{ print $5 }' | sort
xargs kill <"$1/bin/pids"
"""


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("systemd-sysusers"), reason="needs root and systemd-sysusers")
def test_alerts_arrive_where_prometheus_and_alertmanager_are_as_debian_installs_them(tmp_path):
    need(*MOUNTS, "--net")
    tool("prometheus-alertmanager")
    token = tmp_path / "token"
    token.write_text("7000000002:AAF-deploybots_own_bot_0123456789")
    (tmp_path / "conf").write_text(f"TELEGRAM_API_BASE=http://127.0.0.1:8080\nTELEGRAM_BOT_TOKEN_FILE={token}\n"
                                   "ADMIN_TELEGRAM_IDS=1\nGITHUB_REPOSITORY=orchard/shop\n")
    (tmp_path / "answers").write_text("ALERT_BOT_TOKEN=7000000003:AAF-the_second_bot_for_alerts_0123456789\n"
                                      "ALERT_CHAT_ID=-5\nALERT_WATCHDOG_URL=http://127.0.0.1:8080/ring\n")
    (tmp_path / "answers").chmod(0o600)
    (tmp_path / "answers.py").write_text(ANSWERS)
    done = subprocess.run([*MOUNTS, "--net", "--pid", "--fork", "bash", "-c", WHOLE, "bash", tmp_path, DEPLOY],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300,
                          env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "DEPLOYBOT_RUNNER": PROGRAM}, check=False)
    shutil.rmtree(tmp_path / "etc")
    logs = "".join(path.read_text("utf-8", "replace") for path in (tmp_path / "bin").glob("*.log"))
    assert "status 0\n" in done.stdout and "alerts go to that chat" in done.stdout, done.stdout + logs
    listens = done.stdout.split("status 0\n")[1].split()
    assert listens == ["127.0.0.1:8080", "127.0.0.1:9090", "127.0.0.1:9093"], done.stdout
