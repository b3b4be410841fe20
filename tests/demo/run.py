#!/usr/bin/python3
"""run.py [COMMAND...] - deploybot with the real Telegram; what .env leaves out is the demo's.

COMMAND is one of deploybot's own (serve by default), under the same settings: `run.py doctor`.
Needs TELEGRAM_BOT_TOKEN and ADMIN_TELEGRAM_IDS, in the environment or in .env.  The sample
applications, state, audit and logs live under ./var; nothing needs root.  DEPLOYBOT_FOLDER names
another folder for .env and var.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import re
import sys

from stage import APPLICATIONS, ENVIRONMENTS, ROOT, free_port, own_settings, sample_app, write_application

FOLDER = pathlib.Path(os.environ.get("DEPLOYBOT_FOLDER") or ROOT).resolve()
VAR = FOLDER / "var"
# What says which application it is: with one of these the samples stay away.
OWN = re.compile(r"(REPOSITORY_URL|GITHUB_REPOSITORY|ENVIRONMENTS|APPS_DIRECTORY|DEPLOY_SCRIPT"
                 r"|(STAGING|PRODUCTION)_(PORT|HOST|HEALTH_URL))(_FILE)?$")


def names_in(env_file):
    """The names that .env sets; deploybot itself reads the values."""
    found = set()
    if env_file.exists():
        for line in env_file.read_text(encoding="utf-8", errors="replace").splitlines():
            name = line.strip().removeprefix("export ").split("=", 1)[0].strip()
            if "=" in line and name and not name.startswith("#"):
                found.add(name)
    return found


def remembered_port(name):
    """The application survives us, so it keeps its port."""
    path = VAR / f"{name}.port"
    if not path.exists():
        path.write_text(str(free_port()), encoding="ascii")
    return path.read_text(encoding="ascii")


def sample(name, tell):
    """A sample application: its repository, and the file that makes it one of ours."""
    folder = VAR / "repository" / name
    bare = folder / f"{name}.git"
    if not bare.exists():
        sample_app.create(str(folder), 2.0, name)
    ports = {environment: remembered_port(f"{name}.{environment}") for environment in ENVIRONMENTS}
    if not (VAR / "apps" / f"{name}.env").exists():
        write_application(VAR / "apps", name, own_settings(bare, ports))
    tell(f"sample application {name}: commit and push in {folder / 'work'}")
    for environment, port in ports.items():
        tell(f"  {name}/{environment}: http://127.0.0.1:{port}/")


def defaults(names, is_set, tell):
    VAR.mkdir(mode=0o700, exist_ok=True)
    wanted = {"STATE_DIRECTORY": str(VAR / "state"), "AUDIT_LOG_PATH": str(VAR / "audit.log")}
    if not any(map(OWN.match, names)) and not list(FOLDER.glob("apps/*.env")):
        wanted["APPS_DIRECTORY"] = str(VAR / "apps")
        for name in APPLICATIONS:
            sample(name, tell)
    if not is_set("DEPLOY_TRANSPORT") and not is_set("DEPLOY_SCRIPT"):
        wanted["DEPLOY_TRANSPORT"] = "local"
        wanted.update(HEALTH_CHECK_TIMEOUT="3", HEALTH_CHECK_INTERVAL="1", HEALTH_CHECK_RETRIES="3")
    return {name: value for name, value in wanted.items() if not is_set(name)}


def main():
    program = os.fspath(pathlib.Path(os.environ.get("DEPLOYBOT_BUILD", ROOT / "build")).resolve()
                        / "deploybot")
    os.chdir(FOLDER)
    in_file = names_in(FOLDER / ".env")

    def is_set(name):
        return bool(os.environ.get(name)) or name in in_file or f"{name}_FILE" in in_file

    missing = [name for name in ("TELEGRAM_BOT_TOKEN", "ADMIN_TELEGRAM_IDS")
               if not is_set(name) and not os.environ.get(f"{name}_FILE")]
    if missing:
        print("make run needs", " and ".join(missing), "in .env or in the environment.\n"
              "  TELEGRAM_BOT_TOKEN   from @BotFather in Telegram: /newbot\n"
              "  ADMIN_TELEGRAM_IDS   your id; put any number first, start, and send the bot /whoami",
              file=sys.stderr)
        return 78
    command = sys.argv[1:] or ["serve"]
    os.environ.update(defaults(in_file | os.environ.keys(), is_set, print if command == ["serve"] else lambda _: None))
    sys.stdout.flush()
    os.execv(program, [program, *command])


if __name__ == "__main__":
    sys.exit(main())
