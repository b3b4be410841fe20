/* http_client_request.c - hands a request and its streams to curl.  Side: loop. */
/* SPDX-License-Identifier: ISC */

#include "lib/http_client_inside.h"

#include "lib/mem.h"

#define SMALL_ANSWER ((size_t)64 * 1024)
#define SMALL_BUFFER 2048L /* there may be hundreds of these at once; else it is 16 KB */

#define CONNECTION_AGE_MAX_S 60L /* kept longer than that it is not trusted to be alive */

static curl_socket_t on_open_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address);
static size_t on_read(char *buffer, size_t one, size_t count, void *ctx);

/* Stops at the first option that curl refuses: `ok` stays false. */
#define SET(easy, option, value) \
	(ok = ok && curl_easy_setopt((easy), CURLOPT_##option, (value)) == CURLE_OK)

static bool
set_safety(const struct http_client *client, CURL *easy)
{
	bool ok = true;

	SET(easy, NOSIGNAL, 1L);
	SET(easy, QUICK_EXIT, 1L); /* else the loop waits for a name server's time-out */
	SET(easy, PROTOCOLS_STR, client->protocols);
	SET(easy, FOLLOWLOCATION, 0L);
	SET(easy, NETRC, (long)CURL_NETRC_IGNORED);
	SET(easy, PROXY, client->proxy); /* "" also shuts out http_proxy */
	SET(easy, NOPROXY, "");
	SET(easy, HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	SET(easy, MAXAGE_CONN, CONNECTION_AGE_MAX_S);
	SET(easy, SSL_VERIFYPEER, 1L);
	SET(easy, SSL_VERIFYHOST, 2L);
	SET(easy, SSLVERSION,
	    (long)(client->tls13 ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
	if (client->ca_file != NULL || client->ca_path != NULL) {
		SET(easy, CAINFO, client->ca_file);
		SET(easy, CAPATH, client->ca_path);
	}
	if (client->user_agent != NULL)
		SET(easy, USERAGENT, client->user_agent);
	return ok;
}

/*
 * An expired or unknown certificate is read too: that is when its date matters most.  A kept
 * session would show the certificate of the day it began.
 */
static bool
set_reading(CURL *easy)
{
	bool ok = true;

	SET(easy, SSL_VERIFYPEER, 0L);
	SET(easy, SSL_VERIFYHOST, 0L);
	SET(easy, CERTINFO, 1L);
	SET(easy, SSL_SESSIONID_CACHE, 0L);
	SET(easy, FORBID_REUSE, 1L);
	return ok;
}

static bool
set_callbacks(struct http_client_call *call, CURL *easy)
{
	bool ok = true;

	SET(easy, PRIVATE, call);
	SET(easy, OPENSOCKETFUNCTION, on_open_socket);
	SET(easy, OPENSOCKETDATA, call);
	return ok;
}

static bool
add_header(struct http_client_call *call, const char *line)
{
	struct curl_slist *longer = curl_slist_append(call->headers, line);

	if (longer == NULL)
		return false;
	call->headers = longer;
	return true;
}

static bool
set_headers(struct http_client_call *call, const struct http_client_request *request)
{
	bool ok = add_header(call, "Expect:"); /* no round trip before a body */

	for (size_t i = 0; request->headers != NULL && request->headers[i] != NULL; i++)
		ok = ok && add_header(call, request->headers[i]);
	SET(call->easy, HTTPHEADER, call->headers);
	return ok;
}

static bool
add_part(struct http_client_call *call, const struct http_client_part *from,
    struct http_client_stream *stream)
{
	curl_mimepart *part = curl_mime_addpart(call->mime);
	size_t size;

	if (part == NULL || curl_mime_name(part, from->name) != CURLE_OK ||
	    (from->filename != NULL && curl_mime_filename(part, from->filename) != CURLE_OK) ||
	    (from->type != NULL && curl_mime_type(part, from->type) != CURLE_OK))
		return false;
	if (from->value != NULL) {
		size = from->value_size > 0 ? from->value_size : strlen(from->value);
		return curl_mime_data(part, from->value, size) == CURLE_OK;
	}
	*stream = (struct http_client_stream){
		.read = from->read, .ctx = from->read_ctx, .left = from->read_size
	};
	return curl_mime_data_cb(part, from->read_size, on_read, NULL, NULL, stream) == CURLE_OK;
}

static bool
set_parts(struct http_client_call *call, const struct http_client_request *request)
{
	bool ok = true;

	call->mime = curl_mime_init(call->easy);
	call->streams = mem_new(request->part_count, sizeof(*call->streams));
	if (call->mime == NULL)
		return false;
	for (size_t i = 0; i < request->part_count && ok; i++)
		ok = add_part(call, &request->parts[i], &call->streams[i]);
	SET(call->easy, MIMEPOST, call->mime);
	return ok;
}

static bool
set_body(struct http_client_call *call, const struct http_client_request *request)
{
	const char *method = request->method;
	CURL *easy = call->easy;
	bool ok = true;

	if (request->part_count > 0) {
		ok = set_parts(call, request);
	} else if (request->body != NULL || (method != NULL && strcmp(method, "POST") == 0)) {
		SET(easy, POST, 1L);
		SET(easy, POSTFIELDSIZE_LARGE, (curl_off_t)request->body_size);
		SET(easy, COPYPOSTFIELDS, request->body == NULL ? "" : request->body);
	} else if (method != NULL && strcmp(method, "HEAD") == 0) {
		SET(easy, NOBODY, 1L);
	}
	if (method != NULL && strcmp(method, "HEAD") != 0)
		SET(easy, CUSTOMREQUEST, method);
	return ok;
}

bool
http_client_request_set(struct http_client_call *call, const struct http_client_request *request)
{
	long connect_ms =
	    request->connect_timeout_ms > 0 ? (long)request->connect_timeout_ms : 5000;
	bool ok = set_safety(call->client, call->easy) && set_callbacks(call, call->easy) &&
	    (request->mail != NULL ? http_client_mail_set(call, request->mail) :
				     set_headers(call, request) && set_body(call, request)) &&
	    (!call->client->reads_certificates || set_reading(call->easy));

	SET(call->easy, FRESH_CONNECT,
	    request->is_once || call->client->reads_certificates ? 1L : 0L);
	SET(call->easy, CONNECT_ONLY, request->connects_only ? 1L : 0L);
	SET(call->easy, URL, request->url);
	SET(call->easy, CONNECTTIMEOUT_MS, connect_ms);
	if (call->answer_max <= SMALL_ANSWER)
		SET(call->easy, BUFFERSIZE, SMALL_BUFFER);
	return ok;
}

/* --- what curl asks while it sends ------------------------------------------------------------ */

static curl_socket_t
on_open_socket(void *ctx, UNUSED curlsocktype purpose, struct curl_sockaddr *address)
{
	struct http_client_call *call =
	    OBJ_OF(struct http_client_call, ctx, HTTP_CLIENT_CALL_MAGIC);
	struct http_client *client = call->client;

	if (!client->address_is_allowed(&address->addr, client->address_ctx)) {
		call->is_refused_address = true;
		return CURL_SOCKET_BAD;
	}
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/* Promised and not given is a failure: a cut document must not look like a whole one. */
static size_t
on_read(char *buffer, size_t one, size_t count, void *ctx)
{
	struct http_client_stream *stream = ctx;
	size_t size = one * count;
	ssize_t got;

	if (stream->left == 0)
		return 0;
	if ((uint64_t)stream->left < size)
		size = (size_t)stream->left;
	got = stream->read(stream->ctx, buffer, size);
	if (got <= 0 || (size_t)got > size)
		return CURL_READFUNC_ABORT;
	stream->left -= got;
	return (size_t)got;
}
