/* api.c - reads a request to /v1.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/api.h"

#include <stdio.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/mem.h"
#include "lib/text.h"
#include "lib/totp.h"
#include "lib/zone.h"
#include "types/peers.h"

const struct api_row api_rows[API_OPERATION_COUNT] = {
#define API(name, method, path, behind, body, help) \
	[API_##name] = { method, path, API_##behind, body, help },
#include "types/api.def"
};

bool
api_is_post(enum api_operation operation)
{
	return strcmp(api_rows[operation].method, "POST") == 0;
}

#define NAME_LETTERS "abcdefghijklmnopqrstuvwxyz0123456789-"

/* --- what stands behind the path --- */

static bool
read_target(const char *text, struct api_request *ret, struct err *err)
{
	struct environment_id id;

	if (text[0] != '\0' && !environment_id_parse(text, &id))
		return err_set(err, ERR_INVALID,
		    "expected an application, an environment, or both as APPLICATION/ENVIRONMENT");
	return text_copy(ret->request.target, sizeof(ret->request.target), text);
}

/* 12, or with a place in its log 12/4096. */
static bool
read_number(const char *text, bool has_place, struct api_request *ret, struct err *err)
{
	size_t size = has_place ? strcspn(text, "/") : strlen(text);
	char number[24] = "";
	int64_t work;

	if (size < sizeof(number))
		text_setf(number, "%.*s", (int)size, text);
	if (!text_to_i64(number, 1, INT64_MAX, &work, NULL) ||
	    (has_place &&
		(strchr(text, '/') == NULL ||
		    !text_to_i64(strchr(text, '/') + 1, 0, INT64_MAX, &ret->offset, NULL))))
		return err_set(err, ERR_INVALID, "expected the number of some work%s",
		    has_place ? ", / and a place in its log" : "");
	ret->request = request_about("", "work", work);
	return true;
}

static bool
read_word(const char *text, struct api_request *ret, struct err *err)
{
	if (text[0] == '\0' || strlen(text) >= REQUEST_ACTION ||
	    strspn(text, "_abcdefghijklmnopqrstuvwxyz") != strlen(text))
		return err_set(err, ERR_INVALID, "expected a command, as /v1/command/deploy");
	return text_copy(ret->request.action, sizeof(ret->request.action), text);
}

/* Whose it is and its name, or the name alone; it is compared with names of the settings. */
static bool
read_name(const char *text, struct api_request *ret, struct err *err)
{
	const char *slash = strchr(text, '/');
	const char *name = slash != NULL ? slash + 1 : text;

	if (name[0] == '\0' || slash == text || strspn(name, NAME_LETTERS) != strlen(name) ||
	    strspn(text, NAME_LETTERS "/") != strlen(text) ||
	    !text_copy(ret->request.target, sizeof(ret->request.target), text))
		return err_set(err, ERR_INVALID,
		    "expected the name of a secret, as /v1/secret/db-migrate: a-z 0-9 and -");
	return true;
}

/* Of one agent, or of those behind it. */
static bool
read_peer(const char *text, struct api_request *ret, struct err *err)
{
	bool is_after = text_starts(text, "after/");
	const char *name = is_after ? text + strlen("after/") : text;

	if (text[0] == '\0')
		return true;
	if (!peer_is_name(name))
		return err_set(
		    err, ERR_INVALID, "expected the name of an agent, as /v1/agents/acme");
	request_add(&ret->request, is_after ? "after" : "name", name);
	return true;
}

/* 5d1c…/17, of which the first is the running server's. */
static bool
read_since(const char *text, struct api_request *ret, struct err *err)
{
	size_t size = strcspn(text, "/");

	if (text[0] == '\0')
		return true;
	if (size != API_SHOWN - 1 || strspn(text, "0123456789abcdef") != size ||
	    text[size] != '/' || !text_to_i64(text + size + 1, 0, INT64_MAX, &ret->offset, NULL))
		return err_set(err, ERR_INVALID,
		    "expected the instance and the number of a former answer, or nothing: /v1/news");
	text_setf(ret->instance, "%.*s", (int)size, text);
	return true;
}

/* 2026-07-01/2026-07-31/0, before the number a code where one is meant. */
static bool
read_span(const char *text, struct api_request *ret, struct err *err)
{
	static const char *const keys[] = { "from", "to", "code" };
	struct zone_time date;
	char part[API_ARGUMENT];
	size_t n = 0, size;

	for (; n < COUNT(keys) && strchr(text, '/') != NULL; n++, text += size + 1) {
		size = strcspn(text, "/");
		if (size >= sizeof(part))
			break;
		text_setf(part, "%.*s", (int)size, text);
		if (n < 2 ? !zone_date_parse(part, &date) :
			    part[strspn(part, "_abcdefghijklmnopqrstuvwxyz")] != '\0')
			break;
		request_add(&ret->request, keys[n], part);
	}
	if (n < 2 || !text_to_i64(text, 0, INT64_MAX, &ret->offset, NULL))
		return err_set(err, ERR_INVALID,
		    "expected two days and an entry, 0 at first: /v1/audit/2026-07-01/2026-07-31/0, or a code before it");
	return true;
}

/* Two days, and what they are about; whoever counts between them finds out whether they are. */
static bool
read_days(const char *text, struct api_request *ret, struct err *err)
{
	const char *to = strchr(text, '/'), *target = to != NULL ? strchr(to + 1, '/') : NULL;
	char day[2][ZONE_DATE];
	size_t from_size = strcspn(text, "/"), to_size = to != NULL ? strcspn(to + 1, "/") : 0;

	if (from_size != ZONE_DATE - 1 || to_size != ZONE_DATE - 1)
		return err_set(err, ERR_INVALID,
		    "expected two days, as /v1/figures/2026-07-01/2026-09-30, and a target");
	text_setf(day[0], "%.*s", (int)from_size, text);
	text_setf(day[1], "%.*s", (int)to_size, to + 1);
	if (!read_target(target != NULL ? target + 1 : "", ret, err))
		return false;
	request_add(&ret->request, "from", day[0]);
	request_add(&ret->request, "to", day[1]);
	return true;
}

/* shop/staging, or failed/200/shop/staging, which no environment is called. */
static bool
read_list(const char *text, struct api_request *ret, struct err *err)
{
	static const char *const words[] = { "all", "failed", "old" };
	size_t word = strcspn(text, "/"), number = strcspn(text + word + (text[word] == '/'), "/");
	char part[API_ARGUMENT];
	int64_t skip;

	if (strchr(text, '/') == strrchr(text, '/') || word + number + 2 > sizeof(part))
		return read_target(text, ret, err) ||
		    err_set(err, ERR_INVALID,
			"expected an environment or nothing, as /v1/hosts/shop/staging, or all, failed or old and a number before it: /v1/hosts/failed/0/shop/staging");
	text_setf(part, "%.*s", (int)word, text);
	if (text_index(part, words, COUNT(words)) == COUNT(words))
		return err_set(err, ERR_INVALID, "expected all, failed or old");
	request_add(&ret->request, "state", strcmp(part, "all") == 0 ? "" : part);
	text_setf(part, "%.*s", (int)number, text + word + 1);
	text += word + number + 1;
	if (!text_to_i64(part, 0, INT32_MAX, &skip, NULL) || text[0] == '\0' || text[1] == '\0')
		return err_set(err, ERR_INVALID,
		    "expected how many hosts are before, 0 at first, and an environment: /v1/hosts/failed/0/shop/staging");
	request_add_number(&ret->request, "skip", skip);
	return read_target(text + 1, ret, err);
}

static bool
read_path(const struct api_row *row, const char *path, struct api_request *ret, struct err *err)
{
	const char *behind = path + strlen(row->path);

	behind += behind[0] == '/';
	switch (row->behind) {
	case API_NONE:
		return behind[0] == '\0' ||
		    err_set(err, ERR_INVALID, "expected %s, and nothing behind it", row->path);
	case API_TARGET:
		return read_target(behind, ret, err);
	case API_NUMBER:
	case API_PLACE:
		return read_number(behind, row->behind == API_PLACE, ret, err);
	case API_WORD:
		return read_word(behind, ret, err);
	case API_PEER:
		return read_peer(behind, ret, err);
	case API_NAME:
		return read_name(behind, ret, err);
	case API_SINCE:
		return read_since(behind, ret, err);
	case API_DAYS:
		return read_days(behind, ret, err);
	case API_LIST:
		return read_list(behind, ret, err);
	case API_SPAN:
		return read_span(behind, ret, err);
	case API_ENV:
		return (behind[0] != '\0' && read_target(behind, ret, err)) ||
		    err_set(
			err, ERR_INVALID, "expected an environment, as %s/shop/staging", row->path);
	}
	return false;
}

/* --- the body --- */

/* One word, as it would be typed: without blanks, or a list of commands would hide in it. */
static bool
add_word(const char *word, size_t size, char *text, size_t room, struct err *err)
{
	size_t used = strlen(text);

	if (size == 0 || !text_is_plain(word) || strchr(word, ' ') != NULL)
		return err_set(err, ERR_INVALID,
		    "\"arguments\": expected a list of words, without blanks or control characters in them");
	if (used + size + 2 > room)
		return err_set(err, ERR_LIMIT, "\"arguments\": longer than a message may be");
	(void)snprintf(text + used, room - used, " %s", word);
	return true;
}

/* A line of text; where it is not there, that is fine. */
static bool
read_reason(const struct json *reason, struct api_request *ret, struct err *err)
{
	const char *text = json_str(reason);

	if (reason == NULL)
		return true;
	if (text == NULL || strlen(text) >= sizeof(ret->reason) || !text_is_plain(text))
		return err_set(err, ERR_INVALID,
		    "\"reason\": expected a line of text of %d bytes at most", API_REASON_MAX - 1);
	(void)clean_line(ret->reason, sizeof(ret->reason), text, strlen(text));
	return true;
}

static unsigned
has_code(const struct json *body)
{
	return (json_get(body, "code") != NULL ? 1u : 0u) +
	    (json_get(body, "shown") != NULL ? 1u : 0u);
}

/* As the view of its work had it, or a 428 or 409. */
static bool
read_shown(const struct json *shown, struct api_request *ret, struct err *err)
{
	const char *text = json_str(shown);

	if (shown == NULL)
		return true;
	if (text == NULL || json_str_size(shown) != API_SHOWN - 1 ||
	    strspn(text, "0123456789abcdef") != API_SHOWN - 1)
		return err_set(err, ERR_INVALID,
		    "\"shown\": expected 32 hex digits, as its question had them");
	return text_copy(ret->shown, sizeof(ret->shown), text);
}

/* Six digits; where they are not there, that is fine. */
static bool
read_code(const struct json *body, const char *key, char ret[API_CODE], struct err *err)
{
	const struct json *code = json_get(body, key);
	const char *text = json_str(code);

	if (code == NULL)
		return true;
	if (text == NULL || json_str_size(code) != API_CODE - 1 || !totp_is_code(text))
		return err_set(err, ERR_INVALID, "\"%s\": expected six digits, as a text", key);
	return text_copy(ret, API_CODE, text);
}

/* {"arguments": ["staging", "main"], "reason": "the shop is down"} */
static bool
read_command(const struct json *body, struct api_request *ret, struct err *err)
{
	const struct json *words = json_get(body, "arguments"), *reason = json_get(body, "reason");

	if (!read_reason(reason, ret, err))
		return false;
	if (json_count(body) !=
		(words != NULL ? 1u : 0u) + (reason != NULL ? 1u : 0u) + has_code(body) ||
	    (words != NULL && !json_holds_array(words)) || json_count(words) > API_WORDS_MAX)
		return err_set(err, ERR_INVALID,
		    "expected {\"arguments\": [...]}, a list of %d words at most, \"reason\", \"code\", \"shown\", and nothing else",
		    API_WORDS_MAX);
	text_setf(ret->from.text, "/%s", ret->request.action);
	for (size_t i = 0; i < json_count(words); i++)
		if (!add_word(json_str(json_at(words, i)), json_str_size(json_at(words, i)),
			ret->from.text, sizeof(ret->from.text), err))
			return false;
	return true;
}

/* {"answer": "yes"} */
static bool
read_answer(const struct json *body, struct api_request *ret, struct err *err)
{
	static const char *const answers[] = { "yes", "no", "live", "leave", "pause", "resume",
		"rollback" };
	size_t i = 0;

	while (i < COUNT(answers) && !json_has(body, "answer", answers[i]))
		i++;
	if (i == COUNT(answers) || json_count(body) != 1 + has_code(body))
		return err_set(err, ERR_INVALID,
		    "expected {\"answer\": \"yes\"} (or no; of a bake: live, leave, pause, resume, rollback), and nothing else");
	request_add(&ret->request, "answer", json_text(body, "answer"));
	return true;
}

/* Where it is not there, that is fine; what it is worth whoever takes it sees. */
static bool
read_recovery(const struct json *recovery, struct api_request *ret, struct err *err)
{
	const char *text = json_str(recovery);

	if (recovery == NULL)
		return true;
	if (text == NULL || !text_is_plain(text) ||
	    !text_copy(ret->recovery, sizeof(ret->recovery), text))
		return err_set(
		    err, ERR_INVALID, "\"recovery\": expected a recovery code, as a text");
	return true;
}

/* {"person": 111}, with "first" where a new factor is confirmed, or "recovery"; "code" is of who
 * asks. */
static bool
read_person(const struct json *body, struct api_request *ret, struct err *err)
{
	const struct json *recovery = json_get(body, "recovery");
	int64_t person = json_get_i64_or(body, "person", 0);
	unsigned n = 1 + has_code(body) + (recovery != NULL ? 1u : 0u) +
	    (json_get(body, "first") != NULL ? 1u : 0u);

	if (person <= 0 || json_count(body) != n)
		return err_set(err, ERR_INVALID,
		    "expected {\"person\": ID}, the Telegram id of a person, \"first\" or \"recovery\", \"code\", and nothing else");
	request_add_number(&ret->request, "person", person);
	return read_code(body, "first", ret->first, err) && read_recovery(recovery, ret, err);
}

/* A text of a request, which may be missing. */
static bool
read_text(
    const struct json *body, const char *key, size_t most, struct api_request *ret, struct err *err)
{
	const char *text = json_text(body, key);

	if (json_get(body, key) == NULL)
		return true;
	if (text[0] == '\0' || strlen(text) > most || !text_is_plain(text))
		return err_set(
		    err, ERR_INVALID, "\"%s\": expected a text of 1 to %zu bytes", key, most);
	request_add(&ret->request, key, text);
	return true;
}

/* {"name": "ci", "role": "deployer", "expires": "90d"}; of one to be revoked the name alone. */
static bool
read_token(const struct json *body, struct api_request *ret, struct err *err)
{
	static const char *const keys[] = { "name", "role", "expires" };
	unsigned n = has_code(body);

	for (size_t i = 0; i < COUNT(keys); i++)
		n += json_get(body, keys[i]) != NULL ? 1 : 0;
	if (json_get(body, "name") == NULL || json_count(body) != n)
		return err_set(err, ERR_INVALID,
		    "expected {\"name\": …, \"role\": …, \"expires\": …}, \"code\", \"shown\", and nothing else");
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!read_text(body, keys[i], API_ARGUMENT, ret, err))
			return false;
	return true;
}

/* {"name": "acme", "key": "3f9a..."}; of one to be revoked the name alone. */
static bool
read_agent(const struct json *body, struct api_request *ret, struct err *err)
{
	unsigned n = 1 + has_code(body) + (json_get(body, "key") != NULL ? 1u : 0u);

	if (json_get(body, "name") == NULL || json_count(body) != n)
		return err_set(err, ERR_INVALID,
		    "expected {\"name\": …, \"key\": …}, \"code\", \"shown\", and nothing else");
	return read_text(body, "name", CRYPTO_CA_NAME_MAX, ret, err) &&
	    read_text(body, "key", LIMIT_DIGEST - 1, ret, err);
}

/* {"code": "..."} or {"init_data": "..."} opens one, {} ends one's own. */
static bool
read_session(const struct json *body, struct api_request *ret, struct err *err)
{
	bool opens = strcmp(ret->request.action, "open") == 0;
	const char *code = json_get_str(body, "code"), *data = json_get_str(body, "init_data");

	if (json_count(body) != (opens ? 1u : 0u) || (opens && code == NULL && data == NULL))
		return err_set(err, ERR_INVALID, "expected %s, and nothing else",
		    opens ? "{\"code\": …} or {\"init_data\": …}" : "{}");
	if (code != NULL &&
	    (strlen(code) != API_LOGIN - 1 || strspn(code, "0123456789abcdef") != API_LOGIN - 1))
		return err_set(err, ERR_INVALID, "\"code\": expected 32 hex digits");
	if (data != NULL &&
	    (data[0] == '\0' || json_str_size(json_get(body, "init_data")) > API_INIT_DATA))
		return err_set(err, ERR_INVALID, "\"init_data\": expected a text of 1 to %d bytes",
		    API_INIT_DATA);
	request_add(&ret->request, "login", code != NULL ? code : "");
	ret->init_data = data != NULL ? mem_text(data) : NULL;
	return true;
}

/* The texts of these keys, each of which may be missing; nothing else is there. */
static bool
read_texts(const struct json *body, const char *const *keys, const char *expected,
    struct api_request *ret, struct err *err)
{
	unsigned n = 0;

	for (size_t i = 0; keys[i] != NULL; i++) {
		n += json_get(body, keys[i]) != NULL ? 1 : 0;
		if (!read_text(body, keys[i], API_REF_MAX, ret, err))
			return false;
	}
	return json_count(body) == n ||
	    err_set(err, ERR_INVALID, "expected %s, and nothing else", expected);
}

/* What it leaves out the claims of whoever asks say. */
static bool
read_push(const struct json *body, struct api_request *ret, struct err *err)
{
	static const char *const keys[] = { "ref", "after", NULL };

	return read_texts(body, keys, "{\"ref\": …, \"after\": …} or {}", ret, err);
}

static bool
read_gate(const struct json *body, struct api_request *ret, struct err *err)
{
	static const char *const keys[] = { "environment", "ref", "commit", NULL };
	static const char expected[] =
	    "{\"environment\": …}, with \"ref\" and \"commit\" where you like";

	if (json_get(body, "environment") == NULL)
		return err_set(err, ERR_INVALID, "expected %s", expected);
	return read_texts(body, keys, expected, ret, err);
}

/* {"conclusion": "success"} */
static bool
read_conclusion(const struct json *body, struct api_request *ret, struct err *err)
{
	const char *how = json_text(body, "conclusion");

	if (json_count(body) != 1 ||
	    (strcmp(how, "success") != 0 && strcmp(how, "failure") != 0 &&
		strcmp(how, "cancelled") != 0))
		return err_set(err, ERR_INVALID,
		    "expected {\"conclusion\": \"success\"}, \"failure\" or \"cancelled\", and nothing else");
	request_add(&ret->request, "conclusion", how);
	return true;
}

/* {} */
static bool
read_nothing(const struct json *body, struct err *err)
{
	return json_count(body) == 0 || err_set(err, ERR_INVALID, "expected {}, and nothing in it");
}

/* {"reason": "migrate"} */
static bool
read_what_for(const struct json *body, struct api_request *ret, struct err *err)
{
	const struct json *reason = json_get(body, "reason");

	if (!read_reason(reason, ret, err))
		return false;
	return json_count(body) == (reason != NULL ? 1u : 0u) ||
	    err_set(err, ERR_INVALID, "expected {\"reason\": \"...\"} or {}, and nothing else");
}

bool
api_read(enum api_operation operation, const char *path, const char *body, size_t size,
    struct api_request *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *json = NULL;

	ret->operation = operation;
	if (!read_path(&api_rows[operation], path, ret, err))
		return false;
	if (!api_is_post(operation) || operation == API_UPLOAD)
		return true;
	json = body == NULL ? NULL : json_decode(body, size, err);
	if (json == NULL || !json_holds_object(json))
		return err_set(err, ERR_INVALID, "expected a JSON object, as UTF-8, in the body");
	if (operation == API_SESSION)
		return read_session(json, ret, err);
	if (!read_code(json, "code", ret->code, err) ||
	    !read_shown(json_get(json, "shown"), ret, err))
		return false;
	switch (operation) {
	case API_COMMAND:
		return read_command(json, ret, err);
	case API_FACTOR:
		return read_person(json, ret, err);
	case API_TOKEN:
		return read_token(json, ret, err);
	case API_AGENT:
	case API_RUNNER:
		return read_agent(json, ret, err);
	case API_PUSH:
		return read_push(json, ret, err);
	case API_GATE:
		return read_gate(json, ret, err);
	case API_GATE_END:
		return read_conclusion(json, ret, err);
	case API_SECRET:
		return read_what_for(json, ret, err);
	case API_LOAN_END:
	case API_LOAN_FAILED:
	case API_FIRST_ADMIN_LINK:
	case API_OWN_FACTOR:
		return read_nothing(json, err);
	default:
		return read_answer(json, ret, err);
	}
}
