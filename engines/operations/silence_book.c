#include "engines/operations/silence_book.h"

#include "engines/condition.h"
#include "engines/deadlines.h"
#include "engines/kept.h"
#include "engines/registry.h"
#include "proto/cursor.h"
#include "proto/must.h"
#include "proto/pack.h"
#include "proto/wording.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A clock that is set is noticed within this time. */
#define LOOK_AGAIN_S 60.0

#define NAME_PREFIX "SIL-"

/* Matchers are read as those of a selector of this metric, which no alert has to know. */
#define METRIC "alert"

typedef struct {
    kept_t kept;
    silence_t *view;
    condition_t *matchers[SILENCE_MATCHERS_MAX]; /* a selector each, of what METRIC names */
    double until_s;                              /* NaN: until what it covers is resolved */
    uint32_t covers, place;
} entry_t;

struct silence_book {
    registry_t entries;
    deadlines_t deadlines;
    uint64_t last;
    uint32_t limit;
    effects_t *effects;
};

silence_book_t *silence_book_new(uint32_t silences, uint64_t seed, effects_t *effects)
{
    silence_book_t *self = memory_new(1, sizeof *self);
    registry_init(&self->entries, silences, seed);
    deadlines_init(&self->deadlines, silences);
    self->limit = silences;
    self->effects = effects;
    return self;
}

static void drop_matchers(condition_t **matchers)
{
    for (size_t i = 0; i < SILENCE_MATCHERS_MAX; i++)
        condition_destroy(&matchers[i]);
}

static void destroy_entry(entry_t *entry)
{
    drop_matchers(entry->matchers);
    kept_drop(&entry->kept);
    free(entry);
}

void silence_book_destroy(silence_book_t **self)
{
    uint64_t at = 0;
    for (entry_t *entry; (entry = registry_next(&(*self)->entries, &at)) != NULL;)
        destroy_entry(entry);
    registry_free(&(*self)->entries);
    deadlines_free(&(*self)->deadlines);
    free(*self);
    *self = NULL;
}

void silence_book_number(silence_book_t *self, uint64_t last)
{
    if (last > self->last)
        self->last = last;
}

/* -- ends -- */

/*  Unix seconds; NaN for "resolved". False: neither. */
static bool read_end(text_t until, double *until_s)
{
    cursor_t cursor = cursor_over(until.data, until.size);
    value_t value;
    must(cursor_read(&cursor, &value));
    *until_s = NAN;
    if (value.type == VALUE_STR)
        return text_is(value.as.text, "resolved");
    return value_time(&value, until_s) == STATUS_OK;
}

static text_t encode_end(double until_s, arena_t *arena)
{
    msgpack_sbuffer packed;
    msgpack_sbuffer_init(&packed);
    pack_number(&packed, until_s);
    text_t copy = arena_copy(arena, (text_t){packed.data, packed.size});
    msgpack_sbuffer_destroy(&packed);
    return copy;
}

static void watch_end(silence_book_t *self, const entry_t *entry)
{
    if (isnan(entry->until_s))
        return;
    double left_s = entry->until_s - self->effects->now.wall_s;
    left_s = left_s > LOOK_AGAIN_S ? LOOK_AGAIN_S : left_s > 0 ? left_s : 0;
    deadlines_set(&self->deadlines, entry->place, self->effects->now.mono_ns + ns_of(left_s),
                  entry->view->id);
}

uint64_t silence_book_due(silence_book_t *self)
{
    uint32_t place;
    while ((place = deadlines_take(&self->deadlines, self->effects->now.mono_ns)) != 0) {
        const entry_t *entry = registry_at(&self->entries, place);
        if (entry->until_s <= self->effects->now.wall_s)
            return entry->view->id;
        watch_end(self, entry);
    }
    return 0;
}

int64_t silence_book_next(const silence_book_t *self)
{
    return deadlines_next(&self->deadlines);
}

/* -- matchers -- */

static status_t compile(text_t matcher, condition_t **out, arena_t *scratch, schema_error_t *error)
{
    condition_error_t wrong;
    *out = condition_new(words_in(scratch, METRIC "{%.*s}", WORDS(matcher)), &wrong);
    if (*out == NULL)
        return refuse_with(error, STATUS_BAD_VALUE, "matchers: %.*s: %s", WORDS(matcher),
                           wrong.message);
    if (condition_selector_count(*out) != 1 || condition_selector(*out, 0)->matcher_count != 1)
        return refuse_with(error, STATUS_BAD_VALUE, "matchers: %.*s: expected one matcher",
                           WORDS(matcher));
    return STATUS_OK;
}

/*  All of them, or none and the reason. */
static status_t compile_all(texts_t matchers, condition_t **out, arena_t *scratch,
                            schema_error_t *error)
{
    status_t status = STATUS_OK;
    must(matchers.count <= SILENCE_MATCHERS_MAX);
    for (size_t i = 0; i < matchers.count && status == STATUS_OK; i++)
        status = compile(matchers.items[i], &out[i], scratch, error);
    if (status != STATUS_OK)
        drop_matchers(out);
    return status;
}

/* -- putting -- */

/*  Its matchers were compiled; they become the entry's. */
static entry_t *keep(silence_book_t *self, const silence_t *silence, condition_t *const *matchers,
                     double until_s)
{
    entry_t *entry = memory_new(1, sizeof *entry);
    entry->view = kept_put(&entry->kept, &silence_schema, silence);
    memcpy(entry->matchers, matchers, sizeof entry->matchers);
    entry->until_s = until_s;
    if (registry_full(&self->entries)) { /* what is in the store is let in */
        registry_grow(&self->entries, 2 * self->entries.limit + 1);
        deadlines_grow(&self->deadlines, self->entries.limit);
    }
    entry->place = registry_add(&self->entries, silence->id, entry);
    return entry;
}

void silence_book_restore(silence_book_t *self, const silence_t *silence)
{
    double until_s;
    condition_t *matchers[SILENCE_MATCHERS_MAX] = {NULL};
    schema_error_t error;
    if (registry_find(&self->entries, silence->id) == NULL && read_end(silence->until, &until_s) &&
        compile_all(silence->matchers, matchers, &self->effects->scratch, &error) == STATUS_OK)
        keep(self, silence, matchers, until_s);
    silence_book_number(self, silence->id);
}

void silence_book_start(silence_book_t *self)
{
    uint64_t at = 0;
    for (const entry_t *entry; (entry = registry_next(&self->entries, &at)) != NULL;)
        watch_end(self, entry);
}

static status_t check_end(const silence_book_t *self, const silence_put_t *put, double *until_s,
                          schema_error_t *error)
{
    double now = self->effects->now.wall_s;
    if (put->every.data != NULL)
        return refuse_with(error, STATUS_BAD_VALUE, "every: recurring silences are not supported");
    if ((put->until.data == NULL) == isnan(put->duration))
        return refuse_with(error, STATUS_BAD_VALUE, "until: give it, or duration, and not both");
    *until_s = now + put->duration;
    if (put->until.data != NULL && !read_end(put->until, until_s))
        return refuse_with(error, STATUS_BAD_VALUE, "until: expected a time, or \"resolved\"");
    if (*until_s <= now)
        return refuse_with(error, STATUS_BAD_VALUE, "until: that has passed");
    return STATUS_OK;
}

static status_t check(const silence_book_t *self, const silence_put_t *put, double *until_s,
                      schema_error_t *error)
{
    if (put->match.count == 0 && put->matchers.count == 0)
        return refuse_with(error, STATUS_BAD_VALUE,
                           "match: which alerts? At least one label, or one of `matchers`");
    status_t status = check_end(self, put, until_s, error);
    if (status == STATUS_OK && registry_count(&self->entries) >= self->limit)
        return refuse_with(error, STATUS_LIMIT, "there are %u silences already, the limit",
                           self->limit);
    return status;
}

status_t silence_book_put(silence_book_t *self, const silence_put_t *put, const silence_t **silence,
                          schema_error_t *error)
{
    char name[NUMBERED_BYTES];
    double until_s = NAN;
    condition_t *matchers[SILENCE_MATCHERS_MAX] = {NULL};
    status_t status = check(self, put, &until_s, error);
    if (status == STATUS_OK)
        status = compile_all(put->matchers, matchers, &self->effects->scratch, error);
    if (status != STATUS_OK)
        return status;
    silence_t new_one = {.id = ++self->last,
                         .match = put->match,
                         .matchers = put->matchers,
                         .until = isnan(until_s) ? put->until
                                                 : encode_end(until_s, &self->effects->scratch),
                         .by = put->by,
                         .reason = put->reason,
                         .created_at = self->effects->now.wall_s};
    const entry_t *entry = keep(self, &new_one, matchers, until_s);
    watch_end(self, entry);
    *silence = entry->view;
    effects_audit(self->effects, put->by, TEXT_OF("silence.put"),
                  numbered(name, NAME_PREFIX, new_one.id), TEXT_NONE, put->reason);
    effects_add(self->effects, (effect_t){.type = EFFECT_SAVE_SILENCE, .as.silence = *silence});
    return STATUS_OK;
}

void silence_book_end(silence_book_t *self, uint64_t id, text_t by, text_t why)
{
    char name[NUMBERED_BYTES];
    entry_t *entry = registry_find(&self->entries, id);
    must(entry != NULL);
    effects_audit(self->effects, by, TEXT_OF("silence.delete"), numbered(name, NAME_PREFIX, id),
                  entry->view->reason, why);
    effects_add(self->effects, (effect_t){.type = EFFECT_DELETE_SILENCE, .as.id = id});
    deadlines_clear(&self->deadlines, entry->place);
    registry_remove(&self->entries, id);
    destroy_entry(entry);
}

/* -- covering -- */

const silence_t *silence_book_find(const silence_book_t *self, uint64_t id)
{
    const entry_t *entry = registry_find(&self->entries, id);
    return entry == NULL ? NULL : entry->view;
}

/*  A label of an alert; its policy and its severity are labels here too. */
static text_t label_of(const alert_t *alert, text_t name)
{
    if (text_is(name, "policy"))
        return alert->policy;
    if (text_is(name, "severity"))
        return text_of(severity_words[alert->severity]);
    return labels_get(alert->labels, name);
}

static bool matches(labels_t wanted, const alert_t *alert)
{
    label_t label;
    for (uint32_t at = 0; labels_next(wanted, &at, &label);)
        if (!text_equal(label_of(alert, label.name), label.value))
            return false;
    return true;
}

/*  What cannot be decided within a pattern's limits is not silenced. */
static bool takes(const entry_t *entry, const alert_t *alert)
{
    for (size_t i = 0; i < entry->view->matchers.count; i++) {
        const matcher_t *matcher = condition_selector(entry->matchers[i], 0)->matchers;
        if (matcher_takes(matcher, label_of(alert, matcher->label)) != PATTERN_YES)
            return false;
    }
    return matches(entry->view->match, alert);
}

bool silence_book_covers(const silence_book_t *self, uint64_t id, const alert_t *alert)
{
    const entry_t *entry = registry_find(&self->entries, id);
    return entry != NULL && takes(entry, alert);
}

texts_t silence_book_covering(const silence_book_t *self, const alert_t *alert, arena_t *arena)
{
    text_t *names = arena_take(arena, registry_count(&self->entries) * sizeof *names);
    size_t count = 0;
    uint64_t at = 0;
    for (const entry_t *entry; (entry = registry_next(&self->entries, &at)) != NULL;)
        if (takes(entry, alert))
            names[count++] =
                words_in(arena, NAME_PREFIX "%llu", (unsigned long long)entry->view->id);
    return (texts_t){names, count};
}

static entry_t *find_named(const silence_book_t *self, text_t name)
{
    uint64_t id = 0;
    for (size_t i = sizeof NAME_PREFIX - 1; i < name.size; i++)
        id = id * 10 + (uint64_t)(name.data[i] - '0');
    return registry_find(&self->entries, id);
}

void silence_book_cover(silence_book_t *self, text_t name)
{
    entry_t *entry = find_named(self, name);
    if (entry != NULL)
        entry->covers++;
}

uint64_t silence_book_uncover(silence_book_t *self, text_t name)
{
    entry_t *entry = find_named(self, name);
    if (entry == NULL || --entry->covers > 0 || !isnan(entry->until_s))
        return 0;
    return entry->view->id;
}
