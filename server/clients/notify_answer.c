/* notify_answer.c - what an answer of a destination's means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * 410 ends a webhook by Standard Webhooks 1.0.0; Slack's words of an end are of
 * https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, Discord's code of
 * https://docs.discord.com/developers/topics/opcodes-and-status-codes.
 */
#include "clients/notify_answer.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

#define SHOWN		120 /* bytes of an answer */
#define UNKNOWN_WEBHOOK 10015

static bool
is_gone(const struct notify_reply *reply, const struct json *root)
{
	static const char *const slack[] = { "no_service", "no_service_id", "no_team",
		"invalid_token", "channel_is_archived", "channel_not_found", "action_prohibited" };

	if (reply->status == 410 || reply->status == 401 || reply->status == 403)
		return true;
	if (reply->kind == NOTIFY_TO_DISCORD)
		return reply->status == 404 && json_get_i64_or(root, "code", 0) == UNKNOWN_WEBHOOK;
	if (reply->kind == NOTIFY_TO_SLACK && reply->status >= 400 && reply->status < 500)
		for (size_t i = 0; i < COUNT(slack); i++)
			if (strcmp(reply->body, slack[i]) == 0)
				return true;
	return false;
}

/* Slack says in its body whether a 200 is one, Matrix which event it has made of it. */
static bool
is_sent(const struct notify_reply *reply, const struct json *root)
{
	switch (reply->kind) {
	case NOTIFY_TO_MAIL:
		return reply->status == 250;
	case NOTIFY_TO_SLACK:
		return reply->status == 200 && strcmp(reply->body, "ok") == 0;
	case NOTIFY_TO_MATRIX:
		return reply->status == 200 && json_get_str(root, "event_id") != NULL;
	default:
		return reply->status >= 200 && reply->status < 300;
	}
}

/* It is too large, or not understood: no next try is any different.  Of a webhook each status says
 * what its server is just now. */
static bool
is_not_it(const struct notify_reply *reply)
{
	return reply->status == 413 || (reply->kind != NOTIFY_TO_WEBHOOK && reply->status == 400);
}

static int64_t
wait_of(const struct notify_reply *reply, const struct json *root)
{
	int64_t ms = json_get_i64_or(root, "retry_after_ms", 0); /* Matrix */

	if (reply->retry_after_s > NOTIFY_RETRY_MOST_MS / 1000)
		return NOTIFY_RETRY_MOST_MS;
	if (reply->retry_after_s > 0)
		return reply->retry_after_s * 1000;
	return ms < 0 ? 0 : ms < NOTIFY_RETRY_MOST_MS ? ms : NOTIFY_RETRY_MOST_MS;
}

struct notify_said
notify_judge(const struct notify_reply *reply)
{
	struct err err; /* what is no JSON has no member */
	CLEANUP(json_freep) struct json *root = json_decode(reply->body, reply->size, &err);
	struct notify_said said = { .status = reply->status, .verdict = NOTIFY_LATER };
	char shown[SHOWN];

	(void)clean_line(shown, sizeof(shown), reply->body, reply->size);
	if (is_sent(reply, root)) {
		said.verdict = NOTIFY_SENT;
		return said;
	}
	if (reply->status == 0)
		text_set(said.why, shown);
	else
		text_setf(said.why, "%d%s%s%s", reply->status, shown[0] != '\0' ? ": " : "", shown,
		    reply->status >= 300 && reply->status < 400 ?
			" (it leads elsewhere, where nothing is sent)" :
			"");
	if (is_gone(reply, root))
		said.verdict = NOTIFY_OFF;
	else if (is_not_it(reply))
		said.verdict = NOTIFY_NOT_IT;
	else
		said.after_ms = wait_of(reply, root);
	return said;
}
