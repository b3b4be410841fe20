"""bench_view.py - the page /console/ in a Chromium that has never seen it, throttled to a phone's 4G: how soon there is
what runs where, and how many bytes that takes."""
# SPDX-License-Identifier: ISC
import json
import pathlib
import statistics
import sys

import kit
from bench_start import ADMINS
from bench_watch import CONSOLE, log_in

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
import browser_aid  # noqa: E402  pylint: disable=wrong-import-position

# "4G" here: the rates of DevTools' "Fast 4G", and a round trip of 60 ms, which is its latency without the factor that
# stands there for connections that are made anew.
DOWN, UP, RTT_MS = 9_000_000 / 8, 1_500_000 / 8, 60
VIEW_MS, VIEW_KB, VIEWS = 300, 30, 15
# When the first card is there, and painted.
SEEN = """const done = arguments[arguments.length - 1];
(function look() {
	if (document.querySelector("article.card"))
		requestAnimationFrame(() => done(performance.now()));
	else
		setTimeout(look, 1);
})();"""


def throttle(browser):
    browser.execute_cdp_cmd("Network.enable", {})
    browser.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    browser.execute_cdp_cmd("Network.emulateNetworkConditions", {
        "offline": False, "latency": RTT_MS, "downloadThroughput": DOWN, "uploadThroughput": UP})


def views(browser, base):
    """[(ms, bytes over the wire)] of each time that the page is opened."""
    for _ in range(VIEWS):
        browser.get("about:blank")
        browser.get_log("performance")
        browser.get(f"{base}/console/")
        took = browser.execute_async_script(SEEN)
        said = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
        yield took, sum(one["params"]["encodedDataLength"] for one in said
                        if one["method"] == "Network.loadingFinished")


def measure_view(bench):
    stage = kit.Stage(bench.new_folder("view"), deliver=True, start=False, settings={
        **CONSOLE, "ADMIN_TELEGRAM_IDS": ",".join(map(str, ADMINS)), "STAGING_HEALTH_URL": None,
        "PRODUCTION_HEALTH_URL": None})
    with stage.start(), browser_aid.chromium(stage.folder, logs="performance") as browser:
        browser.get(f"{stage.bot.base}/console/")
        browser.execute_script("sessionStorage.setItem('deploybot-session', arguments[0])", log_in(stage, ADMINS[0]))
        throttle(browser)
        found = list(views(browser, stage.bot.base))
    times = [ms for ms, _ in found]
    median, size = statistics.median(times), max(size for _, size in found) / 1024
    bench.row(f"first view of /console/ on 4G (9 Mbit/s, {RTT_MS} ms): median, the worst of {VIEWS}",
              f"{median:.0f}, {max(times):.0f} ms", f"≤ {VIEW_MS} ms", median <= VIEW_MS)
    bench.row("what it takes over the wire", f"{size:.1f} KB", f"≤ {VIEW_KB} KB", size <= VIEW_KB)
