/* console.js - the console: shows what /v1 answers, sends what is pressed, and decides nothing. */
/* SPDX-License-Identifier: ISC */
"use strict";
(() => {

const KEPT = "deploybot-session"; // in sessionStorage: gone with the tab
const WAIT_S = 7; // the longest that the server lets a request wait
const EVERY_MS = { quick: 2000, health: 30000 };
const LINES_MAX = 5000; // of a log, in the page
const SUBJECT_MAX = 120; // the rest stands in what the chat says

const $ = (id) => document.getElementById(id);
const main = $("main");

/* --- elements: text is text, whoever wrote it --- */

/* Turns a reader's eyes or a terminal around, or shows nothing: shown by its number. */
const ODD = /((?![\t\n\r\u200c\u200d])[\p{Cc}\p{Cf}\u2028\u2029])/u;
const ESCAPES = /\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)|[ -/]*[0-~]?)/gu;

/* Text from outside as nodes: without escapes of terminals, and nothing in it that cannot be seen. */
function plain(text, most = Infinity) {
	let rest = String(text ?? "").toWellFormed().replace(ESCAPES, "");
	if (rest.length > most)
		rest = rest.slice(0, most).replace(/[\ud800-\udbff]$/, "") + "…";
	return rest.split(ODD).map((part, i) => i % 2 === 0 ? part :
		make("span.odd", `U+${part.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`));
}

const present = (nodes) => nodes.flat(4).filter(Boolean);

/* An object that comes first has attributes, and listeners in `on`; a child is a node, a text or a list of these. */
function fill(node, children) {
	const { on = {}, ...attributes } = children[0]?.constructor === Object ? children.shift() : {};
	for (const [name, value] of Object.entries(attributes))
		if (value !== null)
			node.setAttribute(name, value);
	for (const [name, listener] of Object.entries(on))
		node.addEventListener(name, listener);
	node.append(...present(children));
	return node;
}

/* make("p.said.ill", "no") is a p of the classes said and ill. */
function make(tag, ...children) {
	const [name, ...classes] = tag.split("."), node = document.createElement(name);
	node.classList.add(...classes);
	return fill(node, children);
}

const button = (text, key, act, kind) =>
	make("button", { type: "button", class: kind ?? null, "data-key": key, on: { click: act } }, text);
const pill = ([text, kind]) => make(`span.pill.is-${kind}`, text);
const shape = (tag, ...children) => fill(document.createElementNS("http://www.w3.org/2000/svg", tag), children);
const section = (title, ...children) => make("section.card", make("h2", title), children);
const asking = (label, text, ...children) =>
	make("section.card.ask", { "aria-label": label }, make("p.story", plain(text, 8000)), children);
const actions = (...buttons) => make("div.actions", buttons);
const wrong = (text, most = 400) => make("p.said.ill", { role: "alert" }, plain(text, most));

const link = (href, ...text) => make("a", { href }, text);
const back = (href, ...text) => make("a.back", { href }, "← ", text);
const boxes = (n) => [...Array(n)].map(() => make("div"));

/* Draws anew, and leaves the focus where it was. */
function draw(host, ...children) {
	const old = document.activeElement;
	const key = host.contains(old) && (old.dataset.key ?? old.getAttribute("href"));
	host.replaceChildren(...present(children));
	if (key)
		[...host.querySelectorAll("[data-key], a[href]")]
			.find((node) => (node.dataset.key ?? node.getAttribute("href")) === key)?.focus();
}

/* Only where the data has changed. */
function redraw(host, data, build) {
	const text = JSON.stringify(data);
	if (host.drawn === text)
		return;
	host.drawn = text;
	draw(host, build());
}

const say = (text) => { $("said").textContent = text; };

/* --- time --- */

let ahead_ms = 0; // of the server's clock before ours
const now = () => Date.now() + ahead_ms;

function span(ms) {
	const s = Math.max(0, Math.round(ms / 1000));
	if (s < 60)
		return `${s} s`;
	if (s < 3600)
		return `${Math.floor(s / 60)} min ${s % 60 ? `${s % 60} s` : ""}`.trim();
	const h = Math.floor(s / 3600);
	return h < 48 ? `${h} h ${Math.floor(s % 3600 / 60)} min` : `${Math.floor(h / 24)} days`;
}

function ago(at) {
	const s = (now() - Date.parse(at)) / 1000;
	if (s < 60)
		return "just now";
	if (s < 3600)
		return `${Math.floor(s / 60)} min ago`;
	if (s < 172800)
		return s < 86400 ? `${Math.floor(s / 3600)} h ago` : "yesterday";
	return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short", year: "numeric" });
}

const until = (at) => new Date(at).toLocaleString(undefined,
	{ weekday: "short", hour: "2-digit", minute: "2-digit", day: "numeric", month: "short" });
const whole = (at) => new Date(at).toLocaleString();

const took = (from, to) => from && to && span(Date.parse(to) - Date.parse(from));
const when = (at) => at && make("time", { datetime: at, title: whole(at), "data-at": at }, ago(at));
const since = (at) => make("span.took", { "data-at": at }, span(now() - Date.parse(at)));

/* What counts by itself, once a second. */
function tick() {
	for (const node of document.querySelectorAll("[data-at]")) {
		const { at } = node.dataset, ms = now() - Date.parse(at);
		if (node.max)
			node.value = Math.min(ms, .97 * node.max);
		else
			node.textContent = node.dateTime ? ago(at) : span(ms);
	}
}

const day_of = (at) => new Date(at).toLocaleDateString("sv");
const date_input = (value) =>
	make("input", { type: "date", value, min: "2015-01-01", max: day_of(now()), required: true });
/* Acts on what is valid: half a year is none. */
const filters = (event, act, fields) => make("div.filters",
	{ on: { [event]: ({ target }) => target.checkValidity() && act(target) } },
	Object.entries(fields).map(([name, field]) => make("label", name, field)));

/* --- what is asked of the server --- */

const sleep = (ms, signal) => new Promise((done) => {
	const timer = setTimeout(done, ms);
	signal?.addEventListener("abort", () => { clearTimeout(timer); done(); }, { once: true });
});

const token = () => sessionStorage.getItem(KEPT);

/* JSON of an answer; an error has a status where the server says no. */
async function ask(path, { body, wait, signal, key } = {}) {
	const headers = {};
	if (token())
		headers.Authorization = `Bearer ${token()}`;
	if (wait)
		headers.Prefer = `wait=${WAIT_S}`;
	if (body) {
		headers["Content-Type"] = "application/json";
		headers["Idempotency-Key"] = key ?? crypto.randomUUID();
	}
	const sent = await fetch(path, { method: body ? "POST" : "GET", headers, signal, cache: "no-store",
		credentials: "omit", redirect: "error", body: body && JSON.stringify(body) });
	const answer = await sent.json().catch(() => null);
	if (sent.status === 401 && token())
		leave("Your session has ended.");
	if (!sent.ok)
		throw Object.assign(new Error(answer?.said || `the server answered ${sent.status}`),
			{ status: sent.status, answer, retry: Number(sent.headers.get("Retry-After")) });
	if (answer === null)
		throw new TypeError("no JSON");
	if (answer.now)
		ahead_ms = Date.parse(answer.now) - Date.now();
	return answer;
}

const ask_if_there = (path) => ask(path).catch((error) => {
	if (error.status === 404 || error.status === 403)
		return null;
	throw error;
});

const is_passing = ({ status }) => !status || [429, 502, 503, 504].includes(status);
const later_ms = ({ retry }, otherwise) => retry ? Math.min(retry, 30) * 1000 : otherwise;

/* Where nobody answers it is sent again under its key, by which it counts once. */
async function press(path, body) {
	const key = crypto.randomUUID();
	for (let tries = 1; ; tries++)
		try {
			return await ask(path, { body, key });
		} catch (error) {
			if (!is_passing(error) || tries === 4)
				throw error;
			await sleep(later_ms(error, tries * 1000));
		}
}

let failures = 0;

function reached() {
	failures = 0;
	$("trouble").hidden = true;
}

/* How long to wait before it is asked again. */
function not_reached(error) {
	failures++;
	if (failures > 1 || error.status) {
		redraw($("trouble"), error.status, () => error.status === 429 ? "Too many requests: a moment, please." :
			"The server cannot be reached. Trying again…");
		$("trouble").hidden = false;
	}
	return later_ms(error, Math.min(500 * 2 ** failures, 10000));
}

/* --- words of states --- */

const STATES = {
	requested: ["Checking", "busy"], awaiting_confirmation: ["Asks for a yes", "wait"],
	awaiting_approval: ["Needs approval", "wait"], queued: ["Queued", "none"], running: ["Deploying", "busy"],
	verifying: ["Checking health", "busy"], baking: ["Baking", "busy"], paused: ["Paused", "wait"],
	rolling_back: ["Rolling back", "busy"], verifying_rollback: ["Checking health", "busy"],
	stopping: ["Stopping", "busy"],
	live: ["Live", "good"], done: ["Done", "good"], failed: ["Failed", "bad"], rolled_back: ["Rolled back", "bad"],
	rollback_failed: ["Rollback failed", "bad"], refused: ["Refused", "none"], cancelled: ["Cancelled", "none"],
	expired: ["Expired", "none"], superseded: ["Replaced", "none"],
};

function state_of(work) {
	if (work.state === "running" && work.program !== "deploy")
		return [work.program === "rollback" ? "Rolling back" : "Running", "busy"];
	if (work.state === "live" && work.live_until)
		return ["Was live", "none"];
	return STATES[work.state] ?? [work.state, "none"];
}

const bakes = (work) => ["baking", "paused"].includes(work.state);
const is_paused = (work) => work?.state === "paused";

const short = (work) => work.commit?.slice(0, work.source === "upload" ? 12 : 7);
const commit = (work) => work.commit && make("code", { title: work.commit }, short(work));

function title_of(work) {
	if (work.program === "action")
		return [work.action, work.argument, work.client && `on ${work.client}`].filter(Boolean).join(" ");
	const what = work.subject || (work.source === "upload" ? "An uploaded archive" : short(work) || work.ref || "");
	return work.program === "rollback" ? `Roll back${what ? ` to: ${what}` : ""}` : what || `Work ${work.work}`;
}

const facts = (...items) => make("p.facts", items.filter(Boolean).map((item) => make("span", item)));
const by = (name) => name && ["by ", plain(name, 80)];
const in_path = (name) => name.split("/").map(encodeURIComponent).join("/");
const at_path = (name) => `#/at/${in_path(name)}`;

const line_of = (work, ...items) => make("li", link(`#w${work.work}`,
	make("span.row", make("span.grow.subject", plain(title_of(work), SUBJECT_MAX)), pill(state_of(work))),
	facts(...items)));

const work_line = (work, has_place) => line_of(work, has_place && plain(work.environment),
	commit(work), by(work.requested_by), when(work.ended_at ?? work.requested_at),
	work.started_at && work.ended_at && `took ${took(work.started_at, work.ended_at)}`);
const list_of = (works) => make("ul.list", works.map((work) =>
	work_line(work, works.some((one) => one.environment !== work.environment))));

const nothing = (head, text) => make("p.empty", make("strong", head), text);

/* A list that grows by a button; `next` returns some lines, and whether there are more. */
function pages(host, next, none) {
	const list = make("ul.list", { hidden: true }), foot = make("div.actions");
	async function grow() {
		try {
			const [lines, is_more] = await next();
			list.append(...lines);
			list.hidden = !list.childElementCount;
			draw(foot, is_more ? button("More", "more", grow) :
				list.hidden && nothing("Nothing here", none));
		} catch (error) {
			draw(foot, wrong(error.message));
		}
	}
	draw(host, list, foot);
	return grow();
}

/* --- what runs where --- */

function health_of(status, name) {
	const found = status.health.filter((one) => one.environment === name);
	const ill = found.filter((one) => one.is_healthy === false), well = found.filter((one) => one.is_healthy);
	return { ill, is_well: well.length > 0, text: well.length ?
		`Healthy, ${Math.max(...well.map((one) => one.latency_ms ?? 0))} ms` :
		found.length && "Health not known" };
}

function standing_of(place, health) {
	if (place.in_progress)
		return state_of(place.in_progress);
	if (place.state === "down")
		return ["Down", "bad"];
	if (health.ill.length)
		return ["Unhealthy", "bad"];
	return { live: place.is_rolled_back ? ["Rolled back", "wait"] : ["Live", "good"], none: ["Nothing yet", "none"],
		unknown: ["Not known", "wait"] }[place.state] ?? [place.state, "none"];
}

function hold_text(hold) {
	const what = { lock: "Locked", freeze: "Frozen", window: "Closed", witness: "Held" }[hold.kind] ?? hold.kind;
	return [what, hold.by && [" by ", plain(hold.by, 80)], hold.reason && [": ", plain(hold.reason, 200)],
		hold.until && ` until ${until(hold.until)}`];
}

function progress_of(work) {
	const begun = work.started_at;
	if (!begun)
		return null;
	const step = work.steps?.at(-1)?.name, is_known = work.estimate_ms >= 1000;
	return [facts(step && plain(step, 60), since(begun), is_known && `of about ${span(work.estimate_ms)}`),
		is_known && make("progress",
			{ max: work.estimate_ms, "data-at": begun, "aria-label": "Time that it took lately" })];
}

/* What a glance should not miss, the worst first. */
function notes_of(place, health) {
	const to_work = (work, text) => link(`#w${work}`, text), running = place.in_progress;
	const notes = [
		...health.ill.map((one) =>
			["bad", plain(one.at, 80), ": ", plain(one.detail || "does not answer", 200)]),
		place.unknown_why && ["wait", plain(place.unknown_why, 300)],
		place.refusal && ["bad", plain(place.refusal, 300)],
		running && [state_of(running)[1], to_work(running.work, plain(title_of(running), 120)), " ",
			by(running.confirmed_by ?? running.requested_by)],
		place.is_rolled_back && place.unseen &&
			["wait", to_work(place.unseen, "The newest was rolled back")],
		...place.questions.map((one) => ["wait", to_work(one.work, plain(title_of(one), 120)),
			` — ${state_of(one)[0].toLowerCase()}`]),
		...place.holds.map((one) => ["wait", hold_text(one)]),
		place.runner_disconnected_since &&
			["wait", "Its runner ", plain(place.runner, 60), " is disconnected"],
		place.git_failing_since && ["wait", "git has not answered since ", until(place.git_failing_since)],
		place.queued > 0 && ["none", `${place.queued} in the queue`],
		place.runs_on.length > 1 && ["wait", place.runs_on.map((one) =>
			`${short(one) ?? one.state} on ${one.hosts}`).join(", ")],
		place.left_hosts.length > 0 && ["wait", "Left out by a rollback: ",
			plain(place.left_hosts.map((one) => one.host).join(", "), 200)],
		place.draining_since && ["none", "The previous release still has connections"],
	].filter(Boolean);
	return notes.length && make("ul.notes", notes.map(([kind, ...text]) => make(`li.is-${kind}`, text)));
}

function card_of(status, place, { is_alone } = {}) {
	const { environment: name, release } = place, health = health_of(status, name), [of, last] = parts_of(name);
	return make("article.card",
		make("div.row",
			is_alone ? make("h2.grow", "What is live") :
				make(`h${of ? 3 : 2}.grow.name`, link(at_path(name), plain(last))),
			pill(standing_of(place, health))),
		release && make("p.subject",
			plain(release.subject || (release.source === "upload" ? "An uploaded archive" : "No subject"),
				SUBJECT_MAX)),
		release && facts(commit(release), by(release.by), when(release.at)),
		place.in_progress && progress_of(place.in_progress),
		notes_of(place, health),
		facts(health.text && !health.ill.length && make(health.is_well ? "span.ok" : "span", health.text),
			place.state !== "none" && !place.health_urls && "No health check",
			place.newer > 0 && `${place.newer} newer commit${place.newer > 1 ? "s" : ""} on its branch`,
			place.blocks > 0 && `${place.blocks} blocked`));
}

/* "shop/staging" is staging of shop. */
const parts_of = (name) => /^(?:(.*)\/)?(.*)$/.exec(name).slice(1).map((part) => part ?? "");

function by_application(places) {
	const groups = new Map();
	for (const place of places) {
		const [name] = parts_of(place.environment);
		groups.set(name, [...groups.get(name) ?? [], place]);
	}
	return groups;
}

function summary_of(status) {
	const places = status.environments;
	const bad = places.filter((one) => one.state === "down" || is_paused(one.in_progress) ||
		health_of(status, one.environment).ill.length);
	const busy = places.filter((one) => one.in_progress).length;
	if (!places.length)
		return ["Nothing to see yet", "No environment is set, or none that you may see."];
	const n = bad.length, all = places.length;
	return [n ? `${n} of ${all} need${n > 1 ? "" : "s"} a look` : "All is well",
		`${all > 1 ? `${all} environments` : "One environment"}, ${busy || "nothing"} in progress`];
}

function view_now(host) {
	const head = make("div.head"), list = make("div");
	const search = make("input",
		{ type: "search", placeholder: "Find an environment", "aria-label": "Find an environment",
		"data-key": "find", hidden: true, on: { input: () => show() } });
	let status = null;
	host.append(head, search, list);
	function show() {
		const [title, text] = summary_of(status);
		const word = search.value.trim().toLowerCase();
		const places = status.environments.filter((one) => one.environment.toLowerCase().includes(word));
		redraw(head, [title, text, me], () => [make("h1", title), make("p.lead", text),
			me?.has_factor === false && link("#/factor", "Second factor…")]);
		search.hidden = status.environments.length < 10;
		redraw(list, [places, status.health], () => [...by_application(places)].map(([name, group]) =>
			make("section.group", { "aria-label": name || "Environments" }, name &&
				make("h2", plain(name)),
				make("div.cards", group.map((place) => card_of(status, place))))));
	}
	return { title: "Now", nav: "#/", async refresh() {
		status = await ask("/v1/status");
		note_ends(status);
		show();
	} };
}

/* What was in progress a moment ago, and is no more, is said. */
const in_progress = new Map();
function note_ends(status) {
	for (const place of status.environments) {
		const before = in_progress.get(place.environment), running = place.in_progress?.work ?? 0;
		in_progress.set(place.environment, running);
		if (before && before !== running)
			ask(`/v1/work/${before}`).then((work) => work.is_over && say(
				`${work.environment}: ${state_of(work)[0]}`)).catch(() => {});
	}
}

/* --- one environment --- */

/* Only what is offered: the server decides on each press. */
function may(right, name) {
	const [application, environment] = parts_of(name);
	return me?.may.some((one) => {
		const [of, at] = parts_of(one.target);
		return ["*", right].includes(one.right) && ["*", environment].includes(at) &&
			["*", "", application].includes(of);
	});
}

function view_place(host, name) {
	const [card, works, acts, answer, blocked] = boxes(5);
	host.append(make("div", back("#/", "Now"), make("h1", plain(name))),
		make("div.split", make("div", card, works), make("div", acts, answer, blocked)));
	return { title: name, nav: "#/", async refresh() {
		const path = in_path(name);
		const [status, history] = await Promise.all([ask(`/v1/status/${path}`),
			ask_if_there(`/v1/history/${path}`)]);
		const place = status.environments[0];
		note_ends(status);
		redraw(card, [place, status.health], () => card_of(status, place, { is_alone: true }));
		redraw(works, history?.work, () => history?.work.length && [
			make("div.row.day", make("h2.grow", "Latest"), link(figures_path(name), "Figures")),
			list_of(history.work)]);
		redraw(acts, [place.earlier, place.in_progress, me], () => {
			const running = place.in_progress, buttons = present([
				careful(answer, "deploy", name, "first"),
				place.earlier && careful(answer, "rollback", name),
				running && !bakes(running) && careful(answer, "cancel", name)]);
			return buttons.length && section("Actions", actions(buttons));
		});
		redraw(blocked, place.blocked, () => place.blocked.length && section("Not deployed by a push",
			place.blocked.map((one) => facts(commit(one),
				one.by ? ["rolled back ", by(one.by)] : "failed",
				one.reason && plain(one.reason, 200)))));
	} };
}

/* --- what is sent, and its six digits --- */

const CAREFUL = {
	deploy: ["Deploy", "Deploy", (name) => `Deploy the newest commit of its branch to ${name}?`],
	rollback: ["Roll back", "Roll back", (name) => `Roll ${name} back to what ran before?`],
	cancel: ["Cancel", "Cancel it", () => "Cancel what is in progress?"],
};

/* A thumb slips: what the chat has words typed for is asked once more. */
function careful(host, word, name, kind, to) {
	const [label, yes, question] = CAREFUL[word];
	const go = () => act(host, to ?? `/v1/command/${word}`, to ? { answer: word } : { arguments: [name] },
		(said) => { if (said.work && said.is_to_be_answered) location.hash = `#w${said.work}`; });
	return may(word, name) && button(`${label}…`, word, () => {
		draw(host, asking("Are you sure", question(name),
			actions(button(yes, "sure", go, "first"), button("No", "unsure", () => draw(host)))));
		host.querySelector("button").focus();
	}, kind);
}

/* Sends it, shows what is said, and asks for a code where one is wanted. */
async function act(host, path, body, on_done, is_again) {
	const hold = (yes) => document.querySelectorAll("button[data-key]").forEach((one) => { one.disabled = yes; });
	hold(true);
	try {
		const said = await press(path, body);
		say(said.said ?? "");
		draw(host, make("p.card.said", plain(said.said, 2000)));
		on_done?.(said);
	} catch (error) {
		if (error.status === 428)
			ask_code(host, error.answer, is_again,
				(code) => act(host, path, { ...body, ...code }, on_done, true));
		else if (error.status === 409 && error.answer?.shown && body.answer === "yes")
			/* The question is another one by now: what was read does not count. */
			draw(host, asking("The question has changed", error.message, actions(button("Yes, this", "anew",
				() => act(host, path, { ...body, shown: error.answer.shown }, on_done), "first"))));
		else
			draw(host, make("div.card", wrong(is_passing(error) ?
				"The server did not answer. Look again: it may have been done." :
				error.message, 2000)));
		say(error.message);
	} finally {
		hold(false);
		refresh();
	}
}

function ask_code(host, answer, is_again, go) {
	const input = make("input", { id: "code", inputmode: "numeric", autocomplete: "one-time-code",
		pattern: "[0-9]{6}", required: true, "aria-describedby": "code-for",
		on: { input: () => { input.value = input.value.replace(/[^0-9]/g, "").slice(0, 6); } } });
	const send = (event) => {
		event.preventDefault();
		go({ code: input.value, ...answer?.shown && { shown: answer.shown } });
	};
	draw(host, make("form.card.ask", { on: { submit: send } },
		make("p.story", { id: "code-for" }, plain(answer?.question ?? answer?.said ?? "", 4000)),
		is_again && answer?.question && wrong(answer.said),
		make("label.code", { for: "code" }, "Six digits of your authenticator", input),
		actions(make("button.first", { "data-key": "send" }, "Confirm"))));
	input.focus();
}

/* --- one work --- */

function view_work(host, number) {
	const [head, asked, answer, top, log_host, steps, side, story] = boxes(8);
	host.append(head, make("div.split", make("div", asked, answer, top, log_host),
		make("div", steps, side, story)));
	let work = null, log = null, was = null;
	const stop = new AbortController();
	const reply = (word, label, kind) => button(label, word, () => act(answer, `/v1/answer/${number}`,
		{ answer: word, ...work.shown && { shown: work.shown } }), kind);
	const command = (word, ...words) => act(answer, `/v1/command/${word}`, { arguments: words });

	/* Whose yes counts only the server says: it refuses others with its reason. */
	function approval() {
		const why = make("input", { maxlength: "180", "data-key": "why", placeholder: "Why not" });
		const reject = () => command("reject", number, ...why.value.split(/\s+/).filter(Boolean));
		return asking("It needs an approval", work.message || title_of(work),
			may("approve", work.environment) && [
			actions(button("Approve", "approve", () => command("approve", number), "first")),
			make("details", make("summary", "Reject it"),
				actions(make("label", "Reason", why), button("Reject", "reject", reject)))]);
	}
	const question = () => asking("A question", work.message || title_of(work),
		bakes(work) ? bake() : actions(reply("yes", "Yes", "first"), reply("no", "No")));
	function bake() {
		const name = work.environment, is = is_paused(work), turn = is ? "resume" : "pause";
		return actions(!is && may("deploy", name) && reply("live", "Live now", "first"),
			may("rollback", name) && [reply(turn, is ? "Go on" : "Pause"),
				work.can_roll_back && careful(answer, "rollback", name, "", `/v1/answer/${number}`),
				is && reply("leave", "Leave it")]);
	}
	function step_line(step, i, all) {
		const end = all[i + 1]?.at ?? work.ended_at;
		const kind = all[i + 1] || work.is_good || bakes(work) ? "" : work.is_over ? "is-bad" : "is-busy";
		return make("li", { class: kind }, make("span", plain(step.name, 80)),
			step.at && (end ? make("span.took", took(step.at, end)) : kind && since(step.at)));
	}
	function doing() {
		const is_running = !work.is_over && !bakes(work) && work.started_at;
		const parts = present([is_running && progress_of(work),
			work.detail && make("p.said", plain(work.detail, 2000)),
			!work.is_asked && work.note && make("p.said", plain(work.note, 2000)),
			is_running && actions(careful(answer, "cancel", work.environment))]);
		return parts.length && make("section.card", parts);
	}
	function who_and_what() {
		const outside = (text) => text && plain(text, 300);
		return Object.entries({
			Commit: commit(work), Branch: outside(work.ref), "Asked by": outside(work.requested_by),
			"Said yes": outside(work.confirmed_by), "Approved by": outside(work.approved_by),
			Approvals: work.approvals_needed &&
				`${work.approvals_needed - work.approvals_open} of ${work.approvals_needed}`,
			"Promoted from": outside(work.promoted_from), CI: outside(work.ci),
			Emergency: outside(work.emergency),
			Asked: when(work.requested_at), Began: when(work.started_at), Ended: when(work.ended_at),
			Took: took(work.started_at, work.ended_at),
			Number: work.work,
		}).map(([name, value]) => value && [make("dt", name), make("dd", value)]);
	}
	function show() {
		const list = work.steps ?? [], warnings = work.warnings ?? [];
		const is_open = work.state === "awaiting_approval", is_asked = work.is_asked || bakes(work);
		redraw(head, [title_of(work), work.state, work.live_until], () => [
			back(at_path(work.environment), plain(work.environment)),
			make("div.row", make("h1.grow.subject", plain(title_of(work), SUBJECT_MAX)),
				pill(state_of(work)))]);
		redraw(asked, [work.state, is_asked, work.shown, work.message, work.approvals_open, me], () =>
			is_open ? approval() : is_asked && question());
		redraw(top, [work.detail, work.note, work.state, work.started_at, work.estimate_ms, me], doing);
		redraw(steps, [list, warnings, work.state, work.ended_at], () => list.length && section("Steps",
			make("ol.steps", list.map(step_line)), warnings.length &&
			make("ul.notes", warnings.map((text) => make("li.is-wait", plain(text, 400))))));
		redraw(side, { ...work, steps: 0, message: 0, now: 0, elapsed_ms: 0 }, () =>
			section("Who and what", make("dl.pairs", who_and_what())));
		redraw(story, [work.message, is_asked, is_open], () =>
			work.message && !is_asked && !is_open &&
				section("As the chat says it", make("p.story", plain(work.message, 8000))));
	}
	return { get title() { return work ? `${title_of(work)} · ${work.environment}` : `Work ${number}`; },
		get is_quick() { return work !== null && !work.is_over; },
		async refresh() {
			work = await ask(`/v1/work/${number}`);
			show();
			if (was && was !== work.state && (work.is_over || is_paused(work)))
				say(`${work.environment}: ${state_of(work)[0]}. ${work.detail ?? ""}`);
			was = work.state;
			if (work.runs.length)
				(log ??= log_of(log_host, stop.signal))(work.runs);
		},
		close() { stop.abort(); } };
}

/* --- a log, line by line --- */

const RUNS = { deploy: "Deployment", rollback: "Rollback", action: "Action", drain: "Clean-up" };

function log_of(host, stop) {
	let runs = [], run = null, is_chosen = false; // by hand: a newer run does not take its place
	let is_following = true, pieces = null; // stops reading the run that is shown
	const lines = make("div.lines", { role: "log", "aria-live": "off", tabindex: "0", "aria-label": "Log" });
	const tabs = make("span.actions"), state = make("h2", "Log");
	const follow = button("Follow", "follow", () => { set_following(!is_following); to_end(); }, "plain");
	lines.addEventListener("scroll", () =>
		set_following(lines.scrollHeight - lines.scrollTop - lines.clientHeight < 24), { passive: true });
	set_following(true);
	stop.addEventListener("abort", () => pieces?.abort());
	host.append(make("section.card.log", { "aria-label": "Log" }, make("header", state, tabs, follow), lines));

	function set_following(yes) {
		is_following = follow.ariaPressed = yes;
	}
	function to_end() {
		if (is_following)
			lines.scrollTop = lines.scrollHeight;
	}

	/* Runs with a log; the newest is shown until another is chosen. */
	function offer(found) {
		runs = found;
		if (!is_chosen && run !== runs.at(-1).run)
			show(runs.at(-1).run);
		redraw(tabs, [runs, run], () => runs.length > 1 && runs.map((one) => {
			const tab = button(RUNS[one.program] ?? one.program, `run-${one.run}`, () => {
				is_chosen = true;
				show(one.run);
				offer(runs);
			}, "plain");
			tab.ariaPressed = one.run === run;
			return tab;
		}));
	}

	function show(number) {
		pieces?.abort();
		pieces = new AbortController();
		run = number;
		lines.replaceChildren();
		read(run, pieces.signal);
	}

	/* Until the run has ended; a server that restarts is asked again from where it is. */
	async function read(run, signal) {
		let offset = 0, is_over = false, failed = 0;
		while (!signal.aborted && !is_over) {
			const began = Date.now();
			try {
				const piece = await ask(`/v1/run/${run}/${offset}`, { wait: true, signal });
				failed = 0;
				add(piece.text);
				is_over = piece.is_over && piece.next === offset;
				state.textContent = is_over ? "Log, complete" : "Log, live";
				follow.hidden = is_over;
				const is_new = piece.next !== offset;
				offset = piece.next;
				if (!is_new && !is_over && Date.now() - began < 1000)
					await sleep(document.hidden ? 5000 : 1000, signal);
			} catch (error) {
				if (signal.aborted)
					return;
				if (!is_passing(error)) {
					state.textContent = error.status === 403 ? "Log: not for your role" :
						"Log: not there";
					return;
				}
				state.textContent = "Log, connecting again…";
				await sleep(later_ms(error, Math.min(250 * 2 ** failed++, 5000)), signal);
			}
		}
	}

	function add(text) {
		const all = text.split("\n");
		if (all.at(-1) === "")
			all.pop();
		lines.append(...all.slice(-LINES_MAX).map((line) => {
			const kind = line.startsWith("==> ") && (line.startsWith("warning", 4) ? "warn" : "step");
			/* What a bar has overwritten nobody wants to read. */
			const shown = line.replace(/\r+$/, "").split("\r").at(-1);
			return make("div", { class: kind || null }, plain(kind ? shown.slice(4) : shown));
		}));
		while (lines.childElementCount > LINES_MAX)
			lines.firstElementChild.remove();
		to_end();
	}
	return offer;
}

/* --- history --- */

const KINDS = {
	all: ["All", () => true], live: ["Went live", (work) => work.is_good],
	bad: ["Went wrong", (work) => state_of(work)[1] === "bad"],
	open: ["Not over", (work) => !work.is_over],
};

function view_history(host) {
	const option = (value, text = value) => make("option", { value }, text), list = make("div");
	const { text, place, kind } = view_history.kept ??= {
		text: make("input", { type: "search", placeholder: "Subject, commit, person" }),
		place: make("select", option("", "All")),
		kind: make("select", Object.entries(KINDS).map(([value, [label]]) => option(value, label))),
	};
	host.append(make("h1", "History"), filters("input", (field) => field === place ? refresh() : show(),
		{ Find: text, Environment: place, Result: kind }), list);
	let works = [];
	function show() {
		const word = text.value.trim().toLowerCase();
		const found = works.filter((work) => KINDS[kind.value][1](work) && [title_of(work), work.commit,
			work.requested_by, work.ref, work.environment, String(work.work)]
			.some((one) => one?.toLowerCase().includes(word)));
		redraw(list, found, () => found.length ? list_of(found) :
			nothing("Nothing here", works.length ? "Nothing fits these filters." :
				"Nothing was deployed yet."));
	}
	return { title: "History", nav: "#/history", async refresh() {
		const [status, history] = await Promise.all([place.length > 1 ? null : ask("/v1/status"),
			ask(`/v1/history${place.value && `/${in_path(place.value)}`}`)]);
		if (status)
			place.append(...status.environments.map((one) => option(one.environment)));
		works = history.work.sort((one, other) => other.work - one.work);
		show();
	} };
}

/* --- what waits for a yes --- */

/* What awaits approvals, and questions that were not answered yet. */
async function pending() {
	const [list, queue] = await Promise.all([ask_if_there("/v1/pending"), ask("/v1/queue")]);
	const approvals = list?.approvals ?? [];
	return { yours: approvals.filter((one) => !one.why_not && !one.has_approved),
		others: approvals.filter((one) => one.why_not || one.has_approved), reviews: list?.reviews ?? [],
		questions: queue.environments.flatMap(({ questions, in_progress: one }) =>
			is_paused(one) ? [one, ...questions] : questions) };
}

function count_pending({ yours, questions }) {
	const n = yours.length + questions.length;
	Object.assign($("count"), { hidden: !n, textContent: n || "", ariaLabel: `${n} waiting` });
}

function view_approvals(host) {
	const list = make("div");
	host.append(make("h1", "Approvals"), list);
	const group = (name, works, more) => works.length > 0 && make("section.group", make("h2", name),
		make("ul.list", works.map((work) => line_of(work, plain(work.environment), commit(work),
			by(work.requested_by), more(work), work.asked_until && `until ${until(work.asked_until)}`))));
	const missing = (work) => work.approvals_open > 0 &&
		`${work.approvals_open} of ${work.approvals_needed} missing`;
	return { title: "Approvals", nav: "#/approvals", async refresh() {
		const found = await pending();
		count_pending(found);
		redraw(list, found, () => Object.values(found).some((works) => works.length) ? [
			group("For you", found.yours, missing),
			group("Asked, not answered yet", found.questions, () => null),
			group("For others", found.others,
				(work) => work.has_approved ? "you have approved" : plain(work.why_not, 200)),
			group("Emergencies to look at", found.reviews, () => null)] :
			nothing("Nothing waits", "When somebody asks for a yes, it stands here."));
	} };
}

/* --- figures --- */

const WIDTH = 320, HEIGHT = 96, TOP = 16; // of a chart, and of the room above it
const WEEKLY = 20; // deployments, at once
const seconds = (s) => span(s * 1000);
const FIGURES = {
	deployments: ["Deployments", String],
	change_failure_rate: ["Change failure rate", (rate) => `${Math.round(rate * 1000) / 10} %`],
	lead_time_median_s: ["Lead time, median", seconds],
	lead_time_p90_s: ["Lead time, nine of ten", seconds],
	time_to_restore_median_s: ["Time to restore", seconds],
};
const KEYS = Object.keys(FIGURES);
const figure = (key, of) => of[key] === null ? "–" : FIGURES[key][1](of[key]);
const figures_path = (name) => `#/figures/${in_path(name)}`;

/* A bar each week, where there is anything; the table has it in words. */
function chart(key, weeks, choose) {
	const step = WIDTH / weeks.length, most = Math.max(...weeks.map((week) => week[key]));
	const label = (x, y, anchor, text) => shape("text", { x, y, "text-anchor": anchor }, text);
	return shape("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT + 20}`, "aria-hidden": "true" },
		shape("path", { d: `M0 ${TOP}H${WIDTH}M0 ${HEIGHT}H${WIDTH}` }),
		label(0, TOP - 5, "start", weeks.some((week) => week[key] !== null) && figure(key, { [key]: most })),
		label(0, HEIGHT + 16, "start", weeks[0].from), label(WIDTH, HEIGHT + 16, "end", weeks.at(-1).from),
		weeks.map((week, i) => {
			const height = most && week[key] / most * (HEIGHT - TOP) || 1;
			return week[key] !== null && shape("g", { on: { click: () => choose(week) } },
				shape("title", `${week.from}: ${figure(key, week)}`),
				shape("rect", { class: "hit", x: step * i, width: step, height: HEIGHT }),
				shape("rect", { x: step * (i + .15), y: HEIGHT - height, width: step * .7, height }));
		}));
}

const figures_table = (caption, rows, head) =>
	make("div.card.wide", { role: "region", "aria-label": caption, tabindex: "0" }, make("table",
		make("tr", make("th", caption), KEYS.map((key) => make("th", FIGURES[key][0]))),
		rows.map((row) => make("tr", make("th", { scope: "row" }, head(row)),
			KEYS.map((key) => make("td", figure(key, row)))))));

function csv_of(weeks) {
	const rows = weeks.map((week) => [week.from, ...KEYS.map((key) => week[key])]);
	return `data:text/csv,${encodeURIComponent([["week", ...KEYS], ...rows].join("\r\n"))}`;
}

function view_figures(host, name) {
	const kept = view_figures.kept ??=
		{ from: date_input(day_of(now() - 83 * 864e5)), to: date_input(day_of(now())) };
	const [save, charts, works, tables] = boxes(4);
	const path = () => `/v1/figures/${kept.from.value}/${kept.to.value}${name && `/${in_path(name)}`}`;
	host.append(make("div", name && back(figures_path(parts_of(name)[0]), "Figures"),
		make("h1", plain(name || "Figures"))),
	filters("change", load, { From: kept.from, To: kept.to }), charts, works, tables, save);
	/* Those of a week, the newest first. */
	function choose(week) {
		const ids = [...week.work].reverse(), list = make("div");
		const head = make("h2.day", { tabindex: "-1" }, `Deployments of the week of ${week.from}`);
		kept.week = week.from;
		draw(works, head, list);
		head.focus();
		pages(list, async () => {
			const some = await Promise.all(ids.splice(0, WEEKLY).map((id) => ask(`/v1/work/${id}`)));
			return [some.map((work) => work_line(work, true)), ids.length];
		}, "Nothing was deployed.");
	}
	function show(answer) {
		const each = answer.environments, { weeks } = answer;
		draw(charts, make("div.cards", KEYS.map((key) => section(FIGURES[key][0],
			make("p.figure", figure(key, answer), key === "deployments" && make("small",
				` ${Math.round(answer.deployments_a_week * 10) / 10} a week`)),
			chart(key, weeks, choose)))));
		draw(tables, figures_table("Week", weeks, (week) =>
			button(week.from, week.from, () => choose(week), "plain")),
		each.length > 1 && figures_table("Environment", each, ({ environment }) =>
			link(figures_path(environment), plain(environment))));
		draw(save, make("a", { href: csv_of(weeks), download: "figures.csv" }, "As CSV"));
		draw(works);
		weeks.filter((week) => week.from === kept.week).forEach(choose);
	}
	let shown = null;
	return { title: name ? `Figures of ${name}` : "Figures", nav: "#/figures", async refresh() {
		const asked = path();
		if (kept.path !== asked)
			(kept.answer = ask(kept.path = asked)).catch(() => { kept.path = 0; });
		const answer = await kept.answer;
		if (shown !== asked && asked === path())
			show(answer);
		shown = asked;
	} };
}

/* --- the audit --- */

function view_audit(host) {
	const from = date_input(day_of(now())), to = date_input(day_of(now())), list = make("div");
	const code = make("input", { type: "search", placeholder: "deploy_requested", autocapitalize: "none" });
	host.append(make("h1", "Audit"), filters("change", begin, { What: code, From: from, To: to }), list);
	let is_begun = false;
	const line = (entry) => make("li.entry",
		make("span.row", make("span.grow.mono", plain(entry.code, 80)),
			make("time", { datetime: entry.at }, whole(entry.at))),
		facts(plain(entry.name ?? entry.user, 80), entry.environment && plain(entry.environment),
			plain(entry.outcome, 80)));
	function begin() {
		const word = encodeURIComponent(code.value.trim());
		const path = `/v1/audit/${from.value}/${to.value}${word && `/${word}`}`;
		let after = 0;
		return pages(list, async () => {
			const page = await ask(`${path}/${after}`);
			after = page.next;
			return [page.entries.map(line), after];
		}, "No entry of these days that you may read.");
	}
	return { title: "Audit", nav: "#/audit", async refresh() {
		if (!is_begun)
			await begin();
		is_begun = true;
	} };
}

/* --- a second factor: shown here once, kept nowhere --- */

/* Dark on white in the dark too, with four modules of white around it. */
function qr_of(rows) {
	const size = rows.length + 8;
	const runs = rows.flatMap((row, y) => [...row.matchAll(/1+/g)].map(({ index, 0: { length } }) =>
		`M${index + 4} ${y + 4}h${length}v1h-${length}z`));
	return shape("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": "QR code",
		"shape-rendering": "crispEdges" }, shape("path", { d: runs.join("") }));
}

function view_factor(host) {
	const box = make("div");
	async function reveal() {
		draw(box);
		try {
			const { uri, secret, qr, ends } = await ask("/v1/factor", { body: {} });
			draw(box, section("Add it to your authenticator app: it is not shown again", qr_of(qr),
				uri.startsWith("otpauth://totp/") && make("p", link(uri, "Open your app here")),
				make("p", "Or type its secret: ", make("code.secret", secret)),
				make("p", `Until ${until(ends)}, write to the bot in private, with the app's digits: `,
					make("code", "/2fa confirm 123456"),
					". It counts once somebody else has confirmed that it is you.")));
		} catch (error) {
			draw(box, make("div.card", wrong(error.status === 428 ?
				"This login is older than ten minutes: open the page from the chat again." :
				error.message)));
		}
	}
	host.append(make("h1", "Second factor"), box);
	draw(box, section("Begin in the chat", make("p", "Write ", make("code", "/2fa"), " to the bot in private. " +
		"Its QR code is shown here, once: nobody else should see this screen."),
	actions(button("Show it", "show", reveal, "first"))));
	return { title: "Second factor", async refresh() {} };
}

/* --- logging in and out --- */

let me = null; // null: not known yet

/* What an address brings is used once, and stands in no history. */
function take_login() {
	const words = new URLSearchParams(location.hash.slice(1));
	const code = words.get("code"), data = words.get("tgWebAppData");
	if (!code && !data)
		return null;
	const start = data && /^w([0-9]{1,18})$/.exec(new URLSearchParams(data).get("start_param"));
	history.replaceState(null, "", "/console/" + (start ? `#w${start[1]}` : "#/"));
	if (!data && token() && !confirm("Sign in anew, as whoever this link is for?"))
		return null;
	return data ? { init_data: data } : { code };
}

async function log_in(login) {
	sessionStorage.setItem(KEPT, (await press("/v1/session/open", login)).token);
	await know_me();
}

function leave(why) {
	sessionStorage.removeItem(KEPT);
	me = null;
	open(why);
}

function view_login(host, why) {
	host.append(make("div.card.login",
		make("h1", "Sign in from the chat"),
		why && wrong(why),
		make("p", "Write ", make("code", "/console"),
			" to the bot in private. Its link opens this page as you, once, within two minutes."),
		make("p.lead", "There is no password. Your session ends with this tab.")));
	return { title: "Sign in", async refresh() {} };
}

async function know_me() {
	me = await ask("/v1/me");
	$("nav").lastElementChild.hidden = !me.may.some((one) => ["*", "audit"].includes(one.right));
	$("name").replaceChildren(...plain(me.person?.name, 40));
	/* Who has begun a second factor has come for its code. */
	if (me.factor_waits && location.hash === "#/")
		location.replace("#/factor");
}

/* --- which view --- */

let view = null, generation = 0;

function make_view(host, why) {
	const [name, ...rest] = location.hash.replace(/^#\/?/, "").split("/").map((word) => {
		try { return decodeURIComponent(word); } catch { return ""; }
	});
	if (!token())
		return view_login(host, why);
	if (/^w[0-9]{1,18}$/.test(name))
		return view_work(host, name.slice(1));
	const views = { __proto__: null, at: view_place, factor: view_factor, figures: view_figures,
		history: view_history, approvals: view_approvals, audit: view_audit };
	/* A browser makes another path of a name of dots. */
	const is_path = rest.every((word) => /[^.]/.test(word)) && (rest.length || name !== "at");
	return (is_path && views[name] || view_now)(host, rest.join("/"));
}

function open(why) {
	view?.close?.();
	generation++;
	main.replaceChildren();
	main.ariaBusy = "true";
	view = make_view(main, why);
	$("nav").hidden = $("who").hidden = !token();
	for (const link of $("nav").children)
		link.ariaCurrent = link.hash === view.nav ? "page" : null;
	load();
}

/* Until it has been shown once. */
async function load() {
	const number = generation;
	for (let ms = 1; ms && number === generation;) {
		ms = await refresh();
		await sleep(ms);
	}
}

/* Returns for how long nothing more should be asked. */
async function refresh() {
	const shown = view, number = generation;
	let pause_ms = 0;
	try {
		await shown.refresh();
		reached();
	} catch (error) {
		if (number !== generation)
			return 0;
		if (is_passing(error))
			pause_ms = not_reached(error);
		else if (token())
			draw(main, nothing({ 403: "Not for your role", 404: "Not there" }[error.status] ??
				"That did not work", plain(error.message, 400)));
	}
	if (number === generation) {
		main.ariaBusy = "false";
		document.title = `${shown.title} · deploybot`;
	}
	return pause_ms;
}

let wake = () => {};
const pause = (ms) => new Promise((done) => {
	const timer = setTimeout(done, ms);
	wake = () => { clearTimeout(timer); done(); };
});

/* Has the server anything to say since the last time? */
let heard = null;
async function is_news() {
	heard = await ask(heard ? `/v1/news/${heard.instance}/${heard.number}` : "/v1/news", { wait: heard !== null });
	return heard.again || heard.news.length > 0;
}

/* Shows what is new as soon as it is there; while nobody sees the page it asks for nothing. */
async function live() {
	let looked_at = Date.now();
	for (;;) {
		const began = Date.now();
		let wait_ms = 1000;
		try {
			if (document.hidden || !token()) {
				await pause(3600000);
				looked_at = 0;
			}
			if (token() && !me) {
				await know_me();
				await refresh();
			}
			if (token() && (await is_news() || Date.now() - looked_at > EVERY_MS.health)) {
				wait_ms = Math.max(wait_ms, await refresh());
				looked_at = Date.now();
				if (view.nav !== "#/approvals")
					count_pending(await pending());
			}
			reached();
		} catch (error) {
			wait_ms = is_passing(error) ? not_reached(error) : 5000;
			looked_at = 0;
		}
		if (Date.now() - began < wait_ms)
			await pause(wait_ms - (Date.now() - began));
	}
}

/* Telegram's clients, who alone may frame the page: it is there, and takes the whole height. */
function tell_telegram(event) {
	window.TelegramWebviewProxy?.postEvent?.(event, "{}");
	if (parent !== window)
		parent.postMessage(JSON.stringify({ eventType: event, eventData: {} }), "*");
}

async function start() {
	const login = take_login();
	let why = "";
	try {
		if (login)
			await log_in(login);
	} catch (error) {
		why = is_passing(error) ? "" : error.message;
	}
	open(why);
	wake();
	tell_telegram("web_app_ready");
	tell_telegram("web_app_expand");
	addEventListener("hashchange", () => {
		const again = take_login();
		if (again)
			log_in(again).then(() => { open(); wake(); }).catch((error) => leave(error.message));
		else
			open();
		scrollTo(0, 0);
		main.focus({ preventScroll: true });
	});
	document.addEventListener("visibilitychange", () => document.hidden || wake());
	setInterval(() => view.is_quick && !document.hidden && refresh(), EVERY_MS.quick);
	$("skip").addEventListener("click", (event) => {
		event.preventDefault();
		main.focus();
	});
	$("leave").addEventListener("click", () => {
		ask("/v1/session/end", { body: {} }).then(() => leave("You have signed out."), () => token() &&
			leave("Signed out here alone: the server did not answer. /logout in the chat ends it."));
	});
	setInterval(tick, 1000);
	if (token())
		pending().then(count_pending).catch(() => {});
	live();
}

start();
})();
