/* http_request.c - what a route may read of a request.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include "lib/http_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/http_listen.h"
#include "lib/http_request_inside.h"

const char *
http_request_method(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->method;
}

const char *
http_request_path(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->path;
}

static const struct http_field *
find(const struct http_request *request, const char *name, size_t *ret_count)
{
	const struct http_field *found = NULL;
	size_t size = strlen(name);

	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	*ret_count = 0;
	for (size_t i = 0; i < request->field_count; i++) {
		const struct http_field *field = &request->fields[i];

		if (field->name_size != size || strncasecmp(field->name, name, size) != 0)
			continue;
		found = field;
		(*ret_count)++;
	}
	return found;
}

const char *
http_request_header(const struct http_request *request, const char *name)
{
	size_t count;
	const struct http_field *field = find(request, name, &count);

	return count == 1 ? field->value : NULL;
}

size_t
http_request_header_count(const struct http_request *request, const char *name)
{
	size_t count;

	(void)find(request, name, &count);
	return count;
}

size_t
http_request_body_size(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->body_size;
}

const char *
http_request_client(const struct http_request *request)
{
	const char *told;

	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	if (!request->peer_is_local)
		return request->peer;
	told = http_request_header(request, "X-Real-IP");
	return told != NULL && http_listen_is_address(told) ? told : request->peer;
}

char *
http_request_take_body(struct http_request *request, size_t *ret_size)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	*ret_size = request->body == NULL ? 0 : request->body_filled;
	return TAKE(request->body);
}

void
http_request_set_user(struct http_request *request, void *user, void (*free_user)(void *))
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	request->user = user;
	request->free_user = free_user;
}

void *
http_request_user(const struct http_request *request)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	return request->user;
}

void
http_request_answer(struct http_request *request, int status, const struct http_header *headers,
    const void *body, size_t size)
{
	OBJ_CHECK(request, HTTP_REQUEST_MAGIC);
	assert(status >= 200 && status <= 599);
	http_server_exchange_answer(request, status, headers, body, size);
}

void
http_request_free(struct http_request *request)
{
	if (request->user != NULL && request->free_user != NULL)
		request->free_user(request->user);
	request->magic = 0;
	free(request->body);
	free(request);
}
