// main.js - asks deploybot for an environment and waits until this job has it.
// SPDX-License-Identifier: ISC
"use strict";
const { Deploybot, sleep } = require("./deploybot.js");
const { annotate, given, input, keep, say } = require("./runner.js");

const POLL_MS = 5_000;
const MINUTE_MS = 60_000;
const FIRST_MS = 5 * MINUTE_MS; // for the first answer: a wrong address shall not keep a runner for hours
const AWAY_MS = 60 * MINUTE_MS; // for each one behind it: deploybot may be down for a while
const STOP_MS = 6_000; // the runner kills 7.5 s behind SIGINT (actions/runner, ProcessInvoker.cs)
const WAITS = {
	requested: "the commit is looked for", awaiting_confirmation: "awaiting confirmation in the chat",
	awaiting_approval: "awaiting approval in the chat", queued: "queued", running: "open: this job goes on",
};
const ENDS = ["done", "failed", "refused", "cancelled", "expired", "superseded"];

function read_inputs() {
	const environment = input("environment"), minutes = input("timeout-minutes") || "480";
	if (!/^[a-z0-9-]{1,64}(\/[a-z0-9-]{1,64})?$/.test(environment))
		throw new Error("the input environment is none, as production or shop/production");
	if (!/^[1-9]\d{0,4}$/.test(minutes)) throw new Error("the input timeout-minutes is no number above 0");
	given("GITHUB_STATE");
	return { bot: new Deploybot(input("url")), environment, limit: minutes * MINUTE_MS };
}

const is_state = (value) => typeof value === "string" && /^[a-z_]{1,40}$/.test(value);
const is_begun = (json) => Number.isSafeInteger(json.id) && json.id > 0 && is_state(json.state);
const is_work = (json) => is_state(json.state);

function words(json) {
	const why = [json.said, json.detail].find((text) => typeof text === "string" && text);
	const open = json.state === "awaiting_approval" && json.approvals_open;
	const missing = Number.isSafeInteger(open) ? `, ${open} missing` : "";
	return `${WAITS[json.state] ?? json.state}${missing}${why ? `: ${why}` : ""}`;
}

// Until the gate is open.  gate: {id, over}, for whoever ends this before.
async function wait({ bot, environment, limit }, gate) {
	const begun = performance.now();
	const first = { method: "POST", path: "/v1/gate", body: { environment }, is_good: is_begun };
	let work = await bot.ask({ ...first, patience: Math.min(FIRST_MS, limit) });
	gate.id = work.id;
	keep("id", gate.id);
	for (let shown = ""; ; await sleep(POLL_MS)) {
		const left = limit - (performance.now() - begun);
		const next = { path: `/v1/work/${gate.id}`, patience: Math.min(AWAY_MS, left), is_good: is_work };
		if (shown) work = await bot.ask(next);
		const now = `${work.state} ${work.approvals_open ?? ""}`;
		const line = `${environment}, work ${gate.id}: ${words(work)}`;
		gate.over = work.is_over === true || ENDS.includes(work.state);
		if (gate.over) throw new Error(line);
		if (now !== shown && !gate.stopped) say(line);
		if (work.state === "running" || gate.stopped) return;
		shown = now;
		if (left < POLL_MS) throw new Error(`no yes for ${environment} in ${limit / MINUTE_MS} minutes`);
	}
}

// The job is cancelled while it waits.
function stopped(gate) {
	return new Promise((_, reject) => {
		for (const signal of ["SIGINT", "SIGTERM"])
			process.on(signal, () => {
				gate.stopped = true;
				reject(new Error("this job was cancelled while it waited"));
			});
	});
}

// deploybot shall not ask people about it any more.  Where it cannot be reached, the post step tries again.
async function give_up(bot, gate) {
	if (!gate.id) return;
	if (!gate.over) await bot.end(gate.id, "cancelled", STOP_MS, STOP_MS / 2);
	keep("id", "");
}

async function main() {
	const gate = { id: 0, over: false, stopped: false };
	let inputs;
	try {
		inputs = read_inputs();
		await Promise.race([wait(inputs, gate), stopped(gate)]);
		return 0;
	} catch (wrong) {
		annotate("error", wrong.message);
		await give_up(inputs?.bot, gate).catch((why) => {
			annotate("warning", `not cancelled there: ${why.message}`);
		});
		return 1;
	}
}

main().then((status) => process.stdout.write("", () => process.exit(status)));
