/* enrol_code.h - a code by which a host enrols, and what is proven by it through whoever passes it on.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * The code is known to the host and to who has drawn it.  Between them goes its id, which says
 * which it is, and MACs by its secret: neither is found from the other, or from a MAC.  Who passes
 * them on reads and stops, and puts no key of its own in the place of another.
 */
#pragma once

#include "lib/crypto.h"

/* 100 random bits: four groups of five letters, as 7k3mq-….  Letters that look like others are not
 * among them. */
#define ENROL_CODE_DRAWN 20
#define ENROL_CODE	 24

/* Each in hex. */
struct enrol_proof {
	char id[CRYPTO_SHA256_HEX];
	char secret[CRYPTO_SHA256_HEX];
};

void enrol_code_text(const uint8_t drawn[ENROL_CODE_DRAWN], char ret[ENROL_CODE]);
MUST_USE bool enrol_code_proof(const char *code, struct enrol_proof *ret, struct err *err);

/* Of a text, as that side says it: "ask" or "yes". */
MUST_USE bool enrol_code_mac(const char *secret, const char *side, const char *text,
    char ret[CRYPTO_SHA256_HEX], struct err *err);

/* SHA-256 of an id, as it is kept. */
MUST_USE bool enrol_code_digest(const char *id, char ret[CRYPTO_SHA256_HEX], struct err *err);
