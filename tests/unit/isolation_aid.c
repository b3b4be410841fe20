/* isolation_aid.c - two worlds that differ in what one person has no grant on, and in nothing else.  Side: store. */
/* SPDX-License-Identifier: ISC */
#include "isolation_aid.h"

#include "factor_aid.h"
#include "lib/buf.h"
#include "lib/crypto.h"
#include "lib/db.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"
#include "routes/local_user.h"
#include "store/row_button.h"
#include "store/store_inside.h"
#include "types/hook.h"

#define KEY	 "AUTH_TOKEN_SECRET=0123456789abcdef0123456789abcdef0123456789"
#define COMMIT_X "0000000800000000000000000000000000000000"
#define HOOKS	 "WEBHOOK_API_SECRET=0123456789abcdef0123456789abcdef"
#define VAULT	 "VAULT_ADDR=https://vault.example.org", "VAULT_TOKEN=hvs.0123456789abcdef0123"

/* All that differs; of one length where it could stand in a line that is cut. */
static const struct theirs {
	const char *app;
	const char *more; /* environments and lines that the other world has not */
	const char *role; /* beside the one of the owner's name */
	int64_t owner, chat, stranger;
	const char *name, *commit, *other_commit, *third_commit, *subject, *reason, *token, *client;
} theirs[2] = {
	{ "cider", "", "BREWER", 81, -1081, 181, "@carol", COMMIT_C, COMMIT_D, COMMIT_B,
	    "Ferment longer", "the barrels leak", "ci-cider", "acme" },
	{ "zebra", ",canary\nCANARY_HOST=zebra-c", "KEEPER", 82, -1082, 182, "@zelda", COMMIT_E,
	    COMMIT_F, COMMIT_X, "Stripes anew", "the fence is open", "ci-zebra", "zeta" },
};

/* --- the settings --- */

static void
write_shop(struct world *w, const char *role)
{
	char text[1024], name[32];

	for (size_t i = 0; i <= strlen(role); i++)
		name[i] = (char)(role[i] >= 'a' && role[i] <= 'z' ? role[i] - 'a' + 'A' :
			role[i] == '-'				  ? '_' :
								    role[i]);
	(void)snprintf(text, sizeof(text),
	    "TELEGRAM_CHAT_ID=-1004\nROLE_%s_IDS=71\nROLE_%s_MAY=\"*:*\"\n"
	    "STAGING_TELEGRAM_IDS=72\nHOOK_CI_STARTS=deploy:staging ref=$.ref\nJOB_TIDY=bin/tidy\n"
	    "SECRET_MINE_PATH=kv2 secret mine\nSECRET_MINE_FOR=staging\n",
	    name, name);
	world_application(w, "shop", text);
}

static void
write_theirs(struct world *w, const struct theirs *t, const char *role)
{
	char text[1600], name[32];

	for (size_t i = 0; i <= strlen(role); i++)
		name[i] = (char)(role[i] >= 'a' && role[i] <= 'z' ? role[i] - 'a' + 'A' :
			role[i] == '-'				  ? '_' :
								    role[i]);
	(void)snprintf(text, sizeof(text),
	    "TELEGRAM_CHAT_ID=%" PRId64 "\nENVIRONMENTS=staging,production,live%s\n"
	    "PRODUCTION_HOST=%s-p\nLIVE_HOST=%s-l\nGITHUB_BRANCH_LIVE=main\nLIVE_CONFIRM=false\n"
	    "LIVE_APPROVALS=1\nROLE_%s_IDS=%" PRId64 "\nROLE_%s_MAY=\"*:*\"\n"
	    "ROLE_%s_IDS=%" PRId64 "\nROLE_%s_MAY=\"status:*\"\n"
	    "HOOK_CI_STARTS=deploy:staging ref=$.ref\nJOB_%s=bin/job\n"
	    "SECRET_%s_PATH=kv2 secret %s\nSECRET_%s_FOR=production\n"
	    "SECRET_DB_MIGRATE_PATH=kv2 secret %s\nSECRET_DB_MIGRATE_FOR=staging\n",
	    t->chat, t->more, t->app, t->app, name, t->owner, name, t->role, t->stranger, t->role,
	    t->role, t->role, t->app, t->role, t->app);
	world_application(w, t->app, text);
}

static void
load(struct world *w, const struct theirs *t, const char *role)
{
	char apps[128], clients[40], host[60], actions[60], unit[60], games[60], man[60];

	write_shop(w, role);
	write_theirs(w, t, role);
	(void)snprintf(apps, sizeof(apps), "APPS_DIRECTORY=%s/apps", w->aid.folder);
	(void)snprintf(clients, sizeof(clients), "CLIENTS=%s", t->client);
	(void)snprintf(host, sizeof(host), "CLIENT_%s_HOST=%s-host",
	    t->client[0] == 'a' ? "ACME" : "ZETA", t->client);
	(void)snprintf(actions, sizeof(actions), "CLIENT_%s_ACTIONS=restart-web,service-status",
	    t->client[0] == 'a' ? "ACME" : "ZETA");
	(void)snprintf(unit, sizeof(unit), "CLIENT_%s_WEB_UNIT=web.service",
	    t->client[0] == 'a' ? "ACME" : "ZETA");
	(void)snprintf(games, sizeof(games), "LOCAL_GAMES_IS=role shop:%s", role);
	(void)snprintf(man, sizeof(man), "LOCAL_MAN_IS=role %s:%s", t->app, role);
	world_settings(w, apps, "GITHUB_REPOSITORY=", "STAGING_TELEGRAM_IDS=", KEY,
	    "ENABLE_TOKEN_AUTH=true", HOOKS, VAULT, "ROLE_RATE_LIMIT=0", "RATE_LIMIT_REQUESTS=0",
	    factor_key_setting, "REQUIRE_OTP=emergency:*/*", clients, host, actions, unit, games,
	    man, "ROLE_OF_SHOP_IDS=73", "ROLE_OF_SHOP_MAY=*:shop/*", NULL);
	if (w->aid.settings->refused_count > 0)
		fail_msg(
		    "%s: %s", w->aid.settings->refused[0].file, w->aid.settings->refused[0].reason);
}

/* --- what the other application and the server have --- */

static void say(struct world *w, int64_t person, const char *name, int64_t chat, const char *fmt,
    ...) PRINTF(5, 6);

static void
say(struct world *w, int64_t person, const char *name, int64_t chat, const char *fmt, ...)
{
	struct event *event = world_update(w, UPDATE_TEXT, person, chat);
	char text[LIMIT_TEXT_IN];
	va_list args;

	va_start(args, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	(void)text_copy(event->u.update->name, sizeof(event->u.update->name), name);
	update_set_text(event->u.update, text);
	update_take_token(event->u.update);
	(void)world_decide(w, event);
}

/* Of the server's: as an admin asks for it on the machine. */
static void
make_token(struct world *w, const char *name, const char *role, char ret[TOKEN_TEXT])
{
	struct event *event = store_aid_event(&w->aid, EVENT_API);
	struct api_request *api = calloc(1, sizeof(*api));
	char body[200];
	struct json *json;
	struct err err;

	assert_non_null(api);
	event->u.api = api;
	api->from =
	    (struct update){ .kind = UPDATE_TEXT, .is_private = true, .person = WORLD_ADMIN };
	(void)text_copy(api->from.name, sizeof(api->from.name), "@ada");
	(void)snprintf(body, sizeof(body),
	    "{\"name\": \"%s\", \"role\": \"%s\", \"expires\": \"90d\"}", name, role);
	assert_true(api_read(API_TOKEN, "/v1/token/add", body, strlen(body), api, &err));
	if (world_decide(w, event).status != 200)
		fail_msg("%s", w->aid.said);
	json = json_decode(w->aid.said, strlen(w->aid.said), &err);
	assert_non_null(json);
	assert_true(text_copy(ret, TOKEN_TEXT, json_get_str(json, "token")));
	json_free(json);
}

/* One is live, one in progress, one queued, one asked about, one awaits approvals; one is an
 * action. */
static void
work(struct world *w, const struct theirs *t)
{
	struct world_git git = { .commit = t->commit, .subject = t->subject };

	say(w, t->owner, t->name, t->chat, "/deploy %s/staging", t->app);
	git.commit = t->third_commit;
	world_git(w, git);
	git.commit = t->commit;
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, FAILED_BEFORE_RELEASE);
	say(w, t->owner, t->name, t->chat, "/deploy %s/staging", t->app);
	world_git(w, git);
	assert_int_equal(world_run_starts(w), 200);
	world_run_ends(w, GOOD);
	say(w, t->owner, t->name, t->chat, "/deploy %s/staging", t->app);
	git.commit = t->other_commit;
	world_git(w, git);
	assert_int_equal(world_run_starts(w), 200);
	say(w, t->owner, t->name, t->chat, "/deploy %s/staging v2", t->app);
	git.commit = t->third_commit;
	world_git(w, git);
	git.commit = t->other_commit;
	say(w, t->owner, t->name, t->chat, "/deploy %s/production", t->app);
	world_git(w, git);
	say(w, t->owner, t->name, t->chat, "/deploy %s/live", t->app);
	world_git(w, git);
	say(w, WORLD_ADMIN, "@ada", WORLD_ADMIN, "/do service-status %s", t->client);
	say(w, t->owner, t->name, t->chat, "/lock %s/live 3d %s", t->app, t->reason);
	say(w, t->owner, t->name, t->chat, "/freeze %s/production until 2026-01-05 %s", t->app,
	    t->reason);
}

static void
populate(struct world *w, const struct theirs *t, const char *role)
{
	char token[TOKEN_TEXT], of_app[ROLE_TEXT];

	work(w, t);
	(void)snprintf(of_app, sizeof(of_app), "%s:%s", t->app, role);
	make_token(w, t->token, of_app, token);
	say(w, t->stranger, t->name, t->stranger, "/login %s", token);
	make_token(w, t->app, "admin", token);
	world_act(w, factor_enrol, &ada);
	world_act(w, factor_enrol, &(struct person){ .id = t->owner });
}

/* --- rows --- */

/* Row by row, each a line; of what is open and due, the one timer of a kind is everybody's. */
static void
dump(struct world *w, struct buf *out)
{
	CLEANUP(db_rows_close) struct db_rows tables = { 0 };
	struct err err;

	assert_true(db_query(&tables, w->aid.store->db, &err,
	    database_aid_sql(
		"SELECT t.name, t.line FROM (%s) AS t WHERE t.name NOT IN"
		" ('counter', 'bucket', 'person_name', 'grant_use', 'witness') ORDER BY t.name")));
	while (db_next(&tables)) {
		CLEANUP(db_rows_close) struct db_rows rows = { 0 };
		char sql[4096], name[64];

		(void)snprintf(name, sizeof(name), "%s", db_col_text(&tables, 0));
		(void)snprintf(sql, sizeof(sql), "SELECT %s FROM %s%s", db_col_text(&tables, 1),
		    name,
		    strcmp(name, "effect") == 0 ? " WHERE NOT (kind = 'wait' AND subject = 0)" :
						  "");
		assert_true(db_query(&rows, w->aid.store->db, &err, sql));
		while (db_next(&rows))
			buf_addf(out, "%s: %s\n", name, db_col_text(&rows, 0));
	}
	assert_false(buf_failed(out));
}

/* Where somebody's own words stand who has asked. */
static bool
may_echo(const char *line)
{
	static const char *const tables[] = {
		"audit: ", "stranger: ", "message: ", "effect: ", "inbox: ", "button: "
	};

	for (size_t i = 0; i < COUNT(tables); i++)
		if (text_starts(line, tables[i]))
			return true;
	return false;
}

static void
check_rows(struct world *w, const struct theirs *t, const char *before, const char *what)
{
	CLEANUP(buf_done) struct buf now = buf_make(8u << 20);
	char *copy = strdup(before), *rest = copy, target[32];

	dump(w, &now);
	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n")) != NULL && *line != '\0';)
		if (strstr(buf_text(&now), line) == NULL)
			fail_msg("%s: it was, and is no more:\n%s", what, line);
	free(copy);
	(void)snprintf(target, sizeof(target), "%s/", t->app);
	copy = rest = strdup(buf_text(&now));
	assert_non_null(copy);
	for (char *line; (line = strsep(&rest, "\n")) != NULL;)
		if (strstr(line, target) != NULL && !may_echo(line) && strstr(before, line) == NULL)
			fail_msg("%s: it is new:\n%s", what, line);
	free(copy);
}

void
isolation_check_rows(struct isolation *both, const char *what)
{
	for (size_t i = 0; i < COUNT(both->w); i++)
		check_rows(&both->w[i], &theirs[i], both->before[i], what);
}

/* --- what they are shown --- */

static bool
is_seen(int64_t chat)
{
	return chat == OWNER || chat == STAGING_OF || chat == MAIN_OF || chat == LOGGED_IN ||
	    chat == SHOP_CHAT || chat == WORLD_GROUP;
}

/* Digests: of one's own settings, with the path of the test's folder in it, and of all the
 * audit. */
static void
blank_digests(char *text)
{
	static const char *const names[] = { "\"binding\":\"", " audit " };

	for (size_t i = 0; i < COUNT(names); i++)
		for (char *at = text; (at = strstr(at, names[i])) != NULL;) {
			at += strlen(names[i]);
			memset(at, '-', strspn(at, "0123456789abcdef"));
		}
}

static void
write_shown(const struct world *w, const struct answer *answer, struct buf *out)
{
	buf_addf(out, "%d %" PRId64 "\nsaid: %s\ntoast: %s\n", answer->status, answer->work,
	    w->aid.said, w->toast);
	for (size_t i = 0; i < w->n_screen; i++) {
		const struct world_message *message = &w->screen[i];

		if (!is_seen(message->chat))
			continue;
		buf_addf(out, "to %" PRId64 ": %s\n", message->chat, message->text);
		for (size_t b = 0; b < message->buttons.n; b++)
			buf_addf(out, "[%s] ", message->buttons.at[b].label);
	}
	for (size_t i = 0; i < w->n_open; i++)
		buf_addf(
		    out, "%s of %" PRId64 "\n", effect_name(w->open[i]->kind), w->open[i]->subject);
	assert_false(buf_failed(out));
	blank_digests(out->data);
}

/* Each thing that is done begins with an empty screen. */
static void
forget(struct world *w)
{
	while (w->n_screen > 0) {
		free(w->screen[--w->n_screen].text);
		w->screen[w->n_screen] = (struct world_message){ .row = 0 };
	}
	while (w->n_open > 0)
		effect_free(w->open[--w->n_open]);
	w->toast[0] = w->aid.said[0] = '\0';
}

/* A button has named what it is for, to whoever it was shown. */
static void
rename_theirs(char *text, const struct theirs *t)
{
	for (char *at = text; (at = strstr(at, t->app)) != NULL;)
		memcpy(at, theirs[0].app, strlen(t->app));
}

static void
compare(struct isolation *both, const struct answer answers[2], bool is_named, const char *what)
{
	CLEANUP(buf_done) struct buf one = buf_make(1u << 20);
	CLEANUP(buf_done) struct buf other = buf_make(1u << 20);
	const char *at[2];
	size_t from;

	write_shown(&both->w[0], &answers[0], &one);
	write_shown(&both->w[1], &answers[1], &other);
	if (is_named)
		rename_theirs(other.data, &theirs[1]);
	at[0] = buf_text(&one);
	at[1] = buf_text(&other);
	for (from = 0; at[0][from] != '\0' && at[0][from] == at[1][from];)
		from++;
	if (at[0][from] != at[1][from])
		fail_msg("%s (%s) shows which world it is:\n%.300s\n-- or --\n%.300s", what,
		    both->role, at[0] + (from < 80 ? 0 : from - 80),
		    at[1] + (from < 80 ? 0 : from - 80));
	for (size_t i = 0; i < COUNT(both->w); i++) {
		for (size_t m = 0; m < both->w[i].n_screen; m++)
			if (both->w[i].screen[m].chat == theirs[i].chat ||
			    both->w[i].screen[m].chat == theirs[i].owner)
				fail_msg("%s reaches them: %s", what, both->w[i].screen[m].text);
		forget(&both->w[i]);
	}
	both->n_asked++;
}

/* --- what they do --- */

void
isolation_type(struct isolation *both, int64_t person, const char *text)
{
	struct answer answers[2];

	for (size_t i = 0; i < COUNT(answers); i++)
		answers[i] = world_text_in(&both->w[i], person, person, text);
	compare(both, answers, false, text);
}

static void
add_button(struct tx *tx, void *arg)
{
	struct button_row *button = arg;

	row_button_add(tx, button);
}

void
isolation_press(struct isolation *both, int64_t person, const struct request *request)
{
	struct answer answers[2];

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct button_row button = { .request = *request, .chat = person };

		if (text_starts(request->target, theirs[0].app))
			memcpy(button.request.target, theirs[i].app, strlen(theirs[i].app));
		world_act(&both->w[i], add_button, &button);
		answers[i] = world_press(&both->w[i], person, person, button.id);
	}
	compare(both, answers, true, request->action);
}

static bool
let_in(struct world *w, uint32_t uid, const char *as, struct update *ret)
{
	const struct local_peer peer = {
		.uid = uid, .server_uid = 10001, .runner_uid = 10002, .as = as
	};

	return local_user_judge(w->aid.settings, &peer, ret) == NULL;
}

void
isolation_ask(struct isolation *both, uint32_t uid, const char *as, enum api_operation operation,
    const char *path, const char *body)
{
	struct answer answers[2];
	struct err err;

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct event *event = store_aid_event(&both->w[i].aid, EVENT_API);
		struct api_request *api = calloc(1, sizeof(*api));

		assert_non_null(api);
		event->u.api = api;
		api->is_network = uid == ISOLATION_TOKEN;
		if (operation == API_UPLOAD)
			api->file = (struct update_file){ ISOLATION_ARCHIVE, "site.zip", 1000 };
		if (api->is_network) {
			api->from = (struct update){ .kind = UPDATE_TEXT, .is_private = true };
			(void)text_copy(api->from.token, sizeof(api->from.token), both->token[i]);
		} else {
			assert_true(let_in(&both->w[i], uid, as, &api->from));
		}
		if (!api_read(operation, path, body, body == NULL ? 0 : strlen(body), api, &err))
			fail_msg("%s %s: %s", path, body == NULL ? "" : body, err.text);
		answers[i] = world_decide(&both->w[i], event);
	}
	compare(both, answers, false, path);
}

void
isolation_call(struct isolation *both, const char *id, const char *body)
{
	struct answer answers[2];
	struct hook_line line;
	struct hook hook;
	struct err err;

	for (size_t i = 0; i < COUNT(answers); i++) {
		struct event *event = store_aid_event(&both->w[i].aid, EVENT_HOOK);
		struct hook_call *call = calloc(1, sizeof(*call));

		assert_non_null(call);
		event->u.hook = call;
		assert_true(hook_find(both->w[i].aid.settings, id, &hook));
		hook_line_read(hook.starts, hook.application, &line);
		assert_true(hook_line_request(&line, body, strlen(body), &call->request, &err));
		assert_true(crypto_sha256(body, strlen(body), call->digest, &err));
		(void)snprintf(call->id, sizeof(call->id), "%s", id);
		call->from = (struct update){ .kind = UPDATE_TEXT };
		(void)snprintf(call->from.name, sizeof(call->from.name), "hook %s", id);
		answers[i] = world_decide(&both->w[i], event);
	}
	compare(both, answers, false, id);
}

/* --- both worlds --- */

void
isolation_open(struct isolation *both, const char *role)
{
	char of_shop[ROLE_TEXT], login[TOKEN_TEXT + 16];

	memset(both, 0, sizeof(*both));
	both->role = role;
	factor_write_key(FACTOR_KEY);
	(void)snprintf(of_shop, sizeof(of_shop), "shop:%s", role);
	for (size_t i = 0; i < COUNT(both->w); i++) {
		struct world *w = &both->w[i];
		CLEANUP(buf_done) struct buf rows = buf_make(8u << 20);

		world_open(w, NULL);
		load(w, &theirs[i], role);
		world_restart(w);
		populate(w, &theirs[i], role);
		dump(w, &rows);
		both->before[i] = strdup(buf_text(&rows));
		assert_non_null(both->before[i]);
		forget(w); /* their run is none of what ends below */
		make_token(w, "of-shop", of_shop, both->token[i]);
		(void)snprintf(login, sizeof(login), "/login %s", both->token[i]);
		say(w, LOGGED_IN, "@eve", LOGGED_IN, "%s", login);
		say(w, OWNER, "@eve", SHOP_CHAT, "/deploy shop/staging");
		world_git(w, (struct world_git){ .commit = COMMIT_A });
		assert_int_equal(world_run_starts(w), 200);
		world_run_ends(w, GOOD);
		forget(w);
	}
}

void
isolation_close(struct isolation *both)
{
	for (size_t i = 0; i < COUNT(both->w); i++)
		free(both->before[i]);
	world_close(&both->w[0]);
	factor_close(&both->w[1]); /* and the key of both */
}
