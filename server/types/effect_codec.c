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
static const char *const question_words[] = {
	[ASK_COMMITS] = "commits",
	[ASK_HEADS] = "heads",
};
static const char *const wait_words[] = {
	[WAIT_QUESTION] = "question",
	[WAIT_POLL] = "poll",
	[WAIT_DAILY] = "daily",
	[WAIT_SAY] = "say",
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
encode_end(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "run", effect->u.end.run);
}

static bool
decode_end(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "run", &effect->u.end.run, err);
}

/* --- ask --- */

static void
encode_ask(const struct effect *effect, struct json_out *out)
{
	const struct effect_ask *ask = &effect->u.ask;

	json_put_str(out, "question", question_words[ask->kind]);
	json_put_str(out, "environment", ask->environment);
	json_put_str(out, "ref", ask->ref);
	json_put_str(out, "base", ask->base);
	json_put_str(out, "branch", ask->branch);
	json_out_key(out, "branches");
	json_out_array(out);
	for (size_t i = 0; i < ask->n_branches; i++)
		json_out_str(out, ask->branches[i]);
	json_out_end(out);
	json_put_bool(out, "is_patient", ask->is_patient);
	json_put_str(out, "asked_by", ask->asked_by);
}

static bool
decode_branches(struct effect_ask *ask, const struct json *list, struct err *err)
{
	const char *name;

	ask->n_branches = json_count(list);
	if (!json_holds_array(list) || ask->n_branches > COUNT(ask->branches))
		return err_set(err, ERR_INVALID, "effect: \"branches\" is no list that fits");
	for (size_t i = 0; i < ask->n_branches; i++) {
		name = json_str(json_at(list, i));
		if (name == NULL || !text_copy(ask->branches[i], sizeof(ask->branches[i]), name))
			return err_set(err, ERR_INVALID, "effect: an odd name in \"branches\"");
	}
	return true;
}

static bool
decode_ask(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_ask *ask = &effect->u.ask;
	size_t kind;

	if (!get_word(body, "question", question_words, COUNT(question_words), &kind, err) ||
	    !get_text(body, "environment", ask->environment, sizeof(ask->environment), err) ||
	    !get_text(body, "ref", ask->ref, sizeof(ask->ref), err) ||
	    !get_text(body, "base", ask->base, sizeof(ask->base), err) ||
	    !get_text(body, "branch", ask->branch, sizeof(ask->branch), err) ||
	    !decode_branches(ask, json_get(body, "branches"), err) ||
	    !get_text(body, "asked_by", ask->asked_by, sizeof(ask->asked_by), err))
		return false;
	ask->kind = (enum question_kind)kind;
	ask->is_patient = json_get_bool(body, "is_patient", false);
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
encode_say(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "message", effect->u.say.message.id);
}

static bool
decode_say(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "message", &effect->u.say.message.id, err);
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

	json_put_i64(out, "chat", document->place.chat);
	json_put_i64(out, "thread", document->place.thread);
	json_put_i64(out, "run", document->run);
	json_put_str(out, "file_name", document->file_name);
	json_put_str(out, "caption", document->caption);
}

static bool
decode_document(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_document *document = &effect->u.document;

	return get_i64(body, "chat", &document->place.chat, err) &&
	    get_i64(body, "thread", &document->place.thread, err) &&
	    get_i64(body, "run", &document->run, err) &&
	    get_text(body, "file_name", document->file_name, sizeof(document->file_name), err) &&
	    get_text(body, "caption", document->caption, sizeof(document->caption), err);
}

/* --- wait, forget --- */

static void
encode_wait(const struct effect *effect, struct json_out *out)
{
	json_put_str(out, "wait", wait_words[effect->u.wait.kind]);
	json_put_str(out, "name", effect->u.wait.name);
}

static bool
decode_wait(struct effect *effect, const struct json *body, struct err *err)
{
	struct effect_wait *wait = &effect->u.wait;
	size_t kind = 0;

	if (!get_word(body, "wait", wait_words, COUNT(wait_words), &kind, err) ||
	    !get_text(body, "name", wait->name, sizeof(wait->name), err))
		return false;
	wait->kind = (enum wait_kind)kind;
	return true;
}

static void
encode_forget(const struct effect *effect, struct json_out *out)
{
	json_put_i64(out, "run", effect->u.forget.run);
}

static bool
decode_forget(struct effect *effect, const struct json *body, struct err *err)
{
	return get_i64(body, "run", &effect->u.forget.run, err);
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
