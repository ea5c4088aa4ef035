#include "engines/operations/operational_metrics.h"
#include "proto/schema.h"
#include "tests/check.h"
#include "tests/engines/seeds.h"

static incident_t any_incident(dice_t *dice)
{
    incident_t incident;
    schema_defaults(&incident_schema, &incident);
    incident.status = (incident_status_t)dice_below(dice, INCIDENT_STATUS_COUNT);
    incident.created_at = 1e9 + (double)dice_below(dice, 1000000) / 7;
    if (incident.status >= INCIDENT_RESOLVED)
        incident.resolved_at = incident.created_at + (double)dice_below(dice, 100000) / 3;
    return incident;
}

static alert_t any_alert(dice_t *dice)
{
    alert_t alert;
    schema_defaults(&alert_schema, &alert);
    alert.state = (alert_state_t)dice_below(dice, ALERT_STATE_COUNT);
    if (alert.state != ALERT_PENDING)
        alert.fired_at = 1e9 + (double)dice_below(dice, 1000000) / 7;
    if (alert.state == ALERT_ACKNOWLEDGED || dice_chance(dice, 0.3))
        alert.acknowledged_at = alert.fired_at + (double)dice_below(dice, 1000);
    return alert;
}

enum { THINGS = 40 };

/*  Whatever came and went, and in whatever order: the metrics are those of what is there. */
static void any_history(dice_t *dice)
{
    incident_t incidents[THINGS];
    alert_t alerts[THINGS];
    bool there[THINGS] = {false};
    operational_metrics_t metrics, recount;
    ops_metrics_t read, expected;
    operational_metrics_init(&metrics);
    operational_metrics_init(&recount);
    for (int step = 0; step < 200; step++) {
        size_t at = dice_below(dice, THINGS);
        if (there[at]) {
            operational_metrics_discount_incident(&metrics, &incidents[at]);
            operational_metrics_discount_alert(&metrics, &alerts[at]);
        } else {
            incidents[at] = any_incident(dice);
            alerts[at] = any_alert(dice);
            operational_metrics_count_incident(&metrics, &incidents[at]);
            operational_metrics_count_alert(&metrics, &alerts[at]);
        }
        there[at] = !there[at];
    }
    for (size_t at = THINGS; at-- > 0;) {
        if (!there[at])
            continue;
        operational_metrics_count_alert(&recount, &alerts[at]);
        operational_metrics_count_incident(&recount, &incidents[at]);
    }
    operational_metrics_read(&metrics, &read);
    operational_metrics_read(&recount, &expected);
    assert_true(schema_equal(&ops_metrics_schema, &read, &expected));
    operational_metrics_free(&metrics);
    operational_metrics_free(&recount);
}

static void test_operational_metrics__equal_a_recount_to_the_last_bit(void **state)
{
    (void)state;
    seeds_run(any_history);
}

static void test_operational_metrics__closed_counts_as_resolved_and_pending_as_active(void **state)
{
    (void)state;
    operational_metrics_t metrics;
    ops_metrics_t read;
    incident_t incident;
    alert_t alert;
    operational_metrics_init(&metrics);
    schema_defaults(&incident_schema, &incident);
    schema_defaults(&alert_schema, &alert);
    incident.status = INCIDENT_CLOSED;
    incident.created_at = 100;
    incident.resolved_at = 160;
    alert.state = ALERT_PENDING;
    operational_metrics_count_incident(&metrics, &incident);
    operational_metrics_count_alert(&metrics, &alert);
    operational_metrics_read(&metrics, &read);
    assert_int_equal(read.incidents_resolved, 1);
    assert_int_equal(read.incidents_open, 0);
    assert_double(read.avg_resolution_time, 60, 0);
    assert_int_equal(read.alerts_active, 1);
    assert_int_equal(read.alerts_triggered, 0);
    assert_true(isnan(read.mtta.mean));
    operational_metrics_free(&metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        seeds_test(test_operational_metrics__equal_a_recount_to_the_last_bit),
        cmocka_unit_test(test_operational_metrics__closed_counts_as_resolved_and_pending_as_active),
    };
    return cmocka_run_group_tests_name("operational_metrics", tests, NULL, NULL);
}
