/* decide_upload.h - an archive that somebody sent, from its request until its files are known.  Side: store. */
/* SPDX-License-Identifier: ISC */
/*
 * It comes under a command, whose request has it (decide_upload_add()): from Telegram by the word
 * under which the chat gives it, over LOCAL_SOCKET as a file that is there.  Its work is of
 * SOURCE_UPLOAD: the archive is fetched, then unpacked by the runner; what the runner says is
 * handled as what git says of a commit.
 */
#pragma once

#include "store/row_deployment.h"
#include "types/event.h"
#include "types/git_answer.h"
#include "types/request.h"
#include "types/settings.h"
#include "types/update.h"

/* What is under a command, or came with it. */
void decide_upload_add(struct request *request, const struct update_file *file, bool is_here);

/* Is an archive to be deployed by it? */
bool decide_upload_is(const struct request *request);

/* Grant, settings and limits.  False: it was said. */
bool decide_upload_may(struct tx *tx, const struct update *update,
    const struct environment_settings *settings, const struct request *request) MUST_USE;

/* Makes work of it that has no row yet: its source and subject, and of what is here its commit. */
void decide_upload_set(struct deployment *work, const struct request *request);

/* That work, which has a row: its archive is fetched or unpacked. */
void
decide_upload_begin(struct tx *tx, struct deployment *work, const struct request *request);

/* It was fetched, for the work that is the subject of tx->effect.  NULL: it is unpacked, or the
 * work waits for it no more; else why it is refused. */
const char *decide_upload_fetched(
    struct tx *tx, struct deployment *work, const struct file_fetched *fetched);

/* The runner has unpacked it for that work: its tree takes room too.  NULL: there is some; else why
 * it is refused. */
const char *decide_upload_unpacked(
    struct tx *tx, const struct deployment *work, const struct git_answer *answer);

/* The runner has not unpacked it for that work.  NULL: it is fetched once more; else why it is
 * refused, which is audited. */
const char *decide_upload_not_unpacked(struct tx *tx, struct deployment *work,
    const struct git_answered *answered, const struct git_answer *answer);

/* That archive goes where nobody needs it. */
void decide_upload_drop(struct tx *tx, const char *digest);

/* Those go that are older than UPLOAD_KEEP_DAYS, and the oldest where all have more bytes than
 * UPLOADS_TOTAL; never what is needed.  True: there may be more. */
bool decide_upload_retain(struct tx *tx);

/* Of those that are there each goes that no row knows. */
void decide_upload_sweep(struct tx *tx, char (*digests)[LIMIT_DIGEST], size_t n);
