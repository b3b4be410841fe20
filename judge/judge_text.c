/* judge_text.c - a compose file's text: what has compose read other files, or hides that it does.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * compose has read those before anybody sees what it makes of them.  A key counts wherever it
 * stands, in an anchor too; so that no reader of YAML takes the text for another one, it has to be
 * plain (judge_yaml_is_plain()).
 */
#include <stdio.h>

#include "judge/judge.h"
#include "judge/judge_inside.h"
#include "judge/judge_yaml.h"
#include "lib/err.h"
#include "lib/text.h"

static const char *const reads_others[] = { "include", "extends", "label_file" };

/* --- bytes --- */

static bool
is_of_text(unsigned char c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0x7f);
}

/* Line ends that some readers know and others do not, and byte order marks. */
static bool
is_odd(const char *at, size_t size)
{
	static const char *const odd[] = { "\xc2\x85", "\xe2\x80\xa8", "\xe2\x80\xa9",
		"\xef\xbb\xbf", "\xff", "\xfe" };

	if (*at == '\r')
		return size < 2 || at[1] != '\n';
	for (size_t i = 0; i < COUNT(odd); i++)
		if (size >= strlen(odd[i]) && memcmp(at, odd[i], strlen(odd[i])) == 0)
			return true;
	return false;
}

static bool
check_bytes(const char *text, size_t size, struct err *err)
{
	if (size > JUDGE_FILE_MAX)
		return err_set(err, ERR_LIMIT, "it has more than %d bytes", JUDGE_FILE_MAX);
	for (size_t i = 0; i < size; i++)
		if (!is_of_text((unsigned char)text[i]))
			return err_set(err, ERR_DENIED,
			    "it has bytes that are no text (UTF-8): save it as such");
	for (size_t i = 0; i < size; i++)
		if (is_odd(&text[i], size - i))
			return err_set(err, ERR_DENIED,
			    "it has line ends of another kind, or a byte order mark: save it as UTF-8 with plain line ends");
	return true;
}

/* --- keys --- */

/* A plain path in the folder of the release: no variable, and not out of it. */
static bool
is_within(const char *path)
{
	const char *part = path;

	if (path[0] == '\0' || path[0] == '/' || strcmp(path, ".") == 0 ||
	    text_starts(path, "..") || !judge_is_plain(path, "._@+/-"))
		return false;
	for (;;) {
		size_t n = strcspn(part, "/");

		if (n == 2 && strncmp(part, "..", 2) == 0)
			return false;
		if (part[n] == '\0')
			return true;
		part += n + 1;
	}
}

static bool
add_env_file(struct judge *judge, const struct judge_node *value, struct err *err)
{
	char where[40];

	if (value->kind != JUDGE_TEXT || !is_within(value->word))
		return err_set(err, ERR_DENIED,
		    "line %u: env_file names plain paths in the folder of the release",
		    value->line);
	(void)snprintf(where, sizeof(where), "line %u, env_file", value->line);
	return judge_add_path(judge, where, value->word, true, err);
}

/* One of its list: a path, or a mapping with it. */
static bool
judge_env_file(struct judge *judge, const struct judge_node *value, struct err *err)
{
	if (value->kind != JUDGE_MAP)
		return add_env_file(judge, value, err);
	for (const struct judge_node *key = value->first; key != NULL; key = key->next->next) {
		if (strcmp(key->word, "path") == 0) {
			if (!add_env_file(judge, key->next, err))
				return false;
		} else if (strcmp(key->word, "required") != 0 && strcmp(key->word, "format") != 0) {
			return err_set(err, ERR_DENIED,
			    "line %u: an env_file has path, required and format alone", key->line);
		}
	}
	return true;
}

static bool
judge_env_files(struct judge *judge, const struct judge_node *value, struct err *err)
{
	if (value->kind != JUDGE_LIST)
		return judge_env_file(judge, value, err);
	for (const struct judge_node *one = value->first; one != NULL; one = one->next)
		if (!judge_env_file(judge, one, err))
			return false;
	return true;
}

static bool
check_merge(const struct judge_node *value, struct err *err)
{
	if (value->kind == JUDGE_LIST) {
		for (const struct judge_node *one = value->first; one != NULL; one = one->next)
			if (!check_merge(one, err))
				return false;
		return true;
	}
	return value->kind != JUDGE_TEXT ||
	    err_set(err, ERR_DENIED, "line %u: << takes an anchor (*NAME), or a list of them",
		value->line);
}

static bool
judge_key(struct judge *judge, const struct judge_node *key, struct err *err)
{
	for (size_t i = 0; i < COUNT(reads_others); i++)
		if (text_same_ci(key->word, reads_others[i]))
			return err_set(err, ERR_DENIED,
			    "line %u: with COMPOSE_SOURCE=repo it is one file that reads no others, without %s: write what it brings into this one (anchors help)",
			    key->line, reads_others[i]);
	if (text_same_ci(key->word, "env_file"))
		return judge_env_files(judge, key->next, err);
	return strcmp(key->word, "<<") != 0 || check_merge(key->next, err);
}

/* No deeper than JUDGE_DEPTH_MAX; what an alias stands for is judged where that stands. */
static bool
judge_node(struct judge *judge, const struct judge_node *node, struct err *err)
{
	bool is_key = node->kind == JUDGE_MAP;

	for (const struct judge_node *one = node->first; one != NULL; one = one->next) {
		if (is_key && !judge_key(judge, one, err))
			return false;
		if (!is_key && one->kind == JUDGE_TEXT &&
		    !judge_variables(judge, one->line, one->word, err))
			return false;
		if (!judge_node(judge, one, err))
			return false;
		if (node->kind == JUDGE_MAP)
			is_key = !is_key;
	}
	return true;
}

bool
judge_text(struct judge *judge, const char *text, size_t size, struct err *err)
{
	CLEANUP(judge_yaml_freep) struct judge_tree *tree = NULL;

	if (!check_bytes(text, size, err) || !judge_yaml_is_plain(text, size, err))
		return false;
	tree = judge_yaml_read(text, size, err);
	if (tree == NULL)
		return false;
	if (judge_yaml_root(tree)->kind != JUDGE_MAP)
		return err_set(
		    err, ERR_DENIED, "it is no compose file: that begins with a key, as services:");
	return judge_node(judge, judge_yaml_root(tree), err);
}
