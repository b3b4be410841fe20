/* route_api_upload.c - an archive that comes over /v1: its bytes are a file, and then a request.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "routes/route_api_inside.h"

#include "clients/uploads.h"
#include "lib/clean.h"
#include "lib/crypto.h"
#include "lib/err.h"
#include "lib/text.h"
#include "lib/totp.h"

void
route_api_free_caller(void *user)
{
	struct caller *caller = user;

	upload_free(caller->upload);
	crypto_wipe(caller->from.token, sizeof(caller->from.token));
	free(caller);
}

static void
say_failed(struct http_request *request, const struct err *err)
{
	int status = err->code == ERR_INVALID ? 400 : err->code == ERR_FULL ? 507 : 503;
	char said[LIMIT_LINE * 2];

	text_setf(said, "the archive was not taken: %s", err->text);
	route_api_said(request, status, said);
}

void
route_api_begin_upload(struct uploads *uploads, struct http_request *request, struct caller *caller)
{
	struct err err;

	caller->upload = upload_new(uploads, &err);
	if (caller->upload == NULL)
		say_failed(request, &err);
}

/* What there is no room for is said when all of it has come. */
void
route_api_take_piece(struct http_request *request, const void *data, size_t size, UNUSED void *ctx)
{
	struct caller *caller = http_request_user(request);

	(void)upload_add(caller->upload, data, size);
}

bool
route_api_end_upload(struct http_request *request)
{
	const char *name = http_request_header(request, API_FILE_HEADER);
	struct caller *caller = http_request_user(request);
	struct uploaded uploaded;
	struct err err;

	if (caller->upload == NULL)
		(void)err_set(&err, ERR_INVALID, "it is empty");
	if (caller->upload == NULL || !upload_end(caller->upload, &uploaded, &err)) {
		say_failed(request, &err);
		return false;
	}
	text_set(caller->file.id, uploaded.digest);
	caller->file.size = uploaded.size;
	if (name != NULL)
		(void)clean_line(caller->file.name, sizeof(caller->file.name), name, strlen(name));
	return true;
}

bool
route_api_read_upload(const struct http_request *request, struct api_request *ret, struct err *err)
{
	const struct caller *caller = http_request_user(request);
	const char *code = http_request_header(request, API_CODE_HEADER);
	const char *shown = http_request_header(request, API_SHOWN_HEADER);

	if (caller->file.id[0] == '\0')
		return true;
	ret->file = caller->file;
	if ((code == NULL || (totp_is_code(code) && text_copy(ret->code, API_CODE, code))) &&
	    (shown == NULL ||
		(text_is_hex(shown, API_SHOWN - 1, API_SHOWN - 1) &&
		    text_copy(ret->shown, API_SHOWN, shown))))
		return true;
	return err_set(err, ERR_INVALID,
	    API_CODE_HEADER ": expected six digits; " API_SHOWN_HEADER ": 32 hex digits");
}
