// runner.js - what a step is given by the runner of GitHub Actions, and what it prints for it.
// SPDX-License-Identifier: ISC
"use strict";
const { appendFileSync } = require("node:fs");

const WORDS_MAX = 400; // characters of others in one line of the log

// On one line, and no command to the runner: those begin with "::", or have "##[" anywhere (its ActionCommand.cs).
function plain(text) {
	const line = String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
	return (line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line).replaceAll("##[", "## [");
}

function input(name) {
	return (process.env[`INPUT_${name.toUpperCase()}`] ?? "").trim();
}

function given(name) {
	const value = process.env[name];
	if (!value)
		throw new Error(
			name.startsWith("ACTIONS_ID_TOKEN") ?
				"GitHub gives this job no token: it needs `permissions: id-token: write`"
			:	`${name} is not set: this is no step of GitHub Actions`,
		);
	return value;
}

function say(text) {
	console.log(`deploybot: ${plain(text)}`);
}

// kind: error, warning.  What is said is data of a command, where % begins an escape.
function annotate(kind, text) {
	console.log(`::${kind}::deploybot: ${plain(text).replaceAll("%", "%25")}`);
}

// From here on the runner prints *** in its place.
function mask(secret) {
	console.log(`::add-mask::${secret}`);
}

// For the post step, which finds it in STATE_<name>; the last one counts.
function keep(name, value) {
	appendFileSync(given("GITHUB_STATE"), `${name}=${value}\n`);
}

module.exports = { plain, input, given, say, annotate, mask, keep };
