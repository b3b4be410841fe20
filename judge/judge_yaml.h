/* judge_yaml.h - a text of YAML as nodes, bounded, or why it is none; the only one who knows libyaml.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * One document in UTF-8.  Tags, directives, a key that stands twice in a mapping, a key that is no
 * text, and an alias within what it stands for are refused.
 */
#pragma once

#include "lib/base.h"

#define JUDGE_DEPTH_MAX	  32	/* of lists and mappings, what aliases stand for too */
#define JUDGE_NODES_MAX	  60000 /* what aliases stand for is counted where they stand */
#define JUDGE_KEYS_MAX	  2000	/* of a mapping: each is compared with all before it */
#define JUDGE_ANCHORS_MAX 1000

enum judge_kind {
	JUDGE_TEXT,
	JUDGE_LIST,
	JUDGE_MAP,
	JUDGE_ALIAS, /* stands for `target` */
};

struct judge_node {
	enum judge_kind kind;
	bool is_plain;	 /* a text without quotes that does not stand behind | or > */
	unsigned line;	 /* the first is 1 */
	unsigned height; /* of what is within; 0: nothing */
	unsigned weight; /* how many nodes it is, with what aliases stand for */
	char *word;	 /* of a text; has no NUL within */
	const struct judge_node *target;
	/* What is within, in its order; of a mapping a key and its value take turns. */
	struct judge_node *first, *next;
};

struct judge_tree;

/* Behind the text stands a NUL.  NULL: it is refused, and err says why.  Freed by
 * judge_yaml_free(). */
MUST_USE struct judge_tree *judge_yaml_read(const char *text, size_t size, struct err *err);
void judge_yaml_free(struct judge_tree *tree);
DEFINE_FREEP(struct judge_tree, judge_yaml_free)

/* What the document is.  Borrowed from the tree. */
const struct judge_node *judge_yaml_root(const struct judge_tree *tree);

/* The words of the text, and what stands between them: is it written so plainly that every reader
 * of YAML takes it for the same?  err says what is not, and in which line. */
MUST_USE bool judge_yaml_is_plain(const char *text, size_t size, struct err *err);
