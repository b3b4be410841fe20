/* unpack_tree.c - the files and folders of an archive: each name once, and the digest of all.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "runner/unpack_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wctype.h>

#include "lib/text.h"

#define FOLDED_ROOM (2 * UNPACK_PATH_MAX + 8) /* a small letter may be longer than its capital */

struct unpack_tree *
unpack_tree_new(void)
{
	return calloc(1, sizeof(struct unpack_tree)); /* pages that nobody touches cost nothing */
}

void
unpack_tree_free(struct unpack_tree *tree)
{
	for (size_t i = 0; tree != NULL && i < tree->count; i++)
		free(tree->nodes[i].path);
	free(tree);
}

static size_t
fold(const char *path, size_t size, char out[FOLDED_ROOM])
{
	size_t used = 0;
	uint32_t code;

	for (size_t at = 0, n; at < size; at += n) {
		n = text_decode(path + at, size - at, &code); /* it was checked: never 0 */
		used += text_encode((uint32_t)towlower((wint_t)code), out + used);
	}
	out[used] = '\0';
	return used;
}

/* The slot of what has that path but for capitals, or the free one where it belongs.  FNV-1a. */
static uint16_t *
find(struct unpack_tree *tree, const char *path, size_t size)
{
	char folded[FOLDED_ROOM], other[FOLDED_ROOM];
	size_t length = fold(path, size, folded);
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ (uint8_t)folded[i]) * 16777619U;
	for (hash ^= hash >> 16;; hash++) {
		uint16_t *slot = &tree->slots[hash % COUNT(tree->slots)];
		const char *there = *slot == 0 ? NULL : tree->nodes[*slot - 1].path;

		if (there == NULL ||
		    (fold(there, strlen(there), other) == length && strcmp(folded, other) == 0))
			return slot;
	}
}

static bool
add_node(struct unpack_tree *tree, uint16_t *slot, const char *path, size_t size, bool is_folder)
{
	struct unpack_node *node = &tree->nodes[tree->count];

	node->path = tree->count < UNPACK_NODES_MAX ? strndup(path, size) : NULL;
	if (node->path == NULL)
		return false;
	node->is_folder = is_folder;
	tree->files += !is_folder;
	*slot = (uint16_t)++tree->count;
	return true;
}

/* May this part of an entry's path be what is there? */
static bool
is_fine(const struct unpack_node *node, const char *path, size_t size, bool is_folder)
{
	bool is_last = path[size] == '\0';

	return strncmp(node->path, path, size) == 0 && node->path[size] == '\0' &&
	    (is_last ? !node->is_entry && node->is_folder == is_folder : node->is_folder);
}

bool
unpack_tree_add(
    struct unpack_tree *tree, const char *path, bool is_folder, struct unpack_refusal *refusal)
{
	struct unpack_node *node = NULL;

	for (size_t size = 0; size == 0 || path[size++] != '\0';) {
		uint16_t *slot;

		size += strcspn(path + size, "/");
		slot = find(tree, path, size);
		if (*slot == 0 &&
		    !add_node(tree, slot, path, size, is_folder || path[size] != '\0'))
			return unpack_refuse(refusal, UNPACK_BOMB, NULL,
			    "the archive has more than 20,000 files and folders");
		node = &tree->nodes[*slot - 1];
		if (!is_fine(node, path, size, is_folder))
			return unpack_refuse(refusal, UNPACK_NAME, path,
			    "is there twice, be it in capital letters or as a folder");
	}
	node->is_entry = true;
	return true;
}

struct unpack_node *
unpack_tree_file(struct unpack_tree *tree, const char *path)
{
	uint16_t slot = *find(tree, path, strlen(path));
	struct unpack_node *node = slot == 0 ? NULL : &tree->nodes[slot - 1];

	return node != NULL && !node->is_folder && strcmp(node->path, path) == 0 ? node : NULL;
}

void
unpack_tree_strip(struct unpack_tree *tree)
{
	size_t top = tree->count == 0 ? 0 : strlen(tree->nodes[0].path);

	if (tree->files == 0 || !tree->nodes[0].is_folder)
		return;
	for (size_t i = 1; i < tree->count; i++)
		if (strncmp(tree->nodes[i].path, tree->nodes[0].path, top) != 0 ||
		    tree->nodes[i].path[top] != '/')
			return;
	tree->top = top + 1;
}

/* As their lines are: MODE, SHA256, PATH.  Folders last. */
static int
compare(const void *a, const void *b)
{
	const struct unpack_node *one = a, *two = b;
	int order = one->is_folder - two->is_folder;

	if (order == 0)
		order = one->is_executable - two->is_executable;
	if (order == 0)
		order = memcmp(one->sum, two->sum, sizeof(one->sum));
	return order != 0 ? order : strcmp(one->path, two->path);
}

void
unpack_tree_digest(struct unpack_tree *tree, uint8_t ret[SHA256_SIZE])
{
	char line[UNPACK_PATH_MAX + 80], hex[2 * SHA256_SIZE + 1];
	struct sha256 sum;

	sha256_init(&sum);
	qsort(tree->nodes, tree->count, sizeof(tree->nodes[0]), compare);
	for (size_t i = 0; i < tree->files; i++) {
		const struct unpack_node *node = &tree->nodes[i];

		text_hex(hex, node->sum, sizeof(node->sum));
		text_setf(line, "%s %s %s\n", node->is_executable ? "0755" : "0644", hex,
		    node->path + tree->top);
		sha256_add(&sum, line, strlen(line));
	}
	sha256_end(&sum, ret);
}
