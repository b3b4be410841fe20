/* row_upload.h - archives that somebody sent and that are kept.  Side: store. */
/* SPDX-License-Identifier: ISC */
#pragma once

#include "store/tx.h"
#include "types/limits.h"

struct upload_row {
	char digest[LIMIT_DIGEST]; /* SHA-256 of its bytes; "": there is none */
	char file[LIMIT_FILE_ID]; /* by which the chat gives it again; "": it came another way */
	int64_t size;		  /* bytes, once it is unpacked with its tree's */
	int64_t at;		  /* wall ms: when it came last */
};

/* It has come now; what came twice is there once. */
void row_upload_put(struct tx *tx, const struct upload_row *upload);

struct upload_row row_upload_get(struct tx *tx, const char *digest);

/* Its tree takes so many bytes more. */
void row_upload_unpacked(struct tx *tx, const char *digest, int64_t bytes);
void row_upload_drop(struct tx *tx, const char *digest);

/* Does work that has not ended wait for it, is it live, or can somebody roll back to it? */
bool row_upload_is_needed(struct tx *tx, const char *digest);

/* The oldest that came before that and that nobody needs, as row_upload_is_needed() says; returns
 * how many. */
size_t row_upload_list_unneeded(
    struct tx *tx, int64_t before, struct upload_row *ret, size_t max);

/* Bytes of all together. */
int64_t row_upload_total(struct tx *tx);

/* When that person asked to deploy the nth newest since then; what could not be fetched is none.
 * 0: there are fewer. */
int64_t row_upload_asked_at(struct tx *tx, int64_t person, int64_t since, int n);
