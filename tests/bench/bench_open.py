"""bench_open.py - pushes at a rate, whatever was answered: latency against what is offered, as a picture."""
# SPDX-License-Identifier: ISC
import contextlib
import html
import math
import shutil

import kit
from bench_peers import Node, Webhook
from bench_push import Pushes, loads_row, median_of, stage_for_pushes

CONNECTIONS = 64
RATE = 5000  # of the target
RATES = (500, 1000, 2000, 3500, 5000, 7500, 10000, 12500, 15000, 20000)
FLUSHES, MORE_MS = 2, 5
BEHIND = 0.98  # of what was offered: below it a server does not keep up
PICTURE = "latency.svg"
COLOURS = ("#0b6e4f", "#b5541c", "#3b5ba5", "#8a4f9e")
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 760, 420, 70, 40, 56
RIGHT = 12


def keeps_up(told, rate):
    return told["ok"] >= BEHIND * rate * told["seconds"] and told["unsent"] == 0


def curve(bench, peer):
    """[(rate, p50 ms, p99 ms)], up to the first rate that is too much."""
    points = []
    for rate in RATES:
        told = kit.run_load(bench, peer, CONNECTIONS, bench.seconds,
                            bench.bodies["topic"], rate=rate)
        if isinstance(peer, Pushes):
            peer.acknowledged += told["ok"]
        if not keeps_up(told, rate):
            break
        points.append((rate, told["median_us"] / 1000, told["p99_us"] / 1000))
    return points


# ---- the picture ---------------------------------------------------------------------------------


class Picture:
    """Both axes are logarithmic: a factor is a length."""

    def __init__(self, curves):
        values = [value for points in curves.values() for _, *both in points for value in both]
        self.low = 10 ** math.floor(math.log10(min(values)))
        self.high = 10 ** math.ceil(math.log10(max(values)))
        self.out = []

    def x(self, rate):
        first, last = math.log(RATES[0]), math.log(RATES[-1])
        return LEFT + (WIDTH - LEFT - RIGHT) * (math.log(rate) - first) / (last - first)

    def y(self, ms):
        low, high = math.log(self.low), math.log(self.high)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log(ms) - low) / (high - low)

    def text(self, x, y, words, anchor="middle", more=""):
        self.out.append(f'<text x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}"{more}>'
                        f"{html.escape(words)}</text>")

    def line(self, x1, y1, x2, y2, colour):
        self.out.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
                        f'stroke="{colour}"/>')

    def axes(self):
        for rate in RATES:
            self.line(self.x(rate), TOP, self.x(rate), HEIGHT - BOTTOM, "#eee")
            self.text(self.x(rate), HEIGHT - BOTTOM + 16, f"{rate / 1000:g}k" if rate >= 1000 else str(rate))
        ms = self.low
        while ms <= self.high:
            self.line(LEFT, self.y(ms), WIDTH - RIGHT, self.y(ms), "#ccc")
            self.text(LEFT - 8, self.y(ms) + 4, f"{ms:g} ms", "end")
            ms *= 10
        self.text((LEFT + WIDTH) / 2, HEIGHT - 14, "pushes offered a second")

    def curve(self, name, points, colour, place):
        for dashes, column in (("", 1), (' stroke-dasharray="5 4"', 2)):
            path = " ".join(f"{self.x(point[0]):.1f},{self.y(point[column]):.1f}"
                            for point in points)
            self.out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                            f'stroke-width="2"{dashes}/>')
        self.out.append(f'<circle cx="{self.x(points[-1][0]):.1f}" '
                        f'cy="{self.y(points[-1][2]):.1f}" r="4" fill="{colour}"/>')
        self.text(LEFT + 12, TOP + 18 + 18 * place, name, "start", f' fill="{colour}"')

    def svg(self, title):
        head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
                'font-family="sans-serif" font-size="12">\n'
                f"<title>{html.escape(title)}</title>\n"
                f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n')
        self.text(LEFT, 22, title, "start", ' font-size="14"')
        return head + "\n".join(self.out) + "\n</svg>\n"


def draw(curves):
    picture = Picture(curves)
    picture.axes()
    for place, (name, points) in enumerate(curves.items()):
        picture.curve(name, points, COLOURS[place], place)
    return picture.svg("Latency of a signed 8 KB push: median, p99 (dashed); a dot: the last "
                       "rate it kept up with")


# ---- the part ------------------------------------------------------------------------------------


def at_the_target(bench, pushes):
    with kit.Watch(pushes.stage.bot) as watch:
        rounds = [pushes.run(CONNECTIONS, seconds=2 * bench.seconds, rate=RATE)
                  for _ in range(bench.rounds)]
    p99 = median_of(rounds, "p99_us") / 1000
    flush = bench.flush_ms(.99)
    target = FLUSHES * flush + MORE_MS
    bench.row(f"pushes offered at {RATE:,}/s: p50, p99, p99.9",
              f"{median_of(rounds, 'median_us') / 1000:.1f}, {p99:.1f}, "
              f"{median_of(rounds, 'p999_us') / 1000:.1f} ms; "
              f"{sum(one['unsent'] for one in rounds)} not sent in time",
              f"p99 ≤ {target:.1f} ms", p99 <= target)
    loads_row(bench, f"pushes at {RATE:,}/s", watch)


def measure_open(bench):
    curves = {}
    with stage_for_pushes(bench, "open") as stage, contextlib.ExitStack() as stack:
        pushes = Pushes(bench, stage)
        at_the_target(bench, pushes)
        peers = [stack.enter_context(contextlib.closing(peer)) for peer in (
            Node(bench.folder, True), Node(bench.folder, False), Webhook(bench.folder, True))]
        for peer in (pushes, *peers):
            curves[peer.name] = curve(bench, peer)
    for name, points in curves.items():
        told = (f"{points[-1][0]:,}/s: p50 {points[-1][1]:.1f} ms, p99 {points[-1][2]:.1f} ms"
                if points else f"less than {RATES[0]:,}/s")
        bench.row(f"the last rate offered that {name} kept up with", told)
    path = bench.folder / PICTURE
    path.write_text(draw({name: points for name, points in curves.items() if points}),
                    encoding="utf-8")
    kept = kit.build_dir() / PICTURE
    shutil.copy(path, kept)
