/* elsewhere.js - who is notified besides the chat: a panel for each, with what it has. */
import { element } from "./text.js";

const EVERY_MS = 1000;
const KEPT = 3;         /* messages of a panel: the newest stand first */
const $ = (id) => document.getElementById(id);

function line(text) {
	const [first, ...rest] = text.trim().split("\n");
	const node = element("li", "told", element("b", "", first), rest.length ? ` ${rest[0]}` : "");
	node.title = text;
	return node;
}

function panelOf(one) {
	const texts = one.texts.slice(-KEPT).reverse();
	const node = element("article", `elsewhere${one.down ? " is-broken" : ""}`,
		element("header", "elsewhere-head", element("b", "", one.name),
			element("small", "", one.down ? `broken; ${one.tries} tries` : `${one.texts.length}`)),
		texts.length ? element("ol", "", ...texts.map(line)) : element("p", "note", `notified of ${one.what}`));
	node.dataset.where = one.where;
	return node;
}

async function look(get) {
	try {
		$("elsewhere").replaceChildren(...(await get("/sim/elsewhere/state")).map(panelOf));
	} catch {
		/* It is asked again. */
	}
}

export function startElsewhere(get) {
	$("elsewhere-card").hidden = false;
	look(get);
	setInterval(() => look(get), EVERY_MS);
}
