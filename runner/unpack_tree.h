/* unpack_tree.h - the files and folders of an archive: each name once, and the digest of all.  Side: any. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "lib/sha256.h"
#include "runner/unpack_name.h"

#define UNPACK_NODES_MAX 20000

struct unpack_node {
	char *path;
	bool is_folder;
	bool is_entry; /* else only the path of others says that there is this folder */
	bool is_executable;
	uint8_t sum[SHA256_SIZE];
};

struct unpack_tree {
	size_t count;
	size_t files;
	size_t top; /* bytes of the one folder that all lies in, with its slash; 0: there is none */
	struct unpack_node nodes[UNPACK_NODES_MAX + 1]; /* a folder before what lies in it */
	uint16_t slots[65536]; /* a node's number and 1, at the hash of its path in small letters */
};

/* Empty; NULL: there is no memory.  It compares names by the locale's small letters, so that the
 * caller sets LC_CTYPE before. */
struct unpack_tree *unpack_tree_new(void);

/* An entry with the path that unpack_name_check() has made of its name (not ""), and the folders
 * that it lies in.  Refused: what is there already, also in capitals. */
bool unpack_tree_add(struct unpack_tree *tree, const char *path, bool is_folder,
    struct unpack_refusal *refusal) MUST_USE;

/* The file with that very path; NULL: there is none. */
struct unpack_node *unpack_tree_file(struct unpack_tree *tree, const char *path);

/* All are added: fills `top`. */
void unpack_tree_strip(struct unpack_tree *tree);

/* SHA-256 of the lines `MODE SHA256 PATH` of all files, sorted in bytes; the order of the nodes is
 * another one then. */
void unpack_tree_digest(struct unpack_tree *tree, uint8_t ret[SHA256_SIZE]);

/* Takes NULL. */
void unpack_tree_free(struct unpack_tree *tree);
