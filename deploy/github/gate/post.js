// post.js - reports to deploybot how the job ended, so that its environment is free again; never fails the job.
// SPDX-License-Identifier: ISC
"use strict";
const { Deploybot } = require("./deploybot.js");
const { annotate, input, say } = require("./runner.js");

const PATIENCE_MS = 120_000; // a job that was cancelled is killed after five minutes

async function post() {
	const id = process.env.STATE_id ?? "";
	const conclusion = ["success", "cancelled"].find((word) => word === input("status")) ?? "failure";
	if (id === "") return; // the gate never opened, and deploybot knows
	try {
		if (!/^[1-9]\d{0,15}$/.test(id)) throw new Error("STATE_id is no number");
		await new Deploybot(input("url")).end(id, conclusion, PATIENCE_MS);
		say(`work ${id} has ended: ${conclusion}`);
	} catch (wrong) {
		const why = `it does not know how this job ended: ${wrong.message}`;
		annotate("warning", `${why}. /cancel there frees the environment`);
	}
}

post().then(() => process.stdout.write("", () => process.exit(0)));
