/* panel.js - "Your repository": commits, pushes, and what the running applications answer. */
import { element } from "./text.js";

const EVERY_MS = 2000;
const $ = (id) => document.getElementById(id);
const TARGETS = { develop: "staging", main: "production" };

const panel = {
	state: null, branch: "develop", get: null, act: null, toast: null, shown: new Map(),
};

function ago(iso) {
	const seconds = Math.max(0, (Date.now() - Date.parse(iso)) / 1000);
	for (const [size, unit] of [[86400, "d"], [3600, "h"], [60, "min"]])
		if (seconds >= size)
			return `${Math.floor(seconds / size)} ${unit}`;
	return "now";
}

function showBranches() {
	$("branches").replaceChildren(...panel.state.branches.map((branch) => {
		const node = element("button", "segment", branch.name);
		node.type = "button";
		node.setAttribute("role", "tab");
		node.setAttribute("aria-selected", String(branch.name === panel.branch));
		node.title = TARGETS[branch.name] ? `goes to ${TARGETS[branch.name]}` : "";
		node.addEventListener("click", () => {
			panel.branch = branch.name;
			showRepository();
		});
		return node;
	}));
}

function showCommits() {
	const branch = panel.state.branches.find((b) => b.name === panel.branch);
	const rows = branch.commits.map((commit) => {
		const running = panel.state.apps.filter((app) => app.up && app.health?.commit === commit.id);
		return element("li", "commit",
			element("span", "commit-line", element("span", "commit-subject", commit.subject),
				...running.map((app) => element("span", `tag tag-${app.name}`, app.name))),
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
	const version = app.health?.version ? `v${app.health.version} · ` : "";
	const facts = state === "down" ? "not running"
		: `HTTP ${app.status} · ${version}${app.ms.toFixed(0)} ms`;
	card.className = `app is-${state}`;
	card.firstChild.replaceChildren(element("span", "dot"), link,
		element("code", "", commit ? commit.slice(0, 7) : ""));
	card.lastChild.textContent = facts;
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
	showBranches();
	showCommits();
}

async function look() {
	try {
		panel.state = await panel.get("/sim/panel/state");
		if (!panel.state.branches.some((b) => b.name === panel.branch))
			panel.branch = panel.state.branches[0].name;
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
		const made = await panel.act(`panel/${action}`, body);
		const told = made.delivery && !made.delivery.status ? " (the webhook did not answer)" : "";
		$("panel-note").textContent = `pushed ${made.after.slice(0, 7)} to ${made.branch}${told}`;
		await look();
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
	look();
	setInterval(look, EVERY_MS);
}
