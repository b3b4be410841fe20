/* token_aid.c - tokens that are made, sent and typed, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "token_aid.h"

#include "decide/who/decide_principal.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

static struct api_request *
request_as(struct world *w, int64_t person, enum api_operation operation, const char *path,
    const char *body, struct event **ret_event)
{
	struct api_request *api = calloc(1, sizeof(*api));
	struct err err;

	assert_non_null(api);
	*ret_event = store_aid_event(&w->aid, EVENT_API);
	(*ret_event)->u.api = api;
	api->from = (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = person };
	(void)text_copy(api->from.name, sizeof(api->from.name), "@ada");
	if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
		fail_msg("%s: %s", path, err.text);
	return api;
}

int
token_aid_ask(struct world *w, int64_t person, enum api_operation operation, const char *path,
    const char *body)
{
	struct event *event;

	(void)request_as(w, person, operation, path, body, &event);
	return world_decide(w, event).status;
}

int
token_aid_ask_as(struct world *w, const char *role, enum api_operation operation, const char *path,
    const char *body)
{
	struct event *event;
	struct api_request *api = request_as(w, 0, operation, path, body, &event);

	assert_true(role_id_parse(role, &api->from.as));
	return world_decide(w, event).status;
}

int
token_aid_call(struct world *w, const char *token, enum api_operation operation, const char *path,
    const char *body)
{
	struct event *event;
	struct api_request *api = request_as(w, 0, operation, path, body, &event);

	api->is_network = true;
	(void)text_copy(api->client, sizeof(api->client), "192.0.2.7");
	(void)text_copy(api->from.token, sizeof(api->from.token), token);
	return world_decide(w, event).status;
}

int
token_aid_status(struct world *w, const char *token)
{
	return token_aid_call(w, token, API_STATUS, "/v1/status", NULL);
}

const char *
token_aid_body(const char *name, const char *role, const char *expires)
{
	static char body[200];

	(void)snprintf(body, sizeof(body),
	    "{\"name\": \"%s\", \"role\": \"%s\", \"expires\": \"%s\"}", name, role, expires);
	return body;
}

const char *
token_aid_text(struct world *w)
{
	static char texts[8][TOKEN_TEXT];
	static size_t n;
	char *text = texts[n++ % COUNT(texts)];
	struct err err;
	struct json *json = json_decode(w->aid.said, strlen(w->aid.said), &err);

	if (json == NULL || json_get_str(json, "token") == NULL)
		fail_msg("no token: %s", w->aid.said);
	assert_true(text_copy(text, TOKEN_TEXT, json_get_str(json, "token")));
	json_free(json);
	assert_true(token_is_text(text));
	return text;
}

const char *
token_aid_make(
    struct world *w, int64_t person, const char *name, const char *role, const char *expires)
{
	if (token_aid_ask(
		w, person, API_TOKEN, "/v1/token/add", token_aid_body(name, role, expires)) != 200)
		fail_msg("%s: %s", name, w->aid.said);
	return token_aid_text(w);
}

int
token_aid_revoke(struct world *w, const char *name)
{
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"name\": \"%s\"}", name);
	return token_aid_ask(w, WORLD_ADMIN, API_TOKEN, "/v1/token/revoke", body);
}

void
token_aid_login(struct world *w, int64_t person, const char *token)
{
	char text[LIMIT_REF];

	(void)snprintf(text, sizeof(text), "/login %s", token);
	(void)world_text_in(w, person, person, text);
}

struct may {
	int64_t person;
	enum policy_action action;
	const char *environment;
	bool is_so;
};

static void
look_may(struct tx *tx, void *arg)
{
	struct may *may = arg;

	may->is_so = policy_may(
	    tx->settings, decide_principal(tx, may->person), may->action, may->environment, tx->at);
}

bool
token_aid_may(struct world *w, int64_t person, enum policy_action action, const char *environment)
{
	struct may asked = { person, action, environment, false };

	world_act(w, look_may, &asked);
	return asked.is_so;
}
