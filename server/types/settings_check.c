/* settings_check.c - one small function for each type of setting.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "types/settings_check.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "lib/err.h"
#include "lib/log.h"
#include "lib/text.h"
#include "types/settings.h"

#define LETTERS	     "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS	     "0123456789"
#define SUN_PATH_MAX 107

static bool
consists_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

static bool
is_printable(const char *text)
{
	if (!text_is_utf8(text, strlen(text)))
		return false;
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7F)
			return false;
	return true;
}

bool
settings_check_next(const char **list, char *out, size_t room)
{
	const char *begin = *list + strspn(*list, " \t"), *end;
	size_t size;

	if (*begin == '\0')
		return false;
	end = begin + strcspn(begin, ",");
	*list = *end == ',' ? end + 1 : end;
	while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	size = (size_t)(end - begin) < room ? (size_t)(end - begin) : room - 1;
	memcpy(out, begin, size);
	out[size] = '\0';
	return true;
}

/* Every part of a comma list must pass; no more than max of them. */
static bool
check_list(const char *text, bool (*check)(const char *, struct err *), size_t max, struct err *err)
{
	char part[SETTINGS_CHECK_TEXT_MAX];
	size_t count = 0;

	while (settings_check_next(&text, part, sizeof(part))) {
		if (!check(part, err))
			return false;
		if (++count > max)
			return err_set(err, ERR_INVALID, "more than %zu in the list", max);
	}
	if (count == 0)
		return err_set(err, ERR_INVALID, "an empty list");
	return true;
}

bool
settings_check_TEXT(const char *text, struct err *err)
{
	if (strlen(text) >= SETTINGS_CHECK_TEXT_MAX || !is_printable(text))
		return err_set(err, ERR_INVALID,
		    "must be one line of printable text, below %d bytes", SETTINGS_CHECK_TEXT_MAX);
	return true;
}

/* --- secrets: their text never enters err --- */

static bool
is_one_character(const char *text)
{
	return text[strspn(text, (const char[]){ text[0], '\0' })] == '\0';
}

static bool
is_placeholder(const char *text)
{
	static const char *const words[] = { "change-me", "change_me", "changeme", "placeholder",
		"replace-me", "replace_me", "replaceme", "example", "your-", "your_", "xxxxxx",
		"secret-here", "secret_here", "token-here", "token_here", "insert-", "insert_" };

	if (text[0] == '<' || is_one_character(text))
		return true;
	for (; *text != '\0'; text++)
		for (size_t i = 0; i < COUNT(words); i++)
			if (text_starts_ci(text, words[i]))
				return true;
	return false;
}

bool
settings_check_TOKEN(const char *text, struct err *err)
{
	if (strlen(text) < SETTINGS_CHECK_SECRET_MIN)
		return err_set(err, ERR_INVALID,
		    "is a secret shorter than %d bytes; "
		    "make one with: openssl rand -hex 32",
		    SETTINGS_CHECK_SECRET_MIN);
	if (is_placeholder(text))
		return err_set(err, ERR_INVALID, "is still a placeholder");
	if (strlen(text) >= SETTINGS_CHECK_TEXT_MAX || !is_printable(text))
		return err_set(err, ERR_INVALID,
		    "must be one line of printable text, below %d bytes", SETTINGS_CHECK_TEXT_MAX);
	return true;
}

bool
settings_check_BOT_TOKEN(const char *text, struct err *err)
{
	size_t digits = strspn(text, DIGITS);

	if (digits == 0 || digits > 19 || text[digits] != ':' ||
	    !consists_of(text + digits + 1, LETTERS DIGITS "_-"))
		return err_set(err, ERR_INVALID,
		    "must look like 123456:ABC-DEF (letters, digits, _ and - behind the colon)");
	return settings_check_TOKEN(text, err);
}

bool
settings_check_WEBHOOK_SECRET(const char *text, struct err *err)
{
	if (!consists_of(text, LETTERS DIGITS "_-") || strlen(text) > 256)
		return err_set(
		    err, ERR_INVALID, "Telegram allows only A-Z a-z 0-9 _ - and 256 characters");
	return settings_check_TOKEN(text, err);
}

/* --- numbers --- */

bool
settings_check_BOOL(const char *text, struct err *err)
{
	bool value;

	return text_to_bool(text, &value, err);
}

bool
settings_check_COUNT(const char *text, struct err *err)
{
	int64_t value;

	return text_to_i64(text, 1, 1000, &value, err);
}

bool
settings_check_SECONDS(const char *text, struct err *err)
{
	int64_t value;

	return text_to_i64(text, 1, 86400, &value, err);
}

bool
settings_check_SECONDS_OR_0(const char *text, struct err *err)
{
	int64_t value;

	return text_to_i64(text, 0, 86400, &value, err);
}

bool
settings_check_SIZE(const char *text, struct err *err)
{
	int64_t value;

	if (!text_to_size(text, (int64_t)1 << 42, &value, err))
		return false;
	if (value < 4096)
		return err_set(err, ERR_INVALID, "\"%.60s\" is less than 4 KiB", text);
	return true;
}

bool
settings_check_PORT(const char *text, struct err *err)
{
	int64_t value;

	return text_to_i64(text, 1, 65535, &value, err);
}

bool
settings_check_ID(const char *text, struct err *err)
{
	int64_t value;

	if (!text_to_i64(text, INT64_MIN, INT64_MAX, &value, NULL) || value == 0)
		return err_set(err, ERR_INVALID, "\"%.60s\" is not a Telegram id", text);
	return true;
}

/* People: their ids are positive, groups have negative ones. */
static bool
check_person(const char *text, struct err *err)
{
	int64_t value;

	if (text_to_i64(text, 1, INT64_MAX, &value, NULL))
		return true;
	return err_set(err, ERR_INVALID,
	    "\"%.60s\" is not the Telegram id of a person "
	    "(a number; /whoami tells yours)",
	    text);
}

bool
settings_check_IDS(const char *text, struct err *err)
{
	return check_list(text, check_person, SETTINGS_IDS_MAX, err);
}

/* --- places --- */

bool
settings_check_URL(const char *text, struct err *err)
{
	const char *host = text_starts_ci(text, "https://") ? text + 8 :
	    text_starts_ci(text, "http://")		    ? text + 7 :
							      "";
	size_t size = strcspn(host, "/?#");

	if (size == 0 || memchr(host, '@', size) != NULL || !is_printable(text) ||
	    strpbrk(text, " \"<>\\^`{|}") != NULL || strlen(text) >= SETTINGS_CHECK_TEXT_MAX)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not an http:// or https:// address (without user and password)",
		    text);
	return true;
}

bool
settings_check_URLS(const char *text, struct err *err)
{
	if (strlen(text) >= LIMIT_URL_LIST)
		return err_set(err, ERR_INVALID, "is %zu bytes long, and may be %d", strlen(text),
		    LIMIT_URL_LIST - 1);
	return check_list(text, settings_check_URL, SETTINGS_HEALTH_URLS_MAX, err);
}

bool
settings_check_PATH(const char *text, struct err *err)
{
	if (text[0] != '/' || !is_printable(text) || strlen(text) >= SETTINGS_CHECK_TEXT_MAX)
		return err_set(err, ERR_INVALID, "\"%.60s\" is not an absolute path", text);
	return true;
}

bool
settings_check_SOCKET(const char *text, struct err *err)
{
	if (text[0] == '/' && is_printable(text) && strlen(text) > SUN_PATH_MAX)
		return err_set(err, ERR_INVALID,
		    "\"%.60s…\" is longer than the %d bytes that a socket's path may have", text,
		    SUN_PATH_MAX);
	return settings_check_PATH(text, err);
}

bool
settings_check_ADDRESS(const char *text, struct err *err)
{
	struct in6_addr address;

	if (inet_pton(AF_INET, text, &address) == 1 || inet_pton(AF_INET6, text, &address) == 1)
		return true;
	if (text[0] == '/' && is_printable(text) && strlen(text) <= SUN_PATH_MAX)
		return true;
	return err_set(err, ERR_INVALID,
	    "\"%.60s\" is neither an IP address nor the absolute path "
	    "of a socket (107 bytes at most)",
	    text);
}

static bool
check_name(const char *text, struct err *err)
{
	if (text[0] >= 'a' && text[0] <= 'z' && strlen(text) < SETTINGS_ENVIRONMENT_NAME &&
	    consists_of(text, "abcdefghijklmnopqrstuvwxyz" DIGITS "-"))
		return true;
	return err_set(err, ERR_INVALID,
	    "\"%.60s\" is not the name of an environment: a small "
	    "letter, then up to 19 of a-z 0-9 -",
	    text);
}

bool
settings_check_NAMES(const char *text, struct err *err)
{
	return check_list(text, check_name, SETTINGS_ENVIRONMENTS_MAX, err);
}

/* --- git --- */

bool
settings_check_BRANCH(const char *text, struct err *err)
{
	if (!consists_of(text, LETTERS DIGITS "._/-") || strchr("._/-", text[0]) != NULL ||
	    strlen(text) > 200 || strstr(text, "..") != NULL || strstr(text, "//") != NULL ||
	    strstr(text, "/.") != NULL || text_ends(text, "/") || text_ends(text, ".") ||
	    text_ends(text, ".lock"))
		return err_set(err, ERR_INVALID, "\"%.60s\" is not the name of a branch", text);
	return true;
}

bool
settings_check_REPOSITORY(const char *text, struct err *err)
{
	size_t owner = strspn(text, LETTERS DIGITS "_.-");

	if (owner == 0 || text[owner] != '/' || strlen(text) > 200 ||
	    !consists_of(text + owner + 1, LETTERS DIGITS "_.-"))
		return err_set(err, ERR_INVALID, "\"%.60s\" is not owner/name", text);
	return true;
}

/* "git@host:path", ssh's short form. */
static bool
is_short_ssh(const char *text)
{
	const char *colon = strchr(text, ':'), *at = strchr(text, '@');

	return text[0] != '-' && at != NULL && at > text && at[1] != '-' && colon != NULL &&
	    colon > at + 1 && colon[1] != '\0' && strchr(text, '/') > colon;
}

bool
settings_check_REMOTE(const char *text, struct err *err)
{
	bool known = text_starts(text, "https://") || text_starts(text, "ssh://") ||
	    text[0] == '/' || is_short_ssh(text);

	if (!known || !is_printable(text) || strchr(text, ' ') != NULL ||
	    text_starts(text, "ssh://-") || strlen(text) >= SETTINGS_CHECK_TEXT_MAX)
		return err_set(err, ERR_INVALID,
		    "must be https://…, ssh://…, git@host:path or an "
		    "absolute path");
	if (text_starts(text, "https://") && memchr(text + 8, '@', strcspn(text + 8, "/")) != NULL)
		return err_set(
		    err, ERR_INVALID, "must not hold a user or password; set REPOSITORY_TOKEN");
	return true;
}

/* --- words --- */

bool
settings_check_PROXY(const char *text, struct err *err)
{
	const char *host = text_starts(text, "http://") ? text + 7 :
	    text_starts(text, "socks5h://")		? text + 10 :
							  "";

	if (host[0] == '\0' || !is_printable(text) || strchr(text, ' ') != NULL ||
	    strlen(text) >= SETTINGS_CHECK_TEXT_MAX) /* it may hold a password: not told */
		return err_set(err, ERR_INVALID, "must be http://host:port or socks5h://host:port");
	return true;
}

bool
settings_check_LEVEL(const char *text, struct err *err)
{
	enum log_level level;

	if (log_level_from(text, &level))
		return true;
	return err_set(err, ERR_INVALID, "\"%.60s\" is not ERROR, WARNING, INFO or DEBUG", text);
}

bool
settings_check_FORMAT(const char *text, struct err *err)
{
	if (text_same_ci(text, "human") || text_same_ci(text, "logfmt"))
		return true;
	return err_set(err, ERR_INVALID, "\"%.60s\" is neither human nor logfmt", text);
}

bool
settings_check_MODE(const char *text, struct err *err)
{
	if (text_same_ci(text, "webhook") || text_same_ci(text, "polling"))
		return true;
	return err_set(err, ERR_INVALID, "\"%.60s\" is neither webhook nor polling", text);
}
