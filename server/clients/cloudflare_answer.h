/* cloudflare_answer.h - what is asked of Cloudflare, and what its answer means.  Side: pure. */
/* SPDX-License-Identifier: ISC */
/*
 * https://developers.cloudflare.com/api/resources/zones/subresources/settings/: an envelope
 * {success, errors: [{code, message}], result: {id, value, editable}}; a 200 may have success
 * false, and what stands before it answers with pages of its own.
 */
#pragma once

#include "lib/base.h"
#include "types/cloudflare_level.h"

#define CLOUDFLARE_PATH_MAX   96
#define CLOUDFLARE_BODY_MAX   64
#define CLOUDFLARE_ANSWER_MAX 65536

/* "/zones/ZONE/settings/security_level"; returns out. */
const char *cloudflare_path(const char *zone, char out[CLOUDFLARE_PATH_MAX]);

/* {"value":"under_attack"}; returns out. */
const char *cloudflare_body(const char *level, char out[CLOUDFLARE_BODY_MAX]);

/* status 0: none came, and `body` is why.  retry_after: that header, or NULL.  wanted: the level
 * that was to be set; NULL: it was asked for. */
struct cloudflare_answer cloudflare_judge(
    int status, const char *body, size_t size, const char *retry_after, const char *wanted);
