/* aws_credentials_answer.h - where a role's keys are asked for, and what the answers say.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/base.h"
#include "lib/sigv4.h"

#define AWS_ROLE_MAX   128
#define AWS_ANSWER_MAX 16384

/* What AWS sets in the environment of a container; NULL: it does not.  With neither address it is
 * the machine's role. */
struct aws_source {
	const char *relative_uri; /* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI */
	const char *full_uri;	  /* AWS_CONTAINER_CREDENTIALS_FULL_URI */
	const char *token;	  /* AWS_CONTAINER_AUTHORIZATION_TOKEN */
	const char *token_file;	  /* AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, which goes first */
};

struct aws_keys {
	char access_key[SIGV4_ACCESS_KEY_MAX + 1];
	char secret_key[SIGV4_SECRET_KEY_MAX + 1];
	char token[SIGV4_TOKEN_MAX + 1];
	int64_t expires_at; /* wall ms */
};

/* The address of a container's keys.  False: there is one that must not be asked; out "": it is
 * the machine's role. */
bool aws_container_url(
    const struct aws_source *source, char *out, size_t room, struct err *err) MUST_USE;

/* The one name of a role that an answer is. */
bool aws_read_role(const char *body, size_t size, char out[AWS_ROLE_MAX], struct err *err) MUST_USE;

/* The keys of a container's or a machine's role. */
bool aws_read_keys(
    const char *body, size_t size, int64_t at, struct aws_keys *ret, struct err *err) MUST_USE;
