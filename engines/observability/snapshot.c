#include "engines/observability/snapshot.h"

#include "engines/hash.h"
#include "proto/must.h"
#include "proto/schema.h"

#include <math.h>
#include <string.h>

/* What a limit of today says does not matter to what was taken under one of yesterday. */
#define NAME_BYTES_MAX 65536u
/* [record [[SLO {match {labels}}]]] and two to spare */
#define DEPTH_MAX 8u
/* Sums of so many counts of this size are still numbers. */
#define COUNT_MAX (UINT64_C(1) << 56)

static const char magic[SNAPSHOT_HEADER_BYTES] = {'t', 'o', 'c', 's',
                                                  'i', 'n', 'w', SNAPSHOT_VERSION};
#define MAGIC_BYTES (SNAPSHOT_HEADER_BYTES - 1)

const char *snapshot_words(snapshot_state_t state)
{
    static const char *const words[SNAPSHOT_STATE_COUNT] = {
        [SNAPSHOT_GOOD] = "good",
        [SNAPSHOT_FOREIGN] = "not a file of windows",
        [SNAPSHOT_VERSION_UNKNOWN] = "of another version",
        [SNAPSHOT_TORN] = "torn or damaged"};
    return words[state];
}

/* -- fields that have no table of their own -- */

typedef struct {
    int status; /* slo_status_t */
    double since, at;
} slo_fields_t;

static const field_t slo_rows[] = {
    {.key = "status",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(slo_fields_t, status),
     .words = slo_status_words},
    {.key = "since", .type = FIELD_NUMBER, .offset = offsetof(slo_fields_t, since)},
    {.key = "at",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(slo_fields_t, at)}};
static const schema_t slo_table = {"slo memory", sizeof(slo_fields_t), slo_rows,
                                   sizeof slo_rows / sizeof *slo_rows};

typedef struct {
    text_t operation;
    uint64_t errors, retries, zeros;
    double last_executed, min, max;
} profile_fields_t;

static const field_t profile_rows[] = {
    {.key = "operation",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(profile_fields_t, operation)},
    {.key = "errors", .type = FIELD_UINT, .offset = offsetof(profile_fields_t, errors)},
    {.key = "retries", .type = FIELD_UINT, .offset = offsetof(profile_fields_t, retries)},
    {.key = "zeros", .type = FIELD_UINT, .offset = offsetof(profile_fields_t, zeros)},
    {.key = "last_executed",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(profile_fields_t, last_executed)},
    {.key = "min",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(profile_fields_t, min)},
    {.key = "max",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(profile_fields_t, max)}};
static const schema_t profile_table = {"profile memory", sizeof(profile_fields_t), profile_rows,
                                       sizeof profile_rows / sizeof *profile_rows};

static const field_t watch_rows[] = {
    {.key = "name",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(watch_memory_t, name)},
    {.key = "labels", .type = FIELD_LABELS, .offset = offsetof(watch_memory_t, labels)},
    {.key = "mode",
     .type = FIELD_NAME,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(watch_memory_t, mode)},
    {.key = "score",
     .type = FIELD_NUMBER,
     .offset = offsetof(watch_memory_t, score),
     .otherwise = NAN},
    {.key = "since",
     .type = FIELD_NUMBER,
     .flags = FIELD_REQUIRED,
     .offset = offsetof(watch_memory_t, since)},
    {.key = "anomalous", .type = FIELD_BOOL, .offset = offsetof(watch_memory_t, anomalous)}};
static const schema_t watch_table = {"watch memory", sizeof(watch_memory_t), watch_rows,
                                     sizeof watch_rows / sizeof *watch_rows};

/* -- writing -- */

void snapshot_begin(msgpack_sbuffer *out)
{
    pack_raw(out, (text_t){magic, sizeof magic});
}

/* Only what is not empty: its age, good and bad. */
static void pack_window(const window_counts_t buckets[WINDOW_BUCKETS], msgpack_sbuffer *out)
{
    size_t filled = 0;
    for (unsigned age = 0; age < WINDOW_BUCKETS; age++)
        filled += buckets[age].good + buckets[age].bad > 0;
    pack_array(out, 3 * filled);
    for (unsigned age = 0; age < WINDOW_BUCKETS; age++) {
        if (buckets[age].good + buckets[age].bad == 0)
            continue;
        pack_uint(out, age);
        pack_uint(out, buckets[age].good);
        pack_uint(out, buckets[age].bad);
    }
}

void snapshot_add_slo(const slo_memory_t *memory, msgpack_sbuffer *out)
{
    slo_fields_t fields = {(int)memory->status, memory->since, memory->at};
    pack_array(out, 3 + SLO_WINDOWS);
    pack_uint(out, SNAPSHOT_SLO);
    schema_write(&slo_schema, &memory->slo, false, out);
    schema_write(&slo_table, &fields, false, out);
    for (int i = 0; i < SLO_WINDOWS; i++)
        pack_window(memory->buckets[i], out);
}

static void pack_buckets(const sketch_t *sketch, msgpack_sbuffer *out)
{
    uint32_t at = 0;
    size_t filled = 0;
    sketch_bucket_t bucket;
    while (sketch_next_bucket(sketch, &at, &bucket))
        filled++;
    pack_array(out, 2 * filled);
    at = 0;
    while (sketch_next_bucket(sketch, &at, &bucket)) {
        pack_uint(out, bucket.number);
        pack_uint(out, bucket.count);
    }
}

void snapshot_add_profile(const profile_memory_t *memory, msgpack_sbuffer *out)
{
    const sketch_t *durations = memory->durations;
    must(durations->count > 0);
    profile_fields_t fields = {memory->operation, memory->errors,        memory->retries,
                               durations->zeros,  memory->last_executed, durations->min,
                               durations->max};
    pack_array(out, 4);
    pack_uint(out, SNAPSHOT_PROFILE);
    schema_write(&profile_table, &fields, false, out);
    pack_array(out, EXACT_SUM_WORDS);
    for (int i = 0; i < EXACT_SUM_WORDS; i++)
        pack_uint(out, durations->sum.words[i]);
    pack_buckets(durations, out);
}

void snapshot_add_watch(const watch_memory_t *memory, msgpack_sbuffer *out)
{
    pack_array(out, 3);
    pack_uint(out, SNAPSHOT_WATCH);
    schema_write(&watch_table, memory, false, out);
    pack_array(out, memory->count);
    for (uint32_t i = 0; i < memory->count; i++)
        pack_number(out, memory->values[i]);
}

static void write_checksum(const char *bytes, size_t size, char checksum[SNAPSHOT_CHECKSUM_BYTES])
{
    uint64_t hash = hash_bytes(0, bytes, size);
    for (unsigned i = 0; i < SNAPSHOT_CHECKSUM_BYTES; i++)
        checksum[i] = (char)(hash >> (8 * i) & 0xff);
}

void snapshot_seal(msgpack_sbuffer *out)
{
    char checksum[SNAPSHOT_CHECKSUM_BYTES];
    write_checksum(out->data, out->size, checksum);
    pack_raw(out, (text_t){checksum, sizeof checksum});
}

/* -- reading -- */

snapshot_state_t snapshot_open(text_t file, cursor_t *records)
{
    char checksum[SNAPSHOT_CHECKSUM_BYTES];
    if (file.size < MAGIC_BYTES || memcmp(file.data, magic, MAGIC_BYTES) != 0)
        return SNAPSHOT_FOREIGN;
    if (file.size < SNAPSHOT_HEADER_BYTES + SNAPSHOT_CHECKSUM_BYTES)
        return SNAPSHOT_TORN;
    if (file.data[MAGIC_BYTES] != magic[MAGIC_BYTES])
        return SNAPSHOT_VERSION_UNKNOWN;
    size_t size = file.size - SNAPSHOT_CHECKSUM_BYTES;
    write_checksum(file.data, size, checksum);
    if (memcmp(file.data + size, checksum, sizeof checksum) != 0)
        return SNAPSHOT_TORN;
    *records = cursor_over(file.data + SNAPSHOT_HEADER_BYTES, size - SNAPSHOT_HEADER_BYTES);
    return SNAPSHOT_GOOD;
}

static bool read_uint(cursor_t *cursor, uint64_t most, uint64_t *number)
{
    value_t value;
    if (!cursor_read(cursor, &value) || value.type != VALUE_UINT || value.as.u > most)
        return false;
    *number = value.as.u;
    return true;
}

static bool read_array(cursor_t *cursor, uint32_t most, uint32_t *count)
{
    value_t value;
    if (!cursor_read(cursor, &value) || value.type != VALUE_ARRAY || value.as.count > most)
        return false;
    *count = value.as.count;
    return true;
}

static bool read_fields(cursor_t *cursor, const schema_t *table, arena_t *arena, void *out)
{
    limits_t limits = LIMITS_DEFAULT;
    limits.labels = LABELS_MAX;
    limits.name_bytes = NAME_BYTES_MAX;
    return schema_read(table, &limits, cursor, true, arena, out, NULL) == STATUS_OK;
}

static bool read_window(cursor_t *cursor, window_counts_t buckets[WINDOW_BUCKETS])
{
    uint32_t count;
    if (!read_array(cursor, 3 * WINDOW_BUCKETS, &count) || count % 3 != 0)
        return false;
    memset(buckets, 0, WINDOW_BUCKETS * sizeof *buckets);
    for (uint32_t i = 0; i < count; i += 3) {
        uint64_t age;
        window_counts_t counts;
        if (!read_uint(cursor, WINDOW_BUCKETS - 1, &age) ||
            !read_uint(cursor, COUNT_MAX, &counts.good) ||
            !read_uint(cursor, COUNT_MAX, &counts.bad))
            return false;
        buckets[age] = counts;
    }
    return true;
}

static bool read_slo(cursor_t *cursor, uint32_t elements, arena_t *arena, snapshot_record_t *record)
{
    slo_memory_t *memory = &record->as.slo;
    slo_fields_t fields;
    if (elements != 3 + SLO_WINDOWS || !read_fields(cursor, &slo_schema, arena, &memory->slo) ||
        !read_fields(cursor, &slo_table, arena, &fields))
        return false;
    memory->status = (slo_status_t)fields.status;
    memory->since = fields.since;
    memory->at = fields.at;
    for (int i = 0; i < SLO_WINDOWS; i++)
        if (!read_window(cursor, memory->buckets[i]))
            return false;
    return true;
}

static bool read_sum(cursor_t *cursor, exact_sum_t *sum)
{
    uint32_t count;
    if (!read_array(cursor, EXACT_SUM_WORDS, &count) || count != EXACT_SUM_WORDS)
        return false;
    for (int i = 0; i < EXACT_SUM_WORDS; i++)
        if (!read_uint(cursor, UINT64_MAX, &sum->words[i]))
            return false;
    return true;
}

/* Every value counted lies in one bucket or is zero. */
static bool read_buckets(cursor_t *cursor, sketch_t *sketch)
{
    uint32_t count;
    if (!read_array(cursor, 2 * SKETCH_BUCKETS, &count) || count % 2 != 0)
        return false;
    sketch->count = sketch->zeros;
    for (uint32_t i = 0; i < count; i += 2) {
        uint64_t number;
        sketch_bucket_t bucket;
        if (!read_uint(cursor, SKETCH_BUCKETS - 1, &number) ||
            !read_uint(cursor, COUNT_MAX - sketch->count, &bucket.count))
            return false;
        bucket.number = (uint32_t)number;
        sketch_fill_bucket(sketch, bucket);
        sketch->count += bucket.count;
    }
    return sketch->count > 0;
}

static bool read_profile(cursor_t *cursor, uint32_t elements, arena_t *arena,
                         snapshot_record_t *record)
{
    profile_fields_t fields;
    sketch_t *durations = &record->durations;
    if (elements != 4 || !read_fields(cursor, &profile_table, arena, &fields) ||
        fields.zeros > COUNT_MAX || fields.min > fields.max || !read_sum(cursor, &durations->sum))
        return false;
    durations->zeros = fields.zeros;
    durations->min = fields.min;
    durations->max = fields.max;
    record->as.profile = (profile_memory_t){fields.operation, durations, fields.errors,
                                            fields.retries, fields.last_executed};
    return read_buckets(cursor, durations) && fields.errors <= durations->count &&
           fields.retries <= durations->count;
}

static bool read_watch(cursor_t *cursor, uint32_t elements, arena_t *arena,
                       snapshot_record_t *record)
{
    watch_memory_t *memory = &record->as.watch;
    uint32_t count;
    if (elements != 3 || !read_fields(cursor, &watch_table, arena, memory) ||
        !read_array(cursor, MOMENTS_WINDOW, &count) || count == 0)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        value_t value;
        if (!cursor_read(cursor, &value) || !value_number(&value, &record->values[i]) ||
            !isfinite(record->values[i]))
            return false;
    }
    memory->values = record->values;
    memory->count = count;
    return true;
}

static bool (*const readers[SNAPSHOT_KINDS])(cursor_t *, uint32_t, arena_t *,
                                             snapshot_record_t *) = {
    [SNAPSHOT_SLO] = read_slo,
    [SNAPSHOT_PROFILE] = read_profile,
    [SNAPSHOT_WATCH] = read_watch,
};

bool snapshot_next(cursor_t *records, arena_t *arena, snapshot_record_t *record)
{
    cursor_t cursor = *records;
    uint32_t elements;
    uint64_t kind;
    arena_reset(arena);
    sketch_init(&record->durations);
    if (cursor_walk(records, DEPTH_MAX) != STATUS_OK)
        return false;
    cursor.end = records->at;
    if (!read_array(&cursor, 3 + SLO_WINDOWS, &elements) || elements == 0 ||
        !read_uint(&cursor, SNAPSHOT_KINDS - 1, &kind))
        return false;
    record->kind = (snapshot_kind_t)kind;
    bool good = readers[kind](&cursor, elements, arena, record);
    if (!good)
        snapshot_drop(record);
    return good;
}

void snapshot_drop(snapshot_record_t *record)
{
    sketch_free(&record->durations);
}
