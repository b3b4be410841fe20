/* chat.js - the chat page: who acts, which chat, its messages as they come, and the composer. */
import { avatar, bubble, clock, day } from "./bubbles.js";
import { element } from "./text.js";
import { startElsewhere } from "./elsewhere.js";
import { startPanel } from "./panel.js";

const TOAST_MS = 3500;
const PRESS_MS = 15000;
const TYPING_MS = 5000;
const PRESENCE_MS = 3000;
const NEAR_BOTTOM_PX = 120;
const $ = (id) => document.getElementById(id);

const page = {
	world: null,            /* what /sim/state said last */
	messages: new Map(),    /* chat id → Map(message id → view) */
	seenUpTo: new Map(),    /* chat id → newest message id that was looked at */
	user: null,             /* the acting user's id */
	chat: null,             /* the open chat's id */
	thread: "all",          /* "all", "general", or a topic's id */
	pressed: new Map(),     /* callback query id → the button that waits for its answer; null: it came first */
	typing: 0,
	connected: false,
};

/* --- talking to the server --- */

async function get(path) {
	const answer = await fetch(path, { cache: "no-store" });
	if (!answer.ok)
		throw new Error(`${path}: ${answer.status}`);
	return answer.json();
}

async function act(action, body) {
	const answer = await fetch(`/sim/${action}`, {
		method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
	});
	const found = await answer.json().catch(() => ({}));
	if (!answer.ok)
		throw new Error(found.error || `${action}: ${answer.status}`);
	return found;
}

async function loadWorld() {
	const world = await get("/sim/state");
	if (page.world && page.world.started !== world.started)
		location.reload();
	page.world = world;
}

async function loadMessages(chatId) {
	const views = await get(`/sim/messages?chat=${chatId}`);
	page.messages.set(chatId, new Map(views.filter((v) => !v.deleted).map((v) => [v.message_id, v])));
}

function follow() {
	const stream = new EventSource(`/sim/stream?after=${page.world.seq}`);
	stream.onopen = async () => {
		const again = page.connected === false && page.everConnected;
		page.everConnected = true;
		setConnected(true);
		if (again)
			await loadWorld().catch(() => {});
	};
	stream.onerror = () => setConnected(false);
	stream.onmessage = (event) => handle(JSON.parse(event.data));
}

function setConnected(connected) {
	page.connected = connected;
	$("lost").hidden = connected;
	document.body.classList.toggle("is-lost", !connected);
	showStatus();
}

/* Whether the bot listens is not an event: ask now and then. */
async function lookForBot() {
	try {
		const world = await get("/sim/state");
		if (page.world.started !== world.started)
			location.reload();
		page.world.online = world.online;
	} catch {
		page.world.online = false;
	}
	showStatus();
}

/* --- what happened --- */

const handlers = {
	message: (event) => arrive(event, false),
	edit: (event) => arrive(event, true),
	delete: (event) => {
		page.messages.get(event.chat_id)?.delete(event.message_id);
		if (event.chat_id === page.chat)
			showMessages();
	},
	answer: (event) => answered(event),
	action: (event) => {
		if (event.chat_id !== page.chat)
			return;
		page.typing = Date.now() + TYPING_MS;
		showStatus();
		setTimeout(showStatus, TYPING_MS + 50);
	},
};

async function handle(event) {
	if (handlers[event.kind]) {
		handlers[event.kind](event);
	} else if (["commands", "user", "chat", "topic", "block"].includes(event.kind)) {
		await loadWorld();
		showAll();
	}
}

function arrive(view, isEdit) {
	const chat = page.messages.get(view.chat_id) || new Map();
	page.messages.set(view.chat_id, chat);
	chat.set(view.message_id, view);
	if (view.outgoing)
		page.typing = 0;
	showChats();
	showStatus();
	if (view.chat_id !== page.chat || !inThread(view))
		return;
	const atBottom = isAtBottom();
	const old = $("messages").querySelector(`[data-id="${view.message_id}"]`);
	if (isEdit && old) {
		const fresh = bubble(view, context());
		keepScroll(old, fresh);
		old.replaceWith(fresh);
		fresh.querySelector(".bubble")?.classList.add("changed");
	} else if (!old) {
		showMessages(view.message_id);
	}
	if (atBottom || mine(view))
		toBottom();
	else
		showDown();
}

/* A code block that was scrolled stays where it was when its message is edited. */
function keepScroll(old, fresh) {
	const before = [...old.querySelectorAll("pre")].map((node) => node.scrollLeft);
	requestAnimationFrame(() => fresh.querySelectorAll("pre").forEach((node, i) => {
		node.scrollLeft = before[i] || 0;
	}));
}

function answered(event) {
	const waiting = page.pressed.get(event.query_id);
	waiting?.classList.remove("waiting");
	if (waiting)
		page.pressed.delete(event.query_id);
	else if (event.user_id === page.user)
		page.pressed.set(event.query_id, null);
	if (event.user_id !== page.user || !event.text)
		return;
	if (event.alert) {
		$("alert-text").textContent = event.text;
		$("alert").showModal();
	} else {
		toast(event.text);
	}
}

/* --- what the person does --- */

async function say(text) {
	if (!text.trim())
		return;
	const options = typeof page.thread === "number" ? { thread_id: page.thread } : {};
	try {
		await act("say", { user_id: page.user, chat_id: page.chat, text: text.trim(), ...options });
	} catch (error) {
		toast(error.message);
	}
}

async function press(view, button, node) {
	node.classList.add("waiting");
	setTimeout(() => node.classList.remove("waiting"), PRESS_MS);
	try {
		const found = await act("press", {
			user_id: page.user, chat_id: view.chat_id, message_id: view.message_id,
			data: button.callback_data,
		});
		/* A quick bot answers before we hear under which number it was asked. */
		if (page.pressed.delete(found.query_id))
			node.classList.remove("waiting");
		else
			page.pressed.set(found.query_id, node);
	} catch (error) {
		node.classList.remove("waiting");
		toast(error.message);
	}
}

/* A Mini App beside the chat, as a phone shows it above: who opens it, it knows from the address. */
async function openApp(name, start) {
	try {
		const frame = element("iframe");
		frame.title = name;
		frame.src = (await act("web-app", { user_id: page.user, ...start && { start } })).url;
		closeApp();
		$("app-name").textContent = name;
		$("mini-app").append(frame);
		$("mini-app").hidden = false;
		document.body.classList.add("has-app");
	} catch (error) {
		toast(error.message);
	}
}

function closeApp() {
	$("mini-app").querySelector("iframe")?.remove();
	$("mini-app").hidden = true;
	document.body.classList.remove("has-app");
}

async function copy(text) {
	try {
		await navigator.clipboard.writeText(text);
		toast("Copied to clipboard");
	} catch {
		toast(text);
	}
}

function toast(text) {
	const node = element("div", "toast", text);
	$("toasts").append(node);
	setTimeout(() => node.classList.add("gone"), TOAST_MS);
	setTimeout(() => node.remove(), TOAST_MS + 400);
}

/* --- what is shown --- */

const user = (id) => page.world.users.find((u) => u.id === id);
const chatOf = (id) => page.world.chats.find((c) => c.id === id);
const isGroup = (chat) => chat.type !== "private";
const mine = (view) => view.message.from?.id === page.user;

function chatsOfUser() {
	return page.world.chats.filter((chat) => !chat.migrated_to &&
		(chat.id === page.user || (isGroup(chat) && chat.members.includes(page.user))));
}

function inThread(view) {
	if (page.thread === "all" || !chatOf(page.chat)?.is_forum)
		return true;
	return page.thread === "general" ? !view.thread_id : view.thread_id === page.thread;
}

function context() {
	const chat = chatOf(page.chat);
	return {
		group: isGroup(chat), mine, actions: { say, press, copy, openApp },
		seen: (view) => [...page.messages.get(page.chat).values()]
			.some((v) => v.outgoing && v.message_id > view.message_id),
		topicName: (id) => (chat.is_forum && page.thread === "all" &&
			chat.topics.find((t) => t.message_thread_id === id)?.name) || null,
	};
}

function showAll() {
	showPersonas();
	showChats();
	showHeader();
	showTopics();
	showMessages();
}

function showPersonas() {
	$("personas").replaceChildren(...page.world.users.filter((u) => !u.is_bot).map((u) => {
		const node = element("button", "persona",
			avatar(element("span", "avatar"), u.first_name, u.id, false),
			element("span", "persona-text",
				element("b", "", u.first_name), element("small", "", u.title || "")));
		node.type = "button";
		node.setAttribute("role", "radio");
		node.setAttribute("aria-checked", String(u.id === page.user));
		node.dataset.user = u.first_name;
		node.addEventListener("click", () => become(u.id));
		return node;
	}));
}

function previewOf(message) {
	const text = message.text || message.caption || message.document?.file_name || "";
	return text.split("\n")[0].slice(0, 60);
}

function chatRow(chat) {
	const views = [...(page.messages.get(chat.id)?.values() || [])];
	const last = views[views.length - 1];
	const seen = page.seenUpTo.get(chat.id) || 0;
	const unread = views.filter((v) => v.outgoing && v.message_id > seen).length;
	const name = isGroup(chat) ? chat.title : page.world.bot.first_name;
	const preview = last ? previewOf(last.message) : "no messages yet";
	const node = element("button", "chat-row",
		avatar(element("span", "avatar"), name, chat.id, !isGroup(chat)),
		element("span", "chat-text",
			element("span", "chat-top", element("b", "", name),
				element("time", "", last ? clock(last.message.date) : "")),
			element("span", "chat-last", preview)),
		unread && chat.id !== page.chat ? element("span", "unread", String(unread)) : null);
	node.type = "button";
	node.setAttribute("aria-current", String(chat.id === page.chat));
	node.addEventListener("click", () => open(chat.id));
	return element("li", "", node);
}

function showChats() {
	$("chats").replaceChildren(...chatsOfUser().map(chatRow));
}

function showHeader() {
	const chat = chatOf(page.chat);
	const name = isGroup(chat) ? chat.title : page.world.bot.first_name;
	avatar($("peer-avatar"), name, chat.id, !isGroup(chat));
	$("peer-name").textContent = name;
	$("peer-badge").hidden = isGroup(chat);
	const who = user(page.user);
	$("acting").replaceChildren(element("span", "", `as ${who.first_name}`));
	$("acting").title = who.title || "";
	$("open-app").hidden = chat.menu_button?.type !== "web_app";
	$("open-app").textContent = chat.menu_button?.text ?? "";
	showStatus();
}

function showStatus() {
	const chat = page.world && chatOf(page.chat);
	if (!chat)
		return;
	const people = chat.members.length + 1;
	let text = isGroup(chat) ? `${people} members` : page.world.online ? "online" : "not running";
	if (page.typing > Date.now())
		text = "typing…";
	if (!page.connected)
		text = "connecting…";
	$("peer-status").textContent = text;
	$("peer-status").classList.toggle("busy", page.typing > Date.now() || !page.connected);
}

function showTopics() {
	const chat = chatOf(page.chat);
	$("topics").hidden = !chat.is_forum;
	const tabs = [["all", "All"], ["general", "General"],
		...chat.topics.map((t) => [t.message_thread_id, t.name])];
	$("topics").replaceChildren(...tabs.map(([id, name]) => {
		const node = element("button", "topic", name);
		node.type = "button";
		node.setAttribute("role", "tab");
		node.setAttribute("aria-selected", String(id === page.thread));
		node.addEventListener("click", () => {
			page.thread = id;
			showTopics();
			showMessages();
			toBottom();
		});
		return node;
	}));
}

function showMessages(fresh) {
	const views = [...(page.messages.get(page.chat)?.values() || [])].filter(inThread);
	const rows = [];
	let lastDay = "";
	for (const view of views) {
		if (day(view.message.date) !== lastDay) {
			lastDay = day(view.message.date);
			rows.push(element("div", "service", lastDay));
		}
		const row = bubble(view, context());
		if (view.message_id === fresh)
			row.classList.add("fresh");
		rows.push(row);
	}
	if (!views.length)
		rows.push(emptyChat());
	const scrollLeft = new Map([...$("messages").querySelectorAll(".row")].map((row) =>
		[row.dataset.id, [...row.querySelectorAll("pre")].map((node) => node.scrollLeft)]));
	$("messages").replaceChildren(...rows);
	for (const row of rows)
		row.querySelectorAll?.("pre").forEach((node, i) => {
			node.scrollLeft = scrollLeft.get(row.dataset.id)?.[i] || 0;
		});
	if (views.length)
		page.seenUpTo.set(page.chat, views[views.length - 1].message_id);
}

function emptyChat() {
	const start = element("button", "start", "Start");
	start.type = "button";
	start.addEventListener("click", () => say("/start"));
	return element("div", "empty", avatar(element("span", "avatar"), "", 0, true),
		element("b", "", "What can this bot do?"),
		element("p", "", "It builds, ships and checks your application, and takes back "
			+ "what is broken."), start);
}

function isAtBottom() {
	const box = $("scroll");
	return box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_BOTTOM_PX;
}

function toBottom() {
	requestAnimationFrame(() => {
		$("scroll").scrollTop = $("scroll").scrollHeight;
		showDown();
	});
}

/* A window that changes its size, or a view that comes back, shows what it showed: the end. */
function stayAtBottom() {
	let atBottom = true;
	$("scroll").addEventListener("scroll", () => {
		if ($("scroll").clientHeight)
			atBottom = isAtBottom();
	}, { passive: true });
	new ResizeObserver(() => {
		if (atBottom)
			toBottom();
	}).observe($("scroll"));
}

function showDown() {
	$("down").hidden = isAtBottom();
}

/* --- moving about --- */

async function become(userId) {
	page.user = userId;
	const chats = chatsOfUser();
	await Promise.all(chats.map((chat) => loadMessages(chat.id)));
	const same = chats.find((chat) => chat.id === page.chat && isGroup(chat));
	open(same ? same.id : userId, true);
}

function open(chatId, stay) {
	page.chat = chatId;
	page.thread = "all";
	if (!stay)
		show("chat");
	showAll();
	showChats();
	toBottom();
	hideMenu();
}

function show(view) {
	document.body.dataset.view = view;
	for (const button of document.querySelectorAll("[data-show]"))
		button.setAttribute("aria-current", String(button.dataset.show === view));
}

/* --- the composer and its command menu --- */

/* The narrowest scope that has a list wins, as in Telegram. */
function commands() {
	const chat = chatOf(page.chat);
	const admin = chat.admins.includes(page.user);
	const scopes = [`chat_member:${chat.id}:${page.user}`];
	if (isGroup(chat) && admin)
		scopes.push(`chat_administrators:${chat.id}`);
	scopes.push(`chat:${chat.id}`);
	if (isGroup(chat) && admin)
		scopes.push("all_chat_administrators");
	scopes.push(isGroup(chat) ? "all_group_chats" : "all_private_chats", "default");
	return page.world.commands[scopes.find((scope) => page.world.commands[scope]?.length)] || [];
}

const menu = { items: [], at: -1 };

function showMenu(filter) {
	menu.items = commands().filter((c) => c.command.startsWith(filter));
	menu.at = menu.items.length ? 0 : -1;
	$("menu").hidden = !menu.items.length;
	drawMenu();
}

function drawMenu() {
	$("menu").replaceChildren(...menu.items.map((c, i) => {
		const node = element("li", i === menu.at ? "menu-row at" : "menu-row",
			element("b", "", `/${c.command}`), element("span", "", c.description));
		node.setAttribute("role", "option");
		node.setAttribute("aria-selected", String(i === menu.at));
		node.addEventListener("mousedown", (event) => {
			event.preventDefault();
			choose(i);
		});
		return node;
	}));
	$("menu").children[menu.at]?.scrollIntoView({ block: "nearest" });
}

function hideMenu() {
	$("menu").hidden = true;
	menu.items = [];
	menu.at = -1;
}

function choose(index) {
	$("input").value = `/${menu.items[index].command} `;
	hideMenu();
	$("input").focus();
	fitInput();
}

function fitInput() {
	const input = $("input");
	input.style.height = "auto";
	input.style.height = `${Math.min(input.scrollHeight, 140)}px`;
}

function onInput() {
	fitInput();
	const word = $("input").value.match(/^\/(\w*)$/);
	if (word)
		showMenu(word[1]);
	else
		hideMenu();
}

function onKey(event) {
	const open = !$("menu").hidden;
	if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
		const step = event.key === "ArrowDown" ? 1 : -1;
		menu.at = (menu.at + step + menu.items.length) % menu.items.length;
		drawMenu();
		event.preventDefault();
	} else if (open && event.key === "Tab") {
		choose(menu.at);
		event.preventDefault();
	} else if (open && event.key === "Escape") {
		hideMenu();
	} else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
		event.preventDefault();
		const exact = menu.items.some((c) => `/${c.command}` === $("input").value);
		if (open && !exact)
			choose(menu.at);
		else
			$("composer").requestSubmit();
	}
}

function onSubmit(event) {
	event.preventDefault();
	const text = $("input").value;
	$("input").value = "";
	fitInput();
	hideMenu();
	say(text);
}

function listen() {
	$("composer").addEventListener("submit", onSubmit);
	$("input").addEventListener("input", onInput);
	$("input").addEventListener("keydown", onKey);
	$("input").addEventListener("blur", hideMenu);
	$("open-app").addEventListener("click", () => openApp($("open-app").textContent));
	$("close-app").addEventListener("click", closeApp);
	$("slash").addEventListener("mousedown", (event) => event.preventDefault());
	$("slash").addEventListener("click", () => {
		if ($("menu").hidden)
			showMenu("");
		else
			hideMenu();
		$("input").focus();
	});
	$("scroll").addEventListener("scroll", showDown, { passive: true });
	$("down").addEventListener("click", toBottom);
	stayAtBottom();
	for (const button of document.querySelectorAll("[data-show]"))
		button.addEventListener("click", () => show(button.dataset.show));
	for (const button of document.querySelectorAll("[data-say]"))
		button.addEventListener("click", () => {
			show("chat");
			say(button.dataset.say);
		});
}

async function start() {
	listen();
	try {
		await loadWorld();
	} catch {
		setConnected(false);
		setTimeout(() => location.reload(), 2000);
		return;
	}
	show("chat");
	follow();
	setInterval(lookForBot, PRESENCE_MS);
	const people = page.world.users.filter((u) => !u.is_bot);
	if (people.length)
		await become(people[0].id);
	if (page.world.panel)
		startPanel(get, act, toast);
	else
		document.body.classList.add("no-panel");
	if (page.world.elsewhere)
		startElsewhere(get);
	document.body.classList.add("ready");
}

start();
