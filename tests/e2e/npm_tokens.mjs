// npm_tokens.mjs MODULES core|jose - tokens made by other people's code: what a job asks for, and what is signed or forged.
// SPDX-License-Identifier: ISC
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, what] = process.argv.slice(2);
const given = JSON.parse(readFileSync(0, "utf8"));
const load = (...path) => import(pathToFileURL(join(modules, ...path)));

// As a step does it: packages/core/src/oidc-utils.ts of actions/toolkit.
async function core() {
	const { getIDToken } = await load("@actions", "core", "lib", "core.js");
	return getIDToken(given.audience);
}

async function jose() {
	const { SignJWT, UnsecuredJWT, generateKeyPair, exportJWK, importPKCS8, importJWK, exportSPKI } =
		await load("jose", "dist", "webapi", "index.js");
	const { claims, kid, pem, jwk } = given;
	const sign = async (header, key, jti = crypto.randomUUID()) =>
		new SignJWT({ ...claims, jti }).setProtectedHeader({ alg: "RS256", kid, ...header }).sign(key, { crit: { odd: true } });
	const key = (alg) => importPKCS8(pem, alg);
	const own = await generateKeyPair("RS256", { extractable: true });
	const curve = await generateKeyPair("ES256");
	const spki = await exportSPKI(await importJWK(jwk, "RS256", { extractable: true }));
	return JSON.stringify({
		good: await sign({}, await key("RS256")),
		none: new UnsecuredJWT(claims).encode(),
		hs256: await sign({ alg: "HS256" }, new TextEncoder().encode(spki)),
		rs512: await sign({ alg: "RS512" }, await key("RS512")),
		ps256: await sign({ alg: "PS256" }, await key("PS256")),
		es256: await sign({ alg: "ES256" }, curve.privateKey),
		jwk: await sign({ jwk: await exportJWK(own.publicKey) }, own.privateKey),
		crit: await sign({ crit: ["odd"], odd: 1 }, await key("RS256")),
		other: await sign({}, own.privateKey),
	});
}

process.stdout.write(await { core, jose }[what]());
