#include "engines/observability/slo_monitor.h"

#include "engines/hash.h"
#include "engines/keep.h"
#include "engines/observability/slo_monitor_inside.h"
#include "proto/must.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_S 60.0
#define HOUR_S 3600.0
#define DAY_S 86400.0
/* Below this a bucket is shorter than a millisecond, which no clock in use tells apart well. */
#define WINDOW_MIN_S 0.06
#define PERIOD_MAX_S (366 * DAY_S)

static const double lengths_s[W_OWN] = {5 * MINUTE_S, 30 * MINUTE_S, HOUR_S,   2 * HOUR_S,
                                        6 * HOUR_S,   24 * HOUR_S,   3 * DAY_S};

/* The workbook's pairs: this share of the budget spent within the long window. */
static const struct {
    int long_window, short_window;
    unsigned share_percent;
    const char *name;
} pairs[SLO_PAIRS] = {{W_1H, W_5M, 2, "1h/5m"},
                      {W_6H, W_30M, 5, "6h/30m"},
                      {W_24H, W_2H, 10, "24h/2h"},
                      {W_3D, W_6H, 10, "3d/6h"}};

/* -- numbers -- */

static int64_t to_ns(double seconds)
{
    return (int64_t)llround(seconds * (double)NS_PER_S);
}

static window_counts_t counts_of(const slo_entry_t *entry, int window)
{
    window_counts_t total = entry->windows[window].total;
    return (window_counts_t){total.good + entry->pending.good, total.bad + entry->pending.bad};
}

/* bad / total / allowed, with one rounding where the numbers are people's. */
static double burn_of(const slo_entry_t *entry, window_counts_t counts)
{
    uint64_t total = counts.good + counts.bad;
    if (total == 0)
        return NAN;
    return (double)counts.bad * (double)entry->allowed.bottom /
           ((double)total * (double)entry->allowed.top);
}

static double compliance_of(window_counts_t counts)
{
    uint64_t total = counts.good + counts.bad;
    return total == 0 ? NAN : 100.0 * (double)counts.good / (double)total;
}

static double budget_of(const slo_entry_t *entry, window_counts_t counts)
{
    return 1 - burn_of(entry, counts);
}

/* -- definitions -- */

static bool good_definition(const slo_t *slo)
{
    return slo->name.size > 0 && slo->target_percent > 0 && slo->target_percent < 100 &&
           fraction_of(100 - slo->target_percent).top > 0 && slo->window >= WINDOW_MIN_S &&
           slo->period >= slo->window && slo->period <= PERIOD_MAX_S && !(slo->latency < 0);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_text(text_t a, text_t b)
{
    return (a.data == NULL) == (b.data == NULL) && text_equal(a, b);
}

bool slo_same_definition(const slo_t *a, const slo_t *b)
{
    return a->target_percent == b->target_percent && a->window == b->window &&
           a->period == b->period && same_number(a->latency, b->latency) &&
           a->min_events == b->min_events && same_text(a->match.operation, b->match.operation) &&
           same_text(a->match.dependency, b->match.dependency) &&
           labels_equal(a->match.labels, b->match.labels);
}

/* "13.44": up to three decimals. */
static size_t write_rate(char *out, double rate)
{
    uint64_t thousandths = (uint64_t)llround(rate * 1000);
    char digits[24];
    size_t count = 0, size = 0;
    int decimals = 3;
    for (; decimals > 0 && thousandths % 10 == 0; decimals--)
        thousandths /= 10;
    do {
        if (count > 0 && (int)count == decimals)
            digits[count++] = '.', decimals = -1;
        digits[count++] = (char)('0' + thousandths % 10);
        thousandths /= 10;
    } while (thousandths > 0 || (int)count <= decimals);
    while (count > 0)
        out[size++] = digits[--count];
    return size;
}

static void leave_out(slo_entry_t *entry, size_t pair, double rate)
{
    size_t at = entry->left_out_count++;
    char *text = entry->left_out[at];
    size_t size = write_rate(text, rate);
    text[size++] = 'x';
    text[size++] = ' ';
    size_t name = strlen(pairs[pair].name);
    memcpy(text + size, pairs[pair].name, name);
    entry->left_out_texts[at] = (text_t){text, size + name};
}

static void set_pairs(slo_entry_t *entry)
{
    double greatest = (double)entry->allowed.bottom / (double)entry->allowed.top;
    for (size_t i = 0; i < SLO_PAIRS; i++) {
        double length = lengths_s[pairs[i].long_window];
        double rate = pairs[i].share_percent * entry->slo.period / (100 * length);
        if (rate > greatest || length > entry->slo.period)
            leave_out(entry, i, rate);
        else
            entry->rates[i] = rate;
    }
}

/* The share that may be bad, of a target whose own decimals are a person's: 100 - 99.9 in doubles
 * is not 0.1, but to nine decimals it is. */
static fraction_t allowed_share(double target_percent)
{
    fraction_t percent = fraction_of(100 - target_percent);
    return fraction_reduce(percent.top, percent.bottom * 100);
}

static void start_windows(slo_entry_t *entry, instant_t now)
{
    for (int i = 0; i < W_OWN; i++)
        window_init(&entry->windows[i], to_ns(lengths_s[i]), now.mono_ns);
    window_init(&entry->windows[W_OWN], to_ns(entry->slo.window), now.mono_ns);
    window_init(&entry->windows[W_PERIOD], to_ns(entry->slo.period), now.mono_ns);
}

void slo_entry_find_boundary(slo_entry_t *entry)
{
    entry->boundary = INSTANT_NEVER;
    for (int i = 0; i < W_COUNT; i++) {
        int64_t boundary = window_boundary(&entry->windows[i]);
        if (boundary < entry->boundary)
            entry->boundary = boundary;
    }
}

static slo_entry_t *new_entry(const slo_t *slo, instant_t now)
{
    slo_entry_t *entry = memory_new(1, sizeof *entry);
    entry->slo = *slo;
    entry->slo.match.operation = keep_text(slo->match.operation);
    entry->slo.match.dependency = keep_text(slo->match.dependency);
    entry->slo.match.labels = keep_labels(slo->match.labels);
    entry->allowed = allowed_share(slo->target_percent);
    entry->since = now.wall_s;
    set_pairs(entry);
    start_windows(entry, now);
    slo_entry_find_boundary(entry);
    return entry;
}

static void free_entry(slo_entry_t *entry)
{
    drop_text(&entry->slo.match.operation);
    drop_text(&entry->slo.match.dependency);
    drop_labels(&entry->slo.match.labels);
    free(entry);
}

/* -- chains: which SLOs may select a request -- */

static chain_t *chain_of(slo_monitor_t *self, text_t operation)
{
    uint32_t probe = 0, item;
    uint64_t hash = hash_text(self->seed, operation);
    while ((item = table_next(&self->by_operation, hash, &probe)) != 0)
        if (text_equal(self->chains[item].operation, operation))
            return &self->chains[item];
    return NULL;
}

static void append(chain_t *chain, slo_entry_t *entry)
{
    entry->next_of_operation = NULL;
    if (chain->last == NULL)
        chain->first = entry;
    else
        chain->last->next_of_operation = entry;
    chain->last = entry;
}

static chain_t *new_chain(slo_monitor_t *self, text_t operation)
{
    self->chains[++self->chain_count] = (chain_t){.operation = operation};
    table_add(&self->by_operation, hash_text(self->seed, operation), self->chain_count);
    return &self->chains[self->chain_count];
}

/* Definitions change seldom: the chains are then made anew. */
static void make_chains(slo_monitor_t *self)
{
    table_free(&self->by_operation);
    table_init(&self->by_operation, self->slos.limit);
    self->chain_count = 0;
    self->any = (chain_t){0};
    uint64_t at = 0;
    for (slo_entry_t *entry; (entry = roster_next(&self->slos, &at)) != NULL;) {
        text_t operation = entry->slo.match.operation;
        chain_t *chain = operation.data == NULL ? &self->any : chain_of(self, operation);
        append(chain != NULL ? chain : new_chain(self, operation), entry);
    }
}

/* -- birth and death -- */

slo_monitor_t *slo_monitor_new(uint32_t slos, uint64_t seed, slo_sink_t sink)
{
    slo_monitor_t *self = memory_new(1, sizeof *self);
    self->limit = slos;
    self->seed = seed;
    self->sink = sink;
    self->next = INSTANT_NEVER;
    self->labels = memory_new(1, LABELS_MAX_BYTES);
    self->chains = memory_new((size_t)slos + 1, sizeof *self->chains);
    roster_init(&self->slos, slos, seed);
    roster_init(&self->memories, slos, seed);
    table_init(&self->by_operation, slos);
    return self;
}

void slo_monitor_destroy(slo_monitor_t **self)
{
    if (*self == NULL)
        return;
    uint64_t at = 0;
    for (slo_entry_t *entry; (entry = roster_next(&(*self)->slos, &at)) != NULL;)
        free_entry(entry);
    slo_monitor_forget_memories(*self);
    roster_free(&(*self)->slos);
    roster_free(&(*self)->memories);
    table_free(&(*self)->by_operation);
    free((*self)->chains);
    free((*self)->labels);
    free(*self);
    *self = NULL;
}

void slo_monitor_configure(slo_monitor_t *self, uint32_t slos)
{
    roster_grow(&self->slos, slos);
    roster_grow(&self->memories, slos);
    self->chains = memory_grow(self->chains, (size_t)self->slos.limit + 1, sizeof *self->chains);
    self->limit = slos;
    make_chains(self);
}

static void forget(slo_monitor_t *self, slo_entry_t *entry)
{
    roster_remove(&self->slos, entry->slo.name);
    free_entry(entry);
}

status_t slo_monitor_put(slo_monitor_t *self, const slo_t *slo, instant_t now)
{
    if (!good_definition(slo))
        return STATUS_BAD_VALUE;
    slo_entry_t *old = roster_find(&self->slos, slo->name);
    if (old != NULL && slo_same_definition(&old->slo, slo))
        return STATUS_OK;
    if (old == NULL && roster_count(&self->slos) >= self->limit)
        return STATUS_LIMIT;
    slo_entry_t *entry = new_entry(slo, now);
    if (old != NULL)
        forget(self, old);
    entry->slo.name = roster_add(&self->slos, slo->name, entry);
    entry->serial = ++self->last_serial;
    slo_memory_claim(self, entry, now);
    make_chains(self);
    return STATUS_OK;
}

status_t slo_monitor_delete(slo_monitor_t *self, text_t name)
{
    slo_entry_t *entry = roster_find(&self->slos, name);
    if (entry == NULL)
        return STATUS_NOT_FOUND;
    forget(self, entry);
    make_chains(self);
    return STATUS_OK;
}

/* -- status -- */

static bool burning(const slo_entry_t *entry)
{
    for (size_t i = 0; i < SLO_PAIRS; i++) {
        window_counts_t in_long = counts_of(entry, pairs[i].long_window);
        window_counts_t in_short = counts_of(entry, pairs[i].short_window);
        if (entry->rates[i] > 0 && in_short.good + in_short.bad >= entry->slo.min_events &&
            burn_of(entry, in_long) > entry->rates[i] && burn_of(entry, in_short) > entry->rates[i])
            return true;
    }
    return false;
}

static slo_status_t judge(const slo_entry_t *entry)
{
    window_counts_t own = counts_of(entry, W_OWN);
    if (own.good + own.bad == 0)
        return SLO_INSUFFICIENT_DATA;
    if (compliance_of(own) < entry->slo.target_percent)
        return SLO_BREACHED;
    /* nothing bad in the longest of the long windows: nothing in any */
    if (entry->windows[W_3D].total.bad + entry->pending.bad > 0 && burning(entry))
        return SLO_BURNING;
    return SLO_OK;
}

static void advance(slo_entry_t *entry, int64_t now_ns)
{
    if (now_ns < entry->boundary)
        return;
    for (int i = 0; i < W_COUNT; i++) {
        window_add(&entry->windows[i], entry->pending);
        window_advance(&entry->windows[i], now_ns);
    }
    entry->pending = (window_counts_t){0, 0};
    slo_entry_find_boundary(entry);
}

static void project(const slo_entry_t *entry, instant_t now, slo_view_t *view)
{
    double left = budget_of(entry, counts_of(entry, W_PERIOD));
    double burn = burn_of(entry, counts_of(entry, W_1H));
    if (!(burn > 0))
        return;
    double seconds = left > 0 ? left * entry->slo.period / burn : 0;
    view->budget_minutes_left = seconds / MINUTE_S;
    view->exhausts_at = now.wall_s + seconds;
}

static void view_entry(const slo_entry_t *entry, instant_t now, slo_view_t *view)
{
    window_counts_t own = counts_of(entry, W_OWN);
    double burn[W_OWN];
    for (int i = 0; i < W_OWN; i++)
        burn[i] = burn_of(entry, counts_of(entry, i));
    *view = (slo_view_t){
        .slo = entry->slo,
        .total = own.good + own.bad,
        .good = own.good,
        .bad = own.bad,
        .compliance_percent = compliance_of(own),
        .error_budget = budget_of(entry, own),
        .burn = {burn[W_5M], burn[W_30M], burn[W_1H], burn[W_2H], burn[W_6H], burn[W_24H],
                 burn[W_3D]},
        .status = entry->status,
        .budget_minutes_left = NAN,
        .exhausts_at = NAN,
        .since = entry->since,
        .left_out = {entry->left_out_texts, entry->left_out_count},
    };
    project(entry, now, view);
}

static void update_status(slo_monitor_t *self, slo_entry_t *entry, instant_t now)
{
    slo_status_t from = entry->status, to = judge(entry);
    if (from == to)
        return;
    entry->status = to;
    entry->since = now.wall_s;
    slo_view_t view;
    view_entry(entry, now, &view);
    self->sink.take(self->sink.context, &view, from, now);
}

/* -- requests -- */

/* A request, with its labels in order once somebody asks for them. */
typedef struct {
    const request_event_t *event;
    uint8_t *room;
    labels_t labels;
    bool ordered;
} candidate_t;

static bool selects(const slo_entry_t *entry, candidate_t *candidate)
{
    const slo_match_t *match = &entry->slo.match;
    if (match->dependency.data != NULL &&
        !same_text(match->dependency, candidate->event->dependency))
        return false;
    if (match->labels.count == 0)
        return true;
    if (!candidate->ordered)
        candidate->labels = labels_canonical(candidate->event->labels, candidate->room);
    candidate->ordered = true;
    return labels_include(candidate->labels, match->labels);
}

static void count(slo_monitor_t *self, slo_entry_t *entry, const request_event_t *request,
                  instant_t now)
{
    advance(entry, now.mono_ns);
    bool bad = request->error || request->duration_s > entry->slo.latency; /* NaN: never */
    entry->pending.good += !bad;
    entry->pending.bad += bad;
    if (entry->boundary < self->next)
        self->next = entry->boundary;
    update_status(self, entry, now);
}

void slo_monitor_record(slo_monitor_t *self, const request_event_t *request, instant_t now)
{
    candidate_t candidate = {.event = request, .room = self->labels};
    const chain_t *chain = self->chain_count == 0 ? NULL : chain_of(self, request->operation);
    slo_entry_t *own = chain == NULL ? NULL : chain->first, *any = self->any.first;
    while (own != NULL || any != NULL) { /* two lists in order of creation, as one */
        slo_entry_t **next =
            any == NULL || (own != NULL && own->serial < any->serial) ? &own : &any;
        slo_entry_t *entry = *next;
        *next = entry->next_of_operation;
        if (selects(entry, &candidate))
            count(self, entry, request, now);
    }
}

/* -- time and looks -- */

static bool empty(const slo_entry_t *entry)
{
    window_counts_t longest = counts_of(entry, W_3D), own = counts_of(entry, W_OWN);
    return longest.good + longest.bad + own.good + own.bad == 0;
}

void slo_monitor_roll(slo_monitor_t *self, instant_t now)
{
    self->next = INSTANT_NEVER;
    uint64_t at = 0;
    for (slo_entry_t *entry; (entry = roster_next(&self->slos, &at)) != NULL;) {
        if (now.mono_ns >= entry->boundary) {
            advance(entry, now.mono_ns);
            update_status(self, entry, now);
        }
        if (entry->boundary < self->next && !empty(entry))
            self->next = entry->boundary;
    }
}

int64_t slo_monitor_next_boundary(const slo_monitor_t *self)
{
    return self->next;
}

/* As it is now, without changing it. */
static void look(const slo_entry_t *entry, instant_t now, slo_view_t *view)
{
    if (now.mono_ns < entry->boundary) {
        view_entry(entry, now, view);
        return;
    }
    slo_entry_t copy = *entry;
    advance(&copy, now.mono_ns);
    slo_status_t status = judge(&copy);
    if (status != copy.status)
        copy.since = now.wall_s;
    copy.status = status;
    view_entry(&copy, now, view);
    view->left_out.items = entry->left_out_texts;
}

bool slo_monitor_get(const slo_monitor_t *self, text_t name, instant_t now, slo_view_t *view)
{
    const slo_entry_t *entry = roster_find(&self->slos, name);
    if (entry != NULL)
        look(entry, now, view);
    return entry != NULL;
}

bool slo_monitor_next(const slo_monitor_t *self, uint64_t *at, instant_t now, slo_view_t *view)
{
    const slo_entry_t *entry = roster_next(&self->slos, at);
    if (entry != NULL)
        look(entry, now, view);
    return entry != NULL;
}
