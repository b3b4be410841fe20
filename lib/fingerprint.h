/* fingerprint.h - which values a set of settings has, as a list that tells none of them.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * NAME=MARK NAME=MARK and so on, in the order of the table: MARK is the first 16 hex digits of the
 * value's SHA-256; of a secret the path of its file is the value, or nothing where it has none.
 * Only files are looked at, and what is not set there is not in the list: what a process was
 * started with does not change while it runs, and may be another thing in another process.  Two who
 * have read the same have the same list, and whoever has both can say which settings differ.  Its
 * digest is the SHA-256 of the list.
 *
 * The runner goes on behind that (runner/binding.h) with what it alone sees.  Each of those words
 * has a "/" in its name, as no setting has.
 */
#pragma once

#include <sys/types.h>

#include "lib/base.h"
#include "lib/buf.h"
#include "lib/commit.h"
#include "lib/env_file.h"

#define FINGERPRINT_LIST_MAX 8192 /* bytes with the NUL */
#define FINGERPRINT_DIGEST   65	  /* 64 hex digits and the NUL */
#define FINGERPRINT_FILES_MAX 2

/* The files that a setting is looked for in: the first own of them are the application's own. */
struct fingerprint_files {
	const struct env_file *at[FINGERPRINT_FILES_MAX];
	size_t own;
	size_t count;
	uid_t owner; /* of the settings file, for hosts_file_read() */
};

/* One more setting of the list (made with room for FINGERPRINT_LIST_MAX), as the first of the files
 * has it that sets it; NAME= is as good as not there.  special: what it is called for one
 * environment, which is looked for too (setting_step()); NULL: nothing. */
void fingerprint_add(struct buf *list, const char *name, const char *special, bool is_secret,
    const struct fingerprint_files *files);

/* The same of a setting that names a file of hosts, with these as its value. */
void fingerprint_add_hosts(
    struct buf *list, const char *name, const struct fingerprint_files *files);

/* The same of the settings of each registry that REGISTRIES names for that environment. */
void fingerprint_add_registries(
    struct buf *list, const char *environment, const struct fingerprint_files *files);

/* One more word of it, of whatever bytes: name has no blank and no "=". */
void fingerprint_add_bytes(struct buf *list, const char *name, const void *data, size_t size);

/* What a member of a family is ("JOB_<NAME>" or "PLAYBOOK_<NAME>"), behind the list of its target.
 * Fails where it does not fit. */
bool fingerprint_add_line(char list[FINGERPRINT_LIST_MAX], const char *family, const char *name,
    const char *line, struct err *err) MUST_USE;

/* Returns out. */
const char *fingerprint_digest(const char *list, char out[FINGERPRINT_DIGEST]);

/* Of a list with what is shipped by it, where that is an upload: of git the list's own.  tree: the
 * digest of the upload's tree; "": nothing of it is built.  Returns out. */
const char *fingerprint_of_order(
    const char *list, enum commit_source source, const char *tree, char out[FINGERPRINT_DIGEST]);

/* The names that stand in one of them alone, or with another mark: "NAME, NAME", cut with … where
 * room ends.  "" when there are none.  Returns out. */
const char *fingerprint_differing(const char *a, const char *b, char *out, size_t room);

/* Takes the mark of the hosts in <ENV>_HOSTS_FILE out, wherever that is set.  Returns list. */
char *fingerprint_drop_hosts(char *list, const char *environment);

/* Cuts off what is not of the files, from the first name with a / on, so that the server's own list
 * can be compared with it.  Returns list. */
char *fingerprint_cut(char *list);
