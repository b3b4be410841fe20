/* fuzz_env_file.c - .env: what is read, written anew, reads the same; settings take any of it.  Side: start. */
/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/env_file.h"
#include "lib/err.h"
#include "settings/sources/settings_load.h"
#include "tests/fuzz/fuzz.h"
#include "types/settings.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

static void
write_entry(const struct env_entry *entry, struct buf *out)
{
	buf_addf(out, "%s=\"", entry->name);
	for (const char *c = entry->value; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_addc(out, '\\');
		buf_addc(out, *c);
	}
	buf_adds(out, "\"\n");
}

static void
check_entries(const struct env_file *file)
{
	for (size_t i = 0; i < file->count; i++) {
		const struct env_entry *entry = &file->entries[i];

		assert(strspn(entry->name, LETTERS) > 0);
		assert(strspn(entry->name, LETTERS "0123456789") == strlen(entry->name));
		assert(env_file_find(file, entry->name) == entry);
		assert(entry->line >= 1 && (i == 0 || entry->line > entry[-1].line));
	}
}

static void
check_again(const struct env_file *file)
{
	struct env_file again;
	struct buf text;

	buf_init(&text, 4 * ENV_FILE_MAX);
	for (size_t i = 0; i < file->count; i++)
		write_entry(&file->entries[i], &text);
	if (text.size <= ENV_FILE_MAX) {
		assert(env_file_parse(&again, buf_text(&text), text.size, NULL));
		assert(again.count == file->count);
		for (size_t i = 0; i < file->count; i++) {
			assert(strcmp(again.entries[i].name, file->entries[i].name) == 0);
			assert(strcmp(again.entries[i].value, file->entries[i].value) == 0);
		}
		env_file_done(&again);
	}
	buf_done(&text);
}

/* The file as settings read it: each line of the report is one line for people. */
static void
check_settings(const char *text, size_t size)
{
	static struct settings_report report;
	struct settings *settings = NULL;
	char path[64];
	int fd = memfd_create("env", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, text, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (settings_load(path, NULL, &settings, &report))
		assert(settings != NULL && report.errors == 0);
	else
		assert(settings == NULL && report.errors > 0);
	settings_unref(settings);
	(void)close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct err err = { .text = "" };
	struct env_file file;

	assert(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	if (env_file_parse(&file, text, size, &err)) {
		check_entries(&file);
		check_again(&file);
		check_settings(text, size);
	} else {
		assert(file.count == 0 && file.entries == NULL && err.text[0] != '\0');
	}
	env_file_done(&file);
	free(text);
	return 0;
}
