/* vault.h - Vault: our own token, kept alive, and what is asked with it.  Side: loop. */
/* SPDX-License-Identifier: ISC */
/*
 * The token is VAULT_TOKEN, or that of a login by VAULT_ROLE_ID and VAULT_SECRET_ID.  It is renewed
 * at two thirds of its life, and a login takes its place where it cannot be renewed; each minute it
 * is looked at, so that what is said of it is so.  Its text is in memory and in headers alone,
 * never in a log, an error or an answer, and wiped.  A token that was replaced is not revoked, for
 * its leases would end with it.  A call that is refused (403) is asked once more where the token
 * was at fault and a login gives another one; one that a node does not know yet (412), after a
 * second.  Nothing that Vault may have done is ever asked twice.
 */
#pragma once

#include "clients/vault_answer.h"
#include "lib/loop.h"

struct settings;
struct vault;
struct vault_call;

#define VAULT_AT_ONCE 8	 /* calls in flight; others wait */
#define VAULT_CALLS   64 /* that there may be */

/* body: of VAULT_DONE, valid within the call; NULL: nothing was said. */
typedef void vault_done_fn(void *ctx, const struct vault_answer *answer, const struct json *body);

struct vault_request {
	const char *path;   /* behind /v1/: vault_path_is_fit() */
	const char *method; /* a literal; NULL: GET, or POST with a body */
	const char *body;   /* JSON; NULL: none */
	int wrap_ttl_s;	    /* the answer is wrapped for so long; 0: it is not */
	bool is_anonymous;  /* no token of ours is shown: /sys/health */
	const char *token;  /* of is_anonymous: this one is shown; NULL: none */
	vault_done_fn *on_done;
	void *ctx;
};

/* Without a VAULT_ADDR there is none to be asked, and vault_start() says so. */
struct vault *vault_new(struct loop *loop, struct settings *settings) MUST_USE;
void vault_free(struct vault *vault); /* takes NULL; cancels the calls that are open */

/* Where they name another Vault or another login all begins anew: calls end as VAULT_AWAY. */
void vault_settings(struct vault *vault, struct settings *settings);

/* on_done comes exactly once, from the loop and never in here, unless it is cancelled.  What the
 * request points at may go at once, but for ctx.  NULL: could not be started; *err says why,
 * ERR_BUSY where VAULT_CALLS are open, ERR_DENIED with the answer
 * where our token or login was just refused. */
struct vault_call *vault_start(
    struct vault *vault, const struct vault_request *request, struct err *err) MUST_USE;

/* Without on_done.  NULL is fine. */
void vault_cancel(struct vault_call *call);

struct vault_state {
	bool is_set; /* there is a VAULT_ADDR */
	bool is_up;  /* our last question about our token was answered, and it is good */
	bool ends;   /* the token, at a moment that is known; or there is none */
	int64_t ends_in_s;
};
struct vault_state vault_look(const struct vault *vault);
