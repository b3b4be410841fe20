/* fail_nth.c - stands between our objects and malloc, SQLite and the hashes.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "fail_nth.h"

#include <errno.h>
#include <execinfo.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

#define OWN_FRAMES 3 /* of this file */

#define SQLITE_IOERR	  10
#define SQLITE_CONSTRAINT 19

struct sqlite3;
struct sqlite3_stmt;

static struct {
	enum fail_what what;
	unsigned left; /* calls until the one that fails; 0: none does */
	unsigned call;
	bool is_met;
	bool (*is_done)(uint64_t place);
	int callers; /* that tell a place from another */
} plan;

void
fail_nth(enum fail_what what, unsigned n)
{
	plan.what = what;
	plan.left = n;
	plan.call = 0;
	plan.is_met = false;
}

void
fail_nth_pass(bool (*is_done)(uint64_t place), int callers)
{
	plan.is_done = is_done;
	plan.callers = callers;
}

unsigned
fail_nth_call(void)
{
	return plan.call;
}

bool
fail_nth_met(void)
{
	plan.left = 0;
	return plan.is_met;
}

const char *
fail_what_name(enum fail_what what)
{
	static const char *const names[] = { "memory", "step", "step refused", "prepare", "bind",
		"exec", "crypto" };

	_Static_assert(COUNT(names) == FAIL_WHAT_COUNT, "each has a name");
	return names[what];
}

/* FNV-1a of the addresses that it returns to. */
static uint64_t
place(void)
{
	void *frames[OWN_FRAMES + FAIL_CALLERS_MAX];
	uint64_t hash = UINT64_C(14695981039346656037);
	int n = backtrace(frames, OWN_FRAMES + plan.callers);

	for (int i = OWN_FRAMES; i < n; i++)
		hash = (hash ^ (uintptr_t)frames[i]) * UINT64_C(1099511628211);
	return hash;
}

static __attribute__((noinline)) bool
fails(enum fail_what what)
{
	if (plan.left == 0 || plan.what != what)
		return false;
	plan.call++;
	if (--plan.left > 0)
		return false;
	if (plan.is_done != NULL && plan.is_done(place())) {
		plan.left = 1;
		return false;
	}
	plan.is_met = true;
	return true;
}

/* --- memory --- */

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);
void *__real_reallocarray(void *old, size_t n, size_t size);
void *__wrap_reallocarray(void *old, size_t n, size_t size);
char *__real_strdup(const char *text);
char *__wrap_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
char *__wrap_strndup(const char *text, size_t size);

static bool
no_memory(void)
{
	if (!fails(FAIL_MEMORY))
		return false;
	errno = ENOMEM;
	return true;
}

void *
__wrap_malloc(size_t size)
{
	return no_memory() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return no_memory() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *old, size_t size)
{
	return no_memory() ? NULL : __real_realloc(old, size);
}

void *
__wrap_reallocarray(void *old, size_t n, size_t size)
{
	return no_memory() ? NULL : __real_reallocarray(old, n, size);
}

char *
__wrap_strdup(const char *text)
{
	return no_memory() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t size)
{
	return no_memory() ? NULL : __real_strndup(text, size);
}

/* --- SQLite --- */

int __real_sqlite3_step(struct sqlite3_stmt *stmt);
int __wrap_sqlite3_step(struct sqlite3_stmt *stmt);
int __real_sqlite3_exec(struct sqlite3 *db, const char *sql,
    int (*callback)(void *, int, char **, char **), void *arg, char **ret_text);
int __wrap_sqlite3_exec(struct sqlite3 *db, const char *sql,
    int (*callback)(void *, int, char **, char **), void *arg, char **ret_text);
int __real_sqlite3_prepare_v3(struct sqlite3 *db, const char *sql, int size, unsigned flags,
    struct sqlite3_stmt **ret, const char **ret_tail);
int __wrap_sqlite3_prepare_v3(struct sqlite3 *db, const char *sql, int size, unsigned flags,
    struct sqlite3_stmt **ret, const char **ret_tail);
int __real_sqlite3_bind_int64(struct sqlite3_stmt *stmt, int at, int64_t value);
int __wrap_sqlite3_bind_int64(struct sqlite3_stmt *stmt, int at, int64_t value);
int __real_sqlite3_bind_text64(struct sqlite3_stmt *stmt, int at, const char *text, uint64_t size,
    void (*destroy)(void *), unsigned char encoding);
int __wrap_sqlite3_bind_text64(struct sqlite3_stmt *stmt, int at, const char *text, uint64_t size,
    void (*destroy)(void *), unsigned char encoding);

int
__wrap_sqlite3_step(struct sqlite3_stmt *stmt)
{
	if (fails(FAIL_STEP))
		return SQLITE_IOERR;
	return fails(FAIL_STEP_REFUSED) ? SQLITE_CONSTRAINT : __real_sqlite3_step(stmt);
}

int
__wrap_sqlite3_exec(struct sqlite3 *db, const char *sql,
    int (*callback)(void *, int, char **, char **), void *arg, char **ret_text)
{
	return fails(FAIL_EXEC) ? SQLITE_IOERR :
				  __real_sqlite3_exec(db, sql, callback, arg, ret_text);
}

int
__wrap_sqlite3_prepare_v3(struct sqlite3 *db, const char *sql, int size, unsigned flags,
    struct sqlite3_stmt **ret, const char **ret_tail)
{
	if (!fails(FAIL_PREPARE))
		return __real_sqlite3_prepare_v3(db, sql, size, flags, ret, ret_tail);
	*ret = NULL;
	return SQLITE_IOERR;
}

int
__wrap_sqlite3_bind_int64(struct sqlite3_stmt *stmt, int at, int64_t value)
{
	return fails(FAIL_BIND) ? SQLITE_IOERR : __real_sqlite3_bind_int64(stmt, at, value);
}

int
__wrap_sqlite3_bind_text64(struct sqlite3_stmt *stmt, int at, const char *text, uint64_t size,
    void (*destroy)(void *), unsigned char encoding)
{
	if (fails(FAIL_BIND))
		return SQLITE_IOERR;
	return __real_sqlite3_bind_text64(stmt, at, text, size, destroy, encoding);
}

/* --- OpenSSL --- */

struct evp_md;
struct evp_md_ctx;
struct evp_mac_ctx;

int __real_EVP_Digest(const void *data, size_t size, unsigned char *out, unsigned *ret_size,
    const struct evp_md *md, void *engine);
int __wrap_EVP_Digest(const void *data, size_t size, unsigned char *out, unsigned *ret_size,
    const struct evp_md *md, void *engine);
int __real_EVP_DigestInit_ex(struct evp_md_ctx *ctx, const struct evp_md *md, void *engine);
int __wrap_EVP_DigestInit_ex(struct evp_md_ctx *ctx, const struct evp_md *md, void *engine);
int __real_EVP_DigestUpdate(struct evp_md_ctx *ctx, const void *data, size_t size);
int __wrap_EVP_DigestUpdate(struct evp_md_ctx *ctx, const void *data, size_t size);
int __real_EVP_DigestFinal_ex(struct evp_md_ctx *ctx, unsigned char *out, unsigned *ret_size);
int __wrap_EVP_DigestFinal_ex(struct evp_md_ctx *ctx, unsigned char *out, unsigned *ret_size);
struct evp_mac_ctx *__real_EVP_MAC_CTX_dup(const struct evp_mac_ctx *ctx);
struct evp_mac_ctx *__wrap_EVP_MAC_CTX_dup(const struct evp_mac_ctx *ctx);
int __real_EVP_MAC_update(struct evp_mac_ctx *ctx, const unsigned char *data, size_t size);
int __wrap_EVP_MAC_update(struct evp_mac_ctx *ctx, const unsigned char *data, size_t size);
int
__real_EVP_MAC_final(struct evp_mac_ctx *ctx, unsigned char *out, size_t *ret_size, size_t room);
int
__wrap_EVP_MAC_final(struct evp_mac_ctx *ctx, unsigned char *out, size_t *ret_size, size_t room);

int
__wrap_EVP_Digest(const void *data, size_t size, unsigned char *out, unsigned *ret_size,
    const struct evp_md *md, void *engine)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_Digest(data, size, out, ret_size, md, engine);
}

int
__wrap_EVP_DigestInit_ex(struct evp_md_ctx *ctx, const struct evp_md *md, void *engine)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_DigestInit_ex(ctx, md, engine);
}

int
__wrap_EVP_DigestUpdate(struct evp_md_ctx *ctx, const void *data, size_t size)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_DigestUpdate(ctx, data, size);
}

int
__wrap_EVP_DigestFinal_ex(struct evp_md_ctx *ctx, unsigned char *out, unsigned *ret_size)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_DigestFinal_ex(ctx, out, ret_size);
}

struct evp_mac_ctx *
__wrap_EVP_MAC_CTX_dup(const struct evp_mac_ctx *ctx)
{
	return fails(FAIL_CRYPTO) ? NULL : __real_EVP_MAC_CTX_dup(ctx);
}

int
__wrap_EVP_MAC_update(struct evp_mac_ctx *ctx, const unsigned char *data, size_t size)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_MAC_update(ctx, data, size);
}

int
__wrap_EVP_MAC_final(struct evp_mac_ctx *ctx, unsigned char *out, size_t *ret_size, size_t room)
{
	return fails(FAIL_CRYPTO) ? 0 : __real_EVP_MAC_final(ctx, out, ret_size, room);
}
