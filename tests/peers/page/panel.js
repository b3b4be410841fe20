/* panel.js - "Your repository", of each application: commits, pushes, and what the running applications answer. */
import { element } from "./text.js";

const EVERY_MS = 2000;
const $ = (id) => document.getElementById(id);
const TARGETS = { develop: "staging", main: "production" };

const panel = {
	state: null, application: "", branch: "develop", get: null, act: null, toast: null, shown: new Map(),
};

function ago(iso) {
	const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
	for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]])
		if (seconds >= size)
			return `${Math.floor(seconds / size)} ${unit}`;
	return "now";
}

function chosen() {
	return panel.state.applications.find((application) => application.name === panel.application);
}

/* One of several: what is chosen stands in panel[what]. */
function showSegments(id, what, names, title) {
	$(id).replaceChildren(...names.map((name) => {
		const node = element("button", "segment", name);
		node.type = "button";
		node.setAttribute("role", "tab");
		node.setAttribute("aria-selected", String(name === panel[what]));
		node.title = title(name);
		node.addEventListener("click", () => {
			panel[what] = name;
			showRepository();
		});
		return node;
	}));
}

function showCommits() {
	const branch = chosen().branches.find((b) => b.name === panel.branch);
	const rows = branch.commits.map((commit) => {
		const running = panel.state.apps.filter((app) => app.up && app.health?.commit === commit.id);
		return element("li", "commit",
			element("span", "commit-line", element("span", "commit-subject", commit.subject),
				...running.map((app) => app.name.split("/").at(-1))
					.map((name) => element("span", `tag tag-${name}`, name))),
			element("span", "commit-meta", element("code", "", commit.id.slice(0, 7)),
				` · ${commit.author} · ${ago(commit.at)}`));
	});
	$("commits").replaceChildren(...rows);
}

function appCard(app) {
	let card = panel.shown.get(app.name);
	if (!card) {
		card = element("article", "app", element("header", "app-head"),
			element("div", "app-view"), element("div", "app-facts"));
		card.dataset.app = app.name;
		panel.shown.set(app.name, card);
		$("apps").append(card);
	}
	return card;
}

function showApp(app) {
	const card = appCard(app);
	const state = app.up ? "up" : app.status ? "sick" : "down";
	const commit = app.health?.commit;
	const link = element("a", "app-name", app.name);
	link.href = app.url;
	link.target = "_blank";
	link.rel = "noopener noreferrer";
	const version = app.health?.version ? ` · v${app.health.version}` : "";
	card.className = `app is-${state}`;
	card.firstChild.replaceChildren(element("span", "dot"), link);
	card.lastChild.replaceChildren(...state === "down" ? ["not running"]
		: [element("code", "", commit ? commit.slice(0, 7) : ""), version,
			app.up ? "" : ` · HTTP ${app.status}`]);
	showPreview(card, app, `${state} ${commit}`);
}

/* The picture is fetched again only when another release answers. */
function showPreview(card, app, key) {
	if (card.dataset.key === key)
		return;
	card.dataset.key = key;
	const view = card.querySelector(".app-view");
	if (!app.status) {
		view.replaceChildren(element("span", "app-none", "nothing deployed yet"));
		return;
	}
	const frame = element("iframe");
	frame.title = `${app.name} as it is`;
	frame.loading = "lazy";
	frame.setAttribute("sandbox", "");
	frame.setAttribute("scrolling", "no");  /* a picture, not a window */
	frame.src = `/sim/panel/preview/${app.name}?of=${encodeURIComponent(key)}`;
	view.replaceChildren(frame);
}

function showRepository() {
	const names = panel.state.applications.map((application) => application.name);
	$("applications").hidden = names.length < 2;
	$("repository").hidden = names.length > 1;
	showSegments("applications", "application", names, (name) => `the repository of ${name}`);
	showSegments("branches", "branch", chosen().branches.map((branch) => branch.name),
		(name) => TARGETS[name] ? `goes to ${TARGETS[name]}` : "");
	showCommits();
}

async function look() {
	try {
		panel.state = await panel.get("/sim/panel/state");
		if (!chosen())
			panel.application = panel.state.applications[0].name;
		if (!chosen().branches.some((b) => b.name === panel.branch))
			panel.branch = chosen().branches[0].name;
		showRepository();
		panel.state.apps.forEach(showApp);
		$("panel").classList.remove("is-lost");
	} catch {
		$("panel").classList.add("is-lost");
	}
}

async function change(button, action, body) {
	button.disabled = true;
	try {
		const made = await panel.act(`panel/${action}`, { application: panel.application, ...body });
		const told = made.delivery && !made.delivery.status ? " (the webhook did not answer)" : "";
		$("panel-note").textContent = `pushed ${made.after.slice(0, 7)} to ${made.branch}${told}`;
		await look();
	} catch (error) {
		panel.toast(error.message);
	} finally {
		button.disabled = false;
	}
}

/* What is done at `action`, and what to look for then. */
async function harm(button, action, body, note) {
	button.disabled = true;
	try {
		await panel.act(action, body);
		$("fault-note").textContent = note;
	} catch (error) {
		panel.toast(error.message);
	} finally {
		button.disabled = false;
	}
}

export function startPanel(get, act, toast) {
	Object.assign(panel, { get, act, toast });
	for (const button of document.querySelectorAll("[data-kind]"))
		button.addEventListener("click", () =>
			change(button, "push", { branch: panel.branch, kind: button.dataset.kind }));
	$("promote").addEventListener("click", () => change($("promote"), "promote", {}));
	$("kill").addEventListener("click", () => harm($("kill"), "panel/kill", {},
		"killed: what was deploying goes on, and nothing is said twice"));
	$("unplug").addEventListener("click", () => harm($("unplug"), "unplug", { seconds: 20 },
		"for 20 s the bot hears and says nothing; then it says what happened meanwhile"));
	look();
	setInterval(look, EVERY_MS);
}
