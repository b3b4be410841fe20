#!/usr/bin/python3
"""demo.py - the whole of deploybot on this machine: a chat in the browser, two applications
with a repository and two environments each.  --story plays it without a person and exits 0 only if all of
it happened; --story rolled-back-stays-back plays another one, of rollbacks and of answers given before, --story
pipelines one of CI and gates, --story secrets one of what Vault lends, --story failover one of two servers, --story
uploads one of archives that people send, --story told one of who is notified besides the chat, --story
console one of the page /console/ in a browser, --story waves one of a release to thirty hosts."""
# SPDX-License-Identifier: ISC
import argparse
import os
import pathlib
import shutil
import signal
import socket
import sys
import tempfile

import console
import failover
import loans
import pipelines
import rolled_back
import told
import uploads
import waves
from stage import APPLICATIONS, Stage
from story import play
from telegram_client import ADA, BEA, GROUP

BUILD_SECONDS = 4.0
STORIES = {"1": None, "rolled-back-stays-back": rolled_back.play, "pipelines": pipelines.play, "secrets": loans.play,
           "failover": failover.play, "uploads": uploads.play, "told": told.play,
           "console": console.play, "waves": waves.play}
INTERRUPTED = 128 + signal.SIGINT


def print_addresses(stage):
    page = stage.chat.base + "/"
    print(f"\n  The chat          {page}")
    for name, port in stage.ports.items():
        print(f"  {name:17} http://127.0.0.1:{port}/")
    print(f"""  metrics           {stage.bot.base}/metrics
  settings          {stage.folder / '.env'}, {stage.folder / 'apps'}
  state and logs    {stage.folder}""")
    if os.environ.get("SSH_CONNECTION"):
        ports = [stage.chat.base.rsplit(":", 1)[1], *map(str, stage.ports.values()),
                 stage.bot.base.rsplit(":", 1)[1]]
        forwards = " ".join(f"-L {port}:127.0.0.1:{port}" for port in ports)
        print(f"\n  From your own machine first:  ssh {forwards} {socket.gethostname()}")
    print("""
  Try in the chat:
    /deploy staging       asks which of the two, builds and starts it, with its output as it comes
    push a good commit    in the panel beside the chat: goes live by itself, and the Release room reads it
    push a broken commit  behind a good one: the health gate notices, and staging is rolled back
    /deploy production    shows what would change, and asks
    /status               what runs where, and its health
    kill the server       in the panel, while it deploys: started again, it goes on
    unplug Telegram       beside it: what happens meanwhile is said when it is back
    /help                 everything else, and as Bea (an admin too), Carl (staging only), Mallory (nobody)

  Ctrl-C ends it.
""", flush=True)


def serve_demo(stage):
    try:
        print_addresses(stage)
        while (status := stage.bot.process.wait()) == -signal.SIGKILL:
            print("deploybot was killed: it is started again", flush=True)
            stage.bot.start()
    except KeyboardInterrupt:
        print("\nstopping …", flush=True)
        return 0
    print(f"deploybot ended by itself with status {status}:\n{stage.bot.log()[-2000:]}")
    return 1


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--story", nargs="?", const="1", choices=STORIES)
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deploybot-demo-"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    status = INTERRUPTED
    try:
        print("starting chat, repository and deploybot …", flush=True)
        if STORIES.get(options.story) is not None:
            return STORIES[options.story](folder)
        with Stage(folder, BUILD_SECONDS if not options.story else 1.0,
                   telegram=("--local",),
                   settings={"ADMIN_TELEGRAM_IDS": f"{ADA},{BEA}", "TELEGRAM_CHAT_ID": str(GROUP)},
                   in_file=True, applications=APPLICATIONS) as stage:
            status = play(stage) if options.story else serve_demo(stage)
    except KeyboardInterrupt:
        print("\ninterrupted", flush=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
