/* sim_local.c - requests on the machine: who the kernel says they are, and what they ask.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * From the user of a connection on as route_api.c does it; what may come of it is checked around
 * the decision, with everything else that people say.
 */
#include "tests/sim/sim_inside.h"

#include "lib/crypto.h"
#include "routes/local_user.h"
#include "types/api.h"

#define SERVER_UID 990

void
sim_local_begin(const char *template)
{
	char mac[CRYPTO_SHA256_HEX];
	uint8_t bytes[CRYPTO_SHA256_SIZE];
	struct err err;
	struct db *db = db_open(template, 0, &err);

	sim_must(crypto_hmac(SIM_TOKEN_KEY, strlen(SIM_TOKEN_KEY), SIM_TOKEN_TEXT,
		     strlen(SIM_TOKEN_TEXT), bytes, &err),
	    "the token's mac");
	text_hex(mac, bytes, sizeof(bytes));
	sim_must(db != NULL &&
		db_script(db,
		    "INSERT INTO principal VALUES (1, 'root', '', 'admin'),"
		    " (2, 'root', '', 'staging'), (3, 'root', 'shop', 'bearer'),"
		    " (4, 'workflow', '', 'ship');",
		    &err) &&
		db_run(db, &err,
		    "INSERT INTO token (id, name, mac, application, role, made_at, made_by, by_name,"
		    " expires_at) VALUES (1, 'ci', $1, 'shop', 'bearer', 1, $2, 'root', $3)",
		    DB_TEXT(mac), DB_I64(SIM_ROOT_AS_ADMIN), DB_I64(INT64_MAX)) &&
		store_ids_set(db, "principal", 4, &err) && store_ids_set(db, "token", 1, &err),
	    "root's roles, and a token");
	db_close(db);
}

static const struct {
	uint32_t uid;
	const char *as;
} users[] = { { SIM_UID_GAMES, NULL }, { SIM_UID_MAN, NULL }, { SIM_UID_MAN, NULL },
	{ SIM_UID_WWW_DATA, NULL }, { SIM_UID_WWW_DATA, NULL }, { SIM_UID_BACKUP, NULL },
	{ SERVER_UID, NULL }, { 0, "admin" }, { 0, "staging" }, { 0, NULL },
	{ SIM_UID_PROXY, NULL }, { SIM_UID_PROXY, NULL }, { 0, "shop:bearer" } };

static void
on_token_answered(void *ctx, const struct answer *answer)
{
	struct sim *sim = ctx;

	sim_trace(sim, "the token is answered %d", answer->status);
	if (answer->status == 200)
		sim_note(sim, SIM_TOKEN_DONE);
}

static void
on_answered(void *ctx, const struct answer *answer)
{
	struct sim *sim = ctx;

	sim_trace(sim, "the machine is answered %d", answer->status);
	if (answer->status == 200)
		sim_note(sim, SIM_LOCAL_DONE);
	if (answer->status == 403 || answer->status == 404)
		sim_note(sim, SIM_LOCAL_DENIED);
}

/* The newest that somebody is asked about, or any. */
static int64_t
some_work(struct sim *sim)
{
	int64_t work = 0;
	struct err err;

	sim_check_must(sim,
	    db_one_i64(&work, sim->eyes, &err,
		sim_one_in(sim, 4) ?
		    "SELECT COALESCE(MAX(id), 1) FROM work" :
		    "SELECT COALESCE(MAX(id), 1) FROM work"
		    " WHERE state IN ('AWAITING_CONFIRMATION', 'AWAITING_APPROVAL')"),
	    &err);
	return work;
}

/* What is behind the path, and the body; NULL: it has none. */
static const char *
ask_command(struct sim *sim, const char *where, char path[96], char body[256])
{
	static const struct {
		const char *word, *more;
	} typed[] = { { "deploy", "" }, { "deploy", "" }, { "deploy", "v1" },
		{ "deploy", "from\", \"staging" }, { "rollback", "" }, { "rollback", "" },
		{ "cancel", "" }, { "lock", "1h" }, { "unlock", "" },
		{ "freeze", "until\", \"02:00" }, { "unfreeze", "" }, { "status", "" },
		{ "approve", "" }, { "reject", "later" } };
	size_t i = sim_draw(sim, COUNT(typed));
	bool is_number =
	    strcmp(typed[i].word, "approve") == 0 || strcmp(typed[i].word, "reject") == 0;
	char number[24];
	const char *environment = is_number ? number : where;

	(void)snprintf(number, sizeof(number), "%" PRId64, some_work(sim));

	(void)snprintf(path, 96, "/v1/command/%s", typed[i].word);
	(void)snprintf(body, 256, "{\"arguments\": [\"%s\"%s%s%s]%s}", environment,
	    typed[i].more[0] != '\0' ? ", \"" : "", typed[i].more,
	    typed[i].more[0] != '\0' ? "\"" : "",
	    sim_one_in(sim, 2) ? ", \"reason\": \"the shop is down\"" : "");
	return body;
}

static const char *
ask(struct sim *sim, enum api_operation operation, char path[96], char body[256])
{
	const char *environment = sim_environments[2 * sim_application(sim) + sim_one_in(sim, 3)];

	switch (api_rows[operation].behind) {
	case API_SPAN:
		(void)snprintf(path, 96, "%s/2020-01-01/2099-12-31/0", api_rows[operation].path);
		return NULL;
	case API_NONE:
	case API_PEER:
	case API_SINCE:
		(void)snprintf(path, 96, "%s", api_rows[operation].path);
		return NULL;
	case API_TARGET:
	case API_ENV:
	case API_LIST:
		(void)snprintf(path, 96, "%s/%s", api_rows[operation].path, environment);
		return NULL;
	case API_DAYS:
		(void)snprintf(
		    path, 96, "%s/2023-01-01/2030-12-31/%s", api_rows[operation].path, environment);
		return NULL;
	case API_PLACE:
		(void)snprintf(
		    path, 96, "%s/%" PRId64 "/0", api_rows[operation].path, some_work(sim));
		return NULL;
	case API_NUMBER:
		(void)snprintf(path, 96, "%s/%" PRId64, api_rows[operation].path, some_work(sim));
		(void)snprintf(
		    body, 256, "{\"answer\": \"%s\"}", sim_one_in(sim, 4) ? "no" : "yes");
		return operation == API_ANSWER ? body : NULL;
	case API_NAME:
		(void)snprintf(path, 96, "%s/db-migrate", api_rows[operation].path);
		(void)snprintf(body, 256, "{}");
		return body;
	case API_WORD:
		return ask_command(sim, environment, path, body);
	}
	return NULL;
}

/* Who is not known here is not let in. */
static bool
let_in(struct sim *sim, struct update *ret)
{
	size_t i = sim_draw(sim, COUNT(users));
	const struct local_peer peer = { users[i].uid, SERVER_UID, SERVER_UID, users[i].as, 0 };

	if (local_user_judge(sim_settings_get(sim->loaded), &peer, ret) != NULL)
		return false;
	if (peer.as != NULL) /* as the store finds it: it is asked about before the decision */
		ret->person = strcmp(peer.as, "admin") == 0 ? SIM_ROOT_AS_ADMIN :
		    strcmp(peer.as, "staging") == 0	    ? SIM_ROOT_AS_STAGING :
							      SIM_ROOT_AS_BEARER;
	(void)snprintf(ret->name, sizeof(ret->name), "@l%" PRId64, sim->n_local);
	return true;
}

/* Over the network: it is who it is by its text. */
static void
bear(struct api_request *api)
{
	api->is_network = true;
	api->from = (struct update){ .kind = UPDATE_TEXT,
		.is_private = true,
		.person = SIM_TOKEN,
		.token = SIM_TOKEN_TEXT };
}

void
sim_local_somebody_asks(struct sim *sim)
{
	static const enum api_operation posts[] = { API_COMMAND, API_COMMAND, API_ANSWER };
	enum api_operation operation = sim_one_in(sim, 3) ?
	    (enum api_operation)sim_draw(sim, API_FACTOR) :
	    posts[sim_draw(sim, COUNT(posts))];
	char path[96], body[256];
	bool is_token = sim->is_many && sim_one_in(sim, 3);
	const char *with;
	struct event *event;
	struct err err;

	sim->n_local++;
	if (sim->store == NULL)
		return;
	with = ask(sim, operation, path, body);
	event = sim_server_event(sim, EVENT_API);
	event->u.api = calloc(1, sizeof(*event->u.api));
	sim_must(event->u.api != NULL, "a request");
	if (is_token)
		bear(event->u.api);
	if (!is_token && !let_in(sim, &event->u.api->from)) {
		event_free(event);
		return;
	}
	sim_must(
	    api_read(operation, path, with, with == NULL ? 0 : strlen(with), event->u.api, &err),
	    path);
	sim_trace(sim, "on the machine %" PRId64 " asks %s %s", event->u.api->from.person, path,
	    with != NULL ? with : "");
	event->done = is_token ? on_token_answered : on_answered;
	event->done_ctx = sim;
	sim_server_submit(sim, event);
}
