/* vault_answer.h - what Vault can be asked for, and what it answers.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://developer.hashicorp.com/vault/api-docs: 200 and 204 are both good, and some statuses mean
 * something else of /sys/health.  A 403 does not say whose it is, the token's or its policy's, and
 * a 404 not whether the path is missing or not allowed.
 */
#pragma once

#include "lib/err.h"
#include "types/limits.h"

#define VAULT_ANSWER_MAX (96u << 10)
#define VAULT_TOKEN_MAX	 1024 /* bytes; a longer one is not taken */
#define VAULT_PATH	 512  /* with the NUL: what stands behind /v1/ */
#define VAULT_VERSION	 32
#define VAULT_HEALTH	 "sys/health"

struct buf;
struct json;

enum vault_verdict {
	VAULT_DONE, /* of /sys/health with any status, where it says how it stands */
	VAULT_INVALID, /* 400: no such request; of an unwrap a bad wrapping token */
	VAULT_FORBIDDEN, /* 403: the token is bad, or its policy lacks this */
	VAULT_TOKEN_REFUSED, /* by vault.c alone: no token or login of ours is taken */
	VAULT_NOT_FOUND, /* 404: not there, or not allowed */
	VAULT_DELETED, /* 404 of KV 2: that version was deleted */
	VAULT_AGAIN, /* 412: it has not come to this node yet */
	VAULT_LIMITED, /* 429: a quota; again after retry_after_s */
	VAULT_STANDBY, /* 429 of /sys/health */
	VAULT_DOWN, /* 472 to 474, 503 (sealed, too) and each other 5xx */
	VAULT_MOVED, /* a redirect, which nobody follows */
	VAULT_REFUSED, /* another 4xx, or what no Vault answers */
	VAULT_TORN, /* a body that is not whole */
	VAULT_TOO_LARGE, /* a body above VAULT_ANSWER_MAX */
	VAULT_AWAY, /* no answer */
};

/* What came; a header that is not there is NULL. */
struct vault_reply {
	enum err_code code; /* ERR_NONE: an answer; else `text` is why there is none */
	const char *text;
	bool was_sent; /* bytes of the request have gone out */
	int status;
	const char *body;
	size_t body_size;
	const char *retry_after, *location;
	int64_t date_s; /* that of the answer; -1: it has none */
	int64_t now_s;	/* since 1970 */
	bool is_health; /* /sys/health was asked */
	const char *secret; /* what was shown to Vault, of which nothing is said; NULL: nothing */
};

struct vault_answer {
	enum vault_verdict verdict;
	int status;    /* 0: none */
	bool was_sent; /* bytes of the request have gone out */
	bool is_of_access; /* it is about our own token: nothing else was asked */
	bool knows_clock;
	int64_t ahead_s;       /* our clock less Vault's, where that is known */
	int64_t retry_after_s; /* of LIMITED, 1 to 3,600; of AGAIN 1; else 0 */
	char detail[LIMIT_LINE]; /* of what is not DONE: one line, redacted */
};

/* *ret_body: what a DONE has said, to be freed; NULL: nothing (204). */
struct vault_answer vault_judge(const struct vault_reply *reply, struct json **ret_body);

/* A path that may stand behind /v1/: [A-Za-z0-9_/-] and single dots, no part empty, no dot at its
 * end; so neither "..", "%" nor a query. */
bool vault_path_is_fit(const char *path) MUST_USE;

/* A token of ours, as a login, a renewal or a lookup says it. */
struct vault_token {
	char text[VAULT_TOKEN_MAX + 1]; /* of a login; else "" */
	int64_t ttl_s; /* that are left; 0: it does not end */
	bool is_renewable;
	bool is_root;
};

/* `auth` of a login or a renewal, `data` of a lookup.  False: it has none, or a token that no
 * header can have. */
bool vault_read_login(const struct json *body, struct vault_token *ret, struct err *err) MUST_USE;
bool vault_read_renewal(const struct json *body, struct vault_token *ret, struct err *err) MUST_USE;
bool vault_read_lookup(const struct json *body, struct vault_token *ret, struct err *err) MUST_USE;

/* What a wrapped answer to auth/token/create/ROLE has. */
struct vault_wrap {
	char token[VAULT_TOKEN_MAX + 1]; /* by which the token within is had, once; to be wiped */
	char accessor[LIMIT_ACCESSOR];	 /* of the token within; "": none that we could name */
	char own[LIMIT_ACCESSOR]; /* of the wrapping token, by which it ends unused; "": none */
};

/* `wrap_info` of what was asked for at that path, and is over within ttl_most_s.  False: something
 * else came, and *err says which part of it; the token is "" then, and the accessor is given all
 * the same, also of a token that came unwrapped, so that what was made can be revoked.
 * https://developer.hashicorp.com/vault/docs/concepts/response-wrapping: creation_path is compared
 * whole, for a prefix says nothing of who made it. */
bool vault_read_wrap(const struct json *body, const char *path, int ttl_most_s,
    struct vault_wrap *ret, struct err *err) MUST_USE;

/* `auth` of an answer to auth/token/create/ROLE that is not wrapped.  False: it has no token, or no
 * accessor, which is given all the same, so that what was made can be revoked. */
bool vault_read_made(const struct json *body, struct vault_wrap *ret, struct err *err) MUST_USE;

#define VAULT_VALUE_MAX (64u << 10)
#define VAULT_VALUE_MIN 6 /* a shorter one no log is kept free of */

/* What stands at a path that was read: the text of that field, or JSON of all where field is "".
 * is_kv2: it has them beside `metadata`.  False: *err says why it is not delivered, and nothing of
 * the value; ret is to be wiped all the same. */
bool vault_read_value(const struct json *body, bool is_kv2, const char *field, struct buf *ret,
    struct err *err) MUST_USE;

/* A role that tokens are made by, as auth/token/roles/NAME says it. */
struct vault_role {
	bool is_orphan;	     /* its tokens do not end with the one that they are made with */
	bool is_batch;	     /* its tokens have no accessor, and none can be revoked */
	bool adds_default;   /* the policy `default`; a Vault before 1.9 does not say: false */
	bool has_glob_alone; /* allowed_policies_glob is that glob, and nothing else */
	bool has_policies;   /* allowed_policies names some, which are allowed besides */
	int64_t period_s;    /* 0: none */
	int64_t longest_s;   /* token_explicit_max_ttl; 0: none */
};

/* `data` of a role that may make tokens of policies which that glob fits.  False: it is none.
 * tokenStoreRoleRead() of Vault's vault/token_store.go: lists may be null, and what it calls
 * token_period has the `period` of older roles. */
bool vault_read_role(const struct json *body, const char *glob, struct vault_role *ret,
    struct err *err) MUST_USE;

struct vault_health {
	bool is_initialized, is_sealed, is_standby;
	bool is_secondary; /* of disaster recovery: it answers nothing */
	char version[VAULT_VERSION]; /* "1.19.0" */
};
bool vault_read_health(const struct json *body, struct vault_health *ret, struct err *err) MUST_USE;
