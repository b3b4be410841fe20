/* doctor_notify.c - NOTIFY_<NAME>_TO: is each destination there, without a message to it?  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Slack and a webhook are connected to, with TLS; a mail server is logged in at; a GET says whether
 * Discord has that webhook, and at Matrix how the room began, which its members alone may read.
 */
#include "cli/doctor/doctor_notify.h"

#include <stdlib.h>

#include "clients/notify_client.h"
#include "lib/http_client.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "store/row_notify.h"
#include "types/outbound.h"

struct asking {
	struct notify_clients *clients;
	struct look {
		struct doctor *doctor;
		struct notify to;
	} looks[NOTIFY_MAX];
};

static void
end(void *ctx)
{
	struct asking *asking = ctx;

	notify_clients_free(asking->clients);
	free(asking);
}

/* By name: their addresses are secrets. */
static void
on_looked(void *ctx, const struct http_client_result *result)
{
	const struct look *look = ctx;
	const struct notify *to = &look->to;
	bool is_asked = to->kind == NOTIFY_TO_DISCORD || to->kind == NOTIFY_TO_MATRIX;
	char off[LIMIT_LINE];

	if (result->code != ERR_NONE)
		TELL(look->doctor, OUTBOUND, ERROR,
		    "notify: %s is not reached (%.120s): is its _URL right?", to->id, result->why);
	else if (is_asked && result->status != 200)
		TELL(look->doctor, OUTBOUND, ERROR, "notify: %s answers %d: %s", to->id,
		    result->status,
		    to->kind == NOTIFY_TO_DISCORD ?
			"is its _URL right, or has somebody removed the webhook there?" :
			"401 is of its _SECRET (access token); else invite the account to its _ROOM");
	else
		TELL(look->doctor, OUTBOUND, OK,
		    "outbound: %s: %s is there, no address of a link; try it: deploybot notify test %s",
		    outbound_word((enum outbound_place)(OUTBOUND_NOTIFY_WEBHOOK + (int)to->kind)),
		    to->id, to->id);
	row_notify_why_off(look->doctor->db, to->id, off);
	if (off[0] != '\0')
		TELL(look->doctor, OUTBOUND, ERROR,
		    "notify: %s is off (%.120s): nothing is sent there until one of its settings changes",
		    to->id, off);
	doctor_answered(look->doctor);
}

static bool
ask(struct asking *asking, struct look *look, struct err *err)
{
	const struct notify *to = &look->to;
	const struct http_client_mail mail = { "", "", "", "", "", 0,
		to->url != NULL && notify_is_in_clear(to) };
	char url[NOTIFY_URL], token[1200];
	const char *headers[] = { token, NULL };
	bool is_matrix = to->kind == NOTIFY_TO_MATRIX;

	text_set(url, to->url == NULL ? "" : to->url);
	if (is_matrix)
		notify_matrix_url(to, "state/m.room.create/", url);
	text_setf(token, "Authorization: Bearer %s", to->secret == NULL ? "" : to->secret);
	return http_client_start(notify_client_of(asking->clients, to->kind),
		   &(struct http_client_request){ .label = "notify",
		       .url = url,
		       .headers = is_matrix ? headers : NULL,
		       .mail = to->kind == NOTIFY_TO_MAIL ? &mail : NULL,
		       .connects_only = !is_matrix && to->kind != NOTIFY_TO_DISCORD,
		       .timeout_ms = DOCTOR_PATIENCE_MS,
		       .on_done = on_looked,
		       .ctx = look },
		   err) != NULL;
}

void
doctor_notify(struct doctor *doctor)
{
	struct asking *asking = mem_new(1, sizeof(*asking));
	struct look *look = asking->looks;
	struct err err;

	doctor_at_end(doctor, end, asking);
	asking->clients = notify_clients_new(doctor->loop, &err);
	for (size_t at = 0;
	     look < asking->looks + NOTIFY_MAX && notify_next(doctor->settings, &at, &look->to);
	     look++) {
		look->doctor = doctor;
		if (asking->clients != NULL && ask(asking, look, &err))
			doctor_asked(doctor);
		else
			TELL(doctor, OUTBOUND, ERROR, "notify: %s: %s", look->to.id, err.text);
	}
}
