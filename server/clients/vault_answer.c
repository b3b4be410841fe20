/* vault_answer.c - each answer of Vault's is one of fifteen; what it says is cut to a redacted line.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_answer.h"

#include "lib/buf.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/json.h"
#include "lib/redact.h"
#include "lib/text.h"
#include "lib/url.h"

#define WAIT_S	     60	  /* where a quota does not say for how long */
#define WAIT_MOST_S  3600 /* more than that no quota's window has */
#define AGAIN_S	     1	  /* until one node knows what another one has written */
#define CLOCK_MOST_S (100 * INT64_C(366) * 86400)
#define TTL_MOST_S   CLOCK_MOST_S
/* So much is looked at of a text of which a line is shown: a token that begins in that line ends
 * within it. */
#define SAID_MAX (LIMIT_LINE + VAULT_TOKEN_MAX + sizeof("…"))

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* --- what is asked for --- */

bool
vault_path_is_fit(const char *path)
{
	size_t size = strlen(path), part = 0;

	if (size == 0 || size >= VAULT_PATH || path[size - 1] == '.')
		return false;
	for (const char *c = path; *c != '\0'; c++) {
		if (*c == '/' ? part == 0 : *c == '.' ? c[1] == '.' : strchr(letters, *c) == NULL)
			return false;
		part = *c == '/' ? 0 : part + 1;
		/* "." alone is this folder, wherever it stands. */
		if (*c == '.' && part == 1 && (c[1] == '/' || c[1] == '\0'))
			return false;
	}
	return part > 0;
}

/* --- what an answer means --- */

/* Does it say true or false of this? */
static bool
has_bool(const struct json *root, const char *key)
{
	return json_get_bool(root, key, true) == json_get_bool(root, key, false);
}

static enum vault_verdict
verdict_of(const struct vault_reply *reply, const struct json *root)
{
	static const struct {
		int least, most;
		enum vault_verdict verdict;
	} rows[] = { { 400, 400, VAULT_INVALID }, { 403, 403, VAULT_FORBIDDEN },
		{ 404, 404, VAULT_NOT_FOUND }, { 412, 412, VAULT_AGAIN },
		{ 429, 429, VAULT_LIMITED }, { 472, 474, VAULT_DOWN }, { 200, 200, VAULT_DONE },
		{ 202, 202, VAULT_DONE }, /* a lease is revoked later */
		{ 204, 204, VAULT_DONE }, { 300, 399, VAULT_MOVED }, { 500, 599, VAULT_DOWN } };

	/* Nothing came of what was sent, or not all of it: only the deadline tells these apart. */
	if (reply->code != ERR_NONE)
		return reply->code == ERR_LIMIT			  ? VAULT_TOO_LARGE :
		    reply->was_sent && reply->code != ERR_TIMEOUT ? VAULT_TORN :
								    VAULT_AWAY;
	/* A node says how it stands with any status. */
	if (reply->is_health && has_bool(root, "sealed"))
		return VAULT_DONE;
	if (reply->is_health && reply->status == 429)
		return VAULT_STANDBY;
	if (reply->status == 404 && json_holds_object(json_get(json_get(root, "data"), "metadata")))
		return VAULT_DELETED;
	if (reply->status / 100 == 2 &&
	    (reply->is_health || (root == NULL && reply->body_size > 0)))
		return VAULT_TORN;
	for (size_t i = 0; i < COUNT(rows); i++)
		if (reply->status >= rows[i].least && reply->status <= rows[i].most)
			return rows[i].verdict;
	return VAULT_REFUSED;
}

static int64_t
wait_of(const struct vault_reply *reply)
{
	int64_t wait_s;

	if (reply->retry_after == NULL ||
	    !text_to_i64(reply->retry_after, 0, INT64_MAX, &wait_s, NULL))
		return WAIT_S;
	return wait_s < 1 ? 1 : wait_s > WAIT_MOST_S ? WAIT_MOST_S : wait_s;
}

/* --- what is said of it --- */

/* Cleaned before it is redacted: what a token is broken with is gone then. */
static void
quote(const char *text, const char *secret, char out[LIMIT_LINE])
{
	CLEANUP(buf_wipe) struct buf shown = buf_make(4 * SAID_MAX);
	char line[SAID_MAX];
	size_t size = strlen(clean_line(line, sizeof(line), text, strlen(text)));
	bool is_cut = size + sizeof("…") >= sizeof(line);

	if (secret != NULL && secret[0] != '\0' && strstr(line, secret) != NULL) {
		(void)text_copy(out, LIMIT_LINE, "its text has what was shown to it"); /* it fits */
		return;
	}
	if (is_cut)
		redact_head(NULL, line, LIMIT_LINE, &shown);
	else
		redact_text(NULL, line, size, &shown);
	(void)text_copy(out, LIMIT_LINE, buf_text(&shown)); /* cut is fine */
}

/* The first of {"errors": […]}; Vault's own list "1 error occurred: * …" is one of these. */
static const char *
reason_of(const struct json *root)
{
	const char *first = json_str(json_at(json_get(root, "errors"), 0));

	return first != NULL ? first : "";
}

/* Where it points: its host alone, for a user, a path or a query may be a secret. */
static void
describe_move(const struct vault_reply *reply, char out[LIMIT_LINE])
{
	char place[URL_PLACE], line[LIMIT_LINE];
	const char *user = strrchr(url_place(reply->location, place), '@');
	const char *host = user != NULL ? user + 1 : place;

	text_setf(line, "HTTP %d, which points to %.200s", reply->status,
	    host[0] != '\0' ? host : "no other host");
	quote(line, reply->secret, out);
}

static void
describe(struct vault_answer *answer, const struct vault_reply *reply, const struct json *root)
{
	char said[LIMIT_LINE], line[2 * LIMIT_LINE];
	const char *known = answer->verdict == VAULT_NOT_FOUND ? ": not there, or not allowed" :
	    answer->verdict == VAULT_DELETED		       ? ": that version was deleted" :
	    answer->verdict == VAULT_TORN ? " with half a body: it is no JSON of Vault's" :
					    "";

	if (answer->verdict == VAULT_MOVED) {
		describe_move(reply, answer->detail);
		return;
	}
	quote(reply->code != ERR_NONE ? reply->text : reason_of(root), reply->secret, said);
	if (reply->code != ERR_NONE)
		text_setf(line, "%s", said);
	else
		text_setf(
		    line, "HTTP %d%s%s%s", reply->status, known, said[0] != '\0' ? ": " : "", said);
	(void)clean_line(answer->detail, sizeof(answer->detail), line, strlen(line));
}

struct vault_answer
vault_judge(const struct vault_reply *reply, struct json **ret_body)
{
	CLEANUP(json_freep) struct json *root = NULL;
	struct vault_answer answer = { .status = reply->status, .was_sent = reply->was_sent };

	*ret_body = NULL;
	root = json_decode(reply->body, reply->code == ERR_NONE ? reply->body_size : 0, NULL);
	answer.verdict = verdict_of(reply, root);
	answer.knows_clock =
	    reply->code == ERR_NONE && reply->date_s >= 0 && reply->date_s < CLOCK_MOST_S;
	if (answer.knows_clock)
		answer.ahead_s = reply->now_s - reply->date_s;
	if (answer.verdict == VAULT_LIMITED)
		answer.retry_after_s = wait_of(reply);
	else if (answer.verdict == VAULT_AGAIN)
		answer.retry_after_s = AGAIN_S;
	if (answer.verdict == VAULT_DONE)
		*ret_body = TAKE(root);
	else
		describe(&answer, reply, root);
	return answer;
}

/* --- what a good one has --- */

/* False: it is none that a header can have. */
static bool
take_text(const char *text, char ret[VAULT_TOKEN_MAX + 1])
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c <= ' ' || *c > '~')
			return false;
	return text[0] != '\0' && text_copy(ret, VAULT_TOKEN_MAX + 1, text);
}

/* Seconds; -1: it does not say. */
static int64_t
take_bound(const struct json *of, const char *seconds)
{
	int64_t bound_s = json_get_i64_or(of, seconds, -1);

	return bound_s > TTL_MOST_S ? TTL_MOST_S : bound_s;
}

static bool
take_life(const struct json *of, const char *seconds, struct vault_token *ret)
{
	ret->ttl_s = take_bound(of, seconds);
	ret->is_renewable = json_get_bool(of, "renewable", false);
	return ret->ttl_s >= 0;
}

bool
vault_read_login(const struct json *body, struct vault_token *ret, struct err *err)
{
	const struct json *auth = json_get(body, "auth");

	*ret = (struct vault_token){ .text = "" };
	return (take_life(auth, "lease_duration", ret) &&
		   take_text(json_text(auth, "client_token"), ret->text)) ||
	    err_set(err, ERR_INVALID, "the answer to a login has no token of 1 to %d letters",
		VAULT_TOKEN_MAX);
}

bool
vault_read_renewal(const struct json *body, struct vault_token *ret, struct err *err)
{
	*ret = (struct vault_token){ .text = "" };
	return take_life(json_get(body, "auth"), "lease_duration", ret) ||
	    err_set(
		err, ERR_INVALID, "the answer to a renewal does not say how long the token lives");
}

bool
vault_read_lookup(const struct json *body, struct vault_token *ret, struct err *err)
{
	const struct json *data = json_get(body, "data"), *policies = json_get(data, "policies");
	const struct json *expires = json_get(data, "expire_time");
	bool ends = expires != NULL && !json_holds_null(expires);

	*ret = (struct vault_token){ .text = "" };
	if (!take_life(data, "ttl", ret))
		return err_set(err, ERR_INVALID,
		    "the answer to a lookup does not say how long the token lives");
	/* One that ends within this second has a ttl of 0, as one that never ends. */
	if (ends && ret->ttl_s == 0)
		ret->ttl_s = 1;
	for (size_t i = 0; i < json_count(policies); i++) {
		const char *name = json_str(json_at(policies, i));

		ret->is_root |= name != NULL && strcmp(name, "root") == 0;
	}
	return true;
}

/* Of letters, digits, "_", "-" and dots: an accessor goes into a request, the audit and a row, and
 * a wrapping token into a shell command that people run. */
static bool
is_plain(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (*c != '.' && strchr(letters, *c) == NULL)
			return false;
	return true;
}

static bool
take_accessor(const char *text, char ret[LIMIT_ACCESSOR])
{
	if (!is_plain(text))
		return false;
	return text[0] != '\0' && strlen(text) < LIMIT_ACCESSOR &&
	    text_copy(ret, LIMIT_ACCESSOR, text);
}

bool
vault_read_wrap(const struct json *body, const char *path, int ttl_most_s, struct vault_wrap *ret,
    struct err *err)
{
	const struct json *info = json_get(body, "wrap_info");
	int64_t ttl_s = json_get_i64_or(info, "ttl", 0);
	const char *wrong = NULL;
	bool is_wrapped;

	*ret = (struct vault_wrap){ .token = "" };
	(void)take_accessor(json_text(info, "accessor"), ret->own);
	is_wrapped = take_accessor(json_text(info, "wrapped_accessor"), ret->accessor);
	if (!is_wrapped) {
		(void)take_accessor(json_text(json_get(body, "auth"), "accessor"), ret->accessor);
		wrong = "wrapped_accessor";
	} else if (!json_has(info, "creation_path", path))
		wrong = "creation_path";
	else if (ttl_s <= 0 || ttl_s > ttl_most_s)
		wrong = "ttl";
	else if (!is_plain(json_text(info, "token")) ||
	    !take_text(json_text(info, "token"), ret->token))
		wrong = "token";
	if (wrong == NULL)
		return true;
	crypto_wipe(ret->token, sizeof(ret->token)); /* a part of one that is too long */
	return err_set(
	    err, ERR_INVALID, "the wrap_info of %s has another %s than was asked for", path, wrong);
}

bool
vault_read_made(const struct json *body, struct vault_wrap *ret, struct err *err)
{
	const struct json *auth = json_get(body, "auth");

	*ret = (struct vault_wrap){ .token = "" };
	if (take_accessor(json_text(auth, "accessor"), ret->accessor) &&
	    take_text(json_text(auth, "client_token"), ret->token))
		return true;
	crypto_wipe(ret->token, sizeof(ret->token)); /* a part of one, too */
	return err_set(err, ERR_INVALID, "what was made has no token, or no accessor");
}

bool
vault_read_value(
    const struct json *body, bool is_kv2, const char *field, struct buf *ret, struct err *err)
{
	const struct json *data = json_get(body, "data");
	const struct json *all = is_kv2 ? json_get(data, "data") : data;
	const struct json *one = json_get(all, field);

	if (!json_holds_object(all))
		return err_set(err, ERR_INVALID, "there are no fields at that path");
	if (field[0] != '\0' && one == NULL)
		return err_set(err, ERR_INVALID, "there is no field %s at that path", field);
	if (field[0] != '\0' && json_str(one) == NULL)
		return err_set(err, ERR_INVALID, "its field %s is no text", field);
	if (field[0] == '\0')
		json_encode(all, ret);
	else
		buf_add(ret, json_str(one), json_str_size(one));
	if (buf_failed(ret) || ret->size > VAULT_VALUE_MAX)
		return err_set(err, ERR_LIMIT, "it is longer than %u KB", VAULT_VALUE_MAX >> 10);
	return ret->size >= VAULT_VALUE_MIN ||
	    err_set(err, ERR_INVALID,
		"it is shorter than %d bytes, and no log could be kept free of it",
		VAULT_VALUE_MIN);
}

bool
vault_read_role(const struct json *body, const char *glob, struct vault_role *ret, struct err *err)
{
	const struct json *data = json_get(body, "data");
	const struct json *globs = json_get(data, "allowed_policies_glob");
	const struct json *named = json_get(data, "allowed_policies");
	const char *only = json_str(json_at(globs, 0)), *type = json_text(data, "token_type");

	*ret = (struct vault_role){
		.is_orphan = json_get_bool(data, "orphan", false),
		.is_batch = strcmp(type, "batch") == 0 || strcmp(type, "default-batch") == 0,
		.adds_default = !json_get_bool(data, "token_no_default_policy", true),
		.has_glob_alone = json_count(globs) == 1 && only != NULL && strcmp(only, glob) == 0,
		.has_policies = named != NULL && !json_holds_null(named) &&
		    !(json_holds_array(named) && json_count(named) == 0),
		.period_s = take_bound(data, "token_period"),
		.longest_s = take_bound(data, "token_explicit_max_ttl"),
	};
	return (has_bool(data, "orphan") && ret->period_s >= 0 && ret->longest_s >= 0) ||
	    err_set(err, ERR_INVALID, "the answer is no role that makes tokens");
}

bool
vault_read_health(const struct json *body, struct vault_health *ret, struct err *err)
{
	const char *version = json_text(body, "version"), *mode;

	if (!has_bool(body, "sealed"))
		return err_set(err, ERR_INVALID, "the answer does not say whether Vault is sealed");
	mode = json_text(body, "replication_dr_mode");
	*ret = (struct vault_health){
		.is_initialized = json_get_bool(body, "initialized", false),
		.is_sealed = json_get_bool(body, "sealed", true),
		.is_standby = json_get_bool(body, "standby", false) ||
		    json_get_bool(body, "performance_standby", false),
		.is_secondary = strcmp(mode, "secondary") == 0,
	};
	(void)clean_line(ret->version, sizeof(ret->version), version, strlen(version));
	return true;
}
