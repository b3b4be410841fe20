/* link_renew.h - the certificates that a host may show, and a new one in time.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * The server's side asks for it: no clock of this host counts.  The new key is kept in memory until
 * its certificate is there; both are one file then, which is written as a whole, and the one of
 * before stands beside it: whether the server has seen the new key is not known here, so a host
 * that is refused shows the next one.
 */
#pragma once

#include <limits.h>

#include "link/link_frame.h"
#include "link/link_tls.h"
#include "lib/crypto_ca.h"

#define LINK_PAIRS 3

struct link_pairs {
	const struct link_settings *settings;
	const char *name; /* agent/acme: that of each */
	/* LINK_RENEWED_FILE, the one of before and the enrolled one: as many as there are. */
	struct link_pair {
		struct ssl_ctx_st *context;
		const char *key; /* the file that has it */
	} all[LINK_PAIRS];
	size_t count;
	char before[PATH_MAX];
	struct crypto_ca_pair next; /* a key that has no certificate yet, and its request */
};

/* Its last one is the enrolled one. */
void link_pairs_init(struct link_pairs *pairs, const struct link_settings *settings,
    struct ssl_ctx_st *enrolled, const char *name);

/* Makes the next key; what is sent for it, by the key of pair n. */
bool link_pairs_ask(struct link_pairs *pairs, size_t n, char ret[LINK_RENEWAL],
    struct err *err) MUST_USE;

/* Its certificate has come, in one line: it is the first one from now on.  Pair n is kept. */
bool link_pairs_take(
    struct link_pairs *pairs, size_t n, char *certificate, struct err *err) MUST_USE;
