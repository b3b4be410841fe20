/* http_server_head.c - finds a request's route, and refuses what no route takes.  Side: loop. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "lib/http_guard.h"
#include "lib/http_server_inside.h"

static bool
names_method(const char *methods, const char *method)
{
	size_t size = strlen(method);

	while (*methods != '\0') {
		size_t one = strcspn(methods, " ");

		if (one == size && memcmp(methods, method, size) == 0)
			return true;
		methods += one + strspn(methods + one, " ");
	}
	return false;
}

/* "GET, HEAD, POST" of all routes with that path. */
static void
list_methods(const struct http_server_config *config, const char *path, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < config->route_count; i++) {
		const char *next = config->routes[i].methods;

		if (strcmp(config->routes[i].path, path) != 0)
			continue;
		while (*next != '\0' && used < size) {
			int one = (int)strcspn(next, " ");

			used += (size_t)snprintf(
			    text + used, size - used, "%s%.*s", used == 0 ? "" : ", ", one, next);
			next += one;
			next += strspn(next, " ");
		}
	}
}

/* Finds the route or refuses. */
static bool
find_route(const struct http_server *server, struct http_request *request)
{
	const struct http_server_config *config = &server->config;
	char allow[64];

	for (size_t i = 0; i < config->route_count; i++) {
		const struct http_route *route = &config->routes[i];

		if (strcmp(route->path, request->path) == 0 &&
		    names_method(route->methods, request->method)) {
			request->route = route;
			return true;
		}
	}
	list_methods(config, request->path, allow, sizeof(allow));
	if (allow[0] == '\0')
		http_server_answer_refuse(request, MHD_HTTP_NOT_FOUND, NULL, NULL);
	else
		http_server_answer_refuse(request, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", allow);
	return false;
}

/* Bytes of a line's end, of which libmicrohttpd makes NULs. */
#define LINE_END 2

/*
 * Whether the head holds bytes that are in no field: libmicrohttpd cuts a value at a NUL, joins
 * folded lines and takes a bare LF for a line's end, all unseen.  It parses in place, so between
 * a value and the next name lies exactly what ended the line, and it tells how long the head was:
 * the request line, all from the first name to the last value, and the empty line make that up.
 * It makes NULs of a line's end, and of the colon of a line without a name, with which it ends the
 * head: NUL LF for CRLF, and ":" LF for the empty line, look as they should.
 */
static bool
head_hides_something(const struct http_request *request, const char *version)
{
	const struct http_server_conn *conn = request->conn;
	const struct http_field *fields = request->fields;
	size_t size =
	    strlen(request->method) + 1 + conn->target_size + 1 + strlen(version) + LINE_END;
	size_t n = request->field_count;
	const char *at = version + strlen(version) + LINE_END; /* where a field must begin */
	static const char line_ends[2 * LINE_END]; /* the last field's and the empty line's */

	for (size_t i = 0; i < n; i++) {
		if (fields[i].name != at)
			return true;
		at = fields[i].value + fields[i].value_size + LINE_END;
	}
	if (n > 0)
		size += (size_t)(at - fields[0].name);
	return MHD_get_connection_info(conn->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)
		   ->header_size != size + LINE_END ||
	    (n > 0 && memcmp(at - LINE_END, line_ends, sizeof(line_ends)) != 0);
}

bool
http_server_head_check(
    struct http_server *server, struct http_request *request, const char *version)
{
	const struct http_route *route;
	struct http_guard_verdict verdict;

	if (!find_route(server, request))
		return false;
	route = request->route;
	verdict = http_guard_check(
	    request->fields, request->field_count, route->body_max > 0, route->body_max);
	request->body_size = (size_t)verdict.body_size;
	if (verdict.status != 0) {
		http_server_answer_refuse(request, verdict.status, NULL, NULL);
	} else if (request->conn->has_odd_target || head_hides_something(request, version)) {
		http_server_answer_refuse(request, MHD_HTTP_BAD_REQUEST, NULL, NULL);
	} else if (route->types != NULL &&
	    !http_guard_type_is_in(http_request_header(request, "Content-Type"), route->types)) {
		http_server_answer_refuse(request, MHD_HTTP_UNSUPPORTED_MEDIA_TYPE, NULL, NULL);
	} else if (route->on_begin != NULL) {
		route->on_begin(request, route->ctx);
	}
	return request->phase != HTTP_REQUEST_ANSWERED;
}
