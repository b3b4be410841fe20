/* row_block.h - commits that no push deploys, because they were rolled back.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "deployment/deployment.h"
#include "store/tx.h"

/* From now on; again: with a new number, time and reason.  The commit that is live is never
 * blocked. */
void row_block_add(struct tx *tx, const char *environment, const struct block *block);

/* The number of the newest; 0: there is none. */
int64_t row_block_newest(struct tx *tx, const char *environment);

/* False: it is not blocked.  ret may be NULL. */
bool row_block_find(struct tx *tx, const char *environment, const char *commit, struct block *ret);

/* Newest first; returns how many (<= max).  *ret_all (may be NULL): how many there are. */
size_t row_block_list(struct tx *tx, const char *environment, struct block *ret, size_t max,
    int64_t *ret_all);

void row_block_free(struct tx *tx, const char *environment, const char *commit);

/* What approvers rejected since the live release, of the latest work: newest first, by "", and in
 * `why` by whom and why.  Pushes deploy it; who is asked reads it. */
size_t row_block_list_rejected(
    struct tx *tx, const char *environment, struct block *ret, size_t max);

/* This deployment's commit has one of those in its history (is_unsure: that is not known).  All
 * are forgotten when it has ended. */
void row_block_contain(struct tx *tx, int64_t deployment, const char *commit, bool is_unsure);
void row_block_forget_contained(struct tx *tx, int64_t deployment);

/* Blocks up to that number that git was not asked about, as its list had no room for them: whether
 * this deployment's commit contains them is not known.  asked: the list. */
void row_block_contain_others(
    struct tx *tx, const struct deployment *deployment, int64_t newest, const char *asked);

/* Blocked commits that it contains, or may, without its own: newest first. */
size_t row_block_list_contained(
    struct tx *tx, const struct deployment *deployment, struct block *ret, size_t max);

/* Is that one of its?  ret->is_unsure is set. */
bool row_block_is_contained(struct tx *tx, int64_t deployment, struct block *ret);

/* The newest block of what it contains, its own commit too; and of that the newest that nobody was
 * shown who let it start (struct question).  False: there is none, or it is no
 * deployment. */
bool row_block_find_contained(
    struct tx *tx, const struct deployment *deployment, struct block *ret) MUST_USE;
bool row_block_find_unshown(
    struct tx *tx, const struct deployment *deployment, struct block *ret) MUST_USE;

/* It goes live: what it contains, and was shown as blocked, is blocked no more. */
void row_block_free_contained(struct tx *tx, const struct deployment *deployment);
