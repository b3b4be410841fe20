/* vault_policy.c - what Vault says of a policy, of a mount, and of what our own token may.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "clients/vault_policy.h"

#include <stdio.h>

#include "lib/json.h"
#include "lib/text.h"

#define WORD 512 /* bytes of a quoted text; a longer one fits no path of the settings */

/* --- the text of a policy --- */

static const char *
skip_comment(const char *at)
{
	const char *end;

	if (at[0] == '#' || text_starts(at, "//"))
		return at + strcspn(at, "\n");
	if (!text_starts(at, "/*"))
		return at;
	end = strstr(at + 2, "*/");
	return end != NULL ? end + 2 : at + strlen(at);
}

/* The next thing behind *at that is no comment: a quoted text, which word has then, is '"'. */
static char
next(const char **at, char word[WORD])
{
	const char *c = *at, *behind;
	size_t size = 0;

	while ((behind = skip_comment(c)) != c)
		c = behind;
	if (*c != '"') {
		*at = *c != '\0' ? c + 1 : c;
		return *c;
	}
	for (c++; *c != '"' && *c != '\0'; c++) {
		c += *c == '\\' && c[1] != '\0';
		if (size < WORD - 1)
			word[size++] = *c;
	}
	word[size] = '\0';
	*at = *c != '\0' ? c + 1 : c;
	return '"';
}

/* --- which rule counts --- */

struct rule {
	char pattern[WORD];
	bool reads, denies;
	int depth; /* of the brace that it begins with; 0: none is open */
};

/* A `+` is one part of a path, a `*` at the end what there is. */
static bool
fits(const char *pattern, const char *path)
{
	for (bool is_part = true; *pattern != '\0'; pattern++) {
		bool is_any =
		    is_part && *pattern == '+' && (pattern[1] == '/' || pattern[1] == '\0');

		if (pattern[0] == '*' && pattern[1] == '\0')
			return true;
		if (is_any ? *path == '/' || *path == '\0' : *pattern != *path)
			return false;
		path += is_any ? strcspn(path, "/") : 1;
		is_part = *pattern == '/';
	}
	return *path == '\0';
}

#define RANKS 4

/* The rule whose first number that differs is the greater one counts: where its first wildcard
 * stands, no star, fewer parts of any name, length. */
static void
rank(const char *pattern, size_t ret[RANKS])
{
	size_t size = strlen(pattern), wild = strcspn(pattern, "+*"), parts = 0;

	for (const char *c = pattern; *c != '\0'; c++)
		parts += *c == '+';
	ret[0] = wild == size ? WORD : wild;
	ret[1] = !text_ends(pattern, "*");
	ret[2] = WORD - parts;
	ret[3] = size;
}

static bool
is_nearer(const char *pattern, const char *than)
{
	size_t own[RANKS], other[RANKS], i = 0;

	rank(pattern, own);
	rank(than, other);
	while (i < RANKS - 1 && own[i] == other[i])
		i++;
	return own[i] > other[i];
}

static void
end_rule(struct rule *rule, const char *path, struct rule *best)
{
	const char *pattern = rule->pattern + (rule->pattern[0] == '/');

	if (fits(pattern, path) && (best->depth == 0 || is_nearer(pattern, best->pattern))) {
		*best = *rule;
		(void)text_copy(best->pattern, WORD, pattern); /* it fits */
	}
	*rule = (struct rule){ .depth = 0 };
}

/* "path" is the key in JSON that all rules stand in, and no rule. */
static void
read_rules(const char *text, const char *path, struct rule *best)
{
	struct rule rule = { .depth = 0 };
	bool is_quoted = false; /* the last thing was word */
	char word[WORD] = "", c;

	for (int depth = 0; (c = next(&text, word)) != '\0';) {
		if (c == '"' && rule.depth > 0) {
			rule.reads |= strcmp(word, "read") == 0 || strcmp(word, "write") == 0;
			rule.denies |= strcmp(word, "deny") == 0;
		} else if (c == '{' && ++depth > 0 && is_quoted && rule.depth == 0 &&
		    strcmp(word, "path") != 0) {
			rule.depth = depth;
			(void)text_copy(rule.pattern, WORD, word); /* it fits */
		} else if (c == '}' && depth-- == rule.depth && rule.depth > 0) {
			end_rule(&rule, path, best);
		}
		is_quoted = c == '"' || (is_quoted && strchr(": \t\r\n", c) != NULL);
	}
}

enum vault_policy_says
vault_policy_of(const struct json *body, const char *path)
{
	const char *text = json_get_str(json_get(body, "data"), "policy");
	struct rule best = { .depth = 0 };

	if (text == NULL)
		return VAULT_POLICY_NONE;
	read_rules(text, path, &best);
	return best.depth == 0	       ? VAULT_POLICY_SILENT :
	    best.reads && !best.denies ? VAULT_POLICY_READS :
					 VAULT_POLICY_DENIES;
}

/* --- mounts, and what we may --- */

bool
vault_read_engine(const struct json *body, char ret[VAULT_ENGINE])
{
	const struct json *data = json_get(body, "data");
	const char *type = json_text(data, "type");
	bool is_kv = strcmp(type, "kv") == 0 || strcmp(type, "generic") == 0;

	if (is_kv)
		type = json_has(json_get(data, "options"), "version", "2") ? "kv2" : "kv1";
	return type[0] != '\0' && text_copy(ret, VAULT_ENGINE, type);
}

bool
vault_read_capability(const struct json *body, const char *path)
{
	const struct json *all = json_get(json_get(body, "data"), path);

	for (size_t i = 0; i < json_count(all); i++) {
		const char *one = json_str(json_at(all, i));

		if (one != NULL && (strcmp(one, "read") == 0 || strcmp(one, "root") == 0))
			return true;
	}
	return false;
}
