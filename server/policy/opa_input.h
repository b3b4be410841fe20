/* opa_input.h - what OPA is asked about: JSON of version 1, the same bytes for the same facts.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/* No text of a message, and no secret, is ever in it. */
#pragma once

#include "policy/needs.h"
#include "types/opa_verdict.h"

struct buf;

struct opa_input {
	bool is_start;	    /* asked before it starts; else when it is asked for */
	const char *action; /* the word of a grant: "deploy", "do.restart-web", "secret.db" */
	const char *target; /* "shop/staging", "client/acme" */
	const char *who;    /* as principal_text() has it */
	const char *name;   /* of who, for people */
	const char *grant;  /* that lets them; "": none does, as of a push */
	const char *source; /* of the release: "git" */
	const char *commit, *ref, *image, *live;
	const char *promoted_from; /* the environment where image is live; "": it is no promotion */
	bool in_branch, is_emergency, is_frozen;
	const struct approval *approvals;
	size_t n_approvals;
	int64_t requested_at, at; /* wall ms */
};

void opa_input_write(const struct opa_input *input, struct buf *out);

/* What every policy answers with no. */
#define OPA_INPUT_DOCTOR "{\"version\":1,\"action\":\"doctor\"}"
