/* text.js - turns a message's text and entities into nodes. Never uses innerHTML. */

export function element(tag, className, ...children) {
	const node = document.createElement(tag);
	if (className)
		node.className = className;
	node.append(...children.filter((child) => child !== null && child !== undefined));
	return node;
}

const WRAPPERS = {
	bold: "strong", italic: "em", underline: "u", strikethrough: "s", code: "code",
	blockquote: "blockquote", expandable_blockquote: "blockquote", spoiler: "span",
};

function safeLink(url) {
	const whole = /^[a-z][a-z0-9+.-]*:/i.test(url) ? url : `https://${url}`;
	return /^(https?|tg|mailto|tel):/i.test(whole) ? whole : null;
}

function link(url, className, children) {
	const node = element("a", className, ...children);
	const target = safeLink(url);
	if (target) {
		node.href = target;
		node.target = "_blank";
		node.rel = "noopener noreferrer";
	}
	return node;
}

function preformatted(entity, children, actions) {
	const copy = element("button", "pre-copy", "copy");
	const body = element("pre", "", element("code", "", ...children));
	copy.type = "button";
	copy.addEventListener("click", () => actions.copy(body.textContent));
	return element("div", "pre", element("div", "pre-head", entity.language || "output", copy), body);
}

function wrap(entity, source, children, actions) {
	switch (entity.type) {
	case "pre":
		return preformatted(entity, children, actions);
	case "text_link":
		return link(entity.url, "", children);
	case "url":
		return link(source, "", children);
	case "bot_command": {
		const node = element("button", "command", ...children);
		node.type = "button";
		node.addEventListener("click", () => actions.say(source));
		return node;
	}
	case "mention":
		return element("span", "mention", ...children);
	case "code": {
		const node = element("code", "", ...children);
		node.title = "Copy";
		node.addEventListener("click", () => actions.copy(source));
		return node;
	}
	default: {
		const node = element(WRAPPERS[entity.type] || "span", "", ...children);
		if (entity.type === "spoiler")
			node.className = "spoiler";
		return node;
	}
	}
}

/* Offsets are UTF-16 units, as JavaScript's strings are; entities nest and never cross. */
function nodes(text, start, end, entities, actions) {
	const found = [];
	let at = start;
	for (let i = 0; i < entities.length; i++) {
		const entity = entities[i];
		if (entity.offset < at)
			continue;
		const stop = Math.min(entity.offset + entity.length, end);
		const isBlock = entity.type === "pre" || entity.type.endsWith("blockquote");
		if (entity.offset > at)
			found.push(text.slice(at, entity.offset));
		const inner = entities.slice(i + 1).filter((e) => e.offset + e.length <= stop);
		found.push(wrap(entity, text.slice(entity.offset, stop),
			nodes(text, entity.offset, stop, inner, actions), actions));
		/* A block stands on lines of its own: the line break behind it is already there. */
		at = isBlock && text[stop] === "\n" ? stop + 1 : stop;
	}
	if (at < end)
		found.push(text.slice(at, end));
	return found;
}

export function render(text, entities, actions) {
	return nodes(text, 0, text.length, entities || [], actions);
}
