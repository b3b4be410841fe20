/* cli_audit_list.c - `deploybot audit tail|search|show`: entries, as they stand in the rows.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <sysexits.h>
#include <time.h>

#include "cli/audit/cli_audit_inside.h"
#include "lib/column.h"
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
	static const char *const kinds[] = { PRINCIPALS(COLUMN_SECOND)
		    DELIVERY_FORGES(COLUMN_SECOND) };
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

/* A code, or an action, which several codes may have; false: said that it is none. */
static bool
read_code(const struct cli *cli, struct audit_arguments *ret)
{
	const char *words[2 * AUDIT_CODE_COUNT], *nearest, *text = cli->value[OPTION_CODE];
	char what[96];

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
	(void)cli_refuse(cli, OPTION_CODE, text, what); /* 64 */
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

/* The option whose value is none of its kind; OPTION_COUNT: all are read. */
static enum cli_option
read_options(const struct cli *cli, struct audit_arguments *ret)
{
	char *const *value = cli->value;
	struct audit_filter *filter = &ret->filter;

	filter->application = value[OPTION_APP];
	filter->environment = value[OPTION_ENVIRONMENT];
	if (value[OPTION_SEVERITY] != NULL)
		filter->at_least = audit_severity_of(value[OPTION_SEVERITY]);
	if (value[OPTION_FORMAT] != NULL)
		ret->format = audit_format_of(value[OPTION_FORMAT]);
	if (value[OPTION_FROM] != NULL && !read_time(value[OPTION_FROM], false, &filter->from))
		return OPTION_FROM;
	if (value[OPTION_TO] != NULL && !read_time(value[OPTION_TO], true, &filter->to))
		return OPTION_TO;
	if (filter->application != NULL && !text_is_word(filter->application, 63))
		return OPTION_APP;
	if (filter->environment != NULL && !is_environment(filter->environment))
		return OPTION_ENVIRONMENT;
	if (value[OPTION_DEPLOYMENT] != NULL &&
	    !text_to_i64(value[OPTION_DEPLOYMENT], 1, AUDIT_INTEGER_MAX, &filter->deployment, NULL))
		return OPTION_DEPLOYMENT;
	if (value[OPTION_PERSON] != NULL && !read_person(value[OPTION_PERSON], ret))
		return OPTION_PERSON;
	if (value[OPTION_N] != NULL &&
	    !text_to_i64(value[OPTION_N], 1, LIMIT_MOST, &ret->limit, NULL))
		return OPTION_N;
	return OPTION_COUNT;
}

bool
cli_audit_arguments(const struct cli *cli, struct audit_arguments *ret)
{
	enum cli_option wrong = read_options(cli, ret);

	if (wrong != OPTION_COUNT)
		(void)cli_refuse(cli, wrong, cli->value[wrong], NULL); /* 64 */
	else if (ret->filter.from != 0 && ret->filter.to != 0 && ret->filter.from >= ret->filter.to)
		(void)fprintf(stderr, "error: audit: --from is not before --to\n");
	else
		return cli->value[OPTION_CODE] == NULL || read_code(cli, ret);
	return false;
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

static int
tail(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { .limit = TAIL_USUAL };
	int64_t newest;
	struct err err;

	if (!cli_audit_arguments(cli, &arguments))
		return EX_USAGE;
	if (!audit_read_newest(source, &newest, &err))
		return cli_fail(&err);
	if (newest > arguments.limit)
		arguments.filter.first = newest - arguments.limit + 1;
	arguments.limit = LIMIT_MOST; /* those that come meanwhile, too */
	return print_list(source, &arguments);
}

static int
search(const struct cli *cli, const struct audit_source *source)
{
	struct audit_arguments arguments = { .limit = SEARCH_USUAL };
	int status;

	if (!cli_audit_arguments(cli, &arguments))
		return EX_USAGE;
	status = cli_audit_check_named(source, &arguments.filter);
	return status != EX_OK ? status : print_list(source, &arguments);
}

int
cli_audit_tail(const struct cli *cli)
{
	return cli_audit_with(cli, false, tail);
}

int
cli_audit_search(const struct cli *cli)
{
	return cli_audit_with(cli, false, search);
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

static int
show(const struct cli *cli, const struct audit_source *source)
{
	struct audit_filter filter = { 0 };
	struct whole whole = { 0 };
	struct err err;

	if (!text_to_i64(cli->argv[0], 1, AUDIT_INTEGER_MAX, &whole.seq, NULL))
		return cli_refuse(cli, OPTION_COUNT, cli->argv[0], NULL);
	filter.first = whole.seq;
	if (!audit_read(source, &filter, print_whole, &whole, &err))
		return cli_fail(&err);
	if (!whole.is_found) {
		(void)fprintf(stderr, "error: there is no entry %" PRId64 "\n", whole.seq);
		return 1;
	}
	return EX_OK;
}

int
cli_audit_show(const struct cli *cli)
{
	return cli_audit_with(cli, false, show);
}
