/* promql.c - a query that ends in a comparison with a number, and what is put into it.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "lib/promql.h"

#include <stdlib.h>
#include <string.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/text.h"

#define BLANKS	 " \t"
#define LETTERS	 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
#define WORD	 LETTERS "0123456789:."
#define EXAMPLE	 "as errors: sum(rate(http_errors_total[5m])) > 1%%"
#define DEEPEST	 64
#define IN_WORDS "{application}, {environment}, {hosts}, {release}"

static const char *const comparisons[] = { ">=", "<=", "==", "!=", ">", "<" };
static const char *const placeholders[] = { "{application}", "{environment}", "{hosts}",
	"{release}" };
enum { APPLICATION, ENVIRONMENT, HOSTS, RELEASE };

/* --- one step through a query --- */

enum part { PART_END, PART_QUOTED, PART_WORD, PART_OTHER, PART_UNENDED };

/* The size of what stands at text: quoted text whole, a word whole, else one byte. */
static enum part
next_part(const char *text, size_t *ret_size)
{
	char quote = *text;

	*ret_size = 1;
	if (quote == '\0')
		return PART_END;
	if (strchr(LETTERS, quote) != NULL) {
		*ret_size = strspn(text, WORD);
		return PART_WORD;
	}
	if (quote != '"' && quote != '\'' && quote != '`')
		return PART_OTHER;
	for (const char *c = text + 1; *c != '\0'; c++) {
		if (*c == '\\' && quote != '`' && c[1] != '\0')
			c++;
		else if (*c == quote) {
			*ret_size = (size_t)(c + 1 - text);
			return PART_QUOTED;
		}
	}
	return PART_UNENDED;
}

/* COUNT(placeholders): it is none. */
static size_t
placeholder_at(const char *text)
{
	size_t i = 0;

	while (i < COUNT(placeholders) && !text_starts(text, placeholders[i]))
		i++;
	return i;
}

static bool
is_in(const char *text, size_t size, const char *what)
{
	return memmem(text, size, what, strlen(what)) != NULL;
}

/* A placeholder in quotes would be taken as it stands, and match nothing. */
static bool
check_quoted(const char *text, size_t size, struct err *err)
{
	for (size_t i = 0; i < COUNT(placeholders); i++)
		if (is_in(text, size, placeholders[i]))
			return err_set(err, ERR_INVALID,
			    "%s stands in quotes: it is a quoted value itself, as job=%s",
			    placeholders[i], placeholders[i]);
	return true;
}

/* "{word}" is no PromQL. */
static bool
check_brace(const char *text, struct err *err)
{
	size_t size = strspn(text + 1, WORD);

	if (size == 0 || text[size + 1] != '}' || placeholder_at(text) < COUNT(placeholders))
		return true;
	return err_set(err, ERR_INVALID, "{%.*s} is not known: expected " IN_WORDS,
	    (int)(size < 40 ? size : 40), text + 1);
}

/* --- reading --- */

/* The brackets that are open; `ret_end` is behind the last comparison outside of them. */
struct scan {
	char open[DEEPEST];
	size_t depth;
	const char *comparison; /* NULL: none yet */
	size_t comparison_size;
	bool has_set; /* and, or, unless outside of brackets */
};

static bool
take_bracket(struct scan *scan, const char *at, struct err *err)
{
	static const char opening[] = "([{", closing[] = ")]}";
	const char *open = strchr(opening, *at), *close = strchr(closing, *at);

	if (open != NULL && scan->depth < DEEPEST) {
		scan->open[scan->depth++] = closing[open - opening];
		return *at != '{' || check_brace(at, err);
	}
	if (open != NULL ||
	    (close != NULL && (scan->depth == 0 || scan->open[--scan->depth] != *at)))
		return err_set(err, ERR_INVALID, "its brackets do not match at \"%.20s\"", at);
	return true;
}

static void
take_comparison(struct scan *scan, const char *at, size_t *ret_size)
{
	for (size_t i = 0; i < COUNT(comparisons) && scan->depth == 0; i++)
		if (text_starts(at, comparisons[i])) {
			scan->comparison = at;
			*ret_size = scan->comparison_size = strlen(comparisons[i]);
			return;
		}
}

static void
take_word(struct scan *scan, const char *at, size_t size)
{
	static const char *const sets[] = { "and", "or", "unless" };

	for (size_t i = 0; i < COUNT(sets) && scan->depth == 0; i++)
		if (size == strlen(sets[i]) && strncasecmp(at, sets[i], size) == 0)
			scan->has_set = true;
}

static bool
look_through(const char *text, struct scan *scan, struct err *err)
{
	enum part part;
	size_t size;

	for (; (part = next_part(text, &size)) != PART_END; text += size) {
		if (part == PART_UNENDED)
			return err_set(err, ERR_INVALID, "a quote is not closed: %.20s", text);
		if (part == PART_QUOTED && !check_quoted(text, size, err))
			return false;
		if (part == PART_WORD)
			take_word(scan, text, size);
		if (part != PART_OTHER)
			continue;
		if (*text == '#')
			return err_set(err, ERR_INVALID, "it has a comment (#): take it out");
		if (!take_bracket(scan, text, err))
			return false;
		take_comparison(scan, text, &size);
	}
	return scan->depth == 0 || err_set(err, ERR_INVALID, "a bracket is not closed");
}

bool
promql_check(const char *text, struct err *err)
{
	struct scan scan = { .depth = 0 };

	return look_through(text, &scan, err);
}

/* "1%" is 0.01. */
static bool
read_number(const char *text, struct promql *ret)
{
	char *end;

	text += strspn(text, BLANKS);
	if (text[0] == '\0' || strchr("+-.0123456789", text[0]) == NULL ||
	    text[strspn(text, "+-.0123456789eE% \t")] != '\0')
		return false;
	ret->limit = strtod(text, &end);
	end += strspn(end, BLANKS);
	ret->is_percent = *end == '%';
	end += ret->is_percent;
	end += strspn(end, BLANKS);
	if (ret->is_percent)
		ret->limit /= 100;
	return end != text && *end == '\0' && ret->limit < 1e300 && ret->limit > -1e300;
}

/* What stands before ": ", where that is a name; NULL: there is none. */
static const char *
read_name(const char *text, char ret[PROMQL_NAME])
{
	size_t size = strspn(text, LETTERS "0123456789-. ");

	while (size > 0 && text[size - 1] == ' ')
		size--;
	if (size == 0 || size >= PROMQL_NAME || text[size] != ':' ||
	    strchr(BLANKS, text[size + 1]) == NULL || text[size + 1] == '\0')
		return NULL;
	memcpy(ret, text, size);
	ret[size] = '\0';
	return text + size + 1 + strspn(text + size + 1, BLANKS);
}

bool
promql_read(const char *text, struct promql *ret, struct err *err)
{
	struct scan scan = { .depth = 0 };
	size_t size;

	*ret = (struct promql){ .limit = 0 };
	text = read_name(text + strspn(text, BLANKS), ret->name);
	if (text == NULL)
		return err_set(err, ERR_INVALID,
		    "it has no name of 1 to 32 letters, digits and - with \": \" behind, " EXAMPLE);
	if (!look_through(text, &scan, err))
		return false;
	if (scan.comparison == NULL || !read_number(scan.comparison + scan.comparison_size, ret))
		return err_set(
		    err, ERR_INVALID, "it does not end in a comparison with a number, " EXAMPLE);
	if (scan.has_set)
		return err_set(err, ERR_INVALID,
		    "and, or, unless bind less than its comparison: put ( ) around what is compared");
	size = (size_t)(scan.comparison - text);
	while (size > 0 && strchr(BLANKS, text[size - 1]) != NULL)
		size--;
	if (size == 0 || size >= sizeof(ret->text))
		return err_set(err, ERR_INVALID, "nothing stands before its comparison");
	memcpy(ret->text, text, size);
	ret->text[size] = '\0';
	(void)snprintf(ret->comparison, sizeof(ret->comparison), "%.*s", (int)scan.comparison_size,
	    scan.comparison); /* fits */
	return true;
}

/* --- what is put in --- */

/* Of a string of PromQL in double quotes. */
static void
add_escaped(struct buf *out, const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n') {
			buf_adds(out, "\\n");
			continue;
		}
		if (text[i] == '\\' || text[i] == '"')
			buf_addc(out, '\\');
		buf_addc(out, text[i]);
	}
}

static void
add_host(struct buf *out, const char *host, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (host[i] == '*') { /* agents whose names begin so */
			buf_adds(out, "[a-z0-9.-]*");
			continue;
		}
		if (strchr("\\.+?()|[]{}^$", host[i]) != NULL)
			add_escaped(out, "\\", 1);
		add_escaped(out, &host[i], 1);
	}
}

static void
add_hosts(struct buf *out, const char *hosts)
{
	const char *before = "(?:";

	for (; *hosts != '\0'; hosts += strcspn(hosts, ","), hosts += *hosts == ',') {
		size_t size = strcspn(hosts, ",");
		const char *port = memrchr(hosts, ':', size);
		size_t digits = port == NULL ? 0 : strspn(port + 1, "0123456789");

		/* An address of IPv6 has no port without [ ]. */
		if (digits > 0 && port + 1 + digits == hosts + size &&
		    (port[-1] == ']' || memchr(hosts, ':', size) == port))
			size = (size_t)(port - hosts);
		buf_adds(out, before);
		add_host(out, hosts, size);
		before = "|";
	}
	if (before[0] == '|')
		buf_adds(out, ")(?::[0-9]+)?");
}

static void
add_value(struct buf *out, size_t placeholder, const struct promql_facts *facts)
{
	const char *text = placeholder == APPLICATION ? facts->application :
	    placeholder == ENVIRONMENT		      ? facts->environment :
							facts->release;

	buf_addc(out, '"');
	if (placeholder == HOSTS)
		add_hosts(out, facts->hosts);
	else
		add_escaped(out, text, strlen(text));
	buf_addc(out, '"');
}

void
promql_fill(const char *text, const struct promql_facts *facts, struct buf *out)
{
	size_t size;

	while (next_part(text, &size) != PART_END) {
		size_t placeholder = placeholder_at(text);

		if (placeholder < COUNT(placeholders)) {
			add_value(out, placeholder, facts);
			size = strlen(placeholders[placeholder]);
		} else {
			buf_add(out, text, size);
		}
		text += size;
	}
}

/* --- a value --- */

bool
promql_is_true(const struct promql *query, double value)
{
	const char *op = query->comparison;
	bool has_equal = op[1] == '=';

	if (op[0] == '=')
		return value >= query->limit && value <= query->limit;
	if (op[0] == '!')
		return value < query->limit || value > query->limit;
	if (op[0] == '>')
		return value > query->limit || (has_equal && value >= query->limit);
	return value < query->limit || (has_equal && value <= query->limit);
}

const char *
promql_value(const struct promql *query, double value, char out[PROMQL_VALUE])
{
	if (query->is_percent)
		(void)snprintf(out, PROMQL_VALUE, "%.3g %%", value * 100);
	else
		(void)snprintf(out, PROMQL_VALUE, "%.4g", value);
	return out;
}
