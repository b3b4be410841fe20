/* bubbles.js - one message as a bubble: sender, text, document, buttons, time and ticks. */
import { element, render } from "./text.js";

const COLOURS = ["#d9533d", "#c77a12", "#7a5cd6", "#2a8f55", "#2386b5", "#c24b86", "#3b6fd1"];

export function colourOf(id) {
	return COLOURS[Math.abs(id) % COLOURS.length];
}

export function avatar(node, name, id, isBot) {
	node.replaceChildren(isBot ? "" : [...name][0] || "?");
	node.classList.toggle("avatar-bot", Boolean(isBot));
	node.style.backgroundColor = isBot ? "" : colourOf(id);
	return node;
}

export function clock(seconds) {
	const at = new Date(seconds * 1000);
	return `${String(at.getHours()).padStart(2, "0")}:${String(at.getMinutes()).padStart(2, "0")}`;
}

export function day(seconds) {
	const at = new Date(seconds * 1000);
	if (at.toDateString() === new Date().toDateString())
		return "Today";
	return at.toLocaleDateString("en", { day: "numeric", month: "long" });
}

export function bytes(count) {
	if (count < 1024)
		return `${count} bytes`;
	const [size, unit] = count < 1 << 20 ? [1024, "KB"] : [1 << 20, "MB"];
	return `${(count / size).toFixed(1)} ${unit}`;
}

function documentRow(kept) {
	const row = element("a", "document", element("span", "document-icon"),
		element("span", "document-text", element("span", "document-name", kept.file_name),
			element("span", "document-size", bytes(kept.file_size))));
	row.href = `/sim/files/${kept.file_id}`;
	row.download = kept.file_name;
	return row;
}

function keyboard(view, actions) {
	const rows = view.message.reply_markup?.inline_keyboard;
	if (!rows)
		return null;
	return element("div", "keyboard", ...rows.map((row) =>
		element("div", "keyboard-row", ...row.map((button) => keyboardButton(view, button, actions)))));
}

function keyboardButton(view, button, actions) {
	if (button.url) {
		const node = element("a", "key key-link", button.text);
		node.href = button.url;
		node.target = "_blank";
		node.rel = "noopener noreferrer";
		return node;
	}
	const node = element("button", "key", button.text);
	node.type = "button";
	if (button.copy_text) {
		node.classList.add("key-copy");
		node.addEventListener("click", () => actions.copy(button.copy_text.text));
	} else if (button.web_app) {
		node.addEventListener("click", () => actions.openApp(button.text));
	} else {
		node.addEventListener("click", () => actions.press(view, button, node));
	}
	return node;
}

function meta(view, mine, seen) {
	const message = view.message;
	const node = element("span", "meta",
		message.edit_date ? element("i", "", "edited ") : null, clock(message.date));
	node.title = new Date(message.date * 1000).toLocaleString("en");
	if (mine)
		node.append(element("span", seen ? "ticks seen" : "ticks"));
	return node;
}

function quote(message) {
	const original = message.reply_to_message;
	if (!original)
		return null;
	return element("div", "quote", element("b", "", original.from?.first_name || "message"),
		element("span", "", (original.text || original.caption || "message").slice(0, 120)));
}

function senderName(view, context) {
	const message = view.message;
	if (!context.group || context.mine(view))
		return null;
	const name = element("div", "sender",
		message.sender_chat?.title || message.from?.first_name || "");
	if (message.from?.is_bot)
		name.append(element("span", "badge", "bot"));
	name.style.color = view.outgoing ? "" : colourOf(message.from?.id || 0);
	return name;
}

function service(message) {
	if (message.migrate_to_chat_id || message.migrate_from_chat_id)
		return "This group is a supergroup now";
	return null;
}

/* A row of the conversation. `context`: group, mine(view), seen(view), topicName(id), actions. */
export function bubble(view, context) {
	const message = view.message;
	const note = service(message);
	if (note)
		return element("div", "service", note);
	const mine = context.mine(view);
	const body = element("div", "body", ...render(message.text ?? message.caption ?? "",
		message.entities ?? message.caption_entities, context.actions));
	const topic = context.topicName(view.thread_id);
	const inside = element("div", "bubble", senderName(view, context),
		topic ? element("div", "topic-label", topic) : null,
		message.forward_origin ? element("div", "forwarded", "Forwarded message") : null,
		quote(message), message.document ? documentRow(message.document) : null,
		body, meta(view, mine, context.seen(view)));
	if (!body.textContent)
		body.remove();
	const row = element("div", mine ? "row mine" : "row theirs", inside,
		keyboard(view, context.actions));
	row.dataset.id = view.message_id;
	return row;
}
