/* xml.c - a path and a text around expat's callbacks.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/xml.h"

#include <limits.h>

#include <expat.h>

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/mem.h"

struct reading {
	const struct xml_reader *reader;
	void *ctx;
	XML_Parser parser;
	struct buf path;
	struct buf text[XML_DEPTH_MAX]; /* of the elements that are open */
	unsigned depth;
	struct err err;
	bool has_failed;
};

static void
stop(struct reading *r)
{
	r->has_failed = true;
	(void)XML_StopParser(r->parser, XML_FALSE);
}

static void XMLCALL
on_start(void *ctx, const XML_Char *name, UNUSED const XML_Char **attributes)
{
	struct reading *r = ctx;

	if (r->has_failed)
		return;
	if (r->depth == XML_DEPTH_MAX) {
		(void)err_set(&r->err, ERR_LIMIT, "elements in more than %d others", XML_DEPTH_MAX);
		stop(r);
		return;
	}
	if (r->depth > 0)
		buf_addc(&r->path, '/');
	buf_adds(&r->path, name);
	buf_clear(&r->text[r->depth++]);
	if (!buf_check(&r->path, &r->err) ||
	    (r->reader->on_start != NULL &&
		!r->reader->on_start(r->ctx, buf_text(&r->path), &r->err)))
		stop(r);
}

static void XMLCALL
on_end(void *ctx, const XML_Char *name)
{
	struct reading *r = ctx;
	struct buf *text;

	if (r->has_failed)
		return;
	text = &r->text[--r->depth];
	if (!buf_check(text, &r->err) ||
	    (r->reader->on_end != NULL &&
		!r->reader->on_end(r->ctx, buf_text(&r->path), buf_text(text), &r->err))) {
		stop(r);
		return;
	}
	buf_cut(&r->path, r->path.size - strlen(name) - (r->depth > 0 ? 1 : 0));
}

static void XMLCALL
on_text(void *ctx, const XML_Char *text, int size)
{
	struct reading *r = ctx;

	if (!r->has_failed && r->depth > 0)
		buf_add(&r->text[r->depth - 1], text, (size_t)size);
}

/* Entities are declared in it. */
static void XMLCALL
on_doctype(void *ctx, UNUSED const XML_Char *name, UNUSED const XML_Char *sysid,
    UNUSED const XML_Char *pubid, UNUSED int has_subset)
{
	struct reading *r = ctx;

	(void)err_set(&r->err, ERR_INVALID, "it has a document type");
	stop(r);
}

static bool
parse(struct reading *r, const char *text, size_t size, struct err *err)
{

	XML_SetUserData(r->parser, r);
	XML_SetElementHandler(r->parser, on_start, on_end);
	XML_SetCharacterDataHandler(r->parser, on_text);
	XML_SetStartDoctypeDeclHandler(r->parser, on_doctype);
	if (XML_Parse(r->parser, text, (int)size, XML_TRUE) == XML_STATUS_OK && !r->has_failed)
		return true;
	if (r->has_failed) {
		*err = r->err;
		return false;
	}
	if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		mem_abort();
	return err_set(err, ERR_INVALID, "not valid XML at line %lu: %s",
	    (unsigned long)XML_GetCurrentLineNumber(r->parser),
	    XML_ErrorString(XML_GetErrorCode(r->parser)));
}

bool
xml_read(const char *text, size_t size, const struct xml_reader *reader, void *ctx, struct err *err)
{
	struct reading r = { .reader = reader, .ctx = ctx };
	bool ok;

	if (size > INT_MAX)
		return err_set(err, ERR_LIMIT, "an XML document of %zu bytes", size);
	r.parser = XML_ParserCreate("UTF-8");
	if (r.parser == NULL)
		mem_abort();
	buf_init(&r.path, XML_PATH_MAX);
	for (size_t i = 0; i < XML_DEPTH_MAX; i++)
		buf_init(&r.text[i], XML_TEXT_MAX);
	ok = parse(&r, text, size, err);
	XML_ParserFree(r.parser);
	buf_done(&r.path);
	for (size_t i = 0; i < XML_DEPTH_MAX; i++)
		buf_done(&r.text[i]);
	return ok;
}
