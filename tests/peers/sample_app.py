#!/usr/bin/python3
"""sample_app.py - makes the sample application: a small web shop in a real git repository.

    FOLDER/shop.git   what the deployer fetches from (a bare repository, as on a forge)
    FOLDER/work       the work tree in which a developer commits, with some history

The application is pure Python without packages. `.deploybot/build` checks it, `.deploybot/run`
serves it: a page with its version and commit, and /health. change() commits what a colleague
might: good, or broken in a way that the subject does not give away.
"""
# SPDX-License-Identifier: ISC
import argparse
import functools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

PEOPLE = {"ada": ("Ada Byron", "ada@shop.example"), "carl": ("Carl Engel", "carl@shop.example"),
          "mina": ("Mina Okafor", "mina@shop.example"), "joon": ("Joon Park", "joon@shop.example")}
BRANCHES = ("main", "develop")
KINDS = ("good", "broken", "crash", "build")
# What each shop calls itself, and the colours of its front page: live, and in develop.
SHOPS = {"shop": ("Orchard, the small fruit shop", "#4a6fa5", "#2f7df6"),
         "cider": ("Press, the orchard's cider", "#8a6d3b", "#b5522f")}

GOOD_CHANGES = [
    ("Greet returning customers by name", "#0f9d76", "Welcome back to the orchard"),
    ("Show delivery dates in the basket", "#7c4dff", "Ordered today, here on Thursday"),
    ("Autumn colours for the front page", "#d9822b", "Autumn harvest is in"),
    ("Make the basket button easier to hit", "#1f8fd6", "One tap to your basket"),
    ("Show the farm every apple comes from", "#c2417c", "Know your farmer"),
    ("Free delivery from twenty euros", "#3f8f3f", "Free delivery from 20 €"),
]
BROKEN_SUBJECTS = ["Keep sessions when the shop restarts", "Read the session store from settings",
                   "Share sessions between both shop fronts"]
CRASH_SUBJECTS = ["Answer a little faster under load", "Use the faster encoder for prices"]
BUILD_SUBJECTS = ["Tidy up the price list", "Sort the price list by season"]

APP = '''"""The shop: one page, one health check. Pure Python, no packages."""
import html
import json
import os
import pathlib
import socketserver
import string

HERE = pathlib.Path(__file__).parent
RELEASE = json.loads((HERE / "release.json").read_text(encoding="utf-8"))
SETTINGS = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
COMMIT = os.environ.get("COMMIT", "")
ENVIRONMENT = os.environ.get("ENVIRONMENT", "development")
STORES = {"memory": dict}
REASONS = {200: "OK", 404: "Not Found", 500: "Internal Server Error"}


def open_sessions():
    """The place where sessions are kept."""
    kind = SETTINGS["session_store"].split(":")[0]
    return STORES[kind]()


def page():
    template = string.Template((HERE / "page.html").read_text(encoding="utf-8"))
    values = {**RELEASE, "about": SETTINGS["about"], "commit": COMMIT[:7] or "none", "environment": ENVIRONMENT}
    return template.substitute({k: html.escape(str(v)) for k, v in values.items()})


def health():
    """Returns (status, answer): well means that a session could be opened."""
    known = {"commit": COMMIT, "version": RELEASE["version"], "environment": ENVIRONMENT}
    try:
        open_sessions()
    except KeyError as error:
        return 500, {"status": "error", "reason": f"session store {error} is unreachable", **known}
    return 200, {"status": "ok", **known}


class Handler(socketserver.StreamRequestHandler):
    """GET alone: it is started for each release, and http.server takes five times as long to be there."""

    def handle(self):
        while words := self.rfile.readline().decode("latin-1").split():
            while self.rfile.readline().strip():
                pass
            self.answer(*answer_to(words[1]))

    def answer(self, status, kind, text):
        body = text.encode()
        head = (f"HTTP/1.1 {status} {REASONS[status]}", f"Content-Type: {kind}", f"Content-Length: {len(body)}",
                f"X-Commit: {COMMIT}", "", "")
        self.wfile.write("\\r\\n".join(head).encode() + body)


def answer_to(path):
    if path.split("?")[0] == "/":
        return 200, "text/html; charset=utf-8", page()
    if path == "/health":
        status, known = health()
        return status, "application/json", json.dumps(known)
    return 404, "text/plain", "not found"


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128


if __name__ == "__main__":
    port = int(os.environ["PORT"])
    print(f"shop {RELEASE['version']} for {ENVIRONMENT} on port {port}", flush=True)
    Server(("127.0.0.1", port), Handler).serve_forever()
'''

PAGE = '''<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Orchard · $version</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body{margin:0;min-height:100vh;display:grid;place-items:center;color:#fff;
 font:16px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
 background:radial-gradient(circle at 20% 10%,#ffffff40,transparent 45%),$accent}
main{text-align:center;padding:2rem}
h1{font-size:clamp(1.5rem,6vw,2.6rem);margin:.4em 0 .2em;letter-spacing:-.02em}
p{margin:0;opacity:.85}
.tags{margin-top:1.6rem;display:flex;gap:.5rem;justify-content:center;flex-wrap:wrap}
.tags span{background:#00000038;border-radius:99px;padding:.25rem .8rem;font-size:.85rem}
code{font-family:ui-monospace,"DejaVu Sans Mono",monospace}
</style></head>
<body><main><svg width="64" height="64" viewBox="0 0 24 24" fill="none" stroke="#fff"
 stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path
 d="M12 7c-2-2-7-1.6-7 4.2C5 16 8 21 10 21c1 0 1.2-.5 2-.5s1 .5 2 .5c2 0 5-5 5-9.8C19 5.4
 14 5 12 7zm0 0c0-2 1-4 3-4"/></svg><h1>$headline</h1><p>$about</p>
<div class="tags"><span>$environment</span><span>version $version</span>
<span><code>$commit</code></span></div></main></body></html>
'''

BUILD = '''#!/bin/sh
# Checks the shop and prepares its page; prints what it does.
set -eu
cd "$(dirname "$0")/.."
pause() { sleep "$(cat .deploybot/pace)"; }
echo "Orchard $(sed -n 's/.*"version": "\\([^"]*\\)".*/\\1/p' release.json)"
echo "checking sources"
pause
for file in *.py; do
	/usr/bin/python3 -IS -c 'import sys; compile(open(sys.argv[1]).read(), sys.argv[1], "exec")' "$file"
	echo "  ok $file"
done
echo "rendering the front page"
pause
echo "  page.html $(wc -c < page.html) bytes"
echo "checking prices"
pause
n=0
while IFS=, read -r fruit cents; do
	case "$cents" in
	*[!0-9]* | '')
		echo "  prices.csv: the price of $fruit is not a number: '$cents'" >&2
		exit 1
		;;
	esac
	n=$((n + 1))
done < prices.csv
echo "  $n prices"
pause
echo "built"
'''

RUN = '''#!/bin/sh
# Serves the shop in the foreground on $PORT.
cd "$(dirname "$0")/.."
exec /usr/bin/python3 -IS app.py
'''

README = """# Orchard

The small fruit shop. `.deploybot/build` checks it, `.deploybot/run` serves it on `$PORT`.
"""
PRICES = "Boskoop,249\nElstar,219\nGravensteiner,289\nQuince,349\nMedlar,449\n"
BROKEN_PRICES = PRICES.replace("289", "2.89")
GITIGNORE = "__pycache__/\n"


def git(tree, *arguments, **extra):
    """Runs git without anybody's configuration. Returns what it prints."""
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": "/nonexistent",
                   "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1",
                   "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C.UTF-8", **extra}
    done = subprocess.run(["git", "-C", str(tree), *arguments], env=environment, text=True,
                          capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"git {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def write(tree, name, content, executable=False):
    path = pathlib.Path(tree) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
    path.chmod(0o755 if executable else 0o644)


def write_release(tree, version, accent, headline):
    write(tree, "release.json", json.dumps({"version": version, "accent": accent,
                                            "headline": headline}, indent=2,
                                           ensure_ascii=False) + "\n")


def write_settings(tree, store="memory", about=None):
    """What the shop calls itself stays, where nothing else is said."""
    path = pathlib.Path(tree) / "settings.json"
    about = about or json.loads(path.read_text(encoding="utf-8"))["about"]
    write(tree, path.name, json.dumps({"session_store": store, "currency": "EUR", "about": about},
                                      indent=2) + "\n")


def commit(tree, who, subject, at=None):
    """Commits everything in the tree. Returns the commit's id."""
    name, email = PEOPLE[who]
    stamp = f"{int(at if at is not None else time.time())} +0000"
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", subject, GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email,
        GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=email, GIT_AUTHOR_DATE=stamp,
        GIT_COMMITTER_DATE=stamp)
    return git(tree, "rev-parse", "HEAD")


def places_in(folder, name):
    return pathlib.Path(folder, f"{name}.git"), pathlib.Path(folder, "work")


@functools.lru_cache
def template(build_seconds, name):
    """What create() copies, as long as this process lives: two dozen calls of git."""
    folder = tempfile.TemporaryDirectory(prefix="sample-app.")
    bare, tree = places_in(folder.name, name)
    tree.mkdir()
    git(tree, "init", "-q", "--bare", "-b", "main", "--template=", str(bare))
    git(tree, "init", "-q", "-b", "main", "--template=")
    git(tree, "remote", "add", "origin", str(bare))
    write_history(tree, build_seconds, *SHOPS[name])
    git(tree, "push", "-q", "origin", *BRANCHES)
    git(tree, "checkout", "-q", "develop")
    return folder


def create(folder, build_seconds=2.0, name="shop"):
    """Makes the repository of that one of SHOPS, and its history. Returns (bare repository, work tree)."""
    bare, tree = places_in(folder, name)
    for made, place in zip(places_in(template(build_seconds, name).name, name), (bare, tree)):
        shutil.copytree(made, place)
    git(tree, "remote", "set-url", "origin", str(bare))
    return bare, tree


def write_history(tree, build_seconds, about, accent, fresh):
    day = 86400
    now = time.time()
    write(tree, "README.md", README)
    write(tree, ".gitignore", GITIGNORE)
    write(tree, "app.py", APP)
    write(tree, "page.html", PAGE)
    write_release(tree, "1.0.0", accent, "Fruit, picked this morning")
    write_settings(tree, about=about)
    commit(tree, "mina", "A shop with one page", now - 21 * day)
    write(tree, "prices.csv", PRICES.replace("Medlar,449\n", ""))
    commit(tree, "joon", "Prices come from a list", now - 16 * day)
    write(tree, ".deploybot/build", BUILD, executable=True)
    write(tree, ".deploybot/run", RUN, executable=True)
    write(tree, ".deploybot/pace", f"{build_seconds / 4:.3f}\n")
    commit(tree, "ada", "Build and run like any other service", now - 9 * day)
    write_release(tree, "1.1.0", accent, "Apples, picked this morning")
    commit(tree, "carl", "Say what is in season", now - 6 * day)
    git(tree, "checkout", "-q", "-b", "develop")
    write(tree, "prices.csv", PRICES)
    commit(tree, "joon", "Sell medlars", now - 2 * day)
    write_release(tree, "1.2.0", fresh, "Apples, quinces and medlars")
    commit(tree, "mina", "Put all three fruits on the front page", now - day / 6)


def next_version(tree):
    release = json.loads((pathlib.Path(tree) / "release.json").read_text(encoding="utf-8"))
    major, minor, patch = (int(part) for part in release["version"].split("."))
    return release, f"{major}.{minor}.{patch + 1}", f"{major}.{minor + 1}.0"


def change(tree, branch, kind="good"):
    """Commits one change to a branch and pushes it. Returns {before, after, subject}."""
    if kind not in KINDS:
        raise ValueError(f"no change is called {kind!r}, only {', '.join(KINDS)}")
    check_out(tree, branch)
    before = git(tree, "rev-parse", "HEAD")
    count = int(git(tree, "rev-list", "--count", "HEAD"))
    release, patch, minor = next_version(tree)
    repair(tree)
    if kind == "good":
        who, subject = make_good(tree, count, release, minor)
    else:
        who, subject = make_broken(tree, kind, count, release, patch)
    after = commit(tree, who, subject)
    git(tree, "push", "-q", "origin", branch)
    return {"branch": branch, "before": before, "after": after, "subject": subject}


def check_out(tree, branch):
    if branch not in git(tree, "branch", "--format=%(refname:short)").split():
        raise ValueError(f"there is no branch {branch!r}")
    git(tree, "checkout", "-q", "-f", branch)


def repair(tree):
    """Whatever was broken before is whole again: each change breaks what it says, and nothing else."""
    write(tree, "app.py", APP)
    write(tree, "prices.csv", PRICES)
    write_settings(tree)


def make_good(tree, count, release, version):
    """A new look and a new version."""
    choices = [c for c in GOOD_CHANGES if c[2] != release["headline"]]
    subject, accent, headline = choices[count % len(choices)]
    write_release(tree, version, accent, headline)
    return ("ada", "mina", "joon")[count % 3], subject


def make_broken(tree, kind, count, release, version):
    write_release(tree, version, release["accent"], release["headline"])
    if kind == "broken":
        write_settings(tree, "redis://sessions.shop.internal:6379/0")
        subjects = BROKEN_SUBJECTS
    elif kind == "crash":
        write(tree, "app.py", APP.replace("import html\n", "import fastprices\nimport html\n"))
        subjects = CRASH_SUBJECTS
    else:
        write(tree, "prices.csv", BROKEN_PRICES)
        subjects = BUILD_SUBJECTS
    return ("carl", "joon")[count % 2], subjects[count % len(subjects)]


def promote(tree, source="develop", target="main"):
    """Merges one branch into another and pushes it. Returns {before, after, subject}."""
    check_out(tree, target)
    before = git(tree, "rev-parse", "HEAD")
    name, email = PEOPLE["ada"]
    subject = f"Merge branch '{source}'"
    git(tree, "merge", "-q", "--no-ff", "-X", "theirs", "-m", subject, source,
        GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=email, GIT_COMMITTER_NAME=name,
        GIT_COMMITTER_EMAIL=email)
    git(tree, "push", "-q", "origin", target)
    return {"branch": target, "before": before, "after": git(tree, "rev-parse", "HEAD"),
            "subject": subject}


def log(tree, revision, most=8):
    """Commits of a branch or range, newest first."""
    text = git(tree, "log", f"-{most}", "--format=%H%x1f%T%x1f%an%x1f%ae%x1f%cI%x1f%s%x1e",
               "--end-of-options", revision)
    rows = [row.strip().split("\x1f") for row in text.split("\x1e") if row.strip()]
    return [dict(zip(("id", "tree", "author", "email", "at", "subject"), row)) for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--build-seconds", type=float, default=2.0)
    options = parser.parse_args()
    bare, tree = create(options.folder, options.build_seconds)
    print(bare)
    print(tree)


if __name__ == "__main__":
    main()
