// fast_clock.cjs - preloaded: a wait is noted in the file WAITS and takes a FASTth of its time; the clock shows waits alone.
// SPDX-License-Identifier: ISC
"use strict";
const { appendFileSync } = require("node:fs");
const timers = require("node:timers/promises");
const { FAST, WAITS } = process.env;
const { setTimeout: wait } = timers;
let now = 0;

timers.setTimeout = async (ms) => {
	appendFileSync(WAITS, `${ms}\n`);
	await wait(ms / FAST);
	now += ms;
};
Object.defineProperty(performance, "now", { value: () => now }); // Node 18 takes no assignment
