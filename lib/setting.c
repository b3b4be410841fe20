/* setting.c - the types of settings as rows, and one value against its row.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/setting.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <regex.h>
#include <stdio.h>

#include "lib/address.h"
#include "lib/clean.h"
#include "lib/condition.h"
#include "lib/err.h"
#include "lib/mem.h"
#include "lib/promql.h"
#include "lib/signing_key.h"
#include "lib/text.h"
#include "lib/window.h"
#include "lib/zone.h"

#define SECRET_MIN	16
#define LONG_SECRET_MIN 32
#define SUN_PATH_MAX	107
#define HOST_MAX	253
#define REGEXEC_NEEDS	65536 /* bytes */
#define LABEL_MAX	63    /* RFC 1123 */
#define PEM_END		"PRIVATE KEY-----"
#define PEM_MAX		8191 /* a key of 8,192 bits has 6,400 */
#define SIZE_MIN	4096
#define SIZE_MOST	((int64_t)1 << 42)

/* Parts of expressions. */
#define SECONDS_OF_A_DAY "[1-9][0-9]{0,3}|[1-7][0-9]{4}|8[0-5][0-9]{3}|86[0-3][0-9]{2}|86400"
#define PORT		 "[1-9][0-9]*" /* is_port() beside it */
#define DOMAIN		 "[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?"
#define HOST		 "(" DOMAIN "|\\[[0-9A-Fa-f:.]+\\])"
#define PLACE		 HOST "(:" PORT ")?"
/* Bytes: are_hosts() counts them, as an expression that counts takes 70 KB. */
#define PATTERN_MAX   58
#define PATTERN	      "(" PLACE "|[a-z0-9][a-z0-9.-]*[*])"
#define URL	      "https?://[^/?#@ \"<>\\^`{|}]+([/?#][^ \"<>\\^`{|}]*)?"
#define PLAIN	      "[A-Za-z0-9_:@=,+-]"
#define DOTTED	      "[A-Za-z0-9._:@=,+-]"
#define INSIDE_REST   "[A-Za-z0-9._-]*"
#define LABEL	      "[a-z0-9]([a-z0-9-]*[a-z0-9])?"
#define IMAGE_PART    "[a-z0-9]+(([.]|_+|-+)[a-z0-9]+)*"
#define IMAGE	      IMAGE_PART "(/" IMAGE_PART ")*"
#define GRANT_ACTION  "([*]|[a-z0-9-]+([.][a-z0-9-]+)?)"
#define NAME	      "[a-z][a-z0-9-]{0,19}"
#define GRANT_NAME    "([*]|" NAME ")"
#define CLIENT_ID     "[a-z0-9][a-z0-9-]{0,30}"
#define HOOK_VALUE    "([$]([.][A-Za-z0-9_-]+)+|[A-Za-z0-9][A-Za-z0-9._/-]*)"
#define NOTIFY_WORD   "(question|live|paused|failed|rolled-back|down|restored)"
#define NOTIFY_PART   "(" GRANT_NAME "/)?" GRANT_NAME ": *" NOTIFY_WORD "( +" NOTIFY_WORD ")*"
#define VAULT_PART    "[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*"
#define VAULT_PATH    VAULT_PART "(/" VAULT_PART ")*"
#define PLAYBOOK_PART "[A-Za-z0-9_][A-Za-z0-9._-]*"
#define PLAYBOOK_TAGS "[A-Za-z0-9_][A-Za-z0-9_,-]*"
#define WORKFLOW_FILE(more) \
	"[1-9][0-9]{0,17} +[A-Za-z0-9._" more "-]+[.]ya?ml@refs/(heads|tags)/[^] *?[~^:\\]+"
#define REMOTE_URL   "https://[A-Za-z0-9][^/@ ]*(/[^ ]*)?|ssh://[A-Za-z0-9][^ ]*|/[^ ]*"
#define BUILD_ARG    "[A-Za-z_][A-Za-z0-9_]*=[!-~]*"
#define COMPOSE_MAY  "([a-z][a-z_]*|bind:(/|(/[.]?[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*)+))"
#define BUILD_SECRET "[A-Za-z0-9][A-Za-z0-9._-]*=/[^ ,'\"]*"
#define REMOTE \
	REMOTE_URL \
	"|[A-Za-z0-9_][A-Za-z0-9._-]*@[A-Za-z0-9][A-Za-z0-9.-]*:([^/ -][^/ ]*)?/[^ ]*"

/* --- what no expression says --- */

bool
setting_is_placeholder(const char *text)
{
	static const char *const words[] = { "change-me", "change_me", "changeme", "placeholder",
		"replace-me", "replace_me", "replaceme", "example", "your-", "your_", "xxxxxx",
		"secret-here", "secret_here", "token-here", "token_here", "insert-", "insert_" };

	if (text[0] == '<' || text[strspn(text, (const char[]){ text[0], '\0' })] == '\0')
		return true;
	for (; *text != '\0'; text++)
		for (size_t i = 0; i < COUNT(words); i++)
			if (text_starts_ci(text, words[i]))
				return true;
	return false;
}

static bool
is_token(const char *text)
{
	return strlen(text) >= SECRET_MIN && !setting_is_placeholder(text);
}

/* A key of ours, that nobody types. */
static bool
is_long_token(const char *text)
{
	return strlen(text) >= LONG_SECRET_MIN && is_token(text);
}

static bool
is_signing_key(const char *text)
{
	uint8_t key[SIGNING_KEY_MAX];
	size_t size;
	bool is_one = signing_key_read(text, key, &size);

	explicit_bzero(key, sizeof(key));
	return is_one;
}

/* By its lines alone: what is between them its reader judges. */
static bool
is_pem(const char *text)
{
	if (!text_starts(text, "-----BEGIN") || !text_ends(text, PEM_END))
		return false;
	while ((*text >= ' ' && *text <= '~') || *text == '\n' || *text == '\r')
		text++;
	return *text == '\0';
}

static bool
is_size(const char *text)
{
	int64_t size;

	return text_to_size(text, SIZE_MOST, &size, NULL) && size >= SIZE_MIN;
}

static bool
is_number(const char *text)
{
	int64_t number;

	return text_to_i64(text, INT64_MIN, INT64_MAX, &number, NULL);
}

static bool
is_zone(const char *text)
{
	struct zone *zone = zone_new(text, NULL);

	zone_free(zone);
	return zone != NULL;
}

static bool
is_window(const char *text)
{
	struct windows *windows = windows_parse(text, NULL);

	windows_free(windows);
	return windows != NULL;
}

static bool
are_conditions(const char *text)
{
	struct conditions conditions;

	return conditions_parse(text, &conditions, NULL);
}

static bool
is_bake_query(const char *text)
{
	struct promql query;

	return promql_read(text, &query, NULL);
}

static bool
is_date(const char *text)
{
	struct zone_time date;

	return zone_date_parse(text, &date);
}

/* Of what the expression lets pass. */
static bool
is_member(const char *text)
{
	size_t size = strcspn(text, " ");
	char id[24];

	if (size >= sizeof(id))
		return false;
	memcpy(id, text, size);
	id[size] = '\0';
	return is_number(id) && (text[size] == '\0' || is_date(text + strlen(text) - 10));
}

static bool
is_address(const char *text)
{
	struct in6_addr address;

	return text[0] == '/' || inet_pton(AF_INET, text, &address) == 1 ||
	    inet_pton(AF_INET6, text, &address) == 1;
}

/* Whoever is named may say any address: half of the internet is nobody's proxy. */
static bool
is_proxy(const char *text)
{
	struct address_networks networks = { 0 };

	return strcmp(text, "unix") == 0 ||
	    (address_networks_add(&networks, text) && networks.network[0].prefix >= 8);
}

static bool
is_no_lock(const char *branch)
{
	return !text_ends(branch, ".lock");
}

/* git refuses what leads out of the repository, and the whole question with it. */
static bool
is_inside(const char *pattern)
{
	for (const char *part = pattern + (*pattern == '!'); part != NULL;
	     part = strchr(part, '/')) {
		part += *part == '/';
		if (strcspn(part, "/") == 2 && memcmp(part, "..", 2) == 0)
			return false;
	}
	return true;
}

static bool
are_labels(const char *text)
{
	for (const char *label = text; label != NULL; label = strchr(label, '.')) {
		label += *label == '.';
		if (strcspn(label, ".") > LABEL_MAX)
			return false;
	}
	return true;
}

/* Its settings would be mixed up with those of the registry that releases come from. */
static bool
is_registry(const char *text)
{
	return strcmp(text, "image") != 0 && strcmp(text, "url") != 0 &&
	    strcmp(text, "user") != 0 && strcmp(text, "password") != 0 && strcmp(text, "pull") != 0;
}

/* Of NAME=VALUE, by its name; ours is COMMIT, which an image is known by. */
static bool
is_build_arg(const char *text)
{
	static const char *const words[] = { "token", "secret", "password", "passwd" };
	const char *end = text + strcspn(text, "=");

	if (text_starts(text, "COMMIT=") || text_starts(text, "BUILDKIT_INLINE_CACHE="))
		return false;
	for (; text < end; text++)
		for (size_t i = 0; i < COUNT(words); i++)
			if (text_starts_ci(text, words[i]))
				return false;
	return true;
}

static bool
are_build_args(const char *text)
{
	for (; *text != '\0'; text += strspn(text, " ")) {
		if (!is_build_arg(text))
			return false;
		text += strcspn(text, " ");
	}
	return true;
}

/* And whatever stands behind it. */
static bool
is_port(const char *text)
{
	return strtol(text, NULL, 10) <= 65535; /* too many digits are LONG_MAX */
}

/* What stands behind the last colon. */
static bool
is_link(const char *text)
{
	return is_port(strrchr(text, ':') + 1);
}

static bool
is_bracketed(const char *text, size_t size)
{
	char address[INET6_ADDRSTRLEN] = "";
	struct in6_addr ignored;

	if (size - 2 >= sizeof(address))
		return false;
	memcpy(address, text + 1, size - 2);
	return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* HOST or HOST:PORT, […] around an IPv6 address, and whatever stands behind it. */
static bool
is_place(const char *text)
{
	size_t size = text[0] == '[' ? strcspn(text, "]") + 1 : strcspn(text, ":/,");

	return (text[0] == '[' ? is_bracketed(text, size) : size <= HOST_MAX) &&
	    (text[size] != ':' || is_port(text + size + 1));
}

/* The same behind http:// or https://, which may be left out. */
static bool
is_url_place(const char *text)
{
	const char *scheme = strstr(text, "://");

	return is_place(scheme == NULL ? text : scheme + strlen("://"));
}

/* A list without blanks: does the part that begins at `other` say what that at `part` says? */
static bool
are_same(const char *part, const char *other)
{
	size_t size = strcspn(part, ",");

	return size == strcspn(other, ",") && memcmp(part, other, size) == 0;
}

static bool
are_different(const char *list)
{
	for (const char *part = list; part != NULL; part = strchr(part, ',')) {
		part += *part == ',';
		for (const char *other = list; other < part; other = strchr(other, ',') + 1)
			if (are_same(other, part))
				return false;
	}
	return true;
}

static bool
are_ports(const char *pair)
{
	return is_port(pair) && is_port(strchr(pair, ',') + 1) && are_different(pair);
}

/* Of what the expression lets pass: local, an agent, or a place behind a user. */
static bool
is_client_host(const char *text)
{
	const char *at = strchr(text, '@');

	return strncmp(text, "agent:", 6) == 0 || is_place(at == NULL ? text : at + 1);
}

static bool
are_hosts(const char *list)
{
	size_t count = 0;

	for (const char *part = list; part != NULL; part = strchr(part, ',')) {
		size_t size;

		part += *part == ',';
		size = strcspn(part, ",");
		if (++count > SETTING_HOSTS_MAX || !is_place(part) ||
		    (size > PATTERN_MAX && part[size - 1] == '*'))
			return false;
	}
	return are_different(list);
}

/* --- the rows --- */

const struct setting_row setting_rows[SETTING_TYPES] = {
#define SHOWN  false, false
#define HIDDEN true, false
#define FOLDED false, true
#define SETTING_TYPE(name, how, parts, most, expression, fits, sentence) \
	[SETTING_TYPE_##name] = { #name, sentence, expression, fits, most, parts, how },
#include "lib/setting.def"
};

/* --- a value against its row --- */

/* The expression of a row.  Kept for ever: compiling all of them takes longer than all else that is
 * done when settings are read. */
static const regex_t *
expression_of(enum setting_type type)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static regex_t compiled[SETTING_TYPES];
	static bool is_compiled[SETTING_TYPES];
	const struct setting_row *row = &setting_rows[type];
	char whole[1024];

	(void)pthread_mutex_lock(&lock); /* cannot fail: it is a plain one */
	if (!is_compiled[type]) {
		(void)snprintf(whole, sizeof(whole), "^(%s)$", row->expression);
		if (regcomp(&compiled[type], whole,
			REG_EXTENDED | REG_NOSUB | (row->is_folded ? REG_ICASE : 0)) != 0)
			mem_abort();
		is_compiled[type] = true;
	}
	(void)pthread_mutex_unlock(&lock);
	return &compiled[type];
}

/* Nothing that a terminal obeys or an eye does not see: a blank of no width in a token is a copy
 * and paste that nobody finds. */
static bool
is_printable(const char *text)
{
	uint32_t code;

	for (size_t left = strlen(text), used; left > 0; text += used, left -= used) {
		used = text_decode(text, left, &code);
		if (used == 0 || clean_is_harmful(code))
			return false;
	}
	return true;
}

/* As much as fits, with a ? for each byte that may not be shown. */
static void
show(char *out, size_t room, const char *text)
{
	size_t used = 0;

	for (size_t left = strlen(text), n; left > 0; text += n, left -= n) {
		uint32_t code;
		bool is_shown;

		n = text_decode(text, left, &code);
		is_shown = n > 0 && !clean_is_harmful(code);
		n = n > 0 ? n : 1;
		if (used + n >= room)
			break;
		if (is_shown)
			memcpy(out + used, text, n);
		else
			memset(out + used, '?', n);
		used += n;
	}
	out[used] = '\0';
}

static bool
refuse(const struct setting_row *row, const char *text, bool is_secret, struct err *err)
{
	const char *besides = is_printable(text) || row->fits == is_pem ?
	    "" :
	    " (there is a character that cannot be seen)";
	char shown[61];

	if (is_secret || row->is_hidden)
		return err_set(err, ERR_INVALID, "is not %s%s", row->sentence, besides);
	show(shown, sizeof(shown), text); /* cut is fine */
	if (row->fits == is_window && is_printable(text)) {
		windows_free(windows_parse(text, err));
		return err_wrap(err, "\"%s\"", shown);
	}
	if (row->fits == is_bake_query && is_printable(text)) {
		if (!promql_read(text, &(struct promql){ .limit = 0 }, err))
			return err_wrap(err, "\"%s\"", shown);
	}
	return err_set(err, ERR_INVALID, "\"%s\" is not %s%s", shown, row->sentence, besides);
}

/* glibc's regexec() says REG_NOMATCH of an allocation that failed, too (posix/regexec.c): a no is
 * asked for once more, when there is memory. */
static bool
matches(enum setting_type type, const char *text)
{
	int status = regexec(expression_of(type), text, 0, NULL, 0);

	if (status == REG_NOMATCH) {
		free(mem_new(1, REGEXEC_NEEDS));
		status = regexec(expression_of(type), text, 0, NULL, 0);
	}
	if (status != 0 && status != REG_NOMATCH)
		mem_abort(); /* nothing else is left: a value is not wrong for the machine's sake */
	return status == 0;
}

static bool
check_part(enum setting_type type, const char *text, bool is_secret, struct err *err)
{
	const struct setting_row *row = &setting_rows[type];

	if (!is_printable(text) && row->fits != is_pem)
		return refuse(row, text, is_secret, err);
	if ((row->expression != NULL && !matches(type, text)) ||
	    (row->fits != NULL && !row->fits(text)))
		return refuse(row, text, is_secret, err);
	return true;
}

bool
setting_check(enum setting_type type, const char *text, bool is_secret, struct err *err)
{
	const struct setting_row *row = &setting_rows[type];
	char part[SETTING_PART_MAX + 2];
	const char *rest = text;
	size_t count = 0;

	if (strlen(text) > row->most)
		return err_set(
		    err, ERR_INVALID, "is %zu bytes long, and may be %zu", strlen(text), row->most);
	if (row->parts == 0)
		return check_part(type, text, is_secret, err);
	while (setting_next(&rest, part, sizeof(part))) {
		if (strlen(part) > SETTING_PART_MAX)
			return refuse(row, part, is_secret, err);
		if (!check_part(type, part, is_secret, err))
			return false;
		if (++count > row->parts)
			return err_set(
			    err, ERR_INVALID, "has more than %zu in its list", row->parts);
	}
	if (count == 0)
		return refuse(row, text, is_secret, err);
	return true;
}

bool
setting_next(const char **list, char *out, size_t room)
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

int64_t
setting_duration_ms(const char *text)
{
	char *unit;
	long number;

	if (text == NULL)
		return 0;
	number = strtol(text, &unit, 10); /* was checked: four digits */
	return number * INT64_C(60000) * (*unit == 'h' ? 60 : *unit == 'd' ? 24 * 60 : 1);
}

bool
setting_is_transports(const char *name, const char *environment)
{
	char stem[SETTING_NAME_MAX];

	return text_starts(name, "TRANSPORT_") ||
	    text_starts(name, setting_name("<ENV>_TRANSPORT_", environment, stem));
}

const char *
setting_name(const char *pattern, const char *member, char out[SETTING_NAME_MAX])
{
	const char *place = strchr(pattern, '<'), *behind = strchr(pattern, '>');
	size_t before, size;

	assert(place != NULL && behind != NULL);
	size = before = (size_t)(place - pattern);
	/* No formatted print: thousands of names are made when settings are read. */
	memcpy(out, pattern, before);
	for (const char *c = member; *c != '\0' && size + 1 < SETTING_NAME_MAX; c++)
		out[size++] = *c;
	for (const char *c = behind + 1; *c != '\0' && size + 1 < SETTING_NAME_MAX; c++)
		out[size++] = *c;
	out[size] = '\0';
	for (char *c = out + before; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
		else if (!(*c >= 'A' && *c <= 'Z') && !(*c >= '0' && *c <= '9'))
			*c = '_';
	return out;
}

const char *
setting_special(const char *name, const char *environment, char out[SETTING_NAME_MAX])
{
	size_t size = strlen(setting_name("<ENV>_", environment, out));

	(void)text_copy(out + size, SETTING_NAME_MAX - size, name); /* fits */
	return out;
}

bool
setting_step(size_t own, size_t count, size_t n, struct setting_step *ret)
{
	const bool is_own = n < 2 * own;
	const size_t first = is_own ? 0 : own, in_part = is_own ? own : count - own;

	n -= 2 * first;
	if (n >= 2 * in_part)
		return false;
	*ret = (struct setting_step){ first + n % in_part, n < in_part };
	return true;
}

const char *
setting_fallback(
    const char *pattern, const char *fallback, const char *application, char out[SETTING_NAME_MAX])
{
	if (application[0] == '\0')
		return fallback;
	if (strcmp(pattern, "APP_PORTS") == 0)
		return NULL;
	if (strcmp(pattern, "REGISTRY_IMAGE") == 0)
		(void)snprintf(out, SETTING_NAME_MAX, "%s", application);
	else if (strcmp(pattern, "<ENV>_COMPOSE_DIR") == 0)
		(void)snprintf(out, SETTING_NAME_MAX, "/srv/%s", application);
	else
		return fallback;
	return out;
}

bool
setting_apps_directory(const char *settings_file, const char *given, char out[SETTING_PART_MAX + 1])
{
	const char *slash = settings_file == NULL ? NULL : strrchr(settings_file, '/');
	int folder = slash == NULL ? 0 : (int)(slash - settings_file) + 1;

	if (given == NULL && settings_file == NULL)
		return false;
	if (given != NULL)
		return text_copy(out, SETTING_PART_MAX + 1, given);
	return snprintf(out, SETTING_PART_MAX + 1, "%.*sapps", folder, settings_file) <=
	    SETTING_PART_MAX;
}

const char *
setting_apps_file(const char *directory, const char *application, char out[SETTING_APPS_FILE_MAX])
{
	(void)snprintf(out, SETTING_APPS_FILE_MAX, "%s/%.20s.env", directory, application);
	return out;
}
