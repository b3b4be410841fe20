/* http_client_answer.c - gathers an answer, and says why there is none.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <errno.h>

#include "lib/http_client_inside.h"

#include "lib/mem_wiped.h"

#define HEADERS_MAX	((size_t)64 * 1024) /* of an answer */
#define BODY_FIRST_ROOM ((size_t)2048)

static size_t on_header(char *data, size_t one, size_t count, void *ctx);
static size_t on_body(char *data, size_t one, size_t count, void *ctx);

bool
http_client_answer_expect(struct http_client_call *call)
{
	return curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call) == CURLE_OK;
}

static size_t
on_header(UNUSED char *data, size_t one, size_t count, void *ctx)
{
	struct http_client_call *call =
	    OBJ_OF(struct http_client_call, ctx, HTTP_CLIENT_CALL_MAGIC);

	call->headers_size += one * count;
	if (call->headers_size <= HEADERS_MAX)
		return one * count;
	call->is_too_large = true;
	return 0;
}

static void
make_room(struct http_client_call *call, size_t size)
{
	size_t room = call->body_room > 0 ? call->body_room : BODY_FIRST_ROOM;

	while (room < size)
		room *= 2;
	if (room == call->body_room)
		return;
	call->body = mem_wiped_resize(call->body, room);
	call->body_room = room;
}

static void
gather(struct http_client_call *call, const char *data, size_t size)
{
	make_room(call, call->body_size + size + 1);
	memcpy(call->body + call->body_size, data, size);
	call->body[call->body_size + size] = '\0';
}

/* What says why there is no file is no file. */
static bool
is_streamed(const struct http_client_call *call)
{
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	return call->on_piece != NULL && status == 200;
}

/* A short count makes curl give up. */
static size_t
on_body(char *data, size_t one, size_t count, void *ctx)
{
	struct http_client_call *call =
	    OBJ_OF(struct http_client_call, ctx, HTTP_CLIENT_CALL_MAGIC);
	size_t size = one * count;

	call->is_too_large = size > call->answer_max - call->body_size;
	if (call->is_too_large)
		return 0;
	if (!is_streamed(call))
		gather(call, data, size);
	else if (!call->on_piece(call->ctx, data, size))
		return 0;
	call->body_size += size;
	return size;
}

/* --- results ---------------------------------------------------------------------------------- */

static enum err_code
code_of(const struct http_client_call *call, CURLcode code)
{
	if (call->is_too_large)
		return ERR_LIMIT;
	if (call->is_refused_address && code == CURLE_COULDNT_CONNECT)
		return ERR_DENIED;
	switch ((int)code) {
	case CURLE_OPERATION_TIMEDOUT:
		return ERR_TIMEOUT;
	case CURLE_OUT_OF_MEMORY:
		return ERR_BUSY;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return ERR_INVALID;
	default:
		return ERR_IO;
	}
}

/* curl's own sentence for a code names neither URL nor host: CURLOPT_ERRORBUFFER may. */
static void
describe_failure(struct http_client_call *call, CURLcode code)
{
	enum err_code kind = code_of(call, code);
	long os_errno = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_errno);
	call->result.is_refused =
	    code == CURLE_COULDNT_CONNECT && kind == ERR_IO && os_errno == ECONNREFUSED;
	if (kind == ERR_LIMIT)
		(void)err_set(&call->err, kind, "%s: the answer is larger than %zu bytes",
		    call->label, call->answer_max);
	else if (kind == ERR_DENIED)
		(void)err_set(&call->err, kind, "%s: its address is not allowed", call->label);
	else if (kind == ERR_TIMEOUT)
		(void)err_set(&call->err, kind, "%s: no answer within %lld ms", call->label,
		    (long long)(loop_now_ms() - call->started));
	else if (code == CURLE_COULDNT_CONNECT && os_errno != 0)
		(void)err_errno(&call->err, kind, (int)os_errno, "%s: cannot connect", call->label);
	else
		(void)err_set(&call->err, kind, "%s: %s", call->label, curl_easy_strerror(code));
}

/* Each begins with the label, unless that filled it. */
static const char *
why_of(const struct http_client_call *call)
{
	size_t size = strlen(call->label) + strlen(": ");

	return strlen(call->err.text) < size ? "" : call->err.text + size;
}

/* What curl says of the leaf, with which a chain begins; NULL: nothing of that name. */
static const char *
find_certificate(CURL *easy, const char *name)
{
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &chain) != CURLE_OK || chain == NULL ||
	    chain->num_of_certs < 1)
		return NULL;
	for (const struct curl_slist *line = chain->certinfo[0]; line != NULL; line = line->next)
		if (strncmp(line->data, name, strlen(name)) == 0)
			return line->data + strlen(name);
	return NULL;
}

/* OpenSSL's words of a date are "Nov 20 16:30:05 2026 GMT". */
static void
take_certificate(CURL *easy, struct http_client_result *result)
{
	const char *text = find_certificate(easy, "Cert:");
	const char *date = find_certificate(easy, "Expire date:");
	time_t at = date == NULL ? -1 : curl_getdate(date, NULL);

	result->certificate = text == NULL ? "" : text;
	result->certificate_expires_at = at > 0 ? (int64_t)at : 0;
}

void
http_client_answer_conclude(struct http_client_call *call, CURLcode code)
{
	struct http_client_result *result = &call->result;
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code != CURLE_OK)
		describe_failure(call, code);
	result->code = call->err.code;
	result->text = call->err.text;
	result->why = why_of(call);
	result->status = code == CURLE_OK ? (int)status : 0;
	result->body = call->body == NULL ? "" : call->body;
	result->body_size = call->body == NULL ? 0 : call->body_size;
	result->total_ms = loop_now_ms() - call->started;
	result->certificate = "";
	if (call->client->reads_certificates)
		take_certificate(call->easy, result);
	result->call = call;
}

const char *
http_client_header(const struct http_client_result *result, const char *name)
{
	struct curl_header *header;

	if (result->code != ERR_NONE ||
	    curl_easy_header(result->call->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	if (header->amount > 1 &&
	    curl_easy_header(result->call->easy, name, header->amount - 1, CURLH_HEADER, -1,
		&header) != CURLHE_OK)
		return NULL;
	return header->value;
}

int64_t
http_client_retry_after(const struct http_client_result *result)
{
	curl_off_t seconds = 0;

	if (http_client_header(result, "Retry-After") == NULL ||
	    curl_easy_getinfo(result->call->easy, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK)
		return 0;
	return seconds < 0 ? 0 : seconds + 1; /* of 1.5 curl reads 1 */
}

int64_t
http_client_date(const struct http_client_result *result)
{
	const char *date = http_client_header(result, "Date");

	return date == NULL ? -1 : curl_getdate(date, NULL);
}
