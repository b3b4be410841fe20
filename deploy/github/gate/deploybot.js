// deploybot.js - requests of a job to deploybot, by the tokens that GitHub gives it; again while nobody answers.
// SPDX-License-Identifier: ISC
"use strict";
const { setTimeout: sleep } = require("node:timers/promises");
const { given, mask, say } = require("./runner.js");

const ANSWER_MAX = 256 * 1024; // bytes; a work's own is some KB
const TOKEN_MAX = 7168;
const IS_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const TRY_MS = 30_000;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 60_000; // a gate whose job has not asked for three minutes is cancelled
const FRESH_MS = 60_000; // a token that lives less long is not used
const NOT_SERVED =
	"nothing is served at /v1 there: ENABLE_API_SERVER=true and a restart, and a proxy that passes /v1/ on";

async function read(answer) {
	const parts = [];
	let size = 0;
	for await (const part of answer.body ?? []) {
		size += part.length;
		if (size > ANSWER_MAX) throw new Error(`its answer is longer than ${ANSWER_MAX} bytes`);
		parts.push(part);
	}
	return Buffer.concat(parts).toString("utf8");
}

function object(text) {
	try {
		const value = JSON.parse(text);
		return typeof value === "object" && !Array.isArray(value) ? value : null;
	} catch {
		return null;
	}
}

// One try.  Status 0: there was no answer, and `said` has the reason.  Certificates and proxies are Node's own affair
// (NODE_EXTRA_CA_CERTS, NODE_USE_ENV_PROXY).
async function once(url, bearer, { method = "GET", body, limit = TRY_MS } = {}) {
	const headers = { Accept: "application/json", Authorization: `Bearer ${bearer}` };
	if (body) headers["Content-Type"] = "application/json";
	try {
		const answer = await fetch(url, {
			method, headers, body: body && JSON.stringify(body), redirect: "manual",
			signal: AbortSignal.timeout(limit),
		});
		const json = object(await read(answer));
		const said = typeof json?.said === "string" && json.said ? json.said : `HTTP ${answer.status}`;
		return { status: answer.status, json, said, after: Number(answer.headers.get("retry-after")) || 0 };
	} catch (wrong) {
		const cause = wrong.cause ?? wrong;
		return { status: 0, json: null, said: cause.code ?? cause.message, after: 0 };
	}
}

function expiry(token) {
	const claims = object(Buffer.from(token.split(".")[1], "base64url").toString("utf8"));
	return Number.isFinite(claims?.exp) ? 1000 * claims.exp : 0;
}

function is_trouble(status) {
	return status === 0 || status === 429 || status >= 500;
}

class Deploybot {
	constructor(url) {
		// The name that a token is made out to, too: it must be what deploybot's PUBLIC_URL is.
		if (!/^(https:\/\/[A-Za-z0-9.-]+|http:\/\/127\.0\.0\.1)(:\d{1,5})?\/?$/.test(url))
			throw new Error("the input url is no https://HOST[:PORT], without a path");
		this.url = url.replace(/\/$/, "");
		this.issuer = given("ACTIONS_ID_TOKEN_REQUEST_URL");
		this.secret = given("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
		this.until = 0; // of this.token, wall clock in ms
	}

	// A token is good for one request that changes something, and for all that only ask: the next one is another.
	forget() {
		this.until = 0;
	}

	// An answer as once() has it, whose `token` is there where its status is 200.
	async renew(limit) {
		if (this.until - Date.now() > FRESH_MS) return { status: 200, token: this.token };
		const audience = encodeURIComponent(this.url);
		const answer = await once(`${this.issuer}&audience=${audience}`, this.secret, { limit });
		const token = answer.json?.value;
		answer.said = `GitHub gives no token: ${answer.said}`;
		if (answer.status !== 200) return answer;
		if (typeof token !== "string" || token.length > TOKEN_MAX || !IS_TOKEN.test(token))
			return { ...answer, status: 502, said: "GitHub gives no token: what it answers is none" };
		mask(token);
		this.token = token;
		this.until = expiry(token);
		return { ...answer, token };
	}

	async attempt(method, path, body, limit) {
		const { token, ...answer } = await this.renew(limit);
		if (!token) return answer;
		const said = await once(this.url + path, token, { method, body, limit });
		return said.status === 404 && !said.json?.said ? { ...said, said: NOT_SERVED } : said;
	}

	// The answer of status 2xx that is_good().  Nobody answers, or with 429 or 5xx: again, for `patience` ms.
	async ask({ method = "GET", path, body, patience, is_good, limit = TRY_MS }) {
		const begun = performance.now();
		let is_renewed = false;
		for (let pause = PAUSE_MIN_MS, n = 0; ; n++) {
			const answer = await this.attempt(method, path, body, limit);
			const is_ok = answer.status >= 200 && answer.status < 300;
			if (is_ok && answer.json && is_good(answer.json)) return answer.json;
			if (answer.status === 401 && !is_renewed) {
				is_renewed = true;
				this.forget();
				continue;
			}
			if (is_ok) answer.said = "what it answers is no answer of deploybot";
			else if (!is_trouble(answer.status)) throw new Error(answer.said);
			const wait = Math.min(Math.max(pause, 1000 * answer.after), PAUSE_MAX_MS);
			if (performance.now() - begun + wait > patience)
				throw new Error(`not reached for ${Math.round(patience / 1000)} s: ${answer.said}`);
			if (n === 0) say(`not reached, trying again: ${answer.said}`);
			await sleep(wait);
			pause *= 2;
		}
	}

	async end(id, conclusion, patience, limit) {
		this.forget();
		const path = `/v1/gate-end/${id}`, body = { conclusion };
		await this.ask({ method: "POST", path, body, patience, limit, is_good: () => true });
	}
}

module.exports = { Deploybot, sleep };
