/* Goal: every word that stands in a database, a file or on a wire is in a list that only ever grows.  Side: start. */
/* SPDX-License-Identifier: ISC */
/* Each is taken from where it is written: rows, bodies, packets, files.  In LIST a word that nobody
 * writes any more is `retired`, with no other sense: databases and runs of old versions have it. */
#include <jansson.h>

#include "agent_aid.h"
#include "link_aid.h"
#include "token_aid.h"
#include "chat/chat_deployment.h"
#include "chat/chat_first.h"
#include "decide/factor/decide_factor_inside.h"
#include "deployment/deployment.h"
#include "lib/json.h"
#include "lib/buf.h"
#include "lib/condition.h"
#include "lib/db.h"
#include "lib/text.h"
#include "policy/hold.h"
#include "routes/metric_set.h"
#include "runner/protocol.h"
#include "store/row_cloudflare.h"
#include "store/row_effect.h"
#include "store/row_loan.h"
#include "store/row_press.h"
#include "store/row_principal.h"
#include "store/row_queue.h"
#include "tests/unit/do_aid.h"
#include "tests/unit/factor_aid.h"
#include "types/api.h"
#include "tests/unit/story_aid.h"
#include "types/action.h"
#include "types/audit_code.h"
#include "types/effect_codec.h"
#include "types/policy_action.h"
#include "types/principal.h"
#include "types/token.h"

#define LIST	  "tests/fixtures/words-on-disk.txt"
#define WORDS_MAX 1024
#define WORD_SIZE 120

static struct {
	size_t n;
	char at[WORDS_MAX][WORD_SIZE];
} words;

static void
note(const char *class, const char *word)
{
	char line[WORD_SIZE];

	if (word[0] == '\0')
		return;
	assert_in_range(snprintf(line, sizeof(line), "%s %s", class, word), 1, sizeof(line) - 1);
	for (size_t i = 0; i < words.n; i++)
		if (strcmp(words.at[i], line) == 0)
			return;
	assert_true(words.n < WORDS_MAX);
	(void)text_copy(words.at[words.n++], WORD_SIZE, line);
}

/* Without its signs, marks and blanks at both ends. */
static void
note_said(const char *text)
{
	static const char letters[] = " abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char word[WORD_SIZE];
	const char *begin = strpbrk(text, letters + 1);

	(void)snprintf(word, sizeof(word), "%.*s", (int)strspn(begin, letters), begin);
	while (text_ends(word, " "))
		word[strlen(word) - 1] = '\0';
	note("message.said", word);
}

/* --- JSON: the keys of an object, those of objects in it as `outer.inner` --- */

static void
note_object(const char *class, const char *above, json_t *object)
{
	const char *key;
	json_t *value, *inner;
	char path[WORD_SIZE];

	json_object_foreach(object, key, value)
	{
		(void)snprintf(
		    path, sizeof(path), "%s%s%s", above, above[0] == '\0' ? "" : ".", key);
		note(class, path);
		inner = json_is_array(value) ? json_array_get(value, 0) : value;
		if (json_is_object(inner))
			note_object(class, key, inner);
	}
}

static void
note_keys(const char *class, const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);

	if (json == NULL)
		fail_msg("%s: %s: %s", class, error.text, text);
	note_object(class, "", json);
	json_decref(json);
}

/* --- rows --- */

static void
note_tables(void)
{
#define S(name, row, word, class) note("deployment.state", row);
	DEPLOY_STATES(S)
#undef S
#define W(name, row, word) note("deployment.why", row);
	DEPLOY_WHYS(W)
#undef W
#define T(name, word, ...) note("deployment.cause", word);
	TRIGGERS(T)
#undef T
#define ACT(name, word) note("press.act", word);
	PRESS_ACTS(ACT)
#undef ACT
#define COMMAND(word, action, target, argument, ...) \
	note("button.action", #word); \
	note("button.argument", argument);
#define PRESSED(word, when, cost) note("button.action", #word);
#include "commands/commands.def"
	for (int i = 0; i < POLICY_ACTION_COUNT; i++)
		if (policy_action_is_grantable((enum policy_action)i))
			note("grant.action", policy_action_rows[i].word);
	for (int i = 0; i < AUDIT_CODE_COUNT; i++)
		note("audit.action", audit_code_rows[i].action);
	for (size_t i = 0; i < TOKEN_FAULT_COUNT; i++)
		note("token.fault", token_fault_rows[i].word);
#define P(name, word, ...) note("principal", word);
	PRINCIPALS(P)
#undef P
	note("work.waits_for", ROW_QUEUE_LOOK), note("work.waits_for", ROW_QUEUE_SLOT);
	note("work.waits_for", ROW_QUEUE_GIT), note("work.waits_for", ROW_QUEUE_HOLD);
	note("work.waits_for", ROW_QUEUE_SETTINGS), note("work.waits_for", ROW_QUEUE_CI);
	for (enum notify_word word = 0; word < NOTIFY_WORDS; word++)
		note("notify.word", notify_word_text(word));
	note("work.waits_for", ROW_QUEUE_RUNNER), note("work.waits_for", ROW_QUEUE_OPA);
	note("work.waits_for", ROW_QUEUE_MEASURE);
	for (enum hold_kind kind = 0; kind < HOLD_WINDOW; kind++)
		note("hold.kind", hold_kinds[kind].word);
#define STATE(name, word) note("loan.phase", word);
	LOAN_STATES(STATE)
#define PHASE(name, word) note("cloudflare.phase", word);
	CLOUDFLARE_PHASES(PHASE)
#define LEVEL(word, text) note("cloudflare.level", word);
	CLOUDFLARE_LEVELS(LEVEL)
	note_said(CHAT_SAID_NOT_REVIEWED);
	note_said(CHAT_SAID_AHEAD);
	note("button.argument", "answer");
	note("button.argument.answer", "yes");
	note("button.argument.answer", "no");
	note("button.argument", "page");
	note("button.argument", "of");
	note("button.argument", "to");
	note("button.target", "work/");
	note("button.target", "run/");
}

/* Its body as it is written, and the word that a key of it has. */
static void
note_body(struct effect *effect, const char *word_key)
{
	char class[64];
	struct buf body;
	struct err err;

	buf_init(&body, EFFECT_BODY_MAX);
	effect_codec_encode(effect, &body);
	note("effect.kind", effect_name(effect->kind));
	(void)snprintf(class, sizeof(class), "effect.%s", effect_name(effect->kind));
	note_keys(class, buf_text(&body));
	if (word_key != NULL) {
		struct json *json = json_decode(buf_text(&body), body.size, &err);

		(void)snprintf(
		    class, sizeof(class), "effect.%s.%s", effect_name(effect->kind), word_key);
		note(class, json_get_str(json, word_key));
		json_free(json);
	}
	buf_done(&body);
}

static void
note_effects(void)
{
	for (int kind = 0; kind < EFFECT_KIND_COUNT; kind++) {
		struct effect *effect = effect_new((enum effect_kind)kind);

		if (kind == EFFECT_PROBE) {
			effect->u.probe.n = 1;
			effect->u.probe.targets = calloc(1, sizeof(*effect->u.probe.targets));
		}
		for (int p = 0; kind == EFFECT_RUN && p < PROGRAM_OF_RUNS; p++) {
			effect->u.run.program = (enum program)p;
			note_body(effect, "program");
		}
		for (int q = GIT_QUERY_COMMITS; kind == EFFECT_GIT_QUERY && q <= GIT_QUERY_HEADS;
		     q++) {
			effect->u.git_query.kind = (enum git_query_kind)q;
			note_body(effect, "question");
		}
		for (int w = TIMER_QUESTION; kind == EFFECT_TIMER && w < TIMER_KIND_COUNT; w++) {
			effect->u.timer.kind = (enum timer_kind)w;
			note_body(effect, "wait");
		}
		note_body(effect, NULL);
		effect_free(effect);
	}
}

/* --- what stories leave: the audit, lanes, state files --- */

static void
note_column(struct world *w, const char *class, const char *sql)
{
	struct db *db = db_open(w->aid.path, DB_READ_ONLY, &w->aid.err);
	struct db_rows rows = { 0 };

	assert_non_null(db);
	assert_true(db_query(&rows, db, &w->aid.err, sql));
	while (db_next(&rows))
		note(class, db_col_text(&rows, 0));
	assert_true(db_rows_end(&rows, &w->aid.err));
	db_close(db);
}

static void
note_lines(const char *class, const char *path)
{
	char *text = store_aid_read(path), *rest = text, *line;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			note_keys(class, line);
	free(text);
}

static void
act_on_lanes(struct tx *tx, void *arg)
{
	const struct chat_address address = { .chat = WORLD_TEAM };
	struct effect *document = effect_new(EFFECT_DOCUMENT);
	struct effect *ask = effect_new(EFFECT_GIT_QUERY);
	struct effect *heads = effect_new(EFFECT_GIT_QUERY);

	(void)arg;
	heads->u.git_query.kind = GIT_QUERY_HEADS;
	(void)row_effect_add(tx, heads);
	document->u.document.address = address;
	(void)text_copy(
	    ask->u.git_query.environment, sizeof(ask->u.git_query.environment), "staging");
	(void)row_effect_add(tx, document);
	(void)row_effect_add(tx, ask);
	row_effect_toast(tx, &address, "cb", false, "hello");
}

static void
note_stories(void)
{
	char path[160];

	for (int story = 0; story < STORY_COUNT; story++) {
		struct event *said;
		struct world w;

		world_open(&w, STAGING_URL, "STAGING_ROLLBACK_NAG_MINUTES=15",
		    "PRODUCTION_HEALTH_URL=http://127.0.0.1:2/", "POLL_REPOSITORY_SECONDS=60",
		    story_setting((enum story)story), NULL);
		for (size_t step = 0; step < story_size((enum story)story); step++)
			story_play(&w, (enum story)story, step);
		said = store_aid_event(&w.aid, EVENT_SETTINGS);
		said->u.settings_read = (struct settings_read){
			.accepted = true, .changed = "A", .applications = "shop", .refused = "web"
		};
		(void)store_aid_decide(&w.aid, said);
		(void)world_audited(&w, "", NULL); /* writes the files */
		note_column(&w, "audit.action", "SELECT DISTINCT action FROM audit");
		note_column(&w, "audit.severity", "SELECT DISTINCT severity FROM audit");
		note_lines("audit", w.aid.audit_path);
		(void)snprintf(path, sizeof(path), "%s/staging.json", w.aid.environments_path);
		note_lines("environment.json", path);
		store_aid_act(&w.aid, act_on_lanes, NULL);
		said = world_update(&w, UPDATE_TEXT, WORLD_ADMIN, WORLD_ADMIN);
		(void)text_copy(said->u.update->text, sizeof(said->u.update->text), "/help");
		(void)store_aid_decide(&w.aid, said); /* and its answer is not sent */
		note_column(&w, "effect.lane",
		    "SELECT DISTINCT substr(lane, 1, instr(lane, ':')) FROM effect"
		    " WHERE lane IS NOT NULL");
		world_close(&w);
	}
}

static void
note_actions(void)
{
	struct world w;

	do_aid_open(&w);
	(void)world_text(&w, WORLD_ADMIN, "/do service-status acme");
	world_run_ends(&w, (struct run_ended){ .gate_opened = true });
	(void)world_text(&w, WORLD_ADMIN, "/lock production");
	(void)world_text(&w, WORLD_ADMIN, "/lock production again"); /* is counted */
	world_due(&w, TIMER_HOLDS);
	(void)world_audited(&w, "", NULL);
	note_lines("audit", w.aid.audit_path);
	world_close(&w);
}

/* One that is cut, and one that is not. */
static void
note_drains(void)
{
	const struct run_ended left = { .gate_opened = true, .released = true, .drains = true };
	struct world w;

	world_b_over_a(&w, STAGING_URL);
	world_run_ends(&w, left);
	world_probed(&w, NULL);
	world_run_ends(&w, TOUCHED);
	world_deploy_starts(&w, COMMIT_C);
	world_run_ends(&w, left);
	world_probed(&w, NULL);
	world_run_ends(&w, GOOD);
	note_column(&w, "audit.action", "SELECT DISTINCT action FROM audit");
	world_close(&w);
}

/* --- second factors --- */

static void
enrol(struct tx *tx, const char *word, const char *code)
{
	assert_int_equal(factor_ask(tx, row_principal_of(tx, PRINCIPAL_USER, "", "admin"), word,
			     WORLD_STAGING_USER, code),
	    200);
}

static void
fail_after(struct tx *tx, int64_t failures)
{
	const struct update update = { .person = WORLD_STAGING_USER, .name = "@cy" };
	struct factor factor = row_factor_get(tx, update.person);
	char why[LIMIT_LINE];

	factor.failures = failures;
	row_factor_save(tx, &factor);
	assert_false(decide_factor_take(tx, &update, "000000", why) &&
	    decide_factor_take(tx, &update, "111111", why));
	tx->answer.status = 200;
}

static void
act_on_factor(struct tx *tx, void *arg)
{
	struct world *w = arg;
	struct person cy = { .id = WORLD_STAGING_USER };
	struct factor_secret secret;

	enrol(tx, "add", "");
	assert_true(row_factor_open(tx, cy.id, &secret, NULL));
	memcpy(cy.secret, secret.totp, sizeof(cy.secret));
	enrol(tx, "confirm", factor_code(w, &cy, 0));
	factor_add_recovery(tx, &cy);
	fail_after(tx, 4);
	enrol(tx, "recover", FACTOR_RECOVERY);
	enrol(tx, "codes", "");
	fail_after(tx, 49);
	enrol(tx, "reset", "");
}

static void
name_principals(struct tx *tx, UNUSED void *arg)
{
	(void)row_principal_of(tx, PRINCIPAL_USER, "", "admin");
	(void)row_principal_of(tx, PRINCIPAL_HOOK, "shop", "ci");
}

static void
note_principals(void)
{
	struct world w;

	world_open(&w, NULL);
	world_act(&w, name_principals, NULL);
	note_column(&w, "principal.kind", "SELECT DISTINCT kind FROM principal");
	world_close(&w);
}

static void
note_factors(void)
{
	struct world w;

	factor_open(&w, "REQUIRE_OTP=deploy:*");
	world_act(&w, act_on_factor, &w);
	(void)world_audited(&w, "", NULL);
	note_column(&w, "audit.action", "SELECT DISTINCT action FROM audit");
	note_column(&w, "audit.severity", "SELECT DISTINCT severity FROM audit");
	note_lines("audit", w.aid.audit_path);
	factor_close(&w);
}

/* --- tokens --- */

#define AGENT(word, rest) \
	assert_int_equal(token_aid_ask(&w, WORLD_ADMIN, API_AGENT, "/v1/agent/" word, \
			     "{\"name\": \"acme\"" rest "}"), \
	    200)
#define KEY(four) ", \"key\": \"" four four four four "\""

static void
note_tokens(void)
{
	char text[TOKEN_TEXT + 8];
	struct link_aid link;
	struct world w;

	link_aid_make(&link, 0);
	world_open(&w, TOKEN_AID_ON, TOKEN_AID_KEY, LINK_AID_LINES(&link), NULL);
	(void)snprintf(text, sizeof(text), "/login %s",
	    token_aid_make(&w, WORLD_ADMIN, "ci", "staging", "1d"));
	(void)world_text_in(&w, WORLD_STRANGER, WORLD_STRANGER, text);
	for (int i = 0; i < 5; i++)
		(void)world_text_in(&w, WORLD_STRANGER, WORLD_STRANGER, "/login wrong");
	assert_int_equal(token_aid_status(&w, TOKEN_PREFIX), 401);
	assert_int_equal(token_aid_revoke(&w, "ci"), 200);
	AGENT("enrol", "");
	AGENT("enrol", KEY("1111111111111111"));
	AGENT("move", KEY("2222222222222222"));
	agent_aid_says(&w, "agent/acme", "");
	agent_aid_says(&w, "agent/acme", "disk-free=" AGENT_AID_1);
	AGENT("revoke", "");
	(void)world_audited(&w, "", NULL);
	note_column(&w, "audit.action", "SELECT DISTINCT action FROM audit");
	note_lines("audit", w.aid.audit_path);
	world_close(&w);
	link_aid_remove(&link);
}

/* --- the runner's protocol --- */

static struct protocol_message
full_message(int kind)
{
	struct protocol_message m = { .kind = (enum protocol_kind)kind,
		.id = 1,
		.version = PROTOCOL_VERSION,
		.pid = 2,
		.place = { 5, 6, false },
		.process = { 3, "0123abcd-0123-0123-0123-0123456789ab" },
		.program = PROTOCOL_PROGRAM_DEPLOY,
		.application = "shop",
		.environment = "staging",
		.argument = COMMIT_A,
		.deadline_s = 4,
		.grace_s = 5,
		.deployment = 6,
		.previous = COMMIT_B,
		.ref = "main",
		.tag = "1-0123",
		.proof.installation = "0123456789abcdef0123456789abcdef",
		.fingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		.settings = "A=0123456789abcdef",
		.why = PROTOCOL_WHY_FAILED,
		.error = 7,
		.text = "text",
		.state = PROTOCOL_STATE_ENDED,
		.removal = PROTOCOL_REMOVAL_GONE,
		.query = PROTOCOL_GIT_QUERY_HEADS,
		.branch = "main",
		.wants_progress = true,
		.base = COMMIT_C,
		.blocked = COMMIT_D,
		.after = COMMIT_D,
		.branches = "main",
		.record = { true, true, true, true, true, true, true, true, true, true, 9, 10, 11,
		    12, "", 0, { "" } },
		.step_count = 1,
		.steps = { { "build", 16 } } };

	(void)snprintf(m.record.image, sizeof(m.record.image), "sha256:%s", m.fingerprint);
	m.record.warning_count = PROTOCOL_WARNINGS;
	for (size_t i = 0; i < PROTOCOL_WARNINGS; i++)
		m.record.warnings[i][0] = 'w';
	return m;
}

static void
note_protocol(void)
{
	static char packet[PROTOCOL_PACKET_MAX + 1];

#define P(name, word) note("protocol.program", word);
#define K(name, word) note("protocol.kind", word);
	PROTOCOL_KINDS(K)
#undef K
	PROTOCOL_PROGRAMS(P)
#undef P
#define Q(name, word) note("protocol.question", word);
	PROTOCOL_GIT_QUERIES(Q)
#undef Q
#define S(name, word) note("protocol.state", word);
	PROTOCOL_STATES(S)
#undef S
#define W(name, word) note("protocol.why", word);
	PROTOCOL_WHYS(W)
#undef W
#define R(name, word) note("protocol.removal", word);
	PROTOCOL_REMOVALS(R)
#undef R
	for (int kind = 0; kind < PROTOCOL_KIND_COUNT; kind++) {
		struct protocol_message message = full_message(kind);
		struct err err = { .text = "" };
		char *rest = packet, *line, class[64];
		size_t size;

		if (!protocol_encode(&message, packet, sizeof(packet) - 1, &size, &err))
			fail_msg("%d: %s", kind, err.text);
		packet[size] = '\0';
		line = strsep(&rest, "\n");
		(void)snprintf(class, sizeof(class), "protocol.%s", line);
		while ((line = strsep(&rest, "\n")) != NULL && line[0] != '\0')
			note(class, strsep(&line, " "));
	}
}

/* --- what people write in settings and grants, and rows have --- */

static void
note_settings_words(void)
{
	for (size_t i = 0; i < ACTION_COUNT; i++)
		note("action", action_table[i].name);
#define C(kind, word, what) note("condition", word);
	CONDITION_ROWS(C)
#undef C
}

/* --- metrics --- */

/* `name{label="value",other="…"} 1` */
static void
note_series(char *line)
{
	char *name = strsep(&line, "{"), *label, class[64];

	if (line == NULL)
		return;
	(void)snprintf(class, sizeof(class), "metric.label %s", name);
	while ((label = strsep(&line, "=")) != NULL && line != NULL) {
		note(class, label);
		(void)strsep(&line, "\"");
		(void)strsep(&line, "\"");
		if (line == NULL || *line++ != ',')
			return;
	}
}

static void
note_metrics(void)
{
	const struct gauges gauges = { .n_environments = 1,
		.environment = (struct environment_gauge[]){ { .name = "staging",
		    .is_busy = true,
		    .left_hosts = 1,
		    .has_hosts = true,
		    .is_down = true,
		    .poll_failing_since = 1,
		    .busy_since = 1,
		    .released_at = 1,
		    .commit = "1a2b3c4",
		    .subject = "Sell medlars",
		    .by = "@ada" } } };
	static const enum metric_id plain[] = { METRIC_GITHUB_INTERVAL, METRIC_JOB_KEYS_UNREACHABLE,
		METRIC_VAULT_UP, METRIC_VAULT_TOKEN_TTL, METRIC_HEALTH_INTERVAL, METRIC_RUNNER_UP,
		METRIC_AGENTS_CONNECTED, METRIC_AGENTS_DISCONNECTED, METRIC_AGENTS_EXPIRING,
		METRIC_AGENTS_GONE, METRIC_AGENTS_GONE_PRODUCTION, METRIC_LOOP_LAG,
		METRIC_MIRROR_SIZE };
	struct metric_set *set = metric_set_new();
	struct buf text;
	char *copy, *rest, *line;

	assert_non_null(set);
	metric_set_gauges(set, &gauges, &(struct settings){ .application = "" });
	for (int kind = 0; kind <= INCREMENT_COMMIT; kind++)
		metric_set_count(set,
		    &(struct metric_increment){
			(enum metric_increment_kind)kind, { "a", "b", "c" }, 1 });
	metric_set_webhook(set, "", "github", 200);
	metric_set_telegram(set, "getMe", 200);
	metric_set_value(set, METRIC_TELEGRAM_PENDING, 0);
	metric_set_value(set, METRIC_TELEGRAM_RECEIVING, true);
	metric_set_clock(set, true, 0);
	metric_set_health(set, "staging", true);
	for (size_t i = 0; i < COUNT(plain); i++)
		metric_set_value(set, plain[i], 1);
	metric_set_tls(set, true, 1);
	buf_init(&text, 1 << 20);
	metric_set_write(set, &text);
	copy = strdup(buf_text(&text));
	assert_non_null(copy);
	for (rest = copy; (line = strsep(&rest, "\n")) != NULL;)
		if (strncmp(line, "# TYPE ", 7) == 0)
			note("metric", line + 7);
		else if (line[0] != '#')
			note_series(line);
	free(copy);
	buf_done(&text);
	metric_set_free(set);
}

/* --- against the list --- */

static bool
is_written(const char *line)
{
	for (size_t i = 0; i < words.n; i++)
		if (strcmp(words.at[i], line) == 0)
			return true;
	return false;
}

static bool
is_listed(const char *list, const char *line)
{
	size_t size = strlen(line);

	for (const char *at = list; (at = strstr(at, line)) != NULL; at++)
		if ((at == list || at[-1] == '\n') && at[size] == '\n')
			return true;
	return false;
}

TEST(every_word_that_is_written_is_in_the_list)
{
	char *list = store_aid_read(LIST);
	size_t n_missing = 0;

	for (size_t i = 0; i < words.n; i++)
		if (!is_listed(list, words.at[i])) {
			print_error("%s\n", words.at[i]);
			n_missing++;
		}
	free(list);
	if (n_missing > 0)
		fail_msg("%zu new words: add them to " LIST " if they are meant, and never take one"
			 " that is there",
		    n_missing);
}

/* Lines of the list that something other than this test writes are held by test_upgrade.py. */
TEST(every_word_of_the_list_is_still_written)
{
	char *list = store_aid_read(LIST), *rest = list, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (line[0] == '\0' || line[0] == '#' || strncmp(line, "retired ", 8) == 0 ||
		    strncmp(line, "run.", 4) == 0)
			continue;
		if (!is_written(line))
			fail_msg(
			    "\"%s\" is written no more: what is renamed on disk or on the wire "
			    "takes a migration or another PROTOCOL_VERSION, and the old word is "
			    "marked `retired` in " LIST,
			    line);
	}
	free(list);
}

static int
gather(UNUSED void **state)
{
	note_tables();
	note_effects();
	note_stories();
	note_principals();
	note_factors();
	note_tokens();
	note_actions();
	note_drains();
	note_settings_words();
	note_protocol();
	note_metrics();
	if (getenv("PRINT_WORDS") != NULL)
		for (size_t i = 0; i < words.n; i++)
			print_message("%s\n", words.at[i]);
	return 0;
}

TEST_GROUP(gather, NULL)
