// npm_vault.mjs MODULES - node-vault does with a server what its standard input says; prints what it was answered, as JSON.
// SPDX-License-Identifier: ISC
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const require = createRequire(import.meta.url);
const client = require(join(resolve(process.argv[2]), "node-vault"));
const given = JSON.parse(readFileSync(0, "utf8"));
const open = (token) => client({ endpoint: given.url, token, apiVersion: "v1", namespace: given.namespace });
const own = open();
const refused = (promise) => promise.then(() => "taken", ({ message, response }) => `${response?.statusCode} ${message}`);

// A token of that role, wrapped; what is said of the wrapping token; what was in it, and what its second use is answered.
async function lend(policy) {
	const { wrap_info } = await own.tokenCreateRole({
		role_name: "deploybot-lend", policies: [policy], explicit_max_ttl: "15m", renewable: false, meta: { work: "12" },
		requestOptions: { headers: { "X-Vault-Wrap-TTL": "120" } },
	});
	const looked = await open().write("sys/wrapping/lookup", { token: wrap_info.token });
	const { auth } = await open(wrap_info.token).unwrap();
	return { wrap_info, looked: looked.data, auth, again: await refused(open(wrap_info.token).unwrap()) };
}

const said = { health: await own.health(), seal: await own.status() };
said.wrong = await refused(own.approleLogin({ role_id: given.role_id, secret_id: "another" }));
said.login = (await own.approleLogin({ role_id: given.role_id, secret_id: given.secret_id })).auth;
said.self = (await own.tokenLookupSelf()).data;
said.renewed = (await own.tokenRenewSelf({ increment: "10m" })).auth;
said.kv1 = (await own.read("kv/app/config")).data;
said.kv2 = (await own.read("secret/data/django/database")).data;
said.first = (await own.read("secret/data/django/database?version=1")).data;
said.denied = await refused(own.read("secret/data/another"));
said.lent = await lend("deploybot-secret-database");
said.too_much = await refused(lend("deploybot"));

const lent = open(said.lent.auth.client_token);
said.read = (await lent.read("secret/data/django/database")).data;
said.no_default = await refused(lent.tokenLookupSelf());
const shop = await lend("deploybot-secret-shop");
said.creds = await open(shop.auth.client_token).read("database/creds/shop");
said.accessor = (await own.tokenLookupAccessor({ accessor: shop.wrap_info.wrapped_accessor })).data;
said.lease = (await own.renew({ lease_id: said.creds.lease_id, increment: 60 })).lease_duration;
await own.tokenRevokeAccessor({ accessor: shop.wrap_info.wrapped_accessor });
said.revoked_twice = (await own.tokenRevokeAccessor({ accessor: shop.wrap_info.wrapped_accessor })).warnings;
said.ended = await refused(own.renew({ lease_id: said.creds.lease_id }));
said.gone = await refused(own.tokenLookupAccessor({ accessor: shop.wrap_info.wrapped_accessor }));
process.stdout.write(JSON.stringify(said));
