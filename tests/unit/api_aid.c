/* api_aid.c - users of the machine who ask over /v1, and what they are answered.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "api_aid.h"

#include <jansson.h>

#include "lib/err.h"

void
api_aid_open(struct world *w)
{
	world_open(w, ADA_IS, STAGING_IS, ADMIN_IS, STRANGER_IS, TEAM, NULL);
}

struct local_peer
api_aid_peer(uint32_t uid, const char *as)
{
	return (
	    struct local_peer){ .uid = uid, .server_uid = 10001, .runner_uid = 10002, .as = as };
}

struct answer
api_aid_answer(struct world *w, struct local_peer peer, enum api_operation operation,
    const char *path, const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	const char *why;
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	api->is_kept = true;
	if (operation == API_UPLOAD)
		api->file = (struct update_file){ UPLOADED, "site.zip", 1000 };
	why = local_user_judge(w->aid.settings, &peer, &api->from);
	if (why != NULL)
		fail_msg("user %u: %s", peer.uid, why);
	if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	return world_decide(w, event);
}

int
api_aid_ask(
    struct world *w, uint32_t uid, enum api_operation operation, const char *path, const char *body)
{
	struct local_peer peer = api_aid_peer(uid, uid == ROOT ? "admin" : NULL);

	return api_aid_answer(w, peer, operation, path, body).status;
}

bool
api_aid_said(struct world *w, const char *part)
{
	return strstr(w->aid.said, part) != NULL;
}

int64_t
api_aid_work(struct world *w)
{
	json_t *json = json_loads(w->aid.said, 0, NULL);
	int64_t work = json_integer_value(json_object_get(json, "work"));

	json_decref(json);
	return work;
}
