/* aws_credentials.c - a container's keys by one call, a machine's by three.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "clients/aws_credentials.h"

#include <stdio.h>
#include <stdlib.h>

#include "clients/outbound_client.h"
#include "lib/clock.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "types/limits.h"

#define TIMEOUT_MS	   5000
#define CONNECT_TIMEOUT_MS 2000
#define MARGIN_MS	   (300 * INT64_C(1000)) /* before they expire others are asked for */
#define TOKEN_ROOM	   2048
#define TTL		   "X-aws-ec2-metadata-token-ttl-seconds: 300"
#define KEYS_PATH	   "/latest/meta-data/iam/security-credentials/"

static const char *const instance_bases[] = { "http://169.254.169.254", "http://[fd00:ec2::254]" };

enum step { STEP_READY, STEP_CONTAINER, STEP_TOKEN, STEP_ROLE, STEP_KEYS };

struct aws_credentials_call {
	struct aws_credentials *self;
	struct http_client_call *http;
	enum step step;
	size_t base; /* which of instance_bases answers */
	aws_credentials_done_fn *on_done;
	void *ctx;
	char token[TOKEN_ROOM];
	char role[AWS_ROLE_MAX];
	struct loop_timer timer; /* what is known already comes from the loop too */
};

struct aws_credentials {
	struct loop *loop;
	struct http_client *http;
	char url[LIMIT_URL]; /* of a container; "": the machine's role */
	char token[TOKEN_ROOM];
	char token_file[1024];
	struct aws_keys keys;
	bool has_keys;
	struct aws_credentials_call *call; /* in progress; NULL: none */
};

static bool proceed(struct aws_credentials_call *call, struct err *err);

/* --- one call --- */

/* Frees it. */
static void
finish(struct aws_credentials_call *call, const struct aws_keys *keys, const char *why)
{
	struct sigv4_credentials credentials = { .access_key = "", .secret_key = "" };
	aws_credentials_done_fn *on_done = call->on_done;
	void *ctx = call->ctx;

	call->self->call = NULL;
	if (keys != NULL)
		credentials = (struct sigv4_credentials){ .access_key = keys->access_key,
			.secret_key = keys->secret_key,
			.token = keys->token };
	crypto_wipe(call->token, sizeof(call->token));
	free(call);
	on_done(ctx, keys == NULL ? NULL : &credentials, why);
}

static void
fail(struct aws_credentials_call *call, const char *why)
{
	char said[2 * LIMIT_LINE];

	text_setf(said, "no keys of the %s's role: %s",
	    call->self->url[0] != '\0' ? "container" : "machine", why);
	finish(call, NULL, said);
}

static bool
take_answer(
    struct aws_credentials_call *call, const struct http_client_result *http, struct err *err)
{
	struct aws_credentials *self = call->self;

	if (http->status != 200)
		return err_set(err, ERR_DENIED, "HTTP %d", http->status);
	switch (call->step) {
	case STEP_TOKEN:
		if (http->body_size == 0 || !text_is_plain(http->body) ||
		    snprintf(call->token, sizeof(call->token), "X-aws-ec2-metadata-token: %s",
			http->body) >= (int)sizeof(call->token))
			return err_set(err, ERR_INVALID, "the answer is no token of IMDSv2");
		call->step = STEP_ROLE;
		return true;
	case STEP_ROLE:
		if (!aws_read_role(http->body, http->body_size, call->role, err))
			return false;
		call->step = STEP_KEYS;
		return true;
	case STEP_CONTAINER:
	case STEP_KEYS:
		self->has_keys =
		    aws_read_keys(http->body, http->body_size, clock_wall_ms(), &self->keys, err);
		call->step = STEP_READY;
		return self->has_keys;
	case STEP_READY:
		break;
	}
	return false;
}

static void
on_answer(void *ctx, const struct http_client_result *http)
{
	struct aws_credentials_call *call = ctx;
	struct err err = { 0 };
	bool ok;

	call->http = NULL;
	if (http->code != ERR_NONE && call->step == STEP_TOKEN &&
	    call->base + 1 < COUNT(instance_bases)) {
		call->base++; /* a machine with IPv6 alone */
		ok = proceed(call, &err);
	} else if (http->code != ERR_NONE) {
		ok = err_set(&err, http->code, "%s", http->text);
	} else {
		ok = take_answer(call, http, &err) &&
		    (call->step == STEP_READY || proceed(call, &err));
	}
	if (!ok)
		fail(call, err.text);
	else if (call->step == STEP_READY)
		finish(call, &call->self->keys, NULL);
}

/* A file's is read anew each time: it is replaced while we run. */
static bool
container_token(struct aws_credentials_call *call, struct err *err)
{
	const struct aws_credentials *self = call->self;
	CLEANUP(freep) char *text = NULL;
	size_t size;
	bool ok = true;

	call->token[0] = '\0';
	if (self->token_file[0] != '\0') {
		text = file_read(self->token_file, TOKEN_ROOM, &size, err);
		if (text == NULL)
			return false;
		text[strcspn(text, "\r\n")] = '\0';
	}
	if (text != NULL || self->token[0] != '\0')
		ok = snprintf(call->token, sizeof(call->token), "Authorization: %s",
			 text != NULL ? text : self->token) < (int)sizeof(call->token) &&
		    text_is_plain(call->token);
	if (text != NULL)
		crypto_wipe(text, strlen(text));
	return ok || err_set(err, ERR_CONFIG, "the token for it is too long, or is no line");
}

/* Sends what this step asks. */
static bool
proceed(struct aws_credentials_call *call, struct err *err)
{
	struct aws_credentials *self = call->self;
	const char *base = instance_bases[call->base];
	char url[LIMIT_URL];
	const char *headers[] = { call->token, NULL };

	switch (call->step) {
	case STEP_CONTAINER:
		text_set(url, self->url);
		if (!container_token(call, err))
			return false;
		if (call->token[0] == '\0')
			headers[0] = NULL;
		break;
	case STEP_TOKEN:
		text_setf(url, "%s/latest/api/token", base);
		headers[0] = TTL;
		break;
	case STEP_ROLE:
	case STEP_KEYS:
		text_setf(url, "%s" KEYS_PATH "%s", base, call->role);
		break;
	case STEP_READY:
		return true;
	}
	call->http = http_client_start(self->http,
	    &(struct http_client_request){ .label = "AWS's metadata",
		.method = call->step == STEP_TOKEN ? "PUT" : "GET",
		.url = url,
		.headers = headers,
		.timeout_ms = TIMEOUT_MS,
		.connect_timeout_ms = CONNECT_TIMEOUT_MS,
		.answer_max = AWS_ANSWER_MAX,
		.on_done = on_answer,
		.ctx = call },
	    err);
	return call->http != NULL;
}

static void
on_ready(UNUSED struct loop_timer *timer, void *ctx)
{
	struct aws_credentials_call *call = ctx;

	finish(call, &call->self->keys, NULL);
}

/* --- all of them --- */

struct aws_credentials *
aws_credentials_new(struct loop *loop, const struct aws_source *source, struct err *err)
{
	CLEANUP(freep) struct aws_credentials *self = mem_new(1, sizeof(*self));

	err->code = ERR_NONE;
	self->loop = loop;
	if (!aws_container_url(source, self->url, sizeof(self->url), err) ||
	    !text_copy(
		self->token, sizeof(self->token), source->token != NULL ? source->token : "") ||
	    !text_copy(self->token_file, sizeof(self->token_file),
		source->token_file != NULL ? source->token_file : "")) {
		if (err->code == ERR_NONE)
			(void)err_set(
			    err, ERR_CONFIG, "AWS_CONTAINER_AUTHORIZATION_TOKEN is too long");
		return NULL;
	}
	self->http = outbound_client(loop,
	    outbound_of(
		OUTBOUND_AWS_CREDENTIALS, self->url[0] != '\0' ? self->url : instance_bases[0]),
	    1, 0, err);
	return self->http != NULL ? TAKE(self) : NULL;
}

void
aws_credentials_free(struct aws_credentials *self)
{
	if (self == NULL)
		return;
	assert(self->call == NULL);
	http_client_free(self->http);
	crypto_wipe(self, sizeof(*self));
	free(self);
}

struct aws_credentials_call *
aws_credentials_start(
    struct aws_credentials *self, aws_credentials_done_fn *on_done, void *ctx, struct err *err)
{
	CLEANUP(freep) struct aws_credentials_call *call = NULL;

	if (self->call != NULL)
		return ERR_NULL(err_set(err, ERR_BUSY, "the role's keys are being asked for"));
	call = mem_new(1, sizeof(*call));
	*call = (struct aws_credentials_call){ .self = self,
		.on_done = on_done,
		.ctx = ctx,
		.step = self->url[0] != '\0' ? STEP_CONTAINER : STEP_TOKEN };
	loop_timer_init(&call->timer, on_ready, call);
	if (self->has_keys && clock_wall_ms() + MARGIN_MS < self->keys.expires_at) {
		call->step = STEP_READY;
		loop_timer_start(self->loop, &call->timer, 0, 0);
	} else if (!proceed(call, err)) {
		return NULL;
	}
	self->call = call;
	return TAKE(call);
}

void
aws_credentials_cancel(struct aws_credentials_call *call)
{
	if (call == NULL)
		return;
	http_client_cancel(call->http);
	loop_timer_stop(&call->timer);
	call->self->call = NULL;
	crypto_wipe(call->token, sizeof(call->token));
	free(call);
}

void
aws_credentials_forget(struct aws_credentials *self)
{
	crypto_wipe(&self->keys, sizeof(self->keys));
	self->has_keys = false;
}
