// npm_webhook.mjs MODULES - standardwebhooks verifies what its standard input has; prints, of each secret, its type or why not.
// SPDX-License-Identifier: ISC
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(join(resolve(process.argv[2]), "none.js"));
const { Webhook } = require("standardwebhooks");
const given = JSON.parse(readFileSync(0, "utf8"));
const read = (secret) => {
	try {
		return new Webhook(secret).verify(given.body, given.headers).type;
	} catch (error) {
		return `${error}`;
	}
};
process.stdout.write(JSON.stringify(given.secrets.map(read)));
