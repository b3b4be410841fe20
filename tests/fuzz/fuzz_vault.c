/* fuzz_vault.c - each answer of Vault's is one verdict, and a token of it fits into a header.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "clients/vault_answer.h"
#include "clients/vault_right.h"
#include "lib/buf.h"
#include "lib/err.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

#define NOW  1795700000
#define LEND "auth/token/create/deploybot-lend"
#define GLOB "deploybot-secret-*"

/* Five lines and the rest: the status (0: none came; behind a blank: of /sys/health), Retry-After,
 * Location, what was shown to Vault, a path, and the body. */
enum { STATUS, RETRY_AFTER, LOCATION, SECRET, PATH, LINES };

static int
status_of(const char *text)
{
	int status = 0;

	for (size_t i = 0; i < 3 && text[i] >= '0' && text[i] <= '9'; i++)
		status = status * 10 + (text[i] - '0');
	return status;
}

static const char *
header(const char *line)
{
	return line[0] != '\0' ? line : NULL;
}

static bool
is_visible(const char *text)
{
	while (*text > ' ' && *text <= '~')
		text++;
	return *text == '\0';
}

static void
check(const struct vault_reply *reply, const struct vault_answer *answer, const struct json *body)
{
	bool is_good = answer->verdict == VAULT_DONE;

	assert(fuzz_is_clean(answer->detail, false));
	assert(is_good == (answer->detail[0] == '\0'));
	assert(body == NULL || is_good);
	assert(!is_good || reply->is_health || reply->status / 100 == 2);
	assert(answer->verdict == VAULT_LIMITED ?
		answer->retry_after_s >= 1 && answer->retry_after_s <= 3600 :
		answer->retry_after_s == (answer->verdict == VAULT_AGAIN));
	/* Shorter ones may stand in our own words. */
	assert(reply->secret == NULL || strlen(reply->secret) < 16 ||
	    strstr(answer->detail, reply->secret) == NULL || strchr(reply->secret, ' ') != NULL);
	assert(!answer->is_of_access && answer->verdict != VAULT_TOKEN_REFUSED);
}

/* What is delivered is a text of its length, without a NUL. */
static void
check_value(const struct json *body, bool is_kv2)
{
	static const char *const fields[] = { "", "password" };

	for (size_t i = 0; i < COUNT(fields); i++) {
		struct buf value = buf_make(VAULT_ANSWER_MAX);
		struct err err = { 0 };

		if (vault_read_value(body, is_kv2, fields[i], &value, &err))
			assert(value.size >= VAULT_VALUE_MIN && value.size <= VAULT_VALUE_MAX &&
			    strlen(buf_text(&value)) == value.size);
		else
			assert(fuzz_is_clean(err.text, false));
		buf_wipe(&value);
	}
}

/* An engine has a name that ends, and is in the answer or one of ours. */
static void
check_right(const struct json *body, const char *path)
{
	const struct json *data = json_get(body, "data");
	char engine[VAULT_ENGINE] = "";

	if (vault_read_engine(body, engine))
		assert(engine[0] != '\0' && strlen(engine) < VAULT_ENGINE);
	if (vault_read_capability(body, path))
		assert(json_count(json_get(data, path)) > 0);
}

static void
check_body(const struct json *body)
{
	struct vault_health health;
	struct vault_token token;
	struct vault_wrap wrap;
	struct vault_role role;
	struct err err = { 0 };

	if (vault_read_login(body, &token, &err))
		assert(token.text[0] != '\0' && is_visible(token.text) && token.ttl_s >= 0);
	if (vault_read_renewal(body, &token, &err))
		assert(token.text[0] == '\0' && token.ttl_s >= 0);
	if (vault_read_lookup(body, &token, &err))
		assert(token.text[0] == '\0' && token.ttl_s >= 0 && token.ttl_s < INT64_MAX / 1000);
	if (vault_read_health(body, &health, &err))
		assert(fuzz_is_clean(health.version, false));
	if (vault_read_role(body, GLOB, &role, &err))
		assert(role.period_s >= 0 && role.period_s < INT64_MAX / 1000 &&
		    role.longest_s >= 0 && role.longest_s < INT64_MAX / 1000);
	if (vault_read_wrap(body, LEND, 120, &wrap, &err))
		assert(wrap.token[0] != '\0' && is_visible(wrap.token) && wrap.accessor[0] != '\0');
	else
		assert(wrap.token[0] == '\0');
	check_value(body, false);
	check_value(body, true);
	if (vault_read_made(body, &wrap, &err))
		assert(wrap.token[0] != '\0' && is_visible(wrap.token) && wrap.accessor[0] != '\0');
	else
		assert(wrap.token[0] == '\0');
	assert(is_visible(wrap.own) && strpbrk(wrap.own, "/\"\\<>&%") == NULL);
	assert(is_visible(wrap.accessor) && strpbrk(wrap.accessor, "/\"\\<>&%") == NULL);
	assert(fuzz_is_clean(err.text, false));
}

static void
check_path(const char *path)
{
	if (!vault_path_is_fit(path))
		return;
	assert(is_visible(path) && path[0] != '/' && path[strlen(path) - 1] != '/');
	assert(strstr(path, "..") == NULL && strstr(path, "//") == NULL &&
	    strpbrk(path, "%?#\\") == NULL);
	assert(strstr(path, "/./") == NULL && strncmp(path, "./", 2) != 0);
	assert(path[strlen(path) - 1] != '.' && strlen(path) < VAULT_PATH);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *line[LINES];
	struct vault_reply reply = { .now_s = NOW, .date_s = NOW };
	struct vault_answer answer;
	struct json *body;
	size_t at = 0;

	for (size_t i = 0; i < LINES; i++) {
		const uint8_t *end = size == at ? NULL : memchr(data + at, '\n', size - at);
		size_t length = end == NULL ? size - at : (size_t)(end - (data + at));

		line[i] = fuzz_string(data + at, length);
		at += length + (end != NULL);
	}
	reply.status = status_of(line[STATUS]);
	reply.is_health = strchr(line[STATUS], ' ') != NULL;
	reply.code = reply.status == 0 ? ERR_IO : ERR_NONE;
	reply.text = "why";
	reply.body = (const char *)data + at;
	reply.body_size = size - at;
	reply.retry_after = header(line[RETRY_AFTER]);
	reply.location = header(line[LOCATION]);
	reply.secret = header(line[SECRET]);
	answer = vault_judge(&reply, &body);
	check(&reply, &answer, body);
	check_body(body);
	check_right(body, line[PATH]);
	check_path(line[PATH]);
	json_free(body);
	for (size_t i = 0; i < LINES; i++)
		free(line[i]);
	return 0;
}
