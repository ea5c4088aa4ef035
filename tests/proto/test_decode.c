/*  What the golden messages of proto/vectors cannot show: frames of megabytes, what is left behind
 * in batch and tally, and bytes that nobody would write. */
#include "proto/decode.h"

#include "proto/labels.h"
#include "proto/must.h"
#include "tests/check.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    limits_t limits;
    metric_batch_t metrics;
    request_batch_t requests;
    tally_t tally;
    msgpack_sbuffer frame;
    msgpack_packer pack;
} fixture_t;

static int set_up(void **state)
{
    fixture_t *self = memory_new(1, sizeof *self);
    self->limits = LIMITS_DEFAULT;
    metric_batch_init(&self->metrics, &self->limits);
    request_batch_init(&self->requests, &self->limits);
    msgpack_sbuffer_init(&self->frame);
    msgpack_packer_init(&self->pack, &self->frame, msgpack_sbuffer_write);
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    fixture_t *self = *state;
    metric_batch_free(&self->metrics);
    request_batch_free(&self->requests);
    msgpack_sbuffer_destroy(&self->frame);
    free(self);
    return 0;
}

/* -- what is sent -- */

static void put_text(fixture_t *self, const char *text)
{
    msgpack_pack_str_with_body(&self->pack, text, strlen(text));
}

static void put_metric(fixture_t *self, const char *name, double value)
{
    msgpack_pack_map(&self->pack, 3);
    put_text(self, "name");
    put_text(self, name);
    put_text(self, "kind");
    put_text(self, "gauge");
    put_text(self, "value");
    msgpack_pack_double(&self->pack, value);
}

static void put_request(fixture_t *self, const char *operation, double duration)
{
    msgpack_pack_map(&self->pack, 2);
    put_text(self, "operation");
    put_text(self, operation);
    put_text(self, "duration");
    msgpack_pack_double(&self->pack, duration);
}

/*  As short as an event can be that is refused: nil is no map. */
static void put_nils(fixture_t *self, size_t count)
{
    msgpack_pack_array(&self->pack, count);
    for (size_t i = 0; i < count; i++)
        msgpack_pack_nil(&self->pack);
}

/*  A compact frame of one series, named n, with so many elements in its samples. */
static void put_compact(fixture_t *self, size_t elements)
{
    msgpack_pack_map(&self->pack, 2);
    put_text(self, "series");
    msgpack_pack_array(&self->pack, 1);
    msgpack_pack_map(&self->pack, 2);
    put_text(self, "name");
    put_text(self, "n");
    put_text(self, "kind");
    put_text(self, "gauge");
    put_text(self, "samples");
    msgpack_pack_array(&self->pack, elements);
    for (size_t i = 0; i < elements; i++)
        msgpack_pack_int(&self->pack, 0);
}

static status_t decode_sent_metrics(fixture_t *self)
{
    return decode_metrics(&self->limits, self->frame.data, self->frame.size, &self->metrics,
                          &self->tally);
}

static status_t decode_sent_requests(fixture_t *self)
{
    return decode_requests(&self->limits, self->frame.data, self->frame.size, &self->requests,
                           &self->tally);
}

static uint64_t refused_in_all(const tally_t *tally)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < STATUS_COUNT; i++)
        sum += tally->refused[i];
    return sum;
}

/* -- the limits of a frame -- */

static void test_decode__a_batch_as_long_as_the_limit_is_taken(void **state)
{
    fixture_t *self = *state;
    msgpack_pack_array(&self->pack, self->limits.batch);
    for (uint32_t i = 0; i < self->limits.batch; i++)
        put_metric(self, "n", i);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, 65536);
    assert_double(self->metrics.events[65535].value, 65535, 0);
    assert_int_equal(refused_in_all(&self->tally), 0);
}

static void test_decode__a_batch_of_one_more_is_refused_whole(void **state)
{
    fixture_t *self = *state;
    msgpack_pack_array(&self->pack, self->limits.batch + 1);
    for (uint32_t i = 0; i <= self->limits.batch; i++)
        put_request(self, "n", i);
    assert_int_equal(decode_sent_requests(self), STATUS_BATCH_TOO_LONG);
    assert_int_equal(self->requests.count, 0);
    assert_int_equal(self->tally.refused[STATUS_BATCH_TOO_LONG], 1);
    assert_int_equal(refused_in_all(&self->tally), 1);
}

static void test_decode__the_length_of_a_batch_counts_refused_events_too(void **state)
{
    fixture_t *self = *state;
    put_nils(self, self->limits.batch);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->tally.refused[STATUS_NOT_A_MAP], 65536);
    msgpack_sbuffer_clear(&self->frame);
    put_nils(self, self->limits.batch + 1);
    assert_int_equal(decode_sent_metrics(self), STATUS_BATCH_TOO_LONG);
    assert_int_equal(self->tally.refused[STATUS_NOT_A_MAP], 65536);
}

static void test_decode__a_batch_too_long_and_cut_is_malformed(void **state)
{
    fixture_t *self = *state;
    put_nils(self, self->limits.batch + 1);
    self->frame.size--;
    assert_int_equal(decode_sent_metrics(self), STATUS_MALFORMED);
}

static void test_decode__a_batch_too_long_and_too_deep_is_too_deep(void **state)
{
    fixture_t *self = *state;
    msgpack_pack_array(&self->pack, self->limits.batch + 1);
    for (uint32_t i = 0; i < self->limits.batch; i++)
        msgpack_pack_nil(&self->pack);
    for (uint32_t i = 0; i < self->limits.depth; i++)
        msgpack_pack_array(&self->pack, 1);
    msgpack_pack_nil(&self->pack);
    assert_int_equal(decode_sent_metrics(self), STATUS_TOO_DEEP);
}

static void test_decode__a_compact_frame_takes_as_many_pairs_as_a_batch_events(void **state)
{
    fixture_t *self = *state;
    put_compact(self, 2 * (size_t)self->limits.batch);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, 65536);
}

static void test_decode__a_compact_frame_of_one_more_pair_is_refused_whole(void **state)
{
    fixture_t *self = *state;
    put_compact(self, 2 * (size_t)self->limits.batch + 2);
    assert_int_equal(decode_sent_metrics(self), STATUS_BATCH_TOO_LONG);
    assert_int_equal(self->metrics.count, 0);
}

static void test_decode__half_a_pair_more_is_a_pair_more(void **state)
{
    fixture_t *self = *state;
    put_compact(self, 2 * (size_t)self->limits.batch + 1);
    assert_int_equal(decode_sent_metrics(self), STATUS_BATCH_TOO_LONG);
}

static void test_decode__more_series_than_a_batch_has_events_are_refused_whole(void **state)
{
    fixture_t *self = *state;
    for (uint32_t more = 0; more <= 1; more++) {
        msgpack_sbuffer_clear(&self->frame);
        msgpack_pack_map(&self->pack, 2);
        put_text(self, "samples");
        msgpack_pack_array(&self->pack, 0);
        put_text(self, "series");
        put_nils(self, self->limits.batch + more);
        assert_int_equal(decode_sent_metrics(self), more ? STATUS_BATCH_TOO_LONG : STATUS_OK);
    }
}

/*  An event with an unknown key that makes the frame so many bytes long. */
static void put_metric_of(fixture_t *self, size_t bytes)
{
    msgpack_sbuffer_clear(&self->frame);
    put_metric(self, "n", 1);
    self->frame.data[0]++;
    put_text(self, "x");
    size_t rest = bytes - self->frame.size - 5;
    char *filling = memory_new(rest, 1);
    msgpack_pack_bin_with_body(&self->pack, filling, rest);
    free(filling);
    assert_int_equal(self->frame.size, bytes);
}

static void test_decode__a_frame_as_large_as_the_limit_is_taken(void **state)
{
    fixture_t *self = *state;
    put_metric_of(self, self->limits.frame_bytes);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, 1);
}

static void test_decode__a_frame_of_one_byte_more_is_too_large_whatever_else_it_is(void **state)
{
    fixture_t *self = *state;
    put_metric_of(self, self->limits.frame_bytes + 1);
    assert_int_equal(decode_sent_metrics(self), STATUS_TOO_LARGE);
    self->frame.data[0] = (char)0xc1;
    assert_int_equal(decode_sent_requests(self), STATUS_TOO_LARGE);
    assert_int_equal(self->tally.refused[STATUS_TOO_LARGE], 2);
    assert_int_equal(refused_in_all(&self->tally), 2);
}

/* -- what is left behind -- */

static void test_decode__a_frame_with_trailing_bytes_is_refused_whole(void **state)
{
    fixture_t *self = *state;
    msgpack_pack_array(&self->pack, 3);
    put_metric(self, "a", 1);
    msgpack_pack_nil(&self->pack);
    put_metric(self, "b", 2);
    msgpack_pack_nil(&self->pack);
    assert_int_equal(decode_sent_metrics(self), STATUS_MALFORMED);
    assert_int_equal(self->metrics.count, 0);
    assert_int_equal(self->tally.refused[STATUS_MALFORMED], 1);
    assert_int_equal(refused_in_all(&self->tally), 1);
}

static void test_decode__a_refused_frame_leaves_the_events_before_it(void **state)
{
    fixture_t *self = *state;
    static const char bad[] = "\x92\x81\xa4name";
    put_metric(self, "kept", 7);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(
        decode_metrics(&self->limits, bad, sizeof bad - 1, &self->metrics, &self->tally),
        STATUS_MALFORMED);
    assert_int_equal(self->metrics.count, 1);
    assert_text(self->metrics.events[0].name, "kept");
    assert_double(self->metrics.events[0].value, 7, 0);
}

static void test_decode__each_frame_counts_as_one_whatever_becomes_of_it(void **state)
{
    fixture_t *self = *state;
    put_metric(self, "n", 1);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    self->frame.size--;
    assert_int_equal(decode_sent_metrics(self), STATUS_MALFORMED);
    assert_int_equal(self->tally.frames, 2);
    assert_int_equal(self->tally.accepted, 0); /* counted by whoever applies the events */
}

static void test_decode__a_whole_batch_fits_behind_the_slack(void **state)
{
    fixture_t *self = *state;
    put_metric(self, "before", 1);
    for (uint32_t i = 0; i < BATCH_SLACK; i++)
        assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    msgpack_sbuffer_clear(&self->frame);
    put_compact(self, 2 * (size_t)self->limits.batch);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, 65536 + BATCH_SLACK);
    assert_text(self->metrics.events[BATCH_SLACK].name, "n");
}

static void test_decode__a_small_limit_holds_for_compact_frames_and_lone_maps(void **state)
{
    fixture_t *self = *state;
    self->limits.batch = 1;
    put_compact(self, 2);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    msgpack_sbuffer_clear(&self->frame);
    put_compact(self, 3);
    assert_int_equal(decode_sent_metrics(self), STATUS_BATCH_TOO_LONG);
    msgpack_sbuffer_clear(&self->frame);
    put_request(self, "op", 1);
    assert_int_equal(decode_sent_requests(self), STATUS_OK);
}

static void test_decode__a_depth_of_one_leaves_no_room_for_labels(void **state)
{
    fixture_t *self = *state;
    self->limits.depth = 1;
    put_metric(self, "n", 1);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    self->frame.data[0]++;
    put_text(self, "labels");
    msgpack_pack_map(&self->pack, 0);
    assert_int_equal(decode_sent_metrics(self), STATUS_TOO_DEEP);
    self->limits.depth = 2;
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
}

static void test_decode__texts_and_labels_are_looks_into_the_frame(void **state)
{
    fixture_t *self = *state;
    put_metric(self, "n", 1);
    self->frame.data[0]++;
    put_text(self, "labels");
    msgpack_pack_map(&self->pack, 1);
    put_text(self, "a");
    put_text(self, "1");
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    const metric_event_t *event = &self->metrics.events[0];
    const char *end = self->frame.data + self->frame.size;
    assert_ptr_equal(event->name.data, self->frame.data + 1 + 5 + 1);
    assert_ptr_equal((const char *)event->labels.bytes + event->labels.size, end);
    assert_int_equal(event->labels.size, 4);
    assert_int_equal(event->labels.count, 1);
}

static void test_decode__a_series_of_an_earlier_frame_is_not_remembered(void **state)
{
    fixture_t *self = *state;
    put_compact(self, 2);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    static const char bare[] = "\x82\xa6series\x90\xa7samples\x92\x00\x01";
    assert_int_equal(
        decode_metrics(&self->limits, bare, sizeof bare - 1, &self->metrics, &self->tally),
        STATUS_OK);
    assert_int_equal(self->metrics.count, 1);
    assert_int_equal(self->tally.refused[STATUS_BAD_VALUE], 1);
}

/* -- bytes that nobody would write -- */

/*  Decode a copy of just these bytes, so that the sanitizer sees a look beyond them. */
static void decode_copy(fixture_t *self, const char *bytes, size_t size)
{
    void *copy = memory_copy(bytes, size);
    self->metrics.count = self->requests.count = 0;
    decode_metrics(&self->limits, copy, size, &self->metrics, &self->tally);
    decode_requests(&self->limits, copy, size, &self->requests, &self->tally);
    free(copy);
}

static void put_everything(fixture_t *self)
{
    msgpack_pack_array(&self->pack, 2);
    put_metric(self, "name", 1.5);
    self->frame.data[1] = (char)0x85;
    put_text(self, "labels");
    msgpack_pack_map(&self->pack, 1);
    put_text(self, "host");
    put_text(self, "a");
    put_text(self, "time");
    msgpack_pack_double(&self->pack, 1e9);
    put_request(self, "GET /", 0.25);
}

static void test_decode__a_frame_cut_anywhere_is_malformed(void **state)
{
    fixture_t *self = *state;
    put_everything(self);
    for (size_t size = 0; size < self->frame.size; size++)
        decode_copy(self, self->frame.data, size);
    assert_int_equal(self->tally.refused[STATUS_MALFORMED], 2 * self->frame.size);
    assert_int_equal(refused_in_all(&self->tally), 2 * self->frame.size);
}

static void test_decode__no_flipped_bit_leads_outside_the_frame(void **state)
{
    fixture_t *self = *state;
    put_everything(self);
    for (size_t bit = 0; bit < 8 * self->frame.size; bit++) {
        self->frame.data[bit / 8] = (char)(self->frame.data[bit / 8] ^ 1 << bit % 8);
        decode_copy(self, self->frame.data, self->frame.size);
        self->frame.data[bit / 8] = (char)(self->frame.data[bit / 8] ^ 1 << bit % 8);
    }
    assert_int_equal(self->tally.frames, 2 * 8 * self->frame.size);
}

/* -- the parts that commands and configuration use too -- */

static void test_decode__a_line_of_text_has_no_controls(void **state)
{
    (void)state;
    static const char *const clean[] = {"",
                                        "a",
                                        "1234567",
                                        "12345678",
                                        "123456789",
                                        "~ !\"",
                                        "\xc2\xa0",
                                        "\xc3\xbf",
                                        "\xef\xbf\xbf",
                                        "\xf0\x9f\x94\x94",
                                        "abcdefg\xc3\xa4hijklmnopq"};
    static const char *const unclean[] = {
        "\x01",     "\n",       "\t",       "\x7f",         "1234567\x1f",
        "\x1f\x32", "\xc2\x80", "\xc2\x9f", "12345678\x7f", "123\n4567890123456"};
    for (size_t i = 0; i < sizeof clean / sizeof *clean; i++)
        assert_true(text_is_clean(text_of(clean[i]), TEXT_LINE));
    for (size_t i = 0; i < sizeof unclean / sizeof *unclean; i++)
        assert_false(text_is_clean(text_of(unclean[i]), TEXT_LINE));
    assert_false(text_is_clean((text_t){"a\0b", 3}, TEXT_LINE));
    assert_true(text_is_clean(TEXT_NONE, TEXT_LINE));
}

static void test_decode__free_text_may_hold_newlines_and_tabs_and_no_other_control(void **state)
{
    (void)state;
    assert_true(text_is_clean(text_of("a\n\tb"), TEXT_FREE));
    assert_false(text_is_clean(text_of("a\r\nb"), TEXT_FREE));
    assert_false(text_is_clean(text_of("\xc2\x85"), TEXT_FREE));
    assert_false(text_is_clean(text_of("\x7f"), TEXT_FREE));
}

/*  Encoded as the Unicode standard says it is done, whether or not it may be. */
static size_t encode_character(uint32_t code, char *bytes)
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    for (size_t i = size; i-- > 1; code >>= 6)
        bytes[i] = (char)(0x80 | (code & 0x3f));
    bytes[0] = (char)(leads[size] | code);
    return size;
}

static void test_decode__every_character_but_controls_and_surrogates_is_clean(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x120000; code++) {
        char bytes[4];
        size_t size = encode_character(code, bytes);
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        bool surrogate = code >= 0xd800 && code < 0xe000;
        if (text_is_clean((text_t){bytes, size}, TEXT_LINE) !=
            !(control || surrogate || code > 0x10ffff))
            fail_msg("U+%04X", (unsigned)code);
        if (size > 1 && text_is_clean((text_t){bytes, size - 1}, TEXT_LINE))
            fail_msg("U+%04X, cut", (unsigned)code);
    }
}

static void test_decode__no_overlong_encoding_is_clean(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x10000; code++) {
        char two[2] = {(char)(0xc0 | (code >> 6 & 0x1f)), (char)(0x80 | (code & 0x3f))};
        char three[3] = {(char)(0xe0 | code >> 12), (char)(0x80 | (code >> 6 & 0x3f)), two[1]};
        char four[4] = {(char)0xf0, (char)(0x80 | code >> 12), three[1], three[2]};
        assert_false(code < 0x80 && text_is_clean((text_t){two, 2}, TEXT_FREE));
        assert_false(code < 0x800 && text_is_clean((text_t){three, 3}, TEXT_FREE));
        assert_false(text_is_clean((text_t){four, 4}, TEXT_FREE));
    }
}

static void test_decode__a_control_is_found_at_every_place_of_a_text(void **state)
{
    (void)state;
    char text[40];
    for (size_t size = 1; size <= sizeof text; size++) {
        for (size_t at = 0; at < size; at++) {
            memset(text, 'x', size);
            text[at] = '\x1f';
            assert_false(text_is_clean((text_t){text, size}, TEXT_LINE));
        }
    }
}

/*  The same through an event, where short texts are checked as one word. */
static void test_decode__a_control_is_found_at_every_place_of_a_name(void **state)
{
    fixture_t *self = *state;
    char name[41];
    uint64_t names = 0;
    for (size_t size = 1; size < sizeof name; size++) {
        for (size_t at = 0; at < size; at++, names++) {
            memset(name, 'x', size);
            name[at] = "\x1f\x7f\xff"[at % 3];
            name[size] = '\0';
            msgpack_sbuffer_clear(&self->frame);
            put_metric(self, name, 1);
            assert_int_equal(decode_sent_metrics(self), STATUS_OK);
        }
    }
    assert_int_equal(self->tally.refused[STATUS_BAD_TEXT], names);
}

static void test_decode__labels_move_the_cursor_behind_them_in_every_case(void **state)
{
    fixture_t *self = *state;
    static const char bad[] = "\xa1"
                              "a\x01\xa1"
                              "b\xa1"
                              "2\x07";
    static const char good[] = "\xa1"
                               "a\xa1"
                               "1\x07";
    raw_labels_t labels = {NULL, 0, 77};
    cursor_t cursor = cursor_over(bad, sizeof bad - 1);
    assert_int_equal(decode_labels(&self->limits, &cursor, 2, &labels), STATUS_WRONG_TYPE);
    assert_int_equal(cursor_left(&cursor), 1);
    assert_int_equal(labels.count, 77);
    cursor = cursor_over(good, sizeof good - 1);
    assert_int_equal(decode_labels(&self->limits, &cursor, 1, &labels), STATUS_OK);
    assert_int_equal(cursor_left(&cursor), 1);
    assert_int_equal(labels.count, 1);
    assert_int_equal(labels.size, 4);
    assert_int_equal(decode_labels(&self->limits, &cursor, 0, &labels), STATUS_OK);
    assert_int_equal(labels.count, 0);
}

static void test_decode__sixty_four_pairs_of_which_half_are_empty_are_labels(void **state)
{
    fixture_t *self = *state;
    static uint8_t buffer[LABELS_MAX_BYTES];
    for (uint32_t i = 0; i < LABELS_MAX; i++) {
        char name[3] = {'n', (char)('0' + i), '\0'};
        put_text(self, name);
        put_text(self, i % 2 == 0 ? "v" : "");
    }
    raw_labels_t labels;
    cursor_t cursor = cursor_over(self->frame.data, self->frame.size);
    assert_int_equal(decode_labels(&self->limits, &cursor, LABELS_MAX, &labels), STATUS_OK);
    assert_int_equal(labels_canonical(labels, buffer).count, 32);
}

/* -- whole numbers that no double holds -- */

static void put_whole(fixture_t *self, uint64_t value)
{
    msgpack_pack_map(&self->pack, 3);
    put_text(self, "value");
    msgpack_pack_uint64(&self->pack, value);
    put_text(self, "name");
    put_text(self, "n");
    put_text(self, "kind");
    put_text(self, "counter");
}

static void test_decode__a_whole_number_beyond_a_double_comes_with_its_rest(void **state)
{
    fixture_t *self = *state;
    const struct {
        uint64_t sent;
        double value;
        int rest;
    } numbers[] = {{1, 1, 0},
                   {UINT64_C(1) << 53, 0x1p53, 0},
                   {(UINT64_C(1) << 53) + 1, 0x1p53, 1},
                   {(UINT64_C(1) << 53) + 3, 0x1p53 + 4, -1},
                   {(UINT64_C(1) << 63) - 1, 0x1p63, -1},
                   {(UINT64_C(1) << 63) + 1023, 0x1p63, 1023},
                   {UINT64_MAX, 0x1p64, -1}};
    size_t count = sizeof numbers / sizeof *numbers;
    msgpack_pack_array(&self->pack, count);
    for (size_t i = 0; i < count; i++)
        put_whole(self, numbers[i].sent);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_double(self->metrics.events[i].value, numbers[i].value, 0);
        assert_int_equal(self->metrics.events[i].rest, numbers[i].rest);
    }
}

static void test_decode__a_sample_of_a_compact_frame_comes_with_its_rest(void **state)
{
    fixture_t *self = *state;
    put_compact(self, 0);
    self->frame.data[self->frame.size - 1] = (char)0x94; /* samples: [0, 2^53 + 1, 0, 5.0] */
    msgpack_pack_int(&self->pack, 0);
    msgpack_pack_uint64(&self->pack, (UINT64_C(1) << 53) + 1);
    msgpack_pack_int(&self->pack, 0);
    msgpack_pack_double(&self->pack, 5);
    assert_int_equal(decode_sent_metrics(self), STATUS_OK);
    assert_int_equal(self->metrics.count, 2);
    assert_int_equal(self->metrics.events[0].rest, 1);
    assert_int_equal(self->metrics.events[1].rest, 0);
}

#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_decode__a_batch_as_long_as_the_limit_is_taken),
        STORY(test_decode__a_batch_of_one_more_is_refused_whole),
        STORY(test_decode__the_length_of_a_batch_counts_refused_events_too),
        STORY(test_decode__a_batch_too_long_and_cut_is_malformed),
        STORY(test_decode__a_batch_too_long_and_too_deep_is_too_deep),
        STORY(test_decode__a_compact_frame_takes_as_many_pairs_as_a_batch_events),
        STORY(test_decode__a_compact_frame_of_one_more_pair_is_refused_whole),
        STORY(test_decode__half_a_pair_more_is_a_pair_more),
        STORY(test_decode__more_series_than_a_batch_has_events_are_refused_whole),
        STORY(test_decode__a_frame_as_large_as_the_limit_is_taken),
        STORY(test_decode__a_frame_of_one_byte_more_is_too_large_whatever_else_it_is),
        STORY(test_decode__a_frame_with_trailing_bytes_is_refused_whole),
        STORY(test_decode__a_refused_frame_leaves_the_events_before_it),
        STORY(test_decode__each_frame_counts_as_one_whatever_becomes_of_it),
        STORY(test_decode__a_whole_batch_fits_behind_the_slack),
        STORY(test_decode__a_small_limit_holds_for_compact_frames_and_lone_maps),
        STORY(test_decode__a_depth_of_one_leaves_no_room_for_labels),
        STORY(test_decode__texts_and_labels_are_looks_into_the_frame),
        STORY(test_decode__a_series_of_an_earlier_frame_is_not_remembered),
        STORY(test_decode__a_frame_cut_anywhere_is_malformed),
        STORY(test_decode__no_flipped_bit_leads_outside_the_frame),
        STORY(test_decode__a_line_of_text_has_no_controls),
        STORY(test_decode__free_text_may_hold_newlines_and_tabs_and_no_other_control),
        STORY(test_decode__every_character_but_controls_and_surrogates_is_clean),
        STORY(test_decode__no_overlong_encoding_is_clean),
        STORY(test_decode__a_control_is_found_at_every_place_of_a_text),
        STORY(test_decode__a_control_is_found_at_every_place_of_a_name),
        STORY(test_decode__labels_move_the_cursor_behind_them_in_every_case),
        STORY(test_decode__sixty_four_pairs_of_which_half_are_empty_are_labels),
        STORY(test_decode__a_whole_number_beyond_a_double_comes_with_its_rest),
        STORY(test_decode__a_sample_of_a_compact_frame_comes_with_its_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
