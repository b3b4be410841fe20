// index.js - borrows a secret: asks deploybot, waits for a yes, unwraps what Vault has made, and writes it into a file.
// SPDX-License-Identifier: ISC
"use strict";
const { randomUUID } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { Deploybot, Vault, sleep } = require("./ask.js");
const { annotate, given, input, mask, note, say, set_variable } = require("./runner.js");

const MINUTE_MS = 60_000;
const OFTEN = 10; // so many times each second, then each five
const UNWRAP_MS = 30_000; // each, of the 115 s that a job has for it
const WAITS = {
	awaiting_approval: "a person has to say yes", awaiting_confirmation: "a person has to say yes",
	running: "Vault is asked for it",
};

// An input, checked; what: what it should be.
function checked(name, form, what) {
	const value = input(name);
	if (!form.test(value)) throw new Error(`the input ${name} is no ${what}`);
	return value;
}

function read_inputs() {
	const wanted = {
		name: checked("name", /^[a-z0-9-]{1,120}(\/[a-z0-9-]{1,120})?$/, "name of a secret, as db-migrate"),
		role: checked("role", /^\w[\w.-]{0,127}$/, "role of Vault's"),
		read: checked("read", /^(?!.*\.\.)([\w-][\w./-]{0,511})?$/, "path, as secret/data/django/database"),
		field: input("field"),
		env: checked("env", /^([A-Za-z_]\w{0,127})?$/, "name of a variable"),
		limit: checked("wait", /^[1-9]\d{0,3}$/, "number of minutes") * MINUTE_MS,
	};
	if (wanted.read && !input("vault")) throw new Error("the input read is of Vault: the input vault is missing");
	if (wanted.field && !wanted.read) throw new Error("the input field is of a path: the input read is missing");
	["GITHUB_STATE", "GITHUB_OUTPUT", "RUNNER_TEMP", ...(wanted.env ? ["GITHUB_ENV"] : [])].forEach(given);
	return wanted;
}

const is_value = (value) => typeof value === "string" && value.length >= 1 && value.length <= 65536;
const is_token = (value) => typeof value === "string" && /^[\x21-\x7e]{8,2048}$/.test(value);

// What deploybot answers of a loan, with the wrapping token where it is lent.
function check_loan(json) {
	const is_loan = Number.isSafeInteger(json?.id) && json.id > 0 && typeof json.state === "string";
	const is_lent = "value" in (json ?? {}) ? is_value(json.value) && !("token" in json) :
		!("token" in (json ?? {})) || is_token(json.token);
	if (!is_loan || !is_lent) throw new Error("what is answered there is no answer of deploybot");
	if (json.token) mask(json.token);
	if (json.value) mask_value(json.value);
	return json;
}

// What whoever is asked for a yes reads.
function what_for() {
	const { GITHUB_JOB: job, GITHUB_WORKFLOW: workflow } = process.env;
	const reason = input("reason") || [job, workflow].filter(Boolean).join(" of ");
	return reason ? { reason: reason.replace(/[^\x20-\x7e]/g, "?").slice(0, 190) } : {};
}

// The loan, when it is lent.
async function borrow(bot, { name, limit }) {
	const begun = performance.now();
	let loan = check_loan(await bot.ask("POST", `/v1/secret/${name}`, Math.min(5 * MINUTE_MS, limit), what_for()));
	const { id } = loan;
	note("GITHUB_STATE", "id", id);
	note("GITHUB_OUTPUT", "id", id);
	for (let n = 0, shown = ""; ; n++) {
		if (loan.token || loan.value) return loan;
		if (loan.state !== shown)
			say(`${name}, #${id}: ${loan.state}${loan.state in WAITS ? `: ${WAITS[loan.state]}` : ""}`);
		shown = loan.state;
		const pause = n < OFTEN ? 1_000 : 5_000;
		const left = limit - (performance.now() - begun) - pause;
		if (left < 0) {
			const ours = "the input wait of this step is over, and not SECRET_WAIT of deploybot";
			throw new Error(`${name}, #${id}: not lent in ${limit / MINUTE_MS} minutes: ${ours}`);
		}
		await sleep(pause);
		loan = check_loan(await bot.ask("GET", `/v1/loan/${id}`, left));
	}
}

// Of what Vault answers 400 alone is of a wrapping token that is used up, or none; else it is busy, or lets nobody in.
function refused(answer, why) {
	if (answer.status !== 400) throw new Error(`Vault: ${answer.said}`);
	return { why: `${why}: ${answer.said}` };
}

// {token}, or {why} there is none.  Vault says itself what made that which is wrapped: nobody has put another in its
// place.
async function unwrap(vault, wrap, role) {
	const from = `auth/token/create/${role}`;
	const looked = await vault.ask("POST", "sys/wrapping/lookup", { body: { token: wrap } }, UNWRAP_MS);
	const path = looked.json?.data?.creation_path;
	if (looked.status !== 200) return refused(looked, "the wrapping token is not known to Vault");
	if (path !== from) return { why: `what is wrapped is of creation_path ${path}, and not of ${from}` };
	const got = await vault.ask("POST", "sys/wrapping/unwrap", { token: wrap }, UNWRAP_MS);
	const token = got.json?.auth?.client_token;
	if (got.status !== 200) return refused(got, "not unwrapped");
	return is_token(token) ? { token } : { why: `not unwrapped: ${got.said}` };
}

// The Vault token that was lent.
async function fetch_token(bot, vault, loan, role) {
	const { token, why } = await unwrap(vault, loan.token, role);
	if (token) {
		mask(token);
		return token;
	}
	await bot.ask("POST", `/v1/loan-failed/${loan.id}`, UNWRAP_MS)
		.catch((wrong) => annotate("warning", `loan #${loan.id}: not reported as failed: ${wrong.message}`));
	throw new Error(`${why}. Somebody else may have had it: /revoke ${loan.id}, and look at Vault's audit log`);
}

// Each text and number within, however deep; true, false and null are no secrets, and would make a log unreadable.
function mask_all(value) {
	if (typeof value === "string" || typeof value === "number") mask(String(value));
	else Object.values(value ?? {}).forEach(mask_all);
}

// deploybot has read it: a text, or JSON of all fields.
function mask_value(value) {
	mask(value);
	try {
		const fields = JSON.parse(value);
		if (typeof fields === "object") mask_all(fields);
	} catch {
		// It is no JSON.
	}
}

// What is delivered, of the fields at that path.  kv2 has them within `data`, beside `metadata`.
async function fetch_value(vault, token, { read, field }) {
	const answer = await vault.ask("GET", read, { token }, 2 * MINUTE_MS);
	const data = answer.json?.data, is_kv2 = Number.isSafeInteger(data?.metadata?.version);
	const fields = is_kv2 ? data.data : data;
	mask_all(fields);
	if (is_kv2 && !fields) throw new Error(`Vault, ${read}: its newest version is deleted`);
	if (answer.status !== 200) throw new Error(`Vault, ${read}: ${answer.said}`);
	if (typeof fields !== "object" || !fields) throw new Error(`Vault, ${read}: no fields`);
	if (!field) return JSON.stringify(fields);
	const value = Object.hasOwn(fields, field) ? fields[field] : null;
	if (value === null) throw new Error(`Vault, ${read}: no field ${field}`);
	return typeof value === "string" ? value : JSON.stringify(value);
}

// Its name is kept first, so that the post step removes also what is half written.
function deliver(value, env) {
	if (env && value.includes("\0"))
		throw new Error("it has a NUL, which no variable can have: use the file, without env");
	const file = path.join(given("RUNNER_TEMP"), `deploybot-secret-${randomUUID()}`);
	note("GITHUB_STATE", "file", file);
	fs.writeFileSync(file, value, { flag: "wx", mode: 0o600 });
	note("GITHUB_OUTPUT", "file", file);
	if (env) set_variable(env, value);
}

async function read_at_vault(bot, vault, loan, wanted) {
	if (!vault) throw new Error("a token of Vault's is lent: the input vault is missing");
	const token = await fetch_token(bot, vault, loan, wanted.role);
	return wanted.read ? fetch_value(vault, token, wanted) : token;
}

async function main() {
	const wanted = read_inputs(), bot = new Deploybot(), vault = input("vault") ? new Vault() : null;
	const loan = await borrow(bot, wanted);
	const value = loan.value ?? await read_at_vault(bot, vault, loan, wanted);
	mask(value);
	deliver(value, wanted.env);
	say(`${wanted.name}, #${loan.id}: lent until this job ends`);
}

main().catch((wrong) => {
	annotate("error", wrong.message);
	process.exitCode = 1;
});
