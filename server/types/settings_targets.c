/* settings_targets.c - the types of settings that say what is built and where it goes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * The scripts in deploy/ check them again: by hand they come from anybody's environment.  What is
 * sent to another machine's shell may hold only what no shell makes anything of.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

#include "lib/err.h"
#include "lib/text.h"
#include "types/settings_check.h"

#define SMALL	  "abcdefghijklmnopqrstuvwxyz"
#define DIGITS	  "0123456789"
#define ALNUM	  SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS
#define UNQUOTED  ALNUM "._/:@=,+-" /* as deploy/transports/ssh.sh checks its words */
#define LABEL_MAX 63		    /* RFC 1123 */
#define HOST_MAX  253
#define PLACE_MAX (HOST_MAX + 6) /* with :PORT */
#define IMAGE_MAX 255		 /* a repository's name in a registry */
#define TARGETS	  16

static bool
is_of(const char *text, const char *characters)
{
	return text[0] != '\0' && text[strspn(text, characters)] == '\0';
}

/* Begins with one of first, goes on with any of others. */
static bool
is_name(const char *text, const char *first, const char *others, size_t max)
{
	return text[0] != '\0' && strchr(first, text[0]) != NULL && is_of(text, others) &&
	    strlen(text) <= max;
}

/* Printable ASCII without blanks. */
static bool
is_visible(const char *text)
{
	for (const char *p = text; *p != '\0'; p++)
		if (*p <= ' ' || *p >= 0x7f)
			return false;
	return text[0] != '\0' && strlen(text) < SETTINGS_CHECK_TEXT_MAX;
}

/* Copies up to the next separator, and moves *rest behind it; false at the end.  What is longer
 * than room is cut to room - 1, which no check of a part lets pass. */
static bool
next_part(const char **rest, char separator, char *out, size_t room)
{
	size_t size = strcspn(*rest, (const char[]){ separator, '\0' });
	size_t kept = size < room ? size : room - 1;

	if (*rest[0] == '\0')
		return false;
	memcpy(out, *rest, kept);
	out[kept] = '\0';
	*rest += size + ((*rest)[size] == '\0' ? 0 : 1);
	return true;
}

/* --- machines --- */

static bool
is_host(const char *text)
{
	char address[INET6_ADDRSTRLEN + 1];
	struct in6_addr ignored;
	size_t size = strlen(text);

	if (text[0] != '[')
		return is_name(text, ALNUM, ALNUM "._-", HOST_MAX) &&
		    strchr("._-", text[size - 1]) == NULL;
	if (size < 3 || size - 2 >= sizeof(address) || text[size - 1] != ']')
		return false;
	memcpy(address, text + 1, size - 2);
	address[size - 2] = '\0';
	return inet_pton(AF_INET6, address, &ignored) == 1;
}

/* HOST or HOST:PORT; an IPv6 address stands in brackets. */
static bool
is_place(const char *text)
{
	char host[PLACE_MAX + 2];
	char *colon;

	if (!text_copy(host, sizeof(host), text))
		return false;
	colon = strrchr(host, ':');
	if (colon != NULL && strchr(colon, ']') == NULL) {
		*colon = '\0';
		if (!settings_check_PORT(colon + 1, NULL))
			return false;
	}
	return is_host(host);
}

bool
settings_check_HOSTS(const char *text, struct err *err)
{
	char parts[TARGETS][PLACE_MAX + 2];
	const char *rest = text;
	size_t count = 0;

	for (; count < TARGETS && next_part(&rest, ',', parts[count], sizeof(parts[0])); count++) {
		if (!is_place(parts[count]))
			return err_set(err, ERR_INVALID,
			    "\"%.60s\" is not HOST or HOST:PORT ([…] around an IPv6 address, commas"
			    " and no blanks between hosts)",
			    parts[count]);
		for (size_t i = 0; i < count; i++)
			if (strcmp(parts[i], parts[count]) == 0)
				return err_set(
				    err, ERR_INVALID, "%.60s is there twice", parts[count]);
	}
	if (rest[0] != '\0' || strlen(text) > SETTINGS_CHECK_LONG_MAX)
		return err_set(err, ERR_INVALID, "more than %d hosts, or more than %d bytes",
		    TARGETS, SETTINGS_CHECK_LONG_MAX);
	if (count == 0 || text_ends(text, ","))
		return err_set(err, ERR_INVALID, "\"%.60s\" ends without a host", text);
	return true;
}

bool
settings_check_PORT_PAIR(const char *text, struct err *err)
{
	char first[8], second[8];
	const char *rest = text;

	if (!next_part(&rest, ',', first, sizeof(first)) ||
	    !next_part(&rest, ',', second, sizeof(second)) || rest[0] != '\0' ||
	    text_ends(text, ",") || !settings_check_PORT(first, NULL) ||
	    !settings_check_PORT(second, NULL) || strcmp(first, second) == 0)
		return err_set(
		    err, ERR_INVALID, "\"%.60s\" is not two different ports, as 8001,8002", text);
	return true;
}

bool
settings_check_USER(const char *text, struct err *err)
{
	if (!is_name(text, SMALL "_", SMALL DIGITS "._-", LABEL_MAX))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not the name of a user: a-z or _, then a-z 0-9 . _ -", text);
	return true;
}

bool
settings_check_HOST_PATH(const char *text, struct err *err)
{
	if (text[0] != '/' || !is_of(text, UNQUOTED) || strlen(text) >= SETTINGS_CHECK_TEXT_MAX)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not an absolute path of A-Z a-z 0-9 . _ / : @ = , + -", text);
	return true;
}

bool
settings_check_COMMAND(const char *text, struct err *err)
{
	if (!is_name(text, ALNUM "/", UNQUOTED " ", SETTINGS_CHECK_TEXT_MAX - 1))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not a command of plain words: A-Z a-z 0-9 . _ / : @ = , + -, and"
		    " blanks between them",
		    text);
	return true;
}

/* The host asks itself, so without TLS.  {port} is the container's. */
bool
settings_check_SMOKE(const char *text, struct err *err)
{
	static const char port[] = ":{port}";
	char place[PLACE_MAX + sizeof(port)] = "";
	const char *rest = text_starts(text, "http://") ? text + strlen("http://") : "";
	bool is_good = is_visible(text) && next_part(&rest, '/', place, sizeof(place));

	if (text_ends(place, port))
		place[strlen(place) - strlen(port)] = '\0';
	if (!is_good || !is_place(place) || strchr(rest, '{') != NULL)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not http://HOST[:PORT]/PATH ({port} may stand for the container's"
		    " port; no https: the host asks itself)",
		    text);
	return true;
}

/* --- images and registries --- */

/* Parts of small letters and digits, joined by . _ and -, and by slashes. */
static bool
is_repository(const char *text)
{
	return is_name(text, SMALL DIGITS, SMALL DIGITS "._/-", IMAGE_MAX) &&
	    strstr(text, "//") == NULL && strstr(text, "..") == NULL &&
	    strchr("._/-", text[strlen(text) - 1]) == NULL && strstr(text, "/.") == NULL &&
	    strstr(text, "/_") == NULL && strstr(text, "/-") == NULL &&
	    strstr(text, "./") == NULL && strstr(text, "_/") == NULL && strstr(text, "-/") == NULL;
}

bool
settings_check_IMAGE(const char *text, struct err *err)
{
	if (!is_repository(text))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not an image's name: a-z 0-9, with . _ - / inside, without a tag",
		    text);
	return true;
}

bool
settings_check_REGISTRY(const char *text, struct err *err)
{
	char host[PLACE_MAX + 2];
	const char *rest = text;

	/* docker names none; http:// is said where the registry speaks nothing else. */
	if (text_starts(rest, "http://"))
		rest += strlen("http://");
	else if (text_starts(rest, "https://"))
		rest += strlen("https://");
	if (strlen(text) > IMAGE_MAX || !next_part(&rest, '/', host, sizeof(host)) ||
	    host[0] == '[' || !is_place(host) || text_ends(text, "/") ||
	    (rest[0] != '\0' && !is_repository(rest)))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not a registry: HOST, HOST:PORT or HOST/path, without / at its "
		    "end (http:// before it where it speaks no https)",
		    text);
	return true;
}

bool
settings_check_ACCOUNT(const char *text, struct err *err)
{
	if (!is_visible(text) || text[0] == '-' || strchr(text, ':') != NULL)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not the name of an account: no blanks, no :, no - before it",
		    text);
	return true;
}

/* Its text never enters err. */
bool
settings_check_PASSWORD(const char *text, struct err *err)
{
	bool is_good = text[0] != '\0' && strlen(text) <= SETTINGS_CHECK_LONG_MAX &&
	    text_is_utf8(text, strlen(text));

	for (const char *p = text; is_good && *p != '\0'; p++)
		is_good = (unsigned char)*p >= ' ' && *p != 0x7f;
	if (!is_good)
		return err_set(err, ERR_INVALID,
		    "must be one line of printable text, up to %d bytes", SETTINGS_CHECK_LONG_MAX);
	return true;
}

bool
settings_check_ENGINE(const char *text, struct err *err)
{
	const char *behind = text_starts(text, "unix:///") ? text + 8 :
	    text_starts(text, "tcp://")			   ? text + 6 :
	    text_starts(text, "ssh://")			   ? text + 6 :
							     "";

	if (behind[0] == '\0' || behind[0] == '-' || !is_visible(text))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not unix:///…, tcp://HOST:PORT or ssh://USER@HOST", text);
	return true;
}

bool
settings_check_INSIDE(const char *text, struct err *err)
{
	char part[SETTINGS_CHECK_TEXT_MAX];
	const char *rest = text;
	bool is_good = is_name(text, ALNUM "._", ALNUM "._/-", SETTINGS_CHECK_TEXT_MAX - 1) &&
	    !text_ends(text, "/");

	while (is_good && next_part(&rest, '/', part, sizeof(part)))
		is_good = part[0] != '\0' && strcmp(part, ".") != 0 && strcmp(part, "..") != 0;
	if (!is_good)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not the path of a file in the repository: A-Z a-z 0-9 . _ / -, "
		    "no / before it, no ..",
		    text);
	return true;
}

/* --- names and words --- */

bool
settings_check_WORD(const char *text, struct err *err)
{
	if (!is_name(text, SMALL, SMALL DIGITS "-", LABEL_MAX))
		return err_set(
		    err, ERR_INVALID, "\"%.60s\" is not a small letter and then a-z 0-9 -", text);
	return true;
}

bool
settings_check_SERVICE(const char *text, struct err *err)
{
	if (!is_name(text, ALNUM, ALNUM "._-", LABEL_MAX))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not a service of a compose file: A-Z a-z 0-9 . _ -", text);
	return true;
}

static bool
is_label(const char *text)
{
	return is_name(text, SMALL DIGITS, SMALL DIGITS "-", LABEL_MAX) && !text_ends(text, "-");
}

bool
settings_check_LABEL(const char *text, struct err *err)
{
	if (!is_label(text))
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not a name in Kubernetes: up to 63 of a-z 0-9, - inside", text);
	return true;
}

bool
settings_check_LABELS(const char *text, struct err *err)
{
	char part[LABEL_MAX + 2];
	const char *rest = text;
	bool is_good = text[0] != '\0' && strlen(text) <= HOST_MAX && !text_ends(text, ".");

	while (is_good && next_part(&rest, '.', part, sizeof(part)))
		is_good = is_label(part);
	if (!is_good)
		return err_set(err, ERR_INVALID,
		    "\"%.60s\" is not a name in Kubernetes: a-z 0-9, - and . inside", text);
	return true;
}

bool
settings_check_SOURCE(const char *text, struct err *err)
{
	if (strcmp(text, "build") == 0 || strcmp(text, "registry") == 0)
		return true;
	return err_set(err, ERR_INVALID, "\"%.60s\" is neither build nor registry", text);
}

bool
settings_check_STRATEGY(const char *text, struct err *err)
{
	if (strcmp(text, "recreate") == 0 || strcmp(text, "bluegreen") == 0)
		return true;
	return err_set(err, ERR_INVALID, "\"%.60s\" is neither recreate nor bluegreen", text);
}
