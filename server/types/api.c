/* api.c - reads a request to /v1.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "types/api.h"

#include <stdio.h>
#include <string.h>

#include "lib/clean.h"
#include "lib/err.h"
#include "lib/json.h"
#include "lib/text.h"

const struct api_row api_rows[API_OPERATION_COUNT] = {
#define API(name, method, path, behind, help) [API_##name] = { method, path, API_##behind, help },
#include "types/api.def"
};

bool
api_is_post(enum api_operation operation)
{
	return strcmp(api_rows[operation].method, "POST") == 0;
}

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
		memcpy(number, text, size);
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
	    strspn(text, "abcdefghijklmnopqrstuvwxyz") != strlen(text))
		return err_set(err, ERR_INVALID, "expected a command, as /v1/command/deploy");
	return text_copy(ret->request.action, sizeof(ret->request.action), text);
}

static bool
read_path(const struct api_row *row, const char *path, struct api_request *ret, struct err *err)
{
	const char *behind = path + strlen(row->path);

	behind += behind[0] == '/';
	switch (row->behind) {
	case API_TARGET:
		return read_target(behind, ret, err);
	case API_NUMBER:
	case API_PLACE:
		return read_number(behind, row->behind == API_PLACE, ret, err);
	case API_WORD:
		return read_word(behind, ret, err);
	}
	return false;
}

/* --- the body --- */

/* One word, as it would be typed: without blanks, or a list of commands would hide in it. */
static bool
add_word(const char *word, size_t size, char *text, size_t room, struct err *err)
{
	size_t used = strlen(text);

	if (word == NULL || size == 0 || strlen(word) != size || !text_is_plain(word) ||
	    strchr(word, ' ') != NULL)
		return err_set(err, ERR_INVALID,
		    "\"arguments\": expected a list of words, without blanks or control characters in them");
	if (used + size + 2 > room)
		return err_set(err, ERR_LIMIT, "\"arguments\": longer than a message may be");
	(void)snprintf(text + used, room - used, " %s", word);
	return true;
}

/* A line of text; where it is not there, that is well. */
static bool
read_reason(const struct json *reason, struct api_request *ret, struct err *err)
{
	const char *text = json_str(reason);

	if (reason == NULL)
		return true;
	if (text == NULL || json_str_size(reason) >= sizeof(ret->reason) ||
	    strlen(text) != json_str_size(reason) || !text_is_plain(text))
		return err_set(err, ERR_INVALID,
		    "\"reason\": expected a line of text of %d bytes at most", API_REASON_MAX - 1);
	(void)clean_line(ret->reason, sizeof(ret->reason), text, strlen(text));
	return true;
}

/* {"arguments": ["staging", "main"], "reason": "the shop is down"} */
static bool
read_command(const struct json *body, struct api_request *ret, struct err *err)
{
	const struct json *words = json_get(body, "arguments"), *reason = json_get(body, "reason");

	if (!read_reason(reason, ret, err))
		return false;
	if (json_count(body) != (words != NULL ? 1u : 0u) + (reason != NULL ? 1u : 0u) ||
	    (words != NULL && !json_holds_array(words)) || json_count(words) > API_WORDS_MAX)
		return err_set(err, ERR_INVALID,
		    "expected {\"arguments\": [...]}, a list of %d words at most, \"reason\", and nothing else",
		    API_WORDS_MAX);
	(void)snprintf(ret->from.text, sizeof(ret->from.text), "/%s", ret->request.action);
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
	const char *answer = json_get_str(body, "answer");

	if (json_count(body) != 1 || answer == NULL ||
	    (strcmp(answer, "yes") != 0 && strcmp(answer, "no") != 0))
		return err_set(err, ERR_INVALID,
		    "expected {\"answer\": \"yes\"} or {\"answer\": \"no\"}, and nothing else");
	request_add(&ret->request, "answer", answer);
	return true;
}

bool
api_read(enum api_operation operation, const char *path, const char *body, size_t size,
    struct api_request *ret, struct err *err)
{
	CLEANUP(json_freep) struct json *json = NULL;

	ret->operation = operation;
	if (!read_path(&api_rows[operation], path, ret, err))
		return false;
	if (!api_is_post(operation))
		return true;
	json = body == NULL ? NULL : json_decode(body, size, err);
	if (json == NULL || !json_holds_object(json))
		return err_set(err, ERR_INVALID, "expected a JSON object, as UTF-8, in the body");
	return operation == API_COMMAND ? read_command(json, ret, err) :
					  read_answer(json, ret, err);
}
