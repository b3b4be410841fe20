// server.mjs - the bench's peer: @octokit/webhooks as its README shows it; with a file: one durable insert a push.
// SPDX-License-Identifier: ISC
//
//   node server.mjs PORT SECRET [DATABASE]
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Webhooks, createNodeMiddleware } from "@octokit/webhooks";

const [port, secret, database] = process.argv.slice(2);
const webhooks = new Webhooks({ secret });

if (database) {
	const Database = createRequire(import.meta.url)("better-sqlite3");
	const db = new Database(database);
	db.pragma("journal_mode = WAL");
	db.pragma("synchronous = FULL");
	db.exec("CREATE TABLE delivery (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE," +
		" branch TEXT NOT NULL, commit_id TEXT NOT NULL, at INTEGER NOT NULL) STRICT");
	const insert = db.prepare("INSERT INTO delivery (id, branch, commit_id, at)" +
		" VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING");
	webhooks.on("push", ({ id, payload }) => {
		insert.run(id, payload.ref, payload.after, Date.now());
	});
} else {
	let pushes = 0;
	webhooks.on("push", () => {
		pushes++;
	});
}
createServer(createNodeMiddleware(webhooks, { path: "/github/webhook", log: {
	debug() {}, info() {}, warn() {}, error() {},
} })).listen(Number(port), "127.0.0.1");
