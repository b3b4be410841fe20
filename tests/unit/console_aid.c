/* console_aid.c - sessions of the console that are opened and used, for tests.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "console_aid.h"

#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

const char *
console_aid_code(struct world *w, int64_t person)
{
	static char code[API_LOGIN];
	struct world_message *message;
	const char *at;

	(void)world_text_in(w, person, person, "/console");
	message = world_says_in(w, person, "/console/#code=");
	assert_non_null(message);
	at = strstr(message->text, "#code=") + strlen("#code=");
	(void)snprintf(code, sizeof(code), "%.32s", at);
	return code;
}

static int
open_as(struct world *w, int64_t person, const char *hash, const char *body)
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = event->u.api = calloc(1, sizeof(*api));
	struct err err;

	assert_non_null(api);
	api->is_network = true;
	api->from = (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = person };
	if (!api_read(API_SESSION, "/v1/session/open", body, strlen(body), api, &err))
		fail_msg("%s", err.text);
	if (person != 0) { /* as the loop has found it */
		free(api->init_data);
		api->init_data = NULL;
		text_setf(api->from.name, "@p%" PRId64, person);
		request_add(&api->request, "hash", hash);
	}
	return world_decide(w, event).status;
}

int
console_aid_open(struct world *w, const char *code)
{
	char body[80];

	(void)snprintf(body, sizeof(body), "{\"code\": \"%s\"}", code);
	return open_as(w, 0, "", body);
}

int
console_aid_app(struct world *w, int64_t person, const char *hash)
{
	return open_as(w, person, hash, "{\"init_data\": \"checked\"}");
}

static const char *
token_of(struct world *w)
{
	static char texts[16][TOKEN_SESSION_TEXT];
	static size_t n;
	char *text = texts[n++ % COUNT(texts)];
	struct err err;
	struct json *json = json_decode(w->aid.said, strlen(w->aid.said), &err);

	if (json == NULL || json_get_str(json, "token") == NULL)
		fail_msg("no token: %s", w->aid.said);
	assert_true(text_copy(text, TOKEN_SESSION_TEXT, json_get_str(json, "token")));
	json_free(json);
	assert_true(token_is_session(text));
	return text;
}

const char *
console_aid_by_code(struct world *w, int64_t person)
{
	assert_int_equal(console_aid_open(w, console_aid_code(w, person)), 200);
	return token_of(w);
}

const char *
console_aid_by_app(struct world *w, int64_t person, const char *hash)
{
	assert_int_equal(console_aid_app(w, person, hash), 200);
	return token_of(w);
}
