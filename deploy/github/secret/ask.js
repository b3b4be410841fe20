// ask.js - requests to deploybot, by a new token of GitHub's each, and to Vault; again while nobody answers.
// SPDX-License-Identifier: ISC
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const https = require("node:https");
const tls = require("node:tls");
const { setTimeout: sleep } = require("node:timers/promises");
const { given, input, mask, say } = require("./runner.js");

const ANSWER_MAX = 512 * 1024; // bytes
const TRY_MS = 30_000;
const PAUSE_MIN_MS = 1_000;
const PAUSE_MAX_MS = 30_000;
const IS_JWT = /^[\w-]{1,2048}\.[\w-]{1,4096}\.[\w-]{1,2048}$/;

function object(text) {
	try {
		const value = JSON.parse(text);
		return typeof value === "object" && !Array.isArray(value) ? value : null;
	} catch {
		return null;
	}
}

async function read(answer) {
	const parts = [];
	let size = 0;
	for await (const part of answer) {
		size += part.length;
		if (size > ANSWER_MAX) throw new Error(`its answer is longer than ${ANSWER_MAX} bytes`);
		parts.push(part);
	}
	return Buffer.concat(parts).toString("utf8");
}

// What is wrong, in the words of deploybot ({"said"}) or of Vault ({"errors"}).
function words(answer, json) {
	const errors = Array.isArray(json?.errors) ? json.errors.join(", ") : "";
	const where = answer.headers.location ? ` to ${answer.headers.location}, which is not followed` : "";
	return (typeof json?.said === "string" && json.said) || errors || `HTTP ${answer.statusCode}${where}`;
}

// One try: {status, json, said, after}.  Status 0: there was no answer, and `said` has the reason.  Redirects are
// answers.
function once(url, { method = "GET", headers, body, ca }) {
	return new Promise((resolve) => {
		const fail = (wrong) => {
			const is_late = wrong.name === "AbortError";
			const said = is_late ? `no answer in ${TRY_MS / 1000} s` : (wrong.code ?? wrong.message);
			resolve({ status: 0, json: null, said, after: 0 });
		};
		const type = body && { "Content-Type": "application/json" };
		const request = (url.startsWith("https:") ? https : http).request(url, {
			method, ca, headers: { Accept: "application/json", ...type, ...headers },
			signal: AbortSignal.timeout(TRY_MS),
		});
		request.on("error", fail);
		request.on("response", (answer) => {
			read(answer).then((text) => {
				const json = object(text), after = Number(answer.headers["retry-after"]) || 0;
				resolve({ status: answer.statusCode, json, said: words(answer, json), after });
			}).catch((wrong) => {
				request.destroy();
				fail(wrong);
			});
		});
		request.end(body && JSON.stringify(body));
	});
}

// The first answer of attempt() that is one; 412 is of a Vault whose index is behind.  For `patience` ms.
async function insist(whom, attempt, patience) {
	const begun = performance.now();
	for (let pause = PAUSE_MIN_MS, n = 0; ; pause *= 2, n++) {
		const answer = await attempt();
		const is_trouble = [0, 412, 429].includes(answer.status) || answer.status >= 500;
		if (!is_trouble) return answer;
		const wait = Math.min(Math.max(pause, 1000 * answer.after), PAUSE_MAX_MS);
		if (performance.now() - begun + wait > patience)
			throw new Error(`${whom} is not reached: ${answer.said}`);
		if (n === 0) say(`${whom} is not reached, trying again: ${answer.said}`);
		await sleep(wait);
	}
}

// https, or http to this machine: all that is sent there is worth a secret.
function address(name) {
	const url = input(name);
	if (!/^(https:\/\/[A-Za-z0-9.-]+|http:\/\/(127\.0\.0\.1|localhost))(:\d{1,5})?\/?$/.test(url))
		throw new Error(`the input ${name} is no https://HOST[:PORT], without a path`);
	return url.replace(/\/$/, "");
}

// Beside what Node trusts by itself.
function certificates() {
	if (!input("ca")) return undefined;
	return [...(tls.getCACertificates?.("default") ?? tls.rootCertificates), fs.readFileSync(input("ca"), "utf8")];
}

class Deploybot {
	constructor() {
		this.url = address("server");
		this.audience = encodeURIComponent(input("audience") || this.url);
		this.issuer = given("ACTIONS_ID_TOKEN_REQUEST_URL");
		this.bearer = given("ACTIONS_ID_TOKEN_REQUEST_TOKEN");
		this.ca = certificates();
	}

	async attempt(method, path, body) {
		const headers = { Authorization: `Bearer ${this.bearer}` };
		const given = await once(`${this.issuer}&audience=${this.audience}`, { headers });
		const token = given.json?.value;
		if (given.status !== 200) return { ...given, said: `GitHub gives no token: ${given.said}` };
		if (typeof token !== "string" || !IS_JWT.test(token))
			return { ...given, status: 502, said: "GitHub gives no token: what it answers is none" };
		mask(token);
		headers.Authorization = `Bearer ${token}`;
		return once(this.url + path, { method, headers, body, ca: this.ca });
	}

	// The answer of status 2xx; any other is an error that has deploybot's words.
	async ask(method, path, patience, words = {}) {
		const body = method === "POST" ? words : undefined;
		const answer = await insist("deploybot", () => this.attempt(method, path, body), patience);
		if (answer.status < 200 || answer.status > 299) throw new Error(answer.said);
		return answer.json;
	}
}

class Vault {
	constructor() {
		this.url = address("vault");
		this.namespace = input("namespace");
		this.ca = certificates();
		if (!/^[\w./-]*$/.test(this.namespace)) throw new Error("the input namespace is none");
	}

	// {status, json, said}
	ask(method, path, { token, body }, patience) {
		const headers = { "X-Vault-Request": "true" };
		if (token) headers["X-Vault-Token"] = token;
		if (this.namespace) headers["X-Vault-Namespace"] = this.namespace;
		const options = { method, headers, body, ca: this.ca };
		return insist("Vault", () => once(`${this.url}/v1/${path}`, options), patience);
	}
}

module.exports = { Deploybot, Vault, sleep };
