/* effect_codec.c - the fields of each kind of effect, as they stand in its row.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/effect_codec.h"

#include <limits.h>

#include "lib/column.h"
#include "lib/commit.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"

enum type {
	TYPE_I64,
	TYPE_ID,   /* 1 … INT64_MAX, as is asserted where it is used */
	TYPE_INT,  /* 0 … INT_MAX */
	TYPE_BOOL, /* not there: false */
	TYPE_TEXT,
	TYPE_WORD, /* an enum, as one of its words */
	TYPE_BRANCHES,
	TYPE_TARGETS,
};

struct field {
	const char *key; /* NULL: the end of a table */
	enum type type;
	size_t at; /* in what the table is of */
	size_t room;
	const char *const *words;
	bool is_later; /* rows of earlier versions are without it: then it is 0, or "" */
};

/* A table reads by its columns. */
/* clang-format off */
static const char *const program_words[] = {
	[PROGRAM_DEPLOY] = "deploy", [PROGRAM_ROLLBACK] = "rollback", [PROGRAM_ACTION] = "action",
	[PROGRAM_DRAIN] = "drain" };
static const char *const git_query_words[] =
	{ [GIT_QUERY_COMMITS] = "commits", [GIT_QUERY_HEADS] = "heads",
	  [GIT_QUERY_SETTINGS] = "settings", [GIT_QUERY_LOGS] = "logs",
	  [GIT_QUERY_UNPACK] = "unpack" };
static const char *const source_words[] = { COMMIT_SOURCES(COLUMN_SECOND) };
static const char *const timer_words[] = { TIMERS(COLUMN_SECOND) };
_Static_assert(sizeof(enum program) == sizeof(int) && sizeof(enum git_query_kind) == sizeof(int) &&
    sizeof(enum timer_kind) == sizeof(int) && sizeof(enum commit_source) == sizeof(int),
    "a word is an int");

/* Its type in C is its type here. */
#define FIELD_OF(of, key, member, later) \
	{ key, _Generic(((of *)0)->member, int64_t: TYPE_I64, int: TYPE_INT, bool: TYPE_BOOL, \
	    char *: TYPE_TEXT), offsetof(of, member), sizeof(((of *)0)->member), NULL, later }
#define FIELD(key, member)	FIELD_OF(struct effect, key, u.member, false)
#define LATER(key, member)	FIELD_OF(struct effect, key, u.member, true)
#define ID(key, member) \
	{ key, TYPE_ID, offsetof(struct effect, u.member), sizeof(int64_t), NULL, false }
#define WORD_OF(key, member, words, later) \
	{ key, TYPE_WORD, offsetof(struct effect, u.member), COUNT(words), words, later }
#define WORD(key, member, words)	WORD_OF(key, member, words, false)
#define LATER_WORD(key, member, words)	WORD_OF(key, member, words, true)
#define LIST(key, type)		{ key, type, 0, 0, NULL, false }
#define END			{ NULL, TYPE_I64, 0, 0, NULL, false }
/* NOLINTBEGIN(bugprone-macro-parentheses): a member's name */
#define PUSH_OF(of) \
	LATER("after", of.push.after), LATER("delivery", of.push.delivery), \
	LATER("hook", of.push.hook), LATER("forge", of.push.forge), LATER("until", of.push.until), \
	LATER("pause_s", of.push.pause_s), LATER("by_job", of.push.by_job)
/* NOLINTEND(bugprone-macro-parentheses): a member's name */

/* The keys are words on disk: they stay, whatever the field is called. */
static const struct field fields_run[] = {
	ID("run", run.run), WORD("program", run.program, program_words),
	FIELD("deployment", run.deployment), FIELD("environment", run.environment),
	FIELD("commit", run.commit), FIELD("image", run.image), FIELD("previous", run.previous),
	FIELD("previous_image", run.previous_image), FIELD("ref", run.ref),
	FIELD("deadline_s", run.deadline_s), LATER("action", run.action),
	LATER("argument", run.argument), LATER("client", run.client),
	LATER("binding", run.binding), LATER("without", run.without),
	LATER_WORD("source", run.source, source_words), LATER("tree", run.tree),
	LATER("promoted", run.is_promoted), LATER("wave", run.wave),
	LATER("failures_max", run.failures_max), END };
static const struct field fields_stop_run[] = { ID("run", stop_run.run), END };
static const struct field fields_git_query[] = {
	WORD("question", git_query.kind, git_query_words),
	FIELD("environment", git_query.environment), FIELD("ref", git_query.ref),
	FIELD("base", git_query.base), FIELD("branch", git_query.branch),
	LIST("branches", TYPE_BRANCHES), FIELD("is_patient", git_query.is_patient),
	FIELD("asked_by", git_query.requested_by), PUSH_OF(git_query),
	LATER("is_notified", git_query.is_notified), LATER("blocked", git_query.blocked),
	LATER("block", git_query.block),
	LATER("paths", git_query.paths), END };
static const struct field fields_application_log[] = {
	FIELD("environment", application_log.environment), FIELD("person", application_log.person),
	FIELD("chat", application_log.address.chat),
	FIELD("thread", application_log.address.thread),
	FIELD("lines", application_log.lines), END };
static const struct field fields_probe[] = {
	FIELD("successes", probe.plan.successes), FIELD("failures", probe.plan.failures),
	FIELD("interval_s", probe.plan.interval_s), FIELD("timeout_s", probe.plan.timeout_s),
	LATER("deadline_s", probe.plan.deadline_s), LATER("until", probe.plan.until),
	FIELD("message", probe.message), FIELD("asked", probe.asked),
	LATER("person", probe.person), LATER("page", probe.page), LATER("pin", probe.pin),
	LATER("run", probe.run),
	LIST("targets", TYPE_TARGETS), END };
static const struct field fields_of_a_target[] = {
	FIELD_OF(struct probe_target, "environment", environment, false),
	FIELD_OF(struct probe_target, "url", url, false),
	FIELD_OF(struct probe_target, "commit", commit, false), END };
static const struct field fields_send_message[] =
	{ FIELD("message", send_message.message.id), END };
static const struct field fields_toast[] = {
	FIELD("callback", toast.callback), FIELD("text", toast.text),
	FIELD("is_alert", toast.is_alert), END };
static const struct field fields_document[] = {
	FIELD("chat", document.address.chat), FIELD("thread", document.address.thread),
	FIELD("run", document.run), FIELD("file_name", document.file_name),
	FIELD("caption", document.caption), LATER("head", document.head),
	LATER("runner", document.runner), END };
static const struct field fields_delete_message[] = {
	FIELD("person", delete_message.chat), FIELD("message", delete_message.remote_id), END };
static const struct field fields_pin_message[] = {
	FIELD("chat", pin_message.chat), ID("message", pin_message.remote_id),
	FIELD("is_off", pin_message.is_off), END };
static const struct field fields_fetch_file[] = { FIELD("file", fetch_file.file),
	FIELD("digest", fetch_file.digest), END };
static const struct field fields_purge_upload[] = { FIELD("digest", purge_upload.digest),
	FIELD("at", purge_upload.at), END };
static const struct field fields_purge_run[] = { ID("run", purge_run.run),
	LATER("runner", purge_run.runner), END };
static const struct field fields_leave_chat[] = { FIELD("chat", leave_chat.chat), END };
static const struct field fields_cloudflare_get[] = { FIELD("zone", cloudflare.zone), END };
static const struct field fields_cloudflare_set[] =
	{ FIELD("zone", cloudflare.zone), FIELD("level", cloudflare.level), END };
static const struct field fields_github_runs[] = {
	FIELD("environment", github_runs.environment), FIELD("commit", github_runs.commit),
	FIELD("branch", github_runs.branch), FIELD("not_before", github_runs.not_before), END };
static const struct field fields_prom_query[] = {
	FIELD("environment", prom_query.environment), FIELD("release", prom_query.release), END };
static const struct field fields_opa[] = {
	FIELD("input", opa.input), FIELD("not_before", opa.not_before), END };
static const struct field fields_notify[] = {
	FIELD("name", notify.name), FIELD("word", notify.word), FIELD("key", notify.key),
	FIELD("at", notify.at), FIELD("text", notify.text), FIELD("data", notify.data), END };
static const struct field fields_github_failure[] = {
	FIELD("environment", github_failure.environment), ID("run", github_failure.run),
	ID("attempt", github_failure.attempt), END };
static const struct field fields_github_deliveries[] = {
	FIELD("application", github_deliveries.application),
	LATER("at_gitlab", github_deliveries.at_gitlab), FIELD("hook", github_deliveries.hook),
	FIELD("delivery", github_deliveries.delivery), FIELD("again", github_deliveries.is_again),
	FIELD("cursor", github_deliveries.cursor), FIELD("left", github_deliveries.left), END };
static const struct field fields_forge_answer[] = {
	FIELD("environment", forge_answer.environment), FIELD("run", forge_answer.run),
	FIELD("repository", forge_answer.repository), FIELD("target", forge_answer.target),
	FIELD("is_approved", forge_answer.is_approved), FIELD("comment", forge_answer.comment),
	FIELD("pause_s", forge_answer.pause_s), FIELD("not_before", forge_answer.not_before),
	LATER("is_report", forge_answer.is_report), LATER("asked_at", forge_answer.asked_at),
	LATER("deployment", forge_answer.deployment), END };
static const struct field fields_forge_report[] = {
	FIELD("environment", forge_report.environment), FIELD("target", forge_report.target),
	FIELD("repository", forge_report.repository), FIELD("commit", forge_report.commit),
	FIELD("is_production", forge_report.is_production),
	FIELD("requested_at", forge_report.requested_at), FIELD("state", forge_report.state),
	LATER("at_gitlab", forge_report.at_gitlab), END };
#define FORGE_FIELDS \
	FIELD("environment", forge.environment), FIELD("pipeline", forge.pipeline), \
	FIELD("words", forge.words), FIELD("nonce", forge.nonce), FIELD("run", forge.run), \
	FIELD("is_plain", forge.is_plain), FIELD("not_before", forge.not_before), \
	LATER("at_gitlab", forge.at_gitlab), LATER("is_gates", forge.is_gates), \
	LATER("job", forge.job), LATER("attempt", forge.attempt), \
	LATER("deployment", forge.deployment), END
static const struct field fields_forge_start[] = { FORGE_FIELDS };
static const struct field fields_forge_stop[] = { FORGE_FIELDS };
static const struct field fields_forge_look[] = { FORGE_FIELDS };
static const struct field fields_vault_lend[] = {
	FIELD("name", vault.name), FIELD("ttl_s", vault.ttl_s),
	FIELD("principal", vault.principal), LATER("value", vault.value), END };
static const struct field fields_vault_revoke[] = {
	FIELD("accessor", vault.accessor), FIELD("not_before", vault.not_before),
	FIELD("tries", vault.tries), END };
static const struct field fields_vault_look[] = {
	FIELD("not_before", vault.not_before), FIELD("tries", vault.tries), END };
static const struct field fields_lend_message[] = {
	FIELD("name", vault.name), FIELD("chat", vault.chat), END };
static const struct field fields_sign_certificate[] = {
	FIELD("request", sign_certificate.request), FIELD("identity", sign_certificate.identity),
	FIELD("secret", sign_certificate.secret), FIELD("from", sign_certificate.from),
	 FIELD("text", sign_certificate.text), END };
static const struct field fields_witness[] = {
	ID("first", witness.first), ID("last", witness.last), FIELD("head", witness.head),
	FIELD("place", witness.place),
	FIELD("is_repeated", witness.is_repeated), END };
static const struct field fields_timer[] =
	{ WORD("wait", timer.kind, timer_words), FIELD("name", timer.name),
	  LATER("began", timer.began), LATER("round", timer.round),
	  LATER("environment", timer.environment), LATER("asked_by", timer.requested_by),
	  PUSH_OF(timer), END };
/* clang-format on */

static const struct field *const fields_of[] = {
#define EFFECT(upper, lower, ...) [EFFECT_##upper] = fields_##lower,
#include "types/effect.def"
};

/* --- writing --- */

static void put_targets(const struct effect_probe *probe, struct json_out *out);

static void
put_branches(const struct effect_git_query *query, struct json_out *out)
{
	json_out_array(out);
	for (size_t i = 0; i < query->n_branches; i++)
		json_out_str(out, query->branches[i]);
	json_out_end(out);
}

static void
put_fields(const struct field *field, const void *from, struct json_out *out)
{
	for (; field->key != NULL; field++) {
		const void *at = (const char *)from + field->at;

		switch (field->type) {
		case TYPE_I64:
		case TYPE_ID:
			json_put_i64(out, field->key, *(const int64_t *)at);
			break;
		case TYPE_INT:
			json_put_i64(out, field->key, *(const int *)at);
			break;
		case TYPE_BOOL:
			json_put_bool(out, field->key, *(const bool *)at);
			break;
		case TYPE_TEXT:
			json_put_str(out, field->key, at);
			break;
		case TYPE_WORD:
			json_put_str(out, field->key, field->words[*(const int *)at]);
			break;
		case TYPE_BRANCHES:
			json_out_key(out, field->key);
			put_branches(&((const struct effect *)from)->u.git_query, out);
			break;
		case TYPE_TARGETS:
			json_out_key(out, field->key);
			put_targets(&((const struct effect *)from)->u.probe, out);
			break;
		}
	}
}

static void
put_targets(const struct effect_probe *probe, struct json_out *out)
{
	json_out_array(out);
	for (size_t i = 0; i < probe->n; i++) {
		json_out_object(out);
		put_fields(fields_of_a_target, &probe->targets[i], out);
		json_out_end(out);
	}
	json_out_end(out);
}

void
effect_codec_encode(const struct effect *effect, struct buf *out)
{
	struct json_out json = json_out_begin(out, '{');

	put_fields(fields_of[effect->kind], effect, &json);
	json_out_end(&json);
}

/* --- reading --- */

static bool get_targets(struct effect_probe *probe, const struct json *list, struct err *err);

static bool
refuse(struct err *err, const struct field *field, const char *what)
{
	return err_set(err, ERR_INVALID, "effect: \"%s\" %s", field->key, what);
}

static bool
get_number(const struct field *field, const struct json *body, void *at, struct err *err)
{
	int64_t value;

	if (!json_get_i64(body, field->key, &value))
		return refuse(err, field, "is no number");
	if (field->type == TYPE_ID && value <= 0)
		return refuse(err, field, "names nothing");
	if (field->type == TYPE_I64 || field->type == TYPE_ID)
		*(int64_t *)at = value;
	else if (value < 0 || value > INT_MAX)
		return refuse(err, field, "is out of range");
	else
		*(int *)at = (int)value;
	return true;
}

static bool
get_text(const struct field *field, const struct json *body, void *at, struct err *err)
{
	const char *text = json_get_str(body, field->key);

	if (text == NULL)
		return refuse(err, field, "is no text");
	return text_copy(at, field->room, text) || refuse(err, field, "is too long");
}

static bool
get_word(const struct field *field, const struct json *body, void *at, struct err *err)
{
	const char *word = json_get_str(body, field->key);

	for (size_t i = 0; word != NULL && i < field->room; i++) {
		if (strcmp(field->words[i], word) == 0) {
			*(int *)at = (int)i;
			return true;
		}
	}
	return refuse(err, field, "is none of its words");
}

static bool
get_branches(struct effect_git_query *query, const struct json *list, struct err *err)
{
	const char *name;

	query->n_branches = json_count(list);
	if (!json_holds_array(list) || query->n_branches > COUNT(query->branches))
		return err_set(err, ERR_INVALID, "effect: \"branches\" is no list that fits");
	for (size_t i = 0; i < query->n_branches; i++) {
		name = json_str(json_at(list, i));
		if (name == NULL ||
		    !text_copy(query->branches[i], sizeof(query->branches[i]), name))
			return err_set(err, ERR_INVALID, "effect: an odd name in \"branches\"");
	}
	return true;
}

static bool
get_field(const struct field *field, const struct json *body, void *to, struct err *err)
{
	void *at = (char *)to + field->at;

	if (field->is_later && json_get(body, field->key) == NULL)
		return true;
	switch (field->type) {
	case TYPE_I64:
	case TYPE_ID:
	case TYPE_INT:
		return get_number(field, body, at, err);
	case TYPE_BOOL:
		*(bool *)at = json_get_bool(body, field->key, false);
		return true;
	case TYPE_TEXT:
		return get_text(field, body, at, err);
	case TYPE_WORD:
		return get_word(field, body, at, err);
	case TYPE_BRANCHES:
		return get_branches(
		    &((struct effect *)to)->u.git_query, json_get(body, field->key), err);
	case TYPE_TARGETS:
		return get_targets(
		    &((struct effect *)to)->u.probe, json_get(body, field->key), err);
	}
	return false;
}

static bool
get_fields(const struct field *field, const struct json *body, void *to, struct err *err)
{
	for (; field->key != NULL; field++)
		if (!get_field(field, body, to, err))
			return false;
	return true;
}

static bool
get_targets(struct effect_probe *probe, const struct json *list, struct err *err)
{
	size_t n = json_count(list);

	if (!json_holds_array(list) || n > PROBE_TARGETS_MAX)
		return err_set(err, ERR_INVALID, "effect: \"targets\" is no list that fits");
	probe->targets = mem_new(n > 0 ? n : 1, sizeof(*probe->targets));
	for (probe->n = 0; probe->n < n; probe->n++)
		if (!get_fields(fields_of_a_target, json_at(list, probe->n),
			&probe->targets[probe->n], err))
			return false;
	return true;
}

struct effect *
effect_codec_decode(enum effect_kind kind, const char *body, struct err *err)
{
	CLEANUP(json_freep) struct json *json = json_decode(body, strlen(body), err);
	struct effect *effect;

	if (json == NULL)
		return NULL;
	effect = effect_new(kind);
	if (!get_fields(fields_of[kind], json, effect, err)) {
		(void)err_wrap(err, "%s", effect_name(kind));
		effect_free(effect);
		return NULL;
	}
	return effect;
}

enum effect_kind
effect_codec_kind(const char *name)
{
	for (int i = 0; i < EFFECT_KIND_COUNT; i++)
		if (strcmp(effect_name((enum effect_kind)i), name) == 0)
			return (enum effect_kind)i;
	return EFFECT_KIND_COUNT;
}
