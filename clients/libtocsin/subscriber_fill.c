#include "clients/libtocsin/clock.h"
#include "clients/libtocsin/commander.h"
#include "clients/libtocsin/subscriber.h"
#include "proto/cursor.h"

#include <stdlib.h>
#include <string.h>

/* As many as the broker answers at once. */
#define PAGE_ITEMS 1000

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static bool read_whole(tocsin_value_t value, uint64_t *whole)
{
    int64_t integer;
    if (!tocsin_value_integer(value, &integer) || integer < 0)
        return false;
    *whole = (uint64_t)integer;
    return true;
}

bool arrival_read(tocsin_value_t body, arrival_t *arrival)
{
    size_t size;
    const char *name = tocsin_value_text(tocsin_value_of(body, "family"), &size);
    arrival->body = body;
    arrival->family = name == NULL ? FAMILY_COUNT : family_named(name, size);
    return arrival->family < FAMILY_COUNT &&
           read_whole(tocsin_value_of(body, "seq"), &arrival->seq) && arrival->seq > 0;
}

/* -- heads -- */

static bool read_head(tocsin_value_t heads, family_t family, uint64_t *head)
{
    return read_whole(tocsin_value_of(heads, family_word(family)), head);
}

void subscriber_see_heads(tocsin_subscriber_t *self, tocsin_value_t heads)
{
    uint64_t head;
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++)
        if (read_head(heads, family, &head))
            place_see_head(&self->places[family], head);
}

bool subscriber_is_behind(const tocsin_subscriber_t *self, tocsin_value_t heads)
{
    uint64_t head;
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++)
        if (self->places[family].known && read_head(heads, family, &head) &&
            head < self->places[family].given)
            return true;
    return false;
}

/*  The subscription came first, so whatever is published after these heads either arrives or leaves
 *  a hole that shows. */
static void begin_at_heads(tocsin_subscriber_t *self, tocsin_value_t heads)
{
    subscriber_see_heads(self, heads);
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++) {
        place_t *place = &self->places[family];
        place_begin(place, self->replay ? lesser(self->since, place->head) : place->head);
    }
}

static void begin_anew(tocsin_subscriber_t *self, tocsin_value_t heads)
{
    uint64_t head;
    for (family_t family = 0; family < FAMILY_HEARTBEAT; family++)
        if (read_head(heads, family, &head) && head < self->places[family].given)
            place_begin_anew(&self->places[family], head);
}

/* -- pages -- */

static void close_page(tocsin_subscriber_t *self)
{
    tocsin_reply_destroy(&self->page);
    self->items_left = 0;
}

static void open_page(tocsin_subscriber_t *self, tocsin_reply_t *page)
{
    close_page(self);
    self->page = page;
    tocsin_value_t items = tocsin_value_of(tocsin_reply_result(page), "items");
    cursor_t cursor = cursor_over(items.bytes, items.size);
    value_t head;
    if (items.size > 0 && cursor_read(&cursor, &head) && head.type == VALUE_ARRAY) {
        self->items_left = head.as.count;
        self->items = (tocsin_value_t){cursor.at, cursor_left(&cursor)};
    }
}

bool subscriber_next_item(tocsin_subscriber_t *self, arrival_t *arrival)
{
    while (self->items_left > 0) {
        cursor_t cursor = cursor_over(self->items.bytes, self->items.size);
        if (!cursor_skip(&cursor))
            break;
        tocsin_value_t body = {self->items.bytes, self->items.size - cursor_left(&cursor)};
        self->items = (tocsin_value_t){cursor.at, cursor_left(&cursor)};
        self->items_left--;
        if (arrival_read(body, arrival) && arrival->family == self->page_family)
            return true;
    }
    self->items_left = 0;
    return false;
}

/*  The last number that is missing: what is held is not. */
static uint64_t hole_end(const tocsin_subscriber_t *self, family_t family)
{
    bool ends_at_held = self->held.body.size > 0 && self->held.family == family;
    return ends_at_held ? self->held.seq - 1 : self->places[family].head;
}

/*  Nothing of what is missing can be had: what the broker says is lost is lost; the rest may still
 *  be on its way to the store. */
static void take_empty_page(place_t *place, uint64_t end, tocsin_value_t result)
{
    uint64_t from, to;
    tocsin_value_t lost = tocsin_value_of(result, "lost");
    if (read_whole(tocsin_value_at(lost, 0), &from) && read_whole(tocsin_value_at(lost, 1), &to) &&
        from <= place->given + 1 && to > place->given)
        place_give_up(place, lesser(to, end));
    else
        place_ask_later(place, end, clock_now());
}

/*  It was trimmed: begin with the oldest that is still held, whose number the message names last.
 */
static void skip_trimmed(place_t *place, uint64_t end, const char *message)
{
    size_t size = strlen(message), digits = 0;
    while (digits < size && message[size - digits - 1] >= '0' && message[size - digits - 1] <= '9')
        digits++;
    uint64_t oldest = digits == 0 ? 0 : strtoull(message + size - digits, NULL, 10);
    place_give_up(place, oldest > 0 ? lesser(oldest - 1, end) : end);
}

static void take_page(tocsin_subscriber_t *self, tocsin_reply_t *reply)
{
    place_t *place = &self->places[self->page_family];
    uint64_t end = hole_end(self, self->page_family);
    open_page(self, reply);
    if (self->items_left == 0)
        take_empty_page(place, end, tocsin_reply_result(reply));
}

static void take_refusal(tocsin_subscriber_t *self, const tocsin_reply_t *reply)
{
    place_t *place = &self->places[self->page_family];
    uint64_t end = hole_end(self, self->page_family);
    const char *code = tocsin_reply_code(reply);
    if (strcmp(code, "gone") == 0)
        skip_trimmed(place, end, tocsin_reply_message(reply));
    else if (strcmp(code, "unavailable") == 0 || strcmp(code, "limit") == 0)
        place->retry_at =
            clock_now() + PLACE_RETRY_S; /* it is in trouble, and will have it later */
    else
        place_give_up(place, end);
}

/* -- questions -- */

static tocsin_status_t take_answer(tocsin_subscriber_t *self, tocsin_status_t status,
                                   tocsin_reply_t *reply)
{
    asked_t asked = self->asked;
    if (status == TOCSIN_TIMEOUT || status == TOCSIN_INTERRUPTED)
        return status;
    self->asked = ASKED_NOTHING;
    if (status != TOCSIN_OK && status != TOCSIN_REFUSED)
        return status;
    if (asked == ASKED_FOR_PAGE && status == TOCSIN_OK) {
        take_page(self, reply);
        return TOCSIN_OK;
    }
    if (asked == ASKED_FOR_PAGE)
        take_refusal(self, reply);
    else if (status == TOCSIN_OK && asked == ASKED_WHETHER_ANEW)
        begin_anew(self, tocsin_reply_result(reply));
    else if (status == TOCSIN_OK)
        begin_at_heads(self, tocsin_reply_result(reply));
    self->started = self->started || asked == ASKED_WHERE_TO_BEGIN;
    tocsin_reply_destroy(&reply);
    return TOCSIN_OK;
}

static double left_until(double until)
{
    double left = until - clock_now();
    return left > 0 ? left : 0;
}

tocsin_status_t subscriber_await(tocsin_subscriber_t *self, double until)
{
    tocsin_reply_t *reply;
    tocsin_status_t status = tocsin_ask_again(self->commander, &reply, left_until(until));
    return take_answer(self, status, reply);
}

tocsin_status_t subscriber_ask(tocsin_subscriber_t *self, asked_t question, double until)
{
    tocsin_reply_t *reply;
    tocsin_status_t status;
    self->asked = question;
    commander_set_timeout(self->commander, left_until(until));
    if (question == ASKED_FOR_PAGE)
        status = tocsin_ask(self->commander, &reply, "events.since", "family:s seq:I limit:i",
                            family_word(self->page_family),
                            (int64_t)self->places[self->page_family].given, PAGE_ITEMS);
    else
        status = tocsin_ask(self->commander, &reply, "events.heads", NULL);
    return take_answer(self, status, reply);
}
