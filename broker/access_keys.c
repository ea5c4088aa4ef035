#include "broker/access_keys.h"

#include "broker/yaml_value.h"
#include "proto/must.h"
#include "proto/schema.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#define ENDING ".yaml"
#define KEY_BYTES 32u

/* Who but its owner may do what with a file. */
#define OTHERS_WRITE 0022u
#define OTHERS_ANYTHING 0077u

/*  What a key's file says. */
typedef struct {
    text_t name, public_key;
    int role;
    texts_t write, read;
    double not_before, expires;
} record_t;

static const field_t key_fields[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(record_t, name),
     .about = "the principal that holds the key"},
    {.key = "role",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(record_t, role),
     .otherwise = -1,
     .words = role_words,
     .about = "what it may do"},
    {.key = "public_key",
     .type = FIELD_TITLE,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(record_t, public_key),
     .about = "40 characters of Z85"},
    {.key = "write",
     .type = FIELD_NAMES,
     .offset = offsetof(record_t, write),
     .most = 100,
     .about = "prefixes of the names of metrics, operations and systems it may write"},
    {.key = "read",
     .type = FIELD_NAMES,
     .offset = offsetof(record_t, read),
     .most = 100,
     .about = "prefixes of the topics it may read"},
    {.key = "not_before",
     .type = FIELD_TIME,
     .offset = offsetof(record_t, not_before),
     .otherwise = (double)NAN,
     .about = "Unix time from which it is in force"},
    {.key = "expires",
     .type = FIELD_TIME,
     .offset = offsetof(record_t, expires),
     .otherwise = (double)NAN,
     .about = "Unix time from which it is not"},
};
static const schema_t key_schema = {.name = "key",
                                    .size = sizeof(record_t),
                                    .fields = key_fields,
                                    .count = sizeof key_fields / sizeof *key_fields};

typedef struct {
    text_t secret_key, public_key;
} secret_t;

static const field_t secret_fields[] = {
    {.key = "secret_key",
     .type = FIELD_TITLE,
     .flags = FIELD_REQUIRED | FIELD_SECRET,
     .offset = offsetof(secret_t, secret_key)},
    {.key = "public_key", .type = FIELD_TITLE, .offset = offsetof(secret_t, public_key)},
};
static const schema_t secret_schema = {.name = "secret",
                                       .size = sizeof(secret_t),
                                       .fields = secret_fields,
                                       .count = sizeof secret_fields / sizeof *secret_fields};

/* -- files -- */

/*  What makes a file untrustworthy, in words; NULL: nothing. */
static const char *distrust(const struct stat *status, mode_t forbidden)
{
    if (status->st_uid != geteuid() && status->st_uid != 0)
        return "belongs to another user";
    if ((status->st_mode & forbidden & OTHERS_WRITE) != 0)
        return "others may write it";
    return (status->st_mode & forbidden) != 0 ? "others may read it" : NULL;
}

/*  Did a call fail because of what the process lacks, not because of the file? */
static bool is_shortage(int reason)
{
    return reason == EMFILE || reason == ENFILE || reason == ENOMEM;
}

/*  Checked by the descriptor that is read, so that it is the same file. False after a complaint. */
static bool read_file(int directory, const char *path, mode_t forbidden, char *text, size_t *size,
                      FILE *complaints)
{
    struct stat status;
    int file = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    const char *wrong = NULL;
    ssize_t got = -1;
    if (file < 0 || fstat(file, &status) < 0)
        wrong = strerror(errno);
    else if (!S_ISREG(status.st_mode))
        wrong = "is no regular file";
    else if ((wrong = distrust(&status, forbidden)) == NULL)
        got = read(file, text, KEY_FILE_BYTES + 1);
    if (file >= 0)
        close(file);
    if (wrong == NULL && got < 0)
        wrong = strerror(errno);
    if (wrong == NULL && got > (ssize_t)KEY_FILE_BYTES)
        wrong = "is too large";
    *size = got < 0 ? 0 : (size_t)got;
    if (wrong != NULL)
        fprintf(complaints, "%s: %s\n", path, wrong);
    return wrong == NULL;
}

typedef struct {
    const char *path;
    const yaml_value_t *yaml;
    FILE *complaints;
} complaining_t;

static void take_error(void *context, const schema_error_t *error)
{
    const complaining_t *self = context;
    yaml_place_t place = yaml_value_place(self->yaml, error->at);
    fprintf(self->complaints, "%s:%u:%u: %s\n", self->path, place.line, place.column,
            error->message);
}

/*  Read a file's one map by its table. The texts of `out` lie in the arena. */
static bool read_record(const char *path, const char *text, size_t size, const schema_t *schema,
                        arena_t *arena, void *out, FILE *complaints)
{
    yaml_value_t yaml;
    bool good = yaml_value_read(&yaml, path, text, size, complaints) != 0;
    if (good && yaml.packed.size == 0) {
        fprintf(complaints, "%s: is empty\n", path);
        good = false;
    }
    if (good) {
        complaining_t complaining = {path, &yaml, complaints};
        schema_listener_t listener = {take_error, &complaining};
        cursor_t cursor = cursor_over(yaml.packed.data, yaml.packed.size);
        good =
            schema_read(schema, &LIMITS_DEFAULT, &cursor, true, arena, out, &listener) == STATUS_OK;
        if (good)
            memcpy(out, schema_copy(schema, out, arena), schema->size);
    }
    yaml_value_free(&yaml);
    return good;
}

/*  40 characters of Z85 that stand for 32 bytes. */
static bool copy_key(text_t text, char key[KEY_TEXT_SIZE])
{
    uint8_t bytes[KEY_BYTES];
    if (text.size != KEY_TEXT_SIZE - 1)
        return false;
    memcpy(key, text.data, text.size);
    key[text.size] = '\0';
    return zmq_z85_decode(bytes, key) != NULL;
}

bool access_secret_load(const char *path, char secret_key[KEY_TEXT_SIZE], FILE *complaints)
{
    char *text = memory_new(1, KEY_FILE_BYTES + 1);
    arena_t arena;
    secret_t secret;
    size_t size;
    arena_init(&arena);
    bool good = read_file(AT_FDCWD, path, OTHERS_ANYTHING, text, &size, complaints) &&
                read_record(path, text, size, &secret_schema, &arena, &secret, complaints);
    if (good && !copy_key(secret.secret_key, secret_key)) {
        fprintf(complaints, "%s: secret_key: expected 40 characters of Z85\n", path);
        good = false;
    }
    explicit_bzero(text, KEY_FILE_BYTES + 1);
    arena_free(&arena);
    free(text);
    return good;
}

/* -- the directory -- */

typedef struct {
    access_keys_t *keys;
    int directory;
    double now_s;
    FILE *complaints;
    char *text;
} loading_t;

static bool is_key_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name), ending = strlen(ENDING);
    return entry->d_name[0] != '.' && length > ending &&
           strcmp(entry->d_name + length - ending, ENDING) == 0;
}

static const access_key_t *find(const access_keys_t *self, const char *public_key)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->keys[i].public_key, public_key) == 0)
            return &self->keys[i];
    return NULL;
}

/*  Is it in force now? Also keeps when that changes. */
static bool is_in_force(loading_t *self, const record_t *record)
{
    double *next = &self->keys->next_change_s;
    if (record->not_before > self->now_s) {
        *next = fmin(*next, record->not_before);
        return false;
    }
    if (record->expires > self->now_s)
        *next = fmin(*next, record->expires);
    return !(record->expires <= self->now_s);
}

static void add_key(loading_t *self, const record_t *record, const char *path)
{
    access_key_t key = {.name = record->name,
                        .role = (role_t)record->role,
                        .write = record->write,
                        .read = record->read,
                        .not_before = record->not_before,
                        .expires = record->expires};
    if (!copy_key(record->public_key, key.public_key))
        fprintf(self->complaints, "%s: public_key: expected 40 characters of Z85\n", path);
    else if (find(self->keys, key.public_key) != NULL)
        fprintf(self->complaints, "%s: public_key: stands in another file\n", path);
    else if (is_in_force(self, record))
        self->keys->keys[self->keys->count++] = key;
}

static void load_file(loading_t *self, const char *path)
{
    record_t record;
    size_t size;
    errno = 0;
    if (read_file(self->directory, path, OTHERS_WRITE, self->text, &size, self->complaints) &&
        read_record(path, self->text, size, &key_schema, &self->keys->arena, &record,
                    self->complaints))
        add_key(self, &record, path);
    else if (is_shortage(errno))
        self->keys->complete = false;
}

static int order_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int order_keys(const void *a, const void *b)
{
    return strcmp(((const access_key_t *)a)->public_key, ((const access_key_t *)b)->public_key);
}

/*  In order of their names, so that of two files with one key always the same one counts. */
static size_t list_files(DIR *directory, char **names, FILE *complaints)
{
    const struct dirent *entry;
    size_t count = 0;
    while ((entry = readdir(directory)) != NULL) {
        if (!is_key_file(entry))
            continue;
        if (count == KEYS_MAX) {
            fprintf(complaints, "more than %u keys: the rest is not read\n", KEYS_MAX);
            break;
        }
        names[count++] = memory_copy(entry->d_name, strlen(entry->d_name) + 1);
    }
    qsort(names, count, sizeof *names, order_names);
    return count;
}

static void load_files(loading_t *self, DIR *directory)
{
    char **names = memory_new(KEYS_MAX, sizeof *names);
    size_t count = list_files(directory, names, self->complaints);
    self->keys->keys = memory_new(count + 1, sizeof *self->keys->keys);
    for (size_t i = 0; i < count; i++) {
        load_file(self, names[i]);
        free(names[i]);
    }
    free(names);
    qsort(self->keys->keys, self->keys->count, sizeof *self->keys->keys, order_keys);
}

access_keys_t *access_keys_load(const char *path, double now_s, FILE *complaints)
{
    access_keys_t *self = memory_new(1, sizeof *self);
    atomic_init(&self->shares, 1);
    arena_init(&self->arena);
    self->next_change_s = INFINITY;
    struct stat status;
    DIR *directory = opendir(path);
    self->complete = directory != NULL || !is_shortage(errno);
    const char *wrong = NULL;
    if (directory == NULL || fstat(dirfd(directory), &status) < 0)
        wrong = strerror(errno);
    else
        wrong = distrust(&status, OTHERS_WRITE);
    if (wrong != NULL)
        fprintf(complaints, "%s: %s\n", path, wrong);
    self->trusted = wrong == NULL;
    if (self->trusted) {
        loading_t loading = {.keys = self,
                             .directory = dirfd(directory),
                             .now_s = now_s,
                             .complaints = complaints,
                             .text = memory_new(1, KEY_FILE_BYTES + 1)};
        load_files(&loading, directory);
        free(loading.text);
    }
    if (directory != NULL)
        closedir(directory);
    return self;
}

access_keys_t *access_keys_share(access_keys_t *self)
{
    if (self != NULL)
        atomic_fetch_add(&self->shares, 1);
    return self;
}

void access_keys_destroy(access_keys_t **self)
{
    if (*self != NULL && atomic_fetch_sub(&(*self)->shares, 1) == 1) {
        arena_free(&(*self)->arena);
        free((*self)->keys);
        free(*self);
    }
    *self = NULL;
}

/* -- asking -- */

static int compare_with(const void *user_id, const void *key)
{
    return strcmp(user_id, ((const access_key_t *)key)->public_key);
}

const access_key_t *access_keys_find(const access_keys_t *self, const char *user_id)
{
    if (user_id == NULL || self->count == 0)
        return NULL;
    return bsearch(user_id, self->keys, self->count, sizeof *self->keys, compare_with);
}

static bool same_texts(texts_t a, texts_t b)
{
    bool same = a.count == b.count;
    for (size_t i = 0; i < a.count && same; i++)
        same = text_equal(a.items[i], b.items[i]);
    return same;
}

static bool same_key(const access_key_t *a, const access_key_t *b)
{
    return a->role == b->role && text_equal(a->name, b->name) && same_texts(a->read, b->read) &&
           same_texts(a->write, b->write);
}

bool access_keys_take_away(const access_keys_t *old, const access_keys_t *new, const char *user_id)
{
    const access_key_t *before = access_keys_find(old, user_id);
    const access_key_t *now = access_keys_find(new, user_id);
    return before != NULL && (now == NULL || !same_key(before, now));
}

bool access_keys_equal(const access_keys_t *a, const access_keys_t *b)
{
    bool equal = a->count == b->count && a->trusted == b->trusted;
    for (size_t i = 0; i < a->count && equal; i++)
        equal = !access_keys_take_away(a, b, a->keys[i].public_key);
    return equal;
}
