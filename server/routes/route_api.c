/* route_api.c - /v1 for users of this machine, on a unix socket of its own.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/bucket.h"
#include "lib/buf.h"
#include "lib/clock.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/text.h"
#include "routes/local_user.h"
#include "runs/run_piece.h"
#include "types/event.h"

#define BODY_MAX  16384
#define USERS_MAX 64 /* whose requests are counted; the one heard of longest ago makes room */

/* Of one user: looking at a deployment that goes on takes four requests a second. */
static const struct bucket_rate request_rate = { .capacity = 60, .token_ms = 100 };
static const struct bucket_rate line_rate = { .capacity = 1, .token_ms = 60000 };
/* Of all who are not let in, in log and audit: anybody can be many users. */
static const struct bucket_rate all_lines_rate = { .capacity = 10, .token_ms = 6000 };

struct seen {
	bool is_used;
	uint32_t uid;
	int64_t at; /* monotonic ms */
	struct bucket requests;
	struct bucket lines; /* for the same reason; another one is said at once */
	const char *why;
};

struct route_api {
	struct route_api_config config;
	struct seen seen[USERS_MAX];
	struct bucket all_lines;
	int64_t unsaid; /* refusals since the last that was said */
	struct operation {
		struct route_api *local;
		enum api_operation operation;
	} operations[API_OPERATION_COUNT];
};

/* A request that waits for the store. */
struct asked {
	struct route_api *local;
	struct http_request *request;
	enum api_operation operation;
	int64_t offset;
};

struct route_api *
route_api_new(const struct route_api_config *config)
{
	struct route_api *local = calloc(1, sizeof(*local));

	if (local == NULL)
		return NULL;
	local->config = *config;
	for (enum api_operation i = 0; i < API_OPERATION_COUNT; i++)
		local->operations[i] = (struct operation){ local, i };
	return local;
}

void
route_api_free(struct route_api *local)
{
	free(local);
}

/* --- answers --- */

static void
answer(struct http_request *request, int status, const char *json, size_t size)
{
	static const struct http_header headers[] = {
		{ "Content-Type", "application/json" },
		{ "Cache-Control", "no-store" },
		{ NULL, NULL },
	};

	http_request_answer(request, status, headers, json, size);
}

static void
answer_said(struct http_request *request, int status, const char *said)
{
	struct json_out json;
	struct buf out;

	buf_init(&out, LIMIT_LINE * 8);
	json_out_init(&json, &out);
	json_out_object(&json);
	json_put_str(&json, "said", said);
	json_put_null(&json, "work");
	json_put_bool(&json, "is_to_be_answered", false);
	json_put_null(&json, "asked_until");
	json_out_end(&json);
	answer(request, status, buf_text(&out), out.size);
	buf_done(&out);
}

/* --- who asks --- */

static struct seen *
seen_of(struct route_api *local, uint32_t uid)
{
	struct seen *oldest = &local->seen[0];

	for (size_t i = 0; i < USERS_MAX; i++) {
		struct seen *seen = &local->seen[i];

		if (seen->is_used && seen->uid == uid) {
			seen->at = clock_monotonic_ms();
			return seen;
		}
		if (oldest->is_used && (!seen->is_used || seen->at < oldest->at))
			oldest = seen;
	}
	*oldest = (struct seen){ .is_used = true, .uid = uid, .at = clock_monotonic_ms() };
	return oldest;
}

/* What strangers of a chat do is counted in the audit; so is this. */
static void
tell_store(struct route_api *local, uint32_t uid, const char *why, int64_t count)
{
	struct event *event = event_new(EVENT_REJECTED);
	struct rejected *rejected;

	if (event == NULL)
		return; /* the log has it */
	rejected = &event->u.rejected;
	(void)text_copy(rejected->source, sizeof(rejected->source), REJECTED_LOCAL);
	(void)text_copy(rejected->reason, sizeof(rejected->reason), why); /* cut is fine */
	(void)snprintf(rejected->client, sizeof(rejected->client), "user %u", uid);
	rejected->count = count;
	if (!local->config.submit(local->config.ctx, event))
		event_free(event);
}

static void
note_refused(struct route_api *local, struct seen *seen, const char *why)
{
	char more[64] = "";

	local->unsaid++;
	if (seen->why != why)
		seen->lines = (struct bucket){ 0 };
	if (!bucket_take(&seen->lines, line_rate, seen->at, 1) ||
	    !bucket_take(&local->all_lines, all_lines_rate, seen->at, 1))
		return;
	seen->why = why;
	if (local->unsaid > 1)
		(void)snprintf(more, sizeof(more), " (and %lld more since the last such line)",
		    (long long)local->unsaid - 1);
	log_warning("LOCAL_SOCKET: user %u is not let in: %s%s", seen->uid, why, more);
	tell_store(local, seen->uid, why, local->unsaid);
	local->unsaid = 0;
}

/* False: they were answered. */
static bool
let_in(struct route_api *local, struct http_request *request, struct update *ret)
{
	struct local_peer peer = { .server_uid = geteuid(),
		.runner_uid = local->config.runner_uid(local->config.ctx),
		.as = http_request_header(request, "Deploybot-Role") };
	const char *why = "the kernel does not say who has connected";
	struct seen *seen;
	uid_t uid;

	if (!http_request_user_id(request, &uid)) {
		answer_said(request, 403, why);
		return false;
	}
	peer.uid = uid;
	seen = seen_of(local, uid);
	if (!bucket_take(&seen->requests, request_rate, seen->at, 1)) {
		answer_said(request, 429, "too many requests: wait a moment");
		return false;
	}
	why = local_user_judge(local->config.settings(local->config.ctx), &peer, ret);
	if (why == NULL)
		return true;
	note_refused(local, seen, why);
	answer_said(request, 403, why);
	return false;
}

/* Before anything of a body is read. */
static void
on_begin(struct http_request *request, void *ctx)
{
	struct operation *operation = ctx;
	struct update *from = calloc(1, sizeof(*from));

	if (from == NULL)
		answer_said(request, 503, "no memory: try again");
	else
		http_request_set_user(request, from, free);
	if (from != NULL)
		(void)let_in(operation->local, request, from); /* else it is answered */
}

/* --- what they ask --- */

/* What is shown of a log, which only the loop reads. */
static void
answer_log(struct asked *asked, const struct answer *decided)
{
	const struct route_api_config *config = &asked->local->config;
	const char *folder = config->settings(config->ctx)->state_directory;
	int64_t next = asked->offset;
	struct json_out json;
	struct buf text, out;
	struct err err;
	bool is_read;

	buf_init(&text, (size_t)2 * RUN_PIECE);
	buf_init(&out, (size_t)16 * RUN_PIECE);
	is_read = run_piece_read(folder, decided->work, asked->offset, decided->is_ended,
	    config->redact, &text, &next, &err);
	json_out_init(&json, &out);
	json_out_object(&json);
	json_put_i64(&json, "run", decided->work);
	json_put_i64(&json, "next", next);
	json_put_bool(&json, "is_over", decided->is_ended);
	json_out_key(&json, "text");
	json_out_strn(&json, buf_text(&text), text.size);
	json_out_end(&json);
	if (is_read && !buf_failed(&text) && !buf_failed(&out))
		answer(asked->request, 200, buf_text(&out), out.size);
	else
		answer_said(asked->request, 503, is_read ? "no memory: try again" : err.text);
	buf_done(&text);
	buf_done(&out);
}

static void
on_decided(void *ctx, const struct answer *decided)
{
	struct asked *asked = ctx;

	if (decided->text == NULL)
		answer_said(asked->request, decided->status >= 400 ? decided->status : 503,
		    "the server could not decide on it: try again, and see its log");
	else if ((asked->operation == API_LOG || asked->operation == API_RUN) &&
	    decided->status == 200)
		answer_log(asked, decided);
	else
		answer(asked->request, decided->status, decided->text, strlen(decided->text));
	free(asked);
}

static struct event *
new_event(struct http_request *request, enum api_operation operation, struct err *err)
{
	struct event *event = event_new(EVENT_API);
	size_t size;
	char *body;

	if (event != NULL)
		event->u.api = calloc(1, sizeof(*event->u.api));
	if (event == NULL || event->u.api == NULL) {
		(void)err_set(err, ERR_NOMEM, "no memory: try again");
		event_free(event);
		return NULL;
	}
	event->u.api->from = *(const struct update *)http_request_user(request);
	body = http_request_take_body(request, &size);
	if (!api_read(operation, http_request_path(request), body, size, event->u.api, err)) {
		event_free(event);
		event = NULL;
	}
	free(body);
	return event;
}

static void
on_request(struct http_request *request, void *ctx)
{
	const struct operation *operation = ctx;
	struct route_api *local = operation->local;
	struct asked *asked = calloc(1, sizeof(*asked));
	struct err err = { .code = ERR_NOMEM, .text = "no memory: try again" };
	struct event *event = asked == NULL ? NULL : new_event(request, operation->operation, &err);

	if (event == NULL) {
		free(asked);
		answer_said(request, err.code == ERR_NOMEM ? 503 : 400, err.text);
		return;
	}
	*asked = (struct asked){ local, request, operation->operation, event->u.api->offset };
	event->done = on_decided;
	event->done_ctx = asked;
	if (local->config.submit(local->config.ctx, event))
		return;
	event_free(event);
	free(asked);
	answer_said(request, 503, "the server is busy: try again in a moment");
}

void
route_api_routes(struct route_api *local, struct http_route ret[ROUTE_API_ROUTES])
{
	static const char *const types[] = { "application/json", NULL };
	/* Where nothing stands behind it, and where something does. */
	static const char *const paths[API_OPERATION_COUNT][2] = {
#define API(name, method, path, ...) [API_##name] = { path, path "/" },
#include "types/api.def"
	};

	for (size_t i = 0; i < ROUTE_API_ROUTES; i++) {
		const struct api_row *row = &api_rows[i / 2];
		bool is_post = api_is_post((enum api_operation)(i / 2));

		ret[i] = (struct http_route){ .methods = row->method,
			.path = paths[i / 2][i % 2],
			.body_max = is_post ? BODY_MAX : 0,
			.types = is_post ? types : NULL,
			.on_begin = on_begin,
			.on_request = on_request,
			.ctx = &local->operations[i / 2] };
	}
}
