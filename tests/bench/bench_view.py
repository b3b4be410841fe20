"""bench_view.py - the page /console/ in a Chromium that has never seen it, throttled to a phone's 4G: how soon there is
what runs where, how many bytes that takes, and how much of it is the line and the renderer's processor time.

No request can be saved: script-src 'self' keeps the script out of the HTML, and what asks /v1 has a header that no
preload sends.  So there are three round trips, the HTML, its script and what runs where, and the rest is arithmetic."""
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
VIEW_MS, VIEW_KB, VIEWS, TRIPS = 300, 30, 15, 3
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


def processor_ms(browser):
    """That of the renderer's main thread so far: it does not count what others run meanwhile."""
    found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(one["value"] for one in found if one["name"] == "TaskDuration") * 1000


def views(browser, base):
    """[(ms, bytes over the wire, ms of the processor)] of each time that the page is opened."""
    browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
    for _ in range(VIEWS):
        browser.get("about:blank")
        browser.get_log("performance")
        before = processor_ms(browser)
        browser.get(f"{base}/console/")
        took = browser.execute_async_script(SEEN)
        worked = processor_ms(browser) - before
        said = [json.loads(one["message"])["message"] for one in browser.get_log("performance")]
        yield took, sum(one["params"]["encodedDataLength"] for one in said
                        if one["method"] == "Network.loadingFinished"), worked


def measure_view(bench):
    stage = kit.Stage(bench.new_folder("view"), deliver=True, start=False, settings={
        **CONSOLE, "ADMIN_TELEGRAM_IDS": ",".join(map(str, ADMINS)), "STAGING_HEALTH_URL": None,
        "PRODUCTION_HEALTH_URL": None})
    with stage.start(), browser_aid.chromium(stage.folder, logs="performance") as browser:
        browser.get(f"{stage.bot.base}/console/")
        browser.execute_script("sessionStorage.setItem('deploybot-session', arguments[0])", log_in(stage, ADMINS[0]))
        throttle(browser)
        found = list(views(browser, stage.bot.base))
    times = [ms for ms, _, _ in found]
    median, size = statistics.median(times), max(size for _, size, _ in found) / 1024
    line_ms = TRIPS * RTT_MS + size * 1024 / DOWN * 1000
    worked = statistics.median(ms for _, _, ms in found)
    bench.row(f"first view of /console/ on 4G (9 Mbit/s, {RTT_MS} ms): median, the worst of {VIEWS}",
              f"{median:.0f}, {max(times):.0f} ms", f"≤ {VIEW_MS} ms", median <= VIEW_MS)
    bench.row(f"of that the line: {TRIPS} round trips and the bytes", f"{line_ms:.0f} ms")
    bench.row("of that the renderer's processor time, some of it while the line is waited for", f"{worked:.0f} ms")
    bench.row("what it takes over the wire", f"{size:.1f} KB", f"≤ {VIEW_KB} KB", size <= VIEW_KB)
