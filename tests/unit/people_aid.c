/* people_aid.c - people with tokens, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "people_aid.h"

#include <jansson.h>

#include "lib/err.h"
#include "lib/text.h"

static struct answer
send(struct world *w, int64_t person, const char *token, enum api_operation operation,
    const char *path, const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	api->from = (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = person };
	(void)snprintf(api->from.name, sizeof(api->from.name), "p%" PRId64, person);
	if (token != NULL) {
		api->is_network = true;
		(void)text_copy(api->client, sizeof(api->client), "192.0.2.7");
		(void)text_copy(api->from.token, sizeof(api->from.token), token);
	}
	if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	return world_decide(w, event);
}

struct answer
people_command(struct world *w, int64_t person, const char *word, const char *body)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/v1/command/%s", word);
	return send(w, person, NULL, API_COMMAND, path, body);
}

int
people_ask(struct world *w, int64_t person, enum api_operation operation, const char *path,
    const char *body)
{
	return send(w, person, NULL, operation, path, body).status;
}

int
people_call(struct world *w, const char *token, enum api_operation operation, const char *path,
    const char *body)
{
	return send(w, 0, token, operation, path, body).status;
}

bool
people_token(struct world *w, int64_t maker, const char *name, const char *role,
    const char *expires, char ret[TOKEN_TEXT])
{
	char body[200];
	json_t *json;

	(void)snprintf(body, sizeof(body),
	    "{\"name\": \"%s\", \"role\": \"%s\", \"expires\": \"%s\"}", name, role, expires);
	if (people_ask(w, maker, API_TOKEN, "/v1/token/add", body) != 200)
		return false;
	json = json_loads(w->aid.said, 0, NULL);
	assert_true(text_copy(ret, TOKEN_TEXT, json_string_value(json_object_get(json, "token"))));
	json_decref(json);
	return true;
}

int
people_revoke(struct world *w, int64_t person, const char *name)
{
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"name\": \"%s\"}", name);
	return people_ask(w, person, API_TOKEN, "/v1/token/revoke", body);
}

void
people_login(struct world *w, int64_t person, const char *token)
{
	char text[LIMIT_REF];

	(void)snprintf(text, sizeof(text), "/login %s", token);
	(void)world_text_in(w, person, person, text);
}

void
people_logout(struct world *w, int64_t person)
{
	(void)world_text_in(w, person, person, "/logout");
}
