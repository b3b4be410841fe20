/* peers.h - who may connect to deploybot-link: an agent or a remote runner, and its key.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/crypto_ca.h"
#include "types/limits.h"

#define PEER_AGENT  "agent/"
#define PEER_RUNNER "runner/"
#define RUNNER_LOCAL "local" /* the runner of this machine, as rows and settings name it */
#define PEERS_MOST 12000 /* as many as deploybot-link lets connect */
#define PEER_LIFE_MS (30 * 24 * 3600 * INT64_C(1000)) /* of a certificate that deploybot signs */

struct peer {
	char identity[CRYPTO_CA_IDENTITY]; /* "agent/acme", as its certificate says; "": none */
	char digest[LIMIT_DIGEST];	   /* of its key, as crypto_ca_key_digest() gives it */
	int64_t made_at;		   /* wall ms */
	int64_t made_by;
	char by[LIMIT_PERSON];
	int64_t revoked_at; /* wall ms; 0: it is good */
	int64_t ends_at; /* wall ms: of its certificate; 0: not known, a person has signed it */
	char next_digest[LIMIT_DIGEST]; /* of a key that was signed, and not seen; "": none */
	int64_t next_ends_at;
	int64_t changed_at; /* wall ms: its list, since the first one; 0: it did not */
	/* fingerprint_digest() of the list of what it may be ordered; "": it never said one */
	char manifest[LIMIT_DIGEST];
};

/* Of a code (lib/enrol_code.h): for whom it is, and which key it has enrolled. */
struct peer_code {
	char identity[CRYPTO_CA_IDENTITY]; /* "": there is none */
	char digest[LIMIT_DIGEST];	   /* of its id */
	char secret[LIMIT_DIGEST];	   /* by which it and its answer are proven */
	int64_t until;			   /* wall ms */
	int64_t made_by;
	char by[LIMIT_PERSON];
	bool is_move;		/* the name has a key already, which ends */
	char key[LIMIT_DIGEST]; /* "": it was not used */
};

/* Who has a run, and is disconnected. */
struct runner_gone {
	char name[LIMIT_RUNNER]; /* "local", "agent:acme" */
	int64_t at;		 /* wall ms; 0: it is connected, or the run is not open */
	bool is_servers;	 /* that of another server: connected when that one leads */
};

/* "acme" */
const char *peer_name(const struct peer *peer) MUST_USE;

/* A remote runner, not an agent? */
bool peer_is_runner(const struct peer *peer) MUST_USE;

/* Is it a name that a certificate may have: a-z 0-9 . -, none of these two first? */
bool peer_is_name(const char *name) MUST_USE;

/* The name behind "agent:", of CLIENT_<ID>_HOST or of the runner that a run has; NULL: another kind
 * of host or runner, or none. */
const char *peer_of_host(const char *host) MUST_USE;

/* As a run's row names who has it: of "agent/acme" "agent:acme", of "runner/build-1" "build-1".
 * Returns out. */
const char *peer_runner(const char *identity, char out[LIMIT_RUNNER]);

/* "agent/acme", cut where it is too long.  Returns out. */
const char *peer_identity(const char *name, char out[CRYPTO_CA_IDENTITY]);

/* Is it a list of capabilities, as an agent says it: NAME=DIGEST, sorted, one blank between?  "" is
 * that of a host without any. */
bool peer_is_manifest(const char *list) MUST_USE;

/* The digest that it has of that name, whose 64 digits are not its end; NULL: it has none. */
const char *peer_capability(const char *list, const char *name) MUST_USE;

/* Is it a digest: 64 lower-case hexadecimal digits? */
bool peer_is_digest(const char *text) MUST_USE;
