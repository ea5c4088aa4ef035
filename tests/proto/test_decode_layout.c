#include "proto/decode.h"
#include "proto/pack.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

#include <string.h>

/*  Frames as senders make them: a few lines of code each, whose events differ in their values
 *  alone; among them events that are odd in one way. Whatever a batch has learned, it must read
 *  every frame as one that has learned nothing. */

#define SITES_MAX 24u
#define FRAMES 12u

typedef enum {
    HAS_UNIT = 1,
    HAS_TIME = 2,
    HAS_LABELS = 4,
    VALUE_FIRST = 8,
    LABELS_FIRST = 16
} site_has_t;

typedef struct {
    char name[40];
    const char *kind;
    unsigned has;
    uint32_t labels;
    uint32_t serial;
} site_t;

typedef enum {
    ODD_NOT,
    ODD_WHOLE_VALUE,
    ODD_LONG_WHOLE_VALUE,
    ODD_NEGATIVE,
    ODD_INFINITE,
    ODD_NIL_VALUE,
    ODD_LABEL_OF_CONTROLS,
    ODD_LABEL_TOO_LONG,
    ODD_LABEL_EMPTY,
    ODD_LABEL_OF_UMLAUTS,
    ODD_LABEL_NUMBER,
    ODD_TIME_EXTENSION,
    ODD_UNKNOWN_KEY,
    ODD_COUNT
} odd_t;

static void make_site(site_t *self, dice_t *dice, uint32_t serial)
{
    static const char *const kinds[] = {"gauge", "counter", "histogram"};
    *self = (site_t){.kind = kinds[dice_below(dice, 3)],
                     .has = (unsigned)dice_below(dice, 32),
                     .labels = (uint32_t)dice_below(dice, 4),
                     .serial = serial};
    snprintf(self->name, sizeof self->name, "%s_%u",
             dice_chance(dice, 0.5) ? "a_name_that_is_rather_long" : "n",
             (unsigned)dice_below(dice, SITES_MAX));
}

static void put_value(msgpack_sbuffer *out, odd_t odd, dice_t *dice)
{
    pack_string(out, "value");
    if (odd == ODD_WHOLE_VALUE)
        pack_int(out, (int64_t)dice_below(dice, 100000));
    else if (odd == ODD_LONG_WHOLE_VALUE)
        pack_uint(out, (UINT64_C(1) << 53) + dice_below(dice, 1000));
    else if (odd == ODD_NIL_VALUE)
        pack_nil(out);
    else if (odd == ODD_INFINITE)
        pack_raw(out, TEXT_OF("\xcb\x7f\xf0\0\0\0\0\0\0"));
    else
        pack_number(out, odd == ODD_NEGATIVE ? -1.5 : dice_unit(dice));
}

static void put_label_value(msgpack_sbuffer *out, odd_t odd, dice_t *dice)
{
    char text[1100];
    snprintf(text, sizeof text, "v%u", (unsigned)dice_below(dice, 1u << dice_below(dice, 20)));
    if (odd == ODD_LABEL_TOO_LONG) {
        memset(text, 'x', 1025);
        text[1025] = '\0';
    }
    if (odd == ODD_LABEL_NUMBER)
        pack_uint(out, 7);
    else
        pack_string(out, odd == ODD_LABEL_OF_CONTROLS  ? "a\x01"
                         : odd == ODD_LABEL_EMPTY      ? ""
                         : odd == ODD_LABEL_OF_UMLAUTS ? "\xc3\xa4\xc3\xb6"
                                                       : text);
}

static void put_labels(msgpack_sbuffer *out, const site_t *site, odd_t odd, dice_t *dice)
{
    char name[32];
    pack_string(out, "labels");
    pack_map(out, site->labels);
    for (uint32_t i = 0; i < site->labels; i++) {
        snprintf(name, sizeof name, "label%u_%u", site->serial, i);
        pack_string(out, name);
        put_label_value(out, i == 0 ? odd : ODD_NOT, dice);
    }
}

static void put_time(msgpack_sbuffer *out, odd_t odd, dice_t *dice)
{
    pack_string(out, "time");
    if (odd == ODD_TIME_EXTENSION)
        pack_raw(out, TEXT_OF("\xd6\xff\x60\0\0\0"));
    else
        pack_number(out, 1.8e9 + dice_unit(dice));
}

static void put_event(msgpack_sbuffer *out, const site_t *site, odd_t odd, dice_t *dice)
{
    bool unit = site->has & HAS_UNIT, time = site->has & HAS_TIME, labels = site->has & HAS_LABELS;
    pack_map(out, 3u + unit + time + labels + (odd == ODD_UNKNOWN_KEY));
    if (site->has & VALUE_FIRST)
        put_value(out, odd, dice);
    if (labels && (site->has & LABELS_FIRST))
        put_labels(out, site, odd, dice);
    pack_string(out, "name");
    pack_string(out, site->name);
    pack_string(out, "kind");
    pack_string(out, site->kind);
    if (!(site->has & VALUE_FIRST))
        put_value(out, odd, dice);
    if (unit) {
        pack_string(out, "unit");
        pack_string(out, "seconds");
    }
    if (time)
        put_time(out, odd, dice);
    if (labels && !(site->has & LABELS_FIRST))
        put_labels(out, site, odd, dice);
    if (odd == ODD_UNKNOWN_KEY) {
        pack_string(out, "more");
        pack_uint(out, dice_below(dice, 100));
    }
}

static void put_frame(msgpack_sbuffer *out, const site_t *sites, uint32_t site_count, dice_t *dice)
{
    uint32_t count = 1 + (uint32_t)dice_below(dice, 20);
    double share = dice_chance(dice, 0.5) ? 0.02 : 0.3;
    out->size = 0;
    if (count > 1)
        pack_array(out, count);
    for (uint32_t i = 0; i < count; i++)
        put_event(out, &sites[dice_below(dice, site_count)],
                  dice_chance(dice, share) ? (odd_t)dice_below(dice, ODD_COUNT) : ODD_NOT, dice);
}

static void expect_same_event(const metric_event_t *a, const metric_event_t *b)
{
    assert_true(a->name.data == b->name.data && a->name.size == b->name.size);
    assert_true(a->unit.data == b->unit.data && a->unit.size == b->unit.size);
    assert_ptr_equal(a->labels.bytes, b->labels.bytes);
    assert_int_equal(a->labels.size, b->labels.size);
    assert_int_equal(a->labels.count, b->labels.count);
    assert_int_equal(a->kind, b->kind);
    assert_memory_equal(&a->value, &b->value, sizeof a->value);
    assert_memory_equal(&a->time_s, &b->time_s, sizeof a->time_s);
    assert_ptr_equal(a->values, b->values);
    assert_int_equal(a->value_count, b->value_count);
    assert_int_equal(a->rest, b->rest);
    assert_int_equal(a->entry, b->entry);
}

static void expect_same(const limits_t *limits, const msgpack_sbuffer *frame,
                        metric_batch_t *learned)
{
    tally_t one = {0}, other = {0};
    metric_batch_t fresh;
    metric_batch_init(&fresh, limits);
    learned->count = 0;
    decode_metrics(limits, frame->data, frame->size, learned, &one);
    decode_metrics(limits, frame->data, frame->size, &fresh, &other);
    assert_memory_equal(&one, &other, sizeof one);
    assert_int_equal(learned->count, fresh.count);
    for (size_t i = 0; i < fresh.count; i++)
        expect_same_event(&learned->events[i], &fresh.events[i]);
    metric_batch_free(&fresh);
}

static void read_history(dice_t *dice)
{
    limits_t limits = LIMITS_DEFAULT, narrow = LIMITS_DEFAULT;
    limits.batch = narrow.batch = 64;
    narrow.labels = 1;
    narrow.label_value_bytes = 3;
    narrow.name_bytes = 8;
    const limits_t *usual = dice_chance(dice, 0.3) ? &narrow : &limits;
    site_t sites[SITES_MAX];
    uint32_t count = 1 + (uint32_t)dice_below(dice, SITES_MAX);
    for (uint32_t i = 0; i < count; i++)
        make_site(&sites[i], dice, i);
    metric_batch_t learned;
    msgpack_sbuffer frame;
    metric_batch_init(&learned, &limits);
    msgpack_sbuffer_init(&frame);
    for (uint32_t i = 0; i < FRAMES; i++) {
        put_frame(&frame, sites, count, dice);
        expect_same(dice_chance(dice, 0.1) ? &limits : usual, &frame, &learned);
    }
    msgpack_sbuffer_destroy(&frame);
    metric_batch_free(&learned);
}

static void test_decode_layout__what_was_learned_changes_no_event_and_no_refusal(void **state)
{
    (void)state;
    seeds_run(read_history);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_decode_layout__what_was_learned_changes_no_event_and_no_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
