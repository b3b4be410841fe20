// runner.js - what a step is given by the runner of GitHub Actions, and what it prints and writes for it.
// SPDX-License-Identifier: ISC
"use strict";
const { randomUUID } = require("node:crypto");
const { appendFileSync } = require("node:fs");

const WORDS_MAX = 400; // characters of others in one line of the log

// On one line, and no command to the runner: those begin with "::", or have "##[" anywhere (its ActionCommand.cs).
function plain(text) {
	const line = String(text).replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\s]+/gu, " ").trim();
	return (line.length > WORDS_MAX ? `${line.slice(0, WORDS_MAX)}…` : line).replaceAll("##[", "## [");
}

// What is data of a command, where % begins an escape.
function escaped(text) {
	return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
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

// kind: error, warning.
function annotate(kind, text) {
	console.log(`::${kind}::deploybot: ${escaped(plain(text))}`);
}

// From here on the runner prints *** in the place of the whole text and of each line: the log is masked line by line.
// A NUL ends a line too, as it ends what a program prints; a line counts with its blanks and without them.
function mask(text) {
	const lines = text.split(/[\r\n\0]+/);
	for (const one of new Set([text, ...lines, ...lines.map((line) => line.trim())]))
		if (one.trim()) console.log(`::add-mask::${escaped(one)}`);
}

// file: GITHUB_STATE, which the post step finds as STATE_<name>, or GITHUB_OUTPUT.  The value is one line.
function note(file, name, value) {
	appendFileSync(given(file), `${name}=${value}\n`);
}

// For the steps behind this one.  The word that ends the value is drawn by lot, so that no value can have it.
function set_variable(name, value) {
	const end = `end_${randomUUID()}`;
	appendFileSync(given("GITHUB_ENV"), `${name}<<${end}\n${value}\n${end}\n`);
}

module.exports = { input, given, say, annotate, mask, note, set_variable };
