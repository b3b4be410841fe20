/* cli_audit_list.c - `deploybot audit tail|search|show`: entries, as they stand in the rows.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "cli/cli_audit_inside.h"
#include "lib/err.h"
#include "lib/text.h"
#include "types/delivery.h"
#include "types/principal.h"

#define TAIL_USUAL   20
#define SEARCH_USUAL 1000
#define LIMIT_MOST   1000000
#define DAY_MS	     (24 * 60 * 60 * INT64_C(1000))

/* --- arguments --- */

/* 2026-11-20 or 2026-11-20T07:10:48Z, in UTC; is_end: the day's end. */
static bool
read_time(const char *text, bool is_end, int64_t *ret)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%d", &tm);
	bool is_day = rest != NULL && *rest == '\0';
	int day;

	if (rest == NULL || strlen(text) < 10 || text[4] != '-' || text[7] != '-')
		return false;
	if (!is_day) {
		rest = strptime(rest, "T%H:%M:%SZ", &tm);
		if (rest == NULL || *rest != '\0')
			return false;
	}
	day = tm.tm_mday;
	*ret = (int64_t)timegm(&tm) * 1000 + (is_day && is_end ? DAY_MS : 0);
	return *ret > 0 && tm.tm_mday == day; /* or the month has no such day */
}

/* What stands in user_id: a kind of principal or a forge, and who, or one of ours alone. */
static bool
is_person(const char *text)
{
	static const char *const kinds[] = {
#define WORD(name, word, ...) word,
		PRINCIPALS(WORD) DELIVERY_FORGES(WORD)
#undef WORD
	};
	static const char *const alone[] = { "git", "api" };
	char kind[16];
	size_t size = strcspn(text, ":");
	bool is_kind;

	(void)snprintf(kind, sizeof(kind), "%.*s", (int)(size < 15 ? size : 15), text);
	is_kind = text_index(kind, kinds, COUNT(kinds)) != COUNT(kinds);
	if (text[size] == '\0')
		return is_kind || text_index(text, alone, COUNT(alone)) != COUNT(alone);
	return is_kind && text[size + 1] != '\0';
}

/* 42 is telegram:42. */
static bool
read_person(const char *text, struct audit_arguments *ret)
{
	bool is_number = text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
	int size =
	    snprintf(ret->person, sizeof(ret->person), "%s%s", is_number ? "telegram:" : "", text);

	ret->filter.person = ret->person;
	return size > 0 && (size_t)size < sizeof(ret->person) && is_person(ret->person);
}

/* A code, or an action, which several codes may have. */
static bool
read_code(const char *text, struct audit_arguments *ret, const char **ret_what)
{
	static char what[96];
	const char *words[2 * AUDIT_CODE_COUNT];
	const char *nearest;

	ret->filter.code = text;
	for (size_t i = 0; i < AUDIT_CODE_COUNT; i++) {
		words[2 * i] = audit_code_rows[i].code;
		words[2 * i + 1] = audit_code_rows[i].action;
	}
	if (text_index(text, words, COUNT(words)) != COUNT(words))
		return true;
	nearest = text_nearest(text, words, COUNT(words));
	(void)snprintf(what, sizeof(what),
	    "a code or an action of the table in docs/audit.md%s%s%s", nearest == NULL ? "" : " (",
	    nearest == NULL ? "" : nearest, nearest == NULL ? "" : "?)");
	*ret_what = what;
	return false;
}

/* "production" or "shop/production", of an action "client/acme". */
static bool
is_environment(const char *text)
{
	const char *slash = strchr(text, '/');
	char first[64];

	if (slash == NULL)
		return text_is_word(text, 63);
	(void)snprintf(
	    first, sizeof(first), "%.*s", (int)(slash - text < 63 ? slash - text : 63), text);
	return text_is_word(first, 63) && text_is_word(slash + 1, 63);
}

static bool
read_severity(const char *text, struct audit_arguments *ret)
{
	ret->filter.at_least = audit_severity_of(text);
	return ret->filter.at_least != AUDIT_SEVERITY_COUNT;
}

static bool
read_format(const char *text, struct audit_arguments *ret)
{
	ret->format = audit_format_of(text);
	return ret->format != AUDIT_FORMAT_COUNT;
}

/* *ret_what: what was expected. */
static bool
read_option(const char *option, const char *value, unsigned wanted, struct audit_arguments *ret,
    const char **ret_what)
{
	*ret_what = "2026-11-20 or 2026-11-20T07:10:48Z";
	if ((wanted & OPTION_PERIOD) != 0 && strcmp(option, "--from") == 0)
		return read_time(value, false, &ret->filter.from);
	if ((wanted & OPTION_PERIOD) != 0 && strcmp(option, "--to") == 0)
		return read_time(value, true, &ret->filter.to);
	if ((wanted & OPTION_PERIOD) != 0 && strcmp(option, "--app") == 0) {
		*ret_what = "the name of an application";
		ret->filter.application = value;
		return text_is_word(value, 63);
	}
	if ((wanted & OPTION_PERIOD) != 0 && strcmp(option, "--environment") == 0) {
		*ret_what = "an environment, as production or shop/production";
		ret->filter.environment = value;
		return is_environment(value);
	}
	if ((wanted & OPTION_PERIOD) != 0 && strcmp(option, "--deployment") == 0) {
		*ret_what = "the number of a deployment";
		return text_to_i64(value, 1, AUDIT_INTEGER_MAX, &ret->filter.deployment, NULL);
	}
	if ((wanted & OPTION_WHO) != 0 && strcmp(option, "--person") == 0) {
		*ret_what =
		    "telegram:42, 42, github:7, local:ada, token:ci, hook:ci, system or git";
		return read_person(value, ret);
	}
	if ((wanted & OPTION_WHO) != 0 && strcmp(option, "--severity") == 0) {
		*ret_what = "info, low, medium, high or critical";
		return read_severity(value, ret);
	}
	if ((wanted & OPTION_WHO) != 0 && strcmp(option, "--code") == 0) {
		return read_code(value, ret, ret_what);
	}
	if ((wanted & OPTION_FORMAT) != 0 && strcmp(option, "--format") == 0) {
		*ret_what = "text, json or csv";
		return read_format(value, ret);
	}
	if ((wanted & OPTION_LIMIT) != 0 && strcmp(option, "-n") == 0) {
		*ret_what = "a number of 1 to 1000000";
		return text_to_i64(value, 1, LIMIT_MOST, &ret->limit, NULL);
	}
	*ret_what = NULL;
	return false;
}

bool
cli_audit_arguments(const struct cli *cli, unsigned wanted, struct audit_arguments *ret)
{
	const char *what = NULL;

	for (int i = 1; i < cli->argc; i++) {
		const char *option = cli->argv[i];

		if ((wanted & OPTION_REST) != 0 && option[0] != '-' && ret->rest == NULL) {
			ret->rest = option;
			continue;
		}
		if ((wanted & OPTION_ANYWAY) != 0 && strcmp(option, "--anyway") == 0) {
			ret->is_anyway = true;
			continue;
		}
		if (i + 1 < cli->argc &&
		    read_option(option, cli->argv[i + 1], wanted, ret, &what)) {
			i++;
			continue;
		}
		if (i + 1 < cli->argc && what != NULL)
			(void)fprintf(
			    stderr, "error: %s %s: expected %s\n", option, cli->argv[i + 1], what);
		else
			(void)fprintf(
			    stderr, "error: audit %s does not take %s\n", cli->argv[0], option);
		return false;
	}
	if (ret->filter.from != 0 && ret->filter.to != 0 && ret->filter.from >= ret->filter.to) {
		(void)fprintf(stderr, "error: audit %s: --from is not before --to\n", cli->argv[0]);
		return false;
	}
	return true;
}

int
cli_audit_check_named(const struct audit_source *source, const struct audit_filter *filter)
{
	const char *application = filter->application, *environment = filter->environment;
	struct err err;
	bool has = true;

	if ((application != NULL || environment != NULL) &&
	    !audit_read_has(source, application, environment, &has, &err))
		return cli_fail(&err);
	if (has)
		return EX_OK;
	(void)fprintf(stderr,
	    "error: no entry of the whole log names %s%s%s%s%s: is that how it is called?\n",
	    application != NULL ? "the application " : "", application != NULL ? application : "",
	    application != NULL && environment != NULL ? " with " : "",
	    environment != NULL ? "the environment " : "", environment != NULL ? environment : "");
	return 1;
}

/* --- lists --- */

/* Nothing was found: among how many? */
static int
say_none(const struct audit_source *source)
{
	int64_t newest;
	struct err err;

	if (!audit_read_newest(source, &newest, &err))
		return cli_fail(&err);
	(void)fprintf(stderr, "note: none of the log's %" PRId64 " entries is like that\n", newest);
	return EX_OK;
}

struct list {
	enum audit_format format;
	int64_t left;
	bool has_more;
};

static bool
print_one(
    void *ctx, const char *line, size_t size, const struct audit_fields *fields, const char *name)
{
	struct list *list = ctx;

	if (list->left == 0) {
		list->has_more = true;
		return false;
	}
	list->left--;
	audit_print(stdout, list->format, line, size, fields, name);
	return ferror(stdout) == 0;
}

static int
print_list(const struct audit_source *source, const struct audit_arguments *arguments)
{
	struct list list = { .format = arguments->format, .left = arguments->limit };
	int status = EX_OK;
	struct err err;

	audit_print_head(stdout, list.format);
	if (!audit_read(source, &arguments->filter, print_one, &list, &err))
		return cli_fail(&err);
	if (list.has_more)
		(void)fprintf(stderr,
		    "note: there are more than %" PRId64
		    ": a later --from, or a greater -n, shows them\n",
		    arguments->limit);
	else if (list.left == arguments->limit)
		status = say_none(source);
	if (status != EX_OK)
		return status;
	return fflush(stdout) == 0 && ferror(stdout) == 0 ? EX_OK : EX_IOERR;
}

int
cli_audit_tail(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { .limit = TAIL_USUAL };
	int64_t newest;
	struct err err;

	if (!cli_audit_arguments(cli, OPTION_LIMIT | OPTION_FORMAT, &arguments))
		return EX_USAGE;
	if (!audit_read_newest(source, &newest, &err))
		return cli_fail(&err);
	if (newest > arguments.limit)
		arguments.filter.first = newest - arguments.limit + 1;
	arguments.limit = LIMIT_MOST; /* those that come meanwhile, too */
	return print_list(source, &arguments);
}

int
cli_audit_search(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { .limit = SEARCH_USUAL };
	int status;

	if (!cli_audit_arguments(
		cli, OPTION_PERIOD | OPTION_WHO | OPTION_FORMAT | OPTION_LIMIT, &arguments))
		return EX_USAGE;
	status = cli_audit_check_named(source, &arguments.filter);
	return status != EX_OK ? status : print_list(source, &arguments);
}

/* --- one --- */

struct whole {
	int64_t seq;
	bool is_found;
};

static bool
print_whole(void *ctx, UNUSED const char *line, UNUSED size_t size,
    const struct audit_fields *fields, const char *name)
{
	struct whole *whole = ctx;
	int64_t seq;

	whole->is_found =
	    audit_field_number(audit_fields_get(fields, "seq"), &seq) && seq == whole->seq;
	if (whole->is_found)
		audit_print_whole(stdout, fields, name);
	return false;
}

int
cli_audit_show(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { 0 };
	struct whole whole = { 0 };
	struct err err;

	if (!cli_audit_arguments(cli, OPTION_REST, &arguments))
		return EX_USAGE;
	if (arguments.rest == NULL ||
	    !text_to_i64(arguments.rest, 1, AUDIT_INTEGER_MAX, &whole.seq, NULL)) {
		(void)fprintf(stderr, "error: audit show: expected the number of an entry\n");
		return EX_USAGE;
	}
	arguments.filter.first = whole.seq;
	if (!audit_read(source, &arguments.filter, print_whole, &whole, &err))
		return cli_fail(&err);
	if (!whole.is_found) {
		(void)fprintf(stderr, "error: there is no entry %" PRId64 "\n", whole.seq);
		return 1;
	}
	return EX_OK;
}
