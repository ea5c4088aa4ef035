#include "broker/observability_inside.h"

#include "broker/mail.h"
#include "broker/store.h"
#include "proto/must.h"
#include "proto/pack.h"

/* Ask for the next block of numbers when so many are left. */
#define NUMBERS_LOW (NUMBERS_BLOCK / 2)

/* -- numbers -- */

void observability_want_numbers(observability_t *self, family_t family)
{
    numbers_t *numbers = &self->numbers[family];
    if (numbers->asked)
        return;
    zmsg_t *mail = mail_new(MAIL_WANT);
    mail_add(mail, &(mail_number_t){.family = family}, sizeof(mail_number_t));
    mail_send(&mail, self->given->operations);
    numbers->asked = true;
}

void observability_take_numbers(observability_t *self, zmsg_t *mail)
{
    mail_number_t first, last;
    mail_take_struct(mail, &first, sizeof first);
    mail_take_struct(mail, &last, sizeof last);
    numbers_t *numbers = &self->numbers[first.family];
    numbers->asked = false;
    numbers->none = first.seq == 0;
    if (numbers->none)
        return;
    if (numbers->next > numbers->last) {
        numbers->next = first.seq;
        numbers->last = last.seq;
    } else {
        numbers->then_next = first.seq;
        numbers->then_last = last.seq;
    }
}

/*  A number is on disk as reserved before it is given out; when none is left, the wing waits for
 * the operations wing, which never waits for this one. 0: the disk takes no reservation now. */
static uint64_t next_number(observability_t *self, family_t family)
{
    numbers_t *numbers = &self->numbers[family];
    if (numbers->next > numbers->last && numbers->then_next != 0) {
        numbers->next = numbers->then_next;
        numbers->last = numbers->then_last;
        numbers->then_next = 0;
    }
    numbers->none = false;
    while (numbers->next > numbers->last) {
        if (numbers->none)
            return 0;
        observability_want_numbers(self, family);
        pulse_rest(self->given->pulse);
        zmsg_t *mail = mail_wait(self->given->operations);
        pulse_beat(self->given->pulse);
        must(mail != NULL);
        observability_serve_operations(self, mail);
    }
    uint64_t number = numbers->next++;
    if (numbers->last - number < NUMBERS_LOW && numbers->then_next == 0)
        observability_want_numbers(self, family);
    return number;
}

/* -- findings -- */

static void publish(observability_t *self, const publication_t *publication)
{
    char topic[PUBLICATION_TOPIC_MAX + 1];
    text_t name = {topic, publication_topic(publication, topic)};
    family_t family = publication_type_family(publication->type);
    mail_number_t number = {.family = family, .seq = next_number(self, family)};
    if (number.seq == 0) {
        self->not_kept++;
        return;
    }
    self->published[family]++;
    self->body.size = 0;
    publication_encode(publication, number.seq, text_of(self->given->source), &self->body);

    /* to the store first: whoever sees the publication may ask for it at once */
    zmsg_t *keep = mail_new(MAIL_KEEP);
    mail_add(keep, &number, sizeof number);
    mail_add(keep, &publication->time_s, sizeof publication->time_s);
    mail_add_text(keep, name);
    mail_add_buffer(keep, &self->body);
    if (!mail_try(&keep, self->given->operations))
        self->not_kept++;

    zmsg_t *mail = mail_new(MAIL_PUBLISH);
    mail_add(mail, &number, sizeof number);
    mail_add_text(mail, name);
    mail_add_buffer(mail, &self->body);
    mail_send(&mail, self->reactor);
}

static text_t write_anomaly(observability_t *self, const finding_t *finding)
{
    schema_write_with(&anomaly_schema, &finding->as.anomaly.view, 2, &self->data);
    pack_string(&self->data, "expected_mean");
    pack_number(&self->data, finding->as.anomaly.expected_mean);
    pack_string(&self->data, "expected_stddev");
    pack_number(&self->data, finding->as.anomaly.expected_stddev);
    return finding->as.anomaly.view.name;
}

static void write_change(observability_t *self, const char *from, const char *to)
{
    pack_string(&self->data, "from");
    pack_string(&self->data, from);
    pack_string(&self->data, "to");
    pack_string(&self->data, to);
}

static text_t write_slo(observability_t *self, const finding_t *finding)
{
    schema_write_with(&slo_view_schema, &finding->as.slo.view, 2, &self->data);
    write_change(self, slo_status_words[finding->as.slo.from],
                 slo_status_words[finding->as.slo.to]);
    return finding->as.slo.view.slo.name;
}

static text_t write_dependency(observability_t *self, const finding_t *finding)
{
    schema_write_with(&dependency_schema, &finding->as.dependency.view, 3, &self->data);
    write_change(self, dependency_status_words[finding->as.dependency.from],
                 dependency_status_words[finding->as.dependency.to]);
    pack_string(&self->data, "lasted");
    pack_number(&self->data, finding->as.dependency.lasted);
    return finding->as.dependency.view.name;
}

static const struct {
    publication_type_t type;
    text_t (*write)(observability_t *, const finding_t *); /* the data; answers the subject */
} published[FINDING_COUNT] = {
    [FINDING_ANOMALY_DETECTED] = {PUBLISH_ANOMALY_DETECTED, write_anomaly},
    [FINDING_ANOMALY_CLEARED] = {PUBLISH_ANOMALY_CLEARED, write_anomaly},
    [FINDING_SLO_BREACHED] = {PUBLISH_SLO_BREACHED, write_slo},
    [FINDING_SLO_BURNING] = {PUBLISH_SLO_BURNING, write_slo},
    [FINDING_SLO_RECOVERED] = {PUBLISH_SLO_RECOVERED, write_slo},
    [FINDING_DEPENDENCY_CHANGED] = {PUBLISH_DEPENDENCY_CHANGED, write_dependency},
};

static void send_result(observability_t *self, const finding_t *finding)
{
    const plan_result_t *result = &finding->as.result;
    mail_result_t values = {.plan = result->plan,
                            .value = result->value,
                            .time_s = finding->now.wall_s,
                            .mono_ns = finding->now.mono_ns,
                            .label_count = result->labels.count,
                            .state = result->state};
    zmsg_t *mail = mail_new(MAIL_RESULT);
    mail_add(mail, &values, sizeof values);
    mail_add_text(mail, (text_t){(const char *)result->labels.bytes, result->labels.size});
    mail_add_text(mail, result->error);
    mail_send(&mail, self->given->operations);
}

void observability_take_finding(void *context, const finding_t *finding)
{
    observability_t *self = context;
    if (finding->type == FINDING_RESULT) {
        send_result(self, finding);
        return;
    }
    self->data.size = 0;
    text_t subject = published[finding->type].write(self, finding);
    publication_t publication = {.type = published[finding->type].type,
                                 .time_s = finding->now.wall_s,
                                 .subject = subject,
                                 .data = {self->data.data, self->data.size}};
    publish(self, &publication);
}
