/*  keys - a temporary directory of keys for tests. */
#ifndef TESTS_BROKER_KEYS_H
#define TESTS_BROKER_KEYS_H

#include "proto/must.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

typedef struct {
    char path[64];
} folder_t;

static inline folder_t folder_new(void)
{
    folder_t self = {"/tmp/tocsin-keys-XXXXXX"};
    must(mkdtemp(self.path) != NULL);
    return self;
}

static inline void folder_write(const folder_t *self, const char *name, const char *text,
                                mode_t mode)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", self->path, name);
    FILE *file = fopen(path, "w");
    must(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0 && chmod(path, mode) == 0);
}

static inline void folder_remove(const folder_t *self, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", self->path, name);
    unlink(path);
}

static inline void folder_destroy(const folder_t *self)
{
    DIR *directory = opendir(self->path);
    const struct dirent *entry;
    while (directory != NULL && (entry = readdir(directory)) != NULL)
        folder_remove(self, entry->d_name);
    if (directory != NULL)
        closedir(directory);
    rmdir(self->path);
}

typedef struct {
    char public_key[41], secret_key[41];
} pair_t;

static inline pair_t pair_new(void)
{
    pair_t self;
    must(zmq_curve_keypair(self.public_key, self.secret_key) == 0);
    return self;
}

/*  The file of that key; `more` are further lines. */
static inline void folder_put_key(const folder_t *self, const char *name, const pair_t *pair,
                                  const char *role, const char *more)
{
    char file[64], text[2048];
    snprintf(file, sizeof file, "%s.yaml", name);
    snprintf(text, sizeof text, "name: %s\nrole: %s\npublic_key: \"%s\"\n%s", name, role,
             pair->public_key, more);
    folder_write(self, file, text, 0644);
}

#endif
