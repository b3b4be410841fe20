// npm_opa.mjs MODULES - @open-policy-agent/opa asks a server what its standard input says; prints what it read, as JSON.
// SPDX-License-Identifier: ISC
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(resolve(process.argv[2]), "none.js"));
const { OPAClient } = await import(pathToFileURL(require.resolve("@open-policy-agent/opa")));
const given = JSON.parse(readFileSync(0, "utf8"));
const open = (token) => new OPAClient(given.url, token ? { headers: { authorization: `Bearer ${token}` } } : undefined);
const ask = (client, path, input) =>
	client.evaluate(path, input).then(
		(result) => ({ result: result === undefined ? "undefined" : result }),
		(error) => ({ status: error.httpMeta?.response?.status, code: error.code ?? error.data$?.code, what: `${error}` }),
	);

const said = {};
for (const [name, input] of Object.entries(given.inputs)) said[name] = await ask(open(given.token), given.path, input);
said.elsewhere = await ask(open(given.token), "deploybot/elsewhere", given.inputs.yes);
said.stranger = await ask(open("another"), given.path, given.inputs.yes);
said.nobody = await ask(open(), given.path, given.inputs.yes);
process.stdout.write(JSON.stringify(said));
