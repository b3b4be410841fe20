/* xml.h - reads a small XML document, element by element: the wrapper of expat.  Side: any. */
/* SPDX-License-Identifier: ISC */
/*
 * Of a stranger: a document type, an entity of its own, depth over XML_DEPTH_MAX, a name or text
 * longer than its room, and bytes that are neither UTF-8 nor, behind its byte order mark, UTF-16
 * are refused.  Attributes are passed over.
 */
#pragma once

#include "lib/base.h"

#define XML_DEPTH_MAX 16
#define XML_PATH_MAX  512
#define XML_TEXT_MAX  8192

/* Names from the root on with '/' between, as "ListVersionsResult/Version/Key". */
struct xml_reader {
	/* An element begins.  NULL: not asked for.  False, with *err: the reading ends. */
	bool (*on_start)(void *ctx, const char *path, struct err *err);
	/* It ends; text: what stands in it but in its children, with a NUL. */
	bool (*on_end)(void *ctx, const char *path, const char *text, struct err *err);
};

/* False: *err says why, of what is no XML with its line; what was called before stays called. */
bool xml_read(const char *text, size_t size, const struct xml_reader *reader, void *ctx,
    struct err *err) MUST_USE;
