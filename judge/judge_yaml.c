/* judge_yaml.c - libyaml's events become nodes.  Side: pure. */
/* SPDX-License-Identifier: ISC */
#include "judge/judge_yaml.h"

#include <yaml.h>

#include "lib/err.h"
#include "lib/mem.h"
#include "lib/text.h"

/* What is open: a list or a mapping, and the last that stands in it. */
struct level {
	struct judge_node *node, *last;
	size_t n;
};

struct anchor {
	char *name;
	const struct judge_node *node;
};

struct judge_tree {
	struct judge_node *nodes; /* none ever moves */
	size_t n;
	struct anchor *anchors;
	size_t anchors_n;
	struct level open[JUDGE_DEPTH_MAX];
	size_t depth;
	bool is_whole;
};

void
judge_yaml_free(struct judge_tree *tree)
{
	if (tree == NULL)
		return;
	for (size_t i = 0; i < tree->n; i++)
		free(tree->nodes[i].word);
	for (size_t i = 0; i < tree->anchors_n; i++)
		free(tree->anchors[i].name);
	free(tree->nodes);
	free(tree->anchors);
	free(tree);
}

const struct judge_node *
judge_yaml_root(const struct judge_tree *tree)
{
	return &tree->nodes[0];
}

/* --- a node --- */

static bool
is_twice(const struct judge_node *map, const struct judge_node *key)
{
	for (const struct judge_node *at = map->first; at != NULL && at != key; at = at->next->next)
		if (strcmp(at->word, key->word) == 0)
			return true;
	return false;
}

static bool
check_key(const struct level *level, const struct judge_node *node, struct err *err)
{
	if (level->node->kind != JUDGE_MAP || level->n % 2 != 0)
		return true;
	if (node->kind == JUDGE_ALIAS)
		return err_set(err, ERR_DENIED,
		    "line %u: an alias (*) as a key is not taken: write the key itself",
		    node->line);
	if (node->kind != JUDGE_TEXT)
		return err_set(err, ERR_DENIED,
		    "line %u: a list or a mapping as a key is not taken: write KEY: VALUE",
		    node->line);
	if (node->is_plain && node->word[0] == '\0')
		return err_set(err, ERR_DENIED,
		    "line %u: a colon without a key: write KEY: VALUE in one line", node->line);
	return true;
}

/* Puts it where it stands; a key is known to be no second one once it stands there. */
static bool
link_node(struct judge_tree *tree, struct judge_node *node, struct err *err)
{
	struct level *level;
	bool is_key;

	if (tree->depth == 0)
		return true;
	level = &tree->open[tree->depth - 1];
	if (!check_key(level, node, err))
		return false;
	is_key = level->node->kind == JUDGE_MAP && level->n % 2 == 0;
	if (is_key && level->n == 2 * JUDGE_KEYS_MAX)
		return err_set(err, ERR_LIMIT, "line %u: a mapping of more than %d keys",
		    node->line, JUDGE_KEYS_MAX);
	*(level->last == NULL ? &level->node->first : &level->last->next) = node;
	level->last = node;
	level->n++;
	if (is_key && is_twice(level->node, node))
		return err_set(err, ERR_DENIED, "line %u: the key %.60s stands there twice",
		    node->line, node->word);
	return true;
}

static struct judge_node *
add_node(struct judge_tree *tree, enum judge_kind kind, const yaml_event_t *event, struct err *err)
{
	struct judge_node *node = &tree->nodes[tree->n];

	if (tree->n == JUDGE_NODES_MAX)
		return ERR_NULL(
		    err_set(err, ERR_LIMIT, "it has more than %d words", JUDGE_NODES_MAX));
	node->kind = kind;
	node->weight = 1;
	node->line = (unsigned)event->start_mark.line + 1;
	tree->n++;
	return link_node(tree, node, err) ? node : NULL;
}

/* --- what an event adds --- */

static bool
check_tag(const yaml_char_t *tag, const struct judge_node *node, struct err *err)
{
	return tag == NULL ||
	    err_set(
		err, ERR_DENIED, "line %u: tags of YAML (!!) are not taken: remove it", node->line);
}

static bool
add_anchor(struct judge_tree *tree, const yaml_char_t *anchor, const struct judge_node *node,
    struct err *err)
{
	const char *name = (const char *)anchor;

	if (name == NULL)
		return true;
	if (tree->anchors_n == JUDGE_ANCHORS_MAX)
		return err_set(err, ERR_LIMIT, "it has more than %d anchors", JUDGE_ANCHORS_MAX);
	for (size_t i = 0; i < tree->anchors_n; i++)
		if (strcmp(tree->anchors[i].name, name) == 0)
			return err_set(err, ERR_DENIED,
			    "line %u: the anchor &%.60s stands there twice", node->line, name);
	tree->anchors[tree->anchors_n++] = (struct anchor){ mem_text(name), node };
	return true;
}

/* It is whole: what is around it grows. */
static bool
grow(const struct judge_tree *tree, const struct judge_node *node, struct err *err)
{
	struct judge_node *outer;

	if (tree->depth == 0)
		return true;
	outer = tree->open[tree->depth - 1].node;
	if (outer->height <= node->height)
		outer->height = node->height + 1;
	outer->weight += node->weight;
	if (outer->weight > JUDGE_NODES_MAX)
		return err_set(err, ERR_LIMIT, "line %u: aliases stand for more than %d words",
		    node->line, JUDGE_NODES_MAX);
	return outer->height < JUDGE_DEPTH_MAX ||
	    err_set(err, ERR_LIMIT, "line %u: more than %d lists and mappings in each other",
		node->line, JUDGE_DEPTH_MAX);
}

static bool
add_text(struct judge_tree *tree, const yaml_event_t *event, struct err *err)
{
	const char *value = (const char *)event->data.scalar.value;
	struct judge_node *node;

	if (tree->n == JUDGE_NODES_MAX)
		return err_set(err, ERR_LIMIT, "it has more than %d words", JUDGE_NODES_MAX);
	if (memchr(value, '\0', event->data.scalar.length) != NULL)
		return err_set(err, ERR_DENIED, "line %zu: a text has a NUL (\\0): remove it",
		    event->start_mark.line + 1);
	tree->nodes[tree->n].word = mem_text(value);
	tree->nodes[tree->n].is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node = add_node(tree, JUDGE_TEXT, event, err);
	return node != NULL && check_tag(event->data.scalar.tag, node, err) &&
	    add_anchor(tree, event->data.scalar.anchor, node, err) && grow(tree, node, err);
}

static bool
open_level(
    struct judge_tree *tree, enum judge_kind kind, const yaml_event_t *event, struct err *err)
{
	bool is_map = kind == JUDGE_MAP;
	struct judge_node *node = add_node(tree, kind, event, err);

	if (node == NULL)
		return false;
	if (tree->depth == JUDGE_DEPTH_MAX)
		return err_set(err, ERR_LIMIT,
		    "line %u: more than %d lists and mappings in each other", node->line,
		    JUDGE_DEPTH_MAX);
	tree->open[tree->depth++] = (struct level){ .node = node };
	return check_tag(is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag,
		   node, err) &&
	    add_anchor(tree,
		is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor, node,
		err);
}

static bool
close_level(struct judge_tree *tree, struct err *err)
{
	const struct judge_node *node = tree->open[--tree->depth].node;

	return grow(tree, node, err);
}

static bool
is_open(const struct judge_tree *tree, const struct judge_node *node)
{
	for (size_t i = 0; i < tree->depth; i++)
		if (tree->open[i].node == node)
			return true;
	return false;
}

static bool
add_alias(struct judge_tree *tree, const yaml_event_t *event, struct err *err)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct judge_node *node = add_node(tree, JUDGE_ALIAS, event, err);

	if (node == NULL)
		return false;
	for (size_t i = 0; i < tree->anchors_n; i++)
		if (strcmp(tree->anchors[i].name, name) == 0)
			node->target = tree->anchors[i].node;
	if (node->target == NULL)
		return err_set(
		    err, ERR_DENIED, "line %u: there is no anchor &%.60s above", node->line, name);
	if (is_open(tree, node->target))
		return err_set(err, ERR_DENIED, "line %u: *%.60s stands within what it stands for",
		    node->line, name);
	node->height = node->target->height;
	node->weight = node->target->weight;
	return grow(tree, node, err);
}

static bool
take_event(struct judge_tree *tree, const yaml_event_t *event, struct err *err)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (tree->n > 0)
			return err_set(err, ERR_DENIED, "line %zu: a second document: write one",
			    event->start_mark.line + 1);
		return true;
	case YAML_SCALAR_EVENT:
		return add_text(tree, event, err);
	case YAML_ALIAS_EVENT:
		return add_alias(tree, event, err);
	case YAML_SEQUENCE_START_EVENT:
		return open_level(tree, JUDGE_LIST, event, err);
	case YAML_MAPPING_START_EVENT:
		return open_level(tree, JUDGE_MAP, event, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return close_level(tree, err);
	case YAML_STREAM_END_EVENT:
		tree->is_whole = true;
		return true;
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	}
	return true;
}

/* --- all of it --- */

static void
begin(yaml_parser_t *parser, const char *text, size_t size)
{
	if (yaml_parser_initialize(parser) == 0)
		mem_abort();
	yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(parser, (const unsigned char *)text, size);
}

static bool
is_no_yaml(const yaml_parser_t *parser, struct err *err)
{
	if (parser->error == YAML_MEMORY_ERROR)
		mem_abort();
	return err_set(err, ERR_DENIED, "line %zu: it is no YAML: %s",
	    parser->problem_mark.line + 1,
	    parser->problem == NULL ? "it ends too early" : parser->problem);
}

static bool
read_all(struct judge_tree *tree, yaml_parser_t *parser, struct err *err)
{
	while (!tree->is_whole) {
		yaml_event_t event;
		bool is_taken;

		if (yaml_parser_parse(parser, &event) == 0)
			return is_no_yaml(parser, err);
		is_taken = take_event(tree, &event, err);
		yaml_event_delete(&event);
		if (!is_taken)
			return false;
	}
	return tree->n > 0 || err_set(err, ERR_DENIED, "it is empty");
}

struct judge_tree *
judge_yaml_read(const char *text, size_t size, struct err *err)
{
	CLEANUP(judge_yaml_freep) struct judge_tree *tree = mem_new(1, sizeof(*tree));
	yaml_parser_t parser;
	bool is_read;

	tree->nodes = mem_new(JUDGE_NODES_MAX, sizeof(*tree->nodes));
	tree->anchors = mem_new(JUDGE_ANCHORS_MAX, sizeof(*tree->anchors));
	begin(&parser, text, size);
	is_read = read_all(tree, &parser, err);
	yaml_parser_delete(&parser);
	return is_read ? TAKE(tree) : NULL;
}

/* --- its words one by one --- */

/* Where the words are: libyaml counts characters. */
struct scan {
	const char *text;
	size_t *at; /* of each character the byte where it begins, and the end */
	size_t characters;
	size_t flow; /* how many brackets are open */
	size_t end;  /* of the last word */
	size_t
	    mark_line; /* of --- or ..., behind which nothing may stand; SIZE_MAX: none is open */
	struct err *err;
};

static bool
refuse(const struct scan *scan, const yaml_token_t *token, const char *why)
{
	return err_set(scan->err, ERR_DENIED, "line %zu: %s", token->start_mark.line + 1, why);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A comment begins a line, or stands behind a blank. */
static bool
check_between(const struct scan *scan, const yaml_token_t *token)
{
	bool is_comment = false;

	for (size_t i = scan->end; i < token->start_mark.index; i++) {
		size_t at = scan->at[i];

		if (scan->text[at] == '\n')
			is_comment = false;
		else if (scan->text[at] == '#' && !is_comment) {
			if (at > 0 && !is_blank(scan->text[at - 1]))
				return refuse(scan, token, "a blank is missing before the #");
			is_comment = true;
		}
	}
	return true;
}

/* Within quotes: a backslash stands for what follows it. */
static bool
check_quoted(const struct scan *scan, const yaml_token_t *token)
{
	const char *end = &scan->text[scan->at[token->end_mark.index]];

	if (token->start_mark.line != token->end_mark.line)
		return refuse(scan, token,
		    "a text in quotes that goes on in the next line is not taken: write it in one line, or without quotes behind >");
	if (token->data.scalar.style != YAML_DOUBLE_QUOTED_SCALAR_STYLE)
		return true;
	for (const char *c = &scan->text[scan->at[token->start_mark.index]]; c + 1 < end; c++) {
		if (*c != '\\')
			continue;
		c++;
		if (strchr("xuUNLP_", *c) != NULL)
			return refuse(scan, token,
			    "a character is written as \\x, \\u, \\N, \\L, \\P or \\_: write it as it is");
	}
	return true;
}

static bool
check_block(const struct scan *scan, const yaml_token_t *token)
{
	const char *head = &scan->text[scan->at[token->start_mark.index]] + 1;

	if (*head == '-' || *head == '+')
		head++;
	return is_blank(*head) || *head == '\0' ||
	    refuse(scan, token,
		"a text over lines begins with |, |-, |+, >, >- or >+ alone: put what begins with it into quotes");
}

static bool
check_text(const struct scan *scan, const yaml_token_t *token)
{
	const char *value = (const char *)token->data.scalar.value;

	switch (token->data.scalar.style) {
	case YAML_SINGLE_QUOTED_SCALAR_STYLE:
	case YAML_DOUBLE_QUOTED_SCALAR_STYLE:
		return check_quoted(scan, token);
	case YAML_LITERAL_SCALAR_STYLE:
	case YAML_FOLDED_SCALAR_STYLE:
		return check_block(scan, token);
	case YAML_ANY_SCALAR_STYLE:
	case YAML_PLAIN_SCALAR_STYLE:
		break;
	}
	if (scan->flow > 0 && (strstr(value, ":\"") != NULL || strstr(value, ":'") != NULL))
		return refuse(scan, token,
		    "within brackets a blank is missing between a colon and a quote: write KEY: VALUE");
	return true;
}

/* Behind its name stands a blank, or in brackets what ends it. */
static bool
check_name(const struct scan *scan, const yaml_token_t *token)
{
	char next = scan->text[scan->at[token->end_mark.index]];

	return next == '\0' || is_blank(next) || (scan->flow > 0 && strchr(",]}", next) != NULL) ||
	    refuse(scan, token,
		token->type == YAML_ALIAS_TOKEN ?
		    "an alias (*) as a key is not taken: write the key itself" :
		    "an anchor has A-Z a-z 0-9 _ - alone: write it so");
}

static bool
check_word(struct scan *scan, const yaml_token_t *token)
{
	switch (token->type) {
	case YAML_FLOW_SEQUENCE_START_TOKEN:
	case YAML_FLOW_MAPPING_START_TOKEN:
		scan->flow++;
		return true;
	case YAML_FLOW_SEQUENCE_END_TOKEN:
	case YAML_FLOW_MAPPING_END_TOKEN:
		scan->flow -= scan->flow > 0;
		return true;
	case YAML_KEY_TOKEN: /* one that is written has a length */
		return token->start_mark.index == token->end_mark.index ||
		    refuse(
			scan, token, "a key behind a question mark is not taken: write KEY: VALUE");
	case YAML_TAG_TOKEN:
	case YAML_TAG_DIRECTIVE_TOKEN:
	case YAML_VERSION_DIRECTIVE_TOKEN:
		return refuse(
		    scan, token, "tags (!!) and directives (%) of YAML are not taken: remove it");
	case YAML_ALIAS_TOKEN:
	case YAML_ANCHOR_TOKEN:
		return check_name(scan, token);
	case YAML_SCALAR_TOKEN:
		return check_text(scan, token);
	default:
		return true;
	}
}

/* Behind --- and ... the line ends. */
static bool
check_mark(struct scan *scan, const yaml_token_t *token)
{
	bool is_mark =
	    token->type == YAML_DOCUMENT_START_TOKEN || token->type == YAML_DOCUMENT_END_TOKEN;

	if (scan->mark_line == token->start_mark.line && token->type != YAML_STREAM_END_TOKEN)
		return refuse(scan, token, "write what is behind --- or ... on a line of its own");
	scan->mark_line = is_mark ? token->start_mark.line : SIZE_MAX;
	return true;
}

static bool
scan_all(struct scan *scan, yaml_parser_t *parser)
{
	bool is_over = false, is_taken = true;

	while (!is_over && is_taken) {
		yaml_token_t token;

		if (yaml_parser_scan(parser, &token) == 0)
			return is_no_yaml(parser, scan->err);
		is_over = token.type == YAML_STREAM_END_TOKEN;
		assert(token.end_mark.index <= scan->characters);
		is_taken = check_between(scan, &token) && check_mark(scan, &token) &&
		    check_word(scan, &token);
		/* What closes a level has its place where that was seen. */
		if (token.end_mark.index > scan->end)
			scan->end = token.end_mark.index;
		yaml_token_delete(&token);
	}
	return is_taken;
}

/* Of UTF-8 alone. */
static bool
find_characters(struct scan *scan, size_t size)
{
	size_t at = 0;
	uint32_t code;

	while (at < size) {
		size_t step = text_decode(&scan->text[at], size - at, &code);

		if (step == 0)
			return err_set(scan->err, ERR_DENIED,
			    "it has bytes that are no text (UTF-8): save it as such");
		scan->at[scan->characters++] = at;
		at += step;
	}
	scan->at[scan->characters] = size;
	return true;
}

bool
judge_yaml_is_plain(const char *text, size_t size, struct err *err)
{
	CLEANUP(freep) size_t *at = mem_new(size + 1, sizeof(*at));
	struct scan scan = { .text = text, .at = at, .mark_line = SIZE_MAX, .err = err };
	yaml_parser_t parser;
	bool is_taken;

	if (!find_characters(&scan, size))
		return false;
	begin(&parser, text, size);
	is_taken = scan_all(&scan, &parser);
	yaml_parser_delete(&parser);
	return is_taken;
}
