/* effect_codec.c - one encode and one decode function for each kind of effect.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/effect_codec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "lib/json.h"
#include "lib/text.h"

typedef void encoder(const struct effect *effect, struct json_out *out);
typedef bool decoder(struct effect *effect, const struct json *body, struct err *err);

/* --- pieces --- */

static bool
get_text(const struct json *body, const char *key, char *out, size_t room, struct err *err)
{
	const char *text = json_get_str(body, key);

	if (text == NULL)
		return err_set(err, ERR_INVALID, "effect: no text \"%s\"", key);
	if (!text_copy(out, room, text))
		return err_set(err, ERR_INVALID, "effect: \"%s\" is too long", key);
	return true;
}

static bool
get_i64(const struct json *body, const char *key, int64_t *ret, struct err *err)
{
	return json_get_i64(body, key, ret) ||
	    err_set(err, ERR_INVALID, "effect: no number \"%s\"", key);
}

/* 0 … max */
static bool
get_int(const struct json *body, const char *key, int max, int *ret, struct err *err)
{
	int64_t value;

	if (!get_i64(body, key, &value, err))
		return false;
	if (value < 0 || value > max)
		return err_set(err, ERR_INVALID, "effect: \"%s\" is out of range", key);
	*ret = (int)value;
	return true;
}

static bool
get_word(const struct json *body, const char *key, const char *const words[], size_t count,
    size_t *ret, struct err *err)
{
	const char *word = json_get_str(body, key);

	for (size_t i = 0; word != NULL && i < count; i++) {
		if (strcmp(words[i], word) == 0) {
			*ret = i;
			return true;
		}
	}
	return err_set(err, ERR_INVALID, "effect: \"%s\" is none of its words", key);
}

static const char *const program_words[] = {
	[PROGRAM_DEPLOY] = "deploy",
	[PROGRAM_ROLLBACK] = "rollback",
};
static const char *const git_query_words[] = {
	[GIT_QUERY_COMMITS] = "commits",
	[GIT_QUERY_HEADS] = "heads",
};
static const char *const timer_words[] = {
	[TIMER_QUESTION] = "question",
	[TIMER_POLL] = "poll",
	[TIMER_DAILY] = "daily",
	[TIMER_SEND] = "say",
};

/* --- run, end --- */

static void
encode_run(const struct effect *effect, struct json_out *out)
{
	const struct effect_run *run = &effect->u.run;

	json_put_i64(out, "run", run->run);
	json_put_str(out, "program", program_words[run->program]);
	json_put_i64(out, "deployment", run->deployment);
	json_put_str(out, "environment", run->environment);
	json_put_str(out, "commit", run->commit);
	json_put_str(out, "image", run->image);
	json_put_str(out, "previous", run->previous);
	json_put_str(out, "previous_image", run->previous_image);
	json_put_str(out, "ref", run->ref);
	json_put_i64(out, "deadline_s", run->deadline_s);
}

static bool
decode_run(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_run *run = &effect->u.run;
	size_t program;

	if (!get_i64(body, "run", &run->run, err) ||
	    !get_word(body, "program", program_words, COUNT(program_words), &program, err) ||
	    !get_i64(body, "deployment", &run->deployment, err) ||
	    !get_text(body, "environment", run->environment, sizeof(run->environment), err) ||
	    !get_text(body, "commit", run->commit, sizeof(run->commit), err) ||
	    !get_text(body, "image", run->image, sizeof(run->image), err) ||
	    !get_text(body, "previous", run->previous, sizeof(run->previous), err) ||
	    !get_text(
		body, "previous_image", run->previous_image, sizeof(run->previous_image), err) ||
	    !get_text(body, "ref", run->ref, sizeof(run->ref), err) ||
	    !get_int(body, "deadline_s", INT_MAX, &run->deadline_s, err))
		return false;
	run->program = (enum program)program;
	return true;
}

static void
encode_stop_run(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "run", effect->u.stop_run.run);
}

static bool
decode_stop_run(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "run", &effect->u.stop_run.run, err);
}

/* --- ask --- */

static void
encode_git_query(const struct effect *effect, struct json_out *out)
{
	const struct effect_git_query *query = &effect->u.git_query;

	json_put_str(out, "question", git_query_words[query->kind]);
	json_put_str(out, "environment", query->environment);
	json_put_str(out, "ref", query->ref);
	json_put_str(out, "base", query->base);
	json_put_str(out, "branch", query->branch);
	json_out_key(out, "branches");
	json_out_array(out);
	for (size_t i = 0; i < query->n_branches; i++)
		json_out_str(out, query->branches[i]);
	json_out_end(out);
	json_put_bool(out, "is_patient", query->is_patient);
	json_put_str(out, "asked_by", query->requested_by);
}

static bool
decode_branches(struct effect_git_query *query, const struct json *list, struct err *err)
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
decode_git_query(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_git_query *query = &effect->u.git_query;
	size_t kind;

	if (!get_word(body, "question", git_query_words, COUNT(git_query_words), &kind, err) ||
	    !get_text(body, "environment", query->environment, sizeof(query->environment), err) ||
	    !get_text(body, "ref", query->ref, sizeof(query->ref), err) ||
	    !get_text(body, "base", query->base, sizeof(query->base), err) ||
	    !get_text(body, "branch", query->branch, sizeof(query->branch), err) ||
	    !decode_branches(query, json_get(body, "branches"), err) ||
	    !get_text(body, "asked_by", query->requested_by, sizeof(query->requested_by), err))
		return false;
	query->kind = (enum git_query_kind)kind;
	query->is_patient = json_get_bool(body, "is_patient", false);
	return true;
}

/* --- probe --- */

static void
encode_probe(const struct effect *effect, struct json_out *out)
{
	const struct effect_probe *probe = &effect->u.probe;

	json_put_i64(out, "successes", probe->plan.successes);
	json_put_i64(out, "failures", probe->plan.failures);
	json_put_i64(out, "interval_s", probe->plan.interval_s);
	json_put_i64(out, "timeout_s", probe->plan.timeout_s);
	json_put_i64(out, "message", probe->message);
	json_put_str(out, "asked", probe->asked);
	json_out_key(out, "targets");
	json_out_array(out);
	for (size_t i = 0; i < probe->n; i++) {
		json_out_object(out);
		json_put_str(out, "environment", probe->targets[i].environment);
		json_put_str(out, "url", probe->targets[i].url);
		json_put_str(out, "commit", probe->targets[i].commit);
		json_out_end(out);
	}
	json_out_end(out);
}

static bool
decode_target(struct probe_target *target, const struct json *from, struct err *err)
{
	return get_text(
		   from, "environment", target->environment, sizeof(target->environment), err) &&
	    get_text(from, "url", target->url, sizeof(target->url), err) &&
	    get_text(from, "commit", target->commit, sizeof(target->commit), err);
}

static bool
decode_probe(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_probe *probe = &effect->u.probe;
	const struct json *list = json_get(body, "targets");
	size_t n = json_count(list);

	if (!get_int(body, "successes", INT_MAX, &probe->plan.successes, err) ||
	    !get_int(body, "failures", INT_MAX, &probe->plan.failures, err) ||
	    !get_int(body, "interval_s", INT_MAX, &probe->plan.interval_s, err) ||
	    !get_int(body, "timeout_s", INT_MAX, &probe->plan.timeout_s, err) ||
	    !get_i64(body, "message", &probe->message, err) ||
	    !get_text(body, "asked", probe->asked, sizeof(probe->asked), err))
		return false;
	if (!json_holds_array(list) || n > PROBE_TARGETS_MAX)
		return err_set(err, ERR_INVALID, "effect: \"targets\" is no list that fits");
	probe->targets = calloc(n > 0 ? n : 1, sizeof(*probe->targets));
	if (probe->targets == NULL)
		return err_set(err, ERR_NOMEM, "no memory for %zu probe targets", n);
	for (probe->n = 0; probe->n < n; probe->n++)
		if (!decode_target(&probe->targets[probe->n], json_at(list, probe->n), err))
			return false;
	return true;
}

/* --- say, toast, document --- */

static void
encode_send_message(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "message", effect->u.send_message.message.id);
}

static bool
decode_send_message(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "message", &effect->u.send_message.message.id, err);
}

static void
encode_toast(const struct effect *effect, struct json_out *out)
{
	json_put_str(out, "callback", effect->u.toast.callback);
	json_put_str(out, "text", effect->u.toast.text);
	json_put_bool(out, "is_alert", effect->u.toast.is_alert);
}

static bool
decode_toast(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_toast *toast = &effect->u.toast;

	toast->is_alert = json_get_bool(body, "is_alert", false);
	return get_text(body, "callback", toast->callback, sizeof(toast->callback), err) &&
	    get_text(body, "text", toast->text, sizeof(toast->text), err);
}

static void
encode_document(const struct effect *effect, struct json_out *out)
{
	const struct effect_document *document = &effect->u.document;

	json_put_i64(out, "chat", document->address.chat);
	json_put_i64(out, "thread", document->address.thread);
	json_put_i64(out, "run", document->run);
	json_put_str(out, "file_name", document->file_name);
	json_put_str(out, "caption", document->caption);
}

static bool
decode_document(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_document *document = &effect->u.document;

	return get_i64(body, "chat", &document->address.chat, err) &&
	    get_i64(body, "thread", &document->address.thread, err) &&
	    get_i64(body, "run", &document->run, err) &&
	    get_text(body, "file_name", document->file_name, sizeof(document->file_name), err) &&
	    get_text(body, "caption", document->caption, sizeof(document->caption), err);
}

/* --- wait, forget --- */

static void
encode_timer(const struct effect *effect, struct json_out *out)
{
	json_put_str(out, "wait", timer_words[effect->u.timer.kind]);
	json_put_str(out, "name", effect->u.timer.name);
}

static bool
decode_timer(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_timer *timer = &effect->u.timer;
	size_t kind = 0;

	if (!get_word(body, "wait", timer_words, COUNT(timer_words), &kind, err) ||
	    !get_text(body, "name", timer->name, sizeof(timer->name), err))
		return false;
	timer->kind = (enum timer_kind)kind;
	return true;
}

static void
encode_purge_run(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "run", effect->u.purge_run.run);
}

static bool
decode_purge_run(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "run", &effect->u.purge_run.run, err);
}

/* --- all of them --- */

static const struct {
	encoder *encode;
	decoder *decode;
} codec[] = {
#define EFFECT(upper, lower, word, result) [EFFECT_##upper] = { encode_##lower, decode_##lower },
#include "types/effect.def"
#undef EFFECT
};

void
effect_codec_encode(const struct effect *effect, struct buf *out)
{
	struct json_out json;

	json_out_init(&json, out);
	json_out_object(&json);
	codec[effect->kind].encode(effect, &json);
	json_out_end(&json);
}

struct effect *
effect_codec_decode(enum effect_kind kind, const char *body, struct err *err)
{
	CLEANUP(json_freep) struct json *json = json_decode(body, strlen(body), err);
	struct effect *effect;

	if (json == NULL)
		return NULL;
	effect = effect_new(kind);
	if (effect == NULL) {
		(void)err_set(err, ERR_NOMEM, "no memory for an effect");
		return NULL;
	}
	if (!codec[kind].decode(effect, json, err)) {
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
