/*  schema - tables of keys: one row a key, from which things are read, written, stored and
 * explained.
 *
 *  Owns     nothing; tables are constant
 *  Bounds   each row's own limit, and limits_t
 *  Thread   any
 *  Refuses  what a row does not allow; every error is reported, the worst answer is the first in
 * the order of status_t
 *
 *  The same tables serve commands, answers, publications, the configuration file and the rows of
 * the store, so that a key has one spelling, one unit and one range.
 */
#ifndef PROTO_SCHEMA_H
#define PROTO_SCHEMA_H

#include "proto/arena.h"
#include "proto/cursor.h"
#include "proto/event.h"
#include "proto/labels.h"
#include "proto/status.h"
#include "proto/text.h"
#include "proto/thing.h"

#include <msgpack/sbuffer.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct schema schema_t;

typedef enum {
    FIELD_NAME,     /* text_t: one line, limits.name_bytes */
    FIELD_TITLE,    /* text_t: one line, limits.title_bytes */
    FIELD_TEXT,     /* text_t: free text, limits.text_bytes */
    FIELD_NAMES,    /* texts_t of names; at most `most` */
    FIELD_LINES,    /* texts_t of free texts; at most `most` */
    FIELD_BOOL,     /* bool */
    FIELD_FLAG,     /* bool that is written only when true */
    FIELD_UINT,     /* uint64_t, least..most */
    FIELD_UINT32,   /* uint32_t, least..most */
    FIELD_INT,      /* int64_t, least..most */
    FIELD_NUMBER,   /* double, least..most; NaN is nil */
    FIELD_DURATION, /* double, seconds, least..most; also text ("5m"); NaN is nil */
    FIELD_TIME,     /* double, Unix seconds; NaN is nil */
    FIELD_SIZE,     /* uint64_t, bytes, least..most; also text ("4MiB") */
    FIELD_ENUM,     /* int-sized enum: an index of `words`; -1, and the word "", are nil */
    FIELD_WORD,     /* text_t that must be one of `words` */
    FIELD_LABELS,   /* labels_t */
    FIELD_ID,       /* uint64_t shown as prefix and number: "INC-1"; 0 is nil */
    FIELD_IDS,      /* const uint64_t * followed by the uint32_t count at `count_offset` */
    FIELD_HEX,      /* uint64_t shown as 16 hexadecimal digits */
    FIELD_RECORD,   /* a struct by value, of `inner` */
    FIELD_RECORDS, /* const struct * of `inner`, count as uint32_t at `count_offset`; at most `most`
                    */
    FIELD_STEPS,   /* const procedure_t * and its count: a map of text -> list of text */
    FIELD_RAW      /* text_t: one encoded value, as it came */
} field_type_t;

enum {
    FIELD_REQUIRED = 1,  /* must be there, must not be nil; an empty text is bad_value */
    FIELD_HIDDEN = 2,    /* stored, never on the wire */
    FIELD_EXCLUSIVE = 4, /* least and most themselves are not allowed */
    FIELD_SECRET = 8,    /* masked when shown */
    FIELD_TOLD = 16      /* shown and stored, never taken: reading steps over it */
};

typedef struct {
    const char *key;
    field_type_t type;
    unsigned flags;
    size_t offset;
    size_t count_offset; /* of lists whose count stands apart */
    double least, most;  /* inclusive; of lists: most elements. 0, 0: no bounds */
    double otherwise;    /* the default of numbers, durations, booleans and enums (NaN, -1: nil) */
    const char *const *words; /* of ENUM and WORD, NULL at the end */
    const char *prefix;       /* of ID and IDS */
    const schema_t *inner;
    const char *about; /* one line for people */
} field_t;

struct schema {
    const char *name; /* "policy" */
    size_t size;      /* of the struct */
    const field_t *fields;
    size_t count;
};

/*  One thing that is wrong. `at` points at the value (or the map) at fault in what was read. */
typedef struct {
    status_t status;
    const uint8_t *at;
    char message[200]; /* "severity: expected one of critical, high, medium, low" */
} schema_error_t;

/*  Told each error as it is met. */
typedef struct {
    void (*take)(void *context, const schema_error_t *error);
    void *context;
} schema_listener_t;

/*  Read a map that stands at the cursor (a complete, checked value) into `out`, which is filled
 * with defaults first. Unknown keys are stepped over, or are errors (bad_value) when `strict`.
 * Answers the first reason in the order of status_t; `listener` may be NULL. */
status_t schema_read(const schema_t *schema, const limits_t *limits, cursor_t *cursor, bool strict,
                     arena_t *arena, void *out, const schema_listener_t *listener);

/*  Read the one value at the cursor into its field of `out`; the rest of `out` is left as it is. */
status_t schema_read_field(const field_t *field, const limits_t *limits, cursor_t *cursor,
                           arena_t *arena, void *out, const schema_listener_t *listener);

/*  The row of that key; NULL if there is none. */
const field_t *schema_field(const schema_t *schema, text_t key);

/*  Fill `out` with the defaults of its table. */
void schema_defaults(const schema_t *schema, void *out);

/*  Append the thing as a map. `hidden` adds what only the store sees. */
void schema_write(const schema_t *schema, const void *thing, bool hidden, msgpack_sbuffer *out);

/*  The pairs without the map's header. */
void schema_write_pairs(const schema_t *schema, const void *thing, bool hidden,
                        msgpack_sbuffer *out);

/*  The thing as a map with room for `more` pairs, which the caller appends. */
void schema_write_with(const schema_t *schema, const void *thing, uint32_t more,
                       msgpack_sbuffer *out);

/*  The value of one field. */
void schema_write_field(const field_t *field, const void *thing, bool hidden, msgpack_sbuffer *out);

/*  A deep copy of a thing into the arena. */
void *schema_copy(const schema_t *schema, const void *thing, arena_t *arena);

/*  Are two things equal in every field? */
bool schema_equal(const schema_t *schema, const void *a, const void *b);

/* -- the tables -- */

extern const char *const severity_words[];
extern const char *const incident_status_words[];
extern const char *const alert_state_words[];
extern const char *const dependency_status_words[];
extern const char *const slo_status_words[];
extern const char *const breaker_words[];
extern const char *const metric_kind_words[];
extern const char *const no_data_words[];

extern const schema_t slo_view_schema;

/*  The table that shows this metric, by its kind. */
const schema_t *metric_schema(const metric_view_t *view);

extern const schema_t note_schema, move_schema;
extern const schema_t incident_schema, alert_schema, policy_schema, runbook_schema;
extern const schema_t silence_schema, slo_schema, ops_metrics_schema;
extern const schema_t anomaly_schema, profile_schema, dependency_schema;

#endif
