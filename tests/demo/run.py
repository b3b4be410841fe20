#!/usr/bin/python3
"""run.py [COMMAND...] - deploybot with the real Telegram; what .env leaves out is the demo's.

COMMAND is one of deploybot's own (serve by default), under the same settings: `run.py doctor`.
Needs TELEGRAM_BOT_TOKEN and ADMIN_TELEGRAM_IDS, in the environment or in .env.  The sample
application, state, audit and logs live under ./var; nothing needs root.  DEPLOYBOT_FOLDER names
another folder for .env and var.
"""
# SPDX-License-Identifier: ISC
import os
import pathlib
import sys

from stage import ROOT, free_port, sample_app

FOLDER = pathlib.Path(os.environ.get("DEPLOYBOT_FOLDER") or ROOT).resolve()
VAR = FOLDER / "var"


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


def defaults(is_set, tell):
    VAR.mkdir(mode=0o700, exist_ok=True)
    wanted = {"STATE_DIRECTORY": str(VAR / "state"), "AUDIT_LOG_PATH": str(VAR / "audit.log")}
    is_own = not list(FOLDER.glob("apps/*.env"))     # what is one application's own stands in its file then
    if is_own and not is_set("REPOSITORY_URL") and not is_set("GITHUB_REPOSITORY"):
        bare = VAR / "repository" / "shop.git"
        if not bare.exists():
            sample_app.create(str(VAR / "repository"), 2.0)
        wanted["REPOSITORY_URL"] = str(bare)
        tell(f"sample application: commit and push in {VAR / 'repository' / 'work'}")
    if not is_set("DEPLOY_TRANSPORT") and not is_set("DEPLOY_SCRIPT"):
        wanted["DEPLOY_TRANSPORT"] = "local"
        for name in ("STAGING", "PRODUCTION") if is_own else ():
            wanted[f"{name}_PORT"] = remembered_port(name.lower())
            wanted[f"{name}_HEALTH_URL"] = f"http://127.0.0.1:{wanted[f'{name}_PORT']}/health"
            tell(f"{name.lower()}: http://127.0.0.1:{wanted[f'{name}_PORT']}/")
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
    os.environ.update(defaults(is_set, print if command == ["serve"] else lambda _: None))
    sys.stdout.flush()
    os.execv(program, [program, *command])


if __name__ == "__main__":
    sys.exit(main())
