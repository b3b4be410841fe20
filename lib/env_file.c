/* env_file.c - a small parser, one function for each form of value.  Side: any. */
/* SPDX-License-Identifier: ISC */
#include "lib/env_file.h"

#include "lib/buf.h"
#include "lib/err.h"
#include "lib/file.h"
#include "lib/mem.h"
#include "lib/text.h"

struct parser {
	const char *at; /* NUL-terminated */
	unsigned line;
};

static bool
is_name_char(char c, bool is_first)
{
	return c == '_' || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	    (!is_first && c >= '0' && c <= '9');
}

static void
skip_blanks(struct parser *p)
{
	while (*p->at == ' ' || *p->at == '\t')
		p->at++;
}

static bool
is_line_end(const char *at)
{
	return at[0] == '\0' || at[0] == '\n' || (at[0] == '\r' && at[1] == '\n');
}

/* Blank lines and comments. */
static void
skip_lines(struct parser *p)
{
	for (;;) {
		skip_blanks(p);
		if (*p->at == '#')
			p->at += strcspn(p->at, "\n");
		if (*p->at == '\r' && p->at[1] == '\n')
			p->at++;
		if (*p->at != '\n')
			return;
		p->at++;
		p->line++;
	}
}

static bool
take_name(struct parser *p, struct buf *name, struct err *err)
{
	if (text_starts(p->at, "export ") || text_starts(p->at, "export\t")) {
		p->at += strlen("export ");
		skip_blanks(p);
	}
	while (is_name_char(*p->at, name->size == 0))
		buf_addc(name, *p->at++);
	if (name->size == 0 || *p->at != '=')
		return err_set(err, ERR_INVALID, "line %u: expected NAME=value", p->line);
	p->at++;
	return true;
}

static bool
take_escape(struct parser *p, struct buf *value, struct err *err)
{
	static const char letters[] = "ntr\"\\$", meanings[] = "\n\t\r\"\\$";
	const char *found;

	p->at++;
	found = *p->at == '\0' ? NULL : strchr(letters, *p->at);
	if (found == NULL)
		return err_set(err, ERR_INVALID,
		    "line %u: in \"…\" a \\ is followed by n t r \" \\ or $", p->line);
	buf_addc(value, meanings[found - letters]);
	return true;
}

/* Of "…" a \ begins an escape; '…' is as it stands. */
static bool
take_quoted(struct parser *p, struct buf *value, struct err *err)
{
	const char quote = *p->at;
	unsigned begun = p->line;

	for (p->at++; *p->at != quote; p->at++) {
		if (*p->at == '\0')
			return err_set(
			    err, ERR_INVALID, "line %u: %c without its end", begun, quote);
		if (*p->at == '\n')
			p->line++;
		if (*p->at != '\\' || quote == '\'')
			buf_addc(value, *p->at);
		else if (!take_escape(p, value, err))
			return false;
	}
	p->at++;
	return true;
}

/* Up to the end of the line or a comment, without the blanks before that. */
static void
take_plain(struct parser *p, struct buf *value)
{
	const char *begin = p->at, *end;

	while (!is_line_end(p->at) &&
	    !(*p->at == '#' && (p->at == begin || p->at[-1] == ' ' || p->at[-1] == '\t')))
		p->at++;
	for (end = p->at; end > begin && (end[-1] == ' ' || end[-1] == '\t'); end--)
		continue;
	buf_add(value, begin, (size_t)(end - begin));
}

static bool
take_value(struct parser *p, struct buf *value, struct err *err)
{
	skip_blanks(p);
	if (*p->at == '\'' || *p->at == '"') {
		if (!take_quoted(p, value, err))
			return false;
	} else {
		take_plain(p, value);
	}
	skip_blanks(p);
	if (*p->at != '#' && !is_line_end(p->at))
		return err_set(err, ERR_INVALID, "line %u: text behind the closing quote", p->line);
	return true;
}

static bool
append(struct env_file *file, struct buf *name, struct buf *value, unsigned line, unsigned last,
    struct err *err)
{
	struct env_entry *entry = &file->entries[file->count]; /* there is one to spare */

	if (env_file_find(file, buf_text(name)) != NULL)
		return err_set(
		    err, ERR_INVALID, "line %u: %.60s is there twice", line, buf_text(name));
	if (file->count == ENV_FILE_NAMES_MAX)
		return err_set(
		    err, ERR_LIMIT, "line %u: more than %d names", line, ENV_FILE_NAMES_MAX);
	entry->name = buf_take(name);
	entry->value = buf_take(value);
	entry->line = line;
	entry->last = last;
	file->count++;
	return true;
}

static bool
take_entry(struct parser *p, struct env_file *file, struct err *err)
{
	CLEANUP(buf_done) struct buf name = buf_make(ENV_FILE_MAX);
	CLEANUP(buf_wipe) struct buf value = buf_make(ENV_FILE_MAX);
	unsigned line = p->line;

	return take_name(p, &name, err) && take_value(p, &value, err) &&
	    append(file, &name, &value, line, p->line, err);
}

bool
env_file_parse(struct env_file *ret, const char *text, size_t size, struct err *err)
{
	struct parser p = { text, 1 };

	*ret = (struct env_file){ 0 };
	if (size > ENV_FILE_MAX)
		return err_set(err, ERR_LIMIT, "larger than %u bytes", ENV_FILE_MAX);
	if (memchr(text, '\0', size) != NULL)
		return err_set(err, ERR_INVALID, "has a NUL byte");
	ret->entries = mem_new(ENV_FILE_NAMES_MAX + 1, sizeof(*ret->entries));
	for (skip_lines(&p); *p.at != '\0'; skip_lines(&p))
		if (!take_entry(&p, ret, err)) {
			env_file_done(ret);
			return false;
		}
	return true;
}

bool
env_file_read(struct env_file *ret, const char *path, struct err *err)
{
	size_t size;
	CLEANUP(freep) char *text = file_read(path, ENV_FILE_MAX, &size, err);
	bool ok;

	*ret = (struct env_file){ 0 };
	if (text == NULL)
		return false;
	ok = env_file_parse(ret, text, size, err) || err_wrap(err, "%s", path);
	explicit_bzero(text, size);
	return ok;
}

void
env_file_done(struct env_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		free(file->entries[i].name);
		if (file->entries[i].value != NULL)
			explicit_bzero(file->entries[i].value, strlen(file->entries[i].value));
		free(file->entries[i].value);
	}
	free(file->entries);
	*file = (struct env_file){ 0 };
}

void
env_file_add(struct buf *out, const char *name, const char *value)
{
	buf_addf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\' || *value == '$')
			buf_addc(out, '\\');
		if (*value == '\n')
			buf_adds(out, "\\n");
		else
			buf_addc(out, *value);
	}
	buf_adds(out, "\"\n");
}

const struct env_entry *
env_file_find(const struct env_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		/* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): all have names */
		if (strcmp(file->entries[i].name, name) == 0)
			return &file->entries[i];
	return NULL;
}

const char *
env_file_text(const struct env_file *file, const char *name)
{
	const struct env_entry *entry = env_file_find(file, name);

	return entry == NULL || entry->value[0] == '\0' ? NULL : entry->value;
}

bool
env_file_check(
    const struct env_file *file, const char *const names[], size_t count, struct err *err)
{
	for (size_t i = 0; i < file->count; i++)
		if (text_index(file->entries[i].name, names, count) == count)
			return err_set(err, ERR_CONFIG, "line %u: there is no setting %.60s",
			    file->entries[i].line, file->entries[i].name);
	return true;
}
