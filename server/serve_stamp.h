/* serve_stamp.h - has the audit log's last head of each UTC day stamped by AUDIT_TIMESTAMP_URL.  Side: start. */
/* SPDX-License-Identifier: ISC */
/*
 * Five minutes after midnight, or at a start, the oldest day without a stamp first; after a failure
 * with back-off (1 min to 1 h), for as long as it takes.  What is stamped is a file beside the log,
 * audit.log.2026-11-20.tsr: there is no row of it, and none is needed.
 */
#pragma once

#include "lib/base.h"

struct err;
struct loop;
struct serve_stamp;
struct settings;

/* waiting_since: when (wall ms) the oldest day without its timestamp was over; 0: none is known. */
typedef void serve_stamp_note_fn(void *ctx, bool has_authority, int64_t waiting_since);

/* Asks nothing before it has settings.  NULL and *err when memory is short.  note comes with each
 * change, from within serve_stamp_settings() too. */
struct serve_stamp *serve_stamp_start(
    struct loop *loop, serve_stamp_note_fn *note, void *ctx, struct err *err) MUST_USE;

/* Looks at once; at nothing where no URL is set.  Must live as long as it is used. */
void serve_stamp_settings(struct serve_stamp *stamp, const struct settings *settings);

void serve_stamp_free(struct serve_stamp *stamp); /* takes NULL */
