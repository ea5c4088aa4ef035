/*  snapshot - what of the windows outlives the process, as the bytes of a file.
 *
 *      file     = header *record checksum
 *      header   = "tocsinw" version            ; eight bytes
 *      record   = MessagePack: [kind, …]       ; an SLO's rings, a profile, a watched series'
 * window checksum = XXH3 of all before it        ; eight bytes, the least first
 *
 *  Records are appended some at a time; those of one file need not be of one moment.
 *
 *  Owns     nothing; the bytes are the caller's
 *  Bounds   SNAPSHOT_BYTES_MAX
 *  Thread   any
 *  Refuses  a file that is foreign, of another version, torn, or whose records say what cannot be
 */
#ifndef ENGINES_SNAPSHOT_H
#define ENGINES_SNAPSHOT_H

#include "engines/observability/anomaly_detector.h"
#include "engines/observability/performance_profiler.h"
#include "engines/observability/slo_monitor.h"
#include "proto/arena.h"
#include "proto/cursor.h"
#include "proto/pack.h"

#include <stdbool.h>

#define SNAPSHOT_VERSION 1
#define SNAPSHOT_HEADER_BYTES 8u
#define SNAPSHOT_CHECKSUM_BYTES 8u
#define SNAPSHOT_BYTES_MAX (256u << 20)

typedef enum {
    SNAPSHOT_GOOD,
    SNAPSHOT_FOREIGN, /* no snapshot at all */
    SNAPSHOT_VERSION_UNKNOWN,
    SNAPSHOT_TORN, /* not all of it, or not as it was written */
    SNAPSHOT_STATE_COUNT
} snapshot_state_t;

/*  In words, for people. */
const char *snapshot_words(snapshot_state_t state);

/* -- writing -- */

void snapshot_begin(msgpack_sbuffer *out);
void snapshot_add_slo(const slo_memory_t *memory, msgpack_sbuffer *out);
void snapshot_add_profile(const profile_memory_t *memory, msgpack_sbuffer *out);
void snapshot_add_watch(const watch_memory_t *memory, msgpack_sbuffer *out);
void snapshot_seal(msgpack_sbuffer *out);

/* -- reading -- */

/*  Is it whole? The records are then what the cursor spans. */
snapshot_state_t snapshot_open(text_t file, cursor_t *records);

typedef enum { SNAPSHOT_SLO, SNAPSHOT_PROFILE, SNAPSHOT_WATCH, SNAPSHOT_KINDS } snapshot_kind_t;

typedef struct {
    snapshot_kind_t kind;
    union {
        slo_memory_t slo;
        profile_memory_t profile;
        watch_memory_t watch;
    } as;
    sketch_t durations; /* a profile's */
    double values[MOMENTS_WINDOW];
} snapshot_record_t;

/*  The next record; texts are looks into the file and the arena. False for one that says what
 *  cannot be. Give each good one back with _drop. */
bool snapshot_next(cursor_t *records, arena_t *arena, snapshot_record_t *record);
void snapshot_drop(snapshot_record_t *record);

#endif
